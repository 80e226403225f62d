/* show_config.c -- the version, the running configuration, plugins. */
#include "l2tpns/cli/show.h"

enum command_step show_version(struct command_run *run)
{
	struct out *out = &run->out;
	const struct facts *facts = run->facts;

	out_word(out, "program", "l2tpns");
	out_word(out, "version", facts->version);
	out_word(out, "host", facts->host);
	out_seconds(out, "uptime_s", dur_s(mono_since(facts->now, facts->started)));
	return COMMAND_DONE;
}

/* `show running-config [all]` and `write terminal`; secrets only with enable. */
enum command_step show_config(struct command_run *run)
{
	static const struct out_column column[] = { { "line", "", 0, false } };
	struct facts *facts = run->facts;
	struct out *out = &run->out;
	bool all = command_arg_is(run, 0, "all");
	char line[FACTS_LINE_MAX];

	if (run->stage == 0) {
		out_list(out, "config", column, ARRAY_LEN(column));
		run->stage = 1;
	}
	for (; out_has_room(out); run->at++) {
		if (!facts->ops->config_line(facts->ctx, run->at, all, run->enabled, line)) {
			out_end(out);
			return COMMAND_DONE;
		}
		out_object(out, NULL);
		out_word(out, "line", line);
		out_end(out);
	}
	return COMMAND_MORE;
}

enum command_step show_plugins(struct command_run *run)
{
	static const struct out_column column[] = { { "plugin", "PLUGIN", 0, false } };

	if (run->out.ops == &out_json_ops) {
		out_list(&run->out, "plugins", column, ARRAY_LEN(column));
		out_end(&run->out);
	} else {
		out_message(&run->out, "no plugin is loaded: this version takes none");
	}
	return COMMAND_DONE;
}
