/* ppp_ipcp.c -- the policy of IPCP, a row for each option. */
#include "l2tpns/core/ppp_ipcp.h"
#include "l2tpns/core/ppp_lcp.h"
#include "l2tpns/core/ppp_phase.h"

/* The peer is to have exactly this address; none to give: the option is refused. */
static enum neg_verdict address_judge(struct ip4 ours, bool fits, struct bytes value, struct wr *better)
{
	struct rd r = rd_bytes(value);

	if (ours.n == 0)
		return NEG_REJECT;
	if (fits && rd_u32(&r) == ours.n)
		return NEG_ACK;
	wr_u32(better, ours.n);
	return NEG_NAK;
}

/* IP-Address: RFC 1332 section 3.3.  A peer that rejects ours does without knowing it. */

static bool ip_ask(const struct ppp *ppp, const struct ppp_env *env, struct wr *value)
{
	(void)ppp;
	wr_u32(value, env->conf->our_address.n);
	return env->conf->our_address.n != 0;
}

static enum neg_verdict ip_judge(struct ppp *ppp, struct ppp_env *env, bool fits, struct bytes value,
				 struct wr *better)
{
	(void)env;
	return address_judge(ppp->address, fits, value, better);
}

static bool ip_missed(const struct ppp *ppp, const struct ppp_env *env, struct wr *better)
{
	(void)env;
	wr_u32(better, ppp->address.n);
	return ppp->address.n != 0;
}

/* Primary and Secondary DNS Server Address: RFC 1877 sections 1.1 and 1.3. */

static enum neg_verdict dns1_judge(struct ppp *ppp, struct ppp_env *env, bool fits, struct bytes value,
				   struct wr *better)
{
	(void)ppp;
	return address_judge(env->conf->dns[0], fits, value, better);
}

static enum neg_verdict dns2_judge(struct ppp *ppp, struct ppp_env *env, bool fits, struct bytes value,
				   struct wr *better)
{
	(void)ppp;
	return address_judge(env->conf->dns[1], fits, value, better);
}

static const struct neg_row ipcp_rows[] = {
	{ IPCP_ADDRESS, .ask = ip_ask, .judge = ip_judge, .missed = ip_missed },
	{ IPCP_DNS1,	.judge = dns1_judge },
	{ IPCP_DNS2,	.judge = dns2_judge },
};

/* Nothing of the peer's request needs to be kept. */
static void ipcp_defaults(struct ppp *ppp, const struct ppp_env *env)
{
	(void)ppp, (void)env;
}

static void ipcp_up(struct ppp *ppp, struct ppp_env *env)
{
	(void)ppp;
	env->happened |= PPP_HAS_OPENED;
}

static void ipcp_down(struct ppp *ppp, struct ppp_env *env)
{
	(void)ppp;
	env->happened |= PPP_HAS_NET_DOWN;
}

/* IPCP carries all there is to carry: the link is of no use without it. */
static void ipcp_finished(struct ppp *ppp, struct ppp_env *env)
{
	if (ppp->ipcp_left)
		lcp_terminate_once(ppp, env);	/* it has taken leave of IPCP only */
	phase_ended(ppp, env, ppp->ipcp_left ? PPP_END_PEER : PPP_END_IPCP_FAILED);
}

static void ipcp_hopeless(struct ppp *ppp, struct ppp_env *env, enum why why)
{
	(void)why;
	phase_ended(ppp, env, PPP_END_IPCP_FAILED);
}

static void ipcp_terminated(struct ppp *ppp, struct ppp_env *env)
{
	(void)env;
	ppp->ipcp_left = true;
}

const struct neg_proto ipcp_proto = {
	.proto = PPP_IPCP, .at = offsetof(struct ppp, ipcp), .options = &ipcp_options,
	.row = ipcp_rows, .rows = ARRAY_LEN(ipcp_rows),
	.defaults = ipcp_defaults, .up = ipcp_up, .down = ipcp_down, .finished = ipcp_finished,
	.hopeless = ipcp_hopeless, .terminated = ipcp_terminated,
};
