/* options.c -- one parser and one help text for every table of options. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/lac/options.h"

static const struct option_row *find(const struct option_row *row, size_t rows, const char *name)
{
	for (size_t i = 0; i < rows; i++)
		if (strcmp(row[i].name, name) == 0)
			return &row[i];
	return NULL;
}

/* "10k" and "2M" are welcome. */
static bool number_parse(const char *text, uint64_t *out)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);

	if (end == text)
		return false;
	if (*end == 'k' || *end == 'M') {
		v *= *end == 'k' ? 1000u : 1000000u;
		end++;
	}
	*out = v;
	return *end == '\0';
}

static bool choice_parse(const struct option_row *row, const char *text, uint64_t *out)
{
	for (uint64_t i = 0; row->choice[i]; i++)
		if (strcmp(row->choice[i], text) == 0) {
			*out = i;
			return true;
		}
	return false;
}

static bool value_set(const struct option_row *row, void *into, const char *value)
{
	void *at = (char *)into + row->at;
	char *end;

	switch (row->kind) {
	case OPTION_NUMBER:
		return number_parse(value, at);
	case OPTION_REAL:
		*(double *)at = strtod(value, &end);
		return end != value && *end == '\0';
	case OPTION_FLAG:
		*(bool *)at = strcmp(value, "no") != 0;
		return true;
	case OPTION_TEXT:
		*(const char **)at = value;
		return true;
	case OPTION_IP:
		return ip4_parse(value, at);
	case OPTION_CHOICE:
		return choice_parse(row, value, at);
	}
	return false;
}

void options_preset(const struct option_row *row, size_t rows, void *into)
{
	for (size_t i = 0; i < rows; i++)
		if (row[i].preset && !value_set(&row[i], into, row[i].preset))
			ASSERT(false && "a preset must suit its own row");
}

bool option_set(const struct option_row *row, size_t rows, void *into, const char *name, const char *value)
{
	const struct option_row *found = find(row, rows, name);

	if (!found) {
		fprintf(stderr, "lac: no such option: %s (see --help)\n", name);
		return false;
	}
	if (!value_set(found, into, value)) {
		fprintf(stderr, "lac: %s: not a value it can take: %s\n", name, value);
		return false;
	}
	return true;
}

bool option_is_flag(const struct option_row *row, size_t rows, const char *name)
{
	const struct option_row *found = find(row, rows, name);

	return found && found->kind == OPTION_FLAG;
}

void options_help(const struct option_row *row, size_t rows, const char *dashes)
{
	static const char *const shape[] = { "=N", "=X", "", "=TEXT", "=IP", "=WORD" };

	for (size_t i = 0; i < rows; i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s%s%s", dashes, row[i].name, shape[row[i].kind]);
		printf("  %-26s %s", left, row[i].help);
		if (row[i].kind == OPTION_CHOICE) {
			printf(":");
			for (unsigned n = 0; row[i].choice[n]; n++)
				printf("%s%s", n ? " | " : " ", row[i].choice[n]);
		}
		if (row[i].preset && row[i].preset[0])
			printf(" [%s]", row[i].preset);
		printf("\n");
	}
}

bool options_words(const struct option_row *row, size_t rows, void *into, char *words)
{
	char *rest = words, *word;

	while ((word = strsep(&rest, " \t")) != NULL) {
		if (*word == '\0')
			continue;
		char *value = strchr(word, '=');

		if (value)
			*value++ = '\0';
		else if (!option_is_flag(row, rows, word))
			value = (char *)"";
		if (!option_set(row, rows, into, word, value ? value : "yes"))
			return false;
	}
	return true;
}
