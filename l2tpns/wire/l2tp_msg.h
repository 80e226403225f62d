/*
 * l2tp_msg.h -- L2TP control messages and their AVPs as rows.  RFC 2661 sections 4.4 and 6, RFC 5515.
 *
 * Pure codec: octets in, struct l2tp_msg out, or the reason it was refused.
 * Every AVP of RFC 2661 4.4 is one row with its shape, limits, the messages that
 * may carry it and whether it may be hidden (4.3).  Unknown and foreign-vendor
 * AVPs without M are skipped; with M they refuse the message.  RFC 5515
 * access-line AVPs (vendor 3561) are kept as one loan of their raw octets.
 * Loans point into the packet, or into `scratch` for what had to be unhidden.
 */
#ifndef WIRE_L2TP_MSG_H
#define WIRE_L2TP_MSG_H

#include "l2tpns/base/rd.h"
#include "l2tpns/base/why.h"
#include "l2tpns/base/wr.h"

enum l2tp_type {			/* RFC 2661 section 3.2 */
	L2TP_SCCRQ = 1, L2TP_SCCRP = 2, L2TP_SCCCN = 3, L2TP_STOPCCN = 4, L2TP_HELLO = 6,
	L2TP_OCRQ = 7, L2TP_OCRP = 8, L2TP_OCCN = 9, L2TP_ICRQ = 10, L2TP_ICRP = 11, L2TP_ICCN = 12,
	L2TP_CDN = 14, L2TP_WEN = 15, L2TP_SLI = 16, L2TP_TYPES
};

enum avp {				/* RFC 2661 section 4.4, attribute types */
	AVP_MESSAGE_TYPE = 0, AVP_RESULT_CODE = 1, AVP_PROTOCOL_VERSION = 2, AVP_FRAMING_CAPABILITIES = 3,
	AVP_BEARER_CAPABILITIES = 4, AVP_TIE_BREAKER = 5, AVP_FIRMWARE_REVISION = 6, AVP_HOST_NAME = 7,
	AVP_VENDOR_NAME = 8, AVP_ASSIGNED_TUNNEL_ID = 9, AVP_RECEIVE_WINDOW_SIZE = 10, AVP_CHALLENGE = 11,
	AVP_CAUSE_CODE = 12, AVP_CHALLENGE_RESPONSE = 13, AVP_ASSIGNED_SESSION_ID = 14,
	AVP_CALL_SERIAL_NUMBER = 15, AVP_MINIMUM_BPS = 16, AVP_MAXIMUM_BPS = 17, AVP_BEARER_TYPE = 18,
	AVP_FRAMING_TYPE = 19, AVP_CALLED_NUMBER = 21, AVP_CALLING_NUMBER = 22, AVP_SUB_ADDRESS = 23,
	AVP_TX_CONNECT_SPEED = 24, AVP_PHYSICAL_CHANNEL_ID = 25, AVP_INITIAL_RECEIVED_LCP_CONFREQ = 26,
	AVP_LAST_SENT_LCP_CONFREQ = 27, AVP_LAST_RECEIVED_LCP_CONFREQ = 28, AVP_PROXY_AUTHEN_TYPE = 29,
	AVP_PROXY_AUTHEN_NAME = 30, AVP_PROXY_AUTHEN_CHALLENGE = 31, AVP_PROXY_AUTHEN_ID = 32,
	AVP_PROXY_AUTHEN_RESPONSE = 33, AVP_CALL_ERRORS = 34, AVP_ACCM = 35, AVP_RANDOM_VECTOR = 36,
	AVP_PRIVATE_GROUP_ID = 37, AVP_RX_CONNECT_SPEED = 38, AVP_SEQUENCING_REQUIRED = 39,
	AVP_DISCONNECT_CAUSE = 46,	/* RFC 3145 */
	AVPS = 47
};

#define AVP_BIT(type)	(UINT64_C(1) << (type))

struct l2tp_msg {
	uint64_t	present;		/* AVP_BIT of each attribute decoded or to be encoded */
	uint16_t	type;			/* enum l2tp_type */
	/* Result Code (4.4.2): error 0 and an empty message when not sent */
	uint16_t	result, error;
	struct bytes	error_message;
	uint16_t	protocol_version;	/* version << 8 | revision */
	uint32_t	framing_caps, bearer_caps;
	uint64_t	tie_breaker;
	uint16_t	firmware;
	struct bytes	host_name, vendor_name;
	uint16_t	assigned_tid;
	uint16_t	window;
	struct bytes	challenge, challenge_response;	/* the response is 16 octets */
	struct bytes	cause_code;		/* Q.931 cause: raw (4.4.2) */
	uint16_t	assigned_sid;
	uint32_t	call_serial;
	uint32_t	minimum_bps, maximum_bps, bearer_type, framing_type;
	struct bytes	called, calling, sub_address;
	uint32_t	tx_bps, rx_bps;
	uint32_t	physical_channel;
	struct bytes	initial_lcp, last_sent_lcp, last_received_lcp;
	uint16_t	proxy_type;		/* 4.4.5: 1 text, 2 CHAP, 3 PAP, 4 none, 5 MS-CHAPv1 */
	struct bytes	proxy_name, proxy_challenge, proxy_response;
	uint8_t		proxy_id;
	struct bytes	call_errors;		/* 26 octets */
	uint32_t	accm_send, accm_receive;
	struct bytes	private_group;
	/* RFC 3145 PPP Disconnect Cause Code */
	uint16_t	disconnect_code, disconnect_protocol;
	uint8_t		disconnect_direction;
	struct bytes	disconnect_message;
	struct bytes	access_line[32];	/* RFC 5515: each a whole AVP, header included, type < 256 */
	uint8_t		access_lines;
	enum avp	culprit;		/* on refusal: the attribute to blame, AVPS when none */
};

#define L2TP_SCRATCH_LEN	2048		/* room for every unhidden value of one message */

/* `secret` may be empty: hidden AVPs then refuse the message. */
MUST_USE enum why l2tp_msg_decode(struct bytes body, struct bytes secret, uint8_t scratch[L2TP_SCRATCH_LEN],
				  struct l2tp_msg *msg);

/* Writes the AVPs named in msg->present, Message Type first, then msg->access_line.  The writer turns bad
 * when they do not fit or a value is outside its row's limits; naming an AVP its message may not carry
 * is our own fault. */
void l2tp_msg_encode(const struct l2tp_msg *msg, struct wr *w);

/* The same with a Random Vector AVP, and every AVP that may be hidden (4.3) hidden.  An empty vector
 * hides nothing. */
void l2tp_msg_encode_hidden(const struct l2tp_msg *msg, struct bytes secret, struct bytes random_vector,
			    struct wr *w);

const char *l2tp_type_name(uint16_t type);	/* "SCCRQ", or "unknown" */
const char *avp_name(uint16_t type);		/* "Host-Name", or "unknown" */

/* RFC 2661 4.2 and 4.4.3: MD5(id || secret || challenge); id is the type of the message that carries
 * the response. */
void l2tp_challenge_response(uint8_t id, struct bytes secret, struct bytes challenge, uint8_t out[16]);

#endif
