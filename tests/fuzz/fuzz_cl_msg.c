/*
 * fuzz_cl_msg.c -- any octets: a reason, or a message whose loans lie within them, whose lists are read to
 * their end, and which, written again, reads the same.
 */
#include "cluster/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_loan(struct bytes packet, struct bytes loan)
{
	ASSERT(loan.len == 0 || (loan.p >= packet.p && loan.p + loan.len <= packet.p + packet.len));
}

static void check_records(struct bytes packet, struct rd r, struct version prev, struct version upto, bool ordered)
{
	struct record record;

	while (cl_record_next(&r, &record)) {
		check_loan(packet, record.octets);
		ASSERT(record.octets.len <= RECORD_MAX && record.version.n && version_term(record.version) <= TERM_MAX);
		ASSERT(!ordered || (version_before(prev, record.version) && !version_before(upto, record.version)));
		prev = record.version;
	}
	ASSERT(rd_done(&r));
}

static void check_lists(struct bytes packet, const struct cl_msg *msg)
{
	struct rd r;
	struct cl_heard heard;

	switch (msg->type) {
	case CL_PING:
		check_loan(packet, msg->ping.heard);
		r = rd_bytes(msg->ping.heard);
		while (cl_heard_next(&r, &heard))
			ASSERT(heard.node.n > 0 && heard.node.n < 65535);
		ASSERT(rd_done(&r) && msg->ping.master.n < 65535 && msg->ping.proto_min <= msg->ping.proto_max);
		break;
	case CL_HEARTBEAT:
		check_loan(packet, msg->heartbeat.rest);
		r = rd_bytes(msg->heartbeat.rest);
		ASSERT(rd_take(&r, msg->heartbeat.buckets * 8u + msg->heartbeat.walks * 12u) && rd_ok(&r));
		ASSERT(msg->heartbeat.bucket + msg->heartbeat.buckets <= RECORD_BUCKETS);
		check_records(packet, r, msg->heartbeat.prev, msg->heartbeat.upto, true);
		break;
	case CL_RECORDS:
		check_records(packet, rd_bytes(msg->records.rest), msg->records.prev, msg->records.upto, true);
		break;
	case CL_OFFER:
		check_records(packet, rd_bytes(msg->offer.rest), msg->offer.base, msg->offer.base, false);
		break;
	case CL_CONTENTS:
		check_loan(packet, msg->contents.rest);
		ASSERT(msg->contents.rest.len % 12 == 0 && msg->contents.bucket < RECORD_BUCKETS);
		break;
	case CL_NEED:
		check_loan(packet, msg->need.rest);
		ASSERT(msg->need.rest.len % 4 == 0);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t room[2][CL_FORWARD_MAX + 256];
	struct wr first = wr_of(room[0], sizeof(room[0])), second = wr_of(room[1], sizeof(room[1]));
	struct bytes packet = bytes_of(data, len);
	struct cl_msg msg, again;
	enum why why = cl_msg_decode(packet, &msg);

	ASSERT(why < WHYS);
	if (why != WHY_OK)
		return 0;
	ASSERT(msg.term <= TERM_MAX && msg.proto >= CL_PROTO_MIN && msg.proto <= CL_PROTO_MAX);
	check_lists(packet, &msg);
	cl_msg_encode(&msg, &first);
	ASSERT(wr_ok(&first));
	why = cl_msg_decode(wr_bytes_of(&first), &again);
	ASSERT(why == WHY_OK || why == WHY_CL_LONG);	/* fields that were missing take room */
	if (why == WHY_OK) {
		cl_msg_encode(&again, &second);
		ASSERT(bytes_eq(wr_bytes_of(&first), wr_bytes_of(&second)));
	}
	return 0;
}
