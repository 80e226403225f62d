/*
 * Goal: a datagram of the cluster is opened by whom it was sealed for and unchanged, its keys can be changed under
 * way and are wiped, and refusing the others costs little (requirements R21, R58, R59, R60).
 * Method: three nodes in one program; a packet computed by another program; random order against a model.
 */
#include <nettle/chacha-poly1305.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/sha2.h>

#include "tests/unit/cl_seal_ends.h"

/* ---- the construction ---- */

static void known_answers_of_rfc_5869_and_8439(void **state)
{
	/* RFC 5869 A.1. */
	static const uint8_t okm[] = {
		0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0, 0x36, 0x2f, 0x2a,
		0x2d, 0x2d, 0x0a, 0x90, 0xcf, 0x1a, 0x5a, 0x4c, 0x5d, 0xb0, 0x2d, 0x56, 0xec, 0xc4, 0xc5, 0xbf,
	};
	/* RFC 8439 2.8.2. */
	static const char sunscreen[] = "Ladies and Gentlemen of the class of '99: If I could offer you only "
		"one tip for the future, sunscreen would be it.";
	static const uint8_t nonce[12] = { 7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47 };
	static const uint8_t aad[12] = { 0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7 };
	static const uint8_t start[] = { 0xd3, 0x1a, 0x8d, 0x34, 0x64, 0x8e, 0x60, 0xdb };
	static const uint8_t tag[] = {
		0x1a, 0xe1, 0x0b, 0x59, 0x4f, 0x09, 0xe2, 0x6a, 0x7e, 0x90, 0x2e, 0xcb, 0xd0, 0x60, 0x06, 0x91,
	};
	uint8_t ikm[22], salt[13], info[11], prk[32], out[128], key[32];
	struct hmac_sha256_ctx hmac;
	struct chacha_poly1305_ctx aead;

	(void)state;
	memset(ikm, 0x0b, sizeof(ikm));
	for (unsigned i = 0; i < 32; i++)
		key[i] = (uint8_t)(0x80 + i);
	for (unsigned i = 0; i < 13; i++)
		salt[i] = (uint8_t)i;
	for (unsigned i = 0; i < 10; i++)
		info[i] = (uint8_t)(0xf0 + i);
	info[10] = 1;
	hmac_sha256_set_key(&hmac, sizeof(salt), salt);
	hmac_sha256_update(&hmac, sizeof(ikm), ikm);
	hmac_sha256_digest(&hmac, 32, prk);
	hmac_sha256_set_key(&hmac, 32, prk);
	for (unsigned again = 0; again < 2; again++) {		/* the second time without a key set */
		hmac_sha256_update(&hmac, sizeof(info), info);
		hmac_sha256_digest(&hmac, 32, out);
		assert_memory_equal(out, okm, sizeof(okm));
	}
	chacha_poly1305_set_key(&aead, key);
	chacha_poly1305_set_nonce(&aead, nonce);
	chacha_poly1305_update(&aead, sizeof(aad), aad);
	chacha_poly1305_encrypt(&aead, sizeof(sunscreen) - 1, out, (const uint8_t *)sunscreen);
	assert_memory_equal(out, start, sizeof(start));
	chacha_poly1305_digest(&aead, 16, out);
	assert_memory_equal(out, tag, sizeof(tag));
}

/* The second datagram of node 0x1234 to node 0x0203 on the bulk stream, made from the header's comment alone by
 * another program with another library. */
static const uint8_t golden[] = {
	0x63, 0x6c, 0x01, 0xc8, 0x3e, 0xe4, 0x12, 0x34, 0x02, 0x03, 0x00, 0x00, 0xfb, 0xb1, 0xea, 0x0f,
	0xcb, 0xb4, 0x97, 0x84, 0x4f, 0xc7, 0x50, 0x13, 0xac, 0xd5, 0xf9, 0xe0, 0x02, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x02, 0x2b, 0x40, 0x51, 0x24, 0x34, 0x17, 0x91, 0x08, 0xbd, 0x55, 0x56, 0xd8,
	0x81, 0xd9, 0x29, 0x76, 0xd0, 0x60, 0xf2, 0x95, 0xf0, 0x79, 0xa6, 0x6d, 0x2d, 0xad, 0xd8, 0x1c,
	0x6e, 0x58, 0x73, 0xd8, 0xf4, 0x03, 0xf4, 0xbe, 0x7f, 0xcd, 0xa7, 0x42, 0x34, 0xf8, 0x9b,
};

static void a_packet_made_by_another_program_is_ours_octet_for_octet(void **state)
{
	static const uint8_t seed[RND_SEED_LEN] = { 5 };
	struct seal_secret secret[SEAL_SECRETS_MAX] = { { 0 }, { 200, { 0 } } };

	(void)state;
	for (unsigned i = 0; i < SEAL_SECRET_LEN; i++)
		secret[1].octets[i] = (uint8_t)i;
	rnd_seed(&a.rnd, seed);
	boot_as(&a, 0x1234, "Bristol and Bath");
	seal_secrets(a.seal, secret, 200);
	(void)say_on(&a, (struct node_id){ 0 }, SEAL_MULTICAST, "");
	struct sealed s = say_on(&a, (struct node_id){ 0x0203 }, SEAL_BULK, "All records of the cluster.");

	assert_int_equal(s.len, sizeof(golden));
	assert_memory_equal(s.b, golden, s.len);
	boot_as(&b, 0x0203, "Bristol and Bath");
	seal_secrets(b.seal, secret, 200);
	assert_int_equal(hear_bytes(&b, bytes_of(golden, sizeof(golden))), WHY_CL_BOOT);
	assert_true(bytes_eq(heard.plain, bytes_str("All records of the cluster.")));
	assert_int_equal(heard.node.n, 0x1234);
	assert_int_equal(heard.to.n, 0x0203);
	assert_int_equal(heard.stream, SEAL_BULK);
}

static void every_length_comes_back(void **state)
{
	static uint8_t plain[2048], out[SEAL_OVERHEAD + 2048];

	(void)state;
	rnd_fill(&a.rnd, plain, sizeof(plain));
	for (uint32_t len = 0; len <= sizeof(plain); len++) {
		struct bytes words = bytes_of(plain, len);
		struct node_id to = { len % 2 ? b.node.n : 0 };
		size_t n = seal_close(a.seal, to, len % SEAL_STREAMS, words, out, len + SEAL_OVERHEAD);

		assert_int_equal(n, len + SEAL_OVERHEAD);
		assert_int_equal(seal_open(b.seal, bytes_of(out, n), room, len, &heard), SEAL_OPENED);
		assert_true(bytes_eq(heard.plain, words));
		assert_true(node_eq(heard.node, a.node) && node_eq(heard.to, to));
		assert_int_equal(heard.stream, len % SEAL_STREAMS);
		if (len > 0) {
			assert_int_equal(seal_open(b.seal, bytes_of(out, n), room, len - 1, &heard), SEAL_REFUSED);
			assert_int_equal(heard.why, WHY_CL_LONG);
		}
		assert_int_equal(seal_close(a.seal, to, SEAL_BULK, words, out, len + SEAL_OVERHEAD - 1), 0);
	}
}

static void nonces_and_counters_never_repeat(void **state)
{
	struct sealed s[3 * SEAL_STREAMS];
	uint64_t before = 0;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(s); i++) {
		s[i] = say_on(&a, (struct node_id){ (uint16_t)(i / SEAL_STREAMS) }, i % SEAL_STREAMS, "the same words");
		for (unsigned j = 0; j < i; j++) {
			assert_memory_not_equal(s[i].b + SEAL_HEADER_LEN, s[j].b + SEAL_HEADER_LEN, 14);
			assert_memory_not_equal(s[i].b + SEAL_HEADER_LEN + 14, s[j].b + SEAL_HEADER_LEN + 14, 16);
		}
	}
	for (unsigned i = 0; i < 20000; i++) {
		struct sealed next = say_on(&a, (struct node_id){ (uint16_t)rnd_below(&a.rnd, 60000) },
					    rnd_below(&a.rnd, SEAL_STREAMS), "x");
		uint64_t counter = 0;

		for (unsigned j = 29; j < SEAL_HEADER_LEN; j++)
			counter = counter << 8 | next.b[j];
		assert_true(counter > before);
		before = counter;
		if (i % 5000 == 0)		/* nor when the keys change, or are the same again */
			seal_secrets(a.seal, i % 10000 ? one : two, 7);
	}
}

/* ---- the window ---- */

static void window_edges(void **state)
{
	static struct sealed s[SEAL_WINDOW + 2];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(s); i++)
		s[i] = say(&a, NULL, "x");
	assert_int_equal(hear(&b, s[SEAL_WINDOW]), WHY_OK);
	assert_int_equal(hear(&b, s[0]), WHY_CL_REPLAY);	/* 4,096 behind */
	assert_int_equal(hear(&b, s[1]), WHY_OK);		/* 4,095 behind */
	assert_int_equal(hear(&b, s[1]), WHY_CL_REPLAY);
	assert_int_equal(hear(&b, s[SEAL_WINDOW + 1]), WHY_OK);
	assert_int_equal(hear(&b, s[2]), WHY_OK);
	for (unsigned i = 3; i < SEAL_WINDOW; i++)
		assert_int_equal(hear(&b, s[i]), WHY_OK);
	for (unsigned i = 0; i < ARRAY_LEN(s); i++)
		assert_int_equal(hear(&b, s[i]), WHY_CL_REPLAY);

	for (unsigned i = 0; i < 100000; i++)			/* far ahead */
		(void)say(&a, NULL, "lost");
	struct sealed late = say(&a, NULL, "late"), far = say(&a, NULL, "far");

	assert_int_equal(hear(&b, far), WHY_OK);
	assert_int_equal(hear(&b, late), WHY_OK);
	assert_int_equal(hear(&b, late), WHY_CL_REPLAY);
	assert_int_equal(hear(&b, s[ARRAY_LEN(s) - 1]), WHY_CL_REPLAY);
}

enum { MANY = 30000 };
static uint8_t many[MANY][SEAL_OVERHEAD];

static void seal_many(void)
{
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(seal_close(a.seal, b.node, SEAL_UNICAST, bytes_of("", 0), many[i], SEAL_OVERHEAD),
				 SEAL_OVERHEAD);
}

static void random_order_against_a_model(void **state)
{
	static bool seen[MANY];
	uint32_t top = 0;

	(void)state;
	seal_many();
	for (uint32_t step = 0; step < 2 * MANY; step++) {
		uint32_t reach = rnd_below(&c.rnd, 10) ? 90 : 5000;
		uint32_t i = step / 2 + rnd_below(&c.rnd, reach), back = rnd_below(&c.rnd, reach);

		i = i > back ? i - back : 0;
		if (i >= MANY)
			continue;
		bool expected = i > top || (top - i < SEAL_WINDOW && !seen[i]);

		assert_int_equal(hear_bytes(&b, bytes_of(many[i], SEAL_OVERHEAD)), expected ? WHY_OK : WHY_CL_REPLAY);
		seen[i] = true;
		top = i > top ? i : top;
	}
}

/* Jumps that end at each place of a word; then the oldest of the window must still be known as taken. */
static void no_jump_forgets_what_was_taken(void **state)
{
	static const uint32_t jump[] = { 1, 63, 65, 127, 129 };
	uint32_t top = 0;

	(void)state;
	seal_many();
	for (; top < SEAL_WINDOW; top++)
		assert_int_equal(hear_bytes(&b, bytes_of(many[top], SEAL_OVERHEAD)), WHY_OK);
	top--;
	for (unsigned n = 0; n < 64 * ARRAY_LEN(jump); n++) {
		uint32_t before = top, oldest;

		top += jump[n % ARRAY_LEN(jump)];
		assert_in_range(top, 0, MANY - 1);
		assert_int_equal(hear_bytes(&b, bytes_of(many[top], SEAL_OVERHEAD)), WHY_OK);
		oldest = top - (SEAL_WINDOW - 1);
		for (uint32_t i = oldest; i < oldest + 140; i++)
			assert_int_equal(hear_bytes(&b, bytes_of(many[i], SEAL_OVERHEAD)), WHY_CL_REPLAY);
		for (uint32_t i = before + 1; i < top; i++)
			assert_int_equal(hear_bytes(&b, bytes_of(many[i], SEAL_OVERHEAD)), WHY_OK);
	}
}

/* ---- who is who ---- */

static void r21_another_cluster(void **state)
{
	(void)state;
	boot_as(&c, 3, "Test");
	struct sealed s = say(&c, NULL, "words of the neighbours");

	assert_int_equal(hear(&b, s), WHY_CL_CLUSTER);
	memcpy(s.b + 4, say(&b, NULL, "").b + 4, 2);	/* as if the names' hashes began alike */
	assert_int_equal(hear(&b, s), WHY_CL_TAG);
}

static void own_packets_cost_no_deciphering(void **state)
{
	struct sealed s = say(&a, NULL, "comes back to me"), t = say(&a, &b, "sent to myself by mistake");

	(void)state;
	s.b[s.len - 1] ^= 1;
	assert_int_equal(hear(&a, s), WHY_CL_SELF);
	assert_int_equal(hear(&a, t), WHY_CL_SELF);
	seal_secrets(a.seal, other, 9);			/* and with a key we no longer have */
	assert_int_equal(hear(&a, s), WHY_CL_SELF);
}

static void r21_two_nodes_of_one_number(void **state)
{
	(void)state;
	boot_as(&c, 1, "test");
	struct sealed s = say(&c, NULL, "I am number 1");

	assert_int_equal(hear(&a, s), WHY_CL_DUPLICATE);
	assert_int_equal(heard.node.n, 1);
	assert_int_equal(room[0], 0);
	s.b[s.len - 1] ^= 1;
	assert_int_equal(hear(&a, s), WHY_CL_TAG);
	assert_false(seal_knows(a.seal, a.node, NULL));
	boot_as(&c, 0, "test");
	assert_int_equal(hear(&a, say(&c, NULL, "I have no number")), WHY_CL_VALUE);
	boot_as(&c, UINT16_MAX, "test");
	assert_int_equal(hear(&a, say(&c, NULL, "nor I")), WHY_CL_VALUE);
}

static void whom_was_not_heard_longest_makes_room(void **state)
{
	(void)state;
	for (uint16_t node = 100; node < 100 + CLUSTER_NODES_MAX - 2; node++) {
		boot_as(&c, node, "test");
		assert_int_equal(hear(&b, say(&a, NULL, "alive")), WHY_OK);
		meet(&b, &c);
	}
	assert_true(seal_knows(b.seal, (struct node_id){ 3 }, NULL));
	struct sealed unproved;

	boot_as(&c, 200, "test");
	unproved = say(&c, NULL, "who am I");
	assert_int_equal(hear(&b, unproved), WHY_CL_BOOT);	/* this alone displaces nobody */
	assert_true(seal_knows(b.seal, (struct node_id){ 3 }, NULL));
	meet(&b, &c);
	assert_false(seal_knows(b.seal, (struct node_id){ 3 }, NULL));
	assert_true(seal_knows(b.seal, a.node, NULL));
	assert_true(seal_knows(b.seal, (struct node_id){ 100 }, NULL));
	assert_int_equal(hear(&b, say(&a, NULL, "alive")), WHY_OK);
	assert_int_equal(hear(&b, unproved), WHY_CL_REPLAY);
}

/* ---- R58, R60: keys ---- */

static void unknown_keys(void **state)
{
	static const struct seal_secret same_twice[SEAL_SECRETS_MAX] = { { 7, "the first secret" },
									 { 8, "the first secret" } };
	static const struct seal_secret guess[SEAL_SECRETS_MAX] = { { 7, "the last secret" },
								    { 7, "the first secret" } };
	static const struct seal_secret none[SEAL_SECRETS_MAX];
	uint8_t out[100];

	(void)state;
	seal_secrets(a.seal, two, 9);
	assert_int_equal(hear(&b, say(&a, NULL, "x")), WHY_CL_KEY);
	seal_secrets(a.seal, guess, 7);
	assert_int_equal(hear(&b, say(&a, NULL, "x")), WHY_CL_TAG);
	seal_secrets(a.seal, same_twice, 8);
	seal_secrets(b.seal, same_twice, 8);
	struct sealed s = say(&a, NULL, "x");

	s.b[3] = 7;
	assert_int_equal(hear(&b, s), WHY_CL_TAG);
	s.b[3] = 8;
	assert_int_equal(hear(&b, s), WHY_OK);
	s.b[3] = 0;
	assert_int_equal(hear(&b, s), WHY_CL_KEY);
	assert_int_equal(seal_sending(a.seal), 8);
	seal_secrets(a.seal, two, 8);			/* not among them */
	assert_int_equal(seal_sending(a.seal), 0);
	assert_int_equal(seal_close(a.seal, b.node, SEAL_UNICAST, bytes_str("x"), out, sizeof(out)), 0);
	seal_secrets(a.seal, none, 0);
	assert_int_equal(seal_sending(a.seal), 0);
	assert_int_equal(seal_close(a.seal, b.node, SEAL_UNICAST, bytes_str("x"), out, sizeof(out)), 0);
	assert_int_equal(hear(&a, say(&b, NULL, "x")), WHY_CL_KEY);
}

static void r58_keys_change_without_losing_a_packet(void **state)
{
	static const struct { const struct seal_secret *secret; uint8_t sending; } step[] = {
		{ two, 7 }, { two, 9 }, { other, 9 } };
	struct end *end[] = { &a, &b, &c };
	struct sealed recorded = say(&a, NULL, "sealed with the first");

	(void)state;
	assert_int_equal(hear(&b, recorded), WHY_OK);
	for (unsigned i = 0; i < ARRAY_LEN(step) * 3; i++) {	/* one node after the other makes each step */
		struct sealed under_way[3];

		for (unsigned from = 0; from < 3; from++)
			under_way[from] = say(end[from], NULL, "sealed before, opened after");
		seal_secrets(end[i % 3]->seal, step[i / 3].secret, step[i / 3].sending);
		if (i == ARRAY_LEN(step) * 3 - 1)
			assert_int_equal(hear(&b, recorded), WHY_CL_KEY);
		else if (i != 7)
			assert_int_equal(hear(&b, recorded), WHY_CL_REPLAY);
		for (unsigned from = 0; from < 3; from++)
			for (unsigned at = 0; at < 3; at++) {
				if (at == from)
					continue;
				assert_int_equal(hear(end[at], under_way[from]), WHY_OK);
				assert_int_equal(hear(end[at], say(end[from], NULL, "to all")), WHY_OK);
				assert_int_equal(hear(end[at], say(end[from], end[at], "to one")), WHY_OK);
				assert_int_equal(hear(end[at], under_way[from]), WHY_CL_REPLAY);
			}
	}
	seal_secrets(b.seal, two, 9);
	assert_int_equal(hear(&b, recorded), WHY_CL_REPLAY);	/* the windows outlive all keys */
}

/* The key of `from` under the first secret, made by the library's own HKDF. */
static void key_of(const struct end *from, uint8_t key[32])
{
	uint8_t prk[32], salt[32], info[19] = { 7, (uint8_t)(from->node.n >> 8), (uint8_t)from->node.n };
	static const char name[] = "l2tpns cluster, format 1: test";
	struct sha256_ctx sha;
	struct hmac_sha256_ctx hmac;

	sha256_init(&sha);
	sha256_update(&sha, sizeof(name) - 1, (const uint8_t *)name);
	sha256_digest(&sha, 32, salt);
	hmac_sha256_set_key(&hmac, 32, salt);
	hkdf_extract(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
		     (nettle_hash_digest_func *)hmac_sha256_digest, 32, SEAL_SECRET_LEN, one[0].octets, prk);
	memcpy(info + 3, seal_boot(from->seal).b, 16);
	hmac_sha256_set_key(&hmac, 32, prk);
	hkdf_expand(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
		    (nettle_hash_digest_func *)hmac_sha256_digest, 32, sizeof(info), info, 32, key);
}

static bool remembers(const struct end *end, const struct end *from)
{
	uint8_t key[32];

	key_of(from, key);
	return memmem(end->seal, seal_size(), key, 32) != NULL;
}

static void r60_keys_are_wiped(void **state)
{
	static const struct seal_secret none[SEAL_SECRETS_MAX];
	const uint8_t *p = (const uint8_t *)a.seal;

	(void)state;
	(void)say(&a, &b, "x");
	assert_int_equal(hear(&a, say(&b, &a, "x")), WHY_OK);
	assert_true(remembers(&a, &a) && remembers(&a, &b));
	assert_null(memmem(a.seal, seal_size(), one[0].octets, 16));	/* the secret itself is not kept */
	seal_secrets(a.seal, none, 0);
	assert_false(remembers(&a, &a) || remembers(&a, &b));
	seal_secrets(a.seal, one, 7);
	assert_true(remembers(&a, &a));
	assert_int_equal(hear(&a, say(&b, &a, "x")), WHY_OK);
	assert_true(remembers(&a, &b));
	boot_as(&b, 2, "test");
	assert_int_equal(hear(&a, say(&b, &a, "x")), WHY_CL_BOOT);
	seal_secrets(a.seal, other, 9);
	assert_false(remembers(&a, &b));	/* nor that of a boot which only asked */
	seal_secrets(a.seal, one, 7);
	meet(&a, &b);
	assert_int_equal(hear(&a, say(&b, &a, "x")), WHY_OK);
	assert_true(remembers(&a, &b));
	seal_wipe(a.seal);
	for (size_t i = 0; i < seal_size(); i++)
		assert_int_equal(p[i], 0);
}

/* ---- R59: what a flood costs ---- */

static double rate(struct end *at, struct sealed s, enum why why, bool new_boots)
{
	struct timespec from, to;
	unsigned n = 50000;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (unsigned i = 0; i < n; i++) {
		memcpy(s.b + (new_boots ? 12 : 36), &i, sizeof(i));
		if (seal_open(at->seal, bytes_of(s.b, s.len), room, sizeof(room), &heard) != SEAL_REFUSED ||
		    heard.why != why)
			fail();
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	return n / ((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9 + 1e-9);
}

static void r59_a_flood_is_refused_fast(void **state)
{
	static char words[1349];
	struct sealed recorded, small, large;
	double rates[6];

	(void)state;
	memset(words, 'x', sizeof(words) - 1);
	recorded = say(&a, NULL, words);
	assert_int_equal(hear(&b, recorded), WHY_OK);
	small = say(&a, NULL, "sixteen octets..");
	large = say(&a, NULL, words);
	rates[0] = rate(&b, recorded, WHY_CL_REPLAY, false);
	rates[1] = rate(&a, recorded, WHY_CL_SELF, false);
	rates[2] = rate(&b, small, WHY_CL_TAG, false);
	rates[3] = rate(&b, large, WHY_CL_TAG, false);
	rates[4] = rate(&b, small, WHY_CL_TAG, true);
	rates[5] = rate(&b, large, WHY_CL_TAG, true);
	printf("refused in a second, thousands: replayed %.0f, own %.0f; forged tag, 16 octets %.0f, "
	       "1,348 octets %.0f; forged boot %.0f, %.0f\n", rates[0] / 1e3, rates[1] / 1e3,
	       rates[2] / 1e3, rates[3] / 1e3, rates[4] / 1e3, rates[5] / 1e3);
	assert_true(rates[0] > 500e3 && rates[1] > 500e3);
	for (unsigned i = 2; i < 6; i++)
		assert_true(rates[i] > 10e3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(known_answers_of_rfc_5869_and_8439),
		CASE(a_packet_made_by_another_program_is_ours_octet_for_octet),
		CASE(every_length_comes_back),
		CASE(nonces_and_counters_never_repeat),
		CASE(window_edges),
		CASE(random_order_against_a_model),
		CASE(no_jump_forgets_what_was_taken),
		CASE(r21_another_cluster),
		CASE(own_packets_cost_no_deciphering),
		CASE(r21_two_nodes_of_one_number),
		CASE(whom_was_not_heard_longest_makes_room),
		CASE(unknown_keys),
		CASE(r58_keys_change_without_losing_a_packet),
		CASE(r60_keys_are_wiped),
		CASE(r59_a_flood_is_refused_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
