/*
 * sim.h -- a cluster in a world where one number decides everything.
 *
 * Nodes are the daemon's own machines (struct cl, and struct lns for the whole
 * product) between a network that loses, copies, delays and cuts, clocks that
 * drift, and clients that want something.  Time moves from event to event; events
 * stand in a heap ordered by time, then by when they were put there.  The same seed
 * gives the same run, octet for octet.
 *
 * No wall clock exists here, because the machine is never told one: its time is
 * each node's monotonic clock, which starts anywhere, runs 500 ppm fast or slow,
 * and may stand still while the node does.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cluster/cluster.h"
#include "tests/sim/chance.h"

#define SIM_NODES	32u
#define SIM_PACKET_MAX	2400u
#define SIM_INBOX	600u
#define SIM_RECORDED	256u
#define SIM_FAULTS	48u		/* active at one time */
#define SIM_TERMS	(1u << 16)
#define SIM_PORT	32792u

#define S_US		UINT64_C(1000000)
#define MS_US		UINT64_C(1000)

enum event_kind { EV_PACKET, EV_WAKE, EV_RESUME, EV_START, EV_CLIENT, EV_FAULT, EV_HEAL, EV_CHECK, EV_APP, EVENTS };

struct event {
	uint64_t	at, number;
	uint32_t	kind;
	uint32_t	node;
	uint64_t	what;
};

struct packet {
	uint32_t	refs, len;
	unsigned	by;
	bool		multicast;
	uint32_t	boot;			/* of the sender */
	uint8_t		octets[SIM_PACKET_MAX];
};

struct path {				/* one direction between two nodes */
	unsigned	cut, cut_multicast;	/* how many faults forbid it */
	unsigned	lossy;			/* how many faults make it bad */
	uint64_t	clogged_until, free_at;
	unsigned	clogged;
	uint64_t	passed;			/* datagrams put on it */
};

struct net {				/* what the network is like in this run */
	uint32_t	loss, dup, straggle;	/* permille */
	uint32_t	delay_us;		/* mean */
	uint32_t	straggle_ms;		/* at most; at least 60 */
	uint32_t	octets_per_ms;		/* of one link */
	uint32_t	queue_ms;		/* before the tail is dropped */
};

struct local_clock { uint64_t world, local; int32_t ppm; bool frozen; };

struct node {
	unsigned	index;
	bool		up, stalled, whole;	/* whole: was up to date since it started, so its copy counts */
	uint32_t	boots, wakes;
	struct cl_conf	conf;
	struct cl	*cl;
	void		*memory;
	size_t		memory_size;
	struct local_clock clock;
	uint64_t	started, slept;		/* when it began to sleep or be busy */
	uint64_t	wake_at, busy_until;
	uint64_t	unfrozen_at;		/* its clock stood still until then */
	uint32_t	slow_us;
	struct packet	*inbox[SIM_INBOX];
	unsigned	inboxed;
	bool		want_flush;
	unsigned	keys_phase;

	struct cl_status told;			/* by the last FX_CL_ROLE */
	struct cl_status seen;			/* after the last event */
	struct version	have, synced, committed, base;
	uint32_t	promised;
	uint64_t	cluster_us;		/* the latest cluster time it told */
	struct { uint32_t term; struct version have; } reached[16];	/* how far it was in each of the last terms */
	uint64_t	turns, sent, sent_before, sent_worst;
	uint64_t	counted;		/* what it told by cl_bytes(), and heard from others */
	struct { uint32_t boots; uint64_t counted; } heard[SIM_NODES];
	uint64_t	role_changes;
	void		*app;
};

enum fault_kind {
#define FAULT(id, text) FAULT_##id,
#include "tests/sim/faults.def"
#undef FAULT
	FAULT_KINDS
};

struct fault {
	bool		active;
	enum fault_kind	kind;
	unsigned	node;
	uint64_t	until;
	uint32_t	cut[SIM_NODES];		/* per sender: the receivers, as bits */
	bool		multicast, lossy;
};

struct swarm {				/* what this run is like, drawn from its seed */
	unsigned	nodes;
	bool		members;		/* configured: a quorum decides.  Otherwise open. */
	bool		whole_product;		/* lns behind every node, LACs before it */
	struct net	net;
	uint64_t	faults;			/* enabled kinds, as bits */
	uint32_t	fault_gap_ms;
	uint32_t	client_gap_us;
	uint32_t	seconds;		/* of faults, before they stop */
	bool		mild;			/* the network itself is good: no role may change without a fault */
	enum cl_commit	commit;
};

struct sim;

struct app {				/* what a cluster is for */
	const char	*name;
	void (*begin)(struct sim *sim);				/* a run */
	void (*end)(struct sim *sim);
	void (*start)(struct sim *sim, struct node *node);	/* a node */
	void (*stop)(struct sim *sim, struct node *node);
	void (*role)(struct sim *sim, struct node *node, const struct cl_status *status);
	void (*apply)(struct sim *sim, struct node *node, const struct record *record);
	void (*drop)(struct sim *sim, struct node *node);
	void (*committed)(struct sim *sim, struct node *node);
	void (*offered)(struct sim *sim, struct node *node, uint32_t key, const struct fx_cl_offered *offered,
		struct bytes octets);
	void (*forwarded)(struct sim *sim, struct node *node, const struct fx_cl_forwarded *how, struct bytes packet);
	void (*client)(struct sim *sim);			/* somebody wants something */
	void (*event)(struct sim *sim, const struct event *event);	/* EV_APP */
	void (*configure)(struct cl_conf *conf);		/* how many keys */
	void (*settle)(struct sim *sim, struct node *node);	/* after each event: what the application has to say */
	struct mono (*next)(const struct node *node);		/* local time */
	void (*tick)(struct sim *sim, struct node *node);
	void (*checked)(struct sim *sim);			/* at the end, everything has come to rest */
};
extern const struct app app_ledger, app_lns;

#define SIM_ROOTS	(1u << 16)

struct forward { struct fx_cl_forwarded how; uint32_t len; uint8_t octets[CL_FORWARD_MAX]; };
#define SIM_FORWARDS	64u

struct sim {
	uint64_t	seed, now, events, hash, numbers;
	struct chance	chance;
	struct swarm	swarm;
	const struct app *app;
	void		*world;			/* the application's */
	const char	*scenario;
	bool		verbose, quiet_net, stop;
	bool		clients;		/* they ask, or pause while `stop` */
	bool		performing;		/* sim_fail() has where to go */
	void		(*tweak)(const struct sim *sim, struct cl_conf *conf, unsigned node);	/* a scenario's own */
	unsigned	twin;			/* whose id R21_duplicate gives to another */

	struct event	*heap;
	uint32_t	heaped, heap_room;
	struct packet	**free_packet, **all_packet;
	uint32_t	frees, packets, frees_room;
	struct packet	*recorded[SIM_RECORDED];
	uint64_t	recordings;

	struct node	node[SIM_NODES];
	unsigned	nodes, quorum;
	struct path	path[SIM_NODES][SIM_NODES];
	struct fault	fault[SIM_FAULTS];
	uint64_t	last_fault;
	unsigned	faults_active;
	uint64_t	last_disturbed;		/* when the last fault began, acted or ended */
	uint64_t	faults_injected;

	struct seal_secret secret[2];
	uint8_t		sending, keys_step, keys_used;
	uint64_t	keys_at;

	/* what the checker knows */
	uint8_t		*master_of;		/* by term: node + 1 */
	uint32_t	term_max;
	struct { uint64_t version, root; } *root;	/* by version, overwritten in time */
	uint64_t	released;		/* outputs */
	uint64_t	role_changes;
	uint64_t	commands;

	struct node	*acting;		/* whose turn it is, for messages */
	struct fx_list	*out;
	struct forward	*forward;		/* to be passed on when the effects are carried out */
	unsigned	forwards;
	jmp_buf		failed;
	char		error[600];
};

/* world.c */
_Noreturn void sim_fail(struct sim *sim, const char *format, ...) PRINTF_LIKE(2, 3);
void sim_note(struct sim *sim, const char *format, ...) PRINTF_LIKE(2, 3);
void sim_at(struct sim *sim, uint64_t at, enum event_kind kind, unsigned node, uint64_t what);
bool sim_next(struct sim *sim, struct event *event);	/* and time moves there */
struct packet *packet_new(struct sim *sim);
void packet_drop(struct sim *sim, struct packet *packet);
void net_multicast(struct sim *sim, struct packet *packet);
void net_unicast(struct sim *sim, struct packet *packet, unsigned to);
void net_deliver(struct sim *sim, struct packet *packet, unsigned to, uint64_t delay);
struct ip sim_address(unsigned node);
unsigned sim_node_at(struct ip address);		/* its index; SIM_NODES: nobody */
void world_free(struct sim *sim);

/* node.c */
void node_start(struct sim *sim, struct node *node);
void node_crash(struct sim *sim, struct node *node);
void node_event(struct sim *sim, struct node *node, const struct event *event);
void node_sleep(struct sim *sim, struct node *node, uint64_t until, bool frozen);
uint64_t node_local(const struct node *node, uint64_t world);
struct mono node_now(const struct sim *sim, const struct node *node);
bool node_runs(const struct sim *sim, const struct node *node);	/* up, awake, not busy */
void node_clock_rate(struct sim *sim, struct node *node, int32_t ppm);
/* Around whatever the outside does with a node: begin, then anything, then end. */
void node_begin(struct sim *sim, struct node *node);
void node_end(struct sim *sim, struct node *node);
void node_pass_on(struct sim *sim, const struct fx_cl_forwarded *how, struct bytes packet);
void node_command(struct sim *sim, struct node *node, enum cl_verb verb, struct node_id argument);
bool node_serves(const struct node *node);		/* master, and may change things */

/* check.c */
void check_begin(struct sim *sim);
void check_end(struct sim *sim);
void check_turn(struct sim *sim, struct node *node);	/* after each event at a node */
void check_release(struct sim *sim, struct node *node, struct version version);
void check_settled(struct sim *sim);			/* one master, equal tables */
void check_settles(struct sim *sim, uint64_t until);	/* soon */
bool settled(struct sim *sim, const char **why);
unsigned copies_lost(const struct sim *sim);
struct node *sim_master(struct sim *sim);		/* the highest term's, unfrozen; or NULL */

/* fault.c */
const char *fault_name(enum fault_kind kind);
void fault_inject(struct sim *sim);			/* a random one of those enabled */
struct fault *fault_begin(struct sim *sim, enum fault_kind kind, uint64_t lasts);
void fault_cut(struct sim *sim, struct fault *fault, unsigned from, unsigned to);
void fault_heal(struct sim *sim, struct fault *fault);
void faults_stop(struct sim *sim);
void keys_rotate(struct sim *sim);

/* run.c */
void sim_run_until(struct sim *sim, uint64_t until);
void swarm_draw(struct sim *sim);
void sim_begin(struct sim *sim, uint64_t seed);
void sim_started(struct sim *sim);			/* nodes, after the swarm is known */
void sim_end(struct sim *sim);
bool sim_perform(struct sim *sim, uint64_t seed, void (*play)(struct sim *sim));
void play_storm(struct sim *sim);

/* stage.c: words for scenarios */
struct stage_times { uint64_t began, master, served; };
void stage(struct sim *sim, unsigned nodes, bool members);	/* a calm network; nothing runs yet */
void stage_up(struct sim *sim);				/* all start, and settle */
void stage_clients(struct sim *sim, uint32_t gap_us);	/* 0: nobody wants anything more */
void stage_run(struct sim *sim, uint32_t ms);
void stage_cut(struct sim *sim, unsigned from, unsigned to, bool cut);
void stage_part(struct sim *sim, uint32_t side, bool cut);	/* the nodes in these bits, and the others */
void stage_disturb(struct sim *sim);
void stage_kill(struct sim *sim, unsigned node);
void stage_start(struct sim *sim, unsigned node);
void stage_settled(struct sim *sim, uint32_t within_ms);
struct node *stage_master(struct sim *sim, uint32_t within_ms, uint32_t above_term);
unsigned stage_slave(struct sim *sim, unsigned which);	/* the nth node that is not master */
unsigned stage_senior(struct sim *sim, uint32_t but);	/* who joined first, without these */
unsigned stage_alive(struct sim *sim, unsigned node);	/* others that it takes for alive */
uint64_t stage_stat(struct sim *sim, enum cl_stat stat);
struct node_id stage_id(unsigned node);
uint32_t stage_term(struct sim *sim);			/* of the master */
void stage_unchanged(struct sim *sim, uint32_t term, const struct node *master);	/* still master of that term */
#define EXPECT(sim, what, ...)	do { if (!(what)) sim_fail(sim, __VA_ARGS__); } while (0)

/* scenario.c */
struct scenario { const char *name; void (*play)(struct sim *sim); const char *text; };
extern const struct scenario scenarios[];
extern const unsigned scenario_count;

/* mutants.c */
extern int cl_mutant;
bool mutants_run(struct sim *sim, const char *which, uint64_t seed, unsigned seeds);

/* from the command line */
struct wishes {
	uint64_t	seed;
	unsigned	seeds, seconds, nodes;
	int		members;		/* -1: as drawn */
	bool		whole_product, verbose;
	const char	*mutant;
};
extern struct wishes wishes;

#endif
