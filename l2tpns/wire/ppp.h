/*
 * ppp.h -- PPP frames inside L2TP and control packets inside frames.  RFC 1661 sections 2, 5, 6.
 *
 * Pure codec.  Reception takes every form a LAC may pass on: with or without
 * address and control (FF 03), protocol field of one or two octets.
 */
#ifndef WIRE_PPP_H
#define WIRE_PPP_H

#include "l2tpns/base/rd.h"
#include "l2tpns/base/why.h"
#include "l2tpns/base/wr.h"

enum ppp_proto {
	PPP_IP = 0x0021, PPP_IPV6 = 0x0057, PPP_MP = 0x003d, PPP_IPCP = 0x8021, PPP_IPV6CP = 0x8057,
	PPP_CCP = 0x80fd, PPP_LCP = 0xc021, PPP_PAP = 0xc023, PPP_LQR = 0xc025, PPP_CHAP = 0xc223,
	PPP_EAP = 0xc227
};

enum ppp_code {				/* RFC 1661 section 5; codes 1..7 are shared by the NCPs */
	CP_CONFREQ = 1, CP_CONFACK, CP_CONFNAK, CP_CONFREJ, CP_TERMREQ, CP_TERMACK, CP_CODEREJ,
	CP_PROTOREJ, CP_ECHOREQ, CP_ECHOREP, CP_DISCARD, CP_IDENTIFICATION, CP_TIME_REMAINING, CP_CODES
};

#define PPP_MRU_MIN	64
#define PPP_MRU_DEFAULT	1500

struct ppp_frame {
	uint16_t	proto;
	struct bytes	body;		/* a loan of what follows the protocol field */
};

MUST_USE enum why ppp_frame_decode(struct bytes octets, struct ppp_frame *frame);

/* FF 03 unless acfc; one octet of protocol if pfc and it fits (never for LCP: RFC 1661 6.5). */
void ppp_frame_begin(struct wr *w, uint16_t proto, bool acfc, bool pfc);

struct ppp_cp {
	uint8_t		code, id;
	struct bytes	data;		/* after the length field; padding is cut off */
};

MUST_USE enum why ppp_cp_decode(struct bytes octets, struct ppp_cp *cp);
size_t ppp_cp_begin(struct wr *w, uint8_t code, uint8_t id);	/* returns the mark for ppp_cp_end */
void ppp_cp_end(struct wr *w, size_t mark);

/* Options of a Configure packet, one at a time: type, length, value. */
struct ppp_opt {
	uint8_t		type;
	struct bytes	value;
};

/* WHY_OK and *opt, or WHY_PPP_OPTION_LEN; call while rd_left(options) > 0. */
MUST_USE enum why ppp_opt_next(struct rd *options, struct ppp_opt *opt);
void ppp_opt_put(struct wr *w, uint8_t type, struct bytes value);

const char *ppp_proto_name(uint16_t proto);
const char *ppp_code_name(uint8_t code);

#endif
