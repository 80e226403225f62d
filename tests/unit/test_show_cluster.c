/*
 * Goal: the cluster is shown as its thread tells it, in every form; what is asked of it waits for the answer and
 * ends as the answer says; a session's traffic is what all nodes forwarded.
 * Method: the control plane of show_world.h with facts of a cluster the test makes up, a hand that answers at the
 * look the test says, and reports of another node's counters.
 */
#include "tests/unit/show_world.h"

static struct shares shares;

static int cluster_begin(void **state)
{
	struct cluster_facts *cluster = &world->cluster;

	(void)state;
	*cluster = (struct cluster_facts){ .held = 5 };
	cluster->cl = (struct cl_facts){
		.status = { .role = CL_ROLE_MASTER, .term = 7, .master = { 11 }, .up_to_date = true,
			    .announce = CL_ANNOUNCE_LOW },
		.self = { 11 }, .age_ms = 3600000, .join_no = 2, .have = version_of(7, 120),
		.upto = version_of(7, 120), .committed = version_of(7, 118), .synced = version_of(7, 100),
		.root = 0xfeed, .records = 4711, .votes = 2, .quorum = 2, .votes_alive = 3, .forwards_waiting = 6,
		.late = { 900, 80, 7 }, .late_max_us = 4321, .proto = 1, .key_id = 9, .reason = "the master left",
	};
	for (unsigned slot = 0; slot < 3; slot++) {
		cluster->known[slot * 3] = true;
		cluster->peer[slot * 3] = (struct cl_peer_facts){
			.node = { (uint16_t)(12 + slot) }, .address = ip_from4((struct ip4){ 0xc000020c + slot }),
			.alive = true, .up_to_date = true, .by_multicast = true, .by_unicast = true, .age_ms = 60000,
			.silent_ms = 40, .have = version_of(7, 120 - slot), .join_no = 3 + slot, .sessions = SESSIONS,
			.round_trip_us = 210 * slot, .late_max_us = 90, .slot = (uint8_t)(slot * 3),
		};
	}
	cluster->peer[6].alive = cluster->peer[6].up_to_date = cluster->peer[6].by_multicast = false;
	cluster->peer[6].silent_ms = 31000;
	cluster->peer[6].have = version_of(6, 900);
	for (unsigned stat = 0; stat < CL_STATS; stat++)
		cluster->stat[stat] = 1000 + stat;
	cluster->refused[WHY_CL_TAG] = 3;
	world->clustered = true;
	world->refuses = false;
	world->done[0] = '\0';
	world->answered_at = 0;
	world->answer = (struct cluster_answer){ .ok = true, .words = "node 12 is master of term 8" };
	return 0;
}

static const char *word_of(const json_t *object, const char *name)
{
	const json_t *word = json_object_get(object, name);

	assert_true(json_is_string(word));
	return json_string_value(word);
}

static bool yes_of(const json_t *object, const char *name)
{
	const json_t *yes = json_object_get(object, name);

	assert_true(json_is_boolean(yes));
	return json_is_true(yes);
}

/* ---- shown ---- */

static void as_text(void **state)
{
	(void)state;
	assert_int_equal(ask("show cluster"), CTL_OK);
	assert_non_null(strstr(answer, "role:                   master\n"));
	assert_non_null(strstr(answer, "reason:                 the master left\n"));
	assert_non_null(strstr(answer, "committed:              7.118\n"));
	assert_non_null(strstr(answer, "digest:                 000000000000feed\n"));
	assert_non_null(strstr(answer, "\n   13 192.0.2.13      slave "));
	assert_non_null(strstr(answer, "\n   14 192.0.2.14      silent "));
	assert_int_equal(ask_as("show cluster", false), CTL_OK);	/* it shows no secret */
}

static void as_json(void **state)
{
	static const char *const numbers[] = {
		"term", "master", "node", "age_s", "join_no", "votes", "quorum", "votes_alive", "records",
		"forwards_waiting", "packets_waiting", "key_id", "protocol",
	};
	static const char *const peer_numbers[] = {
		"node", "silent_ms", "age_s", "late_max_us", "records", "join_no",
	};
	json_t *json = ask_json("show cluster json"), *peers = json_object_get(json, "peers"), *peer;

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(numbers); i++)
		assert_true(number_of(json, numbers[i]) > 0);
	assert_int_equal(number_of(json, "term"), 7);
	assert_int_equal(number_of(json, "packets_waiting"), 5);
	assert_string_equal(word_of(json, "role"), "master");
	assert_false(yes_of(json, "frozen"));
	assert_true(yes_of(json, "up_to_date"));
	assert_string_equal(word_of(json, "announce"), "low");
	assert_string_equal(word_of(json, "have"), "7.120");
	assert_string_equal(word_of(json, "upto"), "7.120");
	assert_string_equal(word_of(json, "verified"), "7.100");
	assert_int_equal(number_of(json_object_get(json, "lateness"), "below_2_ms"), 80);
	assert_int_equal(number_of(json_object_get(json, "lateness"), "late_max_us"), 4321);
	assert_int_equal(json_array_size(peers), 3);
	for (unsigned slot = 0; slot < 3; slot++)
		for (unsigned i = 0; i < ARRAY_LEN(peer_numbers); i++)
			assert_true(number_of(json_array_get(peers, slot), peer_numbers[i]) > 0);
	peer = json_array_get(peers, 0);
	assert_true(json_is_null(json_object_get(peer, "round_trip_us")));	/* not known yet */
	assert_int_equal(number_of(peer, "lag"), 0);
	assert_string_equal(word_of(peer, "heard_by"), "both");
	peer = json_array_get(peers, 1);
	assert_int_equal(number_of(peer, "round_trip_us"), 210);
	assert_int_equal(number_of(peer, "lag"), 1);
	peer = json_array_get(peers, 2);
	assert_string_equal(word_of(peer, "state"), "silent");
	assert_string_equal(word_of(peer, "heard_by"), "unicast");
	assert_string_equal(word_of(peer, "address"), "192.0.2.14");
	assert_false(yes_of(peer, "up_to_date"));
	assert_true(json_is_null(json_object_get(peer, "lag")));	/* of another term: nobody knows */
	json_decref(json);
}

static void every_state_of_a_peer(void **state)
{
	static const struct { struct cl_peer_facts peer; const char *word; } rows[] = {
		{ { .alive = true }, "slave" },
		{ { .alive = true, .fresh = true }, "slave, empty" },
		{ { .alive = true, .master = true }, "master" },
		{ { .alive = true, .master = true, .leaving = true }, "leaving" },
		{ { .alive = false, .master = true }, "silent" },
		{ { .alive = true, .refused = true }, "refused" },
		{ { .unsealed = true }, "no ping yet" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		world->cluster.peer[0] = rows[i].peer;
		json_t *json = ask_json("show cluster json");

		assert_string_equal(word_of(json_array_get(json_object_get(json, "peers"), 0), "state"), rows[i].word);
		json_decref(json);
	}
}

static void a_slave_without_a_master(void **state)
{
	json_t *json;

	(void)state;
	world->cluster.cl.status = (struct cl_status){ .role = CL_ROLE_SLAVE, .frozen = true };
	memset(world->cluster.known, 0, sizeof(world->cluster.known));
	json = ask_json("show cluster json");
	assert_true(json_is_null(json_object_get(json, "master")));
	assert_true(yes_of(json, "frozen"));
	assert_int_equal(json_array_size(json_object_get(json, "peers")), 0);
	json_decref(json);
}

static void the_largest_cluster_fits(void **state)
{
	json_t *json;

	(void)state;
	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++) {
		world->cluster.known[slot] = true;
		world->cluster.peer[slot] = (struct cl_peer_facts){
			.node = { UINT16_MAX }, .address = { { 0x20, 1, 0xd, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
							       0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
			.age_ms = UINT64_MAX, .silent_ms = UINT32_MAX, .join_no = UINT32_MAX, .sessions = UINT32_MAX,
			.round_trip_us = UINT32_MAX, .late_max_us = UINT32_MAX, .have = version_of(7, 0),
		};
	}
	json = ask_json("show cluster json");
	assert_int_equal(json_array_size(json_object_get(json, "peers")), CLUSTER_NODES_MAX);
	json_decref(json);
	assert_int_equal(ask("show cluster"), CTL_OK);
}

static void alone(void **state)
{
	json_t *json;

	(void)state;
	world->clustered = false;
	json = ask_json("show cluster json");
	assert_string_equal(word_of(json, "role"), "alone");
	assert_false(yes_of(json, "frozen"));
	json_decref(json);
	assert_int_equal(ask("show cluster"), CTL_OK);
	assert_non_null(strstr(answer, "cluster_interface"));
	static const char *const lines[] = {
		"cluster handover", "cluster stop", "cluster force-master", "cluster force-master 11", "cluster resync",
		"cluster key reload", "cluster key rotate",
	};

	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		assert_int_equal(ask(lines[i]), CTL_REFUSED);
		assert_string_equal(answer, "this node is in no cluster\n");
		assert_int_equal(ask_as(lines[i], false), CTL_NOT_ENABLED);
	}
	assert_string_equal(world->done, "");
	assert_int_equal(ask("show metrics"), CTL_OK);
	assert_null(strstr(answer, "l2tpns_cluster_"));
}

static void counted(void **state)
{
	json_t *json;

	(void)state;
	assert_int_equal(ask("show metrics"), CTL_OK);
	assert_non_null(strstr(answer, "\n# TYPE l2tpns_cluster_master gauge\nl2tpns_cluster_master 1\n"));
	assert_non_null(strstr(answer, "\nl2tpns_cluster_frozen 0\n"));
	assert_non_null(strstr(answer, "\nl2tpns_cluster_peers 2\n"));
	assert_non_null(strstr(answer, "\nl2tpns_cluster_packets_waiting 5\n"));
	assert_non_null(strstr(answer, "\nl2tpns_cluster_received_total 1000\n"));
	assert_non_null(strstr(answer, "\nl2tpns_refused_total{reason=\"CL_TAG\"} 3\n"));
	json = ask_json("show counters json");
	assert_int_equal(number_of(json, "cluster_sent"), 1000 + CL_STAT_sent);
	assert_int_equal(number_of(json, "cluster_term"), 7);
	assert_int_equal(number_of(json_object_get(json, "refused"), "CL_TAG"), 3);
	json_decref(json);

	assert_int_equal(ask("clear counters"), CTL_OK);
	world->cluster.stat[CL_STAT_sent] += 4;
	world->cluster.refused[WHY_CL_TAG]++;
	json = ask_json("show counters json");
	assert_int_equal(number_of(json, "cluster_sent"), 4);
	assert_int_equal(number_of(json, "cluster_received"), 0);
	assert_int_equal(number_of(json, "cluster_term"), 7);
	assert_int_equal(number_of(json_object_get(json, "refused"), "CL_TAG"), 1);
	json_decref(json);
	assert_int_equal(ask("show metrics"), CTL_OK);		/* never go back */
	assert_non_null(strstr(answer, "\nl2tpns_refused_total{reason=\"CL_TAG\"} 4\n"));
	memset(world->facts.cluster_base, 0, sizeof(world->facts.cluster_base));
	memset(world->facts.why_base, 0, sizeof(world->facts.why_base));
}

/* ---- asked ---- */

static void handover_ends_as_it_is_answered(void **state)
{
	(void)state;
	world->answered_at = 4;
	assert_int_equal(ask("cluster handover 12"), CTL_OK);
	assert_string_equal(world->done, "verb 2 node 12");
	assert_string_equal(answer, "node 12 is master of term 8\n");
	assert_int_equal(waits, 4);
	assert_int_equal(ask("cl ha"), CTL_OK);			/* to whoever is best */
	assert_string_equal(world->done, "verb 2 node 0");
	world->answer = (struct cluster_answer){ .ok = false, .words = "node 12 is not up to date" };
	assert_int_equal(ask("cluster handover 12"), CTL_REFUSED);
	assert_string_equal(answer, "node 12 is not up to date\n");
	assert_int_equal(ask("cluster resync"), CTL_REFUSED);
	assert_string_equal(world->done, "verb 4 node 0");
}

static void no_answer(void **state)
{
	struct mono began = world->stage->now;

	(void)state;
	assert_int_equal(ask("cluster handover"), CTL_REFUSED);
	assert_string_equal(answer, "no answer within 8 seconds\n");
	assert_true(dur_ms(mono_since(world->stage->now, began)) >= 8000);
	assert_true(dur_ms(mono_since(world->stage->now, began)) <= 8400);
}

static void not_a_node(void **state)
{
	static const char *const words[] = { "0", "65535", "x", "-1", "12x", "99999999999", "\"\"" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "cluster handover %s", words[i]);
		assert_int_equal(ask(line), CTL_UNKNOWN);
	}
	assert_int_equal(ask("cluster handover 12 13"), CTL_UNKNOWN);
	assert_string_equal(world->done, "");
}

/* One object, although the first slices had nothing to say. */
static void json_after_waiting(void **state)
{
	(void)state;
	for (unsigned ok = 0; ok < 2; ok++) {
		json_t *json;

		world->answered_at = 3;
		world->answer.ok = ok;
		assert_int_equal(ask_in("cluster handover 12", true, OUT_JSON), ok ? CTL_OK : CTL_REFUSED);
		assert_int_equal(waits, 3);
		json = json_loadb(answer, answer_len, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(json);
		assert_string_equal(word_of(json, "message"), "node 12 is master of term 8");
		assert_int_equal(json_object_size(json), 1);
		json_decref(json);
	}
}

/* Nothing is done until this very node's number was typed; the refusal says what would be given up, and the words. */
static void force_must_be_meant(void **state)
{
	static const char *const lines[] = {
		"cluster force-master", "cluster force-master 12", "cluster force-master yes", "cluster force-master 0",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		assert_int_equal(ask(lines[i]), CTL_REFUSED);
		assert_string_equal(answer, "not done: this node has the changes up to 7.120; node 14, silent for "
				    "31 s, had 6.900. If every other node is off, or may lose what it did, type: "
				    "cluster force-master 11\n");
	}
	assert_string_equal(world->done, "");
	world->answered_at = 1;
	assert_int_equal(ask("cluster force-master 11"), CTL_OK);
	assert_string_equal(world->done, "verb 3 node 0");
	world->cluster.known[6] = false;
	assert_int_equal(ask("cluster force-master"), CTL_REFUSED);
	assert_null(strstr(answer, "silent"));
}

/* `cluster stop` never disconnects anybody; `shutdown` says whether it does. */
static void stop_hands_over(void **state)
{
	char line[160];

	(void)state;
	assert_int_equal(ask("cluster stop"), CTL_OK);
	assert_string_equal(world->done, "shutdown");
	assert_int_equal(ask("shutdown"), CTL_OK);
	assert_string_equal(answer, "shutting down: the other nodes go on with the sessions\n");
	world->done[0] = '\0';
	world->cluster.peer[0].leaving = true;
	world->cluster.peer[3].alive = false;
	assert_int_equal(ask("cluster stop"), CTL_REFUSED);
	(void)snprintf(line, sizeof(line), "not done: no other node is there to go on with %u sessions; shutdown ends "
		       "them\n", SESSIONS);
	assert_string_equal(answer, line);
	assert_string_equal(world->done, "");
	assert_int_equal(ask("shutdown"), CTL_OK);
	assert_string_equal(answer, "shutting down: tunnels are being closed\n");
}

static void keys(void **state)
{
	(void)state;
	assert_int_equal(ask("cluster key reload"), CTL_OK);
	assert_string_equal(world->done, "reload");
	assert_string_equal(answer, "packets are sealed with key 2\n");
	assert_int_equal(ask("cl k ro"), CTL_OK);
	assert_string_equal(world->done, "rotate");
	world->refuses = true;
	assert_int_equal(ask("cluster key rotate"), CTL_REFUSED);
	assert_string_equal(answer, "cluster.key:2: no key\n");
}

/* ---- what other nodes forwarded ---- */

static struct row reported;

static void other_counts(void *ctx, struct row row, struct share *share)
{
	(void)ctx;
	*share = (struct share){ 0 };
	if (row_eq(row, reported))
		*share = (struct share){ .up_packets = 10, .up_octets = 1000, .down_packets = 20, .down_octets = 50000,
					 .up_s = (uint32_t)(world->stage->now.us / 1000000) - 7 };
}

static void another_node_reports(struct row row)
{
	static struct shares other;
	static uint8_t memory[2][16u << 20];
	uint8_t octets[SHARES_REPORT_MAX];
	struct wr w = wr_of(octets, sizeof(octets));
	uint32_t at = 0;

	for (unsigned i = 0; i < 2; i++) {
		struct arena arena = { .start = memory[i], .room = sizeof(memory[i]) };

		memset(memory[i], 0, sizeof(memory[i]));
		shares_init(i ? &other : &shares, lns_rows_end(world->stage->lns), i + 1, &arena);
	}
	reported = row;
	shares_report(&other, world->stage->lns, other_counts, NULL, world->stage->now, &at, UINT32_MAX, false, &w);
	assert_int_equal(shares_received(&shares, 5, wr_bytes_of(&w), world->stage->now), WHY_OK);
}

static void traffic_of_all_nodes(void **state)
{
	struct row row = row_of("user7");
	json_t *json, *session, *traffic;

	(void)state;
	stage_pass(world->stage, DUR_S(100));
	world->usage[row.n] = (struct plane_usage){ 1, 64, 2, 30000,
						    .up_heard = { world->stage->now.us - 90 * UINT64_C(1000000) } };
	another_node_reports(row);
	json = ask_json("show session user7 json");
	traffic = json_object_get(json_array_get(json_object_get(json, "sessions"), 0), "traffic");
	assert_int_equal(number_of(traffic, "down_octets"), 30000);	/* alone: what we counted */
	assert_int_equal(number_of(traffic, "idle_s"), 90);
	json_decref(json);

	world->facts.shares = &shares;
	json = ask_json("show users user7 json");
	session = json_array_get(json_object_get(json, "sessions"), 0);
	traffic = json_object_get(session, "traffic");
	assert_int_equal(number_of(traffic, "up_packets"), 11);
	assert_int_equal(number_of(traffic, "up_octets"), 1064);
	assert_int_equal(number_of(traffic, "down_packets"), 22);
	assert_int_equal(number_of(traffic, "down_octets"), 80000);
	assert_in_range(number_of(traffic, "idle_s"), 7, 8);
	json_decref(json);

	json = ask_json("show session json");
	size_t i;
	unsigned found = 0;

	json_array_foreach(json_object_get(json, "sessions"), i, session) {
		bool it = number_of(session, "sid") == row.n;

		found += it;
		assert_int_equal(number_of(session, "down_octets"), it ? 80000 : 0);
	}
	assert_int_equal(found, 1);
	json_decref(json);
	world->usage[row.n].up_heard = world->stage->now;		/* the later of both counts */
	json = ask_json("show session user7 json");
	traffic = json_object_get(json_array_get(json_object_get(json, "sessions"), 0), "traffic");
	assert_int_equal(number_of(traffic, "idle_s"), 0);
	json_decref(json);
	world->usage[row.n] = (struct plane_usage){ 0 };
}

/* The busiest are those that are busy anywhere; what was counted for the row's former session is not theirs. */
static void busiest_of_all_nodes(void **state)
{
	struct row row = row_of("user8");
	json_t *json, *top;

	(void)state;
	world->facts.shares = &shares;
	another_node_reports(row_of("user7"));
	json_decref(ask_json("show top json"));
	stage_pass(world->stage, DUR_S(1));
	another_node_reports(row);
	json = ask_json("show top json");
	top = json_object_get(json, "top");
	assert_int_equal(json_array_size(top), 1);
	assert_string_equal(word_of(json_array_get(top, 0), "user"), "user8");
	assert_int_equal(number_of(json_array_get(top, 0), "down_bps"), 8 * 50000);
	json_decref(json);

	for (uint32_t k = 0; k < shares.rows * (SHARES_SLOTS + 2); k++)
		shares.share[k].serial += shares.share[k].serial != 0;
	json = ask_json("show session user8 json");
	assert_int_equal(number_of(json_object_get(json_array_get(json_object_get(json, "sessions"), 0), "traffic"),
				   "down_octets"), 0);
	json_decref(json);
}

static int alone_again(void **state)
{
	(void)state;
	world->facts.shares = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(as_text, cluster_begin),
		cmocka_unit_test_setup(as_json, cluster_begin),
		cmocka_unit_test_setup(every_state_of_a_peer, cluster_begin),
		cmocka_unit_test_setup(a_slave_without_a_master, cluster_begin),
		cmocka_unit_test_setup(the_largest_cluster_fits, cluster_begin),
		cmocka_unit_test_setup(alone, cluster_begin),
		cmocka_unit_test_setup(counted, cluster_begin),
		cmocka_unit_test_setup(handover_ends_as_it_is_answered, cluster_begin),
		cmocka_unit_test_setup(no_answer, cluster_begin),
		cmocka_unit_test_setup(not_a_node, cluster_begin),
		cmocka_unit_test_setup(json_after_waiting, cluster_begin),
		cmocka_unit_test_setup(force_must_be_meant, cluster_begin),
		cmocka_unit_test_setup(stop_hands_over, cluster_begin),
		cmocka_unit_test_setup(keys, cluster_begin),
		cmocka_unit_test_setup_teardown(traffic_of_all_nodes, cluster_begin, alone_again),
		cmocka_unit_test_setup_teardown(busiest_of_all_nodes, cluster_begin, alone_again),
	};

	return cmocka_run_group_tests(tests, world_begin, world_end);
}
