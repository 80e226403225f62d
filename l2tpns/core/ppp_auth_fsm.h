/*
 * ppp_auth_fsm.h -- the Authenticate phase, we being the authenticator.  RFC 1334, RFC 1994, RFC 2759.
 *
 * Pure.  Credentials go out by env->ask; the verdict comes back whenever it is
 * known.  The link authenticates once each time LCP opens.
 *
 *	IDLE --begin--> WAITING --credentials--> ASKED --accepted--> ACCEPTED
 *	                   |  proxied ------------^  |
 *	                   +--time over--> ended <---+ refused
 */
#ifndef CORE_PPP_AUTH_FSM_H
#define CORE_PPP_AUTH_FSM_H

#include "l2tpns/core/ppp.h"

/* LCP has opened; ppp->auth is the method agreed on. */
void auth_begin(struct ppp *ppp, struct ppp_env *env);

/* Are the LAC's credentials of the method agreed on, and whole?  Then auth_proxied() may ask about them. */
bool auth_proxy_complete(enum auth_method method, const struct ppp_proxy *proxy);
void auth_proxied(struct ppp *ppp, struct ppp_env *env, const struct ppp_proxy *proxy);

void auth_stopped(struct ppp *ppp);	/* LCP left Opened */

MUST_USE enum why auth_pap_received(struct ppp *ppp, struct ppp_env *env, struct bytes octets);
MUST_USE enum why auth_chap_received(struct ppp *ppp, struct ppp_env *env, struct bytes octets);
void auth_answered(struct ppp *ppp, struct ppp_env *env, bool accepted, struct bytes message);
void auth_timed_out(struct ppp *ppp, struct ppp_env *env);

/* Our first network protocol's request is about to be repeated, as nothing of it was answered. */
void auth_unheard(const struct ppp *ppp, const struct ppp_env *env);

#endif
