/*
 * Goal: authentication packets and computations are those of RFC 1334, 1994 and 2759.
 * Method: RFC 2759 section 9.2's example; MD5 and MD4 digests computed by other programs (Python's
 * hashlib, openssl); and the real exchanges of tests/vectors/ppp, where pppd proved a password.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/wire/ppp_auth.h"

#define B(text)	bytes_of(text, sizeof(text) - 1)

static uint32_t hex_read(const char *text, uint8_t *out)
{
	uint32_t n = 0;

	for (unsigned value; sscanf(text, "%2x", &value) == 1; text += 2)
		out[n++] = (uint8_t)value;
	return n;
}

static void digest_is(const uint8_t *digest, const char *want)
{
	uint8_t octets[64];
	uint32_t len = hex_read(want, octets);

	assert_memory_equal(digest, octets, len);
}

static void pap_packets(void **state)
{
	struct bytes user, password;
	uint8_t room[300];
	struct wr w = wr_of(room, sizeof(room));
	uint8_t words[300] = { 0 };

	(void)state;
	assert_int_equal(pap_request_decode(B("\x05" "carol\x06" "s3cret"), &user, &password), WHY_OK);
	assert_true(bytes_eq(user, B("carol")) && bytes_eq(password, B("s3cret")));
	assert_int_equal(pap_request_decode(B("\x00\x00"), &user, &password), WHY_OK);
	assert_int_equal(user.len + password.len, 0);
	assert_int_equal(pap_request_decode(B("\x01" "a\x01" "b and padding"), &user, &password), WHY_OK);
	assert_true(bytes_eq(password, B("b")));
	assert_int_equal(pap_request_decode(B(""), &user, &password), WHY_PPP_AUTH_LEN);
	assert_int_equal(pap_request_decode(B("\x06" "carol"), &user, &password), WHY_PPP_AUTH_LEN);
	assert_int_equal(pap_request_decode(B("\x05" "carol"), &user, &password), WHY_PPP_AUTH_LEN);
	assert_int_equal(pap_request_decode(B("\x05" "carol\x07" "s3cret"), &user, &password),
			 WHY_PPP_AUTH_LEN);
	assert_int_equal(user.len + password.len, 0);

	pap_reply_encode(&w, PAP_ACK, 3, B("ok"));
	assert_true(bytes_eq(wr_bytes_of(&w), B("\x02\x03\x00\x07\x02ok")));
	w = wr_of(room, sizeof(room));
	pap_reply_encode(&w, PAP_NAK, 3, bytes_of(words, 300));
	assert_int_equal(wr_len(&w), 4 + 1 + 255);
}

static void chap_packets(void **state)
{
	struct bytes value, name;
	uint8_t room[300];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	chap_value_encode(&w, CHAP_CHALLENGE, 9, B("1234"), B("lns"));
	assert_true(bytes_eq(wr_bytes_of(&w), B("\x01\x09\x00\x0c\x04" "1234lns")));
	assert_int_equal(chap_value_decode(bytes_of(room + 4, wr_len(&w) - 4), &value, &name), WHY_OK);
	assert_true(bytes_eq(value, B("1234")) && bytes_eq(name, B("lns")));
	assert_int_equal(chap_value_decode(B("\x04" "1234"), &value, &name), WHY_OK);
	assert_int_equal(name.len, 0);
	assert_int_equal(chap_value_decode(B("\x05" "1234"), &value, &name), WHY_PPP_AUTH_LEN);
	assert_int_equal(chap_value_decode(B("\x00name"), &value, &name), WHY_PPP_AUTH_LEN);
	assert_int_equal(chap_value_decode(B(""), &value, &name), WHY_PPP_AUTH_LEN);
	w = wr_of(room, sizeof(room));
	chap_value_encode(&w, CHAP_CHALLENGE, 9, B(""), B("lns"));
	assert_false(wr_ok(&w));
	w = wr_of(room, sizeof(room));
	chap_reply_encode(&w, CHAP_FAILURE, 9, B("no"));
	assert_true(bytes_eq(wr_bytes_of(&w), B("\x04\x09\x00\x06no")));
}

static void md5_by_others(void **state)
{
	static const uint8_t challenge[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	const struct bytes parts[] = { B("a"), { 0 }, B("bc") };
	uint8_t out[16];

	(void)state;
	chap_md5(1, B("secret"), bytes_of(challenge, 16), out);
	digest_is(out, "740e86463bda3a4d7017d6e0fba0699d");
	chap_md5(255, (struct bytes){ 0 }, B("x"), out);
	digest_is(out, "892ec2067732aa7b866bb83e443e690f");
	md5_of(NULL, 0, out);
	digest_is(out, "d41d8cd98f00b204e9800998ecf8427e");
	md5_of(parts, 3, out);				/* RFC 1321 A.5: "abc" */
	digest_is(out, "900150983cd24fb0d6963f7d28e17f72");
}

static void nt_hashes(void **state)
{
	static const struct { struct bytes password; const char *want; } row[] = {
		{ { NULL, 0 }, "31d6cfe0d16ae931b73c59d7e0c089c0" },
		{ { (const uint8_t *)"password", 8 }, "8846f7eaee8fb117ad06bdd830b7586c" },
		{ { (const uint8_t *)"MyPw", 4 }, "fc156af7edcd6c0edde3337d427f4eac" },	/* RFC 2433 B.2 */
		{ { (const uint8_t *)"clientPass", 10 }, "44ebba8d5312b8d611474411f56989ae" },
		{ { (const uint8_t *)"gr\xc3\xbc\xc3\x9f" "e", 7 }, "3c681b289f386d2175d511e18e7d15c1" },
		{ { (const uint8_t *)"\xe2\x82\xac" "uro", 6 }, "65a07986d69e1cb33d52eacab1a9322a" },
		{ { (const uint8_t *)"\xf0\x9d\x84\x9e" "clef", 8 }, "a5af1bf0f057963ffa0e834d60c6927d" },
		/* not UTF-8: Latin-1; the second is an overlong NUL, the third half a surrogate pair */
		{ { (const uint8_t *)"\xfc" "ber", 4 }, "fddfcfa1e876e99bc0497febbd995e99" },
		{ { (const uint8_t *)"\xc0\x80x", 3 }, "4133ee3631ca81248c2d87c3414dc8e2" },
		{ { (const uint8_t *)"\xed\xa0\x80", 3 }, "6e72f370cc4c21f8aa5464ef9c19bb62" },
		/* cut short */
		{ { (const uint8_t *)"a\xc3", 2 }, "370e6caaf9b5a6eacb6e9bb469b213fe" },
	};
	uint8_t out[NT_HASH_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		nt_hash(row[i].password, out);
		digest_is(out, row[i].want);
	}
}

/* RFC 2759 section 9.2. */
static void mschapv2_of_the_rfc(void **state)
{
	uint8_t auth_challenge[16], peer_challenge[16], nt[NT_HASH_LEN], response[24];
	char success[MSCHAPV2_SUCCESS_LEN];

	(void)state;
	hex_read("5B5D7C7D7B3F2F3E3C2C602132262628", auth_challenge);
	hex_read("21402324255E262A28295F2B3A337C7E", peer_challenge);
	nt_hash(B("clientPass"), nt);
	mschapv2_nt_response(nt, auth_challenge, peer_challenge, B("User"), response);
	digest_is(response, "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
	mschapv2_success(nt, auth_challenge, peer_challenge, response, B("User"), success);
	assert_memory_equal(success, "S=407A5589115FD0D6209F510FE9C04566932CDA56", MSCHAPV2_SUCCESS_LEN);
}

static void small_words(void **state)
{
	static const uint8_t a[4] = { 1, 2, 3, 4 }, b[4] = { 1, 2, 3, 5 };

	(void)state;
	assert_true(bytes_eq(mschap_user(B("DOMAIN\\user")), B("user")));
	assert_true(bytes_eq(mschap_user(B("user")), B("user")));
	assert_true(bytes_eq(mschap_user(B("a\\b\\c")), B("b\\c")));
	assert_int_equal(mschap_user(B("DOMAIN\\")).len, 0);
	assert_int_equal(mschap_user((struct bytes){ 0 }).len, 0);
	assert_true(octets_equal(a, a, 4));
	assert_false(octets_equal(a, b, 4));
	assert_true(octets_equal(a, b, 3));
	assert_true(octets_equal(a, b, 0));
	assert_string_equal(auth_method_name(AUTH_NONE), "none");
	assert_string_equal(auth_method_name(AUTH_MSCHAPV2), "mschapv2");
	assert_string_equal(auth_method_name(AUTH_METHODS), "unknown");
}

/* The latest packet of each CHAP code in a file of real frames. */
static void chap_read(const char *path, struct ppp_cp cp[5], uint8_t room[5][512])
{
	FILE *file = fopen(path, "r");
	char line[4096];

	assert_non_null(file);
	memset(cp, 0, 5 * sizeof(*cp));
	while (fgets(line, sizeof(line), file)) {
		uint8_t octets[512];
		struct ppp_frame frame;
		struct ppp_cp one;
		uint32_t len = line[0] == '#' || strlen(line) > 1000 ? 0 : hex_read(line + 2, octets);

		if (len == 0 || ppp_frame_decode(bytes_of(octets, len), &frame) != WHY_OK ||
		    frame.proto != PPP_CHAP)
			continue;
		assert_int_equal(ppp_cp_decode(frame.body, &one), WHY_OK);
		assert_in_range(one.code, CHAP_CHALLENGE, CHAP_FAILURE);
		memcpy(room[one.code], one.data.p, one.data.len);
		cp[one.code] = one;
		cp[one.code].data.p = room[one.code];
	}
	fclose(file);
}

static void chap_of_pppd(const char *path, bool right)
{
	struct bytes challenge, response, name;
	struct ppp_cp cp[5];
	uint8_t room[5][512], want[CHAP_MD5_LEN];

	chap_read(path, cp, room);
	assert_int_equal(chap_value_decode(cp[CHAP_CHALLENGE].data, &challenge, &name), WHY_OK);
	assert_int_equal(chap_value_decode(cp[CHAP_RESPONSE].data, &response, &name), WHY_OK);
	assert_true(bytes_eq(name, B("carol")));
	assert_int_equal(response.len, CHAP_MD5_LEN);
	chap_md5(cp[CHAP_RESPONSE].id, B("s3cret"), challenge, want);
	assert_int_equal(octets_equal(response.p, want, CHAP_MD5_LEN), right);
	assert_int_equal(cp[right ? CHAP_SUCCESS : CHAP_FAILURE].id, cp[CHAP_CHALLENGE].id);
}

static void mschapv2_of_pppd(const char *path, bool right)
{
	struct bytes challenge, response, name;
	struct ppp_cp cp[5];
	uint8_t room[5][512], nt[NT_HASH_LEN], want[24];
	char success[MSCHAPV2_SUCCESS_LEN];

	chap_read(path, cp, room);
	assert_int_equal(chap_value_decode(cp[CHAP_CHALLENGE].data, &challenge, &name), WHY_OK);
	assert_int_equal(chap_value_decode(cp[CHAP_RESPONSE].data, &response, &name), WHY_OK);
	assert_int_equal(challenge.len, MSCHAPV2_CHALLENGE_LEN);
	assert_int_equal(response.len, MSCHAPV2_RESPONSE_LEN);
	nt_hash(B("s3cret"), nt);
	mschapv2_nt_response(nt, challenge.p, response.p, name, want);
	assert_int_equal(octets_equal(response.p + 24, want, 24), right);
	if (!right)
		return;
	mschapv2_success(nt, challenge.p, response.p, response.p + 24, name, success);
	assert_true(cp[CHAP_SUCCESS].data.len >= sizeof(success));
	assert_memory_equal(cp[CHAP_SUCCESS].data.p, success, sizeof(success));
}

static void passwords_pppd_proved(void **state)
{
	(void)state;
	chap_of_pppd("tests/vectors/ppp/pppd-chap.txt", true);
	chap_of_pppd("tests/vectors/ppp/pppd-chap-wrong.txt", false);
	mschapv2_of_pppd("tests/vectors/ppp/pppd-mschapv2.txt", true);
	mschapv2_of_pppd("tests/vectors/ppp/pppd-mschapv2-wrong.txt", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pap_packets),
		cmocka_unit_test(chap_packets),
		cmocka_unit_test(md5_by_others),
		cmocka_unit_test(nt_hashes),
		cmocka_unit_test(mschapv2_of_the_rfc),
		cmocka_unit_test(small_words),
		cmocka_unit_test(passwords_pppd_proved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
