/* io.c -- the control thread's end of the cluster: opening, asking, and reading what happened. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cluster/io_state.h"

#define PRIORITY	2		/* real-time: above the control thread's 1 */

static const struct { const char *name, *help; } stat_rows[CLUSTER_IO_STATS] = {
	[CLUSTER_IO_EVENTS_DROPPED] = { "events_dropped",
		"packets, counters and log lines from other nodes the control thread was too slow for" },
	[CLUSTER_IO_ANSWERS_DROPPED] = { "answers_dropped",
		"answers to commands and offered records the control thread was too slow for" },
	[CLUSTER_IO_ASKS_DROPPED] = { "asks_dropped", "packets and counters the cluster thread was too slow for" },
	[CLUSTER_IO_LOST_CHANGES] = { "lost_changes", "changes made after this node ceased to be master" },
	[CLUSTER_IO_SEND_FAILED] = { "send_failed", "cluster datagrams the system refused to send" },
	[CLUSTER_IO_WAKES_LATE] = { "wakes_late", "times the cluster thread woke late by a heartbeat or more" },
};

const char *cluster_io_stat_name(enum cluster_io_stat stat)
{
	ASSERT(stat < CLUSTER_IO_STATS);
	return stat_rows[stat].name;
}

const char *cluster_io_stat_help(enum cluster_io_stat stat)
{
	ASSERT(stat < CLUSTER_IO_STATS);
	return stat_rows[stat].help;
}

/* ---- opening ---- */

static void *room_for(size_t octets)
{
	void *memory = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int rings_open(struct cluster_io *io)
{
	uint8_t *octets = io->rings = room_for(2 * IO_QUEUE_OCTETS + IO_LATER_OCTETS);
	int asked = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), happened = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	io->asks.fd = asked;
	io->events.fd = happened;
	if (asked < 0 || happened < 0)
		return -errno;
	if (!octets)
		return -ENOMEM;
	io_queue_init(&io->asks, octets, IO_QUEUE_OCTETS, asked);
	io_queue_init(&io->events, octets + IO_QUEUE_OCTETS, IO_QUEUE_OCTETS, happened);
	io_queue_init(&io->later, octets + 2 * IO_QUEUE_OCTETS, IO_LATER_OCTETS, -1);
	io_queue_sleeps(&io->events);
	return 0;
}

static int machine_open(struct cluster_io *io, char error[CLUSTER_IO_ERROR_MAX])
{
	uint8_t seed[RND_SEED_LEN];
	char said[CLUSTER_IO_ERROR_MAX];

	io->lost_keys.words = io->conf.cl.keys / 64 + 1;
	io->lost_keys.bit = calloc(io->lost_keys.words, sizeof(*io->lost_keys.bit));
	io->out = malloc(sizeof(*io->out));
	io->octets = cl_size(&io->conf.cl);
	io->memory = room_for(io->octets);
	if (!io->lost_keys.bit || !io->out || !io->memory)
		return -ENOMEM;
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	struct arena arena = { .start = io->memory, .room = io->octets };
	int failed;

	fx_clear(io->out);
	failed = io_warm_open(io, seed, &arena, said, sizeof(said));
	explicit_bzero(seed, sizeof(seed));
	if (failed) {
		snprintf(error, CLUSTER_IO_ERROR_MAX, "%s", said);
		return failed;
	}
	if (said[0])
		io_link_event(io, true, said);
	explicit_bzero(io->conf.secret, sizeof(io->conf.secret));
	io_facts_fill(io, io_now());
	return 0;
}

static int thread_open(struct cluster_io *io)
{
	struct sched_param param = { .sched_priority = PRIORITY };
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = -pthread_create(&io->thread, NULL, io_thread, io);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return failed;
	(void)pthread_setname_np(io->thread, "cluster");
	if (io->conf.realtime)		/* not allowed: heartbeats are as punctual as the system is idle */
		(void)pthread_setschedparam(io->thread, SCHED_RR, &param);
	return 0;
}

static void io_free(struct cluster_io *io)
{
	io_socket_close(&io->socket);
	if (io->asks.fd >= 0)
		close(io->asks.fd);
	if (io->events.fd >= 0)
		close(io->events.fd);
	if (io->cl)
		cl_wipe(io->cl);
	io_warm_close(io);
	if (io->memory)
		munmap(io->memory, io->octets);
	if (io->rings)
		munmap(io->rings, 2 * IO_QUEUE_OCTETS + IO_LATER_OCTETS);
	free(io->lost_keys.bit);
	free(io->out);
	pthread_mutex_destroy(&io->lock);
	explicit_bzero(&io->conf, sizeof(io->conf));
	free(io);
}

int cluster_io_open(struct cluster_io **opened, const struct cluster_io_conf *conf, char error[CLUSTER_IO_ERROR_MAX])
{
	const char *fault = cl_conf_fault(&conf->cl);
	struct cluster_io *io;
	int failed;

	if (fault) {
		snprintf(error, CLUSTER_IO_ERROR_MAX, "%s", fault);
		return -EINVAL;
	}
	snprintf(error, CLUSTER_IO_ERROR_MAX, "cluster: no memory");
	io = aligned_alloc(64, (sizeof(*io) + 63) & ~(size_t)63);
	if (!io)
		return -ENOMEM;
	memset(io, 0, sizeof(*io));
	io->conf = *conf;
	io->asks.fd = io->events.fd = io->warm_fd = -1;
	pthread_mutex_init(&io->lock, NULL);
	failed = io_socket_open(&io->socket, conf, error);
	if (!failed) {
		failed = rings_open(io);
		if (failed)
			snprintf(error, CLUSTER_IO_ERROR_MAX, "cluster: %s", strerror(-failed));
		failed = failed ? failed : machine_open(io, error);
		failed = failed ? failed : thread_open(io);
	}
	if (failed) {
		io_free(io);
		return failed;
	}
	*opened = io;
	return 0;
}

void cluster_io_close(struct cluster_io *io)
{
	if (!io)
		return;
	__atomic_store_n(&io->stop, true, __ATOMIC_RELEASE);
	io_queue_wake(&io->asks);
	pthread_join(io->thread, NULL);
	io_free(io);
}

/* ---- asking ---- */

bool cluster_io_room(const struct cluster_io *io)
{
	return io_queue_room(&io->asks) >= CLUSTER_IO_BATCH_MAX;
}

/* Who asks for room first never waits here; and the cluster thread waits for nobody, so a wait ends. */
static void ask(struct cluster_io *io, const struct io_record *record, struct bytes first, struct bytes second)
{
	static const struct timespec nap = { .tv_nsec = 100000 };

	while (!io_queue_put(&io->asks, record, first, second)) {
		io_queue_wake(&io->asks);
		nanosleep(&nap, NULL);
	}
}

static void ask_maybe(struct cluster_io *io, const struct io_record *record, struct bytes first, struct bytes second)
{
	if (first.len + second.len > IO_QUEUE_RECORD_MAX || io_queue_room(&io->asks) < IO_RESERVE ||
	    !io_queue_put(&io->asks, record, first, second))
		io_count(io, CLUSTER_IO_ASKS_DROPPED, 1);
	io_queue_wake(&io->asks);
}

void cluster_io_change(struct cluster_io *io, uint32_t key, struct bytes octets)
{
	struct io_record record = { .kind = ASK_CHANGE, .key = key };

	ask(io, &record, octets, (struct bytes){ 0 });
}

void cluster_io_touch(struct cluster_io *io, uint32_t key)
{
	struct io_record record = { .kind = ASK_TOUCH, .key = key };

	ask(io, &record, (struct bytes){ 0 }, (struct bytes){ 0 });
}

uint64_t cluster_io_batch(struct cluster_io *io)
{
	struct io_record record = { .kind = ASK_BATCH, .number = ++io->batch };

	ask(io, &record, (struct bytes){ 0 }, (struct bytes){ 0 });
	io_queue_wake(&io->asks);
	return io->batch;
}

uint64_t cluster_io_released(const struct cluster_io *io)
{
	return __atomic_load_n(&io->released, __ATOMIC_ACQUIRE);
}

uint64_t cluster_io_lost(const struct cluster_io *io)
{
	return __atomic_load_n(&io->lost, __ATOMIC_ACQUIRE);
}

void cluster_io_forward(struct cluster_io *io, uint8_t kind, uint8_t hops, struct addr from, struct ip local,
			struct bytes packet)
{
	struct io_record record = { .kind = ASK_FORWARD, .flag = kind, .small = hops };
	struct io_from head = { .from = from, .local = local };

	ask_maybe(io, &record, bytes_of(&head, sizeof(head)), packet);
}

void cluster_io_bytes(struct cluster_io *io, struct bytes counters)
{
	struct io_record record = { .kind = ASK_BYTES };

	ask_maybe(io, &record, counters, (struct bytes){ 0 });
}

void cluster_io_command(struct cluster_io *io, enum cl_verb verb, struct node_id node, uint32_t number)
{
	struct io_record record = { .kind = ASK_COMMAND, .flag = (uint8_t)verb, .small = node.n, .key = number };

	ask(io, &record, (struct bytes){ 0 }, (struct bytes){ 0 });
	io_queue_wake(&io->asks);
}

void cluster_io_secrets(struct cluster_io *io, const struct seal_secret secret[SEAL_SECRETS_MAX], uint8_t sending)
{
	struct io_record record = { .kind = ASK_SECRETS, .flag = sending };

	ask(io, &record, bytes_of(secret, sizeof(*secret) * SEAL_SECRETS_MAX), (struct bytes){ 0 });
	io_queue_wake(&io->asks);
}

void cluster_io_healthy(struct cluster_io *io, bool healthy)
{
	struct io_record record = { .kind = ASK_HEALTHY, .flag = healthy };

	ask(io, &record, (struct bytes){ 0 }, (struct bytes){ 0 });
	io_queue_wake(&io->asks);
}

void cluster_io_configured(struct cluster_io *io, const struct cl_conf *conf)
{
	struct io_record record = { .kind = ASK_CONFIGURED };

	ask(io, &record, bytes_of(conf, sizeof(*conf)), (struct bytes){ 0 });
	io_queue_wake(&io->asks);
}

/* ---- reading ---- */

int cluster_io_fd(const struct cluster_io *io)
{
	return io->events.fd;
}

static void event_role(const struct io_record *record, const void *fixed, struct cluster_event *event)
{
	const struct fx_cl_role *role = fixed;

	(void)record;
	event->status = role->status;
}

static void event_offered(const struct io_record *record, const void *fixed, struct cluster_event *event)
{
	const struct fx_cl_offered *offered = fixed;

	event->key = record->key;
	event->by = offered->by;
	event->version = offered->version;
}

static void event_forwarded(const struct io_record *record, const void *fixed, struct cluster_event *event)
{
	const struct fx_cl_forwarded *forwarded = fixed;

	(void)record;
	event->from = forwarded->from;
	event->local = forwarded->local;
	event->by = forwarded->by;
	event->packet_kind = forwarded->kind;
	event->hops = forwarded->hops;
}

static void event_bytes(const struct io_record *record, const void *fixed, struct cluster_event *event)
{
	const struct fx_cl_bytes *bytes = fixed;

	(void)record;
	event->by = bytes->by;
	event->slot = bytes->slot;
}

static void event_done(const struct io_record *record, const void *fixed, struct cluster_event *event)
{
	const struct fx_cl_done *done = fixed;

	event->number = record->key;
	event->ok = done->ok;
}

static void event_log(const struct io_record *record, const void *fixed, struct cluster_event *event)
{
	event->say = (enum say)record->key;
	memcpy(&event->log, fixed, sizeof(event->log));
}

static const struct {
	enum fx_kind fx;
	void (*read)(const struct io_record *record, const void *fixed, struct cluster_event *event);
} readers[CLUSTER_EVENTS] = {
	[CLUSTER_ROLE] = { FX_CL_ROLE, event_role }, [CLUSTER_OFFERED] = { FX_CL_OFFERED, event_offered },
	[CLUSTER_FORWARDED] = { FX_CL_FORWARDED, event_forwarded }, [CLUSTER_BYTES] = { FX_CL_BYTES, event_bytes },
	[CLUSTER_DONE] = { FX_CL_DONE, event_done }, [CLUSTER_LOG] = { FX_LOG, event_log },
};

static void event_read(const struct io_record *record, struct cluster_event *event)
{
	struct bytes octets = io_record_octets(record);

	*event = (struct cluster_event){ .kind = (enum cluster_event_kind)record->kind, .key = record->key,
					 .version = { record->number }, .ok = record->flag, .octets = octets };
	if (!readers[event->kind].read)
		return;
	uint32_t fixed = io_event_rows[readers[event->kind].fx].fixed;

	readers[event->kind].read(record, octets.p, event);
	event->octets = bytes_of(octets.p + fixed, octets.len - fixed);
}

static bool released_read(struct cluster_io *io, struct cluster_event *event)
{
	uint64_t released = cluster_io_released(io), lost = cluster_io_lost(io);

	if (released == io->told_released && lost == io->told_lost)
		return false;
	io->told_released = released;
	io->told_lost = lost;
	*event = (struct cluster_event){ .kind = CLUSTER_RELEASED, .released = released, .lost = lost };
	return true;
}

bool cluster_io_next(struct cluster_io *io, struct cluster_event *event)
{
	for (bool slept = false; ; slept = true) {
		const struct io_record *record;

		io_queue_done(&io->events);
		while ((record = io_queue_take(&io->events)) != NULL) {
			struct io_record restored = { .kind = ASK_RESTORED, .number = record->number };

			if (record->kind == EVENT_RESTORED || (record->kind == CLUSTER_ROLE && record->number)) {
				ask(io, &restored, (struct bytes){ 0 }, (struct bytes){ 0 });
				io_queue_wake(&io->asks);
			}
			if (record->kind != EVENT_RESTORED) {
				event_read(record, event);
				return true;
			}
		}
		io_queue_done(&io->events);
		if (released_read(io, event))
			return true;
		if (slept)
			return false;
		eventfd_t n;

		(void)eventfd_read(io->events.fd, &n);
		io_queue_sleeps(&io->events);
	}
}

void cluster_io_facts(struct cluster_io *io, struct cluster_io_facts *facts)
{
	pthread_mutex_lock(&io->lock);
	*facts = io->facts;
	pthread_mutex_unlock(&io->lock);
	for (unsigned i = 0; i < CLUSTER_IO_STATS; i++)
		facts->io[i] = __atomic_load_n(&io->stat[i], __ATOMIC_RELAXED);
}

int64_t cluster_io_time_offset(const struct cluster_io *io)
{
	return __atomic_load_n(&io->time_offset, __ATOMIC_RELAXED);
}
