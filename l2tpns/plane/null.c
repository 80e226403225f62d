/* null.c -- counters instead of packets. */
#include "l2tpns/plane/null.h"

static struct plane_null *null_of(struct plane *plane)
{
	return container_of(plane, struct plane_null, plane);
}

static void tunnel_put(struct plane *plane, const struct fx_tunnel *tunnel)
{
	struct plane_null *null = null_of(plane);

	ASSERT(tunnel->tid.n > 0);
	null->tunnel_puts++;
	null->tunnels++;
	null->last_tunnel = *tunnel;
}

static void tunnel_drop(struct plane *plane, struct tid tid)
{
	struct plane_null *null = null_of(plane);

	ASSERT(tid.n > 0);
	null->tunnel_drops++;
	null->tunnels--;
}

static void session_put(struct plane *plane, const struct fx_session *session)
{
	struct plane_null *null = null_of(plane);

	ASSERT(session->row.n > 0 && session->tid.n > 0 && session->sid.n > 0);
	null->session_puts++;
	null->sessions++;
	null->last_session = *session;
}

static void session_drop(struct plane *plane, const struct fx_session *session)
{
	struct plane_null *null = null_of(plane);

	ASSERT(session->row.n > 0);
	null->session_drops++;
	null->sessions--;
	null->last_session = *session;
}

static bool route_put(struct plane *plane, const struct fx_route *route)
{
	struct plane_null *null = null_of(plane);

	ASSERT(route->row.n > 0 && route->prefix.len <= 32);
	if (null->routes_max && null->routes >= (int64_t)null->routes_max)
		return false;
	null->route_puts++;
	null->routes++;
	null->last_route = *route;
	return true;
}

static void route_drop(struct plane *plane, const struct fx_route *route)
{
	struct plane_null *null = null_of(plane);

	null->route_drops++;
	null->routes--;
	null->last_route = *route;
}

static void usage(const struct plane *plane, struct row row, struct plane_usage *out)
{
	const struct plane_null *null = (const struct plane_null *)(const void *)
		((const char *)plane - offsetof(struct plane_null, plane));

	(void)row;
	*out = null->usage;
}

static uint64_t refused(const struct plane *plane, enum why why)
{
	(void)plane;
	(void)why;
	return 0;
}

static const struct plane_ops ops = {
	.name = "null",
	.tunnel_put = tunnel_put,
	.tunnel_drop = tunnel_drop,
	.session_put = session_put,
	.session_drop = session_drop,
	.route_put = route_put,
	.route_drop = route_drop,
	.usage = usage,
	.refused = refused,
};

void plane_null_init(struct plane_null *null)
{
	*null = (struct plane_null){ .plane = { .ops = &ops } };
}
