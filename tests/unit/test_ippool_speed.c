/*
 * Goal: taking, giving back and reserving an address costs no more in a pool of a million than in a small
 * one, and memory stays within 24 octets an address that was used.
 * Method: a million addresses taken and given back by as many users, by the same ones again, and by one
 * name for all; where a walk hid anywhere it would take hours and not milliseconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "l2tpns/core/ippool_slots.h"

static const struct hash_key key = { { 1, 2 } };
static struct ippool_conf conf;

static struct row row(uint32_t n)
{
	return (struct row){ n };
}

#define MILLION	(1u << 20)

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void churn(struct ippools *pools, struct ip4 *held, uint32_t n, bool one_name, double *took)
{
	char name[16] = "everybody";
	double from = seconds();

	for (uint32_t i = 0; i < n; i++) {
		if (!one_name)
			snprintf(name, sizeof(name), "user%u", i);
		held[i] = ippool_take(pools, 0, bytes_str(name), row(i + 1));
		assert_true(held[i].n != 0);
	}
	for (uint32_t i = 0; i < n; i++)
		ippool_give(pools, held[i], row(i + 1));
	*took = seconds() - from;
}

static void a_million_addresses_cost_no_more_each_than_few(void **state)
{
	struct arena sizes = { 0 };

	ippools_init(MILLION, key, &sizes);
	struct arena arena = { .start = calloc(1, sizes.used), .room = sizes.used };
	struct ippools *pools = ippools_init(MILLION, key, &arena);
	struct ip4 *held = calloc(MILLION, sizeof(*held)), *again = calloc(MILLION, sizeof(*again));
	double few, many, repeated, shared, move;
	uint32_t n = 254u * 4096, other = 0;

	(void)state;
	/* Half of the arena is for addresses outside the pools; neither half is touched before it is used. */
	assert_true(arena.used <= 2 * 24 * (size_t)MILLION + sizeof(struct ippools));
	conf = (struct ippool_conf){ .pools = 1, .ranges = 1 };
	conf.range[0].prefix = (struct prefix4){ { 0x0a000000 }, 12 };
	assert_int_equal(ippools_configure(pools, &conf), 0);
	churn(pools, held, 10000, false, &few);
	churn(pools, held, n, false, &many);
	churn(pools, again, n, false, &repeated);
	/* A user is known by 32 bits of a hash: of a million, a few hundred are taken for one another. */
	for (uint32_t i = 0; i < n; i++)
		other += held[i].n != again[i].n;
	assert_true(other < n / 1000);
	churn(pools, held, n, true, &shared);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(ippool_reserve(pools, held[i], row(i + 1)).n, 0);
	assert_int_equal(ippool_take(pools, 0, bytes_str("late"), row(n + 1)).n, 0);
	move = seconds();
	conf.ranges = 2;
	conf.range[0].prefix = (struct prefix4){ { 0x0a000000 }, 13 };
	conf.range[1].prefix = (struct prefix4){ { 0x0a080000 }, 14 };
	assert_int_equal(ippools_configure(pools, &conf), 0);
	move = seconds() - move;
	print_message("ns an address: %.0f of ten thousand; %.0f of a million, %.0f again, %.0f under one "
		      "name; a new layout %.0f ms; %u of a million lost theirs\n", few * 1e5, many / n * 1e9,
		      repeated / n * 1e9, shared / n * 1e9, move * 1e3, other);
	assert_true(many < 5 && repeated < 5 && shared < 5);
	free(held);
	free(again);
	free(arena.start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_addresses_cost_no_more_each_than_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
