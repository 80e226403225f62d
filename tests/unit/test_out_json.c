/*
 * Goal: whatever is written, it is one JSON object that another program's parser reads back unchanged.
 * Method: jansson reads what out_json.c wrote: nested, drained at every place, with every octet in texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <jansson.h>
#include <stdio.h>
#include <cmocka.h>

#include "l2tpns/cli/out.h"

static char buffer[OUT_ROOM];
static char all[1 << 20];
static size_t all_len;

static struct out begun(void)
{
	struct out out;

	all_len = 0;
	out_init(&out, OUT_JSON, buffer, OUT_ROOM);
	out_begin(&out);
	return out;
}

static void drain(struct out *out)
{
	assert_true(all_len + out->len < sizeof(all));
	memcpy(all + all_len, buffer, out->len);
	all_len += out->len;
	out_drained(out);
}

static json_t *parsed(struct out *out)
{
	json_error_t error;

	out_finish(out);
	drain(out);
	json_t *json = json_loadb(all, all_len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	if (!json)
		fail_msg("%s at %d of: %.*s", error.text, error.position, (int)(all_len < 500 ? all_len : 500), all);
	return json;
}

static void empty(void **state)
{
	struct out out = begun();
	json_t *json = parsed(&out);

	(void)state;
	assert_int_equal(json_object_size(json), 0);
	json_decref(json);
}

static void nested(void **state)
{
	static const struct out_column columns[] = { { "sid", "SID", 5, true } };
	struct out out = begun();

	(void)state;
	out_word(&out, "host", "lns1");
	out_list(&out, "empty", columns, 1);
	out_end(&out);
	out_list(&out, "sessions", columns, 1);
	for (unsigned i = 0; i < 1000; i++) {
		out_object(&out, NULL);
		out_id(&out, "sid", i);
		out_end(&out);
		drain(&out);
	}
	out_end(&out);
	out_list(&out, "details", NULL, 0);
	out_object(&out, NULL);
	out_object(&out, "traffic");
	out_octets(&out, "up_octets", UINT64_C(9007199254740993));
	out_end(&out);
	out_bool(&out, "up", false);
	out_none(&out, "nothing");
	out_hundredths(&out, "load", 105);
	out_ip4(&out, "address", (struct ip4){ 0xc0000201 });
	out_end(&out);
	out_end(&out);
	for (unsigned i = 0; i < 12; i++)
		out_message(&out, "number %u", i);

	json_t *json = parsed(&out);
	json_t *list = json_object_get(json, "sessions");
	json_t *detail = json_array_get(json_object_get(json, "details"), 0);

	assert_string_equal(json_string_value(json_object_get(json, "host")), "lns1");
	assert_int_equal(json_array_size(json_object_get(json, "empty")), 0);
	assert_int_equal(json_array_size(list), 1000);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 999), "sid")), 999);
	assert_true(json_integer_value(json_object_get(json_object_get(detail, "traffic"), "up_octets")) ==
		    INT64_C(9007199254740993));
	assert_true(json_is_false(json_object_get(detail, "up")));
	assert_true(json_is_null(json_object_get(detail, "nothing")));
	assert_true(json_real_value(json_object_get(detail, "load")) > 1.049);
	assert_string_equal(json_string_value(json_object_get(detail, "address")), "192.0.2.1");
	assert_string_equal(json_string_value(json_object_get(json, "message")), "number 0");
	assert_string_equal(json_string_value(json_object_get(json, "message2")), "number 1");
	assert_string_equal(json_string_value(json_object_get(json, "message12")), "number 11");
	json_decref(json);
}

static void every_octet_in_a_text(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		struct out out = begun();
		const uint8_t octets[3] = { 'a', (uint8_t)c, 'z' };
		size_t len;

		out_bytes(&out, "text", bytes_of(octets, 3));
		json_t *json = parsed(&out);
		const char *text = json_string_value(json_object_get(json, "text"));

		assert_non_null(text);
		len = json_string_length(json_object_get(json, "text"));
		assert_int_equal(text[0], 'a');
		assert_int_equal(text[len - 1], 'z');
		if (c < 0x80)
			assert_memory_equal(text, octets, 3);
		else
			assert_string_equal(text, "a\xef\xbf\xbdz");
		json_decref(json);
	}
}

static void good_utf8_is_kept(void **state)
{
	struct out out = begun();

	(void)state;
	out_word(&out, "text", "J\xc3\xbcrgen \xf0\x9f\x98\x80");
	json_t *json = parsed(&out);

	assert_string_equal(json_string_value(json_object_get(json, "text")), "J\xc3\xbcrgen \xf0\x9f\x98\x80");
	json_decref(json);
}

static void families(void **state)
{
	static const struct out_family single = { "sessions", "sessions there are", NULL, OUT_GAUGE };
	static const struct out_family labelled = { "refused", "refused, by reason", "reason", OUT_COUNTER };
	struct out out = begun();

	(void)state;
	out_family(&out, &single);
	out_sample(&out, NULL, NULL, 5);
	out_family_end(&out);
	out_family(&out, &labelled);
	out_sample(&out, "SHORT", "too short", 3);
	out_sample(&out, "LONG", "too long", 0);
	out_family_end(&out);
	json_t *json = parsed(&out);
	json_t *refused = json_object_get(json, "refused");

	assert_int_equal(json_integer_value(json_object_get(json, "sessions")), 5);
	assert_int_equal(json_object_size(refused), 2);
	assert_int_equal(json_integer_value(json_object_get(refused, "SHORT")), 3);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(nested),
		cmocka_unit_test(every_octet_in_a_text),
		cmocka_unit_test(good_utf8_is_kept),
		cmocka_unit_test(families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
