/*
 * Goal: numbers are handed out once, unused ones first, then the one longest free; "none left" is told.
 * One asked for by number is got once, and the order of the others stays.
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
	static uint8_t memory[8 * (NUMBERS + 1) + 64] __attribute__((aligned(64)));
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

static uint32_t expected_next(const uint8_t *was, const uint32_t *queue, uint32_t queued, uint32_t *fresh)
{
	while (*fresh < NUMBERS)
		if (!was[++*fresh])
			return *fresh;
	return queued ? queue[0] : 0;
}

static void certain_numbers(void **state)
{
	static uint8_t memory[8 * (NUMBERS + 1) + 64] __attribute__((aligned(64)));
	static uint8_t was[NUMBERS + 1], held[NUMBERS + 1];	/* was: held, or in the queue */
	static uint32_t queue[NUMBERS + 1];
	struct arena arena = { .start = memory, .room = sizeof(memory) };
	uint8_t seed[RND_SEED_LEN] = { 9 };
	uint32_t queued = 0, fresh = 0, used = 0, top = 0;
	struct pool pool;
	struct rnd rnd;

	(void)state;
	pool_init(&pool, NUMBERS, &arena);
	rnd_seed(&rnd, seed);
	for (uint32_t step = 0; step < 200000; step++) {
		uint32_t number = 1 + rnd_below(&rnd, NUMBERS), what = rnd_below(&rnd, 4);

		if (what < 2 && held[number]) {
			assert_false(pool_take_this(&pool, number));
			pool_give(&pool, number);
			held[number] = 0;
			queue[queued++] = number;
			used--;
			continue;
		}
		if (what == 2) {
			uint32_t got = expected_next(was, queue, queued, &fresh);

			assert_int_equal(pool_take(&pool), got);
			number = got;
		} else if (what == 3 && !held[number]) {
			assert_true(pool_take_this(&pool, number));
		} else {
			continue;
		}
		for (uint32_t i = 0; i < queued; i++)
			if (queue[i] == number) {
				memmove(queue + i, queue + i + 1, (--queued - i) * sizeof(*queue));
				break;
			}
		was[number] = held[number] = number > 0;
		top = max_u32(top, number);
		used += number > 0;
		assert_int_equal(pool.used, used);
		assert_int_equal(pool.top, top);
	}
	assert_false(pool_take_this(&pool, 0));
	assert_false(pool_take_this(&pool, NUMBERS + 1));
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
		cmocka_unit_test(certain_numbers),
		cmocka_unit_test(an_empty_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
