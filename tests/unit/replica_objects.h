/*
 * replica_objects.h -- two control planes, and objects of random values in the first to be copied to the second.
 *
 * The second is entered by replica_apply() only.
 */
#ifndef TESTS_REPLICA_OBJECTS_H
#define TESTS_REPLICA_OBJECTS_H

#include "l2tpns/core/replica.h"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"	/* not every test needs every deed of a LAC */
#include "tests/unit/lns_stage.h"
#pragma GCC diagnostic pop

static const struct replica_clock here = { 5000000000 }, there = { -123000 };

struct two { struct stage *a, *b; struct tid tid; };

static inline struct two two_new(void)
{
	struct two two = { .a = stage_new(5000, 100), .b = stage_new(5000, 100) };
	struct stage_lac lac = { .addr = stage_addr(0xc0000201), .tid = 77 };

	two.a->conf.ppp.echo_interval_s = two.b->conf.ppp.echo_interval_s = 60;
	stage_begin(two.a);
	stage_begin(two.b);
	lac_open(two.a, &lac);
	two.tid = (struct tid){ lac.lns_tid };
	return two;
}

static inline void stage_drop(struct stage *stage)
{
	munmap(stage->memory, stage->room);
	free(stage->list_memory);
	free(stage);
}

static inline void two_free(struct two *two)
{
	stage_drop(two->a);
	stage_drop(two->b);
}

static inline struct bytes record_of(struct stage *stage, uint32_t key, struct replica_clock clock,
	uint8_t room[REPLICA_MAX])
{
	struct wr w = wr_of(room, REPLICA_MAX);

	replica_encode(stage->lns, key, clock, &w);
	assert_true(wr_ok(&w));
	return wr_bytes_of(&w);
}

static inline enum why apply(struct stage *stage, uint32_t key, struct bytes octets)
{
	enum why why = replica_apply(stage->lns, key, octets, there, stage->now, &stage->out);

	stage_done(stage);
	return why;
}

static inline uint32_t key_of(struct row row)
{
	return REPLICA_SESSIONS + row.n;
}

static inline void copy(struct two *two, uint32_t key)
{
	uint8_t room[REPLICA_MAX];

	assert_int_equal(apply(two->b, key, record_of(two->a, key, here, room)), WHY_OK);
}

/* ---- random objects */

static uint32_t dice_state = 1;

static inline uint32_t dice(uint32_t n)
{
	dice_state ^= dice_state << 13;
	dice_state ^= dice_state >> 17;
	dice_state ^= dice_state << 5;
	return dice_state % n;
}

static inline uint32_t any_u32(void)		/* all lengths, and often nothing */
{
	return dice(3) == 0 ? 0 : (uint32_t)((uint64_t)dice(UINT32_MAX) >> dice(32));
}

static inline struct mono any_time(struct stage *stage)
{
	return (struct mono){ stage->now.us - 900000000 + 1000 * dice(1000000) };
}

static inline uint32_t any_text(struct lns *lns, uint32_t most)
{
	uint8_t octets[1024];
	uint32_t len = dice(3) == 0 ? 0 : 1 + dice(most);

	for (uint32_t i = 0; i < len; i++)
		octets[i] = (uint8_t)dice(256);
	return store_keep(&lns->store, bytes_of(octets, len));
}

static inline struct ppp_neg any_neg(enum fsm_state state)
{
	return (struct ppp_neg){
		.due = MONO_NEVER, .state = (uint8_t)state, .id = (uint8_t)any_u32(), .tries = (uint8_t)any_u32(),
		.naks_sent = (uint8_t)any_u32(), .naks_heard = (uint8_t)any_u32(), .dropped = (uint8_t)any_u32(),
		.answered = dice(2), .heard = dice(2),
	};
}

static inline struct ppp any_ppp(struct stage *stage)
{
	static const enum fsm_state lcp[PPP_PHASES] = {
		FSM_INITIAL, FSM_ACKSENT, FSM_OPENED, FSM_OPENED, FSM_CLOSING };
	struct ppp ppp = {
		.phase = (uint8_t)dice(PPP_PHASES), .auth = (uint8_t)dice(AUTH_METHODS), .auth_state = (uint8_t)dice(4),
		.our_magic = any_u32(), .peer_magic = any_u32(), .asked_fold = any_u32(),
		.address = { any_u32() }, .our_mru = (uint16_t)dice(1501), .peer_mru = (uint16_t)(128 + dice(1373)),
		.auth_refused = (uint8_t)dice(16), .auth_id = (uint8_t)any_u32(), .auth_tries = (uint8_t)any_u32(),
		.loops = (uint8_t)any_u32(), .reject_id = (uint8_t)any_u32(),
		.acfc = dice(2), .pfc = dice(2), .ipcp_left = dice(2), .auth_until = MONO_NEVER,
	};

	if (ppp.phase == PPP_AUTHENTICATE && dice(3))
		ppp.auth_until = any_time(stage);
	ppp.lcp = any_neg(lcp[ppp.phase]);
	ppp.ipcp = any_neg((enum fsm_state)dice(FSM_STATES));
	if (ppp.auth_state == PPP_AUTH_ACCEPTED) {
		ppp.proof_len = dice(2) ? sizeof(ppp.proof) : 0;
		for (unsigned i = 0; i < ppp.proof_len; i++)
			ppp.proof[i] = (char)dice(256);
	} else if (ppp.auth_state != PPP_AUTH_IDLE) {
		for (unsigned i = 0; i < sizeof(ppp.challenge); i++)
			ppp.challenge[i] = (uint8_t)dice(256);
	}
	return ppp;
}

/* As the lns could have it; fills a row taken for it. */
static inline struct row any_session(struct two *two)
{
	struct lns *lns = two->a->lns;
	struct tunnel *t = &lns->tunnel[two->tid.n];
	struct sid sid;
	struct row row = rows_take(&lns->rows, &t->pages, &sid);
	struct session *s = &lns->session[row.n];

	*s = (struct session){
		.in_use = true, .tid = two->tid, .sid = sid, .peer_sid = { (uint16_t)(1 + dice(65535)) },
		.state = CALL_ESTABLISHED, .serial = ++lns->serial, .end = (uint8_t)dice(SESSION_ENDS),
		.ending = dice(5) == 0, .pool = (uint8_t)(dice(4) ? dice(IPPOOLS_MAX) : UINT8_MAX), .proxied = dice(2),
		.auth_method = (uint8_t)dice(AUTH_METHODS), .end_error = (uint16_t)any_u32(), .call_serial = any_u32(),
		.tx_bps = any_u32(), .rx_bps = any_u32(), .physical_channel = any_u32(),
		.address = { dice(2) ? 0x0a000000 + row.n * 7 : 0 }, .fixed_address = { any_u32() },
		.session_timeout_s = any_u32(), .idle_timeout_s = any_u32(), .created = any_time(two->a),
		.deadline = any_time(two->a), .user = any_text(lns, 60), .calling = any_text(lns, 126),
		.called = any_text(lns, 126), .private_group = any_text(lns, 50), .sub_address = any_text(lns, 60),
		.access_line = any_text(lns, 300), .ppp = any_ppp(two->a),
	};
	s->named = s->user && dice(2);
	if (s->address.n && dice(2)) {
		s->opened = any_time(two->a);
		s->deadline = (struct mono){ 0 };
		s->up = dice(3) > 0;
	}
	if (dice(5) == 0) {
		s->state = CALL_WAIT_CONNECT;
		s->up = s->ending = false;
		s->ppp = (struct ppp){ .due = MONO_NEVER };
	}
	return row;
}

static inline struct row plain_session(struct two *two, uint32_t address, const char *user)
{
	struct row row = any_session(two);
	struct session *s = &two->a->lns->session[row.n];

	s->state = CALL_ESTABLISHED;
	s->address = (struct ip4){ address };
	s->opened = any_time(two->a);
	s->up = s->named = true;
	s->ending = false;
	s->deadline = (struct mono){ 0 };
	s->ppp = (struct ppp){ .phase = PPP_NETWORK, .peer_mru = 1460, .lcp = { .state = FSM_OPENED },
		.ipcp = { .state = FSM_OPENED }, .auth_until = MONO_NEVER, .auth_state = PPP_AUTH_ACCEPTED };
	store_drop(&two->a->lns->store, s->user);
	s->user = store_keep(&two->a->lns->store, bytes_str(user));
	return row;
}

#define SAME(member) assert_int_equal(a->member, b->member)

static inline void same_text(struct two *two, uint32_t a, uint32_t b)
{
	assert_true(bytes_eq(lns_text(two->a->lns, a), lns_text(two->b->lns, b)));
}

/* Times went through milliseconds of cluster time and two clocks. */
static inline void same_time(struct mono a, struct mono b)
{
	int64_t ms = ((int64_t)a.us + here.offset_us) / 1000;

	if (a.us == 0 || a.us == UINT64_MAX)
		assert_true(a.us == b.us);
	else
		assert_true((int64_t)b.us == ms * 1000 - there.offset_us);
}

static inline void same_neg(const struct ppp_neg *a, const struct ppp_neg *b)
{
	SAME(state), SAME(id), SAME(tries), SAME(naks_sent), SAME(naks_heard), SAME(dropped), SAME(answered);
	SAME(heard);
}

static inline void same_ppp(const struct ppp *a, const struct ppp *b)
{
	SAME(our_magic), SAME(peer_magic), SAME(asked_fold), SAME(address.n), SAME(our_mru), SAME(peer_mru);
	SAME(phase);
	SAME(auth), SAME(auth_refused), SAME(auth_state), SAME(auth_id), SAME(auth_tries), SAME(loops), SAME(reject_id);
	SAME(acfc), SAME(pfc), SAME(ipcp_left), SAME(proof_len);
	same_neg(&a->lcp, &b->lcp);
	same_neg(&a->ipcp, &b->ipcp);
	if (a->phase == PPP_AUTHENTICATE)
		same_time(a->auth_until, b->auth_until);
	assert_memory_equal(a->proof, b->proof, sizeof(a->proof));
}

static inline void same_session(struct two *two, struct row row)
{
	const struct session *a = lns_session(two->a->lns, row), *b = lns_session(two->b->lns, row);

	assert_non_null(b);
	SAME(state), SAME(up), SAME(ending), SAME(end), SAME(pool), SAME(named), SAME(proxied), SAME(tid.n);
	SAME(sid.n);
	SAME(peer_sid.n), SAME(auth_method), SAME(end_error), SAME(serial), SAME(call_serial), SAME(tx_bps);
	SAME(rx_bps);
	SAME(physical_channel), SAME(address.n), SAME(fixed_address.n), SAME(session_timeout_s), SAME(idle_timeout_s);
	same_time(a->created, b->created);
	same_time(a->opened, b->opened);
	same_time(a->deadline, b->deadline);
	for (unsigned i = 0; i < ARRAY_LEN(a->text); i++)
		same_text(two, a->text[i], b->text[i]);
	same_ppp(&a->ppp, &b->ppp);
}

#endif
