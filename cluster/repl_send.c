/*
 * repl_send.c -- sending what changed: heartbeats to all, and to one what it missed.
 *
 * Everybody's place in the list of changes is a cursor: ours, behind what all were
 * sent, and one for each peer that is being brought up.  A record that changed
 * meanwhile has moved to the end of the list and is met there.
 */
#include "cluster/repl_state.h"

#define SLICE		64u		/* digests in a periodic heartbeat */
#define SLICE_BEHIND	128u		/* and while somebody looks for what differs */
#define WALK_LOOKS	256u		/* keys looked at for the slow walk in one heartbeat */
#define WALK_PAIRS	16u
#define CREDIT_MAX	256u
#define TOKENS_MS	20u		/* datagrams of RECORDS in a millisecond: 224 Mbit/s */
#define TOKENS_MAX	40u		/* in one tick, however late it comes */
#define SEEKS		8u		/* slices of records_seek() in one tick */
#define SEEK_SIGN	DUR_MS(20)	/* a donor that still looks for the place says so */

/* ---- heartbeats ---- */

static bool somebody_behind(const struct cl *cl)
{
	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++) {
		const struct cl_peer *peer = &cl->peer[slot];

		if (peer->used && peer->alive && !peer->refused && !peer->leaving && !peer->up_to_date)
			return true;
	}
	return false;
}

/* Returns the bucket behind the last. */
static uint16_t beat_digests(const struct cl *cl, struct cl_heartbeat *beat, struct wr *w, uint16_t first,
			     unsigned most)
{
	beat->bucket = first;
	while (beat->buckets < most && first + beat->buckets < RECORD_BUCKETS) {
		wr_u64(w, cl->records.bucket[first + beat->buckets]);
		beat->buckets++;
	}
	return (uint16_t)((first + beat->buckets) % RECORD_BUCKETS);
}

static void beat_walk(struct cl *cl, struct cl_heartbeat *beat, struct wr *w)
{
	struct cl_repl *repl = cl->repl;

	for (unsigned n = 0; n < WALK_LOOKS && beat->walks < WALK_PAIRS && cl->records.keys; n++) {
		uint32_t key = repl->next_walk;

		repl->next_walk = key + 1 < cl->records.keys ? key + 1 : 0;
		struct version version = records_get(&cl->records, key).version;

		if (!version.n)
			continue;
		wr_u32(w, key);
		wr_u64(w, version.n);
		beat->walks++;
	}
}

/* As many records behind the cursor as fit; the position behind them.  `own` is where we are ourselves. */
static struct version span_fill(struct cl *cl, unsigned cursor, struct version from, struct version own, struct wr *w,
				unsigned *count)
{
	struct record record;

	while (records_next(&cl->records, cursor, &record)) {
		if (!cl_record_add(w, &record)) {
			records_unread(&cl->records, cursor);
			return from;
		}
		from = record.version;
		++*count;
	}
	return version_max(from, own);
}

/* One heartbeat: to all, with what they were not sent yet; or to one that asks, with digests from `first` on. */
static void beat_send(struct cl_turn *turn, bool periodic, struct cl_peer *to, uint16_t first)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	struct cl_msg msg = { .type = CL_HEARTBEAT, .term = cl->status.term };
	struct cl_heartbeat *beat = &msg.heartbeat;
	struct wr w = repl_rest(repl);
	bool behind = somebody_behind(cl), quiet = records_at_end(&cl->records, REPL_SENT);
	unsigned count = 0;

	*beat = (struct cl_heartbeat){ .number = ++repl->beats, .sent_us = turn->now.us, .base = cl->base,
				       .cluster_us = cl_time(cl, turn->now), .committed = cl->committed };
	beat->flags = (uint16_t)((periodic ? CL_BEAT_PERIODIC : 0) | (behind ? CL_BEAT_BEHIND : 0));
	if (to) {
		(void)beat_digests(cl, beat, &w, first, SLICE_BEHIND);
	} else if (periodic && quiet) {
		repl->next_bucket = beat_digests(cl, beat, &w, repl->next_bucket, behind ? SLICE_BEHIND : SLICE);
		beat_walk(cl, beat, &w);
	}
	beat->prev = beat->upto = repl->sent;
	if (!to)
		beat->upto = repl->sent = span_fill(cl, REPL_SENT, repl->sent, repl->pos, &w, &count);
	if (records_at_end(&cl->records, REPL_SENT) && version_eq(beat->upto, repl->pos))
		beat->flags |= CL_BEAT_ROOT;
	beat->root = cl->records.root;
	beat->rest = wr_bytes_of(&w);
	cl->stat[CL_STAT_heartbeats]++;
	if (to)
		cl_send_to(turn, to, &msg);
	else
		cl_send_all(turn, &msg);
}

void send_changes(struct cl_turn *turn)
{
	struct cl_repl *repl = turn->cl->repl;

	while (!records_at_end(&turn->cl->records, REPL_SENT) && repl_has_room(turn))
		beat_send(turn, false, NULL, 0);
	repl->flush_rest = !records_at_end(&turn->cl->records, REPL_SENT);
}

static void beat_periodic(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	uint32_t interval_ms = cl->conf.interval_ms;

	send_changes(turn);
	if (!repl_has_room(turn))
		return;
	beat_send(turn, true, NULL, 0);
	cl->repl->beats_wanted = false;
	cl->beat_due = mono_add(turn->now, DUR_US(interval_ms * (somebody_behind(cl) ? 500u : 1000u)));
}

void send_began(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	while (!records_seek(&cl->records, REPL_SENT, cl->base))
		;
	repl->sent = cl->base;
	repl->beats = 0;
	repl->next_bucket = 0;
	repl->beats_wanted = true;
	beat_periodic(turn);
}

void send_stopped(struct cl *cl)
{
	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++)
		cl->peer[slot].credit = 0;
	cl->repl->flush_rest = cl->repl->beats_wanted = false;
}

/* ---- LASTSEEN: acknowledgements, and requests ---- */

/* May we give this peer what it asks for?  What we have is the term's history, or it asks us as a candidate. */
static bool donor_may(const struct cl *cl, const struct cl_peer *peer)
{
	if (repl_is_master(cl) || cl->status.up_to_date)
		return true;
	return cl->status.role == CL_ROLE_SLAVE && (!cl->status.master.n || node_eq(cl->status.master, peer->node) ||
						     peer->resend_term > cl->status.term);
}

static enum why resend_asked(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	const struct cl_lastseen *seen = &msg->lastseen;

	if (seen->round == peer->resend_over && msg->term == peer->resend_term)
		return WHY_CL_ROUND;
	if (seen->round != peer->resend_round || msg->term != peer->resend_term) {
		peer->resend_round = seen->round;
		peer->resend_term = msg->term;
		peer->resend_over = 0;
		peer->resent_upto = seen->have;
		peer->credit = 0;
		peer->seeking = true;
		peer->resent = turn->now;
	}
	if (!donor_may(cl, peer)) {
		peer->credit = 0;
		return WHY_CL_ROLE;
	}
	peer->credit = (uint16_t)min_u32(CREDIT_MAX, (uint32_t)peer->credit + seen->credit);
	return WHY_OK;
}

/* A slave told how far it is.  `have` counts for the commit rule only when it proved it to be of our history. */
static enum why acknowledged(struct cl_turn *turn, struct cl_peer *peer, const struct cl_lastseen *seen)
{
	struct cl *cl = turn->cl;
	bool proved = CL_GUARD_PASS(HOLDS_UNPROVED, (seen->flags & CL_SEEN_VERIFIED) != 0);

	if (version_before(cl->have, seen->have))
		return WHY_CL_VALUE;
	peer->seen_at = turn->now;
	peer->have = seen->have;
	peer->up_to_date = (seen->flags & CL_SEEN_UP_TO_DATE) != 0;
	if (proved && (seen->flags & CL_SEEN_WHOLE) && version_term(seen->have) == cl->status.term &&
	    version_before(peer->holds, seen->have))
		peer->holds = seen->have;
	if (seen->sent_us && seen->sent_us <= turn->now.us) {
		peer->round_trip_us = (uint32_t)min_u32(UINT32_MAX, (uint32_t)(turn->now.us - seen->sent_us));
		elect_acked(turn, peer, seen->sent_us);
	}
	repl_committed_look(turn);
	return WHY_OK;
}

enum why send_lastseen(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	const struct cl_lastseen *seen = &msg->lastseen;

	if (msg->term < cl->status.term)
		return WHY_CL_TERM;
	if (!repl_is_master(cl))
		return seen->credit ? resend_asked(turn, peer, msg) : WHY_CL_ROLE;
	if (msg->term > cl->status.term) {
		if (seen->credit)
			return resend_asked(turn, peer, msg);
		elect_higher_term(turn, msg->term, (struct node_id){ 0 });
		return WHY_CL_TERM;
	}
	enum why why = acknowledged(turn, peer, seen);

	if (why == WHY_OK && repl_is_master(cl) && seen->credit)
		why = resend_asked(turn, peer, msg);
	if (why == WHY_OK && repl_is_master(cl) && (seen->flags & CL_SEEN_PROBE))
		beat_send(turn, true, peer, (uint16_t)(seen->round % RECORD_BUCKETS));
	return why;
}

/* ---- RECORDS ---- */

/*
 * A slave that is in the middle of a batch has not got what changed twice in it, so that
 * its table is none the master ever had at that position.
 */
static bool verified_here(const struct cl *cl)
{
	return repl_is_master(cl) || CL_GUARD_PASS(ROOT_BETWEEN, version_eq(cl->synced, cl->repl->pos));
}

static void records_send(struct cl_turn *turn, struct cl_peer *peer)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	struct cl_msg msg = { .type = CL_RECORDS, .term = peer->resend_term };
	struct wr w = repl_rest(repl);
	unsigned count = 0;

	msg.records = (struct cl_records){ .round = peer->resend_round, .prev = peer->resent_upto,
					   .upto = peer->resent_upto,
					   .have = version_max(repl->pos, repl->owed) };
	if (!peer->seeking) {
		msg.records.upto = span_fill(cl, peer->cursor, peer->resent_upto, repl->pos, &w, &count);
		if (records_at_end(&cl->records, peer->cursor)) {
			if (version_before(repl->pos, msg.records.upto))	/* it is further than we are */
				msg.records.prev = msg.records.upto = repl->pos;
			msg.records.flags = CL_RECORDS_END | (verified_here(cl) ? CL_RECORDS_ROOT : 0);
			msg.records.root = cl->records.root;
			peer->resend_over = peer->resend_round;
		}
	}
	msg.records.rest = wr_bytes_of(&w);
	peer->resent_upto = msg.records.upto;
	peer->resent = turn->now;
	peer->credit = msg.records.flags & CL_RECORDS_END ? 0 : (uint16_t)(peer->credit - 1);
	cl->stat[CL_STAT_resent] += count;
	cl_send_bulk(turn, peer, &msg);
}

static void place_seek(struct cl_turn *turn, struct cl_peer *peer)
{
	struct cl *cl = turn->cl;

	for (unsigned n = 0; n < SEEKS && peer->seeking; n++)
		peer->seeking = !records_seek(&cl->records, peer->cursor, peer->resent_upto);
	if (peer->seeking && mono_reached(turn->now, mono_add(peer->resent, SEEK_SIGN)))
		records_send(turn, peer);
}

/* Round by round one datagram for each who has credit, so that nobody waits for another's copy to end. */
static void donor_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	uint64_t passed_ms = dur_ms(mono_since(turn->now, repl->paced));
	bool busy = true;

	if (passed_ms > 0) {
		repl->paced = turn->now;
		repl->tokens = (uint32_t)(passed_ms * TOKENS_MS + repl->tokens < TOKENS_MAX ?
					  passed_ms * TOKENS_MS + repl->tokens : TOKENS_MAX);
	}
	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++) {
		struct cl_peer *peer = &cl->peer[slot];

		if (peer->credit && (!peer->used || !donor_may(cl, peer)))
			peer->credit = 0;
		if (peer->credit && peer->seeking)
			place_seek(turn, peer);
	}
	while (busy && repl->tokens && repl_has_room(turn)) {
		busy = false;
		for (unsigned n = 0; n < CLUSTER_NODES_MAX && repl->tokens && repl_has_room(turn); n++) {
			struct cl_peer *peer = &cl->peer[repl->turn_of++ % CLUSTER_NODES_MAX];

			if (!peer->credit || peer->seeking)
				continue;
			records_send(turn, peer);
			repl->tokens--;
			busy = true;
		}
	}
}

static bool donor_busy(const struct cl *cl)
{
	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++)
		if (cl->peer[slot].credit)
			return true;
	return false;
}

void send_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;

	if (repl_is_master(cl)) {
		if (cl->repl->flush_rest)
			send_changes(turn);
		if (cl->repl->beats_wanted || mono_reached(turn->now, cl->beat_due)) {
			repl_committed_look(turn);	/* somebody may have ceased to count */
			beat_periodic(turn);
		}
	}
	donor_tick(turn);
}

struct mono send_next(const struct cl *cl)
{
	struct mono next = MONO_NEVER;

	if (cl->repl->clearing)
		return next;
	if (repl_is_master(cl))
		next = cl->repl->flush_rest || cl->repl->beats_wanted ? (struct mono){ 1 } : cl->beat_due;
	if (donor_busy(cl))
		next = mono_min(next, mono_add(cl->repl->paced, REPL_PACE));
	return next;
}
