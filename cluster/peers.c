/* peers.c -- who is there: PINGs out and in, silence, and whose configuration differs. */
#include "cluster/mutants.h"
#include "cluster/state.h"
#include "l2tpns/base/say.h"

#define FAREWELL_GAP_MS	20

enum { HEARD_MULTICAST = 1, HEARD_UNICAST = 2, HEARD_AS_MASTER = 4 };

bool cl_log_due(struct mono *last, struct mono now, struct dur gap)
{
	if (last->us && !mono_reached(now, mono_add(*last, gap)))
		return false;
	*last = now;
	return true;
}

struct cl_peer *cl_peer_of(struct cl *cl, struct node_id node)
{
	for (unsigned i = 0; i < CLUSTER_NODES_MAX && node.n; i++)
		if (cl->peer[i].used && node_eq(cl->peer[i].node, node))
			return &cl->peer[i];
	return NULL;
}

unsigned peers_alive(const struct cl *cl)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		const struct cl_peer *peer = &cl->peer[i];

		alive += peer->used && peer->alive && peer->member && !peer->refused && !peer->leaving;
	}
	return alive;
}

bool peer_is_member(const struct cl *cl, struct ip address)
{
	for (unsigned i = 0; i < cl->conf.members; i++)
		if (ip_eq(cl->conf.member[i], address))
			return true;
	return cl->conf.members == 0;
}

/* A little more than two intervals: one datagram may be lost, and none is quite on time. */
static bool recent(const struct cl *cl, struct mono heard, struct mono now)
{
	return heard.us && !mono_reached(now, mono_add(heard, DUR_US((int64_t)cl->conf.interval_ms * 2250)));
}

bool peer_by_multicast(const struct cl *cl, const struct cl_peer *peer, struct mono now)
{
	return recent(cl, peer->heard_multicast, now);
}

/* ---- coming and going ---- */

/* What belonged to a boot that is over goes with it; the slot stays the node's. */
static void forget_boot(struct cl_peer *peer)
{
	struct cl_peer kept = { .used = true, .node = peer->node, .said = peer->said, .cursor = peer->cursor };

	*peer = kept;
}

static struct cl_peer *peer_place(struct cl *cl)
{
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++)
		if (!cl->peer[i].used)
			return &cl->peer[i];
	return NULL;
}

/* It answered our challenge: this boot is the node now.  NULL: there are too many nodes. */
struct cl_peer *peer_proved(struct cl_turn *turn, struct node_id node, struct ip from, struct boot_id boot)
{
	struct cl *cl = turn->cl;
	struct cl_peer *peer = cl_peer_of(cl, node);

	if (peer) {
		peer->alive = false;
		elect_peer_died(turn, peer);
	} else {
		peer = peer_place(cl);
	}
	if (!peer)
		return NULL;
	peer->node = node;
	forget_boot(peer);
	peer->from = from;
	peer->boot = boot;
	peer->member = true;
	peer->heard = turn->now;
	repl_committed_look(turn);
	return peer;
}

/* Alive is who was heard just now and has told what it is like. */
static void come_alive(struct cl_turn *turn, struct cl_peer *peer)
{
	char text[IP_TEXT_MAX];

	if (peer->alive || !peer->ping_at.us)
		return;
	peer->alive = true;
	say(turn->out, SAY_CLUSTER_NODE_UP, (struct tid){ 0 }, (struct row){ 0 }, SAY_ARG(peer->node.n),
	    bytes_str(ip_text(peer->from, text)));
}

void peer_heard(struct cl_turn *turn, struct cl_peer *peer, struct ip from, bool multicast)
{
	peer->heard = turn->now;
	if (multicast)
		peer->heard_multicast = turn->now;
	else
		peer->heard_unicast = turn->now;
	if (!peer->alive)
		peer->from = from;
	come_alive(turn, peer);
}

static void look_for_dead(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;

	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		struct cl_peer *peer = &cl->peer[i];

		if (!peer->alive || !mono_reached(turn->now, mono_add(peer->heard, DUR_MS(cl->conf.dead_ms))))
			continue;
		peer->alive = false;
		peer->hears_multicast = false;
		peer->up_to_date = false;
		peer->leaving = false;
		say(turn->out, SAY_CLUSTER_NODE_DOWN, (struct tid){ 0 }, (struct row){ 0 },
		    SAY_ARG(peer->node.n, (uint32_t)dur_ms(mono_since(turn->now, peer->heard))), SAY_NONE);
		elect_peer_died(turn, peer);
		repl_committed_look(turn);
	}
}

static void push(struct mono *at, struct dur gap, struct mono now)
{
	if (at->us)
		*at = mono_min(now, mono_add(*at, gap));
}

void peers_slept(struct cl *cl, struct dur gap, struct mono now)
{
	if (!CL_GUARD(AWAKE, true))
		return;
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		push(&cl->peer[i].heard, gap, now);
		push(&cl->peer[i].heard_multicast, gap, now);
		push(&cl->peer[i].heard_unicast, gap, now);
	}
}

/* ---- PING out ---- */

static uint16_t ping_flags(const struct cl *cl)
{
	unsigned flags = 0;

	if (cl->status.role == CL_ROLE_MASTER)
		flags |= CL_IS_MASTER | CL_IS_UP_TO_DATE;
	else if (cl->status.up_to_date)
		flags |= CL_IS_UP_TO_DATE;
	if (cl->status.role == CL_ROLE_CANDIDATE || cl->status.role == CL_ROLE_IMPORTING)
		flags |= CL_IS_CANDIDATE;
	if (cl->fresh)
		flags |= CL_IS_FRESH;
	if (cl->status.frozen)
		flags |= CL_IS_FROZEN;
	if (!cl->unhealthy)
		flags |= CL_IS_HEALTHY;
	return (uint16_t)flags;
}

static uint8_t how_heard(const struct cl *cl, const struct cl_peer *peer, struct mono now)
{
	unsigned how = 0;

	if (recent(cl, peer->heard_multicast, now))
		how |= HEARD_MULTICAST;
	if (recent(cl, peer->heard_unicast, now))
		how |= HEARD_UNICAST;
	if (node_eq(cl->status.master, peer->node))
		how |= HEARD_AS_MASTER;
	return (uint8_t)how;
}

/*
 * Whom we hear, and how.  The master's list is in the order of seniority and has itself
 * in it: the place in it is a node's join number, so that all agree on who is older
 * without a number of their own in each message.
 */
static struct bytes heard_list(struct cl_turn *turn, struct wr w)
{
	struct cl *cl = turn->cl;
	bool master = cl->status.role == CL_ROLE_MASTER;
	struct node_id order[CLUSTER_NODES_MAX];
	unsigned count = elect_order(cl, turn->now, order);

	for (unsigned i = 0; i < count; i++) {
		const struct cl_peer *peer = cl_peer_of(cl, order[i]);
		struct cl_heard heard = { .node = order[i] };

		if (peer)
			heard.how = how_heard(cl, peer, turn->now);
		else if (master)
			cl->join_no = i + 1;
		else
			continue;
		if (!cl_heard_add(&w, &heard))
			break;
	}
	return wr_bytes_of(&w);
}

void ping_to(struct cl_turn *turn, struct cl_peer *peer)
{
	struct cl *cl = turn->cl;
	uint8_t room[CLUSTER_NODES_MAX * 3];
	struct bytes heard = heard_list(turn, wr_of(room, sizeof(room)));
	struct cl_msg msg = { .type = CL_PING, .term = cl->status.term };

	cl->pinged = (struct cl_ping){
		.basetime_ms = cl->leaving ? 0 : dur_ms(mono_since(turn->now, cl->started)) + 1,
		.number = ++cl->pings, .flags = ping_flags(cl), .have = cl->have, .synced = cl->synced,
		.join_no = cl->join_no, .address = cl->conf.address, .master = cl->status.master,
		.master_term = cl->status.term, .config_digest = cl_conf_digest(&cl->conf),
		.interval_ms = (uint16_t)min_u32(cl->conf.interval_ms, UINT16_MAX),
		.dead_ms = (uint16_t)min_u32(cl->conf.dead_ms, UINT16_MAX), .votes = (uint16_t)cl->conf.members,
		.keys_kilo = (uint16_t)min_u32(cl->conf.keys / 1024, UINT16_MAX), .proto_min = CL_PROTO_MIN,
		.proto_max = CL_PROTO_MAX, .sessions = cl->records.live, .late_max_us = cl->late_max_us,
	};
	msg.ping = cl->pinged;
	msg.ping.heard = heard;
	if (peer)
		cl_send_to(turn, peer, &msg);
	else
		cl_send_all(turn, &msg);
}

void peers_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;

	look_for_dead(turn);
	if (cl->stopped || !mono_reached(turn->now, cl->ping_due))
		return;
	cl->ping_due = mono_add(cl->ping_due, DUR_MS(cl->conf.interval_ms));
	if (mono_reached(turn->now, cl->ping_due))		/* we were late: no two at once */
		cl->ping_due = mono_add(turn->now, DUR_MS(cl->conf.interval_ms));
	ping_to(turn, NULL);
	if (cl->farewells && --cl->farewells)
		cl->ping_due = mono_add(turn->now, DUR_MS(FAREWELL_GAP_MS));
}

struct mono peers_next(const struct cl *cl)
{
	struct mono next = cl->stopped ? MONO_NEVER : cl->ping_due;

	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++)
		if (cl->peer[i].alive)
			next = mono_min(next, mono_add(cl->peer[i].heard, DUR_MS(cl->conf.dead_ms)));
	return next;
}

/* ---- PING in ---- */

/* What must agree, a row each; the digest stands for what has no words in a PING. */
static const struct { const char *field; size_t at; } agrees[] = {
	{ "cluster_hb_interval", offsetof(struct cl_ping, interval_ms) },
	{ "cluster_hb_timeout", offsetof(struct cl_ping, dead_ms) },
	{ "cluster_nodes, their number", offsetof(struct cl_ping, votes) },
	{ "size of the tables, in 1024", offsetof(struct cl_ping, keys_kilo) },
};

static uint16_t word_at(const struct cl_ping *ping, size_t at)
{
	uint16_t word;

	memcpy(&word, (const uint8_t *)ping + at, sizeof(word));
	return word;
}

static const char *differs(const struct cl *cl, const struct cl_ping *theirs, uint32_t *our, uint32_t *their)
{
	uint32_t digest = cl_conf_digest(&cl->conf);
	const struct cl_ping ours = {
		.interval_ms = (uint16_t)min_u32(cl->conf.interval_ms, UINT16_MAX),
		.dead_ms = (uint16_t)min_u32(cl->conf.dead_ms, UINT16_MAX), .votes = (uint16_t)cl->conf.members,
		.keys_kilo = (uint16_t)min_u32(cl->conf.keys / 1024, UINT16_MAX),
	};

	for (size_t i = 0; i < ARRAY_LEN(agrees); i++) {
		*our = word_at(&ours, agrees[i].at);
		*their = word_at(theirs, agrees[i].at);
		if (*our != *their)
			return agrees[i].field;
	}
	*our = digest;
	*their = theirs->config_digest;
	return digest == theirs->config_digest ? NULL : "digest of cluster_nodes, lease and the tables' sizes";
}

static void config_look(struct cl_turn *turn, struct cl_peer *peer, const struct cl_ping *ping)
{
	uint32_t ours, theirs;
	const char *field = differs(turn->cl, ping, &ours, &theirs);
	bool refused = CL_GUARD(CONFIG, field != NULL);

	if (refused && (!peer->refused || cl_log_due(&peer->said, turn->now, DUR_S(60)))) {
		peer->said = turn->now;
		say(turn->out, SAY_CLUSTER_REFUSED, (struct tid){ 0 }, (struct row){ 0 },
		    SAY_ARG(peer->node.n, WHY_CL_CONFIG, ours, theirs), bytes_str(field));
	} else if (!refused && peer->refused) {
		say(turn->out, SAY_CLUSTER_NODE_OK, (struct tid){ 0 }, (struct row){ 0 }, SAY_ARG(peer->node.n),
		    SAY_NONE);
	}
	peer->refused = refused;
	peer->fault = refused ? WHY_CL_CONFIG : WHY_OK;
}

/* Does it hear us, and by which way?  And, if it is the master, what is our place? */
static void read_heard(struct cl *cl, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct rd r = rd_bytes(msg->ping.heard);
	bool master = (msg->ping.flags & CL_IS_MASTER) && node_eq(cl->status.master, peer->node) &&
		      msg->term == cl->status.term;
	struct cl_heard heard;

	peer->how = 0;
	for (uint32_t place = 1; cl_heard_next(&r, &heard); place++) {
		if (!node_eq(heard.node, cl->conf.self))
			continue;
		peer->how = heard.how;
		if (master)
			cl->join_no = place;
		break;
	}
	peer->hears_multicast = peer->how & HEARD_MULTICAST;
}

enum why peer_pinged(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	bool leaves = msg->ping.basetime_ms == 0;

	if (peer->ping_at.us && msg->ping.number <= peer->ping.number)
		return WHY_CL_ROUND;		/* overtaken by a later one */
	config_look(turn, peer, &msg->ping);
	peer->ping = msg->ping;
	peer->ping.heard = (struct bytes){ 0 };
	peer->ping_at = turn->now;
	come_alive(turn, peer);
	if (peer->refused)
		return WHY_CL_CONFIG;
	if (leaves && !peer->leaving)
		say(turn->out, SAY_CLUSTER_NODE_LEAVES, (struct tid){ 0 }, (struct row){ 0 }, SAY_ARG(peer->node.n),
		    SAY_NONE);
	peer->leaving = leaves;
	read_heard(cl, peer, msg);
	elect_pinged(turn, peer, msg);
	return WHY_OK;
}
