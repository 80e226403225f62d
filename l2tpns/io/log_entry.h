/*
 * log_entry.h -- one message of the log: kept as numbers, made into words when it is read.
 *
 * Pure: told the time, writes into the caller's buffers.  log_out.c owns the
 * rings and descriptors.
 */
#ifndef IO_LOG_ENTRY_H
#define IO_LOG_ENTRY_H

#include "l2tpns/base/say.h"

#define LOG_LINE_MAX	1024		/* a line with its nul, without the time */
#define LOG_TEXT_MAX	400		/* octets of a message's text */
#define LOG_USER_MAX	63

struct log_entry {
	uint64_t	unix_us;
	uint32_t	arg[SAY_ARGS];
	uint32_t	session;	/* row; 0 = none */
	uint16_t	tunnel;		/* 0 = none */
	uint16_t	what;		/* enum say, or SAYS: `text` is the whole message */
	uint16_t	text_len;
	uint8_t		class;		/* enum say_class */
	uint8_t		user_len;
	char		octets[LOG_USER_MAX + LOG_TEXT_MAX];	/* the user's name, then the text */
};

/* From an FX_LOG; what is too long is cut. */
void log_entry_fx(struct log_entry *entry, uint64_t unix_us, enum say what, const struct fx_log *fx,
		  struct bytes user);

/* From words made already. */
void log_entry_line(struct log_entry *entry, uint64_t unix_us, enum say_class class, struct bytes text);

/* Only what is in use. */
void log_entry_copy(struct log_entry *to, const struct log_entry *from);

/* "calls: tunnel=7 session=41 user=ann lcp opened mru=1492", without line feed; returns its octets. */
size_t log_entry_words(const struct log_entry *entry, char line[LOG_LINE_MAX]);

/*
 * How often a message may be written: a bucket of tokens for each message id, and
 * for each format of log_line().  What an operator asked to see by the level is
 * limited only so far that it cannot fill a disk in minutes.
 */
#define LOG_LIMIT_FORMATS	64

struct log_bucket {
	const char	*format;
	uint64_t	 full_us;	/* when it will be full again */
	uint32_t	 held;		/* messages held back since the last one written */
	uint8_t		 class;
};

struct log_limits {
	struct log_bucket say[SAYS];
	struct log_bucket line[LOG_LIMIT_FORMATS];
};

/* The bucket of a message id, or of a format when `what` is SAYS. */
struct log_bucket *log_limits_find(struct log_limits *limits, enum say what, enum say_class class,
				   const char *format);

/* May a message be written now?  No: it is counted as held back. */
bool log_limit_pass(struct log_bucket *bucket, uint64_t unix_us);

/* The next bucket from *at on that held something back; NULL: none.  The caller says so and zeroes `held`. */
struct log_bucket *log_limits_held(struct log_limits *limits, unsigned *at);

#endif
