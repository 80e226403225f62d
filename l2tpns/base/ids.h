/*
 * ids.h -- identifiers that cannot be swapped for one another.
 *
 * RFC 2661 section 3.1: every data packet carries the receiver's tunnel and
 * session id.  `struct tid` and `struct sid` are the ids we assigned; the peer's
 * are separate types.  `struct row` numbers a session in every table of the
 * node (and, later, of the cluster); row 0 means "none".
 */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include "l2tpns/base/base.h"

struct tid { uint16_t n; };		/* our tunnel id, also its table index; 0 = none */
struct sid { uint16_t n; };		/* our session id within a tunnel; 0 = none */
struct peer_tid { uint16_t n; };	/* the tunnel id the peer assigned */
struct peer_sid { uint16_t n; };	/* the session id the peer assigned */
struct row { uint32_t n; };		/* session number on this node; 0 = none */

static inline bool row_eq(struct row a, struct row b)
{
	return a.n == b.n;
}

#endif
