/*
 * parse.h -- startup-config's text into a struct config.
 *
 * Pure.  The grammar is that of l2tpns 2.x: a line a command, words in quotes
 * where they hold blanks, `#` and `!` before a comment:
 *
 *	set NAME VALUE
 *	lac ADDRESS|PREFIX|NAME [secret WORD] [allow|deny] [hidden yes|no]
 *	load plugin NAME, setforward MASK IP PORT SECRET, add|load ip-pool ...
 *	router bgp AS, then lines neighbour ...
 *	ip access-list standard|extended NAME, then lines permit ... and deny ...
 *
 * Lines this version does not act on are kept as they stand, in order, so that
 * saving loses none of them, and each is warned about.
 */
#ifndef CONFIG_PARSE_H
#define CONFIG_PARSE_H

#include "l2tpns/config/config.h"
#include "l2tpns/config/faults.h"

/* Every option at its default, no other lines. */
void config_init(struct config *config);

/* A whole file into a fresh configuration.  False: there are errors, and *out is not to be used; all of
 * them are in `faults`, with the warnings. */
MUST_USE bool config_parse(struct bytes text, const char *file, struct config *out,
			   struct config_faults *faults);

/* One option, as the CLI's `set` has it.  False: `faults` says why, nothing changed. */
MUST_USE bool config_set(struct config *config, const char *name, const char *value,
			 struct config_faults *faults);

/* One line typed by hand: as in a file, and `no lac WHO`.  False: `faults` says why, nothing changed. */
MUST_USE bool config_line(struct config *config, const char *line, struct config_faults *faults);

#endif
