/* cli_telnet.c -- the control thread's side of the terminals: accept, and one slice at a time. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "l2tpns/io/cli_terminal.h"

#define STRANGERS_MAX	(CLI_TELNET_CONNECTIONS * 3 / 4)	/* so that the loopback always has room */
#define ACCEPT_PAUSE_S	1

void telnet_wake(struct cli_telnet *telnet)
{
	uint64_t one = 1;

	(void)!write(telnet->wake, &one, sizeof(one));
}

void telnet_ask(struct terminal *terminal)
{
	struct cli_telnet *telnet = terminal->telnet;

	pthread_mutex_lock(&telnet->lock);
	terminal->state = TERMINAL_ASKS;
	terminal->next = NULL;
	*telnet->last = terminal;
	telnet->last = &terminal->next;
	pthread_mutex_unlock(&telnet->lock);
	telnet_wake(telnet);
}

/* The terminal that has waited longest; *more: there are others. */
static struct terminal *asker_take(struct cli_telnet *telnet, bool *more)
{
	pthread_mutex_lock(&telnet->lock);
	struct terminal *terminal = telnet->first;

	if (terminal) {
		telnet->first = terminal->next;
		if (!telnet->first)
			telnet->last = &telnet->first;
	}
	*more = telnet->first != NULL;
	pthread_mutex_unlock(&telnet->lock);
	return terminal;
}

/* Changes are written down with who asked for them; what may be a secret is left out. */
static void asked_log(struct terminal *terminal)
{
	const struct command_run *run = &terminal->run;
	char text[256], who[160];

	if (run->status != CTL_OK || run->row->shows)
		return;
	command_describe(run, text, sizeof(text));
	terminal_who(terminal, who, sizeof(who));
	log_line(terminal->telnet->log, SAY_STATE, "operator terminal=%s command=%s", who, text);
}

/* While the terminal asks, the run is ours. */
static void slice(struct terminal *terminal)
{
	struct cli_telnet *telnet = terminal->telnet;
	struct command_run *run = &terminal->run;

	if (terminal->fresh) {
		command_begin(run, telnet->facts, OUT_TEXT, terminal->mode, terminal->enabled, terminal->buffer,
			      sizeof(terminal->buffer));
		asked_log(terminal);
		terminal->fresh = false;
	}
	out_drained(&run->out);
	terminal->step = command_step(run);

	pthread_mutex_lock(&telnet->lock);
	terminal->state = TERMINAL_ANSWERED;
	pthread_cond_signal(&terminal->answered);
	pthread_mutex_unlock(&telnet->lock);
}

static void terminal_free(struct terminal *terminal)
{
	pthread_join(terminal->thread, NULL);
	pthread_cond_destroy(&terminal->answered);
	terminal->in_use = false;
}

static void ended_join(struct cli_telnet *telnet)
{
	for (unsigned i = 0; i < CLI_TELNET_CONNECTIONS; i++) {
		struct terminal *terminal = &telnet->terminal[i];

		pthread_mutex_lock(&telnet->lock);
		bool ended = terminal->in_use && terminal->ended;

		pthread_mutex_unlock(&telnet->lock);
		if (ended)
			terminal_free(terminal);
	}
}

/* A free place, counting those held by connections from elsewhere. */
static struct terminal *place_find(struct cli_telnet *telnet, bool local)
{
	struct terminal *place = NULL;
	unsigned strangers = 0;

	for (unsigned i = 0; i < CLI_TELNET_CONNECTIONS; i++) {
		struct terminal *terminal = &telnet->terminal[i];

		if (!terminal->in_use)
			place = terminal;
		else if (!terminal->local)
			strangers++;
	}
	return local || strangers < STRANGERS_MAX ? place : NULL;
}

static void connection_set(int fd)
{
	int yes = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static int terminal_open(struct cli_telnet *telnet, int fd, const struct sockaddr_in *from)
{
	struct ip4 address = { ntohl(from->sin_addr.s_addr) };
	bool local = address.n >> 24 == 127;
	struct terminal *terminal = place_find(telnet, local);
	pthread_condattr_t attr;
	int pair[2], failed;

	if (!terminal)
		return -EBUSY;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	if (pair[1] >= FD_SETSIZE) {		/* libcli waits with select(2) */
		(void)close(pair[0]);
		(void)close(pair[1]);
		return -EMFILE;
	}
	memset(terminal, 0, offsetof(struct terminal, run));
	terminal->classes = 0;
	terminal->telnet = telnet;
	terminal->client = fd;
	terminal->outer = pair[0];
	terminal->inner = pair[1];
	terminal->peer = (struct addr){ .ip = ip_from4(address), .port = ntohs(from->sin_port) };
	terminal->local = local;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&terminal->answered, &attr);
	pthread_condattr_destroy(&attr);
	connection_set(fd);
	failed = terminal_start(terminal);
	terminal->in_use = failed == 0;
	if (failed) {
		pthread_cond_destroy(&terminal->answered);
		(void)close(pair[0]);
		(void)close(pair[1]);
	}
	return failed;
}

static void listener_watch(struct cli_telnet *telnet, bool watch)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = telnet->listener };

	(void)epoll_ctl(telnet->epoll, watch ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, telnet->listener, &event);
}

/* Out of descriptors: look again in a second instead of being woken for ever. */
static void accept_pause(struct cli_telnet *telnet)
{
	struct itimerspec later = { .it_value.tv_sec = ACCEPT_PAUSE_S };

	listener_watch(telnet, false);
	(void)timerfd_settime(telnet->pause, 0, &later, NULL);
}

static void connection_accept(struct cli_telnet *telnet)
{
	struct sockaddr_in from = { 0 };
	socklen_t len = sizeof(from);
	int fd = accept4(telnet->listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			accept_pause(telnet);
		return;
	}
	int failed = terminal_open(telnet, fd, &from);

	if (failed) {
		static const char sorry[] = "no room for another terminal\r\n";

		(void)!send(fd, sorry, sizeof(sorry) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)close(fd);
		log_line(telnet->log, SAY_LOCAL, "terminal refused: %s", strerror(-failed));
	}
}

void cli_telnet_run(struct cli_telnet *telnet)
{
	struct epoll_event event[4];
	int n = epoll_wait(telnet->epoll, event, 4, 0);

	for (int i = 0; i < n; i++) {
		uint64_t count;
		bool more;

		if (event[i].data.fd == telnet->listener) {
			connection_accept(telnet);
		} else if (event[i].data.fd == telnet->pause) {
			(void)!read(telnet->pause, &count, sizeof(count));
			listener_watch(telnet, true);
		} else {
			(void)!read(telnet->wake, &count, sizeof(count));
			ended_join(telnet);
			struct terminal *terminal = asker_take(telnet, &more);

			if (terminal)
				slice(terminal);
			if (more)
				telnet_wake(telnet);
		}
	}
}

int cli_telnet_fd(const struct cli_telnet *telnet)
{
	return telnet->epoll;
}

static int listener_open(struct cli_telnet *telnet)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(telnet->conf.port),
		.sin_addr.s_addr = htonl(telnet->conf.address.n),
	};
	int yes = 1;

	telnet->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (telnet->listener < 0)
		return -errno;
	(void)setsockopt(telnet->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(telnet->listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(telnet->listener, 16) < 0)
		return -errno;
	return 0;
}

static int descriptors_open(struct cli_telnet *telnet)
{
	int failed = listener_open(telnet);

	if (failed)
		return failed;
	telnet->epoll = epoll_create1(EPOLL_CLOEXEC);
	telnet->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	telnet->pause = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (telnet->epoll < 0 || telnet->wake < 0 || telnet->pause < 0)
		return -errno;

	const int fd[] = { telnet->listener, telnet->wake, telnet->pause };

	for (unsigned i = 0; i < ARRAY_LEN(fd); i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.fd = fd[i] };

		if (epoll_ctl(telnet->epoll, EPOLL_CTL_ADD, fd[i], &event) < 0)
			return -errno;
	}
	return 0;
}

static void descriptors_close(struct cli_telnet *telnet)
{
	const int fd[] = { telnet->listener, telnet->epoll, telnet->wake, telnet->pause };

	for (unsigned i = 0; i < ARRAY_LEN(fd); i++) {
		if (fd[i] >= 0)
			(void)close(fd[i]);
	}
}

int cli_telnet_open(struct cli_telnet **out, const struct cli_telnet_conf *conf, const struct cli_host *host,
		    struct facts *facts, struct log_out *log)
{
	struct cli_telnet *telnet = calloc(1, sizeof(*telnet));

	if (!telnet)
		return -ENOMEM;
	telnet->epoll = telnet->listener = telnet->wake = telnet->pause = -1;
	telnet->conf = *conf;
	telnet->host = *host;
	telnet->facts = facts;
	telnet->log = log;
	telnet->last = &telnet->first;
	pthread_mutex_init(&telnet->lock, NULL);
	int failed = descriptors_open(telnet);

	if (failed) {
		descriptors_close(telnet);
		pthread_mutex_destroy(&telnet->lock);
		free(telnet);
		return failed;
	}
	*out = telnet;
	return 0;
}

void cli_telnet_close(struct cli_telnet *telnet)
{
	if (!telnet)
		return;
	pthread_mutex_lock(&telnet->lock);
	telnet->closing = true;
	for (unsigned i = 0; i < CLI_TELNET_CONNECTIONS; i++) {
		struct terminal *terminal = &telnet->terminal[i];

		if (!terminal->in_use || terminal->ended)
			continue;
		(void)shutdown(terminal->client, SHUT_RDWR);
		pthread_cond_signal(&terminal->answered);
	}
	pthread_mutex_unlock(&telnet->lock);
	for (unsigned i = 0; i < CLI_TELNET_CONNECTIONS; i++) {
		if (telnet->terminal[i].in_use)
			terminal_free(&telnet->terminal[i]);
	}
	descriptors_close(telnet);
	pthread_mutex_destroy(&telnet->lock);
	free(telnet);
}
