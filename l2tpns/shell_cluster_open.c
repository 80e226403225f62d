/* shell_cluster_open.c -- the cluster as the configuration asks for it: keys, addresses, memory; and its end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "l2tpns/core/replica.h"
#include "l2tpns/io/address.h"
#include "l2tpns/io/clock.h"
#include "l2tpns/io/files.h"
#include "l2tpns/io/keyfile.h"
#include "l2tpns/io/privs.h"
#include "l2tpns/shell.h"

#define HELD_OCTETS	(16u << 20)
#define FRESH_VOTE_MS	10000u
#define FORWARD_WAIT_MS	1000u
#define RECORD_OCTETS	512u		/* of memory: a session's record, its messages, its part of a tunnel's */
#define RECORD_OCTETS_LEAST	(16u << 20)

static int told(const char *what, const char *why)
{
	fprintf(stderr, "l2tpns: %s: %s\n", what, why);
	return 1;
}

/* The key of a cluster that has none yet is made here; a cluster of several is given it by the operator. */
static int keys_read(const struct shell *shell, struct cluster_io_conf *conf, char error[KEYFILE_ERROR_MAX])
{
	const struct config *config = shell->config;
	struct keyfile keys;
	char path[PATH_MAX];

	if (file_find(shell->args.config_path, config->cluster_key, path) != 0)
		return snprintf(error, KEYFILE_ERROR_MAX, "the path is too long");
	/* A new one stands beside the configuration. */
	if (!strchr(config->cluster_key, '/') && access(path, F_OK) != 0)
		(void)snprintf(path, sizeof(path), "%.*s/%s",
			       (int)(strrchr(shell->config_path, '/') - shell->config_path), shell->config_path,
			       config->cluster_key);
	int failed = keyfile_read(path, config->cluster_nodes.n <= 1, &keys, error);

	_Static_assert(KEYFILE_KEYS_MAX <= SEAL_SECRETS_MAX && KEYFILE_KEY_LEN == SEAL_SECRET_LEN, "keys fit");
	for (unsigned k = 0; !failed && k < keys.keys; k++) {
		conf->secret[k].id = keys.key[k].id;
		memcpy(conf->secret[k].octets, keys.key[k].octets, SEAL_SECRET_LEN);
	}
	conf->sending = keys.sending;
	keyfile_wipe(&keys);
	return failed;
}

bool shell_cluster_keys(struct shell *shell, bool rotate, char message[FACTS_MESSAGE_MAX])
{
	static struct cluster_io_conf conf;	/* for its secrets; wiped below */
	struct shell_cluster *cluster = shell->cluster;
	uint8_t sending = cluster->sending;
	char error[KEYFILE_ERROR_MAX];
	bool there = false;

	if (keys_read(shell, &conf, error) != 0) {
		(void)snprintf(message, FACTS_MESSAGE_MAX, "cluster_key: %s", error);
		return false;
	}
	for (unsigned i = 0; i < SEAL_SECRETS_MAX; i++)
		there |= conf.secret[i].id == sending;
	if (rotate || !there)
		sending = conf.sending;
	cluster->sending = sending;
	cluster_io_secrets(cluster->io, conf.secret, sending);
	explicit_bzero(&conf, sizeof(conf));
	(void)snprintf(message, FACTS_MESSAGE_MAX, "packets are sealed with key %u", sending);
	return true;
}

/* The configuration's words as the machine's. */
static int conf_made(const struct shell *shell, struct cluster_io_conf *conf)
{
	const struct config *config = shell->config;
	struct ip address;
	const char *fault;
	int failed;

	conf->group = config->cluster_address;
	failed = cluster_io_address(config->cluster_interface, conf->group, &address);
	if (failed)
		return told("cluster_interface", failed == -ENODEV ? "no such interface" : "it has no address yet");
	(void)snprintf(conf->interface[0], sizeof(conf->interface[0]), "%s", config->cluster_interface);
	(void)snprintf(conf->interface[1], sizeof(conf->interface[1]), "%s", config->cluster_interface2);
	conf->port = (uint16_t)config->cluster_port;
	conf->ttl = (uint8_t)config->cluster_mcast_ttl;
	conf->realtime = true;
	conf->thread_began = privs_thread;
	conf->memory = config->cluster_memory[0] ? config->cluster_memory : NULL;
	conf->cl = (struct cl_conf){
		.self = { config->cluster_node ? (uint16_t)config->cluster_node :
			  (uint16_t)(address.b[14] << 8 | address.b[15]) },
		.address = address, .members = config->cluster_nodes.n,
		.interval_ms = config->cluster_hb_interval * 100, .dead_ms = config->cluster_hb_timeout * 100,
		.fresh_vote_after_ms = FRESH_VOTE_MS, .forward_wait_ms = FORWARD_WAIT_MS,
		.commit = (enum cl_commit)config->cluster_commit, .min_adv = config->cluster_master_min_adv,
		.keys = replica_keys(shell->lns_conf),
		.record_octets = (size_t)config->max_sessions * RECORD_OCTETS + RECORD_OCTETS_LEAST,
	};
	_Static_assert(CONFIG_ADDRESSES_MAX >= CLUSTER_NODES_MAX, "every configured node has its place");
	memcpy(conf->cl.member, config->cluster_nodes.ip, sizeof(conf->cl.member));
	(void)snprintf(conf->cl.name, sizeof(conf->cl.name), "%s", config->cluster_name);
	fault = cl_conf_fault(&conf->cl);
	return fault ? told("cluster", fault) : 0;
}

static int shares_open(struct shell *shell, struct shell_cluster *cluster)
{
	uint32_t rows = rows_space(shell->config->max_sessions), run;
	struct arena arena = { 0 };

	if (getrandom(&run, sizeof(run), 0) != sizeof(run))
		return told("random numbers", strerror(errno));
	shares_init(&cluster->shares, rows, run, &arena);
	cluster->shares_octets = arena.used + 64;
	cluster->shares_memory = mmap(NULL, cluster->shares_octets, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (cluster->shares_memory == MAP_FAILED)
		return told("cluster", "no memory for counters");
	arena = (struct arena){ .start = cluster->shares_memory, .room = cluster->shares_octets };
	shares_init(&cluster->shares, rows, run, &arena);
	return 0;
}

static void address_say(void *ctx, const char *text)
{
	const struct shell *shell = ctx;

	log_line(shell->log, SAY_LOCAL, "service address: %s", text);
}

static int service_open(struct shell *shell, struct shell_cluster *cluster)
{
	const struct config *config = shell->config;
	struct address_conf conf = {
		.interface = config->service_interface, .address = ip_from4(config->bind_address),
		.announce = config->send_garp, .say = address_say, .ctx = shell,
	};
	char error[ADDRESS_ERROR_MAX];

	if (!config->service_interface[0])
		return 0;
	if (config->bind_address.n == 0)
		return told("service_interface", "bind_address says which address it shall have");
	return address_open(&cluster->address, &conf, clock_now(), error) ? told("service_interface", error) : 0;
}

int shell_cluster_open(struct shell *shell)
{
	static struct cluster_io_conf conf;	/* holds keys; wiped below */
	char error[CLUSTER_IO_ERROR_MAX], bad_key[KEYFILE_ERROR_MAX];
	struct shell_cluster *cluster;
	int failed;

	if (!shell->config->cluster_interface[0])
		return 0;
	cluster = calloc(1, sizeof(*cluster));
	if (!cluster || !held_open(&cluster->held, HELD_OCTETS))
		return told("cluster", "no memory");
	if (shares_open(shell, cluster) != 0 || conf_made(shell, &conf) != 0)
		return 1;
	if (keys_read(shell, &conf, bad_key) != 0)
		return told("cluster_key", bad_key);
	if (service_open(shell, cluster) != 0)
		return 1;
	lns_role(shell->lns, LNS_SLAVE, clock_now(), &shell->fx);
	cluster->sending = conf.sending;
	cluster->self = conf.cl.self;
	failed = cluster_io_open(&cluster->io, &conf, error);
	explicit_bzero(&conf, sizeof(conf));
	if (failed)
		return told("cluster", error);
	plane_user_pass_unknown(shell->plane, true);
	shell->cluster = cluster;
	return 0;
}

void shell_cluster_close(struct shell *shell)
{
	struct shell_cluster *cluster = shell->cluster;

	if (!cluster)
		return;
	cluster_io_close(cluster->io);
	if (cluster->address)
		address_close(cluster->address);
	held_close(&cluster->held);
	if (cluster->shares_memory)
		(void)munmap(cluster->shares_memory, cluster->shares_octets);
	free(cluster);
	shell->cluster = NULL;
}
