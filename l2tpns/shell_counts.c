/* shell_counts.c -- a session's traffic is what all nodes forwarded: our counters to them, and theirs to us. */
#include "l2tpns/io/clock.h"
#include "l2tpns/shell.h"

#define REPORT_S	0.1
#define REPORT_LOOK	4096u	/* rows looked at each time: a million in 25 seconds, 40,000 in one */
#define REPORTS_MAX	32u	/* datagrams each time */
#define REPORT_EMPTY	6u	/* octets of a report that says nothing */
#define ALL_EACH	16u	/* every so many rounds also what has not grown, for nodes that came later */

static void counted(void *ctx, struct row row, struct share *share)
{
	const struct shell *shell = ctx;
	struct plane_usage usage;

	shell->plane->ops->usage(shell->plane, row, &usage);
	*share = (struct share){
		.up_packets = usage.up_packets, .up_octets = usage.up_octets,
		.down_packets = usage.down_packets, .down_octets = usage.down_octets,
		.up_s = (uint32_t)(usage.up_heard.us / 1000000), .down_s = (uint32_t)(usage.down_heard.us / 1000000),
	};
}

static void on_report(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct shell *shell = timer->data;
	struct shell_cluster *cluster = shell->cluster;
	uint8_t octets[SHARES_REPORT_MAX];

	(void)loop;
	(void)revents;
	shell_cluster_room_look(shell);
	for (unsigned n = 0; n < REPORTS_MAX; n++) {
		struct wr w = wr_of(octets, sizeof(octets));

		shares_report(&cluster->shares, shell->lns, counted, shell, clock_now(), &cluster->report_at,
			      REPORT_LOOK / REPORTS_MAX, cluster->rounds % ALL_EACH == 0, &w);
		if (wr_len(&w) >= REPORT_EMPTY)
			cluster_io_bytes(cluster->io, wr_bytes_of(&w));
		if (cluster->report_at == 0) {
			cluster->rounds++;
			break;
		}
	}
}

void shell_counts_run(struct shell *shell)
{
	struct shell_cluster *cluster = shell->cluster;

	ev_timer_init(&cluster->report, on_report, REPORT_S, REPORT_S);
	cluster->report.data = shell;
	ev_timer_start(shell->loop, &cluster->report);
}

void shell_counts_received(struct shell *shell, const struct cluster_event *event)
{
	enum why why = shares_received(&shell->cluster->shares, event->slot, event->octets, clock_now());

	if (why != WHY_OK)
		log_line(shell->log, SAY_LOCAL, "cluster counters of node %u: %s", event->by.n, why_text(why));
}

static struct mono later(struct mono a, uint32_t seconds)
{
	struct mono b = { (uint64_t)seconds * 1000000 };

	return mono_before(a, b) ? b : a;
}

void shell_counts_usage(const struct shell *shell, struct row row, struct lns_usage *usage)
{
	const struct session *session = shell->cluster ? lns_session(shell->lns, row) : NULL;
	struct share others;

	if (!session)
		return;
	shares_sum(&shell->cluster->shares, row, session->serial, &others);
	usage->up_heard = later(usage->up_heard, others.up_s);
	usage->down_heard = later(usage->down_heard, others.down_s);
}
