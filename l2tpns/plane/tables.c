/* tables.c -- rows written so that a reader sees each whole or not at all. */
#include "l2tpns/plane/tables.h"

#define STORE(at, value)	__atomic_store_n((at), (value), __ATOMIC_RELAXED)
#define PUBLISH(at, value)	__atomic_store_n((at), (value), __ATOMIC_RELEASE)
#define COUNT(at)		__atomic_load_n((at), __ATOMIC_RELAXED)

struct tables_conf tables_conf_of(uint32_t tunnels_max, uint32_t sessions_max)
{
	return (struct tables_conf){
		.tunnels_max = tunnels_max,
		.sessions_max = sessions_max,
		.prefixes_max = sessions_max,
		.fans_max = min_u32(4096 + sessions_max, 1u << 18),
	};
}

void tables_init(struct tables *tables, const struct tables_conf *conf, struct arena *arena)
{
	uint32_t rows = (conf->sessions_max / PLANE_PAGE_ROWS + 1) * PLANE_PAGE_ROWS;

	ASSERT(rows <= PLANE_ROUTE_ROW_MAX && conf->tunnels_max <= UINT16_MAX);
	*tables = (struct tables){
		.pages = arena_take(arena, conf->tunnels_max + 1, sizeof(*tables->pages)),
		.tunnel = arena_take(arena, conf->tunnels_max + 1, sizeof(*tables->tunnel)),
		.session = arena_take(arena, rows, sizeof(*tables->session)),
	};
	route_init(&tables->route, conf->fans_max, conf->prefixes_max, arena);
	tables->fast = (struct fast_tables){
		.pages = tables->pages, .tunnel = tables->tunnel, .session = tables->session,
		.fan = tables->route.fan, .tunnels = conf->tunnels_max + 1, .sessions = rows,
		.fans = PLANE_ROUTE_ROOTS + conf->fans_max,
	};
}

/* After an ended row, before a new one: the words between may not be seen to move across. */
static void fence(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static uint32_t next_generation(struct tables *tables)
{
	tables->generation += PLANE_GENERATION;
	if (tables->generation == 0)
		tables->generation = PLANE_GENERATION;
	return tables->generation;
}

void tables_tunnel_put(struct tables *tables, const struct fx_tunnel *tunnel)
{
	struct plane_tunnel *row = &tables->tunnel[tunnel->tid.n];

	ASSERT(tunnel->tid.n > 0 && tunnel->tid.n < tables->fast.tunnels);
	PUBLISH(&row->valid, 0);
	fence();
	row->peer_tid = tunnel->peer_tid.n;
	row->peer_port = tunnel->peer.port;
	memcpy(row->peer, tunnel->peer.ip.b, sizeof(row->peer));
	memcpy(row->local, tunnel->local.b, sizeof(row->local));
	PUBLISH(&row->valid, next_generation(tables));
}

void tables_tunnel_drop(struct tables *tables, struct tid tid)
{
	ASSERT(tid.n > 0 && tid.n < tables->fast.tunnels);
	PUBLISH(&tables->tunnel[tid.n].valid, 0);
	memset(&tables->pages[tid.n], 0, sizeof(tables->pages[tid.n]));
}

static uint32_t session_flags(const struct fx_session *session)
{
	uint32_t flags = PLANE_OPEN;

	if (session->source_check)
		flags |= PLANE_SOURCE_CHECK;
	if (session->acfc)
		flags |= PLANE_ACFC;
	if (session->pfc)
		flags |= PLANE_PFC;
	return flags;
}

static bool session_is(const struct plane_session *row, const struct fx_session *session)
{
	return (row->flags & PLANE_OPEN) && row->tid == session->tid.n && row->sid == session->sid.n;
}

void tables_session_put(struct tables *tables, const struct fx_session *session)
{
	struct plane_session *row = &tables->session[session->row.n];
	uint32_t low = session->sid.n & (PLANE_PAGE_ROWS - 1);
	bool again = session_is(row, session);

	ASSERT(session->row.n > 0 && session->row.n < tables->fast.sessions && session->row.n >= low);
	ASSERT(session->tid.n > 0 && session->tid.n < tables->fast.tunnels && session->sid.n > 0);
	if (!again) {
		PUBLISH(&row->flags, 0);
		fence();
		STORE(&row->tid, session->tid.n);
		STORE(&row->sid, session->sid.n);
		STORE(&row->up_s, 0);
		STORE(&row->down_s, 0);
		STORE(&row->up_packets, 0);
		STORE(&row->up_octets, 0);
		STORE(&row->down_packets, 0);
		STORE(&row->down_octets, 0);
	}
	STORE(&row->peer_sid, session->peer_sid.n);
	STORE(&row->mru, session->mru);
	STORE(&row->mss, session->mss);
	STORE(&row->address, session->address.n);
	PUBLISH(&row->flags, next_generation(tables) | session_flags(session));
	PUBLISH(&tables->pages[session->tid.n].base[session->sid.n >> PLANE_PAGE_BITS], session->row.n - low + 1);
}

void tables_session_drop(struct tables *tables, const struct fx_session *session)
{
	struct plane_session *row = &tables->session[session->row.n];

	ASSERT(session->row.n > 0 && session->row.n < tables->fast.sessions);
	if (session_is(row, session))
		PUBLISH(&row->flags, 0);
}

static struct mono seconds(uint32_t s)
{
	return (struct mono){ (uint64_t)s * 1000000 };
}

void tables_usage(const struct tables *tables, struct row row, struct plane_usage *usage)
{
	const struct plane_session *session = &tables->session[row.n];

	ASSERT(row.n < tables->fast.sessions);
	*usage = (struct plane_usage){
		.up_packets = COUNT(&session->up_packets),
		.up_octets = COUNT(&session->up_octets),
		.down_packets = COUNT(&session->down_packets),
		.down_octets = COUNT(&session->down_octets),
		.up_heard = seconds(COUNT(&session->up_s)),
		.down_heard = seconds(COUNT(&session->down_s)),
	};
}
