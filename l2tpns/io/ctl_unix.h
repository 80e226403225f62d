/*
 * ctl_unix.h -- nsctl's socket: one line of words in, a status line and the answer out.
 *
 * Runs on the control loop without blocking it: in each turn of the loop at most
 * one slice of one command is produced, the clients taking turns; a client that
 * does not read is simply not written to.  Who may connect is decided by the
 * socket's owner, group and mode; whoever can is trusted like an operator with
 * enable.
 *
 * What is said is in wire/ctl.h.
 */
#ifndef IO_CTL_UNIX_H
#define IO_CTL_UNIX_H

#include "l2tpns/cli/command.h"
#include "l2tpns/io/log_out.h"

#define CTL_CLIENTS_MAX		64
#define CTL_REQUEST_S		10	/* a client that has not sent its line by then is let go */

struct ev_loop;
struct ctl_unix;

struct ctl_unix_conf {
	const char	*path;
	const char	*group;		/* "" or NULL: the daemon's own; mode 0660 either way */
};

/* -errno, and nothing is left open.  A socket left behind by a daemon that died is taken over; one that
 * answers is not (-EADDRINUSE). */
MUST_USE int ctl_unix_open(struct ctl_unix **ctl, struct ev_loop *loop, const struct ctl_unix_conf *conf,
			   struct facts *facts, struct log_out *log);
void ctl_unix_close(struct ctl_unix *ctl);	/* removes the socket too */

#endif
