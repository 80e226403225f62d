/* show_histogram.c -- how long sessions have been idle, or open: buckets filled a slice of rows at a time. */
#include "l2tpns/cli/show.h"

#define IDLE_BUCKETS	64u		/* of IDLE_STEP_S each, the last one open-ended */
#define IDLE_STEP_S	5u
#define OPEN_BUCKETS	30u		/* 1 s, 2 s, 4 s ...: the last one open-ended */

_Static_assert(IDLE_BUCKETS <= COMMAND_SCRATCH, "the buckets are kept between slices");

static const struct out_column columns[] = {
	{ "from_s",	"FROM",		9, true },
	{ "to_s",	"TO",		9, true },
	{ "sessions",	"SESSIONS",	9, true },
	{ "percent",	"PERCENT",	7, true },
};

static unsigned bucket_of(bool idle, uint64_t seconds)
{
	unsigned bucket = 0;

	if (idle)
		return seconds / IDLE_STEP_S < IDLE_BUCKETS ? (unsigned)(seconds / IDLE_STEP_S) : IDLE_BUCKETS - 1;
	for (; seconds > 1 && bucket < OPEN_BUCKETS - 1; bucket++)
		seconds /= 2;
	return bucket;
}

static uint64_t bucket_from(bool idle, unsigned bucket)
{
	return idle ? bucket * IDLE_STEP_S : bucket ? UINT64_C(1) << bucket : 0;
}

static void histogram_put(struct command_run *run, bool idle)
{
	struct out *out = &run->out;
	unsigned buckets = idle ? IDLE_BUCKETS : OPEN_BUCKETS, last = 0;
	uint64_t all = 0;

	for (unsigned i = 0; i < buckets; i++) {
		all += run->number[i];
		last = run->number[i] ? i : last;
	}
	out_list(out, idle ? "idle" : "open", columns, ARRAY_LEN(columns));
	for (unsigned i = 0; all && i <= last; i++) {
		out_object(out, NULL);
		out_seconds(out, "from_s", bucket_from(idle, i));
		if (i == buckets - 1)
			out_none(out, "to_s");
		else
			out_seconds(out, "to_s", bucket_from(idle, i + 1));
		out_count(out, "sessions", run->number[i]);
		out_count(out, "percent", (run->number[i] * 100 + all / 2) / all);
		out_end(out);
	}
	out_end(out);
}

static enum command_step histogram_slice(struct command_run *run, bool idle)
{
	struct facts *facts = run->facts;
	uint32_t until = run->at + COMMAND_LOOK / 4;	/* each row may cost a few cache misses */

	while (run->at < until) {
		struct row row = lns_session_next(facts->lns, &run->at, until - run->at);
		const struct session *session = row.n ? lns_session(facts->lns, row) : NULL;

		if (!session)
			break;
		if (!session->up)
			continue;
		struct plane_usage usage = { 0 };

		if (idle)
			usage = facts_usage(facts, row);
		run->number[bucket_of(idle, idle ? session_idle_s(facts, session, &usage)
						 : session_uptime_s(facts, session))]++;
	}
	if (run->at < lns_rows_end(facts->lns))
		return COMMAND_MORE;
	histogram_put(run, idle);
	return COMMAND_DONE;
}

enum command_step show_idle(struct command_run *run)
{
	return histogram_slice(run, true);
}

enum command_step show_open(struct command_run *run)
{
	return histogram_slice(run, false);
}
