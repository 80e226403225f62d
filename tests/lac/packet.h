/*
 * packet.h -- the IPv4/UDP packets that subscribers and the Internet side exchange.
 *
 * Pure.  A packet is made once as a form; sending one more costs a few stores and
 * incremental checksums, UDP's too: real hosts send it, and a kernel joins only
 * packets that have one.  The payload opens with a mark that says what it is,
 * whose it is, its number and when it was sent.
 */
#ifndef LAC_PACKET_H
#define LAC_PACKET_H

#include "l2tpns/base/base.h"

#define PACKET_HEADERS		28u	/* IPv4 without options, UDP */
#define PACKET_SIZE_MIN		(PACKET_HEADERS + (uint32_t)sizeof(struct mark))
#define PACKET_SIZE_MAX		1460u
#define PACKET_SUBSCRIBER_PORT	40000
#define PACKET_PEER_PORT	7000

enum mark_kind {
	MARK_UP = 0x4c414301,	/* measured stream, subscriber to Internet */
	MARK_DOWN,		/* ... the other way */
	MARK_PROBE,		/* please send back */
	MARK_REPLY
};

struct mark {			/* in the sender's byte order: both ends run on one machine */
	uint32_t	kind;
	uint32_t	run;
	uint32_t	session;
	uint32_t	spare;
	uint64_t	number;
	uint64_t	sent_us;
};

/* A whole packet of `size` octets, PACKET_SIZE_MIN or more; addresses in host order. */
void packet_make(uint8_t *packet, uint32_t size, uint32_t from, uint16_t from_port, uint32_t to, uint16_t to_port);

/* Change one address, or the mark, of a packet made so and mend the checksums (RFC 1624). */
void packet_set_source(uint8_t *packet, uint32_t from);
void packet_set_target(uint8_t *packet, uint32_t to);
void packet_set_mark(uint8_t *packet, const struct mark *mark);

/* The mark at the start of a UDP payload; false when there is none. */
static inline bool mark_read(const void *payload, size_t len, struct mark *mark)
{
	if (len < sizeof(*mark))
		return false;
	memcpy(mark, payload, sizeof(*mark));
	return mark->kind >= MARK_UP && mark->kind <= MARK_REPLY;
}

/* True when the octets are an IPv4/UDP packet with a mark; says whose it was. */
bool packet_read(const uint8_t *packet, size_t len, uint32_t *from, uint32_t *to, struct mark *mark);

#endif
