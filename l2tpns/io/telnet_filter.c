/* telnet_filter.c -- telnet commands out, line ends made one, lines kept short. */
#include "l2tpns/io/telnet_filter.h"

enum { DATA, COMMAND, OPTION, SUB, SUB_COMMAND };

enum {				/* RFC 854 */
	TELNET_SE = 240, TELNET_IP = 244, TELNET_SB = 250, TELNET_WILL = 251, TELNET_DONT = 254, TELNET_IAC = 255
};

#define CTRL(c)	((c) - '@')

/* A telnet command, an octet at a time; true: the octet is data. */
static bool telnet_step(struct telnet_filter *filter, uint8_t c)
{
	switch (filter->state) {
	case DATA:
		if (c != TELNET_IAC)
			return true;
		filter->state = COMMAND;
		return false;
	case COMMAND:
		if (c == TELNET_IP)
			filter->interrupted = true;
		filter->state = c == TELNET_SB ? SUB : c >= TELNET_WILL && c <= TELNET_DONT ? OPTION : DATA;
		return false;
	case OPTION:
		filter->state = DATA;
		return false;
	case SUB:
		if (c == TELNET_IAC)
			filter->state = SUB_COMMAND;
		return false;
	default:
		filter->state = c == TELNET_SE ? DATA : SUB;
		return false;
	}
}

/* May this octet of the line pass?  Keeps the bound on the line's length true whatever libcli makes of it. */
static bool line_step(struct telnet_filter *filter, uint8_t c)
{
	uint32_t more = 1;

	/* As libcli reads a key: ESC [ and one octet; up and down recall a line.  ESC and another are dropped. */
	if (filter->escape) {
		if (filter->escape == 2 && filter->line < filter->longest)
			filter->line = filter->longest;
		filter->escape = filter->escape == 1 && c == '[' ? 2 : 0;
		return true;
	}
	switch (c) {
	case '\r':
		if (filter->longest < filter->line)
			filter->longest = filter->line;
		filter->line = 0;
		return true;
	case CTRL('['):
		filter->escape = 1;
		return true;
	case CTRL('U'):
		filter->line = 0;
		return true;
	case CTRL('P'): case CTRL('N'):
		if (filter->line < filter->longest)
			filter->line = filter->longest;
		return true;
	case CTRL('I'):
		more = TELNET_WORD_MAX;
		break;
	default:
		if (c < ' ' || c == 0x7f)	/* they move about, or make the line shorter */
			return true;
		break;
	}
	if (filter->line + more > TELNET_LINE_MAX) {
		filter->refused++;
		return false;
	}
	filter->line += more;
	return true;
}

size_t telnet_filter(struct telnet_filter *filter, const uint8_t *in, size_t len, uint8_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = in[i];

		if (!telnet_step(filter, c))
			continue;
		bool second = filter->after_cr && (c == '\n' || c == '\0');

		filter->after_cr = c == '\r';
		if (second || c == '\0')
			continue;
		if (c == CTRL('C')) {
			filter->interrupted = true;
			continue;
		}
		if (c == '\n')
			c = '\r';
		if (line_step(filter, c))
			out[n++] = c;
	}
	return n;
}
