/*
 * Goal: operators' text is split as the manual says, whatever octets it holds, and "did you mean" finds
 * what a typing mistake makes of a word.
 * Method: lines by hand with the words expected; every word that word_quote() calls writable is written
 * and read back; distances compared with known ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/base/words.h"
#include "l2tpns/base/wr.h"

/* The words of a line with | between them, or ! and the fault. */
static const char *split(const char *line)
{
	static char out[256];
	struct words words = words_of(bytes_str(line), "#!");
	struct bytes word;
	size_t used = 0;

	out[0] = 0;
	while (words_next(&words, &word))
		used += (size_t)snprintf(out + used, sizeof(out) - used, "%s%.*s", used ? "|" : "",
					 (int)word.len, (const char *)word.p);
	if (words.fault)
		snprintf(out, sizeof(out), "!%s", words.fault);
	return out;
}

static void lines_end_in_either_way(void **state)
{
	struct lines lines = lines_of(bytes_str("one\r\n\ntwo\r"));
	struct bytes line;

	(void)state;
	assert_true(lines_next(&lines, &line));
	assert_true(word_is(line, "one"));
	assert_true(lines_next(&lines, &line));
	assert_int_equal(line.len, 0);
	assert_true(lines_next(&lines, &line));
	assert_true(word_is(line, "two"));
	assert_int_equal(lines.number, 3);
	assert_false(lines_next(&lines, &line));
}

static void words_are_split(void **state)
{
	(void)state;
	assert_string_equal(split("set name value"), "set|name|value");
	assert_string_equal(split(" \t set\tname   "), "set|name");
	assert_string_equal(split("set x \"a b\" 'c \"d'"), "set|x|a b|c \"d");
	assert_string_equal(split("x \"back\\slash\""), "x|back\\slash");
	assert_string_equal(split("x y # rest"), "x|y");
	assert_string_equal(split("! all"), "");
	assert_string_equal(split("a#b c!d"), "a#b|c!d");
	assert_string_equal(split(""), "");
}

static void bad_lines_say_what_is_wrong(void **state)
{
	struct words nul = words_of(bytes_of("a\0b", 3), "#");
	struct bytes word;

	(void)state;
	assert_string_equal(split("x \"open"), "!quote without its end");
	assert_string_equal(split("x \"a\"b"), "!no blank after the closing quote");
	assert_string_equal(split("x it's"), "!quote inside a word: put the quotes around all of it");
	assert_string_equal(split("x a\x01"), "!control character in a word");
	assert_string_equal(split("x \"a\tb\""), "!control character in a word");
	assert_false(words_next(&nul, &word));
	assert_non_null(nul.fault);
	assert_false(words_next(&nul, &word));		/* and nothing after it */
}

static void a_value_may_begin_like_a_comment(void **state)
{
	struct words words = words_of(bytes_str("#secret #comment"), "#");
	struct bytes word;

	(void)state;
	assert_true(words_value(&words, &word));
	assert_true(word_is(word, "#secret"));
	assert_false(words_next(&words, &word));
	assert_null(words.fault);
}

static void what_can_be_quoted_reads_back(void **state)
{
	static const uint8_t seed[RND_SEED_LEN] = { 1 };
	static const char letters[] = "ab \t\"'#!\\|\x7f";
	struct rnd rnd;
	unsigned written = 0;

	(void)state;
	rnd_seed(&rnd, seed);
	for (int round = 0; round < 20000; round++) {
		uint8_t text[8], line[12];
		uint32_t len = rnd_below(&rnd, sizeof(text));

		for (uint32_t i = 0; i < len; i++)
			text[i] = (uint8_t)letters[rnd_below(&rnd, sizeof(letters))];
		int quote = word_quote(bytes_of(text, len));
		struct wr w = wr_of(line, sizeof(line));

		if (quote < 0)
			continue;
		if (quote)
			wr_u8(&w, (uint8_t)quote);
		wr_put(&w, text, len);
		if (quote)
			wr_u8(&w, (uint8_t)quote);
		struct words words = words_of(wr_bytes_of(&w), "#!");
		struct bytes word, more;

		assert_true(words_next(&words, &word));
		assert_true(bytes_eq(word, bytes_of(text, len)));
		assert_false(words_next(&words, &more));
		assert_null(words.fault);
		written++;
	}
	assert_true(written > 5000);
}

static void distances_are_known(void **state)
{
	char sixty_four[65];

	(void)state;
	memset(sixty_four, 'a', 64);
	sixty_four[64] = 0;
	assert_int_equal(words_distance("", ""), 0);
	assert_int_equal(words_distance("primary_dns", "primary_dsn"), 1);	/* a swap is one mistake */
	assert_int_equal(words_distance("kitten", "sitting"), 3);
	assert_int_equal(words_distance("", "abc"), 3);
	assert_int_equal(words_distance("debug", "debug"), 0);
	assert_int_equal(words_distance("ca", "abc"), 3);
	assert_true(words_distance(sixty_four, "a") > 1000);
	assert_int_equal(words_distance(sixty_four + 1, sixty_four + 2), 1);
}

static void numbers_have_digits_only(void **state)
{
	uint32_t n;
	char small[4];

	(void)state;
	assert_true(word_u32(bytes_str("4294967295"), &n));
	assert_int_equal(n, UINT32_MAX);
	assert_false(word_u32(bytes_str("4294967296"), &n));
	assert_false(word_u32(bytes_str("99999999999999999999"), &n));
	assert_false(word_u32(bytes_str(""), &n));
	assert_false(word_u32(bytes_str("-1"), &n));
	assert_false(word_u32(bytes_str("1 "), &n));
	assert_true(word_copy(bytes_str("abc"), small, sizeof(small)));
	assert_false(word_copy(bytes_str("abcd"), small, sizeof(small)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_in_either_way),
		cmocka_unit_test(words_are_split),
		cmocka_unit_test(bad_lines_say_what_is_wrong),
		cmocka_unit_test(a_value_may_begin_like_a_comment),
		cmocka_unit_test(what_can_be_quoted_reads_back),
		cmocka_unit_test(distances_are_known),
		cmocka_unit_test(numbers_have_digits_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
