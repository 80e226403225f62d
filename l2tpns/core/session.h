/*
 * session.h -- one subscriber's session: the call and everything that hangs on it.
 *
 * A session is a row of one array; struct row is its number.  Text of variable
 * length is kept in the lns's store and named by a handle.
 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include "l2tpns/base/ids.h"
#include "l2tpns/base/mono.h"
#include "l2tpns/core/l2tp_call.h"
#include "l2tpns/core/ppp.h"

/* Why a session ended: log, CDN and (later) accounting read the row.  The last three columns are the
 * CDN Result Code and Error Code (RFC 2661 4.4.2) and the Acct-Terminate-Cause (RFC 2866 5.10). */
enum session_end {
#define END(id, text, result, error, cause) SESSION_END_##id,
#include "l2tpns/core/session_end.def"
#undef END
	SESSION_ENDS
};

struct session_end_row {
	const char	*name, *text;
	uint16_t	 result, error;		/* error 0: none */
	uint8_t		 terminate_cause;
};
const struct session_end_row *session_end_row(enum session_end end);

struct session {
	uint8_t		state;			/* enum call_state; 0 with in_use false = free row */
	bool		in_use;
	bool		up;			/* IPCP opened: forwarding */
	bool		ending;			/* Terminate-Request sent; CDN when it is answered or given up */
	uint8_t		end;			/* enum session_end, once ending */
	uint8_t		pool;			/* which one its address comes from */
	bool		auth_pending;		/* a verdict is awaited from elsewhere */
	bool		kernel_route;		/* outside every pool when it came up */
	bool		named;			/* in the index of users: authenticated */
	uint8_t		epoch;			/* lns.epoch when it was last acted upon: core/lns_role.c */
	bool		proxied;		/* LCP or authentication came from the LAC's AVPs */
	struct tid	tid;
	struct sid	sid;
	struct peer_sid	peer_sid;
	uint8_t		auth_method;		/* enum auth_method that succeeded */
	uint16_t	end_error;		/* Error Code of the CDN, when not its end's own */
	uint32_t	next, prev;		/* rows of the same tunnel's list */
	uint32_t	serial;			/* of this use of the row; never the same twice in a row */
	uint32_t	auth_serial;		/* of the credentials a verdict is awaited on */
	uint32_t	call_serial;		/* the LAC's Call Serial Number */
	uint32_t	tx_bps, rx_bps;		/* the LAC's connect speeds, 0 = not told */
	uint32_t	physical_channel;
	union {					/* store handles, 0 = none */
		struct {
			uint32_t user, calling, called, sub_address, private_group;
			uint32_t access_line;	/* RFC 5515 AVPs as received, one after another */
			uint32_t unknown;	/* fields of its record that a newer node wrote: core/replica.h */
		};
		uint32_t text[7];		/* the same, to be given back */
	};
	struct ip4	address;		/* the subscriber's; 0 = none yet */
	struct ip4	fixed_address;		/* what its record asks for; 0 = from the pool */
	uint32_t	session_timeout_s, idle_timeout_s;
	struct mono	created, opened;
	struct mono	deadline;		/* call set-up must be over by then */
	struct ppp	ppp;
};

#endif
