/* io_trace.c -- the machine's trace as a file, written when an ASSERT has failed: no memory, no locks, no waiting. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster/io_state.h"
#include "cluster/trace.h"

#define NAME		"/l2tpns.trace"
#define ELSEWHERE	"/var/tmp"
#define PATH_ROOM	(256u + sizeof(NAME))

struct trace_file {
	int	fd, failed;
	size_t	used;
	uint8_t	octets[16384];
};

static void flush(struct trace_file *file)
{
	for (size_t at = 0; at < file->used && !file->failed; ) {
		ssize_t n = write(file->fd, file->octets + at, file->used - at);

		if (n < 0 && errno != EINTR)
			file->failed = -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	file->used = 0;
}

static void append(void *ctx, const void *octets, size_t len)
{
	struct trace_file *file = ctx;

	for (const uint8_t *at = octets; len > 0; ) {
		size_t n = sizeof(file->octets) - file->used < len ? sizeof(file->octets) - file->used : len;

		memcpy(file->octets + file->used, at, n);
		file->used += n;
		at += n;
		len -= n;
		if (file->used == sizeof(file->octets))
			flush(file);
	}
}

/* What an earlier ASSERT left gives way; what is not a file of ours stays, and nothing is written. */
static int fresh_open(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid())
		(void)unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);

	return fd < 0 ? -errno : fd;
}

static void folder_of(const char *beside, char path[PATH_ROOM])
{
	const char *folder = ELSEWHERE, *slash = NULL;
	size_t len = sizeof(ELSEWHERE) - 1;

	if (beside && beside[0] == '/' && strnlen(beside, PATH_ROOM) < PATH_ROOM - sizeof(NAME))
		slash = strrchr(beside, '/');
	if (slash) {
		folder = beside;
		len = (size_t)(slash - beside);
	}
	memcpy(path, folder, len);
	memcpy(path + len, NAME, sizeof(NAME));
}

int cluster_io_crash(const struct cluster_io *io, const char *beside)
{
	char path[PATH_ROOM];
	struct trace_file file;

	if (!io->cl)
		return -ENOENT;
	folder_of(beside, path);
	file.fd = fresh_open(path);
	if (file.fd < 0) {			/* a log's folder may be root's alone by now */
		folder_of(NULL, path);
		file.fd = fresh_open(path);
	}
	if (file.fd < 0)
		return file.fd;
	file.failed = 0;
	file.used = 0;
	(void)cl_trace_dump(io->cl, append, &file);
	flush(&file);
	(void)close(file.fd);
	return file.failed;
}
