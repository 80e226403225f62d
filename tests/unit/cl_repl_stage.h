/*
 * cl_repl_stage.h -- cl_world.h with a daemon at each node that keeps what it is handed.
 *
 * It checks that versions only grow (requirement R25) and that cluster time never goes
 * back, and it judges what is offered.  Single messages go to the machine directly.
 */
#ifndef TESTS_CL_REPL_STAGE_H
#define TESTS_CL_REPL_STAGE_H

#include "tests/unit/cl_world.h"
#include "cluster/repl_state.h"

#define KEYS	65536u

/* ---- a daemon at each node ---- */

static struct version handed[WORLD_NODES][KEYS];
static uint32_t handed_len[WORLD_NODES][KEYS];
static struct { uint32_t key, len; uint8_t octets[RECORD_MAX]; bool self; } offered[4096];
static unsigned offers, drops, offers_seen;
static bool take_offers;
static uint32_t loss_seed;
static unsigned loss_percent;
static uint64_t time_seen[WORLD_NODES];
static int damaged_node;

static uint32_t chance(void)
{
	loss_seed = loss_seed * 1103515245u + 12345u;
	return loss_seed >> 16;
}

static bool lossy(struct world *world, unsigned from, unsigned to, bool multicast)
{
	(void)world;
	(void)from;
	(void)to;
	(void)multicast;
	return chance() % 100 < loss_percent;
}

static void daemon_apply(struct world *world, unsigned i, const struct record *record)
{
	(void)world;
	assert_true(version_before(handed[i][record->key], record->version));	/* R25, I5 */
	handed[i][record->key] = record->version;
	handed_len[i][record->key] = record->octets.len;
}

static void daemon_effect(struct world *world, unsigned i, const struct fx *fx, const uint8_t *payload)
{
	struct fx_cl_offered offer;

	(void)world;
	if (fx->kind == FX_CL_DROP) {
		drops++;
		memset(handed[i], 0, sizeof(handed[i]));
	}
	if (fx->kind != FX_CL_OFFERED)
		return;
	memcpy(&offer, payload, sizeof(offer));
	assert_true(offers < ARRAY_LEN(offered));
	offered[offers].key = fx->id;
	offered[offers].len = fx->len - (uint32_t)sizeof(offer);
	memcpy(offered[offers].octets, payload + sizeof(offer), offered[offers].len);
	offered[offers++].self = offer.by.n == i + 1;
	offers_seen++;
}

/* The daemon at the master answers offers: taken, or not; and encodes anew what we found damaged. */
static void daemon_stepped(struct world *world, unsigned i)
{
	struct cl *cl = world->node[i].cl;
	uint64_t us = cl_time(cl, world_now(world, i));
	unsigned n = offers;

	if (damaged_node == (int)i && !drops)
		cl->records.root = 1;
	assert_true(us >= time_seen[i]);
	time_seen[i] = us;
	if (!n)
		return;
	offers = 0;
	for (unsigned at = 0; at < n; at++)
		if (offered[at].self)
			assert_int_not_equal(cl_change(cl, offered[at].key, bytes_str("encoded anew")), CL_NO_ROOM);
		else if (take_offers)
			assert_int_not_equal(cl_change(cl, offered[at].key,
						       bytes_of(offered[at].octets, offered[at].len)), CL_NO_ROOM);
		else
			assert_int_not_equal(cl_touch(cl, offered[at].key), CL_NO_ROOM);
	cl_flush(cl, world_now(world, i), &world->out);
	world_carry_out(world, i);
}

static struct world *stage(unsigned nodes, bool members)
{
	struct world *world = world_new(nodes, members);

	memset(handed, 0, sizeof(handed));
	memset(time_seen, 0, sizeof(time_seen));
	offers = drops = offers_seen = 0;
	take_offers = true;
	damaged_node = -1;
	loss_seed = 1;
	loss_percent = 0;
	world->apply = daemon_apply;
	world->effect = daemon_effect;
	world->stepped = daemon_stepped;
	world->lost = lossy;
	world->conf.keys = KEYS;
	world->conf.record_octets = 24u * 1024 * 1024;
	return world;
}

static struct cl *cl_at(struct world *world, unsigned i)
{
	return world->node[i].cl;
}

static bool all_equal(struct world *world)
{
	int first = -1;

	for (unsigned i = 0; i < world->nodes; i++) {
		if (!world->node[i].up)
			continue;
		if (first < 0)
			first = (int)i;
		if (cl_at(world, i)->records.root != cl_at(world, (unsigned)first)->records.root ||
		    !world_status(world, i)->up_to_date)
			return false;
	}
	return true;
}

static void settle(struct world *world, unsigned ms)
{
	for (unsigned n = 0; n < ms && !(world_master(world) >= 0 && all_equal(world)); n += 10)
		world_run(world, 10);
	assert_true(world_master(world) >= 0);
	assert_true(all_equal(world));
}

/* A stage whose master is known, and all are up to date. */
static struct world *settled(unsigned nodes, bool members, unsigned *master)
{
	struct world *world = stage(nodes, members);

	world_start_all(world);
	settle(world, 15000);
	*master = (unsigned)world_master(world);
	return world;
}

static unsigned a_slave(struct world *world, unsigned not)
{
	unsigned master = (unsigned)world_master(world);

	for (unsigned i = 0; i < world->nodes; i++)
		if (i != master && i != not)
			return i;
	return 0;
}

/* One message to node i's machine, as if `from` had sent it. */
static enum why hand(struct world *world, unsigned i, unsigned from, struct cl_msg *msg)
{
	struct cl *cl = cl_at(world, i);
	struct cl_turn turn = { .cl = cl, .now = world_now(world, i), .out = &world->out };
	enum why why = repl_received(&turn, cl_peer_of(cl, world_id(from)), msg);

	world_carry_out(world, i);
	return why;
}

static void changes(struct world *world, unsigned i, uint32_t first, unsigned count, unsigned version)
{
	char text[64];

	for (uint32_t key = first; key < first + count; key++) {
		snprintf(text, sizeof(text), "record %u, change %u: so many octets that it is like one", key, version);
		assert_int_equal(cl_change(cl_at(world, i), key, bytes_str(text)), CL_CHANGED);
		if (key % 64 == 63) {
			cl_flush(cl_at(world, i), world_now(world, i), &world->out);
			world_carry_out(world, i);
		}
	}
	cl_flush(cl_at(world, i), world_now(world, i), &world->out);
	world_carry_out(world, i);
}

static uint8_t beat_room[CL_PLAIN_MAX];

/* A heartbeat of the present master with one record, from `prev` on. */
static struct cl_msg one_beat(struct world *world, unsigned master, struct version prev, struct version upto,
			      uint32_t key, const char *text)
{
	struct cl *cl = cl_at(world, master);
	struct cl_msg msg = { .type = CL_HEARTBEAT, .term = cl->status.term };
	struct wr w = wr_of(beat_room, sizeof(beat_room));
	struct record record = { .key = key, .version = upto, .octets = bytes_str(text) };

	assert_true(cl_record_add(&w, &record));
	msg.heartbeat = (struct cl_heartbeat){ .number = 1, .flags = CL_BEAT_ROOT, .sent_us = 1,
					       .base = cl->base, .prev = prev, .upto = upto,
					       .cluster_us = cl_time(cl, world_now(world, master)),
					       .rest = wr_bytes_of(&w) };
	return msg;
}

static struct version behind(struct version v, unsigned n)
{
	return (struct version){ v.n + n };
}

static bool deaf_to_unicast;
static unsigned deaf_node;

static bool deaf(struct world *world, unsigned from, unsigned to, bool multicast)
{
	(void)world;
	(void)from;
	return deaf_to_unicast && to == deaf_node && !multicast;
}

#endif
