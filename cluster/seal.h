/*
 * seal.h -- cluster datagrams: encrypted, authenticated, and fresh.
 *
 * Pure.  ChaCha20-Poly1305 (RFC 8439) with a key of its own for each boot of each
 * node, HKDF-SHA256 (RFC 5869) of the cluster's secret, the cluster's name, the
 * node and its boot id; so counters may begin at 0 after every start.  Nothing
 * behind the header is looked at before the tag holds.
 *
 * Header, 36 octets, in clear but authenticated:
 *
 *	magic 2 | format 1 | key id 1 | cluster 2 | node 2 | to 2 | spare 2 | boot 16 | stream 1, counter 7
 *
 * `to` is 0 in multicast.  The nonce is (to, stream, counter), so that what was sent
 * to one node cannot be played to another.  A boot counts all its datagrams with one
 * counter, from 1.  A receiver keeps a window of 4,096 counters for each (sender, to,
 * stream); an unknown boot id is taken over only after its node answered a challenge,
 * and its predecessor is then dropped for ever.  What a node sealed before the answer
 * is never opened after it: so a receiver that was restarted cannot be played what it
 * missed, nor what it has forgotten.
 *
 * The cluster's two octets are those of a hash of its name; the name itself is in the
 * keys.  Salt of the extraction: SHA-256 of a label and the name; info of the
 * expansion: key id 1, node 2, boot 16.
 *
 * Two secrets may be known at once (key ids 1..255): both are accepted, one is used
 * for sending, so that a key can be changed without losing a beat.
 */
#ifndef CLUSTER_SEAL_H
#define CLUSTER_SEAL_H

#include "cluster/node.h"
#include "l2tpns/base/base.h"
#include "l2tpns/base/mono.h"
#include "l2tpns/base/rnd.h"
#include "l2tpns/base/why.h"

#define SEAL_MAGIC		0x636cu	/* the first two octets: "cl" */
#define SEAL_FORMAT		1u
#define SEAL_HEADER_LEN		36u
#define SEAL_TAG_LEN		16u
#define SEAL_OVERHEAD		(SEAL_HEADER_LEN + SEAL_TAG_LEN)
#define SEAL_SECRET_LEN		32u
#define SEAL_SECRETS_MAX	4u
#define SEAL_WINDOW		4096u

enum seal_stream { SEAL_MULTICAST, SEAL_UNICAST, SEAL_BULK, SEAL_STREAMS };

struct boot_id { uint8_t b[16]; };

struct seal;				/* opaque; sized by seal_size() */

struct seal_secret { uint8_t id; uint8_t octets[SEAL_SECRET_LEN]; };	/* id 0: no secret */

size_t seal_size(void);
/* Draws the boot id from `rnd`.  `cluster` is a name both sides must share. */
void seal_init(struct seal *seal, struct node_id self, struct bytes cluster, struct rnd *rnd);
/* Which secrets are known, and which of them seals what we send; others are wiped.  Of two with one id the first
 * counts; when `sending` is not among them, nothing can be sealed. */
void seal_secrets(struct seal *seal, const struct seal_secret secret[SEAL_SECRETS_MAX], uint8_t sending);
uint8_t seal_sending(const struct seal *seal);		/* 0: nothing can be sealed */
struct boot_id seal_boot(const struct seal *seal);
void seal_wipe(struct seal *seal);

/* Seal `plain` (at most room - SEAL_OVERHEAD octets, not those of `out`) into `out`; to 0 is multicast.  Returns the
 * length; 0: no secret to seal with, or no room. */
MUST_USE size_t seal_close(struct seal *seal, struct node_id to, enum seal_stream stream, struct bytes plain,
			   uint8_t *out, size_t room);

enum seal_said {
	SEAL_OPENED,		/* plain holds the message, from a boot that is known */
	SEAL_UNKNOWN_BOOT,	/* plain holds an authentic message whose age is unknown: only a challenge or its
				 * answer may be acted on */
	SEAL_REFUSED		/* why says why */
};

struct seal_opened {			/* of what was refused, all but `why` is what the packet claims, or 0 */
	struct node_id	 node;
	struct boot_id	 boot;
	struct node_id	 to;
	enum seal_stream stream;
	struct bytes	 plain;		/* in the caller's room */
	enum why	 why;
};

/* Checks cheapest first: length, magic, cluster, our own boot, key id, addressed to us, window or dropped boot, tag.
 * The window moves only after the tag held.  WHY_CL_* say which failed.  WHY_CL_DUPLICATE: authentic, and from our own
 * node id, but not from this boot: another node has it (or somebody plays what we sent before we were restarted). */
MUST_USE enum seal_said seal_open(struct seal *seal, struct bytes packet, uint8_t *room, size_t len,
				  struct seal_opened *opened);

/* A challenge for a node whose boot id is unknown; false: asked too often (once in 100 ms for each node), or that boot
 * needs none.  Any boot of the node may answer it, so that playing old boots to us cannot keep out the living one. */
MUST_USE bool seal_challenge(struct seal *seal, struct node_id node, struct boot_id boot, struct mono now,
			     struct rnd *rnd, uint8_t nonce[16]);
/* The answer came, in the packet that seal_open() opened last, as SEAL_UNKNOWN_BOOT: from now on that boot is the
 * node's, and no older one.  False: not what was asked, or nothing new; nothing has changed then. */
MUST_USE bool seal_answered(struct seal *seal, struct node_id node, struct boot_id boot, const uint8_t nonce[16]);
bool seal_knows(const struct seal *seal, struct node_id node, struct boot_id *boot);	/* boot may be NULL */

#endif
