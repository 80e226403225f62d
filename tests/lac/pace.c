/* pace.c -- so many packets a second, in bursts no larger than the clock's grain makes them. */
#include <sys/mman.h>
#include <time.h>

#include "tests/lac/lac.h"
#include "tests/lac/peer.h"

#define SLEEP_MIN_US	20u

uint32_t pace_take(struct pace *pace, uint32_t burst, const volatile bool *stop)
{
	for (;;) {
		uint64_t now = clock_now().us;

		if (now >= pace->end_us || *stop)
			return 0;
		if (pace->rate == 0)
			return burst;
		uint64_t due = (uint64_t)((double)(now - pace->start_us) * (double)pace->rate / 1e6) + 1;

		if (due > pace->sent)
			return due - pace->sent < burst ? (uint32_t)(due - pace->sent) : burst;
		uint64_t wait = 1000000 / pace->rate;

		if (wait < SLEEP_MIN_US)
			wait = SLEEP_MIN_US;
		nanosleep(&(struct timespec){ .tv_sec = (time_t)(wait / 1000000),
					      .tv_nsec = (long)(wait % 1000000) * 1000 }, NULL);
	}
}

void *room_map(size_t octets)
{
	void *at = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ASSERT(at != MAP_FAILED);
	return at;
}

void room_unmap(void *at, size_t octets)
{
	if (at)
		munmap(at, octets);
}
