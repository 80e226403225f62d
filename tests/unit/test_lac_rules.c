/*
 * Goal: the rule found for a LAC is the one an operator expects: a name beats every prefix, the
 * longest prefix beats the others, the later of two equals wins, and nothing is found by accident.
 * Method: small lists by hand; then random lists compared with a plain search of the whole list,
 * through several configurations of the same table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/core/lac_rules.h"

static struct lac_rules rules;
static const struct hash_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };

static int table_make(void **state)
{
	struct arena sizes = { 0 };

	lac_rules_init(&rules, LAC_RULES_MAX, key, &sizes);
	struct arena arena = { .start = calloc(1, sizes.used), .room = sizes.used };

	lac_rules_init(&rules, LAC_RULES_MAX, key, &arena);
	*state = arena.start;
	return arena.start ? 0 : -1;
}

static int table_free(void **state)
{
	free(*state);
	return 0;
}

static struct lac_rule by_prefix(const char *text)
{
	struct lac_rule rule = { .allow = true };

	assert_true(ip4_prefix_parse(text, &rule.prefix));
	return rule;
}

static struct lac_rule by_name(const char *name)
{
	struct lac_rule rule = { .allow = true };

	snprintf(rule.name, sizeof(rule.name), "%s", name);
	return rule;
}

/* Number of the rule found, or -1. */
static int found(const char *address, const char *name)
{
	struct ip4 ip;

	assert_true(ip4_parse(address, &ip));
	const struct lac_rule *rule = lac_rules_find(&rules, ip_from4(ip), bytes_str(name));

	return rule ? (int)(rule - rules.rule) : -1;
}

static void names_and_prefixes(void **state)
{
	const struct lac_rule list[] = {
		by_prefix("10.0.0.0/8"), by_prefix("10.1.0.0/16"), by_prefix("10.1.2.3/32"), by_name("lac1"),
		by_name("lac2"), by_prefix("10.1.0.0/16"), by_name("lac2"),
	};

	(void)state;
	lac_rules_configured(&rules, list, ARRAY_LEN(list));
	assert_int_equal(found("10.9.9.9", "other"), 0);
	assert_int_equal(found("10.1.9.9", "other"), 5);
	assert_int_equal(found("10.1.2.3", "other"), 2);
	assert_int_equal(found("10.1.2.4", ""), 5);
	assert_int_equal(found("10.1.2.3", "lac1"), 3);
	assert_int_equal(found("192.0.2.1", "lac2"), 6);
	assert_int_equal(found("192.0.2.1", "lac"), -1);
	assert_int_equal(found("192.0.2.1", "lac11"), -1);
	assert_int_equal(found("192.0.2.1", "LAC1"), -1);
	assert_int_equal(found("11.0.0.0", ""), -1);
}

static void everyone_and_nobody(void **state)
{
	const struct lac_rule all[] = { by_prefix("0.0.0.0/0") };

	(void)state;
	lac_rules_configured(&rules, NULL, 0);
	assert_int_equal(found("10.1.2.3", "lac1"), -1);
	lac_rules_configured(&rules, all, ARRAY_LEN(all));
	assert_int_equal(found("10.1.2.3", "lac1"), 0);
	assert_int_equal(found("255.255.255.255", ""), 0);
	/* A prefix speaks for IPv4 only. */
	assert_null(lac_rules_find(&rules, (struct ip){ { 0x20, 1, 0x0d, 0xb8 } }, bytes_str("lac1")));
}

/* A Host Name AVP is 1 to 1017 octets of anything (RFC 2661 4.4.3). */
static void names_of_every_length(void **state)
{
	uint8_t long_name[1017];
	struct lac_rule list[1] = { by_name("") };

	(void)state;
	memset(long_name, 'a', sizeof(long_name));
	memset(list[0].name, 'a', LAC_NAME_MAX);
	lac_rules_configured(&rules, list, 1);
	for (size_t len = 0; len <= sizeof(long_name); len++)
		assert_int_equal(lac_rules_find(&rules, (struct ip){{0}}, bytes_of(long_name, len)) != NULL,
			len == LAC_NAME_MAX);
	long_name[10] = 0;
	assert_null(lac_rules_find(&rules, (struct ip){ { 0 } }, bytes_of(long_name, LAC_NAME_MAX)));
}

static const struct lac_rule *plain_search(const struct lac_rule *list, uint32_t count, struct ip4 peer,
					   const char *name)
{
	const struct lac_rule *best = NULL;

	for (uint32_t i = 0; i < count; i++)
		if (list[i].name[0] && strcmp(list[i].name, name) == 0)
			best = &list[i];
	if (best)
		return best;
	for (uint32_t i = 0; i < count; i++)
		if (!list[i].name[0] && prefix4_has(list[i].prefix, peer) &&
		    (!best || list[i].prefix.len >= best->prefix.len))
			best = &list[i];
	return best;
}

static void random_lists(void **state)
{
	static struct lac_rule list[LAC_RULES_MAX];
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, (const uint8_t[RND_SEED_LEN]){ 1 });
	for (int round = 0; round < 40; round++) {
		uint32_t count = rnd_below(&rnd, LAC_RULES_MAX + 1);
		char name[8];

		/* Few values, so that equals, nested prefixes and misses are all frequent. */
		for (uint32_t i = 0; i < count; i++) {
			list[i] = (struct lac_rule){ .prefix.len = (uint8_t)rnd_below(&rnd, 33) };
			list[i].prefix.net.n =
				(rnd_u32(&rnd) & 0x03000f07) & prefix4_mask(list[i].prefix.len);
			if (rnd_below(&rnd, 2))
				snprintf(list[i].name, sizeof(list[i].name), "n%u", rnd_below(&rnd, 400));
		}
		lac_rules_configured(&rules, list, count);
		for (int i = 0; i < 2000; i++) {
			struct ip4 peer = { rnd_u32(&rnd) & 0x03000f07 };

			snprintf(name, sizeof(name), "n%u", rnd_below(&rnd, 600));
			assert_ptr_equal(lac_rules_find(&rules, ip_from4(peer), bytes_str(name)),
					 plain_search(list, count, peer, name));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_prefixes),
		cmocka_unit_test(everyone_and_nobody),
		cmocka_unit_test(names_of_every_length),
		cmocka_unit_test(random_lists),
	};

	return cmocka_run_group_tests(tests, table_make, table_free);
}
