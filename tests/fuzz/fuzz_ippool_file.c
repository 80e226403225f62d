/*
 * fuzz_ippool_file.c -- any two files, the second after a line "--": what passes the checks can be given to
 * the pools, before and while addresses are held, and no address is given twice.
 */
#include <stdlib.h>

#include "l2tpns/config/pool_file.h"

#define ADDRESSES_MAX	600u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct pool_files files[2];
static struct config_faults faults;

/* Take all there is; every address must be in a pool and new. */
static void drain(struct ippools *pools, struct ip4 *held, uint32_t *count)
{
	for (unsigned pool = 0; pool < IPPOOLS_MAX; pool++) {
		struct ip4 got;

		while ((got = ippool_take(pools, pool, bytes_str("u"), (struct row){ *count + 1 })).n) {
			ASSERT(ippools_have(pools, got) && *count < 2 * ADDRESSES_MAX);
			for (uint32_t i = 0; i < *count; i++)
				ASSERT(held[i].n != got.n);
			held[(*count)++] = got;
		}
	}
}

static bool parse(struct pool_files *into, struct bytes text)
{
	struct ip4 here = { 0x0a000001 };

	pool_files_init(into);
	memset(&faults, 0, sizeof(faults));
	bool good = pool_file_parse(into, text, "ip_pool", "", here, &faults);

	ASSERT(good == (faults.errors == 0));
	good = pool_file_parse(into, bytes_of(text.p, text.len / 2), "ip_pool-b", "b", here, &faults) && good;
	return pool_files_check(into, &faults) && good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *mark = len > 3 ? memmem(data, len, "--\n", 3) : NULL;
	size_t first = mark ? (size_t)(mark - data) : len;
	static struct ip4 held[2 * ADDRESSES_MAX];
	struct arena sizes = { 0 };
	uint32_t count = 0;

	if (!parse(&files[0], bytes_of(data, first)))
		return 0;
	ippools_init(ADDRESSES_MAX, (struct hash_key){ { 1, 2 } }, &sizes);
	struct arena arena = { .start = calloc(1, sizes.used), .room = sizes.used };
	struct ippools *pools = ippools_init(ADDRESSES_MAX, (struct hash_key){ { 1, 2 } }, &arena);

	ippools_configure(pools, &files[0].conf);
	drain(pools, held, &count);
	for (uint32_t i = 0; i < count; i += 3)
		ippool_give(pools, held[i], (struct row){ i + 1 });
	for (uint32_t i = 0; i < count; i += 3)
		held[i].n = 0;
	if (mark && parse(&files[1], bytes_of(mark + 3, len - first - 3))) {
		ippools_configure(pools, &files[1].conf);
		drain(pools, held, &count);
	}
	free(arena.start);
	return 0;
}
