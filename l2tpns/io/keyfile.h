/*
 * keyfile.h -- the secrets the nodes of a cluster share, from a file only its owner may read.
 *
 * Lines of a number from 1 to 255 and 64 hexadecimal digits, at most four; an asterisk
 * behind them marks the one that is used to send, else it is the last.  Empty lines and
 * lines that begin with # are skipped.  To change a key: add the new one to the file of
 * every node with the mark on the old one, then move the mark, then take the old one out.
 */
#ifndef IO_KEYFILE_H
#define IO_KEYFILE_H

#include "l2tpns/base/base.h"

#define KEYFILE_KEYS_MAX	4
#define KEYFILE_KEY_LEN		32
#define KEYFILE_ERROR_MAX	256

struct keyfile {
	unsigned	keys;
	uint8_t		sending;			/* its id */
	struct { uint8_t id; uint8_t octets[KEYFILE_KEY_LEN]; } key[KEYFILE_KEYS_MAX];
};

/* 0 or -errno; `error` then says why, naming the file and never the key.  A file that is missing is made with one
 * random key when `make` says so; else -ENOENT. */
MUST_USE int keyfile_read(const char *path, bool make, struct keyfile *keyfile, char error[KEYFILE_ERROR_MAX]);
void keyfile_wipe(struct keyfile *keyfile);

#endif
