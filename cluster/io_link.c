/* io_link.c -- a UDP socket bound to one interface, in the cluster's group, deaf to all but the cluster. */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <unistd.h>

#include "cluster/io.h"
#include "cluster/io_link.h"
#include "cluster/seal.h"

#define BUFFER_OCTETS	(4 * 1024 * 1024)
#define DSCP_CS6	0xc0		/* network control: RFC 4594 section 3.1 */
#define UDP_HEADER_LEN	8

/* What is not sealed by a cluster never wakes the thread: the filter sees the datagram from its UDP header. */
static int filter_set(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, UDP_HEADER_LEN + SEAL_OVERHEAD, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, UDP_HEADER_LEN),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SEAL_MAGIC, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = ARRAY_LEN(code), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* More than the system's limit where we may, up to it where we may not: either is good enough. */
static void buffers_set(int fd)
{
	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_OCTETS) != 0)
		(void)set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_OCTETS);
	if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_OCTETS) != 0)
		(void)set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_OCTETS);
}

static int group4_join(int fd, const struct io_link *link, const struct io_link_conf *conf, const char **what)
{
	struct ip_mreqn group = { .imr_ifindex = (int)link->ifindex };

	memcpy(&group.imr_multiaddr, conf->group.b + 12, 4);
	*what = "setting up multicast";
	if (set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0) != 0 || set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) != 0 ||
	    set(fd, IPPROTO_IP, IP_MULTICAST_TTL, conf->ttl) != 0 || set(fd, IPPROTO_IP, IP_TOS, DSCP_CS6) != 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group)) != 0)
		return -errno;
	*what = "joining the group";
	return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) != 0 ? -errno : 0;
}

static int group6_join(int fd, const struct io_link *link, const struct io_link_conf *conf, const char **what)
{
	struct ipv6_mreq group = { .ipv6mr_interface = link->ifindex };

	memcpy(&group.ipv6mr_multiaddr, conf->group.b, 16);
	*what = "setting up multicast";
	if (set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) != 0 || set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) != 0 ||
	    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, conf->ttl) != 0 ||
	    set(fd, IPPROTO_IPV6, IPV6_TCLASS, DSCP_CS6) != 0 ||
	    set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)link->ifindex) != 0)
		return -errno;
	*what = "joining the group";
	return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group)) != 0 ? -errno : 0;
}

static int fill(struct io_link *link, const struct io_link_conf *conf, const char **what)
{
	bool four = ip_is4(conf->group);
	struct ip any = four ? ip_from4((struct ip4){ 0 }) : (struct ip){ { 0 } };
	struct sockaddr_storage self;
	socklen_t len = io_link_address(link, any, conf->port, &self);
	int fd = link->fd;

	buffers_set(fd);
	*what = "setting the filter";
	if (filter_set(fd) != 0)
		return -errno;
	*what = "binding to the interface";
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->name, (socklen_t)strlen(link->name)) != 0)
		return -errno;
	*what = "binding to the port";
	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0 || (!four && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) != 0) ||
	    bind(fd, (struct sockaddr *)&self, len) != 0)
		return -errno;
	return four ? group4_join(fd, link, conf, what) : group6_join(fd, link, conf, what);
}

int io_link_open(struct io_link *link, const struct io_link_conf *conf, const char **what)
{
	int failed;

	link->fd = -1;
	link->ifindex = if_nametoindex(link->name);
	*what = "no such interface";
	if (link->ifindex == 0)
		return -ENODEV;
	*what = "making a socket";
	link->fd = socket(ip_is4(conf->group) ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (link->fd < 0)
		return -errno;
	failed = fill(link, conf, what);
	if (failed)
		io_link_close(link);
	return failed;
}

void io_link_close(struct io_link *link)
{
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
}

bool io_link_there(const struct io_link *link)
{
	return link->fd >= 0 && if_nametoindex(link->name) == link->ifindex;
}

socklen_t io_link_address(const struct io_link *link, struct ip ip, uint16_t port, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (ip_is4(ip)) {
		struct sockaddr_in *four = (struct sockaddr_in *)to;

		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		memcpy(&four->sin_addr, ip.b + 12, 4);
		return sizeof(*four);
	}
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	six->sin6_scope_id = ip.b[0] >= 0xfe ? link->ifindex : 0;	/* link-local, and groups */
	memcpy(&six->sin6_addr, ip.b, 16);
	return sizeof(*six);
}

struct addr io_link_from(const struct sockaddr_storage *from)
{
	struct addr addr = { .ip = ip_from4((struct ip4){ 0 }) };

	if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;

		memcpy(addr.ip.b, &six->sin6_addr, 16);
		addr.port = ntohs(six->sin6_port);
	} else {
		const struct sockaddr_in *four = (const struct sockaddr_in *)from;

		memcpy(addr.ip.b + 12, &four->sin_addr, 4);
		addr.port = ntohs(four->sin_port);
	}
	return addr;
}

/* A link-local address only when there is no other: configured addresses are what cluster_nodes names. */
int cluster_io_address(const char *interface, struct ip group, struct ip *address)
{
	int family = ip_is4(group) ? AF_INET : AF_INET6;
	struct ifaddrs *all;
	bool found = false;

	if (if_nametoindex(interface) == 0)
		return -ENODEV;
	if (getifaddrs(&all) != 0)
		return -errno;
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		struct sockaddr_storage from = { 0 };

		if (!at->ifa_addr || at->ifa_addr->sa_family != family || strcmp(at->ifa_name, interface) != 0)
			continue;
		memcpy(&from, at->ifa_addr,
		       family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		struct ip ip = io_link_from(&from).ip;
		bool local = family == AF_INET6 && ip.b[0] == 0xfe;

		if (found && local)
			continue;
		*address = ip;
		found = true;
		if (!local)
			break;
	}
	freeifaddrs(all);
	return found ? 0 : -EADDRNOTAVAIL;
}
