/* ip.c -- IPv4 and what it carries, octets to structs and back. */
#include "l2tpns/wire/ip.h"

/* Two 32-bit lanes of 64-bit accumulators cannot overflow before 2^32 additions.  The sum of
 * words in either octet order is the same but for a final swap (RFC 1071 section 2, B). */
uint32_t ip_sum_add(uint32_t sum, struct bytes data)
{
	const uint8_t *p = data.p;
	size_t len = data.len;
	uint64_t even = 0, odd = 0, word;
	uint16_t half = 0;

	for (; len >= 32; len -= 32, p += 32) {
		uint64_t w[4];

		memcpy(w, p, sizeof(w));
		even += (w[0] & 0xffffffff) + (w[1] & 0xffffffff) + (w[2] & 0xffffffff) + (w[3] & 0xffffffff);
		odd += (w[0] >> 32) + (w[1] >> 32) + (w[2] >> 32) + (w[3] >> 32);
	}
	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, sizeof(word));
		even += word & 0xffffffff;
		odd += word >> 32;
	}
	for (; len >= 2; len -= 2, p += 2) {
		memcpy(&half, p, sizeof(half));
		even += half;
	}
	if (len) {
		half = 0;
		memcpy(&half, p, 1);
		even += half;
	}
	even = (even & 0xffffffff) + (even >> 32) + (odd & 0xffffffff) + (odd >> 32);
	even = (even & 0xffff) + (even >> 16 & 0xffff) + (even >> 32);
	half = ip_sum_fold((uint32_t)even);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	half = (uint16_t)(half << 8 | half >> 8);
#endif
	sum += half;
	return sum < half ? sum + 1 : sum;
}

uint16_t ip_sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint32_t ip4_pseudo_sum(struct ip4 src, struct ip4 dst, uint8_t proto, uint32_t len)
{
	return (src.n >> 16) + (src.n & 0xffff) + (dst.n >> 16) + (dst.n & 0xffff) + proto + len;
}

static uint16_t sum_of(uint32_t sum, struct bytes data)
{
	return (uint16_t)~ip_sum_fold(ip_sum_add(sum, data));
}

enum why ip4_decode(struct bytes packet, struct ip4_hdr *hdr)
{
	struct rd r = rd_bytes(packet);
	uint8_t first = rd_u8(&r);
	uint16_t fragment;

	*hdr = (struct ip4_hdr){ .header_len = (uint8_t)((first & 15) * 4) };
	hdr->tos = rd_u8(&r);
	hdr->total_len = rd_u16(&r);
	hdr->id = rd_u16(&r);
	fragment = rd_u16(&r);
	hdr->ttl = rd_u8(&r);
	hdr->proto = rd_u8(&r);
	rd_u16(&r);
	hdr->src.n = rd_u32(&r);
	hdr->dst.n = rd_u32(&r);
	if (!rd_ok(&r))
		return WHY_DATA_SHORT;
	if (first >> 4 != 4 || hdr->header_len < IP4_HDR_LEN || hdr->total_len < hdr->header_len ||
	    hdr->total_len > packet.len)
		return WHY_DATA_NOT_IP;
	hdr->df = fragment & 0x4000;
	hdr->mf = fragment & 0x2000;
	hdr->offset = (uint16_t)((fragment & 0x1fff) * 8u);
	hdr->body = bytes_of(packet.p + hdr->header_len, hdr->total_len - (size_t)hdr->header_len);
	return WHY_OK;
}

bool ip4_sum_ok(struct bytes packet)
{
	return ip_sum_fold(ip_sum_add(0, bytes_of(packet.p, (packet.p[0] & 15u) * 4u))) == 0xffff;
}

size_t ip4_begin(struct wr *w, const struct ip4_hdr *hdr)
{
	size_t mark = wr_len(w);

	wr_u8(w, 0x45);
	wr_u8(w, hdr->tos);
	wr_u16(w, 0);
	wr_u16(w, hdr->id);
	wr_u16(w, (uint16_t)((hdr->df ? 0x4000 : 0) | (hdr->mf ? 0x2000 : 0) | hdr->offset / 8));
	wr_u8(w, hdr->ttl);
	wr_u8(w, hdr->proto);
	wr_u16(w, 0);
	wr_u32(w, hdr->src.n);
	wr_u32(w, hdr->dst.n);
	return mark;
}

/* Length and checksum of the header that starts at `mark`. */
static void ip4_patch(struct wr *w, size_t mark, size_t header_len)
{
	if (!wr_ok(w))
		return;
	wr_patch_u16(w, mark + 2, (uint16_t)(wr_len(w) - mark));
	wr_patch_u16(w, mark + 10, 0);
	wr_patch_u16(w, mark + 10, sum_of(0, bytes_of(w->start + mark, header_len)));
}

void ip4_end(struct wr *w, size_t mark)
{
	ip4_patch(w, mark, IP4_HDR_LEN);
}

enum why udp_decode(struct bytes octets, struct udp_hdr *hdr)
{
	struct rd r = rd_bytes(octets);
	uint16_t len;

	hdr->src_port = rd_u16(&r);
	hdr->dst_port = rd_u16(&r);
	len = rd_u16(&r);
	hdr->sum = rd_u16(&r);
	if (!rd_ok(&r) || len < UDP_HDR_LEN || len > octets.len)
		return WHY_DATA_SHORT;
	hdr->body = bytes_of(octets.p + UDP_HDR_LEN, len - UDP_HDR_LEN);
	return WHY_OK;
}

size_t udp_begin(struct wr *w, uint16_t src_port, uint16_t dst_port)
{
	size_t mark = wr_len(w);

	wr_u16(w, src_port);
	wr_u16(w, dst_port);
	wr_u32(w, 0);
	return mark;
}

void udp_end(struct wr *w, size_t mark, struct ip4 src, struct ip4 dst)
{
	size_t len = wr_len(w) - mark;
	uint16_t sum;

	if (!wr_ok(w))
		return;
	wr_patch_u16(w, mark + 4, (uint16_t)len);
	sum = sum_of(ip4_pseudo_sum(src, dst, IP_UDP, (uint32_t)len), bytes_of(w->start + mark, len));
	wr_patch_u16(w, mark + 6, sum ? sum : 0xffff);		/* 0 would say "none": RFC 768 */
}

enum why tcp_decode(struct bytes octets, struct tcp_hdr *hdr)
{
	struct rd r = rd_bytes(octets);

	hdr->src_port = rd_u16(&r);
	hdr->dst_port = rd_u16(&r);
	hdr->seq = rd_u32(&r);
	hdr->ack = rd_u32(&r);
	hdr->header_len = (uint8_t)((rd_u8(&r) >> 4) * 4);
	hdr->flags = rd_u8(&r);
	hdr->window = rd_u16(&r);
	hdr->sum = rd_u16(&r);
	hdr->urgent = rd_u16(&r);
	if (!rd_ok(&r) || hdr->header_len < TCP_HDR_LEN || hdr->header_len > octets.len)
		return WHY_DATA_SHORT;
	hdr->options = bytes_of(octets.p + TCP_HDR_LEN, hdr->header_len - (size_t)TCP_HDR_LEN);
	hdr->body = bytes_of(octets.p + hdr->header_len, octets.len - hdr->header_len);
	return WHY_OK;
}

enum why icmp_decode(struct bytes octets, struct icmp_hdr *hdr)
{
	struct rd r = rd_bytes(octets);

	hdr->type = rd_u8(&r);
	hdr->code = rd_u8(&r);
	hdr->sum = rd_u16(&r);
	hdr->rest = rd_u32(&r);
	hdr->body = rd_rest(&r);
	return rd_ok(&r) ? WHY_OK : WHY_DATA_SHORT;
}

size_t icmp_begin(struct wr *w, uint8_t type, uint8_t code, uint32_t rest)
{
	size_t mark = wr_len(w);

	wr_u8(w, type);
	wr_u8(w, code);
	wr_u16(w, 0);
	wr_u32(w, rest);
	return mark;
}

void icmp_end(struct wr *w, size_t mark)
{
	if (wr_ok(w))
		wr_patch_u16(w, mark + 2, sum_of(0, bytes_of(w->start + mark, wr_len(w) - mark)));
}

static bool is_error(uint8_t type)
{
	return type == ICMP_UNREACHABLE || type == ICMP_QUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER;
}

bool icmp_error_allowed(struct bytes about)
{
	struct rd r = rd_bytes(about);
	uint32_t header = (rd_u8(&r) & 15u) * 4, src, dst;
	uint16_t fragment;
	uint8_t proto;

	rd_take(&r, 5);
	fragment = rd_u16(&r);
	rd_u8(&r);
	proto = rd_u8(&r);
	rd_u16(&r);
	src = rd_u32(&r);
	dst = rd_u32(&r);
	if (!rd_ok(&r) || header < IP4_HDR_LEN || about.len < header || (fragment & 0x1fff))
		return false;
	if (proto == IP_ICMP && (about.len == header || is_error(about.p[header])))
		return false;
	if (src >> 24 == 0 || src >> 24 == 127 || src >> 28 >= 14)	/* none, loopback, classes D and E */
		return false;
	return dst >> 28 < 14;						/* neither multicast nor broadcast */
}

void icmp_error_encode(struct wr *w, struct ip4 from, uint8_t type, uint8_t code, uint32_t rest,
		       struct bytes about)
{
	struct ip4_hdr hdr = { .ttl = 64, .proto = IP_ICMP, .src = from, .tos = 0xc0 };	/* RFC 1812 4.3.2.5 */
	struct rd r = rd_bytes(about);
	size_t ip, icmp;

	rd_take(&r, 12);
	hdr.dst.n = rd_u32(&r);
	ip = ip4_begin(w, &hdr);
	icmp = icmp_begin(w, type, code, rest);
	wr_put(w, about.p, min_u32(about.len, IP4_ICMP_MAX - IP4_HDR_LEN - ICMP_HDR_LEN));
	icmp_end(w, icmp);
	ip4_end(w, ip);
	if (!rd_ok(&r))
		w->bad = true;
}

enum why ip4_fragments_begin(struct ip4_fragments *f, struct bytes packet, uint32_t mtu)
{
	*f = (struct ip4_fragments){ .packet = packet, .mtu = mtu };
	ASSERT(mtu >= IP4_HDR_MAX + 8);
	return ip4_decode(packet, &f->hdr);
}

/* The options that later fragments carry too: bit 7 of the type says so (RFC 791 section 3.1). */
static void options_copied(const struct ip4_fragments *f, struct wr *w)
{
	struct rd options = rd_of(f->packet.p + IP4_HDR_LEN, f->hdr.header_len - (size_t)IP4_HDR_LEN);

	while (rd_left(&options) > 0) {
		const uint8_t *at = options.p;
		uint8_t type = rd_u8(&options), len;

		if (type == 0)
			return;
		if (type == 1)
			continue;
		len = rd_u8(&options);
		if (len < 2 || !rd_take(&options, len - 2u) || !rd_ok(&options))
			return;
		if (type & 0x80)
			wr_put(w, at, len);
	}
}

bool ip4_fragments_next(struct ip4_fragments *f, struct wr *w)
{
	size_t mark = wr_len(w), header;
	uint32_t left = f->hdr.body.len - f->done, take;
	uint16_t at = (uint16_t)((f->hdr.offset + f->done) / 8);
	bool last;

	if (left == 0)
		return false;
	wr_put(w, f->packet.p, f->done ? IP4_HDR_LEN : f->hdr.header_len);
	if (f->done)
		options_copied(f, w);
	while ((wr_len(w) - mark) % 4)
		wr_u8(w, 0);
	header = wr_len(w) - mark;
	take = f->mtu - (uint32_t)header;
	last = take >= left;
	take = last ? left : take & ~7u;
	wr_put(w, f->hdr.body.p + f->done, take);
	if (!wr_ok(w))
		return false;
	w->start[mark] = (uint8_t)(0x40 | header / 4);
	wr_patch_u16(w, mark + 6, (uint16_t)((last && !f->hdr.mf ? 0 : 0x2000) | at));
	ip4_patch(w, mark, header);
	f->done += take;
	return true;
}
