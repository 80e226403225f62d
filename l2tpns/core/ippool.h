/*
 * ippool.h -- address pools: named sets of ranges, an address given to a session and taken back.
 *
 * Pure.  Sticky: a user gets its last address again while nobody else needed it.
 * Otherwise a never-used address is given first, then the one longest free.
 * Constant cost whatever the size, at most 24 octets per address once it is used.
 * .0 and .255 of each /24 are left out of ranges of /24 or wider, as subscribers'
 * own devices mistrust them.
 */
#ifndef CORE_IPPOOL_H
#define CORE_IPPOOL_H

#include "l2tpns/base/addr.h"
#include "l2tpns/base/arena.h"
#include "l2tpns/base/hash.h"
#include "l2tpns/base/ids.h"

#define IPPOOLS_MAX		64
#define IPPOOL_RANGES_MAX	1024
#define IPPOOL_NAME_MAX		31

struct ippool_range {
	uint8_t		pool;		/* which pool: an index into ippool_conf.name */
	struct prefix4	prefix;
};

struct ippool_conf {
	char			name[IPPOOLS_MAX][IPPOOL_NAME_MAX + 1];	/* [0] is "", the default pool */
	unsigned		pools;
	struct ippool_range	range[IPPOOL_RANGES_MAX];
	unsigned		ranges;
};

struct ippools;

/* Can a range be this prefix: no host bits, /8 or longer, unicast?  Ranges must, and must not overlap. */
bool ippool_prefix_fits(struct prefix4 prefix);

/* Memory for `addresses_max` addresses in all; a configuration with more is cut and says so. */
struct ippools *ippools_init(uint32_t addresses_max, struct hash_key key, struct arena *arena);

/* Take over a new configuration.  Addresses held now stay held (and are forgotten when given
 * back if their range is gone).  Returns how many addresses did not fit.  One walk over the
 * addresses, none when the ranges are what they were. */
uint32_t ippools_configure(struct ippools *pools, const struct ippool_conf *conf);

/* Index of the pool with this name, or -1. */
int ippools_find(const struct ippools *pools, struct bytes name);

/* 0 when the pool is empty. */
MUST_USE struct ip4 ippool_take(struct ippools *pools, unsigned pool, struct bytes user, struct row holder);

/* A fixed address is marked as held, so that nobody else gets it: also outside the pools, as a
 * later configuration may put it inside.  Returns the other session that holds it already, or 0. */
MUST_USE struct row ippool_reserve(struct ippools *pools, struct ip4 address, struct row holder);

/* This session has the address, whoever seemed to hold it: another node gave it.  `user` is remembered for
 * it as ippool_take() does; empty for a fixed address.  A give by the one who held it before is then ignored. */
void ippool_hold(struct ippools *pools, struct ip4 address, struct bytes user, struct row holder);

/* The address's session is gone; an address that this session does not hold is ignored. */
void ippool_give(struct ippools *pools, struct ip4 address, struct row holder);

bool ippools_have(const struct ippools *pools, struct ip4 address);	/* does it lie in a pool? */

struct ippool_facts {
	uint32_t addresses, used;
};
struct ippool_facts ippool_facts(const struct ippools *pools, unsigned pool);

struct ippool_entry {			/* for `show pool` */
	struct ip4	address;
	uint8_t		pool;
	struct row	holder;		/* 0 = free */
	bool		remembered;	/* free, but kept for its last user */
};
/* Entry by number, 0 .. ippools_count()-1, in order of address; costs a search among the ranges. */
uint32_t ippools_count(const struct ippools *pools);
struct ippool_entry ippools_entry(const struct ippools *pools, uint32_t number);

#endif
