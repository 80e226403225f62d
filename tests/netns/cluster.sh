#!/bin/bash
# cluster.sh -- real daemons in namespaces: nodes die, stop, are cut off and come back, and no subscriber notices.
#
#	tests/netns/cluster.sh BUILD-DIR [CASE...]
. "$(dirname "$(realpath "$0")")/cluster_lib.sh"

# ---- the stories ----
case_one_master_and_everybody_in_sync() {
	cluster 3 owned || return 1
	clab_ctl 1 show cluster
	[ "$(clab_in "n$(clab_master)" ip -o addr show lan0 | grep -c $CLAB_SERVICE/32)" = 1 ] || { echo "the service address"; return 1; }
}
case_calls_are_on_every_node() {
	cluster 3 owned && subscribers 300 && lac up && clab_soon 3 everywhere 300 || { echo "${STEP:-}"; tell; return 1; }
	nobody_lost 300 && lac end && clab_soon 5 everywhere 0
}
case_master_is_killed() {
	cluster 3 owned && subscribers 1000 && lac up sessions=500 || { echo "$STEP"; tell; return 1; }
	local master=$(clab_master)
	lac_later hold time=4 interval=100
	sleep 1
	clab_signal "$master" KILL; clab_gone "$master"
	lac_done
	echo "outages: $STEP"
	[ "$(told .up)" = 500 ] || { tell; return 1; }
	clab_one_master || { echo "no master"; tell; return 1; }
	lac up || { echo "no new sessions: $STEP"; tell; return 1; }
	nobody_lost 1000
}
case_calls_under_way_go_on_when_the_master_dies() {
	cluster 3 owned && subscribers 600 || return 1
	local master=$(clab_master)
	lac_later up rate=300
	sleep 1
	clab_signal "$master" KILL; clab_gone "$master"
	lac_done || { echo "not everybody came up: $STEP"; tell; return 1; }
	nobody_lost 600
}
case_master_stops_and_goes_on() {
	cluster 3 owned && subscribers 300 && lac up || { echo "$STEP"; tell; return 1; }
	local master=$(clab_master)
	clab_signal "$master" STOP
	sleep 3
	clab_signal "$master" CONT
	together && one_master_a_term || return 1
	[ "$(clab_master)" != "$master" ] || failed "the old master is master again" || return 1
	nobody_lost 300
}
case_master_is_cut_off_and_comes_back() {
	cluster 3 owned && subscribers 300 && all_up sessions=250 || return 1
	local master=$(clab_master)
	clab_link wire "n$master" down
	clab_soon 3 frozen "$master" || failed "not frozen" || return 1
	clab_soon 6 another_master "$master" || failed "no new master" || return 1
	all_up || return 1		# on the LAN both are there: the calls must get to the new one
	clab_link wire "n$master" up
	together && one_master_a_term && nobody_lost 300
}
case_slave_alone_freezes_and_comes_back() {
	cluster 3 owned && subscribers 100 && lac up || { echo "$STEP"; tell; return 1; }
	local master=$(clab_master) slave=$(others "$(clab_master)" | head -n 1)
	clab_link wire "n$slave" down
	sleep 2
	[ "$(clab_show "$slave" .frozen)" = true ] && [ "$(clab_show "$slave" .role)" != master ] || { echo "slave alone"; tell; return 1; }
	clab_link wire "n$slave" up
	clab_soon 5 clab_in_sync || { tell; return 1; }
	[ "$(clab_master)" = "$master" ] || { echo "it caused an election"; tell; return 1; }
	nobody_lost 100
}
case_restart_of_each_in_turn() {
	cluster 3 owned && subscribers 300 && lac up || { echo "$STEP"; tell; return 1; }
	local n
	for n in 1 2 3; do
		clab_signal $n QUIT; clab_gone $n
		clab_soon 6 clab_one_master || { echo "no master while $n is away"; tell; return 1; }
		clab_start $n
		clab_soon 5 clab_in_sync || { echo "$n is not in sync"; tell; return 1; }
	done
	nobody_lost 300
}
case_handover() {
	cluster 3 owned && subscribers 300 && lac up || { echo "$STEP"; tell; return 1; }
	local master=$(clab_master) to=$(others "$(clab_master)" | tail -n 1)
	clab_ctl "$(others "$master" | head -n 1)" cluster handover "$to" || { tell; return 1; }
	clab_soon 2 eval "[ \"\$(clab_master)\" = $to ]" || { echo "not $to"; tell; return 1; }
	nobody_lost 300
}
case_slaves_forward() {
	cluster 3 spread && subscribers 300 && lac up || { echo "$STEP"; tell; return 1; }
	lac "traffic direction=both size=200 rate=3000 time=2" || { echo "$STEP"; tell; return 1; }
	local n
	[ "$(told .up_lost)" = 0 ] && [ "$(told .down_lost)" = 0 ] && [ "$(told .down_sent)" = 6000 ] || failed "lost: $STEP" || return 1
	for n in 1 2 3; do
		for way in up down; do
			[ "$(clab_ctl $n show workers --json | jq "[.workers[] | .${way}_packets] | add")" -gt 500 ] ||
				failed "node $n forwards nothing $way" || return 1
		done
	done
	nobody_lost 300
}
case_a_daemon_alone_is_killed_and_goes_on_where_it_was() {
	CLAB_MEMORY=$(mktemp -u /dev/shm/l2tpns.XXXXXX)
	clab_up "cl$$" 1 owned && clab_files || return 1
	sed -i '/cluster_nodes/d' "$CLAB_DIR/node1/startup-config"
	clab_start 1
	clab_soon 4 clab_one_master && subscribers 100 && lac up || { echo "$STEP"; tell; return 1; }
	clab_signal 1 KILL; clab_gone 1
	clab_start 1
	clab_soon 4 clab_one_master && clab_soon 3 everywhere 100 || { tell; return 1; }
	nobody_lost 100; local code=$?
	rm -f "$CLAB_MEMORY".*
	return $code
}
case_a_restarted_node_asks_only_for_what_changed() {
	CLAB_MEMORY=$(mktemp -u /dev/shm/l2tpns.XXXXXX)
	cluster 3 owned && subscribers 400 && lac up sessions=300 || { echo "$STEP"; tell; return 1; }
	local slave=$(others "$(clab_master)" | head -n 1) code=0 resent
	clab_signal "$slave" KILL; clab_gone "$slave"
	lac up sessions=20 || { echo "$STEP"; return 1; }
	clab_start "$slave"
	clab_soon 4 clab_in_sync || { tell; code=1; }
	resent=$(clab_ctl "$slave" show metrics | awk '/^l2tpns_cluster_applied_total/ { print $2 }')
	[ "$resent" -gt 0 ] && [ "$resent" -lt 200 ] || { echo "$resent records came"; code=1; }
	nobody_lost 320 || code=1
	rm -f "$CLAB_MEMORY".*
	return $code
}
case_another_key_never_joins() {
	lab 3 owned || return 1
	(umask 077; printf '1 %064d\n' 7 >"$CLAB_DIR/node3/key")
	sed -i "s#^set cluster_key .*#set cluster_key \"$CLAB_DIR/node3/key\"#" "$CLAB_DIR/node3/startup-config"
	for n in 1 2 3; do clab_start $n; done
	clab_soon 12 clab_one_master || { tell; return 1; }
	[ "$(clab_show 3 .role)" != master ] && [ "$(clab_show 3 .frozen)" = true ] || { tell; return 1; }
	[ "$(clab_ctl 1 show cluster --json | jq '[.peers[] | select(.state == "slave" or .state == "master")] | length')" = 1 ] || { tell; return 1; }
}
case_open_key_file_is_refused() {
	lab 1 owned || return 1
	chmod 644 "$CLAB_DIR/cluster.key"
	clab_in n1 timeout 5 "$B/l2tpns" -c "$CLAB_DIR/node1/startup-config" >"$CLAB_DIR/out" 2>&1
	[ $? = 1 ] && grep -q cluster_key "$CLAB_DIR/out" || { cat "$CLAB_DIR/out"; return 1; }
}
case_timers_that_cannot_be_safe_are_refused() {
	CLAB_MORE='set cluster_hb_timeout 2' lab 3 owned || return 1
	clab_in n1 timeout 5 "$B/l2tpns" -c "$CLAB_DIR/node1/startup-config" >"$CLAB_DIR/out" 2>&1
	[ $? = 1 ] && grep -q cluster_hb_timeout "$CLAB_DIR/out" || { cat "$CLAB_DIR/out"; return 1; }
}
case_multicast_is_blocked() {
	cluster 3 owned && subscribers 100 && lac up sessions=50 || { tell; return 1; }
	local master=$(clab_master) n
	for n in 1 2 3; do ip -n "$CLAB-wire" link set n$n type bridge_slave mcast_flood off || return 1; done
	sleep 2
	[ "$(clab_master)" = "$master" ] && clab_in_sync || { echo "an election"; tell; return 1; }
	lac up || { echo "$STEP"; tell; return 1; }
	nobody_lost 100
}
case_five_nodes_lose_two() {
	cluster 5 owned && subscribers 200 && lac up || { tell; return 1; }
	local n
	for n in $(clab_master) $(others "$(clab_master)" | head -n 1); do clab_signal "$n" KILL; clab_gone "$n"; done
	clab_soon 6 clab_one_master && clab_soon 5 clab_in_sync || { tell; return 1; }
	nobody_lost 200
}
case_node_alone_makes_a_key_and_serves() {
	lab 1 owned || return 1
	sed -i '/cluster_key/d; /cluster_nodes/d' "$CLAB_DIR/node1/startup-config"
	clab_start 1
	clab_soon 4 clab_one_master || { tell; return 1; }
	[ "$(stat -c %a "$CLAB_DIR/node1/cluster.key")" = 600 ] || { echo "key file"; return 1; }
	subscribers 50 && lac up && lac end || { echo "$STEP"; tell; return 1; }
}

# ---- an operator's wishes ----
ends() {	# NODE SECONDS: it ends by itself
	local end=$(($(date +%s%N) / 1000000 + $2 * 1000))
	while kill -0 "${CLAB_PID[$1]}" 2>/dev/null; do
		[ $(($(date +%s%N) / 1000000)) -lt $end ] || failed "node $1 is there $2 s later" || return 1
		sleep 0.02
	done
	unset "CLAB_PID[$1]"
}
case_R61_stop_a_slave_then_the_master() {
	cluster 3 owned && subscribers 200 && all_up sessions=150 || return 1
	local master=$(clab_master) slave=$(others "$(clab_master)" | head -n 1)
	clab_ctl "$slave" cluster stop && ends "$slave" 5 || failed "the slave does not stop" || return 1
	sleep 0.3
	master_is "$master" || failed "a slave's end changed the master" || return 1
	clab_start "$slave"
	clab_soon 5 clab_in_sync || failed "the slave is not in sync" || return 1
	clab_ctl "$master" cluster stop && ends "$master" 5 || failed "the master does not stop" || return 1
	clab_soon 1 clab_one_master || failed "no master within 1 s" || return 1
	all_up && nobody_lost 200 && one_master_a_term
}
case_R26_resync_of_a_slave() {
	cluster 3 owned && subscribers 200 && all_up sessions=150 || return 1
	local master=$(clab_master) slave=$(others "$(clab_master)" | head -n 1)
	mark_roles
	clab_ctl "$slave" cluster resync || failed "refused" || return 1
	[ "$(metric "$slave" cluster_kills_total)" = 1 ] && clab_soon 5 clab_in_sync || failed "not up to date again" || return 1
	! clab_ctl "$master" cluster resync || failed "the master drops the only copy" || return 1
	all_up && same_roles resync && clab_soon 3 one_digest && nobody_lost 200
}
case_force_master_when_two_are_dead() {
	cluster 3 owned && subscribers 200 && all_up sessions=100 || return 1
	local last=$(others "$(clab_master)" | head -n 1) n words
	for n in $(others "$last"); do kill_node "$n"; done
	clab_soon 3 frozen "$last" || failed "it goes on alone" || return 1
	! clab_ctl "$last" cluster handover && ! clab_ctl "$last" cluster stop || failed "no refusal" || return 1
	words=$(clab_ctl "$last" cluster force-master 2>&1) && { failed "at one word: $words"; return 1; }
	[[ $words = *"type: cluster force-master $last"* ]] || failed "$words" || return 1
	! clab_ctl "$last" cluster force-master $((last + 1)) || failed "with another's number" || return 1
	clab_ctl "$last" cluster force-master "$last" && clab_soon 2 master_is "$last" || failed "not master" || return 1
	all_up sessions=50 || return 1
	for n in 1 2 3; do [ "$n" = "$last" ] || clab_start "$n"; done
	clab_soon 5 clab_one_master && clab_soon 5 clab_in_sync && clab_soon 5 one_digest || failed "not together" || return 1
	all_up && nobody_lost 200 && one_master_a_term
}
quits_last() {	# NODE SUBSCRIBERS: whoever is last ends the tunnels, and the LAC hears of it
	clab_signal "$1" QUIT
	ends "$1" 12 || return 1
	lac "wait time=0.3"
	[ "$(told .up)" = 0 ] && [ "$(told .lost_terminated)" = "$2" ] || failed "the LAC was not told: $STEP"
}
case_last_node_ends_the_tunnels() {
	lab 1 owned && sed -i '/cluster_nodes/d' "$CLAB_DIR/node1/startup-config" && clab_start 1 || return 1
	clab_soon 5 clab_one_master && subscribers 50 && all_up || failed "no calls" || return 1
	quits_last 1 50
}
# A node that cannot know whether others serve the LACs leaves them alone, until it is told.
case_last_of_three_leaves_the_tunnels_alone() {
	cluster 3 spread && subscribers 50 && all_up || return 1
	local last=$(others "$(clab_master)" | head -n 1) n
	for n in $(others "$last"); do
		clab_ctl "$n" cluster stop && ends "$n" 5 || failed "node $n does not stop" || return 1
		clab_router "${!CLAB_PID[@]}"
		sleep 0.3
	done
	clab_signal "$last" QUIT
	ends "$last" 5 && says "$last" 'left as they are' || return 1
	lac "hold time=0.5" || [ "$(told .up)" = 50 ] || failed "sessions were ended: $STEP" || return 1
}
case_forced_node_ends_the_tunnels() {
	cluster 3 spread && subscribers 50 && all_up || return 1
	local last=$(others "$(clab_master)" | head -n 1) n
	for n in $(others "$last"); do kill_node "$n"; done
	clab_router "$last"
	clab_soon 3 frozen "$last" && clab_ctl "$last" cluster force-master "$last" && clab_soon 2 master_is "$last" || failed "not master" || return 1
	quits_last "$last" 50
}

judge "$@"
