/* report.c -- JSON by hand: names and words are our own, so nothing needs escaping. */
#include <stdarg.h>
#include <stdio.h>

#include "tests/lac/report.h"

static void field(struct report *report, const char *name)
{
	printf("%s\"%s\":", report->started ? "," : "{", name);
	report->started = true;
}

void report_begin(struct report *report, const char *step)
{
	report->started = false;
	report_text(report, "step", step);
}

void report_number(struct report *report, const char *name, uint64_t value)
{
	field(report, name);
	printf("%llu", (unsigned long long)value);
}

void report_real(struct report *report, const char *name, double value)
{
	field(report, name);
	printf("%.6g", value);
}

void report_text(struct report *report, const char *name, const char *value)
{
	field(report, name);
	printf("\"%s\"", value);
}

void report_hist(struct report *report, const char *name, const struct hist *hist)
{
	static const struct { const char *suffix; double percent; } at[] = {
		{ "p50_us", 50 }, { "p99_us", 99 }, { "max_us", 100 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
		char full[64];

		snprintf(full, sizeof(full), "%s_%s", name, at[i].suffix);
		report_number(report, full, hist_percentile_us(hist, at[i].percent));
	}
}

void report_end(struct report *report)
{
	printf("}\n");
	fflush(stdout);
	report->started = false;
}

void report_say(const struct report *report, const char *format, ...)
{
	va_list args;

	if (report->quiet)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
}
