/* run.c -- one run: what it is like, drawn from its seed; a storm of faults, then peace, and what must hold then. */
#include "cluster/state.h"
#include "tests/sim/sim.h"

#define CHECK_US	(250 * MS_US)
#define EVENTS_MAX	UINT64_C(40000000)

/* ---- what a run is like ---- */

static void draw_net(struct chance *c, struct swarm *swarm)
{
	struct net *net = &swarm->net;

	*net = (struct net){ .delay_us = chance_between(c, 30, 400), .straggle_ms = 60, .octets_per_ms = 125000,
		.queue_ms = 50 };
	swarm->mild = chance_permille(c, 500);
	if (swarm->mild) {
		net->loss = chance_below(c, 11);
		net->dup = chance_below(c, 11);
		net->straggle = chance_below(c, 3);
		return;
	}
	if (chance_permille(c, 600))
		net->loss = chance_below(c, chance_permille(c, 200) ? 200 : 80);
	if (chance_permille(c, 500))
		net->dup = chance_below(c, 60);
	if (chance_permille(c, 500))
		net->straggle = chance_below(c, 30);
	net->straggle_ms = chance_between(c, 60, 500);
	if (chance_permille(c, 300))
		net->delay_us = chance_between(c, 400, 5000);
	if (chance_permille(c, 200))
		net->octets_per_ms = chance_between(c, 1250, 12500);
}

void swarm_draw(struct sim *sim)
{
	struct chance *c = &sim->chance;
	struct swarm *swarm = &sim->swarm;
	static const uint8_t quorate[] = { 3, 3, 3, 3, 5, 5, 4, 7 };

	*swarm = (struct swarm){ .commit = CL_COMMIT_QUORUM, .whole_product = wishes.whole_product };
	swarm->members = wishes.members >= 0 ? wishes.members != 0 : chance_permille(c, 850);
	swarm->nodes = swarm->members ? quorate[chance_below(c, sizeof(quorate))] : chance_between(c, 2, 5);
	if (wishes.nodes)
		swarm->nodes = wishes.nodes;
	draw_net(c, swarm);
	for (unsigned kind = 0; kind < FAULT_KINDS; kind++)
		if (chance_permille(c, 300))
			swarm->faults |= UINT64_C(1) << kind;
	if (chance_permille(c, 50))
		swarm->faults = (UINT64_C(1) << FAULT_KINDS) - 1;
	swarm->fault_gap_ms = chance_between(c, 100, 1500);
	swarm->client_gap_us = chance_between(c, 2000, 20000);
	swarm->seconds = wishes.seconds ? wishes.seconds : chance_between(c, 4, 12);
	if (!swarm->members && chance_permille(c, 500))
		swarm->commit = CL_COMMIT_ONE;
}

/* ---- a run ---- */

void sim_begin(struct sim *sim, uint64_t seed)
{
	struct fx_list *out = sim->out;
	struct forward *forward = sim->forward;
	bool verbose = sim->verbose;
	const char *scenario = sim->scenario;

	*sim = (struct sim){ .seed = seed, .out = out, .forward = forward, .verbose = verbose, .scenario = scenario,
		.chance = chance_of(seed) };
	sim->app = wishes.whole_product ? &app_lns : &app_ledger;
	swarm_draw(sim);
}

void sim_started(struct sim *sim)
{
	sim->nodes = sim->swarm.nodes;
	sim->quorum = sim->nodes / 2 + 1;
	sim->sending = 1;
	sim->secret[0].id = 1;
	for (unsigned i = 0; i < SEAL_SECRET_LEN; i++)
		sim->secret[0].octets[i] = (uint8_t)chance_u64(&sim->chance);
	check_begin(sim);
	sim->app->begin(sim);
	for (unsigned i = 0; i < SIM_NODES; i++)
		sim->node[i].index = i;
	for (unsigned i = 0; i < sim->nodes; i++)
		sim_at(sim, 1000 + chance_below(&sim->chance, 300000), EV_START, i, 0);
	sim_at(sim, CHECK_US, EV_CHECK, 0, 0);
	sim_note(sim, "%u nodes, %s, loss %u, copies %u, stragglers %u of %u ms, delay %u us, faults %llx each %u ms",
		sim->nodes, sim->swarm.members ? "a quorum decides" : "open", sim->swarm.net.loss,
		sim->swarm.net.dup, sim->swarm.net.straggle, sim->swarm.net.straggle_ms, sim->swarm.net.delay_us,
		(unsigned long long)sim->swarm.faults, sim->swarm.fault_gap_ms);
}

void sim_end(struct sim *sim)
{
	sim->acting = NULL;
	for (unsigned i = 0; i < SIM_NODES; i++)
		node_crash(sim, &sim->node[i]);
	if (sim->world)
		sim->app->end(sim);
	check_end(sim);
	uint64_t hash = sim->hash, events = sim->events;

	world_free(sim);
	sim->hash = hash;
	sim->events = events;
}

/* Each quarter of a second: counters are told, the key is looked after, and talk is measured. */
static void look(struct sim *sim)
{
	for (unsigned i = 0; i < sim->nodes; i++) {
		struct node *node = &sim->node[i];
		uint64_t sent = node->sent - node->sent_before;

		node->sent_before = node->sent;
		if (sent > node->sent_worst)
			node->sent_worst = sent;
		if (sent > 6000)
			sim_fail(sim, "I12: node %u sent %llu datagrams in a quarter of a second", i + 1,
				(unsigned long long)sent);
		if (!node_runs(sim, node))
			continue;
		if (!sim->quiet_net)
			node->counted += chance_below(&sim->chance, 1000);
		node_begin(sim, node);
		cl_bytes(node->cl, bytes_of((uint64_t[]){ node->boots, node->counted }, 16), node_now(sim, node),
			sim->out);
		node_end(sim, node);
	}
	keys_rotate(sim);
	sim_at(sim, sim->now + CHECK_US, EV_CHECK, 0, 0);
}

static void handle(struct sim *sim, const struct event *event)
{
	switch ((enum event_kind)event->kind) {
	case EV_PACKET: case EV_WAKE: case EV_RESUME:
		node_event(sim, &sim->node[event->node], event);
		break;
	case EV_START:
		sim->last_disturbed = sim->now;
		node_event(sim, &sim->node[event->node], event);
		break;
	case EV_CLIENT:
		if (!sim->stop)
			sim->app->client(sim);
		sim_at(sim, sim->now + 1 + chance_around(&sim->chance, sim->swarm.client_gap_us), EV_CLIENT, 0, 0);
		break;
	case EV_FAULT:
		if (event->what != 0 && sim->now >= event->what)
			break;
		fault_inject(sim);
		sim_at(sim, sim->now + chance_around(&sim->chance, sim->swarm.fault_gap_ms * MS_US), EV_FAULT, 0,
			event->what);
		break;
	case EV_HEAL:
		if (sim->fault[event->node].active && sim->fault[event->node].until == event->what)
			fault_heal(sim, &sim->fault[event->node]);
		break;
	case EV_CHECK:
		look(sim);
		break;
	case EV_APP:
		sim->app->event(sim, event);
		break;
	case EVENTS:
		break;
	}
}

/* Somebody wakes again and again: whose turn does not come to an end? */
_Noreturn static void stands_still(struct sim *sim, const struct event *event)
{
	const struct node *node = &sim->node[event->node];
	const struct cl *cl = node->cl;

	if (event->kind != EV_WAKE || !cl)
		sim_fail(sim, "I12: time stands still (event of kind %u)", event->kind);
	sim_fail(sim, "I12: time stands still at node %u: now %llu, next %llu (peers %llu, elect %llu, repl %llu, "
		"forward %llu, command %llu)", event->node + 1, (unsigned long long)node_now(sim, node).us,
		(unsigned long long)cl_next(cl).us, (unsigned long long)peers_next(cl).us,
		(unsigned long long)elect_next(cl).us, (unsigned long long)repl_next(cl).us,
		(unsigned long long)forward_next(cl).us, (unsigned long long)command_next(cl).us);
}

void sim_run_until(struct sim *sim, uint64_t until)
{
	struct event event;
	uint64_t at = 0, same = 0;

	while (sim->heaped > 0 && sim->heap[0].at <= until) {
		(void)sim_next(sim, &event);
		same = event.at == at ? same + 1 : 0;
		at = event.at;
		if (same > 100000)
			stands_still(sim, &event);
		if (sim->events > EVENTS_MAX)
			sim_fail(sim, "I12: too many events");
		handle(sim, &event);
	}
	sim->now = until;
}

static void counters_add_up(struct sim *sim)
{
	for (unsigned a = 0; a < sim->nodes; a++)
		for (unsigned b = 0; b < sim->nodes; b++) {
			const struct node *by = &sim->node[b];

			if (a != b && (sim->node[a].heard[b].boots != by->boots ||
				sim->node[a].heard[b].counted != by->counted))
				sim_fail(sim, "I11: node %u counted %llu, node %u heard of %llu", b + 1,
					(unsigned long long)by->counted, a + 1,
					(unsigned long long)sim->node[a].heard[b].counted);
		}
}

/* Faults are over: what must come back, and how soon. */
static void peace(struct sim *sim)
{
	uint64_t begin = sim->now, released;

	sim->quiet_net = true;
	faults_stop(sim);
	sim_run_until(sim, begin + 3 * S_US);
	if (!sim_master(sim))
		check_settled(sim);
	released = sim->released;
	sim_run_until(sim, begin + 3500 * MS_US);
	if (sim->released == released && !sim->swarm.whole_product)
		sim_fail(sim, "I13: nothing is told any more");
	sim->stop = true;
	check_settles(sim, begin + 5 * S_US);
	sim_run_until(sim, begin + 6 * S_US);
	check_settles(sim, begin + 7 * S_US);
	counters_add_up(sim);
	sim->app->checked(sim);
}

void play_storm(struct sim *sim)
{
	uint64_t start = chance_permille(&sim->chance, 300) ? 0 : 4 * S_US, stop = start + sim->swarm.seconds * S_US;

	sim_started(sim);
	sim_at(sim, S_US / 2, EV_CLIENT, 0, 0);
	sim_at(sim, start + 1, EV_FAULT, 0, stop);
	sim_run_until(sim, stop);
	peace(sim);
}

/* False: it failed, sim->error says why. */
bool sim_perform(struct sim *sim, uint64_t seed, void (*play)(struct sim *sim))
{
	sim_begin(sim, seed);
	sim->performing = true;
	bool ok = setjmp(sim->failed) == 0;

	if (ok)
		play(sim);
	sim->performing = false;
	sim_end(sim);
	return ok;
}
