/*
 * Goal: what must be refused is refused for the right reason with the right attribute blamed, hidden
 * and foreign AVPs follow RFC 2661 4.1 to 4.3 and RFC 5515, and values land in their fields.
 * Method: one script for each rule.  test_l2tp_rows.c compares the table with the RFC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/wire/l2tp_avp.h"
#include "l2tpns/wire/l2tp_msg.h"

#define NO_SECRET ((struct bytes){ 0 })

static uint8_t scratch[L2TP_SCRATCH_LEN];

static enum why decode(const struct wr *w, struct l2tp_msg *msg)
{
	return l2tp_msg_decode(bytes_of(w->start, wr_len(w)), NO_SECRET, scratch, msg);
}

static void begin(struct wr *w, uint16_t message)
{
	static uint8_t room[4096];

	*w = wr_of(room, sizeof(room));
	wr_u16(w, 0x8008);
	wr_u32(w, 0);
	wr_u16(w, message);
}

/* What section 6 requires. */
static void put_sccrq(struct wr *w)
{
	l2tp_avp_put(w, true, 0, AVP_PROTOCOL_VERSION, bytes_of("\1\0", 2));
	l2tp_avp_put(w, true, 0, AVP_FRAMING_CAPABILITIES, bytes_of("\0\0\0\3", 4));
	l2tp_avp_put(w, true, 0, AVP_HOST_NAME, bytes_str("lac"));
	l2tp_avp_put(w, true, 0, AVP_ASSIGNED_TUNNEL_ID, bytes_of("\0\7", 2));
}

static void put_icrq(struct wr *w)
{
	l2tp_avp_put(w, true, 0, AVP_ASSIGNED_SESSION_ID, bytes_of("\0\7", 2));
	l2tp_avp_put(w, true, 0, AVP_CALL_SERIAL_NUMBER, bytes_of("\0\0\0\1", 4));
}

static void message_type_rules(void **state)
{
	struct l2tp_msg msg;
	struct wr w;

	(void)state;
	for (uint16_t type = 0; type < 40; type++) {
		bool known = strcmp(l2tp_type_name(type), "unknown") != 0;

		begin(&w, type);
		if (!known)
			assert_int_equal(decode(&w, &msg), WHY_MSG_TYPE);
		w.start[0] = 0;		/* without M */
		if (!known)
			assert_int_equal(decode(&w, &msg), WHY_MSG_TYPE_SKIPPED);
		else
			assert_int_not_equal(decode(&w, &msg), WHY_MSG_TYPE);
		assert_int_equal(msg.type, type);
	}
	begin(&w, L2TP_HELLO);
	w.p = w.start;
	assert_int_equal(decode(&w, &msg), WHY_SHORT);
	w.p = w.start + 7;
	assert_int_equal(decode(&w, &msg), WHY_AVP_LEN);

	begin(&w, L2TP_HELLO);		/* not first */
	w.p = w.start;
	l2tp_avp_put(&w, false, 0, 8, bytes_str("x"));
	l2tp_avp_put(&w, true, 0, 0, bytes_of("\0\6", 2));
	assert_int_equal(decode(&w, &msg), WHY_MSG_TYPE);

	begin(&w, L2TP_HELLO);		/* hidden, reserved bits, another vendor, another length */
	w.start[0] = 0xc0;
	assert_int_equal(decode(&w, &msg), WHY_MSG_TYPE);
	w.start[0] = 0x84;
	assert_int_equal(decode(&w, &msg), WHY_MSG_TYPE);
	w.start[0] = 0x80;
	w.start[3] = 9;
	assert_int_equal(decode(&w, &msg), WHY_MSG_TYPE);
	w.p = w.start;
	l2tp_avp_put(&w, true, 0, 0, bytes_of("\0\0\6", 3));
	assert_int_equal(decode(&w, &msg), WHY_AVP_VALUE);
}

static void mandatory_rule(void **state)
{
	static const struct { uint16_t vendor, type; } strangers[] = {
		{ 0, 20 }, { 0, 40 }, { 0, 45 }, { 0, 47 }, { 0, 97 }, { 0, 65535 }, { 9, 9 }, { 311, 0 },
		{ 3561, 256 },
	};
	struct l2tp_msg msg;
	struct wr w;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(strangers); i++) {
		bool ours = strangers[i].vendor == 0 && strangers[i].type < AVPS;

		begin(&w, L2TP_HELLO);
		l2tp_avp_put(&w, false, strangers[i].vendor, strangers[i].type, bytes_str("whatever"));
		assert_int_equal(decode(&w, &msg), WHY_OK);
		l2tp_avp_put(&w, true, strangers[i].vendor, strangers[i].type, bytes_str("whatever"));
		assert_int_equal(decode(&w, &msg), WHY_AVP_UNKNOWN_M);
		assert_int_equal(msg.culprit, ours ? strangers[i].type : AVPS);
		assert_string_equal(avp_name(strangers[i].vendor ? 20 : strangers[i].type), "unknown");
	}
	/* Reserved bits make the best known AVP an unrecognized one (4.1). */
	for (unsigned bit = 0x04; bit <= 0x20; bit *= 2) {
		begin(&w, L2TP_SCCRQ);
		put_sccrq(&w);
		size_t at = wr_len(&w);

		l2tp_avp_put(&w, true, 0, AVP_RECEIVE_WINDOW_SIZE, bytes_of("\0\4", 2));
		w.start[at] = (uint8_t)(w.start[at] | bit);
		assert_int_equal(decode(&w, &msg), WHY_AVP_RESERVED);
		assert_int_equal(msg.culprit, AVP_RECEIVE_WINDOW_SIZE);
		w.start[at] = (uint8_t)bit;
		assert_int_equal(decode(&w, &msg), WHY_OK);
		assert_false(msg.present & AVP_BIT(AVP_RECEIVE_WINDOW_SIZE));
	}
}

static void values_land_in_their_fields(void **state)
{
	struct l2tp_msg msg;
	struct wr w;

	(void)state;
	begin(&w, L2TP_CDN);
	l2tp_avp_put(&w, true, 0, AVP_RESULT_CODE, bytes_of("\0\2", 2));
	assert_int_equal(decode(&w, &msg), WHY_OK);
	assert_int_equal(msg.result, 2);
	assert_int_equal(msg.error, 0);
	begin(&w, L2TP_CDN);
	l2tp_avp_put(&w, true, 0, AVP_RESULT_CODE, bytes_of("\0\2\0\6sorry", 9));
	l2tp_avp_put(&w, true, 0, AVP_CAUSE_CODE, bytes_of("\0\20\1busy", 7));
	l2tp_avp_put(&w, false, 0, AVP_DISCONNECT_CAUSE, bytes_of("\0\3\xc0\x21\1bye", 8));
	assert_int_equal(decode(&w, &msg), WHY_OK);
	assert_int_equal(msg.error, 6);
	assert_true(bytes_eq(msg.error_message, bytes_str("sorry")));
	assert_true(bytes_eq(msg.cause_code, bytes_of("\0\20\1busy", 7)));
	assert_int_equal(msg.disconnect_code, 3);
	assert_int_equal(msg.disconnect_protocol, 0xc021);
	assert_int_equal(msg.disconnect_direction, 1);
	assert_true(bytes_eq(msg.disconnect_message, bytes_str("bye")));
	begin(&w, L2TP_CDN);		/* half an error code */
	l2tp_avp_put(&w, true, 0, AVP_RESULT_CODE, bytes_of("\0\2\0", 3));
	assert_int_equal(decode(&w, &msg), WHY_AVP_VALUE);

	begin(&w, L2TP_SLI);
	l2tp_avp_put(&w, true, 0, AVP_ACCM, bytes_of("\377\377\1\2\3\4\5\6\7\10", 10));
	assert_int_equal(decode(&w, &msg), WHY_OK);
	assert_int_equal(msg.accm_send, 0x01020304);
	assert_int_equal(msg.accm_receive, 0x05060708);

	begin(&w, L2TP_SCCRQ);
	put_sccrq(&w);
	l2tp_avp_put(&w, false, 0, AVP_TIE_BREAKER, bytes_of("\1\2\3\4\5\6\7\10", 8));
	assert_int_equal(decode(&w, &msg), WHY_OK);
	assert_int_equal(msg.protocol_version, 0x0100);
	assert_int_equal(msg.tie_breaker, 0x0102030405060708);
}

/* The AS5300 and its kin send speeds as digits. */
static void speeds_in_both_forms(void **state)
{
	static const struct { const char *octets; uint32_t len, bps; bool good; } speeds[] = {
		{ "\0\1\302\0", 4, 115200, true },
		{ "28800", 5, 28800, true }, { "0", 1, 0, true }, { "100000000", 9, 100000000, true },
		{ "4294967295", 10, 4294967295u, true }, { "10000000000", 11, UINT32_MAX, true },
		{ "99999999999999999999", 20, UINT32_MAX, true }, { "9999", 4, 0x39393939, true },
		{ "999999999999999999999", 21, 0, false }, { "", 0, 0, false }, { "12x45", 5, 0, false },
		{ "\0\0\0\0\0\1\302\0", 8, 0, false }, { "-5", 2, 0, false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(speeds); i++) {
		struct l2tp_msg msg;
		struct wr w;

		begin(&w, L2TP_ICCN);
		l2tp_avp_put(&w, true, 0, AVP_FRAMING_TYPE, bytes_of("\0\0\0\1", 4));
		l2tp_avp_put(&w, true, 0, AVP_TX_CONNECT_SPEED, bytes_of(speeds[i].octets, speeds[i].len));
		assert_int_equal(decode(&w, &msg), speeds[i].good ? WHY_OK : WHY_AVP_VALUE);
		if (speeds[i].good)
			assert_int_equal(msg.tx_bps, speeds[i].bps);
	}
}

static void put_hidden(struct wr *w, uint16_t vendor, uint16_t type, struct bytes value, struct bytes secret,
		       struct bytes vector)
{
	size_t mark = l2tp_avp_begin(w, true, vendor, type);

	wr_bytes(w, value);
	l2tp_avp_end_hidden(w, mark, secret, vector, 3);
}

static void hidden_rules(void **state)
{
	struct bytes secret = bytes_str("secret"), wrong = bytes_str("Secret");
	struct bytes a = bytes_str("vector a"), b = bytes_str("b"), sid = bytes_of("\0\7", 2);
	struct l2tp_msg msg;
	struct wr w;

	(void)state;
	begin(&w, L2TP_ICRP);		/* two vectors: each AVP uses the closest before it (4.3) */
	l2tp_avp_put(&w, true, 0, AVP_RANDOM_VECTOR, a);
	l2tp_avp_put(&w, true, 0, AVP_RANDOM_VECTOR, b);
	put_hidden(&w, 0, AVP_ASSIGNED_SESSION_ID, sid, secret, b);
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), secret, scratch, &msg), WHY_OK);
	assert_int_equal(msg.assigned_sid, 7);
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), NO_SECRET, scratch, &msg), WHY_AVP_HIDDEN);
	assert_int_equal(msg.culprit, AVP_ASSIGNED_SESSION_ID);
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), wrong, scratch, &msg), WHY_AVP_HIDDEN_LEN);

	begin(&w, L2TP_ICRP);		/* the vector comes too late */
	put_hidden(&w, 0, AVP_ASSIGNED_SESSION_ID, sid, secret, a);
	l2tp_avp_put(&w, true, 0, AVP_RANDOM_VECTOR, a);
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), secret, scratch, &msg), WHY_AVP_HIDDEN);

	begin(&w, L2TP_SCCRQ);		/* one that must not be hidden */
	l2tp_avp_put(&w, true, 0, AVP_RANDOM_VECTOR, a);
	put_hidden(&w, 0, AVP_HOST_NAME, bytes_str("lac"), secret, a);
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), secret, scratch, &msg), WHY_AVP_HIDDEN);
	assert_int_equal(msg.culprit, AVP_HOST_NAME);

	begin(&w, L2TP_ICRP);		/* the original value, not the hidden one, must suit the row */
	l2tp_avp_put(&w, true, 0, AVP_RANDOM_VECTOR, a);
	put_hidden(&w, 0, AVP_ASSIGNED_SESSION_ID, bytes_of("\0\0\7", 3), secret, a);
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), secret, scratch, &msg), WHY_AVP_VALUE);

	begin(&w, L2TP_ICRP);		/* an empty vector is none */
	l2tp_avp_put(&w, true, 0, AVP_RANDOM_VECTOR, (struct bytes){ 0 });
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), secret, scratch, &msg), WHY_AVP_VALUE);
}

/* RFC 5515: kept whole; a hidden one in clear; the 33rd dropped. */
static void access_lines_are_kept(void **state)
{
	static const uint8_t circuit[] = { 0, 12, 0x0d, 0xe9, 0, 1, 'e', 't', 'h', ' ', '1', '/' };
	struct bytes secret = bytes_str("secret"), vector = bytes_str("vector");
	struct l2tp_msg msg;
	struct wr w;
	uint8_t room[64];

	(void)state;
	begin(&w, L2TP_ICRQ);
	put_icrq(&w);
	wr_put(&w, circuit, sizeof(circuit));
	l2tp_avp_put(&w, true, 3561, 130, bytes_of("\0\0\1\0", 4));
	l2tp_avp_put(&w, true, 0, AVP_RANDOM_VECTOR, vector);
	put_hidden(&w, 3561, 1, bytes_of(circuit + 6, 6), secret, vector);
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), secret, scratch, &msg), WHY_OK);
	assert_int_equal(msg.access_lines, 3);
	assert_true(bytes_eq(msg.access_line[0], bytes_of(circuit, sizeof(circuit))));
	assert_int_equal(msg.access_line[1].len, 10);
	assert_true(bytes_eq(msg.access_line[2], bytes_of(circuit, sizeof(circuit))));
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), NO_SECRET, scratch, &msg), WHY_AVP_HIDDEN);
	assert_int_equal(msg.culprit, AVPS);

	begin(&w, L2TP_ICRQ);
	put_icrq(&w);
	for (unsigned i = 0; i < 40; i++)
		wr_put(&w, circuit, sizeof(circuit));
	assert_int_equal(decode(&w, &msg), WHY_OK);
	assert_int_equal(msg.access_lines, 32);

	msg = (struct l2tp_msg){ .type = L2TP_HELLO, .access_lines = 1,
				 .access_line = { bytes_of(circuit, sizeof(circuit)) } };
	w = wr_of(room, sizeof(room));
	l2tp_msg_encode(&msg, &w);
	assert_int_equal(wr_len(&w), 20);
	assert_memory_equal(room + 8, circuit, sizeof(circuit));
}

/* Hidden values beyond what the scratch holds are refused, not written past it. */
static void scratch_is_bounded(void **state)
{
	static uint8_t big[900];
	struct bytes secret = bytes_str("secret"), vector = bytes_str("vector");
	struct l2tp_msg msg;
	struct wr w;

	(void)state;
	begin(&w, L2TP_ICRQ);
	put_icrq(&w);
	l2tp_avp_put(&w, true, 0, AVP_RANDOM_VECTOR, vector);
	put_hidden(&w, 0, AVP_CALLED_NUMBER, bytes_of(big, sizeof(big)), secret, vector);
	put_hidden(&w, 0, AVP_CALLING_NUMBER, bytes_of(big, sizeof(big)), secret, vector);
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), secret, scratch, &msg), WHY_OK);
	put_hidden(&w, 0, AVP_SUB_ADDRESS, bytes_of(big, sizeof(big)), secret, vector);
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), secret, scratch, &msg), WHY_AVP_HIDDEN_LEN);
}

static void truncation_is_refused(void **state)
{
	struct l2tp_msg msg;
	struct wr w;

	(void)state;
	begin(&w, L2TP_ICRQ);
	put_icrq(&w);
	for (size_t len = 1; len < wr_len(&w); len++) {
		uint8_t *copy = malloc(len);

		assert_non_null(copy);
		memcpy(copy, w.start, len);
		assert_int_not_equal(l2tp_msg_decode(bytes_of(copy, len), NO_SECRET, scratch, &msg), WHY_OK);
		free(copy);
	}
}

static void encode_keeps_the_limits(void **state)
{
	static uint8_t room[128];
	struct l2tp_msg msg = { .type = L2TP_SCCRQ, .present = AVP_BIT(AVP_HOST_NAME) };
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	l2tp_msg_encode(&msg, &w);	/* a host name of no octets */
	assert_false(wr_ok(&w));
	msg.host_name = bytes_str("lns");
	w = wr_of(room, 16);		/* one octet too few */
	l2tp_msg_encode(&msg, &w);
	assert_false(wr_ok(&w));
	w = wr_of(room, 17);
	l2tp_msg_encode(&msg, &w);
	assert_true(wr_ok(&w));
}

static void challenge_response_is_known(void **state)
{
	static const uint8_t expected[16] = {	/* by Python's hashlib */
		0x5b, 0xc7, 0x78, 0x57, 0xee, 0x2d, 0xff, 0x6d,
		0xb9, 0x01, 0x25, 0xc0, 0x00, 0x3f, 0xdf, 0x07,
	};
	uint8_t challenge[16], out[16];

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		challenge[i] = (uint8_t)(0x20 + i);
	l2tp_challenge_response(L2TP_SCCRP, bytes_str("opensesame"), bytes_of(challenge, 16), out);
	assert_memory_equal(out, expected, 16);
	l2tp_challenge_response(L2TP_SCCCN, bytes_str("opensesame"), bytes_of(challenge, 16), out);
	assert_memory_not_equal(out, expected, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_type_rules),
		cmocka_unit_test(mandatory_rule),
		cmocka_unit_test(values_land_in_their_fields),
		cmocka_unit_test(speeds_in_both_forms),
		cmocka_unit_test(hidden_rules),
		cmocka_unit_test(access_lines_are_kept),
		cmocka_unit_test(scratch_is_bounded),
		cmocka_unit_test(truncation_is_refused),
		cmocka_unit_test(encode_keeps_the_limits),
		cmocka_unit_test(challenge_response_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
