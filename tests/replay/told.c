/* told.c -- a line cut into words, and the values words stand for. */
#include <ctype.h>

#include "tests/replay/play.h"

/* Quotes keep blanks inside a word; # at the start of a word begins a comment. */
void told_cut(struct play *play, struct told *w, const char *line)
{
	char *out = w->text;

	*w = (struct told){ .n = 0 };
	if (strlen(line) >= sizeof(w->text))
		play_fail(play, "line too long");
	for (const char *p = line;;) {
		while (isspace((unsigned char)*p))
			p++;
		if (*p == 0 || *p == '#')
			return;
		if (w->n == WORDS_MAX)
			play_fail(play, "too many words");
		w->word[w->n++] = out;
		for (bool quoted = false; *p && (quoted || !isspace((unsigned char)*p)); p++)
			if (*p == '"')
				quoted = !quoted;
			else
				*out++ = *p;
		*out++ = 0;
	}
}

static void skip_used(struct told *w)
{
	while (w->at < w->n && w->used[w->at])
		w->at++;
}

const char *told_peek(struct told *w)
{
	skip_used(w);
	return w->at < w->n ? w->word[w->at] : "";
}

const char *told_next(struct play *play, struct told *w)
{
	skip_used(w);
	if (w->at >= w->n)
		play_fail(play, "a word is missing at the end");
	w->used[w->at] = true;
	return w->word[w->at++];
}

bool told_take(struct told *w, const char *text)
{
	skip_used(w);
	if (w->at >= w->n || strcmp(w->word[w->at], text) != 0)
		return false;
	w->used[w->at++] = true;
	return true;
}

bool told_flag(struct told *w, const char *text)
{
	for (unsigned i = w->at; i < w->n; i++)
		if (!w->used[i] && strcmp(w->word[i], text) == 0) {
			w->used[i] = true;
			return true;
		}
	return false;
}

const char *told_after(struct told *w, const char *text)
{
	for (unsigned i = w->at; i + 1 < w->n; i++)
		if (!w->used[i] && !w->used[i + 1] && strcmp(w->word[i], text) == 0) {
			w->used[i] = w->used[i + 1] = true;
			return w->word[i + 1];
		}
	return NULL;
}

const char *told_value(struct told *w, const char *key)
{
	size_t len = strlen(key);

	for (unsigned i = w->at; i < w->n; i++)
		if (!w->used[i] && strncmp(w->word[i], key, len) == 0 && w->word[i][len] == '=') {
			w->used[i] = true;
			return w->word[i] + len + 1;
		}
	return NULL;
}

void told_done(struct play *play, struct told *w)
{
	for (unsigned i = 0; i < w->n; i++)
		if (!w->used[i])
			play_fail(play, "\"%s\" is not understood here", w->word[i]);
}

uint64_t parse_number(struct play *play, const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 0);

	if (*text == 0 || *end != 0)
		play_fail(play, "\"%s\" is not a number", text);
	return n;
}

bool parse_bool(struct play *play, const char *text)
{
	if (strcmp(text, "yes") == 0)
		return true;
	if (strcmp(text, "no") != 0)
		play_fail(play, "\"%s\" is neither yes nor no", text);
	return false;
}

struct dur parse_time(struct play *play, const char *text)
{
	char *end;
	double n = strtod(text, &end);

	if (end != text && strcmp(end, "ms") == 0)
		n /= 1000;
	else if (end == text || (*end != 0 && strcmp(end, "s") != 0))
		play_fail(play, "\"%s\" is not a time", text);
	return (struct dur){ (int64_t)(n * 1e6 + 0.5) };
}

struct ip4 parse_ip4(struct play *play, const char *text)
{
	struct ip4 ip;

	if (!ip4_parse(text, &ip))
		play_fail(play, "\"%s\" is not an address", text);
	return ip;
}

struct addr parse_addr(struct play *play, const char *text)
{
	char ip[64];
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	if (len >= sizeof(ip))
		play_fail(play, "\"%s\" is not an address", text);
	memcpy(ip, text, len);
	ip[len] = 0;
	return (struct addr){ .ip = ip_from4(parse_ip4(play, ip)),
			      .port = colon ? (uint16_t)parse_number(play, colon + 1) : 1701 };
}

size_t parse_hex(struct play *play, const char *text, uint8_t *out, size_t room)
{
	size_t n = 0;
	unsigned octet;

	for (const char *p = text; *p; p += 2, n++) {
		if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) || n == room ||
		    sscanf(p, "%2x", &octet) != 1)
			play_fail(play, "\"%s\" is not hexadecimal, or too long", text);
		out[n] = (uint8_t)octet;
	}
	return n;
}

/* hex:0102, zeros:N (N octets of zero), letters:N (N times 'x'), or the text itself. */
size_t parse_octets(struct play *play, const char *text, uint8_t *out, size_t room)
{
	size_t len = strlen(text);

	if (strncmp(text, "hex:", 4) == 0)
		return parse_hex(play, text + 4, out, room);
	if (strncmp(text, "zeros:", 6) == 0 || strncmp(text, "letters:", 8) == 0) {
		len = parse_number(play, strchr(text, ':') + 1);
		if (len > room)
			play_fail(play, "\"%s\" is too long", text);
		memset(out, text[0] == 'z' ? 0 : 'x', len);
		return len;
	}
	if (len > room)
		play_fail(play, "\"%s\" is too long", text);
	memcpy(out, text, len);
	return len;
}
