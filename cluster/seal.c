/*
 * seal.c -- sealing, and opening in the order of cost: what is refused before the tag costs next to nothing.
 *
 * One counter serves everything a boot ever sends, to whomever.  So a nonce cannot come
 * twice, and the counter of an answered challenge tells which datagrams are older than
 * the challenge: none of those is ever opened, though their boot is the living one.
 *
 * What refusing costs, whatever a flood is made of: for a replay, an old boot or our own
 * packet a search of at most 32 numbers; for a forged tag one deciphering; for an
 * unknown boot id two blocks of SHA-256 besides.  Nothing of it is remembered.
 */
#include <nettle/chacha-poly1305.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>

#include "cluster/seal.h"
#include "l2tpns/base/rd.h"
#include "l2tpns/base/wr.h"

#define WORDS		(SEAL_WINDOW / 64)
#define DROPPED_MAX	8u		/* boots of a node remembered as over; older ones count as unknown */
#define NONCES_MAX	8u		/* challenges of a node that may be under way */
#define CHALLENGE_GAP	DUR_MS(100)
#define COUNTER_MAX	((UINT64_C(1) << 56) - 1)

struct key { uint8_t b[CHACHA_POLY1305_KEY_SIZE]; };

struct secret {
	uint8_t		id;		/* 0: none */
	struct hmac_sha256_ctx expand;	/* keyed with the extracted secret: two blocks of SHA-256 make a key */
};

struct window {
	uint64_t	top;		/* the highest counter taken */
	uint64_t	taken[WORDS];	/* by counter modulo SEAL_WINDOW, of those at and below it */
};

struct sender {
	struct boot_id	boot;
	struct boot_id	dropped[DROPPED_MAX];
	unsigned	drops;		/* ever */
	unsigned	derived;	/* bit n: key[n] is made of secret[n] */
	struct key	key[SEAL_SECRETS_MAX];
	uint64_t	used;		/* when it was last heard, counted in packets opened */
	struct window	window[2][SEAL_STREAMS];	/* to all, to us */
};

struct asked {
	struct node_id	node;
	struct mono	last;
	unsigned	number;		/* nonces drawn since one was answered */
	uint8_t		nonce[NONCES_MAX][16];
};

struct seal {
	struct node_id	self;
	struct boot_id	boot;
	uint64_t	counter;	/* of the last datagram sealed */
	uint8_t		salt[SHA256_DIGEST_SIZE];	/* of the cluster's name; each header has its first two */
	struct secret	secret[SEAL_SECRETS_MAX];
	uint8_t		sending;	/* id; 0: nothing can be sealed */
	struct key	own;
	struct key	passing;	/* of the unknown boot looked at last: it takes no one's place */
	struct chacha_poly1305_ctx aead;
	uint16_t	who[CLUSTER_NODES_MAX];		/* whose sender[] is; apart, so that a search reads one line */
	struct sender	sender[CLUSTER_NODES_MAX];
	struct asked	asked[CLUSTER_NODES_MAX];
	uint64_t	opened;
	struct {			/* the packet opened last, if its boot is unknown */
		struct node_id	node;
		struct boot_id	boot;
		uint64_t	counter;
	} unproved;
};

struct header {
	uint16_t	magic, cluster;
	uint8_t		format, key_id, stream;
	struct node_id	node, to;
	struct boot_id	boot;
	uint64_t	counter;
};

size_t seal_size(void)
{
	return sizeof(struct seal);
}

void seal_init(struct seal *seal, struct node_id self, struct bytes cluster, struct rnd *rnd)
{
	static const char label[] = "l2tpns cluster, format 1: ";
	struct sha256_ctx sha;

	memset(seal, 0, sizeof(*seal));
	seal->self = self;
	rnd_fill(rnd, seal->boot.b, sizeof(seal->boot.b));
	sha256_init(&sha);
	sha256_update(&sha, sizeof(label) - 1, (const uint8_t *)label);
	sha256_update(&sha, cluster.len, cluster.p);
	sha256_digest(&sha, sizeof(seal->salt), seal->salt);
}

void seal_wipe(struct seal *seal)
{
	explicit_bzero(seal, sizeof(*seal));
}

struct boot_id seal_boot(const struct seal *seal)
{
	return seal->boot;
}

uint8_t seal_sending(const struct seal *seal)
{
	return seal->sending;
}

static bool boot_eq(const struct boot_id *a, const struct boot_id *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* ---- keys ---- */

/* RFC 5869 2.2, done once for each secret. */
static void secret_extract(struct secret *secret, const struct seal_secret *from,
			   const uint8_t salt[SHA256_DIGEST_SIZE])
{
	uint8_t prk[SHA256_DIGEST_SIZE];

	hmac_sha256_set_key(&secret->expand, SHA256_DIGEST_SIZE, salt);
	hmac_sha256_update(&secret->expand, SEAL_SECRET_LEN, from->octets);
	hmac_sha256_digest(&secret->expand, sizeof(prk), prk);
	hmac_sha256_set_key(&secret->expand, sizeof(prk), prk);
	secret->id = from->id;
	explicit_bzero(prk, sizeof(prk));
}

/* RFC 5869 2.3 for one block: T(1) = HMAC(PRK, info | 1).  It fits one block of SHA-256 inside, one outside. */
static void secret_expand(struct secret *secret, struct node_id node, const struct boot_id *boot, struct key *key)
{
	uint8_t info[20];
	struct wr w = wr_of(info, sizeof(info));

	wr_u8(&w, secret->id);
	wr_u16(&w, node.n);
	wr_put(&w, boot->b, sizeof(boot->b));
	wr_u8(&w, 1);
	ASSERT(wr_ok(&w));
	hmac_sha256_update(&secret->expand, sizeof(info), info);
	hmac_sha256_digest(&secret->expand, sizeof(key->b), key->b);	/* and is keyed anew */
}

/* Number in secret[], or SEAL_SECRETS_MAX. */
static unsigned secret_find(const struct seal *seal, uint8_t id)
{
	unsigned i = 0;

	while (i < SEAL_SECRETS_MAX && (id == 0 || seal->secret[i].id != id))
		i++;
	return i;
}

void seal_secrets(struct seal *seal, const struct seal_secret secret[SEAL_SECRETS_MAX], uint8_t sending)
{
	explicit_bzero(seal->secret, sizeof(seal->secret));
	explicit_bzero(&seal->own, sizeof(seal->own));
	explicit_bzero(&seal->passing, sizeof(seal->passing));
	explicit_bzero(&seal->aead, sizeof(seal->aead));
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		explicit_bzero(seal->sender[i].key, sizeof(seal->sender[i].key));
		seal->sender[i].derived = 0;
	}
	for (unsigned i = 0; i < SEAL_SECRETS_MAX; i++)
		if (secret[i].id)
			secret_extract(&seal->secret[i], &secret[i], seal->salt);
	unsigned own = secret_find(seal, sending);

	seal->sending = own < SEAL_SECRETS_MAX ? sending : 0;
	if (seal->sending)
		secret_expand(&seal->secret[own], seal->self, &seal->boot, &seal->own);
}

/* ---- RFC 8439 ---- */

/* The nonce is (to, 0, stream and counter): two stretches of the header as it is. */
static void aead_start(struct seal *seal, const struct key *key, const uint8_t header[SEAL_HEADER_LEN])
{
	uint8_t nonce[CHACHA_POLY1305_NONCE_SIZE] = { header[8], header[9] };

	memcpy(nonce + 4, header + 28, 8);
	chacha_poly1305_set_key(&seal->aead, key->b);
	chacha_poly1305_set_nonce(&seal->aead, nonce);
	chacha_poly1305_update(&seal->aead, SEAL_HEADER_LEN, header);
}

size_t seal_close(struct seal *seal, struct node_id to, enum seal_stream stream, struct bytes plain, uint8_t *out,
		  size_t room)
{
	struct wr w = wr_of(out, room);

	ASSERT(stream < SEAL_STREAMS && seal->counter < COUNTER_MAX);
	if (!seal->sending || room < SEAL_OVERHEAD || plain.len > room - SEAL_OVERHEAD)
		return 0;
	wr_u16(&w, SEAL_MAGIC);
	wr_u8(&w, SEAL_FORMAT);
	wr_u8(&w, seal->sending);
	wr_put(&w, seal->salt, 2);
	wr_u16(&w, seal->self.n);
	wr_u16(&w, to.n);
	wr_u16(&w, 0);
	wr_put(&w, seal->boot.b, sizeof(seal->boot.b));
	wr_u64(&w, (uint64_t)stream << 56 | ++seal->counter);

	aead_start(seal, &seal->own, out);
	uint8_t *text = wr_take(&w, plain.len), *tag = wr_take(&w, SEAL_TAG_LEN);

	if (plain.len > 0)
		chacha_poly1305_encrypt(&seal->aead, plain.len, text, plain.p);
	chacha_poly1305_digest(&seal->aead, SEAL_TAG_LEN, tag);
	ASSERT(wr_ok(&w));
	return wr_len(&w);
}

/* On failure nothing of what was deciphered is left in `room`. */
static bool aead_open(struct seal *seal, const struct key *key, struct bytes packet, uint8_t *room)
{
	uint32_t len = packet.len - SEAL_OVERHEAD;
	uint8_t tag[SEAL_TAG_LEN];

	aead_start(seal, key, packet.p);
	if (len > 0)
		chacha_poly1305_decrypt(&seal->aead, len, room, packet.p + SEAL_HEADER_LEN);
	chacha_poly1305_digest(&seal->aead, sizeof(tag), tag);
	if (memeql_sec(tag, packet.p + SEAL_HEADER_LEN + len, sizeof(tag)))
		return true;
	if (len > 0)
		memset(room, 0, len);
	return false;
}

/* ---- the window ---- */

static bool window_has_room(const struct window *w, uint64_t counter)
{
	if (counter > w->top)
		return true;
	return w->top - counter < SEAL_WINDOW && !(w->taken[counter / 64 % WORDS] >> counter % 64 & 1);
}

static void window_take(struct window *w, uint64_t counter)
{
	if (counter > w->top) {
		uint64_t at = w->top + 1;

		if (counter - w->top >= SEAL_WINDOW) {
			memset(w->taken, 0, sizeof(w->taken));
			at = counter;
		}
		while (at <= counter) {		/* whole words where it can */
			bool word = at % 64 == 0 && counter - at >= 63;

			w->taken[at / 64 % WORDS] &= word ? 0 : ~(UINT64_C(1) << at % 64);
			at += word ? 64 : 1;
		}
		w->top = counter;
	}
	w->taken[counter / 64 % WORDS] |= UINT64_C(1) << counter % 64;
}

/* ---- senders ---- */

static struct sender *sender_find(struct seal *seal, struct node_id node)
{
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++)
		if (seal->who[i] == node.n)
			return node.n ? &seal->sender[i] : NULL;
	return NULL;
}

static bool sender_dropped(const struct sender *sender, const struct boot_id *boot)
{
	for (unsigned i = 0; i < DROPPED_MAX && i < sender->drops; i++)
		if (boot_eq(&sender->dropped[i], boot))
			return true;
	return false;
}

/* A place for a node that has just proved itself: a free one, or that of whom was not heard longest. */
static struct sender *sender_place(struct seal *seal, struct node_id node)
{
	unsigned place = 0;

	for (unsigned i = 0; i < CLUSTER_NODES_MAX && seal->who[place]; i++)
		if (!seal->who[i] || seal->sender[i].used < seal->sender[place].used)
			place = i;
	explicit_bzero(&seal->sender[place], sizeof(seal->sender[place]));
	seal->who[place] = node.n;
	return &seal->sender[place];
}

/* The key of a known boot is made once and kept; that of an unknown one is made each time and kept nowhere. */
static const struct key *sender_key(struct seal *seal, struct sender *known, const struct header *header)
{
	unsigned i = secret_find(seal, header->key_id);

	ASSERT(i < SEAL_SECRETS_MAX);
	if (!known) {
		secret_expand(&seal->secret[i], header->node, &header->boot, &seal->passing);
		return &seal->passing;
	}
	if (!(known->derived >> i & 1)) {
		secret_expand(&seal->secret[i], header->node, &header->boot, &known->key[i]);
		known->derived |= 1u << i;
	}
	return &known->key[i];
}

bool seal_knows(const struct seal *seal, struct node_id node, struct boot_id *boot)
{
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++) {
		if (seal->who[i] != node.n || !node.n)
			continue;
		if (boot)
			*boot = seal->sender[i].boot;
		return true;
	}
	return false;
}

/* ---- opening ---- */

static void header_decode(struct bytes packet, struct header *h)
{
	struct rd r = rd_bytes(packet);

	h->magic = rd_u16(&r);
	h->format = rd_u8(&r);
	h->key_id = rd_u8(&r);
	h->cluster = rd_u16(&r);
	h->node.n = rd_u16(&r);
	h->to.n = rd_u16(&r);
	(void)rd_u16(&r);		/* spare: covered by the tag, whatever a later sender puts there */
	memcpy(h->boot.b, rd_take(&r, sizeof(h->boot.b)), sizeof(h->boot.b));
	uint64_t number = rd_u64(&r);

	h->stream = (uint8_t)(number >> 56);
	h->counter = number & COUNTER_MAX;
}

/* What the header alone tells. */
static enum why header_refused(const struct seal *seal, const struct header *h)
{
	if (h->magic != SEAL_MAGIC || h->format != SEAL_FORMAT)
		return WHY_CL_MAGIC;
	if (h->cluster != (seal->salt[0] << 8 | seal->salt[1]))
		return WHY_CL_CLUSTER;
	if (node_eq(h->node, seal->self) && boot_eq(&h->boot, &seal->boot))
		return WHY_CL_SELF;
	if (secret_find(seal, h->key_id) == SEAL_SECRETS_MAX)
		return WHY_CL_KEY;
	if (h->to.n && !node_eq(h->to, seal->self))
		return WHY_CL_TO;
	if (h->node.n == 0 || h->node.n == UINT16_MAX || h->stream >= SEAL_STREAMS)
		return WHY_CL_VALUE;
	return WHY_OK;
}

static enum seal_said refuse(struct seal_opened *opened, enum why why)
{
	opened->why = why;
	return SEAL_REFUSED;
}

enum seal_said seal_open(struct seal *seal, struct bytes packet, uint8_t *room, size_t len, struct seal_opened *opened)
{
	struct header h;

	*opened = (struct seal_opened){ 0 };
	seal->unproved.node.n = 0;
	if (packet.len < SEAL_OVERHEAD)
		return refuse(opened, WHY_CL_SHORT);
	if (packet.len - SEAL_OVERHEAD > len)
		return refuse(opened, WHY_CL_LONG);
	header_decode(packet, &h);
	enum why why = header_refused(seal, &h);

	if (why != WHY_OK)
		return refuse(opened, why);
	opened->node = h.node;
	opened->boot = h.boot;
	opened->to = h.to;
	opened->stream = (enum seal_stream)h.stream;

	struct sender *sender = sender_find(seal, h.node), *known = NULL;
	struct window *window = NULL;

	if (sender && boot_eq(&sender->boot, &h.boot)) {
		known = sender;
		window = &known->window[h.to.n != 0][h.stream];
		if (!window_has_room(window, h.counter))
			return refuse(opened, WHY_CL_REPLAY);
	} else if (sender && sender_dropped(sender, &h.boot)) {
		return refuse(opened, WHY_CL_BOOT_OLD);
	}
	if (!aead_open(seal, sender_key(seal, known, &h), packet, room))
		return refuse(opened, WHY_CL_TAG);
	if (node_eq(h.node, seal->self)) {	/* it has our secret and our number, and is not this boot */
		memset(room, 0, packet.len - SEAL_OVERHEAD);
		return refuse(opened, WHY_CL_DUPLICATE);
	}
	opened->plain = bytes_of(room, packet.len - SEAL_OVERHEAD);
	if (!known) {
		seal->unproved.node = h.node;
		seal->unproved.boot = h.boot;
		seal->unproved.counter = h.counter;
		opened->why = WHY_CL_BOOT;
		return SEAL_UNKNOWN_BOOT;
	}
	window_take(window, h.counter);
	known->used = ++seal->opened;
	return SEAL_OPENED;
}

/* ---- challenges ---- */

static struct asked *asked_find(struct seal *seal, struct node_id node)
{
	for (unsigned i = 0; i < CLUSTER_NODES_MAX; i++)
		if (node_eq(seal->asked[i].node, node))
			return &seal->asked[i];
	return NULL;
}

/* A node that was never asked takes the place of the one asked longest ago; the place carries its limit along. */
static struct asked *asked_place(struct seal *seal, struct node_id node)
{
	struct asked *asked = asked_find(seal, node);

	if (asked)
		return asked;
	asked = &seal->asked[0];
	for (unsigned i = 1; i < CLUSTER_NODES_MAX; i++)
		if (mono_before(seal->asked[i].last, asked->last))
			asked = &seal->asked[i];
	return asked;
}

bool seal_challenge(struct seal *seal, struct node_id node, struct boot_id boot, struct mono now, struct rnd *rnd,
		    uint8_t nonce[16])
{
	const struct sender *sender = sender_find(seal, node);

	if (!node.n || node_eq(node, seal->self))
		return false;
	if (sender && (boot_eq(&sender->boot, &boot) || sender_dropped(sender, &boot)))
		return false;
	struct asked *asked = asked_place(seal, node);

	if (asked->node.n && !mono_reached(now, mono_add(asked->last, CHALLENGE_GAP)))
		return false;
	if (!node_eq(asked->node, node))
		explicit_bzero(asked, sizeof(*asked));
	asked->node = node;
	asked->last = now;
	rnd_fill(rnd, asked->nonce[asked->number % NONCES_MAX], 16);
	memcpy(nonce, asked->nonce[asked->number++ % NONCES_MAX], 16);
	return true;
}

static bool asked_for(const struct asked *asked, const uint8_t nonce[16])
{
	for (unsigned i = 0; i < NONCES_MAX && i < asked->number; i++)
		if (memeql_sec(asked->nonce[i], nonce, 16))
			return true;
	return false;
}

/*
 * The nonce is asked of the node, not of a boot: when recordings of an old boot are played to us, the living one
 * gets the challenge, and its answer ends the game.  Whatever it sealed before the answer counts as taken.
 */
bool seal_answered(struct seal *seal, struct node_id node, struct boot_id boot, const uint8_t nonce[16])
{
	struct asked *asked = asked_find(seal, node);

	if (!node.n || !node_eq(seal->unproved.node, node) || !boot_eq(&seal->unproved.boot, &boot))
		return false;
	if (!asked || !asked_for(asked, nonce))
		return false;
	asked->number = 0;
	explicit_bzero(asked->nonce, sizeof(asked->nonce));
	struct sender *sender = sender_find(seal, node);

	if (sender)
		sender->dropped[sender->drops++ % DROPPED_MAX] = sender->boot;
	else
		sender = sender_place(seal, node);
	sender->boot = boot;
	sender->used = ++seal->opened;
	sender->derived = 0;
	explicit_bzero(sender->key, sizeof(sender->key));
	for (unsigned i = 0; i < 2 * SEAL_STREAMS; i++) {
		struct window *window = &sender->window[i / SEAL_STREAMS][i % SEAL_STREAMS];

		window->top = seal->unproved.counter;
		memset(window->taken, 0xff, sizeof(window->taken));
	}
	return true;
}
