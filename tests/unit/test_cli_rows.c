/*
 * Goal: the command table is fit to be read by everything that reads it: matching, help, manual, libcli.
 * Method: properties of every row, one by one and against each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "l2tpns/cli/match.h"

static void grammar(void **state)
{
	(void)state;
	for (unsigned i = 0; i < command_rows_n; i++) {
		const char *at = command_rows[i].words;
		bool arguments = false, optional = false, repeats = false;

		assert_true(*at >= 'a' && *at <= 'z');		/* a command word comes first */
		while (*at) {
			size_t len = strcspn(at, " ");

			assert_false(repeats);			/* what may be repeated comes last */
			repeats = len > 3 && strstr(at, "...") && strstr(at, "...") < at + len;
			if (*at == '[') {
				assert_true(at[len - 1] == ']');
				arguments = optional = true;
			} else if (*at >= 'A' && *at <= 'Z') {
				assert_false(optional);		/* nothing required after what may be left out */
				arguments = true;
			} else {
				assert_false(arguments);	/* command words come before arguments */
			}
			at += len;
			assert_true(strspn(at, " ") <= 1);
			at += strspn(at, " ");
		}
	}
}

static void every_row_is_whole(void **state)
{
	(void)state;
	for (unsigned i = 0; i < command_rows_n; i++) {
		const struct command_row *row = &command_rows[i];

		assert_non_null(row->run);
		assert_non_null(row->help);
		assert_true(strlen(row->words) <= 36);		/* the width of the help's first column */
		assert_true(strlen(row->help) <= 60);
		if (*row->help)
			assert_true(*row->help >= 'A' && *row->help <= 'Z');
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(row->words, command_rows[k].words);
	}
}

/* What changes anything needs enable and is logged; what takes secrets logs only its first words. */
static void what_changes_is_privileged(void **state)
{
	(void)state;
	for (unsigned i = 0; i < command_rows_n; i++) {
		const struct command_row *row = &command_rows[i];

		if (!row->shows && row->terminal == COMMAND_BY_ROW)
			assert_true(row->privileged);
		if (strncmp(row->words, "show running", 12) == 0 || strncmp(row->words, "write t", 7) == 0)
			assert_true(row->privileged);		/* they show secrets */
		if (strncmp(row->words, "set ", 4) == 0)
			assert_int_equal(row->args_logged, 1);
	}
}

/* Words that begin several rows have a help of their own for libcli's `?`. */
static void groups(void **state)
{
	(void)state;
	for (unsigned i = 0; i < command_rows_n; i++) {
		const char *words = command_rows[i].words, *space = strchr(words, ' ');
		bool there = false;

		if (!space || space[1] < 'a' || space[1] > 'z')
			continue;
		for (unsigned k = 0; k < command_groups_n; k++)
			there |= strlen(command_groups[k].words) == (size_t)(space - words) &&
				 memcmp(command_groups[k].words, words, (size_t)(space - words)) == 0;
		assert_true(there);
	}
}

static void described_without_secrets(void **state)
{
	static struct command_run run;
	static struct facts facts;
	static char buffer[OUT_ROOM];
	char text[128];

	(void)state;
	assert_true(typed_split(&run.typed, bytes_str("set l2tp_secret \"top secret\" more")));
	command_begin(&run, &facts, OUT_TEXT, COMMAND_EVERYWHERE, true, buffer, sizeof(buffer));
	command_describe(&run, text, sizeof(text));
	assert_string_equal(text, "set l2tp_secret");
	assert_true(typed_split(&run.typed, bytes_str("dr u ann bob")));
	command_begin(&run, &facts, OUT_TEXT, COMMAND_EVERYWHERE, true, buffer, sizeof(buffer));
	command_describe(&run, text, sizeof(text));
	assert_string_equal(text, "drop user ann bob");
	assert_true(typed_split(&run.typed, bytes_str("reload")));
	command_begin(&run, &facts, OUT_TEXT, COMMAND_EVERYWHERE, true, buffer, sizeof(buffer));
	command_describe(&run, text, 4);
	assert_string_equal(text, "rel");
}

/* `json` last is a form where the row shows something, and a word elsewhere. */
static void json_as_the_last_word(void **state)
{
	static struct command_run run;
	static struct facts facts;
	static char buffer[OUT_ROOM];

	(void)state;
	assert_true(typed_split(&run.typed, bytes_str("show session 7 json")));
	command_begin(&run, &facts, OUT_TEXT, COMMAND_EXEC, false, buffer, sizeof(buffer));
	assert_int_equal(run.status, CTL_OK);
	assert_ptr_equal(run.out.ops, &out_json_ops);
	assert_int_equal(run.args, 1);
	assert_true(typed_split(&run.typed, bytes_str("set hostname json")));
	command_begin(&run, &facts, OUT_TEXT, COMMAND_CONFIG, true, buffer, sizeof(buffer));
	assert_int_equal(run.status, CTL_OK);
	assert_ptr_equal(run.out.ops, &out_text_ops);
	assert_string_equal(command_arg(&run, 1), "json");
	assert_true(typed_split(&run.typed, bytes_str("show metrics")));
	command_begin(&run, &facts, OUT_JSON, COMMAND_EXEC, false, buffer, sizeof(buffer));
	assert_ptr_equal(run.out.ops, &out_metrics_ops);
	assert_true(typed_split(&run.typed, bytes_str("frobnicate json")));
	command_begin(&run, &facts, OUT_TEXT, COMMAND_EXEC, false, buffer, sizeof(buffer));
	assert_int_equal(run.status, CTL_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(what_changes_is_privileged),
		cmocka_unit_test(groups),
		cmocka_unit_test(described_without_secrets),
		cmocka_unit_test(json_as_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
