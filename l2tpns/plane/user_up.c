/* user_up.c -- from the LACs to the kernel: a batch of datagrams, checked, merged, written to the tun device. */
#include <errno.h>
#include <linux/virtio_net.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "l2tpns/plane/fast_up.h"
#include "l2tpns/plane/gro.h"
#include "l2tpns/plane/user_worker.h"
#include "l2tpns/wire/ip.h"

#ifndef UDP_GRO
#define UDP_GRO	104
#endif
#define VNET_GSO_UDP_L4	5		/* VIRTIO_NET_HDR_GSO_UDP_L4, younger than some systems' headers */

/* Buffers start at different places of a page, or all first lines would compete for one set of the cache. */
#define UP_STRIDE	(SUPER_MAX + 2048u + 192u)
#define UP_CONTROL	(CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int)))

struct up_datagram {			/* one L2TP packet, of a datagram or a segment of one */
	struct fast_packet	packet;
	struct fast_from	from;
	struct fast_up		up;
	struct plane_session   *session;
	enum fast_verdict	verdict;
	unsigned		message;	/* which receive buffer it came in */
};

struct up {
	unsigned		count;
	unsigned		ask;		/* datagrams to receive at a time */
	unsigned		taken;		/* packets of this batch */
	unsigned		bind;
	struct up_datagram	datagram[WORKER_BATCH];
	struct gro		gro;
	bool			room[GRO_MAX];	/* of a gro item: VNET_LEN octets before it are ours to write */
	struct mmsghdr		msg[WORKER_BATCH];
	struct iovec		iov[WORKER_BATCH];
	struct sockaddr_in	from[WORKER_BATCH];
	uint8_t			control[WORKER_BATCH][UP_CONTROL] __attribute__((aligned(16)));
	uint8_t			octets[];
};

size_t up_size(void)
{
	return sizeof(struct up) + (size_t)WORKER_BATCH * UP_STRIDE;
}

void up_init(struct worker *w, uint8_t *memory)
{
	struct up *up = (struct up *)(void *)memory;

	w->up = up;
	up->ask = WORKER_BATCH;
	for (unsigned i = 0; i < WORKER_BATCH; i++) {
		up->iov[i] = (struct iovec){ .iov_base = up->octets + (size_t)i * UP_STRIDE, .iov_len = SUPER_MAX };
		up->msg[i].msg_hdr = (struct msghdr){ .msg_iov = &up->iov[i], .msg_iovlen = 1,
						      .msg_name = &up->from[i] };
	}
}

static void write_failed(struct worker *w, unsigned packets)
{
	refuse(w, errno == EAGAIN ? WHY_DATA_TUN_FULL : WHY_DATA_TUN_ERROR, packets);
}

static void write_one(struct worker *w, const struct gro_item *item, bool room)
{
	static const uint8_t none[VNET_LEN];
	struct iovec iov[2] = { { .iov_base = (void *)(uintptr_t)none, .iov_len = VNET_LEN },
				{ .iov_base = item->ip, .iov_len = item->len } };
	ssize_t done;

	if (room) {
		memset(item->ip - VNET_LEN, 0, VNET_LEN);
		done = write(w->tun, item->ip - VNET_LEN, VNET_LEN + item->len);
	} else {
		done = writev(w->tun, iov, 2);
	}
	if (done < 0)
		write_failed(w, 1);
}

static void write_group(struct worker *w, struct gro *gro, const struct gro_group *group)
{
	struct virtio_net_hdr vnet = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = group->tcp ? VIRTIO_NET_HDR_GSO_TCPV4 : VNET_GSO_UDP_L4,
		.hdr_len = group->head_len, .gso_size = group->size,
		.csum_start = IP4_HDR_LEN, .csum_offset = group->tcp ? 16 : 6,
	};
	struct iovec iov[GRO_MAX + 1] = { { .iov_base = &vnet, .iov_len = VNET_LEN } };
	unsigned n = 1, skip = 0;

	gro_head(gro, group);
	for (unsigned i = group->first + 1u; i; i = gro->next[i - 1], skip = group->head_len)
		iov[n++] = (struct iovec){ .iov_base = gro->item[i - 1].ip + skip,
					   .iov_len = gro->item[i - 1].len - skip };
	if (writev(w->tun, iov, (int)n) < 0)
		write_failed(w, group->count);
}

static void write_groups(struct worker *w)
{
	struct gro *gro = &w->up->gro;

	for (unsigned i = 0; i < gro->groups; i++) {
		const struct gro_group *group = &gro->group[i];

		if (group->count == 1)
			write_one(w, &gro->item[group->first], w->up->room[group->first]);
		else
			write_group(w, gro, group);
	}
	stat_add(&w->stats.up_writes, gro->groups);
}

/* Where a datagram was sent to: the bound address, or what the kernel says when bound to any. */
static struct ip local_of(const struct worker *w, unsigned message)
{
	struct msghdr *msg = &w->up->msg[message].msg_hdr;
	struct ip bound = w->plane->conf.bind[w->up->bind];
	struct in_pktinfo info;

	if (ip_to4(bound).n != 0)
		return bound;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		return ip_from4((struct ip4){ ntohl(info.ipi_addr.s_addr) });
	}
	return bound;
}

static struct addr from_of(const struct worker *w, const struct up_datagram *d)
{
	const struct sockaddr_in *from = &w->up->from[d->message];

	return (struct addr){ .ip = ip_from4((struct ip4){ ntohl(from->sin_addr.s_addr) }),
			      .port = ntohs(from->sin_port) };
}

static struct bytes octets_of(const struct up_datagram *d)
{
	return bytes_of(d->packet.data, (size_t)(d->packet.end - d->packet.data));
}

static bool up_unknown(struct worker *w, const struct up_datagram *d)
{
	return (d->up.why == FAST_WHY_DATA_NO_SESSION || d->up.why == FAST_WHY_DATA_NOT_OPEN) &&
	       pass_unknown(w, from_of(w, d), local_of(w, d->message), octets_of(d));
}

static void punt(struct worker *w, const struct up_datagram *d)
{
	struct addr addr = from_of(w, d);
	struct bytes octets = octets_of(d);

	/* Data of a protocol we do not serve earns a Protocol-Reject, but not one a packet. */
	if (d->up.proto && d->up.proto < 0x8000 && !bucket_take(&w->rejects, w->now_ms)) {
		refuse(w, WHY_DATA_PROTO, 1);
		return;
	}
	if (!ring_put(d->up.stranger ? &w->strangers : &w->live, addr, local_of(w, d->message), octets)) {
		refuse(w, WHY_DATA_PUNT_FULL, 1);
		return;
	}
	stat_add(d->up.stranger ? &w->stats.punted_strangers : &w->stats.punted, 1);
	w->punted = true;
}

/* The second half of the work on up to WORKER_BATCH packets, whose sessions are on their way to the cache. */
static void up_take(struct worker *w)
{
	const struct fast_tables *tables = &w->plane->tables.fast;
	struct up *up = w->up;
	uint64_t packets = 0, octets = 0;

	gro_begin(&up->gro, w->plane->conf.tun_uso);
	for (unsigned i = 0; i < up->count; i++) {
		struct up_datagram *d = &up->datagram[i];

		if (d->verdict == FAST_FORWARD)
			d->verdict = fast_up_take(tables, &d->packet, d->session, &d->from, w->now_s, &d->up);
		if (d->verdict == FAST_FORWARD) {
			up->room[up->gro.items] = d->up.at >= VNET_LEN;
			gro_add(&up->gro, d->packet.data + d->up.at, d->up.len);
			packets++;
			octets += d->up.len;
		} else if (d->verdict == FAST_PUNT) {
			punt(w, d);
		} else if (!up_unknown(w, d)) {
			refuse(w, d->up.why, 1);
		}
	}
	stat_add(&w->stats.up_packets, packets);
	stat_add(&w->stats.up_octets, octets);
	write_groups(w);
	up->taken += up->count;
	up->count = 0;
}

static void up_add(struct worker *w, unsigned message, uint8_t *data, uint32_t len, const struct fast_from *from)
{
	struct up *up = w->up;
	struct up_datagram *d = &up->datagram[up->count++];

	d->packet = (struct fast_packet){ .data = data, .end = data + len };
	d->from = *from;
	d->message = message;
	d->session = NULL;
	d->verdict = fast_up_parse(&d->packet, &d->up);
	if (d->verdict == FAST_FORWARD && !d->up.control) {
		d->session = fast_up_find(&w->plane->tables.fast, &d->up);
		FAST_PREFETCH(d->session);
	}
	if (up->count == WORKER_BATCH)
		up_take(w);
}

/* The size of the datagrams that the kernel merged into this message; 0 = it is one. */
static uint32_t segment_of(struct msghdr *msg)
{
	int size;

	if (msg->msg_controllen == 0)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&size, CMSG_DATA(c), sizeof(size));
		return size > 0 ? (uint32_t)size : 0;
	}
	return 0;
}

static void up_message(struct worker *w, unsigned message)
{
	struct mmsghdr *msg = &w->up->msg[message];
	const struct sockaddr_in *from = &w->up->from[message];
	uint8_t *data = w->up->iov[message].iov_base;
	uint32_t len = msg->msg_len, size = segment_of(&msg->msg_hdr);
	struct fast_from peer = { .peer = { 0, 0, htonl(0xffff), from->sin_addr.s_addr },
				  .port = ntohs(from->sin_port) };

	if (size == 0)
		size = len;
	do {
		uint32_t piece = min_u32(size, len);

		up_add(w, message, data, piece, &peer);
		data += piece;
		len -= piece;
	} while (len > 0);
}

/* A datagram may be many that the kernel merged.  The other direction waits for this batch, so that the next
 * one is asked for in fewer pieces when this one was long. */
static void ask_adapt(struct up *up)
{
	if (up->taken > 4 * WORKER_BATCH)
		up->ask = max_u32(up->ask / 2, WORKER_BATCH / 16);
	else if (up->taken < 2 * WORKER_BATCH)
		up->ask = min_u32(up->ask * 2, WORKER_BATCH);
}

void up_drain(struct worker *w, unsigned bind)
{
	struct up *up = w->up;
	int n;

	for (unsigned i = 0; i < up->ask; i++) {
		up->msg[i].msg_hdr.msg_namelen = sizeof(up->from[i]);
		up->msg[i].msg_hdr.msg_control = up->control[i];
		up->msg[i].msg_hdr.msg_controllen = UP_CONTROL;
	}
	n = recvmmsg(w->udp[bind], up->msg, up->ask, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return;
	up->bind = bind;
	up->taken = 0;
	for (unsigned i = 0; i < (unsigned)n; i++)
		up_message(w, i);
	if (up->count)
		up_take(w);
	ask_adapt(up);
	stat_add(&w->stats.up_batches, 1);
}
