/*
 * net.h -- the LAC's UDP sockets: batches in, batches out, and mischief on the way out.
 *
 * One thread.  What is sent waits in a queue until net_flush() hands it to the
 * kernel in one call; what is received may be a run of datagrams the kernel
 * joined (UDP_GRO), which net_receive() takes apart again.
 */
#ifndef LAC_NET_H
#define LAC_NET_H

#include <netinet/in.h>

#include "l2tpns/base/addr.h"
#include "l2tpns/base/mono.h"
#include "l2tpns/base/rnd.h"
#include "l2tpns/base/wr.h"

#define NET_SOCKS_MAX		1024u
#define NET_OUT_MAX		256u
#define NET_PACKET_MAX		2048u
#define NET_IN_MAX		64u
#define NET_IN_OCTETS		65536u

struct sock {
	int			fd;
	struct sockaddr_in	local;
};

struct mischief {		/* per cent of the packets sent; all zero: none */
	double	loss, duplicate, reorder, garbage, forge;
};

struct net_out {
	uint32_t		sock;
	uint32_t		len;
	struct sockaddr_in	to;
	uint8_t			octets[NET_PACKET_MAX];
};

struct net_counts {
	uint64_t	sent, received, refused_by_kernel;
	uint64_t	lost, doubled, delayed, garbage, forged;	/* on purpose */
};

struct net {
	struct sock		 sock[NET_SOCKS_MAX];
	uint32_t		 socks;
	int			 epoll;
	struct sock		 forger;	/* another port, for forged sources */
	struct mischief		 mischief;
	bool			 misbehaves;
	struct rnd		*rnd;
	struct net_counts	 counts;
	struct net_out		*out;		/* NET_OUT_MAX of them */
	uint32_t		 outs;
	struct net_out		 held;		/* a packet that is to arrive late */
	bool			 holds;
	uint8_t			*in;		/* NET_IN_MAX buffers of NET_IN_OCTETS */
};

#define NET_FORGER	UINT32_MAX	/* as a socket number: the forger */

typedef void net_datagram(void *arg, uint32_t sock, const struct sockaddr_in *from, struct bytes octets);

/* Sockets at every address from..to, `ports` successive ports each (port 0: the kernel's choice).  0 or -errno. */
MUST_USE int net_open(struct net *net, struct ip4 from, struct ip4 to, uint16_t port, uint32_t ports);
void net_close(struct net *net);

void net_send(struct net *net, uint32_t sock, const struct sockaddr_in *to, struct bytes octets);
void net_flush(struct net *net);
void net_idle(struct net *net);		/* nothing more to send for a while: let go of held packets */

/* Take in what waits, at most a few batches. */
void net_receive(struct net *net, uint32_t sock, net_datagram *each, void *arg);

/* Wait until `wake` at most; returns the number of ready sockets, their numbers in ready[]. */
int net_wait(struct net *net, struct mono now, struct mono wake, uint32_t *ready, int room);

uint64_t net_receiver_drops(const struct net *net);	/* datagrams our own buffers had no room for */

/* UDP socket with large buffers at the address; -errno when it cannot be had. */
MUST_USE int net_udp_socket(struct sockaddr_in *local, bool joined);

/* mischief.c: what becomes of one packet when the LAC misbehaves. */
void mischief_send(struct net *net, uint32_t sock, const struct sockaddr_in *to, struct bytes octets);
void net_queue(struct net *net, uint32_t sock, const struct sockaddr_in *to, struct bytes octets);

#endif
