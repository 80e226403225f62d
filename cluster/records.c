/* records.c -- one list of all keys in the order of their changes, with the cursors standing in it. */
#include "cluster/records.h"
#include "l2tpns/base/wr.h"

#define SEEK_PLACES	4096u		/* looked at in one call: less than a millisecond */
#define CLEAR_PLACES	4096u
#define DIGEST_HEAD	12u		/* key and version before the octets */

/*
 * A place in the list: a key's, or, behind all keys, a cursor's.  A cursor keeps in
 * `version` and `handle` what it read last, so that this can be taken back.
 */
struct record_meta {
	struct version	version;	/* of the last change; 0 = never changed, not in the list */
	uint64_t	hash;		/* its part of the sums */
	uint32_t	next, prev;	/* place + 1; 0 = none */
	uint32_t	handle;		/* of the octets in the store; a cursor: key read last, plus 1 */
	uint16_t	len;		/* of the octets, beside the store's own note of it */
	uint16_t	placed;		/* a cursor: it stands in the list */
};

_Static_assert(sizeof(struct record_meta) <= 40, "what a key costs besides its octets");
_Static_assert(RECORD_MAX <= STORE_LEN_MAX, "the store takes any record");

void records_init(struct records *records, uint32_t keys, size_t octets, struct hash_key key, struct arena *arena)
{
	ASSERT(keys < UINT32_MAX - RECORD_CURSORS);
	*records = (struct records){ .keys = keys, .key = key };
	records->meta = arena_take(arena, (size_t)keys + RECORD_CURSORS, sizeof(struct record_meta));
	records->bucket = arena_take(arena, RECORD_BUCKETS, sizeof(uint64_t));
	store_init(&records->store, octets, arena);
}

/* ---- the list ---- */

static bool is_cursor(const struct records *records, uint32_t number)
{
	return number > records->keys;
}

/* The nearest record at or behind place `number` - 1; at or before it. */
static uint32_t record_from(const struct records *records, uint32_t number)
{
	while (number && is_cursor(records, number))
		number = records->meta[number - 1].next;
	return number;
}

static uint32_t record_until(const struct records *records, uint32_t number)
{
	while (number && is_cursor(records, number))
		number = records->meta[number - 1].prev;
	return number;
}

/* What points at the place behind `number`, and at the one before it; 0 is before the first and behind the last. */
static uint32_t *link_next(struct records *records, uint32_t number)
{
	return number ? &records->meta[number - 1].next : &records->head;
}

static uint32_t *link_prev(struct records *records, uint32_t number)
{
	return number ? &records->meta[number - 1].prev : &records->tail;
}

static void link_behind(struct records *records, uint32_t number, uint32_t before)
{
	struct record_meta *place = &records->meta[number - 1];

	place->prev = before;
	place->next = *link_next(records, before);
	*link_next(records, before) = number;
	*link_prev(records, place->next) = number;
}

static void take_out(struct records *records, uint32_t number)
{
	struct record_meta *place = &records->meta[number - 1];
	uint32_t *forward = link_next(records, place->prev), *back = link_prev(records, place->next);

	ASSERT(*forward == number && *back == number);
	*forward = place->next;
	*back = place->prev;
}

/* ---- the contents ---- */

/* The length kept here counts: a damaged one in the store would lead out of its piece. */
static struct bytes octets_of(const struct records *records, const struct record_meta *meta)
{
	if (!meta->handle)
		return (struct bytes){ 0 };
	return bytes_of(store_get(&records->store, meta->handle).p, min_u32(meta->len, RECORD_MAX));
}

static uint64_t hash_with(struct hash_key hash_key, uint32_t key, struct version version, struct bytes octets)
{
	uint8_t room[DIGEST_HEAD + RECORD_MAX];
	struct wr w = wr_of(room, sizeof(room));

	if (!version.n)
		return 0;
	wr_u32(&w, key);
	wr_u64(&w, version.n);
	wr_bytes(&w, octets);
	return hash_octets(hash_key, wr_bytes_of(&w));
}

static uint64_t hash_of(const struct records *records, uint32_t key, const struct record_meta *meta)
{
	return hash_with(records->key, key, meta->version, octets_of(records, meta));
}

/* A piece whose length was damaged is never given back: the store would take it for another size. */
static bool piece_intact(const struct records *records, const struct record_meta *meta)
{
	return store_get(&records->store, meta->handle).len == meta->len;
}

static void piece_drop(struct records *records, struct record_meta *meta)
{
	if (meta->handle && piece_intact(records, meta))
		store_drop(&records->store, meta->handle);
	meta->handle = 0;
	meta->len = 0;
}

/* The new octets are kept before the old ones go, as they may be the same; but what does not grow has its room. */
static bool piece_put(struct records *records, struct record_meta *meta, struct bytes octets)
{
	struct bytes old = octets_of(records, meta);
	uint8_t copy[RECORD_MAX];

	if (octets.len == 0) {
		piece_drop(records, meta);
		return true;
	}
	if (octets.p == old.p && octets.len == old.len)
		return true;
	uint32_t handle = store_keep(&records->store, octets);

	if (!handle) {
		if (octets.len > old.len || !piece_intact(records, meta))
			return false;
		memcpy(copy, octets.p, octets.len);
		piece_drop(records, meta);
		handle = store_keep(&records->store, bytes_of(copy, octets.len));
		ASSERT(handle);
	}
	piece_drop(records, meta);
	meta->handle = handle;
	meta->len = (uint16_t)octets.len;
	return true;
}

bool records_put(struct records *records, uint32_t key, struct version version, struct bytes octets)
{
	ASSERT(key < records->keys && octets.len <= RECORD_MAX);
	ASSERT(version_before(records->upto, version));
	struct record_meta *meta = &records->meta[key];
	uint64_t *bucket = &records->bucket[record_bucket(key)];
	bool existed = meta->handle != 0;

	if (!piece_put(records, meta, octets))
		return false;
	if (meta->version.n)
		take_out(records, key + 1);
	link_behind(records, key + 1, records->tail);
	meta->version = records->upto = version;
	uint64_t hash = hash_of(records, key, meta);

	*bucket += hash - meta->hash;
	records->root += hash - meta->hash;
	meta->hash = hash;
	records->live += (meta->handle != 0) - (uint32_t)existed;
	records->fresh = max_u32(records->fresh, key + 1);
	return true;
}

struct record records_get(const struct records *records, uint32_t key)
{
	ASSERT(key < records->keys);
	const struct record_meta *meta = &records->meta[key];

	return (struct record){ .key = key, .version = meta->version, .octets = octets_of(records, meta) };
}

bool records_clear(struct records *records)
{
	for (unsigned n = 0; n < CLEAR_PLACES && records->head; n++) {
		uint32_t number = records->head;

		take_out(records, number);
		if (!is_cursor(records, number))
			piece_drop(records, &records->meta[number - 1]);
		records->meta[number - 1] = (struct record_meta){ 0 };
	}
	if (records->head)
		return false;
	memset(records->bucket, 0, RECORD_BUCKETS * sizeof(uint64_t));
	records->root = 0;
	records->live = records->fresh = 0;
	records->upto = (struct version){ 0 };
	return true;
}

/* ---- cursors ---- */

static struct record_meta *cursor_place(const struct records *records, unsigned cursor)
{
	ASSERT(cursor < RECORD_CURSORS);
	return &records->meta[records->keys + cursor];
}

static void cursor_move(struct records *records, unsigned cursor, uint32_t before)
{
	struct record_meta *place = cursor_place(records, cursor);
	uint32_t number = records->keys + cursor + 1;

	if (place->placed)
		take_out(records, number);
	link_behind(records, number, before);
	place->placed = 1;
}

static uint64_t distance(struct version a, struct version b)
{
	return a.n < b.n ? b.n - a.n : a.n - b.n;
}

/* Where to begin, with the cursor just taken out: versions tell how many places lie between at most. */
static uint32_t seek_from(const struct records *records, const struct record_meta *place, struct version after)
{
	uint32_t number = place->placed ? record_until(records, place->prev) : 0;
	struct version here = number ? records->meta[number - 1].version : (struct version){ 0 };

	if (!place->placed || !version_before(after, records->upto) ||
	    distance(records->upto, after) < distance(here, after))
		return records->tail;
	return place->prev;
}

/*
 * The list is sorted by version, so that the way may begin anywhere, and the cursor's
 * place is all there is to remember of a way not yet gone to its end.
 */
bool records_seek(struct records *records, unsigned cursor, struct version after)
{
	struct record_meta *place = cursor_place(records, cursor);
	uint32_t first = record_from(records, records->head), self = records->keys + cursor + 1, left = SEEK_PLACES;

	place->handle = 0;
	if (!first || version_before(after, records->meta[first - 1].version)) {
		cursor_move(records, cursor, 0);
		return true;
	}
	if (place->placed)
		take_out(records, self);
	uint32_t at = seek_from(records, place, after);

	for (; left && at; left--) {
		if (!is_cursor(records, at) && !version_before(after, records->meta[at - 1].version))
			break;
		at = records->meta[at - 1].prev;
	}
	for (uint32_t next = *link_next(records, at); left && next; left--) {
		if (!is_cursor(records, next) && version_before(after, records->meta[next - 1].version))
			break;
		at = next;
		next = records->meta[at - 1].next;
	}
	link_behind(records, self, at);
	place->placed = 1;
	return left > 0;
}

static uint32_t cursor_next(const struct records *records, unsigned cursor)
{
	const struct record_meta *place = cursor_place(records, cursor);

	return record_from(records, place->placed ? place->next : records->head);
}

bool records_next(struct records *records, unsigned cursor, struct record *record)
{
	struct record_meta *place = cursor_place(records, cursor);
	uint32_t number = cursor_next(records, cursor);

	if (!number)
		return false;
	cursor_move(records, cursor, number);
	*record = records_get(records, number - 1);
	place->handle = number;
	place->version = record->version;
	return true;
}

void records_unread(struct records *records, unsigned cursor)
{
	struct record_meta *place = cursor_place(records, cursor);
	uint32_t number = place->handle;

	ASSERT(number);
	place->handle = 0;
	if (version_eq(records->meta[number - 1].version, place->version))	/* else it went to the end by itself */
		cursor_move(records, cursor, records->meta[number - 1].prev);
}

bool records_at_end(const struct records *records, unsigned cursor)
{
	return cursor_next(records, cursor) == 0;
}

/* ---- scrubbing ---- */

bool records_scrub(struct records *records, uint32_t bucket)
{
	uint64_t sum = 0, root = 0;
	bool intact = true;

	ASSERT(bucket < RECORD_BUCKETS);
	for (uint64_t key = bucket; key < records->fresh; key += RECORD_BUCKETS) {
		struct record_meta *meta = &records->meta[key];
		uint64_t hash = hash_of(records, (uint32_t)key, meta);

		intact &= hash == meta->hash;
		meta->hash = hash;
		sum += hash;
	}
	intact &= sum == records->bucket[bucket];
	records->root += sum - records->bucket[bucket];
	records->bucket[bucket] = sum;
	if (bucket > 0)
		return intact;
	for (uint32_t i = 0; i < RECORD_BUCKETS; i++)	/* the sum of the sums, once in a sweep */
		root += records->bucket[i];
	intact &= root == records->root;
	records->root = root;
	return intact;
}

/* ---- a table left behind ---- */

/* The octets of a record there.  Handles in damaged memory may lead anywhere, and nothing else is known of that
 * store.  False: they are not what the record's hash says. */
static bool left_octets(const struct records *old, uint32_t key, struct bytes *octets)
{
	const struct record_meta *meta = &old->meta[key];
	uint64_t at = meta->handle ? (uint64_t)(meta->handle - 1) * STORE_UNIT + 2 : 0;

	if (meta->len > RECORD_MAX || (meta->handle == 0) != (meta->len == 0) ||
	    at + meta->len > (uint64_t)old->store.units * STORE_UNIT)
		return false;
	*octets = bytes_of(old->store.base + at, meta->len);
	return hash_with(old->key, key, meta->version, *octets) == meta->hash;
}

/* Heap sort by version: no memory, and no worse for any order. */
static void sift(const struct records *old, uint32_t *heap, uint32_t at, uint32_t n)
{
	uint32_t moving = heap[at], child;

	for (; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n &&
		    version_before(old->meta[heap[child]].version, old->meta[heap[child + 1]].version))
			child++;
		if (!version_before(old->meta[moving].version, old->meta[heap[child]].version))
			break;
		heap[at] = heap[child];
	}
	heap[at] = moving;
}

static void sort_by_version(const struct records *old, uint32_t *key, uint32_t n)
{
	for (uint32_t at = n / 2; at-- > 0; )
		sift(old, key, at, n);
	while (n-- > 1) {
		uint32_t last = key[n];

		key[n] = key[0];
		key[0] = last;
		sift(old, key, 0, n);
	}
}

bool records_adopt(struct records *records, const struct records *old, uint32_t *room)
{
	struct bytes octets = { 0 };
	uint32_t n = 0;

	ASSERT(records->keys == old->keys && records->upto.n == 0);
	for (uint32_t key = 0; key < old->keys; key++) {
		if (old->meta[key].version.n == 0)
			continue;
		if (!left_octets(old, key, &octets))
			return false;
		room[n++] = key;
	}
	sort_by_version(old, room, n);
	for (uint32_t i = 1; i < n; i++)
		if (!version_before(old->meta[room[i - 1]].version, old->meta[room[i]].version))
			return false;
	for (uint32_t i = 0; i < n; i++)
		if (!left_octets(old, room[i], &octets) ||
		    !records_put(records, room[i], old->meta[room[i]].version, octets))
			return false;
	return true;
}
