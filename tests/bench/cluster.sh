#!/bin/bash
# cluster.sh -- how long a cluster takes to replace a dead master, to hand over, to fill an empty node; what it costs.
#
#	tests/bench/cluster.sh BUILD-DIR [RUNS [RAW]]	(as root; a part of `make bench`)
#
# Three nodes in namespaces of this machine, defaults (heartbeats each 100 ms, dead after 500 ms), calls coming all the
# time, each on another tunnel.  A pause is the longest time in which no subscriber came up, less the usual distance
# between two; so it reaches from the last answer of the old master to the first session of the new one.  Each value is
# a line of RAW; without RAW the table is printed.
#
#	QUICK=1		few sessions, few runs
#	PARTS=...	of: kill handover many fill setup spread theirs
set -u
B=$(realpath "${1:-build}")
HERE=$(dirname "$(realpath "$0")")
. "$HERE/../lac/cluster_lab.sh"
. "$HERE/../lac/steps.sh"
. "$HERE/table.sh"

RUNS=${2:-30} FEW=10000 MANY=200000 TIMES=3
[ -z "${QUICK:-}" ] || { RUNS=3 FEW=1000 MANY=10000 TIMES=1; }
PARTS=${PARTS:-kill handover many fill setup spread theirs}
RAW=${3:-$B/bench/cluster.jsonl}
RATE=100 CALLS=250		# that come while something happens
[ "$(id -u)" = 0 ] || { echo "cluster bench: needs root" >&2; exit 1; }
mkdir -p "$B/bench" && { [ $# -ge 3 ] || : >"$RAW"; } || exit 1
CLAB_DIR=$(mktemp -d -t clbench.XXXXXX) || exit 2
clean() { trap '' INT TERM; clab_down; rm -rf "$CLAB_DIR"; }
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
fail() { echo "cluster bench: $*" >&2; tail -qn 4 "$CLAB_DIR"/node?/{log,out} >&2; exit 1; }
say() { printf '\r%-78s' "  cluster: $*" >&2; }
# One value measured, of what will be one line of the table.
row() {	# CELL UNIT VALUE [theirs]
	printf '{"group":"cluster","cell":"%s","unit":"%s","server":"%s","value":%s}\n' "$1" "$2" "${4:-ours}" "$3" >>"$RAW"
}
others() { local n; for n in "${!CLAB_PID[@]}"; do [ "$n" = "$1" ] || echo "$n"; done; }
metric() {	# NODE NAME
	clab_ctl "$1" show metrics | awk -v name="l2tpns_$2" '{ sub(/\{.*/, "", $1) } $1 == name { n += $2 } END { print n + 0 }'
}

subscribers() {	# NUMBER: those who stay; on few tunnels, so that each has blocks of session ids of its own
	lac_open stay --ports=40 --tunnels=40 --sessions="$1" "${@:2}"
	lac stay up in-flight=500 time=200 || fail "no sessions: ${SAID[stay]}"
}
callers() {	# NUMBER TUNNELS OPTION...: those who come while something happens, and one more who opens the tunnels
	lac_open new --port=2001 --ports=50 --tunnels="$2" --sessions=$(($1 + 1)) --user=new% "${@:3}"
	lac new up sessions=1 || fail "no tunnels: ${SAID[new]}"
}
cluster() {	# owned|spread SESSIONS
	local n
	CLAB_SESSIONS=$(($2 + 1000))
	clab_up "cb$$" 3 "$1" && clab_files || fail "no lab"
	for n in 1 2 3; do clab_start $n; done
	clab_soon 10 clab_one_master && clab_soon 10 clab_in_sync || fail "no cluster"
}
bring_back() {	# NODE
	clab_start "$1"
	clab_soon 60 clab_in_sync || fail "node $1 is not in sync"
}

# ---- kill, handover, many: the pause in which nobody comes up ----
# The new master's log has when it won and how long it had heard nothing; the LAN, when it told the address.
elected() {	# prints: epoch in seconds, silence in ms
	local line
	line=$(grep -a 'now master' "$CLAB_DIR/node$(clab_master)/log" | tail -n 1)
	echo "$(date -d "${line%% *}" +%s.%3N) $(sed 's/.*silence_ms=\([0-9]*\).*/\1/' <<<"$line")"
}
one_pause() {	# NAME kill|handover
	local master=$(clab_master) won silence
	: >"$CLAB_DIR/told"
	lac_asks new up sessions=$CALLS rate=$RATE
	sleep 1
	if [ "$2" = kill ]; then
		clab_signal "$master" KILL; clab_gone "$master"
	else
		clab_ctl "$master" cluster handover >/dev/null || fail "handover refused"
	fi
	lac_done new || fail "calls were lost: ${SAID[new]}"
	row "$1: nobody comes up for" ms "$(said new "(.longest_gap_us / 1000 - 1000 / $RATE) | floor")"
	clab_soon 10 clab_one_master || fail "no master"
	read -r won silence <<<"$(elected)"
	[ "$2" != kill ] || row "$1: until it is noticed" ms "$silence"
	row "$1: from the vote to the address told to the LAN" ms "$(awk -v won="$won" '
		$1 > won { told = sprintf("%.1f", ($1 - won) * 1000); exit }
		END { print told == "" ? "null" : told }' "$CLAB_DIR/told")"
	[ "$2" != kill ] || bring_back "$master"
}
series() {	# NAME kill|handover SESSIONS RUNS
	local all=$(($3 + CALLS * $4)) i n lost
	cluster owned $all
	subscribers "$3"
	callers $((CALLS * $4)) 500
	clab_in lac tcpdump -l -tt -n -i lac0 "ether broadcast and arp src host $CLAB_SERVICE" >>"$CLAB_DIR/told" 2>/dev/null &
	disown $!
	for ((i = 1; i <= $4; i++)); do
		say "$1, run $i of $4"
		one_pause "$1, $3 sessions" "$2"
	done
	lac stay wait time=1; lac new wait time=0.1
	lost=$((all + 1 - $(said stay .up) - $(said new .up)))
	for n in 1 2 3; do
		i=$(metric $n sessions)
		[ $lost -gt $((all - i)) ] || lost=$((all + 1 - i))
	done
	row "$1, $3 sessions: subscribers lost in all" "" $lost
	lateness "$1, $3 sessions"
}
lateness() {	# NAME: of all heartbeats that these nodes received since they started
	local n
	for n in "${!CLAB_PID[@]}"; do clab_ctl "$n" show cluster --json; done | jq -rs '[.[].lateness | del(.late_max_us)]
		| (map(add) | add) as $all | (map(.below_1_ms + .below_2_ms + .below_5_ms + .below_10_ms) | add) as $soon
		| (map(.below_500_ms + .more) | add) as $late | select($all > 0)
		| "\(($all - $soon) * 100 / $all) \($late * 100 / $all)"' | {
		read -r ten lost || return
		row "$1: heartbeats more than 10 ms late" % "$ten"
		row "$1: heartbeats more than 200 ms late" % "$lost"
	}
}
part_kill() { series "master killed" kill $FEW "$RUNS"; }
part_handover() { series "handover" handover $FEW "$RUNS"; }
part_many() { series "master killed" kill $MANY $(((RUNS + 2) / 3)); }

# ---- fill: a quiet cluster, an empty slave, and what a new master has to do ----
cpu_ns() {	# NODE: the CPU clock of the process; /proc only has ticks of 10 ms
	python3 -c 'import sys, time; print(time.clock_gettime_ns(~int(sys.argv[1]) << 3 | 2))' "${CLAB_PID[$1]}"
}
part_fill() {
	local n sent began i master; local -A cpu
	CLAB_MORE="set echo_timeout 0"		# what is seen is the cluster's own work
	cluster owned $MANY
	say "$MANY sessions"
	subscribers $MANY
	sleep 2
	for n in 1 2 3; do cpu[$n]=$(cpu_ns $n) sent[$n]=$(metric $n cluster_octets_sent_total); done
	sleep 5
	for n in 1 2 3; do
		i=slave; [ $n != "$(clab_master)" ] || i=master
		row "quiet, $MANY sessions: a $i sends" "octets/s" $((($(metric $n cluster_octets_sent_total) - sent[n]) / 5))
		row "quiet, $MANY sessions: CPU of a $i" "% of a core" \
			"$(jq -n "($(cpu_ns $n) - ${cpu[$n]}) / 5e7")"
	done
	for ((i = 1; i <= TIMES; i++)); do
		say "an empty node, run $i of $TIMES"
		n=$(others "$(clab_master)" | head -n 1)
		clab_signal "$n" KILL; clab_gone "$n"
		clab_start "$n"
		clab_soon 10 clab_ctl "$n" show version || fail "node $n does not start"
		began=$(ms_now)
		clab_soon 60 eval "[ \"\$(clab_show $n .up_to_date)\" = true ]" || fail "never up to date"
		row "an empty node is up to date, $MANY sessions" ms $(($(ms_now) - began))
	done
	for ((i = 1; i <= TIMES; i++)); do
		say "take-over, run $i of $TIMES"
		sleep 2
		master=$(clab_master)
		for n in $(others "$master"); do cpu[$n]=$(cpu_ns "$n"); done
		sleep 2
		for n in $(others "$master"); do cpu[$n]=$(($(cpu_ns "$n") * 2 - cpu[$n])); done	# what it will be then
		clab_signal "$master" KILL; clab_gone "$master"
		sleep 2
		clab_soon 5 clab_one_master || fail "no master"
		n=$(clab_master)
		row "taking over $MANY sessions: CPU in 2 s, more than before" ms "$(jq -n "($(cpu_ns "$n") - ${cpu[$n]}) / 1e6")"
		bring_back "$master"
	done
}

# ---- setup: what it costs that a second node must know before a peer is answered ----
alone() {	# SESSIONS: the same daemon without a cluster
	CLAB_SESSIONS=$(($1 + 1000))
	clab_up "cb$$" 1 owned && clab_files || fail "no lab"
	sed -i '/^set cluster_/d; /^set service_interface/d' "$CLAB_DIR/node1/startup-config"
	ip -n "$CLAB-n1" addr add $CLAB_SERVICE/32 dev lan0 && clab_start 1
	clab_soon 10 clab_ctl 1 show version || fail "it does not start"
}
part_setup() {
	local how i calls=$((FEW / 10))
	for ((i = 1; i <= TIMES; i++)); do
		for how in alone "three nodes"; do
			say "set-up, $how, run $i of $TIMES"
			[ "$how" = alone ] && alone $((FEW + calls + 500)) || cluster owned $((FEW + calls + 500))
			subscribers $FEW
			row "set-up as fast as it goes, $how" "sessions/s" "$(said stay .sessions_per_s)"
			callers $((calls + 500)) 500
			lac new up sessions=500 && lac new up sessions=$calls rate=200 || fail "no sessions: ${SAID[new]}"
			row "set-up at 200 a second, $how: p50" us "$(said new .setup_p50_us)"
			row "set-up at 200 a second, $how: p99" us "$(said new .setup_p99_us)"
			lac_close stay; lac_close new
			clab_down
			unset CLAB_PID; declare -gA CLAB_PID
			rm -rf "${CLAB_DIR:?}"/*
		done
	done
}

# ---- spread: established traffic through the nodes that survive ----
one_spread() {	# master|slave: who dies; the routers send everything to the other two
	local dead=$(clab_master)
	[ "$1" = master ] || dead=$(others "$dead" | head -n 1)
	clab_router $(others "$dead")
	lac stay hold time=1 interval=100	# neighbours are known
	lac_asks stay hold time=4 interval=100
	sleep 1.5
	clab_signal "$dead" KILL; clab_gone "$dead"
	lac_done stay
	row "a $1 is killed, traffic through the two others: packets lost of 40,000" "" "$(said stay '.probes - .replies')"
	row "a $1 is killed, traffic through the two others: longest silence" ms \
		"$(said stay '[.longest_gap_max_us / 1000 - 100, 0] | max | round')"
	bring_back "$dead"
}
part_spread() {
	local i
	cluster spread 1000
	internet
	subscribers 1000 --peer="$CLAB_DIR/peer" --peer-address="$CLAB_PEER"
	for ((i = 1; i <= TIMES; i++)); do
		say "spread, run $i of $TIMES"
		one_spread slave
		one_spread master
	done
}

# ---- theirs: a cluster of three l2tpns 2.4.1, as it comes, the LAC's packets going to its slaves ----
theirs_start() {	# NODE
	local d=$CLAB_DIR/node$1
	mkdir -p "$d" && cat >"$d/startup-config" <<-X
		set debug 1
		set log_file "$d/log"
		set pid_file "$d/pid"
		set bind_address $CLAB_SERVICE
		set peer_address 10.88.0.1
		set tundevicename "tun0"
		set primary_radius 127.0.0.1
		set primary_radius_port 1812
		set radius_accounting no
		set radius_secret "bench"
		set radius_authtypes "chap"
		set allow_duplicate_users yes
		set cli_bind_address 127.0.0.1
		set send_garp no
		set cluster_address 239.192.13.13
		set cluster_interface cl0
	X
	echo "${CLAB_POOL%/*}/16" >"$d/ip_pool" && : >"$d/users" || return 1
	ip -n "$CLAB-n$1" addr del $CLAB_SERVICE/32 dev lo	# it has it on its own device
	ip -n "$CLAB-n$1" route add 239.0.0.0/8 dev cl0 || return 1
	clab_in "n$1" "$B/bench/radius" bench >/dev/null 2>&1 &
	disown $!
	setsid ip netns exec "$CLAB-n$1" unshare -m sh -c \
		"mount --bind $d /etc/l2tpns && exec /usr/sbin/l2tpns -c /etc/l2tpns/startup-config" >"$d/out" 2>&1 &
	CLAB_PID[$1]=$!
	disown $!
}
theirs_master() { grep -al 'declaring myself the master' "$CLAB_DIR"/node?/log | sed 's/.*node//; s,/.*,,'; }
part_theirs() {
	local n master
	clab_up "cb$$" 3 spread || fail "no lab"
	for n in 1 2 3; do theirs_start $n || fail "2.4.1 does not start"; done
	say "2.4.1: waiting for its first election"
	clab_soon 40 eval '[ "$(theirs_master)" ]' && sleep 3 || fail "2.4.1 elects nobody"
	master=$(theirs_master)
	clab_router $(others "$master")
	say "2.4.1: its master is killed"
	lac_open stay --ports=40 --tunnels=40 --sessions=$FEW --window=64 --opening=1
	lac stay up in-flight=32 time=120 || fail "2.4.1: no sessions: ${SAID[stay]}"
	# It has at most 500 tunnels, and one that waits for a dead master repeats itself seconds later: another for each.
	callers 440 440 --window=64 --opening=1 --tries=12
	lac_asks new up sessions=440 rate=20 time=90
	sleep 3
	clab_signal "$master" KILL; clab_gone "$master"
	lac_done new
	lac stay wait time=0.1
	row "master killed, $FEW sessions: nobody comes up for" ms "$(said new '(.longest_gap_us / 1000 - 50) | floor')" theirs
	row "master killed, $FEW sessions: subscribers lost in all" "" $((FEW + 441 - $(said stay .up) - $(said new .up))) theirs
}

code=0
for part in $PARTS; do
	(trap clab_down EXIT; "part_$part") || { echo "cluster bench: $part failed" >&2; code=1; }
	rm -rf "${CLAB_DIR:?}"/*
done
printf '\r%-78s\r' "" >&2
[ $# -ge 3 ] || bench_cluster "$RAW"
exit $code
