/*
 * chance.h -- the simulator's dice: small, fast, the same everywhere.
 *
 * xoroshiro128+ seeded by splitmix64 (both by Blackman and Vigna, public domain
 * algorithms).  Not fit for secrets; the machine under test has its own.
 */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include "l2tpns/base/base.h"

struct chance { uint64_t s[2]; };

static inline uint64_t chance_mix(uint64_t z)
{
	z += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline struct chance chance_of(uint64_t seed)
{
	return (struct chance){ { chance_mix(seed), chance_mix(seed ^ UINT64_C(0x5851f42d4c957f2d)) } };
}

static inline uint64_t chance_u64(struct chance *c)
{
	uint64_t a = c->s[0], b = c->s[1], result = a + b;

	b ^= a;
	c->s[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
	c->s[1] = b << 37 | b >> 27;
	return result;
}

/* 0..n-1; n > 0 */
static inline uint32_t chance_below(struct chance *c, uint32_t n)
{
	return (uint32_t)((chance_u64(c) >> 32) * n >> 32);
}

static inline uint32_t chance_between(struct chance *c, uint32_t low, uint32_t high)
{
	return low + chance_below(c, high - low + 1);
}

static inline bool chance_permille(struct chance *c, uint32_t permille)
{
	return chance_below(c, 1000) < permille;
}

/* Exponentially spread around a mean; never more than 20 means. */
static inline uint64_t chance_around(struct chance *c, uint64_t mean)
{
	double u = (double)((chance_u64(c) >> 11) + 1) * (1.0 / 9007199254740993.0);

	return (uint64_t)((double)mean * -__builtin_log(u < 2e-9 ? 2e-9 : u));
}

#endif
