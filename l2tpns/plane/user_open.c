/* user_open.c -- the userspace plane opened and closed: memory, sockets, threads. */
#include <errno.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpns/plane/user_worker.h"

#ifndef UDP_GRO
#define UDP_GRO	104
#endif

#define LIVE_OCTETS	(1u << 20)
#define STRANGER_OCTETS	(1u << 18)
#define SOCKET_OCTETS	(2u << 20)	/* some milliseconds at overload: more would only be delay */
#define REJECTS_PER_S	100u
#define UNKNOWN_PER_S	2000u	/* packets each worker passes to another node, at most */

static PRINTF_LIKE(3, 4) int fail(char error[PLANE_ERROR_MAX], int number, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(error, PLANE_ERROR_MAX, format, args);
	va_end(args);
	if (number && len >= 0 && len < PLANE_ERROR_MAX)
		snprintf(error + len, PLANE_ERROR_MAX - (size_t)len, ": %s", strerror(number));
	return number ? -number : -EINVAL;
}

/* --- memory: one mapping, zeroed, touched when it is used -------------------------------------- */

static void carve(struct plane_user *user, struct arena *arena)
{
	struct tables_conf conf = tables_conf_of(user->conf.tunnels_max, user->conf.sessions_max);
	uint8_t *memory;

	tables_init(&user->tables, &conf, arena);
	user->fan_wait = arena_take(arena, conf.fans_max, sizeof(*user->fan_wait));
	for (unsigned i = 0; i < user->conf.workers; i++) {
		struct worker *w = &user->worker[i];

		memory = arena_take(arena, 1, LIVE_OCTETS);
		if (memory)
			ring_init(&w->live, memory, LIVE_OCTETS);
		memory = arena_take(arena, 1, STRANGER_OCTETS);
		if (memory)
			ring_init(&w->strangers, memory, STRANGER_OCTETS);
		memory = arena_take(arena, 1, up_size());
		if (memory)
			up_init(w, memory);
		memory = arena_take(arena, 1, down_size());
		if (memory)
			down_init(w, memory);
		memory = arena_take(arena, 1, outbox_size());
		if (memory)
			outbox_init(w, memory);
	}
	memory = arena_take(arena, 1, outbox_size());
	if (memory)
		outbox_init(&user->sender, memory);
}

static struct plane_user *memory_open(const struct plane_user_conf *conf, char error[PLANE_ERROR_MAX])
{
	struct plane_user measure = { .conf = *conf }, *user;
	struct arena arena = { 0 };
	void *memory;

	arena_take(&arena, 1, sizeof(*user));
	carve(&measure, &arena);
	memory = mmap(NULL, arena.used, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		fail(error, errno, "no memory for the plane's tables (%zu MiB)", arena.used >> 20);
		return NULL;
	}
	arena = (struct arena){ .start = memory, .room = arena.used };
	user = arena_take(&arena, 1, sizeof(*user));
	user->conf = *conf;
	user->memory = memory;
	user->memory_len = arena.room;
	user->stop_fd = -1;
	user->punt_fd = -1;
	user->icmp_fd = -1;
	for (unsigned i = 0; i < PLANE_WORKERS_MAX; i++) {
		user->worker[i].epoll = -1;
		for (unsigned k = 0; k < PLANE_BINDS_MAX; k++)
			user->worker[i].udp[k] = -1;
	}
	carve(user, &arena);
	return user;
}

/* --- sockets ---------------------------------------------------------------------------------- */

static void buffer_set(int fd, int forced, int asked, uint32_t octets)
{
	int value = (int)octets;

	if (setsockopt(fd, SOL_SOCKET, forced, &value, sizeof(value)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, asked, &value, sizeof(value));	/* as much as net.core lets us */
}

static int option_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int socket_open(const struct plane_user *user, struct ip bind_to, char error[PLANE_ERROR_MAX])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(user->conf.port),
				  .sin_addr.s_addr = htonl(ip_to4(bind_to).n) };
	uint32_t octets = user->conf.socket_octets ? user->conf.socket_octets : SOCKET_OCTETS;
	char text[IP_TEXT_MAX];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), number;

	if (fd < 0)
		return fail(error, errno, "no UDP socket");
	buffer_set(fd, SO_RCVBUFFORCE, SO_RCVBUF, octets);
	buffer_set(fd, SO_SNDBUFFORCE, SO_SNDBUF, octets);
	/* Outer packets may be cut up on the way: a LAC's path is not the subscriber's business. */
	(void)option_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	(void)option_set(fd, IPPROTO_UDP, UDP_GRO, 1);
	if (option_set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0 ||
	    (user->conf.bind_early && option_set(fd, IPPROTO_IP, IP_FREEBIND, 1) < 0) ||
	    (user->any && option_set(fd, IPPROTO_IP, IP_PKTINFO, 1) < 0) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		number = errno;
		close(fd);
		return fail(error, number, "cannot bind to %s port %u", ip_text(bind_to, text), user->conf.port);
	}
	return fd;
}

/*
 * The kernel spreads datagrams over the workers by addresses and ports: a LAC's packets stay in order, control
 * and data alike, and its receive offload joins them.  Spreading one LAC by session would lose both.
 */
static int sockets_open(struct plane_user *user, char error[PLANE_ERROR_MAX])
{
	for (unsigned k = 0; k < user->conf.binds; k++) {
		for (unsigned i = 0; i < user->conf.workers; i++) {
			int fd = socket_open(user, user->conf.bind[k], error);

			if (fd < 0)
				return fd;
			user->worker[i].udp[k] = fd;
		}
	}
	return 0;
}

/* --- threads ---------------------------------------------------------------------------------- */

static void worker_pin(const struct worker *w)
{
	cpu_set_t allowed, one;
	unsigned cpus, nth;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return;
	cpus = (unsigned)CPU_COUNT(&allowed);
	if (cpus < 2)
		return;
	nth = w->number % cpus;
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || nth-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		(void)pthread_setaffinity_np(w->thread, sizeof(one), &one);
		return;
	}
}

static int workers_start(struct plane_user *user, char error[PLANE_ERROR_MAX])
{
	char name[16];

	for (unsigned i = 0; i < user->conf.workers; i++) {
		struct worker *w = &user->worker[i];
		int number = pthread_create(&w->thread, NULL, worker_run, w);

		if (number)
			return fail(error, number, "cannot start worker %u", i);
		w->running = true;
		snprintf(name, sizeof(name), "plane/%u", i % PLANE_WORKERS_MAX);
		(void)pthread_setname_np(w->thread, name);
		if (user->conf.pin)
			worker_pin(w);
	}
	return 0;
}

static void helper_began(struct rcu_head *head)
{
	container_of(head, struct plane_user, helper)->conf.thread_began();
}

/* liburcu's own thread is one of ours, too. */
static void helper_begin(struct plane_user *user)
{
	if (user->conf.thread_began)
		urcu_qsbr_call_rcu(&user->helper, helper_began);
}

/* Signals are the control thread's: neither a worker nor liburcu's helper takes one. */
static int threads_start(struct plane_user *user, char error[PLANE_ERROR_MAX])
{
	sigset_t all, before;
	int done;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	(void)urcu_qsbr_get_default_call_rcu_data();
	helper_begin(user);
	done = workers_start(user, error);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return done;
}

static int worker_prepare(struct plane_user *user, unsigned number, char error[PLANE_ERROR_MAX])
{
	struct worker *w = &user->worker[number];
	int done;

	w->plane = user;
	w->number = number;
	w->tun = user->conf.tun[number];
	w->icmp.rate_per_s = (user->conf.icmp_rate + user->conf.workers - 1) / user->conf.workers;
	w->rejects.rate_per_s = REJECTS_PER_S;
	w->unknown.rate_per_s = UNKNOWN_PER_S;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		return fail(error, errno, "no epoll descriptor");
	done = worker_watch(w);
	if (done < 0)
		return fail(error, -done, "cannot watch the tun device");
	return 0;
}

static int conf_check(const struct plane_user_conf *conf, char error[PLANE_ERROR_MAX])
{
	if (conf->workers < 1 || conf->workers > PLANE_WORKERS_MAX)
		return fail(error, 0, "%u workers: 1 to %u are possible", conf->workers, PLANE_WORKERS_MAX);
	if (conf->binds < 1 || conf->binds > PLANE_BINDS_MAX)
		return fail(error, 0, "%u addresses to bind to: 1 to %u are possible", conf->binds, PLANE_BINDS_MAX);
	for (unsigned i = 0; i < conf->binds; i++)
		if (!ip_is4(conf->bind[i]))
			return fail(error, 0, "tunnels are served over IPv4 only");
	return 0;
}

static int open_all(struct plane_user *user, char error[PLANE_ERROR_MAX])
{
	int done;

	for (unsigned i = 0; i < user->conf.binds; i++)
		user->any |= ip_to4(user->conf.bind[i]).n == 0;
	user->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	user->punt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (user->stop_fd < 0 || user->punt_fd < 0)
		return fail(error, errno, "no event descriptor");
	if (user->conf.icmp_rate > 0) {
		user->icmp_fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
		if (user->icmp_fd < 0)
			return fail(error, errno, "no raw socket to send ICMP errors");
	}
	user->reader_asleep = 1;
	done = sockets_open(user, error);
	user->sender.plane = user;
	memcpy(user->sender.udp, user->worker[0].udp, sizeof(user->sender.udp));
	for (unsigned i = 0; done >= 0 && i < user->conf.workers; i++)
		done = worker_prepare(user, i, error);
	return done < 0 ? done : threads_start(user, error);
}

int plane_user_open(const struct plane_user_conf *conf, struct plane **plane, char error[PLANE_ERROR_MAX])
{
	int done = conf_check(conf, error);
	struct plane_user *user;

	if (done < 0)
		return done;
	user = memory_open(conf, error);
	if (!user)
		return -ENOMEM;
	user->plane.ops = &plane_user_ops;
	done = open_all(user, error);
	if (done < 0) {
		plane_user_close(&user->plane);
		return done;
	}
	*plane = &user->plane;
	return 0;
}

static void descriptor_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void plane_user_close(struct plane *plane)
{
	struct plane_user *user = container_of(plane, struct plane_user, plane);
	static const uint64_t one = 1;

	if (user->stop_fd >= 0 && write(user->stop_fd, &one, sizeof(one)) < 0)
		ASSERT(errno == EAGAIN);
	for (unsigned i = 0; i < user->conf.workers; i++) {
		struct worker *w = &user->worker[i];

		if (w->running)
			pthread_join(w->thread, NULL);
		descriptor_close(w->epoll);
		for (unsigned k = 0; k < PLANE_BINDS_MAX; k++)
			descriptor_close(w->udp[k]);
	}
	urcu_qsbr_barrier();		/* retired fans wait in memory that is about to go */
	descriptor_close(user->stop_fd);
	descriptor_close(user->punt_fd);
	descriptor_close(user->icmp_fd);
	munmap(user->memory, user->memory_len);
}
