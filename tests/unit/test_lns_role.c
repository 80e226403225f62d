/*
 * Goal: one of two nodes acts, what it changes is marked and makes the other the same; the other keeps still
 * whatever happens, and goes on in its place without losing a call or a timer.
 * Method: two control planes and one LAC that does not know which of them answers; records go over by key.
 */
#include "l2tpns/core/replica.h"
#include "tests/unit/lns_stage.h"

struct pair {
	struct stage	*stage;		/* its lns is the acting one */
	struct stage	*other;		/* the one that follows */
	uint32_t	 marks, messages, sessions, tunnels, gone;	/* of the latest mirror() */
};

static const struct replica_clock no_offset;

/* Everything marked goes over; the order in which keys are told is held to its promise. */
static void mirror(struct pair *p)
{
	uint8_t octets[REPLICA_MAX];
	uint32_t key, first = replica_messages(&p->stage->conf);
	bool numbers = false, told_gone = false;

	p->marks = p->messages = p->sessions = p->tunnels = p->gone = 0;
	while (lns_marked_next(p->stage->lns, &key)) {
		struct wr w = wr_of(octets, sizeof(octets));

		assert_true(key < replica_keys(&p->stage->conf));
		replica_encode(p->stage->lns, key, no_offset, &w);
		p->marks++;
		p->tunnels += key < REPLICA_SESSIONS;
		p->sessions += key >= REPLICA_SESSIONS && key < first;
		p->messages += key >= first && wr_len(&w) > 0;
		p->gone += key >= first && wr_len(&w) == 0;
		numbers |= key < REPLICA_SESSIONS;
		if (key >= first && wr_len(&w) > 0)
			assert_false(numbers);
		else if (key >= first)
			told_gone = true;
		else
			assert_false(told_gone);
		assert_int_equal(replica_apply(p->other->lns, key, wr_bytes_of(&w), no_offset, p->stage->now,
					       &p->other->out), WHY_OK);
		assert_int_equal(p->other->effects[FX_SEND], 0);
		for (uint32_t i = 0; i < p->other->out.count; i++)
			assert_int_not_equal(p->other->out.fx[i].kind, FX_SEND);
		stage_done(p->other);
	}
	p->other->now = p->stage->now;
}

/* Time passes for both; the one that follows is asked to do nothing, and nothing is left undone. */
static void pass(struct pair *p, struct dur span)
{
	stage_pass(p->stage, span);
	mirror(p);
	lns_tick(p->other->lns, p->stage->now, &p->other->out);
	assert_int_equal(p->other->out.count, 0);
	assert_true(mono_before(p->stage->now, lns_next(p->other->lns)));
}

/* The other's turn: the LAC goes on with it. */
static void swap(struct pair *p)
{
	struct stage *acting = p->other;

	mirror(p);
	acting->effects[FX_SEND] = 0;
	lns_role(p->stage->lns, LNS_SLAVE, p->stage->now, &p->stage->out);
	lns_role(acting->lns, LNS_MASTER, p->stage->now, &acting->out);
	p->other = p->stage;
	p->other->effects[FX_SEND] = 0;
	p->stage = acting;
}

static void same(const struct pair *p)
{
	uint8_t a[REPLICA_MAX], b[REPLICA_MAX];

	for (uint32_t key = 1; key < replica_keys(&p->stage->conf); key++) {
		struct wr wa = wr_of(a, sizeof(a)), wb = wr_of(b, sizeof(b));

		replica_encode(p->stage->lns, key, no_offset, &wa);
		replica_encode(p->other->lns, key, no_offset, &wb);
		assert_true(bytes_eq(wr_bytes_of(&wa), wr_bytes_of(&wb)));
	}
}

static void same_swap(struct pair *p)
{
	mirror(p);
	same(p);
	swap(p);
}

static struct pair pair_new(void)
{
	struct pair p = { .stage = stage_new(50, 5), .other = stage_new(50, 5) };
	struct stage *both[] = { p.stage, p.other };

	for (unsigned i = 0; i < 2; i++) {
		both[i]->conf.hello_interval_s = 600;
		both[i]->conf.tunnel_idle_s = 1000000;
		both[i]->conf.ppp.echo_interval_s = 20;
		both[i]->conf.ppp.echo_failures = 2;
		stage_begin(both[i]);
		lns_role(both[i]->lns, LNS_SLAVE, both[i]->now, &both[i]->out);
	}
	lns_role(p.stage->lns, LNS_MASTER, p.stage->now, &p.stage->out);
	return p;
}

static void forget(struct stage *stage)
{
	char text[300];
	uint64_t sends = stage->effects[FX_SEND];

	while (!lns_forget(stage->lns, stage->now, &stage->out))
		stage_done(stage);
	stage_done(stage);
	assert_int_equal(stage->effects[FX_SEND], sends);
	if (lns_left(stage->lns, text))
		fail_msg("left behind: %s", text);
	assert_int_equal(stage->effects[FX_SESSION_PUT], stage->effects[FX_SESSION_DROP]);
	assert_int_equal(stage->effects[FX_ROUTE_PUT], stage->effects[FX_ROUTE_DROP]);
	munmap(stage->memory, stage->room);
	free(stage->list_memory);
	free(stage);
}

/* The acting one closes everything, the other hears of it, and neither holds anything. */
static void pair_end(struct pair *p)
{
	lns_shutdown_asked(p->stage->lns, p->stage->now, &p->stage->out);
	stage_done(p->stage);
	pass(p, DUR_S(300));
	assert_true(lns_idle(p->stage->lns));
	assert_int_equal(lns_tunnel_count(p->other->lns), 0);
	same(p);
	forget(p->stage);
	forget(p->other);
}

static struct stage_lac lac_of(void)
{
	return (struct stage_lac){ .addr = stage_addr(0xc0000201), .tid = 1 };
}

static void alone_nothing_is_marked(void **state)
{
	struct stage *stage = stage_new(50, 5);
	struct stage_lac lac = lac_of();
	uint32_t address, key;

	(void)state;
	stage_begin(stage);
	lac_open(stage, &lac);
	(void)lac_dial(stage, &lac, 1, "ann", &address);
	assert_false(lns_marked_next(stage->lns, &key));
	stage_end(stage);
}

static void what_is_marked(void **state)
{
	struct pair p = pair_new();
	struct stage_lac lac = lac_of();
	uint32_t address;

	(void)state;
	lac_open(p.stage, &lac);
	mirror(&p);
	assert_int_equal(p.tunnels, 1);		/* however often it changed */
	assert_int_equal(p.gone, 1);		/* its SCCRP is acknowledged */
	uint16_t sid = lac_dial(p.stage, &lac, 1, "ann", &address);

	mirror(&p);
	assert_int_equal(p.sessions, 1);
	same(&p);
	/* Echoes and time change nothing. */
	lac_frame(p.stage, &lac, sid, PPP_LCP, CP_ECHOREQ, 7, bytes_of("\0\0\0\1", 4));
	assert_int_equal(p.stage->code, CP_ECHOREP);
	stage_pass(p.stage, DUR_S(22));
	mirror(&p);
	assert_int_equal(p.sessions, 0);
	lac_icrq(p.stage, &lac, 2, bytes_str("1"));
	mirror(&p);
	assert_int_equal(p.messages, 1);
	assert_int_equal(p.sessions, 1);
	assert_int_equal(p.tunnels, 1);
	same(&p);
	lac_cdn(p.stage, &lac, 1, sid);
	mirror(&p);
	assert_int_equal(p.sessions, 1);
	assert_int_equal(p.other->effects[FX_SESSION_DROP], 1);
	same(&p);
	pair_end(&p);
}

static void one_that_follows_keeps_still(void **state)
{
	struct pair p = pair_new();
	struct stage_lac lac = lac_of();
	uint32_t address, key;

	(void)state;
	lac_open(p.stage, &lac);
	(void)lac_dial(p.stage, &lac, 1, "ann", &address);
	lac_icrq(p.stage, &lac, 2, bytes_str("1"));
	mirror(&p);
	struct stage *slave = p.other;

	stage_input(slave, lac.addr, bytes_of("\310\2\0\14\0\1\0\0\0\0\0\0", 12));
	assert_int_equal(slave->why, WHY_CL_ROLE);
	struct row row = lns_session_by_address(slave->lns, (struct ip4){ address });

	assert_true(row.n != 0);
	assert_false(lns_drop_session(slave->lns, row, slave->now, &slave->out));
	assert_false(lns_drop_tunnel(slave->lns, (struct tid){ lac.lns_tid }, slave->now, &slave->out));
	lns_route_refused(slave->lns, row, slave->now, &slave->out);
	lns_crypt_answered(slave->lns, row, 0, true, slave->now, &slave->out);
	/* A day without a word from anybody: nothing is sent, ended, or put off until it piles up. */
	uint64_t fired = 0;
	struct mono end = mono_add(slave->now, DUR_S(86400));

	for (; mono_before(slave->now, end); fired++) {
		slave->now = lns_next(slave->lns);
		lns_tick(slave->lns, slave->now, &slave->out);
		lns_flush(slave->lns, slave->now, &slave->out);
		assert_int_equal(slave->out.count, 0);
		assert_true(mono_before(slave->now, lns_next(slave->lns)));
	}
	/* 100 ms for the ICRP, once a second for the call being set up, and little else. */
	assert_in_range(fired, 86400 / 20, 86400 * 12);
	lns_shutdown_asked(slave->lns, slave->now, &slave->out);
	assert_int_equal(slave->out.count, 0);
	assert_true(lns_idle(slave->lns) && lns_told(slave->lns));
	assert_false(lns_marked_next(slave->lns, &key));
	assert_int_equal(lns_session_count(slave->lns), 2);
	forget(p.stage);
	forget(slave);
}

/* Nobody is told, however long ago anything was heard. */
static void everything_is_forgotten(void **state)
{
	struct pair p = pair_new();
	struct stage_lac lac = lac_of();
	uint32_t address;

	(void)state;
	lac_open(p.stage, &lac);
	for (uint16_t sid = 1; sid <= 10; sid++)
		(void)lac_dial(p.stage, &lac, sid, "ann", &address);
	lac_ack(p.stage, &lac);
	mirror(&p);
	assert_int_equal(p.other->effects[FX_SESSION_PUT], 10);
	p.other->now = mono_add(p.other->now, DUR_S(10000));
	forget(p.other);
	forget(p.stage);
}

/* At each step of a set-up the other takes over, within 100 ms, and the LAC notices nothing. */
static void set_up_goes_on(void **state)
{
	(void)state;
	for (unsigned step = 0; step < 5; step++) {
		struct pair p = pair_new();
		struct stage_lac lac = lac_of();
		uint16_t sid;

		lac_open(p.stage, &lac);
		lac_ack(p.stage, &lac);
		if (step == 0) {		/* the ICRP is not acknowledged: it comes again */
			lac_icrq(p.stage, &lac, 1, bytes_str("1"));
			sid = p.stage->assigned;
			same_swap(&p);
			stage_pass(p.stage, DUR_MS(104));
			assert_int_equal(p.stage->type, L2TP_ICRP);
			assert_int_equal(p.stage->assigned, sid);
			assert_int_equal(p.stage->effects[FX_SEND], 1);
		} else {
			lac_icrq(p.stage, &lac, 1, bytes_str("1"));
			sid = p.stage->assigned;
		}
		mirror(&p);
		lac_iccn(p.stage, &lac, sid);
		if (step == 1) {		/* our Configure-Request: again */
			uint8_t id = p.stage->id;

			same_swap(&p);
			stage_pass(p.stage, DUR_MS(104));
			assert_int_equal(p.stage->proto, PPP_LCP);
			assert_int_equal(p.stage->code, CP_CONFREQ);
			assert_int_equal(p.stage->id, id);
		}
		mirror(&p);
		lac_frame(p.stage, &lac, sid, PPP_LCP, CP_CONFACK, p.stage->id, bytes_of(p.stage->body, 14));
		if (step == 2)
			same_swap(&p);
		mirror(&p);
		lac_frame(p.stage, &lac, sid, PPP_LCP, CP_CONFREQ, 1, bytes_of("\1\4\5\264\5\6\0\0\0\1", 10));
		assert_int_equal(p.stage->code, CP_CONFACK);
		if (step == 3)
			same_swap(&p);
		mirror(&p);
		lac_frame(p.stage, &lac, sid, PPP_PAP, PAP_REQUEST, 1, bytes_of("\3ann\2pw", 7));
		assert_int_equal(p.stage->proto, PPP_IPCP);
		if (step == 4) {
			same_swap(&p);
			stage_pass(p.stage, DUR_MS(104));
			assert_int_equal(p.stage->proto, PPP_IPCP);
			assert_int_equal(p.stage->code, CP_CONFREQ);
		}
		mirror(&p);
		lac_frame(p.stage, &lac, sid, PPP_IPCP, CP_CONFACK, p.stage->id, bytes_of(p.stage->body, 6));
		mirror(&p);
		lac_frame(p.stage, &lac, sid, PPP_IPCP, CP_CONFREQ, 1, bytes_of("\3\6\0\0\0\0", 6));
		assert_int_equal(p.stage->code, CP_CONFNAK);
		mirror(&p);
		lac_frame(p.stage, &lac, sid, PPP_IPCP, CP_CONFREQ, 2, bytes_of(p.stage->body, 6));
		assert_int_equal(p.stage->effects[FX_SESSION_PUT], 1);
		mirror(&p);
		same(&p);
		pair_end(&p);
	}
}

/* Whoever asked for a verdict is gone: the subscriber asks again and is heard. */
static void verdict_is_asked_again(void **state)
{
	struct pair p = pair_new();
	struct stage_lac lac = lac_of();

	(void)state;
	free(p.stage->list_memory);
	free(p.other->list_memory);
	stage_subscribers(p.stage, "ann {crypt}$6$x$y\n");
	stage_subscribers(p.other, "ann {crypt}$6$x$y\n");
	lac_open(p.stage, &lac);
	lac_icrq(p.stage, &lac, 1, bytes_str("1"));
	uint16_t sid = p.stage->assigned;

	lac_iccn(p.stage, &lac, sid);
	lac_frame(p.stage, &lac, sid, PPP_LCP, CP_CONFACK, p.stage->id, bytes_of(p.stage->body, 14));
	lac_frame(p.stage, &lac, sid, PPP_LCP, CP_CONFREQ, 1, bytes_of("\1\4\5\264\5\6\0\0\0\1", 10));
	lac_frame(p.stage, &lac, sid, PPP_PAP, PAP_REQUEST, 1, bytes_of("\3ann\2pw", 7));
	assert_int_equal(p.stage->effects[FX_CRYPT], 1);
	struct row row = lns_tunnel_session_first(p.stage->lns, (struct tid){ lac.lns_tid });
	uint32_t serial = lns_session(p.stage->lns, row)->auth_serial;

	swap(&p);
	/* The old one's verdict comes late, to one that follows, and to one that did and acts again. */
	lns_crypt_answered(p.other->lns, row, serial, true, p.stage->now, &p.other->out);
	assert_int_equal(p.other->out.count, 0);
	swap(&p);		/* nothing has changed: the old one still has its own copy */
	lns_crypt_answered(p.stage->lns, row, serial, true, p.stage->now, &p.stage->out);
	assert_int_equal(p.stage->out.count, 0);
	swap(&p);
	pass(&p, DUR_MS(104));
	lac_frame(p.stage, &lac, sid, PPP_PAP, PAP_REQUEST, 2, bytes_of("\3ann\2pw", 7));
	assert_int_equal(p.stage->effects[FX_CRYPT], 1);
	swap(&p);
	lns_crypt_answered(p.stage->lns, row, serial, true, p.stage->now, &p.stage->out);
	stage_done(p.stage);
	assert_int_equal(lns_stat(p.stage->lns, STAT_auth_accepted), 0);
	lac_frame(p.stage, &lac, sid, PPP_PAP, PAP_REQUEST, 3, bytes_of("\3ann\2pw", 7));
	assert_int_equal(p.stage->effects[FX_CRYPT], 2);
	lns_crypt_answered(p.stage->lns, row, lns_session(p.stage->lns, row)->auth_serial, true, p.stage->now,
			   &p.stage->out);
	stage_done(p.stage);
	assert_int_equal(p.stage->proto, PPP_IPCP);
	pair_end(&p);
}

static const struct session *only_session(const struct stage *stage, const struct stage_lac *lac)
{
	return lns_session(stage->lns, lns_tunnel_session_first(stage->lns, (struct tid){ lac->lns_tid }));
}

/* R45: what was counted elsewhere, or before one followed for a while, does not count. */
static void echoes_are_counted_afresh(void **state)
{
	struct pair p = pair_new();
	struct stage_lac lac = lac_of();
	uint32_t address;

	(void)state;
	lac_open(p.stage, &lac);
	(void)lac_dial(p.stage, &lac, 1, "ann", &address);
	lac_ack(p.stage, &lac);
	while (only_session(p.stage, &lac)->ppp.echo_missed < 2)
		pass(&p, DUR_S(1));
	swap(&p);
	pass(&p, DUR_S(40));
	assert_int_equal(lns_session_count(p.stage->lns), 1);
	while (only_session(p.stage, &lac)->ppp.echo_missed < 2)
		pass(&p, DUR_S(1));
	swap(&p);
	swap(&p);
	pass(&p, DUR_S(39));
	assert_int_equal(lns_session_count(p.stage->lns), 1);
	/* Really dead: it ends after the new master's own count. */
	pass(&p, DUR_S(120));
	assert_int_equal(lns_session_count(p.stage->lns), 0);
	assert_int_equal(lns_stat(p.stage->lns, STAT_echo_lost), 1);
	lac.nr++;
	lac_ack(p.stage, &lac);
	pair_end(&p);
}

static void idle_time_counts_afresh(void **state)
{
	struct pair p = pair_new();
	struct stage *both[] = { p.stage, p.other };
	struct stage_lac lac = lac_of();
	uint32_t address;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		both[i]->conf.ppp.echo_interval_s = 0;
		both[i]->conf.idle_timeout_s = 60;
		assert_int_equal(lns_configured(both[i]->lns, &both[i]->conf, both[i]->now), 0);
	}
	lac_open(p.stage, &lac);
	(void)lac_dial(p.stage, &lac, 1, "ann", &address);
	lac_ack(p.stage, &lac);
	mirror(&p);
	pass(&p, DUR_S(50));
	swap(&p);
	pass(&p, DUR_S(59));
	assert_int_equal(lns_stat(p.stage->lns, STAT_timeouts_idle), 0);
	pass(&p, DUR_S(2));
	assert_int_equal(lns_stat(p.stage->lns, STAT_timeouts_idle), 1);
	pair_end(&p);
}

/* A tunnel is half closed when the other takes over: it ends the rest and tells the LAC. */
static void closing_goes_on(void **state)
{
	struct pair p = pair_new();
	struct stage_lac lac = lac_of();
	uint32_t address;

	(void)state;
	lac_open(p.stage, &lac);
	for (uint16_t sid = 1; sid <= 10; sid++)
		(void)lac_dial(p.stage, &lac, sid, "ann", &address);
	lac_ack(p.stage, &lac);
	assert_true(lns_drop_tunnel(p.stage->lns, (struct tid){ lac.lns_tid }, p.stage->now, &p.stage->out));
	stage_done(p.stage);
	mirror(&p);
	same(&p);
	lns_tick(p.other->lns, p.stage->now, &p.other->out);
	assert_int_equal(p.other->out.count, 0);
	assert_int_equal(lns_session_count(p.other->lns), 10);
	assert_true(mono_before(p.stage->now, lns_next(p.other->lns)));
	swap(&p);
	pass(&p, DUR_MS(104));
	assert_int_equal(p.stage->type, L2TP_STOPCCN);
	assert_int_equal(lns_session_count(p.stage->lns), 0);
	assert_int_equal(lns_session_count(p.other->lns), 0);
	lac.nr++;
	lac_ack(p.stage, &lac);
	mirror(&p);
	assert_int_equal(lns_tunnel_count(p.stage->lns), 0);
	assert_int_equal(lns_tunnel_count(p.other->lns), 0);
	pair_end(&p);
}

static bool keepalive(struct stage *stage, const struct stage_lac *lac, struct wr *w)
{
	stage->type = 0;
	bool answered = lns_keepalive(stage->lns, lac->addr, stage_ip, wr_bytes_of(w), stage->now, &stage->out);

	assert_int_equal(stage->out.count, answered);
	stage_done(stage);
	return answered;
}

static bool keepalive_control(struct stage *stage, const struct stage_lac *lac, uint16_t type, uint16_t ns)
{
	uint8_t octets[200];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_control_begin(&w, lac->lns_tid, 0, ns, lac->nr);
	l2tp_msg_encode(&(struct l2tp_msg){ .type = type, .assigned_sid = 9, .call_serial = 9,
					    .present = type == L2TP_ICRQ ? BIT(ASSIGNED_SESSION_ID) |
							BIT(CALL_SERIAL_NUMBER) : 0 }, &w);
	l2tp_control_end(&w);
	return keepalive(stage, lac, &w);
}

static bool keepalive_frame(struct stage *stage, const struct stage_lac *lac, uint16_t sid, uint16_t proto,
			    uint8_t code)
{
	uint8_t octets[200];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_data_begin(&w, lac->lns_tid, sid);
	ppp_frame_begin(&w, proto, false, false);
	size_t mark = ppp_cp_begin(&w, code, 33);

	wr_put(&w, "\0\0\0\1hello", 9);
	ppp_cp_end(&w, mark);
	return keepalive(stage, lac, &w);
}

/* R43: nobody acts, and neither the LAC nor the subscriber gives up; then somebody does, and calls go on. */
static void kept_alive(void **state)
{
	struct pair p = pair_new();
	struct stage_lac lac = lac_of(), stranger = lac_of();
	uint32_t address;

	(void)state;
	lac_open(p.stage, &lac);
	uint16_t sid = lac_dial(p.stage, &lac, 1, "ann", &address);

	lac_ack(p.stage, &lac);
	mirror(&p);
	struct stage *frozen = p.other;

	assert_false(keepalive_control(frozen, &lac, L2TP_ICRQ, lac.ns));
	assert_false(keepalive_control(frozen, &lac, L2TP_HELLO, (uint16_t)(lac.ns + 1)));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(keepalive_control(frozen, &lac, L2TP_HELLO, lac.ns));
		assert_true(keepalive_control(frozen, &lac, L2TP_HELLO, lac.ns++));
	}
	assert_true(keepalive_control(frozen, &lac, L2TP_ICRQ, 2));		/* that was long ago */
	stranger.addr.port++;
	stranger.lns_tid = lac.lns_tid;
	assert_false(keepalive_control(frozen, &stranger, L2TP_HELLO, lac.ns));
	assert_true(keepalive_frame(frozen, &lac, sid, PPP_LCP, CP_ECHOREQ));
	assert_int_equal(frozen->code, CP_ECHOREP);
	assert_int_equal(frozen->id, 33);
	assert_memory_equal(frozen->body + 4, "hello", 5);
	assert_memory_not_equal(frozen->body, "\0\0\0\1", 4);
	assert_false(keepalive_frame(frozen, &lac, sid, PPP_LCP, CP_TERMREQ));
	assert_false(keepalive_frame(frozen, &lac, sid, PPP_IPCP, CP_ECHOREQ));
	assert_false(keepalive_frame(frozen, &lac, (uint16_t)(sid + 1), PPP_LCP, CP_ECHOREQ));
	same(&p);		/* nothing that is replicated has changed */
	swap(&p);
	(void)lac_dial(p.stage, &lac, 2, "bob", &address);
	assert_int_equal(lns_session_count(p.stage->lns), 2);
	/* And back to the one that never heard of those HELLOs, but of the numbers since. */
	lac_ack(p.stage, &lac);
	swap(&p);
	(void)lac_dial(p.stage, &lac, 3, "eve", &address);
	mirror(&p);
	same(&p);
	pair_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone_nothing_is_marked),
		cmocka_unit_test(what_is_marked),
		cmocka_unit_test(one_that_follows_keeps_still),
		cmocka_unit_test(everything_is_forgotten),
		cmocka_unit_test(set_up_goes_on),
		cmocka_unit_test(verdict_is_asked_again),
		cmocka_unit_test(echoes_are_counted_afresh),
		cmocka_unit_test(idle_time_counts_afresh),
		cmocka_unit_test(closing_goes_on),
		cmocka_unit_test(kept_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
