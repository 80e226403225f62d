/*
 * test_lac_count.c -- what the test LAC counts must be right, or every test built on it is wrong.
 *
 * Goal:   loss, duplicates and reordering are exact; percentiles are within 3 %; a packet's
 *         checksum holds after its addresses were changed; options take what their rows say.
 * Method: feed known sequences and values, compare with numbers worked out by hand or by a
 *         plain second computation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/lac/options.h"
#include "tests/lac/packet.h"
#include "tests/lac/stream.h"

static void stream_counts(void **state)
{
	uint64_t seen[2] = { 0 }, last[2] = { 0 };
	struct stream s;

	(void)state;
	stream_init(&s, seen, 128, last, 2);
	stream_received(&s, 0, 0, 10);
	stream_received(&s, 1, 1, 10);
	stream_received(&s, 0, 4, 10);
	stream_received(&s, 0, 2, 10);		/* late */
	stream_received(&s, 0, 2, 10);		/* again */
	stream_received(&s, 1, 3, 10);		/* in order within its session */
	stream_received(&s, 0, 128, 10);	/* no such number */
	stream_received(&s, 2, 5, 10);		/* no such session */
	assert_int_equal(s.received, 5);
	assert_int_equal(s.duplicates, 1);
	assert_int_equal(s.reordered, 1);
	assert_int_equal(s.strange, 2);
	assert_int_equal(s.latency.count, 5);
}

static void histogram_is_close(void **state)
{
	static struct hist h;

	(void)state;
	assert_int_equal(hist_percentile_us(&h, 50), 0);
	for (uint64_t us = 1; us <= 100000; us++)
		hist_add(&h, us);
	assert_int_equal(h.count, 100000);
	assert_in_range(hist_percentile_us(&h, 50), 48500, 51600);
	assert_in_range(hist_percentile_us(&h, 99), 96000, 100000);
	assert_int_equal(hist_percentile_us(&h, 100), 100000);
	hist_add(&h, UINT64_MAX);
	assert_true(hist_percentile_us(&h, 100) == UINT64_MAX);
}

static void histogram_small_values_exact(void **state)
{
	static struct hist a, b;

	(void)state;
	for (uint64_t us = 0; us < 32; us++)
		hist_add(us & 1 ? &a : &b, us);
	hist_merge(&a, &b);
	assert_int_equal(a.count, 32);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(hist_percentile_us(&a, 100.0 * (i + 0.5) / 32), i);
}

/* RFC 1071: a header with a right checksum sums up to 0xffff. */
static uint32_t header_sum(const uint8_t *packet)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)packet[i] << 8 | packet[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* RFC 768: 0xffff over pseudo header, UDP header and payload when the checksum is right. */
static uint32_t udp_sum(const uint8_t *packet, uint32_t size)
{
	uint32_t sum = 17 + size - 20;

	for (uint32_t i = 12; i + 1 < size; i += 2)
		sum += (uint32_t)packet[i] << 8 | packet[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void packet_keeps_checksum(void **state)
{
	uint8_t packet[1400];
	struct mark mark = { .kind = MARK_UP, .run = 3, .session = 77, .number = 12345678901, .sent_us = 9 }, back;
	uint32_t from, to;

	(void)state;
	packet_make(packet, sizeof(packet), 0, 40000, 0xc6120002, 7000);
	assert_int_equal(header_sum(packet), 0xffff);
	for (uint32_t address = 1; address; address = address << 1 | (address * 2654435761u & 1)) {
		packet_set_source(packet, address);
		packet_set_target(packet, ~address);
		assert_int_equal(header_sum(packet), 0xffff);
		packet_set_mark(
			packet, &(struct mark){.kind = MARK_UP, .number = address * 77ull, .sent_us = ~address});
		assert_int_equal(udp_sum(packet, sizeof(packet)), 0xffff);
		if (address >> 31)
			break;
	}
	packet_set_source(packet, 0x0a640001);
	packet_set_mark(packet, &mark);
	assert_true(packet_read(packet, sizeof(packet), &from, &to, &back));
	assert_int_equal(from, 0x0a640001);
	assert_memory_equal(&back, &mark, sizeof(mark));
	assert_false(packet_read(packet, PACKET_SIZE_MIN - 1, &from, &to, &back));
	packet[PACKET_HEADERS] ^= 0x40;
	assert_false(packet_read(packet, sizeof(packet), &from, &to, &back));
}

struct wanted {
	uint64_t	n, word;
	double		x;
	bool		flag;
	const char	*text;
	struct ip4	ip;
};

static void options_by_rows(void **state)
{
	static const char *const words[] = { "one", "two", NULL };
	static const struct option_row row[] = {
		{ "n", OPTION_NUMBER, offsetof(struct wanted, n), "7", NULL, "" },
		{ "x", OPTION_REAL, offsetof(struct wanted, x), "0.5", NULL, "" },
		{ "flag", OPTION_FLAG, offsetof(struct wanted, flag), NULL, NULL, "" },
		{ "text", OPTION_TEXT, offsetof(struct wanted, text), "", NULL, "" },
		{ "ip", OPTION_IP, offsetof(struct wanted, ip), NULL, NULL, "" },
		{ "word", OPTION_CHOICE, offsetof(struct wanted, word), "two", words, "" },
	};
	struct wanted w = { 0 };
	char line[] = "n=10k  flag ip=10.1.2.3 word=one x=2.25 text=a";

	(void)state;
	options_preset(row, ARRAY_LEN(row), &w);
	assert_int_equal(w.n, 7);
	assert_int_equal(w.word, 1);
	assert_true(options_words(row, ARRAY_LEN(row), &w, line));
	assert_int_equal(w.n, 10000);
	assert_true(w.flag && w.x > 2.2 && w.x < 2.3);
	assert_int_equal(w.ip.n, 0x0a010203);
	assert_int_equal(w.word, 0);
	assert_string_equal(w.text, "a");
	assert_false(option_set(row, ARRAY_LEN(row), &w, "n", "10x"));
	assert_false(option_set(row, ARRAY_LEN(row), &w, "word", "three"));
	assert_false(option_set(row, ARRAY_LEN(row), &w, "ip", "10.1.2"));
	assert_false(option_set(row, ARRAY_LEN(row), &w, "m", "1"));
	assert_false(option_set(row, ARRAY_LEN(row), &w, "n", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stream_counts),
		cmocka_unit_test(histogram_is_close),
		cmocka_unit_test(histogram_small_values_exact),
		cmocka_unit_test(packet_keeps_checksum),
		cmocka_unit_test(options_by_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
