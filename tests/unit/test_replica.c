/*
 * test_replica.c -- records of sessions, tunnels and messages: written, read back, written again.
 *
 * Goal:   an object encoded on one node and applied on another is the same object, and its record there is
 *         the same octets; what a newer node wrote survives; no record, however wrong, does harm.
 * Method: replica_objects.h: random objects, compared member by member and octet by octet.
 */
#include "tests/unit/replica_objects.h"

#include <time.h>

/* R25, R42: everything a new master needs is in the record, and there is one way to write it. */
static void R42_sessions_come_back_equal(void **state)
{
	struct two two = two_new();
	uint8_t one[REPLICA_MAX], two_room[REPLICA_MAX];
	char text[300];

	(void)state;
	copy(&two, two.tid.n);
	for (unsigned i = 0; i < 4000; i++) {
		struct row row = any_session(&two);
		struct bytes record = record_of(two.a, key_of(row), here, one);

		assert_true(record.len > 0 && record.len <= REPLICA_MAX);
		assert_int_equal(apply(two.b, key_of(row), record), WHY_OK);
		same_session(&two, row);
		struct bytes again = record_of(two.b, key_of(row), there, two_room);

		assert_true(bytes_eq(record, again));
		assert_int_equal(apply(two.b, key_of(row), record), WHY_OK);	/* once more changes nothing */
		same_session(&two, row);
		if (dice(3) == 0)		/* and sometimes it ends again */
			assert_int_equal(apply(two.b, key_of(row), SAY_NONE), WHY_OK);
	}
	assert_int_equal(two.b->effects[FX_SEND], 0);
	for (uint32_t row = 0; row < rows_space(5000); row++)
		if (row % ROWS_PER_BLOCK)
			assert_int_equal(apply(two.b, REPLICA_SESSIONS + row, SAY_NONE), WHY_OK);
	assert_int_equal(apply(two.b, two.tid.n, SAY_NONE), WHY_OK);
	if (lns_left(two.b->lns, text))
		fail_msg("left behind: %s", text);
	assert_int_equal(two.b->effects[FX_SESSION_PUT], two.b->effects[FX_SESSION_DROP]);
	assert_int_equal(two.b->effects[FX_ROUTE_PUT], two.b->effects[FX_ROUTE_DROP]);
	assert_int_equal(two.b->effects[FX_TUNNEL_PUT], two.b->effects[FX_TUNNEL_DROP]);
	two_free(&two);
}

static void any_tunnel(struct two *two)
{
	struct lns *lns = two->a->lns;
	struct tunnel *t = &lns->tunnel[two->tid.n];
	uint16_t acked = (uint16_t)any_u32();
	struct tunnel now = {
		.in_use = true, .tid = t->tid, .peer_tid = { (uint16_t)(1 + dice(65535)) },
		.peer = { ip_from4((struct ip4){ 1 + any_u32() }), (uint16_t)any_u32() }, .local = stage_ip,
		.state = (uint8_t)dice(TUNNEL_STATES), .closing = dice(2), .stop_after_drop = dice(2), .put = dice(2),
		.dead = dice(2), .challenged = dice(2), .drop_end = (uint8_t)dice(SESSION_ENDS),
		.result = (uint16_t)any_u32(), .error = (uint16_t)any_u32(), .firmware = (uint16_t)any_u32(),
		.framing_caps = any_u32(), .bearer_caps = any_u32(), .created = any_time(two->a),
		.opened = any_time(two->a), .emptied = any_time(two->a),
		.host_name = any_text(lns, 100), .vendor_name = any_text(lns, 100),
	};

	if (dice(4) == 0)		/* an address of the other family */
		memset(now.peer.ip.b, 0x20, 12);
	now.opening = now.state == TUNNEL_WAIT_CTL_CONN && dice(2);
	now.dropping = !now.opening && dice(3) == 0;
	now.lingering = now.closing && !now.dropping && dice(2);
	if (now.challenged && now.state == TUNNEL_WAIT_CTL_CONN)
		memset(now.challenge, 1 + (int)dice(255), sizeof(now.challenge));
	chan_restore(&now.chan, &(struct chan_numbers){
		.acked = acked, .ns = (uint16_t)(acked + dice(200)), .nr = (uint16_t)any_u32(),
		.peer_window = (uint16_t)(1 + dice(CHAN_WINDOW_MAX)) });
	*t = now;
}

static void same_tunnel(struct two *two)
{
	const struct tunnel *a = lns_tunnel(two->a->lns, two->tid), *b = lns_tunnel(two->b->lns, two->tid);

	assert_non_null(b);
	SAME(state), SAME(closing), SAME(dropping), SAME(stop_after_drop), SAME(opening), SAME(put), SAME(lingering);
	SAME(dead), SAME(challenged), SAME(drop_end), SAME(result), SAME(error), SAME(peer_tid.n), SAME(firmware);
	SAME(framing_caps), SAME(bearer_caps), SAME(chan.acked), SAME(chan.ns), SAME(chan.nr), SAME(chan.peer_window);
	assert_false(b->stub);
	assert_true(addr_eq(a->peer, b->peer) && ip_eq(a->local, b->local));
	assert_memory_equal(a->challenge, b->challenge, sizeof(a->challenge));
	same_time(a->created, b->created);
	same_time(a->opened, b->opened);
	same_time(a->emptied, b->emptied);
	same_text(two, a->host_name, b->host_name);
	same_text(two, a->vendor_name, b->vendor_name);
}

static void R41_tunnels_come_back_equal(void **state)
{
	struct two two = two_new();
	uint8_t one[REPLICA_MAX], two_room[REPLICA_MAX];
	char text[300];

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		any_tunnel(&two);
		struct bytes record = record_of(two.a, two.tid.n, here, one);

		assert_int_equal(apply(two.b, two.tid.n, record), WHY_OK);
		same_tunnel(&two);
		assert_true(bytes_eq(record, record_of(two.b, two.tid.n, there, two_room)));
		assert_int_equal(two.b->lns->openings, lns_tunnel(two.b->lns, two.tid)->opening);
		assert_int_equal(two.b->lns->lingering, lns_tunnel(two.b->lns, two.tid)->lingering);
		assert_int_equal(two.b->lns->dropping.head != 0, lns_tunnel(two.b->lns, two.tid)->dropping);
	}
	assert_int_equal(apply(two.b, two.tid.n, SAY_NONE), WHY_OK);
	if (lns_left(two.b->lns, text))
		fail_msg("left behind: %s", text);
	assert_int_equal(two.b->effects[FX_SEND], 0);
	two_free(&two);
}

/* A message goes to its channel, before its tunnel as well, and is there until its record says otherwise. */
static void R41_messages_come_back_equal(void **state)
{
	struct two two = two_new();
	struct stage_lac lac = { .addr = stage_addr(0xc0000201), .tid = 77, .lns_tid = two.tid.n, .ns = 2, .nr = 1 };
	uint32_t first = replica_messages(&two.a->conf);
	uint8_t one[REPLICA_MAX], two_room[REPLICA_MAX];
	char text[300];
	unsigned messages = 0;

	(void)state;
	assert_int_equal(replica_keys(&two.a->conf), first + two.a->lns->chan_pool.n + 1);
	for (uint16_t sid = 1; sid <= 20; sid++) {
		lac_icrq(two.a, &lac, sid, SAY_NONE);
		lac.nr = 1;				/* it acknowledges nothing: some wait */
	}
	for (uint32_t key = first; key < replica_keys(&two.a->conf); key++) {
		struct bytes record = record_of(two.a, key, here, one);

		if (record.len == 0)
			continue;
		messages++;
		assert_int_equal(apply(two.b, key, record), WHY_OK);
		assert_true(bytes_eq(record, record_of(two.b, key, there, two_room)));
	}
	assert_int_equal(messages, 20);
	assert_true(lns_tunnel(two.b->lns, two.tid)->stub);
	assert_int_equal(lns_tunnel(two.b->lns, two.tid)->state, TUNNEL_IDLE);
	copy(&two, two.tid.n);
	assert_false(lns_tunnel(two.b->lns, two.tid)->stub);
	assert_int_equal(chan_queued(&two.b->lns->tunnel[two.tid.n].chan), 20);
	assert_int_equal(apply(two.b, two.tid.n, SAY_NONE), WHY_OK);
	assert_true(lns_tunnel(two.b->lns, two.tid)->stub);
	for (uint32_t key = first + 1; key < replica_keys(&two.a->conf); key++)
		assert_int_equal(apply(two.b, key, SAY_NONE), WHY_OK);
	if (lns_left(two.b->lns, text))
		fail_msg("left behind: %s", text);
	two_free(&two);
}

/* What is not there, or not any more, has no record. */
static void nothing_is_written_of_nothing(void **state)
{
	struct stage *stage = stage_new(5000, 100);
	struct stage_lac lac = { .addr = stage_addr(0xc0000202), .tid = 5 };
	uint8_t room[REPLICA_MAX];
	uint32_t address;

	(void)state;
	stage_begin(stage);
	lac_open(stage, &lac);
	uint16_t sid = lac_dial(stage, &lac, 4711, "ann", &address);

	assert_int_equal(record_of(stage, REPLICA_SESSIONS + 2, here, room).len, 0);
	assert_int_not_equal(record_of(stage, REPLICA_SESSIONS + 1, here, room).len, 0);
	lac_cdn(stage, &lac, 4711, sid);
	lac_ack(stage, &lac);
	for (uint32_t key = 0; key < replica_keys(&stage->conf); key++)
		if (key != lac.lns_tid)
			assert_int_equal(record_of(stage, key, here, room).len, 0);
	stage_end(stage);
}

/* ---- records that others wrote */

/* A field put into a record in its order. */
static struct bytes with_field(struct bytes record, uint16_t number, bool must, struct bytes value,
			       uint8_t room[REPLICA_MAX])
{
	struct wr w = wr_of(room, REPLICA_MAX);
	struct rd r = rd_bytes(record);
	bool done = false;

	while (rd_left(&r) > 0 || !done) {
		const uint8_t *at = r.p;
		unsigned head = rd_left(&r) ? *at & 127u : UINT16_MAX + 1;

		if (!done && head > number) {
			wr_u8(&w, (uint8_t)((must ? 128 : 0) | min_u32(number, 127)));
			if (number >= 127)
				wr_u16(&w, number);
			wr_u8(&w, (uint8_t)value.len);
			wr_bytes(&w, value);
			done = true;
			continue;
		}
		(void)rd_u8(&r);
		if (head == 127)
			(void)rd_u16(&r);
		uint32_t len = rd_u8(&r);

		(void)rd_take(&r, len == 255 ? rd_u16(&r) : len);
		wr_put(&w, at, (size_t)(r.p - at));
	}
	return wr_bytes_of(&w);
}

/* R64: what a newer node wrote and this one does not know survives a term of this one as master. */
static void R64_unknown_fields_are_kept(void **state)
{
	static const uint16_t numbers[] = { 25, 29, 50, 59, 66, 126, 127, 300, 65535 };
	struct two two = two_new();
	uint8_t plain[REPLICA_MAX], room[2][REPLICA_MAX], again[REPLICA_MAX];
	struct row row = any_session(&two);

	(void)state;
	copy(&two, two.tid.n);
	store_drop(&two.a->lns->store, two.a->lns->session[row.n].access_line);
	two.a->lns->session[row.n].access_line = 0;
	struct bytes record = record_of(two.a, key_of(row), here, plain);

	for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
		record = with_field(record, numbers[i], false, bytes_of("newer node", 3 + i % 5), room[i % 2]);
		assert_int_equal(apply(two.b, key_of(row), record), WHY_OK);
		assert_true(bytes_eq(record, record_of(two.b, key_of(row), there, again)));
	}
	same_text(&two, two.a->lns->session[row.n].user, two.b->lns->session[row.n].user);
	two.b->lns->session[row.n].tx_bps ^= 0x01010101;	/* and what is known may change beside them */
	struct bytes changed = record_of(two.b, key_of(row), there, again);

	assert_true(changed.len >= record.len && !bytes_eq(changed, record));
	assert_int_equal(apply(two.b, key_of(row), changed), WHY_OK);
	assert_int_equal(apply(two.b, key_of(row), record_of(two.a, key_of(row), here, plain)), WHY_OK);
	assert_int_equal(two.b->lns->session[row.n].unknown, 0);
	two_free(&two);
}

/* R31: a field that must be understood and is not: the object stays as it was. */
static void R64_unknown_must_be_understood(void **state)
{
	struct two two = two_new();
	uint8_t plain[REPLICA_MAX], room[REPLICA_MAX], again[REPLICA_MAX];
	struct row row = any_session(&two);

	(void)state;
	copy(&two, two.tid.n);
	struct bytes record = record_of(two.a, key_of(row), here, plain);

	assert_int_equal(apply(two.b, key_of(row), with_field(record, 25, true, bytes_str("x"), room)), WHY_CL_VALUE);
	assert_null(lns_session(two.b->lns, row));
	assert_int_equal(apply(two.b, key_of(row), record), WHY_OK);
	assert_int_equal(apply(two.b, key_of(row), with_field(record, 25, true, bytes_str("x"), room)), WHY_CL_VALUE);
	assert_true(bytes_eq(record, record_of(two.b, key_of(row), there, again)));
	assert_int_equal(apply(two.b, key_of(row), with_field(record, 999, true, bytes_str("x"), room)), WHY_CL_VALUE);
	/* There is one way to write a number. */
	two.a->lns->session[row.n].end_error = 0;
	record = record_of(two.a, key_of(row), here, plain);
	struct bytes long_form = with_field(record, 10, false, bytes_of("\0\1", 2), room);

	assert_int_equal(apply(two.b, key_of(row), long_form), WHY_CL_VALUE);
	assert_int_equal(apply(two.b, key_of(row), with_field(record, 10, false, bytes_of("", 1), room)), WHY_CL_VALUE);
	assert_int_equal(apply(two.b, key_of(row), with_field(record, 10, false, bytes_of("\1\0", 2), room)), WHY_OK);
	two_free(&two);
}

/* R31: every damage is refused and changes nothing, or is another object whole. */
static void R31_damaged_records_do_no_harm(void **state)
{
	struct two two = two_new();
	uint8_t plain[REPLICA_MAX], spoilt[REPLICA_MAX], again[REPLICA_MAX];

	(void)state;
	copy(&two, two.tid.n);
	for (unsigned n = 0; n < 300; n++) {
		struct row row = any_session(&two);
		struct bytes record = record_of(two.a, key_of(row), here, plain);

		assert_int_equal(apply(two.b, key_of(row), record), WHY_OK);
		for (unsigned i = 0; i < 200; i++) {
			struct bytes bad = bytes_of(spoilt, dice(4) ? record.len : 1 + dice(record.len));

			memcpy(spoilt, record.p, bad.len);
			spoilt[dice(bad.len)] ^= (uint8_t)(1 + dice(255));
			assert_int_equal(apply(two.b, key_of(row), record), WHY_OK);
			bool taken = apply(two.b, key_of(row), bad) == WHY_OK;
			struct bytes is = record_of(two.b, key_of(row), there, again);

			if (!taken)
				assert_true(bytes_eq(is, record));
			else if (!two.b->lns->tunnel[two.b->lns->session[row.n].tid.n].stub &&
				 two.b->lns->session[row.n].tid.n == two.tid.n)
				assert_true(is.len >= bad.len - 12);	/* a fold */
		}
	}
	two_free(&two);
}

static void impossible_numbers_are_refused(void **state)
{
	struct two two = two_new();
	uint8_t plain[REPLICA_MAX];
	struct row row = any_session(&two);
	struct bytes record = record_of(two.a, key_of(row), here, plain);
	uint32_t end = replica_keys(&two.a->conf);

	(void)state;
	static const uint32_t bad[] = { 0, 101, 65535, REPLICA_SESSIONS, REPLICA_SESSIONS + 1024, UINT32_MAX };

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(apply(two.b, bad[i], record), WHY_CL_VALUE);
		assert_int_equal(apply(two.b, bad[i], SAY_NONE), WHY_CL_VALUE);
		assert_false(replica_mergeable(two.b->lns, bad[i], record));
		assert_int_equal(record_of(two.b, bad[i], there, (uint8_t[REPLICA_MAX]){ 0 }).len, 0);
	}
	assert_int_equal(apply(two.b, end, SAY_NONE), WHY_CL_VALUE);
	assert_int_equal(apply(two.b, end - 1, SAY_NONE), WHY_OK);
	assert_int_equal(apply(two.b, key_of(row) + 1, record), WHY_CL_VALUE);	/* its session id leads elsewhere */
	assert_int_equal(apply(two.b, two.tid.n, record), WHY_CL_VALUE);
	assert_int_equal(two.b->lns->rows.used + two.b->lns->tids.used, 0);
	two_free(&two);
}

/* What does not fit is left out, the dearest last: never more than REPLICA_MAX, never less than the session. */
static void long_texts_give_way(void **state)
{
	struct two two = two_new();
	struct row row = plain_session(&two, 0x0a000105, "ann");
	struct session *s = &two.a->lns->session[row.n];
	uint8_t octets[800], room[REPLICA_MAX];

	(void)state;
	memset(octets, 'x', sizeof(octets));
	for (unsigned i = 0; i < 6; i++) {
		store_drop(&two.a->lns->store, s->text[i]);
		s->text[i] = store_keep(&two.a->lns->store, bytes_of(octets, i == 0 ? 255 : i == 5 ? 768 : 126));
	}
	assert_in_range(record_of(two.a, key_of(row), here, room).len, 600, REPLICA_MAX);
	copy(&two, key_of(row));
	const struct session *b = lns_session(two.b->lns, row);

	assert_int_equal(lns_text(two.b->lns, b->user).len, 255);
	assert_int_equal(lns_text(two.b->lns, b->sub_address).len, 126);
	assert_int_equal(b->access_line, 0);
	two_free(&two);
}

/* ---- size and speed */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void R28_records_are_small_and_quick(void **state)
{
	enum { ROUNDS = 200000 };
	struct two two = two_new();
	struct stage_lac lac = { .addr = stage_addr(0xc0000202), .tid = 5 };
	uint8_t room[REPLICA_MAX];
	uint32_t address, len = 0;

	(void)state;
	lac_open(two.a, &lac);
	lac_dial(two.a, &lac, 4711, "0123456789@isp.examp", &address);
	struct row row = lns_session_by_address(two.a->lns, (struct ip4){ address });

	len = record_of(two.a, key_of(row), here, room).len;
	double begin = seconds();

	for (unsigned i = 0; i < ROUNDS; i++)
		assert_int_equal(record_of(two.a, key_of(row), here, room).len, len);
	double encode_ns = (seconds() - begin) * 1e9 / ROUNDS;

	copy(&two, lac.lns_tid);
	begin = seconds();
	for (unsigned i = 0; i < ROUNDS; i++)
		assert_int_equal(apply(two.b, key_of(row), bytes_of(room, len)), WHY_OK);
	double apply_ns = (seconds() - begin) * 1e9 / ROUNDS;

	printf("a session that is up: %u octets, %.0f ns to encode, %.0f ns to apply again\n", len, encode_ns,
		apply_ns);
	assert_true(len <= 190);
	assert_true(encode_ns < 20000 && apply_ns < 50000);
	two_free(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R42_sessions_come_back_equal),
		cmocka_unit_test(R41_tunnels_come_back_equal),
		cmocka_unit_test(R41_messages_come_back_equal),
		cmocka_unit_test(nothing_is_written_of_nothing),
		cmocka_unit_test(R64_unknown_fields_are_kept),
		cmocka_unit_test(R64_unknown_must_be_understood),
		cmocka_unit_test(R31_damaged_records_do_no_harm),
		cmocka_unit_test(impossible_numbers_are_refused),
		cmocka_unit_test(long_texts_give_way),
		cmocka_unit_test(R28_records_are_small_and_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
