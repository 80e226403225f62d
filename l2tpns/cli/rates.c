/* rates.c -- readings of the totals in a small ring. */
#include "l2tpns/cli/rates.h"

static uint64_t rate_of(uint64_t later, uint64_t earlier, struct dur between)
{
	if (later <= earlier || between.us <= 0)
		return 0;
	return (uint64_t)((double)(later - earlier) * 1e6 / (double)between.us + 0.5);
}

struct rates_now rates_between(const struct rates_totals *later, const struct rates_totals *earlier,
			       struct dur between)
{
	return (struct rates_now){
		.up_pps = rate_of(later->up_packets, earlier->up_packets, between),
		.up_bps = rate_of(later->up_octets, earlier->up_octets, between) * 8,
		.down_pps = rate_of(later->down_packets, earlier->down_packets, between),
		.down_bps = rate_of(later->down_octets, earlier->down_octets, between) * 8,
	};
}

void rates_read(struct rates *rates, const struct rates_totals *totals, struct mono now)
{
	unsigned at = rates->readings++ % RATES_KEPT;

	rates->totals[at] = *totals;
	rates->at[at] = now;
}

struct rates_now rates_now(const struct rates *rates)
{
	if (rates->readings < 2)
		return (struct rates_now){ 0 };

	unsigned last = (rates->readings - 1) % RATES_KEPT;
	unsigned first = rates->readings <= RATES_KEPT ? 0 : rates->readings % RATES_KEPT;
	return rates_between(&rates->totals[last], &rates->totals[first],
			     mono_since(rates->at[last], rates->at[first]));
}
