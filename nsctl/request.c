/* request.c -- one question to the daemon and its answer. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "nsctl/nsctl.h"

uint64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Wait for an event until the deadline; 0 = none came in time. */
static int wait_for(int fd, short events, uint64_t deadline_ms)
{
	struct pollfd look = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = now_ms();
		int left = deadline_ms == UINT64_MAX ? -1 : deadline_ms > now ? (int)(deadline_ms - now) : 0;
		int n = poll(&look, 1, left);

		if (n >= 0 || errno != EINTR)
			return n;
	}
}

static enum exit_code unreachable(const struct nsctl *nsctl, int error)
{
	fprintf(stderr, "nsctl: %s: %s\n", nsctl->path, strerror(error));
	if (error == ENOENT || error == ECONNREFUSED)
		fprintf(stderr, "nsctl: is l2tpns running?\n");
	return EXIT_UNREACHABLE;
}

static enum exit_code too_late(const struct nsctl *nsctl)
{
	fprintf(stderr, "nsctl: no answer within %u.%03u s\n", nsctl->timeout_ms / 1000, nsctl->timeout_ms % 1000);
	return EXIT_TIMEOUT;
}

/* A daemon whose queue of connections is full makes us wait: connect(2) says EAGAIN. */
enum exit_code connect_to(const struct nsctl *nsctl, uint64_t deadline_ms, int *fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(nsctl->path);

	if (len >= sizeof(address.sun_path))
		return unreachable(nsctl, ENAMETOOLONG);
	memcpy(address.sun_path, nsctl->path, len + 1);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return unreachable(nsctl, errno);
	while (connect(*fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = errno;

		if (error == EAGAIN && now_ms() < deadline_ms) {
			(void)poll(NULL, 0, 20);
			continue;
		}
		(void)close(*fd);
		return error == EAGAIN ? too_late(nsctl) : unreachable(nsctl, error);
	}
	return EXIT_OK;
}

static enum exit_code send_all(const struct nsctl *nsctl, int fd, struct bytes octets, uint64_t deadline_ms)
{
	while (octets.len > 0) {
		ssize_t n = send(fd, octets.p, octets.len, MSG_NOSIGNAL);

		if (n > 0) {
			octets = bytes_of(octets.p + n, octets.len - (size_t)n);
			continue;
		}
		if (errno == EINTR)
			continue;
		/* A daemon with too many clients answers before it has read anything. */
		if (errno == EPIPE || errno == ECONNRESET)
			return EXIT_OK;
		if (errno != EAGAIN)
			return unreachable(nsctl, errno);
		if (wait_for(fd, POLLOUT, deadline_ms) == 0)
			return too_late(nsctl);
	}
	return EXIT_OK;
}

/* Octets of the status line in the buffer, with its line feed; 0: not all of it is there. */
static size_t status_len(const char *buffer, size_t len)
{
	const char *end = memchr(buffer, '\n', len);

	return end ? (size_t)(end - buffer) + 1 : 0;
}

static enum exit_code exit_of(unsigned status)
{
	if (status == CTL_OK)
		return EXIT_OK;
	return status == CTL_MALFORMED || status == CTL_UNKNOWN ? EXIT_USAGE : EXIT_FAILED;
}

struct reply {
	unsigned	status;		/* 0 until the status line is there */
	char		head[CTL_STATUS_MAX];
	size_t		head_len;
	bool		body;		/* something came after the status line */
};

/* The status line is taken off; the rest goes on.  False: this is not our daemon, or the reader has enough. */
static bool reply_take(struct reply *reply, const char *text, size_t len, take_fn *take, void *ctx)
{
	if (!reply->status) {
		size_t more = len < sizeof(reply->head) - reply->head_len ? len :
			      sizeof(reply->head) - reply->head_len;

		memcpy(reply->head + reply->head_len, text, more);
		size_t line = status_len(reply->head, reply->head_len + more);

		if (!line) {
			reply->head_len += more;
			return reply->head_len < sizeof(reply->head);
		}
		reply->status = ctl_status_decode(bytes_of(reply->head, line));
		if (!reply->status)
			return false;
		text += line - reply->head_len;
		len -= line - reply->head_len;
		reply->head_len = line;
	}
	reply->body |= len > 0;
	return len == 0 || take(ctx, reply->status, text, len);
}

static enum exit_code reply_read(const struct nsctl *nsctl, int fd, uint64_t deadline_ms, bool patient, take_fn *take,
				 void *ctx)
{
	struct reply reply = { 0 };
	char buffer[65536];

	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

		if (n > 0) {
			if (!reply_take(&reply, buffer, (size_t)n, take, ctx))
				break;
			deadline_ms = patient && reply.status ? UINT64_MAX : now_ms() + nsctl->timeout_ms;
			continue;
		}
		if (n == 0)
			break;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return unreachable(nsctl, errno);
		if (wait_for(fd, POLLIN, deadline_ms) == 0)
			return too_late(nsctl);
	}
	if (!reply.status) {
		fprintf(stderr, "nsctl: %s: no answer of an l2tpns daemon\n", nsctl->path);
		return EXIT_UNREACHABLE;
	}
	if (reply.status != CTL_OK && !reply.body)	/* the status line is all there is */
		fprintf(stderr, "nsctl: %.*s", (int)reply.head_len - 4, reply.head + 4);
	return exit_of(reply.status);
}

enum exit_code request(const struct nsctl *nsctl, enum ctl_form form, const char *const *word, unsigned words,
		       bool patient, take_fn *take, void *ctx)
{
	uint8_t line[CTL_REQUEST_MAX];
	struct wr w = wr_of(line, sizeof(line));
	uint64_t deadline_ms = now_ms() + nsctl->timeout_ms;
	int fd = -1;

	if (!ctl_request_encode(&w, form, word, words)) {
		fprintf(stderr, "nsctl: too long, or a line feed in a word\n");
		return EXIT_USAGE;
	}
	enum exit_code code = connect_to(nsctl, deadline_ms, &fd);

	if (code != EXIT_OK)
		return code;
	code = send_all(nsctl, fd, wr_bytes_of(&w), deadline_ms);
	if (code == EXIT_OK)
		code = reply_read(nsctl, fd, deadline_ms, patient, take, ctx);
	(void)close(fd);
	return code;
}

/* JSON goes to stdout even when it says what went wrong: a script reads it there. */
static bool print(void *ctx, unsigned status, const char *text, size_t len)
{
	const struct nsctl *nsctl = ctx;
	FILE *to = status == CTL_OK || nsctl->form == CTL_JSON ? stdout : stderr;

	return fwrite(text, 1, len, to) == len && fflush(to) == 0;
}

enum exit_code request_print(const struct nsctl *nsctl, const char *const *word, unsigned words)
{
	/* Only the log may be silent for as long as it likes. */
	bool patient = strlen(word[0]) >= 2 && strncmp("debug", word[0], strlen(word[0])) == 0;
	struct nsctl copy = *nsctl;
	enum exit_code code = request(nsctl, nsctl->form, word, words, patient, print, &copy);

	if (ferror(stdout)) {
		fprintf(stderr, "nsctl: standard output: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	return code;
}
