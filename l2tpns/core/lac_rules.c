/* lac_rules.c -- one index holds names and prefixes; a bit per prefix length says which are worth a look. */
#include "l2tpns/core/lac_rules.h"

static uint64_t prefix_hash(const struct lac_rules *rules, struct ip4 address, uint8_t len)
{
	uint32_t net = address.n & prefix4_mask(len);
	const uint8_t octets[] = {
		len, (uint8_t)(net >> 24), (uint8_t)(net >> 16), (uint8_t)(net >> 8), (uint8_t)net
	};

	return hash_octets(rules->key, bytes_of(octets, sizeof(octets)));
}

void lac_rules_init(struct lac_rules *rules, uint32_t n, struct hash_key key, struct arena *arena)
{
	*rules = (struct lac_rules){ .key = key, .hash = arena_take(arena, n, sizeof(*rules->hash)) };
	index_init(&rules->index, n, arena);
}

void lac_rules_configured(struct lac_rules *rules, const struct lac_rule *rule, uint32_t count)
{
	ASSERT(count <= rules->index.n);
	/* The old list may be gone already: its hashes were kept to take it out of the index. */
	for (uint32_t i = 0; i < rules->count; i++)
		index_drop(&rules->index, rules->hash[i], i + 1);
	rules->rule = rule;
	rules->count = count;
	rules->lengths = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (rule[i].name[0]) {
			rules->hash[i] = hash_octets(rules->key, bytes_str(rule[i].name));
		} else {
			ASSERT(rule[i].prefix.len <= 32);
			rules->hash[i] = prefix_hash(rules, rule[i].prefix.net, rule[i].prefix.len);
			rules->lengths |= UINT64_C(1) << rule[i].prefix.len;
		}
		index_put(&rules->index, rules->hash[i], i + 1);
	}
}

static const struct lac_rule *find_name(const struct lac_rules *rules, struct bytes name)
{
	if (name.len == 0 || name.len > LAC_NAME_MAX)
		return NULL;
	uint64_t hash = hash_octets(rules->key, name);

	for (uint32_t n = index_first(&rules->index, hash); n; n = index_next(&rules->index, n)) {
		const struct lac_rule *rule = &rules->rule[n - 1];

		if (rule->name[0] && bytes_eq(name, bytes_str(rule->name)))
			return rule;
	}
	return NULL;
}

static const struct lac_rule *find_prefix(const struct lac_rules *rules, struct ip4 peer, uint8_t len)
{
	uint64_t hash = prefix_hash(rules, peer, len);

	for (uint32_t n = index_first(&rules->index, hash); n; n = index_next(&rules->index, n)) {
		const struct lac_rule *rule = &rules->rule[n - 1];

		if (!rule->name[0] && rule->prefix.len == len && prefix4_has(rule->prefix, peer))
			return rule;
	}
	return NULL;
}

const struct lac_rule *lac_rules_find(const struct lac_rules *rules, struct ip peer, struct bytes host_name)
{
	const struct lac_rule *rule = find_name(rules, host_name);

	if (rule || !ip_is4(peer))
		return rule;
	for (uint64_t left = rules->lengths; left && !rule; ) {
		uint8_t len = (uint8_t)(63 - __builtin_clzll(left));

		left &= ~(UINT64_C(1) << len);
		rule = find_prefix(rules, ip_to4(peer), len);
	}
	return rule;
}
