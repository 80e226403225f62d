/*
 * timers.h -- deadlines by number on a hierarchical wheel; told the time, never asks for it.
 *
 * A timer is a number 0..n-1 chosen by its owner.  Arming, disarming and expiry
 * cost the same however many are armed.  A deadline is met at the first
 * timers_pop() at or after it, at most one tick (4 ms) late; deadlines beyond
 * the wheel's span (about 200 days) are kept and re-sorted.
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include "l2tpns/base/arena.h"
#include "l2tpns/base/mono.h"

#define TIMERS_TICK_US		4096u
#define TIMERS_SLOT_BITS	8
#define TIMERS_SLOTS		(1u << TIMERS_SLOT_BITS)
#define TIMERS_LEVELS		4

struct timer {
	uint32_t	next, prev;	/* number + 1; 0 = end.  The first one's prev is 0 */
	uint64_t	due;		/* tick, plus one; 0 = not armed */
};

struct timers {
	struct timer	*timer;
	uint32_t	 n;
	uint32_t	 armed;		/* how many */
	uint64_t	 tick;		/* everything before this tick has been popped */
	uint32_t	 slot[TIMERS_LEVELS][TIMERS_SLOTS];	/* first of each list: number + 1 */
	uint64_t	 busy[TIMERS_LEVELS][TIMERS_SLOTS / 64];
};

void timers_init(struct timers *timers, uint32_t n, struct mono now, struct arena *arena);
void timer_arm(struct timers *timers, uint32_t number, struct mono due);	/* again: moves it */
void timer_disarm(struct timers *timers, uint32_t number);			/* not armed: nothing */
bool timer_armed(const struct timers *timers, uint32_t number);

/* Disarm and return one timer that is due, or false when none is. */
MUST_USE bool timers_pop(struct timers *timers, struct mono now, uint32_t *number);

/* No later than the earliest deadline; MONO_NEVER when nothing is armed. */
struct mono timers_next(const struct timers *timers);

#endif
