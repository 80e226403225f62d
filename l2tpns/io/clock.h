/*
 * clock.h -- the only places where a clock is read.
 */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include "l2tpns/base/mono.h"

struct mono clock_now(void);		/* CLOCK_MONOTONIC: a stepped wall clock changes nothing */

#endif
