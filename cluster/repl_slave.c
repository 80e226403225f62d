/*
 * repl_slave.c -- following the master's stream: in order, asking for what is missing.
 *
 * Heartbeats and answers to our requests are the same thing, changes between two
 * positions, and go the same way.  What came before its predecessor is kept for a
 * while; what never connects is dropped, as a request from where we are brings it.
 */
#include "cluster/repl_state.h"

#define CREDIT_NEAR	16u		/* datagrams asked for when a few were lost */
#define CREDIT_FAR	96u		/* when much is missing */
#define NEAR_CHANGES	512u
#define SILENCES_MAX	6u		/* of the one node that an import can ask */
#define LOOK_GAP	DUR_MS(5)	/* between requests for digests */
#define ACK_LATER	DUR_MS(1)	/* more of the same batch is on its way */

/* ---- saying how far we are ---- */

static uint32_t stream_term(const struct cl *cl)
{
	return cl->repl->importing && cl->promised > cl->status.term ? cl->promised : cl->status.term;
}

static void lastseen_send(struct cl_turn *turn, struct cl_peer *peer, unsigned flags, uint16_t credit)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	struct cl_msg msg = { .type = CL_LASTSEEN, .term = stream_term(cl) };
	struct version told = repl->pos;

	if (!CL_GUARD(ACK_BEFORE_STORED, true))
		told = version_max(repl->seen, repl->pos);
	flags |= (unsigned)(cl->status.up_to_date ? CL_SEEN_UP_TO_DATE : 0) | (repl->proved ? CL_SEEN_VERIFIED : 0);
	msg.lastseen = (struct cl_lastseen){ .flags = (uint16_t)flags, .have = told, .credit = credit,
					     .sent_us = cl->fresh ? 0 : repl->sent_us,	/* R14 */
					     .round = repl->fetch.round };
	if (flags & CL_SEEN_PROBE)	/* no resend is asked for: the first bucket that the answer shall tell of */
		msg.lastseen.round = repl->look_bucket;
	if (CL_GUARD_PASS(ACK_PARTS, version_eq(told, repl->whole)))
		msg.lastseen.flags |= CL_SEEN_WHOLE;
	if (peer == repl_master(cl))
		repl->ack_at = MONO_NEVER;
	cl_send_to(turn, peer, &msg);
}

static void ack_send(struct cl_turn *turn)
{
	struct cl_peer *master = repl_master(turn->cl);

	turn->cl->repl->ack_at = MONO_NEVER;
	if (master)
		lastseen_send(turn, master, 0, 0);
}

/* ---- asking for more ---- */

static bool donor_possible(const struct cl *cl, const struct cl_peer *peer)
{
	return peer->used && peer->alive && !peer->refused && !peer->leaving &&
	       (peer->ping.flags & CL_IS_UP_TO_DATE) && peer->ping.master_term == cl->status.term;
}

/* A few changes come from the master; a long way is asked of another slave, a different one each time. */
static struct cl_peer *donor_choose(struct cl *cl)
{
	struct cl_repl *repl = cl->repl;
	struct cl_peer *master = repl_master(cl);
	bool near = version_term(repl->pos) == version_term(repl->seen) &&
		    repl->seen.n - repl->pos.n < NEAR_CHANGES;

	for (unsigned n = 1; n <= CLUSTER_NODES_MAX && !near; n++) {
		struct cl_peer *peer = &cl->peer[(repl->fetch.donor + n) % CLUSTER_NODES_MAX];

		if (peer != master && donor_possible(cl, peer))
			return peer;
	}
	return master;
}

static void fetch_begin(struct cl_turn *turn, struct cl_peer *donor)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	struct repl_fetch *fetch = &repl->fetch;
	bool near = !repl->importing && repl->pos.n && repl->seen.n - repl->pos.n < NEAR_CHANGES;

	if (!cl->records.upto.n)
		fetch->whole = true;
	fetch->on = true;
	fetch->donor = peer_slot(cl, donor);
	fetch->round = ++repl->rounds;
	fetch->credit = near ? CREDIT_NEAR : CREDIT_FAR;
	fetch->got = 0;
	fetch->asked = fetch->heard = turn->now;
	fetch->hole = MONO_NEVER;
	lastseen_send(turn, donor, CL_SEEN_GAP, fetch->credit);
}

static void fetch_more(struct cl_turn *turn)
{
	struct repl_fetch *fetch = &turn->cl->repl->fetch;
	uint16_t credit = fetch->got;

	fetch->got = 0;
	lastseen_send(turn, &turn->cl->peer[fetch->donor], CL_SEEN_GAP, credit);
}

void slave_stopped(struct cl *cl)
{
	struct cl_repl *repl = cl->repl;

	for (unsigned i = 0; i < REPL_KEPT; i++)
		repl->kept[i].used = false;
	repl->fetch.on = repl->fetch.whole = false;
	repl->fetch.silences = 0;
	repl->fetch.hole = repl->gap = MONO_NEVER;
	repl->importing = false;
	repl->ack_at = MONO_NEVER;
	repl->sent_us = 0;
	repl->seen = (struct version){ 0 };
}

/* ---- applying ---- */

void slave_verified(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	if (repl->fetch.whole)
		cl->stat[CL_STAT_copies]++;
	repl->fetch.whole = false;
	repl->proved = true;
	repl->whole = repl->pos;
	repl->proved_term = repl->term;
	cl->have = cl->synced = repl->pos;
	cl->fresh = false;
	cl->status.up_to_date = !repl->importing;
	repair_stopped(cl);
}

/*
 * Nothing was behind `upto` when it was sent, and we have all before it.  A resend leaves out
 * what changed again since: a heartbeat older than that is no end any more.
 */
static bool at_end(const struct cl_repl *repl, const struct repl_span *span)
{
	return span->tail && version_eq(repl->pos, span->upto) &&
	       CL_GUARD_PASS(END_OF_OLD, !version_before(repl->pos, repl->owed));
}

/* Apply what is newer, in order.  Without memory for a record we stay behind it. */
static enum why span_apply(struct cl_turn *turn, const struct repl_span *span)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	struct rd r = rd_bytes(span->records);
	struct record record;

	while (cl_record_next(&r, &record)) {
		if (!CL_GUARD_PASS(OLDER_OVERWRITES, version_before(cl->records.upto, record.version)))
			continue;
		offer_overwritten(cl, &record);
		if (!records_put(&cl->records, record.key, record.version, record.octets)) {
			repair_differs(turn);
			return WHY_CL_FULL;
		}
		repl->pos = version_max(repl->pos, record.version);
		cl->stat[CL_STAT_applied]++;
	}
	repl->pos = version_max(repl->pos, span->upto);
	repl->owed = version_max(repl->owed, span->owed);
	repl->seen = version_max(repl->seen, repl->pos);
	return WHY_OK;
}

static void span_keep(struct cl_repl *repl, const struct repl_span *span)
{
	struct repl_kept *kept = NULL;

	if (span->records.len > CL_PLAIN_MAX)
		return;
	for (unsigned i = 0; i < REPL_KEPT; i++) {
		if (repl->kept[i].used && version_eq(repl->kept[i].span.prev, span->prev) &&
		    version_eq(repl->kept[i].span.upto, span->upto))
			return;
		if (!repl->kept[i].used)
			kept = &repl->kept[i];
	}
	if (!kept)
		return;
	kept->used = true;
	kept->span = *span;
	if (span->records.len)
		memcpy(kept->octets, span->records.p, span->records.len);
	kept->span.records.p = kept->octets;
}

static bool connects(const struct cl_repl *repl, const struct repl_span *span)
{
	return CL_GUARD_PASS(GAP_UNSEEN, !version_before(repl->pos, span->prev));
}

/* The sender's digest, at exactly our position. */
static void root_compare(struct cl_turn *turn, const struct repl_span *span)
{
	struct cl *cl = turn->cl;

	if (!at_end(cl->repl, span) || cl->repl->importing)
		return;
	if (CL_GUARD_PASS(UP_TO_DATE_UNVERIFIED, cl->records.root == span->root))
		slave_verified(turn);
	else
		repair_differs(turn);
}

static void import_ended(struct cl_turn *turn, const struct repl_span *span)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	bool same = version_eq(repl->pos, span->upto) && cl->records.root == span->root;

	if (CL_GUARD_PASS(IMPORT_UNCHECKED, same)) {
		struct version synced = cl->synced;

		slave_verified(turn);
		cl->synced = span->tail ? cl->synced : synced;
		repl->importing = false;
		repl_tell_apply(turn);
		elect_imported(turn, true);
	} else if (repl->fetch.whole) {
		repl->importing = false;
		elect_imported(turn, false);
	} else {
		/* Ours is of a branch that the others left: nothing in it tells which records are right. */
		repair_drop(turn);
		slave_import_again(turn);
	}
}

/*
 * The next of those kept that may be applied.  A heartbeat in the middle of a batch waits
 * for the batch's end: what changed twice is only there, and until then our table would be
 * one that the master never had.  A batch longer than we can keep goes in piece by piece.
 */
static bool chain_whole(const struct cl_repl *repl)
{
	struct version at = repl->pos;
	const struct repl_span *next;

	do {
		next = NULL;
		for (unsigned i = 0; i < REPL_KEPT && !next; i++) {
			const struct repl_span *span = &repl->kept[i].span;

			if (repl->kept[i].used && !version_before(at, span->prev) && version_before(at, span->upto))
				next = span;
		}
		if (next)
			at = next->upto;
	} while (next && !next->tail);
	return next != NULL;
}

static const struct repl_span *kept_next(struct cl_repl *repl)
{
	struct repl_kept *found = NULL;
	unsigned used = 0;

	for (unsigned i = 0; i < REPL_KEPT; i++) {
		struct repl_kept *kept = &repl->kept[i];

		if (kept->used && !version_before(repl->pos, kept->span.upto) && !kept->span.end)
			kept->used = false;
		used += kept->used;
		if (kept->used && connects(repl, &kept->span) && (!found || kept->span.resend))
			found = kept;
	}
	if (!found || !(found->span.resend || used >= REPL_KEPT * 3 / 4 || chain_whole(repl)))
		return NULL;
	found->used = false;
	return &found->span;
}

/* Changes came.  What is refused is refused whole. */
static enum why span_take(struct cl_turn *turn, const struct repl_span *span)
{
	struct cl_repl *repl = turn->cl->repl;
	struct repl_span ended = { .end = false };
	const struct repl_span *now = span;
	enum why why;

	if (!connects(repl, span) || !CL_GUARD_PASS(BATCH_IN_PIECES, span->tail || span->resend)) {
		span_keep(repl, span);
		now = kept_next(repl);
	}
	while (now) {
		why = span_apply(turn, now);
		if (why != WHY_OK)
			return why;
		if (now->end)
			ended = *now;
		root_compare(turn, now);
		now = kept_next(repl);
	}
	repl_tell_apply(turn);
	if (ended.end && repl->fetch.on) {
		repl->fetch.on = false;
		if (repl->importing)
			import_ended(turn, &ended);
	}
	return WHY_OK;
}

/* Are we where the master is, as far as we heard? */
static void gap_look(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	if (!version_before(repl->pos, repl->seen)) {
		repl->gap = MONO_NEVER;
	} else if (repl->gap.us == UINT64_MAX) {
		repl->gap = turn->now;
		cl->stat[CL_STAT_gaps]++;
	}
}

/* ---- HEARTBEAT ---- */

/*
 * A term is followed for the first time.  Its history is the master's up to `base`, and
 * what it adds.  A node behind base asks for the rest; what a node has behind base is its
 * own, and is offered.  Whether all before is the same only the digest tells.
 */
static void term_begins(struct cl_turn *turn, struct version base)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	uint32_t term = cl->status.term;

	slave_stopped(cl);
	repair_stopped(cl);
	offer_renewed(cl);
	repl->term = term;
	repl->proved = !CL_GUARD(BASE_UNCHECKED, repl->proved_term != term);
	cl->base = base;
	if (!repl->proved)
		cl->status.up_to_date = false;
	if (version_term(repl->pos) == term)	/* we followed it before */
		return;
	if (version_before(base, repl->pos))
		offer_begin(turn, base);
	if (!version_before(repl->pos, base))
		repl->pos = version_of(term, 0);
	if (repl->proved)
		cl->have = repl->pos;
}

static struct repl_span beat_span(const struct cl_heartbeat *beat)
{
	struct rd r = rd_bytes(beat->rest);

	(void)rd_take(&r, beat->buckets * REPL_DIGEST_LEN + beat->walks * REPL_PAIR_LEN);
	return (struct repl_span){ .prev = beat->prev, .upto = beat->upto, .root = beat->root,
				   .tail = (beat->flags & CL_BEAT_ROOT) != 0, .records = rd_rest(&r) };
}

enum why slave_heartbeat(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	const struct cl_heartbeat *beat = &msg->heartbeat;
	struct repl_span span = beat_span(beat);

	if (!repl_keys_fit(cl, span.records))
		return WHY_CL_VALUE;
	elect_heard_master(turn, peer, msg->term);
	if (peer != repl_master(cl) || cl->status.term != msg->term || repl->importing)
		return WHY_CL_ROLE;
	bool first = repl->term != msg->term;

	time_heard(turn, beat, first);
	if (repl->clearing)
		return WHY_OK;
	if (version_before(version_of(msg->term, 0), repl->pos) && version_term(repl->pos) != msg->term)
		return WHY_CL_TERM;	/* what we have is of a later term than the master's: that cannot follow it */
	if (first)
		term_begins(turn, beat->base);
	if (beat->sent_us > repl->sent_us)
		repl->sent_us = beat->sent_us;
	repl->seen = version_max(repl->seen, beat->upto);
	enum why why = span_take(turn, &span);

	if (version_before(cl->committed, beat->committed))
		cl->committed = beat->committed;
	bool look = at_end(repl, &span) && repl->differs.us != UINT64_MAX;

	if (look)
		repair_heartbeat(turn, beat);
	gap_look(turn);
	if (look && mono_reached(turn->now, mono_add(repl->looked, LOOK_GAP))) {
		repl->looked = turn->now;
		lastseen_send(turn, peer, CL_SEEN_PROBE, 0);	/* the next digests, not when it is their turn */
	} else if (span.tail) {
		ack_send(turn);
	} else {
		repl->ack_at = mono_min(repl->ack_at, mono_add(turn->now, ACK_LATER));
	}
	return why;
}

/* ---- RECORDS ---- */

enum why slave_records(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	struct repl_fetch *fetch = &repl->fetch;
	const struct cl_records *records = &msg->records;
	struct repl_span span = { .prev = records->prev, .upto = records->upto, .root = records->root,
				  .resend = true, .owed = records->have, .records = records->rest };

	if (!CL_GUARD_PASS(ROUND_UNCHECKED, fetch->on && records->round == fetch->round &&
			   peer_slot(cl, peer) == fetch->donor && msg->term == stream_term(cl)))
		return WHY_CL_ROUND;
	if (CL_GUARD(PROMISE_RECORDS, msg->term < cl->promised))	/* another's term was promised */
		return WHY_CL_TERM;
	if (!repl_keys_fit(cl, records->rest))
		return WHY_CL_VALUE;
	span.end = (records->flags & CL_RECORDS_END) != 0;
	span.tail = (records->flags & CL_RECORDS_ROOT) != 0;
	fetch->heard = turn->now;
	fetch->silences = 0;
	fetch->got++;
	bool early = version_before(repl->pos, span.prev);
	enum why why = span_take(turn, &span);

	if (why != WHY_OK || !fetch->on || fetch->round != records->round)
		goto out;
	if (early && version_before(repl->pos, span.upto)) {
		if (fetch->hole.us == UINT64_MAX)
			fetch->hole = turn->now;
	} else {
		fetch->hole = MONO_NEVER;
		if (fetch->got >= fetch->credit / 2)
			fetch_more(turn);
	}
out:
	if (!repl->importing && !repl->clearing) {
		gap_look(turn);
		repl->ack_at = mono_min(repl->ack_at, mono_add(turn->now, ACK_LATER));
	}
	return why;
}

/* ---- import: a node that won a vote gets what the others have and it has not ---- */

void slave_import(struct cl_turn *turn, unsigned slot)
{
	turn->cl->repl->fetch.donor = slot;
	fetch_begin(turn, &turn->cl->peer[slot]);
}

void slave_import_again(struct cl_turn *turn)
{
	struct cl_repl *repl = turn->cl->repl;

	repl->importing = true;
	repl->fetch.whole = repl->fetch.on = true;
	repl->fetch.heard = repl->fetch.asked = turn->now;
	if (!repl->clearing)
		slave_import(turn, repl->fetch.donor);
}

/* ---- time ---- */

static void import_silent(struct cl_turn *turn)
{
	struct cl_repl *repl = turn->cl->repl;

	if (++repl->fetch.silences < SILENCES_MAX) {
		slave_import(turn, repl->fetch.donor);
		return;
	}
	slave_stopped(turn->cl);
	elect_imported(turn, false);
}

/* When the next request is due; MONO_NEVER: nothing is missing. */
static struct mono request_due(const struct cl_repl *repl)
{
	const struct repl_fetch *fetch = &repl->fetch;
	struct dur allow = CL_GUARD(NACK_AT_ONCE, true) ? REPL_ALLOW : DUR_MS(0);
	struct dur between = CL_GUARD(NACK_UNLIMITED, true) ? REPL_NACK_GAP : DUR_MS(1);
	struct mono due = MONO_NEVER;

	if (!fetch->on && repl->gap.us != UINT64_MAX)
		due = mono_add(repl->gap, allow);
	if (fetch->on)
		due = mono_min(mono_add(fetch->heard, REPL_SILENT), mono_add(fetch->hole, allow));
	return due.us == UINT64_MAX ? due : mono_max(due, mono_add(fetch->asked, between));
}

static void request_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	if (!mono_reached(turn->now, request_due(repl)))
		return;
	if (repl->importing) {
		import_silent(turn);
		return;
	}
	bool silent = repl->fetch.on && repl->fetch.hole.us == UINT64_MAX;
	struct cl_peer *donor = repl->fetch.on && !silent ? &cl->peer[repl->fetch.donor] : donor_choose(cl);

	if (silent && ++repl->fetch.silences > 1)	/* the master always has it */
		donor = repl_master(cl);
	if (donor)
		fetch_begin(turn, donor);
	else
		repl->fetch.on = false;
}

/* A slave that lags behind for long is not up to date, whatever it was. */
static struct mono lag_due(const struct cl *cl)
{
	if (!cl->status.up_to_date || cl->repl->gap.us == UINT64_MAX)
		return MONO_NEVER;
	return mono_add(cl->repl->gap, DUR_US(cl->conf.dead_ms * 500u));
}

/* Silence may be one-way, or only multicast's: ask, at the pace of heartbeats. */
static struct mono probe_due(const struct cl *cl)
{
	struct dur patience = DUR_US(cl->conf.dead_ms * 500u);

	if (!repl_follows(cl))
		return MONO_NEVER;
	return mono_max(mono_add(cl->master_heard, patience), mono_add(cl->repl->probed, DUR_MS(cl->conf.interval_ms)));
}

void slave_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	if (repl_is_master(cl) || (!repl->importing && !repl_master(cl)))
		return;
	request_tick(turn);
	if (mono_reached(turn->now, lag_due(cl)))
		cl->status.up_to_date = false;
	if (mono_reached(turn->now, probe_due(cl))) {
		repl->probed = turn->now;
		lastseen_send(turn, repl_master(cl), CL_SEEN_PROBE, 0);
	}
	if (mono_reached(turn->now, repl->ack_at))
		ack_send(turn);
}

struct mono slave_next(const struct cl *cl)
{
	if (repl_is_master(cl) || cl->repl->clearing)
		return MONO_NEVER;
	if (!cl->repl->importing && !repl_follows(cl))
		return MONO_NEVER;
	return mono_min(mono_min(request_due(cl->repl), cl->repl->ack_at), mono_min(lag_due(cl), probe_due(cl)));
}
