/*
 * trace.h -- the last inputs of the machine, kept in a ring, so that what broke it can be played again.
 *
 * Pure.  Each entry point of cluster.h begins one entry here and ends it when it
 * returns; what the machine calls of its own entry points meanwhile is not another
 * one.  The entry of an ASSERT that failed is therefore the last, and has no end.
 *
 * What is kept: time, sender and message as the seal gave them; of a change only its
 * length and a hash, of a packet or counters only the length, as nothing depends on
 * their octets.  Datagrams the seal refused leave at most two entries in a row, so that
 * a flood of them does not wash away what matters.
 *
 * A dump is a line of text, struct cl_trace_head, then entries and their octets, as
 * they lie in memory: only the build that wrote it plays it again in any case.
 * Messages hold subscribers' records, so a dump is for root's eyes only.
 */
#ifndef CLUSTER_TRACE_H
#define CLUSTER_TRACE_H

#include "cluster/cluster.h"
#include "l2tpns/base/rd.h"

#define CL_TRACE_ENTRIES	4096u
#define CL_TRACE_OCTETS		(1024u * 1024)
#define CL_TRACE_NO_RESULT	UINT16_MAX	/* the entry did not return */

enum cl_trace_kind {
	CL_TRACE_END,			/* of a dump */
	CL_TRACE_REFUSED,		/* a datagram that was not opened; none of it is kept */
	CL_TRACE_RECEIVED,		/* flag: enum seal_said; node, to, boot, from, the message */
	CL_TRACE_TICK,
	CL_TRACE_PAUSED,		/* value: the gap */
	CL_TRACE_CHANGE,		/* number: the key; value: hash of the octets */
	CL_TRACE_TOUCH,			/* number: the key */
	CL_TRACE_FLUSH,
	CL_TRACE_FORWARD,		/* flag: kind, hops, from, local */
	CL_TRACE_BYTES,
	CL_TRACE_COMMAND,		/* flag: verb, node: argument, number */
	CL_TRACE_HEALTHY,		/* flag */
	CL_TRACE_LEAVING,
	CL_TRACE_CONFIGURED,		/* struct cl_conf */
	CL_TRACE_SECRETS,		/* flag: there is one to send with.  They are not kept. */
	CL_TRACE_ADOPTED,		/* number: term promised; value: the table's last version; the offset */
	CL_TRACE_KINDS
};
const char *cl_trace_kind_name(unsigned kind);

struct cl_trace_entry {
	uint64_t	at;		/* of its octets, among all ever kept */
	struct mono	now;
	uint64_t	value;
	struct version	have;		/* this and the next two: the machine's before the entry */
	uint32_t	term;
	uint8_t		role;
	uint8_t		kind;		/* enum cl_trace_kind */
	uint8_t		flag, hops;
	uint32_t	number;
	uint16_t	result;		/* enum why or enum cl_change, where the entry gives one */
	uint16_t	len, kept;	/* octets there were, and how many of them are kept */
	struct node_id	node, to;
	struct addr	from;
	struct ip	local;
	struct boot_id	boot;
};

struct cl_trace_head {
	uint32_t	octets, entry_octets;	/* of this struct and of an entry: a reader of another build sees it */
	struct cl_conf	conf;
	uint8_t		seed[RND_SEED_LEN];	/* it made boot id, challenges and pauses: no secrets */
	struct mono	started;
	bool		sends;			/* there was a secret to send with */
	uint64_t	lost;			/* entries that are no longer there: the beginning is missing */
	struct cl_status status;		/* this and the next three: when the dump was made */
	struct version	have, base, committed;
};

/* ---- for cluster.h's entry points ---- */

void cl_trace_init(struct cl *cl, const uint8_t seed[RND_SEED_LEN], bool sends, struct arena *arena);
/* `octets` may be longer than what is kept of them; entry->len is for those of which nothing is.  A `now` of 0 is the
 * entry before's. */
void cl_trace_begin(struct cl *cl, const struct cl_trace_entry *entry, struct bytes octets);
/* The datagram just begun could be opened: this is what it was. */
void cl_trace_opened(struct cl *cl, enum seal_said said, const struct seal_opened *opened, struct addr from);
void cl_trace_end(struct cl *cl, unsigned result);

/* ---- dumping ---- */

/* Returns how many octets were put.  From assert_fail() too, whatever the machine was doing: it calls nothing of the
 * machine's, allocates nothing, and reads no further than the ring. */
size_t cl_trace_dump(const struct cl *cl, void (*put)(void *ctx, const void *octets, size_t len), void *ctx);

/* ---- reading and playing: trace_play.c ---- */

/* NULL, or why it cannot be read.  `version` is a loan of the first line. */
MUST_USE const char *cl_trace_read(struct rd *r, struct cl_trace_head *head, struct bytes *version);
/* False at the end; !rd_ok(): the dump breaks off. */
MUST_USE bool cl_trace_next(struct rd *r, struct cl_trace_entry *entry, struct bytes *octets);

/* A machine for it: cl_init() with head->conf, started and seed, and any secret under number 1 (`sending` is
 * head->sends).  When the beginning is missing, `first` is where the machine is made to stand: its peers are taken for
 * proved as they are heard, and its records count as they come; what was master then, is not. */
void cl_play_begin(struct cl *cl, const struct cl_trace_head *head, const struct cl_trace_entry *first);
/* One entry, with an empty list; what the machine hands out is taken.  Returns the entry's result. */
uint16_t cl_play(struct cl *cl, const struct cl_trace_entry *entry, struct bytes octets, struct fx_list *out);

/* cluster.c: a message as if the seal had just opened it.  While the machine plays, `answered` stands for what the
 * seal says to a RESPONSE. */
enum why cl_replay_message(struct cl *cl, enum seal_said said, const struct seal_opened *opened, bool answered,
			   struct addr from, struct mono now, struct fx_list *out);

#endif
