/*
 * tun.h -- the device subscribers' packets come from and go to: one tun, a queue for each worker.
 *
 * Needs CAP_NET_ADMIN to open.  Each queue is not blocking and carries a virtio
 * header of ten octets, so that the kernel may leave checksums and segmentation
 * to whoever reads.  The device goes when the last queue is closed.
 *
 * Threaded: what is written is queued, and a kernel thread per queue takes it on
 * in batches.  The writer does not pay for forwarding, and the batches make that
 * itself a quarter cheaper.  Otherwise each write carries its packet all the way.
 */
#ifndef IO_TUN_H
#define IO_TUN_H

#include "l2tpns/base/addr.h"

#define TUN_QUEUES_MAX	64
#define TUN_NAME_MAX	15
#define TUN_ERROR_MAX	160

struct tun_conf {
	const char	*name;		/* "tun%d" lets the kernel choose the number */
	struct ip4	 address;	/* ours, as a /32; 0 = none */
	unsigned	 mtu;		/* octets; 0 = the kernel's default */
	unsigned	 queues;
	unsigned	 queue_packets;	/* how many wait to be read; 0 = the kernel's default */
	bool		 threaded;	/* if the kernel (5.12) and /sys allow it */
};

struct tun {
	char		name[TUN_NAME_MAX + 1];
	unsigned	index;		/* the interface's number */
	unsigned	queues;
	int		fd[TUN_QUEUES_MAX];
	bool		uso;		/* large UDP packets pass both ways: kernel 6.2 */
	bool		threaded;
};

/* 0, or -errno and what went wrong, in words. */
MUST_USE int tun_open(struct tun *tun, const struct tun_conf *conf, char error[TUN_ERROR_MAX]);
void tun_close(struct tun *tun);

#endif
