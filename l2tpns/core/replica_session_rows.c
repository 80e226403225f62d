/* replica_session_rows.c -- a session's record: its fields, and what they may say. */
#include "l2tpns/core/ppp_lcp.h"
#include "l2tpns/core/replica_rows.h"

#define POOL_UNKNOWN	UINT8_MAX

enum {
	IS_UP = 1, IS_ENDING = 2, IS_PENDING = 4, IS_NAMED = 8,
	IS_PROXIED = 16, IS_ACFC = 32, IS_PFC = 64, IS_LEFT = 128
};

static uint64_t flags_get(const void *object)
{
	const struct session *s = object;

	return (s->up ? IS_UP : 0u) | (s->ending ? IS_ENDING : 0u) | (s->auth_pending ? IS_PENDING : 0u) |
	       (s->named ? IS_NAMED : 0u) | (s->proxied ? IS_PROXIED : 0u) | (s->ppp.acfc ? IS_ACFC : 0u) |
	       (s->ppp.pfc ? IS_PFC : 0u) | (s->ppp.ipcp_left ? IS_LEFT : 0u);
}

static bool flags_set(void *object, uint64_t value)
{
	struct session *s = object;

	s->up = (value & IS_UP) != 0;
	s->ending = (value & IS_ENDING) != 0;
	s->auth_pending = (value & IS_PENDING) != 0;
	s->named = (value & IS_NAMED) != 0;
	s->proxied = (value & IS_PROXIED) != 0;
	s->ppp.acfc = (value & IS_ACFC) != 0;
	s->ppp.pfc = (value & IS_PFC) != 0;
	s->ppp.ipcp_left = (value & IS_LEFT) != 0;
	return value <= 255;
}

/* The small members of struct ppp, an octet each; the one that is rarely 0 comes last. */
static uint64_t phases_get(const void *object)
{
	const struct ppp *p = &((const struct session *)object)->ppp;

	return (uint64_t)p->reject_id << 56 | (uint64_t)p->loops << 48 | (uint64_t)p->auth_refused << 40 |
	       (uint64_t)p->auth_tries << 32 | (uint64_t)p->auth << 24 | (uint64_t)p->auth_state << 16 |
	       (uint64_t)p->auth_id << 8 | p->phase;
}

static bool phases_set(void *object, uint64_t value)
{
	struct ppp *p = &((struct session *)object)->ppp;

	p->phase = (uint8_t)value;
	p->auth_id = (uint8_t)(value >> 8);
	p->auth_state = (uint8_t)(value >> 16);
	p->auth = (uint8_t)(value >> 24);
	p->auth_tries = (uint8_t)(value >> 32);
	p->auth_refused = (uint8_t)(value >> 40);
	p->loops = (uint8_t)(value >> 48);
	p->reject_id = (uint8_t)(value >> 56);
	return p->phase < PPP_PHASES && p->auth_state <= PPP_AUTH_ACCEPTED && p->auth < AUTH_METHODS &&
	       p->auth_refused < 1u << AUTH_METHODS;
}

static uint64_t neg_get(const struct ppp_neg *n)
{
	return (uint64_t)n->dropped << 40 | (uint64_t)n->naks_heard << 32 | (uint64_t)n->naks_sent << 24 |
	       (uint64_t)n->tries << 16 | (uint64_t)n->id << 8 | (n->heard ? 32u : 0u) | (n->answered ? 16u : 0u) |
	       n->state;
}

static bool neg_set(struct ppp_neg *n, uint64_t value)
{
	n->state = value & 15;
	n->answered = (value & 16) != 0;
	n->heard = (value & 32) != 0;
	n->id = (uint8_t)(value >> 8);
	n->tries = (uint8_t)(value >> 16);
	n->naks_sent = (uint8_t)(value >> 24);
	n->naks_heard = (uint8_t)(value >> 32);
	n->dropped = (uint8_t)(value >> 40);
	return n->state < FSM_STATES && (value & 192) == 0 && value >> 48 == 0;
}

static uint64_t lcp_get(const void *object)
{
	return neg_get(&((const struct session *)object)->ppp.lcp);
}

static bool lcp_set(void *object, uint64_t value)
{
	return neg_set(&((struct session *)object)->ppp.lcp, value);
}

static uint64_t ipcp_get(const void *object)
{
	return neg_get(&((const struct session *)object)->ppp.ipcp);
}

static bool ipcp_set(void *object, uint64_t value)
{
	return neg_set(&((struct session *)object)->ppp.ipcp, value);
}

/* The challenge while the verdict is open, MS-CHAPv2's proof after it: the same octets of the struct. */
static bool verdict_open(const struct ppp *ppp)
{
	return ppp->auth_state == PPP_AUTH_WAITING || ppp->auth_state == PPP_AUTH_ASKED;
}

static struct bytes proof_get(const void *object)
{
	const struct ppp *ppp = &((const struct session *)object)->ppp;
	static const uint8_t none[sizeof(ppp->challenge)];

	if (ppp->auth_state == PPP_AUTH_ACCEPTED)
		return bytes_of(ppp->proof, ppp->proof_len);
	if (verdict_open(ppp) && memcmp(ppp->challenge, none, sizeof(none)) != 0)
		return bytes_of(ppp->challenge, sizeof(ppp->challenge));
	return SAY_NONE;
}

static bool proof_take(void *object, struct bytes octets)
{
	struct ppp *ppp = &((struct session *)object)->ppp;

	if (verdict_open(ppp) ? octets.len != sizeof(ppp->challenge) :
	    ppp->auth_state != PPP_AUTH_ACCEPTED || octets.len > sizeof(ppp->proof))
		return false;
	memcpy(ppp->proof, octets.p, octets.len);
	if (!verdict_open(ppp))
		ppp->proof_len = (uint8_t)octets.len;
	return true;
}

#define AT(member)	offsetof(struct session_object, member)
#define U8(number, member, most)	{ number, false, FIELD_U8, AT(member), most, NULL, NULL, NULL, NULL }
#define U16(number, member)	{ number, false, FIELD_U16, AT(member), UINT16_MAX, NULL, NULL, NULL, NULL }
#define U32(number, member)	{ number, false, FIELD_U32, AT(member), UINT32_MAX, NULL, NULL, NULL, NULL }
#define TIME(number, member)	{ number, false, FIELD_TIME, AT(member), 0, NULL, NULL, NULL, NULL }
#define TEXT(number, member)	\
	{ number, false, FIELD_TEXT, AT(s.member), \
	  (offsetof(struct session, member) - offsetof(struct session, text)) / sizeof(uint32_t), \
	  NULL, NULL, NULL, NULL }
#define PACKED(number, get, set)	{ number, false, FIELD_PACKED, 0, 0, get, set, NULL, NULL }

static const struct field_row rows[] = {
	U16(1, s.tid.n),
	U16(2, s.sid.n),
	U16(3, s.peer_sid.n),
	U32(4, s.serial),
	PACKED(5, flags_get, flags_set),
	U8(6, s.state, CALL_STATES - 1),
	U8(7, s.end, SESSION_ENDS - 1),
	U8(8, s.pool, UINT8_MAX),
	U8(9, s.auth_method, AUTH_METHODS - 1),
	U16(10, s.end_error),
	U32(11, s.call_serial),
	U32(12, s.tx_bps),
	U32(13, s.rx_bps),
	U32(14, s.physical_channel),
	U32(15, s.address.n),
	U32(16, s.fixed_address.n),
	U32(17, s.session_timeout_s),
	U32(18, s.idle_timeout_s),
	TIME(19, s.created),
	TIME(20, s.opened),
	TIME(21, s.deadline),
	U32(22, fold),
	U32(30, s.ppp.our_magic),
	U32(31, s.ppp.peer_magic),
	U32(32, s.ppp.asked_fold),
	U32(33, s.ppp.address.n),
	U16(34, s.ppp.our_mru),
	U16(35, s.ppp.peer_mru),
	PACKED(36, phases_get, phases_set),
	PACKED(37, lcp_get, lcp_set),
	PACKED(38, ipcp_get, ipcp_set),
	TIME(39, s.ppp.auth_until),
	{ 40, false, FIELD_OCTETS, 0, 0, NULL, NULL, proof_get, proof_take },
	TEXT(60, user),
	TEXT(61, calling),
	TEXT(62, called),
	TEXT(63, private_group),
	TEXT(64, sub_address),
	TEXT(65, access_line),
};

static const struct record_rows session_rows = { rows, ARRAY_LEN(rows) };

/* Set-up must be over by the deadline until it is over; the Authenticate phase has an end while it lasts. */
static bool deadline_counts(const struct session *s)
{
	return s->opened.us == 0;
}

static bool auth_until_counts(const struct session *s)
{
	return s->ppp.phase == PPP_AUTHENTICATE;
}

void session_record(const struct lns *lns, struct row row, struct replica_clock clock, struct wr *w)
{
	const struct session *s = lns_session(lns, row);

	if (!s)
		return;
	struct session_object object = { .s = *s, .fold = tunnel_fold(&lns->tunnel[s->tid.n]) };

	object.s.named = s->named && s->user;
	if (!deadline_counts(s))
		object.s.deadline = (struct mono){ 0 };
	if (!auth_until_counts(s))
		object.s.ppp.auth_until = (struct mono){ 0 };
	record_encode(&session_rows, &object, &lns->store, lns_kept(lns, s->unknown), clock, w);
}

/* ---- what a record may say */

static bool ppp_possible(const struct session *s)
{
	const struct ppp *ppp = &s->ppp;

	if (auth_until_counts(s) != (ppp->auth_until.us != 0))
		return false;
	if (s->state == CALL_WAIT_CONNECT)
		return ppp->phase == PPP_DEAD && !s->up && !s->ending;
	if ((ppp->phase == PPP_AUTHENTICATE || ppp->phase == PPP_NETWORK) && ppp->lcp.state != FSM_OPENED)
		return false;
	return ppp->our_mru <= PPP_MRU_DEFAULT && ppp->peer_mru <= PPP_MRU_DEFAULT;
}

static bool session_possible(const struct lns *lns, struct row row, const struct session *s, struct bytes user)
{
	uint32_t low = row.n % ROWS_PER_BLOCK;

	return s->tid.n > 0 && s->tid.n <= lns->tids.n && low > 0 && s->sid.n % ROWS_PER_BLOCK == low &&
	       s->peer_sid.n > 0 && (s->state == CALL_WAIT_CONNECT || s->state == CALL_ESTABLISHED) &&
	       (s->pool < IPPOOLS_MAX || s->pool == POOL_UNKNOWN) && (!s->named || user.len > 0) &&
	       (deadline_counts(s) || s->deadline.us == 0) &&
	       (s->address.n == 0 || s->address.n != lns->conf.ppp.our_address.n) &&
	       (!s->up || (s->address.n && s->opened.us && s->ppp.peer_mru >= LCP_MRU_FLOOR)) && ppp_possible(s);
}

bool session_row_exists(const struct lns *lns, struct row row)
{
	return row.n < lns->rows.blocks * ROWS_PER_BLOCK && row.n % ROWS_PER_BLOCK > 0;
}

enum why session_decode(const struct lns *lns, struct row row, struct bytes octets, struct replica_clock clock,
			       struct session_object *object, struct record_in *in)
{
	struct session *s = &object->s;

	memset(object, 0, sizeof(*object));
	if (!session_row_exists(lns, row) || record_decode(&session_rows, octets, clock, object, in) != WHY_OK ||
	    !session_possible(lns, row, s, in->text[0]))
		return WHY_CL_VALUE;
	return WHY_OK;
}
