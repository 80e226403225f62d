/*
 * fuzz_cl_seal.c -- any datagram, and real ones bent, cut, swapped and repeated: only what was sealed is opened, once.
 *
 * The input is a script: an octet says what happens, the next ones where.  With a leading
 * zero it is one datagram, as it is.
 */
#include <stdlib.h>

#include "cluster/seal.h"
#include "l2tpns/base/rd.h"

#define SENT_MAX	64u

static struct { uint8_t b[SEAL_OVERHEAD + 8]; bool opened; } sent[SENT_MAX];
static unsigned n;
static uint8_t room[65536];
static struct seal_opened opened;

static enum seal_said hear(struct seal *seal, struct bytes packet)
{
	enum seal_said said = seal_open(seal, packet, room, sizeof(room), &opened);

	ASSERT(opened.why < WHYS && (said == SEAL_OPENED) == (opened.why == WHY_OK));
	if (said == SEAL_REFUSED)
		ASSERT(opened.plain.len == 0);
	return said;
}

/* Seal one, or play one of those that were sealed, with up to two octets bent. */
static void step(struct seal *from, struct seal *at, struct rd *r, bool known)
{
	uint8_t what = rd_u8(r);
	unsigned which = rd_u8(r) % SENT_MAX;
	uint8_t copy[sizeof(sent[0].b)];

	if (what % 4 == 0 && n < SENT_MAX) {
		struct node_id to = { what / 4 % 4 };

		sent[n].opened = false;
		ASSERT(seal_close(from, to, which % SEAL_STREAMS, bytes_of("8 octets", 8), sent[n].b,
				  sizeof(sent[n].b)) == sizeof(copy));
		n++;
		return;
	}
	if (which >= n)
		return;
	memcpy(copy, sent[which].b, sizeof(copy));
	for (unsigned bends = what % 4 > 1 ? what % 4 - 1 : 0; bends > 0; bends--) {
		unsigned place = rd_u8(r) % sizeof(copy);

		copy[place] ^= rd_u8(r);
	}
	bool whole = memcmp(copy, sent[which].b, sizeof(copy)) == 0;
	bool ours = copy[8] == 0 && (copy[9] == 0 || copy[9] == 2);
	enum seal_said said = hear(at, bytes_of(copy, sizeof(copy) - (what >= 0xf0)));

	if (what >= 0xf0 || !whole || !ours || (known && sent[which].opened))
		ASSERT(said == SEAL_REFUSED);
	else
		ASSERT(said == (known ? SEAL_OPENED : SEAL_UNKNOWN_BOOT));
	sent[which].opened |= said == SEAL_OPENED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct seal_secret secret[SEAL_SECRETS_MAX] = { { 1, "a secret" }, { 2, "another" } };
	static const struct seal_secret unused[SEAL_SECRETS_MAX] = { { 1, "nothing was sealed with it" } };
	static const uint8_t seed[RND_SEED_LEN] = { 3 };
	struct seal *from = malloc(seal_size()), *at = malloc(seal_size());
	struct rd r = rd_of(data, len);
	struct rnd rnd;
	uint8_t how = rd_u8(&r), nonce[16];

	rnd_seed(&rnd, seed);
	seal_init(from, (struct node_id){ 1 }, bytes_str("fuzz"), &rnd);
	seal_init(at, (struct node_id){ 2 }, bytes_str("fuzz"), &rnd);
	seal_secrets(from, secret, 1 + how / 2 % 2);
	seal_secrets(at, how ? secret : unused, 1);	/* the fuzzer learns sealed datagrams by our comparing them */
	n = 0;
	if (how & 1) {
		uint8_t answer[SEAL_OVERHEAD];

		ASSERT(seal_challenge(at, (struct node_id){ 1 }, seal_boot(from), (struct mono){ 1 }, &rnd, nonce));
		ASSERT(seal_close(from, (struct node_id){ 2 }, SEAL_UNICAST, bytes_of("", 0), answer, sizeof(answer)));
		ASSERT(hear(at, bytes_of(answer, sizeof(answer))) == SEAL_UNKNOWN_BOOT);
		ASSERT(seal_answered(at, (struct node_id){ 1 }, seal_boot(from), nonce));
	}
	if (how == 0)
		ASSERT(hear(at, rd_rest(&r)) == SEAL_REFUSED);
	while (how && rd_left(&r))
		step(from, at, &r, how & 1);
	free(from);
	free(at);
	return 0;
}
