/* fault.c -- what goes wrong: drawn at random by the storm, or ordered by a scenario. */
#include "tests/sim/sim.h"

const char *fault_name(enum fault_kind kind)
{
	static const char *const name[] = {
#define FAULT(id, text) [FAULT_##id] = text,
#include "tests/sim/faults.def"
#undef FAULT
	};
	return name[kind];
}

static unsigned any(struct sim *sim)
{
	return chance_below(&sim->chance, sim->nodes);
}

static unsigned master_or_any(struct sim *sim)
{
	struct node *master = sim_master(sim);

	return master ? master->index : any(sim);
}

/* ---- links ---- */

static void links_change(struct sim *sim, const struct fault *fault, int by)
{
	for (unsigned a = 0; a < sim->nodes; a++)
		for (unsigned b = 0; b < sim->nodes; b++) {
			struct path *path = &sim->path[a][b];

			if (!(fault->cut[a] & 1u << b) || a == b)
				continue;
			if (fault->multicast)
				path->cut_multicast += (unsigned)by;
			else if (fault->lossy)
				path->lossy += (unsigned)by;
			else
				path->cut += (unsigned)by;
		}
}

struct fault *fault_begin(struct sim *sim, enum fault_kind kind, uint64_t lasts)
{
	for (unsigned i = 0; i < SIM_FAULTS; i++) {
		struct fault *fault = &sim->fault[i];

		if (fault->active)
			continue;
		*fault = (struct fault){ .active = true, .kind = kind, .until = sim->now + lasts };
		sim->faults_active++;
		sim->faults_injected++;
		sim->last_disturbed = sim->now;
		sim_at(sim, fault->until, EV_HEAL, i, fault->until);
		return fault;
	}
	return NULL;
}

/* Before links are in force: fault_cut() for each, all at once when `from` is SIM_NODES. */
void fault_cut(struct sim *sim, struct fault *fault, unsigned from, unsigned to)
{
	if (from == SIM_NODES) {
		links_change(sim, fault, 1);
		return;
	}
	fault->cut[from] |= 1u << to;
}

void fault_heal(struct sim *sim, struct fault *fault)
{
	if (!fault->active)
		return;
	links_change(sim, fault, -1);
	struct node *node = &sim->node[fault->node];

	if (fault->kind == FAULT_rate && node->up)
		node_clock_rate(sim, node, 0);
	if (fault->kind == FAULT_slow)
		node->slow_us = 0;
	sim_note(sim, "over: %s", fault_name(fault->kind));
	fault->active = false;
	sim->faults_active--;
	sim->last_disturbed = sim->now;
}

static void cut_links(struct sim *sim, struct fault *fault)
{
	unsigned x = fault->node, y;

	do
		y = any(sim);
	while (y == x);
	for (unsigned a = 0; a < sim->nodes; a++)
		for (unsigned b = 0; b < sim->nodes; b++) {
			bool cut = false;

			switch ((int)fault->kind) {
			case FAULT_alone: case FAULT_master_alone: cut = a == x || b == x; break;
			case FAULT_one_way: cut = a == x && b == y; break;
			case FAULT_triangle: cut = (a == x && b == y) || (a == y && b == x); break;
			case FAULT_deaf: cut = b == x; break;
			case FAULT_mute: case FAULT_multicast_one: cut = a == x; break;
			case FAULT_multicast: cut = true; break;
			default: break;
			}
			if (cut)
				fault_cut(sim, fault, a, b);
		}
	fault->multicast = fault->kind == FAULT_multicast || fault->kind == FAULT_multicast_one;
}

static void halves(struct sim *sim, struct fault *fault)
{
	uint32_t side = (uint32_t)chance_u64(&sim->chance);

	for (unsigned a = 0; a < sim->nodes; a++)
		for (unsigned b = 0; b < sim->nodes; b++)
			if ((side >> a ^ side >> b) & 1)
				fault_cut(sim, fault, a, b);
}

static void lossy(struct sim *sim, struct fault *fault)
{
	fault->lossy = true;
	for (unsigned a = 0; a < sim->nodes; a++)
		fault->cut[a] = (uint32_t)chance_u64(&sim->chance);
}

/* Each node's links are held at a time of their own and let go at a time of their own. */
static void swizzle(struct sim *sim, uint64_t lasts)
{
	for (unsigned a = 0; a < sim->nodes; a++)
		for (unsigned b = 0; b < sim->nodes; b++)
			if (chance_permille(&sim->chance, 600))
				sim->path[a][b].clogged_until =
					sim->now + chance_u64(&sim->chance) % (lasts + 1);
}

/* ---- nodes ---- */

/* As many copies may be lost at a time as the quorum allows for; others must be whole again before. */
static bool may_lose_a_copy(const struct sim *sim, const struct node *node)
{
	return copies_lost(sim) + node->whole <= (sim->swarm.members ? sim->quorum - 1 : sim->nodes - 1);
}

static void crash(struct sim *sim, struct node *node, uint64_t lasts)
{
	if (!node->up || !may_lose_a_copy(sim, node))
		return;
	sim_note(sim, "node %u dies for %.3f s", node->index + 1, (double)lasts / 1e6);
	node_crash(sim, node);
	sim_at(sim, sim->now + lasts, EV_START, node->index, node->boots);
}

static void stop(struct sim *sim, struct node *node, uint64_t lasts)
{
	if (!node_runs(sim, node) || !may_lose_a_copy(sim, node))
		return;
	sim_note(sim, "node %u leaves", node->index + 1);
	node_begin(sim, node);
	cl_leaving(node->cl, node_now(sim, node), sim->out);
	node_end(sim, node);
	crash(sim, node, lasts);
}

static void play_again(struct sim *sim)
{
	for (unsigned n = chance_between(&sim->chance, 1, 40); n > 0 && sim->recordings > 0; n--) {
		uint64_t kept = sim->recordings < SIM_RECORDED ? sim->recordings : SIM_RECORDED;
		struct packet *packet = sim->recorded[chance_below(&sim->chance, (uint32_t)kept)];

		net_deliver(sim, packet, any(sim), chance_below(&sim->chance, 20000));
	}
}

static void forge(struct sim *sim)
{
	for (unsigned n = chance_between(&sim->chance, 1, 30); n > 0; n--) {
		struct packet *packet = packet_new(sim);

		packet->by = any(sim);
		packet->len = chance_below(&sim->chance, 1500);
		for (uint32_t i = 0; i < packet->len; i++)
			packet->octets[i] = (uint8_t)chance_u64(&sim->chance);
		if (sim->recordings > 0 && chance_permille(&sim->chance, 700)) {
			uint64_t kept = sim->recordings < SIM_RECORDED ? sim->recordings : SIM_RECORDED;
			const struct packet *old = sim->recorded[chance_below(&sim->chance, (uint32_t)kept)];

			packet->by = old->by;
			packet->len = old->len;
			memcpy(packet->octets, old->octets, old->len);
			packet->octets[chance_below(&sim->chance, old->len)] ^=
				(uint8_t)(1u << chance_below(&sim->chance, 8));
		}
		net_deliver(sim, packet, any(sim), chance_below(&sim->chance, 20000));
		packet_drop(sim, packet);
	}
}

static void operate(struct sim *sim, enum fault_kind kind)
{
	struct node *node = &sim->node[kind == FAULT_handover ? master_or_any(sim) : any(sim)];
	struct node_id to = { (uint16_t)(chance_below(&sim->chance, sim->nodes + 1)) };

	if (!node_runs(sim, node))
		return;
	if (kind == FAULT_handover)
		node_command(sim, node, CL_VERB_HANDOVER, to);
	else if (may_lose_a_copy(sim, node))
		node_command(sim, node, CL_VERB_RESYNC, node->conf.self);
}

/* ---- the key ---- */

/* A key is changed in three sweeps, each of which has reached every node before the next. */
void keys_rotate(struct sim *sim)
{
	for (unsigned i = 0; i < sim->nodes; i++) {
		struct node *node = &sim->node[i];

		if (node->keys_phase == sim->keys_step)
			continue;
		if (!node_runs(sim, node)) {
			if (node->up)
				return;		/* not now */
			continue;
		}
		if (!chance_permille(&sim->chance, 300))
			return;
		cl_secrets(node->cl, (const struct seal_secret[SEAL_SECRETS_MAX]){ sim->secret[0], sim->secret[1] },
			sim->sending);
		node->keys_phase = sim->keys_step;
	}
	switch (sim->keys_step % 3) {
	case 0:					/* a new one is known beside the old */
		if (!sim->keys_used)
			return;
		sim->keys_used--;
		sim->secret[1].id = (uint8_t)(sim->sending % 250 + 1);
		for (unsigned i = 0; i < SEAL_SECRET_LEN; i++)
			sim->secret[1].octets[i] = (uint8_t)chance_u64(&sim->chance);
		break;
	case 1:					/* it seals */
		sim->sending = sim->secret[1].id;
		break;
	default:				/* the old one is forgotten */
		sim->secret[0] = sim->secret[1];
		sim->secret[1] = (struct seal_secret){ 0 };
		break;
	}
	sim->keys_step++;
	sim_note(sim, "key: step %u, sending %u", sim->keys_step, sim->sending);
}

/* ---- the storm ---- */

static void happen(struct sim *sim, enum fault_kind kind, uint64_t lasts)
{
	static const uint64_t on_master = 1u << FAULT_master_alone | 1u << FAULT_crash_master |
		1u << FAULT_stall_master;
	bool lasting = kind <= FAULT_lossy || kind == FAULT_rate || kind == FAULT_slow || kind == FAULT_stall ||
		kind == FAULT_stall_master || kind == FAULT_freeze;
	struct fault *fault = fault_begin(sim, kind, lasting ? lasts : 1);

	if (!fault)
		return;
	fault->node = on_master & UINT64_C(1) << kind ? master_or_any(sim) : any(sim);
	struct node *node = &sim->node[fault->node];

	sim_note(sim, "fault for %.3f s: %s (%u)", (double)lasts / 1e6, fault_name(kind), fault->node + 1);
	switch (kind) {
	case FAULT_halves: halves(sim, fault); break;
	case FAULT_lossy: lossy(sim, fault); break;
	case FAULT_swizzle: swizzle(sim, lasts); break;
	case FAULT_crash: case FAULT_crash_master: crash(sim, node, lasts); break;
	case FAULT_stop: stop(sim, node, lasts); break;
	case FAULT_stall: case FAULT_stall_master: node_sleep(sim, node, sim->now + lasts, false); break;
	case FAULT_freeze: node_sleep(sim, node, sim->now + lasts, true); break;
	case FAULT_rate:
		if (node->up)
			node_clock_rate(sim, node, (int32_t)chance_below(&sim->chance, 1001) - 500);
		break;
	case FAULT_slow: node->slow_us = chance_between(&sim->chance, 100, 5000); break;
	case FAULT_replay: play_again(sim); break;
	case FAULT_forge: forge(sim); break;
	case FAULT_handover: case FAULT_resync: operate(sim, kind); break;
	case FAULT_rotate: sim->keys_used = 1; break;
	default: cut_links(sim, fault); break;
	}
	fault_cut(sim, fault, SIM_NODES, 0);
}

void fault_inject(struct sim *sim)
{
	static const uint32_t spans_ms[] = { 60, 300, 1000, 3000, 8000 };
	uint64_t lasts = chance_between(&sim->chance, 20, spans_ms[chance_below(&sim->chance, 5)]) * MS_US;
	unsigned kind = chance_below(&sim->chance, FAULT_KINDS);

	for (unsigned i = 0; i < FAULT_KINDS; i++, kind = (kind + 1) % FAULT_KINDS)
		if (sim->swarm.faults & UINT64_C(1) << kind) {
			happen(sim, (enum fault_kind)kind, lasts);
			return;
		}
}

void faults_stop(struct sim *sim)
{
	sim_note(sim, "faults stop");
	for (unsigned i = 0; i < SIM_FAULTS; i++)
		fault_heal(sim, &sim->fault[i]);
	memset(sim->path, 0, sizeof(sim->path));
	for (unsigned i = 0; i < sim->nodes; i++) {
		struct node *node = &sim->node[i];

		if (node->up && node->stalled) {
			node->busy_until = sim->now;
			sim_at(sim, sim->now, EV_RESUME, i, node->boots);
		}
		if (!node->up)
			node_start(sim, node);
	}
	sim->last_disturbed = sim->now;
}
