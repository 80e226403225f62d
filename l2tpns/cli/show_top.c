/* show_top.c -- what the node is doing now: totals, rates, the busiest sessions; and `uptime`. */
#include "l2tpns/cli/show.h"

enum { STAGE_BEGIN, STAGE_FIRST, STAGE_PAUSE, STAGE_REFRESH };

static const struct out_column columns[] = {
	{ "sid",	"SID",		7,  true },
	{ "user",	"USER",		24, false },
	{ "address",	"ADDRESS",	15, false },
	{ "down_bps",	"DOWN-BPS",	8,  true },
	{ "up_bps",	"UP-BPS",	8,  true },
	{ "down_pps",	"DOWN-PPS",	8,  true },
	{ "up_pps",	"UP-PPS",	8,  true },
};

static void load_put(struct command_run *run)
{
	static const char *const names[3] = { "load_1", "load_5", "load_15" };
	unsigned load[3] = { 0 };

	run->facts->ops->load(run->facts->ctx, load);
	for (unsigned i = 0; i < 3; i++)
		out_hundredths(&run->out, names[i], load[i]);
}

static void node_put(struct command_run *run)
{
	struct out *out = &run->out;
	const struct facts *facts = run->facts;
	struct rates_now rates = rates_now(&facts->rates);

	out_word(out, "host", facts->host);
	out_when(out, "time", facts->unix_us / 1000000);
	out_seconds(out, "uptime_s", dur_s(mono_since(facts->now, facts->started)));
	load_put(run);
	out_count(out, "sessions", lns_session_count(facts->lns));
	out_count(out, "tunnels", lns_tunnel_count(facts->lns));
	out_bps(out, "down_bps", rates.down_bps);
	out_bps(out, "up_bps", rates.up_bps);
	out_count(out, "down_pps", rates.down_pps);
	out_count(out, "up_pps", rates.up_pps);
}

enum command_step show_uptime(struct command_run *run)
{
	node_put(run);
	return COMMAND_DONE;
}

static void top_put(struct command_run *run)
{
	struct out *out = &run->out;
	const struct facts *facts = run->facts;
	const struct top *top = &facts->top;

	out_list(out, "top", columns, ARRAY_LEN(columns));
	for (unsigned i = 0; i < top->listed; i++) {
		const struct top_entry *entry = &top->list[i];
		const struct session *session = lns_session(facts->lns, entry->row);

		if (!session || session->serial != entry->serial)
			continue;
		out_object(out, NULL);
		out_id(out, "sid", entry->row.n);
		out_bytes(out, "user", lns_text(facts->lns, session->user));
		out_ip4(out, "address", session->address);
		out_bps(out, "down_bps", entry->rates.down_bps);
		out_bps(out, "up_bps", entry->rates.up_bps);
		out_count(out, "down_pps", entry->rates.down_pps);
		out_count(out, "up_pps", entry->rates.up_pps);
		out_end(out);
	}
	out_end(out);
}

static enum command_step answer(struct command_run *run)
{
	uint32_t rows = lns_rows_end(run->facts->lns);

	node_put(run);
	out_count(&run->out, "rows_read", min_u32(TOP_BLOCK, rows ? rows - 1 : 0));
	out_count(&run->out, "rows", rows ? rows - 1 : 0);
	top_put(run);
	return show_workers(run);
}

/*
 * When the last refresh is long past, two are made with a pause between, so that
 * a single `show top` has rates to show too.
 */
enum command_step show_top(struct command_run *run)
{
	struct facts *facts = run->facts;

	switch (run->stage) {
	case STAGE_BEGIN:
		run->stage = top_refresh(facts) ? STAGE_FIRST : STAGE_REFRESH;
		return COMMAND_MORE;
	case STAGE_FIRST:
		if (!top_step(facts))
			return COMMAND_MORE;
		run->number[0] = facts->now.us;
		run->stage = STAGE_PAUSE;
		return COMMAND_WAIT;
	case STAGE_PAUSE:
		if (mono_since(facts->now, (struct mono){ run->number[0] }).us < DUR_MS(TOP_AGE_LEAST_MS).us)
			return COMMAND_WAIT;
		(void)top_refresh(facts);
		run->stage = STAGE_REFRESH;
		return COMMAND_MORE;
	default:
		return top_step(facts) ? answer(run) : COMMAND_MORE;
	}
}
