#!/bin/bash
# storms.sh -- live subscribers feel nothing: while SCCRQs are forged in masses, while thousands dial in,
# while somebody talks rubbish, while the operator lists everybody.
#
# One LAC holds 500 subscribers, each probed through the server and back four times a second; another,
# at another port, makes the storm.  The topology is tests/lac/lab.sh's.
set -u
cd "$(dirname "$0")/../.." || exit 2
B=${1:-build}
D=$(mktemp -d -t storms.XXXXXX) || exit 2
. tests/lac/lab.sh
LAB=storm$$
clean() {
	trap '' INT TERM
	lab_down
	wait 2>/dev/null
	rm -rf "$D"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
lab_up "$LAB" 2>"$D/err" || { echo "SKIP namespaces cannot be made: $(cat "$D/err")"; exit 0; }
cat >"$D/startup-config" <<X
set debug 2
set log_file "$D/log"
set bind_address $LAB_SERVER
set peer_address 10.103.255.254
set tundevicename storm0
set control_socket "$D/control"
set max_sessions 50000
set cli_port 2323
X
echo '* pw' >"$D/subscribers"
echo $LAB_POOL >"$D/ip_pool"
: >"$D/users"
ip netns exec "$LAB-lns" "$B/l2tpns" -c "$D/startup-config" >"$D/out" 2>&1 &
daemon=$!
nsctl() { ip netns exec "$LAB-lns" "$B/nsctl" -s "$D/control" "$@"; }
lab_until 5 nsctl show version || { echo "FAIL start"; cat "$D/out" "$D/log"; exit 1; }
ip netns exec "$LAB-inet" "$B/lac" --is-peer --peer="$D/peer" --device=up1 &
lab_until 3 test -S "$D/peer" || { echo "FAIL peer"; exit 1; }

lac() {	# PORT ARGUMENT...
	local port=$1
	shift
	ip netns exec "$LAB-lac" "$B/lac" --server=$LAB_SERVER --local=$LAB_LAC --port="$port" --auth=chap \
		--password=pw --peer="$D/peer" "$@"
}
memory_kb() { awk '/VmRSS/ {print $2}' "/proc/$daemon/status"; }

# Hold 500 subscribers for a few seconds while the storm, given as a command, goes on.
hold() {	# NAME STORM...
	local name=$1 held
	shift
	lac 1701 --sessions=500 --user=held% up "hold time=5 interval=250" end >"$D/hold" 2>&1 &
	held=$!
	sleep 1
	"$@" >"$D/storm" 2>&1
	local storm=$?
	wait $held
	local code=$?
	if [ $code = 0 ] && [ $storm = 0 ] && kill -0 $daemon 2>/dev/null; then
		echo "ok $name: $(grep -oE 'the longest [0-9]+ ms' "$D/hold")"
	else
		echo "FAIL $name: hold ended with $code, the storm with $storm"
		sed 's/^/    | /' "$D/hold" "$D/storm" "$D/out" | cut -c1-300
	fi
}

storm_forged() {
	local before after
	before=$(memory_kb)
	lac 1702 --flood-from=10.91.0.0 "flood rate=30000 time=3" || return 1
	after=$(memory_kb)
	echo "memory before $before kB, after $after kB"
	[ $((after - before)) -lt 30000 ]
}
storm_calls() {
	lac 1703 --sessions=20000 --tunnels=4 --ports=4 --user=new% up "end how=stopccn"
}
storm_rubbish() {
	lac 1710 --sessions=300 --user=bad% --garbage=50 --duplicate=10 --reorder=10 --loss=5 --forge=20 --up-timeout=4 \
		up "end how=cdn"
	true	# how far it gets is its own affair
}
storm_lists() {
	local i
	for i in 1 2 3 4 5; do
		nsctl --json show session >/dev/null && nsctl show users >/dev/null && nsctl show histogram open >/dev/null ||
			return 1
	done
}

hold forged_sccrqs storm_forged
hold thousands_dial_in storm_calls
hold rubbish storm_rubbish
hold operator_lists_everybody storm_lists
# What the storms left behind: nothing.
if lab_until 40 eval '[ "$(nsctl --json show session | jq -r ".sessions | length")" = 0 ]'; then
	echo "ok nothing_left"
else
	echo "FAIL nothing_left"
	nsctl show session | head
fi
kill -QUIT $daemon
if wait $daemon; then echo "ok leaves_cleanly"; else echo "FAIL leaves_cleanly"; fi
