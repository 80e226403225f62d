/*
 * cli_terminal.h -- one telnet connection: its two threads, and what it shares with the control thread.
 *
 * One thread is in cli_loop() and waits for typed lines and for answers; the
 * other, the pump, carries octets between the client and libcli through a pair
 * of sockets, so that ^C, a client that vanishes and an overlong line are noticed
 * while libcli is busy.  Internal to cli_telnet.c, cli_terminal.c, cli_pump.c.
 */
#ifndef IO_CLI_TERMINAL_H
#define IO_CLI_TERMINAL_H

#include <libcli.h>
#include <pthread.h>

#include "l2tpns/io/cli_telnet.h"
#include "l2tpns/io/telnet_filter.h"

enum terminal_state {
	TERMINAL_QUIET,		/* the run is the terminal's */
	TERMINAL_ASKS,		/* in the queue: the run is the control thread's */
	TERMINAL_ANSWERED	/* a slice is there: the run is the terminal's */
};

struct terminal {
	struct cli_telnet *telnet;
	struct terminal	*next;		/* in the queue */
	pthread_t	 thread, pump;
	pthread_cond_t	 answered;
	bool		 in_use, ended;	/* ended: to be joined */
	int		 client;	/* the connection */
	int		 outer, inner;	/* the pair: the pump's end, libcli's end */
	struct addr	 peer;
	bool		 local;		/* from the loopback: needs no login */
	char		 user[64];	/* who logged in; "" on the loopback */
	unsigned	 failures;
	struct cli_def	*cli;

	/* the run goes to and fro; under the lock of the telnet only its state */
	enum terminal_state state;
	bool		 busy;		/* a command is being carried out */
	bool		 cancelled;	/* ^C */
	bool		 gone;		/* nobody is there any more */
	bool		 fresh;		/* the run has not begun yet */
	bool		 enabled;
	enum command_mode mode;
	enum command_step step;
	struct command_run run;
	char		 buffer[OUT_ROOM];

	/* `debug` */
	unsigned	 classes;	/* 0 = off */
	uint64_t	 log_at;
};

struct cli_telnet {
	pthread_mutex_t	 lock;		/* of the queue, and of every terminal's state */
	struct terminal	*first, **last;	/* who wants a slice */
	bool		 closing;
	int		 epoll, listener, wake, pause;
	struct cli_telnet_conf conf;
	struct cli_host	 host;
	struct facts	*facts;
	struct log_out	*log;
	struct terminal	 terminal[CLI_TELNET_CONNECTIONS];
};

/* cli_pump.c: the second thread of a connection. */
void *terminal_pump(void *terminal);

/* Both threads of a connection; -errno, and neither runs. */
MUST_USE int terminal_start(struct terminal *terminal);

/* Hand a line to the control thread, or ask for its next slice. */
void telnet_ask(struct terminal *terminal);
void telnet_wake(struct cli_telnet *telnet);

/* "ann@192.0.2.1:4000", for the log. */
void terminal_who(const struct terminal *terminal, char *text, size_t room);

#endif
