/*
 * show.h -- the handlers that command_rows.c names, one file a subject.
 *
 * Each is called again until it returns COMMAND_DONE; run->stage and run->at say
 * how far it came.  Pure: they read facts and act through facts->ops only.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "l2tpns/cli/command.h"

/* show_session.c */
enum command_step show_session(struct command_run *run);
enum command_step show_users(struct command_run *run);

/* show_tunnel.c */
enum command_step show_tunnels(struct command_run *run);

/* show_pool.c */
enum command_step show_pool(struct command_run *run);

/* show_counters.c */
enum command_step show_counters(struct command_run *run);
enum command_step show_workers(struct command_run *run);
enum command_step clear_counters(struct command_run *run);

/* show_histogram.c */
enum command_step show_idle(struct command_run *run);
enum command_step show_open(struct command_run *run);

/* show_top.c */
enum command_step show_top(struct command_run *run);
enum command_step show_uptime(struct command_run *run);

/* show_cluster.c */
enum command_step show_cluster(struct command_run *run);
void cluster_counters_put(struct command_run *run);

/* act_cluster.c */
enum command_step cluster_handover(struct command_run *run);
enum command_step cluster_stop(struct command_run *run);
enum command_step cluster_force(struct command_run *run);
enum command_step cluster_resync(struct command_run *run);
enum command_step cluster_key_reload(struct command_run *run);
enum command_step cluster_key_rotate(struct command_run *run);

/* Nodes that would go on if this one left. */
unsigned cluster_others(const struct facts *facts);

/* show_config.c */
enum command_step show_version(struct command_run *run);
enum command_step show_config(struct command_run *run);
enum command_step show_plugins(struct command_run *run);

/* act.c */
enum command_step drop_user(struct command_run *run);
enum command_step drop_session(struct command_run *run);
enum command_step drop_tunnel(struct command_run *run);
enum command_step set_option(struct command_run *run);
enum command_step write_memory(struct command_run *run);
enum command_step shut_down(struct command_run *run);
enum command_step reload(struct command_run *run);
enum command_step debug_stream(struct command_run *run);
enum command_step debug_none(struct command_run *run);
enum command_step help(struct command_run *run);
enum command_step complete(struct command_run *run);

/* Do counters show what came since `clear counters`? */
bool counters_cleared(const struct command_run *run);

/* "default" for the pool without a name. */
const char *pool_name(const struct facts *facts, unsigned pool);

/* Seconds since this session came up, or since its call began when it is not up. */
uint64_t session_uptime_s(const struct facts *facts, const struct session *session);

/* Seconds since the subscriber last sent data. */
uint64_t session_idle_s(const struct facts *facts, const struct session *session, const struct plane_usage *usage);

/* The second of 1970 at which something of the monotonic clock happened. */
uint64_t facts_unix_s(const struct facts *facts, struct mono when);

#endif
