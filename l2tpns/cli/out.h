/*
 * out.h -- facts become text, JSON or metrics: a `show` function names values, a renderer writes them.
 *
 * Pure.  A renderer writes into a buffer lent by the caller; nothing is sent and
 * nothing grows.  A show function asks out_has_room() before each object, writes
 * at most OUT_OBJECT_MAX octets for it, and lets the caller drain the buffer in
 * between, so that a list of any length is written in bounded memory.
 *
 *	out_list(out, "sessions", columns, n);		text: a heading; JSON: "sessions": [
 *	out_object(out, NULL);				text: a line;	 JSON: {
 *	out_count(out, "sid", 7);			text: a cell;	 JSON: "sid": 7
 *	out_end(out);					both: closed
 *	out_end(out);
 *
 * Fields of a table come in the order of its columns.  Names are those of the
 * JSON keys, units last (_s, _octets, _bps); text shows the column's or the
 * field's title, and the value in a form for people.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "l2tpns/base/addr.h"
#include "l2tpns/base/base.h"

#define OUT_ROOM	(48u * 1024)	/* what a caller lends */
#define OUT_SLICE	(16u * 1024)	/* no further object is begun beyond this */
#define OUT_OBJECT_MAX	(32u * 1024)
#define OUT_TEXT_MAX	511u		/* longer texts are cut */
#define OUT_DEPTH_MAX	6

enum out_form { OUT_TEXT, OUT_JSON, OUT_METRICS, OUT_FORMS };

enum out_type {
	OUT_IS_NONE,		/* not known, or not there */
	OUT_IS_COUNT,		/* number */
	OUT_IS_ID,		/* number that names something: never grouped or scaled */
	OUT_IS_OCTETS,
	OUT_IS_BPS,		/* bits a second */
	OUT_IS_SECONDS,		/* number: a length of time */
	OUT_IS_WHEN,		/* number: seconds of 1970, UTC */
	OUT_IS_HUNDREDTHS,	/* number / 100 */
	OUT_IS_BOOL,
	OUT_IS_TEXT,		/* octets from anywhere, made harmless */
	OUT_IS_IP		/* either family; none is shown as a dash */
};

struct out_value {
	enum out_type	type;
	uint64_t	number;
	struct bytes	text;
	struct ip	ip;
};

struct out_column {
	const char	*name;		/* JSON key */
	const char	*title;		/* heading; "" for a list of lines without one */
	uint8_t		 width;		/* at least so wide; the last column is not padded */
	bool		 right;		/* numbers to the right */
};

/* A family is a group of like numbers: one, or one for each value of a label. */
enum out_metric { OUT_COUNTER, OUT_GAUGE };

struct out_family {
	const char	*name;		/* "sessions_opened": metrics say l2tpns_sessions_opened_total */
	const char	*help;
	const char	*label;		/* NULL: one value without a label */
	enum out_metric	 metric;
};

struct out;

struct out_ops {
	void (*begin)(struct out *out);
	void (*finish)(struct out *out);
	void (*list)(struct out *out, const char *name);
	void (*object)(struct out *out, const char *name);
	void (*end)(struct out *out);
	void (*value)(struct out *out, const char *name, const struct out_value *value);
	void (*message)(struct out *out, const char *text);
	void (*family)(struct out *out, const struct out_family *family);
	void (*sample)(struct out *out, const struct out_family *family, const char *label, const char *help,
		       uint64_t value);
	void (*family_end)(struct out *out, const struct out_family *family);
};

struct out_level {
	bool	is_list;
	bool	named;
	bool	some;			/* something was written at this level */
};

struct out {
	const struct out_ops	*ops;
	char			*text;		/* the caller's buffer */
	uint32_t		 len, room;
	bool			 cut;		/* an object was larger than OUT_OBJECT_MAX and the buffer was full */
	uint8_t			 depth;
	uint8_t			 messages;	/* how many out_message() there were */
	struct out_level	 level[OUT_DEPTH_MAX];
	const struct out_column	*columns;	/* of the list being written; NULL: not a table */
	uint8_t			 columns_n;
	uint8_t			 column;	/* the next one to fill */
	uint32_t		 line_used;	/* of this line of the table, in columns of the screen */
	uint32_t		 line_next;	/* where its next cell should begin */
	const struct out_family	*family;
};

extern const struct out_ops out_text_ops, out_json_ops, out_metrics_ops;

void out_init(struct out *out, enum out_form form, char *text, uint32_t room);

static inline bool out_has_room(const struct out *out)
{
	return out->room - out->len >= OUT_OBJECT_MAX && out->len < OUT_SLICE;
}

static inline bool out_is_empty(const struct out *out)
{
	return out->len == 0;
}

/* The caller took everything written so far. */
static inline void out_drained(struct out *out)
{
	out->len = 0;
}

/* Once around everything: JSON's outermost braces. */
void out_begin(struct out *out);
void out_finish(struct out *out);

/* `columns` NULL: objects are shown one below the other. */
void out_list(struct out *out, const char *name, const struct out_column *columns, unsigned n);
void out_object(struct out *out, const char *name);
void out_end(struct out *out);

void out_count(struct out *out, const char *name, uint64_t count);
void out_id(struct out *out, const char *name, uint32_t id);
void out_octets(struct out *out, const char *name, uint64_t octets);
void out_bps(struct out *out, const char *name, uint64_t bits_per_second);
void out_seconds(struct out *out, const char *name, uint64_t seconds);
void out_when(struct out *out, const char *name, uint64_t unix_seconds);
void out_hundredths(struct out *out, const char *name, uint64_t hundredths);
void out_bool(struct out *out, const char *name, bool yes);
void out_bytes(struct out *out, const char *name, struct bytes text);
void out_word(struct out *out, const char *name, const char *text);
void out_ip(struct out *out, const char *name, struct ip ip);
void out_ip4(struct out *out, const char *name, struct ip4 ip);
void out_addr(struct out *out, const char *name, struct addr addr);
void out_none(struct out *out, const char *name);

/* A sentence to the operator: a line of text, "message" in JSON. */
void out_message(struct out *out, const char *format, ...) PRINTF_LIKE(2, 3);

/* Samples stand between family and family_end; `help` may explain one label's value. */
void out_family(struct out *out, const struct out_family *family);
void out_sample(struct out *out, const char *label, const char *help, uint64_t value);
void out_family_end(struct out *out);

/* A family of one number. */
void out_single(struct out *out, const char *name, const char *help, enum out_metric metric, uint64_t value);

/* For renderers: append, cut at the end of the buffer. */
void out_put(struct out *out, const char *text, size_t len);
void out_puts(struct out *out, const char *text);
void out_putc(struct out *out, char c);
void out_put_u64(struct out *out, uint64_t n);
void out_pad(struct out *out, uint32_t n);

#endif
