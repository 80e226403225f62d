/*
 * plane_user_stage.h -- the userspace plane on loopback: a LAC's socket, a tun device, an Internet host's socket.
 *
 * For test_plane_user.c: each test opens the plane, plays, and closes it.
 */
#ifndef TESTS_PLANE_USER_STAGE_H
#define TESTS_PLANE_USER_STAGE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "l2tpns/io/tun.h"
#include "l2tpns/plane/user.h"
#include "l2tpns/plane/user_worker.h"
#include "tests/unit/plane_world.h"

#define LAC_IP		0x7f000001u		/* 127.0.0.1 */
#define STRANGER_IP	0x7f000009u
#define LNS_IP		0x7f000002u
#define LAC_PORT	1702
#define INET_IP		0x0a400001u		/* 10.64.0.1, the tun device's own */
#define INET_PORT	9000
#define SUBSCRIBER(row)	(0x0a400100u + (row))	/* 10.64.1.row */

struct fixture {
	struct plane	*plane;
	struct tun	 tun;
	int		 lac, stranger, inet;
	struct ip	 local;
};

static struct fixture fx;
static bool possible;

static int udp_open(uint32_t ip, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), octets = 4 << 20;

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof(octets));
	return fd;
}

static int group_setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) < 0 || access("/dev/net/tun", R_OK | W_OK) < 0)
		return 0;
	possible = system("ip link set lo up") == 0;
	return 0;
}

static struct fx_session session_of(uint32_t row)
{
	struct fx_session session = plane_session_of(3, row);

	session.address.n = SUBSCRIBER(row);
	return session;
}

static void plane_open(unsigned workers, uint32_t bind_to, uint32_t local)
{
	struct tun_conf device = { .name = "plane%d", .address = { INET_IP }, .mtu = 1500, .queues = workers };
	struct plane_user_conf conf = {.workers = workers,
		.binds = 1,
		.port = 1701,
		.sessions_max = 2000,
		.tunnels_max = 10,
		.address = {INET_IP},
		.icmp_rate = 100,
		.bind = {ip_from4((struct ip4){bind_to})}};
	struct fx_tunnel tunnel = plane_tunnel_of(3, (struct addr){ ip_from4((struct ip4){ LAC_IP }), LAC_PORT });
	char error[TUN_ERROR_MAX] = "", line[100];

	if (!possible)
		skip();
	fx.local = ip_from4((struct ip4){ local });
	if (tun_open(&fx.tun, &device, error) < 0)
		fail_msg("%s", error);
	snprintf(line, sizeof(line), "ip route add 10.64.1.0/24 dev %s", fx.tun.name);
	assert_int_equal(system(line), 0);
	conf.tun = fx.tun.fd;
	conf.tun_uso = fx.tun.uso;
	if (plane_user_open(&conf, &fx.plane, error) < 0)
		fail_msg("%s", error);
	fx.lac = udp_open(LAC_IP, LAC_PORT);
	fx.stranger = udp_open(STRANGER_IP, LAC_PORT);
	fx.inet = udp_open(INET_IP, INET_PORT);
	tunnel.local = fx.local;
	fx.plane->ops->tunnel_put(fx.plane, &tunnel);
	for (uint32_t row = 1; row <= 20; row++) {
		struct fx_session session = session_of(row);
		struct fx_route route = { .prefix = { session.address, 32 }, .row = session.row };

		fx.plane->ops->session_put(fx.plane, &session);
		assert_true(fx.plane->ops->route_put(fx.plane, &route));
	}
}

static int setup(void **state)
{
	(void)state;
	fx = (struct fixture){ .lac = -1, .stranger = -1, .inet = -1 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (fx.plane)
		plane_user_close(fx.plane);
	tun_close(&fx.tun);
	close(fx.lac);
	close(fx.stranger);
	close(fx.inet);
	return 0;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* --- packets ---------------------------------------------------------------------------------- */

static uint32_t up_packet(uint8_t *octets, uint32_t room, uint32_t row, uint32_t src, uint32_t mark, uint32_t len)
{
	struct wr w = wr_of(octets, room);
	struct ip4_hdr hdr = { .ttl = 64, .proto = IP_UDP, .src = { src }, .dst = { INET_IP }, .df = true };

	l2tp_data_begin(&w, 3, (uint16_t)row);
	wr_u32(&w, 0xff030021);
	size_t ip = ip4_begin(&w, &hdr), udp = udp_begin(&w, 1024, INET_PORT);
	wr_u32(&w, mark);
	while (wr_len(&w) - ip < len)
		wr_u8(&w, (uint8_t)wr_len(&w));
	udp_end(&w, udp, hdr.src, hdr.dst);
	ip4_end(&w, ip);
	assert_true(wr_ok(&w));
	return (uint32_t)wr_len(&w);
}

static void lac_send(int fd, const uint8_t *octets, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1701),
				  .sin_addr.s_addr = htonl(ip_to4(fx.local).n) };

	assert_int_equal(sendto(fd, octets, len, 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)len);
}

static void inet_send(uint32_t row, const uint8_t *octets, size_t len)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(1024), .sin_addr.s_addr = htonl(SUBSCRIBER(row))};

	assert_int_equal(sendto(fx.inet, octets, len, 0, (struct sockaddr *)&to, sizeof(to)), (ssize_t)len);
}

/* One data packet at the LAC, checked; its inner packet is returned. */
static struct bytes lac_receive(uint32_t row, uint8_t *octets, size_t room)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t got;

	assert_true(readable(fx.lac, 3000));
	got = recvfrom(fx.lac, octets, room, 0, (struct sockaddr *)&from, &len);
	assert_true(got > 10);
	assert_int_equal(ntohl(from.sin_addr.s_addr), ip_to4(fx.local).n);
	assert_int_equal(ntohs(from.sin_port), 1701);
	const uint8_t head[10] = {0, 2, 0, 103, (uint8_t)((row + 5000) >> 8), (uint8_t)(row + 5000), 0xff, 3, 0, 0x21};
	assert_memory_equal(octets, head, sizeof(head));
	struct bytes packet = bytes_of(octets + 10, (size_t)got - 10);
	assert_true(packet.p[0] == 0x45 && ip4_sum_ok(packet));
	return packet;
}

static uint64_t refused(enum why why)
{
	return fx.plane->ops->refused(fx.plane, why);
}

/* Wait until the plane has refused so many for that reason. */
static void refused_wait(enum why why, uint64_t n)
{
	for (unsigned i = 0; i < 3000 && refused(why) < n; i++)
		usleep(1000);
	assert_int_equal(refused(why), n);
}

#endif
