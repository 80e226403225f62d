/* user_worker.c -- one worker's loop: wait, take a batch from whatever has one, tell the control thread. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <urcu-qsbr.h>

#include "l2tpns/plane/user_worker.h"

#define GATHER_US	20u
#define GATHER_PACKETS	16u	/* a batch of so many is worth its wake */
#define GATHER_PPS	200000u
#define RATE_US		1000u	/* the rate is measured over as long at least */

enum { TAG_STOP = PLANE_BINDS_MAX, TAG_TUN };	/* below: the socket of that bound address */

static int watch(struct worker *w, int fd, uint32_t tag)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = tag };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int worker_watch(struct worker *w)
{
	int error = watch(w, w->plane->stop_fd, TAG_STOP);

	if (!error)
		error = watch(w, w->tun, TAG_TUN);
	for (unsigned i = 0; !error && i < w->plane->conf.binds; i++)
		error = watch(w, w->udp[i], i);
	return error;
}

void worker_clock(struct worker *w)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	w->now_s = (uint32_t)now.tv_sec;
	w->now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Once a batch, and only when the reader said it would sleep: the order of its word and our ring
 * is what plane_user_punts() relies on. */
static void reader_wake(struct worker *w)
{
	static const uint64_t one = 1;

	if (!w->punted)
		return;
	w->punted = false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&w->plane->reader_asleep, __ATOMIC_RELAXED) &&
	    __atomic_exchange_n(&w->plane->reader_asleep, 0, __ATOMIC_SEQ_CST)) {
		ssize_t done = write(w->plane->punt_fd, &one, sizeof(one));

		(void)done;	/* an eventfd refuses only when 2^64 wake-ups are pending */
	}
}

static uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t moved(const struct worker *w)
{
	return w->stats.up_packets + w->stats.down_packets + w->stats.punted + w->stats.punted_strangers;
}

/*
 * Above a certain rate packets that arrive one or two at a wake cost more to wake
 * for than to forward: the next ones are given a moment to gather, as a network
 * card does with its interrupts.  Below it nothing is held: a wake in itself is
 * cheaper than a nap.
 */
static void gather(struct worker *w, uint64_t before)
{
	static const struct timespec moment = { .tv_nsec = GATHER_US * 1000 };
	uint64_t now_us = clock_us(), all = moved(w), elapsed_us = now_us - w->rate_us;

	if (elapsed_us >= RATE_US) {
		w->fast = (all - w->rate_moved) * 1000000 / elapsed_us >= GATHER_PPS;
		w->rate_us = now_us;
		w->rate_moved = all;
	}
	if (w->fast && all - before < GATHER_PACKETS)
		(void)nanosleep(&moment, NULL);
}

void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct epoll_event events[PLANE_BINDS_MAX + 2];
	uint64_t before;
	int n;

	if (w->plane->conf.thread_began)
		w->plane->conf.thread_began();
	urcu_qsbr_register_thread();
	urcu_qsbr_thread_offline();
	for (;;) {
		n = epoll_wait(w->epoll, events, PLANE_BINDS_MAX + 2, -1);
		urcu_qsbr_thread_online();
		worker_clock(w);
		before = moved(w);
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == TAG_STOP)
				goto stop;
			if (events[i].data.u32 == TAG_TUN)
				down_drain(w);
			else
				up_drain(w, events[i].data.u32);
			urcu_qsbr_quiescent_state();
		}
		reader_wake(w);
		urcu_qsbr_thread_offline();
		gather(w, before);
	}
stop:
	urcu_qsbr_unregister_thread();
	return NULL;
}
