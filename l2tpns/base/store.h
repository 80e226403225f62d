/*
 * store.h -- short octet strings kept beside fixed-size objects: names, numbers, held packets.
 *
 * Pieces come in size classes, halves of halves of blocks in a region reserved at
 * start; two free halves become one piece again, so that whatever was kept before,
 * freed memory serves every size.  A handle is 4 octets, 0 means "nothing kept".
 * Constant cost; "none left" is an answer.
 */
#ifndef BASE_STORE_H
#define BASE_STORE_H

#include "l2tpns/base/arena.h"

#define STORE_UNIT		32u	/* octets; handle h is the piece at unit h - 1: its length in 2, its octets */
#define STORE_CLASSES		7	/* 32 << class octets, two of them for the length */
#define STORE_BLOCK_OCTETS	(32u << (STORE_CLASSES - 1))
#define STORE_LEN_MAX		(STORE_BLOCK_OCTETS - 2)

struct store {
	uint8_t		*base;
	uint8_t		*state;		/* of each unit of 32 octets: class + 1 where a free piece begins */
	uint32_t	 units;
	uint32_t	 fresh;		/* units from here on were never used */
	uint32_t	 free[STORE_CLASSES];	/* first free piece of each class; position + 1 */
	uint32_t	 kept;		/* pieces held now */
};

/* `octets` is rounded up to whole blocks. */
void store_init(struct store *store, size_t octets, struct arena *arena);
/* 0: empty, too long or none left.  store_room() leaves the filling to the caller. */
MUST_USE uint32_t store_keep(struct store *store, struct bytes value);
MUST_USE uint32_t store_room(struct store *store, uint32_t len, uint8_t **room);
struct bytes store_get(const struct store *store, uint32_t handle);
void store_drop(struct store *store, uint32_t handle);

#endif
