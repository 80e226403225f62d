/*
 * config.h -- everything startup-config can say, as plain values without behaviour.
 *
 * Each field named like an option is one row of option_rows.c, which says its
 * range, default, unit and meaning.  Large (some 300 KiB): the shell keeps its few
 * instances static.  Made by config_init(), config_parse() or by assignment.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "l2tpns/core/lns_conf.h"

#define CONFIG_ORDER_MAX	8
#define CONFIG_PREFIXES_MAX	48
#define CONFIG_NAMES_MAX	10
#define CONFIG_ADDRESSES_MAX	32
#define CONFIG_NAME_MAX		31
#define CONFIG_LACS_MAX		(LAC_RULES_MAX - CONFIG_PREFIXES_MAX)	/* lac_allow's become rules, too */
#define CONFIG_KEPT_MAX		65536
#define CONFIG_LINE_MAX		1024	/* a line of show, with its nul */

struct config_order {			/* words of a list, in the order given */
	uint8_t		n;
	uint8_t		item[CONFIG_ORDER_MAX];
};

struct config_prefixes {
	uint32_t	n;
	struct prefix4	prefix[CONFIG_PREFIXES_MAX];
};

struct config_names {
	uint32_t	n;
	char		name[CONFIG_NAMES_MAX][CONFIG_NAME_MAX + 1];
};

struct config_addresses {
	uint32_t	n;
	struct ip	ip[CONFIG_ADDRESSES_MAX];
};

enum config_commit { COMMIT_QUORUM, COMMIT_ONE, COMMIT_NONE };	/* who must have a change before others see it */

enum config_hidden { HIDDEN_UNSAID, HIDDEN_NO, HIDDEN_YES };

struct config_lac {			/* lac ADDRESS|PREFIX|NAME ... */
	struct lac_rule	rule;
	uint8_t		hidden;		/* enum config_hidden */
};

struct config {
	/* the process */
	char		hostname[64];
	uint32_t	debug;
	char		log_file[256], pid_file[256], control_socket[108], random_device[256];
	uint32_t	workers, multi_read_count, setuid;
	bool		scheduler_fifo, lock_pages, dump_speed;
	struct ip4	cli_bind_address;
	uint32_t	cli_port;

	/* limits */
	uint32_t	max_sessions, max_tunnels, max_tunnels_opening, max_addresses;

	/* tunnels */
	struct ip4	bind_address;
	char		bind_multi_address[256], multi_hostname[512], l2tp_secret[LAC_SECRET_MAX];
	bool		lac_require_secret;
	struct config_prefixes lac_allow;
	uint32_t	l2tp_mtu, receive_window, hello_interval;
	bool		disable_sending_hello, auth_tunnel_change_addr_src;
	uint32_t	l2tp_retransmit_ms, l2tp_retransmit_max_ms, l2tp_retransmit_tries;
	uint32_t	tunnel_linger, tunnel_idle_timeout, call_timeout;

	/* PPP */
	uint32_t	ppp_restart_time, ppp_max_configure, ppp_max_failure, ppp_max_terminate;
	bool		ppp_keepalive;
	uint32_t	echo_timeout, idle_echo_timeout, echo_failures;
	uint8_t		proxy_lcp;		/* enum proxy_policy */
	struct ip4	peer_address, primary_dns, secondary_dns;

	/* subscribers */
	char		subscribers[256];
	struct config_order radius_authtypes;	/* of enum auth_method */
	uint32_t	auth_timeout, session_timeout, idle_timeout;
	bool		allow_duplicate_users, allow_duplicate_ip, kill_timedout_sessions;
	struct config_names guest_account;
	char		append_realm[128], gardens[512];

	/* forwarding */
	char		tundevicename[16];
	struct ip4	iftun_address;
	bool		tcp_mss_clamp, disable_no_spoof, send_garp, no_throttle_local_IP;
	uint32_t	throttle_speed, throttle_buckets, icmp_rate, packet_limit;

	/* RADIUS */
	struct ip4	primary_radius, secondary_radius;
	uint32_t	primary_radius_port, secondary_radius_port;
	char		radius_secret[64];
	bool		radius_accounting;
	uint32_t	radius_interim, radius_dae_port, radius_bind_min, radius_bind_max;
	char		accounting_dir[256];
	bool		account_all_origin;

	/* IPv6 */
	struct ip	ipv6_prefix, primary_ipv6_dns, secondary_ipv6_dns;
	uint32_t	dns6_lifetime, dhcp6_preferred_lifetime, dhcp6_valid_lifetime, dhcp6_server_duid;
	char		default_ipv6_domain_list[255];

	/* cluster and routing */
	char		cluster_interface[16], cluster_interface2[16], service_interface[16];
	char		cluster_name[32], cluster_key[256], cluster_memory[256];
	struct config_addresses cluster_nodes;
	uint32_t	cluster_node;
	uint8_t		cluster_commit;		/* enum config_commit */
	struct ip	cluster_address;
	uint32_t	cluster_port;
	uint32_t	cluster_mcast_ttl, cluster_hb_interval, cluster_hb_timeout, cluster_master_min_adv;
	struct ip4	nexthop_address;
	struct ip	nexthop6_address;

	/* the other way out: PPPoE and remote LNSs */
	bool		disable_lac_func, pppoe_only_equal_svc_name;
	struct ip4	bind_address_remotelns;
	uint32_t	bind_portremotelns;
	char		pppoe_if_to_bind[16], pppoe_service_name[64], pppoe_ac_name[64];

	/* lines other than `set` */
	struct config_lac lac[CONFIG_LACS_MAX];
	uint32_t	lacs;
	char		kept[CONFIG_KEPT_MAX];	/* lines not acted on, each with its newline */
	uint32_t	kept_len;
};

#endif
