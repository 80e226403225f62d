/* rnd.c -- every refill makes the next key first: a later state does not tell earlier output. */
#include <nettle/chacha.h>

#include "l2tpns/base/rnd.h"

void rnd_seed(struct rnd *rnd, const uint8_t seed[RND_SEED_LEN])
{
	*rnd = (struct rnd){ .left = 0 };
	memcpy(rnd->key, seed, RND_SEED_LEN);
}

static void refill(struct rnd *rnd)
{
	static const uint8_t nonce[CHACHA_NONCE_SIZE];
	struct chacha_ctx ctx;
	uint8_t next[RND_SEED_LEN + sizeof(rnd->ready)] = { 0 };

	chacha_set_key(&ctx, rnd->key);
	chacha_set_nonce(&ctx, nonce);
	chacha_crypt(&ctx, sizeof(next), next, next);
	memcpy(rnd->key, next, RND_SEED_LEN);
	memcpy(rnd->ready, next + RND_SEED_LEN, sizeof(rnd->ready));
	rnd->left = sizeof(rnd->ready);
}

void rnd_fill(struct rnd *rnd, void *out, size_t len)
{
	uint8_t *p = out;

	while (len > 0) {
		if (rnd->left == 0)
			refill(rnd);
		uint32_t n = len < rnd->left ? (uint32_t)len : rnd->left;
		uint8_t *from = rnd->ready + sizeof(rnd->ready) - rnd->left;

		memcpy(p, from, n);
		memset(from, 0, n);
		rnd->left -= n;
		p += n;
		len -= n;
	}
}

uint32_t rnd_u32(struct rnd *rnd)
{
	uint32_t n;

	rnd_fill(rnd, &n, sizeof(n));
	return n;
}

uint32_t rnd_below(struct rnd *rnd, uint32_t n)
{
	ASSERT(n > 0);
	uint32_t limit = UINT32_MAX - UINT32_MAX % n;	/* refuse the uneven rest */
	uint32_t x;

	do
		x = rnd_u32(rnd);
	while (x >= limit);
	return x % n;
}
