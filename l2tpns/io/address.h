/*
 * address.h -- the service address on one interface: there while it is wanted, and announced when it appears.
 *
 * Never waits: the kernel is asked over netlink, its answers and its own messages
 * arrive on one descriptor.  address_fsm.h decides.
 */
#ifndef IO_ADDRESS_H
#define IO_ADDRESS_H

#include "l2tpns/base/addr.h"
#include "l2tpns/base/mono.h"

#define ADDRESS_ERROR_MAX	160

struct address_owner;

struct address_conf {
	const char	*interface;
	struct ip	address;	/* put as /32 or /128 */
	bool		announce;	/* by gratuitous ARP or unsolicited neighbour advertisement */
	void		(*say)(void *ctx, const char *text);	/* a line for the log; may be NULL */
	void		*ctx;
};

/* While raw sockets may still be opened.  0 or -errno, and `error` says what failed. */
MUST_USE int address_open(struct address_owner **owner, const struct address_conf *conf, struct mono now,
			  char error[ADDRESS_ERROR_MAX]);
/* Takes the address off. */
void address_close(struct address_owner *owner);

int address_fd(const struct address_owner *owner);	/* readable: call address_tick() */
void address_want(struct address_owner *owner, bool here, struct mono now);	/* then address_tick() */
/* Hear the kernel, do what is due; returns when to be called again at the latest. */
MUST_USE struct mono address_tick(struct address_owner *owner, struct mono now);
bool address_here(const struct address_owner *owner);	/* the kernel has it */

#endif
