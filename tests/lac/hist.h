/*
 * hist.h -- a histogram of microseconds that is exact to 3 %.
 *
 * Pure.  32 linear buckets in each power of two: one addition to count a value,
 * one walk to answer a percentile.  Values of 2^31 us and above share the last bucket.
 */
#ifndef LAC_HIST_H
#define LAC_HIST_H

#include "l2tpns/base/base.h"

#define HIST_LINEAR_BITS	5
#define HIST_LINEAR		(1u << HIST_LINEAR_BITS)
#define HIST_BUCKETS		((32 - HIST_LINEAR_BITS) * HIST_LINEAR)

struct hist {
	uint64_t	count;
	uint64_t	max_us;
	uint64_t	bucket[HIST_BUCKETS];
};

void hist_add(struct hist *hist, uint64_t us);
void hist_merge(struct hist *into, const struct hist *from);

/* The smallest value that `percent` of the values do not exceed (to 3 %); 0 when empty. */
uint64_t hist_percentile_us(const struct hist *hist, double percent);

#endif
