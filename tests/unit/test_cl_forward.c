/*
 * Goal: a packet that only the master may handle reaches one, whoever that is and whenever it comes, within
 * bounds of time and memory; cumulative counters reach everybody whatever is lost.
 * Method: nodes with a network in memory (cl_world.h), and single messages handed to the machine.
 */
#include "tests/unit/cl_world.h"

static unsigned arrived[WORLD_NODES], arrived_by[WORLD_NODES + 1];
static uint32_t latest;				/* what the last packet said */
static uint8_t latest_hops;
static uint32_t counters[WORLD_NODES][WORLD_NODES + 1];
static unsigned slot_of[WORLD_NODES][WORLD_NODES + 1];
static unsigned loss_percent;
static uint32_t loss_seed;

static bool lossy(struct world *world, unsigned from, unsigned to, bool multicast)
{
	(void)world;
	(void)from;
	(void)to;
	(void)multicast;
	loss_seed = loss_seed * 1103515245u + 12345u;
	return (loss_seed >> 16) % 100 < loss_percent;
}

static void daemon_effect(struct world *world, unsigned i, const struct fx *fx, const uint8_t *payload)
{
	(void)world;
	if (fx->kind == FX_CL_FORWARDED) {
		struct fx_cl_forwarded to;

		memcpy(&to, payload, sizeof(to));
		memcpy(&latest, payload + sizeof(to), sizeof(latest));
		assert_int_equal(to.from.port, 1701);
		assert_int_equal(to.kind == 1 || to.kind == 200, 1);
		latest_hops = to.hops;
		arrived[i]++;
		arrived_by[to.by.n]++;
	}
	if (fx->kind == FX_CL_BYTES) {
		struct fx_cl_bytes to;
		uint32_t value;

		memcpy(&to, payload, sizeof(to));
		memcpy(&value, payload + sizeof(to), sizeof(value));
		assert_true(to.slot < CLUSTER_NODES_MAX);
		assert_true(slot_of[i][to.by.n] == 0 || slot_of[i][to.by.n] == to.slot + 1u);
		slot_of[i][to.by.n] = to.slot + 1u;
		counters[i][to.by.n] = value;
	}
}

static struct world *settled(unsigned nodes, unsigned *master)
{
	struct world *world = world_new(nodes, true);

	memset(arrived, 0, sizeof(arrived));
	memset(arrived_by, 0, sizeof(arrived_by));
	memset(counters, 0, sizeof(counters));
	memset(slot_of, 0, sizeof(slot_of));
	loss_seed = 1;
	loss_percent = 0;
	world->effect = daemon_effect;
	world->lost = lossy;
	world_start_all(world);
	for (unsigned n = 0; n < 200 && world_master(world) < 0; n++)
		world_run(world, 100);
	assert_true(world_master(world) >= 0);
	world_run(world, 1000);
	*master = (unsigned)world_master(world);
	return world;
}

static void forward(struct world *world, unsigned i, uint8_t kind, uint32_t number, uint32_t len)
{
	uint8_t octets[CL_FORWARD_MAX + 1] = { 0 };

	memcpy(octets, &number, sizeof(number));
	cl_forward(world->node[i].cl, kind, 0, (struct addr){ world_address(99), 1701 }, world_address(98),
		   bytes_of(octets, len), world_now(world, i), &world->out);
	world_carry_out(world, i);
}

static unsigned all_arrived(void)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < WORLD_NODES; i++)
		sum += arrived[i];
	return sum;
}

static void packets_go_to_the_master(void **state)
{
	unsigned master;
	struct world *world = settled(3, &master);
	unsigned slave = (master + 1) % 3;

	(void)state;
	forward(world, slave, 1, 77, CL_FORWARD_MAX);
	forward(world, slave, 1, 78, CL_FORWARD_MAX + 1);	/* longer than any */
	world_run(world, 5);
	assert_int_equal(all_arrived(), 1);
	assert_int_equal(arrived[master], 1);
	assert_int_equal(arrived_by[slave + 1], 1);
	assert_int_equal(latest, 77);
	forward(world, master, 1, 79, 100);			/* its own */
	assert_int_equal(arrived[master], 2);
	assert_int_equal(arrived_by[master + 1], 1);
	world_run(world, 2000);
	assert_int_equal(all_arrived(), 2);
	assert_int_equal(forward_waiting(world->node[slave].cl), 0);
	world_free(world);
}

static void R44_packets_wait_for_a_master(void **state)
{
	unsigned master;
	struct world *world = settled(3, &master);
	unsigned slave = (master + 1) % 3;

	(void)state;
	world_stop(world, master);
	world_run(world, 400);
	forward(world, slave, 1, 5, 100);		/* lost with the old master, but not for good */
	world_run(world, 700);
	assert_true(world_master(world) >= 0);
	assert_int_equal(all_arrived(), 1);
	assert_int_equal(arrived[world_master(world)], 1);
	assert_int_equal(latest, 5);
	world_run(world, 2000);
	assert_int_equal(all_arrived(), 1);		/* once */
	world_free(world);
}

static void R44_within_bounds(void **state)
{
	unsigned master;
	struct world *world = settled(3, &master);
	unsigned slave = (master + 1) % 3;
	struct cl *cl = world->node[slave].cl;

	(void)state;
	world_isolate(world, slave, true);
	world_run(world, 1500);
	assert_int_equal(cl->status.master.n, 0);
	for (uint32_t n = 0; n < 3000; n++)
		forward(world, slave, 1, n, 60);
	assert_int_equal(forward_waiting(cl), 1024);
	assert_int_equal(cl->refused[WHY_CL_FULL], 3000 - 1024);
	world_run(world, 990);
	assert_int_equal(forward_waiting(cl), 1024);
	world_run(world, 20);				/* their second is over */
	assert_int_equal(forward_waiting(cl), 0);
	assert_int_equal(cl->stat[CL_STAT_forwards_late], 1024);
	for (uint32_t n = 0; n < 300; n++)
		forward(world, slave, 1, n, 2000);
	assert_true(forward_waiting(cl) <= 256 * 1024 / 2000);
	assert_true(forward_waiting(cl) >= 128);
	world_run(world, 500);
	world_isolate(world, slave, false);
	uint32_t waited = forward_waiting(cl);

	world_run(world, 400);				/* in time: all reach the master */
	assert_int_equal(all_arrived(), waited);
	world_free(world);
}

/* Lengths of all kinds, for long: the ring's octets are never mixed up. */
static void packets_keep_their_octets(void **state)
{
	unsigned master;
	struct world *world = settled(3, &master);
	unsigned slave = (master + 1) % 3;

	(void)state;
	for (uint32_t n = 0; n < 20000; n++) {
		forward(world, slave, 1, n, 4 + n * 37 % 2000);
		world_run_us(world, 250);
		assert_int_equal(latest, n);
	}
	assert_int_equal(arrived[master], 20000);
	world_free(world);
}

static enum why hand(struct world *world, unsigned i, unsigned from, uint8_t kind, uint8_t hops)
{
	struct cl *cl = world->node[i].cl;
	struct cl_turn turn = { .cl = cl, .now = world_now(world, i), .out = &world->out };
	struct cl_msg msg = { .type = CL_FORWARD, .term = cl->status.term };
	uint32_t number = 9;

	msg.forward = (struct cl_forward){ .kind = kind, .hops = hops, .from = { world_address(99), 1701 },
					   .rest = bytes_of(&number, sizeof(number)) };
	enum why why = forward_received(&turn, cl_peer_of(cl, world_id(from)), &msg);

	world_carry_out(world, i);
	return why;
}

static void a_packet_passes_few_nodes(void **state)
{
	unsigned master;
	struct world *world = settled(3, &master);
	unsigned a = (master + 1) % 3, b = (master + 2) % 3;

	(void)state;
	assert_int_equal(hand(world, a, b, 1, 0), WHY_CL_ROLE);		/* told, and passed on */
	world_run(world, 5);
	assert_int_equal(arrived[master], 1);
	assert_int_equal(latest_hops, 1);
	assert_int_equal(hand(world, a, b, 1, 2), WHY_CL_ROLE);		/* not once more */
	assert_int_equal(hand(world, a, b, 1, 3), WHY_CL_HOPS);
	world_run(world, 5);
	assert_int_equal(arrived[master], 1);
	assert_int_equal(hand(world, a, b, 200, 0), WHY_OK);		/* for any who is up to date */
	assert_int_equal(arrived[a], 1);
	assert_int_equal(hand(world, master, b, 1, 2), WHY_OK);
	assert_int_equal(hand(world, master, b, 1, 3), WHY_CL_HOPS);
	world_free(world);
}

static void R34_counters_lose_nothing(void **state)
{
	unsigned master;
	struct world *world = settled(4, &master);
	uint32_t total[4] = { 0 };

	(void)state;
	loss_percent = 30;
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 4; i++) {
			total[i] += round * 13 + i;
			cl_bytes(world->node[i].cl, bytes_of(&total[i], sizeof(total[i])), world_now(world, i),
				 &world->out);
			world_carry_out(world, i);
		}
		world_run(world, 10);
		if (round == 58)
			loss_percent = 0;	/* whatever was lost before: one report makes it good */
	}
	for (unsigned i = 0; i < 4; i++)
		for (unsigned by = 0; by < 4; by++)
			assert_int_equal(counters[i][by + 1], i == by ? 0 : total[by]);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_go_to_the_master),
		cmocka_unit_test(R44_packets_wait_for_a_master),
		cmocka_unit_test(R44_within_bounds),
		cmocka_unit_test(packets_keep_their_octets),
		cmocka_unit_test(a_packet_passes_few_nodes),
		cmocka_unit_test(R34_counters_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
