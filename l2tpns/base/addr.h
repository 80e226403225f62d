/*
 * addr.h -- addresses of either family as plain values.
 *
 * An IPv4 address is kept in its IPv4-mapped IPv6 form, ::ffff:a.b.c.d, octets
 * in network order (RFC 4291 section 2.5.5.2), so that one comparison serves
 * both families and tables have one shape.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "l2tpns/base/base.h"

struct ip { uint8_t b[16]; };			/* all zero: none */
struct ip4 { uint32_t n; };			/* host order; 0: none */
struct addr { struct ip ip; uint16_t port; };	/* port in host order */
struct prefix4 { struct ip4 net; uint8_t len; };/* host bits of net are zero */

#define IP_TEXT_MAX	46			/* "ffff:...:255.255.255.255" and a nul */
#define ADDR_TEXT_MAX	(IP_TEXT_MAX + 8)	/* "[...]:65535" */

static inline struct ip ip_from4(struct ip4 a)
{
	return (struct ip){ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
		(uint8_t)(a.n >> 24), (uint8_t)(a.n >> 16), (uint8_t)(a.n >> 8), (uint8_t)a.n } };
}

static inline bool ip_eq(struct ip a, struct ip b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

static inline bool ip_is4(struct ip a)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return memcmp(a.b, mapped, sizeof(mapped)) == 0;
}

static inline bool ip_is_none(struct ip a)
{
	return ip_eq(a, (struct ip){ { 0 } });
}

/* The IPv4 address inside, or 0 for anything else. */
static inline struct ip4 ip_to4(struct ip a)
{
	if (!ip_is4(a))
		return (struct ip4){ 0 };
	return (struct ip4){ (uint32_t)a.b[12] << 24 | (uint32_t)a.b[13] << 16 | (uint32_t)a.b[14] << 8 |
			     a.b[15] };
}

static inline bool addr_eq(struct addr a, struct addr b)
{
	return a.port == b.port && ip_eq(a.ip, b.ip);
}

static inline uint32_t prefix4_mask(uint8_t len)
{
	return len == 0 ? 0 : (uint32_t)(UINT64_C(0xffffffff) << (32 - len));
}

static inline bool prefix4_has(struct prefix4 p, struct ip4 a)
{
	return ((a.n ^ p.net.n) & prefix4_mask(p.len)) == 0;
}

/* Text forms; `text` is at least IP_TEXT_MAX or ADDR_TEXT_MAX octets and is returned. */
char *ip4_text(struct ip4 a, char *text);
char *ip_text(struct ip a, char *text);
char *addr_text(struct addr a, char *text);

/* Dotted quad, or dotted quad "/" length (32 when left out); false when it is not one.
 * ip4_prefix_parse refuses host bits that are set. */
MUST_USE bool ip4_parse(const char *text, struct ip4 *out);
MUST_USE bool ip4_prefix_parse(const char *text, struct prefix4 *out);

#endif
