/*
 * Goal: whatever runs out, and whoever floods, what is up stays up, the right refusal goes out, and
 * everything is given back in the end.
 * Method: tables are filled to the last place and emptied; floods of every kind are sent while one
 * session lives, which must still hang up and dial in again afterwards; nothing may be left.
 */
#include "tests/unit/lns_stage.h"

/* Small enough to run out of everything, quickly. */
static struct stage *small_stage(void)
{
	return stage_new(3000, 8);
}

static struct stage_lac lac_of(unsigned n)
{
	return (struct stage_lac){ .addr = stage_addr(0xc0000200 + n), .tid = (uint16_t)n };
}

/* One live session; it must answer, hang up and dial in anew, whatever happened meanwhile. */
struct live { struct stage_lac lac; uint16_t sid, lns_sid; uint32_t address; };

static void live_begin(struct stage *stage, struct live *live)
{
	*live = (struct live){ .lac = lac_of(1), .sid = 1 };
	lac_open(stage, &live->lac);
	live->lns_sid = lac_dial(stage, &live->lac, live->sid, "ann", &live->address);
	stage_flush(stage);
}

static void live_answers(struct stage *stage, struct live *live)
{
	lac_frame(stage, &live->lac, live->lns_sid, PPP_LCP, CP_ECHOREQ, 9, bytes_of("\0\0\0\7", 4));
	assert_int_equal(stage->why, WHY_OK);
	assert_int_equal(stage->code, CP_ECHOREP);
	assert_true(lns_session_by_address(stage->lns, (struct ip4){ live->address }).n != 0);
}

static void live_comes_again(struct stage *stage, struct live *live)
{
	live_answers(stage, live);
	lac_frame(stage, &live->lac, live->lns_sid, PPP_LCP, CP_TERMREQ, 1, SAY_NONE);
	assert_int_equal(stage->type, L2TP_CDN);
	live->lac.nr++;
	lac_ack(stage, &live->lac);
	assert_true(lns_session_by_address(stage->lns, (struct ip4){ live->address }).n == 0);
	live->lns_sid = lac_dial(stage, &live->lac, ++live->sid, "ann", &live->address);
	stage_flush(stage);
}

/* RFC 2661 4.4.2: CDN 4 when there is no place; every place is given once and comes back. */
static void every_session_place(void **state)
{
	struct stage *stage = small_stage();
	struct stage_lac lac[5];
	static uint16_t sid[3001];
	static bool taken[6][65536];

	(void)state;
	stage_begin(stage);
	for (unsigned i = 0; i < 5; i++) {
		lac[i] = lac_of(i + 1);
		lac_open(stage, &lac[i]);
	}
	for (int round = 0; round < 3; round++) {
		memset(taken, 0, sizeof(taken));
		for (unsigned i = 0; i < 3000; i++) {
			lac_icrq(stage, &lac[i % 5], (uint16_t)(i + 1), SAY_NONE);
			assert_int_equal(stage->type, L2TP_ICRP);
			sid[i] = stage->assigned;
			assert_true(sid[i] != 0 && !taken[i % 5][sid[i]]);
			taken[i % 5][sid[i]] = true;
		}
		lac_icrq(stage, &lac[0], 3001, SAY_NONE);
		assert_int_equal(stage->why, WHY_SESSIONS_FULL);
		assert_int_equal(stage->type, L2TP_CDN);
		assert_int_equal(stage->session_id, 3001);
		assert_int_equal(stage->result, 4);
		for (unsigned i = 0; i < 3000; i++)
			lac_cdn(stage, &lac[i % 5], (uint16_t)(i + 1), sid[i]);
		assert_int_equal(lns_session_count(stage->lns), 0);
	}
	stage_end(stage);
}

/* One tunnel has 64 pages of 1,023 session ids; what does not fit is refused and fits in another. */
static void a_full_tunnel(void **state)
{
	struct stage *stage = stage_new(70000, 4);
	struct stage_lac a = lac_of(1), b = lac_of(2);
	uint32_t n = 0;

	(void)state;
	stage_begin(stage);
	lac_open(stage, &a);
	lac_open(stage, &b);
	for (; n < 65535; n++) {
		lac_icrq(stage, &a, (uint16_t)(n + 1), SAY_NONE);
		if (stage->type != L2TP_ICRP)
			break;
	}
	printf("one tunnel took %u calls\n", n);
	assert_true(n >= 65000);
	lac_icrq(stage, &b, 1, SAY_NONE);
	assert_int_equal(stage->type, L2TP_ICRP);
	/* Nobody connects: the set-up timer clears them all. */
	for (unsigned i = 0; i < 70; i++) {
		stage_pass(stage, DUR_S(1));
		a.nr = (uint16_t)(stage->ns + 1);
		lac_ack(stage, &a);
	}
	stage_end(stage);
}

/* RFC 2661 4.4.2: StopCCN 2, error 4, when there is no place. */
static void every_tunnel_place(void **state)
{
	struct stage *stage = small_stage();

	(void)state;
	stage_begin(stage);
	for (int round = 0; round < 3; round++) {
		for (unsigned i = 1; i <= 8; i++) {
			struct stage_lac lac = lac_of(i);

			lac_open(stage, &lac);
		}
		struct stage_lac ninth = lac_of(9);

		lac_sccrq(stage, &ninth);
		assert_int_equal(stage->why, WHY_TUNNELS_FULL);
		assert_int_equal(stage->type, L2TP_STOPCCN);
		assert_int_equal(stage->result, 2);
		for (uint16_t tid = 1; tid <= 8; tid++)
			(void)!lns_drop_tunnel(stage->lns, (struct tid){ tid }, stage->now, &stage->out);
		stage_done(stage);
		stage_pass(stage, DUR_S(100));
		assert_int_equal(lns_tunnel_count(stage->lns), 0);
	}
	stage_end(stage);
}

static size_t kept(const struct stage *stage)
{
	return stage->lns->store.fresh;
}

/* A hundred thousand SCCRQs from as many addresses: bounded memory, and those who are up do not notice. */
static void flood_of_sccrqs(void **state)
{
	struct stage *stage = stage_new(3000, 300);
	struct live live;
	size_t after_first = 0;

	(void)state;
	stage_begin(stage);
	live_begin(stage, &live);
	for (uint32_t i = 0; i < 100000; i++) {
		struct stage_lac lac = { .addr = stage_addr(0xc6120000 + i), .tid = (uint16_t)(i + 1) };

		lac_sccrq(stage, &lac);
		if (i % 1000 == 0)
			live_answers(stage, &live);
		if (i == 10000)
			after_first = kept(stage);
		stage->now.us += 10;
	}
	assert_int_equal(lns_tunnel_count(stage->lns), 101);
	assert_int_equal(kept(stage), after_first);
	live_comes_again(stage, &live);
	stage_pass(stage, DUR_S(60));
	stage_end(stage);
}

/* Data for nobody, from everywhere. */
static void flood_of_data(void **state)
{
	struct stage *stage = small_stage();
	struct live live;

	(void)state;
	stage_begin(stage);
	live_begin(stage, &live);
	for (uint32_t i = 0; i < 100000; i++) {
		struct stage_lac lac = { .addr = stage_addr(0xc6120000 + i), .lns_tid = (uint16_t)(i % 12) };

		lac_frame(stage, &lac, (uint16_t)i, PPP_LCP, CP_ECHOREQ, 1, bytes_of("\0\0\0\7", 4));
		assert_true(stage->why == WHY_DATA_NO_SESSION || stage->why == WHY_DATA_PEER);
	}
	live_comes_again(stage, &live);
	stage_end(stage);
}

/* A LAC that was not there before opens its tunnel and brings a few calls. */
static void newcomer_is_served(struct stage *stage)
{
	struct stage_lac lac = lac_of(7);
	uint32_t address;

	lac_open(stage, &lac);
	for (uint16_t i = 1; i <= 8; i++) {
		(void)lac_dial(stage, &lac, i, "newcomer@isp.example", &address);
		lac_ack(stage, &lac);
	}
}

/* A LAC that asks for ever more and acknowledges nothing must not use up what the others need. */
static void lac_that_never_acknowledges(void **state)
{
	struct stage *stage = small_stage();
	struct stage_lac lac = lac_of(2);
	struct live live;

	(void)state;
	stage_begin(stage);
	live_begin(stage, &live);
	lac_open(stage, &lac);
	uint16_t nr = lac.nr;

	for (uint32_t i = 0; i < 60000; i++) {
		lac.nr = nr;
		lac_icrq(stage, &lac, 0, SAY_NONE);	/* refused by a CDN each time, which waits */
	}
	live_comes_again(stage, &live);
	newcomer_is_served(stage);
	stage_end(stage);
}

/* Nor one that sends the longest names there are, and then small ones for what is left. */
static void lac_with_long_names(void **state)
{
	static const uint8_t name[1017];
	static const uint32_t len[] = {
		1017, 1017, 1017, 1017, 1017, 1017, 1017, 1017, 509, 250, 120, 60, 30, 30, 30 };
	struct stage *stage = small_stage();
	struct stage_lac lac = lac_of(2);
	struct live live;

	(void)state;
	stage_begin(stage);
	live_begin(stage, &live);
	lac_open(stage, &lac);
	for (uint16_t i = 0; i < 2980; i++) {
		lac_icrq(stage, &lac, (uint16_t)(i + 1), bytes_of(name, len[i / 200]));
		lac_ack(stage, &lac);
	}
	live_comes_again(stage, &live);
	newcomer_is_served(stage);
	stage_end(stage);
}

/* Messages ahead of their turn are kept only within our window. */
static void lac_that_skips_one(void **state)
{
	struct stage *stage = small_stage();
	struct stage_lac lac = lac_of(2);
	struct live live;

	(void)state;
	stage_begin(stage);
	live_begin(stage, &live);
	lac_open(stage, &lac);
	uint32_t held = stage->lns->chan_pool.used;

	lac.ns++;
	for (uint32_t i = 0; i < 65000; i++)
		lac_icrq(stage, &lac, 1, SAY_NONE);
	assert_true(stage->lns->chan_pool.used <= held + stage->conf.window);
	live_comes_again(stage, &live);
	stage_end(stage);
}

/* No address left: CDN 2, error 7; the next one that hangs up makes room for the next that dials. */
static void every_address(void **state)
{
	struct stage *stage = small_stage();
	struct stage_lac lac = lac_of(1);
	uint32_t address, last = 0;
	uint16_t lns_sid[17];

	(void)state;
	stage->conf.pools.range[0].prefix = (struct prefix4){ { 0x0a000010 }, 28 };
	stage_begin(stage);
	lac_open(stage, &lac);
	for (uint16_t i = 0; i < 16; i++)
		lns_sid[i] = lac_dial(stage, &lac, (uint16_t)(i + 1), "ann", &address);
	for (uint16_t i = 0; i < 100; i++) {
		lac_cdn(stage, &lac, (uint16_t)(i % 16 + 1), lns_sid[i % 16]);
		lns_sid[i % 16] = lac_dial(stage, &lac, (uint16_t)(i % 16 + 1), "bob", &address);
		assert_true(address >= 0x0a000010 && address <= 0x0a00001f && address != last);
	}
	assert_int_equal(lns_session_count(stage->lns), 16);
	stage_end(stage);
}

/* Effects of one event stay within their bounds even when a thousand sessions end at once. */
static void a_thousand_ends_at_once(void **state)
{
	struct stage *stage = small_stage();
	struct stage_lac lac = lac_of(1);
	uint32_t address;

	(void)state;
	stage_begin(stage);
	lac_open(stage, &lac);
	for (uint16_t i = 1; i <= 2000; i++)
		(void)lac_dial(stage, &lac, i, "ann", &address);
	lac_send(stage, &lac, 0, &(struct l2tp_msg){
		.type = L2TP_STOPCCN, .assigned_tid = lac.tid, .result = 1,
		.present = BIT(ASSIGNED_TUNNEL_ID) | BIT(RESULT_CODE) });
	assert_int_equal(stage->why, WHY_OK);
	stage_pass(stage, DUR_MS(1));
	assert_int_equal(lns_session_count(stage->lns), 0);
	assert_int_equal(stage->effects[FX_SESSION_DROP], 2000);
	stage_end(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_session_place),
		cmocka_unit_test(a_full_tunnel),
		cmocka_unit_test(every_tunnel_place),
		cmocka_unit_test(flood_of_sccrqs),
		cmocka_unit_test(flood_of_data),
		cmocka_unit_test(lac_that_never_acknowledges),
		cmocka_unit_test(lac_with_long_names),
		cmocka_unit_test(lac_that_skips_one),
		cmocka_unit_test(every_address),
		cmocka_unit_test(a_thousand_ends_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
