/* facts.c -- sums over the data plane and the control plane that several displays need. */
#include "l2tpns/cli/facts.h"

void facts_refresh(struct facts *facts)
{
	facts->ops->clock(facts->ctx, &facts->now, &facts->unix_us);
}

void facts_second(struct facts *facts)
{
	struct rates_totals totals = facts_totals(facts);

	facts_refresh(facts);
	rates_read(&facts->rates, &totals, facts->now);
}

struct rates_totals facts_totals(const struct facts *facts)
{
	struct rates_totals sum = { 0 };
	unsigned workers = facts->ops->workers(facts->ctx);

	for (unsigned i = 0; i < workers; i++) {
		struct worker_facts worker = { 0 };

		facts->ops->worker(facts->ctx, i, &worker);
		sum.up_packets += worker.totals.up_packets;
		sum.up_octets += worker.totals.up_octets;
		sum.down_packets += worker.totals.down_packets;
		sum.down_octets += worker.totals.down_octets;
	}
	return sum;
}

struct plane_usage facts_usage(const struct facts *facts, struct row row)
{
	struct plane_usage usage = { 0 };

	facts->plane->ops->usage(facts->plane, row, &usage);
	return usage;
}

uint64_t facts_refused(const struct facts *facts, enum why why)
{
	return lns_refused(facts->lns, why) + facts->plane->ops->refused(facts->plane, why);
}
