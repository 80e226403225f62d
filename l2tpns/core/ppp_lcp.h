/*
 * ppp_lcp.h -- LCP as an LNS speaks it: options, echoes, rejects, proxy LCP.  RFC 1661 sections 5 and 6.
 *
 * Pure policy on top of ppp_neg.c; no state of the automaton is known here but Opened.
 */
#ifndef CORE_PPP_LCP_H
#define CORE_PPP_LCP_H

#include "l2tpns/core/ppp.h"

/* The least MRU we acknowledge.  RFC 1661 has no least value; an IPv4 link must carry 68 octets
 * (RFC 791), and each step below this one multiplies the packets we would have to make. */
#define LCP_MRU_FLOOR	128

extern const struct neg_proto lcp_proto;

/* A fresh start: our own wishes as the configuration has them. */
void lcp_init(struct ppp *ppp, struct ppp_env *env);

/* Take over what the LAC has negotiated, if we could have agreed to all of it: true, and LCP is Opened. */
MUST_USE bool lcp_proxied(struct ppp *ppp, struct ppp_env *env, const struct ppp_proxy *proxy);

/* Keepalive: begins when LCP opens, one timer an interval. */
void lcp_echo_begin(struct ppp *ppp, struct ppp_env *env);
void lcp_echo_timed_out(struct ppp *ppp, struct ppp_env *env);

void lcp_protocol_reject(struct ppp *ppp, struct ppp_env *env, uint16_t proto, struct bytes body);
void lcp_terminate_once(struct ppp *ppp, struct ppp_env *env);	/* if LCP has begun; no answer is awaited */

#endif
