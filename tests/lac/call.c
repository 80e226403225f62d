/* call.c -- incoming calls as the LAC.  RFC 2661 sections 5.2, 5.6, 7.4. */
#include <stdio.h>

#include "tests/lac/lac.h"

#define TX_BPS		100000000u
#define FRAMING_SYNC	1u
#define BEARER_DIGITAL	1u
#define CDN_ADMIN	3u		/* result code: RFC 2661 section 4.4.2 */

/* One timer a subscriber, after the tunnels'. */
void client_wait(struct lac *lac, uint32_t number)
{
	timer_arm(&lac->timers, lac->tunnels + number, mono_add(lac->now, DUR_MS(lac->opt.restart_ms)));
}

void session_phase(struct lac *lac, uint32_t number, enum phase phase)
{
	struct session *s = &lac->session[number];

	lac->counts.phase[s->phase]--;
	s->phase = (uint8_t)phase;
	s->tries = 0;
	lac->counts.phase[phase]++;
	if (phase == PHASE_UP) {
		timer_disarm(&lac->timers, lac->tunnels + number);
		hist_add(&lac->setup_time, lac->now.us - s->started_us);
		if (lac->last_up.us && lac->now.us - lac->last_up.us > lac->longest_gap_us)
			lac->longest_gap_us = lac->now.us - lac->last_up.us;
		lac->last_up = lac->now;
	}
}

/* LOSS_NONE: it ended because we wanted it to. */
void session_lost(struct lac *lac, uint32_t number, enum loss_reason why)
{
	struct session *s = &lac->session[number];

	timer_disarm(&lac->timers, lac->tunnels + number);
	s->peer_sid = 0;
	if (s->phase == PHASE_IDLE || s->phase == PHASE_FAILED)
		return;
	session_phase(lac, number, why == LOSS_NONE ? PHASE_IDLE : PHASE_FAILED);
	lac->counts.loss[why]++;
}

/* "%" in a name stands for the subscriber's number. */
static void name_fill(const char *pattern, uint32_t number, char out[64])
{
	const char *mark = strchr(pattern, '%');

	if (!mark)
		snprintf(out, 64, "%s", pattern);
	else
		snprintf(out, 64, "%.*s%u%s", (int)(mark - pattern), pattern, number, mark + 1);
}

void call_names(const struct lac *lac, uint32_t number, char user[64], char password[64])
{
	name_fill(lac->opt.user, number, user);
	name_fill(lac->opt.password, number, password);
}

void call_start(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];
	char calling[64];
	struct l2tp_msg msg = {
		.type = L2TP_ICRQ, .assigned_sid = session_sid(lac, number), .call_serial = number + 1,
		.bearer_type = BEARER_DIGITAL,
		.present = AVP_BIT(AVP_MESSAGE_TYPE) | AVP_BIT(AVP_ASSIGNED_SESSION_ID) |
			   AVP_BIT(AVP_CALL_SERIAL_NUMBER) | AVP_BIT(AVP_BEARER_TYPE),
	};

	if (lac->opt.calling[0]) {
		name_fill(lac->opt.calling, number, calling);
		msg.calling = bytes_str(calling);
		msg.present |= AVP_BIT(AVP_CALLING_NUMBER);
	}
	lac->counts.phase[s->phase]--;
	lac->counts.phase[PHASE_CALLING]++;
	*s = (struct session){ .phase = PHASE_CALLING, .started_us = lac->now.us, .mru = (uint16_t)lac->opt.mru,
			       .magic = rnd_u32(&lac->rnd) };
	tunnel_send(lac, session_tunnel(lac, number), 0, &msg, 0);
}

static void icrp(struct lac *lac, uint32_t number, const struct l2tp_msg *msg)
{
	struct session *s = &lac->session[number];
	struct proxy_words words;
	struct l2tp_msg reply = {
		.type = L2TP_ICCN, .tx_bps = TX_BPS, .framing_type = FRAMING_SYNC,
		.present = AVP_BIT(AVP_MESSAGE_TYPE) | AVP_BIT(AVP_TX_CONNECT_SPEED) | AVP_BIT(AVP_FRAMING_TYPE),
	};

	s->peer_sid = msg->assigned_sid;
	session_phase(lac, number, PHASE_ANSWERED);
	if (lac->opt.proxy != PROXY_NO)
		proxy_fill(lac, number, &reply, &words);
	tunnel_send(lac, session_tunnel(lac, number), s->peer_sid, &reply, number + 1);
}

void call_end(struct lac *lac, uint32_t number)
{
	struct session *s = &lac->session[number];
	struct l2tp_msg msg = {
		.type = L2TP_CDN, .result = CDN_ADMIN, .assigned_sid = session_sid(lac, number),
		.present = AVP_BIT(AVP_MESSAGE_TYPE) | AVP_BIT(AVP_RESULT_CODE) | AVP_BIT(AVP_ASSIGNED_SESSION_ID),
	};

	if (lac->tunnel[session_tunnel(lac, number)].state == TUNNEL_UP)
		tunnel_send(lac, session_tunnel(lac, number), s->peer_sid, &msg, 0);
	session_lost(lac, number, LOSS_NONE);
}

void call_message(struct lac *lac, uint32_t number, const struct l2tp_msg *msg)
{
	const struct session *s = &lac->session[number];

	switch (msg->type) {
	case L2TP_ICRP:
		if (s->phase == PHASE_CALLING)
			icrp(lac, number, msg);
		return;
	case L2TP_CDN:
		if (s->phase == PHASE_FAILED || s->phase == PHASE_IDLE)
			return;
		if (lac->counts.loss[LOSS_CDN] + lac->counts.loss[LOSS_AUTH] == 0)
			report_say(&lac->report, "subscriber %u: the server ended the call, result %u error %u %.*s\n",
				   number, msg->result, msg->error, (int)msg->error_message.len,
				   (const char *)msg->error_message.p);
		session_lost(lac, number, LOSS_CDN);
		return;
	default:
		return;
	}
}
