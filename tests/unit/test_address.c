/*
 * Goal: the service address is put and taken one step at a time, what the kernel says counts, repairs become rare
 * when they do not help, and a new place is announced five times.
 * Method: the machine with a kernel of a few lines, then with one that works against it, then with chance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/io/address_fsm.h"

static struct address_fsm m;
static struct mono now;

static int begin(void **state)
{
	(void)state;
	now = (struct mono){ 1000000 };
	address_fsm_init(&m, now);
	return 0;
}

static void event(enum address_event what)
{
	address_fsm_event(&m, what, now);
}

static void acts(enum address_act what)
{
	assert_int_equal(address_fsm_act(&m, now), what);
}

static void pass(struct dur time)
{
	now = mono_add(now, time);
}

static void looked(bool has)
{
	acts(ADDRESS_LOOK);
	acts(ADDRESS_NOTHING);
	event(has ? ADDRESS_KERNEL_HAS : ADDRESS_KERNEL_LOST);
	event(ADDRESS_LOOKED);
}

static void put(void)
{
	address_fsm_wanted(&m, true, now);
	acts(ADDRESS_ADD);
	acts(ADDRESS_NOTHING);
	event(ADDRESS_KERNEL_HAS);
	event(ADDRESS_DONE);
	assert_int_equal(m.state, ADDRESS_PRESENT);
}

static void it_is_put_and_announced(void **state)
{
	static const int64_t after[] = { 0, 50, 150, 300, 500 };

	(void)state;
	looked(false);
	acts(ADDRESS_NOTHING);
	put();
	for (unsigned i = 0; i < ARRAY_LEN(after); i++) {
		if (after[i]) {
			pass(DUR_MS(after[i] - 1));
			acts(ADDRESS_NOTHING);
			pass(DUR_MS(1));
			assert_int_equal(address_fsm_next(&m).us, now.us);
		}
		if (i == ARRAY_LEN(after) - 1)
			acts(ADDRESS_RENEW);
		acts(ADDRESS_ANNOUNCE);
		acts(ADDRESS_NOTHING);
	}
	for (unsigned i = 0; i < 20; i++) {	/* then it is only renewed, well before its life is over */
		assert_in_range(mono_since(address_fsm_next(&m), now).us, 1, ADDRESS_LIFE.us / 2);
		now = address_fsm_next(&m);
		acts(ADDRESS_RENEW);
		acts(ADDRESS_NOTHING);
	}
}

static void it_is_taken(void **state)
{
	(void)state;
	looked(false);
	put();
	address_fsm_wanted(&m, false, now);
	acts(ADDRESS_DROP);
	event(ADDRESS_KERNEL_LOST);
	event(ADDRESS_DONE);
	acts(ADDRESS_NOTHING);
	assert_int_equal(m.state, ADDRESS_ABSENT);
	assert_true(address_fsm_right(&m));
}

static void what_an_earlier_run_left_is_taken(void **state)
{
	(void)state;
	looked(true);
	acts(ADDRESS_DROP);
	event(ADDRESS_DONE);
	looked(false);			/* the kernel did not say so by itself */
	acts(ADDRESS_NOTHING);
	assert_true(address_fsm_right(&m));
}

static void what_is_there_already_is_announced(void **state)
{
	(void)state;
	address_fsm_wanted(&m, true, now);
	looked(true);
	acts(ADDRESS_ANNOUNCE);
}

static void an_answer_alone_is_not_believed(void **state)
{
	(void)state;
	looked(false);
	address_fsm_wanted(&m, true, now);
	acts(ADDRESS_ADD);
	event(ADDRESS_DONE);
	looked(false);
	acts(ADDRESS_NOTHING);
	pass(ADDRESS_BACKOFF_MIN);
	acts(ADDRESS_ADD);
}

static void one_operation_at_a_time(void **state)
{
	(void)state;
	looked(false);
	address_fsm_wanted(&m, true, now);
	acts(ADDRESS_ADD);
	address_fsm_wanted(&m, false, now);
	acts(ADDRESS_NOTHING);
	event(ADDRESS_KERNEL_HAS);
	acts(ADDRESS_NOTHING);
	event(ADDRESS_DONE);
	acts(ADDRESS_DROP);
	address_fsm_wanted(&m, true, now);
	acts(ADDRESS_NOTHING);
	event(ADDRESS_KERNEL_LOST);
	event(ADDRESS_DONE);
	acts(ADDRESS_ADD);
}

static void no_answer_is_a_failure(void **state)
{
	(void)state;
	looked(false);
	address_fsm_wanted(&m, true, now);
	acts(ADDRESS_ADD);
	pass(ADDRESS_PATIENCE);
	acts(ADDRESS_LOOK);
	event(ADDRESS_DONE);			/* of the one given up */
	assert_false(m.state == ADDRESS_PRESENT);
	pass(ADDRESS_PATIENCE);
	acts(ADDRESS_NOTHING);
	pass(DUR_MS(400));
	looked(true);
	assert_int_equal(m.state, ADDRESS_PRESENT);
}

/* Somebody takes the address away as soon as it is there, for an hour. */
static void repairs_become_rare(void **state)
{
	unsigned repairs = 0, early = 0;
	struct mono start;

	(void)state;
	looked(false);
	put();
	start = now;
	while (mono_since(now, start).us < DUR_S(3600).us) {
		switch (address_fsm_act(&m, now)) {
		case ADDRESS_LOOK:
			event(ADDRESS_KERNEL_LOST);
			event(ADDRESS_LOOKED);
			break;
		case ADDRESS_ADD:
			repairs++;
			early += mono_since(now, start).us < DUR_S(1).us;
			event(ADDRESS_KERNEL_HAS);
			event(ADDRESS_DONE);
			pass(DUR_MS(1));
			event(ADDRESS_KERNEL_LOST);
			break;
		case ADDRESS_NOTHING:
			assert_true(mono_before(now, address_fsm_next(&m)));
			now = address_fsm_next(&m);
			break;
		case ADDRESS_DROP:
			fail();
			break;
		case ADDRESS_ANNOUNCE:
		case ADDRESS_RENEW:
			event(ADDRESS_KERNEL_LOST);
			break;
		}
	}
	assert_in_range(early, 2, 4);
	assert_in_range(repairs, 100, 140);
}

static void a_quiet_minute_forgives(void **state)
{
	(void)state;
	looked(false);
	put();
	for (int i = 0; i < 8; i++) {
		event(ADDRESS_KERNEL_LOST);
		now = m.retry;
		if (mono_reached(now, m.look))
			looked(false);
		acts(ADDRESS_ADD);
		event(ADDRESS_KERNEL_HAS);
		event(ADDRESS_DONE);
	}
	pass(DUR_S(61));
	event(ADDRESS_KERNEL_LOST);
	assert_int_equal(mono_since(m.retry, now).us, ADDRESS_BACKOFF_MIN.us);
}

/* Whatever happens in whatever order: never two operations, never a wait for nothing, and right in the end. */
static void chance(void **state)
{
	static const uint8_t seed[RND_SEED_LEN] = { 3 };
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	for (int round = 0; round < 2000; round++) {
		bool has = rnd_below(&rnd, 2), looking = false, working = false, quiet;

		address_fsm_init(&m, now);
		for (int step = 0; step < 400; step++) {
			quiet = step > 100;
			bool busy = m.looking || m.state == ADDRESS_ADDING || m.state == ADDRESS_REMOVING;
			bool early = mono_before(now, m.until);
			enum address_act act = address_fsm_act(&m, now);

			assert_false(busy && early && act != ADDRESS_NOTHING);
			looking = act == ADDRESS_LOOK;
			working = act == ADDRESS_ADD || act == ADDRESS_DROP;
			if (looking && (quiet || rnd_below(&rnd, 4))) {
				event(has ? ADDRESS_KERNEL_HAS : ADDRESS_KERNEL_LOST);
				event(ADDRESS_LOOKED);
			} else if (working && (quiet || rnd_below(&rnd, 4))) {
				has = act == ADDRESS_ADD;
				if (rnd_below(&rnd, 2))
					event(has ? ADDRESS_KERNEL_HAS : ADDRESS_KERNEL_LOST);
				event(quiet || rnd_below(&rnd, 3) ? ADDRESS_DONE : ADDRESS_FAILED);
			}
			if (!quiet && rnd_below(&rnd, 5) == 0)
				address_fsm_wanted(&m, rnd_below(&rnd, 2), now);
			if (!quiet && rnd_below(&rnd, 7) == 0) {
				has = !has;
				event(has ? ADDRESS_KERNEL_HAS : ADDRESS_KERNEL_LOST);
			}
			if (act == ADDRESS_NOTHING) {
				assert_true(!quiet || mono_before(now, address_fsm_next(&m)));
				now = quiet ? address_fsm_next(&m) : mono_add(now, DUR_MS(rnd_below(&rnd, 3000)));
			}
		}
		assert_true(address_fsm_right(&m));
		assert_true(has == m.wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_is_put_and_announced, begin),
		cmocka_unit_test_setup(it_is_taken, begin),
		cmocka_unit_test_setup(what_an_earlier_run_left_is_taken, begin),
		cmocka_unit_test_setup(what_is_there_already_is_announced, begin),
		cmocka_unit_test_setup(an_answer_alone_is_not_believed, begin),
		cmocka_unit_test_setup(one_operation_at_a_time, begin),
		cmocka_unit_test_setup(no_answer_is_a_failure, begin),
		cmocka_unit_test_setup(repairs_become_rare, begin),
		cmocka_unit_test_setup(a_quiet_minute_forgives, begin),
		cmocka_unit_test_setup(chance, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
