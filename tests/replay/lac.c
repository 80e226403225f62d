/* lac.c -- LACs: their numbers, what they send, what reaches them. */
#include "tests/replay/play.h"

#define CONTROL_FLAGS	0xc802u		/* T, L, S, version 2: RFC 2661 section 3.1 */

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *at, unsigned n)
{
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
}

/* The nth LAC spoken of lives at 192.0.2.n, and beyond 200 in 198.18.0.0/15. */
struct lac *lac_named(struct play *play, const char *name)
{
	for (struct lac *lac = play->lacs; lac; lac = lac->next)
		if (strcmp(lac->name, name) == 0)
			return lac;
	struct lac *lac = calloc(1, sizeof(*lac));
	unsigned n = ++play->lac_count;
	uint32_t ip = n <= 200 ? 0xc0000200 + n : 0xc6120000 + n;

	ASSERT(lac);
	lac->addr = (struct addr){ .ip = ip_from4((struct ip4){ ip }), .port = 1701 };
	snprintf(lac->name, sizeof(lac->name), "%s", name);
	snprintf(lac->host, sizeof(lac->host), "%.*s", 60, name);
	snprintf(lac->secret, sizeof(lac->secret), "%.63s", play->conf.secret);
	lac->tid = (uint16_t)(100 + n);
	lac->window = 4;
	lac->inbox_end = &lac->inbox;
	for (uint8_t i = 0; i < sizeof(lac->random_vector); i++)
		lac->random_vector[i] = (uint8_t)(i * 7 + 1);
	lac->next = play->lacs;
	play->lacs = lac;
	return lac;
}

struct call *lac_call(struct play *play, struct lac *lac, unsigned number)
{
	struct call *call = lac->calls;

	while (call && call->number != number)
		call = call->next;
	if (!call) {
		call = calloc(1, sizeof(*call));
		ASSERT(call);
		*call = (struct call){ .next = lac->calls, .number = number };
		call->sid = (uint16_t)(1000 + number);
		lac->calls = call;
	}
	play->call = call;
	return call;
}

static void calls_free(struct lac *lac)
{
	for (struct call *next; lac->calls; lac->calls = next) {
		next = lac->calls->next;
		free(lac->calls);
	}
}

void inbox_drop(struct lac *lac)
{
	struct packet *p = lac->inbox;

	lac->inbox = p->next;
	if (!lac->inbox)
		lac->inbox_end = &lac->inbox;
	free(p);
}

void lacs_free(struct play *play)
{
	for (struct lac *next; play->lacs; play->lacs = next) {
		next = play->lacs->next;
		while (play->lacs->inbox)
			inbox_drop(play->lacs);
		calls_free(play->lacs);
		free(play->lacs);
	}
	for (struct sent *next; play->sent; play->sent = next) {
		next = play->sent->next;
		free(play->sent);
	}
}

bool packet_is_zlb(const struct packet *p)
{
	return (p->octets[0] & 0x80) && p->len == 12;
}

struct packet *inbox_first(struct lac *lac, bool zlb_too)
{
	while (!zlb_too && lac->inbox && packet_is_zlb(lac->inbox))
		inbox_drop(lac);
	return lac->inbox;
}

/* ---- what reaches a LAC */

/* One address may have several control connections: the tunnel id tells them apart. */
static struct lac *receiver(struct play *play, struct addr to, unsigned tid)
{
	struct lac *any = NULL;

	for (struct lac *lac = play->lacs; lac; lac = lac->next) {
		if (!addr_eq(lac->addr, to))
			continue;
		if (lac->tid == tid)
			return lac;
		any = lac;
	}
	return any;
}

static struct call *call_by_sid(struct lac *lac, unsigned sid)
{
	struct call *call = lac->calls;

	while (call && call->sid != sid)
		call = call->next;
	return call;
}

static void learn(struct play *play, struct lac *lac, const uint8_t *octets, size_t len, unsigned sid)
{
	const uint8_t *avps = octets + 12, *value;
	struct call *call = call_by_sid(lac, sid);
	size_t avps_len = len - 12, value_len;
	unsigned type = message_type_of(avps, avps_len);

	if (type == L2TP_SCCRP && (value = avp_value(play, lac, avps, avps_len, 9, &value_len)) &&
		value_len == 2)
		lac->lns_tid = (uint16_t)get16(value);
	if (type == L2TP_SCCRP && (value = avp_value(play, lac, avps, avps_len, 11, &value_len)) &&
		value_len < 256) {
		memcpy(lac->lns_challenge, value, value_len);
		lac->lns_challenge_len = (uint8_t)value_len;
	}
	if (type == L2TP_ICRP && call && (value = avp_value(play, lac, avps, avps_len, 14, &value_len)) &&
		value_len == 2)
		call->lns_sid = (uint16_t)get16(value);
}

static void control_heard(struct play *play, struct lac *lac, struct packet *p)
{
	unsigned flags = get16(p->octets), sid = get16(p->octets + 6), ns = get16(p->octets + 8);
	uint16_t distance = (uint16_t)(ns - lac->nr);

	if (p->len < 12 || flags != CONTROL_FLAGS || get16(p->octets + 2) != p->len)
		play_fail(play,
			"the lns sent a control message with a wrong header: flags %04x, length %u of %zu",
			flags, get16(p->octets + 2), p->len);
	lac->lns_nr = (uint16_t)get16(p->octets + 10);
	if (packet_is_zlb(p))
		return;
	lac->ack_owed = true;
	p->again = distance >= 0x8000;
	p->ahead = distance > 0 && distance < 0x8000;
	if (distance == 0) {
		lac->nr++;
		learn(play, lac, p->octets, p->len, sid);
	}
}

static void data_heard(struct play *play, struct lac *lac, const struct packet *p, unsigned tid)
{
	struct call *call = p->len >= 6 ? call_by_sid(lac, get16(p->octets + 4)) : NULL;

	if (!call || get16(p->octets) != 2 || tid != lac->tid)
		play_fail(play, "the lns sent a data message with a wrong header to %s", lac->name);
	frame_learn(call, p->octets + 6, p->len - 6);
}

void lac_hears(struct play *play, const struct fx_send *send, struct bytes octets)
{
	unsigned tid = octets.len >= 12 ? get16(octets.p + (octets.p[0] & 0x80 ? 4 : 2)) : 0;
	struct lac *lac = receiver(play, send->to, tid);
	char text[ADDR_TEXT_MAX], what[4000];

	if (!lac)
		play_fail(play, "the lns sent %u octets to %s, where nobody is", octets.len,
			addr_text(send->to, text));
	struct packet *p = malloc(sizeof(*p) + octets.len);

	ASSERT(p);
	*p = (struct packet){ .at = play->now, .from = send->from, .len = octets.len };
	memcpy(p->octets, octets.p, octets.len);
	if (play->trace) {
		packet_describe(play, lac, p, what, sizeof(what));
		play_note(play, "-> %s%s: %s", lac->name, lac->lose > 0 ? " (lost)" : "", what);
	}
	if (lac->lose > 0 || (lac->restarted && tid != lac->tid)) {
		lac->lose -= lac->lose > 0;
		free(p);
		return;
	}
	*lac->inbox_end = p;
	lac->inbox_end = &p->next;
	if (octets.p[0] & 0x80)
		control_heard(play, lac, p);
	else
		data_heard(play, lac, p, tid);
}

/* ---- what a LAC sends */

struct parcel {
	uint8_t	octets[PACKET_MAX];
	size_t	len;
	bool	control, zlb, numbered;		/* numbered: it takes an Ns of the LAC's own */
};

static unsigned said_or(struct play *play, struct told *w, const char *key, unsigned usual)
{
	const char *text = told_value(w, key);

	return text ? (unsigned)parse_number(play, text) : usual;
}

static void control_parcel(
	struct play *play, struct lac *lac, struct call *call, struct told *w, struct parcel *to)
{
	const char *name = told_next(play, w);
	unsigned type = message_type(name);
	unsigned ns = said_or(play, w, "ns", lac->ns), nr = said_or(play, w, "nr", lac->nr);
	unsigned flags = said_or(play, w, "flags", CONTROL_FLAGS), version = said_or(play, w, "l2tp", 2);
	unsigned tunnel = said_or(play, w, "tunnel", type == L2TP_SCCRQ ? 0 : lac->lns_tid);
	unsigned session = said_or(
		play, w, "session", call && type != L2TP_ICRQ && type != L2TP_OCRQ ? call->lns_sid : 0);
	const char *length = told_value(w, "length");
	uint8_t *p = to->octets;

	to->control = true;
	to->zlb = strcmp(name, "ZLB") == 0;
	if (type == 0 && !to->zlb && strcmp(name, "0") != 0)
		play_fail(play, "\"%s\" is no control message", name);
	to->len = 12 + (to->zlb ? 0 : message_encode(play, lac, call, type, w, p + 12));
	put16(p, (flags & 0xfff0) | (version & 0xf));
	put16(p + 2, length ? (unsigned)parse_number(play, length) : (unsigned)to->len);
	put16(p + 4, tunnel);
	put16(p + 6, session);
	put16(p + 8, ns);
	put16(p + 10, nr);
	to->numbered = !to->zlb && ns == lac->ns;
}

/* A data message; the play may ask for any of L, S and O: RFC 2661 section 3.1. */
static void data_parcel(
	struct play *play, struct lac *lac, struct call *call, struct told *w, struct parcel *to)
{
	const char *seq = told_value(w, "seq"), *offset = told_value(w, "offset");
	bool length = told_flag(w, "with-length");
	unsigned tunnel = said_or(play, w, "tunnel", lac->lns_tid),
		 session = said_or(play, w, "session", call->lns_sid);
	unsigned flags = said_or(play, w, "flags", 0) | said_or(play, w, "l2tp", 2);
	uint8_t *p = to->octets + 2;

	*to = (struct parcel){ .control = false };
	flags |= (length ? 0x4000u : 0) | (seq ? 0x0800u : 0) | (offset ? 0x0200u : 0) |
		 (told_flag(w, "priority") ? 0x0100u : 0);
	put16(to->octets, flags);
	if (length)
		p += 2;
	put16(p, tunnel);
	put16(p + 2, session);
	p += 4;
	if (seq) {
		put16(p, (unsigned)parse_number(play, seq));
		put16(p + 2, 0);
		p += 4;
	}
	if (offset) {
		unsigned n = (unsigned)parse_number(play, offset);

		put16(p, n);
		memset(p + 2, 0xee, n);
		p += 2 + n;
	}
	p += frame_encode(play, call, w, p);
	to->len = (size_t)(p - to->octets);
	if (length)
		put16(to->octets + 2, (unsigned)to->len);
}

static void keep(struct play *play, const char *name, struct addr from, const struct parcel *parcel)
{
	struct sent *sent = malloc(sizeof(*sent) + parcel->len);

	ASSERT(sent);
	*sent = (struct sent){ .next = play->sent, .from = from, .len = parcel->len };
	snprintf(sent->name, sizeof(sent->name), "%s", name);
	memcpy(sent->octets, parcel->octets, parcel->len);
	play->sent = sent;
}

void lac_resends(struct play *play, const char *name)
{
	struct sent *sent = play->sent;

	while (sent && strcmp(sent->name, name) != 0 && strcmp(name, "last") != 0)
		sent = sent->next;
	if (!sent)
		play_fail(play, "nothing was sent as \"%s\"", name);
	play_note(play, "<- again: %s", sent->name);
	world_input(play, sent->from, sent->octets, sent->len);
}

/* Words that say how a parcel travels: from=, cut=, fit, lost, as NAME. */
static void dispatch(struct play *play, struct lac *lac, struct told *w, struct parcel *parcel)
{
	const char *from = told_value(w, "from"), *cut = told_value(w, "cut");
	const char *name = told_after(w, "as");
	bool lost = told_flag(w, "lost"), fit = told_flag(w, "fit");
	struct addr source = from ? parse_addr(play, from) : lac->addr;

	told_done(play, w);
	if (cut && parse_number(play, cut) >= parcel->len) {
		play->over = true;
		return;
	}
	if (cut) {
		parcel->len = parse_number(play, cut);
		if (fit && parcel->len >= 12)
			put16(parcel->octets + 2, (unsigned)parcel->len);
	}
	keep(play, name ? name : "", source, parcel);
	if (!from && !cut && parcel->numbered)
		lac->ns++;
	if (lost)
		return;
	if (!from && parcel->control)
		lac->ack_owed = false;
	world_input(play, source, parcel->octets, parcel->len);
}

/* What the LAC itself is like: at ADDRESS, host=, secret=, tid=, window=, serial=, silent, talks. */
static void describe_self(struct play *play, struct lac *lac, struct told *w)
{
	const char *text;

	if (told_take(w, "at"))
		lac->addr = parse_addr(play, told_next(play, w));
	if ((text = told_value(w, "host")))
		snprintf(lac->host, sizeof(lac->host), "%s", text);
	if ((text = told_value(w, "secret")))
		snprintf(lac->secret, sizeof(lac->secret), "%s", text);
	if ((text = told_value(w, "tid")))
		lac->tid = (uint16_t)parse_number(play, text);
	if ((text = told_value(w, "window")))
		lac->window = strcmp(text, "none") == 0 ? -1 : (int)parse_number(play, text);
	if ((text = told_value(w, "ns")))
		lac->ns = (uint16_t)parse_number(play, text);
	if ((text = told_value(w, "sid")))
		lac_call(play, lac, 1)->sid = (uint16_t)parse_number(play, text);
	if (told_flag(w, "silent"))
		lac->silent = true;
	if (told_flag(w, "talks"))
		lac->silent = false;
	told_done(play, w);
}

/* Power-cycled: nothing is remembered, and a new tunnel id is chosen. */
static void restart(struct lac *lac)
{
	calls_free(lac);
	lac->ns = lac->nr = lac->lns_nr = lac->lns_tid = 0;
	lac->lns_challenge_len = lac->challenge_len = 0;
	lac->ack_owed = lac->silent = false;
	lac->restarted = true;
	lac->tid = (uint16_t)(lac->tid + 1000);
}

void lac_sends(struct play *play, struct lac *lac, struct told *w)
{
	static struct parcel parcel;
	struct call *call = NULL;

	play->lac = lac;
	if (told_take(w, "call"))
		call = lac_call(play, lac, (unsigned)parse_number(play, told_next(play, w)));
	parcel = (struct parcel){ .len = 0 };
	if (told_take(w, "sends")) {
		world_begin(play);
		control_parcel(play, lac, call, w, &parcel);
		dispatch(play, lac, w, &parcel);
	} else if (told_take(w, "ppp") && told_take(w, "sends")) {
		world_begin(play);
		data_parcel(play, lac, call ? call : lac_call(play, lac, 1), w, &parcel);
		dispatch(play, lac, w, &parcel);
	} else if (told_take(w, "raw")) {
		world_begin(play);
		const char *hex = told_peek(w);

		parcel.len = hex[0] && !strchr(hex, '=')
			? parse_hex(play, told_next(play, w), parcel.octets, PACKET_MAX)
			: 0;
		dispatch(play, lac, w, &parcel);
	} else if (told_take(w, "loses")) {
		lac->lose = told_take(w, "next") && told_peek(w)[0]
			? (unsigned)parse_number(play, told_next(play, w))
			: 1;
		told_done(play, w);
	} else if (told_take(w, "restarts")) {
		restart(lac);
		told_done(play, w);
	} else {
		describe_self(play, lac, w);
	}
}

/* A LAC acknowledges what it received before time goes on, unless it is silent. */
void lacs_pay_acks(struct play *play)
{
	for (struct lac *lac = play->lacs; lac; lac = lac->next) {
		uint8_t zlb[12] = { CONTROL_FLAGS >> 8, CONTROL_FLAGS & 0xff, 0, 12 };

		if (!lac->ack_owed || lac->silent)
			continue;
		lac->ack_owed = false;
		put16(zlb + 4, lac->lns_tid);
		put16(zlb + 8, lac->ns);
		put16(zlb + 10, lac->nr);
		world_input(play, lac->addr, zlb, sizeof(zlb));
		/* A tunnel that is gone already has no use for it. */
		play->why = WHY_OK;
	}
}
