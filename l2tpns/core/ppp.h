/*
 * ppp.h -- one subscriber's PPP: link, authentication and network phases.  RFC 1661 section 3.
 *
 * Pure.  Embedded in the session.  Each entry says what happened; it sends
 * through env->link, sets bits in env->happened for the session to act on, and
 * leaves in ppp->due when ppp_timeout() wants to be called (MONO_NEVER: not).
 */
#ifndef CORE_PPP_H
#define CORE_PPP_H

#include "l2tpns/base/mono.h"
#include "l2tpns/base/rnd.h"
#include "l2tpns/base/why.h"
#include "l2tpns/core/link.h"
#include "l2tpns/core/ppp_fsm.h"
#include "l2tpns/core/ppp_neg.h"
#include "l2tpns/wire/ppp_auth.h"

enum ppp_phase {			/* RFC 1661 section 3.2 */
	PPP_DEAD, PPP_ESTABLISH, PPP_AUTHENTICATE, PPP_NETWORK, PPP_TERMINATE, PPP_PHASES
};

enum proxy_policy {			/* what to do with proxy LCP and authentication in ICCN */
	PROXY_ACCEPT,			/* take over what the LAC negotiated when it suits our own policy */
	PROXY_RENEGOTIATE		/* always start LCP afresh */
};

struct ppp_conf {
	uint16_t	 mru;			/* what we ask for and keep to ourselves: 128..1500 */
	uint32_t	 restart_ms;		/* RFC 1661 4.6 Restart timer */
	uint8_t		 max_configure, max_failure, max_terminate;
	enum auth_method auth[AUTH_METHODS];	/* in the order of offer */
	uint8_t		 auths;
	uint32_t	 auth_timeout_s;
	uint32_t	 echo_interval_s;	/* 0 = no keepalive */
	uint8_t		 echo_failures;		/* unanswered requests before the line is dead */
	bool		 echo_when_busy;	/* also while the subscriber sends data */
	enum proxy_policy proxy;
	struct ip4	 our_address;		/* in IPCP */
	struct ip4	 dns[2];		/* 0 = none */
	char		 name[64];		/* Name in CHAP challenges */
};

/* What the LAC negotiated before us: RFC 2661 section 4.4.5.  Loans. */
struct ppp_proxy {
	struct bytes	last_sent_lcp;		/* options the LAC sent and the subscriber acknowledged */
	struct bytes	last_received_lcp;	/* options the subscriber sent and the LAC acknowledged */
	uint16_t	auth_type;		/* 0 = no Proxy Authen Type AVP */
	struct bytes	auth_name, auth_challenge, auth_response;
	uint8_t		auth_id;
};

/* Credentials to be judged; loans valid until the entry returns to its caller's caller. */
struct ppp_ask {
	enum auth_method method;
	uint8_t		 id;			/* CHAP identifier */
	struct bytes	 user;
	struct bytes	 password;		/* PAP */
	struct bytes	 challenge, response;	/* CHAP-MD5: 16-octet response; MS-CHAPv2: 49 octets */
};

enum ppp_happened {
	PPP_HAS_LCP_OPENED = 1 << 0,	/* ppp->peer_mru and options are settled */
	PPP_HAS_ASKED_AUTH = 1 << 1,	/* env->ask: answer with ppp_auth_answered(), now or later */
	PPP_HAS_AUTHED	   = 1 << 2,	/* give an address with ppp_address_given(), now or later */
	PPP_HAS_OPENED	   = 1 << 3,	/* IPCP opened: the session may forward */
	PPP_HAS_NET_DOWN   = 1 << 4,	/* IPCP left Opened: it may not any more */
	PPP_HAS_ENDED	   = 1 << 5,	/* the link is finished: env->end says why; send CDN */
};

enum ppp_end {				/* why a link ended; maps to CDN result and accounting cause */
	PPP_END_NONE,
	PPP_END_PEER,			/* the subscriber sent Terminate-Request */
	PPP_END_CLOSED,			/* we closed it and it is closed now */
	PPP_END_LCP_FAILED,		/* no agreement, or no answer */
	PPP_END_AUTH_FAILED,
	PPP_END_AUTH_TIMEOUT,
	PPP_END_IPCP_FAILED,
	PPP_END_ECHO,			/* no echo reply */
	PPP_END_LOOPBACK
};

struct ppp_env {
	const struct ppp_conf	*conf;
	struct link		 link;
	struct rnd		*rnd;
	struct mono		 now;
	struct mono		 data_heard;	/* when the subscriber's last data packet came; 0 = unknown */
	/* results */
	unsigned		 happened;	/* enum ppp_happened */
	enum ppp_end		 end;
	struct ppp_ask		 ask;
};

struct ppp;	/* defined below, embedded by session.h; fields are read by show, written by ppp_*.c only */

/* ICCN received.  `proxy` may be NULL. */
void ppp_started(struct ppp *ppp, struct ppp_env *env, const struct ppp_proxy *proxy);

/* A PPP frame that is not IP.  WHY_OK, or the reason it was refused (and perhaps rejected). */
MUST_USE enum why ppp_received(struct ppp *ppp, struct ppp_env *env, struct bytes octets);

void ppp_timed_out(struct ppp *ppp, struct ppp_env *env);

/* The verdict on env->ask; `message` goes to the subscriber (for MS-CHAPv2 success: "S=..."). */
void ppp_auth_answered(struct ppp *ppp, struct ppp_env *env, bool accepted, struct bytes message);

/* Network phase may begin with this address for the subscriber. */
void ppp_address_given(struct ppp *ppp, struct ppp_env *env, struct ip4 address);

/* Close the link politely: Terminate-Request, PPP_HAS_ENDED when acknowledged or given up. */
void ppp_close_asked(struct ppp *ppp, struct ppp_env *env);

/* One last Terminate-Request without waiting for an answer, as the call is being cleared. */
void ppp_cleared(struct ppp *ppp, struct ppp_env *env);

const char *ppp_phase_name(enum ppp_phase phase);
const char *ppp_end_name(enum ppp_end end);

#include "l2tpns/core/ppp_state.h"

#endif
