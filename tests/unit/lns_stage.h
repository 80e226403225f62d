/*
 * lns_stage.h -- a control plane in a process of its own, and LACs quick enough to fill it.
 *
 * For unit tests that count and measure.  A LAC here takes the shortest right
 * way in (no tunnel secret, PAP) and fails the test when it is not let through.
 */
#ifndef TESTS_LNS_STAGE_H
#define TESTS_LNS_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "l2tpns/wire/ppp.h"
#include "tests/unit/lns_left.h"

struct stage_lac { struct addr addr; uint16_t tid, lns_tid, ns, nr; };

struct stage {
	struct lns_conf	 conf;
	struct lns	*lns;
	void		*memory;
	size_t		 room;
	void		*list_memory;
	struct mono	 now;
	struct fx_list	 out;
	enum why	 why;			/* of the last packet */
	uint64_t	 effects[FX_KINDS];	/* so far */
	/* the last control message and the last PPP packet that came out */
	uint16_t	 type, session_id, ns, assigned, result;
	struct addr	 to;
	uint16_t	 proto;
	uint8_t		 code, id, body[64];
	bool		 ack_owed;
};

static const struct ip stage_ip = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 200 } };

static uint16_t stage_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The few facts of a control message that a test needs: its type, and AVPs 1, 9 and 14. */
static void stage_control(struct stage *stage, const uint8_t *p, size_t len)
{
	if (len <= 12)
		return;
	stage->session_id = stage_u16(p + 6);
	stage->ns = stage_u16(p + 8);
	stage->type = stage_u16(p + 18);
	for (size_t at = 12, n; at + 8 <= len; at += n) {
		n = stage_u16(p + at) & 0x3ff;
		assert_true(n >= 6);
		if (stage_u16(p + at + 4) == AVP_RESULT_CODE)
			stage->result = stage_u16(p + at + 6);
		if (stage_u16(p + at + 4) == AVP_ASSIGNED_TUNNEL_ID ||
		    stage_u16(p + at + 4) == AVP_ASSIGNED_SESSION_ID)
			stage->assigned = stage_u16(p + at + 6);
	}
}

static void stage_sent(struct stage *stage, const struct fx_send *send, const uint8_t *p, size_t len)
{
	stage->to = send->to;
	if (p[0] & 0x80) {
		stage_control(stage, p, len);
		return;
	}
	assert_true(len >= 14);
	stage->proto = stage_u16(p + 8);
	stage->code = p[10];
	stage->id = p[11];
	memset(stage->body, 0, sizeof(stage->body));
	memcpy(stage->body, p + 14, len - 14 < sizeof(stage->body) ? len - 14 : sizeof(stage->body));
}

static void stage_done(struct stage *stage)
{
	for (uint32_t i = 0; i < stage->out.count; i++) {
		const struct fx *fx = &stage->out.fx[i];
		const uint8_t *payload = fx_payload(&stage->out, fx);

		stage->effects[fx->kind]++;
		if (fx->kind == FX_SEND)
			stage_sent(stage, (const void *)payload, payload + sizeof(struct fx_send),
				   fx->len - sizeof(struct fx_send));
	}
	fx_clear(&stage->out);
}

static void stage_input(struct stage *stage, struct addr from, struct bytes packet)
{
	stage->why = lns_input(stage->lns, from, stage_ip, packet, stage->now, &stage->out);
	assert_true(stage->out.count <= FX_EVENT_MAX && stage->out.used <= FX_EVENT_OCTETS);
	stage_done(stage);
}

static void stage_flush(struct stage *stage)
{
	lns_flush(stage->lns, stage->now, &stage->out);
	stage_done(stage);
}

static void stage_pass(struct stage *stage, struct dur span)
{
	struct mono then = mono_add(stage->now, span);

	while (mono_reached(then, lns_next(stage->lns))) {
		if (mono_before(stage->now, lns_next(stage->lns)))
			stage->now = lns_next(stage->lns);
		lns_tick(stage->lns, stage->now, &stage->out);
		stage_done(stage);
		stage_flush(stage);
	}
	stage->now = then;
}

static void stage_subscribers(struct stage *stage, const char *text)
{
	struct subscribers *list;
	size_t size = subscribers_size(bytes_str(text));

	stage->list_memory = calloc(1, size);
	assert_non_null(stage->list_memory);
	assert_int_equal(subscribers_parse(&list, stage->list_memory, size, (struct hash_key){ { 1, 2 } },
					   bytes_str(text), NULL, 0), 0);
	lns_subscribers_loaded(stage->lns, list);
}

/* A stage for so many; sizes that matter to a test are set in stage->conf before stage_begin(). */
static struct stage *stage_new(uint32_t sessions, uint32_t tunnels)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	stage->now = (struct mono){ 1000000000 };
	stage->conf = (struct lns_conf){
		.sessions_max = sessions,
		.tunnels_max = tunnels,
		.addresses_max = 1u << 18,
		.host_name = "lns",
		.tunnels_opening_max = 100,
		.window = 8,
		.retransmit_ms = 1000,
		.retransmit_max_ms = 8000,
		.retransmit_tries = 5,
		.tunnel_linger_s = 31,
		.call_timeout_s = 60,
		.allow_duplicate_users = true,
		.ppp = { .mru = 1460,
			.restart_ms = 1000,
			.max_configure = 10,
			.max_failure = 5,
			.max_terminate = 2,
			.auth = { AUTH_PAP },
			.auths = 1,
			.auth_timeout_s = 30,
			.our_address = { 0x0affffff },
			.name = "lns" },
		.pools = { .pools = 1, .ranges = 1, .range = { { .prefix = { { 0x0a000000 }, 14 } } } },
	};
	return stage;
}

static void stage_begin(struct stage *stage)
{
	static const uint8_t seed[RND_SEED_LEN] = { 5 };

	stage->room = lns_size(&stage->conf);
	stage->memory = mmap(NULL, stage->room, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(stage->memory != MAP_FAILED);
	struct arena arena = { .start = stage->memory, .room = stage->room };

	stage->lns = lns_init(&stage->conf, seed, stage->now, NULL, NULL, &arena);
	assert_int_equal(lns_configured(stage->lns, &stage->conf, stage->now), 0);
	stage_subscribers(stage, "* pw\n");
}

/* Everything is closed, and nothing is left. */
static void stage_end(struct stage *stage)
{
	char text[300];

	lns_shutdown_asked(stage->lns, stage->now, &stage->out);
	stage_done(stage);
	stage_pass(stage, DUR_S(600));
	assert_true(lns_idle(stage->lns));
	if (lns_left(stage->lns, text))
		fail_msg("left behind: %s", text);
	assert_int_equal(stage->effects[FX_SESSION_PUT], stage->effects[FX_SESSION_DROP]);
	assert_int_equal(stage->effects[FX_ROUTE_PUT], stage->effects[FX_ROUTE_DROP]);
	assert_int_equal(stage->effects[FX_TUNNEL_PUT], stage->effects[FX_TUNNEL_DROP]);
	munmap(stage->memory, stage->room);
	free(stage->list_memory);
	free(stage);
}

static struct addr stage_addr(uint32_t ip4)
{
	return (struct addr){ .ip = ip_from4((struct ip4){ ip4 }), .port = 1701 };
}

/* ---- a LAC */

static void lac_send(
	struct stage *stage, struct stage_lac *lac, uint16_t session_id, const struct l2tp_msg *msg)
{
	uint8_t octets[FX_PACKET_MAX];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_control_begin(&w, msg->type == L2TP_SCCRQ ? 0 : lac->lns_tid, session_id, lac->ns++, lac->nr);
	l2tp_msg_encode(msg, &w);
	l2tp_control_end(&w);
	assert_true(wr_ok(&w));
	stage->type = 0;
	stage_input(stage, lac->addr, wr_bytes_of(&w));
	lac->nr = (uint16_t)(stage->type ? stage->ns + 1 : lac->nr);
}

static void lac_ack(struct stage *stage, struct stage_lac *lac)
{
	uint8_t octets[12];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_control_begin(&w, lac->lns_tid, 0, lac->ns, lac->nr);
	l2tp_control_end(&w);
	stage_input(stage, lac->addr, wr_bytes_of(&w));
}

#define BIT(name) AVP_BIT(AVP_##name)

static void lac_sccrq(struct stage *stage, struct stage_lac *lac)
{
	lac_send(stage, lac, 0,
		&(struct l2tp_msg){ .type = L2TP_SCCRQ,
			.protocol_version = 0x0100,
			.framing_caps = 3,
			.host_name = bytes_str("lac"),
			.assigned_tid = lac->tid,
			.window = 1000,
			.present = BIT(PROTOCOL_VERSION) | BIT(FRAMING_CAPABILITIES) | BIT(HOST_NAME) |
				BIT(ASSIGNED_TUNNEL_ID) | BIT(RECEIVE_WINDOW_SIZE) });
}

static void lac_open(struct stage *stage, struct stage_lac *lac)
{
	lac_sccrq(stage, lac);
	assert_int_equal(stage->why, WHY_OK);
	assert_int_equal(stage->type, L2TP_SCCRP);
	lac->lns_tid = stage->assigned;
	lac_send(stage, lac, 0, &(struct l2tp_msg){ .type = L2TP_SCCCN });
	stage_flush(stage);
	assert_int_equal(stage->why, WHY_OK);
}

static void lac_icrq(struct stage *stage, struct stage_lac *lac, uint16_t sid, struct bytes calling)
{
	lac_send(stage, lac, 0,
		&(struct l2tp_msg){ .type = L2TP_ICRQ,
			.assigned_sid = sid,
			.call_serial = sid,
			.calling = calling,
			.present = BIT(ASSIGNED_SESSION_ID) | BIT(CALL_SERIAL_NUMBER) |
				(calling.len ? BIT(CALLING_NUMBER) : 0) });
}

static void lac_iccn(struct stage *stage, struct stage_lac *lac, uint16_t lns_sid)
{
	lac_send(stage, lac, lns_sid, &(struct l2tp_msg){
		.type = L2TP_ICCN, .tx_bps = 100000000, .framing_type = 1,
		.present = BIT(TX_CONNECT_SPEED) | BIT(FRAMING_TYPE) });
}

static void lac_cdn(struct stage *stage, struct stage_lac *lac, uint16_t sid, uint16_t lns_sid)
{
	lac_send(stage, lac, lns_sid, &(struct l2tp_msg){
		.type = L2TP_CDN, .result = 3, .assigned_sid = sid,
		.present = BIT(RESULT_CODE) | BIT(ASSIGNED_SESSION_ID) });
}

static void lac_frame(struct stage *stage, struct stage_lac *lac, uint16_t lns_sid, uint16_t proto,
	uint8_t code, uint8_t id, struct bytes body)
{
	uint8_t octets[FX_PACKET_MAX];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_data_begin(&w, lac->lns_tid, lns_sid);
	ppp_frame_begin(&w, proto, false, false);
	size_t mark = ppp_cp_begin(&w, code, id);

	wr_bytes(&w, body);
	ppp_cp_end(&w, mark);
	stage->code = 0;
	stage_input(stage, lac->addr, wr_bytes_of(&w));
}

/* From ICRQ to forwarding; returns the lns's session id, and the address given in *address. */
static uint16_t lac_dial(struct stage *stage, struct stage_lac *lac, uint16_t sid, const char *user,
			 uint32_t *address)
{
	uint8_t body[64], ask[6] = { 3, 6 };
	struct wr w = wr_of(body, sizeof(body));
	uint16_t lns_sid;

	lac_icrq(stage, lac, sid, bytes_str("5551234"));
	assert_int_equal(stage->why, WHY_OK);
	assert_int_equal(stage->type, L2TP_ICRP);
	lns_sid = stage->assigned;
	lac_iccn(stage, lac, lns_sid);
	assert_int_equal(stage->proto, PPP_LCP);
	/* Our options are mru, auth pap, magic: 4 + 4 + 6 octets. */
	lac_frame(stage, lac, lns_sid, PPP_LCP, CP_CONFACK, stage->id, bytes_of(stage->body, 14));
	lac_frame(stage, lac, lns_sid, PPP_LCP, CP_CONFREQ, 1, bytes_of("\1\4\5\264\5\6\0\0\0\1", 10));
	assert_int_equal(stage->code, CP_CONFACK);
	wr_u8(&w, (uint8_t)strlen(user));
	wr_bytes(&w, bytes_str(user));
	wr_put(&w, "\2pw", 3);
	lac_frame(stage, lac, lns_sid, PPP_PAP, PAP_REQUEST, 1, wr_bytes_of(&w));
	assert_int_equal(stage->proto, PPP_IPCP);
	assert_int_equal(stage->code, CP_CONFREQ);
	lac_frame(stage, lac, lns_sid, PPP_IPCP, CP_CONFACK, stage->id, bytes_of(stage->body, 6));
	lac_frame(stage, lac, lns_sid, PPP_IPCP, CP_CONFREQ, 1, bytes_of(ask, 6));
	assert_int_equal(stage->code, CP_CONFNAK);
	memcpy(ask, stage->body, 6);
	lac_frame(stage, lac, lns_sid, PPP_IPCP, CP_CONFREQ, 2, bytes_of(ask, 6));
	assert_int_equal(stage->code, CP_CONFACK);
	*address = (uint32_t)ask[2] << 24 | (uint32_t)ask[3] << 16 | (uint32_t)ask[4] << 8 | ask[5];
	return lns_sid;
}

#endif
