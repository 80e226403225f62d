/*
 * cl_seal_ends.h -- three nodes that seal for each other and know each other, and what one of them heard last.
 */
#ifndef TESTS_CL_SEAL_ENDS_H
#define TESTS_CL_SEAL_ENDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "cluster/seal.h"

struct end { struct node_id node; struct seal *seal; struct rnd rnd; };
struct sealed { size_t len; uint8_t b[SEAL_OVERHEAD + 2048]; };

static struct end a, b, c;
static struct seal_opened heard;
static uint8_t room[2048];
static struct mono now;
static const struct seal_secret one[SEAL_SECRETS_MAX] = { { 7, "the first secret" } };
static const struct seal_secret two[SEAL_SECRETS_MAX] = { { 7, "the first secret" }, { 9, "the second secret" } };
static const struct seal_secret other[SEAL_SECRETS_MAX] = { { 9, "the second secret" } };

static inline void boot_as(struct end *end, uint16_t node, const char *cluster)
{
	end->node.n = node;
	end->seal = realloc(end->seal, seal_size());
	seal_init(end->seal, end->node, bytes_str(cluster), &end->rnd);	/* of whatever the memory holds */
	seal_secrets(end->seal, one, 7);
}

static inline struct sealed say_on(struct end *from, struct node_id to, enum seal_stream stream, const char *words)
{
	struct sealed s = { 0 };

	s.len = seal_close(from->seal, to, stream, bytes_str(words), s.b, sizeof(s.b));
	assert_int_equal(s.len, strlen(words) + SEAL_OVERHEAD);
	return s;
}

static inline struct sealed say(struct end *from, const struct end *to, const char *words)
{
	return say_on(from, to ? to->node : (struct node_id){ 0 }, to ? SEAL_UNICAST : SEAL_MULTICAST, words);
}

static inline enum why hear_bytes(struct end *at, struct bytes packet)
{
	enum seal_said said = seal_open(at->seal, packet, room, sizeof(room), &heard);

	assert_true((said == SEAL_OPENED) == (heard.why == WHY_OK));
	assert_true((said == SEAL_UNKNOWN_BOOT) == (heard.why == WHY_CL_BOOT));
	assert_true(said != SEAL_REFUSED || (heard.plain.len == 0 && heard.plain.p == NULL));
	return heard.why;
}

static inline enum why hear(struct end *at, struct sealed packet)
{
	return hear_bytes(at, bytes_of(packet.b, packet.len));
}

static inline bool ask(struct end *at, const struct end *whom, struct boot_id boot, char nonce[17])
{
	now = mono_add(now, DUR_MS(100));
	nonce[16] = 0;
	return seal_challenge(at->seal, whom->node, boot, now, &at->rnd, (uint8_t *)nonce);
}

/* `at` learns to know `whom`; the nonce goes as it is. */
static inline void meet(struct end *at, struct end *whom)
{
	char nonce[17];
	struct boot_id known;

	assert_int_equal(hear(at, say(whom, NULL, "hello")), WHY_CL_BOOT);
	assert_true(ask(at, whom, heard.boot, nonce));
	assert_int_equal(hear(at, say(whom, at, "answer")), WHY_CL_BOOT);
	assert_true(seal_answered(at->seal, heard.node, heard.boot, (uint8_t *)nonce));
	assert_true(seal_knows(at->seal, whom->node, &known));
	assert_memory_equal(known.b, seal_boot(whom->seal).b, 16);
}

static inline int everybody(void **state)
{
	static const uint8_t seed[3][RND_SEED_LEN] = { { 1 }, { 2 }, { 3 } };

	(void)state;
	now = (struct mono){ 1 };
	rnd_seed(&a.rnd, seed[0]);
	rnd_seed(&b.rnd, seed[1]);
	rnd_seed(&c.rnd, seed[2]);
	boot_as(&a, 1, "test");
	boot_as(&b, 2, "test");
	boot_as(&c, 3, "test");
	meet(&a, &b);
	meet(&a, &c);
	meet(&b, &a);
	meet(&b, &c);
	meet(&c, &a);
	meet(&c, &b);
	return 0;
}

static inline int nobody(void **state)
{
	(void)state;
	free(a.seal);
	free(b.seal);
	free(c.seal);
	a.seal = b.seal = c.seal = NULL;
	return 0;
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, everybody, nobody)

#endif
