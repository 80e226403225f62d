/* msg.c -- messages by rows: one row a field, in the order of the wire. */
#include "cluster/msg.h"

#define HEAD_LEN	8u		/* type, proto, fixed length, term */
#define HEARD_LEN	3u
#define WALK_LEN	12u		/* key and version */
#define DIGEST_LEN	8u
#define KEY_LEN		4u

/*
 * A field: where it lies in struct cl_msg and how many octets it takes on the wire,
 * which are those of its type; 16 go as they are, all else is a number.
 */
struct field {
	uint16_t	at;
	uint16_t	width;
	uint64_t	most;		/* greatest value that can be; 0: any */
};

#define MOST(member, top)	{ offsetof(struct cl_msg, member), sizeof(((struct cl_msg *)0)->member), (top) }
#define ANY(member)		MOST(member, 0)
#define BOOL(member)		MOST(member, 1)
#define NODE(member)		MOST(member.n, 65534)
#define TERM(member)		MOST(member, TERM_MAX)
#define VERSION_AT(member)		MOST(member.n, ((uint64_t)(TERM_MAX + 1) << VERSION_SEQ_BITS) - 1)
#define BUCKET(member)		MOST(member, RECORD_BUCKETS - 1)

static const struct field ping_field[] = {
	ANY(ping.basetime_ms), ANY(ping.number), ANY(ping.flags), VERSION_AT(ping.have), VERSION_AT(ping.synced),
	ANY(ping.join_no), ANY(ping.address.b), NODE(ping.master), TERM(ping.master_term), ANY(ping.config_digest),
	ANY(ping.interval_ms), ANY(ping.dead_ms), ANY(ping.votes), ANY(ping.keys_kilo), ANY(ping.proto_min),
	ANY(ping.proto_max), ANY(ping.sessions), ANY(ping.late_max_us),
};
static const struct field heartbeat_field[] = {
	ANY(heartbeat.number), ANY(heartbeat.flags), ANY(heartbeat.sent_us), ANY(heartbeat.cluster_us),
	VERSION_AT(heartbeat.base), VERSION_AT(heartbeat.prev), VERSION_AT(heartbeat.upto),
	VERSION_AT(heartbeat.committed),
	ANY(heartbeat.root), BUCKET(heartbeat.bucket), ANY(heartbeat.buckets), ANY(heartbeat.walks),
};
static const struct field lastseen_field[] = {
	ANY(lastseen.flags), VERSION_AT(lastseen.have), ANY(lastseen.sent_us), ANY(lastseen.credit),
	ANY(lastseen.round),
};
static const struct field records_field[] = {
	ANY(records.round), ANY(records.flags), VERSION_AT(records.prev), VERSION_AT(records.upto),
	VERSION_AT(records.have),
	ANY(records.root),
};
static const struct field offer_field[] = { VERSION_AT(offer.base), ANY(offer.flags) };
static const struct field bucket_field[] = { BUCKET(bucket.bucket) };
static const struct field contents_field[] = {
	BUCKET(contents.bucket), ANY(contents.part), ANY(contents.parts), VERSION_AT(contents.upto),
};
static const struct field kill_field[] = { ANY(kill.boot_hi), ANY(kill.number), ANY(kill.why) };
static const struct field forward_field[] = {
	ANY(forward.number), ANY(forward.kind), ANY(forward.hops), ANY(forward.from.ip.b), ANY(forward.from.port),
	ANY(forward.local.b),
};
static const struct field master_field[] = {
	NODE(master.master), TERM(master.master_term), ANY(master.address.b), ANY(master.about),
};
static const struct field claim_field[] = {
	ANY(claim.round), VERSION_AT(claim.have), ANY(claim.age_ms), ANY(claim.join_no), ANY(claim.address.b),
	ANY(claim.rank), BOOL(claim.after_leave),
};
static const struct field grant_field[] = {
	ANY(grant.round), BOOL(grant.claim), ANY(grant.refusal), TERM(grant.promised), VERSION_AT(grant.have),
	BOOL(grant.fresh), NODE(grant.master),
};
static const struct field leave_field[] = {
	VERSION_AT(leave.upto), NODE(leave.successor), ANY(leave.number), ANY(leave.root),
};
static const struct field left_field[] = { VERSION_AT(left.have), ANY(left.number) };
static const struct field challenge_field[] = { ANY(challenge.nonce) };
static const struct field response_field[] = { ANY(response.nonce), ANY(response.asked), ANY(response.answers) };
static const struct field command_field[] = {
	ANY(command.boot_hi), ANY(command.number), ANY(command.verb), NODE(command.argument),
};
static const struct field done_field[] = { ANY(done.number), ANY(done.verb), BOOL(done.ok) };

/* ---- lists ---- */

bool cl_record_next(struct rd *r, struct record *record)
{
	if (rd_left(r) == 0)
		return false;
	*record = (struct record){ .key = rd_u32(r), .version = { rd_u64(r) } };
	uint16_t len = rd_u16(r);
	const uint8_t *octets = rd_take(r, len);

	if (len > RECORD_MAX)
		r->bad = true;
	record->octets = bytes_of(octets, len);
	return rd_ok(r);
}

bool cl_record_add(struct wr *w, const struct record *record)
{
	ASSERT(record->octets.len <= RECORD_MAX);
	if (!wr_ok(w) || wr_room(w) < CL_RECORD_OVERHEAD + record->octets.len)
		return false;
	wr_u32(w, record->key);
	wr_u64(w, record->version.n);
	wr_u16(w, (uint16_t)record->octets.len);
	wr_bytes(w, record->octets);
	return true;
}

bool cl_heard_next(struct rd *r, struct cl_heard *heard)
{
	if (rd_left(r) == 0)
		return false;
	*heard = (struct cl_heard){ .node = { rd_u16(r) }, .how = rd_u8(r) };
	return rd_ok(r);
}

bool cl_heard_add(struct wr *w, const struct cl_heard *heard)
{
	if (!wr_ok(w) || wr_room(w) < HEARD_LEN)
		return false;
	wr_u16(w, heard->node.n);
	wr_u8(w, heard->how);
	return true;
}

/* ---- what one field cannot say ---- */

static bool version_possible(struct version v)
{
	return v.n != 0 && version_term(v) <= TERM_MAX;
}

/* Each change once, in order, and none that the positions do not span. */
static enum why records_check(struct rd r, struct version prev, struct version upto)
{
	struct record record;

	if (version_before(upto, prev))
		return WHY_CL_VALUE;
	while (cl_record_next(&r, &record)) {
		if (!version_before(prev, record.version) || version_before(upto, record.version))
			return WHY_CL_VALUE;
		prev = record.version;
	}
	return rd_done(&r) ? WHY_OK : WHY_CL_VALUE;
}

static enum why ping_check(const struct cl_msg *msg)
{
	struct rd r = rd_bytes(msg->ping.heard);
	struct cl_heard heard;

	if (msg->ping.proto_min > msg->ping.proto_max)
		return WHY_CL_VALUE;
	while (cl_heard_next(&r, &heard))
		if (heard.node.n == 0 || heard.node.n > 65534)
			return WHY_CL_VALUE;
	return rd_done(&r) ? WHY_OK : WHY_CL_VALUE;
}

static enum why heartbeat_check(const struct cl_msg *msg)
{
	const struct cl_heartbeat *beat = &msg->heartbeat;
	struct rd r = rd_bytes(beat->rest);

	if (beat->bucket + beat->buckets > RECORD_BUCKETS)
		return WHY_CL_VALUE;
	(void)rd_sub(&r, beat->buckets * DIGEST_LEN);
	for (unsigned i = 0; i < beat->walks; i++) {
		(void)rd_u32(&r);
		if (version_term((struct version){ rd_u64(&r) }) > TERM_MAX)
			return WHY_CL_VALUE;
	}
	return records_check(r, beat->prev, beat->upto);
}

static enum why records_msg_check(const struct cl_msg *msg)
{
	return records_check(rd_bytes(msg->records.rest), msg->records.prev, msg->records.upto);
}

static enum why need_check(const struct cl_msg *msg)
{
	return msg->need.rest.len % KEY_LEN == 0 ? WHY_OK : WHY_CL_VALUE;
}

static enum why offer_check(const struct cl_msg *msg)
{
	struct rd r = rd_bytes(msg->offer.rest);
	struct record record;

	while (cl_record_next(&r, &record))
		if (!version_possible(record.version))
			return WHY_CL_VALUE;
	return rd_done(&r) ? WHY_OK : WHY_CL_VALUE;
}

static enum why contents_check(const struct cl_msg *msg)
{
	const struct cl_contents *contents = &msg->contents;
	struct rd r = rd_bytes(contents->rest);

	if (contents->part > contents->parts)
		return WHY_CL_VALUE;
	while (rd_left(&r) >= WALK_LEN) {
		if (record_bucket(rd_u32(&r)) != contents->bucket || !version_possible((struct version){ rd_u64(&r) }))
			return WHY_CL_VALUE;
	}
	return rd_done(&r) ? WHY_OK : WHY_CL_VALUE;
}

/* ---- types ---- */

#define FIELDS(name)	name##_field, ARRAY_LEN(name##_field)
#define NO_FIELDS	NULL, 0
#define REST(member)	(uint16_t)offsetof(struct cl_msg, member)
#define NO_REST		0u		/* the type stands at 0 */

static const struct type {
	const char	*name;
	const struct field *field;
	size_t		 fields;
	uint16_t	 rest;		/* where the octets behind the fixed part go */
	enum why	 (*check)(const struct cl_msg *msg);
} types[CL_TYPES] = {
	[CL_PING]	= { "PING", FIELDS(ping), REST(ping.heard), ping_check },
	[CL_HEARTBEAT]	= { "HEARTBEAT", FIELDS(heartbeat), REST(heartbeat.rest), heartbeat_check },
	[CL_LASTSEEN]	= { "LASTSEEN", FIELDS(lastseen), NO_REST, NULL },
	[CL_RECORDS]	= { "RECORDS", FIELDS(records), REST(records.rest), records_msg_check },
	[CL_NEED]	= { "NEED", NO_FIELDS, REST(need.rest), need_check },
	[CL_OFFER]	= { "OFFER", FIELDS(offer), REST(offer.rest), offer_check },
	[CL_BUCKET]	= { "BUCKET", FIELDS(bucket), NO_REST, NULL },
	[CL_CONTENTS]	= { "CONTENTS", FIELDS(contents), REST(contents.rest), contents_check },
	[CL_KILL]	= { "KILL", FIELDS(kill), NO_REST, NULL },
	[CL_FORWARD]	= { "FORWARD", FIELDS(forward), REST(forward.rest), NULL },
	[CL_BYTES]	= { "BYTES", NO_FIELDS, REST(bytes.rest), NULL },
	[CL_MASTER]	= { "MASTER", FIELDS(master), NO_REST, NULL },
	[CL_PRECLAIM]	= { "PRECLAIM", FIELDS(claim), NO_REST, NULL },
	[CL_CLAIM]	= { "CLAIM", FIELDS(claim), NO_REST, NULL },
	[CL_GRANT]	= { "GRANT", FIELDS(grant), NO_REST, NULL },
	[CL_LEAVE]	= { "LEAVE", FIELDS(leave), NO_REST, NULL },
	[CL_LEFT]	= { "LEFT", FIELDS(left), NO_REST, NULL },
	[CL_CHALLENGE]	= { "CHALLENGE", FIELDS(challenge), NO_REST, NULL },
	[CL_RESPONSE]	= { "RESPONSE", FIELDS(response), NO_REST, NULL },
	[CL_COMMAND]	= { "COMMAND", FIELDS(command), NO_REST, NULL },
	[CL_DONE]	= { "DONE", FIELDS(done), REST(done.rest), NULL },
};

static bool type_known(unsigned type)
{
	return type > 0 && type < CL_TYPES;
}

const char *cl_type_name(enum cl_type type)
{
	return type_known(type) ? types[type].name : "unknown";
}

const char *cl_refusal_text(enum cl_refusal refusal)
{
	static const char *const text[CL_REFUSALS] = {
		[CL_GRANTED]		= "granted",
		[CL_NO_TERM_OLD]	= "that term is over",
		[CL_NO_MASTER_ALIVE]	= "the master is alive",
		[CL_NO_FRESH]		= "nothing is verified here yet",
		[CL_NO_PROMISED]	= "that term is promised to another node",
		[CL_NO_NOT_MEMBER]	= "not a member of this cluster",
		[CL_NO_CONFIG]		= "the configurations differ",
		[CL_NO_OLDER_WAITS]	= "an older node asks too",
	};

	return (unsigned)refusal < CL_REFUSALS ? text[refusal] : "a reason of a later version";
}

/* ---- fields ---- */

static void field_encode(const struct cl_msg *msg, const struct field *field, struct wr *w)
{
	const void *at = (const uint8_t *)msg + field->at;

	switch (field->width) {
	case 1: wr_u8(w, *(const uint8_t *)at); break;
	case 2: wr_u16(w, *(const uint16_t *)at); break;
	case 4: wr_u32(w, *(const uint32_t *)at); break;
	case 8: wr_u64(w, *(const uint64_t *)at); break;
	case 16: wr_put(w, at, 16); break;
	default: ASSERT(false && "a field of another width has no form on the wire");
	}
}

/* A number's value; octets that go as they are have none. */
static uint64_t field_decode(struct cl_msg *msg, const struct field *field, struct rd *r)
{
	void *at = (uint8_t *)msg + field->at;
	const uint8_t *octets;

	switch (field->width) {
	case 1: return *(uint8_t *)at = rd_u8(r);
	case 2: return *(uint16_t *)at = rd_u16(r);
	case 4: return *(uint32_t *)at = rd_u32(r);
	case 8: return *(uint64_t *)at = rd_u64(r);
	case 16:
		octets = rd_take(r, 16);
		if (octets)
			memcpy(at, octets, 16);
		return 0;
	default: ASSERT(false && "a field of another width has no form on the wire");
	}
}

/* ---- messages ---- */

void cl_msg_encode(const struct cl_msg *msg, struct wr *w)
{
	size_t begin = wr_len(w);

	ASSERT(type_known(msg->type));
	const struct type *type = &types[msg->type];

	wr_u8(w, (uint8_t)msg->type);
	wr_u8(w, msg->proto ? msg->proto : CL_PROTO_MAX);
	wr_u16(w, 0);
	wr_u32(w, msg->term);
	for (size_t i = 0; i < type->fields; i++)
		field_encode(msg, &type->field[i], w);
	wr_patch_u16(w, begin + 2, (uint16_t)(wr_len(w) - begin));
	if (type->rest)
		wr_bytes(w, *(const struct bytes *)(const void *)((const uint8_t *)msg + type->rest));
}

static enum why too_long(const struct cl_msg *msg, struct bytes plain)
{
	if (msg->type == CL_FORWARD)
		return msg->forward.rest.len > CL_FORWARD_MAX ? WHY_CL_LONG : WHY_OK;
	return plain.len > CL_PLAIN_MAX ? WHY_CL_LONG : WHY_OK;
}

enum why cl_msg_decode(struct bytes plain, struct cl_msg *msg)
{
	struct rd r = rd_bytes(plain);
	uint8_t number = rd_u8(&r);

	memset(msg, 0, sizeof(*msg));
	msg->proto = rd_u8(&r);
	uint16_t fixed_len = rd_u16(&r);

	msg->term = rd_u32(&r);
	if (!rd_ok(&r))
		return WHY_CL_SHORT;
	if (msg->proto < CL_PROTO_MIN || msg->proto > CL_PROTO_MAX)
		return WHY_CL_PROTO;
	if (!type_known(number))
		return WHY_CL_TYPE;
	const struct type *type = &types[number];

	msg->type = (enum cl_type)number;
	if (fixed_len < HEAD_LEN || msg->term > TERM_MAX)
		return WHY_CL_VALUE;
	struct rd fixed = rd_sub(&r, fixed_len - HEAD_LEN);

	if (!rd_ok(&r))
		return WHY_CL_SHORT;
	for (size_t i = 0; i < type->fields && rd_left(&fixed) > 0; i++) {
		uint64_t value = field_decode(msg, &type->field[i], &fixed);

		if (type->field[i].most && value > type->field[i].most)
			return WHY_CL_VALUE;
	}
	if (!rd_ok(&fixed))
		return WHY_CL_SHORT;
	if (type->rest)
		*(struct bytes *)(void *)((uint8_t *)msg + type->rest) = rd_rest(&r);
	enum why why = too_long(msg, plain);

	if (why == WHY_OK && type->check)
		why = type->check(msg);
	return why;
}
