/*
 * index.h -- hash -> number, for finding objects by name or address.
 *
 * Chained; a number is in an index at most once.  The owner compares keys:
 *
 *	for (n = index_first(ix, hash); n; n = index_next(ix, n))
 *		if (same_key(n)) ...
 *
 * The owner gives the same hash when it takes the number out again.  Constant
 * cost while the index is sized for its objects.
 */
#ifndef BASE_INDEX_H
#define BASE_INDEX_H

#include "l2tpns/base/arena.h"

struct index {
	uint32_t	*bucket;
	uint32_t	*next;
	uint32_t	 mask;
	uint32_t	 n;		/* numbers 1..n */
};

void index_init(struct index *index, uint32_t n, struct arena *arena);
void index_put(struct index *index, uint64_t hash, uint32_t number);
void index_drop(struct index *index, uint64_t hash, uint32_t number);

static inline uint32_t index_first(const struct index *index, uint64_t hash)
{
	return index->bucket[hash & index->mask];
}

static inline uint32_t index_next(const struct index *index, uint32_t number)
{
	return index->next[number];
}

#endif
