/*
 * ippool_move.c -- a new configuration of ranges: slots are numbered anew and what they hold moves along.
 *
 * Three steps, all in place: what the new ranges do not cover leaves and links
 * between slots become addresses; slots are exchanged until each is at home;
 * links become slots again.  The cost is one walk over the slots, paid only when
 * the ranges did change.
 */
#include "l2tpns/core/ippool_slots.h"

bool ippool_prefix_fits(struct prefix4 prefix)
{
	uint32_t first = prefix.net.n >> 24;

	return prefix.len >= 8 && prefix.len <= 32 && first > 0 && first != 127 && first < 224 &&
	       (prefix.net.n & ~prefix4_mask(prefix.len)) == 0;
}

static uint32_t range_addresses(const struct range *range)
{
	if (range_leaves_edges(range))
		return BLOCK_USABLE << (24 - range->prefix.len);
	return 1u << (32 - range->prefix.len);
}

static void sort_ranges(struct range *range, unsigned n)
{
	for (unsigned gap = n / 2; gap > 0; gap /= 2) {		/* Shell's sort: at most 1024 of them */
		for (unsigned i = gap; i < n; i++) {
			struct range moving = range[i];
			unsigned j = i;

			for (; j >= gap && range[j - gap].prefix.net.n > moving.prefix.net.n; j -= gap)
				range[j] = range[j - gap];
			range[j] = moving;
		}
	}
}

/* Number the ranges' slots; what lies beyond slots_max is cut.  Returns how many addresses that is. */
static uint32_t layout_number(struct layout *layout, uint32_t slots_max)
{
	uint32_t cut = 0;

	for (unsigned i = 0; i < layout->ranges; i++) {
		struct range *range = &layout->range[i];
		uint32_t wanted = range_addresses(range);

		ASSERT(i == 0 || !prefix4_has(layout->range[i - 1].prefix, range->prefix.net));
		range->base = layout->slots + 1;
		range->count = min_u32(wanted, slots_max - layout->slots);
		layout->slots += range->count;
		layout->pool[range->pool].addresses += range->count;
		cut += wanted - range->count;
	}
	for (unsigned i = layout->ranges; i-- > 0; ) {
		struct range *range = &layout->range[i];

		range->next = layout->pool[range->pool].range;
		layout->pool[range->pool].range = i + 1;
	}
	return cut;
}

static uint32_t layout_build(struct layout *layout, const struct ippools *pools,
			     const struct ippool_conf *conf)
{
	ASSERT(conf->pools <= IPPOOLS_MAX && conf->ranges <= IPPOOL_RANGES_MAX);
	*layout = (struct layout){ .pools = conf->pools, .ranges = conf->ranges };
	for (unsigned i = 0; i < conf->pools; i++) {
		memcpy(layout->pool[i].name, conf->name[i], sizeof(layout->pool[i].name));
		layout->pool[i].salt = hash_octets(pools->key, bytes_str(layout->pool[i].name));
	}
	for (unsigned i = 0; i < conf->ranges; i++) {
		ASSERT(conf->range[i].pool < conf->pools && ippool_prefix_fits(conf->range[i].prefix));
		layout->range[i].prefix = conf->range[i].prefix;
		layout->range[i].pool = conf->range[i].pool;
	}
	sort_ranges(layout->range, layout->ranges);
	return layout_number(layout, pools->slots_max);
}

/* Before the move: what does not come along leaves, what does is told its address, links become addresses. */

static void slot_forget(struct ippools *pools, uint32_t number)
{
	pools->slot[number] = (struct slot){ .tag = TAG_FRESH };
	pools->touched--;
}

static void slot_leave(struct ippools *pools, struct layout *old, struct layout *next,
		       const struct range *range, uint32_t number)
{
	struct slot *slot = &pools->slot[number];
	struct ip4 address = range_address(range, number);
	struct pool_state *pool = &old->pool[range->pool];
	const struct range *into;
	bool stays = slot_find(next, address, &into) != 0;
	bool same_pool = stays && strcmp(pool->name, next->pool[into->pool].name) == 0;

	if (!slot_is_held(slot)) {
		slot_chain_drop(pools, number);
		if (same_pool)
			return;
		slot_queue_remove(pools, pool, number);
		slot_forget(pools, number);
	} else if (stays) {
		next->pool[into->pool].used++;
		if (!same_pool)
			slot->tag = TAG_NOBODY;
	} else {
		outside_put(pools, address, (struct row){ slot->prev });
		slot_forget(pools, number);
	}
}

static uint32_t address_of(const struct layout *layout, uint32_t number)
{
	if (!number)
		return 0;
	const struct range *range = slot_range(layout, number);

	return range_address(range, number).n;
}

static uint32_t slot_of(const struct layout *layout, uint32_t address)
{
	const struct range *range;
	uint32_t number = address ? slot_find(layout, (struct ip4){ address }, &range) : 0;

	ASSERT(!address || number);
	return number;
}

static void slots_leave(struct ippools *pools, struct layout *old, struct layout *next)
{
	for (unsigned i = 0; i < old->ranges; i++)
		for (uint32_t n = old->range[i].base; n < old->range[i].base + old->range[i].count; n++)
			if (pools->slot[n].tag != TAG_FRESH)
				slot_leave(pools, old, next, &old->range[i], n);
	for (uint32_t n = 1; n <= old->slots; n++) {
		struct slot *slot = &pools->slot[n];

		if (slot->tag == TAG_FRESH)
			continue;
		slot->chain = address_of(old, n);
		if (slot_is_held(slot))
			continue;
		slot->next = address_of(old, slot->next);
		slot->prev = address_of(old, slot->prev);
	}
	for (unsigned i = 0; i < old->pools; i++) {
		int at = layout_pool(next, bytes_str(old->pool[i].name));

		if (at < 0)
			continue;
		next->pool[at].head = slot_of(next, address_of(old, old->pool[i].head));
		next->pool[at].tail = slot_of(next, address_of(old, old->pool[i].tail));
	}
}

/* The move itself, in place: every exchange brings one slot home. */
static void slots_move(struct ippools *pools, const struct layout *old, const struct layout *next)
{
	for (uint32_t n = 1; n <= old->slots; n++) {
		while (pools->slot[n].tag != TAG_FRESH) {
			uint32_t home = slot_of(next, pools->slot[n].chain);

			if (home == n)
				break;
			struct slot other = pools->slot[home];

			pools->slot[home] = pools->slot[n];
			pools->slot[n] = other;
		}
	}
}

static void slots_arrive(struct ippools *pools, struct layout *next)
{
	for (uint32_t n = 1; n <= next->slots; n++) {
		struct slot *slot = &pools->slot[n];

		if (slot->tag == TAG_FRESH)
			continue;
		slot->chain = 0;
		if (slot_is_held(slot))
			continue;
		slot->next = slot_of(next, slot->next);
		slot->prev = slot_of(next, slot->prev);
		slot_chain_put(pools, n);
	}
}

/* Held outside until now, and inside one of the new ranges. */
static void outside_arrive(struct ippools *pools, struct layout *next)
{
	for (uint32_t n = 1; n <= pools->outside_free.top; n++) {
		struct held held = pools->outside[n];
		const struct range *range;
		uint32_t number = held.holder.n ? slot_find(next, held.address, &range) : 0;

		if (!number)
			continue;
		outside_drop(pools, n);
		slot_hold(pools, &next->pool[range->pool], number, held.holder, TAG_NOBODY);
	}
}

static bool layout_same(const struct layout *a, const struct layout *b)
{
	if (a->pools != b->pools || a->ranges != b->ranges || a->slots != b->slots)
		return false;
	for (unsigned i = 0; i < a->pools; i++)
		if (strcmp(a->pool[i].name, b->pool[i].name) != 0)
			return false;
	for (unsigned i = 0; i < a->ranges; i++) {
		const struct range *ra = &a->range[i], *rb = &b->range[i];

		if (ra->prefix.net.n != rb->prefix.net.n || ra->prefix.len != rb->prefix.len ||
		    ra->pool != rb->pool)
			return false;
	}
	return true;
}

uint32_t ippools_configure(struct ippools *pools, const struct ippool_conf *conf)
{
	struct layout *old = &pools->layout[pools->current];
	struct layout *next = &pools->layout[!pools->current];
	uint32_t cut = layout_build(next, pools, conf);

	if (layout_same(old, next))
		return cut;
	if (pools->touched > 0) {
		slots_leave(pools, old, next);
		slots_move(pools, old, next);
		slots_arrive(pools, next);
	}
	outside_arrive(pools, next);
	pools->current = !pools->current;
	return cut;
}
