/* replica_tunnel.c -- a tunnel's record, and making a tunnel of it; stubs for those whose record is still to come. */
#include "l2tpns/core/replica_rows.h"

#define FOLLOW_MS	100
#define STUB_TIME_S	30	/* a new master lets go of what never got its tunnel */

/* The channel's numbers are read and written through its own functions. */
struct tunnel_object {
	struct tunnel		t;
	struct chan_numbers	chan;
};

enum {
	IS_CLOSING = 1, IS_STOP_AFTER = 2, IS_OPENING = 4, IS_PUT = 8,
	IS_LINGERING = 16, IS_DEAD = 32, IS_CHALLENGED = 64, IS_DROPPING = 128
};

static uint64_t flags_get(const void *object)
{
	const struct tunnel *t = object;

	return (t->closing ? IS_CLOSING : 0u) | (t->stop_after_drop ? IS_STOP_AFTER : 0u) |
	       (t->opening ? IS_OPENING : 0u) | (t->put ? IS_PUT : 0u) | (t->lingering ? IS_LINGERING : 0u) |
	       (t->dead ? IS_DEAD : 0u) | (t->challenged ? IS_CHALLENGED : 0u) | (t->dropping ? IS_DROPPING : 0u);
}

static bool flags_set(void *object, uint64_t value)
{
	struct tunnel *t = object;

	t->closing = (value & IS_CLOSING) != 0;
	t->stop_after_drop = (value & IS_STOP_AFTER) != 0;
	t->opening = (value & IS_OPENING) != 0;
	t->put = (value & IS_PUT) != 0;
	t->lingering = (value & IS_LINGERING) != 0;
	t->dead = (value & IS_DEAD) != 0;
	t->challenged = (value & IS_CHALLENGED) != 0;
	t->dropping = (value & IS_DROPPING) != 0;
	return value <= 255;
}

/* The challenge we sent counts until it is answered. */
static bool challenge_counts(const struct tunnel *t)
{
	return t->challenged && t->state == TUNNEL_WAIT_CTL_CONN;
}

static struct bytes challenge_get(const void *object)
{
	const struct tunnel *t = object;

	return challenge_counts(t) ? bytes_of(t->challenge, sizeof(t->challenge)) : SAY_NONE;
}

static bool challenge_take(void *object, struct bytes octets)
{
	struct tunnel *t = object;

	if (!challenge_counts(t) || octets.len != sizeof(t->challenge))
		return false;
	memcpy(t->challenge, octets.p, octets.len);
	return true;
}

#define AT(member)	offsetof(struct tunnel_object, member)
#define ROW(number, kind, member, most)	{ number, false, kind, AT(member), most, NULL, NULL, NULL, NULL }
#define U16(number, member)	ROW(number, FIELD_U16, member, UINT16_MAX)
#define U32(number, member)	ROW(number, FIELD_U32, member, UINT32_MAX)

enum { TEXT_HOST, TEXT_VENDOR };

static const struct field_row rows[] = {
	U16(1, t.peer_tid.n),
	ROW(2, FIELD_ADDR, t.peer, 0),
	ROW(3, FIELD_IP, t.local, 0),
	ROW(4, FIELD_U8, t.state, TUNNEL_STATES - 1),
	{ 5, false, FIELD_PACKED, 0, 0, flags_get, flags_set, NULL, NULL },
	ROW(6, FIELD_U8, t.drop_end, SESSION_ENDS - 1),
	U16(7, t.result),
	U16(8, t.error),
	U16(9, chan.acked),
	U16(10, chan.ns),
	U16(11, chan.nr),
	ROW(12, FIELD_U16, chan.peer_window, CHAN_WINDOW_MAX),
	U16(13, t.firmware),
	U32(14, t.framing_caps),
	U32(15, t.bearer_caps),
	ROW(16, FIELD_TIME, t.created, 0),
	ROW(17, FIELD_TIME, t.opened, 0),
	ROW(18, FIELD_TIME, t.emptied, 0),
	{ 19, false, FIELD_OCTETS, 0, 0, NULL, NULL, challenge_get, challenge_take },
	ROW(60, FIELD_TEXT, t.host_name, TEXT_HOST),
	ROW(61, FIELD_TEXT, t.vendor_name, TEXT_VENDOR),
};

static const struct record_rows tunnel_rows = { rows, ARRAY_LEN(rows) };

void tunnel_record(const struct lns *lns, struct tid tid, struct replica_clock clock, struct wr *w)
{
	const struct tunnel *t = lns_tunnel(lns, tid);

	if (!t || t->stub)
		return;
	struct tunnel_object object = { .t = *t, .chan = chan_numbers(&t->chan) };

	record_encode(&tunnel_rows, &object, &lns->store, lns_kept(lns, t->unknown), clock, w);
}

uint32_t tunnel_fold(const struct tunnel *t)
{
	uint32_t h = 2166136261u ^ t->peer_tid.n ^ (uint32_t)t->peer.port << 16;

	if (t->stub)
		return 0;
	for (unsigned i = 0; i < sizeof(t->peer.ip.b); i++)
		h = (h ^ t->peer.ip.b[i]) * 16777619u;
	return h ? h : 1;
}

/* ---- what a record may say */

static bool tunnel_possible(const struct tunnel_object *object)
{
	const struct tunnel *t = &object->t;

	return t->peer_tid.n > 0 && !ip_is_none(t->peer.ip) && !ip_is_none(t->local) && object->chan.peer_window > 0 &&
	       (uint16_t)(object->chan.ns - object->chan.acked) <= CHAN_WINDOW_MAX &&
	       !(t->opening && (t->dropping || t->state != TUNNEL_WAIT_CTL_CONN)) &&
	       !(t->lingering && (!t->closing || t->dropping));
}

static enum why tunnel_decode(const struct lns *lns, struct tid tid, struct bytes octets, struct replica_clock clock,
			      struct tunnel_object *object, struct record_in *in)
{
	memset(object, 0, sizeof(*object));
	if (tid.n == 0 || tid.n > lns->tids.n || record_decode(&tunnel_rows, octets, clock, object, in) != WHY_OK ||
	    !tunnel_possible(object))
		return WHY_CL_VALUE;
	return WHY_OK;
}

static bool chan_holds(const struct chan *chan)
{
	return chan->sent.head || chan->urgent.head || chan->bulk.head || chan->shelf;
}

/* ---- stubs */

/* Among the tunnels of a LAC a stub stands under an address nobody has. */
static void stub_become(struct turn *turn, struct tunnel *t)
{
	t->stub = true;
	t->state = TUNNEL_IDLE;
	t->peer = (struct addr){ .port = t->tid.n };
	tunnel_list_of_peer_add(turn->lns, t);
	tunnel_timer_arm(turn, t, TUNNEL_TIMER_CHAN, MONO_NEVER);
	tunnel_timer_arm(turn, t, TUNNEL_TIMER_LIFE, mono_add(turn->now, DUR_S(STUB_TIME_S)));
}

struct tunnel *tunnel_known(struct turn *turn, struct tid tid)
{
	struct lns *lns = turn->lns;
	struct tunnel *t = &lns->tunnel[tid.n];

	if (t->in_use)
		return t;
	bool taken = pool_take_this(&lns->tids, tid.n);

	ASSERT(taken);		/* the number is in range, and who has it is in use */
	memset(t, 0, sizeof(*t));
	t->in_use = true;
	t->tid = tid;
	chan_init(&t->chan, CHAN_WINDOW_DEFAULT);
	stub_become(turn, t);
	return t;
}

static void ack_unlist(struct lns *lns, struct tunnel *t)
{
	uint32_t *at = &lns->ack_first;

	if (!t->ack_listed)
		return;
	while (*at != t->tid.n)
		at = &lns->tunnel[*at].ack_next;
	*at = t->ack_next;
	t->ack_listed = false;
	t->ack_next = 0;
}

static void lists_leave(struct lns *lns, struct tunnel *t)
{
	tunnel_opening_done(lns, t);
	if (t->dropping)
		tunnel_list_remove(lns, &lns->dropping, t);
	if (t->lingering)
		lns->lingering--;
	t->dropping = t->lingering = false;
}

void tunnel_stub_settle(struct turn *turn, struct tunnel *t)
{
	struct lns *lns = turn->lns;
	uint32_t tid = t->tid.n;

	if (!t->stub || t->sessions > 0 || chan_holds(&t->chan))
		return;
	lists_leave(lns, t);
	ack_unlist(lns, t);
	tunnel_list_of_peer_remove(lns, t);
	tunnel_timer_arm(turn, t, TUNNEL_TIMER_CHAN, MONO_NEVER);
	tunnel_timer_arm(turn, t, TUNNEL_TIMER_LIFE, MONO_NEVER);
	memset(t, 0, sizeof(*t));
	pool_give(&lns->tids, tid);
}

/* Only its id is left of it, for what has not heard yet that it is gone. */
static void tunnel_forget(struct turn *turn, struct tunnel *t)
{
	struct lns *lns = turn->lns;

	if (!t->in_use || t->stub)
		return;
	lists_leave(lns, t);
	ack_unlist(lns, t);
	if (t->put)
		(void)fx_add(turn->out, FX_TUNNEL_DROP, t->tid.n, 0);
	tunnel_list_of_peer_remove(lns, t);
	while (t->chan.shelf)		/* a former master's */
		chan_message_drop(&t->chan, &lns->chan_pool, &lns->store, t->chan.shelf);
	store_drop(&lns->store, t->host_name);
	store_drop(&lns->store, t->vendor_name);
	store_drop(&lns->store, t->secret);
	store_drop(&lns->store, t->unknown);

	struct tunnel stub = {
		.in_use = true, .tid = t->tid, .chan = t->chan, .pages = t->pages,
		.sessions = t->sessions, .first = t->first,
	};

	*t = stub;
	stub_become(turn, t);
	tunnel_stub_settle(turn, t);
}

/* ---- making it so */

static void lists_join(struct lns *lns, struct tunnel *t, const struct tunnel *now)
{
	if (t->opening && !now->opening)
		tunnel_opening_done(lns, t);
	if (t->dropping && !now->dropping)
		tunnel_list_remove(lns, &lns->dropping, t);
	if (!t->opening && now->opening) {
		tunnel_list_add(lns, &lns->opening, t);
		lns->openings++;
	}
	if (!t->dropping && now->dropping)
		tunnel_list_add(lns, &lns->dropping, t);
	lns->lingering += (uint32_t)now->lingering - (uint32_t)t->lingering;
}

/* On a slave the timers only push themselves on: see session_watch(). */
void tunnel_watch(struct turn *turn, struct tunnel *t)
{
	const struct lns_conf *conf = &turn->lns->conf;
	bool busy = t->chan.sent.head || t->chan.urgent.head || t->chan.bulk.head;
	struct mono life;

	if (t->lingering)
		life = mono_add(turn->now, DUR_S(conf->tunnel_linger_s));
	else if (t->closing || t->dropping || t->state != TUNNEL_ESTABLISHED)
		life = mono_add(turn->now, DUR_S(STUB_TIME_S));
	else
		life = mono_add(turn->now, DUR_S(conf->hello_interval_s ? conf->hello_interval_s : STUB_TIME_S));
	tunnel_timer_arm(turn, t, TUNNEL_TIMER_CHAN, busy ? mono_add(turn->now, DUR_MS(FOLLOW_MS)) : MONO_NEVER);
	tunnel_timer_arm(turn, t, TUNNEL_TIMER_LIFE, life);
}

static void tunnel_plane(struct turn *turn, const struct tunnel *t, bool put_before)
{
	if (!t->put) {
		if (put_before)
			(void)fx_add(turn->out, FX_TUNNEL_DROP, t->tid.n, 0);
		return;
	}
	struct fx_tunnel *put = fx_add(turn->out, FX_TUNNEL_PUT, t->tid.n, sizeof(*put));

	*put = (struct fx_tunnel){ .tid = t->tid, .peer_tid = t->peer_tid, .peer = t->peer, .local = t->local };
}

static void tunnel_update(struct replica_turn *rt, struct tunnel *t, const struct tunnel_object *object,
			  const struct record_in *in)
{
	struct turn *turn = &rt->turn;
	struct lns *lns = turn->lns;
	struct tunnel old = *t;
	bool moved = t->stub || !addr_eq(t->peer, object->t.peer) || t->peer_tid.n != object->t.peer_tid.n;

	lists_join(lns, t, &object->t);
	if (moved)
		tunnel_list_of_peer_remove(lns, t);
	struct tunnel kept = *t;	/* links, counts and pages: what follows from elsewhere than this record */

	*t = object->t;
	t->in_use = true;
	t->tid = kept.tid;
	t->chan = kept.chan;
	t->ack_listed = kept.ack_listed;
	t->ack_next = kept.ack_next;
	t->next = kept.next;
	t->prev = kept.prev;
	t->sessions = kept.sessions;
	t->first = kept.first;
	t->pages = kept.pages;
	t->host_name = kept.host_name;
	t->vendor_name = kept.vendor_name;
	t->secret = kept.secret;
	t->unknown = kept.unknown;
	record_text_set(&lns->store, &t->host_name, in->text[TEXT_HOST]);
	record_text_set(&lns->store, &t->vendor_name, in->text[TEXT_VENDOR]);
	record_text_set(&lns->store, &t->unknown, bytes_of(in->unknown, in->unknown_len));
	if (moved) {
		tunnel_list_of_peer_add(lns, t);
		/* The secret does not travel: the configuration has it under the LAC's address or name. */
		record_text_set(&lns->store, &t->secret, tunnel_secret(lns, t));
	}
	chan_restore(&t->chan, &object->chan);
	if (moved || old.put != t->put || !ip_eq(old.local, t->local))
		tunnel_plane(turn, t, old.put);
	tunnel_watch(turn, t);
}

enum why tunnel_applied(struct replica_turn *rt, struct tid tid)
{
	struct lns *lns = rt->turn.lns;
	struct tunnel_object object;
	struct record_in in;

	if (tid.n == 0 || tid.n > lns->tids.n)
		return WHY_CL_VALUE;
	if (rt->octets.len == 0) {
		tunnel_forget(&rt->turn, &lns->tunnel[tid.n]);
		return WHY_OK;
	}
	if (tunnel_decode(lns, tid, rt->octets, rt->clock, &object, &in) != WHY_OK)
		return WHY_CL_VALUE;
	tunnel_update(rt, tunnel_known(&rt->turn, tid), &object, &in);
	return WHY_OK;
}

bool tunnel_mergeable(const struct lns *lns, struct tid tid, struct bytes octets)
{
	struct tunnel_object object;
	struct record_in in;

	if (tunnel_decode(lns, tid, octets, (struct replica_clock){ 0 }, &object, &in) != WHY_OK)
		return false;
	const struct tunnel *t = &lns->tunnel[tid.n];

	return (!t->in_use || t->stub) && !tunnel_of_peer(lns, object.t.peer, object.t.peer_tid);
}
