/*
 * proc.h -- what a process has used and a device has received: the server under test, seen from outside.
 */
#ifndef LAC_PROC_H
#define LAC_PROC_H

#include "l2tpns/base/base.h"

struct proc_usage {
	double		cpu_s;		/* user and system, all threads, since its start */
	uint64_t	rss_octets;	/* resident now, shared pages included */
};

struct device_usage {		/* since it was made */
	uint64_t	packets, octets;	/* received; a run of segments counts as one packet */
};

/* All zero for pid 0 or a process that is gone. */
struct proc_usage proc_usage(uint32_t pid);

/* A device of our own network namespace; all zero when there is none of that name. */
struct device_usage device_usage(const char *name);

#endif
