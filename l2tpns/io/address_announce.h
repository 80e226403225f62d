/*
 * address_announce.h -- telling the neighbours who has an address now: ARP and neighbour discovery.
 */
#ifndef IO_ADDRESS_ANNOUNCE_H
#define IO_ADDRESS_ANNOUNCE_H

#include "l2tpns/base/addr.h"

/* A socket that can announce the address; needs CAP_NET_RAW.  The descriptor or -errno. */
MUST_USE int address_announcer(struct ip address);
/* Once, on that interface.  0 or -errno. */
MUST_USE int address_announce(int fd, unsigned ifindex, const char *interface, struct ip address);

#endif
