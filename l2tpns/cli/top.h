/*
 * top.h -- the sessions that carry most traffic, found without reading every counter each second.
 *
 * Pure.  A rate needs two readings of a session's counters.  Each refresh reads
 * again the block of rows it read last time (now their rates are known), ranks
 * them against the ones listed before (whose counters it also reads again), and
 * makes the first reading of the next block.  With up to TOP_BLOCK rows in use
 * the list is exact each time; with more, a session new to the list is found
 * within (rows / TOP_BLOCK) refreshes, and those on the list are always exact.
 * The work is done in slices of TOP_SLICE rows.
 */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include "l2tpns/base/ids.h"
#include "l2tpns/cli/rates.h"

#define TOP_LIST	32
#define TOP_BLOCK	32768u
#define TOP_SLICE	2048u
#define TOP_AGE_LEAST_MS 500		/* a rate over less time than this is noise */
#define TOP_AGE_MOST_MS	10000		/* and over more it is history */

struct top_entry {
	struct row	row;
	uint32_t	serial;			/* the session's, so that a reused row is not mistaken for it */
	struct rates_totals totals;		/* at the last reading */
	struct mono	at;			/* when that was */
	struct rates_now rates;
};

struct top_reading {
	uint32_t	serial;
	bool		read;			/* false: the row was free, or not up */
	struct rates_totals totals;
};

struct top {
	struct top_entry   list[TOP_LIST];	/* by traffic, most first */
	unsigned	   listed;
	struct top_reading block[TOP_BLOCK];
	uint32_t	   first, end;		/* rows the block holds readings of: [first, end) */
	struct mono	   block_at;		/* when they were taken */
	uint32_t	   cursor;		/* rows below this are done in the present pass */
	uint8_t		   pass;		/* enum top_pass */
	struct mono	   refreshed;		/* when the list was last complete; 0 = never */
};

struct facts;

/* Begin a refresh unless one is running or the last is younger than half a second.  True when what is known
 * is so old that only a second refresh, TOP_AGE_LEAST_MS after this one, can tell rates. */
bool top_refresh(struct facts *facts);

/* One slice of the refresh; true when the list is complete. */
MUST_USE bool top_step(struct facts *facts);

#endif
