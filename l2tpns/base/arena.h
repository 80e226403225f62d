/*
 * arena.h -- one block of zeroed memory, carved into tables at start.
 *
 * The shell reserves the block lazily (pages cost nothing until touched), the
 * rooms carve it once and never allocate again.  With `start` NULL it only adds
 * up sizes, so that the same carving code tells how much will be needed.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "l2tpns/base/base.h"

struct arena {
	uint8_t	*start;
	size_t	 used;
	size_t	 room;
};

/* `count` objects of `size` octets on a cache line of their own; NULL only while measuring. */
static inline void *arena_take(struct arena *arena, size_t count, size_t size)
{
	size_t at = (arena->used + 63) & ~(size_t)63;

	arena->used = at + count * size;
	if (!arena->start)
		return NULL;
	ASSERT(arena->used <= arena->room);
	return arena->start + at;
}

#endif
