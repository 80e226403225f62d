/*
 * fuzz_cl_records.c -- octets drive changes, cursors, clearing and damage; the table keeps its promises: one
 * list sorted by version, sums of what is in it, cursors that neither skip nor repeat, damage that is found.
 */
#include "cluster/records.h"
#include "l2tpns/base/rd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define KEYS	12u
#define CURSORS	4u
#define OCTETS	8192u
#define STEPS	200u

static uint8_t memory[48 * 1024] __attribute__((aligned(64)));
static uint64_t seen[CURSORS];		/* by each cursor: the next record is the first beyond */
static bool may_unread[CURSORS];

static uint64_t expected(const struct records *records, uint64_t after)
{
	uint64_t best = 0;

	for (uint32_t key = 0; key < KEYS; key++) {
		uint64_t version = records_get(records, key).version.n;

		if (version > after && (best == 0 || version < best))
			best = version;
	}
	return best;
}

static void put(struct records *records, uint32_t key, uint8_t by, struct bytes octets)
{
	struct record before = records_get(records, key);
	struct version version = { records->upto.n + 1 + by };

	if (records_put(records, key, version, octets)) {
		ASSERT(version_eq(records_get(records, key).version, version));
		ASSERT(records_get(records, key).octets.len == octets.len);
	} else {
		ASSERT(octets.len > before.octets.len && bytes_eq(records_get(records, key).octets, before.octets));
	}
}

static void walk(struct records *records, unsigned cursor, uint8_t how)
{
	uint64_t next = expected(records, seen[cursor]);
	struct record record;

	if (how < 64) {
		seen[cursor] = records->upto.n * how / 60;
		ASSERT(records_seek(records, cursor, (struct version){ seen[cursor] }));
		seen[cursor] = seen[cursor] < records->upto.n ? seen[cursor] : records->upto.n;
		may_unread[cursor] = false;
	} else if (how < 96 && may_unread[cursor]) {
		records_unread(records, cursor);
		seen[cursor]--;
		may_unread[cursor] = false;
	} else {
		ASSERT(records_at_end(records, cursor) == (next == 0));
		ASSERT(records_next(records, cursor, &record) == (next != 0));
		ASSERT(next == 0 || record.version.n == next);
		seen[cursor] = next ? next : seen[cursor];
		may_unread[cursor] |= next != 0;
	}
}

static void damage(struct records *records, uint32_t key, uint8_t bit)
{
	struct bytes octets = records_get(records, key).octets;

	if (octets.len == 0)
		return;
	((uint8_t *)(uintptr_t)octets.p)[bit / 8u % octets.len] ^= (uint8_t)(1u << bit % 8);
	ASSERT(!records_scrub(records, record_bucket(key)));
}

static void check(struct records *records)
{
	uint64_t root = records->root, after = 0;
	struct record record;
	uint32_t live = 0;

	for (uint32_t bucket = 0; bucket < KEYS; bucket++)
		ASSERT(records_scrub(records, bucket));
	ASSERT(records->root == root && records_seek(records, CURSORS, (struct version){ 0 }));
	for (; records_next(records, CURSORS, &record); after = record.version.n) {
		ASSERT(record.version.n == expected(records, after));
		live += record.octets.len > 0;
	}
	ASSERT(expected(records, after) == 0 && live == records->live && live == records->store.kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena arena = { .start = memory, .room = sizeof(memory) };
	struct rd r = rd_of(data, min_u32((uint32_t)len, 3 * STEPS));
	struct records records;

	memset(memory, 0, sizeof(memory));
	memset(seen, 0, sizeof(seen));
	memset(may_unread, 0, sizeof(may_unread));
	records_init(&records, KEYS, OCTETS, (struct hash_key){ { 1, 2 } }, &arena);
	while (rd_left(&r) > 0) {
		uint8_t what = rd_u8(&r), a = rd_u8(&r), b = rd_u8(&r);

		switch (what & 7) {
		case 0: case 1: case 2: put(&records, a % KEYS, b, bytes_of(memory, what * 4u)); break;
		case 3: put(&records, a % KEYS, b, records_get(&records, a % KEYS).octets); break;
		case 4: put(&records, a % KEYS, b, (struct bytes){ 0 }); break;
		case 5: case 6: walk(&records, a % CURSORS, b); break;
		case 7:
			if (b & 1) {
				damage(&records, a % KEYS, b);
			} else if (b == 0) {
				ASSERT(records_clear(&records));
				memset(seen, 0, sizeof(seen));
				memset(may_unread, 0, sizeof(may_unread));
			}
			break;
		}
	}
	check(&records);
	return 0;
}
