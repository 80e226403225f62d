/* l2tp_msg.c -- the rows of RFC 2661 4.4, and the two walks over them: decode and encode. */
#include <nettle/md5.h>

#include "l2tpns/wire/l2tp_avp.h"
#include "l2tpns/wire/l2tp_msg.h"

enum shape {
	U16, U32, U64, BYTES,
	EMPTY,			/* the presence says it all */
	SPEED,			/* 4 octets, or decimal digits as the AS5300 sends them */
	RESULT,			/* result, and optionally error, and optionally a message */
	LOW_OCTET,		/* a reserved octet, then the value */
	MAPS,			/* two reserved octets, send ACCM, receive ACCM */
	DISCONNECT,		/* RFC 3145 section 2 */
	RANDOM			/* kept by the decoder, for the hidden AVPs behind it */
};

enum row_flag {
	M = 1,			/* 4.1: we set the mandatory bit, as 4.4 demands of this attribute */
	H = 2,			/* 4.3: may be hidden */
	OWN = 4			/* makes no sense in any message but its own: refused there, not skipped */
};

struct avp_row {
	const char	*name;
	uint8_t		 shape;
	uint8_t		 flags;
	uint16_t	 min, max;	/* of the value when not hidden, octets */
	uint32_t	 where;		/* IN() of the messages that may carry it */
	uint16_t	 at;		/* offset in struct l2tp_msg */
};

#define IN(message)	(1u << L2TP_##message)
#define SETUP		(IN(SCCRQ) | IN(SCCRP))
#define REPLY		(IN(SCCRP) | IN(SCCCN))
#define TUNNEL		(SETUP | IN(STOPCCN))
#define CALL		(IN(ICRQ) | IN(OCRQ))
#define CALLED		(CALL | IN(ICRP) | IN(OCRP) | IN(CDN))
#define CHANNEL		(IN(ICRQ) | IN(OCRP))
#define CONNECTED	(IN(ICCN) | IN(OCCN))
#define FRAMED		(CONNECTED | IN(OCRQ))
#define ENDED		(IN(STOPCCN) | IN(CDN))
#define ANY		0xffffffffu
#define LONG		L2TP_AVP_VALUE_MAX

#define ROW(type, words, form, lo, hi, bits, messages, field) \
	[AVP_##type] = { words, form, bits, lo, hi, messages, offsetof(struct l2tp_msg, field) }

/*
 * RFC 2661 section 4.4.  A known attribute in a message that has no use for it is
 * skipped, mandatory or not: M asks whether it is recognized (4.1), and real LACs
 * are generous with bearer types and numbers.  The exceptions are marked OWN: a
 * Result Code would turn a request into its own refusal, and ignoring Sequencing
 * Required would break what the LAC insists on.
 */
static const struct avp_row rows[AVPS] = {
ROW(MESSAGE_TYPE,	  "Message-Type",	  U16,	   2, 2,    M,	   ANY,	     type),
ROW(RESULT_CODE,	  "Result-Code",	  RESULT,  2, LONG, M|OWN, ENDED,    result),
ROW(PROTOCOL_VERSION,	  "Protocol-Version",	  U16,	   2, 2,    M,	   SETUP,    protocol_version),
ROW(FRAMING_CAPABILITIES, "Framing-Capabilities", U32,	   4, 4,    M|H,   SETUP,    framing_caps),
ROW(BEARER_CAPABILITIES,  "Bearer-Capabilities",  U32,	   4, 4,    M|H,   SETUP,    bearer_caps),
ROW(TIE_BREAKER,	  "Tie-Breaker",	  U64,	   8, 8,    0,	   IN(SCCRQ), tie_breaker),
ROW(FIRMWARE_REVISION,	  "Firmware-Revision",	  U16,	   2, 2,    H,	   SETUP,    firmware),
ROW(HOST_NAME,		  "Host-Name",		  BYTES,   1, LONG, M,	   SETUP,    host_name),
ROW(VENDOR_NAME,	  "Vendor-Name",	  BYTES,   0, LONG, H,	   SETUP,    vendor_name),
ROW(ASSIGNED_TUNNEL_ID,	  "Assigned-Tunnel-Id",	  U16,	   2, 2,    M|H,   TUNNEL,   assigned_tid),
ROW(RECEIVE_WINDOW_SIZE,  "Receive-Window-Size",  U16,	   2, 2,    M,	   SETUP,    window),
ROW(CHALLENGE,		  "Challenge",		  BYTES,   1, LONG, M|H,   SETUP,    challenge),
ROW(CAUSE_CODE,		  "Q.931-Cause-Code",	  BYTES,   3, LONG, M,	   IN(CDN),  cause_code),
ROW(CHALLENGE_RESPONSE,	  "Challenge-Response",	  BYTES,   16, 16,  M|H,   REPLY,    challenge_response),
ROW(ASSIGNED_SESSION_ID,  "Assigned-Session-Id",  U16,	   2, 2,    M|H,   CALLED,   assigned_sid),
ROW(CALL_SERIAL_NUMBER,	  "Call-Serial-Number",	  U32,	   4, 4,    M|H,   CALL,     call_serial),
ROW(MINIMUM_BPS,	  "Minimum-BPS",	  U32,	   4, 4,    M|H,   IN(OCRQ), minimum_bps),
ROW(MAXIMUM_BPS,	  "Maximum-BPS",	  U32,	   4, 4,    M|H,   IN(OCRQ), maximum_bps),
ROW(BEARER_TYPE,	  "Bearer-Type",	  U32,	   4, 4,    M|H,   CALL,     bearer_type),
ROW(FRAMING_TYPE,	  "Framing-Type",	  U32,	   4, 4,    M|H,   FRAMED,   framing_type),
ROW(CALLED_NUMBER,	  "Called-Number",	  BYTES,   0, LONG, M|H,   CALL,     called),
ROW(CALLING_NUMBER,	  "Calling-Number",	  BYTES,   0, LONG, M|H,   IN(ICRQ), calling),
ROW(SUB_ADDRESS,	  "Sub-Address",	  BYTES,   0, LONG, M|H,   CALL,     sub_address),
ROW(TX_CONNECT_SPEED,	  "Tx-Connect-Speed",	  SPEED,   1, 20,   M|H,   CONNECTED, tx_bps),
ROW(PHYSICAL_CHANNEL_ID,  "Physical-Channel-Id",  U32,	   4, 4,    H,	   CHANNEL,  physical_channel),
ROW(INITIAL_RECEIVED_LCP_CONFREQ, "Initial-Received-LCP-CONFREQ", BYTES, 0, LONG, H, IN(ICCN), initial_lcp),
ROW(LAST_SENT_LCP_CONFREQ, "Last-Sent-LCP-CONFREQ", BYTES, 0, LONG, H,	   IN(ICCN), last_sent_lcp),
ROW(LAST_RECEIVED_LCP_CONFREQ, "Last-Received-LCP-CONFREQ", BYTES, 0, LONG, H, IN(ICCN), last_received_lcp),
ROW(PROXY_AUTHEN_TYPE,	  "Proxy-Authen-Type",	  U16,	   2, 2,    H,	   IN(ICCN), proxy_type),
ROW(PROXY_AUTHEN_NAME,	  "Proxy-Authen-Name",	  BYTES,   0, LONG, H,	   IN(ICCN), proxy_name),
ROW(PROXY_AUTHEN_CHALLENGE, "Proxy-Authen-Challenge", BYTES, 0, LONG, H,   IN(ICCN), proxy_challenge),
ROW(PROXY_AUTHEN_ID,	  "Proxy-Authen-Id",	  LOW_OCTET, 2, 2,  H,	   IN(ICCN), proxy_id),
ROW(PROXY_AUTHEN_RESPONSE, "Proxy-Authen-Response", BYTES, 0, LONG, H,	   IN(ICCN), proxy_response),
ROW(CALL_ERRORS,	  "Call-Errors",	  BYTES,   26, 26,  M|H,   IN(WEN),  call_errors),
ROW(ACCM,		  "ACCM",		  MAPS,	   10, 10,  M|H,   IN(SLI),  accm_send),
ROW(RANDOM_VECTOR,	  "Random-Vector",	  RANDOM,  1, LONG, M,	   ANY,	     present),
ROW(PRIVATE_GROUP_ID,	  "Private-Group-Id",	  BYTES,   0, LONG, H,	   IN(ICCN), private_group),
ROW(RX_CONNECT_SPEED,	  "Rx-Connect-Speed",	  SPEED,   1, 20,   H,	   CONNECTED, rx_bps),
ROW(SEQUENCING_REQUIRED,  "Sequencing-Required",  EMPTY,   0, 0,    M|OWN, CONNECTED, present),
ROW(DISCONNECT_CAUSE,	  "PPP-Disconnect-Cause-Code", DISCONNECT, 5, LONG, H, IN(CDN), disconnect_code),
};
_Static_assert(AVPS <= 64, "present is one word");

#define NEED(type)	AVP_BIT(AVP_##type)
#define NEED_SETUP	(NEED(PROTOCOL_VERSION) | NEED(FRAMING_CAPABILITIES) | NEED(HOST_NAME) | \
			 NEED(ASSIGNED_TUNNEL_ID))
#define NEED_CALL	(NEED(ASSIGNED_SESSION_ID) | NEED(CALL_SERIAL_NUMBER))

/*
 * RFC 2661 section 6: each message, and what must be in it beside the Message
 * Type.  StopCCN and CDN are taken without any of theirs: they end what their
 * header names, and to refuse an end would only keep it alive.
 */
static const struct { const char *name; uint64_t required; } messages[L2TP_TYPES] = {
	[L2TP_SCCRQ]   = { "SCCRQ",   NEED_SETUP },
	[L2TP_SCCRP]   = { "SCCRP",   NEED_SETUP },
	[L2TP_SCCCN]   = { "SCCCN",   0 },
	[L2TP_STOPCCN] = { "StopCCN", 0 },
	[L2TP_HELLO]   = { "HELLO",   0 },
	[L2TP_OCRQ]    = { "OCRQ",    NEED_CALL | NEED(MINIMUM_BPS) | NEED(MAXIMUM_BPS) | NEED(BEARER_TYPE) |
				      NEED(FRAMING_TYPE) | NEED(CALLED_NUMBER) },
	[L2TP_OCRP]    = { "OCRP",    NEED(ASSIGNED_SESSION_ID) },
	[L2TP_OCCN]    = { "OCCN",    NEED(TX_CONNECT_SPEED) | NEED(FRAMING_TYPE) },
	[L2TP_ICRQ]    = { "ICRQ",    NEED_CALL },
	[L2TP_ICRP]    = { "ICRP",    NEED(ASSIGNED_SESSION_ID) },
	[L2TP_ICCN]    = { "ICCN",    NEED(TX_CONNECT_SPEED) | NEED(FRAMING_TYPE) },
	[L2TP_CDN]     = { "CDN",     0 },
	[L2TP_WEN]     = { "WEN",     NEED(CALL_ERRORS) },
	[L2TP_SLI]     = { "SLI",     NEED(ACCM) },
};

const char *l2tp_type_name(uint16_t type)
{
	return type < L2TP_TYPES && messages[type].name ? messages[type].name : "unknown";
}

const char *avp_name(uint16_t type)
{
	return type < AVPS && rows[type].name ? rows[type].name : "unknown";
}

/* What decoding one message carries along. */
struct decoder {
	struct l2tp_msg	*msg;
	struct bytes	 secret;
	struct bytes	 random_vector;		/* the one last seen: 4.3 uses the closest before */
	struct wr	 scratch;
};

/* Digits as a number, the largest there is when it does not fit; false when anything else is there. */
static bool digits_value(struct bytes text, uint32_t *value)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(text.p[i] - '0');
		if (n > UINT32_MAX)
			n = UINT32_MAX;
	}
	*value = (uint32_t)n;
	return true;
}

static bool result_store(struct rd *value, struct l2tp_msg *msg)
{
	msg->result = rd_u16(value);
	if (rd_left(value) > 0)
		msg->error = rd_u16(value);
	msg->error_message = rd_rest(value);
	return rd_ok(value);
}

/* Put a value whose length suits its row into the message.  False: its content does not. */
static bool value_store(const struct avp_row *row, struct bytes octets, struct l2tp_msg *msg)
{
	void *at = (char *)msg + row->at;
	struct rd value = rd_bytes(octets);

	switch ((enum shape)row->shape) {
	case U16:	 *(uint16_t *)at = rd_u16(&value); break;
	case U32:	 *(uint32_t *)at = rd_u32(&value); break;
	case U64:	 *(uint64_t *)at = rd_u64(&value); break;
	case BYTES:	 *(struct bytes *)at = octets; break;
	case EMPTY:	 break;
	case RANDOM:	 break;
	case RESULT:	 return result_store(&value, msg);
	case LOW_OCTET:	 *(uint8_t *)at = (uint8_t)rd_u16(&value); break;
	case SPEED:
		if (octets.len != 4)
			return digits_value(octets, at);
		*(uint32_t *)at = rd_u32(&value);
		break;
	case MAPS:
		(void)rd_u16(&value);
		msg->accm_send = rd_u32(&value);
		msg->accm_receive = rd_u32(&value);
		break;
	case DISCONNECT:
		msg->disconnect_code = rd_u16(&value);
		msg->disconnect_protocol = rd_u16(&value);
		msg->disconnect_direction = rd_u8(&value);
		msg->disconnect_message = rd_rest(&value);
		break;
	}
	return rd_ok(&value);
}

/*
 * RFC 5515 access line AVPs are kept whole, for whoever reports them.  Their M bit
 * ought to be clear; one that is set is forgiven.  A hidden one is written out
 * again in clear, so that the keeper need not know.
 */
static enum why access_line_decode(struct decoder *d, const struct l2tp_avp *avp)
{
	struct l2tp_msg *msg = d->msg;
	struct bytes whole = avp->whole;

	if (msg->access_lines == ARRAY_LEN(msg->access_line))
		return WHY_OK;
	if (avp->hidden) {
		struct bytes value;
		enum why why = l2tp_avp_unhide(avp, d->secret, d->random_vector, &d->scratch, &value);

		if (why != WHY_OK)
			return why;
		size_t from = wr_len(&d->scratch);

		l2tp_avp_put(&d->scratch, false, avp->vendor, avp->type, value);
		if (!wr_ok(&d->scratch))
			return WHY_AVP_HIDDEN_LEN;
		whole = bytes_of(d->scratch.start + from, wr_len(&d->scratch) - from);
	}
	msg->access_line[msg->access_lines++] = whole;
	return WHY_OK;
}

/*
 * A value that does not suit its row refuses the message only if the sender called
 * it mandatory; an optional one is as if it had not been sent.
 */
static enum why known_decode(struct decoder *d, const struct l2tp_avp *avp, const struct avp_row *row)
{
	struct l2tp_msg *msg = d->msg;
	struct bytes value = avp->value;

	if ((msg->present & AVP_BIT(avp->type)) && row->shape != RANDOM)
		return WHY_AVP_PLACE;
	if (!(row->where & 1u << msg->type))
		return row->flags & OWN ? WHY_AVP_PLACE : WHY_OK;
	if (avp->hidden) {
		if (!(row->flags & H))
			return WHY_AVP_HIDDEN;
		enum why why = l2tp_avp_unhide(avp, d->secret, d->random_vector, &d->scratch, &value);

		if (why != WHY_OK)
			return why;
	}
	if (value.len < row->min || value.len > row->max || !value_store(row, value, msg))
		return avp->mandatory ? WHY_AVP_VALUE : WHY_OK;
	if (row->shape == RANDOM)
		d->random_vector = value;
	msg->present |= AVP_BIT(avp->type);
	return WHY_OK;
}

static enum why avp_decode(struct decoder *d, const struct l2tp_avp *avp)
{
	if (avp->reserved)
		return avp->mandatory ? WHY_AVP_RESERVED : WHY_OK;
	if (avp->vendor == VENDOR_ADSL_FORUM && avp->type < 256)
		return access_line_decode(d, avp);
	if (avp->vendor != VENDOR_IETF || avp->type >= AVPS || !rows[avp->type].name)
		return avp->mandatory ? WHY_AVP_UNKNOWN_M : WHY_OK;
	return known_decode(d, avp, &rows[avp->type]);
}

/* RFC 2661 4.4.1: the Message Type comes first, and its M bit says what to do with an unknown one. */
static enum why type_decode(struct rd *body, struct l2tp_msg *msg)
{
	struct l2tp_avp avp;
	enum why why = l2tp_avp_next(body, &avp);

	msg->culprit = AVP_MESSAGE_TYPE;
	if (why != WHY_OK)
		return why;
	if (avp.reserved || avp.hidden || avp.vendor != VENDOR_IETF || avp.type != AVP_MESSAGE_TYPE)
		return WHY_MSG_TYPE;
	if (avp.value.len != 2)
		return WHY_AVP_VALUE;
	msg->type = (uint16_t)(avp.value.p[0] << 8 | avp.value.p[1]);
	if (msg->type >= L2TP_TYPES || !messages[msg->type].name)
		return avp.mandatory ? WHY_MSG_TYPE : WHY_MSG_TYPE_SKIPPED;
	msg->present = AVP_BIT(AVP_MESSAGE_TYPE);
	return WHY_OK;
}

enum why l2tp_msg_decode(struct bytes octets, struct bytes secret, uint8_t scratch[L2TP_SCRATCH_LEN],
			 struct l2tp_msg *msg)
{
	struct decoder d = { .msg = msg, .secret = secret, .scratch = wr_of(scratch, L2TP_SCRATCH_LEN) };
	struct rd body = rd_bytes(octets);

	*msg = (struct l2tp_msg){ .culprit = AVPS };
	if (rd_left(&body) == 0)
		return WHY_SHORT;

	enum why why = type_decode(&body, msg);

	if (why != WHY_OK)
		return why;
	msg->culprit = AVPS;
	while (rd_left(&body) > 0) {
		struct l2tp_avp avp;

		why = l2tp_avp_next(&body, &avp);
		if (why == WHY_OK)
			why = avp_decode(&d, &avp);
		if (why != WHY_OK) {
			if (avp.vendor == VENDOR_IETF && avp.type < AVPS)
				msg->culprit = (enum avp)avp.type;
			return why;
		}
	}
	uint64_t missing = messages[msg->type].required & ~msg->present;

	if (!missing)
		return WHY_OK;
	msg->culprit = (enum avp)__builtin_ctzll(missing);
	return WHY_AVP_MISSING;
}

static void value_write(const struct avp_row *row, const struct l2tp_msg *msg, struct wr *w)
{
	const void *at = (const char *)msg + row->at;

	switch ((enum shape)row->shape) {
	case U16:	 wr_u16(w, *(const uint16_t *)at); break;
	case SPEED:
	case U32:	 wr_u32(w, *(const uint32_t *)at); break;
	case U64:	 wr_u64(w, *(const uint64_t *)at); break;
	case BYTES:	 wr_bytes(w, *(const struct bytes *)at); break;
	case LOW_OCTET:	 wr_u16(w, *(const uint8_t *)at); break;
	case EMPTY:	 break;
	case RANDOM:	 break;
	case RESULT:
		wr_u16(w, msg->result);
		if (msg->error || msg->error_message.len) {
			wr_u16(w, msg->error);
			wr_bytes(w, msg->error_message);
		}
		break;
	case MAPS:
		wr_u16(w, 0);
		wr_u32(w, msg->accm_send);
		wr_u32(w, msg->accm_receive);
		break;
	case DISCONNECT:
		wr_u16(w, msg->disconnect_code);
		wr_u16(w, msg->disconnect_protocol);
		wr_u8(w, msg->disconnect_direction);
		wr_bytes(w, msg->disconnect_message);
		break;
	}
}

/*
 * Hidden values are filled up to whole blocks of the key stream, so that the length tells little (4.3);
 * l2tpns 2.x, besides, takes no hidden value shorter than eight octets.
 */
static unsigned hidden_padding(size_t len)
{
	unsigned padding = (unsigned)(16 - (len + 2) % 16) % 16;

	return len + 2 + padding <= L2TP_AVP_VALUE_MAX ? padding : 0;
}

/* A random vector that is empty hides nothing. */
static void avp_encode(const struct l2tp_msg *msg, unsigned type, struct bytes secret,
		       struct bytes random_vector, struct wr *w)
{
	const struct avp_row *row = &rows[type];

	ASSERT(row->name && (row->where & 1u << msg->type));
	size_t mark = l2tp_avp_begin(w, row->flags & M, VENDOR_IETF, (uint16_t)type);

	value_write(row, msg, w);
	size_t len = wr_len(w) - mark - L2TP_AVP_HDR_LEN;

	if (!wr_ok(w) || len < row->min || len > row->max) {
		w->bad = true;
		return;
	}
	if (random_vector.len > 0 && (row->flags & H))
		l2tp_avp_end_hidden(w, mark, secret, random_vector, hidden_padding(len));
	else
		l2tp_avp_end(w, mark);
}

void l2tp_msg_encode_hidden(const struct l2tp_msg *msg, struct bytes secret, struct bytes random_vector,
			    struct wr *w)
{
	uint64_t left = msg->present & ~(NEED(MESSAGE_TYPE) | NEED(RANDOM_VECTOR));

	ASSERT(msg->type < L2TP_TYPES && messages[msg->type].name);
	avp_encode(msg, AVP_MESSAGE_TYPE, secret, (struct bytes){ 0 }, w);
	if (random_vector.len > 0)
		l2tp_avp_put(w, true, VENDOR_IETF, AVP_RANDOM_VECTOR, random_vector);
	for (; left; left &= left - 1)
		avp_encode(msg, (unsigned)__builtin_ctzll(left), secret, random_vector, w);
	for (unsigned i = 0; i < msg->access_lines; i++)
		wr_bytes(w, msg->access_line[i]);
}

void l2tp_msg_encode(const struct l2tp_msg *msg, struct wr *w)
{
	l2tp_msg_encode_hidden(msg, (struct bytes){ 0 }, (struct bytes){ 0 }, w);
}

void l2tp_challenge_response(uint8_t id, struct bytes secret, struct bytes challenge, uint8_t out[16])
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, 1, &id);
	if (secret.len)
		md5_update(&md5, secret.len, secret.p);
	if (challenge.len)
		md5_update(&md5, challenge.len, challenge.p);
	md5_digest(&md5, MD5_DIGEST_SIZE, out);
}
