/*
 * files.h -- reading a whole file, replacing one so that it is never half written, finding ours.
 *
 * A shell: errors are -errno.  A text may hold secrets; file_text_free() wipes it.
 */
#ifndef IO_FILES_H
#define IO_FILES_H

#include <limits.h>

#include "l2tpns/base/base.h"

#define FILES_DIR	"/etc/l2tpns"	/* for files that are not beside the configuration */

struct file_text {
	struct bytes	bytes;			/* a nul follows them that is not counted */
	size_t		room;
};

/* A regular file of at most `max` octets (else -EFBIG); anything but a file is refused with -EINVAL. */
MUST_USE int file_read(const char *path, size_t max, struct file_text *out);
void file_text_free(struct file_text *text);

/* Write beside the file, flush to disk, rename over it: who reads sees the old or the new, never a part.
 * Keeps mode and owner of a file that is there; `mode` is a new one's.  A symbolic link is followed. */
MUST_USE int file_replace(const char *path, struct bytes text, unsigned mode);

/* The path of one of our files: `name` itself when it has a slash, else beside the configuration file when
 * it is there, else in FILES_DIR.  -ENAMETOOLONG. */
MUST_USE int file_find(const char *config_path, const char *name, char path[PATH_MAX]);

/* Names in the folder of `path` that begin with `stem`, in order; returns how many, -EOVERFLOW when there are
 * more than `max`. */
MUST_USE int files_list(const char *path, const char *stem, char (*names)[NAME_MAX + 1], unsigned max);

#endif
