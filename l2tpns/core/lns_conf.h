/*
 * lns_conf.h -- what the control plane needs to know, as plain values.
 *
 * config/apply.c fills it from the options; lns_configured() takes a copy.
 */
#ifndef CORE_LNS_CONF_H
#define CORE_LNS_CONF_H

#include "l2tpns/core/ippool.h"
#include "l2tpns/core/ppp.h"

#define LAC_RULES_MAX		1024
#define LAC_SECRET_MAX		64
#define LAC_NAME_MAX		63

/* One LAC, by address or by its Host Name AVP; the longest matching prefix wins, a name beats a prefix. */
struct lac_rule {
	struct prefix4	prefix;			/* used when name is empty */
	char		name[LAC_NAME_MAX + 1];	/* Host Name, exact */
	char		secret[LAC_SECRET_MAX];	/* empty: the global one */
	bool		allow;
};

struct lns_conf {
	/* limits, read at start only */
	uint32_t	sessions_max;		/* up to 1,048,576 */
	uint32_t	tunnels_max;		/* up to 65,535 */
	uint32_t	addresses_max;		/* in all pools */

	/* tunnels */
	char		host_name[64];		/* our Host Name AVP */
	char		secret[LAC_SECRET_MAX];	/* global tunnel secret; empty = none */
	bool		challenge_lacs;		/* send a Challenge when there is a secret */
	bool		lacs_only_listed;	/* a LAC that no rule names is refused */
	struct lac_rule	lac[LAC_RULES_MAX];
	uint32_t	lacs;
	uint32_t	tunnels_opening_max;	/* half-open tunnels at one time */
	uint16_t	window;			/* Receive Window Size we advertise */
	uint32_t	hello_interval_s;	/* silence before HELLO; 0 = never */
	uint32_t	retransmit_ms, retransmit_max_ms;
	uint8_t		retransmit_tries;
	uint32_t	tunnel_linger_s;	/* how long a closed tunnel answers repeats: RFC 2661 5.7 full cycle */
	uint32_t	tunnel_idle_s;		/* close a tunnel without sessions after this; 0 = never */

	/* calls */
	uint32_t	call_timeout_s;		/* ICRQ to ICCN, and ICCN to session up */
	struct ppp_conf	ppp;
	uint16_t	mss;			/* clamp TCP SYNs to; 0 = no */
	bool		source_check;
	bool		allow_duplicate_users;	/* no: an older session of the same user is closed */
	char		guests[10][32];		/* names that may be logged in several times */
	uint32_t	session_timeout_s, idle_timeout_s;	/* when the subscriber has none; 0 = none */

	struct ippool_conf pools;
};

#endif
