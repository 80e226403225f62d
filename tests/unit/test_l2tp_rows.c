/*
 * Goal: every AVP row says what RFC 2661 4.4 says, and every message of section 6 decodes to what
 * was encoded.
 * Method: the RFC's tables written down a second time as text and compared through decode and encode;
 * round trips of every message with every attribute it may carry, clear and hidden.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/wire/l2tp_avp.h"
#include "l2tpns/wire/l2tp_msg.h"

#define NO_SECRET ((struct bytes){ 0 })

static uint8_t scratch[L2TP_SCRATCH_LEN];

/* RFC 2661 4.4 and RFC 3145: attribute, M on sending, may be hidden, octets of a legal value, messages. */
static const struct rfc_row {
	uint16_t	type;
	bool		m, h;
	uint16_t	len;
	const char	*where;
} rfc[] = {
	{ 0,  1, 0, 2,	"" },		/* tried apart: it comes first */
	{ 1,  1, 0, 2,	"StopCCN CDN" },
	{ 2,  1, 0, 2,	"SCCRQ SCCRP" },
	{ 3,  1, 1, 4,	"SCCRQ SCCRP" },
	{ 4,  1, 1, 4,	"SCCRQ SCCRP" },
	{ 5,  0, 0, 8,	"SCCRQ" },
	{ 6,  0, 1, 2,	"SCCRQ SCCRP" },
	{ 7,  1, 0, 3,	"SCCRQ SCCRP" },
	{ 8,  0, 1, 3,	"SCCRQ SCCRP" },
	{ 9,  1, 1, 2,	"SCCRQ SCCRP StopCCN" },
	{ 10, 1, 0, 2,	"SCCRQ SCCRP" },
	{ 11, 1, 1, 9,	"SCCRQ SCCRP" },
	{ 12, 1, 0, 3,	"CDN" },
	{ 13, 1, 1, 16, "SCCRP SCCCN" },
	{ 14, 1, 1, 2,	"ICRQ ICRP OCRQ OCRP CDN" },
	{ 15, 1, 1, 4,	"ICRQ OCRQ" },
	{ 16, 1, 1, 4,	"OCRQ" },
	{ 17, 1, 1, 4,	"OCRQ" },
	{ 18, 1, 1, 4,	"ICRQ OCRQ" },
	{ 19, 1, 1, 4,	"ICCN OCCN OCRQ" },
	{ 21, 1, 1, 5,	"ICRQ OCRQ" },
	{ 22, 1, 1, 5,	"ICRQ" },
	{ 23, 1, 1, 5,	"ICRQ OCRQ" },
	{ 24, 1, 1, 4,	"ICCN OCCN" },
	{ 25, 0, 1, 4,	"ICRQ OCRP" },
	{ 26, 0, 1, 6,	"ICCN" },
	{ 27, 0, 1, 6,	"ICCN" },
	{ 28, 0, 1, 6,	"ICCN" },
	{ 29, 0, 1, 2,	"ICCN" },
	{ 30, 0, 1, 5,	"ICCN" },
	{ 31, 0, 1, 5,	"ICCN" },
	{ 32, 0, 1, 2,	"ICCN" },
	{ 33, 0, 1, 5,	"ICCN" },
	{ 34, 1, 1, 26, "WEN" },
	{ 35, 1, 1, 10, "SLI" },
	{ 36, 1, 0, 4,	"" },		/* tried apart: it may be anywhere and is kept nowhere */
	{ 37, 0, 1, 5,	"ICCN" },
	{ 38, 0, 1, 4,	"ICCN OCCN" },
	{ 39, 1, 0, 0,	"ICCN OCCN" },
	{ 46, 0, 1, 7,	"CDN" },
};

/* Section 6: what must be there beside the Message Type. */
static const struct { uint16_t type; const char *name, *needs; } sections[] = {
	{ 1,  "SCCRQ",	 "2 3 7 9" },
	{ 2,  "SCCRP",	 "2 3 7 9" },
	{ 3,  "SCCCN",	 "" },
	{ 4,  "StopCCN", "" },		/* 6.4 and 6.12 name some: an end is taken without */
	{ 6,  "HELLO",	 "" },
	{ 7,  "OCRQ",	 "14 15 16 17 18 19 21" },
	{ 8,  "OCRP",	 "14" },
	{ 9,  "OCCN",	 "19 24" },
	{ 10, "ICRQ",	 "14 15" },
	{ 11, "ICRP",	 "14" },
	{ 12, "ICCN",	 "19 24" },
	{ 14, "CDN",	 "" },
	{ 15, "WEN",	 "34" },
	{ 16, "SLI",	 "35" },
};

/* Is `word` one of the words of `list`? */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += len)
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == 0))
			return true;
	return false;
}

static bool needs(unsigned section, uint16_t type)
{
	char word[8];

	snprintf(word, sizeof(word), "%u", type);
	return has_word(sections[section].needs, word);
}

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

/* An AVP with a legal value made of its own type. */
static void put_legal(struct wr *w, const struct rfc_row *row, bool m)
{
	uint8_t value[32];

	memset(value, row->type, sizeof(value));
	l2tp_avp_put(w, m, 0, row->type, bytes_of(value, row->len));
}

static void put_needed(struct wr *w, unsigned section, uint16_t but)
{
	for (unsigned i = 0; i < ARRAY_LEN(rfc); i++)
		if (rfc[i].type != but && needs(section, rfc[i].type))
			put_legal(w, &rfc[i], rfc[i].m);
}

/* Each attribute in each message: kept where it belongs; elsewhere skipped, or refused for two of them. */
static void rows_agree_with_the_rfc(void **state)
{
	(void)state;
	for (unsigned s = 0; s < ARRAY_LEN(sections); s++) {
		assert_string_equal(l2tp_type_name(sections[s].type), sections[s].name);
		for (unsigned i = 0; i < ARRAY_LEN(rfc); i++) {
			const struct rfc_row *row = &rfc[i];
			bool belongs = has_word(row->where, sections[s].name);
			struct l2tp_msg msg;
			struct wr w;

			if (row->type == 0 || row->type == 36)
				continue;
			assert_string_not_equal(avp_name(row->type), "unknown");
			begin(&w, sections[s].type);
			put_needed(&w, s, row->type);
			put_legal(&w, row, true);
			enum why why = decode(&w, &msg);

			if (!belongs && (row->type == 1 || row->type == 39)) {
				assert_int_equal(why, WHY_AVP_PLACE);
				assert_int_equal(msg.culprit, row->type);
				continue;
			}
			assert_int_equal(why, WHY_OK);
			assert_int_equal(msg.culprit, AVPS);
			assert_int_equal((bool)(msg.present & AVP_BIT(row->type)), belongs);
		}
	}
}

static void lengths_agree_with_the_rfc(void **state)
{
	static const uint16_t open_ended[] = {
		1, 7, 8, 11, 12, 21, 22, 23, 24, 26, 27, 28, 30, 31, 33, 37, 38, 46,
	};
	static const uint8_t digits[] = "1234567890123456789012345";

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rfc); i++)
		for (unsigned s = 0; s < ARRAY_LEN(sections); s++) {
			const struct rfc_row *row = &rfc[i];
			bool open = false;

			if (!has_word(row->where, sections[s].name))
				continue;
			for (unsigned k = 0; k < ARRAY_LEN(open_ended); k++)
				open |= open_ended[k] == row->type;
			for (uint32_t len = 0; len < 24 && !open; len++) {
				struct l2tp_msg msg;
				struct wr w;

				/* A wrong length is refused if mandatory, else it is as if not there. */
				begin(&w, sections[s].type);
				put_needed(&w, s, row->type);
				l2tp_avp_put(&w, true, 0, row->type, bytes_of(digits, len));
				assert_int_equal(decode(&w, &msg), len == row->len ? WHY_OK : WHY_AVP_VALUE);
				if (len == row->len || needs(s, row->type))
					continue;
				begin(&w, sections[s].type);
				put_needed(&w, s, row->type);
				l2tp_avp_put(&w, false, 0, row->type, bytes_of(digits, len));
				assert_int_equal(decode(&w, &msg), WHY_OK);
				assert_false(msg.present & AVP_BIT(row->type));
			}
		}
}

/* What the rows say of M and H is seen in what is written; what is written decodes to what was meant. */
static void every_message_round_trips(void **state)
{
	static const uint8_t vector[] = { 1, 2, 3, 4, 5 };
	struct bytes secret = bytes_str("secret");

	(void)state;
	for (unsigned s = 0; s < ARRAY_LEN(sections); s++)
		for (unsigned hide = 0; hide < 2; hide++) {
			static uint8_t room[2048];
			struct l2tp_msg msg, again;
			struct wr from, to = wr_of(room, sizeof(room));
			struct l2tp_avp avp;
			struct rd r;

			begin(&from, sections[s].type);
			for (unsigned i = 0; i < ARRAY_LEN(rfc); i++)
				if (has_word(rfc[i].where, sections[s].name))
					put_legal(&from, &rfc[i], rfc[i].m);
			assert_int_equal(decode(&from, &msg), WHY_OK);
			if (hide)
				l2tp_msg_encode_hidden(&msg, secret, bytes_of(vector, sizeof(vector)), &to);
			else
				l2tp_msg_encode(&msg, &to);
			assert_true(wr_ok(&to));
			for (r = rd_bytes(wr_bytes_of(&to)); rd_left(&r) > 0;) {
				assert_int_equal(l2tp_avp_next(&r, &avp), WHY_OK);
				for (unsigned i = 0; i < ARRAY_LEN(rfc); i++)
					if (rfc[i].type == avp.type) {
						assert_int_equal(avp.mandatory, rfc[i].m);
						assert_int_equal(avp.hidden, hide && rfc[i].h);
					}
			}
			if (!hide) {
				/* Octet for octet, as both walk the attributes in order; but Proxy-Authen-Id
				 * and ACCM are written with their reserved octets zero. */
				assert_int_equal(wr_len(&to), wr_len(&from));
				if (msg.type != L2TP_ICCN && msg.type != L2TP_SLI)
					assert_memory_equal(room, from.start, wr_len(&from));
			}
			assert_int_equal(l2tp_msg_decode(wr_bytes_of(&to), secret, scratch, &again), WHY_OK);
			if (hide)
				again.present &= ~AVP_BIT(AVP_RANDOM_VECTOR);
			assert_int_equal(again.present, msg.present);
			assert_int_equal(again.framing_type, msg.framing_type);
			assert_int_equal(again.tie_breaker, msg.tie_breaker);
			assert_int_equal(again.assigned_sid, msg.assigned_sid);
			assert_int_equal(again.proxy_id, msg.proxy_id);
			assert_int_equal(again.accm_receive, msg.accm_receive);
			assert_int_equal(again.disconnect_protocol, msg.disconnect_protocol);
			assert_true(bytes_eq(again.disconnect_message, msg.disconnect_message));
			assert_true(bytes_eq(again.host_name, msg.host_name));
			assert_true(bytes_eq(again.calling, msg.calling));
			assert_true(bytes_eq(again.call_errors, msg.call_errors));
		}
}

static void required_attributes_are_missed(void **state)
{
	(void)state;
	for (unsigned s = 0; s < ARRAY_LEN(sections); s++)
		for (unsigned i = 0; i < ARRAY_LEN(rfc); i++) {
			struct l2tp_msg msg;
			struct wr w;

			if (!needs(s, rfc[i].type))
				continue;
			begin(&w, sections[s].type);
			put_needed(&w, s, rfc[i].type);
			assert_int_equal(decode(&w, &msg), WHY_AVP_MISSING);
			assert_int_equal(msg.culprit, rfc[i].type);
		}
}

static void repeats_are_refused(void **state)
{
	(void)state;
	for (unsigned s = 0; s < ARRAY_LEN(sections); s++)
		for (unsigned i = 0; i < ARRAY_LEN(rfc); i++) {
			struct l2tp_msg msg;
			struct wr w;

			if (!has_word(rfc[i].where, sections[s].name))
				continue;
			begin(&w, sections[s].type);
			put_legal(&w, &rfc[i], false);
			put_legal(&w, &rfc[i], false);
			assert_int_equal(decode(&w, &msg), WHY_AVP_PLACE);
			assert_int_equal(msg.culprit, rfc[i].type);
		}
	struct l2tp_msg msg;
	struct wr w;

	begin(&w, L2TP_HELLO);
	l2tp_avp_put(&w, true, 0, 0, bytes_of("\0\4", 2));
	assert_int_equal(decode(&w, &msg), WHY_AVP_PLACE);
	assert_int_equal(msg.type, L2TP_HELLO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_agree_with_the_rfc),
		cmocka_unit_test(lengths_agree_with_the_rfc),
		cmocka_unit_test(every_message_round_trips),
		cmocka_unit_test(required_attributes_are_missed),
		cmocka_unit_test(repeats_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
