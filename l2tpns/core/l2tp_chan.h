/*
 * l2tp_chan.h -- reliable, ordered delivery of a tunnel's control messages.  RFC 2661 5.8, appendix A.
 *
 * Pure.  Embedded in the tunnel.  A message is encoded once, kept in the store
 * until acknowledged, and given its Ns when it is first sent, so that an urgent
 * one may overtake those that still wait.  What arrives ahead of its turn, but
 * inside the window we advertise, is shelved.  Acknowledgements ride on whatever
 * is sent; one that is still owed when a batch of packets is done goes out as a
 * ZLB by chan_flush().  Octets passed in are loans; the channel owns its copies.
 *
 * The tunnel calls chan_timed_out() when chan->due is reached, and once it
 * returned false the peer is dead.
 *
 * A channel can be copied to another node while it lives: its numbers, and each
 * message that is not acknowledged, as objects of their own that come in any
 * order.  What is on the shelf is not copied; the peer sends it again.  A copy
 * sends nothing.  The first event it is given as a channel of our own puts what
 * was copied in order, and everything unacknowledged goes out again as after a
 * time-out: RFC 2661 5.8.
 */
#ifndef CORE_L2TP_CHAN_H
#define CORE_L2TP_CHAN_H

#include "l2tpns/base/arena.h"
#include "l2tpns/base/fx.h"
#include "l2tpns/base/ids.h"
#include "l2tpns/base/mono.h"
#include "l2tpns/base/store.h"
#include "l2tpns/base/why.h"
#include "l2tpns/wire/l2tp_hdr.h"
#include "l2tpns/wire/l2tp_msg.h"

#define CHAN_SHELF_MAX		32u	/* largest window we may advertise */
#define CHAN_WINDOW_MAX		256u	/* unacknowledged messages at most, whatever the peer advertises */
#define CHAN_WINDOW_DEFAULT	4u	/* RFC 2661 4.4.3: a peer that sends no Receive Window Size */
#define CHAN_BURST_MAX		32u	/* packets one call may send */
#define CHAN_BODY_MAX		(FX_PACKET_MAX - L2TP_HDR_CONTROL_LEN)	/* octets of AVPs in one message */

struct chan_conf {
	uint16_t	window;			/* what we advertise, 1..CHAN_SHELF_MAX */
	uint32_t	retransmit_ms;		/* before the first retransmission; doubles each time */
	uint32_t	retransmit_max_ms;
	uint8_t		tries;			/* retransmissions before the peer is given up */
	uint32_t	queue_max;		/* messages one channel may hold; urgent ones may exceed it */
};

struct chan_node;

struct chan_pool {			/* places for held messages, shared by all channels */
	struct chan_node *node;
	uint32_t	 n;
	uint32_t	 fresh;			/* nodes up to this one were looked at for a first use */
	uint32_t	 free;			/* given back, last one first; 0 = none */
	uint32_t	 used;
};

/* The message in this place was kept, got its number, or is gone; not told of the shelf. */
typedef void chan_touched_fn(void *ctx, uint32_t number);

struct chan_env {			/* what a channel needs to act: made by the caller for each event */
	struct fx_list	*out;
	struct store	*store;
	struct chan_pool *pool;
	struct mono	 now;
	struct ip	 from;			/* our address the peer uses */
	struct addr	 to;
	uint16_t	 peer_tid;		/* 0 until the peer assigned one */
	struct tid	 tid;			/* ours: whose the messages are */
	const struct chan_conf *conf;
	chan_touched_fn	*touched;		/* NULL: nobody wants to know */
	void		*touched_ctx;
};

struct chan_queue { uint32_t head, tail; };	/* node numbers; 0 = empty */

struct chan {				/* fields are read by show, written by l2tp_chan.c only */
	struct mono	due;			/* when chan_timed_out() is to be called; MONO_NEVER: not */
	struct mono	heard;			/* when the last valid message came */
	struct chan_queue sent;			/* with numbers [acked, ns), in order */
	struct chan_queue urgent, bulk;		/* waiting, without a number */
	uint32_t	cursor;			/* in sent: the one with number `next`; 0 = next is ns */
	uint32_t	shelf;			/* messages ahead of their turn, in order */
	uint32_t	waiting;		/* how many are in urgent and bulk */
	uint32_t	resent;			/* retransmissions since chan_init(), for show */
	uint32_t	order;			/* of the next message that waits */
	uint16_t	acked;			/* the oldest number not acknowledged */
	uint16_t	next;			/* the number to send next: behind ns after a time-out */
	uint16_t	ns;			/* the number a new message gets */
	uint16_t	nr;			/* the number expected from the peer */
	uint16_t	peer_window;		/* 1..CHAN_WINDOW_MAX */
	uint16_t	cwnd;			/* 1..peer_window */
	uint16_t	ssthresh;
	uint16_t	credit;			/* acknowledgements towards the next step of cwnd */
	uint8_t		shelved;		/* how many are on the shelf */
	uint8_t		tries;			/* retransmissions since the last progress */
	uint8_t		hellos;			/* beyond nr, acknowledged while nothing could be changed */
	bool		ack_owed;
	bool		copied;			/* from another node, and not put in order yet */
	uint8_t		adopted;		/* that node may have exchanged more; 1 and repeats seen */
};
_Static_assert(sizeof(struct chan) <= 128, "a tunnel's channel stays within two cache lines");

enum chan_in {				/* what became of a message */
	CHAN_DELIVER,				/* in order: act on it, then on chan_shelf_take()'s */
	CHAN_ZLB,				/* only an acknowledgement */
	CHAN_DUPLICATE,				/* seen before; why is WHY_NS_OLD */
	CHAN_SHELVED,				/* kept until those before it arrive */
	CHAN_REFUSED				/* why is WHY_NS_AHEAD, WHY_NR_INVALID or WHY_CHAN_FULL */
};

void chan_pool_init(struct chan_pool *pool, uint32_t n, struct arena *arena);

/* `peer_window` is the Receive Window Size AVP's value: 0 counts as 1, absent is CHAN_WINDOW_DEFAULT. */
void chan_init(struct chan *chan, uint16_t peer_window);

/* The peer's window became known after chan_init(): we sent SCCRQ and its SCCRP came. */
void chan_window_learnt(struct chan *chan, uint16_t peer_window);

/*
 * Send, or queue while the window is full.  An urgent message (HELLO, StopCCN) goes
 * before those that wait.  False: no room, or longer than CHAN_BODY_MAX; nothing was kept (WHY_CHAN_FULL).
 */
MUST_USE bool chan_send(struct chan *chan, struct chan_env *env, uint16_t peer_session_id,
			const struct l2tp_msg *msg);
MUST_USE bool chan_send_urgent(struct chan *chan, struct chan_env *env, uint16_t peer_session_id,
			       const struct l2tp_msg *msg);

/* A control message for this tunnel arrived, from the right address.  *why is WHY_OK unless the result
 * says otherwise. */
MUST_USE enum chan_in chan_received(struct chan *chan, struct chan_env *env, const struct l2tp_hdr *hdr,
				    enum why *why);

/* The next shelved message whose turn has come, copied into `buffer`; hdr->body points there.  After
 * CHAN_DELIVER it is called until it says false, before the next chan_received(). */
MUST_USE bool chan_shelf_take(struct chan *chan, struct chan_env *env, struct l2tp_hdr *hdr,
			      uint8_t buffer[STORE_LEN_MAX]);

/* The end of a batch of packets: send the acknowledgement still owed, if any. */
void chan_flush(struct chan *chan, struct chan_env *env);

/* chan->due was reached.  False: the peer has not answered `tries` retransmissions. */
MUST_USE bool chan_timed_out(struct chan *chan, struct chan_env *env);

/* Drop everything held.  Numbers stay, so that what the peer still resends is acknowledged. */
void chan_close(struct chan *chan, struct chan_env *env);

/*
 * Copying.  A message is known by its place in the pool, which is the same on every node; the channel's
 * numbers are known to the tunnel.  Whoever stores a copy empties the place first:
 *
 *	if (chan_place_owner(pool, number, &tid))
 *		chan_message_drop(channel of tid, pool, store, number);
 */
enum chan_kind { CHAN_SENT, CHAN_URGENT, CHAN_BULK, CHAN_KINDS };

struct chan_message {
	struct tid	tid;			/* our tunnel */
	uint8_t		kind;			/* enum chan_kind: which queue it is in */
	uint16_t	session_id;		/* the receiver's */
	uint32_t	order;			/* of CHAN_SENT its Ns, else its place among those that wait */
	struct bytes	body;			/* AVPs, 1..CHAN_BODY_MAX octets; a loan of the store */
};

struct chan_numbers { uint16_t acked, ns, nr, peer_window; };

/* Who uses the place, be it for the shelf only; false: nobody. */
bool chan_place_owner(const struct chan_pool *pool, uint32_t number, struct tid *tid);
/* The message there; false: there is none that is copied. */
MUST_USE bool chan_message_get(const struct chan_pool *pool, const struct store *store, uint32_t number,
			       struct chan_message *message);
/* Constant cost when messages come about in order.  False: no such place, an impossible message, or no memory. */
MUST_USE bool chan_message_put(struct chan *chan, struct chan_pool *pool, struct store *store, uint32_t number,
			       const struct chan_message *message);
void chan_message_drop(struct chan *chan, struct chan_pool *pool, struct store *store, uint32_t number);

struct chan_numbers chan_numbers(const struct chan *chan);
/* The channel's numbers elsewhere.  Its queues are left to chan_message_put() and chan_message_drop(). */
void chan_restore(struct chan *chan, const struct chan_numbers *numbers);

/* While nothing may be changed: may this message be acknowledged, being one that arrived already or a HELLO
 * whose turn it is?  *nr is then the number to acknowledge it with. */
MUST_USE bool chan_keepalive(struct chan *chan, const struct l2tp_hdr *hdr, bool hello, uint16_t *nr);

static inline bool chan_ack_owed(const struct chan *chan)
{
	return chan->ack_owed;
}

/* Messages not yet acknowledged: sent and waiting. */
static inline uint32_t chan_queued(const struct chan *chan)
{
	return chan->waiting + (uint16_t)(chan->ns - chan->acked);
}

#endif
