/*
 * rd.h -- bounded reader over received octets.
 *
 * A read past the end yields zero, empties the reader and sticks `bad`, so a
 * parser reads a whole structure and asks rd_ok() once.  Nothing here allocates.
 */
#ifndef BASE_RD_H
#define BASE_RD_H

#include "l2tpns/base/base.h"

struct rd {
	const uint8_t	*p;
	const uint8_t	*end;
	bool		 bad;
};

static inline struct rd rd_of(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct rd){ .p = p, .end = len ? p + len : p };
}

static inline struct rd rd_bytes(struct bytes b)
{
	return rd_of(b.p, b.len);
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

/* Take n octets, or fail: the one place that compares a length with an end. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
	const uint8_t *at = r->p;

	if (n > rd_left(r)) {
		r->p = r->end;
		r->bad = true;
		return NULL;
	}
	if (n > 0)
		r->p += n;
	return at;
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *b = rd_take(r, 1);

	return b ? b[0] : 0;
}

static inline uint16_t rd_u16(struct rd *r)
{
	const uint8_t *b = rd_take(r, 2);

	if (!b)
		return 0;
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t rd_u32(struct rd *r)
{
	uint32_t hi = rd_u16(r);

	return hi << 16 | rd_u16(r);
}

static inline uint64_t rd_u64(struct rd *r)
{
	uint64_t hi = rd_u32(r);

	return hi << 32 | rd_u32(r);
}

/* Carve a child of exactly n octets; a short parent makes both bad. */
static inline struct rd rd_sub(struct rd *r, size_t n)
{
	const uint8_t *b = rd_take(r, n);

	return r->bad ? (struct rd){ .p = r->end, .end = r->end, .bad = true } : rd_of(b, n);
}

/* What is left, as a loan; the reader is empty afterwards. */
static inline struct bytes rd_rest(struct rd *r)
{
	struct bytes b = { .p = r->p, .len = (uint32_t)rd_left(r) };

	r->p = r->end;
	return b;
}

/* What is left, without taking it. */
static inline struct bytes rd_peek(const struct rd *r)
{
	return (struct bytes){ .p = r->p, .len = (uint32_t)rd_left(r) };
}

MUST_USE static inline bool rd_ok(const struct rd *r)
{
	return !r->bad;
}

MUST_USE static inline bool rd_done(const struct rd *r)
{
	return !r->bad && r->p == r->end;
}

#endif
