/*
 * pool_file.h -- address pools from the file `ip_pool` and its fellows ip_pool-NAME.
 *
 * Pure.  A line is an address or a prefix, perhaps after ADDRESS: which makes it
 * the line of the one node whose bind_address that is.  `#` begins a comment.
 * ip_pool is the default pool; ip_pool-NAME, or ip_pool-NAME.dat, is the pool
 * NAME.  An address may be in one line only.
 */
#ifndef CONFIG_POOL_FILE_H
#define CONFIG_POOL_FILE_H

#include "l2tpns/config/faults.h"
#include "l2tpns/core/ippool.h"

struct pool_files {			/* large: keep it static */
	struct ippool_conf conf;	/* what ippools_configure() takes */
	struct {
		unsigned pool, line;
	} from[IPPOOL_RANGES_MAX];	/* where each range was read */
	char		file[IPPOOLS_MAX][FAULT_FILE_MAX];
};

/* No files read yet: the default pool, empty. */
void pool_files_init(struct pool_files *files);

/* Which pool a file holds: "" for ip_pool itself.  False: it is no file of a pool. */
MUST_USE bool pool_file_name(const char *file, char pool[IPPOOL_NAME_MAX + 1]);

/* Add one file.  False: there are errors, and *files is not to be used.  `bind_address` 0 is nobody's. */
MUST_USE bool pool_file_parse(struct pool_files *files, struct bytes text, const char *file, const char *pool,
			      struct ip4 bind_address, struct config_faults *faults);

/* Every file is read: ranges that overlap, within a file or between two, are errors.  False: there are. */
MUST_USE bool pool_files_check(const struct pool_files *files, struct config_faults *faults);

#endif
