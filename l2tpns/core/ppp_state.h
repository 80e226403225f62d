/*
 * ppp_state.h -- what is kept of one subscriber's PPP; part of core/ppp.h.
 *
 * Embedded in every session, so it is kept small.  Plain values without a
 * pointer: a copy of it is a complete copy of the machine.
 */
#ifndef CORE_PPP_STATE_H
#define CORE_PPP_STATE_H

#include "l2tpns/base/addr.h"
#include "l2tpns/base/mono.h"
#include "l2tpns/core/ppp_neg.h"
#include "l2tpns/wire/ppp_auth.h"

enum ppp_auth_state {
	PPP_AUTH_IDLE,			/* not in the Authenticate phase yet */
	PPP_AUTH_WAITING,		/* for the peer's request or response */
	PPP_AUTH_ASKED,			/* PPP_HAS_ASKED_AUTH was reported, the verdict is pending */
	PPP_AUTH_ACCEPTED
};

struct ppp {
	struct mono	due;		/* when ppp_timed_out() wants to be called: the least of the others */
	struct mono	auth_resend;	/* the CHAP challenge is repeated */
	struct mono	auth_until;	/* the Authenticate phase is over */
	struct mono	echo_due;	/* keepalive looks whether anything was heard */
	struct mono	echo_sent;	/* the latest Echo-Request */
	struct mono	heard;		/* the latest control packet from the subscriber */
	struct ppp_neg	lcp, ipcp;
	uint32_t	our_magic;	/* 0 = not negotiated */
	uint32_t	peer_magic;
	uint32_t	asked_fold;	/* of the latest user name: tells repetitions from others */
	struct ip4	address;	/* the subscriber's, as given */
	uint16_t	our_mru;	/* what we ask the peer to keep to */
	uint16_t	peer_mru;	/* largest packet we may send: the peer's MRU, at most conf->mru */
	uint8_t		phase;		/* enum ppp_phase */
	uint8_t		auth;		/* enum auth_method we ask for; settled when LCP opens */
	uint8_t		auth_refused;	/* bit m: the peer will not do method m */
	uint8_t		auth_state;	/* enum ppp_auth_state */
	uint8_t		auth_id;	/* of the challenge, or of the PAP request being judged */
	uint8_t		auth_tries;	/* challenges we may still send */
	uint8_t		ask_serial;	/* counts PPP_HAS_ASKED_AUTH: tells a late verdict from a true one */
	uint8_t		echo_id;
	uint8_t		echo_missed;	/* Echo-Requests since anything was heard */
	uint8_t		loops;		/* times our own magic number came back */
	uint8_t		reject_id;	/* of our latest Code- or Protocol-Reject */
	bool		acfc : 1;	/* the peer accepts frames without address and control */
	bool		pfc : 1;	/* the peer accepts protocol fields of one octet */
	bool		ipcp_left : 1;	/* the peer terminated IPCP, it did not fail */
	uint8_t		proof_len;
	union {
		uint8_t	challenge[16];			/* while the verdict is open */
		char	proof[MSCHAPV2_SUCCESS_LEN];	/* after it: MS-CHAPv2's answer, to be repeated */
	};
};

_Static_assert(sizeof(struct ppp) <= 200, "struct ppp is part of every session");

#endif
