/*
 * Goal: the packet path forwards what it should, exactly those octets, and refuses everything else for the
 *	right reason; it counts, clamps the MSS, and never touches what it refuses.
 * Method: packets built by the codecs, one property changed at a time, rows of expected verdicts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/plane_world.h"

static struct plane_world world;

static int setup(void **state)
{
	struct fx_tunnel a = plane_tunnel_of(3, LAC_A), b = plane_tunnel_of(4, LAC_B);

	(void)state;
	plane_world_open(&world);
	tables_tunnel_put(&world.tables, &a);
	tables_tunnel_put(&world.tables, &b);
	for (uint32_t row = 1; row <= 8; row++) {		/* two tunnels share a page */
		struct fx_session session = plane_session_of(row < 5 ? 3 : 4, row);

		session.acfc = row & 1;
		session.pfc = row & 2;
		plane_session_add(&world, &session);
	}
	assert_true(route_put(&world.tables.route, (struct prefix4){ { 0x0a640000 }, 16 }, (struct row){ 2 }));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	plane_world_close(&world);
	return 0;
}

/* --- upstream --------------------------------------------------------------------------------- */

static uint8_t packet[3000];

struct shape {			/* how to say the same thing */
	uint8_t		flags;
	uint16_t	offset;
	bool		acfc, pfc;
	uint16_t	padding;
};

static size_t up_make(const struct shape *shape, uint16_t tid, uint16_t sid, uint16_t proto, uint32_t src, uint32_t len)
{
	struct wr w = wr_of(packet, sizeof(packet));

	wr_u8(&w, shape->flags);
	wr_u8(&w, 2);
	if (shape->flags & FAST_L2TP_L)
		wr_u16(&w, 0);
	wr_u16(&w, tid);
	wr_u16(&w, sid);
	if (shape->flags & FAST_L2TP_S)
		wr_u32(&w, 0x12345678);
	if (shape->flags & FAST_L2TP_O) {
		wr_u16(&w, shape->offset);
		for (unsigned i = 0; i < shape->offset; i++)
			wr_u8(&w, 0xff);
	}
	if (!shape->acfc)
		wr_u16(&w, 0xff03);
	if (shape->pfc)
		wr_u8(&w, (uint8_t)proto);
	else
		wr_u16(&w, proto);
	plane_udp_put(&w, src, 0x08080808, len, false);
	for (unsigned i = 0; i < shape->padding; i++)
		wr_u8(&w, 0);
	if (shape->flags & FAST_L2TP_L)
		wr_patch_u16(&w, 2, (uint16_t)wr_len(&w));
	assert_true(wr_ok(&w));
	return wr_len(&w);
}

static enum fast_verdict up_run(size_t len, struct addr peer, struct fast_up *up)
{
	struct fast_packet p = { .data = packet, .end = packet + len };
	struct fast_from from = plane_from(peer);

	return fast_up(&world.tables.fast, &p, &from, 1234, up);
}

static void up_every_shape_is_forwarded(void **state)
{
	struct shape shape = { 0 };
	struct fast_up up;
	uint64_t packets = 0;

	(void)state;
	for (unsigned bits = 0; bits < 256; bits++) {
		shape.flags = (uint8_t)((bits & 1 ? FAST_L2TP_L : 0) | (bits & 2 ? FAST_L2TP_S : 0) |
					(bits & 4 ? FAST_L2TP_O : 0) | (bits & 8 ? 0x01 : 0) | (bits & 16 ? 0x34 : 0));
		shape.offset = bits & 4 ? (uint16_t)(bits * 3) : 0;
		shape.acfc = bits & 32;
		shape.pfc = bits & 64;
		shape.padding = bits & 128 ? 17 : 0;
		size_t len = up_make(&shape, 3, 2, 0x21, 0x0a000002, 64 + bits);

		assert_int_equal(up_run(len, LAC_A, &up), FAST_FORWARD);
		assert_int_equal(up.row, 2);
		assert_int_equal(up.len, 64 + bits);
		assert_int_equal(up.at + up.len + shape.padding, len);
		assert_int_equal(packet[up.at], 0x45);
		packets++;
		assert_int_equal(world.tables.session[2].up_packets, packets);
	}
	assert_int_equal(world.tables.session[2].up_octets, 256 * 64 + 255 * 256 / 2);
	assert_int_equal(world.tables.session[2].up_s, 1234);
	assert_int_equal(world.tables.session[2].down_packets, 0);
}

static void up_is_refused(void **state)
{
	static const struct shape plain = { 0 }, length = { .flags = FAST_L2TP_L };
	static const struct {
		uint16_t tid, sid, proto;
		uint32_t src;
		bool b;				/* it comes from LAC B */
		enum fast_verdict verdict;
		enum fast_why why;
	} cases[] = {
		{ 3, 2, 0x21, 0x0a000002, false, FAST_FORWARD, FAST_WHY_OK },
		{ 4, 5, 0x21, 0x0a000005, true, FAST_FORWARD, FAST_WHY_OK },
		{ 3, 2, 0x21, 0x0a641234, false, FAST_FORWARD, FAST_WHY_OK },		/* routed to it */
		{ 3, 2, 0x21, 0x0a000003, false, FAST_DROP, FAST_WHY_DATA_SOURCE },
		{ 3, 1, 0x21, 0x0a641234, false, FAST_DROP, FAST_WHY_DATA_SOURCE },
		{ 3, 2, 0x21, 0x0a000002, true, FAST_DROP, FAST_WHY_DATA_PEER },
		{ 5, 2, 0x21, 0x0a000002, false, FAST_DROP, FAST_WHY_DATA_NO_SESSION },
		{ 0, 2, 0x21, 0x0a000002, false, FAST_DROP, FAST_WHY_DATA_NO_SESSION },
		{ 65535, 2, 0x21, 0x0a000002, false, FAST_DROP, FAST_WHY_DATA_NO_SESSION },
		{ 3, 6, 0x21, 0x0a000006, false, FAST_DROP, FAST_WHY_DATA_NOT_OPEN },	/* another tunnel's */
		{ 3, 0, 0x21, 0x0a000002, false, FAST_DROP, FAST_WHY_DATA_NOT_OPEN },
		{ 3, 9, 0x21, 0x0a000009, false, FAST_DROP, FAST_WHY_DATA_NOT_OPEN },
		{ 3, 0xf002, 0x21, 0x0a000002, false, FAST_DROP, FAST_WHY_DATA_NOT_OPEN },
		{ 3, 9, 0xc021, 0x0a000009, false, FAST_PUNT, FAST_WHY_OK },		/* before it opens */
		{ 3, 2, 0xc021, 0x0a000002, false, FAST_PUNT, FAST_WHY_OK },
		{ 3, 2, 0x8021, 0x0a000002, false, FAST_PUNT, FAST_WHY_OK },
		{ 3, 2, 0x0057, 0x0a000002, false, FAST_PUNT, FAST_WHY_OK },
		{ 3, 9, 0x0057, 0x0a000009, false, FAST_DROP, FAST_WHY_DATA_NOT_OPEN },
		{ 3, 2, 0xc021, 0x0a000002, true, FAST_DROP, FAST_WHY_DATA_PEER },
		{ 3, 2, 0x0020, 0x0a000002, false, FAST_DROP, FAST_WHY_PPP_PROTO },
	};
	uint8_t before[sizeof(packet)];
	struct fast_up up;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = up_make(
			i & 1 ? &plain : &length, cases[i].tid, cases[i].sid, cases[i].proto, cases[i].src, 100);

		memcpy(before, packet, len);
		assert_int_equal(up_run(len, cases[i].b ? LAC_B : LAC_A, &up), cases[i].verdict);
		assert_int_equal(up.why, cases[i].why);
		assert_memory_equal(before, packet, len);
		if (cases[i].verdict == FAST_PUNT)
			assert_true(!up.stranger && up.proto == cases[i].proto);
	}
}

static void up_another_port_is_another_peer(void **state)
{
	static const struct shape plain = { 0 };
	struct addr peer = LAC_A;
	struct fast_up up;

	(void)state;
	peer.port++;
	assert_int_equal(up_run(up_make(&plain, 3, 2, 0x21, 0x0a000002, 100), peer, &up), FAST_DROP);
	assert_int_equal(up.why, FAST_WHY_DATA_PEER);
}

static void up_control_is_punted(void **state)
{
	static const struct { uint16_t tid; bool b, stranger; } cases[] = {
		{ 3, false, false }, { 3, true, true }, { 0, false, true }, { 9, false, true }, { 65535, false, true },
	};
	struct fast_up up;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_of(packet, sizeof(packet));

		l2tp_control_begin(&w, cases[i].tid, 0, 1, 2);
		l2tp_control_end(&w);
		assert_int_equal(up_run(wr_len(&w), cases[i].b ? LAC_B : LAC_A, &up), FAST_PUNT);
		assert_int_equal(up.stranger, cases[i].stranger);
		assert_true(up.control && up.proto == 0);
		packet[1] = 3;
		assert_int_equal(up_run(wr_len(&w), LAC_A, &up), FAST_DROP);
		assert_int_equal(up.why, FAST_WHY_VERSION);
	}
}

/* Every prefix of a good packet, ending at an address sanitizer's fence. */
static void up_cut_short(void **state)
{
	static const struct shape shapes[] = {
		{0},
		{.flags = 0x4b, .offset = 8},
		{.acfc = true, .pfc = true},
		{.flags = FAST_L2TP_O, .offset = 700},
	};
	struct fast_from from = plane_from(LAC_A);
	struct fast_up up;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		size_t whole = up_make(&shapes[i], 3, 2, 0x21, 0x0a000002, 60);

		for (size_t len = 0; len < whole; len++) {
			uint8_t *copy = malloc(len ? len : 1);
			struct fast_packet p = { .data = copy, .end = copy + len };

			memcpy(copy, packet, len);
			assert_int_equal(fast_up(&world.tables.fast, &p, &from, 1, &up), FAST_DROP);
			assert_true(up.why == FAST_WHY_DATA_SHORT || up.why == FAST_WHY_HDR_LEN ||
				    up.why == FAST_WHY_HDR_OFFSET || up.why == FAST_WHY_PPP_PROTO ||
				    up.why == FAST_WHY_DATA_NOT_IP);
			free(copy);
		}
	}
}

static void up_headers_that_lie(void **state)
{
	static const struct shape plain = { 0 }, length = { .flags = FAST_L2TP_L }, offset = { .flags = FAST_L2TP_O };
	static const struct {
		const struct shape *shape;
		size_t at;
		uint8_t value;
		enum fast_why why;
	} cases[] = {
		{ &plain, 1, 1, FAST_WHY_DATA_VERSION }, { &plain, 1, 3, FAST_WHY_DATA_VERSION },
		{ &length, 2, 9, FAST_WHY_HDR_LEN },		/* longer than the datagram */
		{ &length, 3, 7, FAST_WHY_HDR_LEN },		/* shorter than the header */
		{ &length, 3, 60, FAST_WHY_DATA_NOT_IP },	/* cuts the inner packet */
		{ &offset, 6, 0xff, FAST_WHY_HDR_OFFSET }, { &offset, 6, 1, FAST_WHY_HDR_OFFSET },
		{ &plain, 10, 0x65, FAST_WHY_DATA_NOT_IP }, { &plain, 10, 0x44, FAST_WHY_DATA_NOT_IP },
		{ &plain, 10, 0x46, FAST_WHY_OK },		/* options are the kernel's business */
		{ &plain, 13, 101, FAST_WHY_DATA_NOT_IP }, { &plain, 13, 19, FAST_WHY_DATA_NOT_IP },
		{ &plain, 13, 99, FAST_WHY_OK },
	};
	struct fast_up up;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = up_make(cases[i].shape, 3, 2, 0x21, 0x0a000002, 100);

		packet[cases[i].at] = cases[i].value;
		assert_int_equal(up_run(len, LAC_A, &up), cases[i].why ? FAST_DROP : FAST_FORWARD);
		assert_int_equal(up.why, cases[i].why);
	}
}

/* --- TCP MSS ---------------------------------------------------------------------------------- */

static size_t syn_make(uint8_t flags, struct bytes options, uint32_t src, uint32_t dst, size_t at)
{
	struct wr w = wr_of(packet, sizeof(packet));
	struct ip4_hdr hdr = { .ttl = 64, .proto = IP_TCP, .src = { src }, .dst = { dst } };
	struct tcp_hdr tcp = { .src_port = 1024, .dst_port = 80, .seq = 99, .flags = flags, .window = 1000 };
	static const uint8_t data[10] = { 0x00, 0x02, 0x00, 0x03, 0x00, 0x02, 0xff, 0x03, 0x00, 0x21 };

	wr_put(&w, data, at);
	plane_tcp_put(&w, &hdr, &tcp, options, bytes_str("payload"));
	assert_true(wr_ok(&w));
	return wr_len(&w);
}

static void mss_is_clamped(void **state)
{
	static const struct {
		uint8_t flags, len, options[12];
		size_t mss_at;			/* of the option's value; 0: nothing is changed */
	} cases[] = {
		{ TCP_SYN, 4, { 2, 4, 0x05, 0xb4 }, 2 },
		{ TCP_SYN | TCP_ACK, 4, { 2, 4, 0x05, 0xb4 }, 2 },
		{ TCP_SYN, 5, { 1, 2, 4, 0x05, 0xb4 }, 3 },				/* odd place */
		{ TCP_SYN, 8, { 3, 3, 7, 1, 2, 4, 0xff, 0xff }, 6 },
		{ TCP_SYN, 9, { 3, 3, 7, 1, 1, 2, 4, 0xff, 0xff }, 7 },
		{ TCP_SYN, 4, { 2, 4, 0x05, 0x50 }, 0 },				/* small enough: 1360 */
		{ TCP_SYN, 4, { 2, 4, 0x00, 0x10 }, 0 },
		{ TCP_ACK, 4, { 2, 4, 0x05, 0xb4 }, 0 },				/* no SYN */
		{ TCP_SYN, 8, { 0, 0, 0, 0, 2, 4, 0x05, 0xb4 }, 0 },			/* after the end of options */
		{ TCP_SYN, 8, { 8, 0, 0, 0, 2, 4, 0x05, 0xb4 }, 0 },			/* malformed before it */
		{ TCP_SYN, 8, { 8, 1, 0, 0, 2, 4, 0x05, 0xb4 }, 0 },
		{ TCP_SYN, 4, { 2, 3, 0x05, 0xb4 }, 0 },
		{ TCP_SYN, 12, { 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4 }, 0 },		/* cut off */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (unsigned down = 0; down < 2; down++) {
			size_t at = down ? 0 : 10;
			size_t len = syn_make(cases[i].flags, bytes_of(cases[i].options, cases[i].len),
					      down ? 0x08080808 : 0x0a000002, down ? 0x0a000002 : 0x08080808, at);
			size_t option = at + 40 + cases[i].mss_at;
			uint8_t before[sizeof(packet)];
			struct fast_packet p = { .data = packet, .end = packet + len };
			struct fast_down d;
			struct fast_up up;

			memcpy(before, packet, len);
			if (down)
				assert_int_equal(fast_down(&world.tables.fast, &p, 1, &d), FAST_FORWARD);
			else
				assert_int_equal(up_run(len, LAC_A, &up), FAST_FORWARD);
			assert_true(plane_transport_ok(bytes_of(packet + at, len - at)));
			if (cases[i].mss_at) {
				assert_int_equal(packet[option] << 8 | packet[option + 1], 1360);
				memcpy(before + option, packet + option, 2);
				memcpy(before + at + 36, packet + at + 36, 2);
			}
			assert_memory_equal(before, packet, len);
		}
	}
}

static void mss_left_alone(void **state)
{
	static const uint8_t option[] = { 2, 4, 0xff, 0xff };
	struct fx_session session = plane_session_of(3, 2);
	struct fast_up up;
	size_t len = syn_make(TCP_SYN, bytes_of(option, 4), 0x0a000002, 0x08080808, 10);

	(void)state;
	packet[10 + 7] = 1;			/* a later fragment has no TCP header */
	assert_int_equal(up_run(len, LAC_A, &up), FAST_FORWARD);
	assert_int_equal(packet[10 + 42], 0xff);
	packet[10 + 7] = 0;
	session.mss = 0;
	session.acfc = false;
	session.pfc = true;
	tables_session_put(&world.tables, &session);
	assert_int_equal(up_run(len, LAC_A, &up), FAST_FORWARD);
	assert_int_equal(packet[10 + 42], 0xff);
}

/* --- downstream ------------------------------------------------------------------------------- */

static size_t down_make(uint32_t dst, uint32_t len, bool df)
{
	struct wr w = wr_of(packet, sizeof(packet));

	plane_udp_put(&w, 0x08080808, dst, len, df);
	return wr_len(&w);
}

static enum fast_verdict down_run(size_t len, struct fast_down *down)
{
	struct fast_packet p = { .data = packet, .end = packet + len };

	return fast_down(&world.tables.fast, &p, 4321, down);
}

static void down_heads(void **state)
{
	(void)state;
	for (uint32_t row = 1; row <= 8; row++) {
		uint16_t tid = row < 5 ? 103 : 104, sid = (uint16_t)(5000 + row);
		uint8_t expected[10] = { 0, 2, (uint8_t)(tid >> 8), (uint8_t)tid, (uint8_t)(sid >> 8), (uint8_t)sid };
		struct fast_down down;
		size_t n = 6, len = down_make(0x0a000000 + row, 100, true);

		if (!(row & 1)) {
			expected[n++] = 0xff;
			expected[n++] = 0x03;
		}
		if (!(row & 2))
			expected[n++] = 0x00;
		expected[n++] = 0x21;
		assert_int_equal(down_run(len + 7, &down), FAST_FORWARD);	/* with padding */
		assert_int_equal(down.row, row);
		assert_int_equal(down.tid, row < 5 ? 3 : 4);
		assert_int_equal(down.len, 100);
		assert_int_equal(down.head_len, n);
		assert_memory_equal(down.head, expected, n);
		assert_int_equal(world.tables.session[row].down_packets, 1);
		assert_int_equal(world.tables.session[row].down_octets, 100);
		assert_int_equal(world.tables.session[row].down_s, 4321);
		assert_int_equal(world.tables.session[row].up_packets, 0);
	}
}

static void down_is_refused(void **state)
{
	struct fx_session session = plane_session_of(3, 1);
	struct fast_down down;

	(void)state;
	assert_int_equal(down_run(down_make(0x0a000009, 100, true), &down), FAST_DROP);
	assert_int_equal(down.why, FAST_WHY_DATA_NO_ROUTE);
	assert_int_equal(down_run(down_make(0x0a64ffff, 100, true), &down), FAST_FORWARD);
	assert_int_equal(down.row, 2);
	assert_int_equal(down_run(down_make(0x0a000001, 1400, true), &down), FAST_FORWARD);
	assert_int_equal(down_run(down_make(0x0a000001, 1401, true), &down), FAST_PUNT);
	assert_int_equal(down.why, FAST_WHY_DATA_TOO_BIG);
	assert_int_equal(down.mru, 1400);
	for (size_t len = 0; len < 100; len++) {
		down_make(0x0a000001, 100, true);
		assert_int_equal(down_run(len, &down), FAST_DROP);
		assert_int_equal(down.why, len < 20 ? FAST_WHY_DATA_SHORT : FAST_WHY_DATA_NOT_IP);
	}
	packet[0] = 0x60;
	assert_int_equal(down_run(100, &down), FAST_DROP);
	assert_int_equal(down.why, FAST_WHY_DATA_NOT_IP);
	tables_session_drop(&world.tables, &session);
	assert_int_equal(down_run(down_make(0x0a000001, 100, true), &down), FAST_DROP);
	assert_int_equal(down.why, FAST_WHY_DATA_NO_ROUTE);
	tables_tunnel_drop(&world.tables, (struct tid){ 3 });
	assert_int_equal(down_run(down_make(0x0a000002, 100, true), &down), FAST_DROP);
	assert_int_equal(down.why, FAST_WHY_DATA_NO_ROUTE);
	assert_int_equal(down_run(down_make(0x0a000005, 100, true), &down), FAST_FORWARD);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(up_every_shape_is_forwarded), CASE(up_is_refused), CASE(up_another_port_is_another_peer),
		CASE(up_control_is_punted), CASE(up_cut_short), CASE(up_headers_that_lie),
		CASE(mss_is_clamped), CASE(mss_left_alone), CASE(down_heads), CASE(down_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
