/* l2tp_chan.c -- numbers, windows, time-outs; every packet leaves through pump() or chan_flush(). */
#include "l2tpns/base/serial.h"
#include "l2tpns/core/l2tp_chan.h"

#define QUEUE_FAIR	64u	/* messages any channel may hold however full the shared places are */

struct chan_node {
	uint32_t	next;		/* in its queue, on the shelf or in the free list; 0 = end */
	uint32_t	handle;		/* the AVPs, in the store */
	uint16_t	session_id;	/* the receiver's */
	uint16_t	ns;		/* its number once sent, or as received */
};

void chan_pool_init(struct chan_pool *pool, uint32_t n, struct arena *arena)
{
	*pool = (struct chan_pool){ .n = n };
	pool->node = arena_take(arena, (size_t)n + 1, sizeof(*pool->node));	/* 0 is nobody's */
}

/* Keep a copy of some AVPs.  0: no place or no memory left. */
static uint32_t node_keep(struct chan_env *env, struct bytes body, uint16_t session_id)
{
	struct chan_pool *pool = env->pool;
	uint32_t handle;

	if (!pool->free && pool->fresh == pool->n)
		return 0;
	handle = store_keep(env->store, body);
	if (!handle)
		return 0;
	uint32_t number = pool->free;

	if (number)
		pool->free = pool->node[number].next;
	else
		number = ++pool->fresh;
	pool->node[number] = (struct chan_node){ .handle = handle, .session_id = session_id };
	pool->used++;
	return number;
}

/* Free a node and return the one behind it. */
static uint32_t node_drop(struct chan_env *env, uint32_t number)
{
	struct chan_pool *pool = env->pool;
	uint32_t next = pool->node[number].next;

	ASSERT(number > 0 && number <= pool->fresh && pool->used > 0);
	store_drop(env->store, pool->node[number].handle);
	pool->node[number] = (struct chan_node){ .next = pool->free };
	pool->free = number;
	pool->used--;
	return next;
}

static void queue_put(struct chan_pool *pool, struct chan_queue *queue, uint32_t number)
{
	pool->node[number].next = 0;
	if (queue->tail)
		pool->node[queue->tail].next = number;
	else
		queue->head = number;
	queue->tail = number;
}

static uint32_t queue_take(struct chan_pool *pool, struct chan_queue *queue)
{
	uint32_t number = queue->head;

	if (number) {
		queue->head = pool->node[number].next;
		if (!queue->head)
			queue->tail = 0;
	}
	return number;
}

static void queue_drop(struct chan_env *env, struct chan_queue *queue)
{
	while (queue->head)
		queue->head = node_drop(env, queue->head);
	queue->tail = 0;
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

	l2tp_control_begin(&w, env->peer_tid, node->session_id, node->ns, chan->nr);
	wr_bytes(&w, store_get(env->store, node->handle));
	l2tp_control_end(&w);
	bool fits = fx_send_end(env->out, &w, env->from, env->to);

	ASSERT(fits);	/* as no body is kept that is longer than CHAN_BODY_MAX */
	chan->ack_owed = false;
}

/* Give the next waiting message the next number.  0: none waits. */
static uint32_t number_next(struct chan *chan, struct chan_pool *pool)
{
	uint32_t number = queue_take(pool, chan->urgent.head ? &chan->urgent : &chan->bulk);

	if (!number)
		return 0;
	pool->node[number].ns = chan->ns++;
	queue_put(pool, &chan->sent, number);
	chan->waiting--;
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
			number = number_next(chan, pool);
		packet_send(chan, env, &pool->node[number]);
		chan->cursor = pool->node[number].next;
		if (chan->next++ == chan->acked)
			chan->due = mono_add(env->now, retry_after(chan, env->conf));
	}
}

static bool enqueue(struct chan *chan, struct chan_env *env, uint16_t peer_session_id,
		    const struct l2tp_msg *msg, struct chan_queue *queue)
{
	uint8_t octets[CHAN_BODY_MAX];
	struct wr w = wr_of(octets, sizeof(octets));

	l2tp_msg_encode(msg, &w);
	uint32_t number = node_keep(env, wr_bytes_of(&w), peer_session_id);

	if (!number)
		return false;
	queue_put(env->pool, queue, number);
	chan->waiting++;
	pump(chan, env);
	return true;
}

bool chan_send(struct chan *chan, struct chan_env *env, uint16_t peer_session_id, const struct l2tp_msg *msg)
{
	uint32_t queued = chan_queued(chan);

	/* A peer that acknowledges nothing may fill half of the places all tunnels share, not the other half. */
	if (queued >= env->conf->queue_max || (queued >= QUEUE_FAIR && env->pool->used >= env->pool->n / 2))
		return false;
	return enqueue(chan, env, peer_session_id, msg, &chan->bulk);
}

bool chan_send_urgent(struct chan *chan, struct chan_env *env, uint16_t peer_session_id,
		      const struct l2tp_msg *msg)
{
	return enqueue(chan, env, peer_session_id, msg, &chan->urgent);
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
	if (count > (uint16_t)(chan->ns - chan->acked))
		return false;
	if (count == 0)
		return true;
	for (; chan->acked != nr; chan->acked++) {
		if (chan->next == chan->acked) {	/* pulled back for a resend not needed now */
			chan->next++;
			chan->cursor = env->pool->node[chan->cursor].next;
		}
		chan->sent.head = node_drop(env, chan->sent.head);
		window_open(chan);
	}
	if (!chan->sent.head)
		chan->sent.tail = 0;
	chan->tries = 0;
	chan->due = chan->next == chan->acked ? MONO_NEVER : mono_add(env->now, retry_after(chan, env->conf));
	return true;
}

/* Put a message on the shelf in its order.  WHY_OK: it is there now. */
static enum why shelve(struct chan *chan, struct chan_env *env, const struct l2tp_hdr *hdr)
{
	struct chan_node *node = env->pool->node;
	uint32_t *at = &chan->shelf;

	while (*at && serial16_before(node[*at].ns, hdr->ns))
		at = &node[*at].next;
	if (*at && node[*at].ns == hdr->ns)
		return WHY_NS_OLD;
	uint32_t number = node_keep(env, hdr->body, hdr->session_id);

	if (!number)
		return WHY_CHAN_FULL;
	node[number].ns = hdr->ns;
	node[number].next = *at;
	*at = number;
	chan->shelved++;
	return WHY_OK;
}

/*
 * Ns from the peer.  5.8: a number up to half the space behind the expected one
 * is a duplicate, and is acknowledged again as our acknowledgement may have been lost.
 */
static enum chan_in numbered(struct chan *chan, struct chan_env *env, const struct l2tp_hdr *hdr,
			     enum why *why)
{
	if (hdr->ns == chan->nr) {
		chan->nr++;
		chan->ack_owed = true;
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
	for (; chan->shelf && serial16_before(node->ns, chan->nr); node = &env->pool->node[chan->shelf]) {
		chan->shelf = node_drop(env, chan->shelf);
		chan->shelved--;
	}
	if (!chan->shelf || node->ns != chan->nr)
		return false;
	struct bytes body = store_get(env->store, node->handle);

	memcpy(buffer, body.p, body.len);
	*hdr = (struct l2tp_hdr){ .control = true, .sequenced = true, .session_id = node->session_id,
				  .ns = node->ns, .nr = chan->acked, .body = bytes_of(buffer, body.len) };
	chan->shelf = node_drop(env, chan->shelf);
	chan->shelved--;
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
		chan->shelf = node_drop(env, chan->shelf);
	chan->shelved = 0;
	chan->waiting = 0;
	chan->cursor = 0;
	chan->acked = chan->next = chan->ns;
	chan->due = MONO_NEVER;
}
