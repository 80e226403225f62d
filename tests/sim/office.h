/*
 * office.h -- the whole product in the simulator: a control plane behind every node, LACs before them.
 *
 * office.c is what the daemon's shell does around struct lns.  lacs.c are LACs as RFC 2661
 * wants them, with subscribers behind them, who never end a call without knowing it:
 * what the cluster does to them is seen from their side.
 */
#ifndef SIM_OFFICE_H
#define SIM_OFFICE_H

#include "l2tpns/core/replica.h"
#include "tests/sim/sim.h"

#define LACS		4u
#define CALLS		16u
#define SERVICE_IP	0xc00002c8u		/* 192.0.2.200: where the LACs send to */

struct letter {					/* a datagram between a LAC and a node, on the outside network */
	bool		to_lac;
	unsigned	to;
	struct addr	from;
	uint32_t	len;
	uint8_t		octets[FX_PACKET_MAX];
};

enum call_phase { PHASE_IDLE, PHASE_ASKED, PHASE_LCP, PHASE_AUTH, PHASE_IPCP, PHASE_UP, PHASE_CLOSING, PHASE_PHASES };

struct sim_call {
	enum call_phase	phase;
	uint16_t	sid, lns_sid;
	bool		ours_acked, theirs_acked;	/* of the layer being negotiated */
	uint8_t		id;
	bool		terminating;		/* by LCP, not by CDN */
	uint32_t	address;		/* 0: to be asked for */
	uint64_t	again_at, began, life_until;
};

#define QUEUE	64u
struct unacked { uint16_t ns; uint32_t len; uint8_t octets[512]; };

struct sim_lac {
	unsigned	index, node;		/* node: where its packets go in */
	struct addr	addr;
	bool		asked, open;
	uint16_t	tid, lns_tid, ns, nr, next_sid;
	struct unacked	queue[QUEUE];
	uint32_t	first, queued, sent;	/* the first `sent` of the queued are on their way */
	uint64_t	again_at, hello_at, dead_since;
	unsigned	tries;
	uint64_t	seen[64];		/* hash of what came with each Ns, to compare repeats */
	struct sim_call	call[CALLS];
};

struct world {
	struct sim_lac	lac[LACS];
	struct lns_conf	conf;
	struct subscribers *subscribers;
	void		*subscribers_memory;
	struct fx_list	*out;			/* of the control planes */
	uint64_t	calls, ups, ends, moved;
	bool		no_new_calls;
};

/* lacs.c */
void lacs_begin(struct sim *sim);
void lac_received(struct sim *sim, struct sim_lac *lac, struct bytes packet);
void lac_tick(struct sim *sim, struct sim_lac *lac);
bool lacs_settled(struct sim *sim, char why[200]);

/* office.c */
void letter_send(struct sim *sim, bool to_lac, unsigned to, struct addr from, struct bytes octets);

#endif
