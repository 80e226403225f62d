/* send.c -- messages on their way out: sealed, to all or to one, and by unicast to whom multicast does not reach. */
#include "cluster/mutants.h"
#include "cluster/state.h"

#define PLAIN_MAX	(CL_FORWARD_MAX + 256u)

_Static_assert(sizeof(struct fx_cl_send) % 8 == 0, "the datagram begins where it may be read");

static struct bytes encode(const struct cl_msg *msg, uint8_t plain[PLAIN_MAX])
{
	struct wr w = wr_of(plain, PLAIN_MAX);

	cl_msg_encode(msg, &w);
	ASSERT(wr_ok(&w));
	return wr_bytes_of(&w);
}

/* The datagram just appended, or NULL. */
static const uint8_t *emit(struct cl_turn *turn, struct node_id node, struct ip to, enum seal_stream stream,
			   struct bytes plain)
{
	struct cl *cl = turn->cl;
	size_t room = plain.len + SEAL_OVERHEAD;

	if (!seal_sending(cl->seal))
		return NULL;		/* no secret to seal with: nothing leaves in clear */
	struct fx_cl_send *send = fx_add(turn->out, FX_CL_SEND, 0, sizeof(*send) + room);

	*send = (struct fx_cl_send){ .to = to };
	size_t len = seal_close(cl->seal, node, stream, plain, (uint8_t *)(send + 1), room);

	ASSERT(len == room);
	cl->stat[CL_STAT_sent]++;
	cl->stat[CL_STAT_octets_sent] += len;
	return (uint8_t *)(send + 1);
}

/* The same sealed octets once more, by unicast: to a node whose id is not known nothing can be sealed. */
static void emit_copy(struct cl_turn *turn, struct ip to, const uint8_t *datagram, size_t len)
{
	struct fx_cl_send *send = fx_add(turn->out, FX_CL_SEND, 0, sizeof(*send) + len);

	*send = (struct fx_cl_send){ .to = to };
	memcpy(send + 1, datagram, len);
	turn->cl->stat[CL_STAT_sent]++;
	turn->cl->stat[CL_STAT_octets_sent] += len;
}

static bool address_known(const struct cl *cl, struct ip address)
{
	if (ip_eq(address, cl->conf.address))
		return true;
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++)
		if (cl->peer[i].used && ip_eq(cl->peer[i].from, address))
			return true;
	return false;
}

/* Often at first; later now and then, as most of those were switched off by somebody. */
static void search_members(struct cl_turn *turn, const uint8_t *datagram, size_t len)
{
	const struct cl *cl = turn->cl;

	if (cl->pings > 50 && cl->pings % 10 != 0)
		return;
	for (unsigned i = 0; i < cl->conf.members; i++)
		if (!address_known(cl, cl->conf.member[i]))
			emit_copy(turn, cl->conf.member[i], datagram, len);
}

void cl_send_all(struct cl_turn *turn, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	uint8_t plain[PLAIN_MAX];
	struct bytes octets = encode(msg, plain);
	bool ping = msg->type == CL_PING;
	const uint8_t *datagram = emit(turn, (struct node_id){ 0 }, (struct ip){ { 0 } }, SEAL_MULTICAST, octets);

	if (!datagram)
		return;
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		struct cl_peer *peer = &cl->peer[i];
		bool heard = peer->hears_multicast && peer_by_multicast(cl, peer, turn->now);

		/* The dead are called, too: they may be alive behind a switch that drops multicast. */
		if (peer->used && CL_GUARD(UNICAST_FALLBACK, !heard) && (ping || (peer->alive && !peer->refused)))
			(void)emit(turn, peer->node, peer->from, SEAL_UNICAST, octets);
	}
	if (ping)
		search_members(turn, datagram, octets.len + SEAL_OVERHEAD);
}

void cl_send_to(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	uint8_t plain[PLAIN_MAX];

	(void)emit(turn, peer->node, peer->from, SEAL_UNICAST, encode(msg, plain));
}

void cl_send_bulk(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	uint8_t plain[PLAIN_MAX];

	(void)emit(turn, peer->node, peer->from, SEAL_BULK, encode(msg, plain));
}

void cl_send_unknown(struct cl_turn *turn, struct node_id node, struct ip to, const struct cl_msg *msg)
{
	uint8_t plain[PLAIN_MAX];

	(void)emit(turn, node, to, SEAL_UNICAST, encode(msg, plain));
}
