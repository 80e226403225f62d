/*
 * cluster_flood.c -- everything but a cluster's own datagrams, at its port: noise, forgeries, and what was recorded.
 *
 *	cluster_flood RECORDING PORT RATE SECONDS ADDRESS...
 *
 * RECORDING is tcpdump's, of Ethernet and IPv4.  Source addresses are those of the recorded datagrams, so
 * it takes a raw socket.  Prints how many packets a second were sent.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cluster/seal.h"

#define BATCH		64u
#define RECORDS_MAX	4096u
#define HEADERS		(sizeof(struct iphdr) + sizeof(struct udphdr))
#define PAYLOAD_MAX	1400u
#define LINK_HEADER	14u

struct recorded { const uint8_t *payload; uint32_t len, from; };

struct packet { struct iphdr ip; struct udphdr udp; uint8_t payload[PAYLOAD_MAX]; };
_Static_assert(sizeof(struct packet) == HEADERS + PAYLOAD_MAX, "no gaps");

struct flood {
	struct recorded	 recorded[RECORDS_MAX];
	uint32_t	 records, addresses, kinds[6];
	struct sockaddr_in to[64];
	uint64_t	 random;
	uint16_t	 port;
	struct packet	 packet[BATCH];
};

static uint64_t now_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static uint32_t any(struct flood *flood, uint32_t below)
{
	flood->random ^= flood->random << 13;
	flood->random ^= flood->random >> 7;
	flood->random ^= flood->random << 17;
	return (uint32_t)(flood->random >> 20) % below;
}

/* A file header of 24 octets, then records: time 8, length kept 4, length 4, octets. */
static bool recording_read(struct flood *flood, const char *path)
{
	FILE *file = fopen(path, "r");
	static uint8_t all[8u << 20];
	size_t size = file ? fread(all, 1, sizeof(all), file) : 0, at = 24;

	if (file)
		fclose(file);
	while (at + 16 < size && flood->records < RECORDS_MAX) {
		struct recorded *recorded = &flood->recorded[flood->records];
		uint32_t kept;

		memcpy(&kept, all + at + 8, 4);
		if (kept > size - at - 16 || kept <= LINK_HEADER + HEADERS)
			break;
		memcpy(&recorded->from, all + at + 16 + LINK_HEADER + 12, 4);
		recorded->payload = all + at + 16 + LINK_HEADER + HEADERS;
		recorded->len = min_u32(kept - LINK_HEADER - (uint32_t)HEADERS, PAYLOAD_MAX);
		flood->records++;
		at += 16 + kept;
	}
	return flood->records > 0;
}

static void noise(struct flood *flood, uint8_t *at, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		at[i] = (uint8_t)any(flood, 256);
}

/* The payload's length. */
static uint32_t payload_make(struct flood *flood, uint8_t *payload, const struct recorded *recorded)
{
	uint32_t kind = any(flood, ARRAY_LEN(flood->kinds)), len = recorded->len;

	flood->kinds[kind]++;
	memcpy(payload, recorded->payload, len);
	switch (kind) {
	case 0:				/* noise */
		len = any(flood, 256);
		noise(flood, payload, len);
		break;
	case 1:				/* that begins as it should */
		len = SEAL_OVERHEAD + any(flood, 200);
		noise(flood, payload, len);
		payload[0] = SEAL_MAGIC >> 8;
		payload[1] = SEAL_MAGIC & 0xff;
		payload[2] = SEAL_FORMAT;
		break;
	case 2:				/* as recorded */
		break;
	case 3:				/* cut off */
		len = any(flood, len);
		break;
	case 4:				/* one bit is another */
		payload[any(flood, len)] ^= (uint8_t)(1u << any(flood, 8));
		break;
	case 5:				/* a number of the future, forged */
		noise(flood, payload + SEAL_HEADER_LEN - 3, len - SEAL_HEADER_LEN + 3);
		break;
	}
	return len;
}

static void packet_make(struct flood *flood, struct packet *packet, struct iovec *iov, struct msghdr *msg)
{
	const struct recorded *recorded = &flood->recorded[any(flood, flood->records)];
	struct sockaddr_in *to = &flood->to[any(flood, flood->addresses)];
	uint32_t len = payload_make(flood, packet->payload, recorded);

	packet->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 1, .protocol = IPPROTO_UDP,
				     .saddr = recorded->from, .daddr = to->sin_addr.s_addr,
				     .tot_len = htons((uint16_t)(HEADERS + len)) };
	packet->udp = (struct udphdr){ .source = htons(flood->port), .dest = htons(flood->port),
				       .len = htons((uint16_t)(sizeof(packet->udp) + len)) };
	*iov = (struct iovec){ .iov_base = packet, .iov_len = HEADERS + len };
	*msg = (struct msghdr){ .msg_name = to, .msg_namelen = sizeof(*to), .msg_iov = iov, .msg_iovlen = 1 };
}

static uint64_t flood_run(struct flood *flood, int fd, uint64_t rate, uint64_t until)
{
	uint64_t began = now_us(), sent = 0;

	while (now_us() < until) {
		struct mmsghdr msg[BATCH];
		struct iovec iov[BATCH];

		if (sent > (now_us() - began) * rate / 1000000) {
			usleep(200);
			continue;
		}
		for (unsigned i = 0; i < BATCH; i++)
			packet_make(flood, &flood->packet[i], &iov[i], &msg[i].msg_hdr);
		for (unsigned done = 0; done < BATCH; ) {
			int n = sendmmsg(fd, msg + done, BATCH - done, 0);

			sent += n > 0 ? (unsigned)n : 0;
			done += n > 0 ? (unsigned)n : 1;
		}
	}
	return sent * 1000000 / (now_us() - began);
}

int main(int argc, char **argv)
{
	static struct flood flood = { .random = 88172645463325252u };
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (argc < 6 || fd < 0 || !recording_read(&flood, argv[1])) {
		fprintf(stderr, "cluster_flood RECORDING PORT RATE SECONDS ADDRESS...\n");
		return 2;
	}
	flood.port = (uint16_t)atoi(argv[2]);
	for (int i = 5; i < argc && flood.addresses < ARRAY_LEN(flood.to); i++) {
		struct sockaddr_in *to = &flood.to[flood.addresses++];

		to->sin_family = AF_INET;
		if (inet_pton(AF_INET, argv[i], &to->sin_addr) != 1)
			return 2;
	}
	uint64_t rate = flood_run(&flood, fd, strtoull(argv[3], NULL, 10),
				  now_us() + (uint64_t)(atof(argv[4]) * 1e6));

	printf("%llu packets a second; noise %u, headed %u, replayed %u, cut %u, spoilt %u, forged %u\n",
	       (unsigned long long)rate, flood.kinds[0], flood.kinds[1], flood.kinds[2], flood.kinds[3],
	       flood.kinds[4], flood.kinds[5]);
	return 0;
}
