/*
 * repl_state.h -- struct cl_repl: what brings every change everywhere; for repl*.c only.
 *
 * A slave has two positions.  `pos` is how far it followed the stream of its term.
 * cl->have, which elections compare and the commit rule counts, follows it only once
 * the digest agreed in this term (`proved`): until then our history may be a branch
 * that the master's does not contain, however high its numbers are.
 *
 * Always: records.upto <= pos, as a slave's list grows only at its end; on a master
 * they are equal, unless its term has no change yet.
 */
#ifndef CLUSTER_REPL_STATE_H
#define CLUSTER_REPL_STATE_H

#include "cluster/mutants.h"
#include "cluster/state.h"

#define REPL_REST_MAX	1240u	/* octets behind the fixed part of any message of ours; one record always fits */
#define REPL_DIGEST_LEN	8u
#define REPL_PAIR_LEN	12u	/* key and version: the slow walk, and CONTENTS */
#define REPL_KEPT	32u	/* datagrams that came early */
#define REPL_ASKED	16u	/* buckets being compared at a time */
#define REPL_PARTS_MAX	32u
#define REPL_ASIDES	512u	/* records kept to be offered after they were overwritten */
#define REPL_ASIDE_OCTETS (128u * 1024)

#define REPL_ALLOW	DUR_MS(5)	/* R27: for datagrams that overtook each other */
#define REPL_NACK_GAP	DUR_MS(20)	/* R27: between two requests of one slave */
#define REPL_SILENT	DUR_MS(50)	/* then another donor is asked, or an offer repeated */
#define REPL_PACE	DUR_MS(1)	/* between two slices of a long answer */

_Static_assert(REPL_REST_MAX >= RECORD_MAX + CL_RECORD_OVERHEAD, "a datagram takes any record");

/* Our places in the list of changes; those before are the peers', by slot. */
enum { REPL_SENT = CLUSTER_NODES_MAX, REPL_APPLY, REPL_OFFER, REPL_CURSORS };

_Static_assert(REPL_CURSORS <= RECORD_CURSORS, "places in the list");

/* Changes as a datagram brings them: all after prev up to upto that still stand. */
struct repl_span {
	struct version	prev, upto;
	uint64_t	root;		/* of the sender's table, if `tail` */
	bool		tail;		/* the master had nothing behind upto */
	bool		resend, end;	/* it came by a resend we asked for; ends it */
	struct version	owed;		/* a resend: how far its sender was, so that what changed again stands there */
	struct bytes	records;
};

struct repl_kept {			/* one that came before what precedes it */
	bool		used;
	struct repl_span span;
	uint8_t		octets[CL_PLAIN_MAX];
};

struct repl_asked {			/* a bucket whose digest differs */
	bool		used, differs;	/* `differs`: some version did */
	uint16_t	bucket;
	uint32_t	parts;		/* a bit for each part of CONTENTS that came */
	struct mono	at;
};

/* A resend, on the side that asked for it. */
struct repl_fetch {
	bool		on;
	bool		whole;		/* it began with nothing */
	unsigned	donor;		/* slot */
	uint32_t	round;
	uint16_t	credit, got;	/* datagrams granted; come since */
	unsigned	silences;	/* in a row */
	struct mono	asked, heard;
	struct mono	hole;		/* since when something between is missing; MONO_NEVER: nothing is */
};

struct cl_repl {
	uint32_t	term;		/* whose stream we follow; 0 = none */
	struct version	pos;
	struct version	whole;		/* the last position where that was the end of the master's changes: a record
					 * that changed twice is sent once, so that between two ends an older change
					 * may be missing which a later datagram brings as a newer one */
	struct version	owed;		/* nothing before this position is an end, whatever older heartbeats say */
	struct version	seen;		/* the master's furthest position heard of */
	bool		proved;
	uint32_t	proved_term;	/* the latest in which it was */
	bool		was_master;
	bool		clearing;	/* the table is being forgotten: nothing else may touch it */
	bool		importing;
	struct mono	ack_at;		/* when the master hears how far we are; MONO_NEVER: it has */
	bool		apply_told;	/* FX_CL_APPLY went out and the daemon has not reached the end since */
	struct mono	gap;		/* since when we are behind; MONO_NEVER: we are not */
	struct mono	probed;
	uint64_t	sent_us;	/* of the latest heartbeat of this term */
	uint32_t	rounds;
	struct repl_fetch fetch;
	struct repl_kept kept[REPL_KEPT];

	/* the digest disagrees */
	struct mono	differs;	/* since when; MONO_NEVER: it does not */
	uint16_t	look_bucket;	/* compared are all before it, this time round */
	struct mono	looked;
	unsigned	patience;	/* how often progress may still put the end off */
	struct repl_asked asked[REPL_ASKED];

	/* what we alone have */
	bool		offering, offer_placed;
	struct version	offer_base;
	struct mono	offer_due;
	uint32_t	offer_found, offer_before;	/* records in this pass, in the last */
	unsigned	offer_stuck;			/* passes without progress */
	bool		asides_wanted;			/* what the stream overwrites behind offer_base is kept */
	uint32_t	asides, aside_octets, aside_tries;
	struct mono	aside_due;
	struct repl_aside { uint32_t key, at, len; unsigned sent; struct version version, over; } aside[REPL_ASIDES];
	uint8_t		aside_room[REPL_ASIDE_OCTETS];

	/* the master's side */
	struct mono	began;		/* our term */
	uint64_t	seq;
	struct version	sent;		/* everybody was sent all changes up to here */
	bool		flush_rest;
	bool		beats_wanted;	/* the first of a term has not gone out */
	uint32_t	beats;
	uint16_t	next_bucket;
	uint32_t	next_walk;
	uint32_t	recode, recode_left;	/* keys the daemon shall encode anew, a step of RECORD_BUCKETS apart */
	uint64_t	touches, touched_window;

	/* the donor's side */
	struct mono	paced;
	uint32_t	tokens;		/* datagrams of RECORDS that may be sent now */
	unsigned	turn_of;

	/* commands */
	uint32_t	kill_term, kill_number;

	struct mono	scrub_due;
	uint32_t	scrubbed;	/* the next bucket */

	/* cluster time: repl_time.c */
	bool		time_set;
	struct mono	slew_from;
	int64_t		slew_us;	/* still to be added to time_offset_us, slowly */
	int64_t		best_us[2];	/* the greatest offset seen in this window and the last */
	unsigned	samples;

	uint8_t		rest[REPL_REST_MAX];	/* of the message being written */
};

/* One event adds a bounded number of effects: what would be too much waits for the next tick. */
static inline bool repl_has_room(const struct cl_turn *turn)
{
	return turn->out->count + 128 <= FX_MAX && turn->out->used + 96u * 1024 <= FX_OCTETS;
}

static inline struct mono mono_max(struct mono a, struct mono b)
{
	return a.us > b.us ? a : b;
}

static inline struct version version_max(struct version a, struct version b)
{
	return version_before(a, b) ? b : a;
}

static inline struct wr repl_rest(struct cl_repl *repl)
{
	return wr_of(repl->rest, sizeof(repl->rest));
}

static inline bool repl_follows(const struct cl *cl)
{
	return cl->status.role == CL_ROLE_SLAVE && cl->status.master.n;
}

/* The master we follow, or NULL. */
static inline struct cl_peer *repl_master(struct cl *cl)
{
	return repl_follows(cl) ? cl_peer_of(cl, cl->status.master) : NULL;
}

static inline bool repl_is_master(const struct cl *cl)
{
	return cl->status.role == CL_ROLE_MASTER;
}

static inline unsigned peer_slot(const struct cl *cl, const struct cl_peer *peer)
{
	return (unsigned)(peer - cl->peer);
}

/* All keys are of our table.  The codec has checked all else about a list of records. */
bool repl_keys_fit(const struct cl *cl, struct bytes records);

/* repl.c */
void repl_tell_apply(struct cl_turn *turn);

/* repl_send.c: the master's heartbeats, and answers to those who ask for more */
void send_began(struct cl_turn *turn);			/* a term of ours */
void send_stopped(struct cl *cl);			/* it is over, and nobody gets anything from us */
void send_changes(struct cl_turn *turn);
void send_tick(struct cl_turn *turn);
struct mono send_next(const struct cl *cl);
enum why send_lastseen(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);

/* repl_slave.c: following the stream */
enum why slave_heartbeat(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
enum why slave_records(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void slave_stopped(struct cl *cl);			/* forget gaps, rounds and what came early */
void slave_tick(struct cl_turn *turn);
struct mono slave_next(const struct cl *cl);
void slave_verified(struct cl_turn *turn);
void slave_import(struct cl_turn *turn, unsigned slot);
void slave_import_again(struct cl_turn *turn);		/* from nothing, after the copy was dropped */

/* repl_repair.c: when two tables differ */
void repair_stopped(struct cl *cl);
void repair_differs(struct cl_turn *turn);		/* the digest disagrees at the master's position */
void repair_heartbeat(struct cl_turn *turn, const struct cl_heartbeat *beat);
void repair_goes_on(struct cl_turn *turn);		/* something was found: that may take its time */
enum why repair_bucket(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
enum why repair_contents(struct cl_turn *turn, const struct cl_msg *msg);
enum why repair_kill(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void repair_drop(struct cl_turn *turn);			/* the copy cannot be repaired: begin with nothing */
void repair_tick(struct cl_turn *turn);
struct mono repair_next(const struct cl *cl);

/* repl_offer.c: single records that differ.  First what goes to the master about them, as it is found. */
struct repair {
	struct cl_turn	*turn;
	struct wr	 need, offer;
	uint8_t		 need_room[REPL_REST_MAX], offer_room[REPL_REST_MAX];
	unsigned	 found;
};

void repair_begin(struct repair *repair, struct cl_turn *turn);
void repair_need_key(struct repair *repair, uint32_t key);
void repair_offer_record(struct repair *repair, const struct record *record);
void repair_end(struct repair *repair);
/* A key of which the master has `theirs`, seen when it was at `upto`.  What is still on its way is no difference. */
void repair_compare(struct repair *repair, uint32_t key, struct version theirs, struct version upto);

void offer_begin(struct cl_turn *turn, struct version base);	/* what we have behind base is ours alone */
void offer_stopped(struct cl *cl);
void offer_renewed(struct cl *cl);			/* to the master of another term */
void offer_overwritten(struct cl *cl, const struct record *by);	/* about to be, perhaps: keep ours aside */
void offer_tick(struct cl_turn *turn);
struct mono offer_next(const struct cl *cl);
bool answer_allowed(struct cl_turn *turn);		/* on the master: a share of what is asked */
void offered_tell(struct cl_turn *turn, struct node_id by, const struct record *record);
enum why repair_need(struct cl_turn *turn, const struct cl_msg *msg);
enum why repair_offered(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);

/* repl_time.c */
void time_heard(struct cl_turn *turn, const struct cl_heartbeat *beat, bool first);
void time_became_master(struct cl *cl, struct mono now);

#endif
