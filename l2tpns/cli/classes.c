/* classes.c -- one row a word. */
#include "l2tpns/cli/classes.h"

static const struct { const char *word; unsigned bits; } rows[] = {
	{ "bug",	1u << SAY_BUG },	/* the first SAY_CLASSES rows name the classes in order */
	{ "local",	1u << SAY_LOCAL },
	{ "peer",	1u << SAY_PEER },
	{ "state",	1u << SAY_STATE },
	{ "calls",	1u << SAY_CALLS },
	{ "data",	1u << SAY_DATA },
	{ "all",	CLASSES_ALL },
	{ "critical",	1u << SAY_BUG },
	{ "error",	1u << SAY_LOCAL },
	{ "warning",	1u << SAY_PEER },
	{ "info",	1u << SAY_STATE },
};

const char classes_help[] = "bug (critical), local (error), peer (warning), state (info), calls, data, all";

const char *class_name(enum say_class class)
{
	ASSERT(class < SAY_CLASSES);
	return rows[class].word;
}

static unsigned word_bits(const char *word, size_t len)
{
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		if (len <= strlen(rows[i].word) && memcmp(word, rows[i].word, len) == 0)
			return rows[i].bits;
	}
	return 0;
}

unsigned classes_parse(const char *words)
{
	unsigned bits = 0;

	for (;;) {
		size_t len = strcspn(words, ",");
		unsigned more = len ? word_bits(words, len) : 0;

		if (!more)
			return 0;
		bits |= more;
		if (!words[len])
			return bits;
		words += len + 1;
	}
}
