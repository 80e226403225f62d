/*
 * gso.h -- segmentation offload: one large packet of the kernel's into the packets it stands for.
 *
 * Pure.  The kernel hands a worker up to 64 KiB of one TCP or UDP flow with one
 * header and the size of a segment; here each segment gets a header of its own,
 * with length, identification, sequence number, flags and checksums, as if the
 * sender had sent it so.  Payload is not copied.
 */
#ifndef PLANE_GSO_H
#define PLANE_GSO_H

#include "l2tpns/base/base.h"

#define GSO_HEAD_MAX	120u		/* the longest IPv4 header and the longest TCP header */

struct gso {
	struct bytes	packet;
	uint32_t	ip_len, head_len;	/* octets of the IP header; of both headers */
	uint32_t	size;			/* payload octets of every segment but the last */
	uint32_t	done;			/* payload octets already given out */
	uint32_t	segments;		/* how many were given out */
	bool		tcp;
};

/* False: not an unfragmented IPv4 packet of that protocol, or no payload. */
MUST_USE bool gso_begin(struct gso *gso, struct bytes packet, bool tcp, uint32_t size);

/* The next segment: its header is written to `head`, its payload lent.  False: that was all. */
MUST_USE bool gso_next(struct gso *gso, uint8_t head[GSO_HEAD_MAX], struct bytes *payload);

/* Finish a checksum the kernel began: the field at `start + offset` holds the pseudo-header's sum
 * and covers everything from `start`.  False: the field lies outside the packet. */
MUST_USE bool sum_complete(uint8_t *packet, uint32_t len, uint32_t start, uint32_t offset);

#endif
