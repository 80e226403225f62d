/* show_pool.c -- address pools: how full each is, and who holds which address. */
#include "l2tpns/cli/show.h"

enum { STAGE_POOLS, STAGE_ADDRESSES };

static const struct out_column pool_columns[] = {
	{ "pool",	"POOL",		20, false },
	{ "addresses",	"ADDRESSES",	9,  true },
	{ "used",	"USED",		9,  true },
	{ "free",	"FREE",		9,  true },
};

static const struct out_column address_columns[] = {
	{ "address",	"ADDRESS",	15, false },
	{ "pool",	"POOL",		12, false },
	{ "state",	"STATE",	6,  false },
	{ "sid",	"SID",		7,  true },
	{ "user",	"USER",		0,  false },
};

const char *pool_name(const struct facts *facts, unsigned pool)
{
	ASSERT(pool < IPPOOLS_MAX);
	const char *name = lns_conf(facts->lns)->pools.name[pool];

	return *name ? name : "default";
}

static void pools_put(struct command_run *run)
{
	struct out *out = &run->out;
	const struct lns *lns = run->facts->lns;

	out_list(out, "pools", pool_columns, ARRAY_LEN(pool_columns));
	for (unsigned i = 0; i < lns_conf(lns)->pools.pools; i++) {
		struct ippool_facts pool = ippool_facts(lns_pools(lns), i);

		out_object(out, NULL);
		out_word(out, "pool", pool_name(run->facts, i));
		out_count(out, "addresses", pool.addresses);
		out_count(out, "used", pool.used);
		out_count(out, "free", pool.addresses - pool.used);
		out_end(out);
	}
	out_end(out);
}

static void address_line(struct command_run *run, const struct ippool_entry *entry)
{
	struct out *out = &run->out;
	const struct lns *lns = run->facts->lns;
	const struct session *session = entry->holder.n ? lns_session(lns, entry->holder) : NULL;

	out_object(out, NULL);
	out_ip4(out, "address", entry->address);
	out_word(out, "pool", pool_name(run->facts, entry->pool));
	bool ours = row_eq(entry->holder, LNS_OURS);

	out_word(out, "state", ours ? "ours" : entry->holder.n ? "used" : entry->remembered ? "kept" : "free");
	if (entry->holder.n && !ours)
		out_id(out, "sid", entry->holder.n);
	else
		out_none(out, "sid");
	out_bytes(out, "user", session ? lns_text(lns, session->user) : (struct bytes){ 0 });
	out_end(out);
}

enum command_step show_pool(struct command_run *run)
{
	struct out *out = &run->out;
	const struct ippools *pools = lns_pools(run->facts->lns);
	uint32_t count = ippools_count(pools), until = min_u32(run->at + COMMAND_LOOK, count);

	if (run->stage == STAGE_POOLS) {
		pools_put(run);
		out_list(out, "addresses", address_columns, ARRAY_LEN(address_columns));
		run->stage = STAGE_ADDRESSES;
	}
	for (; out_has_room(out) && run->at < until; run->at++) {
		struct ippool_entry entry = ippools_entry(pools, run->at);

		if (entry.address.n && (entry.holder.n || run->args))
			address_line(run, &entry);
	}
	if (run->at < count)
		return COMMAND_MORE;
	out_end(out);
	return COMMAND_DONE;
}
