/* l2tp_chan.c -- numbers, windows, time-outs; every packet leaves through pump() or chan_flush(). */
#include "l2tpns/base/serial.h"
#include "l2tpns/core/l2tp_chan_node.h"

#define ADOPT_WINDOWS	4u	/* how far a peer may be ahead of what a copied channel knows */
#define ADOPT_REPEATS	2u	/* of the first message on the shelf, until what lies before it is not waited for */
#define QUEUE_FAIR	64u	/* messages any channel may hold however full the shared places are */

void chan_pool_init(struct chan_pool *pool, uint32_t n, struct arena *arena)
{
	*pool = (struct chan_pool){ .n = n };
	pool->node = arena_take(arena, (size_t)n + 1, sizeof(*pool->node));	/* 0 is nobody's */
}

/* An unused place: the one given back last, or a new one.  0: none. */
static uint32_t place_find(struct chan_pool *pool)
{
	if (pool->free)
		return pool->free;
	while (pool->fresh < pool->n)	/* one that was asked for by number is passed over, once */
		if (pool->node[++pool->fresh].use == NODE_FRESH)
			return pool->fresh;
	return 0;
}

void chan_place_take(struct chan_pool *pool, uint32_t number)
{
	struct chan_node *node = &pool->node[number];

	if (node->use == NODE_FREE) {
		if (node->next)
			pool->node[node->next].prev = node->prev;
		if (node->prev)
			pool->node[node->prev].next = node->next;
		else
			pool->free = node->next;
	}
	pool->used++;
}

void chan_place_give(struct chan_pool *pool, uint32_t number)
{
	ASSERT(pool->used > 0 && pool->node[number].use > NODE_FREE);
	if (pool->free)
		pool->node[pool->free].prev = number;
	pool->node[number] = (struct chan_node){ .next = pool->free, .use = NODE_FREE };
	pool->free = number;
	pool->used--;
}

static void touched(const struct chan_env *env, uint32_t number)
{
	if (env->touched)
		env->touched(env->touched_ctx, number);
}

/* Keep a copy of some AVPs.  0: no place or no memory left. */
static uint32_t node_keep(struct chan_env *env, struct bytes body, uint16_t session_id, enum node_use use)
{
	uint32_t handle = store_keep(env->store, body);
	uint32_t number = handle ? place_find(env->pool) : 0;

	if (!number) {
		store_drop(env->store, handle);
		return 0;
	}
	chan_place_take(env->pool, number);
	env->pool->node[number] = (struct chan_node){
		.handle = handle, .session_id = session_id, .tid = env->tid, .use = (uint8_t)use,
	};
	return number;
}

static void queue_put(struct chan_pool *pool, struct chan_queue *queue, uint32_t number)
{
	pool->node[number].next = 0;
	pool->node[number].prev = queue->tail;
	if (queue->tail)
		pool->node[queue->tail].next = number;
	else
		queue->head = number;
	queue->tail = number;
}

void chan_queue_remove(struct chan_pool *pool, struct chan_queue *queue, uint32_t number)
{
	const struct chan_node *node = &pool->node[number];

	if (node->next)
		pool->node[node->next].prev = node->prev;
	else
		queue->tail = node->prev;
	if (node->prev)
		pool->node[node->prev].next = node->next;
	else
		queue->head = node->next;
}

/* Free a message of ours that stands in a queue. */
static void node_drop(struct chan_env *env, struct chan_queue *queue, uint32_t number)
{
	chan_queue_remove(env->pool, queue, number);
	store_drop(env->store, env->pool->node[number].handle);
	chan_place_give(env->pool, number);
	touched(env, number);
}

static void queue_drop(struct chan_env *env, struct chan_queue *queue)
{
	while (queue->head)
		node_drop(env, queue, queue->head);
}

void chan_shelf_drop(struct chan *chan, struct chan_pool *pool, struct store *store, uint32_t number)
{
	const struct chan_node *node = &pool->node[number];

	if (node->next)
		pool->node[node->next].prev = node->prev;
	if (node->prev)
		pool->node[node->prev].next = node->next;
	else
		chan->shelf = node->next;
	store_drop(store, node->handle);
	chan_place_give(pool, number);
	chan->shelved--;
}

void chan_init(struct chan *chan, uint16_t peer_window)
{
	*chan = (struct chan){ .due = MONO_NEVER };
	chan_window_learnt(chan, peer_window);
}

/* Appendix A: the congestion window starts at one message, its threshold at the peer's window. */
void chan_window_learnt(struct chan *chan, uint16_t peer_window)
{
	chan->peer_window = (uint16_t)max_u32(min_u32(peer_window, CHAN_WINDOW_MAX), 1);
	chan->ssthresh = chan->peer_window;
	chan->cwnd = (uint16_t)max_u32(min_u32(chan->cwnd, chan->peer_window), 1);
}

/* 5.8: each wait is twice the one before, up to a limit. */
static struct dur retry_after(const struct chan *chan, const struct chan_conf *conf)
{
	uint64_t wait_ms = (uint64_t)conf->retransmit_ms << min_u32(chan->tries, 16);

	return DUR_MS(wait_ms < conf->retransmit_max_ms ? wait_ms : conf->retransmit_max_ms);
}

static void packet_send(struct chan *chan, struct chan_env *env, const struct chan_node *node)
{
	struct wr w = fx_send_begin(env->out);

	l2tp_control_begin(&w, env->peer_tid, node->session_id, (uint16_t)node->order, chan->nr);
	wr_bytes(&w, store_get(env->store, node->handle));
	l2tp_control_end(&w);
	bool fits = fx_send_end(env->out, &w, env->from, env->to);

	ASSERT(fits);	/* as no body is kept that is longer than CHAN_BODY_MAX */
	chan->ack_owed = false;
}

/* Give the next waiting message the next number.  0: none waits. */
static uint32_t number_next(struct chan *chan, const struct chan_env *env)
{
	struct chan_pool *pool = env->pool;
	struct chan_queue *queue = chan->urgent.head ? &chan->urgent : &chan->bulk;
	uint32_t number = queue->head;

	if (!number)
		return 0;
	chan_queue_remove(pool, queue, number);
	pool->node[number].use = NODE_SENT;
	pool->node[number].order = chan->ns++;
	queue_put(pool, &chan->sent, number);
	chan->waiting--;
	touched(env, number);
	return number;
}

/* A list that is nearly full is left to the other machines of this event. */
static bool list_has_room(const struct fx_list *out)
{
	return out->count + 16 <= FX_MAX && out->used + 2 * FX_PACKET_MAX <= FX_OCTETS;
}

/*
 * Send what the window allows: first again what a time-out pulled `next` back
 * over, then what waits.  Whatever stops a burst, something is left to wake the
 * channel: an acknowledgement, or the timer.
 */
static void pump(struct chan *chan, struct chan_env *env)
{
	struct chan_pool *pool = env->pool;

	for (unsigned burst = 0; (uint16_t)(chan->next - chan->acked) < chan->cwnd; burst++) {
		if (chan->next == chan->ns && chan->waiting == 0)
			break;
		if (burst == CHAN_BURST_MAX || !list_has_room(env->out)) {
			if (chan->next == chan->acked)
				chan->due = env->now;
			break;
		}
		uint32_t number = chan->cursor;

		if (number)
			chan->resent++;
		else
			number = number_next(chan, env);
		packet_send(chan, env, &pool->node[number]);
		chan->cursor = pool->node[number].next;
		if (chan->next++ == chan->acked)
			chan->due = mono_add(env->now, retry_after(chan, env->conf));
	}
}

/*
 * The first event after another node's channel became ours.  Everything is told there in this order:
 * messages kept, then numbers, then messages gone.  So one that is missing among those sent was acknowledged,
 * and those beyond `ns` never left: they keep their numbers as long as these are the next ones.
 */
static void settle(struct chan *chan, struct chan_env *env)
{
	struct chan_node *node = env->pool->node;
	uint32_t next;
	bool any = false;

	if (!chan->copied)
		return;
	chan->nr = (uint16_t)(chan->nr + chan->hellos);
	chan->hellos = 0;
	for (uint32_t number = chan->sent.head; number; number = next) {
		uint16_t ns = (uint16_t)node[number].order;

		next = node[number].next;
		if (!any && !serial16_before(ns, chan->acked) && !serial16_before(chan->ns, ns)) {
			chan->acked = chan->next = ns;
			any = true;
		}
		if (any && ns == chan->next)
			chan->next++;
		else
			node_drop(env, &chan->sent, number);
	}
	while (chan->shelf)
		chan_shelf_drop(chan, env->pool, env->store, chan->shelf);
	if (any)
		chan->ns = chan->next;
	chan->acked = any ? chan->acked : chan->ns;
	chan->next = chan->acked;
	chan->cursor = chan->sent.head;
	chan->cwnd = 1;
	chan->ssthresh = chan->peer_window;
	chan->credit = 0;
	chan->tries = 0;
	chan->due = chan_queued(chan) > 0 ? env->now : MONO_NEVER;
	chan->copied = false;
	chan->adopted = 1;
}

static bool enqueue(struct chan *chan, struct chan_env *env, uint16_t peer_session_id,
		    const struct l2tp_msg *msg, enum node_use use)
{
	uint8_t octets[CHAN_BODY_MAX];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_msg_encode(msg, &w);
	uint32_t number = node_keep(env, wr_bytes_of(&w), peer_session_id, use);

	if (!number)
		return false;
	env->pool->node[number].order = chan->order++;
	queue_put(env->pool, use == NODE_URGENT ? &chan->urgent : &chan->bulk, number);
	chan->waiting++;
	touched(env, number);
	pump(chan, env);
	return true;
}

bool chan_send(struct chan *chan, struct chan_env *env, uint16_t peer_session_id, const struct l2tp_msg *msg)
{
	settle(chan, env);
	uint32_t queued = chan_queued(chan);

	/* A peer that acknowledges nothing may fill half of the places all tunnels share, not the other half. */
	if (queued >= env->conf->queue_max || (queued >= QUEUE_FAIR && env->pool->used >= env->pool->n / 2))
		return false;
	return enqueue(chan, env, peer_session_id, msg, NODE_BULK);
}

bool chan_send_urgent(struct chan *chan, struct chan_env *env, uint16_t peer_session_id,
		      const struct l2tp_msg *msg)
{
	settle(chan, env);
	return enqueue(chan, env, peer_session_id, msg, NODE_URGENT);
}

/* Appendix A: one more for each message acknowledged, one per window beyond the threshold. */
static void window_open(struct chan *chan)
{
	if (chan->cwnd >= chan->peer_window)
		return;
	if (chan->cwnd < chan->ssthresh) {
		chan->cwnd++;
	} else if (++chan->credit >= chan->cwnd) {
		chan->credit = 0;
		chan->cwnd++;
	}
}

/* Nr from the peer: everything before it has arrived there.  False: we never sent that much. */
static bool acknowledged(struct chan *chan, struct chan_env *env, uint16_t nr)
{
	uint16_t count = (uint16_t)(nr - chan->acked);

	if (serial16_before(nr, chan->acked))
		return true;	/* an old packet, overtaken on its way */
	if (count > (uint16_t)(chan->ns - chan->acked)) {
		if (!chan->adopted || (uint16_t)(nr - chan->ns) > ADOPT_WINDOWS * chan->peer_window)
			return false;
		queue_drop(env, &chan->sent);	/* the node before us sent these and more */
		chan->acked = chan->next = chan->ns = nr;
		chan->cursor = 0;
	}
	if (count == 0)
		return true;
	for (; chan->acked != nr; chan->acked++) {
		if (chan->next == chan->acked) {	/* pulled back for a resend not needed now */
			chan->next++;
			chan->cursor = env->pool->node[chan->cursor].next;
		}
		node_drop(env, &chan->sent, chan->sent.head);
		window_open(chan);
	}
	chan->tries = 0;
	chan->due = chan->next == chan->acked ? MONO_NEVER : mono_add(env->now, retry_after(chan, env->conf));
	return true;
}

/* Put a message on the shelf in its order.  WHY_OK: it is there now. */
static enum why shelve(struct chan *chan, struct chan_env *env, const struct l2tp_hdr *hdr)
{
	struct chan_node *node = env->pool->node;
	uint32_t before = 0, after = chan->shelf;

	for (; after && serial16_before((uint16_t)node[after].order, hdr->ns); after = node[after].next)
		before = after;
	if (after && node[after].order == hdr->ns)
		return WHY_NS_OLD;
	uint32_t number = node_keep(env, hdr->body, hdr->session_id, NODE_SHELF);

	if (!number)
		return WHY_CHAN_FULL;
	node[number].order = hdr->ns;
	node[number].next = after;
	node[number].prev = before;
	if (after)
		node[after].prev = number;
	if (before)
		node[before].next = number;
	else
		chan->shelf = number;
	chan->shelved++;
	return WHY_OK;
}

/*
 * Did the node before us acknowledge more than we were told?  A peer that is further ahead than our window
 * must have heard so.  Within the window a message may just have been lost; but the peer repeats the oldest first,
 * so when the first on the shelf comes again and again, and nothing before it, what lies before was acknowledged.
 * One repetition may be the only one of several that was not lost.
 */
static bool ahead_rightly(struct chan *chan, const struct chan_env *env, uint16_t ns)
{
	uint32_t window = min_u32(env->conf->window, CHAN_SHELF_MAX);
	uint16_t ahead = (uint16_t)(ns - chan->nr);

	if (!chan->adopted || ahead > ADOPT_WINDOWS * window)
		return false;
	if (ahead >= window)
		return true;
	if (!chan->shelf || env->pool->node[chan->shelf].order != ns)
		return false;
	return chan->adopted++ > ADOPT_REPEATS;
}

/*
 * Ns from the peer.  5.8: a number up to half the space behind the expected one
 * is a duplicate, and is acknowledged again as our acknowledgement may have been lost.
 */
static enum chan_in numbered(struct chan *chan, struct chan_env *env, const struct l2tp_hdr *hdr,
			     enum why *why)
{
	if (hdr->ns != chan->nr && !serial16_before(hdr->ns, chan->nr) && ahead_rightly(chan, env, hdr->ns))
		chan->nr = hdr->ns;
	if (hdr->ns == chan->nr) {
		chan->nr++;
		chan->ack_owed = true;
		chan->adopted = 0;
		return CHAN_DELIVER;
	}
	if (serial16_before(hdr->ns, chan->nr)) {
		chan->ack_owed = true;
		*why = WHY_NS_OLD;
	} else if ((uint16_t)(hdr->ns - chan->nr) < min_u32(env->conf->window, CHAN_SHELF_MAX)) {
		*why = shelve(chan, env, hdr);
	} else {
		*why = WHY_NS_AHEAD;
	}
	return *why == WHY_OK ? CHAN_SHELVED : *why == WHY_NS_OLD ? CHAN_DUPLICATE : CHAN_REFUSED;
}

enum chan_in chan_received(struct chan *chan, struct chan_env *env, const struct l2tp_hdr *hdr, enum why *why)
{
	enum chan_in in = CHAN_ZLB;

	*why = WHY_OK;
	settle(chan, env);
	if (!acknowledged(chan, env, hdr->nr)) {
		*why = WHY_NR_INVALID;
		return CHAN_REFUSED;
	}
	chan->heard = env->now;
	if (hdr->body.len > 0)	/* 5.8: a ZLB has a number but does not use it up */
		in = numbered(chan, env, hdr, why);
	pump(chan, env);
	return in;
}

bool chan_shelf_take(struct chan *chan, struct chan_env *env, struct l2tp_hdr *hdr,
		     uint8_t buffer[STORE_LEN_MAX])
{
	const struct chan_node *node = &env->pool->node[chan->shelf];

	/* A caller that left the shelf alone may have taken the same message from the wire since. */
	for (; chan->shelf && serial16_before((uint16_t)node->order, chan->nr); node = &env->pool->node[chan->shelf])
		chan_shelf_drop(chan, env->pool, env->store, chan->shelf);
	if (!chan->shelf || node->order != chan->nr)
		return false;
	struct bytes body = store_get(env->store, node->handle);

	memcpy(buffer, body.p, body.len);
	*hdr = (struct l2tp_hdr){ .control = true, .sequenced = true, .session_id = node->session_id,
				  .ns = chan->nr, .nr = chan->acked, .body = bytes_of(buffer, body.len) };
	chan_shelf_drop(chan, env->pool, env->store, chan->shelf);
	chan->nr++;
	chan->ack_owed = true;
	return true;
}

void chan_flush(struct chan *chan, struct chan_env *env)
{
	if (!chan->ack_owed || !list_has_room(env->out))
		return;
	struct wr w = fx_send_begin(env->out);

	l2tp_control_begin(&w, env->peer_tid, 0, chan->ns, chan->nr);
	chan->ack_owed = !fx_send_end(env->out, &w, env->from, env->to);
}

/*
 * Appendix A: after a time-out the window shrinks to one message and grows again
 * as the peer answers.  `next` goes back to the oldest message, so that pump()
 * resends what is still missing as far as the window has reopened.
 */
bool chan_timed_out(struct chan *chan, struct chan_env *env)
{
	settle(chan, env);
	if (!mono_reached(env->now, chan->due))
		return true;
	chan->due = MONO_NEVER;
	if (chan->next != chan->acked) {	/* otherwise a burst was cut short and nothing is under way */
		if (chan->tries >= env->conf->tries)
			return false;
		chan->tries++;
		chan->ssthresh = (uint16_t)max_u32(chan->cwnd / 2, 1);
		chan->cwnd = 1;
		chan->credit = 0;
		chan->next = chan->acked;
		chan->cursor = chan->sent.head;
	}
	pump(chan, env);
	return true;
}

void chan_close(struct chan *chan, struct chan_env *env)
{
	queue_drop(env, &chan->sent);
	queue_drop(env, &chan->urgent);
	queue_drop(env, &chan->bulk);
	while (chan->shelf)
		chan_shelf_drop(chan, env->pool, env->store, chan->shelf);
	chan->copied = false;
	chan->waiting = 0;
	chan->cursor = 0;
	chan->acked = chan->next = chan->ns;
	chan->due = MONO_NEVER;
}
