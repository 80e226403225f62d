/*
 * Goal: a writer never writes past its end, a write that does not fit writes nothing and sticks, and
 * what it wrote is what a reader reads.
 * Method: every room from none to enough, with the octets behind it watched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rd.h"
#include "l2tpns/base/wr.h"

static void write_all(struct wr *w)
{
	wr_u8(w, 1);
	wr_u16(w, 0x0203);
	wr_u32(w, 0x04050607);
	wr_u64(w, 0x08090a0b0c0d0e0f);
	wr_put(w, "abc", 3);
	wr_bytes(w, bytes_str("de"));
	wr_bytes(w, (struct bytes){ 0 });
}

static void writes_network_order(void **state)
{
	static const uint8_t expected[] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 'a', 'b', 'c', 'd', 'e',
	};
	uint8_t room[20];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	write_all(&w);
	assert_true(wr_ok(&w));
	assert_int_equal(wr_room(&w), 0);
	assert_true(bytes_eq(wr_bytes_of(&w), bytes_of(expected, sizeof(expected))));
	wr_patch_u16(&w, 18, 0x5859);
	assert_true(wr_ok(&w));
	assert_int_equal(room[18], 0x58);
	assert_int_equal(room[19], 0x59);
	wr_patch_u16(&w, 19, 0);
	assert_false(wr_ok(&w));
	assert_int_equal(wr_bytes_of(&w).len, 0);
}

static void stays_within_its_room(void **state)
{
	(void)state;
	for (size_t len = 0; len < 20; len++) {
		uint8_t room[24];
		struct wr w = wr_of(room, len);

		memset(room, 0xee, sizeof(room));
		write_all(&w);
		assert_false(wr_ok(&w));
		assert_true(wr_len(&w) <= len);
		for (size_t i = wr_len(&w); i < sizeof(room); i++)
			assert_int_equal(room[i], 0xee);
		wr_u8(&w, 9);			/* bad stays bad, even where an octet would fit */
		assert_true(wr_len(&w) == len || room[wr_len(&w)] == 0xee);
		wr_patch_u16(&w, 0, 0);
		assert_int_equal(wr_bytes_of(&w).len, 0);
	}
}

static void an_absurd_length_does_not_fit(void **state)
{
	uint8_t room[4];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	assert_null(wr_take(&w, SIZE_MAX));
	assert_false(wr_ok(&w));
	w = wr_of(room, sizeof(room));
	wr_patch_u16(&w, 3, 1);
	assert_false(wr_ok(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_network_order),
		cmocka_unit_test(stays_within_its_room),
		cmocka_unit_test(an_absurd_length_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
