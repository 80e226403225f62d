/* l2tp_avp.c -- one way in and one way out for every AVP; hiding is a key stream of MD5 blocks. */
#include <nettle/md5.h>

#include "l2tpns/wire/l2tp_avp.h"

enum avp_flag {
	FLAG_MANDATORY = 0x8000, FLAG_HIDDEN = 0x4000, MASK_RESERVED = 0x3c00, MASK_LENGTH = 0x03ff
};

#define AT_TYPE		4	/* offset of the attribute type in an AVP */
#define BLOCK		MD5_DIGEST_SIZE

enum why l2tp_avp_next(struct rd *body, struct l2tp_avp *avp)
{
	struct bytes rest = rd_peek(body);
	uint16_t flags = rd_u16(body);
	uint32_t len = flags & MASK_LENGTH;

	*avp = (struct l2tp_avp){ .mandatory = flags & FLAG_MANDATORY, .hidden = flags & FLAG_HIDDEN,
				  .reserved = flags & MASK_RESERVED };
	avp->vendor = rd_u16(body);
	avp->type = rd_u16(body);
	if (!rd_ok(body) || len < L2TP_AVP_HDR_LEN)
		return WHY_AVP_LEN;
	struct rd value = rd_sub(body, len - L2TP_AVP_HDR_LEN);

	if (!rd_ok(&value))
		return WHY_AVP_LEN;
	avp->value = rd_rest(&value);
	avp->whole = bytes_of(rest.p, len);
	return WHY_OK;
}

/*
 * The key stream of section 4.3.  Block 1 is MD5(attribute type, secret, random
 * vector), each later one MD5(secret, the cipher text of the block before).
 */
static void first_block(uint16_t type, struct bytes secret, struct bytes random_vector, uint8_t key[BLOCK])
{
	uint8_t number[2] = { (uint8_t)(type >> 8), (uint8_t)type };
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, sizeof(number), number);
	md5_update(&md5, secret.len, secret.p);
	md5_update(&md5, random_vector.len, random_vector.p);
	md5_digest(&md5, BLOCK, key);
}

static void next_block(struct bytes secret, const uint8_t cipher[BLOCK], uint8_t key[BLOCK])
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, secret.len, secret.p);
	md5_update(&md5, BLOCK, cipher);
	md5_digest(&md5, BLOCK, key);
}

enum why l2tp_avp_unhide(const struct l2tp_avp *avp, struct bytes secret, struct bytes random_vector,
			 struct wr *scratch, struct bytes *value)
{
	uint8_t key[BLOCK];
	uint32_t len = avp->value.len;

	if (secret.len == 0 || random_vector.len == 0)
		return WHY_AVP_HIDDEN;
	uint8_t *clear = wr_take(scratch, len);

	if (!clear || len < 2)
		return WHY_AVP_HIDDEN_LEN;
	first_block(avp->type, secret, random_vector, key);
	for (uint32_t at = 0; at < len; at++) {
		if (at > 0 && at % BLOCK == 0)
			next_block(secret, avp->value.p + at - BLOCK, key);
		clear[at] = avp->value.p[at] ^ key[at % BLOCK];
	}
	uint32_t original = (uint32_t)clear[0] << 8 | clear[1];

	if (original > len - 2)
		return WHY_AVP_HIDDEN_LEN;
	*value = bytes_of(clear + 2, original);
	return WHY_OK;
}

size_t l2tp_avp_begin(struct wr *w, bool mandatory, uint16_t vendor, uint16_t type)
{
	size_t mark = wr_len(w);

	wr_u16(w, mandatory ? FLAG_MANDATORY : 0);
	wr_u16(w, vendor);
	wr_u16(w, type);
	return mark;
}

/* Put the length beside the flags that are there. */
static void set_length(struct wr *w, size_t mark, uint16_t more_flags)
{
	size_t len = wr_len(w) - mark;

	if (len > L2TP_AVP_LEN_MAX)
		w->bad = true;
	if (!wr_ok(w))
		return;
	uint16_t flags = (uint16_t)(w->start[mark] << 8 & FLAG_MANDATORY);

	wr_patch_u16(w, mark, (uint16_t)(flags | more_flags | len));
}

void l2tp_avp_end(struct wr *w, size_t mark)
{
	set_length(w, mark, 0);
}

void l2tp_avp_end_hidden(struct wr *w, size_t mark, struct bytes secret, struct bytes random_vector,
			 unsigned padding)
{
	ASSERT(secret.len > 0 && random_vector.len > 0);
	size_t original = wr_ok(w) ? wr_len(w) - mark - L2TP_AVP_HDR_LEN : 0;
	uint8_t key[BLOCK];

	/* Make room for the Original Length and the padding, then move the value behind the former. */
	uint8_t *tail = wr_take(w, 2 + (size_t)padding);

	if (!tail)
		return;
	uint8_t *value = w->start + mark + L2TP_AVP_HDR_LEN;
	size_t len = original + 2 + padding;

	memmove(value + 2, value, original);
	memset(value + 2 + original, 0, padding);
	value[0] = (uint8_t)(original >> 8);
	value[1] = (uint8_t)original;

	first_block((uint16_t)(w->start[mark + AT_TYPE] << 8 | w->start[mark + AT_TYPE + 1]), secret,
		    random_vector, key);
	for (size_t at = 0; at < len; at++) {
		if (at > 0 && at % BLOCK == 0)
			next_block(secret, value + at - BLOCK, key);
		value[at] ^= key[at % BLOCK];
	}
	set_length(w, mark, FLAG_HIDDEN);
}

void l2tp_avp_put(struct wr *w, bool mandatory, uint16_t vendor, uint16_t type, struct bytes value)
{
	size_t mark = l2tp_avp_begin(w, mandatory, vendor, type);

	wr_bytes(w, value);
	l2tp_avp_end(w, mark);
}
