/*
 * fast_base.h -- the words of the packet path: verdicts, bounded access, tables, counters.
 *
 * Compiled by gcc for userspace and by clang for BPF: no calls out, no globals,
 * no project header but maps.h.  A packet is (data, end); fast_at() is the one
 * place that compares with the end, in the form the kernel's verifier follows.
 *
 * A BPF program defines FAST_TABLES_OWN and its own struct fast_tables with the
 * four look-up functions before it includes this; userspace takes those below.
 */
#ifndef PLANE_FAST_BASE_H
#define PLANE_FAST_BASE_H

#include "l2tpns/plane/maps.h"

#define FAST static inline __attribute__((always_inline, unused))

enum fast_verdict {
	FAST_FORWARD,
	FAST_PUNT,		/* not an error: the control plane's, or needs an answer (why says which) */
	FAST_DROP		/* why says why */
};

/* The same numbers as enum why; BPF cannot include the header it lives in. */
enum fast_why {
#define WHY(id, text) FAST_WHY_##id,
#include "l2tpns/base/why.def"
#undef WHY
	FAST_WHYS
};

struct fast_packet {
	__u8	*data, *end;
};

#define FAST_AT_MAX	0x7fffu		/* the verifier wants a bound on every variable offset */

#ifdef __bpf__
#define FAST_LOAD(p)	(*(const volatile __typeof__(*(p)) *)(p))
#define FAST_READ(p)	FAST_LOAD(p)
#define FAST_FENCE()	__asm__ volatile("" : : : "memory")
#define FAST_ADD(p, n)	__sync_fetch_and_add((p), (n))
#define FAST_OPAQUE(x)	__asm__ volatile("" : "+r"(x))	/* keeps the checked register the used one */
#define FAST_PREFETCH(p) ((void)(p))
#else
#define FAST_LOAD(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define FAST_READ(p)	__atomic_load_n((p), __ATOMIC_RELAXED)
#define FAST_FENCE()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define FAST_ADD(p, n)	((void)__atomic_fetch_add((p), (n), __ATOMIC_RELAXED))
#define FAST_OPAQUE(x)	((void)(x))
#define FAST_PREFETCH(p) __builtin_prefetch(p)
#endif

/* Write only what has changed: the line stays shared while it has not. */
#ifdef __bpf__
#define FAST_NOTE(p, v)	do { if (*(p) != (v)) *(volatile __u32 *)(p) = (v); } while (0)
#else
#define FAST_NOTE(p, v)	do { if (FAST_READ(p) != (v)) __atomic_store_n((p), (v), __ATOMIC_RELAXED); } while (0)
#endif

#ifndef FAST_TABLES_OWN
struct fast_tables {
	const struct plane_pages	*pages;
	const struct plane_tunnel	*tunnel;
	struct plane_session		*session;
	const struct plane_fan		*fan;
	__u32				 tunnels, sessions, fans;	/* how many rows each has */
};

FAST const struct plane_pages *fast_pages(const struct fast_tables *t, __u32 tid)
{
	return tid < t->tunnels ? &t->pages[tid] : 0;
}

FAST const struct plane_tunnel *fast_tunnel(const struct fast_tables *t, __u32 tid)
{
	return tid < t->tunnels ? &t->tunnel[tid] : 0;
}

FAST struct plane_session *fast_session(const struct fast_tables *t, __u32 row)
{
	return row < t->sessions ? &t->session[row] : 0;
}

FAST const struct plane_fan *fast_fan(const struct fast_tables *t, __u32 fan)
{
	return fan < t->fans ? &t->fan[fan] : 0;
}
#endif

/* n octets at offset `at`, or 0. */
FAST __u8 *fast_at(const struct fast_packet *packet, __u32 at, __u32 n)
{
	__u8 *p;

	FAST_OPAQUE(at);
	if (at > FAST_AT_MAX)
		return 0;
	p = packet->data + at;
	return p + n > packet->end ? 0 : p;
}

FAST __u16 fast_be16(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

FAST __u32 fast_be32(const __u8 *p)
{
	return (__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3];
}

FAST void fast_put16(__u8 *p, __u16 v)
{
	p[0] = (__u8)(v >> 8);
	p[1] = (__u8)v;
}

/* Which row serves an address; 0 = none. */
FAST __u32 fast_route(const struct fast_tables *t, __u32 address)
{
	const struct plane_fan *fan = fast_fan(t, address >> 24);
	__u32 e = fan ? FAST_LOAD(&fan->entry[address >> 16 & 255]) : 0;

	if (e & PLANE_ROUTE_IS_FAN) {
		fan = fast_fan(t, PLANE_ROUTE_FAN_OF(e));
		e = fan ? FAST_LOAD(&fan->entry[address >> 8 & 255]) : 0;
	}
	if (e & PLANE_ROUTE_IS_FAN) {
		fan = fast_fan(t, PLANE_ROUTE_FAN_OF(e));
		e = fan ? FAST_LOAD(&fan->entry[address & 255]) : 0;
	}
	return PLANE_ROUTE_ROW(e);
}

/* What a packet needs to know of its session, read as one whole. */
struct fast_bind {
	__u32	flags;
	__u16	tid, sid, peer_sid, mru, mss;
	__u32	address;
};

FAST int fast_bind(const struct plane_session *session, struct fast_bind *bind)
{
	bind->flags = FAST_LOAD(&session->flags);
	bind->tid = FAST_READ(&session->tid);
	bind->sid = FAST_READ(&session->sid);
	bind->peer_sid = FAST_READ(&session->peer_sid);
	bind->mru = FAST_READ(&session->mru);
	bind->mss = FAST_READ(&session->mss);
	bind->address = FAST_READ(&session->address);
	FAST_FENCE();
	return (bind->flags & PLANE_OPEN) && FAST_LOAD(&session->flags) == bind->flags;
}

/* Change two octets and the checksum that covers them (RFC 1624 equation 3).  `odd`: the two
 * octets do not lie on a 16-bit boundary of what is summed, so their weights are swapped. */
FAST void fast_change16(__u8 *at, __u16 value, __u8 *sum, int odd)
{
	__u16 was = fast_be16(at), now = value;
	__u32 s;

	if (odd) {
		was = (__u16)(was << 8 | was >> 8);
		now = (__u16)(now << 8 | now >> 8);
	}
	s = (__u32)(__u16)~fast_be16(sum) + (__u16)~was + now;
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	fast_put16(sum, (__u16)~s);
	fast_put16(at, value);
}

#define FAST_IP4_MIN	20u
#define FAST_TCP_MIN	20u
#define FAST_PROTO_TCP	6
#define FAST_TCP_SYN	0x02

/* An IPv4 header that agrees with the octets there are; `left` of them follow offset `at`.
 * Returns the header's length in octets, 0 if it is none. */
FAST __u32 fast_ip4(const __u8 *ip, __u32 left, __u32 *total)
{
	__u32 header = (ip[0] & 15u) * 4;

	*total = fast_be16(ip + 2);
	if (ip[0] >> 4 != 4 || header < FAST_IP4_MIN || *total < header || *total > left)
		return 0;
	return header;
}

/* Clamp the Maximum Segment Size of a TCP SYN: RFC 9293 section 3.7.1.  `at` is the IP header's
 * offset, `ip` that header (20 octets readable).  Whatever is malformed is left as it is. */
FAST void fast_mss(const struct fast_packet *packet, __u32 at, const __u8 *ip, __u32 header, __u32 total, __u16 mss)
{
	__u32 tcp_at = at + header, i, step, options;
	__u8 *tcp, *option, *sum;

	if (ip[9] != FAST_PROTO_TCP || (fast_be16(ip + 6) & 0x1fff) || total < header + FAST_TCP_MIN)
		return;
	tcp = fast_at(packet, tcp_at, FAST_TCP_MIN);
	if (!tcp || !(tcp[13] & FAST_TCP_SYN))
		return;
	options = (tcp[12] >> 4) * 4u;
	if (options <= FAST_TCP_MIN || options > total - header)
		return;
	for (i = FAST_TCP_MIN; i + 4 <= options && i <= 56; i += step) {
		option = fast_at(packet, tcp_at + i, 4);
		if (!option || option[0] == 0)
			return;
		step = option[0] == 1 ? 1 : option[1];
		if (option[0] == 2 && step == 4) {
			sum = fast_at(packet, tcp_at + 16, 2);
			if (sum && fast_be16(option + 2) > mss)
				fast_change16(option + 2, mss, sum, i & 1);
			return;
		}
		if (step == 0 || (option[0] != 1 && step == 1))
			return;
	}
}

#endif
