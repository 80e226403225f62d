/*
 * replica_rows.h -- the fields of a record, one row each, and who applies them; for the files core/replica*.c only.
 *
 * Pure codec between an object's struct and tagged octets.  A record is a list of
 * fields in rising order of their numbers:
 *
 *	must 1 bit, number 7 bits | length 1 | value
 *
 * Number 127 means that 16 bits with the number follow, length 255 that 16 bits with
 * the length follow; each is used only where the short form cannot say it.  Integers
 * are in network order without leading zero octets, and a field that would be zero is
 * not there.  So there is one way to write an object, and a record that is written in
 * another way is refused.
 *
 * A field without a row here was written by a newer node: it is kept as it is and
 * written back in its place, unless its `must` bit says that nobody may go on without
 * understanding it.
 */
#ifndef CORE_REPLICA_ROWS_H
#define CORE_REPLICA_ROWS_H

#include "l2tpns/core/lns_state.h"
#include "l2tpns/core/replica.h"

#define RECORD_TEXTS	8u		/* at most so many texts in one object */

enum field_kind {
	FIELD_U8, FIELD_U16, FIELD_U32,	/* integers of the struct */
	FIELD_PACKED,			/* several small members as one integer, by functions */
	FIELD_TIME,			/* struct mono; in milliseconds of cluster time, empty: MONO_NEVER */
	FIELD_ADDR,			/* struct addr: 4 or 16 octets, then the port */
	FIELD_IP,			/* struct ip: 4 or 16 octets */
	FIELD_OCTETS,			/* octets by functions: those that count in the object's state */
	FIELD_TEXT			/* a store handle */
};

struct field_row {
	uint8_t		number;
	bool		must;		/* an older node that does not know it must not go on without */
	uint8_t		kind;		/* enum field_kind */
	uint16_t	at;		/* of the member in the struct */
	uint64_t	most;		/* largest value; of FIELD_TEXT: which of record_in.text[] */
	uint64_t	(*get)(const void *object);			/* FIELD_PACKED */
	bool		(*set)(void *object, uint64_t value);		/* false: an impossible value */
	struct bytes	(*octets)(const void *object);			/* FIELD_OCTETS */
	bool		(*take)(void *object, struct bytes octets);
};

struct record_rows {			/* in rising order of numbers; texts come last, the dearest first */
	const struct field_row	*row;
	unsigned		 rows;
};

struct record_in {			/* what decoding leaves outside the struct; texts are loans of the record */
	struct bytes	text[RECORD_TEXTS];
	uint32_t	unknown_len;
	uint8_t		unknown[REPLICA_MAX];
};

/* Append the object to `w`, together with the fields `unknown` that a newer node wrote.  Texts that would make
 * the record longer than REPLICA_MAX are left out. */
void record_encode(const struct record_rows *rows, const void *object, const struct store *store, struct bytes unknown,
		   struct replica_clock clock, struct wr *w);

/* Fill `object`, which the caller has zeroed.  WHY_OK or WHY_CL_VALUE. */
MUST_USE enum why record_decode(const struct record_rows *rows, struct bytes octets, struct replica_clock clock,
				void *object, struct record_in *in);

/* What apply needs besides: one record being applied. */
struct replica_turn {
	struct turn		turn;
	struct replica_clock	clock;
	uint32_t		key;
	struct bytes		octets;
};

/* Keep these texts and fields in the store in place of those the handles name; what is the same stays. */
void record_text_set(struct store *store, uint32_t *handle, struct bytes text);

/* replica_session_rows.c */
/* What is written: a copy of the session without what means nothing in its state, and what finds its tunnel. */
struct session_object {
	struct session	s;
	uint32_t	fold;		/* tunnel_fold() of its tunnel; 0 = that is not known */
};

void session_record(const struct lns *lns, struct row row, struct replica_clock clock, struct wr *w);
enum why session_decode(const struct lns *lns, struct row row, struct bytes octets, struct replica_clock clock,
			struct session_object *object, struct record_in *in);
bool session_row_exists(const struct lns *lns, struct row row);

/* replica_session.c */
enum why session_applied(struct replica_turn *rt, struct row row);
bool session_mergeable(const struct lns *lns, struct row row, struct bytes octets);
void session_refuse(struct turn *turn, struct row row, struct bytes octets);
void session_forget(struct turn *turn, struct row row);

/* replica_tunnel.c */
void tunnel_record(const struct lns *lns, struct tid tid, struct replica_clock clock, struct wr *w);
enum why tunnel_applied(struct replica_turn *rt, struct tid tid);
bool tunnel_mergeable(const struct lns *lns, struct tid tid, struct bytes octets);
struct tunnel *tunnel_known(struct turn *turn, struct tid tid);		/* a stub when it is not there */
void tunnel_stub_settle(struct turn *turn, struct tunnel *t);		/* a stub that holds nothing goes */
void tunnel_watch(struct turn *turn, struct tunnel *t);			/* arm its timers as a slave does */
uint32_t tunnel_fold(const struct tunnel *t);		/* tells the tunnel of one LAC from another's */

/* replica_message.c */
void message_record(const struct lns *lns, uint32_t place, struct wr *w);
enum why message_applied(struct replica_turn *rt, uint32_t place);
bool message_mergeable(const struct lns *lns, uint32_t place, struct bytes octets);

#endif
