/* top.c -- a live view: what the daemon says to `show top`, once a second. */
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "l2tpns/base/clean.h"
#include "nsctl/nsctl.h"

#define FRAME_MS	1000
#define ANSWER_MAX	(4u << 20)
#define WORKERS_MAX	256

struct answer {
	char	*text;
	size_t	 len;
};

struct view {
	bool		 live;			/* a terminal, redrawn until q */
	unsigned	 rows;			/* lines of it; 0 = as many as there are */
	uint64_t	 worker_us[WORKERS_MAX], worker_packets[WORKERS_MAX];	/* as of the last frame */
	double		 at_s;			/* when that was; 0 = there was none */
};

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

static bool answer_take(void *ctx, unsigned status, const char *text, size_t len)
{
	struct answer *answer = ctx;
	char *more = answer->len + len < ANSWER_MAX ? realloc(answer->text, answer->len + len + 1) : NULL;

	(void)status;
	if (!more)
		return false;
	memcpy(more + answer->len, text, len);
	answer->text = more;
	answer->len += len;
	return true;
}

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static uint64_t number_of(const json_t *object, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(object, name));

	return n > 0 ? (uint64_t)n : 0;
}

/* The daemon's texts are whatever subscribers chose. */
static const char *text_of(const json_t *object, const char *name, char *room, size_t size)
{
	const char *text = json_string_value(json_object_get(object, name));

	(void)clean_text(room, size, text ? bytes_str(text) : bytes_str("-"), NULL);
	return room;
}

static const char *scaled(uint64_t n, char room[16])
{
	static const char units[] = " kMGTPE";
	double value = (double)n;
	unsigned unit = 0;

	for (; value >= 999.5 && unit < sizeof(units) - 2; unit++)
		value /= 1000;
	(void)snprintf(room, 16, unit == 0 ? "%.0f" : value < 9.995 ? "%.2f%c" : value < 99.95 ? "%.1f%c" : "%.0f%c",
		       value, units[unit]);
	return room;
}

static const char *span(uint64_t s, char room[32])
{
	if (s >= 86400)
		(void)snprintf(room, 32, "%llud %02u:%02u", (unsigned long long)(s / 86400), (unsigned)(s / 3600 % 24),
			       (unsigned)(s / 60 % 60));
	else
		(void)snprintf(room, 32, "%u:%02u:%02u", (unsigned)(s / 3600), (unsigned)(s / 60 % 60),
			       (unsigned)(s % 60));
	return room;
}

/* A line of the view; what stood there before is wiped. */
static void line_end(const struct view *view)
{
	fputs(view->live ? "\033[K\r\n" : "\n", stdout);
}

static double load_of(const json_t *facts, const char *name)
{
	return json_number_value(json_object_get(facts, name));
}

static void head_print(const struct view *view, const json_t *facts)
{
	char a[64], b[32], c[16], d[16];

	printf("l2tpns on %s  up %s  load %.2f %.2f %.2f", text_of(facts, "host", a, sizeof(a)),
	       span(number_of(facts, "uptime_s"), b), load_of(facts, "load_1"), load_of(facts, "load_5"),
	       load_of(facts, "load_15"));
	line_end(view);
	printf("sessions %llu  tunnels %llu  ", (unsigned long long)number_of(facts, "sessions"),
	       (unsigned long long)number_of(facts, "tunnels"));
	printf("down %sbit/s %s packets/s  ", scaled(number_of(facts, "down_bps"), c),
	       scaled(number_of(facts, "down_pps"), d));
	printf("up %sbit/s %s packets/s", scaled(number_of(facts, "up_bps"), c), scaled(number_of(facts, "up_pps"), d));
	line_end(view);
}

/* Rates of each worker need the frame before; the first frame has none. */
static void workers_print(struct view *view, const json_t *workers)
{
	double now = now_s(), passed = view->at_s > 0 ? now - view->at_s : 0;
	json_t *worker;
	size_t i;

	json_array_foreach(workers, i, worker) {
		uint64_t us = number_of(worker, "cpu_us");
		uint64_t packets = number_of(worker, "up_packets") + number_of(worker, "down_packets");
		char rate[16] = "-", cpu[16] = "-";

		if (i >= WORKERS_MAX)
			break;
		if (passed > 0)
			(void)scaled((uint64_t)((double)(packets - view->worker_packets[i]) / passed), rate);
		if (us && passed > 0)
			(void)snprintf(cpu, sizeof(cpu), "%.0f%%", (double)(us - view->worker_us[i]) / passed / 1e4);
		printf("worker %-3u %6s packets/s  cpu %s", (unsigned)i, rate, cpu);
		line_end(view);
		view->worker_us[i] = us;
		view->worker_packets[i] = packets;
	}
	view->at_s = now;
}

static void sessions_print(const struct view *view, const json_t *facts, unsigned lines)
{
	const json_t *list = json_object_get(facts, "top");
	uint64_t read = number_of(facts, "rows_read"), rows = number_of(facts, "rows");
	json_t *session;
	size_t i;

	line_end(view);
	printf("%8s %-24s %-15s %8s %8s %8s %8s", "SID", "USER", "ADDRESS", "DOWN", "UP", "DOWN-PPS", "UP-PPS");
	line_end(view);
	json_array_foreach(list, i, session) {
		char user[96], address[48], a[16], b[16], c[16], d[16];

		if (lines && i >= lines)
			break;
		printf("%8llu %-24.24s %-15s %8s %8s %8s %8s", (unsigned long long)number_of(session, "sid"),
		       text_of(session, "user", user, sizeof(user)),
		       text_of(session, "address", address, sizeof(address)),
		       scaled(number_of(session, "down_bps"), a), scaled(number_of(session, "up_bps"), b),
		       scaled(number_of(session, "down_pps"), c), scaled(number_of(session, "up_pps"), d));
		line_end(view);
	}
	if (json_array_size(list) == 0) {
		fputs("         no session carries traffic", stdout);
		line_end(view);
	}
	if (read < rows && !lines) {
		printf("(%llu of %llu rows are read each time: a busy session appears within %llu frames)",
		       (unsigned long long)read, (unsigned long long)rows,
		       (unsigned long long)((rows + read - 1) / (read ? read : 1)));
		line_end(view);
	}
}

static enum exit_code frame(const struct nsctl *nsctl, struct view *view)
{
	static const char *const words[] = { "show", "top" };
	struct answer answer = { 0 };
	struct winsize size = { 0 };
	json_error_t error;
	enum exit_code code = request(nsctl, CTL_JSON, words, 2, false, answer_take, &answer);
	json_t *facts = code == EXIT_OK && answer.text ? json_loadb(answer.text, answer.len, 0, &error) : NULL;

	free(answer.text);
	if (code == EXIT_OK && !facts) {
		fprintf(stderr, "nsctl: the answer is not what was asked for\n");
		return EXIT_FAILED;
	}
	if (code != EXIT_OK)
		return code;
	if (view->live && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		view->rows = size.ws_row;
	if (view->live)
		fputs("\033[H", stdout);
	if (nsctl->form == CTL_JSON) {
		json_dumpf(facts, stdout, JSON_COMPACT);
		fputc('\n', stdout);
	} else {
		unsigned workers = (unsigned)json_array_size(json_object_get(facts, "workers"));
		unsigned used = 2 + workers + 3;

		head_print(view, facts);
		workers_print(view, json_object_get(facts, "workers"));
		sessions_print(view, facts, view->rows > used ? view->rows - used : view->rows ? 1 : 0);
	}
	if (view->live)
		fputs("\033[J", stdout);
	fflush(stdout);
	json_decref(facts);
	return EXIT_OK;
}

/* Until the next frame; true when q was typed or a signal came. */
static bool pause_over(bool keys)
{
	struct pollfd look = { .fd = STDIN_FILENO, .events = POLLIN };
	double until = now_s() + FRAME_MS / 1000.0;

	while (!ended) {
		double left = until - now_s();
		char key;

		if (left <= 0)
			return false;
		if (poll(&look, keys ? 1 : 0, (int)(left * 1000) + 1) <= 0)
			continue;
		ssize_t n = read(STDIN_FILENO, &key, 1);

		if (n <= 0)
			keys = false;
		else if (key == 'q' || key == 'Q' || key == 3)
			return true;
		else
			return false;		/* any other key: at once */
	}
	return true;
}

enum exit_code top(const struct nsctl *nsctl, int argc, char **argv)
{
	struct view view = { .live = isatty(STDOUT_FILENO) && !nsctl->frames && nsctl->form == CTL_TEXT };
	struct termios before, raw;
	bool keys = view.live && tcgetattr(STDIN_FILENO, &before) == 0;
	enum exit_code code = EXIT_OK;

	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "nsctl: top takes no words\n");
		return EXIT_USAGE;
	}
	(void)signal(SIGINT, on_signal);
	(void)signal(SIGTERM, on_signal);
	if (keys) {
		raw = before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	if (view.live)
		fputs("\033[?1049h\033[?25l", stdout);	/* the other screen, no cursor */
	for (unsigned n = 1; code == EXIT_OK; n++) {
		code = frame(nsctl, &view);
		if (code != EXIT_OK || n == nsctl->frames || pause_over(keys))
			break;
		if (!view.live && nsctl->form == CTL_TEXT)
			fputc('\n', stdout);
	}
	if (view.live) {
		fputs("\033[?25h\033[?1049l", stdout);
		fflush(stdout);
	}
	if (keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	return code;
}
