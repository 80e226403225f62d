/*
 * measure.h -- what is done with the subscribers' IP packets: streams counted, probes timed.
 */
#ifndef LAC_MEASURE_H
#define LAC_MEASURE_H

#include "tests/lac/lac.h"
#include "tests/lac/stream.h"

struct hold_row {		/* one subscriber, while held; times are when a probe was sent */
	uint64_t	answered_us;	/* the newest one that came back */
	uint64_t	longest_us;	/* between two that came back */
	uint32_t	outages;
};

struct target {			/* a subscriber that takes part in a run */
	uint32_t	number;
	uint32_t	address;
	uint16_t	peer_tid, peer_sid;	/* network order: they are copied into headers */
};

struct measure {
	uint32_t	 run;
	struct target	*target;	/* marks carry the place in this list */
	uint32_t	 targets, targets_room;
	struct stream	 down;
	bool		 counts_down;
	struct hist	 round_trip;
	uint64_t	 probes, replies, probes_odd;
	struct hold_row	*hold;		/* by place in the list of targets; NULL: not holding */
	uint64_t	 interval_us;	/* between two probes of one subscriber */
	uint64_t	 misdelivered;	/* to a subscriber whose address it is not */
	int		 line;		/* to the peer, -1: not yet */
};

void measure_received(struct lac *lac, uint32_t number, struct bytes ip);

/* Take the first `most` subscribers that are up (0: all); false when there is none. */
bool measure_targets(struct lac *lac, uint64_t most);

/* Send a probe as the target's subscriber. */
void probe_send(struct lac *lac, uint32_t place, uint64_t number, uint32_t size);

/* The line to the peer, opened when first needed; -1, said on stderr, when there is no peer. */
int measure_line(struct lac *lac);

/* An open line has the peer told who the targets are. */
bool measure_tell(struct lac *lac);

#endif
