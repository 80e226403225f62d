/* route.c -- prefix expansion over fans of 256, taken back by covering prefix. */
#include "l2tpns/plane/route.h"

enum { TOP_BITS = 16, MIDDLE_BITS = 24, HOST_BITS = 32 };

void route_init(struct route *route, uint32_t fans, uint32_t prefixes, struct arena *arena)
{
	*route = (struct route){
		.fan = arena_take(arena, PLANE_ROUTE_ROOTS + fans, sizeof(*route->fan)),
		.longer = arena_take(arena, PLANE_ROUTE_ROOTS + fans, sizeof(*route->longer)),
		.retired = arena_take(arena, PLANE_ROUTE_ROOTS + fans, sizeof(*route->retired)),
		.prefix = arena_take(arena, prefixes + 1, sizeof(*route->prefix)),
	};
	pool_init(&route->fans, fans, arena);
	pool_init(&route->prefixes, prefixes, arena);
	index_init(&route->by_net, prefixes, arena);
}

static uint64_t net_hash(uint32_t net, uint32_t len)
{
	uint64_t x = ((uint64_t)net << 6 | len) * UINT64_C(0x9e3779b97f4a7c15);

	return x >> 29 ^ x >> 47;
}

/* The number of a stored prefix, 0 = none. */
static uint32_t prefix_find(const struct route *route, uint32_t net, uint32_t len)
{
	uint32_t n;

	if (route->of_len[len] == 0)
		return 0;
	for (n = index_first(&route->by_net, net_hash(net, len)); n; n = index_next(&route->by_net, n))
		if (route->prefix[n].net == net && PLANE_ROUTE_LEN1(route->prefix[n].entry) == len + 1)
			return n;
	return 0;
}

/* The entry of the longest prefix around this one, 0 = none. */
static uint32_t cover(const struct route *route, struct prefix4 prefix)
{
	for (uint32_t len = prefix.len; len-- > 0;) {
		uint32_t n = prefix_find(route, prefix.net.n & prefix4_mask((uint8_t)len), len);

		if (n)
			return route->prefix[n].entry;
	}
	return 0;
}

static bool is_longer(uint32_t entry, unsigned bits)
{
	return (entry & PLANE_ROUTE_IS_FAN) || PLANE_ROUTE_LEN1(entry) > bits + 1;
}

/* `bits`: how much of the address led to this fan. */
static void entry_set(struct route *route, uint32_t fan, uint32_t slot, unsigned bits, uint32_t entry)
{
	uint32_t *at = &route->fan[fan].entry[slot];

	if (bits > 8) {
		route->longer[fan] = (uint16_t)(route->longer[fan] - is_longer(*at, bits) + is_longer(entry, bits));
	}
	__atomic_store_n(at, entry, __ATOMIC_RELEASE);
}

/* In one slot and all below it: `entry` takes the place of what is no longer than it, or, when
 * `only` is given, of exactly that. */
static void slot_fill(struct route *route, uint32_t fan, uint32_t slot, unsigned bits, uint32_t entry, uint32_t only)
{
	uint32_t now = route->fan[fan].entry[slot];

	if (now & PLANE_ROUTE_IS_FAN) {
		ASSERT(bits < MIDDLE_BITS);
		for (uint32_t below = 0; below < PLANE_ROUTE_FAN; below++)
			slot_fill(route, PLANE_ROUTE_FAN_OF(now), below, bits + 8, entry, only);
	} else if (only ? now == only : PLANE_ROUTE_LEN1(now) <= PLANE_ROUTE_LEN1(entry)) {
		entry_set(route, fan, slot, bits, entry);
	}
}

/* The way down to the fan whose slots a prefix fills. */
struct path {
	uint32_t fan[3];
	uint32_t slot[3];
	unsigned depth;			/* the last index in use */
};

static struct path path_start(struct prefix4 prefix)
{
	uint32_t a = prefix.net.n;

	return (struct path){ .fan = { a >> 24 }, .slot = { a >> 16 & 255, a >> 8 & 255, a & 255 } };
}

static unsigned depth_of(struct prefix4 prefix)
{
	return prefix.len <= TOP_BITS ? 0 : prefix.len <= MIDDLE_BITS ? 1 : 2;
}

/* Take the fan's place back into its parent's slot when every entry of it says the same. */
static void path_collapse(struct route *route, const struct path *path)
{
	for (unsigned depth = path->depth; depth > 0; depth--) {
		uint32_t fan = path->fan[depth];

		if (route->longer[fan] > 0)
			return;
		entry_set(route, path->fan[depth - 1], path->slot[depth - 1], 8 * depth, route->fan[fan].entry[0]);
		route->retired[fan] = route->retired_first;
		route->retired_first = fan;
	}
}

static bool path_make(struct route *route, struct path *path, unsigned depth)
{
	while (path->depth < depth) {
		uint32_t parent = path->fan[path->depth], slot = path->slot[path->depth];
		uint32_t entry = route->fan[parent].entry[slot], fan;

		if (entry & PLANE_ROUTE_IS_FAN) {
			fan = PLANE_ROUTE_FAN_OF(entry);
		} else {
			fan = pool_take(&route->fans);
			if (!fan) {
				path_collapse(route, path);
				return false;
			}
			fan += PLANE_ROUTE_ROOTS - 1;
			route->longer[fan] = 0;
			for (unsigned i = 0; i < PLANE_ROUTE_FAN; i++)
				route->fan[fan].entry[i] = entry;
			entry_set(route, parent, slot, 8 * (path->depth + 1), PLANE_ROUTE_IS_FAN | fan);
		}
		path->fan[++path->depth] = fan;
	}
	return true;
}

static bool path_find(const struct route *route, struct path *path, unsigned depth)
{
	while (path->depth < depth) {
		uint32_t entry = route->fan[path->fan[path->depth]].entry[path->slot[path->depth]];

		if (!(entry & PLANE_ROUTE_IS_FAN))
			return false;
		path->fan[++path->depth] = PLANE_ROUTE_FAN_OF(entry);
	}
	return true;
}

/* All the slots of the prefix; a prefix shorter than /8 reaches over several roots. */
static void path_fill(struct route *route, const struct path *path, struct prefix4 prefix, uint32_t entry,
		      uint32_t only)
{
	unsigned bits = 8 * (path->depth + 1);
	uint32_t slots = 1u << (bits + 8 - prefix.len);
	uint32_t first = path->slot[path->depth] + path->fan[0] * PLANE_ROUTE_FAN * (path->depth == 0);

	for (uint32_t i = first; i < first + slots; i++) {
		uint32_t fan = path->depth == 0 ? i / PLANE_ROUTE_FAN : path->fan[path->depth];

		slot_fill(route, fan, i % PLANE_ROUTE_FAN, bits, entry, only);
	}
}

bool route_put(struct route *route, struct prefix4 prefix, struct row row)
{
	struct path path = path_start(prefix);
	uint32_t entry = PLANE_ROUTE(row.n, (uint32_t)prefix.len);
	uint32_t n = 0;

	ASSERT(row.n > 0 && row.n <= PLANE_ROUTE_ROW_MAX && prefix.len <= HOST_BITS);
	ASSERT((prefix.net.n & ~prefix4_mask(prefix.len)) == 0);
	if (prefix.len < HOST_BITS) {
		n = prefix_find(route, prefix.net.n, prefix.len);
		if (!n && route->prefixes.used == route->prefixes.n)
			return false;
	}
	if (!path_make(route, &path, depth_of(prefix)))
		return false;
	if (prefix.len < HOST_BITS) {
		if (!n) {
			n = pool_take(&route->prefixes);
			index_put(&route->by_net, net_hash(prefix.net.n, prefix.len), n);
			route->of_len[prefix.len]++;
		}
		route->prefix[n] = (struct route_prefix){ .net = prefix.net.n, .entry = entry };
	} else if (PLANE_ROUTE_LEN1(route->fan[path.fan[2]].entry[path.slot[2]]) != HOST_BITS + 1) {
		route->of_len[HOST_BITS]++;
	}
	path_fill(route, &path, prefix, entry, 0);
	return true;
}

void route_drop(struct route *route, struct prefix4 prefix, struct row row)
{
	struct path path = path_start(prefix);
	uint32_t entry = PLANE_ROUTE(row.n, (uint32_t)prefix.len), n = 0;

	if (!path_find(route, &path, depth_of(prefix)))
		return;
	if (prefix.len < HOST_BITS) {
		n = prefix_find(route, prefix.net.n, prefix.len);
		if (!n || route->prefix[n].entry != entry)
			return;
		index_drop(&route->by_net, net_hash(prefix.net.n, prefix.len), n);
		pool_give(&route->prefixes, n);
	} else if (route->fan[path.fan[2]].entry[path.slot[2]] != entry) {
		return;
	}
	route->of_len[prefix.len]--;
	path_fill(route, &path, prefix, cover(route, prefix), entry);
	path_collapse(route, &path);
}

uint32_t route_retired(struct route *route)
{
	uint32_t fan = route->retired_first;

	if (fan)
		route->retired_first = route->retired[fan];
	return fan;
}

void route_fan_free(struct route *route, uint32_t fan)
{
	ASSERT(fan >= PLANE_ROUTE_ROOTS);
	pool_give(&route->fans, fan - PLANE_ROUTE_ROOTS + 1);
}

uint32_t route_count(const struct route *route)
{
	uint32_t n = 0;

	for (unsigned len = 0; len <= HOST_BITS; len++)
		n += route->of_len[len];
	return n;
}

uint32_t route_fans_used(const struct route *route)
{
	return route->fans.used;
}
