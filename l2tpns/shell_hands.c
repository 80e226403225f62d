/* shell_hands.c -- what an operator can see and do through the commands: struct facts_ops carried out. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "l2tpns/config/parse.h"
#include "l2tpns/config/show.h"
#include "l2tpns/io/clock.h"
#include "l2tpns/io/files.h"
#include "l2tpns/wire/ppp_auth.h"
#include "l2tpns/shell.h"

#define CONFIG_TEXT_MAX	(1u << 20)

static void hand_clock(void *ctx, struct mono *now, uint64_t *unix_us)
{
	struct timespec ts;

	(void)ctx;
	*now = clock_now();
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	*unix_us = (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static bool hand_session_drop(void *ctx, struct row row)
{
	struct shell *shell = ctx;
	const struct session *session = lns_session(shell->lns, row);

	if (!shell_acts(shell) && session) {
		shell_cluster_pass_wish(shell, SHELL_PASS_SESSION_DROP, row.n, session->serial);
		return true;
	}
	bool dropped = lns_drop_session(shell->lns, row, clock_now(), &shell->fx);

	shell_settle(shell);
	shell_wake(shell);
	return dropped;
}

static bool hand_tunnel_drop(void *ctx, struct tid tid)
{
	struct shell *shell = ctx;

	if (!shell_acts(shell) && lns_tunnel(shell->lns, tid)) {
		shell_cluster_pass_wish(shell, SHELL_PASS_TUNNEL_DROP, tid.n, 0);
		return true;
	}
	bool dropped = lns_drop_tunnel(shell->lns, tid, clock_now(), &shell->fx);

	shell_settle(shell);
	shell_wake(shell);
	return dropped;
}

static void hand_shutdown(void *ctx)
{
	shell_leave(ctx);
}

static bool hand_reload(void *ctx, char message[FACTS_MESSAGE_MAX])
{
	return shell_files_reload(ctx, message);
}

static bool hand_memory_write(void *ctx, char message[FACTS_MESSAGE_MAX])
{
	struct shell *shell = ctx;
	struct wr w = wr_of(malloc(CONFIG_TEXT_MAX), CONFIG_TEXT_MAX);
	int failed = -ENOMEM;

	if (w.start) {
		config_show(shell->config, CONFIG_SECRETS, &w);
		failed = wr_ok(&w) ? file_replace(shell->args.config_path, wr_bytes_of(&w), 0600) : -EFBIG;
		explicit_bzero(w.start, CONFIG_TEXT_MAX);
		free(w.start);
	}
	if (failed)
		(void)snprintf(message, FACTS_MESSAGE_MAX, "%s: %s", shell->args.config_path, strerror(-failed));
	else
		(void)snprintf(message, FACTS_MESSAGE_MAX, "written to %s", shell->args.config_path);
	return failed == 0;
}

static bool hand_option_set(void *ctx, const char *name, const char *value, char message[FACTS_MESSAGE_MAX])
{
	static struct config wanted;	/* large; control thread only */
	static struct config_faults faults;
	struct shell *shell = ctx;
	char line[FAULT_LINE_MAX];
	bool set;

	wanted = *shell->config;
	faults = (struct config_faults){ 0 };
	set = config_set(&wanted, name, value, &faults);
	message[0] = 0;
	if (faults.count)
		(void)snprintf(message, FACTS_MESSAGE_MAX, "%s", fault_text(&faults.fault[0], line));
	return set && shell_config_changed(shell, &wanted, message);
}

/* Lines are asked for in order; two readers at once cost a repetition, not a wrong line. */
static bool hand_config_line(void *ctx, unsigned number, bool all, bool secrets, char line[FACTS_LINE_MAX])
{
	struct shell *shell = ctx;
	unsigned how = (all ? CONFIG_ALL : 0u) | (secrets ? CONFIG_SECRETS : 0u);
	bool more = true;

	_Static_assert(CONFIG_LINE_MAX <= FACTS_LINE_MAX, "a line of configuration fits a line of the display");
	if (how != shell->shown_how || number != shell->shown_next) {
		shell->shown = (struct config_cursor){ 0 };
		shell->shown_how = how;
		shell->shown_next = 0;
	}
	for (; more && shell->shown_next <= number; shell->shown_next++)
		more = config_show_line(shell->config, how, &shell->shown, line);
	if (!more)
		shell->shown_how = UINT_MAX;	/* the next reader begins anew */
	return more;
}

static unsigned hand_workers(void *ctx)
{
	const struct shell *shell = ctx;

	return plane_user_workers(shell->plane);
}

static void hand_worker(void *ctx, unsigned number, struct worker_facts *worker)
{
	const struct shell *shell = ctx;
	struct plane_user_stats stats;

	plane_user_stats(shell->plane, number, &stats);
	*worker = (struct worker_facts){
		.totals = { .up_packets = stats.up_packets, .up_octets = stats.up_octets,
			    .down_packets = stats.down_packets, .down_octets = stats.down_octets },
		.punted = stats.punted + stats.punted_strangers, .batches = stats.up_batches + stats.down_batches,
		.cpu_us = plane_user_cpu_us(shell->plane, number),
	};
	for (unsigned why = WHY_OK + 1; why < WHYS; why++)
		worker->refused += stats.refused[why];
}

static void hand_load(void *ctx, unsigned load[3])
{
	double average[3] = { 0, 0, 0 };

	(void)ctx;
	(void)getloadavg(average, 3);
	for (unsigned i = 0; i < 3; i++)
		load[i] = (unsigned)(average[i] * 100);
}

static bool hand_log_line(void *ctx, uint64_t *at, unsigned classes, uint64_t *lost, char line[FACTS_LINE_MAX])
{
	const struct shell *shell = ctx;

	return log_recent(shell->log, at, classes, lost, line);
}

static uint64_t hand_log_end(void *ctx)
{
	const struct shell *shell = ctx;

	return log_recent_end(shell->log);
}

static const struct cluster_facts *hand_cluster(void *ctx)
{
	static struct cluster_facts facts;	/* large; control thread only */
	static struct cluster_io_facts now;
	const struct shell *shell = ctx;

	if (!shell->cluster)
		return NULL;
	cluster_io_facts(shell->cluster->io, &now);
	facts.cl = now.cl;
	memcpy(facts.known, now.known, sizeof(facts.known));
	memcpy(facts.peer, now.peer, sizeof(facts.peer));
	memcpy(facts.stat, now.stat, sizeof(facts.stat));
	memcpy(facts.refused, now.refused, sizeof(facts.refused));
	facts.held = shell->cluster->held.packets;
	return &facts;
}

static uint32_t hand_cluster_ask(void *ctx, enum cl_verb verb, struct node_id node)
{
	return shell_wish(ctx, verb, node);
}

static bool hand_cluster_answer(void *ctx, uint32_t number, struct cluster_answer *answer)
{
	const struct shell_wish *wish = shell_wish_answer(ctx, number);

	*answer = (struct cluster_answer){ .ok = false, .words = "too many commands at once" };
	if (!wish)
		return true;
	*answer = (struct cluster_answer){ .ok = wish->ok, .words = wish->words };
	return wish->answered;
}

static bool hand_cluster_keys(void *ctx, bool rotate, char message[FACTS_MESSAGE_MAX])
{
	return shell_cluster_keys(ctx, rotate, message);
}

const struct facts_ops shell_hands = {
	.clock = hand_clock, .session_drop = hand_session_drop, .tunnel_drop = hand_tunnel_drop,
	.shutdown = hand_shutdown, .reload = hand_reload, .memory_write = hand_memory_write,
	.option_set = hand_option_set, .config_line = hand_config_line, .workers = hand_workers,
	.worker = hand_worker, .load = hand_load, .log_line = hand_log_line, .log_end = hand_log_end,
	.cluster = hand_cluster, .cluster_ask = hand_cluster_ask, .cluster_answer = hand_cluster_answer,
	.cluster_keys = hand_cluster_keys,
};

/* ---- logins: called on a terminal's own thread ---- */

static bool password_matches(const struct user *user, const char *password)
{
	if (user->crypt)
		return crypt_matches(user->password, password);
	size_t len = strlen(user->password);

	return strlen(password) == len &&
	       octets_equal((const uint8_t *)user->password, (const uint8_t *)password, len);
}

static bool login_check(void *ctx, const char *name, const char *password)
{
	struct shell *shell = ctx;
	struct user user;

	pthread_mutex_lock(&shell->users_lock);
	const struct user *found = users_find(shell->users, bytes_str(name));
	bool known = found != NULL;

	if (known)
		user = *found;
	pthread_mutex_unlock(&shell->users_lock);
	bool matches = known && password_matches(&user, password);

	explicit_bzero(&user, sizeof(user));
	return matches;
}

static bool enable_needed(void *ctx)
{
	struct shell *shell = ctx;

	pthread_mutex_lock(&shell->users_lock);
	bool needed = shell->users->has_enable;

	pthread_mutex_unlock(&shell->users_lock);
	return needed;
}

static bool enable_check(void *ctx, const char *password)
{
	struct shell *shell = ctx;

	pthread_mutex_lock(&shell->users_lock);
	struct user enable = shell->users->enable;

	pthread_mutex_unlock(&shell->users_lock);
	bool matches = password_matches(&enable, password);

	explicit_bzero(&enable, sizeof(enable));
	return matches;
}

const struct cli_host shell_cli_host = {
	.login_check = login_check, .enable_needed = enable_needed, .enable_check = enable_check,
};
