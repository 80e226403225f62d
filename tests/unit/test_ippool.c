/*
 * Goal: an address is never on two sessions, whatever is configured meanwhile; a user gets its last one
 * again; then fresh addresses come first and the longest free ones next.
 * Method: rules one by one on small pools; then random operations, reconfiguration among them, compared
 * with a naive model that keeps one plain record an address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/core/ippool.h"

static const struct hash_key key = { { 1, 2 } };
static struct ippool_conf conf;

static struct ippools *make(uint32_t addresses_max, struct arena *arena)
{
	struct arena sizes = { 0 };

	ippools_init(addresses_max, key, &sizes);
	*arena = (struct arena){ .start = calloc(1, sizes.used), .room = sizes.used };
	assert_non_null(arena->start);
	return ippools_init(addresses_max, key, arena);
}

static struct ip4 ip(const char *text)
{
	struct ip4 a;

	assert_true(ip4_parse(text, &a));
	return a;
}

static void conf_begin(void)
{
	memset(&conf, 0, sizeof(conf));
	conf.pools = 1;
}

static void conf_add(const char *pool, const char *prefix)
{
	unsigned i = 0;

	while (i < conf.pools && strcmp(conf.name[i], pool) != 0)
		i++;
	if (i == conf.pools)
		snprintf(conf.name[conf.pools++], sizeof(conf.name[0]), "%s", pool);
	conf.range[conf.ranges].pool = (uint8_t)i;
	assert_true(ip4_prefix_parse(prefix, &conf.range[conf.ranges++].prefix));
}

static struct row row(uint32_t n)
{
	return (struct row){ n };
}

static const char *take(struct ippools *pools, const char *user, uint32_t holder)
{
	static char text[IP_TEXT_MAX];

	return ip4_text(ippool_take(pools, 0, bytes_str(user), row(holder)), text);
}

static void an_empty_pool_answers_none(void **state)
{
	struct arena arena;
	struct ippools *pools = make(16, &arena);

	(void)state;
	assert_int_equal(ippool_take(pools, 0, bytes_str("a"), row(1)).n, 0);
	conf_begin();
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_int_equal(ippool_take(pools, 0, bytes_str("a"), row(1)).n, 0);
	assert_int_equal(ippool_take(pools, 7, bytes_str("a"), row(1)).n, 0);
	assert_int_equal(ippools_count(pools), 0);
	free(arena.start);
}

static void edges_of_each_24_are_left_out(void **state)
{
	struct arena arena;
	struct ippools *pools = make(2000, &arena);

	(void)state;
	conf_begin();
	conf_add("", "10.0.0.0/23");
	conf_add("", "10.0.9.0/30");
	conf_add("", "10.0.8.7");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_int_equal(ippools_count(pools), 508 + 4 + 1);
	assert_false(ippools_have(pools, ip("10.0.0.0")));
	assert_false(ippools_have(pools, ip("10.0.0.255")));
	assert_false(ippools_have(pools, ip("10.0.1.0")));
	assert_true(ippools_have(pools, ip("10.0.1.1")));
	assert_true(ippools_have(pools, ip("10.0.1.254")));
	assert_true(ippools_have(pools, ip("10.0.9.0")));
	assert_true(ippools_have(pools, ip("10.0.8.7")));
	assert_false(ippools_have(pools, ip("10.0.8.8")));
	assert_false(ippools_have(pools, ip("9.255.255.255")));
	assert_false(ippools_have(pools, ip("10.0.2.1")));
	assert_string_equal(take(pools, "a", 1), "10.0.0.1");
	assert_int_equal(ippools_entry(pools, 254).address.n, ip("10.0.1.1").n);
	assert_int_equal(ippools_entry(pools, 508).address.n, ip("10.0.8.7").n);
	assert_int_equal(ippools_entry(pools, 512).address.n, ip("10.0.9.3").n);
	free(arena.start);
}

static void a_user_gets_its_last_address_again(void **state)
{
	struct arena arena;
	struct ippools *pools = make(16, &arena);

	(void)state;
	conf_begin();
	conf_add("", "10.0.0.0/30");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_string_equal(take(pools, "ann", 1), "10.0.0.0");
	assert_string_equal(take(pools, "bob", 2), "10.0.0.1");
	ippool_give(pools, ip("10.0.0.0"), row(1));
	ippool_give(pools, ip("10.0.0.1"), row(2));
	assert_true(ippools_entry(pools, 1).remembered);
	assert_string_equal(take(pools, "bob", 3), "10.0.0.1");
	assert_string_equal(take(pools, "cid", 4), "10.0.0.2");	/* fresh before anybody's */
	assert_string_equal(take(pools, "", 5), "10.0.0.3");
	assert_string_equal(take(pools, "dan", 6), "10.0.0.0");	/* ann's, as nothing else is left */
	assert_string_equal(take(pools, "ann", 7), "0.0.0.0");
	ippool_give(pools, ip("10.0.0.3"), row(5));
	ippool_give(pools, ip("10.0.0.1"), row(3));
	assert_false(ippools_entry(pools, 3).remembered);
	assert_string_equal(take(pools, "ann", 8), "10.0.0.3");	/* the longest free */
	free(arena.start);
}

static void only_the_holder_gives_back(void **state)
{
	struct arena arena;
	struct ippools *pools = make(16, &arena);

	(void)state;
	conf_begin();
	conf_add("", "10.0.0.1");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_string_equal(take(pools, "a", 1), "10.0.0.1");
	ippool_give(pools, ip("10.0.0.1"), row(2));
	ippool_give(pools, ip("10.9.9.9"), row(1));
	assert_int_equal(ippool_facts(pools, 0).used, 1);
	ippool_give(pools, ip("10.0.0.1"), row(1));
	ippool_give(pools, ip("10.0.0.1"), row(1));
	assert_int_equal(ippool_facts(pools, 0).used, 0);
	assert_int_equal(ippool_facts(pools, 0).addresses, 1);
	assert_string_equal(take(pools, "b", 3), "10.0.0.1");
	assert_int_equal(ippools_entry(pools, 0).holder.n, 3);
	free(arena.start);
}

static void fixed_addresses_are_nobody_elses(void **state)
{
	struct arena arena;
	struct ippools *pools = make(16, &arena);

	(void)state;
	conf_begin();
	conf_add("", "10.0.0.0/30");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_int_equal(ippool_reserve(pools, ip("10.0.0.0"), row(1)).n, 0);
	assert_int_equal(ippool_reserve(pools, ip("10.0.0.0"), row(1)).n, 0);	/* it is its own */
	assert_int_equal(ippool_reserve(pools, ip("10.0.0.0"), row(2)).n, 1);
	assert_int_equal(ippool_reserve(pools, ip("10.9.0.1"), row(3)).n, 0);	/* in no pool */
	assert_int_equal(ippool_reserve(pools, ip("10.9.0.1"), row(4)).n, 3);
	assert_string_equal(take(pools, "a", 5), "10.0.0.1");
	ippool_give(pools, ip("10.9.0.1"), row(3));
	assert_int_equal(ippool_reserve(pools, ip("10.9.0.1"), row(4)).n, 0);

	/* The pool grows over a fixed address in use. */
	conf_add("", "10.9.0.0/30");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_int_equal(ippool_facts(pools, 0).used, 3);
	assert_string_equal(take(pools, "b", 6), "10.0.0.2");
	assert_string_equal(take(pools, "c", 7), "10.0.0.3");
	assert_string_equal(take(pools, "d", 8), "10.9.0.0");
	assert_string_equal(take(pools, "e", 9), "10.9.0.2");
	free(arena.start);
}

static void a_range_may_go_and_come_back_while_held(void **state)
{
	struct arena arena;
	struct ippools *pools = make(16, &arena);

	(void)state;
	conf_begin();
	conf_add("", "10.0.0.0/31");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_string_equal(take(pools, "a", 1), "10.0.0.0");
	conf_begin();
	conf_add("", "10.1.0.0/31");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_int_equal(ippool_facts(pools, 0).used, 0);
	assert_int_equal(ippool_reserve(pools, ip("10.0.0.0"), row(2)).n, 1);
	conf_add("", "10.0.0.0/31");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_int_equal(ippool_facts(pools, 0).used, 1);
	assert_string_equal(take(pools, "b", 2), "10.0.0.1");
	ippool_give(pools, ip("10.0.0.0"), row(1));
	assert_int_equal(ippool_facts(pools, 0).used, 1);
	free(arena.start);
}

static void a_crowd_of_reserved_addresses_is_passed_in_steps(void **state)
{
	struct arena arena;
	struct ippools *pools = make(300, &arena);
	uint32_t first = ip("10.0.0.1").n;

	(void)state;
	conf_begin();
	conf_add("", "10.0.0.0/24");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(ippool_reserve(pools, (struct ip4){ first + i }, row(i + 1)).n, 0);
	ippool_give(pools, (struct ip4){ first + 150 }, row(151));
	assert_string_equal(take(pools, "a", 500), "10.0.0.151");	/* rather than look at 200 at once */
	assert_string_equal(take(pools, "b", 501), "10.0.0.201");	/* nothing else is left to give */
	assert_string_equal(take(pools, "c", 502), "10.0.0.202");
	free(arena.start);
}

static void pools_come_and_go_by_name(void **state)
{
	struct arena arena;
	struct ippools *pools = make(300, &arena);

	(void)state;
	conf_begin();
	conf_add("", "10.0.0.0/30");
	conf_add("gold", "10.0.1.0/30");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_string_equal(take(pools, "ann", 1), "10.0.0.0");
	assert_int_equal(ippool_take(pools, 1, bytes_str("bob"), row(2)).n, ip("10.0.1.0").n);
	assert_int_equal(ippool_take(pools, 1, bytes_str("cid"), row(3)).n, ip("10.0.1.1").n);
	ippool_give(pools, ip("10.0.1.0"), row(2));
	conf_begin();
	conf_add("", "10.0.0.0/30");
	conf_add("lead", "10.0.1.0/30");		/* the same ranges under another name */
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_int_equal(ippools_find(pools, bytes_str("gold")), -1);
	assert_int_equal(ippool_facts(pools, 1).used, 1);
	assert_int_equal(ippool_facts(pools, 7).addresses, 0);
	assert_int_equal(ippool_take(pools, 1, bytes_str("dan"), row(4)).n, ip("10.0.1.0").n);
	ippool_give(pools, ip("10.0.1.1"), row(3));
	assert_int_equal(ippool_take(pools, 1, bytes_str("eve"), row(5)).n, ip("10.0.1.2").n);
	assert_string_equal(take(pools, "fay", 6), "10.0.0.1");
	free(arena.start);
}

static void too_many_addresses_are_cut(void **state)
{
	struct arena arena;
	struct ippools *pools = make(300, &arena);

	(void)state;
	conf_begin();
	conf_add("", "10.0.0.0/24");
	conf_add("b", "10.0.1.0/24");
	conf_add("b", "10.0.2.0/24");
	assert_int_equal(ippools_configure(pools, &conf), 3 * 254 - 300);
	assert_int_equal(ippools_configure(pools, &conf), 3 * 254 - 300);
	assert_int_equal(ippools_count(pools), 300);
	assert_int_equal(ippools_find(pools, bytes_str("b")), 1);
	assert_int_equal(ippools_find(pools, bytes_str("c")), -1);
	assert_int_equal(ippool_facts(pools, 1).addresses, 46);
	assert_true(ippools_have(pools, ip("10.0.1.46")));
	assert_false(ippools_have(pools, ip("10.0.1.47")));
	for (unsigned n = 0; n < 46; n++)
		assert_true(ippool_take(pools, 1, bytes_str("x"), row(n + 1)).n != 0);
	assert_int_equal(ippool_take(pools, 1, bytes_str("x"), row(99)).n, 0);
	free(arena.start);
}

/* The model. */

#define MODEL_SLOTS	4096		/* 10.0.0.0 .. 10.0.15.255 */
#define MODEL_USERS	60
#define MODEL_POOLS	3

static const char *const model_pools[MODEL_POOLS] = { "", "gold", "7" };

static struct model {
	int	 pool;			/* -1: in none */
	uint32_t holder;		/* 0: free */
	bool	 used;			/* ever, in this pool */
	uint64_t freed;			/* when */
	unsigned user;			/* the last one; 0 = forgotten */
} model[MODEL_SLOTS];
static uint64_t model_time;
static struct rnd rnd;

static uint32_t base_address(void)
{
	return ip("10.0.0.0").n;
}

static struct bytes user_name(unsigned user, char text[16])
{
	text[0] = 0;
	if (user)
		snprintf(text, 16, "user%u", user);
	return bytes_str(text);
}

static void model_give(unsigned n)
{
	struct model *m = &model[n];

	for (unsigned i = 0; m->user && i < MODEL_SLOTS; i++)	/* one address a user is remembered */
		if (i != n && model[i].pool == m->pool && !model[i].holder && model[i].user == m->user)
			model[i].user = 0;
	m->holder = 0;
	m->freed = ++model_time;
	if (m->pool < 0)
		m->user = 0;
}

/* Is `n` what the pool had to give this user? */
static void model_check_taken(int pool, unsigned user, unsigned n)
{
	int remembered = -1, fresh = -1, oldest = -1;
	unsigned in_the_way = 0;

	for (unsigned i = 0; i < MODEL_SLOTS; i++) {
		const struct model *m = &model[i];

		if (m->pool != pool)
			continue;
		if (fresh < 0 && !m->used && !m->holder)
			fresh = (int)i;
		else if (fresh < 0)
			in_the_way++;
		if (m->holder)
			continue;
		if (user && m->user == user)
			remembered = (int)i;
		if (m->used && (oldest < 0 || m->freed < model[oldest].freed))
			oldest = (int)i;
	}
	if (remembered >= 0)
		assert_int_equal(n, remembered);
	else if (fresh >= 0 && in_the_way < 64)
		assert_int_equal(n, fresh);
	else if (fresh >= 0)
		assert_true((int)n == fresh || (int)n == oldest);
	else
		assert_int_equal(n, oldest);
}

static bool model_has_free(int pool)
{
	for (unsigned i = 0; i < MODEL_SLOTS; i++)
		if (model[i].pool == pool && !model[i].holder)
			return true;
	return false;
}

static void model_take(struct ippools *pools, uint32_t holder)
{
	int pool = (int)rnd_below(&rnd, MODEL_POOLS);
	int index = ippools_find(pools, bytes_str(model_pools[pool]));
	unsigned user = rnd_below(&rnd, MODEL_USERS);
	char text[16];

	if (index < 0) {
		assert_false(model_has_free(pool));
		return;
	}
	struct ip4 got = ippool_take(pools, (unsigned)index, user_name(user, text), row(holder));

	if (got.n == 0) {
		assert_false(model_has_free(pool));
		return;
	}
	unsigned n = got.n - base_address();

	assert_true(n < MODEL_SLOTS);
	assert_int_equal(model[n].pool, pool);
	assert_int_equal(model[n].holder, 0);
	model_check_taken(pool, user, n);
	model[n].holder = holder;
	model[n].used = true;
	model[n].user = user;
}

static void model_reserve(struct ippools *pools, uint32_t holder)
{
	unsigned n = rnd_below(&rnd, MODEL_SLOTS);
	struct row before = ippool_reserve(pools, (struct ip4){ base_address() + n }, row(holder));

	assert_int_equal(before.n, model[n].holder);
	if (model[n].holder)
		return;
	model[n].holder = holder;
	model[n].used = true;
	model[n].user = 0;
}

/* Random disjoint prefixes: each block of 16 addresses, or of 256, is a range of some pool or of none. */
static void model_configure(struct ippools *pools)
{
	static int before[MODEL_SLOTS];
	bool present[MODEL_POOLS] = { true };

	for (unsigned i = 0; i < MODEL_SLOTS; i++) {
		before[i] = model[i].pool;
		model[i].pool = -1;
	}
	conf_begin();
	for (unsigned block = 0; block < MODEL_SLOTS / 256; block++) {
		bool whole = rnd_below(&rnd, 3) == 0;
		unsigned parts = whole ? 1 : 16, size = 256 / parts;

		for (unsigned part = 0; part < parts; part++) {
			int pool = (int)rnd_below(&rnd, MODEL_POOLS + 2) - 2;
			unsigned first = block * 256 + part * size;
			char address[IP_TEXT_MAX], prefix[IP_TEXT_MAX + 4];

			if (pool < 0)
				continue;
			present[pool] = true;
			ip4_text((struct ip4){ base_address() + first }, address);
			snprintf(prefix, sizeof(prefix), "%s/%u", address, whole ? 24u : 28u);
			conf_add(model_pools[pool], prefix);
			for (unsigned i = first; i < first + size; i++)
				if (!whole || (i > first && i < first + 255))
					model[i].pool = pool;
		}
	}
	assert_int_equal(ippools_configure(pools, &conf), 0);
	for (unsigned i = 0; i < MODEL_SLOTS; i++) {
		struct model *m = &model[i];

		if (m->pool == before[i])
			continue;
		m->user = 0;
		m->used = m->holder != 0;
	}
	for (int pool = 0; pool < MODEL_POOLS; pool++)
		assert_int_equal(ippools_find(pools, bytes_str(model_pools[pool])) >= 0, present[pool]);
}

static void model_compare(const struct ippools *pools)
{
	uint32_t used[MODEL_POOLS] = { 0 }, in[MODEL_POOLS] = { 0 }, all = 0, last = 0;

	for (unsigned i = 0; i < MODEL_SLOTS; i++) {
		assert_int_equal(ippools_have(pools, (struct ip4){ base_address() + i }), model[i].pool >= 0);
		if (model[i].pool < 0)
			continue;
		all++;
		in[model[i].pool]++;
		used[model[i].pool] += model[i].holder != 0;
	}
	assert_int_equal(ippools_count(pools), all);
	for (uint32_t i = 0; i < all; i++) {
		struct ippool_entry entry = ippools_entry(pools, i);
		const struct model *m = &model[entry.address.n - base_address()];

		assert_true(entry.address.n > last);
		last = entry.address.n;
		assert_int_equal(entry.holder.n, m->holder);
		assert_int_equal(entry.remembered, !m->holder && m->used && m->user);
		assert_string_equal(conf.name[entry.pool], model_pools[m->pool]);
	}
	for (int pool = 0; pool < MODEL_POOLS; pool++) {
		int index = ippools_find(pools, bytes_str(model_pools[pool]));

		if (index < 0)
			continue;
		assert_int_equal(ippool_facts(pools, (unsigned)index).addresses, in[pool]);
		assert_int_equal(ippool_facts(pools, (unsigned)index).used, used[pool]);
	}
}

static void random_operations_agree_with_the_model(void **state)
{
	static const uint8_t seed[RND_SEED_LEN] = { 42 };

	(void)state;
	rnd_seed(&rnd, seed);
	for (int world = 0; world < 4; world++) {
		struct arena arena;
		struct ippools *pools = make(MODEL_SLOTS, &arena);
		uint32_t holder = 0;

		memset(model, 0, sizeof(model));
		for (unsigned i = 0; i < MODEL_SLOTS; i++)
			model[i].pool = -1;
		model_configure(pools);
		for (int step = 0; step < 6000; step++) {
			unsigned what = rnd_below(&rnd, 100), n = rnd_below(&rnd, MODEL_SLOTS);

			if (what < 45) {
				model_take(pools, ++holder);
			} else if (what < 52) {
				model_reserve(pools, ++holder);
			} else if (what < 99) {
				for (unsigned i = 0; i < MODEL_SLOTS && !model[n].holder; i++)
					n = (n + 1) % MODEL_SLOTS;
				if (!model[n].holder)
					continue;
				ippool_give(pools, (struct ip4){ base_address() + n }, row(model[n].holder));
				model_give(n);
			} else if (rnd_below(&rnd, 3) == 0) {
				model_configure(pools);
			}
			if (step % 500 == 0)
				model_compare(pools);
		}
		model_compare(pools);
		free(arena.start);
	}
}

/* What another node gave is held here by the same session, whatever was thought before, and is remembered. */
static void held_by_decree(void **state)
{
	struct arena arena;
	struct ippools *pools = make(100, &arena);

	(void)state;
	conf_begin();
	conf_add("", "10.0.0.0/29");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	ippool_hold(pools, ip("10.0.0.3"), bytes_str("ann"), row(5));
	assert_int_equal(ippool_facts(pools, 0).used, 1);
	/* Somebody else's by now; the first one's give does nothing, and neither does a second hold. */
	ippool_hold(pools, ip("10.0.0.3"), bytes_str("bob"), row(6));
	ippool_hold(pools, ip("10.0.0.3"), bytes_str("bob"), row(6));
	ippool_give(pools, ip("10.0.0.3"), row(5));
	assert_int_equal(ippool_facts(pools, 0).used, 1);
	assert_int_equal(ippool_reserve(pools, ip("10.0.0.3"), row(7)).n, 6);
	ippool_give(pools, ip("10.0.0.3"), row(6));
	assert_int_equal(ippool_facts(pools, 0).used, 0);
	assert_int_equal(ippool_take(pools, 0, bytes_str("bob"), row(8)).n, ip("10.0.0.3").n);
	ippool_give(pools, ip("10.0.0.3"), row(8));
	/* One that is free, and somebody's last: it is not given twice. */
	ippool_hold(pools, ip("10.0.0.3"), (struct bytes){ 0 }, row(9));
	for (uint32_t n = 10; n < 15; n++)
		assert_int_not_equal(ippool_take(pools, 0, bytes_str("bob"), row(n)).n, ip("10.0.0.3").n);
	/* Outside, and inside after a new configuration. */
	ippool_hold(pools, ip("10.9.0.1"), bytes_str("eve"), row(20));
	ippool_hold(pools, ip("10.9.0.1"), bytes_str("eve"), row(21));
	ippool_give(pools, ip("10.9.0.1"), row(20));
	conf_add("", "10.9.0.0/30");
	assert_int_equal(ippools_configure(pools, &conf), 0);
	assert_int_equal(ippool_reserve(pools, ip("10.9.0.1"), row(22)).n, 21);
	free(arena.start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_pool_answers_none),
		cmocka_unit_test(edges_of_each_24_are_left_out),
		cmocka_unit_test(a_user_gets_its_last_address_again),
		cmocka_unit_test(only_the_holder_gives_back),
		cmocka_unit_test(fixed_addresses_are_nobody_elses),
		cmocka_unit_test(a_range_may_go_and_come_back_while_held),
		cmocka_unit_test(a_crowd_of_reserved_addresses_is_passed_in_steps),
		cmocka_unit_test(pools_come_and_go_by_name),
		cmocka_unit_test(too_many_addresses_are_cut),
		cmocka_unit_test(random_operations_agree_with_the_model),
		cmocka_unit_test(held_by_decree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
