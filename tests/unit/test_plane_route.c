/*
 * Goal: an address leads to the row of the longest prefix that has it, through any order of putting and
 *	dropping; a dropped prefix uncovers what it covered; fans come back when they are not needed.
 * Method: random prefixes beside a plain list searched from end to end; every address near a change is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/plane/fast_base.h"
#include "l2tpns/plane/route.h"

struct world {
	struct route	   route;
	struct fast_tables fast;
	void		  *memory;
};

static void world_open(struct world *world, uint32_t fans, uint32_t prefixes)
{
	struct arena arena = { 0 };

	route_init(&world->route, fans, prefixes, &arena);
	world->memory = aligned_alloc(64, (arena.used + 63) & ~(size_t)63);
	memset(world->memory, 0, arena.used);
	arena = (struct arena){ .start = world->memory, .room = arena.used };
	route_init(&world->route, fans, prefixes, &arena);
	world->fast = (struct fast_tables){ .fan = world->route.fan, .fans = PLANE_ROUTE_ROOTS + fans };
}

static struct prefix4 prefix_of(uint32_t net, uint32_t len)
{
	return (struct prefix4){ { net & prefix4_mask((uint8_t)len) }, (uint8_t)len };
}

static void fans_free(struct world *world)
{
	for (uint32_t fan = route_retired(&world->route); fan; fan = route_retired(&world->route))
		route_fan_free(&world->route, fan);
}

struct model {
	struct prefix4	prefix[400];
	uint32_t	row[400];
	unsigned	n;
};

static uint32_t model_find(const struct model *model, uint32_t address)
{
	int best = -1;
	uint32_t row = 0;

	for (unsigned i = 0; i < model->n; i++) {
		if (!prefix4_has(model->prefix[i], (struct ip4){ address }) || model->prefix[i].len <= best)
			continue;
		best = model->prefix[i].len;
		row = model->row[i];
	}
	return row;
}

static int model_index(const struct model *model, struct prefix4 prefix)
{
	for (unsigned i = 0; i < model->n; i++)
		if (model->prefix[i].net.n == prefix.net.n && model->prefix[i].len == prefix.len)
			return (int)i;
	return -1;
}

/* Many prefixes inside one another: few networks, all lengths. */
static struct prefix4 prefix_random(struct rnd *rnd)
{
	static const uint32_t nets[] = {
		0x0a000000, 0x0a000100, 0x0a010000, 0x0aff0000, 0xc0a80000, 0x00000000, 0xffffff00};
	uint32_t net = nets[rnd_below(rnd, ARRAY_LEN(nets))] ^ rnd_below(rnd, 1024);
	uint32_t len = rnd_below(rnd, 5) ? 14 + rnd_below(rnd, 19) : rnd_below(rnd, 33);

	return prefix_of(net, len);
}

static void compare_around(const struct world *world, const struct model *model, struct rnd *rnd, struct prefix4 prefix)
{
	uint32_t first = prefix.net.n, last = first | ~prefix4_mask(prefix.len);
	uint32_t ask[] = { first, last, first - 1, last + 1, first + rnd_below(rnd, 1024), rnd_u32(rnd),
			   first ^ 0x100, first ^ 0x10000, last ^ 0x80 };

	for (size_t i = 0; i < ARRAY_LEN(ask); i++)
		assert_int_equal(fast_route(&world->fast, ask[i]), model_find(model, ask[i]));
}

static void random_against_a_list(void **state)
{
	static struct world world;
	static struct model model;
	uint8_t seed[RND_SEED_LEN] = { 7 };
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	world_open(&world, 300, 400);
	for (unsigned step = 0; step < 60000; step++) {
		struct prefix4 prefix = prefix_random(&rnd);
		int at = model_index(&model, prefix);

		if (rnd_below(&rnd, 100) < (step / 5000 % 2 ? 35u : 65u) &&
			(at >= 0 || model.n < ARRAY_LEN(model.row))) {
			uint32_t row = 1 + rnd_below(&rnd, 1000);

			assert_true(route_put(&world.route, prefix, (struct row){ row }));
			if (at < 0)
				at = (int)model.n++;
			model.prefix[at] = prefix;
			model.row[at] = row;
		} else {
			if (at < 0 && model.n > 0) {
				at = (int)rnd_below(&rnd, model.n);
				prefix = model.prefix[at];
			}
			if (at < 0)
				continue;
			route_drop(&world.route, prefix, (struct row){ model.row[at] + 1 });	/* not its row */
			route_drop(&world.route, prefix, (struct row){ model.row[at] });
			model.n--;
			model.prefix[at] = model.prefix[model.n];
			model.row[at] = model.row[model.n];
		}
		fans_free(&world);
		compare_around(&world, &model, &rnd, prefix);
		assert_int_equal(route_count(&world.route), model.n);
	}
	while (model.n > 0) {
		model.n--;
		route_drop(&world.route, model.prefix[model.n], (struct row){ model.row[model.n] });
		fans_free(&world);
	}
	assert_int_equal(route_fans_used(&world.route), 0);
	assert_int_equal(route_count(&world.route), 0);
	for (uint32_t i = 0; i < PLANE_ROUTE_ROOTS * PLANE_ROUTE_FAN; i++)
		assert_int_equal(world.route.fan[i / PLANE_ROUTE_FAN].entry[i % PLANE_ROUTE_FAN], 0);
	free(world.memory);
}

static void no_room_changes_nothing(void **state)
{
	static struct world world;

	(void)state;
	world_open(&world, 3, 2);
	assert_true(route_put(&world.route, prefix_of(0x0a000000, 8), (struct row){ 1 }));
	assert_true(route_put(&world.route, prefix_of(0x0a000001, 32), (struct row){ 2 }));	/* two fans */
	assert_false(route_put(&world.route, prefix_of(0x0b000001, 32), (struct row){ 3 }));	/* needs two more */
	assert_int_equal(route_fans_used(&world.route), 3);	/* the half that was made is on its way back */
	fans_free(&world);
	assert_int_equal(route_fans_used(&world.route), 2);
	assert_int_equal(fast_route(&world.fast, 0x0b000001), 0);
	assert_int_equal(fast_route(&world.fast, 0x0a000001), 2);
	assert_int_equal(fast_route(&world.fast, 0x0a000002), 1);
	assert_true(route_put(&world.route, prefix_of(0x0c000000, 8), (struct row){ 4 }));
	assert_false(route_put(&world.route, prefix_of(0x0d000000, 8), (struct row){ 5 }));	/* a third prefix */
	assert_true(route_put(&world.route, prefix_of(0x0c000000, 8), (struct row){ 6 }));	/* again is no third */
	assert_int_equal(fast_route(&world.fast, 0x0c123456), 6);
	free(world.memory);
}

/* A retired fan keeps its answers until it is given back: a reader may still hold its number. */
static void a_retired_fan_waits(void **state)
{
	static struct world world;
	struct prefix4 host = prefix_of(0x0a000001, 32);

	(void)state;
	world_open(&world, 2, 2);
	assert_true(route_put(&world.route, host, (struct row){ 9 }));
	uint32_t middle = PLANE_ROUTE_FAN_OF(world.route.fan[10].entry[0]);
	uint32_t last = PLANE_ROUTE_FAN_OF(world.route.fan[middle].entry[0]);
	route_drop(&world.route, host, (struct row){ 9 });
	assert_int_equal(fast_route(&world.fast, 0x0a000001), 0);
	assert_int_equal(route_fans_used(&world.route), 2);
	assert_int_equal(world.route.fan[last].entry[0], 0);
	assert_false(route_put(&world.route, host, (struct row){ 9 }));
	fans_free(&world);
	assert_int_equal(route_fans_used(&world.route), 0);
	assert_true(route_put(&world.route, host, (struct row){ 9 }));
	free(world.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_against_a_list),
		cmocka_unit_test(no_room_changes_nothing),
		cmocka_unit_test(a_retired_fan_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
