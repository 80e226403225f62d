/* shell_held.c -- a ring of octets: packets in the order in which they may go. */
#include <sys/mman.h>

#include "l2tpns/shell_held.h"

#define HELD_WRAP	0u	/* an entry of this length: the rest of the ring is left out */

struct held_entry {
	uint64_t	batch;
	struct ip	from;
	struct addr	to;
	uint32_t	len;
	uint32_t	space;		/* octets of the ring it takes, with this header */
};

static size_t at_of(const struct held *held, uint64_t place)
{
	return (size_t)(place & (held->size - 1));
}

bool held_open(struct held *held, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return false;
	*held = (struct held){ .octets = memory, .size = size };
	return true;
}

void held_close(struct held *held)
{
	if (held->octets)
		(void)munmap(held->octets, held->size);
	*held = (struct held){ 0 };
}

bool held_put(struct held *held, uint64_t batch, const struct plane_packet *packet)
{
	uint32_t space = (uint32_t)(sizeof(struct held_entry) + packet->octets.len + 15) & ~15u;
	size_t at = at_of(held, held->head), left = held->size - at;
	size_t wrap = left < space ? left : 0;	/* an entry never goes over the ring's end */

	if (held_room(held) < wrap + space)
		return false;
	if (wrap) {
		struct held_entry rest = { .batch = batch, .len = HELD_WRAP, .space = (uint32_t)wrap };

		if (wrap >= sizeof(rest))
			memcpy(held->octets + at, &rest, sizeof(rest));
		held->head += wrap;
		at = 0;
	}
	struct held_entry entry = { .batch = batch, .from = packet->from, .to = packet->to,
				    .len = packet->octets.len, .space = space };

	memcpy(held->octets + at, &entry, sizeof(entry));
	memcpy(held->octets + at + sizeof(entry), packet->octets.p, packet->octets.len);
	held->head += space;
	held->packets++;
	return true;
}

/* The packet at or behind *at; what is left at the ring's end is passed over. */
bool held_next(const struct held *held, uint64_t released, struct plane_packet *packet, uint64_t *at)
{
	struct held_entry entry;

	while (*at != held->head) {
		size_t place = at_of(held, *at), left = held->size - place;

		if (left < sizeof(entry)) {
			*at += left;
			continue;
		}
		memcpy(&entry, held->octets + place, sizeof(entry));
		if (entry.len == HELD_WRAP) {
			*at += entry.space;
			continue;
		}
		if (entry.batch > released)
			return false;
		*packet = (struct plane_packet){ .from = entry.from, .to = entry.to,
			.octets = bytes_of(held->octets + place + sizeof(entry), entry.len) };
		*at += entry.space;
		return true;
	}
	return false;
}

void held_done(struct held *held, uint64_t at, unsigned packets)
{
	ASSERT(at >= held->tail && at <= held->head && packets <= held->packets);
	held->tail = at;
	held->packets -= packets;
}

void held_clear(struct held *held)
{
	held->tail = held->head;
	held->packets = 0;
}
