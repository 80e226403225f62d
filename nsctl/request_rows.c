/* request_rows.c -- the words nsctl acts on itself; all others are the daemon's. */
#include <stdio.h>

#include "nsctl/nsctl.h"

static enum exit_code help(const struct nsctl *nsctl, int argc, char **argv)
{
	static const char *const words[] = { "help" };

	(void)argc, (void)argv;
	printf("usage: nsctl [-s SOCKET] [-t SECONDS] [-j] [-n COUNT] [-w] WORDS...\n\n"
	       "  -s SOCKET    where the daemon listens (%s)\n"
	       "  -t SECONDS   how long it may be silent (10)\n"
	       "  -j, --json   the answer as JSON\n"
	       "  -n COUNT     top: show so many frames and end\n"
	       "  -w, --wait   until the daemon has ended\n\n"
	       "exit status: 0 done, 1 refused, 2 not understood, 3 no daemon, 4 no answer in time\n\n", CTL_PATH);
	for (unsigned i = 0; i < local_rows_n; i++)
		printf("%-36s %s\n", local_rows[i].usage, local_rows[i].help);
	printf("\nThe daemon's commands; words may be shortened:\n\n");
	fflush(stdout);
	return request_print(nsctl, words, 1);
}

const struct local_row local_rows[] = {
	{ "help", "help", "This text, and the daemon's commands", help },
	{ "top",  "top",  "Rates, workers and the busiest sessions, live; q ends it", top },
	{ WAIT_WORD, "cluster stop --wait, shutdown --wait", "End the daemon, and wait until it has ended", wait_end },
};
const unsigned local_rows_n = ARRAY_LEN(local_rows);
