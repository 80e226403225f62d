/*
 * Goal: whole lives of a link go as RFC 1661 section 3 draws them, whoever begins, ends, loses packets or
 * misbehaves, and report to the session each thing once and in order.
 * Method: a subscriber with its own small PPP (ppp_subscriber.h) dials in with each way to authenticate;
 * the clock moves in steps of 10 ms.
 */
#include "tests/unit/ppp_subscriber.h"

static struct line line;

static int begin(void **state)
{
	(void)state;
	line_conf(&line);
	line.conf.auths = 3;
	line.conf.auth[0] = AUTH_CHAP_MD5;
	line.conf.auth[1] = AUTH_MSCHAPV2;
	line.conf.auth[2] = AUTH_PAP;
	return 0;
}

static const enum auth_method methods[] = { AUTH_PAP, AUTH_CHAP_MD5, AUTH_MSCHAPV2 };

static struct subscriber up(enum auth_method method)
{
	struct subscriber s = subscriber_new(method);

	begin(NULL);
	line_starts(&line, NULL);
	subscriber_plays(&line, &s, 2000);
	assert_true(subscriber_is_up(&s));
	assert_int_equal(line.ppp.phase, PPP_NETWORK);
	s.happened = 0;
	return s;
}

/* pppd starts 100 to 200 ms after ICCN, when our first request is lost: that must not cost a Restart time. */
static void dial_in_is_fast(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct subscriber s = subscriber_new(methods[i]);

		begin(NULL);
		line_starts(&line, NULL);
		subscriber_plays(&line, &s, 300);
		assert_true(subscriber_is_up(&s));
		assert_int_equal(s.asked, 1);
		assert_int_equal(line.ppp.auth, methods[i]);
		assert_int_equal(line.ppp.peer_mru, 1460);
		assert_true(line.ppp.acfc && line.ppp.pfc);
		assert_int_equal(s.happened, PPP_HAS_LCP_OPENED | PPP_HAS_ASKED_AUTH | PPP_HAS_AUTHED |
				 PPP_HAS_OPENED);
	}
}

static void wrong_password(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct subscriber s = subscriber_new(methods[i]);

		begin(NULL);
		s.password = "guess";
		line_starts(&line, NULL);
		subscriber_plays(&line, &s, 1000);
		assert_true(s.refused && s.terminated);
		assert_int_equal(s.end, PPP_END_AUTH_FAILED);
		assert_int_equal(s.happened, PPP_HAS_LCP_OPENED | PPP_HAS_ASKED_AUTH | PPP_HAS_ENDED);
		assert_int_equal(line.ppp.phase, PPP_DEAD);
	}
}

static void no_way_to_authenticate(void **state)
{
	struct subscriber s = subscriber_new(AUTH_PAP);

	(void)state;
	s.methods = 0;
	line_starts(&line, NULL);
	subscriber_plays(&line, &s, 1000);
	assert_int_equal(s.end, PPP_END_AUTH_FAILED);
	assert_int_equal(s.asked, 0);
}

static void nobody_there(void **state)
{
	struct subscriber s = subscriber_new(AUTH_PAP);

	(void)state;
	s.mute = true;
	line_starts(&line, NULL);
	subscriber_plays(&line, &s, 9900);
	assert_int_equal(s.happened, 0);
	subscriber_plays(&line, &s, 200);
	assert_int_equal(s.happened, PPP_HAS_ENDED);
	assert_int_equal(s.end, PPP_END_LCP_FAILED);
	assert_int_equal(line.ppp.due.us, UINT64_MAX);
}

/* One frame in four lost, one in ten doubled, both ways: every subscriber gets through. */
static void lost_and_doubled_frames(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 600; seed++) {
		struct subscriber s = subscriber_new(methods[seed % 3]);
		unsigned tries = 0;

		begin(NULL);
		line.conf.max_configure = 30;
		line.conf.auth_timeout_s = 120;
		s.seed = seed * 7919;
		s.loss = 25;
		s.copies = 10;
		line_starts(&line, NULL);
		while (!subscriber_is_up(&s) && ++tries < 120)
			subscriber_plays(&line, &s, 1000);
		if (!subscriber_is_up(&s))
			fail_msg("seed %u: phase %s, end %s", seed, ppp_phase_name(line.ppp.phase),
				 ppp_end_name(s.end));
		assert_int_equal(s.end, PPP_END_NONE);
	}
}

/* What a LAC would have negotiated: the subscriber's LCP is open already. */
static struct subscriber proxied(enum auth_method method, struct ppp_proxy *proxy, const char *sent)
{
	struct subscriber s = subscriber_new(method);

	s.starts_ms = 0;
	s.lcp.ours = s.lcp.theirs = s.begun = true;
	s.agreed = method;
	*proxy = (struct ppp_proxy){
		.last_sent_lcp = hex(sent),
		.last_received_lcp = hex("0104 05b4 0206 00000000 0506 01020304 0702 0802"),
		.auth_id = 66, .auth_name = bytes_str("carol"),
	};
	return s;
}

static void proxy_pap_accepted(void **state)
{
	struct ppp_proxy proxy;
	struct subscriber s = proxied(AUTH_PAP, &proxy, "0104 05b4 0304 c023 0506 0a0b0c0d");

	(void)state;
	proxy.auth_type = 3;
	proxy.auth_response = bytes_str("s3cret");
	line_starts(&line, &proxy);
	assert_int_equal(line.env.happened, PPP_HAS_LCP_OPENED | PPP_HAS_ASKED_AUTH);
	assert_true(bytes_eq(line.env.ask.password, bytes_str("s3cret")));
	ppp_auth_answered(&line.ppp, &line.env, true, bytes_str("ok"));
	sends(&line, PPP_PAP, PAP_ACK, 66, "026f6b");		/* the LAC has not answered it */
	line.env.happened &= ~(unsigned)PPP_HAS_ASKED_AUTH;
	s.authed = true;
	subscriber_plays(&line, &s, 200);
	assert_true(subscriber_is_up(&s));
	assert_int_equal(s.requests_heard, 0);
	assert_int_equal(line.ppp.our_magic, 0x0a0b0c0d);
}

static void proxy_chap_accepted_and_refused(void **state)
{
	static const uint8_t challenge[20] = { 4, 8, 15, 16, 23, 42 };

	(void)state;
	for (unsigned right = 0; right < 2; right++) {
		struct ppp_proxy proxy;
		struct subscriber s = proxied(AUTH_CHAP_MD5, &proxy, "0104 05b4 0305 c22305");
		uint8_t response[16];

		begin(NULL);
		chap_md5(66, bytes_str(right ? "s3cret" : "guess"), bytes_of(challenge, 20), response);
		proxy.auth_type = 2;
		proxy.auth_challenge = bytes_of(challenge, 20);
		proxy.auth_response = bytes_of(response, 16);
		line_starts(&line, &proxy);
		subscriber_plays(&line, &s, 200);
		assert_int_equal(subscriber_is_up(&s), right);
		assert_int_equal(s.refused, !right);
		assert_int_equal(s.asked, 1);
		assert_int_equal(s.end, right ? PPP_END_NONE : PPP_END_AUTH_FAILED);
	}
}

static void proxy_mschapv2_accepted(void **state)
{
	static const uint8_t challenge[16] = { 4, 8, 15, 16, 23, 42 };
	struct ppp_proxy proxy;
	struct subscriber s = proxied(AUTH_MSCHAPV2, &proxy, "0104 05b4 0305 c22381");
	uint8_t response[49] = { 1 }, nt[NT_HASH_LEN];

	(void)state;
	nt_hash(bytes_str("s3cret"), nt);
	mschapv2_nt_response(nt, challenge, response, bytes_str("carol"), response + 24);
	proxy.auth_type = 2;
	proxy.auth_challenge = bytes_of(challenge, 16);
	proxy.auth_response = bytes_of(response, 49);
	line_starts(&line, &proxy);
	subscriber_plays(&line, &s, 200);
	assert_true(subscriber_is_up(&s));
	assert_int_equal(s.requests_heard, 0);
}

static void proxy_lcp_only(void **state)
{
	struct ppp_proxy proxy;
	struct subscriber s = proxied(AUTH_CHAP_MD5, &proxy, "0104 05b4 0305 c22305");

	(void)state;
	proxy.auth_type = 4;			/* no authentication by the LAC: we do it, LCP stands */
	line_starts(&line, &proxy);
	assert_int_equal(line.env.happened, PPP_HAS_LCP_OPENED);
	subscriber_plays(&line, &s, 200);
	assert_true(subscriber_is_up(&s));
	assert_int_equal(s.requests_heard, 0);
}

static void proxy_not_suitable(void **state)
{
	struct ppp_proxy proxy;
	struct subscriber s = proxied(AUTH_PAP, &proxy, "0304 c023 1104 05dc");	/* multilink */

	(void)state;
	proxy.auth_type = 3;
	proxy.auth_response = bytes_str("s3cret");
	line_starts(&line, &proxy);
	assert_int_equal(line.env.happened, 0);
	subscriber_plays(&line, &s, 300);
	assert_true(subscriber_is_up(&s));
	assert_true(s.requests_heard > 0);
}

/* RFC 1661 4.1: a Configure-Request in Opened undoes everything above and begins again. */
static void the_subscriber_begins_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct subscriber s = up(methods[i]);

		s.lcp.ours = s.lcp.theirs = s.authed = s.ipcp.ours = s.ipcp.theirs = false;
		s.lcp.id++;
		s.ipcp.id++;
		layer_asks(&s, &s.lcp);
		subscriber_plays(&line, &s, 20);
		assert_true(s.happened & PPP_HAS_NET_DOWN);
		assert_false(s.happened & PPP_HAS_OPENED);
		subscriber_plays(&line, &s, 2000);
		assert_true(subscriber_is_up(&s));
		assert_int_equal(s.asked, 2);
	}
}

/* With LCP the later phases stop: no challenge and no echo while it is talked about again. */
static void later_phases_stop_with_lcp(void **state)
{
	(void)state;
	line.conf.echo_interval_s = 3;
	line_starts(&line, NULL);
	line_opens_lcp(&line, "0506 01020304");
	sends_some(&line, PPP_CHAP, CHAP_CHALLENGE);
	line_waits(&line, 1000);
	sends_some(&line, PPP_CHAP, CHAP_CHALLENGE);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_CONFREQ, 2, "0104 0001"), WHY_OK);
	sends_some(&line, PPP_LCP, CP_CONFREQ);
	sends_some(&line, PPP_LCP, CP_CONFNAK);
	line_waits(&line, 8000);
	for (unsigned i = 0; i < 8; i++)
		sends_some(&line, PPP_LCP, CP_CONFREQ);
	sends_nothing(&line);
	assert_int_equal(line.ppp.phase, PPP_ESTABLISH);
}

static void a_late_verdict_is_told_from_a_new_one(void **state)
{
	struct subscriber s = subscriber_new(AUTH_PAP);
	uint8_t first;

	(void)state;
	s.slow_judge = true;
	line_starts(&line, NULL);
	subscriber_plays(&line, &s, 1000);
	assert_int_equal(s.asked, 1);
	first = line.ppp.ask_serial;
	s.lcp.ours = s.lcp.theirs = false;
	assert_int_equal(line_hears(&line, PPP_LCP, CP_CONFREQ, ++s.lcp.id, "0506 01020304"), WHY_OK);
	ppp_auth_answered(&line.ppp, &line.env, true, (struct bytes){ 0 });	/* nobody waits for it now */
	assert_false(line.env.happened & PPP_HAS_AUTHED);
	subscriber_plays(&line, &s, 4000);
	assert_int_equal(s.asked, 2);
	assert_int_not_equal(line.ppp.ask_serial, first);
}

static void the_subscriber_vanishes(void **state)
{
	struct subscriber s;

	(void)state;
	begin(NULL);
	s = subscriber_new(AUTH_CHAP_MD5);
	line.conf.echo_interval_s = 10;
	line.conf.echo_failures = 3;
	line_starts(&line, NULL);
	subscriber_plays(&line, &s, 120000);		/* two minutes of echoes answered */
	assert_true(subscriber_is_up(&s));
	s.mute = true;
	subscriber_plays(&line, &s, 62500);
	assert_int_equal(s.end, PPP_END_ECHO);
	assert_true(s.happened & PPP_HAS_NET_DOWN);
}

static void the_subscriber_says_goodbye(void **state)
{
	struct subscriber s = up(AUTH_PAP);

	(void)state;
	assert_int_equal(line_hears(&line, PPP_LCP, CP_TERMREQ, 9, "627965"), WHY_OK);
	sends(&line, PPP_LCP, CP_TERMACK, 9, "");
	sends_nothing(&line);
	assert_int_equal(line.env.happened, PPP_HAS_ENDED | PPP_HAS_NET_DOWN);
	assert_int_equal(line.env.end, PPP_END_PEER);
	assert_int_equal(line.ppp.due.us, UINT64_MAX);
	line_starts(&line, NULL);			/* and while LCP is still being talked about */
	line_happened(&line);
	sends_some(&line, PPP_LCP, CP_CONFREQ);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_TERMREQ, 9, ""), WHY_OK);
	sends(&line, PPP_LCP, CP_TERMACK, 9, "");
	assert_int_equal(line.env.happened, PPP_HAS_ENDED);
	assert_int_equal(s.end, PPP_END_NONE);
}

static void we_say_goodbye(void **state)
{
	struct subscriber s = up(AUTH_PAP);

	(void)state;
	ppp_close_asked(&line.ppp, &line.env);
	assert_int_equal(line.env.happened, PPP_HAS_NET_DOWN);
	assert_int_equal(line.ppp.phase, PPP_TERMINATE);
	ppp_close_asked(&line.ppp, &line.env);		/* once is enough */
	assert_int_equal(line.out.count - line.read, 1);
	line_keeps(&line);
	assert_int_equal(ppp_received(&line.ppp, &line.env, hex("80210101000403")), WHY_PPP_PHASE);
	subscriber_plays(&line, &s, 100);
	assert_true(s.terminated);
	assert_int_equal(s.end, PPP_END_CLOSED);

	s = up(AUTH_PAP);				/* nobody answers: Max-Terminate requests */
	s.mute = true;
	ppp_close_asked(&line.ppp, &line.env);
	subscriber_plays(&line, &s, 1900);
	assert_false(s.happened & PPP_HAS_ENDED);
	subscriber_plays(&line, &s, 200);
	assert_int_equal(s.end, PPP_END_CLOSED);

	up(AUTH_PAP);					/* both at once */
	ppp_close_asked(&line.ppp, &line.env);
	sends_some(&line, PPP_LCP, CP_TERMREQ);
	assert_int_equal(line_happened(&line), PPP_HAS_NET_DOWN);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_TERMREQ, 9, ""), WHY_OK);
	sends(&line, PPP_LCP, CP_TERMACK, 9, "");
	assert_int_equal(line_happened(&line), 0);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_TERMACK, line.ppp.lcp.id, ""), WHY_OK);
	assert_int_equal(line.env.end, PPP_END_CLOSED);

	line_starts(&line, NULL);			/* in the middle of LCP */
	ppp_close_asked(&line.ppp, &line.env);
	sends_some(&line, PPP_LCP, CP_CONFREQ);
	sends_some(&line, PPP_LCP, CP_TERMREQ);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_TERMACK, 2, ""), WHY_OK);
	assert_int_equal(line.env.end, PPP_END_CLOSED);
}

static void the_call_is_cleared(void **state)
{
	struct subscriber s = up(AUTH_PAP);

	(void)state;
	ppp_cleared(&line.ppp, &line.env);
	sends_some(&line, PPP_LCP, CP_TERMREQ);
	sends_nothing(&line);
	assert_int_equal(line.env.happened, 0);
	assert_int_equal(line.ppp.phase, PPP_DEAD);
	assert_int_equal(line.ppp.due.us, UINT64_MAX);
	ppp_cleared(&line.ppp, &line.env);
	sends_nothing(&line);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_TERMACK, 2, ""), WHY_PPP_PHASE);
	assert_int_equal(s.end, PPP_END_NONE);
}

static void protocols_of_other_phases(void **state)
{
	(void)state;
	assert_int_equal(line_hears(&line, PPP_LCP, CP_CONFREQ, 1, ""), WHY_PPP_PHASE);	/* Dead */
	line.conf.auth[0] = AUTH_PAP;
	line_starts(&line, NULL);
	assert_int_equal(line_hears(&line, PPP_IPCP, CP_CONFREQ, 1, ""), WHY_PPP_PHASE);
	assert_int_equal(line_hears(&line, PPP_PAP, PAP_REQUEST, 1, PAP_CAROL), WHY_PPP_PHASE);
	assert_int_equal(line_hears(&line, PPP_IPV6CP, CP_CONFREQ, 1, ""), WHY_PPP_PHASE);
	line_opens_lcp(&line, "");
	assert_int_equal(line_hears(&line, PPP_IPCP, CP_CONFREQ, 1, ""), WHY_PPP_PHASE);
	assert_int_equal(line_hears(&line, PPP_IPV6CP, CP_CONFREQ, 1, ""), WHY_PPP_PHASE);
	assert_int_equal(line_hears(&line, PPP_PAP, PAP_REQUEST, 1, PAP_CAROL), WHY_OK);
	ppp_auth_answered(&line.ppp, &line.env, true, (struct bytes){ 0 });
	sends(&line, PPP_PAP, PAP_ACK, 1, "00");
	assert_int_equal(line_hears(&line, PPP_IPCP, CP_CONFREQ, 1, ""), WHY_PPP_PHASE);
	assert_int_equal(line_hears_octets(&line, hex("0021 45")), WHY_PPP_PHASE);	/* the data plane's */
	assert_int_equal(line_hears_octets(&line, hex("0020 45")), WHY_PPP_PROTO);
	sends_nothing(&line);
}

static void protocols_we_do_not_speak(void **state)
{
	struct subscriber s = up(AUTH_PAP);
	static uint8_t octets[1600] = { 0x80, 0xfd };

	(void)state;
	assert_int_equal(line_hears(&line, PPP_IPV6CP, CP_CONFREQ, 1, "010abda1e850ab3cb66e"),
			 WHY_PPP_PROTO_REJECTED);
	sends(&line, PPP_LCP, CP_PROTOREJ, 1, "8057 0101 000e 010abda1e850ab3cb66e");
	assert_int_equal(line_hears_octets(&line, bytes_of(octets, sizeof(octets))), WHY_PPP_PROTO_REJECTED);
	assert_int_equal(sends_some(&line, PPP_LCP, CP_PROTOREJ).data.len, 1456);	/* packet: 1460 */
	assert_int_equal(line_hears_octets(&line, hex("0057 60")), WHY_PPP_PROTO_REJECTED);
	sends(&line, PPP_LCP, CP_PROTOREJ, 3, "0057 60");
	assert_int_equal(line.env.happened, 0);
	assert_true(subscriber_is_up(&s) || s.happened == 0);
}

static void protocols_it_does_not_speak(void **state)
{
	(void)state;
	up(AUTH_PAP);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_PROTOREJ, 1, "80fd 01"), WHY_OK);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_PROTOREJ, 1, "80"), WHY_PPP_LEN);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_PROTOREJ, 1, "c023"), WHY_OK);	/* PAP is over */
	assert_int_equal(line.env.happened, 0);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_PROTOREJ, 2, "8021"), WHY_OK);
	assert_int_equal(line.env.happened, PPP_HAS_ENDED | PPP_HAS_NET_DOWN);
	assert_int_equal(line.env.end, PPP_END_IPCP_FAILED);
	sends_some(&line, PPP_LCP, CP_TERMREQ);

	begin(NULL);
	line_starts(&line, NULL);
	line_opens_lcp(&line, "");
	sends_some(&line, PPP_CHAP, CHAP_CHALLENGE);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_PROTOREJ, 2, "c223"), WHY_OK);
	assert_int_equal(line.env.end, PPP_END_AUTH_FAILED);

	up(AUTH_PAP);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_PROTOREJ, 2, "c021"), WHY_OK);
	assert_int_equal(line.env.end, PPP_END_LCP_FAILED);
}

static void codes_it_does_not_speak(void **state)
{
	struct subscriber s = up(AUTH_PAP);

	(void)state;
	assert_int_equal(line_hears(&line, PPP_LCP, CP_CODEREJ, 1, "0901 0008 00000000"), WHY_OK);
	assert_int_equal(line.env.happened, 0);
	assert_int_equal(line_hears(&line, PPP_LCP, CP_CODEREJ, 1, "0101 0004"), WHY_OK);
	sends_some(&line, PPP_LCP, CP_TERMREQ);
	assert_int_equal(line.env.happened, PPP_HAS_NET_DOWN);
	subscriber_plays(&line, &s, 2500);
	assert_int_equal(s.end, PPP_END_LCP_FAILED);
}

/* What a session may do at the wrong time does no harm. */
static void calls_out_of_season(void **state)
{
	struct subscriber s;

	(void)state;
	ppp_close_asked(&line.ppp, &line.env);
	assert_int_equal(line_happened(&line), PPP_HAS_ENDED);
	ppp_timed_out(&line.ppp, &line.env);
	assert_int_equal(line.ppp.due.us, UINT64_MAX);
	line_starts(&line, NULL);
	ppp_address_given(&line.ppp, &line.env, (struct ip4){ PEER_ADDRESS });
	ppp_auth_answered(&line.ppp, &line.env, true, (struct bytes){ 0 });
	ppp_timed_out(&line.ppp, &line.env);
	sends_some(&line, PPP_LCP, CP_CONFREQ);
	sends_nothing(&line);
	s = up(AUTH_PAP);
	ppp_address_given(&line.ppp, &line.env, (struct ip4){ 1 });
	ppp_auth_answered(&line.ppp, &line.env, false, (struct bytes){ 0 });
	sends_nothing(&line);
	assert_int_equal(line.ppp.address.n, PEER_ADDRESS);
	assert_int_equal(s.end, PPP_END_NONE);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(ppp_phase_name(PPP_DEAD), "dead");
	assert_string_equal(ppp_phase_name(PPP_PHASES), "unknown");
	assert_string_equal(ppp_end_name(PPP_END_NONE), "none");
	assert_string_equal(ppp_end_name(PPP_END_LOOPBACK), "loopback");
	assert_string_equal(ppp_end_name((enum ppp_end)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(dial_in_is_fast, begin),
		cmocka_unit_test_setup(wrong_password, begin),
		cmocka_unit_test_setup(no_way_to_authenticate, begin),
		cmocka_unit_test_setup(nobody_there, begin),
		cmocka_unit_test_setup(lost_and_doubled_frames, begin),
		cmocka_unit_test_setup(proxy_pap_accepted, begin),
		cmocka_unit_test_setup(proxy_chap_accepted_and_refused, begin),
		cmocka_unit_test_setup(proxy_mschapv2_accepted, begin),
		cmocka_unit_test_setup(proxy_lcp_only, begin),
		cmocka_unit_test_setup(proxy_not_suitable, begin),
		cmocka_unit_test_setup(the_subscriber_begins_again, begin),
		cmocka_unit_test_setup(later_phases_stop_with_lcp, begin),
		cmocka_unit_test_setup(a_late_verdict_is_told_from_a_new_one, begin),
		cmocka_unit_test_setup(the_subscriber_vanishes, begin),
		cmocka_unit_test_setup(the_subscriber_says_goodbye, begin),
		cmocka_unit_test_setup(we_say_goodbye, begin),
		cmocka_unit_test_setup(the_call_is_cleared, begin),
		cmocka_unit_test_setup(protocols_of_other_phases, begin),
		cmocka_unit_test_setup(protocols_we_do_not_speak, begin),
		cmocka_unit_test_setup(protocols_it_does_not_speak, begin),
		cmocka_unit_test_setup(codes_it_does_not_speak, begin),
		cmocka_unit_test_setup(calls_out_of_season, begin),
		cmocka_unit_test_setup(names, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
