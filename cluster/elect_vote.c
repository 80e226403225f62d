/*
 * elect_vote.c -- asking for a term, and answering who asks.
 *
 * Two rounds.  PRECLAIM changes nothing anywhere: a node that is merely cut off learns
 * that nobody would follow it, and no term advances.  CLAIM binds: who grants a term
 * grants it to nobody else, and follows no lower one.  The winner takes the newest copy
 * among those who granted before it begins.
 */
#include "cluster/elect.h"

#include <stdio.h>

static bool in_round(const struct cl *cl)
{
	return cl->vote->phase == PHASE_PRECLAIM || cl->vote->phase == PHASE_CLAIM;
}

static bool self_votes(const struct cl *cl, struct mono now)
{
	return !cl->stopped && (!cl->fresh || fresh_votes_count(cl, NULL, cl->have, now));
}

/* ---- a voter ---- */

static bool we_are_older(const struct cl *cl, const struct cl_peer *peer, const struct cl_claim *claim, struct mono now)
{
	struct cl_senior ours = senior_self(cl, now);
	struct cl_senior theirs = { .fresh = peer->ping.flags & CL_IS_FRESH, .join_no = claim->join_no,
				    .age_ms = claim->age_ms, .address = claim->address };

	return senior_before(&ours, &theirs);
}

/* May this node have that term?  The order is that of the answers' worth to the candidate. */
static enum cl_refusal judge(const struct cl *cl, const struct cl_peer *peer, const struct cl_msg *msg, struct mono now)
{
	const struct cl_vote *vote = cl->vote;
	uint32_t term = msg->term;

	if (cl->stopped)
		return CL_NO_NOT_MEMBER;
	if (CL_GUARD(STICKINESS, elect_master_lives(cl, cl->conf.grant_ms, now)))
		return CL_NO_MASTER_ALIVE;
	if (CL_GUARD(ABSTAIN, !mono_reached(now, vote->abstain_until)) && !(cl->fresh && elect_open(cl)))
		return cl->fresh ? CL_NO_FRESH : CL_NO_MASTER_ALIVE;
	if (term <= cl->status.term || term <= vote->closed_term)
		return CL_NO_TERM_OLD;
	if (term < cl->promised ||
	    CL_GUARD(PROMISE, term == cl->promised && !node_eq(vote->promised_to, peer->node)))
		return CL_NO_PROMISED;
	if (CL_GUARD(FRESH_VOTE, cl->fresh && !fresh_votes_count(cl, peer, msg->claim.have, now)))
		return CL_NO_FRESH;
	if (vote->phase == PHASE_IMPORT || (in_round(cl) && we_are_older(cl, peer, &msg->claim, now)))
		return CL_NO_OLDER_WAITS;
	return CL_GRANTED;
}

static void grant(struct cl_turn *turn, struct cl_peer *peer, uint32_t term)
{
	struct cl *cl = turn->cl;

	if (cl->status.role != CL_ROLE_SLAVE)
		elect_yield(turn, "another node is granted a higher term");
	vote_abandon(cl);
	elect_promise(cl, term, peer->node);
	peer->granted_term = term;
	cl->vote->quiet_from = turn->now;	/* it has as long as a master to be heard */
	cl->vote->claim_at = (struct mono){ 0 };
}

/* A PRECLAIM is answered yes: it binds nobody, but two that ask at once would only be in each other's way. */
static void let_it_try(struct cl_turn *turn, struct cl_peer *peer, uint32_t term)
{
	struct cl_vote *vote = turn->cl->vote;
	struct mono later = mono_add(turn->now, DUR_MS(RANK_MS + rnd_below(&turn->cl->rnd, RANK_MS)));

	peer->preclaimed_term = term;
	if (mono_before(vote->retry_at, later))
		vote->retry_at = later;
	if (vote->phase == PHASE_PRECLAIM)
		vote_abandon(turn->cl);
}

enum why vote_asked(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	bool claim = msg->type == CL_CLAIM;
	enum cl_refusal refusal = judge(cl, peer, msg, turn->now);
	struct cl_msg answer = { .type = CL_GRANT, .term = msg->term };

	if (msg->term > TERM_MAX)
		return WHY_CL_VALUE;
	if (claim)	/* who only asks whether he may has taken nothing: two that wait would drive each other on */
		cl->vote->term_max = max_u32(cl->vote->term_max, msg->term);
	if (refusal == CL_GRANTED && claim)
		grant(turn, peer, msg->term);
	else if (refusal == CL_GRANTED)
		let_it_try(turn, peer, msg->term);
	bool lives = elect_master_lives(cl, cl->conf.grant_ms, turn->now);

	answer.grant = (struct cl_grant){
		.round = msg->claim.round, .claim = claim, .refusal = (uint8_t)refusal,
		.promised = max_u32(cl->promised, max_u32(cl->status.term, cl->vote->closed_term)), .have = cl->have,
		.fresh = cl->fresh,
		.master = lives ? cl->status.master : (struct node_id){ 0 },
	};
	if (refusal == CL_GRANTED || CL_GUARD(REFUSALS_ANSWERED, true))
		cl_send_to(turn, peer, &answer);
	return WHY_OK;
}

/* ---- a candidate ---- */

void vote_abandon(struct cl *cl)
{
	cl->vote->phase = PHASE_IDLE;
	cl->vote->after_leave = false;
}

static void send_ask(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_senior self = senior_self(cl, turn->now);
	const struct node_id nobody = { 0 };
	struct cl_msg msg = { .type = CL_PRECLAIM, .term = cl->vote->asking };

	if (cl->vote->phase == PHASE_CLAIM)
		msg.type = CL_CLAIM;
	msg.claim = (struct cl_claim){ .round = cl->vote->round, .have = cl->have, .age_ms = self.age_ms,
				       .join_no = self.join_no, .address = self.address,
				       .rank = (uint8_t)elect_rank(cl, turn->now, nobody, nobody),
				       .after_leave = cl->vote->after_leave };
	cl->vote->resend_at = mono_add(turn->now, DUR_MS(RESEND_MS));
	cl_send_all(turn, &msg);
}

static void ask(struct cl_turn *turn, enum cl_phase phase)
{
	struct cl_vote *vote = turn->cl->vote;

	memset(vote->answer, 0, sizeof(vote->answer));
	vote->phase = phase;
	vote->round++;
	vote->asked_at = turn->now;
	vote->phase_until = mono_add(turn->now, DUR_MS(elect_open(turn->cl) ? OPEN_WAIT_MS : ROUND_MS));
	send_ask(turn);
}

/* Try again at a time of our own, later and later while a master is known to others. */
static void try_later(struct cl_turn *turn, const char *why)
{
	struct cl *cl = turn->cl;
	uint32_t wait = RETRY_MIN_MS + rnd_below(&cl->rnd, RETRY_MAX_MS - RETRY_MIN_MS + 1);

	if (cl->vote->after_leave)
		wait = RESEND_MS + rnd_below(&cl->rnd, RESEND_MS);
	else if (cl->vote->living)
		wait *= 1u << min_u32(cl->vote->living - 1, 3);
	cl->vote->retry_at = mono_add(turn->now, DUR_MS(wait));
	cl->vote->forced = false;
	vote_abandon(cl);
	if (cl->status.role != CL_ROLE_SLAVE)
		role_set(turn, CL_ROLE_SLAVE, cl->status.term, (struct node_id){ 0 }, why);
}

/*
 * The next term.  Where a quorum decides, no two nodes can win one, and the next number
 * will do.  Elsewhere two sides may found theirs unknown to each other: the numbers are
 * spread, so that they are hardly ever the same.
 */
static uint32_t next_term(struct cl *cl)
{
	const struct cl_vote *vote = cl->vote;
	uint32_t term = max_u32(max_u32(vote->term_max, cl->promised), max_u32(cl->status.term, vote->closed_term)) + 1;

	if (elect_open(cl) || (cl->fresh && peers_alive(cl) + 1 < cl->conf.members))
		term += rnd_below(&cl->rnd, 64);
	return min_u32(term, TERM_MAX);
}

static unsigned count_votes(const struct cl *cl, struct mono now, bool *all, bool *no, bool *lives)
{
	unsigned votes = self_votes(cl, now);

	*all = true;
	*no = *lives = false;
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		const struct cl_peer *peer = &cl->peer[i];
		const struct cl_answer *answer = &cl->vote->answer[i];

		if (answer->came && !answer->yes) {
			*no = true;
			*lives |= answer->refusal == CL_NO_MASTER_ALIVE;
		}
		if (!peer->used || !peer->member || CL_GUARD(CONFIG, peer->refused))
			continue;
		if (peer->alive && !peer->leaving && !answer->came)
			*all = false;
		votes += answer->came && answer->yes;
	}
	return votes;
}

static struct cl_peer *best_voter(struct cl *cl)
{
	struct cl_peer *best = NULL;
	struct version have = cl->have;

	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		const struct cl_answer *answer = &cl->vote->answer[i];

		if (!cl->peer[i].used || !answer->came || !answer->yes || !version_before(have, answer->have))
			continue;
		best = &cl->peer[i];
		have = answer->have;
	}
	return best;
}

static const char *won_by(const struct cl *cl, char text[96])
{
	const char *how = cl->vote->forced ? "by an operator's word" : cl->conf.members ? "by a quorum" :
			  "by all that answered";

	snprintf(text, 96, "elected %s%s", how, cl->vote->after_leave ? " after a handover" : "");
	return text;
}

static void claim_won(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_peer *best = CL_GUARD(IMPORT_BEST, true) ? best_voter(cl) : NULL;
	char text[96];

	if (!best) {
		elect_won(turn, won_by(cl, text));
		return;
	}
	cl->vote->phase = PHASE_IMPORT;
	cl->vote->phase_until = mono_add(turn->now, DUR_MS(IMPORT_MS));
	snprintf(text, sizeof(text), "elected, node %u knows more", best->node.n);
	role_set(turn, CL_ROLE_IMPORTING, cl->status.term, (struct node_id){ 0 }, text);
	repl_import(turn, best);
}

static void claim_begin(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;

	const char *why = cl->vote->forced ? "an operator wants it" : cl->vote->after_leave ? "the master left" :
			  "no master is heard";

	elect_promise(cl, cl->vote->asking, cl->conf.self);
	cl->stat[CL_STAT_elections]++;
	role_set(turn, CL_ROLE_CANDIDATE, cl->status.term, (struct node_id){ 0 }, why);
	ask(turn, PHASE_CLAIM);
}

/* Is the round decided?  `over`: its time is up. */
static void round_look(struct cl_turn *turn, bool over)
{
	struct cl *cl = turn->cl;
	bool all, no, lives, won;
	unsigned votes = count_votes(cl, turn->now, &all, &no, &lives);

	if (!in_round(cl))
		return;
	cl->vote->votes = votes;
	if (elect_open(cl))
		won = !cl->stopped && (all || over) && (!no || (cl->vote->forced && !lives));
	else
		won = votes >= cl_quorum(cl);
	if (won && cl->vote->phase == PHASE_PRECLAIM) {
		claim_begin(turn);
		round_look(turn, false);	/* a node alone needs nobody's answer */
	} else if (won && cl->vote->forced && cl->vote->term_max > cl->vote->asking) {
		cl->vote->asking = next_term(cl);	/* somebody is beyond ours, and would not follow */
		claim_begin(turn);
	} else if (won) {
		claim_won(turn);
	} else if (over || all) {
		cl->vote->living = lives ? cl->vote->living + 1 : 0;
		try_later(turn, lives ? "others hear a master" : "not enough votes");
	}
}

enum why vote_answered(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	const struct cl_grant *grant_ = &msg->grant;

	cl->vote->term_max = max_u32(cl->vote->term_max, grant_->promised);
	if (!in_round(cl) || grant_->round != cl->vote->round || msg->term != cl->vote->asking ||
	    (grant_->claim != 0) != (cl->vote->phase == PHASE_CLAIM))
		return WHY_CL_ROUND;
	struct cl_answer *answer = &cl->vote->answer[peer - cl->peer];
	bool yes = grant_->refusal == CL_GRANTED;

	if (CL_GUARD(FRESH_VOTE, yes && grant_->fresh && !fresh_votes_count(cl, NULL, cl->have, turn->now)))
		yes = false;
	*answer = (struct cl_answer){ .came = true, .yes = yes, .fresh = grant_->fresh, .refusal = grant_->refusal,
				      .have = grant_->have };
	round_look(turn, false);
	return WHY_OK;
}

void elect_imported(struct cl_turn *turn, bool done)
{
	struct cl *cl = turn->cl;
	char text[96];

	if (cl->vote->phase != PHASE_IMPORT)
		return;
	if (done)
		elect_won(turn, won_by(cl, text));
	else
		try_later(turn, "the newest copy could not be had");
}

/* ---- when ---- */

static bool may_ask(const struct cl *cl, struct mono now)
{
	const struct cl_vote *vote = cl->vote;

	if (cl->leaving || cl->status.role != CL_ROLE_SLAVE || vote->phase != PHASE_IDLE || cl->status.master.n)
		return false;
	if (!peer_is_member(cl, cl->conf.address))
		return false;
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {	/* the odd one out founds no cluster of its own */
		const struct cl_peer *peer = &cl->peer[i];

		if (peer->used && peer->refused && peer->alive && (peer->ping.flags & CL_IS_MASTER))
			return false;
	}
	return !cl->fresh || self_votes(cl, now);
}

static struct mono ask_at(const struct cl *cl, struct mono now)
{
	const struct cl_vote *vote = cl->vote;
	uint64_t wait_ms = cl->conf.dead_ms;
	struct mono at;

	if (CL_GUARD(RANK, true))
		wait_ms += (uint64_t)elect_rank(cl, now, (struct node_id){ 0 }, (struct node_id){ 0 }) * RANK_MS;
	at = vote->claim_at.us ? vote->claim_at : mono_add(elect_quiet_from(cl), DUR_MS(wait_ms));
	if (mono_before(at, vote->retry_at))
		at = vote->retry_at;
	if (CL_GUARD(ABSTAIN, mono_before(at, vote->abstain_until)) && !vote->claim_at.us)
		at = vote->abstain_until;
	return at;
}

static void begin(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_vote *vote = cl->vote;

	vote->asking = next_term(cl);
	if (vote->asking <= cl->status.term) {		/* there are no more */
		try_later(turn, "");
		return;
	}
	vote->after_leave = vote->claim_at.us != 0;
	if (CL_GUARD_PASS(PRECLAIM, false) || vote->forced)
		claim_begin(turn);
	else
		ask(turn, PHASE_PRECLAIM);
	round_look(turn, false);
}

void vote_force(struct cl_turn *turn)
{
	vote_abandon(turn->cl);
	turn->cl->vote->forced = true;
	begin(turn);
}

void vote_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_vote *vote = cl->vote;

	if (vote->phase == PHASE_IMPORT) {
		if (mono_reached(turn->now, vote->phase_until))
			elect_imported(turn, false);
	} else if (in_round(cl)) {
		if (mono_reached(turn->now, vote->phase_until))
			round_look(turn, true);
		else if (mono_reached(turn->now, vote->resend_at))
			send_ask(turn);
	} else if (may_ask(cl, turn->now) && mono_reached(turn->now, ask_at(cl, turn->now))) {
		begin(turn);
	}
}

struct mono vote_next(const struct cl *cl)
{
	const struct cl_vote *vote = cl->vote;

	if (vote->phase == PHASE_IMPORT)
		return vote->phase_until;
	if (in_round(cl))
		return mono_min(vote->phase_until, vote->resend_at);
	if (!may_ask(cl, cl->awake))
		return MONO_NEVER;
	return ask_at(cl, cl->awake);
}
