/* replica_session.c -- making a session of its record: its place, its name and address, forwarding. */
#include "l2tpns/base/serial.h"
#include "l2tpns/core/replica_rows.h"

#define FOLLOW_MS	100

/* ---- forwarding */

static void session_plane(struct turn *turn, struct row row, enum fx_kind kind)
{
	const struct lns *lns = turn->lns;
	const struct session *s = &lns->session[row.n];
	struct fx_session *session;
	struct fx_route *route;

	if (kind == FX_ROUTE_PUT || kind == FX_ROUTE_DROP) {
		route = fx_add(turn->out, kind, row.n, sizeof(*route));
		*route = (struct fx_route){
			.prefix = { .net = s->address, .len = 32 }, .row = row, .kernel = s->kernel_route,
		};
		return;
	}
	session = fx_add(turn->out, kind, row.n, sizeof(*session));
	*session = (struct fx_session){
		.row = row, .tid = s->tid, .sid = s->sid, .peer_sid = s->peer_sid, .address = s->address,
		.mru = s->ppp.peer_mru, .mss = lns->conf.mss, .source_check = lns->conf.source_check,
		.acfc = s->ppp.acfc, .pfc = s->ppp.pfc,
	};
}

static void forwarding_off(struct turn *turn, struct row row)
{
	struct session *s = &turn->lns->session[row.n];

	if (!s->up)
		return;
	s->up = false;
	session_plane(turn, row, FX_ROUTE_DROP);
	session_plane(turn, row, FX_SESSION_DROP);
}

static void forwarding_on(struct turn *turn, struct row row, bool differs)
{
	struct session *s = &turn->lns->session[row.n];

	if (s->up && !differs)
		return;
	if (!s->up)
		s->kernel_route = !ippools_have(turn->lns->pools, s->address);
	session_plane(turn, row, FX_SESSION_PUT);
	if (!s->up)
		session_plane(turn, row, FX_ROUTE_PUT);
	s->up = true;
}

/* Does the data plane see these two as different? */
static bool plane_differs(const struct session *a, const struct session *b)
{
	return a->peer_sid.n != b->peer_sid.n || a->ppp.peer_mru != b->ppp.peer_mru ||
	       a->ppp.acfc != b->ppp.acfc || a->ppp.pfc != b->ppp.pfc;
}

/* ---- address and name */

static void address_leave(struct turn *turn, struct row row)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];

	forwarding_off(turn, row);
	if (!s->address.n)
		return;
	index_drop(&lns->by_address, address_hash(lns, s->address), row.n);
	ippool_give(lns->pools, s->address, row);
	s->address = (struct ip4){ 0 };
}

/* Whoever seems to hold it has lost it, and its own record, which says so, is still under way. */
static void address_take(struct turn *turn, struct row row, struct ip4 address)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	struct row other;

	if (!address.n || s->address.n)
		return;
	while ((other = lns_session_by_address(lns, address)).n)
		address_leave(turn, other);
	ippool_hold(lns->pools, address, s->fixed_address.n ? SAY_NONE : lns_kept(lns, s->user), row);
	s->address = address;
	index_put(&lns->by_address, address_hash(lns, address), row.n);
}

static void name_drop(struct lns *lns, struct row row)
{
	struct session *s = &lns->session[row.n];

	if (s->named)
		index_drop(&lns->by_user, name_hash(lns, lns_kept(lns, s->user)), row.n);
	s->named = false;
}

static void texts_set(struct lns *lns, struct row row, const struct record_in *in, bool named)
{
	struct session *s = &lns->session[row.n];
	bool stays = s->named && named && bytes_eq(lns_kept(lns, s->user), in->text[0]);

	if (!stays)
		name_drop(lns, row);
	for (unsigned i = 0; i < ARRAY_LEN(s->text) - 1; i++)
		record_text_set(&lns->store, &s->text[i], in->text[i]);
	record_text_set(&lns->store, &s->unknown, bytes_of(in->unknown, in->unknown_len));
	if (stays || !named || !s->user)
		return;
	index_put(&lns->by_user, name_hash(lns, lns_kept(lns, s->user)), row.n);
	s->named = true;
}

/* ---- its place */

void session_forget(struct turn *turn, struct row row)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	struct tunnel *t = &lns->tunnel[s->tid.n];

	if (!s->in_use)
		return;
	address_leave(turn, row);
	name_drop(lns, row);
	timer_disarm(&lns->timers, row.n * TIMERS_PER_OBJECT + SESSION_TIMER_PPP);
	timer_disarm(&lns->timers, row.n * TIMERS_PER_OBJECT + SESSION_TIMER_LIFE);
	for (unsigned i = 0; i < ARRAY_LEN(s->text); i++)
		store_drop(&lns->store, s->text[i]);
	if (s->next)
		lns->session[s->next].prev = s->prev;
	if (s->prev)
		lns->session[s->prev].next = s->next;
	else
		t->first = s->next;
	t->sessions--;
	rows_give(&lns->rows, &t->pages, row, s->sid);
	memset(s, 0, sizeof(*s));
	tunnel_stub_settle(turn, t);
}

/* One session may take two effects to go, and whatever is done afterwards a few. */
static bool list_has_room(const struct fx_list *out)
{
	return out->count + 32 <= FX_MAX && out->used + 8192 <= FX_OCTETS;
}

/*
 * The tunnel's page leads to another block than this row is in: the master has given every call of that page up since,
 * and their records, which say so, are under way.  False: the list is full.
 */
static bool page_clear(struct turn *turn, struct tid tid, struct row row, struct sid sid)
{
	struct lns *lns = turn->lns;
	const struct tunnel *t = &lns->tunnel[tid.n];
	uint32_t base = row.n / ROWS_PER_BLOCK * ROWS_PER_BLOCK + 1;
	unsigned page = sid.n / ROWS_PER_BLOCK;

	for (uint32_t low = 1; low < ROWS_PER_BLOCK; low++) {
		if (!t->in_use || !t->pages.base[page] || t->pages.base[page] == base)
			break;
		if (!list_has_room(turn->out))
			return false;
		session_forget(turn, call_find(lns, t, (uint16_t)(page * ROWS_PER_BLOCK + low)));
	}
	return true;
}

static void session_make(struct turn *turn, struct row row, const struct session *from)
{
	struct lns *lns = turn->lns;
	struct tunnel *t = tunnel_known(turn, from->tid);
	struct session *s = &lns->session[row.n];
	bool taken = rows_take_this(&lns->rows, &t->pages, row, from->sid);

	ASSERT(taken);		/* the row was free, its number and the id's were compared, the page was cleared */
	*s = (struct session){ .in_use = true, .tid = from->tid, .sid = from->sid, .next = t->first };
	if (t->first)
		lns->session[t->first].prev = row.n;
	t->first = row.n;
	t->sessions++;
}

/* ---- what is not in the record */

/* A slave's timers only push themselves on; a new master then finds each in its place, the quiet ones spread. */
static void session_watch(struct turn *turn, struct row row)
{
	const struct session *s = &turn->lns->session[row.n];
	uint32_t interval_ms = min_u32(turn->lns->conf.ppp.echo_interval_s, 86400) * 1000;
	struct mono due = MONO_NEVER;

	if (s->ppp.phase != PPP_DEAD && (!s->up || s->ending || s->ppp.lcp.state != FSM_OPENED))
		due = mono_add(turn->now, DUR_MS(FOLLOW_MS));
	else if (s->up && interval_ms)
		due = mono_add(turn->now, DUR_MS(interval_ms + row.n * 2654435761u % (interval_ms / 4 + 1)));
	session_timer_arm(turn, row, SESSION_TIMER_PPP, due);
	session_timer_arm(turn, row, SESSION_TIMER_LIFE, session_life_due(turn, s, turn->now));
}

/* Its clocks are set when it is taken over. */
static void ppp_clocks_stop(struct ppp *ppp, struct mono heard)
{
	ppp->lcp.due = ppp->ipcp.due = ppp->auth_resend = ppp->echo_due = MONO_NEVER;
	if (ppp->phase != PPP_AUTHENTICATE)
		ppp->auth_until = MONO_NEVER;
	ppp->due = MONO_NEVER;
	ppp->heard = heard;
}

static void session_update(struct replica_turn *rt, struct row row, const struct session_object *object,
			   const struct record_in *in)
{
	struct turn *turn = &rt->turn;
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	struct session old = *s;

	if (!object->s.up || object->s.address.n != s->address.n)
		forwarding_off(turn, row);
	texts_set(lns, row, in, object->s.named);
	if (object->s.address.n != s->address.n)
		address_leave(turn, row);
	struct session kept = *s;	/* all that follows from elsewhere than this record */

	*s = object->s;
	s->in_use = true;
	s->next = kept.next;
	s->prev = kept.prev;
	s->up = kept.up;
	s->named = kept.named;
	s->kernel_route = kept.kernel_route;
	s->address = kept.address;
	memcpy(s->text, kept.text, sizeof(s->text));
	ppp_clocks_stop(&s->ppp, old.ppp.heard.us ? old.ppp.heard : turn->now);
	address_take(turn, row, object->s.address);
	if (object->s.up)
		forwarding_on(turn, row, plane_differs(&old, s));
	if (serial32_before(lns->serial, s->serial))
		lns->serial = s->serial;
	session_watch(turn, row);
}

enum why session_applied(struct replica_turn *rt, struct row row)
{
	struct lns *lns = rt->turn.lns;
	struct session_object object;
	struct record_in in;

	if (!session_row_exists(lns, row))
		return WHY_CL_VALUE;
	struct session *s = &lns->session[row.n];

	if (rt->octets.len == 0) {
		session_forget(&rt->turn, row);
		return WHY_OK;
	}
	if (session_decode(lns, row, rt->octets, rt->clock, &object, &in) != WHY_OK)
		return WHY_CL_VALUE;
	if (s->in_use && (s->serial != object.s.serial || s->tid.n != object.s.tid.n || s->sid.n != object.s.sid.n))
		session_forget(&rt->turn, row);
	if (!s->in_use) {
		if (!page_clear(&rt->turn, object.s.tid, row, object.s.sid))
			return WHY_CL_FULL;
		session_make(&rt->turn, row, &object.s);
	}
	session_update(rt, row, &object, &in);
	return WHY_OK;
}

bool session_mergeable(const struct lns *lns, struct row row, struct bytes octets)
{
	struct session_object object;
	struct record_in in;

	if (session_decode(lns, row, octets, (struct replica_clock){ 0 }, &object, &in) != WHY_OK ||
	    lns->session[row.n].in_use || lns->rows.used >= lns->rows.max)
		return false;
	const struct session *s = &object.s;
	const struct tunnel *t = &lns->tunnel[s->tid.n];
	uint32_t base = row.n / ROWS_PER_BLOCK * ROWS_PER_BLOCK + 1, mapped = t->pages.base[s->sid.n / ROWS_PER_BLOCK];

	/* Its tunnel may come after it; if it is here it must be the same LAC's. */
	if (t->in_use && ((!t->stub && object.fold != tunnel_fold(t)) || (mapped && mapped != base)))
		return false;
	return !s->address.n || !lns_session_by_address(lns, s->address).n;
}

/* RFC 2661 4.4.2: try another time; the LAC knows the call by the id it assigned, and by nothing of ours. */
void session_refuse(struct turn *turn, struct row row, struct bytes octets)
{
	struct lns *lns = turn->lns;
	const struct session *ours = &lns->session[row.n];
	struct session_object object;
	struct record_in in;

	if (session_decode(lns, row, octets, (struct replica_clock){ 0 }, &object, &in) != WHY_OK)
		return;
	struct tunnel *t = &lns->tunnel[object.s.tid.n];
	struct l2tp_msg msg = {
		.type = L2TP_CDN, .result = 2, .error = 7, .assigned_sid = object.s.sid.n,
		.present = AVP_BIT(AVP_RESULT_CODE) | AVP_BIT(AVP_ASSIGNED_SESSION_ID),
	};

	if (ours->in_use && ours->serial == object.s.serial && ours->peer_sid.n == object.s.peer_sid.n)
		return;		/* the same call, and ours is further */
	if (t->in_use && !t->stub && t->state == TUNNEL_ESTABLISHED && object.fold == tunnel_fold(t))
		(void)tunnel_send(turn, t, object.s.peer_sid, &msg);
}
