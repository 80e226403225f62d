/*
 * Goal: every change reaches every node once and in order, whatever the network does, and nothing counts as
 * committed that is not where the commit rule wants it.
 * Method: nodes with a network in memory, and single messages handed to the machine (cl_repl_stage.h).
 */
#include "tests/unit/cl_repl_stage.h"

/* ---- the stream ---- */

static void changes_reach_everybody(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);

	(void)state;
	changes(world, master, 0, 500, 1);
	assert_int_equal(cl_change(cl_at(world, master), 7, records_get(&cl_at(world, master)->records, 7).octets),
			 CL_SAME);
	world_run(world, 5);
	assert_true(all_equal(world));
	for (unsigned i = 0; i < 3; i++)
		for (uint32_t key = 0; key < 500; key++)
			assert_int_equal(handed[i][key].n != 0, i != master);	/* its own do not come back */
	assert_int_equal(cl_change(cl_at(world, a_slave(world, 9)), 1, bytes_str("x")), CL_NOT_MASTER);
	assert_int_equal(cl_change(cl_at(world, master), KEYS, bytes_str("x")), CL_NOT_MASTER);
	world_free(world);
}

static void R25_an_older_change_never_overwrites(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl *cl = cl_at(world, slave);

	(void)state;
	changes(world, master, 0, 3, 1);
	changes(world, master, 0, 3, 2);
	world_run(world, 5);
	struct version before = records_get(&cl->records, 1).version;
	uint32_t term = cl->status.term;
	struct cl_msg msg = one_beat(world, master, version_of(term, 0), version_of(term, 2), 1, "old");

	assert_int_equal(hand(world, slave, master, &msg), WHY_OK);
	assert_true(version_eq(records_get(&cl->records, 1).version, before));
	assert_int_not_equal(records_get(&cl->records, 1).octets.len, 3);
	world_free(world);
}

static void a_gap_stops_the_stream(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl *cl = cl_at(world, slave);
	struct version at = cl->have;
	struct cl_msg msg = one_beat(world, master, behind(at, 1), behind(at, 2), 5, "too early");

	(void)state;
	assert_int_equal(hand(world, slave, master, &msg), WHY_OK);
	assert_true(version_eq(cl->have, at));
	assert_int_equal(records_get(&cl->records, 5).version.n, 0);
	msg = one_beat(world, master, at, behind(at, 1), 6, "in time");
	assert_int_equal(hand(world, slave, master, &msg), WHY_OK);
	assert_true(version_eq(cl->repl->pos, behind(at, 2)));		/* the early one was kept */
	assert_true(version_eq(records_get(&cl->records, 5).version, behind(at, 2)));
	assert_int_equal(handed[slave][5].n, behind(at, 2).n);
	world_free(world);
}

/* A record that changed twice in a batch is only at its end: a part of one is no state of the master's. */
static void a_batch_is_applied_whole(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl *cl = cl_at(world, slave);
	struct version at = cl->have;
	struct cl_msg msg = one_beat(world, master, at, behind(at, 1), 5, "a part");

	(void)state;
	msg.heartbeat.flags = 0;
	assert_int_equal(hand(world, slave, master, &msg), WHY_OK);
	assert_int_equal(records_get(&cl->records, 5).version.n, 0);
	msg = one_beat(world, master, behind(at, 1), behind(at, 2), 6, "the end");
	assert_int_equal(hand(world, slave, master, &msg), WHY_OK);
	assert_true(version_eq(records_get(&cl->records, 5).version, behind(at, 1)));
	assert_true(version_eq(cl->repl->pos, behind(at, 2)));
	world_free(world);
}

/* A batch too long to be kept goes in by pieces; the slave stands in its middle then. */
static void into_a_batch(struct world *world, unsigned master, unsigned slave)
{
	struct cl *cl = cl_at(world, slave);
	struct version at = cl->repl->pos;

	world->cut[master][slave] = true;
	for (unsigned n = 0; n < REPL_KEPT; n++) {
		struct cl_msg msg = one_beat(world, master, behind(at, n), behind(at, n + 1), 10 + n, "a part");

		msg.heartbeat.flags = 0;
		assert_int_equal(hand(world, slave, master, &msg), WHY_OK);
	}
	assert_true(version_before(at, cl->repl->pos));
	assert_true(version_eq(cl->have, at));
}

static void R35_a_part_of_a_batch_does_not_count(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl *cl = cl_at(world, master);
	struct version at = cl->have;

	(void)state;
	for (uint32_t key = 10; key < 60; key++)
		assert_int_equal(cl_change(cl, key, bytes_str("a part")), CL_CHANGED);
	into_a_batch(world, master, slave);
	world_run(world, 3);			/* it has said how far it is */
	assert_true(version_eq(cl_peer_of(cl, world_id(slave))->holds, at));
	world_free(world);
}

static void R30_a_donor_in_a_batch_vouches_for_nothing(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned donor = a_slave(world, 9), slave = a_slave(world, donor);
	struct cl *cl = cl_at(world, slave);
	struct version at = cl->synced;
	struct cl_msg msg = { .type = CL_LASTSEEN, .term = cl->status.term };
	struct mono now = world_now(world, slave);

	(void)state;
	into_a_batch(world, master, donor);
	world->cut[master][slave] = true;
	cl->repl->fetch = (struct repl_fetch){ .on = true, .round = ++cl->repl->rounds, .credit = 16, .asked = now,
					       .heard = now, .hole = MONO_NEVER };
	cl->repl->fetch.donor = peer_slot(cl, cl_peer_of(cl, world_id(donor)));
	msg.lastseen = (struct cl_lastseen){ .have = at, .credit = 16, .round = cl->repl->rounds };
	assert_int_equal(hand(world, donor, slave, &msg), WHY_OK);
	world_run(world, 3);
	assert_true(version_eq(cl->repl->pos, cl_at(world, donor)->repl->pos));
	assert_true(version_eq(cl->synced, at));
	assert_true(version_eq(cl->have, at));
	world_free(world);
}

/* A resend leaves out what changed again; a heartbeat from before that is no end any more. */
static void R30_an_old_end_is_none(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl *cl = cl_at(world, slave);
	struct version at = cl->repl->pos;
	struct mono now = world_now(world, slave);
	struct cl_msg beat = one_beat(world, master, at, behind(at, 2), 5, "at first"), msg = beat;

	(void)state;
	world->cut[master][slave] = true;
	cl->repl->fetch = (struct repl_fetch){ .on = true, .round = ++cl->repl->rounds, .credit = 16, .asked = now,
					       .heard = now, .hole = MONO_NEVER };
	cl->repl->fetch.donor = peer_slot(cl, cl_peer_of(cl, world_id(master)));
	msg.type = CL_RECORDS;
	msg.records = (struct cl_records){ .round = cl->repl->rounds, .prev = at, .upto = behind(at, 2),
					   .have = behind(at, 9), .rest = beat.heartbeat.rest };
	assert_int_equal(hand(world, slave, master, &msg), WHY_OK);
	assert_true(version_eq(cl->repl->pos, behind(at, 2)));
	beat.heartbeat.prev = behind(at, 1);
	beat.heartbeat.root = cl->records.root + 1;
	assert_int_equal(hand(world, slave, master, &beat), WHY_OK);
	assert_true(cl->status.up_to_date);		/* it lags a little, but nothing differs */
	assert_true(version_eq(cl->synced, at));
	world_free(world);
}

static void R26_a_long_gap_is_repaired_by_version(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);

	(void)state;
	changes(world, master, 0, 1000, 1);
	world_run(world, 20);
	world_isolate(world, slave, true);
	for (unsigned n = 2; n < 5; n++) {
		changes(world, master, 500, 2000, n);
		world_run(world, 1000);
	}
	world_isolate(world, slave, false);
	settle(world, 1500);
	assert_int_equal(world_master(world), master);
	assert_int_equal(drops, 0);			/* R49 too: what it had it kept */
	assert_true(cl_at(world, slave)->stat[CL_STAT_applied] >= 3000);
	/* R37: each record is sent once, however often it changed and however long it took */
	assert_true(cl_at(world, master)->stat[CL_STAT_resent] +
		    cl_at(world, 3 - master - slave)->stat[CL_STAT_resent] <= 2 * 2000);
	world_free(world);
}

static void R27_requests_wait_and_are_few(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl_repl *repl = cl_at(world, slave)->repl;
	uint32_t rounds = repl->rounds;
	struct version at = repl->pos;
	struct cl_msg early = one_beat(world, master, behind(at, 1), behind(at, 2), 5, "b");

	(void)state;
	assert_int_equal(hand(world, slave, master, &early), WHY_OK);
	world_run(world, 3);
	assert_int_equal(repl->rounds, rounds);		/* it may only have overtaken another */
	struct cl_msg late = one_beat(world, master, at, behind(at, 1), 6, "a");

	assert_int_equal(hand(world, slave, master, &late), WHY_OK);
	world_run(world, 30);
	assert_int_equal(repl->rounds, rounds);
	world_free(world);

	world = settled(3, true, &master);
	slave = deaf_node = a_slave(world, 9);
	repl = cl_at(world, slave)->repl;
	world->lost = deaf;
	deaf_to_unicast = true;
	world_cut(world, master, slave, true);
	changes(world, master, 0, 10, 1);
	world_run(world, 1);
	world_cut(world, master, slave, false);
	rounds = repl->rounds;
	world_run(world, 400);
	assert_true(repl->rounds > rounds);
	assert_true(repl->rounds - rounds <= 400 / 20 + 1);
	deaf_to_unicast = false;
	settle(world, 1000);
	world_free(world);
}

static void R27_at_most_one_request_in_20_ms(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl_repl *repl = cl_at(world, slave)->repl;
	uint32_t rounds = repl->rounds;

	(void)state;
	world->lost = NULL;
	world_isolate(world, slave, true);
	for (unsigned n = 1; n <= 60; n++) {		/* a gap behind each gap, and holes in every answer */
		struct version at = repl->pos;
		struct cl_msg msg = one_beat(world, master, behind(at, 2 * n), behind(at, 2 * n + 1), n, "far ahead");

		(void)hand(world, slave, master, &msg);
		if (repl->fetch.on)
			repl->fetch.hole = (struct mono){ world_now(world, slave).us - 20000 };
		world_run(world, 2);
	}
	assert_true(repl->rounds > rounds);
	assert_true(repl->rounds - rounds <= 120 / 20 + 1);
	world_free(world);
}

static void R31_a_damaged_datagram_is_refused_whole(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned slave = a_slave(world, 9);
	struct cl *cl = cl_at(world, slave);
	struct version at = cl->have;
	struct cl_msg msg = one_beat(world, master, at, behind(at, 1), 5, "good");
	struct wr w = wr_of(beat_room, sizeof(beat_room));
	struct record good = { .key = 5, .version = behind(at, 1), .octets = bytes_str("good") };
	struct record bad = { .key = KEYS, .version = behind(at, 2), .octets = bytes_str("bad") };

	(void)state;
	assert_true(cl_record_add(&w, &good) && cl_record_add(&w, &bad));
	msg.heartbeat.upto = behind(at, 2);
	msg.heartbeat.rest = wr_bytes_of(&w);
	assert_int_equal(hand(world, slave, master, &msg), WHY_CL_VALUE);
	assert_true(version_eq(cl->have, at));
	assert_int_equal(records_get(&cl->records, 5).version.n, 0);
	world_free(world);
}

/* ---- commit ---- */

static void R35_nothing_is_committed_before_a_quorum_has_it(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	struct cl *cl = cl_at(world, master);

	(void)state;
	assert_true(version_eq(cl_committed(cl), cl_upto(cl)));
	world_isolate(world, master, true);
	assert_int_equal(world_change(world, master, 1, "uncommitted"), CL_CHANGED);
	world_run(world, 100);
	assert_true(version_before(cl_committed(cl), cl_upto(cl)));
	world_isolate(world, master, false);
	world_run(world, 150);
	assert_true(version_eq(cl_committed(cl), cl_upto(cl)));

	/* What was committed is at a quorum at that moment. */
	unsigned a = a_slave(world, 9), b = a_slave(world, a);

	world_cut(world, master, b, true);
	assert_int_equal(world_change(world, master, 2, "at one of two"), CL_CHANGED);
	while (version_before(cl_committed(cl), cl_upto(cl)))
		world_run_us(world, 20);
	assert_int_equal(records_get(&cl_at(world, a)->records, 2).octets.len, strlen("at one of two"));
	world_free(world);
}

static void R35_a_slave_acknowledges_what_it_has(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned a = a_slave(world, 9), b = a_slave(world, a);
	struct cl *cl = cl_at(world, master);

	(void)state;
	world_cut(world, master, b, true);
	world_cut(world, a, b, true);
	world->cut[master][a] = true;
	assert_int_equal(world_change(world, master, 1, "lost on its way"), CL_CHANGED);
	world_run_us(world, 400);
	world->cut[master][a] = false;
	world->cut[a][master] = false;
	struct version second = behind(cl->have, 1);
	struct cl_msg msg = one_beat(world, master, cl->have, second, 2, "came without it");

	assert_int_equal(cl_change(cl, 2, bytes_str("came without it")), CL_CHANGED);
	(void)hand(world, a, master, &msg);
	msg.heartbeat = (struct cl_heartbeat){ .base = cl->base, .prev = second, .upto = second, .flags = CL_BEAT_ROOT,
					       .cluster_us = cl_time(cl, world_now(world, master)) };
	(void)hand(world, a, master, &msg);
	world_run_us(world, 1000);
	assert_int_equal(records_get(&cl_at(world, a)->records, 1).version.n, 0);
	assert_true(version_before(cl_committed(cl), second));
	world_free(world);
}

static void R35_in_open_mode_all_who_keep_up_have_it(void **state)
{
	unsigned master;
	struct world *world = settled(3, false, &master);
	struct cl *cl = cl_at(world, master);
	unsigned a = a_slave(world, 9);

	(void)state;
	world_cut(world, master, a, true);
	assert_int_equal(world_change(world, master, 1, "not at all"), CL_CHANGED);
	world_run(world, 50);
	assert_true(version_before(cl_committed(cl), cl_upto(cl)));
	world_isolate(world, a, true);
	world_run(world, 1000);				/* it is dead, and holds nothing up */
	assert_int_equal(world_master(world) == (int)master || world->nodes == 3, 1);
	assert_true(version_eq(cl_committed(cl), cl_upto(cl)));
	world_free(world);

	world = stage(1, false);
	world_start_all(world);
	world_run(world, 3000);
	assert_int_equal(world_change(world, 0, 1, "alone"), CL_CHANGED);
	assert_true(version_eq(cl_committed(cl_at(world, 0)), cl_upto(cl_at(world, 0))));
	world_free(world);
}

static void R35_old_acknowledgements_commit_nothing_new(void **state)
{
	unsigned master;
	struct world *world = settled(3, true, &master);
	unsigned a = a_slave(world, 9);
	struct cl *cl = cl_at(world, master);
	struct cl_peer *peer = cl_peer_of(cl, world_id(a));
	struct cl_msg msg = { .type = CL_LASTSEEN, .term = cl->status.term };

	(void)state;
	world_isolate(world, master, true);
	assert_int_equal(world_change(world, master, 1, "nowhere"), CL_CHANGED);
	/* Its history was not compared. */
	msg.lastseen = (struct cl_lastseen){ .have = cl->have, .flags = CL_SEEN_UP_TO_DATE | CL_SEEN_WHOLE };
	assert_int_equal(hand(world, master, a, &msg), WHY_OK);
	assert_true(version_before(cl_committed(cl), cl_upto(cl)));
	msg.lastseen.have = behind(cl->have, 1);		/* what never was */
	msg.lastseen.flags |= CL_SEEN_VERIFIED;
	assert_int_equal(hand(world, master, a, &msg), WHY_CL_VALUE);
	assert_true(version_before(cl_committed(cl), cl_upto(cl)));
	assert_true(version_before(peer->holds, cl->have));

	/* A new term of the same node: what was held in the last does not count. */
	struct cl_turn turn = { .cl = cl, .now = world_now(world, master), .out = &world->out };

	peer->holds = version_of(cl->status.term + 1, 5);
	cl->status.term++;
	cl->promised = cl->status.term;
	repl_became_master(&turn);
	world_carry_out(world, master);
	assert_int_equal(peer->holds.n, 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_reach_everybody),
		cmocka_unit_test(R25_an_older_change_never_overwrites),
		cmocka_unit_test(a_gap_stops_the_stream),
		cmocka_unit_test(a_batch_is_applied_whole),
		cmocka_unit_test(R35_a_part_of_a_batch_does_not_count),
		cmocka_unit_test(R30_a_donor_in_a_batch_vouches_for_nothing),
		cmocka_unit_test(R30_an_old_end_is_none),
		cmocka_unit_test(R26_a_long_gap_is_repaired_by_version),
		cmocka_unit_test(R27_requests_wait_and_are_few),
		cmocka_unit_test(R27_at_most_one_request_in_20_ms),
		cmocka_unit_test(R31_a_damaged_datagram_is_refused_whole),
		cmocka_unit_test(R35_nothing_is_committed_before_a_quorum_has_it),
		cmocka_unit_test(R35_a_slave_acknowledges_what_it_has),
		cmocka_unit_test(R35_in_open_mode_all_who_keep_up_have_it),
		cmocka_unit_test(R35_old_acknowledgements_commit_nothing_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
