/*
 * option_rows.c -- every option of startup-config, one row each.
 *
 * Parsing, defaults, limits, `show running-config`, the differences a reload makes
 * and the manual page are read from here.  The options of l2tpns 2.x and of its
 * forks are all here, so that their files can be taken over; those whose row does
 * not say ACTED are kept, shown, saved and warned about.
 */
#include "l2tpns/base/words.h"
#include "l2tpns/config/option_rows.h"

/* A field must have the C type its row's type means: the selection below does not compile otherwise. */
#define AT(field, ctype)	_Generic(((struct config *)0)->field, ctype: offsetof(struct config, field))
#define AT_INT(field)		AT(field, uint32_t)
#define AT_BOOL(field)		AT(field, bool)
#define AT_IP4(field)		AT(field, struct ip4)
#define AT_IP6(field)		AT(field, struct ip)
#define AT_IP(field)		AT(field, struct ip)
#define AT_STR(field)		AT(field, char *)
#define AT_ENUM(field)		AT(field, uint8_t)
#define AT_ORDER(field)		AT(field, struct config_order)
#define AT_PREFIXES(field)	AT(field, struct config_prefixes)
#define AT_NAMES(field)		AT(field, struct config_names)
#define AT_ADDRESSES(field)	AT(field, struct config_addresses)

#define OPT(type_, name_, default_, ...)						\
	{ .name = #name_, .type = OPTION_##type_, .at = AT_##type_(name_),		\
	  .size = sizeof(((struct config *)0)->name_), .def = default_, .group = GROUP, __VA_ARGS__ }
#define RANGE(min_, max_, unit_)	.min = (min_), .max = (max_), .unit = (unit_)
#define LIVE				.live = true
#define ACTED				.acted = true
#define SECRET				.secret = true
#define HELP(text)			.help = text

#define PORT			RANGE(0, 65535, NULL)
#define NO_LIMIT		UINT32_MAX

static const char *const proxy_words[] = {
	[PROXY_ACCEPT] = "accept", [PROXY_RENEGOTIATE] = "renegotiate", NULL
};
static const char *const auth_words[] = {	/* nobody can ask for AUTH_NONE by name */
	[AUTH_NONE] = "", [AUTH_PAP] = "pap", [AUTH_CHAP_MD5] = "chap", [AUTH_MSCHAPV2] = "mschapv2", NULL
};

static const char *const commit_words[] = {
	[COMMIT_QUORUM] = "quorum", [COMMIT_ONE] = "one", [COMMIT_NONE] = "none", NULL
};

static const struct option_row rows[] = {

#define GROUP "Process"
	OPT(STR, hostname, "", LIVE, ACTED,
	    HELP("Our name: the Host Name we tell LACs, the name in CHAP challenges, the prompt. Empty: "
		 "the system's name.")),
	OPT(INT, debug, "3", RANGE(0, 5, NULL), LIVE, ACTED,
	    HELP("How much is logged: 0 only faults of the program, 1 also what the system refused, 2 "
		 "also what peers did wrong, 3 also tunnels and sessions going up and down, 4 also each "
		 "step of each call, 5 also single packets.")),
	OPT(STR, log_file, "", LIVE, ACTED,
	    HELP("Where the log goes: a file, opened again on SIGHUP, or syslog:FACILITY. Empty: "
		 "standard error.")),
	OPT(STR, pid_file, "", ACTED,
	    HELP("File that holds the process id while the daemon runs.")),
	OPT(STR, control_socket, "/run/l2tpns/control.sock", ACTED,
	    HELP("Unix socket nsctl talks to; whoever may open it may do everything. Empty: none.")),
	OPT(INT, workers, "0", RANGE(0, 64, NULL), ACTED,
	    HELP("Threads that forward packets. 0: one fewer than there are processor cores, at least "
		 "one.")),
	OPT(IP4, cli_bind_address, "127.0.0.1", ACTED,
	    HELP("Address the telnet command line listens on; 0.0.0.0 is every address. Telnet sends "
		 "passwords in clear, so the default is this machine only, where l2tpns 2.x listened "
		 "everywhere.")),
	OPT(INT, cli_port, "23", RANGE(1, 65535, NULL), ACTED,
	    HELP("TCP port of the telnet command line.")),
	OPT(STR, random_device, "/dev/urandom",
	    HELP("Where l2tpns 2.x read random octets; the kernel is asked directly instead.")),
	OPT(INT, multi_read_count, "10", RANGE(1, 65535, NULL),
	    HELP("Packets l2tpns 2.x read in a row from one descriptor.")),
	OPT(BOOL, scheduler_fifo, "no", ACTED,
	    HELP("Run with real-time priority where there are two cores or more.")),
	OPT(BOOL, lock_pages, "no", ACTED,
	    HELP("Keep what memory is used from being swapped out.")),
	OPT(BOOL, dump_speed, "no",
	    HELP("Print the throughput each second.")),
	OPT(INT, setuid, "0", RANGE(0, NO_LIMIT, NULL),
	    HELP("User id to run as; the daemon gives up what rights it can by itself.")),
#undef GROUP

#define GROUP "Limits"
	OPT(INT, max_sessions, "65536", RANGE(1, 1048576, NULL), ACTED,
	    HELP("Sessions at one time. Memory is used as sessions come, not for the limit.")),
	OPT(INT, max_tunnels, "4096", RANGE(1, 65535, NULL), ACTED,
	    HELP("Tunnels at one time.")),
	OPT(INT, max_tunnels_opening, "512", RANGE(1, 65535, NULL), LIVE, ACTED,
	    HELP("Tunnels that may be half open at one time; more are refused, so that a flood of first "
		 "messages from forged addresses leaves room for nothing but itself.")),
	OPT(INT, max_addresses, "1048576", RANGE(1, 16777216, NULL), ACTED,
	    HELP("Addresses in all pools together; what the files hold beyond that is left out.")),
#undef GROUP

#define GROUP "Tunnels"
	OPT(IP4, bind_address, "0.0.0.0", ACTED,
	    HELP("Address LACs reach us at. 0.0.0.0: every address, answers leave from the one that was "
		 "asked.")),
	OPT(STR, bind_multi_address, "",
	    HELP("Up to four addresses LACs reach us at, in place of bind_address and iftun_address.")),
	OPT(STR, multi_hostname, "",
	    HELP("One Host Name for each address of bind_multi_address.")),
	OPT(STR, l2tp_secret, "", LIVE, ACTED, SECRET,
	    HELP("Secret shared with every LAC that has none of its own: proves who we are and who it "
		 "is, and uncovers hidden AVPs.")),
	OPT(BOOL, lac_require_secret, "yes", LIVE, ACTED,
	    HELP("A LAC we share a secret with must prove that it knows it. l2tpns 2.x never asked; no "
		 "does as it did.")),
	OPT(PREFIXES, lac_allow, "", LIVE, ACTED,
	    HELP("Addresses tunnels may come from, besides those of lac lines. Empty: from anywhere.")),
	OPT(INT, l2tp_mtu, "1500", RANGE(576, 2600, "octets"), LIVE, ACTED,
	    HELP("Largest packet on the way to the LACs. Subscribers are offered an MRU 38 octets "
		 "smaller (IP, UDP, L2TP and PPP), never above 1492.")),
	OPT(INT, receive_window, "16", RANGE(1, 32, NULL), LIVE, ACTED,
	    HELP("Control messages a LAC may send us before the first is acknowledged.")),
	OPT(INT, hello_interval, "60", RANGE(0, 3600, "s"), LIVE, ACTED,
	    HELP("Silence on a tunnel before we send HELLO. 0: never.")),
	OPT(BOOL, disable_sending_hello, "no", LIVE, ACTED,
	    HELP("Send no HELLO whatever hello_interval says.")),
	OPT(INT, l2tp_retransmit_ms, "1000", RANGE(100, 60000, "ms"), LIVE, ACTED,
	    HELP("Wait before an unacknowledged control message is sent again; doubles each time.")),
	OPT(INT, l2tp_retransmit_max_ms, "8000", RANGE(100, 60000, "ms"), LIVE, ACTED,
	    HELP("Longest wait between two retransmissions.")),
	OPT(INT, l2tp_retransmit_tries, "5", RANGE(1, 100, NULL), LIVE, ACTED,
	    HELP("Retransmissions before a LAC counts as gone.")),
	OPT(INT, tunnel_linger, "31", RANGE(1, 600, "s"), LIVE, ACTED,
	    HELP("How long a closed tunnel is remembered, to acknowledge what the LAC sends again.")),
	OPT(INT, tunnel_idle_timeout, "0", RANGE(0, 604800, "s"), LIVE, ACTED,
	    HELP("Close a tunnel that had no session for so long. 0: never, the LAC decides.")),
	OPT(INT, call_timeout, "60", RANGE(5, 3600, "s"), LIVE, ACTED,
	    HELP("A call that is not up after so long is cleared.")),
	OPT(BOOL, auth_tunnel_change_addr_src, "no",
	    HELP("Let a LAC go on from another address. Unsafe: any host that guesses a tunnel's number "
		 "may take it over.")),
#undef GROUP

#define GROUP "PPP"
	OPT(INT, ppp_restart_time, "3", RANGE(1, 60, "s"), LIVE, ACTED,
	    HELP("Wait for an answer before a PPP request is sent again.")),
	OPT(INT, ppp_max_configure, "10", RANGE(1, 255, NULL), LIVE, ACTED,
	    HELP("Configure-Requests without an answer before a protocol is given up.")),
	OPT(INT, ppp_max_failure, "5", RANGE(1, 255, NULL), LIVE, ACTED,
	    HELP("Configure-Naks we send before we reject.")),
	OPT(INT, ppp_max_terminate, "2", RANGE(1, 255, NULL), LIVE, ACTED,
	    HELP("Terminate-Requests without an answer before a link counts as closed.")),
	OPT(INT, echo_timeout, "10", RANGE(0, 65535, "s"), LIVE, ACTED, .alias = "echo_interval",
	    HELP("Silence of a subscriber before an LCP Echo-Request is sent, and the time between two. "
		 "0: none are sent.")),
	OPT(INT, idle_echo_timeout, "240", RANGE(1, 86400, "s"), LIVE, ACTED,
	    HELP("A subscriber that answers nothing for so long is gone.")),
	OPT(INT, echo_failures, "0", RANGE(0, 255, NULL), LIVE, ACTED,
	    HELP("Echo-Requests without an answer before a subscriber is gone. 0: as many as "
		 "idle_echo_timeout has room for.")),
	OPT(BOOL, ppp_keepalive, "yes", LIVE, ACTED,
	    HELP("yes: a subscriber that sends data is alive, no Echo-Request is needed. no: echo it "
		 "all the same.")),
	OPT(ENUM, proxy_lcp, "accept", .words = proxy_words, LIVE, ACTED,
	    HELP("What a LAC negotiated with the subscriber before it called us: take it over where it "
		 "suits, or negotiate anew.")),
	OPT(IP4, peer_address, "0.0.0.0", LIVE, ACTED,
	    HELP("Our address on each subscriber's link. 0.0.0.0: iftun_address, or 100.64.0.1 when "
		 "that is not set either; never the address of the tunnel, to which a client's route "
		 "must not lead through itself.")),
	OPT(IP4, primary_dns, "0.0.0.0", LIVE, ACTED,
	    HELP("Name server told to subscribers that ask.")),
	OPT(IP4, secondary_dns, "0.0.0.0", LIVE, ACTED,
	    HELP("Second name server.")),
#undef GROUP

#define GROUP "Subscribers"
	OPT(STR, subscribers, "subscribers", LIVE, ACTED,
	    HELP("File of subscribers, beside this one unless the name has a slash.")),
	OPT(ORDER, radius_authtypes, "chap,mschapv2,pap", .words = auth_words, LIVE, ACTED,
	    HELP("How subscribers may prove who they are, in the order we propose. Every client that "
		 "knows one of the three gets in by default; CHAP comes first because every router has "
		 "it and the password does not travel. Where passwords are stored hashed only pap can "
		 "work. l2tpns 2.x: pap.")),
	OPT(INT, auth_timeout, "30", RANGE(1, 600, "s"), LIVE, ACTED,
	    HELP("Time a subscriber has to prove who it is.")),
	OPT(INT, session_timeout, "0", RANGE(0, NO_LIMIT, "s"), LIVE, ACTED,
	    HELP("A session's longest life when its subscriber has none of its own. 0: no end.")),
	OPT(INT, idle_timeout, "0", RANGE(0, NO_LIMIT, "s"), LIVE, ACTED,
	    HELP("A session without data for so long is closed, when its subscriber has no limit of its "
		 "own. 0: never.")),
	OPT(BOOL, allow_duplicate_users, "no", LIVE, ACTED,
	    HELP("Let a user be logged in more than once. no: the older session is closed.")),
	OPT(NAMES, guest_account, "", LIVE, ACTED,
	    HELP("Users that may be logged in more than once all the same; up to ten, separated by "
		 "commas.")),
	OPT(BOOL, allow_duplicate_ip, "no",
	    HELP("Let two sessions have one address.")),
	OPT(BOOL, kill_timedout_sessions, "yes",
	    HELP("End a session at once whose Session-Timeout is 0.")),
	OPT(STR, append_realm, "",
	    HELP("Realm to append to user names; of a plugin that was never shipped.")),
	OPT(STR, gardens, "",
	    HELP("Names of walled gardens.")),
#undef GROUP

#define GROUP "Forwarding"
	OPT(STR, tundevicename, "tun0", ACTED,
	    HELP("Name of the tun device subscribers' packets come from and go to.")),
	OPT(IP4, iftun_address, "0.0.0.0", ACTED,
	    HELP("Address of the tun device. 0.0.0.0: 100.64.0.1.")),
	OPT(BOOL, tcp_mss_clamp, "yes", LIVE, ACTED,
	    HELP("Lower the segment size in TCP's opening packets to what fits into a session, so that "
		 "no path MTU has to be discovered.")),
	OPT(BOOL, disable_no_spoof, "no", LIVE, ACTED,
	    HELP("Let subscribers send from any address. Unsafe.")),
	OPT(INT, icmp_rate, "1000", RANGE(0, 1000000, "per second"), ACTED,
	    HELP("ICMP errors sent at most: packet too big for a session, address nobody has, time to live "
		 "over. 0: none, as was the default of l2tpns 2.x, which leaves senders guessing.")),
	OPT(INT, packet_limit, "0", RANGE(0, NO_LIMIT, "per 0.1 s"),
	    HELP("Packets to one subscriber; more are dropped. 0: no limit.")),
	OPT(INT, throttle_speed, "28", RANGE(0, NO_LIMIT, "kbit/s"),
	    HELP("Rate of throttled sessions when none is named. 0: nobody is throttled.")),
	OPT(INT, throttle_buckets, "6000", RANGE(0, NO_LIMIT, NULL),
	    HELP("Rate limiters l2tpns 2.x made room for, two per session.")),
	OPT(BOOL, no_throttle_local_IP, "no",
	    HELP("Do not throttle what one subscriber sends another.")),
	OPT(BOOL, send_garp, "yes", ACTED,
	    HELP("Announce bind_address by gratuitous ARP, or unsolicited neighbour advertisement, when this "
		 "node takes it over. l2tpns 2.x: no.")),
#undef GROUP

#define GROUP "RADIUS and accounting"
	OPT(IP4, primary_radius, "0.0.0.0",
	    HELP("First RADIUS server.")),
	OPT(INT, primary_radius_port, "1812", PORT,
	    HELP("Its port for authentication; accounting uses the next one.")),
	OPT(IP4, secondary_radius, "0.0.0.0",
	    HELP("Second RADIUS server.")),
	OPT(INT, secondary_radius_port, "0", PORT,
	    HELP("Its port for authentication. 0: as the first server's.")),
	OPT(STR, radius_secret, "", SECRET,
	    HELP("Secret shared with the RADIUS servers.")),
	OPT(BOOL, radius_accounting, "no",
	    HELP("Report sessions to the RADIUS servers.")),
	OPT(INT, radius_interim, "0", RANGE(0, NO_LIMIT, "s"),
	    HELP("Time between interim reports of a session. 0: none.")),
	OPT(INT, radius_dae_port, "3799", PORT,
	    HELP("Port that hears Disconnect and CoA requests.")),
	OPT(INT, radius_bind_min, "0", PORT,
	    HELP("First port RADIUS requests leave from. 0: any.")),
	OPT(INT, radius_bind_max, "0", PORT,
	    HELP("Last port RADIUS requests leave from.")),
	OPT(STR, accounting_dir, "",
	    HELP("Folder of the usage files written every five minutes.")),
	OPT(BOOL, account_all_origin, "no",
	    HELP("Write sessions that were passed on or came by PPPoE into the usage files, too.")),
#undef GROUP

#define GROUP "IPv6"
	OPT(IP6, ipv6_prefix, "::",
	    HELP("Prefix of subscribers without one of their own; setting it turns IPv6 on.")),
	OPT(IP6, primary_ipv6_dns, "::",
	    HELP("Name server told to subscribers by router advertisement and DHCPv6.")),
	OPT(IP6, secondary_ipv6_dns, "::",
	    HELP("Second name server.")),
	OPT(INT, dns6_lifetime, "1200", RANGE(0, NO_LIMIT, "s"),
	    HELP("How long a subscriber may use the name servers.")),
	OPT(STR, default_ipv6_domain_list, "",
	    HELP("Domains to search, told by DHCPv6.")),
	OPT(INT, dhcp6_preferred_lifetime, "0", RANGE(0, NO_LIMIT, "s"),
	    HELP("Preferred lifetime of addresses and prefixes given by DHCPv6. 0: for ever.")),
	OPT(INT, dhcp6_valid_lifetime, "0", RANGE(0, NO_LIMIT, "s"),
	    HELP("Their valid lifetime. 0: for ever.")),
	OPT(INT, dhcp6_server_duid, "4261280506", RANGE(0, NO_LIMIT, NULL),
	    HELP("Number the DHCPv6 server is known by.")),
#undef GROUP

#define GROUP "Cluster and routing"
	OPT(STR, cluster_interface, "", ACTED,
	    HELP("Interface the cluster talks on. Empty: there is no cluster, this node is alone. "
		 "l2tpns 2.x: eth0.")),
	OPT(STR, cluster_interface2, "", ACTED,
	    HELP("Second interface the cluster talks on: every packet is sent on both, so that either "
		 "may fail without anybody noticing. Empty: none.")),
	OPT(STR, cluster_name, "l2tpns", ACTED,
	    HELP("Name all nodes of the cluster share; clusters of another name are not heard.")),
	OPT(STR, cluster_memory, "", ACTED,
	    HELP("File in memory (below /dev/shm or /run) where the cluster's table outlives the daemon, so that a "
		 "restart asks only for what changed; empty: it begins with nothing.")),
	OPT(STR, cluster_key, "cluster.key", ACTED,
	    HELP("File of the secrets that encrypt what the nodes say to each other, the same on all of them, "
		 "beside this one unless the name has a slash. Lines of a number from 1 to 255 and 64 "
		 "hexadecimal digits; the last one, or the one that ends with an asterisk, is used to send. "
		 "Made when it is not there and cluster_nodes is empty.")),
	OPT(ADDRESSES, cluster_nodes, "", ACTED,
	    HELP("Addresses of all nodes on cluster_interface, this one's too, up to 32. More than half of "
		 "them must agree on a master, so that a cluster cut in two never has two of them. Empty: "
		 "whoever has the key is a member, and each part of a cluster that is cut goes on by "
		 "itself.")),
	OPT(INT, cluster_node, "0", RANGE(0, 65534, NULL), ACTED,
	    HELP("Number of this node, unique in the cluster. 0: the last 16 bits of its address on "
		 "cluster_interface.")),
	OPT(ENUM, cluster_commit, "quorum", .words = commit_words, ACTED,
	    HELP("Which nodes must have a change before a LAC or a subscriber is told of it: more than half "
		 "of cluster_nodes, one besides the master, or none. With none, what was told last may be "
		 "forgotten when the master dies.")),
	OPT(IP, cluster_address, "239.192.13.13", ACTED,
	    HELP("Multicast group of the cluster, IPv4 or IPv6.")),
	OPT(INT, cluster_port, "32792", RANGE(1, 65535, NULL), ACTED,
	    HELP("UDP port of the cluster.")),
	OPT(INT, cluster_mcast_ttl, "1", RANGE(1, 255, NULL), ACTED,
	    HELP("How many routers the cluster's packets may cross, and one more.")),
	OPT(INT, cluster_hb_interval, "1", RANGE(1, 100, "0.1 s"), ACTED,
	    HELP("Time between two heartbeats of the master, the same on all nodes. l2tpns 2.x: 5.")),
	OPT(INT, cluster_hb_timeout, "5", RANGE(3, 600, "0.1 s"), ACTED,
	    HELP("Silence of the master before another is elected, at least three times "
		 "cluster_hb_interval, the same on all nodes. l2tpns 2.x: 150.")),
	OPT(INT, cluster_master_min_adv, "1", RANGE(0, 31, NULL), ACTED,
	    HELP("Slaves that must be up to date before the master stops announcing routes itself.")),
	OPT(STR, service_interface, "", ACTED,
	    HELP("Interface on which the master, and nobody else, puts bind_address. Empty: nobody moves "
		 "it; routing brings packets to every node.")),
	OPT(IP4, nexthop_address, "0.0.0.0", .alias = "nexthop",
	    HELP("Next hop in the routes we announce. 0.0.0.0: our own address.")),
	OPT(IP6, nexthop6_address, "::", .alias = "nexthop6",
	    HELP("Next hop in the IPv6 routes we announce.")),
#undef GROUP

#define GROUP "Passing sessions on"
	OPT(BOOL, disable_lac_func, "no",
	    HELP("Pass no session on to another LNS.")),
	OPT(IP4, bind_address_remotelns, "0.0.0.0",
	    HELP("Address we call other LNSs from.")),
	OPT(INT, bind_portremotelns, "65432", PORT,
	    HELP("Port we call other LNSs from.")),
	OPT(STR, pppoe_if_to_bind, "",
	    HELP("Interface that serves PPPoE. Empty: none.")),
	OPT(STR, pppoe_service_name, "",
	    HELP("Service-Name offered by PPPoE.")),
	OPT(STR, pppoe_ac_name, "l2tpns-pppoe",
	    HELP("AC-Name offered by PPPoE.")),
	OPT(BOOL, pppoe_only_equal_svc_name, "no",
	    HELP("Answer only clients that ask for exactly our Service-Name.")),
#undef GROUP
};

unsigned option_rows_count(void)
{
	return ARRAY_LEN(rows);
}

const struct option_row *option_row(unsigned number)
{
	ASSERT(number < ARRAY_LEN(rows));
	return &rows[number];
}

const struct option_row *option_find(struct bytes name)
{
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
		if (word_is(name, rows[i].name) || (rows[i].alias && word_is(name, rows[i].alias)))
			return &rows[i];
	return NULL;
}

const char *config_nearest(const char *name)
{
	size_t len = strlen(name);
	unsigned least = 2 + (unsigned)len / 4;		/* more wrong letters: another word */
	const char *nearest = NULL;

	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		size_t other = strlen(rows[i].name);

		if (other + least < len || other > len + least)
			continue;		/* too far already by the lengths alone */
		unsigned distance = words_distance(name, rows[i].name);

		if (distance < least || (distance == least && !nearest)) {
			least = distance;
			nearest = rows[i].name;
		}
	}
	return nearest;
}
