/* show_counters.c -- everything that is counted, as families: for people, JSON and Prometheus alike. */
#include <stdio.h>

#include "l2tpns/cli/show.h"

/* Metrics never go back; only the display for people and scripts starts again at `clear counters`. */
bool counters_cleared(const struct command_run *run)
{
	return run->out.ops != &out_metrics_ops;
}

static void stats_put(struct command_run *run)
{
	const struct facts *facts = run->facts;

	for (unsigned i = 0; i < STATS; i++) {
		const struct stat_row *row = stat_row(i);
		uint64_t base = counters_cleared(run) ? facts->stat_base[i] : 0;

		out_single(&run->out, row->name, row->help, OUT_COUNTER, lns_stat(facts->lns, i) - base);
	}
}

static void traffic_put(struct command_run *run)
{
	const struct rates_totals none = { 0 };
	const struct facts *facts = run->facts;
	const struct rates_totals *base = counters_cleared(run) ? &facts->totals_base : &none;
	struct rates_totals totals = facts_totals(facts);
	struct out *out = &run->out;

	out_single(out, "up_packets", "packets forwarded from subscribers", OUT_COUNTER,
		   totals.up_packets - base->up_packets);
	out_single(out, "up_octets", "octets forwarded from subscribers", OUT_COUNTER,
		   totals.up_octets - base->up_octets);
	out_single(out, "down_packets", "packets forwarded to subscribers", OUT_COUNTER,
		   totals.down_packets - base->down_packets);
	out_single(out, "down_octets", "octets forwarded to subscribers", OUT_COUNTER,
		   totals.down_octets - base->down_octets);
}

static void gauges_put(struct command_run *run)
{
	const struct facts *facts = run->facts;
	struct out *out = &run->out;

	out_single(out, "sessions", "sessions there are now", OUT_GAUGE, lns_session_count(facts->lns));
	out_single(out, "tunnels", "tunnels there are now", OUT_GAUGE, lns_tunnel_count(facts->lns));
	out_single(out, "uptime_seconds", "seconds since the daemon started", OUT_GAUGE,
		   dur_s(mono_since(facts->now, facts->started)));
}

static void refusals_put(struct command_run *run)
{
	static const struct out_family family = {
		.name = "refused", .help = "refused, by reason", .label = "reason", .metric = OUT_COUNTER,
	};
	const struct facts *facts = run->facts;
	const struct cluster_facts *cluster = facts->ops->cluster(facts->ctx);

	out_family(&run->out, &family);
	for (unsigned why = WHY_OK + 1; why < WHYS; why++) {
		uint64_t base = counters_cleared(run) ? facts->why_base[why] : 0;

		out_sample(&run->out, why_name(why), why_text(why), facts_refused(facts, cluster, why) - base);
	}
	out_family_end(&run->out);
}

static void pools_put(struct command_run *run)
{
	static const struct out_family families[2] = {
		{ "pool_addresses", "addresses in each pool", "pool", OUT_GAUGE },
		{ "pool_used", "addresses in use in each pool", "pool", OUT_GAUGE },
	};
	const struct lns *lns = run->facts->lns;

	for (unsigned k = 0; k < ARRAY_LEN(families); k++) {
		out_family(&run->out, &families[k]);
		for (unsigned i = 0; i < lns_conf(lns)->pools.pools; i++) {
			struct ippool_facts pool = ippool_facts(lns_pools(lns), i);
			const char *name = lns_conf(lns)->pools.name[i];

			out_sample(&run->out, *name ? name : "default", NULL, k ? pool.used : pool.addresses);
		}
		out_family_end(&run->out);
	}
}

/* What a worker counts: one row a column of the table, a family of the metrics. */
static const struct worker_row {
	const char	*name, *title, *help;
	size_t		 at;
	enum out_type	 type;
} worker_rows[] = {
#define W(name, title, help, field, type) { name, title, help, offsetof(struct worker_facts, field), type }
	W("up_packets",	 "UP-PACKETS",	 "packets from subscribers", totals.up_packets, OUT_IS_COUNT),
	W("up_octets",	 "UP",		 "octets from subscribers", totals.up_octets, OUT_IS_OCTETS),
	W("down_packets", "DOWN-PACKETS", "packets to subscribers", totals.down_packets, OUT_IS_COUNT),
	W("down_octets", "DOWN",	 "octets to subscribers", totals.down_octets, OUT_IS_OCTETS),
	W("punted",	 "PUNTED",	 "packets handed to the control plane", punted, OUT_IS_COUNT),
	W("refused",	 "REFUSED",	 "packets dropped", refused, OUT_IS_COUNT),
	W("batches",	 "BATCHES",	 "times it woke to find packets", batches, OUT_IS_COUNT),
	W("cpu_us",	 "CPU-US",	 "microseconds of processor time", cpu_us, OUT_IS_COUNT),
#undef W
};

static uint64_t worker_number(const struct worker_facts *worker, const struct worker_row *row)
{
	uint64_t number;

	memcpy(&number, (const char *)worker + row->at, sizeof(number));
	return number;
}

static void workers_put(struct command_run *run)
{
	const struct facts *facts = run->facts;
	unsigned workers = min_u32(facts->ops->workers(facts->ctx), FACTS_WORKERS_MAX);

	for (unsigned k = 0; workers && k < ARRAY_LEN(worker_rows); k++) {
		char name[32];
		struct out_family family = {
			.name = name, .help = worker_rows[k].help, .label = "worker", .metric = OUT_COUNTER,
		};

		snprintf(name, sizeof(name), "worker_%s", worker_rows[k].name);
		out_family(&run->out, &family);
		for (unsigned i = 0; i < workers; i++) {
			struct worker_facts worker = { 0 };
			char label[12];

			facts->ops->worker(facts->ctx, i, &worker);
			snprintf(label, sizeof(label), "%u", i);
			out_sample(&run->out, label, NULL, worker_number(&worker, &worker_rows[k]));
		}
		out_family_end(&run->out);
	}
}

/* One group a slice: each fits the buffer whatever the configuration, as their sizes are fixed. */
enum command_step show_counters(struct command_run *run)
{
	static void (*const groups[])(struct command_run *run) = {
		gauges_put, stats_put, traffic_put, refusals_put, pools_put, workers_put, cluster_counters_put,
	};

	if (run->stage == 0 && counters_cleared(run) && run->facts->cleared_unix_s)
		out_when(&run->out, "cleared_at", run->facts->cleared_unix_s);
	groups[run->stage++](run);
	return run->stage < ARRAY_LEN(groups) ? COMMAND_MORE : COMMAND_DONE;
}

enum command_step show_workers(struct command_run *run)
{
	struct out_column columns[ARRAY_LEN(worker_rows) + 1] = { { "worker", "WORKER", 6, true } };
	const struct facts *facts = run->facts;
	struct out *out = &run->out;
	unsigned workers = min_u32(facts->ops->workers(facts->ctx), FACTS_WORKERS_MAX);

	for (unsigned k = 0; k < ARRAY_LEN(worker_rows); k++)
		columns[k + 1] = (struct out_column){ worker_rows[k].name, worker_rows[k].title, 12, true };
	out_list(out, "workers", columns, ARRAY_LEN(columns));
	for (unsigned i = 0; i < workers; i++) {
		struct worker_facts worker = { 0 };

		facts->ops->worker(facts->ctx, i, &worker);
		out_object(out, NULL);
		out_id(out, "worker", i);
		for (unsigned k = 0; k < ARRAY_LEN(worker_rows); k++) {
			uint64_t number = worker_number(&worker, &worker_rows[k]);

			if (worker_rows[k].type == OUT_IS_OCTETS)
				out_octets(out, worker_rows[k].name, number);
			else
				out_count(out, worker_rows[k].name, number);
		}
		out_end(out);
	}
	out_end(out);
	return COMMAND_DONE;
}

enum command_step clear_counters(struct command_run *run)
{
	struct facts *facts = run->facts;
	const struct cluster_facts *cluster = facts->ops->cluster(facts->ctx);

	for (unsigned i = 0; i < STATS; i++)
		facts->stat_base[i] = lns_stat(facts->lns, i);
	for (unsigned why = 0; why < WHYS; why++)
		facts->why_base[why] = facts_refused(facts, cluster, why);
	for (unsigned i = 0; cluster && i < CL_STATS; i++)
		facts->cluster_base[i] = cluster->stat[i];
	facts->totals_base = facts_totals(facts);
	facts->cleared_unix_s = facts->unix_us / 1000000;
	out_message(&run->out, "counters cleared");
	return COMMAND_DONE;
}
