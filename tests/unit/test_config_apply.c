/*
 * Goal: the operator is told exactly what a reload changes and what waits for a restart, and the control
 * plane is told what the options mean.
 * Method: pairs of configurations with the differences expected; every option changed alone; the mapping
 * field by field.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/config/apply.h"
#include "l2tpns/config/option_rows.h"
#include "l2tpns/config/parse.h"

static struct config before, after;
static struct config_changes changes;
static struct config_faults faults;
static struct lns_conf conf;

static void parse(struct config *into, const char *text)
{
	memset(&faults, 0, sizeof(faults));
	assert_true(config_parse(bytes_str(text), "f", into, &faults));
}

static const struct lns_conf *lns(const char *text)
{
	parse(&after, text);
	memset(&conf, 0xee, sizeof(conf));
	config_to_lns(&after, "system.example.net", &conf);
	return &conf;
}

static void nothing_changed_is_nothing(void **state)
{
	(void)state;
	parse(&before, "set debug 4\nlac x secret y\nload plugin z\n");
	parse(&after, "load plugin z\nset debug 4\nlac x secret y\n");
	config_compare(&before, &after, &changes);
	assert_int_equal(changes.count, 0);
	assert_false(changes.lacs || changes.kept);
	assert_true(config_same(&before, &after));
}

static void changes_are_told(void **state)
{
	char line[CONFIG_LINE_MAX];

	(void)state;
	parse(&before, "set l2tp_secret old\nlac x secret y\n");
	parse(&after, "set l2tp_secret new\nset hello_interval 30\nset bind_address 10.0.0.1\n"
		      "set hostname h\nset dump_speed yes\nlac x secret z\nload plugin p\n");
	config_compare(&before, &after, &changes);
	assert_int_equal(changes.count, 5);
	assert_int_equal(changes.restarts, 1);
	assert_true(changes.lacs && changes.kept);
	assert_string_equal(config_change_text(&before, &after, &changes, 0, line), "hostname (empty) -> h");
	assert_string_equal(config_change_text(&before, &after, &changes, 1, line),
		"dump_speed no -> yes (not acted on by this version)");
	assert_string_equal(config_change_text(&before, &after, &changes, 2, line),
		"bind_address 0.0.0.0 -> 10.0.0.1 (after a restart)");
	assert_string_equal(config_change_text(&before, &after, &changes, 3, line), "l2tp_secret changed");
	assert_string_equal(config_change_text(&before, &after, &changes, 4, line),
		"hello_interval 60 -> 30");
}

static void every_option_changes_alone(void **state)
{
	static const char *const values[OPTION_TYPES][2] = {
		[OPTION_BOOL] = { "yes", "no" }, [OPTION_IP4] = { "10.0.0.1", "10.0.0.2" },
		[OPTION_IP6] = { "2001:db8::1", "2001:db8::2" }, [OPTION_STR] = { "a", "b" },
		[OPTION_IP] = { "239.1.1.1", "ff05::1" }, [OPTION_ORDER] = { "pap", "chap,pap" },
		[OPTION_PREFIXES] = { "10.0.0.0/8", "10.0.0.0/9" }, [OPTION_NAMES] = { "a", "b" },
		[OPTION_ADDRESSES] = { "10.0.0.1", "10.0.0.1,::2" },
	};

	(void)state;
	for (unsigned i = 0; i < option_rows_count(); i++) {
		const struct option_row *row = option_row(i);
		char value[2][16], line[CONFIG_LINE_MAX];

		config_init(&before);
		config_init(&after);
		for (unsigned side = 0; side < 2; side++) {
			if (row->type == OPTION_INT)
				snprintf(value[side], sizeof(value[side]), "%u", row->min + side);
			else if (row->type == OPTION_ENUM)
				snprintf(value[side], sizeof(value[side]), "%s", row->words[side]);
			else
				snprintf(value[side], sizeof(value[side]), "%s", values[row->type][side]);
			assert_true(config_set(side ? &after : &before, row->name, value[side], &faults));
		}
		config_compare(&before, &after, &changes);
		assert_int_equal(changes.count, 1);
		assert_int_equal(changes.row[0], i);
		assert_int_equal(changes.restarts, row->acted && !row->live);
		config_change_text(&before, &after, &changes, 0, line);
		if (row->secret)
			assert_null(strstr(line, " -> "));
		else
			assert_non_null(strstr(line, value[1]));
	}
}

static void long_values_are_cut_in_what_is_told(void **state)
{
	char value[512], line[CONFIG_LINE_MAX];

	(void)state;
	memset(value, 'x', sizeof(value));
	value[511] = 0;
	config_init(&before);
	config_init(&after);
	assert_true(config_set(&before, "gardens", value, &faults));
	value[0] = 'y';
	assert_true(config_set(&after, "gardens", value, &faults));
	config_compare(&before, &after, &changes);
	config_change_text(&before, &after, &changes, 0, line);
	assert_true(strlen(line) < 600);
}

static void defaults_mean_what_the_manual_says(void **state)
{
	const struct lns_conf *c = lns("");

	(void)state;
	assert_int_equal(c->sessions_max, 65536);
	assert_int_equal(c->tunnels_max, 4096);
	assert_int_equal(c->addresses_max, 1048576);
	assert_string_equal(c->host_name, "system.example.net");
	assert_string_equal(c->ppp.name, "system.example.net");
	assert_string_equal(c->secret, "");
	assert_true(c->challenge_lacs);
	assert_false(c->lacs_only_listed);
	assert_int_equal(c->lacs, 0);
	assert_int_equal(c->window, 16);
	assert_int_equal(c->hello_interval_s, 60);
	assert_int_equal(c->retransmit_ms, 1000);
	assert_int_equal(c->retransmit_max_ms, 8000);
	assert_int_equal(c->retransmit_tries, 5);
	assert_int_equal(c->ppp.mru, 1462);
	assert_int_equal(c->mss, 1422);
	assert_int_equal(c->ppp.restart_ms, 3000);
	assert_int_equal(c->ppp.max_configure, 10);
	assert_int_equal(c->ppp.max_failure, 5);
	assert_int_equal(c->ppp.auths, 3);
	assert_int_equal(c->ppp.auth[0], AUTH_CHAP_MD5);
	assert_int_equal(c->ppp.auth[1], AUTH_MSCHAPV2);
	assert_int_equal(c->ppp.auth[2], AUTH_PAP);
	assert_int_equal(c->ppp.echo_interval_s, 10);
	assert_int_equal(c->ppp.echo_failures, 24);
	assert_false(c->ppp.echo_when_busy);
	assert_int_equal(c->ppp.proxy, PROXY_ACCEPT);
	assert_int_equal(c->ppp.our_address.n, 0x64400001);
	assert_true(c->source_check);
	assert_false(c->allow_duplicate_users);
	assert_string_equal(c->guests[0], "");
	assert_int_equal(c->session_timeout_s, 0);
}

static void options_mean_what_the_manual_says(void **state)
{
	const struct lns_conf *c = lns(
		"set hostname lns1\nset l2tp_mtu 2600\nset disable_sending_hello yes\n"
		"set l2tp_retransmit_ms 9000\nset echo_failures 3\nset ppp_keepalive no\n"
		"set disable_no_spoof yes\nset tcp_mss_clamp no\n"
		"set proxy_lcp renegotiate\nset iftun_address 10.0.0.254\nset guest_account ann,bob\n"
		"set primary_dns 10.0.0.53\nset lac_require_secret no\nset l2tp_secret s\n"
		"set session_timeout 9\n");

	(void)state;
	assert_string_equal(c->host_name, "lns1");
	assert_int_equal(c->ppp.mru, 1492);
	assert_int_equal(c->mss, 0);
	assert_int_equal(c->hello_interval_s, 0);
	assert_int_equal(c->retransmit_max_ms, 9000);	/* never below the first wait */
	assert_int_equal(c->ppp.echo_failures, 3);
	assert_true(c->ppp.echo_when_busy);
	assert_false(c->source_check);
	assert_int_equal(c->ppp.proxy, PROXY_RENEGOTIATE);
	assert_int_equal(c->ppp.our_address.n, 0x0a0000fe);
	assert_string_equal(c->guests[1], "bob");
	assert_int_equal(c->ppp.dns[0].n, 0x0a000035);
	assert_int_equal(c->ppp.dns[1].n, 0);
	assert_false(c->challenge_lacs);
	assert_string_equal(c->secret, "s");
	assert_int_equal(c->session_timeout_s, 9);

	c = lns("set peer_address 10.0.0.1\nset iftun_address 10.0.0.2\n");
	assert_int_equal(c->ppp.our_address.n, 0x0a000001);
	assert_int_equal(config_tun_address(&after).n, 0x0a000002);
	assert_int_equal(lns("set echo_timeout 1\nset idle_echo_timeout 9999\n")->ppp.echo_failures, 255);
	assert_int_equal(lns("set echo_timeout 60\nset idle_echo_timeout 10\n")->ppp.echo_failures, 1);
	assert_int_equal(lns("set echo_timeout 0\n")->ppp.echo_interval_s, 0);
	assert_int_equal(conf.ppp.echo_failures, 1);
	assert_int_equal(lns("set l2tp_mtu 576\n")->ppp.mru, 538);
}

static void lacs_become_rules(void **state)
{
	const struct lns_conf *c = lns("lac 10.0.0.0/8 secret a\nset lac_allow 10.0.0.0/8,192.0.2.1\n"
				       "lac b deny\n");

	(void)state;
	assert_true(c->lacs_only_listed);
	assert_int_equal(c->lacs, 4);
	assert_int_equal(c->lac[1].prefix.net.n, 0xc0000201);
	assert_true(c->lac[1].allow);
	/* Of two rules with one prefix the later counts: the lac line, which has the secret. */
	assert_int_equal(c->lac[2].prefix.net.n, c->lac[0].prefix.net.n);
	assert_string_equal(c->lac[2].secret, "a");
	assert_string_equal(c->lac[3].name, "b");
	assert_false(c->lac[3].allow);
	assert_false(lns("lac 10.0.0.0/8 secret a\n")->lacs_only_listed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changed_is_nothing),
		cmocka_unit_test(changes_are_told),
		cmocka_unit_test(every_option_changes_alone),
		cmocka_unit_test(long_values_are_cut_in_what_is_told),
		cmocka_unit_test(defaults_mean_what_the_manual_says),
		cmocka_unit_test(options_mean_what_the_manual_says),
		cmocka_unit_test(lacs_become_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
