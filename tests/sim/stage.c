/* stage.c -- the words that scenarios are written in. */
#include "cluster/state.h"
#include "tests/sim/sim.h"

void stage(struct sim *sim, unsigned nodes, bool members)
{
	sim->swarm = (struct swarm){ .nodes = nodes, .members = members, .commit = CL_COMMIT_QUORUM, .mild = true,
		.client_gap_us = 5000, .fault_gap_ms = 1000, .seconds = 5 };
	sim->swarm.net = (struct net){ .delay_us = 100, .straggle_ms = 60, .octets_per_ms = 125000, .queue_ms = 50 };
	sim->app = &app_ledger;
}

void stage_up(struct sim *sim)
{
	sim_started(sim);
	stage_settled(sim, 6000);
}

void stage_clients(struct sim *sim, uint32_t gap_us)
{
	sim->stop = gap_us == 0;
	if (gap_us == 0)
		return;
	sim->swarm.client_gap_us = gap_us;
	if (!sim->clients)
		sim_at(sim, sim->now + 1, EV_CLIENT, 0, 0);
	sim->clients = true;
}

void stage_run(struct sim *sim, uint32_t ms)
{
	sim_run_until(sim, sim->now + ms * MS_US);
}

void stage_disturb(struct sim *sim)
{
	sim->last_disturbed = sim->now;
}

void stage_cut(struct sim *sim, unsigned from, unsigned to, bool cut)
{
	sim->path[from][to].cut = cut;
	stage_disturb(sim);
}

void stage_part(struct sim *sim, uint32_t side, bool cut)
{
	for (unsigned a = 0; a < sim->nodes; a++)
		for (unsigned b = 0; b < sim->nodes; b++)
			if ((side >> a ^ side >> b) & 1)
				stage_cut(sim, a, b, cut);
}

void stage_kill(struct sim *sim, unsigned node)
{
	sim_note(sim, "node %u dies", node + 1);
	node_crash(sim, &sim->node[node]);
	stage_disturb(sim);
}

void stage_start(struct sim *sim, unsigned node)
{
	node_start(sim, &sim->node[node]);
	stage_disturb(sim);
}

void stage_settled(struct sim *sim, uint32_t within_ms)
{
	const char *why;
	bool stopped = sim->stop;

	sim->stop = true;
	for (uint64_t until = sim->now + within_ms * MS_US; !settled(sim, &why) && sim->now < until; )
		stage_run(sim, 10);
	check_settled(sim);
	sim->stop = stopped;
}

struct node *stage_master(struct sim *sim, uint32_t within_ms, uint32_t above_term)
{
	uint64_t began = sim->now;
	struct node *master = sim_master(sim);

	while ((!master || cl_status(master->cl).term <= above_term) && sim->now < began + within_ms * MS_US) {
		stage_run(sim, 2);
		master = sim_master(sim);
	}
	EXPECT(sim, master && cl_status(master->cl).term > above_term, "no new master within %u ms", within_ms);
	return master;
}

unsigned stage_slave(struct sim *sim, unsigned which)
{
	const struct node *master = sim_master(sim);

	for (unsigned i = 0; i < sim->nodes; i++)
		if (sim->node[i].up && &sim->node[i] != master && which-- == 0)
			return i;
	sim_fail(sim, "there are not so many slaves");
}

unsigned stage_senior(struct sim *sim, uint32_t but)
{
	struct cl_facts facts;
	uint32_t least = UINT32_MAX;
	unsigned senior = SIM_NODES;

	for (unsigned i = 0; i < sim->nodes; i++) {
		if (!sim->node[i].up || but >> i & 1)
			continue;
		cl_facts(sim->node[i].cl, node_now(sim, &sim->node[i]), &facts);
		if (facts.join_no && facts.join_no < least) {
			least = facts.join_no;
			senior = i;
		}
	}
	EXPECT(sim, senior < SIM_NODES, "nobody is senior");
	return senior;
}

unsigned stage_alive(struct sim *sim, unsigned node)
{
	struct cl_peer_facts facts;
	unsigned count = 0;

	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++)
		count += cl_peer(sim->node[node].cl, slot, node_now(sim, &sim->node[node]), &facts) && facts.alive;
	return count;
}

uint64_t stage_stat(struct sim *sim, enum cl_stat stat)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < sim->nodes; i++)
		if (sim->node[i].up)
			sum += cl_stat(sim->node[i].cl, stat);
	return sum;
}

struct node_id stage_id(unsigned node)
{
	return (struct node_id){ (uint16_t)(node + 1) };
}

uint32_t stage_term(struct sim *sim)
{
	return cl_status(stage_master(sim, 1, 0)->cl).term;
}

/* Nobody was deposed and nobody asked since then. */
void stage_unchanged(struct sim *sim, uint32_t term, const struct node *master)
{
	const struct node *now = sim_master(sim);

	EXPECT(sim, now == master, "node %u was master, and %s%u is", master->index + 1, now ? "" : "nobody ",
		now ? now->index + 1 : 0);
	EXPECT(sim, stage_term(sim) == term, "the term went from %u to %u", term, stage_term(sim));
}
