/* cli_terminal.c -- libcli's side of a connection: lines in, slices of answers out. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "l2tpns/cli/classes.h"
#include "l2tpns/cli/match.h"
#include "l2tpns/config/option_rows.h"
#include "l2tpns/io/cli_terminal.h"
#include "l2tpns/io/privs.h"

#define STACK_OCTETS	(512u * 1024)
#define LOGIN_S		60u		/* to log in by */
#define FAILURES_MAX	3u
#define FAILURE_REST_MS	1000u
#define DEBUG_LINES	200u		/* shown at one time */
#define REGULAR_MS	200

/* libcli's login callbacks are told nothing of the connection they serve. */
static _Thread_local struct terminal *this_terminal;

void terminal_who(const struct terminal *terminal, char *text, size_t room)
{
	char address[ADDR_TEXT_MAX];

	(void)snprintf(text, room, "%s%s%s", terminal->user, *terminal->user ? "@" : "",
		       addr_text(terminal->peer, address));
}

/* ---- a command ---- */

/* The next slice, or false when the terminal is to give up: cancelled, or the daemon ends. */
static bool slice_await(struct terminal *terminal)
{
	struct cli_telnet *telnet = terminal->telnet;
	bool go_on;

	pthread_mutex_lock(&telnet->lock);
	while (terminal->state == TERMINAL_ASKS && !telnet->closing)
		pthread_cond_wait(&terminal->answered, &telnet->lock);
	go_on = terminal->state == TERMINAL_ANSWERED && !terminal->cancelled && !terminal->gone;
	pthread_mutex_unlock(&telnet->lock);
	return go_on;
}

/* A pause that ^C, a client that vanishes and the daemon's end cut short; false then. */
static bool rest(struct terminal *terminal, unsigned ms)
{
	struct cli_telnet *telnet = terminal->telnet;
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&telnet->lock);
	while (rc != ETIMEDOUT && !terminal->cancelled && !terminal->gone && !telnet->closing)
		rc = pthread_cond_timedwait(&terminal->answered, &telnet->lock, &until);
	pthread_mutex_unlock(&telnet->lock);
	return rc == ETIMEDOUT;
}

/* Lines go through libcli's filters; a piece without its end waits for the rest. */
static void slice_print(struct terminal *terminal)
{
	struct out *out = &terminal->run.out;

	if (out->len)
		cli_bufprint(terminal->cli, "%.*s", (int)out->len, out->text);
}

/* Before and after a command; false when the daemon ends. */
static bool busy_set(struct terminal *terminal, bool busy)
{
	pthread_mutex_lock(&terminal->telnet->lock);
	bool closing = terminal->telnet->closing;

	terminal->busy = busy;
	terminal->cancelled = false;
	terminal->state = TERMINAL_QUIET;
	pthread_mutex_unlock(&terminal->telnet->lock);
	return !closing;
}

/* The words are in terminal->run.typed. */
static int command_run_here(struct terminal *terminal)
{
	struct cli_def *cli = terminal->cli;
	bool going, daemon_stays;

	terminal->fresh = true;
	terminal->enabled = cli->privilege >= PRIVILEGE_PRIVILEGED;
	terminal->mode = cli->mode == MODE_EXEC ? COMMAND_EXEC : COMMAND_CONFIG;
	if (!busy_set(terminal, true))
		return CLI_QUIT;
	do {
		telnet_ask(terminal);
		going = slice_await(terminal);
		if (going)
			slice_print(terminal);
		if (going && terminal->step == COMMAND_WAIT)
			going = rest(terminal, COMMAND_WAIT_MS);
	} while (going && terminal->step != COMMAND_DONE);
	if (!going)
		cli_error(cli, "%s", "");		/* ends the piece of a line that was left, too */
	daemon_stays = busy_set(terminal, false);
	explicit_bzero(&terminal->run.typed, sizeof(terminal->run.typed));
	return daemon_stays ? CLI_OK : CLI_QUIT;
}

/* "show session ?": the grammar of what was typed so far. */
static int question(struct terminal *terminal, struct typed *typed)
{
	const char *candidate[MATCH_CANDIDATES_MAX];
	struct match match;
	bool enabled = terminal->cli->privilege >= PRIVILEGE_PRIVILEGED;
	enum command_mode mode = terminal->cli->mode == MODE_EXEC ? COMMAND_EXEC : COMMAND_CONFIG;
	static const char *const empty = "";

	typed->n--;
	(void)match_words(typed, mode, enabled, &match);
	if (match.row) {
		cli_error(terminal->cli, "  %-36s %s", match.row->words, match.row->help);
		return CLI_OK;
	}
	if (typed->n < TYPED_WORDS_MAX && typed->used < TYPED_OCTETS) {
		typed->at[typed->n++] = typed->used;
		memcpy(typed->text + typed->used++, empty, 1);
	}
	unsigned n = match_complete(typed, mode, enabled, candidate);

	for (unsigned i = 0; i < n; i++)
		cli_error(terminal->cli, "  %.*s", (int)strcspn(candidate[i], " ]"), candidate[i]);
	return CLI_OK;
}

/* Words libcli matched, then those it did not: together what the table is asked with. */
static bool typed_fill(struct terminal *terminal, const char *command, char **argv, int argc)
{
	const char *word[TYPED_WORDS_MAX];
	char full[256];
	unsigned n = 0;
	char *rest = full;

	(void)snprintf(full, sizeof(full), "%s", command);
	for (char *w; (w = strtok_r(rest, " ", &rest)) && n < TYPED_WORDS_MAX; )
		word[n++] = w;
	for (struct cli_optarg_pair *pair = cli_get_all_found_optargs(terminal->cli); pair; pair = pair->next) {
		if (n == TYPED_WORDS_MAX)
			return false;
		word[n++] = pair->value;
	}
	for (int i = 0; i < argc; i++) {
		if (n == TYPED_WORDS_MAX)
			return false;
		word[n++] = argv[i];
	}
	return typed_take(&terminal->run.typed, word, n);
}

static int on_command(struct cli_def *cli, const char *command, char *argv[], int argc)
{
	struct terminal *terminal = cli_get_context(cli);
	struct typed *typed = &terminal->run.typed;

	if (!typed_fill(terminal, command, argv, argc)) {
		cli_error(cli, "too many words");
		return CLI_ERROR;
	}
	const char *last = typed_word(typed, typed->n - 1);

	if (strcmp(last, "?") == 0)
		return question(terminal, typed);
	return command_run_here(terminal);
}

/* ---- debug: the log on this terminal ---- */

static int on_debug(struct cli_def *cli, const char *command, char *argv[], int argc)
{
	struct terminal *terminal = cli_get_context(cli);
	unsigned classes = argc ? 0 : CLASSES_ALL;

	(void)command;
	for (int i = 0; i < argc; i++) {
		unsigned more = classes_parse(argv[i]);

		if (!more) {
			cli_error(cli, "there are: %s", classes_help);
			return CLI_ERROR;
		}
		classes |= more;
	}
	if (!terminal->classes)
		terminal->log_at = log_recent_end(terminal->telnet->log);
	terminal->classes |= classes;
	return CLI_OK;
}

static int on_no_debug(struct cli_def *cli, const char *command, char *argv[], int argc)
{
	struct terminal *terminal = cli_get_context(cli);
	unsigned classes = argc ? 0 : CLASSES_ALL;

	(void)command;
	for (int i = 0; i < argc; i++)
		classes |= classes_parse(argv[i]);
	terminal->classes &= ~classes;
	return CLI_OK;
}

static void debug_show(struct terminal *terminal)
{
	char line[LOG_LINE_MAX];
	uint64_t lost = 0;
	unsigned n = 0;

	while (n < DEBUG_LINES &&
	       log_recent(terminal->telnet->log, &terminal->log_at, terminal->classes, &lost, line)) {
		if (n++ == 0)
			fputs("\r\033[K", terminal->cli->client);	/* over the prompt, which comes again below */
		cli_error(terminal->cli, "%s", line);
	}
	if (lost)
		cli_error(terminal->cli, "(%llu lines lost)", (unsigned long long)lost);
	if (n)
		cli_reprompt(terminal->cli);
}

static int on_enable_password(const char *password);

/* libcli calls this when nothing was typed for a moment. */
static int on_regular(struct cli_def *cli)
{
	struct terminal *terminal = cli_get_context(cli);
	const struct cli_host *host = &terminal->telnet->host;

	cli_set_enable_callback(cli, host->enable_needed(host->ctx) ? on_enable_password : NULL);
	if (terminal->classes) {
		debug_show(terminal);
		cli->last_action = time(NULL);		/* somebody is watching */
	}
	return CLI_OK;
}

/* ---- who may come in ---- */

/* A wrong password costs a second, the third the connection. */
static void refused(struct terminal *terminal, const char *what, const char *user)
{
	char who[160];

	terminal_who(terminal, who, sizeof(who));
	log_line(terminal->telnet->log, SAY_PEER, "%s refused user=%.64s terminal=%s", what, user, who);
	(void)rest(terminal, FAILURE_REST_MS);
	if (++terminal->failures >= FAILURES_MAX)
		(void)shutdown(terminal->outer, SHUT_RDWR);
}

static int on_login(const char *user, const char *password)
{
	struct terminal *terminal = this_terminal;
	const struct cli_host *host = &terminal->telnet->host;
	char who[160];

	if (!host->login_check(host->ctx, user, password)) {
		refused(terminal, "login", user);
		return CLI_ERROR;
	}
	(void)snprintf(terminal->user, sizeof(terminal->user), "%s", user);
	terminal->failures = 0;
	cli_set_idle_timeout(terminal->cli, terminal->telnet->conf.idle_timeout_s);
	terminal_who(terminal, who, sizeof(who));
	log_line(terminal->telnet->log, SAY_STATE, "login terminal=%s", who);
	return CLI_OK;
}

/* This one answers with truth, not with CLI_OK. */
static int on_enable_password(const char *password)
{
	struct terminal *terminal = this_terminal;
	const struct cli_host *host = &terminal->telnet->host;

	if (host->enable_check(host->ctx, password)) {
		terminal->failures = 0;
		return 1;
	}
	refused(terminal, "enable", terminal->user);
	return 0;
}

/* ---- libcli's tree, made of the rows ---- */

static struct cli_command *child_find(struct cli_command *first, const char *word, int mode)
{
	for (; first; first = first->next) {
		if (first->command_type == CLI_REGULAR_COMMAND && first->mode == mode &&
		    strcasecmp(first->command, word) == 0)
			return first;
	}
	return NULL;
}

/*
 * libcli lets a word be shortened only while no other begins with the same
 * letters, so that `shutdown` would take "sh" from `show`.  It compares whole
 * words in either case but looks for likenesses in the case they are written in:
 * of two words that begin alike the later is registered with a capital, and the
 * earlier is found first.  (For the same reason nothing is registered for every
 * mode: libcli would prefer the command of one mode, whatever their order.)
 */
static bool begins_like_another(const struct cli_def *cli, const char *word, int mode)
{
	for (const struct cli_command *c = cli->commands; c; c = c->next) {
		if (c->command_type == CLI_REGULAR_COMMAND && c->mode == mode && strncmp(c->command, word, 2) == 0)
			return true;
	}
	return false;
}

static const char *group_help(const char *words, size_t len)
{
	for (unsigned i = 0; i < command_groups_n; i++) {
		if (strlen(command_groups[i].words) == len && memcmp(command_groups[i].words, words, len) == 0)
			return command_groups[i].help;
	}
	return "";
}

static int option_complete(struct cli_def *cli, const char *name, const char *word, struct cli_comphelp *help)
{
	size_t len = word ? strlen(word) : 0;

	(void)cli, (void)name;
	for (unsigned i = 0; i < option_rows_count(); i++) {
		if (strncmp(option_row(i)->name, word ? word : "", len) == 0)
			(void)cli_add_comphelp_entry(help, option_row(i)->name);
	}
	return CLI_OK;
}

static void row_register(struct cli_def *cli, const struct command_row *row, int mode)
{
	struct cli_command *parent = NULL;
	const char *at = row->words;

	for (;;) {
		size_t len = strcspn(at, " ");
		const char *after = at + len + strspn(at + len, " ");
		bool last = !*after || *after == '[' || (*after >= 'A' && *after <= 'Z');
		char word[TELNET_WORD_MAX];

		(void)snprintf(word, sizeof(word), "%.*s", (int)len, at);
		struct cli_command *c = child_find(parent ? parent->children : cli->commands, word, mode);

		if (!c) {
			const char *help = last ? row->help :
					   group_help(row->words, (size_t)(at - row->words) + len);

			if (!parent && begins_like_another(cli, word, mode))
				word[0] = (char)(word[0] - 'a' + 'A');
			c = cli_register_command(cli, parent, word, on_command,
						 row->privileged ? PRIVILEGE_PRIVILEGED : PRIVILEGE_UNPRIVILEGED,
						 mode, help);
		}
		if (!c)
			return;
		if (!row->privileged)		/* a group is there for whoever may use any of its commands */
			c->privilege = PRIVILEGE_UNPRIVILEGED;
		if (last && row->terminal == COMMAND_BY_TERMINAL)
			c->callback = parent ? on_no_debug : on_debug;
		if (last && strcmp(word, "set") == 0) {
			(void)cli_register_optarg(c, "NAME", CLI_CMD_ARGUMENT, PRIVILEGE_UNPRIVILEGED, MODE_ANY,
						  "Option", option_complete, NULL, NULL);
			(void)cli_register_optarg(c, "VALUE", CLI_CMD_ARGUMENT, PRIVILEGE_UNPRIVILEGED, MODE_ANY,
						  "Its value", NULL, NULL, NULL);
		}
		if (last)
			return;
		parent = c;
		at = after;
	}
}

static struct cli_def *cli_make(struct terminal *terminal)
{
	const struct cli_telnet *telnet = terminal->telnet;
	struct cli_def *cli = cli_init();

	if (!cli)
		return NULL;
	cli_set_context(cli, terminal);
	cli_set_hostname(cli, telnet->facts->host);
	for (unsigned i = 0; i < command_rows_n; i++) {
		const struct command_row *row = &command_rows[i];

		if (row->terminal == COMMAND_BY_LIBRARY)
			continue;
		if (row->mode != COMMAND_CONFIG)
			row_register(cli, row, MODE_EXEC);
		if (row->mode != COMMAND_EXEC)
			row_register(cli, row, MODE_CONFIG);
	}
	if (!terminal->local)
		cli_set_auth_callback(cli, on_login);
	if (telnet->host.enable_needed(telnet->host.ctx))
		cli_set_enable_callback(cli, on_enable_password);
	cli_set_idle_timeout(cli, terminal->local ? telnet->conf.idle_timeout_s : LOGIN_S);
	cli_regular(cli, on_regular);
	cli->timeout_tm = (struct timeval){ .tv_usec = REGULAR_MS * 1000 };
	return cli;
}

/* ---- the threads ---- */

static void *terminal_thread(void *arg)
{
	struct terminal *terminal = arg;
	struct cli_telnet *telnet = terminal->telnet;

	privs_thread();
	this_terminal = terminal;
	terminal->cli = cli_make(terminal);
	if (!terminal->cli || cli_loop(terminal->cli, terminal->inner) != CLI_OK)
		(void)close(terminal->inner);		/* cli_loop() closes it, unless it could not begin */
	cli_done(terminal->cli);
	pthread_join(terminal->pump, NULL);
	(void)close(terminal->outer);
	(void)close(terminal->client);
	pthread_mutex_lock(&telnet->lock);
	terminal->ended = true;
	pthread_mutex_unlock(&telnet->lock);
	telnet_wake(telnet);
	return NULL;
}

static int thread_start(pthread_t *thread, void *(*run)(void *), struct terminal *terminal)
{
	pthread_attr_t attr;
	int rc = pthread_attr_init(&attr);

	if (rc)
		return -rc;
	(void)pthread_attr_setstacksize(&attr, STACK_OCTETS);
	rc = pthread_create(thread, &attr, run, terminal);
	pthread_attr_destroy(&attr);
	return -rc;
}

int terminal_start(struct terminal *terminal)
{
	sigset_t all, old;

	/* Signals are the control thread's; SIGPIPE is for nobody: libcli's writes just fail. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	int failed = thread_start(&terminal->pump, terminal_pump, terminal);

	if (!failed) {
		failed = thread_start(&terminal->thread, terminal_thread, terminal);
		if (failed) {
			(void)shutdown(terminal->client, SHUT_RDWR);
			pthread_join(terminal->pump, NULL);
		}
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return failed;
}
