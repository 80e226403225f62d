/*
 * lac_rules.h -- which configured rule speaks for a LAC: by Host Name, else by address.
 *
 * Pure.  A rule with a name serves the LAC whose Host Name AVP is exactly that
 * (RFC 2661 section 4.4.3); one without serves the IPv4 addresses of its prefix,
 * longest first.  A name beats every prefix.  Of two rules with the same name or
 * the same prefix the later one is found, as a later line of a file overrides an
 * earlier one.  A lookup costs one hash for the name and at most 33 for the
 * address, one per prefix length in use, however many rules there are.
 */
#ifndef CORE_LAC_RULES_H
#define CORE_LAC_RULES_H

#include "l2tpns/base/hash.h"
#include "l2tpns/base/index.h"
#include "l2tpns/core/lns_conf.h"

struct lac_rules {
	const struct lac_rule	*rule;		/* a loan from the configuration */
	uint32_t		 count;
	uint64_t		*hash;		/* of each rule, as it stands in the index */
	uint64_t		 lengths;	/* bit per prefix length in use */
	struct index		 index;		/* rule number + 1 by hash */
	struct hash_key		 key;
};

/* Room for `n` rules; there are none until lac_rules_configured(). */
void lac_rules_init(struct lac_rules *rules, uint32_t n, struct hash_key key, struct arena *arena);

/* Take over a new list of at most `n`, lent until the next one takes its place. */
void lac_rules_configured(struct lac_rules *rules, const struct lac_rule *rule, uint32_t count);

/* The rule for this LAC; NULL when none speaks for it. */
const struct lac_rule *lac_rules_find(const struct lac_rules *rules, struct ip peer, struct bytes host_name);

#endif
