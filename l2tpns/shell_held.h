/*
 * shell_held.h -- packets to peers that wait until what they say is replicated.
 *
 * A ring of octets, oldest first.  Each packet belongs to a batch of changes and goes
 * out when that batch is released; batches are released in order.
 */
#ifndef SHELL_HELD_H
#define SHELL_HELD_H

#include "l2tpns/plane/user.h"

struct held {
	uint8_t		*octets;
	size_t		 size;		/* a power of two */
	uint64_t	 head, tail;	/* octets ever put and ever taken */
	uint64_t	 packets;	/* that wait now */
};

MUST_USE bool held_open(struct held *held, size_t size);	/* false: no memory */
void held_close(struct held *held);
/* False: no room. */
MUST_USE bool held_put(struct held *held, uint64_t batch, const struct plane_packet *packet);

/* From *at (held->tail to begin with) on: the next packet whose batch is `released` or an earlier one.  It is a
 * loan until held_done() says that all before `at` went out. */
MUST_USE bool held_next(const struct held *held, uint64_t released, struct plane_packet *packet, uint64_t *at);
void held_done(struct held *held, uint64_t at, unsigned packets);
void held_clear(struct held *held);

static inline size_t held_room(const struct held *held)
{
	return held->size - (size_t)(held->head - held->tail);
}

#endif
