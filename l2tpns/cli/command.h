/*
 * command.h -- commands as rows, and one command being carried out in slices.
 *
 * A command runs on the control thread, where packets wait: each slice looks at
 * a bounded number of rows and writes at most one buffer, and the next is asked
 * for only when the reader has taken the last.  So `show session` with 200,000
 * sessions holds nothing up, and a reader that stops reading stops only itself.
 *
 * Success is decided in the first slice that does not wait: command_step() has set
 * run->status when it first returns anything but COMMAND_WAIT, and it does not change
 * after that.  A command that waits before has written nothing.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "l2tpns/cli/facts.h"
#include "l2tpns/cli/out.h"
#include "l2tpns/cli/typed.h"
#include "l2tpns/wire/ctl.h"

#define COMMAND_SCRATCH	128		/* numbers a command may keep between slices */
#define COMMAND_LOOK	4096u		/* rows a slice looks at */

enum command_mode { COMMAND_EXEC, COMMAND_CONFIG, COMMAND_EVERYWHERE };

enum command_step {
	COMMAND_DONE,
	COMMAND_MORE,			/* drain the buffer and ask again */
	COMMAND_WAIT			/* nothing to say yet: drain, and ask again in COMMAND_WAIT_MS */
};
#define COMMAND_WAIT_MS	200

struct command_run;

enum command_at_terminal {
	COMMAND_BY_ROW,			/* the terminal hands it to the control thread */
	COMMAND_BY_TERMINAL,		/* it is about the terminal, which does it itself */
	COMMAND_BY_LIBRARY		/* libcli has it already */
};

struct command_row {
	const char	*words;		/* the grammar; see match.h */
	const char	*help;
	enum command_step (*run)(struct command_run *run);
	enum command_mode mode;
	enum command_at_terminal terminal;
	bool		 privileged;
	bool		 shows;		/* takes `json` as its last word, and changes nothing */
	bool		 metrics;	/* always in the metrics' form */
	uint8_t		 args_logged;	/* arguments that may stand in the log; those after them may be secrets */
};

extern const struct command_row command_rows[];
extern const unsigned command_rows_n;

struct command_group {			/* words that begin several rows, for help */
	const char	*words, *help;
};

extern const struct command_group command_groups[];
extern const unsigned command_groups_n;

struct command_run {
	struct facts		*facts;
	const struct command_row *row;
	enum ctl_status		 status;
	bool			 enabled;	/* secrets may be shown */
	bool			 begun;		/* the first slice that did not wait is over */
	struct out		 out;
	struct typed		 typed;	/* filled by the caller before command_begin() */
	unsigned		 args_at;	/* which word is the first argument */
	unsigned		 args;		/* how many there are */

	char			 refusal[512];	/* why no row was found */

	/* The handler's place to go on from; zero before its first slice. */
	unsigned		 stage;
	uint32_t		 at;
	uint64_t		 number[COMMAND_SCRATCH];
};

/*
 * Find the row for the words in run->typed and make ready.  The last may be "json".
 * When no row is found the run holds the message and ends at its first step.
 * `buffer` is lent until the run is over.
 */
void command_begin(struct command_run *run, struct facts *facts, enum out_form form, enum command_mode mode,
		   bool enabled, char *buffer, uint32_t room);

/* One slice.  Call it only with run->out drained. */
MUST_USE enum command_step command_step(struct command_run *run);

/* What was asked, in full words, for the log: without arguments that may be secrets. */
void command_describe(const struct command_run *run, char *text, size_t room);

/* For handlers */
static inline const char *command_arg(const struct command_run *run, unsigned n)
{
	return typed_word(&run->typed, run->args_at + n);
}

/* Does the argument begin this keyword? */
bool command_arg_is(const struct command_run *run, unsigned n, const char *keyword);

/* A decimal number of at most `max`; false when it is something else. */
MUST_USE bool command_arg_number(const struct command_run *run, unsigned n, uint32_t max, uint32_t *number);

/* End with an error: a message, and the status. */
enum command_step command_fail(struct command_run *run, enum ctl_status status, const char *format, ...)
	PRINTF_LIKE(3, 4);

#endif
