/*
 * Goal: a message's words say who it is about, secrets of form are kept (no control characters, quotes where
 * needed), floods are cut short and said so, and no caller ever waits for whoever reads the log.
 * Method: words compared; token buckets driven by a made-up clock; real files, a full device, a pipe that
 * nobody reads, several threads at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "l2tpns/io/log_out.h"

static struct fx_list list;

/* What the pure rooms emit, as an entry. */
static void entry_of(struct log_entry *entry, enum say what, uint16_t tid, uint32_t row, const uint32_t *args,
		     const char *text, const char *user)
{
	fx_clear(&list);
	say(&list, what, (struct tid){ tid }, (struct row){ row }, args, bytes_str(text));
	log_entry_fx(entry, 1, what, fx_payload(&list, &list.fx[0]), bytes_str(user));
}

static void words_are(const struct log_entry *entry, const char *want)
{
	char line[LOG_LINE_MAX];

	assert_int_equal(log_entry_words(entry, line), strlen(want));
	assert_string_equal(line, want);
}

static void who_comes_first(void **state)
{
	struct log_entry entry;

	(void)state;
	entry_of(&entry, SAY_LCP_OPENED, 7, 41, SAY_ARG(1492), "", "ann");
	words_are(&entry, "calls: tunnel=7 session=41 user=ann lcp opened mru=1492");
	entry_of(&entry, SAY_TUNNEL_UP, 7, 0, SAY_ARG(0), "lac1", "");
	words_are(&entry, "state: tunnel=7 tunnel up peer=lac1");
	entry_of(&entry, SAY_SESSION_UP, 7, 41, SAY_ARG(0x0a000001), "ann", "ann");	/* says the user itself */
	words_are(&entry, "state: tunnel=7 session=41 session up address=10.0.0.1 user=ann");
	entry_of(&entry, SAY_CALL_REFUSED, 7, 0, SAY_ARG(WHY_SESSIONS_FULL, 4), "", "");
	words_are(&entry, "peer: tunnel=7 call refused why=SESSIONS_FULL result=4");
	entry_of(&entry, SAY_PACKET_REFUSED, 0, 0, SAY_ARG(WHYS + 5), "", "");
	words_are(&entry, "peer: packet refused why=?");
	log_entry_line(&entry, 1, SAY_LOCAL, bytes_str("disk is full"));
	words_are(&entry, "local: disk is full");
}

static void hostile_texts(void **state)
{
	char longest[1000], line[LOG_LINE_MAX];
	struct log_entry entry;

	(void)state;
	entry_of(&entry, SAY_AUTH_FAILED, 7, 41, SAY_ARG(WHY_AUTH_PASSWORD), "a b\" x=\n\x1b[2J", "");
	words_are(&entry, "peer: tunnel=7 session=41 authentication failed why=AUTH_PASSWORD "
			  "user=\"a b\\\" x=\\x0a\\x1b[2J\"");
	entry_of(&entry, SAY_LCP_OPENED, 7, 41, SAY_ARG(1), "", "a b");
	words_are(&entry, "calls: tunnel=7 session=41 user=\"a b\" lcp opened mru=1");
	entry_of(&entry, SAY_AUTH_OK, 7, 41, SAY_ARG(0), "", "");
	words_are(&entry, "calls: tunnel=7 session=41 authenticated user=\"\"");

	memset(longest, '\x01', sizeof(longest));
	log_entry_line(&entry, 1, SAY_LOCAL, bytes_of(longest, sizeof(longest)));
	assert_true(log_entry_words(&entry, line) < LOG_LINE_MAX);
	entry_of(&entry, SAY_LCP_OPENED, 65535, UINT32_MAX, SAY_ARG(UINT32_MAX), "", "");
	entry.user_len = LOG_USER_MAX;
	memset(entry.octets, 1, LOG_USER_MAX);
	assert_true(log_entry_words(&entry, line) < LOG_LINE_MAX);
}

static void every_message(void **state)
{
	char line[LOG_LINE_MAX];
	struct log_entry entry;

	(void)state;
	for (unsigned what = 0; what < SAYS; what++) {
		entry_of(&entry, what, 1, 2, SAY_ARG(3, 4, 5, 6), "text", "ann");
		(void)log_entry_words(&entry, line);
		assert_null(strchr(line, '%'));
		assert_non_null(strstr(line, ": tunnel=1 session=2 "));
	}
}

static void a_flood_is_cut(void **state)
{
	static struct log_limits limits;
	uint64_t now = 1000000000;
	struct log_bucket *bucket;
	unsigned passed = 0, at = 0;

	(void)state;
	memset(&limits, 0, sizeof(limits));
	bucket = log_limits_find(&limits, SAY_PACKET_REFUSED, SAY_PEER, NULL);
	for (unsigned i = 0; i < 1000; i++)
		passed += log_limit_pass(bucket, now);
	assert_int_equal(passed, 100);				/* the burst of its class */
	assert_int_equal(bucket->held, 900);
	assert_ptr_equal(log_limits_held(&limits, &at), bucket);
	bucket->held = 0;
	assert_null(log_limits_held(&limits, &at));
	for (unsigned s = 0; s < 10; s++) {
		now += 1000000;
		for (unsigned i = 0; i < 100; i++)
			passed += log_limit_pass(bucket, now);
	}
	assert_in_range(passed, 100 + 10 * 20 - 1, 100 + 10 * 20 + 1);
	now += 3600 * UINT64_C(1000000);
	for (unsigned i = 0; i < 1000; i++)
		passed += log_limit_pass(bucket, now);
	assert_in_range(passed, 400 - 1, 400 + 1);		/* and never more than the burst */
	now -= 86400 * UINT64_C(1000000);			/* the wall clock is set back: nothing is stuck */
	assert_true(log_limit_pass(bucket, now));

	bucket = log_limits_find(&limits, SAYS, SAY_LOCAL, "a format");
	for (unsigned i = 0; i < 60; i++)
		(void)log_limit_pass(bucket, now);
	assert_int_equal(bucket->held, 10);
	assert_ptr_equal(log_limits_find(&limits, SAYS, SAY_LOCAL, "a format"), bucket);
}

/* ---- with files ---- */

static char directory[64], path[96];

static int directory_make(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/test_log_out.XXXXXX");
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/log", directory);
	return 0;
}

static int directory_remove(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static struct bytes who(void *ctx, struct row session)
{
	(void)ctx;
	return session.n == 41 ? bytes_str("ann") : (struct bytes){ 0 };
}

static struct log_out *opened(const char *destination, unsigned level)
{
	struct log_out *log;

	assert_int_equal(log_open(&log, "test", who, NULL), 0);
	assert_int_equal(log_configure(log, destination, level), 0);
	return log;
}

static char contents[4u << 20];

static unsigned file_lines(const char *name)
{
	unsigned lines = 0;
	FILE *file = fopen(name, "r");

	assert_non_null(file);
	size_t len = fread(contents, 1, sizeof(contents) - 1, file);

	(void)fclose(file);
	contents[len] = '\0';
	for (size_t i = 0; i < len; i++)
		lines += contents[i] == '\n';
	return lines;
}

static void to_a_file(void **state)
{
	struct log_out *log = opened(path, SAY_STATE);

	(void)state;
	log_line(log, SAY_STATE, "before the thread %u", 1);
	assert_int_equal(file_lines(path), 1);				/* written at once */
	assert_int_equal(log_start(log), 0);
	log_line(log, SAY_CALLS, "not at this level");
	fx_clear(&list);
	say(&list, SAY_SESSION_ENDING, (struct tid){ 7 }, (struct row){ 41 }, SAY_ARG(0), bytes_str("x"));
	say(&list, SAY_TUNNEL_UP, (struct tid){ 7 }, (struct row){ 41 }, SAY_ARG(0), bytes_str("lac1"));
	for (unsigned i = 0; i < list.count; i++)
		log_fx(log, &list.fx[i], fx_payload(&list, &list.fx[i]));
	log_close(log);
	assert_int_equal(file_lines(path), 2);
	/* 2026-03-01T12:00:00.123+01:00 state: ... */
	assert_int_equal(contents[4], '-');
	assert_int_equal(contents[10], 'T');
	assert_int_equal(contents[19], '.');
	assert_int_equal(contents[26], ':');
	assert_memory_equal(contents + 29, " state: before the thread 1\n", 28);
	assert_non_null(strstr(contents, " state: tunnel=7 session=41 user=ann tunnel up peer=lac1\n"));
}

static void moved_away(void **state)
{
	struct log_out *log = opened(path, SAY_STATE);
	char moved[128];

	(void)state;
	assert_int_equal(log_start(log), 0);
	(void)snprintf(moved, sizeof(moved), "%s.1", path);
	assert_int_equal(truncate(path, 0), 0);
	log_line(log, SAY_STATE, "one");
	for (unsigned i = 0; i < 200 && file_lines(path) == 0; i++)
		(void)usleep(5000);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(log_reopen(log), 0);
	log_line(log, SAY_STATE, "two");
	assert_int_equal(log_configure(log, "/nowhere/at/all", SAY_STATE), -ENOENT);	/* the old one stays */
	assert_int_equal(log_configure(log, "syslog:nonsense", SAY_STATE), -EINVAL);
	log_line(log, SAY_STATE, "three");
	log_close(log);
	assert_int_equal(file_lines(moved), 1);
	assert_int_equal(file_lines(path), 2);
}

static void suppressed_and_said(void **state)
{
	struct log_out *log = opened(path, SAY_STATE);

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	for (unsigned i = 0; i < 1000; i++)
		log_line(log, SAY_PEER, "again and again %u", i);
	log_second(log);
	log_second(log);
	log_close(log);
	assert_in_range(file_lines(path), 101, 103);
	assert_non_null(strstr(contents, "peer: 900 similar suppressed: again and again %u\n"));
}

static void full_device(void **state)
{
	struct log_out *log = opened("/dev/full", SAY_STATE);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		log_line(log, SAY_STATE, "lost %u", i);
	assert_int_equal(log_lost(log), 3);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(log_configure(log, path, SAY_STATE), 0);
	log_second(log);
	log_close(log);
	(void)file_lines(path);
	assert_non_null(strstr(contents, "local: 3 log lines lost\n"));
}

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* stderr is a pipe and its reader sleeps: the caller goes on, lines are lost, leaving takes a moment at most. */
static void nobody_reads(void **state)
{
	int pipes[2], saved = dup(STDERR_FILENO);
	struct log_out *log;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(dup2(pipes[1], STDERR_FILENO), STDERR_FILENO);
	log = opened("stderr", SAY_STATE);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(log_start(log), 0);

	double begun = now_s();

	for (unsigned i = 0; i < 15000; i++)
		log_line(log, SAY_STATE, "a line that somebody should read, were there anybody: %u", i);
	assert_true(now_s() - begun < 1);
	assert_true(log_lost(log) > 5000);
	begun = now_s();
	log_close(log);
	assert_true(now_s() - begun < 4);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	(void)close(saved);
}

#define THREADS		4
#define EACH		400

static void *say_much(void *arg)
{
	struct log_out *log = arg;

	for (unsigned i = 0; i < EACH; i++) {
		log_line(log, SAY_STATE, "line %u of a thread", i);
		if (i % 50 == 0)
			(void)usleep(1000);
	}
	return NULL;
}

static void many_threads(void **state)
{
	struct log_out *log = opened(path, SAY_STATE);
	pthread_t thread[THREADS];

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(log_start(log), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, say_much, log), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	uint64_t lost = log_lost(log);

	log_close(log);
	assert_int_equal(file_lines(path) + lost, THREADS * EACH);
	for (const char *line = contents; *line; line = strchr(line, '\n') + 1)
		assert_memory_equal(line + 29, " state: line ", 13);
}

/* `debug` sees every class, whatever is written; a slow one is told what it missed. */
static void recent(void **state)
{
	struct log_out *log = opened("/dev/null", SAY_BUG);
	uint64_t at = log_recent_end(log), lost = 0;
	char line[LOG_LINE_MAX];

	(void)state;
	log_line(log, SAY_CALLS, "one");
	log_line(log, SAY_DATA, "two");
	log_line(log, SAY_CALLS, "three");
	assert_true(log_recent(log, &at, 1u << SAY_CALLS, &lost, line));
	assert_non_null(strstr(line, " calls: one"));
	assert_true(log_recent(log, &at, 1u << SAY_CALLS, &lost, line));
	assert_non_null(strstr(line, " calls: three"));
	assert_false(log_recent(log, &at, 1u << SAY_CALLS, &lost, line));
	assert_int_equal(lost, 0);
	for (unsigned i = 0; i < 5000; i++)
		log_line(log, SAY_CALLS, "%u", i);
	assert_true(log_recent(log, &at, 1u << SAY_CALLS, &lost, line));
	assert_int_equal(lost, 5000 - 2048);
	assert_non_null(strstr(line, " calls: 2952"));
	log_close(log);
}

static void crash(void **state)
{
	struct log_out *log = opened(path, SAY_BUG);

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	log_line(log, SAY_CALLS, "what led to it");
	log_line(log, SAY_BUG, "it");
	log_crash(log);
	log_close(log);
	assert_int_equal(file_lines(path), 4);
	assert_non_null(strstr(contents, "\n  calls: what led to it\n  bug: it\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_first),
		cmocka_unit_test(hostile_texts),
		cmocka_unit_test(every_message),
		cmocka_unit_test(a_flood_is_cut),
		cmocka_unit_test(to_a_file),
		cmocka_unit_test(moved_away),
		cmocka_unit_test(suppressed_and_said),
		cmocka_unit_test(full_device),
		cmocka_unit_test(nobody_reads),
		cmocka_unit_test(many_threads),
		cmocka_unit_test(recent),
		cmocka_unit_test(crash),
	};

	return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
