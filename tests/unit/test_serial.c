/*
 * Goal: serial numbers compare as RFC 2661 section 5.8 wants.
 * Method: all 2^16 distances from several starts, against the section's words: the 32768 numbers before
 * and including half the space away are old, the other 32767 are new.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/serial.h"

static void sixteen_bits(void **state)
{
	static const uint16_t starts[] = { 0, 1, 2, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff, 12345 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(starts); i++)
		for (uint32_t d = 0; d < 65536; d++) {
			uint16_t expected_ns = starts[i], ns = (uint16_t)(expected_ns - d);

			/* `ns` lies d behind what is expected. */
			assert_int_equal(serial16_before(ns, expected_ns), d >= 1 && d <= 0x8000);
			assert_int_equal(serial16_distance(ns, expected_ns), d);
		}
}

static void thirty_two_bits(void **state)
{
	static const uint32_t starts[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(starts); i++) {
		assert_false(serial32_before(starts[i], starts[i]));
		assert_true(serial32_before(starts[i], starts[i] + 1));
		assert_false(serial32_before(starts[i] + 1, starts[i]));
		assert_true(serial32_before(starts[i], starts[i] + 0x80000000u));
		assert_false(serial32_before(starts[i], starts[i] + 0x80000001u));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_bits),
		cmocka_unit_test(thirty_two_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
