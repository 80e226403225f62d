/* ppp_lcp.c -- the policy of LCP, a row for each option, and the packets that only LCP has. */
#include "l2tpns/core/ppp_lcp.h"
#include "l2tpns/core/ppp_phase.h"

static uint32_t u32_of(struct bytes value)
{
	struct rd r = rd_bytes(value);

	return rd_u32(&r);
}

static uint16_t u16_of(struct bytes value)
{
	struct rd r = rd_bytes(value);

	return rd_u16(&r);
}

/* RFC 1661 section 6.4: as random as can be had, and never 0. */
static uint32_t magic_new(struct ppp_env *env)
{
	uint32_t magic;

	do
		magic = rnd_u32(env->rnd);
	while (magic == 0);
	return magic;
}

/* MRU: RFC 1661 section 6.1. */

static bool mru_ask(const struct ppp *ppp, const struct ppp_env *env, struct wr *value)
{
	(void)env;
	wr_u16(value, ppp->our_mru);
	return ppp->our_mru != PPP_MRU_DEFAULT;
}

/* A smaller one suits us as well; a larger one does not fit the path to the LAC, so we ask again. */
static enum neg_next mru_naked(struct ppp *ppp, struct ppp_env *env, struct bytes value)
{
	uint16_t mru = u16_of(value);

	(void)env;
	if (mru >= LCP_MRU_FLOOR && mru < ppp->our_mru)
		ppp->our_mru = mru;
	return NEG_AGAIN;
}

static enum neg_verdict mru_judge(struct ppp *ppp, struct ppp_env *env, bool fits, struct bytes value,
				  struct wr *better)
{
	(void)ppp;
	if (fits && u16_of(value) >= LCP_MRU_FLOOR)
		return NEG_ACK;
	wr_u16(better, fits ? LCP_MRU_FLOOR : env->conf->mru);
	return NEG_NAK;
}

static void mru_take(struct ppp *ppp, const struct ppp_env *env, struct bytes value)
{
	ppp->peer_mru = (uint16_t)min_u32(u16_of(value), env->conf->mru);
}

/* ACCM: RFC 1662 section 7.1.  Nothing is escaped in L2TP, so any map will do; pppd sends 0. */

static enum neg_verdict accm_judge(struct ppp *ppp, struct ppp_env *env, bool fits, struct bytes value,
				   struct wr *better)
{
	(void)ppp, (void)env, (void)value;
	if (fits)
		return NEG_ACK;
	wr_u32(better, 0);
	return NEG_NAK;
}

/* Authentication-Protocol: RFC 1661 section 6.2, RFC 1994 section 3, RFC 2759 section 2. */

static const struct auth_row {
	uint8_t		len;
	uint8_t		value[3];	/* protocol, and the algorithm for CHAP */
} auth_row[AUTH_METHODS] = {
	[AUTH_PAP]	= { 2, { 0xc0, 0x23 } },
	[AUTH_CHAP_MD5]	= { 3, { 0xc2, 0x23, 5 } },
	[AUTH_MSCHAPV2]	= { 3, { 0xc2, 0x23, 0x81 } },
};

static enum auth_method auth_of(struct bytes value)
{
	for (unsigned m = AUTH_NONE + 1; m < AUTH_METHODS; m++)
		if (bytes_eq(value, bytes_of(auth_row[m].value, auth_row[m].len)))
			return (enum auth_method)m;
	return AUTH_NONE;
}

static bool auth_allowed(const struct ppp_conf *conf, enum auth_method method)
{
	for (unsigned i = 0; i < conf->auths; i++)
		if (conf->auth[i] == method)
			return method != AUTH_NONE;
	return false;
}

static bool auth_ask(const struct ppp *ppp, const struct ppp_env *env, struct wr *value)
{
	(void)env;
	wr_put(value, auth_row[ppp->auth].value, auth_row[ppp->auth].len);
	return ppp->auth != AUTH_NONE;
}

/* What the peer would rather do, if we allow it; else our next choice that it has not refused yet. */
static enum neg_next auth_naked(struct ppp *ppp, struct ppp_env *env, struct bytes value)
{
	enum auth_method wanted = auth_of(value);

	ppp->auth_refused = (uint8_t)(ppp->auth_refused | 1u << ppp->auth);
	if (!auth_allowed(env->conf, wanted) || (ppp->auth_refused >> wanted & 1)) {
		wanted = AUTH_NONE;
		for (unsigned i = 0; i < env->conf->auths && wanted == AUTH_NONE; i++)
			if (!(ppp->auth_refused >> env->conf->auth[i] & 1))
				wanted = env->conf->auth[i];
	}
	if (wanted == AUTH_NONE)
		return NEG_GIVE_UP;
	ppp->auth = (uint8_t)wanted;
	return NEG_AGAIN;
}

static enum neg_next auth_rejected(struct ppp *ppp, struct ppp_env *env)
{
	(void)ppp, (void)env;
	return NEG_GIVE_UP;
}

/* Magic-Number: RFC 1661 section 6.4. */

static bool magic_ask(const struct ppp *ppp, const struct ppp_env *env, struct wr *value)
{
	(void)env;
	wr_u32(value, ppp->our_magic);
	return ppp->our_magic != 0;
}

static enum neg_next magic_naked(struct ppp *ppp, struct ppp_env *env, struct bytes value)
{
	(void)value;	/* whether or not it is the one we sent in a Nak, we must take a new one */
	ppp->our_magic = magic_new(env);
	return NEG_AGAIN;
}

static enum neg_next magic_rejected(struct ppp *ppp, struct ppp_env *env)
{
	(void)env;
	ppp->our_magic = 0;
	return NEG_DROP;
}

/* One more packet with our own magic number in it; true when that is no coincidence any more. */
static bool magic_came_back(struct ppp *ppp, const struct ppp_env *env)
{
	if (ppp->loops < UINT8_MAX)
		ppp->loops++;
	return ppp->loops >= env->conf->max_failure;
}

static enum neg_verdict magic_judge(struct ppp *ppp, struct ppp_env *env, bool fits, struct bytes value,
				    struct wr *better)
{
	uint32_t magic = fits ? u32_of(value) : 0;

	if (magic != 0 && magic != ppp->our_magic) {
		ppp->loops = 0;
		return NEG_ACK;
	}
	wr_u32(better, magic_new(env));
	if (magic == 0)
		return NEG_NAK;
	return magic_came_back(ppp, env) ? NEG_LOOPED : NEG_NAK_ALONE;
}

static void magic_take(struct ppp *ppp, const struct ppp_env *env, struct bytes value)
{
	(void)env;
	ppp->peer_magic = u32_of(value);
}

/* Protocol- and Address-and-Control-Field-Compression: RFC 1661 sections 6.5 and 6.6.  We read either
 * form always, so we never ask; that the peer reads them is for the data plane to use. */

static enum neg_verdict flag_judge(struct ppp *ppp, struct ppp_env *env, bool fits, struct bytes value,
				   struct wr *better)
{
	(void)ppp, (void)env, (void)value, (void)better;
	return fits ? NEG_ACK : NEG_NAK;
}

static void pfc_take(struct ppp *ppp, const struct ppp_env *env, struct bytes value)
{
	(void)env, (void)value;
	ppp->pfc = true;
}

static void acfc_take(struct ppp *ppp, const struct ppp_env *env, struct bytes value)
{
	(void)env, (void)value;
	ppp->acfc = true;
}

static const struct neg_row lcp_rows[] = {
	{ LCP_MRU,   .ask = mru_ask, .naked = mru_naked, .judge = mru_judge, .take = mru_take },
	{ LCP_ACCM,  .judge = accm_judge },
	{ LCP_AUTH,  .ask = auth_ask, .naked = auth_naked, .rejected = auth_rejected },
	{ LCP_MAGIC, .ask = magic_ask, .naked = magic_naked, .rejected = magic_rejected, .judge = magic_judge,
		     .take = magic_take },
	{ LCP_PFC,   .judge = flag_judge, .take = pfc_take },
	{ LCP_ACFC,  .judge = flag_judge, .take = acfc_take },
};

static void lcp_defaults(struct ppp *ppp, const struct ppp_env *env)
{
	ppp->peer_mru = (uint16_t)min_u32(PPP_MRU_DEFAULT, env->conf->mru);
	ppp->peer_magic = 0;
	ppp->pfc = false;
	ppp->acfc = false;
}

static void lcp_finished(struct ppp *ppp, struct ppp_env *env)
{
	phase_ended(ppp, env, ppp->phase == PPP_TERMINATE ? PPP_END_CLOSED : PPP_END_LCP_FAILED);
}

/* What cannot be done without is authentication: a peer that refuses it has failed it. */
static void lcp_hopeless(struct ppp *ppp, struct ppp_env *env, enum why why)
{
	phase_ended(ppp, env, why == WHY_PPP_LOOPBACK ? PPP_END_LOOPBACK : PPP_END_AUTH_FAILED);
}

/* RFC 1661 section 3.7 lets the receiver wait for the caller to hang up; a subscriber behind a LAC may
 * never do that, so a link whose peer said goodbye is over. */
static void lcp_terminated(struct ppp *ppp, struct ppp_env *env)
{
	if (ppp->phase != PPP_TERMINATE)
		phase_ended(ppp, env, PPP_END_PEER);
}

/* RFC 1661 section 5.8. */
static enum why echoreq_received(struct ppp *ppp, struct ppp_env *env, const struct ppp_cp *cp)
{
	uint8_t data[NEG_PACKET_MAX];
	struct wr w = wr_of(data, sizeof(data));
	struct bytes rest = neg_cut(ppp, cp->data, 4);

	if (cp->data.len < 4)
		return WHY_PPP_LEN;
	if (ppp->our_magic != 0 && u32_of(cp->data) == ppp->our_magic) {
		if (magic_came_back(ppp, env))
			phase_ended(ppp, env, PPP_END_LOOPBACK);
		return WHY_PPP_ECHO_MAGIC;
	}
	ppp->loops = 0;
	wr_u32(&w, ppp->our_magic);
	wr_put(&w, rest.p + 4, rest.len - 4);
	neg_send(env, &lcp_proto, CP_ECHOREP, cp->id, wr_bytes_of(&w));
	return WHY_OK;
}

static enum why protorej_received(struct ppp *ppp, struct ppp_env *env, const struct ppp_cp *cp)
{
	if (cp->data.len < 2)
		return WHY_PPP_LEN;
	phase_protocol_rejected(ppp, env, u16_of(cp->data));
	return WHY_OK;
}

/*
 * An Echo-Reply only has to come: everything heard is a sign of life.  One with our own magic number
 * is from a peer that copies the request whole, as some do; on a looped-back line our requests come
 * back as requests and are told above.
 */
static enum why lcp_other(struct ppp *ppp, struct ppp_env *env, const struct ppp_cp *cp)
{
	bool opened = ppp->lcp.state == FSM_OPENED;

	switch (cp->code) {
	case CP_PROTOREJ:	/* RFC 1661 sections 5.7 to 5.9: to be discarded unless Opened */
		return opened ? protorej_received(ppp, env, cp) : WHY_PPP_PHASE;
	case CP_ECHOREQ:
		return opened ? echoreq_received(ppp, env, cp) : WHY_PPP_PHASE;
	case CP_ECHOREP:
		return opened ? WHY_OK : WHY_PPP_PHASE;
	case CP_DISCARD:
	case CP_IDENTIFICATION:	/* RFC 1570 sections 1.1 and 1.2: in any state */
	case CP_TIME_REMAINING:
		return WHY_OK;
	}
	return WHY_PPP_CODE;
}

const struct neg_proto lcp_proto = {
	.proto = PPP_LCP, .eager = true, .at = offsetof(struct ppp, lcp), .options = &lcp_options,
	.row = lcp_rows, .rows = ARRAY_LEN(lcp_rows),
	.defaults = lcp_defaults, .up = phase_lcp_opened, .down = phase_lcp_left, .finished = lcp_finished,
	.hopeless = lcp_hopeless, .terminated = lcp_terminated, .other = lcp_other,
};

void lcp_init(struct ppp *ppp, struct ppp_env *env)
{
	const struct ppp_conf *conf = env->conf;

	ASSERT(conf->mru >= LCP_MRU_FLOOR && conf->mru <= PPP_MRU_DEFAULT);
	neg_init(ppp, &lcp_proto);
	lcp_defaults(ppp, env);
	ppp->our_mru = conf->mru;
	ppp->our_magic = magic_new(env);
	ppp->auth = (uint8_t)(conf->auths > 0 ? conf->auth[0] : AUTH_NONE);
	ppp->auth_refused = 0;
	ppp->loops = 0;
}

/* What the LAC sent and the subscriber acknowledged is now what we have asked for. */
static bool proxy_sent(struct ppp *ppp, const struct ppp_env *env, struct bytes options)
{
	struct rd r = rd_bytes(options);
	struct ppp_opt opt;
	uint16_t mru = PPP_MRU_DEFAULT;

	ppp->our_magic = 0;
	ppp->auth = AUTH_NONE;
	while (rd_left(&r) > 0) {
		if (ppp_opt_next(&r, &opt) != WHY_OK || !opt_fits(&lcp_options, opt.type, opt.value))
			return false;
		switch (opt.type) {
		case LCP_MRU:
			mru = u16_of(opt.value);
			break;
		case LCP_AUTH:
			ppp->auth = (uint8_t)auth_of(opt.value);
			break;
		case LCP_MAGIC:
			ppp->our_magic = u32_of(opt.value);
			break;
		case LCP_ACCM:
		case LCP_PFC:
		case LCP_ACFC:
			break;		/* we read every form anyway */
		default:
			return false;	/* promised by the LAC, and nothing we can keep */
		}
	}
	/* How much the subscriber may send at once is between it and the LAC, which carries it to us, in fragments
	 * if it must: many LACs negotiate 1500, and a link set up anew for that would help nobody. */
	ppp->our_mru = mru;
	if (mru < LCP_MRU_FLOOR || mru > PPP_MRU_DEFAULT)
		return false;
	return env->conf->auths == 0 ? ppp->auth == AUTH_NONE : auth_allowed(env->conf, ppp->auth);
}

bool lcp_proxied(struct ppp *ppp, struct ppp_env *env, const struct ppp_proxy *proxy)
{
	if (!proxy_sent(ppp, env, proxy->last_sent_lcp) ||
	    !neg_options_taken(ppp, env, &lcp_proto, proxy->last_received_lcp)) {
		lcp_init(ppp, env);
		return false;
	}
	neg_adopted(ppp, &lcp_proto);
	return true;
}

/* From one interval to a quarter more, so that the sessions of a mass redial do not beat together. */
static struct dur echo_wait(struct ppp_env *env)
{
	uint32_t interval_ms = min_u32(env->conf->echo_interval_s, 86400) * 1000;

	return DUR_MS(interval_ms + rnd_below(env->rnd, interval_ms / 4 + 1));
}

void lcp_echo_begin(struct ppp *ppp, struct ppp_env *env)
{
	ppp->echo_missed = 0;
	ppp->echo_due = MONO_NEVER;
	if (env->conf->echo_interval_s > 0)
		ppp->echo_due = mono_add(env->now, echo_wait(env));
}

/*
 * Looks once an interval.  Whatever came since the last request proves the line alive, an Echo-Reply or
 * anything else; the request itself is saved when the subscriber was heard within the interval.
 */
void lcp_echo_timed_out(struct ppp *ppp, struct ppp_env *env)
{
	const struct ppp_conf *conf = env->conf;
	struct mono heard = mono_before(ppp->heard, env->data_heard) ? env->data_heard : ppp->heard;

	if (!mono_reached(env->now, ppp->echo_due))
		return;
	ppp->echo_due = MONO_NEVER;
	if (conf->echo_interval_s == 0)
		return;
	if (ppp->echo_missed > 0 && !mono_before(heard, ppp->echo_sent))
		ppp->echo_missed = 0;
	if (ppp->echo_missed == 0 && !conf->echo_when_busy &&
	    mono_before(env->now, mono_add(heard, DUR_S(conf->echo_interval_s)))) {
		ppp->echo_due = mono_add(heard, echo_wait(env));
		return;
	}
	if (ppp->echo_missed >= conf->echo_failures && conf->echo_failures > 0) {
		phase_ended(ppp, env, PPP_END_ECHO);
		return;
	}
	uint8_t magic[4];
	struct wr w = wr_of(magic, sizeof(magic));

	wr_u32(&w, ppp->our_magic);
	neg_send(env, &lcp_proto, CP_ECHOREQ, ++ppp->echo_id, wr_bytes_of(&w));
	ppp->echo_missed++;
	ppp->echo_sent = env->now;
	ppp->echo_due = mono_add(env->now, echo_wait(env));
}

/* RFC 1661 section 5.7. */
void lcp_protocol_reject(struct ppp *ppp, struct ppp_env *env, uint16_t proto, struct bytes body)
{
	uint8_t data[NEG_PACKET_MAX];
	struct wr w = wr_of(data, sizeof(data));

	wr_u16(&w, proto);
	wr_bytes(&w, neg_cut(ppp, body, 6));
	neg_send(env, &lcp_proto, CP_PROTOREJ, ++ppp->reject_id, wr_bytes_of(&w));
}

void lcp_terminate_once(struct ppp *ppp, struct ppp_env *env)
{
	if (ppp->lcp.state >= FSM_REQSENT)
		neg_send(env, &lcp_proto, CP_TERMREQ, ++ppp->lcp.id, (struct bytes){ 0 });
}
