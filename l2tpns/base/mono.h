/*
 * mono.h -- monotonic time, wrapped so that it cannot be added to a count.
 *
 * Pure rooms are told the time as a struct mono and never ask for it.  Both
 * types count microseconds; struct mono starts at an arbitrary origin above 0.
 */
#ifndef BASE_MONO_H
#define BASE_MONO_H

#include "l2tpns/base/base.h"

struct mono { uint64_t us; };
struct dur { int64_t us; };

#define MONO_NEVER	((struct mono){ UINT64_MAX })
#define DUR_US(n)	((struct dur){ (int64_t)(n) })
#define DUR_MS(n)	((struct dur){ (int64_t)(n) * 1000 })
#define DUR_S(n)	((struct dur){ (int64_t)(n) * 1000000 })

static inline struct mono mono_add(struct mono t, struct dur d)
{
	return t.us == UINT64_MAX ? t : (struct mono){ t.us + (uint64_t)d.us };
}

static inline struct dur mono_since(struct mono later, struct mono earlier)
{
	return (struct dur){ (int64_t)(later.us - earlier.us) };
}

static inline bool mono_before(struct mono a, struct mono b)
{
	return a.us < b.us;
}

static inline bool mono_reached(struct mono now, struct mono deadline)
{
	return now.us >= deadline.us;
}

static inline struct mono mono_min(struct mono a, struct mono b)
{
	return a.us < b.us ? a : b;
}

static inline uint32_t dur_s(struct dur d)
{
	return d.us < 0 ? 0 : (uint32_t)(d.us / 1000000);
}

static inline uint64_t dur_ms(struct dur d)
{
	return d.us < 0 ? 0 : (uint64_t)d.us / 1000;
}

#endif
