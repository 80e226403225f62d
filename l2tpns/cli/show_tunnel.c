/* show_tunnel.c -- tunnels: the list, and everything about one. */
#include "l2tpns/cli/show.h"

enum { STAGE_BEGIN, STAGE_LIST, STAGE_DETAILS };

static const struct out_column columns[] = {
	{ "tid",	"TID",		5,  true },
	{ "lac",	"LAC",		24, false },
	{ "peer",	"ADDRESS",	21, false },
	{ "state",	"STATE",	13, false },
	{ "sessions",	"SESSIONS",	8,  true },
	{ "uptime_s",	"UPTIME",	7,  true },
	{ "heard_s",	"HEARD",	7,  true },
	{ "queued",	"QUEUED",	6,  true },
};

static const char *state_word(const struct tunnel *tunnel)
{
	return tunnel->closing ? "closing" : tunnel_state_name(tunnel->state);
}

static uint64_t uptime_s(const struct facts *facts, const struct tunnel *tunnel)
{
	return dur_s(mono_since(facts->now, tunnel->opened.us ? tunnel->opened : tunnel->created));
}

static void heard_put(struct command_run *run, const struct tunnel *tunnel)
{
	struct mono heard = tunnel->chan.heard;

	if (heard.us)
		out_seconds(&run->out, "heard_s", dur_s(mono_since(run->facts->now, heard)));
	else
		out_none(&run->out, "heard_s");
}

static void tunnel_line(struct command_run *run, struct tid tid, const struct tunnel *tunnel)
{
	struct out *out = &run->out;

	out_object(out, NULL);
	out_id(out, "tid", tid.n);
	out_bytes(out, "lac", lns_text(run->facts->lns, tunnel->host_name));
	out_addr(out, "peer", tunnel->peer);
	out_word(out, "state", state_word(tunnel));
	out_count(out, "sessions", tunnel->sessions);
	out_seconds(out, "uptime_s", uptime_s(run->facts, tunnel));
	heard_put(run, tunnel);
	out_count(out, "queued", chan_queued(&tunnel->chan));
	out_end(out);
}

static void channel_put(struct command_run *run, const struct chan *chan)
{
	struct out *out = &run->out;

	out_object(out, "channel");
	out_id(out, "ns", chan->ns);
	out_id(out, "nr", chan->nr);
	out_count(out, "unacknowledged", (uint16_t)(chan->ns - chan->acked));
	out_count(out, "waiting", chan->waiting);
	out_count(out, "shelved", chan->shelved);
	out_count(out, "peer_window", chan->peer_window);
	out_count(out, "congestion_window", chan->cwnd);
	out_count(out, "slow_start_threshold", chan->ssthresh);
	out_count(out, "retransmitted", chan->resent);
	out_count(out, "tries", chan->tries);
	out_end(out);
}

static void tunnel_detail(struct command_run *run, struct tid tid)
{
	struct out *out = &run->out;
	struct facts *facts = run->facts;
	const struct tunnel *tunnel = lns_tunnel(facts->lns, tid);

	if (!tunnel)
		return;
	out_object(out, NULL);
	out_id(out, "tid", tid.n);
	out_id(out, "peer_tunnel_id", tunnel->peer_tid.n);
	out_word(out, "state", state_word(tunnel));
	out_bytes(out, "lac", lns_text(facts->lns, tunnel->host_name));
	out_bytes(out, "vendor", lns_text(facts->lns, tunnel->vendor_name));
	out_id(out, "firmware", tunnel->firmware);
	out_addr(out, "peer", tunnel->peer);
	out_ip(out, "local", tunnel->local);
	out_id(out, "framing_capabilities", tunnel->framing_caps);
	out_id(out, "bearer_capabilities", tunnel->bearer_caps);
	out_bool(out, "challenged", tunnel->challenged);
	out_bool(out, "secret_set", tunnel->secret != 0);
	out_count(out, "sessions", tunnel->sessions);
	out_when(out, "created_at", facts_unix_s(facts, tunnel->created));
	out_seconds(out, "uptime_s", uptime_s(facts, tunnel));
	heard_put(run, tunnel);
	if (tunnel->closing) {
		out_id(out, "stopccn_result", tunnel->result);
		out_id(out, "stopccn_error", tunnel->error);
	}
	channel_put(run, &tunnel->chan);
	out_end(out);
}

/* All of them; those that only linger to answer repeats are left out unless `all` was asked. */
static enum command_step tunnels_list(struct command_run *run)
{
	struct out *out = &run->out;
	const struct lns *lns = run->facts->lns;
	uint32_t until = run->at + COMMAND_LOOK;

	if (run->stage == STAGE_BEGIN) {
		out_list(out, "tunnels", columns, ARRAY_LEN(columns));
		run->stage = STAGE_LIST;
	}
	while (out_has_room(out) && run->at < until) {
		struct tid tid = lns_tunnel_next(lns, &run->at, until - run->at);

		if (!tid.n)
			break;
		const struct tunnel *tunnel = lns_tunnel(lns, tid);

		if (run->args || !tunnel->closing)
			tunnel_line(run, tid, tunnel);
	}
	if (run->at < lns_tunnels_end(lns))
		return COMMAND_MORE;
	out_end(out);
	return COMMAND_DONE;
}

static enum command_step tunnels_details(struct command_run *run)
{
	for (; run->at < run->args; run->at++) {
		uint32_t tid;

		if (!out_has_room(&run->out))
			return COMMAND_MORE;
		if (command_arg_number(run, run->at, UINT16_MAX, &tid))
			tunnel_detail(run, (struct tid){ (uint16_t)tid });
	}
	out_end(&run->out);
	return COMMAND_DONE;
}

enum command_step show_tunnels(struct command_run *run)
{
	if (run->stage == STAGE_DETAILS)
		return tunnels_details(run);
	if (run->stage == STAGE_LIST || !run->args || (run->args == 1 && command_arg_is(run, 0, "all")))
		return tunnels_list(run);
	for (unsigned i = 0; i < run->args; i++) {
		uint32_t tid;

		if (!command_arg_number(run, i, UINT16_MAX, &tid) ||
		    !lns_tunnel(run->facts->lns, (struct tid){ (uint16_t)tid }))
			return command_fail(run, CTL_NO_OBJECT, "no tunnel %s", command_arg(run, i));
	}
	out_list(&run->out, "tunnels", NULL, 0);
	run->stage = STAGE_DETAILS;
	return tunnels_details(run);
}
