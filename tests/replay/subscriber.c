/* subscriber.c -- PPP frames as a subscriber's modem writes and reads them: RFC 1661, 1334, 1994, 2759. */
#include "l2tpns/wire/ppp_auth.h"
#include "tests/replay/play.h"

#define LCP	0xc021
#define PAP	0xc023
#define CHAP	0xc223
#define IPCP	0x8021

static const struct {
	const char *name;
	uint16_t proto;
} protocols[] = {
	{ "LCP", LCP },
	{ "PAP", PAP },
	{ "CHAP", CHAP },
	{ "IPCP", IPCP },
	{ "IPV6CP", 0x8057 },
	{ "CCP", 0x80fd },
	{ "MPLSCP", 0x8281 },
	{ "EAP", 0xc227 },
	{ "LQR", 0xc025 },
	{ "IP", 0x0021 },
	{ "IPV6", 0x0057 },
};

static const char *const cp_codes[] = {
	NULL, "ConfReq", "ConfAck", "ConfNak", "ConfRej", "TermReq", "TermAck", "CodeRej",
	"ProtRej", "EchoReq", "EchoRep", "Discard", "Ident", "TimeLeft", NULL,
};
static const char *const pap_codes[] = { NULL, "Request", "Ack", "Nak", NULL };
static const char *const chap_codes[] = { NULL, "Challenge", "Response", "Success", "Failure", NULL };

unsigned protocol_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (strcmp(protocols[i].name, name) == 0)
			return protocols[i].proto;
	return strncmp(name, "0x", 2) == 0 ? (unsigned)strtoul(name, NULL, 16) : 0;
}

static const char *const *codes_of(unsigned proto)
{
	return proto == PAP ? pap_codes : proto == CHAP ? chap_codes : cp_codes;
}

static unsigned code_named(struct play *play, unsigned proto, const char *name)
{
	const char *const *codes = codes_of(proto);

	for (unsigned i = 1; codes[i]; i++)
		if (strcmp(codes[i], name) == 0)
			return i;
	if (strncmp(name, "code", 4) == 0)
		return (unsigned)parse_number(play, name + 4);
	play_fail(play, "\"%s\" is no packet of this protocol", name);
}

static void put16(uint8_t *at, unsigned n)
{
	at[0] = (uint8_t)(n >> 8);
	at[1] = (uint8_t)n;
}

static void put32(uint8_t *at, uint32_t n)
{
	put16(at, n >> 16);
	put16(at + 2, n & 0xffff);
}

/* RFC 1334 2.2.1: Peer-ID and password, each with its length. */
static size_t pap_request(struct play *play, struct ppp_peer *ppp, struct told *w, uint8_t *out)
{
	const char *user = told_value(w, "user"), *password = told_value(w, "password");
	size_t n = parse_octets(play, user ? user : ppp->user, out + 1, 255);
	size_t m = parse_octets(play, password ? password : ppp->password, out + 2 + n, 255);

	out[0] = (uint8_t)n;
	out[1 + n] = (uint8_t)m;
	return n + m + 2;
}

/* The 16 octets of CHAP with MD5 (RFC 1994 4.1), or the 49 of MS-CHAPv2 (RFC 2759 section 4). */
static size_t response_value(struct ppp_peer *ppp, bool ms, uint8_t *value)
{
	struct bytes user = bytes_str(ppp->user), password = bytes_str(ppp->password);
	uint8_t nt[NT_HASH_LEN];

	if (!ms) {
		chap_md5(ppp->challenge_id, password, bytes_of(ppp->challenge, ppp->challenge_len), value);
		return CHAP_MD5_LEN;
	}
	memset(value, 0, MSCHAPV2_RESPONSE_LEN);
	for (uint8_t i = 0; i < sizeof(ppp->peer_challenge); i++)
		ppp->peer_challenge[i] = (uint8_t)(0xa0 + i);
	nt_hash(password, nt);
	mschapv2_nt_response(nt, ppp->challenge, ppp->peer_challenge, mschap_user(user), ppp->nt_response);
	memcpy(value, ppp->peer_challenge, 16);
	memcpy(value + 24, ppp->nt_response, 24);
	return MSCHAPV2_RESPONSE_LEN;
}

static size_t chap_response(struct play *play, struct ppp_peer *ppp, struct told *w, uint8_t *out)
{
	const char *user = told_value(w, "user"), *password = told_value(w, "password");
	const char *by = told_value(w, "by"), *value = told_value(w, "value");
	size_t n;

	if (user)
		snprintf(ppp->user, sizeof(ppp->user), "%s", user);
	if (password)
		snprintf(ppp->password, sizeof(ppp->password), "%s", password);
	if (value)
		n = parse_octets(play, value, out + 1, 255);
	else
		n = response_value(
			ppp, by ? strcmp(by, "mschapv2") == 0 : ppp->auth_algorithm == 0x81, out + 1);
	if (told_flag(w, "wrong"))
		out[n / 2] ^= 1;
	out[0] = (uint8_t)n;
	return 1 + n + parse_octets(play, ppp->user, out + 1 + n, 255);
}

static struct ppp_heard *heard_of(struct ppp_peer *ppp, unsigned proto)
{
	return proto == LCP ? &ppp->lcp : &ppp->ncp;
}

/* The data of a control packet, and the identifier it goes with when the play names none. */
static size_t cp_data(struct play *play, struct call *call, unsigned proto, unsigned code, struct told *w,
		      uint8_t *out, uint8_t *id)
{
	struct ppp_peer *ppp = &call->ppp;
	struct ppp_heard *heard = heard_of(ppp, proto);
	const char *data = told_value(w, "data"), *magic = told_value(w, "magic"), *rejects;
	bool reflected = told_flag(w, "reflected");	/* the line is looped back: our own request returns */
	size_t n;

	*id = reflected || (code >= CP_CONFACK && code <= CP_CONFREJ) ? heard->id
		: code == CP_TERMACK				      ? heard->term_id
		: code == CP_ECHOREP				      ? ppp->echo_id
								      : ++ppp->next_id;
	switch (code) {
	case CP_CONFREQ:
	case CP_CONFNAK:
	case CP_CONFREJ:
	case CP_CONFACK:
		if (magic)			/* it is an option here: give the word back */
			for (unsigned i = 0; i < w->n; i++)
				if (w->word[i] + strlen("magic=") == magic)
					w->used[i] = false;
		n = options_encode(play, (uint16_t)proto, w, out);
		if (reflected || (code == CP_CONFACK && n == 0)) {
			memcpy(out, heard->asked, heard->asked_len);
			n = heard->asked_len;
		}
		break;
	case CP_ECHOREQ:
	case CP_ECHOREP:
	case CP_DISCARD:
	case CP_IDENTIFICATION:
		put32(out, magic ? (uint32_t)parse_number(play, magic) : 0);
		n = 4;
		break;
	case CP_PROTOREJ:
		rejects = told_value(w, "rejects");
		put16(out, rejects ? protocol_named(rejects) : 0);
		n = 2;
		break;
	default:
		n = 0;
	}
	return data ? n + parse_octets(play, data, out + n, 1600) : n;
}

/* PROTOCOL PACKET key=value...; `raw HEX` is a whole frame. */
size_t frame_encode(struct play *play, struct call *call, struct told *w, uint8_t *out)
{
	const char *name = told_next(play, w), *text;
	bool bare = told_flag(w, "bare"), brief = told_flag(w, "brief");
	unsigned proto = protocol_named(name), code;
	uint8_t *p = out, *packet, id;
	size_t n;

	if (strcmp(name, "raw") == 0)
		return parse_hex(play, told_next(play, w), out, PACKET_MAX / 2);
	if (proto == 0)
		play_fail(play, "\"%s\" is no PPP protocol", name);
	if (!bare) {
		*p++ = 0xff;
		*p++ = 0x03;
	}
	if (!brief)
		*p++ = (uint8_t)(proto >> 8);
	*p++ = (uint8_t)proto;
	packet = p;
	if (told_peek(w)[0] == 0 || strchr(told_peek(w), '=')) {	/* a protocol without packets */
		text = told_value(w, "data");
		return (size_t)(p - out) + (text ? parse_octets(play, text, p, 1600) : 0);
	}
	code = code_named(play, proto, told_next(play, w));
	if (proto == PAP && code == PAP_REQUEST) {
		n = pap_request(play, &call->ppp, w, packet + 4);
		id = ++call->ppp.next_id;
	} else if (proto == CHAP && code == CHAP_RESPONSE) {
		n = chap_response(play, &call->ppp, w, packet + 4);
		id = call->ppp.challenge_id;
	} else {
		n = cp_data(play, call, proto, proto == PAP || proto == CHAP ? 0 : code, w, packet + 4, &id);
	}
	packet[0] = (uint8_t)code;
	text = told_value(w, "id");
	packet[1] = text ? (uint8_t)parse_number(play, text) : id;
	text = told_value(w, "length");
	put16(packet + 2, text ? (unsigned)parse_number(play, text) : (unsigned)n + 4);
	text = told_value(w, "padding");
	if (text)
		n += parse_octets(play, text, packet + 4 + n, 1600);
	return (size_t)(packet - out) + 4 + n;
}

/* ---- what the lns sent */

struct cp { unsigned proto, code; uint8_t id; const uint8_t *data; size_t len; bool well_formed; };

static struct cp cp_of(const uint8_t *frame, size_t len)
{
	struct cp cp = { 0 };

	if (len >= 2 && frame[0] == 0xff && frame[1] == 0x03) {
		frame += 2;
		len -= 2;
	}
	if (len < 2)
		return cp;
	cp.proto = (unsigned)(frame[0] << 8 | frame[1]);
	if (len < 6 || (size_t)(frame[4] << 8 | frame[5]) != len - 2)
		return cp;
	cp = (struct cp){ .proto = cp.proto,
		.code = frame[2],
		.id = frame[3],
		.data = frame + 6,
		.len = len - 6,
		.well_formed = true };
	return cp;
}

static void learn_request(struct ppp_peer *ppp, const struct cp *cp)
{
	struct ppp_heard *heard = heard_of(ppp, cp->proto);

	heard->id = cp->id;
	heard->asked_len = cp->len < sizeof(heard->asked) ? cp->len : sizeof(heard->asked);
	memcpy(heard->asked, cp->data, heard->asked_len);
	for (size_t at = 0; cp->proto == LCP && at + 4 <= cp->len && cp->data[at + 1] >= 2;
		at += cp->data[at + 1])
		if (cp->data[at] == 3) {
			ppp->auth_proto = (uint16_t)(cp->data[at + 2] << 8 | cp->data[at + 3]);
			ppp->auth_algorithm = cp->data[at + 1] > 4 ? cp->data[at + 4] : 0;
		}
}

void frame_learn(struct call *call, const uint8_t *frame, size_t len)
{
	struct ppp_peer *ppp = &call->ppp;
	struct cp cp = cp_of(frame, len);

	if (!cp.well_formed)
		return;
	if ((cp.proto == LCP || cp.proto == IPCP) && cp.code == CP_CONFREQ) {
		learn_request(ppp, &cp);
	} else if ((cp.proto == LCP || cp.proto == IPCP) && cp.code == CP_TERMREQ) {
		heard_of(ppp, cp.proto)->term_id = cp.id;
	} else if (cp.proto == LCP && cp.code == CP_ECHOREQ) {
		ppp->echo_id = cp.id;
	} else if (cp.proto == CHAP && cp.code == CHAP_CHALLENGE && cp.len > 0 && cp.data[0] < cp.len) {
		ppp->challenge_id = cp.id;
		ppp->challenge_len = cp.data[0];
		memcpy(ppp->challenge, cp.data + 1, ppp->challenge_len);
	}
}

void frame_describe(const uint8_t *frame, size_t len, char *out, size_t room)
{
	struct cp cp = cp_of(frame, len);
	const char *const *codes = codes_of(cp.proto);
	unsigned known = 0;
	size_t n = (size_t)snprintf(out, room, "PPP %04x", cp.proto);

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (protocols[i].proto == cp.proto)
			n = (size_t)snprintf(out, room, "%s", protocols[i].name);
	if (!cp.well_formed)
		return;
	while (codes[known + 1])
		known++;
	if (cp.code >= 1 && cp.code <= known)
		n += (size_t)snprintf(out + n, room - n, " %s id=%u", codes[cp.code], cp.id);
	else
		n += (size_t)snprintf(out + n, room - n, " code%u id=%u", cp.code, cp.id);
	if ((cp.proto == LCP || cp.proto == IPCP) && cp.code >= CP_CONFREQ && cp.code <= CP_CONFREJ) {
		options_describe((uint16_t)cp.proto, cp.data, cp.len, out + n, room - n);
		return;
	}
	n += (size_t)snprintf(out + n, room - n, " data=hex:");
	for (size_t i = 0; i < cp.len && n + 3 < room; i++)
		n += (size_t)snprintf(out + n, room - n, "%02x", cp.data[i]);
}

/* Name of a challenge, message of a PAP or CHAP reply. */
static struct bytes text_of(const struct cp *cp)
{
	size_t at = (cp->proto == CHAP && cp->code == CHAP_SUCCESS) ||
			(cp->proto == CHAP && cp->code == CHAP_FAILURE)
		? 0
		: cp->len > 0 && cp->proto == CHAP ? 1u + cp->data[0]
		: cp->len > 0			   ? 1
						   : 0;

	return at <= cp->len ? bytes_of(cp->data + at, cp->len - at) : (struct bytes){ 0 };
}

static void compare_proof(struct play *play, struct ppp_peer *ppp, const struct cp *cp)
{
	uint8_t nt[NT_HASH_LEN];
	char proof[MSCHAPV2_SUCCESS_LEN];

	nt_hash(bytes_str(ppp->password), nt);
	mschapv2_success(nt, ppp->challenge, ppp->peer_challenge, ppp->nt_response,
		mschap_user(bytes_str(ppp->user)), proof);
	if (cp->len < sizeof(proof) || memcmp(cp->data, proof, sizeof(proof)) != 0)
		play_fail(play, "the authenticator's proof is not %.*s", (int)sizeof(proof), proof);
}

static void compare_data(struct play *play, const struct cp *cp, struct told *w)
{
	const char *said;
	uint8_t wanted[2000];
	size_t n;

	if ((said = told_value(w, "magic")) &&
		(cp->len < 4 ||
			((uint32_t)cp->data[0] << 24 | (uint32_t)cp->data[1] << 16 |
				(uint32_t)cp->data[2] << 8 | cp->data[3]) !=
				(uint32_t)parse_number(play, said)))
		play_fail(play, "magic is not %s", said);
	if ((said = told_value(w, "rejects")) &&
	    (cp->len < 2 || (unsigned)(cp->data[0] << 8 | cp->data[1]) != protocol_named(said)))
		play_fail(play, "it does not reject %s", said);
	if (!(said = told_value(w, "data")))
		return;
	n = parse_octets(play, said, wanted, sizeof(wanted));
	if (n > cp->len || memcmp(cp->data + cp->len - n, wanted, n) != 0)
		play_fail(play, "data does not end in %s", said);
}

void frame_compare(struct play *play, struct call *call, unsigned proto, const char *code,
	const uint8_t *frame, size_t len, struct told *w)
{
	struct cp cp = cp_of(frame, len);
	const char *said;

	if (cp.proto != proto)
		play_fail(play, "another PPP protocol was expected");
	if (!cp.well_formed)
		play_fail(play, "what came has a wrong length");
	if (cp.code != code_named(play, proto, code))
		play_fail(play, "another packet was expected");
	if ((said = told_value(w, "id")) && parse_number(play, said) != cp.id)
		play_fail(play, "id is not %s", said);
	if ((proto == LCP || proto == IPCP) && cp.code >= CP_CONFREQ && cp.code <= CP_CONFREJ) {
		options_compare(play, (uint16_t)proto, cp.data, cp.len, w);
		return;
	}
	if (((said = told_value(w, "name")) || (said = told_value(w, "message"))) &&
	    !bytes_eq(text_of(&cp), bytes_str(said)))
		play_fail(play, "its text is not \"%s\"", said);
	if (told_flag(w, "proof"))
		compare_proof(play, &call->ppp, &cp);
	compare_data(play, &cp, w);
}
