/*
 * Goal: what an operator types finds the row meant, or an answer that helps; nothing dangerous is found by
 * a likeness.
 * Method: lines with the row or the message they must give; every row is found by its own words; every
 * prefix of every command word gives that row or says it is ambiguous, never another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "l2tpns/cli/match.h"

static enum match_result match_line(const char *line, enum command_mode mode, bool enabled, struct match *match)
{
	struct typed typed;

	assert_true(typed_split(&typed, bytes_str(line)));
	return match_words(&typed, mode, enabled, match);
}

static void found(void **state)
{
	static const struct { const char *line, *words; unsigned args_at; } rows[] = {
		{ "show session", "show session [ID|ADDRESS|USER...]", 2 },
		{ "sh sess", "show session [ID|ADDRESS|USER...]", 2 },
		{ "SH SESS 12 13", "show session [ID|ADDRESS|USER...]", 2 },
		{ "sho pool all", "show pool [all]", 2 },
		{ "sho pool a", "show pool [all]", 2 },
		{ "sh hist i", "show histogram idle", 3 },
		{ "sh t", NULL, 0 },			/* tunnels or top */
		{ "sh tu", "show tunnels [all|ID...]", 2 },
		{ "shu", "shutdown", 1 },
		{ "set hostname a b c", "set NAME VALUE...", 1 },
		{ "set hostname \"\"", "set NAME VALUE...", 1 },
		{ "wr t", "write terminal", 2 },
		{ "no deb", "no debug [CLASS...]", 2 },
		{ "deb calls state", "debug [CLASS...]", 1 },
		{ "drop user ann bob", "drop user NAME...", 2 },
		{ "sh cl", "show cluster", 2 },
		{ "cl h 3", "cluster handover [NODE]", 2 },
		{ "cluster force 3", "cluster force-master [NODE]", 2 },
		{ "cl k re", "cluster key reload", 3 },
		{ "cl k r", NULL, 0 },			/* reload or rotate */
		{ "cl", NULL, 0 },			/* clear or cluster */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct match match;
		enum match_result result = match_line(rows[i].line, COMMAND_EVERYWHERE, true, &match);

		if (!rows[i].words) {
			assert_int_equal(result, MATCH_AMBIGUOUS);
			continue;
		}
		assert_int_equal(result, MATCH_FOUND);
		assert_string_equal(match.row->words, rows[i].words);
		assert_int_equal(match.args_at, rows[i].args_at);
	}
}

static void not_found(void **state)
{
	static const struct { const char *line; enum match_result result; const char *says; } rows[] = {
		{ "", MATCH_EMPTY, "no command" },
		{ "s", MATCH_AMBIGUOUS, "ambiguous \"s\": show, set, shutdown" },
		{ "sh", MATCH_AMBIGUOUS, "ambiguous \"sh\": show, shutdown" },
		{ "show", MATCH_INCOMPLETE, "incomplete; there are: version, running-config" },
		{ "shw ver", MATCH_UNKNOWN, "no command \"shw\"; did you mean \"show\"?" },
		{ "show sesion", MATCH_UNKNOWN, "no command \"show sesion\"; did you mean \"show session\"?" },
		{ "show zzz", MATCH_UNKNOWN, "no command \"show zzz\"; there are: version" },
		{ "show pool some", MATCH_UNKNOWN, "\"some\" has no meaning after \"show pool\"" },
		{ "show version 2", MATCH_TOO_MANY, "\"2\" is too much: show version" },
		{ "set hostname", MATCH_INCOMPLETE, "incomplete: set NAME VALUE..." },
		{ "drop", MATCH_INCOMPLETE, "incomplete; there are: user, session, tunnel" },
		{ "drop session", MATCH_INCOMPLETE, "incomplete: drop session ID..." },
		{ "\"\"", MATCH_UNKNOWN, "no command \"\"" },
		{ "show \"\"", MATCH_UNKNOWN, "no command \"show \"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct match match;

		assert_int_equal(match_line(rows[i].line, COMMAND_EVERYWHERE, true, &match), rows[i].result);
		if (strncmp(match.message, rows[i].says, strlen(rows[i].says)) != 0)
			fail_msg("%s: said \"%s\"", rows[i].line, match.message);
	}
}

static void modes_and_enable(void **state)
{
	struct match match;

	(void)state;
	assert_int_equal(match_line("drop session 1", COMMAND_EXEC, false, &match), MATCH_NOT_ENABLED);
	assert_string_equal(match.message, "\"drop session ID...\" needs enable");
	assert_int_equal(match_line("drop session 1", COMMAND_EXEC, true, &match), MATCH_FOUND);
	assert_int_equal(match_line("drop session 1", COMMAND_CONFIG, true, &match), MATCH_UNKNOWN);
	assert_int_equal(match_line("set debug 3", COMMAND_EXEC, true, &match), MATCH_UNKNOWN);
	assert_int_equal(match_line("set debug 3", COMMAND_CONFIG, true, &match), MATCH_FOUND);
	assert_int_equal(match_line("show running-config", COMMAND_EXEC, false, &match), MATCH_NOT_ENABLED);
}

/* The command word number `place` of a row, or NULL. */
static const char *command_word(const struct command_row *row, unsigned place, char word[64])
{
	const char *at = row->words;

	for (unsigned n = 0; *at >= 'a' && *at <= 'z'; n++) {
		size_t len = strcspn(at, " ");

		if (n == place) {
			memcpy(word, at, len);
			word[len] = '\0';
			return word;
		}
		at += len;
		at += strspn(at, " ");
	}
	return NULL;
}

/* The row's own words, its arguments made up; word `cut` shortened to `letters` (0: none is). */
static void row_line(const struct command_row *row, unsigned cut, size_t letters, char line[256])
{
	const char *at = row->words;

	line[0] = '\0';
	for (unsigned n = 0; *at; n++) {
		size_t len = strcspn(at, " ");

		if (*at >= 'a' && *at <= 'z')
			strncat(line, at, letters && n == cut ? letters : len);
		else if (*at != '[')
			strcat(line, "x");
		strcat(line, " ");
		at += len;
		at += strspn(at, " ");
	}
}

static void every_row_by_its_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < command_rows_n; i++) {
		const struct command_row *row = &command_rows[i];
		char line[256], word[64];
		struct match match;

		row_line(row, 0, 0, line);
		assert_int_equal(match_line(line, COMMAND_EVERYWHERE, true, &match), MATCH_FOUND);
		assert_ptr_equal(match.row, row);
		for (unsigned place = 0; command_word(row, place, word); place++) {
			for (size_t letters = 1; letters < strlen(word); letters++) {
				enum match_result result;

				row_line(row, place, letters, line);
				result = match_line(line, COMMAND_EVERYWHERE, true, &match);
				assert_true((result == MATCH_FOUND && match.row == row) ||
					    result == MATCH_AMBIGUOUS);
			}
		}
	}
}

static void completion(void **state)
{
	const char *candidate[MATCH_CANDIDATES_MAX];
	static const char *const show[] = { "show", "sess" }, *const empty[] = { "drop", "" },
				 *const argument[] = { "drop", "user", "" };
	struct typed typed;

	(void)state;
	assert_true(typed_take(&typed, show, 2));
	assert_int_equal(match_complete(&typed, COMMAND_EXEC, false, candidate), 1);
	assert_memory_equal(candidate[0], "session", 7);
	assert_true(typed_take(&typed, empty, 2));
	assert_int_equal(match_complete(&typed, COMMAND_EXEC, true, candidate), 3);
	assert_int_equal(match_complete(&typed, COMMAND_EXEC, false, candidate), 0);
	assert_true(typed_take(&typed, argument, 3));
	assert_int_equal(match_complete(&typed, COMMAND_EXEC, true, candidate), 1);
	assert_memory_equal(candidate[0], "NAME", 4);
	typed.n = 0;
	assert_true(match_complete(&typed, COMMAND_EVERYWHERE, true, candidate) > 5);
}

static void lines_cut_into_words(void **state)
{
	struct typed typed;
	char line[2 * TYPED_OCTETS];

	(void)state;
	assert_true(typed_split(&typed, bytes_str("  set  name \"a b\" \\\"c \"\" d\"e f\"g\t\n")));
	assert_int_equal(typed.n, 6);
	assert_string_equal(typed_word(&typed, 0), "set");
	assert_string_equal(typed_word(&typed, 2), "a b");
	assert_string_equal(typed_word(&typed, 3), "\"c");
	assert_string_equal(typed_word(&typed, 4), "");
	assert_string_equal(typed_word(&typed, 5), "de fg");
	assert_false(typed_split(&typed, bytes_str("a \"b")));
	assert_false(typed_split(&typed, bytes_of("a\0b", 3)));
	memset(line, 'x', sizeof(line));
	assert_false(typed_split(&typed, bytes_of(line, TYPED_OCTETS)));
	assert_true(typed_split(&typed, bytes_of(line, TYPED_OCTETS - 1)));
	for (unsigned i = 0; i < sizeof(line); i += 2)
		line[i] = ' ';
	assert_true(typed_split(&typed, bytes_of(line, 2 * TYPED_WORDS_MAX)));
	assert_int_equal(typed.n, TYPED_WORDS_MAX);
	assert_false(typed_split(&typed, bytes_of(line, 2 * TYPED_WORDS_MAX + 2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(not_found),
		cmocka_unit_test(modes_and_enable),
		cmocka_unit_test(every_row_by_its_words),
		cmocka_unit_test(completion),
		cmocka_unit_test(lines_cut_into_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
