/* l2tp_tunnel.c -- control connection establishment.  RFC 2661 section 7.2.1, row for row. */
#include "l2tpns/core/l2tp_tunnel.h"

#define S(state)	(1u << TUNNEL_##state)
#define E(event)	(1u << TUNNEL_##event)
#define STOP		(TUNNEL_SEND_STOPCCN | TUNNEL_CLEAN_UP)
#define BAD_OR_LATE	(E(SCCRQ_OK) | E(SCCRQ_BAD) | E(SCCRP_OK) | E(SCCRP_BAD) | E(SCCCN_OK) | E(SCCCN_BAD))

struct tunnel_row {
	unsigned		from, on, act;
	enum tunnel_state	to;
};

static const struct tunnel_row rows[] = {
	{ S(IDLE),             E(OPEN_ASKED),               TUNNEL_SEND_SCCRQ,                 TUNNEL_WAIT_CTL_REPLY },
	{ S(IDLE),             E(SCCRQ_OK),                 TUNNEL_SEND_SCCRP,                 TUNNEL_WAIT_CTL_CONN },
	{ S(IDLE),             E(SCCRQ_BAD),                STOP,                              TUNNEL_IDLE },
	{ S(IDLE),             E(SCCRP_OK) | E(SCCRP_BAD),  STOP,                              TUNNEL_IDLE },
	{ S(IDLE),             E(SCCCN_OK) | E(SCCCN_BAD),  TUNNEL_CLEAN_UP,                   TUNNEL_IDLE },
	{ S(WAIT_CTL_REPLY),   E(SCCRP_OK),                 TUNNEL_SEND_SCCCN | TUNNEL_OPENED, TUNNEL_ESTABLISHED },
	{ S(WAIT_CTL_REPLY),   E(SCCRP_BAD),                STOP,                              TUNNEL_IDLE },
	{ S(WAIT_CTL_REPLY),   E(TIE_LOST),                 TUNNEL_CLEAN_UP,                   TUNNEL_IDLE },
	{ S(WAIT_CTL_REPLY), E(SCCRQ_OK) | E(SCCRQ_BAD) | E(SCCCN_OK) | E(SCCCN_BAD),
		                                            STOP,                              TUNNEL_IDLE },
	{ S(WAIT_CTL_CONN),    E(SCCCN_OK),                 TUNNEL_OPENED,                     TUNNEL_ESTABLISHED },
	{ S(WAIT_CTL_CONN),    E(SCCCN_BAD),                STOP,                              TUNNEL_IDLE },
	{ S(WAIT_CTL_CONN), E(SCCRQ_OK) | E(SCCRQ_BAD) | E(SCCRP_OK) | E(SCCRP_BAD),
		                                            STOP,                              TUNNEL_IDLE },
	{ S(ESTABLISHED),      E(OPEN_ASKED),               TUNNEL_OPENED,                     TUNNEL_ESTABLISHED },
	{ S(ESTABLISHED),      BAD_OR_LATE,                 STOP,                              TUNNEL_IDLE },
	{ S(WAIT_CTL_REPLY) | S(WAIT_CTL_CONN) | S(ESTABLISHED), E(CLOSE_ASKED),
		                                            STOP,                              TUNNEL_IDLE },
	{ S(IDLE) | S(WAIT_CTL_REPLY) | S(WAIT_CTL_CONN) | S(ESTABLISHED), E(STOPCCN),
		                                            TUNNEL_CLEAN_UP,                   TUNNEL_IDLE },
	/* The RFC leaves these open: there is nothing to close, to wait for, or to lose. */
	{ S(IDLE),             E(CLOSE_ASKED) | E(TIE_LOST),   0,                              TUNNEL_IDLE },
	{ S(WAIT_CTL_REPLY),   E(OPEN_ASKED),               0,                                 TUNNEL_WAIT_CTL_REPLY },
	{ S(WAIT_CTL_CONN),    E(OPEN_ASKED) | E(TIE_LOST), 0,                                 TUNNEL_WAIT_CTL_CONN },
	{ S(ESTABLISHED),      E(TIE_LOST),                 0,                                 TUNNEL_ESTABLISHED },
};

unsigned tunnel_step(enum tunnel_state *state, enum tunnel_event event)
{
	ASSERT(*state < TUNNEL_STATES && event < TUNNEL_EVENTS);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((rows[i].from & 1u << *state) && (rows[i].on & 1u << event)) {
			*state = rows[i].to;
			return rows[i].act;
		}
	ASSERT(false && "every state and event has a row");
}

const char *tunnel_state_name(enum tunnel_state state)
{
	static const char *const name[TUNNEL_STATES] = {
		[TUNNEL_IDLE] = "idle", [TUNNEL_WAIT_CTL_REPLY] = "wait-ctl-reply",
		[TUNNEL_WAIT_CTL_CONN] = "wait-ctl-conn", [TUNNEL_ESTABLISHED] = "established",
	};

	ASSERT(state < TUNNEL_STATES);
	return name[state];
}
