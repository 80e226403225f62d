/* flood.c -- SCCRQs from forged addresses and ports: an attacker with a raw socket. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "l2tpns/wire/l2tp_hdr.h"
#include "tests/lac/peer.h"
#include "tests/lac/proc.h"
#include "tests/lac/steps.h"

#define BATCH		32u
#define FLOOD_OCTETS	256u
#define IP_UDP		28u
#define ADDRESSES	65536u		/* a /16 below --flood-from */

struct flood {
	int		fd;
	struct pace	pace;
	struct mono	until;
	uint8_t		packet[BATCH][FLOOD_OCTETS];
	struct mmsghdr	msg[BATCH];
	struct iovec	iov[BATCH];
};

static uint32_t sccrq_make(struct lac *lac, uint8_t *payload, uint32_t room)
{
	struct wr w = wr_of(payload, room);
	struct l2tp_msg msg = {
		.type = L2TP_SCCRQ, .protocol_version = 0x0100, .framing_caps = 3, .host_name = bytes_str("flood"),
		.assigned_tid = (uint16_t)(1 + rnd_below(&lac->rnd, 65535)),
		.present = AVP_BIT(AVP_MESSAGE_TYPE) | AVP_BIT(AVP_PROTOCOL_VERSION) |
			   AVP_BIT(AVP_FRAMING_CAPABILITIES) | AVP_BIT(AVP_HOST_NAME) | AVP_BIT(AVP_ASSIGNED_TUNNEL_ID),
	};

	l2tp_control_begin(&w, 0, 0, 0, 0);
	l2tp_msg_encode(&msg, &w);
	l2tp_control_end(&w);
	return (uint32_t)wr_len(&w);
}

static void packet_forge(struct lac *lac, struct flood *flood, uint32_t i)
{
	uint8_t sccrq[FLOOD_OCTETS - IP_UDP], *packet = flood->packet[i];
	uint32_t len = sccrq_make(lac, sccrq, sizeof(sccrq));

	packet_make(packet, IP_UDP + len, lac->opt.flood_from.n + rnd_below(&lac->rnd, ADDRESSES),
		    (uint16_t)(1024 + rnd_below(&lac->rnd, 64000)), lac->opt.server.n, (uint16_t)lac->opt.server_port);
	memcpy(packet + IP_UDP, sccrq, len);
	flood->iov[i] = (struct iovec){ .iov_base = packet, .iov_len = IP_UDP + len };
	flood->msg[i].msg_hdr = (struct msghdr){ .msg_name = &lac->server, .msg_namelen = sizeof(lac->server),
						 .msg_iov = &flood->iov[i], .msg_iovlen = 1 };
}

static struct mono flood_next(struct lac *lac, void *arg)
{
	struct flood *flood = arg;

	if (lac->stop || mono_reached(lac->now, flood->until))
		return MONO_NEVER;
	uint64_t due = (lac->now.us - flood->pace.start_us) * flood->pace.rate / 1000000 + 1;

	for (uint32_t n = 0; flood->pace.sent < due && n < 8 * BATCH; n += BATCH) {
		uint32_t count = due - flood->pace.sent < BATCH ? (uint32_t)(due - flood->pace.sent) : BATCH;

		for (uint32_t i = 0; i < count; i++)
			packet_forge(lac, flood, i);
		if (sendmmsg(flood->fd, flood->msg, count, 0) < 0)
			lac->net.counts.refused_by_kernel++;
		flood->pace.sent += count;
	}
	return mono_add(lac->now, DUR_MS(1));
}

bool step_flood(struct lac *lac, const struct step_args *args)
{
	static struct flood flood;
	double cpu_s = proc_usage((uint32_t)lac->opt.server_pid).cpu_s;

	if (lac->opt.flood_from.n == 0 || args->rate == 0) {
		fprintf(stderr, "lac: a flood needs --flood-from=IP and rate=N\n");
		return false;
	}
	flood = (struct flood){ .fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW) };
	if (flood.fd < 0) {
		perror("lac: raw socket");
		return false;
	}
	lac->now = clock_now();
	flood.pace = (struct pace){ .rate = args->rate, .start_us = lac->now.us };
	flood.until = mono_add(lac->now, DUR_US((int64_t)(args->time * 1e6)));
	lac_loop(lac, flood_next, &flood);
	close(flood.fd);
	struct proc_usage after = proc_usage((uint32_t)lac->opt.server_pid);

	report_begin(&lac->report, "flood");
	report_number(&lac->report, "sent", flood.pace.sent);
	report_number(&lac->report, "up", lac->counts.phase[PHASE_UP]);
	report_real(&lac->report, "server_cpu_s", after.cpu_s - cpu_s);
	report_number(&lac->report, "server_rss_octets", after.rss_octets);
	report_end(&lac->report);
	report_say(&lac->report, "  flood: %llu SCCRQs from forged addresses, %llu subscribers still up\n",
		   (unsigned long long)flood.pace.sent, (unsigned long long)lac->counts.phase[PHASE_UP]);
	return true;
}
