/* files.c -- whole files in, whole files out. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "l2tpns/io/files.h"

#define CHUNK	4096u

void file_text_free(struct file_text *text)
{
	if (text->bytes.p)
		explicit_bzero((void *)(uintptr_t)text->bytes.p, text->room);
	free((void *)(uintptr_t)text->bytes.p);
	*text = (struct file_text){ .room = 0 };
}

/* Read until the end whatever fstat() said: the file may be growing.  One octet stays for the nul. */
static int read_all(int fd, size_t max, struct file_text *out)
{
	uint8_t *at = (uint8_t *)(uintptr_t)out->bytes.p;

	for (;;) {
		if (out->bytes.len == out->room - 1) {
			size_t room = out->room * 2;
			uint8_t *more = malloc(room);

			if (!more)
				return -ENOMEM;
			/* Not realloc(): what that leaves behind is not wiped. */
			memcpy(more, at, out->bytes.len);
			explicit_bzero(at, out->room);
			free(at);
			out->bytes.p = at = more;
			out->room = room;
		}
		ssize_t n = read(fd, at + out->bytes.len, out->room - 1 - out->bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		out->bytes.len += (uint32_t)n;
		if (out->bytes.len > max)
			return -EFBIG;
	}
	at[out->bytes.len] = 0;
	return 0;
}

int file_read(const char *path, size_t max, struct file_text *out)
{
	/* Not blocking: a FIFO in a file's place must not stop the daemon. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), err;
	struct stat st;

	*out = (struct file_text){ .room = 0 };
	ASSERT(max < INT32_MAX);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if ((uintmax_t)st.st_size > max)
		err = -EFBIG;
	else {
		out->room = (size_t)st.st_size + CHUNK;
		out->bytes.p = malloc(out->room);
		err = out->bytes.p ? read_all(fd, max, out) : -ENOMEM;
	}
	close(fd);
	if (err < 0)
		file_text_free(out);
	return err;
}

static int write_all(int fd, struct bytes text)
{
	while (text.len > 0) {
		ssize_t n = write(fd, text.p, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text = bytes_of(text.p + n, text.len - (size_t)n);
	}
	return 0;
}

/* The file's folder as a path, "." when it has none. */
static void folder_of(const char *path, char folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int len = slash == path ? 1 : slash ? (int)(slash - path) : 0;

	snprintf(folder, PATH_MAX, "%.*s", len ? len : 1, len ? path : ".");
}

/* A rename is on disk only when the folder is. */
static int folder_flush(const char *path)
{
	char folder[PATH_MAX];
	int fd, err = 0;

	folder_of(path, folder);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Fill the new file; owner first, as changing it may take mode bits away. */
static int fill(int fd, const char *path, struct bytes text, unsigned mode)
{
	struct stat old;
	int err;

	if (stat(path, &old) == 0) {
		if (!S_ISREG(old.st_mode))
			return -EINVAL;
		if (fchown(fd, old.st_uid, old.st_gid) < 0 && errno != EPERM)
			return -errno;
		mode = old.st_mode & 07777;
	}
	if (fchmod(fd, mode) < 0)
		return -errno;
	err = write_all(fd, text);
	if (err < 0)
		return err;
	return fsync(fd) < 0 ? -errno : 0;
}

int file_replace(const char *path, struct bytes text, unsigned mode)
{
	char target[PATH_MAX], temporary[PATH_MAX];
	int fd, err;

	if (!realpath(path, target)) {
		if (errno != ENOENT)
			return -errno;
		if ((size_t)snprintf(target, sizeof(target), "%s", path) >= sizeof(target))
			return -ENAMETOOLONG;
	}
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", target) >= sizeof(temporary))
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fill(fd, target, text, mode);
	if (close(fd) < 0 && err == 0)
		err = -errno;
	if (err == 0 && rename(temporary, target) < 0)
		err = -errno;
	if (err < 0) {
		unlink(temporary);
		return err;
	}
	return folder_flush(target);
}

int file_find(const char *config_path, const char *name, char path[PATH_MAX])
{
	char folder[PATH_MAX];
	int len;

	if (strchr(name, '/')) {
		len = snprintf(path, PATH_MAX, "%s", name);
		return len < PATH_MAX ? 0 : -ENAMETOOLONG;
	}
	folder_of(config_path, folder);
	len = snprintf(path, PATH_MAX, "%s/%s", folder, name);
	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	if (access(path, F_OK) == 0)
		return 0;
	len = snprintf(path, PATH_MAX, FILES_DIR "/%s", name);
	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

int files_list(const char *path, const char *stem, char (*names)[NAME_MAX + 1], unsigned max)
{
	char folder[PATH_MAX];
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	folder_of(path, folder);
	dir = opendir(folder);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, stem, strlen(stem)) != 0)
			continue;
		if (n == max) {
			closedir(dir);
			return -EOVERFLOW;
		}
		snprintf(names[n++], NAME_MAX + 1, "%s", entry->d_name);
	}
	closedir(dir);
	qsort(names, n, sizeof(names[0]), by_name);
	return (int)n;
}
