/*
 * ppp.c -- the phases of a link: which machine hears which packet, and what follows from what.
 *
 *	 DEAD --started--> ESTABLISH --LCP opened--> AUTHENTICATE --accepted--> NETWORK
 *	  ^                 ^     |                     |    |                     |
 *	  |                 |     |                     |    +---- LCP left -------+--> ESTABLISH
 *	  |                 +-----|---------------------+
 *	  +------- ended ---------+---------------------+--------------------------+
 *	  +------- ended -- TERMINATE <-- close asked, from any of them
 */
#include "l2tpns/core/ppp.h"
#include "l2tpns/core/ppp_auth_fsm.h"
#include "l2tpns/core/ppp_ipcp.h"
#include "l2tpns/core/ppp_lcp.h"
#include "l2tpns/core/ppp_phase.h"

/* The one deadline the session has to watch: the earliest of what runs. */
static void due_settle(struct ppp *ppp)
{
	struct mono auth = mono_min(ppp->auth_resend, ppp->auth_until);

	ppp->due = mono_min(mono_min(ppp->lcp.due, ppp->ipcp.due), mono_min(auth, ppp->echo_due));
}

static void link_clear(struct ppp *ppp)
{
	neg_init(ppp, &lcp_proto);
	neg_init(ppp, &ipcp_proto);
	auth_stopped(ppp);
	ppp->echo_due = MONO_NEVER;
	ppp->phase = PPP_DEAD;
}

void phase_lcp_opened(struct ppp *ppp, struct ppp_env *env)
{
	env->happened |= PPP_HAS_LCP_OPENED;
	lcp_echo_begin(ppp, env);
	auth_begin(ppp, env);
}

/* RFC 1661 section 3.4: with LCP every later phase is undone. */
void phase_lcp_left(struct ppp *ppp, struct ppp_env *env)
{
	if (ppp->ipcp.state >= FSM_CLOSED)
		neg_event(ppp, env, &ipcp_proto, FSM_EV_DOWN);
	auth_stopped(ppp);
	ppp->echo_due = MONO_NEVER;
	if (ppp->phase != PPP_TERMINATE)
		ppp->phase = PPP_ESTABLISH;
}

void phase_authed(struct ppp *ppp, struct ppp_env *env)
{
	ppp->phase = PPP_NETWORK;
	env->happened |= PPP_HAS_AUTHED;
}

/* RFC 1661 section 5.7: nothing more of that protocol may be sent, so what needs it is over. */
void phase_protocol_rejected(struct ppp *ppp, struct ppp_env *env, uint16_t proto)
{
	uint16_t auth = ppp->auth == AUTH_PAP ? PPP_PAP : PPP_CHAP;

	if (proto == PPP_LCP)
		phase_ended(ppp, env, PPP_END_LCP_FAILED);
	else if (proto == PPP_IPCP && ppp->phase == PPP_NETWORK)
		phase_ended(ppp, env, PPP_END_IPCP_FAILED);
	else if (proto == auth && ppp->phase == PPP_AUTHENTICATE)
		phase_ended(ppp, env, PPP_END_AUTH_FAILED);
}

static const struct end_row {
	const char	*name;
	bool		 goodbye;	/* the subscriber does not know it yet: one Terminate-Request */
} end_row[] = {
	[PPP_END_NONE]		= { "none",		false },
	[PPP_END_PEER]		= { "peer",		false },
	[PPP_END_CLOSED]	= { "closed",		false },
	[PPP_END_LCP_FAILED]	= { "lcp-failed",	false },
	[PPP_END_AUTH_FAILED]	= { "auth-failed",	true },
	[PPP_END_AUTH_TIMEOUT]	= { "auth-timeout",	true },
	[PPP_END_IPCP_FAILED]	= { "ipcp-failed",	true },
	[PPP_END_ECHO]		= { "echo",		true },
	[PPP_END_LOOPBACK]	= { "loopback",		false },
};

void phase_ended(struct ppp *ppp, struct ppp_env *env, enum ppp_end end)
{
	if (ppp->phase == PPP_DEAD)
		return;
	if (ppp->ipcp.state == FSM_OPENED)
		env->happened |= PPP_HAS_NET_DOWN;
	if (end_row[end].goodbye)
		lcp_terminate_once(ppp, env);
	link_clear(ppp);
	env->happened |= PPP_HAS_ENDED;
	env->end = end;
}

void ppp_started(struct ppp *ppp, struct ppp_env *env, const struct ppp_proxy *proxy)
{
	*ppp = (struct ppp){ .echo_id = 0 };
	link_clear(ppp);
	lcp_init(ppp, env);
	ppp->phase = PPP_ESTABLISH;
	ppp->heard = env->now;
	ppp->auth_id = (uint8_t)rnd_u32(env->rnd);

	if (proxy && env->conf->proxy == PROXY_ACCEPT && lcp_proxied(ppp, env, proxy)) {
		env->happened |= PPP_HAS_LCP_OPENED;
		lcp_echo_begin(ppp, env);
		if (auth_proxy_complete((enum auth_method)ppp->auth, proxy))
			auth_proxied(ppp, env, proxy);
		else
			auth_begin(ppp, env);
	} else {
		neg_event(ppp, env, &lcp_proto, FSM_EV_OPEN);
		neg_event(ppp, env, &lcp_proto, FSM_EV_UP);
	}
	due_settle(ppp);
}

static enum why hear_lcp(struct ppp *ppp, struct ppp_env *env, struct bytes body)
{
	return neg_received(ppp, env, &lcp_proto, body);
}

static enum why hear_ipcp(struct ppp *ppp, struct ppp_env *env, struct bytes body)
{
	return neg_received(ppp, env, &ipcp_proto, body);
}

#define IN(phase)	(1u << (phase))
#define ANY_PHASE	(IN(PPP_ESTABLISH) | IN(PPP_AUTHENTICATE) | IN(PPP_NETWORK) | IN(PPP_TERMINATE))

/* RFC 1661 sections 3.4 to 3.7.  Outside its phases a packet is silently discarded; so are protocols
 * without a row, but in the Network phase they are rejected. */
static const struct hear_row {
	uint16_t	proto;
	unsigned	phases;
	enum why	(*received)(struct ppp *ppp, struct ppp_env *env, struct bytes body);
} hear_row[] = {
	{ PPP_LCP,  ANY_PHASE, hear_lcp },
	{ PPP_PAP,  IN(PPP_AUTHENTICATE) | IN(PPP_NETWORK), auth_pap_received },
	{ PPP_CHAP, IN(PPP_AUTHENTICATE) | IN(PPP_NETWORK), auth_chap_received },
	{ PPP_IPCP, IN(PPP_NETWORK), hear_ipcp },
	{ PPP_IP,   0, NULL },		/* the data plane's */
};

static enum why frame_received(struct ppp *ppp, struct ppp_env *env, const struct ppp_frame *frame)
{
	for (size_t i = 0; i < ARRAY_LEN(hear_row); i++)
		if (hear_row[i].proto == frame->proto)
			return hear_row[i].phases & IN(ppp->phase) ?
				       hear_row[i].received(ppp, env, frame->body) : WHY_PPP_PHASE;
	if (ppp->phase != PPP_NETWORK)
		return WHY_PPP_PHASE;
	lcp_protocol_reject(ppp, env, frame->proto, frame->body);
	return WHY_PPP_PROTO_REJECTED;
}

enum why ppp_received(struct ppp *ppp, struct ppp_env *env, struct bytes octets)
{
	struct ppp_frame frame;
	enum why why = ppp_frame_decode(octets, &frame);

	if (why != WHY_OK)
		return why;
	if (ppp->phase == PPP_DEAD)
		return WHY_PPP_PHASE;
	ppp->heard = env->now;
	why = frame_received(ppp, env, &frame);
	due_settle(ppp);
	return why;
}

void ppp_timed_out(struct ppp *ppp, struct ppp_env *env)
{
	if (ppp->phase != PPP_DEAD)
		neg_timed_out(ppp, env, &lcp_proto);
	if (ppp->phase == PPP_NETWORK && mono_reached(env->now, ppp->ipcp.due) && !ppp->ipcp.heard)
		auth_unheard(ppp, env);
	if (ppp->phase != PPP_DEAD)
		neg_timed_out(ppp, env, &ipcp_proto);
	if (ppp->phase != PPP_DEAD)
		auth_timed_out(ppp, env);
	if (ppp->phase != PPP_DEAD)
		lcp_echo_timed_out(ppp, env);
	if (ppp->phase == PPP_DEAD)
		link_clear(ppp);
	due_settle(ppp);
}

void ppp_auth_answered(struct ppp *ppp, struct ppp_env *env, bool accepted, struct bytes message)
{
	auth_answered(ppp, env, accepted, message);
	due_settle(ppp);
}

void ppp_address_given(struct ppp *ppp, struct ppp_env *env, struct ip4 address)
{
	if (ppp->phase != PPP_NETWORK || ppp->ipcp.state >= FSM_CLOSED)
		return;		/* the link did not wait for an address */
	ppp->address = address;
	ppp->ipcp_left = false;
	if (ppp->ipcp.state == FSM_INITIAL)
		neg_event(ppp, env, &ipcp_proto, FSM_EV_OPEN);
	neg_event(ppp, env, &ipcp_proto, FSM_EV_UP);
	due_settle(ppp);
}

void ppp_close_asked(struct ppp *ppp, struct ppp_env *env)
{
	if (ppp->phase == PPP_TERMINATE)
		return;
	if (ppp->phase == PPP_DEAD) {
		env->happened |= PPP_HAS_ENDED;
		env->end = PPP_END_CLOSED;
		return;
	}
	ppp->phase = PPP_TERMINATE;
	if (ppp->lcp.state != FSM_OPENED)
		phase_lcp_left(ppp, env);
	neg_event(ppp, env, &lcp_proto, FSM_EV_CLOSE);
	due_settle(ppp);
}

void ppp_cleared(struct ppp *ppp, struct ppp_env *env)
{
	if (ppp->phase != PPP_DEAD && ppp->phase != PPP_TERMINATE)
		lcp_terminate_once(ppp, env);
	link_clear(ppp);
	due_settle(ppp);
}

const char *ppp_phase_name(enum ppp_phase phase)
{
	static const char *const name[PPP_PHASES] = {
		"dead", "establish", "authenticate", "network", "terminate",
	};

	return (unsigned)phase < PPP_PHASES ? name[phase] : "unknown";
}

const char *ppp_end_name(enum ppp_end end)
{
	return (unsigned)end < ARRAY_LEN(end_row) ? end_row[end].name : "unknown";
}
