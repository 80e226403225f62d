/* io_asks.c -- what the control thread asks, carried out on the cluster thread; which of its batches are safe. */
#include "cluster/io_state.h"

#define TURN_ASKS	512u		/* records of a turn: heartbeats are not kept waiting */

static void change_lost(struct cluster_io *io, uint32_t key)
{
	struct io_lost *lost = &io->lost_keys;

	if (key < io->conf.cl.keys) {
		lost->bit[key / 64] |= UINT64_C(1) << key % 64;
		lost->scan = min_u32(lost->scan, key / 64);
	}
	lost->losing = true;
	lost->owed = true;
	io->batch_lost = true;
	io_count(io, CLUSTER_IO_LOST_CHANGES, 1);
}

static void changed(struct cluster_io *io)
{
	if (!io->batch_changed)
		io->batch_term = cl_status(io->cl).term;
	io->batch_changed = true;
}

static void ask_change(struct cluster_io *io, const struct io_record *ask, struct mono now)
{
	enum cl_change done = io->lost_keys.losing ? CL_NOT_MASTER : cl_change(io->cl, ask->key, io_record_octets(ask));

	(void)now;
	if (done == CL_CHANGED)
		changed(io);
	else if (done != CL_SAME)
		change_lost(io, ask->key);
}

/* Nothing of ours was built upon it: a touch that comes too late is none. */
static void ask_touch(struct cluster_io *io, const struct io_record *ask, struct mono now)
{
	(void)now;
	if (!io->lost_keys.losing && cl_touch(io->cl, ask->key) == CL_CHANGED)
		changed(io);
}

static void ask_batch(struct cluster_io *io, const struct io_record *ask, struct mono now)
{
	struct io_batch batch = { .number = ask->number, .term = io->batch_term };

	if (io->batch_changed) {
		batch.upto = cl_upto(io->cl);
		cl_flush(io->cl, now, io->out);
	}
	if (io->batch_lost) {
		__atomic_store_n(&io->lost, ask->number, __ATOMIC_RELEASE);
	} else if (io->waiting_in - io->waiting_out < IO_BATCHES) {
		io->waiting[io->waiting_in++ % IO_BATCHES] = batch;
	} else {				/* it goes with the one before, never earlier than it may */
		struct io_batch *last = &io->waiting[(io->waiting_in - 1) % IO_BATCHES];

		last->number = batch.number;
		last->upto = batch.upto.n ? batch.upto : last->upto;
		last->term = batch.upto.n ? batch.term : last->term;
	}
	io->batch_changed = false;
	io->batch_lost = false;
}

static void ask_forward(struct cluster_io *io, const struct io_record *ask, struct mono now)
{
	struct bytes octets = io_record_octets(ask);
	struct io_from from;

	memcpy(&from, octets.p, sizeof(from));
	cl_forward(io->cl, ask->flag, (uint8_t)ask->small, from.from, from.local,
		   bytes_of(octets.p + sizeof(from), octets.len - sizeof(from)), now, io->out);
}

static void ask_bytes(struct cluster_io *io, const struct io_record *ask, struct mono now)
{
	cl_bytes(io->cl, io_record_octets(ask), now, io->out);
}

static void ask_command(struct cluster_io *io, const struct io_record *ask, struct mono now)
{
	cl_command(io->cl, (enum cl_verb)ask->flag, (struct node_id){ ask->small }, ask->key, now, io->out);
}

/* The ring's memory is read by nobody else until the record is given back: what is secret is wiped there. */
static void ask_secrets(struct cluster_io *io, const struct io_record *ask, struct mono now)
{
	struct seal_secret secret[SEAL_SECRETS_MAX];
	struct bytes octets = io_record_octets(ask);

	(void)now;
	ASSERT(octets.len == sizeof(secret));
	memcpy(secret, octets.p, sizeof(secret));
	explicit_bzero((void *)(uintptr_t)octets.p, octets.len);
	cl_secrets(io->cl, secret, ask->flag);
	explicit_bzero(secret, sizeof(secret));
}

static void ask_healthy(struct cluster_io *io, const struct io_record *ask, struct mono now)
{
	(void)now;
	cl_healthy(io->cl, ask->flag);
}

static void ask_configured(struct cluster_io *io, const struct io_record *ask, struct mono now)
{
	ASSERT(ask->len == sizeof(io->conf.cl));
	memcpy(&io->conf.cl, io_record_octets(ask).p, sizeof(io->conf.cl));
	cl_configured(io->cl, &io->conf.cl, now);
}

static void ask_restored(struct cluster_io *io, const struct io_record *ask, struct mono now)
{
	(void)now;
	if (ask->number == io->lost_keys.round && !io->lost_keys.owed)
		io->lost_keys.losing = false;
}

static void (*const asks[])(struct cluster_io *io, const struct io_record *ask, struct mono now) = {
	[ASK_CHANGE] = ask_change, [ASK_TOUCH] = ask_touch, [ASK_BATCH] = ask_batch, [ASK_FORWARD] = ask_forward,
	[ASK_BYTES] = ask_bytes, [ASK_COMMAND] = ask_command, [ASK_SECRETS] = ask_secrets,
	[ASK_HEALTHY] = ask_healthy, [ASK_CONFIGURED] = ask_configured, [ASK_RESTORED] = ask_restored,
};

bool io_asks(struct cluster_io *io, struct mono now)
{
	const struct io_record *ask = NULL;

	for (unsigned n = 0; n < TURN_ASKS && (ask = io_queue_take(&io->asks)) != NULL; n++) {
		ASSERT(ask->kind < ARRAY_LEN(asks));
		if (!fx_has_room(io->out))
			io_carry_out(io);
		asks[ask->kind](io, ask, now);
		if (ask->kind == ASK_BATCH)
			break;			/* it goes out before the next is begun */
	}
	io_queue_done(&io->asks);
	io_carry_out(io);
	return ask != NULL;
}

void io_batches_look(struct cluster_io *io)
{
	struct cl_status status = cl_status(io->cl);
	struct version committed = cl_committed(io->cl);
	uint64_t released = io->released, lost = io->lost;

	while (io->waiting_out != io->waiting_in) {
		const struct io_batch *batch = &io->waiting[io->waiting_out % IO_BATCHES];

		if (batch->upto.n && (status.role != CL_ROLE_MASTER || status.term != batch->term)) {
			lost = batch->number > lost ? batch->number : lost;
		} else {
			if (version_before(committed, batch->upto))
				break;
			released = batch->number;
		}
		io->waiting_out++;
	}
	__atomic_store_n(&io->lost, lost, __ATOMIC_RELEASE);
	__atomic_store_n(&io->released, released, __ATOMIC_RELEASE);
}
