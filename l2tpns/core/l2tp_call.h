/*
 * l2tp_call.h -- LNS side of an incoming call.  RFC 2661 section 7.4.2, row for row.
 *
 * Pure table: (state, event) -> actions and next state, exactly one row each.
 */
#ifndef CORE_L2TP_CALL_H
#define CORE_L2TP_CALL_H

#include "l2tpns/base/base.h"

enum call_state { CALL_IDLE, CALL_WAIT_CONNECT, CALL_ESTABLISHED, CALL_STATES };

enum call_event {
	CALL_ICRQ_OK, CALL_ICRQ_BAD, CALL_ICRP, CALL_ICCN_OK, CALL_ICCN_BAD, CALL_CDN, CALL_LOCAL_CLOSE, CALL_EVENTS
};

enum call_action {		/* bits, carried out lowest first */
	CALL_SEND_ICRP = 1 << 0,
	CALL_BIND_PPP  = 1 << 1,	/* prepare for data: start PPP */
	CALL_SEND_CDN  = 1 << 2,
	CALL_CLEAN_UP  = 1 << 3
};

MUST_USE unsigned call_step(enum call_state *state, enum call_event event);
const char *call_state_name(enum call_state state);

#endif
