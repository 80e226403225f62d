/*
 * Goal: the logins of the command line are what the file says, in all forms of password; a bad line is
 * named and spoils no other; no fault gives a password away.
 * Method: small files by hand; every prefix of a file as a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/config/users.h"

static struct users users;
static struct config_faults faults;

static void parse(const char *text)
{
	memset(&faults, 0, sizeof(faults));
	memset(&users, 0xee, sizeof(users));
	users_parse(bytes_str(text), "users", &users, &faults);
}

static const struct user *find(const char *name)
{
	return users_find(&users, bytes_str(name));
}

static void lines_are_logins(void **state)
{
	(void)state;
	parse("# comment\n"
	      "\n"
	      "ann:wonderland\r\n"
	      "  bob:with blanks, : and \"quotes\" in it's\n"
	      "enable:really\n");
	assert_int_equal(faults.errors, 0);
	assert_int_equal(users.count, 2);
	assert_string_equal(find("ann")->password, "wonderland");
	assert_false(find("ann")->crypt);
	assert_string_equal(find("bob")->password, "with blanks, : and \"quotes\" in it's");
	assert_true(users.has_enable);
	assert_string_equal(users.enable.password, "really");
	assert_null(find("enable"));
	assert_null(find("Ann"));
	assert_null(find(""));
	parse("");
	assert_false(users.has_enable);
	assert_int_equal(users.count, 0);
}

static void hashes_are_known(void **state)
{
	static const struct {
		const char *text, *password;
		bool crypt;
	} row[] = {
		{ "$1$salt$hash", "$1$salt$hash", true },
		{ "$6$rounds=5000$salt$hash", "$6$rounds=5000$salt$hash", true },
		{ "$y$j9T$salt$hash", "$y$j9T$salt$hash", true },
		{ "$2b$05$hash", "$2b$05$hash", true },
		{ "$argon2-id$x", "$argon2-id$x", true },
		{ "{crypt}abJnggxhB/yWI", "abJnggxhB/yWI", true },
		{ "{crypt}$5$x$y", "$5$x$y", true },
		{ "$money", "$money", false },
		{ "$$a", "$$a", false },
		{ "$a b$c", "$a b$c", false },
		{ "{CRYPT}x", "{CRYPT}x", false },
	};
	char text[128];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
		snprintf(text, sizeof(text), "ann:%s\nenable:%s\n", row[i].text, row[i].text);
		parse(text);
		assert_int_equal(faults.errors, 0);
		assert_string_equal(find("ann")->password, row[i].password);
		assert_int_equal(find("ann")->crypt, row[i].crypt);
		assert_int_equal(users.enable.crypt, row[i].crypt);
	}
}

static void bad_lines_are_named_and_left_out(void **state)
{
	static const char *const lines[] = {
		"hunter2", ":hunter2", "ann:", "ann:{crypt}", "ann:hunter2\a", "last:hunter2",
		"a-name-of-sixty-four-octets-is-one-too-many-01234567890123456789:hunter2",
	};
	char text[256];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(lines); i++) {
		snprintf(text, sizeof(text), "last:pw\n%s\nother:pw\n", lines[i]);
		parse(text);
		assert_int_equal(faults.errors, 1);
		assert_int_equal(faults.fault[0].line, 2);
		assert_null(strstr(faults.fault[0].text, "hunter2"));
		assert_int_equal(users.count, 2);
		assert_string_equal(find("last")->password, "pw");
	}
	parse("enable:a\nenable:b\n");
	assert_int_equal(faults.errors, 1);
	assert_string_equal(users.enable.password, "a");
}

static void there_is_room_for_so_many(void **state)
{
	static char text[(USERS_MAX + 1) * 16];
	size_t used = 0;

	(void)state;
	for (int i = 0; i <= USERS_MAX; i++)
		used += (size_t)sprintf(text + used, "u%d:p\n", i);
	parse(text);
	assert_int_equal(users.count, USERS_MAX);
	assert_int_equal(faults.errors, 1);
	assert_int_equal(faults.fault[0].line, USERS_MAX + 1);
}

static void no_file_is_too_short(void **state)
{
	static const char text[] = "ann:$6$salt$hash\nenable:{crypt}xy\n#x\nbob:p\n";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *cut = malloc(len + 1);

		memcpy(cut, text, len);
		memset(&faults, 0, sizeof(faults));
		users_parse(bytes_of(cut, len), "users", &users, &faults);
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_logins),
		cmocka_unit_test(hashes_are_known),
		cmocka_unit_test(bad_lines_are_named_and_left_out),
		cmocka_unit_test(there_is_room_for_so_many),
		cmocka_unit_test(no_file_is_too_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
