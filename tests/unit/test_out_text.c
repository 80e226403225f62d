/*
 * Goal: tables line up, details read well, whatever the values are; metrics are what Prometheus reads.
 * Method: whole outputs compared; hostile and overlong values; the buffer's end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "l2tpns/cli/out.h"

static char buffer[OUT_ROOM + 1];

static struct out begun(enum out_form form)
{
	struct out out;

	out_init(&out, form, buffer, OUT_ROOM);
	out_begin(&out);
	return out;
}

static const char *text_of(struct out *out)
{
	buffer[out->len] = '\0';
	return buffer;
}

static const struct out_column columns[] = {
	{ "sid", "SID", 5, true }, { "user", "USER", 6, false }, { "idle_s", "IDLE", 6, true },
	{ "note", "NOTE", 0, false },
};

static void line(struct out *out, uint32_t sid, const char *user, uint64_t idle, const char *note)
{
	out_object(out, NULL);
	out_id(out, "sid", sid);
	out_word(out, "user", user);
	out_seconds(out, "idle_s", idle);
	out_word(out, "note", note);
	out_end(out);
}

static void table(void **state)
{
	struct out out = begun(OUT_TEXT);

	(void)state;
	out_list(&out, "things", columns, ARRAY_LEN(columns));
	line(&out, 7, "ann", 5, "x");
	line(&out, 12345678, "somebody-long", 90061, "");	/* what is too wide pushes the rest on */
	line(&out, 3, "J\xc3\xbc", 61, "\x1b[2J");
	out_end(&out);
	out_finish(&out);
	assert_string_equal(text_of(&out),
		"  SID USER     IDLE NOTE\n"
		"    7 ann        5s x\n"
		"12345678 somebody-long 1d01h -\n"
		"    3 J\xc3\xbc      1m01s \\x1b[2J\n");
}

static void detail(void **state)
{
	struct out out = begun(OUT_TEXT);

	(void)state;
	out_list(&out, "things", NULL, 0);
	for (unsigned i = 1; i < 3; i++) {
		out_object(&out, NULL);
		out_id(&out, "sid", i);
		out_object(&out, "traffic");
		out_octets(&out, "down_octets", 1234567);
		out_count(&out, "down_packets", 1234567);
		out_end(&out);
		out_end(&out);
	}
	out_end(&out);
	out_finish(&out);
	assert_string_equal(text_of(&out),
		"sid:                    1\n"
		"traffic:\n"
		"  down:                 1.23MB (1234567 octets)\n"
		"  down packets:         1234567\n"
		"\n"
		"sid:                    2\n"
		"traffic:\n"
		"  down:                 1.23MB (1234567 octets)\n"
		"  down packets:         1234567\n");
}

/* One value as a detail shows it. */
static void value_is(void (*put)(struct out *out, const char *name, uint64_t n), uint64_t n, const char *want)
{
	struct out out = begun(OUT_TEXT);

	put(&out, "x", n);
	buffer[out.len - 1] = '\0';
	assert_string_equal(buffer + 24, want);
}

static void values(void **state)
{
	(void)state;
	value_is(out_octets, 0, "0");
	value_is(out_octets, 9999, "9999");
	value_is(out_octets, 10000, "10.0kB (10000 octets)");
	value_is(out_octets, 999999, "999kB (999999 octets)");
	value_is(out_octets, UINT64_MAX, "18.4EB (18446744073709551615 octets)");
	value_is(out_bps, 64000, "64.0kbit/s");
	value_is(out_count, UINT64_MAX, "18446744073709551615");
	value_is(out_seconds, 59, "59s");
	value_is(out_seconds, 3600, "1:00:00");
	value_is(out_seconds, 93784, "1d 02:03:04");
	value_is(out_hundredths, 1205, "12.05");
	/* dates: 1970, a leap day, the last second of a century, far ahead */
	value_is(out_when, 0, "1970-01-01 00:00:00 UTC");
	value_is(out_when, 951782400, "2000-02-29 00:00:00 UTC");
	value_is(out_when, 4102444799, "2099-12-31 23:59:59 UTC");
	value_is(out_when, 1772362800, "2026-03-01 11:00:00 UTC");
}

static void addresses(void **state)
{
	struct out out = begun(OUT_TEXT);

	(void)state;
	out_ip4(&out, "a", (struct ip4){ 0xc0000201 });
	out_ip4(&out, "b", (struct ip4){ 0 });
	out_addr(&out, "c", (struct addr){ .ip = ip_from4((struct ip4){ 0xc0000201 }), .port = 1701 });
	out_bool(&out, "d", true);
	out_none(&out, "e");
	assert_string_equal(text_of(&out),
		"a:                      192.0.2.1\n"
		"b:                      -\n"
		"c:                      192.0.2.1:1701\n"
		"d:                      yes\n"
		"e:                      -\n");
}

static void families(struct out *out)
{
	static const struct out_family single = { "sessions", "sessions there are", NULL, OUT_GAUGE };
	static const struct out_family refused = { "refused", "refused, by reason", "reason", OUT_COUNTER };
	static const struct out_family empty = { "empty", "nothing", "which", OUT_COUNTER };

	out_family(out, &single);
	out_sample(out, NULL, NULL, 5);
	out_family_end(out);
	out_family(out, &refused);
	out_sample(out, "SHORT", "too short", 3);
	out_sample(out, "LONG\"\\\n", "too long", 0);
	out_family_end(out);
	out_family(out, &empty);
	out_family_end(out);
}

static void family_text(void **state)
{
	struct out out = begun(OUT_TEXT);

	(void)state;
	families(&out);
	assert_string_equal(text_of(&out),
		"sessions                                   5  sessions there are\n"
		"\nrefused, by reason:\n"
		"  SHORT                                    3  too short\n"
		"\nnothing:\n"
		"  none\n");
}

static void family_metrics(void **state)
{
	struct out out = begun(OUT_METRICS);

	(void)state;
	out_list(&out, "things", columns, ARRAY_LEN(columns));		/* has no place there */
	line(&out, 7, "ann", 5, "x");
	out_end(&out);
	families(&out);
	out_finish(&out);
	assert_string_equal(text_of(&out),
		"# HELP l2tpns_sessions sessions there are\n"
		"# TYPE l2tpns_sessions gauge\n"
		"l2tpns_sessions 5\n"
		"# HELP l2tpns_refused_total refused, by reason\n"
		"# TYPE l2tpns_refused_total counter\n"
		"l2tpns_refused_total{reason=\"SHORT\"} 3\n"
		"l2tpns_refused_total{reason=\"LONG\\\"\\\\\\n\"} 0\n"
		"# HELP l2tpns_empty_total nothing\n"
		"# TYPE l2tpns_empty_total counter\n");
}

/* The largest object a command writes fits what out_has_room() promised, whatever is in it. */
static void largest_object(void **state)
{
	char hostile[OUT_TEXT_MAX + 100];

	(void)state;
	memset(hostile, 1, sizeof(hostile));
	for (enum out_form form = OUT_TEXT; form <= OUT_JSON; form++) {
		struct out out = begun(form);

		out_list(&out, "things", NULL, 0);
		out_object(&out, NULL);
		for (unsigned i = 0; i < 8; i++)
			out_bytes(&out, "name_of_some_length", bytes_of(hostile, sizeof(hostile)));
		for (unsigned i = 0; i < 60; i++)
			out_count(&out, "name_of_some_length", UINT64_MAX);
		out_end(&out);
		assert_true(out.len <= OUT_OBJECT_MAX);
		assert_false(out.cut);
	}
}

/* Past the end nothing is written, and it is known. */
static void end_of_the_buffer(void **state)
{
	struct out out = begun(OUT_TEXT);

	(void)state;
	buffer[OUT_ROOM] = 'Z';
	for (unsigned i = 0; i < OUT_ROOM; i++)
		out_puts(&out, "abc");
	assert_int_equal(out.len, OUT_ROOM);
	assert_true(out.cut);
	assert_int_equal(buffer[OUT_ROOM], 'Z');
	assert_false(out_has_room(&out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(detail),
		cmocka_unit_test(values),
		cmocka_unit_test(addresses),
		cmocka_unit_test(family_text),
		cmocka_unit_test(family_metrics),
		cmocka_unit_test(largest_object),
		cmocka_unit_test(end_of_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
