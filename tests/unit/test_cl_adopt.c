/* test_cl_adopt.c -- a table that another process left behind is taken over whole, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cluster/records.h"
#include "l2tpns/base/rnd.h"

#define KEYS	3000u
#define OCTETS	(2u << 20)

static const struct hash_key key = { { 17, 4 } };

struct table {
	struct records	records;
	uint8_t		*memory;
	size_t		 octets;
};

static struct table table_new(void)
{
	struct table t = { .memory = NULL };
	struct arena arena = { 0 };

	records_init(&t.records, KEYS, OCTETS, key, &arena);
	t.octets = arena.used;
	t.memory = aligned_alloc(64, (t.octets + 127) & ~(size_t)63);
	assert_non_null(t.memory);
	memset(t.memory, 0, t.octets);
	arena = (struct arena){ .start = t.memory, .room = t.octets };
	records_init(&t.records, KEYS, OCTETS, key, &arena);
	return t;
}

/* What another process sees of it: the memory, and nothing else. */
static struct records left_of(struct table *t)
{
	struct arena arena = { .start = t->memory, .room = t->octets };
	struct records left;

	records_init(&left, KEYS, OCTETS, key, &arena);
	return left;
}

static void fill(struct table *t, struct rnd *rnd, unsigned changes)
{
	uint8_t octets[RECORD_MAX];

	for (unsigned i = 0; i < changes; i++) {
		uint32_t len = rnd_below(rnd, 5) ? rnd_below(rnd, 300) : 0;

		rnd_fill(rnd, octets, len);
		assert_true(records_put(&t->records, rnd_below(rnd, KEYS),
					version_of(1 + i / 1000, i + 1), bytes_of(octets, len)));
	}
}

static void test_everything_comes_in_the_same_order(void **state)
{
	static uint32_t room[KEYS];
	uint8_t seed[RND_SEED_LEN] = { 3 };
	struct table t = table_new(), copy = table_new();
	struct records left = left_of(&t);
	struct record a, b;
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	fill(&t, &rnd, 20000);
	assert_true(records_adopt(&copy.records, &left, room));
	assert_true(copy.records.root == t.records.root && version_eq(copy.records.upto, t.records.upto));
	assert_int_equal(copy.records.live, t.records.live);
	for (;;) {
		bool more = records_next(&t.records, 0, &a);

		assert_int_equal(records_next(&copy.records, 0, &b), more);
		if (!more)
			break;
		assert_true(a.key == b.key && version_eq(a.version, b.version) && bytes_eq(a.octets, b.octets));
	}
	free(t.memory);
	free(copy.memory);
}

static void test_an_empty_table_is_one_too(void **state)
{
	static uint32_t room[KEYS];
	struct table t = table_new(), copy = table_new();
	struct records left = left_of(&t);

	(void)state;
	assert_true(records_adopt(&copy.records, &left, room));
	assert_true(copy.records.upto.n == 0 && copy.records.live == 0);
	free(t.memory);
	free(copy.memory);
}

/* Killed in the middle of a change, or damaged: whatever octet is wrong, nothing is taken that was not kept so. */
static void test_damage_is_noticed(void **state)
{
	static uint32_t room[KEYS];
	uint8_t seed[RND_SEED_LEN] = { 4 };
	struct table t = table_new();
	struct records left = left_of(&t);
	unsigned refused = 0;
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	fill(&t, &rnd, 6000);
	for (unsigned i = 0; i < 300; i++) {
		struct table copy = table_new();
		size_t at = rnd_u32(&rnd) % ((size_t)KEYS * 32);	/* the keys' places */
		uint8_t bit = (uint8_t)(1u << rnd_below(&rnd, 8));

		t.memory[at] ^= bit;
		if (records_adopt(&copy.records, &left, room))
			assert_true(copy.records.root == t.records.root);	/* a link of the list: not needed */
		else
			refused++;
		t.memory[at] ^= bit;
		free(copy.memory);
	}
	assert_in_range(refused, 120, 300);
	free(t.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_comes_in_the_same_order),
		cmocka_unit_test(test_an_empty_table_is_one_too),
		cmocka_unit_test(test_damage_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
