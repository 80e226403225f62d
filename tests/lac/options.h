/*
 * options.h -- options as rows: parsing, presets and help are read from one table.
 *
 * The command line ("--sessions 1000") and a step's arguments ("time=5") use the
 * same rows; each row says where in its struct the value goes.
 */
#ifndef LAC_OPTIONS_H
#define LAC_OPTIONS_H

#include "l2tpns/base/addr.h"

enum option_kind { OPTION_NUMBER, OPTION_REAL, OPTION_FLAG, OPTION_TEXT, OPTION_IP, OPTION_CHOICE };

struct option_row {
	const char		*name;
	enum option_kind	 kind;
	size_t			 at;		/* offset in the struct */
	const char		*preset;	/* NULL: zero */
	const char *const	*choice;	/* OPTION_CHOICE: its words, ending with NULL */
	const char		*help;
};

/* Fields are uint64_t, double, bool, const char *, struct ip4 and uint64_t, in the order of the kinds. */
void options_preset(const struct option_row *row, size_t rows, void *into);

/* False, with a sentence on stderr, when the name or the value is wrong. */
MUST_USE bool option_set(const struct option_row *row, size_t rows, void *into, const char *name, const char *value);
MUST_USE bool option_is_flag(const struct option_row *row, size_t rows, const char *name);
void options_help(const struct option_row *row, size_t rows, const char *dashes);

/* Words "name=value" or "flag", taken apart in place. */
MUST_USE bool options_words(const struct option_row *row, size_t rows, void *into, char *words);

#endif
