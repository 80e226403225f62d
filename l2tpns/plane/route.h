/*
 * route.h -- which session serves an address: prefixes in, the fans of maps.h out.
 *
 * Pure.  One writer; readers follow the fans with fast_route() at any time, also
 * in the middle of a change: they see the old answer or the new one, never a
 * third.  A fan that is no longer used may still be in a reader's hands: it
 * waits in a list until the owner, after a grace period, says it is free.
 * The longest prefix wins; putting a prefix again gives it to the new row.
 */
#ifndef PLANE_ROUTE_H
#define PLANE_ROUTE_H

#include "l2tpns/base/addr.h"
#include "l2tpns/base/arena.h"
#include "l2tpns/base/ids.h"
#include "l2tpns/base/index.h"
#include "l2tpns/base/pool.h"
#include "l2tpns/plane/maps.h"

struct route_prefix {
	uint32_t	net;
	uint32_t	entry;		/* as in a fan: row and length */
};

struct route {
	struct plane_fan	*fan;
	uint16_t		*longer;	/* of a fan: entries its parent's entry could not stand for */
	uint32_t		*retired;	/* of a retired fan: the next one */
	uint32_t		 retired_first;
	struct pool		 fans;
	struct route_prefix	*prefix;	/* all but host routes, which their entry remembers */
	struct pool		 prefixes;
	struct index		 by_net;
	uint32_t		 of_len[33];	/* how many prefixes of each length there are */
};

/* Fans besides the 256 roots; prefixes shorter than /32. */
void route_init(struct route *route, uint32_t fans, uint32_t prefixes, struct arena *arena);

/* False: no room, and nothing has changed. */
MUST_USE bool route_put(struct route *route, struct prefix4 prefix, struct row row);

/* Nothing happens unless the prefix leads to that row. */
void route_drop(struct route *route, struct prefix4 prefix, struct row row);

/* Take fans that were retired one by one, 0 = no more; give each back when no reader can hold it. */
uint32_t route_retired(struct route *route);
void route_fan_free(struct route *route, uint32_t fan);

uint32_t route_count(const struct route *route);
uint32_t route_fans_used(const struct route *route);	/* those waiting included */

#endif
