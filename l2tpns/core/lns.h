/*
 * lns.h -- the whole control plane: packets and time in, effects out.
 *
 * Pure.  The shell calls one entry at a time, with a list that has fx_has_room(),
 * carries the effects out in order, and calls lns_tick() when lns_next() is
 * reached.  lns_flush() is called once after each batch of packets: it sends the
 * acknowledgements the batch owes.  Memory is one arena sized by the limits of
 * the configuration; pages are touched as they are needed.
 */
#ifndef CORE_LNS_H
#define CORE_LNS_H

#include "l2tpns/base/fx.h"
#include "l2tpns/base/mono.h"
#include "l2tpns/base/say.h"
#include "l2tpns/core/effects.h"
#include "l2tpns/core/l2tp_tunnel.h"
#include "l2tpns/core/lns_conf.h"
#include "l2tpns/core/session.h"
#include "l2tpns/core/subscribers.h"

enum stat_id {
#define STAT(id, help) STAT_##id,
#include "l2tpns/core/stats.def"
#undef STAT
	STATS
};

struct stat_row { const char *name, *help; };
const struct stat_row *stat_row(enum stat_id stat);

struct lns;

#define LNS_OURS	((struct row){ UINT32_MAX - 1 })	/* holder of our own address in a pool */

/* When the data plane last heard and served a session; the lns asks when an idle or echo timer falls due. */
struct lns_usage {
	struct mono	up_heard, down_heard;		/* 0 = never */
};
typedef void lns_usage_fn(void *ctx, struct row row, struct lns_usage *usage);

/* How much memory the limits need, then build it there (zeroed). */
size_t lns_size(const struct lns_conf *conf);
struct lns *lns_init(const struct lns_conf *conf, const uint8_t seed[RND_SEED_LEN], struct mono now,
		     lns_usage_fn *usage, void *usage_ctx, struct arena *arena);

/* How many control messages may be held in all: places 1..n. */
uint32_t lns_messages_max(const struct lns_conf *conf);

/* A changed configuration; limits are not changed.  Returns how many pool addresses did not fit. */
uint32_t lns_configured(struct lns *lns, const struct lns_conf *conf, struct mono now);

/* The list is lent until another takes its place. */
void lns_subscribers_loaded(struct lns *lns, const struct subscribers *list);

/* A UDP datagram that the data plane did not forward.  `local` is the address it was sent to. */
enum why lns_input(struct lns *lns, struct addr from, struct ip local, struct bytes packet, struct mono now,
		   struct fx_list *out);
void lns_flush(struct lns *lns, struct mono now, struct fx_list *out);
void lns_tick(struct lns *lns, struct mono now, struct fx_list *out);
struct mono lns_next(const struct lns *lns);

/* The verdict on an FX_CRYPT; ignored when the session has gone meanwhile. */
void lns_crypt_answered(struct lns *lns, struct row row, uint32_t serial, bool matches, struct mono now,
			struct fx_list *out);

/* The data plane has no room for a session's route: without it the session is of no use. */
void lns_route_refused(struct lns *lns, struct row row, struct mono now, struct fx_list *out);

/* The operator's hands.  False: no such object. */
MUST_USE bool lns_drop_session(struct lns *lns, struct row row, struct mono now, struct fx_list *out);
MUST_USE bool lns_drop_tunnel(struct lns *lns, struct tid tid, struct mono now, struct fx_list *out);

/* Refuse new work, close every tunnel with StopCCN; lns_idle() when nobody has to be told anything more. */
void lns_shutdown_asked(struct lns *lns, struct mono now, struct fx_list *out);
bool lns_idle(const struct lns *lns);
bool lns_told(const struct lns *lns);		/* every StopCCN is out; some may not be acknowledged */

/* Facts, read on the control thread.  Pointers are loans until the next entry. */
const struct lns_conf *lns_conf(const struct lns *lns);
const struct session *lns_session(const struct lns *lns, struct row row);		/* NULL: none */
const struct tunnel *lns_tunnel(const struct lns *lns, struct tid tid);			/* NULL: none */
struct bytes lns_text(const struct lns *lns, uint32_t handle);				/* of a store handle */
uint32_t lns_session_count(const struct lns *lns);
uint32_t lns_tunnel_count(const struct lns *lns);

/* The next one in use after this, in order of number; 0 = no more.  Looks at no more than `look`
 * rows and then returns with *at advanced, so that a long list is read in bounded slices:
 * row 0 and *at < the end means "call again". */
struct row lns_session_next(const struct lns *lns, uint32_t *at, uint32_t look);
struct tid lns_tunnel_next(const struct lns *lns, uint32_t *at, uint32_t look);
uint32_t lns_rows_end(const struct lns *lns);		/* no session row is at or above this */
uint32_t lns_tunnels_end(const struct lns *lns);

/* Sessions of one user, found by index: the first, then the next; 0 = no more. */
struct row lns_user_first(const struct lns *lns, struct bytes user);
struct row lns_user_next(const struct lns *lns, struct bytes user, struct row row);
struct row lns_session_by_address(const struct lns *lns, struct ip4 address);		/* 0 = none */
struct row lns_tunnel_session_first(const struct lns *lns, struct tid tid);
struct row lns_tunnel_session_next(const struct lns *lns, struct row row);

uint64_t lns_stat(const struct lns *lns, enum stat_id stat);
uint64_t lns_refused(const struct lns *lns, enum why why);
const struct ippools *lns_pools(const struct lns *lns);

#endif
