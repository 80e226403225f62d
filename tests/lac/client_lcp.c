/*
 * client_lcp.c -- the subscriber's LCP, and which protocol hears which frame.  RFC 1661.
 *
 * A client that wants one thing, to come up: it acknowledges what it can live
 * with, names the authentication it was told to use, and gives up an option that
 * is rejected.  The automaton is small because a client never waits for calls.
 */
#include "l2tpns/wire/l2tp_hdr.h"
#include "l2tpns/wire/ppp_opt.h"
#include "tests/lac/lac.h"

#define DROPPED(option)	(1u << ((option) - 1))	/* in session.lcp_dropped */
#define OPTIONS_MAX	256

struct wr client_begin(struct lac *lac, uint32_t number, uint16_t proto, uint8_t room[NET_PACKET_MAX])
{
	struct wr w = wr_of(room, NET_PACKET_MAX);

	l2tp_data_begin(&w, lac->tunnel[session_tunnel(lac, number)].peer_tid, lac->session[number].peer_sid);
	ppp_frame_begin(&w, proto, false, false);
	return w;
}

void client_end(struct lac *lac, uint32_t number, struct wr *w)
{
	const struct tunnel *t = &lac->tunnel[session_tunnel(lac, number)];

	if (wr_ok(w))
		net_send(&lac->net, t->sock, &t->peer, wr_bytes_of(w));
}

static void packet_send(struct lac *lac, uint32_t number, uint8_t code, uint8_t id, struct bytes data)
{
	uint8_t room[NET_PACKET_MAX];
	struct wr w = client_begin(lac, number, PPP_LCP, room);
	size_t mark = ppp_cp_begin(&w, code, id);

	wr_bytes(&w, data);
	ppp_cp_end(&w, mark);
	client_end(lac, number, &w);
}

static void put_u32(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 24);
	at[1] = (uint8_t)(v >> 16);
	at[2] = (uint8_t)(v >> 8);
	at[3] = (uint8_t)v;
}

/* What we ask for, less what was rejected. */
size_t client_lcp_options(const struct lac *lac, uint32_t number, uint8_t *room, size_t len)
{
	const struct session *s = &lac->session[number];
	struct wr w = wr_of(room, len);
	uint8_t mru[2] = { (uint8_t)(s->mru >> 8), (uint8_t)s->mru }, magic[4];

	put_u32(magic, s->magic);
	if (s->mru && !(s->lcp_dropped & DROPPED(LCP_MRU)))
		ppp_opt_put(&w, LCP_MRU, bytes_of(mru, sizeof(mru)));
	if (!(s->lcp_dropped & DROPPED(LCP_MAGIC)))
		ppp_opt_put(&w, LCP_MAGIC, bytes_of(magic, sizeof(magic)));
	if (lac->opt.pfc && !(s->lcp_dropped & DROPPED(LCP_PFC)))
		ppp_opt_put(&w, LCP_PFC, (struct bytes){ 0 });
	if (lac->opt.acfc && !(s->lcp_dropped & DROPPED(LCP_ACFC)))
		ppp_opt_put(&w, LCP_ACFC, (struct bytes){ 0 });
	return wr_len(&w);
}

static void request_send(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];
	uint8_t options[OPTIONS_MAX];
	size_t len = client_lcp_options(lac, number, options, sizeof(options));

	packet_send(lac, number, CP_CONFREQ, ++s->lcp_id, bytes_of(options, len));
	client_wait(lac, number);
}

static void lcp_begin(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];

	session_phase(lac, number, PHASE_LCP);
	s->lcp_ours = s->lcp_theirs = false;
	s->auth = AUTH_NONE;
	request_send(lac, number);
}

/* The ICCN has been sent.  After proxy LCP the line is taken to be open already. */
void client_start(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];

	if (s->phase != PHASE_ANSWERED)
		return;
	if (lac->opt.proxy != PROXY_NO) {
		s->lcp_ours = s->lcp_theirs = true;
		session_phase(lac, number, PHASE_AUTH);
		if (lac->opt.proxy == PROXY_LCP)
			auth_start(lac, number);
		else
			client_wait(lac, number);
		s->answered = s->answered || lac->opt.proxy == PROXY_AUTH;
	} else if (lac->opt.ppp_delay_ms > 0) {
		timer_arm(&lac->timers, lac->tunnels + number, mono_add(lac->now, DUR_MS(lac->opt.ppp_delay_ms)));
	} else {
		lcp_begin(lac, number);
	}
}

size_t auth_demand(enum auth_method method, uint8_t value[3])
{
	static const struct { uint8_t len, value[3]; } demand[AUTH_METHODS] = {
		[AUTH_PAP]	= { 2, { 0xc0, 0x23 } },
		[AUTH_CHAP_MD5]	= { 3, { 0xc2, 0x23, 5 } },
		[AUTH_MSCHAPV2]	= { 3, { 0xc2, 0x23, 0x81 } },
	};

	memcpy(value, demand[method].value, sizeof(demand[method].value));
	return demand[method].len;
}

/* Whether we take the authentication option, and if not, which one we would take. */
static bool auth_suits(const struct lac *lac, struct session *s, struct bytes value, enum auth_method *rather)
{
	uint8_t known[3];

	for (unsigned m = AUTH_PAP; m < AUTH_METHODS; m++)
		if (bytes_eq(value, bytes_of(known, auth_demand((enum auth_method)m, known))) &&
		    (lac->opt.auth == WANT_ANY || lac->opt.auth == m)) {
			s->auth = (uint8_t)m;
			return true;
		}
	*rather = lac->opt.auth == WANT_ANY || lac->opt.auth == WANT_NONE ? AUTH_CHAP_MD5
									   : (enum auth_method)lac->opt.auth;
	return false;
}

/* The verdict on one option of theirs. */
static uint8_t option_judge(struct lac *lac, uint32_t number, const struct ppp_opt *opt, struct wr *nak)
{
	uint8_t value[3];
	enum auth_method rather;

	switch (opt->type) {
	case LCP_MRU: case LCP_ACCM: case LCP_MAGIC: case LCP_PFC: case LCP_ACFC:
		return CP_CONFACK;
	case LCP_AUTH:
		if (lac->opt.auth == WANT_NONE)
			return CP_CONFREJ;
		if (auth_suits(lac, &lac->session[number], opt->value, &rather))
			return CP_CONFACK;
		ppp_opt_put(nak, LCP_AUTH, bytes_of(value, auth_demand(rather, value)));
		return CP_CONFNAK;
	default:
		return CP_CONFREJ;
	}
}

static void opened_perhaps(struct lac *lac, uint32_t number)
{
	const struct session *s = &lac->session[number];

	if (s->phase == PHASE_LCP && s->lcp_ours && s->lcp_theirs) {
		session_phase(lac, number, PHASE_AUTH);
		auth_start(lac, number);
	}
}

/* RFC 1661 section 5.2-5.4: all of it, or what is rejected, or what we would rather have. */
static void request_received(struct lac *lac, uint32_t number, const struct ppp_cp *cp)
{
	struct session *s = &lac->session[number];
	uint8_t nak_room[OPTIONS_MAX], rej_room[OPTIONS_MAX];
	struct wr nak = wr_of(nak_room, sizeof(nak_room)), rej = wr_of(rej_room, sizeof(rej_room));
	struct rd options = rd_bytes(cp->data);
	struct ppp_opt opt;

	if (s->phase > PHASE_LCP) {
		/* The server starts again: RFC 1661 section 4.3, Receive-Configure-Request while opened. */
		lac->counts.renegotiated++;
		lcp_begin(lac, number);
	}
	s->auth = AUTH_NONE;
	while (rd_left(&options) > 0) {
		if (ppp_opt_next(&options, &opt) != WHY_OK)
			return;
		if (option_judge(lac, number, &opt, &nak) == CP_CONFREJ)
			ppp_opt_put(&rej, opt.type, opt.value);
	}
	if (wr_len(&rej) > 0) {
		packet_send(lac, number, CP_CONFREJ, cp->id, wr_bytes_of(&rej));
	} else if (wr_len(&nak) > 0) {
		packet_send(lac, number, CP_CONFNAK, cp->id, wr_bytes_of(&nak));
	} else {
		packet_send(lac, number, CP_CONFACK, cp->id, cp->data);
		s->lcp_theirs = true;
		opened_perhaps(lac, number);
	}
}

/* A Nak's MRU is taken over; everything else, and everything rejected, is given up. */
static void refused(struct lac *lac, uint32_t number, const struct ppp_cp *cp)
{
	struct session *s = &lac->session[number];
	struct rd options = rd_bytes(cp->data);
	struct ppp_opt opt;

	while (rd_left(&options) > 0 && ppp_opt_next(&options, &opt) == WHY_OK) {
		struct rd value = rd_bytes(opt.value);

		if (cp->code == CP_CONFNAK && opt.type == LCP_MRU)
			s->mru = rd_u16(&value);
		else if (cp->code == CP_CONFNAK && opt.type == LCP_MAGIC)
			s->magic = rnd_u32(&lac->rnd);
		else if (opt.type >= 1 && opt.type <= 8)
			s->lcp_dropped |= (uint8_t)DROPPED(opt.type);
	}
	request_send(lac, number);
}

static void echo_received(struct lac *lac, uint32_t number, const struct ppp_cp *cp)
{
	uint8_t data[64];
	uint32_t len = min_u32(cp->data.len, sizeof(data));

	lac->counts.echoes++;
	if (lac->opt.mute || len < 4)
		return;
	memcpy(data, cp->data.p, len);
	put_u32(data, lac->session[number].magic);
	packet_send(lac, number, CP_ECHOREP, cp->id, bytes_of(data, len));
}

static void lcp_frame(struct lac *lac, uint32_t number, const struct ppp_cp *cp)
{
	struct session *s = &lac->session[number];

	switch (cp->code) {
	case CP_CONFREQ:
		request_received(lac, number, cp);
		return;
	case CP_CONFACK:
		if (s->phase == PHASE_LCP && cp->id == s->lcp_id) {
			s->lcp_ours = true;
			opened_perhaps(lac, number);
		}
		return;
	case CP_CONFNAK:
	case CP_CONFREJ:
		if (s->phase == PHASE_LCP && cp->id == s->lcp_id)
			refused(lac, number, cp);
		return;
	case CP_TERMREQ:
		packet_send(lac, number, CP_TERMACK, cp->id, (struct bytes){ 0 });
		session_lost(lac, number, LOSS_TERMINATED);
		return;
	case CP_ECHOREQ:
		echo_received(lac, number, cp);
		return;
	default:
		return;
	}
}

void client_terminate(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];

	packet_send(lac, number, CP_TERMREQ, ++s->lcp_id, (struct bytes){ 0 });
}

static void protocol_reject(struct lac *lac, uint32_t number, const struct ppp_frame *frame)
{
	uint8_t data[128] = { (uint8_t)(frame->proto >> 8), (uint8_t)frame->proto };
	uint32_t len = min_u32(frame->body.len, sizeof(data) - 2);

	memcpy(data + 2, frame->body.p, len);
	packet_send(lac, number, CP_PROTOREJ, ++lac->session[number].lcp_id, bytes_of(data, len + 2));
}

void client_frame(struct lac *lac, uint32_t number, const struct ppp_frame *frame)
{
	const struct session *s = &lac->session[number];
	struct ppp_cp cp;

	/* A subscriber's PPP that has not begun yet hears nothing. */
	if (s->phase < PHASE_LCP || s->phase == PHASE_FAILED)
		return;
	if (frame->proto == PPP_PAP || frame->proto == PPP_CHAP) {
		auth_frame(lac, number, frame);
	} else if (frame->proto != PPP_LCP && frame->proto != PPP_IPCP) {
		if (s->phase > PHASE_LCP)
			protocol_reject(lac, number, frame);
	} else if (ppp_cp_decode(frame->body, &cp) != WHY_OK) {
		lac->counts.refused++;
	} else if (frame->proto == PPP_LCP) {
		lcp_frame(lac, number, &cp);
	} else {
		ipcp_frame(lac, number, &cp);
	}
}

/* The restart timer: say it again, or give up. */
void client_timeout(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];
	uint8_t tries = (uint8_t)(s->tries + 1);

	if (s->phase == PHASE_ANSWERED) {
		lcp_begin(lac, number);
		return;
	}
	if (s->phase < PHASE_LCP || s->phase >= PHASE_UP)
		return;
	if (tries > lac->opt.tries) {
		call_end(lac, number);
		session_phase(lac, number, PHASE_FAILED);
		lac->counts.loss[LOSS_TIMEOUT]++;
		return;
	}
	s->tries = tries;
	lac->counts.resent++;
	if (s->phase == PHASE_LCP)
		request_send(lac, number);
	else if (s->phase == PHASE_AUTH)
		auth_again(lac, number);
	else
		ipcp_again(lac, number);
}
