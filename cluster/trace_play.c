/* trace_play.c -- reading a dump of the machine's inputs, and handing them to another machine. */
#include "cluster/state.h"
#include "cluster/trace.h"

#define LINE_MAX_OCTETS	256u
#define PLAY_OCTETS	(CL_FORWARD_MAX + 256u)	/* the longest message there is */

_Static_assert(sizeof(struct cl_conf) <= CL_PLAIN_MAX, "a configuration is kept whole");

/* ---- reading ---- */

const char *cl_trace_read(struct rd *r, struct cl_trace_head *head, struct bytes *version)
{
	static const char wanted[] = "l2tpns cluster trace 1 ";

	const uint8_t *line = r->p, *end = memchr(line, '\n', min_u32((uint32_t)rd_left(r), LINE_MAX_OCTETS));

	if (!end || (size_t)(end - line) < sizeof(wanted) - 1 || memcmp(line, wanted, sizeof(wanted) - 1) != 0)
		return "this is no dump of a cluster's machine";
	*version = bytes_of(line, (size_t)(end - line));
	(void)rd_take(r, version->len + 1u);
	const uint8_t *octets = rd_take(r, sizeof(*head));

	if (!octets)
		return "the dump breaks off";
	memcpy(head, octets, sizeof(*head));
	if (head->octets != sizeof(*head) || head->entry_octets != sizeof(struct cl_trace_entry))
		return "the dump is of another build";
	return cl_conf_fault(&head->conf);
}

bool cl_trace_next(struct rd *r, struct cl_trace_entry *entry, struct bytes *octets)
{
	const uint8_t *at = rd_take(r, sizeof(*entry));

	if (!at)
		return false;
	memcpy(entry, at, sizeof(*entry));
	if (entry->kind == CL_TRACE_END)
		return false;
	struct rd kept = rd_sub(r, entry->kept);

	*octets = rd_rest(&kept);
	if (entry->kind >= CL_TRACE_KINDS || entry->kept > entry->len || entry->kept > CL_PLAIN_MAX ||
	    entry->len > PLAY_OCTETS)
		r->bad = true;
	return rd_ok(r);
}

/* ---- standing where a trace begins ---- */

static struct bytes filler(uint8_t room[PLAY_OCTETS], uint64_t hash, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		room[i] = (uint8_t)(hash >> i % 8 * 8);
	return bytes_of(room, len);
}

/* As if all up to `have` were in the table; of what was there, nothing is known. */
static void stand(struct cl *cl, uint32_t promised, struct version have)
{
	uint8_t room[PLAY_OCTETS];

	cl->promised = max_u32(promised, version_term(have));
	cl->fresh = have.n == 0;
	if (have.n && version_before(cl->records.upto, have) &&
	    records_put(&cl->records, 0, have, filler(room, have.n, 8)))
		repl_adopted(cl);
}

void cl_play_begin(struct cl *cl, const struct cl_trace_head *head, const struct cl_trace_entry *first)
{
	if (head->lost && first->term <= TERM_MAX && version_term(first->have) <= TERM_MAX)
		stand(cl, first->term, first->have);
	cl->playing = head->lost ? CL_PLAY_TRUSTS : CL_PLAY_STRICT;
}

/* ---- entries ---- */

struct play {
	struct cl	*cl;
	const struct cl_trace_entry *entry;
	struct bytes	octets;
	struct fx_list	*out;
	uint8_t		room[PLAY_OCTETS];
};

/* Nothing is done that depends on octets which were not kept: zeros stand for them. */
static struct bytes whole(struct play *play)
{
	memset(play->room, 0, sizeof(play->room));
	if (play->octets.len)
		memcpy(play->room, play->octets.p, play->octets.len);
	return bytes_of(play->room, play->entry->len);
}

/* A datagram the seal refuses at once does what a refused one did. */
static unsigned play_refused(struct play *play)
{
	return cl_received(play->cl, play->entry->from, (struct bytes){ 0 }, play->entry->now, play->out);
}

static unsigned play_received(struct play *play)
{
	const struct cl_trace_entry *entry = play->entry;
	struct seal_opened opened = { .node = entry->node, .boot = entry->boot, .to = entry->to };
	enum seal_said said = entry->flag == SEAL_UNKNOWN_BOOT ? SEAL_UNKNOWN_BOOT : SEAL_OPENED;

	opened.plain = whole(play);
	return cl_replay_message(play->cl, said, &opened, entry->result != WHY_CL_BOOT, entry->from, entry->now,
				 play->out);
}

static unsigned play_tick(struct play *play)
{
	cl_tick(play->cl, play->entry->now, play->out);
	return 0;
}

static unsigned play_paused(struct play *play)
{
	cl_paused(play->cl, (struct dur){ (int64_t)play->entry->value }, play->entry->now);
	return 0;
}

/* Octets made of the hash: equal where they were equal.  A record that came from elsewhere cannot be equal to them. */
static unsigned play_change(struct play *play)
{
	const struct cl_trace_entry *entry = play->entry;

	if (entry->result == CL_SAME)
		return CL_SAME;
	return cl_change(play->cl, entry->number, filler(play->room, entry->value, entry->len));
}

static unsigned play_touch(struct play *play)
{
	return cl_touch(play->cl, play->entry->number);
}

static unsigned play_flush(struct play *play)
{
	cl_flush(play->cl, play->entry->now, play->out);
	return 0;
}

static unsigned play_forward(struct play *play)
{
	const struct cl_trace_entry *entry = play->entry;

	cl_forward(play->cl, entry->flag, entry->hops, entry->from, entry->local, whole(play), entry->now, play->out);
	return 0;
}

static unsigned play_bytes(struct play *play)
{
	cl_bytes(play->cl, whole(play), play->entry->now, play->out);
	return 0;
}

static unsigned play_command(struct play *play)
{
	const struct cl_trace_entry *entry = play->entry;

	cl_command(play->cl, (enum cl_verb)entry->flag, entry->node, entry->number, entry->now, play->out);
	return 0;
}

static unsigned play_healthy(struct play *play)
{
	cl_healthy(play->cl, play->entry->flag);
	return 0;
}

static unsigned play_leaving(struct play *play)
{
	cl_leaving(play->cl, play->entry->now, play->out);
	return 0;
}

static unsigned play_configured(struct play *play)
{
	struct cl_conf conf;

	if (play->octets.len != sizeof(conf))
		return 0;
	memcpy(&conf, play->octets.p, sizeof(conf));
	cl_configured(play->cl, &conf, play->entry->now);
	return 0;
}

static unsigned play_secrets(struct play *play)
{
	static const struct seal_secret any[SEAL_SECRETS_MAX] = { { .id = 1 } };

	cl_secrets(play->cl, any, play->entry->flag ? 1 : 0);
	return 0;
}

static unsigned play_adopted(struct play *play)
{
	const struct cl_trace_entry *entry = play->entry;

	if (!entry->result)
		return 0;
	stand(play->cl, entry->number, (struct version){ entry->value });
	if (play->octets.len == sizeof(play->cl->time_offset_us))
		memcpy(&play->cl->time_offset_us, play->octets.p, play->octets.len);
	return 1;
}

static unsigned (*const players[CL_TRACE_KINDS])(struct play *play) = {
	[CL_TRACE_REFUSED] = play_refused, [CL_TRACE_RECEIVED] = play_received, [CL_TRACE_TICK] = play_tick,
	[CL_TRACE_PAUSED] = play_paused, [CL_TRACE_CHANGE] = play_change, [CL_TRACE_TOUCH] = play_touch,
	[CL_TRACE_FLUSH] = play_flush, [CL_TRACE_FORWARD] = play_forward, [CL_TRACE_BYTES] = play_bytes,
	[CL_TRACE_COMMAND] = play_command, [CL_TRACE_HEALTHY] = play_healthy, [CL_TRACE_LEAVING] = play_leaving,
	[CL_TRACE_CONFIGURED] = play_configured, [CL_TRACE_SECRETS] = play_secrets, [CL_TRACE_ADOPTED] = play_adopted,
};

uint16_t cl_play(struct cl *cl, const struct cl_trace_entry *entry, struct bytes octets, struct fx_list *out)
{
	struct play play = { .cl = cl, .entry = entry, .octets = octets, .out = out };
	struct record record;

	ASSERT(players[entry->kind]);
	uint16_t result = (uint16_t)players[entry->kind](&play);

	/* The daemon takes what it is told of at once. */
	for (uint32_t i = 0; i < out->count; i++)
		if (out->fx[i].kind == FX_CL_APPLY || out->fx[i].kind == FX_CL_ROLE)
			while (cl_apply_next(cl, &record))
				;
	return result;
}
