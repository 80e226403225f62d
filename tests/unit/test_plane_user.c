/*
 * Goal: the userspace plane carries packets both ways between a LAC and the kernel, alone and many at a time,
 *	hands over what is the control plane's, live tunnels first, and reports what it refused and why.
 * Method: a network namespace with a tun device; a socket on the loopback device plays the LAC, the kernel's
 *	own address on the tun device plays the Internet.  Skipped where namespaces may not be made.
 */
#include "tests/unit/plane_user_stage.h"

/* --- forwarding ------------------------------------------------------------------------------- */

static void one_packet_each_way(void)
{
	uint8_t octets[2000];
	struct plane_usage usage;
	struct udp_hdr udp;
	struct ip4_hdr hdr;
	uint32_t mark = 0;

	lac_send(fx.lac, octets, up_packet(octets, sizeof(octets), 5, SUBSCRIBER(5), 0x12345678, 100));
	assert_true(readable(fx.inet, 3000));
	assert_int_equal(recv(fx.inet, octets, sizeof(octets), 0), 72);
	memcpy(&mark, octets, 4);
	assert_int_equal(ntohl(mark), 0x12345678);
	inet_send(6, (const uint8_t *)"hello", 5);
	struct bytes packet = lac_receive(6, octets, sizeof(octets));
	assert_true(plane_transport_ok(packet));
	assert_int_equal(ip4_decode(packet, &hdr), WHY_OK);
	assert_int_equal(hdr.dst.n, SUBSCRIBER(6));
	assert_int_equal(udp_decode(hdr.body, &udp), WHY_OK);
	assert_true(bytes_eq(udp.body, bytes_str("hello")));
	fx.plane->ops->usage(fx.plane, (struct row){ 5 }, &usage);
	assert_true(
		usage.up_packets == 1 && usage.up_octets == 100 && usage.up_heard.us > 0 && usage.down_packets == 0);
	fx.plane->ops->usage(fx.plane, (struct row){ 6 }, &usage);
	assert_true(usage.down_packets == 1 && usage.down_octets == 33 && usage.down_heard.us > 0);
}

static void forwards(void **state)
{
	(void)state;
	plane_open(1, LNS_IP, LNS_IP);
	one_packet_each_way();
}

/* Bound to any address, answers leave from the one the LAC knows. */
static void forwards_from_any_address(void **state)
{
	(void)state;
	plane_open(1, 0, LNS_IP + 5);
	one_packet_each_way();
}

/* A burst of one flow, which is merged, among others, which are not: all arrive, each flow in order. */
static void bursts_up(void **state)
{
	static uint8_t octets[64][1600];
	struct mmsghdr msg[64] = { 0 };
	struct iovec iov[64];
	uint32_t next[21] = { 0 }, got[21] = { 0 }, row;
	struct sockaddr_in to, from;
	struct plane_user_stats stats;

	(void)state;
	plane_open(1, LNS_IP, LNS_IP);
	to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(1701), .sin_addr.s_addr = htonl(LNS_IP) };
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 64; i++) {
			row = i % 4 ? 1 : 1 + (i / 4) % 20;
			iov[i] = (struct iovec){.iov_base = octets[i],
				.iov_len = up_packet(octets[i], sizeof(octets[i]), row, SUBSCRIBER(row), next[row]++,
					200 + round * 20)};
			msg[i].msg_hdr = (struct msghdr){
				.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov[i], .msg_iovlen = 1};
		}
		assert_int_equal(sendmmsg(fx.lac, msg, 64, 0), 64);
		for (unsigned i = 0; i < 64; i++) {
			socklen_t len = sizeof(from);
			uint32_t mark;

			assert_true(readable(fx.inet, 3000));
			assert_int_equal(recvfrom(fx.inet, octets[0], 1600, 0, (struct sockaddr *)&from, &len),
					 200 + round * 20 - 28);
			row = ntohl(from.sin_addr.s_addr) - SUBSCRIBER(0);
			assert_true(row >= 1 && row <= 20);
			memcpy(&mark, octets[0], 4);
			assert_int_equal(ntohl(mark), got[row]++);
			for (unsigned k = 4; k < 100; k++)
				assert_int_equal(octets[0][k], (uint8_t)(k + 38));
		}
	}
	plane_user_stats_sum(fx.plane, &stats);
	assert_int_equal(stats.up_packets, 50 * 64);
	assert_true(!fx.tun.uso || stats.up_writes < stats.up_packets);
}

/* The kernel hands over many datagrams as one (UDP_SEGMENT): the LAC gets each with headers of its own. */
static void segments_down(void **state)
{
	static uint8_t octets[60 * 1000];
	int segment = 900;
	struct plane_user_stats stats;
	struct udp_hdr udp;
	struct ip4_hdr hdr;

	(void)state;
	plane_open(1, LNS_IP, LNS_IP);
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i ^ i >> 8);
	if (setsockopt(fx.inet, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) == 0) {
		for (size_t len = 900; len < 50000; len += 1977) {
			inet_send(7, octets, len);
			for (size_t at = 0; at < len; at += 900) {
				uint8_t packet[2000];
				struct bytes inner = lac_receive(7, packet, sizeof(packet));

				assert_true(plane_transport_ok(inner));
				assert_int_equal(ip4_decode(inner, &hdr), WHY_OK);
				assert_int_equal(udp_decode(hdr.body, &udp), WHY_OK);
				assert_int_equal(udp.body.len, len - at < 900 ? len - at : 900);
				assert_memory_equal(udp.body.p, octets + at, (size_t)udp.body.len);
			}
		}
		plane_user_stats_sum(fx.plane, &stats);
		assert_true(stats.down_messages < stats.down_packets);
	}
}

/* Sessions with headers of different lengths and packets of different lengths, interleaved: order by session. */
static void bursts_down(void **state)
{
	uint8_t octets[1500] = { 0 }, packet[2000];
	uint32_t sent[21] = { 0 }, got[21] = { 0 };

	(void)state;
	plane_open(1, LNS_IP, LNS_IP);
	for (unsigned round = 0; round < 30; round++) {
		for (unsigned i = 0; i < 100; i++) {
			uint32_t row = 1 + (i * 7) % 20;

			memcpy(octets, &sent[row], 4);
			sent[row]++;
			inet_send(row, octets, i % 3 ? 100 : 1000 + i % 5);
		}
		for (unsigned i = 0; i < 100; i++) {
			assert_true(readable(fx.lac, 3000));
			assert_true(recv(fx.lac, packet, sizeof(packet), 0) > 42);
			uint32_t row = (uint32_t)(packet[4] << 8 | packet[5]) - 5000, mark;

			assert_true(row >= 1 && row <= 20);
			memcpy(&mark, packet + 38, 4);
			assert_int_equal(mark, got[row]++);
		}
	}
}

static void too_big(void **state)
{
	uint8_t octets[1472] = { 0 }, packet[2000];
	int option = IP_PMTUDISC_DO;
	uint32_t done = 0;
	struct ip4_hdr hdr;

	(void)state;
	plane_open(1, LNS_IP, LNS_IP);		/* the sessions' MRU is 1400 */
	assert_int_equal(setsockopt(fx.inet, IPPROTO_IP, IP_MTU_DISCOVER, &option, sizeof(option)), 0);
	inet_send(2, octets, 1372);
	assert_int_equal(lac_receive(2, packet, sizeof(packet)).len, 1400);
	inet_send(2, octets, 1373);
	refused_wait(WHY_DATA_TOO_BIG, 1);
	for (unsigned i = 0; i < 1000 && sendto(fx.inet, octets, 0, 0, NULL, 0) >= 0; i++)
		usleep(1000);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = 1, .sin_addr.s_addr = htonl(SUBSCRIBER(2)) };
	for (unsigned i = 0; i < 1000; i++) {		/* until the kernel has learnt from our ICMP error */
		if (sendto(fx.inet, octets, 1373, 0, (struct sockaddr *)&to, sizeof(to)) < 0 && errno == EMSGSIZE)
			break;
		usleep(1000);
		assert_int_not_equal(i, 999);
	}
	option = IP_PMTUDISC_INTERFACE;			/* no DF, and the path's MTU is not asked for */
	assert_int_equal(setsockopt(fx.inet, IPPROTO_IP, IP_MTU_DISCOVER, &option, sizeof(option)), 0);
	for (unsigned i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)i;
	inet_send(3, octets, sizeof(octets));
	for (unsigned i = 0; i < 2; i++) {
		struct bytes inner = lac_receive(3, packet, sizeof(packet));

		assert_true(inner.len <= 1400);
		assert_int_equal(ip4_decode(inner, &hdr), WHY_OK);
		assert_int_equal(hdr.offset, done);
		assert_int_equal(hdr.mf, i == 0);
		done += hdr.body.len;
	}
	assert_int_equal(done, sizeof(octets) + 8);
}

static void refuses(void **state)
{
	uint8_t octets[200];
	struct fx_session session = session_of(9);
	struct fx_route route = { .prefix = { session.address, 32 }, .row = session.row };

	(void)state;
	plane_open(1, LNS_IP, LNS_IP);
	lac_send(fx.lac, octets, up_packet(octets, sizeof(octets), 5, SUBSCRIBER(6), 0, 100));
	refused_wait(WHY_DATA_SOURCE, 1);
	lac_send(fx.stranger, octets, up_packet(octets, sizeof(octets), 5, SUBSCRIBER(5), 0, 100));
	refused_wait(WHY_DATA_PEER, 1);
	lac_send(fx.lac, octets, up_packet(octets, sizeof(octets), 50, SUBSCRIBER(5), 0, 100));
	refused_wait(WHY_DATA_NOT_OPEN, 1);
	lac_send(fx.lac, octets, 3);
	refused_wait(WHY_DATA_SHORT, 1);
	inet_send(99, octets, 10);
	refused_wait(WHY_DATA_NO_ROUTE, 1);
	fx.plane->ops->route_drop(fx.plane, &route);
	fx.plane->ops->session_drop(fx.plane, &session);
	lac_send(fx.lac, octets, up_packet(octets, sizeof(octets), 9, SUBSCRIBER(9), 0, 100));
	refused_wait(WHY_DATA_NOT_OPEN, 2);
	fx.plane->ops->tunnel_drop(fx.plane, (struct tid){ 3 });
	lac_send(fx.lac, octets, up_packet(octets, sizeof(octets), 5, SUBSCRIBER(5), 0, 100));
	refused_wait(WHY_DATA_NO_SESSION, 1);
	inet_send(5, octets, 10);
	refused_wait(WHY_DATA_NO_ROUTE, 2);
	assert_false(readable(fx.inet, 0));
	assert_false(readable(fx.lac, 0));
}

/* --- the control plane's ---------------------------------------------------------------------- */

static uint32_t control(uint8_t *octets, uint16_t tid, uint16_t ns)
{
	struct wr w = wr_of(octets, 200);

	l2tp_control_begin(&w, tid, 0, ns, 0);
	wr_u32(&w, 0x80080000);
	wr_u32(&w, 0x00000006);
	l2tp_control_end(&w);
	return (uint32_t)wr_len(&w);
}

static unsigned punts_wait(struct punt *out, unsigned max)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 100 && n == 0; i++) {
		n = plane_user_punts(fx.plane, out, max);
		if (n == 0)
			assert_true(readable(plane_user_punt_fd(fx.plane), 3000));
	}
	return n;
}

static void hands_over(uint32_t bind_to, uint32_t local)
{
	uint8_t octets[200], lcp[] = { 0, 2, 0, 3, 0, 44, 0xff, 0x03, 0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4 };
	struct punt punt[4];
	uint32_t len;

	plane_open(1, bind_to, local);
	assert_int_equal(plane_user_punts(fx.plane, punt, 4), 0);
	assert_false(readable(plane_user_punt_fd(fx.plane), 20));
	for (uint16_t n = 0; n < 3; n++) {
		len = control(octets, 3, n);
		lac_send(fx.lac, octets, len);
		assert_int_equal(punts_wait(punt, 4), 1);
		assert_true(bytes_eq(punt[0].packet, bytes_of(octets, len)));
		assert_true(ip_eq(punt[0].from.ip, ip_from4((struct ip4){ LAC_IP })) && punt[0].from.port == LAC_PORT);
		assert_true(ip_eq(punt[0].local, fx.local));
		assert_false(punt[0].stranger);
		plane_user_punts_done(fx.plane);
		assert_int_equal(plane_user_punts(fx.plane, punt, 4), 0);
	}
	lac_send(fx.lac, lcp, sizeof(lcp));		/* of a session that is not open yet */
	assert_int_equal(punts_wait(punt, 4), 1);
	assert_true(bytes_eq(punt[0].packet, bytes_of(lcp, sizeof(lcp))));
	plane_user_punts_done(fx.plane);
	len = control(octets, 0, 0);
	lac_send(fx.stranger, octets, len);
	assert_int_equal(punts_wait(punt, 4), 1);
	assert_true(punt[0].stranger && ip_eq(punt[0].from.ip, ip_from4((struct ip4){ STRANGER_IP })));
	plane_user_punts_done(fx.plane);

	struct plane_packet packet[100];
	for (unsigned i = 0; i < 100; i++)
		packet[i] = (struct plane_packet){.from = fx.local,
			.octets = bytes_of("control", 7),
			.to = {ip_from4((struct ip4){i & 1 ? LAC_IP : STRANGER_IP}), LAC_PORT}};
	assert_int_equal(plane_user_send(fx.plane, packet, 100), 100);
	for (unsigned i = 0; i < 100; i++) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		int fd = i & 1 ? fx.lac : fx.stranger;

		assert_true(readable(fd, 3000));
		assert_int_equal(recvfrom(fd, octets, sizeof(octets), 0, (struct sockaddr *)&from, &from_len), 7);
		assert_true(ntohl(from.sin_addr.s_addr) == ip_to4(fx.local).n && ntohs(from.sin_port) == 1701);
	}
}

static void control_both_ways(void **state)
{
	(void)state;
	hands_over(LNS_IP, LNS_IP);
}

static void control_from_any_address(void **state)
{
	(void)state;
	hands_over(0, LNS_IP + 7);
}

/* Nobody reads while strangers flood: the live tunnel's messages are all there afterwards, and come first. */
static void strangers_do_not_push_out(void **state)
{
	uint8_t octets[200];
	struct punt punt[64];
	uint32_t live = 0, strangers = 0;

	(void)state;
	plane_open(1, LNS_IP, LNS_IP);
	for (unsigned i = 0; i < 20000; i++) {
		lac_send(fx.stranger, octets, control(octets, 0, 0));
		if (i % 100 == 0)
			lac_send(fx.lac, octets, control(octets, 3, (uint16_t)i));
	}
	for (unsigned i = 0; i < 3000 && refused(WHY_DATA_PUNT_FULL) == 0; i++)
		usleep(1000);
	assert_true(refused(WHY_DATA_PUNT_FULL) > 0);
	usleep(100000);
	for (;;) {
		unsigned n = plane_user_punts(fx.plane, punt, 64);

		if (n == 0)
			break;
		for (unsigned i = 0; i < n; i++) {
			assert_true(punt[i].stranger || strangers == 0);
			strangers += punt[i].stranger;
			live += !punt[i].stranger;
		}
		plane_user_punts_done(fx.plane);
	}
	assert_int_equal(live, 200);
	assert_true(strangers > 1000);
}

static void protocols_not_served_are_limited(void **state)
{
	uint8_t ipv6[60] = { 0, 2, 0, 3, 0, 5, 0xff, 0x03, 0x00, 0x57, 0x60 };
	struct plane_user_stats stats;

	(void)state;
	plane_open(1, LNS_IP, LNS_IP);
	for (unsigned i = 0; i < 1000; i++)
		lac_send(fx.lac, ipv6, sizeof(ipv6));
	for (unsigned i = 0; i < 3000; i++) {
		plane_user_stats_sum(fx.plane, &stats);
		if (stats.punted + stats.refused[WHY_DATA_PROTO] == 1000)
			break;
		usleep(1000);
	}
	assert_int_equal(stats.punted + stats.refused[WHY_DATA_PROTO], 1000);
	assert_true(stats.punted > 0 && stats.punted < 500);
}

/* --- workers, tables, errors ------------------------------------------------------------------ */

/* The kernel spreads by addresses and ports: what one LAC sends stays in order, control and data alike. */
static void a_lac_stays_with_one_worker(void **state)
{
	uint8_t octets[200];
	struct plane_user_stats stats[3];
	struct punt punt[8];
	unsigned controls = 0, idle = 0;

	(void)state;
	plane_open(3, LNS_IP, LNS_IP);
	assert_int_equal(plane_user_workers(fx.plane), 3);
	for (unsigned i = 0; i < 300; i++) {
		uint32_t row = 1 + i % 20;

		lac_send(fx.lac, octets, up_packet(octets, sizeof(octets), row, SUBSCRIBER(row), i, 100));
		assert_true(readable(fx.inet, 3000));
		assert_int_equal(recv(fx.inet, octets, sizeof(octets), 0), 72);
	}
	for (uint16_t n = 0; n < 10; n++) {
		lac_send(fx.lac, octets, control(octets, 3, n));
		controls += punts_wait(punt, 8);
		plane_user_punts_done(fx.plane);
	}
	assert_int_equal(controls, 10);
	for (unsigned i = 0; i < 3; i++) {
		plane_user_stats(fx.plane, i, &stats[i]);
		idle += stats[i].up_packets == 0 && stats[i].punted == 0;
		assert_true(stats[i].up_packets == 0 || (stats[i].up_packets == 300 && stats[i].punted == 10));
	}
	assert_int_equal(idle, 2);
	inet_send(4, (const uint8_t *)"hello", 5);
	lac_receive(4, octets, sizeof(octets));
}

/* Fans come and go under the readers' eyes and are never lost. */
static void routes_churn(void **state)
{
	struct plane_user *user;
	uint8_t octets[200];

	(void)state;
	plane_open(1, LNS_IP, LNS_IP);
	user = container_of(fx.plane, struct plane_user, plane);
	for (uint32_t i = 0; i < 30000; i++) {
		struct fx_route route = { .prefix = { { 0x20000000 + i * 0x10001 }, 32 }, .row = { 1 + i % 20 } };

		for (unsigned ms = 0; !fx.plane->ops->route_put(fx.plane, &route); ms++) {
			assert_true(ms < 3000);		/* all fans wait for the end of their grace period */
			usleep(1000);
		}
		if (i % 100 == 0) {
			lac_send(fx.lac, octets, up_packet(octets, sizeof(octets), 5, SUBSCRIBER(5), i, 100));
			assert_true(readable(fx.inet, 3000));
			assert_int_equal(recv(fx.inet, octets, sizeof(octets), 0), 72);
		}
		fx.plane->ops->route_drop(fx.plane, &route);
	}
	for (unsigned i = 0; i < 3000 && route_fans_used(&user->tables.route) > 20; i++) {
		struct fx_route route = { .prefix = { { 0x30000000 }, 8 }, .row = { 1 } };

		usleep(1000);
		assert_true(fx.plane->ops->route_put(fx.plane, &route));
		fx.plane->ops->route_drop(fx.plane, &route);
	}
	assert_true(route_fans_used(&user->tables.route) <= 20);
}

static void errors_have_words(void **state)
{
	int no_tun[1] = { 0 };
	struct plane_user_conf good = { .workers = 1, .binds = 1, .port = 1701, .sessions_max = 10, .tunnels_max = 1,
					.bind = { ip_from4((struct ip4){ LNS_IP }) }, .tun = no_tun }, conf = good;
	char error[PLANE_ERROR_MAX] = "";
	struct plane *plane;

	(void)state;
	if (!possible)
		skip();
	conf.workers = 0;
	assert_int_equal(plane_user_open(&conf, &plane, error), -EINVAL);
	conf = good;
	conf.bind[0] = (struct ip){ { 0x20 } };
	assert_int_equal(plane_user_open(&conf, &plane, error), -EINVAL);
	conf = good;
	conf.bind[0] = ip_from4((struct ip4){ 0x01020304 });
	assert_int_equal(plane_user_open(&conf, &plane, error), -EADDRNOTAVAIL);
	assert_string_equal(error, "cannot bind to 1.2.3.4 port 1701: Cannot assign requested address");
	int taken = udp_open(LNS_IP, 1701);
	assert_int_equal(plane_user_open(&good, &plane, error), -EADDRINUSE);
	close(taken);
	conf = good;
	no_tun[0] = -1;
	assert_int_equal(plane_user_open(&conf, &plane, error), -EBADF);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(forwards),
		CASE(forwards_from_any_address),
		CASE(bursts_up),
		CASE(segments_down),
		CASE(bursts_down),
		CASE(too_big),
		CASE(refuses),
		CASE(control_both_ways),
		CASE(control_from_any_address),
		CASE(strangers_do_not_push_out),
		CASE(protocols_not_served_are_limited),
		CASE(a_lac_stays_with_one_worker),
		CASE(routes_churn),
		CASE(errors_have_words),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
