/*
 * ppp_line.h -- one PPP of ours, its configuration, clock and all it sent: for tests that play the peer.
 *
 * Packets are written and compared as hexadecimal text, spaces allowed.  Time
 * stands still unless line_waits() moves it, which calls ppp_timed_out() when due.
 */
#ifndef TESTS_PPP_LINE_H
#define TESTS_PPP_LINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/core/ppp.h"
#include "l2tpns/wire/l2tp_hdr.h"

struct line {
	struct ppp_conf	conf;
	struct ppp_env	env;
	struct rnd	rnd;
	struct ppp	ppp;
	struct fx_list	out;
	uint32_t	read;		/* effects of `out` the test has looked at */
	unsigned	happened;	/* all of env.happened since last asked */
};

struct sent {				/* one packet our side sent */
	uint16_t	proto;
	uint8_t		code, id;
	struct bytes	data;
};

#define OUR_ADDRESS	0x0a000001u	/* 10.0.0.1 */
#define PEER_ADDRESS	0x0a4d0105u	/* 10.77.1.5 */
#define DNS1		0x0a4d0035u
#define DNS2		0x0a4d0036u

/* Octets from text; good until the eighth call after. */
static inline struct bytes hex(const char *text)
{
	static uint8_t room[8][2048];
	static unsigned next;
	uint8_t *p = room[next++ % 8];
	size_t n = 0;

	for (; *text; text++) {
		unsigned value;

		if (*text == ' ')
			continue;
		assert_int_equal(sscanf(text, "%2x", &value), 1);
		p[n++] = (uint8_t)value;
		text++;
	}
	return bytes_of(p, n);
}

static inline void line_conf(struct line *line)
{
	static const uint8_t seed[RND_SEED_LEN] = { 1, 2, 3 };

	*line = (struct line){
		.conf = {
			.mru = 1460, .restart_ms = 1000,
			.max_configure = 10, .max_failure = 5, .max_terminate = 2,
			.auth = { AUTH_PAP }, .auths = 1, .auth_timeout_s = 30,
			.our_address = { OUR_ADDRESS }, .dns = { { DNS1 }, { DNS2 } }, .name = "lns",
		},
	};
	rnd_seed(&line->rnd, seed);
	line->env = (struct ppp_env){
		.conf = &line->conf, .rnd = &line->rnd, .now = { 1000000 },
		.link = { .out = &line->out, .tid = { 7 }, .sid = { 9 } },
	};
}

/* What has happened since the last call; also empties the list of effects that were read. */
static inline unsigned line_happened(struct line *line)
{
	unsigned happened = line->happened | line->env.happened;

	line->happened = 0;
	line->env.happened = 0;
	return happened;
}

static inline void line_keeps(struct line *line)
{
	line->happened |= line->env.happened;
	line->env.happened = 0;
	if (line->read == line->out.count) {
		fx_clear(&line->out);
		line->read = 0;
	}
	assert_true(fx_has_room(&line->out));
}

/* The next packet our side sent, or false. */
static inline bool line_sent(struct line *line, struct sent *sent)
{
	struct l2tp_hdr hdr;
	struct ppp_frame frame;
	struct ppp_cp cp;

	if (line->read == line->out.count)
		return false;
	const struct fx *fx = &line->out.fx[line->read++];
	const uint8_t *payload = fx_payload(&line->out, fx);

	assert_int_equal(fx->kind, FX_SEND);
	assert_int_equal(l2tp_hdr_decode(bytes_of(payload + sizeof(struct fx_send),
				fx->len - sizeof(struct fx_send)), &hdr), WHY_OK);
	assert_int_equal(hdr.tunnel_id, 7);
	assert_int_equal(hdr.session_id, 9);
	assert_memory_equal(hdr.body.p, "\xff\x03", 2);		/* never compressed */
	assert_int_equal(ppp_frame_decode(hdr.body, &frame), WHY_OK);
	assert_int_equal(ppp_cp_decode(frame.body, &cp), WHY_OK);
	assert_int_equal(cp.data.len + 4, frame.body.len);
	*sent = (struct sent){ .proto = frame.proto, .code = cp.code, .id = cp.id, .data = cp.data };
	return true;
}

static inline void sends_nothing(struct line *line)
{
	struct sent sent;

	assert_false(line_sent(line, &sent));
}

/* The next packet is of this protocol and code; its data is not looked at. */
static inline struct sent sends_some(struct line *line, uint16_t proto, uint8_t code)
{
	struct sent sent = { 0 };

	assert_true(line_sent(line, &sent));
	assert_int_equal(sent.proto, proto);
	assert_int_equal(sent.code, code);
	return sent;
}

static inline void sends(struct line *line, uint16_t proto, uint8_t code, uint8_t id, const char *data)
{
	struct sent sent = sends_some(line, proto, code);
	struct bytes want = hex(data);

	assert_int_equal(sent.id, id);
	assert_int_equal(sent.data.len, want.len);
	assert_memory_equal(sent.data.p, want.p, want.len);
}

/* A frame from the peer, as the LAC would pass it on. */
static inline enum why line_hears_octets(struct line *line, struct bytes frame)
{
	line_keeps(line);
	return ppp_received(&line->ppp, &line->env, frame);
}

static inline enum why line_hears_bytes(struct line *line, uint16_t proto, uint8_t code, uint8_t id,
					struct bytes data)
{
	static uint8_t room[4096];
	struct wr w = wr_of(room, sizeof(room));

	ppp_frame_begin(&w, proto, false, false);
	size_t mark = ppp_cp_begin(&w, code, id);
	wr_bytes(&w, data);
	ppp_cp_end(&w, mark);
	assert_true(wr_ok(&w));
	return line_hears_octets(line, wr_bytes_of(&w));
}

static inline enum why line_hears(struct line *line, uint16_t proto, uint8_t code, uint8_t id,
				  const char *data)
{
	return line_hears_bytes(line, proto, code, id, hex(data));
}

static inline void line_starts(struct line *line, const struct ppp_proxy *proxy)
{
	line_keeps(line);
	ppp_started(&line->ppp, &line->env, proxy);
}

static inline void line_waits(struct line *line, uint64_t ms)
{
	struct mono until = mono_add(line->env.now, DUR_MS(ms));

	line_keeps(line);
	while (mono_reached(until, line->ppp.due)) {
		line->env.now = line->ppp.due.us > line->env.now.us ? line->ppp.due : line->env.now;
		ppp_timed_out(&line->ppp, &line->env);
		assert_true(line->ppp.due.us > line->env.now.us);
	}
	line->env.now = until;
}

/* Both sides agree on LCP: our request is read and acknowledged, the peer's is `options`. */
static inline void line_opens_lcp(struct line *line, const char *options)
{
	static uint8_t asked[256];
	struct sent sent = sends_some(line, PPP_LCP, CP_CONFREQ);
	uint32_t len = sent.data.len;

	memcpy(asked, sent.data.p, len);
	assert_int_equal(line_hears_bytes(line, PPP_LCP, CP_CONFACK, sent.id, bytes_of(asked, len)), WHY_OK);
	assert_int_equal(line_hears(line, PPP_LCP, CP_CONFREQ, 1, options), WHY_OK);
	sends(line, PPP_LCP, CP_CONFACK, 1, options);
	assert_int_equal(line->ppp.lcp.state, FSM_OPENED);
}

#define PAP_CAROL	"05 6361726f6c 06 733363726574"	/* carol, s3cret */

/* PAP, accepted, and an address: up to our first IPCP request. */
static inline void line_authenticates(struct line *line)
{
	assert_int_equal(line_hears(line, PPP_PAP, PAP_REQUEST, 1, PAP_CAROL), WHY_OK);
	assert_true(line_happened(line) & PPP_HAS_ASKED_AUTH);
	ppp_auth_answered(&line->ppp, &line->env, true, bytes_str("ok"));
	sends(line, PPP_PAP, PAP_ACK, 1, "02 6f6b");
	assert_int_equal(line_happened(line), PPP_HAS_AUTHED);
	ppp_address_given(&line->ppp, &line->env, (struct ip4){ PEER_ADDRESS });
}

static inline void line_opens_ipcp(struct line *line)
{
	struct sent sent = sends_some(line, PPP_IPCP, CP_CONFREQ);

	assert_int_equal(line_hears(line, PPP_IPCP, CP_CONFACK, sent.id, "03060a000001"), WHY_OK);
	assert_int_equal(line_hears(line, PPP_IPCP, CP_CONFREQ, 1, "03060a4d0105"), WHY_OK);
	sends(line, PPP_IPCP, CP_CONFACK, 1, "03060a4d0105");
	assert_true(line_happened(line) & PPP_HAS_OPENED);
}

/* From nothing to forwarding, with PAP. */
static inline void line_up(struct line *line)
{
	line_starts(line, NULL);
	line_opens_lcp(line, "0506 01020304");
	line_happened(line);
	line_authenticates(line);
	line_opens_ipcp(line);
	sends_nothing(line);
}

#endif
