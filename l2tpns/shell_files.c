/* shell_files.c -- the operator's files read at start and again on reload: all of a file, or nothing of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "l2tpns/config/apply.h"
#include "l2tpns/config/parse.h"
#include "l2tpns/io/clock.h"
#include "l2tpns/io/files.h"
#include "l2tpns/io/service.h"
#include "l2tpns/shell.h"

#define CONFIG_OCTETS_MAX	(4u << 20)
#define LIST_OCTETS_MAX		(1u << 30)
#define POOL_FILES_MAX		(2 * IPPOOLS_MAX)
#define BAD_LINES_TOLD		20u

/* What a reading produced: kept until all of it is known to be good. */
struct reading {
	struct config		config;
	struct pool_files	pools;
	struct users		users;
	struct config_faults	faults;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* One of our files as text.  A file that is not there reads as empty when `optional`. */
static int text_read(struct shell *shell, const char *name, size_t max, bool optional, struct file_text *text,
		     struct config_faults *faults)
{
	char path[PATH_MAX];
	int failed = file_find(shell->args.config_path, name, path);

	*text = (struct file_text){ .room = 0 };
	if (!failed)
		failed = file_read(path, max, text);
	if (failed == -ENOENT && optional)
		return 0;
	if (failed)
		fault_error(faults, base_name(name), 0, "%s: %s", path, strerror(-failed));
	return failed;
}

static bool config_read(struct shell *shell, struct reading *reading)
{
	struct file_text text = { .room = 0 };
	int failed = file_read(shell->args.config_path, CONFIG_OCTETS_MAX, &text);

	if (failed) {
		fault_error(&reading->faults, base_name(shell->args.config_path), 0, "%s", strerror(-failed));
		return false;
	}
	bool good = config_parse(text.bytes, base_name(shell->args.config_path), &reading->config, &reading->faults);

	file_text_free(&text);
	return good;
}

static bool pool_read(struct shell *shell, struct reading *reading, const char *name)
{
	char pool[IPPOOL_NAME_MAX + 1];
	struct file_text text;

	if (!pool_file_name(name, pool))
		return true;
	if (text_read(shell, name, CONFIG_OCTETS_MAX, true, &text, &reading->faults) != 0)
		return false;
	bool good = pool_file_parse(&reading->pools, text.bytes, name, pool, reading->config.bind_address,
				    &reading->faults);

	file_text_free(&text);
	return good;
}

static bool pools_read(struct shell *shell, struct reading *reading)
{
	static char names[POOL_FILES_MAX][NAME_MAX + 1];
	bool good = true;
	int count = files_list(shell->args.config_path, "ip_pool", names, POOL_FILES_MAX);

	if (count == 0)
		count = files_list(FILES_DIR "/ip_pool", "ip_pool", names, POOL_FILES_MAX);
	if (count == -ENOENT)
		count = 0;
	if (count < 0) {
		fault_error(&reading->faults, "ip_pool", 0, "looking for pool files: %s", strerror(-count));
		return false;
	}
	pool_files_init(&reading->pools);
	for (int i = 0; i < count; i++)
		good = pool_read(shell, reading, names[i]) && good;
	return good && pool_files_check(&reading->pools, &reading->faults);
}

static void users_read(struct shell *shell, struct reading *reading)
{
	struct file_text text;

	reading->users = (struct users){ .count = 0 };
	if (text_read(shell, "users", CONFIG_OCTETS_MAX, true, &text, &reading->faults) == 0)
		users_parse(text.bytes, "users", &reading->users, &reading->faults);
	file_text_free(&text);
}

static bool everything_read(struct shell *shell, struct reading *reading)
{
	reading->faults = (struct config_faults){ .count = 0 };
	if (!config_read(shell, reading) || !pools_read(shell, reading))
		return false;
	users_read(shell, reading);	/* its bad lines are left out, the others work */
	return true;
}

/* ---- subscribers: a bad line is named and skipped ---- */

static void subscribers_bad_lines_say(struct shell *shell, const char *file, const struct subscribers_fault *fault,
				      unsigned told, unsigned bad)
{
	for (unsigned i = 0; i < told; i++)
		log_line(shell->log, SAY_LOCAL, "%s:%u: %s; the line is skipped", file, fault[i].line, fault[i].text);
	if (bad > told)
		log_line(shell->log, SAY_LOCAL, "%s: %u more bad lines skipped", file, bad - told);
}

static void *pages(size_t octets)
{
	void *memory = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void subscribers_replace(struct shell *shell, struct subscribers *list, void *memory, size_t octets)
{
	lns_subscribers_loaded(shell->lns, list);
	if (shell->subscribers_memory) {
		explicit_bzero(shell->subscribers_memory, shell->subscribers_octets);
		(void)munmap(shell->subscribers_memory, shell->subscribers_octets);
	}
	shell->subscribers = list;
	shell->subscribers_memory = memory;
	shell->subscribers_octets = octets;
}

static void subscribers_read(struct shell *shell)
{
	struct subscribers_fault fault[BAD_LINES_TOLD];
	struct config_faults faults = { .count = 0 };
	const char *name = shell->config->subscribers;
	struct subscribers *list;
	struct file_text text;
	int failed = text_read(shell, name, LIST_OCTETS_MAX, false, &text, &faults);

	if (failed) {
		log_line(shell->log, SAY_LOCAL, "%s: %s; nobody new is known from it", name, strerror(-failed));
		return;
	}
	size_t octets = subscribers_size(text.bytes);
	void *memory = pages(octets);

	if (!memory) {
		log_line(shell->log, SAY_LOCAL, "%s: no memory for it; the list before stays", name);
		file_text_free(&text);
		return;
	}
	unsigned bad = subscribers_parse(&list, memory, octets, shell->key, text.bytes, fault, BAD_LINES_TOLD);

	file_text_free(&text);
	subscribers_bad_lines_say(shell, base_name(name), fault, min_u32(bad, BAD_LINES_TOLD), bad);
	subscribers_replace(shell, list, memory, octets);
	log_line(shell->log, SAY_STATE, "%s: %u subscribers", base_name(name), subscribers_count(list));
}

/* ---- what a configuration changes ---- */

static bool range_in(const struct ippool_conf *conf, struct prefix4 prefix)
{
	for (unsigned i = 0; i < conf->ranges; i++)
		if (conf->range[i].prefix.net.n == prefix.net.n && conf->range[i].prefix.len == prefix.len)
			return true;
	return false;
}

/* A range that left the files keeps its route while a subscriber still has an address of it. */
static bool range_in_use(const struct shell *shell, struct prefix4 prefix)
{
	uint32_t at = 0;

	/* Once a reload, and only for a range that was taken out. */
	while (at < lns_rows_end(shell->lns)) {
		struct row row = lns_session_next(shell->lns, &at, UINT32_MAX);

		if (row.n && prefix4_has(prefix, lns_session(shell->lns, row)->address))
			return true;
	}
	return false;
}

static void route_say(struct shell *shell, struct prefix4 prefix, int failed)
{
	char text[IP_TEXT_MAX];

	if (failed)
		log_line(shell->log, SAY_LOCAL, "kernel route to pool %s/%u: %s", ip4_text(prefix.net, text),
			 prefix.len, strerror(-failed));
}

static void routes_change(struct shell *shell, const struct ippool_conf *before, const struct ippool_conf *after)
{
	for (unsigned i = 0; i < before->ranges; i++) {
		struct prefix4 prefix = before->range[i].prefix;

		if (!range_in(after, prefix) && !range_in_use(shell, prefix))
			route_say(shell, prefix, netlink_route_drop(shell->netlink, prefix));
	}
	for (unsigned i = 0; i < after->ranges; i++) {
		struct prefix4 prefix = after->range[i].prefix;

		if (!range_in(before, prefix))
			route_say(shell, prefix, netlink_route_put(shell->netlink, prefix));
	}
}

static void changes_say(struct shell *shell, const struct config *wanted)
{
	static struct config_changes changes;
	char line[CONFIG_LINE_MAX];

	config_compare(shell->config, wanted, &changes);
	for (unsigned i = 0; i < changes.count; i++)
		log_line(shell->log, SAY_STATE, "configuration: %s",
			 config_change_text(shell->config, wanted, &changes, i, line));
	if (changes.lacs)
		log_line(shell->log, SAY_STATE, "configuration: lac lines changed");
}

static void message_of_changes(const struct shell *shell, const struct config *wanted, char message[FACTS_MESSAGE_MAX])
{
	static struct config_changes changes;

	config_compare(shell->config, wanted, &changes);
	if (changes.restarts)
		(void)snprintf(message, FACTS_MESSAGE_MAX, "%u of %u changed options wait for a restart",
			       changes.restarts, changes.count);
}

static bool log_apply(struct shell *shell, const struct config *wanted, char message[FACTS_MESSAGE_MAX])
{
	unsigned level = min_u32(wanted->debug + shell->args.verbose, SAY_CLASSES - 1);
	int failed = log_configure(shell->log, wanted->log_file, level);

	if (failed)
		(void)snprintf(message, FACTS_MESSAGE_MAX, "log_file %s: %s", wanted->log_file, strerror(-failed));
	return failed == 0;
}

bool shell_config_changed(struct shell *shell, const struct config *wanted, char message[FACTS_MESSAGE_MAX])
{
	uint32_t cut;

	if (!log_apply(shell, wanted, message))
		return false;
	if (!message[0])
		message_of_changes(shell, wanted, message);
	changes_say(shell, wanted);
	*shell->config = *wanted;
	config_to_lns(wanted, shell->host, shell->lns_conf);
	(void)snprintf(shell->facts.host, sizeof(shell->facts.host), "%s", shell->lns_conf->host_name);
	cut = lns_configured(shell->lns, shell->lns_conf, clock_now());
	if (cut)
		log_line(shell->log, SAY_LOCAL, "pools: %u addresses do not fit into max_addresses", cut);
	return true;
}

static void pools_change(struct shell *shell, const struct ippool_conf *pools)
{
	static struct ippool_conf before;

	before = shell->lns_conf->pools;
	shell->lns_conf->pools = *pools;
	routes_change(shell, &before, pools);
}

static void users_change(struct shell *shell, const struct users *users)
{
	pthread_mutex_lock(&shell->users_lock);
	*shell->users = *users;
	pthread_mutex_unlock(&shell->users_lock);
}

static void faults_say(struct shell *shell, const struct config_faults *faults)
{
	char line[FAULT_LINE_MAX];

	for (unsigned i = 0; i < faults->count; i++)
		log_line(shell->log, SAY_LOCAL, "%s", fault_text(&faults->fault[i], line));
}

/* ---- entries ---- */

static struct reading reading;	/* large; control thread only */

int shell_files_read(struct shell *shell)
{
	char line[FAULT_LINE_MAX];

	if (!everything_read(shell, &reading)) {
		for (unsigned i = 0; i < reading.faults.count; i++)
			fprintf(stderr, "l2tpns: %s\n", fault_text(&reading.faults.fault[i], line));
		return 1;
	}
	*shell->config = reading.config;
	*shell->users = reading.users;
	config_to_lns(shell->config, shell->host, shell->lns_conf);
	shell->lns_conf->pools = reading.pools.conf;
	(void)snprintf(shell->facts.host, sizeof(shell->facts.host), "%s", shell->lns_conf->host_name);
	return 0;
}

void shell_files_say(struct shell *shell)
{
	faults_say(shell, &reading.faults);
	subscribers_read(shell);
}

void shell_routes_put(struct shell *shell)
{
	static const struct ippool_conf none;

	routes_change(shell, &none, &shell->lns_conf->pools);
}

bool shell_files_reload(struct shell *shell, char message[FACTS_MESSAGE_MAX])
{
	char line[FAULT_LINE_MAX];
	bool good;

	message[0] = 0;
	service_reloading(clock_now());
	if (log_reopen(shell->log) != 0)
		log_line(shell->log, SAY_LOCAL, "log_file cannot be opened again; the old one stays in use");
	good = everything_read(shell, &reading);
	faults_say(shell, &reading.faults);
	if (good) {
		pools_change(shell, &reading.pools.conf);
		good = shell_config_changed(shell, &reading.config, message);
		users_change(shell, &reading.users);
		subscribers_read(shell);
		log_line(shell->log, SAY_STATE, "configuration read again");
	} else {
		(void)snprintf(message, FACTS_MESSAGE_MAX, "%s",
			       reading.faults.count ? fault_text(&reading.faults.fault[0], line) : "bad files");
		log_line(shell->log, SAY_LOCAL, "nothing was changed: the files have errors");
	}
	explicit_bzero(&reading.users, sizeof(reading.users));
	service_ready();
	return good;
}

void shell_files_close(struct shell *shell)
{
	if (shell->subscribers_memory) {
		explicit_bzero(shell->subscribers_memory, shell->subscribers_octets);
		(void)munmap(shell->subscribers_memory, shell->subscribers_octets);
	}
	if (shell->users)
		explicit_bzero(shell->users, sizeof(*shell->users));
}
