/*
 * fuzz_replica.c -- any octets as records of any keys, on a slave that has some already; then it is master for a while.
 *
 * Input: deeds of a key (kind 1, number 2), a length and so many octets.  At the end everything is forgotten, and
 * nothing may be left.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "l2tpns/core/replica.h"
#include "tests/unit/lns_left.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fx_list out;
static const struct replica_clock clock_of = { 1000000 };

static struct lns *slave_new(struct lns_conf *conf, struct mono now, void **memory, size_t *room)
{
	static const uint8_t seed[RND_SEED_LEN] = { 7 };

	*room = lns_size(conf);
	*memory = mmap(NULL, *room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (*memory == MAP_FAILED)
		abort();
	struct arena arena = { .start = *memory, .room = *room };
	struct lns *lns = lns_init(conf, seed, now, NULL, NULL, &arena);

	(void)!lns_configured(lns, conf, now);
	lns_role(lns, LNS_SLAVE, now, &out);
	return lns;
}

/* What was applied and not refused is written again; where nothing local comes in, in the same octets. */
static void apply(struct lns *lns, uint32_t key, struct bytes octets, struct mono now)
{
	uint8_t room[REPLICA_MAX];
	struct wr w = wr_of(room, sizeof(room));
	enum why why;

	(void)replica_mergeable(lns, key, octets);
	do {
		fx_clear(&out);
		why = replica_apply(lns, key, octets, clock_of, now, &out);
	} while (why == WHY_CL_FULL);
	ASSERT(why == WHY_OK || why == WHY_CL_VALUE);
	replica_encode(lns, key, clock_of, &w);
	ASSERT(wr_ok(&w));
	fx_clear(&out);
}

static void time_passes(struct lns *lns, struct mono *now, int seconds)
{
	uint32_t key;

	for (int i = 0; i < seconds * 10; i++) {
		now->us += 100000;
		for (int n = 0; n < 50 && mono_reached(*now, lns_next(lns)); n++) {
			lns_tick(lns, *now, &out);
			fx_clear(&out);
			lns_flush(lns, *now, &out);
			fx_clear(&out);
		}
		while (lns_marked_next(lns, &key)) {
			uint8_t room[REPLICA_MAX];
			struct wr w = wr_of(room, sizeof(room));

			replica_encode(lns, key, clock_of, &w);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lns_conf conf = {
		.sessions_max = 2000, .tunnels_max = 8, .addresses_max = 1024, .tunnels_opening_max = 4, .window = 8,
		.retransmit_ms = 1000, .retransmit_max_ms = 8000, .retransmit_tries = 2, .tunnel_linger_s = 3,
		.call_timeout_s = 5, .hello_interval_s = 4,
		.ppp = { .mru = 1460, .restart_ms = 1000, .max_configure = 3, .max_failure = 5, .max_terminate = 2,
			.auth = { AUTH_PAP }, .auths = 1, .auth_timeout_s = 4, .echo_interval_s = 3, .echo_failures = 2,
			.our_address = { 0x0a0001fe } },
		.pools = { .pools = 1, .ranges = 1, .range = { { .prefix = { { 0x0a000000 }, 24 } } } },
	};
	struct mono now = { 1000000000 };
	struct rd r = rd_of(data, size);
	char text[300];
	void *memory;
	size_t room;
	struct lns *lns = slave_new(&conf, now, &memory, &room);
	const uint32_t first[] = { REPLICA_TUNNELS, REPLICA_SESSIONS, replica_messages(&conf), 0 };
	const uint32_t mask[] = { 15, 2047, 63, UINT32_MAX };

	while (rd_left(&r) > 0) {
		uint8_t kind = rd_u8(&r);
		uint32_t number = rd_u16(&r), len = rd_u8(&r);

		if (len == 255)
			len = rd_u16(&r);
		len = min_u32(len, (uint32_t)rd_left(&r));
		apply(lns, first[kind & 3] + (number & mask[kind & 3]), bytes_of(rd_take(&r, len), len), now);
		if (kind & 128)
			time_passes(lns, &now, 1);
	}
	if (size % 2) {
		lns_role(lns, LNS_MASTER, now, &out);
		time_passes(lns, &now, 40);
		lns_role(lns, LNS_SLAVE, now, &out);
	}
	do
		fx_clear(&out);
	while (!lns_forget(lns, now, &out));
	fx_clear(&out);
	ASSERT(lns_left(lns, text) == NULL);
	munmap(memory, room);
	return 0;
}
