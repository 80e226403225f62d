/*
 * Goal: a large packet becomes the packets it stands for, and those, merged again, become the large packet.
 *	Merging changes nothing that segmentation does not give back, and loses no packet and no order.
 * Method: segments checked field by field; random batches of flows merged, segmented again, and compared
 *	octet for octet with what went in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/plane/gro.h"
#include "l2tpns/plane/gso.h"
#include "tests/unit/plane_world.h"

static uint8_t large[70000];

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The large packet of the kernel: checksums are not its business. */
static uint32_t large_make(bool tcp, uint8_t flags, uint32_t payload)
{
	static const uint8_t options[] = { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct ip4_hdr hdr = { .ttl = 60, .proto = tcp ? IP_TCP : IP_UDP, .id = 65530, .src = { 0x01020304 },
			       .dst = { 0x05060708 }, .tos = 4 };
	struct tcp_hdr th = { .src_port = 1, .dst_port = 2, .seq = 0xffffff00, .ack = 5, .flags = flags, .window = 9 };
	struct wr w = wr_of(large, sizeof(large));

	if (tcp) {
		plane_tcp_put(&w, &hdr, &th, bytes_of(options, sizeof(options)), (struct bytes){ 0 });
	} else {
		size_t ip = ip4_begin(&w, &hdr);

		udp_begin(&w, 1, 2);
		ip4_end(&w, ip);
	}
	for (uint32_t i = 0; i < payload; i++)
		wr_u8(&w, (uint8_t)(i ^ i >> 8));
	wr_patch_u16(&w, 2, (uint16_t)wr_len(&w));
	if (!tcp)
		wr_patch_u16(&w, 24, (uint16_t)(wr_len(&w) - 20));
	assert_true(wr_ok(&w));
	return (uint32_t)wr_len(&w);
}

static void segments_of_tcp(void **state)
{
	uint8_t flags = TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR;
	uint32_t len = large_make(true, flags, 10000), n = 0, done = 0;
	uint8_t one[GSO_HEAD_MAX + 1448];
	struct bytes payload;
	struct gso gso;

	(void)state;
	assert_true(gso_begin(&gso, bytes_of(large, len), true, 1448));
	assert_int_equal(gso.head_len, 52);
	for (; gso_next(&gso, one, &payload); n++) {
		struct ip4_hdr hdr;
		struct tcp_hdr tcp;
		bool last = n == 6;

		memcpy(one + gso.head_len, payload.p, payload.len);
		struct bytes packet = bytes_of(one, gso.head_len + payload.len);
		assert_int_equal(payload.len, last ? 10000 - 6 * 1448 : 1448);
		assert_int_equal(ip4_decode(packet, &hdr), WHY_OK);
		assert_true(ip4_sum_ok(packet) && plane_transport_ok(packet));
		assert_int_equal(hdr.total_len, packet.len);
		assert_int_equal(hdr.id, (uint16_t)(65530 + n));
		assert_true(hdr.ttl == 60 && hdr.tos == 4);
		assert_int_equal(tcp_decode(hdr.body, &tcp), WHY_OK);
		assert_int_equal(tcp.seq, 0xffffff00 + done);
		assert_int_equal(tcp.flags, TCP_ACK | (last ? TCP_PSH | TCP_FIN : 0) | (n == 0 ? TCP_CWR : 0));
		assert_true(tcp.ack == 5 && tcp.window == 9 && tcp.options.len == 12);
		assert_memory_equal(payload.p, large + 52 + done, payload.len);
		done += payload.len;
	}
	assert_int_equal(n, 7);
	assert_int_equal(done, 10000);
}

static void segments_of_udp(void **state)
{
	uint32_t len = large_make(false, 0, 5000), n = 0;
	uint8_t one[GSO_HEAD_MAX + 1200];
	struct bytes payload;
	struct gso gso;

	(void)state;
	assert_true(gso_begin(&gso, bytes_of(large, len), false, 1200));
	for (; gso_next(&gso, one, &payload); n++) {
		struct ip4_hdr hdr;
		struct udp_hdr udp;

		memcpy(one + gso.head_len, payload.p, payload.len);
		struct bytes packet = bytes_of(one, gso.head_len + payload.len);
		assert_int_equal(ip4_decode(packet, &hdr), WHY_OK);
		assert_true(ip4_sum_ok(packet) && plane_transport_ok(packet));
		assert_int_equal(udp_decode(hdr.body, &udp), WHY_OK);
		assert_int_equal(udp.body.len, n == 4 ? 200 : 1200);
		assert_int_not_equal(udp.sum, 0);
	}
	assert_int_equal(n, 5);
}

static void not_to_be_segmented(void **state)
{
	uint32_t len = large_make(true, TCP_ACK, 3000);
	struct gso gso;

	(void)state;
	assert_true(gso_begin(&gso, bytes_of(large, len), true, 1000));
	assert_false(gso_begin(&gso, bytes_of(large, len), true, 0));
	assert_false(gso_begin(&gso, bytes_of(large, len), false, 1000));
	assert_false(gso_begin(&gso, bytes_of(large, len - 1), true, 1000));
	large[6] = 0x20;
	assert_false(gso_begin(&gso, bytes_of(large, len), true, 1000));
	large[6] = 0;
	large[32] = 0x40;			/* a TCP header of 16 octets */
	assert_false(gso_begin(&gso, bytes_of(large, len), true, 1000));
	len = large_make(true, TCP_ACK, 0);
	assert_false(gso_begin(&gso, bytes_of(large, len), true, 1000));
}

static void checksums_completed(void **state)
{
	struct wr w = wr_of(large, sizeof(large));
	uint16_t sum;

	(void)state;
	plane_udp_put(&w, 0x01020304, 0x05060708, 333, true);
	sum = ip_sum_fold(ip4_pseudo_sum((struct ip4){ 0x01020304 }, (struct ip4){ 0x05060708 }, IP_UDP, 313));
	wr_patch_u16(&w, 26, sum);
	assert_true(sum_complete(large, 333, 20, 6));
	assert_true(plane_transport_ok(bytes_of(large, 333)));
	assert_false(sum_complete(large, 333, 333, 0));
	assert_false(sum_complete(large, 333, 20, 312));
	assert_false(sum_complete(large, 333, 0xffffffff, 0xffffffff));
}

/* --- merging ---------------------------------------------------------------------------------- */

struct flow {
	uint16_t port;
	bool	 tcp;
	uint16_t size;
	uint32_t seq;
	uint16_t id;
};

static uint8_t store[GRO_MAX][1600], original[GRO_MAX][1600];
static uint32_t length[GRO_MAX];

/* The next packet of a flow; now and then something that must not be merged. */
static uint32_t packet_next(struct rnd *rnd, struct flow *flow, uint8_t *octets)
{
	struct ip4_hdr hdr = { .ttl = 60, .proto = flow->tcp ? IP_TCP : IP_UDP, .id = flow->id++, .src = { 0x0a000001 },
			       .dst = { 0x08080808 }, .df = flow->port & 1 };
	struct tcp_hdr th = {
		.src_port = flow->port, .dst_port = 80, .seq = flow->seq, .ack = 5, .flags = TCP_ACK, .window = 9};
	uint32_t odd = rnd_below(rnd, 80), len = odd == 0 ? 1 + rnd_below(rnd, flow->size) : flow->size;
	struct wr w = wr_of(octets, 1600);
	static uint8_t payload[1600];

	if (odd == 2)
		hdr.ttl--;
	if (odd == 3)
		hdr.id++;
	if (odd == 4)
		th.flags |= TCP_FIN;
	if (odd == 5)
		th.flags |= TCP_PSH;
	if (odd == 6)
		th.ack++;
	if (odd == 7)
		th.seq++;
	if (odd == 8)
		len = 0;
	rnd_fill(rnd, payload, len);
	if (flow->tcp) {
		plane_tcp_put(&w, &hdr, &th, (struct bytes){ 0 }, bytes_of(payload, len));
		flow->seq += len;
	} else {
		size_t ip = ip4_begin(&w, &hdr), udp = udp_begin(&w, flow->port, 9);

		wr_put(&w, payload, len);
		udp_end(&w, udp, hdr.src, hdr.dst);
		ip4_end(&w, ip);
	}
	if (odd == 9)
		octets[wr_len(&w) - 1] ^= 1;		/* damaged: the checksum is wrong, and must stay so */
	if (odd == 10)
		octets[6] |= 0x20;			/* a fragment, and the header's checksum is wrong too */
	if (odd == 11 && !flow->tcp)
		octets[26] = octets[27] = 0;		/* no UDP checksum */
	return (uint32_t)wr_len(&w);
}

/* With DF set the identification means nothing (RFC 6864 section 4.1) and may be renumbered. */
static void compare(const uint8_t *is, const uint8_t *was, uint32_t len)
{
	uint8_t copy[1600];

	memcpy(copy, was, len);
	if (was[6] & 0x40 && get16(is + 4) != get16(was + 4)) {
		copy[4] = is[4];
		copy[5] = is[5];
		copy[10] = is[10];
		copy[11] = is[11];
		assert_true(ip4_sum_ok(bytes_of(is, len)));
	}
	assert_memory_equal(is, copy, len);
}

/* Which of the packets not yet seen is this?  Of its flow it must be the first. */
static void expect_next(bool *seen, unsigned packets, const uint8_t *is, uint32_t len)
{
	for (unsigned i = 0; i < packets; i++) {
		if (seen[i] || original[i][9] != is[9] || memcmp(original[i] + 20, is + 20, 4))
			continue;
		assert_int_equal(length[i], len);
		compare(is, original[i], len);
		seen[i] = true;
		return;
	}
	fail_msg("a packet nobody sent");
}

static unsigned merge_and_segment(struct gro *gro, unsigned packets)
{
	bool seen[GRO_MAX] = { false };
	uint8_t one[1600];
	unsigned merged = 0;

	for (unsigned g = 0; g < gro->groups; g++) {
		struct gro_group *group = &gro->group[g];
		uint32_t at = gro->item[group->first].len;
		struct bytes payload;
		struct gso gso;

		if (group->count == 1) {
			expect_next(seen, packets, gro->item[group->first].ip, gro->item[group->first].len);
			continue;
		}
		gro_head(gro, group);
		memcpy(large, gro->item[group->first].ip, at);
		for (unsigned i = gro->next[group->first]; i; i = gro->next[i - 1]) {
			uint32_t part = gro->item[i - 1].len - group->head_len;

			memcpy(large + at, gro->item[i - 1].ip + group->head_len, part);
			at += part;
		}
		assert_int_equal(at, group->total);
		assert_true(gso_begin(&gso, bytes_of(large, at), group->tcp, group->size));
		while (gso_next(&gso, one, &payload)) {
			memcpy(one + gso.head_len, payload.p, payload.len);
			expect_next(seen, packets, one, gso.head_len + payload.len);
		}
		assert_int_equal(gso.segments, group->count);
		/* The kernel's half: the checksum field holds the pseudo-header's sum. */
		assert_true(sum_complete(large, at, 20, group->tcp ? 16 : 6));
		assert_true(plane_transport_ok(bytes_of(large, at)));
		assert_true(ip4_sum_ok(bytes_of(large, at)));
		merged += group->count - 1u;
	}
	for (unsigned i = 0; i < packets; i++)
		assert_true(seen[i]);
	return merged;
}

static void merged_and_segmented_again(void **state)
{
	uint8_t seed[RND_SEED_LEN] = { 3 };
	static struct gro gro;
	unsigned merged = 0, all = 0;
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	for (unsigned round = 0; round < 3000; round++) {
		struct flow flow[5];
		unsigned packets = 1 + rnd_below(&rnd, GRO_MAX), flows = 1 + rnd_below(&rnd, 5);
		bool udp = round % 4 != 0;

		for (unsigned f = 0; f < flows; f++)
			flow[f] = (struct flow){.port = (uint16_t)(1000 + f),
				.tcp = rnd_below(&rnd, 2),
				.seq = rnd_u32(&rnd),
				.id = (uint16_t)rnd_u32(&rnd),
				.size = (uint16_t)(1 + rnd_below(&rnd, 1400))};
		gro_begin(&gro, udp);
		for (unsigned i = 0; i < packets; i++) {
			length[i] = packet_next(&rnd, &flow[rnd_below(&rnd, flows)], store[i]);
			memcpy(original[i], store[i], length[i]);
			gro_add(&gro, store[i], length[i]);
		}
		assert_int_equal(gro.items, packets);
		for (unsigned g = 0; !udp && g < gro.groups; g++)
			assert_true(gro.group[g].count == 1 || gro.group[g].tcp);
		merged += merge_and_segment(&gro, packets);
		all += packets;
	}
	assert_true(merged > all / 2);		/* and it does merge */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_of_tcp),
		cmocka_unit_test(segments_of_udp),
		cmocka_unit_test(not_to_be_segmented),
		cmocka_unit_test(checksums_completed),
		cmocka_unit_test(merged_and_segmented_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
