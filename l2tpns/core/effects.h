/*
 * effects.h -- the payloads of the effects the control plane emits.
 *
 * Plain values, complete in themselves: the shell needs nothing of core's state
 * to carry one out, and a record of them can be compared octet for octet.
 */
#ifndef CORE_EFFECTS_H
#define CORE_EFFECTS_H

#include "l2tpns/base/fx.h"
#include "l2tpns/base/ids.h"

struct fx_tunnel {			/* FX_TUNNEL_PUT */
	struct tid	tid;
	struct peer_tid	peer_tid;
	struct addr	peer;
	struct ip	local;		/* our address the LAC uses */
};

struct fx_session {			/* FX_SESSION_PUT, FX_SESSION_DROP */
	struct row	row;
	struct tid	tid;
	struct sid	sid;
	struct peer_sid	peer_sid;
	struct ip4	address;	/* the subscriber's */
	uint16_t	mru;		/* largest inner packet we may send the subscriber, octets */
	uint16_t	mss;		/* TCP MSS to clamp SYNs to, 0 = leave alone */
	bool		source_check;	/* packets from the subscriber must come from its address or routes */
	bool		acfc, pfc;	/* header compression the subscriber accepts */
};

struct fx_route {			/* FX_ROUTE_PUT, FX_ROUTE_DROP */
	struct prefix4	prefix;
	struct row	row;
	bool		kernel;		/* outside every pool: the kernel needs a route to the tun device */
};

struct fx_crypt {			/* FX_CRYPT: then the hash, then the password */
	struct row	row;
	uint32_t	serial;		/* given back in lns_crypt_answered() */
	uint16_t	hash_len, password_len;
};

#endif
