/*
 * io.h -- the cluster's thread: sockets on one side, two queues to the control thread on the other.
 *
 * A thread of its own runs the machine of cluster.h, so that neither a flood of calls
 * nor a long turn of the control thread delays a heartbeat.  The two threads share no
 * lock on their way to each other: one ring of octets each way, and a descriptor that
 * is written only when the other side sleeps.
 *
 * Everything below is for the control thread, and only for it.
 *
 * Changes that come too late.  Between the moment this node ceases to be master (or is
 * frozen) and the moment the control thread hears of it, it may queue changes that the
 * cluster does not take.  Their batches are lost: what was held for them must not be
 * sent.  For each key of them an APPLY brings the cluster's record back, and until
 * these were read from cluster_io_next() every further change is lost, too, so that no
 * change is ever built upon one that does not stand.  Likewise, a new master's changes
 * count from the moment its ROLE was read.
 */
#ifndef CLUSTER_IO_H
#define CLUSTER_IO_H

#include <net/if.h>

#include "cluster/cluster.h"
#include "l2tpns/base/say.h"

#define CLUSTER_IO_LINKS	2u
#define CLUSTER_IO_ERROR_MAX	160u
#define CLUSTER_IO_BATCH_MAX	(8u * 1024 * 1024)	/* octets of changes in a batch, 32 more counted for each */

struct cluster_io_conf {
	struct cl_conf	cl;
	struct seal_secret secret[SEAL_SECRETS_MAX];
	uint8_t		sending;
	char		interface[CLUSTER_IO_LINKS][IFNAMSIZ];	/* the second may be empty */
	struct ip	group;			/* a multicast address of either family */
	uint16_t	port;
	uint8_t		ttl;
	bool		realtime;		/* SCHED_RR, if the system lets us */
	const char	*memory;		/* a file in memory where the table outlives us; NULL: it does not */
	void		(*thread_began)(void);	/* called first on the new thread; may be NULL */
};

/* What the shell adds to the machine's own facts. */
enum cluster_io_stat {
	CLUSTER_IO_EVENTS_DROPPED, CLUSTER_IO_ANSWERS_DROPPED, CLUSTER_IO_ASKS_DROPPED, CLUSTER_IO_LOST_CHANGES,
	CLUSTER_IO_SEND_FAILED, CLUSTER_IO_WAKES_LATE,
	CLUSTER_IO_STATS
};
const char *cluster_io_stat_name(enum cluster_io_stat stat);
const char *cluster_io_stat_help(enum cluster_io_stat stat);

struct cluster_io_facts {
	struct cl_facts	cl;
	bool		known[CLUSTER_NODES_MAX];
	struct cl_peer_facts peer[CLUSTER_NODES_MAX];		/* by slot, where known */
	uint64_t	stat[CL_STATS];
	uint64_t	refused[WHYS];
	uint64_t	io[CLUSTER_IO_STATS];
	bool		link_up[CLUSTER_IO_LINKS];
};

struct cluster_io;

/* The first address an interface has in the family of `group`.  0, -ENODEV (no such interface), -EADDRNOTAVAIL. */
MUST_USE int cluster_io_address(const char *interface, struct ip group, struct ip *address);

/* 0 or -errno, `error` then is a sentence that names the option at fault. */
MUST_USE int cluster_io_open(struct cluster_io **io, const struct cluster_io_conf *conf,
			     char error[CLUSTER_IO_ERROR_MAX]);
/* Tells the others that we leave, waits up to 250 ms until a successor has answered, ends the thread. */
void cluster_io_close(struct cluster_io *io);

/* From assert_fail(), on any thread: writes the last inputs of the machine into l2tpns.trace, beside the log file named
 * (an absolute path; NULL or anything else: into /var/tmp), for root's eyes only.  0 or -errno. */
int cluster_io_crash(const struct cluster_io *io, const char *beside);

/* ---- to the cluster thread ---- */

/* Room for one more batch.  Asked before packets are taken that may change something. */
bool cluster_io_room(const struct cluster_io *io);
void cluster_io_change(struct cluster_io *io, uint32_t key, struct bytes octets);
void cluster_io_touch(struct cluster_io *io, uint32_t key);
/* The changes since the last batch belong together and go out now.  Returns the batch's number, which only
 * grows; a batch without changes is released after all before it. */
uint64_t cluster_io_batch(struct cluster_io *io);
/* A batch up to `lost` must be forgotten; else one up to `released` may be acted upon.  Read released first. */
uint64_t cluster_io_released(const struct cluster_io *io);
uint64_t cluster_io_lost(const struct cluster_io *io);

void cluster_io_forward(struct cluster_io *io, uint8_t kind, uint8_t hops, struct addr from, struct ip local,
			struct bytes packet);
void cluster_io_bytes(struct cluster_io *io, struct bytes counters);
void cluster_io_command(struct cluster_io *io, enum cl_verb verb, struct node_id node, uint32_t number);
void cluster_io_secrets(struct cluster_io *io, const struct seal_secret secret[SEAL_SECRETS_MAX], uint8_t sending);
void cluster_io_healthy(struct cluster_io *io, bool healthy);
void cluster_io_configured(struct cluster_io *io, const struct cl_conf *conf);

/* ---- from the cluster thread ---- */

enum cluster_event_kind {
	CLUSTER_APPLY,			/* key, octets (empty: gone), version */
	CLUSTER_ROLE,			/* status; a master's comes after every APPLY it needs */
	CLUSTER_DROP,			/* forget every record; all come again */
	CLUSTER_OFFERED,		/* key, octets, version, by: answer with change or touch */
	CLUSTER_FORWARDED,		/* from, local, by, packet_kind, hops, octets: the packet */
	CLUSTER_BYTES,			/* by, slot, octets; the same may come twice */
	CLUSTER_DONE,			/* number, ok, octets: words for the operator */
	CLUSTER_LOG,			/* say, log, octets: its text */
	CLUSTER_LINK,			/* ok, octets: a sentence for the log; an interface went or came back */
	CLUSTER_RELEASED,		/* released, lost: as the two functions above */
	CLUSTER_EVENTS
};

struct cluster_event {			/* octets are a loan until the next cluster_io_next() */
	enum cluster_event_kind kind;
	struct bytes	octets;
	uint32_t	key;
	struct version	version;
	struct cl_status status;
	struct node_id	by;
	struct addr	from;
	struct ip	local;
	uint8_t		slot, packet_kind, hops;
	bool		ok;
	uint32_t	number;
	uint64_t	released, lost;
	enum say	say;
	struct fx_log	log;		/* text_len is octets.len */
};

/* Readable when there may be events. */
int cluster_io_fd(const struct cluster_io *io);
/* The next event, in the order they happened; false: none now, and the descriptor will tell of the next. */
MUST_USE bool cluster_io_next(struct cluster_io *io, struct cluster_event *event);

/* What is known, at most 100 ms old. */
void cluster_io_facts(struct cluster_io *io, struct cluster_io_facts *facts);
/* Cluster time - CLOCK_MONOTONIC, in microseconds. */
int64_t cluster_io_time_offset(const struct cluster_io *io);

#endif
