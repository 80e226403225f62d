/* hold.c -- probes: round-trip times of a few, and outages of every subscriber while it is held. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/lac/measure.h"
#include "tests/lac/proc.h"
#include "tests/lac/steps.h"

#define DRAIN_MS	300u
#define PER_WAKE	512u		/* probes sent at one go, so that receiving is not starved */

struct probing {
	uint64_t	count;		/* to send; 0: until the time is over */
	uint64_t	sent;
	uint32_t	size;
	uint64_t	gap_ns;		/* between two probes, of whichever subscriber */
	struct mono	start, until, drained;
	struct mono	shown;
};

static void progress(struct lac *lac, struct probing *p)
{
	if (!lac->opt.progress || !mono_reached(lac->now, p->shown))
		return;
	p->shown = mono_add(lac->now, DUR_S(1));
	report_say(&lac->report, "\r  held %u s: %llu up, %llu probes, %llu answered ",
		   dur_s(mono_since(lac->now, p->start)), (unsigned long long)lac->counts.phase[PHASE_UP],
		   (unsigned long long)lac->measure->probes, (unsigned long long)lac->measure->replies);
}

static struct mono probing_next(struct lac *lac, void *arg)
{
	struct probing *p = arg;
	bool over = lac->stop || (p->count ? p->sent >= p->count : mono_reached(lac->now, p->until));

	progress(lac, p);
	if (over) {
		if (p->drained.us == MONO_NEVER.us)
			p->drained = mono_add(lac->now, DUR_MS(DRAIN_MS));
		return mono_reached(lac->now, p->drained) ? MONO_NEVER : p->drained;
	}
	uint64_t due = (lac->now.us - p->start.us) * 1000 / p->gap_ns + 1;

	for (unsigned n = 0; n < PER_WAKE && p->sent < due && (p->count == 0 || p->sent < p->count); n++) {
		probe_send(lac, (uint32_t)(p->sent % lac->measure->targets), p->sent, p->size);
		p->sent++;
	}
	return mono_add(p->start, DUR_US(p->sent * p->gap_ns / 1000));
}

static void probing_run(struct lac *lac, struct probing *p, double time)
{
	struct measure *m = lac->measure;

	m->round_trip = (struct hist){ 0 };
	m->probes = m->replies = m->probes_odd = 0;
	lac->now = clock_now();
	p->start = p->shown = lac->now;
	p->until = mono_add(lac->now, DUR_US((int64_t)(time * 1e6)));
	p->drained = MONO_NEVER;
	lac_loop(lac, probing_next, p);
	if (lac->opt.progress)
		report_say(&lac->report, "\n");
}

static void probes_report(struct lac *lac)
{
	const struct measure *m = lac->measure;

	report_number(&lac->report, "sessions", m->targets);
	report_number(&lac->report, "probes", m->probes);
	report_number(&lac->report, "replies", m->replies);
	report_number(&lac->report, "strange", m->probes_odd);
	report_hist(&lac->report, "round_trip", &m->round_trip);
}

bool step_probe(struct lac *lac, const struct step_args *args)
{
	struct measure *m = lac->measure;
	struct probing p = { .count = args->count, .size = (uint32_t)args->size, .gap_ns = args->interval_us * 1000 };

	if (args->size < PACKET_SIZE_MIN || args->size > PACKET_SIZE_MAX || p.gap_ns == 0 || p.count == 0 ||
	    !measure_targets(lac, args->sessions))
		return false;
	probing_run(lac, &p, 0);
	report_begin(&lac->report, "probe");
	probes_report(lac);
	report_end(&lac->report);
	report_say(&lac->report, "  probe: %llu sent, %llu came back; p50 %llu us, p99 %llu us\n",
		   (unsigned long long)m->probes, (unsigned long long)m->replies,
		   (unsigned long long)hist_percentile_us(&m->round_trip, 50),
		   (unsigned long long)hist_percentile_us(&m->round_trip, 99));
	return m->replies > 0;
}

struct outages {
	uint64_t	count, hit, dead;	/* outages, subscribers that had one, silent at the end */
	struct hist	longest;		/* of each subscriber */
};

static struct outages outages_sum(struct lac *lac, const struct probing *p)
{
	const struct measure *m = lac->measure;
	struct outages sum = { 0 };

	for (uint32_t i = 0; i < m->targets; i++) {
		struct hold_row *row = &m->hold[i];
		/* The last probe may have been sent up to an interval before the end. */
		uint64_t silent = p->until.us > row->answered_us ? p->until.us - row->answered_us : 0;

		if (silent > 2 * m->interval_us) {
			sum.dead++;
			row->outages++;
			row->longest_us = silent > row->longest_us ? silent : row->longest_us;
		}
		sum.count += row->outages;
		sum.hit += row->outages > 0;
		hist_add(&sum.longest, row->longest_us);
	}
	return sum;
}

bool step_hold(struct lac *lac, const struct step_args *args)
{
	struct measure *m = lac->measure;
	struct probing p = { .size = (uint32_t)args->size };

	if (args->size < PACKET_SIZE_MIN || args->size > PACKET_SIZE_MAX || args->interval_ms == 0 ||
	    !measure_targets(lac, args->sessions))
		return false;
	m->interval_us = args->interval_ms * 1000;
	p.gap_ns = m->interval_us * 1000 / m->targets;
	m->hold = calloc(m->targets, sizeof(*m->hold));
	ASSERT(m->hold && p.gap_ns > 0);
	for (uint32_t i = 0; i < m->targets; i++)
		m->hold[i].answered_us = clock_now().us + i * p.gap_ns / 1000;
	double cpu_s = proc_usage((uint32_t)lac->opt.server_pid).cpu_s;

	probing_run(lac, &p, args->time);
	cpu_s = proc_usage((uint32_t)lac->opt.server_pid).cpu_s - cpu_s;
	struct outages sum = outages_sum(lac, &p);

	report_begin(&lac->report, "hold");
	probes_report(lac);
	report_number(&lac->report, "up", lac->counts.phase[PHASE_UP]);
	report_number(&lac->report, "outages", sum.count);
	report_number(&lac->report, "sessions_hit", sum.hit);
	report_number(&lac->report, "sessions_silent", sum.dead);
	report_number(&lac->report, "interval_us", m->interval_us);
	report_hist(&lac->report, "longest_gap", &sum.longest);
	report_real(&lac->report, "server_cpu_s", cpu_s);
	report_end(&lac->report);
	report_say(&lac->report, "  hold: %llu probes, %llu answered; %llu outages in %llu of %u subscribers, "
		   "the longest %llu ms; %llu silent at the end\n", (unsigned long long)m->probes,
		   (unsigned long long)m->replies, (unsigned long long)sum.count, (unsigned long long)sum.hit,
		   m->targets, (unsigned long long)sum.longest.max_us / 1000, (unsigned long long)sum.dead);
	free(m->hold);
	m->hold = NULL;
	return sum.count == 0;
}
