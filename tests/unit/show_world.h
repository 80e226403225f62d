/*
 * show_world.h -- facts for commands to show: a real control plane with subscribers dialled in, a data plane
 * whose counters the test sets, and hands that note what they were asked to do.
 *
 * ask() carries out a whole command, slice by slice, and checks what every slice has to keep to.
 */
#ifndef TESTS_SHOW_WORLD_H
#define TESTS_SHOW_WORLD_H

#pragma GCC diagnostic ignored "-Wunused-function"
#include "tests/unit/lns_stage.h"

#include <jansson.h>

#include "l2tpns/cli/match.h"

#define SESSIONS	6000u
#define ANNS		200u		/* of them are one user's */

struct world {
	struct stage	*stage;
	struct facts	 facts;
	struct plane	 plane;
	struct plane_usage usage[2 * SESSIONS];
	uint32_t	 usages, usage_reads;
	unsigned	 dropped, tunnels_dropped;
	char		 done[128];
	bool		 refuses;
	struct cluster_facts cluster;
	bool		 clustered;
	unsigned	 asks;			/* times the answer to a wish was looked for */
	unsigned	 answered_at;		/* it comes with this look; 0: never */
	struct cluster_answer answer;
};

static struct world *world;
static char buffer[OUT_ROOM], answer[4u << 20];
static size_t answer_len;
static unsigned slices, waits;

static void plane_usage_read(const struct plane *plane, struct row row, struct plane_usage *usage)
{
	(void)plane;
	world->usage_reads++;
	*usage = world->usage[row.n];
}

static uint64_t plane_refused(const struct plane *plane, enum why why)
{
	(void)plane;
	return why == WHY_DATA_SOURCE ? 7 : 0;
}

static void hand_clock(void *ctx, struct mono *now, uint64_t *unix_us)
{
	(void)ctx;
	*now = world->stage->now;
	*unix_us = UINT64_C(1772362800000000);
}

static bool hand_session_drop(void *ctx, struct row row)
{
	bool dropped = lns_drop_session(world->stage->lns, row, world->stage->now, &world->stage->out);

	(void)ctx;
	stage_done(world->stage);
	world->dropped += dropped;
	return dropped;
}

static bool hand_tunnel_drop(void *ctx, struct tid tid)
{
	(void)ctx, (void)tid;
	world->tunnels_dropped++;
	return true;
}

static void hand_shutdown(void *ctx)
{
	(void)ctx;
	strcpy(world->done, "shutdown");
}

static bool hand_plain(void *ctx, char message[FACTS_MESSAGE_MAX])
{
	(void)ctx;
	strcpy(message, world->refuses ? "disk full" : "");
	return !world->refuses;
}

static bool hand_option_set(void *ctx, const char *name, const char *value, char message[FACTS_MESSAGE_MAX])
{
	(void)ctx, (void)message;
	(void)snprintf(world->done, sizeof(world->done), "%s=%s", name, value);
	return true;
}

static bool hand_config_line(void *ctx, unsigned number, bool all, bool secrets, char line[FACTS_LINE_MAX])
{
	(void)ctx;
	if (number >= (all ? 3000u : 2u))
		return false;
	if (number)
		(void)snprintf(line, FACTS_LINE_MAX, "set option_%u value", number);
	else
		(void)snprintf(line, FACTS_LINE_MAX, "set l2tp_secret %s", secrets ? "hunter2" : "****");
	return true;
}

static unsigned hand_workers(void *ctx)
{
	(void)ctx;
	return 2;
}

static void hand_worker(void *ctx, unsigned number, struct worker_facts *worker)
{
	uint64_t s = world->stage->now.us / 1000000;

	(void)ctx;
	*worker = (struct worker_facts){ .totals = { s * 10, s * 1000, s * 20, s * 5000 }, .batches = number };
}

static void hand_load(void *ctx, unsigned load[3])
{
	(void)ctx;
	load[0] = 105;
}

static bool hand_log_line(void *ctx, uint64_t *at, unsigned classes, uint64_t *lost, char line[FACTS_LINE_MAX])
{
	(void)ctx, (void)classes, (void)lost;
	if (*at >= 3)
		return false;
	(void)snprintf(line, FACTS_LINE_MAX, "line %u", (unsigned)(*at)++);
	return true;
}

static uint64_t hand_log_end(void *ctx)
{
	(void)ctx;
	return 1;
}

static const struct cluster_facts *hand_cluster(void *ctx)
{
	(void)ctx;
	return world->clustered ? &world->cluster : NULL;
}

static uint32_t hand_cluster_ask(void *ctx, enum cl_verb verb, struct node_id node)
{
	(void)ctx;
	(void)snprintf(world->done, sizeof(world->done), "verb %d node %u", verb, node.n);
	world->asks = 0;
	return 77;
}

static bool hand_cluster_answer(void *ctx, uint32_t number, struct cluster_answer *given)
{
	(void)ctx;
	assert_int_equal(number, 77);
	*given = world->answer;
	return ++world->asks == world->answered_at;
}

static bool hand_cluster_keys(void *ctx, bool rotate, char message[FACTS_MESSAGE_MAX])
{
	(void)ctx;
	strcpy(world->done, rotate ? "rotate" : "reload");
	strcpy(message, world->refuses ? "cluster.key:2: no key" : "packets are sealed with key 2");
	return !world->refuses;
}

static const struct facts_ops hands = {
	.clock = hand_clock, .session_drop = hand_session_drop, .tunnel_drop = hand_tunnel_drop,
	.shutdown = hand_shutdown, .reload = hand_plain, .memory_write = hand_plain, .option_set = hand_option_set,
	.config_line = hand_config_line, .workers = hand_workers, .worker = hand_worker, .load = hand_load,
	.log_line = hand_log_line, .log_end = hand_log_end, .cluster = hand_cluster, .cluster_ask = hand_cluster_ask,
	.cluster_answer = hand_cluster_answer, .cluster_keys = hand_cluster_keys,
};

static int world_begin(void **state)
{
	static const struct plane_ops plane_ops = { .usage = plane_usage_read, .refused = plane_refused };
	struct stage_lac lac[2] = {
		{ .addr = stage_addr(0xc0000201), .tid = 1 }, { .addr = stage_addr(0xc0000202), .tid = 2 },
	};
	uint32_t address;

	(void)state;
	world = calloc(1, sizeof(*world));
	assert_non_null(world);
	world->stage = stage_new(SESSIONS + 100, 8);
	stage_begin(world->stage);
	world->plane.ops = &plane_ops;
	world->facts = (struct facts){
		.lns = world->stage->lns, .plane = &world->plane, .version = "9.9", .host = "lns1", .ops = &hands,
		.started = world->stage->now,
	};
	for (unsigned i = 0; i < 2; i++)
		lac_open(world->stage, &lac[i]);
	for (unsigned i = 0; i < SESSIONS; i++) {
		char user[16] = "ann";

		if (i % (SESSIONS / ANNS))
			(void)snprintf(user, sizeof(user), "user%u", i);
		(void)lac_dial(world->stage, &lac[i % 2], (uint16_t)(i + 1), user, &address);
		stage_flush(world->stage);
	}
	stage_pass(world->stage, DUR_S(100));
	return 0;
}

static int world_end(void **state)
{
	(void)state;
	stage_end(world->stage);
	free(world);
	return 0;
}

/* Carry a whole command out; returns its status. */
static enum ctl_status ask_in(const char *line, bool enabled, enum out_form form)
{
	static struct command_run run;
	enum command_step step;
	bool decided = false;

	answer_len = 0;
	slices = waits = 0;
	assert_true(typed_split(&run.typed, bytes_str(line)));
	memset(run.number, 0xff, sizeof(run.number));
	command_begin(&run, &world->facts, form, COMMAND_EVERYWHERE, enabled, buffer, sizeof(buffer));
	enum ctl_status status = run.status;

	do {
		uint32_t reads = world->usage_reads;

		out_drained(&run.out);
		step = command_step(&run);
		slices++;
		if (!decided)
			status = run.status;
		decided = run.begun;
		assert_true(decided || (step == COMMAND_WAIT && run.out.len == 0));
		assert_int_equal(run.status, status);		/* decided in the first slice that does not wait */
		assert_false(run.out.cut);
		assert_true(run.out.len <= OUT_SLICE + OUT_OBJECT_MAX);
		assert_true(world->usage_reads - reads <= COMMAND_LOOK);
		assert_true(answer_len + run.out.len < sizeof(answer));
		memcpy(answer + answer_len, buffer, run.out.len);
		answer_len += run.out.len;
		if (step == COMMAND_WAIT && ++waits > 60)
			break;
		if (step == COMMAND_WAIT)
			stage_pass(world->stage, DUR_MS(COMMAND_WAIT_MS));
	} while (step != COMMAND_DONE);
	answer[answer_len] = '\0';
	return status;
}

/* As text, unless it says json. */
static enum ctl_status ask_as(const char *line, bool enabled)
{
	return ask_in(line, enabled, OUT_TEXT);
}

static enum ctl_status ask(const char *line)
{
	return ask_as(line, true);
}

static json_t *ask_json(const char *line)
{
	json_error_t error;
	json_t *json;

	assert_int_equal(ask(line), CTL_OK);
	json = json_loadb(answer, answer_len, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		fail_msg("%s: %s: %.300s", line, error.text, answer);
	return json;
}

static int64_t number_of(const json_t *object, const char *name)
{
	const json_t *number = json_object_get(object, name);

	assert_true(json_is_integer(number));
	return json_integer_value(number);
}

static unsigned lines_of(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static struct row row_of(const char *user)
{
	struct row row = lns_user_first(world->stage->lns, bytes_str(user));

	assert_int_not_equal(row.n, 0);
	return row;
}

#endif
