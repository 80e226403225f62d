/* index.c -- buckets of chains threaded through one array by number. */
#include "l2tpns/base/index.h"

void index_init(struct index *index, uint32_t n, struct arena *arena)
{
	uint32_t buckets = 16;

	while (buckets < n)
		buckets *= 2;
	*index = (struct index){ .mask = buckets - 1, .n = n };
	index->bucket = arena_take(arena, buckets, sizeof(uint32_t));
	index->next = arena_take(arena, (size_t)n + 1, sizeof(uint32_t));
}

void index_put(struct index *index, uint64_t hash, uint32_t number)
{
	uint32_t *bucket = &index->bucket[hash & index->mask];

	ASSERT(number > 0 && number <= index->n);
	index->next[number] = *bucket;
	*bucket = number;
}

void index_drop(struct index *index, uint64_t hash, uint32_t number)
{
	uint32_t *at = &index->bucket[hash & index->mask];

	while (*at != number) {
		ASSERT(*at != 0);
		at = &index->next[*at];
	}
	*at = index->next[number];
	index->next[number] = 0;
}
