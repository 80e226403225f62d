/*
 * rnd.h -- random octets from a seed: ChaCha20 with key erasure.
 *
 * The shell seeds it from the kernel; a test or the simulator from a number, so
 * that a run can be repeated.  Fit for challenges and identifiers.
 */
#ifndef BASE_RND_H
#define BASE_RND_H

#include "l2tpns/base/base.h"

#define RND_SEED_LEN	32

struct rnd {
	uint8_t	 key[RND_SEED_LEN];
	uint8_t	 ready[256];
	uint32_t left;			/* octets of ready[] not handed out, at its end */
};

void rnd_seed(struct rnd *rnd, const uint8_t seed[RND_SEED_LEN]);
void rnd_fill(struct rnd *rnd, void *out, size_t len);
uint32_t rnd_u32(struct rnd *rnd);
uint32_t rnd_below(struct rnd *rnd, uint32_t n);	/* 0..n-1; n > 0 */

#endif
