/*
 * link.h -- the way out to one subscriber: a PPP frame becomes an L2TP data packet to send.
 */
#ifndef CORE_LINK_H
#define CORE_LINK_H

#include "l2tpns/base/fx.h"
#include "l2tpns/base/ids.h"

struct link {
	struct fx_list	*out;
	struct ip	 from;
	struct addr	 to;
	struct peer_tid	 tid;
	struct peer_sid	 sid;
};

/* `packet` is everything after the protocol field.  Control protocols are sent with
 * address, control and the two-octet protocol field, which every peer must accept. */
void link_send(const struct link *link, uint16_t proto, struct bytes packet);

#endif
