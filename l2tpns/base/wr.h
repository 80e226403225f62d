/*
 * wr.h -- bounded writer of octets to be sent.
 *
 * A write past the end writes nothing and sticks `bad`; the encoder asks
 * wr_ok() once.  Lengths that are known late are patched at a mark.
 */
#ifndef BASE_WR_H
#define BASE_WR_H

#include "l2tpns/base/base.h"

struct wr {
	uint8_t	*start;
	uint8_t	*p;
	uint8_t	*end;
	bool	 bad;
};

static inline struct wr wr_of(void *data, size_t room)
{
	uint8_t *p = data;

	return (struct wr){ .start = p, .p = p, .end = p + room };
}

static inline size_t wr_len(const struct wr *w)
{
	return (size_t)(w->p - w->start);
}

static inline size_t wr_room(const struct wr *w)
{
	return (size_t)(w->end - w->p);
}

/* Room for n octets, or NULL: the one place that compares a length with an end. */
static inline uint8_t *wr_take(struct wr *w, size_t n)
{
	uint8_t *at = w->p;

	if (w->bad || n > wr_room(w)) {
		w->bad = true;
		return NULL;
	}
	w->p += n;
	return at;
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *b = wr_take(w, 1);

	if (b)
		b[0] = v;
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
	uint8_t *b = wr_take(w, 2);

	if (b) {
		b[0] = (uint8_t)(v >> 8);
		b[1] = (uint8_t)v;
	}
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
	wr_u16(w, (uint16_t)(v >> 16));
	wr_u16(w, (uint16_t)v);
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
	wr_u32(w, (uint32_t)(v >> 32));
	wr_u32(w, (uint32_t)v);
}

static inline void wr_put(struct wr *w, const void *data, size_t n)
{
	uint8_t *b = wr_take(w, n);

	if (b && n > 0)
		memcpy(b, data, n);
}

static inline void wr_bytes(struct wr *w, struct bytes b)
{
	wr_put(w, b.p, b.len);
}

/* Overwrite two octets already written, `at` octets from the start. */
static inline void wr_patch_u16(struct wr *w, size_t at, uint16_t v)
{
	if (w->bad || at + 2 > wr_len(w)) {
		w->bad = true;
		return;
	}
	w->start[at] = (uint8_t)(v >> 8);
	w->start[at + 1] = (uint8_t)v;
}

/* What was written, as a loan of the writer's buffer; empty when it did not fit. */
static inline struct bytes wr_bytes_of(const struct wr *w)
{
	return w->bad ? (struct bytes){ 0 } : bytes_of(w->start, wr_len(w));
}

MUST_USE static inline bool wr_ok(const struct wr *w)
{
	return !w->bad;
}

#endif
