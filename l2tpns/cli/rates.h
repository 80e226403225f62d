/*
 * rates.h -- totals of traffic, and how fast they grew in the last seconds.
 *
 * Pure: told the time.
 */
#ifndef CLI_RATES_H
#define CLI_RATES_H

#include "l2tpns/base/mono.h"

#define RATES_KEPT	8		/* readings; a rate is over as many less one */

struct rates_totals {
	uint64_t	up_packets, up_octets;		/* from subscribers */
	uint64_t	down_packets, down_octets;	/* to subscribers */
};

struct rates {
	struct rates_totals	totals[RATES_KEPT];
	struct mono		at[RATES_KEPT];
	unsigned		readings;		/* ever taken */
};

struct rates_now {
	uint64_t	up_pps, up_bps, down_pps, down_bps;
};

void rates_read(struct rates *rates, const struct rates_totals *totals, struct mono now);

/* Over the readings kept; zero before there are two. */
struct rates_now rates_now(const struct rates *rates);

/* Rates from two totals and the time between them; a counter that went back counts as zero. */
struct rates_now rates_between(const struct rates_totals *later, const struct rates_totals *earlier,
			       struct dur between);

#endif
