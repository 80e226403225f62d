/*
 * serial.h -- serial number arithmetic.  RFC 1982, as Ns and Nr need it (RFC 2661 section 5.8).
 *
 * A number exactly half the space away compares as "before", so that a tie is
 * always an old number and never opens a window.
 */
#ifndef BASE_SERIAL_H
#define BASE_SERIAL_H

#include "l2tpns/base/base.h"

/* How far b lies after a, modulo 2^16. */
static inline uint16_t serial16_distance(uint16_t a, uint16_t b)
{
	return (uint16_t)(b - a);
}

/* True when a was issued before b. */
static inline bool serial16_before(uint16_t a, uint16_t b)
{
	return a != b && serial16_distance(a, b) <= 0x8000;
}

static inline bool serial32_before(uint32_t a, uint32_t b)
{
	return a != b && (uint32_t)(b - a) <= 0x80000000u;
}

#endif
