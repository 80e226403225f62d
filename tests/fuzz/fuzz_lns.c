/*
 * fuzz_lns.c -- the whole control plane, driven by a small grammar of LACs, subscribers and time.
 *
 * Each octet of the input is a deed: a right next step of one of four LACs, so
 * that runs get deep; a wrong one; a spoilt or repeated packet; time; an
 * operator.  At the end everything is closed and nothing may be left.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "l2tpns/wire/l2tp_hdr.h"
#include "l2tpns/wire/ppp.h"
#include "tests/unit/lns_left.h"

#define LACS	4
#define CALLS	4
#define HELD	4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct frame { uint16_t proto; uint8_t len, octets[120]; };

struct call {
	uint16_t	lns_sid;
	struct frame	held[HELD];		/* what the lns sent and was not answered yet */
	unsigned	holds;
	uint8_t		id, lns_id[2];		/* ours, and of the lns's latest LCP and IPCP requests */
};

struct lac {
	uint16_t	lns_tid, ns, nr, tid;
	uint8_t		challenge[16];
	bool		challenged;
	struct call	call[CALLS];
};

struct world {
	struct lns	*lns;
	struct mono	 now;
	struct rd	 in;
	struct lac	 lac[LACS];
	uint8_t		 last[FX_PACKET_MAX];
	size_t		 last_len;
	struct addr	 last_from;
	uint8_t		 spoil, spoil_at, spoil_with;
	bool		 hide;			/* the next message's AVPs: RFC 2661 4.3 */
	struct { struct row row; uint32_t serial; } ask;
	bool		 tunnel_put[8];		/* by tunnel id */
	uint32_t	 sessions_put, routes_put;
};

static const struct ip our_ip = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 200 } };
static const char users[] =
	"ann pw\nbob {crypt}$6$x$y\neve pw address=10.1.0.5 session-timeout=40 idle-timeout=20\n";
static struct fx_list out;
static struct lns_conf conf;

static struct addr lac_addr(unsigned n)		/* the last two share an address */
{
	return (struct addr){ .ip = ip_from4((struct ip4){ 0xc0000201 + (n > 2 ? 2 : n) }), .port = 1701 };
}

static void hold(struct call *call, const struct ppp_frame *frame)
{
	struct frame *to = &call->held[call->holds < HELD ? call->holds++ : HELD - 1];

	if (frame->body.len >= 4 && frame->body.p[0] == CP_CONFREQ)
		call->lns_id[frame->proto == PPP_IPCP] = frame->body.p[1];
	to->proto = frame->proto;
	to->len = (uint8_t)min_u32(frame->body.len, sizeof(to->octets));
	memcpy(to->octets, frame->body.p, to->len);
}

static void sent_control(struct lac *lac, const struct l2tp_hdr *hdr)
{
	static uint8_t scratch[L2TP_SCRATCH_LEN];
	struct l2tp_msg msg;

	if (hdr->body.len == 0 || hdr->ns != lac->nr)
		return;
	lac->nr++;
	ASSERT(l2tp_msg_decode(hdr->body, SAY_NONE, scratch, &msg) == WHY_OK);
	if (msg.type == L2TP_SCCRP) {
		lac->lns_tid = msg.assigned_tid;
		lac->challenged = (msg.present & AVP_BIT(AVP_CHALLENGE)) != 0;
		if (lac->challenged)
			memcpy(lac->challenge, msg.challenge.p, sizeof(lac->challenge));
	} else if (msg.type == L2TP_ICRP) {
		lac->call[hdr->session_id % CALLS].lns_sid = msg.assigned_sid;
	} else if (msg.type == L2TP_STOPCCN) {
		*lac = (struct lac){ .tid = (uint16_t)(lac->tid + LACS) };
	}
}

static void sent(struct world *world, const struct fx_send *send, struct bytes packet)
{
	struct l2tp_hdr hdr;
	struct ppp_frame frame;

	ASSERT(l2tp_hdr_decode(packet, &hdr) == WHY_OK);
	for (unsigned i = 0; i < LACS; i++) {
		struct lac *lac = &world->lac[i];

		if (!addr_eq(send->to, lac_addr(i)) || (hdr.tunnel_id && hdr.tunnel_id != lac->tid))
			continue;
		if (hdr.control)
			sent_control(lac, &hdr);
		else if (ppp_frame_decode(hdr.body, &frame) == WHY_OK)
			hold(&lac->call[hdr.session_id % CALLS], &frame);
	}
}

/* Carry out what came out, and hold it to the plane's rules. */
static void done(struct world *world)
{
	for (uint32_t i = 0; i < out.count; i++) {
		const struct fx *fx = &out.fx[i];
		const uint8_t *payload = fx_payload(&out, fx);
		const struct fx_crypt *crypt = (const void *)payload;

		switch ((enum fx_kind)fx->kind) {
		case FX_SEND:
			sent(world, (const void *)payload, bytes_of(payload + sizeof(struct fx_send),
								    fx->len - sizeof(struct fx_send)));
			break;
		case FX_TUNNEL_PUT:
			ASSERT(fx->id < ARRAY_LEN(world->tunnel_put));
			world->tunnel_put[fx->id] = true;
			break;
		case FX_TUNNEL_DROP:
			ASSERT(fx->id < ARRAY_LEN(world->tunnel_put) && world->tunnel_put[fx->id]);
			world->tunnel_put[fx->id] = false;
			break;
		case FX_SESSION_PUT:
			ASSERT(world->tunnel_put[((const struct fx_session *)(const void *)payload)->tid.n]);
			world->sessions_put++;
			break;
		case FX_SESSION_DROP:
			ASSERT(world->sessions_put-- > 0);
			break;
		case FX_ROUTE_PUT:
			world->routes_put++;
			break;
		case FX_ROUTE_DROP:
			ASSERT(world->routes_put-- > 0);
			break;
		case FX_CRYPT:
			world->ask.row = crypt->row;
			world->ask.serial = crypt->serial;
			break;
		case FX_LOG:
		case FX_CL_SEND ... FX_KINDS:
			break;
		}
	}
	fx_clear(&out);
}

static void input(struct world *world, struct addr from, const uint8_t *octets, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);	/* of its own size: a read beyond it is seen */
	uint64_t before[WHYS];

	memcpy(copy, octets, len);
	for (unsigned why = 0; why < WHYS; why++)
		before[why] = lns_refused(world->lns, (enum why)why);
	enum why why = lns_input(world->lns, from, our_ip, bytes_of(copy, len), world->now, &out);

	free(copy);
	ASSERT(why < WHYS && (why == WHY_OK || lns_refused(world->lns, why) > before[why]));
	ASSERT(out.count <= FX_EVENT_MAX && out.used <= FX_EVENT_OCTETS);
	done(world);
	lns_flush(world->lns, world->now, &out);
	done(world);
}

/* Send, perhaps spoilt: an octet changed, the end cut off, from somewhere else. */
static void post(struct world *world, struct addr from, struct wr *w)
{
	size_t len = wr_len(w);

	if (!wr_ok(w) || len == 0)
		return;
	if (world->spoil & 1)
		w->start[world->spoil_at % len] ^= world->spoil_with;
	if (world->spoil & 2)
		len = world->spoil_at % len;
	if (world->spoil & 4)
		from.port ^= world->spoil_with;
	if ((world->spoil & 8) && len >= 4)	/* an honest length after all */
		wr_patch_u16(w, 2, (uint16_t)len);
	world->spoil = 0;
	memcpy(world->last, w->start, len);
	world->last_len = len;
	world->last_from = from;
	input(world, from, w->start, len);
}

static void control(struct world *world, unsigned n, unsigned call, struct l2tp_msg *msg)
{
	struct lac *lac = &world->lac[n];
	uint8_t octets[FX_PACKET_MAX];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_control_begin(&w, msg->type == L2TP_SCCRQ ? 0 : lac->lns_tid,
			   msg->type >= L2TP_ICCN ? lac->call[call].lns_sid : 0, lac->ns++, lac->nr);
	l2tp_msg_encode_hidden(msg, bytes_str("secret"), world->hide ? bytes_str("vector") : SAY_NONE, &w);
	world->hide = false;
	l2tp_control_end(&w);
	post(world, lac_addr(n), &w);
}

#define HAS(name) AVP_BIT(AVP_##name)

/* A message as a LAC in order would send it; `variant` leaves AVPs out and adds others. */
static void message(struct world *world, unsigned n, unsigned call, uint16_t type, uint8_t variant)
{
	static const uint8_t sent_lcp[] = { 1, 4, 4, 0xb0, 3, 4, 0xc0, 0x23 };
	static const uint8_t heard_lcp[] = { 5, 6, 0, 0, 0, 9 };
	static const uint64_t usual[] = {
		[L2TP_SCCRQ] = HAS(PROTOCOL_VERSION) | HAS(FRAMING_CAPABILITIES) | HAS(HOST_NAME) |
			       HAS(ASSIGNED_TUNNEL_ID),
		[L2TP_SCCRP] = HAS(PROTOCOL_VERSION) | HAS(FRAMING_CAPABILITIES) | HAS(HOST_NAME) |
			       HAS(ASSIGNED_TUNNEL_ID),
		[L2TP_STOPCCN] = HAS(ASSIGNED_TUNNEL_ID) | HAS(RESULT_CODE),
		[L2TP_ICRQ] = HAS(ASSIGNED_SESSION_ID) | HAS(CALL_SERIAL_NUMBER),
		[L2TP_ICRP] = HAS(ASSIGNED_SESSION_ID),
		[L2TP_ICCN] = HAS(TX_CONNECT_SPEED) | HAS(FRAMING_TYPE),
		[L2TP_CDN] = HAS(RESULT_CODE) | HAS(ASSIGNED_SESSION_ID),
		[L2TP_WEN] = HAS(CALL_ERRORS), [L2TP_SLI] = HAS(ACCM),
	};
	static const uint64_t more[L2TP_TYPES][2] = {
		[L2TP_SCCRQ] = { HAS(CHALLENGE), HAS(RECEIVE_WINDOW_SIZE) },
		[L2TP_ICRQ] = { HAS(CALLING_NUMBER) | HAS(CALLED_NUMBER) },
		[L2TP_ICCN] = { HAS(LAST_SENT_LCP_CONFREQ) | HAS(LAST_RECEIVED_LCP_CONFREQ),
				HAS(PROXY_AUTHEN_TYPE) | HAS(PROXY_AUTHEN_NAME) | HAS(PROXY_AUTHEN_ID) |
				HAS(PROXY_AUTHEN_RESPONSE) },
	};
	static const uint8_t zeros[26];
	struct lac *lac = &world->lac[n];
	uint8_t response[16];

	if (type == L2TP_SCCRQ)
		*lac = (struct lac){ .tid = lac->tid };		/* a beginning: its numbers start afresh */
	struct l2tp_msg msg = {
		.type = type,
		.protocol_version = 0x100,
		.framing_caps = 3,
		.host_name = bytes_str("lac"),
		.assigned_tid = lac->tid,
		.window = 4,
		.challenge = bytes_str("challenge"),
		.result = 1,
		.assigned_sid = (uint16_t)(100 * CALLS + call),
		.call_serial = 7,
		.calling = bytes_str("5551"),
		.called = bytes_str("5559"),
		.tx_bps = 1000000,
		.framing_type = 1,
		.last_sent_lcp = bytes_of(sent_lcp, sizeof(sent_lcp)),
		.proxy_type = 3,
		.proxy_name = bytes_str("ann"),
		.last_received_lcp = bytes_of(heard_lcp, sizeof(heard_lcp)),
		.proxy_response = bytes_str("pw"),
		.call_errors = bytes_of(zeros, sizeof(zeros)),
		.present = type < ARRAY_LEN(usual) ? usual[type] : 0,
	};

	if (type == L2TP_SCCCN && lac->challenged) {
		l2tp_challenge_response(
			L2TP_SCCCN, bytes_str("secret"), bytes_of(lac->challenge, 16), response);
		msg.challenge_response = bytes_of(response, 16);
		msg.present |= HAS(CHALLENGE_RESPONSE);
	}
	if (variant & 1)
		msg.present |= more[type][0];
	if (variant & 2)
		msg.present |= more[type][1];
	if (variant & 4)
		msg.present &= msg.present - 1;		/* without its first */
	control(world, n, call, &msg);
}

static void frame(struct world *world, unsigned n, unsigned call, uint16_t proto, uint8_t code, uint8_t id,
		  struct bytes body)
{
	uint8_t octets[FX_PACKET_MAX];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_data_begin(&w, world->lac[n].lns_tid, world->lac[n].call[call].lns_sid);
	ppp_frame_begin(&w, proto, false, false);
	size_t mark = ppp_cp_begin(&w, code, id);

	wr_bytes(&w, body);
	ppp_cp_end(&w, mark);
	post(world, lac_addr(n), &w);
}

static void respond(struct world *world, unsigned n, unsigned call, const struct ppp_cp *cp, bool ms)
{
	uint8_t octets[FX_PACKET_MAX], nt[NT_HASH_LEN], value[MSCHAPV2_RESPONSE_LEN] = { 0 };
	struct wr w = wr_of(octets, sizeof(octets));
	struct bytes challenge, name;

	if (chap_value_decode(cp->data, &challenge, &name) != WHY_OK || challenge.len != 16)
		return;
	nt_hash(bytes_str("pw"), nt);
	if (ms)
		mschapv2_nt_response(nt, challenge.p, value, bytes_str("ann"), value + 24);
	else
		chap_md5(cp->id, bytes_str("pw"), challenge, value);
	l2tp_data_begin(&w, world->lac[n].lns_tid, world->lac[n].call[call].lns_sid);
	ppp_frame_begin(&w, PPP_CHAP, false, false);
	chap_value_encode(&w, CHAP_RESPONSE, cp->id,
		bytes_of(value, ms ? MSCHAPV2_RESPONSE_LEN : CHAP_MD5_LEN),
		bytes_str(ms || call % 2 ? "ann" : "eve"));
	post(world, lac_addr(n), &w);
}

/* A Configure packet with the options that `bits` choose, good ones and bad. */
static void configure(
	struct world *world, unsigned n, unsigned number, uint16_t proto, uint8_t code, uint8_t bits)
{
	static const struct option {
		uint8_t len, octets[6];
	} options[2][8] = { {
		{ 4, { 1, 4, 4, 0xb0 } }, { 6, { 2, 6 } },
		{ 4, { 3, 4, 0xc0, 0x23 } }, { 6, { 5, 6, 0, 0, 0, 1 } },
		{ 2, { 7, 2 } }, { 2, { 8, 2 } },
		{ 5, { 3, 5, 0xc2, 0x23, 5 } }, { 4, { 17, 4, 5, 0xdc } },
	}, {
		{ 6, { 3, 6 } }, { 6, { 3, 6, 10, 1, 0, 5 } },
		{ 6, { 129, 6 } }, { 6, { 129, 6, 10, 0, 0, 53 } },
		{ 6, { 131, 6 } }, { 6, { 2, 6, 0, 0x2d, 15, 1 } },
		{ 3, { 3, 3, 10 } }, { 6, { 3, 6, 10, 1, 0, 6 } },
	} };
	const struct option *option = options[proto == PPP_IPCP];
	struct call *call = &world->lac[n].call[number];
	uint8_t octets[64];
	struct wr w = wr_of(octets, sizeof(octets));

	for (unsigned i = 0; i < 8; i++)
		if (bits >> i & 1)
			wr_put(&w, option[i].octets, option[i].len);
	frame(world, n, number, proto, code,
		code == CP_CONFREQ ? ++call->id : call->lns_id[proto == PPP_IPCP], wr_bytes_of(&w));
}

/* The right answer to the oldest frame that has none; or itself, as a looped-back line returns it. */
static void answer(struct world *world, unsigned n, unsigned number, bool looped)
{
	struct call *call = &world->lac[n].call[number];
	struct frame held = call->held[0];
	struct ppp_cp cp;

	if (call->holds == 0)
		return;
	memmove(call->held, call->held + 1, --call->holds * sizeof(call->held[0]));
	if (ppp_cp_decode(bytes_of(held.octets, held.len), &cp) != WHY_OK)
		return;
	if (looped) {
		frame(world, n, number, held.proto, cp.code, cp.id, cp.data);
	} else if (cp.code == CP_CONFREQ && (held.proto == PPP_LCP || held.proto == PPP_IPCP)) {
		frame(world, n, number, held.proto, CP_CONFACK, cp.id, cp.data);
	} else if (held.proto == PPP_IPCP && cp.code == CP_CONFNAK && cp.data.len >= 6) {
		frame(world, n, number, PPP_IPCP, CP_CONFREQ, ++call->id, bytes_of(cp.data.p, 6));
	} else if (held.proto == PPP_LCP && cp.code == CP_TERMREQ) {
		frame(world, n, number, PPP_LCP, CP_TERMACK, cp.id, SAY_NONE);
	} else if (held.proto == PPP_LCP && cp.code == CP_ECHOREQ) {
		frame(world, n, number, PPP_LCP, CP_ECHOREP, cp.id, bytes_of("\0\0\0\0", 4));
	} else if (held.proto == PPP_CHAP && cp.code == CHAP_CHALLENGE) {
		respond(world, n, number, &cp, conf.ppp.auth[0] == AUTH_MSCHAPV2);
	}
}

static void pass(struct world *world, struct dur span)
{
	struct mono then = mono_add(world->now, span);

	for (unsigned i = 0; i < 100000 && mono_reached(then, lns_next(world->lns)); i++) {
		if (mono_before(world->now, lns_next(world->lns)))
			world->now = lns_next(world->lns);
		lns_tick(world->lns, world->now, &out);
		done(world);
		lns_flush(world->lns, world->now, &out);
		done(world);
	}
	ASSERT(mono_before(then, lns_next(world->lns)));	/* it must come to rest */
	world->now = then;
}

static void conf_toggle(struct world *world, uint8_t bits)
{
	static const enum auth_method methods[4] = { AUTH_PAP, AUTH_CHAP_MD5, AUTH_MSCHAPV2, AUTH_PAP };

	memcpy(conf.secret, bits & 1 ? "secret" : "", bits & 1 ? 7 : 1);
	conf.challenge_lacs = bits & 2;
	conf.ppp.auth[0] = methods[bits >> 2 & 3];
	conf.ppp.auths = bits & 16 ? 0 : 1;
	conf.ppp.proxy = bits & 32 ? PROXY_RENEGOTIATE : PROXY_ACCEPT;
	conf.allow_duplicate_users = bits & 64;
	conf.ppp.echo_interval_s = bits & 128 ? 5 : 0;
	(void)lns_configured(world->lns, &conf, world->now);
}

static void operate(struct world *world, uint8_t what)
{
	bool known = what & 1 ? lns_drop_tunnel(world->lns, (struct tid){ what >> 4 & 7 }, world->now, &out) :
		     lns_drop_session(world->lns, (struct row){ what >> 1 & 15 }, world->now, &out);

	(void)known;
	done(world);
}

static const uint16_t protos[] = {
	PPP_LCP, PPP_PAP, PPP_CHAP, PPP_IPCP, PPP_CCP, PPP_IP, PPP_IPV6CP, PPP_EAP,
};
static const uint16_t types[] = {
	L2TP_SCCRQ, L2TP_SCCRP, L2TP_SCCCN, L2TP_STOPCCN, L2TP_HELLO, L2TP_OCRQ, L2TP_OCRP, L2TP_OCCN,
	L2TP_ICRQ, L2TP_ICRP, L2TP_ICCN, L2TP_CDN, L2TP_WEN, L2TP_SLI,
};
static const uint16_t steps[] = { L2TP_SCCRQ, L2TP_SCCCN, L2TP_ICRQ, L2TP_ICCN };

static void deed(struct world *world)
{
	uint8_t what = rd_u8(&world->in), who = rd_u8(&world->in), arg = 0;
	unsigned n = who % LACS, call = who / LACS % CALLS;
	struct wr raw;
	uint8_t octets[256];
	struct bytes rest = rd_peek(&world->in), some = bytes_of(rest.p, min_u32(rest.len, who >> 4));

	switch (what & 15) {
	case 0: case 1:			/* towards a call that is up */
		message(world, n, call, steps[what >> 4 & 3], what >> 6);
		break;
	case 2: case 3:
		answer(world, n, call, what & 16);
		break;
	case 4: case 5:			/* `what` 4 and 5 with nothing above: the usual request */
		arg = what >> 4 ? rd_u8(&world->in) : what & 1 ? 1 : 9;
		configure(world, n, call, what & 1 ? PPP_IPCP : PPP_LCP,
			(uint8_t)(CP_CONFREQ + (what >> 4 & 3)), arg);
		break;
	case 6:
		frame(world, n, call, PPP_PAP, PAP_REQUEST, what, what & 16 ? bytes_of("\3ann\2pw", 7) :
		      what & 32 ? bytes_of("\3bob\2pw", 7) : some);
		break;
	case 7:				/* any frame, any message */
		arg = rd_u8(&world->in);
		if (what & 16)
			message(world, n, call, types[arg % ARRAY_LEN(types)], what >> 5);
		else
			frame(world, n, call, protos[what >> 5], arg & 15, (uint8_t)(arg >> 4), some);
		break;
	case 8:
		world->spoil = (uint8_t)(what >> 4);
		world->hide = what >> 4 == 0;
		world->spoil_at = who;
		world->spoil_with = rd_u8(&world->in);
		break;
	case 9:
		input(world, world->last_from, world->last, world->last_len);
		break;
	case 10: case 11:
		pass(world, DUR_MS((what >> 4) * (who + 1) * 16));
		break;
	case 12:
		if (what & 16)
			operate(world, who);
		else
			lns_crypt_answered(
				world->lns, world->ask.row, world->ask.serial, what & 32, world->now, &out);
		done(world);
		break;
	case 13:
		if (what & 16)
			conf_toggle(world, who);
		else
			message(world, n, call, what & 32 ? L2TP_CDN : L2TP_STOPCCN, 0);
		break;
	case 14:
		raw = wr_of(octets, sizeof(octets));
		wr_bytes(&raw, bytes_of(rest.p, min_u32(rest.len, who)));
		post(world, lac_addr(what >> 6), &raw);
		break;
	case 15:
		raw = wr_of(octets, sizeof(octets));
		l2tp_control_begin(&raw, world->lac[n].lns_tid, 0, world->lac[n].ns,
			(uint16_t)(world->lac[n].nr + (what >> 6)));
		l2tp_control_end(&raw);
		post(world, lac_addr(n), &raw);
		break;
	}
}

static void usage_of(void *ctx, struct row row, struct lns_usage *usage)
{
	const struct world *world = ctx;

	*usage = row.n % 2 ? (struct lns_usage){ {0}, {0}} : (struct lns_usage){ world->now, world->now};
}

static void conf_make(void)
{
	conf = (struct lns_conf){
		.sessions_max = 6,
		.tunnels_max = 5,
		.addresses_max = 16,
		.host_name = "lns",
		.tunnels_opening_max = 3,
		.window = 4,
		.hello_interval_s = 20,
		.retransmit_ms = 500,
		.retransmit_max_ms = 2000,
		.retransmit_tries = 3,
		.tunnel_linger_s = 5,
		.call_timeout_s = 30,
		.source_check = true,
		.ppp = { .mru = 1400,
			.restart_ms = 1000,
			.max_configure = 5,
			.max_failure = 3,
			.max_terminate = 2,
			.auth_timeout_s = 10,
			.echo_failures = 2,
			.our_address = { 0x0aff0001 },
			.dns = { { 0x0a000035 } },
			.name = "lns" },
		.pools = { .pools = 1, .ranges = 1, .range = { { .prefix = { { 0x0a010004 }, 30 } } } },
	};
}

static void finish(struct world *world)
{
	char text[300];

	lns_shutdown_asked(world->lns, world->now, &out);
	done(world);
	pass(world, DUR_S(200));
	ASSERT(lns_idle(world->lns) && lns_tunnel_count(world->lns) == 0 && world->sessions_put == 0 &&
		world->routes_put == 0);
	for (unsigned i = 0; i < ARRAY_LEN(world->tunnel_put); i++)
		ASSERT(!world->tunnel_put[i]);
	if (lns_left(world->lns, text)) {
		fprintf(stderr, "left behind: %s\n", text);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *memory;
	static uint8_t list_memory[4096] __attribute__((aligned(64)));
	static struct world world;
	static size_t room;
	struct subscribers *list;

	conf_make();
	if (!memory) {
		room = lns_size(&conf);
		memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	ASSERT(memory != MAP_FAILED && madvise(memory, room, MADV_DONTNEED) == 0);
	struct arena arena = { .start = memory, .room = room };

	world = (struct world){ .now = { 1000000 }, .in = rd_of(data, size) };
	fx_clear(&out);
	world.lns = lns_init(&conf, (const uint8_t[RND_SEED_LEN]){ 7 }, world.now, usage_of, &world, &arena);
	for (unsigned i = 0; i < LACS; i++)
		world.lac[i].tid = (uint16_t)(i + 1);
	conf_toggle(&world, rd_u8(&world.in));
	ASSERT(subscribers_size(bytes_str(users)) <= sizeof(list_memory));
	memset(list_memory, 0, sizeof(list_memory));
	(void)subscribers_parse(&list, list_memory, sizeof(list_memory), (struct hash_key){ { 1, 2 } },
		bytes_str(users), NULL, 0);
	lns_subscribers_loaded(world.lns, list);
	for (unsigned deeds = 0; rd_left(&world.in) > 0 && deeds < 400; deeds++)
		deed(&world);
	finish(&world);
	return 0;
}
