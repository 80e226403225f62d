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

/* Other nodes say when in whole seconds of our clock. */
static struct mono later_of(struct mono heard, uint32_t seconds)
{
	struct mono other = { (uint64_t)seconds * 1000000 };

	return mono_before(heard, other) ? other : heard;
}

struct plane_usage facts_usage(const struct facts *facts, struct row row)
{
	const struct session *session = facts->shares ? lns_session(facts->lns, row) : NULL;
	struct plane_usage usage = { 0 };
	struct share others;

	facts->plane->ops->usage(facts->plane, row, &usage);
	if (!session || row.n >= facts->shares->rows)
		return usage;
	shares_sum(facts->shares, row, session->serial, &others);
	usage.up_packets += others.up_packets;
	usage.up_octets += others.up_octets;
	usage.down_packets += others.down_packets;
	usage.down_octets += others.down_octets;
	usage.up_heard = later_of(usage.up_heard, others.up_s);
	usage.down_heard = later_of(usage.down_heard, others.down_s);
	return usage;
}

uint64_t facts_refused(const struct facts *facts, const struct cluster_facts *cluster, enum why why)
{
	return lns_refused(facts->lns, why) + facts->plane->ops->refused(facts->plane, why) +
	       (cluster ? cluster->refused[why] : 0);
}
