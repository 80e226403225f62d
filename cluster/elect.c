/* elect.c -- roles: who is followed, who yields, and what everybody is told of it. */
#include "cluster/elect.h"

#include <stdio.h>

#include "l2tpns/base/say.h"

static const char *const role_names[CL_ROLES] = {
	[CL_ROLE_SLAVE] = "slave",
	[CL_ROLE_CANDIDATE] = "candidate",
	[CL_ROLE_IMPORTING] = "importing",
	[CL_ROLE_MASTER] = "master",
};

const char *cl_role_name(enum cl_role role)
{
	return role < CL_ROLES ? role_names[role] : "?";
}

void elect_init(struct cl *cl, struct arena *arena)
{
	cl->vote = arena_take(arena, 1, sizeof(*cl->vote));
	if (!cl->vote)
		return;		/* only measuring */
	struct cl_vote *vote = cl->vote;

	cl->fresh = true;
	cl->status.frozen = true;
	cl->master_heard = vote->quiet_from = vote->stateful_heard = cl->started;
	vote->abstain_until = mono_add(cl->started, DUR_MS(cl->conf.dead_ms));
	vote->leave_due = vote->leave_until = MONO_NEVER;
	snprintf(cl->reason, sizeof(cl->reason), "started");
}

struct mono elect_quiet_from(const struct cl *cl)
{
	return mono_before(cl->master_heard, cl->vote->quiet_from) ? cl->vote->quiet_from : cl->master_heard;
}

bool elect_master_lives(const struct cl *cl, uint32_t within_ms, struct mono now)
{
	if (cl->status.role == CL_ROLE_MASTER)
		return !cl->status.frozen;
	return cl->status.master.n && !mono_reached(now, mono_add(cl->master_heard, DUR_MS(within_ms)));
}

bool elect_term_over(const struct cl *cl, uint32_t term)
{
	if (CL_GUARD(CLOSED_TERM, term <= cl->vote->closed_term))
		return true;
	return term < cl->status.term || CL_GUARD(PROMISE_HEARTBEAT, term < cl->promised);
}

void elect_promise(struct cl *cl, uint32_t term, struct node_id to)
{
	cl->vote->term_max = max_u32(cl->vote->term_max, term);
	if (term < cl->promised)
		return;
	cl->promised = term;
	cl->vote->promised_to = to;
}

/* The one place where a role changes, with one line for it (requirement R63). */
void role_set(struct cl_turn *turn, enum cl_role role, uint32_t term, struct node_id master, const char *reason)
{
	struct cl *cl = turn->cl;
	char text[SAY_TEXT_MAX];
	enum cl_role was = cl->status.role;

	snprintf(cl->reason, sizeof(cl->reason), "%s", reason);
	snprintf(text, sizeof(text), "%s, was %s, master %u: %s", cl_role_name(role), cl_role_name(was), master.n,
		 reason);
	cl->status.role = role;
	cl->status.term = term;
	cl->status.master = master;
	cl->vote->term_max = max_u32(cl->vote->term_max, term);
	say(turn->out, SAY_CLUSTER_ROLE, (struct tid){ 0 }, (struct row){ 0 },
	    SAY_ARG(term, cl->vote->votes, cl_votes(cl),
		    (uint32_t)dur_ms(mono_since(turn->now, cl->master_heard))), bytes_str(text));
}

void elect_yield(struct cl_turn *turn, const char *reason)
{
	struct cl *cl = turn->cl;
	bool master = cl->status.role == CL_ROLE_MASTER;

	vote_abandon(cl);
	cl->vote->forced = false;
	cl->vote->quiet_from = turn->now;
	if (master)
		cl->master_heard = turn->now;
	role_set(turn, CL_ROLE_SLAVE, cl->status.term, (struct node_id){ 0 }, reason);
	if (master)
		repl_became_slave(turn, false);
}

static void follow(struct cl_turn *turn, struct cl_peer *peer, uint32_t term)
{
	struct cl *cl = turn->cl;

	vote_abandon(cl);
	cl->vote->forced = false;
	cl->vote->claim_at = (struct mono){ 0 };
	cl->vote->living = 0;
	cl->vote->votes = 0;
	role_set(turn, CL_ROLE_SLAVE, term, peer->node, "a master is heard");
	cl->master_heard = turn->now;
	elect_promise(cl, term, peer->node);
	if (cl->vote->followed != term)
		repl_became_slave(turn, true);
	cl->vote->followed = term;
	forward_master_known(turn);
}

/* How late the master's beats come is kept, so that an operator sees the trouble before the failure (R6). */
static void beat_came(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	uint64_t gap_ms = dur_ms(mono_since(turn->now, cl->master_heard));

	cl_late(cl, gap_ms > cl->conf.interval_ms ? DUR_MS(gap_ms - cl->conf.interval_ms) : DUR_MS(0), turn->now);
	if (gap_ms * 2 >= cl->conf.dead_ms && cl_log_due(&cl->vote->said_late, turn->now, DUR_S(10)))
		say(turn->out, SAY_CLUSTER_LATE, (struct tid){ 0 }, (struct row){ 0 },
		    SAY_ARG((uint32_t)gap_ms, cl->conf.dead_ms), SAY_NONE);
	cl->master_heard = turn->now;
}

/*
 * Two masters of one term: only where no quorum is configured.  Whoever knows more goes
 * on, then the older, then the lower address; compared as both told it in their PINGs.
 */
static bool we_go_on(const struct cl *cl, const struct cl_peer *peer)
{
	struct cl_senior ours = { .age_ms = cl->pinged.basetime_ms, .address = cl->conf.address };
	struct cl_senior theirs = { .age_ms = peer->ping.basetime_ms, .address = peer->ping.address };

	if (!version_eq(cl->pinged.have, peer->ping.have))
		return version_before(peer->ping.have, cl->pinged.have);
	return senior_before(&ours, &theirs);
}

void elect_heard_master(struct cl_turn *turn, struct cl_peer *peer, uint32_t term)
{
	struct cl *cl = turn->cl;

	if (CL_GUARD(LOWER_TERM, elect_term_over(cl, term)) || cl->stopped)
		return;
	if (cl->status.role == CL_ROLE_SLAVE && term == cl->status.term && node_eq(cl->status.master, peer->node)) {
		if (cl->vote->phase != PHASE_IDLE)
			vote_abandon(cl);
		cl->vote->living = 0;
		beat_came(turn);
		return;
	}
	if (cl->status.role == CL_ROLE_MASTER && term == cl->status.term) {
		if (we_go_on(cl, peer)) {
			elect_tell_master(turn, peer, CL_HEARTBEAT);
			return;
		}
	} else if (cl->status.role == CL_ROLE_SLAVE && term == cl->status.term && cl->status.master.n) {
		return;		/* two of one term; they settle it between them */
	}
	if (cl->status.role == CL_ROLE_MASTER) {
		if (!CL_GUARD(YIELD, true))
			return;
		elect_yield(turn, "another master has the higher term");
	}
	follow(turn, peer, term);
}

/* `real`: somebody was or is master of that term.  Otherwise it is only promised. */
static void term_is_higher(struct cl_turn *turn, uint32_t term, bool real)
{
	struct cl *cl = turn->cl;

	cl->vote->term_max = max_u32(cl->vote->term_max, term);
	if (term <= cl->status.term || !CL_GUARD(YIELD, true))
		return;
	if (real && term >= cl->promised)
		elect_promise(cl, term, cl->promised == term ? cl->vote->promised_to : (struct node_id){ 0 });
	bool ours = cl->vote->phase != PHASE_IDLE && cl->vote->asking > term;

	if (cl->status.role == CL_ROLE_MASTER || (cl->vote->phase != PHASE_IDLE && !ours))
		elect_yield(turn, "a higher term was heard of");
	if (!real)
		return;
	if (cl->status.role == CL_ROLE_SLAVE && cl->status.master.n)
		role_set(turn, CL_ROLE_SLAVE, term, (struct node_id){ 0 }, "the master's term is over");
	cl->status.term = term;
	cl->vote->quiet_from = turn->now;
}

void elect_higher_term(struct cl_turn *turn, uint32_t term, struct node_id master)
{
	term_is_higher(turn, term, master.n != 0);
}

void elect_pinged(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	bool master = msg->ping.flags & CL_IS_MASTER;

	if (!(msg->ping.flags & CL_IS_FRESH) || master)
		cl->vote->stateful_heard = turn->now;
	if (msg->term > cl->status.term)
		term_is_higher(turn, msg->term, true);
	else if (master && (elect_term_over(cl, msg->term) ||
			    (msg->term == cl->status.term && cl->status.role == CL_ROLE_MASTER &&
			     we_go_on(cl, peer))))
		elect_tell_master(turn, peer, CL_PING);
	if (msg->ping.basetime_ms == 0 && node_eq(cl->status.master, peer->node) &&
	    cl->status.role == CL_ROLE_SLAVE)
		elect_master_left(turn, cl->status.term, (struct node_id){ 0 });
}

void elect_tell_master(struct cl_turn *turn, struct cl_peer *peer, enum cl_type about)
{
	struct cl *cl = turn->cl;
	struct cl_msg msg = { .type = CL_MASTER, .term = cl->status.term, .master = { .about = (uint8_t)about } };
	struct cl_peer *master = cl_peer_of(cl, cl->status.master);

	if (!CL_GUARD(REFUSALS_ANSWERED, true) || !cl_log_due(&peer->told, turn->now, DUR_MS(LEAVE_GAP_MS)))
		return;
	msg.master.master = cl->status.master;
	msg.master.master_term = cl->status.term;
	if (cl->promised > cl->status.term) {		/* who will be its master is not known yet */
		msg.master.master.n = 0;
		msg.master.master_term = cl->promised;
	}
	if (cl->status.role == CL_ROLE_MASTER)
		msg.master.address = cl->conf.address;
	else if (master)
		msg.master.address = master->from;
	cl_send_to(turn, peer, &msg);
}

static enum why master_told(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	const struct cl_master *m = &msg->master;

	if (m->master_term > cl->status.term)
		term_is_higher(turn, m->master_term, m->master.n != 0);
	else if (m->master_term == cl->status.term && cl->status.role == CL_ROLE_MASTER &&
		 node_eq(m->master, peer->node) && !we_go_on(cl, peer))
		elect_yield(turn, "another master of this term knows more, or is older");
	return WHY_OK;
}

enum why elect_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	switch (msg->type) {
	case CL_PRECLAIM:
	case CL_CLAIM:	return vote_asked(turn, peer, msg);
	case CL_GRANT:	return vote_answered(turn, peer, msg);
	case CL_LEAVE:	return leave_received(turn, peer, msg);
	case CL_LEFT:	return left_received(turn, peer, msg);
	case CL_MASTER:	return master_told(turn, peer, msg);
	default:	return WHY_CL_TYPE;
	}
}

/* The vote is won and the newest copy is here: the term begins. */
void elect_won(struct cl_turn *turn, const char *reason)
{
	struct cl *cl = turn->cl;
	uint32_t term = cl->vote->asking;

	vote_abandon(cl);
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		cl->peer[i].acked = (struct mono){ 0 };
		cl->peer[i].up_to_date = false;
	}
	cl->vote->claim_at = (struct mono){ 0 };
	cl->vote->living = 0;
	cl->vote->lasted = false;
	cl->vote->followed = 0;
	cl->vote->frozen_since = turn->now;
	cl->vote->enough_since = (struct mono){ 0 };
	cl->vote->leave_due = cl->vote->leave_until = MONO_NEVER;
	elect_promise(cl, term, cl->conf.self);
	cl->fresh = false;
	cl->stat[CL_STAT_masterships]++;
	role_set(turn, CL_ROLE_MASTER, term, cl->conf.self, reason);
	repl_became_master(turn);
	forward_master_known(turn);
}

void elect_peer_died(struct cl_turn *turn, struct cl_peer *peer)
{
	struct cl *cl = turn->cl;

	peer->acked = (struct mono){ 0 };
	peer->granted_term = peer->preclaimed_term = 0;
	/* A boot that is over cannot go on as master, however recently it was heard. */
	if (cl->status.role == CL_ROLE_SLAVE && node_eq(cl->status.master, peer->node) && !peer->alive)
		role_set(turn, CL_ROLE_SLAVE, cl->status.term, (struct node_id){ 0 }, "the master is gone");
}

void elect_slept(struct cl *cl, struct dur gap, struct mono now)
{
	struct cl_vote *vote = cl->vote;

	if (CL_GUARD(AWAKE, true)) {
		cl->master_heard = mono_min(now, mono_add(cl->master_heard, gap));
		vote->quiet_from = mono_min(now, mono_add(vote->quiet_from, gap));
		vote->stateful_heard = mono_min(now, mono_add(vote->stateful_heard, gap));
	}
	if (CL_GUARD(ABSTAIN, true))
		vote->abstain_until = mono_add(now, DUR_MS(cl->conf.interval_ms));
}

void elect_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_vote *vote = cl->vote;

	if (cl->status.role == CL_ROLE_MASTER) {
		/* Whom no quorum hears is not needed: another may be heard. */
		if (cl->status.frozen &&
		    mono_reached(turn->now, mono_add(vote->frozen_since, DUR_MS((uint64_t)cl->conf.dead_ms * 4))))
			elect_yield(turn, "frozen for too long");
	} else if (cl->status.role == CL_ROLE_SLAVE && cl->status.master.n &&
		   mono_reached(turn->now, mono_add(cl->master_heard, DUR_MS(cl->conf.dead_ms)))) {
		role_set(turn, CL_ROLE_SLAVE, cl->status.term, (struct node_id){ 0 }, "the master is silent");
	}
	vote_tick(turn);
	leave_tick(turn);
}

struct mono elect_next(const struct cl *cl)
{
	struct cl_vote *vote = cl->vote;
	struct mono next = mono_min(vote->leave_due, vote_next(cl));

	if (cl->status.role == CL_ROLE_MASTER) {
		next = mono_min(next, cl->status.frozen ?
				mono_add(vote->frozen_since, DUR_MS((uint64_t)cl->conf.dead_ms * 4)) : lease_until(cl));
		if (vote->enough_since.us && cl->status.announce == CL_ANNOUNCE_FULL)
			next = mono_min(next, mono_add(vote->enough_since, DUR_S(WITHDRAW_S)));
	} else if (cl->status.master.n && cl->status.role == CL_ROLE_SLAVE) {
		next = mono_min(next, mono_add(cl->master_heard, DUR_MS(cl->conf.dead_ms)));
	}
	return next;
}
