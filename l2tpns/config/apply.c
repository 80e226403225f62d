/* apply.c -- comparing two configurations, and translating one for the control plane. */
#include <stdio.h>

#include "l2tpns/config/apply.h"
#include "l2tpns/config/value.h"

#define HEADERS_OCTETS		38u	/* IPv4 20, UDP 8, L2TP 6, PPP 4: around an inner packet */
#define MRU_MAX			1492u	/* behind many a LAC there is PPPoE: RFC 2516 section 7 */
#define TCP_IP_OCTETS		40u	/* headers of IPv4 and TCP without options */
#define ECHO_FAILURES_MAX	255u

static bool lacs_same(const struct config *a, const struct config *b)
{
	if (a->lacs != b->lacs)
		return false;
	for (uint32_t i = 0; i < a->lacs; i++) {
		const struct config_lac *la = &a->lac[i], *lb = &b->lac[i];

		if (la->hidden != lb->hidden || la->rule.allow != lb->rule.allow ||
		    la->rule.prefix.len != lb->rule.prefix.len ||
		    la->rule.prefix.net.n != lb->rule.prefix.net.n ||
		    strcmp(la->rule.name, lb->rule.name) != 0 ||
		    strcmp(la->rule.secret, lb->rule.secret) != 0)
			return false;
	}
	return true;
}

void config_compare(const struct config *before, const struct config *after, struct config_changes *changes)
{
	*changes = (struct config_changes){
		.lacs = !lacs_same(before, after),
		.kept = !bytes_eq(bytes_of(before->kept, before->kept_len),
				  bytes_of(after->kept, after->kept_len)),
	};
	ASSERT(option_rows_count() <= CONFIG_CHANGES_MAX);
	for (unsigned i = 0; i < option_rows_count(); i++) {
		if (value_same(option_row(i), before, after))
			continue;
		changes->row[changes->count++] = (uint16_t)i;
		changes->restarts += option_row(i)->acted && !option_row(i)->live;
	}
}

bool config_same(const struct config *a, const struct config *b)
{
	struct config_changes changes;

	config_compare(a, b, &changes);
	return changes.count == 0 && !changes.lacs && !changes.kept;
}

/* Both values have to fit on the line: a long one is cut in the middle of nowhere and says so. */
static void put_value(struct wr *out, const struct option_row *row, const struct config *config)
{
	char text[CONFIG_LINE_MAX];
	struct wr value = wr_of(text, sizeof(text));

	value_text(row, config, &value);
	struct bytes octets = wr_bytes_of(&value);

	if (octets.len == 0)
		text_put(out, "(empty)");
	wr_put(out, octets.p, min_u32(octets.len, CONFIG_LINE_MAX / 4));
	if (octets.len > CONFIG_LINE_MAX / 4)
		text_put(out, "...");
}

char *config_change_text(const struct config *before, const struct config *after,
			 const struct config_changes *changes, unsigned number, char line[CONFIG_LINE_MAX])
{
	struct wr out = wr_of(line, CONFIG_LINE_MAX - 1);

	ASSERT(number < changes->count);
	const struct option_row *row = option_row(changes->row[number]);

	text_put(&out, row->name);
	if (row->secret) {
		text_put(&out, " changed");
	} else {
		text_put(&out, " ");
		put_value(&out, row, before);
		text_put(&out, " -> ");
		put_value(&out, row, after);
	}
	if (!row->acted)
		text_put(&out, " (not acted on by this version)");
	else if (!row->live)
		text_put(&out, " (after a restart)");
	ASSERT(wr_ok(&out));
	line[wr_len(&out)] = 0;
	return line;
}

struct ip4 config_tun_address(const struct config *config)
{
	return config->iftun_address.n ? config->iftun_address : (struct ip4){ CONFIG_OUR_ADDRESS };
}

struct ip4 config_our_address(const struct config *config)
{
	return config->peer_address.n ? config->peer_address : config_tun_address(config);
}

/* As many Echo-Requests as the time allows for, at least one. */
static uint8_t echo_failures(const struct config *config)
{
	uint32_t n = config->echo_failures;

	if (n == 0 && config->echo_timeout > 0)
		n = config->idle_echo_timeout / config->echo_timeout;
	return (uint8_t)max_u32(1, min_u32(n, ECHO_FAILURES_MAX));
}

static void ppp_fill(const struct config *config, const char *host, struct ppp_conf *ppp)
{
	*ppp = (struct ppp_conf){
		.mru = (uint16_t)min_u32(config->l2tp_mtu - HEADERS_OCTETS, MRU_MAX),
		.restart_ms = config->ppp_restart_time * 1000,
		.max_configure = (uint8_t)config->ppp_max_configure,
		.max_failure = (uint8_t)config->ppp_max_failure,
		.max_terminate = (uint8_t)config->ppp_max_terminate,
		.auths = config->radius_authtypes.n,
		.auth_timeout_s = config->auth_timeout,
		.echo_interval_s = config->echo_timeout,
		.echo_failures = echo_failures(config),
		.echo_when_busy = !config->ppp_keepalive,
		.proxy = (enum proxy_policy)config->proxy_lcp,
		.our_address = config_our_address(config),
		.dns = { config->primary_dns, config->secondary_dns },
	};
	for (unsigned i = 0; i < config->radius_authtypes.n && i < ARRAY_LEN(ppp->auth); i++)
		ppp->auth[i] = (enum auth_method)config->radius_authtypes.item[i];
	snprintf(ppp->name, sizeof(ppp->name), "%s", host);
}

/* lac_allow first: of two rules with the same prefix the later one counts, and a lac line says more. */
static void lacs_fill(const struct config *config, struct lns_conf *conf)
{
	_Static_assert(CONFIG_PREFIXES_MAX + CONFIG_LACS_MAX <= LAC_RULES_MAX, "every rule has room");

	memset(conf->lac, 0, sizeof(conf->lac));
	conf->lacs = 0;
	for (uint32_t i = 0; i < config->lac_allow.n; i++)
		conf->lac[conf->lacs++] = (struct lac_rule){
			.prefix = config->lac_allow.prefix[i], .allow = true,
		};
	for (uint32_t i = 0; i < config->lacs; i++)
		conf->lac[conf->lacs++] = config->lac[i].rule;
}

void config_to_lns(const struct config *config, const char *host, struct lns_conf *conf)
{
	const char *name = config->hostname[0] ? config->hostname : host;

	conf->sessions_max = config->max_sessions;
	conf->tunnels_max = config->max_tunnels;
	conf->addresses_max = config->max_addresses;

	snprintf(conf->host_name, sizeof(conf->host_name), "%s", name);
	memcpy(conf->secret, config->l2tp_secret, sizeof(conf->secret));
	conf->challenge_lacs = config->lac_require_secret;
	conf->lacs_only_listed = config->lac_allow.n > 0;
	lacs_fill(config, conf);
	conf->tunnels_opening_max = config->max_tunnels_opening;
	conf->window = (uint16_t)config->receive_window;
	conf->hello_interval_s = config->disable_sending_hello ? 0 : config->hello_interval;
	conf->retransmit_ms = config->l2tp_retransmit_ms;
	conf->retransmit_max_ms = max_u32(config->l2tp_retransmit_ms, config->l2tp_retransmit_max_ms);
	conf->retransmit_tries = (uint8_t)config->l2tp_retransmit_tries;
	conf->tunnel_linger_s = config->tunnel_linger;
	conf->tunnel_idle_s = config->tunnel_idle_timeout;

	conf->call_timeout_s = config->call_timeout;
	ppp_fill(config, name, &conf->ppp);
	conf->mss = config->tcp_mss_clamp ? (uint16_t)(conf->ppp.mru - TCP_IP_OCTETS) : 0;
	conf->source_check = !config->disable_no_spoof;
	conf->allow_duplicate_users = config->allow_duplicate_users;
	_Static_assert(sizeof(conf->guests) == sizeof(config->guest_account.name), "guests are copied whole");
	memset(conf->guests, 0, sizeof(conf->guests));
	for (uint32_t i = 0; i < config->guest_account.n; i++)
		memcpy(conf->guests[i], config->guest_account.name[i], sizeof(conf->guests[i]));
	conf->session_timeout_s = config->session_timeout;
	conf->idle_timeout_s = config->idle_timeout;
}
