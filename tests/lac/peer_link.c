/* peer_link.c -- the LAC's end of the line to the peer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lac/peer.h"

bool peer_connect(const char *path, int *fd)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (strlen(path) == 0 || strlen(path) >= sizeof(to.sun_path)) {
		fprintf(stderr, "lac: this step needs --peer=PATH of a running `lac --is-peer`\n");
		return false;
	}
	memcpy(to.sun_path, path, strlen(path));
	*fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (*fd < 0 || connect(*fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		fprintf(stderr, "lac: peer %s: %s\n", path, strerror(errno));
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
		return false;
	}
	return true;
}

bool peer_ask(int fd, const struct peer_request *request, struct peer_report *report)
{
	ssize_t n = send(fd, request, sizeof(*request), MSG_NOSIGNAL);

	if (n == (ssize_t)sizeof(*request))
		n = recv(fd, report, sizeof(*report), 0);
	if (n == (ssize_t)sizeof(*report))
		return true;
	fprintf(stderr, "lac: the peer is gone: %s\n", n < 0 ? strerror(errno) : "it closed the line");
	return false;
}

bool peer_table(int fd, const uint32_t *address, uint32_t total)
{
	struct peer_request *request = calloc(1, sizeof(*request));
	struct peer_report report;
	bool ok = true;

	ASSERT(request);
	request->kind = PEER_TABLE;
	request->total = total;
	for (uint32_t first = 0; ok && first < total; first += PEER_TABLE_PIECE) {
		request->first = first;
		request->count = total - first < PEER_TABLE_PIECE ? total - first : PEER_TABLE_PIECE;
		memcpy(request->address, address + first, request->count * sizeof(*address));
		ok = peer_ask(fd, request, &report);
	}
	free(request);
	return ok;
}
