/* fuzz_ppp_cp.c -- PPP frames, control packets, options: loans lie inside, a rewritten packet is the same. */
#include "l2tpns/wire/ppp.h"
#include "l2tpns/wire/ppp_opt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void inside(struct bytes part, const uint8_t *data, size_t len)
{
	ASSERT(part.len == 0 || (part.p >= data && part.p + part.len <= data + len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t room[70000];
	struct wr w = wr_of(room, sizeof(room));
	struct ppp_frame frame;
	struct ppp_opt opt;
	struct ppp_cp cp;

	if (len > 65535 || ppp_frame_decode(bytes_of(data, len), &frame) != WHY_OK)
		return 0;
	inside(frame.body, data, len);
	ASSERT((frame.proto & 0x101) == 1);
	ASSERT(ppp_proto_name(frame.proto));
	if (ppp_cp_decode(frame.body, &cp) != WHY_OK)
		return 0;
	inside(cp.data, data, len);
	ASSERT(ppp_code_name(cp.code));

	size_t mark = ppp_cp_begin(&w, cp.code, cp.id);
	struct rd r = rd_bytes(cp.data);
	enum why why = WHY_OK;

	while (rd_left(&r) > 0 && (why = ppp_opt_next(&r, &opt)) == WHY_OK) {
		inside(opt.value, data, len);
		ASSERT(opt.value.len <= 253);
		ASSERT(opt_name(frame.proto == PPP_LCP ? &lcp_options : &ipcp_options, opt.type));
		(void)opt_fits(frame.proto == PPP_LCP ? &lcp_options : &ipcp_options, opt.type, opt.value);
		ppp_opt_put(&w, opt.type, opt.value);
	}
	ASSERT(rd_left(&r) == 0);
	ppp_cp_end(&w, mark);
	ASSERT(wr_ok(&w));
	if (why == WHY_OK)
		ASSERT(bytes_eq(wr_bytes_of(&w), bytes_of(frame.body.p, cp.data.len + 4)));
	return 0;
}
