/* trace.h -- playing what a daemon's cluster machine was fed before an ASSERT failed. */
#ifndef TESTS_SIM_TRACE_H
#define TESTS_SIM_TRACE_H

/* What the program returns: 0 when the dump was played to its end. */
int trace_main(const char *path);

#endif
