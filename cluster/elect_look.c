/* elect_look.c -- what follows from who is there: the quorum, the lease, and how routes are announced. */
#include "cluster/elect.h"

#include "l2tpns/base/hash.h"
#include "l2tpns/base/say.h"

unsigned cl_votes(const struct cl *cl)
{
	return cl->conf.members ? cl->conf.members : peers_alive(cl) + 1;
}

bool elect_open(const struct cl *cl)
{
	return cl->conf.members == 0 || cl->vote->forced;
}

unsigned cl_quorum(const struct cl *cl)
{
	unsigned quorum = cl_votes(cl) / 2 + CL_GUARD(QUORUM_HALF, true);

	if (cl->vote->forced)
		quorum = min_u32(quorum, peers_alive(cl) + 1);
	if (!CL_GUARD(QUORUM_ONE, true) || quorum == 0)
		return 1;
	return quorum;
}

bool cl_may_change(const struct cl *cl)
{
	return cl->status.role == CL_ROLE_MASTER && !cl->status.frozen;
}

/* Until when this master's lease lasts: as long ago as it sent what a quorum has acknowledged, and lease_ms. */
struct mono lease_until(const struct cl *cl)
{
	struct mono acked[CLUSTER_NODES_MAX];
	unsigned need = cl_quorum(cl) - 1, count = 0;

	if (elect_open(cl) || need == 0 || !CL_GUARD(LEASE, true))
		return MONO_NEVER;
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		const struct cl_peer *peer = &cl->peer[i];
		unsigned at = count;

		if (!peer->used || !peer->member || peer->refused || peer->acked.us == 0)
			continue;
		for (; at > 0 && mono_before(acked[at - 1], peer->acked); at--)
			acked[at] = acked[at - 1];
		acked[at] = peer->acked;
		count++;
	}
	if (count < need)
		return (struct mono){ 0 };
	return mono_add(acked[need - 1], DUR_MS(cl->conf.lease_ms));
}

void elect_acked(struct cl_turn *turn, struct cl_peer *peer, uint64_t sent_us)
{
	if (turn->cl->status.role != CL_ROLE_MASTER || sent_us > turn->now.us)
		return;
	if (sent_us > peer->acked.us)
		peer->acked.us = sent_us;
}

static void lease_look(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	bool frozen = mono_reached(turn->now, lease_until(cl));

	if (frozen && !cl->status.frozen) {
		cl->vote->frozen_since = turn->now;
		if (cl->vote->lasted) {
			cl->stat[CL_STAT_freezes]++;
			say(turn->out, SAY_CLUSTER_FROZEN, (struct tid){ 0 }, (struct row){ 0 },
			    SAY_ARG(cl->status.term, cl->conf.lease_ms), SAY_NONE);
		}
	} else if (!frozen && cl->status.frozen && cl->vote->lasted) {
		say(turn->out, SAY_CLUSTER_THAWED, (struct tid){ 0 }, (struct row){ 0 }, SAY_ARG(cl->status.term),
		    SAY_NONE);
	}
	cl->vote->lasted |= !frozen;
	cl->status.frozen = frozen;
}

/* An operator made us master; now a quorum is there, and its rules hold again. */
static void forced_look(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;

	if (!cl->vote->forced || cl->conf.members == 0 || cl->status.role != CL_ROLE_MASTER)
		return;
	cl->vote->forced = false;
	cl->vote->forced = mono_reached(turn->now, lease_until(cl));
}

static unsigned slaves(const struct cl *cl, bool up_to_date)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		const struct cl_peer *peer = &cl->peer[i];

		count += peer_votes(peer) && !peer->leaving && (!up_to_date || peer->up_to_date);
	}
	return count;
}

/* The master forwards, too, but may leave that to the slaves when they are many (requirement R50). */
static enum cl_announce announce_master(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_vote *vote = cl->vote;

	if (cl->conf.min_adv == 0 || slaves(cl, true) < cl->conf.min_adv) {
		vote->enough_since = (struct mono){ 0 };
		return CL_ANNOUNCE_FULL;
	}
	if (!vote->enough_since.us)
		vote->enough_since = turn->now;
	return mono_reached(turn->now, mono_add(vote->enough_since, DUR_S(WITHDRAW_S))) ? CL_ANNOUNCE_OFF :
	       CL_ANNOUNCE_FULL;
}

static bool somebody_up_to_date(const struct cl *cl)
{
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		const struct cl_peer *peer = &cl->peer[i];

		if (peer_votes(peer) && !peer->leaving && (peer->ping.flags & (CL_IS_UP_TO_DATE | CL_IS_MASTER)))
			return true;
	}
	return false;
}

static enum cl_announce announce_look(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;

	if (cl->leaving || cl->unhealthy)
		return CL_ANNOUNCE_OFF;
	if (cl->status.role == CL_ROLE_MASTER)
		return cl->status.frozen ? CL_ANNOUNCE_LOW : announce_master(turn);
	if (cl->status.up_to_date)
		return cl->status.frozen ? CL_ANNOUNCE_LOW : CL_ANNOUNCE_FULL;
	return cl->fresh || somebody_up_to_date(cl) ? CL_ANNOUNCE_OFF : CL_ANNOUNCE_LOW;
}

static bool status_eq(const struct cl_status *a, const struct cl_status *b)
{
	return a->role == b->role && a->term == b->term && node_eq(a->master, b->master) && a->frozen == b->frozen &&
	       a->up_to_date == b->up_to_date && a->announce == b->announce;
}

void elect_look(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;

	forced_look(turn);
	if (cl->status.role == CL_ROLE_MASTER) {
		lease_look(turn);
		cl->status.up_to_date = slaves(cl, true) == slaves(cl, false);
	} else {
		cl->status.frozen = cl->status.master.n == 0;
	}
	cl->status.announce = announce_look(turn);
	if (status_eq(&cl->status, &cl->told))
		return;
	struct fx_cl_role *role = fx_add(turn->out, FX_CL_ROLE, cl->status.role, sizeof(*role));

	memset(role, 0, sizeof(*role));
	role->status = cl->status;
	cl->told = cl->status;
}

/* Rendezvous hashing: when a node comes or goes, only what it owns or will own changes hands. */
struct node_id cl_owner(const struct cl *cl, uint32_t key)
{
	static const struct hash_key salt = { { 0x6f776e6572, 1 } };
	struct node_id owner = cl->conf.self;
	uint64_t best = 0;

	for (unsigned i = 0; i <= CLUSTER_NODES_MAX; i++) {
		const struct cl_peer *peer = i < CLUSTER_NODES_MAX ? &cl->peer[i] : NULL;
		bool there = peer ? peer_votes(peer) && !peer->leaving &&
				    (peer->ping.flags & (CL_IS_UP_TO_DATE | CL_IS_MASTER)) != 0 :
				    !cl->leaving && (cl->status.up_to_date || cl->status.role == CL_ROLE_MASTER);
		struct node_id node = peer ? peer->node : cl->conf.self;
		uint8_t octets[6] = { (uint8_t)(node.n >> 8), (uint8_t)node.n, (uint8_t)(key >> 24),
				      (uint8_t)(key >> 16), (uint8_t)(key >> 8), (uint8_t)key };
		uint64_t weight = there ? hash_octets(salt, bytes_of(octets, sizeof(octets))) : 0;

		if (there && weight >= best) {
			best = weight;
			owner = node;
		}
	}
	return owner;
}
