#!/bin/bash
# run.sh -- `make bench`: l2tpns against Debian's l2tpns 2.4.1, as ratios measured in one run.
#
#	tests/bench/run.sh BUILD-DIR		(as root)
#
# Both servers run at the same time, each in a lab of its own (tests/lac/lab.sh), and every cell
# is measured on one and then on the other, RUNS times over; the table shows medians.  What counts
# is what the daemon costs: user and system time of the whole process.  Receive softirq of a veth
# pair runs on the sender's account, for both alike; so in overload cells what leaves the server is
# counted by the next host's device and thrown away there, and in half load cells it is counted
# exactly, packet by packet, by the program it is meant for.  During a traffic cell the server has one
# processor to itself, where there are two or more.
#
# Knobs, in the environment:
#	QUICK=1		fewer cells, shorter		RUNS=3	rounds
#	CELLS=...	groups, of: setup traffic nogro latency workers scale cluster
#	KILLS=30	deaths of a master in the group cluster (see cluster.sh)
#	SECS=3		seconds of a traffic cell	MOST=200000	sessions of the group scale
#	PROFILE=1	perf's view of both servers in each overload cell, in BUILD-DIR/bench/*.perf.txt
set -u
B=$(realpath "${1:-build}")
HERE=$(dirname "$(realpath "$0")")
. "$HERE/../lac/lab.sh"
. "$HERE/servers.sh"
. "$HERE/table.sh"

[ "$(id -u)" = 0 ] || { echo "bench: needs root" >&2; exit 1; }
QUICK=${QUICK:-}
CELLS=${CELLS:-setup traffic $([ -n "$QUICK" ] || echo nogro) latency workers scale cluster}
RUNS=${RUNS:-3} SECS=${SECS:-$([ -n "$QUICK" ] && echo 2 || echo 3)} MOST=${MOST:-200000}
SIDES=${SIDES:-ours theirs}
[ -x "$B/l2tpns" ] || SIDES=theirs
SENDERS=$(($(nproc) > 4 ? 3 : $(nproc) > 1 ? $(nproc) - 1 : 1))
D=$(mktemp -d) RAW=$B/bench/raw.jsonl ROUND=0 CODE=0
declare -A LABS=() PIDS=() RADII=() IN=() OUT=()
mkdir -p "$B/bench" && : >"$RAW"

side_use() { LAB=${LABS[$1]} SERVER_PID=${PIDS[$1]:-} RADIUS_PID=${RADII[$1]:-}; }

# A lab, a server, a peer and a LAC that waits for its steps.
side_open() {	# ours|theirs SESSIONS TUNNELS [WORKERS] [LAC ADDRESSES]
	local side=$1 dir=$D/$1 window=0 sessions=$2 fd
	rm -rf "$dir" && mkdir -p "$dir" && mkfifo "$dir/in" "$dir/out.fifo"
	LABS[$side]=bench$$${side:0:1}
	LAB=${LABS[$side]}
	lab_up "$LAB" "${5:-1}" && lab_offload on && server_start "$side" "$dir/server" "$sessions" "${4:-1}" || return 1
	PIDS[$side]=$SERVER_PID RADII[$side]=$RADIUS_PID
	# Theirs does not say how much it takes at once, and acknowledges late when it has nothing to say.
	[ "$side" = ours ] || window=64
	ip netns exec "$LAB-inet" "$B/lac" --is-peer --peer="$dir/peer" --device=up1 2>>"$dir/peer.err" &
	lab_until 3 test -S "$dir/peer" || return 1
	ip netns exec "$LAB-lac" "$B/lac" --server=$LAB_SERVER --local=$LAB_LAC-10.90.0.$((1 + ${5:-1})) \
		--tunnels="$3" --opening=1 --sessions="$sessions" --window=$window --auth=chap \
		--peer="$dir/peer" --device=lac0 --senders=$SENDERS --server-pid="$SERVER_PID" --quiet - \
		<"$dir/in" >"$dir/out.fifo" 2>>"$dir/lac.err" &
	disown -a
	exec {fd}>"$dir/in"
	IN[$side]=$fd
	exec {fd}<"$dir/out.fifo"
	OUT[$side]=$fd
}

side_close() {
	[ -n "${LABS[$1]:-}" ] || return 0
	side_use "$1"
	[ -z "${IN[$1]:-}" ] || eval "exec ${IN[$1]}>&- ${OUT[$1]}<&-"
	server_stop
	lab_down
	unset "LABS[$1]" "PIDS[$1]" "RADII[$1]" "IN[$1]" "OUT[$1]"
}

finish() {
	local side
	trap '' INT TERM HUP
	for side in "${!LABS[@]}"; do
		side_close "$side"
	done
	rm -rf "$D"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# One step on one side; its result goes to RAW under the cell's name.
cell() {	# SIDE GROUP CELL STEP...
	local side=$1 group=$2 name=$3 line
	shift 3
	[ -n "${IN[$side]:-}" ] || return 1
	echo "$*" >&"${IN[$side]}"
	while read -r -t 400 line <&"${OUT[$side]}"; do
		case $line in
		ok) return 0 ;;
		failed) echo "bench: $side: $name: not all was reached" >&2; return 1 ;;
		'{'*) RESULT=$line
		      echo "{\"group\":\"$group\",\"cell\":\"$name\",\"server\":\"$side\",\"round\":$ROUND,${line#\{}" >>"$RAW" ;;
		esac
	done
	echo "bench: $side: $name: the LAC has gone" >&2
	cat "$D/$side/lac.err" >&2
	return 1
}
both() {	# GROUP CELL STEP...
	local side
	printf '\r%-78s' "  round $ROUND: $2" >&2
	for side in $SIDES; do
		[ -n "${LABS[$side]:-}" ] && cell "$side" "$@"
	done
}
wants() { [[ " $CELLS " == *" $1 "* ]]; }

# Where the server's time goes, from half a second into a traffic cell.
profile() {	# FILE
	sleep 0.5
	perf record -q -g -o "$1.perf" -p "$SERVER_PID" -- sleep "$((SECS - 1))" >/dev/null 2>&1
	perf report -i "$1.perf" --children -g none --percent-limit 1 2>/dev/null | grep -v '^#' >"$1.perf.txt"
	rm -f "$1.perf"
}

# Overload: the next host is spared the packets.  Half load: every packet is counted where it arrives.
traffic_cell() {	# GROUP CELL up|down SIZE SESSIONS RATE
	local side
	printf '\r%-78s' "  round $ROUND: $2" >&2
	for side in $SIDES; do
		[ -n "${LABS[$side]:-}" ] || continue
		side_use "$side"
		lab_divide 1 "$SERVER_PID"
		[ "$6" != 0 ] || lab_sink "$3" off
		[ -z "${PROFILE:-}" ] || [ "$6" != 0 ] || profile "$B/bench/$side-$3-$4-$5-$1" &
		cell "$side" "$1" "$2" "traffic direction=$3 size=$4 sessions=$5 rate=$6 time=$SECS"
		[ "$6" != 0 ] || lab_sink "$3" on
		lab_divide 0 "$SERVER_PID"
	done
}

load_name() { [ "$1" = 0 ] && echo overload || echo 'half load'; }

traffic_cells() {	# GROUP SUFFIX SESSIONS...
	local group=$1 suffix=$2 size way n rate
	shift 2
	for n in "$@"; do
		for size in 64 1400; do
			for way in up down; do
				for rate in "$HALF" 0; do
					[ "$group" = traffic ] || [ "$rate" = 0 ] || continue
					traffic_cell "$group" "$way $size B, $n sessions, $(load_name "$rate")$suffix" \
						"$way" "$size" "$n" "$rate"
				done
			done
		done
	done
}

latency_cells() {
	both latency "idle" "probe count=$((SECS * 1000)) interval=1000"
	both latency "half load" "traffic direction=up size=64 rate=$HALF time=$SECS probe=1000"
}

SIZES="1000 10000"
[ -n "$QUICK" ] || SIZES="1000 10000 50000"
LARGEST=${SIZES##* }
QUIET=$([ -n "$QUICK" ] && echo 10 || echo 20)

# Half of what theirs can do here is the offered load "below saturation" for both.
calibrate() {
	local side=theirs
	[ -n "${LABS[theirs]:-}" ] || side=ours
	cell $side calibrate "upstream" "traffic direction=up size=64 sessions=1000 time=1" || return 1
	HALF=$(jq '(.up_pps / 2 / 5000 | floor) * 5000 | if . < 5000 then 5000 else . end' <<<"$RESULT")
}

round() {
	local side n was=0
	for side in $SIDES; do
		side_open "$side" "$LARGEST" $((LARGEST / 1000)) || { echo "bench: $side: cannot start" >&2; return 1; }
	done
	for n in $SIZES; do
		both setup "from $was to $n sessions" "up sessions=$((n - was)) time=300"
		was=$n
		if [ "$n" = 10000 ]; then
			[ -n "${HALF:-}" ] || calibrate || return 1
			wants latency && latency_cells
			wants traffic && traffic_cells traffic "" 1 10000
			if wants nogro; then
				for side in $SIDES; do side_use "$side"; lab_offload off; done
				traffic_cells nogro ", no offload" 10000
				for side in $SIDES; do side_use "$side"; lab_offload on; done
			fi
		fi
	done
	[ "$LARGEST" -lt 50000 ] || ! wants traffic || traffic_cells traffic "" 50000
	for side in $SIDES; do
		cell "$side" end "end" "end time=60"
		side_close "$side"
	done
}

# Ours alone, as large as it is meant to be: what a session costs in CPU and memory, what idling costs.
scale() {
	local n was=0
	ROUND=$1
	OURS_SET="set echo_timeout 0" side_open ours "$MOST" $((MOST / 5000)) || return 1
	echo "{\"group\":\"scale\",\"cell\":\"idle daemon\",\"server\":\"ours\",\"round\":$ROUND,\"rss_kib\":$(
		awk '/^VmRSS/ { print $2 }' "/proc/${PIDS[ours]}/status")}" >>"$RAW"
	for n in 1000 10000 50000 100000 "$MOST"; do
		[ "$n" -gt "$was" ] && [ "$n" -le "$MOST" ] || continue
		printf '\r%-78s' "  scale $ROUND: $n sessions" >&2
		cell ours scale "from $was to $n sessions" "up sessions=$((n - was)) time=300"
		was=$n
	done
	printf '\r%-78s' "  scale $ROUND: quiet" >&2
	cell ours scale "quiet, keepalives off" "wait time=$QUIET"
	cell ours end "end" "end time=60"
	side_close ours
}

# The same with keepalives: each session is silent, so each is asked.
scale_echo() {
	printf '\r%-78s' "  scale: $MOST sessions, keepalives on" >&2
	OURS_SET="set echo_timeout 30" side_open ours "$MOST" $((MOST / 5000)) || return 1
	cell ours setup_echo "$MOST sessions" "up time=300"
	sleep 30
	cell ours scale "quiet, an LCP echo per session per 30 s" "wait time=30"
	cell ours end "end" "end time=60"
	side_close ours
}

workers() {
	local n
	for n in 1 2; do
		side_open ours 1000 8 $n 8 || return 1
		cell ours setup_workers "workers $n" "up"
		for way in up down both; do
			printf '\r%-78s' "  round $ROUND: $n workers, $way" >&2
			cell ours workers "$way 64 B, $n workers" "traffic direction=$way size=64 time=$SECS"
		done
		side_close ours
	done
}

if wants setup || wants traffic || wants nogro || wants latency; then
	for ROUND in $(seq "$RUNS"); do
		round || exit 1
	done
fi
if [[ $SIDES == *ours* ]]; then
	for ROUND in $(seq "$RUNS"); do
		! wants workers || workers || exit 1
	done
	for ROUND in $(seq "$([ -n "$QUICK" ] && echo 1 || echo "$RUNS")"); do
		! wants scale || scale "$ROUND" || exit 1
	done
	! wants scale || scale_echo || exit 1
	! wants cluster || "$HERE/cluster.sh" "$B" "${KILLS:-30}" "$RAW" || CODE=1
fi
printf '\r%-78s\r' "" >&2
bench_table "$RAW" | tee "$B/bench.md"
bench_json "$RAW" >"$B/bench.json"
exit $CODE
