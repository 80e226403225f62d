/*
 * apply.h -- what a new configuration changes, and the core's part of one.
 */
#ifndef CONFIG_APPLY_H
#define CONFIG_APPLY_H

#include "l2tpns/config/config.h"

#define CONFIG_CHANGES_MAX	192	/* rows; more than there are */

/* Our address on the subscribers' links and on the tun device when none is set.  RFC 6598 keeps the
 * prefix for the way between a provider and its subscribers, so it is nobody's tunnel end point. */
#define CONFIG_OUR_ADDRESS	UINT32_C(0x64400001)	/* 100.64.0.1 */

struct config_changes {
	unsigned	count;			/* rows that differ */
	uint16_t	row[CONFIG_CHANGES_MAX];
	unsigned	restarts;		/* of them wait for a restart */
	bool		lacs, kept;		/* lac lines differ; kept lines differ */
};

void config_compare(const struct config *before, const struct config *after, struct config_changes *changes);
bool config_same(const struct config *a, const struct config *b);

/* Change `number` (0 .. count-1) for the operator, "hello_interval 60 -> 30" or "bind_address ... (after a
 * restart)"; of a secret only that it changed.  Returns `line`. */
char *config_change_text(const struct config *before, const struct config *after,
			 const struct config_changes *changes, unsigned number, char line[CONFIG_LINE_MAX]);

/* Address of the tun device, and ours on the subscribers' links: never 0. */
struct ip4 config_tun_address(const struct config *config);
struct ip4 config_our_address(const struct config *config);

/* Everything core reads but the pools, which come from files of their own and are left as they are.
 * `host` is the system's name, for when the configuration has none. */
void config_to_lns(const struct config *config, const char *host, struct lns_conf *conf);

#endif
