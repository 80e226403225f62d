/* user_down.c -- from the kernel to the LACs: a batch of packets off the tun device, each to its session. */
#include <errno.h>
#include <linux/virtio_net.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpns/plane/fast_down.h"
#include "l2tpns/plane/gso.h"
#include "l2tpns/plane/user_worker.h"
#include "l2tpns/wire/ip.h"

#define VNET_GSO_UDP_L4	5

/* A packet lies behind its virtio header, whose place our own header takes: both fit into DOWN_ROOM. */
#define DOWN_BATCH	192u		/* packets taken at a time: the more, the fuller the messages to a LAC */
#define DOWN_ROOM	16u
#define DOWN_OCTETS	(SUPER_MAX * 12u)
#define DOWN_HEADS	256u		/* headers of segments: as many as wait to be sent at most */
#define DOWN_HEAD	(DOWN_ROOM + GSO_HEAD_MAX)
#define DOWN_SCRATCH	(SUPER_MAX * 4u)	/* fragments we made */

struct down_packet {
	struct fast_packet	packet;
	struct fast_down	down;
	struct plane_session   *session;
	enum fast_verdict	verdict;
	uint8_t			gso_type;	/* VIRTIO_NET_HDR_GSO_NONE: one packet */
	uint16_t		gso_size;
};

struct down {
	unsigned		count;
	unsigned		heads;			/* in use until the next flush */
	uint32_t		scratch_used;		/* likewise */
	struct down_packet	packet[DOWN_BATCH];
	uint8_t			head[DOWN_HEADS][DOWN_HEAD];
	uint8_t			scratch[DOWN_SCRATCH];
	uint8_t			linear[SUPER_MAX];	/* a segment put together, to be cut again */
	uint8_t			octets[DOWN_OCTETS] __attribute__((aligned(64)));
};

size_t down_size(void)
{
	return sizeof(struct down);
}

void down_init(struct worker *w, uint8_t *memory)
{
	w->down = (struct down *)(void *)memory;
}

static void flush(struct worker *w)
{
	out_flush(w);
	w->down->heads = 0;
	w->down->scratch_used = 0;
}

/* An ICMP error to the sender of a packet, by raw socket: the kernel takes no packet with one of its own
 * addresses as the source from a device.  `head` may be the header of a longer packet. */
static void icmp_send(struct worker *w, uint8_t type, uint8_t code, uint32_t rest, struct bytes head)
{
	uint8_t octets[IP4_ICMP_MAX];
	struct wr out = wr_of(octets, sizeof(octets));
	struct sockaddr_in to = { .sin_family = AF_INET };

	if (w->plane->icmp_fd < 0 || !icmp_error_allowed(head) || !bucket_take(&w->icmp, w->now_ms))
		return;
	icmp_error_encode(&out, w->plane->conf.address, type, code, rest, head);
	memcpy(&to.sin_addr, head.p + 12, sizeof(to.sin_addr));
	if (wr_ok(&out) && sendto(w->plane->icmp_fd, octets, wr_len(&out), MSG_DONTWAIT,
				  (struct sockaddr *)&to, sizeof(to)) > 0)
		stat_add(&w->stats.icmp_sent, 1);
}

/* Header and packet in one piece: `ip` has room before it. */
static void forward(struct worker *w, const struct fast_down *down, uint8_t *ip, bool tail)
{
	struct out_packet packet = { .row = down->row, .tid = down->tid, .tail = tail };
	uint8_t *start = ip - down->head_len;

	memcpy(start, down->head, down->head_len);
	packet.piece[0] = bytes_of(start, down->head_len + down->len);
	if (out_full(w))
		flush(w);
	out_add(w, &packet);
	stat_add(&w->stats.down_packets, 1);
	stat_add(&w->stats.down_octets, down->len);
}

/* Larger than the subscriber takes, and its sender allows fragments: RFC 791 section 3.2. */
static void fragment(struct worker *w, struct fast_down *down, struct plane_session *session, struct bytes whole)
{
	struct down *d = w->down;
	struct ip4_fragments f;
	struct fast_packet packet;

	if (ip4_fragments_begin(&f, whole, down->mru) != WHY_OK)
		return;
	for (;;) {
		if (d->scratch_used + DOWN_ROOM + down->mru > DOWN_SCRATCH)
			flush(w);
		uint8_t *at = d->scratch + d->scratch_used + DOWN_ROOM;
		struct wr out = wr_of(at, down->mru);

		if (!ip4_fragments_next(&f, &out))
			return;
		d->scratch_used += (uint32_t)(DOWN_ROOM + wr_len(&out) + 15) & ~15u;
		packet = (struct fast_packet){ .data = at, .end = at + wr_len(&out) };
		down->len = (uint32_t)wr_len(&out);
		if (fast_down_take(&w->plane->tables.fast, &packet, session, w->now_s, down) == FAST_FORWARD)
			forward(w, down, at, false);
		if (out_full(w))
			flush(w);
	}
}

/* `head`: the packet, or when it is a segment only its header, with `rest` following. */
static void too_big(struct worker *w, struct down_packet *p, struct bytes head, struct bytes rest)
{
	struct down *d = w->down;

	if (p->down.mru < IP4_HDR_MAX + 8 || (head.p[6] & 0x40)) {
		refuse(w, WHY_DATA_TOO_BIG, 1);
		icmp_send(w, ICMP_UNREACHABLE, ICMP_UNREACHABLE_FRAGMENTATION, p->down.mru, head);
		return;
	}
	if (rest.len > 0) {
		memcpy(d->linear, head.p, head.len);
		memcpy(d->linear + head.len, rest.p, rest.len);
		head = bytes_of(d->linear, head.len + rest.len);
	}
	fragment(w, &p->down, p->session, head);
}

static void down_refused(struct worker *w, const struct down_packet *p)
{
	struct bytes packet = bytes_of(p->packet.data, p->down.len);

	if (p->down.why == FAST_WHY_DATA_NO_ROUTE && p->gso_type == VIRTIO_NET_HDR_GSO_NONE &&
	    pass_unknown(w, (struct addr){ .port = 0 }, (struct ip){ { 0 } }, packet))
		return;
	refuse(w, p->down.why, 1);
	if (p->down.why == FAST_WHY_DATA_NO_ROUTE)
		icmp_send(w, ICMP_UNREACHABLE, ICMP_UNREACHABLE_HOST, 0, packet);
}

static void down_one(struct worker *w, struct down_packet *p)
{
	enum fast_verdict verdict = p->verdict;

	if (verdict == FAST_FORWARD)
		verdict = fast_down_take(&w->plane->tables.fast, &p->packet, p->session, w->now_s, &p->down);
	if (verdict == FAST_FORWARD)
		forward(w, &p->down, p->packet.data, false);
	else if (verdict == FAST_PUNT)
		too_big(w, p, bytes_of(p->packet.data, p->down.len), (struct bytes){ 0 });
	else
		down_refused(w, p);
}

/* A large packet of one flow: every segment gets headers, the payload is sent from where it lies. */
static void down_segments(struct worker *w, struct down_packet *p)
{
	struct down *d = w->down;
	struct bytes whole = bytes_of(p->packet.data, p->down.len), payload;
	struct gso gso;

	if (p->verdict != FAST_FORWARD) {
		down_refused(w, p);
		return;
	}
	if (!gso_begin(&gso, whole, p->gso_type == VIRTIO_NET_HDR_GSO_TCPV4, p->gso_size)) {
		refuse(w, WHY_DATA_NOT_IP, 1);
		return;
	}
	for (;;) {
		if (d->heads == DOWN_HEADS || out_full(w))
			flush(w);
		uint8_t *head = d->head[d->heads] + DOWN_ROOM;
		struct fast_packet packet = { .data = head, .end = head + gso.head_len };

		if (!gso_next(&gso, head, &payload))
			return;
		p->down.len = gso.head_len + payload.len;
		switch (fast_down_take(&w->plane->tables.fast, &packet, p->session, w->now_s, &p->down)) {
		case FAST_FORWARD: {
			uint8_t *start = head - p->down.head_len;
			struct out_packet out = {
				.row = p->down.row, .tid = p->down.tid, .tail = payload.len < gso.size,
				.piece = { bytes_of(start, p->down.head_len + gso.head_len), payload },
			};

			memcpy(start, p->down.head, p->down.head_len);
			d->heads++;
			out_add(w, &out);
			stat_add(&w->stats.down_packets, 1);
			stat_add(&w->stats.down_octets, p->down.len);
			break;
		}
		case FAST_PUNT:
			too_big(w, p, bytes_of(head, gso.head_len), payload);
			break;
		case FAST_DROP:
			down_refused(w, p);
			break;
		}
	}
}

/* One packet as it came from the device; its session is asked for early. */
static void down_add(struct worker *w, const struct virtio_net_hdr *vnet, uint8_t *ip, uint32_t len)
{
	struct down_packet *p = &w->down->packet[w->down->count];

	p->gso_type = vnet->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	p->gso_size = vnet->gso_size;
	p->packet = (struct fast_packet){ .data = ip, .end = ip + len };
	if (p->gso_type == VIRTIO_NET_HDR_GSO_NONE && (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
	    !sum_complete(ip, len, vnet->csum_start, vnet->csum_offset)) {
		refuse(w, WHY_DATA_NOT_IP, 1);
		return;
	}
	p->session = NULL;
	p->verdict = fast_down_parse(&p->packet, &p->down);
	if (p->verdict == FAST_FORWARD) {
		p->session = fast_down_find(&w->plane->tables.fast, &p->down);
		FAST_PREFETCH(p->session);
	}
	w->down->count++;
}

static void read_failed(struct worker *w)
{
	if (errno == EAGAIN || errno == EINTR)
		return;
	refuse(w, WHY_DATA_TUN_ERROR, 1);
	if (errno == EBADFD)		/* the device is gone: nothing more will come, and poll would not wait */
		(void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->tun, NULL);
}

void down_drain(struct worker *w)
{
	struct down *d = w->down;
	uint32_t used = 0;
	struct virtio_net_hdr vnet;
	ssize_t got;

	d->count = 0;
	while (d->count < DOWN_BATCH && used + DOWN_ROOM + SUPER_MAX <= DOWN_OCTETS) {
		uint8_t *ip = d->octets + used + DOWN_ROOM;

		got = read(w->tun, ip - VNET_LEN, VNET_LEN + SUPER_MAX);
		if (got < 0) {
			read_failed(w);
			break;
		}
		if (got <= (ssize_t)VNET_LEN)
			continue;
		memcpy(&vnet, ip - VNET_LEN, VNET_LEN);
		used += (DOWN_ROOM + (uint32_t)got - VNET_LEN + 63) & ~63u;
		down_add(w, &vnet, ip, (uint32_t)got - VNET_LEN);
	}
	for (unsigned i = 0; i < d->count; i++) {
		if (d->packet[i].gso_type == VIRTIO_NET_HDR_GSO_NONE)
			down_one(w, &d->packet[i]);
		else
			down_segments(w, &d->packet[i]);
	}
	flush(w);
	stat_add(&w->stats.down_batches, 1);
}
