/* shell_open.c -- building the daemon in the order privileges allow, and taking it down again. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "l2tpns/config/apply.h"
#include "l2tpns/io/clock.h"
#include "l2tpns/io/privs.h"
#include "l2tpns/shell.h"

#define TERMINAL_IDLE_S		1800
#define TUN_QUEUE_PACKETS	10000
#define L2TP_OVERHEAD		38	/* IP 20, UDP 8, L2TP 6, PPP 4 */

static int told(const char *what, const char *why)
{
	fprintf(stderr, "l2tpns: %s: %s\n", what, why);
	return 1;
}

/* ---- in the background: the parent waits until the child is up, and ends with its verdict ---- */

static int detach_begin(int *ready)
{
	int ends[2];
	char verdict = 1;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return told("-d", strerror(errno));
	pid_t child = fork();

	if (child < 0)
		return told("-d", strerror(errno));
	if (child > 0) {
		close(ends[1]);
		_exit(read(ends[0], &verdict, 1) == 1 ? verdict : 1);
	}
	close(ends[0]);
	*ready = ends[1];
	return 0;
}

static int detach_end(int ready)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char verdict = 0;

	if (null < 0 || setsid() < 0 || chdir("/") != 0)
		return told("-d", strerror(errno));
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return 1;
	close(null);
	return write(ready, &verdict, 1) == 1 ? 0 : 1;
}

/* ---- parts ---- */

static struct bytes who_is(void *ctx, struct row row)
{
	const struct shell *shell = ctx;
	const struct session *session = shell->lns ? lns_session(shell->lns, row) : NULL;

	return session ? lns_text(shell->lns, session->user) : (struct bytes){ 0 };
}

static void usage_of(void *ctx, struct row row, struct lns_usage *usage)
{
	const struct shell *shell = ctx;
	struct plane_usage counted;

	shell->plane->ops->usage(shell->plane, row, &counted);
	*usage = (struct lns_usage){ .up_heard = counted.up_heard, .down_heard = counted.down_heard };
	shell_counts_usage(shell, row, usage);
}

static int lns_open(struct shell *shell)
{
	uint8_t seed[RND_SEED_LEN];
	struct arena arena = { 0 };
	void *memory;

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed) ||
	    getrandom(&shell->key, sizeof(shell->key), 0) != sizeof(shell->key))
		return told("random numbers", strerror(errno));
	shell->lns_octets = lns_size(shell->lns_conf);
	memory = mmap(NULL, shell->lns_octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		      -1, 0);
	if (memory == MAP_FAILED)
		return told("memory for the sessions", strerror(errno));
	shell->lns_memory = memory;
	arena = (struct arena){ .start = memory, .room = shell->lns_octets };
	shell->lns = lns_init(shell->lns_conf, seed, clock_now(), usage_of, shell, &arena);
	explicit_bzero(seed, sizeof(seed));
	if (lns_configured(shell->lns, shell->lns_conf, clock_now()) > 0)
		fprintf(stderr, "l2tpns: warning: the pools hold more than max_addresses; the rest is not used\n");
	return 0;
}

static unsigned workers_wanted(const struct config *config)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned workers = config->workers ? config->workers : cpus > 1 ? (unsigned)cpus - 1 : 1;

	return min_u32(workers, PLANE_WORKERS_MAX);
}

static int tun_and_routes_open(struct shell *shell)
{
	const struct config *config = shell->config;
	struct tun_conf conf = {
		.name = config->tundevicename, .address = config_tun_address(config),
		.mtu = config->l2tp_mtu - L2TP_OVERHEAD, .queues = workers_wanted(config),
		.queue_packets = TUN_QUEUE_PACKETS,
	};
	char error[TUN_ERROR_MAX];
	int failed;

	if (tun_open(&shell->tun, &conf, error) != 0)
		return told("tun device", error);
	failed = netlink_open(&shell->netlink, shell->tun.name);
	return failed ? told("kernel routes", strerror(-failed)) : 0;
}

static int plane_open(struct shell *shell)
{
	const struct config *config = shell->config;
	struct plane_user_conf conf = {
		.workers = shell->tun.queues, .bind = { ip_from4(config->bind_address) }, .binds = 1,
		.port = L2TP_PORT, .sessions_max = rows_space(config->max_sessions), .tunnels_max = config->max_tunnels,
		.address = config_tun_address(config), .icmp_rate = config->icmp_rate, .tun = shell->tun.fd,
		.tun_uso = shell->tun.uso, .thread_began = privs_thread,
		.bind_early = config->cluster_interface[0] != 0,
	};
	char error[PLANE_ERROR_MAX];

	return plane_user_open(&conf, &shell->plane, error) != 0 ? told("data plane", error) : 0;
}

static int terminals_open(struct shell *shell)
{
	struct cli_telnet_conf conf = {
		.address = shell->config->cli_bind_address, .port = (uint16_t)shell->config->cli_port,
		.idle_timeout_s = TERMINAL_IDLE_S,
	};
	struct cli_host host = shell_cli_host;
	int failed;

	host.ctx = shell;
	failed = cli_telnet_open(&shell->telnet, &conf, &host, &shell->facts, shell->log);
	return failed ? told("cli_port", strerror(-failed)) : 0;
}

static int control_open(struct shell *shell)
{
	struct ctl_unix_conf conf = { .path = shell->config->control_socket };
	int failed = ctl_unix_open(&shell->ctl, shell->loop, &conf, &shell->facts, shell->log);

	return failed ? told(conf.path, strerror(-failed)) : 0;
}

static int log_begin(struct shell *shell)
{
	int failed = log_configure(shell->log, shell->config->log_file,
				   min_u32(shell->config->debug + shell->args.verbose, SAY_CLASSES - 1));

	return failed ? told("log_file", strerror(-failed)) : 0;
}

static int pid_file_write(const struct shell *shell)
{
	const char *path = shell->config->pid_file;
	FILE *file = path[0] ? fopen(path, "we") : NULL;

	if (path[0] && !file)
		return told(path, strerror(errno));
	if (file) {
		fprintf(file, "%ld\n", (long)getpid());
		if (fclose(file) != 0)
			return told(path, strerror(errno));
	}
	return 0;
}

static int scheduling_set(const struct shell *shell)
{
	struct sched_param param = { .sched_priority = 1 };

	if (shell->config->lock_pages && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
		return told("lock_pages", strerror(errno));
	if (shell->config->scheduler_fifo && sysconf(_SC_NPROCESSORS_ONLN) > 1 &&
	    sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) != 0)
		return told("scheduler_fifo", strerror(errno));
	return 0;
}

static void facts_fill(struct shell *shell)
{
	shell->facts.lns = shell->lns;
	shell->facts.plane = shell->plane;
	shell->facts.shares = shell->cluster ? &shell->cluster->shares : NULL;
	shell->facts.version = VERSION;
	shell->facts.started = clock_now();
	shell->facts.ops = &shell_hands;
	shell->facts.ctx = shell;
}

static int memory_open(struct shell *shell)
{
	shell->config = calloc(1, sizeof(*shell->config));
	shell->lns_conf = calloc(1, sizeof(*shell->lns_conf));
	shell->users = calloc(1, sizeof(*shell->users));
	shell->loop = ev_default_loop(EVFLAG_AUTO);
	pthread_mutex_init(&shell->users_lock, NULL);
	if (!shell->config || !shell->lns_conf || !shell->users || !shell->loop)
		return told("start", "no memory");
	return 0;
}

/* What needs a privileged port or the whole of our capabilities comes first; threads come last. */
static int everything_open(struct shell *shell)
{
	int failed;

	if (shell_files_read(shell) != 0)
		return 1;
	failed = privs_start();
	if (failed)
		return told("capabilities", strerror(-failed));
	failed = log_open(&shell->log, "l2tpns", who_is, shell);
	if (failed)
		return told("log", strerror(-failed));
	if (log_begin(shell) != 0 || scheduling_set(shell) != 0 || lns_open(shell) != 0 ||
	    control_open(shell) != 0 || terminals_open(shell) != 0 || tun_and_routes_open(shell) != 0)
		return 1;
	/* Their threads keep no capability at all. */
	if (plane_open(shell) != 0 || shell_cluster_open(shell) != 0)
		return 1;
	failed = privs_opened();
	if (failed)
		return told("capabilities", strerror(-failed));
	failed = crypt_thread_open(&shell->crypt);
	if (failed)
		return told("crypt thread", strerror(-failed));
	failed = log_start(shell->log);
	return failed ? told("log", strerror(-failed)) : 0;
}

int shell_open(struct shell *shell, const struct shell_args *args)
{
	int ready = -1;

	clock_sharpen();
	shell->args = *args;
	if (!realpath(args->config_path, shell->config_path))
		return told(args->config_path, strerror(errno));
	shell->args.config_path = shell->config_path;	/* the directory may change; the file does not */
	if (args->host_name)
		(void)snprintf(shell->host, sizeof(shell->host), "%s", args->host_name);
	else
		(void)gethostname(shell->host, sizeof(shell->host) - 1);
	if (args->detach && detach_begin(&ready) != 0)
		return 1;
	if (memory_open(shell) != 0 || everything_open(shell) != 0 || pid_file_write(shell) != 0)
		return 1;
	facts_fill(shell);
	shell_routes_put(shell);
	shell_files_say(shell);
	log_line(shell->log, SAY_STATE, "l2tpns %s started: %u workers, up to %u sessions", VERSION, shell->tun.queues,
		 shell->config->max_sessions);
	return args->detach ? detach_end(ready) : 0;
}

void shell_close(struct shell *shell)
{
	if (shell->ctl)
		ctl_unix_close(shell->ctl);
	if (shell->telnet)
		cli_telnet_close(shell->telnet);
	shell_cluster_close(shell);
	if (shell->plane)
		plane_user_close(shell->plane);
	crypt_thread_close(shell->crypt);
	netlink_close(shell->netlink);
	if (shell->tun.queues)
		tun_close(&shell->tun);
	if (shell->config && shell->config->pid_file[0] && shell->log)
		(void)unlink(shell->config->pid_file);
	if (shell->log)
		log_close(shell->log);
	shell->log = NULL;
	shell_files_close(shell);
	if (shell->lns_memory)
		(void)munmap(shell->lns_memory, shell->lns_octets);
	free(shell->config);
	free(shell->lns_conf);
	free(shell->users);
}
