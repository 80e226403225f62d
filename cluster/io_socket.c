/* io_socket.c -- many datagrams a system call, on every link. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cluster/io_socket.h"
#include "cluster/msg.h"
#include "cluster/seal.h"

#define DATAGRAM_MAX	(CL_FORWARD_MAX + 256u + SEAL_OVERHEAD)
#define NODE_AT		6u		/* the sender's number, in the sealed header */

struct io_inbox {
	struct mmsghdr	header[IO_TURN_MAX];
	struct iovec	vec[IO_TURN_MAX];
	struct sockaddr_storage from[IO_TURN_MAX];
	uint8_t		octets[IO_TURN_MAX][DATAGRAM_MAX];
};

struct io_outbox {
	unsigned	count;
	struct mmsghdr	header[IO_TURN_MAX];
	struct iovec	vec[IO_TURN_MAX];
	struct sockaddr_storage to[IO_TURN_MAX];
};

static const char *option_of(unsigned link)
{
	return link ? "cluster_interface2" : "cluster_interface";
}

static int opened(struct io_socket *socket, char error[CLUSTER_IO_ERROR_MAX])
{
	const char *what;

	socket->inbox = calloc(1, sizeof(*socket->inbox));
	socket->outbox = calloc(CLUSTER_IO_LINKS, sizeof(*socket->outbox));
	if (!socket->inbox || !socket->outbox) {
		snprintf(error, CLUSTER_IO_ERROR_MAX, "cluster: no memory");
		return -ENOMEM;
	}
	for (unsigned i = 0; i < socket->links; i++) {
		int failed = io_link_open(&socket->link[i], &socket->conf, &what);

		if (failed) {
			snprintf(error, CLUSTER_IO_ERROR_MAX, "%s \"%s\": %s (%s)", option_of(i), socket->link[i].name,
				 what, strerror(-failed));
			return failed;
		}
	}
	return 0;
}

int io_socket_open(struct io_socket *socket, const struct cluster_io_conf *conf, char error[CLUSTER_IO_ERROR_MAX])
{
	bool multicast = ip_is4(conf->group) ? (conf->group.b[12] & 0xf0) == 0xe0 : conf->group.b[0] == 0xff;
	int failed;

	*socket = (struct io_socket){
		.links = conf->interface[1][0] ? 2 : 1,
		.conf = { .group = conf->group, .port = conf->port, .ttl = conf->ttl },
	};
	for (unsigned i = 0; i < CLUSTER_IO_LINKS; i++) {
		socket->link[i].fd = -1;
		memcpy(socket->link[i].name, conf->interface[i], IFNAMSIZ);
		socket->link[i].name[IFNAMSIZ - 1] = 0;
	}
	if (!multicast) {
		snprintf(error, CLUSTER_IO_ERROR_MAX, "cluster_address: must be a multicast group");
		return -EINVAL;
	}
	if (strcmp(conf->interface[0], conf->interface[1]) == 0) {
		snprintf(error, CLUSTER_IO_ERROR_MAX, "cluster_interface2: must be another than cluster_interface");
		return -EINVAL;
	}
	failed = opened(socket, error);
	if (failed)
		io_socket_close(socket);
	return failed;
}

void io_socket_close(struct io_socket *socket)
{
	for (unsigned i = 0; i < CLUSTER_IO_LINKS; i++)
		io_link_close(&socket->link[i]);
	free(socket->inbox);
	free(socket->outbox);
	socket->inbox = NULL;
	socket->outbox = NULL;
}

unsigned io_socket_receive(struct io_socket *socket, unsigned link)
{
	struct io_inbox *inbox = socket->inbox;
	int n;

	if (socket->link[link].fd < 0)
		return 0;
	for (unsigned i = 0; i < IO_TURN_MAX; i++) {
		inbox->vec[i] = (struct iovec){ .iov_base = inbox->octets[i], .iov_len = DATAGRAM_MAX };
		inbox->header[i].msg_hdr = (struct msghdr){ .msg_name = &inbox->from[i],
							    .msg_namelen = sizeof(inbox->from[i]),
							    .msg_iov = &inbox->vec[i], .msg_iovlen = 1 };
	}
	n = recvmmsg(socket->link[link].fd, inbox->header, IO_TURN_MAX, MSG_DONTWAIT, NULL);
	return n > 0 ? (unsigned)n : 0;
}

static struct io_peer *peer_at(struct io_socket *socket, struct ip ip)
{
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++)
		for (unsigned link = 0; link < CLUSTER_IO_LINKS; link++)
			if (socket->peer[i].node.n && ip_eq(socket->peer[i].ip[link], ip))
				return &socket->peer[i];
	return NULL;
}

/* Whom the header names; true only when the machine finds the datagram authentic. */
static struct node_id sender_of(const struct io_socket *socket, unsigned number)
{
	const uint8_t *at = socket->inbox->octets[number] + NODE_AT;

	return (struct node_id){ (uint16_t)(at[0] << 8 | at[1]) };
}

static struct io_peer *peer_of(struct io_socket *socket, struct node_id node)
{
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++)
		if (node.n && node_eq(socket->peer[i].node, node))
			return &socket->peer[i];
	return NULL;
}

/* On another link a node's copy may come first: the machine gets the address it knows the sender by. */
struct bytes io_socket_datagram(struct io_socket *socket, unsigned link, unsigned number, struct addr *from)
{
	const struct io_inbox *inbox = socket->inbox;
	const struct io_peer *peer;

	*from = io_link_from(&inbox->from[number]);
	peer = link > 0 ? peer_of(socket, sender_of(socket, number)) : NULL;
	if (peer && !ip_is_none(peer->ip[0]))
		from->ip = peer->ip[0];
	return bytes_of(inbox->octets[number], min_u32(inbox->header[number].msg_len, DATAGRAM_MAX));
}

void io_socket_learn(struct io_socket *socket, unsigned link, unsigned number)
{
	struct node_id node = sender_of(socket, number);
	struct io_peer *peer = peer_of(socket, node);

	if (socket->links < 2 || node.n == 0)
		return;
	for (unsigned i = 0; i < CLUSTER_NODES_MAX && !peer; i++)
		if (socket->peer[i].node.n == 0)
			peer = &socket->peer[i];
	if (!peer)
		peer = &socket->peer[socket->oldest++ % CLUSTER_NODES_MAX];
	if (!node_eq(peer->node, node))
		*peer = (struct io_peer){ .node = node };
	peer->ip[link] = io_link_from(&socket->inbox->from[number]).ip;
}

/* What one send cannot do is told by the first datagram that was not sent: it is left out. */
static unsigned box_flush(struct io_link *link, struct io_outbox *box)
{
	unsigned sent = 0, failed = 0;

	while (sent < box->count) {
		int n = link->fd < 0 ? -1 : sendmmsg(link->fd, box->header + sent, box->count - sent, MSG_DONTWAIT);

		if (n < 0 && link->fd >= 0 && errno == EINTR)
			continue;
		failed += n <= 0;
		sent += n > 0 ? (unsigned)n : 1;
	}
	box->count = 0;
	return failed;
}

static unsigned link_send(struct io_socket *socket, unsigned number, struct ip to, struct bytes datagram)
{
	struct io_outbox *box = &socket->outbox[number];
	unsigned i = box->count++;
	socklen_t len = io_link_address(&socket->link[number], to, socket->conf.port, &box->to[i]);

	/* sendmsg() takes octets it does not change by a pointer that is not const. */
	memcpy(&box->vec[i].iov_base, &datagram.p, sizeof(datagram.p));
	box->vec[i].iov_len = datagram.len;
	box->header[i].msg_hdr = (struct msghdr){ .msg_name = &box->to[i], .msg_namelen = len,
						  .msg_iov = &box->vec[i], .msg_iovlen = 1 };
	return box->count == IO_TURN_MAX ? box_flush(&socket->link[number], box) : 0;
}

unsigned io_socket_send(struct io_socket *socket, struct ip to, struct bytes datagram)
{
	bool all = ip_is_none(to);
	const struct io_peer *peer = all || socket->links < 2 ? NULL : peer_at(socket, to);
	unsigned failed = 0;

	for (unsigned i = 0; i < socket->links; i++) {
		struct ip there = all ? socket->conf.group : peer ? peer->ip[i] : i ? (struct ip){ { 0 } } : to;

		if (!ip_is_none(there) && socket->link[i].fd >= 0)
			failed += link_send(socket, i, there, datagram);
	}
	return failed;
}

unsigned io_socket_flush(struct io_socket *socket)
{
	unsigned first = socket->turn++ % CLUSTER_IO_LINKS, failed = 0;

	for (unsigned i = 0; i < CLUSTER_IO_LINKS; i++) {
		unsigned link = (first + i) % CLUSTER_IO_LINKS;

		failed += box_flush(&socket->link[link], &socket->outbox[link]);
	}
	return failed;
}

int io_socket_look(struct io_socket *socket, unsigned number)
{
	struct io_link *link = &socket->link[number];
	const char *what;

	if (link->fd < 0)
		return io_link_open(link, &socket->conf, &what) == 0;
	if (io_link_there(link))
		return 0;
	io_link_close(link);
	return -1;
}
