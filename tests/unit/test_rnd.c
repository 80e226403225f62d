/*
 * Goal: the generator is ChaCha20 with key erasure, repeatable from its seed, even and complete.
 * Method: the key stream of RFC 8439 A.1 for the zero key, then for the key that stream begins with;
 * counts of rnd_below().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"

/* Octets 32 to 95 of the zero key's stream; its first 32 are the next key, whose stream's octets
 * 32 to 63 follow below (computed with openssl). */
static const uint8_t first[] = {
	0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8,
	0x4a, 0x37, 0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69,
	0xb2, 0xee, 0x65, 0x86, 0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba,
	0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d, 0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69,
	0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed,
};
static const uint8_t second[] = {
	0xaf, 0xbd, 0xad, 0x28, 0x45, 0xb9, 0x3c, 0xdb, 0xb2, 0xfe, 0x64, 0x63, 0xd2, 0xfe,
	0x16, 0x2a, 0xda, 0xe0, 0xf6, 0xe6, 0x76, 0xf0, 0x49, 0x42, 0x18, 0xf5, 0xce, 0x05,
	0x96, 0xe7, 0x9f, 0x5c,
};

static void known_stream(void **state)
{
	static const uint8_t seed[RND_SEED_LEN];
	uint8_t out[256 + 32];
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	rnd_fill(&rnd, out, sizeof(out));
	assert_memory_equal(out, first, sizeof(first));
	assert_memory_equal(out + 256, second, sizeof(second));
}

static void pieces_make_the_same_stream(void **state)
{
	static const uint8_t seed[RND_SEED_LEN] = { 1 };
	uint8_t whole[1000], pieces[1000];
	struct rnd a, b;

	(void)state;
	rnd_seed(&a, seed);
	rnd_seed(&b, seed);
	rnd_fill(&a, whole, sizeof(whole));
	for (size_t at = 0, n = 0; at < sizeof(pieces); at += n) {
		n = at % 37 < sizeof(pieces) - at ? at % 37 : 1;
		n = n ? n : 1;
		rnd_fill(&b, pieces + at, n);
	}
	assert_memory_equal(whole, pieces, sizeof(whole));

	/* What was handed out is nowhere in the state. */
	for (size_t at = 0; at + 16 <= sizeof(a.ready); at++)
		assert_memory_not_equal(a.ready + at, whole + sizeof(whole) - 16, 16);
}

static void below_is_even(void **state)
{
	static const uint8_t seed[RND_SEED_LEN] = { 2 };
	uint32_t count[10] = { 0 };
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	for (unsigned i = 0; i < 100000; i++)
		count[rnd_below(&rnd, 10)]++;
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(count[i], 9500, 10500);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(rnd_below(&rnd, 1), 0);
		assert_true(rnd_below(&rnd, UINT32_MAX) < UINT32_MAX);
		assert_true(rnd_below(&rnd, 0x80000001) <= 0x80000000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_stream),
		cmocka_unit_test(pieces_make_the_same_stream),
		cmocka_unit_test(below_is_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
