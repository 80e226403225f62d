/* trace.c -- plays a daemon's l2tpns.trace: the same machine, the same inputs, and what became of it told. */
#include <stdio.h>
#include <stdlib.h>

#include "cluster/state.h"
#include "cluster/trace.h"
#include "l2tpns/base/say.h"
#include "tests/sim/trace.h"

#define DUMP_MAX	(8u * 1024 * 1024)
#define DIFFERENCES	10u		/* the first tell most */

struct player {
	struct cl	*cl;
	struct fx_list	*out;
	struct cl_trace_head head;
	struct cl_status told;
	uint64_t	number;		/* of the entry, among all there ever were */
	unsigned	differences;
};

static double seconds(const struct player *player, struct mono now)
{
	return (double)(int64_t)(now.us - player->head.started.us) / 1e6;
}

static const char *text_of(struct version v, char text[40])
{
	snprintf(text, 40, "%u/%llu", version_term(v), (unsigned long long)version_seq(v));
	return text;
}

static void entry_say(const struct player *player, const struct cl_trace_entry *entry, struct bytes octets)
{
	struct cl_msg msg;

	printf("%12.6f  entry %llu, %s", seconds(player, entry->now), (unsigned long long)player->number,
		cl_trace_kind_name(entry->kind));
	if (entry->kind == CL_TRACE_RECEIVED) {
		enum why why = cl_msg_decode(octets, &msg);

		printf(" %s from node %u", why == WHY_OK ? cl_type_name(msg.type) : "cut or unreadable message",
			entry->node.n);
	}
	printf(", %u octets", entry->len);
}

static void status_say(const struct player *player, struct mono now)
{
	const struct cl *cl = player->cl;
	char have[40];

	printf("%12.6f  %s of term %u, master %u%s%s, has %s: %s\n", seconds(player, now),
		cl_role_name(cl->status.role), cl->status.term, cl->status.master.n,
		cl->status.frozen ? ", frozen" : "",
		cl->status.up_to_date ? ", up to date" : "", text_of(cl->have, have), cl->reason);
}

/* Where the player leaves the way of the daemon, the rest is a story of its own. */
static void difference_look(struct player *player, const struct cl_trace_entry *entry, struct bytes octets)
{
	const struct cl *cl = player->cl;
	char was[40], is[40];

	if (entry->role == cl->status.role && entry->term == cl->status.term && version_eq(entry->have, cl->have))
		return;
	if (player->differences++ >= DIFFERENCES)
		return;
	entry_say(player, entry, octets);
	printf(": the daemon was %s of term %u and had %s, here it is %s of term %u and has %s\n",
		cl_role_name(entry->role < CL_ROLES ? entry->role : CL_ROLE_SLAVE), entry->term,
		text_of(entry->have, was), cl_role_name(cl->status.role), cl->status.term, text_of(cl->have, is));
}

static void entry_play(struct player *player, const struct cl_trace_entry *entry, struct bytes octets)
{
	const struct cl_status *status = &player->cl->status;

	difference_look(player, entry, octets);
	if (entry->result == CL_TRACE_NO_RESULT) {
		entry_say(player, entry, octets);
		printf(": it did not return, now it is played\n");
	}
	fx_clear(player->out);
	(void)cl_play(player->cl, entry, octets, player->out);
	if (status->role != player->told.role || status->term != player->told.term ||
	    !node_eq(status->master, player->told.master) || status->frozen != player->told.frozen ||
	    status->up_to_date != player->told.up_to_date)
		status_say(player, entry->now);
	player->told = *status;
}

static bool machine_made(struct player *player)
{
	static const struct seal_secret any[SEAL_SECRETS_MAX] = { { .id = 1 } };
	struct arena arena = { .room = (cl_size(&player->head.conf) + 63) & ~(size_t)63 };

	arena.start = aligned_alloc(64, arena.room);
	player->out = malloc(sizeof(*player->out));
	if (!arena.start || !player->out)
		return false;
	memset(arena.start, 0, arena.room);
	player->cl = cl_init(&player->head.conf, any, player->head.sends, player->head.seed, player->head.started,
			     &arena);
	return true;
}

static int play_all(struct player *player, struct rd *r)
{
	const struct cl_trace_head *head = &player->head;
	struct cl_trace_entry entry;
	struct bytes octets;
	char have[40];

	if (head->lost)
		printf("the beginning is missing, %llu entries: the player stands where the rest begins, and learns\n",
			(unsigned long long)head->lost);
	for (player->number = head->lost; cl_trace_next(r, &entry, &octets); player->number++) {
		if (player->number == head->lost)
			cl_play_begin(player->cl, head, &entry);
		entry_play(player, &entry, octets);
	}
	printf("the daemon ended as %s of term %u, master %u, had %s\n",
		cl_role_name(head->status.role < CL_ROLES ? head->status.role : CL_ROLE_SLAVE), head->status.term,
		head->status.master.n, text_of(head->have, have));
	printf("the player ended as %s of term %u, master %u, has %s; %u entries began differently\n",
		cl_role_name(player->cl->status.role), player->cl->status.term, player->cl->status.master.n,
		text_of(player->cl->have, have), player->differences);
	if (!rd_ok(r))
		printf("the dump breaks off after entry %llu\n", (unsigned long long)player->number);
	return rd_ok(r) ? 0 : 1;
}

int trace_main(const char *path)
{
	struct player player = { 0 };
	FILE *file = fopen(path, "rb");
	uint8_t *octets = malloc(DUMP_MAX);
	struct bytes version;

	if (!file || !octets) {
		fprintf(stderr, "%s cannot be read\n", path);
		return 2;
	}
	struct rd r = rd_of(octets, fread(octets, 1, DUMP_MAX, file));
	const char *why = cl_trace_read(&r, &player.head, &version);

	fclose(file);
	if (why || !machine_made(&player)) {
		fprintf(stderr, "%s: %s\n", path, why ? why : "no memory for such a machine");
		return 2;
	}
	printf("%.*s\n", (int)version.len, (const char *)version.p);
	int failed = play_all(&player, &r);

	free(octets);
	return failed;
}
