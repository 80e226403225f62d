/* cluster.c -- a node of a cluster seen from outside: datagrams and time in, each handed to the machine it is for. */
#include "cluster/cluster.h"

#include "cluster/mutants.h"
#include "cluster/state.h"
#include "cluster/trace.h"
#include "l2tpns/base/say.h"

/* ---- building ---- */

static struct cl_conf with_defaults(const struct cl_conf *conf)
{
	struct cl_conf made = *conf;

	if (!made.lease_ms)
		made.lease_ms = made.dead_ms / 10 * 8;
	if (!made.grant_ms)
		made.grant_ms = made.dead_ms / 10 * 9;
	return made;
}

static struct bytes cluster_name(const struct cl_conf *conf)
{
	return bytes_of(conf->name, strnlen(conf->name, sizeof(conf->name)));
}

/* The same on every node; not a secret, as only authentic records are ever hashed. */
static struct hash_key digest_key(const struct cl_conf *conf)
{
	static const struct hash_key salt[2] = { { { 1, 0x646967657374 } }, { { 2, 0x646967657374 } } };

	struct bytes name = cluster_name(conf);

	return (struct hash_key){ { hash_octets(salt[0], name), hash_octets(salt[1], name) } };
}

/* Also with an arena that only measures: then there is no struct cl, and one on the way stands in for it. */
static struct cl *carve(const struct cl_conf *conf, const uint8_t *seed, struct mono now, struct arena *arena,
			struct arena *table)
{
	struct cl *cl = arena_take(arena, 1, sizeof(*cl));
	struct records measured;
	struct cl_conf made = with_defaults(conf);

	if (cl) {
		cl->conf = made;
		cl->started = cl->awake = cl->ping_due = cl->late_since = now;
		rnd_seed(&cl->rnd, seed);
	}
	struct seal *seal = arena_take(arena, 1, seal_size());

	if (cl)
		cl->seal = seal;
	records_init(cl ? &cl->records : &measured, conf->keys, conf->record_octets, digest_key(conf), table);
	return cl;
}

size_t cl_size(const struct cl_conf *conf)
{
	struct arena arena = { 0 };
	struct cl measured = { .conf = with_defaults(conf) };

	(void)carve(conf, NULL, (struct mono){ 0 }, &arena, &arena);
	elect_init(&measured, &arena);
	command_init(&measured, &arena);
	repl_init(&measured, &arena);
	forward_init(&measured, &arena);
	cl_trace_init(&measured, NULL, false, &arena);
	return arena.used;
}

size_t cl_table_size(const struct cl_conf *conf)
{
	struct arena arena = { 0 };
	struct records measured;

	records_init(&measured, conf->keys, conf->record_octets, digest_key(conf), &arena);
	return arena.used;
}

struct cl *cl_init_apart(const struct cl_conf *conf, const struct seal_secret secret[SEAL_SECRETS_MAX],
			 uint8_t sending, const uint8_t seed[RND_SEED_LEN], struct mono now, struct arena *arena,
			 struct arena *table)
{
	ASSERT(!cl_conf_fault(conf));
	struct cl *cl = carve(conf, seed, now, arena, table);

	seal_init(cl->seal, conf->self, cluster_name(conf), &cl->rnd);
	seal_secrets(cl->seal, secret, sending);
	elect_init(cl, arena);
	command_init(cl, arena);
	repl_init(cl, arena);
	forward_init(cl, arena);
	cl_trace_init(cl, seed, seal_sending(cl->seal) != 0, arena);
	return cl;
}

struct cl *cl_init(const struct cl_conf *conf, const struct seal_secret secret[SEAL_SECRETS_MAX], uint8_t sending,
		   const uint8_t seed[RND_SEED_LEN], struct mono now, struct arena *arena)
{
	return cl_init_apart(conf, secret, sending, seed, now, arena, arena);
}

/* What another process of ours had: a copy like any slave's, only older. */
bool cl_adopt(struct cl *cl, void *left, const struct cl_kept *kept, uint32_t *room)
{
	struct arena arena = { .start = left, .room = cl_table_size(&cl->conf) };
	struct records old;

	records_init(&old, cl->conf.keys, cl->conf.record_octets, digest_key(&cl->conf), &arena);
	if (kept->promised > TERM_MAX || !records_adopt(&cl->records, &old, room) ||
	    version_term(cl->records.upto) > TERM_MAX) {
		while (!records_clear(&cl->records))
			;
		return false;
	}
	cl->promised = max_u32(kept->promised, version_term(cl->records.upto));
	cl->time_offset_us = kept->time_offset_us;
	cl->fresh = cl->records.upto.n == 0;
	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_ADOPTED, .number = kept->promised,
		       .value = cl->records.upto.n }, bytes_of(&kept->time_offset_us, sizeof(kept->time_offset_us)));
	repl_adopted(cl);
	cl_trace_end(cl, true);
	return true;
}

struct cl_kept cl_kept(const struct cl *cl)
{
	return (struct cl_kept){ .promised = max_u32(cl->promised, cl->status.term),
				 .time_offset_us = cl->time_offset_us };
}

void cl_wipe(struct cl *cl)
{
	seal_wipe(cl->seal);
}

/* ---- every entry ---- */

static void slept(struct cl *cl, struct dur gap, struct mono now)
{
	peers_slept(cl, gap, now);
	elect_slept(cl, gap, now);
}

/*
 * Whoever was not run cannot tell whether others were silent (requirement R7), and
 * does not act on what it thinks it knows before it has read what waits (R4).
 */
static void enter(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct dur gap = mono_since(turn->now, cl->awake);

	if (gap.us > (int64_t)cl->conf.interval_ms * 2000) {
		slept(cl, gap, turn->now);
		cl_late(cl, gap, turn->now);
		say(turn->out, SAY_CLUSTER_SLEPT, (struct tid){ 0 }, (struct row){ 0 }, SAY_ARG((uint32_t)dur_ms(gap)),
		    SAY_NONE);
	}
	if (gap.us > 0)
		cl->awake = turn->now;
	elect_look(turn);		/* the lease may be over: no message is read as a master's any more */
}

void cl_paused(struct cl *cl, struct dur gap, struct mono now)
{
	if (gap.us <= 0)
		return;
	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_PAUSED, .now = now, .value = (uint64_t)gap.us },
		       (struct bytes){ 0 });
	cl_late(cl, gap, now);
	if (gap.us > (int64_t)cl->conf.interval_ms * 2000) {
		slept(cl, gap, now);
		cl->awake = now;
	}
	cl_trace_end(cl, 0);
}

/* ---- datagrams ---- */

enum gate { GATE_OPEN = 1, GATE_TERM = 2, GATE_ANSWER = 4 };

struct handler {
	enum why	(*handle)(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
	uint8_t		gate;	/* GATE_TERM: refused when of a term that is over.  GATE_ANSWER: who is refused is told
				 * who is master.  GATE_OPEN: also from one that is refused, or has not pinged yet. */
};

static const struct handler handlers[CL_TYPES] = {
	[CL_PING]	= { peer_pinged, GATE_OPEN },
	[CL_HEARTBEAT]	= { repl_received, GATE_TERM | GATE_ANSWER },
	[CL_LASTSEEN]	= { repl_received, GATE_ANSWER },
	[CL_RECORDS]	= { repl_received, 0 },
	[CL_NEED]	= { repl_received, GATE_ANSWER },
	[CL_OFFER]	= { repl_received, GATE_ANSWER },
	[CL_BUCKET]	= { repl_received, GATE_ANSWER },
	[CL_CONTENTS]	= { repl_received, 0 },
	[CL_KILL]	= { repl_received, GATE_TERM | GATE_ANSWER },
	[CL_FORWARD]	= { forward_received, GATE_ANSWER },
	[CL_BYTES]	= { forward_received, 0 },
	[CL_MASTER]	= { elect_received, 0 },
	[CL_PRECLAIM]	= { elect_received, 0 },
	[CL_CLAIM]	= { elect_received, 0 },
	[CL_GRANT]	= { elect_received, 0 },
	[CL_LEAVE]	= { elect_received, GATE_ANSWER },
	[CL_LEFT]	= { elect_received, 0 },
	[CL_COMMAND]	= { command_received, GATE_OPEN },
	[CL_DONE]	= { command_received, GATE_OPEN },
};

static enum why dispatch(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	const struct handler *handler = &handlers[msg->type];
	enum why why;

	if (!handler->handle)
		return WHY_OK;			/* CHALLENGE and RESPONSE, handled before */
	if (!(handler->gate & GATE_OPEN) && !peer->ping_at.us)
		return WHY_CL_BOOT;
	if (!(handler->gate & GATE_OPEN) && peer->refused)
		return peer->fault;
	if ((handler->gate & GATE_TERM) && CL_GUARD(LOWER_TERM, elect_term_over(cl, msg->term)))
		why = WHY_CL_TERM;
	else
		why = handler->handle(turn, peer, msg);
	if ((why == WHY_CL_TERM || why == WHY_CL_ROLE) && (handler->gate & GATE_ANSWER))
		elect_tell_master(turn, peer, msg->type);
	return why;
}

static void say_stranger(struct cl_turn *turn, struct mono *last, struct node_id node, enum why why, struct ip from)
{
	char text[IP_TEXT_MAX];

	if (cl_log_due(last, turn->now, DUR_S(10)))
		say(turn->out, SAY_CLUSTER_STRANGER, (struct tid){ 0 }, (struct row){ 0 }, SAY_ARG(node.n, why),
		    bytes_str(ip_text(from, text)));
}

/* Prove that we live, to a node that asks; bounded, as an old challenge may be played to us. */
static void answer_challenge(struct cl_turn *turn, const struct seal_opened *opened, struct ip from,
			     const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	struct boot_id boot = seal_boot(cl->seal);
	struct cl_msg response = { .type = CL_RESPONSE, .term = cl->status.term };

	if (!mono_reached(turn->now, mono_add(cl->proofs_since, DUR_S(1))) && cl->proofs >= 4 * CLUSTER_NODES_MAX)
		return;
	if (mono_reached(turn->now, mono_add(cl->proofs_since, DUR_S(1)))) {
		cl->proofs_since = turn->now;
		cl->proofs = 0;
	}
	cl->proofs++;
	memcpy(response.response.nonce, msg->challenge.nonce, sizeof(response.response.nonce));
	memcpy(response.response.asked, opened->boot.b, sizeof(response.response.asked));
	memcpy(response.response.answers, boot.b, sizeof(response.response.answers));
	cl_send_unknown(turn, opened->node, from, &response);
}

static void challenge(struct cl_turn *turn, const struct seal_opened *opened, struct ip from)
{
	struct cl *cl = turn->cl;
	struct cl_msg msg = { .type = CL_CHALLENGE, .term = cl->status.term };

	if (!seal_challenge(cl->seal, opened->node, opened->boot, turn->now, &cl->rnd, msg.challenge.nonce))
		return;
	cl->stat[CL_STAT_challenges]++;
	cl_send_unknown(turn, opened->node, from, &msg);
}

static enum why proved(struct cl_turn *turn, const struct seal_opened *opened, struct ip from, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	struct boot_id ours = seal_boot(cl->seal);

	if (memcmp(msg->response.asked, ours.b, sizeof(ours.b)) != 0 ||
	    memcmp(msg->response.answers, opened->boot.b, sizeof(opened->boot.b)) != 0)
		return WHY_CL_BOOT;
	if (!(cl->playing ? cl->play_answered :
	      seal_answered(cl->seal, opened->node, opened->boot, msg->response.nonce)))
		return WHY_CL_BOOT;
	struct cl_peer *peer = peer_proved(turn, opened->node, from, opened->boot);

	if (!peer)
		return WHY_CL_FULL;
	ping_to(turn, peer);		/* it need not wait for the next to know us */
	return WHY_OK;
}

/* A boot that has not proved itself: nothing it says is acted on, but what serves to prove it. */
static enum why from_unknown(struct cl_turn *turn, const struct seal_opened *opened, struct ip from,
			     const struct cl_msg *msg)
{
	struct cl_peer *peer = cl_peer_of(turn->cl, opened->node);

	if (peer && CL_GUARD(DUPLICATE, peer->alive && !ip_eq(peer->from, from))) {
		say_stranger(turn, &peer->said, opened->node, WHY_CL_DUPLICATE, from);
		return WHY_CL_DUPLICATE;
	}
	if (msg->type == CL_RESPONSE)
		return proved(turn, opened, from, msg);
	if (msg->type == CL_CHALLENGE)
		answer_challenge(turn, opened, from, msg);
	challenge(turn, opened, from);
	return WHY_CL_BOOT;
}

static enum why opened_received(struct cl_turn *turn, enum seal_said said, const struct seal_opened *opened,
				struct ip from)
{
	struct cl *cl = turn->cl;
	struct cl_msg msg;

	if (!peer_is_member(cl, from)) {
		say_stranger(turn, &cl->said_stranger, opened->node, WHY_CL_MEMBER, from);
		return WHY_CL_MEMBER;
	}
	enum why why = cl_msg_decode(opened->plain, &msg);

	if (why != WHY_OK)
		return why;
	if (said == SEAL_UNKNOWN_BOOT)
		return from_unknown(turn, opened, from, &msg);
	struct cl_peer *peer = cl_peer_of(cl, opened->node);

	if (!peer)
		return WHY_CL_FULL;
	if (msg.type == CL_CHALLENGE)
		answer_challenge(turn, opened, from, &msg);
	peer_heard(turn, peer, from, opened->to.n == 0);
	return dispatch(turn, peer, &msg);
}

static enum why received(struct cl_turn *turn, struct addr from, struct bytes packet)
{
	struct cl *cl = turn->cl;
	struct seal_opened opened;
	enum why why;

	enter(turn);
	cl->stat[CL_STAT_received]++;
	if (cl->stopped)
		return WHY_CL_ROLE;
	enum seal_said said = seal_open(cl->seal, packet, cl->plain, sizeof(cl->plain), &opened);

	if (said == SEAL_REFUSED) {
		why = opened.why;
		if (why == WHY_CL_DUPLICATE && !ip_eq(from.ip, cl->conf.address))
			say_stranger(turn, &cl->said_self, opened.node, why, from.ip);
		else if ((why == WHY_CL_CLUSTER || why == WHY_CL_KEY || why == WHY_CL_TAG) &&
			 peer_is_member(cl, from.ip))
			say_stranger(turn, &cl->said_sealed, opened.node, why, from.ip);
	} else {
		cl_trace_opened(cl, said, &opened, from);
		why = opened_received(turn, said, &opened, from.ip);
		elect_look(turn);
	}
	if (why != WHY_OK)
		cl->refused[why]++;
	return why;
}

enum why cl_received(struct cl *cl, struct addr from, struct bytes packet, struct mono now, struct fx_list *out)
{
	struct cl_turn turn = { cl, now, out };

	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_REFUSED, .now = now }, (struct bytes){ 0 });
	enum why why = received(&turn, from, packet);

	cl_trace_end(cl, why);
	return why;
}

/* When the trace's beginning is missing, so are the proofs that its boots gave: they are believed. */
enum why cl_replay_message(struct cl *cl, enum seal_said said, const struct seal_opened *opened, bool answered,
			   struct addr from, struct mono now, struct fx_list *out)
{
	struct cl_turn turn = { cl, now, out };
	enum why why = WHY_CL_ROLE;

	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_REFUSED, .now = now }, (struct bytes){ 0 });
	cl->play_answered = answered;
	enter(&turn);
	cl->stat[CL_STAT_received]++;
	if (!cl->stopped) {
		cl_trace_opened(cl, said, opened, from);
		if (cl->playing == CL_PLAY_TRUSTS && said == SEAL_OPENED && !cl_peer_of(cl, opened->node))
			(void)peer_proved(&turn, opened->node, from.ip, opened->boot);
		why = opened_received(&turn, said, opened, from.ip);
		elect_look(&turn);
		if (why != WHY_OK)
			cl->refused[why]++;
	}
	cl_trace_end(cl, why);
	return why;
}

/* ---- time ---- */

void cl_tick(struct cl *cl, struct mono now, struct fx_list *out)
{
	struct cl_turn turn = { cl, now, out };

	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_TICK, .now = now }, (struct bytes){ 0 });
	enter(&turn);
	if (cl->leaving && !cl->stopped && mono_reached(now, cl->stop_at)) {
		cl->stopped = true;
		role_set(&turn, CL_ROLE_SLAVE, cl->status.term, (struct node_id){ 0 }, "this node has left");
	}
	if (!cl->stopped) {
		peers_tick(&turn);
		elect_tick(&turn);
		repl_tick(&turn);
		forward_tick(&turn);
	}
	command_tick(&turn);
	elect_look(&turn);
	cl_trace_end(cl, 0);
}

struct mono cl_next(const struct cl *cl)
{
	struct mono next = mono_min(peers_next(cl), elect_next(cl));

	if (cl->stopped)
		return command_next(cl);
	if (cl->leaving)
		next = mono_min(next, cl->stop_at);
	return mono_min(mono_min(next, repl_next(cl)), mono_min(forward_next(cl), command_next(cl)));
}

/* ---- the daemon's wishes ---- */

struct cl_status cl_status(const struct cl *cl)
{
	return cl->status;
}

void cl_secrets(struct cl *cl, const struct seal_secret secret[SEAL_SECRETS_MAX], uint8_t sending)
{
	seal_secrets(cl->seal, secret, sending);
	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_SECRETS, .flag = seal_sending(cl->seal) != 0 },
		       (struct bytes){ 0 });
	cl_trace_end(cl, 0);
}

void cl_healthy(struct cl *cl, bool healthy)
{
	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_HEALTHY, .flag = healthy }, (struct bytes){ 0 });
	cl->unhealthy = !healthy;
	cl_trace_end(cl, 0);
}

void cl_leaving(struct cl *cl, struct mono now, struct fx_list *out)
{
	struct cl_turn turn = { cl, now, out };

	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_LEAVING, .now = now }, (struct bytes){ 0 });
	enter(&turn);
	elect_left(&turn);
	peers_tick(&turn);		/* the first farewell, in case there is no time for more */
	elect_look(&turn);
	cl_trace_end(cl, 0);
}

/* What is read at start only stays as it was, and who we are. */
void cl_configured(struct cl *cl, const struct cl_conf *conf, struct mono now)
{
	struct cl_conf made = with_defaults(conf);

	if (cl_conf_fault(conf))
		return;
	cl_trace_begin(cl, &(struct cl_trace_entry){ .kind = CL_TRACE_CONFIGURED, .now = now },
		       bytes_of(conf, sizeof(*conf)));
	made.self = cl->conf.self;
	memcpy(made.name, cl->conf.name, sizeof(made.name));
	made.keys = cl->conf.keys;
	made.record_octets = cl->conf.record_octets;
	cl->conf = made;
	cl->ping_due = now;		/* everybody should know at once */
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++)
		if (cl->peer[i].used && !peer_is_member(cl, cl->peer[i].from)) {
			cl->peer[i].refused = true;
			cl->peer[i].fault = WHY_CL_MEMBER;
		}
	cl_trace_end(cl, 0);
}
