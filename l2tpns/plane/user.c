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
	uint64_t sum = why == WHY_DATA_SEND_ERROR ? user->send_refused : 0;

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

/* --- sending for the control plane ------------------------------------------------------------ */

struct send_slot {
	struct sockaddr_in	to;
	struct iovec		iov;
	union {
		struct cmsghdr	header;
		uint8_t		octets[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
};

static int send_prepare(struct plane_user *user, const struct plane_packet *packet, struct send_slot *slot,
			struct msghdr *msg)
{
	uint32_t from = htonl(ip_to4(packet->from).n), local[4];

	memcpy(local, packet->from.b, sizeof(local));
	slot->to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(packet->to.port),
					 .sin_addr.s_addr = htonl(ip_to4(packet->to.ip).n) };
	slot->iov = (struct iovec){ .iov_base = (void *)(uintptr_t)packet->octets.p, .iov_len = packet->octets.len };
	*msg = (struct msghdr){ .msg_name = &slot->to, .msg_namelen = sizeof(slot->to),
				.msg_iov = &slot->iov, .msg_iovlen = 1 };
	if (user->any) {
		struct in_pktinfo info = { .ipi_spec_dst.s_addr = from };

		slot->control.header = (struct cmsghdr){ .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO,
							 .cmsg_len = CMSG_LEN(sizeof(info)) };
		memcpy(CMSG_DATA(&slot->control.header), &info, sizeof(info));
		msg->msg_control = &slot->control;
		msg->msg_controllen = sizeof(slot->control);
	}
	return out_socket(&user->worker[0], local);
}

unsigned plane_user_send(struct plane *plane, const struct plane_packet *packet, unsigned n)
{
	struct plane_user *user = user_of(plane);
	struct send_slot slot[PLANE_SEND_MAX];
	struct mmsghdr msg[PLANE_SEND_MAX];
	unsigned taken = 0;

	for (unsigned done = 0; done < n;) {
		unsigned count = 0, at = 0;
		int fd = -1, sent;

		for (; count < PLANE_SEND_MAX && done + count < n; count++) {
			int that = send_prepare(user, &packet[done + count], &slot[count], &msg[count].msg_hdr);

			if (count > 0 && that != fd)
				break;
			fd = that;
		}
		while (at < count) {
			sent = sendmmsg(fd, msg + at, count - at, MSG_DONTWAIT);
			if (sent > 0) {
				at += (unsigned)sent;
				taken += (unsigned)sent;
			} else if (errno != EINTR) {
				at++;			/* this one is lost; retransmission is the protocol's */
				user->send_refused++;
			}
		}
		done += count;
	}
	return taken;
}

/* --- counters --------------------------------------------------------------------------------- */

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

	*stats = (struct plane_user_stats){ .refused[WHY_DATA_SEND_ERROR] = user->send_refused };
	for (unsigned i = 0; i < user->conf.workers; i++)
		stats_add(stats, &user->worker[i].stats);
}
