/*
 * fuzz_l2tp_chan.c -- octets drive sends, packets and time; the channel keeps its promises: in order,
 * once, never more under way than the window, a timer while something is, no memory left when closed.
 */
#include "l2tpns/core/l2tp_chan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define NODES	24u
#define OCTETS	2048u

static struct fx_list out;
static uint8_t memory[64 * 1024] __attribute__((aligned(64)));
static const struct chan_conf conf = {
	.window = 8, .retransmit_ms = 1000, .retransmit_max_ms = 8000, .tries = 5, .queue_max = 20,
};

static void check(const struct chan *chan, const struct chan_env *env)
{
	uint16_t flight = (uint16_t)(chan->next - chan->acked), numbered = (uint16_t)(chan->ns - chan->acked);

	ASSERT(flight <= numbered && numbered <= CHAN_WINDOW_MAX);
	ASSERT(chan->cwnd >= 1 && chan->cwnd <= chan->peer_window && chan->ssthresh >= 1);
	ASSERT(chan->shelved < conf.window && (chan->shelf == 0) == (chan->shelved == 0));
	ASSERT((chan->due.us == UINT64_MAX) == (chan_queued(chan) == 0));
	ASSERT(env->pool->used == chan_queued(chan) + chan->shelved && env->store->kept == env->pool->used);
}

/* Packets sent carry the current Nr, and nothing beyond the window has a number. */
static void check_sent(const struct chan *chan)
{
	for (uint32_t i = 0; i < out.count; i++) {
		const uint8_t *payload = fx_payload(&out, &out.fx[i]);
		size_t prefix = sizeof(struct fx_send);
		struct l2tp_hdr hdr;

		ASSERT(l2tp_hdr_decode(bytes_of(payload + prefix, out.fx[i].len - prefix), &hdr) == WHY_OK);
		ASSERT(hdr.control && hdr.tunnel_id == 7);
		ASSERT(hdr.body.len == 0 || (uint16_t)(hdr.ns - chan->acked) < chan->peer_window);
	}
	fx_clear(&out);
}

static void receive(struct chan *chan, struct chan_env *env, uint8_t ns, uint8_t nr, uint8_t octets)
{
	uint8_t body[256] = { 0 }, buffer[STORE_LEN_MAX];
	uint16_t expected = chan->nr;
	struct l2tp_hdr hdr = { .control = true, .sequenced = true, .ns = (uint16_t)(chan->nr + (int8_t)ns),
				.nr = (uint16_t)(chan->acked + (int8_t)nr), .body = bytes_of(body, octets) };
	enum why why;
	enum chan_in in = chan_received(chan, env, &hdr, &why);

	ASSERT((in == CHAN_DUPLICATE || in == CHAN_REFUSED) == (why != WHY_OK));
	if (in != CHAN_DELIVER) {
		ASSERT(chan->nr == expected);
		return;
	}
	do
		ASSERT(hdr.ns == expected++ && hdr.body.len > 0);
	while (chan_shelf_take(chan, env, &hdr, buffer));
	ASSERT(chan->nr == expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena arena = { .start = memory, .room = sizeof(memory) };
	struct store store;
	struct chan_pool pool;
	struct chan chan;
	struct chan_env env = { .out = &out, .store = &store, .pool = &pool, .now = { 1000 }, .peer_tid = 7,
				.conf = &conf };
	struct rd r = rd_of(data, len);

	memset(memory, 0, sizeof(memory));
	store_init(&store, OCTETS, &arena);
	chan_pool_init(&pool, NODES, &arena);
	chan_init(&chan, rd_u8(&r));
	chan.ns = chan.next = chan.acked = chan.nr = rd_u16(&r);
	fx_clear(&out);
	while (rd_left(&r) > 0) {
		uint8_t what = rd_u8(&r), a = rd_u8(&r);
		struct l2tp_msg msg = { .type = L2TP_SCCRQ, .present = AVP_BIT(AVP_HOST_NAME),
					.host_name = bytes_of(memory, a) };

		switch (what & 7) {
		case 0: case 1: (void)!chan_send(&chan, &env, a, &msg); break;
		case 2: (void)!chan_send_urgent(&chan, &env, a, &msg); break;
		case 3: case 4: receive(&chan, &env, a, rd_u8(&r), what >> 3); break;
		case 5: chan_flush(&chan, &env); break;
		case 6: env.now.us += (uint64_t)a << 15; break;
		case 7:
			if (chan.due.us != UINT64_MAX && a & 1)
				env.now = chan.due;
			if (!chan_timed_out(&chan, &env))
				chan_close(&chan, &env);
			break;
		}
		check(&chan, &env);
		check_sent(&chan);
	}
	chan_close(&chan, &env);
	ASSERT(pool.used == 0 && store.kept == 0 && chan_queued(&chan) == 0 && chan.due.us == UINT64_MAX);
	return 0;
}
