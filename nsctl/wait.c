/* wait.c -- a command that ends the daemon, and waiting until it has ended. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nsctl/nsctl.h"

#define LOOK_MS	50		/* between two looks at the socket */

static bool begins(const char *word, const char *shortened)
{
	return *shortened && strncmp(word, shortened, strlen(shortened)) == 0;
}

static bool ends_daemon(const char *const *word, unsigned words)
{
	return (words == 1 && begins("shutdown", word[0])) ||
	       (words == 2 && begins("cluster", word[0]) && begins("stop", word[1]));
}

/* The process that listens, as a descriptor that tells of its end: the socket goes before its addresses and
 * devices do, and another daemon may have the same path by then.  -1: there is only the socket to look at. */
static enum exit_code daemon_find(const struct nsctl *nsctl, uint64_t deadline_ms, int *process)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	int fd = -1;
	enum exit_code code = connect_to(nsctl, deadline_ms, &fd);

	*process = -1;
	if (code != EXIT_OK)
		return code;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid > 0)
		*process = pidfd_open(peer.pid, 0);
	(void)close(fd);
	return EXIT_OK;
}

static bool listens(const struct nsctl *nsctl)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(address.sun_path, nsctl->path, strlen(nsctl->path) + 1);
	bool gone = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
		    (errno == ENOENT || errno == ECONNREFUSED);

	if (fd >= 0)
		(void)close(fd);
	return !gone;
}

static bool ended_by(const struct nsctl *nsctl, int process, uint64_t deadline_ms)
{
	struct pollfd look = { .fd = process, .events = POLLIN };

	for (;;) {
		uint64_t now = now_ms();
		int left = deadline_ms > now ? (int)(deadline_ms - now) : 0;

		if (process >= 0 ? poll(&look, 1, left) > 0 : !listens(nsctl))
			return true;
		if (left == 0)
			return false;
		if (process < 0)
			(void)poll(NULL, 0, LOOK_MS);
	}
}

enum exit_code wait_end(const struct nsctl *nsctl, int argc, char **argv)
{
	const char *word[2];
	int process;

	for (int i = 0; i < argc && i < 2; i++)
		word[i] = argv[i];
	if (argc > 2 || !ends_daemon(word, (unsigned)argc)) {
		fprintf(stderr, "nsctl: --wait goes with cluster stop, or shutdown\n");
		return EXIT_USAGE;
	}
	enum exit_code code = daemon_find(nsctl, now_ms() + nsctl->timeout_ms, &process);

	if (code == EXIT_OK)
		code = request_print(nsctl, word, (unsigned)argc);
	if (code == EXIT_OK && !ended_by(nsctl, process, now_ms() + nsctl->timeout_ms)) {
		fprintf(stderr, "nsctl: the daemon has not ended within %u.%03u s\n", nsctl->timeout_ms / 1000,
			nsctl->timeout_ms % 1000);
		code = EXIT_FAILED;
	}
	if (process >= 0)
		(void)close(process);
	return code;
}
