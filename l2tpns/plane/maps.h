/*
 * maps.h -- the data plane's tables: flat arrays of fixed-size rows, indexed by number.
 *
 * Shared by userspace and BPF by inclusion, never by copy: only linux/types.h, no
 * pointer inside a row, every row a multiple of eight octets (what a mapped BPF
 * array pads its values to).  One thread writes what describes a session, a
 * tunnel or a route; the packet path writes counters only.
 *
 * Finding a session by what a data packet carries (two array loads):
 *	row = pages[tid].base[sid >> PLANE_PAGE_BITS] - 1 + (sid & (PLANE_PAGE_ROWS - 1))
 * A page is a block of rows that several small tunnels may share; the row's tid
 * and sid must be the packet's.
 *
 * Finding a session by the subscriber's address (three array loads, 8 + 8 bits,
 * then 8, then 8): fans 0..255 are the first 16 bits, further fans hang below.
 *	e = fan[a >> 24].entry[a >> 16 & 255];
 *	while e names a fan: e = fan[e].entry[the next 8 bits of a]
 *
 * A row is taken whole or not at all: its first word is cleared before the other
 * words change and written, with another generation, after them.  A reader
 * compares the first word before and after; words that change during a session's
 * life (its MRU) are changed one by one, in place.
 */
#ifndef PLANE_MAPS_H
#define PLANE_MAPS_H

#include <linux/types.h>

#define PLANE_PAGE_BITS		10
#define PLANE_PAGE_ROWS		(1u << PLANE_PAGE_BITS)
#define PLANE_PAGES_PER_TUNNEL	64u		/* 64 * 1024 = every 16-bit session id */

enum plane_session_flags {
	PLANE_OPEN	   = 1 << 0,	/* the row is valid and may forward */
	PLANE_SOURCE_CHECK = 1 << 1,
	PLANE_ACFC	   = 1 << 2,	/* the subscriber takes frames without FF 03 */
	PLANE_PFC	   = 1 << 3	/* ... and with a one-octet protocol field */
};
#define PLANE_GENERATION	0x100u	/* flags counts generations in bits 8..31 */

struct plane_session {			/* 64 octets: a packet touches one cache line of its session */
	__u32	flags;			/* 0 = empty row */
	__u16	tid, sid;		/* ours, as the packet carries them */
	__u16	peer_sid;
	__u16	mru, mss;		/* host order, octets */
	__u16	spare;
	__u32	address;		/* the subscriber's, host order */
	__u32	spare2;
	__u32	up_s, down_s;		/* when last heard, last served: seconds of the monotonic clock; 0 = never */
	__u64	up_packets, up_octets;	/* from the subscriber; octets of inner packets */
	__u64	down_packets, down_octets;
};

struct plane_tunnel {			/* 64 octets */
	__u32	valid;			/* 0 = empty row, else its generation */
	__u16	peer_tid;		/* host order */
	__u16	peer_port;		/* host order */
	__u32	peer[4];		/* IPv4-mapped or IPv6, octets in network order */
	__u32	local[4];
	__u32	spare[6];
};

struct plane_pages {			/* one a tunnel; base + 1, so that zeroed memory means "none" */
	__u32	base[PLANE_PAGES_PER_TUNNEL];
};

#define PLANE_ROUTE_FAN		256u
#define PLANE_ROUTE_ROOTS	256u	/* fans 0..255 */
struct plane_fan {
	__u32	entry[PLANE_ROUTE_FAN];
};

/* An entry: 0 = nothing; bit 31 set = a fan; else a row in the low 25 bits and the length
 * of its prefix + 1 in bits 25..30, so that a prefix can be taken out again. */
#define PLANE_ROUTE_IS_FAN	0x80000000u
#define PLANE_ROUTE_FAN_OF(e)	((e) & 0x7fffffffu)
#define PLANE_ROUTE_ROW_MAX	0x01ffffffu
#define PLANE_ROUTE_ROW(e)	((e) & PLANE_ROUTE_ROW_MAX)
#define PLANE_ROUTE_LEN1(e)	((e) >> 25 & 63u)
#define PLANE_ROUTE(row, len)	((row) | ((len) + 1u) << 25)

#endif
