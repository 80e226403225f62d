/*
 * ppp_opt.h -- configuration options of LCP and IPCP as rows.  RFC 1661 section 6, RFC 1332, RFC 1877.
 *
 * Pure.  A row says what an option is called, its shape and the limits of its
 * value; what we think of a value is the policy of core/ppp_lcp.c and
 * core/ppp_ipcp.c.  A table is indexed by option type.
 */
#ifndef WIRE_PPP_OPT_H
#define WIRE_PPP_OPT_H

#include "l2tpns/base/base.h"

enum lcp_opt {				/* RFC 1661 section 6; 1570, 1990 */
	LCP_MRU = 1, LCP_ACCM = 2, LCP_AUTH = 3, LCP_QUALITY = 4, LCP_MAGIC = 5, LCP_PFC = 7, LCP_ACFC = 8,
	LCP_FCS = 9, LCP_SELF_DESCRIBING_PAD = 10, LCP_NUMBERED_MODE = 11, LCP_CALLBACK = 13,
	LCP_COMPOUND_FRAMES = 15, LCP_MRRU = 17, LCP_SHORT_SEQUENCE = 18, LCP_ENDPOINT = 19,
	LCP_LINK_DISCRIMINATOR = 23, LCP_OPTS
};

enum ipcp_opt {				/* RFC 1332 section 3; 2290; 1877 */
	IPCP_ADDRESSES = 1, IPCP_COMPRESSION = 2, IPCP_ADDRESS = 3, IPCP_MOBILE = 4,
	IPCP_DNS1 = 129, IPCP_NBNS1 = 130, IPCP_DNS2 = 131, IPCP_NBNS2 = 132, IPCP_OPTS
};

enum opt_shape {
	OPT_FLAG,			/* no value: being there is the meaning */
	OPT_U8, OPT_U16, OPT_U32,
	OPT_IP4,
	OPT_AUTH,			/* protocol number, then its own data */
	OPT_BYTES
};

struct opt_row {
	const char	*name;		/* NULL: no such option */
	uint8_t		 shape;		/* enum opt_shape */
	uint8_t		 min, max;	/* octets of the value */
};

struct opt_table {
	const char		*proto;	/* "LCP" */
	const struct opt_row	*row;	/* [option type] */
	unsigned		 rows;
};

extern const struct opt_table lcp_options, ipcp_options;

/* NULL when the type is not known. */
const struct opt_row *opt_row_of(const struct opt_table *table, uint8_t type);

/* Is the value within its row's limits?  Unknown types have none. */
bool opt_fits(const struct opt_table *table, uint8_t type, struct bytes value);

/* "magic-number", or "option" when not known. */
const char *opt_name(const struct opt_table *table, uint8_t type);

#endif
