/*
 * tables.h -- the one writer of the data plane's tables.
 *
 * Pure.  Turns what the control plane asks (struct fx_tunnel, fx_session,
 * fx_route) into rows of maps.h, in the order that lets readers work meanwhile.
 * The userspace plane and the loader of the XDP plane both write through it.
 */
#ifndef PLANE_TABLES_H
#define PLANE_TABLES_H

#include "l2tpns/core/effects.h"
#include "l2tpns/plane/fast_base.h"
#include "l2tpns/plane/plane.h"
#include "l2tpns/plane/route.h"

struct tables_conf {
	uint32_t	tunnels_max;	/* tunnel ids 1..tunnels_max */
	uint32_t	sessions_max;	/* rows 1..sessions_max, and up to the end of that page */
	uint32_t	prefixes_max;	/* routes shorter than /32 */
	uint32_t	fans_max;	/* 1 KiB each when used: one for each /16 and each /24 with a longer route */
};

struct tables {
	struct plane_pages	*pages;
	struct plane_tunnel	*tunnel;
	struct plane_session	*session;
	struct route		 route;
	struct fast_tables	 fast;		/* the readers' view of the same */
	uint32_t		 generation;
};

/* Enough for the limits whatever addresses the sessions have, as long as they lie in a few thousand /24. */
struct tables_conf tables_conf_of(uint32_t tunnels_max, uint32_t sessions_max);

void tables_init(struct tables *tables, const struct tables_conf *conf, struct arena *arena);

void tables_tunnel_put(struct tables *tables, const struct fx_tunnel *tunnel);
void tables_tunnel_drop(struct tables *tables, struct tid tid);
void tables_session_put(struct tables *tables, const struct fx_session *session);
void tables_session_drop(struct tables *tables, const struct fx_session *session);
void tables_usage(const struct tables *tables, struct row row, struct plane_usage *usage);

#endif
