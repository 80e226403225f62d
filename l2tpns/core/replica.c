/* replica.c -- which object a key means: encoding, applying and judging go to its kind. */
#include "l2tpns/core/replica_rows.h"

uint32_t replica_messages(const struct lns_conf *conf)
{
	return REPLICA_SESSIONS + rows_space(conf->sessions_max);
}

uint32_t replica_keys(const struct lns_conf *conf)
{
	return replica_messages(conf) + lns_messages_max(conf) + 1;
}

enum object_kind { OBJECT_NONE, OBJECT_TUNNEL, OBJECT_SESSION, OBJECT_MESSAGE };

static enum object_kind kind_of(const struct lns *lns, uint32_t key, uint32_t *number)
{
	uint32_t messages = lns->message_keys;

	*number = key;
	if (key < REPLICA_SESSIONS)
		return key > REPLICA_TUNNELS && key <= lns->tids.n ? OBJECT_TUNNEL : OBJECT_NONE;
	*number = key - REPLICA_SESSIONS;
	if (key < messages)
		return *number % ROWS_PER_BLOCK ? OBJECT_SESSION : OBJECT_NONE;
	*number = key - messages;
	return *number > 0 && *number <= lns->chan_pool.n ? OBJECT_MESSAGE : OBJECT_NONE;
}

void replica_encode(const struct lns *lns, uint32_t key, struct replica_clock clock, struct wr *w)
{
	uint32_t number;

	switch (kind_of(lns, key, &number)) {
	case OBJECT_TUNNEL:
		tunnel_record(lns, (struct tid){ (uint16_t)number }, clock, w);
		break;
	case OBJECT_SESSION:
		session_record(lns, (struct row){ number }, clock, w);
		break;
	case OBJECT_MESSAGE:
		message_record(lns, number, w);
		break;
	case OBJECT_NONE:
		break;
	}
}

enum why replica_apply(struct lns *lns, uint32_t key, struct bytes octets, struct replica_clock clock, struct mono now,
		       struct fx_list *out)
{
	struct replica_turn rt = {
		.turn = { .lns = lns, .now = now, .out = out }, .clock = clock, .octets = octets,
	};
	uint32_t number;

	ASSERT(fx_has_room(out));
	switch (kind_of(lns, key, &number)) {
	case OBJECT_TUNNEL:
		return tunnel_applied(&rt, (struct tid){ (uint16_t)number });
	case OBJECT_SESSION:
		return session_applied(&rt, (struct row){ number });
	case OBJECT_MESSAGE:
		return message_applied(&rt, number);
	case OBJECT_NONE:
		break;
	}
	return WHY_CL_VALUE;
}

void replica_refuse(struct lns *lns, uint32_t key, struct bytes octets, struct mono now, struct fx_list *out)
{
	struct turn turn = { .lns = lns, .now = now, .out = out };
	uint32_t number;

	if (lns->role == LNS_MASTER && kind_of(lns, key, &number) == OBJECT_SESSION)
		session_refuse(&turn, (struct row){ number }, octets);
}

bool replica_mergeable(const struct lns *lns, uint32_t key, struct bytes octets)
{
	uint32_t number;

	switch (kind_of(lns, key, &number)) {
	case OBJECT_TUNNEL:
		return tunnel_mergeable(lns, (struct tid){ (uint16_t)number }, octets);
	case OBJECT_SESSION:
		return session_mergeable(lns, (struct row){ number }, octets);
	case OBJECT_MESSAGE:
		return message_mergeable(lns, number, octets);
	case OBJECT_NONE:
		break;
	}
	return false;
}
