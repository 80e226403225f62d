/*
 * Goal: every session id leads to its own row; blocks are shared by small tunnels, spared for big
 * ones, given back and reused late; the limit holds.
 * Method: random takes and gives over many tunnels against a plain map from (tunnel, sid) to row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/core/rows.h"

struct world {
	struct rows		rows;
	struct row_pages	*pages;
	void			*memory;
};

static struct world world_of(uint32_t max, unsigned tunnels)
{
	struct arena arena = { 0 };
	struct world world;

	rows_init(&world.rows, max, &arena);
	arena.room = arena.used;
	arena.used = 0;
	world.memory = calloc(1, arena.room + 64);
	arena.start = (uint8_t *)(((uintptr_t)world.memory + 63) & ~(uintptr_t)63);
	rows_init(&world.rows, max, &arena);
	world.pages = calloc(tunnels, sizeof(*world.pages));
	return world;
}

static void world_end(struct world *world)
{
	free(world->memory);
	free(world->pages);
}

static void test_one_tunnel_takes_every_id(void **state)
{
	struct world w = world_of(65536, 1);
	uint8_t *seen = calloc(1, rows_space(65536));
	struct sid sid;
	uint32_t n = 0;

	(void)state;
	for (struct row row; (row = rows_take(&w.rows, &w.pages[0], &sid)).n != 0; n++) {
		assert_true(sid.n != 0);
		assert_true(row.n < rows_space(65536));
		assert_false(seen[row.n]);
		seen[row.n] = 1;
		assert_int_equal(rows_find(&w.pages[0], sid).n, row.n);
	}
	/* 64 pages of 1,023 usable ids each. */
	assert_int_equal(n, 64 * 1023);
	free(seen);
	world_end(&w);
}

static void test_small_tunnels_share_blocks(void **state)
{
	struct world w = world_of(20000, 10000);
	struct sid sid;

	(void)state;
	for (unsigned t = 0; t < 10000; t++)
		assert_true(rows_take(&w.rows, &w.pages[t], &sid).n != 0);
	assert_true(rows_end(&w.rows) <= 10 * ROWS_PER_BLOCK);
	world_end(&w);
}

static void test_limit_is_exact(void **state)
{
	struct world w = world_of(1000, 3);
	struct sid sid;
	unsigned n = 0;

	(void)state;
	while (rows_take(&w.rows, &w.pages[n % 3], &sid).n != 0)
		n++;
	assert_int_equal(n, 1000);
	world_end(&w);
}

static void test_ids_are_reused_late(void **state)
{
	struct world w = world_of(5000, 1);
	struct sid first, sid;
	struct row row = rows_take(&w.rows, &w.pages[0], &first);

	(void)state;
	assert_true(rows_take(&w.rows, &w.pages[0], &sid).n != 0);	/* keeps the page mapped */
	rows_give(&w.rows, &w.pages[0], row, first);
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(rows_take(&w.rows, &w.pages[0], &sid).n != 0);
		assert_true(sid.n != first.n);
	}
	world_end(&w);
}

enum { TUNNELS = 40, STEPS = 400000, MAX = 30000 };

static void test_random_against_map(void **state)
{
	struct world w = world_of(MAX, TUNNELS);
	uint32_t (*map)[65536] = calloc(TUNNELS, sizeof(*map));
	uint32_t *owner = calloc(rows_space(MAX), sizeof(*owner));	/* tunnel << 16 | sid, + 1 */
	uint32_t *live = calloc(MAX, sizeof(*live)), lives = 0;

	(void)state;
	srandom(7);
	for (unsigned step = 0; step < STEPS; step++) {
		bool grow = (step / 50000) % 2 == 0;

		if (random() % 10 < (grow ? 7 : 3)) {
			unsigned t = (unsigned)(random() % 3 == 0 ? 0 : random() % TUNNELS);
			struct sid sid;
			struct row row = rows_take(&w.rows, &w.pages[t], &sid);

			if (row.n == 0) {
				assert_true(lives > 0);
				continue;
			}
			assert_true(lives < MAX);
			assert_int_equal(map[t][sid.n], 0);
			assert_int_equal(owner[row.n], 0);
			map[t][sid.n] = row.n;
			owner[row.n] = (t << 16 | sid.n) + 1;
			live[lives++] = row.n;
		} else if (lives > 0) {
			uint32_t at = (uint32_t)random() % lives, row = live[at];
			unsigned t = (owner[row] - 1) >> 16;
			struct sid sid = { (uint16_t)(owner[row] - 1) };

			assert_int_equal(rows_find(&w.pages[t], sid).n, row);
			rows_give(&w.rows, &w.pages[t], (struct row){ row }, sid);
			map[t][sid.n] = 0;
			owner[row] = 0;
			live[at] = live[--lives];
		}
		assert_int_equal(w.rows.used, lives);
	}
	for (uint32_t i = 0; i < lives; i++) {
		unsigned t = (owner[live[i]] - 1) >> 16;

		assert_int_equal(rows_find(&w.pages[t], (struct sid){ (uint16_t)(owner[live[i]] - 1) }).n, live[i]);
	}
	free(map);
	free(owner);
	free(live);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_tunnel_takes_every_id),
		cmocka_unit_test(test_small_tunnels_share_blocks),
		cmocka_unit_test(test_limit_is_exact),
		cmocka_unit_test(test_ids_are_reused_late),
		cmocka_unit_test(test_random_against_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
