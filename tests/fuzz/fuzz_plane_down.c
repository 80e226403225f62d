/* fuzz_plane_down.c -- a packet from the tun device through the packet path, segmentation and fragmentation. */
#include "l2tpns/plane/gso.h"
#include "tests/unit/plane_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct plane_world world;

static void world_make(void)
{
	struct fx_tunnel tunnel = plane_tunnel_of(3, LAC_A);
	struct fx_session session = plane_session_of(3, 1);

	plane_world_open(&world);
	tables_tunnel_put(&world.tables, &tunnel);
	plane_session_add(&world, &session);
}

static void segment(struct bytes packet, bool tcp, uint32_t size)
{
	uint8_t head[GSO_HEAD_MAX];
	struct bytes payload;
	struct gso gso;

	if (!gso_begin(&gso, packet, tcp, size))
		return;
	while (gso_next(&gso, head, &payload))
		if (payload.p < packet.p || payload.p + payload.len > packet.p + packet.len ||
			gso.head_len > GSO_HEAD_MAX)
			abort();
}

static void fragment(struct bytes packet, uint32_t mtu)
{
	struct ip4_fragments f;
	uint8_t one[1600];

	if (ip4_fragments_begin(&f, packet, mtu) != WHY_OK)
		return;
	for (;;) {
		struct wr w = wr_of(one, mtu);
		struct ip4_hdr hdr;

		if (!ip4_fragments_next(&f, &w))
			return;
		if (ip4_decode(wr_bytes_of(&w), &hdr) != WHY_OK || !ip4_sum_ok(wr_bytes_of(&w)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fast_packet packet;
	struct fast_down down;
	uint8_t *copy, octets[IP4_ICMP_MAX];
	struct wr w = wr_of(octets, sizeof(octets));

	if (!world.memory)
		world_make();
	if (size < 4)
		return 0;
	size -= 4;				/* the last four octets steer */
	copy = malloc(size + 1);
	memcpy(copy, data, size);
	segment(bytes_of(copy, size), data[size] & 1, 1u + data[size + 1] * 8u);
	fragment(bytes_of(copy, size), 68u + data[size + 2] * 4u);
	if (icmp_error_allowed(bytes_of(copy, size)))
		icmp_error_encode(&w, ip_to4(OURS), ICMP_UNREACHABLE, 1, 0, bytes_of(copy, size));
	(void)!sum_complete(copy, (uint32_t)size, data[size + 2], data[size + 3]);
	packet = (struct fast_packet){ .data = copy, .end = copy + size };
	if (fast_down(&world.tables.fast, &packet, 1, &down) == FAST_FORWARD &&
	    (down.len > size || down.len > 1400 || down.head_len < 7 || down.head_len > FAST_HEAD_MAX))
		abort();
	free(copy);
	return 0;
}
