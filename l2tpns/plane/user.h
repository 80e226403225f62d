/*
 * user.h -- the userspace data plane: workers between UDP sockets and a tun device.
 *
 * Each worker is a thread with one UDP socket per bound address and one queue of
 * the tun device.  It forwards on its own; what belongs to the control plane
 * ("punted": control messages, LCP and the like) waits in a ring for the control
 * thread, which calls everything below and the plane_ops.
 *
 * Times are seconds of CLOCK_MONOTONIC.  The tun device is opened by the caller
 * (io/tun.h), one queue a worker, and stays the caller's to close afterwards.
 */
#ifndef PLANE_USER_H
#define PLANE_USER_H

#include "l2tpns/plane/plane.h"

#define PLANE_WORKERS_MAX	64
#define PLANE_BINDS_MAX		8
#define PLANE_SEND_MAX		256u		/* packets in one call of plane_user_send that go out at once */

struct plane_user_conf {
	unsigned	 workers;		/* 1..PLANE_WORKERS_MAX */
	bool		 pin;			/* worker n stays on the n-th processor we may use */
	struct ip	 bind[PLANE_BINDS_MAX];	/* IPv4; ::ffff:0.0.0.0 = any */
	unsigned	 binds;
	bool		 bind_early;		/* an address may be ours only later, when this node takes it over */
	uint16_t	 port;
	uint32_t	 sessions_max, tunnels_max;
	struct ip4	 address;		/* source of ICMP errors: the tun device's address */
	uint32_t	 icmp_rate;		/* ICMP errors a second in all (needs CAP_NET_RAW); 0 = none */
	uint32_t	 socket_octets;		/* socket buffers; 0 = 2 MiB */
	const int	*tun;			/* one queue a worker, with virtio headers, not blocking */
	void		 (*thread_began)(void);	/* called on each thread we start: give up capabilities; or NULL */
	bool		 tun_uso;		/* the device takes and gives UDP segments in one (kernel 6.2) */
};

#define PLANE_ERROR_MAX		160

/* 0 and *plane, or -errno and what went wrong, in words. */
MUST_USE int plane_user_open(const struct plane_user_conf *conf, struct plane **plane, char error[PLANE_ERROR_MAX]);

/* Stops the workers; what was punted and not fetched is lost. */
void plane_user_close(struct plane *plane);

/* A datagram for the control plane.  Loans end with plane_user_punts_done(). */
struct punt {
	struct addr	from;
	struct ip	local;		/* the address it was sent to */
	struct bytes	packet;		/* UDP payload */
	bool		stranger;	/* not from a live tunnel's peer: an SCCRQ, or forged */
};

/* Readable when plane_user_punts() has something after it had nothing. */
int plane_user_punt_fd(const struct plane *plane);

/* Up to `max` punted datagrams, those of live tunnels first; 0: none, and the descriptor will
 * tell.  Each call that returned any is followed by one plane_user_punts_done(). */
MUST_USE unsigned plane_user_punts(struct plane *plane, struct punt *out, unsigned max);
void plane_user_punts_done(struct plane *plane);

struct plane_packet {
	struct ip	from;		/* one of our addresses */
	struct addr	to;
	struct bytes	octets;		/* UDP payload */
};

/* Send control packets, from the sockets the workers receive on: the peer sees one address and
 * port.  Returns how many the kernel took; the others are lost, and counted. */
unsigned plane_user_send(struct plane *plane, const struct plane_packet *packet, unsigned n);

/* A node of a cluster that does not know every session yet: have packets of unknown sessions punted, at a
 * bounded rate.  Those from the tun device have no port in `from`. */
void plane_user_pass_unknown(struct plane *plane, bool on);

/* Forward a packet that another node passed to us, on the control thread.  `up`: an L2TP datagram from that peer;
 * else an IP packet for a subscriber.  False: it is not for an open session here, or not data. */
MUST_USE bool plane_user_forward_up(struct plane *plane, struct addr from, struct bytes packet);
bool plane_user_forward_down(struct plane *plane, struct bytes packet);

struct plane_user_stats {		/* of one worker, or the sum */
	uint64_t	up_packets, up_octets, up_batches, up_writes;
	uint64_t	down_packets, down_octets, down_batches, down_messages;
	uint64_t	punted, punted_strangers;
	uint64_t	icmp_sent;
	uint64_t	refused[WHYS];
};

uint64_t plane_user_cpu_us(const struct plane *plane, unsigned worker);	/* processor time it has used */
unsigned plane_user_workers(const struct plane *plane);
void plane_user_stats(const struct plane *plane, unsigned worker, struct plane_user_stats *stats);
void plane_user_stats_sum(const struct plane *plane, struct plane_user_stats *stats);

#endif
