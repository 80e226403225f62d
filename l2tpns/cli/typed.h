/*
 * typed.h -- one line of words as an operator or a program typed it.
 *
 * Pure.  The line is copied: it outlives the packet or buffer it came in.
 */
#ifndef CLI_TYPED_H
#define CLI_TYPED_H

#include "l2tpns/base/base.h"

#define TYPED_WORDS_MAX	64		/* words of one line */
#define TYPED_OCTETS	4096		/* octets of one line */

struct typed {
	unsigned	n;
	uint16_t	at[TYPED_WORDS_MAX];	/* where in `text` each begins; each ends with a nul */
	uint16_t	used;
	char		text[TYPED_OCTETS];
};

static inline const char *typed_word(const struct typed *typed, unsigned n)
{
	ASSERT(n < typed->n);
	return typed->text + typed->at[n];
}

/* Cut a line into words at blanks; "double quotes" keep blanks, \ takes the next octet as it is.  False:
 * too long, too many words, a nul, or a quote that does not end. */
MUST_USE bool typed_split(struct typed *typed, struct bytes line);

/* Take over words that are cut already.  False: they do not fit. */
MUST_USE bool typed_take(struct typed *typed, const char *const *word, unsigned n);

#endif
