/*
 * ippool_slots.h -- how ippool.c and ippool_move.c keep addresses: one slot each, numbered by arithmetic.
 *
 * A slot that was never used is all zero and costs no memory until it is: a
 * cursor per range finds the next one.  Once used and free again a slot stands
 * in its pool's queue, longest free first, and in a hash chain under its last
 * user.  Addresses that sessions hold outside every pool (fixed ones, and those
 * whose range was taken out of the configuration) are kept beside, so that no
 * later configuration gives one of them to somebody else.
 */
#ifndef CORE_IPPOOL_SLOTS_H
#define CORE_IPPOOL_SLOTS_H

#include "l2tpns/base/index.h"
#include "l2tpns/base/pool.h"
#include "l2tpns/core/ippool.h"

#define SLOT_HELD	UINT32_MAX	/* slot.next of an address in use */
#define TAG_FRESH	0u		/* never used */
#define TAG_NOBODY	1u		/* used, by nobody whose name we know */
#define BLOCK_USABLE	254u		/* addresses of a /24 without .0 and .255 */

struct slot {
	uint32_t	next;		/* free: the next in the queue, 0 = last; SLOT_HELD */
	uint32_t	prev;		/* free: the one before, 0 = first; held: the session */
	uint32_t	tag;		/* the last user's hash, or TAG_* */
	uint32_t	chain;		/* free: next of the same bucket; while moving: own address */
};

struct range {
	struct prefix4	prefix;
	uint8_t		pool;
	uint32_t	base;		/* its first slot */
	uint32_t	count;
	uint32_t	fresh;		/* slots before this one were looked at by the cursor */
	uint32_t	next;		/* of the same pool: index + 1 */
};

struct pool_state {
	char		name[IPPOOL_NAME_MAX + 1];
	uint64_t	salt;		/* so that the same user has another tag in each pool */
	uint32_t	head, tail;	/* free again, longest first */
	uint32_t	addresses, used;
	uint32_t	range;		/* the first that may have fresh slots: index + 1; 0 = none */
};

struct layout {				/* where each address has its slot; ranges in order of address */
	struct range	  range[IPPOOL_RANGES_MAX];
	unsigned	  ranges;
	struct pool_state pool[IPPOOLS_MAX];
	unsigned	  pools;
	uint32_t	  slots;
};

struct held {				/* outside every pool */
	struct ip4	address;
	struct row	holder;
};

struct ippools {
	struct hash_key	 key;
	uint32_t	 slots_max;
	uint32_t	 touched;	/* slots that are not fresh */
	struct slot	*slot;		/* 1..slots_max */
	uint32_t	*bucket;	/* free slots by tag */
	uint32_t	 mask;
	struct held	*outside;
	struct pool	 outside_free;
	struct index	 outside_index;
	struct layout	 layout[2];	/* the current one, and room to build the next */
	unsigned	 current;
};

static inline bool slot_is_held(const struct slot *slot)
{
	return slot->next == SLOT_HELD;
}

static inline bool range_leaves_edges(const struct range *range)
{
	return range->prefix.len <= 24;
}

static inline struct ip4 range_address(const struct range *range, uint32_t number)
{
	uint32_t net = range->prefix.net.n, offset = number - range->base;

	if (range_leaves_edges(range))
		return (struct ip4){ net + (offset / BLOCK_USABLE << 8) + offset % BLOCK_USABLE + 1 };
	return (struct ip4){ net + offset };
}

/* The address's slot and range; 0 when it lies in none, or is one of those left out. */
uint32_t slot_find(const struct layout *layout, struct ip4 address, const struct range **range);
const struct range *slot_range(const struct layout *layout, uint32_t number);

void slot_hold(struct ippools *pools, struct pool_state *pool, uint32_t number, struct row holder,
	       uint32_t tag);
void slot_chain_put(struct ippools *pools, uint32_t number);
void slot_chain_drop(struct ippools *pools, uint32_t number);
void slot_queue_remove(struct ippools *pools, struct pool_state *pool, uint32_t number);

int layout_pool(const struct layout *layout, struct bytes name);	/* -1: none has this name */

void outside_put(struct ippools *pools, struct ip4 address, struct row holder);
void outside_drop(struct ippools *pools, uint32_t n);

#endif
