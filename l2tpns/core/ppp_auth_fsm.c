/* ppp_auth_fsm.c -- challenges, credentials, verdicts and their repetition. */
#include "l2tpns/core/ppp_auth_fsm.h"
#include "l2tpns/core/ppp_phase.h"

enum proxy_authen_type {		/* RFC 2661 section 4.4.5 */
	PROXY_ABSENT = 0, PROXY_CHAP = 2, PROXY_PAP = 3, PROXY_NONE = 4
};

/* 32 bits of a name (FNV-1a): enough to tell a repetition, and nothing is gained by a collision. */
static uint32_t name_fold(struct bytes name)
{
	uint32_t h = 2166136261u;

	for (uint32_t i = 0; i < name.len; i++)
		h = (h ^ name.p[i]) * 16777619u;
	return h;
}

static struct bytes conf_name(const struct ppp_conf *conf)
{
	return bytes_of(conf->name, strnlen(conf->name, sizeof(conf->name)));
}

static void packet_send(const struct ppp_env *env, uint16_t proto, const struct wr *w)
{
	ASSERT(wr_ok(w));
	link_send(&env->link, proto, wr_bytes_of(w));
}

/* A repeated challenge is the same packet: a response to any copy of it is good. */
static void challenge_send(struct ppp *ppp, struct ppp_env *env)
{
	uint8_t room[128];
	struct wr w = wr_of(room, sizeof(room));

	chap_value_encode(&w, CHAP_CHALLENGE, ppp->auth_id, bytes_of(ppp->challenge, sizeof(ppp->challenge)),
			  conf_name(env->conf));
	packet_send(env, PPP_CHAP, &w);
	ppp->auth_tries--;
	ppp->auth_resend = mono_add(env->now, DUR_MS(env->conf->restart_ms));
}

static void wait_begin(struct ppp *ppp, struct ppp_env *env, enum ppp_auth_state state)
{
	ppp->phase = PPP_AUTHENTICATE;
	ppp->auth_state = (uint8_t)state;
	ppp->auth_resend = MONO_NEVER;
	ppp->auth_until = env->conf->auth_timeout_s == 0 ? MONO_NEVER :
			  mono_add(env->now, DUR_S(env->conf->auth_timeout_s));
}

void auth_begin(struct ppp *ppp, struct ppp_env *env)
{
	wait_begin(ppp, env, PPP_AUTH_WAITING);
	switch ((enum auth_method)ppp->auth) {
	case AUTH_NONE:
	case AUTH_METHODS:
		auth_stopped(ppp);
		ppp->auth_state = PPP_AUTH_ACCEPTED;
		phase_authed(ppp, env);
		break;
	case AUTH_PAP:		/* the peer begins */
		break;
	case AUTH_CHAP_MD5:
	case AUTH_MSCHAPV2:
		rnd_fill(env->rnd, ppp->challenge, sizeof(ppp->challenge));
		ppp->auth_id++;
		ppp->auth_tries = (uint8_t)max_u32(env->conf->max_configure, 1);
		challenge_send(ppp, env);
		break;
	}
}

void auth_stopped(struct ppp *ppp)
{
	ppp->auth_state = PPP_AUTH_IDLE;
	ppp->auth_resend = MONO_NEVER;
	ppp->auth_until = MONO_NEVER;
}

static void ask(struct ppp *ppp, struct ppp_env *env, const struct ppp_ask *ask)
{
	ppp->auth_state = PPP_AUTH_ASKED;
	ppp->auth_resend = MONO_NEVER;
	ppp->auth_id = ask->id;
	ppp->asked_fold = name_fold(ask->user);
	ppp->ask_serial++;
	env->ask = *ask;
	env->happened |= PPP_HAS_ASKED_AUTH;
}

bool auth_proxy_complete(enum auth_method method, const struct ppp_proxy *proxy)
{
	switch (method) {
	case AUTH_PAP:
		return proxy->auth_type == PROXY_PAP;
	case AUTH_CHAP_MD5:
		return proxy->auth_type == PROXY_CHAP && proxy->auth_response.len == CHAP_MD5_LEN &&
		       proxy->auth_challenge.len > 0;
	case AUTH_MSCHAPV2:	/* no type of its own: the LCP option tells it from CHAP with MD5 */
		return proxy->auth_type == PROXY_CHAP && proxy->auth_response.len == MSCHAPV2_RESPONSE_LEN &&
		       proxy->auth_challenge.len == MSCHAPV2_CHALLENGE_LEN;
	case AUTH_NONE:
	case AUTH_METHODS:
		break;
	}
	return false;
}

void auth_proxied(struct ppp *ppp, struct ppp_env *env, const struct ppp_proxy *proxy)
{
	struct ppp_ask credentials = {
		.method = (enum auth_method)ppp->auth, .id = proxy->auth_id, .user = proxy->auth_name,
	};

	wait_begin(ppp, env, PPP_AUTH_ASKED);
	memset(ppp->challenge, 0, sizeof(ppp->challenge));
	if (ppp->auth == AUTH_PAP) {
		credentials.password = proxy->auth_response;
	} else {
		credentials.challenge = proxy->auth_challenge;
		credentials.response = proxy->auth_response;
		memcpy(ppp->challenge, proxy->auth_challenge.p,
		       min_u32(proxy->auth_challenge.len, sizeof(ppp->challenge)));
	}
	ask(ppp, env, &credentials);
}

/* The answer to credentials that were accepted, sent again when they are. */
static void accept_send(const struct ppp *ppp, const struct ppp_env *env, uint8_t id, struct bytes message)
{
	uint8_t room[NEG_PACKET_MAX];
	struct wr w = wr_of(room, sizeof(room));

	if (ppp->auth == AUTH_PAP)
		pap_reply_encode(&w, PAP_ACK, id, message);
	else
		chap_reply_encode(&w, CHAP_SUCCESS, id, message);
	packet_send(env, ppp->auth == AUTH_PAP ? PPP_PAP : PPP_CHAP, &w);
}

/*
 * Credentials of a link that has given its verdict.  RFC 1334 section 2.2.1 and RFC 1994 section 4.2
 * want the same answer again, as the first may be lost.  pppd gives each repetition of a PAP request a
 * new identifier, so there the name must do.
 */
static enum why credentials_again(const struct ppp *ppp, const struct ppp_env *env, uint8_t id,
				  struct bytes user)
{
	if (ppp->auth_state != PPP_AUTH_ACCEPTED || name_fold(user) != ppp->asked_fold)
		return WHY_PPP_AUTH_AGAIN;
	accept_send(ppp, env, id, bytes_of(ppp->proof, ppp->proof_len));
	return WHY_OK;
}

enum why auth_pap_received(struct ppp *ppp, struct ppp_env *env, struct bytes octets)
{
	struct ppp_cp cp;
	struct ppp_ask credentials = { .method = AUTH_PAP };
	enum why why = ppp_cp_decode(octets, &cp);

	if (why != WHY_OK)
		return why;
	if (ppp->auth != AUTH_PAP)
		return WHY_PPP_PHASE;
	if (cp.code != PAP_REQUEST)
		return WHY_PPP_CODE;
	why = pap_request_decode(cp.data, &credentials.user, &credentials.password);
	if (why != WHY_OK)
		return why;
	if (ppp->auth_state != PPP_AUTH_WAITING)
		return credentials_again(ppp, env, cp.id, credentials.user);
	credentials.id = cp.id;
	ask(ppp, env, &credentials);
	return WHY_OK;
}

enum why auth_chap_received(struct ppp *ppp, struct ppp_env *env, struct bytes octets)
{
	struct ppp_cp cp;
	struct ppp_ask credentials = { .method = (enum auth_method)ppp->auth, .id = ppp->auth_id };
	enum why why = ppp_cp_decode(octets, &cp);

	if (why != WHY_OK)
		return why;
	if (ppp->auth != AUTH_CHAP_MD5 && ppp->auth != AUTH_MSCHAPV2)
		return WHY_PPP_PHASE;
	if (cp.code != CHAP_RESPONSE)
		return WHY_PPP_CODE;
	if (cp.id != ppp->auth_id)
		return WHY_PPP_ID;
	why = chap_value_decode(cp.data, &credentials.response, &credentials.user);
	if (why != WHY_OK)
		return why;
	if (credentials.response.len != (ppp->auth == AUTH_CHAP_MD5 ? CHAP_MD5_LEN : MSCHAPV2_RESPONSE_LEN))
		return WHY_PPP_AUTH_LEN;
	if (ppp->auth_state != PPP_AUTH_WAITING)
		return credentials_again(ppp, env, cp.id, credentials.user);
	credentials.challenge = bytes_of(ppp->challenge, sizeof(ppp->challenge));
	ask(ppp, env, &credentials);
	return WHY_OK;
}

/* RFC 2759 section 6: error, no retry, a challenge (unused without retry), version, words. */
static void mschap_failure_text(const struct ppp *ppp, struct wr *w, struct bytes message)
{
	static const char hex[] = "0123456789ABCDEF";

	wr_bytes(w, bytes_str("E=691 R=0 C="));
	for (size_t i = 0; i < sizeof(ppp->challenge); i++) {
		wr_u8(w, (uint8_t)hex[ppp->challenge[i] >> 4]);
		wr_u8(w, (uint8_t)hex[ppp->challenge[i] & 15]);
	}
	wr_bytes(w, bytes_str(" V=3 M="));
	wr_bytes(w, message);
}

static void refusal_send(const struct ppp *ppp, const struct ppp_env *env, struct bytes message)
{
	uint8_t room[NEG_PACKET_MAX], text[512];
	struct wr w = wr_of(room, sizeof(room)), t = wr_of(text, sizeof(text));

	if (ppp->auth == AUTH_PAP) {
		pap_reply_encode(&w, PAP_NAK, ppp->auth_id, message);
	} else if (ppp->auth == AUTH_MSCHAPV2) {
		mschap_failure_text(ppp, &t, message);
		chap_reply_encode(&w, CHAP_FAILURE, ppp->auth_id, wr_bytes_of(&t));
	} else {
		chap_reply_encode(&w, CHAP_FAILURE, ppp->auth_id, message);
	}
	packet_send(env, ppp->auth == AUTH_PAP ? PPP_PAP : PPP_CHAP, &w);
}

void auth_answered(struct ppp *ppp, struct ppp_env *env, bool accepted, struct bytes message)
{
	if (ppp->phase != PPP_AUTHENTICATE || ppp->auth_state != PPP_AUTH_ASKED)
		return;		/* the link did not wait for this verdict */
	message.len = min_u32(message.len, UINT8_MAX);
	if (!accepted) {
		refusal_send(ppp, env, message);
		phase_ended(ppp, env, PPP_END_AUTH_FAILED);
		return;
	}
	accept_send(ppp, env, ppp->auth_id, message);
	auth_stopped(ppp);
	ppp->auth_state = PPP_AUTH_ACCEPTED;
	ppp->proof_len = 0;
	if (ppp->auth == AUTH_MSCHAPV2 && message.len > 0) {	/* other words need not be kept */
		ppp->proof_len = (uint8_t)min_u32(message.len, sizeof(ppp->proof));
		memcpy(ppp->proof, message.p, ppp->proof_len);
	}
	phase_authed(ppp, env);
}

/*
 * A lost Success leaves the two sides in different phases: RFC 1994 section 4.2 puts repeating on the peer,
 * but pppd and others send their Response once and then wait.  The sign is that the first network protocol
 * gets no answer, so Success goes out again with each repetition of our request.
 */
void auth_unheard(const struct ppp *ppp, const struct ppp_env *env)
{
	bool chap = ppp->auth == AUTH_CHAP_MD5 || ppp->auth == AUTH_MSCHAPV2;

	if (chap && ppp->auth_state == PPP_AUTH_ACCEPTED)
		accept_send(ppp, env, ppp->auth_id, bytes_of(ppp->proof, ppp->proof_len));
}

void auth_timed_out(struct ppp *ppp, struct ppp_env *env)
{
	if (mono_reached(env->now, ppp->auth_until))
		phase_ended(ppp, env, PPP_END_AUTH_TIMEOUT);
	else if (mono_reached(env->now, ppp->auth_resend) && ppp->auth_tries == 0)
		phase_ended(ppp, env, PPP_END_AUTH_TIMEOUT);
	else if (mono_reached(env->now, ppp->auth_resend))
		challenge_send(ppp, env);
}
