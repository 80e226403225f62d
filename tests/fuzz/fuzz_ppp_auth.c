/* fuzz_ppp_auth.c -- PAP and CHAP packets and the hashes over what they carry. */
#include "l2tpns/wire/ppp_auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void inside(struct bytes part, const uint8_t *data, size_t len)
{
	ASSERT(part.len == 0 || (part.p >= data && part.p + part.len <= data + len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes a, b, again, name;
	uint8_t room[4096], nt[NT_HASH_LEN], response[24];
	char success[MSCHAPV2_SUCCESS_LEN];

	if (len > 3000)
		return 0;
	struct bytes all = bytes_of(data, len);

	if (pap_request_decode(all, &a, &b) == WHY_OK) {
		inside(a, data, len);
		inside(b, data, len);
		ASSERT(a.len <= 255 && b.len <= 255 && a.len + b.len + 2 <= len);
	}
	if (chap_value_decode(all, &a, &b) == WHY_OK) {
		struct wr w = wr_of(room, sizeof(room));

		inside(a, data, len);
		inside(b, data, len);
		ASSERT(a.len > 0 && a.len + b.len + 1 == len);
		chap_value_encode(&w, CHAP_RESPONSE, 1, a, b);
		ASSERT(wr_ok(&w));
		ASSERT(chap_value_decode(bytes_of(room + 4, wr_len(&w) - 4), &again, &name) == WHY_OK);
		ASSERT(bytes_eq(again, a) && bytes_eq(name, b));
	}
	nt_hash(all, nt);
	name = mschap_user(all);
	inside(name, data, len);
	if (len >= 32) {
		mschapv2_nt_response(nt, data, data + 16, name, response);
		mschapv2_success(nt, data, data + 16, response, name, success);
		ASSERT(success[0] == 'S' && success[1] == '=');
	}
	return 0;
}
