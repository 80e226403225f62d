/*
 * Goal: the rows are sound, every option of l2tpns 2.x and its forks has one, the manual page made from
 * them has all of them, and the sample file is in step.
 * Method: each row against its own limits; the names of the old programs as a list; each line of the
 * manual page's table looked at; each line of the sample, also the commented ones, parsed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/words.h"
#include "l2tpns/config/parse.h"
#include "l2tpns/config/show.h"
#include "l2tpns/config/value.h"

#define SAMPLE	"etc/startup-config"

static struct config config;
static struct config_faults faults;

/* The options of l2tpns 2.2, 2.4 and their forks. */
static const char *const old_names[] = {
	"debug", "log_file", "pid_file", "random_device", "l2tp_secret", "l2tp_mtu", "ppp_restart_time",
	"ppp_max_configure", "ppp_max_failure", "ppp_keepalive", "primary_dns", "secondary_dns",
	"primary_radius", "secondary_radius", "primary_radius_port", "secondary_radius_port",
	"radius_accounting", "radius_interim", "radius_secret", "radius_authtypes", "radius_dae_port",
	"radius_bind_min", "radius_bind_max", "allow_duplicate_users", "kill_timedout_sessions",
	"guest_account", "bind_address", "peer_address", "send_garp", "throttle_speed", "throttle_buckets",
	"accounting_dir", "account_all_origin", "dump_speed", "multi_read_count", "scheduler_fifo",
	"lock_pages", "icmp_rate", "packet_limit", "cluster_address", "cluster_port", "cluster_interface",
	"cluster_mcast_ttl", "cluster_hb_interval", "cluster_hb_timeout", "cluster_master_min_adv",
	"ipv6_prefix", "cli_bind_address", "hostname", "nexthop_address", "nexthop6_address", "echo_timeout",
	"idle_echo_timeout", "iftun_address", "tundevicename", "disable_lac_func",
	"auth_tunnel_change_addr_src", "bind_address_remotelns", "bind_portremotelns", "pppoe_if_to_bind",
	"pppoe_service_name", "pppoe_ac_name", "pppoe_only_equal_svc_name", "disable_sending_hello",
	"disable_no_spoof", "bind_multi_address", "multi_hostname", "no_throttle_local_IP",
	"dhcp6_preferred_lifetime", "dhcp6_valid_lifetime", "dhcp6_server_duid", "dns6_lifetime",
	"primary_ipv6_dns", "secondary_ipv6_dns", "default_ipv6_domain_list", "setuid", "append_realm",
	"gardens", "max_sessions", "allow_duplicate_ip",
};

static char *read_text(const char *path, size_t *len)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(text);
	if (!file)
		fail_msg("%s: run the test from the root of the tree", path);
	*len = fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	return text;
}

static void every_old_option_has_a_row(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_LEN(old_names), 80);
	for (unsigned i = 0; i < ARRAY_LEN(old_names); i++) {
		const struct option_row *row = option_find(bytes_str(old_names[i]));

		if (!row || strcmp(row->name, old_names[i]) != 0)
			fail_msg("no row for %s", old_names[i]);
	}
}

static void names_are_unique(void **state)
{
	(void)state;
	for (unsigned i = 0; i < option_rows_count(); i++) {
		const struct option_row *row = option_row(i);

		assert_ptr_equal(option_find(bytes_str(row->name)), row);
		if (row->alias)
			assert_ptr_equal(option_find(bytes_str(row->alias)), row);
		for (const char *at = row->name; *at; at++)
			assert_non_null(strchr("abcdefghijklmnopqrstuvwxyz_IP0123456789", *at));
	}
}

static void fields_do_not_overlap(void **state)
{
	static uint8_t owner[sizeof(struct config)];

	(void)state;
	memset(owner, 0, sizeof(owner));
	for (unsigned i = 0; i < option_rows_count(); i++) {
		const struct option_row *row = option_row(i);

		assert_true(row->at + row->size <= sizeof(struct config));
		for (uint32_t at = row->at; at < row->at + row->size; at++)
			assert_int_equal(owner[at]++, 0);
	}
}

static void defaults_are_as_show_writes_them(void **state)
{
	char text[CONFIG_LINE_MAX];

	(void)state;
	config_init(&config);
	for (unsigned i = 0; i < option_rows_count(); i++) {
		const struct option_row *row = option_row(i);
		struct wr out = wr_of(text, sizeof(text));

		value_text(row, &config, &out);
		if (!bytes_eq(wr_bytes_of(&out), bytes_str(row->def)))
			fail_msg("%s: default %s is written otherwise", row->name, row->def);
	}
}

static void rows_are_complete(void **state)
{
	(void)state;
	for (unsigned i = 0; i < option_rows_count(); i++) {
		const struct option_row *row = option_row(i);
		size_t len = strlen(row->help);

		if (row->type == OPTION_INT && row->min >= row->max)
			fail_msg("%s: no range", row->name);
		if ((row->type == OPTION_ENUM || row->type == OPTION_ORDER) && !row->words)
			fail_msg("%s: no words", row->name);
		if (len < 10 || row->help[len - 1] != '.' || strchr(row->help, '"') || !row->group)
			fail_msg("%s: help or group", row->name);
		if (row->secret && row->type != OPTION_STR)
			fail_msg("%s: a secret is text", row->name);
		if (strstr(row->name, "secret") && row->type == OPTION_STR && !row->secret)
			fail_msg("%s: a secret by its name", row->name);
	}
}

static void limits_hold(void **state)
{
	char text[16], why[VALUE_WHY_MAX];

	(void)state;
	for (unsigned i = 0; i < option_rows_count(); i++) {
		const struct option_row *row = option_row(i);

		if (row->type != OPTION_INT)
			continue;
		for (unsigned side = 0; side < 2; side++) {
			uint64_t good = side ? row->max : row->min;
			uint64_t worse = side ? (uint64_t)row->max + 1 : (uint64_t)row->min - 1;

			snprintf(text, sizeof(text), "%llu", (unsigned long long)good);
			assert_true(value_parse(row, bytes_str(text), &config, why));
			snprintf(text, sizeof(text), "%lld", (long long)worse);
			assert_false(value_parse(row, bytes_str(text), &config, why));
		}
	}
}

static void mistakes_find_the_name_meant(void **state)
{
	(void)state;
	assert_string_equal(config_nearest("primary_dsn"), "primary_dns");
	assert_string_equal(config_nearest("l2tp_mtv"), "l2tp_mtu");
	assert_string_equal(config_nearest("radius_authtype"), "radius_authtypes");
	assert_string_equal(config_nearest("bindaddress"), "bind_address");
	assert_null(config_nearest("xyzzy"));
	assert_null(config_nearest(""));
}

/* Each row is an item, and no line of its words could be taken for a request of roff's. */
static void the_manual_has_every_row(void **state)
{
	static const char *const requests[] = { ".Ss ", ".Bl ", ".It ", ".El" };
	static char text[1 << 18], wanted[80];
	struct wr out = wr_of(text, sizeof(text) - 1);
	struct lines lines;
	struct bytes line;

	(void)state;
	config_manual(&out);
	assert_true(wr_ok(&out));
	for (unsigned i = 0; i < option_rows_count(); i++) {
		snprintf(wanted, sizeof(wanted), "\n.It Cm %s Ar ", option_row(i)->name);
		assert_non_null(strstr(text, wanted));
	}
	for (lines = lines_of(wr_bytes_of(&out)); lines_next(&lines, &line); ) {
		bool known = line.p[0] != '.' && line.p[0] != '\'';

		for (unsigned i = 0; i < ARRAY_LEN(requests); i++)
			known |= line.len >= strlen(requests[i]) &&
				 memcmp(line.p, requests[i], strlen(requests[i])) == 0;
		if (!known || line.len == 0)
			fail_msg("line %u: %.*s", lines.number, (int)line.len, (const char *)line.p);
	}
}

/* Every option acted on is in the sample, and every line would parse without its comment sign. */
static void the_sample_is_in_step(void **state)
{
	size_t len;
	char *text = read_text(SAMPLE, &len), *open = calloc(1, len + 1);
	struct lines lines = lines_of(bytes_of(text, len));
	struct bytes line;
	struct wr out = wr_of(open, len + 1);
	char wanted[80], why[FAULT_LINE_MAX];

	(void)state;
	while (lines_next(&lines, &line)) {
		if (line.len > 1 && line.p[0] == '#' && line.p[1] != ' ' && line.p[1] != '#')
			line = bytes_of(line.p + 1, line.len - 1);
		wr_bytes(&out, line);
		wr_u8(&out, '\n');
	}
	memset(&faults, 0, sizeof(faults));
	if (!config_parse(wr_bytes_of(&out), SAMPLE, &config, &faults) || faults.warnings)
		fail_msg("%s", fault_text(&faults.fault[0], why));
	memset(&faults, 0, sizeof(faults));
	assert_true(config_parse(bytes_of(text, len), SAMPLE, &config, &faults));
	assert_int_equal(faults.warnings, 0);
	for (unsigned i = 0; i < option_rows_count(); i++) {
		snprintf(wanted, sizeof(wanted), "set %s ", option_row(i)->name);
		if (option_row(i)->acted && !strstr(text, wanted))
			fail_msg(SAMPLE ": no line for %s", option_row(i)->name);
	}
	free(text);
	free(open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_old_option_has_a_row),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(fields_do_not_overlap),
		cmocka_unit_test(defaults_are_as_show_writes_them),
		cmocka_unit_test(rows_are_complete),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(mistakes_find_the_name_meant),
		cmocka_unit_test(the_manual_has_every_row),
		cmocka_unit_test(the_sample_is_in_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
