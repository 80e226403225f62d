/*
 * Goal: the pools are what the files say; a mistake is named with its line, an overlap with both; nothing
 * passes that the pools themselves would stumble over.
 * Method: small files by hand; random prefixes compared with a bitmap of the addresses they cover.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/config/pool_file.h"

static struct pool_files files;
static struct config_faults faults;
static const struct ip4 here = { 0xc0000201 };		/* 192.0.2.1 */

static void begin(void)
{
	pool_files_init(&files);
	memset(&faults, 0, sizeof(faults));
}

static bool parse(const char *text, const char *file, const char *pool)
{
	return pool_file_parse(&files, bytes_str(text), file, pool, here, &faults);
}

static const char *says(void)
{
	static char line[FAULT_LINE_MAX];

	return faults.count ? fault_text(&faults.fault[0], line) : "";
}

static void lines_are_ranges(void **state)
{
	(void)state;
	begin();
	assert_true(parse("# comment\n"
			  "10.10.10.0/24\n"
			  "\n"
			  "  10.11.0.7   # one\r\n"
			  "192.0.2.1:10.12.0.0/16\n"
			  "192.0.2.2:10.13.0.0/16\n", "ip_pool", ""));
	assert_true(parse("10.20.0.0/16", "ip_pool-gold", "gold"));
	assert_true(pool_files_check(&files, &faults));
	assert_string_equal(says(), "");
	assert_int_equal(files.conf.pools, 2);
	assert_string_equal(files.conf.name[0], "");
	assert_string_equal(files.conf.name[1], "gold");
	assert_int_equal(files.conf.ranges, 4);		/* the line of 192.0.2.2 is another node's */
	assert_int_equal(files.conf.range[0].prefix.net.n, 0x0a0a0a00);
	assert_int_equal(files.conf.range[0].prefix.len, 24);
	assert_int_equal(files.conf.range[1].prefix.len, 32);
	assert_int_equal(files.conf.range[2].prefix.net.n, 0x0a0c0000);
	assert_int_equal(files.conf.range[3].pool, 1);
}

static void a_node_without_an_address_has_no_lines_of_its_own(void **state)
{
	(void)state;
	begin();
	assert_true(pool_file_parse(&files, bytes_str("0.0.0.0:10.0.0.0/24\n10.1.0.0/24\n"), "ip_pool", "",
				    (struct ip4){ 0 }, &faults));
	assert_int_equal(files.conf.ranges, 1);
}

static void host_bits_are_taken_as_before_and_told(void **state)
{
	(void)state;
	begin();
	assert_true(parse("10.0.0.1/24\n", "ip_pool", ""));
	assert_string_equal(says(), "ip_pool:1: warning: the address has host bits; taken as 10.0.0.0/24");
	assert_int_equal(files.conf.range[0].prefix.net.n, 0x0a000000);
}

static void mistakes_are_named(void **state)
{
	static const char *const lines[] = {
		"10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "x", "10.0.0.0/24 10.1.0.0/24",
		"1.2.3:10.0.0.0/24", ":10.0.0.0/24", "10.0.0.0-10.0.0.9", "10.0.0.0/7", "0.0.0.0/0",
		"127.0.0.0/8", "224.0.0.0/8",
		"255.255.255.255", "0.1.2.3", "\"10.0.0.0", "10.0.0.0/99999999999", "10.0.0.0/24\x01",
	};
	char text[128];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		begin();
		snprintf(text, sizeof(text), "10.1.2.0/24\n%s\n10.1.3.0/24\n", lines[i]);
		if (parse(text, "ip_pool", ""))
			fail_msg("%s", lines[i]);
		assert_int_equal(faults.errors, 1);
		assert_int_equal(faults.fault[0].line, 2);
	}
}

static void overlaps_name_both_lines(void **state)
{
	(void)state;
	begin();
	assert_true(parse("10.0.0.0/16\n10.1.0.0/24\n10.0.7.1\n", "ip_pool", ""));
	assert_false(pool_files_check(&files, &faults));
	assert_string_equal(says(), "ip_pool:3: overlaps with ip_pool:1");
	begin();
	assert_true(parse("10.0.0.128/25\n", "ip_pool", ""));
	assert_true(parse("\n10.0.0.0/24\n", "ip_pool-b.dat", "b"));
	assert_false(pool_files_check(&files, &faults));
	assert_string_equal(says(), "ip_pool-b.dat:2: overlaps with ip_pool:1");
	begin();
	assert_true(parse("10.0.0.1\n10.0.0.1\n", "ip_pool", ""));
	assert_false(pool_files_check(&files, &faults));
}

static void one_pool_has_one_file(void **state)
{
	(void)state;
	begin();
	assert_true(parse("10.0.0.0/24\n", "ip_pool-b", "b"));
	assert_false(parse("10.1.0.0/24\n", "ip_pool-b.dat", "b"));
	assert_string_equal(says(), "ip_pool-b.dat: ip_pool-b holds the same pool");
}

static void file_names_are_pool_names(void **state)
{
	static const struct {
		const char *file, *pool;
	} row[] = {
		{ "ip_pool", "" }, { "ip_pool-gold", "gold" }, { "ip_pool-7.dat", "7" },
		{ "ip_pool-a_b-C", "a_b-C" },
		{ "ip_pool-", NULL }, { "ip_pool-.dat", NULL }, { "ip_pool~", NULL }, { "ip_pool-b~", NULL },
		{ "ip_pool-b.bak", NULL }, { "ip_pool.dat", NULL }, { "ip_poolb", NULL }, { "ip_poo", NULL },
		{ "ip_pool-0123456789012345678901234567890", "0123456789012345678901234567890" },
		{ "ip_pool-01234567890123456789012345678901", NULL }, { "ip_pool-a b", NULL }, { "", NULL },
	};
	char pool[IPPOOL_NAME_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
		bool good = pool_file_name(row[i].file, pool);

		assert_int_equal(good, row[i].pool != NULL);
		if (good)
			assert_string_equal(pool, row[i].pool);
	}
}

static void there_is_room_for_so_many(void **state)
{
	static char text[(IPPOOL_RANGES_MAX + 1) * 20];
	size_t used = 0;
	char name[16];

	(void)state;
	begin();
	for (unsigned i = 0; i <= IPPOOL_RANGES_MAX; i++)
		used += (size_t)sprintf(text + used, "10.%u.%u.0/24\n", i / 256, i % 256);
	assert_false(parse(text, "ip_pool", ""));
	assert_int_equal(faults.errors, 1);
	assert_int_equal(faults.fault[0].line, IPPOOL_RANGES_MAX + 1);
	begin();
	for (unsigned i = 1; i < IPPOOLS_MAX; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		assert_true(parse("", name, name));
	}
	assert_false(parse("", "onemore", "onemore"));
}

static void random_ranges_overlap_when_they_share_an_address(void **state)
{
	static const uint8_t seed[RND_SEED_LEN] = { 5 };
	struct rnd rnd;
	unsigned overlapping = 0;

	(void)state;
	rnd_seed(&rnd, seed);
	for (int round = 0; round < 5000; round++) {
		uint8_t taken[256] = { 0 };
		char text[256], address[IP_TEXT_MAX];
		size_t used = 0;
		bool shared = false;

		for (int i = 0; i < 4; i++) {
			uint8_t len = (uint8_t)(26 + rnd_below(&rnd, 7));
			uint32_t host = rnd_below(&rnd, 256) & prefix4_mask(len);

			used += (size_t)sprintf(text + used, "%s/%u\n",
						ip4_text((struct ip4){ 0x0a000000 + host }, address), len);
			for (uint32_t n = 0; n < 1u << (32 - len); n++)
				shared |= taken[host + n]++ > 0;
		}
		begin();
		assert_true(parse(text, "ip_pool", ""));
		assert_int_equal(pool_files_check(&files, &faults), !shared);
		overlapping += shared;
	}
	assert_true(overlapping > 100 && overlapping < 4900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_ranges),
		cmocka_unit_test(a_node_without_an_address_has_no_lines_of_its_own),
		cmocka_unit_test(host_bits_are_taken_as_before_and_told),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(overlaps_name_both_lines),
		cmocka_unit_test(one_pool_has_one_file),
		cmocka_unit_test(file_names_are_pool_names),
		cmocka_unit_test(there_is_room_for_so_many),
		cmocka_unit_test(random_ranges_overlap_when_they_share_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
