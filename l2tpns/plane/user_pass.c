/* user_pass.c -- between nodes of a cluster: packets of sessions unknown here, and those that others did not know. */
#include <netinet/in.h>
#include <unistd.h>

#include "l2tpns/plane/fast_down.h"
#include "l2tpns/plane/fast_up.h"
#include "l2tpns/plane/user_worker.h"

#define ROOM	(RING_PACKET_MAX + 64u)
#define PASS_MAX	2000u	/* a longer packet is not passed on */

static struct plane_user *user_of(struct plane *plane)
{
	return container_of(plane, struct plane_user, plane);
}

void plane_user_pass_unknown(struct plane *plane, bool on)
{
	__atomic_store_n(&user_of(plane)->pass_unknown, on, __ATOMIC_RELAXED);
}

bool pass_unknown(struct worker *w, struct addr from, struct ip local, struct bytes packet)
{
	if (!__atomic_load_n(&w->plane->pass_unknown, __ATOMIC_RELAXED) || packet.len > PASS_MAX ||
	    !bucket_take(&w->unknown, w->now_ms) || !ring_put(&w->strangers, from, local, packet))
		return false;
	stat_add(&w->stats.punted_strangers, 1);
	w->punted = true;
	return true;
}

/* The sender is the control thread's worker; its counters are nobody else's. */
bool plane_user_forward_up(struct plane *plane, struct addr from, struct bytes packet)
{
	struct plane_user *user = user_of(plane);
	struct worker *w = &user->sender;
	uint8_t octets[ROOM];
	uint8_t *data = octets + VNET_LEN;	/* the inner packet has room for its virtio header before it */
	struct fast_packet fast = { .data = data, .end = data + packet.len };
	struct fast_from who = { .port = from.port };
	struct fast_up up;

	if (packet.len > RING_PACKET_MAX)
		return false;
	memcpy(data, packet.p, packet.len);
	memcpy(who.peer, from.ip.b, sizeof(who.peer));
	worker_clock(w);
	if (fast_up(&user->tables.fast, &fast, &who, w->now_s, &up) != FAST_FORWARD)
		return false;
	uint8_t *start = data + up.at - VNET_LEN;

	memset(start, 0, VNET_LEN);
	if (write(user->conf.tun[0], start, VNET_LEN + up.len) < 0)
		refuse(w, WHY_DATA_TUN_ERROR, 1);
	stat_add(&w->stats.up_packets, 1);
	stat_add(&w->stats.up_octets, up.len);
	return true;
}

bool plane_user_forward_down(struct plane *plane, struct bytes packet)
{
	struct plane_user *user = user_of(plane);
	struct worker *w = &user->sender;
	uint8_t octets[ROOM];
	uint8_t *ip = octets + FAST_HEAD_MAX;
	struct fast_packet fast = { .data = ip, .end = ip + packet.len };
	struct fast_down down;

	if (packet.len > RING_PACKET_MAX)
		return false;
	memcpy(ip, packet.p, packet.len);
	worker_clock(w);
	if (fast_down(&user->tables.fast, &fast, w->now_s, &down) != FAST_FORWARD)
		return false;
	struct out_packet out = { .row = down.row, .tid = down.tid,
				  .piece = { bytes_of(ip - down.head_len, down.head_len + down.len) } };

	memcpy(ip - down.head_len, down.head, down.head_len);
	out_add(w, &out);
	out_flush(w);
	stat_add(&w->stats.down_packets, 1);
	stat_add(&w->stats.down_octets, down.len);
	return true;
}
