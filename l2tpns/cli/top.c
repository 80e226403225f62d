/* top.c -- ranking sessions by traffic, a slice of rows at a time. */
#include "l2tpns/cli/facts.h"

enum top_pass {
	TOP_IDLE,
	TOP_LISTED,		/* reading again the sessions already listed */
	TOP_AGAIN,		/* reading again the block of last time */
	TOP_NEXT		/* first reading of the next block */
};

static uint64_t weight(const struct top_entry *entry)
{
	return entry->rates.up_bps + entry->rates.down_bps;
}

/* Put an entry in its place; what falls off the end is forgotten. */
static void list_insert(struct top *top, const struct top_entry *entry)
{
	unsigned at = top->listed < TOP_LIST ? top->listed++ : TOP_LIST;

	if (at == TOP_LIST) {
		if (weight(entry) <= weight(&top->list[TOP_LIST - 1]))
			return;
		at = TOP_LIST - 1;
	}
	for (; at > 0 && weight(&top->list[at - 1]) < weight(entry); at--)
		top->list[at] = top->list[at - 1];
	top->list[at] = *entry;
}

static struct rates_totals totals_read(const struct facts *facts, struct row row)
{
	struct plane_usage u = facts_usage(facts, row);

	return (struct rates_totals){
		.up_packets = u.up_packets, .up_octets = u.up_octets,
		.down_packets = u.down_packets, .down_octets = u.down_octets,
	};
}

/* An entry from two readings; what carried nothing between them is not listed. */
static void entry_rank(struct facts *facts, struct row row, uint32_t serial, const struct rates_totals *earlier,
		       struct mono at)
{
	struct top_entry entry = {
		.row = row, .serial = serial, .totals = totals_read(facts, row), .at = facts->now,
	};

	entry.rates = rates_between(&entry.totals, earlier, mono_since(facts->now, at));
	if (weight(&entry))
		list_insert(&facts->top, &entry);
}

/* Read the listed ones again: those that are gone or fell silent leave, the others are ranked afresh. */
static void list_again(struct facts *facts)
{
	struct top *top = &facts->top;
	struct top_entry old[TOP_LIST];
	unsigned n = top->listed;

	memcpy(old, top->list, sizeof(old));
	top->listed = 0;
	for (unsigned i = 0; i < n; i++) {
		const struct session *session = lns_session(facts->lns, old[i].row);

		if (session && session->serial == old[i].serial)
			entry_rank(facts, old[i].row, old[i].serial, &old[i].totals, old[i].at);
	}
}

static bool listed(const struct top *top, struct row row)
{
	for (unsigned i = 0; i < top->listed; i++) {
		if (row_eq(top->list[i].row, row))
			return true;
	}
	return false;
}

/* The block's second reading tells how much each session carried since the first. */
static void row_again(struct facts *facts, struct row row)
{
	struct top *top = &facts->top;
	const struct top_reading *reading = &top->block[row.n - top->first];
	const struct session *session = lns_session(facts->lns, row);

	if (session && reading->read && reading->serial == session->serial && !listed(top, row))
		entry_rank(facts, row, session->serial, &reading->totals, top->block_at);
}

static void row_first(struct facts *facts, struct row row)
{
	struct top_reading *reading = &facts->top.block[row.n - facts->top.first];
	const struct session *session = lns_session(facts->lns, row);

	*reading = (struct top_reading){ .read = session && session->up };
	if (reading->read) {
		reading->serial = session->serial;
		reading->totals = totals_read(facts, row);
	}
}

/* The next block; when one block holds every row it is the same one again. */
static void block_next(struct facts *facts)
{
	struct top *top = &facts->top;
	uint32_t rows = lns_rows_end(facts->lns);

	top->first = top->end < rows ? top->end : 1;
	top->end = min_u32(top->first + TOP_BLOCK, max_u32(rows, 1));
	top->cursor = top->first;
	top->block_at = facts->now;
}

bool top_refresh(struct facts *facts)
{
	struct top *top = &facts->top;
	struct dur age = mono_since(facts->now, top->refreshed);
	bool old = !top->refreshed.us || age.us > DUR_MS(TOP_AGE_MOST_MS).us;

	if (top->pass != TOP_IDLE)
		return old;
	if (old) {
		top->listed = 0;
		top->first = top->end = 0;
	}
	if (old || age.us >= DUR_MS(TOP_AGE_LEAST_MS).us)
		top->pass = TOP_LISTED;
	return old;
}

bool top_step(struct facts *facts)
{
	struct top *top = &facts->top;
	uint32_t until = min_u32(top->cursor + TOP_SLICE, top->end);

	switch ((enum top_pass)top->pass) {
	case TOP_IDLE:
		return true;
	case TOP_LISTED:
		list_again(facts);
		top->cursor = top->first;
		top->pass = TOP_AGAIN;
		return false;
	case TOP_AGAIN:
		for (; top->cursor < until; top->cursor++)
			row_again(facts, (struct row){ top->cursor });
		if (top->cursor >= top->end) {
			block_next(facts);
			top->pass = TOP_NEXT;
		}
		return false;
	case TOP_NEXT:
		for (; top->cursor < until; top->cursor++)
			row_first(facts, (struct row){ top->cursor });
		if (top->cursor < top->end)
			return false;
		top->pass = TOP_IDLE;
		top->refreshed = facts->now;
		return true;
	}
	return true;
}
