/* command.c -- beginning a command, and its slices. */
#include <stdarg.h>
#include <stdio.h>

#include "l2tpns/cli/match.h"

/* "show session json": the last word is a form, unless the row would not know what to do with one. */
static enum match_result match_with_form(struct command_run *run, enum command_mode mode, bool enabled,
					 struct match *match, enum out_form *form)
{
	struct typed *typed = &run->typed;

	if (typed->n > 1 && strcmp(typed_word(typed, typed->n - 1), "json") == 0) {
		typed->n--;
		if (match_words(typed, mode, enabled, match) == MATCH_FOUND && match->row->shows) {
			*form = OUT_JSON;
			return MATCH_FOUND;
		}
		typed->n++;
	}
	return match_words(typed, mode, enabled, match);
}

/* Nothing was found: the message is the whole answer. */
static enum command_step say_no(struct command_run *run)
{
	out_message(&run->out, "%s", run->refusal);
	return COMMAND_DONE;
}

static const struct command_row refused_row = { .words = "?", .help = "", .run = say_no };

void command_begin(struct command_run *run, struct facts *facts, enum out_form form, enum command_mode mode,
		   bool enabled, char *buffer, uint32_t room)
{
	struct match match;
	enum match_result result = match_with_form(run, mode, enabled, &match, &form);

	run->facts = facts;
	run->status = CTL_OK;
	run->enabled = enabled;
	run->begun = false;
	run->stage = 0;
	run->at = 0;
	memset(run->number, 0, sizeof(run->number));
	run->refusal[0] = '\0';
	if (result == MATCH_FOUND) {
		run->row = match.row;
		run->args_at = match.args_at;
		run->args = run->typed.n - match.args_at;
		form = match.row->metrics ? OUT_METRICS : form;
	} else {
		run->row = &refused_row;
		run->args = 0;
		run->status = result == MATCH_NOT_ENABLED ? CTL_NOT_ENABLED : CTL_UNKNOWN;
		memcpy(run->refusal, match.message, sizeof(run->refusal));
	}
	out_init(&run->out, form, buffer, room);
}

enum command_step command_step(struct command_run *run)
{
	ASSERT(out_is_empty(&run->out));
	facts_refresh(run->facts);

	struct out fresh = run->out;
	bool first = !run->begun;

	if (first)
		out_begin(&run->out);
	run->begun = true;

	uint32_t len = run->out.len;
	enum command_step step = run->row->run(run);

	if (first && step == COMMAND_WAIT) {	/* it will begin when it knows how it ends */
		ASSERT(run->out.len == len);
		run->out = fresh;
		run->begun = false;
	}
	if (step == COMMAND_DONE)
		out_finish(&run->out);
	return step;
}

enum command_step command_fail(struct command_run *run, enum ctl_status status, const char *format, ...)
{
	char text[FACTS_MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	run->status = status;
	out_message(&run->out, "%s", text);
	return COMMAND_DONE;
}

bool command_arg_is(const struct command_run *run, unsigned n, const char *keyword)
{
	if (n >= run->args)
		return false;
	const char *arg = command_arg(run, n);

	return *arg && strncmp(keyword, arg, strlen(arg)) == 0;
}

bool command_arg_number(const struct command_run *run, unsigned n, uint32_t max, uint32_t *number)
{
	const char *arg = command_arg(run, n);
	uint64_t value = 0;

	if (!*arg)
		return false;
	for (; *arg; arg++) {
		if (*arg < '0' || *arg > '9')
			return false;
		value = value * 10 + (unsigned)(*arg - '0');
		if (value > max)
			return false;
	}
	*number = (uint32_t)value;
	return true;
}

void command_describe(const struct command_run *run, char *text, size_t room)
{
	const char *grammar = run->row->words;
	size_t literals = strcspn(grammar, "[ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	int len = snprintf(text, room, "%.*s", (int)literals, grammar);

	for (unsigned i = 0; i < run->args && i < run->row->args_logged && len >= 0 && (size_t)len < room; i++)
		len += snprintf(text + len, room - (size_t)len, "%s%s", i || !literals ? " " : "", command_arg(run, i));
	len = (int)strlen(text);
	if (len > 0 && text[len - 1] == ' ')
		text[len - 1] = '\0';
}
