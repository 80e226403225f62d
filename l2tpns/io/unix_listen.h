/*
 * unix_listen.h -- a listening Unix stream socket: its file, owner, group and mode.
 */
#ifndef IO_UNIX_LISTEN_H
#define IO_UNIX_LISTEN_H

#include "l2tpns/base/base.h"

#define UNIX_PATH_ROOM	108		/* sizeof(sun_path): a path and its nul */

struct unix_identity {			/* of the socket's file, so that only our own is removed */
	uint64_t	device, inode;
};

/*
 * The descriptor, not blocking, or -errno with nothing left open.  The mode is
 * 0660; `group` may be "" or NULL.  A file left behind by a program that died is
 * taken over; one that answers is not (-EADDRINUSE).  A missing directory is made.
 */
MUST_USE int unix_listen(const char *path, const char *group, struct unix_identity *identity);

/* Remove the file if it is still the one that was made. */
void unix_remove(const char *path, const struct unix_identity *identity);

#endif
