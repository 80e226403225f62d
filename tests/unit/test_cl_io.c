/*
 * Goal: what one thread puts into a queue the other gets, in order and whole, and it is never left asleep; datagrams
 * of a node with two addresses are known for its own; a cluster without others still answers for its changes.
 * Method: a small queue against a count; two threads, the reader asleep whenever it can be; addresses by hand; one
 * node on the loopback interface, where the system allows it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cluster/io.h"
#include "cluster/io_link.h"
#include "cluster/io_queue.h"
#include "l2tpns/base/rnd.h"

#define SMALL		32768u
#define MANY		300000u

static uint8_t memory[SMALL] __attribute__((aligned(64)));
static struct io_queue queue;

static void what_is_put_is_taken(void **state)
{
	static const uint8_t seed[RND_SEED_LEN] = { 5 };
	static uint8_t octets[IO_QUEUE_RECORD_MAX];
	uint32_t put = 0, taken = 0, refused = 0;
	const struct io_record *record;
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	io_queue_init(&queue, memory, SMALL, -1);
	for (int i = 0; i < 200000; i++) {
		struct io_record head = { .key = put, .number = put * UINT64_C(3) };
		uint32_t len = rnd_below(&rnd, 8) ? rnd_below(&rnd, 300) : rnd_below(&rnd, IO_QUEUE_RECORD_MAX + 1);
		uint32_t first = rnd_below(&rnd, len + 1), room = io_queue_room(&queue);

		memset(octets, (int)(put & 0xff), len);
		bool fits = io_queue_put(&queue, &head, bytes_of(octets, first), bytes_of(octets + first, len - first));

		put += fits;
		refused += !fits;
		assert_true(fits || room < len + 32);
		while (rnd_below(&rnd, 2) && (record = io_queue_take(&queue)) != NULL) {
			struct bytes got = io_record_octets(record);

			assert_int_equal(record->key, taken);
			assert_int_equal(record->number, taken * UINT64_C(3));
			for (uint32_t at = 0; at < got.len; at++)
				if (got.p[at] != (uint8_t)taken)
					fail();
			taken++;
		}
		if (rnd_below(&rnd, 2))
			io_queue_done(&queue);
	}
	while (io_queue_take(&queue))
		taken++;
	io_queue_done(&queue);
	assert_false(io_queue_has(&queue));
	assert_int_equal(put, taken);
	assert_true(refused > 100);
	assert_true(io_queue_room(&queue) > SMALL - 2 * IO_QUEUE_RECORD_MAX);
}

static void room_is_no_empty_promise(void **state)
{
	static const uint8_t octets[IO_QUEUE_RECORD_MAX];
	struct io_record head = { 0 };

	(void)state;
	for (uint32_t start = 0; start < 64; start++) {
		io_queue_init(&queue, memory, SMALL, -1);
		queue.head = queue.tail = queue.taken = UINT32_MAX - 7 - 512 * start;	/* past the end of numbers */
		for (uint32_t left = io_queue_room(&queue); left >= 1200 + 32; left -= 1200 + 32)
			assert_true(io_queue_put(&queue, &head, bytes_of(octets, 1200), (struct bytes){ 0 }));
	}
}

static void *reader(void *arg)
{
	uint64_t *sum = arg;
	uint32_t next = 0;

	while (next < MANY) {
		const struct io_record *record;
		struct pollfd fd = { .fd = queue.fd, .events = POLLIN };
		eventfd_t n;

		while ((record = io_queue_take(&queue)) != NULL) {
			if (record->key != next++)
				return NULL;
			*sum += record->number;
		}
		io_queue_done(&queue);
		(void)eventfd_read(queue.fd, &n);
		io_queue_sleeps(&queue);
		if (!io_queue_has(&queue) && next < MANY && poll(&fd, 1, 5000) != 1)
			return NULL;		/* nobody woke us */
		io_queue_wakes(&queue);
	}
	return sum;
}

static void nobody_is_left_asleep(void **state)
{
	uint64_t sum = 0;
	pthread_t thread;
	void *ended;

	(void)state;
	io_queue_init(&queue, memory, SMALL, eventfd(0, EFD_NONBLOCK));
	assert_int_equal(pthread_create(&thread, NULL, reader, &sum), 0);
	for (uint32_t i = 0; i < MANY; ) {
		struct io_record head = { .key = i, .number = i };

		if (io_queue_put(&queue, &head, (struct bytes){ 0 }, (struct bytes){ 0 }))
			i++;
		if (i % 3 == 0 || i == MANY)
			io_queue_wake(&queue);
		if (i % 1000 == 0)
			usleep(10);		/* so that it does fall asleep */
	}
	pthread_join(thread, &ended);
	close(queue.fd);
	assert_non_null(ended);
	assert_int_equal(sum, (uint64_t)MANY * (MANY - 1) / 2);
}

static void addresses_of_both_families(void **state)
{
	struct ip six = { { 0xfe, 0x80, [15] = 9 } }, four = ip_from4((struct ip4){ 0x0a000001 });
	struct io_link link = { .ifindex = 7 };
	struct sockaddr_storage to;
	struct addr back;

	(void)state;
	assert_int_equal(io_link_address(&link, four, 32792, &to), sizeof(struct sockaddr_in));
	back = io_link_from(&to);
	assert_true(ip_eq(back.ip, four) && back.port == 32792);
	assert_int_equal(io_link_address(&link, six, 1, &to), sizeof(struct sockaddr_in6));
	assert_int_equal(((struct sockaddr_in6 *)&to)->sin6_scope_id, 7);
	back = io_link_from(&to);
	assert_true(ip_eq(back.ip, six) && back.port == 1);
}

static struct cluster_io_conf conf_of(const char *interface)
{
	struct cluster_io_conf conf = {
		.cl = { .self = { 1 }, .name = "unit", .address = ip_from4((struct ip4){ 0x7f000001 }),
			.interval_ms = 20, .dead_ms = 100, .fresh_vote_after_ms = 200, .commit = CL_COMMIT_ONE,
			.forward_wait_ms = 1000, .min_adv = 1, .keys = 1024, .record_octets = 1 << 18 },
		.secret = { { .id = 1, .octets = { 9 } } }, .sending = 1,
		.group = ip_from4((struct ip4){ 0xefc00d0d }), .port = 32799, .ttl = 1,
	};

	snprintf(conf.interface[0], sizeof(conf.interface[0]), "%s", interface);
	return conf;
}

static void faults_name_the_option(void **state)
{
	struct cluster_io_conf conf = conf_of("nosuch0");
	char error[CLUSTER_IO_ERROR_MAX];
	struct cluster_io *io = NULL;
	struct ip address;

	(void)state;
	assert_int_equal(cluster_io_open(&io, &conf, error), -ENODEV);
	assert_non_null(strstr(error, "cluster_interface \"nosuch0\": no such interface"));
	conf = conf_of("lo");
	conf.group = ip_from4((struct ip4){ 0x0a000001 });
	assert_int_equal(cluster_io_open(&io, &conf, error), -EINVAL);
	assert_non_null(strstr(error, "cluster_address"));
	conf = conf_of("lo");
	snprintf(conf.interface[1], sizeof(conf.interface[1]), "lo");
	assert_int_equal(cluster_io_open(&io, &conf, error), -EINVAL);
	assert_non_null(strstr(error, "cluster_interface2"));
	conf = conf_of("lo");
	conf.cl.dead_ms = 10;
	assert_int_equal(cluster_io_open(&io, &conf, error), -EINVAL);
	assert_true(strlen(error) > 10);
	assert_int_equal(cluster_io_address("nosuch0", conf.group, &address), -ENODEV);
	assert_int_equal(cluster_io_address("lo", conf.group, &address), 0);
	assert_int_equal(ip_to4(address).n, 0x7f000001);
	for (unsigned i = 0; i < CLUSTER_IO_STATS; i++)
		assert_true(strlen(cluster_io_stat_name((enum cluster_io_stat)i)) > 3 &&
			    strlen(cluster_io_stat_help((enum cluster_io_stat)i)) > 10);
}

/* False: it did not happen within a few seconds. */
static bool event_of(struct cluster_io *io, enum cluster_event_kind kind, struct cluster_event *event)
{
	struct pollfd fd = { .fd = cluster_io_fd(io), .events = POLLIN };

	do {
		while (cluster_io_next(io, event))
			if (event->kind == kind)
				return true;
	} while (poll(&fd, 1, 5000) == 1);
	return false;
}

static void alone_it_is_master_and_answers(void **state)
{
	struct cluster_io_conf conf = conf_of("lo");
	char error[CLUSTER_IO_ERROR_MAX];
	struct cluster_io_facts *facts = calloc(1, sizeof(*facts));
	struct cluster_event event;
	struct cluster_io *io;

	(void)state;
	assert_non_null(facts);
	if (cluster_io_open(&io, &conf, error) != 0) {
		print_message("%s\n", error);
		free(facts);
		skip();
	}
	cluster_io_change(io, 1, bytes_str("too early"));
	uint64_t early = cluster_io_batch(io);

	do
		assert_true(event_of(io, CLUSTER_ROLE, &event));
	while (event.status.role != CL_ROLE_MASTER);
	assert_true(cluster_io_room(io));
	assert_true(cluster_io_lost(io) >= early);
	cluster_io_change(io, 1, bytes_str("one"));
	cluster_io_change(io, 2, bytes_str("two"));
	cluster_io_touch(io, 1);
	uint64_t batch = cluster_io_batch(io);

	do
		assert_true(event_of(io, CLUSTER_RELEASED, &event));
	while (event.released < batch);
	assert_true(event.lost < batch);
	cluster_io_command(io, CL_VERB_RESYNC, (struct node_id){ 0 }, 77);
	assert_true(event_of(io, CLUSTER_DONE, &event));
	assert_int_equal(event.number, 77);
	assert_true(event.octets.len > 0);
	usleep(250000);
	cluster_io_facts(io, facts);
	assert_int_equal(facts->cl.status.role, CL_ROLE_MASTER);
	assert_int_equal(facts->cl.records, 2);
	assert_true(facts->link_up[0] && !facts->link_up[1]);
	assert_int_equal(facts->io[CLUSTER_IO_LOST_CHANGES], 1);
	cluster_io_close(io);
	free(facts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_taken),
		cmocka_unit_test(room_is_no_empty_promise),
		cmocka_unit_test(nobody_is_left_asleep),
		cmocka_unit_test(addresses_of_both_families),
		cmocka_unit_test(faults_name_the_option),
		cmocka_unit_test(alone_it_is_master_and_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
