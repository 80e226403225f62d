/*
 * subscribers.h -- the local list of subscribers: name, password, address, pool, timeouts.
 *
 * Pure.  Parsed from the `subscribers` file's text into memory the caller lends;
 * looked up by name in constant time.  One line a subscriber:
 *
 *	NAME PASSWORD [address=A.B.C.D] [pool=NAME] [session-timeout=S] [idle-timeout=S]
 *
 * Words may be "quoted"; `#` begins a comment.  PASSWORD is plain text, or
 * {nt}HEX32 (PAP, MS-CHAPv2), {sha256}HEX64 or {ssha256}BASE64 (PAP), or a
 * crypt(3) hash beginning with `$` after {crypt} (PAP).  A password that itself
 * begins with `{` is written {plain}....  NAME `*` serves everyone not named.
 */
#ifndef CORE_SUBSCRIBERS_H
#define CORE_SUBSCRIBERS_H

#include "l2tpns/base/addr.h"
#include "l2tpns/base/arena.h"
#include "l2tpns/base/hash.h"
#include "l2tpns/base/why.h"
#include "l2tpns/core/ppp.h"

struct subscribers;

struct subscribers_fault {		/* one bad line; the others work */
	unsigned	line;
	const char	*text;		/* what is wrong with it */
};

struct subscriber_answer {
	enum why	why;		/* WHY_OK, WHY_AUTH_NO_USER, WHY_AUTH_PASSWORD, WHY_AUTH_METHOD */
	bool		crypt;		/* the verdict needs crypt(3): crypt_hash holds what to compare */
	struct bytes	crypt_hash;	/* a loan from the list */
	struct ip4	address;	/* 0 = from the pool */
	struct bytes	pool;		/* empty = the default pool */
	uint32_t	session_timeout_s, idle_timeout_s;	/* 0 = none */
	uint8_t		message_len;
	char		message[64];	/* MS-CHAPv2: the authenticator's proof */
};

/* How much memory parsing `text` needs; then parse into it.  Bad lines are reported through `fault`
 * (at most `faults` of them; the return value counts all) and skipped. */
size_t subscribers_size(struct bytes text);
unsigned subscribers_parse(struct subscribers **list, void *memory, size_t size, struct hash_key key,
			   struct bytes text, struct subscribers_fault *fault, unsigned faults);

uint32_t subscribers_count(const struct subscribers *list);

/* Judge credentials.  `list` NULL knows nobody. */
void subscribers_ask(const struct subscribers *list, const struct ppp_ask *ask,
		     struct subscriber_answer *answer);

#endif
