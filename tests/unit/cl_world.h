/*
 * cl_world.h -- some nodes of a cluster in one process, and a network in memory between them.
 *
 * For unit tests of single requirements; the simulator in tests/sim/ is the place for storms.  Time moves
 * from event to event.  Datagrams take `delay_us` and arrive in order; what is lost is said by `lost`.
 * Node i has node id i + 1 and the address 10.0.0.(i + 1); its clock starts an odd number of seconds away
 * from the others'.
 */
#ifndef TESTS_CL_WORLD_H
#define TESTS_CL_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cluster/state.h"
#include "l2tpns/base/say.h"

#pragma GCC diagnostic ignored "-Wunused-function"

#define WORLD_NODES	32u
#define WORLD_FLIGHT	8192u
#define WORLD_LOG	16384u
#define WORLD_KEYS	4096u
#define WORLD_RECORDS	(4u * 1024 * 1024)

struct world;

struct world_node {
	bool		up;
	struct cl_conf	conf;
	struct cl	*cl;
	void		*memory;
	uint64_t	clock;			/* its time - the world's */
	uint64_t	asleep_until;		/* world time; what arrives meanwhile waits */
	uint64_t	sent, sent_multicast;	/* datagrams */
	unsigned	role_changes, masterships;
	struct cl_status told;			/* by the last FX_CL_ROLE */
	uint64_t	effects[FX_KINDS];
	struct { bool ok; uint32_t number; char text[160]; } done;	/* the last FX_CL_DONE */
	char		log[WORLD_LOG];		/* all lines */
	size_t		logged;
};

struct world_packet {
	uint64_t	at;
	unsigned	from, to;
	bool		multicast;
	uint32_t	len;
	uint8_t		*octets;
};

struct world {
	unsigned	nodes;
	uint64_t	now;			/* microseconds */
	uint32_t	delay_us;
	struct cl_conf	conf;			/* what every node gets, apart from its id and address */
	struct seal_secret secret[SEAL_SECRETS_MAX];
	struct world_node node[WORLD_NODES];
	struct world_packet flight[WORLD_FLIGHT];
	unsigned	flights;
	unsigned	boots;
	bool		cut[WORLD_NODES][WORLD_NODES];	/* [from][to] */
	bool		no_multicast;
	bool		(*lost)(struct world *world, unsigned from, unsigned to, bool multicast);
	/* called for records handed out, and for every other effect */
	void		(*apply)(struct world *world, unsigned i, const struct record *record);
	void		(*effect)(struct world *world, unsigned i, const struct fx *fx, const uint8_t *payload);
	void		(*stepped)(struct world *world, unsigned i);	/* after each entry at a node */
	uint64_t	dropped;
	struct fx_list	out;
};

static struct ip world_address(unsigned i)
{
	return ip_from4((struct ip4){ 0x0a000001u + i });
}

static struct node_id world_id(unsigned i)
{
	return (struct node_id){ (uint16_t)(i + 1) };
}

static struct mono world_now(const struct world *world, unsigned i)
{
	return (struct mono){ world->now + world->node[i].clock };
}

/* ---- the network ---- */

static void world_send(struct world *world, unsigned from, unsigned to, bool multicast, const uint8_t *octets,
		       uint32_t len)
{
	if (from == to || !world->node[to].up)
		return;
	if (world->cut[from][to] || (multicast && world->no_multicast) ||
	    (world->lost && world->lost(world, from, to, multicast))) {
		world->dropped++;
		return;
	}
	assert_true(world->flights < WORLD_FLIGHT);
	struct world_packet *p = &world->flight[world->flights++];

	*p = (struct world_packet){ .at = world->now + world->delay_us, .from = from, .to = to, .multicast = multicast,
				    .len = len, .octets = malloc(len) };
	assert_non_null(p->octets);
	memcpy(p->octets, octets, len);
}

static void world_sent(struct world *world, unsigned i, const struct fx *fx, const uint8_t *payload)
{
	struct fx_cl_send send;

	memcpy(&send, payload, sizeof(send));
	const uint8_t *octets = payload + sizeof(send);
	uint32_t len = fx->len - (uint32_t)sizeof(send);

	world->node[i].sent++;
	world->node[i].sent_multicast += ip_is_none(send.to);
	for (unsigned to = 0; to < world->nodes; to++)
		if (ip_is_none(send.to))
			world_send(world, i, to, true, octets, len);
		else if (ip_eq(send.to, world->node[to].conf.address))
			world_send(world, i, to, false, octets, len);
}

/* ---- effects ---- */

/* As the daemon's log would: %u, %a, %w and %s of say.h. */
static void world_logged(struct world_node *node, const struct fx *fx, const uint8_t *payload)
{
	struct fx_log log;
	unsigned arg = 0;

	memcpy(&log, payload, sizeof(log));
	for (const char *f = say_row((enum say)fx->id)->format; *f && node->logged + 300 < WORLD_LOG; f++) {
		char *at = node->log + node->logged;

		if (*f != '%') {
			*at = *f;
			node->logged++;
			continue;
		}
		f++;
		if (*f == 's')
			node->logged += (size_t)snprintf(at, 290, "%.*s", log.text_len,
							 (const char *)payload + sizeof(log));
		else if (*f == 'w')
			node->logged += (size_t)snprintf(at, 290, "%s", why_text((enum why)log.arg[arg++]));
		else
			node->logged += (size_t)snprintf(at, 290, "%u", log.arg[arg++]);
		assert_true(arg <= SAY_ARGS);
	}
	node->log[node->logged++] = '\n';
	node->log[node->logged] = 0;
}

static void world_apply(struct world *world, unsigned i)
{
	struct record record;

	while (cl_apply_next(world->node[i].cl, &record))
		if (world->apply)
			world->apply(world, i, &record);
}

static void world_role(struct world_node *node, const uint8_t *payload)
{
	struct fx_cl_role role;

	memcpy(&role, payload, sizeof(role));
	if (role.status.role != node->told.role || !node_eq(role.status.master, node->told.master))
		node->role_changes++;
	node->masterships += role.status.role == CL_ROLE_MASTER && node->told.role != CL_ROLE_MASTER;
	node->told = role.status;
}

static void world_did(struct world_node *node, const struct fx *fx, const uint8_t *payload)
{
	struct fx_cl_done done;

	memcpy(&done, payload, sizeof(done));
	node->done.ok = done.ok;
	node->done.number = fx->id;
	snprintf(node->done.text, sizeof(node->done.text), "%.*s", (int)(fx->len - sizeof(done)),
		 (const char *)payload + sizeof(done));
}

/* Carry out what the last entry at node i asked for. */
static void world_carry_out(struct world *world, unsigned i)
{
	struct world_node *node = &world->node[i];

	for (uint32_t n = 0; n < world->out.count; n++) {
		const struct fx *fx = &world->out.fx[n];
		const uint8_t *payload = fx_payload(&world->out, fx);

		node->effects[fx->kind]++;
		if (fx->kind == FX_CL_SEND)
			world_sent(world, i, fx, payload);
		else if (fx->kind == FX_LOG)
			world_logged(node, fx, payload);
		else if (fx->kind == FX_CL_ROLE)
			world_role(node, payload);
		else if (fx->kind == FX_CL_DONE)
			world_did(node, fx, payload);
		if (fx->kind == FX_CL_APPLY || fx->kind == FX_CL_ROLE)
			world_apply(world, i);
		if (world->effect)
			world->effect(world, i, fx, payload);
	}
	fx_clear(&world->out);
	if (world->stepped)
		world->stepped(world, i);
}

/* ---- nodes ---- */

/* Its memory is new: whatever it knew is gone. */
static void world_start(struct world *world, unsigned i)
{
	struct world_node *node = &world->node[i];
	uint8_t seed[RND_SEED_LEN] = { (uint8_t)i, (uint8_t)++world->boots, 0x5e };

	assert_false(node->up);
	node->conf = world->conf;
	node->conf.self = world_id(i);
	node->conf.address = world_address(i);
	node->clock = (i * 7919u + world->boots * 104729u + 1) * UINT64_C(1000003);
	size_t room = cl_size(&node->conf);
	struct arena arena = { .room = room };

	arena.start = node->memory = aligned_alloc(64, (room + 63) & ~(size_t)63);
	assert_non_null(node->memory);
	memset(node->memory, 0, room);
	node->cl = cl_init(&node->conf, world->secret, 1, seed, world_now(world, i), &arena);
	assert_non_null(node->cl);
	node->told = cl_status(node->cl);
	node->asleep_until = 0;
	node->up = true;
}

/* It dies without a word.  What is on its way to it is lost, what it sent is not. */
static void world_stop(struct world *world, unsigned i)
{
	assert_true(world->node[i].up);
	world->node[i].up = false;
	free(world->node[i].memory);
	world->node[i].memory = NULL;
	world->node[i].cl = NULL;
}

/* The process stands still; its clock does not. */
static void world_sleep(struct world *world, unsigned i, unsigned ms)
{
	world->node[i].asleep_until = world->now + ms * UINT64_C(1000);
}

static struct world *world_new(unsigned nodes, bool members)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->nodes = nodes;
	world->now = 1000000;
	world->delay_us = 200;
	world->conf = (struct cl_conf){
		.name = "test", .interval_ms = 100, .dead_ms = 500, .lease_ms = 400, .grant_ms = 450,
		.fresh_vote_after_ms = 10000, .commit = CL_COMMIT_QUORUM, .forward_wait_ms = 1000,
		.keys = WORLD_KEYS, .record_octets = WORLD_RECORDS,
	};
	world->conf.members = members ? nodes : 0;
	for (unsigned i = 0; i < world->conf.members; i++)
		world->conf.member[i] = world_address(i);
	world->secret[0].id = 1;
	memset(world->secret[0].octets, 0x42, SEAL_SECRET_LEN);
	return world;
}

static void world_start_all(struct world *world)
{
	for (unsigned i = 0; i < world->nodes; i++)
		world_start(world, i);
}

static void world_free(struct world *world)
{
	for (unsigned i = 0; i < world->nodes; i++)
		if (world->node[i].up)
			world_stop(world, i);
	for (unsigned n = 0; n < world->flights; n++)
		free(world->flight[n].octets);
	free(world);
}

/* ---- time ---- */

static uint64_t world_wake(const struct world *world, unsigned i)
{
	const struct world_node *node = &world->node[i];
	struct mono next = cl_next(node->cl);
	uint64_t at = next.us == UINT64_MAX ? UINT64_MAX : next.us < node->clock ? 0 : next.us - node->clock;

	return at < node->asleep_until ? node->asleep_until : at;
}

static uint64_t world_arrives(const struct world *world, unsigned n)
{
	const struct world_packet *p = &world->flight[n];

	return p->at < world->node[p->to].asleep_until ? world->node[p->to].asleep_until : p->at;
}

static void world_deliver(struct world *world, unsigned n)
{
	struct world_packet p = world->flight[n];

	world->flights--;
	memmove(&world->flight[n], &world->flight[n + 1], (world->flights - n) * sizeof(p));
	if (world->node[p.to].up) {
		(void)cl_received(world->node[p.to].cl, (struct addr){ world->node[p.from].conf.address, 32792 },
				  bytes_of(p.octets, p.len), world_now(world, p.to), &world->out);
		world_carry_out(world, p.to);
	}
	free(p.octets);
}

static void world_tick(struct world *world, unsigned i)
{
	cl_tick(world->node[i].cl, world_now(world, i), &world->out);
	world_carry_out(world, i);
}

/* Datagrams before timers, as requirement R4 has it. */
static void world_run_us(struct world *world, uint64_t us)
{
	uint64_t end = world->now + us;
	unsigned turns = 0;

	for (;;) {
		uint64_t at = UINT64_MAX, arrives = UINT64_MAX;
		unsigned who = 0, which = 0;

		for (unsigned i = 0; i < world->nodes; i++)
			if (world->node[i].up && world_wake(world, i) < at) {
				at = world_wake(world, i);
				who = i;
			}
		for (unsigned n = 0; n < world->flights; n++)
			if (world_arrives(world, n) < arrives) {
				arrives = world_arrives(world, n);
				which = n;
			}
		if (at > end && arrives > end)
			break;
		uint64_t next = arrives <= at ? arrives : at;

		turns = next > world->now ? 0 : turns + 1;
		assert_true(turns < 100000);	/* time stands still: somebody asks to be woken at once, for ever */
		if (next > world->now)
			world->now = next;
		if (arrives <= at)
			world_deliver(world, which);
		else
			world_tick(world, who);
	}
	world->now = end;
}

static void world_run(struct world *world, unsigned ms)
{
	world_run_us(world, ms * UINT64_C(1000));
}

/* ---- questions and commands ---- */

static const struct cl_status *world_status(struct world *world, unsigned i)
{
	return &world->node[i].cl->status;
}

/* The only node that is master and may change things; -1: none, or several. */
static int world_master(struct world *world)
{
	int found = -1;

	for (unsigned i = 0; i < world->nodes; i++)
		if (world->node[i].up && cl_may_change(world->node[i].cl)) {
			if (found >= 0)
				return -1;
			found = (int)i;
		}
	return found;
}

static void world_cut(struct world *world, unsigned a, unsigned b, bool cut)
{
	world->cut[a][b] = world->cut[b][a] = cut;
}

static void world_isolate(struct world *world, unsigned a, bool cut)
{
	for (unsigned b = 0; b < world->nodes; b++)
		if (b != a)
			world_cut(world, a, b, cut);
}

static enum cl_change world_change(struct world *world, unsigned i, uint32_t key, const char *text)
{
	enum cl_change change = cl_change(world->node[i].cl, key, bytes_str(text));

	cl_flush(world->node[i].cl, world_now(world, i), &world->out);
	world_carry_out(world, i);
	return change;
}

static void world_command(struct world *world, unsigned i, enum cl_verb verb, unsigned argument_node, uint32_t number)
{
	cl_command(world->node[i].cl, verb, (struct node_id){ (uint16_t)argument_node }, number, world_now(world, i),
		   &world->out);
	world_carry_out(world, i);
}

#endif
