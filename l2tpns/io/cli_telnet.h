/*
 * cli_telnet.h -- terminals: libcli, two threads a connection, commands run on the control thread.
 *
 * The control loop watches cli_telnet_fd() and calls cli_telnet_run() when it is
 * readable; that accepts a connection or runs one slice of one command, never
 * more.  Output goes back through the connection's buffer; while a terminal does
 * not read, its command does not go on, and nothing else notices.
 */
#ifndef IO_CLI_TELNET_H
#define IO_CLI_TELNET_H

#include "l2tpns/cli/command.h"
#include "l2tpns/io/log_out.h"

#define CLI_TELNET_CONNECTIONS	16

struct cli_telnet;

struct cli_telnet_conf {
	struct ip4	address;		/* 0 = every address */
	uint16_t	port;
	unsigned	idle_timeout_s;		/* 0 = never */
};

/* Called on a terminal's own thread: crypt(3) may take its time there.  The shell guards its lists. */
struct cli_host {
	void *ctx;
	bool (*login_check)(void *ctx, const char *user, const char *password);
	bool (*enable_needed)(void *ctx);	/* is there an enable password? */
	bool (*enable_check)(void *ctx, const char *password);
};

/* Listen.  -errno, and nothing is left open.  `host` is copied; `facts` and `log` are lent. */
MUST_USE int cli_telnet_open(struct cli_telnet **telnet, const struct cli_telnet_conf *conf,
			     const struct cli_host *host, struct facts *facts, struct log_out *log);
int cli_telnet_fd(const struct cli_telnet *telnet);
void cli_telnet_run(struct cli_telnet *telnet);

/* Ends every terminal and waits for its threads, which takes milliseconds. */
void cli_telnet_close(struct cli_telnet *telnet);

#endif
