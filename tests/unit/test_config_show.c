/*
 * Goal: what is shown reads back to the same configuration; only what differs from the default is shown;
 * no secret is, unless asked for with privilege.
 * Method: random configurations through every type of option, with LACs and kept lines, shown and parsed;
 * each piece of the text by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/base/words.h"
#include "l2tpns/config/apply.h"
#include "l2tpns/config/parse.h"
#include "l2tpns/config/show.h"
#include "l2tpns/config/value.h"

#define TEXT_MAX	(1u << 20)

static struct config config, again;
static struct config_faults faults;
static char text[TEXT_MAX];
static struct rnd rnd;

static const char *show(unsigned how)
{
	struct wr out = wr_of(text, sizeof(text) - 1);

	config_show(&config, how, &out);
	assert_true(wr_ok(&out));
	text[wr_len(&out)] = 0;
	return text;
}

static bool parse(struct config *into, const char *from)
{
	memset(&faults, 0, sizeof(faults));
	return config_parse(bytes_str(from), "shown", into, &faults);
}

static void defaults_are_not_shown(void **state)
{
	(void)state;
	config_init(&config);
	assert_string_equal(show(CONFIG_SECRETS), "");
	show(CONFIG_ALL);
	for (unsigned i = 0; i < option_rows_count(); i++) {
		char line[80];

		snprintf(line, sizeof(line), "set %s ", option_row(i)->name);
		assert_non_null(strstr(text, line));
	}
	assert_true(parse(&again, text));
	assert_true(config_same(&config, &again));
}

static void what_differs_is_shown_under_its_heading(void **state)
{
	(void)state;
	assert_true(parse(&config, "load plugin \"garden\"\n"
			  "lac 10.0.0.0/8 deny\n"
			  "set l2tp_mtu 1400\n"
			  "set debug 4\n"
			  "lac 'b c' secret \"it's\" hidden no\n"
			  "set hostname \"my host\"\n"
			  "set lac_allow \"10.0.0.0/8 , 192.0.2.1/32\"\n"
			  "set tcp_mss_clamp yes\n"
			  "setforward m 10.0.0.1 1701 'se cret'\n"));
	assert_string_equal(show(CONFIG_SECRETS),
		"# Process\n"
		"set hostname \"my host\"\n"
		"set debug 4\n"
		"# Tunnels\n"
		"set lac_allow 10.0.0.0/8,192.0.2.1\n"
		"set l2tp_mtu 1400\n"
		"# LACs\n"
		"lac 10.0.0.0/8 deny\n"
		"lac \"b c\" secret \"it's\" allow hidden no\n"
		"load plugin \"garden\"\n"
		"setforward m 10.0.0.1 1701 'se cret'\n");
	assert_string_equal(show(CONFIG_PLAIN),
		"set hostname \"my host\"\n"
		"set debug 4\n"
		"set lac_allow 10.0.0.0/8,192.0.2.1\n"
		"set l2tp_mtu 1400\n"
		"lac 10.0.0.0/8 deny\n"
		"lac \"b c\" secret (secret) allow hidden no\n"
		"load plugin \"garden\"\n"
		"setforward m 10.0.0.1 1701 (secret)\n");
}

static void secrets_are_hidden_and_cannot_be_mistaken(void **state)
{
	(void)state;
	assert_true(parse(&config, "set l2tp_secret hunter2\nset radius_secret hunter2\n"
			  "lac x secret hunter2\nsetforward a b c \"hunter2\"\n"
			  "  setforward 'a b' b c hunter2 # hunter2"));
	assert_null(strstr(show(CONFIG_ALL), "hunter2"));
	assert_non_null(strstr(text, "set l2tp_secret (secret)\n"));
	assert_non_null(strstr(text, "set radius_secret (secret)\n"));
	assert_false(parse(&again, text));	/* typed in again, it must not become the secret */
	assert_non_null(strstr(show(CONFIG_SECRETS), "hunter2"));
	config_init(&config);
	assert_non_null(strstr(show(CONFIG_ALL), "set l2tp_secret \"\"\n"));	/* there is none to hide */
}

/* A slow terminal reads line by line while somebody reloads. */
static void a_change_between_two_lines_does_no_harm(void **state)
{
	struct config_cursor at = { 0 };
	char line[CONFIG_LINE_MAX];

	(void)state;
	assert_true(parse(&config, "lac a secret hunter2\nlac b\nload plugin a-long-name-that-comes-first\n"
			  "setforward a b c hunter2\nload plugin last\n"));
	assert_true(parse(&again, "setforward a b c hunter2\nsetforward d e f hunter2\n"));
	for (int i = 0; i < 4; i++)
		assert_true(config_show_line(&config, 0, &at, line));
	assert_string_equal(line, "load plugin a-long-name-that-comes-first");
	assert_true(config_show_line(&again, 0, &at, line));
	assert_string_equal(line, "setforward d e f (secret)");
	assert_false(config_show_line(&again, 0, &at, line));
	config_init(&again);
	assert_false(config_show_line(&again, 0, &at, line));
	assert_true(config_show_line(&config, 0, &at, line));
	assert_string_equal(line, "load plugin last");
}

/* Random values of every type. */

static void random_word(char *out, uint32_t max)
{
	/* The last two letters are the quotes, of which a word may hold one kind. */
	static const char letters[] = "abcXYZ019 _-.:/#!\\|@,\xc3\xa9\"'";
	uint32_t len = rnd_below(&rnd, max), quotes = sizeof(letters) - 3, kind = rnd_below(&rnd, 2);

	for (uint32_t i = 0; i < len; i++) {
		uint32_t n = rnd_below(&rnd, quotes + 1);

		out[i] = letters[n < quotes ? n : quotes + kind];
	}
	out[len] = 0;
}

static void random_list(const struct option_row *row, char *out, size_t size)
{
	uint32_t n = rnd_below(&rnd, row->type == OPTION_ORDER ? 3 : 10);
	unsigned first = 1 + rnd_below(&rnd, 3);
	char address[IP_TEXT_MAX];
	size_t used = 0;

	out[0] = 0;
	for (uint32_t i = 0; i <= n; i++) {
		const char *between = i ? ", " : "";

		if (row->type == OPTION_ORDER)
			used += (size_t)snprintf(out + used, size - used, "%s%s", between,
						 row->words[1 + (first + i) % 3]);
		else if (row->type == OPTION_NAMES)
			used += (size_t)snprintf(out + used, size - used, "%sname%u", between, rnd_u32(&rnd));
		else if (row->type == OPTION_ADDRESSES)
			used += (size_t)snprintf(out + used, size - used, "%s2001:db8:%x::%x", between,
						 rnd_u32(&rnd) & 0xffff, i + 1);
		else
			used += (size_t)snprintf(out + used, size - used, "%s%s/24", between,
						 ip4_text((struct ip4){ rnd_u32(&rnd) << 8 }, address));
	}
}

static void random_value(const struct option_row *row, char *out, size_t size)
{
	struct ip six;

	switch (row->type) {
	case OPTION_INT:
		snprintf(out, size, "%u", row->min + rnd_below(&rnd, row->max - row->min));
		return;
	case OPTION_BOOL:
		snprintf(out, size, "%s", rnd_below(&rnd, 2) ? "true" : "off");
		return;
	case OPTION_IP4:
		ip4_text((struct ip4){ rnd_u32(&rnd) }, out);
		return;
	case OPTION_IP6:
		rnd_fill(&rnd, &six, sizeof(six));
		memset(six.b + rnd_below(&rnd, 12), 0, rnd_below(&rnd, 5));
		ip_text(six, out);
		return;
	case OPTION_IP:
		rnd_fill(&rnd, &six, sizeof(six));
		ip_text(rnd_below(&rnd, 2) ? six : ip_from4((struct ip4){ rnd_u32(&rnd) }), out);
		return;
	case OPTION_STR:
		random_word(out, row->size);
		return;
	case OPTION_ENUM:
		snprintf(out, size, "%s", row->words[rnd_below(&rnd, 2)]);
		return;
	case OPTION_ORDER:
	case OPTION_PREFIXES:
	case OPTION_NAMES:
	case OPTION_ADDRESSES:
		random_list(row, out, size);
		return;
	case OPTION_TYPES:
		break;
	}
	fail();
}

static void random_lac(void)
{
	char line[512], who[64], secret[LAC_SECRET_MAX];
	struct wr out = wr_of(line, sizeof(line) - 1);
	bool has_secret = rnd_below(&rnd, 2);

	random_word(secret, sizeof(secret));
	snprintf(who, sizeof(who), rnd_below(&rnd, 2) ? "lac%u" : "10.%u.0.0/16", rnd_below(&rnd, 256));
	text_put(&out, "lac ");
	text_put(&out, who);
	if (has_secret && secret[0]) {
		char quote[2] = { (char)word_quote(bytes_str(secret)), 0 };

		text_put(&out, " secret ");
		text_put(&out, quote);
		text_put(&out, secret);
		text_put(&out, quote);
	}
	text_put(&out, rnd_below(&rnd, 2) ? " deny" : "");
	text_put(&out, rnd_below(&rnd, 3) ? "" : " hidden yes");
	line[wr_len(&out)] = 0;
	assert_true(config_line(&config, line, &faults));
}

static void random_kept(void)
{
	static const char *const lines[] = {
		"load plugin \"x\"", "setforward a 10.0.0.1 1701 'b c'", "router bgp 65000",
		"ip access-list standard s", "add ip-pool 10.0.0.0/8 3", "load ip-pool 'x # y' # comment",
	};

	assert_true(config_line(&config, lines[rnd_below(&rnd, ARRAY_LEN(lines))], &faults));
}

static void random_configurations_read_back(void **state)
{
	static const uint8_t seed[RND_SEED_LEN] = { 7 };
	char value[2048];

	(void)state;
	rnd_seed(&rnd, seed);
	for (int round = 0; round < 300; round++) {
		config_init(&config);
		memset(&faults, 0, sizeof(faults));
		for (unsigned i = 0; i < option_rows_count(); i++) {
			if (rnd_below(&rnd, 3) == 0)
				continue;
			random_value(option_row(i), value, sizeof(value));
			if (!config_set(&config, option_row(i)->name, value, &faults))
				fail_msg("%s: %s", option_row(i)->name, value);
		}
		for (uint32_t n = rnd_below(&rnd, 20); n > 0; n--)
			random_lac();
		for (uint32_t n = rnd_below(&rnd, 10); n > 0; n--)
			random_kept();
		for (unsigned how = 0; how < 8; how++) {
			bool good = parse(&again, show(how));

			if (how & CONFIG_SECRETS)
				assert_true(good && config_same(&config, &again));
		}
	}
}

static void the_longest_values_fit_on_a_line(void **state)
{
	char value[2048] = "";

	(void)state;
	config_init(&config);
	for (int i = 0; i < CONFIG_PREFIXES_MAX; i++)
		strcat(value, "255.255.255.128/25,");
	assert_true(config_set(&config, "lac_allow", value, &faults));
	value[0] = 0;
	for (int i = 0; i < CONFIG_ADDRESSES_MAX; i++)
		snprintf(value + strlen(value), 48, "2001:db8:1111:2222:3333::%x,", i + 256);
	assert_true(config_set(&config, "cluster_nodes", value, &faults));
	value[0] = 0;
	for (int i = 0; i < CONFIG_ADDRESSES_MAX; i++)
		snprintf(value + strlen(value), 48, "2001:db8:1111:2222:3333:4444:5555:%x,", i + 4096);
	assert_false(config_set(&config, "cluster_nodes", value, &faults));
	value[0] = 0;
	for (int i = 0; i < CONFIG_NAMES_MAX; i++)
		strcat(value, "a-name-of-just-31-octets-0123456,");
	assert_true(config_set(&config, "guest_account", value, &faults) == false);
	for (unsigned i = 0; i < option_rows_count(); i++) {
		const struct option_row *row = option_row(i);

		memset(value, 'x', row->size);
		value[row->size - 1] = 0;
		if (row->type == OPTION_STR)
			assert_true(config_set(&config, row->name, value, &faults));
	}
	assert_true(parse(&again, show(CONFIG_ALL | CONFIG_SECRETS)));
	assert_true(config_same(&config, &again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_not_shown),
		cmocka_unit_test(what_differs_is_shown_under_its_heading),
		cmocka_unit_test(secrets_are_hidden_and_cannot_be_mistaken),
		cmocka_unit_test(a_change_between_two_lines_does_no_harm),
		cmocka_unit_test(random_configurations_read_back),
		cmocka_unit_test(the_longest_values_fit_on_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
