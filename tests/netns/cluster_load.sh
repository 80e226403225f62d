#!/bin/bash
# cluster_load.sh -- a cluster under traffic: who is killed, started, filled anew or given another key is not noticed.
#
#	tests/netns/cluster_load.sh BUILD-DIR [CASE...]
#
# Every node has the service address, and a router that knows which of them is alive spreads the packets over them.
# What a dead node is sent before the router knows is lost; nothing else may be.
. "$(dirname "$(realpath "$0")")/cluster_lib.sh"

arrived() { ip -n "$CLAB-n$1" -s -j link show lan0 | jq '.[0].stats64.rx.packets'; }	# NODE
LOST=0		# what was sent to nodes that were dead
killed_for() {	# NODE SECONDS: until the router knows
	local before=$(arrived "$1")
	kill_node "$1"
	sleep "$2"
	clab_router "${!CLAB_PID[@]}"
	sleep 0.1
	LOST=$((LOST + $(arrived "$1") - before))
}
spread() {	# SUBSCRIBERS
	cluster 3 spread && subscribers "$1" --gso=1 && all_up in-flight=500
}
none_lost() {	# after a step `traffic`: no more than the dead nodes were sent
	local lost=$(($(told .up_lost) + $(told .down_lost)))
	echo "$lost lost of $(($(told .up_sent) + $(told .down_sent))), dead nodes were sent $LOST; $STEP"
	[ "$lost" -le "$LOST" ] || failed "alive nodes lost some"
	[ "$(told .up_sent)" -gt 0 ] && [ "$(told .down_sent)" -gt 0 ] && [ "$(told .misdelivered)" = 0 ] || failed "not sent, or misdelivered"
}
late() { clab_show "$1" '.lateness | .below_200_ms + .below_500_ms + .more'; }	# NODE: beats more than 100 ms late

# ---- nodes that die ----
case_R39_R49_nodes_die_under_traffic() {
	spread 10000 || return 1
	local slave=$(others "$(clab_master)" | head -n 1) master=$(clab_master)
	lac_later traffic direction=both size=200 rate=5000 time=9
	sleep 1
	killed_for "$slave" 0.3
	clab_start "$slave"
	clab_soon 5 clab_in_sync || failed "the slave is not in sync" || return 1
	clab_router 1 2 3
	sleep 1
	clab_one_master && [ "$(clab_master)" = "$master" ] || failed "a slave's death changed the master" || return 1
	killed_for "$master" 0.7
	lac_done
	none_lost && clab_soon 3 clab_one_master && clab_soon 5 clab_in_sync || failed "no cluster" || return 1
	nobody_lost 10000
}
case_R26_R49_resync_under_traffic() {
	spread 3000 || return 1
	local slave=$(others "$(clab_master)" | head -n 1)
	mark_roles
	lac_later traffic direction=both size=200 rate=3000 time=4
	sleep 1
	clab_ctl "$slave" cluster resync || failed "resync" || return 1
	sleep 0.2
	lac_done
	clab_soon 5 clab_in_sync || failed "not in sync" || return 1
	none_lost && same_roles resync && nobody_lost 3000
}
case_R47_stop_and_start_of_each_under_traffic() {
	spread 1000 || return 1
	local n
	lac_later traffic direction=both size=200 rate=2000 time=12
	for n in 1 2 3; do
		clab_router $(others $n)
		clab_ctl $n cluster stop >/dev/null || failed "node $n does not stop" || return 1
		clab_gone $n
		clab_soon 2 clab_one_master || failed "no master" || return 1
		clab_start $n
		clab_soon 3 clab_ctl $n show version && clab_router 1 2 3	# what it does not know yet it passes on
		clab_soon 5 clab_in_sync || failed "node $n is not in sync" || return 1
	done
	lac_done
	none_lost && nobody_lost 1000
}

# ---- what is counted ----
counted() {	# NODE: octets up and down of all sessions, as this node knows them
	clab_ctl "$1" show session --json | jq -c '[[.sessions[].up_octets], [.sessions[].down_octets]] | map(add)'
}
all_count() {	# UP DOWN octets, on every running node
	local n
	for n in "${!CLAB_PID[@]}"; do [ "$(counted "$n")" = "[$1,$2]" ] || return 1; done
}
case_R34_counters_are_of_all_nodes() {
	spread 200 || return 1
	local n up=0 down=0 id
	for n in 1 2; do
		lac traffic direction=both size=200 rate=3000 time=1.5 && none_lost || return 1
		up=$((up + 200 * $(told .up_sent))) down=$((down + 200 * $(told .down_sent)))
		clab_soon 3 all_count $up $down && [ $n = 1 ] && killed_for "$(clab_master)" 0 && clab_soon 3 clab_one_master && continue
		[ $n = 2 ] && clab_soon 3 all_count $up $down && continue
		for n in "${!CLAB_PID[@]}"; do echo "node $n: $(counted "$n")"; done
		failed "not [$up,$down]"
		return 1
	done
	for id in 1 100 200; do
		[ "$(for n in "${!CLAB_PID[@]}"; do clab_ctl $n show session $id --json | jq -c '.. | .traffic? // empty | [.up_packets, .down_packets]'; done | sort -u | wc -l)" = 1 ] ||
			failed "session $id is counted differently" || return 1
	done
}

# ---- keys ----
case_R58_key_is_changed_under_traffic() {
	spread 300 || return 1
	local n before=0 after=0
	for n in 1 2 3; do before=$((before + $(late $n))); done
	mark_roles
	lac_later traffic direction=both size=200 rate=2000 time=4
	printf '2 %s\n' "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" >>"$CLAB_DIR/cluster.key"
	for n in 1 2 3; do clab_ctl $n cluster key reload || failed reload || return 1; sleep 0.2; done
	for n in 1 2 3; do clab_ctl $n cluster key rotate || failed rotate || return 1; sleep 0.3; done
	sed -i '/^1 /d' "$CLAB_DIR/cluster.key"
	for n in 1 2 3; do clab_ctl $n cluster key reload || failed reload || return 1; sleep 0.2; done
	lac_done
	for n in 1 2 3; do
		[ "$(clab_show $n .key_id)" = 2 ] || failed "node $n seals with another key" || return 1
		after=$((after + $(late $n)))
	done
	echo "late beats: $before before, $after after"
	[ "$after" = "$before" ] && same_roles "another key" && clab_in_sync || failed "the key was noticed" || return 1
	none_lost && nobody_lost 300
}

judge "$@"
