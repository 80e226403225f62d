/* assert_fail.c -- what "our own fault" means in a test program: say where and abort. */
#include <stdio.h>
#include <stdlib.h>

#include "l2tpns/base/base.h"

void assert_fail(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}
