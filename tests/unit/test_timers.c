/*
 * Goal: every deadline is met at the first pop at or after it, never before, at most one tick late,
 * whatever is armed, moved or disarmed meanwhile and however far time jumps.
 * Method: random operations against an array of deadlines, near and beyond the wheel's span.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/base/timers.h"

#define TIMERS	300u
#define DAY_US	(UINT64_C(86400) * 1000000)

struct world {
	struct timers	timers;
	struct rnd	rnd;
	struct mono	now;
	uint64_t	due[TIMERS];	/* 0 = not armed */
	uint64_t	popped, far;
};

static struct world world;
static void *memory;

static uint64_t below(uint64_t n)
{
	uint64_t x;

	rnd_fill(&world.rnd, &x, sizeof(x));
	return x % n;
}

static void open_world(uint8_t number, struct mono now)
{
	uint8_t seed[RND_SEED_LEN] = { number };
	size_t room = 64 * TIMERS;
	struct arena arena = { .start = memory = aligned_alloc(64, room), .room = room };

	assert_non_null(memory);
	memset(memory, 0, room);
	world = (struct world){ .now = now };
	rnd_seed(&world.rnd, seed);
	timers_init(&world.timers, TIMERS, now, &arena);
}

static uint64_t tick_of(uint64_t due_us)	/* the tick at which it is met */
{
	return due_us / TIMERS_TICK_US + (due_us % TIMERS_TICK_US != 0);
}

static void pop_all(void)
{
	uint64_t tick = world.now.us / TIMERS_TICK_US;
	uint32_t number;

	while (timers_pop(&world.timers, world.now, &number)) {
		assert_true(number < TIMERS);
		assert_true(world.due[number] != 0);
		assert_true(world.due[number] <= world.now.us);
		assert_false(timer_armed(&world.timers, number));
		world.due[number] = 0;
		world.popped++;
	}
	uint64_t earliest = UINT64_MAX;
	uint32_t armed = 0;

	for (uint32_t i = 0; i < TIMERS; i++) {
		assert_int_equal(timer_armed(&world.timers, i), world.due[i] != 0);
		if (!world.due[i])
			continue;
		armed++;
		assert_true(tick_of(world.due[i]) > tick);
		if (world.due[i] < earliest)
			earliest = world.due[i];
	}
	assert_int_equal(world.timers.armed, armed);

	/* The time to wake is not after the earliest deadline's tick, and not now: the shell would spin. */
	struct mono next = timers_next(&world.timers);

	assert_true(next.us > world.now.us);
	if (earliest == UINT64_MAX)
		assert_true(next.us == UINT64_MAX);
	else
		assert_true(next.us <= tick_of(earliest) * TIMERS_TICK_US);
}

/* How far ahead: from the past to some years. */
static uint64_t some_due(void)
{
	static const uint64_t spans[] = {
		1, 5000, 1000000, 60 * UINT64_C(1000000), 3600 * UINT64_C(1000000), DAY_US, 20 * DAY_US,
		203 * DAY_US, 204 * DAY_US, 3000 * DAY_US,
	};
	uint64_t span = spans[below(ARRAY_LEN(spans))];
	uint64_t due = world.now.us + below(span) + 1;

	if (span > 203 * DAY_US)
		world.far++;
	return below(20) || world.now.us < 10000 ? due : world.now.us - below(10000);
}

static void change(void)
{
	uint32_t i = (uint32_t)below(TIMERS);

	if (below(3)) {
		world.due[i] = some_due();
		timer_arm(&world.timers, i, (struct mono){ world.due[i] });
	} else if (below(10)) {
		world.due[i] = 0;
		timer_disarm(&world.timers, i);
	} else {
		world.due[i] = 0;
		timer_arm(&world.timers, i, MONO_NEVER);
	}
}

static void pass(void)
{
	switch (below(8)) {
	case 0: case 1: case 2: world.now.us += below(10000); break;
	case 3: case 4: world.now.us += below(2000000); break;
	case 5: world.now.us += below(3600 * UINT64_C(1000000)); break;
	case 6:
		if (below(20) == 0)
			world.now.us += below(400 * DAY_US);
		break;
	default:
		world.now = mono_min(timers_next(&world.timers), (struct mono){ world.now.us + DAY_US });
		break;
	}
}

static void random_against_a_model(void **state)
{
	(void)state;
	for (uint8_t seed = 1; seed <= 6; seed++) {
		open_world(seed, (struct mono){ seed * UINT64_C(987654321) });
		for (uint32_t step = 0; step < 20000; step++) {
			for (uint64_t n = below(4); n > 0; n--)
				change();
			pass();
			pop_all();
		}
		assert_true(world.popped > 1000);
		assert_true(world.far > 1000);
		free(memory);
	}
}

/* One deadline at each distance around the borders of the levels, met on the very tick. */
static void borders_of_the_levels(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits <= 33; bits++)
		for (int around = -2; around <= 2; around++)
			for (uint64_t start = 0; start < 3; start++) {
				uint64_t from = start == 0 ? 1 : start == 1 ? 255 : 0xfffffff;
				uint64_t ticks = (UINT64_C(1) << bits) + (uint64_t)(int64_t)around;
				uint32_t number, wakes = 0;

				if (around < 0 && ticks > UINT64_C(1) << bits)
					continue;
				open_world(1, (struct mono){ from * TIMERS_TICK_US });
				uint64_t due = (from + ticks) * TIMERS_TICK_US;

				timer_arm(&world.timers, 3, (struct mono){ due });
				while (!timers_pop(&world.timers, world.now, &number)) {
					struct mono next = timers_next(&world.timers);

					assert_true(next.us > world.now.us && next.us <= due);
					world.now = next;
					wakes++;
				}
				assert_int_equal(world.now.us, due);
				assert_int_equal(number, 3);
				assert_true(wakes <= 8);
				free(memory);
			}
}

static void edges(void **state)
{
	uint32_t number;

	(void)state;
	open_world(1, (struct mono){ 0 });
	assert_true(timers_next(&world.timers).us == UINT64_MAX);
	assert_false(timers_pop(&world.timers, (struct mono){ UINT64_MAX - 1 }, &number));
	timer_disarm(&world.timers, 0);
	timer_arm(&world.timers, 0, (struct mono){ UINT64_MAX - 1 });	/* the last there is but never */
	assert_false(timers_pop(&world.timers, (struct mono){ UINT64_MAX - 2 * TIMERS_TICK_US }, &number));
	timer_disarm(&world.timers, 0);
	free(memory);

	/* Time that seems to run backwards fires nothing early. */
	open_world(1, (struct mono){ 10000000 });
	timer_arm(&world.timers, 5, (struct mono){ 10000001 });
	assert_false(timers_pop(&world.timers, (struct mono){ 9000000 }, &number));
	assert_true(timers_pop(&world.timers, (struct mono){ 10000000 + TIMERS_TICK_US }, &number));
	assert_int_equal(number, 5);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_against_a_model),
		cmocka_unit_test(borders_of_the_levels),
		cmocka_unit_test(edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
