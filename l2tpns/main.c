/* main.c -- reads the command line, builds the shell, runs it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "l2tpns/shell.h"

#define CONFIG_DEFAULT	"/etc/l2tpns/startup-config"

static struct shell shell;	/* large; also what a crash writes its last words from */

/* Once: whatever is broken may break this, too. */
static void trace_crash(void)
{
	static bool begun;

	if (shell.cluster && shell.cluster->io && !__atomic_exchange_n(&begun, true, __ATOMIC_RELAXED))
		(void)cluster_io_crash(shell.cluster->io, shell.config ? shell.config->log_file : NULL);
}

_Noreturn void assert_fail(const char *expr, const char *file, int line)
{
	if (shell.log) {
		log_line(shell.log, SAY_BUG, "%s:%d: assertion failed: %s", file, line, expr);
		log_crash(shell.log);
		trace_crash();
	} else {
		fprintf(stderr, "l2tpns: %s:%d: assertion failed: %s\n", file, line, expr);
	}
	abort();
}

static void usage(FILE *to)
{
	fputs("usage: l2tpns [-dvV] [-c FILE] [-h NAME]\n"
	      "  -c FILE  configuration; the other files are looked for beside it (" CONFIG_DEFAULT ")\n"
	      "  -d       run in the background\n"
	      "  -h NAME  host name told to LACs\n"
	      "  -v       log more; may be repeated\n"
	      "  -V       show the version and leave\n", to);
}

int main(int argc, char **argv)
{
	struct shell_args args = { .config_path = CONFIG_DEFAULT };
	int option;

	while ((option = getopt(argc, argv, "c:dh:vV")) != -1) {
		switch (option) {
		case 'c':
			args.config_path = optarg;
			break;
		case 'd':
			args.detach = true;
			break;
		case 'h':
			args.host_name = optarg;
			break;
		case 'v':
			args.verbose++;
			break;
		case 'V':
			puts("l2tpns " VERSION);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	if (shell_open(&shell, &args) != 0) {
		shell_close(&shell);
		return 1;
	}
	shell_run(&shell);
	shell_close(&shell);
	return 0;
}
