/* ppp_opt.c -- configuration options of LCP and IPCP as rows. */
#include "l2tpns/wire/ppp_opt.h"

#define ANY	253			/* the length field is one octet and counts itself and the type */
#define ROW(n, s, lo, hi)	{ .name = n, .shape = s, .min = lo, .max = hi }

/* RFC 1661 section 6 for 1 to 8; 1570 for 9, 10 and 13; 1663 for 11; 1990 for 17 to 19; 2125 for 23. */
static const struct opt_row lcp_row[LCP_OPTS] = {
	[LCP_MRU]		  = ROW("mru",			 OPT_U16,   2,	 2),
	[LCP_ACCM]		  = ROW("accm",			 OPT_U32,   4,	 4),
	[LCP_AUTH]		  = ROW("auth-protocol",	 OPT_AUTH,  2, ANY),
	[LCP_QUALITY]		  = ROW("quality-protocol",	 OPT_BYTES, 2, ANY),
	[LCP_MAGIC]		  = ROW("magic-number",		 OPT_U32,   4,	 4),
	[LCP_PFC]		  = ROW("pfc",			 OPT_FLAG,  0,	 0),
	[LCP_ACFC]		  = ROW("acfc",			 OPT_FLAG,  0,	 0),
	[LCP_FCS]		  = ROW("fcs-alternatives",	 OPT_U8,    1,	 1),
	[LCP_SELF_DESCRIBING_PAD] = ROW("self-describing-pad",	 OPT_U8,    1,	 1),
	[LCP_NUMBERED_MODE]	  = ROW("numbered-mode",	 OPT_BYTES, 1, ANY),
	[LCP_CALLBACK]		  = ROW("callback",		 OPT_BYTES, 1, ANY),
	[LCP_COMPOUND_FRAMES]	  = ROW("compound-frames",	 OPT_FLAG,  0,	 0),
	[LCP_MRRU]		  = ROW("mrru",			 OPT_U16,   2,	 2),
	[LCP_SHORT_SEQUENCE]	  = ROW("short-sequence",	 OPT_FLAG,  0,	 0),
	[LCP_ENDPOINT]		  = ROW("endpoint-discriminator", OPT_BYTES, 1, 21),
	[LCP_LINK_DISCRIMINATOR]  = ROW("link-discriminator",	 OPT_U16,   2,	 2),
};

/* RFC 1332 section 3 for 1 to 3; 2290 for 4; 1877 for 129 to 132. */
static const struct opt_row ipcp_row[IPCP_OPTS] = {
	[IPCP_ADDRESSES]	  = ROW("ip-addresses",		 OPT_BYTES, 8,	 8),
	[IPCP_COMPRESSION]	  = ROW("ip-compression",	 OPT_BYTES, 2, ANY),
	[IPCP_ADDRESS]		  = ROW("ip-address",		 OPT_IP4,   4,	 4),
	[IPCP_MOBILE]		  = ROW("mobile-ipv4",		 OPT_IP4,   4,	 4),
	[IPCP_DNS1]		  = ROW("primary-dns",		 OPT_IP4,   4,	 4),
	[IPCP_NBNS1]		  = ROW("primary-nbns",		 OPT_IP4,   4,	 4),
	[IPCP_DNS2]		  = ROW("secondary-dns",	 OPT_IP4,   4,	 4),
	[IPCP_NBNS2]		  = ROW("secondary-nbns",	 OPT_IP4,   4,	 4),
};

const struct opt_table lcp_options = { "LCP", lcp_row, LCP_OPTS };
const struct opt_table ipcp_options = { "IPCP", ipcp_row, IPCP_OPTS };

const struct opt_row *opt_row_of(const struct opt_table *table, uint8_t type)
{
	return type < table->rows && table->row[type].name ? &table->row[type] : NULL;
}

bool opt_fits(const struct opt_table *table, uint8_t type, struct bytes value)
{
	const struct opt_row *row = opt_row_of(table, type);

	return !row || (value.len >= row->min && value.len <= row->max);
}

const char *opt_name(const struct opt_table *table, uint8_t type)
{
	const struct opt_row *row = opt_row_of(table, type);

	return row ? row->name : "option";
}
