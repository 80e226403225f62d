/*
 * plane.h -- what the control plane asks of any data plane: userspace, null, later XDP.
 *
 * Called on the control thread only.  put and drop take effect at once for new
 * packets; a packet already in a worker's hands may still use the old row.
 */
#ifndef PLANE_PLANE_H
#define PLANE_PLANE_H

#include "l2tpns/base/mono.h"
#include "l2tpns/base/why.h"
#include "l2tpns/core/effects.h"

struct plane;

struct plane_usage {			/* totals since the session was put */
	uint64_t	up_packets, up_octets, down_packets, down_octets;
	struct mono	up_heard, down_heard;	/* to the second; 0 = never */
};

struct plane_ops {
	const char *name;
	void (*tunnel_put)(struct plane *plane, const struct fx_tunnel *tunnel);
	void (*tunnel_drop)(struct plane *plane, struct tid tid);
	void (*session_put)(struct plane *plane, const struct fx_session *session);	/* again: counters kept */
	void (*session_drop)(struct plane *plane, const struct fx_session *session);
	bool (*route_put)(struct plane *plane, const struct fx_route *route);		/* false: no room */
	void (*route_drop)(struct plane *plane, const struct fx_route *route);
	void (*usage)(const struct plane *plane, struct row row, struct plane_usage *usage);
	uint64_t (*refused)(const struct plane *plane, enum why why);	/* packets refused for this reason */
};

struct plane {
	const struct plane_ops *ops;
};

#endif
