/*
 * log_out.h -- the log: words for message ids, who it is about first, to stderr, a file or syslog.
 *
 * The control thread copies numbers into a ring and goes on; a thread of the
 * log's own makes the words and writes them, so that neither a full disk nor a
 * slow journal holds up a packet.  What does not fit is counted and said later.
 * Every message, whatever the level, stays in a second ring for a while: what
 * `debug` shows on a terminal, and what log_crash() leaves behind.
 *
 *	2026-03-01T12:00:00.123+01:00 calls: tunnel=7 session=41 user=ann lcp opened mru=1492
 *
 * All functions may be called from any thread.
 */
#ifndef IO_LOG_OUT_H
#define IO_LOG_OUT_H

#include "l2tpns/io/log_entry.h"

#define LOG_DESTINATION_MAX	256

struct log_out;

/* Who sits in this row: the user's name, or nothing.  Called by log_fx(), on its caller's thread. */
typedef struct bytes log_who_fn(void *ctx, struct row session);

/* Lines go to stderr at once, on the caller's thread, until log_start().  -errno when memory is short. */
MUST_USE int log_open(struct log_out **log, const char *ident, log_who_fn *who, void *who_ctx);

/* "" or "stderr", a path, or "syslog:FACILITY".  `level` is 0..5: classes up to SAY_BUG + level are
 * written.  Called again to change either.  -errno: the old destination stays in use. */
MUST_USE int log_configure(struct log_out *log, const char *destination, unsigned level);

/* The daemon is in the background now: let the log's thread do the writing. */
MUST_USE int log_start(struct log_out *log);

/* The file was moved away (SIGHUP): open it again. */
MUST_USE int log_reopen(struct log_out *log);

/* Write what waits, then end the thread and free everything. */
void log_close(struct log_out *log);

/* Carry out an FX_LOG. */
void log_fx(struct log_out *log, const struct fx *fx, const void *payload);

/* The shell's own messages; `format` is a string constant: it is also what the rate limit goes by. */
void log_line(struct log_out *log, enum say_class class, const char *format, ...) PRINTF_LIKE(3, 4);

/* Once a second: says how many similar messages were held back. */
void log_second(struct log_out *log);

/* From assert_fail() and fatal signals: write what waits and the last messages of every class straight to the
 * destination, without locks.  The process ends after it. */
void log_crash(struct log_out *log);

/* For `debug`: as facts_ops.log_line and log_end. */
bool log_recent(struct log_out *log, uint64_t *at, unsigned classes, uint64_t *lost, char line[LOG_LINE_MAX]);
uint64_t log_recent_end(struct log_out *log);

/* Lines that could not be written: the queue was full or the destination refused them. */
uint64_t log_lost(struct log_out *log);

#endif
