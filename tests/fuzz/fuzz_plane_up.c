/* fuzz_plane_up.c -- a UDP payload through the packet path and the merging of what it forwards. */
#include "l2tpns/plane/gro.h"
#include "tests/unit/plane_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct plane_world world;

static void world_make(void)
{
	struct fx_tunnel tunnel = plane_tunnel_of(3, LAC_A);

	plane_world_open(&world);
	tables_tunnel_put(&world.tables, &tunnel);
	for (uint32_t row = 1; row <= 4; row++) {
		struct fx_session session = plane_session_of(3, row);

		session.source_check = row < 3;
		plane_session_add(&world, &session);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gro gro;
	struct fast_from from = plane_from(LAC_A);
	struct fast_packet packet;
	struct fast_up up;
	uint8_t *copy;

	if (!world.memory)
		world_make();
	gro_begin(&gro, true);
	copy = malloc(size + 1);
	/* Twice the same, so that merging has something to try. */
	for (unsigned i = 0; i < 2; i++) {
		memcpy(copy, data, size);
		packet = (struct fast_packet){ .data = copy, .end = copy + size };
		if (fast_up(&world.tables.fast, &packet, &from, 1, &up) != FAST_FORWARD)
			break;
		if (up.at + up.len > size || up.len < IP4_HDR_LEN || up.row == 0 || up.row > 4)
			abort();
		gro_add(&gro, copy + up.at, up.len);
	}
	for (unsigned i = 0; i < gro.groups; i++)
		if (gro.group[i].count > 1)
			gro_head(&gro, &gro.group[i]);
	free(copy);
	return 0;
}
