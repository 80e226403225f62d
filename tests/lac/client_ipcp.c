/* client_ipcp.c -- the subscriber asks for an address and name servers.  RFC 1332, 1877. */
#include "l2tpns/wire/ppp_opt.h"
#include "tests/lac/lac.h"

#define DROPPED_DNS1	1u	/* in session.ipcp_dropped */
#define DROPPED_DNS2	2u
#define OPTIONS_MAX	256

static void packet_send(struct lac *lac, uint32_t number, uint8_t code, uint8_t id, struct bytes data)
{
	uint8_t room[NET_PACKET_MAX];
	struct wr w = client_begin(lac, number, PPP_IPCP, room);
	size_t mark = ppp_cp_begin(&w, code, id);

	wr_bytes(&w, data);
	ppp_cp_end(&w, mark);
	client_end(lac, number, &w);
}

static void address_put(struct wr *w, uint8_t type, uint32_t address)
{
	uint8_t value[4] = { (uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8),
			     (uint8_t)address };

	ppp_opt_put(w, type, bytes_of(value, sizeof(value)));
}

static void request_send(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];
	uint8_t room[OPTIONS_MAX];
	struct wr w = wr_of(room, sizeof(room));

	address_put(&w, IPCP_ADDRESS, s->address);
	if (lac->opt.dns && !(s->ipcp_dropped & DROPPED_DNS1))
		address_put(&w, IPCP_DNS1, s->dns[0]);
	if (lac->opt.dns && !(s->ipcp_dropped & DROPPED_DNS2))
		address_put(&w, IPCP_DNS2, s->dns[1]);
	packet_send(lac, number, CP_CONFREQ, ++s->ipcp_id, wr_bytes_of(&w));
	client_wait(lac, number);
}

void ipcp_start(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];

	session_phase(lac, number, PHASE_IPCP);
	s->ipcp_ours = s->ipcp_theirs = false;
	request_send(lac, number);
}

void ipcp_again(struct lac *lac, uint32_t number)
{
	request_send(lac, number);
}

static void opened_perhaps(struct lac *lac, uint32_t number)
{
	const struct session *s = &lac->session[number];

	if (s->phase == PHASE_IPCP && s->ipcp_ours && s->ipcp_theirs)
		session_phase(lac, number, PHASE_UP);
}

static void request_received(struct lac *lac, uint32_t number, const struct ppp_cp *cp)
{
	struct session *s = &lac->session[number];
	uint8_t room[OPTIONS_MAX];
	struct wr rej = wr_of(room, sizeof(room));
	struct rd options = rd_bytes(cp->data);
	struct ppp_opt opt;

	while (rd_left(&options) > 0) {
		if (ppp_opt_next(&options, &opt) != WHY_OK)
			return;
		if (opt.type != IPCP_ADDRESS)
			ppp_opt_put(&rej, opt.type, opt.value);
	}
	if (wr_len(&rej) > 0) {
		packet_send(lac, number, CP_CONFREJ, cp->id, wr_bytes_of(&rej));
		return;
	}
	packet_send(lac, number, CP_CONFACK, cp->id, cp->data);
	s->ipcp_theirs = true;
	opened_perhaps(lac, number);
}

static void refused(struct lac *lac, uint32_t number, const struct ppp_cp *cp)
{
	struct session *s = &lac->session[number];
	struct rd options = rd_bytes(cp->data);
	struct ppp_opt opt;

	while (rd_left(&options) > 0 && ppp_opt_next(&options, &opt) == WHY_OK) {
		struct rd rd = rd_bytes(opt.value);
		uint32_t value = rd_u32(&rd);

		if (opt.type == IPCP_ADDRESS && cp->code == CP_CONFREJ) {
			/* A subscriber without an address is of no use. */
			call_end(lac, number);
			session_phase(lac, number, PHASE_FAILED);
			lac->counts.loss[LOSS_REFUSED]++;
			return;
		}
		if (opt.type == IPCP_ADDRESS)
			s->address = value;
		else if (opt.type == IPCP_DNS1 && cp->code == CP_CONFNAK)
			s->dns[0] = value;
		else if (opt.type == IPCP_DNS2 && cp->code == CP_CONFNAK)
			s->dns[1] = value;
		else
			s->ipcp_dropped |= opt.type == IPCP_DNS1 ? DROPPED_DNS1 : DROPPED_DNS2;
	}
	request_send(lac, number);
}

void ipcp_frame(struct lac *lac, uint32_t number, const struct ppp_cp *cp)
{
	struct session *s = &lac->session[number];

	/* The verdict may have been lost on the way; that the server goes on says what it was. */
	if (s->phase == PHASE_AUTH && s->answered && cp->code == CP_CONFREQ)
		ipcp_start(lac, number);
	if (s->phase == PHASE_UP && cp->code == CP_CONFREQ)
		ipcp_start(lac, number);
	if (s->phase != PHASE_IPCP)
		return;
	switch (cp->code) {
	case CP_CONFREQ:
		request_received(lac, number, cp);
		return;
	case CP_CONFACK:
		if (cp->id == s->ipcp_id) {
			s->ipcp_ours = true;
			opened_perhaps(lac, number);
		}
		return;
	case CP_CONFNAK:
	case CP_CONFREJ:
		if (cp->id == s->ipcp_id)
			refused(lac, number, cp);
		return;
	default:
		return;
	}
}
