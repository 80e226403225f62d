#!/bin/bash
# cluster_cuts.sh -- real daemons on wires that fail one way, both ways or in part, stopped daemons, stepped clocks.
#
#	tests/netns/cluster_cuts.sh BUILD-DIR [CASE...]
#
# A case's name begins with the requirement it is about.
. "$(dirname "$(realpath "$0")")/cluster_lib.sh"

ready() {	# SUBSCRIBERS [owned|spread]: three nodes and so many
	cluster 3 "${2:-owned}" && subscribers "$1" && all_up
}
quiet() {	# SECONDS: at most one role changes in that time, on all nodes together
	mark_roles
	sleep "$1"
	[ $(($(roles) - ROLES)) -le 1 ] || failed "$(($(roles) - ROLES)) changes of role in $1 s"
}
mended() {	# SUBSCRIBERS: after the cut everything is as before
	local n
	for n in $(seq "$CLAB_NODES"); do clab_mend "$n"; done
	together && clab_soon 5 one_digest || failed "not together again" || return 1
	one_master_a_term && nobody_lost "$1"
}

# ---- one way and both ----
case_R16_master_deaf() {
	ready 100 || return 1
	local master=$(clab_master)
	clab_deaf "$master"
	clab_soon 6 another_master "$master" || failed "no new master" || return 1
	quiet 3 && mended 100
}
case_R16_master_mute() {
	ready 100 || return 1
	local master=$(clab_master)
	clab_mute "$master"
	clab_soon 6 another_master "$master" || failed "no new master" || return 1
	quiet 3 && mended 100
}
case_R11_R16_slave_deaf_changes_nothing() {
	ready 100 || return 1
	local master=$(clab_master) term=$(clab_show "$(clab_master)" .term) slave=$(others "$(clab_master)" | head -n 1)
	clab_deaf "$slave"
	sleep 1.5
	quiet 2 || return 1
	frozen "$slave" || failed "the deaf slave is not frozen" || return 1
	master_is "$master" && mended 100 || return 1
	master_is "$master" && [ "$(clab_show "$master" .term)" = "$term" ] || failed "an election"
}
case_R11_R16_slave_mute_changes_nothing() {
	ready 100 || return 1
	local master=$(clab_master) term=$(clab_show "$(clab_master)" .term) slave=$(others "$(clab_master)" | head -n 1)
	clab_mute "$slave"
	sleep 1.5
	quiet 2 && master_is "$master" && mended 100 || return 1
	master_is "$master" && [ "$(clab_show "$master" .term)" = "$term" ] || failed "an election"
}
case_R16_slaves_do_not_hear_each_other() {
	ready 100 || return 1
	local master=$(clab_master) n
	mark_roles
	for n in $(others "$master"); do ip -n "$CLAB-wire" link set "n$n" type bridge_slave isolated on || return 1; done
	sleep 3
	same_roles "two slaves cannot hear each other" && mended 100
}
case_R16_one_slave_and_the_master_do_not_hear_each_other() {
	ready 100 || return 1
	local master=$(clab_master) slave=$(others "$(clab_master)" | head -n 1) n
	for n in $master $slave; do ip -n "$CLAB-wire" link set "n$n" type bridge_slave isolated on || return 1; done
	clab_soon 6 clab_one_master || failed "no master" || return 1
	sleep 1
	quiet 5 && clab_one_master || failed "no stable master" || return 1
	for n in $master $slave; do ip -n "$CLAB-wire" link set "n$n" type bridge_slave isolated off; done
	mended 100
}
case_R16_R51_everybody_alone_and_back() {
	ready 100 || return 1
	local n
	for n in 1 2 3; do clab_cut $n; done
	sleep 2
	for n in 1 2 3; do frozen $n || failed "$n is not frozen" || return 1; done
	quiet 2 && mended 100
}
case_R23_R24_second_link() {
	CLAB_WIRES=2 ready 100 || return 1
	local n
	mark_roles
	for n in 1 2 3; do clab_link wire n$n down; done
	sleep 1.5
	clab_in_sync && lac "end sessions=10 how=terminate" && clab_soon 3 everywhere 90 || failed "without the first" || return 1
	for n in 1 2 3; do clab_link wire n$n up; done
	sleep 1.5
	for n in 1 2 3; do clab_shut "$CLAB-wire2" n$n; done
	sleep 1.5
	clab_in_sync && lac "end first=10 sessions=10 how=terminate" && clab_soon 3 everywhere 80 || failed "without the second" || return 1
	same_roles "one of two links is enough" && one_master_a_term
}

# ---- an open cluster, each part of which goes on ----
open_cluster_meets() {	# 50 calls, a split, 100 more on either side of it, and together again
	lab 3 spread || return 1
	local n alone before
	for n in 1 2 3; do sed -i '/cluster_nodes/d' "$CLAB_DIR/node$n/startup-config"; clab_start $n; done
	together && subscribers 150 && all_up sessions=50 || return 1
	before=$(clab_master)
	alone=$(others "$before" | head -n 1)
	clab_cut "$alone"
	clab_soon 6 eval "[ \"\$(clab_master | wc -w)\" = 2 ]" || failed "not each part has a master" || return 1
	all_up || return 1
	for n in 1 2 3; do echo "node $n: $(sessions $n) sessions"; done
	clab_mend "$alone"
	clab_soon 6 clab_one_master || failed "not one master" || return 1
	clab_soon 5 clab_in_sync && clab_soon 5 one_digest || failed "not one table" || return 1
	one_master_a_term || return 1
	echo "before: master $before; after: master $(clab_master)"
	for n in 1 2 3; do echo "node $n: $(sessions $n) sessions, $(metric $n cluster_conflicts_total) conflicts"; done
}
case_R52_open_cluster_parts_and_meets() {
	open_cluster_meets || return 1
	lac "hold time=2 interval=500 sessions=50"
	[ "$(told .sessions_hit)" = 0 ] || failed "calls from before the split are lost: $STEP"
}
# ---- stopped, stepped ----
case_R5_master_is_stopped_for_a_while() {
	ready 200 || return 1
	local master t
	for t in 0.1 0.3 1 5; do
		master=$(clab_master)
		mark_roles
		clab_signal "$master" STOP
		sleep $t
		clab_signal "$master" CONT
		[ $t != 0.1 ] || sleep 1
		[ $t != 0.1 ] || same_roles "stopped for $t s" || return 1
		together && one_master_a_term || return 1
	done
	nobody_lost 200
}
# Everything but the monotonic clock comes from a file, which is how a clock is stepped while the daemon runs.
fake() { echo env LD_PRELOAD="$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 | head -n 1)" FAKETIME_DONT_FAKE_MONOTONIC=1 \
	DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1 FAKETIME_TIMESTAMP_FILE="$CLAB_DIR/node$1/clock"; }
step() { echo "$2" >"$CLAB_DIR/node$1/clock.new" && mv "$CLAB_DIR/node$1/clock.new" "$CLAB_DIR/node$1/clock"; }
case_R1_clocks_are_stepped() {
	ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || { echo "faketime is not installed"; return 1; }
	lab 3 owned || return 1
	local n by year
	for n in 1 2 3; do step $n +0 && clab_start $n $(fake $n); done
	together && subscribers 100 && all_up sessions=50 || return 1
	mark_roles
	for n in $(clab_master) $(others "$(clab_master)" | head -n 1); do
		for by in +3650d -3650d +0; do
			step "$n" $by
			year=$(date -d "${by%d} days" +%Y 2>/dev/null || date +%Y)
			sleep 0.7
			lac up sessions=5 || failed "no calls $by: $STEP" || return 1
			clab_signal "$n" HUP	# it says that it read its files
			clab_soon 2 eval "tail -n 1 '$CLAB_DIR/node$n/log' | grep -q ^$year" || failed "the clock of $n is not in $year" || return 1
		done
	done
	same_roles "clocks" && clab_in_sync || failed "clocks" || return 1
	nobody_lost 80
}

judge "$@"
