/*
 * plane_bench.c -- packets per CPU second through the real workers of the userspace plane.
 *
 * Goal: what one packet costs the plane, user and system time, each way, by size,
 * number of sessions and workers, without a control plane and without a LAC.
 * Method: three network namespaces in a row, joined by veth: a child that plays
 * the LAC, this process with the plane, a child that plays the Internet.  One
 * child sends as fast as it is told, the other counts what arrives.  The plane is
 * all that this process runs while it measures its own getrusage().
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "l2tpns/io/tun.h"
#include "l2tpns/plane/user.h"
#include "l2tpns/wire/ip.h"
#include "l2tpns/wire/l2tp_hdr.h"

#define LAC_NET		0x0ac80000u		/* 10.200.0.0: LAC .1, LNS .2 */
#define INET_NET	0x0ac90000u		/* 10.201.0.0: Internet .1, LNS .2 */
#define SESSION_NET	0x0a400000u		/* 10.64.0.0/10: the subscribers */
#define SESSIONS_MAX	1000000u
#define TID		7
#define BATCH		64u
#define PACKET_MAX	2048u

struct args {
	bool		down, threaded;
	bool		large;		/* the sender leaves segmentation to the kernel */
	unsigned	sessions, octets, workers, seconds, kpps, run;	/* run: packets in a row of one session */
};

struct shared {				/* between the processes */
	uint64_t	sent, arrived;
	uint32_t	go, stop;
};

static struct shared *shared;

static void die(const char *what)
{
	fprintf(stderr, "plane_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void shell(const char *format, unsigned number)
{
	char line[512];

	snprintf(line, sizeof(line), format, number);
	if (system(line) != 0)
		die(line);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A session has row n, and the session id that leads there. */
static struct fx_session session_of(uint32_t row)
{
	return (struct fx_session){
		.row = { row }, .tid = { (uint16_t)(TID + (row >> 16)) }, .sid = { (uint16_t)row },
		.peer_sid = { (uint16_t)row }, .address = { SESSION_NET + row },
		.mru = 1500, .mss = 1400, .source_check = true,
	};
}

/* Row n, leaving out those whose session id would be 0. */
static uint32_t row_of(uint32_t n)
{
	return n + 1 + n / 65535;
}

static uint32_t packet_make(const struct args *args, uint32_t row, uint8_t *octets)
{
	static const uint8_t ppp[4] = { 0xff, 0x03, 0x00, 0x21 };
	struct fx_session session = session_of(row);
	struct ip4 remote = { INET_NET + 1 };
	struct ip4_hdr hdr = { .ttl = 64, .proto = IP_UDP, .df = true,
			       .src = args->down ? remote : session.address,
			       .dst = args->down ? session.address : remote };
	struct wr w = wr_of(octets, PACKET_MAX);
	size_t ip, udp;

	if (!args->down) {
		l2tp_data_begin(&w, session.tid.n, session.sid.n);
		wr_put(&w, ppp, sizeof(ppp));
	}
	ip = ip4_begin(&w, &hdr);
	udp = udp_begin(&w, (uint16_t)(1024 + row % 50000), 9);
	while (wr_len(&w) - ip < args->octets)
		wr_u8(&w, (uint8_t)wr_len(&w));
	udp_end(&w, udp, hdr.src, hdr.dst);
	ip4_end(&w, ip);
	return (uint32_t)wr_len(&w);
}

static int udp_socket(uint32_t address, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), octets = 16 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("UDP socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof(octets));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &octets, sizeof(octets));
	return fd;
}

/* What one call sends: packets of different sessions, or, large, one message that the kernel cuts up. */
struct batch {
	struct sockaddr_in	to[BATCH];
	struct iovec		iov[BATCH];
	struct mmsghdr		msg[BATCH];
	unsigned		packets;
};

/* As a LAC does that knows UDP_SEGMENT, or as a network card that merges what it receives. */
static unsigned send_large(int fd, struct batch *batch)
{
	uint16_t size = (uint16_t)batch->iov[0].iov_len;
	union {
		struct cmsghdr	header;
		uint8_t		octets[CMSG_SPACE(sizeof(size))];
	} control = { .header = { .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT,
				  .cmsg_len = CMSG_LEN(sizeof(size)) } };
	struct msghdr msg = {.msg_name = &batch->to[0],
		.msg_namelen = sizeof(batch->to[0]),
		.msg_iov = batch->iov,
		.msg_iovlen = batch->packets,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), &size, sizeof(size));
	return sendmsg(fd, &msg, 0) > 0 ? batch->packets : 0;
}

static unsigned send_small(int fd, struct batch *batch)
{
	int done = sendmmsg(fd, batch->msg, batch->packets, 0);

	return done > 0 ? (unsigned)done : 0;
}

/* The next packet of a batch.  A large message downstream is one subscriber's: the kernel writes the
 * inner headers, so it is given the payload only. */
static void batch_add(const struct args *args, struct batch *batch, uint32_t row, uint8_t *octets, uint32_t len)
{
	unsigned i = batch->packets++;
	uint32_t skip = args->down && args->large ? IP4_HDR_LEN + UDP_HDR_LEN : 0;

	batch->to[i] = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(args->down ? (args->large ? 9 : 0) : L2TP_PORT),
		.sin_addr.s_addr = htonl(args->down ? SESSION_NET + row : LAC_NET + 2) };
	batch->iov[i] = (struct iovec){ .iov_base = octets + skip, .iov_len = len - skip };
	batch->msg[i].msg_hdr = (struct msghdr){ .msg_name = &batch->to[i], .msg_namelen = sizeof(batch->to[i]),
						 .msg_iov = &batch->iov[i], .msg_iovlen = 1 };
}

static int sender_socket(const struct args *args)
{
	int fd;

	if (!args->down)
		return udp_socket(LAC_NET + 1, L2TP_PORT);
	if (args->large)
		return udp_socket(INET_NET + 1, 9);
	fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0)
		die("raw socket");
	return fd;
}

/* Upstream we play the LAC: datagrams from its socket.  Downstream, the Internet. */
static void send_all(const struct args *args)
{
	static struct batch batch;
	uint8_t *octets = calloc(args->sessions, PACKET_MAX);
	uint32_t len = 0, at = 0, n = 0;
	uint64_t start, due;
	int fd = sender_socket(args);

	if (!octets)
		die("memory");
	for (uint32_t i = 0; i < args->sessions; i++)
		len = packet_make(args, row_of(i), octets + (size_t)i * PACKET_MAX);
	unsigned packets = args->large ? min_u32(BATCH, 64000 / len) : BATCH;

	while (!__atomic_load_n(&shared->go, __ATOMIC_ACQUIRE))
		usleep(1000);
	start = now_us();
	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
		for (batch.packets = 0; batch.packets < packets;) {
			batch_add(args, &batch, row_of(at), octets + (size_t)at * PACKET_MAX, len);
			if (!(args->down && args->large) && ++n % args->run == 0)
				at = (at + 1) % args->sessions;
		}
		if (args->down && args->large)
			at = (at + 1) % args->sessions;
		shared->sent += args->large ? send_large(fd, &batch) : send_small(fd, &batch);
		due = args->kpps ? start + shared->sent * 1000 / args->kpps : 0;
		while (now_us() < due && !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED))
			;
	}
}

static void count_all(const struct args *args)
{
	static uint8_t octets[BATCH][64];
	struct mmsghdr msg[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int fd = args->down ? udp_socket(LAC_NET + 1, L2TP_PORT) : udp_socket(INET_NET + 1, 9);

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = octets[i], .iov_len = sizeof(octets[i]) };
		msg[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	for (;;) {
		int got = recvmmsg(fd, msg, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);

		if (got > 0)
			shared->arrived += (uint64_t)got;
		if (got < (int)BATCH)
			usleep(2000);		/* asleep, not waiting: waking us would be the plane's time */
	}
}

/* A child in a namespace of its own; returns when that exists. */
static pid_t child(const struct args *args, bool lac, int wire[2])
{
	int ready[2];
	char octet;
	pid_t pid;

	if (pipe(ready) < 0 || pipe(wire) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid > 0) {
		if (read(ready[0], &octet, 1) != 1)
			die("child");
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) < 0)
		die("unshare");
	if (write(ready[1], "r", 1) != 1 || read(wire[0], &octet, 1) != 1)	/* until the veth is here */
		die("pipe");
	shell("ip link set lo up", 0);
	if (lac) {
		shell("ip addr add 10.200.0.1/24 dev peer0 && ip link set peer0 up", 0);
	} else {
		shell("ip addr add 10.201.0.1/24 dev peer0 && ip link set peer0 up && "
		      "ip route add 10.64.0.0/10 via 10.201.0.2", 0);
	}
	if (lac != args->down)
		send_all(args);
	else
		count_all(args);
	exit(0);
}

static void wire_up(pid_t pid, unsigned net, int wire[2])
{
	char line[256];

	snprintf(line, sizeof(line), "ip link add wire%u type veth peer name peer0 netns %d && "
		 "ip addr add 10.%u.0.2/24 dev wire%u && ip link set wire%u up", net, (int)pid, net, net, net);
	if (system(line) != 0)
		die(line);
	if (write(wire[1], "w", 1) != 1)
		die("pipe");
}

static struct plane *plane_start(const struct args *args, struct tun *tun)
{
	struct tun_conf device = { .name = "bench0", .address = { SESSION_NET }, .mtu = 1500,
				   .queues = args->workers, .queue_packets = 1000, .threaded = args->threaded };
	struct plane_user_conf conf = { .workers = args->workers, .binds = 1, .port = L2TP_PORT,
					.bind = { ip_from4((struct ip4){ LAC_NET + 2 }) },
					.sessions_max = SESSIONS_MAX + 1024, .tunnels_max = 64, .icmp_rate = 100 };
	char error[PLANE_ERROR_MAX];
	struct plane *plane;

	if (tun_open(tun, &device, error) < 0) {
		fprintf(stderr, "plane_bench: %s\n", error);
		exit(1);
	}
	shell("ip route add 10.64.0.0/10 dev bench0", 0);
	conf.tun = tun->fd;
	conf.tun_uso = tun->uso;
	if (plane_user_open(&conf, &plane, error) < 0) {
		fprintf(stderr, "plane_bench: %s\n", error);
		exit(1);
	}
	for (uint16_t i = 0; i < 17; i++) {
		struct fx_tunnel tunnel = { .tid = { (uint16_t)(TID + i) }, .peer_tid = { (uint16_t)(TID + i) },
			.peer = { ip_from4((struct ip4){ LAC_NET + 1 }), L2TP_PORT }, .local = conf.bind[0] };

		plane->ops->tunnel_put(plane, &tunnel);
	}
	for (uint32_t i = 0; i < args->sessions; i++) {
		struct fx_session session = session_of(row_of(i));
		struct fx_route route = { .prefix = { session.address, 32 }, .row = session.row };

		plane->ops->session_put(plane, &session);
		if (!plane->ops->route_put(plane, &route))
			die("no room for routes");
	}
	return plane;
}

/* What the tun device's own kernel threads have used, from schedstat: they work for us too. */
static double kernel_us(void)
{
	double sum = 0;
	FILE *list = popen(
		"for p in /proc/[0-9]*; do grep -qs '^napi/bench0' $p/comm && cut -d' ' -f1 $p/schedstat; done", "r");
	char line[64];

	if (!list)
		return 0;
	while (fgets(line, sizeof(line), list))
		sum += strtod(line, NULL) / 1000;
	pclose(list);
	return sum;
}

static double cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
		(double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static void report(const struct args *args, const struct plane_user_stats *a, const struct plane_user_stats *b,
		   double cpu, double kernel, double wall, uint64_t sent, uint64_t arrived)
{
	uint64_t packets = args->down ? b->down_packets - a->down_packets : b->up_packets - a->up_packets;
	uint64_t batches = args->down ? b->down_batches - a->down_batches : b->up_batches - a->up_batches;
	uint64_t calls = args->down ? b->down_messages - a->down_messages : b->up_writes - a->up_writes;

	packets -= b->refused[WHY_DATA_TUN_FULL] - a->refused[WHY_DATA_TUN_FULL];
	printf("%-4s %5u octets %6u sessions %u workers: %6.3f us/packet (%6.3f with the device's), %4.0f kpps, "
	       "offered %4.0f, arrived %4.0f, cpu %3.0f %%, %.1f a batch, %.1f a call\n",
		args->down ? "down" : "up", args->octets, args->sessions, args->workers, cpu / (double)packets,
		(cpu + kernel) / (double)packets, (double)packets / wall * 1e3, (double)sent / wall * 1e3,
		(double)arrived / wall * 1e3, cpu / wall * 100, (double)packets / (double)(batches ? batches : 1),
		(double)packets / (double)(calls ? calls : 1));
	for (unsigned why = 0; why < WHYS; why++)
		if (b->refused[why] > a->refused[why])
			printf("     refused %s %llu\n", why_name((enum why)why),
			       (unsigned long long)(b->refused[why] - a->refused[why]));
}

static void args_read(struct args *args, int argc, char **argv)
{
	static const char usage[] =
		"usage: plane_bench [-d] [-g] [-k] [-n sessions] [-l octets] [-w workers] [-t seconds] "
		"[-r kpps] [-b packets in a row of one session]\n";
	int c;

	*args = (struct args){ .sessions = 1, .octets = 64, .workers = 1, .seconds = 3, .run = 1 };
	while ((c = getopt(argc, argv, "dgkn:l:w:t:r:b:")) != -1) {
		unsigned n = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;

		switch (c) {
		case 'd': args->down = true; break;
		case 'k': args->threaded = true; break;
		case 'g': args->large = true; break;
		case 'n': args->sessions = n; break;
		case 'l': args->octets = n; break;
		case 'w': args->workers = n; break;
		case 't': args->seconds = n; break;
		case 'r': args->kpps = n; break;
		case 'b': args->run = n; break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (args->sessions < 1 || args->sessions > SESSIONS_MAX || args->octets < 29 || args->octets > 1500 ||
	    args->workers < 1 || args->seconds < 1 || args->run < 1) {
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct plane_user_stats before, after;
	struct plane *plane;
	struct args args;
	struct tun tun;
	uint64_t start, sent, arrived;
	int lac_wire[2], inet_wire[2];
	double cpu, kernel;

	args_read(&args, argc, argv);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		die("unshare");
	shell("mount --make-rprivate / && mount -t sysfs sysfs /sys", 0);
	shell("ip link set lo up; sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 "
	      "net.ipv4.conf.default.rp_filter=0", 0);
	pid_t lac = child(&args, true, lac_wire), inet = child(&args, false, inet_wire);

	wire_up(lac, 200, lac_wire);
	wire_up(inet, 201, inet_wire);
	plane = plane_start(&args, &tun);
	usleep(300000);
	__atomic_store_n(&shared->go, 1, __ATOMIC_RELEASE);
	usleep(500000);
	plane_user_stats_sum(plane, &before);
	start = now_us();
	kernel = kernel_us();
	cpu = cpu_us();
	sent = shared->sent;
	arrived = shared->arrived;
	sleep(args.seconds);
	plane_user_stats_sum(plane, &after);
	cpu = cpu_us() - cpu;
	kernel = kernel_us() - kernel;
	report(&args, &before, &after, cpu, kernel, (double)(now_us() - start), shared->sent - sent,
		shared->arrived - arrived);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELEASE);
	kill(lac, SIGKILL);
	kill(inet, SIGKILL);
	while (wait(NULL) > 0)
		;
	plane_user_close(plane);
	tun_close(&tun);
	return 0;
}
