/* net.c -- recvmmsg, sendmmsg and epoll around the LAC's sockets. */
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lac/net.h"

#define SOCKET_BUFFER	(64 << 20)
#define RECEIVE_ROUNDS	8

static void set_int(int fd, int level, int option, int value)
{
	/* A kernel that lacks one of these only makes us slower. */
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		return;
}

int net_udp_socket(struct sockaddr_in *local, bool joined)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(*local);

	if (fd < 0)
		return -errno;
	set_int(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER);
	set_int(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER);
	if (joined)
		set_int(fd, SOL_UDP, UDP_GRO, 1);
	if (bind(fd, (struct sockaddr *)local, sizeof(*local)) < 0 ||
	    getsockname(fd, (struct sockaddr *)local, &len) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

static int open_one(struct net *net, uint32_t address, uint16_t port)
{
	struct sock *sock = &net->sock[net->socks];
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = net->socks };

	if (net->socks == NET_SOCKS_MAX)
		return -E2BIG;
	sock->local = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
					    .sin_addr.s_addr = htonl(address) };
	sock->fd = net_udp_socket(&sock->local, true);
	if (sock->fd < 0)
		return sock->fd;
	net->socks++;
	return epoll_ctl(net->epoll, EPOLL_CTL_ADD, sock->fd, &event) < 0 ? -errno : 0;
}

static void *map(size_t octets)
{
	void *at = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

int net_open(struct net *net, struct ip4 from, struct ip4 to, uint16_t port, uint32_t ports)
{
	net->epoll = epoll_create1(EPOLL_CLOEXEC);
	net->out = map(NET_OUT_MAX * sizeof(*net->out));
	net->in = map((size_t)NET_IN_MAX * NET_IN_OCTETS);
	if (net->epoll < 0 || !net->out || !net->in)
		return -ENOMEM;
	for (uint64_t a = from.n; a <= to.n; a++)
		for (uint32_t i = 0; i < ports; i++) {
			int error = open_one(net, (uint32_t)a, (uint16_t)(port ? port + i : 0));

			if (error < 0)
				return error;
		}
	net->forger.local = net->sock[0].local;
	net->forger.local.sin_port = 0;
	net->forger.fd = net_udp_socket(&net->forger.local, false);
	const struct mischief *m = &net->mischief;

	net->misbehaves = m->loss > 0 || m->duplicate > 0 || m->reorder > 0 || m->garbage > 0 || m->forge > 0;
	return net->forger.fd < 0 ? net->forger.fd : 0;
}

void net_close(struct net *net)
{
	for (uint32_t i = 0; i < net->socks; i++)
		close(net->sock[i].fd);
	close(net->forger.fd);
	close(net->epoll);
	munmap(net->out, NET_OUT_MAX * sizeof(*net->out));
	munmap(net->in, (size_t)NET_IN_MAX * NET_IN_OCTETS);
}

void net_queue(struct net *net, uint32_t sock, const struct sockaddr_in *to, struct bytes octets)
{
	if (octets.len == 0 || octets.len > NET_PACKET_MAX)
		return;
	if (net->outs == NET_OUT_MAX)
		net_flush(net);
	struct net_out *out = &net->out[net->outs++];

	out->sock = sock;
	out->len = octets.len;
	out->to = *to;
	memcpy(out->octets, octets.p, octets.len);
}

void net_send(struct net *net, uint32_t sock, const struct sockaddr_in *to, struct bytes octets)
{
	net->counts.sent++;
	if (net->misbehaves)
		mischief_send(net, sock, to, octets);
	else
		net_queue(net, sock, to, octets);
}

/* Hand over the run of queued packets that leave by the same socket. */
static uint32_t flush_run(struct net *net, uint32_t first)
{
	struct mmsghdr msg[NET_OUT_MAX];
	struct iovec iov[NET_OUT_MAX];
	uint32_t sock = net->out[first].sock, n = 0, sent = 0;
	int fd = sock == NET_FORGER ? net->forger.fd : net->sock[sock].fd;

	for (uint32_t i = first; i < net->outs && net->out[i].sock == sock; i++, n++) {
		struct net_out *out = &net->out[i];

		iov[n] = (struct iovec){ .iov_base = out->octets, .iov_len = out->len };
		msg[n].msg_hdr = (struct msghdr){ .msg_name = &out->to, .msg_namelen = sizeof(out->to),
						  .msg_iov = &iov[n], .msg_iovlen = 1 };
	}
	while (sent < n) {
		int did = sendmmsg(fd, msg + sent, n - sent, 0);

		/* One packet the kernel will not take is lost, as on any wire; the others go on. */
		if (did < 0)
			net->counts.refused_by_kernel++;
		sent += did < 0 ? 1 : (uint32_t)did;
	}
	return n;
}

void net_flush(struct net *net)
{
	for (uint32_t i = 0; i < net->outs;)
		i += flush_run(net, i);
	net->outs = 0;
}

void net_idle(struct net *net)
{
	if (net->holds) {
		net->holds = false;
		net_queue(net, net->held.sock, &net->held.to, bytes_of(net->held.octets, net->held.len));
	}
	net_flush(net);
}

/* The size of the pieces the kernel joined, or 0 when it is one datagram. */
static uint32_t joined_size(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			int size;

			memcpy(&size, CMSG_DATA(c), sizeof(size));
			return size > 0 ? (uint32_t)size : 0;
		}
	return 0;
}

static void take_apart(struct net *net, uint32_t sock, struct mmsghdr *msg, net_datagram *each, void *arg)
{
	const uint8_t *at = msg->msg_hdr.msg_iov->iov_base;
	uint32_t left = msg->msg_len, size = joined_size(&msg->msg_hdr);

	do {
		uint32_t len = size && size < left ? size : left;

		net->counts.received++;
		each(arg, sock, msg->msg_hdr.msg_name, bytes_of(at, len));
		at += len;
		left -= len;
	} while (left > 0);
}

void net_receive(struct net *net, uint32_t sock, net_datagram *each, void *arg)
{
	static struct mmsghdr msg[NET_IN_MAX];
	static struct iovec iov[NET_IN_MAX];
	static struct sockaddr_in from[NET_IN_MAX];
	static uint8_t control[NET_IN_MAX][64] __attribute__((aligned(8)));

	for (unsigned round = 0; round < RECEIVE_ROUNDS; round++) {
		for (uint32_t i = 0; i < NET_IN_MAX; i++) {
			iov[i] = (struct iovec){ .iov_base = net->in + (size_t)i * NET_IN_OCTETS,
						 .iov_len = NET_IN_OCTETS };
			msg[i].msg_hdr = (struct msghdr){ .msg_name = &from[i], .msg_namelen = sizeof(from[i]),
							  .msg_iov = &iov[i], .msg_iovlen = 1,
							  .msg_control = control[i],
							  .msg_controllen = sizeof(control[i]) };
		}
		int n = recvmmsg(net->sock[sock].fd, msg, NET_IN_MAX, MSG_DONTWAIT, NULL);

		for (int i = 0; i < n; i++)
			take_apart(net, sock, &msg[i], each, arg);
		if (n < (int)NET_IN_MAX)
			return;
	}
}

int net_wait(struct net *net, struct mono now, struct mono wake, uint32_t *ready, int room)
{
	struct epoll_event event[64];
	struct timespec span = { 0 };

	if (!mono_reached(now, wake)) {
		uint64_t us = wake.us - now.us < 1000000 ? wake.us - now.us : 1000000;

		span = (struct timespec){ .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };
	}
	int n = epoll_pwait2(net->epoll, event, room < 64 ? room : 64, &span, NULL);

	for (int i = 0; i < n; i++)
		ready[i] = event[i].data.u32;
	return n < 0 ? 0 : n;
}

uint64_t net_receiver_drops(const struct net *net)
{
	uint64_t drops = 0;

	for (uint32_t i = 0; i < net->socks; i++) {
		uint32_t info[SK_MEMINFO_VARS] = { 0 };
		socklen_t len = sizeof(info);

		if (getsockopt(net->sock[i].fd, SOL_SOCKET, SO_MEMINFO, info, &len) == 0)
			drops += info[SK_MEMINFO_DROPS];
	}
	return drops;
}
