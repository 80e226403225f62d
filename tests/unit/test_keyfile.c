/*
 * Goal: a cluster's keys are read as written, a file others may read is refused, and a new one is made for its
 * owner alone.
 * Method: files in a folder of their own, one a rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "l2tpns/io/keyfile.h"

#define A "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
#define B "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static char folder[64], path[128], error[KEYFILE_ERROR_MAX];
static struct keyfile keyfile;

static int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_keyfile.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/key", folder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);			/* fails when something was left behind */
}

static int read_text(const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
	memset(error, 0, sizeof(error));
	memset(&keyfile, 0xee, sizeof(keyfile));
	return keyfile_read(path, false, &keyfile, error);
}

static void keys_are_read(void **state)
{
	(void)state;
	assert_int_equal(read_text("# keys\n\n 7 " A "\n9 " B "\n", 0600), 0);
	assert_int_equal(keyfile.keys, 2);
	assert_int_equal(keyfile.sending, 9);
	assert_int_equal(keyfile.key[0].id, 7);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(keyfile.key[0].octets[i], i);
	assert_int_equal(keyfile.key[1].octets[31], 0xff);
	assert_int_equal(read_text("255 " A " *\n1 " B, 0400), 0);
	assert_int_equal(keyfile.sending, 255);
	keyfile_wipe(&keyfile);
	assert_int_equal(keyfile.key[0].octets[1] | keyfile.sending | (int)keyfile.keys, 0);
}

static void faults_are_named(void **state)
{
	static const struct { const char *text, *says; } row[] = {
		{ "", "holds no key" },
		{ "# nothing\n", "holds no key" },
		{ "0 " A "\n", ":1: must begin with the key's number" },
		{ "256 " A "\n", ":1: must begin with the key's number" },
		{ A "\n", ":1: must begin with the key's number" },
		{ "\n1\n", ":2: must have 64 hexadecimal digits" },
		{ "1 " A "0\n", ":1: must have 64 hexadecimal digits" },
		{ "1 g" A "\n", ":1: must have 64 hexadecimal digits" },
		{ "1 g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1\n",
		  ":1: must have 64 hexadecimal digits" },
		{ "1 " A "\n1 " B "\n", ":2: has the number of another key" },
		{ "1 " A "\n2 " A "\n3 " A "\n4 " A "\n5 " A "\n", ":5: is one key more" },
		{ "1 " A " *\n2 " B " *\n", ":2: is the second with an asterisk" },
		{ "1 " A " x\n", ":1: may have nothing but an asterisk" },
		{ "1 " A " * *\n", ":1: may have nothing but an asterisk" },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
		if (read_text(row[i].text, 0600) != -EINVAL || !strstr(error, row[i].says))
			fail_msg("row %u: %s", i, error);
		assert_int_equal(keyfile.keys, 0);
		assert_null(strstr(error, "0405"));
	}
}

static void others_may_not_read_it(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0666 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(read_text("1 " A "\n", modes[i]), -EPERM);
		assert_non_null(strstr(error, "chmod 600"));
		assert_int_equal(keyfile.keys, 0);
	}
}

static void what_is_no_file_is_refused(void **state)
{
	(void)state;
	assert_int_equal(keyfile_read(folder, false, &keyfile, error), -EINVAL);
	assert_int_equal(keyfile_read(path, false, &keyfile, error), -ENOENT);
	assert_non_null(strstr(error, path));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(keyfile_read(path, false, &keyfile, error), -EINVAL);
	assert_int_equal(unlink(path), 0);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (unsigned i = 0; i < 5000; i++)
		fputc('#', file);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(keyfile_read(path, false, &keyfile, error), -EFBIG);
}

static void a_missing_one_is_made_once(void **state)
{
	struct keyfile again;
	struct stat st;
	mode_t before = umask(0);
	uint8_t all = 0;

	(void)state;
	assert_int_equal(keyfile_read(path, true, &keyfile, error), 0);
	umask(before);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(keyfile.keys, 1);
	assert_int_equal(keyfile.sending, 1);
	for (unsigned i = 0; i < 32; i++)
		all |= keyfile.key[0].octets[i];
	assert_int_not_equal(all, 0);
	assert_int_equal(keyfile_read(path, true, &again, error), 0);
	assert_memory_equal(&keyfile, &again, sizeof(again));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(keyfile_read("/nonexistent/key", true, &again, error), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_are_read, begin, end),
		cmocka_unit_test_setup_teardown(faults_are_named, begin, end),
		cmocka_unit_test_setup_teardown(others_may_not_read_it, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_missing_one_is_made_once, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
