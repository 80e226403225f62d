/*
 * match.h -- words typed by an operator find their row of the command table.
 *
 * Pure.  A row's words say its grammar:
 *
 *	show session [ID|USER...]	literal words, then arguments in capitals;
 *	set NAME VALUE			[..] may be left out, ... may be repeated
 *
 * A literal word may be shortened while it stays unique among the rows that the
 * operator could mean; a whole word beats a longer one that begins with it.
 */
#ifndef CLI_MATCH_H
#define CLI_MATCH_H

#include "l2tpns/cli/command.h"

#define MATCH_MESSAGE_MAX	512
#define MATCH_CANDIDATES_MAX	64

enum match_result {
	MATCH_FOUND,
	MATCH_EMPTY,			/* no words at all */
	MATCH_UNKNOWN,			/* no row has such a word there */
	MATCH_AMBIGUOUS,		/* several do */
	MATCH_INCOMPLETE,		/* more words are needed */
	MATCH_TOO_MANY,			/* the row takes fewer arguments */
	MATCH_NOT_ENABLED		/* the row needs enable */
};

struct match {
	const struct command_row *row;	/* MATCH_FOUND, MATCH_TOO_MANY, MATCH_NOT_ENABLED */
	unsigned	args_at;	/* which word is the first argument */
	char		message[MATCH_MESSAGE_MAX];	/* what to tell the operator otherwise; one line */
};

/* What the operator may do: privileged rows are there only with enable. */
enum match_result match_words(const struct typed *words, enum command_mode mode, bool enabled, struct match *match);

/* What may stand as word number words->n - 1, of which what is there has been typed; for an empty last
 * word, everything that may follow.  Arguments are given as their capitals.  A candidate ends at a blank, a
 * bracket or its nul.  Returns how many. */
unsigned match_complete(const struct typed *words, enum command_mode mode, bool enabled,
			const char *candidate[MATCH_CANDIDATES_MAX]);

#endif
