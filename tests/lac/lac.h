/*
 * lac.h -- a LAC with many subscribers behind it: tunnels, calls and PPP clients.
 *
 * One thread drives all of it: lac_loop() receives, fires timers and asks the
 * step that is being done what comes next.  A subscriber is a `struct session`,
 * known by its number 0..sessions-1; number k belongs to tunnel k % tunnels, so
 * that calls spread over the tunnels from the first.
 */
#ifndef LAC_LAC_H
#define LAC_LAC_H

#include "l2tpns/base/timers.h"
#include "l2tpns/wire/l2tp_msg.h"
#include "l2tpns/wire/ppp.h"
#include "l2tpns/wire/ppp_auth.h"
#include "tests/lac/net.h"
#include "tests/lac/packet.h"
#include "tests/lac/report.h"

enum want_auth { WANT_ANY, WANT_PAP, WANT_CHAP, WANT_MSCHAPV2, WANT_NONE };
enum proxy { PROXY_NO, PROXY_LCP, PROXY_AUTH };

struct lac_options {
	struct ip4	server, peer_address, flood_from;
	const char	*local;			/* "A" or "A-B" */
	uint64_t	server_port, local_port, local_ports;
	uint64_t	tunnels, opening, sessions, rate, in_flight;
	uint64_t	auth, proxy;
	const char	*user, *password, *host_name, *secret, *calling;
	uint64_t	mru, window, ppp_delay_ms, restart_ms, tries, up_timeout_s;
	bool		hide, acfc, pfc, dns, mute, same_ids, quiet, progress, help, is_peer;
	double		loss, duplicate, reorder, garbage, forge;
	uint64_t	seed, server_pid, gso, senders;
	const char	*peer, *device;
};

enum phase {
	PHASE_IDLE,		/* never called, or its end was ordered by a step */
	PHASE_CALLING,		/* ICRQ on its way */
	PHASE_ANSWERED,		/* ICCN waits for its turn */
	PHASE_LCP, PHASE_AUTH, PHASE_IPCP,
	PHASE_UP,
	PHASE_FAILED,		/* was not let in, or was dropped */
	PHASES
};

/* Why a subscriber is not up: counted, shown by name. */
enum loss_reason {
	LOSS_NONE, LOSS_CDN, LOSS_STOPCCN, LOSS_TUNNEL_DEAD, LOSS_TERMINATED, LOSS_AUTH, LOSS_TIMEOUT, LOSS_REFUSED,
	LOSS_REASONS
};

struct session {
	uint8_t		phase;
	uint8_t		tries;
	uint8_t		lcp_id, ipcp_id, auth_id;
	bool		lcp_ours, lcp_theirs;	/* Configure-Ack received, sent */
	bool		ipcp_ours, ipcp_theirs;
	bool		answered;		/* authentication answered, verdict awaited */
	uint8_t		auth;			/* enum auth_method the server asked for */
	uint8_t		lcp_dropped, ipcp_dropped;	/* options the server rejected: bits of client_*.c */
	uint16_t	peer_sid, mru;
	uint32_t	magic;
	uint32_t	address, dns[2];	/* host order */
	uint64_t	proof;			/* MS-CHAPv2: hash of the answer the server owes us */
	uint64_t	started_us;
};

struct chan_msg {
	struct chan_msg	*next;
	uint32_t	 starts;	/* number + 1 of the subscriber whose PPP begins when this is sent */
	uint16_t	 len;
	uint8_t		 octets[];
};

struct chan {
	struct chan_msg	*first, *unsent, *last;	/* oldest unacknowledged; first never sent */
	uint32_t	 queued, flying;
	uint16_t	 ns, nr;		/* next to give out; next expected */
	uint16_t	 window;
	uint8_t		 tries;
	bool		 ack_due, ack_listed;
};

enum tunnel_state { TUNNEL_IDLE, TUNNEL_OPENING, TUNNEL_UP, TUNNEL_CLOSING, TUNNEL_DEAD };

struct tunnel {
	enum tunnel_state	state;
	uint16_t		peer_tid;
	uint32_t		sock;
	uint32_t		life;		/* changes with each opening, and the id we assign with it */
	struct sockaddr_in	peer;
	uint8_t			challenge[16];
	struct chan		chan;
};

struct lac_counts {
	uint64_t	phase[PHASES];
	uint64_t	loss[LOSS_REASONS];
	uint64_t	tunnels_up, tunnels_opening;
	uint64_t	echoes, hellos, resent, refused, renegotiated;
	uint64_t	refused_why[WHYS];
};

struct measure;				/* measure.h: what is done with IP packets that arrive */

struct lac {
	struct lac_options	 opt;
	struct net		 net;
	struct rnd		 rnd;
	struct report		 report;
	struct mono		 now;
	struct timers		 timers;	/* tunnels first, then subscribers */
	struct tunnel		*tunnel;
	struct session		*session;
	uint32_t		 tunnels, sessions;	/* sessions: all of them */
	uint32_t		 per_tunnel;
	struct lac_counts	 counts;
	struct hist		 setup_time;	/* from ICRQ to IPCP opened */
	struct mono		 last_up;	/* when a subscriber came up last, in this step */
	uint64_t		 longest_gap_us; /* between two of them */
	uint32_t		*ack_due;	/* tunnels that owe an acknowledgement */
	uint32_t		 acks_due;
	struct measure		*measure;
	struct sockaddr_in	 server;
	volatile bool		 stop;		/* a signal said so */
};

/* A step says when it wants to be asked again; MONO_NEVER ends it. */
typedef struct mono lac_step(struct lac *lac, void *arg);

struct mono clock_now(void);
void lac_loop(struct lac *lac, lac_step *step, void *arg);

static inline uint32_t session_tunnel(const struct lac *lac, uint32_t number)
{
	return number % lac->tunnels;
}

static inline uint16_t session_sid(const struct lac *lac, uint32_t number)
{
	return (uint16_t)(number / lac->tunnels + 1);
}

/* Ids start anywhere and are not used again at once, as a server may keep a closed tunnel for a while. */
static inline uint16_t tunnel_id(const struct lac *lac, uint32_t tunnel)
{
	return (uint16_t)(tunnel + 1 + lac->tunnel[tunnel].life % (65535 / lac->tunnels) * lac->tunnels);
}

/* The tunnel of an id of ours, or lac->tunnels when there is none. */
static inline uint32_t tunnel_of(const struct lac *lac, uint16_t id)
{
	uint32_t tunnel = id ? (id - 1u) % lac->tunnels : lac->tunnels;

	return tunnel < lac->tunnels && tunnel_id(lac, tunnel) == id ? tunnel : lac->tunnels;
}

/* chan.c -- reliable delivery, RFC 2661 section 5.8 */
void chan_open(struct lac *lac, uint32_t tunnel);
void chan_close(struct lac *lac, uint32_t tunnel);
void chan_put(struct lac *lac, uint32_t tunnel, struct bytes message, uint32_t starts);
void chan_push(struct lac *lac, uint32_t tunnel);
/* True: new and in order. */
bool chan_received(struct lac *lac, uint32_t tunnel, uint16_t ns, uint16_t nr, bool empty);
void chan_timeout(struct lac *lac, uint32_t tunnel);
void chan_acks(struct lac *lac);

/* tunnel.c -- RFC 2661 section 7.2 as the LAC */
void tunnel_open(struct lac *lac, uint32_t tunnel);
void tunnel_stop(struct lac *lac, uint32_t tunnel);		/* StopCCN */
void tunnel_lost(struct lac *lac, uint32_t tunnel, enum loss_reason why);
void tunnel_send(struct lac *lac, uint32_t tunnel, uint16_t peer_sid, const struct l2tp_msg *msg, uint32_t starts);
void tunnel_datagram(void *lac, uint32_t sock, const struct sockaddr_in *from, struct bytes octets);

/* call.c -- RFC 2661 section 7.4 as the LAC of an incoming call */
void call_start(struct lac *lac, uint32_t number);
void call_end(struct lac *lac, uint32_t number);		/* CDN */
void call_message(struct lac *lac, uint32_t number, const struct l2tp_msg *msg);
void session_phase(struct lac *lac, uint32_t number, enum phase phase);
void session_lost(struct lac *lac, uint32_t number, enum loss_reason why);
void call_names(const struct lac *lac, uint32_t number, char user[64], char password[64]);

/* client_lcp.c, client_auth.c, client_ipcp.c -- the subscriber's PPP */
void client_start(struct lac *lac, uint32_t number);
void client_frame(struct lac *lac, uint32_t number, const struct ppp_frame *frame);
void client_timeout(struct lac *lac, uint32_t number);
void client_terminate(struct lac *lac, uint32_t number);
void client_wait(struct lac *lac, uint32_t number);		/* arm the restart timer */
struct wr client_begin(struct lac *lac, uint32_t number, uint16_t proto, uint8_t room[NET_PACKET_MAX]);
void client_end(struct lac *lac, uint32_t number, struct wr *w);
size_t client_lcp_options(const struct lac *lac, uint32_t number, uint8_t *room, size_t len);
void auth_start(struct lac *lac, uint32_t number);
void auth_again(struct lac *lac, uint32_t number);
void auth_frame(struct lac *lac, uint32_t number, const struct ppp_frame *frame);
size_t auth_demand(enum auth_method method, uint8_t value[3]);	/* option 3's value; 0: none */
void ipcp_start(struct lac *lac, uint32_t number);
void ipcp_again(struct lac *lac, uint32_t number);
void ipcp_frame(struct lac *lac, uint32_t number, const struct ppp_cp *cp);

/* proxy.c -- what a LAC that has already talked PPP tells the LNS, RFC 2661 section 4.4.5 */
struct proxy_words {
	uint8_t	lcp_ours[64], lcp_theirs[64], challenge[16], response[64];
	char	user[64];
};
void proxy_fill(struct lac *lac, uint32_t number, struct l2tp_msg *msg, struct proxy_words *words);

#endif
