/*
 * replica.h -- the control plane's objects as records, and records as objects.
 *
 * Pure.  Everything a new master needs to go on is in a record: tunnels with their
 * numbers and what is not acknowledged, sessions with their negotiation, verdicts and
 * addresses.  A record is tagged fields, one row each (core/replica_rows.c); fields
 * that are zero are left out, and fields a newer node wrote are kept and given back.
 *
 * Keys.  0: nothing.  1..65535: the tunnel of that id.  REPLICA_SESSIONS + row: the
 * session of that row.  REPLICA_MESSAGES + n: the unacknowledged or waiting control
 * message in place n of the channels' pool.
 *
 * On the master, lns marks the key of whatever may have changed.  Before the shell
 * carries out a list of effects it asks lns_marked_next() for every marked key, has
 * replica_encode() write the object as it is then, and hands the octets on; what the
 * list sends waits until they have arrived.  On a slave replica_apply() makes the
 * object what the record says: indices, pools, timers and the data plane follow at once, and
 * records may come in any order that is possible when changes of one record are
 * joined: a session before its tunnel, an address before its last holder gave it back.
 *
 * A slave's lns is entered by nothing else: its timers run, but only push themselves
 * on.  lns_role() makes it act.
 */
#ifndef CORE_REPLICA_H
#define CORE_REPLICA_H

#include "l2tpns/core/lns.h"

#define REPLICA_TUNNELS		0u
#define REPLICA_SESSIONS	65536u
#define REPLICA_MAX		1200u	/* octets of one record */

uint32_t replica_keys(const struct lns_conf *conf);		/* all keys are below this */
uint32_t replica_messages(const struct lns_conf *conf);		/* the first key of a message */

/* Times in records are cluster time, in microseconds; `offset` is cluster time - local time. */
struct replica_clock { int64_t offset_us; };

/* The object's record, written to `w`; nothing is written when it does not exist.  At most REPLICA_MAX octets. */
void replica_encode(const struct lns *lns, uint32_t key, struct replica_clock clock, struct wr *w);

/* Make it so.  Empty octets: the object is gone.  WHY_OK, or WHY_CL_VALUE for a record this node cannot
 * understand (a field that must be understood, an impossible value): the object is left as it was.  WHY_CL_FULL:
 * so much has to go first that the list is full; carry it out, clear it, and call again with the same. */
enum why replica_apply(struct lns *lns, uint32_t key, struct bytes octets, struct replica_clock clock,
		       struct mono now, struct fx_list *out);

/* May an object that another master made while we were cut off be taken as it is: is its number free here, its
 * address, its tunnel's peer?  For records offered after a split. */
bool replica_mergeable(const struct lns *lns, uint32_t key, struct bytes octets);
/* It cannot: if it is a call, its LAC is told so, unless it is the very call that we have here. */
void replica_refuse(struct lns *lns, uint32_t key, struct bytes octets, struct mono now, struct fx_list *out);

/* The next key whose object may have changed since it was asked for; false: no more.  Kept messages come before
 * the numbers of their tunnels, and messages that are gone after them: l2tp_chan.c builds upon that order. */
MUST_USE bool lns_marked_next(struct lns *lns, uint32_t *key);

enum lns_role { LNS_ALONE, LNS_SLAVE, LNS_MASTER };	/* ALONE: no cluster, nothing is replicated */
/* Constant cost.  SLAVE to MASTER: what was in flight goes on by its timers, within 100 ms. */
void lns_role(struct lns *lns, enum lns_role role, struct mono now, struct fx_list *out);

/* Drop every object without a word to anybody, a slice a call: false means "call again". */
MUST_USE bool lns_forget(struct lns *lns, struct mono now, struct fx_list *out);

/* While there is no master: answer what keeps a peer from giving up (HELLO, LCP Echo-Request) from what is known, and
 * change nothing that is replicated.  False: this packet is not such. */
MUST_USE bool lns_keepalive(struct lns *lns, struct addr from, struct ip local, struct bytes packet, struct mono now,
			    struct fx_list *out);

#endif
