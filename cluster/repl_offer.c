/*
 * repl_offer.c -- single records that differ: what a slave tells the master about them, and what that does.
 *
 * A slave whose list goes further than where the term began has changes that the
 * master may not have; it OFFERs them until they were issued anew.  Where any side of
 * a split may go on, both may have changed the same record: what the stream overwrites
 * before it was judged is kept aside, and offered as well.
 */
#include "cluster/repl_state.h"

#define OFFERS_TICK	16u		/* datagrams */
#define OFFER_PACE	DUR_MS(10)
#define OFFERS_STUCK	20u		/* passes without progress, then the master's copies are asked for */
#define ASIDE_TRIES	600u		/* half a minute: a master may be deaf for a while */
#define WINDOW_US	20000u		/* of what is asked of a master, a share is answered in each */
#define WINDOW_TOUCHES	2048u

/* ---- NEED and OFFER, written ---- */

void repair_begin(struct repair *repair, struct cl_turn *turn)
{
	repair->turn = turn;
	repair->found = 0;
	repair->need = wr_of(repair->need_room, sizeof(repair->need_room));
	repair->offer = wr_of(repair->offer_room, sizeof(repair->offer_room));
}

static void need_send(struct repair *repair)
{
	struct cl *cl = repair->turn->cl;
	struct cl_msg msg = { .type = CL_NEED, .term = cl->status.term, .need = { wr_bytes_of(&repair->need) } };
	struct cl_peer *master = repl_master(cl);

	if (master && wr_len(&repair->need) > 0)
		cl_send_to(repair->turn, master, &msg);
	repair->need.p = repair->need.start;
}

static void offer_send(struct repair *repair, unsigned flags)
{
	struct cl *cl = repair->turn->cl;
	struct cl_msg msg = { .type = CL_OFFER, .term = cl->status.term };
	struct cl_peer *master = repl_master(cl);

	msg.offer = (struct cl_offer){ .base = cl->base, .flags = (uint16_t)flags,
				       .rest = wr_bytes_of(&repair->offer) };
	if (master && wr_len(&repair->offer) > 0)
		cl_send_to(repair->turn, master, &msg);
	repair->offer.p = repair->offer.start;
}

void repair_need_key(struct repair *repair, uint32_t key)
{
	if (wr_room(&repair->need) < sizeof(key))
		need_send(repair);
	wr_u32(&repair->need, key);
	repair->found++;
}

void repair_offer_record(struct repair *repair, const struct record *record)
{
	repair->turn->cl->stat[CL_STAT_offers]++;
	repair->found++;
	if (!CL_GUARD(OFFERS_DROPPED, true) || cl_record_add(&repair->offer, record))
		return;
	offer_send(repair, 0);
	bool fits = cl_record_add(&repair->offer, record);

	ASSERT(fits);
}

void repair_end(struct repair *repair)
{
	need_send(repair);
	offer_send(repair, CL_OFFER_LAST);
}

/* One key of which the master has `theirs`, seen when it was at `upto`.  What is still on its way is no difference. */
void repair_compare(struct repair *repair, uint32_t key, struct version theirs, struct version upto)
{
	struct cl *cl = repair->turn->cl;
	struct record ours = records_get(&cl->records, key);

	if (version_eq(theirs, ours.version) || version_before(cl->repl->pos, theirs) ||
	    version_before(upto, ours.version))
		return;
	if (version_before(ours.version, theirs))
		repair_need_key(repair, key);
	else
		repair_offer_record(repair, &ours);
}

/* ---- what we alone have, after a new term ---- */

void offer_begin(struct cl_turn *turn, struct version base)
{
	struct cl_repl *repl = turn->cl->repl;

	repl->offering = true;
	repl->offer_placed = false;
	repl->offer_base = base;
	repl->offer_due = turn->now;
	repl->offer_found = repl->offer_before = 0;
	repl->offer_stuck = 0;
	repl->asides_wanted = turn->cl->conf.members == 0;
}

/* What was kept aside and has not been judged is as good as before, to the next master. */
void offer_renewed(struct cl *cl)
{
	struct cl_repl *repl = cl->repl;

	repl->offering = false;
	for (uint32_t n = 0; n < repl->asides; n++) {
		repl->aside[n].sent = 0;
		repl->aside[n].over = records_get(&cl->records, repl->aside[n].key).version;
	}
	repl->aside_tries = 0;
	repl->aside_due = (struct mono){ 1 };
}

void offer_stopped(struct cl *cl)
{
	cl->repl->offering = cl->repl->asides_wanted = false;
	cl->repl->asides = cl->repl->aside_octets = 0;
}

/* All behind base was gone through once.  What the master issued anew has left that part of the list. */
static void offer_pass_ended(struct cl_turn *turn)
{
	struct cl_repl *repl = turn->cl->repl;

	if (repl->offer_found == 0) {
		repl->offering = false;
		return;
	}
	repl->offer_stuck = repl->offer_found == repl->offer_before ? repl->offer_stuck + 1 : 0;
	if (repl->offer_found < repl->offer_before)
		repair_goes_on(turn);
	repl->offer_before = repl->offer_found;
	repl->offer_found = 0;
	repl->offer_placed = false;
	repl->offer_due = mono_add(turn->now, REPL_SILENT);
}

static void pass_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	struct version begin = version_of(repl->term, 0);
	struct repair repair;
	struct record record;
	uint32_t octets = 0;
	bool ended = true;

	if (!repl->offering || !mono_reached(turn->now, repl->offer_due))
		return;
	repl->offer_due = mono_add(turn->now, OFFER_PACE);
	if (!repl->offer_placed)
		repl->offer_placed = records_seek(&cl->records, REPL_OFFER, repl->offer_base);
	if (!repl->offer_placed)
		return;
	repair_begin(&repair, turn);
	while (records_next(&cl->records, REPL_OFFER, &record) && version_before(record.version, begin)) {
		if (octets > OFFERS_TICK * REPL_REST_MAX) {
			records_unread(&cl->records, REPL_OFFER);
			ended = false;
			break;
		}
		octets += CL_RECORD_OVERHEAD + record.octets.len;
		if (repl->offer_stuck < OFFERS_STUCK)
			repair_offer_record(&repair, &record);
		else
			repair_need_key(&repair, record.key);
	}
	repl->offer_found += repair.found;
	repair_end(&repair);
	if (ended)
		offer_pass_ended(turn);
}

/* ---- what was overwritten before it was judged ---- */

void offer_overwritten(struct cl *cl, const struct record *by)
{
	struct cl_repl *repl = cl->repl;

	if (!repl->asides_wanted)
		return;
	struct record ours = records_get(&cl->records, by->key);

	if (!version_before(repl->offer_base, ours.version) ||
	    !version_before(ours.version, version_of(repl->term, 0)) || bytes_eq(ours.octets, by->octets))
		return;
	if (repl->asides == REPL_ASIDES || repl->aside_octets + ours.octets.len > REPL_ASIDE_OCTETS)
		return;
	struct repl_aside *aside = &repl->aside[repl->asides];

	*aside = (struct repl_aside){ .key = by->key, .at = repl->aside_octets, .len = ours.octets.len,
				      .version = ours.version, .over = by->version };
	if (ours.octets.len)
		memcpy(repl->aside_room + aside->at, ours.octets.p, ours.octets.len);
	repl->aside_octets += ours.octets.len;
	if (repl->asides++ == 0)
		repl->aside_due = (struct mono){ 1 };
	repl->aside_tries = 0;
}

/* The master has judged what it issued again since; twice, as it may have changed it by itself meanwhile. */
static void asides_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	struct repair repair;
	uint32_t octets = 0;

	if (!repl->asides || !mono_reached(turn->now, repl->aside_due))
		return;
	repair_begin(&repair, turn);
	for (uint32_t n = 0; n < repl->asides && octets < OFFERS_TICK * REPL_REST_MAX; n++) {
		struct repl_aside *aside = &repl->aside[n];
		struct record record = { .key = aside->key, .version = aside->version,
					 .octets = bytes_of(repl->aside_room + aside->at, aside->len) };

		if (aside->sent >= 2 && !version_eq(records_get(&cl->records, aside->key).version, aside->over))
			continue;
		aside->sent++;
		repair_offer_record(&repair, &record);
		octets += CL_RECORD_OVERHEAD + aside->len;
	}
	repair_end(&repair);
	repl->aside_due = mono_add(turn->now, REPL_SILENT);
	if (repair.found == 0 || ++repl->aside_tries > ASIDE_TRIES)
		repl->asides = repl->aside_octets = 0;
}

void offer_tick(struct cl_turn *turn)
{
	pass_tick(turn);
	asides_tick(turn);
}

struct mono offer_next(const struct cl *cl)
{
	const struct cl_repl *repl = cl->repl;
	struct mono next = repl->offering ? repl->offer_due : MONO_NEVER;

	return repl->asides ? mono_min(next, repl->aside_due) : next;
}

/* ---- the master's answers ---- */

/* A share of what the master issues anew in answer to others: the rest is asked for again. */
bool answer_allowed(struct cl_turn *turn)
{
	struct cl_repl *repl = turn->cl->repl;

	if (repl->touched_window != turn->now.us / WINDOW_US) {
		repl->touched_window = turn->now.us / WINDOW_US;
		repl->touches = 0;
	}
	return repl->touches++ < WINDOW_TOUCHES;
}

static bool touch(struct cl_turn *turn, uint32_t key)
{
	if (!answer_allowed(turn) || cl_touch(turn->cl, key) != CL_CHANGED)
		return false;
	turn->cl->stat[CL_STAT_repairs]++;
	return true;
}

enum why repair_need(struct cl_turn *turn, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	struct rd r = rd_bytes(msg->need.rest);

	if (!cl_may_change(cl))
		return WHY_CL_ROLE;
	while (rd_left(&r) >= sizeof(uint32_t))
		if (rd_u32(&r) >= cl->records.keys)
			return WHY_CL_VALUE;
	r = rd_bytes(msg->need.rest);
	while (rd_left(&r) >= sizeof(uint32_t) && touch(turn, rd_u32(&r)))
		;
	cl_flush(cl, turn->now, turn->out);
	return WHY_OK;
}

void offered_tell(struct cl_turn *turn, struct node_id by, const struct record *record)
{
	struct fx_cl_offered *offered = fx_add(turn->out, FX_CL_OFFERED, record->key,
					       sizeof(*offered) + record->octets.len);

	*offered = (struct fx_cl_offered){ .by = by, .version = record->version };
	if (record->octets.len)
		memcpy(offered + 1, record->octets.p, record->octets.len);
	turn->cl->stat[CL_STAT_offers]++;
}

/*
 * Both sides of a split changed it.  Where a quorum is needed nobody saw the other side's
 * change; else the daemon must know, to end one of two.  A deletion stands (R33).
 */
static bool conflict_told(struct cl *cl, const struct record *ours, const struct record *record)
{
	if (cl->conf.members || !CL_GUARD_PASS(DELETED_RESURRECTED, ours->octets.len > 0) ||
	    bytes_eq(ours->octets, record->octets))
		return false;
	cl->stat[CL_STAT_conflicts]++;
	return true;
}

enum why repair_offered(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	struct version begin = version_of(cl->status.term, 0);
	struct rd r = rd_bytes(msg->offer.rest);
	struct record record;

	if (!cl_may_change(cl))
		return WHY_CL_ROLE;
	if (!repl_keys_fit(cl, msg->offer.rest))
		return WHY_CL_VALUE;
	while (cl_record_next(&r, &record)) {
		struct record ours = records_get(&cl->records, record.key);

		if (!version_before(ours.version, begin)) {	/* changed in this term: the stream brings it */
			if (conflict_told(cl, &ours, &record))
				offered_tell(turn, peer->node, &record);
			continue;
		}
		if (!CL_GUARD_PASS(DELETED_RESURRECTED, version_before(ours.version, record.version)) ||
		    bytes_eq(ours.octets, record.octets))
			(void)touch(turn, record.key);
		else
			offered_tell(turn, peer->node, &record);
	}
	cl_flush(cl, turn->now, turn->out);
	return WHY_OK;
}
