/* lns.c -- the control plane's outside: building it, packets and time coming in, what is configured. */
#include "l2tpns/core/lns_state.h"

#define SAID_PER_SECOND		20	/* refused packets reported each second */
#define STORE_PER_SESSION	512u
#define STORE_PER_TUNNEL	8192u
#define CHAN_NODES_MAX		(1u << 20)

uint32_t lns_messages_max(const struct lns_conf *conf)
{
	return min_u32(conf->sessions_max + 64 * conf->tunnels_max, CHAN_NODES_MAX);
}

static struct lns *build(const struct lns_conf *conf, struct hash_key key, struct mono now, struct arena *arena)
{
	uint32_t rows = rows_space(conf->sessions_max), tunnels = conf->tunnels_max + 1;
	struct lns measured;
	struct lns *lns = arena_take(arena, 1, sizeof(*lns));
	struct lns *into = lns ? lns : &measured;

	rows_init(&into->rows, conf->sessions_max, arena);
	into->session = arena_take(arena, rows, sizeof(struct session));
	pool_init(&into->tids, conf->tunnels_max, arena);
	into->tunnel = arena_take(arena, tunnels, sizeof(struct tunnel));
	store_init(&into->store, (size_t)rows * STORE_PER_SESSION + (size_t)tunnels * STORE_PER_TUNNEL, arena);
	chan_pool_init(&into->chan_pool, lns_messages_max(conf), arena);
	marks_init(into, rows, tunnels, lns_messages_max(conf) + 1, arena);
	into->tunnel_timers = rows * TIMERS_PER_OBJECT;
	timers_init(&into->timers, (rows + tunnels) * TIMERS_PER_OBJECT, now, arena);
	index_init(&into->by_user, rows, arena);
	index_init(&into->by_address, rows, arena);
	index_init(&into->by_peer, tunnels, arena);
	lac_rules_init(&into->rules, LAC_RULES_MAX, key, arena);
	into->pools = ippools_init(conf->addresses_max, key, arena);
	return lns;
}

size_t lns_size(const struct lns_conf *conf)
{
	struct arena arena = { 0 };

	(void)build(conf, (struct hash_key){ { 0 } }, (struct mono){ 0 }, &arena);
	return arena.used + 64;
}

struct lns *lns_init(const struct lns_conf *conf, const uint8_t seed[RND_SEED_LEN], struct mono now,
		     lns_usage_fn *usage, void *usage_ctx, struct arena *arena)
{
	struct rnd rnd;
	struct hash_key key;

	ASSERT(conf->sessions_max > 0 && conf->tunnels_max > 0 && conf->tunnels_max <= UINT16_MAX);
	rnd_seed(&rnd, seed);
	rnd_fill(&rnd, &key, sizeof(key));

	struct lns *lns = build(conf, key, now, arena);

	lns->rnd = rnd;
	lns->key = key;
	lns->usage = usage;
	lns->usage_ctx = usage_ctx;
	return lns;
}

uint32_t lns_configured(struct lns *lns, const struct lns_conf *conf, struct mono now)
{
	uint32_t sessions_max = lns->rows.max;

	lns->conf = *conf;
	lns->conf.sessions_max = sessions_max;
	lns->conf.tunnels_max = lns->tids.n;
	lns->chan_conf = (struct chan_conf){
		.window = conf->window, .retransmit_ms = conf->retransmit_ms,
		.retransmit_max_ms = conf->retransmit_max_ms, .tries = conf->retransmit_tries,
		.queue_max = min_u32(lns->chan_pool.n, UINT16_MAX),
	};
	lac_rules_configured(&lns->rules, lns->conf.lac, lns->conf.lacs);
	lns->said_since = now;
	uint32_t cut = ippools_configure(lns->pools, &lns->conf.pools);

	/* Our own address on the subscribers' links may lie in a pool: it is nobody else's. */
	if (conf->ppp.our_address.n)
		(void)row_eq(ippool_reserve(lns->pools, conf->ppp.our_address, LNS_OURS), LNS_OURS);
	return cut;
}

void lns_subscribers_loaded(struct lns *lns, const struct subscribers *list)
{
	lns->subscribers = list;
}

void lns_count_refused(struct turn *turn, enum why why, struct tid tid, struct row row)
{
	struct lns *lns = turn->lns;

	lns->refused[why]++;
	if (mono_since(turn->now, lns->said_since).us >= DUR_S(1).us) {
		lns->said_since = turn->now;
		lns->said = 0;
	}
	if (lns->said++ < SAID_PER_SECOND)
		say(turn->out, SAY_PACKET_REFUSED, tid, row, SAY_ARG(why), SAY_NONE);
}

struct chan_env lns_chan_env(struct turn *turn, const struct tunnel *t)
{
	struct lns *lns = turn->lns;

	return (struct chan_env){
		.out = turn->out, .store = &lns->store, .pool = &lns->chan_pool, .now = turn->now,
		.from = t->local, .to = t->peer, .peer_tid = t->peer_tid.n, .tid = t->tid, .conf = &lns->chan_conf,
		.touched = lns->role == LNS_MASTER ? message_touched : NULL, .touched_ctx = lns,
	};
}

void session_timer_arm(struct turn *turn, struct row row, enum session_timer timer, struct mono due)
{
	timer_arm(&turn->lns->timers, row.n * TIMERS_PER_OBJECT + timer, due);
}

void tunnel_timer_arm(struct turn *turn, const struct tunnel *t, enum tunnel_timer timer, struct mono due)
{
	timer_arm(&turn->lns->timers, turn->lns->tunnel_timers + t->tid.n * TIMERS_PER_OBJECT + timer, due);
}

/* A PPP frame in a data message: for one of our sessions, from its tunnel's peer, or nobody's. */
static enum why data_received(struct turn *turn, struct addr from, const struct l2tp_hdr *hdr)
{
	struct tunnel *t = tunnel_find(turn->lns, hdr->tunnel_id);

	if (!t)
		return WHY_DATA_NO_SESSION;
	if (!addr_eq(from, t->peer))
		return WHY_DATA_PEER;
	struct row row = call_find(turn->lns, t, hdr->session_id);

	if (row.n == 0)
		return WHY_DATA_NO_SESSION;
	if (turn->lns->session[row.n].state != CALL_ESTABLISHED)
		return WHY_UNEXPECTED;
	turn->lns->stat[STAT_ppp_received]++;
	return session_frame(turn, row, hdr->body);
}

enum why lns_input(struct lns *lns, struct addr from, struct ip local, struct bytes packet, struct mono now,
		   struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };
	struct l2tp_hdr hdr;

	ASSERT(fx_has_room(out));
	if (lns->role == LNS_SLAVE)
		return WHY_CL_ROLE;
	enum why why = l2tp_hdr_decode(packet, &hdr);

	if (why == WHY_OK && hdr.control) {
		lns->stat[STAT_control_received]++;
		why = tunnel_control(&turn, from, local, &hdr);
	} else if (why == WHY_OK) {
		why = data_received(&turn, from, &hdr);
	}
	if (why != WHY_OK)
		lns_count_refused(&turn, why, (struct tid){ 0 }, (struct row){ 0 });
	return why;
}

void lns_flush(struct lns *lns, struct mono now, struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };

	tunnel_flush_all(&turn);
}

static void timer_fired(struct turn *turn, uint32_t number)
{
	struct lns *lns = turn->lns;

	if (lns->role == LNS_SLAVE) {
		slave_timer_fired(turn, number);
		return;
	}
	if (number < lns->tunnel_timers) {
		session_timer_fired(turn, (struct row){ number / TIMERS_PER_OBJECT },
				    (enum session_timer)(number % TIMERS_PER_OBJECT));
		return;
	}
	number -= lns->tunnel_timers;
	tunnel_timer_fired(turn, &lns->tunnel[number / TIMERS_PER_OBJECT],
			   (enum tunnel_timer)(number % TIMERS_PER_OBJECT));
}

void lns_tick(struct lns *lns, struct mono now, struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };
	uint32_t number;

	while (fx_has_room(out)) {
		if (timers_pop(&lns->timers, now, &number))
			timer_fired(&turn, number);
		else if (lns->role == LNS_SLAVE || !tunnel_drop_some(&turn))
			break;
	}
}

struct mono lns_next(const struct lns *lns)
{
	if (lns->dropping.head && lns->role != LNS_SLAVE)
		return (struct mono){ 0 };
	return timers_next(&lns->timers);
}

void lns_shutdown_asked(struct lns *lns, struct mono now, struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };

	lns->shutting_down = true;
	if (lns->role == LNS_SLAVE)
		return;		/* the tunnels are another's to close */
	/* Closing a tunnel only puts it in the list of tunnels to be dropped, a session at a time. */
	for (uint32_t tid = 1; tid <= lns->tids.top; tid++)
		if (lns->tunnel[tid].in_use)
			tunnel_close_asked(&turn, &lns->tunnel[tid], 6, SESSION_END_SHUTDOWN);
}

bool lns_told(const struct lns *lns)
{
	return lns->shutting_down && (lns->role == LNS_SLAVE || !lns->dropping.head);
}

bool lns_idle(const struct lns *lns)
{
	return lns->role == LNS_SLAVE || (lns->tids.used == lns->lingering && !lns->ack_first);
}
