/* plane_world.h -- tables with a few tunnels and sessions in them, and packets for these, for the plane's tests. */
#ifndef TESTS_PLANE_WORLD_H
#define TESTS_PLANE_WORLD_H

#include <stdlib.h>

#include "l2tpns/plane/l2tp_fast.h"
#include "l2tpns/plane/tables.h"
#include "l2tpns/wire/ip.h"
#include "l2tpns/wire/l2tp_hdr.h"

struct plane_world {
	struct tables	tables;
	void		*memory;
};

#define LAC_A	((struct addr){ ip_from4((struct ip4){ 0xc0000201 }), 1701 })	/* 192.0.2.1 */
#define LAC_B	((struct addr){ ip_from4((struct ip4){ 0xc0000202 }), 40000 })	/* 192.0.2.2 */
#define OURS	ip_from4((struct ip4){ 0xc6336401 })				/* 198.51.100.1 */

static inline void plane_world_open(struct plane_world *world)
{
	struct tables_conf conf = { .tunnels_max = 20, .sessions_max = 3000, .prefixes_max = 50, .fans_max = 60 };
	struct arena arena = { 0 };

	tables_init(&world->tables, &conf, &arena);
	world->memory = aligned_alloc(64, (arena.used + 63) & ~(size_t)63);
	memset(world->memory, 0, arena.used);
	arena = (struct arena){ .start = world->memory, .room = arena.used };
	tables_init(&world->tables, &conf, &arena);
}

static inline void plane_world_close(struct plane_world *world)
{
	free(world->memory);
}

static inline struct fx_tunnel plane_tunnel_of(uint16_t tid, struct addr peer)
{
	return (struct fx_tunnel){ .tid = { tid }, .peer_tid = { (uint16_t)(tid + 100) }, .peer = peer, .local = OURS };
}

/* Row n has session id n, peer's session id n + 5000 and address 10.0.n. */
static inline struct fx_session plane_session_of(uint16_t tid, uint32_t row)
{
	return (struct fx_session){
		.row = { row }, .tid = { tid }, .sid = { (uint16_t)row }, .peer_sid = { (uint16_t)(row + 5000) },
		.address = { 0x0a000000 + row }, .mru = 1400, .mss = 1360, .source_check = true,
	};
}

static inline void plane_session_add(struct plane_world *world, const struct fx_session *session)
{
	tables_session_put(&world->tables, session);
	if (!route_put(&world->tables.route, (struct prefix4){ session->address, 32 }, session->row))
		abort();
}

static inline struct fast_from plane_from(struct addr peer)
{
	struct fast_from from = { .port = peer.port };

	memcpy(from.peer, peer.ip.b, sizeof(from.peer));
	return from;
}

/* A UDP packet of `len` octets in all, at least 28. */
static inline void plane_udp_put(struct wr *w, uint32_t src, uint32_t dst, uint32_t len, bool df)
{
	struct ip4_hdr hdr = { .ttl = 64, .proto = IP_UDP, .src = { src }, .dst = { dst }, .df = df };
	size_t ip = ip4_begin(w, &hdr), udp = udp_begin(w, 1024, 9);

	while (wr_len(w) - ip < len)
		wr_u8(w, (uint8_t)wr_len(w));
	udp_end(w, udp, hdr.src, hdr.dst);
	ip4_end(w, ip);
}

/* A TCP packet with these options (padded to four octets) and so much payload. */
static inline void plane_tcp_put(struct wr *w, const struct ip4_hdr *hdr, const struct tcp_hdr *tcp,
				 struct bytes options, struct bytes payload)
{
	size_t ip = ip4_begin(w, hdr), at = wr_len(w);
	uint32_t header = (TCP_HDR_LEN + options.len + 3) & ~3u;

	wr_u16(w, tcp->src_port);
	wr_u16(w, tcp->dst_port);
	wr_u32(w, tcp->seq);
	wr_u32(w, tcp->ack);
	wr_u8(w, (uint8_t)(header / 4 << 4));
	wr_u8(w, tcp->flags);
	wr_u16(w, tcp->window);
	wr_u32(w, 0);
	wr_bytes(w, options);
	while (wr_len(w) - at < header)
		wr_u8(w, 0);
	wr_bytes(w, payload);
	uint32_t len = (uint32_t)(wr_len(w) - at);
	uint32_t sum = ip_sum_add(ip4_pseudo_sum(hdr->src, hdr->dst, IP_TCP, len), bytes_of(w->start + at, len));
	wr_patch_u16(w, at + 16, (uint16_t)~ip_sum_fold(sum));
	ip4_end(w, ip);
}

/* Is the checksum of what an IPv4 packet carries right? */
static inline bool plane_transport_ok(struct bytes packet)
{
	struct ip4_hdr hdr;

	if (ip4_decode(packet, &hdr) != WHY_OK)
		return false;
	return ip_sum_fold(ip_sum_add(ip4_pseudo_sum(hdr.src, hdr.dst, hdr.proto, hdr.body.len), hdr.body)) == 0xffff;
}

#endif
