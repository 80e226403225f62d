/*
 * store.h -- short octet strings kept beside fixed-size objects: names, numbers, held packets.
 *
 * Pieces come in size classes of a region reserved at start; a handle is 4
 * octets, 0 means "nothing kept".  Constant cost; "none left" is an answer.
 */
#ifndef BASE_STORE_H
#define BASE_STORE_H

#include "l2tpns/base/arena.h"

#define STORE_CLASSES	7		/* 32 << class octets, two of them for the length */
#define STORE_LEN_MAX	((32u << (STORE_CLASSES - 1)) - 2)

struct store {
	uint8_t		*base;
	uint32_t	 units;		/* of 32 octets; unit 0 is never used */
	uint32_t	 fresh;
	uint32_t	 free[STORE_CLASSES];
	uint32_t	 kept;		/* pieces held now */
};

void store_init(struct store *store, size_t octets, struct arena *arena);
MUST_USE uint32_t store_keep(struct store *store, struct bytes value);	/* 0: empty value, too long or none left */
MUST_USE uint32_t store_room(struct store *store, uint32_t len, uint8_t **at);	/* to be filled by the caller */
struct bytes store_get(const struct store *store, uint32_t handle);
void store_drop(struct store *store, uint32_t handle);

#endif
