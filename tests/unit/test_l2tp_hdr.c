/*
 * Goal: the L2TP header decoder takes what RFC 2661 section 3.1 allows, refuses the rest for the right
 * reason, and the headers we write are what it takes.
 * Method: named cases, then every one of the 65536 flag words against a plain model of the section.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/wire/l2tp_hdr.h"

struct hdr_case {
	const char	*name;
	uint8_t		 octets[24];
	uint32_t	 len;
	enum why	 why;
	uint32_t	 body;		/* octets of body when accepted */
};

static const struct hdr_case cases[] = {
	{ "nothing",		   { 0 }, 0, WHY_SHORT, 0 },
	{ "one octet",		   { 0xc8 }, 1, WHY_SHORT, 0 },
	{ "five octets",	   { 0x00, 2, 0, 1, 0 }, 5, WHY_SHORT, 0 },
	{ "ZLB",		   { 0xc8, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0, 2 }, 12, WHY_OK, 0 },
	{ "control, one octet less", { 0xc8, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0 }, 11, WHY_SHORT, 0 },
	{ "control with body",	   { 0xc8, 2, 0, 14, 0, 7, 0, 0, 0, 1, 0, 2, 9, 9 }, 14, WHY_OK, 2 },
	{ "padded by a lower layer", { 0xc8, 2, 0, 14, 0, 7, 0, 0, 0, 1, 0, 2, 9, 9, 0, 0 }, 16, WHY_OK, 2 },
	{ "length beyond datagram", { 0xc8, 2, 0, 15, 0, 7, 0, 0, 0, 1, 0, 2, 9, 9 }, 14, WHY_HDR_LEN, 0 },
	{ "length inside the header", { 0xc8, 2, 0, 11, 0, 7, 0, 0, 0, 1, 0, 2, 9, 9 }, 14, WHY_HDR_LEN, 0 },
	{ "control without L",	   { 0x88, 2, 0, 7, 0, 0, 0, 1, 0, 2, 0, 0 }, 12, WHY_HDR_FLAGS, 0 },
	{ "control without S",	   { 0xc0, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0, 2 }, 12, WHY_HDR_FLAGS, 0 },
	{ "control with O",	   { 0xca, 2, 0, 14, 0, 7, 0, 0, 0, 1, 0, 2, 0, 0 }, 14, WHY_HDR_FLAGS, 0 },
	{ "control with P",	   { 0xc9, 2, 0, 12, 0, 7, 0, 0, 0, 1, 0, 2 }, 12, WHY_HDR_FLAGS, 0 },
	{ "L2F",		   { 0xc8, 1, 0, 12, 0, 7, 0, 0, 0, 1, 0, 2 }, 12, WHY_VERSION, 0 },
	{ "L2TPv3",		   { 0xc8, 3, 0, 12, 0, 7, 0, 0, 0, 1, 0, 2 }, 12, WHY_VERSION, 0 },
	{ "shortest data",	   { 0, 2, 0, 7, 0, 8 }, 6, WHY_OK, 0 },
	{ "data, all fields",	   { 0x4b, 2, 0, 17, 0, 7, 0, 8, 0, 1, 0, 2, 0, 2, 9, 9, 9 }, 17, WHY_OK, 1 },
	{ "offset to the end",	   { 0x02, 2, 0, 7, 0, 8, 0, 2, 0xee, 0xee }, 10, WHY_OK, 0 },
	{ "offset beyond the end", { 0x02, 2, 0, 7, 0, 8, 0, 3, 0xee, 0xee }, 10, WHY_HDR_OFFSET, 0 },
	{ "offset beyond the length", { 0x42, 2, 0, 11, 0, 7, 0, 8, 0, 2, 1, 1, 1 }, 13, WHY_HDR_OFFSET, 0 },
	{ "offset field missing",  { 0x02, 2, 0, 7, 0, 8, 0 }, 7, WHY_SHORT, 0 },
};

static void decodes_named_cases(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct l2tp_hdr hdr;
		enum why why = l2tp_hdr_decode(bytes_of(cases[i].octets, cases[i].len), &hdr);

		if (why != cases[i].why || (why == WHY_OK && hdr.body.len != cases[i].body))
			fail_msg("%s: %s, %u octets of body", cases[i].name, why_name(why), hdr.body.len);
	}
}

static void finds_every_field(void **state)
{
	static const uint8_t data[] = { 0x4b, 2, 0, 17, 1, 7, 2, 8, 3, 1, 4, 2, 0, 2, 0xee, 0xee, 0x21 };
	struct l2tp_hdr hdr;

	(void)state;
	assert_int_equal(l2tp_hdr_decode(bytes_of(data, sizeof(data)), &hdr), WHY_OK);
	assert_false(hdr.control);
	assert_true(hdr.priority);
	assert_true(hdr.sequenced);
	assert_int_equal(hdr.tunnel_id, 0x107);
	assert_int_equal(hdr.session_id, 0x208);
	assert_int_equal(hdr.ns, 0x301);
	assert_int_equal(hdr.nr, 0x402);
	assert_ptr_equal(hdr.body.p, data + 16);
}

static void every_flag_word(void **state)
{
	uint8_t packet[32];
	struct l2tp_hdr hdr;

	(void)state;
	for (uint32_t flags = 0; flags < 65536; flags++) {
		bool control = flags >> 15 & 1, l = flags >> 14 & 1, s = flags >> 11 & 1, o = flags >> 9 & 1,
		     p = flags >> 8 & 1;
		uint32_t header = 6u + 2 * l + 4 * s + 2 * o;
		enum why expected = WHY_OK;

		memset(packet, 0, sizeof(packet));
		packet[0] = (uint8_t)(flags >> 8);
		packet[1] = (uint8_t)flags;
		if (l)
			packet[3] = 30;
		if ((flags & 15) != 2)
			expected = WHY_VERSION;
		else if (control && (!l || !s || o || p))
			expected = WHY_HDR_FLAGS;
		assert_int_equal(l2tp_hdr_decode(bytes_of(packet, sizeof(packet)), &hdr), expected);
		if (expected != WHY_OK)
			continue;
		assert_int_equal(hdr.control, control);
		assert_int_equal(hdr.sequenced, s);
		assert_int_equal(hdr.priority, p);
		assert_int_equal(hdr.body.len, (l ? 30 : 32) - header);
		assert_ptr_equal(hdr.body.p, packet + header);
	}
}

/* Every shorter datagram is refused; none is read beyond its end (the heap copy lets the sanitizer see). */
static void every_length(void **state)
{
	static const uint8_t data[] = { 0x4b, 2, 0, 17, 1, 7, 2, 8, 3, 1, 4, 2, 0, 2, 0xee, 0xee, 0x21 };
	struct l2tp_hdr hdr;

	(void)state;
	for (uint32_t len = 0; len < sizeof(data); len++) {
		uint8_t *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, data, len);
		assert_int_not_equal(l2tp_hdr_decode(bytes_of(copy, len), &hdr), WHY_OK);
		free(copy);
	}
}

static void writes_what_it_reads(void **state)
{
	uint8_t room[64];
	struct wr w = wr_of(room, sizeof(room));
	struct l2tp_hdr hdr;

	(void)state;
	l2tp_control_begin(&w, 0x1234, 0x5678, 0x9abc, 0xdef0);
	wr_put(&w, "abc", 3);
	l2tp_control_end(&w);
	l2tp_control_set_nr(room, 0x0fed);
	assert_true(wr_ok(&w));
	assert_int_equal(l2tp_hdr_decode(wr_bytes_of(&w), &hdr), WHY_OK);
	assert_true(hdr.control);
	assert_int_equal(hdr.tunnel_id, 0x1234);
	assert_int_equal(hdr.session_id, 0x5678);
	assert_int_equal(hdr.ns, 0x9abc);
	assert_int_equal(hdr.nr, 0x0fed);
	assert_true(bytes_eq(hdr.body, bytes_str("abc")));

	w = wr_of(room, sizeof(room));
	l2tp_data_begin(&w, 0x1234, 0x5678);
	assert_int_equal(wr_len(&w), 6);
	assert_int_equal(l2tp_hdr_decode(wr_bytes_of(&w), &hdr), WHY_OK);
	assert_false(hdr.control);
	assert_int_equal(hdr.tunnel_id, 0x1234);
	assert_int_equal(hdr.session_id, 0x5678);

	w = wr_of(room, 11);	/* no room: nothing half written is taken for a packet */
	l2tp_control_begin(&w, 1, 2, 3, 4);
	l2tp_control_end(&w);
	assert_false(wr_ok(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_named_cases),
		cmocka_unit_test(finds_every_field),
		cmocka_unit_test(every_flag_word),
		cmocka_unit_test(every_length),
		cmocka_unit_test(writes_what_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
