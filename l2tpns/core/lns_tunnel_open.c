/* lns_tunnel_open.c -- SCCRQ to SCCCN: who may open a tunnel, and proving it.  RFC 2661 sections 5.1, 6.1-6.3. */
#include "l2tpns/core/lns_state.h"
#include "l2tpns/wire/ppp_auth.h"

#define FRAMING_SYNC	1u
#define FRAMING_ASYNC	2u
#define PROTOCOL	0x0100	/* version 1, revision 0 */
#define FIRMWARE	0x0300
#define COPY_TIME_S	2	/* how late a copy of an SCCRQ may come */

enum { STOP_GENERAL = 2, STOP_NOT_AUTHORISED = 4, STOP_VERSION = 5, STOP_SHUTDOWN = 6, ERROR_FULL = 4 };

static uint64_t peer_hash(const struct lns *lns, struct addr peer, uint16_t peer_tid)
{
	struct { struct addr peer; uint16_t tid; } key;

	memset(&key, 0, sizeof(key));
	key.peer = peer;
	key.tid = peer_tid;
	return hash_octets(lns->key, bytes_of(&key, sizeof(key)));
}

const struct tunnel *tunnel_of_peer(const struct lns *lns, struct addr peer, struct peer_tid peer_tid)
{
	uint32_t tid = index_first(&lns->by_peer, peer_hash(lns, peer, peer_tid.n));

	for (; tid; tid = index_next(&lns->by_peer, tid))
		if (lns->tunnel[tid].peer_tid.n == peer_tid.n && addr_eq(lns->tunnel[tid].peer, peer))
			return &lns->tunnel[tid];
	return NULL;
}

void tunnel_list_of_peer_add(struct lns *lns, const struct tunnel *t)
{
	index_put(&lns->by_peer, peer_hash(lns, t->peer, t->peer_tid.n), t->tid.n);
}

void tunnel_list_of_peer_remove(struct lns *lns, const struct tunnel *t)
{
	index_drop(&lns->by_peer, peer_hash(lns, t->peer, t->peer_tid.n), t->tid.n);
}

void tunnel_opening_done(struct lns *lns, struct tunnel *t)
{
	if (!t->opening)
		return;
	t->opening = false;
	lns->openings--;
	tunnel_list_remove(lns, &lns->opening, t);
}

/*
 * Refuse without keeping anything: one StopCCN that is not repeated.  It is no
 * longer than the SCCRQ it answers, so it cannot amplify a forged one.
 */
static enum why sccrq_refuse(struct turn *turn, struct addr from, struct ip local, const struct l2tp_msg *sccrq,
			     enum why why, uint16_t result, uint16_t error)
{
	char text[ADDR_TEXT_MAX];
	struct l2tp_msg msg = {
		.type = L2TP_STOPCCN, .result = result, .error = error,
		.present = AVP_BIT(AVP_ASSIGNED_TUNNEL_ID) | AVP_BIT(AVP_RESULT_CODE),
	};
	struct wr w = fx_send_begin(turn->out);

	l2tp_control_begin(&w, sccrq->assigned_tid, 0, 0, 1);
	l2tp_msg_encode(&msg, &w);
	l2tp_control_end(&w);
	(void)fx_send_end(turn->out, &w, local, from);
	if (turn->lns->said < 20)
		say(turn->out, SAY_TUNNEL_REFUSED, (struct tid){ 0 }, (struct row){ 0 }, SAY_ARG(why),
		    bytes_str(addr_text(from, text)));
	return why;
}

static const char *secret_for(const struct lns *lns, const struct lac_rule *rule)
{
	return rule && rule->secret[0] ? rule->secret : lns->conf.secret;
}

struct bytes tunnel_secret(const struct lns *lns, const struct tunnel *t)
{
	return bytes_str(secret_for(lns, lac_rules_find(&lns->rules, t->peer.ip, lns_kept(lns, t->host_name))));
}

/* May this LAC open a tunnel at all?  WHY_OK, or the refusal with its StopCCN codes. */
static enum why sccrq_judge(const struct lns *lns, const struct l2tp_msg *msg, const struct lac_rule *rule,
			    uint16_t *result, uint16_t *error)
{
	bool secret = secret_for(lns, rule)[0] != 0;

	*error = 0;
	*result = STOP_SHUTDOWN;
	if (lns->shutting_down)
		return WHY_CLOSING_DOWN;
	*result = STOP_VERSION;
	*error = PROTOCOL;
	if (msg->protocol_version >> 8 != PROTOCOL >> 8)
		return WHY_PROTOCOL_VERSION;
	*error = 0;
	*result = STOP_NOT_AUTHORISED;
	if (rule ? !rule->allow : lns->conf.lacs_only_listed)
		return WHY_LAC_NOT_ALLOWED;
	if (!secret && (msg->present & AVP_BIT(AVP_CHALLENGE)))
		return WHY_TUNNEL_AUTH;		/* we could not answer its challenge */
	return WHY_OK;
}

static void sccrp_send(struct turn *turn, struct tunnel *t, const struct l2tp_msg *sccrq)
{
	struct lns *lns = turn->lns;
	struct bytes secret = lns_kept(lns, t->secret);
	uint8_t response[16];
	struct l2tp_msg msg = {
		.type = L2TP_SCCRP, .protocol_version = PROTOCOL, .framing_caps = FRAMING_SYNC | FRAMING_ASYNC,
		.firmware = FIRMWARE, .host_name = bytes_str(lns->conf.host_name), .vendor_name = bytes_str("l2tpns"),
		.assigned_tid = t->tid.n, .window = lns->conf.window,
		.present = AVP_BIT(AVP_PROTOCOL_VERSION) | AVP_BIT(AVP_FRAMING_CAPABILITIES) |
			   AVP_BIT(AVP_FIRMWARE_REVISION) | AVP_BIT(AVP_HOST_NAME) | AVP_BIT(AVP_VENDOR_NAME) |
			   AVP_BIT(AVP_ASSIGNED_TUNNEL_ID) | AVP_BIT(AVP_RECEIVE_WINDOW_SIZE),
	};

	if (sccrq->present & AVP_BIT(AVP_CHALLENGE)) {
		l2tp_challenge_response(L2TP_SCCRP, secret, sccrq->challenge, response);
		msg.challenge_response = bytes_of(response, sizeof(response));
		msg.present |= AVP_BIT(AVP_CHALLENGE_RESPONSE);
	}
	if (t->challenged) {
		rnd_fill(&lns->rnd, t->challenge, sizeof(t->challenge));
		msg.challenge = bytes_of(t->challenge, sizeof(t->challenge));
		msg.present |= AVP_BIT(AVP_CHALLENGE);
	}
	(void)tunnel_send(turn, t, (struct peer_sid){ 0 }, &msg);
}

/* The oldest half-open tunnel makes room: a flood of forged SCCRQs only pushes out its own. */
static void opening_make_room(struct turn *turn)
{
	struct lns *lns = turn->lns;
	struct tunnel *oldest = &lns->tunnel[lns->opening.head];

	lns_count_refused(turn, WHY_TUNNELS_OPENING, oldest->tid, (struct row){ 0 });
	oldest->dead = true;
	tunnel_timer_fired(turn, oldest, TUNNEL_TIMER_LIFE);
	(void)tunnel_drop_some(turn);
}

static struct tunnel *tunnel_new(struct turn *turn, struct addr from, struct ip local, const struct l2tp_msg *msg,
				 const struct lac_rule *rule)
{
	struct lns *lns = turn->lns;

	if (lns->openings >= lns->conf.tunnels_opening_max)
		opening_make_room(turn);
	uint32_t tid = pool_take(&lns->tids);

	if (!tid)
		return NULL;
	struct tunnel *t = &lns->tunnel[tid];
	const char *secret = secret_for(lns, rule);

	*t = (struct tunnel){
		.in_use = true, .tid = { (uint16_t)tid }, .peer_tid = { msg->assigned_tid }, .peer = from,
		.local = local, .firmware = msg->firmware, .framing_caps = msg->framing_caps,
		.bearer_caps = msg->bearer_caps, .created = turn->now, .opening = true,
		.host_name = store_keep(&lns->store, msg->host_name),
		.vendor_name = store_keep(&lns->store, msg->vendor_name),
		.secret = store_keep(&lns->store, bytes_str(secret)),
		.challenged = secret[0] && lns->conf.challenge_lacs,
	};
	chan_init(&t->chan, msg->present & AVP_BIT(AVP_RECEIVE_WINDOW_SIZE) ? msg->window : CHAN_WINDOW_DEFAULT);
	tunnel_list_of_peer_add(lns, t);
	tunnel_list_add(lns, &lns->opening, t);
	lns->openings++;
	lns->stat[STAT_tunnels_created]++;
	tunnel_timer_arm(turn, t, TUNNEL_TIMER_LIFE, mono_add(turn->now, DUR_S(OPENING_TIME_S)));
	return t;
}

static enum why sccrq_accept(struct turn *turn, struct addr from, struct ip local, const struct l2tp_hdr *hdr,
			     const struct l2tp_msg *msg, const struct lac_rule *rule)
{
	char text[ADDR_TEXT_MAX];
	struct tunnel *t = tunnel_new(turn, from, local, msg, rule);
	enum why why;

	if (!t) {
		say(turn->out, SAY_TABLE_FULL, (struct tid){ 0 }, (struct row){ 0 }, SAY_ARG(WHY_TUNNELS_FULL),
		    SAY_NONE);
		return sccrq_refuse(turn, from, local, msg, WHY_TUNNELS_FULL, STOP_GENERAL, ERROR_FULL);
	}
	struct chan_env env = lns_chan_env(turn, t);
	enum tunnel_state state = TUNNEL_IDLE;
	enum chan_in in = chan_received(&t->chan, &env, hdr, &why);

	if (in != CHAN_DELIVER) {		/* Ns was not 0: not the first message of a tunnel */
		t->dead = true;
		tunnel_timer_fired(turn, t, TUNNEL_TIMER_LIFE);
		(void)tunnel_drop_some(turn);
		return why == WHY_OK ? WHY_UNEXPECTED : why;
	}
	unsigned act = tunnel_step(&state, TUNNEL_SCCRQ_OK);

	t->state = (uint8_t)state;
	say(turn->out, SAY_TUNNEL_NEW, t->tid, (struct row){ 0 }, SAY_ARG(0), bytes_str(addr_text(from, text)));
	if (act & TUNNEL_SEND_SCCRP)
		sccrp_send(turn, t, msg);
	return WHY_OK;
}

enum why tunnel_sccrq_received(struct turn *turn, struct addr from, struct ip local, const struct l2tp_hdr *hdr)
{
	struct lns *lns = turn->lns;
	const struct lac_rule *rule = lac_rules_find(&lns->rules, from.ip, SAY_NONE);
	struct l2tp_msg msg;
	uint16_t result, error;

	if (hdr->body.len == 0)
		return WHY_NO_TUNNEL;		/* an acknowledgement of a StopCCN that refused it */
	/* Hidden AVPs of an SCCRQ can only be read by the address's secret: the name may be among them. */
	enum why why = l2tp_msg_decode(hdr->body, bytes_str(secret_for(lns, rule)), lns->scratch, &msg);

	if (why != WHY_OK && msg.type == L2TP_SCCRQ && msg.assigned_tid)
		return sccrq_refuse(turn, from, local, &msg, why, STOP_GENERAL, tunnel_error_for(why));
	if (why != WHY_OK)
		return why;
	if (msg.type != L2TP_SCCRQ)
		return WHY_NO_TUNNEL;
	if (msg.assigned_tid == 0)
		return WHY_SCCRQ_TID_ZERO;
	const struct tunnel *same = tunnel_of_peer(lns, from, (struct peer_tid){ msg.assigned_tid });
	struct tunnel *t = same ? &lns->tunnel[same->tid.n] : NULL;

	/* A repeat of what we answered already, or a copy the network held back: to take that for a new tunnel
	 * would make the LAC close the one it has.  An old tunnel does not hinder a LAC that restarted. */
	if (t && (t->opening || (!t->closing && mono_since(turn->now, t->created).us < DUR_S(COPY_TIME_S).us))) {
		struct chan_env env = lns_chan_env(turn, t);

		/* The SCCRP goes out again by its own timer. */
		if (hdr->ns != 0 || chan_received(&t->chan, &env, hdr, &why) != CHAN_DUPLICATE)
			return WHY_UNEXPECTED;
		return WHY_SCCRQ_REPEATED;
	}
	rule = lac_rules_find(&lns->rules, from.ip, msg.host_name);
	why = sccrq_judge(lns, &msg, rule, &result, &error);
	if (why != WHY_OK)
		return sccrq_refuse(turn, from, local, &msg, why, result, error);
	return sccrq_accept(turn, from, local, hdr, &msg, rule);
}

static bool response_valid(struct lns *lns, const struct tunnel *t, const struct l2tp_msg *msg)
{
	uint8_t expected[16];

	if (!t->challenged)
		return true;
	if (!(msg->present & AVP_BIT(AVP_CHALLENGE_RESPONSE)) || msg->challenge_response.len != sizeof(expected))
		return false;
	l2tp_challenge_response(L2TP_SCCCN, lns_kept(lns, t->secret), bytes_of(t->challenge, sizeof(t->challenge)),
				expected);
	return octets_equal(expected, msg->challenge_response.p, sizeof(expected));
}

enum why tunnel_scccn_received(struct turn *turn, struct tunnel *t, const struct l2tp_msg *msg)
{
	struct lns *lns = turn->lns;
	char text[ADDR_TEXT_MAX];
	bool valid = response_valid(lns, t, msg);
	enum tunnel_state state = t->state;
	unsigned act = tunnel_step(&state, valid ? TUNNEL_SCCCN_OK : TUNNEL_SCCCN_BAD);

	if (!(act & TUNNEL_OPENED)) {
		if (valid)
			return WHY_UNEXPECTED;		/* the caller fails the tunnel */
		tunnel_close_asked(turn, t, STOP_NOT_AUTHORISED, SESSION_END_TUNNEL);
		return WHY_TUNNEL_AUTH;
	}
	t->state = (uint8_t)state;
	t->opened = turn->now;
	t->put = true;
	tunnel_opening_done(lns, t);
	struct fx_tunnel *put = fx_add(turn->out, FX_TUNNEL_PUT, t->tid.n, sizeof(*put));

	*put = (struct fx_tunnel){ .tid = t->tid, .peer_tid = t->peer_tid, .peer = t->peer, .local = t->local };
	lns->stat[STAT_tunnels_opened]++;
	say(turn->out, SAY_TUNNEL_UP, t->tid, (struct row){ 0 }, SAY_ARG(0), bytes_str(addr_text(t->peer, text)));
	t->emptied = turn->now;
	tunnel_life_due(turn, t);
	return WHY_OK;
}
