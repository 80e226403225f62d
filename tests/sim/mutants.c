/*
 * mutants.c -- is every guard of the machine missed when it is switched off?
 *
 * cluster/mutants.def names the guards.  A mutant is caught when a scenario fails with it
 * that passes without, or a storm does.  The scenarios come first: they are short,
 * and say by their name what the guard is for.
 */
#include "cluster/mutants.h"
#include "tests/sim/sim.h"

struct mutant { const char *name, *text; };

static const struct mutant mutants[] = {
#define MUTANT(id, text) { #id, text },
#include "cluster/mutants.def"
#undef MUTANT
};

/* Where to look first: it saves time, nothing more. */
static const struct { int mutant; const char *scenario; } hint[] = {
	{ CL_MUTANT_QUORUM_ONE, "R51_splits" },
	{ CL_MUTANT_QUORUM_HALF, "R51_splits" },
	{ CL_MUTANT_PRECLAIM, "R11_cut_off" },
	{ CL_MUTANT_PROMISE, "R10_duel" },
	{ CL_MUTANT_PROMISE_HEARTBEAT, "R10_promise" },
	{ CL_MUTANT_STICKINESS, "R13_stickiness" },
	{ CL_MUTANT_FRESH_VOTE, "R14_memoryless" },
	{ CL_MUTANT_LEASE, "R15_lease" },
	{ CL_MUTANT_LOWER_TERM, "R40_late_beats" },
	{ CL_MUTANT_REFUSALS_ANSWERED, "R12_refusals" },
	{ CL_MUTANT_IMPORT_BEST, "R10_import" },
	{ CL_MUTANT_AWAKE, "R7_asleep" },
	{ CL_MUTANT_ABSTAIN, "R16_asymmetric" },
	{ CL_MUTANT_CLOSED_TERM, "R40_late_beats" },
	{ CL_MUTANT_SUCCESSOR_FIRST, "R40_handover" },
	{ CL_MUTANT_RANK, "R17_rank" },
	{ CL_MUTANT_CONFIG, "R21_configured_differently" },
	{ CL_MUTANT_DUPLICATE, "R21_duplicate" },
	{ CL_MUTANT_UNICAST_FALLBACK, "R23_multicast_blocked" },
	{ CL_MUTANT_YIELD, "R12_refusals" },
	{ CL_MUTANT_COMMIT_RULE, "R35_commit" },
	{ CL_MUTANT_ACK_BEFORE_STORED, "R26_gaps" },
	{ CL_MUTANT_BASE_UNCHECKED, "R10_unproved" },
	{ CL_MUTANT_GAP_UNSEEN, "R26_gaps" },
	{ CL_MUTANT_OLDER_OVERWRITES, "R26_gaps" },
	{ CL_MUTANT_UP_TO_DATE_UNVERIFIED, "R10_duel" },
	{ CL_MUTANT_IMPORT_UNCHECKED, "R10_branch" },
	{ CL_MUTANT_NACK_AT_ONCE, "R27_nacks" },
	{ CL_MUTANT_ROOT_BETWEEN, "R35_between" },
	{ CL_MUTANT_ACK_PARTS, "R3_clocks" },
	{ CL_MUTANT_BATCH_IN_PIECES, "R35_between" },
	{ CL_MUTANT_OFFERS_DROPPED, "R10_branch" },
	{ CL_MUTANT_TIME_JUMPS, "R2_seniority" },
	{ CL_MUTANT_DAMAGE_OVERLOOKED, "R32_damage" },
	{ CL_MUTANT_FORWARD_HOPS, "R65_hops" },
	{ CL_MUTANT_DELETED_RESURRECTED, "R33_offers" },
};

/* Guards behind which another stands, so that no run can tell; unit tests know them. */
static const struct { int mutant; const char *why; } hidden[] = {
	{ CL_MUTANT_HOLDS_UNPROVED, "who has not compared its history has what it acknowledges all the same" },
	{ CL_MUTANT_NACK_UNLIMITED, "a slave waits for the answer to what it asked before" },
	{ CL_MUTANT_PROMISE_RECORDS, "the round of such a resend is over by then, or nearly always" },
	{ CL_MUTANT_HOLDS_OF_OLD_TERM, "an acknowledgement of an older term is below every change of this one" },
	{ CL_MUTANT_ROUND_UNCHECKED, "a late resend connects nowhere, or holds what is there already" },
	{ CL_MUTANT_KILL_BOOT, "what was sealed for another boot is not opened" },
	{ CL_MUTANT_KILL_REPEATED, "a datagram is opened once" },
};

static const char *hidden_why(int mutant)
{
	for (unsigned i = 0; i < ARRAY_LEN(hidden); i++)
		if (hidden[i].mutant == mutant)
			return hidden[i].why;
	return NULL;
}

/* What fails without a mutant, too, tells nothing. */
static bool fails_only_so(struct sim *sim, uint64_t seed, void (*play)(struct sim *sim))
{
	int mutant = cl_mutant;
	char error[sizeof(sim->error)];

	if (sim_perform(sim, seed, play))
		return false;
	memcpy(error, sim->error, sizeof(error));
	cl_mutant = 0;
	bool ok = sim_perform(sim, seed, play);

	cl_mutant = mutant;
	memcpy(sim->error, error, sizeof(error));
	return ok;
}

/* The scenario that is hinted at, or all others. */
static bool caught_on_stage(struct sim *sim, uint64_t seed, bool hinted)
{
	const char *name = "";

	for (unsigned i = 0; i < ARRAY_LEN(hint); i++)
		if (hint[i].mutant == cl_mutant)
			name = hint[i].scenario;
	for (unsigned i = 0; i < scenario_count; i++) {
		if ((strcmp(scenarios[i].name, name) == 0) != hinted)
			continue;
		sim->scenario = scenarios[i].name;
		for (unsigned s = 0; s < (hinted ? 8 : 2); s++)
			if (fails_only_so(sim, seed + s, scenarios[i].play))
				return true;
	}
	return false;
}

static bool caught(struct sim *sim, uint64_t seed, unsigned seeds)
{
	if (caught_on_stage(sim, seed, true) || caught_on_stage(sim, seed, false))
		return true;
	sim->scenario = NULL;
	for (unsigned s = 0; s < seeds; s++)
		if (fails_only_so(sim, seed + s, play_storm))
			return true;
	return false;
}

bool mutants_run(struct sim *sim, const char *which, uint64_t seed, unsigned seeds)
{
	bool ok = true, found = false;

	for (unsigned i = 0; i < ARRAY_LEN(mutants); i++) {
		if (strcmp(which, "all") != 0 && strcmp(which, mutants[i].name) != 0)
			continue;
		const char *why = hidden_why((int)i + 1);

		found = true;
		cl_mutant = (int)i + 1;
		if (why && strcmp(which, "all") == 0) {		/* by its name it is tried nevertheless */
			printf("SKIP mutant-%s: no run can tell: %s\n", mutants[i].name, why);
		} else if (caught(sim, seed, seeds ? seeds : 200)) {
			printf("ok mutant-%s (%s) is caught by %s, seed %llu: %s\n", mutants[i].name, mutants[i].text,
				sim->scenario ? sim->scenario : "a storm", (unsigned long long)sim->seed, sim->error);
		} else {
			printf("FAIL mutant-%s: nothing misses the guard (%s)\n", mutants[i].name, mutants[i].text);
			ok = false;
		}
	}
	cl_mutant = 0;
	sim->scenario = NULL;
	if (!found)
		fprintf(stderr, "no mutant %s\n", which);
	return found && ok;
}
