/*
 * facts.h -- everything a command may read, and the few things it may ask for.
 *
 * One struct facts a daemon, owned by the shell and used on the control thread
 * only.  Commands read the pure rooms directly and act through `ops`, so that
 * none of them knows a descriptor, a clock or a file.
 */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include "cluster/cluster.h"
#include "l2tpns/cli/rates.h"
#include "l2tpns/cli/top.h"
#include "l2tpns/core/lns.h"
#include "l2tpns/core/shares.h"
#include "l2tpns/plane/plane.h"

#define FACTS_MESSAGE_MAX	512	/* room for an answer to the operator, with its nul */
#define FACTS_LINE_MAX		1024	/* room for a line of configuration or log, with its nul */
#define FACTS_WORKERS_MAX	256

struct worker_facts {			/* one thread of the data plane; totals since it began */
	struct rates_totals totals;
	uint64_t	punted;		/* packets handed to the control plane */
	uint64_t	refused;	/* packets dropped, whatever the reason */
	uint64_t	batches;	/* times it woke to find packets */
	uint64_t	cpu_us;		/* processor time used */
};

struct cluster_facts {			/* what the cluster's thread last said, at most 100 ms old */
	struct cl_facts	cl;
	bool		known[CLUSTER_NODES_MAX];
	struct cl_peer_facts peer[CLUSTER_NODES_MAX];	/* by slot, where known */
	uint64_t	stat[CL_STATS];
	uint64_t	refused[WHYS];
	uint64_t	held;		/* packets that wait until what they say is replicated */
};

struct cluster_answer { bool ok; const char *words; };

struct facts_ops {
	/* Monotonic time, and microseconds of 1970 for what people read. */
	void (*clock)(void *ctx, struct mono *now, uint64_t *unix_us);

	/* False: no such object. */
	bool (*session_drop)(void *ctx, struct row row);
	bool (*tunnel_drop)(void *ctx, struct tid tid);

	/* Begin to leave, as SIGQUIT does; returns at once. */
	void (*shutdown)(void *ctx);

	/* False: it failed.  `message` says what was done or why not, "" when there is nothing to say. */
	bool (*reload)(void *ctx, char message[FACTS_MESSAGE_MAX]);
	bool (*memory_write)(void *ctx, char message[FACTS_MESSAGE_MAX]);
	bool (*option_set)(void *ctx, const char *name, const char *value, char message[FACTS_MESSAGE_MAX]);

	/* Line `number` (from 0) of the running configuration as `startup-config` has it; `all` includes what
	 * is at its default, `secrets` shows them instead of a row of stars.  False: there is no such line. */
	bool (*config_line)(void *ctx, unsigned number, bool all, bool secrets, char line[FACTS_LINE_MAX]);

	/* The data plane's threads, 0 .. workers()-1. */
	unsigned (*workers)(void *ctx);
	void (*worker)(void *ctx, unsigned number, struct worker_facts *worker);

	/* Load average times 100, over 1, 5 and 15 minutes. */
	void (*load)(void *ctx, unsigned load[3]);

	/* The oldest line of the log with number >= *at that one of `classes` (1 << enum say_class) asks for;
	 * *at moves past it.  *lost counts what was overwritten meanwhile.  False: none yet.
	 * log_end() is the number the next line will have. */
	bool (*log_line)(void *ctx, uint64_t *at, unsigned classes, uint64_t *lost, char line[FACTS_LINE_MAX]);
	uint64_t (*log_end)(void *ctx);

	/* The cluster; NULL: this node is in none.  A loan until the next call. */
	const struct cluster_facts *(*cluster)(void *ctx);
	/* Ask it for something: a number, to look for the answer with.  False: there is none yet. */
	uint32_t (*cluster_ask)(void *ctx, enum cl_verb verb, struct node_id node);
	bool (*cluster_answer)(void *ctx, uint32_t number, struct cluster_answer *answer);
	/* Read the key file again; `rotate`: and seal with its last key from now on. */
	bool (*cluster_keys)(void *ctx, bool rotate, char message[FACTS_MESSAGE_MAX]);
};

struct facts {
	const struct lns	*lns;
	const struct plane	*plane;
	const struct shares	*shares;	/* what other nodes forwarded; NULL: this node is alone */
	const char		*version;	/* "2.0.0" */
	char			 host[64];	/* our name in prompts and displays */
	struct mono		 started;
	const struct facts_ops	*ops;
	void			*ctx;

	/* Kept by the commands themselves, zero at start. */
	struct mono		 now;		/* as of this slice */
	uint64_t		 unix_us;
	struct rates		 rates;
	uint64_t		 stat_base[STATS];	/* what `clear counters` took away from the display */
	uint64_t		 why_base[WHYS];
	uint64_t		 cluster_base[CL_STATS];
	struct rates_totals	 totals_base;
	uint64_t		 cleared_unix_s;	/* 0 = never */
	struct top		 top;
};

/* Read the clock; called before each slice of a command. */
void facts_refresh(struct facts *facts);

/* Call once a second: `uptime` and `show top` show the rates of the last seconds.  Cost: the number of workers. */
void facts_second(struct facts *facts);

/* Sum over the data plane's threads. */
struct rates_totals facts_totals(const struct facts *facts);

/* Of one session: what this node's data plane counts, and what the other nodes said. */
struct plane_usage facts_usage(const struct facts *facts, struct row row);

/* Packets refused for this reason by the control plane, the data plane and the cluster together.  `cluster` is what
 * ops->cluster() said, so that a list of all reasons asks for it once. */
uint64_t facts_refused(const struct facts *facts, const struct cluster_facts *cluster, enum why why);

#endif
