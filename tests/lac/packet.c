/* packet.c -- forms of inner packets and their reading back. */
#include "tests/lac/packet.h"

#define IP_CHECKSUM	10
#define UDP_CHECKSUM	26
#define IP_SOURCE	12
#define IP_TARGET	16

static uint32_t get_u16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get_u32(const uint8_t *p)
{
	return get_u16(p) << 16 | get_u16(p + 2);
}

static void put_u16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, v >> 16);
	put_u16(p + 2, v);
}

static uint32_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

void packet_make(uint8_t *packet, uint32_t size, uint32_t from, uint16_t from_port, uint32_t to, uint16_t to_port)
{
	uint32_t sum = 0;

	ASSERT(size >= PACKET_SIZE_MIN && size <= PACKET_SIZE_MAX);
	memset(packet, 0x5a, size);
	memset(packet, 0, PACKET_HEADERS);
	packet[0] = 0x45;
	put_u16(packet + 2, size);
	packet[6] = 0x40;		/* DF */
	packet[8] = 64;
	packet[9] = 17;
	put_u32(packet + IP_SOURCE, from);
	put_u32(packet + IP_TARGET, to);
	for (unsigned i = 0; i < 20; i += 2)
		sum += get_u16(packet + i);
	put_u16(packet + IP_CHECKSUM, ~fold(sum));
	put_u16(packet + 20, from_port);
	put_u16(packet + 22, to_port);
	put_u16(packet + 24, size - 20);

	/* RFC 768: over the addresses, protocol and length, then header and payload. */
	sum = 17 + size - 20;
	for (uint32_t i = IP_SOURCE; i < size; i += 2)
		sum += i + 1 < size ? get_u16(packet + i) : (uint32_t)packet[i] << 8;
	put_u16(packet + UDP_CHECKSUM, ~fold(fold(sum)));
}

/* What changed from `old` to `new`, both in sixteen-bit words, goes into a checksum: RFC 1624. */
static void sum_mend(uint8_t *at, uint32_t minus, uint32_t plus)
{
	uint32_t sum = (~get_u16(at) & 0xffff) + (~fold(fold(minus)) & 0xffff) + fold(fold(plus));

	put_u16(at, ~fold(sum));
}

static uint32_t words(const uint8_t *p, uint32_t len)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < len; i += 2)
		sum += get_u16(p + i);
	return sum;
}

void packet_set_mark(uint8_t *packet, const struct mark *mark)
{
	uint32_t old = words(packet + PACKET_HEADERS, sizeof(*mark));

	memcpy(packet + PACKET_HEADERS, mark, sizeof(*mark));
	sum_mend(packet + UDP_CHECKSUM, old, words(packet + PACKET_HEADERS, sizeof(*mark)));
}

static void set_address(uint8_t *packet, unsigned at, uint32_t address)
{
	uint32_t old = words(packet + at, 4);

	put_u32(packet + at, address);
	sum_mend(packet + IP_CHECKSUM, old, words(packet + at, 4));
	sum_mend(packet + UDP_CHECKSUM, old, words(packet + at, 4));
}

void packet_set_source(uint8_t *packet, uint32_t from)
{
	set_address(packet, IP_SOURCE, from);
}

void packet_set_target(uint8_t *packet, uint32_t to)
{
	set_address(packet, IP_TARGET, to);
}

bool packet_read(const uint8_t *packet, size_t len, uint32_t *from, uint32_t *to, struct mark *mark)
{
	if (len < PACKET_SIZE_MIN || packet[0] != 0x45 || packet[9] != 17)
		return false;
	*from = get_u32(packet + IP_SOURCE);
	*to = get_u32(packet + IP_TARGET);
	return mark_read(packet + PACKET_HEADERS, len - PACKET_HEADERS, mark);
}
