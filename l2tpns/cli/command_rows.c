/* command_rows.c -- every command: what is typed, who may, who answers. */
#include "l2tpns/cli/show.h"

#define EXEC		.mode = COMMAND_EXEC
#define CONFIG		.mode = COMMAND_CONFIG
#define ANYWHERE	.mode = COMMAND_EVERYWHERE
#define P		.privileged = true
#define SHOWS		.shows = true
#define LOGGED(n)	.args_logged = (n)

/* Rows with an empty help are for programs: they are not listed. */
const struct command_row command_rows[] = {
	{ "show version", "The version", show_version, ANYWHERE, SHOWS },
	{ "show running-config [all]", "What differs from the defaults, or all", show_config, ANYWHERE, SHOWS, P },
	{ "show session [ID|ADDRESS|USER...]", "Sessions, or all about some of them", show_session, ANYWHERE, SHOWS },
	{ "show tunnels [all|ID...]", "Tunnels, or all about some of them", show_tunnels, ANYWHERE, SHOWS },
	{ "show users [NAME...]", "Users, or all about their sessions", show_users, ANYWHERE, SHOWS },
	{ "show pool [all]", "Address pools and who holds what", show_pool, ANYWHERE, SHOWS },
	{ "show counters", "What was counted, refusals by reason", show_counters, ANYWHERE, SHOWS },
	{ "show histogram idle", "Sessions by the time nothing came from them", show_idle, ANYWHERE, SHOWS },
	{ "show histogram open", "Sessions by the time they have been up", show_open, ANYWHERE, SHOWS },
	{ "show workers", "The data plane's threads", show_workers, ANYWHERE, SHOWS },
	{ "show top", "Rates and the busiest sessions", show_top, ANYWHERE, SHOWS },
	{ "show cluster", "Role, peers, what is replicated", show_cluster, ANYWHERE, SHOWS },
	{ "show plugins", "Loaded plugins", show_plugins, ANYWHERE, SHOWS },
	{ "show metrics", "Counters as Prometheus reads them", show_counters, ANYWHERE, SHOWS, .metrics = true },
	{ "uptime", "Time running, sessions, traffic", show_uptime, ANYWHERE, SHOWS },
	{ "clear counters", "Count from zero again in displays", clear_counters, EXEC, P },
	{ "drop user NAME...", "Disconnect all sessions of users", drop_user, EXEC, P, LOGGED(8) },
	{ "drop session ID...", "Disconnect sessions", drop_session, EXEC, P, LOGGED(8) },
	{ "drop tunnel ID...", "Close tunnels with all their sessions", drop_tunnel, EXEC, P, LOGGED(8) },
	{ "set NAME VALUE...", "Change an option", set_option, CONFIG, P, LOGGED(1) },
	{ "write memory", "Save the running configuration", write_memory, ANYWHERE, P },
	{ "write terminal", "Show the running configuration", show_config, ANYWHERE, P, SHOWS },
	{ "reload", "Read the configuration files again", reload, EXEC, P },
	{ "cluster handover [NODE]", "Let another node be master", cluster_handover, EXEC, P, LOGGED(1) },
	{ "cluster stop", "Hand over, leave the cluster and end", cluster_stop, EXEC, P },
	{ "cluster force-master [NODE]", "Be master without a quorum", cluster_force, EXEC, P, LOGGED(1) },
	{ "cluster resync", "Drop this node's copy and get it anew", cluster_resync, EXEC, P },
	{ "cluster key reload", "Read the key file again: accept what it has", cluster_key_reload, EXEC, P },
	{ "cluster key rotate", "Seal with the last key of that file, or the marked one", cluster_key_rotate, EXEC, P },
	{ "shutdown", "Stop the daemon: other nodes go on, or tunnels are closed", shut_down, EXEC, P },
	{ "debug [CLASS...]", "Show the log here as it comes", debug_stream, EXEC, .terminal = COMMAND_BY_TERMINAL },
	{ "no debug [CLASS...]", "Stop showing the log", debug_none, EXEC, .terminal = COMMAND_BY_TERMINAL },
	{ "help", "This list", help, ANYWHERE, SHOWS, .terminal = COMMAND_BY_LIBRARY },
	{ "complete [WORD...]", "", complete, ANYWHERE, SHOWS, .terminal = COMMAND_BY_LIBRARY },
};
const unsigned command_rows_n = ARRAY_LEN(command_rows);

const struct command_group command_groups[] = {
	{ "show", "Look at something" },
	{ "show histogram", "How sessions are spread over time" },
	{ "cluster", "Ask something of the cluster" },
	{ "cluster key", "Keys that seal the cluster's packets" },
	{ "clear", "Begin counting again" },
	{ "drop", "Disconnect subscribers" },
	{ "write", "Save or show the configuration" },
	{ "no", "Undo a command" },
};
const unsigned command_groups_n = ARRAY_LEN(command_groups);
