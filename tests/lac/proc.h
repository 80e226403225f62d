/*
 * proc.h -- what a process has used: the server under test, seen from outside.
 */
#ifndef LAC_PROC_H
#define LAC_PROC_H

#include "l2tpns/base/base.h"

struct proc_usage {
	double		cpu_s;		/* user and system, all threads, since its start */
	uint64_t	rss_octets;	/* resident now, shared pages included */
};

/* All zero for pid 0 or a process that is gone. */
struct proc_usage proc_usage(uint32_t pid);

#endif
