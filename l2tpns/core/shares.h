/*
 * shares.h -- what every other node of the cluster counted for our sessions.
 *
 * Pure.  A node forwards for any session, and counts what it forwarded since the
 * session was put there.  Each tells all others its totals, now and then and when
 * they grew; as they are totals, a report that is lost loses nothing, and one that
 * comes late changes nothing.  A session's traffic is our own count and the sum of these.
 *
 * A report is the number of the sender's run, then a list of: row, serial, four totals,
 * seconds since either direction was last used (numbers of 7 bits an octet, least
 * first).  A node that starts again counts from nothing: what it had reported in an
 * earlier run stays, and the new run's totals are added to it.
 */
#ifndef CORE_SHARES_H
#define CORE_SHARES_H

#include "l2tpns/base/arena.h"
#include "l2tpns/base/mono.h"
#include "l2tpns/base/rd.h"
#include "l2tpns/base/why.h"
#include "l2tpns/base/wr.h"
#include "l2tpns/core/lns.h"

#define SHARES_SLOTS		32u	/* other nodes */
#define SHARES_REPORT_MAX	1300u	/* octets of one report */

struct share {
	uint64_t	up_packets, up_octets, down_packets, down_octets;
	uint32_t	up_s, down_s;		/* last used: seconds of our own clock; 0 = never */
	uint32_t	serial;			/* of the session it counts for; 0 = none */
	uint32_t	run;			/* of the node that counted */
};

struct shares {
	struct share	*share;			/* [slot][row]; then what we reported ourselves, and what
						 * the others counted in runs that are over */
	uint32_t	 rows;
	uint32_t	 run;			/* of this process: any number but that of the one before */
	uint32_t	 known;			/* bit n: slot n has reported something */
};

/* What the data plane of this node counted for a session. */
typedef void shares_count_fn(void *ctx, struct row row, struct share *share);

void shares_init(struct shares *shares, uint32_t rows, uint32_t run, struct arena *arena);

/* Another node's report.  WHY_OK, or WHY_CL_VALUE: what came before the fault was taken. */
enum why shares_received(struct shares *shares, unsigned slot, struct bytes report, struct mono now);

/* What all other nodes counted for this use of the row. */
void shares_sum(const struct shares *shares, struct row row, uint32_t serial, struct share *sum);

/* Look at up to `look` rows from *at on and write those whose counts have grown since they were last written,
 * or all of them when `all`, until the report is full.  *at is moved on, and goes back to 0 at the end. */
void shares_report(struct shares *shares, const struct lns *lns, shares_count_fn *count, void *ctx, struct mono now,
		   uint32_t *at, uint32_t look, bool all, struct wr *w);

#endif
