/*
 * version.h -- the position of a change in the cluster's history: a term, and a number within it.
 *
 * Every change the master makes has one of its own; versions only grow.  A term
 * has one master at most, so two changes never share a version.
 */
#ifndef CLUSTER_VERSION_H
#define CLUSTER_VERSION_H

#include "l2tpns/base/base.h"

#define VERSION_SEQ_BITS	40
#define TERM_MAX		((1u << 24) - 2)

struct version { uint64_t n; };		/* term << 40 | number; 0: nothing yet */

static inline struct version version_of(uint32_t term, uint64_t seq)
{
	return (struct version){ (uint64_t)term << VERSION_SEQ_BITS | (seq & ((UINT64_C(1) << VERSION_SEQ_BITS) - 1)) };
}

static inline uint32_t version_term(struct version v)
{
	return (uint32_t)(v.n >> VERSION_SEQ_BITS);
}

static inline uint64_t version_seq(struct version v)
{
	return v.n & ((UINT64_C(1) << VERSION_SEQ_BITS) - 1);
}

static inline bool version_before(struct version a, struct version b)
{
	return a.n < b.n;
}

static inline bool version_eq(struct version a, struct version b)
{
	return a.n == b.n;
}

#endif
