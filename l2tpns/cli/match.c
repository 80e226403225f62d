/* match.c -- comparing typed words with the grammars of the command table. */
#include <stdio.h>

#include "l2tpns/base/words.h"
#include "l2tpns/cli/match.h"

/* Letters wrong in a word that may still be meant. */
#define NEAR_SHORT	1u
#define NEAR_LONG	2u
#define LONG_WORD	5u

/* One word of a row's grammar: "session", "NAME", "NAME...", "[ID|USER...]", "[all]". */
struct token {
	const char	*p;
	unsigned	 len;		/* without brackets and dots */
	bool		 literal;	/* a command word: lower case, outside brackets */
	bool		 optional;
	bool		 repeats;
};

static bool token_next(const char **at, struct token *token)
{
	const char *p = *at;

	while (*p == ' ')
		p++;
	if (!*p)
		return false;
	const char *end = p;

	while (*end && *end != ' ')
		end++;
	*at = end;
	*token = (struct token){ .p = p, .optional = *p == '[' };
	if (token->optional)
		token->p++;
	token->len = (unsigned)(end - token->p);
	if (token->optional)
		token->len--;			/* the closing bracket */
	if (token->len > 3 && memcmp(token->p + token->len - 3, "...", 3) == 0) {
		token->repeats = true;
		token->len -= 3;
	}
	token->literal = !token->optional && *token->p >= 'a' && *token->p <= 'z';
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Does `word` begin the `len` letters at p, in either case?  *whole: it is all of them. */
static bool begins(const char *word, const char *p, unsigned len, bool *whole)
{
	unsigned i = 0;

	for (; word[i]; i++) {
		if (i >= len || lower(word[i]) != lower(p[i]))
			return false;
	}
	*whole = i == len;
	return true;
}

/* A keyword in brackets, as [all] or [idle|open], takes only its own words; capitals take anything. */
static bool argument_fits(const struct token *token, const char *word)
{
	const char *p = token->p, *end = token->p + token->len;

	while (p < end) {
		const char *bar = memchr(p, '|', (size_t)(end - p));
		unsigned len = (unsigned)((bar ? bar : end) - p);
		bool whole;

		if ((*p >= 'A' && *p <= 'Z') || (*word && begins(word, p, len, &whole)))
			return true;
		p += len + 1;
	}
	return false;
}

enum fit_end {
	FIT_WHOLE,		/* every word has its place and no token misses one */
	FIT_UNKNOWN,		/* word number `words` has no place */
	FIT_INCOMPLETE,
	FIT_TOO_MANY
};

struct fit {
	enum fit_end	 end;
	unsigned	 words;		/* how many found their place */
	unsigned	 args_at;
	uint64_t	 exact;		/* bit 63 - n: literal n was typed in full */
};

static struct fit row_fit(const struct command_row *row, const struct typed *typed)
{
	const char *at = row->words;
	struct token token;
	struct fit fit = { .end = FIT_WHOLE };
	unsigned n = 0;
	bool repeating = false;

	for (; token_next(&at, &token); repeating = token.repeats) {
		bool whole = false;

		if (n == typed->n) {
			if (!token.optional)
				fit.end = FIT_INCOMPLETE;
			break;
		}
		const char *word = typed_word(typed, n);

		bool fits = token.literal ? *word && begins(word, token.p, token.len, &whole) :
					    argument_fits(&token, word);

		if (!fits) {
			fit.end = FIT_UNKNOWN;
			break;
		}
		if (whole)
			fit.exact |= UINT64_C(1) << (63 - n);
		n++;
		if (token.literal)
			fit.args_at = n;
	}
	if (fit.end == FIT_WHOLE && n < typed->n) {
		if (repeating)
			n = typed->n;
		else
			fit.end = FIT_TOO_MANY;
	}
	fit.words = n;
	return fit;
}

static bool row_visible(const struct command_row *row, enum command_mode mode)
{
	return mode == COMMAND_EVERYWHERE || row->mode == COMMAND_EVERYWHERE || row->mode == mode;
}

/* The literal at this place, or NULL when an argument stands there or nothing. */
static const char *literal_at(const struct command_row *row, unsigned place, unsigned *len)
{
	*len = 0;
	const char *at = row->words;
	struct token token;

	for (unsigned n = 0; token_next(&at, &token); n++) {
		if (n == place) {
			*len = token.len;
			return token.literal ? token.p : NULL;
		}
	}
	return NULL;
}

static void message_add(char *message, size_t room, const char *text, size_t len)
{
	size_t used = strlen(message);

	if (used + len < room) {
		memcpy(message + used, text, len);
		message[used + len] = '\0';
	}
}

/* Is it the first row with this literal there, of those that take the words before it? */
static bool literal_first(unsigned row, unsigned place, const struct typed *typed, enum command_mode mode)
{
	unsigned len, other_len;
	const char *p = literal_at(&command_rows[row], place, &len);

	for (unsigned i = 0; i < row; i++) {
		const char *other = literal_at(&command_rows[i], place, &other_len);

		if (other && other_len == len && memcmp(other, p, len) == 0 && row_visible(&command_rows[i], mode) &&
		    row_fit(&command_rows[i], typed).words >= place)
			return false;
	}
	return true;
}

/* "a, b, c": the literals that may stand at this place and that `begin` begins. */
static unsigned literals_list(const struct typed *typed, unsigned place, const char *begin, enum command_mode mode,
			      char *message)
{
	unsigned found = 0;

	for (unsigned i = 0; i < command_rows_n; i++) {
		const struct command_row *row = &command_rows[i];
		unsigned len;
		const char *p = literal_at(row, place, &len);
		bool whole;

		if (!p || !*row->help || !row_visible(row, mode) || row_fit(row, typed).words < place ||
		    !begins(begin, p, len, &whole) || !literal_first(i, place, typed, mode))
			continue;
		if (found++)
			message_add(message, MATCH_MESSAGE_MAX, ", ", 2);
		message_add(message, MATCH_MESSAGE_MAX, p, len);
	}
	return found;
}

/* The literal most like the word that found no place; NULL when none is. */
static const char *literal_nearest(const struct typed *typed, unsigned place, enum command_mode mode, unsigned *len)
{
	const char *word = typed_word(typed, place), *nearest = NULL;
	unsigned best = (strlen(word) < LONG_WORD ? NEAR_SHORT : NEAR_LONG) + 1;

	for (unsigned i = 0; i < command_rows_n; i++) {
		const struct command_row *row = &command_rows[i];
		char literal[32];
		unsigned n;
		const char *p = literal_at(row, place, &n);

		if (!p || n >= sizeof(literal) || !row_visible(row, mode) || row_fit(row, typed).words < place)
			continue;
		memcpy(literal, p, n);
		literal[n] = '\0';
		unsigned distance = words_distance(word, literal);

		if (distance < best && distance < n) {
			best = distance;
			nearest = p;
			*len = n;
		}
	}
	return nearest;
}

/* The words before `place`, as typed, for a message. */
static void typed_put(char *message, size_t room, const struct typed *typed, unsigned place)
{
	for (unsigned i = 0; i < place; i++) {
		message_add(message, room, typed_word(typed, i), strlen(typed_word(typed, i)));
		message_add(message, room, " ", 1);
	}
}

static enum match_result unknown(const struct typed *typed, unsigned place, enum command_mode mode,
				 struct match *match)
{
	unsigned len;
	const char *nearest = literal_nearest(typed, place, mode, &len);
	char before[128] = "";

	typed_put(before, sizeof(before), typed, place);
	snprintf(match->message, sizeof(match->message), "no command \"%s%.64s\"", before, typed_word(typed, place));
	if (nearest) {
		size_t used = strlen(match->message);

		snprintf(match->message + used, sizeof(match->message) - used, "; did you mean \"%s%.*s\"?", before,
			 (int)len, nearest);
		return MATCH_UNKNOWN;
	}
	message_add(match->message, sizeof(match->message), "; there are: ", 13);
	if (!literals_list(typed, place, "", mode, match->message))
		snprintf(match->message, sizeof(match->message), "\"%.64s\" has no meaning after \"%.*s\"",
			 typed_word(typed, place), (int)(strlen(before) ? strlen(before) - 1 : 0), before);
	return MATCH_UNKNOWN;
}

static enum match_result incomplete(const struct typed *typed, const struct command_row *row, unsigned rows,
				    enum command_mode mode, struct match *match)
{
	if (rows == 1) {
		snprintf(match->message, sizeof(match->message), "incomplete: %s", row->words);
		return MATCH_INCOMPLETE;
	}
	snprintf(match->message, sizeof(match->message), "incomplete; there are: ");
	literals_list(typed, typed->n, "", mode, match->message);
	return MATCH_INCOMPLETE;
}

static enum match_result ambiguous(const struct typed *typed, const struct command_row *a,
				   const struct command_row *b, enum command_mode mode, struct match *match)
{
	unsigned place = 0, la, lb;

	for (; place + 1 < typed->n; place++) {
		const char *pa = literal_at(a, place, &la), *pb = literal_at(b, place, &lb);

		if (!pa || !pb || la != lb || memcmp(pa, pb, la) != 0)
			break;
	}
	snprintf(match->message, sizeof(match->message), "ambiguous \"%.64s\": ", typed_word(typed, place));
	literals_list(typed, place, typed_word(typed, place), mode, match->message);
	return MATCH_AMBIGUOUS;
}

/* Do both rows mean the same command as far as words were typed? */
static bool same_literals(const struct command_row *a, const struct command_row *b, unsigned places)
{
	for (unsigned place = 0; place < places; place++) {
		unsigned la, lb;
		const char *pa = literal_at(a, place, &la), *pb = literal_at(b, place, &lb);

		if (!pa || !pb)
			return !pa && !pb;
		if (la != lb || memcmp(pa, pb, la) != 0)
			return false;
	}
	return true;
}

/*
 * A row that begins like `row`, typed no less exactly, but means another command:
 * "sh" is the whole of a shortened `shutdown`, and also the beginning of `show`.
 * NULL: there is none.
 */
static const struct command_row *rival(const struct command_row *row, const struct typed *typed,
				       enum command_mode mode)
{
	uint64_t exact = row_fit(row, typed).exact;

	for (unsigned i = 0; i < command_rows_n; i++) {
		const struct command_row *other = &command_rows[i];
		struct fit fit = row_fit(other, typed);

		if (row_visible(other, mode) && fit.words == typed->n && fit.end != FIT_TOO_MANY &&
		    fit.exact >= exact && !same_literals(row, other, typed->n))
			return other;
	}
	return NULL;
}

static enum match_result found(const struct command_row *row, bool enabled, struct match *match)
{
	match->row = row;
	if (!row->privileged || enabled)
		return MATCH_FOUND;
	snprintf(match->message, sizeof(match->message), "\"%s\" needs enable", row->words);
	return MATCH_NOT_ENABLED;
}

enum match_result match_words(const struct typed *typed, enum command_mode mode, bool enabled, struct match *match)
{
	const struct command_row *whole = NULL, *part = NULL, *over = NULL, *other;
	struct fit best = { 0 }, part_fit = { 0 };
	unsigned parts = 0, reached = 0;

	*match = (struct match){ 0 };
	if (typed->n == 0) {
		snprintf(match->message, sizeof(match->message), "no command");
		return MATCH_EMPTY;
	}
	for (unsigned i = 0; i < command_rows_n; i++) {
		const struct command_row *row = &command_rows[i];
		struct fit fit = row_fit(row, typed);

		if (!row_visible(row, mode))
			continue;
		reached = max_u32(reached, fit.words);
		if (fit.end == FIT_WHOLE && (!whole || fit.exact > best.exact)) {
			whole = row;
			best = fit;
		} else if (fit.end == FIT_TOO_MANY && (!over || fit.words == reached)) {
			over = row;
		} else if (fit.end == FIT_INCOMPLETE && fit.words == typed->n) {
			if (!part || fit.exact > part_fit.exact) {
				part = row;
				part_fit = fit;
			}
			parts++;
		}
	}
	if (part && (!whole || part_fit.exact > best.exact)) {
		other = rival(part, typed, mode);
		return other ? ambiguous(typed, part, other, mode, match) : incomplete(typed, part, parts, mode, match);
	}
	if (whole) {
		other = rival(whole, typed, mode);
		match->args_at = best.args_at;
		return other ? ambiguous(typed, whole, other, mode, match) : found(whole, enabled, match);
	}
	if (over && row_fit(over, typed).words == reached) {
		match->row = over;
		snprintf(match->message, sizeof(match->message), "\"%.64s\" is too much: %s",
			 typed_word(typed, reached), over->words);
		return MATCH_TOO_MANY;
	}
	return unknown(typed, reached < typed->n ? reached : typed->n - 1, mode, match);
}

unsigned match_complete(const struct typed *typed, enum command_mode mode, bool enabled,
			const char *candidate[MATCH_CANDIDATES_MAX])
{
	unsigned n = 0, place = typed->n ? typed->n - 1 : 0;
	const char *last = typed->n ? typed_word(typed, place) : "";
	struct typed before = *typed;

	before.n = place;
	for (unsigned i = 0; i < command_rows_n && n < MATCH_CANDIDATES_MAX; i++) {
		const struct command_row *row = &command_rows[i];
		struct fit fit = row_fit(row, &before);
		const char *at = row->words;
		struct token token;
		bool whole, there = false;

		if (!row_visible(row, mode) || (row->privileged && !enabled) || fit.words < place)
			continue;
		for (unsigned k = 0; k <= place && (there = token_next(&at, &token)); k++)
			;
		if (!there)
			continue;
		if (token.literal && !begins(last, token.p, token.len, &whole))
			continue;
		if (token.literal && !literal_first(i, place, &before, mode))
			continue;
		candidate[n++] = token.p;
	}
	return n;
}
