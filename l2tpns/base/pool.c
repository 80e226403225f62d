/* pool.c -- free numbers as a queue threaded through one array. */
#include "l2tpns/base/pool.h"

void pool_init(struct pool *pool, uint32_t n, struct arena *arena)
{
	ASSERT(n < POOL_HELD);
	*pool = (struct pool){ .link = arena_take(arena, (size_t)n + 1, sizeof(*pool->link)), .n = n };
}

static bool in_queue(const struct pool *pool, uint32_t number)
{
	const struct pool_link *link = &pool->link[number];

	return link->next != POOL_HELD && (link->next || link->prev || pool->head == number);
}

static void queue_remove(struct pool *pool, uint32_t number)
{
	struct pool_link link = pool->link[number];

	if (link.next)
		pool->link[link.next].prev = link.prev;
	else
		pool->tail = link.prev;
	if (link.prev)
		pool->link[link.prev].next = link.next;
	else
		pool->head = link.next;
}

static uint32_t hold(struct pool *pool, uint32_t number)
{
	pool->link[number] = (struct pool_link){ .next = POOL_HELD };
	pool->top = max_u32(pool->top, number);
	pool->used++;
	return number;
}

uint32_t pool_take(struct pool *pool)
{
	uint32_t number;

	while (pool->fresh < pool->n) {
		number = ++pool->fresh;
		/* One that was asked for by number is held, or has its place in the queue already. */
		if (pool->link[number].next != POOL_HELD && !in_queue(pool, number))
			return hold(pool, number);
	}
	number = pool->head;
	if (!number)
		return 0;
	queue_remove(pool, number);
	return hold(pool, number);
}

bool pool_take_this(struct pool *pool, uint32_t number)
{
	if (number == 0 || number > pool->n || pool->link[number].next == POOL_HELD)
		return false;
	if (in_queue(pool, number))
		queue_remove(pool, number);
	(void)hold(pool, number);
	return true;
}

void pool_give(struct pool *pool, uint32_t number)
{
	ASSERT(number > 0 && number <= pool->top && pool->link[number].next == POOL_HELD);
	pool->link[number] = (struct pool_link){ .prev = pool->tail };
	if (pool->tail)
		pool->link[pool->tail].next = number;
	else
		pool->head = number;
	pool->tail = number;
	pool->used--;
}
