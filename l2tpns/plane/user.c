/* user.c -- the userspace plane as the control thread sees it: tables, punted datagrams, sending, counters. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpns/plane/user_worker.h"

static struct plane_user *user_of(struct plane *plane)
{
	return container_of(plane, struct plane_user, plane);
}

static const struct plane_user *user_of_const(const struct plane *plane)
{
	return (const struct plane_user *)(const void *)((const char *)plane - offsetof(struct plane_user, plane));
}

/* --- plane_ops -------------------------------------------------------------------------------- */

static void tunnel_put(struct plane *plane, const struct fx_tunnel *tunnel)
{
	tables_tunnel_put(&user_of(plane)->tables, tunnel);
}

static void tunnel_drop(struct plane *plane, struct tid tid)
{
	tables_tunnel_drop(&user_of(plane)->tables, tid);
}

static void session_put(struct plane *plane, const struct fx_session *session)
{
	tables_session_put(&user_of(plane)->tables, session);
}

static void session_drop(struct plane *plane, const struct fx_session *session)
{
	tables_session_drop(&user_of(plane)->tables, session);
}

static struct fan_wait *fan_wait(struct plane_user *user, uint32_t fan)
{
	return &user->fan_wait[fan - PLANE_ROUTE_ROOTS];
}

/* Runs on liburcu's thread when every worker has been through a batch since the fan was retired. */
static void fan_grace_over(struct rcu_head *head)
{
	struct fan_wait *wait = container_of(head, struct fan_wait, rcu);
	struct plane_user *user = wait->plane;
	uint32_t fan = (uint32_t)(wait - user->fan_wait) + PLANE_ROUTE_ROOTS;
	uint32_t first = __atomic_load_n(&user->fans_free, __ATOMIC_RELAXED);

	do
		wait->next = first;
	while (!__atomic_compare_exchange_n(&user->fans_free, &first, fan, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static void fans_reclaim(struct plane_user *user)
{
	uint32_t fan = __atomic_exchange_n(&user->fans_free, 0, __ATOMIC_ACQUIRE);

	while (fan) {
		uint32_t next = fan_wait(user, fan)->next;

		route_fan_free(&user->tables.route, fan);
		fan = next;
	}
}

static void fans_retire(struct plane_user *user)
{
	uint32_t fan = route_retired(&user->tables.route);

	if (!fan)
		return;
	urcu_qsbr_register_thread();		/* call_rcu() wants its caller known; we are no reader otherwise */
	for (; fan; fan = route_retired(&user->tables.route)) {
		fan_wait(user, fan)->plane = user;
		urcu_qsbr_call_rcu(&fan_wait(user, fan)->rcu, fan_grace_over);
	}
	urcu_qsbr_unregister_thread();
}

static bool route_put_op(struct plane *plane, const struct fx_route *route)
{
	struct plane_user *user = user_of(plane);
	bool done;

	fans_reclaim(user);
	done = route_put(&user->tables.route, route->prefix, route->row);
	fans_retire(user);
	return done;
}

static void route_drop_op(struct plane *plane, const struct fx_route *route)
{
	struct plane_user *user = user_of(plane);

	route_drop(&user->tables.route, route->prefix, route->row);
	fans_retire(user);
}

static void usage(const struct plane *plane, struct row row, struct plane_usage *out)
{
	tables_usage(&user_of_const(plane)->tables, row, out);
}

static uint64_t refused(const struct plane *plane, enum why why)
{
	const struct plane_user *user = user_of_const(plane);
	uint64_t sum = __atomic_load_n(&user->sender.stats.refused[why], __ATOMIC_RELAXED);

	for (unsigned i = 0; i < user->conf.workers; i++)
		sum += __atomic_load_n(&user->worker[i].stats.refused[why], __ATOMIC_RELAXED);
	return sum;
}

const struct plane_ops plane_user_ops = {
	.name = "userspace",
	.tunnel_put = tunnel_put,
	.tunnel_drop = tunnel_drop,
	.session_put = session_put,
	.session_drop = session_drop,
	.route_put = route_put_op,
	.route_drop = route_drop_op,
	.usage = usage,
	.refused = refused,
};

/* --- datagrams for the control plane ---------------------------------------------------------- */

int plane_user_punt_fd(const struct plane *plane)
{
	return user_of_const(plane)->punt_fd;
}

static unsigned punts_take(struct plane_user *user, struct punt *out, unsigned max, bool strangers)
{
	unsigned n = 0;

	for (unsigned i = 0; i < user->conf.workers; i++) {
		struct worker *w = &user->worker[i];

		while (n < max && ring_take(strangers ? &w->strangers : &w->live, &out[n]))
			out[n++].stranger = strangers;
	}
	return n;
}

static bool punts_waiting(const struct plane_user *user)
{
	for (unsigned i = 0; i < user->conf.workers; i++)
		if (ring_has(&user->worker[i].live) || ring_has(&user->worker[i].strangers))
			return true;
	return false;
}

/* Before it says "none" it tells the workers that it will sleep, and then looks once more: a worker
 * fills its ring first and reads that word afterwards, so one of the two sees the other. */
unsigned plane_user_punts(struct plane *plane, struct punt *out, unsigned max)
{
	struct plane_user *user = user_of(plane);
	uint64_t wakes;
	unsigned n;

	for (;;) {
		n = punts_take(user, out, max, false);
		n += punts_take(user, out + n, max - n, true);
		if (n > 0 || max == 0)
			return n;
		if (read(user->punt_fd, &wakes, sizeof(wakes)) < 0 && errno == EINTR)
			continue;
		__atomic_store_n(&user->reader_asleep, 1, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (!punts_waiting(user))
			return 0;
		__atomic_store_n(&user->reader_asleep, 0, __ATOMIC_SEQ_CST);
	}
}

void plane_user_punts_done(struct plane *plane)
{
	struct plane_user *user = user_of(plane);

	for (unsigned i = 0; i < user->conf.workers; i++) {
		ring_done(&user->worker[i].live);
		ring_done(&user->worker[i].strangers);
	}
}

/* --- counters --------------------------------------------------------------------------------- */

uint64_t plane_user_cpu_us(const struct plane *plane, unsigned worker)
{
	struct timespec used;
	clockid_t clock;

	if (pthread_getcpuclockid(user_of_const(plane)->worker[worker].thread, &clock) != 0 ||
	    clock_gettime(clock, &used) != 0)
		return 0;
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

unsigned plane_user_workers(const struct plane *plane)
{
	return user_of_const(plane)->conf.workers;
}

/* The struct is an array of 64-bit counters, each written by one thread. */
static void stats_add(struct plane_user_stats *sum, const struct plane_user_stats *one)
{
	uint64_t *to = (uint64_t *)(void *)sum;
	const uint64_t *from = (const uint64_t *)(const void *)one;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void plane_user_stats(const struct plane *plane, unsigned worker, struct plane_user_stats *stats)
{
	*stats = (struct plane_user_stats){ 0 };
	ASSERT(worker < user_of_const(plane)->conf.workers);
	stats_add(stats, &user_of_const(plane)->worker[worker].stats);
}

void plane_user_stats_sum(const struct plane *plane, struct plane_user_stats *stats)
{
	const struct plane_user *user = user_of_const(plane);

	*stats = (struct plane_user_stats){ .up_packets = 0 };
	stats_add(stats, &user->sender.stats);
	for (unsigned i = 0; i < user->conf.workers; i++)
		stats_add(stats, &user->worker[i].stats);
}
