/* trace.c -- the ring of inputs: an entry and a copy of its octets each, and how they are dumped. */
#include "cluster/trace.h"

#include "cluster/state.h"

#define LEN_MAX		(CL_FORWARD_MAX + 256u)		/* what is longer is refused, and refused again */
#define ENTRY(trace, n)	(&(trace)->entry[(n) % CL_TRACE_ENTRIES])

struct cl_trace {
	uint64_t	first, end;	/* entries first..end-1 are there */
	uint64_t	used;		/* octets ever kept; what is CL_TRACE_OCTETS older is overwritten */
	unsigned	depth;		/* entry points we are inside of */
	struct mono	now;
	struct cl_conf	conf;		/* as the machine was made with */
	uint8_t		seed[RND_SEED_LEN];
	bool		sends;
	struct cl_trace_entry entry[CL_TRACE_ENTRIES];
	uint8_t		octets[CL_TRACE_OCTETS];
};

static const char *const kind_names[CL_TRACE_KINDS] = {
	[CL_TRACE_END] = "end", [CL_TRACE_REFUSED] = "refused", [CL_TRACE_RECEIVED] = "received",
	[CL_TRACE_TICK] = "tick", [CL_TRACE_PAUSED] = "paused", [CL_TRACE_CHANGE] = "change",
	[CL_TRACE_TOUCH] = "touch", [CL_TRACE_FLUSH] = "flush", [CL_TRACE_FORWARD] = "forward",
	[CL_TRACE_BYTES] = "bytes", [CL_TRACE_COMMAND] = "command", [CL_TRACE_HEALTHY] = "healthy",
	[CL_TRACE_LEAVING] = "leaving", [CL_TRACE_CONFIGURED] = "configured", [CL_TRACE_SECRETS] = "secrets",
	[CL_TRACE_ADOPTED] = "adopted",
};

const char *cl_trace_kind_name(unsigned kind)
{
	return kind < CL_TRACE_KINDS ? kind_names[kind] : "unknown";
}

void cl_trace_init(struct cl *cl, const uint8_t seed[RND_SEED_LEN], bool sends, struct arena *arena)
{
	struct cl_trace *trace = arena_take(arena, 1, sizeof(*trace));

	if (!trace)
		return;
	cl->trace = trace;
	trace->conf = cl->conf;
	trace->now = cl->started;
	trace->sends = sends;
	memcpy(trace->seed, seed, sizeof(trace->seed));
}

/* ---- one entry ---- */

static void keep(struct cl_trace *trace, struct cl_trace_entry *entry, struct bytes octets)
{
	uint32_t kept = min_u32(octets.len, CL_PLAIN_MAX), place = (uint32_t)(trace->used % CL_TRACE_OCTETS);
	uint32_t whole = min_u32(kept, CL_TRACE_OCTETS - place);

	entry->at = trace->used;
	entry->kept = (uint16_t)kept;
	if (kept == 0)
		return;
	entry->len = (uint16_t)min_u32(octets.len, LEN_MAX);
	trace->used += kept;
	while (ENTRY(trace, trace->first)->at + CL_TRACE_OCTETS < trace->used && trace->first + 1 < trace->end)
		trace->first++;
	memcpy(trace->octets + place, octets.p, whole);
	memcpy(trace->octets, octets.p + whole, kept - whole);
}

/* A third refused datagram in a row takes the second one's place: then the first and the last are there. */
static bool refused_before(const struct cl_trace *trace)
{
	return trace->end >= trace->first + 2 && ENTRY(trace, trace->end - 1)->kind == CL_TRACE_REFUSED &&
	       ENTRY(trace, trace->end - 2)->kind == CL_TRACE_REFUSED;
}

void cl_trace_begin(struct cl *cl, const struct cl_trace_entry *entry, struct bytes octets)
{
	struct cl_trace *trace = cl->trace;

	if (trace->depth++)
		return;
	if (entry->kind == CL_TRACE_REFUSED && refused_before(trace))
		trace->end--;
	struct cl_trace_entry *kept = ENTRY(trace, trace->end++);

	if (trace->end - trace->first > CL_TRACE_ENTRIES)
		trace->first++;
	*kept = *entry;
	kept->len = (uint16_t)min_u32(entry->len, LEN_MAX);
	if (kept->now.us == 0)
		kept->now = trace->now;
	trace->now = kept->now;
	kept->have = cl->have;
	kept->term = cl->status.term;
	kept->role = (uint8_t)cl->status.role;
	kept->result = CL_TRACE_NO_RESULT;
	keep(trace, kept, octets);
}

void cl_trace_opened(struct cl *cl, enum seal_said said, const struct seal_opened *opened, struct addr from)
{
	struct cl_trace *trace = cl->trace;
	struct cl_trace_entry *entry = ENTRY(trace, trace->end - 1);

	entry->kind = CL_TRACE_RECEIVED;
	entry->flag = (uint8_t)said;
	entry->node = opened->node;
	entry->to = opened->to;
	entry->boot = opened->boot;
	entry->from = from;
	keep(trace, entry, opened->plain);
}

void cl_trace_end(struct cl *cl, unsigned result)
{
	struct cl_trace *trace = cl->trace;

	if (--trace->depth == 0)
		ENTRY(trace, trace->end - 1)->result = (uint16_t)result;
}

/* ---- dumping ---- */

struct dump {
	void	(*put)(void *ctx, const void *octets, size_t len);
	void	*ctx;
	size_t	len;
};

static void put(struct dump *dump, const void *octets, size_t len)
{
	if (len == 0)
		return;
	dump->put(dump->ctx, octets, len);
	dump->len += len;
}

/* Another thread may be writing: what is overwritten meanwhile is garbled, but nothing is read beyond the ring. */
static void entry_put(struct dump *dump, const struct cl_trace *trace, uint64_t n)
{
	struct cl_trace_entry entry = *ENTRY(trace, n);
	uint32_t place = (uint32_t)(entry.at % CL_TRACE_OCTETS);

	if (entry.kind == CL_TRACE_END || entry.kind >= CL_TRACE_KINDS || entry.kept > CL_PLAIN_MAX)
		return;
	uint32_t whole = min_u32(entry.kept, CL_TRACE_OCTETS - place);

	put(dump, &entry, sizeof(entry));
	put(dump, trace->octets + place, whole);
	put(dump, trace->octets, entry.kept - whole);
}

size_t cl_trace_dump(const struct cl *cl, void (*sink)(void *ctx, const void *octets, size_t len), void *ctx)
{
	static const char line[] = "l2tpns cluster trace 1 " VERSION
		" -- holds subscribers' records: nobody but root may read it\n";

	const struct cl_trace *trace = cl->trace;
	struct dump dump = { .put = sink, .ctx = ctx };
	uint64_t end = trace->end, first = trace->first;
	struct cl_trace_entry over = { .kind = CL_TRACE_END };
	struct cl_trace_head head;

	memset(&head, 0, sizeof(head));
	head.octets = sizeof(head);
	head.entry_octets = sizeof(struct cl_trace_entry);
	head.conf = first ? cl->conf : trace->conf;
	memcpy(head.seed, trace->seed, sizeof(head.seed));
	head.started = cl->started;
	head.sends = trace->sends;
	head.lost = first;
	head.status = cl->status;
	head.have = cl->have;
	head.base = cl->base;
	head.committed = cl->committed;
	put(&dump, line, sizeof(line) - 1);
	put(&dump, &head, sizeof(head));
	for (uint64_t n = first; n < end && n - first < CL_TRACE_ENTRIES; n++)
		entry_put(&dump, trace, n);
	put(&dump, &over, sizeof(over));
	return dump.len;
}
