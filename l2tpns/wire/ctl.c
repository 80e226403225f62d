/* ctl.c -- requests and status lines of the control socket. */
#include <stdio.h>

#include "l2tpns/wire/ctl.h"

static const char *const forms[CTL_FORMS] = { "text", "json", "metrics" };

/* The octets up to the next blank; the blanks after it are taken too. */
static struct bytes word_take(struct bytes *line)
{
	struct bytes word = { .p = line->p };

	while (word.len < line->len && line->p[word.len] != ' ')
		word.len++;
	uint32_t skip = word.len;

	while (skip < line->len && line->p[skip] == ' ')
		skip++;
	*line = bytes_of(line->p + skip, line->len - skip);
	return word;
}

const char *ctl_request_decode(struct bytes line, struct ctl_request *request)
{
	if (line.len && line.p[line.len - 1] == '\n')
		line.len--;
	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0)
		return "empty request";
	if (memchr(line.p, '\0', line.len))
		return "nul in request";
	if (!bytes_eq(word_take(&line), bytes_str("l2tpns")))
		return "not an l2tpns request";
	if (!bytes_eq(word_take(&line), bytes_str("1")))
		return "protocol version not 1";
	struct bytes form = word_take(&line);

	for (unsigned i = 0; i < CTL_FORMS; i++) {
		if (bytes_eq(form, bytes_str(forms[i]))) {
			*request = (struct ctl_request){ .form = i, .words = line };
			return NULL;
		}
	}
	return "form not text, json or metrics";
}

static void word_put(struct wr *w, const char *word)
{
	if (*word && !strpbrk(word, " \t\"\\")) {
		wr_put(w, word, strlen(word));
		return;
	}
	wr_u8(w, '"');
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			wr_u8(w, '\\');
		wr_u8(w, (uint8_t)*word);
	}
	wr_u8(w, '"');
}

bool ctl_request_encode(struct wr *w, enum ctl_form form, const char *const *word, unsigned words)
{
	char head[32];

	ASSERT(form < CTL_FORMS);
	wr_put(w, head, (size_t)snprintf(head, sizeof(head), "l2tpns %d %s", CTL_VERSION, forms[form]));
	for (unsigned i = 0; i < words; i++) {
		if (strpbrk(word[i], "\r\n"))
			return false;
		wr_u8(w, ' ');
		word_put(w, word[i]);
	}
	wr_u8(w, '\n');
	return wr_ok(w) && wr_len(w) <= CTL_REQUEST_MAX;
}

size_t ctl_status_encode(enum ctl_status status, char line[CTL_STATUS_MAX])
{
	static const struct { enum ctl_status status; const char *text; } rows[] = {
		{ CTL_OK, "ok" },
		{ CTL_MALFORMED, "malformed request" },
		{ CTL_NOT_ENABLED, "needs enable" },
		{ CTL_NO_OBJECT, "no such object" },
		{ CTL_UNKNOWN, "no such command" },
		{ CTL_REFUSED, "refused" },
		{ CTL_BUSY, "too many clients" },
	};
	const char *text = "";

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].status == status)
			text = rows[i].text;
	}
	return (size_t)snprintf(line, CTL_STATUS_MAX, "%u %s\n", status, text);
}

unsigned ctl_status_decode(struct bytes line)
{
	unsigned status = 0;

	if (line.len < 4 || line.p[3] != ' ')
		return 0;
	for (unsigned i = 0; i < 3; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return 0;
		status = status * 10 + line.p[i] - '0';
	}
	return status;
}
