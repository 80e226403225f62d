/*
 * Goal: what is fed to the machine is kept in order, dumped, read back, and played again to the same end.
 * Method: nodes on a network in memory leave traces by living; some entries are made by hand.
 */
#include "tests/unit/cl_settled.h"

#include <time.h>

#include "cluster/trace.h"

#define DUMP_MAX	(4u * 1024 * 1024)

struct dump { uint8_t *octets; size_t len; };

static void grow(void *ctx, const void *octets, size_t len)
{
	struct dump *dump = ctx;

	assert_true(dump->len + len <= DUMP_MAX);
	memcpy(dump->octets + dump->len, octets, len);
	dump->len += len;
}

static struct dump dumped(const struct cl *cl)
{
	struct dump dump = { .octets = malloc(DUMP_MAX) };

	assert_non_null(dump.octets);
	size_t len = cl_trace_dump(cl, grow, &dump);

	assert_int_equal(len, dump.len);
	return dump;
}

static struct rd begun(const struct dump *dump, struct cl_trace_head *head)
{
	struct rd r = rd_of(dump->octets, dump->len);
	struct bytes version;

	assert_null(cl_trace_read(&r, head, &version));
	assert_memory_equal(version.p, "l2tpns cluster trace 1 ", 23);
	return r;
}

/* ---- the ring ---- */

static void in_order(void **state)
{
	static const uint8_t kinds[] = { CL_TRACE_TICK, CL_TRACE_HEALTHY, CL_TRACE_CHANGE, CL_TRACE_TOUCH,
		CL_TRACE_FORWARD, CL_TRACE_BYTES, CL_TRACE_COMMAND, CL_TRACE_PAUSED, CL_TRACE_CONFIGURED,
		CL_TRACE_LEAVING };
	struct world *world = world_new(1, true);
	struct cl_trace_head head;
	struct cl_trace_entry entry;
	struct bytes octets;
	unsigned n = 0;

	(void)state;
	world_start(world, 0);
	struct cl *cl = world->node[0].cl;
	struct mono now = world_now(world, 0);

	cl_tick(cl, now, &world->out);
	cl_healthy(cl, true);
	assert_int_equal(cl_change(cl, 7, bytes_str("abc")), CL_NOT_MASTER);
	assert_int_equal(cl_touch(cl, 8), CL_NOT_MASTER);
	cl_forward(cl, 3, 1, (struct addr){ world_address(1), 9 }, world_address(0), bytes_str("packet"), now,
		   &world->out);
	cl_bytes(cl, bytes_str("12345"), now, &world->out);
	cl_command(cl, CL_VERB_HANDOVER, world_id(1), 77, now, &world->out);
	cl_paused(cl, DUR_MS(5), now);
	cl_configured(cl, &world->node[0].conf, now);
	cl_leaving(cl, now, &world->out);
	struct dump dump = dumped(cl);
	struct rd r = begun(&dump, &head);

	assert_int_equal(head.lost, 0);
	assert_int_equal(head.conf.self.n, 1);
	for (; cl_trace_next(&r, &entry, &octets); n++) {
		assert_in_range(n, 0, ARRAY_LEN(kinds) - 1);
		assert_int_equal(entry.kind, kinds[n]);
		assert_int_equal(entry.now.us, now.us);
		if (entry.kind == CL_TRACE_CHANGE)
			assert_true(entry.number == 7 && entry.len == 3 && entry.kept == 0 &&
				    entry.result == CL_NOT_MASTER);
		if (entry.kind == CL_TRACE_FORWARD)
			assert_true(entry.flag == 3 && entry.hops == 1 && entry.len == 6 && entry.from.port == 9);
		if (entry.kind == CL_TRACE_COMMAND)
			assert_true(entry.flag == CL_VERB_HANDOVER && entry.node.n == 2 && entry.number == 77);
		if (entry.kind == CL_TRACE_CONFIGURED)
			assert_memory_equal(octets.p, &world->node[0].conf, sizeof(struct cl_conf));
	}
	assert_true(rd_done(&r));
	assert_int_equal(n, ARRAY_LEN(kinds));
	free(dump.octets);
	world_free(world);
}

/* The oldest entries give way to the newest; the numbers say how many are gone. */
static void entries_wrap(void **state)
{
	struct world *world = world_new(1, true);
	struct cl_trace_head head;
	struct cl_trace_entry entry;
	struct bytes octets;
	uint64_t n = 0;

	(void)state;
	world_start(world, 0);
	struct cl *cl = world->node[0].cl;

	for (uint64_t i = 1; i <= 3 * CL_TRACE_ENTRIES + 5; i++)
		cl_paused(cl, DUR_US(i), (struct mono){ i });
	struct dump dump = dumped(cl);
	struct rd r = begun(&dump, &head);

	assert_int_equal(head.lost, 2 * CL_TRACE_ENTRIES + 5);
	while (cl_trace_next(&r, &entry, &octets)) {
		n++;
		assert_int_equal(entry.value, head.lost + n);
	}
	assert_true(rd_done(&r));
	assert_int_equal(n, CL_TRACE_ENTRIES);
	free(dump.octets);
	world_free(world);
}

/* Octets of all lengths, more than the ring holds: what is left is whole, and is the latest. */
static void octets_wrap(void **state)
{
	struct world *world = world_new(1, true);
	struct cl_trace_head head;
	struct cl_trace_entry entry;
	uint8_t pattern[CL_PLAIN_MAX + 100];
	struct bytes octets;
	uint64_t kept = 0, next = 0;

	(void)state;
	world_start(world, 0);
	struct cl *cl = world->node[0].cl;

	for (uint32_t i = 1; i <= 3000; i++) {
		struct cl_trace_entry made = { .kind = CL_TRACE_CONFIGURED, .now = { i }, .number = i };

		memset(pattern, (int)(i % 251), sizeof(pattern));
		cl_trace_begin(cl, &made, bytes_of(pattern, i * 7 % sizeof(pattern)));
		cl_trace_end(cl, 0);
	}
	struct dump dump = dumped(cl);
	struct rd r = begun(&dump, &head);

	for (next = head.lost + 1; cl_trace_next(&r, &entry, &octets); next++) {
		uint32_t len = entry.number * 7 % (uint32_t)sizeof(pattern);

		assert_int_equal(entry.number, next);
		assert_int_equal(entry.len, len);
		assert_int_equal(octets.len, min_u32(len, CL_PLAIN_MAX));
		for (uint32_t i = 0; i < octets.len; i++)
			assert_int_equal(octets.p[i], next % 251);
		kept += octets.len;
	}
	assert_true(rd_done(&r));
	assert_int_equal(next, 3001);
	assert_in_range(kept, CL_TRACE_OCTETS - CL_PLAIN_MAX, CL_TRACE_OCTETS);
	free(dump.octets);
	world_free(world);
}

/* A flood of rubbish leaves its first and its last datagram. */
static void refused_flood(void **state)
{
	struct world *world = world_new(1, true);
	struct cl_trace_head head;
	struct cl_trace_entry entry;
	struct bytes octets;
	uint64_t times[3] = { 0 };
	unsigned n = 0;

	(void)state;
	world_start(world, 0);
	struct cl *cl = world->node[0].cl;
	uint64_t now = world_now(world, 0).us;

	for (unsigned i = 0; i < 100; i++)
		(void)cl_received(cl, (struct addr){ world_address(1), 9 }, bytes_str("rubbish"),
				  (struct mono){ now + i }, &world->out);
	cl_healthy(cl, true);
	struct dump dump = dumped(cl);
	struct rd r = begun(&dump, &head);

	for (; cl_trace_next(&r, &entry, &octets) && n < 3; n++) {
		times[n] = entry.now.us;
		assert_int_equal(entry.kind, n < 2 ? CL_TRACE_REFUSED : CL_TRACE_HEALTHY);
	}
	assert_int_equal(n, 3);
	assert_true(times[0] == now && times[1] == now + 99 && times[2] == now + 99);
	free(dump.octets);
	world_free(world);
}

/* The entry in which an ASSERT failed is there, without an end; what it called is not another one. */
static void unfinished(void **state)
{
	struct world *world = world_new(1, true);
	struct cl_trace_head head;
	struct cl_trace_entry entry, made = { .kind = CL_TRACE_TICK, .now = { 5 } };
	struct bytes octets;

	(void)state;
	world_start(world, 0);
	cl_trace_begin(world->node[0].cl, &made, (struct bytes){ 0 });
	assert_int_equal(cl_touch(world->node[0].cl, 1), CL_NOT_MASTER);
	struct dump dump = dumped(world->node[0].cl);
	struct rd r = begun(&dump, &head);

	assert_true(cl_trace_next(&r, &entry, &octets));
	assert_int_equal(entry.kind, CL_TRACE_TICK);
	assert_int_equal(entry.result, CL_TRACE_NO_RESULT);
	assert_false(cl_trace_next(&r, &entry, &octets));
	assert_true(rd_done(&r));
	free(dump.octets);
	world_free(world);
}

/* ---- playing ---- */

struct player {
	void		*memory;
	struct cl	*cl;
	uint64_t	entries, differ;
	struct cl_trace_head head;
};

static struct player played(const struct dump *dump)
{
	static const struct seal_secret any[SEAL_SECRETS_MAX] = { { .id = 1 } };
	struct fx_list *out = malloc(sizeof(*out));
	struct player player = { 0 };
	struct cl_trace_entry entry;
	struct bytes octets;
	struct rd r = begun(dump, &player.head);
	struct arena arena = { .room = cl_size(&player.head.conf) };

	arena.start = player.memory = aligned_alloc(64, (arena.room + 63) & ~(size_t)63);
	assert_true(player.memory && out);
	memset(player.memory, 0, arena.room);
	player.cl = cl_init(&player.head.conf, any, player.head.sends, player.head.seed, player.head.started, &arena);
	while (cl_trace_next(&r, &entry, &octets)) {
		if (player.entries++ == 0)
			cl_play_begin(player.cl, &player.head, &entry);
		const struct cl_status status = cl_status(player.cl);

		player.differ += entry.have.n != player.cl->have.n || entry.term != status.term ||
				 entry.role != status.role;
		fx_clear(out);
		uint16_t result = cl_play(player.cl, &entry, octets, out);

		player.differ += entry.kind != CL_TRACE_REFUSED && result != entry.result;
	}
	assert_true(rd_done(&r));
	free(out);
	return player;
}

/* A master that is deposed must prove what it has: the player cannot, as a trace holds only hashes of its changes. */
static void same_role(struct world *world, unsigned i)
{
	struct dump dump = dumped(world->node[i].cl);
	struct player player = played(&dump);

	assert_int_equal(player.cl->status.role, world_status(world, i)->role);
	assert_int_equal(player.cl->status.term, world_status(world, i)->term);
	assert_int_equal(player.cl->status.master.n, world_status(world, i)->master.n);
	free(player.memory);
	free(dump.octets);
}

static void same_end(struct world *world, unsigned i)
{
	struct dump dump = dumped(world->node[i].cl);
	struct player player = played(&dump);
	const struct cl *was = world->node[i].cl, *is = player.cl;

	assert_int_equal(player.head.lost, 0);
	assert_true(player.entries > 50);
	assert_int_equal(player.differ, 0);
	assert_memory_equal(&is->status, &was->status, sizeof(is->status));
	assert_int_equal(is->have.n, was->have.n);
	assert_int_equal(is->base.n, was->base.n);
	assert_int_equal(is->committed.n, was->committed.n);
	assert_int_equal(is->records.live, was->records.live);
	assert_int_equal(is->promised, was->promised);
	assert_memory_equal(is->stat, was->stat, sizeof(is->stat));
	assert_string_equal(is->reason, was->reason);
	assert_true(mono_before(cl_next(is), MONO_NEVER) && cl_next(is).us == cl_next(was).us);
	free(player.memory);
	free(dump.octets);
}

/* A start, an election, changes, a death and another election: everybody's trace leads to where everybody is. */
static void plays_the_same(void **state)
{
	struct world *world = settled_world(3, true);
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "record %u of %u", i % 7, i / 9);
		assert_in_range(world_change(world, 0, i % 20, text), CL_CHANGED, CL_SAME);
		world_run(world, 10);
	}
	cl_forward(world->node[2].cl, 1, 0, (struct addr){ world_address(9), 1701 }, world_address(2),
		   bytes_str("a packet of a LAC"), world_now(world, 2), &world->out);
	world_carry_out(world, 2);
	for (unsigned i = 0; i < 3; i++)
		same_end(world, i);
	assert_int_equal(world->node[1].cl->records.live, 20);
	world_isolate(world, 0, true);
	world_run(world, 1500);
	assert_int_equal(world_master(world), 1);
	assert_int_equal(world_change(world, 1, 100, "of the next term"), CL_CHANGED);
	world_isolate(world, 0, false);
	world_run(world, 1500);
	same_role(world, 0);
	same_end(world, 1);
	same_end(world, 2);
	world_command(world, 2, CL_VERB_HANDOVER, 3, 5);
	world_run(world, 300);
	assert_int_equal(world_master(world), 2);
	same_role(world, 0);
	same_role(world, 1);
	same_end(world, 2);
	world_free(world);
}

/* The beginning is missing: the player stands where the ring begins, and follows the master it hears. */
static void plays_from_the_middle(void **state)
{
	struct world *world = settled_world(3, true);

	(void)state;
	world_run(world, 120000);
	struct dump dump = dumped(world->node[2].cl);
	struct player player = played(&dump);

	assert_true(player.head.lost > 0);
	assert_int_equal(player.cl->status.term, world_status(world, 2)->term);
	assert_int_equal(player.cl->status.master.n, world_status(world, 2)->master.n);
	assert_int_equal(player.cl->have.n, world->node[2].cl->have.n);
	free(player.memory);
	free(dump.octets);
	world_free(world);
}

/* A dump that breaks off says so, wherever that is; one of another build is not played. */
static void broken(void **state)
{
	struct world *world = settled_world(2, true);
	struct dump dump = dumped(world->node[1].cl);
	struct cl_trace_head head;
	struct cl_trace_entry entry;
	struct bytes version, octets;

	(void)state;
	for (size_t len = 0; len < dump.len; len += 1 + len / 50) {
		struct rd r = rd_of(dump.octets, len);
		const char *why = cl_trace_read(&r, &head, &version);

		while (!why && cl_trace_next(&r, &entry, &octets))
			;
		assert_true(why || !rd_ok(&r));
	}
	uint8_t *after = memchr(dump.octets, '\n', dump.len);

	after[1] ^= 1;
	struct rd r = rd_of(dump.octets, dump.len);

	assert_string_equal(cl_trace_read(&r, &head, &version), "the dump is of another build");
	free(dump.octets);
	world_free(world);
}

static void cost(void **state)
{
	struct world *world = world_new(1, true);
	struct cl_trace_entry entry = { .kind = CL_TRACE_REFUSED, .now = { 1 } };
	struct seal_opened opened = { .node = { 2 } };
	uint8_t message[300] = { 1 };
	struct timespec begin, end;

	(void)state;
	world_start(world, 0);
	opened.plain = bytes_of(message, sizeof(message));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned i = 0; i < 500000; i++) {
		cl_trace_begin(world->node[0].cl, &entry, (struct bytes){ 0 });
		cl_trace_opened(world->node[0].cl, SEAL_OPENED, &opened, (struct addr){ .port = 1 });
		cl_trace_end(world->node[0].cl, 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	double ns = ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) / 500000;

	print_message("a message of %zu octets costs %.0f ns\n", sizeof(message), ns);
	assert_true(ns < 5000);		/* whatever else runs here */
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(entries_wrap),
		cmocka_unit_test(octets_wrap),
		cmocka_unit_test(refused_flood),
		cmocka_unit_test(unfinished),
		cmocka_unit_test(plays_the_same),
		cmocka_unit_test(plays_from_the_middle),
		cmocka_unit_test(broken),
		cmocka_unit_test(cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
