/*
 * Goal: whatever octets a subscriber chose, what reaches a screen or a log is printable, and can be told apart.
 * Method: UTF-8 by the table of RFC 3629 section 4; every single octet; every cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "l2tpns/base/clean.h"

static void utf8(void **state)
{
	static const struct { const char *octets; unsigned len; } rows[] = {
		{ "a", 1 }, { "\x7f", 1 }, { "\xc2\x80", 2 }, { "\xdf\xbf", 2 }, { "\xe0\xa0\x80", 3 },
		{ "\xed\x9f\xbf", 3 }, { "\xee\x80\x80", 3 }, { "\xf0\x90\x80\x80", 4 }, { "\xf4\x8f\xbf\xbf", 4 },
		/* overlong, surrogates, beyond the last, continuations alone, what never occurs */
		{ "\xc0\x80", 0 }, { "\xc1\xbf", 0 }, { "\xe0\x9f\xbf", 0 }, { "\xf0\x8f\xbf\xbf", 0 },
		{ "\xed\xa0\x80", 0 }, { "\xf4\x90\x80\x80", 0 }, { "\x80", 0 }, { "\xbf", 0 }, { "\xfe", 0 },
		{ "\xff", 0 }, { "\xc3(", 0 }, { "\xe2\x82(", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const uint8_t *p = (const uint8_t *)rows[i].octets;

		assert_int_equal(clean_utf8(p, strlen(rows[i].octets)), rows[i].len);
		for (unsigned cut = 0; cut < rows[i].len; cut++)
			assert_int_equal(clean_utf8(p, cut), 0);
	}
}

static void every_octet_alone(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		uint8_t octet = (uint8_t)c;
		char text[8], want[8];
		unsigned columns;
		size_t len = clean_text(text, sizeof(text), bytes_of(&octet, 1), &columns);

		if (c == '\\')
			(void)snprintf(want, sizeof(want), "\\\\");
		else if (c >= 0x20 && c < 0x7f)
			(void)snprintf(want, sizeof(want), "%c", (int)c);
		else
			(void)snprintf(want, sizeof(want), "\\x%02x", c);
		assert_string_equal(text, want);
		assert_int_equal(len, strlen(want));
		assert_int_equal(columns, len);
	}
}

static void what_turns_a_screen(void **state)
{
	char text[64];
	unsigned columns;

	(void)state;
	(void)clean_text(text, sizeof(text), bytes_str("a\xe2\x80\xae" "b"), &columns);	/* U+202E, right to left */
	assert_string_equal(text, "a\\xe2\\x80\\xae" "b");
	(void)clean_text(text, sizeof(text), bytes_str("\xc2\x9b" "2J"), &columns);		/* C1: CSI */
	assert_string_equal(text, "\\xc2\\x9b" "2J");
	(void)clean_text(text, sizeof(text), bytes_str("J\xc3\xbcrgen"), &columns);
	assert_string_equal(text, "J\xc3\xbcrgen");
	assert_int_equal(columns, 6);
}

static void cut_between_characters(void **state)
{
	static const char from[] = "a\xc3\xbc\x01\\z";
	char whole[32], text[32];
	size_t all = clean_text(whole, sizeof(whole), bytes_str(from), NULL);

	(void)state;
	for (size_t room = 1; room <= all + 1; room++) {
		size_t len = clean_text(text, room, bytes_str(from), NULL);

		assert_true(len < room && text[len] == '\0');
		assert_memory_equal(text, whole, len);
		assert_true((whole[len] & 0xc0) != (char)0x80);
	}
	assert_int_equal(clean_text(text, 0, bytes_str(from), NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8),
		cmocka_unit_test(every_octet_alone),
		cmocka_unit_test(what_turns_a_screen),
		cmocka_unit_test(cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
