/* netlink.c -- one libnl socket; every request is acknowledged before the next. */
#include <errno.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>

#include "l2tpns/io/netlink.h"

struct netlink {
	struct nl_sock	*sock;
	int		 ifindex;
};

/* libnl has error numbers of its own; the few that matter are told apart. */
static int to_errno(int failed)
{
	switch (-failed) {
	case 0:
		return 0;
	case NLE_EXIST:
		return -EEXIST;
	case NLE_OBJ_NOTFOUND:
	case NLE_NOADDR:
		return -ESRCH;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_NODEV:
		return -ENODEV;
	default:
		return -EIO;
	}
}

int netlink_open(struct netlink **netlink, const char *device)
{
	struct netlink *nl = calloc(1, sizeof(*nl));
	int failed;

	if (!nl)
		return -ENOMEM;
	nl->ifindex = (int)if_nametoindex(device);
	nl->sock = nl_socket_alloc();
	failed = nl->ifindex == 0 ? -ENODEV : nl->sock ? to_errno(nl_connect(nl->sock, NETLINK_ROUTE)) : -ENOMEM;
	if (failed) {
		netlink_close(nl);
		return failed;
	}
	*netlink = nl;
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink && netlink->sock)
		nl_socket_free(netlink->sock);
	free(netlink);
}

static struct rtnl_route *route_of(const struct netlink *netlink, struct prefix4 prefix)
{
	uint32_t net = htonl(prefix.net.n);
	struct rtnl_route *route = rtnl_route_alloc();
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	struct nl_addr *dst = nl_addr_build(AF_INET, &net, sizeof(net));

	if (!route || !hop || !dst) {
		rtnl_route_put(route);
		rtnl_route_nh_free(hop);
		nl_addr_put(dst);
		return NULL;
	}
	nl_addr_set_prefixlen(dst, prefix.len);
	rtnl_route_set_family(route, AF_INET);
	rtnl_route_set_dst(route, dst);
	rtnl_route_set_table(route, RT_TABLE_MAIN);
	rtnl_route_set_scope(route, RT_SCOPE_LINK);
	rtnl_route_set_protocol(route, NETLINK_ROUTE_PROTOCOL);
	rtnl_route_nh_set_ifindex(hop, netlink->ifindex);
	rtnl_route_add_nexthop(route, hop);
	nl_addr_put(dst);
	return route;
}

int netlink_route_put(struct netlink *netlink, struct prefix4 prefix)
{
	struct rtnl_route *route = route_of(netlink, prefix);
	int failed;

	if (!route)
		return -ENOMEM;
	failed = to_errno(rtnl_route_add(netlink->sock, route, NLM_F_REPLACE));
	rtnl_route_put(route);
	return failed == -EEXIST ? 0 : failed;
}

int netlink_route_drop(struct netlink *netlink, struct prefix4 prefix)
{
	struct rtnl_route *route = route_of(netlink, prefix);
	int failed;

	if (!route)
		return -ENOMEM;
	failed = to_errno(rtnl_route_delete(netlink->sock, route, 0));
	rtnl_route_put(route);
	return failed == -ESRCH ? 0 : failed;
}
