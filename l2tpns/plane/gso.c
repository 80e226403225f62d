/* gso.c -- headers for each segment of a large packet. */
#include "l2tpns/plane/gso.h"
#include "l2tpns/wire/ip.h"

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

bool gso_begin(struct gso *gso, struct bytes packet, bool tcp, uint32_t size)
{
	struct ip4_hdr ip;
	struct tcp_hdr th;
	struct udp_hdr uh;

	*gso = (struct gso){ .packet = packet, .size = size, .tcp = tcp };
	if (size == 0 || ip4_decode(packet, &ip) != WHY_OK || ip.mf || ip.offset)
		return false;
	gso->packet.len = ip.total_len;
	gso->ip_len = ip.header_len;
	if (tcp) {
		if (ip.proto != IP_TCP || tcp_decode(ip.body, &th) != WHY_OK)
			return false;
		gso->head_len = gso->ip_len + th.header_len;
	} else {
		if (ip.proto != IP_UDP || udp_decode(ip.body, &uh) != WHY_OK)
			return false;
		gso->head_len = gso->ip_len + UDP_HDR_LEN;
	}
	return gso->packet.len > gso->head_len;
}

static uint16_t transport_sum(const struct gso *gso, const uint8_t *head, struct bytes payload)
{
	const uint8_t *transport = head + gso->ip_len;
	uint32_t header = gso->head_len - gso->ip_len;
	struct ip4 src = { get32(head + 12) }, dst = { get32(head + 16) };
	uint32_t sum = ip4_pseudo_sum(src, dst, head[9], header + payload.len);

	return (uint16_t)~ip_sum_fold(ip_sum_add(ip_sum_add(sum, bytes_of(transport, header)), payload));
}

static void tcp_head(const struct gso *gso, uint8_t *tcp, bool last)
{
	uint32_t seq = get32(tcp + 4) + gso->done;

	put16(tcp + 4, seq >> 16);
	put16(tcp + 6, seq);
	if (!last)
		tcp[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
	if (gso->done > 0)
		tcp[13] &= (uint8_t)~TCP_CWR;		/* RFC 3168 section 6.1.2: said once */
	put16(tcp + 16, 0);
}

bool gso_next(struct gso *gso, uint8_t head[GSO_HEAD_MAX], struct bytes *payload)
{
	uint32_t left = gso->packet.len - gso->head_len - gso->done;
	uint8_t *transport = head + gso->ip_len;
	uint16_t sum;

	if (left == 0)
		return false;
	*payload = bytes_of(gso->packet.p + gso->head_len + gso->done, min_u32(left, gso->size));
	memcpy(head, gso->packet.p, gso->head_len);
	put16(head + 2, gso->head_len + payload->len);
	put16(head + 4, get16(head + 4) + gso->segments);
	put16(head + 10, 0);
	put16(head + 10, (uint16_t)~ip_sum_fold(ip_sum_add(0, bytes_of(head, gso->ip_len))));
	if (gso->tcp) {
		tcp_head(gso, transport, left == payload->len);
		put16(transport + 16, transport_sum(gso, head, *payload));
	} else {
		put16(transport + 4, UDP_HDR_LEN + payload->len);
		put16(transport + 6, 0);
		sum = transport_sum(gso, head, *payload);
		put16(transport + 6, sum ? sum : 0xffff);
	}
	gso->done += payload->len;
	gso->segments++;
	return true;
}

bool sum_complete(uint8_t *packet, uint32_t len, uint32_t start, uint32_t offset)
{
	uint16_t sum;

	if (start >= len || offset + 2 > len - start)
		return false;
	sum = (uint16_t)~ip_sum_fold(ip_sum_add(0, bytes_of(packet + start, len - start)));
	put16(packet + start + offset, sum ? sum : 0xffff);
	return true;
}
