/* scenario_start.c -- how a cluster begins, and who is let in. */
#include "cluster/state.h"
#include "tests/sim/scenario.h"

static void all_wait(const struct sim *sim, struct cl_conf *conf, unsigned node)
{
	(void)sim;
	(void)node;
	conf->wait_for_all = true;
}

void scenario_R2_seniority(struct sim *sim)
{
	unsigned oldest = chance_below(&sim->chance, 3);

	stage(sim, 3, true);
	sim->tweak = all_wait;
	sim->swarm.mild = false;
	sim_started(sim);
	sim->heaped = 0;			/* nobody starts unless we say so */
	for (unsigned i = 0; i < 3; i++)
		node_start(sim, &sim->node[(oldest + i) % 3]), stage_run(sim, 800);
	/* Whose turn it is when the last comes is chance, but it is not the youngest's. */
	oldest = stage_master(sim, 6000, 0)->index == oldest ? oldest : (oldest + 1) % 3;
	EXPECT(sim, stage_master(sim, 1, 0)->index == oldest, "the youngest is master");
	stage_settled(sim, 3000);
	stage_clients(sim, 5000);
	/* Comes back as the youngest: nobody yields to it. */
	stage_kill(sim, oldest);
	struct node *next = stage_master(sim, 2000, 1);
	uint32_t term = stage_term(sim);

	stage_start(sim, oldest);
	stage_run(sim, 5000);
	stage_unchanged(sim, term, next);
	stage_settled(sim, 1000);
}

static void soon(const struct sim *sim, struct cl_conf *conf, unsigned node)
{
	(void)sim;
	(void)node;
	conf->fresh_vote_after_ms = 1500;
}

void scenario_R20_cold_start(struct sim *sim)
{
	unsigned first = chance_below(&sim->chance, 5);

	stage(sim, 5, true);
	sim->tweak = soon;
	sim->swarm.mild = false;
	sim_started(sim);
	sim->heaped = 0;			/* nobody starts unless we say so */
	for (unsigned i = 0; i < 5; i++) {
		EXPECT(sim, i > 2 || !sim_master(sim), "a master of %u nodes", i);
		node_start(sim, &sim->node[(first + 3 * i) % 5]);
		stage_run(sim, i < 2 ? 5000 : 0);
	}
	/* One of those who waited: whose turn it is when the third comes is chance. */
	unsigned master = stage_master(sim, 5000, 0)->index;

	EXPECT(sim, master == first || master == (first + 3) % 5, "node %u is older", first + 1);
	EXPECT(sim, sim->term_max < 5000, "waiting for a quorum went through %u terms", sim->term_max);
	stage_settled(sim, 3000);
}

void scenario_R20_wait_for_all(struct sim *sim)
{
	stage(sim, 3, true);
	sim->tweak = all_wait;
	sim->swarm.mild = false;
	sim_started(sim);
	sim->heaped = 0;
	for (unsigned i = 0; i < 3; i++) {
		node_start(sim, &sim->node[i]);
		stage_run(sim, 100);
		if (i == 1)
			stage_run(sim, 6000);
		EXPECT(sim, i == 2 || !sim_master(sim), "a master before everybody is there");
	}
	stage_settled(sim, 5000);
	/* Later it is no matter. */
	struct node *master = stage_master(sim, 1, 0);
	uint32_t term = stage_term(sim);

	stage_kill(sim, master->index);
	(void)stage_master(sim, 1000, term);
}

static void third_differs(const struct sim *sim, struct cl_conf *conf, unsigned node)
{
	(void)sim;
	conf->fresh_vote_after_ms = 1500;
	if (node != 2)
		return;
	conf->dead_ms = 900;
	conf->members = 5;
	conf->member[3] = sim_address(3);
	conf->member[4] = sim_address(4);
}

void scenario_R21_configured_differently(struct sim *sim)
{
	stage(sim, 3, true);
	sim->tweak = third_differs;
	sim->swarm.mild = false;
	sim_started(sim);
	struct node *master = stage_master(sim, 6000, 0);

	EXPECT(sim, master->index != 2, "the node that is configured differently is master");
	stage_run(sim, 3000);
	stage_kill(sim, 1 - master->index);
	stage_run(sim, 5000);
	EXPECT(sim, !sim_master(sim), "the node that is configured differently votes");
}

static void fourth_is_twin(const struct sim *sim, struct cl_conf *conf, unsigned node)
{
	conf->fresh_vote_after_ms = 1500;
	conf->members = 4;
	conf->member[3] = sim_address(3);
	if (node == 3)
		conf->self = stage_id(sim->twin);
}

void scenario_R21_duplicate(struct sim *sim)
{
	stage(sim, 4, true);
	sim->tweak = fourth_is_twin;
	sim_started(sim);
	sim->heaped = 0;
	sim->quorum = 3;
	sim->nodes = 3;
	for (unsigned i = 0; i < 3; i++)
		node_start(sim, &sim->node[i]);
	stage_settled(sim, 5000);
	struct node *master = stage_master(sim, 1, 0);
	uint32_t term = stage_term(sim);

	/* All four hear each other; what is checked is how the three are. */
	sim->twin = chance_permille(&sim->chance, 500) ? master->index : stage_slave(sim, 0);
	sim->nodes = 4;
	node_start(sim, &sim->node[3]);
	stage_run(sim, 8000);
	EXPECT(sim, cl_status(sim->node[3].cl).role == CL_ROLE_SLAVE && !cl_status(sim->node[3].cl).up_to_date,
		"the second node of this id was let in");
	sim->nodes = 3;
	stage_unchanged(sim, term, master);
	stage_settled(sim, 1000);
	sim->nodes = 4;
}

/* All start at once, none is older, and the network is slow: everybody asks for the same term. */
void scenario_R10_cold_duel(struct sim *sim)
{
	stage(sim, 5, true);
	sim->swarm.mild = false;
	sim_started(sim);
	sim->heaped = 0;			/* nobody starts unless we say so */
	for (unsigned round = 0; round < 12; round++) {
		sim->swarm.net.delay_us = 10000 + chance_below(&sim->chance, 30000);
		for (unsigned i = 0; i < 5; i++) {
			node_start(sim, &sim->node[i]);
			stage_run(sim, chance_below(&sim->chance, 3));
		}
		stage_run(sim, 1500);
		sim->swarm.net.delay_us = 100;
		stage_settled(sim, 4000);
		for (unsigned i = 0; i < 5; i++)
			node_crash(sim, &sim->node[i]);
		memset(sim->master_of, 0, SIM_TERMS);
	}
}
