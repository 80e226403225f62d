/* facts.c -- what a node tells about itself and others, and whether a configuration can be safe. */
#include "cluster/mutants.h"
#include "cluster/state.h"

#define INTERVAL_MIN_MS	10u
#define DEAD_MAX_MS	60000u
#define KEYS_MAX	(1u << 24)
#define DRIFT_PERMILLE	2u		/* of two clocks that are wrong in opposite directions */

/* ---- configuration (requirement R8) ---- */

static uint32_t lease_of(const struct cl_conf *conf)
{
	return conf->lease_ms ? conf->lease_ms : conf->dead_ms / 10 * 8;
}

static uint32_t grant_of(const struct cl_conf *conf)
{
	return conf->grant_ms ? conf->grant_ms : conf->dead_ms / 10 * 9;
}

static const char *timers_fault(const struct cl_conf *conf)
{
	uint32_t lease = lease_of(conf), grant = grant_of(conf);

	if (conf->interval_ms < INTERVAL_MIN_MS)
		return "cluster_hb_interval is too short: it must be 10 ms or more";
	if (conf->dead_ms == 0 || conf->dead_ms > DEAD_MAX_MS)
		return "cluster_hb_timeout must be from 1 ms to 60 s";
	if (conf->dead_ms < (uint64_t)conf->interval_ms * 3)
		return "cluster_hb_timeout is shorter than three times cluster_hb_interval";
	if (lease == 0 || grant == 0)
		return "lease and grant times must not be zero";
	if (grant > conf->dead_ms)
		return "the grant time is longer than cluster_hb_timeout";
	if ((uint64_t)lease * (1000 + DRIFT_PERMILLE) / 1000 + 1 >= grant)
		return "the lease does not end before the grant time: two masters could overlap";
	if (conf->fresh_vote_after_ms < conf->dead_ms)
		return "the wait of a node without state is shorter than cluster_hb_timeout";
	if (conf->forward_wait_ms == 0)
		return "packets must wait for a master for some time: the wait must not be zero";
	return NULL;
}

static const char *members_fault(const struct cl_conf *conf)
{
	bool self = conf->members == 0;

	if (conf->members > CLUSTER_NODES_MAX)
		return "cluster_nodes has more than 32 addresses";
	for (unsigned i = 0; i < conf->members; i++) {
		if (ip_is_none(conf->member[i]))
			return "cluster_nodes has an address that is none";
		self |= ip_eq(conf->member[i], conf->address);
		for (unsigned j = 0; j < i; j++)
			if (ip_eq(conf->member[i], conf->member[j]))
				return "cluster_nodes has an address twice";
	}
	return self ? NULL : "cluster_nodes lacks our own address on the cluster's interface";
}

const char *cl_conf_fault(const struct cl_conf *conf)
{
	if (conf->self.n == 0 || conf->self.n == UINT16_MAX)
		return "cluster_node must be from 1 to 65534";
	if (conf->name[0] == 0)
		return "the cluster has no name";
	if (ip_is_none(conf->address))
		return "the cluster's interface has no address";
	if (conf->keys == 0 || conf->keys > KEYS_MAX || conf->record_octets == 0)
		return "the tables have no size, or are larger than any cluster could copy";
	const char *fault = timers_fault(conf);

	return fault ? fault : members_fault(conf);
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
	static const struct hash_key salt = { { 0x636f6e66, 0x69676469 } };
	uint64_t words[2] = { 0, 0 };
	uint8_t octets[sizeof(words)];

	for (unsigned i = 0; i < 8; i++) {
		octets[i] = (uint8_t)(sum >> 8 * i);
		octets[8 + i] = (uint8_t)(value >> 8 * i);
	}
	return hash_octets(salt, bytes_of(octets, sizeof(octets)));
}

/* The members are a set: their order does not matter. */
uint32_t cl_conf_digest(const struct cl_conf *conf)
{
	static const struct hash_key salt = { { 0x6d656d62, 0x65727321 } };
	uint64_t members = 0, sum = 1;

	for (unsigned i = 0; i < conf->members; i++)
		members += hash_octets(salt, bytes_of(conf->member[i].b, sizeof(conf->member[i].b)));
	const uint64_t agree[] = { conf->interval_ms, conf->dead_ms, lease_of(conf), grant_of(conf), conf->keys,
				   (uint64_t)conf->commit, conf->members, members };

	for (size_t i = 0; i < ARRAY_LEN(agree); i++)
		sum = mix(sum, agree[i]);
	return (uint32_t)sum;
}

/* ---- lateness (requirement R6) ---- */

void cl_late(struct cl *cl, struct dur late, struct mono now)
{
	static const uint32_t below_ms[CL_LATE_BUCKETS - 1] = { 1, 2, 5, 10, 20, 50, 100, 200, 500 };
	unsigned bucket = 0;
	uint64_t us = late.us < 0 ? 0 : (uint64_t)late.us;

	while (bucket < CL_LATE_BUCKETS - 1 && us >= below_ms[bucket] * UINT64_C(1000))
		bucket++;
	cl->late[bucket]++;
	if (mono_reached(now, mono_add(cl->late_since, DUR_S(60)))) {
		cl->late_since = now;
		cl->late_max_us = 0;
	}
	cl->late_max_us = max_u32(cl->late_max_us, us > UINT32_MAX ? UINT32_MAX : (uint32_t)us);
}

/* ---- facts ---- */

bool cl_peer(const struct cl *cl, unsigned slot, struct mono now, struct cl_peer_facts *facts)
{
	const struct cl_peer *peer = slot < CLUSTER_NODES_MAX ? &cl->peer[slot] : NULL;

	*facts = (struct cl_peer_facts){ 0 };
	if (!peer || !peer->used)
		return false;
	*facts = (struct cl_peer_facts){
		.node = peer->node, .address = peer->from, .alive = peer->alive,
		.up_to_date = cl->status.role == CL_ROLE_MASTER ? peer->up_to_date :
			      (peer->ping.flags & CL_IS_UP_TO_DATE) != 0,
		.master = node_eq(cl->status.master, peer->node), .fresh = (peer->ping.flags & CL_IS_FRESH) != 0,
		.refused = peer->refused, .leaving = peer->leaving, .unsealed = !peer->ping_at.us,
		.by_multicast = peer_by_multicast(cl, peer, now) && peer->hears_multicast,
		.by_unicast = peer->heard_unicast.us && dur_ms(mono_since(now, peer->heard_unicast)) < cl->conf.dead_ms,
		.age_ms = peer->ping.basetime_ms, .silent_ms = (uint32_t)dur_ms(mono_since(now, peer->heard)),
		.have = cl->status.role == CL_ROLE_MASTER ? peer->have : peer->ping.have,
		.join_no = peer->ping.join_no, .sessions = peer->ping.sessions, .round_trip_us = peer->round_trip_us,
		.late_max_us = peer->ping.late_max_us, .slot = (uint8_t)slot,
	};
	return true;
}

void cl_facts(const struct cl *cl, struct mono now, struct cl_facts *facts)
{
	*facts = (struct cl_facts){
		.status = cl->status, .self = cl->conf.self, .age_ms = dur_ms(mono_since(now, cl->started)) + 1,
		.join_no = cl->join_no, .have = cl->have, .upto = cl->records.upto, .committed = cl->committed,
		.synced = cl->synced, .root = cl->records.root, .records = cl->records.live, .votes = cl_votes(cl),
		.quorum = cl_quorum(cl), .votes_alive = peers_alive(cl) + !cl->leaving,
		.forwards_waiting = forward_waiting(cl), .late_max_us = cl->late_max_us, .proto = CL_PROTO_MAX,
		.key_id = seal_sending(cl->seal),
	};
	memcpy(facts->late, cl->late, sizeof(facts->late));
	memcpy(facts->reason, cl->reason, sizeof(facts->reason));
}

/* ---- counters ---- */

static const struct { const char *name, *help; } stats[CL_STATS] = {
#define CL_STAT(id, help) [CL_STAT_##id] = { #id, help },
#include "cluster/stats.def"
#undef CL_STAT
};

uint64_t cl_stat(const struct cl *cl, enum cl_stat stat)
{
	ASSERT(stat < CL_STATS);
	return cl->stat[stat];
}

const char *cl_stat_name(enum cl_stat stat)
{
	ASSERT(stat < CL_STATS);
	return stats[stat].name;
}

const char *cl_stat_help(enum cl_stat stat)
{
	ASSERT(stat < CL_STATS);
	return stats[stat].help;
}

uint64_t cl_refused(const struct cl *cl, enum why why)
{
	ASSERT(why < WHYS);
	return cl->refused[why];
}
