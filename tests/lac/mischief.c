/*
 * mischief.c -- what a bad line, a bad peer and a forger do to the packets we send.
 *
 * Loss, copies and late arrival are what any network does; the server must not
 * lose a call to them.  Garbage and forged packets come beside the real one,
 * which still arrives: the server must not be disturbed by them.
 */
#include "l2tpns/wire/l2tp_hdr.h"
#include "tests/lac/net.h"

#define NOISE_MAX	300u
#define CONTROL_BIT	0x80

static bool chance(struct net *net, double percent)
{
	return percent > 0 && rnd_below(net->rnd, 1000000) < (uint32_t)(percent * 10000.0);
}

/* A copy with some octets changed, and at times a wrong length. */
static struct bytes spoil(struct net *net, struct bytes octets, uint8_t *copy)
{
	uint32_t len = octets.len;

	memcpy(copy, octets.p, len);
	for (uint32_t n = 1 + rnd_below(net->rnd, 4); n > 0; n--)
		copy[rnd_below(net->rnd, len)] = (uint8_t)rnd_u32(net->rnd);
	if (rnd_below(net->rnd, 3) == 0)
		len = 1 + rnd_below(net->rnd, len);
	return bytes_of(copy, len);
}

/* Too short for what it says of itself.  It comes from the right address, so it must not be a valid packet. */
static struct bytes cut(struct net *net, struct bytes octets)
{
	return bytes_of(octets.p, 1 + rnd_below(net->rnd, octets.len > 1 ? octets.len - 1 : 1));
}

static struct bytes noise(struct net *net, uint8_t *room)
{
	uint32_t len = 1 + rnd_below(net->rnd, NOISE_MAX);

	rnd_fill(net->rnd, room, len);
	if (len > 2 && rnd_below(net->rnd, 2) == 0) {
		/* Past the version check, so that the deeper checks are tried. */
		room[0] = rnd_below(net->rnd, 2) ? 0xc8 : (uint8_t)(room[0] & 0x4b);
		room[1] = 0x02;
	}
	return bytes_of(room, len);
}

/* What an attacker who guessed the ids would send: end the tunnel, or the line. */
static struct bytes forgery(struct bytes octets, uint8_t *room)
{
	static const uint8_t stopccn[] = { 0x80, 8, 0, 0, 0, 0, 0, 4, 0x80, 8, 0, 0, 0, 1, 0, 6 };
	static const uint8_t terminate[] = { 0xff, 0x03, 0xc0, 0x21, 5, 1, 0, 4 };
	bool control = octets.p[0] & CONTROL_BIT;
	uint32_t head = control ? L2TP_HDR_CONTROL_LEN : 6;
	const uint8_t *tail = control ? stopccn : terminate;
	uint32_t tail_len = control ? sizeof(stopccn) : sizeof(terminate);

	memcpy(room, octets.p, head);
	memcpy(room + head, tail, tail_len);
	if (control) {
		room[2] = 0;
		room[3] = (uint8_t)(head + tail_len);
	}
	return bytes_of(room, head + tail_len);
}

static void garbage_send(struct net *net, uint32_t sock, const struct sockaddr_in *to, struct bytes octets)
{
	uint8_t room[NET_PACKET_MAX];

	net->counts.garbage++;
	switch (rnd_below(net->rnd, 3)) {
	case 0:
		net_queue(net, NET_FORGER, to, spoil(net, octets, room));
		break;
	case 1:
		net_queue(net, sock, to, cut(net, octets));
		break;
	default:
		net_queue(net, sock, to, noise(net, room));
	}
}

static void forged_send(struct net *net, const struct sockaddr_in *to, struct bytes octets)
{
	uint8_t room[NET_PACKET_MAX];

	net->counts.forged++;
	if (octets.len < L2TP_HDR_CONTROL_LEN || rnd_below(net->rnd, 2) == 0)
		net_queue(net, NET_FORGER, to, octets);
	else
		net_queue(net, NET_FORGER, to, forgery(octets, room));
}

/* Keep one packet back until another has overtaken it. */
static bool delayed(struct net *net, uint32_t sock, const struct sockaddr_in *to, struct bytes octets)
{
	if (net->holds || !chance(net, net->mischief.reorder))
		return false;
	net->held = (struct net_out){ .sock = sock, .len = octets.len, .to = *to };
	memcpy(net->held.octets, octets.p, octets.len);
	net->holds = true;
	net->counts.delayed++;
	return true;
}

void mischief_send(struct net *net, uint32_t sock, const struct sockaddr_in *to, struct bytes octets)
{
	bool release = net->holds;

	if (octets.len == 0 || octets.len > NET_PACKET_MAX)
		return;
	if (chance(net, net->mischief.forge))
		forged_send(net, to, octets);
	if (chance(net, net->mischief.loss)) {
		net->counts.lost++;
	} else if (!delayed(net, sock, to, octets)) {
		net_queue(net, sock, to, octets);
		if (chance(net, net->mischief.duplicate)) {
			net->counts.doubled++;
			net_queue(net, sock, to, octets);
		}
	}
	/* After the real one, so that what it carries is not taken from the server by a spoilt copy. */
	if (chance(net, net->mischief.garbage))
		garbage_send(net, sock, to, octets);
	if (release && net->holds) {
		net->holds = false;
		net_queue(net, net->held.sock, &net->held.to, bytes_of(net->held.octets, net->held.len));
	}
}
