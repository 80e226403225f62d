/* tunnel.c -- opening, keeping and ending tunnels as the LAC.  RFC 2661 sections 5.1, 5.5, 5.7, 7.2. */
#include "l2tpns/wire/l2tp_hdr.h"
#include "tests/lac/lac.h"
#include "tests/lac/measure.h"

#define PROTOCOL_VERSION	0x0100
#define FRAMING_BOTH		3u
#define OUR_WINDOW		64u
#define STOP_GENERAL		1u		/* result code: RFC 2661 section 4.4.2 */
#define STOP_NOT_AUTHORIZED	4u
#define WINDOW_DEFAULT		4u		/* when the peer names none: RFC 2661 section 4.4.3 */

static struct bytes secret_of(const struct lac *lac)
{
	return bytes_str(lac->opt.secret);
}

void tunnel_send(struct lac *lac, uint32_t tunnel, uint16_t peer_sid, const struct l2tp_msg *msg, uint32_t starts)
{
	struct tunnel *t = &lac->tunnel[tunnel];
	uint8_t room[NET_PACKET_MAX], vector[16];
	struct wr w = wr_of(room, sizeof(room));

	l2tp_control_begin(&w, t->peer_tid, peer_sid, t->chan.ns, t->chan.nr);
	if (lac->opt.hide) {
		rnd_fill(&lac->rnd, vector, sizeof(vector));
		l2tp_msg_encode_hidden(msg, secret_of(lac), bytes_of(vector, sizeof(vector)), &w);
	} else {
		l2tp_msg_encode(msg, &w);
	}
	l2tp_control_end(&w);
	ASSERT(wr_ok(&w));
	chan_put(lac, tunnel, wr_bytes_of(&w), starts);
}

static void tunnel_state(struct lac *lac, uint32_t tunnel, enum tunnel_state state)
{
	struct tunnel *t = &lac->tunnel[tunnel];

	lac->counts.tunnels_up -= t->state == TUNNEL_UP;
	lac->counts.tunnels_opening -= t->state == TUNNEL_OPENING;
	t->state = state;
	lac->counts.tunnels_up += state == TUNNEL_UP;
	lac->counts.tunnels_opening += state == TUNNEL_OPENING;
}

void tunnel_open(struct lac *lac, uint32_t tunnel)
{
	struct tunnel *t = &lac->tunnel[tunnel];

	t->life = lac->opt.same_ids ? 0 : t->life ? t->life + 1 : rnd_u32(&lac->rnd) >> 1;
	struct l2tp_msg msg = {
		.type = L2TP_SCCRQ, .protocol_version = PROTOCOL_VERSION, .framing_caps = FRAMING_BOTH,
		.host_name = bytes_str(lac->opt.host_name), .vendor_name = bytes_str("l2tpns test LAC"),
		.assigned_tid = tunnel_id(lac, tunnel), .window = OUR_WINDOW,
		.present = AVP_BIT(AVP_MESSAGE_TYPE) | AVP_BIT(AVP_PROTOCOL_VERSION) |
			   AVP_BIT(AVP_FRAMING_CAPABILITIES) | AVP_BIT(AVP_HOST_NAME) | AVP_BIT(AVP_VENDOR_NAME) |
			   AVP_BIT(AVP_ASSIGNED_TUNNEL_ID) | AVP_BIT(AVP_RECEIVE_WINDOW_SIZE),
	};

	t->peer = lac->server;
	t->peer_tid = 0;
	t->sock = tunnel % lac->net.socks;
	chan_open(lac, tunnel);
	tunnel_state(lac, tunnel, TUNNEL_OPENING);
	if (lac->opt.secret[0]) {
		rnd_fill(&lac->rnd, t->challenge, sizeof(t->challenge));
		msg.challenge = bytes_of(t->challenge, sizeof(t->challenge));
		msg.present |= AVP_BIT(AVP_CHALLENGE);
	}
	tunnel_send(lac, tunnel, 0, &msg, 0);
}

static void stop_with(struct lac *lac, uint32_t tunnel, uint16_t result)
{
	struct l2tp_msg msg = {
		.type = L2TP_STOPCCN, .result = result, .assigned_tid = tunnel_id(lac, tunnel),
		.present = AVP_BIT(AVP_MESSAGE_TYPE) | AVP_BIT(AVP_RESULT_CODE) | AVP_BIT(AVP_ASSIGNED_TUNNEL_ID),
	};

	tunnel_send(lac, tunnel, 0, &msg, 0);
	tunnel_state(lac, tunnel, TUNNEL_CLOSING);
}

void tunnel_stop(struct lac *lac, uint32_t tunnel)
{
	if (lac->tunnel[tunnel].state == TUNNEL_UP)
		stop_with(lac, tunnel, STOP_GENERAL);
}

/* The tunnel is gone, and with it every call in it. */
void tunnel_lost(struct lac *lac, uint32_t tunnel, enum loss_reason why)
{
	if (lac->tunnel[tunnel].state == TUNNEL_UP && why == LOSS_TUNNEL_DEAD)
		report_say(&lac->report, "tunnel %u: the server no longer answers\n", tunnel + 1);
	tunnel_state(lac, tunnel, TUNNEL_DEAD);
	chan_close(lac, tunnel);
	for (uint32_t n = tunnel; n < lac->sessions; n += lac->tunnels)
		if (lac->session[n].phase != PHASE_IDLE && lac->session[n].phase != PHASE_FAILED)
			session_lost(lac, n, why);
}

static void sccrp(struct lac *lac, uint32_t tunnel, const struct l2tp_msg *msg)
{
	struct tunnel *t = &lac->tunnel[tunnel];
	struct l2tp_msg reply = { .type = L2TP_SCCCN, .present = AVP_BIT(AVP_MESSAGE_TYPE) };
	uint8_t expected[16], response[16];

	t->peer_tid = msg->assigned_tid;
	if (lac->opt.secret[0]) {
		l2tp_challenge_response(L2TP_SCCRP, secret_of(lac), bytes_of(t->challenge, sizeof(t->challenge)),
					expected);
		if (!(msg->present & AVP_BIT(AVP_CHALLENGE_RESPONSE)) ||
		    !bytes_eq(msg->challenge_response, bytes_of(expected, sizeof(expected)))) {
			report_say(&lac->report, "tunnel %u: the server does not know the secret\n", tunnel + 1);
			stop_with(lac, tunnel, STOP_NOT_AUTHORIZED);
			return;
		}
	}
	if (msg->present & AVP_BIT(AVP_CHALLENGE)) {
		l2tp_challenge_response(L2TP_SCCCN, secret_of(lac), msg->challenge, response);
		reply.challenge_response = bytes_of(response, sizeof(response));
		reply.present |= AVP_BIT(AVP_CHALLENGE_RESPONSE);
	}
	t->chan.window = msg->present & AVP_BIT(AVP_RECEIVE_WINDOW_SIZE) && msg->window ? msg->window : WINDOW_DEFAULT;
	if (lac->opt.window)
		t->chan.window = (uint16_t)lac->opt.window;
	tunnel_state(lac, tunnel, TUNNEL_UP);
	tunnel_send(lac, tunnel, 0, &reply, 0);
}

static void tunnel_message(struct lac *lac, uint32_t tunnel, const struct l2tp_hdr *hdr, const struct l2tp_msg *msg)
{
	uint64_t number = hdr->session_id ? (uint64_t)(hdr->session_id - 1u) * lac->tunnels + tunnel : UINT64_MAX;

	switch (msg->type) {
	case L2TP_SCCRP:
		if (lac->tunnel[tunnel].state == TUNNEL_OPENING)
			sccrp(lac, tunnel, msg);
		return;
	case L2TP_STOPCCN:
		report_say(&lac->report, "tunnel %u: the server ended it, result %u error %u %.*s\n", tunnel + 1,
			   msg->result, msg->error, (int)msg->error_message.len, (const char *)msg->error_message.p);
		tunnel_lost(lac, tunnel, LOSS_STOPCCN);
		return;
	case L2TP_HELLO:
		lac->counts.hellos++;
		return;
	default:
		if (number < lac->sessions)
			call_message(lac, (uint32_t)number, msg);
	}
}

static void control(struct lac *lac, const struct sockaddr_in *from, const struct l2tp_hdr *hdr)
{
	uint8_t scratch[L2TP_SCRATCH_LEN];
	struct l2tp_msg msg;
	uint32_t tunnel = tunnel_of(lac, hdr->tunnel_id);

	if (tunnel == lac->tunnels || lac->tunnel[tunnel].state == TUNNEL_IDLE)
		return;
	struct tunnel *t = &lac->tunnel[tunnel];

	/* The server may answer from another port than it was called at: RFC 2661 section 8.1. */
	if (t->state == TUNNEL_OPENING && t->peer_tid == 0)
		t->peer = *from;
	if (!chan_received(lac, tunnel, hdr->ns, hdr->nr, hdr->body.len == 0)) {
		if (t->state == TUNNEL_CLOSING && t->chan.queued == 0)
			tunnel_lost(lac, tunnel, LOSS_NONE);
		return;
	}
	if (t->state == TUNNEL_DEAD)
		return;
	enum why why = l2tp_msg_decode(hdr->body, secret_of(lac), scratch, &msg);

	if (why != WHY_OK) {
		lac->counts.refused++;
		lac->counts.refused_why[why]++;
		return;
	}
	tunnel_message(lac, tunnel, hdr, &msg);
}

static void data(struct lac *lac, const struct l2tp_hdr *hdr)
{
	struct ppp_frame frame;
	uint32_t tunnel = tunnel_of(lac, hdr->tunnel_id);
	uint64_t number = (uint64_t)(hdr->session_id - 1u) * lac->tunnels + tunnel;

	if (tunnel == lac->tunnels || hdr->session_id == 0 || number >= lac->sessions ||
	    ppp_frame_decode(hdr->body, &frame) != WHY_OK) {
		lac->counts.refused++;
		return;
	}
	if (frame.proto == PPP_IP)
		measure_received(lac, (uint32_t)number, frame.body);
	else
		client_frame(lac, (uint32_t)number, &frame);
}

void tunnel_datagram(void *arg, uint32_t sock, const struct sockaddr_in *from, struct bytes octets)
{
	struct lac *lac = arg;
	struct l2tp_hdr hdr;
	enum why why = l2tp_hdr_decode(octets, &hdr);

	(void)sock;
	if (why != WHY_OK) {
		lac->counts.refused++;
		lac->counts.refused_why[why]++;
	} else if (hdr.control) {
		control(lac, from, &hdr);
	} else {
		data(lac, &hdr);
	}
}
