/* chan.c -- a tunnel's reliable channel: numbers, window, retransmission.  RFC 2661 section 5.8. */
#include <stdlib.h>

#include "l2tpns/base/serial.h"
#include "l2tpns/wire/l2tp_hdr.h"
#include "tests/lac/lac.h"

#define RESEND_FIRST_MS	1000u
#define RESEND_LAST_MS	8000u

void chan_open(struct lac *lac, uint32_t tunnel)
{
	struct chan *chan = &lac->tunnel[tunnel].chan;

	chan_close(lac, tunnel);
	*chan = (struct chan){ .window = 1, .ack_listed = chan->ack_listed };
}

/* Forget everything not yet acknowledged. */
void chan_close(struct lac *lac, uint32_t tunnel)
{
	struct chan *chan = &lac->tunnel[tunnel].chan;

	while (chan->first) {
		struct chan_msg *msg = chan->first;

		chan->first = msg->next;
		free(msg);
	}
	chan->unsent = chan->last = NULL;
	chan->queued = chan->flying = 0;
	timer_disarm(&lac->timers, tunnel);
}

static void transmit(struct lac *lac, uint32_t tunnel, struct chan_msg *msg)
{
	struct tunnel *t = &lac->tunnel[tunnel];

	/* Nr is always the newest: RFC 2661 section 5.8. */
	l2tp_control_set_nr(msg->octets, t->chan.nr);
	t->chan.ack_due = false;
	net_send(&lac->net, t->sock, &t->peer, bytes_of(msg->octets, msg->len));
}

static void arm(struct lac *lac, uint32_t tunnel)
{
	const struct chan *chan = &lac->tunnel[tunnel].chan;
	uint32_t ms = RESEND_FIRST_MS << (chan->tries < 3 ? chan->tries : 3);

	if (chan->flying == 0)
		timer_disarm(&lac->timers, tunnel);
	else
		timer_arm(&lac->timers, tunnel, mono_add(lac->now, DUR_MS(min_u32(ms, RESEND_LAST_MS))));
}

void chan_push(struct lac *lac, uint32_t tunnel)
{
	struct chan *chan = &lac->tunnel[tunnel].chan;

	while (chan->unsent && chan->flying < chan->window) {
		struct chan_msg *msg = chan->unsent;

		chan->unsent = msg->next;
		if (chan->flying++ == 0)
			arm(lac, tunnel);
		transmit(lac, tunnel, msg);
		if (msg->starts) {
			uint32_t number = msg->starts - 1;

			msg->starts = 0;
			client_start(lac, number);
		}
	}
}

/* The caller built `message` with the channel's next Ns. */
void chan_put(struct lac *lac, uint32_t tunnel, struct bytes message, uint32_t starts)
{
	struct chan *chan = &lac->tunnel[tunnel].chan;
	struct chan_msg *msg = malloc(sizeof(*msg) + message.len);

	ASSERT(msg);
	*msg = (struct chan_msg){ .starts = starts, .len = (uint16_t)message.len };
	memcpy(msg->octets, message.p, message.len);
	if (chan->last)
		chan->last->next = msg;
	else
		chan->first = msg;
	chan->last = msg;
	if (!chan->unsent)
		chan->unsent = msg;
	chan->queued++;
	chan->ns++;
	chan_push(lac, tunnel);
}

static uint16_t oldest(const struct chan *chan)
{
	return (uint16_t)(chan->ns - chan->queued);
}

static void acknowledged(struct lac *lac, uint32_t tunnel, uint16_t nr)
{
	struct chan *chan = &lac->tunnel[tunnel].chan;
	uint16_t n = serial16_distance(oldest(chan), nr);

	/* An acknowledgement of what was never sent, or an old one: RFC 2661 section 5.8. */
	if (n == 0 || n > chan->flying)
		return;
	for (; n > 0; n--) {
		struct chan_msg *msg = chan->first;

		chan->first = msg->next;
		if (!chan->first)
			chan->last = NULL;
		free(msg);
		chan->queued--;
		chan->flying--;
	}
	chan->tries = 0;
	arm(lac, tunnel);
	chan_push(lac, tunnel);
}

bool chan_received(struct lac *lac, uint32_t tunnel, uint16_t ns, uint16_t nr, bool empty)
{
	struct chan *chan = &lac->tunnel[tunnel].chan;

	acknowledged(lac, tunnel, nr);
	if (empty)
		return false;
	chan->ack_due = true;
	if (!chan->ack_listed) {
		chan->ack_listed = true;
		lac->ack_due[lac->acks_due++] = tunnel;
	}
	/* Ahead of its turn: the peer sends it again when it sees that it is not acknowledged. */
	if (ns != chan->nr)
		return false;
	chan->nr++;
	return true;
}

void chan_timeout(struct lac *lac, uint32_t tunnel)
{
	struct chan *chan = &lac->tunnel[tunnel].chan;

	if (++chan->tries > lac->opt.tries) {
		tunnel_lost(lac, tunnel, LOSS_TUNNEL_DEAD);
		return;
	}
	/* The whole window: a peer may throw away what came out of order. */
	for (struct chan_msg *msg = chan->first; msg != chan->unsent; msg = msg->next) {
		lac->counts.resent++;
		transmit(lac, tunnel, msg);
	}
	arm(lac, tunnel);
}

/* A zero-length body for each tunnel that had nothing else to send. */
void chan_acks(struct lac *lac)
{
	for (uint32_t i = 0; i < lac->acks_due; i++) {
		struct tunnel *t = &lac->tunnel[lac->ack_due[i]];
		uint8_t room[L2TP_HDR_CONTROL_LEN];
		struct wr w = wr_of(room, sizeof(room));

		t->chan.ack_listed = false;
		if (!t->chan.ack_due)
			continue;
		t->chan.ack_due = false;
		/* Its Ns is the next to be sent: RFC 2661 section 5.8. */
		l2tp_control_begin(&w, t->peer_tid, 0, (uint16_t)(oldest(&t->chan) + t->chan.flying), t->chan.nr);
		l2tp_control_end(&w);
		net_send(&lac->net, t->sock, &t->peer, wr_bytes_of(&w));
	}
	lac->acks_due = 0;
}
