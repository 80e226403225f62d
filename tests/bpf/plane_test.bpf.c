/* plane_test.bpf.c -- the packet path as XDP programs, for the differential test: `up` strips, `down` adds. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "l2tpns/plane/maps.h"
#include "tests/bpf/plane_test.h"

#define TABLE(name, rows, value_type) \
	struct { \
		__uint(type, BPF_MAP_TYPE_ARRAY); \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, rows); \
		__type(key, __u32); \
		__type(value, struct value_type); \
	} name SEC(".maps")

TABLE(pages, TEST_TUNNELS, plane_pages);
TABLE(tunnel, TEST_TUNNELS, plane_tunnel);
TABLE(session, TEST_SESSIONS, plane_session);
TABLE(fan, TEST_FANS, plane_fan);
TABLE(result, 1, test_result);

/* The tables as the kernel keeps them: these four are all that differs from userspace. */
#define FAST_TABLES_OWN
struct fast_tables {
	int	none;
};

#define LOOKUP(type, name, map, qualifier) \
	static inline __attribute__((always_inline)) qualifier struct type *name(const struct fast_tables *t, __u32 n) \
	{ \
		(void)t; \
		return bpf_map_lookup_elem(&map, &n); \
	}

LOOKUP(plane_pages, fast_pages, pages, const)
LOOKUP(plane_tunnel, fast_tunnel, tunnel, const)
LOOKUP(plane_session, fast_session, session, )
LOOKUP(plane_fan, fast_fan, fan, const)

#include "l2tpns/plane/l2tp_fast.h"

static inline __attribute__((always_inline)) struct test_result *result_row(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&result, &zero);
}

SEC("xdp")
int up(struct xdp_md *ctx)
{
	struct fast_packet frame = { .data = (void *)(long)ctx->data, .end = (void *)(long)ctx->data_end };
	struct fast_packet payload = { .data = frame.data + TEST_ETH_LEN + TEST_OUTER_LEN, .end = frame.end };
	struct test_result *r = result_row();
	struct fast_tables tables = { 0 };
	struct fast_from from = { .port = 0 };
	enum fast_verdict verdict;
	struct fast_up seen;
	__u32 cut;
	__u8 *p;

	p = fast_at(&frame, TEST_ETH_LEN, TEST_OUTER_LEN);
	if (!p || !r)
		return XDP_ABORTED;
	from.peer[2] = __builtin_bswap32(0xffff);
	__builtin_memcpy(&from.peer[3], p + 12, 4);
	from.port = fast_be16(p + 20);
	verdict = fast_up(&tables, &payload, &from, TEST_NOW_S, &seen);
	*r = (struct test_result){ .verdict = verdict, .why = seen.why, .row = seen.row, .tid = seen.tid,
				   .sid = seen.sid, .proto = seen.proto, .at = seen.at, .len = seen.len,
				   .control = seen.control, .stranger = seen.stranger };
	if (verdict != FAST_FORWARD)
		return verdict == FAST_PUNT ? XDP_PASS : XDP_DROP;
	cut = (__u32)(payload.end - payload.data) - seen.at - seen.len;
	if (bpf_xdp_adjust_head(ctx, (int)(TEST_ETH_LEN + TEST_OUTER_LEN + seen.at)) ||
		bpf_xdp_adjust_tail(ctx, -(int)cut))
		return XDP_ABORTED;
	return XDP_TX;
}

SEC("xdp")
int down(struct xdp_md *ctx)
{
	struct fast_packet frame = { .data = (void *)(long)ctx->data, .end = (void *)(long)ctx->data_end };
	struct fast_packet inner = { .data = frame.data + TEST_ETH_LEN, .end = frame.end };
	struct test_result *r = result_row();
	struct fast_tables tables = { 0 };
	enum fast_verdict verdict;
	struct fast_down seen;
	__u8 *p;

	if (!r || !fast_at(&frame, 0, TEST_ETH_LEN))
		return XDP_ABORTED;
	verdict = fast_down(&tables, &inner, TEST_NOW_S, &seen);
	*r = (struct test_result){ .verdict = verdict, .why = seen.why, .row = seen.row, .tid = seen.tid,
				   .len = seen.len, .mru = seen.mru, .head_len = seen.head_len };
	if (verdict != FAST_FORWARD)
		return verdict == FAST_PUNT ? XDP_PASS : XDP_DROP;
	/* The header's length differs by subscriber: the frame's start moves by as much, less what
	 * Ethernet took, and the header is copied in its four possible sizes. */
	if (bpf_xdp_adjust_head(ctx, (int)TEST_ETH_LEN - (int)seen.head_len))
		return XDP_ABORTED;
	frame = (struct fast_packet){ .data = (void *)(long)ctx->data, .end = (void *)(long)ctx->data_end };
	p = fast_at(&frame, 0, FAST_HEAD_MAX);
	if (!p)
		return XDP_ABORTED;
	__builtin_memcpy(p, seen.head, 7);
	if (seen.head_len > 7)
		p[7] = seen.head[7];
	if (seen.head_len > 8)
		p[8] = seen.head[8];
	if (seen.head_len > 9)
		p[9] = seen.head[9];
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";
