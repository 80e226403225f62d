/* show_session.c -- sessions and users: the list, and everything about one. */
#include "l2tpns/cli/show.h"

enum { STAGE_BEGIN, STAGE_LIST, STAGE_DETAILS, STAGE_END };

uint64_t facts_unix_s(const struct facts *facts, struct mono when)
{
	return when.us ? facts->unix_us / 1000000 - dur_s(mono_since(facts->now, when)) : 0;
}

uint64_t session_uptime_s(const struct facts *facts, const struct session *session)
{
	return dur_s(mono_since(facts->now, session->up ? session->opened : session->created));
}

uint64_t session_idle_s(const struct facts *facts, const struct session *session, const struct plane_usage *usage)
{
	struct mono since = session->up ? session->opened : session->created;

	if (mono_before(since, usage->up_heard))
		since = usage->up_heard;
	return dur_s(mono_since(facts->now, since));
}

/* One word for how far it came; the detail has every machine's state. */
static const char *state_word(const struct session *session)
{
	if (session->ending)
		return "ending";
	if (session->up)
		return "up";
	if (session->state != CALL_ESTABLISHED)
		return "call";
	switch ((enum ppp_phase)session->ppp.phase) {
	case PPP_AUTHENTICATE:
		return "auth";
	case PPP_NETWORK:
		return "ipcp";
	case PPP_TERMINATE:
		return "ending";
	default:
		return "lcp";
	}
}

/* Zero means there is no limit. */
static void limit_put(struct out *out, const char *name, uint32_t seconds)
{
	if (seconds)
		out_seconds(out, name, seconds);
	else
		out_none(out, name);
}

static void remains_put(struct command_run *run, const struct session *session, uint64_t uptime_s)
{
	if (!session->session_timeout_s || !session->up)
		out_none(&run->out, "remains_s");
	else
		out_seconds(&run->out, "remains_s",
			    session->session_timeout_s > uptime_s ? session->session_timeout_s - uptime_s : 0);
}

static const struct out_column session_columns[] = {
	{ "sid",	 "SID",		7,  true },
	{ "tid",	 "TID",		5,  true },
	{ "user",	 "USER",	20, false },
	{ "address",	 "ADDRESS",	15, false },
	{ "state",	 "STATE",	6,  false },
	{ "uptime_s",	 "UPTIME",	7,  true },
	{ "down_octets", "DOWN",	6,  true },
	{ "up_octets",	 "UP",		6,  true },
	{ "idle_s",	 "IDLE",	7,  true },
	{ "remains_s",	 "REMAINS",	7,  true },
	{ "calling",	 "CALLING",	0,  false },
};

static void session_line(struct command_run *run, struct row row, const struct session *session)
{
	struct out *out = &run->out;
	struct facts *facts = run->facts;
	struct plane_usage usage = facts_usage(facts, row);
	uint64_t uptime_s = session_uptime_s(facts, session);

	out_object(out, NULL);
	out_id(out, "sid", row.n);
	out_id(out, "tid", session->tid.n);
	out_bytes(out, "user", lns_text(facts->lns, session->user));
	out_ip4(out, "address", session->address);
	out_word(out, "state", state_word(session));
	out_seconds(out, "uptime_s", uptime_s);
	out_octets(out, "down_octets", usage.down_octets);
	out_octets(out, "up_octets", usage.up_octets);
	out_seconds(out, "idle_s", session_idle_s(facts, session, &usage));
	remains_put(run, session, uptime_s);
	out_bytes(out, "calling", lns_text(facts->lns, session->calling));
	out_end(out);
}

static const struct out_column user_columns[] = {
	{ "user",	 "USER",	32, false },
	{ "sid",	 "SID",		7,  true },
	{ "tid",	 "TID",		5,  true },
	{ "address",	 "ADDRESS",	15, false },
	{ "uptime_s",	 "UPTIME",	7,  true },
	{ "calling",	 "CALLING",	0,  false },
};

static void user_line(struct command_run *run, struct row row, const struct session *session)
{
	struct out *out = &run->out;
	struct facts *facts = run->facts;

	if (!session->user)
		return;
	out_object(out, NULL);
	out_bytes(out, "user", lns_text(facts->lns, session->user));
	out_id(out, "sid", row.n);
	out_id(out, "tid", session->tid.n);
	out_ip4(out, "address", session->address);
	out_seconds(out, "uptime_s", session_uptime_s(facts, session));
	out_bytes(out, "calling", lns_text(facts->lns, session->calling));
	out_end(out);
}

static void call_put(struct command_run *run, const struct session *session)
{
	struct out *out = &run->out;
	const struct lns *lns = run->facts->lns;
	const struct tunnel *tunnel = lns_tunnel(lns, session->tid);

	out_object(out, "call");
	out_id(out, "tid", session->tid.n);
	out_bytes(out, "lac", tunnel ? lns_text(lns, tunnel->host_name) : (struct bytes){ 0 });
	out_id(out, "session_id", session->sid.n);
	out_id(out, "peer_session_id", session->peer_sid.n);
	out_word(out, "call_state", call_state_name(session->state));
	out_id(out, "serial", session->call_serial);
	out_bytes(out, "calling", lns_text(lns, session->calling));
	out_bytes(out, "called", lns_text(lns, session->called));
	out_bytes(out, "sub_address", lns_text(lns, session->sub_address));
	out_bytes(out, "private_group", lns_text(lns, session->private_group));
	out_id(out, "physical_channel", session->physical_channel);
	out_bps(out, "tx_bps", session->tx_bps);
	out_bps(out, "rx_bps", session->rx_bps);
	out_count(out, "access_line_octets", lns_text(lns, session->access_line).len);
	out_end(out);
}

static void ppp_put(struct command_run *run, const struct session *session)
{
	static const char *const methods[AUTH_METHODS] = {
		[AUTH_NONE] = "none", [AUTH_PAP] = "pap", [AUTH_CHAP_MD5] = "chap", [AUTH_MSCHAPV2] = "mschapv2",
	};
	struct out *out = &run->out;
	const struct ppp *ppp = &session->ppp;

	out_object(out, "ppp");
	out_word(out, "phase", ppp_phase_name(ppp->phase));
	out_word(out, "lcp", fsm_state_name(ppp->lcp.state));
	out_word(out, "ipcp", fsm_state_name(ppp->ipcp.state));
	out_word(out, "auth_method", methods[session->auth_method < AUTH_METHODS ? session->auth_method : AUTH_NONE]);
	out_bool(out, "auth_pending", session->auth_pending);
	out_bool(out, "proxied", session->proxied);
	out_count(out, "mru", ppp->peer_mru);
	out_bool(out, "acfc", ppp->acfc);
	out_bool(out, "pfc", ppp->pfc);
	out_count(out, "echoes_unanswered", ppp->echo_missed);
	out_end(out);
}

static void traffic_put(struct command_run *run, const struct session *session, const struct plane_usage *usage)
{
	struct out *out = &run->out;

	out_object(out, "traffic");
	out_octets(out, "down_octets", usage->down_octets);
	out_count(out, "down_packets", usage->down_packets);
	out_octets(out, "up_octets", usage->up_octets);
	out_count(out, "up_packets", usage->up_packets);
	out_seconds(out, "idle_s", session_idle_s(run->facts, session, usage));
	out_end(out);
}

static void session_detail(struct command_run *run, struct row row)
{
	struct out *out = &run->out;
	struct facts *facts = run->facts;
	const struct session *session = lns_session(facts->lns, row);

	if (!session)
		return;
	struct plane_usage usage = facts_usage(facts, row);
	uint64_t uptime_s = session_uptime_s(facts, session);

	out_object(out, NULL);
	out_id(out, "sid", row.n);
	out_bytes(out, "user", lns_text(facts->lns, session->user));
	out_word(out, "state", state_word(session));
	if (session->ending)
		out_word(out, "ending_because", session_end_row(session->end)->text);
	out_ip4(out, "address", session->address);
	out_word(out, "address_from", session->fixed_address.n ? "subscriber" : pool_name(facts, session->pool));
	out_when(out, "created_at", facts_unix_s(facts, session->created));
	if (session->up)
		out_when(out, "opened_at", facts_unix_s(facts, session->opened));
	out_seconds(out, "uptime_s", uptime_s);
	limit_put(out, "session_timeout_s", session->session_timeout_s);
	remains_put(run, session, uptime_s);
	limit_put(out, "idle_timeout_s", session->idle_timeout_s);
	traffic_put(run, session, &usage);
	ppp_put(run, session);
	call_put(run, session);
	out_end(out);
}

typedef void line_fn(struct command_run *run, struct row row, const struct session *session);

/* Every session, a slice of the table at a time. */
static enum command_step sessions_list(struct command_run *run, const char *name, const struct out_column *columns,
				       unsigned columns_n, line_fn *line)
{
	struct out *out = &run->out;
	const struct lns *lns = run->facts->lns;
	uint32_t until = run->at + COMMAND_LOOK;

	if (run->stage == STAGE_BEGIN) {
		out_list(out, name, columns, columns_n);
		run->stage = STAGE_LIST;
	}
	while (out_has_room(out) && run->at < until) {
		struct row row = lns_session_next(lns, &run->at, until - run->at);

		if (row.n)
			line(run, row, lns_session(lns, row));
		else
			break;
	}
	if (run->at < lns_rows_end(lns))
		return COMMAND_MORE;
	out_end(out);
	return COMMAND_DONE;
}

/* The first session an argument names: by number, by address, or a user's; *of_user: there may be more. */
static struct row session_named(struct command_run *run, unsigned arg, bool *of_user)
{
	const struct lns *lns = run->facts->lns;
	struct ip4 address;
	uint32_t number;

	*of_user = false;
	if (run->number[0] == 0 && command_arg_number(run, arg, UINT32_MAX, &number)) {
		struct row row = { number };

		return lns_session(lns, row) ? row : (struct row){ 0 };
	}
	if (run->number[0] == 0 && ip4_parse(command_arg(run, arg), &address) && address.n)
		return lns_session_by_address(lns, address);
	*of_user = true;
	return lns_user_first(lns, bytes_str(command_arg(run, arg)));
}

/*
 * The sessions the arguments name, in full.  number[1] is the row to go on from
 * within one user's sessions (0: the argument's first), number[2] its serial: a
 * session that went away in between ends that user's list.
 */
static enum command_step sessions_details(struct command_run *run)
{
	struct out *out = &run->out;
	const struct lns *lns = run->facts->lns;

	for (; run->at < run->args; run->at++) {
		bool of_user = true;
		struct row row = { (uint32_t)run->number[1] };

		if (!row.n)
			row = session_named(run, run->at, &of_user);
		while (row.n) {
			const struct session *session = lns_session(lns, row);

			if (run->number[1] && (!session || session->serial != run->number[2]))
				break;
			if (!out_has_room(out)) {
				run->number[1] = row.n;
				run->number[2] = session ? session->serial : 0;
				return COMMAND_MORE;
			}
			run->number[1] = 0;
			session_detail(run, row);
			if (!of_user)
				break;
			row = lns_user_next(lns, bytes_str(command_arg(run, run->at)), row);
		}
		run->number[1] = 0;
	}
	out_end(out);
	return COMMAND_DONE;
}

/* Unknown names are refused before anything is shown. */
static enum command_step details_begin(struct command_run *run, const char *what)
{
	for (unsigned i = 0; i < run->args; i++) {
		bool of_user;

		if (!session_named(run, i, &of_user).n)
			return command_fail(run, CTL_NO_OBJECT, "no %s %s", what, command_arg(run, i));
	}
	out_list(&run->out, "sessions", NULL, 0);
	run->stage = STAGE_DETAILS;
	return sessions_details(run);
}

/* number[0]: arguments are user names, whatever they look like. */
enum command_step show_session(struct command_run *run)
{
	if (run->stage == STAGE_DETAILS)
		return sessions_details(run);
	if (run->args)
		return details_begin(run, "session");
	return sessions_list(run, "sessions", session_columns, ARRAY_LEN(session_columns), session_line);
}

enum command_step show_users(struct command_run *run)
{
	run->number[0] = 1;
	if (run->stage == STAGE_DETAILS)
		return sessions_details(run);
	if (run->args)
		return details_begin(run, "session of user");
	return sessions_list(run, "users", user_columns, ARRAY_LEN(user_columns), user_line);
}
