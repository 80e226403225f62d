/* scenario_repl.c -- every change is everywhere, and nothing is told too early. */
#include "cluster/state.h"
#include "tests/sim/scenario.h"

/* The oldest slave misses what another has; then the master dies, and the oldest asks first. */
void scenario_R10_import(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	for (unsigned i = 0; i < 6; i++) {
		unsigned old = stage_master(sim, 2000, 0)->index, behind = stage_slave(sim, i % 2);
		uint32_t term = cl_status(sim->node[old].cl).term;

		stage_clients(sim, 1000);
		stage_run(sim, 200);
		stage_part(sim, 1u << behind, true);
		stage_run(sim, 150 + chance_below(&sim->chance, 150));
		stage_clients(sim, 0);
		stage_run(sim, 5);
		stage_kill(sim, old);
		stage_part(sim, 1u << behind, false);
		(void)stage_master(sim, 2000, term);
		stage_start(sim, old);
		stage_settled(sim, 4000);
		sim->app->checked(sim);
	}
}

void scenario_R26_gaps(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 1000);
	for (unsigned i = 0; i < 20; i++) {
		unsigned master = stage_master(sim, 1, 0)->index, slave = stage_slave(sim, i % 2);

		stage_cut(sim, master, slave, true);
		stage_run(sim, 20 + chance_below(&sim->chance, 330));
		stage_cut(sim, master, slave, false);
		stage_run(sim, 150);
		struct version upto = cl_upto(sim->node[master].cl);

		stage_run(sim, 100);
		EXPECT(sim, !version_before(sim->node[slave].cl->have, upto), "node %u misses changes, and is not told",
			slave + 1);
	}
	EXPECT(sim, stage_stat(sim, CL_STAT_kills) == 0 && stage_stat(sim, CL_STAT_copies) <= 3,
		"copies were dropped for a gap");
	stage_settled(sim, 500);
	sim->app->checked(sim);
}

/* Datagrams overtake each other, and some are lost: what is asked for again is bounded. */
/* A deposed master comes back, and before it has given its own branch up the next one dies. */
void scenario_R10_unproved(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	for (unsigned i = 0; i < 10; i++) {
		stage_clients(sim, 1000);
		stage_run(sim, 500);
		struct node *a = stage_master(sim, 3000, 0);
		uint32_t term = cl_status(a->cl).term;

		stage_part(sim, 1u << a->index, true);
		struct node *b = stage_master(sim, 3000, term);

		stage_run(sim, 200);
		stage_part(sim, 1u << a->index, false);
		for (uint64_t until = sim->now + S_US; sim->now < until; sim_run_until(sim, sim->now + 10))
			if (node_eq(cl_status(a->cl).master, b->conf.self))
				break;
		sim_run_until(sim, sim->now + chance_below(&sim->chance, i % 2 ? 400 : 4000));
		stage_clients(sim, 0);
		stage_kill(sim, b->index);
		(void)stage_master(sim, 4000, term + 1);
		stage_start(sim, b->index);
		stage_settled(sim, 4000);
		sim->app->checked(sim);
	}
}

void scenario_R27_nacks(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 400);
	stage_run(sim, 500);
	sim->swarm.net.delay_us = 700;			/* well within the allowance, and far from in order */
	uint64_t resent = stage_stat(sim, CL_STAT_resent), gaps = stage_stat(sim, CL_STAT_gaps);

	stage_run(sim, 3000);
	resent = stage_stat(sim, CL_STAT_resent) - resent;
	gaps = stage_stat(sim, CL_STAT_gaps) - gaps;
	EXPECT(sim, resent < 1500, "nothing is lost, and %u gaps are seen, %u records sent again", (unsigned)gaps,
		(unsigned)resent);
	/* A fifth of the master's words are lost on the way to one slave. */
	unsigned master = stage_master(sim, 1, 0)->index, slave = stage_slave(sim, 0);

	resent = stage_stat(sim, CL_STAT_resent);
	sim->path[master][slave].lossy = 1;
	stage_run(sim, 3000);
	resent = stage_stat(sim, CL_STAT_resent) - resent;
	sim_note(sim, "%u records are sent again", (unsigned)resent);
	EXPECT(sim, resent < 20000, "a fifth of 7500 is lost, and %u records are sent again", (unsigned)resent);
	sim->path[master][slave].lossy = 0;
	stage_settled(sim, 1000);
	sim->app->checked(sim);
}

/* A bit flips in a slave's memory. */
void scenario_R32_damage(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 2000);
	stage_run(sim, 2000);
	stage_clients(sim, 0);
	stage_run(sim, 200);
	struct node *slave = &sim->node[stage_slave(sim, chance_below(&sim->chance, 2))];
	const struct node *master = stage_master(sim, 1, 0);
	uint32_t key = 1;

	while (records_get(&slave->cl->records, key).octets.len == 0)
		key++;
	struct bytes octets = records_get(&slave->cl->records, key).octets;

	((uint8_t *)(uintptr_t)octets.p)[chance_below(&sim->chance, octets.len)] ^= 4;
	stage_disturb(sim);
	stage_run(sim, 22000);
	struct bytes ours = records_get(&slave->cl->records, key).octets, theirs = records_get(&master->cl->records,
		key).octets;

	EXPECT(sim, bytes_eq(ours, theirs), "the record of key %u stays damaged", key);
	EXPECT(sim, stage_stat(sim, CL_STAT_kills) == 0, "a copy was dropped for one bit");
	stage_settled(sim, 500);
	sim->app->checked(sim);
}

/* A packet that was passed on too often goes nowhere. */
void scenario_R65_hops(struct sim *sim)
{
	struct fx_cl_forwarded how = { .from = { sim_address(100), 1701 }, .local = sim_address(200), .kind = 7,
		.hops = 3 };
	struct { uint64_t id; uint32_t wish, key; } request = { 1, 0, 5 };

	stage(sim, 3, true);
	stage_up(sim);
	struct node *slave = &sim->node[stage_slave(sim, 0)];
	uint64_t released = sim->released;

	for (how.hops = 0; how.hops < 8; how.hops++) {
		request.id++;
		node_begin(sim, slave);
		node_pass_on(sim, &how, bytes_of(&request, sizeof(request)));
		node_end(sim, slave);
		stage_run(sim, 50);
	}
	EXPECT(sim, sim->released > released && sim->released <= released + 3, "%u of 8 packets were passed on",
		(unsigned)(sim->released - released));
}

/* A deposed master comes back with changes of its own, and wins: what it imports must be what the others have. */
void scenario_R10_branch(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	for (unsigned i = 0; i < 5; i++) {
		stage_clients(sim, 2000);
		stage_run(sim, 500);
		struct node *a = stage_master(sim, 3000, 0);
		uint32_t term = cl_status(a->cl).term;

		stage_part(sim, 1u << a->index, true);
		struct node *b = stage_master(sim, 3000, term);
		unsigned c = 3 - a->index - b->index;

		stage_run(sim, 1000);
		stage_clients(sim, 0);
		stage_run(sim, 100);
		uint64_t root = b->cl->records.root, repairs = stage_stat(sim, CL_STAT_repairs);

		term = cl_status(b->cl).term;
		repairs -= cl_stat(b->cl, CL_STAT_repairs);
		stage_kill(sim, b->index);
		stage_part(sim, 1u << a->index, false);
		struct node *now = NULL;

		for (uint64_t until = sim->now + 4 * S_US; !now && sim->now < until; sim_run_until(sim, sim->now + 10))
			for (unsigned n = 0; n < 3 && !now; n++)
				if (sim->node[n].up && cl_status(sim->node[n].cl).role == CL_ROLE_MASTER &&
					cl_status(sim->node[n].cl).term > term)
					now = &sim->node[n];
		EXPECT(sim, now, "no new master");
		EXPECT(sim, now->cl->records.root == root, "node %u begins with another table than the last master's",
			now->index + 1);
		stage_run(sim, 1500);
		EXPECT(sim, now->index == c || stage_stat(sim, CL_STAT_repairs) == repairs,
			"a new master's table had to be repaired");
		stage_start(sim, b->index);
		stage_settled(sim, 4000);
	}
	sim->app->checked(sim);
}

void scenario_R33_deletions(struct sim *sim)
{
	stage(sim, 3, true);
	sim->swarm.faults = UINT64_C(1) << FAULT_replay;
	stage_up(sim);
	for (unsigned i = 0; i < 4; i++) {
		unsigned away = i % 2 ? stage_slave(sim, 0) : stage_master(sim, 1, 0)->index;

		stage_clients(sim, 1000);
		stage_run(sim, 300);
		stage_part(sim, 1u << away, true);
		stage_run(sim, 5000);
		stage_clients(sim, 0);
		stage_part(sim, 1u << away, false);
		for (unsigned n = 0; n < SIM_RECORDED && n < sim->recordings; n++)
			for (unsigned to = 0; to < 3; to++)
				net_deliver(sim, sim->recorded[n], to, n * 100);
		stage_settled(sim, 3000);
		sim->app->checked(sim);
	}
}

/* The master's words reach nobody, though it hears all: nothing may be told. */
void scenario_R35_commit(struct sim *sim)
{
	stage(sim, 5, true);
	stage_up(sim);
	stage_clients(sim, 1000);
	stage_run(sim, 300);
	for (unsigned i = 0; i < 5; i++) {
		struct node *master = stage_master(sim, 2000, 0);
		uint64_t released;

		for (unsigned b = 0; b < 5; b++)
			if (b != master->index && b != (master->index + 1) % 5)
				stage_cut(sim, master->index, b, true);
		stage_run(sim, 5);
		released = sim->released;
		stage_run(sim, 400);
		EXPECT(sim, sim->released == released, "an output was told that two of five have");
		stage_run(sim, 1000);
		for (unsigned b = 0; b < 5; b++)
			stage_cut(sim, master->index, b, false);
		stage_settled(sim, 3000);
	}
	sim->app->checked(sim);
}

/*
 * A slave that missed something is sent it in several datagrams, while records go on
 * changing: what it has in between is not what the master had at that position.
 */
void scenario_R35_between(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	for (unsigned i = 0; i < 12; i++) {
		stage_clients(sim, 100);
		stage_run(sim, 50);
		unsigned old = stage_master(sim, 3000, 0)->index, slave = stage_slave(sim, i % 2);
		uint32_t term = cl_status(sim->node[old].cl).term;
		uint64_t released;

		stage_part(sim, 1u << (3 - old - slave), true);
		stage_cut(sim, old, slave, true);
		stage_run(sim, 30 + chance_below(&sim->chance, 30));
		stage_cut(sim, old, slave, false);
		released = sim->released;
		for (uint64_t until = sim->now + 50 * MS_US; sim->released == released && sim->now < until; )
			sim_run_until(sim, sim->now + 10);
		sim_run_until(sim, sim->now + chance_below(&sim->chance, 500));
		stage_kill(sim, old);
		stage_part(sim, 1u << (3 - old - slave), false);
		stage_clients(sim, 0);
		(void)stage_master(sim, 3000, term);
		stage_start(sim, old);
		stage_settled(sim, 4000);
		sim->app->checked(sim);
	}
}

void scenario_R39_failover(struct sim *sim)
{
	uint64_t worst = 0;

	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 1000);
	for (unsigned i = 0; i < 10; i++) {
		stage_run(sim, 500 + chance_below(&sim->chance, 500));
		unsigned old = stage_master(sim, 1, 0)->index;
		uint64_t died = sim->now, released;

		stage_kill(sim, old);
		released = sim->released;
		while (sim->released == released && sim->now < died + 2 * S_US)
			stage_run(sim, 1);
		if (sim->now - died > worst)
			worst = sim->now - died;
		stage_start(sim, old);
		stage_settled(sim, 4000);
	}
	EXPECT(sim, worst <= 700 * MS_US, "it took %u ms", (unsigned)(worst / 1000));
	sim->app->checked(sim);
}

void scenario_R44_queue(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	for (unsigned i = 0; i < 5; i++) {
		unsigned old = stage_master(sim, 1, 0)->index;
		uint32_t term = cl_status(sim->node[old].cl).term;

		stage_kill(sim, old);
		stage_run(sim, 30 + 60 * i);
		uint64_t told = sim->released;

		/* Asked of both slaves while there is no master; wishes for new numbers only come from the table. */
		for (unsigned n = 0; n < 120; n++)
			sim->app->client(sim);
		(void)stage_master(sim, 1500, term);
		stage_run(sim, 100);
		EXPECT(sim, sim->released >= told + 5, "%u of what was asked was done",
			(unsigned)(sim->released - told));
		stage_start(sim, old);
		stage_settled(sim, 4000);
	}
	sim->app->checked(sim);
}

void scenario_R49_routes(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 1000);
	stage_run(sim, 1000);
	unsigned slave = stage_slave(sim, 0);

	stage_kill(sim, slave);
	stage_run(sim, 1000);
	stage_start(sim, slave);
	/* It cannot hear the master's bulk: links are thin. */
	for (uint64_t until = sim->now + 3 * S_US; sim->now < until; stage_run(sim, 1)) {
		struct cl_status status = cl_status(sim->node[slave].cl);

		EXPECT(sim, status.announce != CL_ANNOUNCE_FULL || status.up_to_date,
			"node %u announces its routes, and has no verified table", slave + 1);
	}
	stage_settled(sim, 1000);
	EXPECT(sim, cl_status(sim->node[slave].cl).announce == CL_ANNOUNCE_FULL, "its routes are not announced");
	/* Frozen, with everything it had: it goes on, less preferred. */
	stage_part(sim, 1u << slave, true);
	stage_run(sim, 3000);
	EXPECT(sim, cl_status(sim->node[slave].cl).announce != CL_ANNOUNCE_OFF, "a frozen node withdrew its routes");
}

void scenario_R50_master_routes(struct sim *sim)
{
	unsigned flips = 0;

	stage(sim, 3, true);
	stage_up(sim);
	stage_clients(sim, 5000);
	stage_run(sim, 3000);
	struct node *master = stage_master(sim, 1, 0);
	enum cl_announce last = cl_status(master->cl).announce;

	EXPECT(sim, last != CL_ANNOUNCE_FULL, "the master announces, though two slaves do");
	unsigned a = stage_slave(sim, 0), b = stage_slave(sim, 1);

	for (uint64_t until = sim->now + 20 * S_US; sim->now < until; stage_run(sim, 10)) {
		enum cl_announce now = cl_status(master->cl).announce;

		flips += now != last;
		last = now;
		/* One slave misses changes all the time. */
		if (sim->now / MS_US % 500 < 10)
			stage_cut(sim, master->index, a, sim->now / MS_US % 1000 < 500);
	}
	stage_cut(sim, master->index, a, false);
	EXPECT(sim, flips == 0, "its routes went and came %u times", flips);
	stage_kill(sim, a);
	stage_kill(sim, b);
	stage_run(sim, 3000);
	EXPECT(sim, cl_status(master->cl).announce != CL_ANNOUNCE_OFF, "nobody announces");
}

void scenario_R52_heal(struct sim *sim)
{
	stage(sim, 5, true);
	stage_up(sim);
	for (unsigned i = 0; i < 5; i++) {
		uint32_t side = chance_between(&sim->chance, 1, 30);

		stage_clients(sim, 2000);
		stage_run(sim, 500);
		stage_part(sim, side, true);
		stage_run(sim, 100 + chance_below(&sim->chance, 8000));
		stage_clients(sim, 0);
		stage_part(sim, side, false);
		stage_settled(sim, 5000);
		sim->app->checked(sim);
	}
	EXPECT(sim, stage_stat(sim, CL_STAT_kills) == 0, "somebody dropped its copy");
}

/* Two terms later somebody comes with what it had before it was all deleted. */
void scenario_R33_offers(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	for (unsigned i = 0; i < 3; i++) {
		stage_clients(sim, 1000);
		stage_run(sim, 500);
		struct node *away = stage_master(sim, 3000, 0);
		uint32_t term = cl_status(away->cl).term;

		stage_part(sim, 1u << away->index, true);
		struct node *next = stage_master(sim, 3000, term);

		stage_run(sim, 4000);
		stage_clients(sim, 0);
		stage_run(sim, 100);
		term = cl_status(next->cl).term;
		stage_disturb(sim);
		node_command(sim, next, CL_VERB_HANDOVER, stage_id(3 - away->index - next->index));
		(void)stage_master(sim, 1000, term);
		stage_run(sim, 100);
		stage_part(sim, 1u << away->index, false);
		stage_settled(sim, 4000);
		sim->app->checked(sim);
	}
}

static void play_recorded(struct sim *sim)
{
	unsigned n = sim->recordings < SIM_RECORDED ? (unsigned)sim->recordings : SIM_RECORDED;

	for (unsigned i = 0; i < n; i++)
		for (unsigned to = 0; to < sim->nodes; to++)
			net_deliver(sim, sim->recorded[i], to, i * 500 + to * 150);
}

void scenario_R57_replay(struct sim *sim)
{
	stage(sim, 3, true);
	sim->swarm.faults = UINT64_C(1) << FAULT_replay;
	stage_up(sim);
	stage_clients(sim, 3000);
	for (unsigned i = 0; i < 6; i++) {
		unsigned node = i % 2 ? stage_slave(sim, 0) : stage_master(sim, 2000, 0)->index;

		stage_run(sim, 1000);
		stage_kill(sim, node);
		stage_run(sim, 700);
		stage_start(sim, node);
		play_recorded(sim);		/* while it knows nobody */
		stage_settled(sim, 4000);
		sim->keys_used = 1;
	}
	struct node *master = stage_master(sim, 1, 0);
	uint32_t term = cl_status(master->cl).term;
	uint64_t changes = sim->role_changes;

	stage_clients(sim, 0);
	stage_run(sim, 500);
	struct version upto = cl_upto(master->cl);
	uint64_t root = master->cl->records.root;

	for (unsigned i = 0; i < 5; i++) {
		play_recorded(sim);
		stage_run(sim, 500);
	}
	EXPECT(sim, sim_master(sim) == master && cl_status(master->cl).term == term && sim->role_changes == changes,
		"old datagrams changed a role");
	EXPECT(sim, version_eq(cl_upto(master->cl), upto) && master->cl->records.root == root,
		"old datagrams changed the table");
	stage_settled(sim, 500);
	sim->app->checked(sim);
}

/* The old master's last words to one node hang on the way until another term is well begun. */
void scenario_R10_late_beats(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	for (unsigned i = 0; i < 6; i++) {
		stage_clients(sim, 1000);
		stage_run(sim, 300);
		unsigned old = stage_master(sim, 2000, 0)->index, late = stage_slave(sim, i % 2),
			other = 3 - old - late;
		uint32_t term = cl_status(sim->node[old].cl).term;

		/* Nothing reaches the other; what goes to the first comes when the vote is going on, or just after. */
		sim->path[old][late].clogged_until = sim->now + (510 + 12 * i) * MS_US;
		stage_cut(sim, old, other, true);
		stage_cut(sim, late, old, true);
		stage_run(sim, 300);
		stage_cut(sim, old, late, true);
		(void)stage_master(sim, 2500, term);
		stage_run(sim, 500);
		stage_cut(sim, old, other, false);
		stage_cut(sim, late, old, false);
		stage_cut(sim, old, late, false);
		stage_settled(sim, 3000);
		sim->app->checked(sim);
	}
}

/*
 * The master stands still, its clock too, and wakes believing in its lease.  A slave that has
 * promised the next term meanwhile gets its last changes late: it must not acknowledge them.
 */
void scenario_R10_promise(struct sim *sim)
{
	stage(sim, 3, true);
	stage_up(sim);
	for (unsigned i = 0; i < 8; i++) {
		struct node *old = stage_master(sim, 3000, 0), *voter = &sim->node[stage_slave(sim, i % 2)];
		unsigned next = 3 - old->index - voter->index;
		uint32_t term = cl_status(old->cl).term;

		stage_cut(sim, next, old->index, true);
		stage_cut(sim, old->index, next, true);
		stage_run(sim, 300);
		stage_clients(sim, 300);
		if (i & 2) {			/* the voter has just noticed a gap, and the answer hangs, too */
			stage_cut(sim, old->index, voter->index, true);
			stage_run(sim, 60);
			stage_cut(sim, old->index, voter->index, false);
			stage_run(sim, 2);
		}
		sim->path[old->index][voter->index].clogged_until = sim->now + 900 * MS_US;
		stage_run(sim, 20);
		stage_clients(sim, 0);
		node_sleep(sim, old, sim->now + 1500 * MS_US, true);
		for (uint64_t until = sim->now + 850 * MS_US; voter->promised <= term && sim->now < until; )
			sim_run_until(sim, sim->now + 20);
		sim->path[next][voter->index].clogged_until = sim->now + 600 * MS_US;
		sim->path[voter->index][old->index].clogged_until = 0;
		stage_run(sim, 1500);
		stage_cut(sim, next, old->index, false);
		stage_cut(sim, old->index, next, false);
		stage_settled(sim, 4000);
		sim->app->checked(sim);
	}
}
