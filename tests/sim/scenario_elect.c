/* scenario_elect.c -- who is master, and who is not. */
#include "cluster/state.h"
#include "tests/sim/scenario.h"

void scenario_R3_clocks(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 3000);
	for (unsigned i = 0; i < 3; i++)
		node_clock_rate(sim, &sim->node[i], (int32_t)chance_below(&sim->chance, 1001) - 500);
	for (unsigned i = 0; i < 4; i++) {
		struct node *master = stage_master(sim, 3000, 0);
		uint32_t ms = i < 2 ? 3000 : 350 + chance_below(&sim->chance, 300);

		node_sleep(sim, i % 2 ? &sim->node[stage_slave(sim, 0)] : master, sim->now + ms * MS_US, true);
		stage_disturb(sim);
		stage_run(sim, ms + 1000);
		stage_disturb(sim);
	}
	stage_settled(sim, 3000);
	sim->app->checked(sim);
}

void scenario_R7_asleep(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 5000);
	struct node *master = stage_master(sim, 1, 0);
	uint32_t term = stage_term(sim);

	for (unsigned i = 0; i < 6; i++) {
		unsigned slave = stage_slave(sim, i % 2);
		struct node *node = &sim->node[slave];
		uint64_t asked = cl_stat(node->cl, CL_STAT_elections), changes = node->role_changes;

		/* What came for it meanwhile is lost: it remembers an old heartbeat and nothing else. */
		for (unsigned b = 0; b < 3; b++)
			stage_cut(sim, b, slave, true);
		node_sleep(sim, node, sim->now + (600 + 700 * i) * MS_US, i & 2);
		stage_run(sim, 590 + 700 * i);
		for (unsigned b = 0; b < 3; b++)
			stage_cut(sim, b, slave, false);
		stage_run(sim, 1500);
		stage_unchanged(sim, term, master);
		EXPECT(sim, cl_stat(node->cl, CL_STAT_elections) == asked, "node %u slept, and asked for a term",
			slave + 1);
		EXPECT(sim, node->role_changes == changes, "node %u slept, and took the master for dead", slave + 1);
	}
	stage_settled(sim, 1000);
}

/* The network is so slow that ranks do not keep candidates apart. */
void scenario_R10_duel(struct sim *sim)
{
	stage(sim, 5, true);
	stage_up(sim);
	sim->swarm.mild = false;
	stage_clients(sim, 5000);
	for (unsigned i = 0; i < 10; i++) {
		unsigned old = stage_master(sim, 4000, 0)->index;
		uint32_t term = stage_term(sim);

		/* In every other round the two oldest have lost sight of each other: each asks at once. */
		stage_run(sim, 300);
		unsigned a = stage_senior(sim, 1u << old), b = stage_senior(sim, 1u << old | 1u << a);

		stage_cut(sim, a, b, i % 2);
		stage_cut(sim, b, a, i % 2);
		stage_run(sim, 1000);
		sim->swarm.net.delay_us = i % 2 ? 500 : 25000 + chance_below(&sim->chance, 20000);
		stage_kill(sim, old);
		stage_run(sim, 1500);
		stage_cut(sim, a, b, false);
		stage_cut(sim, b, a, false);
		sim->swarm.net.delay_us = 100;
		(void)stage_master(sim, 4000, term);
		stage_start(sim, old);
		stage_settled(sim, 4000);
	}
	sim->app->checked(sim);
}

void scenario_R11_cut_off(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 5000);
	struct node *master = stage_master(sim, 1, 0);
	unsigned away = stage_slave(sim, chance_below(&sim->chance, 2));
	uint32_t term = stage_term(sim);

	stage_part(sim, 1u << away, true);
	stage_run(sim, 20000);
	EXPECT(sim, cl_status(sim->node[away].cl).frozen, "node %u is not frozen", away + 1);
	EXPECT(sim, sim->node[away].promised <= term, "the term of node %u went on to %u", away + 1,
		sim->node[away].promised);
	stage_part(sim, 1u << away, false);
	stage_run(sim, 2000);
	stage_unchanged(sim, term, master);
	stage_settled(sim, 1000);
	EXPECT(sim, stage_stat(sim, CL_STAT_kills) == 0, "somebody dropped its copy");
}

/* A master cut off from multicast, and deposed, hears of it only from those it talks to. */
void scenario_R12_refusals(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	struct node *old = stage_master(sim, 1, 0);
	uint32_t term = stage_term(sim);

	stage_part(sim, 1u << old->index, true);
	struct node *now = stage_master(sim, 3000, term);

	stage_run(sim, 200);
	for (unsigned i = 0; i < 3; i++)
		sim->path[i][old->index].cut_multicast++;
	stage_part(sim, 1u << old->index, false);
	/* The new master itself is silent towards it: the third node has to tell. */
	stage_cut(sim, now->index, old->index, true);
	uint64_t began = sim->now, sent = old->sent, heard;

	while (old->sent == sent && sim->now < began + 200 * MS_US)
		sim_run_until(sim, sim->now + 50);
	heard = sim->path[3 - old->index - now->index][old->index].passed;
	stage_run(sim, 3);
	EXPECT(sim, cl_status(old->cl).role != CL_ROLE_MASTER ||
		sim->path[3 - old->index - now->index][old->index].passed > heard,
			"a heartbeat of an old term is refused "
		"in silence");
	stage_run(sim, 250);
	EXPECT(sim, cl_status(old->cl).term > term || cl_status(old->cl).role != CL_ROLE_MASTER,
		"node %u was not told that its term is over", old->index + 1);
	stage_cut(sim, now->index, old->index, false);
	for (unsigned i = 0; i < 3; i++)
		sim->path[i][old->index].cut_multicast--;
	stage_settled(sim, 3000);
}

void scenario_R13_stickiness(struct sim *sim)
{
	unsigned nodes = chance_permille(&sim->chance, 500) ? 3 : 5;

	stage(sim, nodes, true);
	stage_up(sim);
	stage_clients(sim, 5000);
	struct node *master = stage_master(sim, 1, 0);
	uint32_t term = stage_term(sim);
	unsigned away = stage_slave(sim, chance_below(&sim->chance, 2));

	stage_cut(sim, master->index, away, true);
	stage_run(sim, 6000);
	stage_unchanged(sim, term, master);
	stage_cut(sim, master->index, away, false);
	stage_run(sim, 1000);
	stage_unchanged(sim, term, master);
	stage_settled(sim, 1000);
}

/* A and B have everything, C has not; A is restarted empty, B cannot be reached: C must wait for B. */
void scenario_R14_memoryless(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	unsigned a = stage_master(sim, 1, 0)->index, b = stage_slave(sim, 0), c = stage_slave(sim, 1);

	stage_part(sim, 1u << c, true);
	stage_clients(sim, 3000);
	stage_run(sim, 1000);
	EXPECT(sim, sim->released > 50, "nothing was told");
	stage_kill(sim, a);
	stage_part(sim, 1u << c, false);
	stage_part(sim, 1u << b, true);
	stage_run(sim, 50);
	stage_start(sim, a);
	stage_run(sim, 4000);
	EXPECT(sim, !sim_master(sim), "node %u is master without what was told", sim_master(sim)->index + 1);
	stage_part(sim, 1u << b, false);
	(void)stage_master(sim, 3000, 0);
	stage_settled(sim, 3000);
	sim->app->checked(sim);
}

void scenario_R15_lease(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 3000);
	for (unsigned i = 0; i < 5; i++) {
		struct node *old = stage_master(sim, 3000, 0);
		uint32_t term = stage_term(sim);

		/* Deaf, mute, or both. */
		for (unsigned b = 0; b < 3; b++) {
			if (b != old->index && i % 3 != 1)
				stage_cut(sim, b, old->index, true);
			if (b != old->index && i % 3 != 0)
				stage_cut(sim, old->index, b, true);
		}
		for (uint64_t until = sim->now + 450 * MS_US; sim->now < until && node_serves(old); )
			stage_run(sim, 5);
		EXPECT(sim, !node_serves(old), "node %u hears nobody, and is not frozen", old->index + 1);
		(void)stage_master(sim, 3000, term);
		stage_run(sim, 1000);
		stage_part(sim, 1u << old->index, false);
		stage_settled(sim, 3000);
	}
	sim->app->checked(sim);
}

void scenario_R16_asymmetric(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 5000);
	for (unsigned i = 0; i < 10; i++) {
		unsigned x = i % 2 ? stage_slave(sim, 0) : stage_master(sim, 3000, 0)->index,
			y = (x + 1 + i / 2 % 2) % 3;

		for (unsigned b = 0; b < 3; b++) {
			if (b != x && i / 2 == 0)
				stage_cut(sim, b, x, true);		/* deaf */
			if (b != x && i / 2 == 1)
				stage_cut(sim, x, b, true);		/* mute */
		}
		if (i / 2 == 2 || i / 2 == 4)
			stage_cut(sim, x, y, true);			/* one way */
		if (i / 2 == 3 || i / 2 == 4)
			stage_cut(sim, y, x, true);			/* the other; or both */
		stage_run(sim, 3000);
		(void)stage_master(sim, 1, 0);
		uint64_t changes = sim->role_changes, released = sim->released;

		stage_run(sim, 10000);
		EXPECT(sim, sim->role_changes - changes <= 2, "%u roles change in 10 s (cut %u)",
			(unsigned)(sim->role_changes - changes), i);
		EXPECT(sim, sim->released > released + 500, "nothing is told (cut %u)", i);
		stage_part(sim, 1u << x, false);
		stage_settled(sim, 3000);
	}
}

void scenario_R17_rank(struct sim *sim)
{
	stage(sim, 7, true);
	stage_up(sim);
	stage_clients(sim, 5000);
	for (unsigned i = 0; i < 4; i++) {
		stage_run(sim, 300);		/* PINGs have told who joined when */
		struct node *master = stage_master(sim, 1, 0);
		uint64_t asked = stage_stat(sim, CL_STAT_elections), died = sim->now;
		uint32_t term = stage_term(sim);
		unsigned next = stage_senior(sim, 1u << master->index);

		asked -= cl_stat(master->cl, CL_STAT_elections);
		if (i % 2 == 1)
			asked -= cl_stat(sim->node[next].cl, CL_STAT_elections);
		stage_kill(sim, master->index);
		if (i % 2 == 1)
			stage_kill(sim, next);
		struct node *now = stage_master(sim, 1500, term);

		EXPECT(sim, i % 2 == 1 || now->index == next, "node %u is older than node %u", next + 1,
			now->index + 1);
		EXPECT(sim, sim->now - died < (i % 2 ? 900 : 700) * MS_US, "it took %u ms",
			(unsigned)((sim->now - died) / 1000));
		EXPECT(sim, stage_stat(sim, CL_STAT_elections) - asked == 1, "%u nodes asked for the term",
			(unsigned)(stage_stat(sim, CL_STAT_elections) - asked));
		for (unsigned n = 0; n < 7; n++)
			if (!sim->node[n].up)
				stage_start(sim, n);
		stage_settled(sim, 4000);
	}
}

void scenario_R19_lossy_lan(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	struct node *master = stage_master(sim, 1, 0);
	uint32_t term = stage_term(sim);

	sim->swarm.net = (struct net){ .loss = 80, .dup = 30, .straggle = 50, .straggle_ms = 61, .delay_us = 300,
		.octets_per_ms = 125000, .queue_ms = 50 };
	stage_clients(sim, 30000);
	stage_run(sim, 1000 * (wishes.seconds ? wishes.seconds : 120));
	stage_unchanged(sim, term, master);
	sim->quiet_net = true;
	stage_settled(sim, 1000);
	sim->app->checked(sim);
}

void scenario_R22_many(struct sim *sim)
{
	stage(sim, 32, true);
	sim->app = &app_ledger;
	stage_up(sim);
	uint32_t term = stage_term(sim);
	uint64_t sent = stage_stat(sim, CL_STAT_sent);
	struct node *master = stage_master(sim, 1, 0);

	sent -= cl_stat(master->cl, CL_STAT_sent);
	stage_kill(sim, master->index);
	uint64_t died = sim->now;

	(void)stage_master(sim, 1000, term);
	/* Besides the election: each node's PINGs, answers to the old master's last heartbeats, questions to the silent
	 * master, and answers to the new one's first. */
	uint64_t others = ((sim->now - died) / (100 * MS_US) + 1) * 31 + 12 * 31;

	sent = stage_stat(sim, CL_STAT_sent) - sent;
	EXPECT(sim, sent < others + 4 * 32, "%u datagrams for an election of 32", (unsigned)(sent - others));
	stage_start(sim, master->index);
	stage_settled(sim, 5000);
}

void scenario_R23_multicast_blocked(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 5000);
	struct node *master = stage_master(sim, 1, 0);
	uint32_t term = stage_term(sim);
	struct fault *fault = fault_begin(sim, FAULT_multicast, 60 * S_US);

	fault->multicast = true;
	for (unsigned a = 0; a < 3; a++)
		for (unsigned b = 0; b < 3; b++)
			fault_cut(sim, fault, a, b);
	fault_cut(sim, fault, SIM_NODES, 0);
	stage_run(sim, 1000);
	uint64_t released = sim->released;

	stage_run(sim, 5000);
	EXPECT(sim, sim->released > released + 300, "little is told without multicast");
	for (unsigned i = 0; i < 3; i++)
		EXPECT(sim, stage_alive(sim, i) == 2, "node %u sees %u others", i + 1, stage_alive(sim, i));
	stage_unchanged(sim, term, master);
	stage_settled(sim, 1000);
	stage_clients(sim, 5000);
	fault_heal(sim, fault);
	stage_run(sim, 3000);
	stage_unchanged(sim, term, master);
	stage_settled(sim, 1000);
}

void scenario_R40_handover(struct sim *sim)
{
	stage(sim, 5, true);
	stage_up(sim);
	stage_clients(sim, 2000);
	for (unsigned i = 0; i < 6; i++) {
		struct node *old = stage_master(sim, 1, 0);
		unsigned to = stage_slave(sim, i % 4), third = stage_slave(sim, (i + 1) % 4);
		uint32_t term = stage_term(sim);

		/* What the old master says to a third node comes late. */
		sim->path[old->index][third].clogged_until = sim->now + (80 + 40 * i) * MS_US;
		stage_disturb(sim);
		uint64_t asked = stage_stat(sim, CL_STAT_elections), began = sim->now;

		node_command(sim, old, CL_VERB_HANDOVER, stage_id(to));
		struct node *now = stage_master(sim, 1000, term);

		EXPECT(sim, sim->now - began <= 150 * MS_US, "it took %u ms", (unsigned)((sim->now - began) / 1000));
		EXPECT(sim, now->index == to, "node %u was named, node %u is master", to + 1, now->index + 1);
		stage_run(sim, 1500);
		EXPECT(sim, sim_master(sim) == now && stage_term(sim) == term + 1, "the old term was revived");
		EXPECT(sim, stage_stat(sim, CL_STAT_elections) == asked + 1, "%u nodes asked for the term",
			(unsigned)(stage_stat(sim, CL_STAT_elections) - asked));
	}
	stage_settled(sim, 1000);
	sim->app->checked(sim);
}

/* A node hears the good-bye first, then heartbeats that were on their way, and nothing of the successor yet. */
void scenario_R40_late_beats(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 500);
	for (unsigned i = 0; i < 12; i++) {
		struct node *old = stage_master(sim, 1, 0), *third = &sim->node[stage_slave(sim, i % 2)];
		unsigned to = 3 - old->index - third->index;
		uint32_t term = stage_term(sim);
		bool left = false;

		sim->path[old->index][third->index].clogged_until = sim->now + 15 * MS_US;
		stage_run(sim, 10);
		stage_cut(sim, to, third->index, true);
		node_command(sim, old, CL_VERB_HANDOVER, stage_id(to));
		for (uint64_t until = sim->now + 60 * MS_US; sim->now < until; sim_run_until(sim, sim->now + 10)) {
			struct cl_status status = cl_status(third->cl);

			left |= status.master.n == 0;
			EXPECT(sim, !left || status.term != term || status.master.n == 0,
				"node %u follows a term that was handed over", third->index + 1);
		}
		EXPECT(sim, left, "node %u was not told", third->index + 1);
		stage_cut(sim, to, third->index, false);
		stage_settled(sim, 3000);
	}
}

void scenario_R51_splits(struct sim *sim)
{
	unsigned nodes = chance_permille(&sim->chance, 500) ? 4 : 5;

	stage(sim, nodes, true);
	stage_up(sim);
	stage_clients(sim, 5000);
	for (uint32_t side = 1; side + 1 < 1u << nodes; side++) {
		if (chance_permille(&sim->chance, 600))
			continue;
		stage_part(sim, side, true);
		stage_run(sim, 450);
		for (unsigned later = 0; later < 2; later++, stage_run(sim, 2500))
			for (unsigned i = 0; i < nodes; i++) {
				uint32_t with = side >> i & 1 ? side : ~side & ((1u << nodes) - 1);

				EXPECT(sim, (unsigned)__builtin_popcount(with) > nodes / 2 ||
					!node_serves(&sim->node[i]), "node %u serves with %u of %u nodes", i + 1,
					__builtin_popcount(with), nodes);
			}
		if ((unsigned)__builtin_popcount(side) * 2 != nodes)
			(void)stage_master(sim, 1, 0);
		stage_part(sim, side, false);
		stage_settled(sim, 5000);
	}
	EXPECT(sim, stage_stat(sim, CL_STAT_kills) == 0, "somebody dropped its copy");
	sim->app->checked(sim);
}

void scenario_R58_rotation(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 3000);
	struct node *master = stage_master(sim, 1, 0);
	uint32_t term = stage_term(sim);

	sim->keys_used = 2;
	stage_run(sim, 30000);
	EXPECT(sim, sim->keys_step >= 6 && sim->keys_used == 0, "the key was not changed");
	stage_unchanged(sim, term, master);
	stage_settled(sim, 1000);
}
