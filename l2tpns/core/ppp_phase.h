/*
 * ppp_phase.h -- what the machines of one link tell its phases; between the files core/ppp_*.c only.
 *
 * Implemented by ppp.c, which alone decides what follows from what.
 */
#ifndef CORE_PPP_PHASE_H
#define CORE_PPP_PHASE_H

#include "l2tpns/core/ppp.h"

void phase_lcp_opened(struct ppp *ppp, struct ppp_env *env);
void phase_lcp_left(struct ppp *ppp, struct ppp_env *env);	/* left Opened: renegotiating or closing */
void phase_protocol_rejected(struct ppp *ppp, struct ppp_env *env, uint16_t proto);
void phase_authed(struct ppp *ppp, struct ppp_env *env);

/* The link is over: everything stops and PPP_HAS_ENDED is reported.  Where the subscriber may still be
 * listening it is sent one Terminate-Request. */
void phase_ended(struct ppp *ppp, struct ppp_env *env, enum ppp_end end);

#endif
