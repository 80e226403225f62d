/*
 * words.h -- lines and words of the text files an operator writes, and how alike two words are.
 *
 * A line is split at blanks.  A word that holds blanks, or nothing at all, stands
 * in "double" or 'single' quotes; there is no escape, so a backslash is a
 * backslash.  Control characters belong in no word.  Words are loans of the text.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include "l2tpns/base/base.h"

struct lines {
	struct bytes	left;
	unsigned	number;		/* of the line just taken, from 1 */
};

static inline struct lines lines_of(struct bytes text)
{
	return (struct lines){ .left = text };
}

/* The next line without its end (LF or CR LF); false when there is none. */
bool lines_next(struct lines *lines, struct bytes *line);

struct words {
	struct bytes	 left;
	const char	*comment;	/* characters that begin a comment where a word could begin */
	const char	*fault;		/* what is wrong with the line; NULL = nothing so far */
};

static inline struct words words_of(struct bytes line, const char *comment)
{
	return (struct words){ .left = line, .comment = comment };
}

/* The next word; false at the end, at a comment, or at a fault. */
bool words_next(struct words *words, struct bytes *word);

/* As words_next(), where a value is expected: one that begins like a comment is a value. */
bool words_value(struct words *words, struct bytes *word);

/* The quote a word needs so that words_value() reads it back: 0 = none, -1 = it cannot be written. */
int word_quote(struct bytes word);

/* Insertions, deletions, changes and swaps of neighbours that make one of the other; words longer than
 * 63 octets are unlike everything. */
unsigned words_distance(const char *a, const char *b);

/* A copy with a nul at its end; false when it does not fit. */
MUST_USE bool word_copy(struct bytes word, char *out, size_t size);

/* A decimal number, digits only. */
MUST_USE bool word_u32(struct bytes word, uint32_t *out);

static inline bool word_is(struct bytes word, const char *text)
{
	return bytes_eq(word, bytes_str(text));
}

#endif
