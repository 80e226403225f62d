/*
 * Goal: whatever a client sends, libcli sees lines, never one long enough to overrun what it completes into.
 * Method: telnet's own commands, line ends of every kind, cut at every place; random keys against a model of
 * the longest line libcli could hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/io/telnet_filter.h"

static void filtered(const char *in, size_t len, const char *want)
{
	for (size_t cut = 0; cut <= len; cut++) {	/* what comes in two pieces is the same */
		struct telnet_filter filter = { 0 };
		uint8_t out[256];
		size_t n = telnet_filter(&filter, (const uint8_t *)in, cut, out);

		n += telnet_filter(&filter, (const uint8_t *)in + cut, len - cut, out + n);
		assert_int_equal(n, strlen(want));
		assert_memory_equal(out, want, n);
	}
}

#define FILTERED(in, want) filtered(in, sizeof(in) - 1, want)

static void line_ends(void **state)
{
	(void)state;
	FILTERED("a\r\nb\r\0c\nd\re\n\nf\r\r\n", "a\rb\rc\rd\re\r\rf\r\r");
	FILTERED("\0\0x\0", "x");
}

static void telnet_commands(void **state)
{
	(void)state;
	FILTERED("a\xff\xfb\x01" "b\xff\xfd\x03" "c\xff\xf1" "d", "abcd");		/* WILL, DO, NOP */
	FILTERED("\xff\xfa\x18\0xterm\xff\xf0ok", "ok");				/* SB TERMINAL-TYPE ... SE */
	FILTERED("\xff\xfa\x1f\0\xff\xff\0\x18\xff\xf0ok", "ok");			/* 255 within, doubled */
	FILTERED("\xff\xff" "ok", "ok");
}

static void interrupts(void **state)
{
	struct telnet_filter filter = { 0 };
	uint8_t out[8];

	(void)state;
	assert_int_equal(telnet_filter(&filter, (const uint8_t *)"a\3b", 3, out), 2);
	assert_true(filter.interrupted);
	filter.interrupted = false;
	assert_int_equal(telnet_filter(&filter, (const uint8_t *)"\xff\xf4", 2, out), 0);
	assert_true(filter.interrupted);
}

static void long_lines(void **state)
{
	struct telnet_filter filter = { 0 };
	uint8_t in[2000], out[2000];

	(void)state;
	memset(in, 'x', sizeof(in));
	assert_int_equal(telnet_filter(&filter, in, sizeof(in), out), TELNET_LINE_MAX);
	assert_int_equal(filter.refused, sizeof(in) - TELNET_LINE_MAX);
	assert_int_equal(telnet_filter(&filter, (const uint8_t *)"\t", 1, out), 0);	/* no room */
	assert_int_equal(telnet_filter(&filter, (const uint8_t *)"\r\n", 2, out), 1);
	assert_int_equal(telnet_filter(&filter, in, 10, out), 10);
	assert_int_equal(telnet_filter(&filter, (const uint8_t *)"\x10", 1, out), 1);	/* it may recall that line */
	assert_int_equal(telnet_filter(&filter, in, 10, out), 0);
	assert_int_equal(telnet_filter(&filter, (const uint8_t *)"\x15", 1, out), 1);
	assert_int_equal(telnet_filter(&filter, in, 10, out), 10);
}

/*
 * The worst libcli could make of the keys: every TAB adds the longest word, every
 * recall brings the longest line it ever had, nothing but ^U and CR shortens.
 */
static void random_keys(void **state)
{
	static const char keys[] = "abc \t\r\n\x10\x0e\x15\x08\x7f\x1b[A\x1bOB\x17";
	struct rnd rnd;
	struct telnet_filter filter = { 0 };
	size_t line = 0, longest = 0;
	unsigned escape = 0;

	(void)state;
	rnd_seed(&rnd, (const uint8_t[RND_SEED_LEN]){ 3 });
	for (unsigned i = 0; i < 2000000; i++) {
		uint8_t in = (uint8_t)(rnd_u32(&rnd) % 4 ? 'x' : keys[rnd_u32(&rnd) % (sizeof(keys) - 1)]), out[1];

		if (in == '\r' && rnd_u32(&rnd) % 20)
			in = 'y';
		if (telnet_filter(&filter, &in, 1, out) == 0)
			continue;
		if (escape) {			/* as libcli does it: ESC, '[', then the key */
			if (escape == 2 && (out[0] == 'A' || out[0] == 'B'))
				line = longest > line ? longest : line;
			escape = escape == 1 && out[0] == '[' ? 2 : 0;
		} else if (out[0] == 0x1b) {
			escape = 1;
		} else if (out[0] == '\r') {
			longest = line > longest ? line : longest;
			line = 0;
		} else if (out[0] == 0x15) {
			line = 0;
		} else if (out[0] == 0x10 || out[0] == 0x0e) {
			line = longest > line ? longest : line;
		} else if (out[0] == '\t') {
			line += TELNET_WORD_MAX - 1;
		} else if (out[0] >= ' ' && out[0] != 0x7f) {
			line++;
		}
		assert_true(line <= TELNET_LINE_MAX + TELNET_WORD_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_ends),
		cmocka_unit_test(telnet_commands),
		cmocka_unit_test(interrupts),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(random_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
