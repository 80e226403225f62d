/*
 * Goal: packets of other implementations are understood to the last field.
 * Method: captures under $VECTORS/l2tp (default tests/vectors), each packet as hex with the header and
 * every attribute an independent decoder found in it, compared as text; challenges with their responses;
 * and each message encoded again and read back.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpns/wire/l2tp_hdr.h"
#include "l2tpns/wire/l2tp_msg.h"

/* How each attribute is written in the files; written down here a second time, apart from the rows. */
#define AT(field)	offsetof(struct l2tp_msg, field)
static const struct { size_t at; char kind; } field[AVPS] = {
	[AVP_MESSAGE_TYPE] = { AT(type), 't' }, [AVP_RESULT_CODE] = { 0, 'r' },
	[AVP_PROTOCOL_VERSION] = { AT(protocol_version), '2' }, [AVP_FRAMING_CAPABILITIES] = { AT(framing_caps), '4' },
	[AVP_BEARER_CAPABILITIES] = { AT(bearer_caps), '4' }, [AVP_TIE_BREAKER] = { AT(tie_breaker), '8' },
	[AVP_FIRMWARE_REVISION] = { AT(firmware), '2' }, [AVP_HOST_NAME] = { AT(host_name), 'b' },
	[AVP_VENDOR_NAME] = { AT(vendor_name), 'b' }, [AVP_ASSIGNED_TUNNEL_ID] = { AT(assigned_tid), '2' },
	[AVP_RECEIVE_WINDOW_SIZE] = { AT(window), '2' }, [AVP_CHALLENGE] = { AT(challenge), 'b' },
	[AVP_CAUSE_CODE] = { AT(cause_code), 'b' }, [AVP_CHALLENGE_RESPONSE] = { AT(challenge_response), 'b' },
	[AVP_ASSIGNED_SESSION_ID] = { AT(assigned_sid), '2' }, [AVP_CALL_SERIAL_NUMBER] = { AT(call_serial), '4' },
	[AVP_BEARER_TYPE] = { AT(bearer_type), '4' }, [AVP_FRAMING_TYPE] = { AT(framing_type), '4' },
	[AVP_CALLED_NUMBER] = { AT(called), 'b' }, [AVP_CALLING_NUMBER] = { AT(calling), 'b' },
	[AVP_SUB_ADDRESS] = { AT(sub_address), 'b' }, [AVP_TX_CONNECT_SPEED] = { AT(tx_bps), '4' },
	[AVP_PHYSICAL_CHANNEL_ID] = { AT(physical_channel), '4' },
	[AVP_INITIAL_RECEIVED_LCP_CONFREQ] = { AT(initial_lcp), 'b' },
	[AVP_LAST_SENT_LCP_CONFREQ] = { AT(last_sent_lcp), 'b' },
	[AVP_LAST_RECEIVED_LCP_CONFREQ] = { AT(last_received_lcp), 'b' },
	[AVP_PROXY_AUTHEN_TYPE] = { AT(proxy_type), '2' }, [AVP_PROXY_AUTHEN_NAME] = { AT(proxy_name), 'b' },
	[AVP_PROXY_AUTHEN_CHALLENGE] = { AT(proxy_challenge), 'b' }, [AVP_PROXY_AUTHEN_ID] = { AT(proxy_id), '1' },
	[AVP_PROXY_AUTHEN_RESPONSE] = { AT(proxy_response), 'b' }, [AVP_RX_CONNECT_SPEED] = { AT(rx_bps), '4' },
	[AVP_RANDOM_VECTOR] = { 0, 'e' }, [AVP_SEQUENCING_REQUIRED] = { 0, 'e' },
	[AVP_DISCONNECT_CAUSE] = { 0, 'd' },
};

struct text {			/* what is found, or what is expected */
	char	octets[4096];
	size_t	len;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->len += (size_t)vsnprintf(t->octets + t->len, sizeof(t->octets) - t->len, format, args);
	va_end(args);
	assert_true(t->len < sizeof(t->octets));
}

/* In quotes when all is printable, else hexadecimal. */
static void add_bytes(struct text *t, struct bytes b)
{
	bool printable = true;

	for (uint32_t i = 0; i < b.len; i++)
		printable &= b.p[i] >= 0x20 && b.p[i] < 0x7f && b.p[i] != '"';
	if (printable) {
		add(t, " \"%.*s\"", (int)b.len, (const char *)b.p);
		return;
	}
	add(t, " ");
	for (uint32_t i = 0; i < b.len; i++)
		add(t, "%02x", b.p[i]);
}

static void add_attribute(struct text *t, const struct l2tp_msg *msg, unsigned type)
{
	const void *at = (const char *)msg + field[type].at;

	add(t, "%s", avp_name((uint16_t)type));
	switch (field[type].kind) {
	case 't': add(t, " %s", l2tp_type_name(msg->type)); break;
	case '1': add(t, " %u", *(const uint8_t *)at); break;
	case '2': add(t, " %u", *(const uint16_t *)at); break;
	case '4': add(t, " %u", *(const uint32_t *)at); break;
	case '8': add(t, " %llu", (unsigned long long)*(const uint64_t *)at); break;
	case 'b': add_bytes(t, *(const struct bytes *)at); break;
	case 'e': break;
	case 'r':
		add(t, " %u %u", msg->result, msg->error);
		add_bytes(t, msg->error_message);
		break;
	case 'd':
		add(t, " %u %u %u", msg->disconnect_code, msg->disconnect_protocol, msg->disconnect_direction);
		add_bytes(t, msg->disconnect_message);
		break;
	default: fail_msg("attribute %u has no kind here", type);
	}
	add(t, "\n");
}

struct run {			/* over one file */
	const char	*file;
	unsigned	 packets, challenges;
	char		 secret[64];
	struct bytes	 challenge;		/* the last one seen, a copy */
	uint8_t		 challenge_octets[64];
	uint8_t		 packet[2048];
	size_t		 len;
	struct text	 expected;
};

/* A message we take, we can also write, and read again. */
static void check_round_trip(const struct l2tp_msg *msg)
{
	uint8_t room[2048], scratch[L2TP_SCRATCH_LEN];
	struct wr w = wr_of(room, sizeof(room));
	struct l2tp_msg again;

	l2tp_msg_encode(msg, &w);
	assert_int_equal(l2tp_msg_decode(wr_bytes_of(&w), (struct bytes){ 0 }, scratch, &again), WHY_OK);
	assert_int_equal(again.present, msg->present & ~AVP_BIT(AVP_RANDOM_VECTOR));
}

static void check_challenge(struct run *run, const struct l2tp_msg *msg)
{
	uint8_t response[16];

	if (msg->present & AVP_BIT(AVP_CHALLENGE_RESPONSE)) {
		l2tp_challenge_response((uint8_t)msg->type, bytes_str(run->secret), run->challenge, response);
		assert_memory_equal(msg->challenge_response.p, response, 16);
		run->challenges++;
	}
	if (msg->present & AVP_BIT(AVP_CHALLENGE)) {
		assert_true(msg->challenge.len <= sizeof(run->challenge_octets));
		memcpy(run->challenge_octets, msg->challenge.p, msg->challenge.len);
		run->challenge = bytes_of(run->challenge_octets, msg->challenge.len);
	}
}

static void check_packet(struct run *run)
{
	static uint8_t scratch[L2TP_SCRATCH_LEN];
	struct text found = { .len = 0 };
	struct l2tp_msg msg = { 0 };
	struct l2tp_hdr hdr;

	if (!run->len)
		return;
	assert_int_equal(l2tp_hdr_decode(bytes_of(run->packet, run->len), &hdr), WHY_OK);
	if (!hdr.control) {
		add(&found, "header %u %u\nbody %u\n", hdr.tunnel_id, hdr.session_id, hdr.body.len);
	} else {
		add(&found, "header %u %u %u %u\n", hdr.tunnel_id, hdr.session_id, hdr.ns, hdr.nr);
		if (hdr.body.len)
			assert_int_equal(l2tp_msg_decode(hdr.body, bytes_str(run->secret), scratch, &msg), WHY_OK);
		for (unsigned type = 0; type < AVPS; type++)
			if (msg.present & AVP_BIT(type))
				add_attribute(&found, &msg, type);
	}
	if (strcmp(found.octets, run->expected.octets))
		fail_msg("%s, packet %u: expected\n%sbut found\n%s", run->file, run->packets,
			 run->expected.octets, found.octets);
	if (msg.present) {
		check_round_trip(&msg);
		check_challenge(run, &msg);
	}
	run->len = 0;
	run->expected.len = 0;
	run->packets++;
}

static void take_line(struct run *run, const char *line)
{
	unsigned octet;

	if (line[0] == '#' || line[0] == '\n')
		return;
	if (strncmp(line, "packet ", 7) == 0) {
		check_packet(run);
	} else if (strncmp(line, "secret ", 7) == 0) {
		assert_int_equal(sscanf(line, "secret %63s", run->secret), 1);
	} else if (strncmp(line, "hex ", 4) == 0) {
		for (line += 4; sscanf(line, "%2x", &octet) == 1; line += 2) {
			assert_true(run->len < sizeof(run->packet));
			run->packet[run->len++] = (uint8_t)octet;
		}
	} else {
		add(&run->expected, "%s", line);
	}
}

static void check_file(const char *folder, const char *name, struct run *run)
{
	char path[1024], line[4096];

	snprintf(path, sizeof(path), "%s/l2tp/%s", folder, name);
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	*run = (struct run){ .file = name };
	while (fgets(line, sizeof(line), file))
		take_line(run, line);
	check_packet(run);
	fclose(file);
}

static void packets_of_others(void **state)
{
	const char *folder = getenv("VECTORS") ? getenv("VECTORS") : "tests/vectors";
	static struct run run;
	unsigned packets = 0, challenges = 0;
	char path[1024];

	(void)state;
	snprintf(path, sizeof(path), "%s/l2tp", folder);
	DIR *dir = opendir(path);

	if (!dir)
		fail_msg("no %s: set VECTORS, or run this where the tree begins", path);
	for (const struct dirent *entry; (entry = readdir(dir));)
		if (strstr(entry->d_name, ".txt")) {
			check_file(folder, entry->d_name, &run);
			packets += run.packets;
			challenges += run.challenges;
		}
	closedir(dir);
	assert_true(packets >= 70);
	assert_true(challenges >= 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
