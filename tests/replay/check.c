/* check.c -- facts of the lns, its counters and the plane's model, against what the play says. */
#include <stdarg.h>

#include "tests/replay/play.h"

struct facts {				/* key=value, as many as a check may name */
	char	key[24][24], value[24][128];
	unsigned n;
};

static void fact(struct facts *facts, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);
static void fact(struct facts *facts, const char *key, const char *format, ...)
{
	va_list args;

	ASSERT(facts->n < ARRAY_LEN(facts->key));
	snprintf(facts->key[facts->n], sizeof(facts->key[0]), "%s", key);
	va_start(args, format);
	vsnprintf(facts->value[facts->n++], sizeof(facts->value[0]), format, args);
	va_end(args);
}

static void fact_text(struct facts *facts, const char *key, struct bytes text)
{
	fact(facts, key, "%.*s", (int)text.len, text.len ? (const char *)text.p : "");
}

static void fact_ip(struct facts *facts, const char *key, struct ip4 ip)
{
	char text[IP_TEXT_MAX];

	fact(facts, key, "%s", ip.n ? ip4_text(ip, text) : "none");
}

static void facts_compare(struct play *play, const struct facts *facts, struct told *w)
{
	const char *said;

	for (unsigned i = 0; i < facts->n; i++)
		if ((said = told_value(w, facts->key[i])) && strcmp(said, facts->value[i]) != 0)
			play_fail(play, "%s is %s, not %s", facts->key[i], facts->value[i], said);
	told_done(play, w);
}

static const char *yes_or_no(bool yes)
{
	return yes ? "yes" : "no";
}

static void count_is(struct play *play, const char *what, uint64_t n, struct told *w)
{
	uint64_t wanted = parse_number(play, told_next(play, w));

	told_done(play, w);
	if (n != wanted)
		play_fail(
			play, "%s: %llu, not %llu", what, (unsigned long long)n, (unsigned long long)wanted);
}

static const struct session *session_of(struct play *play, const struct lac *lac, const struct call *call,
					struct row *row)
{
	uint32_t at = 0;

	while (at < lns_rows_end(play->lns)) {
		*row = lns_session_next(play->lns, &at, 1000);
		const struct session *s = row->n ? lns_session(play->lns, *row) : NULL;

		if (s && s->tid.n == lac->lns_tid && s->sid.n == call->lns_sid)
			return s;
	}
	return NULL;
}

/* [LAC] CALL-NUMBER */
static struct call *call_said(struct play *play, struct told *w, struct lac **lac)
{
	const char *word = told_peek(w);

	*lac = play->lac;
	if (*word < '0' || *word > '9')
		*lac = lac_named(play, told_next(play, w));
	if (!*lac)
		play_fail(play, "whose call?");
	return lac_call(play, *lac, (unsigned)parse_number(play, told_next(play, w)));
}

static void check_call(struct play *play, struct told *w)
{
	struct facts facts = { .n = 0 };
	struct lac *lac;
	const struct call *call = call_said(play, w, &lac);
	const struct lns *lns = play->lns;
	struct row row;
	const struct session *s = session_of(play, lac, call, &row);

	if (told_take(w, "gone")) {
		told_done(play, w);
		if (s)
			play_fail(play, "call %u of %s still exists", call->number, lac->name);
		return;
	}
	if (!s)
		play_fail(play, "call %u of %s does not exist", call->number, lac->name);
	fact(&facts, "state", "%s", call_state_name((enum call_state)s->state));
	fact(&facts, "up", "%s", yes_or_no(s->up));
	fact(&facts, "ending", "%s", yes_or_no(s->ending));
	fact(&facts, "proxied", "%s", yes_or_no(s->proxied));
	fact(&facts, "phase", "%s", ppp_phase_name((enum ppp_phase)s->ppp.phase));
	fact(&facts, "method", "%s", auth_method_name((enum auth_method)s->auth_method));
	fact(&facts, "mru", "%u", s->ppp.peer_mru);
	fact(&facts, "session-timeout", "%u", s->session_timeout_s);
	fact(&facts, "idle-timeout", "%u", s->idle_timeout_s);
	fact(&facts, "serial", "%u", s->call_serial);
	fact(&facts, "tx-speed", "%u", s->tx_bps);
	fact(&facts, "rx-speed", "%u", s->rx_bps);
	fact_ip(&facts, "address", s->address);
	fact_text(&facts, "user", lns_text(lns, s->user));
	fact_text(&facts, "calling", lns_text(lns, s->calling));
	fact_text(&facts, "called", lns_text(lns, s->called));
	fact_text(&facts, "sub-address", lns_text(lns, s->sub_address));
	fact_text(&facts, "group", lns_text(lns, s->private_group));
	fact(&facts, "access-line", "%u", lns_text(lns, s->access_line).len);
	fact(&facts, "by-address", "%s",
		yes_or_no(s->address.n && row_eq(lns_session_by_address(lns, s->address), row)));
	facts_compare(play, &facts, w);
}

static void check_tunnel(struct play *play, struct told *w)
{
	struct facts facts = { .n = 0 };
	struct lac *lac = lac_named(play, told_next(play, w));
	const struct lns *lns = play->lns;
	const struct tunnel *t = lns_tunnel(lns, (struct tid){ lac->lns_tid });

	if (t && (t->peer_tid.n != lac->tid || !addr_eq(t->peer, lac->addr)))
		t = NULL;
	if (told_take(w, "gone")) {
		told_done(play, w);
		if (t)
			play_fail(play, "the tunnel of %s still exists", lac->name);
		return;
	}
	if (!t)
		play_fail(play, "the tunnel of %s does not exist", lac->name);
	fact(&facts, "state", "%s", tunnel_state_name((enum tunnel_state)t->state));
	fact(&facts, "closing", "%s", yes_or_no(t->closing));
	fact_text(&facts, "host", lns_text(lns, t->host_name));
	fact_text(&facts, "vendor", lns_text(lns, t->vendor_name));
	fact(&facts, "result", "%u", t->result);
	fact(&facts, "error", "%u", t->error);
	fact(&facts, "queued", "%u", chan_queued(&t->chan));
	facts_compare(play, &facts, w);
}

static void check_plane(struct play *play, struct told *w)
{
	struct facts facts = { .n = 0 };
	struct lac *lac;
	const struct call *call;
	struct row row;

	if (told_take(w, "open")) {
		count_is(play, "sessions open in the plane", play->plane_open, w);
		return;
	}
	call = call_said(play, w, &lac);
	if (!session_of(play, lac, call, &row) || !play->plane[row.n].open)
		play_fail(play, "call %u of %s is not open in the plane", call->number, lac->name);
	const struct fx_session *fx = &play->plane[row.n].session;

	fact_ip(&facts, "address", fx->address);
	fact(&facts, "mru", "%u", fx->mru);
	fact(&facts, "mss", "%u", fx->mss);
	fact(&facts, "acfc", "%s", yes_or_no(fx->acfc));
	fact(&facts, "pfc", "%s", yes_or_no(fx->pfc));
	fact(&facts, "source-check", "%s", yes_or_no(fx->source_check));
	facts_compare(play, &facts, w);
}

/* route PREFIX none|LAC CALL [kernel=yes] */
static void check_route(struct play *play, struct told *w)
{
	struct facts facts = { .n = 0 };
	struct prefix4 prefix;
	struct plane_path *path = play->paths;
	struct lac *lac;
	struct row row;

	if (!ip4_prefix_parse(told_next(play, w), &prefix))
		play_fail(play, "that is not a prefix");
	while (path && (path->route.prefix.net.n != prefix.net.n || path->route.prefix.len != prefix.len))
		path = path->next;
	if (told_take(w, "none")) {
		told_done(play, w);
		if (path)
			play_fail(play, "there is such a route");
		return;
	}
	const struct call *call = call_said(play, w, &lac);

	if (!path || !session_of(play, lac, call, &row) || !row_eq(row, path->route.row))
		play_fail(play, "there is no such route to call %u of %s", call->number, lac->name);
	fact(&facts, "kernel", "%s", yes_or_no(path->route.kernel));
	facts_compare(play, &facts, w);
}

static void check_pool(struct play *play, struct told *w)
{
	struct facts facts = { .n = 0 };
	const char *name = told_next(play, w);
	int pool = ippools_find(lns_pools(play->lns), bytes_str(strcmp(name, "default") == 0 ? "" : name));

	if (pool < 0)
		play_fail(play, "there is no pool \"%s\"", name);
	fact(&facts, "used", "%u", ippool_facts(lns_pools(play->lns), (unsigned)pool).used);
	fact(&facts, "addresses", "%u", ippool_facts(lns_pools(play->lns), (unsigned)pool).addresses);
	facts_compare(play, &facts, w);
}

static void check_refused(struct play *play, struct told *w)
{
	const char *name = told_next(play, w);

	for (unsigned why = 0; why < WHYS; why++)
		if (strcmp(why_name((enum why)why), name) == 0) {
			count_is(play, name, lns_refused(play->lns, (enum why)why), w);
			return;
		}
	play_fail(play, "\"%s\" is no reason", name);
}

static void check_stat(struct play *play, struct told *w)
{
	const char *name = told_next(play, w);

	for (unsigned stat = 0; stat < STATS; stat++)
		if (strcmp(stat_row((enum stat_id)stat)->name, name) == 0) {
			count_is(play, name, lns_stat(play->lns, (enum stat_id)stat), w);
			return;
		}
	play_fail(play, "\"%s\" is no counter", name);
}

/* said NAME N [text=T] */
static void check_said(struct play *play, struct told *w)
{
	const char *name = told_next(play, w), *text = told_value(w, "text");

	for (unsigned i = 0; i < SAYS; i++) {
		if (strcmp(say_row((enum say)i)->name, name) != 0)
			continue;
		if (text && strcmp(text, play->said_text[i]) != 0)
			play_fail(play, "it said \"%s\"", play->said_text[i]);
		count_is(play, name, play->said[i], w);
		return;
	}
	play_fail(play, "\"%s\" is no message", name);
}

static void check_user(struct play *play, struct told *w)
{
	struct bytes user = bytes_str(told_next(play, w));
	uint64_t n = 0;

	for (struct row row = lns_user_first(play->lns, user); row.n;
		row = lns_user_next(play->lns, user, row))
		n++;
	count_is(play, "sessions of the user", n, w);
}

/* waited 1s..1.1s */
static void check_waited(struct play *play, struct told *w)
{
	char range[64];

	snprintf(range, sizeof(range), "%s", told_next(play, w));
	char *upper = strstr(range, "..");

	if (!upper)
		play_fail(play, "waited FROM..TO");
	*upper = 0;
	struct dur from = parse_time(play, range), to = parse_time(play, upper + 2);

	told_done(play, w);
	if (play->waited.us < from.us || play->waited.us > to.us)
		play_fail(play, "it took %.4f s", (double)play->waited.us / 1e6);
}

static void check_idle(struct play *play, struct told *w)
{
	bool wanted = parse_bool(play, told_next(play, w));

	told_done(play, w);
	if (lns_idle(play->lns) != wanted)
		play_fail(play, "the lns is %s", wanted ? "not idle" : "idle");
}

static void check_sessions(struct play *play, struct told *w)
{
	count_is(play, "sessions", lns_session_count(play->lns), w);
}

static void check_tunnels(struct play *play, struct told *w)
{
	count_is(play, "tunnels", lns_tunnel_count(play->lns), w);
}

static void check_asks(struct play *play, struct told *w)
{
	count_is(play, "passwords that wait for crypt(3)", play->ask_count, w);
}

static const struct {
	const char *name;
	void (*check)(struct play *play, struct told *w);
} checks[] = {
	{ "sessions", check_sessions },
	{ "tunnels", check_tunnels },
	{ "idle", check_idle },
	{ "call", check_call },
	{ "tunnel", check_tunnel },
	{ "plane", check_plane },
	{ "route", check_route },
	{ "pool", check_pool },
	{ "refused", check_refused },
	{ "stat", check_stat },
	{ "said", check_said },
	{ "user", check_user },
	{ "waited", check_waited },
	{ "asks", check_asks },
};

void check_words(struct play *play, struct told *w)
{
	const char *name = told_next(play, w);

	world_begin(play);
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		if (strcmp(checks[i].name, name) == 0) {
			checks[i].check(play, w);
			return;
		}
	play_fail(play, "\"%s\" cannot be checked", name);
}

struct row play_row(struct play *play, const struct lac *lac, const struct call *call)
{
	struct row row;

	if (!session_of(play, lac, call, &row))
		play_fail(play, "call %u of %s does not exist", call->number, lac->name);
	return row;
}
