/*
 * Goal: nsctl's requests are understood or refused with a reason, answers arrive whole, and no client, however
 * it behaves, holds up another or the daemon.
 * Method: the codec forwards and back; a real socket and loop in one thread, so that each turn of the loop is
 * counted; clients that send in pieces, too much, nothing; that do not read, or vanish.
 */
#include <errno.h>
#include <ev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "l2tpns/io/ctl_unix.h"

/* ---- the codec ---- */

static void decode(void **state)
{
	static const struct { const char *line, *fault; } rows[] = {
		{ "l2tpns 1 text show version\n", NULL },
		{ "l2tpns 1 json show version", NULL },
		{ "l2tpns  1  metrics   x\r\n", NULL },
		{ "l2tpns 1 text\n", NULL },
		{ "", "empty request" },
		{ "\n", "empty request" },
		{ "GET / HTTP/1.1\r\n", "not an l2tpns request" },
		{ "l2tpns 2 text show version\n", "protocol version not 1" },
		{ "l2tpns\n", "protocol version not 1" },
		{ "l2tpns 1 xml show version\n", "form not text, json or metrics" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ctl_request request;
		const char *fault = ctl_request_decode(bytes_str(rows[i].line), &request);

		assert_int_equal(!fault, !rows[i].fault);
		if (fault)
			assert_string_equal(fault, rows[i].fault);
	}
	struct ctl_request request;

	assert_non_null(ctl_request_decode(bytes_of("l2tpns 1 text a\0b\n", 18), &request));
}

static void there_and_back(void **state)
{
	static const char *const words[] = { "set", "x", "a b", "", "\"", "\\", "tab\there", "J\xc3\xbc", "-5" };
	uint8_t octets[CTL_REQUEST_MAX];
	struct wr w = wr_of(octets, sizeof(octets));
	struct ctl_request request;
	struct typed typed;

	(void)state;
	assert_true(ctl_request_encode(&w, CTL_JSON, words, ARRAY_LEN(words)));
	assert_null(ctl_request_decode(wr_bytes_of(&w), &request));
	assert_int_equal(request.form, CTL_JSON);
	assert_true(typed_split(&typed, request.words));
	assert_int_equal(typed.n, ARRAY_LEN(words));
	for (unsigned i = 0; i < typed.n; i++)
		assert_string_equal(typed_word(&typed, i), words[i]);

	w = wr_of(octets, sizeof(octets));
	assert_false(ctl_request_encode(&w, CTL_TEXT, (const char *const[]){ "a\nb" }, 1));
	char longest[CTL_REQUEST_MAX + 1];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	w = wr_of(octets, sizeof(octets));
	assert_false(ctl_request_encode(&w, CTL_TEXT, (const char *const[]){ longest }, 1));
}

static void statuses(void **state)
{
	static const unsigned all[] = { CTL_OK, CTL_MALFORMED, CTL_NOT_ENABLED, CTL_NO_OBJECT, CTL_UNKNOWN,
					CTL_REFUSED, CTL_BUSY };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		char line[CTL_STATUS_MAX];
		size_t len = ctl_status_encode(all[i], line);

		assert_true(len > 5 && len < sizeof(line) && line[len - 1] == '\n');
		assert_int_equal(ctl_status_decode(bytes_of(line, len)), all[i]);
	}
	assert_int_equal(ctl_status_decode(bytes_str("")), 0);
	assert_int_equal(ctl_status_decode(bytes_str("20x ok\n")), 0);
	assert_int_equal(ctl_status_decode(bytes_str("2000 ok\n")), 0);
}

/* ---- the socket ---- */

#define LINES	50000u		/* of a long answer */

static struct facts facts;
static struct ev_loop *loop;
static struct log_out *logger;
static struct ctl_unix *ctl;
static char directory[64], path[96];
static unsigned lines_made, lines_made_in_turn;

static void hand_clock(void *ctx, struct mono *now, uint64_t *unix_us)
{
	struct timespec ts;

	(void)ctx;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	*now = (struct mono){ (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u };
	*unix_us = 0;
}

static bool hand_config_line(void *ctx, unsigned number, bool all, bool secrets, char line[FACTS_LINE_MAX])
{
	(void)ctx, (void)all, (void)secrets;
	lines_made++;
	lines_made_in_turn++;
	(void)snprintf(line, FACTS_LINE_MAX, "set option_%u \"with a value of some length\"", number);
	return number < LINES;
}

static bool hand_memory_write(void *ctx, char message[FACTS_MESSAGE_MAX])
{
	(void)ctx;
	strcpy(message, "disk full");
	return false;
}

static bool hand_log_line(void *ctx, uint64_t *at, unsigned classes, uint64_t *lost, char line[FACTS_LINE_MAX])
{
	(void)ctx;
	return log_recent(logger, at, classes, lost, line);
}

static uint64_t hand_log_end(void *ctx)
{
	(void)ctx;
	return log_recent_end(logger);
}

static unsigned looks_left;			/* until the cluster answers */
static bool handed_over;

static const struct cluster_facts *hand_cluster(void *ctx)
{
	static const struct cluster_facts cluster;

	(void)ctx;
	return &cluster;
}

static uint32_t hand_cluster_ask(void *ctx, enum cl_verb verb, struct node_id node)
{
	(void)ctx;
	return verb == CL_VERB_HANDOVER ? node.n : 0;
}

static bool hand_cluster_answer(void *ctx, uint32_t number, struct cluster_answer *given)
{
	(void)ctx;
	assert_int_equal(number, 3);
	*given = (struct cluster_answer){ .ok = handed_over, .words = handed_over ? "done" : "node 3 is not there" };
	return looks_left-- == 0;
}

static const struct facts_ops hands = {
	.clock = hand_clock, .config_line = hand_config_line, .memory_write = hand_memory_write,
	.log_line = hand_log_line, .log_end = hand_log_end, .cluster = hand_cluster, .cluster_ask = hand_cluster_ask,
	.cluster_answer = hand_cluster_answer,
};

static int begin(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/test_ctl.XXXXXX");
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/run/control.sock", directory);
	loop = ev_loop_new(0);
	assert_int_equal(log_open(&logger, "test", NULL, NULL), 0);
	assert_int_equal(log_configure(logger, "/dev/null", SAY_STATE), 0);
	facts = (struct facts){ .version = "9.9", .host = "lns1", .ops = &hands };
	assert_int_equal(ctl_unix_open(&ctl, loop, &(struct ctl_unix_conf){ .path = path }, &facts, logger), 0);
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	ctl_unix_close(ctl);
	assert_int_equal(access(path, F_OK), -1);		/* the socket goes with it */
	log_close(logger);
	ev_loop_destroy(loop);
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static int client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void say_to(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* In one turn of the loop at most one slice is made, whoever asks. */
static void turn(void)
{
	lines_made_in_turn = 0;
	ev_run(loop, EVRUN_NOWAIT);
	assert_true(lines_made_in_turn <= OUT_SLICE / 20);
}

static char answer[8u << 20];

/* Turn the loop until the answer has ended; returns its octets. */
static size_t answer_of(int fd)
{
	size_t len = 0;

	for (unsigned idle = 0; idle < 2000; ) {
		ssize_t n = recv(fd, answer + len, sizeof(answer) - 1 - len, 0);

		if (n == 0) {
			(void)close(fd);
			answer[len] = '\0';
			return len;
		}
		if (n > 0) {
			len += (size_t)n;
			idle = 0;
			continue;
		}
		assert_int_equal(errno, EAGAIN);
		turn();
		if (++idle > 1000)
			(void)usleep(1000);
	}
	fail_msg("no end of the answer after %zu octets", len);
	return 0;
}

static void answers(const char *request, const char *starts)
{
	int fd = client();

	say_to(fd, request);
	(void)answer_of(fd);
	if (strncmp(answer, starts, strlen(starts)) != 0)
		fail_msg("%s: %.200s", request, answer);
}

static void one_request_each(void **state)
{
	(void)state;
	answers("l2tpns 1 text show version\n",
		"200 ok\nprogram:                l2tpns\nversion:                9.9\n");
	answers("l2tpns 1 json sh ver\n", "200 ok\n{\"program\":\"l2tpns\",\"version\":\"9.9\"");
	answers("l2tpns 1 text show nothing\n", "405 no such command\nno command \"show nothing\"");
	answers("l2tpns 1 json show nothing\n", "405 no such command\n{\"message\":\"no command");
	answers("l2tpns 1 text write memory\n", "409 refused\ndisk full\n");
	answers("l2tpns 1 text\n", "405 no such command\nno command\n");
	answers("hello\n", "400 malformed request\nnot an l2tpns request\n");
	answers("l2tpns 1 text show \"ver\n", "400 malformed request\ntoo many words, or a quote that does not end\n");
}

static void in_pieces(void **state)
{
	static const char request[] = "l2tpns 1 text show version\n";
	int fd = client();

	(void)state;
	for (const char *p = request; *p; p++) {
		assert_int_equal(send(fd, p, 1, 0), 1);
		turn();
	}
	(void)answer_of(fd);
	assert_memory_equal(answer, "200 ok\n", 7);
}

static void not_requests(void **state)
{
	char big[CTL_REQUEST_MAX];
	int fd = client();

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(send(fd, big, sizeof(big), 0), sizeof(big));
	(void)answer_of(fd);
	assert_string_equal(answer, "400 malformed request\nrequest too long\n");
	fd = client();
	say_to(fd, "l2tpns 1 text show version");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	(void)answer_of(fd);
	assert_string_equal(answer, "400 malformed request\nrequest does not end with a line feed\n");
	fd = client();
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	(void)answer_of(fd);
	assert_string_equal(answer, "400 malformed request\nempty request\n");
}

/* One that asked and said it has nothing more to say still gets the whole answer. */
static void half_closed(void **state)
{
	int fd = client();

	(void)state;
	say_to(fd, "l2tpns 1 text show running-config\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	(void)answer_of(fd);
	assert_non_null(strstr(answer, "\nset option_49999 "));
}

static void slow_readers(void **state)
{
	int slow[40];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(slow); i++) {
		slow[i] = client();
		say_to(slow[i], "l2tpns 1 text show running-config\n");
	}
	for (unsigned i = 0; i < 3000; i++)
		turn();
	unsigned made = lines_made;

	for (unsigned i = 0; i < 100; i++)
		turn();
	assert_int_equal(lines_made, made);			/* nobody reads: nothing is made */
	answers("l2tpns 1 text show version\n", "200 ok\n");
	for (unsigned i = 0; i < ARRAY_LEN(slow); i += 2)
		(void)close(slow[i]);				/* some vanish */
	for (unsigned i = 1; i < ARRAY_LEN(slow); i += 2) {
		size_t len = answer_of(slow[i]), lines = 0;

		for (size_t k = 0; k < len; k++)
			lines += answer[k] == '\n';
		assert_int_equal(lines, LINES + 1);
	}
}

static void too_many(void **state)
{
	int fd[CTL_CLIENTS_MAX], one_more;

	(void)state;
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++) {
		fd[i] = client();
		if (i % 8 == 7)
			turn();
	}
	for (unsigned i = 0; i < 20; i++)
		turn();
	one_more = client();
	(void)answer_of(one_more);
	assert_string_equal(answer, "503 too many clients\n");
	for (unsigned i = 0; i < CTL_CLIENTS_MAX; i++)
		(void)close(fd[i]);
	for (unsigned i = 0; i < 20; i++)
		turn();
	answers("l2tpns 1 text show version\n", "200 ok\n");
}

/* A command that cannot know yet how it ends says nothing until then, and holds up nobody. */
static void waiting(void **state)
{
	int fd = client();

	(void)state;
	looks_left = 2;
	handed_over = true;
	say_to(fd, "l2tpns 1 text cluster handover 3\n");
	for (unsigned i = 0; i < 20; i++)
		turn();
	assert_int_equal(recv(fd, answer, sizeof(answer), 0), -1);
	answers("l2tpns 1 text show version\n", "200 ok\n");
	(void)answer_of(fd);
	assert_string_equal(answer, "200 ok\ndone\n");
	looks_left = 1;
	handed_over = false;
	answers("l2tpns 1 json cluster handover 3\n", "409 refused\n{\"message\":\"node 3 is not there\"}");
	answers("l2tpns 1 text cluster handover x\n", "405 no such command\nx is not a node's number\n");

	looks_left = 1000;
	fd = client();
	say_to(fd, "l2tpns 1 text cluster handover 3\n");
	for (unsigned i = 0; i < 20; i++)
		turn();
	(void)close(fd);						/* gone while it waits */
	for (unsigned i = 0; i < 20; i++)
		turn();
	answers("l2tpns 1 text show version\n", "200 ok\n");
}

/* Whoever asks for the log knows at once that he will get it, however long nothing happens. */
static void silent_log(void **state)
{
	int fd = client();
	ssize_t n = -1;

	(void)state;
	say_to(fd, "l2tpns 1 text debug error\n");
	for (unsigned i = 0; i < 50 && n < 0; i++) {
		turn();
		n = recv(fd, answer, sizeof(answer), 0);
	}
	assert_int_equal(n, 7);
	assert_memory_equal(answer, "200 ok\n", 7);
	(void)close(fd);
	for (unsigned i = 0; i < 20; i++)
		turn();
}

/* The log as it comes; the client's end ends it. */
static void streaming(void **state)
{
	int fd = client();
	char text[4096];
	size_t len = 0;

	(void)state;
	say_to(fd, "l2tpns 1 text debug info\n");
	for (unsigned i = 0; i < 2000 && len < sizeof(text) - 1; i++) {
		ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);

		if (i % 100 == 50)
			log_line(logger, i % 200 == 50 ? SAY_STATE : SAY_CALLS, "tick");
		len += n > 0 ? (size_t)n : 0;
		turn();
		(void)usleep(500);
	}
	text[len] = '\0';
	assert_memory_equal(text, "200 ok\n", 7);
	assert_non_null(strstr(text, " state: tick\n"));
	assert_null(strstr(text, " calls: tick\n"));
	(void)close(fd);
	for (unsigned i = 0; i < 20; i++)
		turn();
}

static void the_socket_file(void **state)
{
	struct ctl_unix *other;
	struct ctl_unix_conf conf = { .path = path };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char left[128], longest[200];
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(ctl_unix_open(&other, loop, &conf, &facts, logger), -EADDRINUSE);
	answers("l2tpns 1 text show version\n", "200 ok\n");	/* and the first is unharmed */

	(void)snprintf(left, sizeof(left), "%s/left.sock", directory);
	strcpy(address.sun_path, left);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);					/* its file stays behind */
	conf.path = left;
	assert_int_equal(ctl_unix_open(&other, loop, &conf, &facts, logger), 0);
	ctl_unix_close(other);

	conf.group = "no-such-group-here";
	assert_int_equal(ctl_unix_open(&other, loop, &conf, &facts, logger), -ENOENT);
	assert_int_equal(access(left, F_OK), -1);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	conf = (struct ctl_unix_conf){ .path = longest };
	assert_int_equal(ctl_unix_open(&other, loop, &conf, &facts, logger), -ENAMETOOLONG);
	conf.path = "/proc/nowhere/x";
	assert_int_not_equal(ctl_unix_open(&other, loop, &conf, &facts, logger), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decode),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(statuses),
		cmocka_unit_test_setup_teardown(one_request_each, begin, end),
		cmocka_unit_test_setup_teardown(in_pieces, begin, end),
		cmocka_unit_test_setup_teardown(not_requests, begin, end),
		cmocka_unit_test_setup_teardown(half_closed, begin, end),
		cmocka_unit_test_setup_teardown(slow_readers, begin, end),
		cmocka_unit_test_setup_teardown(too_many, begin, end),
		cmocka_unit_test_setup_teardown(waiting, begin, end),
		cmocka_unit_test_setup_teardown(silent_log, begin, end),
		cmocka_unit_test_setup_teardown(streaming, begin, end),
		cmocka_unit_test_setup_teardown(the_socket_file, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
