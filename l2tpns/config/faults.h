/*
 * faults.h -- what is wrong with an operator's file: where, how badly, in words.
 *
 * Shared by startup-config, users and ip_pool.  No text ever holds a secret: what
 * may be one is not repeated.
 */
#ifndef CONFIG_FAULTS_H
#define CONFIG_FAULTS_H

#include "l2tpns/base/base.h"

#define FAULTS_MAX		64
#define FAULTS_FOR_ERRORS	24	/* of them: however many warnings came before */
#define FAULT_TEXT_MAX		224
#define FAULT_FILE_MAX		64
#define FAULT_LINE_MAX		(FAULT_TEXT_MAX + FAULT_FILE_MAX + 32)

struct config_fault {
	char		file[FAULT_FILE_MAX];
	unsigned	line;			/* 0 = of the whole, or typed by hand */
	bool		error;			/* else a warning */
	char		text[FAULT_TEXT_MAX];
};

struct config_faults {			/* zero to begin with */
	unsigned	errors, warnings;	/* all there were */
	unsigned	count;			/* how many are kept */
	struct config_fault fault[FAULTS_MAX];
};

void fault_error(struct config_faults *faults, const char *file, unsigned line, const char *format, ...)
	PRINTF_LIKE(4, 5);
void fault_warning(struct config_faults *faults, const char *file, unsigned line, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* "startup-config:12: unknown option ...", warnings with "warning: " before the text. */
char *fault_text(const struct config_fault *fault, char text[FAULT_LINE_MAX]);

#endif
