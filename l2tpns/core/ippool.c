/* ippool.c -- taking an address for a user, taking it back, and what `show pool` wants to know. */
#include "l2tpns/core/ippool_slots.h"

#define FRESH_STEPS	64u		/* slots one ippool_take() looks at before it prefers the queue */

struct ippools *ippools_init(uint32_t addresses_max, struct hash_key key, struct arena *arena)
{
	struct ippools fixed = { .key = key, .slots_max = addresses_max };
	uint32_t buckets = 16;
	struct ippools *pools = arena_take(arena, 1, sizeof(*pools));

	while (buckets < addresses_max && buckets < 1u << 31)
		buckets *= 2;
	fixed.mask = buckets - 1;
	fixed.slot = arena_take(arena, (size_t)addresses_max + 1, sizeof(*fixed.slot));
	fixed.bucket = arena_take(arena, buckets, sizeof(*fixed.bucket));
	fixed.outside = arena_take(arena, (size_t)addresses_max + 1, sizeof(*fixed.outside));
	pool_init(&fixed.outside_free, addresses_max, arena);
	index_init(&fixed.outside_index, addresses_max, arena);
	if (pools)
		memcpy(pools, &fixed, offsetof(struct ippools, layout));
	return pools;
}

/* Addresses and slots. */

/* The last range that begins at or below the address, if it holds it. */
static const struct range *range_find(const struct layout *layout, struct ip4 address)
{
	unsigned low = 0, high = layout->ranges;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (layout->range[middle].prefix.net.n <= address.n)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || !prefix4_has(layout->range[low - 1].prefix, address))
		return NULL;
	return &layout->range[low - 1];
}

uint32_t slot_find(const struct layout *layout, struct ip4 address, const struct range **range)
{
	const struct range *in = range_find(layout, address);
	uint32_t offset;

	if (!in)
		return 0;
	offset = address.n - in->prefix.net.n;
	if (range_leaves_edges(in)) {
		if ((offset & 0xff) == 0 || (offset & 0xff) == 0xff)
			return 0;
		offset = (offset >> 8) * BLOCK_USABLE + (offset & 0xff) - 1;
	}
	if (offset >= in->count)
		return 0;
	*range = in;
	return in->base + offset;
}

const struct range *slot_range(const struct layout *layout, uint32_t number)
{
	unsigned low = 0, high = layout->ranges;

	while (low + 1 < high) {
		unsigned middle = (low + high) / 2;

		if (layout->range[middle].base <= number)
			low = middle;
		else
			high = middle;
	}
	return &layout->range[low];
}

/* The queue of free addresses, and the chains by last user. */

static uint32_t user_tag(const struct ippools *pools, const struct pool_state *pool, struct bytes user)
{
	uint64_t hash = hash_octets(pools->key, user) ^ pool->salt;
	uint32_t tag = (uint32_t)(hash ^ hash >> 32);

	if (user.len == 0)
		return TAG_NOBODY;
	return tag > TAG_NOBODY ? tag : TAG_NOBODY + 1;
}

static uint32_t chain_find(const struct ippools *pools, uint32_t tag)
{
	uint32_t n = tag == TAG_NOBODY ? 0 : pools->bucket[tag & pools->mask];

	while (n && pools->slot[n].tag != tag)
		n = pools->slot[n].chain;
	return n;
}

/* One address is remembered per user, the last one: however many sessions share a name, chains stay short. */
void slot_chain_put(struct ippools *pools, uint32_t number)
{
	struct slot *slot = &pools->slot[number];
	uint32_t *bucket = &pools->bucket[slot->tag & pools->mask];
	uint32_t before = chain_find(pools, slot->tag);

	if (slot->tag == TAG_NOBODY)
		return;
	if (before) {
		slot_chain_drop(pools, before);
		pools->slot[before].tag = TAG_NOBODY;
	}
	slot->chain = *bucket;
	*bucket = number;
}

void slot_chain_drop(struct ippools *pools, uint32_t number)
{
	struct slot *slot = &pools->slot[number];
	uint32_t *at = &pools->bucket[slot->tag & pools->mask];

	if (slot->tag == TAG_NOBODY)
		return;
	while (*at != number) {
		ASSERT(*at != 0);
		at = &pools->slot[*at].chain;
	}
	*at = slot->chain;
	slot->chain = 0;
}

static void queue_append(struct ippools *pools, struct pool_state *pool, uint32_t number)
{
	pools->slot[number].next = 0;
	pools->slot[number].prev = pool->tail;
	if (pool->tail)
		pools->slot[pool->tail].next = number;
	else
		pool->head = number;
	pool->tail = number;
}

void slot_queue_remove(struct ippools *pools, struct pool_state *pool, uint32_t number)
{
	struct slot *slot = &pools->slot[number];

	if (slot->prev)
		pools->slot[slot->prev].next = slot->next;
	else
		pool->head = slot->next;
	if (slot->next)
		pools->slot[slot->next].prev = slot->prev;
	else
		pool->tail = slot->prev;
	slot->next = slot->prev = 0;
}

void slot_hold(struct ippools *pools, struct pool_state *pool, uint32_t number, struct row holder,
	       uint32_t tag)
{
	struct slot *slot = &pools->slot[number];

	if (slot->tag == TAG_FRESH) {
		pools->touched++;
	} else {
		slot_queue_remove(pools, pool, number);
		slot_chain_drop(pools, number);
	}
	*slot = (struct slot){ .next = SLOT_HELD, .prev = holder.n, .tag = tag };
	pool->used++;
}

/* Taking. */

static uint32_t remembered_slot(const struct ippools *pools, const struct layout *layout, unsigned pool,
				uint32_t tag)
{
	uint32_t n = chain_find(pools, tag);

	return n && slot_range(layout, n)->pool == pool ? n : 0;
}

static uint32_t fresh_slot(const struct ippools *pools, struct layout *layout, struct pool_state *pool,
			   uint32_t steps)
{
	while (pool->range) {
		struct range *range = &layout->range[pool->range - 1];

		while (range->fresh < range->count) {
			uint32_t number = range->base + range->fresh;

			if (steps-- == 0)
				return 0;
			range->fresh++;
			if (pools->slot[number].tag == TAG_FRESH)
				return number;
		}
		pool->range = range->next;
	}
	return 0;
}

struct ip4 ippool_take(struct ippools *pools, unsigned pool, struct bytes user, struct row holder)
{
	struct layout *layout = &pools->layout[pools->current];

	ASSERT(holder.n != 0 && holder.n != SLOT_HELD);
	if (pool >= layout->pools)
		return (struct ip4){ 0 };
	struct pool_state *state = &layout->pool[pool];
	uint32_t tag = user_tag(pools, state, user);
	uint32_t number = remembered_slot(pools, layout, pool, tag);

	/* Reserved addresses may lie in the cursor's way: few steps, then the queue, then all the way. */
	if (!number)
		number = fresh_slot(pools, layout, state, FRESH_STEPS);
	if (!number)
		number = state->head;
	if (!number)
		number = fresh_slot(pools, layout, state, UINT32_MAX);
	if (!number)
		return (struct ip4){ 0 };
	slot_hold(pools, state, number, holder, tag);
	return range_address(slot_range(layout, number), number);
}

/* Outside every pool. */

static uint64_t address_hash(const struct ippools *pools, struct ip4 address)
{
	return hash_octets(pools->key, bytes_of(&address.n, sizeof(address.n)));
}

static uint32_t outside_find(const struct ippools *pools, struct ip4 address, uint64_t hash)
{
	uint32_t n = index_first(&pools->outside_index, hash);

	while (n && pools->outside[n].address.n != address.n)
		n = index_next(&pools->outside_index, n);
	return n;
}

void outside_put(struct ippools *pools, struct ip4 address, struct row holder)
{
	uint32_t n = pool_take(&pools->outside_free);

	if (!n)
		return;		/* more addresses outside than slots inside: the rest is not watched */
	pools->outside[n] = (struct held){ .address = address, .holder = holder };
	index_put(&pools->outside_index, address_hash(pools, address), n);
}

void outside_drop(struct ippools *pools, uint32_t n)
{
	index_drop(&pools->outside_index, address_hash(pools, pools->outside[n].address), n);
	pools->outside[n] = (struct held){ .holder = { 0 } };
	pool_give(&pools->outside_free, n);
}

struct row ippool_reserve(struct ippools *pools, struct ip4 address, struct row holder)
{
	struct layout *layout = &pools->layout[pools->current];
	const struct range *range;
	uint32_t number = slot_find(layout, address, &range);
	struct row before = { 0 };

	ASSERT(address.n != 0 && holder.n != 0 && holder.n != SLOT_HELD);
	if (!number) {
		uint32_t n = outside_find(pools, address, address_hash(pools, address));

		if (n)
			before = pools->outside[n].holder;
		else
			outside_put(pools, address, holder);
	} else if (slot_is_held(&pools->slot[number])) {
		before = (struct row){ pools->slot[number].prev };
	} else {
		slot_hold(pools, &layout->pool[range->pool], number, holder, TAG_NOBODY);
	}
	return row_eq(before, holder) ? (struct row){ 0 } : before;
}

void ippool_hold(struct ippools *pools, struct ip4 address, struct bytes user, struct row holder)
{
	struct layout *layout = &pools->layout[pools->current];
	const struct range *range;
	uint32_t number = slot_find(layout, address, &range);

	ASSERT(address.n != 0 && holder.n != 0 && holder.n != SLOT_HELD);
	if (!number) {
		uint32_t n = outside_find(pools, address, address_hash(pools, address));

		if (n)
			pools->outside[n].holder = holder;
		else
			outside_put(pools, address, holder);
		return;
	}
	struct pool_state *pool = &layout->pool[range->pool];
	struct slot *slot = &pools->slot[number];

	if (slot_is_held(slot)) {
		slot->prev = holder.n;
		slot->tag = user_tag(pools, pool, user);
	} else {
		slot_hold(pools, pool, number, holder, user_tag(pools, pool, user));
	}
}

void ippool_give(struct ippools *pools, struct ip4 address, struct row holder)
{
	struct layout *layout = &pools->layout[pools->current];
	const struct range *range;
	uint32_t number = slot_find(layout, address, &range);

	if (!number) {
		uint32_t n = outside_find(pools, address, address_hash(pools, address));

		if (n && row_eq(pools->outside[n].holder, holder))
			outside_drop(pools, n);
		return;
	}
	if (!slot_is_held(&pools->slot[number]) || pools->slot[number].prev != holder.n)
		return;
	layout->pool[range->pool].used--;
	queue_append(pools, &layout->pool[range->pool], number);
	slot_chain_put(pools, number);
}

/* Facts. */

bool ippools_have(const struct ippools *pools, struct ip4 address)
{
	const struct range *range;

	return slot_find(&pools->layout[pools->current], address, &range) != 0;
}

int layout_pool(const struct layout *layout, struct bytes name)
{
	for (unsigned i = 0; i < layout->pools; i++)
		if (bytes_eq(name, bytes_str(layout->pool[i].name)))
			return (int)i;
	return -1;
}

int ippools_find(const struct ippools *pools, struct bytes name)
{
	return layout_pool(&pools->layout[pools->current], name);
}

struct ippool_facts ippool_facts(const struct ippools *pools, unsigned pool)
{
	const struct layout *layout = &pools->layout[pools->current];

	if (pool >= layout->pools)
		return (struct ippool_facts){ 0 };
	return (struct ippool_facts){
		.addresses = layout->pool[pool].addresses, .used = layout->pool[pool].used,
	};
}

uint32_t ippools_count(const struct ippools *pools)
{
	return pools->layout[pools->current].slots;
}

struct ippool_entry ippools_entry(const struct ippools *pools, uint32_t number)
{
	const struct layout *layout = &pools->layout[pools->current];

	ASSERT(number < layout->slots);
	const struct slot *slot = &pools->slot[number + 1];
	const struct range *range = slot_range(layout, number + 1);

	return (struct ippool_entry){
		.address = range_address(range, number + 1),
		.pool = range->pool,
		.holder = { slot_is_held(slot) ? slot->prev : 0 },
		.remembered = !slot_is_held(slot) && slot->tag > TAG_NOBODY,
	};
}
