/* words.c -- splitting operators' text, and the edit distance behind "did you mean". */
#include "l2tpns/base/words.h"

#define DISTANCE_LEN_MAX	63u

bool lines_next(struct lines *lines, struct bytes *line)
{
	struct bytes text = lines->left;

	if (text.len == 0)
		return false;
	const uint8_t *end = memchr(text.p, '\n', text.len);
	uint32_t len = end ? (uint32_t)(end - text.p) : text.len;
	uint32_t taken = end ? len + 1 : len;

	lines->left = bytes_of(text.p + taken, text.len - taken);
	lines->number++;
	if (len > 0 && text.p[len - 1] == '\r')
		len--;
	*line = bytes_of(text.p, len);
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool is_control(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}

static bool bad(struct words *words, const char *fault)
{
	words->fault = fault;
	words->left.len = 0;
	return false;
}

static void skip(struct words *words, uint32_t n)
{
	words->left.p += n;
	words->left.len -= n;
}

static bool take_quoted(struct words *words, struct bytes *word)
{
	uint8_t quote = words->left.p[0];
	uint32_t n = 1;

	while (n < words->left.len && words->left.p[n] != quote)
		if (is_control(words->left.p[n++]))
			return bad(words, "control character in a word");
	if (n == words->left.len)
		return bad(words, "quote without its end");
	*word = bytes_of(words->left.p + 1, n - 1);
	skip(words, n + 1);
	if (words->left.len > 0 && !is_blank(words->left.p[0]))
		return bad(words, "no blank after the closing quote");
	return true;
}

static bool take_plain(struct words *words, struct bytes *word)
{
	uint32_t n = 0;

	for (; n < words->left.len && !is_blank(words->left.p[n]); n++) {
		if (is_control(words->left.p[n]))
			return bad(words, "control character in a word");
		if (words->left.p[n] == '"' || words->left.p[n] == '\'')
			return bad(words, "quote inside a word: put the quotes around all of it");
	}
	*word = bytes_of(words->left.p, n);
	skip(words, n);
	return true;
}

bool words_value(struct words *words, struct bytes *word)
{
	while (words->left.len > 0 && is_blank(words->left.p[0]))
		skip(words, 1);
	if (words->left.len == 0)
		return false;
	if (words->left.p[0] == '"' || words->left.p[0] == '\'')
		return take_quoted(words, word);
	return take_plain(words, word);
}

bool words_next(struct words *words, struct bytes *word)
{
	while (words->left.len > 0 && is_blank(words->left.p[0]))
		skip(words, 1);
	if (words->left.len > 0 && words->left.p[0] && strchr(words->comment, words->left.p[0])) {
		words->left.len = 0;
		return false;
	}
	return words_value(words, word);
}

int word_quote(struct bytes word)
{
	bool quotes = word.len == 0, dbl = false, single = false;

	for (uint32_t i = 0; i < word.len; i++) {
		if (is_control(word.p[i]))
			return -1;
		quotes |= is_blank(word.p[i]);
		dbl |= word.p[i] == '"';
		single |= word.p[i] == '\'';
	}
	if (dbl && single)
		return -1;
	if (dbl)
		return '\'';
	return quotes || single || (word.len && strchr("#!", word.p[0])) ? '"' : 0;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned n = a < b ? a : b;

	return n < c ? n : c;
}

unsigned words_distance(const char *a, const char *b)
{
	unsigned row[3][DISTANCE_LEN_MAX + 1];	/* of the last but one, the last and this character of a */
	size_t len_a = strlen(a), len_b = strlen(b);

	if (len_a > DISTANCE_LEN_MAX || len_b > DISTANCE_LEN_MAX)
		return UINT32_MAX;
	for (unsigned j = 0; j <= len_b; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= len_a; i++) {
		unsigned *this = row[i % 3], *last = row[(i - 1) % 3], *before = row[(i + 1) % 3];

		this[0] = i;
		for (unsigned j = 1; j <= len_b; j++) {
			this[j] = least(last[j] + 1, this[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < this[j])
				this[j] = before[j - 2] + 1;
		}
	}
	return row[len_a % 3][len_b];
}

bool word_copy(struct bytes word, char *out, size_t size)
{
	if (word.len >= size)
		return false;
	if (word.len)
		memcpy(out, word.p, word.len);
	out[word.len] = 0;
	return true;
}

bool word_u32(struct bytes word, uint32_t *out)
{
	uint64_t n = 0;

	if (word.len == 0 || word.len > 10)
		return false;
	for (uint32_t i = 0; i < word.len; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(word.p[i] - '0');
	}
	*out = (uint32_t)n;
	return n <= UINT32_MAX;
}
