/* main.c -- arguments to a request, its reply to an exit status. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "nsctl/nsctl.h"

#define WORDS_MAX	256

void assert_fail(const char *expr, const char *file, int line)
{
	fprintf(stderr, "nsctl: %s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}

static enum exit_code usage(void)
{
	fprintf(stderr, "usage: nsctl [-s SOCKET] [-t SECONDS] [-j|--json] [-n COUNT] [-w|--wait] WORDS...\n"
			"       nsctl help\n");
	return EXIT_USAGE;
}

/* A positive number with up to three decimals, in thousandths; 0 when it is something else. */
static unsigned thousandths(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	return *text && !*end && value > 0 && value < 1e6 ? (unsigned)(value * 1000 + 0.5) : 0;
}

static bool option_take(struct nsctl *nsctl, int option)
{
	switch (option) {
	case 's':
		nsctl->path = optarg;
		return true;
	case 't':
		nsctl->timeout_ms = thousandths(optarg);
		return nsctl->timeout_ms > 0;
	case 'j':
		nsctl->form = CTL_JSON;
		return true;
	case 'n':
		nsctl->frames = thousandths(optarg) / 1000;
		return nsctl->frames > 0;
	case 'w':
		nsctl->wait = true;
		return true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' }, { "timeout", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' }, { "count", required_argument, NULL, 'n' },
		{ "wait", no_argument, NULL, 'w' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	struct nsctl nsctl = { .path = CTL_PATH, .timeout_ms = 10000 };
	const char *word[WORDS_MAX];
	unsigned words = 0;
	int option;

	/* Options may stand among the words; a word that begins with a dash comes after "--". */
	while ((option = getopt_long(argc, argv, "s:t:jn:wh", options, NULL)) != -1) {
		if (option == 'h')
			return (int)local_rows[0].run(&nsctl, 0, NULL);
		if (!option_take(&nsctl, option))
			return (int)usage();
	}
	for (int i = optind; i < argc; i++) {
		if (words == WORDS_MAX)
			return (int)usage();
		word[words++] = argv[i];
	}
	if (words == 0)
		return (int)usage();
	for (unsigned i = 0; i < local_rows_n; i++) {
		if (strcmp(local_rows[i].word, nsctl.wait ? WAIT_WORD : word[0]) == 0)
			return (int)local_rows[i].run(&nsctl, (int)words, argv + optind);
	}
	return (int)request_print(&nsctl, word, words);
}
