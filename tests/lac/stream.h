/*
 * stream.h -- what arrived of a stream of numbered packets: lost, doubled, out of order, exactly.
 *
 * Pure; the caller provides the memory.  Every packet of a run carries a number
 * 0, 1, 2 ... given out over all sessions together.  One bit per number makes
 * loss and duplicates exact; the last number seen per session makes reordering
 * within a session exact, which is the order a subscriber can notice.
 */
#ifndef LAC_STREAM_H
#define LAC_STREAM_H

#include "tests/lac/hist.h"

struct stream {
	uint64_t	*seen;		/* a bit per number */
	uint64_t	 numbers;	/* bits in it */
	uint64_t	*last;		/* per session: highest number seen, plus one */
	uint32_t	 sessions;
	uint64_t	 received;	/* distinct numbers */
	uint64_t	 duplicates;
	uint64_t	 reordered;	/* arrived after a later one of the same session */
	uint64_t	 strange;	/* of another run, session or number than can be */
	struct hist	 latency;	/* one way */
};

/* `seen` and `last` must be zero when a run starts. */
void stream_init(struct stream *stream, uint64_t *seen, uint64_t numbers, uint64_t *last, uint32_t sessions);
void stream_received(struct stream *stream, uint32_t session, uint64_t number, uint64_t latency_us);

#endif
