/*
 * Goal: the packet path says and does the same in the kernel as in userspace.
 * Method: the same headers, compiled by clang as XDP programs and by the C compiler here, over the same
 *	tables (mapped arrays, filled by the one writer) and the same packets: every shape a LAC may send,
 *	then those with octets changed, cut or doubled at random.  Verdict, reason, every field, the octets
 *	that leave and the counters must be equal.  Exit code 77: this kernel or user may not load programs.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "l2tpns/base/rnd.h"
#include "tests/bpf/plane_test.h"
#include "tests/unit/plane_world.h"

#define FRAME_MAX	2048u
#define PACKETS		4000u
#define TAIL_MIN	64u		/* BPF_PROG_TEST_RUN wants frames this long */

struct frame {
	uint8_t	 octets[FRAME_MAX];
	uint32_t len;
};

struct half {			/* what one side said and did */
	struct test_result result;
	struct frame	   out;	/* when it was forwarded */
};

struct kernel {
	struct bpf_object	*object;
	int			 up, down;
	struct test_result	*result;
	struct plane_session	*session;
};

static struct tables tables;

static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("FAIL bpf-test ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	exit(1);
}

/* --- tables ----------------------------------------------------------------------------------- */

static void *map_area(const struct kernel *kernel, const char *name, size_t octets)
{
	struct bpf_map *map = bpf_object__find_map_by_name(kernel->object, name);
	void *area = map ? mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0) : MAP_FAILED;

	if (area == MAP_FAILED)
		fail("cannot map table %s: %s", name, strerror(errno));
	return area;
}

/* Both page layouts, subscribers with every header compression, routed and nested prefixes, IPv6 peer. */
static void tables_fill(void)
{
	static const struct { uint32_t net; uint8_t len; uint32_t row; } routes[] = {
		{ 0x0a640000, 16, 2 }, { 0x0a648000, 18, 3 }, { 0x0a648001, 32, 4 }, { 0xac100000, 12, 9 }, { 0, 0, 7 },
	};
	struct tables_conf conf = { .tunnels_max = TEST_TUNNELS - 1, .sessions_max = TEST_SESSIONS - 1025,
				    .prefixes_max = 100, .fans_max = TEST_FANS - PLANE_ROUTE_ROOTS };
	struct fx_tunnel tunnel[] = {plane_tunnel_of(3, LAC_A), plane_tunnel_of(4, LAC_B), plane_tunnel_of(31, LAC_A)};
	struct arena arena = { 0 };

	tables_init(&tables, &conf, &arena);
	arena = (struct arena){ .start = calloc(1, arena.used), .room = arena.used };
	tables_init(&tables, &conf, &arena);
	if (tables.fast.sessions != TEST_SESSIONS - 1024 || tables.fast.fans != TEST_FANS)
		fail("the tables do not have the sizes of the maps");
	for (size_t i = 0; i < ARRAY_LEN(tunnel); i++)
		tables_tunnel_put(&tables, &tunnel[i]);
	for (uint32_t row = 1; row <= 40; row++) {
		struct fx_session session = plane_session_of((uint16_t)(row % 3 == 0 ? 31 : 3 + row % 3 - 1), row);

		session.acfc = row & 1;
		session.pfc = row & 2;
		session.source_check = row % 5 != 0;
		session.mss = row % 7 == 0 ? 0 : 1200;
		tables_session_put(&tables, &session);
		if (!route_put(&tables.route, (struct prefix4){ session.address, 32 }, session.row))
			fail("no room for a route");
	}
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (!route_put(&tables.route, (struct prefix4){{routes[i].net}, routes[i].len},
			    (struct row){routes[i].row}))
			fail("no room for a route");
}

static void tables_copy(struct kernel *kernel)
{
	struct plane_pages *pages = map_area(kernel, "pages", TEST_TUNNELS * sizeof(*pages));
	struct plane_tunnel *tunnel = map_area(kernel, "tunnel", TEST_TUNNELS * sizeof(*tunnel));
	struct plane_fan *fan = map_area(kernel, "fan", TEST_FANS * sizeof(*fan));

	kernel->session = map_area(kernel, "session", TEST_SESSIONS * sizeof(*kernel->session));
	kernel->result = map_area(kernel, "result", sizeof(*kernel->result));
	memcpy(pages, tables.pages, TEST_TUNNELS * sizeof(*pages));
	memcpy(tunnel, tables.tunnel, TEST_TUNNELS * sizeof(*tunnel));
	memcpy(kernel->session, tables.session, (TEST_SESSIONS - 1024) * sizeof(*kernel->session));
	memcpy(fan, tables.route.fan, TEST_FANS * sizeof(*fan));
}

/* --- the two halves --------------------------------------------------------------------------- */

static void kernel_run(const struct kernel *kernel, int program, const struct frame *in, struct half *half)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in->octets, .data_size_in = in->len,
		    .data_out = half->out.octets, .data_size_out = sizeof(half->out.octets), .repeat = 1);

	memset(kernel->result, 0, sizeof(*kernel->result));
	memset(&half->out, 0, sizeof(half->out));
	if (bpf_prog_test_run_opts(program, &opts) < 0)
		fail("the program does not run on %u octets: %s", in->len, strerror(errno));
	half->result = *kernel->result;
	half->out.len = opts.data_size_out;
	if (opts.retval == XDP_ABORTED)
		fail("the program gave up on %u octets", in->len);
	if ((opts.retval == XDP_TX) != (half->result.verdict == FAST_FORWARD))
		fail("the program's return value %u is not its verdict %u", opts.retval, half->result.verdict);
}

static void user_up(const struct frame *in, struct half *half)
{
	uint8_t copy[FRAME_MAX];
	const uint8_t *outer = in->octets + TEST_ETH_LEN;
	struct fast_packet packet = { .data = copy, .end = copy + in->len - TEST_ETH_LEN - TEST_OUTER_LEN };
	struct addr peer = { ip_from4((struct ip4){ fast_be32(outer + 12) }), fast_be16(outer + 20) };
	struct fast_from from = plane_from(peer);
	enum fast_verdict verdict;
	struct fast_up up;

	memcpy(copy, outer + TEST_OUTER_LEN, in->len - TEST_ETH_LEN - TEST_OUTER_LEN);
	verdict = fast_up(&tables.fast, &packet, &from, TEST_NOW_S, &up);
	half->result = (struct test_result){.verdict = verdict,
		.why = up.why,
		.row = up.row,
		.tid = up.tid,
		.sid = up.sid,
		.proto = up.proto,
		.at = up.at,
		.len = up.len,
		.control = up.control,
		.stranger = up.stranger};
	if (verdict != FAST_FORWARD)
		return;
	half->out.len = up.len;
	memcpy(half->out.octets, copy + up.at, up.len);
}

static void user_down(const struct frame *in, struct half *half)
{
	uint8_t copy[FRAME_MAX];
	struct fast_packet packet = { .data = copy, .end = copy + in->len - TEST_ETH_LEN };
	enum fast_verdict verdict;
	struct fast_down down;

	memcpy(copy, in->octets + TEST_ETH_LEN, in->len - TEST_ETH_LEN);
	verdict = fast_down(&tables.fast, &packet, TEST_NOW_S, &down);
	half->result = (struct test_result){ .verdict = verdict, .why = down.why, .row = down.row, .tid = down.tid,
		.len = down.len, .mru = down.mru, .head_len = down.head_len };
	if (verdict != FAST_FORWARD)
		return;
	half->out.len = down.head_len + in->len - TEST_ETH_LEN;
	memcpy(half->out.octets, down.head, down.head_len);
	memcpy(half->out.octets + down.head_len, copy, in->len - TEST_ETH_LEN);
}

/* --- packets ---------------------------------------------------------------------------------- */

static void inner_put(struct rnd *rnd, struct wr *w, uint32_t src, uint32_t dst)
{
	static const uint8_t options[] = { 1, 3, 3, 7, 2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2 };
	struct ip4_hdr hdr = { .ttl = 64, .proto = IP_TCP, .src = { src }, .dst = { dst }, .df = rnd_below(rnd, 2) };
	struct tcp_hdr tcp = { .src_port = 1, .dst_port = 2, .flags = (uint8_t)rnd_below(rnd, 64), .window = 5 };
	uint32_t from = rnd_below(rnd, 2) * 4, len = from == 4 ? 4 : rnd_below(rnd, sizeof(options) + 1);

	if (rnd_below(rnd, 2))
		plane_udp_put(w, src, dst, 28 + (rnd_below(rnd, 3) ? 0 : 1250u) + rnd_below(rnd, 200), hdr.df);
	else
		plane_tcp_put(
			w, &hdr, &tcp, bytes_of(options + from, len), bytes_str("some payload, whatever it says"));
}

static uint32_t address_random(struct rnd *rnd)
{
	static const uint32_t nets[] = { 0x0a640000, 0x0a648000, 0x0a648001, 0xac100000, 0x08080808, 0x0a640000 };

	return rnd_below(rnd, 3) ? 0x0a000000 + rnd_below(rnd, 45)
				 : nets[rnd_below(rnd, ARRAY_LEN(nets))] + rnd_below(rnd, 3);
}

static void damage(struct rnd *rnd, struct frame *frame, uint32_t from)
{
	uint32_t n = rnd_below(rnd, 3) ? 0 : 1 + rnd_below(rnd, 3);

	while (n-- > 0 && frame->len > from) {
		uint32_t reach = rnd_below(rnd, 4) ? min_u32(frame->len - from, 80) : frame->len - from;
		uint32_t at = from + rnd_below(rnd, reach);

		switch (rnd_below(rnd, 4)) {
		case 0: frame->octets[at] = (uint8_t)rnd_u32(rnd); break;
		case 1: frame->octets[at] ^= (uint8_t)(1u << rnd_below(rnd, 8)); break;
		case 2: frame->octets[at] = rnd_below(rnd, 2) ? 0xff : 0; break;
		default: frame->len = at; break;
		}
	}
	/* Shorter frames the kernel does not run on: what was cut off is there again, as padding. */
	while (frame->len < TAIL_MIN)
		frame->octets[frame->len++] = 0;
}

static void up_make(struct rnd *rnd, struct frame *frame)
{
	static const uint16_t protos[] = { 0x21, 0x21, 0x21, 0x21, 0xc021, 0x8021, 0x57, 0x20 };
	struct addr peer = rnd_below(rnd, 3) ? LAC_A : LAC_B;
	struct wr w = wr_of(frame->octets, sizeof(frame->octets));
	uint32_t row = 1 + rnd_below(rnd, 45), src;
	uint16_t tid = (uint16_t)(row % 3 == 0 ? 31 : 3 + row % 3 - 1),
		 proto = protos[rnd_below(rnd, ARRAY_LEN(protos))];
	uint8_t flags = (uint8_t)(rnd_below(rnd, 2) ? 0 : rnd_below(rnd, 16) ? rnd_u32(rnd) & 0x7f : rnd_u32(rnd));
	uint16_t offset = (uint16_t)rnd_below(rnd, rnd_below(rnd, 8) ? 12 : 300);

	if (rnd_below(rnd, 4))
		peer = row % 3 == 2 ? LAC_B : LAC_A;
	if (rnd_below(rnd, 16) == 0)
		tid = (uint16_t)rnd_below(rnd, 40);
	wr_take(&w, TEST_ETH_LEN);
	size_t mark = wr_len(&w);
	wr_take(&w, 12);
	wr_u32(&w, ip_to4(peer.ip).n);
	wr_u32(&w, ip_to4(OURS).n);
	wr_u16(&w, peer.port);
	wr_u16(&w, 1701);
	wr_u32(&w, 0);
	size_t l2tp = wr_len(&w);
	wr_u8(&w, flags);
	wr_u8(&w, rnd_below(rnd, 32) ? 2 : (uint8_t)rnd_u32(rnd));
	if (flags & FAST_L2TP_L)
		wr_u16(&w, 0);
	wr_u16(&w, tid);
	wr_u16(&w, (uint16_t)row);
	if (flags & FAST_L2TP_S)
		wr_u32(&w, rnd_u32(rnd));
	if (flags & FAST_L2TP_O) {
		wr_u16(&w, offset);
		for (unsigned i = 0; i < offset; i++)
			wr_u8(&w, 0);
	}
	if (rnd_below(rnd, 2))
		wr_u16(&w, 0xff03);
	if (proto < 0x100 && rnd_below(rnd, 2))
		wr_u8(&w, (uint8_t)proto);
	else
		wr_u16(&w, proto);
	src = rnd_below(rnd, 4) ? 0x0a000000 + row : address_random(rnd);
	inner_put(rnd, &w, src, 0x08080808);
	if (flags & FAST_L2TP_L)
		wr_patch_u16(&w, l2tp + 2, (uint16_t)(wr_len(&w) - l2tp));
	for (uint32_t n = rnd_below(rnd, 4) ? 0 : rnd_below(rnd, 30); n > 0; n--)
		wr_u8(&w, 0);
	if (!wr_ok(&w))
		fail("a packet of %zu octets does not fit", wr_len(&w));
	memset(frame->octets, 0, TEST_ETH_LEN);
	memset(frame->octets + mark, 0, 12);
	frame->len = (uint32_t)wr_len(&w);
	damage(rnd, frame, (uint32_t)l2tp);
}

static void down_make(struct rnd *rnd, struct frame *frame)
{
	struct wr w = wr_of(frame->octets, sizeof(frame->octets));

	memset(frame->octets, 0, TEST_ETH_LEN);
	wr_take(&w, TEST_ETH_LEN);
	inner_put(rnd, &w, 0x08080808, address_random(rnd));
	frame->len = (uint32_t)wr_len(&w);
	damage(rnd, frame, TEST_ETH_LEN);
}

/* --- comparing -------------------------------------------------------------------------------- */

static void compare(const char *what, unsigned n, const struct half *kernel, const struct half *user)
{
	const uint32_t *a = (const uint32_t *)(const void *)&kernel->result;
	const uint32_t *b = (const uint32_t *)(const void *)&user->result;

	for (size_t i = 0; i < sizeof(kernel->result) / sizeof(*a); i++)
		if (a[i] != b[i])
			fail("%s packet %u: field %zu is %u in the kernel, %u in userspace (verdict %u, reason %s)",
				what, n, i, a[i], b[i], user->result.verdict, why_name((enum why)user->result.why));
	if (user->result.verdict != FAST_FORWARD)
		return;
	if (kernel->out.len != user->out.len || memcmp(kernel->out.octets, user->out.octets, user->out.len) != 0)
		fail("%s packet %u: other octets leave the kernel (%u) than userspace (%u)", what, n, kernel->out.len,
		     user->out.len);
}

static void counters_compare(const struct kernel *kernel)
{
	for (uint32_t row = 0; row < TEST_SESSIONS - 1024; row++)
		if (memcmp(&kernel->session[row], &tables.session[row], sizeof(tables.session[row])) != 0)
			fail("session %u was counted otherwise", row);
}

static void run(const struct kernel *kernel, bool up)
{
	static struct half in_kernel, in_user;
	uint8_t seed[RND_SEED_LEN] = { up ? 1 : 2 };
	unsigned verdicts[3] = { 0 }, reasons = 0;
	bool why_seen[WHYS] = { false };
	struct frame frame;
	struct rnd rnd;

	rnd_seed(&rnd, seed);
	for (unsigned n = 0; n < PACKETS; n++) {
		if (up) {
			up_make(&rnd, &frame);
			user_up(&frame, &in_user);
		} else {
			down_make(&rnd, &frame);
			user_down(&frame, &in_user);
		}
		kernel_run(kernel, up ? kernel->up : kernel->down, &frame, &in_kernel);
		compare(up ? "up" : "down", n, &in_kernel, &in_user);
		verdicts[in_user.result.verdict]++;
		why_seen[in_user.result.why] = true;
	}
	for (unsigned why = 1; why < WHYS; why++)
		reasons += why_seen[why];
	counters_compare(kernel);
	if (verdicts[FAST_FORWARD] < PACKETS / 10 || verdicts[FAST_PUNT] < PACKETS / 100 ||
		verdicts[FAST_DROP] < PACKETS / 100)
		fail("the packets are too much alike: %u forwarded, %u punted, %u dropped", verdicts[0], verdicts[1],
			verdicts[2]);
	printf("ok bpf %s: %u packets (%u forwarded, %u punted, %u dropped for %u reasons) alike in both worlds\n",
		up ? "up" : "down", PACKETS, verdicts[FAST_FORWARD], verdicts[FAST_PUNT], verdicts[FAST_DROP], reasons);
}

static int program_fd(const struct kernel *kernel, const char *name)
{
	struct bpf_program *program = bpf_object__find_program_by_name(kernel->object, name);

	return program ? bpf_program__fd(program) : -1;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static void load(struct kernel *kernel, const char *path)
{
	int done;

	libbpf_set_print(quiet);
	kernel->object = bpf_object__open(path);
	if (!kernel->object)
		fail("cannot open %s: %s", path, strerror(errno));
	done = bpf_object__load(kernel->object);
	if (done == -EPERM || done == -ENOSYS) {
		printf("SKIP bpf-test %s: BPF programs may not be loaded here (%s)\n", path, strerror(-done));
		exit(77);
	}
	if (done < 0)
		fail("the kernel does not load %s: %s", path, strerror(-done));
	kernel->up = program_fd(kernel, "up");
	kernel->down = program_fd(kernel, "down");
}

int main(int argc, char **argv)
{
	struct kernel kernel = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: plane_test PROGRAM.bpf.o\n");
		return 2;
	}
	load(&kernel, argv[1]);
	tables_fill();
	tables_copy(&kernel);
	run(&kernel, true);
	run(&kernel, false);
	bpf_object__close(kernel.object);
	return 0;
}
