/* lns_call.c -- incoming calls: ICRQ, ICCN, CDN, WEN, SLI.  RFC 2661 sections 5.2.1, 6.6-6.8, 6.12-6.14. */
#include "l2tpns/core/lns_state.h"

#define TEXT_KEPT_MAX	126	/* octets of a number or name: with its length it fills a piece of the store */
#define ACCESS_LINE_MAX	768	/* octets of RFC 5515 AVPs kept for one session */

enum {				/* RFC 2661 4.4.2: CDN Result Codes and general Error Codes */
	CDN_GENERAL_ERROR = 2, CDN_NO_FACILITIES = 4, CDN_NEVER_FACILITIES = 5,
	ERROR_VALUE = 3, ERROR_SID = 5, ERROR_TRY_ANOTHER = 7
};

struct row call_find(const struct lns *lns, const struct tunnel *t, uint16_t sid)
{
	struct row row = sid ? rows_find(&t->pages, (struct sid){ sid }) : (struct row){ 0 };
	const struct session *s = &lns->session[row.n];

	/* The page may be shared: the row is ours only if both ids are. */
	if (row.n == 0 || !s->in_use || s->tid.n != t->tid.n || s->sid.n != sid)
		return (struct row){ 0 };
	return row;
}

/* A call we have no session for is refused by a CDN without a session of our own. */
static void refuse_call(struct turn *turn, struct tunnel *t, uint16_t peer_sid, enum why why, uint16_t result,
			uint16_t error)
{
	struct l2tp_msg msg = {
		.type = L2TP_CDN, .result = result, .error = error,
		.present = AVP_BIT(AVP_ASSIGNED_SESSION_ID) | AVP_BIT(AVP_RESULT_CODE),
	};

	if (turn->lns->said < 20)
		say(turn->out, SAY_CALL_REFUSED, t->tid, (struct row){ 0 }, SAY_ARG(why, result), SAY_NONE);
	(void)tunnel_send(turn, t, (struct peer_sid){ peer_sid }, &msg);
}

/* The store is everybody's: a LAC's long-winded numbers are cut. */
static uint32_t text_keep(struct lns *lns, struct bytes text)
{
	return store_keep(&lns->store, bytes_of(text.p, min_u32(text.len, TEXT_KEPT_MAX)));
}

static uint32_t access_line_keep(struct lns *lns, const struct l2tp_msg *msg)
{
	uint8_t *at;
	uint32_t len = 0;

	for (unsigned i = 0; i < msg->access_lines; i++)
		len += msg->access_line[i].len;
	if (len == 0 || len > ACCESS_LINE_MAX)
		return 0;
	uint32_t handle = store_room(&lns->store, len, &at);

	for (unsigned i = 0; handle && i < msg->access_lines; i++) {
		memcpy(at, msg->access_line[i].p, msg->access_line[i].len);
		at += msg->access_line[i].len;
	}
	return handle;
}

static void session_link(struct lns *lns, struct tunnel *t, struct row row)
{
	struct session *s = &lns->session[row.n];

	s->prev = 0;
	s->next = t->first;
	if (t->first)
		lns->session[t->first].prev = row.n;
	t->first = row.n;
	t->sessions++;
}

static struct row session_new(struct turn *turn, struct tunnel *t, const struct l2tp_msg *msg)
{
	struct lns *lns = turn->lns;
	struct sid sid;
	struct row row = rows_take(&lns->rows, &t->pages, &sid);

	if (row.n == 0)
		return row;
	lns->session[row.n] = (struct session){
		.in_use = true, .tid = t->tid, .sid = sid, .peer_sid = { msg->assigned_sid },
		.epoch = lns->epoch, .serial = ++lns->serial, .call_serial = msg->call_serial,
		.physical_channel = msg->present & AVP_BIT(AVP_PHYSICAL_CHANNEL_ID) ? msg->physical_channel : 0,
		.called = text_keep(lns, msg->called), .calling = text_keep(lns, msg->calling),
		.sub_address = text_keep(lns, msg->sub_address),
		.access_line = access_line_keep(lns, msg), .created = turn->now,
		.deadline = mono_add(turn->now, DUR_S(lns->conf.call_timeout_s)),
		.ppp = { .due = MONO_NEVER },
	};
	session_link(lns, t, row);
	session_timer_arm(turn, row, SESSION_TIMER_LIFE, lns->session[row.n].deadline);
	session_mark(lns, row);
	lns->stat[STAT_sessions_created]++;
	return row;
}

static enum why icrq_received(struct turn *turn, struct tunnel *t, const struct l2tp_msg *msg)
{
	struct lns *lns = turn->lns;

	if (msg->assigned_sid == 0) {
		refuse_call(turn, t, 0, WHY_SID_ZERO, CDN_GENERAL_ERROR, ERROR_SID);
		return WHY_SID_ZERO;
	}
	if (lns->shutting_down) {
		refuse_call(turn, t, msg->assigned_sid, WHY_CLOSING_DOWN, CDN_GENERAL_ERROR, ERROR_TRY_ANOTHER);
		return WHY_CLOSING_DOWN;
	}
	struct row row = session_new(turn, t, msg);

	if (row.n == 0) {
		refuse_call(turn, t, msg->assigned_sid, WHY_SESSIONS_FULL, CDN_NO_FACILITIES, 0);
		return WHY_SESSIONS_FULL;
	}
	struct session *s = &lns->session[row.n];
	enum call_state state = s->state;
	unsigned act = call_step(&state, CALL_ICRQ_OK);
	struct l2tp_msg icrp = {
		.type = L2TP_ICRP, .assigned_sid = s->sid.n, .present = AVP_BIT(AVP_ASSIGNED_SESSION_ID),
	};

	s->state = (uint8_t)state;
	say(turn->out, SAY_CALL_NEW, t->tid, row, SAY_ARG(s->call_serial), msg->calling);
	if ((act & CALL_SEND_ICRP) && !tunnel_send(turn, t, s->peer_sid, &icrp)) {
		session_end_now(turn, row, SESSION_END_NO_MEMORY, false);
		return WHY_CHAN_FULL;
	}
	return WHY_OK;
}

static enum why iccn_received(struct turn *turn, struct row row, const struct l2tp_msg *msg)
{
	struct session *s = &turn->lns->session[row.n];
	struct ppp_proxy proxy = {
		.last_sent_lcp = msg->last_sent_lcp, .last_received_lcp = msg->last_received_lcp,
		.auth_type = msg->proxy_type, .auth_name = msg->proxy_name, .auth_challenge = msg->proxy_challenge,
		.auth_response = msg->proxy_response, .auth_id = msg->proxy_id,
	};
	enum call_state state = s->state;
	unsigned act = call_step(&state, CALL_ICCN_OK);

	if (!(act & CALL_BIND_PPP)) {
		session_end_now(turn, row, SESSION_END_BAD_MESSAGE, true);
		return WHY_UNEXPECTED;
	}
	s->state = (uint8_t)state;
	s->tx_bps = msg->tx_bps;
	s->rx_bps = msg->present & AVP_BIT(AVP_RX_CONNECT_SPEED) ? msg->rx_bps : 0;
	s->private_group = text_keep(turn->lns, msg->private_group);
	say(turn->out, SAY_CALL_UP, s->tid, row, SAY_ARG(s->tx_bps, s->rx_bps), SAY_NONE);
	session_started(turn, row, msg->present & AVP_BIT(AVP_LAST_SENT_LCP_CONFREQ) ? &proxy : NULL);
	return WHY_OK;
}

/*
 * A message of a call that could not be decoded: RFC 2661 7.4.2's "bad" events.  An
 * ICRQ is refused by the id it assigned.  False: no call is to blame.
 */
bool call_message_bad(struct turn *turn, struct tunnel *t, const struct l2tp_hdr *hdr, const struct l2tp_msg *msg,
		      enum why why, uint16_t error)
{
	struct row row = call_find(turn->lns, t, hdr->session_id);

	if (row.n) {
		turn->lns->session[row.n].end_error = error;
		session_end_now(turn, row, SESSION_END_BAD_MESSAGE, true);
		return true;
	}
	if (hdr->session_id == 0 && msg->assigned_sid == 0)
		return false;
	if (hdr->session_id == 0)
		refuse_call(turn, t, msg->assigned_sid, why, CDN_GENERAL_ERROR, error);
	return true;
}

enum why call_control(struct turn *turn, struct tunnel *t, const struct l2tp_hdr *hdr, const struct l2tp_msg *msg)
{
	struct row row = call_find(turn->lns, t, hdr->session_id);

	switch (msg->type) {
	case L2TP_ICRQ:
		return icrq_received(turn, t, msg);
	case L2TP_OCRQ:
		refuse_call(turn, t, msg->assigned_sid, WHY_OUTGOING_CALL, CDN_NEVER_FACILITIES, 0);
		return WHY_OUTGOING_CALL;
	}
	/* RFC 2661 7.4.2: in idle, ICCN and CDN only clean up.  A LAC that gets a CDN for a CDN is upset. */
	if (row.n == 0)
		return WHY_NO_SESSION;
	switch (msg->type) {
	case L2TP_ICCN:
		return iccn_received(turn, row, msg);
	case L2TP_CDN:
		session_end_now(turn, row, SESSION_END_CDN, false);
		return WHY_OK;
	case L2TP_WEN:		/* 6.13: errors on the line, for information only */
	case L2TP_SLI:		/* 6.14: an ACCM, which synchronous framing does not use */
		return WHY_OK;
	default:
		session_end_now(turn, row, SESSION_END_BAD_MESSAGE, true);
		return WHY_UNEXPECTED;
	}
}
