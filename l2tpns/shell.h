/*
 * shell.h -- the running daemon: the pure control plane among descriptors, threads and signals.
 *
 * shell.c carries effects out and is the only place where core/ and io/ meet;
 * shell_files.c reads what is configured; shell_hands.c is what an operator can do.
 * Everything here runs on the control thread unless it says otherwise.
 */
#ifndef SHELL_H
#define SHELL_H

#include <ev.h>
#include <limits.h>
#include <pthread.h>

#include "l2tpns/cli/facts.h"
#include "l2tpns/config/config.h"
#include "l2tpns/config/show.h"
#include "l2tpns/config/pool_file.h"
#include "l2tpns/config/users.h"
#include "l2tpns/io/cli_telnet.h"
#include "l2tpns/io/crypt_thread.h"
#include "l2tpns/io/ctl_unix.h"
#include "l2tpns/io/log_out.h"
#include "l2tpns/io/netlink.h"
#include "l2tpns/io/tun.h"
#include "l2tpns/plane/user.h"
#include "l2tpns/shell_cluster.h"

struct shell_args {			/* the command line */
	const char	*config_path;
	const char	*host_name;	/* NULL: the configuration's, else the system's */
	bool		 detach;
	unsigned	 verbose;
};

struct shell {
	struct ev_loop	*loop;
	ev_io		 punts, crypts, terminals;
	ev_timer	 tick, second, watchdog, deadline;
	ev_signal	 hup, term, intr, quit;
	ev_prepare	 rest;
	ev_idle		 more_punts;
	bool		 leaving;		/* QUIT: closing tunnels, until the deadline */
	bool		 told;			/* every LAC was: what remains is their acknowledgement */

	struct shell_args args;
	char		 config_path[PATH_MAX];
	char		 host[64];		/* the system's name, or the command line's */
	struct config	*config;		/* as it runs */
	struct lns_conf	*lns_conf;		/* what the control plane was told last */
	struct lns	*lns;
	void		*lns_memory;
	size_t		 lns_octets;
	struct subscribers *subscribers;
	void		*subscribers_memory;
	size_t		 subscribers_octets;
	struct hash_key	 key;			/* of the subscribers' index */
	struct users	*users;			/* the CLI's logins */
	pthread_mutex_t	 users_lock;		/* terminals read them on their own threads */

	struct log_out	*log;
	struct plane	*plane;
	struct tun	 tun;
	struct netlink	*netlink;
	struct crypt_thread *crypt;
	struct cli_telnet *telnet;
	struct ctl_unix	*ctl;
	struct facts	 facts;

	struct config_cursor shown;		/* where the display of the configuration stands */
	unsigned	 shown_how, shown_next;

	struct row	 unroutable[FX_MAX];	/* sessions whose route found no room */
	unsigned	 unroutables;
	struct shell_cluster *cluster;		/* NULL: this node is alone */

	struct plane_packet packet[PLANE_SEND_MAX];
	unsigned	 packets;
	struct fx_list	 fx;
};

/* Build everything the configuration asks for, in the order privileges allow.  0, or 1 after saying why. */
MUST_USE int shell_open(struct shell *shell, const struct shell_args *args);
void shell_run(struct shell *shell);		/* until a signal or an operator ends it */
void shell_close(struct shell *shell);

/* shell.c: after anything that may have left effects */
void shell_settle(struct shell *shell);
void shell_settle_if_full(struct shell *shell);		/* between two entries of a batch */
void shell_wake(struct shell *shell);
void shell_leave(struct shell *shell);		/* cleanly, as SIGQUIT does */

/* shell_files.c */
MUST_USE int shell_files_read(struct shell *shell);		/* at start; 0, or 1 after saying why */
bool shell_files_reload(struct shell *shell, char message[FACTS_MESSAGE_MAX]);
void shell_files_say(struct shell *shell);			/* their warnings, once there is a log; subscribers */
void shell_routes_put(struct shell *shell);			/* of the pools, to the tun device */
void shell_files_close(struct shell *shell);
bool shell_config_changed(struct shell *shell, const struct config *wanted, char message[FACTS_MESSAGE_MAX]);

/* shell_hands.c */
extern const struct facts_ops shell_hands;
extern const struct cli_host shell_cli_host;

#endif
