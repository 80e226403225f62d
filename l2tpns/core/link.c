/* link.c -- a PPP packet wrapped in address, control, protocol and the L2TP data header, ready to send. */
#include "l2tpns/core/link.h"
#include "l2tpns/wire/l2tp_hdr.h"
#include "l2tpns/wire/ppp.h"

void link_send(const struct link *link, uint16_t proto, struct bytes packet)
{
	struct wr w = fx_send_begin(link->out);

	l2tp_data_begin(&w, link->tid.n, link->sid.n);
	ppp_frame_begin(&w, proto, false, false);
	wr_bytes(&w, packet);

	bool sent = fx_send_end(link->out, &w, link->from, link->to);

	ASSERT(sent);	/* no machine of ours builds a packet that comes near FX_PACKET_MAX */
}
