/*
 * l2tp_avp.h -- framing and hiding of L2TP attribute value pairs.  RFC 2661 sections 4.1 to 4.3.
 *
 * Pure codec.  Knows how an AVP is wrapped, nothing of what it means: that is
 * l2tp_msg.h.  Values are loans of the message.
 */
#ifndef WIRE_L2TP_AVP_H
#define WIRE_L2TP_AVP_H

#include "l2tpns/base/rd.h"
#include "l2tpns/base/why.h"
#include "l2tpns/base/wr.h"

#define L2TP_AVP_HDR_LEN	6
#define L2TP_AVP_LEN_MAX	1023	/* the Length field has 10 bits */
#define L2TP_AVP_VALUE_MAX	(L2TP_AVP_LEN_MAX - L2TP_AVP_HDR_LEN)
#define L2TP_HIDDEN_VALUE_MAX	(L2TP_AVP_VALUE_MAX - 2)	/* the Original Length takes two octets */

enum l2tp_vendor {
	VENDOR_IETF = 0,
	VENDOR_ADSL_FORUM = 3561	/* RFC 5515 section 5: access line AVPs */
};

struct l2tp_avp {
	bool		mandatory;	/* M */
	bool		hidden;		/* H */
	bool		reserved;	/* a reserved bit is set: 4.1 wants the AVP treated as unrecognized */
	uint16_t	vendor;
	uint16_t	type;
	struct bytes	value;
	struct bytes	whole;		/* the AVP with its header */
};

/* Read one AVP; call while rd_left(body) > 0.  WHY_AVP_LEN when its length is impossible. */
MUST_USE enum why l2tp_avp_next(struct rd *body, struct l2tp_avp *avp);

/*
 * Open a hidden value (4.3).  The clear text is written into `scratch`, its last
 * octets are padding; *value is a loan of the original value there.
 * WHY_AVP_HIDDEN without secret or random vector; WHY_AVP_HIDDEN_LEN when the
 * original length does not fit, which is what a wrong secret looks like.
 */
MUST_USE enum why l2tp_avp_unhide(const struct l2tp_avp *avp, struct bytes secret, struct bytes random_vector,
				  struct wr *scratch, struct bytes *value);

void l2tp_avp_put(struct wr *w, bool mandatory, uint16_t vendor, uint16_t type, struct bytes value);

/* An AVP whose value the caller writes after it: begin returns the mark that end wants. */
size_t l2tp_avp_begin(struct wr *w, bool mandatory, uint16_t vendor, uint16_t type);
void l2tp_avp_end(struct wr *w, size_t mark);

/*
 * Hide the AVP that was begun at `mark` and whose value is complete, in place of
 * l2tp_avp_end().  The Random Vector AVP must stand before it in the message.
 * `padding` octets of zero are appended to veil the length.
 */
void l2tp_avp_end_hidden(struct wr *w, size_t mark, struct bytes secret, struct bytes random_vector,
			 unsigned padding);

#endif
