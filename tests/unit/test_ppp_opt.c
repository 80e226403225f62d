/*
 * Goal: the option tables hold the types, names and lengths of RFC 1661 section 6, RFC 1332 and RFC 1877.
 * Method: the RFCs' lengths (which count type and length) typed again here; every row is well-formed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/wire/ppp_opt.h"

static const uint8_t octets[256];

static void lengths_of_the_rfcs(void **state)
{
	static const struct { const struct opt_table *table; uint8_t type, length; } fixed[] = {
		{ &lcp_options, 1, 4 },		/* RFC 1661 6.1 */
		{ &lcp_options, 2, 6 },		/* RFC 1662 7.1 */
		{ &lcp_options, 5, 6 },		/* 6.4 */
		{ &lcp_options, 7, 2 },		/* 6.5 */
		{ &lcp_options, 8, 2 },		/* 6.6 */
		{ &lcp_options, 9, 3 },		/* RFC 1570 2.1 */
		{ &lcp_options, 17, 4 },	/* RFC 1990 5.1.1 */
		{ &lcp_options, 18, 2 },	/* 5.1.2 */
		{ &ipcp_options, 1, 10 },	/* RFC 1332 3.1 */
		{ &ipcp_options, 3, 6 },	/* 3.3 */
		{ &ipcp_options, 129, 6 }, { &ipcp_options, 130, 6 },	/* RFC 1877 */
		{ &ipcp_options, 131, 6 }, { &ipcp_options, 132, 6 },
	};
	static const struct { const struct opt_table *table; uint8_t type, least; } open_ended[] = {
		{ &lcp_options, 3, 4 }, { &lcp_options, 4, 4 }, { &ipcp_options, 2, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		for (unsigned length = 2; length < 256; length++)
			assert_int_equal(opt_fits(fixed[i].table, fixed[i].type,
						  bytes_of(octets, length - 2)),
					 length == fixed[i].length);
	for (size_t i = 0; i < ARRAY_LEN(open_ended); i++)
		for (unsigned length = 2; length < 256; length++)
			assert_int_equal(opt_fits(open_ended[i].table, open_ended[i].type,
						  bytes_of(octets, length - 2)),
					 length >= open_ended[i].least);
}

static void rows_are_well_formed(void **state)
{
	static const struct opt_table *const tables[] = { &lcp_options, &ipcp_options };
	static const uint8_t width[] = {
		[OPT_FLAG] = 0, [OPT_U8] = 1, [OPT_U16] = 2, [OPT_U32] = 4, [OPT_IP4] = 4,
	};

	(void)state;
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		for (unsigned type = 0; type < 256; type++) {
			const struct opt_row *row = opt_row_of(tables[t], (uint8_t)type);

			if (!row) {
				assert_string_equal(opt_name(tables[t], (uint8_t)type), "option");
				assert_true(opt_fits(tables[t], (uint8_t)type, bytes_of(octets, 77)));
				continue;
			}
			assert_string_equal(opt_name(tables[t], (uint8_t)type), row->name);
			assert_true(row->min <= row->max && row->max <= 253);
			if (row->shape < ARRAY_LEN(width)) {
				assert_int_equal(row->min, width[row->shape]);
				assert_int_equal(row->max, width[row->shape]);
			}
		}
		assert_null(opt_row_of(tables[t], 0));
	}
	assert_string_equal(opt_name(&lcp_options, LCP_MAGIC), "magic-number");
	assert_string_equal(opt_name(&ipcp_options, IPCP_DNS1), "primary-dns");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_of_the_rfcs),
		cmocka_unit_test(rows_are_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
