/*
 * io_queue.h -- records from one thread to another: one writer, one reader, no lock.
 *
 * A ring of octets.  The writer never waits: what does not fit is refused.  The
 * reader lends records out of the ring itself until it gives them back.  A descriptor
 * is written only when the reader has said that it sleeps.
 */
#ifndef CLUSTER_IO_QUEUE_H
#define CLUSTER_IO_QUEUE_H

#include "l2tpns/base/base.h"

#define IO_QUEUE_RECORD_MAX	4096u		/* octets behind the header of one record */

struct io_record {
	uint32_t	size;		/* the queue's own: octets to the next record */
	uint32_t	len;		/* octets that follow */
	uint32_t	key;
	uint8_t		kind;
	uint8_t		flag;
	uint16_t	small;
	uint64_t	number;
};

struct io_queue {
	uint8_t		*octets;
	uint32_t	 size;		/* a power of two */
	int		 fd;		/* an eventfd of the reader's; -1: nobody sleeps here */
	uint32_t	 head __attribute__((aligned(64)));	/* the writer's: all below is written */
	uint32_t	 tail __attribute__((aligned(64)));	/* the reader's: all below is free again */
	uint32_t	 taken;		/* the reader's: lent and not yet given back */
	uint32_t	 sleeping __attribute__((aligned(64)));
};

void io_queue_init(struct io_queue *queue, uint8_t *octets, uint32_t size, int fd);

/* The writer's.  Room for so many octets of records, each counted with 32 more than it has. */
uint32_t io_queue_room(const struct io_queue *queue);
/* Append a record and its octets, from up to two places.  False: no room. */
MUST_USE bool io_queue_put(struct io_queue *queue, const struct io_record *record, struct bytes first,
			   struct bytes second);
/* What was put, or said elsewhere, is to be looked at. */
void io_queue_wake(struct io_queue *queue);

/* The reader's.  NULL: empty.  io_queue_done() gives everything taken back. */
MUST_USE const struct io_record *io_queue_take(struct io_queue *queue);
void io_queue_done(struct io_queue *queue);
bool io_queue_has(const struct io_queue *queue);
/* The reader is about to wait for the descriptor; it must look once more after this. */
void io_queue_sleeps(struct io_queue *queue);
void io_queue_wakes(struct io_queue *queue);

static inline struct bytes io_record_octets(const struct io_record *record)
{
	return bytes_of(record + 1, record->len);
}

#endif
