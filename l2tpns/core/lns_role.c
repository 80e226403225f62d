/* lns_role.c -- acting and following: what is marked, what another node began, what a node without a say does. */
#include "l2tpns/core/lns_state.h"
#include "l2tpns/core/ppp_lcp.h"

#define FOLLOW_MS	100u	/* how soon a new master looks at what is in flight */
#define SERIAL_JUMP	(1u << 24)
#define FOLLOW_LIFE_S	1u
#define FOLLOW_QUIET_S	60u	/* a tunnel that has no interval of its own */
#define FORGET_LOOKS	1024u	/* places one lns_forget() looks at */

/* Marks: a ring of keys for each class, and a bit that says a key is in one of them. */

static void ring_init(struct mark_ring *ring, uint32_t room, struct arena *arena)
{
	*ring = (struct mark_ring){ .key = arena_take(arena, room, sizeof(*ring->key)), .room = room };
}

void marks_init(struct lns *lns, uint32_t rows, uint32_t tunnels, uint32_t messages, struct arena *arena)
{
	uint32_t first = REPLICA_SESSIONS + rows;

	ring_init(&lns->mark[MARK_MESSAGE], messages, arena);
	ring_init(&lns->mark[MARK_SESSION], rows, arena);
	ring_init(&lns->mark[MARK_TUNNEL], tunnels, arena);
	ring_init(&lns->mark[MARK_GONE], messages, arena);
	lns->marked = arena_take(arena, (first + messages) / 64 + 1, sizeof(*lns->marked));
	lns->message_keys = first;
}

static void ring_put(struct mark_ring *ring, uint32_t key)
{
	ASSERT(ring->count < ring->room);	/* as no key is in it twice */
	ring->key[(ring->head + ring->count++) % ring->room] = key;
}

static bool ring_take(struct mark_ring *ring, uint32_t *key)
{
	if (ring->count == 0)
		return false;
	*key = ring->key[ring->head];
	ring->head = --ring->count ? (ring->head + 1) % ring->room : 0;		/* the same few pages again */
	return true;
}

void mark(struct lns *lns, enum mark_class class, uint32_t key)
{
	uint64_t *word = &lns->marked[key / 64], bit = UINT64_C(1) << key % 64;

	if (*word & bit)
		return;
	*word |= bit;
	ring_put(&lns->mark[class], key);
}

void message_touched(void *ctx, uint32_t number)
{
	struct lns *lns = ctx;

	mark(lns, MARK_MESSAGE, lns->message_keys + number);
}

bool lns_marked_next(struct lns *lns, uint32_t *key)
{
	struct chan_message message;

	for (unsigned class = 0; class < MARK_CLASSES; class++) {
		while (ring_take(&lns->mark[class], key)) {
			if (class == MARK_MESSAGE && !chan_message_get(&lns->chan_pool, &lns->store,
								       *key - lns->message_keys, &message)) {
				ring_put(&lns->mark[MARK_GONE], *key);
				continue;
			}
			lns->marked[*key / 64] &= ~(UINT64_C(1) << *key % 64);
			return true;
		}
	}
	return false;
}

/* Roles. */

void lns_role(struct lns *lns, enum lns_role role, struct mono now, struct fx_list *out)
{
	uint32_t key;

	(void)out;
	if (lns->role == role)
		return;
	while (lns_marked_next(lns, &key))	/* no more than one batch has marked */
		;
	if (role == LNS_SLAVE) {
		for (uint32_t tid = lns->ack_first, next; tid; tid = next) {
			next = lns->tunnel[tid].ack_next;
			lns->tunnel[tid].ack_next = 0;
			lns->tunnel[tid].ack_listed = false;
		}
		lns->ack_first = 0;
	} else if (lns->role == LNS_SLAVE) {
		lns->epoch = (uint8_t)(lns->epoch == UINT8_MAX ? 1 : lns->epoch + 1);
		lns->since = now;
		/* Two masters of a cluster that was cut in two give no number to two sessions. */
		lns->serial += 1 + rnd_below(&lns->rnd, SERIAL_JUMP);
	}
	lns->role = (uint8_t)role;
}

static void neg_taken_over(struct ppp_neg *neg, struct mono now)
{
	neg->due = fsm_timer_runs((enum fsm_state)neg->state) ? now : MONO_NEVER;
}

/* Who was asked for the verdict is gone, or will tell another: credentials are wanted once more. */
static void auth_taken_over(struct ppp *ppp, const struct ppp_conf *conf, struct mono now)
{
	bool open = ppp->phase == PPP_AUTHENTICATE &&
		    (ppp->auth_state == PPP_AUTH_WAITING || ppp->auth_state == PPP_AUTH_ASKED);
	bool chap = ppp->auth == AUTH_CHAP_MD5 || ppp->auth == AUTH_MSCHAPV2;

	ppp->auth_resend = open && chap ? now : MONO_NEVER;
	ppp->auth_until = open && conf->auth_timeout_s ? mono_add(now, DUR_S(conf->auth_timeout_s)) : MONO_NEVER;
	if (!open)
		return;
	ppp->auth_state = PPP_AUTH_WAITING;
	ppp->auth_tries = (uint8_t)max_u32(max_u32(ppp->auth_tries, conf->max_configure), 1);
}

/*
 * A copy of the whole machine, but for its clocks: whatever waited for an answer asks again now, and how often
 * another node asked in vain does not count.
 */
void session_taken_over(struct turn *turn, struct session *s)
{
	const struct lns_conf *conf = &turn->lns->conf;
	struct ppp *ppp = &s->ppp;

	s->epoch = turn->lns->epoch;
	s->auth_pending = false;
	s->deadline = later_of(s->deadline, mono_add(turn->lns->since, DUR_S(conf->call_timeout_s)));
	session_mark(turn->lns, (struct row){ (uint32_t)(s - turn->lns->session) });
	if (ppp->phase == PPP_DEAD)
		return;
	neg_taken_over(&ppp->lcp, turn->now);
	neg_taken_over(&ppp->ipcp, turn->now);
	auth_taken_over(ppp, &conf->ppp, turn->now);
	ppp->echo_missed = 0;
	ppp->echo_due = ppp->lcp.state == FSM_OPENED && conf->ppp.echo_interval_s ? turn->now : MONO_NEVER;
	ppp->due = turn->now;
}

/* Following: timers only push themselves on, so that a new master finds each of them in its place. */

static void session_follow(struct turn *turn, struct row row, enum session_timer timer)
{
	const struct session *s = &turn->lns->session[row.n];
	uint32_t interval_ms = min_u32(turn->lns->conf.ppp.echo_interval_s, 86400) * 1000;
	struct mono due = MONO_NEVER;

	ASSERT(s->in_use);
	if (timer == SESSION_TIMER_LIFE)
		due = later_of(session_life_due(turn, s, turn->now), mono_add(turn->now, DUR_S(FOLLOW_LIFE_S)));
	else if (s->ppp.phase != PPP_DEAD && (!s->up || s->ending || s->ppp.lcp.state != FSM_OPENED))
		due = mono_add(turn->now, DUR_MS(FOLLOW_MS));
	else if (s->up && interval_ms)
		due = mono_add(turn->now, DUR_MS(interval_ms + rnd_below(&turn->lns->rnd, interval_ms / 4 + 1)));
	session_timer_arm(turn, row, timer, due);
}

static void tunnel_follow(struct turn *turn, const struct tunnel *t, enum tunnel_timer timer)
{
	const struct lns_conf *conf = &turn->lns->conf;
	struct mono due = MONO_NEVER;

	ASSERT(t->in_use);
	if (timer == TUNNEL_TIMER_LIFE && t->state == TUNNEL_ESTABLISHED && !t->closing && !t->dropping)
		due = mono_add(turn->now, DUR_S(conf->hello_interval_s ? conf->hello_interval_s : FOLLOW_QUIET_S));
	else if (timer == TUNNEL_TIMER_LIFE)
		due = mono_add(turn->now, DUR_S(FOLLOW_LIFE_S));
	else if (t->chan.sent.head || chan_queued(&t->chan) > 0)
		due = mono_add(turn->now, DUR_MS(FOLLOW_MS));
	tunnel_timer_arm(turn, t, timer, due);
}

void slave_timer_fired(struct turn *turn, uint32_t number)
{
	struct lns *lns = turn->lns;

	if (number < lns->tunnel_timers) {
		session_follow(turn, (struct row){ number / TIMERS_PER_OBJECT },
			       (enum session_timer)(number % TIMERS_PER_OBJECT));
		return;
	}
	number -= lns->tunnel_timers;
	tunnel_follow(turn, &lns->tunnel[number / TIMERS_PER_OBJECT],
		      (enum tunnel_timer)(number % TIMERS_PER_OBJECT));
}

bool lns_forget(struct lns *lns, struct mono now, struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };
	uint32_t end = rows_end(&lns->rows);

	for (unsigned look = 0; look < FORGET_LOOKS && fx_has_room(out); look++) {
		uint32_t at = ++lns->forgetting;	/* rows from 1 on, then tunnels from 1 on */

		if (at < end) {
			if (lns->session[at].in_use)
				session_release(&turn, (struct row){ at });
			continue;
		}
		uint32_t tid = at - max_u32(end, 1) + 1;

		if (tid > lns->tids.top) {
			lns->forgetting = 0;
			return true;
		}
		if (lns->tunnel[tid].in_use)
			tunnel_release(&turn, &lns->tunnel[tid]);
	}
	return false;
}

/* While nobody acts. */

static bool control_kept_alive(struct turn *turn, struct tunnel *t, const struct l2tp_hdr *hdr)
{
	struct lns *lns = turn->lns;
	struct l2tp_msg msg;
	uint16_t nr;
	bool hello = t->state == TUNNEL_ESTABLISHED && !t->closing && !t->dropping && hdr->body.len > 0 &&
		     l2tp_msg_decode(hdr->body, lns_kept(lns, t->secret), lns->scratch, &msg) == WHY_OK &&
		     msg.type == L2TP_HELLO;

	if (!chan_keepalive(&t->chan, hdr, hello, &nr))
		return false;
	struct wr w = fx_send_begin(turn->out);

	l2tp_control_begin(&w, t->peer_tid.n, 0, t->chan.ns, nr);
	return fx_send_end(turn->out, &w, t->local, t->peer);
}

/* RFC 1661 section 5.8, for a session that is up. */
static bool echo_answered(struct turn *turn, const struct tunnel *t, const struct l2tp_hdr *hdr)
{
	struct lns *lns = turn->lns;
	struct row row = call_find(lns, t, hdr->session_id);
	const struct session *s = &lns->session[row.n];
	struct ppp_env env = {
		.conf = &lns->conf.ppp, .now = turn->now,
		.link = { .out = turn->out, .from = t->local, .to = t->peer, .tid = t->peer_tid, .sid = s->peer_sid },
	};
	uint8_t octets[NEG_PACKET_MAX], magic[4];
	struct wr w = wr_of(octets, sizeof(octets)), m = wr_of(magic, sizeof(magic));
	struct ppp_frame frame;
	struct ppp_cp cp;

	if (row.n == 0 || !s->up || s->ending || s->ppp.lcp.state != FSM_OPENED ||
	    ppp_frame_decode(hdr->body, &frame) != WHY_OK || frame.proto != PPP_LCP ||
	    ppp_cp_decode(frame.body, &cp) != WHY_OK || cp.code != CP_ECHOREQ || cp.data.len < sizeof(magic))
		return false;
	wr_u32(&m, s->ppp.our_magic);
	if (s->ppp.our_magic != 0 && memcmp(cp.data.p, magic, sizeof(magic)) == 0)
		return false;		/* a looped-back line is for a master to judge */
	wr_put(&w, magic, sizeof(magic));
	cp.data = neg_cut(&s->ppp, cp.data, 4);
	wr_put(&w, cp.data.p + sizeof(magic), cp.data.len - sizeof(magic));
	neg_send(&env, &lcp_proto, CP_ECHOREP, cp.id, wr_bytes_of(&w));
	return true;
}

bool lns_keepalive(struct lns *lns, struct addr from, struct ip local, struct bytes packet, struct mono now,
		   struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };
	struct l2tp_hdr hdr;

	(void)local;		/* the answer comes from the address the peer opened its tunnel to */
	if (l2tp_hdr_decode(packet, &hdr) != WHY_OK)
		return false;
	struct tunnel *t = tunnel_find(lns, hdr.tunnel_id);

	if (!t || t->stub || !addr_eq(from, t->peer))
		return false;
	return hdr.control ? control_kept_alive(&turn, t, &hdr) : echo_answered(&turn, t, &hdr);
}
