/*
 * rows.h -- session numbers: which row a new call gets, and the session id that leads to it.
 *
 * A data packet carries our tunnel id and our session id; the row is found as
 *
 *	page[tunnel][sid >> 10] + (sid & 1023)
 *
 * without a hash.  Rows come in blocks of 1024.  A tunnel maps up to 64 blocks;
 * several small tunnels may share one block, each through a page of its own, so
 * ten thousand tunnels of one call each cost ten blocks, not ten thousand.  A big
 * tunnel is led to empty blocks first, because its 64 pages must do for 65,535
 * calls.  A block's rows are given round and round, so that a session id is
 * reused late: never before every row of the block that was free had its turn.
 * A certain row can be taken too, where another node chose it.  Constant cost.
 */
#ifndef CORE_ROWS_H
#define CORE_ROWS_H

#include "l2tpns/base/arena.h"
#include "l2tpns/base/ids.h"

#define ROWS_PER_BLOCK	1024u
#define ROWS_BLOCK_BITS	10
#define TUNNEL_PAGES	64u		/* of 1024 session ids each: the whole 16 bits */

struct rows_block {
	uint64_t	taken[ROWS_PER_BLOCK / 64];	/* a bit a row (row 0 of a block is never given) */
	uint16_t	used;
	uint16_t	cursor;		/* the row given last: the search for a free one begins behind it */
	uint32_t	next, prev;	/* in the list of blocks that have room; block + 1, 0 = end */
};

struct rows {
	struct rows_block	*block;
	uint32_t		 blocks;
	uint32_t		 fresh_block;	/* blocks at or above this were never used */
	uint32_t		 partial;	/* list of blocks in use that have room; block + 1 */
	uint32_t		 shared;	/* the partial block that a tunnel mapped last; block + 1 */
	uint32_t		 empty;		/* list of empty blocks below fresh_block */
	uint32_t		 used;		/* rows handed out */
	uint32_t		 max;		/* of them at one time */
};

struct row_pages {		/* one tunnel's part, embedded in struct tunnel */
	uint32_t	base[TUNNEL_PAGES];	/* first row of the block, + 1; 0 = page not mapped */
	uint16_t	used[TUNNEL_PAGES];	/* this tunnel's rows in it */
	uint32_t	rows;			/* in all */
	uint8_t		last;			/* page of the last row given */
};

void rows_init(struct rows *rows, uint32_t max, struct arena *arena);
uint32_t rows_space(uint32_t max);		/* row numbers are below this */

/* A row for the tunnel and its session id, or row 0 when there is none. */
MUST_USE struct row rows_take(struct rows *rows, struct row_pages *pages, struct sid *sid);

/*
 * Take this row, and make this session id lead to it.  False: the row is taken, the two do not belong together,
 * or the id's page leads to another block (pages->used[] calls of the tunnel are there and must be given
 * back first).  The limit is not looked at: rows given back elsewhere may be given back here a little later.
 */
MUST_USE bool rows_take_this(struct rows *rows, struct row_pages *pages, struct row row, struct sid sid);

void rows_give(struct rows *rows, struct row_pages *pages, struct row row, struct sid sid);

/* Where a session id leads; row 0: nowhere.  Another tunnel's session may live there: compare its ids. */
static inline struct row rows_find(const struct row_pages *pages, struct sid sid)
{
	uint32_t base = pages->base[sid.n >> ROWS_BLOCK_BITS];

	return (struct row){ base ? base - 1 + (sid.n & (ROWS_PER_BLOCK - 1)) : 0 };
}

/* No row at or above this was ever given. */
static inline uint32_t rows_end(const struct rows *rows)
{
	return rows->fresh_block * ROWS_PER_BLOCK;
}

#endif
