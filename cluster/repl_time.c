/*
 * repl_time.c -- cluster time: the master's clock, followed without ever going back.
 *
 * A heartbeat says what the time was when it was sent, so each gives an offset that
 * is too small by its delay; the greatest of the last few is the best.  Once set, the
 * offset is approached by 500 ppm of the time that passes: timers neither fire early
 * nor stand still.  It jumps only for a node that has no records yet, or that joins a
 * cluster whose time was never its own (two that were cut off since their start).
 */
#include "cluster/repl_state.h"

#define WINDOW		16u		/* heartbeats */
#define SLEW_SHARE	2000		/* 1/2000 = 500 ppm */
#define FOREIGN_US	1000000		/* further apart than any clock drifts while a master is replaced */

/* What of the approach was done since it began. */
static int64_t slewed(const struct cl_repl *repl, struct mono now)
{
	int64_t most = mono_since(now, repl->slew_from).us / SLEW_SHARE;

	if (most < 0)
		return 0;
	if (repl->slew_us > 0)
		return repl->slew_us < most ? repl->slew_us : most;
	return repl->slew_us > -most ? repl->slew_us : -most;
}

static void slew_settle(struct cl *cl, struct mono now)
{
	struct cl_repl *repl = cl->repl;

	cl->time_offset_us += slewed(repl, now);
	repl->slew_from = now;
	repl->slew_us = 0;
}

void time_became_master(struct cl *cl, struct mono now)
{
	slew_settle(cl, now);
	cl->repl->time_set = true;
}

static void time_jump(struct cl *cl, int64_t offset_us, struct mono now)
{
	struct cl_repl *repl = cl->repl;

	cl->time_offset_us = offset_us;
	repl->slew_from = now;
	repl->slew_us = 0;
	repl->samples = 0;
	repl->time_set = true;
}

static bool foreign(int64_t a, int64_t b)
{
	return a - b > FOREIGN_US || b - a > FOREIGN_US;
}

void time_heard(struct cl_turn *turn, const struct cl_heartbeat *beat, bool first)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;
	int64_t offset_us = (int64_t)(beat->cluster_us - turn->now.us);

	slew_settle(cl, turn->now);
	if (CL_GUARD(TIME_JUMPS, !repl->time_set || (first && foreign(offset_us, cl->time_offset_us))))
		time_jump(cl, offset_us, turn->now);
	else if (CL_GUARD_PASS(TIME_JUMPS, cl->fresh && offset_us > cl->time_offset_us))
		time_jump(cl, offset_us, turn->now);
	if (first)
		repl->samples = 0;
	if (repl->samples % WINDOW == 0) {
		repl->best_us[1] = repl->samples ? repl->best_us[0] : offset_us;
		repl->best_us[0] = offset_us;
	}
	repl->samples++;
	if (offset_us > repl->best_us[0])
		repl->best_us[0] = offset_us;
	int64_t best = repl->best_us[0] > repl->best_us[1] ? repl->best_us[0] : repl->best_us[1];

	repl->slew_us = best - cl->time_offset_us;
}

uint64_t cl_time(const struct cl *cl, struct mono now)
{
	int64_t us = (int64_t)now.us + cl->time_offset_us + slewed(cl->repl, now);

	if (!cl->repl->time_set || us < 1)	/* nobody has told us yet: before everything */
		return 1;
	return (uint64_t)us;
}

struct mono cl_mono(const struct cl *cl, uint64_t cluster_us)
{
	int64_t us = (int64_t)cluster_us - cl->time_offset_us;

	return (struct mono){ us < 1 ? 1 : (uint64_t)us };
}
