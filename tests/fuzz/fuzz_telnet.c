/* fuzz_telnet.c -- what a telnet client sends: never more comes out, never a line that libcli could not hold */
#include "l2tpns/io/telnet_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t out[1 << 16];
	struct telnet_filter filter = { 0 };
	size_t line = 0, longest = 0;
	unsigned key = 0;

	if (len > sizeof(out))
		return 0;
	size_t n = telnet_filter(&filter, data, len, out);

	ASSERT(n <= len && n + filter.refused <= len);
	for (size_t i = 0; i < n; i++) {
		uint8_t c = out[i];

		ASSERT(c != 0 && c != '\n' && c != 3);
		if (key) {
			if (key == 2 && (c == 'A' || c == 'B'))
				line = longest > line ? longest : line;
			key = key == 1 && c == '[' ? 2 : 0;
		} else if (c == 0x1b) {
			key = 1;
		} else if (c == '\r') {
			longest = line > longest ? line : longest;
			line = 0;
		} else if (c == 0x15) {
			line = 0;
		} else if (c == 0x10 || c == 0x0e) {
			line = longest > line ? longest : line;
		} else if (c == '\t') {
			line += TELNET_WORD_MAX - 1;
		} else if (c >= ' ' && c != 0x7f) {
			line++;
		}
		ASSERT(line <= TELNET_LINE_MAX + TELNET_WORD_MAX);
	}
	return 0;
}
