/*
 * Goal: 200,000 sessions cost as much each as the first thousand did, in time and in memory, and an
 * idle server with all of them does nothing.
 * Method: as many are dialled in, in one process; the processor time of the first and of the last
 * slice, and the pages touched, are compared.  Times are only compared with each other, generously,
 * as the machine has other work; the numbers are printed.  A sanitizer makes a tenth of it do.
 */
#include <time.h>
#include <unistd.h>

#include "tests/unit/lns_stage.h"

#if defined(__SANITIZE_ADDRESS__)
#define SESSIONS	20000u
#else
#define SESSIONS	200000u
#endif
#define TUNNELS		20u
#define SLICE		(SESSIONS / 20)

struct up { uint16_t lac, lns_sid; uint32_t address; };

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Octets of the arena that were ever touched. */
static size_t touched(const struct stage *stage)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (stage->room + page - 1) / page, n = 0;
	unsigned char *in = malloc(pages);

	assert_non_null(in);
	assert_int_equal(mincore(stage->memory, stage->room, in), 0);
	for (size_t i = 0; i < pages; i++)
		n += in[i] & 1;
	free(in);
	return n * page;
}

static void dial_slice(struct stage *stage, struct stage_lac *lac, struct up *up, uint32_t from, uint32_t to)
{
	char user[32];

	for (uint32_t i = from; i < to; i++) {
		struct up *one = &up[i];

		one->lac = (uint16_t)(i % TUNNELS);
		snprintf(user, sizeof(user), "subscriber%u@isp.example", i);
		one->lns_sid =
			lac_dial(stage, &lac[one->lac], (uint16_t)(i / TUNNELS + 1), user, &one->address);
		if (i % 64 == 63)
			stage_flush(stage);
	}
}

static double best_of(const double *slice, unsigned n)
{
	double best = slice[0];

	for (unsigned i = 1; i < n; i++)
		best = slice[i] < best ? slice[i] : best;
	return best;
}

static void fill(struct stage *stage, struct stage_lac *lac, struct up *up)
{
	double slice[SESSIONS / SLICE], begin;

	for (uint32_t i = 0; i < SESSIONS / SLICE; i++) {
		begin = cpu_s();
		dial_slice(stage, lac, up, i * SLICE, (i + 1) * SLICE);
		slice[i] = cpu_s() - begin;
	}
	double first = best_of(slice, 4), last = best_of(slice + SESSIONS / SLICE - 4, 4);

	printf("set-up: %.1f us each at first, %.1f us at the end\n", first * 1e6 / SLICE,
		last * 1e6 / SLICE);
	if (last > first * 2)
		fail_msg("set-up slows down: %.1f us, then %.1f us", first * 1e6 / SLICE, last * 1e6 / SLICE);
	assert_int_equal(lns_session_count(stage->lns), SESSIONS);
	assert_int_equal(stage->effects[FX_SESSION_PUT], SESSIONS);
}

static int by_address(const void *a, const void *b)
{
	uint32_t x = ((const struct up *)a)->address, y = ((const struct up *)b)->address;

	return x < y ? -1 : x > y;
}

/* Every session is found by each of its keys, and no two share one. */
static void look_up_all(struct stage *stage, const struct stage_lac *lac, struct up *up)
{
	char user[32];

	for (uint32_t i = 0; i < SESSIONS; i++) {
		struct row row = lns_session_by_address(stage->lns, (struct ip4){ up[i].address });
		const struct session *s = lns_session(stage->lns, row);

		assert_non_null(s);
		assert_true(s->up && s->sid.n == up[i].lns_sid && s->tid.n == lac[up[i].lac].lns_tid);
		snprintf(user, sizeof(user), "subscriber%u@isp.example", i);
		assert_int_equal(lns_user_first(stage->lns, bytes_str(user)).n, row.n);
	}
	qsort(up, SESSIONS, sizeof(*up), by_address);
	for (uint32_t i = 1; i < SESSIONS; i++)
		assert_true(up[i].address != up[i - 1].address);
}

/* An hour of quiet with keepalives off: HELLOs of the tunnels and nothing else. */
static void idle_hour(struct stage *stage)
{
	double begin = cpu_s();

	for (int i = 0; i < 3600; i++)
		stage_pass(stage, DUR_S(1));
	printf("an idle hour: %.1f ms of processor\n", (cpu_s() - begin) * 1e3);
	assert_true(cpu_s() - begin < 3600 * 0.03);	/* 3 % of a core */
	assert_int_equal(lns_session_count(stage->lns), SESSIONS);
}

static void two_hundred_thousand_sessions(void **state)
{
	struct stage *stage = stage_new(SESSIONS, TUNNELS);
	struct stage_lac lac[TUNNELS];
	struct up *up = calloc(SESSIONS, sizeof(*up));
	double begin;

	(void)state;
	assert_non_null(up);
	stage_begin(stage);
	for (uint16_t i = 0; i < TUNNELS; i++) {
		lac[i] = (struct stage_lac){ .addr = stage_addr(0xc0000201u + i), .tid = (uint16_t)(i + 1) };
		lac_open(stage, &lac[i]);
	}
	size_t before = touched(stage);

	fill(stage, lac, up);
	printf("memory: %zu octets before, %.1f octets for each session; sizeof(struct session) %zu\n",
		before, (double)(touched(stage) - before) / SESSIONS, sizeof(struct session));
	assert_true(touched(stage) - before <= (size_t)SESSIONS * 1024);
	look_up_all(stage, lac, up);
	for (unsigned i = 0; i < TUNNELS; i++)
		lac_ack(stage, &lac[i]);
	idle_hour(stage);
	begin = cpu_s();
	stage_end(stage);
	printf("closing all: %.1f us each\n", (cpu_s() - begin) * 1e6 / SESSIONS);
	free(up);
}

/* Calls come and go at a full table: the same cost, and no page more. */
static void churn(void **state)
{
	enum { CALLS = 4000, ROUNDS = 10 };
	struct stage *stage = stage_new(CALLS, 4);
	struct stage_lac lac = { .addr = stage_addr(0xc0000201), .tid = 1 };
	static uint16_t lns_sid[CALLS];
	uint32_t address;
	size_t after_first = 0;

	(void)state;
	/* As many addresses as are needed, so that fresh ones do not count as growth. */
	stage->conf.pools.range[0].prefix = (struct prefix4){ { 0x0a000000 }, 20 };
	stage_begin(stage);
	lac_open(stage, &lac);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (uint16_t i = 0; i < CALLS; i++)
			lns_sid[i] = lac_dial(stage, &lac, (uint16_t)(i + 1), "ann", &address);
		for (uint16_t i = 0; i < CALLS; i++)
			lac_cdn(stage, &lac, (uint16_t)(i + 1), lns_sid[i]);
		stage_flush(stage);
		assert_int_equal(lns_session_count(stage->lns), 0);
		if (round == 1)
			after_first = touched(stage);
	}
	printf("churn: %zu octets after two rounds, %zu after %d\n", after_first, touched(stage), ROUNDS);
	assert_true(touched(stage) <= after_first + after_first / 20);
	stage_end(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_hundred_thousand_sessions),
		cmocka_unit_test(churn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
