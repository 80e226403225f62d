/* users.c -- NAME:PASSWORD lines; no fault repeats anything behind the colon. */
#include "l2tpns/base/words.h"
#include "l2tpns/config/users.h"

/* crypt(5): $id$..., where id is letters, digits and hyphens. */
static bool is_crypt(struct bytes password)
{
	uint32_t i = 1;

	if (password.len < 4 || password.p[0] != '$')
		return false;
	while (i < password.len && ((password.p[i] >= '0' && password.p[i] <= '9') || password.p[i] == '-' ||
				    ((password.p[i] | 0x20) >= 'a' && (password.p[i] | 0x20) <= 'z')))
		i++;
	return i > 1 && i < password.len && password.p[i] == '$';
}

static const char *read_user(struct bytes line, struct user *user)
{
	static const char mark[] = "{crypt}";
	const uint8_t *colon = memchr(line.p, ':', line.len);

	*user = (struct user){ .crypt = false };
	if (!colon)
		return "the line must read NAME:PASSWORD";
	struct bytes name = bytes_of(line.p, (size_t)(colon - line.p));
	struct bytes password = bytes_of(colon + 1, line.len - name.len - 1);

	for (uint32_t i = 0; i < line.len; i++)
		if (line.p[i] < 0x20 || line.p[i] == 0x7f)
			return "control character in the line";
	if (name.len == 0 || !word_copy(name, user->name, sizeof(user->name)))
		return "the name must have 1 to 63 octets";
	user->crypt = is_crypt(password);
	if (password.len >= sizeof(mark) - 1 && memcmp(password.p, mark, sizeof(mark) - 1) == 0) {
		user->crypt = true;
		password = bytes_of(password.p + sizeof(mark) - 1, password.len - (sizeof(mark) - 1));
	}
	if (password.len == 0 || !word_copy(password, user->password, sizeof(user->password)))
		return "the password must have 1 to 191 octets";
	return NULL;
}

static const char *add(struct users *users, const struct user *user)
{
	if (strcmp(user->name, "enable") == 0) {
		if (users->has_enable)
			return "there is a line for enable already";
		users->has_enable = true;
		users->enable = *user;
		return NULL;
	}
	if (users_find(users, bytes_str(user->name)))
		return "this name has a line already";
	if (users->count == USERS_MAX)
		return "more than 256 users";
	users->user[users->count++] = *user;
	return NULL;
}

void users_parse(struct bytes text, const char *file, struct users *out, struct config_faults *faults)
{
	struct lines lines = lines_of(text);
	struct bytes line;
	struct user user;

	memset(out, 0, sizeof(*out));
	while (lines_next(&lines, &line)) {
		while (line.len > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
			line = bytes_of(line.p + 1, line.len - 1);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		const char *wrong = read_user(line, &user);

		if (!wrong)
			wrong = add(out, &user);
		if (wrong)
			fault_error(faults, file, lines.number, "%s", wrong);
	}
	memset(&user, 0, sizeof(user));
	__asm__ volatile("" : : "r"(&user) : "memory");	/* a password was in it */
}

const struct user *users_find(const struct users *users, struct bytes name)
{
	for (unsigned i = 0; i < users->count; i++)
		if (bytes_eq(name, bytes_str(users->user[i].name)))
			return &users->user[i];
	return NULL;
}
