/*
 * ledger.c -- the simplest application of a cluster: numbers are given out, changed and taken back.
 *
 * A client asks any node; slaves pass the wish on to the master, who changes the record,
 * waits until that is committed, and then tells.  The book, which only the simulator
 * sees, knows what was ever told: nothing in it may be lost (I2), nothing given to two
 * owners (I3), and no table may go back to an older version (I5).
 */
#include "cluster/state.h"
#include "tests/sim/sim.h"

#define KEYS		300u		/* used: 1..KEYS */
#define MIRRORED	20u		/* the first of them are kept twice, changed in one batch: KEYS + key */
#define HELD		8192u

enum wish { WISH_NEW, WISH_CHANGE, WISH_DELETE };

struct request { uint64_t id; uint32_t wish, key; };

struct entry {				/* a node's own table */
	struct version	version;
	uint64_t	owner;		/* 0: nobody */
	uint32_t	counter;
};

struct held { struct version version; uint64_t owner; uint32_t key, counter, wish; };

struct ledger {				/* of a node */
	struct entry	entry[KEYS + MIRRORED + 1];
	struct held	held[HELD];
	uint32_t	first, count;
};

struct told {				/* of the book */
	uint64_t	owner;
	uint32_t	counter;
	bool		conflict;	/* two sides of a split had it differently, and one was chosen */
};

struct book {
	struct told	told[KEYS + 1];
	uint8_t		*deleted;	/* by owner: a master was asked to delete it */
	uint64_t	deleted_room;
	uint64_t	requests, owners, released, conflicts;
	bool		lost_copies;	/* open mode promises nothing about nodes that died */
};

static bool is_deleted(const struct book *book, uint64_t owner)
{
	return owner < book->deleted_room && book->deleted[owner];
}

/* Somebody was told that the number is theirs, and nobody wished it away. */
static bool is_given(const struct book *book, uint32_t key)
{
	return book->told[key].owner && !is_deleted(book, book->told[key].owner);
}

static void note_deleted(struct book *book, uint64_t owner)
{
	if (owner >= book->deleted_room) {
		uint64_t room = owner * 2 + 1024;

		book->deleted = realloc(book->deleted, room);
		ASSERT(book->deleted);
		memset(book->deleted + book->deleted_room, 0, room - book->deleted_room);
		book->deleted_room = room;
	}
	book->deleted[owner] = 1;
}

/* ---- records ---- */

static uint32_t record_len(uint64_t owner)
{
	uint64_t h = chance_mix(owner);

	return 12 + (uint32_t)(h % 50 == 0 ? h / 50 % (RECORD_MAX - 11) : h / 50 % 120);
}

static uint32_t write_record(uint8_t *at, uint64_t owner, uint32_t counter)
{
	uint32_t len = record_len(owner);

	memcpy(at, &owner, 8);
	memcpy(at + 8, &counter, 4);
	for (uint32_t i = 12; i < len; i++)
		at[i] = (uint8_t)(owner * 31 + counter * 7 + i);
	return len;
}

static bool read_record(struct bytes octets, uint64_t *owner, uint32_t *counter)
{
	*owner = 0;
	*counter = 0;
	if (octets.len == 0)
		return true;
	if (octets.len < 12)
		return false;
	memcpy(owner, octets.p, 8);
	memcpy(counter, octets.p + 8, 4);
	if (*owner == 0 || octets.len != record_len(*owner))
		return false;
	for (uint32_t i = 12; i < octets.len; i++)
		if (octets.p[i] != (uint8_t)(*owner * 31 + *counter * 7 + i))
			return false;
	return true;
}

/* ---- the run, and its nodes ---- */

static void begin(struct sim *sim)
{
	sim->world = calloc(1, sizeof(struct book));
	ASSERT(sim->world);
}

static void end(struct sim *sim)
{
	struct book *book = sim->world;

	free(book->deleted);
	free(book);
	sim->world = NULL;
}

static void start(struct sim *sim, struct node *node)
{
	(void)sim;
	node->app = calloc(1, sizeof(struct ledger));
	ASSERT(node->app);
}

static void stop(struct sim *sim, struct node *node)
{
	struct book *book = sim->world;

	book->lost_copies = true;
	free(node->app);
	node->app = NULL;
}

static void drop(struct sim *sim, struct node *node)
{
	struct ledger *ledger = node->app;
	struct book *book = sim->world;

	memset(ledger->entry, 0, sizeof(ledger->entry));
	ledger->count = 0;
	if (!sim->swarm.members && sim->swarm.faults & UINT64_C(1) << FAULT_resync)
		book->lost_copies = true;
}

static void apply(struct sim *sim, struct node *node, const struct record *record)
{
	struct ledger *ledger = node->app;
	uint64_t owner;
	uint32_t counter;

	if (record->key == 0 || record->key > KEYS + MIRRORED)
		sim_fail(sim, "a record of key %u", record->key);
	struct entry *entry = &ledger->entry[record->key];

	if (!read_record(record->octets, &owner, &counter))
		sim_fail(sim, "the record of key %u is damaged", record->key);
	if (version_before(record->version, entry->version))
		sim_fail(sim, "I5: key %u goes from version %u/%llu back to %u/%llu", record->key,
			version_term(entry->version), (unsigned long long)version_seq(entry->version),
			version_term(record->version), (unsigned long long)version_seq(record->version));
	*entry = (struct entry){ record->version, owner, counter };
	sim_note(sim, "applies key %u: %llx at %u, version %u/%llu", record->key, (unsigned long long)owner, counter,
		version_term(record->version), (unsigned long long)version_seq(record->version));
}

/* The application's table is the cluster's. */
static void same_tables(struct sim *sim, struct node *node)
{
	const struct ledger *ledger = node->app;

	for (uint32_t key = 1; key <= KEYS + MIRRORED; key++) {
		struct record record = records_get(&node->cl->records, key);
		const struct entry *entry = &ledger->entry[key];
		uint64_t owner;
		uint32_t counter;

		if (!read_record(record.octets, &owner, &counter))
			sim_fail(sim, "the cluster's record of key %u is damaged", key);
		if (entry->owner != owner || entry->counter != counter)
			sim_fail(sim, "key %u is owner %llx, %u in the application, %llx, %u in the cluster", key,
				(unsigned long long)entry->owner, entry->counter, (unsigned long long)owner,
				counter);
	}
}

/* Who has what, for a message: node/version=owner. */
static const char *holders(struct sim *sim, uint32_t key, char text[300])
{
	size_t n = 0;

	text[0] = 0;
	for (unsigned i = 0; i < sim->nodes && n < 240; i++) {
		const struct node *node = &sim->node[i];

		if (!node->up)
			continue;
		struct record record = records_get(&node->cl->records, key);
		uint64_t owner;
		uint32_t counter;

		(void)read_record(record.octets, &owner, &counter);
		n += (size_t)snprintf(text + n, 300 - n, "; node %u: %llx, %u of %u/%llu", i + 1,
			(unsigned long long)owner, counter, version_term(record.version),
			(unsigned long long)version_seq(record.version));
	}
	return text;
}

/* Everything that was ever told is in this node's table. */
static void nothing_lost(struct sim *sim, struct node *node)
{
	struct book *book = sim->world;
	const struct ledger *ledger = node->app;
	char text[300];

	for (uint32_t key = 1; key <= KEYS; key++) {
		const struct told *told = &book->told[key];
		const struct entry *entry = &ledger->entry[key];

		/* It was wished away where nobody agreed: whoever still deletes it now is wrong. */
		if (told->owner && entry->owner == told->owner && is_deleted(book, told->owner) &&
			node->told.role == CL_ROLE_MASTER)
			book->deleted[told->owner] = 0;
		if (!is_given(book, key))
			continue;
		if (entry->owner != told->owner && !told->conflict)
			sim_fail(sim, "I2: key %u was told to be %llx's, and is %llx's%s", key,
				(unsigned long long)told->owner, (unsigned long long)entry->owner,
				holders(sim, key, text));
		if (sim->swarm.members && entry->counter < told->counter)
			sim_fail(sim, "I2: key %u was told to be at %u, and is at %u%s", key, told->counter,
				entry->counter, holders(sim, key, text));
	}
}

/* A new master begins with whole batches. */
static void mirrored(struct sim *sim, struct node *node)
{
	const struct ledger *ledger = node->app;
	char text[300];

	for (uint32_t key = 1; key <= MIRRORED; key++) {
		const struct entry *a = &ledger->entry[key], *b = &ledger->entry[KEYS + key];

		if (a->owner != b->owner || a->counter != b->counter)
			sim_fail(sim, "half a batch: key %u is at %u, its mirror at %u%s", key, a->counter, b->counter,
				holders(sim, key, text));
	}
}

static void role(struct sim *sim, struct node *node, const struct cl_status *status)
{
	struct ledger *ledger = node->app;

	if (status->role != CL_ROLE_MASTER || status->term != node->seen.term)
		ledger->count = 0;		/* what was held in another role is never told */
	if (status->role == CL_ROLE_MASTER && (node->seen.role != CL_ROLE_MASTER || node->seen.term != status->term)) {
		same_tables(sim, node);
		if (sim->swarm.members) {
			nothing_lost(sim, node);
			mirrored(sim, node);
		}
	}
}

/* ---- changes ---- */

static void change(struct sim *sim, struct node *node, const struct request *request, uint32_t key, uint64_t owner,
	uint32_t counter)
{
	struct ledger *ledger = node->app;
	struct book *book = sim->world;
	uint8_t octets[RECORD_MAX];
	uint32_t len = owner ? write_record(octets, owner, counter) : 0;
	uint64_t was = ledger->entry[key].owner;

	enum cl_change changed = cl_change(node->cl, key, bytes_of(octets, len));

	if (changed != CL_CHANGED)
		sim_fail(sim, "a change of the master's was refused: %u", changed);
	if (owner == 0)
		note_deleted(book, was);
	ledger->entry[key] = (struct entry){ cl_upto(node->cl), owner, counter };
	if (key <= MIRRORED) {
		changed = cl_change(node->cl, KEYS + key, bytes_of(octets, len));
		if (changed != CL_CHANGED && !(changed == CL_SAME && !sim->swarm.members))
			sim_fail(sim, "a change of the master's was refused: %u", changed);
		ledger->entry[KEYS + key] = (struct entry){ cl_upto(node->cl), owner, counter };
	}
	if (ledger->count == HELD)
		sim_fail(sim, "I12: %u outputs wait", HELD);
	ledger->held[(ledger->first + ledger->count++) % HELD] =
		(struct held){ cl_upto(node->cl), owner ? owner : was, key, counter, request->wish };
	node->want_flush = true;
}

static void carry_out(struct sim *sim, struct node *node, const struct request *request)
{
	struct ledger *ledger = node->app;
	struct book *book = sim->world;
	uint32_t key = request->key;

	if (request->wish == WISH_NEW) {
		for (uint32_t i = 0; i < KEYS; i++, key = key % KEYS + 1)
			if (ledger->entry[key].owner == 0) {
				change(sim, node, request, key, ++book->owners, 1);
				return;
			}
		return;				/* none is free */
	}
	const struct entry *entry = &ledger->entry[key];
	const struct told *told = &book->told[key];

	if (entry->owner == 0) {
		if (sim->swarm.members && node->told.term == sim->term_max && is_given(book, key))
			sim_fail(sim, "I2: key %u was given to %llx, and the master does not know it", key,
				(unsigned long long)told->owner);
		return;
	}
	change(sim, node, request, key, request->wish == WISH_DELETE ? 0 : entry->owner,
		request->wish == WISH_DELETE ? 0 : entry->counter + 1);
}

static void handle(struct sim *sim, struct node *node, const struct fx_cl_forwarded *how, struct bytes packet)
{
	struct request request;

	if (packet.len != sizeof(request))
		sim_fail(sim, "a forwarded packet of %u octets", packet.len);
	memcpy(&request, packet.p, sizeof(request));
	if (request.id == 0 || request.key == 0 || request.key > KEYS || request.wish > WISH_DELETE)
		sim_fail(sim, "a forwarded packet is damaged");
	if (node_serves(node))
		carry_out(sim, node, &request);
	else
		node_pass_on(sim, how, packet);
}

static void forwarded(struct sim *sim, struct node *node, const struct fx_cl_forwarded *how, struct bytes packet)
{
	struct fx_cl_forwarded next = *how;

	if (how->kind != 7 || how->by.n == 0 || how->by.n > sim->nodes)
		sim_fail(sim, "a forwarded packet of kind %u by node %u", how->kind, how->by.n);
	if (how->hops > 3)
		sim_fail(sim, "a packet was passed on %u times", how->hops);
	next.hops++;
	handle(sim, node, &next, packet);
}

/* ---- telling ---- */

static void tell(struct sim *sim, struct node *node, const struct held *held)
{
	struct book *book = sim->world;
	struct told *told = &book->told[held->key];

	check_release(sim, node, held->version);
	sim_note(sim, "tells of key %u: %s %llx at %u, version %u/%llu", held->key,
		held->wish == WISH_NEW ? "new" : held->wish == WISH_CHANGE ? "changed" : "deleted",
		(unsigned long long)held->owner, held->counter, version_term(held->version),
		(unsigned long long)version_seq(held->version));
	book->released++;
	switch ((enum wish)held->wish) {
	case WISH_NEW:
		if (told->owner != held->owner && is_given(book, held->key) && sim->swarm.members)
			sim_fail(sim, "I3: key %u is given to %llx, and still %llx's", held->key,
				(unsigned long long)held->owner, (unsigned long long)told->owner);
		*told = (struct told){ held->owner, held->counter,
			told->owner != held->owner && is_given(book, held->key) };
		break;
	case WISH_CHANGE:
		if (told->owner != held->owner)
			break;
		if (held->counter == told->counter && sim->swarm.members)
			sim_fail(sim, "I2: two changes of key %u made it %u", held->key, held->counter);
		if (held->counter > told->counter)
			told->counter = held->counter;
		break;
	case WISH_DELETE:
		break;
	}
}

static void committed(struct sim *sim, struct node *node)
{
	struct ledger *ledger = node->app;
	struct version upto = cl_committed(node->cl);

	if (!node_serves(node))
		return;
	while (ledger->count > 0 && !version_before(upto, ledger->held[ledger->first].version)) {
		struct held held = ledger->held[ledger->first];

		ledger->first = (ledger->first + 1) % HELD;
		ledger->count--;
		tell(sim, node, &held);
	}
}

/* Another node alone has this record: it is taken where nobody here had the number. */
static void offered(struct sim *sim, struct node *node, uint32_t key, const struct fx_cl_offered *how,
	struct bytes octets)
{
	struct ledger *ledger = node->app;
	struct book *book = sim->world;
	struct entry *entry;
	uint64_t owner;
	uint32_t counter;

	if (key == 0 || key > KEYS + MIRRORED || !read_record(octets, &owner, &counter))
		sim_fail(sim, "node %u offers a record of key %u that is damaged", how->by.n, key);
	if (!node_serves(node))
		return;
	entry = &ledger->entry[key];
	struct record ours = records_get(&node->cl->records, key);
	enum cl_change changed = CL_NOT_MASTER;

	sim_note(sim, "is offered key %u by node %u: %llx at %u of %u/%llu, has %llx of %u/%llu", key, how->by.n,
		(unsigned long long)owner, counter, version_term(how->version),
		(unsigned long long)version_seq(how->version), (unsigned long long)entry->owner,
		version_term(ours.version), (unsigned long long)version_seq(ours.version));
	if (octets.len && !ours.octets.len && version_before(how->version, ours.version))
		sim_fail(sim, "R33: key %u was deleted at %u/%llu, and %u/%llu is offered", key,
			version_term(ours.version),
			(unsigned long long)version_seq(ours.version), version_term(how->version),
			(unsigned long long)version_seq(how->version));

	bool pair = key <= MIRRORED || key > KEYS;

	if (entry->owner == 0 && owner != 0 && !is_deleted(book, owner) && !(pair && sim->swarm.members)) {
		changed = cl_change(node->cl, key, octets);
	} else {
		if (owner != entry->owner && !sim->swarm.members && key <= KEYS)
			book->told[key].conflict = true, book->conflicts++;
		changed = cl_touch(node->cl, key);
		owner = entry->owner;
		counter = entry->counter;
	}
	if (changed == CL_NOT_MASTER || changed == CL_NO_ROOM)
		sim_fail(sim, "an offered record was refused: %u", changed);
	*entry = (struct entry){ changed == CL_CHANGED ? cl_upto(node->cl) : entry->version, owner, counter };
	node->want_flush = true;
}

/* ---- clients ---- */

static uint32_t some_key(struct sim *sim)
{
	const struct book *book = sim->world;
	uint32_t key = chance_below(&sim->chance, chance_permille(&sim->chance, 300) ? MIRRORED : KEYS) + 1;

	for (uint32_t i = 0; i < 20; i++, key = key % KEYS + 1)
		if (is_given(book, key))
			break;
	return key;
}

static void client(struct sim *sim)
{
	struct book *book = sim->world;
	struct node *node = &sim->node[chance_below(&sim->chance, sim->nodes)];
	uint32_t dice = chance_below(&sim->chance, 100);
	struct fx_cl_forwarded how = { .from = { sim_address(100), 1701 }, .local = sim_address(200), .kind = 7 };

	if (!node_runs(sim, node))
		return;
	struct request request = { .id = ++book->requests,
		.wish = dice < 30 ? WISH_NEW : dice < 80 ? WISH_CHANGE : WISH_DELETE };

	request.key = request.wish == WISH_NEW ? chance_below(&sim->chance, KEYS) + 1 : some_key(sim);
	node_begin(sim, node);
	handle(sim, node, &how, bytes_of(&request, sizeof(request)));
	node_end(sim, node);
}

static void checked(struct sim *sim)
{
	const struct book *book = sim->world;

	for (unsigned i = 0; i < sim->nodes; i++) {
		sim->acting = &sim->node[i];
		same_tables(sim, &sim->node[i]);
		if (sim->swarm.members || !book->lost_copies)
			nothing_lost(sim, &sim->node[i]);
	}
	sim->acting = NULL;
}

const struct app app_ledger = {
	.name = "ledger", .begin = begin, .end = end, .start = start, .stop = stop, .role = role, .apply = apply,
	.drop = drop, .committed = committed, .offered = offered, .forwarded = forwarded, .client = client,
	.checked = checked,
};
