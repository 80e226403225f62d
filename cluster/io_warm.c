/* io_warm.c -- the table of records in a file in memory: a process that is started again asks only for what changed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cluster/io_state.h"

#define WARM_MAGIC	UINT64_C(0x6c326e732d633031)	/* changes with the layout of anything in the file */
#define WARM_HEAD	4096u
#define NAME_ROOM	512u

struct io_warm {			/* the file's first page; the table follows */
	uint64_t	magic;
	uint64_t	octets;
	uint32_t	keys, node;
	struct cl_kept	kept;
};

_Static_assert(sizeof(struct io_warm) <= WARM_HEAD, "the head is one page");

static void *table_of(struct io_warm *warm)
{
	return (uint8_t *)warm + WARM_HEAD;
}

static struct io_warm head_of(const struct cluster_io *io)
{
	return (struct io_warm){ .magic = WARM_MAGIC, .octets = io->warm_octets, .keys = io->conf.cl.keys,
				 .node = io->conf.cl.self.n };
}

/* Only a file of ours that nobody else may read or write, and that no other process uses. */
static int left_open(const struct cluster_io *io, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) ||
	    flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return -EBUSY;
	}
	if ((uint64_t)st.st_size != io->warm_octets) {	/* of other limits */
		close(fd);
		return -EINVAL;
	}
	return fd;
}

/* False: there was nothing that could be taken over; the table is empty. */
static bool left_adopted(struct cluster_io *io, int fd)
{
	struct io_warm *left = mmap(NULL, io->warm_octets, PROT_READ, MAP_PRIVATE, fd, 0), wanted = head_of(io);
	uint32_t *room = malloc((size_t)io->conf.cl.keys * sizeof(*room));
	bool adopted = false;

	if (left != MAP_FAILED && room && left->magic == wanted.magic && left->octets == wanted.octets &&
	    left->keys == wanted.keys && left->node == wanted.node) {
		struct cl_kept kept = left->kept;

		adopted = cl_adopt(io->cl, table_of(left), &kept, room);
	}
	free(room);
	if (left != MAP_FAILED)
		munmap(left, io->warm_octets);
	return adopted;
}

/* A page that finds no room later would end the process: there must be room for all of it now. */
static int fresh_open(struct cluster_io *io, const char *path)
{
	struct statvfs vfs;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (fstatvfs(fd, &vfs) != 0 || (uint64_t)vfs.f_bavail * vfs.f_frsize < io->warm_octets) {
		close(fd);
		return -ENOSPC;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || ftruncate(fd, (off_t)io->warm_octets) != 0) {
		close(fd);
		return -EIO;
	}
	io->warm = mmap(NULL, io->warm_octets, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (io->warm == MAP_FAILED) {
		io->warm = NULL;
		close(fd);
		return -ENOMEM;
	}
	return fd;
}

static int machine_make(struct cluster_io *io, const uint8_t seed[RND_SEED_LEN], struct arena *arena)
{
	struct arena table = { 0 };

	if (io->warm)
		table = (struct arena){ .start = table_of(io->warm), .room = io->warm_octets - WARM_HEAD };
	io->cl = cl_init_apart(&io->conf.cl, io->conf.secret, io->conf.sending, seed, io_now(), arena,
			       io->warm ? &table : arena);
	return 0;
}

int io_warm_open(struct cluster_io *io, const uint8_t seed[RND_SEED_LEN], struct arena *arena, char *said, size_t len)
{
	const char *path = io->conf.memory;
	char fresh[NAME_ROOM];
	bool adopted = false;
	int left;

	said[0] = 0;
	io->warm_fd = -1;
	if (!path)
		return machine_make(io, seed, arena);
	io->warm_octets = (cl_table_size(&io->conf.cl) + 2 * WARM_HEAD - 1) / WARM_HEAD * WARM_HEAD + WARM_HEAD;
	left = left_open(io, path);
	if (left == -EBUSY) {
		snprintf(said, len, "cluster_memory: %s is another process's, or not ours alone", path);
		return -EBUSY;
	}
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	(void)unlink(fresh);
	io->warm_fd = fresh_open(io, fresh);
	if (io->warm_fd < 0)
		snprintf(said, len, "cluster_memory: %s: %s; a restart will begin with nothing", fresh,
			 strerror(-io->warm_fd));
	(void)machine_make(io, seed, arena);
	if (left >= 0) {
		adopted = left_adopted(io, left);
		snprintf(said, len, adopted ? "cluster: the table of an earlier process was taken over" :
			 "cluster: the table of an earlier process is of no use");
	}
	if (io->warm) {
		*io->warm = head_of(io);
		io_warm_keep(io);
		if (rename(fresh, path) != 0)
			snprintf(said, len, "cluster_memory: %s: %s", path, strerror(errno));
	} else {
		(void)unlink(fresh);
	}
	if (left >= 0)
		close(left);
	return 0;
}

void io_warm_keep(struct cluster_io *io)
{
	if (io->warm)
		io->warm->kept = cl_kept(io->cl);
}

void io_warm_close(struct cluster_io *io)
{
	if (io->warm)
		munmap(io->warm, io->warm_octets);
	if (io->warm_fd >= 0)
		close(io->warm_fd);
}
