/*
 * forward.c -- packets for another node: to the master, waiting for one if need be.
 *
 * A packet stays here for a second after it was sent, too: when another node becomes
 * master meanwhile, it may have been lost with the old one, and is sent once more.  Who
 * gets it twice sees so by its own numbers (L2TP's Ns, PPP's identifiers).
 */
#include "cluster/mutants.h"
#include "cluster/state.h"
#include "cluster/trace.h"

#define QUEUE_PACKETS	1024u
#define QUEUE_OCTETS	(256u * 1024)
#define HOPS_MAX	2u		/* nodes a packet passes at most */
#define KIND_ANY	128u		/* kinds from here on are for any node that is up to date */

struct waiting {
	uint32_t	at, len;	/* in the octets */
	struct mono	since;
	struct addr	from;
	struct ip	local;
	uint8_t		kind, hops;
	uint8_t		sent;		/* how often */
	struct node_id	to;		/* who got it last, as master of `term` */
	uint32_t	term;
};

/* A ring of packets over a ring of octets, oldest first.  What was sent stands before what was not. */
struct cl_queue {
	uint32_t	head, count;
	uint32_t	begin, end;	/* of the octets in use; equal: none are */
	uint32_t	number;
	struct waiting	packet[QUEUE_PACKETS];
	uint8_t		octets[QUEUE_OCTETS];
};

void forward_init(struct cl *cl, struct arena *arena)
{
	struct cl_queue *queue = arena_take(arena, 1, sizeof(*queue));

	if (queue)
		cl->queue = queue;
}

static struct waiting *packet_of(struct cl_queue *queue, uint32_t n)
{
	return &queue->packet[(queue->head + n) % QUEUE_PACKETS];
}

static void head_drop(struct cl_queue *queue)
{
	queue->head = (queue->head + 1) % QUEUE_PACKETS;
	if (--queue->count == 0)
		queue->begin = queue->end = 0;
	else
		queue->begin = packet_of(queue, 0)->at;
}

/* Room for `len` octets in one piece behind the last packet's.  False: there is none. */
static bool room_find(struct cl_queue *queue, uint32_t len, uint32_t *at)
{
	if (queue->count == QUEUE_PACKETS)
		return false;
	if (queue->count == 0 || queue->begin < queue->end) {
		*at = queue->end;
		if (QUEUE_OCTETS - queue->end >= len)
			return true;
		*at = 0;
		return queue->begin > len;
	}
	*at = queue->end;
	return queue->begin - queue->end > len;
}

/* Copies of what was sent make room; what waits does not. */
static struct waiting *packet_keep(struct cl_queue *queue, struct bytes packet)
{
	uint32_t at, room = max_u32(packet.len, 1);

	while (!room_find(queue, room, &at)) {
		if (queue->count == 0 || !packet_of(queue, 0)->sent)
			return NULL;
		head_drop(queue);
	}
	struct waiting *w = packet_of(queue, queue->count++);

	*w = (struct waiting){ .at = at, .len = packet.len };
	if (packet.len)
		memcpy(queue->octets + at, packet.p, packet.len);
	queue->end = at + room;
	if (queue->count == 1)
		queue->begin = at;
	return w;
}

static void handed_over(struct cl_turn *turn, const struct cl_forward *forward, struct node_id by)
{
	struct fx_cl_forwarded *to = fx_add(turn->out, FX_CL_FORWARDED, 0, sizeof(*to) + forward->rest.len);

	*to = (struct fx_cl_forwarded){ .from = forward->from, .local = forward->local, .by = by,
					.kind = forward->kind, .hops = forward->hops };
	if (forward->rest.len)
		memcpy(to + 1, forward->rest.p, forward->rest.len);
}

static bool master_known(const struct cl *cl)
{
	return cl->status.master.n && !(cl->status.role == CL_ROLE_MASTER && cl->status.frozen);
}

/* To whoever is master now; we may be that ourselves. */
static void packet_send(struct cl_turn *turn, struct waiting *w)
{
	struct cl *cl = turn->cl;
	struct cl_msg msg = { .type = CL_FORWARD, .term = cl->status.term };
	struct cl_peer *master = cl_peer_of(cl, cl->status.master);

	msg.forward = (struct cl_forward){ .number = ++cl->queue->number, .kind = w->kind, .hops = w->hops,
					   .from = w->from, .local = w->local,
					   .rest = bytes_of(cl->queue->octets + w->at, w->len) };
	w->sent++;
	w->to = cl->status.master;
	w->term = cl->status.term;
	if (cl->status.role == CL_ROLE_MASTER) {
		handed_over(turn, &msg.forward, cl->conf.self);
		w->sent = UINT8_MAX;	/* it has arrived: not once more */
	} else if (master) {
		cl_send_to(turn, master, &msg);
		cl->stat[CL_STAT_forwarded]++;
	}
}

/* Not sent yet, or sent once, to a master that is none any more. */
static bool packet_due(const struct cl *cl, const struct waiting *w)
{
	if (!w->sent)
		return true;
	return w->sent == 1 && (w->term != cl->status.term || !node_eq(w->to, cl->status.master));
}

static void pass_on(struct cl_turn *turn, uint8_t kind, uint8_t hops, struct addr from, struct ip local,
		    struct bytes packet)
{
	struct cl *cl = turn->cl;

	if (packet.len > CL_FORWARD_MAX) {
		cl->refused[WHY_CL_LONG]++;
		return;
	}
	struct waiting *w = packet_keep(cl->queue, packet);

	if (!w) {
		cl->refused[WHY_CL_FULL]++;
		return;
	}
	w->since = turn->now;
	w->from = from;
	w->local = local;
	w->kind = kind;
	w->hops = hops;
	if (master_known(cl))
		packet_send(turn, w);
}

void cl_forward(struct cl *cl, uint8_t kind, uint8_t hops, struct addr from, struct ip local, struct bytes packet,
		struct mono now, struct fx_list *out)
{
	struct cl_turn turn = { .cl = cl, .now = now, .out = out };
	struct cl_trace_entry entry = { .kind = CL_TRACE_FORWARD, .now = now, .flag = kind, .hops = hops, .from = from,
					.local = local, .len = (uint16_t)min_u32(packet.len, CL_FORWARD_MAX + 1) };

	cl_trace_begin(cl, &entry, (struct bytes){ 0 });
	pass_on(&turn, kind, hops, from, local, packet);
	cl_trace_end(cl, 0);
}

/* Bounded, as one event adds a bounded number of effects: the rest goes with the next tick. */
void forward_master_known(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_queue *queue = cl->queue;
	const struct fx_list *out = turn->out;

	if (!master_known(cl))
		return;
	for (uint32_t n = 0; n < queue->count; n++) {
		if (out->count + 128 > FX_MAX || out->used + 128u * 1024 > FX_OCTETS)
			return;
		if (packet_due(cl, packet_of(queue, n)))
			packet_send(turn, packet_of(queue, n));
	}
}

static enum why forward_came(struct cl_turn *turn, struct cl_peer *peer, const struct cl_forward *forward)
{
	struct cl *cl = turn->cl;

	if (CL_GUARD(FORWARD_HOPS, forward->hops > HOPS_MAX))
		return WHY_CL_HOPS;
	if (cl->status.role == CL_ROLE_MASTER || (forward->kind >= KIND_ANY && cl->status.up_to_date)) {
		cl->stat[CL_STAT_forwards_received]++;
		handed_over(turn, forward, peer->node);
		return WHY_OK;
	}
	if (CL_GUARD_PASS(FORWARD_HOPS, forward->hops < HOPS_MAX))
		pass_on(turn, forward->kind, (uint8_t)(forward->hops + 1), forward->from, forward->local,
			forward->rest);
	return WHY_CL_ROLE;	/* so that the sender is told who is master */
}

enum why forward_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	if (msg->type == CL_FORWARD)
		return forward_came(turn, peer, &msg->forward);
	if (msg->type != CL_BYTES)
		return WHY_CL_TYPE;
	struct fx_cl_bytes *to = fx_add(turn->out, FX_CL_BYTES, 0, sizeof(*to) + msg->bytes.rest.len);

	*to = (struct fx_cl_bytes){ .by = peer->node, .slot = (uint8_t)(peer - turn->cl->peer) };
	if (msg->bytes.rest.len)
		memcpy(to + 1, msg->bytes.rest.p, msg->bytes.rest.len);
	return WHY_OK;
}

void cl_bytes(struct cl *cl, struct bytes counters, struct mono now, struct fx_list *out)
{
	struct cl_turn turn = { .cl = cl, .now = now, .out = out };
	struct cl_msg msg = { .type = CL_BYTES, .term = cl->status.term, .bytes = { counters } };
	struct cl_trace_entry entry = { .kind = CL_TRACE_BYTES, .now = now,
					.len = (uint16_t)min_u32(counters.len, UINT16_MAX) };

	cl_trace_begin(cl, &entry, (struct bytes){ 0 });
	cl_send_all(&turn, &msg);
	cl_trace_end(cl, 0);
}

static struct mono packet_over(const struct cl *cl, const struct waiting *w)
{
	return mono_add(w->since, DUR_MS(cl->conf.forward_wait_ms));
}

uint32_t forward_waiting(const struct cl *cl)
{
	const struct cl_queue *queue = cl->queue;
	uint32_t waiting = 0;

	for (uint32_t n = 0; n < queue->count; n++)
		waiting += queue->packet[(queue->head + n) % QUEUE_PACKETS].sent == 0;
	return waiting;
}

void forward_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_queue *queue = cl->queue;

	forward_master_known(turn);
	while (queue->count && mono_reached(turn->now, packet_over(cl, packet_of(queue, 0)))) {
		if (!packet_of(queue, 0)->sent)
			cl->stat[CL_STAT_forwards_late]++;
		head_drop(queue);
	}
}

struct mono forward_next(const struct cl *cl)
{
	const struct cl_queue *queue = cl->queue;
	const struct waiting *last = &queue->packet[(queue->head + queue->count + QUEUE_PACKETS - 1) % QUEUE_PACKETS];

	if (!queue->count)
		return MONO_NEVER;
	if (master_known(cl) && packet_due(cl, last))
		return (struct mono){ 1 };
	return packet_over(cl, &queue->packet[queue->head]);
}
