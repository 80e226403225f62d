/*
 * io_link.h -- the cluster's sockets: one for each interface it talks on.
 */
#ifndef CLUSTER_IO_LINK_H
#define CLUSTER_IO_LINK_H

#include <net/if.h>
#include <sys/socket.h>

#include "l2tpns/base/addr.h"
#include "l2tpns/base/mono.h"

struct io_link {
	char		name[IFNAMSIZ];
	int		fd;			/* -1: the interface is gone */
	unsigned	ifindex;
	struct mono	look;			/* when to look whether it is still there */
};

struct io_link_conf {
	struct ip	group;
	uint16_t	port;
	uint8_t		ttl;
};

/* Opens link->name.  0 or -errno; *what then says what failed, in a few words. */
MUST_USE int io_link_open(struct io_link *link, const struct io_link_conf *conf, const char **what);
void io_link_close(struct io_link *link);
/* Is it the interface the socket was opened on? */
bool io_link_there(const struct io_link *link);

/* Socket addresses of either family. */
socklen_t io_link_address(const struct io_link *link, struct ip ip, uint16_t port, struct sockaddr_storage *to);
struct addr io_link_from(const struct sockaddr_storage *from);

#endif
