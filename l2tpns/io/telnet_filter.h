/*
 * telnet_filter.h -- what a telnet client sends, before libcli sees it.
 *
 * Pure.  Takes out telnet's own commands (RFC 854, RFC 855), makes one CR of CR
 * LF, CR NUL and of a lone LF as scripts send it, and keeps each line below
 * TELNET_LINE_MAX.  The last matters: libcli completes words into a fixed buffer
 * without asking whether there is room, which nobody may reach who can type.
 */
#ifndef IO_TELNET_FILTER_H
#define IO_TELNET_FILTER_H

#include "l2tpns/base/base.h"

#define TELNET_LINE_MAX		1000u	/* of the 4096 that libcli holds */
#define TELNET_WORD_MAX		64u	/* what one completion may add */

struct telnet_filter {
	uint8_t		state;
	bool		after_cr;
	uint8_t		escape;		/* octets of a key so far: ESC, ESC [ */
	uint32_t	line;		/* the line is at most so long */
	uint32_t	longest;	/* and this long was the longest in the history */
	uint32_t	refused;	/* octets that found no room, to be answered with a bell */
	bool		interrupted;	/* ^C or telnet's Interrupt Process came */
};

/*
 * Filter `len` octets into `out`, which has room for as many; returns how many
 * came out.  ^C is taken out and reported; the caller clears `interrupted`,
 * `refused` when it has acted on them.
 */
size_t telnet_filter(struct telnet_filter *filter, const uint8_t *in, size_t len, uint8_t *out);

#endif
