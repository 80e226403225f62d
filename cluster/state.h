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
	struct mono	ping_at;		/* when `ping` came; 0: none since this boot was proved */
	enum why	fault;			/* why it is refused */
	uint8_t		how;			/* what its last PING says of us: bits of struct cl_heard */
	struct mono	said, told;		/* when we last wrote into the log about it; sent it CL_MASTER */
	uint32_t	command;		/* the latest CL_COMMAND of this boot that was carried out */
	bool		command_ok;
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
	struct version	holds;			/* on the master: proved to have all up to here, in this term */
	struct mono	seen_at;		/* its latest LASTSEEN */
	struct version	resent_upto;		/* RECORDS went out up to here */
	uint32_t	resend_term;		/* the term it asked in */
	uint32_t	resend_over;		/* the latest round that was answered to its end */
};

struct cl_vote;					/* elect.h: candidate's and voter's memory */
struct cl_wishes;				/* command.c: commands on their way to other nodes */
struct cl_repl;					/* repl.c: gaps, resends, offers, repairs */
struct cl_queue;					/* forward.c: packets waiting for a master */
struct cl_trace;				/* trace.c: the last inputs, for whoever looks into an ASSERT */

enum cl_play { CL_PLAY_OFF, CL_PLAY_STRICT, CL_PLAY_TRUSTS };	/* a trace is played; from its middle */

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
	/* nothing was verified since we started, or were told to start afresh */
	bool		fresh;
	struct mono	master_heard;		/* the last valid HEARTBEAT of status.term */
	struct mono	awake;			/* the last tick: silence counts only while we were awake */
	char		reason[96];
	/* we go: no claim, no routes; our vote still helps whoever comes next */
	bool		leaving;
	bool		stopped;		/* we are gone */
	struct mono	stop_at;
	bool		unhealthy;		/* cl_healthy() */
	unsigned	farewells;		/* PINGs with basetime zero still to be sent */
	uint32_t	late_max_us;		/* the worst lateness in this minute */
	struct mono	late_since;
	struct cl_ping	pinged;			/* our own latest PING, as others saw it; without its list */
	struct mono	proofs_since;		/* RESPONSEs given in this second */
	uint32_t	proofs;
	struct mono	said_stranger, said_self, said_sealed;	/* when the log last told of nodes that are refused */

	/* what is replicated: repl.c */
	struct version	have;			/* a slave: all changes up to here are in the table */
	struct version	committed;
	struct version	synced;			/* where the digest was last verified */
	struct version	base;			/* of the current term */
	int64_t		time_offset_us;		/* cluster time - local time */

	struct cl_vote	*vote;
	struct cl_wishes *wishes;
	struct cl_repl	*repl;
	struct cl_queue	*queue;
	struct cl_trace	*trace;
	enum cl_play	playing;
	bool		play_answered;		/* what the seal said to the RESPONSE that is played */
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

/*
 * How the machines work together.  status.term, .master and .role are elect.c's, changed only by role_set().
 * status.up_to_date is repl.c's on a slave; on a master it is made of the peers' up_to_date.  `fresh` becomes
 * false when repl.c has verified the digest, or when we become master.  status.frozen and .announce are elect.c's.
 * FX_CL_ROLE goes out at the end of each entry of cluster.h when status differs from `told`; nobody else emits it.
 *
 * What cluster.c has done before a machine gets a message: it is authentic, of a known boot, of a member whose PING was
 * seen and agrees with our configuration.  HEARTBEAT and KILL of a term below status.term or below `promised`, or of
 * one that was handed over, are refused and answered with CL_MASTER.  When a handler returns WHY_CL_TERM or WHY_CL_ROLE
 * the sender is told by CL_MASTER, at a bounded rate, if it waits for an answer.
 *
 * repl.c calls elect_heard_master() first for each HEARTBEAT, and goes on only when status.role is then CL_ROLE_SLAVE
 * and status.term and .master are the sender's.  elect.c calls repl_became_slave(turn, true) whenever a slave
 * begins to follow a term it did not follow before, repl_became_slave(turn, false) when we were master and nobody
 * is yet.
 *
 * Two things that elections rely on.  A new master counts nothing as committed until a change of its own term is: so it
 * begins each term with one (whoever has it has all before it, and wins against whoever has a change of an older term
 * that nobody acknowledged).  And what we have behind our own `base` may lie on a branch that nobody else has: what is
 * asked of another node after its term is over must start at min(have, base), not at have.
 */

/* send.c: seal and emit.  To everybody (and by unicast to those who do not hear multicast), or to one. */
void cl_send_all(struct cl_turn *turn, const struct cl_msg *msg);
void cl_send_to(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void cl_send_unknown(struct cl_turn *turn, struct node_id node, struct ip to, const struct cl_msg *msg);
void cl_send_bulk(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);	/* SEAL_BULK stream */

/* facts.c */
void cl_late(struct cl *cl, struct dur late, struct mono now);	/* something of ours or of the master's came so late */

/* peers.c */
struct cl_peer *cl_peer_of(struct cl *cl, struct node_id node);			/* NULL: not known */
enum why peer_pinged(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void peers_tick(struct cl_turn *turn);			/* PINGs, deaths */
struct mono peers_next(const struct cl *cl);
unsigned peers_alive(const struct cl *cl);		/* members, without ourselves */
struct cl_peer *peer_proved(struct cl_turn *turn, struct node_id node, struct ip from, struct boot_id boot);
void peer_heard(struct cl_turn *turn, struct cl_peer *peer, struct ip from, bool multicast);
void peers_slept(struct cl *cl, struct dur gap, struct mono now);	/* we did not listen: nobody was silent */
bool peer_is_member(const struct cl *cl, struct ip address);
bool peer_by_multicast(const struct cl *cl, const struct cl_peer *peer, struct mono now);	/* do we hear it so? */
void ping_to(struct cl_turn *turn, struct cl_peer *peer);	/* one, now; NULL: to all */
bool cl_log_due(struct mono *last, struct mono now, struct dur gap);	/* may a repeated line be written again? */

/* elect.c */
void elect_init(struct cl *cl, struct arena *arena);
/* PRECLAIM, CLAIM, GRANT, LEAVE, LEFT, MASTER */
enum why elect_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void elect_tick(struct cl_turn *turn);			/* silence, lease, claims, commit deadline */
void elect_pinged(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
/* alive, oldest first */
unsigned elect_order(const struct cl *cl, struct mono now, struct node_id order[CLUSTER_NODES_MAX]);
/* CL_MASTER, at a bounded rate */
void elect_tell_master(struct cl_turn *turn, struct cl_peer *peer, enum cl_type about);
/* at the start and end of every entry: lease, routes, FX_CL_ROLE */
void elect_look(struct cl_turn *turn);
void elect_slept(struct cl *cl, struct dur gap, struct mono now);
bool elect_term_over(const struct cl *cl, uint32_t term);	/* nobody may be master of it any more */
struct mono elect_next(const struct cl *cl);
/* a valid HEARTBEAT: follow it */
void elect_heard_master(struct cl_turn *turn, struct cl_peer *peer, uint32_t term);
void elect_higher_term(struct cl_turn *turn, uint32_t term, struct node_id master);	/* we are behind the times */
void elect_acked(struct cl_turn *turn, struct cl_peer *peer, uint64_t sent_us);		/* the lease */
void elect_imported(struct cl_turn *turn, bool done);	/* repl.c has the newest state of the voters */
void elect_peer_died(struct cl_turn *turn, struct cl_peer *peer);
void elect_left(struct cl_turn *turn);			/* cl_leaving(), CL_VERB_STOP */
bool elect_handover(struct cl_turn *turn, struct node_id to, const char **why);
bool elect_force(struct cl_turn *turn, const char **why);
void role_set(struct cl_turn *turn, enum cl_role role, uint32_t term, struct node_id master, const char *reason);
bool cl_may_change(const struct cl *cl);		/* master, and not frozen */
/* of the configured nodes; open: of the living; forced: of what is there */
unsigned cl_quorum(const struct cl *cl);
unsigned cl_votes(const struct cl *cl);

/* command.c */
void command_init(struct cl *cl, struct arena *arena);
/* COMMAND, DONE */
enum why command_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void command_tick(struct cl_turn *turn);
struct mono command_next(const struct cl *cl);

/* repl.c */
void repl_init(struct cl *cl, struct arena *arena);
void repl_adopted(struct cl *cl);			/* the table is not empty: it stands where its last change is */
/* HEARTBEAT, LASTSEEN, RECORDS, NEED, OFFER, BUCKET, CONTENTS, KILL */
enum why repl_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void repl_tick(struct cl_turn *turn);			/* heartbeats, resends, repairs */
struct mono repl_next(const struct cl *cl);
void repl_became_master(struct cl_turn *turn);		/* a term begins: base = have, the first heartbeat goes out */
void repl_became_slave(struct cl_turn *turn, bool new_term);
/* get what `best` has and we have not; then elect_imported() */
void repl_import(struct cl_turn *turn, struct cl_peer *best);
void repl_kill(struct cl_turn *turn, struct cl_peer *peer);		/* on the master: tell it to drop its copy */
/* the operator's wish: drop our copy, join afresh; false: why not */
bool repl_resync(struct cl_turn *turn, const char **why);
/* acknowledgements or peers changed: does the rule hold further? */
void repl_committed_look(struct cl_turn *turn);

/* repl_time.c has cl_time() and cl_mono(). */

/* forward.c: FORWARD and BYTES */
void forward_init(struct cl *cl, struct arena *arena);
enum why forward_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void forward_tick(struct cl_turn *turn);
struct mono forward_next(const struct cl *cl);
void forward_master_known(struct cl_turn *turn);	/* what waited goes on its way */
uint32_t forward_waiting(const struct cl *cl);		/* packets; for cl_facts() */

#endif
