/*
 * user_worker.h -- what the files of the userspace plane share: one worker, and the plane they make up.
 *
 * user_open.c opens and closes; user.c is what the control thread calls;
 * user_worker.c is the thread's loop; user_up.c and user_down.c are the two
 * directions; user_send.c is the way out to the LACs.  A worker's fields are its
 * thread's, unless they say otherwise.
 */
#ifndef PLANE_USER_WORKER_H
#define PLANE_USER_WORKER_H

#include <netinet/in.h>
#include <pthread.h>
#include <urcu-qsbr.h>

#include "l2tpns/plane/tables.h"
#include "l2tpns/plane/user.h"
#include "l2tpns/plane/user_ring.h"

#define WORKER_BATCH		64u		/* datagrams, or packets, taken at a time */
#define VNET_LEN		10u		/* struct virtio_net_hdr, before each packet of the tun device */
#define SUPER_MAX		65536u		/* octets of the largest packet or datagram the kernel hands over */

struct bucket {				/* tokens, refilled by time; thousandths of one */
	uint64_t	tokens, rate_per_s;
	uint64_t	filled_ms;
};

/* A fan that no entry names any more, until no worker can be reading it. */
struct fan_wait {
	struct rcu_head		 rcu;
	struct plane_user	*plane;
	uint32_t		 next;			/* in plane->fans_free */
};

struct up;				/* user_up.c's buffers */
struct down;				/* user_down.c's */
struct out;				/* user_send.c's */

struct worker {
	struct plane_user	*plane;
	unsigned		 number;
	pthread_t		 thread;
	int			 epoll, tun;
	int			 udp[PLANE_BINDS_MAX];
	bool			 running;		/* user_open.c's: the thread exists */
	bool			 punted;		/* something since the reader was last woken */
	uint64_t		 rate_us, rate_moved;	/* when its rate was measured last, and what it had moved */
	bool			 fast;			/* at such a rate that batches are waited for */
	uint32_t		 now_s;
	uint64_t		 now_ms;
	struct bucket		 icmp, rejects, unknown;
	struct ring		 live, strangers;	/* shared with the control thread */
	struct up		*up;
	struct down		*down;
	struct out		*out;
	struct plane_user_stats	 stats;			/* written here, read anywhere */
};

struct plane_user {
	struct plane		 plane;
	struct rcu_head		 helper;		/* liburcu's thread, as it begins */
	struct tables		 tables;
	struct plane_user_conf	 conf;
	bool			 any;			/* bound to any address: senders say which is ours */
	int			 stop_fd;		/* readable: the workers end */
	int			 punt_fd;
	int			 icmp_fd;		/* raw socket, shared; -1: no ICMP errors are sent */
	uint32_t		 reader_asleep;		/* atomic: wake the reader through punt_fd */
	uint32_t		 pass_unknown;		/* atomic: what belongs to no session here is punted */
	struct worker		 sender;		/* the control thread's: the first worker's sockets */
	void			*memory;
	size_t			 memory_len;
	struct fan_wait		*fan_wait;		/* one a fan: what it waits with when it is retired */
	uint32_t		 fans_free;		/* atomic: first of the fans whose grace period is over */
	struct worker		 worker[PLANE_WORKERS_MAX];
};

/* A counter of one writer: plain addition, but readers never see half of it. */
static inline void stat_add(uint64_t *stat, uint64_t n)
{
	__atomic_store_n(stat, *stat + n, __ATOMIC_RELAXED);
}

static inline void refuse(struct worker *w, unsigned why, uint64_t n)
{
	stat_add(&w->stats.refused[why], n);
}

MUST_USE static inline bool bucket_take(struct bucket *b, uint64_t now_ms)
{
	b->tokens += (now_ms - b->filled_ms) * b->rate_per_s;
	b->filled_ms = now_ms;
	if (b->tokens > b->rate_per_s * 1000)
		b->tokens = b->rate_per_s * 1000;	/* a second's worth at most */
	if (b->tokens < 1000)
		return false;
	b->tokens -= 1000;
	return true;
}

MUST_USE int worker_watch(struct worker *w);	/* 0 or -errno: have its descriptors watched */
void worker_clock(struct worker *w);			/* what time it is, for the batch at hand */
void *worker_run(void *worker);			/* the thread */
extern const struct plane_ops plane_user_ops;

/* user_pass.c: a packet whose session is not known here, for a node that knows it.  False: it is dropped. */
MUST_USE bool pass_unknown(struct worker *w, struct addr from, struct ip local, struct bytes packet);

/* How much memory each part wants, and then its share of it. */
size_t up_size(void);
void up_init(struct worker *w, uint8_t *memory);
void up_drain(struct worker *w, unsigned bind);		/* one batch from a socket */

size_t down_size(void);
void down_init(struct worker *w, uint8_t *memory);
void down_drain(struct worker *w);			/* one batch from the tun device */

size_t outbox_size(void);
void outbox_init(struct worker *w, uint8_t *memory);

/* Which socket sends from that address. */
int out_socket(const struct worker *w, const uint32_t local[4]);

/* Give a packet for a tunnel's peer to the next sendmmsg.  Its octets, in one piece or two, stay
 * until out_flush(); `tail`: it may be shorter than those before it and ends their message. */
struct out_packet {
	uint32_t	row;		/* packets of one session (or one tunnel's control messages) leave in order */
	uint16_t	tid;
	bool		tail;
	const struct plane_packet *control;	/* where to, for the control plane's; else NULL: to the tunnel's peer */
	struct bytes	piece[2];
};
bool out_full(const struct worker *w);			/* flush first */
void out_add(struct worker *w, const struct out_packet *packet);
void out_flush(struct worker *w);

#endif
