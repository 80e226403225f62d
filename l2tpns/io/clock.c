/* clock.c -- the monotonic clock as struct mono. */
#include <sys/prctl.h>
#include <time.h>

#include "l2tpns/io/clock.h"

struct mono clock_now(void)
{
	struct timespec ts;
	int failed = clock_gettime(CLOCK_MONOTONIC, &ts);

	ASSERT(failed == 0);
	return (struct mono){ (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u };
}

#define SLACK_NS	1000

void clock_sharpen(void)
{
	(void)prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0);	/* without it naps are longer, nothing worse */
}

void clock_nap(struct dur time)
{
	struct timespec ts = { .tv_sec = time.us / 1000000, .tv_nsec = time.us % 1000000 * 1000 };

	(void)nanosleep(&ts, NULL);	/* a signal may end it early */
}
