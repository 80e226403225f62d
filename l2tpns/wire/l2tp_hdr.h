/*
 * l2tp_hdr.h -- the L2TPv2 header of control and data messages.  RFC 2661 section 3.1.
 *
 * Pure codec.  Control messages must have T, L and S set and O and P clear;
 * data messages may carry any of L, S, O, P.  The body is a loan of the packet.
 */
#ifndef WIRE_L2TP_HDR_H
#define WIRE_L2TP_HDR_H

#include "l2tpns/base/rd.h"
#include "l2tpns/base/why.h"
#include "l2tpns/base/wr.h"

#define L2TP_PORT		1701
#define L2TP_HDR_CONTROL_LEN	12

struct l2tp_hdr {
	bool		control;
	bool		priority;
	bool		sequenced;	/* ns and nr are valid */
	uint16_t	tunnel_id;	/* the receiver's */
	uint16_t	session_id;	/* the receiver's */
	uint16_t	ns, nr;
	struct bytes	body;		/* AVPs, or a PPP frame */
};

MUST_USE enum why l2tp_hdr_decode(struct bytes packet, struct l2tp_hdr *hdr);

/* A control header whose length is patched by l2tp_control_end() when the AVPs are written. */
void l2tp_control_begin(struct wr *w, uint16_t tunnel_id, uint16_t session_id, uint16_t ns, uint16_t nr);
void l2tp_control_end(struct wr *w);

/* Change Nr (and, for a resend, nothing else) in an encoded control message of at least 12 octets. */
void l2tp_control_set_nr(uint8_t *packet, uint16_t nr);

/* The six octets we put before a PPP frame: no length, no sequence, no offset. */
void l2tp_data_begin(struct wr *w, uint16_t tunnel_id, uint16_t session_id);

#endif
