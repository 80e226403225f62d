/* act.c -- commands that change something, and help. */
#include <stdio.h>

#include "l2tpns/cli/classes.h"
#include "l2tpns/cli/match.h"
#include "l2tpns/cli/show.h"

#define DROPS_A_SLICE	32u		/* each sends packets */

/* Every argument is checked before any is acted on, so that a mistyped list does nothing. */
enum command_step drop_session(struct command_run *run)
{
	const struct facts *facts = run->facts;
	uint32_t number;

	for (unsigned i = 0; run->stage == 0 && i < run->args; i++) {
		if (!command_arg_number(run, i, UINT32_MAX, &number) ||
		    !lns_session(facts->lns, (struct row){ number }))
			return command_fail(run, CTL_NO_OBJECT, "no session %s", command_arg(run, i));
	}
	run->stage = 1;
	for (unsigned done = 0; run->at < run->args && done < DROPS_A_SLICE; run->at++, done++) {
		if (command_arg_number(run, run->at, UINT32_MAX, &number) &&
		    facts->ops->session_drop(facts->ctx, (struct row){ number }))
			run->number[0]++;
	}
	if (run->at < run->args)
		return COMMAND_MORE;
	out_message(&run->out, "dropped sessions: %u", (unsigned)run->number[0]);
	return COMMAND_DONE;
}

enum command_step drop_tunnel(struct command_run *run)
{
	const struct facts *facts = run->facts;
	uint32_t tid, dropped = 0;

	for (unsigned i = 0; i < run->args; i++) {
		if (!command_arg_number(run, i, UINT16_MAX, &tid) ||
		    !lns_tunnel(facts->lns, (struct tid){ (uint16_t)tid }))
			return command_fail(run, CTL_NO_OBJECT, "no tunnel %s", command_arg(run, i));
	}
	for (unsigned i = 0; i < run->args; i++) {
		if (command_arg_number(run, i, UINT16_MAX, &tid) &&
		    facts->ops->tunnel_drop(facts->ctx, (struct tid){ (uint16_t)tid }))
			dropped++;
	}
	out_message(&run->out, "dropped tunnels: %u", dropped);
	return COMMAND_DONE;
}

/*
 * All sessions of a user.  A dropped one stays until the subscriber has answered,
 * so the walk goes on from row to row; when the row it stood at is gone, it starts
 * again, and passes over those that are ending already.  number[0]: how many,
 * [1]: the row, [2]: its serial.
 */
static bool user_slice(struct command_run *run, struct bytes user)
{
	const struct facts *facts = run->facts;
	struct row row = { (uint32_t)run->number[1] };
	const struct session *session = row.n ? lns_session(facts->lns, row) : NULL;

	if (!session || session->serial != run->number[2])
		row = lns_user_first(facts->lns, user);
	for (unsigned done = 0; row.n; ) {
		session = lns_session(facts->lns, row);
		if (done == DROPS_A_SLICE) {
			run->number[1] = row.n;
			run->number[2] = session->serial;
			return false;
		}
		struct row next = lns_user_next(facts->lns, user, row);

		if (!session->ending) {
			run->number[0] += facts->ops->session_drop(facts->ctx, row);
			done++;
		}
		row = next;
	}
	run->number[1] = 0;
	return true;
}

enum command_step drop_user(struct command_run *run)
{
	for (unsigned i = 0; run->stage == 0 && i < run->args; i++) {
		if (!lns_user_first(run->facts->lns, bytes_str(command_arg(run, i))).n)
			return command_fail(run, CTL_NO_OBJECT, "no session of user %s", command_arg(run, i));
	}
	run->stage = 1;
	if (user_slice(run, bytes_str(command_arg(run, run->at))))
		run->at++;
	if (run->at < run->args)
		return COMMAND_MORE;
	out_message(&run->out, "dropped sessions: %u", (unsigned)run->number[0]);
	return COMMAND_DONE;
}

static enum command_step answered(struct command_run *run, bool done, const char *message, const char *otherwise)
{
	if (!done)
		return command_fail(run, CTL_REFUSED, "%s", *message ? message : "it failed");
	out_message(&run->out, "%s", *message ? message : otherwise);
	return COMMAND_DONE;
}

/* Words after the first belong to the value; it may also be given in quotes. */
enum command_step set_option(struct command_run *run)
{
	char value[TYPED_OCTETS] = "", message[FACTS_MESSAGE_MAX] = "";
	size_t len = 0;

	for (unsigned i = 1; i < run->args; i++) {
		const char *word = command_arg(run, i);
		size_t more = strlen(word);

		ASSERT(len + more + 2 <= sizeof(value));
		if (i > 1)
			value[len++] = ' ';
		memcpy(value + len, word, more + 1);
		len += more;
	}
	bool done = run->facts->ops->option_set(run->facts->ctx, command_arg(run, 0), value, message);

	return answered(run, done, message, "set");
}

enum command_step write_memory(struct command_run *run)
{
	char message[FACTS_MESSAGE_MAX] = "";
	bool done = run->facts->ops->memory_write(run->facts->ctx, message);

	return answered(run, done, message, "configuration written");
}

enum command_step reload(struct command_run *run)
{
	char message[FACTS_MESSAGE_MAX] = "";
	bool done = run->facts->ops->reload(run->facts->ctx, message);

	return answered(run, done, message, "reloaded");
}

enum command_step shut_down(struct command_run *run)
{
	unsigned others = cluster_others(run->facts);

	run->facts->ops->shutdown(run->facts->ctx);
	out_message(&run->out, others ? "shutting down: the other nodes go on with the sessions" :
				       "shutting down: tunnels are being closed");
	return COMMAND_DONE;
}

/* The log as it comes, until the reader goes away.  number[0]: classes, [1]: next line, [2]: lost. */
enum command_step debug_stream(struct command_run *run)
{
	const struct facts_ops *ops = run->facts->ops;
	void *ctx = run->facts->ctx;
	char line[FACTS_LINE_MAX];
	uint64_t lost = 0;

	if (run->stage == 0) {
		unsigned classes = run->args ? 0 : CLASSES_ALL;

		for (unsigned i = 0; i < run->args; i++) {
			unsigned more = classes_parse(command_arg(run, i));

			if (!more)
				return command_fail(run, CTL_UNKNOWN, "no class \"%.32s\"; there are: %s",
						    command_arg(run, i), classes_help);
			classes |= more;
		}
		run->number[0] = classes;
		run->number[1] = ops->log_end(ctx);
		run->stage = 1;
		return COMMAND_MORE;		/* begun, however long nothing is logged */
	}
	for (unsigned n = 0; n < 64 && out_has_room(&run->out); n++) {
		bool some = ops->log_line(ctx, &run->number[1], (unsigned)run->number[0], &lost, line);

		if (lost) {
			out_message(&run->out, "(%llu lines lost)", (unsigned long long)lost);
			lost = 0;
		}
		if (!some)
			return COMMAND_WAIT;
		out_message(&run->out, "%s", line);
	}
	return COMMAND_MORE;
}

enum command_step debug_none(struct command_run *run)
{
	out_message(&run->out, "nothing is being shown here");
	return COMMAND_DONE;
}

enum command_step help(struct command_run *run)
{
	static const struct out_column columns[] = {
		{ "words", "COMMAND", 36, false }, { "help", "WHAT IT DOES", 0, false },
	};

	out_list(&run->out, "commands", columns, ARRAY_LEN(columns));
	for (unsigned i = 0; i < command_rows_n; i++) {
		const struct command_row *row = &command_rows[i];

		if (!*row->help)
			continue;
		out_object(&run->out, NULL);
		out_word(&run->out, "words", row->words);
		out_word(&run->out, "help", row->help);
		out_end(&run->out);
	}
	out_end(&run->out);
	return COMMAND_DONE;
}

/* What may follow the words given; the last of them is being typed. */
enum command_step complete(struct command_run *run)
{
	const char *candidate[MATCH_CANDIDATES_MAX];
	struct typed typed;
	const char *word[TYPED_WORDS_MAX];

	for (unsigned i = 0; i < run->args; i++)
		word[i] = command_arg(run, i);
	if (!typed_take(&typed, word, run->args))
		return COMMAND_DONE;
	unsigned n = match_complete(&typed, COMMAND_EVERYWHERE, run->enabled, candidate);

	for (unsigned i = 0; i < n; i++)
		out_message(&run->out, "%.*s", (int)strcspn(candidate[i], " ]"), candidate[i]);
	return COMMAND_DONE;
}
