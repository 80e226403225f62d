/* setup.c -- bringing subscribers up at a pace, waiting, and ending them. */
#include <stdio.h>

#include "tests/lac/proc.h"
#include "tests/lac/steps.h"

#define LOOK_MS		1u		/* how often a step looks again when nothing else wakes it */
#define PER_WAKE	256u
#define QUIET_MS	100u

static const char *const loss_name[LOSS_REASONS] = {
	"none", "cdn", "stopccn", "tunnel_dead", "terminated", "auth", "timeout", "refused",
};

struct bringing {
	uint64_t	rate, in_flight, wanted;	/* wanted: to be started by this step */
	uint64_t	started, first_up;
	uint32_t	next_tunnel, next_session;
	struct mono	begin, calls_begin, give_up, shown;
	bool		calling;
};

static uint64_t in_flight(const struct lac *lac)
{
	uint64_t n = 0;

	for (unsigned p = PHASE_CALLING; p < PHASE_UP; p++)
		n += lac->counts.phase[p];
	return n;
}

static void progress(struct lac *lac, struct bringing *b, bool last)
{
	if (!lac->opt.progress || (!last && !mono_reached(lac->now, b->shown)))
		return;
	b->shown = mono_add(lac->now, DUR_MS(100));
	report_say(&lac->report, "\r  %llu of %llu subscribers up, %llu on their way, %llu failed%s",
		   (unsigned long long)(lac->counts.phase[PHASE_UP] - b->first_up), (unsigned long long)b->wanted,
		   (unsigned long long)in_flight(lac), (unsigned long long)lac->counts.phase[PHASE_FAILED],
		   last ? "\n" : " ");
}

/* True when every tunnel is up or has failed. */
static bool tunnels_ready(struct lac *lac, struct bringing *b)
{
	while (b->next_tunnel < lac->tunnels && lac->counts.tunnels_opening < lac->opt.opening) {
		struct tunnel *t = &lac->tunnel[b->next_tunnel];

		if (t->state == TUNNEL_IDLE || t->state == TUNNEL_DEAD)
			tunnel_open(lac, b->next_tunnel);
		b->next_tunnel++;
	}
	return b->next_tunnel == lac->tunnels && lac->counts.tunnels_opening == 0;
}

static bool may_start(const struct lac *lac, const struct bringing *b)
{
	if (b->started == b->wanted || b->next_session == lac->sessions)
		return false;
	if (b->in_flight && in_flight(lac) >= b->in_flight)
		return false;
	return b->rate == 0 || b->started < (lac->now.us - b->calls_begin.us) * b->rate / 1000000 + 1;
}

static void calls_start(struct lac *lac, struct bringing *b)
{
	for (unsigned n = 0; n < PER_WAKE && may_start(lac, b); b->next_session++) {
		struct session *s = &lac->session[b->next_session];

		if (s->phase != PHASE_IDLE && s->phase != PHASE_FAILED)
			continue;
		b->started++;
		n++;
		if (lac->tunnel[session_tunnel(lac, b->next_session)].state == TUNNEL_UP) {
			call_start(lac, b->next_session);
		} else if (s->phase == PHASE_IDLE) {
			session_phase(lac, b->next_session, PHASE_FAILED);
			lac->counts.loss[LOSS_TUNNEL_DEAD]++;
		}
	}
}

static struct mono bringing_next(struct lac *lac, void *arg)
{
	struct bringing *b = arg;

	progress(lac, b, false);
	if (lac->stop || mono_reached(lac->now, b->give_up))
		return MONO_NEVER;
	if (!b->calling) {
		if (!tunnels_ready(lac, b))
			return mono_add(lac->now, DUR_MS(LOOK_MS));
		b->calling = true;
		b->calls_begin = lac->now;
	}
	calls_start(lac, b);
	bool all = b->started == b->wanted || b->next_session == lac->sessions;

	if (all && in_flight(lac) == 0)
		return MONO_NEVER;
	return mono_add(lac->now, DUR_MS(LOOK_MS));
}

/* How the lost calls were lost, and what of the server's words we did not understand. */
static void losses_report(struct lac *lac)
{
	char field[64];

	for (unsigned i = 1; i < LOSS_REASONS; i++)
		if (lac->counts.loss[i] > 0) {
			snprintf(field, sizeof(field), "lost_%s", loss_name[i]);
			report_number(&lac->report, field, lac->counts.loss[i]);
		}
	for (unsigned i = 0; i < WHYS; i++)
		if (lac->counts.refused_why[i] > 0) {
			snprintf(field, sizeof(field), "refused_%s", why_name((enum why)i));
			report_number(&lac->report, field, lac->counts.refused_why[i]);
		}
}

static void state_report(struct lac *lac)
{
	report_number(&lac->report, "tunnels_up", lac->counts.tunnels_up);
	report_number(&lac->report, "up", lac->counts.phase[PHASE_UP]);
	report_number(&lac->report, "failed", lac->counts.phase[PHASE_FAILED]);
	report_number(&lac->report, "resent", lac->counts.resent);
	report_number(&lac->report, "refused", lac->counts.refused);
	report_number(&lac->report, "echoes", lac->counts.echoes);
	report_number(&lac->report, "hellos", lac->counts.hellos);
	report_number(&lac->report, "renegotiated", lac->counts.renegotiated);
	losses_report(lac);
}

bool step_up(struct lac *lac, const struct step_args *args)
{
	uint64_t idle = lac->counts.phase[PHASE_IDLE] + lac->counts.phase[PHASE_FAILED];
	struct bringing b = {
		.rate = args->rate ? args->rate : lac->opt.rate,
		.in_flight = args->in_flight ? args->in_flight : lac->opt.in_flight,
		.wanted = args->sessions && args->sessions < idle ? args->sessions : idle,
		.first_up = lac->counts.phase[PHASE_UP],
	};
	double limit = args->time > 0 ? args->time : (double)lac->opt.up_timeout_s;
	struct proc_usage before = proc_usage((uint32_t)lac->opt.server_pid), after;

	lac->setup_time = (struct hist){ 0 };
	lac->last_up = (struct mono){ 0 };
	lac->longest_gap_us = 0;
	lac->now = clock_now();
	b.begin = b.shown = lac->now;
	b.give_up = mono_add(lac->now, DUR_US((int64_t)(limit * 1e6)));
	lac_loop(lac, bringing_next, &b);
	progress(lac, &b, true);
	after = proc_usage((uint32_t)lac->opt.server_pid);
	uint64_t up = lac->counts.phase[PHASE_UP] - b.first_up;
	double seconds = (double)(lac->now.us - (b.calling ? b.calls_begin : b.begin).us) / 1e6;
	double cpu_s = after.cpu_s - before.cpu_s;

	report_begin(&lac->report, "up");
	report_number(&lac->report, "tunnels", lac->tunnels);
	report_number(&lac->report, "wanted", b.wanted);
	report_number(&lac->report, "brought_up", up);
	state_report(lac);
	report_real(&lac->report, "seconds", seconds);
	report_real(&lac->report, "sessions_per_s", seconds > 0 ? (double)up / seconds : 0);
	report_hist(&lac->report, "setup", &lac->setup_time);
	report_number(&lac->report, "longest_gap_us", lac->longest_gap_us);
	report_real(&lac->report, "server_cpu_s", cpu_s);
	report_real(&lac->report, "server_cpu_us_per_session", up ? cpu_s * 1e6 / (double)up : 0);
	report_number(&lac->report, "server_rss_octets", after.rss_octets);
	report_end(&lac->report);
	report_say(&lac->report, "  up: %llu of %llu in %.2f s, %.0f a second; half within %.1f ms\n",
		   (unsigned long long)up, (unsigned long long)b.wanted, seconds,
		   seconds > 0 ? (double)up / seconds : 0.0,
		   (double)hist_percentile_us(&lac->setup_time, 50) / 1e3);
	return up == b.wanted;
}

static struct mono waiting_next(struct lac *lac, void *arg)
{
	const struct mono *until = arg;

	return lac->stop || mono_reached(lac->now, *until) ? MONO_NEVER : *until;
}

static void wait_ms(struct lac *lac, uint64_t ms)
{
	lac->now = clock_now();
	struct mono until = mono_add(lac->now, DUR_MS(ms));

	lac_loop(lac, waiting_next, &until);
}

/* Nothing but answering: what the server costs when nobody does anything. */
bool step_wait(struct lac *lac, const struct step_args *args)
{
	struct proc_usage before = proc_usage((uint32_t)lac->opt.server_pid), after;
	struct mono begin = clock_now();
	uint64_t echoes = lac->counts.echoes, up = lac->counts.phase[PHASE_UP];

	wait_ms(lac, (uint64_t)(args->time * 1e3));
	after = proc_usage((uint32_t)lac->opt.server_pid);
	double seconds = (double)(clock_now().us - begin.us) / 1e6;

	report_begin(&lac->report, "wait");
	report_real(&lac->report, "seconds", seconds);
	state_report(lac);
	report_number(&lac->report, "echoes_here", lac->counts.echoes - echoes);
	report_real(&lac->report, "server_cpu_s", after.cpu_s - before.cpu_s);
	report_real(&lac->report, "server_cpu_percent", 100.0 * (after.cpu_s - before.cpu_s) / seconds);
	report_number(&lac->report, "server_rss_octets", after.rss_octets);
	report_end(&lac->report);
	return lac->counts.phase[PHASE_UP] == up;
}

static bool delivered(const struct lac *lac)
{
	for (uint32_t t = 0; t < lac->tunnels; t++)
		if (lac->tunnel[t].chan.queued > 0)
			return false;
	return true;
}

static struct mono delivering_next(struct lac *lac, void *arg)
{
	const struct mono *until = arg;

	if (delivered(lac) || mono_reached(lac->now, *until))
		return MONO_NEVER;
	return mono_add(lac->now, DUR_MS(LOOK_MS));
}

/* Until the server has acknowledged all we said, or the time is over. */
static void deliver(struct lac *lac, double seconds)
{
	lac->now = clock_now();
	struct mono until = mono_add(lac->now, DUR_US((int64_t)(seconds * 1e6)));

	lac_loop(lac, delivering_next, &until);
}

/* As if the power had gone: the server is told nothing. */
static void vanish(struct lac *lac)
{
	for (uint32_t t = 0; t < lac->tunnels; t++)
		if (lac->tunnel[t].state != TUNNEL_IDLE)
			tunnel_lost(lac, t, LOSS_NONE);
}

bool step_end(struct lac *lac, const struct step_args *args)
{
	struct proc_usage before = proc_usage((uint32_t)lac->opt.server_pid);
	uint64_t most = args->sessions ? args->sessions : lac->sessions, ended = 0;
	double limit = args->time > 0 ? args->time : 30;
	struct mono begin = clock_now();

	lac->now = begin;
	for (uint32_t n = (uint32_t)args->first; n < lac->sessions && ended < most && args->how != END_VANISH; n++) {
		if (lac->session[n].phase < PHASE_CALLING || lac->session[n].phase == PHASE_FAILED)
			continue;
		ended++;
		if (args->how == END_TERMINATE)
			client_terminate(lac, n);
		if (args->how != END_STOPCCN)
			call_end(lac, n);
	}
	if (args->how == END_VANISH)
		vanish(lac);
	else
		deliver(lac, limit);
	if (args->how != END_VANISH && !args->sessions) {
		for (uint32_t t = 0; t < lac->tunnels; t++)
			tunnel_stop(lac, t);
		deliver(lac, limit);
	}
	bool ok = delivered(lac);
	double seconds = (double)(clock_now().us - begin.us) / 1e6;

	wait_ms(lac, QUIET_MS);
	report_begin(&lac->report, "end");
	report_number(&lac->report, "ended", ended);
	report_text(&lac->report, "acknowledged", ok ? "yes" : "no");
	state_report(lac);
	report_real(&lac->report, "seconds", seconds);
	report_real(&lac->report, "server_cpu_s", proc_usage((uint32_t)lac->opt.server_pid).cpu_s - before.cpu_s);
	report_end(&lac->report);
	report_say(&lac->report, "  end: %llu subscribers, %s in %.2f s\n", (unsigned long long)ended,
		   args->how == END_VANISH ? "vanished" : ok ? "acknowledged" : "not acknowledged", seconds);
	return ok;
}
