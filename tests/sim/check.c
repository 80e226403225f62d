/*
 * check.c -- what must hold, after every event.
 *
 * I1 one master a term; I2 released outputs stay; I3 nothing is given to two; I4 equal
 * positions have equal tables; I5 versions grow; I6 promises stand; I7 nobody follows a
 * beat below its promise; I8 outputs leave only when a quorum holds them; I9 a master
 * without its lease does nothing visible; I10 routes are announced in full by those
 * whose table is verified; I11 counters add up; I12 talk is bounded; I13 one master and equal
 * tables soon after the last fault; I14 no role changes without a fault; I16 a split
 * loses nothing; I18 the same seed gives the same run.  I2, I3, I5, I15 and I16 are the
 * applications'; I17 is assert_fail().
 */
#include "cluster/state.h"
#include "tests/sim/sim.h"

#define STABLE_US	(3 * S_US)

void check_begin(struct sim *sim)
{
	sim->master_of = calloc(SIM_TERMS, 1);
	sim->root = calloc(SIM_ROOTS, sizeof(*sim->root));
	ASSERT(sim->master_of && sim->root);
	sim->term_max = 0;
	sim->released = sim->role_changes = 0;
}

void check_end(struct sim *sim)
{
	free(sim->master_of);
	free(sim->root);
	sim->master_of = NULL;
	sim->root = NULL;
}

static void one_master(struct sim *sim, struct node *node, const struct cl_status *status)
{
	if (status->role != CL_ROLE_MASTER)
		return;
	if (status->term == 0 || status->term >= SIM_TERMS)
		sim_fail(sim, "I12: master of term %u", status->term);
	if (status->term > sim->term_max)
		sim->term_max = status->term;
	uint8_t *master = &sim->master_of[status->term];

	if (*master != 0 && *master != node->index + 1 && sim->swarm.members)
		sim_fail(sim, "I1: master of term %u, as node %u was", status->term, *master);
	*master = (uint8_t)(node->index + 1);
}

static void roles(struct sim *sim, struct node *node, const struct cl_status *now)
{
	const struct cl_status *was = &node->seen, *told = &node->told;

	if (now->role != told->role || now->term != told->term || !node_eq(now->master, told->master) ||
		now->frozen != told->frozen || now->up_to_date != told->up_to_date ||
		now->announce != told->announce)
		sim_fail(sim, "its status changed without an FX_CL_ROLE: role %s/%s term %u/%u master %u/%u "
			"frozen %d/%d up to date %d/%d announce %u/%u", cl_role_name(told->role),
			cl_role_name(now->role), told->term, now->term, told->master.n, now->master.n,
			told->frozen, now->frozen, told->up_to_date, now->up_to_date, told->announce,
			now->announce);
	one_master(sim, node, now);
	if (was->role == now->role && node_eq(was->master, now->master) && was->term == now->term &&
		was->frozen == now->frozen)
		return;
	node->role_changes++;
	sim->role_changes++;
	if (sim->swarm.mild && sim->faults_active == 0 && sim->now > 6 * S_US &&
		sim->now > sim->last_disturbed + STABLE_US && sim->now > node->started + 2 * STABLE_US)
		sim_fail(sim, "I14: from %s of term %u, master %u%s, to %s of term %u, master %u%s without a fault "
			"(%s)", cl_role_name(was->role), was->term, was->master.n, was->frozen ? ", frozen" : "",
			cl_role_name(now->role), now->term, now->master.n, now->frozen ? ", frozen" : "",
			node->cl->reason);
}

/* How far this node ever was in a term: what it may have acknowledged. */
static void reach(struct node *node, struct version have)
{
	uint32_t term = version_term(have), place = term % ARRAY_LEN(node->reached);

	if (node->reached[place].term != term) {
		if (node->reached[place].term > term)
			return;
		node->reached[place].term = term;
		node->reached[place].have = have;
	} else if (version_before(node->reached[place].have, have)) {
		node->reached[place].have = have;
	}
}

static void tables(struct sim *sim, struct node *node, const struct cl_status *status)
{
	const struct cl *cl = node->cl;
	struct version have = cl_upto(cl);
	uint32_t place = (uint32_t)chance_mix(have.n) & (SIM_ROOTS - 1);

	if (cl->promised < node->promised)
		sim_fail(sim, "I6: its promise went from term %u back to %u", node->promised, cl->promised);
	if (status->role == CL_ROLE_SLAVE && node->seen.role == CL_ROLE_SLAVE && node->promised > status->term &&
		!version_eq(have, node->have) && have.n != 0)
		sim_fail(sim, "I7: follows term %u to %u/%llu after it promised %u", status->term, version_term(have),
			(unsigned long long)version_seq(have), node->promised);
	node->promised = cl->promised;
	if (status->role == CL_ROLE_MASTER) {
		sim->root[place].version = have.n;
		sim->root[place].root = cl->records.root;
	} else if (!version_eq(cl->synced, node->synced) && version_eq(cl->synced, have) &&
		!version_before(have, cl->records.upto) &&
		sim->root[place].version == have.n && sim->root[place].root != cl->records.root &&
		sim->swarm.members) {
		sim_fail(sim, "I4: its table is another than the master's at %u/%llu: %llx, %llx", version_term(have),
			(unsigned long long)version_seq(have), (unsigned long long)cl->records.root,
			(unsigned long long)sim->root[place].root);
	}
	if (!version_eq(have, node->have))
		reach(node, have);
	node->have = have;
	node->synced = cl->synced;
	if (!cl->fresh && (status->up_to_date || status->role == CL_ROLE_MASTER))
		node->whole = true;
}

void check_turn(struct sim *sim, struct node *node)
{
	struct cl_status status = cl_status(node->cl);
	struct version committed = cl_committed(node->cl);

	roles(sim, node, &status);
	tables(sim, node, &status);
	if (status.role == CL_ROLE_MASTER && node->seen.role == CL_ROLE_MASTER && status.term == node->seen.term &&
		version_before(committed, node->committed))
		sim_fail(sim, "what is committed went back");
	node->committed = committed;
	uint64_t cluster_us = cl_time(node->cl, node_now(sim, node));

	if (cluster_us < node->cluster_us && status.term == node->seen.term && node_eq(status.master,
		node->seen.master))
		sim_fail(sim, "its cluster time goes back by %llu us",
			(unsigned long long)(node->cluster_us - cluster_us));
	node->cluster_us = cluster_us;
	if (status.announce == CL_ANNOUNCE_FULL && status.role == CL_ROLE_SLAVE && !status.frozen &&
		node->cl->synced.n == 0)
		sim_fail(sim, "I10: announces routes in full without a verified table");
	node->seen = status;
}

/* An output that others see leaves here; it depends on changes up to this version. */
void check_release(struct sim *sim, struct node *node, struct version version)
{
	unsigned holders = 0;

	sim->released++;
	if (!sim->swarm.members)
		return;
	for (unsigned i = 0; i < sim->nodes; i++) {
		const struct node *other = &sim->node[i];
		uint32_t term = version_term(version), place = term % ARRAY_LEN(other->reached);

		if (other == node || (other->reached[place].term == term &&
			!version_before(other->reached[place].have, version)))
			holders++;
		if (other != node && node_runs(sim, other) && other->told.role == CL_ROLE_MASTER &&
			!other->told.frozen && other->told.term > node->told.term &&
			sim->now > node->unfrozen_at + S_US)
			sim_fail(sim, "I9: acts as master of term %u, node %u is master of term %u", node->told.term,
				i + 1, other->told.term);
	}
	if (sim->swarm.commit == CL_COMMIT_QUORUM && holders < sim->quorum)
		sim_fail(sim, "I8: an output of %u/%llu leaves and %u nodes have it", version_term(version),
			(unsigned long long)version_seq(version), holders);
}

unsigned copies_lost(const struct sim *sim)
{
	unsigned lost = 0;

	for (unsigned i = 0; i < sim->nodes; i++)
		lost += !sim->node[i].up || !sim->node[i].whole;
	return lost;
}

struct node *sim_master(struct sim *sim)
{
	struct node *best = NULL;

	for (unsigned i = 0; i < sim->nodes; i++) {
		struct node *node = &sim->node[i];

		if (node->up && node_serves(node) && (!best || cl_status(node->cl).term > cl_status(best->cl).term))
			best = node;
	}
	return best;
}

/* One master, whom all follow, and on all the same table. */
bool settled(struct sim *sim, const char **why)
{
	struct node *master = sim_master(sim);

	*why = "there is no master";
	if (!master)
		return false;
	struct cl_status lead = cl_status(master->cl);

	for (unsigned i = 0; i < sim->nodes; i++) {
		struct node *node = &sim->node[i];

		*why = "a node is not running";
		if (!node_runs(sim, node) && !node->slow_us)
			return false;
		struct cl_status status = cl_status(node->cl);

		*why = "a node does not follow the master";
		if (node != master && (status.role != CL_ROLE_SLAVE || status.term != lead.term ||
			status.master.n != master->index + 1u))
			return false;
		*why = "a node is frozen";
		if (status.frozen)
			return false;
		*why = "a node does not have everything";
		if (node != master && !version_eq(cl_upto(node->cl), cl_upto(master->cl)))
			return false;
		*why = "tables differ";
		if (node->cl->records.root != master->cl->records.root)
			return false;
		*why = "a node is not up to date";
		if (!status.up_to_date)
			return false;
		*why = "a node does not announce its routes";
		if (node != master && status.announce != CL_ANNOUNCE_FULL)
			return false;
	}
	return true;
}

void check_settled(struct sim *sim)
{
	const char *why;
	char text[400];
	size_t n = 0;

	if (settled(sim, &why))
		return;
	for (unsigned i = 0; i < sim->nodes && n < sizeof(text); i++) {
		const struct node *node = &sim->node[i];
		struct cl_status status = node->up ? cl_status(node->cl) : (struct cl_status){ 0 };

		n += (size_t)snprintf(text + n, sizeof(text) - n, "; %u: %s %u of %u%s%s%s have %u/%llu", i + 1,
			node->up ? cl_role_name(status.role) : "down", status.term, status.master.n,
			status.frozen ? " frozen" : "", status.up_to_date ? " up to date" : "",
			node->up && node->cl->fresh ? " fresh" : "", version_term(node->have),
			(unsigned long long)version_seq(node->have));
	}
	sim_fail(sim, "I13: %s%s", why, text);
}

/* A change may just be on its way. */
void check_settles(struct sim *sim, uint64_t until)
{
	const char *why;

	while (!settled(sim, &why) && sim->now < until)
		sim_run_until(sim, sim->now + 10 * MS_US + 1);
	check_settled(sim);
}
