/* world.c -- time, and the network between nodes. */
#include "tests/sim/sim.h"

void sim_fail(struct sim *sim, const char *format, ...)
{
	va_list args;
	int n = snprintf(sim->error, sizeof(sim->error), "at %.6f s, node %u: ", (double)sim->now / 1e6,
		sim->acting ? sim->acting->index + 1 : 0);

	va_start(args, format);
	vsnprintf(sim->error + n, sizeof(sim->error) - (size_t)n, format, args);
	va_end(args);
	longjmp(sim->failed, 1);
}

void sim_note(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (!sim->verbose)
		return;
	printf("%12.6f %u ", (double)sim->now / 1e6, sim->acting ? sim->acting->index + 1 : 0);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* ---- the heap of events ---- */

static bool earlier(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->number < b->number;
}

void sim_at(struct sim *sim, uint64_t at, enum event_kind kind, unsigned node, uint64_t what)
{
	if (sim->heaped == sim->heap_room) {
		sim->heap_room = sim->heap_room ? sim->heap_room * 2 : 4096;
		sim->heap = realloc(sim->heap, sim->heap_room * sizeof(*sim->heap));
		ASSERT(sim->heap);
	}
	struct event event = { at < sim->now ? sim->now : at, sim->numbers++, kind, node, what };
	uint32_t i = sim->heaped++;

	for (uint32_t up; i > 0 && earlier(&event, &sim->heap[up = (i - 1) / 2]); i = up)
		sim->heap[i] = sim->heap[up];
	sim->heap[i] = event;
}

bool sim_next(struct sim *sim, struct event *event)
{
	if (sim->heaped == 0)
		return false;
	*event = sim->heap[0];
	struct event last = sim->heap[--sim->heaped];
	uint32_t i = 0;

	for (uint32_t down; (down = 2 * i + 1) < sim->heaped; i = down) {
		if (down + 1 < sim->heaped && earlier(&sim->heap[down + 1], &sim->heap[down]))
			down++;
		if (!earlier(&sim->heap[down], &last))
			break;
		sim->heap[i] = sim->heap[down];
	}
	sim->heap[i] = last;
	sim->now = event->at;
	sim->events++;
	sim->hash = chance_mix(sim->hash ^ event->at ^ (uint64_t)event->kind << 56 ^ (uint64_t)event->node << 48);
	return true;
}

/* ---- packets ---- */

struct packet *packet_new(struct sim *sim)
{
	struct packet *packet;

	if (sim->frees > 0) {
		packet = sim->free_packet[--sim->frees];
	} else {
		packet = malloc(sizeof(*packet));
		ASSERT(packet);
		if (++sim->packets > sim->frees_room) {
			sim->frees_room = sim->frees_room ? sim->frees_room * 2 : 1024;
			sim->free_packet = realloc(sim->free_packet, sim->frees_room * sizeof(*sim->free_packet));
			sim->all_packet = realloc(sim->all_packet, sim->frees_room * sizeof(*sim->all_packet));
			ASSERT(sim->free_packet && sim->all_packet);
		}
		sim->all_packet[sim->packets - 1] = packet;
	}
	packet->refs = 1;
	packet->multicast = false;
	return packet;
}

void packet_drop(struct sim *sim, struct packet *packet)
{
	if (--packet->refs == 0)
		sim->free_packet[sim->frees++] = packet;
}

/* Old datagrams are kept, more sparsely the longer ago, so that some of old boots and terms remain. */
static void record(struct sim *sim, struct packet *packet)
{
	uint32_t place = (uint32_t)sim->recordings++;

	if (place >= SIM_RECORDED)
		place = chance_below(&sim->chance, SIM_RECORDED);
	if (sim->recorded[place])
		packet_drop(sim, sim->recorded[place]);
	sim->recorded[place] = packet;
	packet->refs++;
}

/* ---- links ---- */

struct ip sim_address(unsigned node)
{
	return ip_from4((struct ip4){ 0x0a000000u + node + 1 });
}

unsigned sim_node_at(struct ip address)
{
	uint32_t n = ip_to4(address).n - 0x0a000001u;

	return n < SIM_NODES ? n : SIM_NODES;
}

void net_deliver(struct sim *sim, struct packet *packet, unsigned to, uint64_t delay)
{
	packet->refs++;
	sim_at(sim, sim->now + delay, EV_PACKET, to, (uint64_t)(uintptr_t)packet);
}

/* One datagram over one link, or not, or twice. */
static void pass(struct sim *sim, struct packet *packet, unsigned to)
{
	struct path *path = &sim->path[packet->by][to];
	const struct net *net = &sim->swarm.net;
	uint64_t now = sim->now, queued, delay;
	uint32_t loss = path->lossy ? 200 : net->loss, times = 1;

	path->passed++;
	if (path->cut || (packet->multicast && path->cut_multicast))
		return;
	if (loss && !sim->quiet_net && chance_permille(&sim->chance, loss))
		return;
	if (path->free_at < now)
		path->free_at = now;
	queued = path->free_at - now;
	if (queued > net->queue_ms * MS_US)
		return;
	path->free_at += packet->len * MS_US / net->octets_per_ms;
	if (now < path->clogged_until && ++path->clogged > 300)
		return;
	if (now >= path->clogged_until)
		path->clogged = 0;
	if (net->dup && !sim->quiet_net && chance_permille(&sim->chance, net->dup))
		times = 2;
	while (times-- > 0) {
		delay = queued + 20 + chance_around(&sim->chance, net->delay_us);
		if (net->straggle && !sim->quiet_net && chance_permille(&sim->chance, net->straggle))
			delay += chance_between(&sim->chance, 60, net->straggle_ms) * MS_US;
		if (now < path->clogged_until)
			delay += path->clogged_until - now;
		net_deliver(sim, packet, to, delay);
	}
}

static void sent(struct sim *sim, struct packet *packet)
{
	uint64_t sum = packet->len, word;

	for (uint32_t i = 0; i + 8 <= packet->len; i += 8) {
		memcpy(&word, packet->octets + i, 8);
		sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	}
	sim->hash = (sim->hash ^ sum) * UINT64_C(0xff51afd7ed558ccd);
	sim->hash ^= sim->hash >> 32;
	if (sim->swarm.faults & (1u << FAULT_replay) && chance_permille(&sim->chance, 20))
		record(sim, packet);
}

void net_multicast(struct sim *sim, struct packet *packet)
{
	packet->multicast = true;
	sent(sim, packet);
	for (unsigned to = 0; to < sim->nodes; to++)
		if (to != packet->by)
			pass(sim, packet, to);
}

void net_unicast(struct sim *sim, struct packet *packet, unsigned to)
{
	sent(sim, packet);
	if (to < sim->nodes && to != packet->by)
		pass(sim, packet, to);
}

void world_free(struct sim *sim)
{
	struct event event;

	while (sim_next(sim, &event))
		if (event.kind == EV_PACKET)
			packet_drop(sim, (struct packet *)(uintptr_t)event.what);
		else if (event.kind == EV_APP)
			free((void *)(uintptr_t)event.what);
	for (unsigned i = 0; i < SIM_RECORDED; i++) {
		if (sim->recorded[i])
			packet_drop(sim, sim->recorded[i]);
		sim->recorded[i] = NULL;
	}
	for (unsigned i = 0; i < SIM_NODES; i++)
		for (; sim->node[i].inboxed > 0; sim->node[i].inboxed--)
			packet_drop(sim, sim->node[i].inbox[sim->node[i].inboxed - 1]);
	ASSERT(sim->frees == sim->packets || sim->error[0]);	/* none was lost */
	while (sim->packets > 0)
		free(sim->all_packet[--sim->packets]);
	free(sim->free_packet);
	free(sim->all_packet);
	sim->free_packet = sim->all_packet = NULL;
	sim->frees = sim->frees_room = 0;
	free(sim->heap);
	sim->heap = NULL;
	sim->heap_room = 0;
}
