/* fuzz_clean.c -- octets made fit for a screen, and for JSON: nothing harmful is left, nothing is overrun */
#include "l2tpns/base/clean.h"
#include "l2tpns/cli/out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char text[4096], buffer[OUT_ROOM];
	struct out out;

	if (len < 2)
		return 0;
	size_t room = (size_t)(data[0] << 4) + 1, n;
	unsigned columns;

	n = clean_text(text, room, bytes_of(data + 1, len - 1), &columns);
	ASSERT(n < room && text[n] == '\0' && columns <= n);
	for (size_t i = 0; i < n; ) {
		unsigned octets = clean_char((const uint8_t *)text + i, n - i);

		ASSERT(octets > 0);
		i += octets;
	}
	out_init(&out, data[0] & 1 ? OUT_JSON : OUT_TEXT, buffer, sizeof(buffer));
	out_bytes(&out, "text", bytes_of(data + 1, len - 1));
	ASSERT(!out.cut);
	for (size_t i = 0; i < out.len; ) {
		unsigned octets = buffer[i] == '\n' ? 1 : clean_utf8((const uint8_t *)buffer + i, out.len - i);

		ASSERT(octets > 0 && ((uint8_t)buffer[i] >= ' ' || buffer[i] == '\n'));
		i += octets;
	}
	return 0;
}
