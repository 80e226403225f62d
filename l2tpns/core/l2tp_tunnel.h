/*
 * l2tp_tunnel.h -- one control connection with a LAC.  RFC 2661 sections 5.1 and 7.2.1.
 *
 * The transition table is pure data, tunnel_step(); struct tunnel is the object
 * the lns keeps per tunnel id.
 */
#ifndef CORE_L2TP_TUNNEL_H
#define CORE_L2TP_TUNNEL_H

#include "l2tpns/base/addr.h"
#include "l2tpns/base/ids.h"
#include "l2tpns/base/mono.h"
#include "l2tpns/core/l2tp_chan.h"
#include "l2tpns/core/rows.h"

enum tunnel_state { TUNNEL_IDLE, TUNNEL_WAIT_CTL_REPLY, TUNNEL_WAIT_CTL_CONN, TUNNEL_ESTABLISHED, TUNNEL_STATES };

enum tunnel_event {
	TUNNEL_SCCRQ_OK, TUNNEL_SCCRQ_BAD, TUNNEL_SCCRP_OK, TUNNEL_SCCRP_BAD, TUNNEL_SCCCN_OK, TUNNEL_SCCCN_BAD,
	TUNNEL_STOPCCN, TUNNEL_OPEN_ASKED, TUNNEL_CLOSE_ASKED, TUNNEL_TIE_LOST, TUNNEL_EVENTS
};

enum tunnel_action {		/* bits, carried out lowest first */
	TUNNEL_SEND_SCCRQ   = 1 << 0,
	TUNNEL_SEND_SCCRP   = 1 << 1,
	TUNNEL_SEND_SCCCN   = 1 << 2,
	TUNNEL_SEND_STOPCCN = 1 << 3,
	TUNNEL_OPENED	    = 1 << 4,	/* "send tunnel-open event to waiting sessions" */
	TUNNEL_CLEAN_UP	    = 1 << 5
};

MUST_USE unsigned tunnel_step(enum tunnel_state *state, enum tunnel_event event);
const char *tunnel_state_name(enum tunnel_state state);

struct tunnel {
	bool		in_use;
	uint8_t		state;			/* enum tunnel_state */
	bool		closing;		/* StopCCN sent or received: lingers to answer repeats */
	bool		dropping;		/* sessions are being ended, a slice at a time */
	bool		stop_after_drop;	/* StopCCN is to be sent once the sessions are gone */
	bool		opening;		/* in the list of half-open tunnels */
	bool		put;			/* the data plane knows it */
	bool		lingering;		/* the peer's StopCCN is acknowledged, the sessions are gone */
	bool		dead;			/* the peer fell silent: nothing more is sent */
	bool		ack_listed;		/* in the list of tunnels to flush after this batch */
	bool		stub;			/* only its id is known: something of it was replicated before itself */
	uint8_t		drop_end;		/* enum session_end for the sessions being dropped */
	uint16_t	result, error;		/* of the StopCCN, either way */
	struct tid	tid;
	struct peer_tid	peer_tid;
	struct addr	peer;
	struct ip	local;
	struct chan	chan;
	uint32_t	host_name, vendor_name;	/* store handles */
	uint16_t	firmware;
	uint32_t	framing_caps, bearer_caps;
	uint8_t		challenge[16];		/* what we sent */
	bool		challenged;
	uint32_t	secret;			/* store handle; 0 = none */
	uint32_t	unknown;		/* store handle: fields of its record that a newer node wrote */
	uint32_t	sessions;		/* rows in its list */
	uint32_t	first;			/* row; 0 = none */
	uint32_t	next, prev;		/* of the half-open or the dropping list, by tunnel id; 0 = end */
	uint32_t	ack_next;
	struct mono	created, opened;
	struct mono	emptied;		/* when its last session went */
	struct row_pages pages;			/* session ids -> rows */
};

#endif
