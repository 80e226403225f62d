/*
 * test_replica_mirror.c -- a slave that follows a busy master is its mirror, and can take its place at any time.
 *
 * Goal:   whatever happens to tunnels and calls, and however changes are joined on their way, the slave's
 *         objects, indices, pools and data plane become the master's; every change is marked; when the
 *         master vanishes after any batch, no call that was up and none that was half-way is lost.
 * Method: replica_world.h with random deeds, seeds as printed.  Records are compared octet for octet, what
 *         follows from them by looking it up both ways.
 */
#include "tests/unit/replica_world.h"

static struct world *world_new(uint32_t seed, enum auth_method method)
{
	static const char users[] =
		"ann pw\nbob pw idle-timeout=3600\ncid@isp.example pw\nfix pw address=10.3.0.9\n"
		"short pw session-timeout=5\n";
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->out = calloc(1, sizeof(*w->out));
	w->log = calloc(LOG_MAX, sizeof(*w->log));
	w->table = calloc(KEYS_MAX, sizeof(*w->table));
	assert_true(w->out && w->log && w->table);
	w->held_end = &w->held;
	w->dice = seed * 2654435761u + 1;
	w->now = (struct mono){ 1000000000 };
	w->conf = (struct lns_conf){
		.sessions_max = SESSIONS_MAX, .tunnels_max = TUNNELS_MAX, .addresses_max = 1u << 12, .host_name = "lns",
		.tunnels_opening_max = 20, .window = 8, .retransmit_ms = 1000, .retransmit_max_ms = 8000,
		.retransmit_tries = 5, .tunnel_linger_s = 31, .hello_interval_s = 20, .call_timeout_s = 60,
		.allow_duplicate_users = true,
		.ppp = { .mru = 1460, .restart_ms = 1000, .max_configure = 10, .max_failure = 5, .max_terminate = 2,
			.auth = { method }, .auths = 1, .auth_timeout_s = 30, .echo_interval_s = 30, .echo_failures = 3,
			.our_address = { 0x0a03fffe }, .name = "lns" },
		.pools = { .pools = 1, .ranges = 1, .range = { { .prefix = { { 0x0a000000 }, 22 } } } },
	};
	size_t size = subscribers_size(bytes_str(users));
	void *memory = calloc(1, size);

	assert_non_null(memory);
	assert_int_equal(subscribers_parse(&w->list, memory, size, (struct hash_key){ { 1, 2 } }, bytes_str(users),
		NULL, 0), 0);
	assert_ptr_equal(w->list, memory);
	w->master = node_new(w, 0, (uint8_t)seed);
	w->slave = node_new(w, 777777000, (uint8_t)(seed + 1));
	lns_role(w->master->lns, LNS_MASTER, node_now(w, w->master), w->out);
	lns_role(w->slave->lns, LNS_SLAVE, node_now(w, w->slave), w->out);
	for (unsigned i = 0; i < LACS; i++)
		w->lac[i].addr = (struct addr){ .ip = ip_from4((struct ip4){ 0xc0000201 + i }), .port = 1701 };
	return w;
}

static void log_clear(struct world *w)
{
	for (uint32_t i = 0; i < w->logged; i++)
		free(w->log[i].octets);
	w->logged = w->applied = 0;
}

static void held_clear(struct world *w)
{
	while (w->held) {
		struct held *next = w->held->next;

		free(w->held);
		w->held = next;
	}
	w->held_end = &w->held;
}

static void world_free(struct world *w)
{
	held_clear(w);
	log_clear(w);
	node_free(w->master);
	node_free(w->slave);
	free(w->list);
	free(w->log);
	free(w->table);
	free(w->out);
	free(w);
}

/* ---- comparing */

static struct bytes encoded(const struct node *node, uint32_t key, uint8_t room[REPLICA_MAX])
{
	struct wr w = wr_of(room, REPLICA_MAX);

	replica_encode(node->lns, key, node->clock, &w);
	assert_true(wr_ok(&w));
	return wr_bytes_of(&w);
}

static void same_records(struct world *w)
{
	uint8_t a[REPLICA_MAX], b[REPLICA_MAX];

	for (uint32_t key = 1; key < replica_keys(&w->conf); key++) {
		if (key == TUNNELS_MAX + 1)
			key = REPLICA_SESSIONS;
		struct bytes ours = encoded(w->master, key, a);

		if (!bytes_eq(ours, w->table[key]))
			fail_msg("key %u changed without being marked", key);
		if (!bytes_eq(ours, encoded(w->slave, key, b)))
			fail_msg("key %u differs on the slave", key);
	}
}

static unsigned list_count(const struct lns *lns, const struct tunnel_list *list)
{
	unsigned n = 0;

	for (uint32_t tid = list->head; tid; tid = lns->tunnel[tid].next)
		n++;
	return n;
}

static void same_sums(const struct lns *a, const struct lns *b)
{
	assert_int_equal(a->rows.used, b->rows.used);
	assert_int_equal(a->tids.used, b->tids.used);
	assert_int_equal(a->openings, b->openings);
	assert_int_equal(a->lingering, b->lingering);
	assert_int_equal(list_count(a, &a->opening), list_count(b, &b->opening));
	assert_int_equal(list_count(a, &a->dropping), list_count(b, &b->dropping));
	assert_int_equal(ippool_facts(a->pools, 0).used, ippool_facts(b->pools, 0).used);
	for (uint32_t i = 0; i < ippools_count(a->pools); i++)
		assert_int_equal(ippools_entry(a->pools, i).holder.n, ippools_entry(b->pools, i).holder.n);
	for (uint32_t tid = 1; tid <= TUNNELS_MAX; tid++) {
		const struct tunnel *ta = lns_tunnel(a, (struct tid){ (uint16_t)tid });
		const struct tunnel *tb = lns_tunnel(b, (struct tid){ (uint16_t)tid });

		assert_int_equal(ta != NULL, tb != NULL);
		if (!ta)
			continue;
		assert_int_equal(ta->sessions, tb->sessions);
		assert_int_equal(ta->pages.rows, tb->pages.rows);
		assert_memory_equal(ta->pages.base, tb->pages.base, sizeof(ta->pages.base));
		assert_int_equal(chan_queued(&ta->chan), chan_queued(&tb->chan));
		assert_true(bytes_eq(lns_text(a, ta->secret), lns_text(b, tb->secret)));
		assert_true(tunnel_of_peer(b, tb->peer, tb->peer_tid) != NULL);
	}
}

static void found_both_ways(const struct lns *lns)
{
	for (uint32_t row = 1; row < lns_rows_end(lns); row++) {
		const struct session *s = lns_session(lns, (struct row){ row });
		struct row at;

		if (!s)
			continue;
		assert_int_equal(call_find(lns, &lns->tunnel[s->tid.n], s->sid.n).n, row);
		if (s->address.n)
			assert_int_equal(lns_session_by_address(lns, s->address).n, row);
		if (!s->named)
			continue;
		at = lns_user_first(lns, lns_text(lns, s->user));
		while (at.n && at.n != row)
			at = lns_user_next(lns, lns_text(lns, s->user), at);
		assert_int_equal(at.n, row);
	}
}

static void same_planes(const struct plane_model *a, const struct plane_model *b)
{
	for (unsigned i = 1; i <= TUNNELS_MAX; i++) {
		assert_int_equal(a->tunnel[i].put, b->tunnel[i].put);
		if (a->tunnel[i].put)
			assert_true(a->tunnel[i].is.peer_tid.n == b->tunnel[i].is.peer_tid.n &&
				    addr_eq(a->tunnel[i].is.peer, b->tunnel[i].is.peer));
	}
	for (unsigned i = 1; i < ARRAY_LEN(a->session); i++) {
		const struct fx_session *x = &a->session[i].is, *y = &b->session[i].is;

		assert_int_equal(a->session[i].put, b->session[i].put);
		if (a->session[i].put)
			assert_true(x->tid.n == y->tid.n && x->sid.n == y->sid.n && x->peer_sid.n == y->peer_sid.n &&
				    x->address.n == y->address.n && x->mru == y->mru && x->acfc == y->acfc &&
				    x->pfc == y->pfc);
	}
	assert_memory_equal(a->route, b->route, sizeof(a->route));
}

static void mirrored(struct world *w)
{
	slave_follows(w, w->batch, true);
	same_records(w);
	same_sums(w->master->lns, w->slave->lns);
	found_both_ways(w->slave->lns);
	same_planes(&w->master->plane, &w->slave->plane);
}

/* ---- deeds */

static void mischief(struct world *w, struct lac *lac, struct call *call)
{
	struct mono now = node_now(w, w->master);

	switch (chance(w, 60)) {
	case 0:
		lac->mute = lac->doomed = true;			/* its line is cut */
		break;
	case 1:
		lac->doomed = true;
		lac_says(w, lac, 0, &(struct l2tp_msg){ .type = L2TP_STOPCCN, .result = 1, .assigned_tid = lac->tid,
			.present = AVP_BIT(AVP_ASSIGNED_TUNNEL_ID) | AVP_BIT(AVP_RESULT_CODE) });
		lac->mute = chance(w, 2);
		break;
	case 2:
		lac->doomed = true;
		if (lns_drop_tunnel(w->master->lns, (struct tid){ lac->lns_tid }, now, w->out))
			world_event(w);
		break;
	case 3:
	case 4:
		call->doomed = true;
		if (call->lns_sid) {
			struct row row = lns_session_by_address(w->master->lns, (struct ip4){ call->address });

			if (lns_drop_session(w->master->lns, row, now, w->out))
				world_event(w);
		}
		break;
	case 5:
		call->doomed = true;				/* the subscriber hangs up */
		call_frame(w, lac, call, PPP_LCP, CP_TERMREQ, 9, SAY_NONE);
		break;
	case 6:
		if (call->is != CALL_IS_UP)
			break;
		call->lcp = call->ipcp = 0;			/* or dials anew on the same call */
		call->authed = false;
		call->asked = -1;
		call->lcp_id++;
		call->is = CALL_PPP;
		break;
	default:
		if (call->is == CALL_IS_UP && chance(w, 3) == 0)
			call_ends(w, lac, call);
	}
}

static void deed(struct world *w)
{
	struct lac *lac = &w->lac[chance(w, LACS)];
	struct call *call = &lac->call[chance(w, CALLS)];
	uint64_t age_ms = w->now.us / 1000 - lac->since_ms;

	if (lac->is == LAC_CLOSED || (lac->doomed && chance(w, 30) == 0) || (lac->is == LAC_OPENS && age_ms > 20000)) {
		if (!w->quiet)
			lac_opens(w, lac);
	} else if (lac->is == LAC_OPEN && !w->quiet) {
		if (call->is == CALL_FREE)
			call_dials(w, lac, call);
		else if (!lac->doomed && chance(w, 4) == 0)
			mischief(w, lac, call);
	}
}

static void step(struct world *w)
{
	for (unsigned n = chance(w, 3); n > 0; n--)
		deed(w);
	world_waits(w, chance(w, 8) ? chance(w, 100) : 900);
	for (unsigned i = 0; i < LACS; i++) {
		if (chance(w, 4) == 0 && w->lac[i].is != LAC_CLOSED)
			lac_repeats(w, &w->lac[i]);
		for (unsigned c = 0; c < CALLS && w->lac[i].is == LAC_OPEN; c++)
			if (chance(w, 3) == 0)
				call_repeats(w, &w->lac[i], &w->lac[i].call[c]);
	}
}

static void follow_a_while(uint32_t seed, enum auth_method method, unsigned steps)
{
	struct world *w = world_new(seed, method);

	print_message("seed %u\n", seed);
	for (unsigned i = 0; i < steps; i++) {
		step(w);
		if (chance(w, 4) == 0)		/* half of what is there, in either way */
			slave_follows(w, w->have + chance(w, w->batch - w->have + 1), chance(w, 2));
		if (chance(w, 3) == 0) {
			slave_follows(w, w->batch, chance(w, 2));
			world_releases(w);
		}
		if (chance(w, 20) == 0)
			mirrored(w);
	}
	mirrored(w);
	print_message("%u batches, %u records, %u calls came up, %u were ended\n", w->batches, w->logged, w->ups,
		w->ended);
	assert_true(w->ups > steps / 20);
	world_free(w);
}

static void R25_slave_mirrors_its_master(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 6; seed++)
		follow_a_while(seed, seed % 2 ? AUTH_PAP : AUTH_CHAP_MD5, 1500);
}

/* ---- the master vanishes */

/* The other node is master from now on; the one that was is empty and joins. */
static void take_over(struct world *w)
{
	struct node *dead = w->master;
	char text[300];

	held_clear(w);		/* what it did not send yet was never said */
	w->master = w->slave;
	w->slave = dead;
	lns_role(w->master->lns, LNS_MASTER, node_now(w, w->master), w->out);
	lns_role(dead->lns, LNS_SLAVE, node_now(w, dead), w->out);
	while (!lns_forget(dead->lns, node_now(w, dead), w->out)) {
		for (uint32_t i = 0; i < w->out->count; i++)
			plane_hears(&dead->plane, &w->out->fx[i], fx_payload(w->out, &w->out->fx[i]));
		fx_clear(w->out);
	}
	for (uint32_t i = 0; i < w->out->count; i++)
		plane_hears(&dead->plane, &w->out->fx[i], fx_payload(w->out, &w->out->fx[i]));
	fx_clear(w->out);
	if (lns_left(dead->lns, text))
		fail_msg("left behind: %s", text);
	log_clear(w);
	memset(w->table, 0, KEYS_MAX * sizeof(*w->table));
	w->batch = w->have = 0;
	for (uint32_t key = 1; key < replica_keys(&w->conf); key++) {
		uint8_t room[REPLICA_MAX];
		struct bytes octets = encoded(w->master, key, room);

		if (octets.len)
			log_add(w, key, octets);
	}
	w->takeovers++;
}

/* Everybody who is neither doomed nor of a doomed LAC must get through, or stay. */
static void all_get_through(struct world *w)
{
	for (unsigned i = 0; i < LACS; i++) {
		struct lac *lac = &w->lac[i];

		if (lac->doomed)
			continue;
		if (lac->is == LAC_OPENS && w->now.us / 1000 - lac->since_ms > 15000)
			fail_msg("tunnel %u did not open", lac->tid);
		for (unsigned c = 0; c < CALLS; c++) {
			const struct call *call = &lac->call[c];

			if (call->is == CALL_FREE || call->doomed || lac->is != LAC_OPEN)
				continue;
			if (call->is != CALL_IS_UP)
				fail_msg("call %u of tunnel %u did not come up: %d lcp %u authed %d ipcp %u", call->sid,
					lac->tid, call->is, call->lcp, call->authed, call->ipcp);
			struct row row = lns_session_by_address(w->master->lns, (struct ip4){ call->address });
			const struct session *s = lns_session(w->master->lns, row);

			assert_true(s && s->up && s->sid.n == call->lns_sid && s->tid.n == lac->lns_tid);
		}
	}
}

static void settle(struct world *w, unsigned steps)
{
	w->quiet = true;
	for (unsigned i = 0; i < steps; i++) {
		step(w);
		slave_follows(w, w->batch, true);
		world_releases(w);
	}
	w->quiet = false;
}

static void vanish_a_while(uint32_t seed, enum auth_method method, unsigned takeovers)
{
	struct world *w = world_new(seed, method);

	print_message("seed %u\n", seed);
	while (w->takeovers < takeovers) {
		for (unsigned i = 20 + chance(w, 100); i > 0; i--) {
			step(w);
			slave_follows(w, w->have + chance(w, w->batch - w->have + 1), false);
			world_releases(w);
		}
		take_over(w);
		if (chance(w, 3)) {		/* sometimes the next one goes before anything has settled */
			settle(w, 200);
			all_get_through(w);
			mirrored(w);
		}
	}
	settle(w, 200);
	all_get_through(w);
	print_message("%u takeovers, %u calls came up, %u were ended\n", w->takeovers, w->ups, w->ended);
	assert_true(w->ups > takeovers * 5);
	world_free(w);
}

/* R39: no call that was up is lost; R42: those that were half-way come up; R41: tunnels go on with their numbers. */
static void R39_R41_R42_a_slave_takes_over_at_any_batch(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 6; seed++)
		vanish_a_while(seed, seed % 2 ? AUTH_CHAP_MD5 : AUTH_PAP, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R25_slave_mirrors_its_master),
		cmocka_unit_test(R39_R41_R42_a_slave_takes_over_at_any_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
