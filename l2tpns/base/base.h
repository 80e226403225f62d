/*
 * base.h -- the few words every file may use.
 *
 * Includes no project header.  assert_fail() is the shell's: the pure rooms only
 * name it, so that each program decides what "our own fault" looks like.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))
#define MUST_USE	__attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define ASSERT(x)	do { if (__builtin_expect(!(x), 0)) assert_fail(#x, __FILE__, __LINE__); } while (0)

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

_Noreturn void assert_fail(const char *expr, const char *file, int line);

/* Octets lent by somebody else; the loan ends with the call it was made in. */
struct bytes {
	const uint8_t	*p;
	uint32_t	 len;
};

static inline struct bytes bytes_of(const void *p, size_t len)
{
	return (struct bytes){ .p = p, .len = (uint32_t)len };
}

static inline struct bytes bytes_str(const char *s)
{
	return bytes_of(s, strlen(s));
}

static inline bool bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

#endif
