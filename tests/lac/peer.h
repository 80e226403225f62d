/*
 * peer.h -- the Internet side: what the LAC asks of it, and the program itself.
 *
 * The peer counts what arrives from subscribers, sends to them, and returns
 * probes.  The LAC conducts it through a Unix socket of whole messages
 * (SOCK_SEQPACKET), which works from one network namespace to another.
 */
#ifndef LAC_PEER_H
#define LAC_PEER_H

#include "tests/lac/stream.h"

enum peer_kind {
	PEER_TABLE,		/* addresses of the subscribers that take part, a piece of the list */
	PEER_START,		/* a run begins: forget the last one; send if size > 0 */
	PEER_LOOK,		/* answered by a report as it stands */
	PEER_STOP		/* answered by the last report of the run */
};

#define PEER_TABLE_PIECE 4096u

struct peer_request {
	uint32_t	kind;
	uint32_t	run;
	uint32_t	first, count, total;	/* PEER_TABLE */
	uint32_t	size;			/* octets of the packets to send, 0: none */
	uint32_t	threads;		/* that send, with rate 0; their packets overtake each other */
	uint64_t	rate;			/* packets per second, 0: as many as go */
	uint64_t	time_us;
	uint32_t	address[PEER_TABLE_PIECE];
};

struct peer_report {
	uint64_t	sent;
	uint64_t	sent_us;		/* how long it took */
	uint64_t	received, duplicates, reordered, strange, dropped;	/* dropped: our own buffer was full */
	uint64_t	device_packets, device_octets;	/* since the run began, whatever became of them */
	struct hist	latency;
};

struct lac_options;

int peer_main(const struct lac_options *opt);

/* The LAC's end.  All answer false, with a sentence on stderr, when the peer is not there. */
MUST_USE bool peer_connect(const char *path, int *fd);
MUST_USE bool peer_ask(int fd, const struct peer_request *request, struct peer_report *report);
MUST_USE bool peer_table(int fd, const uint32_t *address, uint32_t total);

/* peer_source.c: frames towards subscribers, straight to the device */
struct source;
struct source *source_open(const char *device, uint32_t own_address);
bool source_start(struct source *source, const struct peer_request *request, const uint32_t *address, uint32_t total);
void source_stop(struct source *source, struct peer_report *report);

/* pace.c */
struct pace {
	uint64_t	rate;		/* per second, 0: unbounded */
	uint64_t	start_us, end_us;
	uint64_t	sent;
};

/* How many may be sent now, at most `burst`; sleeps when it is too early; 0: time is over. */
uint32_t pace_take(struct pace *pace, uint32_t burst, const volatile bool *stop);

#define STREAM_NUMBERS	(UINT64_C(1) << 30)	/* packets in one run, at most */

/* Zeroed memory that costs nothing until it is used. */
void *room_map(size_t octets);
void room_unmap(void *at, size_t octets);

#endif
