/* io_queue.c -- records in a ring of octets, eight-aligned, never wrapping around. */
#include <sys/eventfd.h>

#include "cluster/io_queue.h"

#define SKIP		0x80000000u	/* nothing here: the rest of the ring was too short */

static uint32_t size_of(uint32_t len)
{
	return (uint32_t)(sizeof(struct io_record) + len + 7) & ~7u;
}

void io_queue_init(struct io_queue *queue, uint8_t *octets, uint32_t size, int fd)
{
	ASSERT((size & (size - 1)) == 0 && size < SKIP && size >= 4 * size_of(IO_QUEUE_RECORD_MAX));
	memset(queue, 0, sizeof(*queue));
	queue->octets = octets;
	queue->size = size;
	queue->fd = fd;
}

static uint32_t used(const struct io_queue *queue)
{
	return queue->head - __atomic_load_n(&queue->tail, __ATOMIC_ACQUIRE);
}

/* The end of the ring may be wasted for a record that does not fit there. */
uint32_t io_queue_room(const struct io_queue *queue)
{
	uint32_t waste = size_of(IO_QUEUE_RECORD_MAX), left = queue->size - used(queue);

	return left > waste ? left - waste : 0;
}

bool io_queue_put(struct io_queue *queue, const struct io_record *record, struct bytes first, struct bytes second)
{
	uint32_t len = first.len + second.len, need = size_of(len);
	uint32_t head = queue->head, at = head & (queue->size - 1), in_use = used(queue);
	uint32_t end = queue->size - at;
	uint32_t skip = end < need ? end : 0;

	ASSERT(len <= IO_QUEUE_RECORD_MAX);
	if (need + skip > queue->size - in_use)
		return false;
	if (skip) {
		((struct io_record *)(void *)(queue->octets + at))->size = SKIP | skip;
		at = 0;
	}
	struct io_record *to = (struct io_record *)(void *)(queue->octets + at);
	uint8_t *octets = (uint8_t *)(to + 1);

	*to = *record;
	to->size = need;
	to->len = len;
	if (first.len)
		memcpy(octets, first.p, first.len);
	if (second.len)
		memcpy(octets + first.len, second.p, second.len);
	__atomic_store_n(&queue->head, head + skip + need, __ATOMIC_RELEASE);
	return true;
}

/* The two full fences, here and in io_queue_sleeps(), make sure that either the reader sees what was written
 * or the writer sees that the reader sleeps. */
void io_queue_wake(struct io_queue *queue)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&queue->sleeping, __ATOMIC_RELAXED) &&
	    __atomic_exchange_n(&queue->sleeping, 0, __ATOMIC_SEQ_CST))
		(void)eventfd_write(queue->fd, 1);
}

const struct io_record *io_queue_take(struct io_queue *queue)
{
	uint32_t head = __atomic_load_n(&queue->head, __ATOMIC_ACQUIRE);

	while (queue->taken != head) {
		const uint8_t *at = queue->octets + (queue->taken & (queue->size - 1));
		const struct io_record *record = (const struct io_record *)(const void *)at;
		uint32_t size = record->size;

		queue->taken += size & ~SKIP;
		if (!(size & SKIP))
			return record;
	}
	return NULL;
}

void io_queue_done(struct io_queue *queue)
{
	__atomic_store_n(&queue->tail, queue->taken, __ATOMIC_RELEASE);
}

bool io_queue_has(const struct io_queue *queue)
{
	return __atomic_load_n(&queue->head, __ATOMIC_ACQUIRE) != queue->taken;
}

void io_queue_sleeps(struct io_queue *queue)
{
	__atomic_store_n(&queue->sleeping, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void io_queue_wakes(struct io_queue *queue)
{
	__atomic_store_n(&queue->sleeping, 0, __ATOMIC_SEQ_CST);
}
