/*
 * user_ring.h -- datagrams from one worker to the control thread: one writer, one reader, no lock.
 *
 * A ring of octets with records of their own length, so that a burst of small
 * control messages fits into little memory.  The writer never waits: what does
 * not fit is refused.  The reader lends what it reads out of the ring itself.
 */
#ifndef PLANE_USER_RING_H
#define PLANE_USER_RING_H

#include "l2tpns/base/addr.h"
#include "l2tpns/plane/user.h"

#define RING_PACKET_MAX		4096u		/* a longer datagram is nobody's control message */

struct ring {
	uint8_t		*octets;
	uint32_t	 size;			/* a power of two */
	uint32_t	 head __attribute__((aligned(64)));	/* the writer's: all below is written */
	uint32_t	 tail __attribute__((aligned(64)));	/* the reader's: all below is free again */
	uint32_t	 taken;			/* the reader's: lent and not yet given back */
};

void ring_init(struct ring *ring, uint8_t *octets, uint32_t size);

/* The writer's.  False: no room. */
MUST_USE bool ring_put(struct ring *ring, struct addr from, struct ip local, struct bytes packet);

/* The reader's.  False: empty.  ring_done() gives everything taken back. */
MUST_USE bool ring_take(struct ring *ring, struct punt *out);
void ring_done(struct ring *ring);
bool ring_has(const struct ring *ring);

#endif
