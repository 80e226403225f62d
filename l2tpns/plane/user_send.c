/* user_send.c -- packets to the LACs: gathered into large messages, sent in one call. */
#include <errno.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "l2tpns/plane/user_worker.h"

#define OUT_PACKETS	256u
#define OUT_MESSAGES	64u
#define OUT_OCTETS	64000u		/* of one message: below what fits into an IP packet */
#define OUT_SEGMENTS	64u		/* the kernel's UDP_MAX_SEGMENTS, as it was at first */
#define OUT_HASH	64u
#define GSO_RETRY_MS	10000u

#ifndef UDP_SEGMENT
#define UDP_SEGMENT	103
#endif

/* Who gets a packet and which of our addresses it leaves from. */
struct out_to {
	uint64_t	peer;		/* address and port in one word, to compare */
	struct sockaddr_in to;
	uint32_t	local[4];
};

/* All packets for one LAC have the same outer addresses and ports, whichever their tunnel and session: those
 * of equal length go to the kernel as one message that it (or the device) cuts up again. */
struct out_message {
	struct out_to	to;
	bool		closed;		/* ends with a shorter packet */
	uint8_t		first, last;	/* packets, chained by out.next */
	uint16_t	count;
	uint32_t	size, total;	/* octets of a packet; of all */
	int		fd;
};

union out_control {
	struct cmsghdr	header;
	uint8_t		octets[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

struct out {
	unsigned		packets, messages;
	unsigned		recent;			/* the message that got the last packet */
	uint32_t		gso_limit;		/* no packet longer than this in a large message */
	uint64_t		gso_retry_ms;		/* when to try without that limit again */
	struct out_packet	packet[OUT_PACKETS];
	uint8_t			next[OUT_PACKETS];
	struct out_message	message[OUT_MESSAGES];
	uint8_t			same[OUT_HASH];		/* (peer, length) -> message + 1 */
	uint8_t			order[OUT_HASH];	/* session -> no later packet of it before this message + 1 */
	struct mmsghdr		msg[OUT_MESSAGES];
	struct iovec		iov[OUT_PACKETS * 2];
	union out_control	control[OUT_MESSAGES];
};

size_t outbox_size(void)
{
	return sizeof(struct out);
}

void outbox_init(struct worker *w, uint8_t *memory)
{
	w->out = (struct out *)(void *)memory;
	w->out->gso_limit = UINT32_MAX;
}

static unsigned out_hash(uint32_t a)
{
	return a * 0x9e3779b1u >> 26;
}

int out_socket(const struct worker *w, const uint32_t local[4])
{
	const struct plane_user_conf *conf = &w->plane->conf;
	unsigned any = 0;

	for (unsigned i = 0; i < conf->binds; i++) {
		if (memcmp(conf->bind[i].b, local, sizeof(conf->bind[i].b)) == 0)
			return w->udp[i];
		if (ip_to4(conf->bind[i]).n == 0)
			any = i;
	}
	return w->udp[any];
}

bool out_full(const struct worker *w)
{
	return w->out->packets == OUT_PACKETS || w->out->messages == OUT_MESSAGES;
}

static uint32_t packet_len(const struct out_packet *packet)
{
	return packet->piece[0].len + packet->piece[1].len;
}

/* A tunnel's peer as it is now; false: the tunnel has just gone. */
static bool to_tunnel(const struct worker *w, uint16_t tid, struct out_to *to)
{
	const struct plane_tunnel *tunnel = &w->plane->tables.tunnel[tid];
	uint32_t valid = FAST_LOAD(&tunnel->valid);

	to->to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(tunnel->peer_port),
				       .sin_addr.s_addr = tunnel->peer[3] };
	memcpy(to->local, tunnel->local, sizeof(to->local));
	FAST_FENCE();
	return valid && FAST_LOAD(&tunnel->valid) == valid;
}

static bool to_address(const struct plane_packet *packet, struct out_to *to)
{
	to->to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(packet->to.port),
				       .sin_addr.s_addr = htonl(ip_to4(packet->to.ip).n) };
	memcpy(to->local, packet->from.b, sizeof(to->local));
	return true;
}

static bool to_find(const struct worker *w, const struct out_packet *packet, struct out_to *to)
{
	bool found = packet->control ? to_address(packet->control, to) : to_tunnel(w, packet->tid, to);

	to->peer = (uint64_t)to->to.sin_addr.s_addr << 16 | to->to.sin_port;
	return found;
}

/* May a packet of that length join?  What goes before it in its session must not be in a later message. */
static bool message_takes(const struct out *out, unsigned m, const struct out_packet *packet,
			  const struct out_to *to, uint32_t len)
{
	const struct out_message *message = &out->message[m];

	return message->to.peer == to->peer && memcmp(message->to.local, to->local, sizeof(to->local)) == 0 &&
	       !message->closed && message->count < OUT_SEGMENTS &&
	       message->total + len <= OUT_OCTETS && m + 1 >= out->order[out_hash(packet->row)] &&
	       message->size <= out->gso_limit;
}

static void message_begin(struct worker *w, unsigned m, const struct out_to *to, uint32_t len)
{
	struct out_message *message = &w->out->message[m];

	message->to = *to;
	message->closed = false;
	message->first = (uint8_t)w->out->packets;
	message->count = 0;
	message->size = len;
	message->total = 0;
	message->fd = out_socket(w, to->local);
}

void out_add(struct worker *w, const struct out_packet *packet)
{
	struct out *out = w->out;
	uint32_t len = packet_len(packet);
	unsigned row = out_hash(packet->row), same, m;
	struct out_message *message;
	struct out_to to;

	ASSERT(out->packets < OUT_PACKETS && out->messages < OUT_MESSAGES);
	if (!to_find(w, packet, &to)) {
		refuse(w, WHY_DATA_NO_ROUTE, 1);
		return;
	}
	same = out_hash((uint32_t)(to.peer ^ to.peer >> 32) << 11 ^ len);
	m = out->same[same] - 1u;
	if (out->same[same] && out->message[m].size == len && message_takes(out, m, packet, &to, len)) {
		message = &out->message[m];
	} else if (packet->tail && out->messages && len < out->message[out->recent].size &&
		   message_takes(out, out->recent, packet, &to, len)) {
		m = out->recent;
		message = &out->message[m];
		message->closed = true;
	} else {
		m = out->messages;
		message_begin(w, m, &to, len);
		message = &out->message[m];
		out->messages++;
		out->same[same] = (uint8_t)(m + 1);
	}
	if (message->count > 0)
		out->next[message->last] = (uint8_t)out->packets;
	message->last = (uint8_t)out->packets;
	message->count++;
	message->total += len;
	out->packet[out->packets++] = *packet;
	out->recent = m;
	if (m + 1 > out->order[row])
		out->order[row] = (uint8_t)(m + 1);
}

static void *control_add(struct msghdr *msg, union out_control *control, int level, int type, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)(control->octets + msg->msg_controllen);

	*c = (struct cmsghdr){ .cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(len) };
	msg->msg_control = control;
	msg->msg_controllen += CMSG_SPACE(len);
	return CMSG_DATA(c);
}

static unsigned packet_iov(const struct out_packet *packet, struct iovec *iov)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 2; i++)
		if (packet->piece[i].len)
			iov[n++] = (struct iovec){ .iov_base = (void *)(uintptr_t)packet->piece[i].p,
						   .iov_len = packet->piece[i].len };
	return n;
}

static void message_head(const struct worker *w, unsigned m, struct msghdr *msg, bool large)
{
	struct out_message *message = &w->out->message[m];
	union out_control *control = &w->out->control[m];
	uint16_t segment = (uint16_t)message->size;

	*msg = (struct msghdr){ .msg_name = &message->to.to, .msg_namelen = sizeof(message->to.to) };
	if (w->plane->any) {
		struct in_pktinfo info = { .ipi_spec_dst.s_addr = message->to.local[3] };

		memcpy(control_add(msg, control, IPPROTO_IP, IP_PKTINFO, sizeof(info)), &info, sizeof(info));
	}
	if (large)
		memcpy(control_add(msg, control, IPPROTO_UDP, UDP_SEGMENT, sizeof(segment)), &segment, sizeof(segment));
}

/* The kernel would not have it as one: its packets one by one, and no such attempt for a while.  EINVAL and
 * EMSGSIZE: a packet does not fit the path in one piece (it will go in fragments); else: not this device. */
static void message_split(struct worker *w, unsigned m, int error)
{
	struct out *out = w->out;
	const struct out_message *message = &out->message[m];
	unsigned at = message->first;
	struct msghdr msg;
	struct iovec iov[2];

	out->gso_limit = error == EINVAL || error == EMSGSIZE ? message->size - 1 : 0;
	out->gso_retry_ms = w->now_ms + GSO_RETRY_MS;
	for (unsigned n = message->count; n > 0; n--, at = out->next[at]) {
		message_head(w, m, &msg, false);
		msg.msg_iov = iov;
		msg.msg_iovlen = packet_iov(&out->packet[at], iov);
		if (sendmsg(message->fd, &msg, MSG_DONTWAIT) < 0)
			refuse(w, WHY_DATA_SEND_ERROR, 1);
	}
}

static void message_failed(struct worker *w, unsigned m, int error)
{
	const struct out_message *message = &w->out->message[m];

	if (message->count > 1 && error != EAGAIN && error != ENOBUFS && error != ENOMEM && error != EPERM &&
	    error != ENETUNREACH && error != EHOSTUNREACH && error != ENETDOWN)
		message_split(w, m, error);
	else
		refuse(w, WHY_DATA_SEND_ERROR, message->count);
}

static void messages_build(struct worker *w)
{
	struct out *out = w->out;
	struct iovec *iov = out->iov;

	for (unsigned m = 0; m < out->messages; m++) {
		struct msghdr *msg = &out->msg[m].msg_hdr;
		unsigned at = out->message[m].first;

		message_head(w, m, msg, out->message[m].count > 1);
		msg->msg_iov = iov;
		for (unsigned n = out->message[m].count; n > 0; n--, at = out->next[at])
			iov += packet_iov(&out->packet[at], iov);
		msg->msg_iovlen = (size_t)(iov - msg->msg_iov);
	}
}

void out_flush(struct worker *w)
{
	struct out *out = w->out;
	unsigned m = 0, end;
	int sent;

	if (out->messages == 0)
		return;
	messages_build(w);
	while (m < out->messages) {
		for (end = m + 1; end < out->messages && out->message[end].fd == out->message[m].fd;)
			end++;
		sent = sendmmsg(out->message[m].fd, &out->msg[m], end - m, MSG_DONTWAIT);
		if (sent > 0)
			m += (unsigned)sent;
		else if (errno != EINTR)
			message_failed(w, m++, errno);
	}
	stat_add(&w->stats.down_messages, out->messages);
	out->packets = 0;
	out->messages = 0;
	out->recent = 0;
	memset(out->same, 0, sizeof(out->same));
	memset(out->order, 0, sizeof(out->order));
	if (out->gso_limit != UINT32_MAX && w->now_ms >= out->gso_retry_ms)
		out->gso_limit = UINT32_MAX;
}

/* --- the control plane's packets --------------------------------------------------------------- */

/* What must stay in order: a tunnel's control messages, and each session's frames.  RFC 2661 section 3.1. */
static uint32_t stream_of(struct bytes octets)
{
	const uint8_t *p = octets.p;

	if (octets.len < 6)
		return 0;
	return p[0] & 0x80 ? (uint32_t)p[4] << 8 | p[5] :
	       (uint32_t)p[2] << 24 | (uint32_t)p[3] << 16 | (uint32_t)p[4] << 8 | p[5];
}

unsigned plane_user_send(struct plane *plane, const struct plane_packet *packet, unsigned n)
{
	struct worker *sender = &container_of(plane, struct plane_user, plane)->sender;
	uint64_t refused = sender->stats.refused[WHY_DATA_SEND_ERROR];

	worker_clock(sender);
	for (unsigned i = 0; i < n; i++) {
		struct out_packet out = { .row = stream_of(packet[i].octets), .control = &packet[i],
					  .piece = { packet[i].octets } };

		if (out_full(sender))
			out_flush(sender);
		out_add(sender, &out);
	}
	out_flush(sender);
	return n - (unsigned)(sender->stats.refused[WHY_DATA_SEND_ERROR] - refused);
}
