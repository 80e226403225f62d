/*
 * Goal: a subscriber gets in with its own password, by every method its stored form can serve, and by
 * nothing else; a bad line is named and spoils no other; no answer and no fault gives a password away;
 * a large file is read at once.
 * Method: small files by hand, with the vectors of RFC 2759 section 9.2 for MS-CHAPv2; every prefix of a
 * file as a file; 200,000 lines against the clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "l2tpns/core/subscribers.h"

#define FAULTS	8

static const struct hash_key key = { { 3, 4 } };
static struct subscribers_fault fault[FAULTS];
static unsigned bad;
static void *memory;

static struct subscribers *load_bytes(struct bytes text)
{
	size_t size = subscribers_size(text);
	struct subscribers *list = NULL;

	free(memory);
	memory = malloc(size);
	assert_non_null(memory);
	bad = subscribers_parse(&list, memory, size, key, text, fault, FAULTS);
	return list;
}

static struct subscribers *load(const char *text)
{
	return load_bytes(bytes_str(text));
}

static int memory_free(void **state)
{
	(void)state;
	free(memory);
	memory = NULL;
	return 0;
}

static struct subscriber_answer answer;

static enum why pap(const struct subscribers *list, const char *user, const char *password)
{
	struct ppp_ask ask = { .method = AUTH_PAP, .user = bytes_str(user), .password = bytes_str(password) };

	subscribers_ask(list, &ask, &answer);
	return answer.why;
}

static enum why chap(const struct subscribers *list, const char *user, const char *password)
{
	static const char challenge[] = "0123456789";
	uint8_t response[CHAP_MD5_LEN];
	struct ppp_ask ask = {
		.method = AUTH_CHAP_MD5, .id = 9, .user = bytes_str(user), .challenge = bytes_str(challenge),
		.response = bytes_of(response, sizeof(response)),
	};

	chap_md5(9, bytes_str(password), ask.challenge, response);
	subscribers_ask(list, &ask, &answer);
	return answer.why;
}

/* RFC 2759 section 9.2: user "User", password "clientPass". */
static const uint8_t authenticator_challenge[16] = {
	0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e, 0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28,
};
static const uint8_t client_response[MSCHAPV2_RESPONSE_LEN] = {
	0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a, 0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e,
	0, 0, 0, 0, 0, 0, 0, 0,
	0x82, 0x30, 0x9e, 0xcd, 0x8d, 0x70, 0x8b, 0x5e, 0xa0, 0x8f, 0xaa, 0x39, 0x81, 0xcd, 0x83, 0x54,
	0x42, 0x33, 0x11, 0x4a, 0x3d, 0x85, 0xd6, 0xdf, 0,
};

static enum why mschap(const struct subscribers *list, const char *user, uint32_t len)
{
	struct ppp_ask ask = {
		.method = AUTH_MSCHAPV2, .user = bytes_str(user),
		.challenge = bytes_of(authenticator_challenge, sizeof(authenticator_challenge)),
		.response = bytes_of(client_response, len),
	};

	subscribers_ask(list, &ask, &answer);
	return answer.why;
}

static void a_line_says_who_and_what(void **state)
{
	struct subscribers *list = load(
		"# a comment\n"
		"\n"
		"ann wonderland address=10.1.2.3 pool=gold session-timeout=3600 idle-timeout=60 # more\n"
		"  \"bob b\"\t'two words'\r\n"
		"cid #notacomment\n");

	(void)state;
	assert_int_equal(bad, 1);		/* cid has no password: a # begins a comment */
	assert_int_equal(fault[0].line, 5);
	assert_int_equal(subscribers_count(list), 2);
	assert_int_equal(pap(list, "ann", "wonderland"), WHY_OK);
	assert_int_equal(answer.address.n, 0x0a010203);
	assert_true(bytes_eq(answer.pool, bytes_str("gold")));
	assert_int_equal(answer.session_timeout_s, 3600);
	assert_int_equal(answer.idle_timeout_s, 60);
	assert_int_equal(pap(list, "bob b", "two words"), WHY_OK);
	assert_int_equal(answer.address.n, 0);
	assert_int_equal(answer.pool.len, 0);
	assert_int_equal(answer.session_timeout_s, 0);
}

static void a_refusal_tells_nothing(void **state)
{
	struct subscribers *list = load("ann wonderland address=10.1.2.3 pool=gold\n");
	static const struct subscriber_answer nothing = { .why = WHY_AUTH_PASSWORD };

	(void)state;
	assert_int_equal(pap(list, "ann", "wonderlane"), WHY_AUTH_PASSWORD);
	assert_memory_equal(&answer, &nothing, sizeof(nothing));
	assert_int_equal(pap(list, "ann", "wonderlan"), WHY_AUTH_PASSWORD);
	assert_int_equal(pap(list, "ann", "wonderland "), WHY_AUTH_PASSWORD);
	assert_int_equal(pap(list, "ann", ""), WHY_AUTH_PASSWORD);
	assert_int_equal(pap(list, "Ann", "wonderland"), WHY_AUTH_NO_USER);
	assert_int_equal(pap(list, "", "wonderland"), WHY_AUTH_NO_USER);
	assert_int_equal(chap(list, "ann", "wonderlane"), WHY_AUTH_PASSWORD);
	assert_int_equal(pap(NULL, "ann", "wonderland"), WHY_AUTH_NO_USER);
	assert_int_equal(subscribers_count(NULL), 0);
}

/* Which methods each form can serve. */
static void forms_serve_what_they_can(void **state)
{
	static const struct {
		const char *password;
		bool pap, chap, mschap, crypt;
	} row[] = {
		{ "clientPass",						true,  true,  true,  false },
		{ "{plain}clientPass",					true,  true,  true,  false },
		{ "{nt}44EBBA8D5312B8D611474411F56989AE",		true,  false, true,  false },
		{ "{nt}44ebba8d5312b8d611474411f56989ae",		true,  false, true,  false },
		{ "{crypt}$6$salt$hash",				true,  false, false, true },
	};
	char text[256];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
		snprintf(text, sizeof(text), "User %s pool=p\n", row[i].password);
		struct subscribers *list = load(text);

		assert_int_equal(bad, 0);
		assert_int_equal(pap(list, "User", "clientPass"), row[i].pap ? WHY_OK : WHY_AUTH_METHOD);
		assert_int_equal(answer.crypt, row[i].crypt);
		if (row[i].crypt)
			assert_true(bytes_eq(answer.crypt_hash, bytes_str("$6$salt$hash")));
		else
			assert_int_equal(pap(list, "User", "clientpass"), WHY_AUTH_PASSWORD);
		assert_int_equal(chap(list, "User", "clientPass"), row[i].chap ? WHY_OK : WHY_AUTH_METHOD);
		assert_false(answer.crypt);
		assert_int_equal(mschap(list, "User", 49), row[i].mschap ? WHY_OK : WHY_AUTH_METHOD);
	}
}

static void sha256_with_and_without_salt(void **state)
{
	struct subscribers *list = load(
		"a {sha256}2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\n"
		"b {ssha256}oBmrdHcA6OZEkkCLeXh71YAerbvhXz1qqwjrPsXmEtNzYWx0c2FsdA==\n");

	(void)state;
	assert_int_equal(bad, 0);
	assert_int_equal(pap(list, "a", "secret"), WHY_OK);
	assert_int_equal(pap(list, "a", "Secret"), WHY_AUTH_PASSWORD);
	assert_int_equal(chap(list, "a", "secret"), WHY_AUTH_METHOD);
	assert_int_equal(mschap(list, "b", 49), WHY_AUTH_METHOD);
	assert_int_equal(pap(list, "b", "secret"), WHY_OK);
	assert_int_equal(pap(list, "b", "secre"), WHY_AUTH_PASSWORD);
}

static void mschapv2_proves_both_sides(void **state)
{
	struct subscribers *list = load("User clientPass\n");

	(void)state;
	assert_int_equal(mschap(list, "User", 49), WHY_OK);
	assert_int_equal(answer.message_len, 42);
	assert_memory_equal(answer.message, "S=407A5589115FD0D6209F510FE9C04566932CDA56", 42);
	assert_int_equal(mschap(list, "BIGCO\\User", 49), WHY_OK);	/* RFC 2759 section 4 */
	assert_int_equal(mschap(list, "User", 48), WHY_AUTH_PASSWORD);
	assert_int_equal(mschap(list, "User", 0), WHY_AUTH_PASSWORD);
	assert_int_equal(answer.message_len, 0);
	list = load("BIGCO\\User clientPass\n");
	assert_int_equal(mschap(list, "BIGCO\\User", 49), WHY_OK);
	list = load("User wrong\n");
	assert_int_equal(mschap(list, "User", 49), WHY_AUTH_PASSWORD);
	assert_int_equal(answer.message_len, 0);
}

static void a_star_serves_the_rest(void **state)
{
	struct subscribers *list = load("ann hers\n* shared pool=visitors\n* again\n");

	(void)state;
	assert_int_equal(bad, 1);
	assert_int_equal(fault[0].line, 3);
	assert_int_equal(pap(list, "ann", "shared"), WHY_AUTH_PASSWORD);
	assert_int_equal(pap(list, "ann", "hers"), WHY_OK);
	assert_int_equal(pap(list, "whoever", "shared"), WHY_OK);
	assert_true(bytes_eq(answer.pool, bytes_str("visitors")));
	assert_int_equal(pap(list, "*", "shared"), WHY_OK);
	assert_int_equal(chap(list, "whoever", "shared"), WHY_OK);
	assert_int_equal(pap(list, "whoever", "hers"), WHY_AUTH_PASSWORD);
}

static void bad_lines_are_named_and_skipped(void **state)
{
	static const char *const lines[] = {
		"ann", "ann \"\"", "\"\" pw", "ann {md4}00", "ann {nt}00",
		"ann {nt}zzEBBA8D5312B8D611474411F56989AE",
		"ann {sha256}44EBBA8D5312B8D611474411F56989AE", "ann {ssha256}====", "ann {ssha256}AAAA",
		"ann {ssha256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=", "ann {crypt}xy", "ann {plain}",
		"ann pw address=1.2.3", "ann pw address=224.0.0.1", "ann pw address=0.0.0.0", "ann pw pool",
		"ann pw address=10.0.0.1 address=10.0.0.2", "ann pw session-timeout=-1",
		"ann pw idle-timeout=",
		"ann pw idle-timeout=4294967296", "ann my secret", "ann \"pw", "ann pw\x01",
		"ann pw pool=a-name-that-is-much-too-long-to-be-one",
	};
	char text[256];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		snprintf(text, sizeof(text), "first pw\n%s\nlast pw\n", lines[i]);
		struct subscribers *list = load(text);

		assert_int_equal(bad, 1);
		assert_int_equal(fault[0].line, 2);
		assert_null(strstr(fault[0].text, "secret"));
		assert_int_equal(subscribers_count(list), 2);
		assert_int_equal(pap(list, "last", "pw"), WHY_OK);
		assert_int_equal(pap(list, "ann", "pw"), WHY_AUTH_NO_USER);
	}
	struct subscribers *list = load("ann one\nbob x\nann two\n");

	assert_int_equal(bad, 1);
	assert_int_equal(fault[0].line, 3);		/* the second of the same name */
	assert_int_equal(pap(list, "ann", "one"), WHY_OK);
	assert_int_equal(pap(list, "ann", "two"), WHY_AUTH_PASSWORD);
}

static void every_bad_line_counts(void **state)
{
	char text[512] = "";

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(text, "x\n");
	load(text);
	assert_int_equal(bad, 100);
	assert_int_equal(fault[FAULTS - 1].line, FAULTS);
	load("");
	assert_int_equal(bad, 0);
}

static void no_file_is_too_short(void **state)
{
	static const char text[] = "ann {ssha256}oBmrdHcA6OZEkkCLeXh71YAerbvhXz1qqwjrPsXmEtNzYWx0c2FsdA== "
				   "address=10.0.0.1 pool=gold\n* \"x y\" session-timeout=5\nbob {nt}00";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *cut = malloc(len + 1);		/* so that a sanitizer sees a step too far */

		memcpy(cut, text, len);
		pap(load_bytes(bytes_of(cut, len)), "ann", "secret");
		free(cut);
	}
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void two_hundred_thousand_lines_take_a_moment(void **state)
{
	enum { LINES = 200000 };
	char *text = malloc(LINES * 64), user[32], password[32];
	size_t used = 0;
	double from, parse, ask;

	(void)state;
	for (int i = 0; i < LINES; i++)
		used += (size_t)sprintf(text + used, "user%d@example.net password%d address=10.%d.%d.%d\n",
					i, i, i >> 16 & 255, i >> 8 & 255, i & 255);
	from = seconds();
	struct subscribers *list = load_bytes(bytes_of(text, used));

	parse = seconds() - from;
	assert_int_equal(bad, 0);
	assert_int_equal(subscribers_count(list), LINES);
	from = seconds();
	for (int i = 0; i < LINES; i++) {
		sprintf(user, "user%d@example.net", i);
		sprintf(password, "password%d", i);
		assert_int_equal(pap(list, user, password), WHY_OK);
	}
	ask = seconds() - from;
	print_message("200,000 lines: %.0f ms to read, %.0f ns to ask, %.0f octets each\n", parse * 1e3,
		      ask / LINES * 1e9, (double)subscribers_size(bytes_of(text, used)) / LINES);
	assert_true(parse < 2);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_says_who_and_what),
		cmocka_unit_test(a_refusal_tells_nothing),
		cmocka_unit_test(forms_serve_what_they_can),
		cmocka_unit_test(sha256_with_and_without_salt),
		cmocka_unit_test(mschapv2_proves_both_sides),
		cmocka_unit_test(a_star_serves_the_rest),
		cmocka_unit_test(bad_lines_are_named_and_skipped),
		cmocka_unit_test(every_bad_line_counts),
		cmocka_unit_test(no_file_is_too_short),
		cmocka_unit_test(two_hundred_thousand_lines_take_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, memory_free);
}
