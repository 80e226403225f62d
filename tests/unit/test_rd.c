/*
 * Goal: a reader never leaves its octets, failure sticks, and what is read is what is there.
 * Method: every take at every length of a heap copy (so that the sanitizer sees an octet too many),
 * and random programs against offsets kept beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rd.h"
#include "l2tpns/base/rnd.h"

static void reads_network_order(void **state)
{
	static const uint8_t octets[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xff };
	struct rd r = rd_of(octets, sizeof(octets));

	(void)state;
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_u16(&r), 0x0203);
	assert_int_equal(rd_u32(&r), 0x04050607);
	assert_true(rd_u64(&r) == 0x08090a0b0c0d0e0f);
	assert_false(rd_done(&r));
	assert_true(bytes_eq(rd_peek(&r), bytes_of(octets + 15, 1)));
	assert_true(bytes_eq(rd_rest(&r), bytes_of(octets + 15, 1)));
	assert_true(rd_done(&r));
	assert_true(rd_ok(&r));
}

static void failure_sticks(void **state)
{
	static const uint8_t octets[] = { 1, 2, 3, 4, 5 };
	struct rd r = rd_of(octets, 5), sub;

	(void)state;
	assert_int_equal(rd_u64(&r), 0x0102030400000000);	/* the part that was there, then zeroes */
	assert_false(rd_ok(&r));
	assert_false(rd_done(&r));
	assert_int_equal(rd_left(&r), 0);
	assert_int_equal(rd_u8(&r), 0);
	assert_int_equal(rd_rest(&r).len, 0);

	r = rd_of(octets, 5);
	sub = rd_sub(&r, 2);
	assert_int_equal(rd_u16(&sub), 0x0102);
	assert_int_equal(rd_u8(&sub), 0);	/* a child stays within itself */
	assert_false(rd_ok(&sub));
	assert_true(rd_ok(&r));
	sub = rd_sub(&r, 4);
	assert_false(rd_ok(&sub));
	assert_false(rd_ok(&r));
	r = rd_of(octets, 5);
	assert_null(rd_take(&r, SIZE_MAX));
	sub = rd_sub(&r, 0);			/* nothing can be carved out of a bad one */
	assert_false(rd_ok(&sub));
}

static void nothing_is_something(void **state)
{
	struct rd r = rd_bytes((struct bytes){ 0 });

	(void)state;
	assert_true(rd_done(&r));
	assert_int_equal(rd_left(&r), 0);
	struct rd sub = rd_sub(&r, 0);

	assert_true(rd_done(&sub));
	assert_true(rd_ok(&r));
}

static void random_programs(void **state)
{
	uint8_t seed[RND_SEED_LEN] = { 3 };
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	for (unsigned run = 0; run < 20000; run++) {
		size_t len = rnd_below(&rnd, 24), at = 0;
		uint8_t *copy = malloc(len ? len : 1);
		bool bad = false;

		assert_non_null(copy);
		rnd_fill(&rnd, copy, len);
		struct rd r = rd_of(copy, len);

		while (rd_left(&r) > 0) {
			size_t n = rnd_below(&rnd, 9);
			uint64_t value = 0, expected = 0;

			bad |= n > len - at;
			switch (n) {
			case 1: value = rd_u8(&r); break;
			case 2: value = rd_u16(&r); break;
			case 4: value = rd_u32(&r); break;
			case 8: value = rd_u64(&r); break;
			default: assert_ptr_equal(rd_take(&r, n), bad ? NULL : copy + at); break;
			}
			for (size_t i = 0; i < n && !bad; i++)
				expected = expected << 8 | copy[at + i];
			if (!bad && (n == 1 || n == 2 || n == 4 || n == 8))
				assert_true(value == expected);
			at = bad ? len : at + n;
			assert_int_equal(rd_ok(&r), !bad);
			assert_int_equal(rd_left(&r), len - at);
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_network_order),
		cmocka_unit_test(failure_sticks),
		cmocka_unit_test(nothing_is_something),
		cmocka_unit_test(random_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
