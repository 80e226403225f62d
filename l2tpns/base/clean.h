/*
 * clean.h -- octets from anywhere made fit for a terminal, a log line or JSON.
 *
 * Pure.  A subscriber chooses its user name: control characters, invalid UTF-8
 * and what turns the direction of writing never reach an operator's screen.
 */
#ifndef BASE_CLEAN_H
#define BASE_CLEAN_H

#include "l2tpns/base/base.h"

/* Octets of the UTF-8 character at p (RFC 3629), 0 when it is not a valid one. */
unsigned clean_utf8(const uint8_t *p, size_t left);

/* The same, but 0 also for a character that a terminal must not see as it is. */
unsigned clean_char(const uint8_t *p, size_t left);

/*
 * Write `from` as a string of at most `room` octets with its nul, what is not fit
 * as \xNN; a backslash is doubled.  Cut between characters when it does not fit.
 * Returns the octets written without the nul; *columns (unless NULL) is how wide
 * it is on a screen.
 */
size_t clean_text(char *to, size_t room, struct bytes from, unsigned *columns);

#endif
