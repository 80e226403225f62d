/* office.c -- the application "lns": what the daemon's shell does between struct cl and struct lns. */
#include "cluster/state.h"
#include "l2tpns/core/lns_state.h"
#include "tests/sim/office.h"

#define PASS_UP		1u
#define HELD		4096u
#define TICK_US		(100 * MS_US)

struct held_packet { struct version version; struct addr to; uint32_t len; uint8_t *octets; };

struct office {					/* a node's control plane, and its plane's model */
	struct lns	*lns;
	void		*memory;
	bool		acting, dirty;
	struct cl_status status;
	struct version	batch;			/* of the latest change */
	struct held_packet held[HELD];
	uint32_t	first, count;
	struct { bool up; struct fx_session session; } plane[1024];
};

static struct world *world_of(const struct sim *sim)
{
	return sim->world;
}

/* ---- the run ---- */

static void conf_make(struct lns_conf *conf)
{
	*conf = (struct lns_conf){ .sessions_max = 512, .tunnels_max = 64, .addresses_max = 1024, .host_name = "lns",
		.tunnels_opening_max = 32, .window = 8, .hello_interval_s = 5, .retransmit_ms = 1000,
		.retransmit_max_ms = 8000, .retransmit_tries = 10, .tunnel_linger_s = 31, .call_timeout_s = 60,
		.allow_duplicate_users = true,
		.ppp = { .mru = 1460, .restart_ms = 1000, .max_configure = 30, .max_failure = 5, .max_terminate = 2,
			.auth = { AUTH_PAP }, .auths = 1, .auth_timeout_s = 60, .our_address = { 0x0affffff },
			.name = "lns" },
		.pools = { .pools = 1, .ranges = 1, .range = { { .prefix = { { 0x0a0a0000 }, 24 } } } } };
}

static void begin(struct sim *sim)
{
	struct world *world = calloc(1, sizeof(*world));
	static const char text[] = "* pw\n";
	size_t size = subscribers_size(bytes_str(text));

	ASSERT(world);
	sim->world = world;
	conf_make(&world->conf);
	world->out = calloc(1, sizeof(*world->out));
	world->subscribers_memory = calloc(1, size);
	ASSERT(world->out && world->subscribers_memory);
	ASSERT(subscribers_parse(&world->subscribers, world->subscribers_memory, size, (struct hash_key){ { 1, 2 } },
		bytes_str(text), NULL, 0) == 0);
	lacs_begin(sim);
	for (unsigned i = 0; i < LACS; i++)
		sim_at(sim, 3 * S_US + chance_below(&sim->chance, 1000000), EV_APP, i, 0);
}

static void end(struct sim *sim)
{
	struct world *world = sim->world;

	free(world->out);
	free(world->subscribers_memory);
	free(world);
	sim->world = NULL;
}

static void configure(struct cl_conf *conf)
{
	struct lns_conf lns;

	conf_make(&lns);
	conf->keys = replica_keys(&lns);
	conf->record_octets = 4u << 20;
}

/* ---- effects of the control plane ---- */

void letter_send(struct sim *sim, bool to_lac, unsigned to, struct addr from, struct bytes octets)
{
	struct letter *letter = malloc(sizeof(*letter));

	ASSERT(letter && octets.len <= sizeof(letter->octets));
	letter->to_lac = to_lac;
	letter->to = to;
	letter->from = from;
	letter->len = octets.len;
	memcpy(letter->octets, octets.p, octets.len);
	if (!sim->quiet_net && chance_permille(&sim->chance, sim->swarm.net.loss / 4)) {
		free(letter);
		return;
	}
	sim_at(sim, sim->now + 100 + chance_around(&sim->chance, 400), EV_APP, to, (uint64_t)(uintptr_t)letter);
}

static void packet_send(struct sim *sim, struct addr to, struct bytes octets)
{
	unsigned lac = ip_to4(to.ip).n - 0xc6336401u;		/* 198.51.100.1 and up */

	if (lac >= LACS)
		sim_fail(sim, "a packet to nobody");
	letter_send(sim, true, lac, (struct addr){ ip_from4((struct ip4){ SERVICE_IP }), 1701 }, octets);
}

static void hold_or_send(struct sim *sim, struct node *node, const struct fx *fx)
{
	struct world *world = world_of(sim);
	struct office *office = node->app;
	const uint8_t *payload = fx_payload(world->out, fx);
	struct fx_send send;

	memcpy(&send, payload, sizeof(send));
	struct bytes octets = bytes_of(payload + sizeof(send), fx->len - sizeof(send));

	if (!office->acting || !version_before(cl_committed(node->cl), office->batch)) {
		if (office->acting && office->batch.n)
			check_release(sim, node, office->batch);
		packet_send(sim, send.to, octets);
		return;
	}
	if (office->count == HELD)
		sim_fail(sim, "I12: %u packets wait", HELD);
	struct held_packet *held = &office->held[(office->first + office->count++) % HELD];

	*held = (struct held_packet){ office->batch, send.to, octets.len, malloc(octets.len) };
	ASSERT(held->octets);
	memcpy(held->octets, octets.p, octets.len);
}

static void plane(struct sim *sim, struct node *node, const struct fx *fx)
{
	struct office *office = node->app;
	struct fx_session session;

	memcpy(&session, fx_payload(world_of(sim)->out, fx), sizeof(session));
	if (session.row.n >= ARRAY_LEN(office->plane))
		sim_fail(sim, "a session of row %u", session.row.n);
	office->plane[session.row.n].up = fx->kind == FX_SESSION_PUT;
	office->plane[session.row.n].session = session;
}

static void changes_out(struct sim *sim, struct node *node)
{
	struct office *office = node->app;
	struct replica_clock clock = { (int64_t)(cl_time(node->cl, node_now(sim, node)) - node_now(sim, node).us) };
	uint8_t octets[REPLICA_MAX];
	uint32_t key;

	if (!office->acting)
		return;
	while (lns_marked_next(office->lns, &key)) {
		struct wr w = wr_of(octets, sizeof(octets));
		enum cl_change changed;

		replica_encode(office->lns, key, clock, &w);
		ASSERT(wr_ok(&w));
		changed = cl_change(node->cl, key, wr_bytes_of(&w));
		sim_note(sim, "changes record %u: %u octets, version %u/%llu", key, wr_bytes_of(&w).len,
			version_term(cl_upto(node->cl)), (unsigned long long)version_seq(cl_upto(node->cl)));
		if (changed == CL_NOT_MASTER || changed == CL_NO_ROOM)
			sim_fail(sim, "a change of the master's was refused: %u", changed);
		if (changed == CL_CHANGED) {
			office->batch = cl_upto(node->cl);
			node->want_flush = true;
		}
	}
}

static void effects(struct sim *sim, struct node *node)
{
	struct fx_list *out = world_of(sim)->out;

	changes_out(sim, node);
	for (uint32_t i = 0; i < out->count; i++)
		switch ((enum fx_kind)out->fx[i].kind) {
		case FX_SEND:
			hold_or_send(sim, node, &out->fx[i]);
			break;
		case FX_SESSION_PUT: case FX_SESSION_DROP:
			plane(sim, node, &out->fx[i]);
			break;
		default:
			break;
		}
	fx_clear(out);
}

static void settle(struct sim *sim, struct node *node)
{
	struct office *office = node->app;
	struct fx_list *out = world_of(sim)->out;

	if (!office->dirty)
		return;
	office->dirty = false;
	if (!fx_has_room(out))
		effects(sim, node);
	lns_flush(office->lns, node_now(sim, node), out);
	effects(sim, node);
}

/* ---- what the cluster says ---- */

static void start(struct sim *sim, struct node *node)
{
	struct world *world = sim->world;
	struct office *office = calloc(1, sizeof(*office));
	uint8_t seed[RND_SEED_LEN];

	ASSERT(office);
	node->app = office;
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)chance_u64(&sim->chance);
	size_t size = lns_size(&world->conf);

	office->memory = calloc(1, size + 64);
	ASSERT(office->memory);
	struct arena arena = { (uint8_t *)(((uintptr_t)office->memory + 63) & ~(uintptr_t)63), 0, size };

	office->lns = lns_init(&world->conf, seed, node_now(sim, node), NULL, NULL, &arena);
	(void)lns_configured(office->lns, &world->conf, node_now(sim, node));
	lns_subscribers_loaded(office->lns, world->subscribers);
	fx_clear(world->out);
	lns_role(office->lns, LNS_SLAVE, node_now(sim, node), world->out);
	office->dirty = true;
}

static void held_clear(struct office *office)
{
	for (; office->count > 0; office->count--, office->first = (office->first + 1) % HELD)
		free(office->held[office->first].octets);
}

static void stop(struct sim *sim, struct node *node)
{
	struct office *office = node->app;

	(void)sim;
	held_clear(office);
	free(office->memory);
	free(office);
	node->app = NULL;
}

static void role(struct sim *sim, struct node *node, const struct cl_status *status)
{
	struct office *office = node->app;
	bool acting = status->role == CL_ROLE_MASTER && !status->frozen;

	settle(sim, node);
	office->status = *status;
	if (acting == office->acting)
		return;
	office->acting = acting;
	office->batch = (struct version){ 0 };
	lns_role(office->lns, acting ? LNS_MASTER : LNS_SLAVE, node_now(sim, node), world_of(sim)->out);
	if (!acting)
		held_clear(office);
	office->dirty = true;
}

static struct replica_clock clock_of(const struct sim *sim, const struct node *node)
{
	return (struct replica_clock){ (int64_t)(cl_time(node->cl, node_now(sim, node)) - node_now(sim, node).us) };
}

static void apply(struct sim *sim, struct node *node, const struct record *record)
{
	struct office *office = node->app;
	struct fx_list *out = world_of(sim)->out;

	if (!fx_has_room(out))
		effects(sim, node);
	enum why why = replica_apply(office->lns, record->key, record->octets, clock_of(sim, node), node_now(sim, node),
		out);

	if (why != WHY_OK)
		sim_fail(sim, "record %u cannot be taken: %s", record->key, why_text(why));
	office->dirty = true;
}

static void drop(struct sim *sim, struct node *node)
{
	struct office *office = node->app;

	while (!lns_forget(office->lns, node_now(sim, node), world_of(sim)->out))
		effects(sim, node);
	held_clear(office);
	office->dirty = true;
}

static void offered(struct sim *sim, struct node *node, uint32_t key, const struct fx_cl_offered *how,
	struct bytes octets)
{
	struct office *office = node->app;
	enum cl_change changed;

	(void)how;
	if (!office->acting)
		return;
	if (replica_mergeable(office->lns, key, octets)) {
		struct record record = { .key = key, .octets = octets };

		apply(sim, node, &record);
		changed = cl_change(node->cl, key, octets);
	} else {
		changed = cl_touch(node->cl, key);
	}
	if (changed == CL_NOT_MASTER || changed == CL_NO_ROOM)
		sim_fail(sim, "an offered record was refused: %u", changed);
	office->batch = cl_upto(node->cl);
	node->want_flush = true;
}

static void committed(struct sim *sim, struct node *node)
{
	struct office *office = node->app;
	struct version upto = cl_committed(node->cl);

	while (office->acting && office->count > 0 && !version_before(upto, office->held[office->first].version)) {
		struct held_packet *held = &office->held[office->first];

		check_release(sim, node, held->version);
		packet_send(sim, held->to, bytes_of(held->octets, held->len));
		free(held->octets);
		office->first = (office->first + 1) % HELD;
		office->count--;
	}
}

/* ---- what LACs say ---- */

static void input(struct sim *sim, struct node *node, struct addr from, struct bytes packet)
{
	struct office *office = node->app;
	struct fx_list *out = world_of(sim)->out;
	struct ip local = ip_from4((struct ip4){ SERVICE_IP });

	if (!fx_has_room(out))
		effects(sim, node);
	office->dirty = true;
	if (office->acting && node_serves(node)) {
		enum why why = lns_input(office->lns, from, local, packet, node_now(sim, node), out);

		if (why != WHY_OK)
			sim_note(sim, "a LAC's packet: %s", why_text(why));
		return;
	}
	if ((office->status.master.n == 0 || office->status.frozen) &&
		lns_keepalive(office->lns, from, local, packet, node_now(sim, node), out))
		return;
	struct fx_cl_forwarded how = { .from = from, .local = local, .kind = PASS_UP };

	node_pass_on(sim, &how, packet);
}

static void forwarded(struct sim *sim, struct node *node, const struct fx_cl_forwarded *how, struct bytes packet)
{
	const struct office *office = node->app;

	if (office->acting)
		input(sim, node, how->from, packet);
}

static void event(struct sim *sim, const struct event *event)
{
	struct world *world = sim->world;
	struct letter *letter = (struct letter *)(uintptr_t)event->what;

	if (!letter) {
		lac_tick(sim, &world->lac[event->node]);
		sim_at(sim, sim->now + TICK_US, EV_APP, event->node, 0);
		return;
	}
	struct node *node = &sim->node[letter->to];
	struct bytes octets = bytes_of(letter->octets, letter->len);

	if (letter->to_lac) {
		lac_received(sim, &world->lac[letter->to], octets);
	} else if (node_runs(sim, node)) {
		node_begin(sim, node);
		input(sim, node, letter->from, octets);
		node_end(sim, node);
	}
	free(letter);
}

static struct mono next(const struct node *node)
{
	const struct office *office = node->app;

	return lns_next(office->lns);
}

static void tick(struct sim *sim, struct node *node)
{
	struct office *office = node->app;

	lns_tick(office->lns, node_now(sim, node), world_of(sim)->out);
	office->dirty = true;
}

/* ---- the end ---- */

static bool is_up(const struct world *world, const struct session *session)
{
	for (unsigned i = 0; i < LACS; i++)
		for (unsigned c = 0; c < CALLS; c++)
			if (world->lac[i].lns_tid == session->tid.n && world->lac[i].call[c].phase == PHASE_UP &&
				world->lac[i].call[c].sid == session->peer_sid.n)
				return true;
	return false;
}

/* A session that no LAC has, or that one has twice. */
_Noreturn static void ghost(struct sim *sim, struct node *node, unsigned up)
{
	const struct office *office = node->app;
	uint32_t at = 0, count = lns_session_count(office->lns);

	for (struct row row; (row = lns_session_next(office->lns, &at, 1000)).n; ) {
		const struct session *session = lns_session(office->lns, row), *other;
		uint32_t again = row.n;

		if (!is_up(sim->world, session))
			sim_fail(sim, "I15: %u sessions for %u calls: the LAC of tunnel %u knows no session %u", count,
				up, session->tid.n, session->peer_sid.n);
		for (struct row next; (next = lns_session_next(office->lns, &again, 1000)).n; ) {
			other = lns_session(office->lns, next);
			if (next.n != row.n && other->tid.n == session->tid.n &&
				other->peer_sid.n == session->peer_sid.n)
				sim_fail(sim, "I15: %u sessions, %u calls: %u and %u of tunnel %u are both %u", count,
					up, session->sid.n, other->sid.n, session->tid.n, session->peer_sid.n);
		}
	}
	sim_fail(sim, "I15: %u sessions for %u calls", count, up);
}

static void same_everywhere(struct sim *sim, struct node *node)
{
	const struct world *world = sim->world;
	const struct office *office = node->app;
	unsigned up = 0;

	sim->acting = node;
	for (unsigned i = 0; i < LACS; i++)
		for (unsigned c = 0; c < CALLS; c++) {
			const struct sim_call *call = &world->lac[i].call[c];

			if (call->phase != PHASE_UP)
				continue;
			up++;
			struct row row = lns_session_by_address(office->lns, (struct ip4){ call->address });
			const struct session *session = row.n ? lns_session(office->lns, row) : NULL;

			if (!session || !session->up || session->sid.n != call->lns_sid ||
				session->peer_sid.n != call->sid || session->tid.n != world->lac[i].lns_tid)
				sim_fail(sim,
					"I15: call %u of LAC %u (tunnel %u, session %u) is here: up %d, tunnel %u, "
					"session %u for %u, phase %u", call->sid, i + 1, world->lac[i].lns_tid,
					call->lns_sid, session && session->up, session ? session->tid.n : 0,
					session ? session->sid.n : 0, session ? session->peer_sid.n : 0,
					session ? session->ppp.phase : 0);
			if (!office->plane[row.n].up || office->plane[row.n].session.address.n != call->address)
				sim_fail(sim, "call %u of LAC %u is not in the plane", call->sid, i + 1);
		}
	if (lns_session_count(office->lns) != up)
		ghost(sim, node, up);
	for (unsigned row = 0; row < ARRAY_LEN(office->plane); row++)
		up -= office->plane[row].up;
	if (up != 0)
		sim_fail(sim, "sessions in the plane that are none");
	sim->acting = NULL;
}

static void checked(struct sim *sim)
{
	struct world *world = sim->world;
	uint64_t until = sim->now + 40 * S_US;
	char why[200];

	world->no_new_calls = true;
	while (!lacs_settled(sim, why) && sim->now < until)
		sim_run_until(sim, sim->now + 100 * MS_US);
	if (!lacs_settled(sim, why))
		sim_fail(sim, "I15: %s", why);
	sim_run_until(sim, sim->now + 200 * MS_US);
	check_settles(sim, sim->now + S_US);
	for (unsigned i = 0; i < sim->nodes; i++)
		same_everywhere(sim, &sim->node[i]);
}

static void client(struct sim *sim)
{
	(void)sim;
}

const struct app app_lns = {
	.name = "lns", .begin = begin, .end = end, .start = start, .stop = stop, .role = role, .apply = apply,
	.drop = drop, .committed = committed, .offered = offered, .forwarded = forwarded, .client = client,
	.event = event, .configure = configure, .settle = settle, .next = next, .tick = tick, .checked = checked,
};
