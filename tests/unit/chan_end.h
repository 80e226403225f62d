/*
 * chan_end.h -- one end of a control channel with all it needs, for the tests of core/l2tp_chan.
 */
#ifndef TEST_CHAN_END_H
#define TEST_CHAN_END_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/core/l2tp_chan.h"

#define NODES		512u
#define STORE_OCTETS	(64u * 1024)
#define PEER_TID	77
#define WINDOW		8u

static const struct chan_conf conf __attribute__((unused)) = {
	.window = WINDOW, .retransmit_ms = 1000, .retransmit_max_ms = 8000, .tries = 5, .queue_max = 200,
};

struct end {			/* one channel with all it needs */
	struct chan	 chan;
	struct chan_pool pool;
	struct store	 store;
	struct fx_list	*out;
	struct chan_env	 env;
	void		*memory;
};

static inline struct arena arena_of(void *start, size_t room)
{
	return (struct arena){ .start = start, .room = room };
}

static inline void end_open(struct end *end, uint16_t peer_window, const struct chan_conf *with)
{
	size_t room = 2 * STORE_OCTETS;
	struct arena arena;

	*end = (struct end){ .out = calloc(1, sizeof(*end->out)), .memory = aligned_alloc(64, room) };
	assert_non_null(end->out);
	assert_non_null(end->memory);
	memset(end->memory, 0, room);
	arena = arena_of(end->memory, room);
	store_init(&end->store, STORE_OCTETS, &arena);
	chan_pool_init(&end->pool, NODES, &arena);
	end->env = (struct chan_env){ .out = end->out, .store = &end->store, .pool = &end->pool,
				      .now = { 1000000 }, .peer_tid = PEER_TID, .conf = with };
	chan_init(&end->chan, peer_window);
}

static inline void end_shut(struct end *end)
{
	chan_close(&end->chan, &end->env);
	assert_int_equal(end->pool.used, 0);
	assert_int_equal(end->store.kept, 0);
	assert_int_equal(chan_queued(&end->chan), 0);
	free(end->memory);
	free(end->out);
}

/* A message that carries a number of ours; 28 octets of AVPs. */
static inline struct l2tp_msg numbered(uint32_t number)
{
	return (struct l2tp_msg){
		.type = L2TP_ICRQ, .assigned_sid = 5, .call_serial = number,
		.present = AVP_BIT(AVP_ASSIGNED_SESSION_ID) | AVP_BIT(AVP_CALL_SERIAL_NUMBER),
	};
}

static inline uint32_t number_of(struct bytes body)
{
	static uint8_t scratch[L2TP_SCRATCH_LEN];
	struct l2tp_msg msg;

	assert_int_equal(l2tp_msg_decode(body, (struct bytes){ 0 }, scratch, &msg), WHY_OK);
	return msg.call_serial;
}

static inline void send_number(struct end *end, uint32_t number)
{
	struct l2tp_msg msg = numbered(number);

	assert_true(chan_send(&end->chan, &end->env, 9, &msg));
}

#endif
