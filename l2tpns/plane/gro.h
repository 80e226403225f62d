/*
 * gro.h -- receive offload: packets of one flow in a batch become one large packet.
 *
 * Pure.  The inverse of gso.h, for packets on their way to the kernel: a large
 * packet crosses its stack once.  Merged are only packets that segmentation would
 * give back octet for octet: same flow, same headers but for what counts up, in
 * sequence, checksums proved.  Order within a flow is kept.  Nothing waits:
 * a batch is what one receive call returned.
 */
#ifndef PLANE_GRO_H
#define PLANE_GRO_H

#include "l2tpns/base/base.h"

#define GRO_MAX		64u		/* packets of one batch; also what the kernel takes in one UDP packet */
#define GRO_SLOTS	128u

struct gro_group {			/* one packet for the kernel */
	uint8_t		first, last;	/* items, chained by gro.next */
	uint8_t		count;
	uint8_t		head_len;	/* IP and transport header; 0 = may not grow (a single packet) */
	bool		tcp, proved, push;
	uint16_t	size;		/* payload of each but the last */
	uint32_t	total;		/* octets of the large packet */
	uint32_t	seq;		/* TCP: the next octet's number */
};

struct gro_item {
	uint8_t		*ip;
	uint32_t	 len;
};

struct gro {
	unsigned	 items, groups;
	bool		 udp;			/* the kernel takes large UDP packets */
	struct gro_item	 item[GRO_MAX];
	uint8_t		 next[GRO_MAX];		/* item + 1, 0 = last of its group */
	struct gro_group group[GRO_MAX];
	uint8_t		 slot[GRO_SLOTS];	/* flow hash -> group + 1 that may still grow */
};

void gro_begin(struct gro *gro, bool udp);

/* A whole IPv4 packet, no longer than its total length says; at most GRO_MAX of them.  Its
 * octets stay in use, and may be written to, until the groups are sent. */
void gro_add(struct gro *gro, uint8_t *ip, uint32_t len);

/* Write the first packet's header as that of the whole group (more than one packet): lengths, IP
 * checksum, and in the transport checksum's place the pseudo-header's sum, which the kernel completes. */
void gro_head(struct gro *gro, const struct gro_group *group);

#endif
