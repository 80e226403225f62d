/*
 * proxy.c -- the AVPs of a LAC that has already talked LCP and authentication.  RFC 2661 section 4.4.5.
 *
 * Both sides of that talk are made up here as they would have been.
 */
#include "l2tpns/wire/ppp_opt.h"
#include "tests/lac/lac.h"

static void auth_fill(struct lac *lac, uint32_t number, struct l2tp_msg *msg, struct proxy_words *words)
{
	char password[64];
	uint8_t id = 1;

	call_names(lac, number, words->user, password);
	msg->proxy_name = bytes_str(words->user);
	msg->proxy_id = id;
	msg->present |= AVP_BIT(AVP_PROXY_AUTHEN_TYPE) | AVP_BIT(AVP_PROXY_AUTHEN_NAME) |
			AVP_BIT(AVP_PROXY_AUTHEN_ID) | AVP_BIT(AVP_PROXY_AUTHEN_RESPONSE);
	if (lac->opt.auth == WANT_PAP) {
		size_t len = strlen(password) < sizeof(words->response) ? strlen(password) : sizeof(words->response);

		msg->proxy_type = 3;
		memcpy(words->response, password, len);
		msg->proxy_response = bytes_of(words->response, len);
		return;
	}
	msg->proxy_type = 2;
	rnd_fill(&lac->rnd, words->challenge, sizeof(words->challenge));
	msg->proxy_challenge = bytes_of(words->challenge, sizeof(words->challenge));
	msg->present |= AVP_BIT(AVP_PROXY_AUTHEN_CHALLENGE);
	chap_md5(id, bytes_str(password), msg->proxy_challenge, words->response);
	msg->proxy_response = bytes_of(words->response, CHAP_MD5_LEN);
}

/* What the LAC would have asked of the subscriber: the same MRU, authentication and a magic number. */
static size_t lac_options(struct lac *lac, enum auth_method method, uint8_t *room, size_t len)
{
	struct wr w = wr_of(room, len);
	uint8_t magic[4], demand[3], mru[2] = { (uint8_t)(lac->opt.mru >> 8), (uint8_t)lac->opt.mru };

	rnd_fill(&lac->rnd, magic, sizeof(magic));
	if (lac->opt.mru)
		ppp_opt_put(&w, LCP_MRU, bytes_of(mru, sizeof(mru)));
	ppp_opt_put(&w, LCP_AUTH, bytes_of(demand, auth_demand(method, demand)));
	ppp_opt_put(&w, LCP_MAGIC, bytes_of(magic, sizeof(magic)));
	return wr_len(&w);
}

void proxy_fill(struct lac *lac, uint32_t number, struct l2tp_msg *msg, struct proxy_words *words)
{
	enum auth_method method = lac->opt.auth == WANT_PAP ? AUTH_PAP : AUTH_CHAP_MD5;
	size_t theirs = client_lcp_options(lac, number, words->lcp_theirs, sizeof(words->lcp_theirs));
	size_t ours = lac_options(lac, method, words->lcp_ours, sizeof(words->lcp_ours));

	lac->session[number].auth = (uint8_t)method;
	msg->initial_lcp = bytes_of(words->lcp_theirs, theirs);
	msg->last_received_lcp = msg->initial_lcp;
	msg->last_sent_lcp = bytes_of(words->lcp_ours, ours);
	msg->present |= AVP_BIT(AVP_INITIAL_RECEIVED_LCP_CONFREQ) | AVP_BIT(AVP_LAST_RECEIVED_LCP_CONFREQ) |
			AVP_BIT(AVP_LAST_SENT_LCP_CONFREQ);
	if (lac->opt.proxy == PROXY_AUTH)
		auth_fill(lac, number, msg, words);
}
