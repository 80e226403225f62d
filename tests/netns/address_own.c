/*
 * address_own.c -- the owner of a service address, driven by lines: `want`, `drop`, `state`, `quit`.
 *
 *	address_own INTERFACE ADDRESS
 *
 * After each line it goes on for 100 ms and then says `here` or `absent`.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "l2tpns/io/address.h"
#include "l2tpns/io/clock.h"

_Noreturn void assert_fail(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s at %s:%d\n", expr, file, line);
	abort();
}

static void say(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s\n", text);
}

/* One round of a loop as the daemon has it: its only waits are for the descriptor and for the next time. */
static bool turn(struct address_owner *owner, struct mono end)
{
	struct mono now = clock_now(), next = mono_min(address_tick(owner, now), end);
	struct pollfd fd[2] = { { .fd = address_fd(owner), .events = POLLIN }, { .fd = 0, .events = POLLIN } };
	struct dur left = mono_since(next, now);

	if (left.us > 0)
		(void)poll(fd, end.us == UINT64_MAX ? 2 : 1, left.us > 1000000 ? 1000 : (int)(left.us / 1000) + 1);
	return fd[1].revents == 0;
}

int main(int argc, char **argv)
{
	struct address_conf conf = { .interface = argv[1], .announce = true, .say = say };
	struct address_owner *owner;
	char error[ADDRESS_ERROR_MAX], line[16];
	struct ip4 four;

	if (argc < 3)
		return 2;
	if (ip4_parse(argv[2], &four))
		conf.address = ip_from4(four);
	else if (inet_pton(AF_INET6, argv[2], &conf.address) != 1)
		return 2;
	if (address_open(&owner, &conf, clock_now(), error) != 0) {
		printf("error %s\n", error);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		while (turn(owner, MONO_NEVER))
			;
		if (!fgets(line, sizeof(line), stdin) || line[0] == 'q')
			break;
		if (line[0] == 'w' || line[0] == 'd')
			address_want(owner, line[0] == 'w', clock_now());
		for (struct mono end = mono_add(clock_now(), DUR_MS(100)); mono_before(clock_now(), end); )
			(void)turn(owner, end);
		puts(address_here(owner) ? "here" : "absent");
	}
	address_close(owner);
	return 0;
}
