/*
 * io_socket.h -- the cluster's datagrams over all its links: every one is sent on each.
 *
 * What comes twice is refused by its counter.  With two links a node has two
 * addresses.  The machine knows it by one; the other is learned from what was authentic.
 */
#ifndef CLUSTER_IO_SOCKET_H
#define CLUSTER_IO_SOCKET_H

#include "cluster/io.h"
#include "cluster/io_link.h"

#define IO_TURN_MAX	64u		/* datagrams for one system call */

struct io_peer {
	struct node_id	node;		/* 0: free */
	struct ip	ip[CLUSTER_IO_LINKS];
};

struct io_inbox;			/* room for received datagrams */
struct io_outbox;			/* datagrams of one link that are not yet sent */

struct io_socket {
	struct io_link	link[CLUSTER_IO_LINKS];
	unsigned	links;
	struct io_link_conf conf;
	struct io_inbox	*inbox;
	struct io_outbox *outbox;
	struct io_peer	peer[CLUSTER_NODES_MAX];
	unsigned	oldest;		/* place that is taken when there is none */
	unsigned	turn;		/* which link is first: alternates, so that both teach us addresses */
};

MUST_USE int io_socket_open(struct io_socket *socket, const struct cluster_io_conf *conf,
			    char error[CLUSTER_IO_ERROR_MAX]);
void io_socket_close(struct io_socket *socket);

/* Up to IO_TURN_MAX datagrams that wait on a link; 0: none.  Then each by its number; a loan until the next. */
unsigned io_socket_receive(struct io_socket *socket, unsigned link);
struct bytes io_socket_datagram(struct io_socket *socket, unsigned link, unsigned number, struct addr *from);
/* That datagram was authentic: its sender is where it came from. */
void io_socket_learn(struct io_socket *socket, unsigned link, unsigned number);

/* Send one (to none: to everybody) with others of its kind; octets are lent until io_socket_flush().  Both
 * return how many could not be sent. */
unsigned io_socket_send(struct io_socket *socket, struct ip to, struct bytes datagram);
unsigned io_socket_flush(struct io_socket *socket);

/* Look whether link `number` is there still, or again.  1: came back, -1: is gone, 0: as it was. */
int io_socket_look(struct io_socket *socket, unsigned number);

#endif
