/*
 * Goal: numbers are handed out once, unused ones first, then the one longest free; "none left" is told.
 * Method: random takes and gives against a queue kept beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/pool.h"
#include "l2tpns/base/rnd.h"

#define NUMBERS 500u

static void random_against_a_queue(void **state)
{
	static uint8_t memory[4 * (NUMBERS + 1) + 64] __attribute__((aligned(64)));
	static uint32_t held[NUMBERS], queue[1000000];
	struct arena arena = { .start = memory, .room = sizeof(memory) };
	uint8_t seed[RND_SEED_LEN] = { 4 };
	uint32_t holding = 0, head = 0, tail = 0, fresh = 0, refused = 0;
	struct pool pool;
	struct rnd rnd;

	(void)state;
	pool_init(&pool, NUMBERS, &arena);
	rnd_seed(&rnd, seed);
	for (uint32_t step = 0; step < 500000; step++) {
		if (rnd_below(&rnd, 1000) < (step / 3000 % 2 ? 600u : 400u)) {
			uint32_t number = pool_take(&pool);
			uint32_t expected = fresh < NUMBERS ? ++fresh : head < tail ? queue[head++] : 0;

			assert_int_equal(number, expected);
			if (number)
				held[holding++] = number;
			else
				refused++;
		} else if (holding > 0) {
			uint32_t i = rnd_below(&rnd, holding);

			queue[tail++] = held[i];
			pool_give(&pool, held[i]);
			held[i] = held[--holding];
		}
		assert_int_equal(pool.used, holding);
	}
	assert_true(refused > 0 && head > NUMBERS);
}

static void an_empty_pool(void **state)
{
	static uint8_t memory[64] __attribute__((aligned(64)));
	struct arena arena = { .start = memory, .room = sizeof(memory) };
	struct pool pool;

	(void)state;
	pool_init(&pool, 0, &arena);
	assert_int_equal(pool_take(&pool), 0);
	assert_int_equal(pool.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_against_a_queue),
		cmocka_unit_test(an_empty_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
