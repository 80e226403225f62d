/*
 * Goal: one master per term and never two that may change things; who has a say, and how soon.
 * Method: whole nodes on a network in memory; each test is named after the requirement it is about.
 */
#include "tests/unit/cl_settled.h"

/* R4: after a gap it neither votes nor claims before it has had the time to hear the others. */
static void r4_abstains_after_a_gap(void **state)
{
	struct world *world = settled_world(3, true);
	uint32_t term = world_status(world, 0)->term;

	(void)state;
	world_sleep(world, 1, 1500);
	world_sleep(world, 2, 1500);
	world_isolate(world, 0, true);
	world_run(world, 1501);
	assert_int_equal(world->node[1].cl->vote->phase, PHASE_IDLE);
	assert_true(mono_before(world_now(world, 1), world->node[1].cl->vote->abstain_until));
	world_run(world, 98);
	assert_int_equal(world->node[1].cl->stat[CL_STAT_elections] + world->node[2].cl->stat[CL_STAT_elections], 0);
	world_isolate(world, 0, false);
	world_run(world, 2000);
	assert_int_equal(world_master(world), 0);
	assert_int_equal(world_status(world, 1)->term, term);
	world_free(world);
}

/* R7: it was the observer that slept; the others were not silent. */
static void r7_own_sleep_is_nobodys_death(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		world_sleep(world, 2, 300 + i * 200);
		world_run(world, 4500);
	}
	assert_int_equal(world_master(world), 0);
	assert_int_equal(world_status(world, 0)->term, 1);
	assert_int_equal(world->node[2].role_changes, 1);
	assert_false(logged(world, 2, "is silent"));
	world_free(world);
}

/* R8: what cannot be safe is refused, with the reason. */
static void r8_unsafe_configurations(void **state)
{
	struct world *world = world_new(3, true);
	struct cl_conf good = world->conf, bad;

	(void)state;
	good.self = world_id(0);
	good.address = world_address(0);
	assert_null(cl_conf_fault(&good));
#define BAD(change, words) do { bad = good; change; assert_non_null(cl_conf_fault(&bad)); \
				assert_non_null(strstr(cl_conf_fault(&bad), words)); } while (0)
	BAD(bad.dead_ms = 299, "three times");
	BAD(bad.interval_ms = 0, "hb_interval");
	BAD(bad.dead_ms = 0, "hb_timeout");
	BAD(bad.lease_ms = 450, "overlap");
	BAD(bad.lease_ms = 449, "overlap");
	BAD(bad.grant_ms = 501, "grant");
	BAD(bad.fresh_vote_after_ms = 0, "without state");
	BAD(bad.forward_wait_ms = 0, "wait");
	BAD(bad.self.n = 0, "65534");
	BAD(bad.name[0] = 0, "name");
	BAD(bad.keys = 0, "size");
	BAD(bad.members = 33, "more than 32");
	BAD(bad.member[2] = bad.member[1], "twice");
	BAD(bad.address = world_address(9), "lacks our own");
	BAD(bad.address = (struct ip){ { 0 } }, "no address");
#undef BAD
	bad = good;
	bad.lease_ms = bad.grant_ms = 0;
	assert_null(cl_conf_fault(&bad));
	world_free(world);
}

/* R10: whatever is lost, no term has two masters; the check is in one_per_term(). */
static uint32_t storm;

static bool stormy(struct world *world, unsigned from, unsigned to, bool multicast)
{
	(void)world;
	storm = storm * 1103515245u + 12345u + from * 7 + to * 13 + multicast;
	return storm >> 16 & 1;
}

static void r10_one_master_per_term(void **state)
{
	uint32_t terms = 0;

	(void)state;
	for (unsigned nodes = 3; nodes <= 5; nodes++) {
		struct world *world = open_world(nodes, true);

		storm = nodes;
		world_start_all(world);
		world->lost = stormy;
		for (unsigned round = 0; round < 60; round++) {
			storm += round;
			world->lost = round % 3 ? NULL : stormy;
			world_isolate(world, round % nodes, round % 4 != 3);
			world_run(world, 700);
		}
		for (unsigned i = 0; i < nodes; i++)
			world_isolate(world, i, false);
		world->lost = NULL;
		world_run(world, 4000);
		assert_true(world_master(world) >= 0);
		terms = max_u32(terms, world_status(world, (unsigned)world_master(world))->term);
		world_free(world);
	}
	assert_true(terms > 3);			/* it was not idle */
}

/* A directed duel: two candidates of one term, and a voter whom both ask. */
static void r10_no_voter_grants_a_term_twice(void **state)
{
	struct world *world = settled_world(3, true);
	struct cl *voter = world->node[2].cl;
	struct cl_turn turn = { voter, world_now(world, 2), &world->out };
	struct cl_msg msg = { .type = CL_CLAIM, .term = 9, .claim = { .round = 1 } };

	(void)state;
	elect_yield(&turn, "test");
	assert_int_equal(elect_received(&turn, cl_peer_of(voter, world_id(0)), &msg), WHY_OK);
	assert_int_equal(voter->promised, 9);
	assert_int_equal(voter->vote->promised_to.n, 1);
	assert_int_equal(elect_received(&turn, cl_peer_of(voter, world_id(1)), &msg), WHY_OK);
	assert_int_equal(voter->vote->promised_to.n, 1);
	assert_int_equal(cl_peer_of(voter, world_id(0))->granted_term, 9);
	assert_int_equal(cl_peer_of(voter, world_id(1))->granted_term, 0);
	/* Nor does it follow a lower term afterwards. */
	assert_true(elect_term_over(voter, 8));
	assert_false(elect_term_over(voter, 9));
	fx_clear(&world->out);
	world_free(world);
}

/* R11: cut off for an hour, it asks and asks; no term advances, and nothing happens when it returns. */
static void r11_cut_off_for_an_hour(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	world_isolate(world, 2, true);
	world_run(world, 3600 * 1000);
	assert_int_equal(world_status(world, 2)->role, CL_ROLE_SLAVE);
	assert_true(world_status(world, 2)->frozen);
	assert_int_equal(world->node[2].cl->promised, 1);
	world_isolate(world, 2, false);
	world_run(world, 2000);
	assert_int_equal(world_master(world), 0);
	assert_int_equal(world_status(world, 0)->term, 1);
	assert_int_equal(world_status(world, 2)->master.n, 1);
	assert_int_equal(world->node[0].masterships, 1);
	world_free(world);
}

/* R12: what is refused is answered, and the answer makes the next try good enough. */
static void r12_refusals_are_answered(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	/* A voter that promised more than anybody knows of. */
	world->node[1].cl->promised = 40;
	world->node[1].cl->vote->promised_to = world_id(1);
	world_run(world, 3000);
	assert_true(world_master(world) >= 0);
	assert_true(world_status(world, (unsigned)world_master(world))->term > 40);
	world_run(world, 500);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(world_status(world, i)->master.n, world_master(world) + 1);
	world_free(world);
}

/* R13: who hears a master grants nothing, whoever asks. */
static void r13_stickiness(void **state)
{
	struct world *world = settled_world(3, true);
	struct cl *voter = world->node[2].cl;
	struct cl_turn turn = { voter, world_now(world, 2), &world->out };
	struct cl_msg msg = { .type = CL_CLAIM, .term = 9, .claim = { .round = 1 } };
	struct cl_peer *asks = cl_peer_of(voter, world_id(1));

	(void)state;
	assert_int_equal(elect_received(&turn, asks, &msg), WHY_OK);
	assert_int_equal(asks->granted_term, 0);
	turn.now = mono_add(voter->master_heard, DUR_MS(449));
	assert_int_equal(elect_received(&turn, asks, &msg), WHY_OK);
	assert_int_equal(asks->granted_term, 0);
	turn.now = mono_add(voter->master_heard, DUR_MS(450));
	assert_int_equal(elect_received(&turn, asks, &msg), WHY_OK);
	assert_int_equal(asks->granted_term, 9);
	fx_clear(&world->out);
	world_free(world);
}

/* R14: one of three restarts empty while the master dies: two copies are gone, and no vote is taken from memory. */
static void r14_no_vote_without_state(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	world_stop(world, 0);
	world_stop(world, 2);
	world_start(world, 2);
	world_run(world, 3000);
	assert_int_equal(world_master(world), -1);
	assert_true(world->node[2].cl->fresh);
	/* The old master's machine is repaired: everybody is there, and the one who knows something leads. */
	world_start(world, 0);
	world_run(world, 3000);
	assert_int_equal(world_master(world), 1);
	world_free(world);
}

static void r14_after_long_the_policy_decides(void **state)
{
	for (unsigned all = 0; all < 2; all++) {
		struct world *world = open_world(3, true);

		(void)state;
		world->conf.wait_for_all = all;
		world_start_all(world);
		world_run(world, 1500);
		assert_int_equal(world_master(world), 0);
		world_stop(world, 0);
		world_stop(world, 2);
		world_start(world, 2);
		world_run(world, 9000);
		assert_int_equal(world_master(world), -1);
		world_run(world, 3000);
		assert_int_equal(world_master(world), all ? -1 : 1);
		world_free(world);
	}
}

/* R15: the old master stops before anybody may grant. */
static void r15_lease_ends_before_a_grant(void **state)
{
	struct world *world = settled_world(3, true);
	uint64_t stopped = 0, granted = 0;

	(void)state;
	world_isolate(world, 0, true);
	for (unsigned ms = 0; ms < 2000 && !granted; ms++) {
		world_run(world, 1);
		if (!stopped && !cl_may_change(world->node[0].cl))
			stopped = world->now;
		if (world->node[1].cl->promised > 1 || world->node[2].cl->promised > 1)
			granted = world->now;
	}
	assert_true(stopped && granted);
	assert_true(granted >= stopped + 40000);
	assert_true(world_status(world, 0)->frozen);
	assert_int_equal(world_status(world, 0)->announce, CL_ANNOUNCE_LOW);
	assert_true(logged(world, 0, "frozen term=1"));
	world_run(world, 3000);
	assert_int_equal(world_master(world), 1);
	assert_int_equal(world_status(world, 0)->role, CL_ROLE_SLAVE);		/* frozen for too long */
	assert_int_equal(world->node[0].cl->stat[CL_STAT_freezes], 1);
	world_free(world);
}

/* An interruption that is short enough: the same master goes on in the same term. */
static void r15_thaws(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	world_isolate(world, 0, true);
	for (unsigned ms = 0; ms < 450 && cl_may_change(world->node[0].cl); ms++)
		world_run(world, 1);
	assert_false(cl_may_change(world->node[0].cl));
	world_isolate(world, 0, false);
	world_run(world, 300);
	assert_int_equal(world_master(world), 0);
	assert_int_equal(world_status(world, 0)->term, 1);
	assert_true(logged(world, 0, "goes on term=1"));
	world_free(world);
}

/* R16: each way in which two nodes may not hear each other while others do. */
static void cut_one_way(struct world *world, unsigned from, unsigned to)
{
	world->cut[from][to] = true;
}

static void shape(struct world *world, unsigned which)
{
	for (unsigned i = 0; i < 3; i++)
		for (unsigned j = 0; j < 3; j++) {
			if (i == j)
				continue;
			if (which < 3 && j == which)			/* deaf */
				cut_one_way(world, i, j);
			else if (which >= 3 && which < 6 && i == which - 3)	/* mute */
				cut_one_way(world, i, j);
			else if (which >= 6 && which < 9 && i != which - 6 && j != which - 6)	/* no A-C */
				cut_one_way(world, i, j);
			else if (which >= 9 && which < 12 && i == which - 9 && j == (which - 8) % 3)	/* one way */
				cut_one_way(world, i, j);
			else if (which >= 12 && j == which - 12 && i == (which - 11) % 3)
				cut_one_way(world, i, j);
		}
}

static void r16_asymmetric_cuts(void **state)
{
	(void)state;
	for (unsigned which = 0; which < 15; which++) {
		struct world *world = settled_world(3, true);
		unsigned changes = 0;

		shape(world, which);
		world_run(world, 3500);			/* a frozen master takes 4 dead times to give up */
		int master = world_master(world);

		if (master < 0)
			fail_msg("cut %u: no master", which);
		for (unsigned i = 0; i < 3; i++)
			changes -= world->node[i].role_changes;
		world_run(world, 20000);
		assert_int_equal(world_master(world), master);
		for (unsigned i = 0; i < 3; i++)
			changes += world->node[i].role_changes;
		assert_true(changes <= 4);		/* less than one in 5 seconds */
		memset(world->cut, 0, sizeof(world->cut));
		world_run(world, 3000);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(world_status(world, i)->master.n, world_master(world) + 1);
		world_free(world);
	}
}

/* R17: the oldest asks first, and each next one 60 ms later, without another whole timeout. */
static void r17_by_age_and_rank(void **state)
{
	struct world *world = open_world(5, true);

	(void)state;
	for (unsigned i = 5; i-- > 0;) {	/* the one with the highest address is the oldest */
		world_start(world, i);
		world_run(world, 700);
	}
	world_run(world, 2500);
	assert_int_equal(world_master(world), 4);
	assert_int_equal(world->node[3].cl->join_no, 2);
	assert_int_equal(world->node[0].cl->join_no, 5);
	world_stop(world, 4);
	assert_in_range(until_master(world, 4, 2000), 300, 520);
	assert_int_equal(world_master(world), 3);
	world_run(world, 1000);
	/* The master and the next one at once. */
	world_start(world, 4);
	world_run(world, 2000);
	assert_int_equal(world->node[4].cl->join_no, 5);	/* it is the youngest now, by join number */
	world_stop(world, 3);
	world_stop(world, 2);
	assert_in_range(until_master(world, 3, 2000), 300, 640);
	assert_int_equal(world_master(world), 1);
	world_free(world);
}

/* R18: a tie goes to the lower address, by its octets in order. */
static void r18_ties(void **state)
{
	struct cl_senior a = { .age_ms = 5000, .address = ip_from4((struct ip4){ 0x0a000002 }) };
	struct cl_senior b = { .age_ms = 5499, .address = ip_from4((struct ip4){ 0x0a000100 }) };

	(void)state;
	assert_true(senior_before(&a, &b) && !senior_before(&b, &a));
	b.age_ms = 5500;
	assert_true(senior_before(&b, &a) && !senior_before(&a, &b));
	a.join_no = 7;
	assert_true(senior_before(&a, &b) && !senior_before(&b, &a));
	b.join_no = 6;
	assert_true(senior_before(&b, &a) && !senior_before(&a, &b));
	b.fresh = true;
	assert_true(senior_before(&a, &b) && !senior_before(&b, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r4_abstains_after_a_gap),
		cmocka_unit_test(r7_own_sleep_is_nobodys_death),
		cmocka_unit_test(r8_unsafe_configurations),
		cmocka_unit_test(r10_one_master_per_term),
		cmocka_unit_test(r10_no_voter_grants_a_term_twice),
		cmocka_unit_test(r11_cut_off_for_an_hour),
		cmocka_unit_test(r12_refusals_are_answered),
		cmocka_unit_test(r13_stickiness),
		cmocka_unit_test(r14_no_vote_without_state),
		cmocka_unit_test(r14_after_long_the_policy_decides),
		cmocka_unit_test(r15_lease_ends_before_a_grant),
		cmocka_unit_test(r15_thaws),
		cmocka_unit_test(r16_asymmetric_cuts),
		cmocka_unit_test(r17_by_age_and_rank),
		cmocka_unit_test(r18_ties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
