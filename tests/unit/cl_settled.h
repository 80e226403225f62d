/*
 * cl_settled.h -- worlds of cl_world.h that have come to rest, watched for two masters of one term.
 */
#ifndef TESTS_CL_SETTLED_H
#define TESTS_CL_SETTLED_H

#include "cluster/elect.h"
#include "tests/unit/cl_world.h"

static uint8_t master_of_term[4096];	/* node + 1 */

static void one_per_term(struct world *world, unsigned i)
{
	const struct cl_status *status = world_status(world, i);
	unsigned serving = 0;

	if (status->role == CL_ROLE_MASTER) {
		assert_in_range(status->term, 1, sizeof(master_of_term) - 1);
		assert_true(master_of_term[status->term] == 0 || master_of_term[status->term] == i + 1);
		master_of_term[status->term] = (uint8_t)(i + 1);
	}
	for (unsigned n = 0; n < world->nodes; n++)
		serving += world->node[n].up && cl_may_change(world->node[n].cl);
	if (world->conf.members)
		assert_true(serving <= 1 || world->node[i].asleep_until > 0);
}

static struct world *open_world(unsigned nodes, bool members)
{
	struct world *world = world_new(nodes, members);

	memset(master_of_term, 0, sizeof(master_of_term));
	world->stepped = one_per_term;
	return world;
}

/* All up, one master, everybody follows it. */
static struct world *settled_world(unsigned nodes, bool members)
{
	struct world *world = open_world(nodes, members);

	world_start_all(world);
	world_run(world, 1500);
	assert_int_equal(world_master(world), 0);
	for (unsigned i = 1; i < nodes; i++)
		assert_true(node_eq(world_status(world, i)->master, world_id(0)) && !world_status(world, i)->frozen);
	return world;
}

static bool logged(const struct world *world, unsigned i, const char *text)
{
	return strstr(world->node[i].log, text) != NULL;
}

/* Milliseconds until somebody who is not `except` may change things. */
static unsigned until_master(struct world *world, int except, unsigned most)
{
	for (unsigned ms = 0; ms < most; ms++) {
		int master = world_master(world);

		if (master >= 0 && master != except)
			return ms;
		world_run(world, 1);
	}
	return most;
}

#endif
