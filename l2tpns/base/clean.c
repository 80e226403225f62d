/* clean.c -- UTF-8 checked by RFC 3629 section 4, the rest escaped. */
#include "l2tpns/base/clean.h"

/* The code point, or 0 when the octets are not one character (U+0000 is not let through either). */
static uint32_t utf8_point(const uint8_t *p, size_t left, unsigned *octets)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 :
		     (p[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t point = n == 1 ? p[0] : n ? p[0] & (0x7fu >> n) : 0;

	if (n == 0 || n > left)
		return 0;
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3f);
	}
	if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*octets = n;
	return point;
}

unsigned clean_utf8(const uint8_t *p, size_t left)
{
	unsigned octets = 0;

	return left && utf8_point(p, left, &octets) ? octets : 0;
}

unsigned clean_char(const uint8_t *p, size_t left)
{
	unsigned octets = 0;
	uint32_t point = left ? utf8_point(p, left, &octets) : 0;

	if (point < 0x20 || (point >= 0x7f && point < 0xa0))
		return 0;			/* none, C0, delete, C1 */
	if (point == 0x200e || point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
	    (point >= 0x2066 && point <= 0x2069) || point == 0xfeff)
		return 0;			/* direction marks and overrides, line separators */
	return octets;
}

size_t clean_text(char *to, size_t room, struct bytes from, unsigned *columns)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = 0;
	unsigned wide = 0;

	for (uint32_t i = 0; i < from.len && room > 0;) {
		unsigned octets = clean_char(from.p + i, from.len - i);
		char escape[4] = { '\\', 'x', hex[from.p[i] >> 4], hex[from.p[i] & 15] };
		const void *piece = octets ? (const void *)(from.p + i) : escape;
		unsigned piece_len = octets ? octets : 4;

		if (octets == 1 && from.p[i] == '\\') {
			piece = "\\\\";
			piece_len = 2;
		}
		if (len + piece_len >= room)
			break;
		memcpy(to + len, piece, piece_len);
		len += piece_len;
		wide += octets > 1 ? 1 : piece_len;
		i += octets ? octets : 1;
	}
	if (room)
		to[len] = '\0';
	if (columns)
		*columns = wide;
	return len;
}
