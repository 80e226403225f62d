/*
 * radius.c -- a RADIUS server that accepts everybody and every accounting record.  RFC 2865, 2866.
 *
 * It answers in batches and keeps no state, so that it is never the bottleneck of
 * a server under test that cannot authenticate by itself.
 *
 *	radius SECRET [ADDRESS]		listens on ports 1812 and 1813
 */
#include <arpa/inet.h>
#include <nettle/md5.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "l2tpns/base/base.h"

#define BATCH		64u
#define PACKET_MAX	4096u
#define HEADER		20u

enum code { ACCESS_REQUEST = 1, ACCESS_ACCEPT = 2, ACCOUNTING_REQUEST = 4, ACCOUNTING_RESPONSE = 5 };

/* Service-Type Framed and Framed-Protocol PPP: RFC 2865 sections 5.6, 5.7. */
static const uint8_t framed[] = { 6, 6, 0, 0, 0, 2, 7, 6, 0, 0, 0, 1 };

static int open_port(const char *address, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 16 << 20;

	if (fd < 0 || inet_pton(AF_INET, address, &at.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror("radius");
		return -1;
	}
	return fd;
}

/* The reply in place of the request; returns its length, 0: no reply. */
static size_t answer(uint8_t *packet, size_t len, const char *secret)
{
	struct md5_ctx md5;
	size_t reply = HEADER;

	if (len < HEADER || (packet[0] != ACCESS_REQUEST && packet[0] != ACCOUNTING_REQUEST))
		return 0;
	if (packet[0] == ACCESS_REQUEST) {
		memcpy(packet + HEADER, framed, sizeof(framed));
		reply += sizeof(framed);
	}
	packet[0] = packet[0] == ACCESS_REQUEST ? ACCESS_ACCEPT : ACCOUNTING_RESPONSE;
	packet[2] = (uint8_t)(reply >> 8);
	packet[3] = (uint8_t)reply;
	/* Response Authenticator, over the request's authenticator: RFC 2865 section 3. */
	md5_init(&md5);
	md5_update(&md5, reply, packet);
	md5_update(&md5, strlen(secret), (const uint8_t *)secret);
	md5_digest(&md5, MD5_DIGEST_SIZE, packet + 4);
	return reply;
}

static void serve(int fd, const char *secret)
{
	static uint8_t packet[BATCH][PACKET_MAX];
	static struct sockaddr_in from[BATCH];
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	unsigned replies = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = packet[i], .iov_len = PACKET_MAX };
		msg[i].msg_hdr = (struct msghdr){ .msg_name = &from[i], .msg_namelen = sizeof(from[i]),
						  .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	int n = recvmmsg(fd, msg, BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n; i++) {
		size_t len = answer(packet[i], msg[i].msg_len, secret);

		if (len == 0)
			continue;
		iov[i].iov_len = len;
		msg[replies] = msg[i];
		replies++;
	}
	if (replies > 0 && sendmmsg(fd, msg, replies, 0) < 0)
		perror("radius: sendmmsg");
}

int main(int argc, char **argv)
{
	const char *address = argc > 2 ? argv[2] : "127.0.0.1";
	struct pollfd ready[2] = { { .events = POLLIN }, { .events = POLLIN } };

	if (argc < 2) {
		fprintf(stderr, "usage: radius SECRET [ADDRESS]\n");
		return 2;
	}
	ready[0].fd = open_port(address, 1812);
	ready[1].fd = open_port(address, 1813);
	if (ready[0].fd < 0 || ready[1].fd < 0)
		return 1;
	while (poll(ready, 2, -1) > 0)
		for (unsigned i = 0; i < 2; i++)
			if (ready[i].revents & POLLIN)
				serve(ready[i].fd, argv[1]);
	return 0;
}
