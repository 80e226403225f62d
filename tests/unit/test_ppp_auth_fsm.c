/*
 * Goal: the Authenticate phase asks each credential once, answers each as RFC 1334, 1994 and 2759 say,
 * repeats what may be lost, ends in time, and cannot be talked into a second verdict.
 * Method: a peer played by hand for PAP, CHAP with MD5 and MS-CHAPv2, verdicts at once or late.
 */
#include "tests/unit/ppp_line.h"
#include "l2tpns/core/ppp_auth_fsm.h"

#define B(text)	bytes_of(text, sizeof(text) - 1)

static struct line line;

static int begin(void **state)
{
	(void)state;
	line_conf(&line);
	return 0;
}

static void authenticate(enum auth_method method)
{
	line.conf.auth[0] = method;
	line_starts(&line, NULL);
	line_opens_lcp(&line, "0506 01020304");
	assert_int_equal(line_happened(&line), PPP_HAS_LCP_OPENED);
	assert_int_equal(line.ppp.phase, PPP_AUTHENTICATE);
}

static void answer(bool accepted, const char *message)
{
	ppp_auth_answered(&line.ppp, &line.env, accepted, bytes_str(message));
}

static enum why pap(uint8_t code, uint8_t id, const char *data)
{
	return line_hears(&line, PPP_PAP, code, id, data);
}

static void pap_accepted(void **state)
{
	(void)state;
	authenticate(AUTH_PAP);
	sends_nothing(&line);					/* the peer begins */
	answer(true, "who?");					/* a verdict on nothing */
	assert_int_equal(line_happened(&line), 0);
	assert_int_equal(line.ppp.phase, PPP_AUTHENTICATE);
	sends_nothing(&line);
	assert_int_equal(pap(PAP_REQUEST, 3, PAP_CAROL), WHY_OK);
	assert_int_equal(line_happened(&line), PPP_HAS_ASKED_AUTH);
	assert_int_equal(line.env.ask.method, AUTH_PAP);
	assert_int_equal(line.env.ask.id, 3);
	assert_true(bytes_eq(line.env.ask.user, B("carol")));
	assert_true(bytes_eq(line.env.ask.password, B("s3cret")));
	assert_int_equal(pap(PAP_REQUEST, 4, PAP_CAROL), WHY_PPP_AUTH_AGAIN);	/* a verdict is pending */
	sends_nothing(&line);
	assert_int_equal(line_happened(&line), 0);
	answer(true, "Login ok");
	sends(&line, PPP_PAP, PAP_ACK, 3, "08 4c6f67696e206f6b");
	assert_int_equal(line_happened(&line), PPP_HAS_AUTHED);
	assert_int_equal(line.ppp.phase, PPP_NETWORK);
	answer(false, "too late");				/* there is one verdict */
	sends_nothing(&line);
	assert_int_equal(line_happened(&line), 0);
	assert_int_equal(pap(PAP_REQUEST, 5, PAP_CAROL), WHY_OK);	/* the Ack was lost */
	sends(&line, PPP_PAP, PAP_ACK, 5, "00");
	assert_int_equal(line_happened(&line), 0);
	assert_int_equal(pap(PAP_REQUEST, 5, "046d61727900"), WHY_PPP_AUTH_AGAIN);	/* somebody else */
	sends_nothing(&line);
}

static void pap_refused(void **state)
{
	(void)state;
	authenticate(AUTH_PAP);
	assert_int_equal(pap(PAP_REQUEST, 3, PAP_CAROL), WHY_OK);
	line_happened(&line);
	answer(false, "no");
	sends(&line, PPP_PAP, PAP_NAK, 3, "02 6e6f");
	sends_some(&line, PPP_LCP, CP_TERMREQ);
	assert_int_equal(line_happened(&line), PPP_HAS_ENDED);
	assert_int_equal(line.env.end, PPP_END_AUTH_FAILED);
	assert_int_equal(pap(PAP_REQUEST, 4, PAP_CAROL), WHY_PPP_PHASE);
	sends_nothing(&line);
}

static void pap_malformed(void **state)
{
	(void)state;
	authenticate(AUTH_PAP);
	assert_int_equal(pap(PAP_REQUEST, 3, "05 6361726f6c 07 733363726574"), WHY_PPP_AUTH_LEN);
	assert_int_equal(pap(PAP_ACK, 3, "00"), WHY_PPP_CODE);
	assert_int_equal(pap(77, 3, "00"), WHY_PPP_CODE);
	assert_int_equal(line_hears_octets(&line, hex("ff03c02301")), WHY_PPP_LEN);
	assert_int_equal(line_hears(&line, PPP_CHAP, CHAP_RESPONSE, 3, "0100"), WHY_PPP_PHASE);
	assert_int_equal(line_happened(&line), 0);
	sends_nothing(&line);
}

/* A response of zeros: judging it is the caller's business. */
static enum why respond(uint8_t id, uint8_t len)
{
	uint8_t data[1 + 255 + 5] = { len };

	memcpy(data + 1 + len, "carol", 5);
	return line_hears_bytes(&line, PPP_CHAP, CHAP_RESPONSE, id, bytes_of(data, 1u + len + 5));
}

static void chap_accepted(void **state)
{
	struct sent challenge;
	uint8_t value[16];

	(void)state;
	authenticate(AUTH_CHAP_MD5);
	challenge = sends_some(&line, PPP_CHAP, CHAP_CHALLENGE);
	assert_int_equal(challenge.data.len, 1 + 16 + 3);
	assert_int_equal(challenge.data.p[0], 16);
	assert_memory_equal(challenge.data.p + 17, "lns", 3);
	memcpy(value, challenge.data.p + 1, 16);
	assert_int_equal(respond((uint8_t)(challenge.id + 1), 16), WHY_PPP_ID);
	assert_int_equal(respond(challenge.id, 15), WHY_PPP_AUTH_LEN);
	assert_int_equal(respond(challenge.id, 49), WHY_PPP_AUTH_LEN);
	assert_int_equal(line_hears(&line, PPP_CHAP, CHAP_RESPONSE, challenge.id, "10"), WHY_PPP_AUTH_LEN);
	assert_int_equal(line_hears(&line, PPP_CHAP, CHAP_CHALLENGE, challenge.id, "0100"), WHY_PPP_CODE);
	assert_int_equal(line_happened(&line), 0);
	assert_int_equal(respond(challenge.id, 16), WHY_OK);
	assert_int_equal(line_happened(&line), PPP_HAS_ASKED_AUTH);
	assert_int_equal(line.env.ask.method, AUTH_CHAP_MD5);
	assert_int_equal(line.env.ask.id, challenge.id);
	assert_true(bytes_eq(line.env.ask.user, B("carol")));
	assert_true(bytes_eq(line.env.ask.challenge, bytes_of(value, 16)));
	assert_int_equal(line.env.ask.response.len, 16);
	line_waits(&line, 5000);				/* no verdict yet: nothing is repeated */
	sends_nothing(&line);
	answer(true, "");
	sends(&line, PPP_CHAP, CHAP_SUCCESS, challenge.id, "");
	assert_int_equal(line_happened(&line), PPP_HAS_AUTHED);
	assert_int_equal(respond(challenge.id, 16), WHY_OK);	/* Success was lost: RFC 1994 4.2 */
	sends(&line, PPP_CHAP, CHAP_SUCCESS, challenge.id, "");
	assert_int_equal(respond((uint8_t)(challenge.id + 1), 16), WHY_PPP_ID);
	assert_int_equal(line_happened(&line), 0);
}

/* The peer waits for a Success that was lost, and hears nothing of IPCP till then. */
static void success_is_repeated_into_silence(void **state)
{
	(void)state;
	authenticate(AUTH_CHAP_MD5);
	struct sent challenge = sends_some(&line, PPP_CHAP, CHAP_CHALLENGE);
	uint8_t id = challenge.id;

	assert_int_equal(respond(id, 16), WHY_OK);
	answer(true, "hello");
	sends(&line, PPP_CHAP, CHAP_SUCCESS, id, "68656c6c6f");
	ppp_address_given(&line.ppp, &line.env, (struct ip4){ PEER_ADDRESS });
	sends_some(&line, PPP_IPCP, CP_CONFREQ);
	line_waits(&line, 1000);
	sends(&line, PPP_CHAP, CHAP_SUCCESS, id, "");
	sends_some(&line, PPP_IPCP, CP_CONFREQ);
	assert_int_equal(line_hears(&line, PPP_IPCP, CP_CONFREQ, 1, "0306 00000000"), WHY_OK);
	sends_some(&line, PPP_IPCP, CP_CONFNAK);
	line_waits(&line, 1000);				/* it is there */
	sends_some(&line, PPP_IPCP, CP_CONFREQ);
	sends_nothing(&line);
}

static void chap_challenge_is_repeated(void **state)
{
	uint8_t first[20], id;

	(void)state;
	authenticate(AUTH_CHAP_MD5);
	struct sent challenge = sends_some(&line, PPP_CHAP, CHAP_CHALLENGE);

	id = challenge.id;
	memcpy(first, challenge.data.p, sizeof(first));
	line_waits(&line, 9999);
	for (unsigned i = 1; i < 10; i++) {
		challenge = sends_some(&line, PPP_CHAP, CHAP_CHALLENGE);
		assert_int_equal(challenge.id, id);
		assert_memory_equal(challenge.data.p, first, sizeof(first));
	}
	sends_nothing(&line);
	line_waits(&line, 1);
	assert_int_equal(line_happened(&line), PPP_HAS_ENDED);
	assert_int_equal(line.env.end, PPP_END_AUTH_TIMEOUT);
	sends_some(&line, PPP_LCP, CP_TERMREQ);
}

static void chap_refused(void **state)
{
	(void)state;
	authenticate(AUTH_CHAP_MD5);
	struct sent challenge = sends_some(&line, PPP_CHAP, CHAP_CHALLENGE);
	assert_int_equal(respond(challenge.id, 16), WHY_OK);
	line_happened(&line);
	answer(false, "no");
	sends(&line, PPP_CHAP, CHAP_FAILURE, challenge.id, "6e6f");
	sends_some(&line, PPP_LCP, CP_TERMREQ);
	assert_int_equal(line.env.end, PPP_END_AUTH_FAILED);
}

static void mschapv2_accepted(void **state)
{
	static const char proof[] = "S=407A5589115FD0D6209F510FE9C04566932CDA56";

	(void)state;
	authenticate(AUTH_MSCHAPV2);
	struct sent challenge = sends_some(&line, PPP_CHAP, CHAP_CHALLENGE);
	assert_int_equal(respond(challenge.id, 16), WHY_PPP_AUTH_LEN);
	assert_int_equal(respond(challenge.id, 49), WHY_OK);
	assert_int_equal(line.env.ask.method, AUTH_MSCHAPV2);
	assert_int_equal(line.env.ask.challenge.len, 16);
	assert_int_equal(line.env.ask.response.len, 49);
	answer(true, proof);
	for (unsigned i = 0; i < 2; i++) {			/* and again, when it was lost */
		struct sent success = sends_some(&line, PPP_CHAP, CHAP_SUCCESS);

		assert_int_equal(success.id, challenge.id);
		assert_true(bytes_eq(success.data, bytes_str(proof)));
		assert_int_equal(respond(challenge.id, 49), WHY_OK);
	}
}

/* RFC 2759 section 6. */
static void mschapv2_refused(void **state)
{
	char want[128] = "E=691 R=0 C=";
	size_t n = strlen(want);

	(void)state;
	authenticate(AUTH_MSCHAPV2);
	struct sent challenge = sends_some(&line, PPP_CHAP, CHAP_CHALLENGE);
	for (unsigned i = 0; i < 16; i++)
		n += (size_t)snprintf(want + n, sizeof(want) - n, "%02X", challenge.data.p[1 + i]);
	snprintf(want + n, sizeof(want) - n, " V=3 M=bad day");
	assert_int_equal(respond(challenge.id, 49), WHY_OK);
	answer(false, "bad day");
	assert_true(bytes_eq(sends_some(&line, PPP_CHAP, CHAP_FAILURE).data, bytes_str(want)));
}

static void the_phase_has_an_end(void **state)
{
	(void)state;
	authenticate(AUTH_PAP);
	line_waits(&line, 29999);
	assert_int_equal(line_happened(&line), 0);
	line_waits(&line, 1);
	assert_int_equal(line_happened(&line), PPP_HAS_ENDED);
	assert_int_equal(line.env.end, PPP_END_AUTH_TIMEOUT);
	begin(NULL);
	authenticate(AUTH_PAP);					/* the verdict, too, must come in time */
	assert_int_equal(pap(PAP_REQUEST, 3, PAP_CAROL), WHY_OK);
	line_happened(&line);
	line_waits(&line, 30000);
	assert_int_equal(line.env.end, PPP_END_AUTH_TIMEOUT);
	sends_some(&line, PPP_LCP, CP_TERMREQ);
	answer(true, "at last");
	sends_nothing(&line);
	begin(NULL);
	line.conf.auth_timeout_s = 0;
	authenticate(AUTH_PAP);
	assert_int_equal(line.ppp.due.us, UINT64_MAX);
}

static void no_authentication(void **state)
{
	(void)state;
	line.conf.auths = 0;
	line_starts(&line, NULL);
	line_opens_lcp(&line, "");
	assert_int_equal(line_happened(&line), PPP_HAS_LCP_OPENED | PPP_HAS_AUTHED);
	assert_int_equal(line.ppp.phase, PPP_NETWORK);
	assert_int_equal(pap(PAP_REQUEST, 1, PAP_CAROL), WHY_PPP_PHASE);
	assert_int_equal(respond(1, 16), WHY_PPP_PHASE);
}

/* A long message of the judge's is cut, not refused. */
static void long_messages(void **state)
{
	static const enum auth_method method[] = { AUTH_PAP, AUTH_CHAP_MD5, AUTH_MSCHAPV2 };
	static const uint8_t words[4000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(method); i++) {
		for (unsigned accepted = 0; accepted < 2; accepted++) {
			begin(NULL);
			authenticate(method[i]);
			if (method[i] == AUTH_PAP)
				assert_int_equal(pap(PAP_REQUEST, 1, PAP_CAROL), WHY_OK);
			else
				assert_int_equal(respond(sends_some(&line, PPP_CHAP, CHAP_CHALLENGE).id,
							 method[i] == AUTH_CHAP_MD5 ? 16 : 49), WHY_OK);
			ppp_auth_answered(&line.ppp, &line.env, accepted, bytes_of(words, sizeof(words)));
			struct sent sent;
			assert_true(line_sent(&line, &sent));
			assert_in_range(sent.data.len, 255, 320);
		}
	}
}

struct proxied {
	enum auth_method method;
	uint16_t	 type;
	uint32_t	 challenge_len, response_len;
	bool		 complete;
};

static void proxy_credentials_complete_or_not(void **state)
{
	static const uint8_t octets[64];
	static const struct proxied row[] = {
		{ AUTH_PAP, 3, 0, 6, true }, { AUTH_PAP, 3, 0, 0, true }, { AUTH_PAP, 2, 16, 16, false },
		{ AUTH_PAP, 1, 0, 6, false }, { AUTH_PAP, 4, 0, 0, false }, { AUTH_PAP, 0, 0, 0, false },
		{ AUTH_CHAP_MD5, 2, 16, 16, true }, { AUTH_CHAP_MD5, 2, 1, 16, true },
		{ AUTH_CHAP_MD5, 2, 0, 16, false }, { AUTH_CHAP_MD5, 2, 16, 15, false },
		{ AUTH_CHAP_MD5, 3, 16, 16, false }, { AUTH_CHAP_MD5, 5, 8, 49, false },
		{ AUTH_MSCHAPV2, 2, 16, 49, true }, { AUTH_MSCHAPV2, 2, 8, 49, false },
		{ AUTH_MSCHAPV2, 2, 16, 16, false }, { AUTH_MSCHAPV2, 5, 16, 49, false },
		{ AUTH_NONE, 2, 16, 16, false }, { AUTH_METHODS, 2, 16, 16, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct ppp_proxy proxy = {
			.auth_type = row[i].type, .auth_challenge = bytes_of(octets, row[i].challenge_len),
			.auth_response = bytes_of(octets, row[i].response_len),
		};

		assert_int_equal(auth_proxy_complete(row[i].method, &proxy), row[i].complete);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pap_accepted, begin),
		cmocka_unit_test_setup(pap_refused, begin),
		cmocka_unit_test_setup(pap_malformed, begin),
		cmocka_unit_test_setup(chap_accepted, begin),
		cmocka_unit_test_setup(success_is_repeated_into_silence, begin),
		cmocka_unit_test_setup(chap_challenge_is_repeated, begin),
		cmocka_unit_test_setup(chap_refused, begin),
		cmocka_unit_test_setup(mschapv2_accepted, begin),
		cmocka_unit_test_setup(mschapv2_refused, begin),
		cmocka_unit_test_setup(the_phase_has_an_end, begin),
		cmocka_unit_test_setup(no_authentication, begin),
		cmocka_unit_test_setup(long_messages, begin),
		cmocka_unit_test_setup(proxy_credentials_complete_or_not, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
