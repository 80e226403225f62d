/* options.c -- configuration options as a subscriber writes and reads them: RFC 1661, 1332, 1877. */
#include "tests/replay/play.h"

#define LCP	0xc021
#define IPCP	0x8021

enum shape { FLAG, U16, U32, IP4, AUTH, OCTETS };

struct option_word {
	const char	*name;
	uint16_t	 proto;
	uint8_t		 type;
	enum shape	 shape;
};

static const struct option_word words[] = {
	{ "mru", LCP, 1, U16 },
	{ "accm", LCP, 2, U32 },
	{ "auth", LCP, 3, AUTH },
	{ "quality", LCP, 4, OCTETS },
	{ "magic", LCP, 5, U32 },
	{ "pfc", LCP, 7, FLAG },
	{ "acfc", LCP, 8, FLAG },
	{ "callback", LCP, 13, OCTETS },
	{ "mrru", LCP, 17, U16 },
	{ "ssn", LCP, 18, FLAG },
	{ "endpoint", LCP, 19, OCTETS },
	{ "addresses", IPCP, 1, OCTETS },
	{ "vj", IPCP, 2, OCTETS },
	{ "address", IPCP, 3, IP4 },
	{ "dns1", IPCP, 129, IP4 },
	{ "nbns1", IPCP, 130, IP4 },
	{ "dns2", IPCP, 131, IP4 },
	{ "nbns2", IPCP, 132, IP4 },
};

static const struct { const char *name; size_t len; uint8_t octets[3]; } methods[] = {
	{ "pap", 2, { 0xc0, 0x23 } }, { "chap", 3, { 0xc2, 0x23, 5 } }, { "mschap", 3, { 0xc2, 0x23, 0x80 } },
	{ "mschapv2", 3, { 0xc2, 0x23, 0x81 } }, { "eap", 2, { 0xc2, 0x27 } },
};

static size_t value_of(struct play *play, const struct option_word *word, const char *text, uint8_t *out)
{
	uint32_t n;

	if (strncmp(text, "hex:", 4) == 0 || word->shape == OCTETS)
		return parse_octets(play, text, out, 253);
	switch (word->shape) {
	case U16:
		n = (uint32_t)parse_number(play, text);
		out[0] = (uint8_t)(n >> 8);
		out[1] = (uint8_t)n;
		return 2;
	case U32:
	case IP4:
		n = word->shape == IP4 ? parse_ip4(play, text).n : (uint32_t)parse_number(play, text);
		for (int i = 0; i < 4; i++)
			out[i] = (uint8_t)(n >> (24 - 8 * i));
		return 4;
	case AUTH:
		for (size_t i = 0; i < ARRAY_LEN(methods); i++)
			if (strcmp(methods[i].name, text) == 0) {
				memcpy(out, methods[i].octets, methods[i].len);
				return methods[i].len;
			}
		play_fail(play, "\"%s\" is no authentication method", text);
	default:
		play_fail(play, "\"%s\" has no value", word->name);
	}
}

/* The option a word of the play names: `mru=1492`, `pfc`, or `opt=TYPE:HEX`. */
static bool option_said(
	struct play *play, uint16_t proto, const char *said, uint8_t *type, uint8_t *value, size_t *len)
{
	const char *equals = strchr(said, '=');
	size_t name_len = equals ? (size_t)(equals - said) : strlen(said);
	unsigned number;
	int at = 0;

	if (strncmp(said, "opt=", 4) == 0) {
		if (sscanf(said + 4, "%u:%n", &number, &at) != 1 || at == 0)
			play_fail(play, "\"%s\": opt=TYPE:HEX wanted", said);
		*type = (uint8_t)number;
		*len = parse_hex(play, said + 4 + at, value, 253);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const struct option_word *word = &words[i];

		if (word->proto != proto || strlen(word->name) != name_len ||
		    strncmp(word->name, said, name_len) != 0 || (word->shape == FLAG) != !equals)
			continue;
		*type = word->type;
		*len = equals ? value_of(play, word, equals + 1, value) : 0;
		return true;
	}
	return false;
}

size_t options_encode(struct play *play, uint16_t proto, struct told *w, uint8_t *out)
{
	uint8_t type, value[256];
	size_t n = 0, len;

	for (unsigned i = w->at; i < w->n; i++) {
		if (w->used[i] || !option_said(play, proto, w->word[i], &type, value, &len))
			continue;
		w->used[i] = true;
		out[n] = type;
		out[n + 1] = (uint8_t)(len + 2);
		memcpy(out + n + 2, value, len);
		n += len + 2;
	}
	return n;
}

/* {mru=1492,auth=pap,pfc}: LCP options as the proxy AVPs carry them (RFC 2661 4.4.5). */
size_t options_braced(struct play *play, const char *text, uint8_t *out)
{
	char line[512];
	struct told w;
	size_t len = strlen(text);

	if (len < 2 || len >= sizeof(line) || text[len - 1] != '}')
		play_fail(play, "\"%s\": {option,option} wanted", text);
	for (size_t i = 1; i < len; i++)
		line[i - 1] = text[i] == ',' ? ' ' : text[i];
	line[len - 2] = 0;
	told_cut(play, &w, line);
	len = options_encode(play, LCP, &w, out);
	told_done(play, &w);
	return len;
}

static const struct option_word *word_of(uint16_t proto, uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].proto == proto && words[i].type == type)
			return &words[i];
	return NULL;
}

static size_t describe_value(
	const struct option_word *word, const uint8_t *value, size_t len, char *out, size_t room)
{
	size_t n = 0;

	if (word->shape == U16 && len == 2)
		return (size_t)snprintf(out, room, "=%u", value[0] << 8 | value[1]);
	if (word->shape == IP4 && len == 4)
		return (size_t)snprintf(out, room, "=%u.%u.%u.%u", value[0], value[1], value[2], value[3]);
	for (size_t i = 0; word->shape == AUTH && i < ARRAY_LEN(methods); i++)
		if (methods[i].len == len && memcmp(methods[i].octets, value, len) == 0)
			return (size_t)snprintf(out, room, "=%s", methods[i].name);
	n = (size_t)snprintf(out, room, "%s", len ? "=hex:" : "");
	for (size_t i = 0; i < len && n + 3 < room; i++)
		n += (size_t)snprintf(out + n, room - n, "%02x", value[i]);
	return n;
}

void options_describe(uint16_t proto, const uint8_t *options, size_t len, char *out, size_t room)
{
	static const struct option_word unknown = { .name = "option" };
	size_t at = 0, n = 0;

	out[0] = 0;
	while (at + 2 <= len && options[at + 1] >= 2 && options[at + 1] <= len - at && n + 60 < room) {
		const struct option_word *word = word_of(proto, options[at]);

		if (word)
			n += (size_t)snprintf(out + n, room - n, " %s", word->name);
		else
			n += (size_t)snprintf(out + n, room - n, " option-%u", options[at]);
		n += describe_value(
			word ? word : &unknown, options + at + 2, options[at + 1] - 2u, out + n, room - n);
		at += options[at + 1];
	}
	if (at != len)
		snprintf(out + n, room - n, " and %zu octets that are no option", len - at);
}

static const uint8_t *find(const uint8_t *options, size_t len, uint8_t type)
{
	size_t at = 0;

	while (at + 2 <= len && options[at + 1] >= 2 && options[at + 1] <= len - at) {
		if (options[at] == type)
			return options + at;
		at += options[at + 1];
	}
	return NULL;
}

/* What a word wants: this value, any value (`magic=*`), or that the option is not there (`no-magic`). */
struct wish {
	bool	absent, any;
	char	name[64];
	uint8_t	type, value[256];
	size_t	len;
};

static bool wish_of(struct play *play, uint16_t proto, const char *said, struct wish *wish)
{
	size_t len = strlen(said);

	*wish = (struct wish){ .absent = strncmp(said, "no-", 3) == 0 };
	wish->any = len > 2 && len < sizeof(wish->name) && strcmp(said + len - 2, "=*") == 0;
	if (!wish->absent && !wish->any)
		return option_said(play, proto, said, &wish->type, wish->value, &wish->len);
	snprintf(wish->name, sizeof(wish->name), "%s", wish->absent ? said + 3 : said);
	if (wish->any)
		wish->name[len - 2] = 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].proto == proto && strcmp(words[i].name, wish->name) == 0) {
			wish->type = words[i].type;
			return true;
		}
	return false;
}

/* Every option the play names is there as it says; with `only` there is no other. */
void options_compare(struct play *play, uint16_t proto, const uint8_t *options, size_t len, struct told *w)
{
	bool only = told_flag(w, "only");
	struct wish wish;
	size_t covered = 0;

	for (unsigned i = w->at; i < w->n; i++) {
		if (w->used[i] || !wish_of(play, proto, w->word[i], &wish))
			continue;
		w->used[i] = true;
		const uint8_t *option = find(options, len, wish.type);

		if (wish.absent && option)
			play_fail(play, "%s was not to be there", wish.name);
		if (wish.absent)
			continue;
		if (!option)
			play_fail(play, "%s is missing", w->word[i]);
		if (!wish.any && (option[1] != wish.len + 2 || memcmp(option + 2, wish.value, wish.len) != 0))
			play_fail(play, "%s was expected, another value came", w->word[i]);
		covered += option[1];
	}
	if (only && covered != len)
		play_fail(play, "there are other options too");
}
