/*
 * Goal: whatever the network does, each message arrives once and in order, and no channel hangs.
 * Method: two channels joined by a seeded network that loses, copies and reorders; ten thousand
 * numbered messages each way, with the window and the shelf watched after every step.
 */
#include "l2tpns/base/rnd.h"
#include "tests/unit/chan_end.h"

struct packet {
	uint64_t at;		/* when it arrives; 0 = a free place */
	uint16_t len;
	uint8_t	 to;		/* which end */
	uint8_t	 octets[100];
};

#define AIR	1024

struct net {
	struct end	end[2];
	struct packet	air[AIR];
	struct rnd	rnd;
	uint32_t	told[2], heard[2];	/* numbers given to an end to send, and delivered at it */
	uint32_t	loss, copies;		/* of 100 */
	uint32_t	delay_max_ms;
};

static void net_carry(struct net *net, uint8_t to, const void *octets, uint16_t len)
{
	struct packet *free_place = NULL;

	if (rnd_below(&net->rnd, 100) < net->loss)
		return;
	for (unsigned i = 0; i < AIR && !free_place; i++)
		if (net->air[i].at == 0)
			free_place = &net->air[i];
	if (!free_place)
		return;
	assert_true(len <= sizeof(free_place->octets));
	free_place->at = net->end[0].env.now.us + 1000 + rnd_below(&net->rnd, net->delay_max_ms) * 1000;
	free_place->to = to;
	free_place->len = len;
	memcpy(free_place->octets, octets, len);
}

/* What both ends want to send goes on the air. */
static void net_collect(struct net *net)
{
	for (uint8_t from = 0; from < 2; from++) {
		struct end *end = &net->end[from];

		chan_flush(&end->chan, &end->env);
		for (uint32_t i = 0; i < end->out->count; i++) {
			const uint8_t *payload = fx_payload(end->out, &end->out->fx[i]);
			uint16_t len = (uint16_t)(end->out->fx[i].len - sizeof(struct fx_send));
			bool twice = rnd_below(&net->rnd, 100) < net->copies;

			net_carry(net, !from, payload + sizeof(struct fx_send), len);
			if (twice)
				net_carry(net, !from, payload + sizeof(struct fx_send), len);
		}
		fx_clear(end->out);
		assert_true((uint16_t)(end->chan.next - end->chan.acked) <= end->chan.peer_window);
		assert_true((uint16_t)(end->chan.ns - end->chan.acked) <= end->chan.peer_window);
		assert_true(end->chan.shelved < WINDOW);
	}
}

static void net_deliver(struct net *net, struct packet *packet)
{
	struct end *end = &net->end[packet->to];
	uint8_t buffer[STORE_LEN_MAX];
	struct l2tp_hdr hdr;
	enum why why;

	packet->at = 0;
	assert_int_equal(l2tp_hdr_decode(bytes_of(packet->octets, packet->len), &hdr), WHY_OK);
	if (chan_received(&end->chan, &end->env, &hdr, &why) != CHAN_DELIVER)
		return;
	do
		assert_int_equal(number_of(hdr.body), net->heard[packet->to]++);
	while (chan_shelf_take(&end->chan, &end->env, &hdr, buffer));
}

/* Time goes to the next thing that happens; one packet or one time-out. */
static void net_step(struct net *net)
{
	struct packet *first = NULL;
	uint64_t now = UINT64_MAX;

	for (unsigned i = 0; i < AIR; i++)
		if (net->air[i].at && net->air[i].at < now) {
			now = net->air[i].at;
			first = &net->air[i];
		}
	for (unsigned i = 0; i < 2; i++)
		if (net->end[i].chan.due.us < now) {
			now = net->end[i].chan.due.us;
			first = NULL;
		}
	assert_true(now != UINT64_MAX);		/* nothing under way and no timer: it would hang for ever */
	net->end[0].env.now.us = net->end[1].env.now.us = now;
	if (first)
		net_deliver(net, first);
	for (unsigned i = 0; i < 2; i++)
		assert_true(chan_timed_out(&net->end[i].chan, &net->end[i].env));
}

static void run_net(uint8_t number, uint32_t loss, uint32_t copies, uint32_t delay_max_ms, uint32_t messages)
{
	struct chan_conf stubborn = conf;
	struct net *net = calloc(1, sizeof(*net));
	uint8_t seed[RND_SEED_LEN] = { number };

	assert_non_null(net);
	stubborn.tries = 255;
	net->loss = loss;
	net->copies = copies;
	net->delay_max_ms = delay_max_ms;
	rnd_seed(&net->rnd, seed);
	for (unsigned i = 0; i < 2; i++)
		end_open(&net->end[i], WINDOW, &stubborn);
	while (net->heard[0] < messages || net->heard[1] < messages || chan_queued(&net->end[0].chan) ||
	       chan_queued(&net->end[1].chan)) {
		for (unsigned i = 0; i < 2; i++)
			while (net->told[i] < messages && chan_queued(&net->end[i].chan) < 40 &&
			       rnd_below(&net->rnd, 4))
				send_number(&net->end[i], net->told[i]++);
		net_collect(net);
		if (chan_queued(&net->end[0].chan) || chan_queued(&net->end[1].chan))
			net_step(net);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(net->heard[i], messages);
		end_shut(&net->end[i]);
	}
	free(net);
}

static void survives_bad_networks(void **state)
{
	(void)state;
	run_net(1, 0, 0, 1, 10000);		/* a good one */
	run_net(2, 0, 0, 40, 10000);		/* reorders only */
	run_net(3, 10, 5, 40, 10000);
	run_net(4, 40, 20, 300, 1000);
	for (uint8_t seed = 10; seed < 30; seed++)
		run_net(seed, 20, 20, 100, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_bad_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
