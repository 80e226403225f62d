/*
 * Goal: rows are whole to a reader at any moment; putting again changes a session and keeps its counters;
 *	dropping ends it; a row used anew counts from zero and does not answer to its old ids.
 * Method: the tables' writer beside the packet path's reader, and a thread that reads while rows change.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "l2tpns/plane/null.h"
#include "tests/unit/plane_world.h"

static struct plane_world world;

static int setup(void **state)
{
	struct fx_tunnel tunnel = plane_tunnel_of(3, LAC_A);

	(void)state;
	plane_world_open(&world);
	tables_tunnel_put(&world.tables, &tunnel);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	plane_world_close(&world);
	return 0;
}

static struct plane_session *find(uint16_t tid, uint16_t sid)
{
	struct fast_up up = { .tid = tid, .sid = sid };
	struct plane_session *session = fast_up_find(&world.tables.fast, &up);
	struct fast_bind bind;

	return session && fast_bind(session, &bind) && bind.tid == tid && bind.sid == sid ? session : NULL;
}

static void put_change_drop(void **state)
{
	struct fx_session session = plane_session_of(3, 1500), other;
	struct plane_session *row = &world.tables.session[1500];
	struct plane_usage usage;

	(void)state;
	assert_null(find(3, 1500));
	tables_session_put(&world.tables, &session);
	assert_ptr_equal(find(3, 1500), row);
	row->up_packets = 5;
	row->down_octets = 7;
	row->up_s = 11;
	session.mru = 1000;
	tables_session_put(&world.tables, &session);
	assert_ptr_equal(find(3, 1500), row);
	assert_int_equal(row->mru, 1000);
	tables_usage(&world.tables, session.row, &usage);
	assert_true(usage.up_packets == 5 && usage.down_octets == 7 && usage.up_heard.us == 11000000);
	other = session;
	other.sid.n = (uint16_t)(session.sid.n + 1024);
	tables_session_drop(&world.tables, &other);		/* not the one that is there */
	assert_ptr_equal(find(3, 1500), row);
	tables_session_drop(&world.tables, &session);
	assert_null(find(3, 1500));
	tables_usage(&world.tables, session.row, &usage);
	assert_int_equal(usage.up_packets, 5);			/* still to be accounted */
	other.tid.n = 4;
	tables_session_put(&world.tables, &other);
	assert_ptr_equal(find(4, other.sid.n), row);
	assert_null(find(3, 1500));
	tables_usage(&world.tables, session.row, &usage);
	assert_true(usage.up_packets == 0 && usage.up_heard.us == 0);
}

/* Session ids of one page: row - id is the same for all; ids of another page lead elsewhere. */
static void pages(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 64; i++) {
		struct fx_session session = plane_session_of(3, 2048 + i * 13);

		session.sid.n = (uint16_t)(i << 10 | (session.row.n & 1023));
		if (session.sid.n)
			tables_session_put(&world.tables, &session);
	}
	for (uint32_t i = 1; i < 64; i++) {
		uint16_t sid = (uint16_t)(i << 10 | ((2048 + i * 13) & 1023));

		assert_ptr_equal(find(3, sid), &world.tables.session[2048 + i * 13]);
		assert_null(find(3, (uint16_t)(sid + 1)));
	}
	tables_tunnel_drop(&world.tables, (struct tid){ 3 });
	assert_null(find(3, 1 << 10 | ((2048 + 13) & 1023)));
}

#define READINGS 20000u

static uint32_t stop, whole;

/* Two sessions take turns in one row; each is recognised by three fields that must agree. */
static struct fx_session turn_of(uint32_t n)
{
	struct fx_session session = plane_session_of(3, 77);

	session.sid.n = (uint16_t)(n & 1 ? 77 : 77 + 1024);
	session.peer_sid.n = (uint16_t)(n & 1 ? 1111 : 2222);
	session.address.n = n & 1 ? 1111 : 2222;
	session.mru = (uint16_t)(n & 1 ? 1111 : 2222);
	return session;
}

static void *turns(void *arg)
{
	(void)arg;
	for (uint32_t n = 0; __atomic_load_n(&whole, __ATOMIC_RELAXED) < READINGS; n++) {
		struct fx_session session = turn_of(n);

		tables_session_put(&world.tables, &session);
		if (n % 3 == 0)
			tables_session_drop(&world.tables, &session);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void a_row_is_whole_or_nothing(void **state)
{
	const struct plane_session *row = &world.tables.session[77];
	pthread_t thread;

	(void)state;
	__atomic_store_n(&stop, 0, __ATOMIC_RELEASE);
	assert_int_equal(pthread_create(&thread, NULL, turns, NULL), 0);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		struct fast_bind bind;

		if (!fast_bind(row, &bind))
			continue;
		__atomic_fetch_add(&whole, 1, __ATOMIC_RELAXED);
		uint32_t mark = bind.sid == 77 ? 1111 : 2222;
		assert_true(bind.address == mark && bind.peer_sid == mark && bind.mru == mark);
	}
	pthread_join(thread, NULL);
}

static void null_plane_counts(void **state)
{
	struct plane_null null;
	struct fx_tunnel tunnel = plane_tunnel_of(3, LAC_A);
	struct fx_session session = plane_session_of(3, 5);
	struct fx_route route = { .prefix = { { 0x0a000005 }, 32 }, .row = { 5 } };
	struct plane_usage usage;
	struct plane *plane = &null.plane;

	(void)state;
	plane_null_init(&null);
	null.routes_max = 1;
	null.usage.up_packets = 9;
	plane->ops->tunnel_put(plane, &tunnel);
	plane->ops->session_put(plane, &session);
	assert_true(plane->ops->route_put(plane, &route));
	assert_false(plane->ops->route_put(plane, &route));
	plane->ops->route_drop(plane, &route);
	plane->ops->session_drop(plane, &session);
	plane->ops->tunnel_drop(plane, tunnel.tid);
	plane->ops->usage(plane, session.row, &usage);
	assert_int_equal(usage.up_packets, 9);
	assert_int_equal(plane->ops->refused(plane, WHY_DATA_PEER), 0);
	assert_true(null.tunnel_puts == 1 && null.session_drops == 1 && null.route_puts == 1);
	assert_true(null.tunnels == 0 && null.sessions == 0 && null.routes == 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(put_change_drop), CASE(pages), CASE(a_row_is_whole_or_nothing), CASE(null_plane_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
