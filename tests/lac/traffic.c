/*
 * traffic.c -- measured streams, upstream from subscribers and downstream from the peer.
 *
 * Upstream leaves by a thread of its own in bursts of one size, which the kernel
 * cuts into datagrams (UDP_SEGMENT).  Every server under test is offered the same.
 */
#include <netinet/udp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tests/lac/measure.h"
#include "tests/lac/peer.h"
#include "tests/lac/proc.h"
#include "tests/lac/steps.h"

#define BURST		32u
#define FRAME_HEADERS	10u		/* L2TP without length and sequence, FF 03, protocol */
#define BURST_OCTETS	60000u
#define SESSIONS_MAX	(1u << 21)
#define DRAIN_LOOK_MS	100u
#define DRAIN_STRAYS	500u		/* packets between two looks, and echoes, that are not the streams any more */
#define DRAIN_MAX_S	10u
#define FRAME_OUTER	42u		/* Ethernet, IPv4, UDP: once in a run of segments */

struct lane {				/* the targets that leave by one socket */
	uint32_t	*place;
	uint32_t	 places, next;
	int		 fd;
	struct sockaddr_in to;
};

struct sender {
	struct lac		*lac;
	struct lane		*lane;
	uint32_t		 lanes;
	uint32_t		 size, segments;	/* per call to the kernel, 1: no UDP_SEGMENT */
	struct pace		 pace;
	volatile bool		 stop;
	bool			 running;
	pthread_t		 thread;
	uint64_t		 took_us;
	uint8_t			*burst;
};

struct traffic {			/* the step's progress */
	struct sender	 sender;
	struct mono	 until, drained, patience;
	uint64_t	 arrived;	/* when it was last looked at */
	uint64_t	 late_us;	/* how long packets went on arriving after the last was sent */
	uint64_t	 dropped;	/* our own sockets were full */
	struct device_usage device;	/* what our device received meanwhile */
};

static void lanes_make(struct lac *lac, struct sender *sender)
{
	const struct measure *m = lac->measure;
	struct lane *of_sock = calloc(lac->net.socks, sizeof(*of_sock));

	ASSERT(of_sock);
	for (uint32_t p = 0; p < m->targets; p++)
		of_sock[lac->tunnel[session_tunnel(lac, m->target[p].number)].sock].places++;
	for (uint32_t i = 0; i < lac->net.socks; i++) {
		of_sock[i].place = calloc(of_sock[i].places + 1, sizeof(*of_sock[i].place));
		ASSERT(of_sock[i].place);
		of_sock[i].fd = lac->net.sock[i].fd;
		of_sock[i].places = 0;
	}
	for (uint32_t p = 0; p < m->targets; p++) {
		const struct tunnel *t = &lac->tunnel[session_tunnel(lac, m->target[p].number)];
		struct lane *lane = &of_sock[t->sock];

		lane->to = t->peer;
		lane->place[lane->places++] = p;
	}
	sender->lane = of_sock;
	for (uint32_t i = 0; i < lac->net.socks; i++) {
		if (of_sock[i].places > 0)
			sender->lane[sender->lanes++] = of_sock[i];
		else
			free(of_sock[i].place);
	}
}

static void burst_form(struct sender *sender)
{
	uint32_t len = sender->size + FRAME_HEADERS;

	sender->burst = malloc((size_t)BURST * len);
	ASSERT(sender->burst);
	for (uint32_t i = 0; i < BURST; i++) {
		static const uint8_t head[FRAME_HEADERS] = { 0, 2, 0, 0, 0, 0, 0xff, 0x03, 0x00, 0x21 };
		uint8_t *frame = sender->burst + (size_t)i * len;

		memcpy(frame, head, sizeof(head));
		packet_make(frame + FRAME_HEADERS, sender->size, 0, PACKET_SUBSCRIBER_PORT,
			    sender->lac->opt.peer_address.n, PACKET_PEER_PORT);
	}
}

static void burst_fill(struct sender *sender, struct lane *lane, uint32_t n)
{
	const struct measure *m = sender->lac->measure;
	uint64_t now = clock_now().us;

	for (uint32_t i = 0; i < n; i++) {
		uint8_t *frame = sender->burst + (size_t)i * (sender->size + FRAME_HEADERS);
		uint32_t place = lane->place[lane->next];
		const struct target *target = &m->target[place];
		struct mark mark = { .kind = MARK_UP, .run = m->run, .session = place,
				     .number = sender->pace.sent++, .sent_us = now };

		memcpy(frame + 2, &target->peer_tid, 2);
		memcpy(frame + 4, &target->peer_sid, 2);
		packet_set_source(frame + FRAME_HEADERS, target->address);
		packet_set_mark(frame + FRAME_HEADERS, &mark);
		lane->next = lane->next + 1 == lane->places ? 0 : lane->next + 1;
	}
}

/* n frames of the burst, `segments` of them to a message. */
static void burst_send(struct sender *sender, struct lane *lane, uint32_t n)
{
	struct mmsghdr msg[BURST];
	struct iovec iov[BURST];
	union { char room[CMSG_SPACE(sizeof(uint16_t))]; struct cmsghdr align; } control = { .room = { 0 } };
	uint32_t len = sender->size + FRAME_HEADERS, msgs = 0;
	control.align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(uint16_t)), .cmsg_level = SOL_UDP,
					  .cmsg_type = UDP_SEGMENT };
	uint16_t segment = (uint16_t)len;

	memcpy(CMSG_DATA(&control.align), &segment, sizeof(segment));
	for (uint32_t at = 0; at < n; at += sender->segments, msgs++) {
		uint32_t frames = min_u32(sender->segments, n - at);

		iov[msgs] = (struct iovec){ .iov_base = sender->burst + (size_t)at * len, .iov_len = frames * len };
		msg[msgs].msg_hdr = (struct msghdr){ .msg_name = &lane->to, .msg_namelen = sizeof(lane->to),
						     .msg_iov = &iov[msgs], .msg_iovlen = 1 };
		if (frames > 1) {
			msg[msgs].msg_hdr.msg_control = control.room;
			msg[msgs].msg_hdr.msg_controllen = sizeof(control.room);
		}
	}
	for (uint32_t done = 0; done < msgs;) {
		int did = sendmmsg(lane->fd, msg + done, msgs - done, 0);

		done += did > 0 ? (uint32_t)did : 1;
	}
}

static void *sender_thread(void *arg)
{
	struct sender *sender = arg;
	uint32_t turn = 0, n;

	while ((n = pace_take(&sender->pace, BURST, &sender->stop)) > 0) {
		struct lane *lane = &sender->lane[turn];

		turn = turn + 1 == sender->lanes ? 0 : turn + 1;
		burst_fill(sender, lane, n);
		burst_send(sender, lane, n);
	}
	sender->took_us = clock_now().us - sender->pace.start_us;
	return NULL;
}

static void sender_start(struct lac *lac, struct sender *sender, const struct step_args *args)
{
	uint64_t now = clock_now().us;
	uint32_t fits = BURST_OCTETS / ((uint32_t)args->size + FRAME_HEADERS);

	sender->lac = lac;
	sender->size = (uint32_t)args->size;
	sender->segments = min_u32(min_u32((uint32_t)lac->opt.gso, BURST), fits);
	if (sender->segments == 0)
		sender->segments = 1;
	sender->pace = (struct pace){ .rate = args->rate, .start_us = now,
				      .end_us = now + (uint64_t)(args->time * 1e6) };
	lanes_make(lac, sender);
	burst_form(sender);
	sender->running = pthread_create(&sender->thread, NULL, sender_thread, sender) == 0;
	ASSERT(sender->running);
}

static void sender_stop(struct sender *sender)
{
	if (!sender->running)
		return;
	sender->stop = true;
	pthread_join(sender->thread, NULL);
	for (uint32_t i = 0; i < sender->lanes; i++)
		free(sender->lane[i].place);
	free(sender->lane);
	free(sender->burst);
}

static bool peer_start(struct lac *lac, const struct step_args *args)
{
	struct peer_request *request = calloc(1, sizeof(*request));
	struct peer_report report;
	bool ok;

	ASSERT(request);
	request->kind = PEER_START;
	request->run = lac->measure->run;
	request->size = args->direction == DIRECTION_UP ? 0 : (uint32_t)args->size;
	request->rate = args->rate;
	request->threads = (uint32_t)lac->opt.senders;
	request->time_us = (uint64_t)(args->time * 1e6);
	ok = peer_ask(lac->measure->line, request, &report);
	free(request);
	return ok;
}

static bool peer_tell(struct lac *lac, enum peer_kind kind, struct peer_report *report)
{
	struct peer_request *request = calloc(1, sizeof(*request));
	bool ok;

	ASSERT(request);
	request->kind = kind;
	ok = peer_ask(lac->measure->line, request, report);
	free(request);
	return ok;
}

/* Packets at either end so far. */
static uint64_t arrived(struct lac *lac)
{
	struct peer_report peer = { 0 };

	if (!peer_tell(lac, PEER_LOOK, &peer))
		return 0;
	return peer.received + peer.device_packets + lac->measure->down.received +
	       device_usage(lac->opt.device).packets;
}

/* The streams have ended; a server with long queues goes on forwarding, which is waited for. */
static struct mono traffic_next(struct lac *lac, void *arg)
{
	struct traffic *traffic = arg;

	if (lac->stop) {
		traffic->sender.stop = true;
		return MONO_NEVER;
	}
	if (!mono_reached(lac->now, traffic->drained))
		return traffic->drained;
	uint64_t now = arrived(lac);

	if (now - traffic->arrived <= DRAIN_STRAYS + lac->sessions / 50 || mono_reached(lac->now, traffic->patience))
		return MONO_NEVER;
	if (traffic->arrived > 0)
		traffic->late_us = lac->now.us - traffic->until.us;
	traffic->arrived = now;
	traffic->drained = mono_add(lac->now, DUR_MS(DRAIN_LOOK_MS));
	return traffic->drained;
}

struct way {			/* one direction's result */
	uint64_t		 sent, sent_us, received, duplicates, reordered, strange, dropped;
	uint64_t		 arrived;	/* at the device, 0: not known */
	uint64_t		 late_us;
	const struct hist	*latency;
};

static uint64_t way_report(struct lac *lac, const char *name, const struct way *way, uint64_t size)
{
	struct report *r = &lac->report;
	uint64_t lost = way->sent > way->received ? way->sent - way->received : 0;
	uint64_t through = way->arrived ? way->arrived : way->received + way->dropped;
	double seconds = (double)way->sent_us / 1e6, took = seconds + (double)way->late_us / 1e6;
	char field[64];
	const struct { const char *suffix; uint64_t value; } fields[] = {
		{ "sent", way->sent }, { "received", way->received }, { "lost", lost },
		{ "receiver_dropped", way->dropped }, { "forwarded", through }, { "duplicates", way->duplicates },
		{ "reordered", way->reordered }, { "strange", way->strange },
		{ "offered_pps", seconds > 0 ? (uint64_t)((double)way->sent / seconds) : 0 },
		{ "pps", seconds > 0 ? (uint64_t)((double)through / took) : 0 },
	};

	for (unsigned i = 0; i < ARRAY_LEN(fields); i++) {
		snprintf(field, sizeof(field), "%s_%s", name, fields[i].suffix);
		report_number(r, field, fields[i].value);
	}
	snprintf(field, sizeof(field), "%s_latency", name);
	report_hist(r, field, way->latency);
	report_say(r, "  %-4s %4llu octets: %9llu sent, %9llu arrived, %.3f %% lost, %llu doubled, %llu out of order; "
		   "%.1f kpps, %.1f Mbit/s\n", name, (unsigned long long)size, (unsigned long long)way->sent,
		   (unsigned long long)way->received, way->sent ? 100.0 * (double)lost / (double)way->sent : 0.0,
		   (unsigned long long)way->duplicates, (unsigned long long)way->reordered,
		   took > 0 ? (double)through / took / 1e3 : 0.0,
		   took > 0 ? (double)through * (double)size * 8 / took / 1e6 : 0.0);
	return through;
}

/* Packets in what a device received: segments of `segment` octets after the outer headers. */
static uint64_t packets_of(uint64_t frames, uint64_t octets, uint64_t segment)
{
	return octets > frames * FRAME_OUTER ? (octets - frames * FRAME_OUTER) / segment : 0;
}

static void ways_report(struct lac *lac, const struct step_args *args, const struct peer_report *peer,
			const struct traffic *traffic, double cpu_s)
{
	struct measure *m = lac->measure;
	const struct sender *sender = &traffic->sender;
	uint64_t through = 0, took_us = 0;

	report_begin(&lac->report, "traffic");
	report_number(&lac->report, "size", args->size);
	report_number(&lac->report, "sessions", m->targets);
	report_number(&lac->report, "rate", args->rate);
	if (args->direction != DIRECTION_DOWN) {
		struct way up = { sender->pace.sent, sender->took_us, peer->received, peer->duplicates,
				  peer->reordered, peer->strange, peer->dropped,
				  packets_of(peer->device_packets, peer->device_octets, args->size - PACKET_HEADERS),
				  traffic->late_us, &peer->latency };

		through += way_report(lac, "up", &up, args->size);
		took_us = up.sent_us;
	}
	if (args->direction != DIRECTION_UP) {
		struct way down = { peer->sent, peer->sent_us, m->down.received, m->down.duplicates,
				    m->down.reordered, m->down.strange, traffic->dropped,
				    packets_of(traffic->device.packets, traffic->device.octets,
					       args->size + FRAME_HEADERS), traffic->late_us, &m->down.latency };

		through += way_report(lac, "down", &down, args->size);
		took_us = took_us > down.sent_us ? took_us : down.sent_us;
	}
	report_number(&lac->report, "misdelivered", m->misdelivered);
	if (m->probes > 0) {
		report_number(&lac->report, "probes", m->probes);
		report_number(&lac->report, "replies", m->replies);
		report_hist(&lac->report, "round_trip", &m->round_trip);
	}
	report_real(&lac->report, "seconds", (double)took_us / 1e6);
	report_real(&lac->report, "server_cpu_s", cpu_s);
	report_number(&lac->report, "packets", through);
	report_number(&lac->report, "packets_per_cpu_s", cpu_s > 0 ? (uint64_t)((double)through / cpu_s) : 0);
	report_end(&lac->report);
	if (cpu_s > 0)
		report_say(&lac->report, "  server: %.2f s of CPU, %.0f packets per CPU-second\n", cpu_s,
			   (double)through / cpu_s);
}

/* While the streams run, a probe now and then: latency under load. */
struct probing {
	struct traffic	traffic;
	uint64_t	interval_us;
	struct mono	next;
	uint64_t	number;
};

static struct mono probing_next(struct lac *lac, void *arg)
{
	struct probing *p = arg;

	if (p->interval_us == 0 || mono_reached(lac->now, p->traffic.until))
		return traffic_next(lac, &p->traffic);
	if (mono_reached(lac->now, p->next)) {
		probe_send(lac, (uint32_t)(p->number % lac->measure->targets), p->number, 64);
		p->number++;
		p->next = mono_add(p->next, DUR_US(p->interval_us));
	}
	return lac->stop ? traffic_next(lac, &p->traffic) : p->next;
}

bool step_traffic(struct lac *lac, const struct step_args *args)
{
	struct measure *m = lac->measure;
	struct probing p = { .interval_us = args->interval_us };
	struct peer_report peer = { 0 };

	if (args->size < PACKET_SIZE_MIN || args->size > PACKET_SIZE_MAX || args->time <= 0) {
		fprintf(stderr, "lac: size is %u to %u octets\n", PACKET_SIZE_MIN, PACKET_SIZE_MAX);
		return false;
	}
	if (!measure_targets(lac, args->sessions) || measure_line(lac) < 0 || !measure_tell(lac))
		return false;
	stream_init(&m->down, room_map(STREAM_NUMBERS / 8), STREAM_NUMBERS,
		    room_map(SESSIONS_MAX * sizeof(uint64_t)), m->targets);
	m->counts_down = true;
	m->misdelivered = m->probes = m->replies = 0;
	m->round_trip = (struct hist){ 0 };
	p.traffic.dropped = net_receiver_drops(&lac->net);
	p.traffic.device = device_usage(lac->opt.device);
	double cpu_s = proc_usage((uint32_t)lac->opt.server_pid).cpu_s;

	if (!peer_start(lac, args))
		return false;
	lac->now = clock_now();
	p.next = lac->now;
	p.traffic.until = mono_add(lac->now, DUR_US((int64_t)(args->time * 1e6)));
	p.traffic.drained = mono_add(p.traffic.until, DUR_US((int64_t)(args->drain * 1e6)));
	p.traffic.patience = mono_add(p.traffic.drained, DUR_S(DRAIN_MAX_S));
	if (args->direction != DIRECTION_DOWN)
		sender_start(lac, &p.traffic.sender, args);
	lac_loop(lac, probing_next, &p);
	sender_stop(&p.traffic.sender);
	cpu_s = proc_usage((uint32_t)lac->opt.server_pid).cpu_s - cpu_s;
	struct device_usage device = device_usage(lac->opt.device);

	p.traffic.dropped = net_receiver_drops(&lac->net) - p.traffic.dropped;
	p.traffic.device.packets = device.packets - p.traffic.device.packets;
	p.traffic.device.octets = device.octets - p.traffic.device.octets;
	bool ok = peer_tell(lac, PEER_STOP, &peer);

	ways_report(lac, args, &peer, &p.traffic, cpu_s);
	m->counts_down = false;
	room_unmap(m->down.seen, STREAM_NUMBERS / 8);
	room_unmap(m->down.last, SESSIONS_MAX * sizeof(uint64_t));
	return ok;
}
