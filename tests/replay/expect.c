/* expect.c -- what came out, against what the play says should have. */
#include "tests/replay/play.h"

void packet_describe(struct play *play, struct lac *lac, const struct packet *p, char *out, size_t room)
{
	size_t n;

	if (!(p->octets[0] & 0x80)) {
		n = (size_t)snprintf(out, room, "call %u: ", p->octets[4] << 8 | p->octets[5]);
		frame_describe(p->octets + 6, p->len - 6, out + n, room - n);
		return;
	}
	n = (size_t)snprintf(out, room, "ns=%u nr=%u %s%s", p->octets[8] << 8 | p->octets[9],
		p->octets[10] << 8 | p->octets[11], p->again ? "again " : "", p->ahead ? "ahead " : "");
	if (p->len == 12)
		snprintf(out + n, room - n, "ZLB");
	else
		message_describe(play, lac, p->octets + 12, p->len - 12, out + n, room - n);
}

/* `to NAME`, or whom the play spoke of last. */
static struct lac *addressee(struct play *play, struct told *w)
{
	const char *name = told_after(w, "to");

	if (name)
		play->lac = lac_named(play, name);
	if (!play->lac)
		play_fail(play, "to whom?");
	return play->lac;
}

static void header_compare(struct play *play, const struct packet *p, struct told *w)
{
	static const struct { const char *key; unsigned at; } fields[] = {
		{ "tunnel", 4 }, { "session", 6 }, { "ns", 8 }, { "nr", 10 },
	};
	const char *said;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		unsigned n = (unsigned)(p->octets[fields[i].at] << 8 | p->octets[fields[i].at + 1]);

		if ((said = told_value(w, fields[i].key)) && parse_number(play, said) != n)
			play_fail(play, "%s is %u, not %s", fields[i].key, n, said);
	}
	if (told_flag(w, "again") != p->again)
		play_fail(play, p->again ? "it was sent again" : "it was not sent before");
	if (told_flag(w, "ahead") != p->ahead)
		play_fail(play, p->ahead ? "one before it is missing" : "none before it is missing");
}

static void control_compare(struct play *play, struct lac *lac, struct call *call, const char *name,
			    const struct packet *p, struct told *w)
{
	unsigned type = message_type(name), session = (unsigned)(p->octets[6] << 8 | p->octets[7]);

	if (!(p->octets[0] & 0x80) || p->len < 13 || message_type_of(p->octets + 12, p->len - 12) != type)
		play_fail(play, "%s was expected", name);
	header_compare(play, p, w);
	if (call && session != call->sid)
		play_fail(play, "it is for session %u, not for call %u", session, call->number);
	message_compare(play, lac, p->octets + 12, p->len - 12, w);
}

static void data_compare(struct play *play, struct lac *lac, struct call *call, const char *name,
			 const struct packet *p, struct told *w)
{
	unsigned session = (unsigned)(p->octets[4] << 8 | p->octets[5]);
	const char *code = told_next(play, w);

	if (p->octets[0] & 0x80)
		play_fail(play, "%s was expected", name);
	if (!call)
		call = play->call ? play->call : lac_call(play, lac, 1);
	if (session != call->sid)
		play_fail(play, "it is for session %u, not for call %u", session, call->number);
	frame_compare(play, call, protocol_named(name), code, p->octets + 6, p->len - 6, w);
}

/* The oldest packet not yet looked at; a failure says what it is. */
static void packet_compare(struct play *play, struct lac *lac, const char *name, struct told *w)
{
	const char *number = told_after(w, "call");
	struct call *call = number ? lac_call(play, lac, (unsigned)parse_number(play, number)) : NULL;
	bool zlb = strcmp(name, "ZLB") == 0;
	struct packet *p = inbox_first(lac, zlb);
	char what[3000];

	if (!p)
		play_fail(play, "nothing came to %s; %s was expected", lac->name, name);
	packet_describe(play, lac, p, what, sizeof(what));
	snprintf(play->came, sizeof(play->came), "; to %s came %s", lac->name, what);
	if (zlb) {
		if (!packet_is_zlb(p))
			play_fail(play, "an acknowledgement was expected");
		header_compare(play, p, w);
	} else if (protocol_named(name)) {
		data_compare(play, lac, call, name, p, w);
	} else {
		control_compare(play, lac, call, name, p, w);
	}
	told_done(play, w);
	play->came[0] = 0;
	inbox_drop(lac);
}

static void nothing(struct play *play, struct told *w, bool zlb_too)
{
	struct lac *only = told_take(w, "to") ? lac_named(play, told_next(play, w)) : NULL;
	char what[3000];

	told_done(play, w);
	for (struct lac *lac = play->lacs; lac; lac = lac->next) {
		struct packet *p = only && lac != only ? NULL : inbox_first(lac, zlb_too);

		if (!p)
			continue;
		packet_describe(play, lac, p, what, sizeof(what));
		play_fail(play, "nothing was expected; to %s came %s", lac->name, what);
	}
}

static void refusal(struct play *play, struct told *w)
{
	const char *name = told_next(play, w);
	enum why why = play->why;

	told_done(play, w);
	play->why = WHY_OK;
	if (strcmp(name, "perhaps") == 0)
		return;
	if (why == WHY_OK)
		play_fail(play, "the last packet was not refused; %s was expected", name);
	if (strcmp(name, "any") != 0 && strcmp(name, why_name(why)) != 0)
		play_fail(play, "refused for %s, not for %s", why_name(why), name);
}

void expect_words(struct play *play, struct told *w)
{
	const char *name = told_next(play, w);

	world_begin(play);
	if (strcmp(name, "refused") == 0)
		refusal(play, w);
	else if (strcmp(name, "nothing") == 0)
		nothing(play, w, false);
	else if (strcmp(name, "silence") == 0)
		nothing(play, w, true);
	else
		packet_compare(play, addressee(play, w), name, w);
}

/* await PACKET ... within TIME: the clock moves from deadline to deadline until something came. */
void await_words(struct play *play, struct told *w)
{
	const char *name = told_next(play, w), *within = told_after(w, "within");
	struct lac *lac = addressee(play, w);
	struct mono begin = play->now, limit = mono_add(begin, within ? parse_time(play, within) : DUR_S(0));

	if (!within)
		play_fail(play, "await PACKET [to LAC] within TIME");
	world_begin(play);
	world_refusal_settled(play);
	lacs_pay_acks(play);
	while (!inbox_first(lac, strcmp(name, "ZLB") == 0) && mono_before(play->now, limit))
		world_step(play, limit);
	play->waited = mono_since(play->now, begin);
	packet_compare(play, lac, name, w);
}
