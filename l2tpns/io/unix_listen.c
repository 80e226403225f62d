/* unix_listen.c -- a stream socket in the file system. */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "l2tpns/io/unix_listen.h"

/* A socket file that nobody answers at was left behind by a daemon that died. */
static int stale_remove(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int failed = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
		failed = -EADDRINUSE;
	else if (errno == ECONNREFUSED)
		failed = unlink(address->sun_path) < 0 ? -errno : 0;
	(void)close(fd);
	return failed;
}

/* The directory of the socket, when it is missing: /run begins empty at each boot. */
static void directory_make(const char *path)
{
	char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return;
	memcpy(directory, path, (size_t)(slash - path));
	directory[slash - path] = '\0';
	(void)mkdir(directory, 0755);
}

static int group_set(const char *path, const char *name)
{
	char room[4096];
	struct group group, *found = NULL;

	if (!name || !*name)
		return 0;
	int failed = getgrnam_r(name, &group, room, sizeof(room), &found);

	if (!found)
		return failed ? -failed : -ENOENT;
	return chown(path, (uid_t)-1, group.gr_gid) < 0 ? -errno : 0;
}

/* The mode is set before the name exists (unix(7): fchmod before bind), so that nobody slips in. */
static int listen_at(const struct sockaddr_un *address, const char *group, struct unix_identity *identity)
{
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	int failed = stale_remove(address);

	if (!failed && (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)) {
		failed = -errno;
	} else if (!failed) {
		failed = group_set(address->sun_path, group);
		if (!failed && (chmod(address->sun_path, 0660) < 0 || listen(fd, 64) < 0 ||
				stat(address->sun_path, &st) < 0))
			failed = -errno;
		if (failed)
			(void)unlink(address->sun_path);
	}
	if (failed) {
		(void)close(fd);
		return failed;
	}
	*identity = (struct unix_identity){ .device = st.st_dev, .inode = st.st_ino };
	return fd;
}

int unix_listen(const char *path, const char *group, struct unix_identity *identity)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len + 1);
	directory_make(path);
	return listen_at(&address, group, identity);
}

void unix_remove(const char *path, const struct unix_identity *identity)
{
	struct stat st;

	if (stat(path, &st) == 0 && st.st_dev == identity->device && st.st_ino == identity->inode)
		(void)unlink(path);
}
