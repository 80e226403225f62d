/*
 * rfc_rows.h -- state tables of an RFC, kept as text, compared with a machine of ours.
 *
 * A line is `state, state | event | action, action | new state`; `#` begins a
 * comment.  Words become bits through tables of the test's own: an event word
 * may stand for several of our events, an action word for none of our actions
 * when it is the caller's business.
 */
#ifndef TESTS_RFC_ROWS_H
#define TESTS_RFC_ROWS_H

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "l2tpns/base/base.h"

struct rfc_word { const char *text; unsigned bits; };

struct rfc_table {
	const char		*file;
	const struct rfc_word	*states, *events, *actions;	/* each ends with { NULL, 0 } */
	unsigned		 states_count, events_count;
	unsigned		(*step)(unsigned *state, unsigned event);
};

/* The bits of one phrase; a phrase that is not in the table fails the test. */
static unsigned rfc_bits(const struct rfc_word *words, const char *text, const char *where)
{
	for (; words->text; words++)
		if (strcmp(words->text, text) == 0)
			return words->bits;
	fail_msg("%s: \"%s\" is not a known phrase", where, text);
	return 0;
}

/* The bits of phrases between commas. */
static unsigned rfc_list(const struct rfc_word *words, char *text, const char *where)
{
	unsigned bits = 0;

	for (char *rest = text, *word; (word = strsep(&rest, ",")); ) {
		while (*word == ' ')
			word++;
		bits |= rfc_bits(words, word, where);
	}
	return bits;
}

/* Cut a line at its bars; false for a comment or an empty line. */
static bool rfc_columns(char *line, char *column[4], const char *where)
{
	unsigned n = 0;

	line[strcspn(line, "\n")] = 0;
	if (line[0] == '#' || line[0] == 0)
		return false;
	for (char *rest = line, *word; (word = strsep(&rest, "|")); n++) {
		if (n == 4)
			fail_msg("%s: too many columns", where);
		while (*word == ' ')
			word++;
		for (char *end = word + strlen(word); end > word && end[-1] == ' '; )
			*--end = 0;
		column[n] = word;
	}
	if (n != 4)
		fail_msg("%s: four columns expected", where);
	return true;
}

/* Every line of the file is what the machine does, and every (state, event) is in one line. */
static void rfc_compare(const struct rfc_table *table)
{
	unsigned seen[16] = { 0 };		/* bit per event, by state */
	char line[300], where[80], *column[4];
	FILE *file = fopen(table->file, "r");
	unsigned number = 0;

	if (!file)
		fail_msg("%s cannot be opened; run from the top of the tree", table->file);
	while (fgets(line, sizeof(line), file)) {
		snprintf(where, sizeof(where), "%s:%u", table->file, ++number);
		if (!rfc_columns(line, column, where))
			continue;
		unsigned from = rfc_list(table->states, column[0], where);
		unsigned on = rfc_bits(table->events, column[1], where);
		unsigned act = rfc_list(table->actions, column[2], where);
		unsigned to = rfc_bits(table->states, column[3], where);

		for (unsigned s = 0; s < table->states_count; s++)
			for (unsigned e = 0; e < table->events_count; e++) {
				unsigned state = s;

				if (!(from & 1u << s) || !(on & 1u << e))
					continue;
				if (seen[s] & 1u << e)
					fail_msg("%s: state %u, event %u stands in an earlier line too",
						where, s, e);
				seen[s] |= 1u << e;
				unsigned done = table->step(&state, e);

				if (done != act || 1u << state != to)
					fail_msg("%s: state %u, event %u: actions %#x, state %u", where, s, e,
						done, state);
			}
	}
	fclose(file);
	for (unsigned s = 0; s < table->states_count; s++)
		if (seen[s] != (1u << table->events_count) - 1)
			fail_msg("%s: state %u: events %#x have no line", table->file, s,
				 ~seen[s] & ((1u << table->events_count) - 1));
}

#endif
