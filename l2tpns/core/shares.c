/* shares.c -- counters of other nodes: reports written and read, sums. */
#include "l2tpns/core/shares.h"

#define NUMBER_OCTETS	10u			/* the longest number */
#define ENTRY_MAX	(8 * NUMBER_OCTETS)
#define OURS		SHARES_SLOTS
#define OVER		(SHARES_SLOTS + 1)	/* of runs that are over */
#define SLOTS		(SHARES_SLOTS + 2)

void shares_init(struct shares *shares, uint32_t rows, uint32_t run, struct arena *arena)
{
	*shares = (struct shares){ .rows = rows, .run = run,
		.share = arena_take(arena, (size_t)rows * SLOTS, sizeof(struct share)) };
}

static struct share *share_at(const struct shares *shares, unsigned slot, uint32_t row)
{
	return &shares->share[(size_t)slot * shares->rows + row];
}

static void number_put(struct wr *w, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		wr_u8(w, (uint8_t)(number | 0x80));
	wr_u8(w, (uint8_t)number);
}

static uint64_t number_take(struct rd *r)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t octet = rd_u8(r);

		number |= (uint64_t)(octet & 0x7f) << shift;
		if (!(octet & 0x80))
			return number;
	}
	r->bad = true;
	return 0;
}

static uint32_t seconds_ago(struct mono now, uint64_t ago)
{
	uint64_t s = now.us / 1000000;

	return ago < s ? (uint32_t)(s - ago) : 1;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void share_add(struct share *sum, const struct share *share)
{
	if (sum->serial != share->serial)
		*sum = (struct share){ .serial = share->serial };
	sum->up_packets += share->up_packets;
	sum->up_octets += share->up_octets;
	sum->down_packets += share->down_packets;
	sum->down_octets += share->down_octets;
	sum->up_s = max_u32(sum->up_s, share->up_s);
	sum->down_s = max_u32(sum->down_s, share->down_s);
}

/* Totals only grow: a report that was overtaken by a later one changes nothing. */
static void share_merge(struct share *share, struct share *over, const struct share *said)
{
	if (share->serial == said->serial && share->run != said->run)
		share_add(over, share);
	if (share->serial != said->serial || share->run != said->run) {
		*share = *said;
		return;
	}
	share->up_packets = larger(share->up_packets, said->up_packets);
	share->up_octets = larger(share->up_octets, said->up_octets);
	share->down_packets = larger(share->down_packets, said->down_packets);
	share->down_octets = larger(share->down_octets, said->down_octets);
	share->up_s = max_u32(share->up_s, said->up_s);
	share->down_s = max_u32(share->down_s, said->down_s);
}

enum why shares_received(struct shares *shares, unsigned slot, struct bytes report, struct mono now)
{
	struct rd r = rd_bytes(report);
	uint64_t run = number_take(&r);

	ASSERT(slot < SHARES_SLOTS);
	while (rd_left(&r)) {
		uint64_t row = number_take(&r), serial = number_take(&r);
		struct share said = { .up_packets = number_take(&r), .up_octets = number_take(&r),
				      .down_packets = number_take(&r), .down_octets = number_take(&r) };
		uint64_t up_ago = number_take(&r), down_ago = number_take(&r);

		if (!rd_ok(&r) || row == 0 || row >= shares->rows || serial == 0 || serial > UINT32_MAX)
			return WHY_CL_VALUE;
		said.serial = (uint32_t)serial;
		said.run = (uint32_t)run;
		said.up_s = said.up_packets ? seconds_ago(now, up_ago) : 0;
		said.down_s = said.down_packets ? seconds_ago(now, down_ago) : 0;
		share_merge(share_at(shares, slot, (uint32_t)row), share_at(shares, OVER, (uint32_t)row), &said);
		shares->known |= 1u << slot;
	}
	return WHY_OK;
}

void shares_sum(const struct shares *shares, struct row row, uint32_t serial, struct share *sum)
{
	const struct share *over = share_at(shares, OVER, row.n);

	*sum = (struct share){ .serial = serial };
	for (uint32_t known = shares->known; known; known &= known - 1) {
		const struct share *share = share_at(shares, (unsigned)__builtin_ctz(known), row.n);

		if (share->serial == serial)
			share_add(sum, share);
	}
	if (over->serial == serial)
		share_add(sum, over);
}

static void entry_put(struct wr *w, uint32_t row, const struct share *share, struct mono now)
{
	uint64_t s = now.us / 1000000;

	number_put(w, row);
	number_put(w, share->serial);
	number_put(w, share->up_packets);
	number_put(w, share->up_octets);
	number_put(w, share->down_packets);
	number_put(w, share->down_octets);
	number_put(w, share->up_s < s ? s - share->up_s : 0);
	number_put(w, share->down_s < s ? s - share->down_s : 0);
}

void shares_report(struct shares *shares, const struct lns *lns, shares_count_fn *count, void *ctx, struct mono now,
		   uint32_t *at, uint32_t look, bool all, struct wr *w)
{
	uint32_t end = min_u32(lns_rows_end(lns), shares->rows);

	number_put(w, shares->run);
	for (; look > 0 && *at < end && wr_room(w) >= ENTRY_MAX; look--, ++*at) {
		const struct session *session = lns_session(lns, (struct row){ *at });

		if (!session || !session->up)
			continue;
		struct share *ours = share_at(shares, OURS, *at), counted = { 0 };

		count(ctx, (struct row){ *at }, &counted);
		counted.serial = session->serial;
		bool grown = ours->serial != counted.serial || ours->up_packets != counted.up_packets ||
			     ours->down_packets != counted.down_packets;

		if (!(grown || all) || !(counted.up_packets || counted.down_packets))
			continue;
		*ours = counted;
		entry_put(w, *at, &counted, now);
	}
	if (*at >= end)
		*at = 0;
}
