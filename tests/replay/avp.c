/* avp.c -- control messages as a LAC writes and reads them: RFC 2661 section 4, by a table of our own. */
#include <nettle/md5.h>

#include "tests/replay/play.h"

#define VALUE_MAX	1017		/* RFC 2661 4.1: ten bits of length, six octets of header */
#define BIT_M		0x8000u
#define BIT_H		0x4000u

/* A word of a play is an AVP, or a field of one; size 0 is the rest of the value. */
struct avp_word {
	const char	*name;
	uint16_t	 type;
	uint8_t		 offset, size;
	bool		 text;
	bool		 mandatory, hideable;	/* RFC 2661 4.4: the M bit; may the H bit be set? */
};

static const struct avp_word words[] = {
	{ "result",		1,  0, 2, false, true,	false },
	{ "error",		1,  2, 2, false, true,	false },
	{ "message",		1,  4, 0, true,	 true,	false },
	{ "version",		2,  0, 2, false, true,	false },
	{ "framing",		3,  0, 4, false, true,	true },
	{ "bearer",		4,  0, 4, false, true,	true },
	{ "tie",		5,  0, 8, false, false, false },
	{ "firmware",		6,  0, 2, false, false, true },
	{ "host",		7,  0, 0, true,	 true,	false },
	{ "vendor",		8,  0, 0, true,	 false, true },
	{ "tid",		9,  0, 2, false, true,	true },
	{ "window",		10, 0, 2, false, true,	false },
	{ "challenge",		11, 0, 0, true,	 true,	true },
	{ "cause",		12, 0, 2, false, true,	false },
	{ "cause-message",	12, 2, 1, false, true,	false },
	{ "response",		13, 0, 0, true,	 true,	true },
	{ "sid",		14, 0, 2, false, true,	true },
	{ "serial",		15, 0, 4, false, true,	true },
	{ "min-bps",		16, 0, 4, false, true,	true },
	{ "max-bps",		17, 0, 4, false, true,	true },
	{ "bearer-type",	18, 0, 4, false, true,	true },
	{ "framing-type",	19, 0, 4, false, true,	true },
	{ "called",		21, 0, 0, true,	 true,	true },
	{ "calling",		22, 0, 0, true,	 true,	true },
	{ "sub-address",	23, 0, 0, true,	 true,	true },
	{ "tx-speed",		24, 0, 4, false, true,	true },
	{ "channel",		25, 0, 4, false, false, true },
	{ "initial-lcp",	26, 0, 0, true,	 false, true },
	{ "last-sent-lcp",	27, 0, 0, true,	 false, true },
	{ "last-received-lcp",	28, 0, 0, true,	 false, true },
	{ "proxy-type",		29, 0, 2, false, false, true },
	{ "proxy-name",		30, 0, 0, true,	 false, true },
	{ "proxy-challenge",	31, 0, 0, true,	 false, true },
	{ "proxy-id",		32, 0, 2, false, false, true },
	{ "proxy-response",	33, 0, 0, true,	 false, true },
	{ "call-errors",	34, 0, 0, true,	 true,	true },
	{ "accm-send",		35, 2, 4, false, true,	true },
	{ "accm-receive",	35, 6, 4, false, true,	true },
	{ "random-vector",	36, 0, 0, true,	 true,	false },
	{ "group",		37, 0, 0, true,	 false, true },
	{ "rx-speed",		38, 0, 4, false, false, true },
	{ "sequencing",		39, 0, 0, true,	 true,	false },
	{ "disconnect-code",	46, 0, 2, false, false, true },
	{ "disconnect-protocol", 46, 2, 2, false, false, true },
	{ "disconnect-direction", 46, 4, 1, false, false, true },
	{ "disconnect-message",	46, 5, 0, true,	 false, true },
};

/* What a LAC sends when the play does not say otherwise: RFC 2661 section 6. */
static const struct { const char *name, *usual[8]; } messages[17] = {
	[1] = { "SCCRQ", { "version", "framing", "host", "tid", "window" } },
	[2] = { "SCCRP", { "version", "framing", "host", "tid", "window" } },
	[3] = { "SCCCN", { "response" } },
	[4] = { "StopCCN", { "tid", "result" } },
	[6] = { "HELLO", { NULL } },
	[7] = { "OCRQ", { "sid", "serial", "min-bps", "max-bps", "bearer-type", "framing-type", "called" } },
	[8] = { "OCRP", { "sid" } },
	[9] = { "OCCN", { "tx-speed", "framing-type" } },
	[10] = { "ICRQ", { "sid", "serial" } },
	[11] = { "ICRP", { "sid" } },
	[12] = { "ICCN", { "tx-speed", "framing-type" } },
	[14] = { "CDN", { "result", "sid" } },
	[15] = { "WEN", { "call-errors" } },
	[16] = { "SLI", { "accm-send" } },
};

unsigned message_type(const char *name)
{
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	for (unsigned i = 0; i < ARRAY_LEN(messages); i++)
		if (messages[i].name && strcmp(messages[i].name, name) == 0)
			return i;
	return *name && *end == 0 && number <= UINT16_MAX ? (unsigned)number : 0;
}

static const struct avp_word *word_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

static void put_number(uint8_t *at, unsigned size, uint64_t n)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(n >> (8 * (size - 1 - i)));
}

static uint64_t get_number(const uint8_t *at, unsigned size)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < size; i++)
		n = n << 8 | at[i];
	return n;
}

void tunnel_response(unsigned type, const char *secret, const uint8_t *challenge, size_t len, uint8_t out[16])
{
	struct md5_ctx md5;
	uint8_t id = (uint8_t)type;

	md5_init(&md5);
	md5_update(&md5, 1, &id);
	md5_update(&md5, strlen(secret), (const uint8_t *)secret);
	md5_update(&md5, len, challenge);
	md5_digest(&md5, 16, out);
}

/* RFC 2661 4.3, both ways: each block of 16 is XORed with an MD5 of the block before it. */
static void hide_or_show(const struct lac *lac, unsigned type, const uint8_t *vector, size_t vector_len,
			 uint8_t *value, size_t len, bool hide)
{
	uint8_t head[2] = { (uint8_t)(type >> 8), (uint8_t)type }, pad[16], before[16];
	struct md5_ctx md5;

	for (size_t at = 0; at < len; at += 16) {
		size_t n = len - at < 16 ? len - at : 16;

		md5_init(&md5);
		if (at == 0)
			md5_update(&md5, 2, head);
		md5_update(&md5, strlen(lac->secret), (const uint8_t *)lac->secret);
		md5_update(&md5, at == 0 ? vector_len : 16, at == 0 ? vector : before);
		md5_digest(&md5, 16, pad);
		if (!hide)
			memcpy(before, value + at, n);
		for (size_t i = 0; i < n; i++)
			value[at + i] ^= pad[i];
		if (hide)
			memcpy(before, value + at, n);
	}
}

struct writer {
	struct play	*play;
	struct lac	*lac;
	struct call	*call;
	struct told	*words;
	unsigned	 type;			/* of the message */
	const char	*hide;
	unsigned	 pad;
	bool		 vector_written;
	uint8_t		*out;
	size_t		 len;
};

static void put_avp(
	struct writer *w, unsigned flags, unsigned vendor, unsigned type, const uint8_t *value, size_t len)
{
	if (len > VALUE_MAX)
		play_fail(w->play, "AVP too long");
	put_number(w->out + w->len, 2, flags | (len + 6));
	put_number(w->out + w->len + 2, 2, vendor);
	put_number(w->out + w->len + 4, 2, type);
	memcpy(w->out + w->len + 6, value, len);
	w->len += len + 6;
}

static bool to_be_hidden(const struct writer *w, const struct avp_word *word)
{
	char list[200], name[64];

	if (!w->hide || (strcmp(w->hide, "all") == 0 && !word->hideable))
		return false;
	snprintf(list, sizeof(list), ",%s,", w->hide);
	snprintf(name, sizeof(name), ",%s,", word->name);
	return strcmp(w->hide, "all") == 0 || strstr(list, name);
}

static void put_value(struct writer *w, const struct avp_word *word, const uint8_t *value, size_t len)
{
	uint8_t hidden[VALUE_MAX + 64] = { 0 };

	if (!to_be_hidden(w, word)) {
		put_avp(w, word->mandatory ? BIT_M : 0, 0, word->type, value, len);
		return;
	}
	if (!w->vector_written)
		put_avp(w, BIT_M, 0, 36, w->lac->random_vector, sizeof(w->lac->random_vector));
	w->vector_written = true;
	put_number(hidden, 2, len);
	memcpy(hidden + 2, value, len);
	hide_or_show(w->lac, word->type, w->lac->random_vector, sizeof(w->lac->random_vector), hidden,
		     len + 2 + w->pad, true);
	put_avp(w, BIT_H | (word->mandatory ? BIT_M : 0), 0, word->type, hidden, len + 2 + w->pad);
}

/* What the LAC would send: octets of the default value. */
static size_t usual_value(struct writer *w, const struct avp_word *word, uint8_t *value)
{
	static const struct { const char *name; uint64_t n; } numbers[] = {
		{ "version", 0x0100 }, { "framing", 3 }, { "tx-speed", 10000000 }, { "framing-type", 1 },
		{ "min-bps", 9600 }, { "max-bps", 64000 }, { "bearer-type", 1 },
	};
	uint64_t n = 0;

	if (strcmp(word->name, "host") == 0)
		return parse_octets(w->play, w->lac->host, value, VALUE_MAX);
	if (strcmp(word->name, "called") == 0)
		return parse_octets(w->play, "5551234", value, VALUE_MAX);
	if (strcmp(word->name, "call-errors") == 0)
		return parse_octets(w->play, "zeros:26", value, VALUE_MAX);
	if (word->type == 35)
		return parse_octets(w->play, "zeros:10", value, VALUE_MAX);
	if (strcmp(word->name, "response") == 0) {
		tunnel_response(
			w->type, w->lac->secret, w->lac->lns_challenge, w->lac->lns_challenge_len, value);
		return 16;
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (strcmp(numbers[i].name, word->name) == 0)
			n = numbers[i].n;
	if (strcmp(word->name, "tid") == 0)
		n = w->lac->tid;
	else if (strcmp(word->name, "window") == 0)
		n = (uint64_t)w->lac->window;
	else if (strcmp(word->name, "sid") == 0)
		n = w->call ? w->call->sid : 0;
	else if (strcmp(word->name, "serial") == 0)
		n = ++w->lac->serial;
	else if (strcmp(word->name, "result") == 0)
		n = w->type == 14 ? 3 : 1;
	put_number(value, word->size, n);
	return word->size;
}

static bool is_usual(const struct writer *w, const struct avp_word *word)
{
	if (strcmp(word->name, "window") == 0)
		return w->lac->window >= 0;
	if (strcmp(word->name, "response") == 0)
		return w->lac->lns_challenge_len > 0;
	return true;
}

/* Write what the play said of one field over the value so far. */
static size_t patch(
	struct writer *w, const struct avp_word *word, const char *text, uint8_t *value, size_t len)
{
	size_t n = word->size;

	if (strcmp(text, "wrong") == 0 && word->text) {
		value[0] ^= 1;
		return len;
	}
	if (text[0] == '{')
		n = options_braced(w->play, text, value);
	else if (word->text || strncmp(text, "hex:", 4) == 0)
		n = parse_octets(w->play, text, value + word->offset, VALUE_MAX - word->offset);
	else
		put_number(value + word->offset, word->size, parse_number(w->play, text));
	if (word->type == 11 && w->type == 1) {
		w->lac->challenge_len =
			(uint8_t)(n > sizeof(w->lac->challenge) ? sizeof(w->lac->challenge) : n);
		memcpy(w->lac->challenge, value, w->lac->challenge_len);
	}
	/* Octets given for a number may be fewer or more than its size: that is the point of it. */
	if (word->text || strncmp(text, "hex:", 4) == 0 || text[0] == '{')
		return word->offset + n;
	return len > word->offset + n ? len : word->offset + n;
}

/* One AVP: the usual value, and every field of it that the play names. */
static void put_word(struct writer *w, const struct avp_word *word, bool usual)
{
	uint8_t value[VALUE_MAX + 64] = { 0 };
	bool wanted = usual && is_usual(w, word);
	size_t len = usual || word->type == 35 ? usual_value(w, word, value) : 0;
	char omit[64];
	const char *text;

	snprintf(omit, sizeof(omit), "no-%s", word->name);
	if (told_flag(w->words, omit))
		return;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].type == word->type && (text = told_value(w->words, words[i].name))) {
			len = patch(w, &words[i], text, value, len);
			wanted = true;
		}
	if (wanted)
		put_value(w, word, value, len);
}

/* avp=FLAGS:VENDOR:TYPE:HEX, anything at all; raw=HEX, octets where an AVP would stand. */
static void put_raw(struct writer *w, const char *key, const char *text)
{
	unsigned flags, vendor, type;
	uint8_t value[VALUE_MAX + 1];
	int at = 0;

	if (strcmp(key, "raw") == 0) {
		w->len += parse_hex(w->play, text, w->out + w->len, VALUE_MAX);
		return;
	}
	if (sscanf(text, "%i:%u:%u:%n", (int *)&flags, &vendor, &type, &at) != 3 || at == 0)
		play_fail(w->play, "avp=%s: FLAGS:VENDOR:TYPE:HEX wanted", text);
	put_avp(w, flags, vendor, type, value, parse_hex(w->play, text + at, value, VALUE_MAX));
}

size_t message_encode(struct play *play, struct lac *lac, struct call *call, unsigned type, struct told *said,
		      uint8_t *out)
{
	const char *pad = told_value(said, "pad");
	struct writer w = { .play = play,
		.lac = lac,
		.call = call,
		.words = said,
		.type = type,
		.out = out,
		.hide = told_value(said, "hide"),
		.pad = pad ? (unsigned)parse_number(play, pad) : 3 };
	uint8_t number[2] = { (uint8_t)(type >> 8), (uint8_t)type };
	char key[64];

	if (!told_flag(said, "no-type"))
		put_avp(&w, told_flag(said, "optional") ? 0 : BIT_M, 0, 0, number, 2);
	if (type < ARRAY_LEN(messages) && messages[type].name)
		for (const char *const *name = messages[type].usual; *name; name++)
			put_word(&w, word_of(*name), true);
	for (unsigned i = 0; i < said->n; i++) {
		size_t key_len = strcspn(said->word[i], "=");

		if (said->used[i] || said->word[i][key_len] == 0 || key_len >= sizeof(key))
			continue;
		memcpy(key, said->word[i], key_len);
		key[key_len] = 0;
		if (strcmp(key, "avp") == 0 || strcmp(key, "raw") == 0) {
			said->used[i] = true;
			put_raw(&w, key, said->word[i] + key_len + 1);
		} else if (word_of(key)) {
			put_word(&w, word_of(key), false);
		}
	}
	return w.len;
}

/* ---- reading what the lns sent */

struct attribute {
	unsigned	 flags, vendor, type;
	const uint8_t	*value;
	size_t		 len;
};

/* The AVP at *at; false at the end, and when the lns wrote one that is not well-formed. */
static bool next_avp(const uint8_t *avps, size_t len, size_t *at, struct attribute *avp)
{
	if (len - *at < 6)
		return false;
	unsigned head = (unsigned)get_number(avps + *at, 2);
	size_t whole = head & 0x3ff;

	if (whole < 6 || whole > len - *at)
		return false;
	*avp = (struct attribute){ .flags = head & 0xfc00,
		.vendor = (unsigned)get_number(avps + *at + 2, 2),
		.type = (unsigned)get_number(avps + *at + 4, 2),
		.value = avps + *at + 6,
		.len = whole - 6 };
	*at += whole;
	return true;
}

unsigned message_type_of(const uint8_t *avps, size_t len)
{
	struct attribute avp;
	size_t at = 0;

	if (!next_avp(avps, len, &at, &avp) || avp.vendor != 0 || avp.type != 0 || avp.len != 2)
		return 0;
	return (unsigned)get_number(avp.value, 2);
}

const uint8_t *avp_value(struct play *play, const struct lac *lac, const uint8_t *avps, size_t len,
	unsigned type, size_t *value_len)
{
	static uint8_t shown[VALUE_MAX];
	struct attribute avp, vector = { .len = 0 };
	size_t at = 0;

	while (next_avp(avps, len, &at, &avp)) {
		if (avp.vendor == 0 && avp.type == 36)
			vector = avp;
		if (avp.vendor != 0 || avp.type != type)
			continue;
		*value_len = avp.len;
		if (!(avp.flags & BIT_H))
			return avp.value;
		if (vector.len == 0 || avp.len < 2)
			play_fail(play, "the lns sent a hidden AVP without a Random Vector");
		memcpy(shown, avp.value, avp.len);
		hide_or_show(lac, type, vector.value, vector.len, shown, avp.len, false);
		*value_len = get_number(shown, 2);
		return *value_len <= avp.len - 2 ? shown + 2 : NULL;
	}
	return NULL;
}

static size_t print_octets(char *out, size_t room, const uint8_t *p, size_t len)
{
	bool text = len > 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		text = text && p[i] >= 0x20 && p[i] < 0x7f;
	if (text)
		return (size_t)snprintf(out, room, "\"%.*s\"", (int)len, (const char *)p);
	n = (size_t)snprintf(out, room, "hex:");
	for (size_t i = 0; i < len && n + 3 < room; i++)
		n += (size_t)snprintf(out + n, room - n, "%02x", p[i]);
	return n;
}

void message_describe(
	struct play *play, const struct lac *lac, const uint8_t *avps, size_t len, char *out, size_t room)
{
	unsigned type = message_type_of(avps, len);
	size_t at = 0, n;
	struct attribute avp;

	(void)play, (void)lac;
	if (type < ARRAY_LEN(messages) && messages[type].name)
		n = (size_t)snprintf(out, room, "%s", messages[type].name);
	else
		n = (size_t)snprintf(out, room, "message %u", type);
	while (next_avp(avps, len, &at, &avp) && n + 40 < room) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(words); i++) {
			const struct avp_word *word = &words[i];

			if (avp.vendor != 0 || word->type != avp.type || avp.flags & BIT_H ||
				avp.len < word->offset)
				continue;
			known = true;
			n += (size_t)snprintf(out + n, room - n, " %s=", word->name);
			if (word->text)
				n += print_octets(
					out + n, room - n, avp.value + word->offset, avp.len - word->offset);
			else if (avp.len >= (size_t)word->offset + word->size)
				n += (size_t)snprintf(out + n, room - n, "%llu", (unsigned long long)
						      get_number(avp.value + word->offset, word->size));
			if (n + 40 >= room)
				return;
		}
		if (!known && (avp.type != 0 || avp.vendor != 0))
			n += (size_t)snprintf(out + n, room - n, " avp=%#x:%u:%u:%zu-octets", avp.flags,
				avp.vendor, avp.type, avp.len);
	}
	if (at != len)
		snprintf(out + n, room - n, " and %zu octets that are no AVP", len - at);
}

static bool field_is(struct play *play, const struct lac *lac, const struct avp_word *word, const char *text,
		     const uint8_t *value, size_t len)
{
	uint8_t wanted[VALUE_MAX];
	size_t n;

	if (strcmp(text, "*") == 0)
		return len > 0;
	if (word->type == 13 && strcmp(text, "ok") == 0) {
		tunnel_response(2, lac->secret, lac->challenge, lac->challenge_len, wanted);
		return len == 16 && memcmp(wanted, value, 16) == 0;
	}
	if (!word->text)
		return len >= (size_t)word->offset + word->size &&
		       get_number(value + word->offset, word->size) == parse_number(play, text);
	n = parse_octets(play, text, wanted, sizeof(wanted));
	return len >= word->offset && len - word->offset == n && memcmp(value + word->offset, wanted, n) == 0;
}

void message_compare(
	struct play *play, const struct lac *lac, const uint8_t *avps, size_t len, struct told *said)
{
	size_t at = 0, value_len = 0;
	const char *text;
	struct attribute avp;
	char omit[64];

	while (next_avp(avps, len, &at, &avp))
		;
	if (at != len)
		play_fail(play, "what came ends in %zu octets that are no AVP", len - at);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const uint8_t *value = avp_value(play, lac, avps, len, words[i].type, &value_len);
		bool there = value && value_len > words[i].offset;

		snprintf(omit, sizeof(omit), "no-%s", words[i].name);
		if (told_flag(said, omit) && there)
			play_fail(play, "%s was not to be there", words[i].name);
		if (!(text = told_value(said, words[i].name)))
			continue;
		if (!there && !(value && text[0] == 0))
			play_fail(play, "%s is missing", words[i].name);
		if (!field_is(play, lac, &words[i], text, value, value_len))
			play_fail(play, "%s is not %s", words[i].name, text);
	}
}
