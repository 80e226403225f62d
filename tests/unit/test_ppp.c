/*
 * Goal: PPP frames, control packets and options are read in every form a LAC may pass on, written in the
 * one form everybody reads, and refused when their lengths lie.
 * Method: frames by hand for each rule; then every frame of real exchanges (tests/vectors/ppp) is taken
 * apart and put together again octet for octet.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/wire/ppp.h"
#include "l2tpns/wire/ppp_opt.h"

#define B(text)	bytes_of(text, sizeof(text) - 1)

static void frames_of_every_form(void **state)
{
	static const struct { struct bytes octets; uint16_t proto; uint32_t len; } good[] = {
		{ { (const uint8_t *)"\xff\x03\xc0\x21xy", 6 }, PPP_LCP, 2 },
		{ { (const uint8_t *)"\xc0\x21xy", 4 }, PPP_LCP, 2 },
		{ { (const uint8_t *)"\xff\x03\x00\x21\x45", 5 }, PPP_IP, 1 },
		{ { (const uint8_t *)"\xff\x03\x21\x45", 4 }, PPP_IP, 1 },
		{ { (const uint8_t *)"\x00\x21\x45", 3 }, PPP_IP, 1 },
		{ { (const uint8_t *)"\x21\x45", 2 }, PPP_IP, 1 },
		{ { (const uint8_t *)"\x21", 1 }, PPP_IP, 0 },
		{ { (const uint8_t *)"\x80\x21", 2 }, PPP_IPCP, 0 },
	};
	struct ppp_frame frame;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(ppp_frame_decode(good[i].octets, &frame), WHY_OK);
		assert_int_equal(frame.proto, good[i].proto);
		assert_int_equal(frame.body.len, good[i].len);
		if (frame.body.len)
			assert_ptr_equal(frame.body.p + frame.body.len,
					 good[i].octets.p + good[i].octets.len);
	}
}

static void frames_malformed(void **state)
{
	static const struct bytes bad[] = {
		{ NULL, 0 }, { (const uint8_t *)"\xff\x03", 2 }, { (const uint8_t *)"\xc0", 1 },
		{ (const uint8_t *)"\xc0\x20xx", 4 }, { (const uint8_t *)"\xff\x03\xc0", 3 },
		{ (const uint8_t *)"\x00\x20", 2 }, { (const uint8_t *)"\xff\x03\x00", 3 },
	};
	struct ppp_frame frame;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(ppp_frame_decode(bad[i], &frame), WHY_PPP_PROTO);
}

static void frames_written(void **state)
{
	static const struct { uint16_t proto; bool acfc, pfc; struct bytes want; } row[] = {
		{ PPP_IP, false, false, { (const uint8_t *)"\xff\x03\x00\x21", 4 } },
		{ PPP_IP, true, false, { (const uint8_t *)"\x00\x21", 2 } },
		{ PPP_IP, false, true, { (const uint8_t *)"\xff\x03\x21", 3 } },
		{ PPP_IP, true, true, { (const uint8_t *)"\x21", 1 } },
		{ PPP_IPCP, true, true, { (const uint8_t *)"\x80\x21", 2 } },
		{ PPP_LCP, true, true, { (const uint8_t *)"\xff\x03\xc0\x21", 4 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		uint8_t room[8];
		struct wr w = wr_of(room, sizeof(room));
		struct ppp_frame frame;

		ppp_frame_begin(&w, row[i].proto, row[i].acfc, row[i].pfc);
		assert_true(bytes_eq(wr_bytes_of(&w), row[i].want));
		assert_int_equal(ppp_frame_decode(wr_bytes_of(&w), &frame), WHY_OK);
		assert_int_equal(frame.proto, row[i].proto);
	}
}

static void control_packets(void **state)
{
	struct ppp_cp cp;

	(void)state;
	assert_int_equal(ppp_cp_decode(B("\x09\x05\x00\x08" "abcd"), &cp), WHY_OK);
	assert_int_equal(cp.code, CP_ECHOREQ);
	assert_int_equal(cp.id, 5);
	assert_true(bytes_eq(cp.data, B("abcd")));
	assert_int_equal(ppp_cp_decode(B("\x09\x05\x00\x06" "abcd"), &cp), WHY_OK);
	assert_true(bytes_eq(cp.data, B("ab")));		/* the rest is padding: RFC 1661 section 5 */
	assert_int_equal(ppp_cp_decode(B("\x06\x05\x00\x04"), &cp), WHY_OK);
	assert_int_equal(cp.data.len, 0);
	assert_int_equal(ppp_cp_decode(B("\x09\x05\x00\x09" "abcd"), &cp), WHY_PPP_LEN);
	assert_int_equal(ppp_cp_decode(B("\x09\x05\x00\x03" "abcd"), &cp), WHY_PPP_LEN);
	assert_int_equal(ppp_cp_decode(B("\x09\x05\x00\x00"), &cp), WHY_PPP_LEN);
	assert_int_equal(ppp_cp_decode(B("\x09\x05\xff\xff"), &cp), WHY_PPP_LEN);
	assert_int_equal(ppp_cp_decode(B("\x09\x05\x00"), &cp), WHY_PPP_LEN);
	assert_int_equal(ppp_cp_decode((struct bytes){ 0 }, &cp), WHY_PPP_LEN);
	assert_int_equal(cp.data.len, 0);
}

static void control_packets_written(void **state)
{
	static uint8_t room[70000];
	struct wr w = wr_of(room, 6);
	size_t mark;

	(void)state;
	mark = ppp_cp_begin(&w, CP_TERMREQ, 3);
	wr_u16(&w, 0x6162);
	ppp_cp_end(&w, mark);
	assert_true(bytes_eq(wr_bytes_of(&w), B("\x05\x03\x00\x06" "ab")));
	wr_u8(&w, 0);
	ppp_cp_end(&w, mark);
	assert_false(wr_ok(&w));				/* what did not fit stays refused */
	w = wr_of(room, sizeof(room));
	mark = ppp_cp_begin(&w, CP_TERMREQ, 3);
	(void)wr_take(&w, 65532);
	ppp_cp_end(&w, mark);
	assert_false(wr_ok(&w));				/* more than a length field can say */
}

static void options(void **state)
{
	struct rd r = rd_bytes(B("\x01\x04\x05\xdc\x07\x02\x05\x06\x00\x00\x00\x01"));
	struct ppp_opt opt;
	static const uint8_t octets[254];
	uint8_t room[260];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	while (rd_left(&r) > 0) {
		assert_int_equal(ppp_opt_next(&r, &opt), WHY_OK);
		ppp_opt_put(&w, opt.type, opt.value);
	}
	assert_true(bytes_eq(wr_bytes_of(&w), B("\x01\x04\x05\xdc\x07\x02\x05\x06\x00\x00\x00\x01")));
	static const struct bytes bad[] = {
		{ (const uint8_t *)"\x01", 1 }, { (const uint8_t *)"\x01\x00", 2 },
		{ (const uint8_t *)"\x01\x01", 2 },
		{ (const uint8_t *)"\x01\x03", 2 }, { (const uint8_t *)"\x01\xff\x00", 3 },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		r = rd_bytes(bad[i]);
		assert_int_equal(ppp_opt_next(&r, &opt), WHY_PPP_OPTION_LEN);
		assert_int_equal(rd_left(&r), 0);
	}
	w = wr_of(room, sizeof(room));
	ppp_opt_put(&w, 1, bytes_of(octets, 253));
	assert_true(wr_ok(&w));
	w = wr_of(room, sizeof(room));
	ppp_opt_put(&w, 1, bytes_of(octets, 254));
	assert_false(wr_ok(&w));
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(ppp_proto_name(PPP_LCP), "LCP");
	assert_string_equal(ppp_proto_name(0x1234), "unknown");
	assert_string_equal(ppp_code_name(CP_CONFREQ), "Configure-Request");
	assert_string_equal(ppp_code_name(0), "unknown");
	assert_string_equal(ppp_code_name(CP_CODES), "unknown");
}

/* Take a frame apart and write it again. */
static void frame_again(struct bytes octets)
{
	const struct opt_table *table;
	struct ppp_frame frame;
	struct ppp_cp cp;
	uint8_t room[2048];
	struct wr w = wr_of(room, sizeof(room));

	assert_int_equal(ppp_frame_decode(octets, &frame), WHY_OK);
	assert_string_not_equal(ppp_proto_name(frame.proto), "unknown");
	assert_int_equal(ppp_cp_decode(frame.body, &cp), WHY_OK);
	ppp_frame_begin(&w, frame.proto, false, false);
	size_t mark = ppp_cp_begin(&w, cp.code, cp.id);

	table = frame.proto == PPP_LCP ? &lcp_options : frame.proto == PPP_IPCP ? &ipcp_options : NULL;
	if (table && cp.code <= CP_CONFREJ) {
		struct rd r = rd_bytes(cp.data);
		struct ppp_opt opt;

		while (rd_left(&r) > 0) {
			assert_int_equal(ppp_opt_next(&r, &opt), WHY_OK);
			assert_non_null(opt_row_of(table, opt.type));
			assert_true(opt_fits(table, opt.type, opt.value));
			ppp_opt_put(&w, opt.type, opt.value);
		}
	} else {
		wr_bytes(&w, cp.data);
	}
	ppp_cp_end(&w, mark);
	assert_true(bytes_eq(wr_bytes_of(&w), octets));
}

static unsigned file_again(const char *name)
{
	char path[512], line[4096];
	unsigned frames = 0;

	snprintf(path, sizeof(path), "tests/vectors/ppp/%s", name);
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		uint8_t octets[2048];
		uint32_t n = 0;
		unsigned value;

		if (line[0] != '<' && line[0] != '>')
			continue;
		for (const char *at = line + 2; sscanf(at, "%2x", &value) == 1; at += 2)
			octets[n++] = (uint8_t)value;
		frame_again(bytes_of(octets, n));
		frames++;
	}
	fclose(file);
	return frames;
}

static void real_exchanges(void **state)
{
	DIR *folder = opendir("tests/vectors/ppp");
	unsigned frames = 0;

	(void)state;
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder)); )
		if (strstr(entry->d_name, ".txt"))
			frames += file_again(entry->d_name);
	closedir(folder);
	assert_true(frames > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_every_form),
		cmocka_unit_test(frames_malformed),
		cmocka_unit_test(frames_written),
		cmocka_unit_test(control_packets),
		cmocka_unit_test(control_packets_written),
		cmocka_unit_test(options),
		cmocka_unit_test(names),
		cmocka_unit_test(real_exchanges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
