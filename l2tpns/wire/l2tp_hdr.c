/* l2tp_hdr.c -- one decoder for both kinds of header, and the two headers we write. */
#include "l2tpns/wire/l2tp_hdr.h"

enum hdr_flag {			/* RFC 2661 3.1; the other bits are reserved and ignored on reception */
	FLAG_TYPE = 0x8000, FLAG_LENGTH = 0x4000, FLAG_SEQUENCE = 0x0800, FLAG_OFFSET = 0x0200,
	FLAG_PRIORITY = 0x0100, MASK_VERSION = 0x000f
};

#define VERSION_2		2
#define CONTROL_MUST		(FLAG_TYPE | FLAG_LENGTH | FLAG_SEQUENCE)
#define CONTROL_MUST_NOT	(FLAG_OFFSET | FLAG_PRIORITY)
#define AT_LENGTH		2	/* offset of the Length field when it is there */
#define AT_NR			10	/* offset of Nr in a control header */

/* Octets of the header that the flags promise, without offset padding. */
static uint32_t header_len(uint16_t flags)
{
	return 6u + (flags & FLAG_LENGTH ? 2 : 0) + (flags & FLAG_SEQUENCE ? 4 : 0) +
	       (flags & FLAG_OFFSET ? 2 : 0);
}

/*
 * The Length field rules: what follows it in the datagram is padding of a lower
 * layer.  Without the field the message ends where the datagram ends.
 */
static enum why length_decode(struct rd *r, uint16_t flags, uint32_t datagram_len)
{
	if (!(flags & FLAG_LENGTH))
		return WHY_OK;
	uint16_t length = rd_u16(r);

	if (length > datagram_len || length < header_len(flags))
		return WHY_HDR_LEN;
	r->end -= datagram_len - length;
	return WHY_OK;
}

static enum why offset_decode(struct rd *r, uint16_t flags)
{
	if (flags & FLAG_OFFSET) {
		uint16_t padding = rd_u16(r);

		(void)rd_take(r, padding);
	}
	return rd_ok(r) ? WHY_OK : WHY_HDR_OFFSET;
}

enum why l2tp_hdr_decode(struct bytes packet, struct l2tp_hdr *hdr)
{
	struct rd r = rd_bytes(packet);
	uint16_t flags = rd_u16(&r);

	*hdr = (struct l2tp_hdr){ .control = flags & FLAG_TYPE, .priority = flags & FLAG_PRIORITY,
				  .sequenced = flags & FLAG_SEQUENCE };
	if (packet.len < 6)
		return WHY_SHORT;
	if ((flags & MASK_VERSION) != VERSION_2)
		return WHY_VERSION;
	if (hdr->control && ((flags & CONTROL_MUST) != CONTROL_MUST || (flags & CONTROL_MUST_NOT)))
		return WHY_HDR_FLAGS;
	if (packet.len < header_len(flags))
		return WHY_SHORT;

	enum why why = length_decode(&r, flags, packet.len);

	if (why != WHY_OK)
		return why;
	hdr->tunnel_id = rd_u16(&r);
	hdr->session_id = rd_u16(&r);
	if (hdr->sequenced) {
		hdr->ns = rd_u16(&r);
		hdr->nr = rd_u16(&r);
	}
	why = offset_decode(&r, flags);
	hdr->body = rd_rest(&r);
	return why;
}

void l2tp_control_begin(struct wr *w, uint16_t tunnel_id, uint16_t session_id, uint16_t ns, uint16_t nr)
{
	wr_u16(w, CONTROL_MUST | VERSION_2);
	wr_u16(w, L2TP_HDR_CONTROL_LEN);
	wr_u16(w, tunnel_id);
	wr_u16(w, session_id);
	wr_u16(w, ns);
	wr_u16(w, nr);
}

void l2tp_control_end(struct wr *w)
{
	if (wr_len(w) > UINT16_MAX)
		w->bad = true;
	wr_patch_u16(w, AT_LENGTH, (uint16_t)wr_len(w));
}

void l2tp_control_set_nr(uint8_t *packet, uint16_t nr)
{
	packet[AT_NR] = (uint8_t)(nr >> 8);
	packet[AT_NR + 1] = (uint8_t)nr;
}

void l2tp_data_begin(struct wr *w, uint16_t tunnel_id, uint16_t session_id)
{
	wr_u16(w, VERSION_2);
	wr_u16(w, tunnel_id);
	wr_u16(w, session_id);
}
