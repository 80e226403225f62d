/* lns_facts.c -- what may be read of the control plane: for show, JSON, metrics and tests. */
#include "l2tpns/core/lns_state.h"

const struct stat_row *stat_row(enum stat_id stat)
{
	static const struct stat_row rows[STATS] = {
#define STAT(id, help) [STAT_##id] = { #id, help },
#include "l2tpns/core/stats.def"
#undef STAT
	};

	ASSERT(stat < STATS);
	return &rows[stat];
}

const struct session_end_row *session_end_row(enum session_end end)
{
	static const struct session_end_row rows[SESSION_ENDS] = {
#define END(id, text, result, error, cause) [SESSION_END_##id] = { #id, text, result, error, cause },
#include "l2tpns/core/session_end.def"
#undef END
	};

	ASSERT(end < SESSION_ENDS);
	return &rows[end];
}

const struct lns_conf *lns_conf(const struct lns *lns)
{
	return &lns->conf;
}

const struct session *lns_session(const struct lns *lns, struct row row)
{
	if (row.n >= rows_end(&lns->rows) || !lns->session[row.n].in_use)
		return NULL;
	return &lns->session[row.n];
}

const struct tunnel *lns_tunnel(const struct lns *lns, struct tid tid)
{
	if (tid.n == 0 || tid.n > lns->tids.top || !lns->tunnel[tid.n].in_use)
		return NULL;
	return &lns->tunnel[tid.n];
}

struct bytes lns_text(const struct lns *lns, uint32_t handle)
{
	return store_get(&lns->store, handle);
}

uint32_t lns_session_count(const struct lns *lns)
{
	return lns->rows.used;
}

uint32_t lns_tunnel_count(const struct lns *lns)
{
	return lns->tids.used;
}

uint32_t lns_rows_end(const struct lns *lns)
{
	return rows_end(&lns->rows);
}

uint32_t lns_tunnels_end(const struct lns *lns)
{
	return lns->tids.top + 1;
}

struct row lns_session_next(const struct lns *lns, uint32_t *at, uint32_t look)
{
	uint32_t end = rows_end(&lns->rows);

	for (; look > 0 && *at < end; look--) {
		uint32_t row = (*at)++;

		if (lns->session[row].in_use)
			return (struct row){ row };
	}
	return (struct row){ 0 };
}

struct tid lns_tunnel_next(const struct lns *lns, uint32_t *at, uint32_t look)
{
	for (; look > 0 && *at <= lns->tids.top; look--) {
		uint32_t tid = (*at)++;

		if (lns->tunnel[tid].in_use)
			return (struct tid){ (uint16_t)tid };
	}
	return (struct tid){ 0 };
}

static struct row user_from(const struct lns *lns, struct bytes user, uint32_t row)
{
	while (row && !bytes_eq(lns_kept(lns, lns->session[row].user), user))
		row = index_next(&lns->by_user, row);
	return (struct row){ row };
}

struct row lns_user_first(const struct lns *lns, struct bytes user)
{
	return user_from(lns, user, index_first(&lns->by_user, name_hash(lns, user)));
}

struct row lns_user_next(const struct lns *lns, struct bytes user, struct row row)
{
	return user_from(lns, user, index_next(&lns->by_user, row.n));
}

struct row lns_session_by_address(const struct lns *lns, struct ip4 address)
{
	uint32_t row = index_first(&lns->by_address, address_hash(lns, address));

	while (row && lns->session[row].address.n != address.n)
		row = index_next(&lns->by_address, row);
	return (struct row){ row };
}

struct row lns_tunnel_session_first(const struct lns *lns, struct tid tid)
{
	const struct tunnel *t = lns_tunnel(lns, tid);

	return (struct row){ t ? t->first : 0 };
}

struct row lns_tunnel_session_next(const struct lns *lns, struct row row)
{
	return (struct row){ lns->session[row.n].next };
}

uint64_t lns_stat(const struct lns *lns, enum stat_id stat)
{
	ASSERT(stat < STATS);
	return lns->stat[stat];
}

uint64_t lns_refused(const struct lns *lns, enum why why)
{
	ASSERT(why < WHYS);
	return lns->refused[why];
}

const struct ippools *lns_pools(const struct lns *lns)
{
	return lns->pools;
}
