/*
 * Goal: a channel copied to another node goes on there: in order, nothing twice, nothing forgotten; a peer
 * that is further on than the copy is believed within bounds; a frozen copy acknowledges without changing.
 * Method: messages and numbers go from one end to another as a cluster would carry them, in any order.
 */
#include "l2tpns/base/rnd.h"
#include "tests/unit/chan_end.h"

#define TID	3

static uint8_t hello_octets[] = { 0x80, 8, 0, 0, 0, 0, 0, 6 };
static uint32_t touched[4096], touches;

static void touch(void *ctx, uint32_t number)
{
	(void)ctx;
	assert_true(touches < ARRAY_LEN(touched));
	touched[touches++] = number;
}

static void open_two(struct end *a, struct end *b)
{
	end_open(a, 8, &conf);
	end_open(b, 8, &conf);
	a->env.tid = b->env.tid = (struct tid){ TID };
	a->env.touched = touch;
	touches = 0;
}

static void put(struct end *to, uint32_t number, const struct chan_message *message)
{
	struct tid tid;

	if (chan_place_owner(&to->pool, number, &tid)) {
		assert_int_equal(tid.n, TID);
		chan_message_drop(&to->chan, &to->pool, &to->store, number);
	}
	if (message)
		assert_true(chan_message_put(&to->chan, &to->pool, &to->store, number, message));
}

static void copy_one(const struct end *from, struct end *to, uint32_t number)
{
	struct chan_message message;

	put(to, number, chan_message_get(&from->pool, &from->store, number, &message) ? &message : NULL);
}

static void copy_numbers(const struct end *from, struct end *to)
{
	struct chan_numbers numbers = chan_numbers(&from->chan);

	chan_restore(&to->chan, &numbers);
}

/* What was touched, in an order that `rnd` makes; from the first to the last without it. */
static void copy_touched(const struct end *from, struct end *to, struct rnd *rnd)
{
	for (uint32_t i = 0; rnd && i + 1 < touches; i++) {
		uint32_t j = i + rnd_below(rnd, touches - i), number = touched[i];

		touched[i] = touched[j];
		touched[j] = number;
	}
	for (uint32_t i = 0; i < touches; i++)
		copy_one(from, to, touched[i]);
	touches = 0;
	copy_numbers(from, to);
}

static struct l2tp_hdr sent(const struct end *end, uint32_t n)
{
	struct l2tp_hdr hdr;
	const struct fx *fx = &end->out->fx[n];
	const uint8_t *payload = fx_payload(end->out, fx);

	assert_true(n < end->out->count);
	assert_int_equal(l2tp_hdr_decode(bytes_of(payload + sizeof(struct fx_send), fx->len - sizeof(struct fx_send)),
					 &hdr), WHY_OK);
	return hdr;
}

static enum chan_in receive(struct end *end, uint16_t ns, uint16_t nr, bool zlb, enum why *why)
{
	struct l2tp_hdr hdr = { .control = true, .sequenced = true, .ns = ns, .nr = nr };

	if (!zlb)
		hdr.body = bytes_of(hello_octets, sizeof(hello_octets));
	return chan_received(&end->chan, &end->env, &hdr, why);
}

static void ack(struct end *end, uint16_t nr)
{
	enum why why;

	assert_int_equal(receive(end, end->chan.nr, nr, true, &why), CHAN_ZLB);
}

/* The peer acknowledges whatever comes until nothing is left; returns how many different ones came, in order. */
static uint32_t drain(struct end *end, uint16_t from_ns, uint32_t first)
{
	uint16_t next = from_ns;
	uint32_t count = 0;

	while (chan_queued(&end->chan) > 0) {
		fx_clear(end->out);
		end->env.now = end->chan.due;
		assert_true(chan_timed_out(&end->chan, &end->env));
		for (uint32_t i = 0; i < end->out->count; i++) {
			struct l2tp_hdr hdr = sent(end, i);

			if (hdr.ns != next)
				continue;
			assert_int_equal(number_of(hdr.body), first + count);
			next++;
			count++;
		}
		ack(end, next);
	}
	fx_clear(end->out);
	return count;
}

static void messages_in_any_order(void **state)
{
	struct rnd rnd;
	uint8_t seed[RND_SEED_LEN] = { 1 };

	(void)state;
	rnd_seed(&rnd, seed);
	for (unsigned round = 0; round < 200; round++) {
		struct end a, b;
		uint32_t sends = 1 + rnd_below(&rnd, 60), acked = 0;
		uint16_t base = (uint16_t)rnd_u32(&rnd);

		open_two(&a, &b);
		a.chan.ns = a.chan.next = a.chan.acked = base;
		for (uint32_t i = 0; i < sends; i++) {
			send_number(&a, i);
			if (rnd_below(&rnd, 3) == 0) {
				acked += rnd_below(&rnd, (uint16_t)(a.chan.next - a.chan.acked) + 1u);
				ack(&a, (uint16_t)(base + acked));
			}
			if (rnd_below(&rnd, 4) == 0)
				copy_touched(&a, &b, &rnd);
		}
		copy_touched(&a, &b, &rnd);
		assert_int_equal(b.pool.used, a.pool.used);
		assert_int_equal(b.out->count, 0);
		acked = (uint16_t)(a.chan.acked - base);
		assert_true(b.chan.sent.head == 0 || b.chan.due.us == UINT64_MAX);
		assert_true(chan_timed_out(&b.chan, &b.env));	/* the first event: it is ours now */
		assert_int_equal(b.chan.cwnd, 1);
		assert_int_equal(chan_queued(&b.chan), sends - acked);
		uint32_t came = 0;

		if (b.out->count > 0) {		/* it was due at once, and one message went */
			struct l2tp_hdr hdr = sent(&b, 0);

			assert_int_equal(b.out->count, 1);
			assert_int_equal(hdr.ns, a.chan.acked);
			assert_int_equal(number_of(hdr.body), acked);
			ack(&b, (uint16_t)(hdr.ns + 1));
			came = 1;
		}
		/* What the ack let out comes again by the timer. */
		came += drain(&b, (uint16_t)(base + acked + came), acked + came);
		assert_int_equal(came, sends - acked);
		end_shut(&a);
		end_shut(&b);
	}
}

/* An urgent message that waits comes before the others on the new node too. */
static void urgent_first(void **state)
{
	struct end a, b;
	struct l2tp_msg hello = { .type = L2TP_HELLO };

	(void)state;
	open_two(&a, &b);
	for (uint32_t i = 0; i < 4; i++)
		send_number(&a, i);	/* one is under way, three wait */
	assert_true(chan_send_urgent(&a.chan, &a.env, 0, &hello));
	copy_touched(&a, &b, NULL);
	assert_true(chan_timed_out(&b.chan, &b.env));
	fx_clear(b.out);
	ack(&b, 1);
	assert_int_equal(sent(&b, 0).body.p[7], L2TP_HELLO);
	assert_int_equal(number_of(sent(&b, 1).body), 1);
	/* A new one keeps its place behind those copied. */
	send_number(&b, 77);
	fx_clear(b.out);
	ack(&b, 3);
	assert_int_equal(number_of(sent(&b, 0).body), 2);
	end_shut(&a);
	end_shut(&b);
}

/* Only a part of what was told last has arrived.  Messages come before numbers, their end after. */
static void cut_short(void **state)
{
	struct end a, b;
	uint32_t first, second;

	(void)state;
	/* Kept messages without the numbers: they never left, and go out with the numbers they had. */
	open_two(&a, &b);
	copy_numbers(&a, &b);
	a.chan.cwnd = 8;
	send_number(&a, 0);
	send_number(&a, 1);
	first = a.chan.sent.head;
	second = a.chan.sent.tail;
	copy_one(&a, &b, first);
	copy_one(&a, &b, second);
	assert_true(chan_timed_out(&b.chan, &b.env));
	assert_int_equal(b.chan.ns, 2);
	assert_int_equal(sent(&b, 0).ns, 0);
	end_shut(&b);

	/* The second alone cannot have been told without the first: it is dropped rather than sent out of turn. */
	end_open(&b, 8, &conf);
	b.env.tid.n = TID;
	copy_one(&a, &b, second);
	assert_true(chan_timed_out(&b.chan, &b.env));
	assert_int_equal(b.chan.ns, 0);
	assert_int_equal(b.pool.used, 0);
	end_shut(&b);

	/* Nor does one go that is not the next after those that do. */
	end_open(&b, 8, &conf);
	b.env.tid.n = TID;
	send_number(&a, 2);
	copy_one(&a, &b, first);
	copy_one(&a, &b, a.chan.sent.tail);
	assert_true(chan_timed_out(&b.chan, &b.env));
	assert_int_equal(b.chan.ns, 1);
	assert_int_equal(b.pool.used, 1);
	end_shut(&b);

	/* Numbers that say all are acknowledged, while the messages are still there; and the other way round. */
	end_open(&b, 8, &conf);
	b.env.tid.n = TID;
	copy_touched(&a, &b, NULL);
	ack(&a, 3);
	copy_numbers(&a, &b);
	assert_true(chan_timed_out(&b.chan, &b.env));
	assert_int_equal(b.pool.used, 0);
	assert_int_equal(b.out->count, 0);
	assert_int_equal(b.chan.acked, 3);
	send_number(&b, 5);
	assert_int_equal(sent(&b, 0).ns, 3);
	struct chan_numbers numbers = { .acked = 1, .ns = 3, .nr = 0, .peer_window = 8 };

	chan_restore(&b.chan, &numbers);
	put(&b, b.chan.sent.head, NULL);
	send_number(&b, 6);
	assert_int_equal(sent(&b, 1).ns, 3);
	assert_int_equal(chan_queued(&b.chan), 1);
	end_shut(&a);
	end_shut(&b);
}

/* A place that our own shelf uses is given up for the message whose place it is. */
static void a_shelf_in_the_way(void **state)
{
	struct end a, b;
	enum why why;
	struct tid tid;

	(void)state;
	open_two(&a, &b);
	for (uint16_t ns = 4; ns > 1; ns--)
		assert_int_equal(receive(&b, ns, 0, false, &why), CHAN_SHELVED);
	assert_int_equal(b.chan.shelved, 3);
	send_number(&a, 0);
	assert_true(chan_place_owner(&b.pool, a.chan.sent.head, &tid));
	assert_false(chan_place_owner(&b.pool, 100, &tid));
	copy_touched(&a, &b, NULL);
	assert_int_equal(b.chan.shelved, 2);
	assert_true(chan_timed_out(&b.chan, &b.env));
	assert_int_equal(b.chan.shelved, 0);
	assert_int_equal(b.pool.used, 1);
	end_shut(&a);
	end_shut(&b);
}

/* Deliver until the shelf has nothing more; how many came. */
static unsigned deliver(struct end *end, uint16_t ns, uint16_t nr, enum chan_in expected)
{
	uint8_t buffer[STORE_LEN_MAX];
	struct l2tp_hdr hdr;
	enum why why;
	unsigned n = 1;

	assert_int_equal(receive(end, ns, nr, false, &why), expected);
	if (expected != CHAN_DELIVER)
		return 0;
	while (chan_shelf_take(&end->chan, &end->env, &hdr, buffer))
		n++;
	return n;
}

static void a_peer_that_is_ahead(void **state)
{
	struct end a, b;
	struct chan_numbers numbers = { .acked = 20, .ns = 20, .nr = 65530, .peer_window = 8 };
	enum why why;

	(void)state;
	open_two(&a, &b);
	/* Never a copy: nothing is believed. */
	assert_int_equal(deliver(&a, WINDOW, 0, CHAN_REFUSED), 0);
	assert_int_equal(receive(&a, 0, 1, true, &why), CHAN_REFUSED);

	/* Beyond our window: somebody must have acknowledged what lies between. */
	chan_restore(&b.chan, &numbers);
	assert_int_equal(deliver(&b, (uint16_t)(65530 + WINDOW), 20, CHAN_DELIVER), 1);
	assert_int_equal(b.chan.nr, 65530 + WINDOW + 1 - 65536);
	/* Once they have met there is no more of that. */
	assert_int_equal(deliver(&b, (uint16_t)(b.chan.nr + WINDOW), 20, CHAN_REFUSED), 0);

	/* Inside it a message may be lost; the peer would repeat that one. */
	chan_restore(&b.chan, &numbers);
	assert_int_equal(deliver(&b, 65532, 20, CHAN_SHELVED), 0);
	assert_int_equal(deliver(&b, 65533, 20, CHAN_SHELVED), 0);
	assert_int_equal(deliver(&b, 65533, 20, CHAN_DUPLICATE), 0);
	for (unsigned repeat = 0; repeat < 2; repeat++)		/* the older one's repeats may be lost, too */
		assert_int_equal(deliver(&b, 65532, 20, CHAN_DUPLICATE), 0);
	assert_int_equal(deliver(&b, 65532, 20, CHAN_DELIVER), 2);
	assert_int_equal(b.chan.nr, 65534);
	assert_int_equal(b.chan.shelved, 0);

	/* Lost indeed: the one expected comes, and the rest from the shelf. */
	chan_restore(&b.chan, &numbers);
	assert_int_equal(deliver(&b, 65531, 20, CHAN_SHELVED), 0);
	assert_int_equal(deliver(&b, 65530, 20, CHAN_DELIVER), 2);
	assert_int_equal(b.chan.nr, 65532);

	/* Four windows and no more. */
	chan_restore(&b.chan, &numbers);
	assert_int_equal(deliver(&b, (uint16_t)(65530 + 4 * WINDOW + 1), 20, CHAN_REFUSED), 0);
	assert_int_equal(deliver(&b, (uint16_t)(65530 + 4 * WINDOW), 20, CHAN_DELIVER), 1);

	/* It acknowledges what we never heard of. */
	chan_restore(&b.chan, &numbers);
	assert_int_equal(receive(&b, b.chan.nr, 20 + 4 * 8 + 1, true, &why), CHAN_REFUSED);
	assert_int_equal(receive(&b, b.chan.nr, 20 + 4 * 8, true, &why), CHAN_ZLB);
	assert_int_equal(b.chan.ns, 52);
	fx_clear(b.out);
	send_number(&b, 1);
	assert_int_equal(sent(&b, 0).ns, 52);
	/* The same with something under way, which it has then. */
	copy_one(&b, &a, b.chan.sent.head);
	numbers.ns = 53;
	numbers.acked = 52;
	chan_restore(&a.chan, &numbers);
	assert_int_equal(receive(&a, a.chan.nr, 60, true, &why), CHAN_ZLB);
	assert_int_equal(a.pool.used, 0);
	assert_int_equal(a.chan.due.us, UINT64_MAX);
	end_shut(&a);
	end_shut(&b);
}

static struct l2tp_hdr numbered_hdr(uint16_t ns, bool zlb)
{
	return (struct l2tp_hdr){ .control = true, .sequenced = true, .ns = ns,
				  .body = bytes_of(hello_octets, zlb ? 0 : sizeof(hello_octets)) };
}

static void frozen(void **state)
{
	struct end a, b;
	struct chan_numbers numbers = { .acked = 5, .ns = 5, .nr = 100, .peer_window = 8 };
	struct l2tp_hdr old = numbered_hdr(99, false), next = numbered_hdr(100, false);
	struct l2tp_hdr ahead = numbered_hdr(101, false), zlb = numbered_hdr(100, true);
	uint16_t nr;

	(void)state;
	open_two(&a, &b);
	chan_restore(&b.chan, &numbers);
	assert_true(chan_keepalive(&b.chan, &old, false, &nr));
	assert_int_equal(nr, 100);
	assert_false(chan_keepalive(&b.chan, &zlb, false, &nr));
	assert_false(chan_keepalive(&b.chan, &next, false, &nr));
	assert_false(chan_keepalive(&b.chan, &ahead, true, &nr));
	assert_true(chan_keepalive(&b.chan, &next, true, &nr));
	assert_int_equal(nr, 101);
	assert_true(chan_keepalive(&b.chan, &next, true, &nr));		/* again: it is an old one now */
	assert_int_equal(nr, 101);
	assert_true(chan_keepalive(&b.chan, &ahead, true, &nr));	/* the HELLO after it */
	assert_int_equal(nr, 102);
	assert_int_equal(chan_numbers(&b.chan).nr, 100);		/* nothing replicated has changed */
	/* What was acknowledged counts once the channel is ours. */
	assert_int_equal(deliver(&b, 102, 5, CHAN_DELIVER), 1);
	assert_int_equal(b.chan.nr, 103);
	/* And does not when another node has said what is true. */
	chan_restore(&b.chan, &numbers);
	assert_true(chan_keepalive(&b.chan, &next, true, &nr));
	chan_restore(&b.chan, &numbers);
	assert_true(chan_keepalive(&b.chan, &next, true, &nr));
	assert_int_equal(nr, 101);
	end_shut(&a);
	end_shut(&b);
}

static void impossible_messages(void **state)
{
	struct end a, b;
	struct tid tid;
	struct chan_message good = { .tid = { TID }, .kind = CHAN_BULK, .order = 9,
				     .body = bytes_of(hello_octets, sizeof(hello_octets)) }, bad;

	(void)state;
	open_two(&a, &b);
#define BAD(member, value) do { \
		bad = good; \
		bad.member = value; \
		assert_false(chan_message_put(&b.chan, &b.pool, &b.store, 7, &bad)); \
	} while (0)
	BAD(tid.n, 0);
	BAD(kind, CHAN_KINDS);
	BAD(body.len, 0);
	BAD(body.len, CHAN_BODY_MAX + 1);
	bad = good;
	bad.kind = CHAN_SENT;
	bad.order = 65536;
	assert_false(chan_message_put(&b.chan, &b.pool, &b.store, 7, &bad));
	assert_false(chan_message_put(&b.chan, &b.pool, &b.store, 0, &good));
	assert_false(chan_message_put(&b.chan, &b.pool, &b.store, NODES + 1, &good));
	assert_true(chan_message_put(&b.chan, &b.pool, &b.store, NODES, &good));
	assert_false(chan_message_put(&b.chan, &b.pool, &b.store, NODES, &good));
	assert_true(chan_place_owner(&b.pool, NODES, &tid));
	assert_int_equal(b.chan.order, 10);
	assert_int_equal(b.pool.used, 1);
	end_shut(&a);
	end_shut(&b);
}

/* Places asked for by number and places found are never the same, and all of them can be used. */
static void every_place_once(void **state)
{
	static uint8_t held[NODES + 1];
	struct end a, b;
	struct rnd rnd;
	uint8_t seed[RND_SEED_LEN] = { 3 };
	uint32_t used = 0;
	struct chan_message m = { .tid = { TID }, .kind = CHAN_BULK,
				  .body = bytes_of(hello_octets, sizeof(hello_octets)) };

	(void)state;
	open_two(&a, &b);
	memset(held, 0, sizeof(held));
	rnd_seed(&rnd, seed);
	for (unsigned step = 0; step < 20000; step++) {
		uint32_t number = 1 + rnd_below(&rnd, step / 2000 % 2 ? NODES : 64);

		if (held[number]) {
			chan_message_drop(&b.chan, &b.pool, &b.store, number);
			held[number] = 0;
			used--;
		} else {
			m.order = step;
			assert_true(chan_message_put(&b.chan, &b.pool, &b.store, number, &m));
			held[number] = 1;
			used++;
		}
		assert_int_equal(b.pool.used, used);
		assert_int_equal(b.chan.waiting, used);
	}
	struct l2tp_msg msg = numbered(1);

	b.env.touched = touch;
	touches = 0;
	while (b.pool.used < NODES) {
		assert_true(chan_send_urgent(&b.chan, &b.env, 1, &msg));
		fx_clear(b.out);
		assert_false(held[touched[0]]);
		held[touched[0]] = 1;
		touches = 0;
	}
	assert_false(chan_send_urgent(&b.chan, &b.env, 1, &msg));
	end_shut(&a);
	end_shut(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_in_any_order),
		cmocka_unit_test(urgent_first),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(a_shelf_in_the_way),
		cmocka_unit_test(a_peer_that_is_ahead),
		cmocka_unit_test(frozen),
		cmocka_unit_test(impossible_messages),
		cmocka_unit_test(every_place_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
