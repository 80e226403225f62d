/* io_thread.c -- the cluster thread's turns: wait, hear everybody, do what was asked, let timers run, speak. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "cluster/io_state.h"

#define TURN_DATAGRAMS	256u		/* before timers are looked at */
#define LATE_DATAGRAMS	4096u		/* and after a late wake-up, when what waits must be heard first */
#define FACTS_INTERVAL	DUR_MS(100)
#define LOOK_INTERVAL	DUR_S(1)
#define PRESSED_WAIT	DUR_MS(1)	/* when the control thread has no room */
#define LEAVE_WAIT	DUR_MS(250)

struct mono io_now(void)
{
	struct timespec ts;
	int failed = clock_gettime(CLOCK_MONOTONIC, &ts);

	ASSERT(failed == 0);
	return (struct mono){ (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u };
}

void io_carry_out(struct cluster_io *io)
{
	unsigned failed = 0;

	io_warm_keep(io);
	for (uint32_t i = 0; i < io->out->count; i++) {
		const struct fx *fx = &io->out->fx[i];

		if (fx->kind == FX_CL_SEND) {
			const struct fx_cl_send *send = fx_payload(io->out, fx);

			failed += io_socket_send(&io->socket, send->to,
						 bytes_of(send + 1, fx->len - (uint32_t)sizeof(*send)));
		} else {
			io_event(io, fx);
		}
	}
	failed += io_socket_flush(&io->socket);
	if (failed)
		io_count(io, CLUSTER_IO_SEND_FAILED, failed);
	fx_clear(io->out);
	io_events_pump(io);
}

static void receive_some(struct cluster_io *io, unsigned link, unsigned count, struct mono now)
{
	for (unsigned i = 0; i < count; i++) {
		struct addr from;
		struct bytes datagram = io_socket_datagram(&io->socket, link, i, &from);

		if (!fx_has_room(io->out))
			io_carry_out(io);
		if (cl_received(io->cl, from, datagram, now, io->out) == WHY_OK)
			io_socket_learn(&io->socket, link, i);
	}
	io_carry_out(io);
}

/* False: more waits than was taken. */
static bool receive(struct cluster_io *io, unsigned most)
{
	for (unsigned all = 0; all < most; ) {
		unsigned before = all;

		for (unsigned link = 0; link < io->socket.links; link++) {
			unsigned count = io_socket_receive(&io->socket, link);

			if (count)
				receive_some(io, link, count, io_now());
			all += count;
		}
		if (all == before)
			return true;
	}
	return false;
}

static void links_look(struct cluster_io *io, struct mono now)
{
	char text[64];

	for (unsigned i = 0; i < io->socket.links; i++) {
		struct io_link *link = &io->socket.link[i];

		if (mono_before(now, link->look))
			continue;
		link->look = mono_add(now, LOOK_INTERVAL);
		int changed = io_socket_look(&io->socket, i);

		if (changed == 0)
			continue;
		snprintf(text, sizeof(text), "cluster interface %s is %s", link->name, changed > 0 ? "back" : "gone");
		io_link_event(io, changed > 0, text);
	}
}

void io_facts_fill(struct cluster_io *io, struct mono now)
{
	struct cluster_io_facts *facts = &io->facts;

	pthread_mutex_lock(&io->lock);
	cl_facts(io->cl, now, &facts->cl);
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++)
		facts->known[i] = cl_peer(io->cl, i, now, &facts->peer[i]);
	for (unsigned i = 0; i < CL_STATS; i++)
		facts->stat[i] = cl_stat(io->cl, (enum cl_stat)i);
	for (unsigned i = 0; i < WHYS; i++)
		facts->refused[i] = cl_refused(io->cl, (enum why)i);
	for (unsigned i = 0; i < CLUSTER_IO_LINKS; i++)
		facts->link_up[i] = io->socket.link[i].fd >= 0;
	pthread_mutex_unlock(&io->lock);
}

static void tell(struct cluster_io *io, struct mono now)
{
	__atomic_store_n(&io->time_offset, (int64_t)(cl_time(io->cl, now) - now.us), __ATOMIC_RELAXED);
	io_batches_look(io);
	io_queue_wake(&io->events);
	if (mono_reached(now, io->facts_due)) {
		io_facts_fill(io, now);
		io->facts_due = mono_add(io_now(), FACTS_INTERVAL);
	}
}

/* Until a datagram, a request of the control thread, or `due`. */
static void wait_until(struct cluster_io *io, struct mono due)
{
	struct pollfd fd[1 + CLUSTER_IO_LINKS] = { { .fd = io->asks.fd, .events = POLLIN } };
	struct mono now = io_now(), end = mono_min(due, mono_add(now, LOOK_INTERVAL));
	struct dur left = mono_before(now, end) ? mono_since(end, now) : DUR_US(0);

	if (io->pressing && left.us > PRESSED_WAIT.us)
		left = PRESSED_WAIT;
	for (unsigned i = 0; i < CLUSTER_IO_LINKS; i++)
		fd[1 + i] = (struct pollfd){ .fd = io->socket.link[i].fd, .events = POLLIN };
	io_queue_sleeps(&io->asks);
	if (io_queue_has(&io->asks) || (__atomic_load_n(&io->stop, __ATOMIC_ACQUIRE) && io->leave_until.us == 0))
		left = DUR_US(0);
	struct timespec ts = { .tv_sec = left.us / 1000000, .tv_nsec = left.us % 1000000 * 1000 };

	(void)ppoll(fd, ARRAY_LEN(fd), &ts, NULL);
	io_queue_wakes(&io->asks);
	if (fd[0].revents & POLLIN) {
		eventfd_t n;

		(void)eventfd_read(io->asks.fd, &n);
	}
}

/* True: everybody has been told, or there was time enough. */
static bool left(struct cluster_io *io, struct mono now)
{
	struct cl_status status = cl_status(io->cl);

	if (!__atomic_load_n(&io->stop, __ATOMIC_ACQUIRE))
		return false;
	if (io->leave_until.us == 0) {
		bool master = status.role == CL_ROLE_MASTER;

		cl_leaving(io->cl, now, io->out);
		io_carry_out(io);
		io->leave_until = master ? mono_add(now, LEAVE_WAIT) : now;
	} else if (status.master.n != 0 && !node_eq(status.master, io->conf.cl.self)) {
		return true;
	}
	return mono_reached(now, io->leave_until);
}

void *io_thread(void *arg)
{
	struct cluster_io *io = arg;
	struct dur late_limit = DUR_MS(io->conf.cl.interval_ms);
	struct mono before = io_now();
	bool more = false;

	if (io->conf.thread_began)
		io->conf.thread_began();
	while (!left(io, io_now())) {
		struct mono due = mono_min(cl_next(io->cl), io->leave_until.us ? io->leave_until : MONO_NEVER);

		wait_until(io, more ? (struct mono){ 0 } : due);
		struct mono now = io_now();
		/* Whatever the machine is due since, before the last turn it was not late. */
		struct mono wanted = mono_before(due, before) ? before : due;
		bool late = mono_before(wanted, now) && mono_since(now, wanted).us > late_limit.us;

		before = now;
		if (late) {
			io_count(io, CLUSTER_IO_WAKES_LATE, 1);
			cl_paused(io->cl, mono_since(now, wanted), now);
		}
		more = !receive(io, late ? LATE_DATAGRAMS : TURN_DATAGRAMS);
		more |= io_asks(io, now);
		now = io_now();
		if (mono_reached(now, cl_next(io->cl))) {
			cl_tick(io->cl, now, io->out);
			io_carry_out(io);
		}
		links_look(io, now);
		tell(io, now);
	}
	return NULL;
}
