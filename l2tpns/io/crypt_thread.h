/*
 * crypt_thread.h -- checking crypt(3) hashes away from the control thread, as each takes milliseconds.
 *
 * A bounded queue in, a bounded queue out; the descriptor becomes readable when
 * answers wait.  Passwords are wiped as soon as they were hashed.
 */
#ifndef IO_CRYPT_THREAD_H
#define IO_CRYPT_THREAD_H

#include "l2tpns/core/effects.h"

struct crypt_thread;

struct crypt_answer {
	struct row	row;
	uint32_t	serial;
	bool		matches;
};

MUST_USE int crypt_thread_open(struct crypt_thread **thread);		/* 0 or -errno */
void crypt_thread_close(struct crypt_thread *thread);
int crypt_thread_fd(const struct crypt_thread *thread);

/* False: the queue is full; the asker is to be refused. */
MUST_USE bool crypt_thread_ask(struct crypt_thread *thread, const struct fx_crypt *ask);
MUST_USE bool crypt_thread_answer(struct crypt_thread *thread, struct crypt_answer *answer);	/* false: no more */

/* The same comparison done at once, for the CLI's logins. */
bool crypt_matches(const char *hash, const char *password);

#endif
