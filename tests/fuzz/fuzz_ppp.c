/*
 * fuzz_ppp.c -- a whole struct ppp lives through what the input says: frames, time, verdicts, orders.
 *
 * Checked after every event: phase and deadline make sense, few packets go out and
 * none is too long, nothing is forwarded before authentication, what ended is over.
 */
#include "l2tpns/core/ppp.h"
#include "l2tpns/wire/l2tp_hdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct fx_list out;

struct world {
	struct ppp	ppp;
	struct ppp_env	env;
	struct ppp_conf	conf;
	struct rnd	rnd;
	uint32_t	sent;		/* effects before this event */
	uint8_t		last[2048];	/* our latest packet: protocol, then the packet */
	uint32_t	last_len;
	bool		authed, opened, ended;
};

static void conf_of(struct world *w, uint8_t a, uint8_t b)
{
	static const uint8_t seed[RND_SEED_LEN] = { 1 };

	rnd_seed(&w->rnd, seed);
	w->conf = (struct ppp_conf){
		.mru = a & 1 ? 1500 : 1460, .restart_ms = 1000,
		.max_configure = 4, .max_failure = 3, .max_terminate = 2,
		.auth = { (enum auth_method)(1 + b % 3), (enum auth_method)(1 + (b + 1) % 3) },
		.auths = (uint8_t)min_u32(a >> 1 & 3, 2),
		.auth_timeout_s = a & 8 ? 30 : 0, .echo_interval_s = a & 16 ? 10 : 0, .echo_failures = 2,
		.echo_when_busy = a & 32, .proxy = a & 64 ? PROXY_RENEGOTIATE : PROXY_ACCEPT,
		.our_address = { b & 8 ? 0 : 0x0a000001 }, .dns = { { b & 16 ? 0 : 0x0a000035 } },
		.name = "lns",
	};
	w->env = (struct ppp_env){
		.conf = &w->conf, .rnd = &w->rnd, .now = { 1000000 }, .link = { .out = &out },
	};
}

static void packets_check(struct world *w)
{
	ASSERT(out.count - w->sent <= 3);
	for (uint32_t i = w->sent; i < out.count; i++) {
		const uint8_t *at = fx_payload(&out, &out.fx[i]);
		struct l2tp_hdr hdr;
		struct ppp_frame frame;
		struct ppp_cp cp;

		ASSERT(out.fx[i].kind == FX_SEND);
		ASSERT(l2tp_hdr_decode(bytes_of(at + sizeof(struct fx_send),
						out.fx[i].len - sizeof(struct fx_send)), &hdr) == WHY_OK);
		ASSERT(ppp_frame_decode(hdr.body, &frame) == WHY_OK && frame.body.len <= 1500);
		ASSERT(ppp_cp_decode(frame.body, &cp) == WHY_OK && cp.data.len + 4 == frame.body.len);
		memcpy(w->last, hdr.body.p + 2, hdr.body.len - 2);
		w->last_len = hdr.body.len - 2;
	}
	if (!fx_has_room(&out))
		fx_clear(&out);
	w->sent = out.count;
}

static void check(struct world *w)
{
	unsigned happened = w->env.happened;

	packets_check(w);
	w->env.happened = 0;
	if (happened & PPP_HAS_LCP_OPENED)
		w->authed = false;
	if (happened & PPP_HAS_NET_DOWN) {
		ASSERT(w->opened);
		w->opened = false;
	}
	if (happened & PPP_HAS_AUTHED) {
		ASSERT(!w->opened);
		w->authed = true;
	}
	if (happened & PPP_HAS_OPENED) {
		ASSERT(w->authed && !w->opened);
		w->opened = true;
	}
	if (happened & PPP_HAS_ASKED_AUTH)
		ASSERT(w->ppp.phase == PPP_AUTHENTICATE && w->env.ask.method != AUTH_NONE);
	if (happened & PPP_HAS_ENDED) {
		ASSERT(!w->opened && w->env.end != PPP_END_NONE && w->ppp.phase == PPP_DEAD);
		w->ended = true;
	}
	ASSERT(w->ppp.phase < PPP_PHASES);
	ASSERT(w->ppp.phase != PPP_DEAD || w->ppp.due.us == UINT64_MAX);
	ASSERT(!w->opened || (w->ppp.phase == PPP_NETWORK && w->ppp.ipcp.state == FSM_OPENED));
	ASSERT(w->ppp.due.us == UINT64_MAX || w->ppp.due.us < w->env.now.us + 60000000);
	ASSERT(w->ppp.peer_mru <= w->conf.mru);
	ASSERT(w->ppp.loops <= w->conf.max_failure);
}

/* What the peer might answer to our latest packet: the same packet under another code, or itself. */
static void reply(struct world *w, uint8_t code, uint8_t cut)
{
	uint8_t frame[2048];
	uint32_t len = w->last_len;

	if (len < 6)
		return;
	memcpy(frame, w->last, len);
	if (cut && cut < len - 6) {
		len -= cut;
		frame[4] = (uint8_t)((len - 2) >> 8);
		frame[5] = (uint8_t)(len - 2);
	}
	if (code)
		frame[2] = code;
	ASSERT(ppp_received(&w->ppp, &w->env, bytes_of(frame, len)) < WHYS);
}

/* A packet that fits: credentials for the method agreed on, or a Protocol-Reject. */
static void say_fitting(struct world *w, uint8_t arg)
{
	static const uint16_t protos[] = { PPP_LCP, PPP_IPCP, PPP_PAP, PPP_CHAP };
	uint16_t proto = arg >= 12 ? PPP_LCP : w->ppp.auth == AUTH_PAP ? PPP_PAP : PPP_CHAP;
	uint8_t code = arg >= 12 ? CP_PROTOREJ : proto == PPP_PAP ? PAP_REQUEST : CHAP_RESPONSE;
	uint8_t octets[128], zero[49] = { 0 };
	struct wr p = wr_of(octets, sizeof(octets));

	ppp_frame_begin(&p, proto, arg & 1, false);
	size_t mark = ppp_cp_begin(&p, code, (uint8_t)(w->ppp.auth_id + (arg == 11)));

	if (code == CP_PROTOREJ) {
		wr_u16(&p, protos[arg & 3]);
	} else if (proto == PPP_PAP) {
		wr_bytes(&p, bytes_of("\1a\1b", 4));
	} else {
		uint8_t n = w->ppp.auth == AUTH_MSCHAPV2 ? 49 : 16;

		wr_u8(&p, n);
		wr_put(&p, zero, n);
		wr_u8(&p, arg & 4 ? 'a' : 'b');
	}
	ppp_cp_end(&p, mark);
	ASSERT(ppp_received(&w->ppp, &w->env, wr_bytes_of(&p)) < WHYS);
}

static void start(struct world *w, struct rd *r, bool proxied)
{
	struct ppp_proxy proxy = { .auth_type = rd_u8(r) % 6, .auth_id = 7 };
	struct rd parts[5];

	for (unsigned i = 0; proxied && i < 5; i++) {
		uint8_t n = rd_u8(r);

		parts[i] = rd_sub(r, n < rd_left(r) ? n : rd_left(r));
	}
	if (proxied) {
		proxy.last_sent_lcp = rd_rest(&parts[0]);
		proxy.last_received_lcp = rd_rest(&parts[1]);
		proxy.auth_name = rd_rest(&parts[2]);
		proxy.auth_challenge = rd_rest(&parts[3]);
		proxy.auth_response = rd_rest(&parts[4]);
	}
	w->authed = w->opened = w->ended = false;
	w->last_len = 0;
	ppp_started(&w->ppp, &w->env, proxied ? &proxy : NULL);
}

static void tick(struct world *w, uint64_t ms)
{
	w->env.now = mono_add(w->env.now, DUR_MS(ms));
	if (w->ppp.due.us != UINT64_MAX && ms == 0 && w->ppp.due.us > w->env.now.us)
		w->env.now = w->ppp.due;
	ppp_timed_out(&w->ppp, &w->env);
	ASSERT(w->ppp.due.us > w->env.now.us);
}

static void event(struct world *w, struct rd *r)
{
	uint8_t op = rd_u8(r);
	uint8_t arg = op >> 4;
	uint8_t n;

	switch (op & 15) {
	default:
		n = rd_u8(r);
		struct rd frame = rd_sub(r, n < rd_left(r) ? n : rd_left(r));

		ASSERT(ppp_received(&w->ppp, &w->env, rd_rest(&frame)) < WHYS);
		break;
	case 5: say_fitting(w, arg); break;
	case 6: reply(w, arg, 0); break;
	case 7: tick(w, 0); break;
	case 8: tick(w, arg * 500u); break;
	case 9: ppp_auth_answered(&w->ppp, &w->env, true, bytes_str("S=0123456789")); break;
	case 10: ppp_auth_answered(&w->ppp, &w->env, false, bytes_str("no")); break;
	case 11: ppp_address_given(&w->ppp, &w->env, (struct ip4){ 0x0a4d0100u + arg }); break;
	case 12: reply(w, CP_CONFNAK, rd_u8(r)); break;
	case 13:
		if (arg < 4)
			ppp_close_asked(&w->ppp, &w->env);
		else if (arg < 6)
			ppp_cleared(&w->ppp, &w->env), w->opened = false;
		break;
	case 14: w->env.data_heard = w->env.now; break;
	case 15: start(w, r, arg & 1); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct world w = { .ppp = { .due = MONO_NEVER } };
	struct rd r = rd_of(data, len);
	uint8_t a = rd_u8(&r);

	fx_clear(&out);
	conf_of(&w, a, rd_u8(&r));
	start(&w, &r, a & 128);
	check(&w);
	while (rd_left(&r) > 0) {
		event(&w, &r);
		check(&w);
	}
	return 0;
}
