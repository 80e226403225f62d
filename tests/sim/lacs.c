/*
 * lacs.c -- LACs, and the subscribers behind them, as the whole product meets them.
 *
 * They follow RFC 2661 5.8: in order, with acknowledgements, repeats that back off, and an
 * end of patience after which the tunnel is lost.  They notice what no peer may see: a
 * sequence number used for two messages, one of theirs acknowledged that was never sent, an address
 * or a session id given twice, a call or a tunnel ended that nobody ended (I15).
 */
#include "l2tpns/wire/l2tp_hdr.h"
#include "l2tpns/wire/l2tp_msg.h"
#include "l2tpns/wire/ppp.h"
#include "l2tpns/wire/ppp_auth.h"
#include "tests/sim/office.h"

#define TRIES		12u
#define BIT(name)	AVP_BIT(AVP_##name)

/* ---- the outside network: routers bring a packet to some node that announces the service address ---- */

static void choose_node(struct sim *sim, struct sim_lac *lac)
{
	unsigned first = chance_below(&sim->chance, sim->nodes);

	for (unsigned low = 0; low < 2; low++)
		for (unsigned i = 0; i < sim->nodes; i++) {
			struct node *node = &sim->node[(first + i) % sim->nodes];

			if (!node_runs(sim, node) ||
				cl_status(node->cl).announce < (low ? CL_ANNOUNCE_LOW : CL_ANNOUNCE_FULL))
				continue;
			lac->node = node->index;
			return;
		}
}

static void lac_send(struct sim *sim, struct sim_lac *lac, struct bytes octets)
{
	const struct node *node = &sim->node[lac->node];

	/* A dead node's routes are gone after a while; at times the spread changes for no reason a LAC knows. */
	if (node_runs(sim, node))
		lac->dead_since = 0;
	else if (lac->dead_since == 0)
		lac->dead_since = sim->now;
	if ((lac->dead_since && sim->now > lac->dead_since + 300 * MS_US) || chance_permille(&sim->chance, 20) ||
		(node_runs(sim, node) && cl_status(node->cl).announce == CL_ANNOUNCE_OFF))
		choose_node(sim, lac);
	letter_send(sim, false, lac->node, lac->addr, octets);
}

/* ---- control messages: RFC 2661 5.8 ---- */

static void push(struct sim *sim, struct sim_lac *lac)
{
	while (lac->sent < lac->queued && lac->sent < 4) {
		struct unacked *message = &lac->queue[(lac->first + lac->sent++) % QUEUE];

		if (lac->sent == 1) {
			lac->tries = 0;
			lac->again_at = sim->now + S_US;
		}
		l2tp_control_set_nr(message->octets, lac->nr);
		sim_note(sim, "LAC %u sends number %u, type %u, to node %u", lac->index + 1, message->ns,
			message->octets[19], lac->node + 1);
		lac_send(sim, lac, bytes_of(message->octets, message->len));
	}
}

static void control(struct sim *sim, struct sim_lac *lac, uint16_t session_id, const struct l2tp_msg *msg)
{
	struct unacked *message = &lac->queue[(lac->first + lac->queued) % QUEUE];
	struct wr w = wr_of(message->octets, sizeof(message->octets));

	if (lac->queued == QUEUE)
		sim_fail(sim, "I15: LAC %u has %u messages that nobody acknowledges", lac->index + 1, QUEUE);
	message->ns = lac->ns++;
	l2tp_control_begin(&w, msg->type == L2TP_SCCRQ ? 0 : lac->lns_tid, session_id, message->ns, lac->nr);
	l2tp_msg_encode(msg, &w);
	l2tp_control_end(&w);
	ASSERT(wr_ok(&w));
	message->len = wr_bytes_of(&w).len;
	lac->queued++;
	push(sim, lac);
}

static void zlb(struct sim *sim, struct sim_lac *lac)
{
	uint8_t octets[L2TP_HDR_CONTROL_LEN];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_control_begin(&w, lac->lns_tid, 0, lac->ns, lac->nr);
	l2tp_control_end(&w);
	lac_send(sim, lac, wr_bytes_of(&w));
}

static void acked(struct sim *sim, struct sim_lac *lac, uint16_t nr)
{
	if ((int16_t)(nr - lac->ns) > 0)
		sim_fail(sim, "LAC %u: %u is acknowledged, and was never sent", lac->index + 1, nr - 1);
	while (lac->sent > 0 && (int16_t)(nr - lac->queue[lac->first].ns) > 0) {
		lac->first = (lac->first + 1) % QUEUE;
		lac->queued--;
		lac->sent--;
		lac->tries = 0;
		lac->again_at = sim->now + S_US;
	}
	/* What this tunnel's number is acknowledged for was sent, though not counted as such: nothing to do. */
	push(sim, lac);
}

static void repeat(struct sim *sim, struct sim_lac *lac)
{
	if (lac->sent == 0 || sim->now < lac->again_at)
		return;
	if (++lac->tries > TRIES)
		sim_fail(sim, "I15: LAC %u gives its tunnel up: nobody acknowledges %u (of type %u)", lac->index + 1,
			lac->queue[lac->first].ns, lac->queue[lac->first].octets[19]);
	lac->again_at = sim->now + (lac->tries < 3 ? S_US << lac->tries : 8 * S_US);
	struct unacked *message = &lac->queue[lac->first];

	l2tp_control_set_nr(message->octets, lac->nr);
	sim_note(sim, "LAC %u repeats number %u, type %u, to node %u", lac->index + 1, message->ns,
		message->octets[19], lac->node + 1);
	lac_send(sim, lac, bytes_of(message->octets, message->len));
}

/* ---- PPP, the subscriber's side ---- */

static void frame(struct sim *sim, struct sim_lac *lac, struct sim_call *call, uint16_t proto, uint8_t code, uint8_t id,
	struct bytes body)
{
	uint8_t octets[512];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_data_begin(&w, lac->lns_tid, call->lns_sid);
	ppp_frame_begin(&w, proto, false, false);
	size_t at = ppp_cp_begin(&w, code, id);

	sim_note(sim, "call %u of LAC %u sends %s code %u id %u to node %u", call->sid, lac->index + 1,
		ppp_proto_name(proto), code, id, lac->node + 1);
	wr_bytes(&w, body);
	ppp_cp_end(&w, at);
	ASSERT(wr_ok(&w));
	lac_send(sim, lac, wr_bytes_of(&w));
}

/* Says (again) what it has to say in this phase. */
static void ask(struct sim *sim, struct sim_lac *lac, struct sim_call *call)
{
	uint8_t address[6] = { 3, 6, (uint8_t)(call->address >> 24), (uint8_t)(call->address >> 16),
		(uint8_t)(call->address >> 8), (uint8_t)call->address };

	call->again_at = sim->now + S_US;
	if (call->phase == PHASE_LCP && !call->ours_acked)
		frame(sim, lac, call, PPP_LCP, CP_CONFREQ, ++call->id, bytes_of("\1\4\5\264\5\6\0\0\0\1", 10));
	else if (call->phase == PHASE_AUTH)
		frame(sim, lac, call, PPP_PAP, PAP_REQUEST, ++call->id, bytes_of("\4user\2pw", 8));
	else if (call->phase == PHASE_IPCP && !call->ours_acked)
		frame(sim, lac, call, PPP_IPCP, CP_CONFREQ, ++call->id, bytes_of(address, 6));
	else if (call->phase == PHASE_UP && chance_permille(&sim->chance, 200))
		frame(sim, lac, call, PPP_LCP, CP_ECHOREQ, ++call->id, bytes_of("\0\0\0\1", 4));
	else if (call->phase == PHASE_CLOSING && call->terminating)
		frame(sim, lac, call, PPP_LCP, CP_TERMREQ, ++call->id, (struct bytes){ 0 });
}

static void phase(struct sim *sim, struct sim_lac *lac, struct sim_call *call, enum call_phase next)
{
	call->phase = next;
	call->ours_acked = call->theirs_acked = false;
	ask(sim, lac, call);
}

/* The subscriber has its address, and nobody else may. */
static void call_up(struct sim *sim, struct sim_lac *lac, struct sim_call *call)
{
	struct world *world = sim->world;

	call->phase = PHASE_UP;
	call->life_until = sim->now + chance_around(&sim->chance, 20 * S_US) + S_US;
	world->ups++;
	for (unsigned i = 0; i < LACS; i++)
		for (unsigned c = 0; c < CALLS; c++) {
			const struct sim_call *other = &world->lac[i].call[c];

			if (other != call && other->phase == PHASE_UP && other->address == call->address)
				sim_fail(sim, "I3: calls %u of LAC %u and %u of LAC %u have one address", call->sid,
					lac->index + 1, other->sid, i + 1);
			if (other != call && i == lac->index && other->phase == PHASE_UP &&
				other->lns_sid == call->lns_sid)
				sim_fail(sim, "I3: calls %u and %u of LAC %u have one id", call->sid, other->sid,
					i + 1);
		}
}

static void lcp(struct sim *sim, struct sim_lac *lac, struct sim_call *call, const struct ppp_cp *cp)
{
	switch (cp->code) {
	case CP_CONFREQ:			/* RFC 1661 4.1: in Opened it all begins again */
		frame(sim, lac, call, PPP_LCP, CP_CONFACK, cp->id, cp->data);
		if (call->phase > PHASE_LCP && call->phase <= PHASE_UP)
			phase(sim, lac, call, PHASE_LCP);
		call->theirs_acked |= call->phase == PHASE_LCP;
		break;
	case CP_CONFACK:
		call->ours_acked |= call->phase == PHASE_LCP && cp->id == call->id;
		break;
	case CP_ECHOREQ:
		frame(sim, lac, call, PPP_LCP, CP_ECHOREP, cp->id, bytes_of("\0\0\0\1", 4));
		break;
	case CP_TERMREQ:
		if (call->phase != PHASE_CLOSING && call->phase != PHASE_IDLE)
			sim_fail(sim, "I15: call %u of LAC %u is terminated, in phase %u", call->sid, lac->index + 1,
				call->phase);
		frame(sim, lac, call, PPP_LCP, CP_TERMACK, cp->id, (struct bytes){ 0 });
		break;
	default:
		break;
	}
	if (call->phase == PHASE_LCP && call->ours_acked && call->theirs_acked)
		phase(sim, lac, call, PHASE_AUTH);
}

static void ipcp(struct sim *sim, struct sim_lac *lac, struct sim_call *call, const struct ppp_cp *cp)
{
	if (call->phase != PHASE_IPCP && call->phase != PHASE_UP)
		return;
	switch (cp->code) {
	case CP_CONFREQ:
		frame(sim, lac, call, PPP_IPCP, CP_CONFACK, cp->id, cp->data);
		if (call->phase == PHASE_UP)
			phase(sim, lac, call, PHASE_IPCP);
		call->theirs_acked = true;
		break;
	case CP_CONFNAK:
		if (cp->data.len < 6 || call->phase == PHASE_UP || cp->id != call->id)
			break;
		call->address = (uint32_t)cp->data.p[2] << 24 | (uint32_t)cp->data.p[3] << 16 |
			(uint32_t)cp->data.p[4] << 8 | cp->data.p[5];
		ask(sim, lac, call);
		break;
	case CP_CONFACK:
		if (cp->id == call->id && call->address)
			call->ours_acked = true;
		break;
	default:
		break;
	}
	if (call->phase == PHASE_IPCP && call->ours_acked && call->theirs_acked)
		call_up(sim, lac, call);
}

static void data(struct sim *sim, struct sim_lac *lac, struct sim_call *call, struct bytes octets)
{
	struct ppp_frame ppp;
	struct ppp_cp cp;

	if (ppp_frame_decode(octets, &ppp) != WHY_OK)
		sim_fail(sim, "LAC %u was sent a bad frame", lac->index + 1);
	if (ppp.proto == PPP_IP)
		return;
	if (ppp_cp_decode(ppp.body, &cp) != WHY_OK)
		sim_fail(sim, "LAC %u was sent a bad packet", lac->index + 1);
	sim_note(sim, "call %u of LAC %u in phase %u is sent %s code %u id %u", call->sid, lac->index + 1, call->phase,
		ppp_proto_name(ppp.proto), cp.code, cp.id);
	if (call->phase == PHASE_IDLE || call->phase == PHASE_ASKED)
		return;
	if (ppp.proto == PPP_LCP)
		lcp(sim, lac, call, &cp);
	else if (ppp.proto == PPP_PAP && cp.code == PAP_ACK && call->phase == PHASE_AUTH && cp.id == call->id)
		phase(sim, lac, call, PHASE_IPCP);
	else if (ppp.proto == PPP_PAP && cp.code == PAP_NAK && call->phase == PHASE_AUTH && cp.id == call->id)
		sim_fail(sim, "I15: call %u of LAC %u has its password refused", call->sid, lac->index + 1);
	else if (ppp.proto == PPP_IPCP)
		ipcp(sim, lac, call, &cp);
}

/* ---- calls and tunnels ---- */

static struct sim_call *call_of(struct sim_lac *lac, uint16_t sid)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (lac->call[i].phase != PHASE_IDLE && lac->call[i].sid == sid)
			return &lac->call[i];
	return NULL;
}

static void heard(struct sim *sim, struct sim_lac *lac, const struct l2tp_hdr *hdr, const struct l2tp_msg *msg)
{
	struct sim_call *call = call_of(lac, hdr->session_id);
	struct world *world = sim->world;

	switch (msg->type) {
	case L2TP_SCCRP:
		lac->lns_tid = msg->assigned_tid;
		lac->open = true;
		for (unsigned i = 0; i < LACS; i++)
			if (i != lac->index && world->lac[i].open && world->lac[i].lns_tid == lac->lns_tid)
				sim_fail(sim, "I3: LACs %u and %u have one tunnel", i + 1, lac->index + 1);
		control(sim, lac, 0, &(struct l2tp_msg){ .type = L2TP_SCCCN });
		break;
	case L2TP_ICRP:
		if (!call || call->phase != PHASE_ASKED)
			break;
		call->lns_sid = msg->assigned_sid;
		control(sim, lac, call->lns_sid, &(struct l2tp_msg){ .type = L2TP_ICCN, .tx_bps = 100000000,
			.framing_type = 1, .present = BIT(TX_CONNECT_SPEED) | BIT(FRAMING_TYPE) });
		phase(sim, lac, call, PHASE_LCP);
		break;
	case L2TP_CDN:
		if (call && call->phase != PHASE_CLOSING)
			sim_fail(sim, "I15: call %u of LAC %u is ended in phase %u: result %u, error %u %.*s",
				call->sid,
				lac->index + 1, call->phase, msg->result, msg->error, (int)msg->error_message.len,
				(const char *)msg->error_message.p);
		if (call)
			call->phase = PHASE_IDLE;
		break;
	case L2TP_STOPCCN:
		sim_fail(sim, "I15: LAC %u has its tunnel closed: result %u, error %u %.*s", lac->index + 1,
			msg->result,
			msg->error, (int)msg->error_message.len, (const char *)msg->error_message.p);
	default:
		break;
	}
}

/* No number may stand for two messages, whoever is master. */
static void compare(struct sim *sim, struct sim_lac *lac, const struct l2tp_hdr *hdr)
{
	uint64_t hash = hdr->session_id + 1u;

	for (uint32_t i = 0; i < hdr->body.len; i++)
		hash = (hash ^ hdr->body.p[i]) * UINT64_C(0x100000001b3);
	if (hdr->ns == lac->nr)
		lac->seen[hdr->ns % 64] = hash;
	else if ((uint16_t)(lac->nr - hdr->ns) <= 64 && lac->seen[hdr->ns % 64] != hash)
		sim_fail(sim, "I2: LAC %u has two messages with the number %u", lac->index + 1, hdr->ns);
}

void lac_received(struct sim *sim, struct sim_lac *lac, struct bytes packet)
{
	uint8_t scratch[L2TP_SCRATCH_LEN];
	struct l2tp_hdr hdr;
	struct l2tp_msg msg;

	if (l2tp_hdr_decode(packet, &hdr) != WHY_OK)
		sim_fail(sim, "LAC %u was sent a bad packet", lac->index + 1);
	if (hdr.tunnel_id != lac->tid)
		sim_fail(sim, "LAC %u was sent a packet for tunnel %u", lac->index + 1, hdr.tunnel_id);
	if (!hdr.control) {
		struct sim_call *call = call_of(lac, hdr.session_id);

		if (call)
			data(sim, lac, call, hdr.body);
		return;
	}
	/* A SCCRQ that was long on its way may begin another tunnel, which nobody goes on with. */
	if (hdr.body.len >= 8 && hdr.body.p[7] == L2TP_SCCRP && lac->open)
		return;
	acked(sim, lac, hdr.nr);
	if (hdr.body.len == 0)
		return;
	sim_note(sim, "LAC %u is sent number %u, type %u, for session %u, nr %u (due %u)", lac->index + 1, hdr.ns,
		hdr.body.len >= 8 ? hdr.body.p[7] : 0, hdr.session_id, hdr.nr, lac->nr);
	compare(sim, lac, &hdr);
	if (hdr.ns != lac->nr) {
		if ((int16_t)(hdr.ns - lac->nr) < 0)
			zlb(sim, lac);
		return;
	}
	lac->nr++;
	if (l2tp_msg_decode(hdr.body, (struct bytes){ 0 }, scratch, &msg) != WHY_OK)
		sim_fail(sim, "LAC %u was sent a bad message", lac->index + 1);
	heard(sim, lac, &hdr, &msg);
	zlb(sim, lac);
}

static void call_begin(struct sim *sim, struct sim_lac *lac, struct sim_call *call)
{
	*call = (struct sim_call){ .phase = PHASE_ASKED, .sid = lac->next_sid++, .began = sim->now };
	if (call->sid == 0)
		call->sid = lac->next_sid++;
	((struct world *)sim->world)->calls++;
	control(sim, lac, 0, &(struct l2tp_msg){ .type = L2TP_ICRQ, .assigned_sid = call->sid, .call_serial = call->sid,
		.calling = bytes_str("5551234"),
		.present = BIT(ASSIGNED_SESSION_ID) | BIT(CALL_SERIAL_NUMBER) | BIT(CALLING_NUMBER) });
}

static void call_close(struct sim *sim, struct sim_lac *lac, struct sim_call *call)
{
	((struct world *)sim->world)->ends++;
	call->phase = PHASE_CLOSING;
	call->terminating = chance_permille(&sim->chance, 400);
	call->life_until = sim->now + 30 * S_US;
	if (call->terminating) {
		ask(sim, lac, call);
		return;
	}
	control(sim, lac, call->lns_sid, &(struct l2tp_msg){ .type = L2TP_CDN, .result = 3, .assigned_sid = call->sid,
		.present = BIT(RESULT_CODE) | BIT(ASSIGNED_SESSION_ID) });
	call->phase = PHASE_IDLE;
}

void lac_tick(struct sim *sim, struct sim_lac *lac)
{
	const struct world *world = sim->world;

	if (!lac->asked) {
		lac->asked = true;
		choose_node(sim, lac);
		control(sim, lac, 0, &(struct l2tp_msg){ .type = L2TP_SCCRQ, .protocol_version = 0x0100,
			.framing_caps = 3, .host_name = bytes_str("lac"), .assigned_tid = lac->tid, .window = 8,
			.present = BIT(PROTOCOL_VERSION) | BIT(FRAMING_CAPABILITIES) | BIT(HOST_NAME) |
				BIT(ASSIGNED_TUNNEL_ID) | BIT(RECEIVE_WINDOW_SIZE) });
	}
	repeat(sim, lac);
	if (!lac->open)
		return;
	if (sim->now >= lac->hello_at) {
		lac->hello_at = sim->now + 5 * S_US;
		if (lac->queued < QUEUE / 2)
			control(sim, lac, 0, &(struct l2tp_msg){ .type = L2TP_HELLO });
	}
	for (unsigned i = 0; i < CALLS; i++) {
		struct sim_call *call = &lac->call[i];

		if (call->phase == PHASE_IDLE && !world->no_new_calls && lac->queued < QUEUE / 2 &&
			chance_permille(&sim->chance, 30))
			call_begin(sim, lac, call);
		else if (call->phase == PHASE_UP && sim->now >= call->life_until && !world->no_new_calls &&
			lac->queued < QUEUE / 2)
			call_close(sim, lac, call);
		else if (call->phase > PHASE_ASKED && sim->now >= call->again_at)
			ask(sim, lac, call);
	}
}

void lacs_begin(struct sim *sim)
{
	struct world *world = sim->world;

	for (unsigned i = 0; i < LACS; i++) {
		struct sim_lac *lac = &world->lac[i];

		lac->index = i;
		lac->addr = (struct addr){ ip_from4((struct ip4){ 0xc6336401u + i }), 1701 };
		lac->tid = (uint16_t)chance_between(&sim->chance, 1, 65535);
		lac->next_sid = (uint16_t)chance_between(&sim->chance, 1, 65535);
		lac->hello_at = chance_below(&sim->chance, 5000000);
	}
}

/* Every call is up or gone, and everything said was acknowledged. */
bool lacs_settled(struct sim *sim, char why[200])
{
	const struct world *world = sim->world;

	for (unsigned i = 0; i < LACS; i++) {
		const struct sim_lac *lac = &world->lac[i];

		if (!lac->open || lac->queued > 0) {
			snprintf(why, 200, "LAC %u has %u messages that nobody acknowledges%s", i + 1, lac->queued,
				lac->open ? "" : ", and no tunnel");
			return false;
		}
		for (unsigned c = 0; c < CALLS; c++)
			if (lac->call[c].phase != PHASE_UP && lac->call[c].phase != PHASE_IDLE) {
				snprintf(why, 200, "call %u of LAC %u stays in phase %u", lac->call[c].sid, i + 1,
					lac->call[c].phase);
				return false;
			}
	}
	return true;
}
