/*
 * Goal: nothing counts as complete or up to date that is not, and two tables that differ become equal again:
 * after damage, after a split, from nothing.  Cluster time follows the master's and never goes back.
 * Method: nodes with a network in memory, and single messages handed to the machine (cl_repl_stage.h).
 */
#include "tests/unit/cl_repl_stage.h"

/* ---- up to date ---- */

static void R30_only_an_equal_digest_is_up_to_date(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl *cl = cl_at(world, slave);
	struct cl_msg msg = one_beat(world, master, cl->have, behind(cl->have, 1), 5, "other than the master's");

	(void)state;
	assert_true(cl->status.up_to_date);
	msg.heartbeat.flags = CL_BEAT_ROOT;
	msg.heartbeat.root = 42;
	assert_int_equal(hand(world, slave, master, &msg), WHY_OK);
	assert_false(cl->status.up_to_date);
	world_free(world);

	/* A node that never gets a copy never claims to have one. */
	world = settled(3, true, &master);
	changes(world, master, 0, 2000, 1);
	world_run(world, 50);
	slave = deaf_node = a_slave(world, 9);
	world_stop(world, slave);
	world_run(world, 1000);
	world_start(world, slave);
	memset(handed[slave], 0, sizeof(handed[slave]));
	time_seen[slave] = 0;
	world_run(world, 150);
	world->lost = deaf;
	deaf_to_unicast = true;
	cl = cl_at(world, slave);
	if (!cl->status.up_to_date)
		for (unsigned n = 0; n < 200; n++) {
			world_run(world, 10);
			assert_false(cl->status.up_to_date);
			assert_true(cl->fresh);
		}
	deaf_to_unicast = false;
	settle(world, 2000);
	world_free(world);
}

static void flip(struct cl *cl, uint32_t key)
{
	struct bytes octets = records_get(&cl->records, key).octets;

	((uint8_t *)(uintptr_t)octets.p)[octets.len / 2] ^= 0x10;
}

static void R32_a_flipped_bit_is_repaired(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);

	(void)state;
	changes(world, master, 0, 3000, 1);
	world_run(world, 50);
	assert_true(all_equal(world));
	flip(cl_at(world, slave), 1234);
	world_run(world, 10500);
	assert_true(all_equal(world));
	assert_true(bytes_eq(records_get(&cl_at(world, slave)->records, 1234).octets,
			     records_get(&cl_at(world, master)->records, 1234).octets));
	assert_true(cl_at(world, master)->stat[CL_STAT_repairs] > 0);
	assert_int_equal(drops, 0);
	world_free(world);
}

static void R32_also_in_the_masters_memory(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);

	(void)state;
	changes(world, master, 0, 300, 1);
	world_run(world, 50);
	flip(cl_at(world, master), 123);
	world_run(world, 10500);
	assert_true(all_equal(world));
	assert_int_equal(records_get(&cl_at(world, master)->records, 123).octets.len, strlen("encoded anew"));
	assert_int_equal(drops, 0);
	world_free(world);
}

static void what_cannot_be_repaired_is_dropped(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);

	(void)state;
	changes(world, master, 0, 300, 1);
	world_run(world, 50);
	damaged_node = (int)slave;		/* a sum that the records do not explain, however often put right */
	world_run(world, 3000);
	assert_int_equal(drops, 0);
	world_run(world, 2000);
	assert_int_equal(drops, 1);
	settle(world, 1000);
	assert_int_equal(handed[slave][299].n != 0, true);	/* all came again */
	world_free(world);
}

/* ---- terms ---- */

/* The master made changes that nobody got, and was cut off; its successor made others. */
static struct world *diverged(unsigned *old, unsigned *new)
{
	struct world *world = settled(3, true, old);

	changes(world, *old, 0, 100, 1);
	world_run(world, 20);
	world_isolate(world, *old, true);
	changes(world, *old, 50, 20, 2);
	assert_int_equal(world_change(world, *old, 200, "a session nobody else knows"), CL_CHANGED);
	assert_int_equal(world_change(world, *old, 10, ""), CL_CHANGED);
	world_run(world, 2000);
	*new = (unsigned)world_master(world);
	assert_true(*new != *old && *new < 3);
	changes(world, *new, 60, 20, 3);
	world_run(world, 20);
	world_isolate(world, *old, false);
	return world;
}

static bool says(const struct records *records, uint32_t key, const char *what)
{
	struct bytes octets = records_get(records, key).octets;

	return memmem(octets.p, octets.len, what, strlen(what)) != NULL;
}

static void what_a_slave_alone_has_is_offered(void **state)
{
	unsigned old, new;
	struct world *world = diverged(&old, &new);

	(void)state;
	settle(world, 5000);
	assert_int_equal(world_master(world), new);
	assert_int_equal(drops, 0);
	assert_true(offers_seen >= 12);			/* 50..59, 200, 10; 60..69 are the new master's */
	for (unsigned i = 0; i < 3; i++) {
		struct records *records = &cl_at(world, i)->records;

		assert_int_equal(records_get(records, 200).octets.len, strlen("a session nobody else knows"));
		assert_int_equal(records_get(records, 10).octets.len, 0);
		assert_true(says(records, 55, "change 2"));
		assert_true(says(records, 65, "change 3"));
	}
	world_free(world);
}

static void what_is_not_taken_is_overwritten(void **state)
{
	unsigned old, new;
	struct world *world = diverged(&old, &new);

	(void)state;
	take_offers = false;
	settle(world, 5000);
	assert_int_equal(drops, 0);
	for (unsigned i = 0; i < 3; i++) {
		struct records *records = &cl_at(world, i)->records;

		assert_int_equal(records_get(records, 200).octets.len, 0);
		assert_int_not_equal(records_get(records, 10).octets.len, 0);
		assert_true(says(records, 55, "change 1"));
	}
	world_free(world);
}

static void R33_deletions_are_not_undone(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned a = a_slave(world, 9);

	(void)state;
	changes(world, master, 0, 10, 1);
	world_run(world, 20);
	struct version alive = records_get(&cl_at(world, master)->records, 5).version;

	assert_int_equal(world_change(world, master, 5, ""), CL_CHANGED);
	world_run(world, 20);
	world_stop(world, master);
	world_run(world, 2000);
	unsigned new = (unsigned)world_master(world);

	assert_true(new < 3);
	a = 3 - master - new;
	struct cl_msg msg = { .type = CL_OFFER, .term = cl_at(world, new)->status.term };
	struct wr w = wr_of(beat_room, sizeof(beat_room));
	struct record record = { .key = 5, .version = alive, .octets = bytes_str("it lives") };

	assert_true(cl_record_add(&w, &record));
	msg.offer = (struct cl_offer){ .base = cl_at(world, new)->base, .rest = wr_bytes_of(&w) };
	assert_int_equal(hand(world, new, a, &msg), WHY_OK);
	world_run(world, 20);
	assert_int_equal(offers_seen, 0);
	for (unsigned i = 0; i < 3; i++)
		if (world->node[i].up)
			assert_int_equal(records_get(&cl_at(world, i)->records, 5).octets.len, 0);
	world_free(world);
}

/* Its number is higher than all the others have, but it lacks what they have: a branch that nobody followed. */
static void on_a_branch(struct cl *cl, uint32_t term, unsigned seq)
{
	struct version v = version_of(term, seq);

	assert_true(records_put(&cl->records, 3000, v, bytes_str("of a branch that was lost")));
	cl->have = cl->repl->pos = v;
}

static void a_history_is_compared_before_it_counts(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned a = a_slave(world, 9), b = a_slave(world, a);

	(void)state;
	changes(world, master, 0, 20, 1);
	world_run(world, 20);
	world_isolate(world, a, true);
	changes(world, master, 20, 20, 1);			/* a does not get these */
	world_run(world, 50);
	world_stop(world, master);
	on_a_branch(cl_at(world, a), cl_at(world, a)->status.term, 500);
	world_start(world, master);				/* so that there is a quorum without a */
	memset(handed[master], 0, sizeof(handed[master]));
	time_seen[master] = 0;
	world_run(world, 15000);
	assert_int_equal(world_master(world), b);
	world_isolate(world, a, false);
	struct cl *cl = cl_at(world, a);

	for (unsigned n = 0; n < 2000; n++) {
		world_run_us(world, 500);
		struct cl_peer *peer = cl_peer_of(cl_at(world, b), world_id(a));

		if (version_term(peer->holds) == cl_at(world, b)->status.term)	/* it counts: then it has them */
			assert_true(records_get(&cl->records, 30).version.n != 0);
		if (version_term(cl->have) == cl_at(world, b)->status.term)	/* so it does in elections */
			assert_true(records_get(&cl->records, 30).version.n != 0);
	}
	settle(world, 5000);
	assert_int_equal(drops, 0);
	assert_true(records_get(&cl->records, 30).octets.len > 0);
	world_free(world);
}

static void an_imported_copy_is_compared(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned a = a_slave(world, 9), b = a_slave(world, a);
	struct cl *cl = cl_at(world, a);

	(void)state;
	changes(world, master, 0, 20, 1);
	world_run(world, 20);
	world_isolate(world, a, true);
	changes(world, master, 20, 600, 1);
	world_run(world, 20);
	on_a_branch(cl, cl->status.term, 100);		/* it lacks 20 changes before that */
	struct cl_turn turn = { .cl = cl, .now = world_now(world, a), .out = &world->out };

	world_isolate(world, a, false);
	world_stop(world, master);
	cl->status.role = CL_ROLE_IMPORTING;
	cl->status.master.n = 0;
	repl_import(&turn, cl_peer_of(cl, world_id(b)));
	world_carry_out(world, a);
	for (unsigned n = 0; n < 100 && cl->repl->importing; n++)
		world_run(world, 1);
	assert_false(cl->repl->importing);
	for (uint32_t key = 0; key < 620; key++)
		assert_true(records_get(&cl->records, key).version.n != 0);
	assert_int_equal(records_get(&cl->records, 3000).version.n, 0);
	assert_int_equal(drops, 1);
	world_free(world);
}

/* ---- copies ---- */

static void R65_what_is_left_of_a_round_is_dropped(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl *cl = cl_at(world, slave);
	struct version at = cl->have;
	struct cl_msg msg = { .type = CL_RECORDS, .term = cl->status.term };
	struct wr w = wr_of(beat_room, sizeof(beat_room));
	struct record record = { .key = 5, .version = behind(at, 1), .octets = bytes_str("late") };

	(void)state;
	assert_true(cl_record_add(&w, &record));
	msg.records = (struct cl_records){ .round = cl->repl->rounds, .prev = at, .upto = behind(at, 1),
					   .have = behind(at, 1), .rest = wr_bytes_of(&w) };
	assert_int_equal(hand(world, slave, master, &msg), WHY_CL_ROUND);

	/* The round is not over, but its term is: another was promised. */
	struct mono now = world_now(world, slave);

	cl->repl->fetch = (struct repl_fetch){ .on = true, .round = cl->repl->rounds, .credit = 16, .asked = now,
					       .heard = now, .hole = MONO_NEVER };
	cl->repl->fetch.donor = peer_slot(cl, cl_peer_of(cl, world_id(master)));
	cl->promised++;
	assert_int_equal(hand(world, slave, master, &msg), WHY_CL_TERM);
	assert_true(version_eq(cl->have, at));
	assert_int_equal(records_get(&cl->records, 5).version.n, 0);
	cl->promised--;
	assert_int_equal(hand(world, slave, master, &msg), WHY_OK);
	assert_true(version_eq(cl->repl->pos, behind(at, 1)));
	world_free(world);
}

static void R66_a_command_is_for_one_boot_and_once(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl *cl = cl_at(world, slave);
	struct cl_turn turn = { .cl = cl_at(world, master), .now = world_now(world, master), .out = &world->out };
	struct cl_msg msg = { .type = CL_KILL, .term = cl->status.term, .kill = { .boot_hi = 12345, .number = 9 } };

	(void)state;
	changes(world, master, 0, 100, 1);
	world_run(world, 20);
	assert_int_equal(hand(world, slave, master, &msg), WHY_CL_BOOT_OLD);
	assert_int_equal(drops, 0);
	repl_kill(&turn, cl_peer_of(turn.cl, world_id(slave)));
	world_carry_out(world, master);
	world_run(world, 500);
	assert_int_equal(drops, 1);
	settle(world, 1000);
	msg.kill.boot_hi = 0;
	struct boot_id boot = seal_boot(cl->seal);

	for (unsigned n = 0; n < 8; n++)
		msg.kill.boot_hi = msg.kill.boot_hi << 8 | boot.b[n];
	msg.kill.number = 1;
	assert_int_equal(hand(world, slave, master, &msg), WHY_CL_ROUND);
	assert_int_equal(drops, 1);
	world_free(world);
}

#define BULK	50000u

static void large_copy(unsigned percent, unsigned most_ms)
{
	unsigned master;
	struct world *world = settled(3, true, &master);

	changes(world, master, 0, BULK, 1);
	settle(world, 20000);
	unsigned slave = a_slave(world, 9);

	world_stop(world, slave);
	world_run(world, 1000);
	memset(handed[slave], 0, sizeof(handed[slave]));
	time_seen[slave] = 0;
	loss_percent = percent;
	world_start(world, slave);
	uint64_t began = world->now;

	for (unsigned n = 0; n < 3000 && !cl_at(world, slave)->status.up_to_date; n++) {
		world_run(world, 10);
		if (world_master(world) == (int)master)
			changes(world, master, n * 20 % BULK, 20, n + 2);
	}
	assert_true(cl_at(world, slave)->status.up_to_date);
	unsigned took_ms = (unsigned)((world->now - began) / 1000);

	loss_percent = 0;
	settle(world, 3000);
	assert_true(cl_at(world, slave)->stat[CL_STAT_copies] >= 1);
	assert_int_equal(drops, 0);
	for (uint32_t key = 0; key < BULK; key++)
		assert_true(handed[slave][key].n != 0);
	print_message("%u records copied in %u ms of the world's time at %u %% loss: %u a second\n", BULK, took_ms,
		      percent, BULK * 1000 / took_ms);
	assert_true(took_ms < most_ms);
	world_free(world);
}

static void a_large_copy_under_changes(void **state)
{
	(void)state;
	large_copy(0, 2000);
}

static void a_large_copy_under_loss_and_changes(void **state)
{
	(void)state;
	large_copy(5, 10000);
}

/* ---- cluster time ---- */

static void R45_cluster_time_never_goes_back(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);

	(void)state;
	for (unsigned n = 0; n < 300; n++) {
		int64_t before[3], jump;

		for (unsigned i = 0; i < 3; i++)
			before[i] = (int64_t)cl_time(cl_at(world, i), world_now(world, i));
		world->delay_us = 100 + chance() % 8000;
		world_run(world, 10);		/* daemon_stepped() compares at each step, too */
		for (unsigned i = 0; i < 3; i++) {
			jump = (int64_t)cl_time(cl_at(world, i), world_now(world, i)) - before[i] - 10000;
			assert_true(jump <= 6 && jump >= -6);	/* 500 ppm of 10 ms, and rounding */
		}
	}
	for (unsigned i = 0; i < 3; i++) {
		int64_t apart = (int64_t)(cl_time(cl_at(world, i), world_now(world, i)) -
					  cl_time(cl_at(world, master), world_now(world, master)));

		assert_true(apart <= 1000 && apart >= -8500);
		struct mono mono = cl_mono(cl_at(world, i), cl_time(cl_at(world, i), world_now(world, i)));
		int64_t error = mono_since(mono, world_now(world, i)).us;

		assert_true(error < 10000 && error > -10000);
	}
	assert_int_equal(cl_mono(cl_at(world, 0), 0).us >= 1, 1);
	world->delay_us = 200;
	world_stop(world, master);
	world_run(world, 3000);				/* the next master's time goes on from there */
	assert_true(world_master(world) >= 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R30_only_an_equal_digest_is_up_to_date),
		cmocka_unit_test(R32_a_flipped_bit_is_repaired),
		cmocka_unit_test(R32_also_in_the_masters_memory),
		cmocka_unit_test(what_cannot_be_repaired_is_dropped),
		cmocka_unit_test(what_a_slave_alone_has_is_offered),
		cmocka_unit_test(what_is_not_taken_is_overwritten),
		cmocka_unit_test(R33_deletions_are_not_undone),
		cmocka_unit_test(a_history_is_compared_before_it_counts),
		cmocka_unit_test(an_imported_copy_is_compared),
		cmocka_unit_test(R65_what_is_left_of_a_round_is_dropped),
		cmocka_unit_test(R66_a_command_is_for_one_boot_and_once),
		cmocka_unit_test(a_large_copy_under_changes),
		cmocka_unit_test(a_large_copy_under_loss_and_changes),
		cmocka_unit_test(R45_cluster_time_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
