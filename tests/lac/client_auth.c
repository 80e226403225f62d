/* client_auth.c -- the subscriber proves who it is: PAP, CHAP, MS-CHAPv2.  RFC 1334, 1994, 2759. */
#include "tests/lac/lac.h"

/* FNV-1a: enough to notice that the server's proof is not the one expected. */
static uint64_t proof_of(struct bytes text)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (uint32_t i = 0; i < text.len; i++)
		h = (h ^ text.p[i]) * UINT64_C(1099511628211);
	return h;
}

static void pap_request(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];
	char user[64], password[64];
	uint8_t room[NET_PACKET_MAX];
	struct wr w = client_begin(lac, number, PPP_PAP, room);
	size_t mark = ppp_cp_begin(&w, PAP_REQUEST, ++s->auth_id);

	call_names(lac, number, user, password);
	wr_u8(&w, (uint8_t)strlen(user));
	wr_bytes(&w, bytes_str(user));
	wr_u8(&w, (uint8_t)strlen(password));
	wr_bytes(&w, bytes_str(password));
	ppp_cp_end(&w, mark);
	s->answered = true;
	client_end(lac, number, &w);
}

/* LCP is open. */
void auth_start(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];

	s->answered = false;
	client_wait(lac, number);
	if (s->auth == AUTH_NONE)
		ipcp_start(lac, number);
	else if (s->auth == AUTH_PAP)
		pap_request(lac, number);
}

/* No verdict yet.  A challenge is repeated by the server, not asked for: RFC 1994 section 4.1. */
void auth_again(struct lac *lac, uint32_t number)
{
	if (lac->session[number].auth == AUTH_PAP)
		pap_request(lac, number);
	client_wait(lac, number);
}

static struct bytes mschapv2_respond(struct lac *lac, uint32_t number, const uint8_t challenge[16], uint8_t value[49])
{
	char user[64], password[64], proof[MSCHAPV2_SUCCESS_LEN];
	uint8_t nt[NT_HASH_LEN];

	call_names(lac, number, user, password);
	struct bytes name = mschap_user(bytes_str(user));

	memset(value, 0, MSCHAPV2_RESPONSE_LEN);
	rnd_fill(&lac->rnd, value, MSCHAPV2_CHALLENGE_LEN);
	nt_hash(bytes_str(password), nt);
	mschapv2_nt_response(nt, challenge, value, name, value + 24);
	mschapv2_success(nt, challenge, value, value + 24, name, proof);
	lac->session[number].proof = proof_of(bytes_of(proof, sizeof(proof)));
	return bytes_of(value, MSCHAPV2_RESPONSE_LEN);
}

static void challenge_received(struct lac *lac, uint32_t number, const struct ppp_cp *cp)
{
	struct session *s = &lac->session[number];
	char user[64], password[64];
	uint8_t room[NET_PACKET_MAX], value[MSCHAPV2_RESPONSE_LEN];
	struct bytes challenge, name, response;
	struct wr w;

	if (chap_value_decode(cp->data, &challenge, &name) != WHY_OK)
		return;
	call_names(lac, number, user, password);
	if (s->auth == AUTH_MSCHAPV2) {
		if (challenge.len != MSCHAPV2_CHALLENGE_LEN)
			return;
		response = mschapv2_respond(lac, number, challenge.p, value);
	} else {
		chap_md5(cp->id, bytes_str(password), challenge, value);
		response = bytes_of(value, CHAP_MD5_LEN);
	}
	s->auth_id = cp->id;
	s->answered = true;
	w = client_begin(lac, number, PPP_CHAP, room);
	chap_value_encode(&w, CHAP_RESPONSE, cp->id, response, bytes_str(user));
	client_end(lac, number, &w);
}

/* RFC 2759 section 5: a server that cannot prove that it knows the password is not to be trusted. */
static bool server_proved(const struct session *s, const struct ppp_cp *cp)
{
	return s->auth != AUTH_MSCHAPV2 ||
	       (cp->data.len >= MSCHAPV2_SUCCESS_LEN &&
		proof_of(bytes_of(cp->data.p, MSCHAPV2_SUCCESS_LEN)) == s->proof);
}

void auth_frame(struct lac *lac, uint32_t number, const struct ppp_frame *frame)
{
	struct session *s = &lac->session[number];
	struct ppp_cp cp;
	bool pap = frame->proto == PPP_PAP;

	/* A verdict or challenge before our LCP is open belongs to an earlier negotiation. */
	if (ppp_cp_decode(frame->body, &cp) != WHY_OK || s->phase < PHASE_AUTH)
		return;
	if (!pap && cp.code == CHAP_CHALLENGE) {
		/* Also while up: RFC 1994 section 2 lets the server ask again at any time. */
		challenge_received(lac, number, &cp);
	} else if (s->phase != PHASE_AUTH || !s->answered) {
		return;
	} else if (cp.code == (pap ? PAP_ACK : CHAP_SUCCESS)) {
		if (server_proved(s, &cp))
			ipcp_start(lac, number);
		else
			session_lost(lac, number, LOSS_AUTH);
	} else if (cp.code == (pap ? PAP_NAK : CHAP_FAILURE)) {
		session_lost(lac, number, LOSS_AUTH);
	}
}
