/* stage.c -- the statements of a play, other than what is expected and checked. */
#include "tests/replay/play.h"

/* Configuration may change at any time; what is already built is told. */
static void say_config(struct play *play, struct told *w)
{
	conf_words(play, w);
	if (play->lns)
		world_configured(play);
}

static void say_pool(struct play *play, struct told *w)
{
	conf_pool(play, w);
	if (play->lns)
		world_configured(play);
}

static void say_rule(struct play *play, struct told *w)
{
	conf_lac_rule(play, w);
	if (play->lns)
		world_configured(play);
}

static void say_no_rules(struct play *play, struct told *w)
{
	told_done(play, w);
	play->conf.lacs = 0;
	if (play->lns)
		world_configured(play);
}

static void say_no_pools(struct play *play, struct told *w)
{
	told_done(play, w);
	play->conf.pools.ranges = 0;
	play->conf.pools.pools = 1;
	if (play->lns)
		world_configured(play);
}

/* subscriber NAME PASSWORD key=value...: a line of the subscribers file. */
static void say_subscriber(struct play *play, struct told *w)
{
	size_t room = play->subscribers_len + LINE_MAX_LEN * 2;

	play->subscribers_text = realloc(play->subscribers_text, room);
	ASSERT(play->subscribers_text);
	while (told_peek(w)[0])
		play->subscribers_len += (size_t)snprintf(play->subscribers_text + play->subscribers_len,
			room - play->subscribers_len, "\"%s\" ", told_next(play, w));
	play->subscribers_text[play->subscribers_len++] = '\n';
	if (play->lns)
		world_subscribers(play);
}

static void say_no_subscribers(struct play *play, struct told *w)
{
	told_done(play, w);
	play->subscribers_len = 0;
	if (play->lns)
		world_subscribers(play);
}

static void say_seed(struct play *play, struct told *w)
{
	play->seed = (uint8_t)parse_number(play, told_next(play, w));
	told_done(play, w);
}

static void say_pass(struct play *play, struct told *w)
{
	struct dur span = parse_time(play, told_next(play, w));

	told_done(play, w);
	world_moves_to(play, mono_add(play->now, span));
}

/* at TIME [statement]: counted from the beginning of the scenario. */
static void say_at(struct play *play, struct told *w)
{
	struct mono then = mono_add(play->start, parse_time(play, told_next(play, w)));

	if (mono_before(then, play->now))
		play_fail(play, "that time has passed");
	world_moves_to(play, then);
	if (told_peek(w)[0])
		statement(play, w);
}

static void say_lac(struct play *play, struct told *w)
{
	lac_sends(play, lac_named(play, told_next(play, w)), w);
}

static void say_resend(struct play *play, struct told *w)
{
	const char *name = told_next(play, w);

	told_done(play, w);
	lac_resends(play, name);
}

/* batch begins|ends: packets read at one go, before the server acknowledges anything. */
static void say_batch(struct play *play, struct told *w)
{
	world_begin(play);
	if (told_take(w, "begins")) {
		play->batch = true;
	} else if (told_take(w, "ends")) {
		play->batch = false;
		world_flush(play);
	}
	told_done(play, w);
}

/* operator drops call LAC N | tunnel LAC */
static void say_operator(struct play *play, struct told *w)
{
	bool done = false;

	world_begin(play);
	if (!told_take(w, "drops"))
		play_fail(play, "the operator drops things");
	if (told_take(w, "tunnel")) {
		struct lac *lac = lac_named(play, told_next(play, w));

		done = lns_drop_tunnel(play->lns, (struct tid){ lac->lns_tid }, play->now, play->out);
	} else if (told_take(w, "call")) {
		struct lac *lac = lac_named(play, told_next(play, w));
		struct call *call = lac_call(play, lac, (unsigned)parse_number(play, told_next(play, w)));

		done = lns_drop_session(play->lns, play_row(play, lac, call), play->now, play->out);
	}
	told_done(play, w);
	if (!done)
		play_fail(play, "there is nothing to drop");
	world_done(play);
}

static void say_shutdown(struct play *play, struct told *w)
{
	told_done(play, w);
	world_begin(play);
	lns_shutdown_asked(play->lns, play->now, play->out);
	world_done(play);
}

/* crypt says yes|no: the verdict on the password that has waited longest. */
static void say_crypt(struct play *play, struct told *w)
{
	bool matches = told_take(w, "says") && parse_bool(play, told_next(play, w));

	told_done(play, w);
	if (play->ask_count == 0)
		play_fail(play, "no password waits for crypt(3)");
	struct ask ask = play->asks[0];

	memmove(play->asks, play->asks + 1, --play->ask_count * sizeof(ask));
	lns_crypt_answered(play->lns, ask.row, ask.serial, matches, play->now, play->out);
	world_done(play);
}

/* traffic up|down|both|never: when the plane last heard and served every session. */
static void say_traffic(struct play *play, struct told *w)
{
	const char *way = told_next(play, w);

	told_done(play, w);
	if (strcmp(way, "up") == 0 || strcmp(way, "both") == 0)
		play->usage.up_heard = play->now;
	if (strcmp(way, "down") == 0 || strcmp(way, "both") == 0)
		play->usage.down_heard = play->now;
	if (strcmp(way, "never") == 0)
		play->usage = (struct lns_usage){ { 0 }, { 0 } };
}

static void say_forget(struct play *play, struct told *w)
{
	told_done(play, w);
	for (struct lac *lac = play->lacs; lac; lac = lac->next)
		while (lac->inbox)
			inbox_drop(lac);
}

static const struct {
	const char *name;
	void (*say)(struct play *play, struct told *w);
} statements[] = {
	{ "config", say_config },
	{ "pool", say_pool },
	{ "rule", say_rule },
	{ "subscriber", say_subscriber },
	{ "no-rules", say_no_rules },
	{ "no-pools", say_no_pools },
	{ "no-subscribers", say_no_subscribers },
	{ "seed", say_seed },
	{ "pass", say_pass },
	{ "at", say_at },
	{ "lac", say_lac },
	{ "resend", say_resend },
	{ "batch", say_batch },
	{ "operator", say_operator },
	{ "shutdown", say_shutdown },
	{ "crypt", say_crypt },
	{ "traffic", say_traffic },
	{ "forget", say_forget },
	{ "expect", expect_words },
	{ "await", await_words },
	{ "check", check_words },
};

void statement(struct play *play, struct told *w)
{
	const char *name = told_next(play, w);

	for (size_t i = 0; i < ARRAY_LEN(statements); i++)
		if (strcmp(statements[i].name, name) == 0) {
			statements[i].say(play, w);
			return;
		}
	play_fail(play, "\"%s\" is no statement", name);
}
