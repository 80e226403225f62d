/* measure.c -- IP packets that reach subscribers, and probes that leave them. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "tests/lac/measure.h"
#include "tests/lac/peer.h"

static void reply_received(struct lac *lac, const struct mark *mark)
{
	struct measure *m = lac->measure;

	if (mark->run != m->run || mark->session >= m->targets || lac->now.us < mark->sent_us) {
		m->probes_odd++;
		return;
	}
	m->replies++;
	hist_add(&m->round_trip, lac->now.us - mark->sent_us);
	if (!m->hold)
		return;
	struct hold_row *row = &m->hold[mark->session];

	if (mark->sent_us <= row->answered_us)
		return;
	uint64_t gap = mark->sent_us - row->answered_us;

	if (gap > row->longest_us)
		row->longest_us = gap;
	/* At least one probe in between was not answered. */
	if (gap > m->interval_us + m->interval_us / 2)
		row->outages++;
	row->answered_us = mark->sent_us;
}

void measure_received(struct lac *lac, uint32_t number, struct bytes ip)
{
	struct measure *m = lac->measure;
	struct mark mark;
	uint32_t from, to;

	if (!packet_read(ip.p, ip.len, &from, &to, &mark)) {
		lac->counts.refused++;
		return;
	}
	if (to != lac->session[number].address) {
		m->misdelivered++;
	} else if (mark.kind == MARK_REPLY) {
		reply_received(lac, &mark);
	} else if (mark.kind == MARK_DOWN && m->counts_down && mark.run == m->run && mark.session < m->targets &&
		   m->target[mark.session].number == number) {
		stream_received(&m->down, mark.session, mark.number,
				lac->now.us > mark.sent_us ? lac->now.us - mark.sent_us : 0);
	} else {
		m->down.strange++;
	}
}

bool measure_targets(struct lac *lac, uint64_t most)
{
	struct measure *m = lac->measure;

	if (!m->target)
		m->target = calloc(lac->sessions, sizeof(*m->target));
	ASSERT(m->target);
	m->targets = 0;
	for (uint32_t n = 0; n < lac->sessions && (most == 0 || m->targets < most); n++) {
		const struct session *s = &lac->session[n];

		if (s->phase != PHASE_UP)
			continue;
		m->target[m->targets++] = (struct target){
			.number = n, .address = s->address, .peer_sid = htons(s->peer_sid),
			.peer_tid = htons(lac->tunnel[session_tunnel(lac, n)].peer_tid),
		};
	}
	m->run++;
	if (m->targets == 0)
		report_say(&lac->report, "no subscriber is up\n");
	return m->targets > 0;
}

void probe_send(struct lac *lac, uint32_t place, uint64_t number, uint32_t size)
{
	struct measure *m = lac->measure;
	const struct target *target = &m->target[place];
	uint8_t room[NET_PACKET_MAX], packet[PACKET_SIZE_MAX];
	struct mark mark = { .kind = MARK_PROBE, .run = m->run, .session = place, .number = number,
			     .sent_us = clock_now().us };
	struct wr w;

	if (lac->session[target->number].phase != PHASE_UP)
		return;
	packet_make(packet, size, target->address, PACKET_SUBSCRIBER_PORT, lac->opt.peer_address.n, PACKET_PEER_PORT);
	packet_set_mark(packet, &mark);
	w = client_begin(lac, target->number, PPP_IP, room);
	wr_put(&w, packet, size);
	client_end(lac, target->number, &w);
	m->probes++;
}

int measure_line(struct lac *lac)
{
	struct measure *m = lac->measure;

	if (m->line < 0 && !peer_connect(lac->opt.peer, &m->line))
		return -1;
	return m->line;
}

bool measure_tell(struct lac *lac)
{
	const struct measure *m = lac->measure;
	uint32_t *address = calloc(m->targets, sizeof(*address));
	bool ok;

	ASSERT(address);
	for (uint32_t i = 0; i < m->targets; i++)
		address[i] = m->target[i].address;
	ok = peer_table(m->line, address, m->targets);
	free(address);
	return ok;
}
