/*
 * state.h -- what struct cl is made of; for the files of cluster/ only.
 *
 * Three machines share it.  peers.c knows who is there.  elect.c decides who is
 * master, for how long, and who votes.  repl.c brings every change everywhere.
 * cluster.c is the outside: it opens datagrams, calls the machine a message is for,
 * and holds everything together.
 */
#ifndef CLUSTER_STATE_H
#define CLUSTER_STATE_H

#include "cluster/cluster.h"

struct cl_peer {
	bool		used;
	bool		alive;			/* heard within dead_ms of our own waking time */
	bool		member;			/* may vote: configured, or nobody is */
	bool		refused;		/* its configuration differs: no vote, no state */
	bool		leaving;		/* its last PING had basetime zero */
	struct node_id	node;
	struct ip	from;			/* where its datagrams come from */
	struct boot_id	boot;
	struct cl_ping	ping;			/* the latest; its loans are cleared */
	struct mono	heard;			/* any authentic datagram of this boot */
	struct mono	heard_multicast, heard_unicast;
	bool		hears_multicast;	/* its last PING says that it hears ours so */
	struct mono	ping_at;		/* when `ping` came */
	/* elect.c */
	struct mono	acked;			/* on the master: when it sent what this peer acknowledged last */
	uint32_t	granted_term, preclaimed_term;
	/* repl.c */
	struct version	have;			/* latest LASTSEEN or PING of this term */
	bool		up_to_date;
	uint32_t	resend_round;		/* of its latest LASTSEEN with credit */
	uint16_t	credit;			/* datagrams it still takes */
	bool		seeking;		/* its cursor is being placed */
	struct mono	resent;
	uint32_t	round_trip_us;
	uint32_t	kill_number;
	unsigned	cursor;			/* of records.h: its place in our list */
};

struct cl_vote;					/* elect.c: candidate's and voter's memory */
struct cl_repl;					/* repl.c: gaps, resends, offers, repairs */
struct cl_queue;				/* forward.c: packets waiting for a master */

struct cl {
	struct cl_conf	conf;
	struct seal	*seal;
	struct rnd	rnd;
	struct mono	started;
	struct records	records;
	struct cl_peer	peer[CLUSTER_NODES_MAX];	/* by slot */

	/* who is master: elect.c */
	struct cl_status status, told;		/* now, and as the last FX_CL_ROLE said */
	uint32_t	promised;		/* no lower term is followed or granted */
	uint32_t	join_no;
	bool		fresh;			/* nothing was verified since we started, or were told to start afresh */
	struct mono	master_heard;		/* the last valid HEARTBEAT of status.term */
	struct mono	awake;			/* the last tick: silence counts only while we were awake */
	char		reason[96];

	/* what is replicated: repl.c */
	struct version	have;			/* a slave: all changes up to here are in the table */
	struct version	committed;
	struct version	synced;			/* where the digest was last verified */
	struct version	base;			/* of the current term */
	int64_t		time_offset_us;		/* cluster time - local time */

	struct cl_vote	*vote;
	struct cl_repl	*repl;
	struct cl_queue	*queue;
	struct mono	ping_due, beat_due;
	uint32_t	pings;
	uint64_t	late[CL_LATE_BUCKETS];
	uint64_t	stat[CL_STATS];
	uint64_t	refused[WHYS];
	uint8_t		plain[CL_FORWARD_MAX + 256];	/* of the datagram being handled */
};

struct cl_turn {			/* one event being handled */
	struct cl	*cl;
	struct mono	 now;
	struct fx_list	*out;
};

/* send.c: seal and emit.  To everybody (and by unicast to those who do not hear multicast), or to one. */
void cl_send_all(struct cl_turn *turn, const struct cl_msg *msg);
void cl_send_to(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void cl_send_bulk(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);	/* SEAL_BULK stream */

/* peers.c */
struct cl_peer *cl_peer_of(struct cl *cl, struct node_id node);			/* NULL: not known */
enum why peer_pinged(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void peers_tick(struct cl_turn *turn);			/* PINGs, deaths */
struct mono peers_next(const struct cl *cl);
unsigned peers_alive(const struct cl *cl);		/* members, without ourselves */

/* elect.c */
void elect_init(struct cl *cl, struct arena *arena);
enum why elect_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);	/* PRECLAIM, CLAIM, GRANT, LEAVE, LEFT, MASTER */
void elect_tick(struct cl_turn *turn);			/* silence, lease, claims, commit deadline */
struct mono elect_next(const struct cl *cl);
void elect_heard_master(struct cl_turn *turn, struct cl_peer *peer, uint32_t term);	/* a valid HEARTBEAT: follow it */
void elect_higher_term(struct cl_turn *turn, uint32_t term, struct node_id master);	/* we are behind the times */
void elect_acked(struct cl_turn *turn, struct cl_peer *peer, uint64_t sent_us);		/* the lease */
void elect_imported(struct cl_turn *turn, bool done);	/* repl.c has the newest state of the voters */
void elect_peer_died(struct cl_turn *turn, struct cl_peer *peer);
void elect_left(struct cl_turn *turn);			/* cl_leaving(), CL_VERB_STOP */
bool elect_handover(struct cl_turn *turn, struct node_id to, const char **why);
bool elect_force(struct cl_turn *turn, const char **why);
void role_set(struct cl_turn *turn, enum cl_role role, uint32_t term, struct node_id master, const char *reason);
bool cl_may_change(const struct cl *cl);		/* master, and not frozen */
unsigned cl_quorum(const struct cl *cl);

/* repl.c */
void repl_init(struct cl *cl, struct arena *arena);
enum why repl_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);	/* HEARTBEAT, LASTSEEN, RECORDS, NEED, OFFER, BUCKET, CONTENTS, KILL */
void repl_tick(struct cl_turn *turn);			/* heartbeats, resends, repairs */
struct mono repl_next(const struct cl *cl);
void repl_became_master(struct cl_turn *turn);		/* a term begins: base = have, the first heartbeat goes out */
void repl_became_slave(struct cl_turn *turn, bool new_term);
void repl_import(struct cl_turn *turn, struct cl_peer *best);		/* get what `best` has and we have not; then elect_imported() */
void repl_committed_look(struct cl_turn *turn);		/* acknowledgements or peers changed: does the rule hold further? */

/* forward.c */
void forward_init(struct cl *cl, struct arena *arena);
enum why forward_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void forward_tick(struct cl_turn *turn);
struct mono forward_next(const struct cl *cl);
void forward_master_known(struct cl_turn *turn);	/* what waited goes on its way */

#endif
