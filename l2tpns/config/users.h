/*
 * users.h -- who may log in to the command line: the file `users`.
 *
 * Pure.  A line is NAME:PASSWORD; the name `enable` gives the password of the
 * enable command.  PASSWORD is plain text, a crypt(3) hash that begins with `$`
 * (the old MD5 form $1$ among them), or any crypt(3) hash after {crypt}.  Lines
 * that are empty or begin with `#` say nothing.  Comparing is the caller's: hashes
 * need crypt_r(3).
 */
#ifndef CONFIG_USERS_H
#define CONFIG_USERS_H

#include "l2tpns/config/faults.h"

#define USERS_MAX		256
#define USER_NAME_MAX		63
#define USER_PASSWORD_MAX	191

struct user {
	char	name[USER_NAME_MAX + 1];
	char	password[USER_PASSWORD_MAX + 1];
	bool	crypt;			/* password is a crypt(3) hash, {crypt} cut off */
};

struct users {
	unsigned	count;
	struct user	user[USERS_MAX];
	bool		has_enable;	/* without it, enable asks for no password */
	struct user	enable;
};

/* The whole file; bad lines are in `faults` and left out, the others work. */
void users_parse(struct bytes text, const char *file, struct users *out, struct config_faults *faults);

/* NULL: nobody has this name.  `enable` is nobody's name. */
const struct user *users_find(const struct users *users, struct bytes name);

#endif
