/* node.c -- one node: what the daemon's threads do around struct cl, in one thread and without a kernel. */
#include "cluster/state.h"
#include "l2tpns/base/say.h"
#include "tests/sim/sim.h"

/* ---- clocks ---- */

uint64_t node_local(const struct node *node, uint64_t world)
{
	const struct local_clock *clock = &node->clock;
	uint64_t gone = clock->frozen ? 0 : world - clock->world;

	return clock->local + gone + (uint64_t)((int64_t)gone * clock->ppm / 1000000);
}

struct mono node_now(const struct sim *sim, const struct node *node)
{
	return (struct mono){ node_local(node, sim->now) };
}

static uint64_t world_of(const struct node *node, struct mono at)
{
	const struct local_clock *clock = &node->clock;
	int64_t gone = (int64_t)(at.us - clock->local);

	if (gone <= 0)
		return clock->world;
	return clock->world + (uint64_t)(gone - gone * clock->ppm / (1000000 + clock->ppm)) + 1;
}

static void clock_set(struct sim *sim, struct node *node, int32_t ppm, bool frozen)
{
	uint64_t local = node_local(node, sim->now);

	node->clock = (struct local_clock){ sim->now, local, ppm, frozen };
}

void node_clock_rate(struct sim *sim, struct node *node, int32_t ppm)
{
	clock_set(sim, node, ppm, node->clock.frozen);
	node->wake_at = 0;
}

/* ---- waking ---- */

bool node_runs(const struct sim *sim, const struct node *node)
{
	return node->up && !node->stalled && sim->now >= node->busy_until;
}

static void plan(struct sim *sim, struct node *node)
{
	struct mono next = cl_next(node->cl);

	if (sim->app->next)
		next = mono_min(next, sim->app->next(node));
	if (next.us == UINT64_MAX)
		return;
	uint64_t at = world_of(node, next);

	if (at < sim->now)
		at = sim->now;
	if (node->wake_at > sim->now && node->wake_at <= at)
		return;			/* woken early, it looks again */
	node->wake_at = at;
	sim_at(sim, at, EV_WAKE, node->index, ++node->wakes);
}

/* ---- effects ---- */

static void send(struct sim *sim, struct node *node, const struct fx *fx)
{
	struct fx_cl_send to;
	struct packet *packet = packet_new(sim);
	const uint8_t *payload = fx_payload(sim->out, fx);

	memcpy(&to, payload, sizeof(to));
	packet->len = fx->len - (uint32_t)sizeof(to);
	if (packet->len > SIM_PACKET_MAX)
		sim_fail(sim, "a datagram of %u octets", packet->len);
	memcpy(packet->octets, payload + sizeof(to), packet->len);
	packet->by = node->index;
	packet->boot = node->boots;
	node->sent++;
	if (ip_is_none(to.to))
		net_multicast(sim, packet);
	else
		net_unicast(sim, packet, sim_node_at(to.to));
	packet_drop(sim, packet);
}

static void apply_all(struct sim *sim, struct node *node)
{
	struct record record;

	while (cl_apply_next(node->cl, &record))
		sim->app->apply(sim, node, &record);
}

static void role(struct sim *sim, struct node *node, const struct fx *fx)
{
	struct fx_cl_role role;

	apply_all(sim, node);		/* a new master begins with everything */
	memcpy(&role, fx_payload(sim->out, fx), sizeof(role));
	sim_note(sim, "%s of term %u, master %u%s%s, announces %u, has %u/%llu from %u/%llu, list %u/%llu: %s",
		cl_role_name(role.status.role), role.status.term, role.status.master.n,
		role.status.frozen ? ", frozen" : "", role.status.up_to_date ? ", up to date" : "",
		role.status.announce, version_term(node->cl->have), (unsigned long long)version_seq(node->cl->have),
		version_term(node->cl->base), (unsigned long long)version_seq(node->cl->base),
		version_term(node->cl->records.upto), (unsigned long long)version_seq(node->cl->records.upto),
		node->cl->reason);
	node->told = role.status;
	sim->app->role(sim, node, &role.status);
}

static void log_it(struct sim *sim, const struct fx *fx)
{
	struct fx_log log;
	const uint8_t *payload = fx_payload(sim->out, fx);

	if (!sim->verbose)
		return;
	memcpy(&log, payload, sizeof(log));
	const struct say_row *row = say_row((enum say)fx->id);

	sim_note(sim, "says %s: %s [%u %u %u %u] %.*s", row->name, row->format, log.arg[0], log.arg[1], log.arg[2],
		log.arg[3], (int)log.text_len, (const char *)payload + sizeof(log));
}

static void heard_bytes(struct sim *sim, struct node *node, const struct fx *fx)
{
	struct fx_cl_bytes bytes;
	const uint8_t *payload = fx_payload(sim->out, fx);
	uint64_t told[2];			/* boots, count */

	memcpy(&bytes, payload, sizeof(bytes));
	if (fx->len != sizeof(bytes) + sizeof(told) || bytes.by.n == 0 || bytes.by.n > sim->nodes)
		sim_fail(sim, "counters of node %u, %u octets", bytes.by.n, fx->len);
	memcpy(told, payload + sizeof(bytes), sizeof(told));
	unsigned by = bytes.by.n - 1u;

	if (told[0] > node->heard[by].boots || told[1] > node->heard[by].counted) {
		node->heard[by].boots = (uint32_t)told[0];
		node->heard[by].counted = told[1];
	}
}

static void carry_out(struct sim *sim, struct node *node, const struct fx *fx)
{
	const uint8_t *payload = fx_payload(sim->out, fx);
	struct fx_cl_forwarded how;
	struct fx_cl_offered offered;
	struct fx_cl_done done;

	switch ((enum fx_kind)fx->kind) {
	case FX_CL_SEND:
		send(sim, node, fx);
		break;
	case FX_CL_APPLY:
		apply_all(sim, node);
		break;
	case FX_CL_ROLE:
		role(sim, node, fx);
		break;
	case FX_CL_COMMITTED:
		sim->app->committed(sim, node);
		break;
	case FX_CL_DROP:
		sim_note(sim, "drops its copy");
		node->whole = false;
		node->have = node->synced = (struct version){ 0 };
		sim->app->drop(sim, node);
		break;
	case FX_CL_OFFERED:
		memcpy(&offered, payload, sizeof(offered));
		sim->app->offered(sim, node, fx->id, &offered,
			bytes_of(payload + sizeof(offered), fx->len - sizeof(offered)));
		break;
	case FX_CL_FORWARDED:
		memcpy(&how, payload, sizeof(how));
		sim->app->forwarded(sim, node, &how, bytes_of(payload + sizeof(how), fx->len - sizeof(how)));
		break;
	case FX_CL_BYTES:
		heard_bytes(sim, node, fx);
		break;
	case FX_CL_DONE:
		memcpy(&done, payload, sizeof(done));
		sim_note(sim, "command %u: %s %.*s", fx->id, done.ok ? "done" : "refused",
			(int)(fx->len - sizeof(done)), (const char *)payload + sizeof(done));
		break;
	case FX_LOG:
		log_it(sim, fx);
		break;
	default:
		sim_fail(sim, "an effect of kind %u", fx->kind);
	}
}

static void carry_out_all(struct sim *sim, struct node *node)
{
	for (uint32_t i = 0; i < sim->out->count; i++)
		carry_out(sim, node, &sim->out->fx[i]);
	fx_clear(sim->out);
	if (sim->app->settle)
		sim->app->settle(sim, node);
}

/* What another node must handle: handed to the machine when the effects at hand are carried out. */
void node_pass_on(struct sim *sim, const struct fx_cl_forwarded *how, struct bytes packet)
{
	if (sim->forwards == SIM_FORWARDS || packet.len > CL_FORWARD_MAX)
		return;
	struct forward *forward = &sim->forward[sim->forwards++];

	forward->how = *how;
	forward->len = packet.len;
	memcpy(forward->octets, packet.p, packet.len);
}

void node_begin(struct sim *sim, struct node *node)
{
	sim->acting = node;
	fx_clear(sim->out);
	sim->forwards = 0;
	node->want_flush = false;
}

void node_end(struct sim *sim, struct node *node)
{
	struct mono now = node_now(sim, node);

	carry_out_all(sim, node);
	for (unsigned rounds = 0; sim->forwards > 0 || node->want_flush; rounds++) {
		if (rounds > 1000)
			sim_fail(sim, "goes round in circles");
		if (node->want_flush) {
			node->want_flush = false;
			cl_flush(node->cl, now, sim->out);
		} else {
			struct forward *forward = &sim->forward[--sim->forwards];

			cl_forward(node->cl, forward->how.kind, forward->how.hops, forward->how.from,
				forward->how.local, bytes_of(forward->octets, forward->len), now, sim->out);
		}
		carry_out_all(sim, node);
	}
	node->turns++;
	check_turn(sim, node);
	if (node->slow_us) {
		node->busy_until = sim->now + node->slow_us;
		node->slept = sim->now;
		sim_at(sim, node->busy_until, EV_RESUME, node->index, node->boots);
	}
	plan(sim, node);
	sim->acting = NULL;
}

/* ---- what happens to it ---- */

static void receive(struct sim *sim, struct node *node, struct packet *packet)
{
	struct addr from = { sim_address(packet->by), SIM_PORT };
	enum why why = cl_received(node->cl, from, bytes_of(packet->octets, packet->len), node_now(sim, node),
		sim->out);

	if (sim->verbose && why != WHY_OK)
		sim_note(sim, "refuses a datagram of node %u: %s", packet->by + 1, why_text(why));
}

static void arrived(struct sim *sim, struct node *node, struct packet *packet)
{
	if (node_runs(sim, node)) {
		node_begin(sim, node);
		receive(sim, node, packet);
		node_end(sim, node);
	} else if (node->up && node->inboxed < SIM_INBOX) {
		node->inbox[node->inboxed++] = packet;
		return;
	}
	packet_drop(sim, packet);
}

/* Awake again: first everything that came meanwhile, then the timers (requirement R4). */
static void woke(struct sim *sim, struct node *node)
{
	unsigned n = node->inboxed;
	uint64_t slept = node_local(node, sim->now) - node_local(node, node->slept);

	node_begin(sim, node);
	if (sim->now > node->slept + 5 * MS_US)
		cl_paused(node->cl, DUR_US(slept), node_now(sim, node));
	carry_out_all(sim, node);
	for (unsigned i = 0; i < n; i++) {
		receive(sim, node, node->inbox[i]);
		packet_drop(sim, node->inbox[i]);
		carry_out_all(sim, node);
	}
	node->inboxed = 0;
	if (cl_next(node->cl).us <= node_now(sim, node).us)
		cl_tick(node->cl, node_now(sim, node), sim->out);
	node_end(sim, node);
}

static void resume(struct sim *sim, struct node *node)
{
	if (!node->up || sim->now < node->busy_until)
		return;
	if (node->stalled && node->clock.frozen) {
		clock_set(sim, node, node->clock.ppm, false);
		node->unfrozen_at = sim->now;
	}
	if (node->stalled)
		sim_note(sim, "node %u runs again", node->index + 1);
	node->stalled = false;
	woke(sim, node);
}

void node_sleep(struct sim *sim, struct node *node, uint64_t until, bool frozen)
{
	if (node->stalled || !node->up)
		return;
	node->slept = sim->now;
	if (frozen)
		clock_set(sim, node, node->clock.ppm, true);
	node->stalled = true;
	node->busy_until = until;
	sim_at(sim, until, EV_RESUME, node->index, node->boots);
}

static void tick(struct sim *sim, struct node *node, uint64_t wake)
{
	struct mono now = node_now(sim, node);

	if (wake != node->wakes || !node_runs(sim, node))
		return;				/* another wake-up was planned, or resume() looks */
	node->wake_at = 0;
	node_begin(sim, node);
	if (mono_reached(now, cl_next(node->cl)))
		cl_tick(node->cl, now, sim->out);
	carry_out_all(sim, node);
	if (sim->app->next && mono_reached(now, sim->app->next(node)))
		sim->app->tick(sim, node);
	node_end(sim, node);
}

void node_event(struct sim *sim, struct node *node, const struct event *event)
{
	switch (event->kind) {
	case EV_PACKET:
		arrived(sim, node, (struct packet *)(uintptr_t)event->what);
		break;
	case EV_WAKE:
		if (node->up)
			tick(sim, node, event->what);
		break;
	case EV_RESUME:
		if (event->what == node->boots)
			resume(sim, node);
		break;
	case EV_START:
		if (!node->up && event->what == node->boots)
			node_start(sim, node);
		break;
	default:
		ASSERT(false);
	}
}

static void configure(const struct sim *sim, struct node *node)
{
	struct cl_conf *conf = &node->conf;

	*conf = (struct cl_conf){ .self = { (uint16_t)(node->index + 1) }, .name = "simulated",
		.address = sim_address(node->index), .members = sim->swarm.members ? sim->nodes : 0, .interval_ms = 100,
		.dead_ms = 500, .fresh_vote_after_ms = 60000, .commit = sim->swarm.commit, .forward_wait_ms = 1000,
		.min_adv = 1, .keys = 400, .record_octets = 1u << 20 };
	for (unsigned i = 0; i < conf->members; i++)
		conf->member[i] = sim_address(i);
	if (sim->app->configure)
		sim->app->configure(conf);
	if (sim->tweak)
		sim->tweak(sim, conf, node->index);
}

void node_start(struct sim *sim, struct node *node)
{
	uint8_t seed[RND_SEED_LEN];
	struct arena arena = { 0 };

	sim->acting = node;
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)chance_u64(&sim->chance);
	configure(sim, node);
	if (cl_conf_fault(&node->conf))
		sim_fail(sim, "configuration: %s", cl_conf_fault(&node->conf));
	node->memory_size = cl_size(&node->conf);
	node->memory = calloc(1, node->memory_size + 64);
	ASSERT(node->memory);
	arena = (struct arena){ (uint8_t *)(((uintptr_t)node->memory + 63) & ~(uintptr_t)63), 0, node->memory_size };
	node->boots++;
	node->up = true;
	node->started = sim->now;
	node->stalled = node->whole = false;
	node->busy_until = node->wake_at = 0;
	node->slow_us = 0;
	node->counted = 0;
	node->promised = 0;
	node->cluster_us = 0;
	node->have = node->synced = node->committed = node->base = (struct version){ 0 };
	node->told = node->seen = (struct cl_status){ 0 };
	memset(node->heard, 0, sizeof(node->heard));
	/* A clock may begin anywhere. */
	node->clock = (struct local_clock){ sim->now, 1 + chance_u64(&sim->chance) % (UINT64_C(1) << 48), 0, false };
	struct mono now = node_now(sim, node);

	node->keys_phase = sim->keys_step;
	node->cl = cl_init(&node->conf, (const struct seal_secret[SEAL_SECRETS_MAX]){ sim->secret[0], sim->secret[1] },
		sim->sending, seed, now, &arena);
	node->told = cl_status(node->cl);	/* cl_init() says nothing */
	sim_note(sim, "starts");
	sim->app->start(sim, node);
	node_begin(sim, node);
	node_end(sim, node);
}

void node_crash(struct sim *sim, struct node *node)
{
	if (!node->up)
		return;
	sim->app->stop(sim, node);
	node->up = node->whole = node->stalled = false;
	for (; node->inboxed > 0; node->inboxed--)
		packet_drop(sim, node->inbox[node->inboxed - 1]);
	free(node->memory);
	node->memory = NULL;
	node->cl = NULL;
	node->wakes++;
}

bool node_serves(const struct node *node)
{
	struct cl_status status = cl_status(node->cl);

	return status.role == CL_ROLE_MASTER && !status.frozen;
}

void node_command(struct sim *sim, struct node *node, enum cl_verb verb, struct node_id argument)
{
	node_begin(sim, node);
	cl_command(node->cl, verb, argument, (uint32_t)++sim->commands, node_now(sim, node), sim->out);
	node_end(sim, node);
}
