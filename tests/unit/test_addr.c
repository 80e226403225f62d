/*
 * Goal: addresses are written as RFC 5952 wants and read without surprises.
 * Method: the RFC's own cases, then random addresses and texts against the C library.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/addr.h"
#include "l2tpns/base/rnd.h"

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_int_equal(inet_pton(AF_INET6, text, ip.b), 1);
	return ip;
}

/* RFC 5952 section 4. */
static void rfc_5952(void **state)
{
	static const struct { const char *from, *to; } cases[] = {
		{ "2001:0db8::0001", "2001:db8::1" },			/* 4.1 no leading zeros */
		{ "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },		/* 4.2.1 as short as can be */
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },	/* 4.2.2 not for one field */
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },		/* 4.2.3 the longest run */
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },	/* 4.2.3 the first of equal ones */
		{ "2001:DB8::ABCD", "2001:db8::abcd" },			/* 4.3 lower case */
		{ "::", "::" }, { "::1", "::1" }, { "1::", "1::" }, { "fe80::1:0", "fe80::1:0" },
		{ "1:0:0:2::", "1:0:0:2::" }, { "::ffff:192.0.2.1", "192.0.2.1" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char text[IP_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(ip_text(ip_of(cases[i].from), text), cases[i].to);
}

static void with_ports(void **state)
{
	char text[ADDR_TEXT_MAX];

	(void)state;
	struct addr a = { ip_of("2001:db8::1"), 1701 };

	assert_string_equal(addr_text(a, text), "[2001:db8::1]:1701");
	a = (struct addr){ ip_from4((struct ip4){ 0xc0000201 }), 65535 };
	assert_string_equal(addr_text(a, text), "192.0.2.1:65535");
	a.ip = ip_of("ffff:eeee:dddd:cccc:bbbb:aaaa:9999:8888");
	assert_string_equal(addr_text(a, text), "[ffff:eeee:dddd:cccc:bbbb:aaaa:9999:8888]:65535");
}

static void random_against_the_library(void **state)
{
	uint8_t seed[RND_SEED_LEN] = { 6 };
	char ours[IP_TEXT_MAX], theirs[INET6_ADDRSTRLEN];
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	for (unsigned i = 0; i < 50000; i++) {
		struct ip ip;

		rnd_fill(&rnd, ip.b, sizeof(ip.b));
		for (unsigned k = 0; k < 8; k++)
			if (rnd_below(&rnd, 2))
				ip.b[2 * k] = ip.b[2 * k + 1] = 0;
		ip.b[0] |= 0x20;	/* the library writes ::/96 in its own way */
		assert_string_equal(ip_text(ip, ours), inet_ntop(AF_INET6, ip.b, theirs, sizeof(theirs)));

		struct ip4 v4 = { rnd_u32(&rnd) }, back;
		uint32_t net = htonl(v4.n);

		assert_string_equal(ip4_text(v4, ours), inet_ntop(AF_INET, &net, theirs, sizeof(theirs)));
		assert_true(ip4_parse(ours, &back));
		assert_int_equal(back.n, v4.n);
		assert_true(ip_is4(ip_from4(v4)));
		assert_int_equal(ip_to4(ip_from4(v4)).n, v4.n);
		assert_int_equal(ip_to4(ip).n, 0);
	}
}

/* Texts with one character changed, dropped or doubled: we take what the library takes. */
static void misspelt_against_the_library(void **state)
{
	static const char alphabet[] = "0123456789.. -/x";
	uint8_t seed[RND_SEED_LEN] = { 8 };
	struct rnd rnd;
	unsigned taken = 0;

	(void)state;
	rnd_seed(&rnd, seed);
	for (unsigned i = 0; i < 200000; i++) {
		char text[32];
		struct in_addr theirs;
		struct ip4 ours;

		snprintf(text, sizeof(text), "%u.%u.%u.%u", rnd_below(&rnd, 300), rnd_below(&rnd, 260),
			 rnd_below(&rnd, 12), rnd_below(&rnd, 260));
		for (uint32_t n = rnd_below(&rnd, 3); n > 0; n--)
			text[rnd_below(&rnd, (uint32_t)strlen(text))] = alphabet[rnd_below(&rnd, 16)];
		bool good = inet_pton(AF_INET, text, &theirs) == 1;

		if (ip4_parse(text, &ours) != good)
			fail_msg("%s", text);
		if (good) {
			assert_int_equal(ours.n, ntohl(theirs.s_addr));
			taken++;
		}
	}
	assert_true(taken > 1000);
}

static void prefixes(void **state)
{
	static const char *const bad[] = {
		"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.1/24", "10.0.0.0/-1", "10.0.0/24",
		"10.0.0.0/24 ", "10.0.0.0/4294967320", "1.2.3.4.5", "1.2.3", "1..2.3", "256.0.0.0",
		"010.0.0.0", " 1.2.3.4", "1.2.3.4x",
	};
	struct prefix4 p;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		if (ip4_prefix_parse(bad[i], &p))
			fail_msg("%s was taken", bad[i]);
	assert_true(ip4_prefix_parse("10.1.0.0/16", &p));
	assert_int_equal(p.net.n, 0x0a010000);
	assert_int_equal(p.len, 16);
	assert_true(prefix4_has(p, (struct ip4){ 0x0a01ffff }));
	assert_false(prefix4_has(p, (struct ip4){ 0x0a020000 }));
	assert_true(ip4_prefix_parse("0.0.0.0/0", &p));
	assert_true(prefix4_has(p, (struct ip4){ 0xffffffff }));
	assert_true(ip4_prefix_parse("192.0.2.1", &p));
	assert_int_equal(p.len, 32);
	assert_true(prefix4_has(p, (struct ip4){ 0xc0000201 }));
	assert_false(prefix4_has(p, (struct ip4){ 0xc0000200 }));
	for (uint8_t len = 0; len <= 32; len++)
		assert_int_equal(__builtin_popcount(prefix4_mask(len)), len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc_5952),
		cmocka_unit_test(with_ports),
		cmocka_unit_test(random_against_the_library),
		cmocka_unit_test(misspelt_against_the_library),
		cmocka_unit_test(prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
