/* shell_cluster.c -- output commit, records in and out, and what a change of role means for the rest of the daemon. */
#include <stdio.h>

#include "l2tpns/core/replica.h"
#include "l2tpns/io/address.h"
#include "l2tpns/io/clock.h"
#include "l2tpns/io/service.h"
#include "l2tpns/shell.h"

#define EVENTS_PER_TURN	2048
#define ADDRESS_LATE	DUR_MS(200)
#define ADDRESS_HEAR	DUR_MS(50)

bool shell_acts(const struct shell *shell)
{
	return !shell->cluster || shell->cluster->acting;
}

/* The workers tell only of the first packet after none: who leaves packets waiting must come back by himself. */
bool shell_cluster_room(struct shell *shell)
{
	struct shell_cluster *cluster = shell->cluster;

	if (!cluster || (held_room(&cluster->held) > 2 * FX_OCTETS && cluster_io_room(cluster->io)))
		return true;
	cluster->packets_wait = true;
	return false;
}

void shell_cluster_room_look(struct shell *shell)
{
	struct shell_cluster *cluster = shell->cluster;

	if (!cluster->packets_wait)
		return;
	cluster->packets_wait = false;
	ev_feed_event(shell->loop, &shell->punts, EV_READ);
}

static struct replica_clock clock_of(const struct shell_cluster *cluster)
{
	return (struct replica_clock){ .offset_us = cluster_io_time_offset(cluster->io) };
}

/* ---- out: changes, and what waits for them ---- */

void shell_cluster_changes(struct shell *shell)
{
	struct shell_cluster *cluster = shell->cluster;
	uint8_t octets[REPLICA_MAX];
	unsigned changes = 0;
	uint32_t key;

	if (!cluster || !cluster->acting)
		return;
	while (lns_marked_next(shell->lns, &key)) {
		struct wr w = wr_of(octets, sizeof(octets));

		replica_encode(shell->lns, key, clock_of(cluster), &w);
		ASSERT(wr_ok(&w));
		cluster_io_change(cluster->io, key, wr_bytes_of(&w));
		changes++;
	}
	if (changes)
		cluster->batch = cluster_io_batch(cluster->io);
}

/* A packet may say what an earlier batch changed: while one waits, all that come after it wait too. */
bool shell_cluster_hold(struct shell *shell, const struct plane_packet *packet)
{
	struct shell_cluster *cluster = shell->cluster;

	if (!cluster || !cluster->acting || cluster->batch <= cluster->released)
		return false;
	if (!held_put(&cluster->held, cluster->batch, packet))
		cluster->held_lost++;	/* its peer repeats itself */
	return true;
}

/* Batches up to `lost` were never agreed upon: what they say stays unsaid, and their peers will say it again. */
static void held_release(struct shell *shell, uint64_t released, uint64_t lost)
{
	struct shell_cluster *cluster = shell->cluster;
	struct plane_packet packet[PLANE_SEND_MAX];
	uint64_t at = cluster->held.tail;
	unsigned n;

	if (released > cluster->released) {
		do {
			n = 0;
			while (n < PLANE_SEND_MAX && held_next(&cluster->held, released, &packet[n], &at))
				n++;
			if (n)
				(void)plane_user_send(shell->plane, packet, n);
			held_done(&cluster->held, at, n);
		} while (n == PLANE_SEND_MAX);
		cluster->released = released;
	}
	for (n = 0; lost > released && held_next(&cluster->held, lost, packet, &at); n++)
		;
	held_done(&cluster->held, at, n);
	cluster->held_lost += n;
	if (lost > cluster->released)
		cluster->released = lost;
}

/* ---- in: what peers say to a node that is not the one to answer ---- */

/* While nobody may change anything a peer is at least told that we are here; all else waits for a master. */
void shell_cluster_pass(struct shell *shell, const struct punt *punt)
{
	struct shell_cluster *cluster = shell->cluster;
	bool nobody = cluster->status.master.n == 0 || cluster->status.frozen;
	bool down = punt->from.port == 0;

	if (nobody && !down &&
	    lns_keepalive(shell->lns, punt->from, punt->local, punt->packet, clock_now(), &shell->fx))
		return;
	cluster_io_forward(cluster->io, down ? SHELL_PASS_DOWN : SHELL_PASS_UP, 0, punt->from, punt->local,
			   punt->packet);
}

void shell_cluster_pass_wish(struct shell *shell, enum shell_pass kind, uint32_t number, uint32_t serial)
{
	uint8_t octets[8];
	struct wr w = wr_of(octets, sizeof(octets));

	wr_u32(&w, number);
	wr_u32(&w, serial);
	cluster_io_forward(shell->cluster->io, (uint8_t)kind, 0, (struct addr){ .port = 0 }, (struct ip){ { 0 } },
			   wr_bytes_of(&w));
}

static void wish_received(struct shell *shell, enum shell_pass kind, struct bytes octets)
{
	struct rd r = rd_bytes(octets);
	uint32_t number = rd_u32(&r), serial = rd_u32(&r);
	const struct session *session = lns_session(shell->lns, (struct row){ number });
	bool done = false;

	if (!rd_done(&r) || !shell_acts(shell))
		return;
	if (kind == SHELL_PASS_SESSION_DROP && session && session->serial == serial)
		done = lns_drop_session(shell->lns, (struct row){ number }, clock_now(), &shell->fx);
	if (kind == SHELL_PASS_TUNNEL_DROP && number <= UINT16_MAX)
		done = lns_drop_tunnel(shell->lns, (struct tid){ (uint16_t)number }, clock_now(), &shell->fx);
	if (done)
		shell_wake(shell);
}

/* What is data goes through the packet path; all else, and what it does not know, is the control plane's. */
static void passed_up(struct shell *shell, const struct cluster_event *event)
{
	bool control = event->octets.len > 0 && (event->octets.p[0] & 0x80);

	if (!control && plane_user_forward_up(shell->plane, event->from, event->octets))
		return;
	if (shell_acts(shell))
		(void)lns_input(shell->lns, event->from, event->local, event->octets, clock_now(), &shell->fx);
}

static void forwarded(struct shell *shell, const struct cluster_event *event)
{
	switch (event->packet_kind) {
	case SHELL_PASS_UP:
		passed_up(shell, event);
		break;
	case SHELL_PASS_DOWN:
		(void)plane_user_forward_down(shell->plane, event->octets);
		break;
	case SHELL_PASS_SESSION_DROP:
	case SHELL_PASS_TUNNEL_DROP:
		wish_received(shell, (enum shell_pass)event->packet_kind, event->octets);
		break;
	}
}

/* ---- in: records, roles ---- */

static void applied(struct shell *shell, const struct cluster_event *event)
{
	enum why why = replica_apply(shell->lns, event->key, event->octets, clock_of(shell->cluster), clock_now(),
				     &shell->fx);

	if (why != WHY_OK)
		log_line(shell->log, SAY_LOCAL, "cluster: record %u cannot be taken: %s", event->key, why_text(why));
}

/* Our own stored copy was damaged: the object itself is right. */
static void encoded_anew(struct shell *shell, uint32_t key)
{
	uint8_t octets[REPLICA_MAX];
	struct wr w = wr_of(octets, sizeof(octets));

	replica_encode(shell->lns, key, clock_of(shell->cluster), &w);
	cluster_io_change(shell->cluster->io, key, wr_bytes_of(&w));
}

/* Another node alone has this, from a term that is over: taken when nothing of ours stands in its way. */
static void offered(struct shell *shell, const struct cluster_event *event)
{
	struct shell_cluster *cluster = shell->cluster;

	if (cluster->acting && node_eq(event->by, cluster->self)) {
		encoded_anew(shell, event->key);
	} else if (cluster->acting && replica_mergeable(shell->lns, event->key, event->octets)) {
		applied(shell, event);
		cluster_io_change(cluster->io, event->key, event->octets);
	} else {
		if (cluster->acting)
			replica_refuse(shell->lns, event->key, event->octets, clock_now(), &shell->fx);
		cluster_io_touch(cluster->io, event->key);
	}
	cluster->batch = cluster_io_batch(cluster->io);
}

static void forgotten(struct shell *shell)
{
	while (!lns_forget(shell->lns, clock_now(), &shell->fx))
		shell_settle(shell);
	shell_settle(shell);
}

/* ---- the service address ---- */

static void address_again(struct shell *shell, struct mono now, struct mono at)
{
	struct shell_cluster *cluster = shell->cluster;

	ev_timer_stop(shell->loop, &cluster->address_due);
	cluster->address_at = at;
	if (at.us == UINT64_MAX)
		return;
	ev_timer_set(&cluster->address_due, mono_reached(now, at) ? 0.0 : (double)mono_since(at, now).us / 1e6, 0.0);
	ev_timer_start(shell->loop, &cluster->address_due);
}

static void address_step(struct shell *shell)
{
	struct shell_cluster *cluster = shell->cluster;
	struct mono now = clock_now();

	if (cluster->address)
		address_again(shell, now, address_tick(cluster->address, now));
}

static void on_address(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)loop;
	(void)revents;
	address_step(io->data);
}

/* A node that was not run for a while may have been replaced: before it announces anything it hears the others. */
static void on_address_due(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct shell *shell = timer->data;
	struct mono now = clock_now();

	(void)loop;
	(void)revents;
	if (mono_reached(now, mono_add(shell->cluster->address_at, ADDRESS_LATE)))
		address_again(shell, now, mono_add(now, ADDRESS_HEAR));
	else
		address_step(shell);
}

/* A node that lost its mastership keeps the address until somebody else is master: traffic goes on meanwhile. */
static void address_follow(struct shell *shell)
{
	struct shell_cluster *cluster = shell->cluster;
	const struct cl_status *status = &cluster->status;

	bool wanted = status->role == CL_ROLE_MASTER || (cluster->address_wanted && status->master.n == 0);

	if (wanted == cluster->address_wanted)	/* nothing is announced, that is late, before all is heard */
		return;
	cluster->address_wanted = wanted;
	if (!cluster->address)
		return;
	address_want(cluster->address, wanted, clock_now());
	address_step(shell);
}

static void role_changed(struct shell *shell, const struct cl_status *status)
{
	struct shell_cluster *cluster = shell->cluster;
	bool acting = status->role == CL_ROLE_MASTER && !status->frozen;

	cluster->status = *status;
	address_follow(shell);
	if (acting == cluster->acting)
		return;
	cluster->acting = acting;
	plane_user_pass_unknown(shell->plane, !acting);
	lns_role(shell->lns, acting ? LNS_MASTER : LNS_SLAVE, clock_now(), &shell->fx);
	if (!acting) {		/* what waits was never agreed upon; the peers will say it again to another */
		cluster->held_lost += cluster->held.packets;
		held_clear(&cluster->held);
	}
	shell_wake(shell);
}

static void log_event(struct shell *shell, const struct cluster_event *event)
{
	struct { struct fx_log log; uint8_t text[SAY_TEXT_MAX]; } payload = { .log = event->log };
	struct fx fx = { .kind = FX_LOG, .id = event->say };

	payload.log.text_len = (uint16_t)min_u32(event->octets.len, SAY_TEXT_MAX);
	memcpy(payload.text, event->octets.p, payload.log.text_len);
	fx.len = (uint16_t)(sizeof(payload.log) + payload.log.text_len);
	log_fx(shell->log, &fx, &payload);
}

static void event_happened(struct shell *shell, const struct cluster_event *event)
{
	switch (event->kind) {
	case CLUSTER_APPLY:
		applied(shell, event);
		break;
	case CLUSTER_ROLE:
		shell_settle(shell);	/* every record that came before is in force */
		role_changed(shell, &event->status);
		break;
	case CLUSTER_DROP:
		forgotten(shell);
		break;
	case CLUSTER_OFFERED:
		offered(shell, event);
		break;
	case CLUSTER_FORWARDED:
		forwarded(shell, event);
		break;
	case CLUSTER_RELEASED:
		held_release(shell, event->released, event->lost);
		break;
	case CLUSTER_LOG:
		log_event(shell, event);
		break;
	case CLUSTER_LINK:
		log_line(shell->log, SAY_LOCAL, "%.*s", (int)event->octets.len, (const char *)event->octets.p);
		break;
	case CLUSTER_BYTES:
		shell_counts_received(shell, event);
		break;
	case CLUSTER_DONE:
		shell_wish_done(shell, event);
		break;
	case CLUSTER_EVENTS:
		ASSERT(false && "not an event");
	}
}

/* A bounded number of events, so that the terminals and the timers have their say between two copies of a table. */
static void on_events(struct ev_loop *loop, ev_io *io, int revents)
{
	struct shell *shell = io->data;
	struct cluster_event event;
	unsigned n;

	(void)revents;
	for (n = 0; n < EVENTS_PER_TURN && cluster_io_next(shell->cluster->io, &event); n++) {
		event_happened(shell, &event);
		shell_settle_if_full(shell);
	}
	shell_settle(shell);
	shell_cluster_room_look(shell);
	if (n == EVENTS_PER_TURN)
		ev_feed_event(loop, io, EV_READ);
}

/* ---- an operator's wishes ---- */

uint32_t shell_wish(struct shell *shell, enum cl_verb verb, struct node_id node)
{
	struct shell_cluster *cluster = shell->cluster;
	uint32_t number = ++cluster->wishes;

	cluster->wish[number % ARRAY_LEN(cluster->wish)] = (struct shell_wish){ .number = number };
	cluster_io_command(cluster->io, verb, node, number);
	return number;
}

void shell_wish_done(struct shell *shell, const struct cluster_event *event)
{
	struct shell_cluster *cluster = shell->cluster;
	struct shell_wish *wish = &cluster->wish[event->number % ARRAY_LEN(cluster->wish)];

	if (event->number == cluster->leaving)
		ev_break(shell->loop, EVBREAK_ALL);
	if (wish->number != event->number)
		return;
	wish->answered = true;
	wish->ok = event->ok;
	(void)snprintf(wish->words, sizeof(wish->words), "%.*s", (int)event->octets.len, (const char *)event->octets.p);
}

bool shell_cluster_leave(struct shell *shell)
{
	struct shell_cluster *cluster = shell->cluster;
	static struct cluster_io_facts facts;	/* large; control thread only */
	unsigned others = 0;

	if (!cluster)
		return false;
	if (cluster->leaving)
		return true;
	cluster_io_facts(cluster->io, &facts);
	for (unsigned slot = 0; slot < CLUSTER_NODES_MAX; slot++)
		others += facts.known[slot] && facts.peer[slot].alive && !facts.peer[slot].leaving;
	if (others == 0)
		return false;
	log_line(shell->log, SAY_STATE, "leaving: %u other nodes go on with %u sessions", others,
		 lns_session_count(shell->lns));
	service_stopping("leaving the cluster");
	cluster->leaving = shell_wish(shell, CL_VERB_STOP, (struct node_id){ 0 });
	ev_timer_start(shell->loop, &shell->deadline);
	return true;
}

const struct shell_wish *shell_wish_answer(const struct shell *shell, uint32_t number)
{
	const struct shell_wish *wish = &shell->cluster->wish[number % ARRAY_LEN(shell->cluster->wish)];

	return wish->number == number ? wish : NULL;
}

void shell_cluster_run(struct shell *shell)
{
	struct shell_cluster *cluster = shell->cluster;

	if (!cluster)
		return;
	ev_io_init(&cluster->events, on_events, cluster_io_fd(cluster->io), EV_READ);
	cluster->events.data = shell;
	ev_io_start(shell->loop, &cluster->events);
	shell_counts_run(shell);
	ev_timer_init(&cluster->address_due, on_address_due, 0.0, 0.0);
	cluster->address_due.data = shell;
	if (!cluster->address)
		return;
	ev_io_init(&cluster->address_io, on_address, address_fd(cluster->address), EV_READ);
	cluster->address_io.data = shell;
	ev_io_start(shell->loop, &cluster->address_io);
	address_step(shell);	/* what an earlier run left there goes */
}
