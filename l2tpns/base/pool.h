/*
 * pool.h -- numbers 1..n handed out and taken back; "none left" is an answer, not an error.
 *
 * Numbers never used before come first, then the one longest free: an id that a
 * peer may still remember is reused as late as possible.  Pure; memory is the arena's.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "l2tpns/base/arena.h"

struct pool {
	uint32_t	*next;		/* of a free number, the next free one */
	uint32_t	 n;		/* numbers 1..n exist */
	uint32_t	 fresh;		/* numbers above this were never used */
	uint32_t	 head, tail;	/* free again, oldest first; 0 = empty */
	uint32_t	 used;		/* handed out now */
};

void pool_init(struct pool *pool, uint32_t n, struct arena *arena);
MUST_USE uint32_t pool_take(struct pool *pool);		/* 0: none left */
void pool_give(struct pool *pool, uint32_t number);

#endif
