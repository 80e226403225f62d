/*
 * ppp_auth.h -- PAP, CHAP and MS-CHAPv2 packets and computations.  RFC 1334, 1994, 2433, 2759.
 *
 * Pure codec.  Hashes come from nettle.  Comparisons of secrets take the same
 * time whatever they hold.
 */
#ifndef WIRE_PPP_AUTH_H
#define WIRE_PPP_AUTH_H

#include "l2tpns/base/rd.h"
#include "l2tpns/base/why.h"
#include "l2tpns/wire/ppp.h"

enum auth_method {			/* what LCP option 3 can name */
	AUTH_NONE, AUTH_PAP, AUTH_CHAP_MD5, AUTH_MSCHAPV2, AUTH_METHODS
};

enum pap_code { PAP_REQUEST = 1, PAP_ACK, PAP_NAK };
enum chap_code { CHAP_CHALLENGE = 1, CHAP_RESPONSE, CHAP_SUCCESS, CHAP_FAILURE };

#define CHAP_MD5_LEN		16
#define MSCHAPV2_CHALLENGE_LEN	16
#define MSCHAPV2_RESPONSE_LEN	49	/* peer challenge 16, reserved 8, NT response 24, flags 1 */
#define MSCHAPV2_SUCCESS_LEN	42	/* "S=" and 40 hexadecimal digits */
#define NT_HASH_LEN		16

MUST_USE enum why pap_request_decode(struct bytes data, struct bytes *user, struct bytes *password);
void pap_reply_encode(struct wr *w, uint8_t code, uint8_t id, struct bytes message);	/* whole PAP packet */

/* Challenge and Response share a form: Value-Size, Value, Name (RFC 1994 4.1). */
MUST_USE enum why chap_value_decode(struct bytes data, struct bytes *value, struct bytes *name);
void chap_value_encode(struct wr *w, uint8_t code, uint8_t id, struct bytes value, struct bytes name);
void chap_reply_encode(struct wr *w, uint8_t code, uint8_t id, struct bytes message);

bool octets_equal(const uint8_t *a, const uint8_t *b, size_t len);	/* in constant time */

void chap_md5(uint8_t id, struct bytes password, struct bytes challenge, uint8_t out[CHAP_MD5_LEN]);

/* MD4 of the password in UTF-16LE; the password is UTF-8, invalid sequences read as Latin-1. */
void nt_hash(struct bytes password, uint8_t out[NT_HASH_LEN]);

/* RFC 2759 8.1: the 24-octet NT response; `user` is without its domain. */
void mschapv2_nt_response(const uint8_t nt[NT_HASH_LEN], const uint8_t auth_challenge[16],
			  const uint8_t peer_challenge[16], struct bytes user, uint8_t out[24]);

/* RFC 2759 8.7: "S=..." the authenticator's proof; writes MSCHAPV2_SUCCESS_LEN characters, no nul. */
void mschapv2_success(const uint8_t nt[NT_HASH_LEN], const uint8_t auth_challenge[16],
		      const uint8_t peer_challenge[16], const uint8_t nt_response[24], struct bytes user,
		      char out[MSCHAPV2_SUCCESS_LEN]);

/* Cut "DOMAIN\" off: RFC 2759 section 4 hashes the name without it. */
struct bytes mschap_user(struct bytes name);

/* RFC 2661 4.3 hides AVPs and RFC 2865 5.2 passwords by the same MD5 primitive. */
void md5_of(const struct bytes *parts, unsigned count, uint8_t out[16]);

const char *auth_method_name(enum auth_method method);	/* "pap", "chap", "mschapv2", "none" */

#endif
