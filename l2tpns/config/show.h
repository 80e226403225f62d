/*
 * show.h -- a struct config as startup-config's text, and the manual page's table of options.
 *
 * Pure.  What config_show() writes with CONFIG_SECRETS, config_parse() reads back
 * to the same configuration.
 */
#ifndef CONFIG_SHOW_H
#define CONFIG_SHOW_H

#include "l2tpns/base/wr.h"
#include "l2tpns/config/config.h"

enum config_show {
	CONFIG_ALL	= 1 << 0,	/* also what is at its default */
	CONFIG_SECRETS	= 1 << 1,	/* else "(secret)" in their place */
	CONFIG_PLAIN	= 1 << 2	/* no headings between groups of options */
};

struct config_cursor {			/* zero to begin with */
	unsigned	row;
	const char	*group;		/* whose heading was written */
	uint32_t	lac;
	uint32_t	kept;
	bool		lac_heading;
};

/* The next line, without newline; false after the last one.  When the configuration changes between two
 * calls a line may be missing or come twice, but each is a whole line of one of the two. */
bool config_show_line(const struct config *config, unsigned how, struct config_cursor *at,
		      char line[CONFIG_LINE_MAX]);

/* All of them, each with its newline; the writer is bad when they do not fit. */
void config_show(const struct config *config, unsigned how, struct wr *out);

/* The options as mdoc(7) for startup-config(5): one subsection a group, one item a row. */
void config_manual(struct wr *out);

#endif
