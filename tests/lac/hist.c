/* hist.c -- log-linear buckets: the top bits of a value choose one. */
#include "tests/lac/hist.h"

static uint32_t bucket_of(uint64_t us)
{
	uint32_t v = us > INT32_MAX ? INT32_MAX : (uint32_t)us;

	if (v < HIST_LINEAR)
		return v;
	uint32_t shift = 31u - (uint32_t)__builtin_clz(v) - HIST_LINEAR_BITS;

	/* v >> shift lies in HIST_LINEAR .. 2 * HIST_LINEAR - 1. */
	return shift * HIST_LINEAR + (v >> shift);
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_top_us(uint32_t bucket)
{
	if (bucket < HIST_LINEAR)
		return bucket;
	uint32_t shift = bucket / HIST_LINEAR - 1;
	uint64_t first = (uint64_t)(bucket - shift * HIST_LINEAR) << shift;

	return first + (UINT64_C(1) << shift) - 1;
}

void hist_add(struct hist *hist, uint64_t us)
{
	hist->count++;
	hist->bucket[bucket_of(us)]++;
	if (us > hist->max_us)
		hist->max_us = us;
}

void hist_merge(struct hist *into, const struct hist *from)
{
	into->count += from->count;
	if (from->max_us > into->max_us)
		into->max_us = from->max_us;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
}

uint64_t hist_percentile_us(const struct hist *hist, double percent)
{
	uint64_t want = (uint64_t)((double)hist->count * percent / 100.0);
	uint64_t seen = 0;

	if (hist->count == 0)
		return 0;
	if (want >= hist->count)
		return hist->max_us;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		seen += hist->bucket[i];
		if (seen > want)
			return bucket_top_us(i) < hist->max_us ? bucket_top_us(i) : hist->max_us;
	}
	return hist->max_us;
}
