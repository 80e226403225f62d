/* fuzz_l2tp_hdr.c -- any datagram: a reason, or a body that lies inside it. */
#include "l2tpns/wire/l2tp_hdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct l2tp_hdr hdr;
	enum why why = l2tp_hdr_decode(bytes_of(data, len), &hdr);

	ASSERT(why < WHYS);
	if (why != WHY_OK)
		return 0;
	ASSERT(hdr.body.p >= data + 6 && hdr.body.p + hdr.body.len <= data + len);
	if (!hdr.control)
		return 0;
	ASSERT(hdr.body.p == data + L2TP_HDR_CONTROL_LEN && hdr.sequenced && !hdr.priority);

	/* What we write from it is what we read, whatever stood in the reserved bits. */
	static uint8_t room[65536];
	struct wr w = wr_of(room, sizeof(room));

	l2tp_control_begin(&w, hdr.tunnel_id, hdr.session_id, hdr.ns, hdr.nr);
	wr_bytes(&w, hdr.body);
	l2tp_control_end(&w);
	ASSERT(wr_ok(&w));
	ASSERT(bytes_eq(bytes_of(room + 2, wr_len(&w) - 2), bytes_of(data + 2, wr_len(&w) - 2)));
	return 0;
}
