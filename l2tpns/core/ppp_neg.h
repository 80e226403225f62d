/*
 * ppp_neg.h -- what LCP and every NCP do alike, driven by option rows.  RFC 1661 sections 4 and 5.
 *
 * Pure.  A protocol is one `struct neg_proto`: its option table (wire/ppp_opt.h)
 * and a policy row for each option it asks for or accepts; an option without a
 * policy row is rejected.  This file owns identifiers, the Restart timer and
 * counter, Max-Failure, and the building and checking of Request, Ack, Nak and
 * Reject; a policy knows no state of the automaton.
 */
#ifndef CORE_PPP_NEG_H
#define CORE_PPP_NEG_H

#include "l2tpns/base/mono.h"
#include "l2tpns/base/why.h"
#include "l2tpns/base/wr.h"
#include "l2tpns/core/ppp_fsm.h"
#include "l2tpns/wire/ppp.h"
#include "l2tpns/wire/ppp_opt.h"

struct ppp;
struct ppp_env;

#define NEG_ROWS_MAX	8		/* policy rows of one protocol: bits of `dropped` */
#define NEG_VALUE_MAX	16		/* octets of an option value that we write */
#define NEG_PACKET_MAX	1500		/* octets of a control packet: RFC 1661 section 6.1 */

struct ppp_neg {			/* one protocol's negotiation */
	struct mono	due;		/* when the Restart timer expires; MONO_NEVER: stopped */
	uint8_t		state;		/* enum fsm_state */
	uint8_t		id;		/* of our latest Configure- or Terminate-Request */
	uint8_t		tries;		/* Restart counter: requests we may still send */
	uint8_t		naks_sent;	/* since our last Ack: Max-Failure */
	uint8_t		naks_heard;	/* since the peer's last Ack */
	uint8_t		dropped;	/* bit n: the peer will not have policy row n; not asked again */
	bool		answered : 1;	/* a valid reply to our latest request has come */
	bool		heard : 1;	/* a Configure packet has come since Up */
};

enum neg_verdict {
	NEG_ACK,			/* as the peer wants it */
	NEG_NAK,			/* not so, but with the value written */
	NEG_NAK_ALONE,			/* the same, and the answer says nothing about the other options */
	NEG_REJECT,			/* not at all */
	NEG_LOOPED			/* the line is looped back: hopeless() is called, nothing answered */
};

enum neg_next {
	NEG_AGAIN,			/* ask again, with the value ask() now writes */
	NEG_DROP,			/* do without this option */
	NEG_GIVE_UP			/* no agreement without it: hopeless() is called */
};

struct neg_row {
	uint8_t	type;

	/* Our request: write the value, or return false to leave the option out.  NULL: never asked. */
	bool (*ask)(const struct ppp *ppp, const struct ppp_env *env, struct wr *value);

	/* The peer's Nak of ours, with a value inside the option row's limits.  NULL: ask the same again. */
	enum neg_next (*naked)(struct ppp *ppp, struct ppp_env *env, struct bytes value);

	/* The peer's Reject of ours, or one Nak too many.  NULL: do without. */
	enum neg_next (*rejected)(struct ppp *ppp, struct ppp_env *env);

	/* The peer's request; on a Nak `better` holds what we would take.  `fits` is false for a value
	 * outside the option row's limits, which must not be acknowledged.  NULL: rejected. */
	enum neg_verdict (*judge)(struct ppp *ppp, struct ppp_env *env, bool fits, struct bytes value,
				  struct wr *better);

	/* The peer's request was acknowledged with this value.  NULL: nothing to keep. */
	void (*take)(struct ppp *ppp, const struct ppp_env *env, struct bytes value);

	/* A request came without this option: true when it is to be Naked with the value written
	 * (RFC 1661 section 5.3).  NULL: may be missing. */
	bool (*missed)(const struct ppp *ppp, const struct ppp_env *env, struct wr *better);
};

struct neg_proto {
	uint16_t		 proto;		/* enum ppp_proto */
	bool			 eager;		/* repeat our request at a late peer's first one */
	size_t			 at;		/* offset of its struct ppp_neg in struct ppp */
	const struct opt_table	*options;
	const struct neg_row	*row;
	unsigned		 rows;		/* at most NEG_ROWS_MAX */

	void (*defaults)(struct ppp *ppp, const struct ppp_env *env);	/* before the peer asks anything */
	void (*up)(struct ppp *ppp, struct ppp_env *env);		/* This-Layer-Up */
	void (*down)(struct ppp *ppp, struct ppp_env *env);		/* This-Layer-Down */
	void (*finished)(struct ppp *ppp, struct ppp_env *env);		/* This-Layer-Finished */
	/* WHY_PPP_LOOPBACK, or no agreement on an option that is needed: ends the link. */
	void (*hopeless)(struct ppp *ppp, struct ppp_env *env, enum why why);
	void (*terminated)(struct ppp *ppp, struct ppp_env *env);	/* Terminate-Request came */

	/* Codes from 8 on: WHY_PPP_CODE when not known, which is answered with Code-Reject.  NULL: none. */
	enum why (*other)(struct ppp *ppp, struct ppp_env *env, const struct ppp_cp *cp);
};

/* Its first state: nothing asked, nothing refused, timer stopped. */
void neg_init(struct ppp *ppp, const struct neg_proto *proto);

/* Up, Down, Open, Close: what the phases decide. */
void neg_event(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto, enum fsm_event event);

/* A control packet of this protocol. */
MUST_USE enum why neg_received(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
			       struct bytes octets);

/* Nothing, unless the Restart timer has expired. */
void neg_timed_out(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto);

/* Opened without a packet, where somebody else has negotiated: proxy LCP. */
void neg_adopted(struct ppp *ppp, const struct neg_proto *proto);

/* Keep these options of the peer if every one is acceptable as it is; false: nothing was kept. */
MUST_USE bool neg_options_taken(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
				struct bytes options);

/* Send a packet of this protocol; data is at most NEG_PACKET_MAX - 4 octets. */
void neg_send(const struct ppp_env *env, const struct neg_proto *proto, uint8_t code, uint8_t id,
	      struct bytes data);

/* As much of `data` as the peer's MRU allows in a packet with `overhead` octets besides. */
struct bytes neg_cut(const struct ppp *ppp, struct bytes data, uint32_t overhead);

#endif
