/*
 * l2tp_chan_node.h -- places for held messages; between the files core/l2tp_chan*.c only.
 *
 * A place is in use, in the free list, or was never used and then all zero: so a
 * place somebody asks for by its number is taken at the same cost as any other.
 */
#ifndef CORE_L2TP_CHAN_NODE_H
#define CORE_L2TP_CHAN_NODE_H

#include "l2tpns/core/l2tp_chan.h"

enum node_use { NODE_FRESH, NODE_FREE, NODE_SENT, NODE_URGENT, NODE_BULK, NODE_SHELF };

struct chan_node {
	uint32_t	next, prev;	/* in its queue, on the shelf or in the free list; 0 = end */
	uint32_t	handle;		/* the AVPs, in the store */
	uint32_t	order;		/* Ns as sent or received; while it waits, the place among the waiting */
	struct tid	tid;		/* whose it is */
	uint16_t	session_id;	/* the receiver's */
	uint8_t		use;		/* enum node_use */
};

void chan_place_take(struct chan_pool *pool, uint32_t number);	/* one that is not in use; the caller fills it */
void chan_place_give(struct chan_pool *pool, uint32_t number);
void chan_queue_remove(struct chan_pool *pool, struct chan_queue *queue, uint32_t number);
void chan_shelf_drop(struct chan *chan, struct chan_pool *pool, struct store *store, uint32_t number);

#endif
