/*
 * Goal: AVPs are framed and hidden as RFC 2661 sections 4.1 to 4.3 say, whatever their length.
 * Method: values computed by an independent program (Python's hashlib), then every length both ways.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/wire/l2tp_avp.h"

static const uint8_t vector[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
static const char text[] = "+49 30 1234567 ext. 89 in the far corner";

/* Hidden with the secret "opensesame" and the vector above. */
static const uint8_t hidden_tid[] = { 0xa9, 0x31, 0xb8, 0xd9 };		/* type 9, 0x1234 */
static const uint8_t hidden_padded[] = { 0xa9, 0x31, 0xb8, 0xd9, 0xb6, 0x49, 0xfb, 0x51, 0x3c };
static const uint8_t hidden_text[] = {		/* type 22 */
	0x1b, 0x55, 0x04, 0xfe, 0x4a, 0x92, 0xbe, 0xa9, 0x4d, 0x2c, 0x13, 0x58, 0x9c, 0x28,
	0x9c, 0x1d, 0x60, 0x60, 0xf2, 0x18, 0x1c, 0x5f, 0x42, 0x78, 0x2b, 0x68, 0x25, 0xf6,
	0x35, 0x47, 0x7c, 0x41, 0x06, 0x5d, 0x77, 0xd7, 0xab, 0x97, 0x5f, 0xc4, 0x7c, 0x69,
};

static enum why unhide(uint16_t type, struct bytes hidden, const char *secret, struct bytes *value)
{
	static uint8_t room[L2TP_AVP_LEN_MAX];
	struct wr scratch = wr_of(room, sizeof(room));
	struct l2tp_avp avp = { .hidden = true, .type = type, .value = hidden };

	return l2tp_avp_unhide(&avp, bytes_str(secret), bytes_of(vector, sizeof(vector)), &scratch, value);
}

static void opens_known_values(void **state)
{
	static const uint8_t tid[] = { 0x12, 0x34 };
	struct bytes value;

	(void)state;
	assert_int_equal(unhide(9, bytes_of(hidden_tid, sizeof(hidden_tid)), "opensesame", &value), WHY_OK);
	assert_true(bytes_eq(value, bytes_of(tid, 2)));
	assert_int_equal(unhide(9, bytes_of(hidden_padded, sizeof(hidden_padded)), "opensesame", &value),
			 WHY_OK);
	assert_true(bytes_eq(value, bytes_of(tid, 2)));
	assert_int_equal(unhide(22, bytes_of(hidden_text, sizeof(hidden_text)), "opensesame", &value),
			 WHY_OK);
	assert_true(bytes_eq(value, bytes_str(text)));
}

static void refuses_what_cannot_be_opened(void **state)
{
	struct l2tp_avp avp = { .hidden = true, .type = 9, .value = bytes_of(hidden_tid, 4) };
	struct bytes secret = bytes_str("opensesame"), rv = bytes_of(vector, sizeof(vector)), value;
	uint8_t room[8];
	struct wr scratch = wr_of(room, sizeof(room));

	(void)state;
	assert_int_equal(l2tp_avp_unhide(&avp, (struct bytes){ 0 }, rv, &scratch, &value), WHY_AVP_HIDDEN);
	assert_int_equal(l2tp_avp_unhide(&avp, secret, (struct bytes){ 0 }, &scratch, &value),
			 WHY_AVP_HIDDEN);
	/* Another secret or another type gives another original length: 4 octets hold at most 2. */
	assert_int_equal(unhide(9, bytes_of(hidden_tid, 4), "opensesamf", &value), WHY_AVP_HIDDEN_LEN);
	assert_int_equal(unhide(10, bytes_of(hidden_tid, 4), "opensesame", &value), WHY_AVP_HIDDEN_LEN);
	assert_int_equal(unhide(9, bytes_of(hidden_tid, 3), "opensesame", &value), WHY_AVP_HIDDEN_LEN);
	assert_int_equal(unhide(9, bytes_of(hidden_tid, 1), "opensesame", &value), WHY_AVP_HIDDEN_LEN);
	assert_int_equal(unhide(9, bytes_of(hidden_tid, 0), "opensesame", &value), WHY_AVP_HIDDEN_LEN);
	/* No room left to open it in. */
	scratch = wr_of(room, 3);
	assert_int_equal(l2tp_avp_unhide(&avp, secret, rv, &scratch, &value), WHY_AVP_HIDDEN_LEN);
}

static void hides_known_values(void **state)
{
	uint8_t room[128];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes secret = bytes_str("opensesame"), rv = bytes_of(vector, sizeof(vector));

	(void)state;
	size_t mark = l2tp_avp_begin(&w, true, VENDOR_IETF, 9);

	wr_u16(&w, 0x1234);
	l2tp_avp_end_hidden(&w, mark, secret, rv, 5);
	assert_int_equal(wr_len(&w), 15);
	assert_int_equal(room[0], 0xc0);
	assert_int_equal(room[1], 15);
	assert_memory_equal(room + 6, hidden_padded, sizeof(hidden_padded));

	mark = l2tp_avp_begin(&w, false, VENDOR_IETF, 22);
	wr_bytes(&w, bytes_str(text));
	l2tp_avp_end_hidden(&w, mark, secret, rv, 0);
	assert_true(wr_ok(&w));
	assert_int_equal(room[15], 0x40);
	assert_memory_equal(room + 15 + 6, hidden_text, sizeof(hidden_text));
}

static void every_length_both_ways(void **state)
{
	static uint8_t room[L2TP_AVP_LEN_MAX + 1], clear[L2TP_AVP_LEN_MAX], original[L2TP_AVP_LEN_MAX];
	struct bytes secret = bytes_str("s"), rv = bytes_of(vector, 3), value;
	struct l2tp_avp avp;

	(void)state;
	for (unsigned i = 0; i < sizeof(original); i++)
		original[i] = (uint8_t)(i * 7);
	for (unsigned len = 0; len <= L2TP_HIDDEN_VALUE_MAX + 1; len++)
		for (unsigned padding = 0; padding < 34; padding += 11) {
			struct wr w = wr_of(room, sizeof(room)), scratch = wr_of(clear, sizeof(clear));
			size_t mark = l2tp_avp_begin(&w, true, 3561, 130);
			struct rd r;

			wr_put(&w, original, len);
			l2tp_avp_end_hidden(&w, mark, secret, rv, padding);
			if (len + padding > L2TP_HIDDEN_VALUE_MAX) {
				assert_false(wr_ok(&w));
				continue;
			}
			r = rd_bytes(wr_bytes_of(&w));
			assert_int_equal(l2tp_avp_next(&r, &avp), WHY_OK);
			assert_true(rd_done(&r));
			assert_true(avp.hidden && avp.mandatory && !avp.reserved);
			assert_int_equal(avp.vendor, 3561);
			assert_int_equal(avp.type, 130);
			assert_int_equal(l2tp_avp_unhide(&avp, secret, rv, &scratch, &value), WHY_OK);
			assert_true(bytes_eq(value, bytes_of(original, len)));
		}
}

static void frames(void **state)
{
	static const uint8_t two[] = { 0x80, 8, 0, 0, 0, 9, 1, 2, 0x3c, 6, 0x0d, 0xe9, 0xff, 0xfe };
	struct rd r = rd_of(two, sizeof(two));
	struct l2tp_avp avp;

	(void)state;
	assert_int_equal(l2tp_avp_next(&r, &avp), WHY_OK);
	assert_true(avp.mandatory && !avp.hidden && !avp.reserved);
	assert_int_equal(avp.type, 9);
	assert_ptr_equal(avp.value.p, two + 6);
	assert_int_equal(avp.value.len, 2);
	assert_ptr_equal(avp.whole.p, two);
	assert_int_equal(avp.whole.len, 8);
	assert_int_equal(l2tp_avp_next(&r, &avp), WHY_OK);
	assert_true(!avp.mandatory && !avp.hidden && avp.reserved);
	assert_int_equal(avp.vendor, 3561);
	assert_int_equal(avp.type, 0xfffe);
	assert_int_equal(avp.value.len, 0);
	assert_true(rd_done(&r));
}

static void refuses_bad_frames(void **state)
{
	static const uint8_t octets[] = { 0x80, 0, 0, 0, 0, 9, 1, 2 };

	(void)state;
	for (uint8_t length = 0; length < 12; length++)
		for (unsigned len = 1; len <= sizeof(octets); len++) {
			uint8_t copy[sizeof(octets)];
			struct l2tp_avp avp;
			struct rd r;

			memcpy(copy, octets, sizeof(copy));
			copy[1] = length;
			r = rd_of(copy, len);
			assert_int_equal(l2tp_avp_next(&r, &avp),
					 length >= 6 && length <= len ? WHY_OK : WHY_AVP_LEN);
		}
}

static void writes_at_most_1023_octets(void **state)
{
	static uint8_t room[2048], value[L2TP_AVP_VALUE_MAX + 1];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	l2tp_avp_put(&w, true, VENDOR_IETF, 7, bytes_of(value, L2TP_AVP_VALUE_MAX));
	assert_true(wr_ok(&w));
	assert_int_equal(wr_len(&w), 1023);
	assert_int_equal(room[0], 0x83);
	assert_int_equal(room[1], 0xff);
	w = wr_of(room, sizeof(room));
	l2tp_avp_put(&w, true, VENDOR_IETF, 7, bytes_of(value, sizeof(value)));
	assert_false(wr_ok(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_known_values),
		cmocka_unit_test(refuses_what_cannot_be_opened),
		cmocka_unit_test(hides_known_values),
		cmocka_unit_test(every_length_both_ways),
		cmocka_unit_test(frames),
		cmocka_unit_test(refuses_bad_frames),
		cmocka_unit_test(writes_at_most_1023_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
