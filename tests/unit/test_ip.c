/*
 * Goal: IPv4, UDP, TCP and ICMP headers decode and encode as the RFCs say; checksums are those of RFC 1071;
 *	fragments put together are the packet; ICMP errors are sent about nothing they must not be sent about.
 * Method: a captured packet, the RFC's own example, a slow checksum beside ours, random packets cut and joined.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/wire/ip.h"

static struct rnd random_of(uint8_t number)
{
	uint8_t seed[RND_SEED_LEN] = { number };
	struct rnd rnd;

	rnd_seed(&rnd, seed);
	return rnd;
}

/* RFC 1071 section 4.1, in words. */
static uint16_t slow_sum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void checksum_of_the_rfc(void **state)
{
	static const uint8_t example[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };	/* section 3 */

	(void)state;
	assert_int_equal(ip_sum_fold(ip_sum_add(0, bytes_of(example, sizeof(example)))), 0xddf2);
}

static void checksum_of_every_length(void **state)
{
	static uint8_t data[2100];
	struct rnd rnd = random_of(1);

	(void)state;
	rnd_fill(&rnd, data, sizeof(data));
	for (size_t len = 0; len < 2048; len++) {
		const uint8_t *p = data + len % 7;
		uint32_t sum = ip_sum_add(0, bytes_of(p, len));
		size_t even = len / 3 & ~(size_t)1;

		assert_int_equal(ip_sum_fold(sum), slow_sum(p, len));
		sum = ip_sum_add(ip_sum_add(0, bytes_of(p, even)), bytes_of(p + even, len - even));
		assert_int_equal(ip_sum_fold(sum), slow_sum(p, len));
	}
	memset(data, 0xff, sizeof(data));
	assert_int_equal(ip_sum_fold(ip_sum_add(0xffffffff, bytes_of(data, 2000))), 0xffff);
}

/* An echo request of Linux's ping, captured on the loopback device, and three octets of padding. */
static const uint8_t ping[] = {
	0x45, 0x00, 0x00, 0x1d, 0xd3, 0x2f, 0x40, 0x00, 0x40, 0x01, 0x69, 0xae, 0x7f, 0x00, 0x00, 0x01,
	0x7f, 0x00, 0x00, 0x01, 0x08, 0x00, 0xc7, 0xd1, 0x30, 0x2d, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00
};

static void decode_a_packet(void **state)
{
	struct ip4_hdr hdr;
	struct icmp_hdr icmp;

	(void)state;
	assert_int_equal(ip4_decode(bytes_of(ping, sizeof(ping)), &hdr), WHY_OK);
	assert_int_equal(hdr.total_len, 29);
	assert_int_equal(hdr.body.len, 9);		/* three octets of padding are cut off */
	assert_int_equal(hdr.id, 0xd32f);
	assert_true(hdr.df && !hdr.mf && hdr.offset == 0);
	assert_int_equal(hdr.ttl, 64);
	assert_int_equal(hdr.proto, IP_ICMP);
	assert_int_equal(hdr.src.n, 0x7f000001);
	assert_int_equal(hdr.dst.n, 0x7f000001);
	assert_true(ip4_sum_ok(bytes_of(ping, sizeof(ping))));
	assert_int_equal(icmp_decode(hdr.body, &icmp), WHY_OK);
	assert_int_equal(icmp.type, ICMP_ECHO);
	assert_int_equal(icmp.rest, 0x302d0001);
	assert_int_equal(icmp.body.len, 1);
	assert_int_equal(ip_sum_fold(ip_sum_add(0, hdr.body)), 0xffff);
}

static void decode_what_contradicts_itself(void **state)
{
	uint8_t octets[sizeof(ping)];
	struct ip4_hdr hdr;

	(void)state;
	for (size_t len = 0; len < 20; len++)
		assert_int_equal(ip4_decode(bytes_of(ping, len), &hdr), WHY_DATA_SHORT);
	assert_int_equal(ip4_decode(bytes_of(ping, 28), &hdr), WHY_DATA_NOT_IP);
	static const struct { size_t at; uint8_t value; } bad[] = {
		{ 0, 0x65 }, { 0, 0x44 }, { 0, 0x48 }, { 2, 0x01 }, { 3, 19 }, { 3, 33 },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		memcpy(octets, ping, sizeof(ping));
		octets[bad[i].at] = bad[i].value;
		assert_int_equal(ip4_decode(bytes_of(octets, sizeof(octets)), &hdr), WHY_DATA_NOT_IP);
	}
}

static void encode_and_decode_udp(void **state)
{
	uint8_t octets[128];
	struct ip4_hdr in = { .tos = 8, .ttl = 9, .proto = IP_UDP, .id = 77, .df = true, .src = { 0x0a000001 },
			      .dst = { 0x0a000002 } }, out;
	struct wr w = wr_of(octets, sizeof(octets));
	struct udp_hdr udp;

	(void)state;
	size_t ip = ip4_begin(&w, &in), mark = udp_begin(&w, 1701, 5353);
	wr_put(&w, "hello", 5);
	udp_end(&w, mark, in.src, in.dst);
	ip4_end(&w, ip);
	assert_true(wr_ok(&w));
	assert_int_equal(ip4_decode(wr_bytes_of(&w), &out), WHY_OK);
	assert_true(ip4_sum_ok(wr_bytes_of(&w)));
	assert_int_equal(out.total_len, 33);
	assert_true(out.tos == 8 && out.ttl == 9 && out.id == 77 && out.df && !out.mf);
	assert_int_equal(udp_decode(out.body, &udp), WHY_OK);
	assert_true(udp.src_port == 1701 && udp.dst_port == 5353);
	assert_true(bytes_eq(udp.body, bytes_str("hello")));
	assert_int_equal(
		ip_sum_fold(ip_sum_add(ip4_pseudo_sum(out.src, out.dst, IP_UDP, out.body.len), out.body)), 0xffff);
	for (uint32_t len = 0; len < out.body.len; len++)
		assert_int_equal(udp_decode(bytes_of(out.body.p, len), &udp), WHY_DATA_SHORT);
	octets[24] = 0;
	octets[25] = 7;				/* a UDP length below its header's */
	assert_int_equal(udp_decode(out.body, &udp), WHY_DATA_SHORT);
	w = wr_of(octets, 30);
	ip = ip4_begin(&w, &in);
	mark = udp_begin(&w, 1, 2);
	wr_put(&w, "too long", 8);
	udp_end(&w, mark, in.src, in.dst);
	ip4_end(&w, ip);
	assert_false(wr_ok(&w));
}

static void decode_tcp(void **state)
{
	static const uint8_t syn[] = {
		0xc0, 0x01, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0x00, 0x00, 0x00, 0x00, 0x60, 0x02, 0xfa, 0xf0,
		0x12, 0x34, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 'x'
	};
	uint8_t octets[sizeof(syn)];
	struct tcp_hdr tcp;

	(void)state;
	assert_int_equal(tcp_decode(bytes_of(syn, sizeof(syn)), &tcp), WHY_OK);
	assert_true(tcp.src_port == 0xc001 && tcp.dst_port == 80 && tcp.seq == 0x01020304 && tcp.ack == 0);
	assert_true(tcp.flags == TCP_SYN && tcp.window == 0xfaf0 && tcp.sum == 0x1234 && tcp.header_len == 24);
	assert_true(tcp.options.len == 4 && tcp.body.len == 1);
	for (uint32_t len = 0; len < 24; len++)
		assert_int_equal(tcp_decode(bytes_of(syn, len), &tcp), WHY_DATA_SHORT);
	memcpy(octets, syn, sizeof(syn));
	octets[12] = 0x40;
	assert_int_equal(tcp_decode(bytes_of(octets, sizeof(octets)), &tcp), WHY_DATA_SHORT);
}

static void icmp_errors(void **state)
{
	uint8_t octets[IP4_ICMP_MAX], big[1500] = { 0 };
	struct wr w = wr_of(octets, sizeof(octets));
	struct ip4_hdr hdr;
	struct icmp_hdr icmp;

	(void)state;
	memcpy(big, ping, sizeof(ping));
	big[12] = 10;
	big[2] = 1500 >> 8;
	big[3] = 1500 & 255;
	icmp_error_encode(&w, (struct ip4){ 0x0a000001 }, ICMP_UNREACHABLE, ICMP_UNREACHABLE_FRAGMENTATION, 1400,
			  bytes_of(big, sizeof(big)));
	assert_true(wr_ok(&w));
	assert_int_equal(wr_len(&w), IP4_ICMP_MAX);
	assert_int_equal(ip4_decode(wr_bytes_of(&w), &hdr), WHY_OK);
	assert_true(ip4_sum_ok(wr_bytes_of(&w)) && hdr.src.n == 0x0a000001 && hdr.dst.n == 0x0a000001);
	assert_int_equal(icmp_decode(hdr.body, &icmp), WHY_OK);
	assert_true(icmp.type == 3 && icmp.code == 4 && icmp.rest == 1400);
	assert_int_equal(ip_sum_fold(ip_sum_add(0, hdr.body)), 0xffff);
	assert_memory_equal(icmp.body.p, big, icmp.body.len);
	w = wr_of(octets, sizeof(octets));
	icmp_error_encode(&w, (struct ip4){ 1 }, 3, 1, 0, bytes_of(big, 15));
	assert_false(wr_ok(&w));
}

static void icmp_errors_not_sent(void **state)
{
	static const struct { size_t at; uint8_t value; bool allowed; } cases[] = {
		{ 8, 1, true },			/* a packet like any other */
		{ 20, 0, true },		/* an echo reply is no error */
		{ 20, 3, false }, { 20, 4, false }, { 20, 5, false }, { 20, 11, false }, { 20, 12, false },
		{ 7, 1, false },		/* not the first fragment */
		{ 6, 0x20, true },		/* the first */
		{ 12, 0, false }, { 12, 127, false }, { 12, 224, false }, { 12, 255, false },
		{ 16, 224, false }, { 16, 255, false },
	};
	uint8_t octets[sizeof(ping)];

	(void)state;
	memcpy(octets, ping, sizeof(ping));
	octets[12] = 10;
	for (size_t len = 0; len < 21; len++)
		assert_false(icmp_error_allowed(bytes_of(octets, len)));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		memcpy(octets, ping, sizeof(ping));
		octets[12] = 10;
		octets[cases[i].at] = cases[i].value;
		assert_int_equal(icmp_error_allowed(bytes_of(octets, sizeof(octets))), cases[i].allowed);
	}
}

/* A random packet, perhaps a fragment itself, perhaps with options. */
static uint32_t packet_random(struct rnd *rnd, uint8_t *octets, uint32_t room)
{
	uint32_t header = 20 + 4 * rnd_below(rnd, 11), len = header + 1 + rnd_below(rnd, room - header);
	bool mf = rnd_below(rnd, 4) == 0;
	uint32_t offset = rnd_below(rnd, 4) ? 0 : rnd_below(rnd, 500);

	if (mf)
		len = header + ((len - header) & ~7u);
	if (len == header)
		len += 8;
	rnd_fill(rnd, octets, len);
	octets[0] = (uint8_t)(0x40 | header / 4);
	octets[2] = (uint8_t)(len >> 8);
	octets[3] = (uint8_t)len;
	octets[6] = (uint8_t)((mf ? 0x20 : 0) | offset >> 8);
	octets[7] = (uint8_t)offset;
	for (uint32_t at = 20; at < header;) {		/* options: a no-op, or 4 octets, copied or not */
		if (rnd_below(rnd, 3) && header - at >= 4) {
			octets[at] = (uint8_t)(2 | (rnd_below(rnd, 2) ? 0x80 : 0));
			octets[at + 1] = 4;
			at += 4;
		} else {
			octets[at++] = 1;
		}
	}
	return len;
}

static void fragments_join_again(void **state)
{
	static uint8_t octets[4000], joined[8000], piece[2000];
	struct rnd rnd = random_of(2);
	unsigned cut = 0;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		uint32_t mtu = 68 + rnd_below(&rnd, 1400), len = packet_random(&rnd, octets, sizeof(octets));
		struct ip4_fragments f;
		struct ip4_hdr whole, hdr;
		uint32_t done = 0, n = 0;

		assert_int_equal(ip4_decode(bytes_of(octets, len), &whole), WHY_OK);
		assert_int_equal(ip4_fragments_begin(&f, bytes_of(octets, len), mtu), WHY_OK);
		for (;;) {
			struct wr w = wr_of(piece, sizeof(piece));

			if (!ip4_fragments_next(&f, &w))
				break;
			n++;
			assert_int_equal(ip4_decode(wr_bytes_of(&w), &hdr), WHY_OK);
			assert_true(ip4_sum_ok(wr_bytes_of(&w)) && wr_len(&w) <= mtu && hdr.body.len > 0);
			assert_true(hdr.id == whole.id && hdr.proto == whole.proto && hdr.ttl == whole.ttl &&
				    hdr.src.n == whole.src.n && hdr.dst.n == whole.dst.n && !hdr.df);
			assert_int_equal(hdr.offset, whole.offset + done);
			if (done == 0)
				assert_memory_equal(piece + 20, octets + 20, whole.header_len - 20u);
			for (uint32_t at = 20; done && at < hdr.header_len && piece[at]; at += 4)
				assert_int_equal(piece[at], 0x82);	/* only those that say so are copied */
			memcpy(joined + done, hdr.body.p, hdr.body.len);
			done += hdr.body.len;
			assert_int_equal(hdr.mf, done < whole.body.len || whole.mf);
			assert_true(!hdr.mf || hdr.body.len % 8 == 0);
		}
		assert_int_equal(done, whole.body.len);
		assert_memory_equal(joined, whole.body.p, done);
		cut += n > 1;
	}
	assert_true(cut > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_of_the_rfc),
		cmocka_unit_test(checksum_of_every_length),
		cmocka_unit_test(decode_a_packet),
		cmocka_unit_test(decode_what_contradicts_itself),
		cmocka_unit_test(encode_and_decode_udp),
		cmocka_unit_test(decode_tcp),
		cmocka_unit_test(icmp_errors),
		cmocka_unit_test(icmp_errors_not_sent),
		cmocka_unit_test(fragments_join_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
