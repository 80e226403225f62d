/* rates.c -- readings of the totals in a small ring. */
#include "l2tpns/cli/rates.h"

uint64_t rate_of(uint64_t later, uint64_t earlier, struct dur between)
{
	if (later <= earlier || between.us <= 0)
		return 0;
	return (uint64_t)((double)(later - earlier) * 1e6 / (double)between.us + 0.5);
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
	const struct rates_totals *b = &rates->totals[last], *a = &rates->totals[first];
	struct dur d = mono_since(rates->at[last], rates->at[first]);

	return (struct rates_now){
		.up_pps = rate_of(b->up_packets, a->up_packets, d),
		.up_bps = rate_of(b->up_octets, a->up_octets, d) * 8,
		.down_pps = rate_of(b->down_packets, a->down_packets, d),
		.down_bps = rate_of(b->down_octets, a->down_octets, d) * 8,
	};
}
