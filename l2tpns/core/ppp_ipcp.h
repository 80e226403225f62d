/*
 * ppp_ipcp.h -- IPCP as an LNS speaks it: both addresses and the DNS servers.  RFC 1332, RFC 1877.
 *
 * Pure policy on top of ppp_neg.c.
 */
#ifndef CORE_PPP_IPCP_H
#define CORE_PPP_IPCP_H

#include "l2tpns/core/ppp.h"

extern const struct neg_proto ipcp_proto;

#endif
