/*
 * Goal: what the nodes of a cluster say is written and read alike by every build there will ever be, and
 * nothing impossible gets past the reader.
 * Method: one file a type under $VECTORS/cluster, a field a line, written apart from the code, against the
 * same message as a struct here; each file cut short at every octet, its fixed part cut and lengthened, its
 * fields and lists spoilt one by one; random values in all fields, there and back.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cluster/msg.h"
#include "l2tpns/base/rnd.h"

#define LINES	48u

struct vector {			/* a file */
	uint8_t		octets[CL_FORWARD_MAX + 256];
	size_t		len, fixed;
	struct line { size_t at, len; char name[48]; bool rest; } line[LINES];
	unsigned	lines;
};

static struct vector vector[CL_TYPES];

/* ---- the files ---- */

static void line_load(struct vector *v, const char *text)
{
	const char *name = strstr(text, "# ");
	struct line *line = &v->line[v->lines++];
	unsigned octet;

	assert_non_null(name);
	assert_true(v->lines < LINES);
	line->at = v->len;
	line->rest = strncmp(name + 2, "rest: ", 6) == 0;
	snprintf(line->name, sizeof(line->name), "%.*s", (int)strcspn(name + 2, "\n"), name + 2);
	for (; isxdigit((unsigned char)*text); text += 2) {
		assert_int_equal(sscanf(text, "%2x", &octet), 1);
		v->octets[v->len++] = (uint8_t)octet;
	}
	line->len = v->len - line->at;
	if (!line->rest)
		v->fixed = v->len;
}

static int vectors_load(void **state)
{
	const char *folder = getenv("VECTORS") ? getenv("VECTORS") : "tests/vectors";

	(void)state;
	for (unsigned type = CL_PING; type < CL_TYPES; type++) {
		char path[512], text[8192];
		int n = snprintf(path, sizeof(path), "%s/cluster/", folder);

		for (const char *name = cl_type_name((enum cl_type)type); *name; name++)
			path[n++] = (char)tolower((unsigned char)*name);
		strcpy(path + n, "-1.txt");
		FILE *file = fopen(path, "r");

		if (!file)
			return -1;
		while (fgets(text, sizeof(text), file))
			if (text[0] != '#')
				line_load(&vector[type], text);
		fclose(file);
	}
	return 0;
}

/* A copy that ends where its memory ends, so that a sanitizer sees every step beyond. */
static enum why decode(const void *octets, size_t len, struct cl_msg *msg)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, octets, len);
	return cl_msg_decode(bytes_of(copy, len), msg);
}

static void encodes_to(const struct cl_msg *msg, const uint8_t *octets, size_t len)
{
	uint8_t room[4096];
	struct wr w = wr_of(room, sizeof(room));

	cl_msg_encode(msg, &w);
	assert_true(wr_ok(&w));
	assert_int_equal(wr_len(&w), len);
	assert_memory_equal(room, octets, len);
}

/* ---- the same messages as structs ---- */

#define V(term, seq)	{ (uint64_t)(term) << 40 | (seq) }
#define IP4(a, b, c, d)	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d } }
#define FROM(a)		{ a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6, a + 7, \
			  a + 8, a + 9, a + 10, a + 11, a + 12, a + 13, a + 14, a + 15 }
#define CLAIM		{ .round = 0x01020304, .have = V(11, 12), .age_ms = 0x1112131415161718, .join_no = 0x21222324, \
			  .address = IP4(192, 0, 2, 7), .rank = 0x31, .after_leave = 1 }

static const struct cl_msg message[CL_TYPES] = {
	[CL_PING].ping = {
		.basetime_ms = 0x0102030405060708, .number = 0x11121314,
		.flags = CL_IS_UP_TO_DATE | CL_IS_FROZEN | CL_IS_HEALTHY, .have = V(3, 0x4445464748),
		.synced = V(2, 0x5455565758), .join_no = 0x61626364, .address = IP4(192, 0, 2, 1),
		.master = { 0x7172 }, .master_term = 0x818283, .config_digest = 0x91929394, .interval_ms = 0x6465,
		.dead_ms = 500, .votes = 3, .keys_kilo = 0x405, .proto_min = 1, .proto_max = 2,
		.sessions = 0xa1a2a3a4, .late_max_us = 0xb1b2b3b4,
	},
	[CL_HEARTBEAT].heartbeat = {
		.number = 0x01020304, .flags = CL_BEAT_PERIODIC | CL_BEAT_BEHIND, .sent_us = 0x1112131415161718,
		.cluster_us = 0x2122232425262728, .base = V(5, 6), .prev = V(7, 8), .upto = V(7, 16),
		.committed = V(7, 7), .root = 0x3132333435363738, .bucket = 4094, .buckets = 2, .walks = 1,
	},
	[CL_LASTSEEN].lastseen = {
		.flags = CL_SEEN_GAP | CL_SEEN_UP_TO_DATE | CL_SEEN_VERIFIED, .have = V(7, 9),
		.sent_us = 0x1112131415161718, .credit = 0x2122, .round = 0x31323334,
	},
	[CL_RECORDS].records = {
		.round = 0x01020304, .flags = CL_RECORDS_END, .prev = V(1, 2), .upto = V(7, 9), .have = V(7, 10),
		.root = 0x3132333435363738,
	},
	[CL_OFFER].offer = { .base = V(8, 9), .flags = CL_OFFER_LAST },
	[CL_BUCKET].bucket = { .bucket = 4095 },
	[CL_CONTENTS].contents = { .bucket = 0x234, .part = 1, .parts = 3, .upto = V(7, 9) },
	[CL_KILL].kill = { .boot_hi = 0x0102030405060708, .number = 0x11121314, .why = 0x2122 },
	[CL_FORWARD].forward = {
		.number = 0x01020304, .kind = 0x11, .hops = 2, .from = { IP4(198, 51, 100, 9), 1701 },
		.local = IP4(203, 0, 113, 1),
	},
	[CL_MASTER].master = { .master = { 0x102 }, .master_term = 0x111213, .address = IP4(192, 0, 2, 3), .about = 2 },
	[CL_PRECLAIM].claim = CLAIM,
	[CL_CLAIM].claim = CLAIM,
	[CL_GRANT].grant = {
		.round = 0x01020304, .claim = 1, .refusal = CL_NO_PROMISED, .promised = 0x111213, .have = V(7, 9),
		.fresh = 1, .master = { 0x2122 },
	},
	[CL_LEAVE].leave = {
		.upto = V(7, 9), .successor = { 0x102 }, .number = 0x11121314, .root = 0x2122232425262728,
	},
	[CL_LEFT].left = { .have = V(7, 9), .number = 0x11121314 },
	[CL_CHALLENGE].challenge = { .nonce = FROM(0x10) },
	[CL_RESPONSE].response = { .nonce = FROM(0x10), .asked = FROM(0x30), .answers = FROM(0x50) },
	[CL_COMMAND].command = {
		.boot_hi = 0x0102030405060708, .number = 0x11121314, .verb = 0x21, .argument = { 0x3132 },
	},
	[CL_DONE].done = { .number = 0x01020304, .verb = 0x11, .ok = 1 },
};

/* Where the octets behind the fixed part are; NULL for types that have none. */
static struct bytes *rest_of(struct cl_msg *msg)
{
	struct bytes *const rest[CL_TYPES] = {
		[CL_PING] = &msg->ping.heard, [CL_HEARTBEAT] = &msg->heartbeat.rest, [CL_RECORDS] = &msg->records.rest,
		[CL_NEED] = &msg->need.rest, [CL_OFFER] = &msg->offer.rest, [CL_CONTENTS] = &msg->contents.rest,
		[CL_FORWARD] = &msg->forward.rest, [CL_BYTES] = &msg->bytes.rest, [CL_DONE] = &msg->done.rest,
	};

	return rest[msg->type];
}

static void files_are_read_and_written_for_ever(void **state)
{
	(void)state;
	for (unsigned type = CL_PING; type < CL_TYPES; type++) {
		const struct vector *v = &vector[type];
		struct cl_msg msg, own = message[type];
		struct bytes *rest;

		assert_int_equal(decode(v->octets, v->len, &msg), WHY_OK);
		assert_int_equal(msg.type, type);
		assert_int_equal(msg.proto, 1);
		encodes_to(&msg, v->octets, v->len);
		own.type = (enum cl_type)type;
		own.proto = 1;
		own.term = 0xc0ffee;
		rest = rest_of(&own);
		assert_int_equal(rest != NULL, v->len > v->fixed);
		if (rest) {
			assert_true(bytes_eq(*rest_of(&msg), bytes_of(v->octets + v->fixed, v->len - v->fixed)));
			*rest = *rest_of(&msg);
		}
		encodes_to(&own, v->octets, v->len);
		own.proto = 0;
		encodes_to(&own, v->octets, v->len);
	}
}

/* ---- lengths ---- */

static bool is_opaque(unsigned type)
{
	return type == CL_FORWARD || type == CL_BYTES || type == CL_DONE;
}

/* Entries end here, and no count in the fixed part asks for more. */
static bool may_end_at(const struct vector *v, unsigned type, size_t len)
{
	if (is_opaque(type) || len == v->len)
		return true;
	for (unsigned i = 0; i < v->lines; i++)
		if (v->line[i].rest && v->line[i].at == len)
			return type != CL_HEARTBEAT || strncmp(v->line[i].name, "rest: record", 12) == 0;
	return false;
}

static void cut_anywhere(void **state)
{
	struct cl_msg msg;

	(void)state;
	for (unsigned type = CL_PING; type < CL_TYPES; type++)
		for (size_t len = 0; len <= vector[type].len; len++) {
			enum why why = decode(vector[type].octets, len, &msg);

			if (len < vector[type].fixed)
				assert_int_equal(why, WHY_CL_SHORT);
			else
				assert_int_equal(why == WHY_OK, may_end_at(&vector[type], type, len));
		}
}

static void does_not_fit(void **state)
{
	uint8_t room[4096];

	(void)state;
	for (unsigned type = CL_PING; type < CL_TYPES; type++)
		for (size_t len = 0; len < vector[type].len; len++) {
			struct wr w = wr_of(room, len);
			struct cl_msg msg;

			assert_int_equal(decode(vector[type].octets, vector[type].len, &msg), WHY_OK);
			cl_msg_encode(&msg, &w);
			assert_false(wr_ok(&w));
		}
}

/* The fixed part made `fixed` octets long, filled up with octets that are no zeros. */
static size_t with_fixed(const struct vector *v, size_t fixed, uint8_t *out)
{
	memset(out, 0xa5, fixed);
	memcpy(out, v->octets, fixed < v->fixed ? fixed : v->fixed);
	memcpy(out + fixed, v->octets + v->fixed, v->len - v->fixed);
	out[2] = (uint8_t)(fixed >> 8);
	out[3] = (uint8_t)fixed;
	return fixed + v->len - v->fixed;
}

/* A later version's fields are skipped: what is read is what this version knows. */
static void fields_appended_later(void **state)
{
	uint8_t octets[4096];
	struct cl_msg msg;

	(void)state;
	for (unsigned type = CL_PING; type < CL_TYPES; type++)
		for (size_t more = 1; more <= 300; more += more < 20 ? 1 : 70) {
			size_t len = with_fixed(&vector[type], vector[type].fixed + more, octets);

			assert_int_equal(decode(octets, len, &msg), WHY_OK);
			encodes_to(&msg, vector[type].octets, vector[type].len);
			assert_int_equal(decode(octets, 8, &msg), WHY_CL_SHORT);
		}
	for (unsigned type = CL_PING; type < CL_TYPES; type++) {	/* and so are lists where there were none */
		if (vector[type].len > vector[type].fixed)
			continue;
		memcpy(octets, vector[type].octets, vector[type].len);
		memset(octets + vector[type].len, 0x5a, 100);
		assert_int_equal(decode(octets, vector[type].len + 100, &msg), WHY_OK);
		encodes_to(&msg, vector[type].octets, vector[type].len);
	}
}

/* An earlier version's missing fields are 0, and are checked like any other value. */
static void fields_missing(void **state)
{
	uint8_t octets[4096];
	unsigned read = 0, refused = 0;

	(void)state;
	for (unsigned type = CL_PING; type < CL_TYPES; type++) {
		const struct vector *v = &vector[type];

		for (size_t fixed = 8, i = 4; fixed < v->fixed; fixed++) {
			size_t len = with_fixed(v, fixed, octets);
			struct cl_msg msg;
			enum why why = decode(octets, len, &msg);

			while (i < v->lines && v->line[i].at < fixed)
				i++;
			if (i == v->lines || v->line[i].at != fixed) {
				assert_int_equal(why, WHY_CL_SHORT);
				continue;
			}
			if (why != WHY_OK) {
				assert_int_equal(why, WHY_CL_VALUE);
				assert_true(type == CL_PING || type == CL_HEARTBEAT || type == CL_RECORDS ||
					    type == CL_CONTENTS);
				refused++;
				continue;
			}
			read++;
			memcpy(octets, v->octets, v->len);
			memset(octets + fixed, 0, v->fixed - fixed);
			encodes_to(&msg, octets, v->len);
		}
	}
	assert_true(read > 60 && refused > 0);
}

static void heads_refused(void **state)
{
	static uint8_t octets[CL_FORWARD_MAX + 256];
	struct cl_msg msg;

	(void)state;
	for (unsigned type = CL_PING; type < CL_TYPES; type++) {
		const struct vector *v = &vector[type];
		size_t longest = type == CL_FORWARD ? v->fixed + CL_FORWARD_MAX : CL_PLAIN_MAX;

		for (unsigned number = 0; number < 256; number++) {
			memcpy(octets, v->octets, v->len);
			octets[1] = (uint8_t)number;
			assert_int_equal(decode(octets, v->len, &msg), number == 1 ? WHY_OK : WHY_CL_PROTO);
			octets[1] = 1;
			octets[0] = (uint8_t)number;
			if (number == 0 || number >= CL_TYPES)
				assert_int_equal(decode(octets, v->len, &msg), WHY_CL_TYPE);
		}
		memcpy(octets, v->octets, v->len);
		for (octets[2] = 0, octets[3] = 0; octets[3] < 8; octets[3]++)
			assert_int_equal(decode(octets, v->len, &msg), WHY_CL_VALUE);
		memcpy(octets, v->octets, v->len);
		memset(octets + 4, 0xff, 4);
		assert_int_equal(decode(octets, v->len, &msg), WHY_CL_VALUE);
		octets[4] = 0;
		assert_int_equal(decode(octets, v->len, &msg), WHY_CL_VALUE);
		octets[7] = 0xfe;
		assert_int_equal(decode(octets, v->len, &msg), WHY_OK);
		memset(octets + v->len, 0, sizeof(octets) - v->len);
		assert_int_equal(decode(octets, longest + 1, &msg), WHY_CL_LONG);
		assert_int_not_equal(decode(octets, longest, &msg), WHY_CL_LONG);
	}
}

/* ---- values ---- */

/* A field by its name in the file, overwritten.  `n` counts those of one name. */
static enum why decode_with(unsigned type, const char *name, unsigned n, const char *hex)
{
	const struct vector *v = &vector[type];
	uint8_t octets[4096];
	struct cl_msg msg;

	memcpy(octets, v->octets, v->len);
	for (unsigned i = 0; i < v->lines; i++)
		if (strcmp(v->line[i].name, name) == 0 && n-- == 0) {
			assert_int_equal(strlen(hex), 2 * v->line[i].len);
			for (size_t at = 0; at < v->line[i].len; at++) {
				unsigned octet;

				assert_int_equal(sscanf(hex + 2 * at, "%2x", &octet), 1);
				octets[v->line[i].at + at] = (uint8_t)octet;
			}
			return decode(octets, v->len, &msg);
		}
	fail_msg("%s has no field %s", cl_type_name((enum cl_type)type), name);
	return WHY_OK;
}

static const struct {
	enum cl_type	type;
	unsigned	n;
	const char	*name, *impossible, *possible;
} spoilt[] = {
	{ CL_PING, 0, "have", "ffffff0000000000", "fffffeffffffffff" },
	{ CL_PING, 0, "synced", "ffffff0000000001", "0000000000000000" },
	{ CL_PING, 0, "master", "ffff", "0000" },
	{ CL_PING, 0, "master_term", "00ffffff", "00fffffe" },
	{ CL_PING, 0, "proto_max", "00", "ff" },
	{ CL_PING, 0, "flags", NULL, "ffff" },
	{ CL_PING, 0, "rest: heard, by unicast", "000002", "0001ff" },
	{ CL_PING, 0, "rest: heard, by unicast", "ffff02", "fffe02" },
	{ CL_HEARTBEAT, 0, "base", "ffffff0000000000", "0000000000000000" },
	{ CL_HEARTBEAT, 0, "prev", "0000070000000011", "0000070000000007" },
	{ CL_HEARTBEAT, 0, "prev", "0000070000000009", "0000000000000000" },	/* as its record is */
	{ CL_HEARTBEAT, 0, "upto", "0000070000000007", "0000070000000011" },
	{ CL_HEARTBEAT, 0, "upto", "000007000000000f", "0000080000000000" },
	{ CL_HEARTBEAT, 0, "committed", "ffffff0000000000", "fffffeffffffffff" },
	{ CL_HEARTBEAT, 0, "bucket", "1000", "0ffe" },
	{ CL_HEARTBEAT, 0, "bucket", "0fff", "0000" },
	{ CL_HEARTBEAT, 0, "buckets", "ff", "02" },
	{ CL_HEARTBEAT, 0, "walks", "ff", "01" },
	{ CL_HEARTBEAT, 0, "rest: walk: key, version",
	  "61626364ffffff0000000071", "ffffffff0000000000000000" },
	{ CL_HEARTBEAT, 0, "rest: record: key, version, length, octets",
	  "0000000900000700000000080003616263", "fffffffe00000700000000090003616263" },
	{ CL_HEARTBEAT, 0, "rest: record: key, version, length, octets",
	  "0000000900000700000000100003616263", "00000000000007000000000f0003616263" },
	{ CL_HEARTBEAT, 0, "rest: record, deleted",
	  "fffffffe00000700000000090000", "fffffffe000007000000000a0000" },
	{ CL_HEARTBEAT, 0, "rest: record, deleted",
	  "fffffffe00000700000000100001", "0000000000000700000000100000" },
	{ CL_HEARTBEAT, 0, "rest: record, deleted",
	  "fffffffe00000700000000110000", "0000000000000700000000100000" },
	{ CL_LASTSEEN, 0, "have", "ffffff0000000000", "0000000000000000" },
	{ CL_LASTSEEN, 0, "flags", NULL, "ffff" },
	{ CL_RECORDS, 0, "prev", "0000010000000003", "0000010000000000" },
	{ CL_RECORDS, 0, "upto", "0000070000000008", "0000070000000009" },
	{ CL_RECORDS, 0, "have", "ffffff0000000000", "0000000000000000" },
	{ CL_OFFER, 0, "base", "ffffff0000000000", "0000000000000000" },
	{ CL_OFFER, 0, "rest: record", "0000000600000000000000000001ff", "0000000600000000000000010001ff" },
	{ CL_OFFER, 0, "rest: record", "00000006ffffff00000000000001ff", "00000006fffffe00000000000001ff" },
	{ CL_BUCKET, 0, "bucket", "1000", "0fff" },
	{ CL_CONTENTS, 0, "bucket", "1234", "0234" },
	{ CL_CONTENTS, 0, "bucket", "0233", "0234" },
	{ CL_CONTENTS, 0, "part", "0004", "0003" },
	{ CL_CONTENTS, 0, "upto", "ffffff0000000000", "0000000000000000" },
	{ CL_CONTENTS, 1, "rest: key, version", "abcde2350000070000000009", "000002340000070000000009" },
	{ CL_CONTENTS, 1, "rest: key, version", "abcde2340000000000000000", "abcde2340000000000000001" },
	{ CL_CONTENTS, 0, "rest: key, version", "00000234ffffff0000000000", "00000234fffffeffffffffff" },
	{ CL_MASTER, 0, "master", "ffff", "0000" },
	{ CL_MASTER, 0, "master_term", "01000000", "00fffffe" },
	{ CL_CLAIM, 0, "have", "ffffffffffffffff", "fffffeffffffffff" },
	{ CL_CLAIM, 0, "after_leave", "02", "00" },
	{ CL_PRECLAIM, 0, "after_leave", "80", "01" },
	{ CL_GRANT, 0, "claim", "02", "00" },
	{ CL_GRANT, 0, "refusal", NULL, "ff" },
	{ CL_GRANT, 0, "promised", "00ffffff", "00fffffe" },
	{ CL_GRANT, 0, "have", "ffffff0000000000", "0000000000000000" },
	{ CL_GRANT, 0, "fresh", "02", "00" },
	{ CL_GRANT, 0, "master", "ffff", "fffe" },
	{ CL_LEAVE, 0, "upto", "ffffff0000000000", "0000000000000000" },
	{ CL_LEAVE, 0, "successor", "ffff", "0000" },
	{ CL_LEFT, 0, "have", "ffffff0000000000", "0000000000000000" },
	{ CL_COMMAND, 0, "argument", "ffff", "0000" },
	{ CL_COMMAND, 0, "verb", NULL, "ff" },
	{ CL_DONE, 0, "ok", "02", "00" },
};

static void impossible_values(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(spoilt); i++) {
		if (spoilt[i].impossible &&
		    decode_with(spoilt[i].type, spoilt[i].name, spoilt[i].n, spoilt[i].impossible) != WHY_CL_VALUE)
			fail_msg("%s %s is taken", spoilt[i].name, spoilt[i].impossible);
		if (decode_with(spoilt[i].type, spoilt[i].name, spoilt[i].n, spoilt[i].possible) != WHY_OK)
			fail_msg("%s %s is refused", spoilt[i].name, spoilt[i].possible);
	}
}

/* Any field may have any value: each is random, nothing, or as in the file, until all of it is possible. */
static void random_there_and_back(void **state)
{
	uint8_t seed[RND_SEED_LEN] = { 11 };
	struct rnd rnd;

	(void)state;
	rnd_seed(&rnd, seed);
	for (unsigned type = CL_PING; type < CL_TYPES; type++) {
		const struct vector *v = &vector[type];

		for (unsigned taken = 0, tried = 0; taken < 500; tried++) {
			uint8_t octets[4096];
			struct cl_msg msg;

			assert_true(tried < 200000);
			memcpy(octets, v->octets, v->len);
			for (unsigned i = 3; i < v->lines; i++) {
				uint32_t how = rnd_below(&rnd, 4);

				if (how == 0)
					rnd_fill(&rnd, octets + v->line[i].at, v->line[i].len);
				else if (how == 1 && !v->line[i].rest)
					memset(octets + v->line[i].at, 0, v->line[i].len);
			}
			if (decode(octets, v->len, &msg) != WHY_OK)
				continue;
			encodes_to(&msg, octets, v->len);
			taken++;
		}
	}
}

/* ---- lists ---- */

/* Positions are compared also where no record lies between. */
static void spans_without_records(void **state)
{
	(void)state;
	for (uint64_t seq = 8; seq <= 10; seq++) {
		struct cl_msg beat = { .type = CL_HEARTBEAT, .heartbeat = { .prev = V(7, seq), .upto = V(7, 9) } };
		struct cl_msg records = { .type = CL_RECORDS, .records = { .prev = V(7, seq), .upto = V(7, 9) } };
		const struct cl_msg *msg[] = { &beat, &records };

		for (unsigned i = 0; i < ARRAY_LEN(msg); i++) {
			uint8_t room[256];
			struct wr w = wr_of(room, sizeof(room));
			struct cl_msg read;

			cl_msg_encode(msg[i], &w);
			assert_int_equal(decode(room, wr_len(&w), &read), seq <= 9 ? WHY_OK : WHY_CL_VALUE);
		}
	}
}

/* The longest record, alone, goes into every message that carries records; all nodes heard into a PING. */
static void the_longest_fits(void **state)
{
	static const enum cl_type carriers[] = { CL_HEARTBEAT, CL_RECORDS, CL_OFFER };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(carriers); i++)
		assert_true(vector[carriers[i]].fixed + CL_RECORD_OVERHEAD + RECORD_MAX <= CL_PLAIN_MAX);
	assert_true(vector[CL_PING].fixed + 3 * CLUSTER_NODES_MAX <= CL_PLAIN_MAX);
}

static void names(void **state)
{
	(void)state;
	for (unsigned a = 0; a < CL_TYPES; a++)
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(cl_type_name((enum cl_type)a), cl_type_name((enum cl_type)b));
	for (unsigned a = 0; a <= CL_REFUSALS; a++)
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(cl_refusal_text((enum cl_refusal)a),
						cl_refusal_text((enum cl_refusal)b));
	assert_string_equal(cl_type_name(CL_TYPES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_and_written_for_ever),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(does_not_fit),
		cmocka_unit_test(fields_appended_later),
		cmocka_unit_test(fields_missing),
		cmocka_unit_test(heads_refused),
		cmocka_unit_test(impossible_values),
		cmocka_unit_test(random_there_and_back),
		cmocka_unit_test(spans_without_records),
		cmocka_unit_test(the_longest_fits),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, vectors_load, NULL);
}
