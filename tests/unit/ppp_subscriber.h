/*
 * ppp_subscriber.h -- a subscriber that dials in by itself: the other end of a struct line.
 *
 * Written from the RFCs without the machines under test: it acknowledges what it
 * can do, takes what it is told in a Nak, drops what is rejected, and repeats
 * itself each second.  subscriber_plays() runs both ends and the judge, and may
 * lose or double frames on the way.
 */
#ifndef TESTS_PPP_SUBSCRIBER_H
#define TESTS_PPP_SUBSCRIBER_H

#include "tests/unit/ppp_line.h"

#define STEP_MS		10
#define WIRE_FRAMES	64

struct wish { uint8_t type, len, value[4]; };	/* an option it asks for; len 0xff: given up */

struct layer {				/* LCP or IPCP */
	uint16_t	proto;
	uint8_t		id;
	bool		ours, theirs;	/* which request is acknowledged */
	struct wish	wish[6];
	unsigned	wishes;
};

struct subscriber {
	const char	*user, *password;
	unsigned	methods;	/* bit m: it can do enum auth_method m */
	enum auth_method prefers;
	uint64_t	starts_ms;	/* hears and says nothing before */
	unsigned	loss, copies;	/* per cent, each way */
	uint32_t	seed;

	uint64_t	age_ms;
	struct layer	lcp, ipcp;
	enum auth_method agreed;
	uint8_t		auth_id;
	bool		authed, refused, gone, terminated;
	bool		mute;		/* has vanished without a word */
	bool		begun;
	unsigned	requests_heard;	/* Configure-Requests of LCP */
	uint16_t	proto_rejected;
	struct { uint32_t len; uint8_t octets[1600]; } wire[WIRE_FRAMES];	/* under way to our side */
	unsigned	frames;

	bool		slow_judge;	/* verdicts are the test's to give */
	unsigned	happened;	/* everything our side reported */
	unsigned	asked;
	enum ppp_end	end;
};

static inline bool dice(struct subscriber *s, unsigned per_cent)
{
	s->seed = s->seed * 1664525u + 1013904223u;
	return (s->seed >> 16) % 100 < per_cent;
}

static inline void sub_puts(struct subscriber *s, struct bytes frame)
{
	for (unsigned copies = dice(s, s->loss) ? 0 : dice(s, s->copies) ? 2 : 1; copies > 0; copies--) {
		if (s->frames == WIRE_FRAMES)
			return;
		s->wire[s->frames].len = frame.len;
		memcpy(s->wire[s->frames++].octets, frame.p, frame.len);
	}
}

static inline void sub_says(struct subscriber *s, uint16_t proto, uint8_t code, uint8_t id, struct bytes data)
{
	uint8_t octets[1600];
	struct wr w = wr_of(octets, sizeof(octets));

	ppp_frame_begin(&w, proto, false, false);
	size_t mark = ppp_cp_begin(&w, code, id);
	wr_bytes(&w, data);
	ppp_cp_end(&w, mark);
	sub_puts(s, wr_bytes_of(&w));
}

static inline void layer_asks(struct subscriber *s, struct layer *l)
{
	uint8_t data[64];
	struct wr w = wr_of(data, sizeof(data));

	for (unsigned i = 0; i < l->wishes; i++)
		if (l->wish[i].len != 0xff)
			ppp_opt_put(&w, l->wish[i].type, bytes_of(l->wish[i].value, l->wish[i].len));
	sub_says(s, l->proto, CP_CONFREQ, l->id, wr_bytes_of(&w));
}

/* A Nak or a Reject of its request. */
static inline void layer_obeys(struct subscriber *s, struct layer *l, bool rejected, struct bytes data)
{
	struct rd r = rd_bytes(data);
	struct ppp_opt opt;

	while (rd_left(&r) > 0 && ppp_opt_next(&r, &opt) == WHY_OK) {
		for (unsigned i = 0; i < l->wishes; i++) {
			if (l->wish[i].type != opt.type)
				continue;
			l->wish[i].len = rejected ? 0xff : (uint8_t)opt.value.len;
			if (!rejected)
				memcpy(l->wish[i].value, opt.value.p, opt.value.len);
		}
	}
	l->id++;
	layer_asks(s, l);
}

/* The LNS's request for LCP: all right but for the way to authenticate. */
static inline bool sub_can(struct subscriber *s, uint8_t id, struct bytes data)
{
	static const char *const name[] = { "", "c023", "c22305", "c22381" };
	struct rd r = rd_bytes(data);
	struct ppp_opt opt;
	uint8_t option[8];
	struct wr w = wr_of(option, sizeof(option));

	s->agreed = AUTH_NONE;
	while (rd_left(&r) > 0 && ppp_opt_next(&r, &opt) == WHY_OK) {
		if (opt.type != LCP_AUTH)
			continue;
		for (unsigned m = 1; m < AUTH_METHODS; m++)
			if (bytes_eq(opt.value, hex(name[m])))
				s->agreed = (enum auth_method)m;
		if (s->methods >> s->agreed & 1)
			continue;
		ppp_opt_put(&w, LCP_AUTH, s->methods ? hex(name[s->prefers]) : opt.value);
		sub_says(s, PPP_LCP, s->methods ? CP_CONFNAK : CP_CONFREJ, id, wr_bytes_of(&w));
		return false;
	}
	return true;
}

static inline void layer_asked(struct subscriber *s, struct layer *l, const struct sent *sent)
{
	if (l->ours && l->theirs) {	/* RFC 1661 4.1: Opened and asked again is a new negotiation */
		l->ours = false;
		l->id++;
		layer_asks(s, l);
		if (l == &s->lcp)
			s->authed = s->ipcp.ours = s->ipcp.theirs = false;
	}
	l->theirs = l != &s->lcp || sub_can(s, sent->id, sent->data);
	if (l->theirs)
		sub_says(s, l->proto, CP_CONFACK, sent->id, sent->data);
}

static inline void layer_hears(struct subscriber *s, struct layer *l, const struct sent *sent)
{
	switch (sent->code) {
	case CP_CONFREQ:
		s->requests_heard += l == &s->lcp;
		layer_asked(s, l, sent);
		break;
	case CP_CONFACK:
		l->ours |= sent->id == l->id;
		break;
	case CP_CONFNAK:
	case CP_CONFREJ:
		if (sent->id == l->id && !l->ours)
			layer_obeys(s, l, sent->code == CP_CONFREJ, sent->data);
		break;
	case CP_TERMREQ:
		s->terminated = true;
		sub_says(s, l->proto, CP_TERMACK, sent->id, (struct bytes){ 0 });
		break;
	case CP_TERMACK:
		s->gone = true;
		break;
	case CP_PROTOREJ:
		s->proto_rejected = (uint16_t)(sent->data.p[0] << 8 | sent->data.p[1]);
		break;
	case CP_ECHOREQ:
		sub_says(s, PPP_LCP, CP_ECHOREP, sent->id, hex("01020304"));
		break;
	default:
		break;
	}
}

static inline void sub_responds(struct subscriber *s, const struct sent *sent)
{
	uint8_t data[128], nt[NT_HASH_LEN], value[MSCHAPV2_RESPONSE_LEN] = { 9, 8, 7, 6, 5, 4, 3, 2, 1 };
	struct wr w = wr_of(data, sizeof(data));
	struct bytes challenge, name;
	uint8_t len = s->agreed == AUTH_CHAP_MD5 ? CHAP_MD5_LEN : MSCHAPV2_RESPONSE_LEN;

	assert_int_equal(chap_value_decode(sent->data, &challenge, &name), WHY_OK);
	nt_hash(bytes_str(s->password), nt);
	if (s->agreed == AUTH_CHAP_MD5)
		chap_md5(sent->id, bytes_str(s->password), challenge, value);
	else
		mschapv2_nt_response(nt, challenge.p, value, bytes_str(s->user), value + 24);
	wr_u8(&w, len);
	wr_put(&w, value, len);
	wr_bytes(&w, bytes_str(s->user));
	sub_says(s, PPP_CHAP, CHAP_RESPONSE, sent->id, wr_bytes_of(&w));
}

static inline void sub_hears(struct subscriber *s, const struct sent *sent)
{
	if (sent->proto == PPP_LCP)
		layer_hears(s, &s->lcp, sent);
	else if (sent->proto == PPP_IPCP && s->authed)
		layer_hears(s, &s->ipcp, sent);
	else if (sent->proto == PPP_CHAP && sent->code == CHAP_CHALLENGE)
		sub_responds(s, sent);
	else if ((sent->proto == PPP_CHAP && sent->code == CHAP_SUCCESS) ||
		 (sent->proto == PPP_PAP && sent->code == PAP_ACK))
		s->authed = true;
	else if (sent->proto == PPP_CHAP || sent->proto == PPP_PAP)
		s->refused = true;
}

/* Once a second it repeats what is not answered yet. */
static inline void sub_ticks(struct subscriber *s)
{
	bool linked = s->lcp.ours && s->lcp.theirs;
	uint8_t data[128];
	struct wr w = wr_of(data, sizeof(data));

	if (!s->lcp.ours)
		layer_asks(s, &s->lcp);
	if (linked && !s->authed && s->agreed == AUTH_PAP) {
		wr_u8(&w, (uint8_t)strlen(s->user));
		wr_bytes(&w, bytes_str(s->user));
		wr_u8(&w, (uint8_t)strlen(s->password));
		wr_bytes(&w, bytes_str(s->password));
		sub_says(s, PPP_PAP, PAP_REQUEST, ++s->auth_id, wr_bytes_of(&w));
	}
	if (linked && (s->authed || s->agreed == AUTH_NONE) && !s->ipcp.ours)
		layer_asks(s, &s->ipcp);
}

/* The judge: carol's password is s3cret. */
static inline bool judged(const struct ppp_ask *ask, char proof[MSCHAPV2_SUCCESS_LEN])
{
	struct bytes right = bytes_str("s3cret");
	uint8_t want[24], nt[NT_HASH_LEN];

	if (!bytes_eq(ask->user, bytes_str("carol")))
		return false;
	if (ask->method == AUTH_PAP)
		return bytes_eq(ask->password, right);
	if (ask->method == AUTH_CHAP_MD5) {
		chap_md5(ask->id, right, ask->challenge, want);
		return octets_equal(want, ask->response.p, CHAP_MD5_LEN);
	}
	nt_hash(right, nt);
	mschapv2_nt_response(nt, ask->challenge.p, ask->response.p, ask->user, want);
	mschapv2_success(nt, ask->challenge.p, ask->response.p, want, ask->user, proof);
	return octets_equal(want, ask->response.p + 24, 24);
}

/* What the session would do with what its PPP reports. */
static inline void session_does(struct line *line, struct subscriber *s)
{
	while (line->env.happened) {
		unsigned happened = line->env.happened;
		char proof[MSCHAPV2_SUCCESS_LEN] = { 0 };

		line->env.happened = 0;
		s->happened |= happened;
		if (happened & PPP_HAS_NET_DOWN)
			s->happened &= ~(unsigned)PPP_HAS_OPENED;
		if (happened & PPP_HAS_OPENED)
			assert_true(s->happened & PPP_HAS_AUTHED);
		if (happened & PPP_HAS_ENDED)
			s->end = line->env.end;
		if (happened & PPP_HAS_ASKED_AUTH) {
			s->asked++;
			if (!s->slow_judge) {
				bool accepted = judged(&line->env.ask, proof);
				bool prove = accepted && line->env.ask.method == AUTH_MSCHAPV2;

				ppp_auth_answered(&line->ppp, &line->env, accepted,
						  bytes_of(proof, prove ? sizeof(proof) : 0));
			}
		}
		if (happened & PPP_HAS_AUTHED)
			ppp_address_given(&line->ppp, &line->env, (struct ip4){ PEER_ADDRESS });
	}
}

static inline bool sub_listens(const struct subscriber *s)
{
	return s->age_ms >= s->starts_ms && !s->mute && !s->gone;
}

static inline void subscriber_plays(struct line *line, struct subscriber *s, uint64_t ms)
{
	for (uint64_t until = s->age_ms + ms; s->age_ms < until; s->age_ms += STEP_MS) {
		struct sent sent;
		unsigned frames = s->frames;
		bool linked = s->lcp.ours && s->lcp.theirs, authed = s->authed;

		session_does(line, s);
		line->env.now = mono_add(line->env.now, DUR_MS(STEP_MS));
		s->frames = 0;
		for (unsigned i = 0; i < frames; i++) {
			assert_in_range(ppp_received(&line->ppp, &line->env,
				bytes_of(s->wire[i].octets, s->wire[i].len)), WHY_OK, WHYS - 1);
			session_does(line, s);
		}
		if (mono_reached(line->env.now, line->ppp.due)) {
			ppp_timed_out(&line->ppp, &line->env);
			session_does(line, s);
		}
		while (line_sent(line, &sent))
			for (unsigned n = dice(s, s->loss) ? 0 : dice(s, s->copies) ? 2 : 1; n > 0; n--)
				if (sub_listens(s))
					sub_hears(s, &sent);
		line_keeps(line);
		if (sub_listens(s) && (!s->begun || s->age_ms % 1000 == s->starts_ms % 1000 ||
				       linked != (s->lcp.ours && s->lcp.theirs) || authed != s->authed))
			sub_ticks(s);
		s->begun |= sub_listens(s);
	}
}

/* As pppd dials in. */
static inline struct subscriber subscriber_new(enum auth_method method)
{
	return (struct subscriber){
		.user = "carol", .password = "s3cret", .methods = 1u << method, .prefers = method, .seed = 1,
		.starts_ms = 150,
		.lcp = { .proto = PPP_LCP, .id = 1, .wishes = 5, .wish = {
			{ LCP_MRU, 2, { 5, 0xb4 } }, { LCP_ACCM, 4, { 0 } }, { LCP_MAGIC, 4, { 1, 2, 3, 4 } },
			{ LCP_PFC, 0, { 0 } }, { LCP_ACFC, 0, { 0 } } } },
		.ipcp = { .proto = PPP_IPCP, .id = 1, .wishes = 4, .wish = {
			{ IPCP_COMPRESSION, 4, { 0, 0x2d, 15, 1 } }, { IPCP_ADDRESS, 4, { 0 } },
			{ IPCP_DNS1, 4, { 0 } }, { IPCP_DNS2, 4, { 0 } } } },
	};
}

static inline bool subscriber_is_up(const struct subscriber *s)
{
	static const uint8_t address[4] = { 10, 77, 1, 5 };

	return (s->happened & PPP_HAS_OPENED) && s->ipcp.ours && s->ipcp.theirs &&
	       memcmp(s->ipcp.wish[1].value, address, 4) == 0;
}

#endif
