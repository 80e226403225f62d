/* shell.c -- carries effects out, in order: the only file that knows both core/ and io/. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "l2tpns/io/clock.h"
#include "l2tpns/io/service.h"
#include "l2tpns/shell.h"

#define PUNTS_PER_ROUND	64
#define ROUNDS_PER_TURN	4	/* then the terminals and timers have their say */
#define GATHER_US	80
#define LEAVE_TIME_S	10.0	/* to end every session and tell every LAC */
#define LEAVE_ACKS_S	2.5	/* then for their acknowledgements: one retransmission each */

/* ---- effects ---- */

static void packets_flush(struct shell *shell)
{
	if (shell->packets)
		(void)plane_user_send(shell->plane, shell->packet, shell->packets);
	shell->packets = 0;
}

static void packet_send(struct shell *shell, const struct fx *fx, const struct fx_send *send)
{
	struct plane_packet packet = {
		.from = send->from, .to = send->to, .octets = bytes_of(send + 1, fx->len - sizeof(*send)),
	};

	if (shell_cluster_hold(shell, &packet))
		return;
	shell->packet[shell->packets++] = packet;
	if (shell->packets == PLANE_SEND_MAX)
		packets_flush(shell);
}

static void route_put(struct shell *shell, const struct fx_route *route)
{
	char text[IP_TEXT_MAX];
	int failed = 0;

	if (!shell->plane->ops->route_put(shell->plane, route) && shell->unroutables < ARRAY_LEN(shell->unroutable)) {
		shell->unroutable[shell->unroutables++] = route->row;
		log_line(shell->log, SAY_LOCAL, "session=%u no room in the route table for %s/%u", route->row.n,
			 ip4_text(route->prefix.net, text), route->prefix.len);
	}
	if (route->kernel)
		failed = netlink_route_put(shell->netlink, route->prefix);
	if (failed)
		log_line(shell->log, SAY_LOCAL, "session=%u kernel route to %s/%u: %s", route->row.n,
			 ip4_text(route->prefix.net, text), route->prefix.len, strerror(-failed));
}

static void route_drop(struct shell *shell, const struct fx_route *route)
{
	char text[IP_TEXT_MAX];
	int failed = 0;

	shell->plane->ops->route_drop(shell->plane, route);
	if (route->kernel)
		failed = netlink_route_drop(shell->netlink, route->prefix);
	if (failed)
		log_line(shell->log, SAY_LOCAL, "session=%u removing the kernel route to %s/%u: %s", route->row.n,
			 ip4_text(route->prefix.net, text), route->prefix.len, strerror(-failed));
}

static void crypt_ask(struct shell *shell, const struct fx_crypt *ask)
{
	if (!crypt_thread_ask(shell->crypt, ask))
		log_line(shell->log, SAY_LOCAL, "session=%u too many passwords wait to be checked", ask->row.n);
}

static void effect(struct shell *shell, const struct fx *fx)
{
	const void *payload = fx_payload(&shell->fx, fx);
	struct plane *plane = shell->plane;

	switch ((enum fx_kind)fx->kind) {
	case FX_SEND:
		packet_send(shell, fx, payload);
		break;
	case FX_TUNNEL_PUT:
		plane->ops->tunnel_put(plane, payload);
		break;
	case FX_TUNNEL_DROP:
		plane->ops->tunnel_drop(plane, (struct tid){ (uint16_t)fx->id });
		break;
	case FX_SESSION_PUT:
		plane->ops->session_put(plane, payload);
		break;
	case FX_SESSION_DROP:
		plane->ops->session_drop(plane, payload);
		break;
	case FX_ROUTE_PUT:
		route_put(shell, payload);
		break;
	case FX_ROUTE_DROP:
		route_drop(shell, payload);
		break;
	case FX_CRYPT:
		crypt_ask(shell, payload);
		break;
	case FX_LOG:
		log_fx(shell->log, fx, payload);
		break;
	case FX_CL_SEND ... FX_KINDS:
		ASSERT(false && "not an effect");
	}
}

static void effects_carry_out(struct shell *shell)
{
	shell_cluster_changes(shell);
	for (uint32_t i = 0; i < shell->fx.count; i++)
		effect(shell, &shell->fx.fx[i]);
	packets_flush(shell);
	fx_clear(&shell->fx);
	while (shell->unroutables)
		lns_route_refused(shell->lns, shell->unroutable[--shell->unroutables], clock_now(), &shell->fx);
}

void shell_settle_if_full(struct shell *shell)
{
	if (!fx_has_room(&shell->fx))
		effects_carry_out(shell);
}

/* Something changed outside the loop's own events: look at what is due before sleeping. */
void shell_wake(struct shell *shell)
{
	ev_timer_stop(shell->loop, &shell->tick);
	ev_timer_set(&shell->tick, 0.0, 0.0);
	ev_timer_start(shell->loop, &shell->tick);
}

void shell_settle(struct shell *shell)
{
	struct mono now = clock_now();

	shell_settle_if_full(shell);
	lns_flush(shell->lns, now, &shell->fx);
	while (shell->fx.count)
		effects_carry_out(shell);
}

/* ---- events ---- */

static void punts_input(struct shell *shell, const struct punt *punt, unsigned n)
{
	struct mono now = clock_now();

	for (unsigned i = 0; i < n; i++) {
		shell_settle_if_full(shell);
		if (shell_acts(shell) && punt[i].from.port)
			(void)lns_input(shell->lns, punt[i].from, punt[i].local, punt[i].packet, now, &shell->fx);
		else if (!shell_acts(shell))
			shell_cluster_pass(shell, &punt[i]);
	}
	shell_settle(shell);
	plane_user_punts_done(shell->plane);
}

/*
 * A bounded number of packets; false when there are no more.  While calls come in
 * masses their packets arrive one by one, and waking for each costs more than
 * handling it: after a small batch the next is given a moment to gather.  The
 * first packet after a silence is handled at once.
 */
static bool punts_take(struct shell *shell)
{
	struct punt punt[PUNTS_PER_ROUND];

	for (unsigned round = 0; round < ROUNDS_PER_TURN; round++) {
		unsigned n = shell_cluster_room(shell) ? plane_user_punts(shell->plane, punt, PUNTS_PER_ROUND) : 0;

		if (n == 0)
			return false;
		punts_input(shell, punt, n);
		if (n < PUNTS_PER_ROUND / 2)
			clock_nap(DUR_US(GATHER_US));
	}
	return true;
}

/* The descriptor tells only of the first packet after none: while there are more, the loop does not sleep. */
static void on_punts(struct ev_loop *loop, ev_io *io, int revents)
{
	struct shell *shell = io->data;

	(void)revents;
	if (punts_take(shell))
		ev_idle_start(loop, &shell->more_punts);
}

static void on_more_punts(struct ev_loop *loop, ev_idle *idle, int revents)
{
	struct shell *shell = idle->data;

	(void)revents;
	if (!punts_take(shell))
		ev_idle_stop(loop, idle);
}

static void on_crypts(struct ev_loop *loop, ev_io *io, int revents)
{
	struct shell *shell = io->data;
	struct crypt_answer answer;

	(void)loop;
	(void)revents;
	while (crypt_thread_answer(shell->crypt, &answer)) {
		shell_settle_if_full(shell);
		lns_crypt_answered(shell->lns, answer.row, answer.serial, answer.matches, clock_now(), &shell->fx);
	}
	shell_settle(shell);
}

static void on_terminals(struct ev_loop *loop, ev_io *io, int revents)
{
	struct shell *shell = io->data;

	(void)loop;
	(void)revents;
	cli_telnet_run(shell->telnet);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)timer;
	(void)revents;	/* the work is done before the loop sleeps again */
}

/* Before the loop sleeps: what fell due, and when to wake. */
static void on_rest(struct ev_loop *loop, ev_prepare *prepare, int revents)
{
	struct shell *shell = prepare->data;
	struct mono now = clock_now();

	(void)revents;
	lns_tick(shell->lns, now, &shell->fx);
	shell_settle(shell);
	if (shell->leaving && lns_idle(shell->lns)) {
		ev_break(loop, EVBREAK_ALL);
		return;
	}
	if (shell->leaving && !shell->told && lns_told(shell->lns)) {
		shell->told = true;	/* a LAC that is dead is not waited for as long as one that is slow */
		ev_timer_stop(loop, &shell->deadline);
		ev_timer_set(&shell->deadline, LEAVE_ACKS_S, 0.0);
		ev_timer_start(loop, &shell->deadline);
	}
	struct mono next = lns_next(shell->lns);

	ev_timer_stop(loop, &shell->tick);
	if (next.us == UINT64_MAX)
		return;
	double wait = mono_reached(now, next) ? 0.0 : (double)mono_since(next, now).us / 1e6;

	ev_timer_set(&shell->tick, wait, 0.0);
	ev_timer_start(loop, &shell->tick);
}

static void on_second(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct shell *shell = timer->data;

	(void)loop;
	(void)revents;
	facts_second(&shell->facts);
	log_second(shell->log);
}

static void on_watchdog(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)timer;
	(void)revents;
	service_alive();
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct shell *shell = timer->data;

	(void)revents;
	log_line(shell->log, SAY_LOCAL, "leaving with %u tunnels whose LAC does not answer",
		 lns_tunnel_count(shell->lns));
	ev_break(loop, EVBREAK_ALL);
}

static void on_hup(struct ev_loop *loop, ev_signal *sig, int revents)
{
	struct shell *shell = sig->data;
	char message[FACTS_MESSAGE_MAX];

	(void)loop;
	(void)revents;
	(void)shell_files_reload(shell, message);
}

/* TERM and INT: leave at once, so that somebody else can take over. */
static void on_term(struct ev_loop *loop, ev_signal *sig, int revents)
{
	struct shell *shell = sig->data;

	(void)revents;
	log_line(shell->log, SAY_STATE, "leaving at once: signal %d", sig->signum);
	service_stopping("leaving at once");
	ev_break(loop, EVBREAK_ALL);
}

static void on_quit(struct ev_loop *loop, ev_signal *sig, int revents)
{
	(void)loop;
	(void)revents;
	shell_leave(sig->data);
}

void shell_leave(struct shell *shell)
{
	if (shell->leaving)
		return;
	if (shell_cluster_leave(shell))
		return;
	shell->leaving = true;
	if (!shell_acts(shell)) {	/* others may serve them where we cannot hear it */
		log_line(shell->log, SAY_STATE, "leaving: %u sessions are left as they are, as this node is not master",
			 lns_session_count(shell->lns));
		ev_break(shell->loop, EVBREAK_ALL);
		return;
	}
	log_line(shell->log, SAY_STATE, "leaving: closing %u tunnels with %u sessions",
		 lns_tunnel_count(shell->lns), lns_session_count(shell->lns));
	service_stopping("closing tunnels");
	shell_settle_if_full(shell);
	lns_shutdown_asked(shell->lns, clock_now(), &shell->fx);
	ev_timer_start(shell->loop, &shell->deadline);
	shell_wake(shell);
}

/* ---- the loop ---- */

static void signal_watch(struct shell *shell, ev_signal *watcher, int number,
			 void (*on)(struct ev_loop *, ev_signal *, int))
{
	ev_signal_init(watcher, on, number);
	watcher->data = shell;
	ev_signal_start(shell->loop, watcher);
}

static void fd_watch(struct shell *shell, ev_io *watcher, int fd, void (*on)(struct ev_loop *, ev_io *, int))
{
	ev_io_init(watcher, on, fd, EV_READ);
	watcher->data = shell;
	ev_io_start(shell->loop, watcher);
}

void shell_run(struct shell *shell)
{
	double watchdog = (double)service_watchdog().us / 1e6;

	fd_watch(shell, &shell->punts, plane_user_punt_fd(shell->plane), on_punts);
	ev_idle_init(&shell->more_punts, on_more_punts);
	ev_set_priority(&shell->more_punts, EV_MAXPRI);	/* not only when nobody else has anything to do */
	shell->more_punts.data = shell;
	fd_watch(shell, &shell->crypts, crypt_thread_fd(shell->crypt), on_crypts);
	if (shell->telnet)
		fd_watch(shell, &shell->terminals, cli_telnet_fd(shell->telnet), on_terminals);
	signal_watch(shell, &shell->hup, SIGHUP, on_hup);
	signal_watch(shell, &shell->term, SIGTERM, on_term);
	signal_watch(shell, &shell->intr, SIGINT, on_term);
	signal_watch(shell, &shell->quit, SIGQUIT, on_quit);
	ev_timer_init(&shell->tick, on_tick, 0.0, 0.0);
	ev_timer_init(&shell->second, on_second, 1.0, 1.0);
	shell->second.data = shell;
	ev_timer_start(shell->loop, &shell->second);
	ev_timer_init(&shell->deadline, on_deadline, LEAVE_TIME_S, 0.0);
	shell->deadline.data = shell;
	if (watchdog > 0) {
		ev_timer_init(&shell->watchdog, on_watchdog, 0.0, watchdog);
		ev_timer_start(shell->loop, &shell->watchdog);
	}
	shell_cluster_run(shell);
	ev_prepare_init(&shell->rest, on_rest);
	shell->rest.data = shell;
	ev_prepare_start(shell->loop, &shell->rest);
	service_ready();
	ev_run(shell->loop, 0);
}
