/*
 * option_rows.h -- an option as a row: where its value lands, what it may be, whether it acts at once.
 */
#ifndef CONFIG_OPTION_ROWS_H
#define CONFIG_OPTION_ROWS_H

#include "l2tpns/config/config.h"

enum option_type {
	OPTION_INT,		/* uint32_t, min..max; decimal or 0x hexadecimal */
	OPTION_BOOL,		/* bool: yes/no, true/false, on/off, 1/0 */
	OPTION_IP4,		/* struct ip4; 0.0.0.0 = not set */
	OPTION_IP6,		/* struct ip; :: = not set */
	OPTION_IP,		/* struct ip of either family */
	OPTION_STR,		/* char[], size - 1 octets at most */
	OPTION_ENUM,		/* uint8_t: one of words */
	OPTION_ORDER,		/* struct config_order: some of words, each once, in order */
	OPTION_PREFIXES,	/* struct config_prefixes */
	OPTION_NAMES,		/* struct config_names */
	OPTION_ADDRESSES,	/* struct config_addresses: of either family, each once */
	OPTION_TYPES
};

struct option_row {
	const char		*name;
	const char		*alias;		/* another spelling in use; NULL = none */
	const char		*group;
	enum option_type	 type;
	uint32_t		 at, size;	/* in struct config */
	uint32_t		 min, max;
	const char		*unit;		/* of an INT; NULL = a plain number */
	const char *const	*words;		/* NULL-terminated, numbered from 0 */
	const char		*def;		/* as value_text() writes it */
	bool			 live;		/* applies on `set` and SIGHUP; else after a restart */
	bool			 acted;		/* this version acts on it */
	bool			 secret;	/* never shown below enable, never logged */
	const char		*help;
};

unsigned option_rows_count(void);
const struct option_row *option_row(unsigned number);

/* By name or alias; NULL when there is none. */
const struct option_row *option_find(struct bytes name);

/* The option most likely meant; NULL when none is near. */
const char *config_nearest(const char *name);

static inline const void *option_value(const struct option_row *row, const struct config *config)
{
	return (const uint8_t *)config + row->at;
}

#endif
