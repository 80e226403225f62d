/*
 * report.h -- results: one JSON object a line on stdout, the same for people on stderr.
 */
#ifndef LAC_REPORT_H
#define LAC_REPORT_H

#include "tests/lac/hist.h"

struct report {
	bool	started;	/* a field has been written */
	bool	quiet;		/* nothing for people */
};

void report_begin(struct report *report, const char *step);
void report_number(struct report *report, const char *name, uint64_t value);
void report_real(struct report *report, const char *name, double value);
void report_text(struct report *report, const char *name, const char *value);	/* no quotes or controls in it */
void report_hist(struct report *report, const char *name, const struct hist *hist);	/* name_p50_us ... */
void report_end(struct report *report);

/* A sentence on stderr, unless quiet. */
void report_say(const struct report *report, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
