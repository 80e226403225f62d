/* ppp_fsm.c -- RFC 1661 section 4.1, typed as the RFC prints it. */
#include "l2tpns/core/ppp_fsm.h"

struct cell {
	uint16_t	act;
	uint8_t		next;
};

/* The RFC's own spelling, so that a row here can be laid beside a row there. */
enum {
	tld = FSM_TLD, tls = FSM_TLS, irc = FSM_IRC, zrc = FSM_ZRC, scr = FSM_SCR, sca = FSM_SCA,
	scn = FSM_SCN, str = FSM_STR, sta = FSM_STA, scj = FSM_SCJ, ser = FSM_SER, tlu = FSM_TLU,
	tlf = FSM_TLF
};

#define _	{ FSM_BAD, 0 }
#define G(n)	{ 0, n }
#define A(a, n)	{ a, n }

static const struct cell table[FSM_EVENTS][FSM_STATES] = {
/*			 0 Initial   1 Starting	    2 Closed	   3 Stopped		4 Closing    5 Stopp.
			 6 Req-Sent	 7 Ack-Rcvd	8 Ack-Sent     9 Opened */
[FSM_EV_UP]	    = {	 G(2),	     A(irc|scr,6),  _,		   _,			_,	     _,
			 _,		 _,		_,	       _ },
[FSM_EV_DOWN]	    = {	 _,	     _,		    G(0),	   A(tls,1),		G(0),	     G(1),
			 G(1),		 G(1),		G(1),	       A(tld,1) },
[FSM_EV_OPEN]	    = {	 A(tls,1),   G(1),	    A(irc|scr,6),  G(3),		G(5),	     G(5),
			 G(6),		 G(7),		G(8),	       G(9) },
[FSM_EV_CLOSE]	    = {	 G(0),	     A(tlf,0),	    G(2),	   G(2),		G(4),	     G(4),
			 A(irc|str,4),	 A(irc|str,4),	A(irc|str,4),  A(tld|irc|str,4) },

[FSM_EV_TO_PLUS]    = {	 _,	     _,		    _,		   _,			A(str,4),    A(str,5),
			 A(scr,6),	 A(scr,6),	A(scr,8),      _ },
[FSM_EV_TO_MINUS]   = {	 _,	     _,		    _,		   _,			A(tlf,2),    A(tlf,3),
			 A(tlf,3),	 A(tlf,3),	A(tlf,3),      _ },

[FSM_EV_RCR_PLUS]   = {	 _,	     _,		    A(sta,2),	   A(irc|scr|sca,8),	G(4),	     G(5),
			 A(sca,8),	 A(sca|tlu,9),	A(sca,8),      A(tld|scr|sca,8) },
[FSM_EV_RCR_MINUS]  = {	 _,	     _,		    A(sta,2),	   A(irc|scr|scn,6),	G(4),	     G(5),
			 A(scn,6),	 A(scn,7),	A(scn,6),      A(tld|scr|scn,6) },
[FSM_EV_RCA]	    = {	 _,	     _,		    A(sta,2),	   A(sta,3),		G(4),	     G(5),
			 A(irc,7),	 A(scr,6),	A(irc|tlu,9),  A(tld|scr,6) },
[FSM_EV_RCN]	    = {	 _,	     _,		    A(sta,2),	   A(sta,3),		G(4),	     G(5),
			 A(irc|scr,6),	 A(scr,6),	A(irc|scr,8),  A(tld|scr,6) },

[FSM_EV_RTR]	    = {	 _,	     _,		    A(sta,2),	   A(sta,3),		A(sta,4),    A(sta,5),
			 A(sta,6),	 A(sta,6),	A(sta,6),      A(tld|zrc|sta,5) },
[FSM_EV_RTA]	    = {	 _,	     _,		    G(2),	   G(3),		A(tlf,2),    A(tlf,3),
			 G(6),		 G(6),		G(8),	       A(tld|scr,6) },

[FSM_EV_RUC]	    = {	 _,	     _,		    A(scj,2),	   A(scj,3),		A(scj,4),    A(scj,5),
			 A(scj,6),	 A(scj,7),	A(scj,8),      A(scj,9) },
[FSM_EV_RXJ_PLUS]   = {	 _,	     _,		    G(2),	   G(3),		G(4),	     G(5),
			 G(6),		 G(6),		G(8),	       G(9) },
[FSM_EV_RXJ_MINUS]  = {	 _,	     _,		    A(tlf,2),	   A(tlf,3),		A(tlf,2),    A(tlf,3),
			 A(tlf,3),	 A(tlf,3),	A(tlf,3),      A(tld|irc|str,5) },

[FSM_EV_RXR]	    = {	 _,	     _,		    G(2),	   G(3),		G(4),	     G(5),
			 G(6),		 G(7),		G(8),	       A(ser,9) },
};

#undef _

uint16_t fsm_step(enum fsm_state *state, enum fsm_event event)
{
	ASSERT(*state < FSM_STATES);
	ASSERT(event < FSM_EVENTS);

	const struct cell *cell = &table[event][*state];

	if (cell->act != FSM_BAD)
		*state = cell->next;
	return cell->act;
}

bool fsm_timer_runs(enum fsm_state state)
{
	return state >= FSM_CLOSING && state <= FSM_ACKSENT;
}

const char *fsm_state_name(enum fsm_state state)
{
	static const char *const name[FSM_STATES] = {
		"initial", "starting", "closed", "stopped", "closing", "stopping",
		"req-sent", "ack-rcvd", "ack-sent", "opened",
	};

	return (unsigned)state < FSM_STATES ? name[state] : "unknown";
}

const char *fsm_event_name(enum fsm_event event)
{
	static const char *const name[FSM_EVENTS] = {
		"Up", "Down", "Open", "Close", "TO+", "TO-", "RCR+", "RCR-",
		"RCA", "RCN", "RTR", "RTA", "RUC", "RXJ+", "RXJ-", "RXR",
	};

	return (unsigned)event < FSM_EVENTS ? name[event] : "unknown";
}
