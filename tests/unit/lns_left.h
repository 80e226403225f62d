/*
 * lns_left.h -- what a control plane still holds once every tunnel has gone: it must be nothing.
 *
 * For tests only: it looks inside struct lns.  A leak of a row, an id, an address,
 * a kept name, a queued message or a timer shows here, whatever way it was lost.
 */
#ifndef TESTS_LNS_LEFT_H
#define TESTS_LNS_LEFT_H

#include <stdio.h>

#include "l2tpns/core/lns_state.h"

static bool index_is_empty(const struct index *index)
{
	for (uint32_t i = 0; i <= index->mask; i++)
		if (index->bucket[i])
			return false;
	return true;
}

/* NULL when nothing is left; otherwise what is, in `text`. */
static const char *lns_left(const struct lns *lns, char text[300])
{
	uint32_t held = 0, used = 0;

	for (uint32_t i = 0; i < ippools_count(lns->pools); i++)
		held += ippools_entry(lns->pools, i).holder.n != 0;
	for (uint32_t i = 0; i < lns->rows.blocks; i++)
		used += lns->rows.block[i].used;
	if (lns->rows.used == 0 && used == 0 && lns->tids.used == 0 && lns->store.kept == 0 &&
		lns->chan_pool.used == 0 && lns->timers.armed == 0 && held == 0 && lns->openings == 0 &&
		lns->opening.head == 0 && lns->dropping.head == 0 && lns->ack_first == 0 &&
		index_is_empty(&lns->by_user) && index_is_empty(&lns->by_address) &&
		index_is_empty(&lns->by_peer))
		return NULL;
	snprintf(text, 300,
		"%u sessions, %u rows, %u tunnels, %u kept pieces, %u queued messages, %u timers, "
		"%u addresses, %u half-open, %u acknowledgements owed, or an index entry",
		lns->rows.used, used, lns->tids.used, lns->store.kept, lns->chan_pool.used, lns->timers.armed,
		held, lns->openings, lns->ack_first);
	return text;
}

#endif
