/* elect_rank.c -- who is older, who goes first, and when the vote of a node without state counts. */
#include "cluster/elect.h"

/* Numeric order of the octets, so that machines of either byte order agree. */
bool senior_before(const struct cl_senior *a, const struct cl_senior *b)
{
	if (a->fresh != b->fresh)
		return b->fresh;
	if (a->join_no != b->join_no)
		return a->join_no != 0 && (b->join_no == 0 || a->join_no < b->join_no);
	if (a->age_ms >= b->age_ms + AGE_TIE_MS || b->age_ms >= a->age_ms + AGE_TIE_MS)
		return a->age_ms > b->age_ms;
	return memcmp(a->address.b, b->address.b, sizeof(a->address.b)) < 0;
}

struct cl_senior senior_self(const struct cl *cl, struct mono now)
{
	return (struct cl_senior){ .fresh = cl->fresh, .join_no = cl->join_no, .address = cl->conf.address,
				   .age_ms = dur_ms(mono_since(now, cl->started)) + 1 };
}

struct cl_senior senior_peer(const struct cl_peer *peer, struct mono now)
{
	return (struct cl_senior){ .fresh = peer->ping.flags & CL_IS_FRESH, .join_no = peer->ping.join_no,
				   .address = peer->ping.address,
				   .age_ms = peer->ping.basetime_ms + dur_ms(mono_since(now, peer->ping_at)) };
}

/* Is it there, and may it have a say? */
bool peer_votes(const struct cl_peer *peer)
{
	return peer->used && peer->alive && peer->member && !peer->refused;
}

/* The master whose silence we noticed: its last PING may have come after its last heartbeat. */
static bool is_silent_master(const struct cl *cl, const struct cl_peer *peer)
{
	return node_eq(peer->node, cl->vote->promised_to) && (peer->ping.flags & CL_IS_MASTER);
}

/* How many nodes go first, two of them not counted. */
unsigned elect_rank(const struct cl *cl, struct mono now, struct node_id without, struct node_id nor)
{
	struct cl_senior self = senior_self(cl, now);
	unsigned rank = 0;

	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		const struct cl_peer *peer = &cl->peer[i];

		if (!peer_votes(peer) || peer->leaving || node_eq(peer->node, without) || node_eq(peer->node, nor) ||
		    is_silent_master(cl, peer))
			continue;
		struct cl_senior senior = senior_peer(peer, now);

		rank += senior_before(&senior, &self);
	}
	return rank;
}

/* All nodes that are there, ourselves among them, oldest first, whether fresh or not. */
unsigned elect_order(const struct cl *cl, struct mono now, struct node_id order[CLUSTER_NODES_MAX])
{
	struct cl_senior senior[CLUSTER_NODES_MAX] = { senior_self(cl, now) };
	unsigned count = 1;

	order[0] = cl->conf.self;
	senior[0].fresh = false;
	for (unsigned i = 0; i < CLUSTER_NODES_MAX && count < CLUSTER_NODES_MAX; i++) {
		const struct cl_peer *peer = &cl->peer[i];
		unsigned at = count;

		if (!peer_votes(peer) || peer->leaving)
			continue;
		struct cl_senior one = senior_peer(peer, now);

		one.fresh = false;
		for (; at > 0 && senior_before(&one, &senior[at - 1]); at--) {
			senior[at] = senior[at - 1];
			order[at] = order[at - 1];
		}
		senior[at] = one;
		order[at] = peer->node;
		count++;
	}
	return count;
}

/* Everybody who is configured is there, and nobody's copy is beyond `have`: so there is none that could be missed. */
static bool all_seen(const struct cl *cl, bool candidate_fresh, struct version have)
{
	unsigned seen = 1;

	if (candidate_fresh && !cl->fresh)
		return false;
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		const struct cl_peer *peer = &cl->peer[i];

		if (!peer_votes(peer))
			continue;
		if (!(peer->ping.flags & CL_IS_FRESH) && (candidate_fresh || version_before(have, peer->ping.have)))
			return false;
		seen++;
	}
	return seen >= cl->conf.members;
}

/*
 * A node that was restarted has forgotten what it promised and what it acknowledged.
 * Its vote counts only where that can do no harm: when everybody is there and nobody
 * knows more than the candidate; or, if the operator has not forbidden it, when nobody
 * who might know more was heard for long.
 */
bool fresh_votes_count(const struct cl *cl, const struct cl_peer *candidate, struct version have, struct mono now)
{
	bool fresh = candidate ? (candidate->ping.flags & CL_IS_FRESH) != 0 : cl->fresh;
	struct dur wait = DUR_MS(cl->conf.fresh_vote_after_ms);

	if (elect_open(cl) || all_seen(cl, fresh, have))
		return true;
	if (cl->conf.wait_for_all || !mono_reached(now, mono_add(cl->master_heard, wait)))
		return false;
	return !fresh || mono_reached(now, mono_add(cl->vote->stateful_heard, wait));
}
