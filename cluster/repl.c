/* repl.c -- bringing every change everywhere: the machine's outside, its terms, and the commit rule. */
#include "cluster/repl_state.h"
#include "cluster/trace.h"

void repl_init(struct cl *cl, struct arena *arena)
{
	struct cl_repl *repl = arena_take(arena, 1, sizeof(*repl));

	if (!repl)
		return;
	cl->repl = repl;
	repl->gap = repl->differs = repl->fetch.hole = repl->ack_at = MONO_NEVER;
	repl->scrub_due = repl->slew_from = repl->paced = cl->started;
	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++)
		cl->peer[slot].cursor = slot;
}

void repl_adopted(struct cl *cl)
{
	cl->have = cl->repl->pos = cl->records.upto;
}

/* ---- the master's changes ---- */

static enum cl_change change_put(struct cl *cl, uint32_t key, struct bytes octets)
{
	struct cl_repl *repl = cl->repl;
	bool followed = records_at_end(&cl->records, REPL_APPLY);
	struct version version = version_of(cl->status.term, repl->seq + 1);
	struct record own;

	if (!records_put(&cl->records, key, version, octets))
		return CL_NO_ROOM;
	repl->seq++;
	cl->have = repl->pos = version;
	cl->stat[CL_STAT_changes]++;
	if (followed) {		/* the daemon made it: it is not told */
		bool there = records_next(&cl->records, REPL_APPLY, &own);

		ASSERT(there);
	}
	return CL_CHANGED;
}

static bool change_allowed(const struct cl *cl, uint32_t key)
{
	return cl_may_change(cl) && !cl->repl->clearing && key < cl->records.keys;
}

static enum cl_change change(struct cl *cl, uint32_t key, struct bytes octets)
{
	if (!change_allowed(cl, key))
		return CL_NOT_MASTER;
	if (octets.len > RECORD_MAX)
		return CL_NO_ROOM;
	if (bytes_eq(records_get(&cl->records, key).octets, octets))
		return CL_SAME;
	return change_put(cl, key, octets);
}

enum cl_change cl_change(struct cl *cl, uint32_t key, struct bytes octets)
{
	struct cl_trace_entry entry = { .kind = CL_TRACE_CHANGE, .number = key,
					.len = (uint16_t)min_u32(octets.len, UINT16_MAX),
					.value = hash_octets(cl->records.key, octets) };

	cl_trace_begin(cl, &entry, (struct bytes){ 0 });
	enum cl_change done = change(cl, key, octets);

	cl_trace_end(cl, done);
	return done;
}

enum cl_change cl_touch(struct cl *cl, uint32_t key)
{
	enum cl_change done = CL_NOT_MASTER;

	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_TOUCH, .number = key }, (struct bytes){ 0 });
	if (change_allowed(cl, key))
		done = change_put(cl, key, records_get(&cl->records, key).octets);
	cl_trace_end(cl, done);
	return done;
}

struct version cl_upto(const struct cl *cl)
{
	return cl->have;
}

void cl_flush(struct cl *cl, struct mono now, struct fx_list *out)
{
	struct cl_turn turn = { .cl = cl, .now = now, .out = out };

	if (!repl_is_master(cl))
		return;
	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_FLUSH, .now = now }, (struct bytes){ 0 });
	send_changes(&turn);
	repl_committed_look(&turn);
	cl_trace_end(cl, 0);
}

struct version cl_committed(const struct cl *cl)
{
	return cl->committed;
}

/* ---- the commit rule ---- */

/* A peer whose acknowledgement the open rules wait for: one that keeps up and answers. */
static bool peer_counts(const struct cl *cl, const struct cl_peer *peer, struct mono now)
{
	struct dur dead = DUR_MS(cl->conf.dead_ms);

	if (!peer->used || !peer->alive || peer->refused || peer->leaving)
		return false;
	if (!peer->seen_at.us)		/* nothing heard in this term: it counts as it did, for a while */
		return (peer->ping.flags & CL_IS_UP_TO_DATE) && !mono_reached(now, mono_add(cl->repl->began, dead));
	return peer->up_to_date && !mono_reached(now, mono_add(peer->seen_at, dead));
}

/* What `others` members besides us hold at least. */
static struct version held_by(const struct cl *cl, unsigned others)
{
	struct version best[CLUSTER_NODES_MAX] = { { 0 } };
	unsigned n = 0;

	if (others == 0)
		return cl->have;
	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++) {
		const struct cl_peer *peer = &cl->peer[slot];
		struct version holds = peer->holds;

		if (!peer->used || !peer->member || peer->refused || !holds.n)
			continue;
		unsigned at = n++;

		for (; at > 0 && version_before(best[at - 1], holds); at--)
			best[at] = best[at - 1];
		best[at] = holds;
	}
	return others <= n ? best[others - 1] : (struct version){ 0 };
}

/* What all of those who count hold, or at least one of them; nobody counts: everything. */
static struct version held_by_those_who_count(const struct cl *cl, bool all, struct mono now)
{
	struct version least = cl->have, most = { 0 };
	bool any = false;

	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++) {
		const struct cl_peer *peer = &cl->peer[slot];

		if (!peer_counts(cl, peer, now))
			continue;
		any = true;
		most = version_max(most, peer->holds);
		if (version_before(peer->holds, least))
			least = peer->holds;
	}
	return all || !any ? least : most;
}

static struct version committable(const struct cl *cl, struct mono now)
{
	if (cl->conf.commit == CL_COMMIT_NONE)
		return cl->have;
	if (cl->conf.commit == CL_COMMIT_ONE)
		return held_by_those_who_count(cl, false, now);
	if (cl->conf.members == 0)
		return held_by_those_who_count(cl, true, now);
	return held_by(cl, cl_quorum(cl) - 1);
}

void repl_committed_look(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;

	if (!repl_is_master(cl))
		return;
	struct version v = cl->have;

	if (CL_GUARD(COMMIT_RULE, true))
		v = committable(cl, turn->now);
	if (!version_before(cl->committed, v))
		return;
	cl->committed = v;
	fx_add(turn->out, FX_CL_COMMITTED, 0, 0);
}

/* ---- the daemon's own copy ---- */

bool cl_apply_next(struct cl *cl, struct record *record)
{
	struct cl_repl *repl = cl->repl;

	if (repl->clearing)
		return false;
	while (records_next(&cl->records, REPL_APPLY, record))
		if (!repl_is_master(cl) || version_before(record->version, version_of(cl->status.term, 0)))
			return true;
	repl->apply_told = false;
	return false;
}

void repl_tell_apply(struct cl_turn *turn)
{
	struct cl_repl *repl = turn->cl->repl;

	if (repl->apply_told || repl->clearing || records_at_end(&turn->cl->records, REPL_APPLY))
		return;
	repl->apply_told = true;
	fx_add(turn->out, FX_CL_APPLY, 0, 0);
}

bool repl_keys_fit(const struct cl *cl, struct bytes records)
{
	struct rd r = rd_bytes(records);
	struct record record;

	while (cl_record_next(&r, &record))
		if (record.key >= cl->records.keys)
			return false;
	return rd_done(&r);
}

/* ---- terms ---- */

void repl_became_master(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	while (repl->clearing)
		repl->clearing = !records_clear(&cl->records);
	repl_tell_apply(turn);
	slave_stopped(cl);
	repair_stopped(cl);
	offer_stopped(cl);
	send_stopped(cl);
	cl->base = version_max(version_max(cl->have, repl->pos), cl->records.upto);
	repl->term = cl->status.term;
	repl->seq = 0;
	cl->have = repl->pos = version_of(cl->status.term, 0);
	ASSERT(version_before(cl->base, cl->have));
	if (version_before(cl->base, cl->committed))
		cl->committed = cl->base;
	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++) {
		cl->peer[slot].seen_at = (struct mono){ 0 };
		if (CL_GUARD(HOLDS_OF_OLD_TERM, true))
			cl->peer[slot].holds = (struct version){ 0 };
	}
	repl->began = turn->now;
	repl->proved = true;
	repl->was_master = true;
	time_became_master(cl, turn->now);
	send_began(turn);
	repl_committed_look(turn);
}

void repl_became_slave(struct cl_turn *turn, bool new_term)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	(void)new_term;		/* its first heartbeat begins it, and says where */
	send_stopped(cl);
	slave_stopped(cl);
	repair_stopped(cl);
	repl->proved = false;
	if (repl->was_master)	/* what it meant was the slaves */
		cl->status.up_to_date = false;
	repl->was_master = false;
	repl->term = 0;
}

void repl_import(struct cl_turn *turn, struct cl_peer *best)
{
	struct cl_repl *repl = turn->cl->repl;

	slave_stopped(turn->cl);
	repl->importing = true;
	slave_import(turn, peer_slot(turn->cl, best));
}

bool repl_resync(struct cl_turn *turn, const char **why)
{
	if (turn->cl->status.role != CL_ROLE_SLAVE) {
		*why = "only a slave can begin with nothing";
		return false;
	}
	repair_drop(turn);
	return true;
}

static uint64_t boot_half(struct boot_id boot)
{
	struct rd r = rd_of(boot.b, sizeof(boot.b));

	return rd_u64(&r);
}

void repl_kill(struct cl_turn *turn, struct cl_peer *peer)
{
	struct cl_msg msg = { .type = CL_KILL, .term = turn->cl->status.term };

	msg.kill = (struct cl_kill){ .boot_hi = boot_half(peer->boot), .number = ++peer->kill_number };
	cl_send_to(turn, peer, &msg);
}

enum why repair_kill(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	if (peer != repl_master(cl) || msg->term != cl->status.term)
		return WHY_CL_ROLE;
	if (!CL_GUARD_PASS(KILL_BOOT, msg->kill.boot_hi == boot_half(seal_boot(cl->seal))))
		return WHY_CL_BOOT_OLD;
	if (CL_GUARD(KILL_REPEATED, msg->term < repl->kill_term ||
		     (msg->term == repl->kill_term && msg->kill.number <= repl->kill_number)))
		return WHY_CL_ROUND;
	repl->kill_term = msg->term;
	repl->kill_number = msg->kill.number;
	repair_drop(turn);
	return WHY_OK;
}

/* ---- messages and time ---- */

/* elect.c may have given up waiting. */
static void import_look(struct cl *cl)
{
	if (cl->repl->importing && cl->status.role != CL_ROLE_IMPORTING)
		slave_stopped(cl);
}

enum why repl_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;

	import_look(cl);
	if (msg->type == CL_HEARTBEAT)
		return slave_heartbeat(turn, peer, msg);
	if (cl->repl->clearing)
		return WHY_CL_ROUND;
	switch (msg->type) {
	case CL_LASTSEEN:
		return send_lastseen(turn, peer, msg);
	case CL_RECORDS:
		return slave_records(turn, peer, msg);
	case CL_KILL:
		return repair_kill(turn, peer, msg);
	case CL_CONTENTS:
		return msg->term != cl->status.term ? WHY_CL_TERM :
		       peer != repl_master(cl) ? WHY_CL_ROUND : repair_contents(turn, msg);
	default:
		break;
	}
	if (msg->term != cl->status.term)
		return WHY_CL_TERM;
	if (!repl_is_master(cl))
		return WHY_CL_ROLE;
	if (msg->type == CL_NEED)
		return repair_need(turn, msg);
	if (msg->type == CL_OFFER)
		return repair_offered(turn, peer, msg);
	return msg->type == CL_BUCKET ? repair_bucket(turn, peer, msg) : WHY_CL_TYPE;
}

void repl_tick(struct cl_turn *turn)
{
	import_look(turn->cl);
	repair_tick(turn);
	if (turn->cl->repl->clearing)
		return;
	send_tick(turn);
	slave_tick(turn);
	repl_tell_apply(turn);
}

struct mono repl_next(const struct cl *cl)
{
	return mono_min(repair_next(cl), mono_min(send_next(cl), slave_next(cl)));
}
