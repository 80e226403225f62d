/* rows.c -- blocks of rows, and the pages through which a tunnel sees them. */
#include "l2tpns/core/rows.h"

#define BLOCK_ROOM	(ROWS_PER_BLOCK - 1)	/* row 0 of a block is never given: session id 0 means none */
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
			       .next = arena_take(arena, (size_t)blocks * ROWS_PER_BLOCK, sizeof(uint16_t)),
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

static uint16_t block_take(struct rows *rows, uint32_t number)
{
	struct rows_block *block = &rows->block[number];
	uint16_t *next = rows->next + (size_t)number * ROWS_PER_BLOCK;
	uint16_t low;

	if (block->fresh < BLOCK_ROOM) {
		low = ++block->fresh;
	} else {
		low = block->head;
		ASSERT(low != 0);
		block->head = next[low];
		if (!block->head)
			block->tail = 0;
	}
	if (block->used++ == 0)
		list_put(rows, &rows->partial, number);	/* it was in no list, or taken from `empty` */
	if (block->used == BLOCK_ROOM)
		list_drop(rows, &rows->partial, number);
	return low;
}

static void block_give(struct rows *rows, uint32_t number, uint16_t low)
{
	struct rows_block *block = &rows->block[number];
	uint16_t *next = rows->next + (size_t)number * ROWS_PER_BLOCK;

	next[low] = 0;
	if (block->tail)
		next[block->tail] = low;
	else
		block->head = low;
	block->tail = low;
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

/* Map one more block; it is not among those the tunnel maps, for they are full. */
static int page_map(struct rows *rows, struct row_pages *pages)
{
	int64_t number = -1;
	unsigned page;

	for (page = 0; page < TUNNEL_PAGES && pages->base[page]; page++)
		;
	if (page == TUNNEL_PAGES)
		return -1;
	if (pages->rows >= SMALL_TUNNEL)
		number = block_unused(rows);
	if (number < 0 && rows->partial)
		number = rows->partial - 1;
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
	uint16_t low = block_take(rows, number);

	pages->last = (uint8_t)page;
	pages->used[page]++;
	pages->rows++;
	rows->used++;
	*sid = (struct sid){ (uint16_t)((unsigned)page << ROWS_BLOCK_BITS | low) };
	return (struct row){ number * ROWS_PER_BLOCK + low };
}

void rows_give(struct rows *rows, struct row_pages *pages, struct row row, struct sid sid)
{
	unsigned page = sid.n >> ROWS_BLOCK_BITS;

	ASSERT(row_eq(rows_find(pages, sid), row) && pages->used[page] > 0);
	block_give(rows, row.n / ROWS_PER_BLOCK, (uint16_t)(row.n % ROWS_PER_BLOCK));
	pages->rows--;
	rows->used--;
	if (--pages->used[page] == 0)
		pages->base[page] = 0;
}
