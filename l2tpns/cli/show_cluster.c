/* show_cluster.c -- the cluster as this node sees it: role, peers, what is replicated, what was counted. */
#include <stdio.h>

#include "l2tpns/cli/show.h"

static const struct out_column columns[] = {
	{ "node",	"NODE",		5,  true },
	{ "address",	"ADDRESS",	15, false },
	{ "state",	"STATE",	14, false },
	{ "up_to_date",	"UP-TO-DATE",	10, false },
	{ "silent_ms",	"SILENT-MS",	9,  true },
	{ "age_s",	"AGE",		7,  true },
	{ "lag",	"LAG",		6,  true },
	{ "heard_by",	"HEARD-BY",	9,  false },
	{ "round_trip_us", "RTT-US",	7,  true },
	{ "late_max_us", "LATE-US",	8,  true },
	{ "records",	"RECORDS",	8,  true },
	{ "join_no",	"JOINED",	6,  true },
};

static const char *peer_state(const struct cl_peer_facts *peer)
{
	return peer->unsealed ? "no ping yet" : peer->refused ? "refused" : !peer->alive ? "silent" :
	       peer->leaving ? "leaving" : peer->master ? "master" : peer->fresh ? "slave, empty" : "slave";
}

/* How many changes it has yet to get; of an earlier term: not known. */
static void lag_put(struct out *out, struct version upto, struct version have)
{
	if (version_term(upto) != version_term(have))
		out_none(out, "lag");
	else
		out_count(out, "lag", version_before(have, upto) ? version_seq(upto) - version_seq(have) : 0);
}

static void peers_put(struct out *out, const struct cluster_facts *cluster)
{
	out_list(out, "peers", columns, ARRAY_LEN(columns));
	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++) {
		const struct cl_peer_facts *peer = &cluster->peer[slot];

		if (!cluster->known[slot])
			continue;
		out_object(out, NULL);
		out_id(out, "node", peer->node.n);
		out_ip(out, "address", peer->address);
		out_word(out, "state", peer_state(peer));
		out_bool(out, "up_to_date", peer->up_to_date);
		out_count(out, "silent_ms", peer->silent_ms);
		out_seconds(out, "age_s", peer->age_ms / 1000);
		lag_put(out, cluster->cl.upto, peer->have);
		out_word(out, "heard_by", peer->by_multicast && peer->by_unicast ? "both" :
					  peer->by_multicast ? "multicast" : peer->by_unicast ? "unicast" : "nothing");
		if (peer->round_trip_us)
			out_count(out, "round_trip_us", peer->round_trip_us);
		else
			out_none(out, "round_trip_us");
		out_count(out, "late_max_us", peer->late_max_us);
		out_count(out, "records", peer->sessions);
		out_id(out, "join_no", peer->join_no);
		out_end(out);
	}
	out_end(out);
}

static void version_put(struct out *out, const char *name, struct version version)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%u.%llu", version_term(version), (unsigned long long)version_seq(version));
	out_word(out, name, text);
}

static void role_put(struct out *out, const struct cluster_facts *cluster)
{
	static const char *const announces[] = { "no", "low", "full" };
	const struct cl_facts *cl = &cluster->cl;

	out_word(out, "role", cl_role_name(cl->status.role));
	out_bool(out, "frozen", cl->status.frozen);
	out_id(out, "term", cl->status.term);
	if (cl->status.master.n)
		out_id(out, "master", cl->status.master.n);
	else
		out_none(out, "master");
	out_word(out, "reason", cl->reason);
	out_id(out, "node", cl->self.n);
	out_seconds(out, "age_s", cl->age_ms / 1000);
	out_id(out, "join_no", cl->join_no);
	out_bool(out, "up_to_date", cl->status.up_to_date);
	out_word(out, "announce", announces[cl->status.announce % ARRAY_LEN(announces)]);
	out_count(out, "votes", cl->votes);
	out_count(out, "quorum", cl->quorum);
	out_count(out, "votes_alive", cl->votes_alive);
}

static void table_put(struct out *out, const struct cluster_facts *cluster)
{
	const struct cl_facts *cl = &cluster->cl;
	char digest[20];

	out_count(out, "records", cl->records);
	version_put(out, "have", cl->have);
	version_put(out, "upto", cl->upto);
	version_put(out, "committed", cl->committed);
	version_put(out, "verified", cl->synced);
	(void)snprintf(digest, sizeof(digest), "%016llx", (unsigned long long)cl->root);
	out_word(out, "digest", digest);
	out_count(out, "forwards_waiting", cl->forwards_waiting);
	out_count(out, "packets_waiting", cluster->held);
	out_id(out, "key_id", cl->key_id);
	out_id(out, "protocol", cl->proto);
}

static void lateness_put(struct out *out, const struct cl_facts *cl)
{
	static const char *const names[CL_LATE_BUCKETS] = {
		"below_1_ms", "below_2_ms", "below_5_ms", "below_10_ms", "below_20_ms", "below_50_ms", "below_100_ms",
		"below_200_ms", "below_500_ms", "more",
	};

	out_object(out, "lateness");
	for (unsigned i = 0; i < CL_LATE_BUCKETS; i++)
		out_count(out, names[i], cl->late[i]);
	out_count(out, "late_max_us", cl->late_max_us);
	out_end(out);
}

enum command_step show_cluster(struct command_run *run)
{
	struct out *out = &run->out;
	const struct cluster_facts *cluster = run->facts->ops->cluster(run->facts->ctx);

	if (!cluster) {
		out_word(out, "role", "alone");
		out_bool(out, "frozen", false);
		out_message(out, "this node is in no cluster: cluster_interface is not set");
		return COMMAND_DONE;
	}
	role_put(out, cluster);
	table_put(out, cluster);
	lateness_put(out, &cluster->cl);
	peers_put(out, cluster);
	return COMMAND_DONE;
}

/* ---- what `show counters` and the metrics say of it ---- */

/* Whatever an alarm may be built upon; a node alone has none of it. */
static void cluster_gauges_put(struct out *out, const struct cluster_facts *cluster)
{
	const struct cl_facts *cl = &cluster->cl;
	unsigned peers = 0;

	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++)
		peers += cluster->known[slot] && cluster->peer[slot].alive;
	out_single(out, "cluster_master", "this node is master", OUT_GAUGE, cl->status.role == CL_ROLE_MASTER);
	out_single(out, "cluster_frozen", "nothing may change: no quorum, or no master", OUT_GAUGE, cl->status.frozen);
	out_single(out, "cluster_up_to_date", "the copy is the master's; on the master: every slave's is", OUT_GAUGE,
		   cl->status.up_to_date);
	out_single(out, "cluster_announce", "how routes are announced: 0 not, 1 low, 2 full", OUT_GAUGE,
		   cl->status.announce);
	out_single(out, "cluster_term", "term of the master", OUT_GAUGE, cl->status.term);
	out_single(out, "cluster_peers", "other nodes heard", OUT_GAUGE, peers);
	out_single(out, "cluster_votes_alive", "votes that could be had", OUT_GAUGE, cl->votes_alive);
	out_single(out, "cluster_quorum", "votes that a master needs", OUT_GAUGE, cl->quorum);
	out_single(out, "cluster_records", "records replicated", OUT_GAUGE, cl->records);
	out_single(out, "cluster_packets_waiting", "packets that wait until what they say is replicated", OUT_GAUGE,
		   cluster->held);
	out_single(out, "cluster_late_max_us", "microseconds the latest beat came late, in a minute", OUT_GAUGE,
		   cl->late_max_us);
}

/* Refusals of cluster packets are among all others, under their reasons. */
void cluster_counters_put(struct command_run *run)
{
	const struct facts *facts = run->facts;
	const struct cluster_facts *cluster = facts->ops->cluster(facts->ctx);
	char name[64];

	if (!cluster)
		return;
	cluster_gauges_put(&run->out, cluster);
	for (unsigned stat = 0; stat < CL_STATS; stat++) {
		uint64_t base = counters_cleared(run) ? facts->cluster_base[stat] : 0;

		(void)snprintf(name, sizeof(name), "cluster_%s", cl_stat_name(stat));
		out_single(&run->out, name, cl_stat_help(stat), OUT_COUNTER, cluster->stat[stat] - base);
	}
}
