/*
 * fast_up.h -- a UDP payload from a LAC: forward, hand to the control plane, or drop.
 *
 * Three steps, so that a batch can find all its sessions before it reads the
 * first one:
 *	fast_up_parse	the L2TP header, no table
 *	fast_up_find	which row its session is, one table load
 *	fast_up_take	the rest: PPP, checks, MSS, counters
 * fast_up() is the three in a row.  RFC 2661 section 3.1, RFC 1661 section 2.
 */
#ifndef PLANE_FAST_UP_H
#define PLANE_FAST_UP_H

#include "l2tpns/plane/fast_base.h"

#define FAST_L2TP_T	0x80
#define FAST_L2TP_L	0x40
#define FAST_L2TP_S	0x08
#define FAST_L2TP_O	0x02
#define FAST_PPP_IP	0x0021

struct fast_from {			/* who sent it */
	__u32	peer[4];		/* as in struct plane_tunnel */
	__u16	port;
};

struct fast_up {
	__u16	why;			/* enum fast_why, unless forwarded */
	__u16	tid, sid;
	__u16	proto;			/* the PPP protocol, when it was read; 0 = not a data message */
	__u32	row;			/* the session, 0 = none */
	__u32	at, len;		/* parsed: the PPP frame; forwarded: the inner packet */
	__u8	control;		/* a control message */
	__u8	stranger;		/* punted, but not from a live tunnel's peer */
};

FAST enum fast_verdict fast_up_refuse(struct fast_up *up, enum fast_why why)
{
	up->why = (__u16)why;
	return FAST_DROP;
}

FAST enum fast_verdict fast_up_parse(const struct fast_packet *packet, struct fast_up *up)
{
	__u32 size = (__u32)(packet->end - packet->data), at = 2, length;
	const __u8 *p = fast_at(packet, 0, 6);
	__u8 flags;

	*up = (struct fast_up){ 0 };
	if (!p)
		return fast_up_refuse(up, FAST_WHY_DATA_SHORT);
	flags = p[0];
	if ((p[1] & 15) != 2)
		return fast_up_refuse(up, flags & FAST_L2TP_T ? FAST_WHY_VERSION : FAST_WHY_DATA_VERSION);
	up->control = !!(flags & FAST_L2TP_T);
	if (flags & FAST_L2TP_L) {
		length = fast_be16(p + 2);
		if (length > size && !up->control)
			return fast_up_refuse(up, FAST_WHY_HDR_LEN);
		size = length < size ? length : size;
		at = 4;
	}
	p = fast_at(packet, at, 4);
	if (!p)
		return fast_up_refuse(up, FAST_WHY_DATA_SHORT);
	up->tid = fast_be16(p);
	up->sid = fast_be16(p + 2);
	if (up->control)
		return FAST_FORWARD;
	at += flags & FAST_L2TP_S ? 8 : 4;		/* Ns and Nr of data are not used: RFC 2661 5.4 */
	if (flags & FAST_L2TP_O) {
		p = fast_at(packet, at, 2);
		if (!p)
			return fast_up_refuse(up, FAST_WHY_DATA_SHORT);
		at += 2u + fast_be16(p);
		if (at > size)
			return fast_up_refuse(up, FAST_WHY_HDR_OFFSET);
	}
	if (at > size)
		return fast_up_refuse(up, FAST_WHY_HDR_LEN);
	up->at = at;
	up->len = size - at;
	return FAST_FORWARD;
}

FAST struct plane_session *fast_up_find(const struct fast_tables *t, struct fast_up *up)
{
	const struct plane_pages *pages = fast_pages(t, up->tid);
	__u32 base = pages ? FAST_LOAD(&pages->base[up->sid >> PLANE_PAGE_BITS]) : 0;

	up->row = base ? base - 1 + (up->sid & (PLANE_PAGE_ROWS - 1)) : 0;
	return up->row ? fast_session(t, up->row) : 0;
}

FAST int fast_up_from(const struct plane_tunnel *tunnel, const struct fast_from *from)
{
	return ((tunnel->peer[0] ^ from->peer[0]) | (tunnel->peer[1] ^ from->peer[1]) |
		(tunnel->peer[2] ^ from->peer[2]) | (tunnel->peer[3] ^ from->peer[3]) |
		(__u32)(tunnel->peer_port ^ from->port)) == 0;
}

/* The PPP protocol: FF 03 may be there or not, the protocol field has one octet or two (RFC 1661
 * sections 2, 6.5, 6.6).  Moves at and len past it; 0 = malformed. */
FAST __u16 fast_up_proto(const struct fast_packet *packet, struct fast_up *up)
{
	const __u8 *p = fast_at(packet, up->at, 2);
	__u32 skip = 0;
	__u16 proto;

	if (!p)
		return 0;
	proto = fast_be16(p);
	if (proto == 0xff03) {
		p = fast_at(packet, up->at + 2, 2);
		if (!p)
			return 0;
		proto = fast_be16(p);
		skip = 2;
	}
	if (proto & 0x100) {
		proto >>= 8;
		skip += 1;
	} else {
		skip += 2;
	}
	if (up->len < skip || !(proto & 1))
		return 0;
	up->at += skip;
	up->len -= skip;
	return proto;
}

FAST enum fast_verdict fast_up_ip(const struct fast_tables *t, const struct fast_packet *packet,
				  struct plane_session *session, const struct fast_bind *bind, __u32 now_s,
				  struct fast_up *up)
{
	const __u8 *ip = fast_at(packet, up->at, FAST_IP4_MIN);
	__u32 header, total, source;

	if (!ip || up->len < FAST_IP4_MIN)
		return fast_up_refuse(up, FAST_WHY_DATA_SHORT);
	header = fast_ip4(ip, up->len, &total);
	if (!header)
		return fast_up_refuse(up, FAST_WHY_DATA_NOT_IP);
	source = fast_be32(ip + 12);
	if ((bind->flags & PLANE_SOURCE_CHECK) && source != bind->address && fast_route(t, source) != up->row)
		return fast_up_refuse(up, FAST_WHY_DATA_SOURCE);
	if (bind->mss)
		fast_mss(packet, up->at, ip, header, total, bind->mss);
	up->len = total;			/* what follows is the LAC's padding */
	FAST_ADD(&session->up_packets, 1);
	FAST_ADD(&session->up_octets, total);
	FAST_NOTE(&session->up_s, now_s);
	return FAST_FORWARD;
}

FAST enum fast_verdict fast_up_take(const struct fast_tables *t, const struct fast_packet *packet,
				    struct plane_session *session, const struct fast_from *from, __u32 now_s,
				    struct fast_up *up)
{
	const struct plane_tunnel *tunnel = fast_tunnel(t, up->tid);
	struct fast_bind bind = { 0 };
	int open;

	if (!tunnel || !FAST_LOAD(&tunnel->valid)) {
		up->stranger = 1;
		return up->control ? FAST_PUNT : fast_up_refuse(up, FAST_WHY_DATA_NO_SESSION);
	}
	if (!fast_up_from(tunnel, from)) {
		up->stranger = 1;
		return up->control ? FAST_PUNT : fast_up_refuse(up, FAST_WHY_DATA_PEER);
	}
	if (up->control)
		return FAST_PUNT;
	open = session && fast_bind(session, &bind) && bind.tid == up->tid && bind.sid == up->sid;
	up->proto = fast_up_proto(packet, up);
	if (!up->proto)
		return fast_up_refuse(up, FAST_WHY_PPP_PROTO);
	if (!open)
		up->row = 0;
	/* Link and network control protocols belong to the control plane in every phase; a data
	 * protocol we do not serve only on an open link (RFC 1661 3.5: silently discarded before). */
	if (up->proto >= 0x8000)
		return FAST_PUNT;
	if (!open)
		return fast_up_refuse(up, FAST_WHY_DATA_NOT_OPEN);
	if (up->proto != FAST_PPP_IP)
		return FAST_PUNT;
	return fast_up_ip(t, packet, session, &bind, now_s, up);
}

FAST enum fast_verdict fast_up(const struct fast_tables *t, const struct fast_packet *packet,
			       const struct fast_from *from, __u32 now_s, struct fast_up *up)
{
	enum fast_verdict verdict = fast_up_parse(packet, up);

	if (verdict != FAST_FORWARD)
		return verdict;
	return fast_up_take(t, packet, fast_up_find(t, up), from, now_s, up);
}

#endif
