/* ppp_neg.c -- the actions of RFC 1661 section 4.4 and the packets of its section 5, for any options. */
#include "l2tpns/core/ppp_neg.h"
#include "l2tpns/core/ppp.h"

#define CP_HEADER	4
#define EAGER_AFTER_MS	20	/* well under the 100 ms a client takes to start, well over a busy path */

struct reply {				/* what the packet being answered asks for */
	uint8_t		code;		/* Ack, Nak or Reject */
	uint8_t		id;
	struct bytes	data;
};

static struct ppp_neg *neg_of(struct ppp *ppp, const struct neg_proto *proto)
{
	return (struct ppp_neg *)(void *)((char *)ppp + proto->at);
}

void neg_init(struct ppp *ppp, const struct neg_proto *proto)
{
	ASSERT(proto->rows <= NEG_ROWS_MAX);
	*neg_of(ppp, proto) = (struct ppp_neg){ .due = MONO_NEVER, .state = FSM_INITIAL, .answered = true };
}

void neg_adopted(struct ppp *ppp, const struct neg_proto *proto)
{
	struct ppp_neg *neg = neg_of(ppp, proto);

	neg->state = FSM_OPENED;
	neg->heard = true;
}

void neg_send(const struct ppp_env *env, const struct neg_proto *proto, uint8_t code, uint8_t id,
	      struct bytes data)
{
	uint8_t packet[NEG_PACKET_MAX];
	struct wr w = wr_of(packet, sizeof(packet));
	size_t mark = ppp_cp_begin(&w, code, id);

	wr_bytes(&w, data);
	ppp_cp_end(&w, mark);
	ASSERT(wr_ok(&w));
	link_send(&env->link, proto->proto, wr_bytes_of(&w));
}

struct bytes neg_cut(const struct ppp *ppp, struct bytes data, uint32_t overhead)
{
	uint32_t room = min_u32(ppp->peer_mru, NEG_PACKET_MAX);

	data.len = min_u32(data.len, room > overhead ? room - overhead : 0);
	return data;
}

/* Our Configure-Request's options.  The same until a reply changes our mind, so that a repeated
 * request is the same packet and an Ack can be compared with what it acknowledges. */
static struct bytes request_options(struct ppp *ppp, const struct ppp_env *env, const struct neg_proto *proto,
				    uint8_t room[NEG_ROWS_MAX * (NEG_VALUE_MAX + 2)])
{
	const struct ppp_neg *neg = neg_of(ppp, proto);
	struct wr w = wr_of(room, NEG_ROWS_MAX * (NEG_VALUE_MAX + 2));

	for (unsigned i = 0; i < proto->rows; i++) {
		uint8_t value[NEG_VALUE_MAX];
		struct wr v = wr_of(value, sizeof(value));

		if (!proto->row[i].ask || (neg->dropped >> i & 1) || !proto->row[i].ask(ppp, env, &v))
			continue;
		ASSERT(wr_ok(&v));
		ppp_opt_put(&w, proto->row[i].type, wr_bytes_of(&v));
	}
	return wr_bytes_of(&w);
}

static void restart_timer(struct ppp_neg *neg, const struct ppp_env *env)
{
	neg->due = mono_add(env->now, DUR_MS(env->conf->restart_ms));
}

/* How long ago the timer was started, that is, our request sent. */
static uint64_t request_age_ms(const struct ppp_neg *neg, const struct ppp_env *env)
{
	return dur_ms(mono_since(mono_add(env->now, DUR_MS(env->conf->restart_ms)), neg->due));
}

static void request_sent(struct ppp_neg *neg, const struct ppp_env *env)
{
	if (neg->tries > 0)
		neg->tries--;
	restart_timer(neg, env);
}

/* RFC 1661 section 5.1: the Identifier changes with the content and after a valid reply.  A mere
 * repetition keeps it, so that an Ack of the first copy still counts. */
static void request_send(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto)
{
	struct ppp_neg *neg = neg_of(ppp, proto);
	uint8_t options[NEG_ROWS_MAX * (NEG_VALUE_MAX + 2)];

	if (neg->answered)
		neg->id++;
	neg->answered = false;
	neg_send(env, proto, CP_CONFREQ, neg->id, request_options(ppp, env, proto, options));
	request_sent(neg, env);
}

static const struct neg_row *row_of(const struct neg_proto *proto, uint8_t type, unsigned *index)
{
	for (unsigned i = 0; i < proto->rows; i++) {
		if (proto->row[i].type == type) {
			*index = i;
			return &proto->row[i];
		}
	}
	return NULL;
}

/* The peer's options hold from the moment we acknowledge them; those it left out have their defaults. */
static void options_take(struct ppp *ppp, const struct ppp_env *env, const struct neg_proto *proto,
			 struct bytes options)
{
	struct rd r = rd_bytes(options);
	struct ppp_opt opt;
	unsigned i;

	proto->defaults(ppp, env);
	while (rd_left(&r) > 0 && ppp_opt_next(&r, &opt) == WHY_OK) {
		const struct neg_row *row = row_of(proto, opt.type, &i);

		if (row && row->take)
			row->take(ppp, env, opt.value);
	}
}

/* Carry out one action; several come lowest bit first, which is the order of the RFC's cells. */
static void act(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto, enum fsm_action action,
		bool terminating, const struct reply *reply)
{
	struct ppp_neg *neg = neg_of(ppp, proto);

	switch (action) {
	case FSM_TLD:
		proto->down(ppp, env);
		break;
	case FSM_IRC:
		neg->tries = terminating ? env->conf->max_terminate : env->conf->max_configure;
		break;
	case FSM_ZRC:		/* one Restart time for the peer to receive our Terminate-Ack */
		neg->tries = 0;
		restart_timer(neg, env);
		break;
	case FSM_SCR:
		request_send(ppp, env, proto);
		break;
	case FSM_SCA:
		neg->naks_sent = 0;
		options_take(ppp, env, proto, reply->data);
		neg_send(env, proto, CP_CONFACK, reply->id, reply->data);
		break;
	case FSM_SCN:
		if (reply->code == CP_CONFNAK)
			neg->naks_sent++;
		neg_send(env, proto, reply->code, reply->id, reply->data);
		break;
	case FSM_STR:
		neg->answered = false;
		neg_send(env, proto, CP_TERMREQ, ++neg->id, (struct bytes){ 0 });
		request_sent(neg, env);
		break;
	case FSM_STA:
		neg_send(env, proto, CP_TERMACK, reply->id, (struct bytes){ 0 });
		break;
	case FSM_SCJ:
		neg_send(env, proto, CP_CODEREJ, ++ppp->reject_id, neg_cut(ppp, reply->data, CP_HEADER));
		break;
	case FSM_TLU:
		proto->up(ppp, env);
		break;
	case FSM_TLF:
		proto->finished(ppp, env);
		break;
	case FSM_TLS:		/* the lower layer of a call is up by itself */
	case FSM_SER:		/* LCP answers echoes itself: only it knows the magic number */
	case FSM_BAD:
		break;
	}
}

static void step(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto, enum fsm_event event,
		 const struct reply *reply)
{
	struct ppp_neg *neg = neg_of(ppp, proto);
	enum fsm_state state = neg->state;
	unsigned actions = fsm_step(&state, event);

	bool terminating = state == FSM_CLOSING || state == FSM_STOPPING;

	ASSERT(!(actions & FSM_BAD));
	neg->state = (uint8_t)state;
	if (!fsm_timer_runs(state))
		neg->due = MONO_NEVER;
	while (actions != 0 && ppp->phase != PPP_DEAD) {	/* an action may have ended the link */
		unsigned lowest = actions & -actions;

		actions &= ~lowest;
		act(ppp, env, proto, (enum fsm_action)lowest, terminating, reply);
	}
}

void neg_event(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto, enum fsm_event event)
{
	struct ppp_neg *neg = neg_of(ppp, proto);

	if (event == FSM_EV_UP) {
		neg->heard = false;
		neg->naks_sent = 0;
		neg->naks_heard = 0;
	}
	step(ppp, env, proto, event, &(struct reply){ 0 });
}

void neg_timed_out(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto)
{
	const struct ppp_neg *neg = neg_of(ppp, proto);

	if (mono_reached(env->now, neg->due))
		step(ppp, env, proto, neg->tries > 0 ? FSM_EV_TO_PLUS : FSM_EV_TO_MINUS,
		     &(struct reply){ 0 });
}

/* The options of a Configure packet, before anything is made of them: lengths in order and, when they
 * are to stand `once`, none of our options twice (RFC 1661 section 6; a Nak may name alternatives). */
static enum why options_check(const struct neg_proto *proto, struct bytes options, bool once)
{
	struct rd r = rd_bytes(options);
	struct ppp_opt opt;
	unsigned seen = 0, i;

	while (rd_left(&r) > 0) {
		enum why why = ppp_opt_next(&r, &opt);

		if (why != WHY_OK)
			return why;
		if (!once || !row_of(proto, opt.type, &i))
			continue;
		if (seen >> i & 1)
			return WHY_PPP_OPTION_VALUE;
		seen |= 1u << i;
	}
	return WHY_OK;
}

static enum neg_verdict judge(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
			      const struct ppp_opt *opt, struct wr *better, unsigned *index)
{
	const struct neg_row *row = row_of(proto, opt->type, index);

	if (!row) {
		*index = NEG_ROWS_MAX;
		return NEG_REJECT;
	}
	if (!row->judge)
		return NEG_REJECT;
	return row->judge(ppp, env, opt_fits(proto->options, opt->type, opt->value), opt->value, better);
}

bool neg_options_taken(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
		       struct bytes options)
{
	struct rd r = rd_bytes(options);
	struct ppp_opt opt;
	unsigned i;

	if (options_check(proto, options, true) != WHY_OK)
		return false;
	while (rd_left(&r) > 0 && ppp_opt_next(&r, &opt) == WHY_OK) {
		uint8_t value[NEG_VALUE_MAX];
		struct wr better = wr_of(value, sizeof(value));

		if (judge(ppp, env, proto, &opt, &better, &i) != NEG_ACK)
			return false;
	}
	options_take(ppp, env, proto, options);
	return true;
}

struct answer {				/* to the peer's Configure-Request, while it is read */
	struct wr	rejects, naks;
	unsigned	seen;		/* bit n: policy row n was in the request */
	bool		may_nak;	/* Max-Failure not reached */
	bool		alone;		/* one Nak was NEG_NAK_ALONE: naks holds only that */
	bool		looped;
};

static void answer_option(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
			  const struct ppp_opt *opt, struct answer *answer)
{
	uint8_t value[NEG_VALUE_MAX];
	struct wr better = wr_of(value, sizeof(value));
	unsigned i;
	enum neg_verdict verdict = judge(ppp, env, proto, opt, &better, &i);

	ASSERT(wr_ok(&better));
	answer->seen |= 1u << i;
	if (verdict == NEG_NAK && !answer->may_nak)
		verdict = NEG_REJECT;
	if (verdict == NEG_LOOPED)
		answer->looped = true;
	if (verdict == NEG_REJECT)
		ppp_opt_put(&answer->rejects, opt->type, opt->value);
	if (verdict == NEG_NAK_ALONE) {
		answer->alone = true;
		answer->naks.p = answer->naks.start;
	}
	if (verdict == NEG_NAK_ALONE || (verdict == NEG_NAK && !answer->alone))
		ppp_opt_put(&answer->naks, opt->type, wr_bytes_of(&better));
}

static void answer_missing(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
			   struct answer *answer)
{
	for (unsigned i = 0; i < proto->rows && answer->may_nak && !answer->alone; i++) {
		const struct neg_row *row = &proto->row[i];
		uint8_t value[NEG_VALUE_MAX];
		struct wr better = wr_of(value, sizeof(value));

		if (!(answer->seen >> i & 1) && row->missed && row->missed(ppp, env, &better))
			ppp_opt_put(&answer->naks, row->type, wr_bytes_of(&better));
	}
}

/* RFC 1661 sections 5.1 to 5.4: reject what is not known, else Nak what is not liked, else acknowledge. */
static enum why confreq_received(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
				 const struct ppp_cp *cp)
{
	struct ppp_neg *neg = neg_of(ppp, proto);
	uint8_t rejects[NEG_PACKET_MAX], naks[NEG_ROWS_MAX * (NEG_VALUE_MAX + 2)];
	struct answer answer = {
		.rejects = wr_of(rejects, sizeof(rejects)), .naks = wr_of(naks, sizeof(naks)),
		.may_nak = neg->naks_sent < env->conf->max_failure,
	};
	struct reply reply = { .code = CP_CONFACK, .id = cp->id, .data = cp->data };
	struct rd r = rd_bytes(cp->data);
	struct ppp_opt opt;
	enum why why = options_check(proto, cp->data, true);

	if (cp->data.len > NEG_PACKET_MAX - CP_HEADER)
		return WHY_PPP_LEN;
	if (why != WHY_OK)
		return why;
	if (neg->state < FSM_REQSENT && neg->state != FSM_STOPPED) {	/* any request means the same there */
		step(ppp, env, proto, FSM_EV_RCR_PLUS, &reply);
		return WHY_OK;
	}
	while (rd_left(&r) > 0 && ppp_opt_next(&r, &opt) == WHY_OK)
		answer_option(ppp, env, proto, &opt, &answer);
	if (answer.looped) {
		proto->hopeless(ppp, env, WHY_PPP_LOOPBACK);
		return WHY_PPP_LOOPBACK;
	}
	answer_missing(ppp, env, proto, &answer);
	ASSERT(wr_ok(&answer.rejects) && wr_ok(&answer.naks));

	/* A dialling client's PPP starts after our first request was sent, which is then lost.  Its own
	 * first one tells us that it listens now.  Sent before the Ack: a peer that did get the first
	 * copy must not see the second when it has opened already.  A peer that asks within moments of our
	 * request was listening when it came. */
	if (proto->eager && neg->state == FSM_REQSENT && !neg->heard &&
	    request_age_ms(neg, env) >= EAGER_AFTER_MS)
		request_send(ppp, env, proto);
	neg->heard = true;

	if (wr_len(&answer.rejects) > 0 && !answer.alone) {
		reply.code = CP_CONFREJ;
		reply.data = wr_bytes_of(&answer.rejects);
	} else if (wr_len(&answer.naks) > 0) {
		reply.code = CP_CONFNAK;
		reply.data = wr_bytes_of(&answer.naks);
	}
	step(ppp, env, proto, reply.code == CP_CONFACK ? FSM_EV_RCR_PLUS : FSM_EV_RCR_MINUS, &reply);
	return WHY_OK;
}

/* Before this a reply is invalid and silently discarded: RFC 1661 sections 5.2 to 5.4.  A second reply
 * to the same request is as stale as one to an older request; taken for a new one it would bring an
 * open link down, and the network may well deliver a packet twice. */
static enum why reply_check(const struct ppp_neg *neg, const struct neg_proto *proto, const struct ppp_cp *cp)
{
	if (cp->id != neg->id || neg->answered)
		return WHY_PPP_ID;
	return options_check(proto, cp->data, false);
}

static enum why confack_received(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
				 const struct ppp_cp *cp)
{
	struct ppp_neg *neg = neg_of(ppp, proto);
	uint8_t room[NEG_ROWS_MAX * (NEG_VALUE_MAX + 2)];
	enum why why = reply_check(neg, proto, cp);

	if (why != WHY_OK)
		return why;
	if (!bytes_eq(cp->data, request_options(ppp, env, proto, room)))
		return WHY_PPP_OPTION_VALUE;
	neg->answered = true;
	neg->heard = true;
	neg->naks_heard = 0;
	step(ppp, env, proto, FSM_EV_RCA, &(struct reply){ .id = cp->id });
	return WHY_OK;
}

/* RFC 1661 section 5.4: rejected options are those of our request, unchanged and in its order. */
static bool is_part_of(struct bytes part, struct bytes whole)
{
	struct rd p = rd_bytes(part), w = rd_bytes(whole);
	struct ppp_opt want, have;

	while (rd_left(&p) > 0 && ppp_opt_next(&p, &want) == WHY_OK) {
		do {
			if (rd_left(&w) == 0 || ppp_opt_next(&w, &have) != WHY_OK)
				return false;
		} while (have.type != want.type);
		if (!bytes_eq(have.value, want.value))
			return false;
	}
	return true;
}

/* RFC 1661 section 5.3: the values must have lengths we know.  Options we did not ask may be there. */
static bool naks_fit(const struct neg_proto *proto, struct bytes options)
{
	struct rd r = rd_bytes(options);
	struct ppp_opt opt;

	while (rd_left(&r) > 0 && ppp_opt_next(&r, &opt) == WHY_OK)
		if (!opt_fits(proto->options, opt.type, opt.value))
			return false;
	return true;
}

static enum neg_next option_refused(struct ppp *ppp, struct ppp_env *env, const struct neg_row *row,
				    bool rejected, struct bytes value)
{
	if (rejected)
		return row->rejected ? row->rejected(ppp, env) : NEG_DROP;
	return row->naked ? row->naked(ppp, env, value) : NEG_AGAIN;
}

/* Configure-Nak or Configure-Reject.  Beyond Max-Failure Naks a peer will not be moved: its Nak then
 * counts as a Reject, or two stubborn ends would go on for ever (each Nak resets the Restart counter). */
static enum why refusal_received(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
				 const struct ppp_cp *cp)
{
	struct ppp_neg *neg = neg_of(ppp, proto);
	uint8_t room[NEG_ROWS_MAX * (NEG_VALUE_MAX + 2)];
	bool rejected = cp->code == CP_CONFREJ;
	enum why why = reply_check(neg, proto, cp);
	struct rd r = rd_bytes(cp->data);
	struct ppp_opt opt;
	unsigned seen = 0, i;

	if (why != WHY_OK)
		return why;
	if (cp->data.len == 0 || (rejected ? !is_part_of(cp->data, request_options(ppp, env, proto, room)) :
				  !naks_fit(proto, cp->data)))
		return WHY_PPP_OPTION_VALUE;
	neg->answered = true;
	neg->heard = true;
	if (!rejected && neg->naks_heard < UINT8_MAX && ++neg->naks_heard > env->conf->max_failure)
		rejected = true;
	while (neg->state >= FSM_REQSENT && rd_left(&r) > 0 && ppp_opt_next(&r, &opt) == WHY_OK) {
		const struct neg_row *row = row_of(proto, opt.type, &i);

		if (!row || !row->ask || ((neg->dropped | seen) >> i & 1))
			continue;
		seen |= 1u << i;	/* of several alternatives the first is the one the peer likes best */
		switch (option_refused(ppp, env, row, rejected, opt.value)) {
		case NEG_AGAIN:
			break;
		case NEG_DROP:
			neg->dropped = (uint8_t)(neg->dropped | 1u << i);
			break;
		case NEG_GIVE_UP:
			proto->hopeless(ppp, env, WHY_PPP_OPTION_VALUE);
			return WHY_OK;
		}
	}
	step(ppp, env, proto, FSM_EV_RCN, &(struct reply){ .id = cp->id });
	return WHY_OK;
}

/* RFC 1661 section 5.6: no link works without codes 1 to 7; any other we can do without. */
static enum why coderej_received(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
				 const struct ppp_cp *cp)
{
	if (cp->data.len < CP_HEADER)
		return WHY_PPP_LEN;

	uint8_t code = cp->data.p[0];

	step(ppp, env, proto, code >= CP_CONFREQ && code <= CP_CODEREJ ? FSM_EV_RXJ_MINUS : FSM_EV_RXJ_PLUS,
	     &(struct reply){ .id = cp->id });
	return WHY_OK;
}

enum why neg_received(struct ppp *ppp, struct ppp_env *env, const struct neg_proto *proto,
		      struct bytes octets)
{
	struct ppp_cp cp;
	enum why why = ppp_cp_decode(octets, &cp);
	struct reply reply = { .id = cp.id };

	if (why != WHY_OK)
		return why;
	if (neg_of(ppp, proto)->state < FSM_CLOSED)
		return WHY_PPP_PHASE;		/* this layer is not up: RFC 1661 section 4.2 */
	switch (cp.code) {
	case CP_CONFREQ:
		return confreq_received(ppp, env, proto, &cp);
	case CP_CONFACK:
		return confack_received(ppp, env, proto, &cp);
	case CP_CONFNAK:
	case CP_CONFREJ:
		return refusal_received(ppp, env, proto, &cp);
	case CP_TERMREQ:
		step(ppp, env, proto, FSM_EV_RTR, &reply);
		proto->terminated(ppp, env);
		return WHY_OK;
	case CP_TERMACK:
		step(ppp, env, proto, FSM_EV_RTA, &reply);
		return WHY_OK;
	case CP_CODEREJ:
		return coderej_received(ppp, env, proto, &cp);
	}
	why = proto->other ? proto->other(ppp, env, &cp) : WHY_PPP_CODE;
	if (why == WHY_PPP_CODE) {
		reply.data = bytes_of(octets.p, CP_HEADER + cp.data.len);
		step(ppp, env, proto, FSM_EV_RUC, &reply);
	}
	return why;
}
