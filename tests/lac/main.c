/* main.c -- lac: a LAC with many subscribers, and the peer they talk to; see --help. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/lac/measure.h"
#include "tests/lac/options.h"
#include "tests/lac/peer.h"
#include "tests/lac/steps.h"

#define LINE_MAX_OCTETS	1024
#define STEP_TIMERS	4096		/* fired in one turn of the loop, so that receiving goes on */

static const char *const auth_words[] = { "any", "pap", "chap", "mschapv2", "none", NULL };
static const char *const proxy_words[] = { "no", "lcp", "auth", NULL };

#define OPT(name, kind, field, preset, help) \
	{ name, OPTION_##kind, offsetof(struct lac_options, field), preset, NULL, help }
#define CHOICE(name, field, words, preset, help) \
	{ name, OPTION_CHOICE, offsetof(struct lac_options, field), preset, words, help }

static const struct option_row lac_rows[] = {
	OPT("server", IP, server, NULL, "the LNS"),
	OPT("server-port", NUMBER, server_port, "1701", "its port"),
	OPT("local", TEXT, local, "0.0.0.0", "our address, or A-B for all of them"),
	OPT("port", NUMBER, local_port, "1701", "our port, 0: the kernel's choice"),
	OPT("ports", NUMBER, local_ports, "1", "so many successive ports at each address"),
	OPT("tunnels", NUMBER, tunnels, "1", "spread over addresses and ports"),
	OPT("opening", NUMBER, opening, "32", "tunnels being opened at once"),
	OPT("sessions", NUMBER, sessions, "1", "subscribers, spread over the tunnels"),
	OPT("same-ids", FLAG, same_ids, NULL, "assign a tunnel the same id each time, as a LAC that restarts may"),
	OPT("rate", NUMBER, rate, "0", "calls started per second, 0: as fast as --in-flight lets"),
	OPT("in-flight", NUMBER, in_flight, "64", "calls under way at once, 0: no limit"),
	CHOICE("auth", auth, auth_words, "any", "what the subscribers agree to"),
	OPT("user", TEXT, user, "user%", "their names, % is the number"),
	OPT("password", TEXT, password, "secret", "their passwords, % is the number"),
	OPT("calling", TEXT, calling, "", "their calling numbers, % is the number"),
	OPT("host-name", TEXT, host_name, "lac", "ours in SCCRQ"),
	OPT("secret", TEXT, secret, "", "tunnel secret: both sides are challenged"),
	OPT("hide", FLAG, hide, NULL, "hide the AVPs that may be hidden (needs --secret)"),
	CHOICE("proxy", proxy, proxy_words, "no", "what the LAC says it has done already"),
	OPT("mru", NUMBER, mru, "1460", "the subscribers', 0: do not ask"),
	OPT("acfc", FLAG, acfc, NULL, "ask for address and control field compression"),
	OPT("pfc", FLAG, pfc, NULL, "ask for protocol field compression"),
	OPT("dns", FLAG, dns, NULL, "ask for name servers"),
	OPT("mute", FLAG, mute, NULL, "do not answer LCP echo"),
	OPT("window", NUMBER, window, "0", "control messages under way in a tunnel, 0: what the LNS says"),
	OPT("ppp-delay", NUMBER, ppp_delay_ms, "0", "milliseconds from ICCN to the subscriber's first word"),
	OPT("restart", NUMBER, restart_ms, "1000", "milliseconds of the subscribers' restart timer"),
	OPT("tries", NUMBER, tries, "8", "before a subscriber or a tunnel is given up"),
	OPT("up-timeout", NUMBER, up_timeout_s, "120", "seconds a step `up` may take"),
	OPT("loss", REAL, loss, "0", "per cent of what we send is lost"),
	OPT("duplicate", REAL, duplicate, "0", "per cent arrives twice"),
	OPT("reorder", REAL, reorder, "0", "per cent arrives after the next"),
	OPT("garbage", REAL, garbage, "0", "per cent is followed by a spoilt copy or noise"),
	OPT("forge", REAL, forge, "0", "per cent is preceded by a forged packet from another port"),
	OPT("flood-from", IP, flood_from, NULL, "first of the 65,536 addresses step `flood` forges"),
	OPT("seed", NUMBER, seed, "0", "of the random numbers, 0: the kernel's"),
	OPT("server-pid", NUMBER, server_pid, "0", "process whose CPU time and memory are reported"),
	OPT("gso", NUMBER, gso, "32", "upstream packets handed to the kernel at once, 1: singly"),
	OPT("senders", NUMBER, senders, "1", "threads of the peer that send at rate 0; above 1 they do not keep order"),
	OPT("peer", TEXT, peer, "", "Unix socket of the peer"),
	OPT("peer-address", IP, peer_address, "198.18.0.2", "the peer's address in the Internet"),
	OPT("is-peer", FLAG, is_peer, NULL, "be the peer: needs --peer, --peer-address, --device"),
	OPT("device", TEXT, device, "", "our network device, whose counters say what the server forwarded"),
	OPT("progress", FLAG, progress, NULL, "show a line of progress"),
	OPT("quiet", FLAG, quiet, NULL, "JSON only"),
	OPT("help", FLAG, help, NULL, "this text"),
};

static struct lac *the_lac;		/* for signals only */

static void on_signal(int number)
{
	(void)number;
	if (the_lac->stop)
		_exit(1);
	the_lac->stop = true;
}

_Noreturn void assert_fail(const char *expr, const char *file, int line)
{
	fprintf(stderr, "lac: %s:%d: %s\n", file, line, expr);
	abort();
}

struct mono clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (struct mono){ (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000 };
}

static void timers_fire(struct lac *lac)
{
	uint32_t number;

	for (unsigned n = 0; n < STEP_TIMERS && timers_pop(&lac->timers, lac->now, &number); n++) {
		if (number < lac->tunnels)
			chan_timeout(lac, number);
		else
			client_timeout(lac, number - lac->tunnels);
	}
}

void lac_loop(struct lac *lac, lac_step *step, void *arg)
{
	for (;;) {
		uint32_t ready[64];

		lac->now = clock_now();
		timers_fire(lac);
		struct mono wake = step(lac, arg);

		if (lac->net.outs == 0)
			net_idle(&lac->net);
		net_flush(&lac->net);
		if (wake.us == MONO_NEVER.us)
			return;
		wake = mono_min(wake, timers_next(&lac->timers));
		int n = net_wait(&lac->net, lac->now, wake, ready, ARRAY_LEN(ready));

		lac->now = clock_now();
		for (int i = 0; i < n; i++)
			net_receive(&lac->net, ready[i], tunnel_datagram, lac);
		chan_acks(lac);
		net_flush(&lac->net);
	}
}

static void usage(void)
{
	printf("usage: lac [--option=value ...] [STEP ...]\n\n"
	       "A LAC with many subscribers.  It does the steps one after another, each of them one\n"
	       "argument (\"traffic size=64 time=5\"), or read from standard input when the step is \"-\";\n"
	       "without any: up, end.  One JSON object per step goes to stdout, sentences for people to\n"
	       "stderr.  Exit code 0: all was reached.\n\n"
	       "options:\n");
	options_help(lac_rows, ARRAY_LEN(lac_rows), "--");
	printf("\nsteps and their arguments:\n");
	steps_help();
}

static bool parse(struct lac_options *opt, int argc, char **argv, int *first_step)
{
	int i;

	options_preset(lac_rows, ARRAY_LEN(lac_rows), opt);
	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		char *name = argv[i] + 2, *value = strchr(name, '=');

		if (value)
			*value++ = '\0';
		else if (option_is_flag(lac_rows, ARRAY_LEN(lac_rows), name))
			value = (char *)"yes";
		else
			value = i + 1 < argc ? argv[++i] : (char *)"";
		if (!option_set(lac_rows, ARRAY_LEN(lac_rows), opt, name, value))
			return false;
	}
	*first_step = i;
	return true;
}

static bool sensible(const struct lac_options *opt)
{
	const char *wrong = NULL;

	if (opt->tunnels == 0 || opt->tunnels > 65535)
		wrong = "--tunnels is 1 to 65535";
	else if (opt->opening == 0)
		wrong = "--opening is at least 1";
	else if (opt->sessions == 0 || opt->sessions > opt->tunnels * 65535 || opt->sessions > 1u << 20)
		wrong = "--sessions is 1 to 65535 a tunnel and 1048576 in all";
	else if (opt->server.n == 0)
		wrong = "--server is needed";
	else if (opt->hide && !opt->secret[0])
		wrong = "--hide needs --secret";
	else if (opt->mru > 65535 || opt->tries > 200 || opt->local_port > 65535 || opt->server_port > 65535)
		wrong = "--mru, --tries or a port is too large";
	if (wrong)
		fprintf(stderr, "lac: %s\n", wrong);
	return wrong == NULL;
}

static bool lac_open(struct lac *lac)
{
	struct rlimit files = { NET_SOCKS_MAX + 64, NET_SOCKS_MAX + 64 };
	struct ip4 from, to;
	char text[64];
	uint8_t seed[RND_SEED_LEN] = { 0 };
	struct lac_options *opt = &lac->opt;

	snprintf(text, sizeof(text), "%s", opt->local);
	char *dash = strchr(text, '-');

	if (dash)
		*dash++ = '\0';
	if (!ip4_parse(text, &from) || !ip4_parse(dash ? dash : text, &to) || to.n < from.n) {
		fprintf(stderr, "lac: --local: not an address or a range: %s\n", opt->local);
		return false;
	}
	memcpy(seed, &opt->seed, sizeof(opt->seed));
	if (opt->seed == 0 && getrandom(seed, sizeof(seed), 0) < 0)
		return false;
	rnd_seed(&lac->rnd, seed);
	lac->net.rnd = &lac->rnd;
	lac->net.mischief = (struct mischief){ opt->loss, opt->duplicate, opt->reorder, opt->garbage, opt->forge };
	setrlimit(RLIMIT_NOFILE, &files);
	int error = net_open(&lac->net, from, to, (uint16_t)opt->local_port, (uint32_t)opt->local_ports);

	if (error < 0)
		fprintf(stderr, "lac: --local, --port: %s\n", strerror(-error));
	return error >= 0;
}

static void lac_make(struct lac *lac)
{
	static struct measure measure = { .line = -1 };
	struct arena arena = { 0 };

	lac->tunnels = (uint32_t)lac->opt.tunnels;
	lac->sessions = (uint32_t)lac->opt.sessions;
	lac->tunnel = room_map(lac->tunnels * sizeof(*lac->tunnel));
	lac->session = room_map(lac->sessions * sizeof(*lac->session));
	lac->ack_due = room_map(lac->tunnels * sizeof(*lac->ack_due));
	lac->counts.phase[PHASE_IDLE] = lac->sessions;
	lac->measure = &measure;
	lac->report.quiet = lac->opt.quiet;
	lac->server = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)lac->opt.server_port),
					    .sin_addr.s_addr = htonl(lac->opt.server.n) };
	lac->now = clock_now();
	/* Once to learn the size, once to have it. */
	timers_init(&lac->timers, lac->tunnels + lac->sessions, lac->now, &arena);
	arena = (struct arena){ .start = room_map(arena.used), .room = arena.used };
	timers_init(&lac->timers, lac->tunnels + lac->sessions, lac->now, &arena);
}

static bool steps_read(struct lac *lac)
{
	char line[LINE_MAX_OCTETS];
	bool ok = true;

	while (!lac->stop && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] && line[0] != '#') {
			bool did = steps_do(lac, line);

			printf("%s\n", did ? "ok" : "failed");
			fflush(stdout);
			ok = ok && did;
		}
	}
	return ok;
}

int main(int argc, char **argv)
{
	static struct lac lac;
	struct sigaction action = { .sa_handler = on_signal };
	char up[] = "up", end[] = "end", leave[] = "end time=2";
	bool ok = true;
	int first;

	if (!parse(&lac.opt, argc, argv, &first))
		return 2;
	if (lac.opt.help) {
		usage();
		return 0;
	}
	if (lac.opt.is_peer)
		return peer_main(&lac.opt);
	if (!sensible(&lac.opt) || !lac_open(&lac))
		return 2;
	lac_make(&lac);
	the_lac = &lac;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	prctl(PR_SET_TIMERSLACK, 1000);
	if (first == argc)
		ok = steps_do(&lac, up);
	if (first == argc && !lac.stop)
		ok = steps_do(&lac, end) && ok;
	for (int i = first; i < argc && !lac.stop; i++)
		ok = (strcmp(argv[i], "-") == 0 ? steps_read(&lac) : steps_do(&lac, argv[i])) && ok;
	if (lac.stop) {
		/* Told to go: the server should not have to find out by itself. */
		lac.stop = ok = false;
		if (!steps_do(&lac, leave))
			fprintf(stderr, "lac: left without the server's acknowledgement\n");
	}
	net_close(&lac.net);
	return ok ? 0 : 1;
}
