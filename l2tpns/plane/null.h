/*
 * null.h -- the plane that forwards nothing and counts what it was asked.
 *
 * For unit tests, replay and the simulator.  It checks what every plane may rely
 * on: what is dropped was put before, and rows are in range.
 */
#ifndef PLANE_NULL_H
#define PLANE_NULL_H

#include "l2tpns/plane/plane.h"

struct plane_null {
	struct plane	plane;		/* hand this to whoever wants a struct plane */
	uint64_t	tunnel_puts, tunnel_drops, session_puts, session_drops, route_puts, route_drops;
	int64_t		tunnels, sessions, routes;	/* put and not dropped; putting again counts again */
	uint32_t	routes_max;			/* refuse route_put beyond this many; 0 = never */
	struct fx_tunnel  last_tunnel;
	struct fx_session last_session;
	struct fx_route	  last_route;
	struct plane_usage usage;			/* what every session is said to have used */
};

void plane_null_init(struct plane_null *null);

#endif
