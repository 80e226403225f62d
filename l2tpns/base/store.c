/* store.c -- size classes threaded through their own free pieces; a free piece's first word names the next. */
#include "l2tpns/base/store.h"

#define UNIT	32u

void store_init(struct store *store, size_t octets, struct arena *arena)
{
	uint32_t units = (uint32_t)(octets / UNIT) + 1;

	*store = (struct store){ .base = arena_take(arena, units, UNIT), .units = units, .fresh = 1 };
}

static unsigned class_of(uint32_t len)
{
	unsigned class = 0;

	while ((UNIT << class) < len + 2)
		class++;
	return class;
}

static uint8_t *piece(const struct store *store, uint32_t handle)
{
	return store->base + (size_t)handle * UNIT;
}

uint32_t store_room(struct store *store, uint32_t len, uint8_t **at)
{
	if (len == 0 || len > STORE_LEN_MAX)
		return 0;
	unsigned class = class_of(len);
	uint32_t handle = store->free[class];
	uint16_t kept_len = (uint16_t)len;

	if (handle) {
		memcpy(&store->free[class], piece(store, handle), sizeof(uint32_t));
	} else if (store->units - store->fresh >= 1u << class) {
		handle = store->fresh;
		store->fresh += 1u << class;
	} else {
		return 0;
	}
	memcpy(piece(store, handle), &kept_len, sizeof(kept_len));
	*at = piece(store, handle) + sizeof(kept_len);
	store->kept++;
	return handle;
}

uint32_t store_keep(struct store *store, struct bytes value)
{
	uint8_t *at;
	uint32_t handle = store_room(store, value.len, &at);

	if (handle)
		memcpy(at, value.p, value.len);
	return handle;
}

struct bytes store_get(const struct store *store, uint32_t handle)
{
	uint16_t len;

	if (!handle)
		return (struct bytes){ 0 };
	ASSERT(handle < store->fresh);
	memcpy(&len, piece(store, handle), sizeof(len));
	return bytes_of(piece(store, handle) + sizeof(len), len);
}

void store_drop(struct store *store, uint32_t handle)
{
	if (!handle)
		return;
	unsigned class = class_of(store_get(store, handle).len);

	memcpy(piece(store, handle), &store->free[class], sizeof(uint32_t));
	store->free[class] = handle;
	store->kept--;
}
