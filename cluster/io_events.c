/*
 * io_events.c -- what the control thread must hear, in order, even when it is slow.
 *
 * What may be lost (a forwarded packet, counters, a log line) is dropped when the
 * queue is nearly full.  Changes stay with the machine until there is room.  What
 * must arrive waits in `later`; should that be full too, a ROLE or a DROP is only
 * remembered, as what counts is how things stand in the end.
 */
#include <stdio.h>

#include "cluster/io_state.h"
#include "cluster/repl_state.h"

#define PUMP_APPLIES	4096u		/* of one turn */
#define NOTHING		((struct bytes){ 0 })

const struct io_event_row io_event_rows[FX_KINDS] = {
	[FX_CL_ROLE]	  = { CLUSTER_ROLE, true, sizeof(struct fx_cl_role) },
	[FX_CL_DROP]	  = { CLUSTER_DROP, true, 0 },
	[FX_CL_OFFERED]	  = { CLUSTER_OFFERED, true, sizeof(struct fx_cl_offered) },
	[FX_CL_DONE]	  = { CLUSTER_DONE, true, sizeof(struct fx_cl_done) },
	[FX_CL_FORWARDED] = { CLUSTER_FORWARDED, false, sizeof(struct fx_cl_forwarded) },
	[FX_CL_BYTES]	  = { CLUSTER_BYTES, false, sizeof(struct fx_cl_bytes) },
	[FX_LOG]	  = { CLUSTER_LOG, false, sizeof(struct fx_log) },
};

static bool behind(const struct cluster_io *io)
{
	return io->later_head || io_queue_has(&io->later) || io->drop_owed || io->role_owed;
}

/* Hand on the changes a slave received.  False: there may be more. */
static bool applies_pull(struct cluster_io *io)
{
	struct record record;

	for (unsigned n = 0; n < PUMP_APPLIES; n++) {
		if (io_queue_room(&io->events) < IO_RESERVE)
			return false;
		if (!cl_apply_next(io->cl, &record))
			return true;
		struct io_record apply = { .kind = CLUSTER_APPLY, .key = record.key, .number = record.version.n };
		bool fits = io_queue_put(&io->events, &apply, record.octets, NOTHING);

		ASSERT(fits);
	}
	return false;
}

/* Put it where it belongs behind all that was said before. */
static bool put(struct cluster_io *io, const struct io_record *record, struct bytes octets, bool kept)
{
	uint32_t reserve = kept ? 0 : IO_RESERVE;

	if (!behind(io) && io_queue_room(&io->events) >= reserve &&
	    (record->kind != CLUSTER_ROLE || applies_pull(io)) && io_queue_put(&io->events, record, octets, NOTHING))
		return true;
	if (io->drop_owed || io->role_owed || io_queue_room(&io->later) < (kept ? 0 : IO_LATER_OCTETS / 2) ||
	    !io_queue_put(&io->later, record, octets, NOTHING))
		return false;
	io->later_drops += record->kind == CLUSTER_DROP;
	return true;
}

/* What the control thread did before it reads that it is master, it did as something else, upon records it had
 * not yet all seen: every change is lost until it has read so far. */
static uint64_t role_round(struct cluster_io *io, const struct cl_status *status)
{
	struct io_lost *lost = &io->lost_keys;
	uint32_t before = lost->master_term;

	lost->master_term = status->role == CL_ROLE_MASTER ? status->term : 0;
	if (lost->master_term == 0 || lost->master_term == before)
		return 0;
	lost->losing = true;
	return ++lost->round;
}

void io_event(struct cluster_io *io, const struct fx *fx)
{
	const struct io_event_row *row = &io_event_rows[fx->kind];
	struct io_record record = { .kind = row->kind, .key = fx->id };

	if (fx->kind == FX_CL_APPLY || fx->kind == FX_CL_COMMITTED)
		return;				/* io_events_pump() and io_batches_look() follow every list */
	ASSERT(row->fixed || fx->kind == FX_CL_DROP);
	if (fx->kind == FX_CL_ROLE) {
		const struct fx_cl_role *role = fx_payload(io->out, fx);

		io->facts_due = (struct mono){ 0 };
		record.number = role_round(io, &role->status);
	}
	if (put(io, &record, bytes_of(fx_payload(io->out, fx), fx->len), row->kept))
		return;
	if (fx->kind == FX_CL_ROLE) {
		io->role_owed = true;
		io->lost_keys.master_term = 0;	/* the one told in its place begins a round */
	} else if (fx->kind == FX_CL_DROP) {
		io->drop_owed = true;
	} else {
		io_count(io, row->kept ? CLUSTER_IO_ANSWERS_DROPPED : CLUSTER_IO_EVENTS_DROPPED, 1);
	}
}

void io_link_event(struct cluster_io *io, bool there, const char *text)
{
	struct io_record record = { .kind = CLUSTER_LINK, .flag = there };

	if (!put(io, &record, bytes_str(text), true))
		io_count(io, CLUSTER_IO_EVENTS_DROPPED, 1);
}

/* False: something still waits. */
static bool later_pump(struct cluster_io *io)
{
	while (io->later_head || (io->later_head = io_queue_take(&io->later)) != NULL) {
		/* What is pulled before a DROP that is on its way would be dropped by it. */
		if (io->later_head->kind == CLUSTER_ROLE && io->later_drops == 0 && !applies_pull(io))
			return false;
		if (!io_queue_put(&io->events, io->later_head, io_record_octets(io->later_head), NOTHING))
			return false;
		io->later_drops -= io->later_head->kind == CLUSTER_DROP;
		io->later_head = NULL;
		io_queue_done(&io->later);
	}
	return true;
}

static bool owed_pump(struct cluster_io *io)
{
	struct fx_cl_role role = { .status = cl_status(io->cl) };
	struct io_record record = { .kind = CLUSTER_DROP };

	if (io->drop_owed && !io_queue_put(&io->events, &record, NOTHING, NOTHING))
		return false;
	io->drop_owed = false;
	if (io->role_owed && (!applies_pull(io) || io_queue_room(&io->events) < IO_RESERVE / 2))
		return false;
	if (io->role_owed) {
		record = (struct io_record){ .kind = CLUSTER_ROLE, .number = role_round(io, &role.status) };
		bool fits = io_queue_put(&io->events, &record, bytes_of(&role, sizeof(role)), NOTHING);

		ASSERT(fits);
	}
	io->role_owed = false;
	return true;
}

/* What stands, for every key of a change that was lost; then the sign that this was all. */
static bool lost_pump(struct cluster_io *io)
{
	struct io_lost *lost = &io->lost_keys;
	struct io_record done = { .kind = EVENT_RESTORED, .number = lost->round + 1 };

	if (!lost->owed || io_queue_has(&io->asks))
		return true;			/* more may be on the way: all of them together */
	if (io->cl->repl->clearing)
		return false;			/* the records cannot be asked just now */
	for (; lost->scan < lost->words; lost->scan++) {
		while (lost->bit[lost->scan]) {
			uint32_t key = lost->scan * 64 + (uint32_t)__builtin_ctzll(lost->bit[lost->scan]);
			struct record record = records_get(&io->cl->records, key);
			struct io_record apply = { .kind = CLUSTER_APPLY, .key = key, .number = record.version.n };

			if (io_queue_room(&io->events) < IO_RESERVE ||
			    !io_queue_put(&io->events, &apply, record.octets, NOTHING))
				return false;
			lost->bit[lost->scan] &= lost->bit[lost->scan] - 1;
		}
	}
	if (!io_queue_put(&io->events, &done, NOTHING, NOTHING))
		return false;
	lost->round++;
	lost->owed = false;
	return true;
}

void io_events_pump(struct cluster_io *io)
{
	io->pressing = !later_pump(io) || !owed_pump(io) || !applies_pull(io) || !lost_pump(io);
}
