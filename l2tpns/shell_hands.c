/* shell_hands.c -- what an operator can see and do through the commands: struct facts_ops carried out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "l2tpns/config/parse.h"
#include "l2tpns/config/show.h"
#include "l2tpns/io/clock.h"
#include "l2tpns/io/files.h"
#include "l2tpns/shell.h"

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
	bool dropped = lns_drop_session(shell->lns, row, clock_now(), &shell->fx);

	shell_settle(shell);
	return dropped;
}

static bool hand_tunnel_drop(void *ctx, struct tid tid)
{
	struct shell *shell = ctx;
	bool dropped = lns_drop_tunnel(shell->lns, tid, clock_now(), &shell->fx);

	shell_settle(shell);
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

/* The whole running configuration as `startup-config` has it, secrets and all; NULL: no memory. */
static char *config_text(const struct config *config, size_t *octets)
{
	char line[CONFIG_LINE_MAX];
	size_t room = 1u << 20, used = 0;
	char *text = malloc(room);

	for (unsigned i = 0; text && config_line(config, i, false, true, line); i++) {
		size_t len = strlen(line);

		if (used + len + 2 > room) {
			free(text);
			return NULL;
		}
		memcpy(text + used, line, len);
		used += len;
		text[used++] = '\n';
	}
	*octets = used;
	return text;
}

static bool hand_memory_write(void *ctx, char message[FACTS_MESSAGE_MAX])
{
	struct shell *shell = ctx;
	size_t octets;
	char *text = config_text(shell->config, &octets);
	int failed = text ? file_replace(shell->args.config_path, bytes_of(text, octets), 0600) : -ENOMEM;

	if (text)
		explicit_bzero(text, octets);
	free(text);
	if (failed)
		(void)snprintf(message, FACTS_MESSAGE_MAX, "%s: %s", shell->args.config_path, strerror(-failed));
	else
		(void)snprintf(message, FACTS_MESSAGE_MAX, "written to %s", shell->args.config_path);
	return failed == 0;
}

static bool hand_option_set(void *ctx, const char *name, const char *value, char message[FACTS_MESSAGE_MAX])
{
	static struct config wanted;	/* large; control thread only */
	struct shell *shell = ctx;

	wanted = *shell->config;
	message[0] = 0;
	if (!config_set(&wanted, name, value, message, FACTS_MESSAGE_MAX))
		return false;
	return shell_config_changed(shell, &wanted, message);
}

static bool hand_config_line(void *ctx, unsigned number, bool all, bool secrets, char line[FACTS_LINE_MAX])
{
	const struct shell *shell = ctx;

	return config_line(shell->config, number, all, secrets, line);
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

const struct facts_ops shell_hands = {
	.clock = hand_clock, .session_drop = hand_session_drop, .tunnel_drop = hand_tunnel_drop,
	.shutdown = hand_shutdown, .reload = hand_reload, .memory_write = hand_memory_write,
	.option_set = hand_option_set, .config_line = hand_config_line, .workers = hand_workers,
	.worker = hand_worker, .load = hand_load, .log_line = hand_log_line, .log_end = hand_log_end,
};
