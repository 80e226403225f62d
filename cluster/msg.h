/*
 * msg.h -- what the nodes of a cluster say to each other.
 *
 * Pure codec; sealing is seal.h's.  A message is a fixed part and, for some types, a
 * list or octets behind it.  The fixed part carries its own length: a later version
 * may append fields, which an older reader skips and a newer one takes as 0 when they
 * are missing.  Multi-octet integers in network order.
 *
 *	type 1 | proto 1 | fixed length 2 | term 4 | the fixed part's other fields | the rest
 *
 * The fixed length counts from the type.  It may end before any field, not within one.
 * A rest behind a type that has none here is a later version's, and skipped.
 *
 * The names are those of the cluster protocol of old: PING, HEARTBEAT, LASTSEEN, KILL,
 * FORWARD, BYTES, MASTER; what is new has a name of its own.
 */
#ifndef CLUSTER_MSG_H
#define CLUSTER_MSG_H

#include "cluster/node.h"
#include "cluster/records.h"
#include "cluster/version.h"
#include "l2tpns/base/addr.h"
#include "l2tpns/base/rd.h"
#include "l2tpns/base/why.h"
#include "l2tpns/base/wr.h"

#define CL_PROTO_MIN	1u
#define CL_PROTO_MAX	1u
#define CL_PLAIN_MAX	1348u		/* octets of a message: with its seal, 1,400, so that IP never cuts it */
#define CL_FORWARD_MAX	2048u		/* octets of a forwarded packet: the one message that may be longer */

enum cl_type {
	CL_PING = 1,		/* everybody, each interval, to all: I am here */
	CL_HEARTBEAT,		/* master to all: changed records as they come, at least one each interval */
	CL_LASTSEEN,		/* slave to master (or donor): how far I am; also "resend", and "are you alive?" */
	CL_RECORDS,		/* answer to LASTSEEN with credit: what follows, in order of change */
	CL_NEED,		/* slave to master: re-issue these keys, mine differ */
	CL_OFFER,		/* slave to master: changes I alone have, from a term that is over */
	CL_BUCKET,		/* slave to master: which versions are in this bucket? */
	CL_CONTENTS,		/* its answer */
	CL_KILL,		/* master to a slave: drop your copy and join afresh */
	CL_FORWARD,		/* a packet for the master, or for a node that knows its session */
	CL_BYTES,		/* everybody to all: cumulative counters, opaque here */
	CL_MASTER,		/* anybody: you are talking to the wrong node, or in a term that is over */
	CL_PRECLAIM,		/* candidate to all: would you grant me this term? */
	CL_CLAIM,		/* candidate to all: grant me this term */
	CL_GRANT,		/* the answer to either: yes, or no and why */
	CL_LEAVE,		/* master to all: this term is over; who should go on */
	CL_LEFT,		/* the answer to LEAVE */
	CL_CHALLENGE,		/* to an unknown boot: prove that you are alive */
	CL_RESPONSE,
	CL_COMMAND,		/* an operator's wish for another node */
	CL_DONE,		/* its answer */
	CL_TYPES
};

enum cl_ping_flag {
	CL_IS_MASTER	  = 1 << 0,
	CL_IS_UP_TO_DATE  = 1 << 1,
	CL_IS_FRESH	  = 1 << 2,	/* nothing verified since it started: it neither votes nor counts */
	CL_IS_FROZEN	  = 1 << 3,
	CL_IS_CANDIDATE	  = 1 << 4,
	CL_IS_HEALTHY	  = 1 << 5,	/* its own self-test says that it forwards */
};

struct cl_ping {
	uint64_t	basetime_ms;	/* age of the node's process, at least 1; 0: it is leaving */
	uint32_t	number;		/* of this ping */
	uint16_t	flags;		/* enum cl_ping_flag */
	struct version	have;		/* all changes up to here are in its table */
	struct version	synced;		/* the last position at which its digest was verified */
	uint32_t	join_no;	/* seniority given by a master; 0 = none yet */
	struct ip	address;	/* of its cluster interface: the tie-break */
	struct node_id	master;		/* whom it follows; 0 = nobody */
	uint32_t	master_term;
	uint32_t	config_digest;	/* of what must agree: see cl_conf_digest() */
	/* the same in words, so that a log line can name the field */
	uint16_t	interval_ms, dead_ms, votes, keys_kilo;
	uint8_t		proto_min, proto_max;
	uint32_t	sessions;	/* for show */
	uint32_t	late_max_us;	/* its worst lateness in the last minute, for show */
	struct bytes	heard;		/* list of struct cl_heard: which nodes it hears, and how */
};

struct cl_heard {			/* 3 octets in the list */
	struct node_id	node;
	uint8_t		how;		/* 1: by multicast, 2: by unicast, 4: as master */
};

enum cl_beat_flag {
	CL_BEAT_PERIODIC = 1 << 0,	/* sent because the interval was over */
	CL_BEAT_BEHIND	 = 1 << 1,	/* some slave is not up to date: beats come faster */
	CL_BEAT_ROOT	 = 1 << 2,	/* nothing is behind upto: root, digests and walk are of that very position */
};

struct cl_heartbeat {
	uint32_t	number;		/* of this heartbeat in its term */
	uint16_t	flags;
	uint64_t	sent_us;	/* the master's clock when it was sent; given back in LASTSEEN */
	uint64_t	cluster_us;	/* cluster time: see cl_time() */
	struct version	base;		/* where this term began: the last change of the terms before */
	struct version	prev, upto;	/* this datagram has every change after prev up to upto that still stands */
	struct version	committed;
	uint64_t	root;		/* digest of the whole table at upto */
	uint16_t	bucket;		/* first of the digests below */
	uint8_t		buckets;	/* how many, of 8 octets each, at the front of rest */
	uint8_t		walks;		/* then how many (key 4, version 8) of the slow walk */
	struct bytes	rest;		/* digests, walk, then records (see cl_record_next) to the end */
};

enum cl_lastseen_flag {
	CL_SEEN_GAP	   = 1 << 0,	/* something is missing: send what follows `have` */
	CL_SEEN_PROBE	   = 1 << 1,	/* you have been silent: answer with a heartbeat */
	CL_SEEN_UP_TO_DATE = 1 << 2,
	CL_SEEN_VERIFIED   = 1 << 3,	/* the digest agreed at `have` */
	CL_SEEN_WHOLE	   = 1 << 4,	/* nothing before `have` is still to come */
};

struct cl_lastseen {
	uint16_t	flags;
	struct version	have;
	uint64_t	sent_us;	/* of the latest heartbeat heard in this term */
	uint16_t	credit;		/* datagrams of RECORDS it is ready to take; 0 = none wanted */
	uint32_t	round;		/* of this resend; RECORDS repeat it */
};

enum cl_records_flag {
	CL_RECORDS_END	= 1 << 0,	/* the donor has no more: root is that of its table */
	CL_RECORDS_ROOT	= 1 << 1,	/* and the donor's table is the master's at upto: it was verified just there */
};

struct cl_records {
	uint32_t	round;
	uint16_t	flags;
	struct version	prev, upto;
	struct version	have;		/* how far the donor is */
	uint64_t	root;
	struct bytes	rest;		/* records */
};

struct cl_need { struct bytes rest; };			/* keys, 4 octets each */

enum cl_offer_flag { CL_OFFER_LAST = 1 << 0 };

struct cl_offer {
	struct version	base;		/* of the term it is offered to */
	uint16_t	flags;
	struct bytes	rest;		/* records with their old versions */
};

struct cl_bucket { uint16_t bucket; };

struct cl_contents {
	uint16_t	bucket;
	uint16_t	part, parts;	/* this datagram's place among those of the bucket */
	struct version	upto;		/* the position it describes */
	struct bytes	rest;		/* (key 4, version 8) */
};

/* Who is meant: the first half of its boot id. */
struct cl_kill { uint64_t boot_hi; uint32_t number; uint16_t why; };

struct cl_forward {
	uint32_t	number;
	uint8_t		kind;		/* the shell's own: what the packet is */
	uint8_t		hops;		/* nodes it has passed; more than 2 is refused */
	struct addr	from;		/* the packet's own source */
	struct ip	local;		/* and the address of ours it was sent to */
	struct bytes	rest;		/* the packet */
};

struct cl_bytes { struct bytes rest; };

struct cl_master {
	struct node_id	master;
	uint32_t	master_term;
	struct ip	address;
	uint8_t		about;		/* enum cl_type refused */
};

struct cl_claim {			/* PRECLAIM and CLAIM; the wanted term is the header's */
	uint32_t	round;
	struct version	have;
	uint64_t	age_ms;		/* seniority: compared as sent, so that both sides see the same */
	uint32_t	join_no;
	struct ip	address;
	uint8_t		rank;
	uint8_t		after_leave;	/* the last master named it */
};

enum cl_refusal {
	CL_GRANTED, CL_NO_TERM_OLD, CL_NO_MASTER_ALIVE, CL_NO_FRESH, CL_NO_PROMISED, CL_NO_NOT_MEMBER, CL_NO_CONFIG,
	CL_NO_OLDER_WAITS, CL_REFUSALS
};

struct cl_grant {
	uint32_t	round;
	uint8_t		claim;		/* 0: answers a PRECLAIM, 1: a CLAIM */
	uint8_t		refusal;	/* enum cl_refusal */
	uint32_t	promised;	/* the highest term it promised or follows */
	struct version	have;
	uint8_t		fresh;
	struct node_id	master;		/* whom it follows */
};

struct cl_leave { struct version upto; struct node_id successor; uint32_t number; uint64_t root; };
struct cl_left { struct version have; uint32_t number; };
struct cl_challenge { uint8_t nonce[16]; };			/* RESPONSE the same, and both boot ids */
struct cl_response { uint8_t nonce[16], asked[16], answers[16]; };
struct cl_command { uint64_t boot_hi; uint32_t number; uint8_t verb; struct node_id argument; };
struct cl_done { uint32_t number; uint8_t verb, ok; struct bytes rest; };	/* rest: words for the operator */

struct cl_msg {
	enum cl_type	type;
	uint8_t		proto;		/* to be sent: 0 is CL_PROTO_MAX */
	uint32_t	term;		/* the sender's, or the one it asks for */
	union {
		struct cl_ping ping; struct cl_heartbeat heartbeat; struct cl_lastseen lastseen;
		struct cl_records records; struct cl_need need; struct cl_offer offer; struct cl_bucket bucket;
		struct cl_contents contents; struct cl_kill kill; struct cl_forward forward; struct cl_bytes bytes;
		struct cl_master master; struct cl_claim claim; struct cl_grant grant; struct cl_leave leave;
		struct cl_left left; struct cl_challenge challenge; struct cl_response response;
		struct cl_command command; struct cl_done done;
	};
};

const char *cl_type_name(enum cl_type type);		/* "unknown" for what is none */
const char *cl_refusal_text(enum cl_refusal refusal);	/* a short sentence for the log, also for later versions' */

/* The whole message; what does not fit makes the writer bad. */
void cl_msg_encode(const struct cl_msg *msg, struct wr *w);
/*
 * Loans of `plain`.  WHY_OK, WHY_CL_SHORT, WHY_CL_LONG, WHY_CL_TYPE, WHY_CL_PROTO or WHY_CL_VALUE; lists are checked
 * to their end, so that the readers below cannot fail on a decoded message.  Beyond that a decoded message has:
 *
 *	every term <= TERM_MAX, also in versions; node ids below 65535; flags and codes of later versions as they came
 *	HEARTBEAT, RECORDS: prev <= upto, and versions of the records rising from behind prev to upto at most
 *	HEARTBEAT: bucket + buckets <= RECORD_BUCKETS
 *	OFFER: a version in every record
 *	CONTENTS: keys of that bucket, and part <= parts
 *
 * Keys may be of any size: how many there are is the table's business.
 */
MUST_USE enum why cl_msg_decode(struct bytes plain, struct cl_msg *msg);

/* Lists.  Each reads or writes one entry; false at the end (or when it does not fit: nothing is written). */
#define CL_RECORD_OVERHEAD	14u	/* key 4, version 8, length 2 */
MUST_USE bool cl_record_next(struct rd *r, struct record *record);
MUST_USE bool cl_record_add(struct wr *w, const struct record *record);
MUST_USE bool cl_heard_next(struct rd *r, struct cl_heard *heard);
MUST_USE bool cl_heard_add(struct wr *w, const struct cl_heard *heard);

#endif
