/* manual.c -- fills a manual page's tables from the rows the program itself reads.
 *
 * Copies standard input to standard output; the lines `.\" options` and `.\" commands` become
 * the tables of startup-config's options and of the command line's commands.
 */
#include <stdio.h>
#include <stdlib.h>

#include "l2tpns/cli/command.h"
#include "l2tpns/config/show.h"

#define TABLE_OCTETS	(256u * 1024)

static void put_options(void)
{
	uint8_t *text = malloc(TABLE_OCTETS);

	if (!text)
		abort();
	struct wr w = wr_of(text, TABLE_OCTETS);

	config_manual(&w);
	ASSERT(wr_ok(&w));
	fwrite(text, 1, wr_len(&w), stdout);
	free(text);
}

static void put_commands(void)
{
	puts(".Bl -tag -width Ds");
	for (unsigned i = 0; i < command_rows_n; i++) {
		const struct command_row *row = &command_rows[i];

		if (!row->help[0])	/* for programs only */
			continue;
		printf(".It Li \"%s\"\n%s.\n", row->words, row->help);
		if (row->privileged)
			puts("Needs\n.Cm enable .");
	}
	puts(".El");
}

int main(void)
{
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, ".\\\" options\n") == 0)
			put_options();
		else if (strcmp(line, ".\\\" commands\n") == 0)
			put_commands();
		else
			fputs(line, stdout);
	}
	return ferror(stdin) || fflush(stdout) != 0;
}
