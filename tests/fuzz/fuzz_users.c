/* fuzz_users.c -- any text: logins with a name and a password each, all different, and bad lines named. */
#include "l2tpns/config/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct users users;
static struct config_faults faults;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	memset(&faults, 0, sizeof(faults));
	users_parse(bytes_of(data, len), "users", &users, &faults);
	ASSERT(users.count <= USERS_MAX && faults.warnings == 0);
	for (unsigned i = 0; i < users.count; i++) {
		const struct user *user = &users.user[i];

		ASSERT(user->name[0] && user->password[0]);
		ASSERT(users_find(&users, bytes_str(user->name)) == user);
	}
	ASSERT(!users.has_enable || users.enable.password[0]);
	ASSERT(!users_find(&users, bytes_str("enable")));
	return 0;
}
