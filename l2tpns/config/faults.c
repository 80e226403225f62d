/* faults.c -- collecting faults; when there are too many, warnings give way to errors. */
#include <stdarg.h>
#include <stdio.h>

#include "l2tpns/config/faults.h"

static void add(struct config_faults *faults, bool error, const char *file, unsigned line, const char *format,
		va_list args)
{
	unsigned room = error ? FAULTS_MAX : FAULTS_MAX - FAULTS_FOR_ERRORS;

	*(error ? &faults->errors : &faults->warnings) += 1;
	if (faults->count >= room)
		return;
	struct config_fault *fault = &faults->fault[faults->count++];

	*fault = (struct config_fault){ .line = line, .error = error };
	snprintf(fault->file, sizeof(fault->file), "%s", file);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
}

void fault_error(struct config_faults *faults, const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(faults, true, file, line, format, args);
	va_end(args);
}

void fault_warning(struct config_faults *faults, const char *file, unsigned line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(faults, false, file, line, format, args);
	va_end(args);
}

char *fault_text(const struct config_fault *fault, char text[FAULT_LINE_MAX])
{
	const char *kind = fault->error ? "" : "warning: ";

	if (fault->line)
		snprintf(text, FAULT_LINE_MAX, "%s:%u: %s%s", fault->file, fault->line, kind, fault->text);
	else if (fault->file[0])
		snprintf(text, FAULT_LINE_MAX, "%s: %s%s", fault->file, kind, fault->text);
	else
		snprintf(text, FAULT_LINE_MAX, "%s%s", kind, fault->text);
	return text;
}
