/* words.c -- a typed line cut into words, and how alike two words are. */
#include "l2tpns/cli/match.h"

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool word_begin(struct words *words)
{
	if (words->n == WORDS_MAX || words->used >= WORDS_OCTETS)
		return false;
	words->at[words->n++] = words->used;
	return true;
}

static bool octet_put(struct words *words, uint8_t c)
{
	if (words->used >= WORDS_OCTETS || c == '\0')
		return false;
	words->text[words->used++] = (char)c;
	return true;
}

static bool word_end(struct words *words)
{
	if (words->used >= WORDS_OCTETS)
		return false;
	words->text[words->used++] = '\0';
	return true;
}

bool words_split(struct words *words, struct bytes line)
{
	bool inside = false, quoted = false;

	words->n = 0;
	words->used = 0;
	for (uint32_t i = 0; i < line.len; i++) {
		uint8_t c = line.p[i];

		if (!quoted && blank(c)) {
			if (inside && !word_end(words))
				return false;
			inside = false;
			continue;
		}
		if (!inside && !word_begin(words))
			return false;
		inside = true;
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (c == '\\' && ++i < line.len)
			c = line.p[i];
		if (!octet_put(words, c))
			return false;
	}
	return !quoted && (!inside || word_end(words));
}

bool words_take(struct words *words, const char *const *word, unsigned n)
{
	words->n = 0;
	words->used = 0;
	for (unsigned i = 0; i < n; i++) {
		if (!word_begin(words))
			return false;
		for (const char *c = word[i]; *c; c++) {
			if (!octet_put(words, (uint8_t)*c))
				return false;
		}
		if (!word_end(words))
			return false;
	}
	return true;
}

#define DISTANCE_LEN_MAX	32u

/* Optimal string alignment; words longer than DISTANCE_LEN_MAX are not alike. */
unsigned words_distance(const char *a, const char *b, unsigned limit)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[3][DISTANCE_LEN_MAX + 1];

	if (la > DISTANCE_LEN_MAX || lb > DISTANCE_LEN_MAX)
		return limit + 1;
	for (size_t j = 0; j <= lb; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *here = row[i % 3];
		const unsigned *above = row[(i - 1) % 3], *twice = row[(i + 1) % 3];

		here[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			bool same = a[i - 1] == b[j - 1];

			here[j] = min_u32(min_u32(above[j], here[j - 1]) + 1, above[j - 1] + !same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				here[j] = min_u32(here[j], twice[j - 2] + 1);
		}
	}
	return min_u32(row[la % 3][lb], limit + 1);
}
