/* addr.c -- text forms of addresses; IPv6 as RFC 5952 writes it. */
#include <stdio.h>

#include "l2tpns/base/addr.h"

static char *put_decimal(char *at, unsigned n)
{
	char digits[10];
	unsigned count = 0;

	do {
		digits[count++] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	while (count)
		*at++ = digits[--count];
	return at;
}

char *ip4_text(struct ip4 a, char *text)
{
	char *at = text;

	for (int shift = 24; shift >= 0; shift -= 8) {
		at = put_decimal(at, (a.n >> shift) & 0xff);
		if (shift)
			*at++ = '.';
	}
	*at = 0;
	return text;
}

/* The longest run of two or more zero groups is written "::". */
static void longest_zeros(const uint16_t group[8], int *from, int *count)
{
	*from = -1;
	*count = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && group[i + n] == 0)
			n++;
		if (n > *count) {
			*from = i;
			*count = n;
		}
	}
}

char *ip_text(struct ip a, char *text)
{
	uint16_t group[8];
	int from, count;
	char *at = text;

	if (ip_is4(a))
		return ip4_text(ip_to4(a), text);
	for (int i = 0; i < 8; i++)
		group[i] = (uint16_t)(a.b[2 * i] << 8 | a.b[2 * i + 1]);
	longest_zeros(group, &from, &count);
	for (int i = 0; i < 8; i++) {
		if (i == from) {
			*at++ = ':';
			*at++ = ':';
			i += count - 1;
			continue;
		}
		if (at > text && at[-1] != ':')
			*at++ = ':';
		at += snprintf(at, 5, "%x", group[i]);
	}
	*at = 0;
	return text;
}

char *addr_text(struct addr a, char *text)
{
	bool v4 = ip_is4(a.ip);
	char *at = text;

	if (!v4)
		*at++ = '[';
	ip_text(a.ip, at);
	at += strlen(at);
	if (!v4)
		*at++ = ']';
	*at++ = ':';
	*put_decimal(at, a.port) = 0;
	return text;
}

/* A decimal number of at most `max`, without leading zeros; *at moves past it. */
static bool take_decimal(const char **at, unsigned max, unsigned *out)
{
	const char *p = *at;
	unsigned n = 0;

	if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	while (*p >= '0' && *p <= '9') {
		n = n * 10 + (unsigned)(*p++ - '0');
		if (n > max)
			return false;
	}
	*at = p;
	*out = n;
	return true;
}

static bool take_quad(const char **at, struct ip4 *out)
{
	uint32_t n = 0;
	unsigned octet;

	for (int i = 0; i < 4; i++) {
		if (i && *(*at)++ != '.')
			return false;
		if (!take_decimal(at, 255, &octet))
			return false;
		n = n << 8 | octet;
	}
	out->n = n;
	return true;
}

bool ip4_parse(const char *text, struct ip4 *out)
{
	return take_quad(&text, out) && *text == 0;
}

bool ip4_prefix_parse(const char *text, struct prefix4 *out)
{
	unsigned len = 32;

	if (!take_quad(&text, &out->net))
		return false;
	if (*text == '/') {
		text++;
		if (!take_decimal(&text, 32, &len))
			return false;
	}
	out->len = (uint8_t)len;
	return *text == 0 && (out->net.n & ~prefix4_mask(out->len)) == 0;
}
