/*
 * elect.h -- what a node remembers as a voter, as a candidate and as a master; for elect*.c only.
 */
#ifndef CLUSTER_ELECT_H
#define CLUSTER_ELECT_H

#include "cluster/mutants.h"
#include "cluster/state.h"

#define RANK_MS		60		/* between the claims of the oldest, the next oldest, ... */
#define OPEN_WAIT_MS	40		/* without configured nodes: who has not answered by then is not there */
#define ROUND_MS	50		/* a quorum that has not answered by then will not */
#define RESEND_MS	20
#define RETRY_MIN_MS	120u
#define RETRY_MAX_MS	300u
#define IMPORT_MS	1000
#define LEAVE_GAP_MS	20
#define LEAVE_MS	300
#define AGE_TIE_MS	500		/* ages nearer than this are equal: clocks and pings are not exact */
#define WITHDRAW_S	3		/* slaves must be enough for so long before the master's routes go */

enum cl_phase { PHASE_IDLE, PHASE_PRECLAIM, PHASE_CLAIM, PHASE_IMPORT };

struct cl_answer {
	bool		came, yes;
	bool		fresh;
	uint8_t		refusal;
	struct version	have;
};

struct cl_vote {
	/* a voter */
	struct node_id	promised_to;
	uint32_t	term_max;		/* the highest heard of */
	uint32_t	followed;		/* the last term that repl.c was told to follow */
	uint32_t	closed_term;		/* its master has handed it over, so it is nobody's any more */
	struct mono	abstain_until;		/* we slept: first hear what the others say */
	struct mono	stateful_heard;		/* the last sign of anybody else whose copy was verified */
	/* silence */
	struct mono	quiet_from;		/* counts from here, or from master_heard if that is later */
	struct mono	claim_at;		/* set by a LEAVE: do not wait for silence; 0: none */
	struct mono	retry_at;
	struct mono	said_late;
	/* a candidate */
	enum cl_phase	phase;
	uint32_t	asking, round;		/* the term */
	struct mono	asked_at, resend_at, phase_until;
	unsigned	living;			/* tries in a row that were refused because a master lives */
	bool		after_leave;
	bool		forced;			/* by an operator: whoever is there is quorum enough */
	struct cl_answer answer[CLUSTER_NODES_MAX];	/* by slot of the peer */
	unsigned	votes;			/* of the last claim, ours among them */
	/* a master */
	bool		lasted;			/* it was acknowledged by a quorum once */
	struct mono	frozen_since;
	struct mono	enough_since;		/* so many slaves are up to date that we need not announce; 0: not so */
	/* one that leaves */
	uint32_t	leave_number, leave_term;
	struct node_id	successor;
	struct version	leave_upto;
	uint64_t	leave_root;
	struct mono	leave_due, leave_until;	/* NEVER: nothing to say */
};

/* Seniority as others see it: compared as it was sent. */
struct cl_senior { bool fresh; uint32_t join_no; uint64_t age_ms; struct ip address; };

/* elect.c */
void elect_yield(struct cl_turn *turn, const char *reason);	/* whatever we were, we are a slave of nobody */
void elect_promise(struct cl *cl, uint32_t term, struct node_id to);
void elect_won(struct cl_turn *turn, const char *reason);
struct mono elect_quiet_from(const struct cl *cl);
bool elect_master_lives(const struct cl *cl, uint32_t within_ms, struct mono now);

/* elect_vote.c */
enum why vote_asked(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);	/* PRECLAIM, CLAIM */
enum why vote_answered(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);	/* GRANT */
void vote_tick(struct cl_turn *turn);
struct mono vote_next(const struct cl *cl);
void vote_abandon(struct cl *cl);
void vote_force(struct cl_turn *turn);

/* elect_rank.c */
bool senior_before(const struct cl_senior *a, const struct cl_senior *b);
struct cl_senior senior_self(const struct cl *cl, struct mono now);
struct cl_senior senior_peer(const struct cl_peer *peer, struct mono now);
unsigned elect_rank(const struct cl *cl, struct mono now, struct node_id without, struct node_id nor);
bool peer_votes(const struct cl_peer *peer);
bool fresh_votes_count(const struct cl *cl, const struct cl_peer *candidate, struct version have, struct mono now);

/* elect_leave.c */
enum why leave_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
enum why left_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg);
void leave_tick(struct cl_turn *turn);
void elect_master_left(struct cl_turn *turn, uint32_t term, struct node_id successor);

/* elect_look.c */
struct mono lease_until(const struct cl *cl);
bool elect_open(const struct cl *cl);		/* no nodes are configured, or an operator said that it must be so */

#endif
