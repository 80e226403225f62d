/* conf.c -- what the lns of a play is told: options as key=value, pools, rules for LACs. */
#include "tests/replay/play.h"

enum kind { U8, U16, U32, BOOL, TEXT, IP, PROXY, AUTHS };

struct conf_word { const char *name; enum kind kind; size_t at, size; };

#define SIZE(field) sizeof(((struct lns_conf *)0)->field)
#define FIELD(name, kind, field) { name, kind, offsetof(struct lns_conf, field), SIZE(field) }

static const struct conf_word words[] = {
	FIELD("sessions", U32, sessions_max),
	FIELD("tunnels", U32, tunnels_max),
	FIELD("addresses", U32, addresses_max),
	FIELD("host", TEXT, host_name),
	FIELD("secret", TEXT, secret),
	FIELD("challenge", BOOL, challenge_lacs),
	FIELD("only-listed", BOOL, lacs_only_listed),
	FIELD("opening", U32, tunnels_opening_max),
	FIELD("window", U16, window),
	FIELD("hello", U32, hello_interval_s),
	FIELD("retransmit-ms", U32, retransmit_ms),
	FIELD("retransmit-max-ms", U32, retransmit_max_ms),
	FIELD("tries", U8, retransmit_tries),
	FIELD("linger", U32, tunnel_linger_s),
	FIELD("tunnel-idle", U32, tunnel_idle_s),
	FIELD("call-timeout", U32, call_timeout_s),
	FIELD("mru", U16, ppp.mru),
	FIELD("restart-ms", U32, ppp.restart_ms),
	FIELD("max-configure", U8, ppp.max_configure),
	FIELD("max-failure", U8, ppp.max_failure),
	FIELD("max-terminate", U8, ppp.max_terminate),
	FIELD("auth", AUTHS, ppp.auth),
	FIELD("auth-timeout", U32, ppp.auth_timeout_s),
	FIELD("echo", U32, ppp.echo_interval_s),
	FIELD("echo-failures", U8, ppp.echo_failures),
	FIELD("echo-when-busy", BOOL, ppp.echo_when_busy),
	FIELD("proxy", PROXY, ppp.proxy),
	FIELD("our-address", IP, ppp.our_address),
	FIELD("dns1", IP, ppp.dns[0]),
	FIELD("dns2", IP, ppp.dns[1]),
	FIELD("ppp-name", TEXT, ppp.name),
	FIELD("mss", U16, mss),
	FIELD("source-check", BOOL, source_check),
	FIELD("duplicates", BOOL, allow_duplicate_users),
	FIELD("guest", TEXT, guests[0]),
	FIELD("session-timeout", U32, session_timeout_s),
	FIELD("idle-timeout", U32, idle_timeout_s),
};

/* Small limits, so that stories reach them; times as an operator would set them. */
void conf_defaults(struct lns_conf *conf)
{
	*conf = (struct lns_conf){
		.sessions_max = 64,
		.tunnels_max = 16,
		.addresses_max = 512,
		.host_name = "lns",
		.challenge_lacs = true,
		.tunnels_opening_max = 8,
		.window = 8,
		.hello_interval_s = 60,
		.retransmit_ms = 1000,
		.retransmit_max_ms = 8000,
		.retransmit_tries = 5,
		.tunnel_linger_s = 31,
		.call_timeout_s = 60,
		.source_check = true,
		.allow_duplicate_users = true,
		.ppp =
			{
				.mru = 1460,
				.restart_ms = 1000,
				.max_configure = 10,
				.max_failure = 5,
				.max_terminate = 2,
				.auth = { AUTH_CHAP_MD5 },
				.auths = 1,
				.auth_timeout_s = 30,
				.echo_failures = 3,
				.our_address = { 0x0aff0001 },
				.name = "lns",
			},
		.pools = { .pools = 1 },
	};
}

static void auths(struct play *play, const char *text)
{
	char list[64], *rest = list, *word;

	snprintf(list, sizeof(list), "%s", text);
	play->conf.ppp.auths = 0;
	while ((word = strsep(&rest, ","))) {
		enum auth_method method = AUTH_NONE;

		while (method < AUTH_METHODS && strcmp(auth_method_name(method), word) != 0)
			method++;
		if (method == AUTH_METHODS || play->conf.ppp.auths == AUTH_METHODS)
			play_fail(play, "\"%s\" is no authentication method", word);
		play->conf.ppp.auth[play->conf.ppp.auths++] = method;
	}
}

static void set(struct play *play, const struct conf_word *word, const char *text)
{
	uint8_t *at = (uint8_t *)&play->conf + word->at;
	uint64_t n = word->kind <= U32 ? parse_number(play, text) : 0;
	struct ip4 ip;

	switch (word->kind) {
	case U8:
		*at = (uint8_t)n;
		break;
	case U16:
		memcpy(at, &(uint16_t){ (uint16_t)n }, 2);
		break;
	case U32:
		memcpy(at, &(uint32_t){ (uint32_t)n }, 4);
		break;
	case BOOL:
		*at = parse_bool(play, text);
		break;
	case TEXT:
		if (strlen(text) >= word->size)
			play_fail(play, "%s is too long", word->name);
		strcpy((char *)at, text);
		break;
	case IP:
		ip = parse_ip4(play, text);
		memcpy(at, &ip, sizeof(ip));
		break;
	case PROXY:
		play->conf.ppp.proxy = strcmp(text, "accept") == 0 ? PROXY_ACCEPT : PROXY_RENEGOTIATE;
		break;
	case AUTHS:
		auths(play, text);
		break;
	}
}

/* pool NAME PREFIX: another range; the default pool is called "default". */
void conf_pool(struct play *play, struct told *w)
{
	struct ippool_conf *pools = &play->conf.pools;
	const char *name = told_next(play, w), *prefix = told_next(play, w);
	unsigned pool = 0;

	if (strcmp(name, "default") == 0)
		name = "";
	while (pool < pools->pools && strcmp(pools->name[pool], name) != 0)
		pool++;
	if (pool == IPPOOLS_MAX || pools->ranges == IPPOOL_RANGES_MAX)
		play_fail(play, "too many pools");
	if (pool == pools->pools)
		snprintf(pools->name[pools->pools++], sizeof(pools->name[0]), "%s", name);
	pools->range[pools->ranges].pool = (uint8_t)pool;
	if (!ip4_prefix_parse(prefix, &pools->range[pools->ranges++].prefix))
		play_fail(play, "\"%s\" is not a prefix", prefix);
	told_done(play, w);
}

/* rule NAME|PREFIX [secret=S] [refuse] */
void conf_lac_rule(struct play *play, struct told *w)
{
	const char *who = told_next(play, w), *secret = told_value(w, "secret");
	struct lac_rule rule = { .allow = !told_flag(w, "refuse") };

	if (!ip4_prefix_parse(who, &rule.prefix))
		snprintf(rule.name, sizeof(rule.name), "%s", who);
	snprintf(rule.secret, sizeof(rule.secret), "%s", secret ? secret : "");
	if (play->conf.lacs == LAC_RULES_MAX)
		play_fail(play, "too many rules");
	play->conf.lac[play->conf.lacs++] = rule;
	told_done(play, w);
}

void conf_words(struct play *play, struct told *w)
{
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if ((text = told_value(w, words[i].name)))
			set(play, &words[i], text);
	told_done(play, w);
}
