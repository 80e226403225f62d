/* lns_tunnel.c -- a tunnel's life once it exists: messages, HELLO, StopCCN, the end.  RFC 2661 5.5-5.7, 6.4, 6.5. */
#include "l2tpns/core/lns_state.h"

enum {				/* RFC 2661 4.4.2: StopCCN Result Codes and general Error Codes */
	STOP_GENERAL_REQUEST = 1, STOP_GENERAL_ERROR = 2, STOP_PROTOCOL_VERSION = 5,
	ERROR_LENGTH = 2, ERROR_VALUE = 3, ERROR_RESOURCES = 4, ERROR_UNKNOWN_M = 8
};

struct tunnel *tunnel_find(struct lns *lns, uint16_t tid)
{
	return tid > 0 && tid <= lns->tids.top && lns->tunnel[tid].in_use ? &lns->tunnel[tid] : NULL;
}

void tunnel_list_add(struct lns *lns, struct tunnel_list *list, struct tunnel *t)
{
	t->next = 0;
	t->prev = list->tail;
	if (list->tail)
		lns->tunnel[list->tail].next = t->tid.n;
	else
		list->head = t->tid.n;
	list->tail = t->tid.n;
}

void tunnel_list_remove(struct lns *lns, struct tunnel_list *list, struct tunnel *t)
{
	if (t->next)
		lns->tunnel[t->next].prev = t->prev;
	else
		list->tail = t->prev;
	if (t->prev)
		lns->tunnel[t->prev].next = t->next;
	else
		list->head = t->next;
}

/* After anything happened to the channel: its timer, and the acknowledgement it may owe. */
static void chan_touched(struct turn *turn, struct tunnel *t)
{
	struct lns *lns = turn->lns;

	tunnel_mark(lns, t);
	tunnel_timer_arm(turn, t, TUNNEL_TIMER_CHAN, t->chan.due);
	if (chan_ack_owed(&t->chan) && !t->ack_listed) {
		t->ack_listed = true;
		t->ack_next = lns->ack_first;
		lns->ack_first = t->tid.n;
	}
}

bool tunnel_send(struct turn *turn, struct tunnel *t, struct peer_sid sid, const struct l2tp_msg *msg)
{
	struct chan_env env = lns_chan_env(turn, t);
	bool urgent = msg->type == L2TP_HELLO || msg->type == L2TP_STOPCCN;
	bool sent = urgent ? chan_send_urgent(&t->chan, &env, sid.n, msg) : chan_send(&t->chan, &env, sid.n, msg);

	if (sent)
		turn->lns->stat[STAT_control_sent]++;
	else
		lns_count_refused(turn, WHY_CHAN_FULL, t->tid, (struct row){ 0 });
	chan_touched(turn, t);
	return sent;
}

/* Forget the tunnel and everything it holds. */
static void tunnel_free(struct turn *turn, struct tunnel *t)
{
	struct chan_env env = lns_chan_env(turn, t);

	ASSERT(!t->dropping);
	chan_flush(&t->chan, &env);
	tunnel_release(turn, t);
}

void tunnel_release(struct turn *turn, struct tunnel *t)
{
	struct lns *lns = turn->lns;
	struct chan_env env = lns_chan_env(turn, t);

	ASSERT(t->sessions == 0);
	tunnel_mark(lns, t);
	chan_close(&t->chan, &env);
	if (t->dropping)
		tunnel_list_remove(lns, &lns->dropping, t);
	tunnel_opening_done(lns, t);
	if (t->put)
		(void)fx_add(turn->out, FX_TUNNEL_DROP, t->tid.n, 0);
	tunnel_list_of_peer_remove(lns, t);
	timer_disarm(&lns->timers, lns->tunnel_timers + t->tid.n * TIMERS_PER_OBJECT + TUNNEL_TIMER_CHAN);
	timer_disarm(&lns->timers, lns->tunnel_timers + t->tid.n * TIMERS_PER_OBJECT + TUNNEL_TIMER_LIFE);
	store_drop(&lns->store, t->host_name);
	store_drop(&lns->store, t->vendor_name);
	store_drop(&lns->store, t->secret);
	store_drop(&lns->store, t->unknown);
	if (t->ack_listed) {	/* the list is walked once a batch and is short */
		uint32_t *at = &lns->ack_first;

		while (*at != t->tid.n)
			at = &lns->tunnel[*at].ack_next;
		*at = t->ack_next;
	}
	if (t->lingering)
		lns->lingering--;
	uint32_t tid = t->tid.n;

	memset(t, 0, sizeof(*t));
	pool_give(&lns->tids, tid);
}

static void stopccn_send(struct turn *turn, struct tunnel *t)
{
	struct l2tp_msg msg = {
		.type = L2TP_STOPCCN, .assigned_tid = t->tid.n, .result = t->result, .error = t->error,
		.present = AVP_BIT(AVP_ASSIGNED_TUNNEL_ID) | AVP_BIT(AVP_RESULT_CODE),
	};

	if (t->result == STOP_PROTOCOL_VERSION)
		msg.error = 0x0100;	/* RFC 2661 4.4.2: the highest version we speak */
	t->closing = true;
	(void)tunnel_send(turn, t, (struct peer_sid){ 0 }, &msg);
}

static void closed_say(struct turn *turn, struct tunnel *t, enum why why)
{
	say(turn->out, SAY_TUNNEL_DOWN, t->tid, (struct row){ 0 }, SAY_ARG(t->result, t->error, why),
	    bytes_str(session_end_row(t->drop_end)->text));
}

/* The peer closed it: all that is left to do is to acknowledge its StopCCN again, should it come again. */
static void linger_begin(struct lns *lns, struct tunnel *t)
{
	tunnel_mark(lns, t);
	if (!t->lingering)
		lns->lingering++;
	t->lingering = true;
}

/* The sessions have gone: what is left is to tell the peer, to linger, or to go. */
static void tunnel_settle(struct turn *turn, struct tunnel *t)
{
	t->dropping = false;
	tunnel_mark(turn->lns, t);
	tunnel_list_remove(turn->lns, &turn->lns->dropping, t);
	if (t->dead)
		tunnel_free(turn, t);
	else if (t->stop_after_drop)
		stopccn_send(turn, t);
	else
		linger_begin(turn->lns, t);
}

bool tunnel_drop_some(struct turn *turn)
{
	struct lns *lns = turn->lns;

	if (!lns->dropping.head)
		return false;
	struct tunnel *t = &lns->tunnel[lns->dropping.head];

	if (t->first)
		session_end_now(turn, (struct row){ t->first }, t->drop_end, false);
	else
		tunnel_settle(turn, t);
	return true;
}

static void drop_begin(struct turn *turn, struct tunnel *t, enum session_end end)
{
	tunnel_mark(turn->lns, t);
	tunnel_opening_done(turn->lns, t);
	t->drop_end = (uint8_t)end;
	if (!t->dropping) {
		t->dropping = true;
		tunnel_list_add(turn->lns, &turn->lns->dropping, t);
	}
}

void tunnel_close_asked(struct turn *turn, struct tunnel *t, uint16_t result, enum session_end end)
{
	if (t->closing || t->dropping)
		return;
	enum tunnel_state state = t->state;
	unsigned act = tunnel_step(&state, TUNNEL_CLOSE_ASKED);

	t->state = (uint8_t)state;
	t->result = result;
	t->stop_after_drop = (act & TUNNEL_SEND_STOPCCN) != 0;
	drop_begin(turn, t, end);
	closed_say(turn, t, WHY_OK);
}

/* Our protocol fault or the peer's: StopCCN now, its sessions a slice at a time. */
static void tunnel_fail(struct turn *turn, struct tunnel *t, uint16_t result, uint16_t error, enum why why)
{
	if (t->closing || t->dropping)
		return;
	t->state = TUNNEL_IDLE;
	t->result = result;
	t->error = error;
	t->stop_after_drop = true;
	drop_begin(turn, t, SESSION_END_TUNNEL);
	closed_say(turn, t, why);
}

static void tunnel_died(struct turn *turn, struct tunnel *t)
{
	if (t->closing && !t->dropping && t->sessions == 0) {	/* it never acknowledged our StopCCN: gone either way */
		tunnel_free(turn, t);
		return;
	}
	t->dead = true;
	t->stop_after_drop = false;
	t->state = TUNNEL_IDLE;
	turn->lns->stat[STAT_tunnels_lost]++;
	say(turn->out, SAY_TUNNEL_DEAD, t->tid, (struct row){ 0 }, SAY_ARG(turn->lns->conf.retransmit_tries), SAY_NONE);
	drop_begin(turn, t, SESSION_END_TUNNEL_DEAD);
}

static enum why stopccn_received(struct turn *turn, struct tunnel *t, const struct l2tp_msg *msg)
{
	bool known = t->closing || t->dropping;

	t->state = TUNNEL_IDLE;
	t->closing = true;
	t->stop_after_drop = false;
	if (!known) {
		t->result = msg->result;
		t->error = msg->error;
		drop_begin(turn, t, SESSION_END_TUNNEL);
		closed_say(turn, t, WHY_OK);
	} else if (!t->dropping) {
		linger_begin(turn->lns, t);
	}
	/* RFC 2661 5.7: stay for a full retransmission cycle, to acknowledge the StopCCN again. */
	tunnel_timer_arm(turn, t, TUNNEL_TIMER_LIFE, mono_add(turn->now, DUR_S(turn->lns->conf.tunnel_linger_s)));
	return WHY_OK;
}

uint16_t tunnel_error_for(enum why why)
{
	switch (why) {
	case WHY_AVP_UNKNOWN_M:
		return ERROR_UNKNOWN_M;
	case WHY_AVP_LEN:
	case WHY_SHORT:
	case WHY_AVP_HIDDEN_LEN:
		return ERROR_LENGTH;
	default:
		return ERROR_VALUE;
	}
}

/* RFC 2661 4.1, 7: a fault in a session's message costs the session, any other the tunnel. */
static void message_bad(struct turn *turn, struct tunnel *t, const struct l2tp_hdr *hdr,
			const struct l2tp_msg *msg, enum why why)
{
	bool of_session = hdr->session_id != 0 || msg->type == L2TP_ICRQ || msg->type == L2TP_OCRQ;

	if (why == WHY_MSG_TYPE_SKIPPED || t->closing || t->dropping)
		return;
	if (of_session && why != WHY_MSG_TYPE && call_message_bad(turn, t, hdr, msg, why, tunnel_error_for(why)))
		return;
	tunnel_fail(turn, t, STOP_GENERAL_ERROR, tunnel_error_for(why), why);
}

/* A message in its turn.  WHY_OK, or why it was refused. */
static enum why message_received(struct turn *turn, struct tunnel *t, const struct l2tp_hdr *hdr)
{
	struct lns *lns = turn->lns;
	struct l2tp_msg msg;
	enum why why = l2tp_msg_decode(hdr->body, lns_kept(lns, t->secret), lns->scratch, &msg);

	if (why != WHY_OK) {
		message_bad(turn, t, hdr, &msg, why);
		return why;
	}
	switch (msg.type) {
	case L2TP_STOPCCN:
		return stopccn_received(turn, t, &msg);
	case L2TP_HELLO:
		return WHY_OK;		/* its acknowledgement is the answer: RFC 2661 6.5 */
	}
	if (t->closing || t->dropping)
		return WHY_CHAN_CLOSED;
	switch (msg.type) {
	case L2TP_SCCCN:
		why = tunnel_scccn_received(turn, t, &msg);
		if (why == WHY_OK || t->dropping)
			return why;
		break;
	case L2TP_SCCRQ:
	case L2TP_SCCRP:
		why = WHY_UNEXPECTED;
		break;
	default:
		if (t->state == TUNNEL_ESTABLISHED)
			return call_control(turn, t, hdr, &msg);
		return WHY_UNEXPECTED;	/* calls wait for SCCCN; it is on its way or the peer gives up */
	}
	tunnel_fail(turn, t, STOP_GENERAL_ERROR, ERROR_VALUE, why);
	return why;
}

static enum why tunnel_received(struct turn *turn, struct tunnel *t, const struct l2tp_hdr *hdr)
{
	struct chan_env env = lns_chan_env(turn, t);
	struct l2tp_hdr next;
	enum why why;
	enum chan_in in = chan_received(&t->chan, &env, hdr, &why);

	if (in == CHAN_DELIVER) {
		why = message_received(turn, t, hdr);
		while (t->in_use && chan_shelf_take(&t->chan, &env, &next, turn->lns->shelf)) {
			enum why later = message_received(turn, t, &next);

			if (later != WHY_OK)
				lns_count_refused(turn, later, t->tid, (struct row){ 0 });
		}
	}
	/* A StopCCN of ours that is acknowledged was the last word. */
	if (t->closing && t->stop_after_drop && !t->dropping && chan_queued(&t->chan) == 0 && t->sessions == 0)
		tunnel_free(turn, t);
	else
		chan_touched(turn, t);
	return why;
}

enum why tunnel_control(struct turn *turn, struct addr from, struct ip local, const struct l2tp_hdr *hdr)
{
	if (hdr->tunnel_id == 0)
		return tunnel_sccrq_received(turn, from, local, hdr);
	struct tunnel *t = tunnel_find(turn->lns, hdr->tunnel_id);

	if (!t)
		return WHY_NO_TUNNEL;
	if (!addr_eq(from, t->peer))
		return WHY_TUNNEL_ADDRESS;
	return tunnel_received(turn, t, hdr);
}

void tunnel_flush_all(struct turn *turn)
{
	struct lns *lns = turn->lns;

	while (lns->ack_first && fx_has_room(turn->out)) {
		struct tunnel *t = &lns->tunnel[lns->ack_first];
		struct chan_env env = lns_chan_env(turn, t);

		lns->ack_first = t->ack_next;
		t->ack_next = 0;
		t->ack_listed = false;
		chan_flush(&t->chan, &env);
	}
}

/* Asks the peer whether it lives after a silence (RFC 2661 5.5), and lets go of a tunnel nobody uses. */
void tunnel_life_due(struct turn *turn, struct tunnel *t)
{
	const struct lns_conf *conf = &turn->lns->conf;
	struct mono hello = MONO_NEVER, idle = MONO_NEVER;

	if (conf->tunnel_idle_s && t->sessions == 0)
		idle = mono_add(later_of(t->emptied, turn->lns->since), DUR_S(conf->tunnel_idle_s));
	if (mono_reached(turn->now, idle)) {
		tunnel_close_asked(turn, t, STOP_GENERAL_REQUEST, SESSION_END_TUNNEL);
		return;
	}
	if (conf->hello_interval_s)
		hello = mono_add(t->chan.heard, DUR_S(conf->hello_interval_s));
	if (mono_reached(turn->now, hello)) {
		struct l2tp_msg msg = { .type = L2TP_HELLO };

		if (chan_queued(&t->chan) == 0)
			(void)tunnel_send(turn, t, (struct peer_sid){ 0 }, &msg);
		hello = mono_add(turn->now, DUR_S(conf->hello_interval_s));
	}
	tunnel_timer_arm(turn, t, TUNNEL_TIMER_LIFE, mono_min(hello, idle));
}

static void chan_due(struct turn *turn, struct tunnel *t)
{
	struct chan_env env = lns_chan_env(turn, t);
	uint32_t resent = t->chan.resent;

	if (t->dead)
		return;
	bool alive = chan_timed_out(&t->chan, &env);

	turn->lns->stat[STAT_control_retransmitted] += t->chan.resent - resent;
	if (alive)
		chan_touched(turn, t);
	else
		tunnel_died(turn, t);
}

/* How long a tunnel that is not established may stay; one that another node began as long from our own beginning. */
static struct mono patience(const struct lns *lns, const struct tunnel *t)
{
	uint32_t wait_s = t->closing ? lns->conf.tunnel_linger_s : OPENING_TIME_S;

	if (t->dead || t->stub || mono_before(lns->since, t->created) || !lns->epoch)
		return (struct mono){ 0 };
	return mono_add(lns->since, DUR_S(wait_s));
}

void tunnel_timer_fired(struct turn *turn, struct tunnel *t, enum tunnel_timer timer)
{
	ASSERT(t->in_use);
	if (timer == TUNNEL_TIMER_CHAN) {
		chan_due(turn, t);
	} else if (t->dropping || (t->closing && t->stop_after_drop && chan_queued(&t->chan) > 0)) {
		tunnel_timer_arm(turn, t, TUNNEL_TIMER_LIFE, mono_add(turn->now, DUR_S(1)));
	} else if (t->state == TUNNEL_ESTABLISHED && !t->closing) {
		tunnel_life_due(turn, t);
	} else if (mono_before(turn->now, patience(turn->lns, t))) {
		tunnel_timer_arm(turn, t, TUNNEL_TIMER_LIFE, patience(turn->lns, t));
	} else if (t->closing && t->sessions == 0) {
		tunnel_free(turn, t);		/* lingered long enough */
	} else {
		t->dead = true;			/* never got past SCCRP: it vanishes without a word */
		drop_begin(turn, t, SESSION_END_TUNNEL_DEAD);
	}
}

bool lns_drop_tunnel(struct lns *lns, struct tid tid, struct mono now, struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };
	struct tunnel *t = tunnel_find(lns, tid.n);

	if (!t || lns->role == LNS_SLAVE)
		return false;
	tunnel_close_asked(&turn, t, 1, SESSION_END_ADMIN);
	return true;
}
