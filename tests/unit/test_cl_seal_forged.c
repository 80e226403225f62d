/*
 * Goal: a datagram that was forged, bent, cut, recorded or meant for another is refused with the right reason and
 * changes nothing; a boot is known only after it proved that it lives (requirements R56, R57).
 * Method: every octet of a datagram bent and every length cut; recordings played in every situation we could
 * think of, with either side restarted.
 */
#include "tests/unit/cl_seal_ends.h"

/* ---- R56: forged ---- */

static void r56_forged_bits_at_each_octet(void **state)
{
	static const struct { size_t end; enum why why; } part[] = {
		{ 3, WHY_CL_MAGIC }, { 4, WHY_CL_KEY }, { 6, WHY_CL_CLUSTER }, { 8, WHY_CL_TAG }, { 10, WHY_CL_TO },
		{ 28, WHY_CL_TAG }, { 29, WHY_CL_VALUE }, { sizeof(room), WHY_CL_TAG } };
	struct sealed s = say(&a, &b, "every bit of this counts");
	struct sealed first = say(&a, &b, "this one opened first");

	(void)state;
	assert_int_equal(hear(&b, first), WHY_OK);
	for (size_t bit = 0; bit < s.len * 8; bit++) {
		struct sealed bent = s;
		unsigned i = 0;

		bent.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		while (bit / 8 >= part[i].end)
			i++;
		enum why why = hear(&b, bent);

		if (why == WHY_CL_REPLAY)	/* a bent counter may be one that was taken, or is too old */
			assert_true(bit / 8 > 28 && bit / 8 < SEAL_HEADER_LEN);
		else if (bent.b[8] == 0 && bent.b[9] == 0)
			assert_int_equal(why, WHY_CL_TAG);	/* as if to all */
		else if (bent.b[6] == 0 && bent.b[7] == 0)
			assert_int_equal(why, WHY_CL_VALUE);	/* as if from nobody */
		else if (bit / 8 == 28)		/* another stream that there is, or none */
			assert_true(why == WHY_CL_VALUE || why == WHY_CL_TAG);
		else
			assert_int_equal(why, part[i].why);
		for (size_t j = 0; why == WHY_CL_TAG && j < s.len - SEAL_OVERHEAD; j++)
			assert_int_equal(room[j], 0);
	}
	assert_int_equal(hear(&b, s), WHY_OK);
}

static void r56_truncated_at_each_length(void **state)
{
	struct sealed s = say(&a, NULL, "not all of this arrives");

	(void)state;
	for (size_t len = 0; len < s.len; len++) {
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, s.b, len);
		assert_int_equal(hear_bytes(&b, bytes_of(exact, len)),
				 len < SEAL_OVERHEAD ? WHY_CL_SHORT : WHY_CL_TAG);
		free(exact);
	}
	struct sealed more = s;

	more.len++;
	assert_int_equal(hear(&b, more), WHY_CL_TAG);
	assert_int_equal(hear(&b, s), WHY_OK);
}

static void r56_the_window_does_not_move_before_the_tag_holds(void **state)
{
	struct sealed early = say(&a, &b, "early"), forged = say(&a, &b, "forged");

	(void)state;
	memset(forged.b + 29, 0xff, 7);
	assert_int_equal(hear(&b, forged), WHY_CL_TAG);
	forged = early;
	forged.b[forged.len - 1] ^= 1;
	assert_int_equal(hear(&b, forged), WHY_CL_TAG);
	assert_int_equal(hear(&b, early), WHY_OK);
}

static void r56_a_flood_of_forged_boots_displaces_nobody(void **state)
{
	struct sealed before = say(&a, &b, "before"), s = say(&a, &b, "forged");
	struct boot_id known;

	(void)state;
	for (unsigned i = 0; i < 50000; i++) {
		if (i % 2)
			s.b[7] = (uint8_t)(3 + i / 2 % 200);	/* of nodes that nobody knows, too */
		else
			s.b[7] = 1;
		rnd_fill(&c.rnd, s.b + 12, 24);
		s.b[28] = SEAL_UNICAST;
		assert_int_equal(hear(&b, s), WHY_CL_TAG);
	}
	assert_false(seal_knows(b.seal, (struct node_id){ 4 }, NULL));
	assert_true(seal_knows(b.seal, a.node, &known));
	assert_memory_equal(known.b, seal_boot(a.seal).b, 16);
	assert_int_equal(hear(&b, before), WHY_OK);
	assert_int_equal(hear(&b, say(&c, &b, "and the other")), WHY_OK);
}

/* ---- R57: recorded ---- */

static void r57_replay_within_a_boot(void **state)
{
	struct sealed s[3] = { say(&a, NULL, "to all"), say(&a, &b, "to one"), say_on(&a, b.node, SEAL_BULK, "bulk") };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(hear(&b, s[i]), WHY_OK);
		assert_int_equal(hear(&b, s[i]), WHY_CL_REPLAY);
		s[i].b[s[i].len - 1] ^= 1;	/* told before the tag is looked at */
		assert_int_equal(hear(&b, s[i]), WHY_CL_REPLAY);
	}
}

static void r57_to_another_node(void **state)
{
	struct sealed to_b = say(&a, &b, "for b"), to_all = say(&a, NULL, "for all"), bent;

	(void)state;
	assert_int_equal(hear(&c, to_b), WHY_CL_TO);
	bent = to_b;
	bent.b[9] = (uint8_t)c.node.n;
	assert_int_equal(hear(&c, bent), WHY_CL_TAG);
	bent.b[9] = 0;				/* unicast played to all */
	assert_int_equal(hear(&c, bent), WHY_CL_TAG);
	bent = to_all;
	bent.b[9] = (uint8_t)b.node.n;		/* multicast played to one */
	assert_int_equal(hear(&b, bent), WHY_CL_TAG);
	bent.b[28] = SEAL_UNICAST;
	assert_int_equal(hear(&b, bent), WHY_CL_TAG);
	assert_int_equal(hear(&b, to_all), WHY_OK);
	assert_int_equal(hear(&b, bent), WHY_CL_TAG);
	assert_int_equal(hear(&c, to_all), WHY_OK);
	assert_int_equal(hear(&b, to_b), WHY_OK);
	bent = say(&a, &b, "as from another");
	bent.b[7] = (uint8_t)c.node.n;
	assert_int_equal(hear(&b, bent), WHY_CL_TAG);
}

static void r57_a_boot_that_is_over_is_refused(void **state)
{
	struct sealed taken = say(&a, &b, "taken"), kept = say(&a, &b, "kept back"), old[12];

	(void)state;
	assert_int_equal(hear(&b, taken), WHY_OK);
	boot_as(&a, 1, "test");
	assert_int_equal(hear(&b, kept), WHY_OK);	/* the old may speak until the new one has proved itself */
	meet(&b, &a);
	assert_int_equal(hear(&b, taken), WHY_CL_BOOT_OLD);
	assert_int_equal(hear(&b, kept), WHY_CL_BOOT_OLD);
	kept.b[kept.len - 1] ^= 1;			/* told before the tag is looked at */
	assert_int_equal(hear(&b, kept), WHY_CL_BOOT_OLD);
	for (unsigned i = 0; i < 12; i++) {
		old[i] = say(&a, &b, "of one boot of many");
		boot_as(&a, 1, "test");
		meet(&b, &a);
	}
	for (unsigned i = 0; i < 12; i++)		/* what was dropped long ago is as good as unknown */
		assert_int_equal(hear(&b, old[i]), i < 4 ? WHY_CL_BOOT : WHY_CL_BOOT_OLD);
}

static void r57_older_boot_after_the_receiver_restarted(void **state)
{
	char nonce[17], wrong[17] = "0123456789abcdef";
	struct sealed old = say(&a, NULL, "claim"), old_answer = say(&a, &b, "answer");
	struct boot_id old_boot = seal_boot(a.seal), known;

	(void)state;
	boot_as(&a, 1, "test");
	boot_as(&b, 2, "test");
	assert_int_equal(hear(&b, old), WHY_CL_BOOT);
	assert_true(ask(&b, &a, heard.boot, nonce));
	assert_int_equal(hear(&b, old_answer), WHY_CL_BOOT);	/* it has the nonce of another challenge */
	assert_false(seal_answered(b.seal, a.node, old_boot, (uint8_t *)wrong));
	assert_false(seal_knows(b.seal, a.node, NULL));
	assert_int_equal(hear(&b, old), WHY_CL_BOOT);

	/* The living boot got that challenge, and answers. */
	assert_int_equal(hear(&b, say(&a, &b, "answer")), WHY_CL_BOOT);
	assert_true(seal_answered(b.seal, a.node, heard.boot, (uint8_t *)nonce));
	assert_true(seal_knows(b.seal, a.node, &known));
	assert_memory_equal(known.b, seal_boot(a.seal).b, 16);
	assert_int_equal(hear(&b, old), WHY_CL_BOOT);
	assert_false(seal_answered(b.seal, a.node, old_boot, (uint8_t *)nonce));	/* a nonce serves once */
	assert_int_equal(hear(&b, say(&a, NULL, "now")), WHY_OK);
}

static void r57_what_was_sealed_before_the_answer_is_never_opened(void **state)
{
	struct sealed s[4] = { say(&a, NULL, "1"), say(&a, &b, "2"), say_on(&a, b.node, SEAL_BULK, "3"),
			       say_on(&a, (struct node_id){ 0 }, SEAL_BULK, "4") };

	(void)state;
	boot_as(&b, 2, "test");
	meet(&b, &a);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(hear(&b, s[i]), WHY_CL_REPLAY);
	assert_int_equal(hear(&b, say(&a, NULL, "5")), WHY_OK);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(hear(&b, s[i]), WHY_CL_REPLAY);
}

static void challenges_are_few_and_answers_exact(void **state)
{
	struct boot_id boot = { { 1 } }, here = seal_boot(a.seal);
	uint8_t nonce[16], second[16];
	unsigned asked = 0, other_asked = 0, in_second = 0;

	(void)state;
	for (unsigned ms = 0; ms < 10000; ms++) {
		boot.b[1] = (uint8_t)ms;		/* of however many boots */
		now = mono_add(now, DUR_MS(1));
		if (ms % 1000 == 0)
			in_second = 0;
		if (seal_challenge(b.seal, a.node, boot, now, &b.rnd, nonce))
			asked++, in_second++;
		other_asked += seal_challenge(b.seal, c.node, boot, now, &b.rnd, second);
		assert_true(in_second <= 10);
		assert_false(seal_challenge(b.seal, b.node, boot, now, &b.rnd, second));
	}
	assert_int_equal(asked, 100);
	assert_int_equal(other_asked, 100);
	now = mono_add(now, DUR_S(1));
	assert_false(seal_challenge(b.seal, a.node, here, now, &b.rnd, nonce));	/* known */
	boot_as(&a, 1, "test");
	meet(&b, &a);
	now = mono_add(now, DUR_S(1));
	assert_false(seal_challenge(b.seal, a.node, here, now, &b.rnd, nonce));	/* dropped */

	boot_as(&a, 1, "test");
	boot = seal_boot(a.seal);
	assert_true(seal_challenge(b.seal, a.node, boot, now, &b.rnd, nonce));
	now = mono_add(now, DUR_MS(100));
	assert_true(seal_challenge(b.seal, a.node, boot, now, &b.rnd, second));
	assert_memory_not_equal(nonce, second, 16);
	assert_false(seal_answered(b.seal, a.node, boot, nonce));		/* in no packet */
	assert_int_equal(hear(&b, say(&a, &b, "answer")), WHY_CL_BOOT);
	assert_false(seal_answered(b.seal, c.node, boot, nonce));
	assert_false(seal_answered(b.seal, a.node, here, nonce));
	second[15] ^= 1;
	assert_false(seal_answered(b.seal, a.node, boot, second));
	assert_int_equal(hear(&b, say(&c, &b, "between")), WHY_OK);
	assert_false(seal_answered(b.seal, a.node, boot, nonce));		/* not in the packet opened last */
	assert_int_equal(hear(&b, say(&a, &b, "again")), WHY_CL_BOOT);
	assert_true(seal_answered(b.seal, a.node, boot, nonce));		/* the first is good until one came */
	assert_int_equal(hear(&b, say(&a, &b, "known")), WHY_OK);
	second[15] ^= 1;
	boot_as(&a, 1, "test");			/* all that was asked before is over, and no nonce is none */
	assert_int_equal(hear(&b, say(&a, &b, "and again")), WHY_CL_BOOT);
	assert_false(seal_answered(b.seal, a.node, heard.boot, second));
	assert_false(seal_answered(b.seal, a.node, heard.boot, nonce));
	memset(nonce, 0, sizeof(nonce));
	assert_false(seal_answered(b.seal, a.node, heard.boot, nonce));
}

static void challenges_of_many_nodes(void **state)
{
	struct boot_id boot = { { 1 } };
	uint8_t nonce[16], last[16];

	(void)state;
	boot_as(&b, 2, "test");
	for (uint16_t node = 10; node < 10 + CLUSTER_NODES_MAX; node++) {
		now = mono_add(now, DUR_MS(1));
		assert_true(seal_challenge(b.seal, (struct node_id){ node }, boot, now, &b.rnd,
					   node == 10 ? nonce : last));
	}
	/* No place: one that was asked a moment ago would lose its limit. */
	assert_false(seal_challenge(b.seal, (struct node_id){ 9 }, boot, now, &b.rnd, last));
	now = mono_add(now, DUR_MS(70));
	assert_true(seal_challenge(b.seal, (struct node_id){ 9 }, boot, now, &b.rnd, last));
	boot_as(&c, 9, "test");			/* in the place of node 10, whose nonce is not good for it */
	assert_int_equal(hear(&b, say(&c, &b, "answer")), WHY_CL_BOOT);
	assert_false(seal_answered(b.seal, c.node, heard.boot, nonce));
	assert_true(seal_answered(b.seal, c.node, heard.boot, last));
	boot_as(&c, 10, "test");
	assert_int_equal(hear(&b, say(&c, &b, "answer")), WHY_CL_BOOT);
	assert_false(seal_answered(b.seal, c.node, heard.boot, nonce));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(r56_forged_bits_at_each_octet),
		CASE(r56_truncated_at_each_length),
		CASE(r56_the_window_does_not_move_before_the_tag_holds),
		CASE(r56_a_flood_of_forged_boots_displaces_nobody),
		CASE(r57_replay_within_a_boot),
		CASE(r57_to_another_node),
		CASE(r57_a_boot_that_is_over_is_refused),
		CASE(r57_older_boot_after_the_receiver_restarted),
		CASE(r57_what_was_sealed_before_the_answer_is_never_opened),
		CASE(challenges_are_few_and_answers_exact),
		CASE(challenges_of_many_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
