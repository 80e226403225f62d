/* ppp.c -- PPP frames, control packets and options: RFC 1661 sections 2, 5 and 6, RFC 1662 section 3.1. */
#include "l2tpns/wire/ppp.h"

#define ADDRESS_CONTROL	0xff03		/* All-Stations, Unnumbered Information */

enum why ppp_frame_decode(struct bytes octets, struct ppp_frame *frame)
{
	struct rd r = rd_bytes(octets);

	*frame = (struct ppp_frame){ 0 };
	if (octets.len >= 2 && (octets.p[0] << 8 | octets.p[1]) == ADDRESS_CONTROL)
		(void)rd_u16(&r);

	/* RFC 1661 section 2: the first octet of two is even, the last octet is odd. */
	frame->proto = rd_u8(&r);
	if ((frame->proto & 1) == 0)
		frame->proto = (uint16_t)(frame->proto << 8 | rd_u8(&r));
	if (!rd_ok(&r) || (frame->proto & 1) == 0)
		return WHY_PPP_PROTO;
	frame->body = rd_rest(&r);
	return WHY_OK;
}

void ppp_frame_begin(struct wr *w, uint16_t proto, bool acfc, bool pfc)
{
	/* RFC 1661 sections 6.5 and 6.6: LCP itself is never compressed. */
	bool lcp = proto == PPP_LCP;

	if (!acfc || lcp)
		wr_u16(w, ADDRESS_CONTROL);
	if (pfc && !lcp && proto < 0x100)
		wr_u8(w, (uint8_t)proto);
	else
		wr_u16(w, proto);
}

enum why ppp_cp_decode(struct bytes octets, struct ppp_cp *cp)
{
	struct rd r = rd_bytes(octets);

	cp->code = rd_u8(&r);
	cp->id = rd_u8(&r);
	uint16_t len = rd_u16(&r);
	struct rd data = rd_sub(&r, len >= 4 ? len - 4u : SIZE_MAX);

	if (!rd_ok(&r)) {
		cp->data = (struct bytes){ 0 };
		return WHY_PPP_LEN;
	}
	cp->data = rd_rest(&data);
	return WHY_OK;
}

size_t ppp_cp_begin(struct wr *w, uint8_t code, uint8_t id)
{
	size_t mark = wr_len(w);

	wr_u8(w, code);
	wr_u8(w, id);
	wr_u16(w, 0);
	return mark;
}

void ppp_cp_end(struct wr *w, size_t mark)
{
	size_t len = wr_len(w) - mark;

	if (len > UINT16_MAX)
		w->bad = true;
	wr_patch_u16(w, mark + 2, (uint16_t)len);
}

enum why ppp_opt_next(struct rd *options, struct ppp_opt *opt)
{
	opt->type = rd_u8(options);
	uint8_t len = rd_u8(options);
	struct rd value = rd_sub(options, len >= 2 ? len - 2u : SIZE_MAX);

	if (!rd_ok(options)) {
		opt->value = (struct bytes){ 0 };
		return WHY_PPP_OPTION_LEN;
	}
	opt->value = rd_rest(&value);
	return WHY_OK;
}

void ppp_opt_put(struct wr *w, uint8_t type, struct bytes value)
{
	if (value.len > UINT8_MAX - 2) {
		w->bad = true;
		return;
	}
	wr_u8(w, type);
	wr_u8(w, (uint8_t)(value.len + 2));
	wr_bytes(w, value);
}

static const struct proto_row {
	uint16_t	 proto;
	const char	*name;
} proto_row[] = {
	{ PPP_IP,	"IP" },
	{ PPP_IPV6,	"IPv6" },
	{ PPP_MP,	"MP" },
	{ PPP_IPCP,	"IPCP" },
	{ PPP_IPV6CP,	"IPV6CP" },
	{ PPP_CCP,	"CCP" },
	{ PPP_LCP,	"LCP" },
	{ PPP_PAP,	"PAP" },
	{ PPP_LQR,	"LQR" },
	{ PPP_CHAP,	"CHAP" },
	{ PPP_EAP,	"EAP" },
};

const char *ppp_proto_name(uint16_t proto)
{
	for (size_t i = 0; i < ARRAY_LEN(proto_row); i++)
		if (proto_row[i].proto == proto)
			return proto_row[i].name;
	return "unknown";
}

static const char *const code_name[CP_CODES] = {
	[CP_CONFREQ]		= "Configure-Request",
	[CP_CONFACK]		= "Configure-Ack",
	[CP_CONFNAK]		= "Configure-Nak",
	[CP_CONFREJ]		= "Configure-Reject",
	[CP_TERMREQ]		= "Terminate-Request",
	[CP_TERMACK]		= "Terminate-Ack",
	[CP_CODEREJ]		= "Code-Reject",
	[CP_PROTOREJ]		= "Protocol-Reject",
	[CP_ECHOREQ]		= "Echo-Request",
	[CP_ECHOREP]		= "Echo-Reply",
	[CP_DISCARD]		= "Discard-Request",
	[CP_IDENTIFICATION]	= "Identification",
	[CP_TIME_REMAINING]	= "Time-Remaining",
};

const char *ppp_code_name(uint8_t code)
{
	return code < CP_CODES && code_name[code] ? code_name[code] : "unknown";
}
