/* lns_session.c -- a session from PPP's start to its end: verdict, address, forwarding, timeouts. */
#include "l2tpns/core/lns_state.h"

#define POOL_UNKNOWN		UINT8_MAX
#define DUPLICATES_PER_LOGIN	2	/* older sessions of one user closed by one event */

/* Which end of a session an end of its link is. */
static enum session_end end_of_link(enum ppp_end end)
{
	static const uint8_t ends[] = {
		[PPP_END_NONE] = SESSION_END_NONE, [PPP_END_PEER] = SESSION_END_PEER_TERMINATED,
		[PPP_END_CLOSED] = SESSION_END_ADMIN, [PPP_END_LCP_FAILED] = SESSION_END_LCP_FAILED,
		[PPP_END_AUTH_FAILED] = SESSION_END_AUTH_FAILED, [PPP_END_AUTH_TIMEOUT] = SESSION_END_AUTH_TIMEOUT,
		[PPP_END_IPCP_FAILED] = SESSION_END_IPCP_FAILED, [PPP_END_ECHO] = SESSION_END_ECHO,
		[PPP_END_LOOPBACK] = SESSION_END_LOOPBACK,
	};

	ASSERT(end < ARRAY_LEN(ends));
	return ends[end];
}

static struct ppp_env ppp_env_of(struct turn *turn, struct session *s)
{
	struct lns *lns = turn->lns;
	const struct tunnel *t = &lns->tunnel[s->tid.n];

	session_take_over(turn, s);
	return (struct ppp_env){
		.conf = &lns->conf.ppp, .rnd = &lns->rnd, .now = turn->now,
		.link = { .out = turn->out, .from = t->local, .to = t->peer, .tid = t->peer_tid, .sid = s->peer_sid },
	};
}

static struct fx_session put_of(const struct lns *lns, struct row row)
{
	const struct session *s = &lns->session[row.n];

	return (struct fx_session){
		.row = row, .tid = s->tid, .sid = s->sid, .peer_sid = s->peer_sid, .address = s->address,
		.mru = s->ppp.peer_mru, .mss = lns->conf.mss, .source_check = lns->conf.source_check,
		.acfc = s->ppp.acfc, .pfc = s->ppp.pfc,
	};
}

static void forwarding_set(struct turn *turn, struct row row, bool up)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	struct fx_route route = {
		.prefix = { .net = s->address, .len = 32 }, .row = row,
	};
	struct fx_session put = put_of(lns, row);

	if (s->up == up)
		return;
	s->up = up;
	if (up)		/* pools may change before the route is taken out again */
		s->kernel_route = !ippools_have(lns->pools, s->address);
	route.kernel = s->kernel_route;
	if (up)
		memcpy(fx_add(turn->out, FX_SESSION_PUT, row.n, sizeof(put)), &put, sizeof(put));
	memcpy(fx_add(turn->out, up ? FX_ROUTE_PUT : FX_ROUTE_DROP, row.n, sizeof(route)), &route, sizeof(route));
	if (!up)
		memcpy(fx_add(turn->out, FX_SESSION_DROP, row.n, sizeof(put)), &put, sizeof(put));
}

/* The life timer runs to whichever comes first: set-up, Session-Timeout, Idle-Timeout.  Of what was used before we
 * began to act we do not know. */
struct mono session_life_due(const struct turn *turn, const struct session *s, struct mono last_used)
{
	struct mono due = s->opened.us ? MONO_NEVER : s->deadline;

	last_used = later_of(later_of(last_used, s->opened), turn->lns->since);
	if (s->ending)
		return MONO_NEVER;
	if (s->opened.us && s->session_timeout_s)
		due = mono_min(due, mono_add(s->opened, DUR_S(s->session_timeout_s)));
	if (s->up && s->idle_timeout_s)
		due = mono_min(due, mono_add(last_used, DUR_S(s->idle_timeout_s)));
	return due;
}

static void life_arm(struct turn *turn, struct row row, struct mono last_used)
{
	session_timer_arm(turn, row, SESSION_TIMER_LIFE,
			  session_life_due(turn, &turn->lns->session[row.n], last_used));
}

static void session_opened(struct turn *turn, struct row row)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];

	if (!s->opened.us) {
		s->opened = turn->now;
		lns->stat[STAT_sessions_opened]++;
	}
	forwarding_set(turn, row, true);
	life_arm(turn, row, turn->now);
	say(turn->out, SAY_SESSION_UP, s->tid, row, SAY_ARG(s->address.n), lns_kept(lns, s->user));
}

static void address_return(struct lns *lns, struct row row)
{
	struct session *s = &lns->session[row.n];

	if (!s->address.n)
		return;
	index_drop(&lns->by_address, address_hash(lns, s->address), row.n);
	if (ippools_have(lns->pools, s->address))
		lns->stat[STAT_addresses_returned]++;
	ippool_give(lns->pools, s->address, row);
	s->address = (struct ip4){ 0 };
}

static bool guest(const struct lns_conf *conf, struct bytes user)
{
	for (unsigned i = 0; i < ARRAY_LEN(conf->guests); i++)
		if (conf->guests[i][0] && bytes_eq(bytes_str(conf->guests[i]), user))
			return true;
	return false;
}

/* A user logs in once, unless allowed: the older session is the one that goes. */
static void duplicates_end(struct turn *turn, struct row row)
{
	struct lns *lns = turn->lns;
	struct bytes user = lns_kept(lns, lns->session[row.n].user);
	struct row next;
	unsigned ended = 0;

	if (lns->conf.allow_duplicate_users || user.len == 0 || guest(&lns->conf, user))
		return;
	for (struct row old = lns_user_first(lns, user); old.n && ended < DUPLICATES_PER_LOGIN; old = next) {
		next = lns_user_next(lns, user, old);
		if (row_eq(old, row))
			continue;
		session_end_now(turn, old, SESSION_END_DUPLICATE, true);
		ended++;
	}
}

/* The fixed address, or one from the pool; 0 with *end saying why there is none. */
static struct ip4 address_find(struct turn *turn, struct row row, enum session_end *end)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	struct ip4 fixed = s->fixed_address;

	if (fixed.n) {
		struct row holder = ippool_reserve(lns->pools, fixed, row);

		if (!holder.n)
			return fixed;
		lns->refused[WHY_ADDRESS_BUSY]++;
		say(turn->out, SAY_ADDRESS_BUSY, s->tid, row, SAY_ARG(fixed.n, holder.n), SAY_NONE);
		*end = SESSION_END_ADDRESS_BUSY;
		return (struct ip4){ 0 };
	}
	if (s->pool == POOL_UNKNOWN) {
		say(turn->out, SAY_POOL_UNKNOWN, s->tid, row, SAY_ARG(0), lns_kept(lns, s->user));
		*end = SESSION_END_POOL_EMPTY;
		return (struct ip4){ 0 };
	}
	struct ip4 address = ippool_take(lns->pools, s->pool, lns_kept(lns, s->user), row);

	if (address.n) {
		lns->stat[STAT_addresses_given]++;
		return address;
	}
	lns->refused[WHY_POOL_EMPTY]++;
	say(turn->out, SAY_POOL_EMPTY, s->tid, row, SAY_ARG(0), bytes_str(lns->conf.pools.name[s->pool]));
	*end = SESSION_END_POOL_EMPTY;
	return address;
}

/* Authenticated: the name counts from now on, and the network phase may begin. */
static enum session_end session_authed(struct turn *turn, struct row row, struct ppp_env *env)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	enum session_end end = SESSION_END_NONE;

	if (!s->named && s->user) {
		index_put(&lns->by_user, name_hash(lns, lns_kept(lns, s->user)), row.n);
		s->named = true;
	}
	duplicates_end(turn, row);
	if (!s->address.n) {
		struct ip4 address = address_find(turn, row, &end);

		if (!address.n)
			return end;
		s->address = address;
		index_put(&lns->by_address, address_hash(lns, address), row.n);
	}
	ppp_address_given(&s->ppp, env, s->address);
	return SESSION_END_NONE;
}

static void verdict_say(struct turn *turn, struct row row, enum why why)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	struct bytes user = lns_kept(lns, s->user);

	lns->stat[why == WHY_OK ? STAT_auth_accepted : STAT_auth_refused]++;
	if (why == WHY_OK) {
		say(turn->out, SAY_AUTH_OK, s->tid, row, SAY_ARG(0), user);
	} else {
		lns->refused[why]++;
		say(turn->out, SAY_AUTH_FAILED, s->tid, row, SAY_ARG(why), user);
	}
}

static bool user_keep(struct turn *turn, struct row row, struct bytes user)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];

	if (bytes_eq(lns_kept(lns, s->user), user))
		return true;
	forwarding_set(turn, row, false);
	address_return(lns, row);	/* it was somebody else's */
	if (s->named)
		index_drop(&lns->by_user, name_hash(lns, lns_kept(lns, s->user)), row.n);
	s->named = false;
	store_drop(&lns->store, s->user);
	s->user = store_keep(&lns->store, user);
	return user.len == 0 || s->user != 0;
}

static void crypt_ask(struct turn *turn, struct row row, struct bytes hash, struct bytes password)
{
	struct session *s = &turn->lns->session[row.n];

	/* A verdict is for these credentials, not for what the subscriber may send while it is being made. */
	s->auth_serial = ++turn->lns->serial;
	struct fx_crypt *fx = fx_add(turn->out, FX_CRYPT, row.n, sizeof(*fx) + hash.len + password.len);
	uint8_t *at = (uint8_t *)(fx + 1);

	*fx = (struct fx_crypt){ .row = row, .serial = s->auth_serial, .hash_len = (uint16_t)hash.len,
				 .password_len = (uint16_t)password.len };
	memcpy(at, hash.p, hash.len);
	if (password.len)
		memcpy(at + hash.len, password.p, password.len);
	s->auth_pending = true;
}

/* Credentials arrived: the local list judges them. */
static void session_asked_auth(struct turn *turn, struct row row, struct ppp_env *env)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	struct subscriber_answer answer;
	int pool;

	if (!user_keep(turn, row, env->ask.user)) {
		verdict_say(turn, row, WHY_AUTH_NO_USER);
		ppp_auth_answered(&s->ppp, env, false, SAY_NONE);
		return;
	}
	s->auth_pending = false;
	subscribers_ask(lns->subscribers, &env->ask, &answer);
	s->auth_method = (uint8_t)env->ask.method;
	s->fixed_address = answer.address;
	s->session_timeout_s = answer.session_timeout_s ? answer.session_timeout_s : lns->conf.session_timeout_s;
	s->idle_timeout_s = answer.idle_timeout_s ? answer.idle_timeout_s : lns->conf.idle_timeout_s;
	pool = ippools_find(lns->pools, answer.pool);
	s->pool = (uint8_t)(pool < 0 ? POOL_UNKNOWN : pool);
	if (answer.crypt) {
		crypt_ask(turn, row, answer.crypt_hash, env->ask.password);
		return;
	}
	verdict_say(turn, row, answer.why);
	ppp_auth_answered(&s->ppp, env, answer.why == WHY_OK, bytes_of(answer.message, answer.message_len));
}

/*
 * Act on what PPP reports until it reports nothing more.  The session may be gone
 * afterwards.
 */
static void session_act(struct turn *turn, struct row row, struct ppp_env *env)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	enum session_end end = SESSION_END_NONE;

	/* An echo changes nothing that anybody must know; everything else may. */
	if (env->happened || !s->up || s->ppp.lcp.state != FSM_OPENED)
		session_mark(lns, row);
	while (env->happened && end == SESSION_END_NONE) {
		unsigned happened = env->happened;

		env->happened = 0;
		if (happened & PPP_HAS_NET_DOWN)
			forwarding_set(turn, row, false);
		if (happened & PPP_HAS_LCP_OPENED)
			say(turn->out, SAY_LCP_OPENED, s->tid, row, SAY_ARG(s->ppp.peer_mru), SAY_NONE);
		if (happened & PPP_HAS_ENDED) {
			end = s->ending ? (enum session_end)s->end : end_of_link(env->end);
			break;
		}
		if (happened & PPP_HAS_ASKED_AUTH)
			session_asked_auth(turn, row, env);
		if (happened & PPP_HAS_AUTHED)
			end = session_authed(turn, row, env);
		if (happened & PPP_HAS_OPENED)
			session_opened(turn, row);
	}
	if (end != SESSION_END_NONE)
		session_end_now(turn, row, end, true);
	else
		session_timer_arm(turn, row, SESSION_TIMER_PPP, s->ppp.due);
}

void session_started(struct turn *turn, struct row row, const struct ppp_proxy *proxy)
{
	struct session *s = &turn->lns->session[row.n];
	struct ppp_env env = ppp_env_of(turn, s);

	ppp_started(&s->ppp, &env, proxy);
	s->proxied = proxy && (env.happened & PPP_HAS_LCP_OPENED);
	session_act(turn, row, &env);
}

enum why session_frame(struct turn *turn, struct row row, struct bytes frame)
{
	struct session *s = &turn->lns->session[row.n];
	struct ppp_env env = ppp_env_of(turn, s);
	uint8_t rejects = s->ppp.reject_id, loops = s->ppp.loops;
	enum why why = ppp_received(&s->ppp, &env, frame);

	if (s->ppp.reject_id != rejects || s->ppp.loops != loops)
		session_mark(turn->lns, row);
	session_act(turn, row, &env);
	return why;
}

static void usage_ask(const struct lns *lns, struct row row, struct lns_usage *usage)
{
	*usage = (struct lns_usage){ .up_heard = { 0 } };
	if (lns->usage && lns->session[row.n].up)
		lns->usage(lns->usage_ctx, row, usage);
}

static void life_due(struct turn *turn, struct row row)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	struct lns_usage usage;

	session_take_over(turn, s);
	if (!s->opened.us && mono_reached(turn->now, s->deadline)) {
		session_end_now(turn, row, SESSION_END_SETUP_TIMEOUT, true);
		return;
	}
	if (s->opened.us && s->session_timeout_s &&
	    mono_reached(turn->now, mono_add(s->opened, DUR_S(s->session_timeout_s)))) {
		lns->stat[STAT_timeouts_session]++;
		session_end_asked(turn, row, SESSION_END_SESSION_TIMEOUT);
		return;
	}
	usage_ask(lns, row, &usage);
	struct mono used = later_of(later_of(usage.up_heard, usage.down_heard), later_of(s->opened, lns->since));

	if (s->up && s->idle_timeout_s && mono_reached(turn->now, mono_add(used, DUR_S(s->idle_timeout_s)))) {
		lns->stat[STAT_timeouts_idle]++;
		session_end_asked(turn, row, SESSION_END_IDLE_TIMEOUT);
		return;
	}
	life_arm(turn, row, used);
}

void session_timer_fired(struct turn *turn, struct row row, enum session_timer timer)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];

	ASSERT(s->in_use);
	if (timer == SESSION_TIMER_LIFE) {
		life_due(turn, row);
		return;
	}
	struct ppp_env env = ppp_env_of(turn, s);
	struct lns_usage usage;

	usage_ask(lns, row, &usage);
	env.data_heard = usage.up_heard;
	ppp_timed_out(&s->ppp, &env);
	if ((env.happened & PPP_HAS_ENDED) && env.end == PPP_END_ECHO)
		lns->stat[STAT_echo_lost]++;
	session_act(turn, row, &env);
}

void session_end_asked(struct turn *turn, struct row row, enum session_end end)
{
	struct session *s = &turn->lns->session[row.n];
	struct ppp_env env = ppp_env_of(turn, s);

	if (s->ending)
		return;
	session_mark(turn->lns, row);
	if (s->state != CALL_ESTABLISHED) {
		session_end_now(turn, row, end, true);
		return;
	}
	s->ending = true;
	s->end = (uint8_t)end;
	session_timer_arm(turn, row, SESSION_TIMER_LIFE, MONO_NEVER);
	say(turn->out, SAY_SESSION_ENDING, s->tid, row, SAY_ARG(0), bytes_str(session_end_row(end)->text));
	ppp_close_asked(&s->ppp, &env);
	session_act(turn, row, &env);
}

static void cdn_send(struct turn *turn, struct tunnel *t, const struct session *s, enum session_end end)
{
	const struct session_end_row *why = session_end_row(end);
	struct l2tp_msg msg = {
		.type = L2TP_CDN, .result = why->result, .error = s->end_error ? s->end_error : why->error,
		.assigned_sid = s->sid.n, .present = AVP_BIT(AVP_RESULT_CODE) | AVP_BIT(AVP_ASSIGNED_SESSION_ID),
	};

	(void)tunnel_send(turn, t, s->peer_sid, &msg);
}

static void session_unlink(struct turn *turn, struct tunnel *t, const struct session *s)
{
	struct lns *lns = turn->lns;

	if (s->next)
		lns->session[s->next].prev = s->prev;
	if (s->prev)
		lns->session[s->prev].next = s->next;
	else
		t->first = s->next;
	if (--t->sessions > 0)
		return;
	t->emptied = turn->now;
	if (lns->conf.tunnel_idle_s && t->state == TUNNEL_ESTABLISHED && !t->dropping && !lns->forgetting)
		tunnel_life_due(turn, t);
}

static void session_end_say(struct turn *turn, struct row row, enum session_end end)
{
	struct lns *lns = turn->lns;
	const struct session *s = &lns->session[row.n];
	const struct session_end_row *why = session_end_row(end);

	lns->stat[STAT_sessions_closed]++;
	say(turn->out, SAY_SESSION_DOWN, s->tid, row,
	    SAY_ARG(why->result, why->error, why->terminate_cause,
		    s->opened.us ? dur_s(mono_since(turn->now, s->opened)) : 0), lns_kept(lns, s->user));
}

/* The one place where a session ends: the subscriber and the LAC are told, everything it held is given back. */
void session_end_now(struct turn *turn, struct row row, enum session_end end, bool send_cdn)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	struct tunnel *t = &lns->tunnel[s->tid.n];
	bool carrier_lost = end == SESSION_END_CDN || end == SESSION_END_TUNNEL_DEAD ||
			    (end == SESSION_END_TUNNEL && !t->stop_after_drop);

	forwarding_set(turn, row, false);
	if (s->state == CALL_ESTABLISHED && !carrier_lost && !s->ending) {
		struct ppp_env env = ppp_env_of(turn, s);

		ppp_cleared(&s->ppp, &env);
	}
	session_end_say(turn, row, end);
	if (send_cdn)
		cdn_send(turn, t, s, end);
	session_release(turn, row);
}

void session_release(struct turn *turn, struct row row)
{
	struct lns *lns = turn->lns;
	struct session *s = &lns->session[row.n];
	struct tunnel *t = &lns->tunnel[s->tid.n];

	session_mark(lns, row);
	forwarding_set(turn, row, false);
	address_return(lns, row);
	if (s->named)
		index_drop(&lns->by_user, name_hash(lns, lns_kept(lns, s->user)), row.n);
	timer_disarm(&lns->timers, row.n * TIMERS_PER_OBJECT + SESSION_TIMER_PPP);
	timer_disarm(&lns->timers, row.n * TIMERS_PER_OBJECT + SESSION_TIMER_LIFE);
	for (unsigned i = 0; i < ARRAY_LEN(s->text); i++)
		store_drop(&lns->store, s->text[i]);
	session_unlink(turn, t, s);
	rows_give(&lns->rows, &t->pages, row, s->sid);
	s->in_use = false;
	s->state = CALL_IDLE;
}

void lns_crypt_answered(struct lns *lns, struct row row, uint32_t serial, bool matches, struct mono now,
			struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };

	if (!lns_session(lns, row) || lns->role == LNS_SLAVE)
		return;
	struct session *s = &lns->session[row.n];
	struct ppp_env env = ppp_env_of(&turn, s);

	if (s->auth_serial != serial || !s->auth_pending)
		return;
	s->auth_pending = false;
	verdict_say(&turn, row, matches ? WHY_OK : WHY_AUTH_PASSWORD);
	ppp_auth_answered(&s->ppp, &env, matches, SAY_NONE);
	session_act(&turn, row, &env);
}

void lns_route_refused(struct lns *lns, struct row row, struct mono now, struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };

	if (lns_session(lns, row) && lns->role != LNS_SLAVE)
		session_end_now(&turn, row, SESSION_END_NO_ROUTE_ROOM, true);
}

bool lns_drop_session(struct lns *lns, struct row row, struct mono now, struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };

	if (!lns_session(lns, row) || lns->role == LNS_SLAVE)
		return false;
	session_end_asked(&turn, row, SESSION_END_ADMIN);
	return true;
}
