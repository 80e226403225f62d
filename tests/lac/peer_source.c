/*
 * peer_source.c -- traffic from the Internet to subscribers, built as frames and given to the device.
 *
 * A packet socket spares the sender routing and neighbour look-ups, so that it is
 * the server that is measured.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lac/lac.h"
#include "tests/lac/peer.h"

#define BURST		32u
#define FRAME_MAX	(ETH_HLEN + PACKET_SIZE_MAX)
#define ARP_WAIT_MS	20u
#define ARP_TRIES	100u
#define SENDERS_MAX	16u

struct source_sender {		/* one thread: every so-manieth number and subscriber */
	struct source	*source;
	pthread_t	 thread;
	uint32_t	 first, step;
	struct pace	 pace;
	uint64_t	 took_us;
};

struct source {
	int			 fd;
	char			 device[IFNAMSIZ];
	uint32_t		 own_address;
	uint8_t			 ethernet[ETH_HLEN];	/* to the gateway, from us */
	volatile bool		 stop;
	uint32_t		 run, size, total;
	const uint32_t		*address;
	uint32_t		 senders;
	struct source_sender	 sender[SENDERS_MAX];
};

struct source *source_open(const char *device, uint32_t own_address)
{
	struct source *source = calloc(1, sizeof(*source));
	struct sockaddr_ll at = { .sll_family = AF_PACKET };
	struct ifreq ifr = { 0 };
	int one = 1;

	ASSERT(source);
	snprintf(source->device, sizeof(source->device), "%s", device);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	source->own_address = own_address;
	/* Protocol 0: it only sends. */
	source->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	at.sll_ifindex = (int)if_nametoindex(device);
	if (source->fd < 0 || at.sll_ifindex == 0 || bind(source->fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    ioctl(source->fd, SIOCGIFHWADDR, &ifr) < 0) {
		perror("lac: peer: --device");
		return NULL;
	}
	if (setsockopt(source->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) < 0)
		perror("lac: peer: no qdisc bypass");
	memcpy(source->ethernet + ETH_ALEN, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	source->ethernet[12] = ETH_P_IP >> 8;
	source->ethernet[13] = ETH_P_IP & 0xff;
	return source;
}

/* The default gateway on our device, in network order; 0: none. */
static uint32_t gateway_find(const char *device)
{
	char line[256], name[IFNAMSIZ];
	unsigned to, gateway, found = 0;
	FILE *file = fopen("/proc/net/route", "r");

	if (!file)
		return 0;
	while (!found && fgets(line, sizeof(line), file))
		if (sscanf(line, "%15s %x %x", name, &to, &gateway) == 3 && strcmp(name, device) == 0 && to == 0)
			found = gateway;
	fclose(file);
	return found;
}

/* The gateway's Ethernet address: a datagram to it makes the kernel ask, then the kernel knows. */
static bool gateway_resolve(struct source *source)
{
	struct arpreq arp = { 0 };
	struct sockaddr_in gateway = { .sin_family = AF_INET, .sin_port = htons(9),
				       .sin_addr.s_addr = gateway_find(source->device) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known = false;

	memcpy(&arp.arp_pa, &gateway, sizeof(gateway));
	snprintf(arp.arp_dev, sizeof(arp.arp_dev), "%s", source->device);
	for (unsigned i = 0; fd >= 0 && !known && i < ARP_TRIES; i++) {
		if (sendto(fd, "", 1, 0, (struct sockaddr *)&gateway, sizeof(gateway)) < 0)
			break;
		usleep(ARP_WAIT_MS * 1000);
		known = ioctl(fd, SIOCGARP, &arp) == 0 && arp.arp_flags & ATF_COM;
	}
	memcpy(source->ethernet, arp.arp_ha.sa_data, ETH_ALEN);
	close(fd);
	return known;
}

static void frames_form(const struct source *source, uint8_t frame[BURST][FRAME_MAX], struct mmsghdr *msg,
			struct iovec *iov)
{
	for (uint32_t i = 0; i < BURST; i++) {
		memcpy(frame[i], source->ethernet, ETH_HLEN);
		packet_make(frame[i] + ETH_HLEN, source->size, source->own_address, PACKET_PEER_PORT, 0,
			    PACKET_SUBSCRIBER_PORT);
		iov[i] = (struct iovec){ .iov_base = frame[i], .iov_len = ETH_HLEN + source->size };
		msg[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 } };
	}
}

static void *source_thread(void *arg)
{
	struct source_sender *sender = arg;
	struct source *source = sender->source;
	uint8_t frame[BURST][FRAME_MAX];
	struct mmsghdr msg[BURST];
	struct iovec iov[BURST];
	uint32_t next = sender->first % source->total, n;

	frames_form(source, frame, msg, iov);
	while ((n = pace_take(&sender->pace, BURST, &source->stop)) > 0) {
		uint64_t now = clock_now().us;

		for (uint32_t i = 0; i < n; i++) {
			struct mark mark = { .kind = MARK_DOWN, .run = source->run, .session = next,
					     .number = sender->first + sender->pace.sent++ * sender->step,
					     .sent_us = now };

			packet_set_target(frame[i] + ETH_HLEN, source->address[next]);
			packet_set_mark(frame[i] + ETH_HLEN, &mark);
			next = (next + sender->step) % source->total;
		}
		for (uint32_t done = 0; done < n;) {
			int did = sendmmsg(source->fd, msg + done, n - done, 0);

			done += did > 0 ? (uint32_t)did : 1;
		}
	}
	sender->took_us = clock_now().us - sender->pace.start_us;
	return NULL;
}

bool source_start(struct source *source, const struct peer_request *request, const uint32_t *address, uint32_t total)
{
	uint32_t threads = request->rate == 0 && request->threads > 1 ? request->threads : 1;

	if (total == 0 || request->size < PACKET_SIZE_MIN || request->size > PACKET_SIZE_MAX ||
	    threads > SENDERS_MAX || !gateway_resolve(source))
		return false;
	source->run = request->run;
	source->size = request->size;
	source->address = address;
	source->total = total;
	source->stop = false;
	uint64_t now = clock_now().us;

	for (source->senders = 0; source->senders < threads; source->senders++) {
		struct source_sender *sender = &source->sender[source->senders];

		*sender = (struct source_sender){
			.source = source, .first = source->senders, .step = threads,
			.pace = { .rate = request->rate, .start_us = now, .end_us = now + request->time_us },
		};
		if (pthread_create(&sender->thread, NULL, source_thread, sender) != 0)
			return false;
	}
	return true;
}

void source_stop(struct source *source, struct peer_report *report)
{
	source->stop = true;
	for (uint32_t i = 0; i < source->senders; i++) {
		struct source_sender *sender = &source->sender[i];

		pthread_join(sender->thread, NULL);
		report->sent += sender->pace.sent;
		if (sender->took_us > report->sent_us)
			report->sent_us = sender->took_us;
	}
	source->senders = 0;
}
