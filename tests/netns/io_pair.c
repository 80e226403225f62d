/*
 * io_pair.c -- two cluster threads in one process, each in a network namespace of its own.
 *
 *	io_pair NAMESPACE NAMESPACE GROUP [INTERFACE2]
 *
 * Both use the interface cl0 of their namespace.  Prints `ok NAME` for each case, or `FAIL NAME why` and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cluster/io.h"

#define KEYS	4096u
#define SIDES	2

struct side {
	struct cluster_io *io;
	const char	*space;
	struct cl_status status;
	bool		deaf;		/* its events are left where they are */
	unsigned	roles, applied, forwarded, counted, links_gone, links_back, drops, done;
	uint64_t	released, lost;
	uint8_t		copy[KEYS][64];
	uint32_t	len[KEYS];
};

static struct side sides[SIDES];
static const char *running = "start";

static _Noreturn void failed(const char *why)
{
	printf("FAIL %s %s\n", running, why);
	for (int i = 0; i < SIDES; i++)
		printf("    | node %d role %s term %u master %u up_to_date %d frozen %d applied %u released %ju "
		       "lost %ju forwarded %u counted %u roles %u drops %u\n", i + 1,
		       cl_role_name(sides[i].status.role), sides[i].status.term,
		       sides[i].status.master.n,
		       sides[i].status.up_to_date, sides[i].status.frozen, sides[i].applied,
		       (uintmax_t)sides[i].released, (uintmax_t)sides[i].lost, sides[i].forwarded,
		       sides[i].counted, sides[i].roles, sides[i].drops);
	exit(1);
}

_Noreturn void assert_fail(const char *expr, const char *file, int line)
{
	printf("FAIL %s %s at %s:%d\n", running, expr, file, line);
	fflush(stdout);
	abort();
}

static struct ip ip_of(const char *text)
{
	unsigned char six[16];
	struct ip4 four;
	struct ip ip;

	if (ip4_parse(text, &four))
		return ip_from4(four);
	memset(six, 0, sizeof(six));		/* "ff05::N" is all the tests need */
	six[0] = 0xff;
	six[1] = 5;
	six[15] = (unsigned char)strtoul(text + 6, NULL, 16);
	memcpy(ip.b, six, sizeof(six));
	return ip;
}

static void enter(const char *space)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", space);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		failed(strerror(errno));
	close(fd);
}

static void open_side(int number, const char *group, const char *second)
{
	struct side *side = &sides[number];
	struct cluster_io_conf conf = {
		.cl = { .self = { (uint16_t)(number + 1) }, .name = "pair", .interval_ms = 100, .dead_ms = 500,
			.fresh_vote_after_ms = 1000, .commit = CL_COMMIT_ONE, .forward_wait_ms = 1000, .min_adv = 1,
			.keys = KEYS, .record_octets = 16 << 20 },
		.secret = { { .id = 1, .octets = { 1, 2, 3 } } }, .sending = 1, .interface = { "cl0", "" },
		.group = ip_of(group), .port = 32792, .ttl = 1, .realtime = true,
	};
	char error[CLUSTER_IO_ERROR_MAX];

	if (second)
		snprintf(conf.interface[1], sizeof(conf.interface[1]), "%s", second);
	enter(side->space);
	if (cluster_io_address("cl0", conf.group, &conf.cl.address) != 0)
		failed("no address");
	if (cluster_io_open(&side->io, &conf, error) != 0)
		failed(error);
}

static void hear(struct side *side)
{
	struct cluster_event event;

	while (side->io && !side->deaf && cluster_io_next(side->io, &event)) {
		switch (event.kind) {
		case CLUSTER_APPLY:
			side->applied++;
			side->len[event.key] = min_u32(event.octets.len, 64);
			memcpy(side->copy[event.key], event.octets.p, side->len[event.key]);
			break;
		case CLUSTER_ROLE:
			side->roles++;
			side->status = event.status;
			break;
		case CLUSTER_RELEASED:
			side->released = event.released;
			side->lost = event.lost;
			break;
		case CLUSTER_FORWARDED:
			side->forwarded += event.packet_kind == 7 && event.octets.len == 5 &&
					   memcmp(event.octets.p, "hello", 5) == 0 && event.from.port == 1701;
			break;
		case CLUSTER_BYTES:
			side->counted += event.octets.len == 3;
			break;
		case CLUSTER_LINK:
			side->links_gone += !event.ok;
			side->links_back += event.ok;
			break;
		case CLUSTER_DROP:
			side->drops++;
			memset(side->len, 0, sizeof(side->len));
			break;
		case CLUSTER_DONE:
			side->done++;
			break;
		default:
			break;
		}
	}
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Wait for it with the descriptors alone, so that a wake-up that is missing is found. */
static void until(bool (*holds)(void), unsigned ms)
{
	uint64_t end = now_ms() + ms;

	while (!holds()) {
		struct pollfd fd[SIDES];
		uint64_t now = now_ms();

		if (now >= end)
			failed("did not happen in time");
		for (int i = 0; i < SIDES; i++)
			fd[i] = (struct pollfd){ .fd = sides[i].io && !sides[i].deaf ? cluster_io_fd(sides[i].io) : -1,
						 .events = POLLIN };
		(void)poll(fd, SIDES, (int)(end - now));
		for (int i = 0; i < SIDES; i++)
			if (fd[i].revents)
				hear(&sides[i]);
	}
}

static void passed(const char *next)
{
	printf("ok %s\n", running);
	fflush(stdout);
	running = next;
}

static struct side *master(void)
{
	for (int i = 0; i < SIDES; i++)
		if (sides[i].io && sides[i].status.role == CL_ROLE_MASTER && !sides[i].status.frozen)
			return &sides[i];
	return NULL;
}

static struct side *slave(void)
{
	return master() == &sides[0] ? &sides[1] : &sides[0];
}

static bool one_master(void)
{
	return master() && slave()->status.role == CL_ROLE_SLAVE && slave()->status.up_to_date;
}

static uint64_t wanted;
static unsigned wanted_applied;

static bool released(void)
{
	return master() && master()->released >= wanted;
}

static bool applied(void)
{
	return slave()->applied >= wanted_applied;
}

static bool forwarded(void)
{
	return master()->forwarded == 1 && master()->counted >= 1;	/* counters are sums: twice does no harm */
}

static bool lost_and_restored(void)
{
	return slave()->lost >= wanted && slave()->applied >= wanted_applied;
}

static bool any_master(void)
{
	return master() != NULL;
}

static bool link_gone(void)
{
	return sides[0].links_gone + sides[1].links_gone == 1;
}

static bool link_back(void)
{
	return sides[0].links_back + sides[1].links_back == 1 && one_master();
}

static bool all_there(void)
{
	char text[64];

	for (uint32_t key = 1; key < KEYS; key++) {
		snprintf(text, sizeof(text), "round 7 of %u", key);
		if (strcmp((const char *)slave()->copy[key], text) != 0)
			return false;
	}
	return true;
}

static void fill(char *text, uint32_t key)
{
	snprintf(text, 64, "record %u of the master", key);
}

static void changes_travel(void)
{
	char text[64];

	wanted_applied = slave()->applied + 1000;
	for (uint32_t key = 1; key <= 1000; key++) {
		fill(text, key);
		cluster_io_change(master()->io, key, bytes_str(text));
		if (key % 100 == 0)
			wanted = cluster_io_batch(master()->io);
	}
	until(released, 1000);
	until(applied, 1000);
	for (uint32_t key = 1; key <= 1000; key++) {
		fill(text, key);
		if (slave()->len[key] != strlen(text) || memcmp(slave()->copy[key], text, strlen(text)) != 0)
			failed("a record differs");
	}
	wanted = cluster_io_batch(master()->io);
	until(released, 1000);		/* nothing changed, and all before it is safe */
	passed("packets_and_counters_reach_the_master");
}

/* More than the queue holds, while the slave's control thread does something else. */
static void a_slow_reader_loses_nothing(void)
{
	struct side *side = slave(), *other = master();
	char text[1000] = "";

	side->deaf = true;
	for (unsigned round = 0; round < 8; round++) {
		for (uint32_t key = 1; key < KEYS; key++) {
			snprintf(text, sizeof(text), "round %u of %u", round, key);
			cluster_io_change(other->io, key, bytes_of(text, sizeof(text)));
			if (key % 64 != 63)
				continue;
			wanted = cluster_io_batch(other->io);
			until(released, 5000);
		}
	}
	if (side->status.role != CL_ROLE_SLAVE || master() != other)
		failed("a role changed");
	side->deaf = false;
	hear(side);
	until(all_there, 5000);
	passed("late_changes_are_lost_and_what_stands_is_told");
}

static void late_changes_are_lost(void)
{
	struct side *side = slave();
	wanted_applied = side->applied + 2;
	cluster_io_change(side->io, 5, bytes_str("something else"));
	cluster_io_change(side->io, 0, bytes_str("something new"));
	memset(side->copy[5], 0, sizeof(side->copy[5]));
	side->len[0] = 1;
	wanted = cluster_io_batch(side->io);
	until(lost_and_restored, 1000);
	if (strcmp((const char *)side->copy[5], "round 7 of 5") != 0 || side->len[0] != 0)
		failed("what stands was not told");
	passed("a_missing_interface_is_told_once");
}

/* Everything but the master's leaving goes on when a link is away for a while. */
static void links_come_and_go(bool second)
{
	uint32_t term = master()->status.term;
	char command[256];

	snprintf(command, sizeof(command), "ip -n %s link set cl0 down name cl9", sides[1].space);
	if (system(command) != 0)
		failed("ip");
	until(link_gone, 5000);
	snprintf(command, sizeof(command), "ip -n %s link set cl9 name cl0 && ip -n %s link set cl0 up",
		 sides[1].space, sides[1].space);
	if (system(command) != 0)
		failed("ip");
	until(link_back, 8000);
	if (second && master()->status.term != term)
		failed("there was an election");
	passed("a_leaving_master_is_followed_at_once");
}

static void master_leaves(void)
{
	struct side *old = master();
	uint64_t start = now_ms();

	cluster_io_close(old->io);
	old->io = NULL;
	memset(&old->status, 0, sizeof(old->status));
	until(any_master, 3000);
	if (now_ms() - start > 450)
		failed("not at once");
	cluster_io_change(master()->io, 1, bytes_str("new"));
	wanted = cluster_io_batch(master()->io);
	until(released, 3000);
	passed("a_node_that_comes_back_is_a_slave");
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	sides[0].space = argv[1];
	sides[1].space = argv[2];
	running = "one_becomes_master";
	for (int i = 0; i < SIDES; i++)
		open_side(i, argv[3], argc > 4 ? argv[4] : NULL);
	until(one_master, 5000);
	passed("changes_travel_and_are_released");
	changes_travel();
	cluster_io_forward(slave()->io, 7, 1, (struct addr){ ip_from4((struct ip4){ 1 }), 1701 },
			   ip_from4((struct ip4){ 2 }), bytes_str("hello"));
	cluster_io_bytes(slave()->io, bytes_str("abc"));
	until(forwarded, 1000);
	passed("a_slow_reader_loses_nothing");
	a_slow_reader_loses_nothing();
	late_changes_are_lost();
	links_come_and_go(argc > 4);
	master_leaves();
	for (int i = 0; i < SIDES; i++)
		if (!sides[i].io)
			open_side(i, argv[3], argc > 4 ? argv[4] : NULL);
	until(one_master, 5000);
	printf("ok %s\n", running);
	for (int i = 0; i < SIDES; i++)
		cluster_io_close(sides[i].io);
	return 0;
}
