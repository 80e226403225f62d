/*
 * Goal: who is there is known, by whatever way it can be reached; who is not one of us has no say, and the log
 * tells why.
 * Method: whole nodes on a network in memory, cut, restarted, and configured unlike each other.
 */
#include "cluster/elect.h"
#include "tests/unit/cl_world.h"

static struct world *settled_world(unsigned nodes, bool members)
{
	struct world *world = world_new(nodes, members);

	world_start_all(world);
	world_run(world, 1500);
	assert_int_equal(world_master(world), 0);
	return world;
}

static bool logged(const struct world *world, unsigned i, const char *text)
{
	return strstr(world->node[i].log, text) != NULL;
}

static unsigned lines_with(const struct world *world, unsigned i, const char *text)
{
	unsigned lines = 0;

	for (const char *at = world->node[i].log; (at = strstr(at, text)) != NULL; at++)
		lines++;
	return lines;
}

static struct cl_peer_facts facts_of(struct world *world, unsigned i, unsigned of)
{
	struct cl_peer_facts facts;

	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++)
		if (cl_peer(world->node[i].cl, slot, world_now(world, i), &facts) && node_eq(facts.node, world_id(of)))
			return facts;
	fail_msg("node %u does not know node %u", i, of);
	return facts;
}

/* R1: nothing here is ever told the time of day; its own clock may begin anywhere, also near the end of a number. */
static void r1_only_its_own_clock(void **state)
{
	struct world *world = world_new(3, true);

	(void)state;
	world_start(world, 0);
	world_start(world, 1);
	world->boots = 1u << 30;
	world_start(world, 2);
	assert_true(world->node[2].clock > world->node[0].clock * 1000);
	world_run(world, 2000);
	assert_int_equal(world_master(world), 0);
	world_free(world);
}

static void everybody_knows_everybody(void **state)
{
	struct world *world = settled_world(4, false);

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		for (unsigned of = 0; of < 4; of++) {
			if (i == of)
				continue;
			struct cl_peer_facts facts = facts_of(world, i, of);

			assert_true(facts.alive && facts.by_multicast && !facts.refused && !facts.leaving);
			assert_int_equal(facts.master, of == 0);
			assert_int_equal(facts.join_no, of + 1);
			assert_true(ip_eq(facts.address, world_address(of)));
			assert_true(facts.age_ms > 1000 && facts.silent_ms <= 101);
		}
	world_stop(world, 3);
	world_run(world, 700);
	assert_false(facts_of(world, 0, 3).alive);
	assert_true(logged(world, 0, "node=4 silent for"));
	world_free(world);
}

/* A restarted node is another boot: what the old one had, voted and acknowledged is forgotten. */
static void restart_is_noticed(void **state)
{
	struct world *world = settled_world(3, true);
	struct cl *cl = world->node[0].cl;
	struct boot_id before = cl_peer_of(cl, world_id(2))->boot;

	(void)state;
	world_stop(world, 2);
	world_start(world, 2);
	world_run(world, 120);
	assert_memory_not_equal(cl_peer_of(cl, world_id(2))->boot.b, before.b, sizeof(before.b));
	world_run(world, 400);
	assert_true(facts_of(world, 0, 2).alive);
	assert_int_equal(world_master(world), 0);
	world_free(world);
}

/* R23: multicast ends, unicast goes on: nobody dies, nobody is elected. */
static void r23_multicast_blocked(void **state)
{
	for (unsigned members = 0; members < 2; members++) {
		struct world *world = settled_world(4, members);
		uint32_t term = world_status(world, 0)->term;

		(void)state;
		world->no_multicast = true;
		world_run(world, 10000);
		assert_int_equal(world_master(world), 0);
		assert_int_equal(world_status(world, 0)->term, term);
		for (unsigned i = 0; i < 4; i++) {
			assert_int_equal(world->node[i].masterships, i == 0);
			assert_false(logged(world, i, "silent"));
		}
		assert_false(facts_of(world, 0, 1).by_multicast);
		assert_true(facts_of(world, 0, 1).by_unicast);
		uint64_t sent = world->node[1].sent;

		world->no_multicast = false;
		world_run(world, 1000);
		sent = world->node[1].sent;
		world_run(world, 1000);
		assert_in_range(world->node[1].sent - sent, 10, 25);		/* no more copies */
		world_free(world);
	}
}

/* One direction between two nodes only: the others' beats go on by multicast alone. */
static void r23_one_path(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	world->cut[0][2] = true;
	world_run(world, 150);
	world->cut[0][2] = false;
	world_run(world, 5000);
	assert_int_equal(world->node[2].role_changes, 1);
	world_free(world);
}

/* Multicast never worked: configured nodes find each other all the same. */
static void r23_from_the_start(void **state)
{
	struct world *world = world_new(3, true);

	(void)state;
	world->no_multicast = true;
	world_start_all(world);
	world_run(world, 3000);
	assert_int_equal(world_master(world), 0);
	world_stop(world, 1);
	world_run(world, 20000);
	world_start(world, 1);
	world_run(world, 3000);
	assert_true(facts_of(world, 2, 1).alive);
	world_free(world);
}

/* R21: who is configured differently is refused, and the log names the field. */
static void differs(void (*change)(struct cl_conf *conf), const char *field)
{
	struct world *world = world_new(3, true);

	world_start(world, 0);
	world_start(world, 1);
	change(&world->conf);
	world_start(world, 2);
	world_run(world, 3000);
	if (!logged(world, 0, field))
		fail_msg("no word of %s in: %s", field, world->node[0].log);
	assert_true(logged(world, 0, "cluster node=3 refused why=node is configured differently"));
	assert_int_equal(lines_with(world, 0, "refused"), 1);
	assert_true(facts_of(world, 0, 2).refused);
	assert_int_equal(peers_alive(world->node[0].cl), 1);
	assert_int_equal(world->node[2].cl->promised, 0);
	assert_int_equal(world_status(world, 2)->master.n, 0);
	world_run(world, 60000);
	assert_in_range(lines_with(world, 0, "refused"), 2, 3);
	world_free(world);
}

static void other_interval(struct cl_conf *conf) { conf->interval_ms = 110; }
static void other_dead(struct cl_conf *conf) { conf->dead_ms = 600; }
static void other_keys(struct cl_conf *conf) { conf->keys = 8192; }
static void other_lease(struct cl_conf *conf) { conf->lease_ms = 390; }
static void other_votes(struct cl_conf *conf) { conf->member[conf->members++] = world_address(9); }
static void other_member(struct cl_conf *conf) { conf->member[1] = world_address(9); }

static void r21_other_configuration(void **state)
{
	(void)state;
	differs(other_interval, "ours=100 theirs=110 field=cluster_hb_interval");
	differs(other_dead, "ours=500 theirs=600 field=cluster_hb_timeout");
	differs(other_keys, "ours=4 theirs=8 field=size of the tables");
	differs(other_lease, "field=digest");
	differs(other_votes, "ours=3 theirs=4 field=cluster_nodes");
}

/* Among nodes that are not configured, the odd one out founds no cluster of its own. */
static void r21_the_odd_one_founds_nothing(void **state)
{
	struct world *world = settled_world(2, false);

	(void)state;
	world->nodes = 3;
	world->conf.dead_ms = 600;
	world_start(world, 2);
	world_run(world, 5000);
	assert_int_equal(world_status(world, 2)->role, CL_ROLE_SLAVE);
	assert_int_equal(world_master(world), 0);
	/* Its operator puts it right. */
	struct cl_conf conf = world->node[2].conf;

	conf.dead_ms = 500;
	conf.lease_ms = 400;
	cl_configured(world->node[2].cl, &conf, world_now(world, 2));
	world_run(world, 1000);
	assert_int_equal(world_status(world, 2)->master.n, 1);
	assert_true(logged(world, 0, "node=3 is configured as we are again"));
	world_free(world);
}

static void r21_unknown_address(void **state)
{
	struct world *world = settled_world(3, true);
	struct cl_conf conf = world->conf;

	(void)state;
	world->nodes = 4;
	other_votes(&world->conf);
	world->conf.member[3] = world_address(3);
	world_start(world, 3);
	world_run(world, 5000);
	assert_true(cl_refused(world->node[0].cl, WHY_CL_MEMBER) > 10);
	assert_int_equal(lines_with(world, 0, "why=node is not in cluster_nodes from=10.0.0.4"), 1);
	assert_null(cl_peer_of(world->node[0].cl, world_id(3)));
	world->conf = conf;
	world_free(world);
}

/* R21: a node id that is in use; and our own. */
static void r21_duplicate_id(void **state)
{
	struct world *world = settled_world(3, false);
	struct boot_id before = cl_peer_of(world->node[0].cl, world_id(1))->boot;

	(void)state;
	world->nodes = 4;
	world->conf.fresh_vote_after_ms = 20000;
	world_start(world, 3);
	world_run(world, 500);
	world_stop(world, 3);
	world_run(world, 1000);
	/* The same place with the node id of the second node. */
	world->node[3].conf.self = world_id(1);
	struct world_node *node = &world->node[3];
	uint8_t seed[RND_SEED_LEN] = { 99 };
	size_t room = cl_size(&node->conf);
	struct arena arena = { .room = room };

	arena.start = node->memory = aligned_alloc(64, (room + 63) & ~(size_t)63);
	memset(node->memory, 0, room);
	node->cl = cl_init(&node->conf, world->secret, 1, seed, world_now(world, 3), &arena);
	node->up = true;
	world_run(world, 5000);
	assert_true(cl_refused(world->node[0].cl, WHY_CL_DUPLICATE) > 10);
	assert_in_range(lines_with(world, 0, "why=two nodes use one node id from=10.0.0.4"), 1, 3);
	assert_in_range(lines_with(world, 1, "why=two nodes use one node id from=10.0.0.4"), 1, 3);
	assert_memory_equal(cl_peer_of(world->node[0].cl, world_id(1))->boot.b, before.b, sizeof(before.b));
	world_free(world);
}

static void r21_other_secret_or_cluster(void **state)
{
	for (unsigned which = 0; which < 2; which++) {
		struct world *world = world_new(2, true);

		(void)state;
		world_start(world, 0);
		if (which)
			world->secret[0].octets[5] ^= 1;
		else
			strcpy(world->conf.name, "other");
		world_start(world, 1);
		world_run(world, 3000);
		assert_null(cl_peer_of(world->node[0].cl, world_id(1)));
		assert_true(cl_refused(world->node[0].cl, which ? WHY_CL_TAG : WHY_CL_CLUSTER) > 0);
		assert_int_equal(world_master(world), -1);
		world_free(world);
	}
}

/* R66: a command reaches another node, is carried out once, and its answer comes back. */
static void r66_commands(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	world_command(world, 2, CL_VERB_HANDOVER, 3, 5);	/* from a slave, by way of the master */
	world_run(world, 300);
	assert_int_equal(world->node[2].done.number, 5);
	assert_true(world->node[2].done.ok);
	assert_int_equal(world_master(world), 2);
	world->cut[2][1] = true;				/* answers are lost for a while */
	world_command(world, 1, CL_VERB_HANDOVER, 2, 6);
	world_run(world, 30);
	world->cut[2][1] = false;
	world_run(world, 1500);
	assert_int_equal(world->node[1].done.number, 6);
	assert_int_equal(world_master(world), 1);
	assert_int_equal(world_status(world, 1)->term, 3);
	world_command(world, 0, CL_VERB_STOP, 3, 7);
	world_run(world, 1000);
	assert_true(world->node[0].done.ok && world->node[0].done.number == 7);
	assert_true(world->node[2].cl->stopped);
	world_command(world, 0, CL_VERB_STOP, 3, 8);		/* it says nothing any more */
	world_run(world, 5000);
	assert_true(!world->node[0].done.ok && world->node[0].done.number == 8);
	world_command(world, 0, CL_VERB_STOP, 9, 9);
	assert_true(!world->node[0].done.ok && world->node[0].done.number == 9);
	world_free(world);
}

/* What belongs to a key is with one node, the same for all; and moves only when it must. */
static void owners(void **state)
{
	struct world *world = settled_world(4, true);
	unsigned of[5] = { 0 }, moved = 0;
	struct node_id before[400];

	(void)state;
	world_run(world, 500);
	for (uint32_t key = 0; key < 400; key++) {
		before[key] = cl_owner(world->node[0].cl, key);
		of[before[key].n]++;
		for (unsigned i = 1; i < 4; i++)
			assert_true(node_eq(cl_owner(world->node[i].cl, key), before[key]));
	}
	for (unsigned i = 1; i <= 4; i++)
		assert_in_range(of[i], 60, 140);
	world_stop(world, 3);
	world_run(world, 1000);
	for (uint32_t key = 0; key < 400; key++) {
		bool same = node_eq(cl_owner(world->node[0].cl, key), before[key]);

		assert_true(same || before[key].n == 4);
		moved += !same;
	}
	assert_int_equal(moved, of[4]);
	world_free(world);
}

/* Members are a set; what must agree is in the digest, what need not is not. */
static void digest_of_a_configuration(void **state)
{
	struct world *world = world_new(3, true);
	struct cl_conf a = world->conf, b = a;
	uint32_t digest = cl_conf_digest(&a);

	(void)state;
	b.member[0] = a.member[2];
	b.member[2] = a.member[0];
	b.min_adv = 3;
	b.record_octets = 1;
	b.self.n = 9;
	assert_int_equal(cl_conf_digest(&b), digest);
	other_member(&b);
	assert_int_not_equal(cl_conf_digest(&b), digest);
	b = a;
	b.commit = CL_COMMIT_ONE;
	assert_int_not_equal(cl_conf_digest(&b), digest);
	world_free(world);
}

/* R6: lateness is counted, and told before it is death. */
static void r6_lateness(void **state)
{
	struct world *world = settled_world(3, true);
	uint64_t beats = 0;
	struct cl_facts facts;

	(void)state;
	world_isolate(world, 2, true);
	world_run(world, 350);
	world_isolate(world, 2, false);
	world_run(world, 500);
	assert_true(logged(world, 2, "cluster heartbeat came after"));
	cl_facts(world->node[2].cl, world_now(world, 2), &facts);
	for (unsigned i = 0; i < CL_LATE_BUCKETS; i++)
		beats += facts.late[i];
	assert_true(beats > 10 && facts.late[0] > 5);
	assert_int_equal(facts.late[8], 1);		/* 200 to 500 ms */
	assert_true(facts.late_max_us >= 200000);
	assert_int_equal(facts.votes, 3);
	assert_int_equal(facts.quorum, 2);
	assert_int_equal(facts.votes_alive, 3);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r1_only_its_own_clock),
		cmocka_unit_test(everybody_knows_everybody),
		cmocka_unit_test(restart_is_noticed),
		cmocka_unit_test(r23_multicast_blocked),
		cmocka_unit_test(r23_one_path),
		cmocka_unit_test(r23_from_the_start),
		cmocka_unit_test(r21_other_configuration),
		cmocka_unit_test(r21_the_odd_one_founds_nothing),
		cmocka_unit_test(r21_unknown_address),
		cmocka_unit_test(r21_duplicate_id),
		cmocka_unit_test(r21_other_secret_or_cluster),
		cmocka_unit_test(r66_commands),
		cmocka_unit_test(owners),
		cmocka_unit_test(digest_of_a_configuration),
		cmocka_unit_test(r6_lateness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
