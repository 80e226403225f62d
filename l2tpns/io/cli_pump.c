/* cli_pump.c -- octets between a telnet client and libcli, so that ^C and a hang-up are noticed at once. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpns/io/cli_terminal.h"
#include "l2tpns/io/privs.h"

struct pump {
	struct terminal	*terminal;
	struct telnet_filter filter;
	bool		 in_over, out_over;	/* nothing more will come that way */
	uint8_t		 in[512], out[4096];	/* towards libcli, towards the client */
	size_t		 in_from, in_to, out_from, out_to;
};

/* What is running is not wanted any more: ^C, or the client is gone. */
static void cancel(struct terminal *terminal, bool gone)
{
	pthread_mutex_lock(&terminal->telnet->lock);
	if (terminal->busy)
		terminal->cancelled = true;
	terminal->gone = gone;
	pthread_cond_signal(&terminal->answered);
	pthread_mutex_unlock(&terminal->telnet->lock);
}

static bool send_some(int fd, const uint8_t *p, size_t *from, size_t *to)
{
	if (*from == *to)
		return true;
	ssize_t n = send(fd, p + *from, *to - *from, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	*from += (size_t)n;
	if (*from == *to)
		*from = *to = 0;
	return true;
}

/* From the client: false when it is gone. */
static bool pump_in(struct pump *pump)
{
	struct terminal *terminal = pump->terminal;
	uint8_t raw[sizeof(pump->in)];
	ssize_t n = recv(terminal->client, raw, sizeof(raw), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0) {				/* it has said all, but may still listen */
		pump->in_over = true;
		(void)shutdown(terminal->outer, SHUT_WR);
		return true;
	}
	pump->in_to = telnet_filter(&pump->filter, raw, (size_t)n, pump->in);
	if (pump->filter.refused)
		(void)!send(terminal->client, "\a", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (pump->filter.interrupted)
		cancel(terminal, false);
	pump->filter.refused = 0;
	pump->filter.interrupted = false;
	return true;
}

/* From libcli. */
static void pump_out(struct pump *pump)
{
	ssize_t n = recv(pump->terminal->outer, pump->out, sizeof(pump->out), MSG_DONTWAIT);

	if (n > 0)
		pump->out_to = (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		pump->out_over = true;
}

static bool pump_step(struct pump *pump)
{
	struct terminal *terminal = pump->terminal;
	bool in_full = pump->in_to > 0, out_full = pump->out_to > 0;
	struct pollfd look[2] = {
		{ .fd = terminal->client, .events = (short)((in_full || pump->in_over ? 0 : POLLIN) |
							    (out_full ? POLLOUT : 0)) },
		{ .fd = terminal->outer, .events = (short)((out_full ? 0 : POLLIN) | (in_full ? POLLOUT : 0)) },
	};

	if (poll(look, 2, -1) < 0)
		return errno == EINTR;
	if ((look[0].revents & POLLERR) || ((look[0].revents & POLLHUP) && pump->in_over))
		return false;
	if (!in_full && !pump->in_over && (look[0].revents & (POLLIN | POLLHUP)) && !pump_in(pump))
		return false;
	if (!out_full && (look[1].revents & (POLLIN | POLLHUP)))
		pump_out(pump);
	if (!send_some(terminal->outer, pump->in, &pump->in_from, &pump->in_to))
		pump->in_from = pump->in_to = 0;	/* libcli has ended: what is left to say goes out first */
	if (!send_some(terminal->client, pump->out, &pump->out_from, &pump->out_to))
		return false;
	return !pump->out_over || pump->out_to > 0;
}

void *terminal_pump(void *arg)
{
	struct pump pump = { .terminal = arg };

	privs_thread();
	while (pump_step(&pump))
		;
	cancel(pump.terminal, true);
	(void)shutdown(pump.terminal->outer, SHUT_RDWR);	/* libcli reads the end */
	(void)shutdown(pump.terminal->client, SHUT_RDWR);
	return NULL;
}
