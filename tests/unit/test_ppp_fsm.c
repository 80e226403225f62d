/*
 * Goal: the automaton's table is RFC 1661's.
 * Method: the RFC's printed tables are parsed, all 160 cells are compared with fsm_step(): actions,
 * their order (as bits rise) and the new state.  The states in which the timer runs are section 4.1's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/core/ppp_fsm.h"

static const struct { const char *name; unsigned bit; } action[] = {
	{ "tld", FSM_TLD }, { "tls", FSM_TLS }, { "irc", FSM_IRC }, { "zrc", FSM_ZRC }, { "scr", FSM_SCR },
	{ "sca", FSM_SCA }, { "scn", FSM_SCN }, { "str", FSM_STR }, { "sta", FSM_STA }, { "scj", FSM_SCJ },
	{ "ser", FSM_SER }, { "tlu", FSM_TLU }, { "tlf", FSM_TLF },
};

struct cell { unsigned act; unsigned next; };

static unsigned action_bit(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(action); i++)
		if (strcmp(action[i].name, name) == 0)
			return action[i].bit;
	fail_msg("the RFC has no action %s", name);
	return 0;
}

/* "irc,scr/6x" -> its actions and state; "-" -> FSM_BAD.  Each action's bit is above the one before. */
static struct cell cell_parse(char *text)
{
	struct cell cell = { 0 };
	char *slash = strchr(text, '/');

	if (strcmp(text, "-") == 0)
		return (struct cell){ .act = FSM_BAD };
	cell.next = (unsigned)atoi(slash ? slash + 1 : text);
	if (!slash)
		return cell;
	*slash = 0;
	for (char *rest = text, *name; (name = strsep(&rest, ",")); ) {
		unsigned bit = action_bit(name);

		assert_true(bit > cell.act);
		cell.act |= bit;
	}
	return cell;
}

static int event_number(const char *name)
{
	for (int e = 0; e < FSM_EVENTS; e++)
		if (strcmp(fsm_event_name((enum fsm_event)e), name) == 0)
			return e;
	return -1;
}

/* One row of either table: the cells of `event` from state `first` on. */
static unsigned row_compare(enum fsm_event event, unsigned first, char *cells)
{
	unsigned n = 0;

	for (char *text = strtok(cells, " \n"); text; text = strtok(NULL, " \n"), n++) {
		struct cell want = cell_parse(text);
		enum fsm_state state = (enum fsm_state)(first + n);
		unsigned act = fsm_step(&state, event);

		assert_int_equal(act, want.act);
		assert_int_equal(state, want.act == FSM_BAD ? first + n : want.next);
	}
	return n;
}

static void table_is_the_rfcs(void **state)
{
	FILE *file = fopen("tests/vectors/rfc1661-4.1.txt", "r");
	unsigned cells = 0, first = 0;
	char line[128], name[16];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char *bar = strchr(line, '|');

		if (strstr(line, "Req-Sent"))
			first = FSM_REQSENT;
		if (line[0] == '#' || !bar)
			continue;
		*bar = 0;
		if (sscanf(line, "%15s", name) == 1 && event_number(name) >= 0)
			cells += row_compare((enum fsm_event)event_number(name), first, bar + 1);
	}
	fclose(file);
	assert_int_equal(cells, FSM_EVENTS * FSM_STATES);
}

/* Section 4.1: the timer runs in the states that know TO events. */
static void timer_runs_where_it_may_expire(void **unused)
{
	(void)unused;
	for (unsigned s = 0; s < FSM_STATES; s++) {
		enum fsm_state state = (enum fsm_state)s;

		assert_int_equal(fsm_timer_runs((enum fsm_state)s),
				 fsm_step(&state, FSM_EV_TO_PLUS) != FSM_BAD);
	}
}

static void names(void **unused)
{
	(void)unused;
	assert_string_equal(fsm_state_name(FSM_INITIAL), "initial");
	assert_string_equal(fsm_state_name(FSM_OPENED), "opened");
	assert_string_equal(fsm_state_name(FSM_STATES), "unknown");
	assert_string_equal(fsm_event_name(FSM_EV_RXR), "RXR");
	assert_string_equal(fsm_event_name(FSM_EVENTS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_the_rfcs),
		cmocka_unit_test(timer_runs_where_it_may_expire),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
