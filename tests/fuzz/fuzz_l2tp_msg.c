/*
 * fuzz_l2tp_msg.c -- any body: a reason, or a message whose loans lie where they may and which, written
 * again, reads the same.  The first octet says whether there is a secret.
 */
#include "l2tpns/wire/l2tp_avp.h"
#include "l2tpns/wire/l2tp_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t scratch[L2TP_SCRATCH_LEN], again_scratch[L2TP_SCRATCH_LEN];

static void check_loan(struct bytes packet, struct bytes loan)
{
	ASSERT(loan.len == 0 || (loan.p >= packet.p && loan.p + loan.len <= packet.p + packet.len) ||
	       (loan.p >= scratch && loan.p + loan.len <= scratch + sizeof(scratch)));
}

static void check_loans(struct bytes packet, const struct l2tp_msg *msg)
{
	const struct bytes loans[] = {
		msg->error_message, msg->host_name, msg->vendor_name, msg->challenge, msg->challenge_response,
		msg->cause_code, msg->called, msg->calling, msg->sub_address, msg->initial_lcp, msg->last_sent_lcp,
		msg->last_received_lcp, msg->proxy_name, msg->proxy_challenge, msg->proxy_response,
		msg->call_errors, msg->private_group, msg->disconnect_message,
	};

	for (unsigned i = 0; i < ARRAY_LEN(loans); i++)
		check_loan(packet, loans[i]);
	ASSERT(msg->access_lines <= ARRAY_LEN(msg->access_line));
	for (unsigned i = 0; i < msg->access_lines; i++) {
		check_loan(packet, msg->access_line[i]);
		ASSERT(msg->access_line[i].len >= L2TP_AVP_HDR_LEN);
	}
	ASSERT(!(msg->present & AVP_BIT(AVP_CHALLENGE_RESPONSE)) || msg->challenge_response.len == 16);
	ASSERT(!(msg->present & AVP_BIT(AVP_CALL_ERRORS)) || msg->call_errors.len == 26);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t room[65536];
	struct wr w = wr_of(room, sizeof(room));
	struct l2tp_msg msg, again;

	if (len == 0)
		return 0;
	struct bytes secret = data[0] & 1 ? bytes_str("opensesame") : (struct bytes){ 0 };
	struct bytes packet = bytes_of(data + 1, len - 1);
	enum why why = l2tp_msg_decode(packet, secret, scratch, &msg);

	ASSERT(why < WHYS && msg.culprit <= AVPS);
	ASSERT(avp_name((uint16_t)msg.culprit)[0]);
	check_loans(packet, &msg);
	if (why != WHY_OK)
		return 0;
	ASSERT(msg.culprit == AVPS && l2tp_type_name(msg.type)[0] != 'u');

	l2tp_msg_encode(&msg, &w);
	ASSERT(wr_ok(&w));
	for (unsigned i = 0; i < msg.access_lines; i++)		/* a hidden one was opened on the way in */
		ASSERT(!(msg.access_line[i].p[0] & 0x40) || msg.access_line[i].p < scratch);
	ASSERT(l2tp_msg_decode(wr_bytes_of(&w), secret, again_scratch, &again) == WHY_OK);
	ASSERT(again.present == (msg.present & ~AVP_BIT(AVP_RANDOM_VECTOR)));
	ASSERT(again.type == msg.type && again.access_lines == msg.access_lines);
	ASSERT(bytes_eq(again.host_name, msg.host_name) && bytes_eq(again.error_message, msg.error_message));
	ASSERT(again.assigned_tid == msg.assigned_tid && again.assigned_sid == msg.assigned_sid);
	ASSERT(again.tx_bps == msg.tx_bps && again.proxy_id == msg.proxy_id);
	return 0;
}
