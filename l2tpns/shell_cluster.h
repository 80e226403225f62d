/*
 * shell_cluster.h -- the daemon as one node of a cluster: its changes go out, other nodes' come in.
 *
 * Output commit, and nowhere else: what the control plane says to a peer waits in
 * `held` until the changes it made with it are as safe as cluster_commit asks.  On a
 * node that is not master the control plane only follows records; what a peer says is
 * passed on to the master.
 *
 * Everything here runs on the control thread.  Without a cluster shell->cluster is
 * NULL, and none of this costs anything.
 */
#ifndef SHELL_CLUSTER_H
#define SHELL_CLUSTER_H

#include "cluster/io.h"
#include "l2tpns/cli/facts.h"
#include "l2tpns/core/shares.h"
#include "l2tpns/shell_held.h"

#include <ev.h>

struct shell;

enum shell_pass {			/* what a forwarded packet is */
	SHELL_PASS_UP = 1,		/* from a LAC: for the control plane, or of a session unknown here */
	SHELL_PASS_DOWN,		/* an IP packet for a subscriber unknown here */
	SHELL_PASS_SESSION_DROP,	/* an operator's wish: row 4, serial 4 */
	SHELL_PASS_TUNNEL_DROP		/* tunnel id 4, 0 4 */
};

struct shell_wish {			/* what an operator asked the cluster, and its answer */
	uint32_t	number;
	bool		answered, ok;
	char		words[256];
};

struct shell_cluster {
	struct cluster_io *io;
	struct node_id	 self;
	struct cl_status status;
	bool		 packets_wait;	/* in the workers' rings, for want of room here */
	bool		 acting;	/* master and not frozen: the control plane acts */
	uint8_t		 sending;	/* the key that seals what we send */
	uint64_t	 batch;		/* the latest handed to the cluster */
	uint64_t	 released;	/* batches that are safe */
	struct held	 held;
	uint64_t	 held_lost;	/* packets dropped, as they waited when this node stopped being master */
	ev_io		 events;

	/* what is counted: shell_counts.c */
	struct shares	 shares;
	void		*shares_memory;
	size_t		 shares_octets;
	ev_timer	 report;
	uint32_t	 report_at, rounds;

	/* the service address, when we are to own it */
	struct address_owner *address;
	bool		 address_wanted;
	ev_io		 address_io;
	ev_timer	 address_due;
	struct mono	 address_at;	/* when it is due */

	/* an operator's wish under way */
	uint32_t	 wishes;	/* ever */
	uint32_t	 leaving;	/* the one that ends this process; 0 = none */
	struct shell_wish wish[8];	/* by number; older ones are overwritten */
};

/* Opens the cluster the configuration asks for, if any.  0, or 1 after saying why not. */
MUST_USE int shell_cluster_open(struct shell *shell);
void shell_cluster_close(struct shell *shell);
void shell_cluster_run(struct shell *shell);		/* the loop begins: watch its events */

/* Hand over to the others and end; false: there are none, and the sessions end with us. */
MUST_USE bool shell_cluster_leave(struct shell *shell);

/* May packets and timers enter the control plane? */
bool shell_acts(const struct shell *shell);
/* Is there room for what one more batch of packets may say and change?  If not, the packets are looked at again
 * after the cluster's next events, and each time counters are reported. */
bool shell_cluster_room(struct shell *shell);
void shell_cluster_room_look(struct shell *shell);

/* Before a list of effects is carried out: hand over what changed. */
void shell_cluster_changes(struct shell *shell);
/* Keep a packet until it may go.  False: it may go at once. */
MUST_USE bool shell_cluster_hold(struct shell *shell, const struct plane_packet *packet);

/* The key file again.  `rotate`: seal with its last key from now on.  False: `message` says why not. */
bool shell_cluster_keys(struct shell *shell, bool rotate, char message[FACTS_MESSAGE_MAX]);

/* shell_counts.c: this node's counters to the others, theirs to `shares`. */
void shell_counts_run(struct shell *shell);
/* Others' use of a session counts too. */
void shell_counts_usage(const struct shell *shell, struct row row, struct lns_usage *usage);
void shell_counts_received(struct shell *shell, const struct cluster_event *event);

/* What an operator asks of the cluster: a number to ask for the answer with, which comes later. */
uint32_t shell_wish(struct shell *shell, enum cl_verb verb, struct node_id node);
void shell_wish_done(struct shell *shell, const struct cluster_event *event);
const struct shell_wish *shell_wish_answer(const struct shell *shell, uint32_t number);	/* NULL: forgotten */

/* A datagram that this node may not act on. */
void shell_cluster_pass(struct shell *shell, const struct punt *punt);
/* The same for an operator's wish; the words tell him so. */
void shell_cluster_pass_wish(struct shell *shell, enum shell_pass kind, uint32_t number, uint32_t serial);

#endif
