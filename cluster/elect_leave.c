/*
 * elect_leave.c -- a master hands over, by its own will: within milliseconds, and for good.
 *
 * LEAVE closes the term: from then on nobody is its master, whatever datagram comes
 * late.  It names who should go on, and is repeated until that node says that it heard.
 */
#include "cluster/elect.h"

#include <stdio.h>

#include "l2tpns/base/say.h"

static void send_leave(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_vote *vote = cl->vote;
	struct cl_msg msg = { .type = CL_LEAVE, .term = vote->leave_term };

	msg.leave = (struct cl_leave){ .upto = vote->leave_upto, .successor = vote->successor,
				       .number = vote->leave_number, .root = vote->leave_root };
	cl_send_all(turn, &msg);
	vote->leave_due = mono_add(turn->now, DUR_MS(LEAVE_GAP_MS));
}

/* Who knows most, and among those the oldest. */
static struct cl_peer *successor(struct cl *cl, struct mono now)
{
	struct cl_peer *best = NULL;
	struct cl_senior first = { 0 };

	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		struct cl_peer *peer = &cl->peer[i];

		if (!peer_votes(peer) || peer->leaving || !peer->up_to_date)
			continue;
		struct cl_senior senior = senior_peer(peer, now);
		bool better = !best || version_before(best->have, peer->have) ||
			      (version_eq(best->have, peer->have) && senior_before(&senior, &first));

		if (!better)
			continue;
		best = peer;
		first = senior;
	}
	return best;
}

bool elect_handover(struct cl_turn *turn, struct node_id to, const char **why)
{
	struct cl *cl = turn->cl;
	struct cl_vote *vote = cl->vote;
	struct cl_peer *next = to.n ? cl_peer_of(cl, to) : successor(cl, turn->now);
	char text[96];

	*why = "this node is not the master, or is frozen";
	if (!cl_may_change(cl))
		return false;
	*why = to.n ? "that node is not there, or not up to date" : "no other node is up to date";
	if (!next || !peer_votes(next) || next->leaving || !next->up_to_date)
		return false;
	*why = "handed over";
	vote->successor = next->node;
	vote->leave_number++;
	vote->leave_term = cl->status.term;
	vote->leave_upto = cl_upto(cl);
	vote->leave_root = cl->records.root;
	vote->leave_until = mono_add(turn->now, DUR_MS(LEAVE_MS));
	vote->closed_term = max_u32(vote->closed_term, cl->status.term);
	snprintf(text, sizeof(text), "handed over to node %u", next->node.n);
	elect_yield(turn, text);
	vote->claim_at = (struct mono){ 0 };
	send_leave(turn);
	return true;
}

/* The term is over by its master's own word. */
void elect_master_left(struct cl_turn *turn, uint32_t term, struct node_id next)
{
	struct cl *cl = turn->cl;
	struct cl_vote *vote = cl->vote;
	bool we = node_eq(next, cl->conf.self);
	unsigned rank = elect_rank(cl, turn->now, cl->status.master, next) + (next.n != 0);

	vote->closed_term = max_u32(vote->closed_term, term);
	if (cl->status.role != CL_ROLE_SLAVE || cl->status.term > term)
		return;
	role_set(turn, CL_ROLE_SLAVE, cl->status.term, (struct node_id){ 0 }, "the master leaves");
	vote_abandon(cl);
	vote->living = 0;
	vote->retry_at = (struct mono){ 0 };
	if (we || !CL_GUARD(SUCCESSOR_FIRST, true))
		rank = 0;
	vote->claim_at = mono_add(turn->now, DUR_MS(rank * RANK_MS));
}

enum why leave_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	bool ours = node_eq(msg->leave.successor, cl->conf.self);
	struct cl_msg left = { .type = CL_LEFT, .term = msg->term };

	if (msg->term < cl->status.term)
		return WHY_CL_TERM;
	if (msg->term > cl->vote->closed_term) {
		if (msg->term == cl->status.term && !node_eq(cl->status.master, peer->node) && cl->status.master.n)
			return WHY_CL_ROLE;
		if (cl->status.role == CL_ROLE_MASTER && msg->term == cl->status.term)
			return WHY_CL_ROLE;
		elect_higher_term(turn, msg->term, peer->node);
		elect_master_left(turn, msg->term, msg->leave.successor);
	}
	if (ours) {
		left.left = (struct cl_left){ .have = cl->have, .number = msg->leave.number };
		cl_send_to(turn, peer, &left);
	}
	return WHY_OK;
}

enum why left_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl_vote *vote = turn->cl->vote;

	if (!node_eq(peer->node, vote->successor) || msg->left.number != vote->leave_number ||
	    msg->term != vote->leave_term)
		return WHY_CL_ROUND;
	vote->leave_due = MONO_NEVER;
	return WHY_OK;
}

void leave_tick(struct cl_turn *turn)
{
	struct cl_vote *vote = turn->cl->vote;

	if (!mono_reached(turn->now, vote->leave_due))
		return;
	if (mono_reached(turn->now, vote->leave_until))
		vote->leave_due = MONO_NEVER;
	else
		send_leave(turn);
}

/* We go: nobody should wait for us, or for our votes. */
void elect_left(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	const char *why;

	if (cl->leaving)
		return;
	if (cl->status.role == CL_ROLE_MASTER && !elect_handover(turn, (struct node_id){ 0 }, &why))
		elect_yield(turn, "leaving");
	else if (cl->status.role != CL_ROLE_SLAVE)
		elect_yield(turn, "leaving");
	cl->leaving = true;
	cl->stop_at = mono_add(turn->now, DUR_MS(LEAVE_MS + LEAVE_GAP_MS));
	cl->farewells = 3;
	cl->ping_due = turn->now;
	say(turn->out, SAY_CLUSTER_LEAVING, (struct tid){ 0 }, (struct row){ 0 }, SAY_ARG(cl->status.term), SAY_NONE);
}

bool elect_force(struct cl_turn *turn, const char **why)
{
	struct cl *cl = turn->cl;

	*why = "a master is heard: hand over, or stop it";
	if (cl->status.role == CL_ROLE_MASTER && !cl->status.frozen)
		*why = "this node is the master";
	if (cl->status.master.n && !(cl->status.role == CL_ROLE_MASTER && cl->status.frozen))
		return false;
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		const struct cl_peer *peer = &cl->peer[i];

		if (peer_votes(peer) && !peer->leaving && (peer->ping.flags & CL_IS_MASTER) &&
		    !(peer->ping.flags & CL_IS_FROZEN))
			return false;
	}
	*why = "this node leaves";
	if (cl->leaving)
		return false;
	*why = "this node takes over without a quorum";
	if (cl->status.role != CL_ROLE_SLAVE)
		elect_yield(turn, "an operator wants a new term");
	vote_force(turn);
	return true;
}
