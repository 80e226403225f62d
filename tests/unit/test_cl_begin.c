/*
 * Goal: terms begin and end as they should: cold starts, handovers, operators, routes, and what the log says.
 * Method: whole nodes on a network in memory; each test is named after the requirement it is about.
 */
#include "tests/unit/cl_settled.h"

/* R20: a cold start has no master before a quorum is seen, and the same result in any order. */
static void r20_cold_start(void **state)
{
	struct world *world = open_world(3, true);

	(void)state;
	world_start(world, 1);
	world_run(world, 3000);
	assert_int_equal(world_status(world, 1)->role, CL_ROLE_SLAVE);
	assert_int_equal(world_status(world, 1)->announce, CL_ANNOUNCE_OFF);
	world_start(world, 2);
	world_run(world, 3000);			/* a quorum, but who knows what the third one has? */
	assert_int_equal(world_master(world), -1);
	world_start(world, 0);
	world_run(world, 1500);
	assert_int_equal(world_master(world), 1);
	world_free(world);

	for (unsigned all = 0; all < 2; all++) {
		world = open_world(3, true);
		world->conf.wait_for_all = all;
		world_start(world, 1);
		world_start(world, 2);
		world_run(world, 9500);
		assert_int_equal(world_master(world), -1);
		world_run(world, 2500);
		assert_int_equal(world_master(world), all ? -1 : 1);
		world_free(world);
	}
}

/* Without configured nodes: a node alone is master soon, and two that find each other agree. */
static void open_alone_and_together(void **state)
{
	struct world *world = open_world(2, false);

	(void)state;
	world_cut(world, 0, 1, true);
	world_start_all(world);
	world_run(world, 1200);
	assert_true(cl_may_change(world->node[0].cl) && cl_may_change(world->node[1].cl));
	world_cut(world, 0, 1, false);
	world_run(world, 1500);
	assert_true(world_master(world) >= 0);
	world_free(world);
}

/* Two masters of one term, as only a node without configured nodes can meet: they settle it. */
static void open_equal_terms(void **state)
{
	struct world *world = open_world(2, false);

	(void)state;
	world->stepped = NULL;
	world_cut(world, 0, 1, true);
	world_start_all(world);
	for (unsigned i = 0; i < 2; i++) {
		struct cl_turn turn = { world->node[i].cl, world_now(world, i), &world->out };

		world->node[i].cl->vote->asking = 5;
		elect_won(&turn, "test");
		elect_look(&turn);
		world_carry_out(world, i);
	}
	assert_int_equal(world_change(world, 1, 5, "more"), CL_CHANGED);
	world_run(world, 500);
	world_cut(world, 0, 1, false);
	world_run(world, 2000);
	assert_int_equal(world_master(world), 1);
	assert_int_equal(world_status(world, 0)->master.n, 2);
	world_free(world);
}

/* R22: 32 nodes; an election costs no more than 4 N datagrams. */
static uint64_t sent_by_all(const struct world *world)
{
	uint64_t sent = 0;

	for (unsigned i = 0; i < world->nodes; i++)
		sent += world->node[i].sent - world->node[i].cl->pings;
	return sent;
}

static void r22_thirty_two_nodes(void **state)
{
	struct world *world = settled_world(32, true);

	(void)state;
	/* What a beat costs in ordinary times is not the election's. */
	world_isolate(world, 0, true);
	world_run(world, 380);
	uint64_t before = sent_by_all(world) - world->node[0].sent;

	while (world->node[1].masterships == 0)
		world_run_us(world, 50);
	uint64_t election = sent_by_all(world) - world->node[0].sent - before;

	assert_in_range(election, 32, 4 * 32);
	world_run(world, 100);
	assert_true(cl_may_change(world->node[1].cl));
	world_free(world);
}

/* R40: a planned handover is quick, the named one gets it, and nothing late revives the old term. */
static void r40_handover(void **state)
{
	for (unsigned nodes = 2; nodes <= 5; nodes++) {
		struct world *world = settled_world(nodes, true);
		unsigned to = nodes - 1;

		(void)state;
		assert_int_equal(world_change(world, 0, 9, "last words"), CL_CHANGED);
		world_command(world, 0, CL_VERB_HANDOVER, to + 1, 77);
		assert_true(world->node[0].done.ok);
		assert_int_equal(world->node[0].done.number, 77);
		assert_false(cl_may_change(world->node[0].cl));
		assert_in_range(until_master(world, 0, 500), 0, 20);
		assert_int_equal(world_master(world), to);
		assert_int_equal(world_status(world, to)->term, 2);
		assert_true(bytes_eq(records_get(&world->node[to].cl->records, 9).octets, bytes_str("last words")));
		/* A heartbeat of the closed term comes late. */
		assert_true(elect_term_over(world->node[to].cl, 1));
		world_run(world, 1000);
		assert_int_equal(world_status(world, 0)->master.n, to + 1);
		world_free(world);
	}
}

static void r40_handover_over_loss(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	world->cut[0][1] = world->cut[0][2] = true;		/* the first LEAVEs are lost */
	world_command(world, 0, CL_VERB_HANDOVER, 0, 1);
	assert_true(world->node[0].done.ok);
	world_run(world, 50);
	world->cut[0][1] = world->cut[0][2] = false;
	assert_in_range(until_master(world, 0, 500), 0, 100);
	assert_int_equal(world_master(world), 1);		/* nobody was named: the oldest */
	world_free(world);
}

/* The LEAVE is here, its successor has not begun, and a heartbeat from before it comes late. */
static void r40_late_heartbeat_of_a_closed_term(void **state)
{
	struct world *world = settled_world(3, true);
	struct cl *cl = world->node[2].cl;

	(void)state;
	world_cut(world, 1, 2, true);
	world_command(world, 0, CL_VERB_HANDOVER, 2, 1);
	world_run_us(world, 250);
	assert_int_equal(world_status(world, 2)->master.n, 0);
	assert_int_equal(world_status(world, 2)->term, 1);
	struct cl_turn turn = { cl, world_now(world, 2), &world->out };

	elect_heard_master(&turn, cl_peer_of(cl, world_id(0)), 1);
	assert_int_equal(world_status(world, 2)->master.n, 0);
	fx_clear(&world->out);
	world_cut(world, 1, 2, false);
	world_run(world, 1000);
	assert_int_equal(world_master(world), 1);
	world_free(world);
}

/* The old master hears nothing and goes on to speak: those who have a new one do not listen. */
static void old_master_is_not_followed_back(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	world_isolate(world, 0, true);
	for (unsigned ms = 0; ms < 1000 && !world->node[1].masterships; ms++)
		world_run(world, 1);
	assert_int_equal(world_status(world, 0)->role, CL_ROLE_MASTER);
	uint64_t late = cl_refused(world->node[2].cl, WHY_CL_TERM);

	world->cut[0][1] = world->cut[0][2] = false;
	world_run(world, 1000);
	assert_int_equal(world_status(world, 0)->role, CL_ROLE_MASTER);
	assert_true(cl_refused(world->node[2].cl, WHY_CL_TERM) > late);
	assert_int_equal(world_status(world, 2)->master.n, 2);
	assert_int_equal(world_master(world), 1);
	world_free(world);
}

static void leaving_hands_over(void **state)
{
	for (unsigned members = 0; members < 2; members++) {
		struct world *world = settled_world(3, members);

		(void)state;
		cl_leaving(world->node[0].cl, world_now(world, 0), &world->out);
		world_carry_out(world, 0);
		assert_int_equal(world_status(world, 0)->announce, CL_ANNOUNCE_OFF);
		assert_in_range(until_master(world, 0, 500), 0, 60);
		world_run(world, 400);
		assert_true(world->node[0].cl->stopped);
		assert_true(logged(world, 1, "node=1 leaves"));
		uint64_t sent = world->node[0].sent;

		world_run(world, 2000);
		assert_int_equal(world->node[0].sent, sent);
		assert_int_equal(world_master(world), 1);
		world_free(world);
	}
}

/* An operator may say that one node of two is enough; with a quorum back, its rules hold again. */
static void force_master(void **state)
{
	struct world *world = settled_world(2, true);

	(void)state;
	world_command(world, 1, CL_VERB_FORCE, 0, 1);
	assert_false(world->node[1].done.ok);
	world_stop(world, 0);
	world_run(world, 3000);
	assert_int_equal(world_master(world), -1);
	world_command(world, 1, CL_VERB_FORCE, 0, 2);
	assert_true(world->node[1].done.ok);
	world_run(world, 100);
	assert_int_equal(world_master(world), 1);
	world_run(world, 5000);
	assert_int_equal(world_master(world), 1);
	world_start(world, 0);
	world_run(world, 3000);
	assert_int_equal(world_master(world), 1);
	assert_false(world->node[1].cl->vote->forced);
	assert_int_equal(world_status(world, 0)->master.n, 2);
	world_free(world);
}

/* The newest copy among the voters is what a term begins with. */
static void newest_copy_is_imported(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	world_cut(world, 0, 1, true);			/* the next in line misses what comes */
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(world_change(world, 0, 100 + i, "news"), CL_CHANGED);
	world_run(world, 50);
	world_stop(world, 0);
	assert_true(until_master(world, 0, 3000) < 2000);
	int master = world_master(world);

	for (unsigned i = 0; i < 50; i++)
		assert_true(bytes_eq(records_get(&world->node[master].cl->records, 100 + i).octets, bytes_str("news")));
	world_free(world);
}

/* R50: a master with enough slaves leaves the routes to them, after a while; at once back when they are fewer. */
static void r50_routes_of_a_master(void **state)
{
	struct world *world = open_world(3, true);

	(void)state;
	world->conf.min_adv = 2;
	world_start_all(world);
	world_run(world, 1500);
	assert_int_equal(world_status(world, 0)->announce, CL_ANNOUNCE_FULL);
	world_run(world, 4000);
	assert_int_equal(world_status(world, 0)->announce, CL_ANNOUNCE_OFF);
	assert_int_equal(world_status(world, 1)->announce, CL_ANNOUNCE_FULL);
	world_stop(world, 2);
	world_run(world, 700);
	assert_int_equal(world_status(world, 0)->announce, CL_ANNOUNCE_FULL);
	cl_healthy(world->node[1].cl, false);
	world_run(world, 200);
	assert_int_equal(world_status(world, 1)->announce, CL_ANNOUNCE_OFF);
	world_free(world);
}

/* R63: one line for each change of role: term, votes, silence, reason. */
static void r63_every_role_change_is_told(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	assert_true(logged(world, 0, "cluster role term=1 votes=2 of=3 silence_ms=500 now master, was candidate, "
			   "master 1: elected by a quorum\n"));
	assert_true(logged(world, 2, "now slave, was slave, master 1: a master is heard\n"));
	world_stop(world, 0);
	world_run(world, 2000);
	assert_true(logged(world, 1, "cluster role term=2 votes=2 of=3"));
	assert_true(logged(world, 2, "master 0: the master is silent\n"));
	assert_string_equal(world->node[1].cl->reason, "elected by a quorum");
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r20_cold_start),
		cmocka_unit_test(open_alone_and_together),
		cmocka_unit_test(open_equal_terms),
		cmocka_unit_test(r22_thirty_two_nodes),
		cmocka_unit_test(r40_handover),
		cmocka_unit_test(r40_handover_over_loss),
		cmocka_unit_test(r40_late_heartbeat_of_a_closed_term),
		cmocka_unit_test(old_master_is_not_followed_back),
		cmocka_unit_test(leaving_hands_over),
		cmocka_unit_test(force_master),
		cmocka_unit_test(newest_copy_is_imported),
		cmocka_unit_test(r50_routes_of_a_master),
		cmocka_unit_test(r63_every_role_change_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
