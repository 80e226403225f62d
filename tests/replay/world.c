/* world.c -- the control plane under test, the clock, and a data plane that only keeps account. */
#include <stdarg.h>
#include <sys/mman.h>

#include "tests/replay/play.h"
#include "tests/unit/lns_left.h"

#define STUCK_MAX	100000		/* ticks without the clock moving */

void play_note(struct play *play, const char *format, ...)
{
	va_list args;

	if (!play->trace)
		return;
	fprintf(play->trace, "%10.4f  ", (double)mono_since(play->now, play->start).us / 1e6);
	va_start(args, format);
	vfprintf(play->trace, format, args);
	va_end(args);
	fputc('\n', play->trace);
}

static void usage_of(void *ctx, struct row row, struct lns_usage *usage)
{
	const struct play *play = ctx;

	(void)row;
	*usage = play->usage;
}

void world_configured(struct play *play)
{
	if (lns_configured(play->lns, &play->conf, play->now) != 0)
		play_fail(play, "the pools do not fit in addresses_max");
}

void world_subscribers(struct play *play)
{
	struct bytes text = bytes_of(play->subscribers_text, play->subscribers_len);
	struct subscribers_fault faults[4];
	struct subscribers *list;
	size_t size = subscribers_size(text);

	if (play->subscribers_loads == ARRAY_LEN(play->subscribers_memory))
		play_fail(play, "the subscribers were changed too often");
	void *memory = calloc(1, size ? size : 1);

	ASSERT(memory);
	play->subscribers_memory[play->subscribers_loads++] = memory;
	if (subscribers_parse(
		    &list, memory, size, (struct hash_key){ { 1, 2 } }, text, faults, ARRAY_LEN(faults)) > 0)
		play_fail(play, "subscriber %u: %s", faults[0].line, faults[0].text);
	lns_subscribers_loaded(play->lns, list);
}

void world_begin(struct play *play)
{
	uint8_t seed[RND_SEED_LEN] = { play->seed };

	if (play->lns)
		return;
	play->memory_len = lns_size(&play->conf);
	play->memory = mmap(NULL, play->memory_len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT(play->memory != MAP_FAILED);
	struct arena arena = { .start = play->memory, .room = play->memory_len };

	play->lns = lns_init(&play->conf, seed, play->now, usage_of, play, &arena);
	play->plane_rows = rows_space(play->conf.sessions_max);
	play->plane = calloc(play->plane_rows, sizeof(*play->plane));
	ASSERT(play->plane);
	world_configured(play);
	world_subscribers(play);
}

void world_free(struct play *play)
{
	if (play->memory)
		munmap(play->memory, play->memory_len);
	for (struct plane_path *next; play->paths; play->paths = next) {
		next = play->paths->next;
		free(play->paths);
	}
	free(play->plane);
	for (unsigned i = 0; i < play->subscribers_loads; i++)
		free(play->subscribers_memory[i]);
	free(play->subscribers_text);
}

/* ---- effects */

static void session_put(struct play *play, const struct fx_session *session)
{
	if (session->row.n == 0 || session->row.n >= play->plane_rows || !play->tunnel_put[session->tid.n])
		play_fail(play, "the plane was given a session without its tunnel");
	struct plane_row *row = &play->plane[session->row.n];

	play_note(play, "plane: session %u put", session->row.n);
	play->plane_open += !row->open;
	*row = (struct plane_row){ .open = true, .session = *session };
}

static void session_drop(struct play *play, const struct fx_session *session)
{
	struct plane_row *row = &play->plane[session->row.n % play->plane_rows];

	play_note(play, "plane: session %u dropped", session->row.n);
	if (!row->open || row->session.sid.n != session->sid.n || row->session.tid.n != session->tid.n)
		play_fail(play, "the plane was told to drop a session it does not have");
	row->open = false;
	play->plane_open--;
}

static struct plane_path **path_of(struct play *play, struct prefix4 prefix)
{
	struct plane_path **at = &play->paths;

	while (*at && ((*at)->route.prefix.net.n != prefix.net.n || (*at)->route.prefix.len != prefix.len))
		at = &(*at)->next;
	return at;
}

static void route_put(struct play *play, const struct fx_route *route)
{
	struct plane_path **at = path_of(play, route->prefix);

	if (*at)
		play_fail(play, "two sessions have the same address");
	if (route->row.n == 0 || route->row.n >= play->plane_rows || !play->plane[route->row.n].open)
		play_fail(play, "a route leads to a session the plane does not have");
	*at = calloc(1, sizeof(**at));
	ASSERT(*at);
	(*at)->route = *route;
}

static void route_drop(struct play *play, const struct fx_route *route)
{
	struct plane_path **at = path_of(play, route->prefix), *path = *at;

	if (!path || !row_eq(path->route.row, route->row))
		play_fail(play, "a route was dropped that was not put");
	*at = path->next;
	free(path);
}

static void tunnel_drop(struct play *play, uint32_t tid)
{
	if (!play->tunnel_put[tid & 0xffff])
		play_fail(play, "a tunnel was dropped that was not put");
	for (uint32_t row = 0; row < play->plane_rows; row++)
		if (play->plane[row].open && play->plane[row].session.tid.n == tid)
			play_fail(play, "a tunnel was dropped before its session %u", row);
	play->tunnel_put[tid & 0xffff] = false;
}

static void crypt_asked(struct play *play, const struct fx_crypt *crypt)
{
	if (play->ask_count == ASKS_MAX)
		play_fail(play, "too many passwords wait for crypt(3)");
	play->asks[play->ask_count++] = (struct ask){ crypt->row, crypt->serial };
}

static void say_done(struct play *play, const struct fx *fx, const struct fx_log *log)
{
	play->said[fx->id]++;
	memcpy(play->said_text[fx->id], log + 1, log->text_len);
	play->said_text[fx->id][log->text_len] = 0;
	play_note(play, "said: %s [%u/%u] %u %u %u %u %s", say_row((enum say)fx->id)->name, log->tunnel.n,
		log->session.n, log->arg[0], log->arg[1], log->arg[2], log->arg[3], play->said_text[fx->id]);
}

void world_done(struct play *play)
{
	for (uint32_t i = 0; i < play->out->count; i++) {
		const struct fx *fx = &play->out->fx[i];
		const void *payload = fx_payload(play->out, fx);

		switch ((enum fx_kind)fx->kind) {
		case FX_SEND:
			lac_hears(play, payload, bytes_of((const uint8_t *)payload + sizeof(struct fx_send),
							  fx->len - sizeof(struct fx_send)));
			break;
		case FX_TUNNEL_PUT:
			play->tunnel_put[((const struct fx_tunnel *)payload)->tid.n] = true;
			break;
		case FX_TUNNEL_DROP:
			tunnel_drop(play, fx->id);
			break;
		case FX_SESSION_PUT:
			session_put(play, payload);
			break;
		case FX_SESSION_DROP:
			session_drop(play, payload);
			break;
		case FX_ROUTE_PUT:
			route_put(play, payload);
			break;
		case FX_ROUTE_DROP:
			route_drop(play, payload);
			break;
		case FX_CRYPT:
			crypt_asked(play, payload);
			break;
		case FX_LOG:
			say_done(play, fx, payload);
			break;
		case FX_CL_SEND ... FX_KINDS:
			break;
		}
	}
	fx_clear(play->out);
}

/* ---- packets and time */

void world_refusal_settled(struct play *play)
{
	if (play->why == WHY_OK)
		return;
	enum why why = play->why;

	play->why = WHY_OK;
	play_fail(play, "line %u: refused for %s (%s), which nobody expected", play->why_line, why_name(why),
		why_text(why));
}

void world_flush(struct play *play)
{
	lns_flush(play->lns, play->now, play->out);
	world_done(play);
}

/* The packet lies in memory of its own size, so that a sanitizer sees a read beyond it. */
void world_input(struct play *play, struct addr from, const uint8_t *octets, size_t len)
{
	struct ip local = ip_from4((struct ip4){ 0xc0000201 - 1 });
	uint8_t *copy = malloc(len ? len : 1);
	uint64_t before[WHYS];

	world_begin(play);
	world_refusal_settled(play);
	ASSERT(copy);
	memcpy(copy, octets, len);
	for (unsigned why = 0; why < WHYS; why++)
		before[why] = lns_refused(play->lns, (enum why)why);
	play->why = lns_input(play->lns, from, local, bytes_of(copy, len), play->now, play->out);
	play->why_line = play->line;
	free(copy);
	play_note(play, "<- %zu octets: %s", len, why_name(play->why));
	if (play->why != WHY_OK && lns_refused(play->lns, play->why) == before[play->why])
		play_fail(play, "refused for %s, which was not counted", why_name(play->why));
	if (play->out->count > FX_EVENT_MAX || play->out->used > FX_EVENT_OCTETS)
		play_fail(
			play, "one packet had %u effects with %u octets", play->out->count, play->out->used);
	world_done(play);
	if (!play->batch)
		world_flush(play);
}

static void tick(struct play *play)
{
	lns_tick(play->lns, play->now, play->out);
	world_done(play);
	world_flush(play);
	lacs_pay_acks(play);
}

void world_step(struct play *play, struct mono limit)
{
	struct mono next = lns_next(play->lns);

	if (mono_before(play->now, next))
		play->now = mono_min(next, limit);
	tick(play);
}

void world_moves_to(struct play *play, struct mono then)
{
	unsigned stuck = 0;

	world_begin(play);
	world_refusal_settled(play);
	lacs_pay_acks(play);
	while (mono_reached(then, lns_next(play->lns))) {
		struct mono before = play->now;

		world_step(play, then);
		stuck = mono_before(before, play->now) ? 0 : stuck + 1;
		if (stuck > STUCK_MAX)
			play_fail(play, "lns_next() does not move on");
	}
	play->now = then;
	tick(play);
}

static void nothing_left(struct play *play)
{
	char text[300];

	if (lns_left(play->lns, text))
		play_fail(play, "left behind: %s", text);
	if (play->plane_open || play->paths)
		play_fail(play, "left behind: %u sessions or routes in the plane", play->plane_open);
	for (unsigned i = 0; i < ARRAY_LEN(play->tunnel_put); i++)
		if (play->tunnel_put[i])
			play_fail(play, "left behind: tunnel %u in the plane", i);
}

/* Every story ends the same way: told to leave, the server leaves, and nothing remains. */
void world_ends(struct play *play)
{
	if (!play->lns)
		return;
	world_refusal_settled(play);
	for (struct lac *lac = play->lacs; lac; lac = lac->next)
		if (inbox_first(lac, false)) {
			char what[2000];

			packet_describe(play, lac, lac->inbox, what, sizeof(what));
			play_fail(play, "at the end %s still has a packet nobody expected: %s", lac->name,
				what);
		}
	lns_shutdown_asked(play->lns, play->now, play->out);
	world_done(play);
	for (unsigned i = 0; i < STUCK_MAX && lns_tunnel_count(play->lns) > 0; i++) {
		if (lns_next(play->lns).us == UINT64_MAX)
			break;
		world_step(play, MONO_NEVER);
	}
	if (lns_tunnel_count(play->lns) > 0)
		play_fail(play, "told to leave, it does not: %u tunnels, %u sessions",
			lns_tunnel_count(play->lns), lns_session_count(play->lns));
	nothing_left(play);
}
