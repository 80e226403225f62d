/*
 * clock.h -- the only places where a clock is read or waited for.
 */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include "l2tpns/base/mono.h"

struct mono clock_now(void);		/* CLOCK_MONOTONIC: a stepped wall clock changes nothing */

/* Let a thread's short sleeps be short: the kernel may otherwise stretch each by 50 us.  Threads it starts
 * later inherit this. */
void clock_sharpen(void);
void clock_nap(struct dur time);

#endif
