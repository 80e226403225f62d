/*
 * records.h -- the replicated table: opaque records by number, in the order in which they last changed.
 *
 * Pure.  A key is a number below the limit given at start; what it means is the
 * daemon's business.  Each key keeps the version of its last change for ever: a
 * deleted record is a version without octets, so that a deletion needs no other
 * tombstone and can never be undone by an older copy.
 *
 * All keys that ever changed stand in one list, oldest change first.  "Everything
 * after version X" is a walk to its end, however long ago X was, and a record that
 * changed many times since is met once.  Changes are only ever appended: a slave
 * applies them in the master's order.  Cursors are places in that list which
 * survive whatever changes around them.
 *
 * Digests: keys are spread over RECORD_BUCKETS buckets (key mod RECORD_BUCKETS);
 * a bucket's digest is the sum of keyed hashes of its (key, version, octets), the
 * root the sum of all buckets.  Both follow each change at constant cost.  Deleted
 * records count with their version.
 */
#ifndef CLUSTER_RECORDS_H
#define CLUSTER_RECORDS_H

#include "cluster/version.h"
#include "l2tpns/base/arena.h"
#include "l2tpns/base/hash.h"
#include "l2tpns/base/store.h"

#define RECORD_MAX	1200u		/* octets of one record: it fits one datagram with all headers */
#define RECORD_BUCKETS	4096u
#define RECORD_CURSORS	72u		/* one for each peer, and some of our own */

struct record_meta;			/* records.c */

struct records {
	struct record_meta *meta;	/* by key; behind them the cursors' places in the list */
	uint32_t	 keys;
	uint32_t	 head, tail;	/* of the list; 0 = empty, else place + 1 */
	uint32_t	 fresh;		/* keys from here on never changed */
	uint32_t	 live;		/* records that exist */
	struct version	 upto;		/* of the latest change */
	uint64_t	 root;
	uint64_t	*bucket;	/* RECORD_BUCKETS digests */
	struct hash_key	 key;
	struct store	 store;
};

struct record {				/* a loan until the next change */
	uint32_t	key;
	struct version	version;	/* 0: never existed */
	struct bytes	octets;		/* empty: deleted, or never existed */
};

/* `octets` is how much memory the records' contents may take.  `key` is the same on every node of a cluster. */
void records_init(struct records *records, uint32_t keys, size_t octets, struct hash_key key, struct arena *arena);

/* A change: `version` is later than records->upto.  Empty octets delete.  The octets may be the record's own, as
 * records_get() lent them.  False: no memory for it, and nothing was changed; never when the record does not grow. */
MUST_USE bool records_put(struct records *records, uint32_t key, struct version version, struct bytes octets);
struct record records_get(const struct records *records, uint32_t key);

/* Forget everything, as if nothing had ever been put.  Memory touched is given back a slice at a time:
 * false means "call again", and until it is true nothing else may be called. */
MUST_USE bool records_clear(struct records *records);

/* Place a cursor behind the last change at or before `after`; one never placed stands before all.  Looks at a
 * bounded number of places; false: call again with the same arguments, whatever changed meanwhile.  The way from
 * where the cursor stands is taken when it is shorter than that from the end. */
MUST_USE bool records_seek(struct records *records, unsigned cursor, struct version after);

/* The next record behind the cursor, which moves past it; false: at the end of the list. */
MUST_USE bool records_next(struct records *records, unsigned cursor, struct record *record);
/* Take the last records_next() back: it did not fit.  Once only, and not after records_seek(). */
void records_unread(struct records *records, unsigned cursor);
bool records_at_end(const struct records *records, unsigned cursor);

static inline uint32_t record_bucket(uint32_t key)
{
	return key % RECORD_BUCKETS;
}

/* Put everything that an earlier table of the same limits held, in the order of its changes.  `old` is that table,
 * made by records_init() over memory which another process left behind: only its keys' places and octets are
 * trusted, and those only as far as their hashes agree.  False: something in it was damaged, and nothing was put.
 * `room` has place for a number for each key. */
MUST_USE bool records_adopt(struct records *records, const struct records *old, uint32_t *room);

/* Compute a bucket's digest anew from its records.  False: memory was damaged; the sums now tell the truth,
 * so that the comparison with the master's finds it. */
/* The root, the sum of the sums, is looked at with bucket 0. */
MUST_USE bool records_scrub(struct records *records, uint32_t bucket);

#endif
