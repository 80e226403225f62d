/*
 * Goal: commands show what the control plane and data plane hold, a slice at a time, and act on what was named.
 * Method: a real control plane with subscribers dialled in; a data plane whose counters the test sets; whole
 * answers are put together from slices and read back, as text and by jansson.
 */
#include "tests/unit/show_world.h"

static void every_session_once(void **state)
{
	static bool seen[2 * SESSIONS];
	json_t *json = ask_json("show session json"), *session;
	size_t i;

	(void)state;
	memset(seen, 0, sizeof(seen));
	assert_true(slices > 10);
	json_array_foreach(json_object_get(json, "sessions"), i, session) {
		int64_t sid = number_of(session, "sid");

		assert_true(sid > 0 && sid < 2 * SESSIONS && !seen[sid]);
		seen[sid] = true;
		assert_string_equal(json_string_value(json_object_get(session, "state")), "up");
		assert_string_equal(json_string_value(json_object_get(session, "calling")), "5551234");
		assert_int_equal(number_of(session, "uptime_s"), 100);
	}
	assert_int_equal(i, SESSIONS);
	json_decref(json);
	assert_int_equal(ask("show session"), CTL_OK);
	assert_int_equal(lines_of(answer), SESSIONS + 1);
	assert_int_equal(ask("show users"), CTL_OK);
	assert_int_equal(lines_of(answer), SESSIONS + 1);
}

static void one_session_three_ways(void **state)
{
	struct row row = row_of("user7");
	const struct session *session = lns_session(world->stage->lns, row);
	char line[64], text[IP_TEXT_MAX], by_id[4096];

	(void)state;
	world->usage[row.n] = (struct plane_usage){ 1, 64, 2, 30000, .up_heard = world->stage->now };
	(void)snprintf(line, sizeof(line), "show session %u", row.n);
	assert_int_equal(ask(line), CTL_OK);
	memcpy(by_id, answer, answer_len + 1);
	assert_non_null(strstr(by_id, "user:                   user7\n"));
	assert_non_null(strstr(by_id, "down:                 30.0kB (30000 octets)\n"));
	assert_non_null(strstr(by_id, "phase:                network\n"));
	assert_non_null(strstr(by_id, "lac:                  lac\n"));
	assert_non_null(strstr(by_id, "idle:                 0s\n"));
	(void)snprintf(line, sizeof(line), "show session %s", ip4_text(session->address, text));
	assert_int_equal(ask(line), CTL_OK);
	assert_string_equal(answer, by_id);
	assert_int_equal(ask("show session user7"), CTL_OK);
	assert_string_equal(answer, by_id);
	assert_int_equal(ask("show users user7"), CTL_OK);
	assert_string_equal(answer, by_id);
	world->usage[row.n] = (struct plane_usage){ 0 };
}

static void all_sessions_of_users(void **state)
{
	json_t *json = ask_json("show users ann user7 json");
	json_t *list = json_object_get(json, "sessions");

	(void)state;
	assert_int_equal(json_array_size(list), ANNS + 1);
	assert_true(slices > 5);
	for (unsigned i = 0; i < ANNS; i++)
		assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "user")), "ann");
	json_decref(json);
}

static void what_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(ask("show session 999999"), CTL_NO_OBJECT);
	assert_string_equal(answer, "no session 999999\n");
	assert_int_equal(ask("show session user7 nobody"), CTL_NO_OBJECT);
	assert_string_equal(answer, "no session nobody\n");
	assert_int_equal(ask("show users 7"), CTL_NO_OBJECT);	/* a number is a name here */
	assert_int_equal(ask("show tunnels 7"), CTL_NO_OBJECT);
	assert_int_equal(ask("drop tunnel 1 9"), CTL_NO_OBJECT);
	assert_int_equal(world->tunnels_dropped, 0);
	assert_int_equal(ask("drop session 1 99999"), CTL_NO_OBJECT);
	assert_int_equal(ask("drop user ann nobody"), CTL_NO_OBJECT);
	assert_int_equal(world->dropped, 0);
	assert_int_equal(ask("show sesion"), CTL_UNKNOWN);
	assert_int_equal(ask_as("reload", false), CTL_NOT_ENABLED);
}

static void tunnels(void **state)
{
	json_t *json = ask_json("show tunnels json"), *list = json_object_get(json, "tunnels");

	(void)state;
	assert_int_equal(json_array_size(list), 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(number_of(json_array_get(list, i), "sessions"), SESSIONS / 2);
		assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "lac")), "lac");
	}
	json_decref(json);
	json = ask_json("show tunnels 1 2 json");
	list = json_object_get(json, "tunnels");
	assert_int_equal(json_array_size(list), 2);
	assert_true(number_of(json_object_get(json_array_get(list, 0), "channel"), "peer_window") > 1);
	json_decref(json);
	assert_int_equal(ask("show tunnels all"), CTL_OK);
	assert_int_equal(lines_of(answer), 3);
	assert_int_equal(ask("drop tunnel 1 2"), CTL_OK);
	assert_int_equal(world->tunnels_dropped, 2);
}

static void pools(void **state)
{
	json_t *json = ask_json("show pool json");
	json_t *pool = json_array_get(json_object_get(json, "pools"), 0);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(pool, "pool")), "default");
	assert_int_equal(number_of(pool, "used"), SESSIONS);
	assert_int_equal(number_of(pool, "free") + number_of(pool, "used"), number_of(pool, "addresses"));
	assert_int_equal(json_array_size(json_object_get(json, "addresses")), SESSIONS);
	json_decref(json);
}

static void counters(void **state)
{
	json_t *json = ask_json("show counters json");

	(void)state;
	assert_int_equal(number_of(json, "sessions"), SESSIONS);
	assert_int_equal(number_of(json, "sessions_opened"), SESSIONS);
	assert_int_equal(number_of(json_object_get(json, "refused"), "DATA_SOURCE"), 7);
	assert_int_equal(json_object_size(json_object_get(json, "refused")), WHYS - 1);
	assert_true(number_of(json, "up_packets") > 0);
	assert_int_equal(json_object_size(json_object_get(json, "worker_up_packets")), 2);
	json_decref(json);

	assert_int_equal(ask("clear counters"), CTL_OK);
	json = ask_json("show counters json");
	assert_int_equal(number_of(json, "sessions"), SESSIONS);		/* that is not counted, it is so */
	assert_int_equal(number_of(json, "sessions_opened"), 0);
	assert_int_equal(number_of(json, "up_packets"), 0);
	assert_int_equal(number_of(json_object_get(json, "refused"), "DATA_SOURCE"), 0);
	assert_int_equal(number_of(json, "cleared_at"), 1772362800);
	json_decref(json);

	assert_int_equal(ask("show metrics"), CTL_OK);		/* never go back */
	assert_non_null(strstr(answer, "\nl2tpns_sessions_opened_total 6000\n"));
	assert_non_null(strstr(answer, "\nl2tpns_refused_total{reason=\"DATA_SOURCE\"} 7\n"));
	assert_non_null(strstr(answer, "\nl2tpns_worker_up_packets_total{worker=\"1\"} "));
	assert_non_null(strstr(answer, "\n# TYPE l2tpns_pool_used gauge\n"));
}

static void histograms(void **state)
{
	json_t *json = ask_json("show histogram open json"), *bucket;
	int64_t sum = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "open"), i, bucket)
		sum += number_of(bucket, "sessions");
	assert_int_equal(sum, SESSIONS);
	bucket = json_array_get(json_object_get(json, "open"), i - 1);
	assert_int_equal(number_of(bucket, "from_s"), 64);		/* open for 100 s or a little more */
	assert_int_equal(number_of(bucket, "sessions"), SESSIONS);
	json_decref(json);

	world->usage[row_of("user7").n].up_heard = world->stage->now;
	json = ask_json("show histogram idle json");
	bucket = json_array_get(json_object_get(json, "idle"), 0);
	assert_int_equal(number_of(bucket, "to_s"), 5);
	assert_int_equal(number_of(bucket, "sessions"), 1);
	json_decref(json);
	world->usage[row_of("user7").n] = (struct plane_usage){ 0 };
}

static void load_put(const char *user, uint64_t octets)
{
	struct plane_usage *usage = &world->usage[row_of(user).n];

	usage->down_octets += octets;
	usage->down_packets += octets / 1000;
	usage->up_octets += octets / 10;
}

static enum command_step until_not_more(struct command_run *run)
{
	enum command_step step;

	do {
		out_drained(&run->out);
		step = command_step(run);
		memcpy(answer + answer_len, buffer, run->out.len);
		answer_len += run->out.len;
	} while (step == COMMAND_MORE);
	return step;
}

/* A first `show top` waits for two readings; later ones need no pause and find who is busy now. */
static void busiest(void **state)
{
	static struct command_run run;
	json_t *json, *top;

	(void)state;
	assert_true(typed_split(&run.typed, bytes_str("show top json")));
	command_begin(&run, &world->facts, OUT_TEXT, COMMAND_EXEC, false, buffer, sizeof(buffer));
	answer_len = 0;
	assert_int_equal(until_not_more(&run), COMMAND_WAIT);	/* the first readings are done */
	for (unsigned i = 0; i < 40; i++) {
		char user[16];

		(void)snprintf(user, sizeof(user), "user%u", 1 + i * 31);
		if (i * 31 % 30 != 29)
			load_put(user, 100000 * (i + 1));
	}
	stage_pass(world->stage, DUR_S(1));
	assert_int_equal(until_not_more(&run), COMMAND_DONE);
	json = json_loadb(answer, answer_len, 0, NULL);
	top = json_object_get(json, "top");
	assert_int_equal(json_array_size(top), TOP_LIST);
	assert_string_equal(json_string_value(json_object_get(json_array_get(top, 0), "user")), "user1210");
	assert_int_equal(number_of(json_array_get(top, 0), "down_bps"), 8 * 4000000);
	assert_int_equal(number_of(json_array_get(top, 0), "up_bps"), 8 * 400000);
	assert_int_equal(number_of(json_array_get(top, 0), "down_pps"), 4000);
	json_decref(json);

	stage_pass(world->stage, DUR_S(1));
	load_put("user7", 1000);
	json = ask_json("show top json");
	assert_int_equal(waits, 0);
	top = json_object_get(json, "top");
	assert_int_equal(json_array_size(top), 1);		/* the others fell silent */
	assert_string_equal(json_string_value(json_object_get(json_array_get(top, 0), "user")), "user7");
	json_decref(json);
}

static void uptime(void **state)
{
	json_t *json;

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		facts_second(&world->facts);
		stage_pass(world->stage, DUR_S(1));
	}
	json = ask_json("uptime json");
	assert_int_equal(number_of(json, "up_pps"), 20);
	assert_int_equal(number_of(json, "down_bps"), 2 * 5000 * 8);
	assert_true(json_real_value(json_object_get(json, "load_1")) > 1.04);
	assert_int_equal(number_of(json, "time"), 1772362800);
	json_decref(json);
}

static void configuration(void **state)
{
	(void)state;
	assert_int_equal(ask_as("show running-config", false), CTL_NOT_ENABLED);
	assert_null(strstr(answer, "hunter2"));
	assert_int_equal(ask("show running-config"), CTL_OK);
	assert_string_equal(answer, "set l2tp_secret hunter2\nset option_1 value\n");
	assert_int_equal(ask("write terminal"), CTL_OK);
	assert_string_equal(answer, "set l2tp_secret hunter2\nset option_1 value\n");
	assert_int_equal(ask("show running-config all"), CTL_OK);
	assert_int_equal(lines_of(answer), 3000);
	assert_true(slices > 2);
}

static void changes(void **state)
{
	(void)state;
	assert_int_equal(ask("set hostname a b"), CTL_OK);
	assert_string_equal(world->done, "hostname=a b");
	assert_int_equal(ask("set hostname \"\""), CTL_OK);
	assert_string_equal(world->done, "hostname=");
	assert_int_equal(ask("write memory"), CTL_OK);
	assert_string_equal(answer, "configuration written\n");
	world->refuses = true;
	assert_int_equal(ask("write memory"), CTL_REFUSED);
	assert_string_equal(answer, "disk full\n");
	assert_int_equal(ask("reload"), CTL_REFUSED);
	world->refuses = false;
	assert_int_equal(ask("reload"), CTL_OK);
	assert_int_equal(ask("shutdown"), CTL_OK);
	assert_string_equal(world->done, "shutdown");
}

static void debug(void **state)
{
	(void)state;
	assert_int_equal(ask("debug nonsense"), CTL_UNKNOWN);
	assert_int_equal(ask("debug info,calls error"), CTL_OK);
	assert_string_equal(answer, "line 1\nline 2\n");		/* what came before is not shown */
	assert_true(waits > 20);
}

static void other_displays(void **state)
{
	(void)state;
	assert_int_equal(ask("show version"), CTL_OK);
	assert_non_null(strstr(answer, "9.9"));
	assert_int_equal(ask("show plugins"), CTL_OK);
	json_decref(ask_json("show plugins json"));
	json_decref(ask_json("show workers json"));
	assert_int_equal(ask("complete show ses"), CTL_OK);
	assert_string_equal(answer, "session\n");
	assert_int_equal(ask("help"), CTL_OK);
	assert_true(lines_of(answer) > 20);
}

/* Dropping sends packets, so it goes in slices; a session that is ending already is not dropped twice. */
static void drops(void **state)
{
	char line[64];

	(void)state;
	world->dropped = 0;
	assert_int_equal(ask("drop user ann"), CTL_OK);
	(void)snprintf(line, sizeof(line), "dropped sessions: %u\n", ANNS);
	assert_string_equal(answer, line);
	assert_int_equal(world->dropped, ANNS);
	assert_true(slices > 5);
	assert_int_equal(ask("drop user ann"), CTL_OK);
	assert_int_equal(world->dropped, ANNS);
	(void)snprintf(line, sizeof(line), "drop session %u %u", row_of("user7").n, row_of("user8").n);
	assert_int_equal(ask(line), CTL_OK);
	assert_string_equal(answer, "dropped sessions: 2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_session_once),
		cmocka_unit_test(one_session_three_ways),
		cmocka_unit_test(all_sessions_of_users),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(tunnels),
		cmocka_unit_test(pools),
		cmocka_unit_test(counters),
		cmocka_unit_test(histograms),
		cmocka_unit_test(busiest),
		cmocka_unit_test(uptime),
		cmocka_unit_test(configuration),
		cmocka_unit_test(changes),
		cmocka_unit_test(debug),
		cmocka_unit_test(other_displays),
		cmocka_unit_test(drops),
	};

	return cmocka_run_group_tests(tests, world_begin, world_end);
}
