/*
 * fuzz_cl.c -- a whole node: garbage, messages that other nodes really sealed, time, sleep and commands.
 *
 * The first octets choose the configuration; then each step is an octet that says what
 * happens, and what it needs.  Two other nodes exist as seals only: they answer
 * challenges, and say whatever the input wants them to.
 */
#include <stdlib.h>

#include "cluster/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define OTHERS	3u

static struct fx_list out;
static uint8_t *memory;
static size_t room;
static struct seal *seals[OTHERS];
static const struct seal_secret secret[SEAL_SECRETS_MAX] = { { .id = 1, .octets = { 1, 2, 3 } } };

static struct ip address(unsigned node)
{
	return ip_from4((struct ip4){ 0x0a000000u + node });
}

static struct cl *begin(struct rd *r)
{
	struct cl_conf conf = { .self = { 1 }, .name = "fuzz", .address = address(1), .interval_ms = 100,
				.dead_ms = 500, .fresh_vote_after_ms = 1000, .forward_wait_ms = 1000, .keys = 64,
				.record_octets = 65536 };
	uint8_t flags = rd_u8(r), seed[RND_SEED_LEN] = { rd_u8(r) };
	struct arena arena;

	conf.commit = (enum cl_commit)(flags % 3);
	conf.wait_for_all = flags & 4;
	for (unsigned i = 0; (flags & 8) && i < OTHERS + 1; i++)
		conf.member[conf.members++] = address(i + 1);
	ASSERT(!cl_conf_fault(&conf));
	if (!memory) {
		room = (cl_size(&conf) + 63) & ~(size_t)63;
		memory = aligned_alloc(64, room);
		ASSERT(memory);
	}
	memset(memory, 0, room);
	arena = (struct arena){ .start = memory, .room = room };
	return cl_init(&conf, secret, 1, seed, (struct mono){ 1000000 }, &arena);
}

static void others_begin(void)
{
	for (unsigned i = 0; i < OTHERS; i++) {
		struct rnd rnd;
		uint8_t seed[RND_SEED_LEN] = { (uint8_t)(i + 1), 7 };

		if (!seals[i])
			seals[i] = aligned_alloc(64, (seal_size() + 63) & ~(size_t)63);
		ASSERT(seals[i]);
		memset(seals[i], 0, seal_size());
		rnd_seed(&rnd, seed);
		seal_init(seals[i], (struct node_id){ (uint16_t)(i + 2) }, bytes_str("fuzz"), &rnd);
		seal_secrets(seals[i], secret, 1);
	}
}

static void deliver(struct cl *cl, unsigned other, struct bytes plain, bool multicast, struct mono now)
{
	uint8_t datagram[CL_FORWARD_MAX + 512];
	enum seal_stream stream = multicast ? SEAL_MULTICAST : SEAL_UNICAST;
	size_t n = seal_close(seals[other], (struct node_id){ multicast ? 0 : 1 }, stream, plain, datagram,
			      sizeof(datagram));

	if (n)
		(void)cl_received(cl, (struct addr){ address(other + 2), 1 }, bytes_of(datagram, n), now, &out);
}

static void say_msg(struct cl *cl, unsigned other, const struct cl_msg *msg, struct mono now)
{
	uint8_t plain[CL_FORWARD_MAX + 256];
	struct wr w = wr_of(plain, sizeof(plain));

	cl_msg_encode(msg, &w);
	deliver(cl, other, wr_bytes_of(&w), false, now);
}

/* What the node sent: every message of its own must decode, and challenges are answered. */
static void carry_out(struct cl *cl, struct mono now)
{
	static struct fx_list sent;
	uint8_t plain[CL_FORWARD_MAX + 256];
	struct record record;

	sent.count = out.count;
	memcpy(sent.fx, out.fx, out.count * sizeof(out.fx[0]));
	memcpy(sent.octets, out.octets, out.used);
	fx_clear(&out);
	while (cl_apply_next(cl, &record))
		ASSERT(record.key < 64 && record.octets.len <= RECORD_MAX);
	for (uint32_t n = 0; n < sent.count; n++) {
		const struct fx *fx = &sent.fx[n];
		const uint8_t *at = (const uint8_t *)fx_payload(&sent, fx) + sizeof(struct fx_cl_send);
		struct seal_opened opened;
		struct cl_msg msg;

		for (unsigned i = 0; fx->kind == FX_CL_SEND && i < OTHERS; i++) {
			if (seal_open(seals[i], bytes_of(at, fx->len - sizeof(struct fx_cl_send)), plain, sizeof(plain),
				      &opened) == SEAL_REFUSED)
				continue;
			ASSERT(cl_msg_decode(opened.plain, &msg) == WHY_OK);
			if (msg.type != CL_CHALLENGE)
				continue;
			struct boot_id boot = seal_boot(seals[i]);
			struct cl_msg answer = { .type = CL_RESPONSE };

			memcpy(answer.response.nonce, msg.challenge.nonce, 16);
			memcpy(answer.response.asked, opened.boot.b, 16);
			memcpy(answer.response.answers, boot.b, 16);
			say_msg(cl, i, &answer, now);
			fx_clear(&out);
		}
	}
}

/* A PING as a node would say it that is configured as we are. */
static void say_ping(struct cl *cl, unsigned other, struct rd *r, struct mono now)
{
	struct cl_msg msg = { .type = CL_PING, .term = rd_u8(r) };

	msg.ping = (struct cl_ping){
		.basetime_ms = (uint64_t)rd_u8(r) * 100, .number = (uint32_t)(now.us / 1000), .flags = rd_u8(r),
		.have = version_of(rd_u8(r), rd_u8(r)), .address = address(other + 2),
		.config_digest = cl_conf_digest(&cl->conf), .interval_ms = 100, .dead_ms = 500,
		.votes = (uint16_t)cl->conf.members, .proto_min = 1, .proto_max = 1,
	};
	say_msg(cl, other, &msg, now);
}

static void check(const struct cl *cl, uint32_t *promised, uint32_t *term)
{
	struct cl_status status = cl_status(cl);

	ASSERT(status.role < CL_ROLES && (status.role == CL_ROLE_MASTER) == (status.master.n == 1));
	ASSERT(cl->promised >= *promised && status.term >= *term);
	ASSERT(status.role != CL_ROLE_MASTER || cl->promised >= status.term);
	ASSERT(cl->records.upto.n <= cl_upto(cl).n || status.role != CL_ROLE_MASTER);
	*promised = cl->promised;
	*term = status.term;
}

static void step(struct cl *cl, struct rd *r, struct mono *now)
{
	uint8_t what = rd_u8(r), arg = rd_u8(r);
	unsigned other = arg % OTHERS;
	struct rd rest = rd_sub(r, what & 8 ? min_u32(rd_u8(r), (uint32_t)rd_left(r)) : 0);

	switch (what & 7) {
	case 0:
		(void)cl_received(cl, (struct addr){ address(arg), 1 }, rd_peek(&rest), *now, &out);
		break;
	case 1:
		deliver(cl, other, rd_peek(&rest), arg & 128, *now);
		break;
	case 2:
		say_ping(cl, other, r, *now);
		break;
	case 3:
		*now = mono_add(*now, DUR_MS(arg));
		cl_tick(cl, *now, &out);
		break;
	case 4:
		for (unsigned i = 0; i < 12 && cl_next(cl).us != UINT64_MAX; i++) {
			*now = mono_before(cl_next(cl), *now) ? *now : cl_next(cl);
			cl_tick(cl, *now, &out);
			carry_out(cl, *now);
		}
		break;
	case 5:
		cl_command(cl, (enum cl_verb)(arg % 6), (struct node_id){ arg >> 4 }, 1, *now, &out);
		break;
	case 6:
		(void)cl_change(cl, arg % 70, rd_peek(&rest));
		cl_flush(cl, *now, &out);
		break;
	default:
		cl_paused(cl, DUR_MS(arg * 10), *now);
		cl_healthy(cl, arg & 1);
		if (arg == 255)
			cl_leaving(cl, *now, &out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rd r = rd_of(data, len);
	struct mono now = { 1000000 };
	uint32_t promised = 0, term = 0;

	fx_clear(&out);
	others_begin();
	struct cl *cl = begin(&r);

	while (rd_left(&r) > 0) {
		step(cl, &r, &now);
		carry_out(cl, now);
		check(cl, &promised, &term);
	}
	return 0;
}
