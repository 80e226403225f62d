/*
 * io_state.h -- what struct cluster_io is made of; for cluster/io*.c only.
 *
 * Each field belongs to the control thread, to the cluster thread, or is atomic;
 * `lock` guards the facts alone.
 */
#ifndef CLUSTER_IO_STATE_H
#define CLUSTER_IO_STATE_H

#include <pthread.h>

#include "cluster/io.h"
#include "cluster/io_link.h"
#include "cluster/io_queue.h"
#include "cluster/io_socket.h"

#define IO_QUEUE_OCTETS		(16u * 1024 * 1024)
#define IO_LATER_OCTETS		(1u * 1024 * 1024)
#define IO_RESERVE		(1u * 1024 * 1024)	/* of a queue: kept for what must not be dropped */
#define IO_BATCHES		65536u			/* batches that wait to be committed */

enum io_ask {				/* control thread to cluster thread */
	ASK_CHANGE,			/* key, octets */
	ASK_TOUCH,			/* key */
	ASK_BATCH,			/* number */
	ASK_FORWARD,			/* flag: kind, small: hops, struct io_from, the packet */
	ASK_BYTES,			/* octets */
	ASK_COMMAND,			/* flag: verb, small: node, key: number */
	ASK_SECRETS,			/* flag: sending, the secrets */
	ASK_HEALTHY,			/* flag */
	ASK_CONFIGURED,			/* struct cl_conf */
	ASK_RESTORED			/* number: all of that round was read */
};

#define EVENT_RESTORED		((uint8_t)CLUSTER_EVENTS)	/* number: the round; answered by ASK_RESTORED */

struct io_from { struct addr from; struct ip local; };

struct io_batch {
	uint64_t	number;
	struct version	upto;		/* 0: nothing changed in it */
	uint32_t	term;
};

struct io_lost {			/* changes that came when this node was not master: see io.h */
	uint64_t	*bit;		/* by key: its record is to be handed out again */
	uint32_t	 words, scan;
	bool		 losing;	/* every change is lost until the control thread has read what stands */
	bool		 owed;		/* bits are set, or EVENT_RESTORED is not yet on its way */
	uint64_t	 round;		/* the control thread answers with it when it has read so far */
	uint32_t	 master_term;	/* of the last ROLE, if it was a master's; else 0 */
};

struct cluster_io {
	struct cluster_io_conf conf;
	void		*memory;
	size_t		 octets;
	struct io_warm	*warm;		/* the table's own memory, shared with whoever comes after us; NULL: none */
	size_t		 warm_octets;
	int		 warm_fd;	/* locked: one process uses it */
	struct cl	*cl;
	struct fx_list	*out;
	pthread_t	 thread;
	struct io_queue	 asks, events;
	void		*rings;

	/* the control thread's */
	uint64_t	 batch;
	uint64_t	 told_released, told_lost;

	/* atomic */
	uint64_t	 released, lost;
	int64_t		 time_offset;
	bool		 stop;
	uint64_t	 stat[CLUSTER_IO_STATS];

	/* the cluster thread's */
	struct io_socket socket;
	struct io_queue	 later;		/* events for which there was no room; this thread is both ends */
	const struct io_record *later_head;
	unsigned	 later_drops;	/* DROPs among them */
	bool		 drop_owed, role_owed;	/* not even there was room */
	bool		 pressing;	/* something waits for room, or was more than one turn's work */
	struct io_batch	 waiting[IO_BATCHES];
	uint32_t	 waiting_in, waiting_out;
	bool		 batch_changed, batch_lost;	/* the batch that is not complete */
	uint32_t	 batch_term;
	struct io_lost	 lost_keys;
	struct mono	 facts_due;
	struct mono	 leave_until;	/* 0: we stay */

	pthread_mutex_t	 lock;		/* guards the facts */
	struct cluster_io_facts facts;
};

static inline void io_count(struct cluster_io *io, enum cluster_io_stat stat, uint64_t n)
{
	__atomic_fetch_add(&io->stat[stat], n, __ATOMIC_RELAXED);
}

/* io_warm.c: 0, or -errno after a sentence.  The machine is made, with the table of an earlier process if there is
 * one; `said` is a sentence for the log, or empty. */
int io_warm_open(struct cluster_io *io, const uint8_t seed[RND_SEED_LEN], struct arena *arena, char *said, size_t len);
void io_warm_keep(struct cluster_io *io);	/* before anything is sent */
void io_warm_close(struct cluster_io *io);

/* io_thread.c */
void *io_thread(void *io);
void io_facts_fill(struct cluster_io *io, struct mono now);
struct mono io_now(void);
void io_carry_out(struct cluster_io *io);

/* io_asks.c: a bounded number of what the control thread asked; false: nothing was left. */
bool io_asks(struct cluster_io *io, struct mono now);
void io_batches_look(struct cluster_io *io);

/* The events whose record holds an effect's payload, as it is: how long its fixed part is. */
struct io_event_row { uint8_t kind; bool kept; uint16_t fixed; };
extern const struct io_event_row io_event_rows[FX_KINDS];

/* io_events.c: one effect for the control thread; and what waits for room there. */
void io_event(struct cluster_io *io, const struct fx *fx);
void io_link_event(struct cluster_io *io, bool there, const char *text);
void io_events_pump(struct cluster_io *io);

#endif
