/* store.c -- a buddy system: pieces are halves of halves, and whole again once both halves are free. */
#include "l2tpns/base/store.h"

#define UNIT		STORE_UNIT
#define BLOCK_UNITS	(1u << (STORE_CLASSES - 1))

struct free_piece {		/* what a free piece holds; positions plus one, 0 = end of the list */
	uint32_t next, prev;
};

void store_init(struct store *store, size_t octets, struct arena *arena)
{
	uint32_t blocks = (uint32_t)((octets + STORE_BLOCK_OCTETS - 1) / STORE_BLOCK_OCTETS);
	uint32_t units = blocks * BLOCK_UNITS;

	*store = (struct store){ .base = arena_take(arena, units, UNIT), .state = arena_take(arena, units, 1),
				 .units = units };
}

static unsigned class_of(uint32_t len)
{
	unsigned class = 0;

	while ((UNIT << class) < len + 2)
		class++;
	return class;
}

static struct free_piece *piece(const struct store *store, uint32_t at)
{
	return (void *)(store->base + (size_t)at * UNIT);
}

static void list_put(struct store *store, uint32_t at, unsigned class)
{
	uint32_t first = store->free[class];

	*piece(store, at) = (struct free_piece){ .next = first };
	if (first)
		piece(store, first - 1)->prev = at + 1;
	store->free[class] = at + 1;
	store->state[at] = (uint8_t)(class + 1);
}

static void list_take(struct store *store, uint32_t at, unsigned class)
{
	struct free_piece links = *piece(store, at);

	if (links.next)
		piece(store, links.next - 1)->prev = links.prev;
	if (links.prev)
		piece(store, links.prev - 1)->next = links.next;
	else
		store->free[class] = links.next;
	store->state[at] = 0;
}

uint32_t store_room(struct store *store, uint32_t len, uint8_t **room)
{
	uint16_t kept_len = (uint16_t)len;
	uint32_t at;

	if (len == 0 || len > STORE_LEN_MAX)
		return 0;
	unsigned class = class_of(len), from = class;

	while (from < STORE_CLASSES && !store->free[from])
		from++;
	if (from < STORE_CLASSES) {
		at = store->free[from] - 1;
		list_take(store, at, from);
	} else if (store->fresh < store->units) {
		at = store->fresh;
		store->fresh += BLOCK_UNITS;
		from = STORE_CLASSES - 1;
	} else {
		return 0;
	}
	while (from > class) {
		from--;
		list_put(store, at + (1u << from), from);
	}
	*room = store->base + (size_t)at * UNIT + sizeof(kept_len);
	memcpy(*room - sizeof(kept_len), &kept_len, sizeof(kept_len));
	store->kept++;
	return at + 1;
}

uint32_t store_keep(struct store *store, struct bytes value)
{
	uint8_t *room;
	uint32_t handle = store_room(store, value.len, &room);

	if (handle)
		memcpy(room, value.p, value.len);
	return handle;
}

struct bytes store_get(const struct store *store, uint32_t handle)
{
	uint16_t len;

	if (!handle)
		return (struct bytes){ 0 };
	ASSERT(handle <= store->fresh && store->state[handle - 1] == 0);
	const uint8_t *at = store->base + (size_t)(handle - 1) * UNIT;

	memcpy(&len, at, sizeof(len));
	return bytes_of(at + sizeof(len), len);
}

void store_drop(struct store *store, uint32_t handle)
{
	if (!handle)
		return;
	unsigned class = class_of(store_get(store, handle).len);
	uint32_t at = handle - 1;

	for (; class < STORE_CLASSES - 1; class++) {
		uint32_t buddy = at ^ 1u << class;

		if (store->state[buddy] != class + 1)
			break;
		list_take(store, buddy, class);
		at &= ~(1u << class);
	}
	list_put(store, at, class);
	store->kept--;
}
