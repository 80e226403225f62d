/*
 * lns_state.h -- what struct lns is made of; for core/lns*.c only.
 *
 * One event is handled in one `struct turn`: the lns, the time, and where the
 * effects go.  Everything below is reached from there.
 */
#ifndef CORE_LNS_STATE_H
#define CORE_LNS_STATE_H

#include "l2tpns/base/index.h"
#include "l2tpns/base/pool.h"
#include "l2tpns/base/timers.h"
#include "l2tpns/core/lac_rules.h"
#include "l2tpns/core/lns.h"
#include "l2tpns/core/replica.h"

#define TIMERS_PER_OBJECT	2u
#define OPENING_TIME_S		30	/* SCCRQ to SCCCN */

enum session_timer { SESSION_TIMER_PPP, SESSION_TIMER_LIFE };
enum tunnel_timer { TUNNEL_TIMER_CHAN, TUNNEL_TIMER_LIFE };

struct tunnel_list { uint32_t head, tail; };	/* tunnel ids, 0 = empty */

/* Keys marked, in the order in which they are told. */
enum mark_class { MARK_MESSAGE, MARK_SESSION, MARK_TUNNEL, MARK_GONE, MARK_CLASSES };

struct mark_ring {
	uint32_t	*key;
	uint32_t	 room, head, count;
};

struct lns {
	struct lns_conf		conf;
	struct chan_conf	chan_conf;
	struct rnd		rnd;
	struct hash_key		key;
	lns_usage_fn		*usage;
	void			*usage_ctx;

	struct rows		rows;
	struct session		*session;	/* by row */
	struct pool		tids;
	struct tunnel		*tunnel;	/* by tunnel id */
	struct store		store;
	struct chan_pool	chan_pool;
	struct timers		timers;
	uint32_t		tunnel_timers;	/* number of the first tunnel's first timer */
	struct index		by_user, by_address, by_peer;
	struct lac_rules	rules;
	struct ippools		*pools;
	const struct subscribers *subscribers;

	struct tunnel_list	opening;	/* half-open tunnels, oldest first */
	struct tunnel_list	dropping;	/* tunnels whose sessions are being ended */
	uint32_t		openings;
	uint32_t		lingering;	/* tunnels the peer closed, kept only to acknowledge repeats */
	uint32_t		ack_first;	/* tunnels that may owe an acknowledgement */
	uint32_t		serial;
	bool			shutting_down;
	struct mono		said_since;	/* refusals are reported at a bounded rate */
	uint32_t		said;

	uint8_t			role;		/* enum lns_role */
	uint8_t			epoch;		/* of our acting: another each time we begin; 0 = never were a slave */
	struct mono		since;		/* when it began */
	struct mark_ring	mark[MARK_CLASSES];
	uint64_t		*marked;	/* a bit a key */
	uint32_t		message_keys;	/* replica_messages() */
	uint32_t		forgetting;	/* how far lns_forget() has come */

	uint64_t		stat[STATS];
	uint64_t		refused[WHYS];
	uint8_t			scratch[L2TP_SCRATCH_LEN];
	uint8_t			shelf[STORE_LEN_MAX];
};

struct turn {
	struct lns	*lns;
	struct mono	 now;
	struct fx_list	*out;
};

/* lns.c */
void lns_count_refused(struct turn *turn, enum why why, struct tid tid, struct row row);
struct chan_env lns_chan_env(struct turn *turn, const struct tunnel *t);
void session_timer_arm(struct turn *turn, struct row row, enum session_timer timer, struct mono due);
void tunnel_timer_arm(struct turn *turn, const struct tunnel *t, enum tunnel_timer timer, struct mono due);

/* lns_role.c: acting, following, and being told of what changes */
void marks_init(struct lns *lns, uint32_t rows, uint32_t tunnels, uint32_t messages, struct arena *arena);
void mark(struct lns *lns, enum mark_class class, uint32_t key);
void message_touched(void *lns, uint32_t number);
void slave_timer_fired(struct turn *turn, uint32_t number);
void session_taken_over(struct turn *turn, struct session *s);

/* lns_tunnel.c: RFC 2661 sections 5.1, 5.7, 6.1-6.5 */
enum why tunnel_control(struct turn *turn, struct addr from, struct ip local, const struct l2tp_hdr *hdr);
void tunnel_timer_fired(struct turn *turn, struct tunnel *t, enum tunnel_timer timer);
void tunnel_flush_all(struct turn *turn);
bool tunnel_drop_some(struct turn *turn);		/* end one more session of a closing tunnel; false: none left */
void tunnel_close_asked(struct turn *turn, struct tunnel *t, uint16_t result, enum session_end end);
bool tunnel_send(struct turn *turn, struct tunnel *t, struct peer_sid sid, const struct l2tp_msg *msg);
void tunnel_life_due(struct turn *turn, struct tunnel *t);
void tunnel_release(struct turn *turn, struct tunnel *t);	/* without a word, and without its sessions */
struct tunnel *tunnel_find(struct lns *lns, uint16_t tid);
uint16_t tunnel_error_for(enum why why);		/* general Error Code for a message that could not be decoded */

/* lns_tunnel_open.c: SCCRQ, SCCCN */
enum why tunnel_sccrq_received(struct turn *turn, struct addr from, struct ip local, const struct l2tp_hdr *hdr);
enum why tunnel_scccn_received(struct turn *turn, struct tunnel *t, const struct l2tp_msg *msg);
void tunnel_opening_done(struct lns *lns, struct tunnel *t);
void tunnel_list_add(struct lns *lns, struct tunnel_list *list, struct tunnel *t);
void tunnel_list_remove(struct lns *lns, struct tunnel_list *list, struct tunnel *t);
void tunnel_list_of_peer_add(struct lns *lns, const struct tunnel *t);
void tunnel_list_of_peer_remove(struct lns *lns, const struct tunnel *t);
const struct tunnel *tunnel_of_peer(const struct lns *lns, struct addr peer, struct peer_tid peer_tid);	/* or NULL */
struct bytes tunnel_secret(const struct lns *lns, const struct tunnel *t);	/* as configured for this peer */

/* lns_call.c: RFC 2661 sections 5.2.1, 6.6-6.8, 6.12-6.14 */
enum why call_control(struct turn *turn, struct tunnel *t, const struct l2tp_hdr *hdr, const struct l2tp_msg *msg);
bool call_message_bad(struct turn *turn, struct tunnel *t, const struct l2tp_hdr *hdr, const struct l2tp_msg *msg,
		      enum why why, uint16_t error);
struct row call_find(const struct lns *lns, const struct tunnel *t, uint16_t sid);

/* lns_session.c: a session's life from PPP's start to its end */
void session_started(struct turn *turn, struct row row, const struct ppp_proxy *proxy);
enum why session_frame(struct turn *turn, struct row row, struct bytes frame);
void session_timer_fired(struct turn *turn, struct row row, enum session_timer timer);
void session_end_asked(struct turn *turn, struct row row, enum session_end end);	/* politely */
void session_end_now(struct turn *turn, struct row row, enum session_end end, bool send_cdn);
void session_release(struct turn *turn, struct row row);	/* without a word */
struct mono session_life_due(const struct turn *turn, const struct session *s, struct mono last_used);

static inline void session_mark(struct lns *lns, struct row row)
{
	if (lns->role == LNS_MASTER)
		mark(lns, MARK_SESSION, REPLICA_SESSIONS + row.n);
}

static inline void tunnel_mark(struct lns *lns, const struct tunnel *t)
{
	if (lns->role == LNS_MASTER)
		mark(lns, MARK_TUNNEL, REPLICA_TUNNELS + t->tid.n);
}

/* Before a session that another node began is acted upon for the first time. */
static inline void session_take_over(struct turn *turn, struct session *s)
{
	if (s->epoch != turn->lns->epoch)
		session_taken_over(turn, s);
}

static inline struct mono later_of(struct mono a, struct mono b)
{
	return mono_before(a, b) ? b : a;
}

static inline uint64_t name_hash(const struct lns *lns, struct bytes name)
{
	return hash_octets(lns->key, name);
}

static inline uint64_t address_hash(const struct lns *lns, struct ip4 address)
{
	return hash_octets(lns->key, bytes_of(&address.n, sizeof(address.n)));
}

static inline struct bytes lns_kept(const struct lns *lns, uint32_t handle)
{
	return store_get(&lns->store, handle);
}

#endif
