/*
 * Goal: with a million records a change, a step of a walk and the sums cost little, and no call takes long.
 * Method: a million are put, changed in random order, walked, scrubbed and cleared; processor time per step
 * against bounds some ten times what was measured, as the machine has other work.  A sanitizer makes a
 * tenth of it do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>

#include "cluster/records.h"
#include "l2tpns/base/rnd.h"

#if defined(__SANITIZE_ADDRESS__)
#define RECORDS	100000u
#define SLOWER	10
#else
#define RECORDS	1000000u
#define SLOWER	1
#endif
#define OCTETS	184u		/* what a session's record has */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* `n` steps since `begin`, none dearer than `ns` on average.  SPEED=1 in the environment shows them. */
static void within(const char *what, double begin, uint32_t n, double ns)
{
	double each = (seconds() - begin) * 1e9 / n;

	if (getenv("SPEED"))
		print_message("%s: %.0f ns\n", what, each);
	if (each > ns * SLOWER)
		fail_msg("%s: %.0f ns each, more than %.0f", what, each, ns * SLOWER);
}

static void put_all(struct records *records, struct rnd *rnd, bool random)
{
	uint8_t octets[OCTETS] = { 0 };

	for (uint32_t n = 0; n < RECORDS; n++) {
		uint32_t key = random ? rnd_below(rnd, RECORDS) : n;

		memcpy(octets, &n, sizeof(n));
		assert_true(records_put(records, key, (struct version){ records->upto.n + 1 },
					bytes_of(octets, OCTETS)));
	}
}

static uint32_t walk_all(struct records *records)
{
	struct record record;
	uint64_t before = 0;
	uint32_t n = 0;

	assert_true(records_seek(records, 0, (struct version){ 0 }));
	for (; records_next(records, 0, &record); n++) {
		if (record.version.n <= before || record.octets.len != OCTETS)
			fail_msg("record %u is out of its place", record.key);
		before = record.version.n;
	}
	return n;
}

/* The dearest seek there is: to the middle of everything.  What one call costs is what a heartbeat waits. */
static void seek_middle(struct records *records)
{
	double begin = seconds(), longest = 0;
	bool placed = false;
	unsigned calls = 0;

	while (!placed) {
		double now = seconds();

		placed = records_seek(records, 1, (struct version){ records->upto.n - RECORDS / 2 });
		longest = seconds() - now > longest ? seconds() - now : longest;
		calls++;
	}
	within("seek, a place", begin, calls * 4096, 1500);
	assert_true(longest < 0.02 * SLOWER);
}

static void a_million_records(void **state)
{
	struct arena arena = { 0 };
	struct hash_key key = { { 1, 2 } };
	uint8_t seed[RND_SEED_LEN] = { 1 };
	struct records records;
	struct rnd rnd;
	double begin;

	(void)state;
	rnd_seed(&rnd, seed);
	records_init(&records, RECORDS, (size_t)RECORDS * 256 + 4096, key, &arena);
	void *memory = mmap(NULL, arena.used, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			    -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	size_t room = arena.used;

	arena = (struct arena){ .start = memory, .room = room };
	records_init(&records, RECORDS, (size_t)RECORDS * 256 + 4096, key, &arena);
	begin = seconds();
	put_all(&records, &rnd, false);
	within("put", begin, RECORDS, 5000);
	assert_int_equal(records.live, RECORDS);
	begin = seconds();
	put_all(&records, &rnd, true);
	within("change", begin, RECORDS, 8000);
	begin = seconds();
	assert_int_equal(walk_all(&records), RECORDS);
	within("walk", begin, RECORDS, 1500);
	seek_middle(&records);
	begin = seconds();
	for (uint32_t bucket = 0; bucket < RECORD_BUCKETS; bucket++)
		assert_true(records_scrub(&records, bucket));
	within("scrub", begin, RECORDS, 6000);
	begin = seconds();
	while (!records_clear(&records))
		;
	within("clear", begin, RECORDS, 2000);
	munmap(memory, room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
