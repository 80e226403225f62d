/*
 * Goal: the reliable control channel keeps every promise of RFC 2661 section 5.8 and appendix A.
 * Method: an exact script for each rule.  test_l2tp_chan_net.c tries them all together.
 */
#include "tests/unit/chan_end.h"

/* The n-th packet sent since the list was cleared. */
static struct l2tp_hdr sent(const struct end *end, unsigned n)
{
	struct l2tp_hdr hdr;
	const struct fx *fx = &end->out->fx[n];
	const uint8_t *payload = fx_payload(end->out, fx);
	struct bytes packet = bytes_of(payload + sizeof(struct fx_send), fx->len - sizeof(struct fx_send));

	assert_true(n < end->out->count);
	assert_int_equal(fx->kind, FX_SEND);
	assert_int_equal(l2tp_hdr_decode(packet, &hdr), WHY_OK);
	assert_true(hdr.control);
	assert_int_equal(hdr.tunnel_id, PEER_TID);
	return hdr;
}

static uint8_t hello_octets[] = { 0x80, 8, 0, 0, 0, 0, 0, 6 };

static enum chan_in receive(struct end *end, uint16_t ns, uint16_t nr, bool zlb, enum why *why)
{
	struct l2tp_hdr hdr = { .control = true, .sequenced = true, .ns = ns, .nr = nr };

	if (!zlb)
		hdr.body = bytes_of(hello_octets, sizeof(hello_octets));
	return chan_received(&end->chan, &end->env, &hdr, why);
}

static void receive_ack(struct end *end, uint16_t nr)
{
	enum why why;

	assert_int_equal(receive(end, end->chan.nr, nr, true, &why), CHAN_ZLB);
	assert_int_equal(why, WHY_OK);
}

static void sends_and_acknowledges(void **state)
{
	struct end end;
	enum why why;

	(void)state;
	end_open(&end, 4, &conf);
	send_number(&end, 100);
	assert_int_equal(end.out->count, 1);
	struct l2tp_hdr hdr = sent(&end, 0);

	assert_int_equal(hdr.session_id, 9);
	assert_int_equal(hdr.ns, 0);
	assert_int_equal(hdr.nr, 0);
	assert_int_equal(number_of(hdr.body), 100);
	assert_int_equal(end.chan.due.us, end.env.now.us + 1000000);

	/* A burst of three is acknowledged by one ZLB, whose Ns is not used up. */
	fx_clear(end.out);
	for (uint16_t ns = 0; ns < 3; ns++)
		assert_int_equal(receive(&end, ns, 1, false, &why), CHAN_DELIVER);
	assert_int_equal(chan_queued(&end.chan), 0);
	assert_int_equal(end.chan.due.us, UINT64_MAX);
	assert_int_equal(end.out->count, 0);
	assert_true(chan_ack_owed(&end.chan));
	chan_flush(&end.chan, &end.env);
	chan_flush(&end.chan, &end.env);
	assert_int_equal(end.out->count, 1);
	hdr = sent(&end, 0);
	assert_int_equal(hdr.body.len, 0);
	assert_int_equal(hdr.session_id, 0);
	assert_int_equal(hdr.ns, 1);
	assert_int_equal(hdr.nr, 3);

	/* An answer carries the acknowledgement, and no ZLB follows. */
	fx_clear(end.out);
	assert_int_equal(receive(&end, 3, 1, false, &why), CHAN_DELIVER);
	send_number(&end, 101);
	chan_flush(&end.chan, &end.env);
	assert_int_equal(end.out->count, 1);
	assert_int_equal(sent(&end, 0).ns, 1);
	assert_int_equal(sent(&end, 0).nr, 4);

	/* A ZLB owes nothing and needs no place in the sequence. */
	fx_clear(end.out);
	assert_int_equal(receive(&end, 4, 2, true, &why), CHAN_ZLB);
	assert_int_equal(receive(&end, 4, 2, true, &why), CHAN_ZLB);
	chan_flush(&end.chan, &end.env);
	assert_int_equal(end.out->count, 0);
	assert_int_equal(end.chan.nr, 4);
	end_shut(&end);
}

static void retries_back_off_and_give_up(void **state)
{
	static const uint64_t wait_s[] = { 1, 2, 4, 8, 8 };
	struct end end;
	enum why why;

	(void)state;
	end_open(&end, 4, &conf);
	send_number(&end, 1);
	send_number(&end, 2);	/* waits: the congestion window is one message */
	assert_int_equal(end.out->count, 1);
	for (unsigned i = 0; i < ARRAY_LEN(wait_s); i++) {
		assert_int_equal(end.chan.due.us - end.env.now.us, wait_s[i] * 1000000);
		end.env.now.us = end.chan.due.us - 1;
		fx_clear(end.out);
		assert_true(chan_timed_out(&end.chan, &end.env));
		assert_int_equal(end.out->count, 0);
		/* Meanwhile the peer's own numbers go on: a resend carries the Nr of its day. */
		assert_int_equal(receive(&end, (uint16_t)i, 0, false, &why), CHAN_DELIVER);
		end.env.now = end.chan.due;
		assert_true(chan_timed_out(&end.chan, &end.env));
		assert_int_equal(end.out->count, 1);
		assert_int_equal(sent(&end, 0).ns, 0);
		assert_int_equal(sent(&end, 0).nr, i + 1);
		assert_int_equal(number_of(sent(&end, 0).body), 1);
		assert_false(chan_ack_owed(&end.chan));
	}
	assert_int_equal(end.chan.resent, 5);
	assert_int_equal(end.chan.due.us - end.env.now.us, 8000000);
	end.env.now = end.chan.due;
	fx_clear(end.out);
	assert_false(chan_timed_out(&end.chan, &end.env));
	assert_int_equal(end.out->count, 0);
	end_shut(&end);
}

/* The timer is the oldest message's: one sent later does not put it off, nor does an old acknowledgement. */
static void timer_is_the_oldest_ones(void **state)
{
	struct end end;

	(void)state;
	end_open(&end, 4, &conf);
	end.chan.cwnd = 4;
	send_number(&end, 0);
	struct mono due = end.chan.due;

	end.env.now.us += 300000;
	send_number(&end, 1);
	receive_ack(&end, 0);
	assert_int_equal(end.chan.due.us, due.us);
	receive_ack(&end, 1);		/* progress: the next one has its full time from here */
	assert_int_equal(end.chan.due.us, end.env.now.us + 1000000);
	end_shut(&end);
}

static void window_opens_slowly(void **state)
{
	static const uint16_t after[] = { 2, 3, 4, 5, 6, 7, 8, 9, 10, 10 };
	struct end end;

	(void)state;
	end_open(&end, 10, &conf);
	assert_int_equal(end.chan.cwnd, 1);
	for (uint32_t i = 0; i < 60; i++)
		send_number(&end, i);
	/* Slow start: one more for each acknowledged. */
	for (unsigned i = 0; i < ARRAY_LEN(after); i++) {
		fx_clear(end.out);
		receive_ack(&end, (uint16_t)(i + 1));
		assert_int_equal(end.chan.cwnd, after[i]);
		assert_int_equal((uint16_t)(end.chan.next - end.chan.acked), after[i]);
	}
	/* A time-out: half of it is the new threshold, and growth beyond is one a window. */
	end.env.now = end.chan.due;
	assert_true(chan_timed_out(&end.chan, &end.env));
	assert_int_equal(end.chan.cwnd, 1);
	assert_int_equal(end.chan.ssthresh, 5);
	uint16_t nr = end.chan.acked;

	for (unsigned i = 0; i < 4; i++)
		receive_ack(&end, ++nr);
	assert_int_equal(end.chan.cwnd, 5);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(end.chan.cwnd, 5);
		receive_ack(&end, ++nr);
	}
	assert_int_equal(end.chan.cwnd, 6);
	end_shut(&end);
}

static void resends_only_what_is_missing(void **state)
{
	struct end end;

	(void)state;
	end_open(&end, 8, &conf);
	for (uint32_t i = 0; i < 12; i++)
		send_number(&end, i);
	receive_ack(&end, 1);
	receive_ack(&end, 3);
	assert_int_equal(end.chan.acked, 3);
	assert_int_equal(end.chan.next, 7);	/* 3, 4, 5, 6 are under way */
	end.env.now = end.chan.due;
	fx_clear(end.out);
	assert_true(chan_timed_out(&end.chan, &end.env));
	assert_int_equal(end.out->count, 1);
	assert_int_equal(sent(&end, 0).ns, 3);

	/* The peer had 4 and 5 on its shelf: only 6 is sent again, then 7 for the first time. */
	fx_clear(end.out);
	receive_ack(&end, 6);
	assert_true(end.out->count >= 2);
	assert_int_equal(sent(&end, 0).ns, 6);
	assert_int_equal(number_of(sent(&end, 0).body), 6);
	assert_int_equal(sent(&end, 1).ns, 7);
	assert_int_equal(number_of(sent(&end, 1).body), 7);
	assert_int_equal(end.chan.resent, 2);
	end_shut(&end);
}

static void peer_window_is_kept(void **state)
{
	struct end end;

	(void)state;
	end_open(&end, 0, &conf);
	assert_int_equal(end.chan.peer_window, 1);
	chan_window_learnt(&end.chan, 65535);
	assert_int_equal(end.chan.peer_window, CHAN_WINDOW_MAX);
	chan_window_learnt(&end.chan, 3);
	for (uint32_t i = 0; i < 20; i++)
		send_number(&end, i);
	for (uint16_t nr = 1; nr <= 20; nr++) {
		receive_ack(&end, nr);
		assert_true((uint16_t)(end.chan.next - end.chan.acked) <= 3);
	}
	assert_int_equal(chan_queued(&end.chan), 0);
	end_shut(&end);
}

static void shelf_puts_in_order(void **state)
{
	static const uint16_t early[] = { 3, 1, 7, 2, 5 };
	uint8_t buffer[STORE_LEN_MAX];
	struct l2tp_hdr hdr;
	struct end end;
	enum why why;

	(void)state;
	end_open(&end, 4, &conf);
	for (unsigned i = 0; i < ARRAY_LEN(early); i++)
		assert_int_equal(receive(&end, early[i], 0, false, &why), CHAN_SHELVED);
	assert_int_equal(end.chan.shelved, 5);
	assert_int_equal(receive(&end, 5, 0, false, &why), CHAN_DUPLICATE);
	assert_int_equal(why, WHY_NS_OLD);
	assert_int_equal(receive(&end, WINDOW, 0, false, &why), CHAN_REFUSED);
	assert_int_equal(why, WHY_NS_AHEAD);
	assert_false(chan_shelf_take(&end.chan, &end.env, &hdr, buffer));
	assert_false(chan_ack_owed(&end.chan));

	assert_int_equal(receive(&end, 0, 0, false, &why), CHAN_DELIVER);
	for (uint16_t ns = 1; ns <= 3; ns++) {
		assert_true(chan_shelf_take(&end.chan, &end.env, &hdr, buffer));
		assert_int_equal(hdr.ns, ns);
		assert_true(bytes_eq(hdr.body, bytes_of(hello_octets, sizeof(hello_octets))));
	}
	assert_false(chan_shelf_take(&end.chan, &end.env, &hdr, buffer));
	assert_int_equal(end.chan.nr, 4);
	chan_flush(&end.chan, &end.env);
	assert_int_equal(sent(&end, 0).nr, 4);

	/* An old number is acknowledged again: the first acknowledgement may have been lost. */
	fx_clear(end.out);
	assert_int_equal(receive(&end, 1, 0, false, &why), CHAN_DUPLICATE);
	chan_flush(&end.chan, &end.env);
	assert_int_equal(sent(&end, 0).nr, 4);

	/* A caller that left the shelf alone gets no message twice. */
	assert_int_equal(receive(&end, 4, 0, false, &why), CHAN_DELIVER);
	assert_int_equal(receive(&end, 5, 0, false, &why), CHAN_DELIVER);
	assert_false(chan_shelf_take(&end.chan, &end.env, &hdr, buffer));
	assert_int_equal(receive(&end, 6, 0, false, &why), CHAN_DELIVER);
	assert_true(chan_shelf_take(&end.chan, &end.env, &hdr, buffer));
	assert_int_equal(hdr.ns, 7);
	assert_int_equal(end.pool.used, 0);
	end_shut(&end);
}

static void numbers_from_nowhere(void **state)
{
	struct end end;
	enum why why;

	(void)state;
	end_open(&end, 4, &conf);
	send_number(&end, 1);
	assert_int_equal(receive(&end, 0, 2, false, &why), CHAN_REFUSED);	/* we sent one message only */
	assert_int_equal(why, WHY_NR_INVALID);
	assert_int_equal(end.chan.nr, 0);
	assert_int_equal(end.chan.heard.us, 0);
	receive_ack(&end, 1);
	assert_int_equal(end.chan.heard.us, end.env.now.us);
	receive_ack(&end, 0);		/* overtaken on its way: changes nothing */
	assert_int_equal(end.chan.acked, 1);

	/* 5.8: half the number space behind counts as received before, the other half as ahead. */
	assert_int_equal(receive(&end, 0x8000, 1, false, &why), CHAN_DUPLICATE);
	assert_int_equal(receive(&end, 0x7fff, 1, false, &why), CHAN_REFUSED);
	assert_int_equal(why, WHY_NS_AHEAD);
	end_shut(&end);
}

static void numbers_wrap(void **state)
{
	uint8_t buffer[STORE_LEN_MAX];
	struct l2tp_hdr hdr;
	struct end end;
	enum why why;

	(void)state;
	end_open(&end, 8, &conf);
	end.chan.ns = end.chan.next = end.chan.acked = end.chan.nr = 0xfffd;
	for (uint32_t i = 0; i < 8; i++)
		send_number(&end, i);
	for (uint16_t nr = 0xfffe; nr != 5; nr++)
		receive_ack(&end, nr);
	receive_ack(&end, 5);
	assert_int_equal(chan_queued(&end.chan), 0);
	assert_int_equal(receive(&end, 1, 5, false, &why), CHAN_SHELVED);
	assert_int_equal(receive(&end, 0xffff, 5, false, &why), CHAN_SHELVED);
	assert_int_equal(receive(&end, 0, 5, false, &why), CHAN_SHELVED);
	assert_int_equal(receive(&end, 0xfffe, 5, false, &why), CHAN_SHELVED);
	assert_int_equal(receive(&end, 0xfffd, 5, false, &why), CHAN_DELIVER);
	for (unsigned i = 0; i < 4; i++)
		assert_true(chan_shelf_take(&end.chan, &end.env, &hdr, buffer));
	assert_int_equal(end.chan.nr, 2);
	end_shut(&end);
}

static void urgent_overtakes(void **state)
{
	struct l2tp_msg hello = { .type = L2TP_HELLO };
	struct end end;

	(void)state;
	end_open(&end, 1, &conf);
	for (uint32_t i = 0; i < 4; i++)
		send_number(&end, i);
	assert_true(chan_send_urgent(&end.chan, &end.env, 0, &hello));
	fx_clear(end.out);
	receive_ack(&end, 1);
	assert_int_equal(sent(&end, 0).ns, 1);
	assert_int_equal(sent(&end, 0).body.len, 8);
	fx_clear(end.out);
	receive_ack(&end, 2);
	assert_int_equal(number_of(sent(&end, 0).body), 1);
	end_shut(&end);
}

static void refuses_when_full(void **state)
{
	struct chan_conf greedy = conf;
	struct l2tp_msg msg = numbered(0), hello = { .type = L2TP_HELLO };
	char text[L2TP_SCRATCH_LEN] = { 0 };
	struct end end;
	uint32_t n;
	enum why why;

	(void)state;
	end_open(&end, 4, &conf);
	for (n = 0; n < conf.queue_max; n++)
		send_number(&end, n);
	assert_false(chan_send(&end.chan, &end.env, 9, &msg));
	assert_int_equal(chan_queued(&end.chan), conf.queue_max);
	assert_true(chan_send_urgent(&end.chan, &end.env, 0, &hello));
	end_shut(&end);

	greedy.queue_max = UINT32_MAX;
	end_open(&end, 4, &greedy);
	for (n = 0; n < NODES / 2; n++)
		send_number(&end, n);
	assert_false(chan_send(&end.chan, &end.env, 9, &msg));	/* the other half is the other channels' */
	for (; n < NODES; n++)
		assert_true(chan_send_urgent(&end.chan, &end.env, 9, &hello));
	assert_false(chan_send_urgent(&end.chan, &end.env, 9, &hello));
	assert_int_equal(chan_queued(&end.chan), NODES);
	assert_int_equal(receive(&end, 2, 0, false, &why), CHAN_REFUSED);
	assert_int_equal(why, WHY_CHAN_FULL);
	end_shut(&end);

	/* Longer than a packet: three numbers of 1000 octets. */
	end_open(&end, 4, &conf);
	msg.present |= AVP_BIT(AVP_CALLED_NUMBER) | AVP_BIT(AVP_CALLING_NUMBER) | AVP_BIT(AVP_SUB_ADDRESS);
	msg.called = msg.calling = msg.sub_address = bytes_of(text, 1000);
	assert_false(chan_send(&end.chan, &end.env, 9, &msg));
	msg.sub_address.len = 0;
	assert_false(chan_send(&end.chan, &end.env, 9, &msg));
	msg.calling.len = 900;
	assert_true(chan_send(&end.chan, &end.env, 9, &msg));
	end_shut(&end);
}

static void bursts_are_bounded(void **state)
{
	struct chan_conf greedy = conf;
	struct end end;

	(void)state;
	greedy.queue_max = UINT32_MAX;
	end_open(&end, 256, &greedy);
	for (uint32_t i = 0; i < 200; i++)
		send_number(&end, i);
	end.chan.cwnd = 200;
	fx_clear(end.out);
	receive_ack(&end, 1);
	assert_int_equal(end.out->count, CHAN_BURST_MAX);
	receive_ack(&end, 1 + CHAN_BURST_MAX);
	assert_int_equal(end.out->count, 2 * CHAN_BURST_MAX);

	/* No room in the list and nothing under way: the timer wakes the channel, and it is no failure. */
	receive_ack(&end, end.chan.next - 1);
	end.out->count = FX_MAX - 1;
	receive_ack(&end, end.chan.next);
	assert_int_equal(end.out->count, FX_MAX - 1);
	assert_int_equal(end.chan.due.us, end.env.now.us);
	fx_clear(end.out);
	assert_true(chan_timed_out(&end.chan, &end.env));
	assert_int_equal(end.out->count, CHAN_BURST_MAX);
	assert_int_equal(end.chan.tries, 0);
	assert_int_equal(end.chan.resent, 0);
	end_shut(&end);
}

static void close_keeps_the_numbers(void **state)
{
	struct end end;
	enum why why;

	(void)state;
	end_open(&end, 4, &conf);
	for (uint32_t i = 0; i < 5; i++)
		send_number(&end, i);
	assert_int_equal(receive(&end, 0, 1, false, &why), CHAN_DELIVER);
	assert_int_equal(receive(&end, 2, 1, false, &why), CHAN_SHELVED);
	uint16_t ns = end.chan.ns;

	chan_close(&end.chan, &end.env);
	assert_int_equal(end.pool.used, 0);
	assert_int_equal(end.chan.due.us, UINT64_MAX);
	fx_clear(end.out);
	assert_int_equal(receive(&end, 0, 1, false, &why), CHAN_DUPLICATE);
	chan_flush(&end.chan, &end.env);
	assert_int_equal(sent(&end, 0).ns, ns);
	assert_int_equal(sent(&end, 0).nr, 1);
	end_shut(&end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_and_acknowledges),
		cmocka_unit_test(retries_back_off_and_give_up),
		cmocka_unit_test(timer_is_the_oldest_ones),
		cmocka_unit_test(window_opens_slowly),
		cmocka_unit_test(resends_only_what_is_missing),
		cmocka_unit_test(peer_window_is_kept),
		cmocka_unit_test(shelf_puts_in_order),
		cmocka_unit_test(numbers_from_nowhere),
		cmocka_unit_test(numbers_wrap),
		cmocka_unit_test(urgent_overtakes),
		cmocka_unit_test(refuses_when_full),
		cmocka_unit_test(bursts_are_bounded),
		cmocka_unit_test(close_keeps_the_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
