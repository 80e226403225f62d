/*
 * Goal: one entry of a list is written whole or not at all, and read whole or not at all.
 * Method: records of many lengths and heard nodes, into room that is one octet short and room that is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cluster/msg.h"

static void lists_of_records(void **state)
{
	static uint8_t octets[RECORD_MAX + 1], room[CL_PLAIN_MAX];
	struct record record = { .key = 0xa1b2c3d4, .version = version_of(9, 1) }, read;

	(void)state;
	memset(octets, 3, sizeof(octets));
	for (uint32_t len = 0; len <= RECORD_MAX; len += 24) {
		record.octets = bytes_of(octets, len);
		for (size_t more = 0; more < 2; more++) {
			struct wr w = wr_of(room, CL_RECORD_OVERHEAD + len - 1 + more);

			assert_int_equal(cl_record_add(&w, &record), more);
			assert_true(wr_ok(&w));
			assert_int_equal(wr_len(&w), more ? CL_RECORD_OVERHEAD + len : 0);
		}
		struct rd r = rd_of(room, CL_RECORD_OVERHEAD + len);

		assert_true(cl_record_next(&r, &read));
		assert_true(read.key == record.key && version_eq(read.version, record.version));
		assert_true(bytes_eq(read.octets, record.octets) && rd_done(&r));
		assert_false(cl_record_next(&r, &read));
		assert_true(rd_ok(&r));
		r = rd_of(room, CL_RECORD_OVERHEAD + len - 1);
		assert_false(cl_record_next(&r, &read));
		assert_false(rd_ok(&r));
	}
	struct wr w = wr_of(room, sizeof(room));	/* one octet more than a record has */

	wr_u32(&w, 1);
	wr_u64(&w, 1);
	wr_u16(&w, RECORD_MAX + 1);
	wr_put(&w, octets, RECORD_MAX + 1);
	struct rd r = rd_of(room, wr_len(&w));

	assert_false(cl_record_next(&r, &read));
	assert_false(rd_ok(&r));
}

static void list_of_heard(void **state)
{
	uint8_t room[10];
	struct wr w = wr_of(room, sizeof(room));
	struct cl_heard heard = { { 0x1234 }, 5 }, read;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_true(cl_heard_add(&w, &heard));
	assert_false(cl_heard_add(&w, &heard));
	assert_true(wr_ok(&w) && wr_len(&w) == 9);
	struct rd r = rd_bytes(wr_bytes_of(&w));

	for (unsigned i = 0; i < 3; i++) {
		assert_true(cl_heard_next(&r, &read));
		assert_true(node_eq(read.node, heard.node) && read.how == 5);
	}
	assert_false(cl_heard_next(&r, &read));
	assert_true(rd_done(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_records),
		cmocka_unit_test(list_of_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
