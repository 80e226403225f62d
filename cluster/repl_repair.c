/*
 * repl_repair.c -- making two tables equal that are not: after a split, or when memory was damaged.
 *
 * Nothing is ever repaired behind the list's end: what differs the master issues anew,
 * with a version of its own, so that a version never goes back anywhere.  A slave asks
 * for that by NEED; what it alone has it OFFERs, for the daemon to judge (repl_offer.c).  What differs
 * is found by digests: of all, of buckets, then by the versions in one bucket.
 */
#include "cluster/repl_state.h"

#define ASK_AGAIN	DUR_MS(100)	/* for the contents of a bucket */
#define PATIENCE_MS	3000u
#define PATIENCE_BEATS	40u		/* all digests come in 32 heartbeats, half an interval apart */
#define PATIENCE_MORE	10u		/* times that, as long as something is found and repaired */
#define SCRUB_EVERY	DUR_MS(100)
#define SCRUBS		41u		/* all buckets in ten seconds */
#define CLEARS		8u		/* slices of records_clear() in one tick */
#define RECODES		128u		/* keys in one tick */

void repair_stopped(struct cl *cl)
{
	struct cl_repl *repl = cl->repl;

	repl->differs = MONO_NEVER;
	repl->patience = PATIENCE_MORE;
	for (unsigned i = 0; i < REPL_ASKED; i++)
		repl->asked[i].used = false;
}

/* ---- the copy cannot be repaired ---- */

void repair_drop(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	send_stopped(cl);
	slave_stopped(cl);
	repair_stopped(cl);
	offer_stopped(cl);
	repl->clearing = !records_clear(&cl->records);
	repl->term = repl->proved_term = 0;
	repl->proved = repl->apply_told = false;
	repl->pos = repl->whole = repl->owed = cl->have = cl->synced = (struct version){ 0 };
	cl->fresh = true;
	cl->status.up_to_date = false;
	cl->stat[CL_STAT_kills]++;
	fx_add(turn->out, FX_CL_DROP, 0, 0);
}

static struct mono drop_due(const struct cl *cl)
{
	uint32_t ms = max_u32(PATIENCE_MS, PATIENCE_BEATS * cl->conf.interval_ms);

	return mono_add(cl->repl->differs, DUR_MS(ms));
}

void repair_differs(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	cl->status.up_to_date = false;
	if (repl->differs.us == UINT64_MAX)
		repl->differs = turn->now;
}

/* Something was found that is being repaired: that may take its time, but not for ever. */
void repair_goes_on(struct cl_turn *turn)
{
	struct cl_repl *repl = turn->cl->repl;

	if (repl->patience == 0 || repl->differs.us == UINT64_MAX)
		return;
	repl->patience--;
	repl->differs = turn->now;
}

/* ---- finding what differs ---- */

static struct repl_asked *asked_place(struct cl_repl *repl, uint16_t bucket, struct mono now)
{
	struct repl_asked *place = NULL;

	for (unsigned i = 0; i < REPL_ASKED; i++) {
		struct repl_asked *asked = &repl->asked[i];
		bool old = !asked->used || mono_reached(now, mono_add(asked->at, ASK_AGAIN));

		if (asked->used && asked->bucket == bucket)
			return old ? asked : NULL;
		if (!place && old)
			place = asked;
	}
	return place;
}

static void bucket_ask(struct cl_turn *turn, uint16_t bucket)
{
	struct cl *cl = turn->cl;
	struct repl_asked *asked = asked_place(cl->repl, bucket, turn->now);
	struct cl_msg msg = { .type = CL_BUCKET, .term = cl->status.term, .bucket = { bucket } };

	if (!asked)
		return;
	*asked = (struct repl_asked){ .used = true, .bucket = bucket, .at = turn->now };
	bool intact = records_scrub(&cl->records, bucket);	/* our own sum must not be what is wrong */

	(void)intact;
	cl_send_to(turn, repl_master(cl), &msg);
}

void repair_heartbeat(struct cl_turn *turn, const struct cl_heartbeat *beat)
{
	struct cl *cl = turn->cl;
	struct rd r = rd_bytes(beat->rest);
	struct repair repair;

	if (beat->buckets && beat->bucket == cl->repl->look_bucket)
		cl->repl->look_bucket = (uint16_t)((beat->bucket + beat->buckets) % RECORD_BUCKETS);
	for (unsigned n = 0; n < beat->buckets; n++)
		if (rd_u64(&r) != cl->records.bucket[beat->bucket + n])
			bucket_ask(turn, (uint16_t)(beat->bucket + n));
	repair_begin(&repair, turn);
	for (unsigned n = 0; n < beat->walks; n++) {
		uint32_t key = rd_u32(&r);
		struct version theirs = { rd_u64(&r) };

		if (key < cl->records.keys)
			repair_compare(&repair, key, theirs, beat->upto);
	}
	repair_end(&repair);
}

/* Versions agree but the digest does not: some octets are damaged, here or there. */
static void bucket_need_all(struct repair *repair, uint16_t bucket)
{
	struct records *records = &repair->turn->cl->records;

	for (uint64_t key = bucket; key < records->keys; key += RECORD_BUCKETS)
		if (records_get(records, (uint32_t)key).version.n)
			repair_need_key(repair, (uint32_t)key);
}

/*
 * A part tells of all keys from its first to its last, which is the next part's first;
 * the first part of all from the beginning, the last to the end.
 */
static void contents_compare(struct repair *repair, const struct cl_contents *contents)
{
	struct records *records = &repair->turn->cl->records;
	struct rd r = rd_bytes(contents->rest);
	bool last = contents->part + 1u >= contents->parts, listed = rd_left(&r) > 0;
	uint32_t key = listed ? rd_u32(&r) : 0;
	struct version theirs = { listed ? rd_u64(&r) : 0 };
	uint64_t at = contents->part ? key : contents->bucket;

	for (; at < records->keys && (listed || last); at += RECORD_BUCKETS) {
		bool has = listed && key == at;

		repair_compare(repair, (uint32_t)at, has ? theirs : (struct version){ 0 }, contents->upto);
		if (!has)
			continue;
		listed = rd_left(&r) > 0;
		if (listed) {
			key = rd_u32(&r);
			theirs = (struct version){ rd_u64(&r) };
		}
	}
}

enum why repair_contents(struct cl_turn *turn, const struct cl_msg *msg)
{
	struct cl_repl *repl = turn->cl->repl;
	const struct cl_contents *contents = &msg->contents;
	struct repl_asked *asked = NULL;
	struct repair repair;

	for (unsigned i = 0; i < REPL_ASKED; i++)
		if (repl->asked[i].used && repl->asked[i].bucket == contents->bucket)
			asked = &repl->asked[i];
	if (!asked || contents->part >= contents->parts || contents->parts > REPL_PARTS_MAX)
		return WHY_CL_ROUND;
	repair_begin(&repair, turn);
	contents_compare(&repair, contents);
	asked->parts |= UINT32_C(1) << contents->part;
	asked->differs |= repair.found > 0;
	if (asked->parts == UINT32_MAX >> (REPL_PARTS_MAX - contents->parts)) {
		if (CL_GUARD(DAMAGE_OVERLOOKED, !asked->differs))
			bucket_need_all(&repair, contents->bucket);
		asked->parts = 0;	/* the place is kept until it may be asked again */
	}
	if (repair.found)
		repair_goes_on(turn);
	repair_end(&repair);
	return WHY_OK;
}

/* ---- the master's answers ---- */

/*
 * Damage in the master's own memory: the daemon has the object.  An offer `by` ourselves
 * asks it to encode that anew and to answer with cl_change() as always.
 */
static void bucket_recode(struct cl *cl, uint32_t bucket)
{
	if (!repl_is_master(cl) || cl->repl->recode_left)
		return;
	cl->repl->recode = bucket;
	cl->repl->recode_left = (cl->records.keys - bucket + RECORD_BUCKETS - 1) / RECORD_BUCKETS;
}

static void recode_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	if (!repl_is_master(cl))
		repl->recode_left = 0;
	for (unsigned n = 0; n < RECODES && repl->recode_left && repl_has_room(turn); n++) {
		struct record record = records_get(&cl->records, repl->recode);

		if (record.version.n)
			offered_tell(turn, cl->conf.self, &record);
		repl->recode += RECORD_BUCKETS;
		repl->recode_left--;
	}
}

enum why repair_bucket(struct cl_turn *turn, struct cl_peer *peer, const struct cl_msg *msg)
{
	struct cl *cl = turn->cl;
	struct records *records = &cl->records;
	const uint32_t fits = REPL_REST_MAX / REPL_PAIR_LEN;
	uint16_t bucket = msg->bucket.bucket;
	struct cl_msg answer = { .type = CL_CONTENTS, .term = cl->status.term };
	struct wr w = repl_rest(cl->repl);
	uint32_t count = 0, n = 0;

	if (!answer_allowed(turn))
		return WHY_CL_FULL;
	if (bucket < records->keys && !records_scrub(records, bucket))
		bucket_recode(cl, bucket);
	for (uint64_t key = bucket; key < records->keys; key += RECORD_BUCKETS)
		count += records_get(records, (uint32_t)key).version.n != 0;
	answer.contents = (struct cl_contents){ .bucket = bucket, .upto = cl->have };
	answer.contents.parts = (uint16_t)(count <= fits ? 1 : (count - 2) / (fits - 1) + 1);
	if (answer.contents.parts > REPL_PARTS_MAX)
		return WHY_CL_FULL;
	for (uint64_t key = bucket; key < records->keys; key += RECORD_BUCKETS) {
		struct version version = records_get(records, (uint32_t)key).version;

		if (!version.n)
			continue;
		wr_u32(&w, (uint32_t)key);
		wr_u64(&w, version.n);
		if (++n % (fits - 1) != 1 || n == 1 || n == count)
			continue;
		answer.contents.rest = wr_bytes_of(&w);
		cl_send_to(turn, peer, &answer);
		answer.contents.part++;
		w = repl_rest(cl->repl);	/* the next part begins with the key this one ended with */
		wr_u32(&w, (uint32_t)key);
		wr_u64(&w, version.n);
	}
	answer.contents.rest = wr_bytes_of(&w);
	cl_send_to(turn, peer, &answer);
	return WHY_OK;
}

/* ---- time ---- */

static void scrub_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	if (!mono_reached(turn->now, repl->scrub_due))
		return;
	repl->scrub_due = mono_add(turn->now, SCRUB_EVERY);
	for (unsigned n = 0; n < SCRUBS; n++) {
		if (!records_scrub(&cl->records, repl->scrubbed))
			bucket_recode(cl, repl->scrubbed);
		repl->scrubbed = (repl->scrubbed + 1) % RECORD_BUCKETS;
	}
}

static void clear_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	for (unsigned n = 0; n < CLEARS && repl->clearing; n++)
		repl->clearing = !records_clear(&cl->records);
	if (!repl->clearing && repl->importing)
		slave_import_again(turn);
}

/* Can the master repair anything now?  A frozen one changes nothing. */
static bool repair_possible(struct cl *cl)
{
	const struct cl_peer *master = repl_master(cl);

	return master && !(master->ping.flags & CL_IS_FROZEN);
}

void repair_tick(struct cl_turn *turn)
{
	struct cl *cl = turn->cl;
	struct cl_repl *repl = cl->repl;

	if (repl->clearing) {
		clear_tick(turn);
		return;
	}
	scrub_tick(turn);
	recode_tick(turn);
	if (!repl_follows(cl))
		return;
	offer_tick(turn);
	if (mono_reached(turn->now, drop_due(cl))) {
		if (repair_possible(cl))
			repair_drop(turn);
		else
			repl->differs = turn->now;
	}
}

struct mono repair_next(const struct cl *cl)
{
	const struct cl_repl *repl = cl->repl;
	struct mono next = repl->scrub_due;

	if (repl->clearing || repl->recode_left)
		return (struct mono){ 1 };
	if (repl_follows(cl))
		next = mono_min(next, mono_min(drop_due(cl), offer_next(cl)));
	return next;
}
