/*
 * nsctl.h -- the control tool: words go to the daemon over its socket, the answer comes back.
 *
 * nsctl knows no command but its own few: what the daemon understands is the
 * daemon's business, so an old nsctl can ask a new daemon everything.
 */
#ifndef NSCTL_H
#define NSCTL_H

#include "l2tpns/wire/ctl.h"

enum exit_code {		/* stable: scripts rely on them */
	EXIT_OK,		/* done */
	EXIT_FAILED,		/* the daemon refused, or there is no such object */
	EXIT_USAGE,		/* nsctl or the daemon did not understand the words */
	EXIT_UNREACHABLE,	/* no daemon answers at the socket */
	EXIT_TIMEOUT		/* it did not answer in time */
};

struct nsctl {
	const char	*path;
	enum ctl_form	 form;
	unsigned	 timeout_ms;
	unsigned	 frames;	/* of top; 0 = until q */
	bool		 wait;		/* until the daemon that was told to end has ended */
};

struct local_row {		/* what nsctl does itself */
	const char	*word;		/* the first of the command; or the option that asks for this */
	const char	*usage, *help;
	enum exit_code (*run)(const struct nsctl *nsctl, int argc, char **argv);
};

#define WAIT_WORD	"--wait"

extern const struct local_row local_rows[];
extern const unsigned local_rows_n;

/* request.c: `take` gets the answer piece by piece, and the status with each; false ends the reading. */
typedef bool take_fn(void *ctx, unsigned status, const char *text, size_t len);
enum exit_code request(const struct nsctl *nsctl, enum ctl_form form, const char *const *word, unsigned words,
		       bool patient, take_fn *take, void *ctx);

/* The same, the answer to stdout, or to stderr when it is an error in words. */
enum exit_code request_print(const struct nsctl *nsctl, const char *const *word, unsigned words);

/* A connection to the daemon, not blocking. */
enum exit_code connect_to(const struct nsctl *nsctl, uint64_t deadline_ms, int *fd);
uint64_t now_ms(void);

/* wait.c: a command that ends the daemon, and its end. */
enum exit_code wait_end(const struct nsctl *nsctl, int argc, char **argv);

/* top.c */
enum exit_code top(const struct nsctl *nsctl, int argc, char **argv);

#endif
