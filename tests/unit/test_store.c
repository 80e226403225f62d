/*
 * Goal: what is kept comes back octet for octet until dropped, pieces never overlap, and freed memory
 * serves every size again.
 * Method: random keeps and drops against copies on the heap; then filling, emptying and refilling with
 * other sizes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/base/rnd.h"
#include "l2tpns/base/store.h"

#define OCTETS	(64u * 1024)
#define MODELS	2048u

static void *memory;
static struct store store;

static int open_store(void **state)
{
	size_t room = OCTETS + OCTETS / 32 + 64;
	struct arena arena = { .room = room };

	(void)state;
	arena.start = memory = aligned_alloc(64, room);
	if (!memory)
		return -1;
	memset(memory, 0, arena.room);
	store_init(&store, OCTETS, &arena);
	return 0;
}

static int shut_store(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static void random_against_copies(void **state)
{
	static struct { uint32_t handle, len; uint8_t *copy; } model[MODELS];
	uint8_t seed[RND_SEED_LEN] = { 7 };
	struct rnd rnd;
	uint32_t kept = 0, refused = 0;

	(void)state;
	rnd_seed(&rnd, seed);
	for (uint32_t step = 0; step < 300000; step++) {
		uint32_t i = rnd_below(&rnd, MODELS);

		if (model[i].handle) {
			assert_true(bytes_eq(store_get(&store, model[i].handle),
					     bytes_of(model[i].copy, model[i].len)));
			store_drop(&store, model[i].handle);
			free(model[i].copy);
			model[i].handle = 0;
			kept--;
		} else if (rnd_below(&rnd, 1000) >= step % 1000) {	/* now many, now few */
			uint32_t len = 1 + rnd_below(&rnd, rnd_below(&rnd, 20) ? 60 : STORE_LEN_MAX);

			model[i].len = len;
			model[i].copy = malloc(len);
			assert_non_null(model[i].copy);
			rnd_fill(&rnd, model[i].copy, len);
			model[i].handle = store_keep(&store, bytes_of(model[i].copy, len));
			if (model[i].handle) {
				kept++;
			} else {
				free(model[i].copy);
				refused++;
			}
		}
		assert_int_equal(store.kept, kept);
	}
	assert_true(refused > 0);
	for (uint32_t i = 0; i < MODELS; i++)
		if (model[i].handle) {
			assert_true(bytes_eq(store_get(&store, model[i].handle),
					     bytes_of(model[i].copy, model[i].len)));
			store_drop(&store, model[i].handle);
			free(model[i].copy);
		}
	assert_int_equal(store.kept, 0);
}

/* Fill with one size, drop in another order, fill with the next: never is there less room than at first. */
static void freed_memory_serves_every_size(void **state)
{
	static uint32_t handle[OCTETS / 32 + 1];
	static const uint32_t order[] = { 0, 6, 3, 5, 0, 1, 2, 4, 6, 0 };
	static const uint8_t value[STORE_LEN_MAX];

	(void)state;
	for (unsigned k = 0; k < ARRAY_LEN(order); k++) {
		uint32_t len = (32u << order[k]) - 2, count = 0;

		while ((handle[count] = store_keep(&store, bytes_of(value, len))) != 0)
			count++;
		assert_int_equal(count, OCTETS / (32u << order[k]));
		for (uint32_t i = 0; i < count; i++)	/* every seventh, round and round: each once */
			store_drop(&store, handle[i * 7 % count]);
		assert_int_equal(store.kept, 0);
	}
}

static void edges(void **state)
{
	static const uint8_t value[STORE_LEN_MAX + 1];
	uint8_t *at;

	(void)state;
	assert_int_equal(store_keep(&store, bytes_of(value, 0)), 0);
	assert_int_equal(store_keep(&store, bytes_of(value, STORE_LEN_MAX + 1)), 0);
	assert_int_equal(store_room(&store, UINT32_MAX, &at), 0);
	assert_int_equal(store_room(&store, 0x90000000, &at), 0);
	assert_int_equal(store_get(&store, 0).len, 0);
	store_drop(&store, 0);
	uint32_t handle = store_room(&store, STORE_LEN_MAX, &at);

	assert_int_not_equal(handle, 0);
	memset(at, 0x55, STORE_LEN_MAX);
	assert_int_equal(store_get(&store, handle).len, STORE_LEN_MAX);
	assert_ptr_equal(store_get(&store, handle).p, at);
	store_drop(&store, handle);

	/* Measuring: the same carving without memory. */
	struct arena measure = { 0 };
	struct store other;

	store_init(&other, 1, &measure);
	assert_int_equal(other.units * 32, STORE_BLOCK_OCTETS);
	assert_true(measure.used >= STORE_BLOCK_OCTETS + other.units);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_against_copies),
		cmocka_unit_test(freed_memory_serves_every_size),
		cmocka_unit_test(edges),
	};

	return cmocka_run_group_tests(tests, open_store, shut_store);
}
