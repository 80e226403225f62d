/*
 * privs.h -- giving up what a process started as root does not need.
 *
 * Capabilities belong to threads: the process keeps the few it must have, and
 * every thread started later gives up all of them.
 */
#ifndef IO_PRIVS_H
#define IO_PRIVS_H

#include "l2tpns/base/base.h"

/* Keep CAP_NET_ADMIN (routes, the tun device) and, until privs_opened(), what opening ports, raw sockets
 * and real-time scheduling takes. 0 or -errno. */
MUST_USE int privs_start(void);

/* Every socket is open: keep CAP_NET_ADMIN alone, and never gain anything again. 0 or -errno. */
MUST_USE int privs_opened(void);

/* A thread that only moves packets, writes the log or talks to a terminal: no capability at all. */
void privs_thread(void);

#endif
