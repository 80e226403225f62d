/*
 * Goal: any protocol that is an option table and policy rows negotiates as RFC 1661 sections 4.6 and 5
 * say: identifiers, Restart counter, Max-Failure, valid replies, what is rejected, Naked, acknowledged.
 * Method: a toy protocol of three options, in IPCP's place; packets by hand, everything sent compared.
 */
#include "tests/unit/ppp_line.h"
#include "l2tpns/core/ppp_neg.h"

enum { SIZE = 1, KEY = 2, FLAG = 3, MUTE = 4 };

static const struct opt_row toy_options_row[] = {
	[SIZE] = { "size", OPT_U16, 2, 2 }, [KEY] = { "key", OPT_U32, 4, 4 },
	[FLAG] = { "flag", OPT_FLAG, 0, 0 }, [MUTE] = { "mute", OPT_BYTES, 0, 253 },
};
static const struct opt_table toy_options = { "TOY", toy_options_row, ARRAY_LEN(toy_options_row) };

static struct line line;
static uint16_t our_size, taken_size;
static bool taken_flag, needs_size, give_up_key;
static unsigned ups, downs, finishes, hopelesses, terminations;
static enum why other_why;

static uint16_t u16(struct bytes b)
{
	return (uint16_t)(b.p[0] << 8 | b.p[1]);
}

static bool size_ask(const struct ppp *ppp, const struct ppp_env *env, struct wr *value)
{
	(void)ppp, (void)env;
	wr_u16(value, our_size);
	return our_size != 0;
}

static enum neg_next size_naked(struct ppp *ppp, struct ppp_env *env, struct bytes value)
{
	(void)ppp, (void)env;
	our_size = u16(value);
	return our_size ? NEG_AGAIN : NEG_DROP;
}

static enum neg_verdict size_judge(struct ppp *ppp, struct ppp_env *env, bool fits, struct bytes value,
				   struct wr *better)
{
	(void)ppp, (void)env;
	if (fits && u16(value) == 0xffff)
		return NEG_LOOPED;
	if (fits && u16(value) <= 9)
		return NEG_ACK;
	wr_u16(better, 9);
	return fits && u16(value) == 0xfffe ? NEG_NAK_ALONE : NEG_NAK;
}

static void size_take(struct ppp *ppp, const struct ppp_env *env, struct bytes value)
{
	(void)ppp, (void)env;
	taken_size = u16(value);
}

static bool size_missed(const struct ppp *ppp, const struct ppp_env *env, struct wr *better)
{
	(void)ppp, (void)env;
	wr_u16(better, 5);
	return needs_size;
}

static bool key_ask(const struct ppp *ppp, const struct ppp_env *env, struct wr *value)
{
	(void)ppp, (void)env;
	wr_u32(value, 0xabcd);
	return true;
}

static enum neg_next key_rejected(struct ppp *ppp, struct ppp_env *env)
{
	(void)ppp, (void)env;
	return give_up_key ? NEG_GIVE_UP : NEG_DROP;
}

static enum neg_verdict flag_judge(struct ppp *ppp, struct ppp_env *env, bool fits, struct bytes value,
				   struct wr *better)
{
	(void)ppp, (void)env, (void)value, (void)better;
	return fits ? NEG_ACK : NEG_NAK;
}

static void flag_take(struct ppp *ppp, const struct ppp_env *env, struct bytes value)
{
	(void)ppp, (void)env, (void)value;
	taken_flag = true;
}

static const struct neg_row toy_row[] = {
	{ SIZE, .ask = size_ask, .naked = size_naked, .judge = size_judge, .take = size_take,
		.missed = size_missed },
	{ KEY, .ask = key_ask, .rejected = key_rejected },
	{ FLAG, .judge = flag_judge, .take = flag_take },
};

static void toy_defaults(struct ppp *ppp, const struct ppp_env *env)
{
	(void)ppp, (void)env;
	taken_size = 1;
	taken_flag = false;
}

static void toy_up(struct ppp *ppp, struct ppp_env *env)
{
	(void)ppp, (void)env;
	ups++;
}

static void toy_down(struct ppp *ppp, struct ppp_env *env)
{
	(void)ppp, (void)env;
	downs++;
}

static void toy_finished(struct ppp *ppp, struct ppp_env *env)
{
	(void)ppp, (void)env;
	finishes++;
}

static void toy_hopeless(struct ppp *ppp, struct ppp_env *env, enum why why)
{
	(void)ppp, (void)env;
	hopelesses = (unsigned)why;
}

static void toy_terminated(struct ppp *ppp, struct ppp_env *env)
{
	(void)ppp, (void)env;
	terminations++;
}

static enum why toy_other(struct ppp *ppp, struct ppp_env *env, const struct ppp_cp *cp)
{
	(void)ppp, (void)env, (void)cp;
	return other_why;
}

static struct neg_proto toy = {
	.proto = PPP_IPCP, .at = offsetof(struct ppp, ipcp), .options = &toy_options, .row = toy_row,
	.rows = ARRAY_LEN(toy_row), .defaults = toy_defaults, .up = toy_up, .down = toy_down,
	.finished = toy_finished, .hopeless = toy_hopeless, .terminated = toy_terminated, .other = toy_other,
};

#define OURS	"0104 0007 0206 0000abcd"	/* our request as long as nobody objects */

static struct ppp_neg *neg(void)
{
	return &line.ppp.ipcp;
}

static int begin(void **state)
{
	(void)state;
	line_conf(&line);
	line.ppp = (struct ppp){ .phase = PPP_NETWORK, .peer_mru = 1500 };
	toy.eager = false;
	our_size = 7;
	taken_flag = needs_size = give_up_key = false;
	ups = downs = finishes = hopelesses = terminations = 0;
	other_why = WHY_PPP_CODE;
	neg_init(&line.ppp, &toy);
	return 0;
}

static void up(void)
{
	neg_event(&line.ppp, &line.env, &toy, FSM_EV_OPEN);
	neg_event(&line.ppp, &line.env, &toy, FSM_EV_UP);
	sends(&line, PPP_IPCP, CP_CONFREQ, 1, OURS);
}

static enum why hears(uint8_t code, uint8_t id, const char *data)
{
	uint8_t room[4096];
	struct wr w = wr_of(room, sizeof(room));
	size_t mark = ppp_cp_begin(&w, code, id);

	line_keeps(&line);
	wr_bytes(&w, hex(data));
	ppp_cp_end(&w, mark);
	return neg_received(&line.ppp, &line.env, &toy, wr_bytes_of(&w));
}

static void waits(uint64_t ms)
{
	line_keeps(&line);
	line.env.now = mono_add(line.env.now, DUR_MS(ms));
	neg_timed_out(&line.ppp, &line.env, &toy);
}

static void opens(void)
{
	up();
	assert_int_equal(hears(CP_CONFREQ, 40, "0104 0002"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFACK, 40, "0104 0002");
	assert_int_equal(neg()->state, FSM_ACKSENT);
	assert_int_equal(hears(CP_CONFACK, 1, OURS), WHY_OK);
	assert_int_equal(neg()->state, FSM_OPENED);
	assert_int_equal(ups, 1);
	assert_int_equal(neg()->due.us, UINT64_MAX);
}

/* Section 4.6: Max-Configure requests, a Restart time apart, with one identifier; then finished. */
static void requests_are_repeated(void **state)
{
	(void)state;
	up();
	for (unsigned i = 1; i < 10; i++) {
		waits(999);
		sends_nothing(&line);
		waits(1);
		sends(&line, PPP_IPCP, CP_CONFREQ, 1, OURS);
		assert_int_equal(finishes, 0);
	}
	waits(1000);
	sends_nothing(&line);
	assert_int_equal(finishes, 1);
	assert_int_equal(neg()->state, FSM_STOPPED);
	waits(100000);
	sends_nothing(&line);
}

static void both_orders_open(void **state)
{
	(void)state;
	opens();
	assert_int_equal(taken_size, 2);
	begin(NULL);
	up();
	assert_int_equal(hears(CP_CONFACK, 1, OURS), WHY_OK);
	assert_int_equal(neg()->state, FSM_ACKRCVD);
	assert_int_equal(hears(CP_CONFREQ, 40, "0302"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFACK, 40, "0302");
	assert_int_equal(neg()->state, FSM_OPENED);
	assert_true(taken_flag);
	assert_int_equal(taken_size, 1);		/* not asked: the default holds */
}

static void eager_repeats_once(void **state)
{
	(void)state;
	toy.eager = true;
	up();
	waits(100);						/* it has started only now */
	assert_int_equal(hears(CP_CONFREQ, 40, "0104 0002"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREQ, 1, OURS);	/* before the Ack, with the same identifier */
	sends(&line, PPP_IPCP, CP_CONFACK, 40, "0104 0002");
	assert_int_equal(hears(CP_CONFREQ, 41, "0104 0002"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFACK, 41, "0104 0002");
	sends_nothing(&line);
	begin(NULL);
	toy.eager = true;
	up();
	waits(19);						/* it was there all the time */
	assert_int_equal(hears(CP_CONFREQ, 40, "0104 0002"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFACK, 40, "0104 0002");
	sends_nothing(&line);
}

/* Sections 5.2 to 5.4: an invalid reply is silently discarded. */
static void replies_must_match(void **state)
{
	(void)state;
	up();
	assert_int_equal(hears(CP_CONFACK, 2, OURS), WHY_PPP_ID);
	assert_int_equal(hears(CP_CONFNAK, 0, "0104 0003"), WHY_PPP_ID);
	assert_int_equal(hears(CP_CONFACK, 1, "0104 0007"), WHY_PPP_OPTION_VALUE);
	assert_int_equal(hears(CP_CONFACK, 1, "0104 0008 0206 0000abcd"), WHY_PPP_OPTION_VALUE);
	assert_int_equal(hears(CP_CONFACK, 1, "0206 0000abcd 0104 0007"), WHY_PPP_OPTION_VALUE);
	assert_int_equal(hears(CP_CONFACK, 1, OURS "0302"), WHY_PPP_OPTION_VALUE);
	assert_int_equal(hears(CP_CONFACK, 1, "01"), WHY_PPP_OPTION_LEN);
	assert_int_equal(hears(CP_CONFNAK, 1, ""), WHY_PPP_OPTION_VALUE);
	assert_int_equal(hears(CP_CONFNAK, 1, "0103 00"), WHY_PPP_OPTION_VALUE);
	assert_int_equal(hears(CP_CONFREJ, 1, ""), WHY_PPP_OPTION_VALUE);
	assert_int_equal(hears(CP_CONFREJ, 1, "0104 0008"), WHY_PPP_OPTION_VALUE);
	assert_int_equal(hears(CP_CONFREJ, 1, "0302"), WHY_PPP_OPTION_VALUE);
	assert_int_equal(hears(CP_CONFREJ, 1, "0206 0000abcd 0104 0007"), WHY_PPP_OPTION_VALUE);
	assert_int_equal(neg()->state, FSM_REQSENT);
	sends_nothing(&line);
	assert_int_equal(hears(CP_CONFACK, 1, OURS), WHY_OK);
	assert_int_equal(neg()->state, FSM_ACKRCVD);
	assert_int_equal(hears(CP_CONFACK, 1, OURS), WHY_PPP_ID);	/* delivered twice */
	assert_int_equal(neg()->state, FSM_ACKRCVD);
	waits(1000);
	sends(&line, PPP_IPCP, CP_CONFREQ, 2, OURS);	/* the first was answered: a new identifier */
}

static void opened_survives_stale_replies(void **state)
{
	(void)state;
	opens();
	assert_int_equal(hears(CP_CONFACK, 1, OURS), WHY_PPP_ID);
	assert_int_equal(hears(CP_CONFNAK, 1, "0104 0001"), WHY_PPP_ID);
	assert_int_equal(hears(CP_CONFREJ, 1, "0104 0007"), WHY_PPP_ID);
	assert_int_equal(neg()->state, FSM_OPENED);
	sends_nothing(&line);
}

static void naks_change_our_mind(void **state)
{
	(void)state;
	up();
	assert_int_equal(hears(CP_CONFNAK, 1, "0104 0003 0104 0004 0302"), WHY_OK);	/* the first counts */
	sends(&line, PPP_IPCP, CP_CONFREQ, 2, "0104 0003 0206 0000abcd");
	assert_int_equal(hears(CP_CONFNAK, 2, "0206 11111111"), WHY_OK);	/* we insist on the key */
	sends(&line, PPP_IPCP, CP_CONFREQ, 3, "0104 0003 0206 0000abcd");
	assert_int_equal(hears(CP_CONFNAK, 3, "0104 0000"), WHY_OK);			/* do without */
	sends(&line, PPP_IPCP, CP_CONFREQ, 4, "0206 0000abcd");
	assert_int_equal(hears(CP_CONFACK, 4, "0206 0000abcd"), WHY_OK);
	assert_int_equal(neg()->state, FSM_ACKRCVD);
}

static void naks_do_not_go_on_for_ever(void **state)
{
	(void)state;
	up();
	for (uint8_t id = 1; id <= 5; id++) {
		assert_int_equal(hears(CP_CONFNAK, id, "0206 11111111"), WHY_OK);
		sends(&line, PPP_IPCP, CP_CONFREQ, (uint8_t)(id + 1), OURS);
	}
	assert_int_equal(hears(CP_CONFNAK, 6, "0206 11111111"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREQ, 7, "0104 0007");
}

static void rejects_drop_options(void **state)
{
	(void)state;
	up();
	assert_int_equal(hears(CP_CONFREJ, 1, "0206 0000abcd"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREQ, 2, "0104 0007");
	assert_int_equal(hears(CP_CONFREJ, 2, "0104 0007"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREQ, 3, "");
	assert_int_equal(hears(CP_CONFACK, 3, ""), WHY_OK);
	begin(NULL);
	give_up_key = true;
	up();
	assert_int_equal(hears(CP_CONFREJ, 1, OURS), WHY_OK);
	assert_int_equal(hopelesses, WHY_PPP_OPTION_VALUE);
	sends_nothing(&line);
}

/* Section 5.3 and 5.4: a Reject holds only what is rejected, and comes before any Nak. */
static void requests_are_answered(void **state)
{
	(void)state;
	up();
	assert_int_equal(hears(CP_CONFREQ, 1, "0104 00ff 0906 01020304 0302 0206 00000000"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREJ, 1, "0906 01020304 0206 00000000");
	assert_int_equal(hears(CP_CONFREQ, 2, "0104 00ff 0302"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFNAK, 2, "0104 0009");
	assert_int_equal(hears(CP_CONFREQ, 3, "0105 000000 0304 0000"), WHY_OK);	/* wrong lengths */
	sends(&line, PPP_IPCP, CP_CONFNAK, 3, "0104 0009 0302");
	assert_int_equal(hears(CP_CONFREQ, 4, "0404 0000"), WHY_OK);			/* known, no policy */
	sends(&line, PPP_IPCP, CP_CONFREJ, 4, "0404 0000");
	assert_int_equal(neg()->state, FSM_REQSENT);
	assert_int_equal(hears(CP_CONFREQ, 5, ""), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFACK, 5, "");
	assert_int_equal(neg()->state, FSM_ACKSENT);
}

static void requests_malformed(void **state)
{
	(void)state;
	up();
	assert_int_equal(hears(CP_CONFREQ, 1, "01"), WHY_PPP_OPTION_LEN);
	assert_int_equal(hears(CP_CONFREQ, 1, "0101"), WHY_PPP_OPTION_LEN);
	assert_int_equal(hears(CP_CONFREQ, 1, "0105 0000"), WHY_PPP_OPTION_LEN);
	assert_int_equal(hears(CP_CONFREQ, 1, "0104 0001 0104 0001"), WHY_PPP_OPTION_VALUE);	/* twice */
	assert_int_equal(neg_received(&line.ppp, &line.env, &toy, hex("01 01 0003")), WHY_PPP_LEN);
	sends_nothing(&line);

	static uint8_t octets[4 + 1600];
	struct wr w = wr_of(octets, sizeof(octets));
	size_t mark = ppp_cp_begin(&w, CP_CONFREQ, 1);

	while (wr_len(&w) < 1500)
		wr_u16(&w, 0x0902);
	ppp_cp_end(&w, mark);
	line_keeps(&line);
	assert_int_equal(neg_received(&line.ppp, &line.env, &toy, wr_bytes_of(&w)), WHY_OK);
	assert_int_equal(sends_some(&line, PPP_IPCP, CP_CONFREJ).data.len, 1496);	/* 748 options */
	wr_u16(&w, 0x0902);
	ppp_cp_end(&w, mark);
	line_keeps(&line);
	assert_int_equal(neg_received(&line.ppp, &line.env, &toy, wr_bytes_of(&w)), WHY_PPP_LEN);
	sends_nothing(&line);
}

static void missing_options_are_naked(void **state)
{
	(void)state;
	needs_size = true;
	up();
	assert_int_equal(hears(CP_CONFREQ, 1, "0302"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFNAK, 1, "0104 0005");
	for (uint8_t id = 2; id <= 5; id++) {
		assert_int_equal(hears(CP_CONFREQ, id, "0302"), WHY_OK);
		sends(&line, PPP_IPCP, CP_CONFNAK, id, "0104 0005");
	}
	assert_int_equal(hears(CP_CONFREQ, 6, "0302"), WHY_OK);		/* Max-Failure: it may be missing */
	sends(&line, PPP_IPCP, CP_CONFACK, 6, "0302");
}

/* Section 4.6: after Max-Failure Naks without an Ack, Reject. */
static void naks_turn_into_rejects(void **state)
{
	(void)state;
	up();
	for (uint8_t id = 1; id <= 5; id++) {
		assert_int_equal(hears(CP_CONFREQ, id, "0104 00ff"), WHY_OK);
		sends(&line, PPP_IPCP, CP_CONFNAK, id, "0104 0009");
	}
	assert_int_equal(hears(CP_CONFREQ, 6, "0104 00ff 0302"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREJ, 6, "0104 00ff");
	assert_int_equal(hears(CP_CONFREQ, 7, "0302"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFACK, 7, "0302");
	assert_int_equal(hears(CP_CONFREQ, 8, "0104 00ff"), WHY_OK);	/* an Ack begins the count anew */
	sends(&line, PPP_IPCP, CP_CONFNAK, 8, "0104 0009");
}

static void special_verdicts(void **state)
{
	(void)state;
	up();
	assert_int_equal(hears(CP_CONFREQ, 1, "0905 000000 0104 fffe 0305 000000"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFNAK, 1, "0104 0009");		/* alone */
	assert_int_equal(hears(CP_CONFREQ, 2, "0104 ffff"), WHY_PPP_LOOPBACK);
	assert_int_equal(hopelesses, WHY_PPP_LOOPBACK);
	sends_nothing(&line);
}

static void a_request_reopens(void **state)
{
	(void)state;
	opens();
	assert_int_equal(hears(CP_CONFREQ, 41, "0104 0003"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREQ, 2, OURS);
	sends(&line, PPP_IPCP, CP_CONFACK, 41, "0104 0003");
	assert_int_equal(downs, 1);
	assert_int_equal(taken_size, 3);
	assert_int_equal(hears(CP_CONFACK, 2, OURS), WHY_OK);
	assert_int_equal(ups, 2);
	assert_int_equal(hears(CP_CONFREQ, 42, "0104 00ff"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREQ, 3, OURS);
	sends(&line, PPP_IPCP, CP_CONFNAK, 42, "0104 0009");
	assert_int_equal(downs, 2);
	assert_int_equal(neg()->state, FSM_REQSENT);
}

static void we_close(void **state)
{
	(void)state;
	opens();
	neg_event(&line.ppp, &line.env, &toy, FSM_EV_CLOSE);
	sends(&line, PPP_IPCP, CP_TERMREQ, 2, "");
	assert_int_equal(downs, 1);
	assert_int_equal(hears(CP_CONFREQ, 9, "0302"), WHY_OK);		/* not now */
	sends_nothing(&line);
	waits(1000);
	sends(&line, PPP_IPCP, CP_TERMREQ, 3, "");
	assert_int_equal(hears(CP_TERMREQ, 7, ""), WHY_OK);
	sends(&line, PPP_IPCP, CP_TERMACK, 7, "");
	assert_int_equal(finishes, 0);
	assert_int_equal(hears(CP_TERMACK, 3, ""), WHY_OK);
	assert_int_equal(finishes, 1);
	assert_int_equal(neg()->state, FSM_CLOSED);
	assert_int_equal(hears(CP_CONFREQ, 9, "0302"), WHY_OK);
	sends(&line, PPP_IPCP, CP_TERMACK, 9, "");			/* Closed: RFC 1661 4.1 */
	begin(NULL);
	opens();
	neg_event(&line.ppp, &line.env, &toy, FSM_EV_CLOSE);
	sends(&line, PPP_IPCP, CP_TERMREQ, 2, "");
	waits(1000);
	sends(&line, PPP_IPCP, CP_TERMREQ, 3, "");			/* Max-Terminate is 2 */
	waits(1000);
	sends_nothing(&line);
	assert_int_equal(finishes, 1);
}

static void the_peer_closes(void **state)
{
	(void)state;
	opens();
	assert_int_equal(hears(CP_TERMREQ, 7, "627965"), WHY_OK);
	sends(&line, PPP_IPCP, CP_TERMACK, 7, "");
	assert_int_equal(downs, 1);
	assert_int_equal(terminations, 1);
	assert_int_equal(neg()->state, FSM_STOPPING);
	waits(1000);
	assert_int_equal(finishes, 1);
	assert_int_equal(hears(CP_CONFREQ, 9, "0302"), WHY_OK);		/* Stopped: begins again */
	sends(&line, PPP_IPCP, CP_CONFREQ, 2, OURS);
	sends(&line, PPP_IPCP, CP_CONFACK, 9, "0302");
}

static void codes_are_rejected(void **state)
{
	(void)state;
	opens();
	assert_int_equal(hears(15, 7, "01020304"), WHY_PPP_CODE);
	sends(&line, PPP_IPCP, CP_CODEREJ, 1, "0f 07 0008 01020304");
	assert_int_equal(hears(0, 8, ""), WHY_PPP_CODE);
	sends(&line, PPP_IPCP, CP_CODEREJ, 2, "00 08 0004");
	line.ppp.peer_mru = 128;
	static uint8_t octets[1600] = { 99, 1, 1500 >> 8, 1500 & 255 };
	line_keeps(&line);
	assert_int_equal(neg_received(&line.ppp, &line.env, &toy, bytes_of(octets, sizeof(octets))),
			 WHY_PPP_CODE);
	assert_int_equal(sends_some(&line, PPP_IPCP, CP_CODEREJ).data.len, 124);
	other_why = WHY_OK;
	assert_int_equal(hears(15, 7, ""), WHY_OK);
	other_why = WHY_PPP_LEN;
	assert_int_equal(hears(15, 7, ""), WHY_PPP_LEN);
	sends_nothing(&line);
	assert_int_equal(neg()->state, FSM_OPENED);
}

static void code_rejects_are_heard(void **state)
{
	(void)state;
	opens();
	assert_int_equal(hears(CP_CODEREJ, 1, "0901 00"), WHY_PPP_LEN);
	assert_int_equal(hears(CP_CODEREJ, 1, "0901 0004"), WHY_OK);	/* Echo-Request: may be missing */
	assert_int_equal(neg()->state, FSM_OPENED);
	assert_int_equal(hears(CP_CODEREJ, 1, "0101 0004"), WHY_OK);	/* Configure-Request: may not */
	assert_int_equal(neg()->state, FSM_STOPPING);
	assert_int_equal(downs, 1);
	sends(&line, PPP_IPCP, CP_TERMREQ, 2, "");
	begin(NULL);
	up();
	assert_int_equal(hears(CP_CODEREJ, 1, "0701 0004"), WHY_OK);
	assert_int_equal(finishes, 1);
}

static void not_up_hears_nothing(void **state)
{
	(void)state;
	assert_int_equal(hears(CP_CONFREQ, 1, "0302"), WHY_PPP_PHASE);
	neg_event(&line.ppp, &line.env, &toy, FSM_EV_OPEN);
	assert_int_equal(hears(CP_CONFREQ, 1, "0302"), WHY_PPP_PHASE);
	neg_event(&line.ppp, &line.env, &toy, FSM_EV_UP);
	neg_event(&line.ppp, &line.env, &toy, FSM_EV_DOWN);
	assert_int_equal(neg()->state, FSM_STARTING);
	assert_int_equal(neg()->due.us, UINT64_MAX);
	assert_int_equal(hears(CP_CONFREQ, 1, "0302"), WHY_PPP_PHASE);
}

static void options_somebody_else_settled(void **state)
{
	(void)state;
	assert_false(neg_options_taken(&line.ppp, &line.env, &toy, hex("0104 00ff")));
	assert_false(neg_options_taken(&line.ppp, &line.env, &toy, hex("0104 0001 0902")));
	assert_false(neg_options_taken(&line.ppp, &line.env, &toy, hex("0104 0001 03")));
	assert_false(neg_options_taken(&line.ppp, &line.env, &toy, hex("0104 0001 0104 0001")));
	assert_true(neg_options_taken(&line.ppp, &line.env, &toy, hex("0104 0004 0302")));
	assert_int_equal(taken_size, 4);
	assert_true(taken_flag);
	neg_adopted(&line.ppp, &toy);
	assert_int_equal(hears(CP_CONFACK, 0, OURS), WHY_PPP_ID);	/* nothing of ours is outstanding */
	assert_int_equal(neg()->state, FSM_OPENED);
	assert_int_equal(hears(CP_CONFREQ, 1, "0302"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREQ, 1, OURS);
	sends(&line, PPP_IPCP, CP_CONFACK, 1, "0302");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(requests_are_repeated, begin),
		cmocka_unit_test_setup(both_orders_open, begin),
		cmocka_unit_test_setup(eager_repeats_once, begin),
		cmocka_unit_test_setup(replies_must_match, begin),
		cmocka_unit_test_setup(opened_survives_stale_replies, begin),
		cmocka_unit_test_setup(naks_change_our_mind, begin),
		cmocka_unit_test_setup(naks_do_not_go_on_for_ever, begin),
		cmocka_unit_test_setup(rejects_drop_options, begin),
		cmocka_unit_test_setup(requests_are_answered, begin),
		cmocka_unit_test_setup(requests_malformed, begin),
		cmocka_unit_test_setup(missing_options_are_naked, begin),
		cmocka_unit_test_setup(naks_turn_into_rejects, begin),
		cmocka_unit_test_setup(special_verdicts, begin),
		cmocka_unit_test_setup(a_request_reopens, begin),
		cmocka_unit_test_setup(we_close, begin),
		cmocka_unit_test_setup(the_peer_closes, begin),
		cmocka_unit_test_setup(codes_are_rejected, begin),
		cmocka_unit_test_setup(code_rejects_are_heard, begin),
		cmocka_unit_test_setup(not_up_hears_nothing, begin),
		cmocka_unit_test_setup(options_somebody_else_settled, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
