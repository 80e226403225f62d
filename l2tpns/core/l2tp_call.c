/* l2tp_call.c -- LNS side of an incoming call.  RFC 2661 section 7.4.2, row for row. */
#include "l2tpns/core/l2tp_call.h"

#define S(state)	(1u << CALL_##state)
#define E(event)	(1u << CALL_##event)
#define ANY_STATE	(S(IDLE) | S(WAIT_CONNECT) | S(ESTABLISHED))

struct call_row {
	unsigned	from, on, act;
	enum call_state	to;
};

static const struct call_row rows[] = {
	{ S(IDLE),	   E(ICRQ_OK),				CALL_SEND_ICRP,			CALL_WAIT_CONNECT },
	{ S(IDLE),	   E(ICRQ_BAD) | E(ICRP),		CALL_SEND_CDN | CALL_CLEAN_UP,	CALL_IDLE },
	{ S(IDLE),	   E(ICCN_OK) | E(ICCN_BAD),		CALL_CLEAN_UP,			CALL_IDLE },
	{ S(WAIT_CONNECT), E(ICCN_OK),				CALL_BIND_PPP,			CALL_ESTABLISHED },
	{ S(WAIT_CONNECT), E(ICCN_BAD),				CALL_SEND_CDN | CALL_CLEAN_UP,	CALL_IDLE },
	{ S(WAIT_CONNECT), E(ICRQ_OK) | E(ICRQ_BAD) | E(ICRP),	CALL_SEND_CDN | CALL_CLEAN_UP,	CALL_IDLE },
	{ ANY_STATE,	   E(CDN),				CALL_CLEAN_UP,			CALL_IDLE },
	{ S(WAIT_CONNECT) | S(ESTABLISHED), E(LOCAL_CLOSE),	CALL_SEND_CDN | CALL_CLEAN_UP,	CALL_IDLE },
	{ S(ESTABLISHED),  E(ICRQ_OK) | E(ICRQ_BAD) | E(ICRP) | E(ICCN_OK) | E(ICCN_BAD),
								CALL_SEND_CDN | CALL_CLEAN_UP,	CALL_IDLE },
	/* The RFC has no row for a local close in idle: there is nothing to close. */
	{ S(IDLE),	   E(LOCAL_CLOSE),			0,				CALL_IDLE },
};

unsigned call_step(enum call_state *state, enum call_event event)
{
	ASSERT(*state < CALL_STATES && event < CALL_EVENTS);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((rows[i].from & 1u << *state) && (rows[i].on & 1u << event)) {
			*state = rows[i].to;
			return rows[i].act;
		}
	ASSERT(false && "every state and event has a row");
}

const char *call_state_name(enum call_state state)
{
	static const char *const name[CALL_STATES] = {
		[CALL_IDLE] = "idle", [CALL_WAIT_CONNECT] = "wait-connect", [CALL_ESTABLISHED] = "established",
	};

	ASSERT(state < CALL_STATES);
	return name[state];
}
