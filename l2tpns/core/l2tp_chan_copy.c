/* l2tp_chan_copy.c -- a channel that lives on several nodes: messages by their places, numbers, signs of life. */
#include "l2tpns/base/serial.h"
#include "l2tpns/core/l2tp_chan_node.h"

bool chan_place_owner(const struct chan_pool *pool, uint32_t number, struct tid *tid)
{
	ASSERT(number <= pool->n);
	*tid = pool->node[number].tid;
	return pool->node[number].use > NODE_FREE;
}

bool chan_message_get(const struct chan_pool *pool, const struct store *store, uint32_t number,
		      struct chan_message *message)
{
	const struct chan_node *node = &pool->node[number];

	ASSERT(number <= pool->n);
	if (node->use < NODE_SENT || node->use > NODE_BULK)
		return false;
	*message = (struct chan_message){
		.tid = node->tid, .kind = (uint8_t)(node->use - NODE_SENT), .session_id = node->session_id,
		.order = node->order, .body = store_get(store, node->handle),
	};
	return true;
}

static struct chan_queue *queue_of(struct chan *chan, unsigned kind)
{
	return kind == CHAN_SENT ? &chan->sent : kind == CHAN_URGENT ? &chan->urgent : &chan->bulk;
}

static bool message_possible(const struct chan_message *message)
{
	return message->tid.n != 0 && message->kind < CHAN_KINDS && message->body.len > 0 &&
	       message->body.len <= CHAN_BODY_MAX && (message->kind != CHAN_SENT || message->order <= UINT16_MAX);
}

static bool comes_before(const struct chan_node *a, const struct chan_node *b)
{
	return a->use == NODE_SENT ? serial16_before((uint16_t)a->order, (uint16_t)b->order) :
				     serial32_before(a->order, b->order);
}

bool chan_message_put(struct chan *chan, struct chan_pool *pool, struct store *store, uint32_t number,
		      const struct chan_message *message)
{
	if (number == 0 || number > pool->n || !message_possible(message) || pool->node[number].use > NODE_FREE)
		return false;
	uint32_t handle = store_keep(store, message->body);
	struct chan_queue *queue = queue_of(chan, message->kind);
	struct chan_node *node = pool->node;
	uint32_t before = queue->tail;

	if (!handle)
		return false;
	chan_place_take(pool, number);
	node[number] = (struct chan_node){
		.handle = handle, .order = message->order, .tid = message->tid, .session_id = message->session_id,
		.use = (uint8_t)(NODE_SENT + message->kind),
	};
	while (before && comes_before(&node[number], &node[before]))
		before = node[before].prev;
	node[number].prev = before;
	node[number].next = before ? node[before].next : queue->head;
	*(before ? &node[before].next : &queue->head) = number;
	*(node[number].next ? &node[node[number].next].prev : &queue->tail) = number;
	if (message->kind != CHAN_SENT) {
		chan->waiting++;
		if (!serial32_before(message->order, chan->order))
			chan->order = message->order + 1;
	}
	chan->copied = true;
	return true;
}

void chan_message_drop(struct chan *chan, struct chan_pool *pool, struct store *store, uint32_t number)
{
	ASSERT(number > 0 && number <= pool->n && pool->node[number].use > NODE_FREE);
	enum node_use use = pool->node[number].use;

	if (use == NODE_SHELF) {
		chan_shelf_drop(chan, pool, store, number);
		return;
	}
	chan_queue_remove(pool, queue_of(chan, use - NODE_SENT), number);
	store_drop(store, pool->node[number].handle);
	chan_place_give(pool, number);
	if (use != NODE_SENT)
		chan->waiting--;
	chan->copied = true;
}

struct chan_numbers chan_numbers(const struct chan *chan)
{
	return (struct chan_numbers){
		.acked = chan->acked, .ns = chan->ns, .nr = chan->nr, .peer_window = chan->peer_window,
	};
}

void chan_restore(struct chan *chan, const struct chan_numbers *numbers)
{
	chan_window_learnt(chan, numbers->peer_window);
	chan->acked = chan->next = numbers->acked;
	chan->ns = numbers->ns;
	chan->nr = numbers->nr;
	chan->hellos = 0;
	chan->cursor = 0;
	chan->due = MONO_NEVER;
	chan->ack_owed = false;
	chan->copied = true;
}

bool chan_keepalive(struct chan *chan, const struct l2tp_hdr *hdr, bool hello, uint16_t *nr)
{
	uint16_t expected = (uint16_t)(chan->nr + chan->hellos);

	if (hdr->body.len == 0)
		return false;
	if (hello && hdr->ns == expected && chan->hellos < UINT8_MAX) {
		chan->hellos++;
		chan->copied = true;	/* so that nr takes them in, should the channel become ours */
		expected++;
	} else if (!serial16_before(hdr->ns, expected)) {
		return false;
	}
	*nr = expected;
	return true;
}
