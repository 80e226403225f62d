/* pool.c -- free numbers as a queue threaded through one array. */
#include "l2tpns/base/pool.h"

void pool_init(struct pool *pool, uint32_t n, struct arena *arena)
{
	*pool = (struct pool){ .next = arena_take(arena, (size_t)n + 1, sizeof(*pool->next)), .n = n };
}

uint32_t pool_take(struct pool *pool)
{
	uint32_t number;

	if (pool->fresh < pool->n) {
		number = ++pool->fresh;
	} else if (pool->head) {
		number = pool->head;
		pool->head = pool->next[number];
		if (!pool->head)
			pool->tail = 0;
	} else {
		return 0;
	}
	pool->used++;
	return number;
}

void pool_give(struct pool *pool, uint32_t number)
{
	ASSERT(number > 0 && number <= pool->fresh && pool->used > 0);
	pool->next[number] = 0;
	if (pool->tail)
		pool->next[pool->tail] = number;
	else
		pool->head = number;
	pool->tail = number;
	pool->used--;
}
