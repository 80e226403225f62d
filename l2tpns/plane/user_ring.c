/* user_ring.c -- records in a ring of octets, sixteen-aligned, never wrapping around. */
#include "l2tpns/plane/user_ring.h"

#define RING_SKIP	0x80000000u	/* nothing here: the rest of the ring was too short */

struct ring_record {
	uint32_t	size;		/* octets to the next record; RING_SKIP */
	uint32_t	len;
	struct ip	local;
	struct addr	from;
};

static uint32_t record_size(uint32_t len)
{
	return (uint32_t)(sizeof(struct ring_record) + len + 15) & ~15u;
}

void ring_init(struct ring *ring, uint8_t *octets, uint32_t size)
{
	ASSERT((size & (size - 1)) == 0 && size >= 4 * record_size(RING_PACKET_MAX));
	*ring = (struct ring){ .octets = octets, .size = size };
}

bool ring_put(struct ring *ring, struct addr from, struct ip local, struct bytes packet)
{
	uint32_t need = record_size(packet.len), head = ring->head, at = head & (ring->size - 1);
	uint32_t room = ring->size - (head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE));
	uint32_t skip = ring->size - at < need ? ring->size - at : 0;
	struct ring_record *record;

	if (packet.len > RING_PACKET_MAX || need + skip > room)
		return false;
	if (skip) {
		*(uint32_t *)(void *)(ring->octets + at) = RING_SKIP | skip;
		at = 0;
	}
	record = (struct ring_record *)(void *)(ring->octets + at);
	*record = (struct ring_record){ .size = need, .len = packet.len, .local = local, .from = from };
	memcpy(record + 1, packet.p, packet.len);
	__atomic_store_n(&ring->head, head + skip + need, __ATOMIC_RELEASE);
	return true;
}

bool ring_take(struct ring *ring, struct punt *out)
{
	uint32_t head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);

	while (ring->taken != head) {
		const uint8_t *at = ring->octets + (ring->taken & (ring->size - 1));
		const struct ring_record *record = (const struct ring_record *)(const void *)at;
		uint32_t size = *(const uint32_t *)(const void *)at;

		ring->taken += size & ~RING_SKIP;
		if (size & RING_SKIP)
			continue;
		*out = (struct punt){ .from = record->from, .local = record->local,
				      .packet = bytes_of(record + 1, record->len) };
		return true;
	}
	return false;
}

void ring_done(struct ring *ring)
{
	__atomic_store_n(&ring->tail, ring->taken, __ATOMIC_RELEASE);
}

bool ring_has(const struct ring *ring)
{
	return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) != ring->taken;
}
