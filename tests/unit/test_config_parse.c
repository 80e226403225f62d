/*
 * Goal: a file of l2tpns 2.x is taken as it is; a mistake is named with file, line and the word meant;
 * nothing wrong is taken in part; no fault gives a secret away; what is not acted on is never silent.
 * Method: small files by hand, one a rule; every prefix of a file as a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/config/apply.h"
#include "l2tpns/config/parse.h"

static struct config config, before;
static struct config_faults faults;

static bool parse(const char *text)
{
	memset(&faults, 0, sizeof(faults));
	memset(&config, 0xee, sizeof(config));		/* what was there before must not matter */
	return config_parse(bytes_str(text), "startup-config", &config, &faults);
}

/* The first fault as the operator reads it. */
static const char *says(const char *text)
{
	static char line[FAULT_LINE_MAX];

	if (parse(text) && faults.count == 0)
		return "";
	return fault_text(&faults.fault[0], line);
}

static void values_land_in_their_fields(void **state)
{
	(void)state;
	assert_true(parse("# comment\n"
			  "! another\n"
			  "\n"
			  "set debug 5\n"
			  "  set   l2tp_secret  \"two words\"   # why\n"
			  "set primary_dns 192.0.2.1\r\n"
			  "set tcp_mss_clamp NO\n"
			  "set disable_no_spoof 1\n"
			  "set allow_duplicate_users true\n"
			  "set proxy_lcp renegotiate\n"
			  "set radius_authtypes \"pap, chap\"\n"
			  "set lac_allow 10.0.0.0/8,192.0.2.7\n"
			  "set guest_account 'ann,bob'\n"
			  "set hostname #name\n"
			  "set log_file ''\n"
			  "set echo_interval 7"));
	assert_int_equal(faults.count, 0);
	assert_int_equal(config.debug, 5);
	assert_string_equal(config.l2tp_secret, "two words");
	assert_int_equal(config.primary_dns.n, 0xc0000201);
	assert_false(config.tcp_mss_clamp);
	assert_true(config.disable_no_spoof);
	assert_true(config.allow_duplicate_users);
	assert_int_equal(config.proxy_lcp, PROXY_RENEGOTIATE);
	assert_int_equal(config.radius_authtypes.n, 2);
	assert_int_equal(config.radius_authtypes.item[0], AUTH_PAP);
	assert_int_equal(config.radius_authtypes.item[1], AUTH_CHAP_MD5);
	assert_int_equal(config.lac_allow.n, 2);
	assert_int_equal(config.lac_allow.prefix[1].len, 32);
	assert_int_equal(config.guest_account.n, 2);
	assert_string_equal(config.guest_account.name[1], "bob");
	assert_string_equal(config.hostname, "#name");
	assert_int_equal(config.echo_timeout, 7);
	assert_int_equal(config.ppp_restart_time, 3);	/* the rest is at its default */
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *fault;
	} row[] = {
		{ "set primary_dsn 1.2.3.4",
		  "unknown option \"primary_dsn\": did you mean \"primary_dns\"?" },
		{ "set xyzzy 1", "unknown option \"xyzzy\"" },
		{ "set", "an option's name must follow set" },
		{ "set debug", "option \"debug\": no value" },
		{ "set debug 6", "option \"debug\" must be a number from 0 to 5" },
		{ "set debug -1", "option \"debug\" must be a number from 0 to 5" },
		{ "set hello_interval x", "option \"hello_interval\" must be a number from 0 to 3600 s" },
		{ "set debug 1 2",
		  "option \"debug\": more than one value: put quotes around it when it holds blanks" },
		{ "set ppp_keepalive maybe", "option \"ppp_keepalive\" must be yes or no" },
		{ "set bind_address 1.2.3", "option \"bind_address\" must be an IPv4 address" },
		{ "set proxy_lcp no", "option \"proxy_lcp\" must be accept or renegotiate" },
		{ "set radius_authtypes eap",
		  "option \"radius_authtypes\" must be some of pap, chap and mschapv2, each once" },
		{ "set radius_authtypes pap,pap",
		  "option \"radius_authtypes\" must be some of pap, chap and mschapv2, each once" },
		{ "set radius_authtypes ''",
		  "option \"radius_authtypes\" must name at least one of pap, chap and mschapv2" },
		{ "set lac_allow 10.0.0.1/8",
		  "option \"lac_allow\" must be IPv4 prefixes without host bits, commas between" },
		{ "set cluster_address 239.1.1",
		  "option \"cluster_address\" must be an IPv4 or IPv6 address" },
		{ "set cluster_nodes 10.0.0.1,10.0.0.0/8",
		  "option \"cluster_nodes\" must be IPv4 or IPv6 addresses, commas between" },
		{ "set cluster_nodes 10.0.0.1,::1,10.0.0.1",
		  "option \"cluster_nodes\" must name each address once" },
		{ "set cluster_commit some", "option \"cluster_commit\" must be quorum, one or none" },
		{ "set tundevicename sixteen-letters-",
		  "option \"tundevicename\" must be at most 15 octets long" },
		{ "set hostname \"a", "option \"hostname\": quote without its end" },
		{ "sett debug 1", "unknown line \"sett ...\": did you mean \"set\"?" },
		{ "debug 1", "unknown line \"debug ...\": did you mean \"set debug\"?" },
		{ "neighbour 1.2.3.4 remote-as 5", "\"neighbour\" belongs below a line \"router bgp\"" },
		{ "permit any", "\"permit\" belongs below a line \"ip access-list\"" },
		{ "load plugin", "the line must read: load plugin NAME" },
		{ "no lac 10.0.0.1", "unknown line \"no ...\"" },
		{ "lca x", "unknown line \"lca ...\": did you mean \"lac\"?" },
		{ "exit", "unknown line \"exit ...\"" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
		assert_false(parse(row[i].text));
		assert_int_equal(faults.errors, 1);
		assert_string_equal(faults.fault[0].text, row[i].fault);
	}
	assert_string_equal(says("\n\nset xyzzy 1"), "startup-config:3: unknown option \"xyzzy\"");
}

static void every_error_is_told_and_fails_the_whole(void **state)
{
	(void)state;
	assert_false(parse("set debug 9\nset workers 4\nset bogus 1\n"));
	assert_int_equal(faults.errors, 2);
	assert_int_equal(faults.fault[0].line, 1);
	assert_int_equal(faults.fault[1].line, 3);
}

static void errors_are_not_crowded_out_by_warnings(void **state)
{
	char text[8192] = "";

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(text, "load plugin x\n");
	for (int i = 0; i < 100; i++)
		strcat(text, "bogus\n");
	assert_false(parse(text));
	assert_int_equal(faults.warnings, 100);
	assert_int_equal(faults.errors, 100);
	assert_int_equal(faults.count, FAULTS_MAX);
	assert_true(faults.fault[FAULTS_MAX - FAULTS_FOR_ERRORS].error);
}

static void what_is_not_acted_on_is_warned_about(void **state)
{
	(void)state;
	assert_string_equal(says("set primary_radius 10.0.0.3"),
		"startup-config:1: warning: option \"primary_radius\" is not acted on by this version");
	assert_int_equal(faults.errors, 0);
	assert_int_equal(config.primary_radius.n, 0x0a000003);
	assert_string_equal(says("load plugin \"garden\""),
		"startup-config:1: warning: plugins are not loaded by this version");
	assert_string_equal(says("router bgp 65000"),
		"startup-config:1: warning: BGP is not spoken by this version");
	assert_string_equal(says("lac 10.0.0.1 hidden yes"),
		"startup-config:1: warning: lac: hidden is not acted on by this version");
	assert_string_equal(says("set debug 1\nset debug 2"),
		"startup-config:2: warning: option \"debug\" was set on line 1 already; this line counts");
	assert_int_equal(config.debug, 2);
}

static void lines_not_acted_on_are_kept(void **state)
{
	(void)state;
	assert_true(parse("load plugin \"garden\"\n"
			  "set debug 2\n"
			  "\tsetforward @example.net 10.1.1.1 1701 \"se cret\"  \n"
			  "router bgp 65000\n"
			  "    neighbour 10.0.0.1 remote-as 65001\n"
			  "    neighbour 10.0.0.1 timers 10 30\n"
			  "exit\n"
			  "ip access-list extended web\n"
			  " permit tcp any any eq 80 # web\n"
			  " deny ip any any\n"
			  "set debug 3\n"
			  "load ip-pool 3\n"));
	assert_int_equal(config.debug, 3);
	assert_string_equal(config.kept,
		"load plugin \"garden\"\n"
		"setforward @example.net 10.1.1.1 1701 \"se cret\"\n"
		"router bgp 65000\n"
		"  neighbour 10.0.0.1 remote-as 65001\n"
		"  neighbour 10.0.0.1 timers 10 30\n"
		"ip access-list extended web\n"
		"  permit tcp any any eq 80 # web\n"
		"  deny ip any any\n"
		"load ip-pool 3\n");
	assert_int_equal(config.kept_len, strlen(config.kept));
}

static void kept_lines_are_bounded(void **state)
{
	static char text[4 * CONFIG_KEPT_MAX];
	size_t used = 0;

	(void)state;
	while (used < CONFIG_KEPT_MAX + 100)
		used += (size_t)sprintf(text + used, "load plugin \"%0200d\"\n", 7);
	assert_false(parse(text));
	used = (size_t)sprintf(text, "load plugin \"%01100d\"\n", 7);
	assert_false(parse(text));
	assert_string_equal(faults.fault[0].text, "line too long");
}

static void lacs_are_rules(void **state)
{
	(void)state;
	assert_true(parse("lac 10.0.0.1\n"
			  "lac 10.1.0.0/16 secret \"a b\" deny hidden no\n"
			  "lac bras1.example.net allow secret #x\n"));
	assert_int_equal(config.lacs, 3);
	assert_int_equal(config.lac[0].rule.prefix.len, 32);
	assert_true(config.lac[0].rule.allow);
	assert_int_equal(config.lac[0].hidden, HIDDEN_UNSAID);
	assert_string_equal(config.lac[1].rule.secret, "a b");
	assert_false(config.lac[1].rule.allow);
	assert_int_equal(config.lac[1].hidden, HIDDEN_NO);
	assert_string_equal(config.lac[2].rule.name, "bras1.example.net");
	assert_string_equal(config.lac[2].rule.secret, "#x");
	assert_true(parse("lac 10.0.0.1 secret a\nlac b\nlac 10.0.0.1 deny\n"));
	assert_int_equal(config.lacs, 2);		/* the later line of the same LAC counts, whole */
	assert_false(config.lac[0].rule.allow);
	assert_string_equal(config.lac[0].rule.secret, "");
	assert_int_equal(faults.warnings, 1);
}

static void no_fault_gives_a_secret_away(void **state)
{
	static const char *const text[] = {
		"lac 10.0.0.1 hunter2", "lac 10.0.0.1 secret hunter2 hunter2",
		"lac 10.0.0.1 secret \"hunter2",
		"lac 10.0.0.1 hidden hunter2",
		"lac 10.0.0.1 secret hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2",
		"lac 10.0.0.300 secret hunter2", "lac \"\" secret hunter2",
		"set l2tp_secret hunter2 hunter2", "set l2tp_secret \"hunter2", "set l2tp_secret hunter2\"x",
		"set l2tp_secert hunter2", "setforward a b hunter2", "setforward a b c hunter2 hunter2",
		"set l2tp_secret hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2",
		"lac 10.0.0.1 secret (secret)", "set l2tp_secret (secret)", "l2tp_secret hunter2",
		"lac 10.0.0.1 secret hunter2 deny maybe",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(text); i++) {
		assert_false(parse(text[i]));
		assert_int_equal(faults.errors, 1);
		assert_null(strstr(faults.fault[0].text, "hunter2"));
	}
}

static void addresses_of_both_families(void **state)
{
	static const struct {
		const char *text;
		bool good;
		uint8_t first, last;
	} row[] = {
		{ "::", true, 0, 0 }, { "2001:db8::1", true, 0x20, 1 }, { "::1", true, 0, 1 },
		{ "2001:DB8:0:0:0:0:0:ff", true, 0x20, 0xff }, { "fe80::", true, 0xfe, 0 },
		{ "1:2:3:4:5:6:7::", true, 0, 0 }, { "::2:3:4:5:6:7:8", true, 0, 8 },
		{ "64:ff9b::192.0.2.33", true, 0, 33 }, { "1:2:3:4:5:6:192.0.2.33", true, 0, 33 },
		{ "", false, 0, 0 }, { ":", false, 0, 0 }, { ":::", false, 0, 0 }, { "1", false, 0, 0 },
		{ "1::2::3", false, 0, 0 }, { "1:2:3:4:5:6:7", false, 0, 0 },
		{ "1:2:3:4:5:6:7:8:9", false, 0, 0 },
		{ "1:2:3:4:5:6:7:8:", false, 0, 0 }, { "1:2:3:4:5:6:7:8::", false, 0, 0 },
		{ "12345::", false, 0, 0 },
		{ "g::", false, 0, 0 }, { "1:2:3:4:5:6:7:1.2.3.4", false, 0, 0 }, { "::1.2.3", false, 0, 0 },
		{ ":1::", false, 0, 0 }, { "1::2:", false, 0, 0 }, { "::ffff:1.2.3.4", false, 0, 0 },
		{ "1.2.3.4", false, 0, 0 }, { "2001:db8::/32", false, 0, 0 },
	};
	struct config_faults none = { 0 };

	(void)state;
	config_init(&config);
	for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
		if (config_set(&config, "nexthop6", row[i].text, &none) != row[i].good)
			fail_msg("%s", row[i].text);
		if (!row[i].good)
			continue;
		assert_int_equal(config.nexthop6_address.b[0], row[i].first);
		assert_int_equal(config.nexthop6_address.b[15], row[i].last);
	}
	assert_true(config_set(&config, "dhcp6_server_duid", "0xFDFDFAFA", &none));
	assert_int_equal(config.dhcp6_server_duid, 0xfdfdfafau);
	assert_false(config_set(&config, "dhcp6_server_duid", "0x1FDFDFAFA", &none));
	assert_false(config_set(&config, "dhcp6_server_duid", "0x", &none));
	assert_true(parse("set cluster_address ff05::1313\n"
			  "set cluster_nodes '10.0.0.1 ::ffff:10.0.0.2, 2001:db8::3'\n"));
	assert_int_equal(config.cluster_address.b[0], 0xff);
	assert_int_equal(config.cluster_nodes.n, 3);
	assert_int_equal(ip_to4(config.cluster_nodes.ip[0]).n, 0x0a000001);
	assert_int_equal(ip_to4(config.cluster_nodes.ip[1]).n, 0x0a000002);
	assert_int_equal(config.cluster_nodes.ip[2].b[15], 3);
}

static void a_set_that_fails_changes_nothing(void **state)
{
	(void)state;
	assert_true(parse("set lac_allow 10.0.0.0/8\nset guest_account a,b\nset hostname x\n"));
	before = config;
	memset(&faults, 0, sizeof(faults));
	assert_false(config_set(&config, "lac_allow", "192.0.2.0/24,bad", &faults));
	assert_false(config_set(&config, "guest_account", "a,b,c,d,e,f,g,h,i,j,k", &faults));
	assert_false(config_set(&config, "hostname", "bell\a", &faults));
	assert_false(config_set(&config, "hostname", "both\"'", &faults));
	assert_false(config_set(&config, "radius_authtypes", "chap eap", &faults));
	assert_false(config_set(&config, "nonsense", "1", &faults));
	assert_int_equal(faults.errors, 6);
	assert_true(config_same(&config, &before));
	assert_true(config_set(&config, "hostname", "with blanks", &faults));
	assert_string_equal(config.hostname, "with blanks");
	assert_true(config_set(&config, "hostname", "", &faults));
	assert_string_equal(config.hostname, "");
	assert_true(config_set(&config, "dump_speed", "yes", &faults));
	assert_int_equal(faults.warnings, 1);
}

static void lines_typed_by_hand(void **state)
{
	(void)state;
	assert_true(parse("lac 10.0.0.1\nlac b\nlac c\n"));
	memset(&faults, 0, sizeof(faults));
	assert_true(config_line(&config, "no lac b", &faults));
	assert_int_equal(config.lacs, 2);
	assert_string_equal(config.lac[1].rule.name, "c");
	assert_true(config_line(&config, "lac 10.0.0.1 deny", &faults));
	assert_int_equal(config.lacs, 2);
	assert_int_equal(faults.warnings, 0);
	assert_true(config_line(&config, "set debug 4", &faults));
	assert_true(config_line(&config, "", &faults));
	assert_false(config_line(&config, "no lac b", &faults));
	assert_false(config_line(&config, "no lac", &faults));
	assert_false(config_line(&config, "no lac b c", &faults));
	assert_int_equal(config.debug, 4);
}

static void there_is_room_for_so_many_lacs(void **state)
{
	static char text[CONFIG_LACS_MAX * 32 + 64];
	size_t used = 0;

	(void)state;
	for (int i = 0; i < CONFIG_LACS_MAX; i++)
		used += (size_t)sprintf(text + used, "lac lac%d\n", i);
	assert_true(parse(text));
	assert_int_equal(config.lacs, CONFIG_LACS_MAX);
	sprintf(text + used, "lac onemore\n");
	assert_false(parse(text));
}

static void no_file_is_too_short(void **state)
{
	static const char text[] = "set radius_authtypes \"pap,chap\"\n"
				   "lac 10.0.0.0/8 secret 'x y' hidden yes\nrouter bgp 5\n"
				   "neighbour a b\nip access-list standard x\npermit any\n"
				   "setforward a b c d\nset nexthop6 2001:db8::1.2.3.4\n"
				   "set guest_account a,b,c\n";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *cut = malloc(len + 1);		/* so that a sanitizer sees a step too far */

		memcpy(cut, text, len);
		memset(&faults, 0, sizeof(faults));
		if (!config_parse(bytes_of(cut, len), "f", &config, &faults))
			assert_true(faults.errors > 0);
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_land_in_their_fields),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(every_error_is_told_and_fails_the_whole),
		cmocka_unit_test(errors_are_not_crowded_out_by_warnings),
		cmocka_unit_test(what_is_not_acted_on_is_warned_about),
		cmocka_unit_test(lines_not_acted_on_are_kept),
		cmocka_unit_test(kept_lines_are_bounded),
		cmocka_unit_test(lacs_are_rules),
		cmocka_unit_test(no_fault_gives_a_secret_away),
		cmocka_unit_test(addresses_of_both_families),
		cmocka_unit_test(a_set_that_fails_changes_nothing),
		cmocka_unit_test(lines_typed_by_hand),
		cmocka_unit_test(there_is_room_for_so_many_lacs),
		cmocka_unit_test(no_file_is_too_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
