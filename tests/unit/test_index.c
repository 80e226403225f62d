/*
 * Goal: a number that was put is found under its hash until it is dropped, however many share the bucket.
 * Method: random puts and drops with hashes that collide much or not at all, against an array.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/index.h"
#include "l2tpns/base/rnd.h"

#define NUMBERS 1000u

static void random_against_an_array(uint64_t hashes)
{
	static uint8_t memory[16384] __attribute__((aligned(64)));
	static uint64_t hash[NUMBERS + 1];
	static bool present[NUMBERS + 1];
	struct arena arena = { .start = memory, .room = sizeof(memory) };
	uint8_t seed[RND_SEED_LEN] = { 5 };
	struct index index;
	struct rnd rnd;

	memset(memory, 0, sizeof(memory));
	memset(present, 0, sizeof(present));
	index_init(&index, NUMBERS, &arena);
	rnd_seed(&rnd, seed);
	for (uint32_t step = 0; step < 50000; step++) {
		uint32_t number = 1 + rnd_below(&rnd, NUMBERS), seen = 0, look;

		if (present[number]) {
			index_drop(&index, hash[number], number);
		} else {
			rnd_fill(&rnd, &hash[number], sizeof(hash[number]));
			if (hashes)
				hash[number] %= hashes;
			index_put(&index, hash[number], number);
		}
		present[number] = !present[number];

		look = 1 + rnd_below(&rnd, NUMBERS);
		for (uint32_t n = index_first(&index, hash[look]); n; n = index_next(&index, n)) {
			assert_true(present[n]);
			assert_int_equal(hash[n] & index.mask, hash[look] & index.mask);
			seen += n == look;
		}
		assert_int_equal(seen, present[look]);
	}
}

static void finds_what_is_there(void **state)
{
	(void)state;
	random_against_an_array(0);
	random_against_an_array(3);
	random_against_an_array(1);
}

/* Constant cost: as many buckets as objects, so that a good hash leaves chains short. */
static void chains_are_short(void **state)
{
	struct arena measure = { 0 };
	struct index index;

	(void)state;
	for (uint32_t n = 1; n < 100000; n = n * 3 + 1) {
		index_init(&index, n, &measure);
		assert_true(index.mask + 1 >= n);
		assert_int_equal((index.mask + 1) & index.mask, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_there),
		cmocka_unit_test(chains_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
