/* replica_message.c -- an unacknowledged control message's record, and holding its copy for the channel it is of. */
#include "l2tpns/core/replica_rows.h"

struct message_object {
	struct tid	tid;
	uint8_t		kind;
	uint16_t	session_id;
	uint32_t	order;
	struct bytes	body;
};

static struct bytes body_get(const void *object)
{
	return ((const struct message_object *)object)->body;
}

static bool body_take(void *object, struct bytes octets)
{
	((struct message_object *)object)->body = octets;
	return octets.len <= CHAN_BODY_MAX;
}

#define ROW(number, kind, member, most)	\
	{ number, false, kind, offsetof(struct message_object, member), most, NULL, NULL, NULL, NULL }

static const struct field_row rows[] = {
	ROW(1, FIELD_U16, tid.n, UINT16_MAX),
	ROW(2, FIELD_U8, kind, CHAN_KINDS - 1),
	ROW(3, FIELD_U32, order, UINT32_MAX),
	ROW(4, FIELD_U16, session_id, UINT16_MAX),
	{ 5, false, FIELD_OCTETS, 0, 0, NULL, NULL, body_get, body_take },
};

static const struct record_rows message_rows = { rows, ARRAY_LEN(rows) };

void message_record(const struct lns *lns, uint32_t place, struct wr *w)
{
	struct chan_message message;

	if (place > lns->chan_pool.n || !chan_message_get(&lns->chan_pool, &lns->store, place, &message))
		return;
	struct message_object object = {
		.tid = message.tid, .kind = message.kind, .session_id = message.session_id, .order = message.order,
		.body = message.body,
	};

	/* None of ours comes near a record's length; one that did would be lost with this node. */
	if (message.body.len + 64 <= REPLICA_MAX)
		record_encode(&message_rows, &object, &lns->store, SAY_NONE, (struct replica_clock){ 0 }, w);
}

static enum why message_decode(const struct lns *lns, uint32_t place, struct bytes octets,
			       struct message_object *object, struct record_in *in)
{
	*object = (struct message_object){ .kind = CHAN_SENT };
	if (place == 0 || place > lns->chan_pool.n ||
	    record_decode(&message_rows, octets, (struct replica_clock){ 0 }, object, in) != WHY_OK)
		return WHY_CL_VALUE;
	if (object->tid.n == 0 || object->tid.n > lns->tids.n || object->body.len == 0 ||
	    (object->kind == CHAN_SENT && object->order > UINT16_MAX))
		return WHY_CL_VALUE;
	return WHY_OK;
}

static void place_clear(struct turn *turn, uint32_t place)
{
	struct lns *lns = turn->lns;
	struct tid tid;

	if (!chan_place_owner(&lns->chan_pool, place, &tid))
		return;
	struct tunnel *t = &lns->tunnel[tid.n];

	chan_message_drop(&t->chan, &lns->chan_pool, &lns->store, place);
	if (t->stub)
		tunnel_stub_settle(turn, t);
	else
		tunnel_watch(turn, t);
}

enum why message_applied(struct replica_turn *rt, uint32_t place)
{
	struct lns *lns = rt->turn.lns;
	struct message_object object;
	struct record_in in;

	if (place == 0 || place > lns->chan_pool.n)
		return WHY_CL_VALUE;
	if (rt->octets.len == 0) {
		place_clear(&rt->turn, place);
		return WHY_OK;
	}
	if (message_decode(lns, place, rt->octets, &object, &in) != WHY_OK)
		return WHY_CL_VALUE;
	place_clear(&rt->turn, place);

	struct tunnel *t = tunnel_known(&rt->turn, object.tid);
	struct chan_message message = {
		.tid = object.tid, .kind = object.kind, .session_id = object.session_id, .order = object.order,
		.body = object.body,
	};

	/* Without memory for it the message is lost here, as if the network had lost it until this node is master. */
	if (!chan_message_put(&t->chan, &lns->chan_pool, &lns->store, place, &message))
		lns->refused[WHY_CHAN_FULL]++;
	if (t->stub)
		tunnel_stub_settle(&rt->turn, t);
	else
		tunnel_watch(&rt->turn, t);
	return WHY_OK;
}

/* Messages are of their tunnel: where that may be taken, they may. */
bool message_mergeable(const struct lns *lns, uint32_t place, struct bytes octets)
{
	struct message_object object;
	struct record_in in;
	struct tid tid;

	if (message_decode(lns, place, octets, &object, &in) != WHY_OK ||
	    chan_place_owner(&lns->chan_pool, place, &tid))
		return false;
	return !lns->tunnel[object.tid.n].in_use || lns->tunnel[object.tid.n].stub;
}
