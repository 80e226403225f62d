/*
 * Goal: LCP asks and accepts what an LNS should (RFC 1661 section 6), finds looped-back lines, answers and
 * sends echoes, and takes over a LAC's negotiation exactly when it could have agreed to it.
 * Method: a peer played by hand; everything sent is compared, time moves only when told.
 */
#include "tests/unit/ppp_line.h"
#include "l2tpns/core/ppp_lcp.h"

static struct line line;

static int begin(void **state)
{
	(void)state;
	line_conf(&line);
	return 0;
}

/* The value of one option in our Configure-Request; empty with p NULL when it is not there. */
static struct bytes asked(struct sent sent, uint8_t type)
{
	struct rd r = rd_bytes(sent.data);
	struct ppp_opt opt;

	assert_int_equal(sent.code, CP_CONFREQ);
	while (rd_left(&r) > 0) {
		assert_int_equal(ppp_opt_next(&r, &opt), WHY_OK);
		if (opt.type == type)
			return opt.value;
	}
	return (struct bytes){ 0 };
}

static struct sent request(void)
{
	return sends_some(&line, PPP_LCP, CP_CONFREQ);
}

static enum why lcp(uint8_t code, uint8_t id, const char *data)
{
	return line_hears(&line, PPP_LCP, code, id, data);
}

static void our_request(void **state)
{
	struct sent sent;

	(void)state;
	line_starts(&line, NULL);
	sent = request();
	assert_true(bytes_eq(asked(sent, LCP_MRU), hex("05b4")));
	assert_true(bytes_eq(asked(sent, LCP_AUTH), hex("c023")));
	assert_int_equal(asked(sent, LCP_MAGIC).len, 4);
	assert_int_equal(sent.data.len, 4 + 4 + 6);		/* and nothing else: no ACCM, PFC, ACFC */
	line.conf.mru = 1500;					/* the default needs no option */
	line.conf.auth[0] = AUTH_MSCHAPV2;
	line_starts(&line, NULL);
	sent = request();
	assert_int_equal(asked(sent, LCP_MRU).len, 0);
	assert_true(bytes_eq(asked(sent, LCP_AUTH), hex("c22381")));
	line.conf.auth[0] = AUTH_CHAP_MD5;
	line_starts(&line, NULL);
	assert_true(bytes_eq(asked(request(), LCP_AUTH), hex("c22305")));
	line.conf.auths = 0;
	line_starts(&line, NULL);
	assert_null(asked(request(), LCP_AUTH).p);
}

static void what_the_peer_may_have(void **state)
{
	(void)state;
	line_starts(&line, NULL);
	assert_int_equal(line.ppp.peer_mru, 1460);
	line_opens_lcp(&line, "0104 0578 0206 ffffffff 0506 01020304 0702 0802");
	assert_int_equal(line.ppp.peer_mru, 1400);
	assert_int_equal(line.ppp.peer_magic, 0x01020304);
	assert_true(line.ppp.pfc && line.ppp.acfc);
	line_starts(&line, NULL);
	line_opens_lcp(&line, "0104 05dc 0206 00000000");
	assert_int_equal(line.ppp.peer_mru, 1460);		/* not more than we send anyway */
	assert_false(line.ppp.pfc || line.ppp.acfc);
	line_starts(&line, NULL);
	line_opens_lcp(&line, "");
	assert_int_equal(line.ppp.peer_mru, 1460);
	assert_int_equal(line.ppp.peer_magic, 0);
}

static void what_the_peer_may_not_have(void **state)
{
	static const char *const reject[] = {
		"0304 c023", "0305 c22305", "0408 c025 00000000", "0903 02", "0d03 06", "1104 05dc", "1202",
		"1309 03 010203040506", "1704 0001", "0f02", "6304 abcd",
	};

	(void)state;
	line_starts(&line, NULL);
	request();
	assert_int_equal(lcp(CP_CONFREQ, 0, "0104 007f"), WHY_OK);
	sends(&line, PPP_LCP, CP_CONFNAK, 0, "0104 0080");
	for (uint8_t i = 0; i < ARRAY_LEN(reject); i++) {
		assert_int_equal(lcp(CP_CONFREQ, i, reject[i]), WHY_OK);
		sends(&line, PPP_LCP, CP_CONFREJ, i, reject[i]);
	}
	assert_int_equal(lcp(CP_CONFREQ, 1, "0103 00 0204 0000 0703 00 0803 00"), WHY_OK);	/* lengths */
	sends(&line, PPP_LCP, CP_CONFNAK, 1, "0104 05b4 0206 00000000 0702 0802");
	assert_int_equal(lcp(CP_CONFREQ, 2, "0506 00000000"), WHY_OK);
	struct sent nak = sends_some(&line, PPP_LCP, CP_CONFNAK);
	assert_int_equal(nak.data.len, 6);
	assert_memory_not_equal(nak.data.p + 2, "\0\0\0\0", 4);
	assert_int_equal(lcp(CP_CONFREQ, 3, "0104 0080"), WHY_OK);
	sends(&line, PPP_LCP, CP_CONFACK, 3, "0104 0080");
	assert_int_equal(line.ppp.peer_mru, 128);
}

static void auth_method_of_the_peers_choice(void **state)
{
	(void)state;
	line.conf.auths = 3;
	line.conf.auth[0] = AUTH_MSCHAPV2;
	line.conf.auth[1] = AUTH_CHAP_MD5;
	line.conf.auth[2] = AUTH_PAP;
	line_starts(&line, NULL);
	assert_true(bytes_eq(asked(request(), LCP_AUTH), hex("c22381")));
	assert_int_equal(lcp(CP_CONFNAK, 1, "0304 c023"), WHY_OK);	/* its wish, not our next */
	assert_true(bytes_eq(asked(request(), LCP_AUTH), hex("c023")));
	assert_int_equal(lcp(CP_CONFNAK, 2, "0305 c22381"), WHY_OK);	/* refused before: our next */
	assert_true(bytes_eq(asked(request(), LCP_AUTH), hex("c22305")));
	assert_int_equal(line_happened(&line), 0);
	assert_int_equal(lcp(CP_CONFNAK, 3, "0304 c227"), WHY_OK);	/* nothing left */
	assert_int_equal(line_happened(&line), PPP_HAS_ENDED);
	assert_int_equal(line.env.end, PPP_END_AUTH_FAILED);
	sends(&line, PPP_LCP, CP_TERMREQ, 4, "");
	sends_nothing(&line);
}

static void auth_unknown_method_wished(void **state)
{
	(void)state;
	line.conf.auths = 2;
	line.conf.auth[0] = AUTH_PAP;
	line.conf.auth[1] = AUTH_CHAP_MD5;
	line_starts(&line, NULL);
	request();
	assert_int_equal(lcp(CP_CONFNAK, 1, "0304 c227"), WHY_OK);	/* EAP */
	assert_true(bytes_eq(asked(request(), LCP_AUTH), hex("c22305")));
	assert_int_equal(line_happened(&line), 0);
}

static void auth_rejected(void **state)
{
	(void)state;
	line_starts(&line, NULL);
	request();
	assert_int_equal(lcp(CP_CONFREJ, 1, "0304 c023"), WHY_OK);
	assert_int_equal(line_happened(&line), PPP_HAS_ENDED);
	assert_int_equal(line.env.end, PPP_END_AUTH_FAILED);
	sends_some(&line, PPP_LCP, CP_TERMREQ);
	assert_int_equal(line.ppp.due.us, UINT64_MAX);
	assert_int_equal(lcp(CP_CONFREQ, 1, ""), WHY_PPP_PHASE);
}

static void mru_naked(void **state)
{
	(void)state;
	line_starts(&line, NULL);
	request();
	assert_int_equal(lcp(CP_CONFNAK, 1, "0104 0578"), WHY_OK);	/* less will do */
	assert_true(bytes_eq(asked(request(), LCP_MRU), hex("0578")));
	assert_int_equal(lcp(CP_CONFNAK, 2, "0104 05dc"), WHY_OK);	/* more will not */
	assert_true(bytes_eq(asked(request(), LCP_MRU), hex("0578")));
	assert_int_equal(lcp(CP_CONFNAK, 3, "0104 0040"), WHY_OK);	/* nor this */
	assert_true(bytes_eq(asked(request(), LCP_MRU), hex("0578")));
	assert_int_equal(lcp(CP_CONFREJ, 4, "0104 0578"), WHY_OK);
	assert_null(asked(request(), LCP_MRU).p);
}

static void magic_naked_and_rejected(void **state)
{
	uint32_t first;
	char option[32];

	(void)state;
	line_starts(&line, NULL);
	request();
	first = line.ppp.our_magic;
	assert_int_equal(lcp(CP_CONFNAK, 1, "0506 0a0b0c0d"), WHY_OK);
	request();
	assert_int_not_equal(line.ppp.our_magic, first);
	assert_int_not_equal(line.ppp.our_magic, 0x0a0b0c0d);
	snprintf(option, sizeof(option), "0506 %08x", line.ppp.our_magic);
	assert_int_equal(lcp(CP_CONFREJ, 2, option), WHY_OK);
	assert_null(asked(request(), LCP_MAGIC).p);
	assert_int_equal(line.ppp.our_magic, 0);
	assert_int_equal(lcp(CP_CONFREQ, 1, "0506 00000001"), WHY_OK);	/* without ours: no loop */
	sends(&line, PPP_LCP, CP_CONFACK, 1, "0506 00000001");
}

/* Section 6.4: everything we send comes back to us. */
static void a_looped_line_is_found(void **state)
{
	struct sent sent;
	unsigned packets = 0;

	(void)state;
	line_starts(&line, NULL);
	while (line_sent(&line, &sent)) {
		uint8_t copy[256];
		uint32_t len = sent.data.len;

		assert_true(++packets < 40);
		memcpy(copy, sent.data.p, len);
		line.happened |= line.env.happened;
		line.env.happened = 0;
		(void)line_hears_bytes(&line, sent.proto, sent.code, sent.id, bytes_of(copy, len));
	}
	assert_int_equal(line_happened(&line), PPP_HAS_ENDED);
	assert_int_equal(line.env.end, PPP_END_LOOPBACK);
}

/* An equal number by chance costs one Nak. */
static void equal_magic_once(void **state)
{
	char option[64];

	(void)state;
	line_starts(&line, NULL);
	request();
	snprintf(option, sizeof(option), "0304 c023 0506 %08x", line.ppp.our_magic);
	assert_int_equal(lcp(CP_CONFREQ, 1, option), WHY_OK);
	assert_int_equal(sends_some(&line, PPP_LCP, CP_CONFNAK).data.len, 6);	/* of the magic alone */
	assert_int_equal(lcp(CP_CONFREQ, 2, "0506 11223344"), WHY_OK);
	sends_some(&line, PPP_LCP, CP_CONFACK);
	assert_int_equal(line.ppp.loops, 0);
}

static void echoes_are_answered(void **state)
{
	char data[64];

	(void)state;
	line_starts(&line, NULL);
	assert_int_equal(lcp(CP_ECHOREQ, 1, "00000000"), WHY_PPP_PHASE);
	assert_int_equal(lcp(CP_ECHOREP, 1, "00000000"), WHY_PPP_PHASE);
	line_opens_lcp(&line, "0104 0080 0506 01020304");
	snprintf(data, sizeof(data), "%08x 616263", line.ppp.our_magic);
	assert_int_equal(lcp(CP_ECHOREQ, 77, "01020304 616263"), WHY_OK);
	sends(&line, PPP_LCP, CP_ECHOREP, 77, data);
	assert_int_equal(lcp(CP_ECHOREQ, 77, "010203"), WHY_PPP_LEN);
	assert_int_equal(lcp(CP_ECHOREQ, 78, data), WHY_PPP_ECHO_MAGIC);
	sends_nothing(&line);

	static uint8_t octets[1400];
	assert_int_equal(line_hears_bytes(&line, PPP_LCP, CP_ECHOREQ, 79, bytes_of(octets, sizeof(octets))),
			 WHY_OK);
	assert_int_equal(sends_some(&line, PPP_LCP, CP_ECHOREP).data.len, 124);	/* its MRU is 128 */
	assert_int_equal(line.ppp.loops, 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(lcp(CP_ECHOREQ, 78, data), WHY_PPP_ECHO_MAGIC);
	assert_int_equal(line.env.end, PPP_END_LOOPBACK);
}

static void the_rest_is_silence(void **state)
{
	(void)state;
	line_starts(&line, NULL);
	request();
	assert_int_equal(lcp(CP_IDENTIFICATION, 1, "00000000 4d5352415356"), WHY_OK);
	assert_int_equal(lcp(CP_TIME_REMAINING, 1, "00000000 00000000"), WHY_OK);
	assert_int_equal(lcp(CP_DISCARD, 1, ""), WHY_OK);
	sends_nothing(&line);
	assert_int_equal(lcp(14, 9, "00"), WHY_PPP_CODE);
	sends(&line, PPP_LCP, CP_CODEREJ, 1, "0e09 0005 00");
	assert_int_equal(lcp(CP_PROTOREJ, 1, "8021"), WHY_PPP_PHASE);
}

/* Keepalive: a request an interval after silence began; dead when the last of them went unanswered. */
static void silence_kills(void **state)
{
	(void)state;
	line.conf.echo_interval_s = 10;
	line.conf.echo_failures = 3;
	line_up(&line);
	struct mono began = line.env.now;
	for (uint8_t id = 1; id <= 3; id++) {
		line_waits(&line, 9999);
		sends_nothing(&line);
		line_waits(&line, 2501);			/* the jitter is a quarter */
		char magic[16];
		snprintf(magic, sizeof(magic), "%08x", line.ppp.our_magic);
		sends(&line, PPP_LCP, CP_ECHOREQ, id, magic);
		line.env.now = line.ppp.echo_sent;
	}
	assert_int_equal(line_happened(&line), 0);
	line_waits(&line, 12500);
	assert_int_equal(line_happened(&line), PPP_HAS_ENDED | PPP_HAS_NET_DOWN);
	assert_int_equal(line.env.end, PPP_END_ECHO);
	sends_some(&line, PPP_LCP, CP_TERMREQ);
	assert_true(mono_since(line.env.now, began).us <= 50000000);
}

static void life_keeps_alive(void **state)
{
	(void)state;
	line.conf.echo_interval_s = 10;
	line.conf.echo_failures = 1;
	line_up(&line);
	for (unsigned i = 0; i < 20; i++) {			/* control packets */
		line_waits(&line, 9000);
		assert_int_equal(lcp(CP_DISCARD, 1, ""), WHY_OK);
	}
	for (unsigned i = 0; i < 20; i++) {			/* data packets */
		line.env.data_heard = line.env.now;
		line_waits(&line, 9000);
	}
	sends_nothing(&line);
	line_waits(&line, 5000);
	sends_some(&line, PPP_LCP, CP_ECHOREQ);
	line.env.now.us++;
	assert_int_equal(lcp(CP_ECHOREP, 1, "01020304"), WHY_OK);
	assert_int_equal(line_happened(&line), 0);
	line_waits(&line, 13000);
	assert_int_equal(line_happened(&line), 0);
	sends_some(&line, PPP_LCP, CP_ECHOREQ);
	line.env.data_heard = line.env.now;			/* no reply, but data: alive */
	line_waits(&line, 13000);
	assert_int_equal(line_happened(&line), 0);
}

static void echo_when_busy(void **state)
{
	unsigned echoes = 0;

	(void)state;
	line.conf.echo_interval_s = 10;
	line.conf.echo_failures = 3;
	line.conf.echo_when_busy = true;
	line_up(&line);
	for (unsigned i = 0; i < 100; i++) {
		struct sent sent;

		line.env.data_heard = line.env.now;
		line_waits(&line, 1000);
		while (line_sent(&line, &sent))
			echoes++;
	}
	assert_in_range(echoes, 8, 10);
	assert_int_equal(line_happened(&line), 0);
}

static void no_interval_no_timer(void **state)
{
	(void)state;
	line_up(&line);
	assert_int_equal(line.ppp.due.us, UINT64_MAX);
	line.conf.echo_interval_s = 10;
	line_up(&line);
	assert_int_not_equal(line.ppp.due.us, UINT64_MAX);
	line.conf.echo_interval_s = 0;				/* switched off meanwhile */
	line_waits(&line, 20000);
	sends_nothing(&line);
	assert_int_equal(line.ppp.due.us, UINT64_MAX);
}

/* 1000 sessions that open together do not send their echoes together. */
static void echoes_are_spread(void **state)
{
	unsigned slot[250] = { 0 };

	(void)state;
	line.conf.echo_interval_s = 10;
	for (unsigned i = 0; i < 1000; i++) {
		lcp_echo_begin(&line.ppp, &line.env);
		int64_t wait_us = mono_since(line.ppp.echo_due, line.env.now).us;

		assert_in_range(wait_us, 10000000, 12500000);
		slot[(wait_us - 10000000) / 10000 % 250]++;
	}
	for (unsigned i = 0; i < 250; i++)
		assert_true(slot[i] < 30);
}

struct proxied {
	const char	*sent, *received;
	bool		 accepted;
};

static bool proxied(const char *sent, const char *received)
{
	struct ppp_proxy proxy = {
		.last_sent_lcp = hex(sent), .last_received_lcp = hex(received), .auth_type = 4,
	};

	line_happened(&line);
	line_starts(&line, &proxy);
	bool opened = line.ppp.lcp.state == FSM_OPENED;

	assert_int_equal(opened, (line_happened(&line) & PPP_HAS_LCP_OPENED) != 0);
	if (opened)
		sends_nothing(&line);
	else
		assert_true(bytes_eq(asked(request(), LCP_MRU), hex("05b4")));	/* our own wishes again */
	return opened;
}

static void proxy_lcp_accepted_or_not(void **state)
{
	static const struct proxied row[] = {
		{ "0104 05b4 0304 c023 0506 0a0b0c0d", "0104 0578 0506 01020304 0702 0802", true },
		{ "0104 05b4 0206 00000000 0304 c023 0702 0802", "", true },
		{ "0104 05b4 0304 c023", "0206 000a0000 0506 01020304", true },
		{ "0304 c023 0506 0a0b0c0d", "", true },			/* MRU 1500, unsaid and said */
		{ "0104 05dc 0304 c023", "", true },
		{ "0104 05dd 0304 c023", "", false },
		{ "0104 0040 0304 c023", "", false },
		{ "0104 05b4 0506 0a0b0c0d", "", false },			/* no authentication */
		{ "0104 05b4 0305 c22305", "", false },				/* a method we do not allow */
		{ "0104 05b4 0304 c227", "", false },
		{ "0104 05b4 0304 c023 1104 05dc", "", false },			/* MRRU: no multilink here */
		{ "0104 05b4 0304 c023 05", "", false },				/* malformed */
		{ "0103 05 0304 c023", "", false },
		{ "0104 05b4 0304 c023", "0104", false },
		{ "0104 05b4 0304 c023", "0104 0040", false },			/* MRU too small */
		{ "0104 05b4 0304 c023", "0304 c023", false },			/* we are to authenticate */
		{ "0104 05b4 0304 c023", "1104 05dc 1309 03 010203040506", false },
		{ "0104 05b4 0304 c023", "0506 00000000", false },
		{ "0104 05b4 0304 c023 0506 01020304", "0506 01020304", false },	/* equal magics */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++)
		if (proxied(row[i].sent, row[i].received) != row[i].accepted)
			fail_msg("sent %s received %s", row[i].sent, row[i].received);
	assert_true(proxied(row[0].sent, row[0].received));
	assert_int_equal(line.ppp.our_magic, 0x0a0b0c0d);
	assert_int_equal(line.ppp.peer_magic, 0x01020304);
	assert_int_equal(line.ppp.peer_mru, 1400);
	assert_int_equal(line.ppp.auth, AUTH_PAP);
	assert_true(line.ppp.acfc && line.ppp.pfc);
	line.conf.proxy = PROXY_RENEGOTIATE;
	assert_false(proxied(row[0].sent, row[0].received));
	line.conf.proxy = PROXY_ACCEPT;
	line.conf.auths = 0;
	assert_false(proxied(row[0].sent, row[0].received));		/* we want no authentication */
	assert_true(proxied("0104 05b4", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(our_request, begin),
		cmocka_unit_test_setup(what_the_peer_may_have, begin),
		cmocka_unit_test_setup(what_the_peer_may_not_have, begin),
		cmocka_unit_test_setup(auth_method_of_the_peers_choice, begin),
		cmocka_unit_test_setup(auth_unknown_method_wished, begin),
		cmocka_unit_test_setup(auth_rejected, begin),
		cmocka_unit_test_setup(mru_naked, begin),
		cmocka_unit_test_setup(magic_naked_and_rejected, begin),
		cmocka_unit_test_setup(a_looped_line_is_found, begin),
		cmocka_unit_test_setup(equal_magic_once, begin),
		cmocka_unit_test_setup(echoes_are_answered, begin),
		cmocka_unit_test_setup(the_rest_is_silence, begin),
		cmocka_unit_test_setup(silence_kills, begin),
		cmocka_unit_test_setup(life_keeps_alive, begin),
		cmocka_unit_test_setup(echo_when_busy, begin),
		cmocka_unit_test_setup(no_interval_no_timer, begin),
		cmocka_unit_test_setup(echoes_are_spread, begin),
		cmocka_unit_test_setup(proxy_lcp_accepted_or_not, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
