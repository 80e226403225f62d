/*
 * fx.h -- effects: what a pure core asks its shell to do, in order.
 *
 * A core never sends, forwards or logs; it appends here and returns.  The
 * daemon's shell carries the list out, the simulator records it, tests read it.
 * One list serves a batch of events: a core is entered only while fx_has_room(),
 * and one event adds at most FX_EVENT_MAX effects and FX_EVENT_OCTETS octets.
 * The payload of each kind is a struct named in core/effects.h or cluster/cluster.h.
 */
#ifndef BASE_FX_H
#define BASE_FX_H

#include "l2tpns/base/addr.h"
#include "l2tpns/base/base.h"
#include "l2tpns/base/wr.h"

enum fx_kind {
	FX_SEND,		/* struct fx_send, then the UDP payload */
	FX_TUNNEL_PUT,		/* struct fx_tunnel: the data plane learns or changes a tunnel */
	FX_TUNNEL_DROP,		/* id: the tunnel */
	FX_SESSION_PUT,		/* struct fx_session: the data plane learns or changes a session */
	FX_SESSION_DROP,	/* struct fx_session, as it was put */
	FX_ROUTE_PUT,		/* struct fx_route: a prefix leads to a session */
	FX_ROUTE_DROP,		/* struct fx_route */
	FX_CRYPT,		/* struct fx_crypt: check a crypt(3) hash, which takes milliseconds */
	FX_LOG,			/* struct fx_log, then its text */
	/* A cluster's; the payloads are in cluster/cluster.h */
	FX_CL_SEND, FX_CL_ROLE, FX_CL_APPLY, FX_CL_COMMITTED, FX_CL_DROP, FX_CL_OFFERED,
	FX_CL_FORWARDED, FX_CL_BYTES, FX_CL_DONE,
	FX_KINDS
};

struct fx {
	uint16_t	kind;		/* enum fx_kind */
	uint16_t	len;		/* octets of payload */
	uint32_t	id;		/* row, tunnel id or message id, as the kind says */
	uint32_t	at;		/* offset of the payload in fx_list.octets, 8-aligned */
};

struct fx_send {
	struct ip	from;		/* our address the peer knows */
	struct addr	to;
};

#define FX_MAX			4096u
#define FX_OCTETS		(512u * 1024)
#define FX_EVENT_MAX		800u
#define FX_EVENT_OCTETS		(192u * 1024)
#define FX_PACKET_MAX		2048u	/* largest UDP payload a core sends */

struct fx_list {
	uint32_t	count;
	uint32_t	used;
	struct fx	fx[FX_MAX];
	uint8_t		octets[FX_OCTETS] __attribute__((aligned(8)));
};

static inline void fx_clear(struct fx_list *out)
{
	out->count = 0;
	out->used = 0;
}

/* May one more event be handed to a core that writes into this list? */
static inline bool fx_has_room(const struct fx_list *out)
{
	return out->count + FX_EVENT_MAX <= FX_MAX && out->used + FX_EVENT_OCTETS <= FX_OCTETS;
}

/* Append an effect with room for `len` octets of payload, which the caller fills. */
static inline void *fx_add(struct fx_list *out, enum fx_kind kind, uint32_t id, size_t len)
{
	ASSERT(out->count < FX_MAX && out->used + len <= FX_OCTETS && len <= UINT16_MAX);

	out->fx[out->count++] = (struct fx){ .kind = (uint16_t)kind, .len = (uint16_t)len, .id = id,
					     .at = out->used };
	void *at = out->octets + out->used;
	out->used += (uint32_t)(len + 7) & ~7u;
	return at;
}

static inline const void *fx_payload(const struct fx_list *list, const struct fx *fx)
{
	return list->octets + fx->at;
}

/*
 * Sending in two steps, so that an encoder writes straight into the list: nothing
 * else may be added between the two.  A packet that did not fit is not sent.
 */
static inline struct wr fx_send_begin(struct fx_list *out)
{
	ASSERT(out->used + sizeof(struct fx_send) + FX_PACKET_MAX <= FX_OCTETS);
	return wr_of(out->octets + out->used + sizeof(struct fx_send), FX_PACKET_MAX);
}

static inline bool fx_send_end(struct fx_list *out, const struct wr *w, struct ip from, struct addr to)
{
	if (!wr_ok(w))
		return false;
	struct fx_send *send = fx_add(out, FX_SEND, 0, sizeof(*send) + wr_len(w));

	*send = (struct fx_send){ .from = from, .to = to };
	return true;
}

#endif
