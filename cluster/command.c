/*
 * command.c -- what an operator wants, carried out here or on the node it is for.
 *
 * A wish for another node names that node's boot and has a number of its own
 * (requirement R66): it is repeated until that node answers, carried out once, and
 * given up in so short a time that the operator still waits (R61).
 */
#include <stdio.h>

#include "cluster/mutants.h"
#include "cluster/state.h"
#include "cluster/trace.h"
#include "l2tpns/base/say.h"

#define WISHES		8u
#define WISH_GAP_MS	100
#define WISH_MS		4000
#define WORDS_MAX	160u

struct wish {
	bool		used;
	uint32_t	id;		/* the daemon's number, given back */
	uint32_t	number;		/* ours, on the wire */
	enum cl_verb	verb;
	struct node_id	to, argument;
	struct mono	due, until;
};

struct cl_wishes {
	uint32_t	numbers;
	struct wish	wish[WISHES];
};

void command_init(struct cl *cl, struct arena *arena)
{
	cl->wishes = arena_take(arena, 1, sizeof(*cl->wishes));
}

static void done(struct cl_turn *turn, uint32_t id, bool ok, struct bytes words)
{
	uint32_t len = min_u32(words.len, WORDS_MAX);
	struct fx_cl_done *fx = fx_add(turn->out, FX_CL_DONE, id, sizeof(*fx) + len);

	memset(fx, 0, sizeof(*fx));
	fx->ok = ok;
	if (len)
		memcpy(fx + 1, words.p, len);
}

/* ---- carrying out ---- */

static bool do_stop(struct cl_turn *turn, struct node_id argument, const char **why)
{
	(void)argument;
	*why = turn->cl->leaving ? "it has left already" : "it leaves the cluster";
	elect_left(turn);
	return true;
}

static bool do_handover(struct cl_turn *turn, struct node_id argument, const char **why)
{
	return elect_handover(turn, argument, why);
}

static bool do_force(struct cl_turn *turn, struct node_id argument, const char **why)
{
	(void)argument;
	return elect_force(turn, why);
}

/* Also the way back for a node that was told to stop. */
static bool do_resync(struct cl_turn *turn, struct node_id argument, const char **why)
{
	struct cl *cl = turn->cl;

	(void)argument;
	if (!repl_resync(turn, why))
		return false;
	*why = "the copy is dropped and comes anew";
	if (cl->leaving) {
		cl->leaving = cl->stopped = false;
		cl->farewells = 0;
		cl->ping_due = turn->now;
	}
	return true;
}

static const struct verb {
	bool	(*run)(struct cl_turn *turn, struct node_id argument, const char **why);
	bool	on_master;	/* the master does it, and the argument is its own; otherwise it names who does it */
} verbs[] = {
	[CL_VERB_STOP]		= { do_stop, false },
	[CL_VERB_HANDOVER]	= { do_handover, true },
	[CL_VERB_FORCE]		= { do_force, false },
	[CL_VERB_RESYNC]	= { do_resync, false },
};

static bool verb_known(unsigned verb)
{
	return verb < ARRAY_LEN(verbs) && verbs[verb].run;
}

static bool run(struct cl_turn *turn, unsigned verb, struct node_id argument, struct node_id by, const char **why)
{
	bool ok = verbs[verb].run(turn, argument, why);

	say(turn->out, SAY_CLUSTER_COMMAND, (struct tid){ 0 }, (struct row){ 0 }, SAY_ARG(verb, argument.n, by.n, ok),
	    bytes_str(*why));
	return ok;
}

/* ---- passing on ---- */

static uint64_t boot_hi(struct boot_id boot)
{
	struct rd r = rd_of(boot.b, sizeof(boot.b));

	return rd_u64(&r);
}

static void wish_send(struct cl_turn *turn, struct wish *wish)
{
	struct cl_peer *peer = cl_peer_of(turn->cl, wish->to);
	struct cl_msg msg = { .type = CL_COMMAND, .term = turn->cl->status.term };

	wish->due = mono_add(turn->now, DUR_MS(WISH_GAP_MS));
	if (!peer)
		return;
	msg.command = (struct cl_command){ .boot_hi = boot_hi(peer->boot), .number = wish->number,
					   .verb = (uint8_t)wish->verb, .argument = wish->argument };
	cl_send_to(turn, peer, &msg);
}

static struct wish *wish_place(struct cl_wishes *wishes)
{
	for (unsigned i = 0; i < WISHES; i++)
		if (!wishes->wish[i].used)
			return &wishes->wish[i];
	return NULL;
}

static void wanted(struct cl_turn *turn, enum cl_verb verb, struct node_id argument, uint32_t number)
{
	struct cl *cl = turn->cl;
	const char *why = "no such command";
	bool ok = false;

	if (!verb_known(verb)) {
		done(turn, number, false, bytes_str(why));
		return;
	}
	struct node_id to = verbs[verb].on_master ? cl->status.master : argument;
	struct wish *wish = wish_place(cl->wishes);

	if (verbs[verb].on_master && !to.n) {
		why = "there is no master";
	} else if (!to.n || node_eq(to, cl->conf.self)) {
		ok = run(turn, verb, argument, cl->conf.self, &why);
	} else if (!cl_peer_of(cl, to)) {
		why = "no such node is known";
	} else if (!wish) {
		why = "too many commands are on their way";
	} else {
		*wish = (struct wish){ .used = true, .id = number, .number = ++cl->wishes->numbers, .verb = verb,
				       .to = to, .argument = argument, .until = mono_add(turn->now, DUR_MS(WISH_MS)) };
		wish_send(turn, wish);
		return;
	}
	done(turn, number, ok, bytes_str(why));
	elect_look(turn);
}

void cl_command(struct cl *cl, enum cl_verb verb, struct node_id argument, uint32_t number, struct mono now,
		struct fx_list *out)
{
	struct cl_turn turn = { cl, now, out };
	struct cl_trace_entry entry = { .kind = CL_TRACE_COMMAND, .now = now, .flag = (uint8_t)verb, .node = argument,
					.number = number };

	cl_trace_begin(cl, &entry, (struct bytes){ 0 });
	wanted(&turn, verb, argument, number);
	cl_trace_end(cl, 0);
}

static void answer(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg, bool ok, const char *words)
{
	struct cl_msg reply = { .type = CL_DONE, .term = turn->cl->status.term };

	reply.done = (struct cl_done){ .number = msg->command.number, .verb = msg->command.verb, .ok = ok,
				       .rest = bytes_str(words) };
	cl_send_to(turn, peer, &reply);
}

/* Once: a repetition is answered again, and what is older or for another boot is nobody's wish any more. */
static enum why commanded(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	const struct cl_command *command = &msg->command;
	const char *why = "no such command";

	if (command->boot_hi != boot_hi(seal_boot(turn->cl->seal)) || command->number < peer->command)
		return WHY_CL_ROUND;
	if (command->number == peer->command) {
		answer(turn, peer, msg, peer->command_ok, "done before");
		return WHY_OK;
	}
	peer->command = command->number;
	peer->command_ok = verb_known(command->verb) && run(turn, command->verb, command->argument, peer->node, &why);
	answer(turn, peer, msg, peer->command_ok, why);
	return WHY_OK;
}

enum why command_received(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl_wishes *wishes = turn->cl->wishes;

	if (msg->type == CL_COMMAND)
		return commanded(turn, peer, msg);
	for (unsigned i = 0; i < WISHES; i++) {
		struct wish *wish = &wishes->wish[i];

		if (!wish->used || wish->number != msg->done.number || !node_eq(wish->to, peer->node))
			continue;
		wish->used = false;
		done(turn, wish->id, msg->done.ok != 0, msg->done.rest);
		return WHY_OK;
	}
	return WHY_CL_ROUND;
}

void command_tick(struct cl_turn *turn)
{
	struct cl_wishes *wishes = turn->cl->wishes;

	for (unsigned i = 0; i < WISHES; i++) {
		struct wish *wish = &wishes->wish[i];

		if (!wish->used || !mono_reached(turn->now, mono_min(wish->due, wish->until)))
			continue;
		if (mono_reached(turn->now, wish->until)) {
			wish->used = false;
			done(turn, wish->id, false, bytes_str("that node did not answer"));
		} else {
			wish_send(turn, wish);
		}
	}
}

struct mono command_next(const struct cl *cl)
{
	struct mono next = MONO_NEVER;

	for (unsigned i = 0; i < WISHES; i++) {
		const struct wish *wish = &cl->wishes->wish[i];

		if (wish->used)
			next = mono_min(next, mono_min(wish->due, wish->until));
	}
	return next;
}
