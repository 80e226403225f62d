/*
 * netlink.h -- kernel routes to the tun device, through libnl-3.
 *
 * Routes carry a protocol number of our own, so that a routing daemon can tell
 * them from others and redistribute them.
 */
#ifndef IO_NETLINK_H
#define IO_NETLINK_H

#include "l2tpns/base/addr.h"

#define NETLINK_ROUTE_PROTOCOL	170	/* nobody's in rt_protos; l2tpns 2.x used 42, which is babel's */

struct netlink;

MUST_USE int netlink_open(struct netlink **netlink, const char *device);	/* 0 or -errno */
void netlink_close(struct netlink *netlink);

/* 0 or -errno.  Adding a route that is there, or taking one that is not, is no fault. */
MUST_USE int netlink_route_put(struct netlink *netlink, struct prefix4 prefix);
MUST_USE int netlink_route_drop(struct netlink *netlink, struct prefix4 prefix);

#endif
