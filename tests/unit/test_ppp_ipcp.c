/*
 * Goal: a subscriber gets the address and the DNS servers it is meant to have, by whatever way it asks
 * (RFC 1332 section 3.3, RFC 1877), and nothing else.
 * Method: a peer played by hand on a link that is authenticated; everything sent is compared.
 */
#include "tests/unit/ppp_line.h"

static struct line line;

static int begin(void **state)
{
	(void)state;
	line_conf(&line);
	return 0;
}

static void network(void)
{
	line_starts(&line, NULL);
	line_opens_lcp(&line, "0506 01020304");
	line_happened(&line);
	line_authenticates(&line);
}

static enum why ipcp(uint8_t code, uint8_t id, const char *data)
{
	return line_hears(&line, PPP_IPCP, code, id, data);
}

/* As pppd does: everything zero, Van Jacobson compression wished. */
static void dial_in(void **state)
{
	(void)state;
	network();
	sends(&line, PPP_IPCP, CP_CONFREQ, 1, "0306 0a000001");
	assert_int_equal(ipcp(CP_CONFREQ, 1, "0206 002d0f01 0306 00000000 8106 00000000 8306 00000000"),
			 WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREJ, 1, "0206 002d0f01");
	assert_int_equal(ipcp(CP_CONFACK, 1, "0306 0a000001"), WHY_OK);
	assert_int_equal(ipcp(CP_CONFREQ, 2, "0306 00000000 8106 00000000 8306 00000000"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFNAK, 2, "0306 0a4d0105 8106 0a4d0035 8306 0a4d0036");
	assert_int_equal(line_happened(&line), 0);
	assert_int_equal(ipcp(CP_CONFREQ, 3, "0306 0a4d0105 8106 0a4d0035 8306 0a4d0036"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFACK, 3, "0306 0a4d0105 8106 0a4d0035 8306 0a4d0036");
	assert_int_equal(line_happened(&line), PPP_HAS_OPENED);
	sends_nothing(&line);
}

static void other_options_are_rejected(void **state)
{
	static const char *const reject[] = {
		"010a 00000000 00000000", "0206 002d0f01", "0406 00000000", "8206 00000000", "8406 00000000",
		"9004 0000",
	};

	(void)state;
	network();
	sends_some(&line, PPP_IPCP, CP_CONFREQ);
	for (uint8_t i = 0; i < ARRAY_LEN(reject); i++) {
		assert_int_equal(ipcp(CP_CONFREQ, i, reject[i]), WHY_OK);
		sends(&line, PPP_IPCP, CP_CONFREJ, i, reject[i]);
	}
	assert_int_equal(ipcp(CP_CONFREQ, 9, "0305 000000"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFNAK, 9, "0306 0a4d0105");
}

static void no_dns_to_give(void **state)
{
	(void)state;
	line.conf.dns[1].n = 0;
	network();
	sends_some(&line, PPP_IPCP, CP_CONFREQ);
	assert_int_equal(ipcp(CP_CONFREQ, 1, "0306 0a4d0105 8106 01010101 8306 00000000"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREJ, 1, "8306 00000000");
	assert_int_equal(ipcp(CP_CONFREQ, 2, "0306 0a4d0105 8106 01010101"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFNAK, 2, "8106 0a4d0035");
}

static void a_missing_address_is_suggested(void **state)
{
	(void)state;
	network();
	sends_some(&line, PPP_IPCP, CP_CONFREQ);
	assert_int_equal(ipcp(CP_CONFREQ, 1, ""), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFNAK, 1, "0306 0a4d0105");
	assert_int_equal(ipcp(CP_CONFREQ, 2, "0306 0a4d0105"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFACK, 2, "0306 0a4d0105");
}

/* It wants an address of its own: not to be had, and in the end it must do without the option. */
static void a_stubborn_peer(void **state)
{
	(void)state;
	network();
	sends_some(&line, PPP_IPCP, CP_CONFREQ);
	for (uint8_t id = 1; id <= 5; id++) {
		assert_int_equal(ipcp(CP_CONFREQ, id, "0306 c0a80001"), WHY_OK);
		sends(&line, PPP_IPCP, CP_CONFNAK, id, "0306 0a4d0105");
	}
	assert_int_equal(ipcp(CP_CONFREQ, 6, "0306 c0a80001"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREJ, 6, "0306 c0a80001");
}

static void our_address_is_refused(void **state)
{
	(void)state;
	network();
	sends(&line, PPP_IPCP, CP_CONFREQ, 1, "0306 0a000001");
	assert_int_equal(ipcp(CP_CONFNAK, 1, "0306 0a0000fe"), WHY_OK);	/* it is ours, we insist */
	sends(&line, PPP_IPCP, CP_CONFREQ, 2, "0306 0a000001");
	assert_int_equal(ipcp(CP_CONFREJ, 2, "0306 0a000001"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFREQ, 3, "");
	assert_int_equal(ipcp(CP_CONFACK, 3, ""), WHY_OK);
	assert_int_equal(ipcp(CP_CONFREQ, 1, "0306 0a4d0105"), WHY_OK);
	assert_int_equal(line_happened(&line), PPP_HAS_OPENED);
}

static void no_address_of_our_own(void **state)
{
	(void)state;
	line.conf.our_address.n = 0;
	network();
	sends(&line, PPP_IPCP, CP_CONFREQ, 1, "");
}

static void no_answer(void **state)
{
	(void)state;
	network();
	line_waits(&line, 9999);
	for (unsigned i = 0; i < 10; i++)
		sends(&line, PPP_IPCP, CP_CONFREQ, 1, "0306 0a000001");
	assert_int_equal(line_happened(&line), 0);
	line_waits(&line, 1);
	assert_int_equal(line_happened(&line), PPP_HAS_ENDED);
	assert_int_equal(line.env.end, PPP_END_IPCP_FAILED);
	sends_some(&line, PPP_LCP, CP_TERMREQ);
	sends_nothing(&line);
}

static void the_peer_leaves_ipcp(void **state)
{
	(void)state;
	line_up(&line);
	assert_int_equal(ipcp(CP_TERMREQ, 5, ""), WHY_OK);
	sends(&line, PPP_IPCP, CP_TERMACK, 5, "");
	assert_int_equal(line_happened(&line), PPP_HAS_NET_DOWN);
	line_waits(&line, 1000);
	assert_int_equal(line_happened(&line), PPP_HAS_ENDED);
	assert_int_equal(line.env.end, PPP_END_PEER);
	sends_some(&line, PPP_LCP, CP_TERMREQ);
}

static void ipcp_again(void **state)
{
	(void)state;
	line_up(&line);
	assert_int_equal(ipcp(CP_CONFREQ, 5, "0306 00000000"), WHY_OK);
	assert_int_equal(line_happened(&line), PPP_HAS_NET_DOWN);
	sends(&line, PPP_IPCP, CP_CONFREQ, 2, "0306 0a000001");
	sends(&line, PPP_IPCP, CP_CONFNAK, 5, "0306 0a4d0105");
	assert_int_equal(ipcp(CP_CONFACK, 2, "0306 0a000001"), WHY_OK);
	assert_int_equal(ipcp(CP_CONFREQ, 6, "0306 0a4d0105"), WHY_OK);
	sends(&line, PPP_IPCP, CP_CONFACK, 6, "0306 0a4d0105");
	assert_int_equal(line_happened(&line), PPP_HAS_OPENED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(dial_in, begin),
		cmocka_unit_test_setup(other_options_are_rejected, begin),
		cmocka_unit_test_setup(no_dns_to_give, begin),
		cmocka_unit_test_setup(a_missing_address_is_suggested, begin),
		cmocka_unit_test_setup(a_stubborn_peer, begin),
		cmocka_unit_test_setup(our_address_is_refused, begin),
		cmocka_unit_test_setup(no_address_of_our_own, begin),
		cmocka_unit_test_setup(no_answer, begin),
		cmocka_unit_test_setup(the_peer_leaves_ipcp, begin),
		cmocka_unit_test_setup(ipcp_again, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
