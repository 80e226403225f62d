/*
 * test_replica_order.c -- what applying a record does besides, in every order that is possible when changes are joined.
 *
 * Goal:   indices, pools, pages and the data plane end right when a session comes before its tunnel, an address
 *         before its last holder gave it back, a row or a page in its next use; what may be merged is told apart.
 * Method: replica_objects.h, and a look at the second control plane after each record.
 */
#include "l2tpns/base/serial.h"
#include "tests/unit/replica_objects.h"

/* A session, a message or both come before their tunnel. */
static void session_before_its_tunnel(void **state)
{
	struct two two = two_new();
	struct row row = plain_session(&two, 0x0a000105, "ann");
	const struct session *s;
	char text[300];

	(void)state;
	copy(&two, key_of(row));
	assert_true(lns_tunnel(two.b->lns, two.tid)->stub);
	assert_int_equal(two.b->effects[FX_TUNNEL_PUT], 0);
	s = lns_session(two.b->lns, row);
	assert_true(s && s->up);
	assert_int_equal(lns_session_by_address(two.b->lns, (struct ip4){ 0x0a000105 }).n, row.n);
	assert_int_equal(lns_user_first(two.b->lns, bytes_str("ann")).n, row.n);
	copy(&two, two.tid.n);
	assert_false(lns_tunnel(two.b->lns, two.tid)->stub);
	assert_int_equal(two.b->effects[FX_TUNNEL_PUT], 1);
	assert_int_equal(lns_tunnel_session_first(two.b->lns, two.tid).n, row.n);
	assert_int_equal(apply(two.b, two.tid.n, SAY_NONE), WHY_OK);		/* and goes after it */
	assert_true(lns_tunnel(two.b->lns, two.tid)->stub);
	assert_int_equal(apply(two.b, key_of(row), SAY_NONE), WHY_OK);
	if (lns_left(two.b->lns, text))
		fail_msg("left behind: %s", text);
	two_free(&two);
}

/* The address has another holder already when the record of the one who lost it comes. */
static void address_changes_hands(void **state)
{
	struct two two = two_new();
	struct row old = plain_session(&two, 0x0a000105, "ann"), young = plain_session(&two, 0x0a000105, "bob");
	struct ip4 address = { 0x0a000105 };

	(void)state;
	copy(&two, old.n + REPLICA_SESSIONS);
	copy(&two, young.n + REPLICA_SESSIONS);
	assert_int_equal(lns_session_by_address(two.b->lns, address).n, young.n);
	assert_int_equal(ippool_facts(lns_pools(two.b->lns), 0).used, 1);
	assert_false(lns_session(two.b->lns, old)->up);
	assert_int_equal(apply(two.b, key_of(old), SAY_NONE), WHY_OK);
	assert_int_equal(lns_session_by_address(two.b->lns, address).n, young.n);
	assert_int_equal(ippool_facts(lns_pools(two.b->lns), 0).used, 1);
	assert_true(lns_session(two.b->lns, young)->up);
	assert_int_equal(two.b->effects[FX_ROUTE_PUT], 2);
	assert_int_equal(two.b->effects[FX_ROUTE_DROP], 1);
	assert_int_equal(apply(two.b, key_of(young), SAY_NONE), WHY_OK);
	assert_int_equal(ippool_facts(lns_pools(two.b->lns), 0).used, 0);
	two_free(&two);
}

/* The row is another call's by now: the old one goes without a word. */
static void row_used_again(void **state)
{
	struct two two = two_new();
	struct row row = plain_session(&two, 0x0a000105, "ann");

	(void)state;
	copy(&two, two.tid.n);
	copy(&two, key_of(row));
	two.a->lns->session[row.n].serial++;		/* all else by chance the same: the data plane counts anew */
	copy(&two, key_of(row));
	assert_int_equal(two.b->effects[FX_SESSION_DROP], 1);
	two.a->lns->session[row.n].address.n++;
	two.a->lns->session[row.n].serial += 1000;
	copy(&two, key_of(row));
	same_session(&two, row);
	assert_int_equal(two.b->effects[FX_SESSION_DROP], 2);
	assert_int_equal(two.b->effects[FX_SESSION_PUT], 3);
	assert_int_equal(lns_session_by_address(two.b->lns, (struct ip4){ 0x0a000105 }).n, 0);
	/* a new master's own serials lie behind those it has seen */
	assert_false(serial32_before(two.b->lns->serial, two.a->lns->session[row.n].serial));
	assert_int_equal(lns_session_count(two.b->lns), 1);
	assert_int_equal(two.b->effects[FX_SEND], 0);
	two_free(&two);
}

/* Of a session that is up, what the data plane sees is put again, and it is not dropped for that. */
static void data_plane_follows(void **state)
{
	struct two two = two_new();
	struct row row = plain_session(&two, 0x0a000105, "ann");
	struct session *s = &two.a->lns->session[row.n];

	(void)state;
	copy(&two, two.tid.n);
	copy(&two, key_of(row));
	copy(&two, key_of(row));
	assert_int_equal(two.b->effects[FX_SESSION_PUT], 1);
	s->ppp.peer_mru--;
	copy(&two, key_of(row));
	assert_int_equal(two.b->effects[FX_SESSION_PUT], 2);
	s->ppp.pfc = !s->ppp.pfc;
	copy(&two, key_of(row));
	assert_int_equal(two.b->effects[FX_SESSION_PUT], 3);
	assert_int_equal(two.b->effects[FX_ROUTE_PUT], 1);
	assert_int_equal(two.b->effects[FX_SESSION_DROP], 0);
	s->up = false;
	copy(&two, key_of(row));
	assert_int_equal(two.b->effects[FX_SESSION_DROP], 1);
	assert_int_equal(two.b->effects[FX_ROUTE_DROP], 1);
	two.a->lns->tunnel[two.tid.n].peer_tid.n++;
	copy(&two, two.tid.n);
	assert_int_equal(two.b->effects[FX_TUNNEL_PUT], 2);
	assert_int_equal(two.b->effects[FX_TUNNEL_DROP], 0);
	two_free(&two);
}

/* What a new master needs of a quiet tunnel without its being in the record: its secret, and a timer. */
static void tunnel_has_secret_and_timer(void **state)
{
	struct two two = two_new();
	const struct lns *lns = two.b->lns;

	(void)state;
	uint32_t life = two.b->lns->tunnel_timers + two.tid.n * TIMERS_PER_OBJECT + TUNNEL_TIMER_LIFE;

	strcpy(two.b->conf.secret, "s3cret");
	two.b->conf.hello_interval_s = 5;
	assert_int_equal(lns_configured(two.b->lns, &two.b->conf, two.b->now), 0);
	copy(&two, two.tid.n);
	assert_true(bytes_eq(lns_text(lns, lns_tunnel(lns, two.tid)->secret), bytes_str("s3cret")));
	assert_true(timer_armed(&lns->timers, life));
	assert_true(lns->timers.timer[life].due <= mono_add(two.b->now, DUR_S(6)).us / TIMERS_TICK_US);
	assert_false(timer_armed(&lns->timers, lns->tunnel_timers + two.tid.n * TIMERS_PER_OBJECT + TUNNEL_TIMER_CHAN));
	two_free(&two);
}

/* The tunnel's page leads to another block now; many calls of the old one are still there. */
static void page_leads_elsewhere(void **state)
{
	struct two two = two_new();
	struct tunnel *t = &two.a->lns->tunnel[two.tid.n];
	struct row row[900];
	uint8_t room[REPLICA_MAX];
	char text[300];

	(void)state;
	copy(&two, two.tid.n);
	for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
		row[i] = plain_session(&two, 0x0a000100 + i, "ann");
		copy(&two, key_of(row[i]));
	}
	uint32_t was = t->pages.base[0];

	t->pages = (struct row_pages){ 0 };		/* as if they were gone, and a fresh block came */
	two.a->lns->rows.partial = 0;
	struct row young = plain_session(&two, 0x0a010105, "bob");

	assert_true(t->pages.base[0] && t->pages.base[0] != was);
	struct bytes record = record_of(two.a, key_of(young), here, room);
	enum why why;
	unsigned calls = 0;

	do {
		fx_clear(&two.b->out);
		why = replica_apply(two.b->lns, key_of(young), record, there, two.b->now, &two.b->out);
		calls++;
	} while (why == WHY_CL_FULL);
	assert_int_equal(why, WHY_OK);
	assert_true(calls < 4);
	assert_int_equal(lns_session_count(two.b->lns), 1);
	assert_int_equal(apply(two.b, key_of(young), SAY_NONE), WHY_OK);
	assert_int_equal(apply(two.b, two.tid.n, SAY_NONE), WHY_OK);
	if (lns_left(two.b->lns, text))
		fail_msg("left behind: %s", text);
	two_free(&two);
}

/* R52: after a split, an object made elsewhere is taken when nothing of ours stands in its way. */
static void R52_what_may_be_merged(void **state)
{
	struct two two = two_new();
	struct row row = plain_session(&two, 0x0a000105, "ann"), other = plain_session(&two, 0x0a000105, "bob");
	uint8_t tunnel[REPLICA_MAX], session[REPLICA_MAX], rival[REPLICA_MAX];
	struct bytes t = record_of(two.a, two.tid.n, here, tunnel), s = record_of(two.a, key_of(row), here, session);
	struct bytes o = record_of(two.a, key_of(other), here, rival);

	(void)state;
	assert_true(replica_mergeable(two.b->lns, two.tid.n, t));
	assert_true(replica_mergeable(two.b->lns, key_of(row), s));
	assert_int_equal(apply(two.b, two.tid.n, t), WHY_OK);
	assert_false(replica_mergeable(two.b->lns, two.tid.n, t));		/* the number is taken */
	assert_false(replica_mergeable(two.b->lns, 99, t));			/* the LAC's tunnel is here already */
	assert_true(replica_mergeable(two.b->lns, key_of(row), s));
	assert_int_equal(apply(two.b, key_of(row), s), WHY_OK);
	assert_false(replica_mergeable(two.b->lns, key_of(row), s));
	assert_false(replica_mergeable(two.b->lns, key_of(other), o));		/* its address is taken */
	assert_int_equal(apply(two.b, key_of(row), SAY_NONE), WHY_OK);
	assert_true(replica_mergeable(two.b->lns, key_of(other), o));
	two.a->lns->tunnel[two.tid.n].peer.port++;				/* its number is another LAC's */
	copy(&two, two.tid.n);
	assert_false(replica_mergeable(two.b->lns, key_of(other), o));
	assert_false(replica_mergeable(two.b->lns, key_of(other), SAY_NONE));
	two_free(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_before_its_tunnel),
		cmocka_unit_test(address_changes_hands),
		cmocka_unit_test(row_used_again),
		cmocka_unit_test(data_plane_follows),
		cmocka_unit_test(tunnel_has_secret_and_timer),
		cmocka_unit_test(page_leads_elsewhere),
		cmocka_unit_test(R52_what_may_be_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
