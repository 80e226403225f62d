/* rows.c -- blocks of rows, and the pages through which a tunnel sees them. */
#include "l2tpns/core/rows.h"

#define BLOCK_ROOM	(ROWS_PER_BLOCK - 1)	/* row 0 of a block is never given: session id 0 means none */
#define SMALL_PAGES	4u			/* or so many of its pages lead to shared ones */
#define SMALL_TUNNEL	(BLOCK_ROOM / 2)	/* up to here a tunnel shares blocks with others */

static uint32_t blocks_for(uint32_t max)
{
	return (max + BLOCK_ROOM - 1) / BLOCK_ROOM + 1;
}

uint32_t rows_space(uint32_t max)
{
	return blocks_for(max) * ROWS_PER_BLOCK;
}

void rows_init(struct rows *rows, uint32_t max, struct arena *arena)
{
	uint32_t blocks = blocks_for(max);

	*rows = (struct rows){ .block = arena_take(arena, blocks, sizeof(struct rows_block)),
			       .blocks = blocks, .max = max };
}

static void list_put(struct rows *rows, uint32_t *list, uint32_t number)
{
	struct rows_block *block = &rows->block[number];

	block->prev = 0;
	block->next = *list;
	if (*list)
		rows->block[*list - 1].prev = number + 1;
	*list = number + 1;
}

static void list_drop(struct rows *rows, uint32_t *list, uint32_t number)
{
	struct rows_block *block = &rows->block[number];

	if (block->next)
		rows->block[block->next - 1].prev = block->prev;
	if (block->prev)
		rows->block[block->prev - 1].next = block->next;
	else
		*list = block->next;
}

/* The first free row behind the cursor, going round once. */
static uint16_t block_find(const struct rows_block *block)
{
	unsigned from = (block->cursor + 1u) & (ROWS_PER_BLOCK - 1);

	for (unsigned n = 0; n <= ARRAY_LEN(block->taken); n++) {
		unsigned word = (from / 64 + n) % ARRAY_LEN(block->taken);
		uint64_t bits = ~block->taken[word];

		if (word == 0)
			bits &= ~UINT64_C(1);
		if (n == 0)
			bits &= ~UINT64_C(0) << from % 64;
		if (bits)
			return (uint16_t)(word * 64 + (unsigned)__builtin_ctzll(bits));
	}
	ASSERT(false && "a block with room has a free row");
}

static bool block_has(const struct rows_block *block, unsigned low)
{
	return block->taken[low / 64] >> low % 64 & 1;
}

/* The block is in no list when it is empty. */
static void block_take(struct rows *rows, uint32_t number, unsigned low)
{
	struct rows_block *block = &rows->block[number];

	block->taken[low / 64] |= UINT64_C(1) << low % 64;
	if (block->used++ == 0)
		list_put(rows, &rows->partial, number);
	if (block->used == BLOCK_ROOM)
		list_drop(rows, &rows->partial, number);
}

static void block_give(struct rows *rows, uint32_t number, unsigned low)
{
	struct rows_block *block = &rows->block[number];

	ASSERT(block_has(block, low));
	block->taken[low / 64] &= ~(UINT64_C(1) << low % 64);
	if (block->used == BLOCK_ROOM)
		list_put(rows, &rows->partial, number);
	if (--block->used == 0) {
		list_drop(rows, &rows->partial, number);
		list_put(rows, &rows->empty, number);
	}
}

static bool page_has_room(const struct rows *rows, const struct row_pages *pages, unsigned page)
{
	uint32_t base = pages->base[page];

	return base && rows->block[(base - 1) / ROWS_PER_BLOCK].used < BLOCK_ROOM;
}

/* A block nobody else uses, or -1. */
static int64_t block_unused(struct rows *rows)
{
	if (rows->empty) {
		uint32_t number = rows->empty - 1;

		list_drop(rows, &rows->empty, number);
		return number;
	}
	return rows->fresh_block < rows->blocks ? (int64_t)rows->fresh_block++ : -1;
}

/* One that others use and that has room, another each time: tunnels that grow side by side shall not all fill the
 * same one, a few rows to each, and use up their pages.  -1: there is none. */
static int64_t block_shared(struct rows *rows)
{
	uint32_t next = 0;

	if (rows->shared && rows->block[rows->shared - 1].used > 0 && rows->block[rows->shared - 1].used < BLOCK_ROOM)
		next = rows->block[rows->shared - 1].next;
	rows->shared = next ? next : rows->partial;
	return (int64_t)rows->shared - 1;
}

/* Map one more block; it is not among those the tunnel maps, for they are full. */
static int page_map(struct rows *rows, struct row_pages *pages)
{
	int64_t number = -1;
	unsigned page, mapped = 0;

	for (unsigned i = 0; i < TUNNEL_PAGES; i++)
		mapped += pages->base[i] != 0;
	for (page = 0; page < TUNNEL_PAGES && pages->base[page]; page++)
		;
	if (page == TUNNEL_PAGES)
		return -1;
	if (pages->rows >= SMALL_TUNNEL || mapped >= SMALL_PAGES)
		number = block_unused(rows);
	if (number < 0)
		number = block_shared(rows);
	if (number < 0)
		number = block_unused(rows);
	if (number < 0)
		return -1;
	pages->base[page] = (uint32_t)number * ROWS_PER_BLOCK + 1;
	pages->used[page] = 0;
	return (int)page;
}

struct row rows_take(struct rows *rows, struct row_pages *pages, struct sid *sid)
{
	int page = pages->last;

	if (rows->used >= rows->max)
		return (struct row){ 0 };
	for (unsigned i = 0; i < TUNNEL_PAGES && !page_has_room(rows, pages, (unsigned)page); i++)
		page = (int)i;		/* at most 64 looks, and only when the last page filled up */
	if (!page_has_room(rows, pages, (unsigned)page))
		page = page_map(rows, pages);
	if (page < 0)
		return (struct row){ 0 };

	uint32_t number = (pages->base[page] - 1) / ROWS_PER_BLOCK;
	uint16_t low = block_find(&rows->block[number]);

	block_take(rows, number, low);
	rows->block[number].cursor = low;
	pages->last = (uint8_t)page;
	pages->used[page]++;
	pages->rows++;
	rows->used++;
	*sid = (struct sid){ (uint16_t)((unsigned)page << ROWS_BLOCK_BITS | low) };
	return (struct row){ number * ROWS_PER_BLOCK + low };
}

bool rows_take_this(struct rows *rows, struct row_pages *pages, struct row row, struct sid sid)
{
	uint32_t number = row.n / ROWS_PER_BLOCK;
	unsigned low = row.n % ROWS_PER_BLOCK, page = sid.n >> ROWS_BLOCK_BITS;

	if (number >= rows->blocks || low == 0 || low != (sid.n & (ROWS_PER_BLOCK - 1)) ||
	    block_has(&rows->block[number], low))
		return false;
	if (pages->base[page] && pages->base[page] != number * ROWS_PER_BLOCK + 1)
		return false;
	while (rows->fresh_block <= number)	/* each block once in all */
		list_put(rows, &rows->empty, rows->fresh_block++);
	if (rows->block[number].used == 0)
		list_drop(rows, &rows->empty, number);
	block_take(rows, number, low);
	pages->base[page] = number * ROWS_PER_BLOCK + 1;
	pages->used[page]++;
	pages->rows++;
	rows->used++;
	return true;
}

void rows_give(struct rows *rows, struct row_pages *pages, struct row row, struct sid sid)
{
	unsigned page = sid.n >> ROWS_BLOCK_BITS;

	ASSERT(row_eq(rows_find(pages, sid), row) && pages->used[page] > 0);
	block_give(rows, row.n / ROWS_PER_BLOCK, row.n % ROWS_PER_BLOCK);
	pages->rows--;
	rows->used--;
	if (--pages->used[page] == 0)
		pages->base[page] = 0;
}
