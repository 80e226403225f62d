/*
 * replica_world.h -- a master, a slave, what goes between them, and LACs that keep the master busy.
 *
 * The master's changes go into a log, a batch for each event; its packets wait for
 * the batch they came with.  The slave takes batches one by one or joined, as a
 * cluster hands them on.  The LACs and their subscribers repeat themselves until
 * they are answered, as real ones do, so that any packet may be lost.
 */
#ifndef TESTS_REPLICA_WORLD_H
#define TESTS_REPLICA_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "l2tpns/wire/l2tp_hdr.h"
#include "l2tpns/wire/ppp.h"
#include "tests/unit/lns_left.h"

#define LACS		6
#define CALLS		40
#define UNACKED		200
#define SESSIONS_MAX	2000u
#define TUNNELS_MAX	40u
#define KEYS_MAX	(65536u + 4096u + 8192u)
#define LOG_MAX		400000u

struct plane_model {
	struct { bool put; struct fx_tunnel is; } tunnel[TUNNELS_MAX + 1];
	struct { bool put; struct fx_session is; } session[4096];
	uint32_t route[1u << 18];		/* 10.0.0.0/14: the row */
};

struct node {
	struct lns		*lns;
	void			*memory;
	size_t			 room;
	struct replica_clock	 clock;
	struct plane_model	 plane;
};

struct entry { uint32_t key, len, batch; uint8_t *octets; };

struct held { uint32_t batch; struct addr to; uint32_t len; uint8_t octets[512]; struct held *next; };

struct call {
	enum { CALL_FREE, CALL_DIALS, CALL_PPP, CALL_IS_UP } is;
	uint16_t	sid, lns_sid;
	uint8_t		user, id, lcp, ipcp;	/* bits: 1 ours acknowledged, 2 theirs */
	uint8_t		acked, lcp_id;		/* ids of the lns's LCP request, and of ours */
	int		asked;			/* id of the credentials sent on this link; -1: none */
	bool		authed, begun, doomed;		/* doomed: may end at any time */
	uint64_t	since_ms;
	uint32_t	address;
};

struct lac {
	enum { LAC_CLOSED, LAC_OPENS, LAC_OPEN } is;
	struct addr	addr;
	uint16_t	tid, lns_tid, ns, nr, acked;
	bool		mute, doomed, ack_owed;
	uint64_t	since_ms;
	struct { uint16_t session_id, len; uint8_t octets[160]; } sent[UNACKED];	/* by number */
	struct call	call[CALLS];
};

struct world {
	struct lns_conf	 conf;
	struct node	*master, *slave;
	struct mono	 now;			/* the master's clock is now + its own offset */
	struct fx_list	*out;
	struct entry	*log;
	uint32_t	 logged, applied, batch, have;	/* entries; batches */
	struct bytes	*table;			/* by key: as the log has it */
	struct held	*held, **held_end;
	struct lac	 lac[LACS];
	struct subscribers *list;
	uint32_t	 dice, ups, lost, takeovers, batches, ended;
	uint16_t	 next_tid, next_sid;
	bool		 quiet;			/* nobody begins or ends anything by himself */
};

static const struct ip world_ip = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 200 } };
static const char *const world_user[] = { "ann", "bob", "cid@isp.example", "fix", "short" };

static inline uint32_t chance(struct world *w, uint32_t n)
{
	w->dice ^= w->dice << 13;
	w->dice ^= w->dice >> 17;
	w->dice ^= w->dice << 5;
	return w->dice % n;
}

static inline struct mono node_now(const struct world *w, const struct node *node)
{
	return (struct mono){ (uint64_t)((int64_t)w->now.us - node->clock.offset_us) };
}

/* ---- nodes */

static inline struct node *node_new(struct world *w, int64_t offset_us, uint8_t seed)
{
	struct node *node = calloc(1, sizeof(*node));
	uint8_t seeds[RND_SEED_LEN] = { seed };

	assert_non_null(node);
	node->clock.offset_us = offset_us;
	node->room = lns_size(&w->conf);
	node->memory = mmap(NULL, node->room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		0);
	assert_true(node->memory != MAP_FAILED);
	struct arena arena = { .start = node->memory, .room = node->room };

	node->lns = lns_init(&w->conf, seeds, node_now(w, node), NULL, NULL, &arena);
	assert_int_equal(lns_configured(node->lns, &w->conf, node_now(w, node)), 0);
	lns_subscribers_loaded(node->lns, w->list);
	return node;
}

static inline void node_free(struct node *node)
{
	munmap(node->memory, node->room);
	free(node);
}

static inline void plane_hears(struct plane_model *p, const struct fx *fx, const void *payload)
{
	const struct fx_session *s = payload;
	const struct fx_route *r = payload;
	const struct fx_tunnel *t = payload;

	switch (fx->kind) {
	case FX_TUNNEL_PUT:
		assert_in_range(t->tid.n, 1, TUNNELS_MAX);
		p->tunnel[t->tid.n].put = true;
		p->tunnel[t->tid.n].is = *t;
		break;
	case FX_TUNNEL_DROP:
		assert_true(p->tunnel[fx->id].put);
		p->tunnel[fx->id].put = false;
		break;
	case FX_SESSION_PUT:
		p->session[s->row.n].put = true;
		p->session[s->row.n].is = *s;
		break;
	case FX_SESSION_DROP:
		assert_true(p->session[s->row.n].put && p->session[s->row.n].is.sid.n == s->sid.n &&
			    p->session[s->row.n].is.tid.n == s->tid.n);
		p->session[s->row.n].put = false;
		break;
	case FX_ROUTE_PUT:
		p->route[r->prefix.net.n & 0x3ffff] = r->row.n;
		break;
	case FX_ROUTE_DROP:
		if (p->route[r->prefix.net.n & 0x3ffff] == r->row.n)
			p->route[r->prefix.net.n & 0x3ffff] = 0;
		break;
	default:
		break;
	}
}

/* ---- the master's changes */

static inline void log_add(struct world *w, uint32_t key, struct bytes octets)
{
	struct entry *e = &w->log[w->logged++];

	assert_true(w->logged < LOG_MAX && key < KEYS_MAX);
	*e = (struct entry){ .key = key, .len = octets.len, .batch = w->batch, .octets = malloc(octets.len + 1) };
	assert_non_null(e->octets);
	if (octets.len)
		memcpy(e->octets, octets.p, octets.len);
	w->table[key] = bytes_of(e->octets, e->len);
}

/* An event is over: its changes are a batch, and what it sends waits for that. */
static inline void batch_ends(struct world *w)
{
	uint8_t room[REPLICA_MAX];
	uint32_t key;

	w->batch++;
	w->batches++;
	while (lns_marked_next(w->master->lns, &key)) {
		struct wr wr = wr_of(room, sizeof(room));

		replica_encode(w->master->lns, key, w->master->clock, &wr);
		assert_true(wr_ok(&wr));
		if (!bytes_eq(wr_bytes_of(&wr), w->table[key]))
			log_add(w, key, wr_bytes_of(&wr));
	}
	for (uint32_t i = 0; i < w->out->count; i++) {
		const struct fx *fx = &w->out->fx[i];
		const uint8_t *payload = fx_payload(w->out, fx);
		struct held *h;

		if (fx->kind != FX_SEND) {
			plane_hears(&w->master->plane, fx, payload);
			continue;
		}
		h = calloc(1, sizeof(*h));
		assert_non_null(h);
		h->batch = w->batch;
		h->to = ((const struct fx_send *)(const void *)payload)->to;
		h->len = fx->len - (uint32_t)sizeof(struct fx_send);
		assert_true(h->len <= sizeof(h->octets));
		memcpy(h->octets, payload + sizeof(struct fx_send), h->len);
		*w->held_end = h;
		w->held_end = &h->next;
	}
	fx_clear(w->out);
}

static inline void slave_takes(struct world *w, const struct entry *e)
{
	enum why why;

	do {
		why = replica_apply(w->slave->lns, e->key, bytes_of(e->octets, e->len), w->slave->clock,
			node_now(w, w->slave), w->out);
		for (uint32_t i = 0; i < w->out->count; i++) {
			assert_int_not_equal(w->out->fx[i].kind, FX_SEND);
			plane_hears(&w->slave->plane, &w->out->fx[i], fx_payload(w->out, &w->out->fx[i]));
		}
		fx_clear(w->out);
	} while (why == WHY_CL_FULL);
	if (why != WHY_OK)
		fail_msg("key %u refused: %d", e->key, why);
}

/* Everything up to this batch; `joined`: of several changes of one key only the last, at its place. */
static inline void slave_follows(struct world *w, uint32_t upto, bool joined)
{
	uint32_t end = w->applied;

	while (end < w->logged && w->log[end].batch <= upto)
		end++;
	for (; w->applied < end; w->applied++) {
		const struct entry *e = &w->log[w->applied];

		if (!joined || w->table[e->key].p == e->octets)
			slave_takes(w, e);
	}
	w->have = upto;
}

static inline void world_event(struct world *w)
{
	lns_flush(w->master->lns, node_now(w, w->master), w->out);
	batch_ends(w);
}

/* ---- LACs */

static inline void lac_packet(struct world *w, struct lac *lac, struct bytes packet)
{
	if (lac->mute || chance(w, 200) == 0)
		return;
	(void)lns_input(w->master->lns, lac->addr, world_ip, packet, node_now(w, w->master), w->out);
	world_event(w);
}

static inline void lac_sends(struct world *w, struct lac *lac, uint16_t ns)
{
	uint8_t octets[512];
	struct wr wr = wr_of(octets, sizeof(octets));

	l2tp_control_begin(&wr, ns == 0 ? 0 : lac->lns_tid, lac->sent[ns % UNACKED].session_id, ns, lac->nr);
	wr_put(&wr, lac->sent[ns % UNACKED].octets, lac->sent[ns % UNACKED].len);
	l2tp_control_end(&wr);
	lac->ack_owed = false;
	lac_packet(w, lac, wr_bytes_of(&wr));
}

static inline void lac_says(struct world *w, struct lac *lac, uint16_t session_id, const struct l2tp_msg *msg)
{
	uint16_t ns = lac->ns;
	struct wr wr = wr_of(lac->sent[ns % UNACKED].octets, sizeof(lac->sent[0].octets));

	if ((uint16_t)(lac->ns - lac->acked) >= UNACKED - 1)
		return;
	l2tp_msg_encode(msg, &wr);
	assert_true(wr_ok(&wr));
	lac->sent[ns % UNACKED].len = (uint16_t)wr_len(&wr);
	lac->sent[ns % UNACKED].session_id = session_id;
	lac->ns++;
	if ((uint16_t)(ns - lac->acked) < 4)
		lac_sends(w, lac, ns);
}

static inline void lac_repeats(struct world *w, struct lac *lac)
{
	uint8_t octets[12];
	struct wr wr = wr_of(octets, sizeof(octets));
	uint16_t upto = lac->ns;

	for (uint16_t ns = lac->acked; ns != upto && (uint16_t)(ns - lac->acked) < 4; ns++)
		lac_sends(w, lac, ns);
	if (!lac->ack_owed || lac->is == LAC_CLOSED)
		return;
	lac->ack_owed = false;
	l2tp_control_begin(&wr, lac->lns_tid, 0, lac->ns, lac->nr);
	l2tp_control_end(&wr);
	lac_packet(w, lac, wr_bytes_of(&wr));
}

static inline void lac_opens(struct world *w, struct lac *lac)
{
	struct addr addr = lac->addr;

	memset(lac, 0, sizeof(*lac));
	lac->addr = addr;
	lac->tid = ++w->next_tid;
	lac->is = LAC_OPENS;
	lac->since_ms = w->now.us / 1000;
	lac_says(w, lac, 0, &(struct l2tp_msg){ .type = L2TP_SCCRQ, .protocol_version = 0x0100, .framing_caps = 3,
		.host_name = bytes_str("lac"), .assigned_tid = lac->tid, .window = 8,
		.present = AVP_BIT(AVP_PROTOCOL_VERSION) | AVP_BIT(AVP_FRAMING_CAPABILITIES) | AVP_BIT(AVP_HOST_NAME) |
			AVP_BIT(AVP_ASSIGNED_TUNNEL_ID) | AVP_BIT(AVP_RECEIVE_WINDOW_SIZE) });
}

static inline void call_dials(struct world *w, struct lac *lac, struct call *call)
{
	*call = (struct call){ .is = CALL_DIALS, .sid = ++w->next_sid ? w->next_sid : ++w->next_sid,
		.user = (uint8_t)chance(w, ARRAY_LEN(world_user)), .id = 1, .lcp_id = 1, .asked = -1,
		.since_ms = w->now.us / 1000 };
	call->doomed = call->user >= 3;		/* "fix" has one address for all, "short" little time */
	lac_says(w, lac, 0, &(struct l2tp_msg){ .type = L2TP_ICRQ, .assigned_sid = call->sid, .call_serial = call->sid,
		.calling = bytes_str("5551234"),
		.present = AVP_BIT(AVP_ASSIGNED_SESSION_ID) | AVP_BIT(AVP_CALL_SERIAL_NUMBER) |
			AVP_BIT(AVP_CALLING_NUMBER) });
}

static inline void call_ends(struct world *w, struct lac *lac, struct call *call)
{
	if (call->lns_sid)
		lac_says(w, lac, call->lns_sid, &(struct l2tp_msg){
			.type = L2TP_CDN, .result = 3, .assigned_sid = call->sid,
			.present = AVP_BIT(AVP_RESULT_CODE) | AVP_BIT(AVP_ASSIGNED_SESSION_ID) });
	call->is = CALL_FREE;
}

static inline void call_frame(struct world *w, struct lac *lac, struct call *call, uint16_t proto, uint8_t code,
	uint8_t id, struct bytes body)
{
	uint8_t octets[512];
	struct wr wr = wr_of(octets, sizeof(octets));

	l2tp_data_begin(&wr, lac->lns_tid, call->lns_sid);
	ppp_frame_begin(&wr, proto, false, false);
	size_t mark = ppp_cp_begin(&wr, code, id);

	wr_bytes(&wr, body);
	ppp_cp_end(&wr, mark);
	lac_packet(w, lac, wr_bytes_of(&wr));
}

/* What the subscriber repeats each second until it is answered. */
static inline void call_repeats(struct world *w, struct lac *lac, struct call *call)
{
	uint8_t body[64], address[6] = { 3, 6, (uint8_t)(call->address >> 24), (uint8_t)(call->address >> 16),
		(uint8_t)(call->address >> 8), (uint8_t)call->address };
	struct wr wr = wr_of(body, sizeof(body));

	if (call->is != CALL_PPP)
		return;
	if (!(call->lcp & 1))
		call_frame(w, lac, call, PPP_LCP, CP_CONFREQ, call->lcp_id, bytes_of("\1\4\5\264\5\6\0\0\0\1", 10));
	else if (call->lcp == 3 && !call->authed && w->conf.ppp.auth[0] == AUTH_PAP) {
		wr_u8(&wr, (uint8_t)strlen(world_user[call->user]));
		wr_bytes(&wr, bytes_str(world_user[call->user]));
		wr_put(&wr, "\2pw", 3);
		call->asked = ++call->id;
		call_frame(w, lac, call, PPP_PAP, PAP_REQUEST, call->id, wr_bytes_of(&wr));
	} else if (call->authed && !(call->ipcp & 1)) {
		call_frame(w, lac, call, PPP_IPCP, CP_CONFREQ, ++call->id, bytes_of(address, 6));
	}
}

static inline void call_responds(struct world *w, struct lac *lac, struct call *call, const struct ppp_cp *cp)
{
	uint8_t data[64], value[CHAP_MD5_LEN];
	struct wr wr = wr_of(data, sizeof(data));
	struct bytes challenge, name;

	assert_int_equal(chap_value_decode(cp->data, &challenge, &name), WHY_OK);
	chap_md5(cp->id, bytes_str("pw"), challenge, value);
	wr_u8(&wr, sizeof(value));
	wr_put(&wr, value, sizeof(value));
	wr_bytes(&wr, bytes_str(world_user[call->user]));
	call->asked = cp->id;
	call_frame(w, lac, call, PPP_CHAP, CHAP_RESPONSE, cp->id, wr_bytes_of(&wr));
}

static inline void call_negotiates(struct world *w, struct lac *lac, struct call *call, uint16_t proto,
	const struct ppp_cp *cp)
{
	uint8_t *done = proto == PPP_LCP ? &call->lcp : &call->ipcp, before = *done;

	if (cp->code == CP_CONFREQ) {
		if (proto == PPP_LCP && call->lcp == 3 && cp->id != call->acked) {	/* it begins anew */
			call->lcp = call->ipcp = 0;
			call->authed = false;
			call->asked = -1;
			call->lcp_id++;
			call->is = CALL_PPP;
		}
		*done |= 2;
		if (proto == PPP_LCP)
			call->acked = cp->id;
		call_frame(w, lac, call, proto, CP_CONFACK, cp->id, cp->data);
	} else if (cp->code == CP_CONFACK && (proto == PPP_IPCP || cp->id == call->lcp_id)) {
		*done |= 1;
	} else if (cp->code == CP_CONFNAK && proto == PPP_IPCP && cp->data.len >= 6) {
		call->address = (uint32_t)cp->data.p[2] << 24 | (uint32_t)cp->data.p[3] << 16 |
			(uint32_t)cp->data.p[4] << 8 | cp->data.p[5];
		call_repeats(w, lac, call);
	} else if (cp->code == CP_TERMREQ) {
		call_frame(w, lac, call, proto, CP_TERMACK, cp->id, SAY_NONE);
	} else if (cp->code == CP_ECHOREQ) {
		call_frame(w, lac, call, proto, CP_ECHOREP, cp->id, bytes_of("\0\0\0\1", 4));
	}
	if (call->is == CALL_PPP && call->lcp == 3 && call->authed && call->ipcp == 3) {
		call->is = CALL_IS_UP;
		w->ups++;
	} else if (*done != before && *done == 3) {
		call_repeats(w, lac, call);
	}
}

static inline void call_hears(struct world *w, struct lac *lac, struct call *call, struct bytes octets)
{
	struct ppp_frame frame;
	struct ppp_cp cp;

	if (call->is < CALL_PPP || ppp_frame_decode(octets, &frame) != WHY_OK ||
	    ppp_cp_decode(frame.body, &cp) != WHY_OK)
		return;
	if (frame.proto == PPP_LCP || (frame.proto == PPP_IPCP && call->authed)) {
		call_negotiates(w, lac, call, frame.proto, &cp);
	} else if (frame.proto == PPP_CHAP && cp.code == CHAP_CHALLENGE) {
		call_responds(w, lac, call, &cp);
	} else if (cp.id == call->asked && ((frame.proto == PPP_CHAP && cp.code == CHAP_SUCCESS) ||
		   (frame.proto == PPP_PAP && cp.code == PAP_ACK))) {
		call->authed = true;
		call_repeats(w, lac, call);
	}
}

static inline struct call *call_of(struct lac *lac, uint16_t sid)
{
	for (unsigned i = 0; i < CALLS; i++)
		if (lac->call[i].is != CALL_FREE && lac->call[i].sid == sid)
			return &lac->call[i];
	return NULL;
}

static inline void lac_hears_msg(struct world *w, struct lac *lac, const struct l2tp_hdr *hdr)
{
	static uint8_t scratch[L2TP_SCRATCH_LEN];
	struct l2tp_msg msg;
	struct call *call = call_of(lac, hdr->session_id);

	assert_int_equal(l2tp_msg_decode(hdr->body, SAY_NONE, scratch, &msg), WHY_OK);
	switch (msg.type) {
	case L2TP_SCCRP:
		lac->lns_tid = msg.assigned_tid;
		lac->is = LAC_OPEN;
		lac_says(w, lac, 0, &(struct l2tp_msg){ .type = L2TP_SCCCN });
		break;
	case L2TP_STOPCCN:
		if (!lac->doomed)
			fail_msg("tunnel lost: result %u error %u", msg.result, msg.error);
		lac->is = LAC_CLOSED;
		memset(lac->call, 0, sizeof(lac->call));
		lac->acked = lac->ns;
		break;
	case L2TP_ICRP:
		if (!call || call->lns_sid)
			break;
		call->lns_sid = msg.assigned_sid;
		call->is = CALL_PPP;
		lac_says(w, lac, call->lns_sid, &(struct l2tp_msg){
			.type = L2TP_ICCN, .tx_bps = 1000000, .framing_type = 1,
			.present = AVP_BIT(AVP_TX_CONNECT_SPEED) | AVP_BIT(AVP_FRAMING_TYPE) });
		break;
	case L2TP_CDN:
		if (call && !call->doomed)
			fail_msg("call %u of %u lost: result %u error %u, state %d lcp %u authed %d ipcp %u age %lu ms",
				call->sid, lac->tid, msg.result, msg.error, call->is, call->lcp, call->authed,
				call->ipcp, (unsigned long)(w->now.us / 1000 - call->since_ms));
		if (call)
			call->is = CALL_FREE;
		w->ended++;
		break;
	}
}

static inline void lac_hears(struct world *w, struct lac *lac, struct bytes packet)
{
	struct l2tp_hdr hdr;

	assert_int_equal(l2tp_hdr_decode(packet, &hdr), WHY_OK);
	if (lac->mute || lac->is == LAC_CLOSED || hdr.tunnel_id != lac->tid || chance(w, 200) == 0)
		return;
	if (!hdr.control) {
		struct call *call = call_of(lac, hdr.session_id);

		if (call)
			call_hears(w, lac, call, hdr.body);
		return;
	}
	if ((uint16_t)(hdr.nr - lac->acked) <= (uint16_t)(lac->ns - lac->acked))
		lac->acked = hdr.nr;
	else if ((uint16_t)(hdr.nr - lac->acked) < 32768)
		fail_msg("acknowledges %u, only %u were sent", hdr.nr, lac->ns);
	if (hdr.body.len == 0)
		return;
	lac->ack_owed = true;
	if ((uint16_t)(hdr.ns - lac->nr) - 1u < 1000)
		return;				/* ahead: it comes again */
	if (hdr.ns == lac->nr) {
		lac->nr++;
		lac_hears_msg(w, lac, &hdr);
	}
}

/* ---- what goes on */

/* Packets go out whose batches the slave has. */
static inline void world_releases(struct world *w)
{
	while (w->held && w->held->batch <= w->have) {
		struct held *h = w->held;

		w->held = h->next;
		if (!w->held)
			w->held_end = &w->held;
		for (unsigned i = 0; i < LACS; i++)
			if (addr_eq(w->lac[i].addr, h->to))
				lac_hears(w, &w->lac[i], bytes_of(h->octets, h->len));
		free(h);
	}
}

static inline void node_ticks(struct world *w, struct node *node)
{
	while (mono_reached(node_now(w, node), lns_next(node->lns))) {
		lns_tick(node->lns, node_now(w, node), w->out);
		if (node == w->master) {
			world_event(w);
		} else {
			assert_int_equal(w->out->count, 0);
		}
	}
}

static inline void world_waits(struct world *w, uint32_t ms)
{
	w->now.us += (uint64_t)ms * 1000;
	node_ticks(w, w->master);
	node_ticks(w, w->slave);
}

#endif
