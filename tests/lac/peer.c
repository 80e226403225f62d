/* peer.c -- the program in the Internet's namespace: counts, answers probes, obeys the LAC. */
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lac/lac.h"
#include "tests/lac/peer.h"
#include "tests/lac/proc.h"

#define BATCH		64u
#define BATCH_OCTETS	65536u
#define SESSIONS_MAX	(1u << 21)

struct peer {
	int			 udp, listener, line, epoll;
	uint8_t			*in;
	uint32_t		*address;	/* of the subscribers, host order */
	uint32_t		 total;
	uint32_t		 run;
	struct stream		 stream;
	uint64_t		 drops_before;
	const char		*device;
	struct device_usage	 device_before;
	struct source		*source;
	struct mmsghdr		 reply[BATCH];
	struct iovec		 reply_iov[BATCH];
	uint32_t		 replies;
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
	(void)number;
	stopping = 1;
}

static uint64_t receiver_drops(const struct peer *peer)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(peer->udp, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}

static void probes_return(struct peer *peer)
{
	if (peer->replies > 0 && sendmmsg(peer->udp, peer->reply, peer->replies, 0) < 0)
		fprintf(stderr, "lac: peer: cannot answer probes: %s\n", strerror(errno));
	peer->replies = 0;
}

/* A probe goes back as it came, marked as a reply. */
static void probe_return(struct peer *peer, uint8_t *payload, uint32_t len, struct mark *mark, void *from)
{
	if (peer->replies == BATCH)
		probes_return(peer);
	uint32_t i = peer->replies++;

	mark->kind = MARK_REPLY;
	memcpy(payload, mark, sizeof(*mark));
	peer->reply_iov[i] = (struct iovec){ .iov_base = payload, .iov_len = len };
	peer->reply[i].msg_hdr = (struct msghdr){ .msg_name = from, .msg_namelen = sizeof(struct sockaddr_in),
						  .msg_iov = &peer->reply_iov[i], .msg_iovlen = 1 };
}

static void payload_received(struct peer *peer, uint8_t *payload, uint32_t len, struct sockaddr_in *from, uint64_t now)
{
	struct mark mark;

	if (!mark_read(payload, len, &mark)) {
		peer->stream.strange++;
	} else if (mark.kind == MARK_PROBE) {
		probe_return(peer, payload, len, &mark, from);
	} else if (mark.kind == MARK_UP && mark.run == peer->run && mark.session < peer->total &&
		   peer->address[mark.session] == ntohl(from->sin_addr.s_addr)) {
		stream_received(&peer->stream, mark.session, mark.number, now > mark.sent_us ? now - mark.sent_us : 0);
	} else {
		peer->stream.strange++;
	}
}

static uint32_t joined_size(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			int size;

			memcpy(&size, CMSG_DATA(c), sizeof(size));
			return size > 0 ? (uint32_t)size : 0;
		}
	return 0;
}

static void udp_ready(struct peer *peer)
{
	static struct mmsghdr msg[BATCH];
	static struct iovec iov[BATCH];
	static struct sockaddr_in from[BATCH];
	static uint8_t control[BATCH][64] __attribute__((aligned(8)));

	for (uint32_t i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = peer->in + (size_t)i * BATCH_OCTETS, .iov_len = BATCH_OCTETS };
		msg[i].msg_hdr = (struct msghdr){ .msg_name = &from[i], .msg_namelen = sizeof(from[i]),
						  .msg_iov = &iov[i], .msg_iovlen = 1,
						  .msg_control = control[i], .msg_controllen = sizeof(control[i]) };
	}
	int n = recvmmsg(peer->udp, msg, BATCH, MSG_DONTWAIT, NULL);
	uint64_t now = clock_now().us;

	for (int i = 0; i < n; i++) {
		uint8_t *at = iov[i].iov_base;
		uint32_t left = msg[i].msg_len, size = joined_size(&msg[i].msg_hdr);

		do {
			uint32_t len = size && size < left ? size : left;

			payload_received(peer, at, len, &from[i], now);
			at += len;
			left -= len;
		} while (left > 0);
	}
	probes_return(peer);
}

static void run_start(struct peer *peer, const struct peer_request *request)
{
	room_unmap(peer->stream.seen, STREAM_NUMBERS / 8);
	room_unmap(peer->stream.last, SESSIONS_MAX * sizeof(uint64_t));
	stream_init(&peer->stream, room_map(STREAM_NUMBERS / 8), STREAM_NUMBERS,
		    room_map(SESSIONS_MAX * sizeof(uint64_t)), peer->total);
	peer->run = request->run;
	peer->drops_before = receiver_drops(peer);
	peer->device_before = device_usage(peer->device);
	if (request->size > 0 && !source_start(peer->source, request, peer->address, peer->total))
		fprintf(stderr, "lac: peer: cannot send\n");
}

static void run_look(struct peer *peer, struct peer_report *report)
{
	struct device_usage device = device_usage(peer->device);

	report->device_packets = device.packets - peer->device_before.packets;
	report->device_octets = device.octets - peer->device_before.octets;
	report->received = peer->stream.received;
	report->duplicates = peer->stream.duplicates;
	report->reordered = peer->stream.reordered;
	report->strange = peer->stream.strange;
	report->dropped = receiver_drops(peer) - peer->drops_before;
	report->latency = peer->stream.latency;
}

static void line_ready(struct peer *peer)
{
	static struct peer_request request;
	static struct peer_report report;
	ssize_t n = recv(peer->line, &request, sizeof(request), 0);

	if (n != (ssize_t)sizeof(request)) {
		close(peer->line);
		peer->line = -1;
		return;
	}
	report = (struct peer_report){ 0 };
	switch (request.kind) {
	case PEER_TABLE:
		if (request.total <= SESSIONS_MAX && request.count <= PEER_TABLE_PIECE &&
		    request.first <= request.total - request.count) {
			memcpy(peer->address + request.first, request.address, request.count * sizeof(uint32_t));
			peer->total = request.total;
		}
		break;
	case PEER_START:
		run_start(peer, &request);
		break;
	case PEER_STOP:
		source_stop(peer->source, &report);
		run_look(peer, &report);
		break;
	default:
		run_look(peer, &report);
	}
	if (send(peer->line, &report, sizeof(report), MSG_NOSIGNAL) < 0)
		fprintf(stderr, "lac: peer: the LAC is gone\n");
}

static void watch(const struct peer *peer, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	ASSERT(epoll_ctl(peer->epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static bool peer_open(struct peer *peer, const struct lac_options *opt)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PACKET_PEER_PORT),
				  .sin_addr.s_addr = htonl(opt->peer_address.n) };

	if (strlen(opt->peer) == 0 || strlen(opt->peer) >= sizeof(path.sun_path)) {
		fprintf(stderr, "lac: --is-peer needs --peer=PATH for its socket\n");
		return false;
	}
	memcpy(path.sun_path, opt->peer, strlen(opt->peer));
	unlink(opt->peer);
	peer->udp = net_udp_socket(&at, true);
	peer->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	peer->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (peer->udp < 0 || peer->listener < 0 || peer->epoll < 0 ||
	    bind(peer->listener, (struct sockaddr *)&path, sizeof(path)) < 0 || listen(peer->listener, 1) < 0) {
		fprintf(stderr, "lac: peer: %s\n", strerror(peer->udp < 0 ? -peer->udp : errno));
		return false;
	}
	peer->device = opt->device;
	peer->source = source_open(opt->device, opt->peer_address.n);
	peer->in = room_map((size_t)BATCH * BATCH_OCTETS);
	peer->address = room_map(SESSIONS_MAX * sizeof(uint32_t));
	watch(peer, peer->udp);
	watch(peer, peer->listener);
	return peer->source != NULL;
}

int peer_main(const struct lac_options *opt)
{
	static struct peer peer = { .line = -1 };
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	prctl(PR_SET_TIMERSLACK, 1000);
	if (!peer_open(&peer, opt))
		return 1;
	while (!stopping) {
		struct epoll_event event[4];
		int n = epoll_wait(peer.epoll, event, 4, 1000);

		for (int i = 0; i < n; i++) {
			if (event[i].data.fd == peer.udp) {
				udp_ready(&peer);
			} else if (event[i].data.fd == peer.line) {
				line_ready(&peer);
			} else if (event[i].data.fd == peer.listener) {
				int line = accept4(peer.listener, NULL, NULL, SOCK_CLOEXEC);

				/* The newest LAC conducts. */
				if (line >= 0 && peer.line >= 0)
					close(peer.line);
				if (line >= 0) {
					peer.line = line;
					watch(&peer, line);
				}
			}
		}
	}
	unlink(opt->peer);
	return 0;
}
