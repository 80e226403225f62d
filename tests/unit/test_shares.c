/* test_shares.c -- counters of other nodes: nothing is lost by lost, late or repeated reports, or by a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/core/shares.h"

#define ROWS	64u

struct stage { struct shares shares; void *memory; };

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct arena arena = { 0 };

	shares_init(&stage->shares, ROWS, 1, &arena);
	stage->memory = calloc(1, arena.used + 64);
	arena = (struct arena){ .start = stage->memory, .room = arena.used + 64 };
	shares_init(&stage->shares, ROWS, 1, &arena);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	free(stage->memory);
	free(stage);
	return 0;
}

static void number(struct wr *w, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		wr_u8(w, (uint8_t)(n | 0x80));
	wr_u8(w, (uint8_t)n);
}

static enum why report(struct stage *stage, unsigned slot, uint32_t run, uint32_t row, uint32_t serial,
		       uint64_t packets)
{
	uint8_t octets[128];
	struct wr w = wr_of(octets, sizeof(octets));

	number(&w, run);
	number(&w, row);
	number(&w, serial);
	number(&w, packets);
	number(&w, packets * 100);
	number(&w, packets * 2);
	number(&w, packets * 300);
	number(&w, 7);
	number(&w, 9);
	return shares_received(&stage->shares, slot, wr_bytes_of(&w), (struct mono){ 100 * 1000000 });
}

static uint64_t sum_of(const struct stage *stage, uint32_t row, uint32_t serial)
{
	struct share sum;

	shares_sum(&stage->shares, (struct row){ row }, serial, &sum);
	assert_int_equal(sum.up_octets, sum.up_packets * 100);
	assert_int_equal(sum.down_packets, sum.up_packets * 2);
	assert_int_equal(sum.down_octets, sum.up_packets * 300);
	return sum.up_packets;
}

/* R34: totals; a lost report loses nothing, a late or repeated one adds nothing. */
static void test_r34_lost_late_and_repeated_reports(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(report(stage, 0, 5, 3, 11, 10), WHY_OK);
	/* the report that said 20 was lost */
	assert_int_equal(report(stage, 0, 5, 3, 11, 30), WHY_OK);
	assert_int_equal(report(stage, 0, 5, 3, 11, 30), WHY_OK);
	assert_int_equal(report(stage, 0, 5, 3, 11, 20), WHY_OK);
	assert_int_equal(sum_of(stage, 3, 11), 30);
}

static void test_nodes_add_up(void **state)
{
	struct stage *stage = *state;

	for (unsigned slot = 0; slot < SHARES_SLOTS; slot++)
		assert_int_equal(report(stage, slot, slot + 1, 3, 11, slot), WHY_OK);
	assert_int_equal(sum_of(stage, 3, 11), SHARES_SLOTS * (SHARES_SLOTS - 1) / 2);
}

/* A node that restarts counts from nothing; what it counted before stays. */
static void test_runs_add_up(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(report(stage, 4, 1, 3, 11, 1000), WHY_OK);
	assert_int_equal(report(stage, 4, 2, 3, 11, 1), WHY_OK);
	assert_int_equal(sum_of(stage, 3, 11), 1001);
	assert_int_equal(report(stage, 4, 2, 3, 11, 5), WHY_OK);
	assert_int_equal(report(stage, 4, 3, 3, 11, 2), WHY_OK);
	assert_int_equal(sum_of(stage, 3, 11), 1007);
}

/* A row that serves another session begins anew, whoever says so first. */
static void test_another_session_of_the_row(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(report(stage, 0, 1, 3, 11, 10), WHY_OK);
	assert_int_equal(report(stage, 1, 1, 3, 12, 4), WHY_OK);
	assert_int_equal(sum_of(stage, 3, 12), 4);
	assert_int_equal(sum_of(stage, 3, 11), 10);
	assert_int_equal(report(stage, 0, 2, 3, 12, 3), WHY_OK);
	assert_int_equal(sum_of(stage, 3, 12), 7);
}

static void test_last_use_is_in_our_own_seconds(void **state)
{
	struct stage *stage = *state;
	struct share sum;

	assert_int_equal(report(stage, 0, 1, 3, 11, 10), WHY_OK);
	shares_sum(&stage->shares, (struct row){ 3 }, 11, &sum);
	assert_int_equal(sum.up_s, 93);
	assert_int_equal(sum.down_s, 91);
}

static void test_bad_reports_are_refused(void **state)
{
	struct stage *stage = *state;
	uint8_t endless[40];

	memset(endless, 0xff, sizeof(endless));
	assert_int_equal(report(stage, 0, 1, 0, 11, 1), WHY_CL_VALUE);
	assert_int_equal(report(stage, 0, 1, ROWS, 11, 1), WHY_CL_VALUE);
	assert_int_equal(report(stage, 0, 1, 3, 0, 1), WHY_CL_VALUE);
	for (unsigned len = 1; len < sizeof(endless); len++)
		(void)shares_received(&stage->shares, 0, bytes_of(endless, len), (struct mono){ 1000000 });
	assert_int_equal(shares_received(&stage->shares, 0, bytes_of(endless, 20), (struct mono){ 1000000 }),
			 WHY_CL_VALUE);
	assert_int_equal(sum_of(stage, 3, 11), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_r34_lost_late_and_repeated_reports, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nodes_add_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_runs_add_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_session_of_the_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_last_use_is_in_our_own_seconds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_reports_are_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
