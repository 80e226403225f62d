/*
 * fast_down.h -- a packet from the Internet: find its subscriber, make its L2TP and PPP header.
 *
 * Steps as in fast_up.h: fast_down_parse, fast_down_find, fast_down_take, or
 * fast_down() for all.  The header, up->head_len octets, goes right before the
 * inner packet; outer addresses and ids are the tunnel's.
 */
#ifndef PLANE_FAST_DOWN_H
#define PLANE_FAST_DOWN_H

#include "l2tpns/plane/fast_base.h"

#define FAST_HEAD_MAX	10u		/* flags, tunnel, session; FF 03; protocol */

struct fast_down {
	__u16	why;			/* enum fast_why, unless forwarded */
	__u16	tid;			/* ours: the row of the tunnel */
	__u32	row;
	__u32	destination;		/* host order */
	__u32	header, len;		/* octets of the IP header, of the whole inner packet */
	__u16	mru;			/* of the session; with FAST_PUNT: what the packet is larger than */
	__u8	head_len;
	__u8	head[FAST_HEAD_MAX + 1];
};

FAST enum fast_verdict fast_down_refuse(struct fast_down *down, enum fast_why why)
{
	down->why = (__u16)why;
	return FAST_DROP;
}

FAST enum fast_verdict fast_down_parse(const struct fast_packet *packet, struct fast_down *down)
{
	const __u8 *ip = fast_at(packet, 0, FAST_IP4_MIN);

	*down = (struct fast_down){ 0 };
	if (!ip)
		return fast_down_refuse(down, FAST_WHY_DATA_SHORT);
	down->header = fast_ip4(ip, (__u32)(packet->end - packet->data), &down->len);
	if (!down->header)
		return fast_down_refuse(down, FAST_WHY_DATA_NOT_IP);
	down->destination = fast_be32(ip + 16);
	return FAST_FORWARD;
}

FAST struct plane_session *fast_down_find(const struct fast_tables *t, struct fast_down *down)
{
	down->row = fast_route(t, down->destination);
	return down->row ? fast_session(t, down->row) : 0;
}

FAST void fast_down_head(struct fast_down *down, __u16 peer_tid, const struct fast_bind *bind)
{
	__u32 n = 6;

	fast_put16(down->head, 0x0002);		/* version 2 and nothing else: RFC 2661 section 3.1 */
	fast_put16(down->head + 2, peer_tid);
	fast_put16(down->head + 4, bind->peer_sid);
	if (!(bind->flags & PLANE_ACFC)) {
		down->head[6] = 0xff;
		down->head[7] = 0x03;
		n = 8;
	}
	if (bind->flags & PLANE_PFC) {
		down->head[n] = 0x21;
		n += 1;
	} else {
		down->head[n] = 0x00;
		down->head[n + 1] = 0x21;
		n += 2;
	}
	down->head_len = (__u8)n;
}

FAST enum fast_verdict fast_down_take(const struct fast_tables *t, const struct fast_packet *packet,
				      struct plane_session *session, __u32 now_s, struct fast_down *down)
{
	const struct plane_tunnel *tunnel;
	struct fast_bind bind;
	const __u8 *ip;

	if (!session || !fast_bind(session, &bind))
		return fast_down_refuse(down, FAST_WHY_DATA_NO_ROUTE);
	down->tid = bind.tid;
	down->mru = bind.mru;
	tunnel = fast_tunnel(t, bind.tid);
	if (!tunnel || !FAST_LOAD(&tunnel->valid))
		return fast_down_refuse(down, FAST_WHY_DATA_NO_ROUTE);
	if (down->len > bind.mru) {
		down->why = FAST_WHY_DATA_TOO_BIG;
		return FAST_PUNT;
	}
	ip = fast_at(packet, 0, FAST_IP4_MIN);
	if (bind.mss && ip)
		fast_mss(packet, 0, ip, down->header, down->len, bind.mss);
	fast_down_head(down, FAST_READ(&tunnel->peer_tid), &bind);
	FAST_ADD(&session->down_packets, 1);
	FAST_ADD(&session->down_octets, down->len);
	FAST_NOTE(&session->down_s, now_s);
	return FAST_FORWARD;
}

FAST enum fast_verdict fast_down(const struct fast_tables *t, const struct fast_packet *packet, __u32 now_s,
				 struct fast_down *down)
{
	enum fast_verdict verdict = fast_down_parse(packet, down);

	if (verdict != FAST_FORWARD)
		return verdict;
	return fast_down_take(t, packet, fast_down_find(t, down), now_s, down);
}

#endif
