/*
 * Goal: a file is read whole or refused, and never waited for; a file is replaced so that no reader ever
 * sees a part of it, with its mode kept; our files are found beside the configuration.
 * Method: a folder of its own below the temporary one, with every kind of thing a path may name; one
 * process replaces a file in a loop while this one reads it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "l2tpns/io/files.h"

static char dir[64], path[PATH_MAX], other[PATH_MAX];
static struct file_text text;

static int dir_make(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_files.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int dir_remove(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static const char *in_dir(char out[PATH_MAX], const char *name)
{
	snprintf(out, PATH_MAX, "%s/%s", dir, name);
	return out;
}

static void put(const char *name, const char *what)
{
	FILE *file = fopen(in_dir(path, name), "w");

	assert_non_null(file);
	fputs(what, file);
	fclose(file);
}

static unsigned mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(name, &st), 0);
	return st.st_mode & 07777;
}

static void a_file_is_read_whole(void **state)
{
	(void)state;
	put("f", "some text");
	assert_int_equal(file_read(path, 9, &text), 0);
	assert_int_equal(text.bytes.len, 9);
	assert_string_equal((const char *)text.bytes.p, "some text");
	file_text_free(&text);
	assert_null(text.bytes.p);
	file_text_free(&text);
	put("f", "");
	assert_int_equal(file_read(path, 9, &text), 0);
	assert_int_equal(text.bytes.len, 0);
	assert_int_equal(text.bytes.p[0], 0);
	file_text_free(&text);
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	put("f", "0123456789");
	assert_int_equal(file_read(path, 9, &text), -EFBIG);
	assert_null(text.bytes.p);
	assert_int_equal(file_read(in_dir(path, "none"), 9, &text), -ENOENT);
	assert_int_equal(file_read(dir, 9, &text), -EINVAL);
	assert_int_equal(mkfifo(in_dir(path, "fifo"), 0600), 0);
	assert_int_equal(file_read(path, 9, &text), -EINVAL);		/* and at once */
	assert_int_equal(file_read("/dev/zero", 9, &text), -EINVAL);
}

/* The kernel says 0 octets of its own files, and gives more. */
static void a_file_larger_than_it_says_is_read_whole(void **state)
{
	(void)state;
	assert_int_equal(file_read("/proc/self/status", 1 << 20, &text), 0);
	assert_int_equal(strncmp((const char *)text.bytes.p, "Name:", 5), 0);
	assert_true(text.bytes.len > 100);
	file_text_free(&text);
	assert_int_equal(file_read("/proc/self/status", 10, &text), -EFBIG);
	assert_int_equal(file_read("/proc/self/smaps", 1 << 28, &text), 0);	/* the room must grow */
	assert_int_equal(strlen((const char *)text.bytes.p), text.bytes.len);
	file_text_free(&text);
}

static void replacing_keeps_the_mode(void **state)
{
	(void)state;
	put("g", "old");
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(file_replace(path, bytes_str("new and longer"), 0600), 0);
	assert_int_equal(mode_of(path), 0640);
	assert_int_equal(file_read(path, 99, &text), 0);
	assert_string_equal((const char *)text.bytes.p, "new and longer");
	file_text_free(&text);
	assert_int_equal(file_replace(in_dir(path, "fresh"), bytes_str("x"), 0604), 0);
	assert_int_equal(mode_of(path), 0604);
	assert_int_equal(file_replace(in_dir(path, "no/such/folder"), bytes_str("x"), 0600), -ENOENT);
	assert_int_equal(file_replace(dir, bytes_str("x"), 0600), -EINVAL);
}

static void a_symbolic_link_stays_one(void **state)
{
	struct stat st;

	(void)state;
	put("target", "old");
	assert_int_equal(symlink(path, in_dir(other, "link")), 0);
	assert_int_equal(file_replace(other, bytes_str("new"), 0600), 0);
	assert_int_equal(lstat(other, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(file_read(in_dir(path, "target"), 99, &text), 0);
	assert_string_equal((const char *)text.bytes.p, "new");
	file_text_free(&text);
}

static void nothing_is_left_beside(void **state)
{
	char names[8][NAME_MAX + 1];

	(void)state;
	put("h", "x");
	assert_int_equal(file_replace(path, bytes_str("y"), 0600), 0);
	assert_int_equal(files_list(path, "h", names, 8), 1);
	assert_string_equal(names[0], "h");
}

static void a_reader_sees_the_old_or_the_new(void **state)
{
	enum { LEN = 20000 };
	static char what[2][LEN + 1];
	unsigned seen[2] = { 0 };
	pid_t child;

	(void)state;
	memset(what[0], 'a', LEN);
	memset(what[1], 'b', LEN);
	put("shared", what[0]);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		for (int i = 0; file_replace(path, bytes_of(what[i & 1], LEN), 0600) == 0; i++)
			;
		_exit(1);
	}
	for (int i = 0; i < 3000 || !seen[0] || !seen[1]; i++) {
		assert_true(i < 1000000);
		assert_int_equal(file_read(path, LEN, &text), 0);
		assert_int_equal(text.bytes.len, LEN);
		bool b = text.bytes.p[0] == 'b';

		assert_memory_equal(text.bytes.p, what[b], LEN);
		seen[b]++;
		file_text_free(&text);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void files_are_found_beside_the_configuration(void **state)
{
	char found[PATH_MAX], config_path[PATH_MAX], longest[PATH_MAX];

	(void)state;
	put("subscribers", "");
	in_dir(config_path, "startup-config");
	assert_int_equal(file_find(config_path, "subscribers", found), 0);
	assert_string_equal(found, path);
	assert_int_equal(file_find(config_path, "nowhere-to-be-found", found), 0);
	assert_string_equal(found, FILES_DIR "/nowhere-to-be-found");
	assert_int_equal(file_find(config_path, "/a/b", found), 0);
	assert_string_equal(found, "/a/b");
	assert_int_equal(file_find(config_path, "./b", found), 0);
	assert_string_equal(found, "./b");
	assert_int_equal(file_find("startup-config", "Makefile", found), 0);	/* in the folder we run in */
	assert_true(strcmp(found, "./Makefile") == 0 || strcmp(found, FILES_DIR "/Makefile") == 0);
	memset(longest, 'x', sizeof(longest));
	longest[PATH_MAX - 1] = 0;
	assert_int_equal(file_find(config_path, longest, found), -ENAMETOOLONG);
}

static void names_are_listed_in_order(void **state)
{
	char names[3][NAME_MAX + 1];

	(void)state;
	put("ip_pool-b", "");
	put("ip_pool", "");
	put("ip_pool-a", "");
	put("other", "");
	assert_int_equal(files_list(path, "ip_pool", names, 3), 3);
	assert_string_equal(names[0], "ip_pool");
	assert_string_equal(names[1], "ip_pool-a");
	assert_string_equal(names[2], "ip_pool-b");
	assert_int_equal(files_list(path, "ip_pool", names, 2), -EOVERFLOW);
	assert_int_equal(files_list("/no/such/folder/x", "ip_pool", names, 2), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_whole),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(a_file_larger_than_it_says_is_read_whole),
		cmocka_unit_test(replacing_keeps_the_mode),
		cmocka_unit_test(a_symbolic_link_stays_one),
		cmocka_unit_test(nothing_is_left_beside),
		cmocka_unit_test(a_reader_sees_the_old_or_the_new),
		cmocka_unit_test(files_are_found_beside_the_configuration),
		cmocka_unit_test(names_are_listed_in_order),
	};

	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
