/*
 * ip.h -- IPv4, UDP, TCP and ICMP headers and their checksums.  RFC 791, 768, 9293, 792, 1071.
 *
 * Pure codec; loans point into the packet.  Decoders check lengths, not checksums:
 * those are asked for by name, since much of what passes through is not ours to judge.
 */
#ifndef WIRE_IP_H
#define WIRE_IP_H

#include "l2tpns/base/addr.h"
#include "l2tpns/base/rd.h"
#include "l2tpns/base/why.h"
#include "l2tpns/base/wr.h"

enum ip_proto { IP_ICMP = 1, IP_TCP = 6, IP_UDP = 17 };

#define IP4_HDR_LEN	20u
#define IP4_HDR_MAX	60u
#define UDP_HDR_LEN	8u
#define TCP_HDR_LEN	20u
#define TCP_HDR_MAX	60u
#define ICMP_HDR_LEN	8u
#define IP4_ICMP_MAX	576u		/* our ICMP errors are no larger: RFC 1812 section 4.3.2.3 */

/* The Internet checksum in three steps: add what is to be covered (every piece but the last of
 * even length), fold, complement.  A sum that was already right folds to 0xffff. */
uint32_t ip_sum_add(uint32_t sum, struct bytes data);
uint16_t ip_sum_fold(uint32_t sum);
uint32_t ip4_pseudo_sum(struct ip4 src, struct ip4 dst, uint8_t proto, uint32_t len);

struct ip4_hdr {
	uint8_t		tos, ttl, proto, header_len;
	uint16_t	total_len, id;
	uint16_t	offset;		/* of a fragment, octets */
	bool		df, mf;
	struct ip4	src, dst;
	struct bytes	body;		/* up to the total length; padding is cut off */
};

MUST_USE enum why ip4_decode(struct bytes packet, struct ip4_hdr *hdr);
MUST_USE bool ip4_sum_ok(struct bytes packet);		/* the header's; of a packet that decoded */

/* A header without options; total_len and header_len of `hdr` are not read, ip4_end() patches
 * length and checksum.  The mark ip4_begin() returns is where the packet starts. */
size_t ip4_begin(struct wr *w, const struct ip4_hdr *hdr);
void ip4_end(struct wr *w, size_t mark);

struct udp_hdr {
	uint16_t	src_port, dst_port;
	uint16_t	sum;
	struct bytes	body;
};

MUST_USE enum why udp_decode(struct bytes octets, struct udp_hdr *hdr);
size_t udp_begin(struct wr *w, uint16_t src_port, uint16_t dst_port);
void udp_end(struct wr *w, size_t mark, struct ip4 src, struct ip4 dst);	/* with checksum */

enum tcp_flag {
	TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_URG = 32, TCP_ECE = 64, TCP_CWR = 128
};

struct tcp_hdr {
	uint16_t	src_port, dst_port;
	uint32_t	seq, ack;
	uint8_t		flags, header_len;
	uint16_t	window, sum, urgent;
	struct bytes	options, body;
};

MUST_USE enum why tcp_decode(struct bytes octets, struct tcp_hdr *hdr);

enum icmp_type {
	ICMP_ECHO_REPLY = 0, ICMP_UNREACHABLE = 3, ICMP_QUENCH = 4, ICMP_REDIRECT = 5, ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11, ICMP_PARAMETER = 12
};
enum { ICMP_UNREACHABLE_HOST = 1, ICMP_UNREACHABLE_FRAGMENTATION = 4 };

struct icmp_hdr {
	uint8_t		type, code;
	uint16_t	sum;
	uint32_t	rest;		/* identifier and sequence number, or next-hop MTU */
	struct bytes	body;
};

MUST_USE enum why icmp_decode(struct bytes octets, struct icmp_hdr *hdr);
size_t icmp_begin(struct wr *w, uint8_t type, uint8_t code, uint32_t rest);
void icmp_end(struct wr *w, size_t mark);

/* May an ICMP error be sent about this packet, or the start of one?  RFC 1122 3.2.2, RFC 1812 4.3.2.7. */
MUST_USE bool icmp_error_allowed(struct bytes about);

/* A whole packet, from `from` to the source of `about`, that quotes what fits into IP4_ICMP_MAX. */
void icmp_error_encode(struct wr *w, struct ip4 from, uint8_t type, uint8_t code, uint32_t rest,
		       struct bytes about);

/* A packet in fragments of at most `mtu` octets (RFC 791 section 3.2), one at a time.  `mtu` is at
 * least 68; options that are not to be copied stay in the first fragment. */
struct ip4_fragments {
	struct bytes	packet;
	struct ip4_hdr	hdr;
	uint32_t	done;		/* octets of the body already out */
	uint32_t	mtu;
};

MUST_USE enum why ip4_fragments_begin(struct ip4_fragments *f, struct bytes packet, uint32_t mtu);
MUST_USE bool ip4_fragments_next(struct ip4_fragments *f, struct wr *w);	/* false: that was all */

#endif
