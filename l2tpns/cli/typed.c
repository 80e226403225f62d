/* typed.c -- a typed line cut into words. */
#include "l2tpns/cli/typed.h"

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool word_begin(struct typed *typed)
{
	if (typed->n == TYPED_WORDS_MAX || typed->used >= TYPED_OCTETS)
		return false;
	typed->at[typed->n++] = typed->used;
	return true;
}

static bool octet_put(struct typed *typed, uint8_t c)
{
	if (typed->used >= TYPED_OCTETS || c == '\0')
		return false;
	typed->text[typed->used++] = (char)c;
	return true;
}

static bool word_end(struct typed *typed)
{
	if (typed->used >= TYPED_OCTETS)
		return false;
	typed->text[typed->used++] = '\0';
	return true;
}

bool typed_split(struct typed *typed, struct bytes line)
{
	bool inside = false, quoted = false;

	typed->n = 0;
	typed->used = 0;
	for (uint32_t i = 0; i < line.len; i++) {
		uint8_t c = line.p[i];

		if (!quoted && blank(c)) {
			if (inside && !word_end(typed))
				return false;
			inside = false;
			continue;
		}
		if (!inside && !word_begin(typed))
			return false;
		inside = true;
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (c == '\\' && ++i < line.len)
			c = line.p[i];
		if (!octet_put(typed, c))
			return false;
	}
	return !quoted && (!inside || word_end(typed));
}

bool typed_take(struct typed *typed, const char *const *word, unsigned n)
{
	typed->n = 0;
	typed->used = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!word_begin(typed))
			return false;
		for (const char *c = word[i]; *c; c++) {
			if (!octet_put(typed, (uint8_t)*c))
				return false;
		}
		if (!word_end(typed))
			return false;
	}
	return true;
}
