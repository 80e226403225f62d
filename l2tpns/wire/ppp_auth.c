/* ppp_auth.c -- PAP, CHAP and MS-CHAPv2 packets and computations: RFC 1334, 1994, 2759. */
#include <nettle/des.h>
#include <nettle/md4.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/sha1.h>

#include "l2tpns/wire/ppp_auth.h"

/* RFC 1334 section 2.2.1: Peer-ID Length, Peer-Id, Passwd-Length, Password. */
enum why pap_request_decode(struct bytes data, struct bytes *user, struct bytes *password)
{
	struct rd r = rd_bytes(data);
	struct rd name = rd_sub(&r, rd_u8(&r));
	struct rd secret = rd_sub(&r, rd_u8(&r));

	*user = *password = (struct bytes){ 0 };
	if (!rd_ok(&r))
		return WHY_PPP_AUTH_LEN;
	*user = rd_rest(&name);
	*password = rd_rest(&secret);
	return WHY_OK;
}

/* RFC 1334 section 2.2.2: the message has a length of its own, one octet. */
void pap_reply_encode(struct wr *w, uint8_t code, uint8_t id, struct bytes message)
{
	size_t mark = ppp_cp_begin(w, code, id);

	message.len = min_u32(message.len, UINT8_MAX);
	wr_u8(w, (uint8_t)message.len);
	wr_bytes(w, message);
	ppp_cp_end(w, mark);
}

/* RFC 1994 section 4.1: a value is at least one octet; the name fills the rest of the packet. */
enum why chap_value_decode(struct bytes data, struct bytes *value, struct bytes *name)
{
	struct rd r = rd_bytes(data);
	uint8_t len = rd_u8(&r);
	struct rd octets = rd_sub(&r, len);

	*value = *name = (struct bytes){ 0 };
	if (!rd_ok(&r) || len == 0)
		return WHY_PPP_AUTH_LEN;
	*value = rd_rest(&octets);
	*name = rd_rest(&r);
	return WHY_OK;
}

void chap_value_encode(struct wr *w, uint8_t code, uint8_t id, struct bytes value, struct bytes name)
{
	size_t mark = ppp_cp_begin(w, code, id);

	if (value.len == 0 || value.len > UINT8_MAX)
		w->bad = true;
	wr_u8(w, (uint8_t)value.len);
	wr_bytes(w, value);
	wr_bytes(w, name);
	ppp_cp_end(w, mark);
}

void chap_reply_encode(struct wr *w, uint8_t code, uint8_t id, struct bytes message)
{
	size_t mark = ppp_cp_begin(w, code, id);

	wr_bytes(w, message);
	ppp_cp_end(w, mark);
}

bool octets_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	return memeql_sec(a, b, len) != 0;
}

void md5_of(const struct bytes *parts, unsigned count, uint8_t out[16])
{
	struct md5_ctx ctx;

	md5_init(&ctx);
	for (unsigned i = 0; i < count; i++)
		md5_update(&ctx, parts[i].len, parts[i].p);
	md5_digest(&ctx, 16, out);
}

/* RFC 1994 section 4.1: MD5 over identifier, secret and challenge. */
void chap_md5(uint8_t id, struct bytes password, struct bytes challenge, uint8_t out[CHAP_MD5_LEN])
{
	const struct bytes parts[] = { bytes_of(&id, 1), password, challenge };

	md5_of(parts, ARRAY_LEN(parts), out);
}

/* One UTF-8 sequence (RFC 3629 section 4), or one octet as Latin-1 where there is none. */
static uint32_t utf8_next(struct bytes *text)
{
	static const struct { uint8_t mask, lead, more; uint32_t least; } form[] = {
		{ 0xe0, 0xc0, 1, 0x80 }, { 0xf0, 0xe0, 2, 0x800 }, { 0xf8, 0xf0, 3, 0x10000 },
	};
	const uint8_t *p = text->p;
	uint32_t point = p[0], used = 1;

	for (size_t f = 0; f < ARRAY_LEN(form); f++) {
		uint32_t n = form[f].more, c = p[0] & (uint8_t)~form[f].mask, i;

		if ((p[0] & form[f].mask) != form[f].lead || text->len <= n)
			continue;
		for (i = 1; i <= n && (p[i] & 0xc0) == 0x80; i++)
			c = c << 6 | (p[i] & 0x3f);
		if (i <= n || c < form[f].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			continue;
		point = c;
		used = n + 1;
	}
	text->p += used;
	text->len -= used;
	return point;
}

/* RFC 2759 section 8.3. */
void nt_hash(struct bytes password, uint8_t out[NT_HASH_LEN])
{
	struct md4_ctx ctx;

	md4_init(&ctx);
	while (password.len > 0) {
		uint32_t c = utf8_next(&password);
		uint32_t high = 0xd800 | (c - 0x10000) >> 10, low = 0xdc00 | (c & 0x3ff);
		const uint8_t one[2] = { (uint8_t)c, (uint8_t)(c >> 8) };
		const uint8_t two[4] = { (uint8_t)high, (uint8_t)(high >> 8), (uint8_t)low,
					 (uint8_t)(low >> 8) };

		if (c < 0x10000)
			md4_update(&ctx, sizeof(one), one);
		else
			md4_update(&ctx, sizeof(two), two);
	}
	md4_digest(&ctx, NT_HASH_LEN, out);
}

/* RFC 2759 section 8.2: what both sides hash instead of the two challenges. */
static void challenge_hash(const uint8_t auth_challenge[16], const uint8_t peer_challenge[16],
			   struct bytes user, uint8_t out[8])
{
	struct sha1_ctx ctx;

	sha1_init(&ctx);
	sha1_update(&ctx, 16, peer_challenge);
	sha1_update(&ctx, 16, auth_challenge);
	sha1_update(&ctx, user.len, user.p);
	sha1_digest(&ctx, 8, out);
}

/* RFC 2759 section 8.6: 56 key bits spread over eight octets, whose low bits (parity) DES ignores. */
static void des_block(const uint8_t key[7], const uint8_t clear[8], uint8_t out[8])
{
	struct des_ctx ctx;
	uint8_t spread[8];

	spread[0] = key[0];
	for (unsigned i = 1; i < 7; i++)
		spread[i] = (uint8_t)(key[i - 1] << (8 - i) | key[i] >> i);
	spread[7] = (uint8_t)(key[6] << 1);
	(void)des_set_key(&ctx, spread);	/* tells a weak key, which is not ours to choose */
	des_encrypt(&ctx, 8, out, clear);
}

/* RFC 2759 sections 8.1 and 8.5. */
void mschapv2_nt_response(const uint8_t nt[NT_HASH_LEN], const uint8_t auth_challenge[16],
			  const uint8_t peer_challenge[16], struct bytes user, uint8_t out[24])
{
	uint8_t challenge[8], key[21] = { 0 };

	challenge_hash(auth_challenge, peer_challenge, user, challenge);
	memcpy(key, nt, NT_HASH_LEN);
	for (unsigned i = 0; i < 3; i++)
		des_block(key + 7 * i, challenge, out + 8 * i);
}

/* RFC 2759 section 8.7. */
void mschapv2_success(const uint8_t nt[NT_HASH_LEN], const uint8_t auth_challenge[16],
		      const uint8_t peer_challenge[16], const uint8_t nt_response[24], struct bytes user,
		      char out[MSCHAPV2_SUCCESS_LEN])
{
	static const char magic1[] = "Magic server to client signing constant";
	static const char magic2[] = "Pad to make it do more than one iteration";
	static const char hex[] = "0123456789ABCDEF";
	uint8_t hash_hash[16], challenge[8], digest[20];
	struct md4_ctx md4;
	struct sha1_ctx sha1;

	md4_init(&md4);
	md4_update(&md4, NT_HASH_LEN, nt);
	md4_digest(&md4, sizeof(hash_hash), hash_hash);
	challenge_hash(auth_challenge, peer_challenge, user, challenge);

	sha1_init(&sha1);
	sha1_update(&sha1, sizeof(hash_hash), hash_hash);
	sha1_update(&sha1, 24, nt_response);
	sha1_update(&sha1, sizeof(magic1) - 1, (const uint8_t *)magic1);
	sha1_digest(&sha1, sizeof(digest), digest);
	sha1_update(&sha1, sizeof(digest), digest);
	sha1_update(&sha1, sizeof(challenge), challenge);
	sha1_update(&sha1, sizeof(magic2) - 1, (const uint8_t *)magic2);
	sha1_digest(&sha1, sizeof(digest), digest);

	out[0] = 'S';
	out[1] = '=';
	for (unsigned i = 0; i < sizeof(digest); i++) {
		out[2 + 2 * i] = hex[digest[i] >> 4];
		out[3 + 2 * i] = hex[digest[i] & 15];
	}
}

struct bytes mschap_user(struct bytes name)
{
	const uint8_t *cut = name.len ? memchr(name.p, '\\', name.len) : NULL;

	return cut ? bytes_of(cut + 1, name.len - (size_t)(cut + 1 - name.p)) : name;
}

const char *auth_method_name(enum auth_method method)
{
	static const char *const name[AUTH_METHODS] = {
		[AUTH_NONE] = "none", [AUTH_PAP] = "pap", [AUTH_CHAP_MD5] = "chap",
		[AUTH_MSCHAPV2] = "mschapv2",
	};

	return (unsigned)method < AUTH_METHODS ? name[method] : "unknown";
}
