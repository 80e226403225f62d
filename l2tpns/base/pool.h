/*
 * pool.h -- numbers 1..n handed out and taken back; "none left" is an answer, not an error.
 *
 * Numbers never used before come first, then the one longest free: an id that a
 * peer may still remember is reused as late as possible.  A certain number can be
 * taken too, where somebody else chose it.  Constant cost, as each number is
 * passed over at most once in all.  Pure; memory is the arena's.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "l2tpns/base/arena.h"

#define POOL_HELD	UINT32_MAX	/* pool_link.next of a number handed out */

struct pool_link { uint32_t next, prev; };	/* of a free number; all zero: never used, or alone in the queue */

struct pool {
	struct pool_link *link;
	uint32_t	 n;		/* numbers 1..n exist */
	uint32_t	 fresh;		/* numbers up to this one were looked at for a first use */
	uint32_t	 top;		/* the greatest number ever handed out */
	uint32_t	 head, tail;	/* free again, oldest first; 0 = empty */
	uint32_t	 used;		/* handed out now */
};

void pool_init(struct pool *pool, uint32_t n, struct arena *arena);
MUST_USE uint32_t pool_take(struct pool *pool);		/* 0: none left */
MUST_USE bool pool_take_this(struct pool *pool, uint32_t number);	/* false: there is none such, or it is held */
void pool_give(struct pool *pool, uint32_t number);

#endif
