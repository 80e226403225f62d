/* clock.c -- the monotonic clock as struct mono. */
#include <time.h>

#include "l2tpns/io/clock.h"

struct mono clock_now(void)
{
	struct timespec ts;
	int failed = clock_gettime(CLOCK_MONOTONIC, &ts);

	ASSERT(failed == 0);
	return (struct mono){ (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u };
}
