#!/bin/bash
# cluster_bad.sh -- what a cluster must not mind: forged and recorded datagrams, nodes that do not belong, a bad machine.
#
#	tests/netns/cluster_bad.sh BUILD-DIR [CASE...]
#
# A case's name begins with the requirement it is about.
. "$(dirname "$(realpath "$0")")/cluster_lib.sh"

option() { sed -i "/^set $2 /d" "$CLAB_DIR/node$1/startup-config" && echo "set $2 $3" >>"$CLAB_DIR/node$1/startup-config"; }
refused() { metric "$1" "refused_total{reason=\"$2\"}"; }	# NODE REASON: how many datagrams
threads() {	# NODE: clock ticks of the processor that its cluster thread has used
	local task
	for task in /proc/"${CLAB_PID[$1]}"/task/*; do
		[ "$(cat "$task/comm")" != cluster ] || sed 's/.*) //' "$task/stat" | awk '{ print $12 + $13 }'
	done
}
late() { clab_show "$1" '.lateness | .below_100_ms + .below_200_ms + .below_500_ms + .more'; }	# beats 50 ms late or more
starts_and_says() {	# NODE PATTERN: it must not start, and say why on standard error
	clab_in "n$1" timeout 5 "$B/l2tpns" -c "$CLAB_DIR/node$1/startup-config" >"$CLAB_DIR/out" 2>&1
	[ $? = 1 ] && grep -qE "$2" "$CLAB_DIR/out" || { cat "$CLAB_DIR/out"; return 1; }
}

# ---- datagrams ----
case_R56_R57_R59_flood() {
	cluster 3 owned && subscribers 100 && all_up sessions=50 || return 1
	local n late_before=0 late_after=0 before=() ticks=() reason
	clab_in wire ip addr add 10.89.0.200/24 dev br0
	clab_in wire tcpdump -i br0 -U -w "$CLAB_DIR/recorded" -c 300 udp port 32792 >/dev/null 2>&1
	mark_roles
	for n in 1 2 3; do late_before=$((late_before + $(late $n))); ticks[n]=$(threads $n); before[n]=$(refused $n CL_TAG); done
	clab_in wire "$B/cluster_flood" "$CLAB_DIR/recorded" 32792 200000 3 10.89.0.1 10.89.0.2 10.89.0.3 239.192.13.13 >"$CLAB_DIR/flood" &
	sleep 1
	all_up || return 1
	wait $!
	cat "$CLAB_DIR/flood"
	for n in 1 2 3; do
		echo "node $n: $((($(threads $n) - ticks[n]) * 100 / $(getconf CLK_TCK) / 3)) % of a processor"
		late_after=$((late_after + $(late $n)))
		for reason in CL_SHORT CL_MAGIC CL_CLUSTER CL_KEY CL_TO CL_REPLAY CL_TAG; do echo "  $reason $(refused $n $reason)"; done
		[ "$(refused $n CL_TAG)" -gt "${before[n]:-0}" ] && [ "$(refused $n CL_REPLAY)" -gt 0 ] || failed "nothing was refused" || return 1
	done
	echo "late beats: $late_before before, $late_after after"
	[ "$(cat "$CLAB_DIR"/node*/log | grep -c 'cluster datagram refused')" -le 12 ] || failed "the log is flooded" || return 1
	same_roles flood && [ "$late_after" = "$late_before" ] || failed "beats came late" || return 1
	nobody_lost 100
}
case_R57_recorded_before_a_restart() {
	cluster 3 owned && subscribers 100 && all_up sessions=50 || return 1
	local slave=$(others "$(clab_master)" | head -n 1)
	clab_in wire ip addr add 10.89.0.200/24 dev br0
	clab_in wire tcpdump -i br0 -U -w "$CLAB_DIR/recorded" udp port 32792 >/dev/null 2>&1 &
	sleep 0.3
	all_up && sleep 0.5 || return 1
	clab_in wire pkill -x tcpdump
	kill_node "$slave" && clab_start "$slave"
	clab_soon 5 clab_in_sync || failed "the slave is not in sync" || return 1
	mark_roles
	clab_in wire "$B/cluster_flood" "$CLAB_DIR/recorded" 32792 5000 2 10.89.0.1 10.89.0.2 10.89.0.3 239.192.13.13
	same_roles replay && clab_in_sync && nobody_lost 100
}

# ---- nodes that do not belong ----
# A slave is killed and comes back as the stranger: S is its number, M the master's.  In VALUE they are @ and %.
stranger() {	# OPTION VALUE
	cluster 3 owned && subscribers 50 && all_up sessions=25 || return 1
	M=$(clab_master) S=$(others "$(clab_master)" | tail -n 1)
	kill_node "$S"
	local value=${2//%/$M}
	option "$S" "$1" "${value//@/$S}"
	mark_roles
	clab_start "$S"
	clab_soon 3 clab_ctl "$S" show version || failed "node $S does not start" || return 1
	sleep 1.5
}
unharmed() {	# the others go on as if it were not there
	local role
	role=$(clab_show "$S" .role)
	[ "$role" != master ] && [ "$(sessions "$S")" = 0 ] || failed "the stranger takes part" || return 1
	[ "$(grep -l 'now master,' "$CLAB_DIR"/node*/log | wc -l)" = 1 ] && [ "$(clab_master)" = "$M" ] || failed "an election" || return 1
	all_up && lac "hold time=1 interval=300" || failed "$STEP"
}
both_say() {	# PATTERN for the master's log, PATTERN for the stranger's
	says "$M" "$1" && says "$S" "$2"
}
case_R21_one_id_twice() {
	stranger cluster_node % && both_say "datagram refused node=$M why=CL_DUPLICATE from=10.89.0.$S" \
		"datagram refused node=$M why=CL_DUPLICATE from=10.89.0.$M" &&
		says "$(others "$M" | head -n 1)" "datagram refused node=$M why=CL_DUPLICATE from=10.89.0.$S" && unharmed
}
case_R21_other_timers() {
	stranger cluster_hb_timeout 8 && both_say "node=$S refused why=CL_CONFIG ours=500 theirs=800 field=cluster_hb_timeout" \
		"node=$M refused why=CL_CONFIG ours=800 theirs=500 field=cluster_hb_timeout" && unharmed
}
case_R21_other_interval() {
	CLAB_MORE='set cluster_hb_timeout 10' stranger cluster_hb_interval 2 &&
		both_say "node=$S refused why=CL_CONFIG .*field=cluster_hb_interval" \
			"node=$M refused why=CL_CONFIG .*field=cluster_hb_interval" && unharmed
}
case_R21_other_number_of_nodes() {
	stranger cluster_nodes '"10.89.0.1,10.89.0.2,10.89.0.3,10.89.0.4"' &&
		both_say "node=$S refused why=CL_CONFIG ours=3 theirs=4 field=.*cluster_nodes" \
			"node=$M refused why=CL_CONFIG ours=4 theirs=3 field=.*cluster_nodes" && unharmed
}
case_R21_other_nodes() {
	stranger cluster_nodes '"10.89.0.%,10.89.0.@,10.89.0.9"' &&
		both_say "node=$S refused why=CL_CONFIG .*field=.*cluster_nodes" \
			"node=$M refused why=CL_CONFIG .*field=.*cluster_nodes" && unharmed
}
case_R21_not_in_cluster_nodes() {
	cluster 3 owned && subscribers 50 && all_up sessions=25 || return 1
	M=$(clab_master) S=$(others "$(clab_master)" | tail -n 1)
	kill_node "$S"
	ip -n "$CLAB-n$S" addr flush dev cl0 && ip -n "$CLAB-n$S" addr add "10.89.0.9/24" dev cl0
	starts_and_says "$S" 'cluster_nodes lacks our own address' || return 1
	option "$S" cluster_nodes '"10.89.0.1,10.89.0.2,10.89.0.3,10.89.0.9"'
	clab_start "$S"
	says "$M" 'datagram refused node=9 why=CL_MEMBER from=10.89.0.9' 5 && unharmed
}
case_R21_other_name() { stranger cluster_name other && says "$M" "why=CL_CLUSTER .*10.89.0.$S" && unharmed; }
other_key() {	# NUMBER
	(umask 077; printf '%s %064d\n' "$1" 7 >"$ALL_DIR/key$1")
	stranger cluster_key "\"$ALL_DIR/key$1\""
}
case_R21_other_key() { other_key 1 && says "$M" "why=CL_TAG .*10.89.0.$S" && unharmed; }
case_R21_key_of_another_number() { other_key 9 && says "$M" "why=CL_KEY .*10.89.0.$S" && unharmed; }

# ---- a machine that is not ready, or breaks ----
case_interface_is_missing() {
	lab 1 owned && option 1 cluster_interface '"cl7"' && starts_and_says 1 'cluster_interface' || return 1
	option 1 cluster_interface '"cl0"' && option 1 cluster_interface2 '"cl7"' && starts_and_says 1 'cluster_interface2'
}
case_interface_has_no_address() {
	lab 1 owned && ip -n "$CLAB-n1" addr flush dev cl0 && starts_and_says 1 'cluster_interface.*address'
}
case_interface_goes_and_comes_back() {
	cluster 3 owned && subscribers 100 && all_up || return 1
	local slave=$(others "$(clab_master)" | head -n 1) master=$(clab_master)
	ip -n "$CLAB-wire" link del "n$slave"
	sleep 3
	[ "$(grep -cE 'cl0.*gone|cl0.*away' "$CLAB_DIR/node$slave/log")" = 1 ] || failed "it is not said once" || return 1
	clab_port wire "n$slave" cl0 "10.89.0.$slave/24"
	clab_soon 8 clab_in_sync && master_is "$master" && nobody_lost 100
}
case_disk_is_full() {
	lab 3 owned || return 1
	local n
	for n in 1 2 3; do
		mkdir "$CLAB_DIR/node$n/small" && option $n log_file "\"$CLAB_DIR/node$n/small/log\"" || return 1
		clab_start $n sh -c 'mount -t tmpfs -o size=8k none "$0" && exec "$@"' "$CLAB_DIR/node$n/small"
	done
	together && subscribers 300 && all_up || return 1
	for n in 1 2 3; do clab_signal $n HUP; done
	another_master 0 && kill_node "$(clab_master)" && clab_soon 3 clab_one_master || failed "no master" || return 1
	nobody_lost 300
}

judge "$@"
