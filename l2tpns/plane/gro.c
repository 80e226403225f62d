/* gro.c -- which packets of a batch are one flow's next octets, and the header they share. */
#include "l2tpns/plane/gro.h"
#include "l2tpns/wire/ip.h"

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void gro_begin(struct gro *gro, bool udp)
{
	gro->items = 0;
	gro->groups = 0;
	gro->udp = udp;
	memset(gro->slot, 0, sizeof(gro->slot));
}

/* Does it have ports where we look for them?  No options, no fragment, TCP or UDP. */
static bool has_flow(const uint8_t *ip, uint32_t len)
{
	if (ip[0] != 0x45 || (get16(ip + 6) & 0x3fff))
		return false;
	return (ip[9] == IP_TCP && len >= IP4_HDR_LEN + TCP_HDR_LEN) ||
	       (ip[9] == IP_UDP && len >= IP4_HDR_LEN + UDP_HDR_LEN);
}

static unsigned flow_slot(const uint8_t *ip)
{
	uint64_t addresses, ports = 0;

	memcpy(&addresses, ip + 12, 8);
	memcpy(&ports, ip + 20, 4);
	return (unsigned)((addresses ^ ports << 29 ^ (uint64_t)ip[9]) * UINT64_C(0x9e3779b97f4a7c15) >> 57);
}

/* What a single packet must be to begin a group that others may join: fills head_len, size, seq. */
static bool may_grow(const struct gro *gro, const uint8_t *ip, uint32_t len, struct gro_group *group)
{
	const uint8_t *transport = ip + IP4_HDR_LEN;
	uint32_t head;

	if (ip[9] == IP_UDP) {
		head = IP4_HDR_LEN + UDP_HDR_LEN;
		if (!gro->udp || get16(transport + 4) != len - IP4_HDR_LEN || get16(transport + 6) == 0)
			return false;
	} else {
		head = IP4_HDR_LEN + (transport[12] >> 4) * 4u;
		if (head < IP4_HDR_LEN + TCP_HDR_LEN || head > len)
			return false;
		if ((transport[13] & ~TCP_PSH) != TCP_ACK || get16(transport + 18) || (transport[12] & 15))
			return false;
		group->tcp = true;
		group->push = transport[13] & TCP_PSH;
		group->seq = get32(transport + 4) + (len - head);
	}
	group->size = (uint16_t)(len - head);
	group->head_len = (uint8_t)head;
	return len > head;
}

/* The checksums the receiver would check, since the kernel will write new ones. */
static bool is_proved(const uint8_t *ip, uint32_t len)
{
	uint32_t body = len - IP4_HDR_LEN;
	struct ip4 src = { get32(ip + 12) }, dst = { get32(ip + 16) };
	uint32_t sum = ip_sum_add(ip4_pseudo_sum(src, dst, ip[9], body), bytes_of(ip + IP4_HDR_LEN, body));

	return ip_sum_fold(sum) == 0xffff && ip4_sum_ok(bytes_of(ip, len));
}

/* Are the headers the same but for what counts up?  RFC 6864: with DF the identification means nothing. */
static bool is_next(const struct gro *gro, const struct gro_group *group, const uint8_t *ip,
		    const struct gro_group *one)
{
	const uint8_t *first = gro->item[group->first].ip;

	if (group->head_len == 0 || group->head_len != one->head_len || group->push)
		return false;
	if (one->size > group->size || group->count >= GRO_MAX || group->total + one->size > UINT16_MAX)
		return false;
	if (first[1] != ip[1] || memcmp(first + 6, ip + 6, 4) || memcmp(first + 12, ip + 12, 12))
		return false;		/* type of service; flags, TTL, protocol; addresses, ports */
	if (!(ip[6] & 0x40) && get16(ip + 4) != (uint16_t)(get16(first + 4) + group->count))
		return false;
	if (!group->tcp)
		return true;
	return get32(ip + 24) == group->seq && !memcmp(first + 28, ip + 28, 4) && !memcmp(first + 34, ip + 34, 2) &&
	       !memcmp(first + 40, ip + 40, group->head_len - 40u);	/* acknowledgement, window, options */
}

static void join(struct gro *gro, struct gro_group *group, unsigned item, const struct gro_group *one)
{
	gro->next[group->last] = (uint8_t)(item + 1);
	group->last = (uint8_t)item;
	group->count++;
	group->total += one->size;
	group->seq = one->seq;
	group->push = one->push;
}

void gro_add(struct gro *gro, uint8_t *ip, uint32_t len)
{
	unsigned item = gro->items++, slot = 0;
	struct gro_group *group, one = { .first = (uint8_t)item, .last = (uint8_t)item, .count = 1, .total = len };
	bool flow = has_flow(ip, len), grows = flow && may_grow(gro, ip, len, &one);

	ASSERT(item < GRO_MAX);
	gro->item[item] = (struct gro_item){ .ip = ip, .len = len };
	gro->next[item] = 0;
	if (flow)
		slot = flow_slot(ip);
	else if (ip[9] == IP_TCP || ip[9] == IP_UDP)
		memset(gro->slot, 0, sizeof(gro->slot));	/* a fragment, say: of which flow cannot be told */
	if (grows && gro->slot[slot]) {
		group = &gro->group[gro->slot[slot] - 1];
		if (is_next(gro, group, ip, &one)) {
			if (!group->proved)
				group->proved = is_proved(gro->item[group->first].ip, gro->item[group->first].len);
			if (group->proved && is_proved(ip, len)) {
				join(gro, group, item, &one);
				if (one.size < group->size)	/* only the last may be shorter */
					gro->slot[slot] = 0;
				return;
			}
		}
	}
	if (!grows)
		one.head_len = 0;
	gro->group[gro->groups++] = one;
	if (flow)
		gro->slot[slot] = grows ? (uint8_t)gro->groups : 0;
}

void gro_head(struct gro *gro, const struct gro_group *group)
{
	uint8_t *ip = gro->item[group->first].ip, *transport = ip + IP4_HDR_LEN;
	struct ip4 src = { get32(ip + 12) }, dst = { get32(ip + 16) };
	uint32_t body = group->total - IP4_HDR_LEN;
	uint16_t sum = ip_sum_fold(ip4_pseudo_sum(src, dst, ip[9], body));

	put16(ip + 2, group->total);
	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)~ip_sum_fold(ip_sum_add(0, bytes_of(ip, IP4_HDR_LEN))));
	if (group->tcp) {
		if (group->push)
			transport[13] |= TCP_PSH;
		put16(transport + 16, sum);
	} else {
		put16(transport + 4, body);
		put16(transport + 6, sum);
	}
}
