/* address_announce.c -- gratuitous ARP (RFC 5227 section 3), neighbour advertisement (RFC 4861 section 7.2.6). */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpns/base/wr.h"
#include "l2tpns/io/address_announce.h"

#define MAC_LEN		6u
#define ARP_LEN		28u

int address_announcer(struct ip address)
{
	const int hops = 255;		/* RFC 4861 section 7.1.2: anything less was routed, and is not believed */
	const int early = 1;		/* the first leaves a moment before the kernel calls the address its own */
	int fd;

	if (ip_is4(address)) {
		fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);	/* 0: it hears nothing */
		return fd < 0 ? -errno : fd;
	}
	struct icmp6_filter none;

	ICMP6_FILTER_SETBLOCKALL(&none);
	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (fd >= 0 && (setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) != 0 ||
			setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &early, sizeof(early)) != 0 ||
			setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &none, sizeof(none)) != 0)) {
		int failed = -errno;

		close(fd);
		return failed;
	}
	return fd < 0 ? -errno : fd;
}

static int mac_of(int fd, const char *interface, uint8_t mac[MAC_LEN])
{
	struct ifreq request = { 0 };

	memcpy(request.ifr_name, interface, strnlen(interface, IFNAMSIZ - 1));
	if (ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		return -errno;
	if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return -EAFNOSUPPORT;		/* nobody there asks for link-layer addresses */
	memcpy(mac, request.ifr_hwaddr.sa_data, MAC_LEN);
	return 0;
}

static int arp_send(int fd, unsigned ifindex, const uint8_t mac[MAC_LEN], struct ip address, uint16_t operation)
{
	static const uint8_t nobody[MAC_LEN];
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP),
				  .sll_ifindex = (int)ifindex, .sll_halen = MAC_LEN };
	uint8_t packet[ARP_LEN];
	struct wr w = wr_of(packet, sizeof(packet));

	memset(to.sll_addr, 0xff, MAC_LEN);
	wr_u16(&w, ARPHRD_ETHER);
	wr_u16(&w, ETH_P_IP);
	wr_u8(&w, MAC_LEN);
	wr_u8(&w, 4);
	wr_u16(&w, operation);
	wr_put(&w, mac, MAC_LEN);
	wr_put(&w, address.b + 12, 4);
	wr_put(&w, operation == ARPOP_REPLY ? mac : nobody, MAC_LEN);
	wr_put(&w, address.b + 12, 4);
	ASSERT(wr_ok(&w));
	return sendto(fd, packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static int neighbour_send(int fd, unsigned ifindex, const uint8_t mac[MAC_LEN], struct ip address)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_scope_id = ifindex,
				   .sin6_addr = { { { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } } } };
	struct in6_pktinfo source = { .ipi6_ifindex = ifindex };
	uint8_t packet[32], control[CMSG_SPACE(sizeof(source))] __attribute__((aligned(8))) = { 0 };
	struct wr w = wr_of(packet, sizeof(packet));
	struct iovec vec = { .iov_base = packet, .iov_len = sizeof(packet) };
	struct msghdr message = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &vec, .msg_iovlen = 1,
				  .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	memcpy(&source.ipi6_addr, address.b, 16);
	head->cmsg_level = IPPROTO_IPV6;
	head->cmsg_type = IPV6_PKTINFO;
	head->cmsg_len = CMSG_LEN(sizeof(source));
	memcpy(CMSG_DATA(head), &source, sizeof(source));
	wr_u8(&w, ND_NEIGHBOR_ADVERT);
	wr_u8(&w, 0);
	wr_u16(&w, 0);				/* the checksum is the kernel's */
	wr_u32(&w, UINT32_C(0x20000000));	/* override what is remembered */
	wr_put(&w, address.b, 16);
	wr_u8(&w, ND_OPT_TARGET_LINKADDR);
	wr_u8(&w, 1);
	wr_put(&w, mac, MAC_LEN);
	ASSERT(wr_ok(&w));
	return sendmsg(fd, &message, 0) < 0 ? -errno : 0;
}

/* Some neighbours heed only the one form, some only the other. */
int address_announce(int fd, unsigned ifindex, const char *interface, struct ip address)
{
	uint8_t mac[MAC_LEN];
	int failed = mac_of(fd, interface, mac);

	if (failed)
		return failed == -EAFNOSUPPORT ? 0 : failed;
	if (!ip_is4(address))
		return neighbour_send(fd, ifindex, mac, address);
	failed = arp_send(fd, ifindex, mac, address, ARPOP_REQUEST);
	return failed ? failed : arp_send(fd, ifindex, mac, address, ARPOP_REPLY);
}
