/*
 * Goal: the replicated table keeps every change, in order, under cursors that stay right whatever
 * moves; its sums tell damage from truth; nothing in it grows.
 * Method: random puts, deletions, seeks, reads and clears against a naive model (an array searched from
 * end to end); lists long enough that a seek is done in parts, with changes between them; bits flipped
 * one by one; a full store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "cluster/records.h"
#include "l2tpns/base/rnd.h"

#define MODEL_KEYS	300u
#define MODEL_CURSORS	6u
#define META_OCTETS	32u		/* of a key, besides the store */
#define LONG		30000u		/* keys of a list that no single call crosses */

static const struct hash_key hash_key = { { 0x0123456789abcdef, 0xfedcba9876543210 } };

struct table {
	struct records	records;
	void		*memory;
	size_t		 room;
};

static struct table table_open(uint32_t keys, size_t octets)
{
	struct table t;
	struct arena arena = { 0 };

	records_init(&t.records, keys, octets, hash_key, &arena);
	t.room = arena.used;
	t.memory = mmap(NULL, t.room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(t.memory, MAP_FAILED);
	arena = (struct arena){ .start = t.memory, .room = t.room };
	records_init(&t.records, keys, octets, hash_key, &arena);
	assert_int_equal(arena.used, t.room);
	return t;
}

static void table_shut(struct table *t)
{
	munmap(t->memory, t->room);
}

static struct version later(const struct records *records, uint64_t by)
{
	return (struct version){ records->upto.n + by };
}

static void seek_fully(struct records *records, unsigned cursor, uint64_t after, unsigned calls)
{
	while (!records_seek(records, cursor, (struct version){ after })) {
		assert_true(calls > 1);
		calls--;
	}
}

static void clear_fully(struct records *records)
{
	for (uint32_t n = 0; !records_clear(records); n++)
		assert_true(n < records->keys / 1000 + 2);
}

/* What one record adds to the sums, made here a second time. */
static uint64_t hash_by_hand(uint32_t key, uint64_t version, struct bytes octets)
{
	uint8_t room[12 + RECORD_MAX];

	for (unsigned i = 0; i < 4; i++)
		room[i] = (uint8_t)(key >> (24 - 8 * i));
	for (unsigned i = 0; i < 8; i++)
		room[4 + i] = (uint8_t)(version >> (56 - 8 * i));
	if (octets.len)
		memcpy(room + 12, octets.p, octets.len);
	return hash_octets(hash_key, bytes_of(room, 12 + octets.len));
}

/* ---- the model ---- */

struct model {
	struct { uint64_t version; uint32_t len; uint8_t octets[RECORD_MAX]; } record[MODEL_KEYS];
	struct { uint64_t seen; bool read; } cursor[MODEL_CURSORS];	/* read: may be taken back */
	uint64_t upto;
};

/* The key whose version is the least beyond `seen`; MODEL_KEYS: none. */
static uint32_t model_next(const struct model *m, uint64_t seen)
{
	uint32_t best = MODEL_KEYS;

	for (uint32_t key = 0; key < MODEL_KEYS; key++)
		if (m->record[key].version > seen &&
		    (best == MODEL_KEYS || m->record[key].version < m->record[best].version))
			best = key;
	return best;
}

static void same_record(const struct model *m, const struct record *record)
{
	assert_true(record->key < MODEL_KEYS);
	assert_true(record->version.n == m->record[record->key].version);
	assert_true(bytes_eq(record->octets, bytes_of(m->record[record->key].octets, m->record[record->key].len)));
}

static void same_sums(const struct model *m, const struct records *records)
{
	static uint64_t bucket[RECORD_BUCKETS];
	uint64_t root = 0;
	uint32_t live = 0;

	memset(bucket, 0, sizeof(bucket));
	for (uint32_t key = 0; key < MODEL_KEYS; key++) {
		if (!m->record[key].version)
			continue;
		uint64_t hash = hash_by_hand(key, m->record[key].version,
					     bytes_of(m->record[key].octets, m->record[key].len));

		bucket[key % RECORD_BUCKETS] += hash;
		root += hash;
		live += m->record[key].len > 0;
	}
	assert_true(records->root == root);
	assert_memory_equal(records->bucket, bucket, sizeof(bucket));
	assert_int_equal(records->live, live);
	assert_int_equal(records->store.kept, live);
	assert_true(records->upto.n == m->upto);
}

static void same_list(const struct model *m, struct records *records)
{
	struct record record;
	uint64_t seen = 0;

	seek_fully(records, RECORD_CURSORS - 1, 0, 1);
	while (records_next(records, RECORD_CURSORS - 1, &record)) {
		assert_int_equal(record.key, model_next(m, seen));
		same_record(m, &record);
		seen = record.version.n;
	}
	assert_int_equal(model_next(m, seen), MODEL_KEYS);
	for (uint32_t key = 0; key < MODEL_KEYS; key++) {
		record = records_get(records, key);
		same_record(m, &record);
	}
}

/* ---- steps, on the table and the model alike ---- */

static void put_step(struct model *m, struct records *records, struct rnd *rnd)
{
	uint32_t key = rnd_below(rnd, rnd_below(rnd, 3) ? 20 : MODEL_KEYS);
	uint32_t len = rnd_below(rnd, 4) ? rnd_below(rnd, rnd_below(rnd, 8) ? 60 : RECORD_MAX + 1) : 0;
	struct version version = later(records, 1 + rnd_below(rnd, rnd_below(rnd, 9) ? 3 : 3u << 20));
	uint8_t octets[RECORD_MAX];

	rnd_fill(rnd, octets, len);
	if (!records_put(records, key, version, bytes_of(octets, len))) {
		assert_true(len > m->record[key].len);
		return;
	}
	m->record[key].version = m->upto = version.n;
	m->record[key].len = len;
	memcpy(m->record[key].octets, octets, len);
}

static void touch_step(struct model *m, struct records *records, struct rnd *rnd)
{
	uint32_t key = rnd_below(rnd, MODEL_KEYS);
	struct version version = later(records, 1);
	const uint8_t *octets = records_get(records, key).octets.p;

	assert_true(records_put(records, key, version, records_get(records, key).octets));
	assert_ptr_equal(records_get(records, key).octets.p, octets);
	m->record[key].version = m->upto = version.n;
}

static void seek_step(struct model *m, struct records *records, struct rnd *rnd)
{
	unsigned c = rnd_below(rnd, MODEL_CURSORS);
	uint64_t after = records->upto.n + 2 - (records->upto.n + 2) * rnd_below(rnd, 1000) / 1000;

	if (rnd_below(rnd, 2))
		after = m->record[rnd_below(rnd, MODEL_KEYS)].version;
	seek_fully(records, c, after, 1);
	m->cursor[c].seen = after < m->upto ? after : m->upto;
	m->cursor[c].read = false;
}

static void read_step(struct model *m, struct records *records, struct rnd *rnd)
{
	unsigned c = rnd_below(rnd, MODEL_CURSORS);
	uint32_t expected = model_next(m, m->cursor[c].seen);
	struct record record;

	assert_int_equal(records_at_end(records, c), expected == MODEL_KEYS);
	assert_int_equal(records_next(records, c, &record), expected != MODEL_KEYS);
	if (expected == MODEL_KEYS)
		return;
	assert_int_equal(record.key, expected);
	same_record(m, &record);
	m->cursor[c].seen = record.version.n;
	m->cursor[c].read = true;
}

static void unread_step(struct model *m, struct records *records, struct rnd *rnd)
{
	unsigned c = rnd_below(rnd, MODEL_CURSORS);

	if (!m->cursor[c].read)
		return;
	records_unread(records, c);
	m->cursor[c].read = false;
	m->cursor[c].seen--;		/* the version just read is ahead again, if there still is one */
}

static void clear_step(struct model *m, struct records *records, struct rnd *rnd)
{
	if (rnd_below(rnd, 500))
		return;
	clear_fully(records);
	memset(m, 0, sizeof(*m));
}

static void scrub_step(struct model *m, struct records *records, struct rnd *rnd)
{
	(void)m;
	assert_true(records_scrub(records, rnd_below(rnd, RECORD_BUCKETS)));
}

static void random_against_a_model(void **state)
{
	static void (*const step[])(struct model *, struct records *, struct rnd *) = {
		put_step, put_step, put_step, put_step, put_step, touch_step, seek_step, read_step, read_step,
		read_step, read_step, unread_step, clear_step, scrub_step,
	};
	static struct model model;
	struct table t = table_open(MODEL_KEYS, 24 * 1024);
	uint8_t seed[RND_SEED_LEN] = { 3 };
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	for (uint32_t n = 0; n < 300000; n++) {
		step[rnd_below(&rnd, ARRAY_LEN(step))](&model, &t.records, &rnd);
		if (n % 500 == 0) {
			same_sums(&model, &t.records);
			same_list(&model, &t.records);
		}
	}
	table_shut(&t);
}

/* ---- long lists ---- */

static void fill(struct records *records, uint32_t keys)
{
	for (uint32_t key = 0; key < keys; key++)
		assert_true(records_put(records, key, later(records, 10), bytes_of(&key, sizeof(key))));
}

static void next_is(struct records *records, unsigned cursor, uint64_t version)
{
	struct record record;

	assert_true(records_next(records, cursor, &record));
	assert_true(record.version.n == version);
	records_unread(records, cursor);
}

/* From the end, from the cursor's own place in either direction; before the first at once. */
static void seek_is_done_in_parts(void **state)
{
	struct table t = table_open(LONG, LONG * 32);
	struct records *r = &t.records;
	unsigned calls = LONG / 4096 + 2;

	(void)state;
	fill(r, LONG);
	assert_false(records_seek(r, 0, (struct version){ LONG / 2 * 10 }));
	seek_fully(r, 0, LONG / 2 * 10, calls);
	next_is(r, 0, LONG / 2 * 10 + 10);
	seek_fully(r, 0, LONG / 2 * 10 + 35, 1);		/* from here it is near, either way */
	next_is(r, 0, LONG / 2 * 10 + 40);
	seek_fully(r, 0, LONG / 2 * 10 - 305, 1);
	next_is(r, 0, LONG / 2 * 10 - 300);
	seek_fully(r, 0, LONG * 10 - 15, 1);			/* and this is nearer from the end */
	next_is(r, 0, LONG * 10 - 10);
	seek_fully(r, 0, 9, 1);
	next_is(r, 0, 10);
	assert_false(records_seek(r, 0, (struct version){ LONG / 2 * 10 - 10 }));	/* forward, in parts */
	seek_fully(r, 0, LONG / 2 * 10 - 10, calls);
	next_is(r, 0, LONG / 2 * 10);
	seek_fully(r, 0, UINT64_MAX, 1);
	assert_true(records_at_end(r, 0));
	table_shut(&t);
}

static void seek_goes_on_among_changes(void **state)
{
	struct table t = table_open(LONG, LONG * 32);
	struct records *r = &t.records;
	uint8_t seed[RND_SEED_LEN] = { 9 };
	struct record record;
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	fill(r, LONG);
	for (unsigned round = 0; round < 20; round++) {
		uint64_t after = records_get(r, rnd_below(&rnd, LONG)).version.n + rnd_below(&rnd, 2);
		uint64_t expected = UINT64_MAX;

		for (unsigned calls = 0; !records_seek(r, round % 2, (struct version){ after }); calls++) {
			assert_true(calls < LONG / 4096 + 3);
			for (unsigned n = 0; n < 300; n++)
				assert_true(records_put(r, rnd_below(&rnd, LONG), later(r, 1), (struct bytes){ 0 }));
		}
		for (uint32_t key = 0; key < LONG; key++) {
			uint64_t version = records_get(r, key).version.n;

			expected = version > after && version < expected ? version : expected;
		}
		if (expected == UINT64_MAX)
			assert_true(records_at_end(r, round % 2));
		else
			next_is(r, round % 2, expected);
	}
	for (unsigned c = 0; c < RECORD_CURSORS; c++)	/* all of them at one place */
		seek_fully(r, c, 0, 1);
	for (unsigned c = 0; c < RECORD_CURSORS; c++)
		assert_true(records_next(r, c, &record) && !records_at_end(r, c));
	table_shut(&t);
}

/* An empty node walks from nothing to the end: same list, same sums, whatever changes meanwhile. */
static void a_copy_by_walking_is_equal(void **state)
{
	struct table t = table_open(LONG, LONG * 32), copy = table_open(LONG, LONG * 32);
	uint8_t seed[RND_SEED_LEN] = { 5 };
	struct record record;
	struct rnd rnd;
	uint32_t taken = 0;

	(void)state;
	rnd_seed(&rnd, seed);
	fill(&t.records, LONG);
	seek_fully(&t.records, 3, 0, 1);
	while (records_next(&t.records, 3, &record)) {
		assert_true(records_put(&copy.records, record.key, record.version, record.octets));
		if (taken++ < LONG && taken % 3 == 0)
			assert_true(records_put(&t.records, rnd_below(&rnd, LONG), later(&t.records, 1),
						bytes_of(&taken, rnd_below(&rnd, 5))));
	}
	assert_true(taken > LONG && taken < 2 * LONG);
	assert_true(t.records.root == copy.records.root && version_eq(t.records.upto, copy.records.upto));
	assert_memory_equal(t.records.bucket, copy.records.bucket, RECORD_BUCKETS * sizeof(uint64_t));
	seek_fully(&t.records, 3, 0, 1);
	seek_fully(&copy.records, 0, 0, 1);
	for (struct record other; records_next(&t.records, 3, &record);) {
		assert_true(records_next(&copy.records, 0, &other));
		assert_true(other.key == record.key && version_eq(other.version, record.version));
	}
	table_shut(&t);
	table_shut(&copy);
}

/* ---- deletions, clearing, memory ---- */

static void what_is_deleted_keeps_its_version(void **state)
{
	struct table t = table_open(10, 4096);
	struct record record;

	(void)state;
	assert_true(records_put(&t.records, 4, version_of(1, 7), bytes_str("alive")));
	assert_true(records_put(&t.records, 4, version_of(1, 8), (struct bytes){ 0 }));
	assert_true(records_put(&t.records, 5, version_of(1, 9), (struct bytes){ 0 }));	/* never existed */
	assert_true(version_eq(records_get(&t.records, 4).version, version_of(1, 8)));
	assert_int_equal(records_get(&t.records, 4).octets.len, 0);
	assert_int_equal(t.records.live, 0);
	assert_int_equal(t.records.store.kept, 0);
	assert_true(t.records.root == hash_by_hand(4, version_of(1, 8).n, (struct bytes){ 0 }) +
				      hash_by_hand(5, version_of(1, 9).n, (struct bytes){ 0 }));
	assert_true(records_next(&t.records, 0, &record) && record.key == 4 && record.octets.len == 0);
	assert_true(records_next(&t.records, 0, &record) && record.key == 5);
	assert_true(records_get(&t.records, 6).version.n == 0);
	clear_fully(&t.records);
	assert_true(records_get(&t.records, 4).version.n == 0);
	assert_true(t.records.root == 0 && t.records.upto.n == 0 && records_at_end(&t.records, 0));
	table_shut(&t);
}

static void cleared_in_slices_it_is_as_new(void **state)
{
	struct table t = table_open(LONG, LONG * 32);
	unsigned calls = 1;

	(void)state;
	fill(&t.records, LONG);
	for (unsigned c = 0; c < RECORD_CURSORS; c++)
		seek_fully(&t.records, c, c * 400, LONG / 4096 + 2);
	while (!records_clear(&t.records))
		calls++;
	assert_in_range(calls, 3, LONG / 1000);
	assert_int_equal(t.records.store.kept, 0);
	assert_int_equal(t.records.fresh, 0);
	for (size_t i = 0; i < (LONG + RECORD_CURSORS) * META_OCTETS; i++)
		assert_int_equal(((const uint8_t *)t.records.meta)[i], 0);
	fill(&t.records, LONG);
	next_is(&t.records, 7, 10);
	table_shut(&t);
}

static void a_full_store_refuses_and_changes_nothing(void **state)
{
	struct table t = table_open(100, 16 * 1024);
	uint8_t octets[RECORD_MAX];
	uint32_t kept = 0;

	(void)state;
	memset(octets, 7, sizeof(octets));
	while (records_put(&t.records, kept, later(&t.records, 1), bytes_of(octets, 500)))
		kept++;
	assert_int_equal(kept, 32);
	uint64_t root = t.records.root, upto = t.records.upto.n;

	assert_false(records_put(&t.records, 3, later(&t.records, 1), bytes_of(octets, 600)));
	assert_false(records_put(&t.records, 50, later(&t.records, 1), bytes_of(octets, 1)));
	assert_true(t.records.root == root && t.records.upto.n == upto && t.records.live == kept);
	assert_int_equal(records_get(&t.records, 3).octets.len, 500);
	octets[0] = 8;
	for (uint32_t key = 0; key < kept; key++) {	/* what does not grow always fits */
		struct bytes own = records_get(&t.records, key).octets;

		assert_true(records_put(&t.records, key, later(&t.records, 1), bytes_of(octets, 500)));
		own = records_get(&t.records, key).octets;
		assert_true(bytes_eq(own, bytes_of(octets, 500)));
		assert_true(records_put(&t.records, key, later(&t.records, 1), own));
		assert_true(records_put(&t.records, key, later(&t.records, 1), bytes_of(own.p, 499)));
		assert_true(bytes_eq(records_get(&t.records, key).octets, bytes_of(octets, 499)));
	}
	assert_true(records_put(&t.records, 3, later(&t.records, 1), (struct bytes){ 0 }));
	assert_true(records_put(&t.records, 50, later(&t.records, 1), bytes_of(octets, 1)));
	for (uint32_t bucket = 0; bucket < 100; bucket++)
		assert_true(records_scrub(&t.records, bucket));
	table_shut(&t);
}

static void a_flipped_bit_is_found(void **state)
{
	struct table t = table_open(3 * RECORD_BUCKETS, 1 << 20), twin = table_open(3 * RECORD_BUCKETS, 1 << 20);
	struct records *r = &t.records;
	uint32_t key = RECORD_BUCKETS + 17;

	(void)state;
	fill(r, 3 * RECORD_BUCKETS);
	fill(&twin.records, 3 * RECORD_BUCKETS);
	for (unsigned bit = 0; bit < 8 * sizeof(key); bit++) {
		uint8_t *octets = (uint8_t *)(uintptr_t)records_get(r, key).octets.p;

		octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_true(records_scrub(r, 16));
		assert_false(records_scrub(r, 17));
		assert_true(records_scrub(r, 17));
		assert_true(r->root != twin.records.root && r->bucket[17] != twin.records.bucket[17]);
		assert_true(r->bucket[16] == twin.records.bucket[16]);
		struct version version = later(r, 1);		/* the master issues it anew */

		assert_true(records_put(r, key, version, bytes_of(&key, sizeof(key))));
		assert_true(records_put(&twin.records, key, version, bytes_of(&key, sizeof(key))));
		assert_true(r->root == twin.records.root && records_scrub(r, 17));
	}
	for (unsigned bit = 0; bit < 16; bit++) {		/* the store's note of the length */
		uint8_t *note = (uint8_t *)(uintptr_t)records_get(r, key).octets.p - 2;

		note[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(records_get(r, key).octets.len, sizeof(key));
		assert_true(records_put(r, key, later(r, 1), bytes_of(&bit, sizeof(bit))));
	}
	uint8_t *meta = (uint8_t *)r->meta + key * META_OCTETS;

	for (unsigned bit = 0; bit < 16 + 128; bit++) {		/* the length here, the version, the hash */
		uint8_t *damaged = meta + (bit < 16 ? 28 + bit / 8 : (bit - 16) / 8), was = *damaged;

		*damaged ^= (uint8_t)(1u << bit % 8);
		assert_true(records_get(r, key).octets.len <= RECORD_MAX);
		assert_false(records_scrub(r, 17));
		*damaged = was;
		(void)!records_scrub(r, 17);
		assert_true(records_scrub(r, 17));
	}
	r->bucket[9] ^= 64;
	assert_false(records_scrub(r, 9));
	assert_true(records_scrub(r, 9));
	r->root ^= 1;
	assert_false(records_scrub(r, 0));
	assert_true(records_scrub(r, 0));
	table_shut(&t);
	table_shut(&twin);
}

static size_t pages_in(const struct table *t)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (t->room + page - 1) / page, n = 0;
	unsigned char *in = malloc(pages);

	assert_non_null(in);
	assert_int_equal(mincore(t->memory, t->room, in), 0);
	for (size_t i = 0; i < pages; i++)
		n += in[i] & 1;
	free(in);
	return n;
}

/* At most 40 octets a key beside the contents and the fixed rest; and those only once it is used. */
static void memory_is_fixed_and_lazy(void **state)
{
	struct table t = table_open(1u << 20, 64u << 20);
	size_t octets = 64u << 20;

	(void)state;
	assert_true(t.room <= (size_t)40 * (1u << 20) + octets + octets / 32 + RECORD_BUCKETS * 8 + 72 * 40 + 512);
	fill(&t.records, 100);
	for (uint32_t bucket = 0; bucket < RECORD_BUCKETS; bucket++)
		assert_true(records_scrub(&t.records, bucket));
	assert_true(pages_in(&t) < 64);
	size_t before = pages_in(&t);

	for (uint32_t n = 0; n < 200000; n++)		/* an outage of any length */
		assert_true(records_put(&t.records, n % 100, later(&t.records, 1), bytes_of(&n, sizeof(n))));
	assert_int_equal(pages_in(&t), before);
	table_shut(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_against_a_model),
		cmocka_unit_test(seek_is_done_in_parts),
		cmocka_unit_test(seek_goes_on_among_changes),
		cmocka_unit_test(a_copy_by_walking_is_equal),
		cmocka_unit_test(what_is_deleted_keeps_its_version),
		cmocka_unit_test(cleared_in_slices_it_is_as_new),
		cmocka_unit_test(a_full_store_refuses_and_changes_nothing),
		cmocka_unit_test(a_flipped_bit_is_found),
		cmocka_unit_test(memory_is_fixed_and_lazy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
