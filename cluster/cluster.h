/*
 * cluster.h -- one node of a cluster: datagrams, time and changes in, effects out.
 *
 * Pure.  The same object runs in the daemon (on a thread of its own, between
 * cluster/io.c's sockets and the control thread), in the simulator, and under the
 * fuzzer.  It knows nothing of sessions: a record is octets under a number.
 *
 * Roles.  Everybody starts as a slave.  When no master is heard for dead_ms, the
 * oldest node asks for the next term first; it becomes master with the votes of a
 * quorum of the configured nodes, or, when none are configured, of all that are
 * alive.  A master that has not been acknowledged by a quorum within lease_ms is
 * frozen: it changes nothing until it is again, or yields to a higher term.
 *
 * Replication.  On the master cl_change() gives a change its version and puts it into
 * the next HEARTBEAT.  cl_committed() tells up to which version the commit rule
 * holds.  On a slave changes arrive in order and cl_apply_next() hands them on.
 *
 * Everything is told the time.  One entry adds a bounded number of effects; it is
 * called only with a list that has fx_has_room().
 */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include "cluster/msg.h"
#include "cluster/seal.h"
#include "l2tpns/base/fx.h"
#include "l2tpns/base/mono.h"
#include "l2tpns/base/why.h"

enum cl_commit { CL_COMMIT_QUORUM, CL_COMMIT_ONE, CL_COMMIT_NONE };

struct cl_conf {
	struct node_id	self;
	char		name[32];		/* of the cluster */
	struct ip	address;		/* our own on the cluster's interface */
	struct ip	member[CLUSTER_NODES_MAX];	/* the configured nodes, ours too; none: who has the key */
	unsigned	members;
	uint32_t	interval_ms;		/* between PINGs and between HEARTBEATs */
	uint32_t	dead_ms;		/* silence after which a master is dead; at least 3 intervals */
	uint32_t	lease_ms, grant_ms;	/* lease < grant - drift - tick; 0: made from dead_ms (80 %, 90 %) */
	uint32_t	fresh_vote_after_ms;	/* without state it votes after so long without anybody who has any */
	enum cl_commit	commit;
	uint32_t	forward_wait_ms;	/* how long a packet waits for a master: 1000 */
	uint32_t	min_adv;		/* slaves that must be up to date before the master withdraws */
	bool		wait_for_all;		/* at a cold start, no master until every configured node is seen */
	/* limits, read at start only */
	uint32_t	keys;			/* of records */
	size_t		record_octets;		/* memory for them */
};

/* Why a configuration cannot be safe (a sentence naming the option), or NULL. */
const char *cl_conf_fault(const struct cl_conf *conf);
uint32_t cl_conf_digest(const struct cl_conf *conf);	/* of what must agree on every node */

struct cl;

/* How much memory it takes, then build it there (zeroed). */
size_t cl_size(const struct cl_conf *conf);
struct cl *cl_init(const struct cl_conf *conf, const struct seal_secret secret[SEAL_SECRETS_MAX], uint8_t sending,
		   const uint8_t seed[RND_SEED_LEN], struct mono now, struct arena *arena);

/*
 * A warm start.  The table of records may lie in memory of its own, which outlives the
 * process: cl_table_size() octets of it, zeroed.  cl_adopt() takes over what an earlier
 * process of this node left in such memory, with the term it had promised; it is called
 * before anything else.  False: it is damaged or of other limits; the node starts empty.
 */
size_t cl_table_size(const struct cl_conf *conf);
struct cl *cl_init_apart(const struct cl_conf *conf, const struct seal_secret secret[SEAL_SECRETS_MAX],
			 uint8_t sending, const uint8_t seed[RND_SEED_LEN], struct mono now, struct arena *arena,
			 struct arena *table);
struct cl_kept {			/* beside the table: to be kept there before anything is sent */
	uint32_t	promised;	/* the highest term promised or followed */
	int64_t		time_offset_us;	/* cluster time - local time: the clock goes on when a process ends */
};
struct cl_kept cl_kept(const struct cl *cl);
MUST_USE bool cl_adopt(struct cl *cl, void *left, const struct cl_kept *kept, uint32_t *room);	/* a number a key */
void cl_wipe(struct cl *cl);			/* keys are no longer needed */

/* ---- what happens outside ---- */

/* A datagram arrived.  `from` is its source address. */
enum why cl_received(struct cl *cl, struct addr from, struct bytes packet, struct mono now, struct fx_list *out);
/* Call when cl_next() is reached; and first hand in all datagrams that wait (requirement R4). */
void cl_tick(struct cl *cl, struct mono now, struct fx_list *out);
struct mono cl_next(const struct cl *cl);
/* Now and then: how late the last wake-up was.  A long gap makes the node abstain until it has heard the others. */
void cl_paused(struct cl *cl, struct dur gap, struct mono now);

/* ---- the master's changes ---- */

enum cl_change { CL_CHANGED, CL_SAME, CL_NOT_MASTER, CL_NO_ROOM };
/* A record of ours changed (empty octets: it is gone).  CL_SAME: it is what it was; no version was used. */
MUST_USE enum cl_change cl_change(struct cl *cl, uint32_t key, struct bytes octets);
/* Issue a record of ours anew, as it is: somebody else's copy of it differs. */
MUST_USE enum cl_change cl_touch(struct cl *cl, uint32_t key);
struct version cl_upto(const struct cl *cl);		/* of the latest change */
/* A batch of changes is complete: it goes out now. */
void cl_flush(struct cl *cl, struct mono now, struct fx_list *out);
/* Changes up to here may be acted upon where others see it.  Never goes back within a term. */
struct version cl_committed(const struct cl *cl);

/* ---- a slave's copy ---- */

/* The next change that the daemon's own tables have not seen; false: none.  Also on a new master, before
 * FX_CL_ROLE says so: there everything has been handed out. */
MUST_USE bool cl_apply_next(struct cl *cl, struct record *record);

/* ---- roles ---- */

enum cl_role { CL_ROLE_SLAVE, CL_ROLE_CANDIDATE, CL_ROLE_IMPORTING, CL_ROLE_MASTER, CL_ROLES };
const char *cl_role_name(enum cl_role role);
enum cl_announce { CL_ANNOUNCE_OFF, CL_ANNOUNCE_LOW, CL_ANNOUNCE_FULL };

struct cl_status {
	enum cl_role	role;
	uint32_t	term;
	struct node_id	master;		/* 0: nobody */
	bool		frozen;		/* nothing may be changed now, whatever the role */
	bool		up_to_date;	/* the table is the master's, verified; on the master: every slave's is */
	enum cl_announce announce;	/* how routes should be announced */
};
struct cl_status cl_status(const struct cl *cl);

/* Cluster time, microseconds: the same on all nodes within the delay of a heartbeat, never back on one node. */
uint64_t cl_time(const struct cl *cl, struct mono now);
struct mono cl_mono(const struct cl *cl, uint64_t cluster_us);	/* local time; at least 1 us after its origin */

/* Which up-to-date node owns what must be decided in one place for this key (a rate limit). */
struct node_id cl_owner(const struct cl *cl, uint32_t key);

/* ---- packets ---- */

/* A packet that another node must handle: to the master, waiting for one if need be. */
void cl_forward(struct cl *cl, uint8_t kind, uint8_t hops, struct addr from, struct ip local, struct bytes packet,
		struct mono now, struct fx_list *out);
/* Counters for every node. */
void cl_bytes(struct cl *cl, struct bytes counters, struct mono now, struct fx_list *out);

/* ---- the operator ---- */

enum cl_verb { CL_VERB_STOP = 1, CL_VERB_HANDOVER, CL_VERB_FORCE, CL_VERB_RESYNC };
/* Results come as FX_CL_DONE, from wherever the wish had to go.  `number` is given back. */
void cl_command(struct cl *cl, enum cl_verb verb, struct node_id argument, uint32_t number, struct mono now,
		struct fx_list *out);
void cl_secrets(struct cl *cl, const struct seal_secret secret[SEAL_SECRETS_MAX], uint8_t sending);
void cl_healthy(struct cl *cl, bool healthy);
/* The daemon ends now: tell everybody that we leave. */
void cl_leaving(struct cl *cl, struct mono now, struct fx_list *out);

/* Another configuration of what is not a limit. */
void cl_configured(struct cl *cl, const struct cl_conf *conf, struct mono now);

/* ---- effects: kinds FX_CL_* of base/fx.h ---- */

struct fx_cl_send {			/* FX_CL_SEND; then the datagram */
	struct ip	to;		/* none: multicast */
};
struct fx_cl_role {			/* FX_CL_ROLE, id: enum cl_role; whenever anything in it changed */
	struct cl_status status;
};
struct fx_cl_forwarded {		/* FX_CL_FORWARDED; then the packet: another node passed it on to us */
	struct addr	from;
	struct ip	local;
	struct node_id	by;
	uint8_t		kind, hops;
};
struct fx_cl_bytes {			/* FX_CL_BYTES; then the octets another node gave to cl_bytes() */
	struct node_id	by;
	uint8_t		slot;		/* 0..CLUSTER_NODES_MAX-1: the same for this node as long as we run */
};
struct fx_cl_done {			/* FX_CL_DONE, id: the command's number; then words for the operator */
	bool		ok;
};
struct fx_cl_offered {			/* FX_CL_OFFERED, id: the key; then the record */
	struct node_id	by;		/* this node alone has it, from a term that is over: the daemon answers with
					 * cl_change() (taken) or cl_touch() (not taken: ours overwrites it) */
	struct version	version;
};
/* FX_CL_APPLY (no payload): cl_apply_next() has something.  FX_CL_COMMITTED (no payload): cl_committed() moved.
 * FX_CL_DROP (no payload): the copy was dropped; forget every record, all come again. */

/* ---- facts ---- */

#define CL_LATE_BUCKETS	10u		/* < 1, 2, 5, 10, 20, 50, 100, 200, 500 ms, and more */

struct cl_peer_facts {
	struct node_id	node;
	struct ip	address;
	bool		alive, up_to_date, master, fresh, refused, leaving, unsealed;
	bool		by_multicast, by_unicast;
	uint64_t	age_ms;		/* its basetime */
	uint32_t	silent_ms;
	struct version	have;
	uint32_t	join_no;
	uint32_t	sessions;
	uint32_t	round_trip_us;	/* of the last acknowledged heartbeat; 0 = unknown */
	uint32_t	late_max_us;
	uint8_t		slot;
};
/* Peers by slot; false: no such. */
MUST_USE bool cl_peer(const struct cl *cl, unsigned slot, struct mono now, struct cl_peer_facts *facts);

struct cl_facts {
	struct cl_status status;
	struct node_id	self;
	uint64_t	age_ms;
	uint32_t	join_no;
	struct version	have, upto, committed, synced;
	uint64_t	root;
	uint32_t	records;
	unsigned	votes, quorum, votes_alive;
	uint32_t	forwards_waiting;
	uint64_t	late[CL_LATE_BUCKETS];	/* beats of the master (or, on it, own wake-ups) by lateness */
	uint32_t	late_max_us;
	uint8_t		proto;
	uint8_t		key_id;
	char		reason[96];		/* of the last change of role */
};
void cl_facts(const struct cl *cl, struct mono now, struct cl_facts *facts);

enum cl_stat {
#define CL_STAT(id, help) CL_STAT_##id,
#include "cluster/stats.def"
#undef CL_STAT
	CL_STATS
};
uint64_t cl_stat(const struct cl *cl, enum cl_stat stat);
const char *cl_stat_name(enum cl_stat stat);
const char *cl_stat_help(enum cl_stat stat);
uint64_t cl_refused(const struct cl *cl, enum why why);

#endif
