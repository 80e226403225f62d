/*
 * ppp_fsm.h -- the option negotiation automaton of RFC 1661 section 4.
 *
 * Pure: an event goes in, the next state is stored, the actions come out.  One
 * table serves LCP and every NCP; ppp_neg.c carries the actions out, lowest bit
 * first.
 */
#ifndef CORE_PPP_FSM_H
#define CORE_PPP_FSM_H

#include "l2tpns/base/base.h"

enum fsm_state {			/* RFC 1661 section 4.2, numbered as its table is */
	FSM_INITIAL, FSM_STARTING, FSM_CLOSED, FSM_STOPPED, FSM_CLOSING, FSM_STOPPING,
	FSM_REQSENT, FSM_ACKRCVD, FSM_ACKSENT, FSM_OPENED, FSM_STATES
};

enum fsm_event {			/* RFC 1661 section 4.3 */
	FSM_EV_UP, FSM_EV_DOWN, FSM_EV_OPEN, FSM_EV_CLOSE, FSM_EV_TO_PLUS, FSM_EV_TO_MINUS,
	FSM_EV_RCR_PLUS, FSM_EV_RCR_MINUS, FSM_EV_RCA, FSM_EV_RCN, FSM_EV_RTR, FSM_EV_RTA,
	FSM_EV_RUC, FSM_EV_RXJ_PLUS, FSM_EV_RXJ_MINUS, FSM_EV_RXR, FSM_EVENTS
};

enum fsm_action {			/* RFC 1661 section 4.4; bits rise in the order its cells list them */
	FSM_TLD = 1 << 0,		/* This-Layer-Down */
	FSM_TLS = 1 << 1,		/* This-Layer-Started */
	FSM_IRC = 1 << 2,		/* Initialize-Restart-Count */
	FSM_ZRC = 1 << 3,		/* Zero-Restart-Count */
	FSM_SCR = 1 << 4,		/* Send-Configure-Request */
	FSM_SCA = 1 << 5,		/* Send-Configure-Ack */
	FSM_SCN = 1 << 6,		/* Send-Configure-Nak/Rej */
	FSM_STR = 1 << 7,		/* Send-Terminate-Request */
	FSM_STA = 1 << 8,		/* Send-Terminate-Ack */
	FSM_SCJ = 1 << 9,		/* Send-Code-Reject */
	FSM_SER = 1 << 10,		/* Send-Echo-Reply */
	FSM_TLU = 1 << 11,		/* This-Layer-Up */
	FSM_TLF = 1 << 12,		/* This-Layer-Finished */
	FSM_BAD = 1 << 13		/* the RFC prints "-": the event cannot happen in this state */
};

/* Store the next state and return the actions; on FSM_BAD the state stays as it is. */
MUST_USE uint16_t fsm_step(enum fsm_state *state, enum fsm_event event);

/* Does the Restart timer run in this state?  RFC 1661 section 4.1. */
bool fsm_timer_runs(enum fsm_state state);

const char *fsm_state_name(enum fsm_state state);	/* "req-sent" */
const char *fsm_event_name(enum fsm_event event);	/* "RCR+", as the table prints it */

#endif
