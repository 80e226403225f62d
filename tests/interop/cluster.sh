#!/bin/bash
# cluster.sh -- real clients on a cluster: the master dies, or hands over, and they do not notice.
#
#	tests/interop/cluster.sh [BUILD [CASE...]]
#
# Each slot has a cluster of three nodes of its own, which stays for its next case: nodes that
# died are started again, so that terms go up and tables are copied between the cases too.  After
# a case that failed there is a new one.
# SLOTS=1 runs one case at a time, SLOT=2 named cases in the second slot; KEEP=1 leaves logs and captures.
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-build}" && pwd) || exit 2
shift
export UML_PRELOAD=$build/uml-xstate.so
[ "$(id -u)" = 0 ] || { echo "SKIP interop-cluster needs root"; exit 0; }
[ -c /dev/net/tun ] || { echo "SKIP interop-cluster needs /dev/net/tun"; exit 0; }
[ -x /usr/bin/linux.uml ] || { echo "SKIP interop-cluster needs the package user-mode-linux"; exit 0; }
. "$here/lib.sh"
. "$here/../lac/cluster_lab.sh"
B=$build	# as the lab calls it

inet=$CLAB_PEER client_route=$CLAB_PEER/32
client_wire() { echo "$P-c$slot-lan"; }
relayed=
server_of() { [ -z "$relayed" ] && echo $CLAB_SERVICE || echo $CLAB_LAC; }
client_at() { echo "10.90.0.10$1/16"; }
NODES=3
CLAB_MORE="set debug 4
set l2tp_secret \"$secret\"
set echo_timeout 2
set idle_echo_timeout 6
set hello_interval 3"

# ---- the cluster of a slot ----
labs_down() {
	trap '' INT TERM
	local s
	[ ${#kept[@]} = 0 ] || kill "${kept[@]}" 2>/dev/null
	for s in 1 2; do CLAB=$P-c$s CLAB_NODES=$NODES; clab_down; done
	topology_down
}
trap labs_down EXIT

healthy() {	# all nodes there, one master, everybody up to date
	[ ${#CLAB_PID[@]} = $NODES ] && clab_one_master && clab_in_sync
}
cluster() {	# up, whatever the case before left
	local n
	CLAB_DIR=$W/lab$slot
	for ((n = 1; n <= NODES; n++)); do
		[ -z "${CLAB_PID[$n]:-}" ] || kill -0 "${CLAB_PID[$n]}" 2>/dev/null || { echo "node $n has died"; tell; return 1; }
	done
	if [ ! -d "$CLAB_DIR" ]; then
		mkdir -p "$CLAB_DIR" && clab_up "$P-c$slot" $NODES owned && clab_files || { echo "no lab"; return 1; }
	fi
	for ((n = 1; n <= NODES; n++)); do [ -n "${CLAB_PID[$n]:-}" ] || clab_start "$n"; done
	clab_soon 8 healthy || { echo "the cluster is not up"; tell; return 1; }
	master=$(clab_master)
	for ((n = 1; n <= NODES; n++)); do log_from[$n]=$(($(wc -c <"$CLAB_DIR/node$n/log") + 1)); done
}
declare -A log_from
log_of() { tail -c "+${log_from[$1]}" "$CLAB_DIR/node$1/log"; }	# NODE: what it said since the case began
tell() {
	local n
	for ((n = 1; n <= NODES; n++)); do
		echo "--- node $n"
		log_of "$n" 2>/dev/null | tail -n 40
		tail -n 5 "$CLAB_DIR/node$n/out" 2>/dev/null
		clab_ctl "$n" show cluster 2>&1 | head -n 16
	done
}
lns_can() { [ "$1" = users ]; }
lns_users() {	# of every node that runs, whoever is master
	local n facts
	for n in "${!CLAB_PID[@]}"; do
		facts=$(clab_ctl "$n" show session --json) && jq -r '.. | .user? // empty' <<<"$facts" || return 1
	done
}
users_at() { clab_ctl "$1" show session --json | jq -r '.. | .user? // empty'; }	# NODE
everywhere() {	# USER NUMBER: so many sessions of that user, on every node that runs
	local n
	for n in "${!CLAB_PID[@]}"; do [ "$(users_at "$n" | grep -cx "$1")" = "$2" ] || return 1; done
}
tunnels_nowhere() {
	local n
	for n in "${!CLAB_PID[@]}"; do [ "$(clab_ctl "$n" show tunnel --json | jq '.tunnels | length')" = 0 ] || return 1; done
}

# ---- the client ----
dial_cluster() {	# dial in the background; the client's end is client_done's to wait for
	dial -k -p secret "$@" "SECRET=$secret" &
	client=$!
	trap 'kill $client; wait $client; exit 143' TERM
}
client=
case_over() {	# CODE
	[ -z "$client" ] || { kill $client; wait $client; } 2>/dev/null
	client=
	[ "$1" = 0 ] || [ ! -d "${CLAB_DIR:-/none}" ] || { clab_down; CLAB_PID=(); mv "$CLAB_DIR" "$W/$case/lab"; }
}
dialled_in() { grep -q 'up after' "$W/$case/console" 2>/dev/null; }
dialled() {
	dial_cluster "$@"
	soon 20 dialled_in || { tell; return 1; }
}
client_done() {	# it ended well, and no node has anything of it left
	[ -z "$client" ] || wait $client || { client=; tell; return 1; }
	client=
	clab_soon 3 everywhere "caller$slot" 0 || { echo "a session is left"; tell; return 1; }
	clab_soon 10 tunnels_nowhere || { echo "a tunnel is left"; tell; return 1; }
}
go() { : >"$W/$case/go"; }	# what the client's command waits for
await_go='i=0; while [ ! -e /run/out/go ]; do i=$((i + 1)); [ $i -lt 400 ] || exit 9; sleep 0.05; done'
ping="ping -q -c 3 -i 0.2 -w 3 $inet"

# What pings there were in the client's own count, sent every MS: the longest silence, and how many had no answer.
pings() {	# MS
	awk -v ms="$1" '
	/bytes from/ && match($0, /icmp_seq=[0-9]+/) {
		seq = substr($0, RSTART + 9, RLENGTH - 9) + 0
		if (seq in seen) next
		seen[seq] = 1; got++
		if (seq - last > gap) gap = seq - last
		last = seq
	}
	/packets transmitted/ { sent = $1 }
	END { print (gap + 0) * ms, sent - got, sent + 0, (sent - last) * ms }' "$W/$case/ping"
}
silent_at_most() {	# MS-BETWEEN-PINGS MS LOST
	local gap lost sent end
	read -r gap lost sent end <<<"$(pings "$1")"
	echo "silent for $gap ms, lost $lost of $sent pings"
	[ "$sent" -gt 0 ] && [ "$gap" -le "$2" ] && [ "$lost" -le "$3" ] && [ "$end" -le 500 ] ||
		{ echo "no answer for the last $end ms"; tail -n 5 "$W/$case/ping"; tell; return 1; }
}
# What passed on the client's wire since the master was killed, a line each: from the client or the LNS,
# l2tp TYPE NS NR or ppp CODE.
wire() {
	tshark -n -r "$W/$case/vec0.pcap" -Y "frame.time_epoch >= $killed_at && l2tp" \
		-T fields -E occurrence=f -E separator=/s -e ip.src -e l2tp.type -e l2tp.avp.message_type \
		-e l2tp.Ns -e l2tp.Nr -e ppp.code 2>/dev/null |
		awk -v lns=$CLAB_SERVICE '{ who = $1 == lns ? "lns" : "client" }
		$2 == 1 && NF >= 5 { print who, "l2tp", $3, $4, $5; next }
		$2 == 1 { print who, "l2tp", "ack", $3, $4; next }
		NF == 3 { print who, "ppp", $3 }' >"$W/$case/wire"
}
count() { grep -cE "^$1( |\$)" "$W/$case/wire"; }
hello_answered() {	# the client's Nr went past the Ns of a HELLO
	wire
	awk '$1 == "lns" && $3 == 6 { hello = $4; asked = 1 }
		$1 == "client" && $2 == "l2tp" && asked && $5 == (hello + 1) % 65536 { answered = 1 }
		END { exit !answered }' "$W/$case/wire"
}

# ---- what happens to the master ----
kill_master() {
	killed_at=$EPOCHREALTIME
	clab_signal "$master" KILL; clab_gone "$master"
	dead=$master master=
}
new_master() {
	clab_soon 5 clab_one_master || { echo "no new master"; tell; return 1; }
	master=$(clab_master)
	[ -n "$master" ] || return 1
	log_of "$dead" >"$W/$case/dead.log"
	clab_start "$dead"	# it comes back while the client is at work
}

# ---- the cases ----
case_pings_on() {
	cluster && dialled "ping -i 0.1 -w 7 $inet >/run/out/ping" || return 1
	sleep 1
	kill_master
	new_master && client_done && silent_at_most 100 1500 15
}

# Harm comes to the master at one packet of the client's way in, which the client sees or not: another
# master takes it the rest of its way, and the first one never had it up.
harmed_at() {	# PACKET seen|lost, as relay.py has them, COMMAND...
	local relay code
	ip netns exec "$CLAB-lac" "$here/relay.py" $CLAB_LAC $CLAB_SERVICE "$@" >"$W/$case/relay" &
	relay=$!
	relayed=1
	dial_cluster "$ping" UP_SECONDS=15
	relayed=
	soon 20 test -s "$W/$case/relay" && harmed && client_done
	code=$?
	kill $relay
	[ -s "$W/$case/relay" ] || { echo "no such packet came by"; tell; return 1; }
	[ $code = 0 ] || return 1
	[ "$1" = ipcp-ack ] || ! grep -q 'session up' "$W/$case/dead.log" || { echo "the master got too far"; return 1; }
	[ "$(grep -c 'sent \[LCP TermReq' "$W/$case/pppd.log")" = 1 ] || { echo "it dialled more than once"; return 1; }
}
dies_at() {	# PACKET seen|lost
	cluster || return 1
	harmed() { clab_gone "$master"; dead=$master; new_master; }
	harmed_at "$@" kill -KILL "${CLAB_PID[$master]}"
}
case_dies_at_icrq() { dies_at icrq lost; }
case_dies_at_iccn() { dies_at iccn lost; }
case_dies_at_lcp() { dies_at lcp-ack seen; }
case_dies_at_response() { dies_at response lost; }
case_dies_at_success() { dies_at success seen; }
case_success_is_lost() { dies_at success lost; }
case_dies_at_ipcp() { dies_at ipcp-ack seen; }

# A master that the others do not hear must not tell the client more than they know (it would have it up
# within 10 ms), and comes back as a slave.
case_cut_off_at_lcp() {
	cluster || return 1
	local first=$master
	harmed() {
		clab_soon 5 another_master || { echo "no new master"; tell; return 1; }
		wait $client || { client=; tell; return 1; }
		client=
		log_of "$first" >"$W/$case/dead.log"
		clab_link wire "n$first" up
		clab_soon 5 healthy || { echo "not one cluster again"; tell; return 1; }
	}
	harmed_at lcp-ack seen ip -n "$CLAB-wire" link set "n$first" down
}
another_master() { clab_master | grep -qvx "$first"; }

# The call ends, the tunnel stays, and there is another call in it; all that with the new master, which
# has the tunnel's secret, its numbers and its timers from the old one.
case_second_session() {
	cluster && dialled "$await_go
		kill \$(pidof pppd)
		i=0; while [ -n \"\$(pidof pppd)\" ]; do i=\$((i + 1)); [ \$i -lt 100 ] || exit 8; sleep 0.05; done
		rm /run/up.0
		echo 'c s' >/run/xl2tpd.0.ctl
		i=0; while [ ! -e /run/up.0 ]; do i=\$((i + 1)); [ \$i -lt 200 ] || exit 7; sleep 0.05; done
		$ping" || return 1
	kill_master
	new_master || return 1
	soon 8 hello_answered || { echo "no HELLO was answered"; tell; return 1; }
	go
	client_done || return 1
	wire
	[ "$(count '.* l2tp 1')" = 0 ] && [ "$(count 'client l2tp 12')" = 1 ] ||
		{ echo "not a second session in the same tunnel"; cat "$W/$case/wire"; return 1; }
}
case_hang_up() {
	cluster && dialled "$await_go" || return 1
	kill_master
	new_master && clab_soon 3 everywhere "caller$slot" 1 || { echo "not known everywhere"; tell; return 1; }
	go
	client_done || return 1
	grep -q 'rcvd \[LCP TermAck' "$W/$case/pppd.log" || { echo "no Terminate-Ack for the client"; return 1; }
}
case_handover() {
	cluster && dialled "ping -i 0.05 -w 4 $inet >/run/out/ping" || return 1
	local to=$((master % NODES + 1))
	sleep 1.5
	clab_ctl "$master" cluster handover "$to" || { tell; return 1; }
	clab_soon 2 eval "[ \"\$(clab_master)\" = $to ]" || { echo "not $to"; tell; return 1; }
	client_done && silent_at_most 50 500 5
}
echoes() {	# WHO-ASKS WHO-ANSWERS AT-LEAST
	local asked=$(count "$1 ppp 9") answered=$(count "$2 ppp 10")
	echo "the $1 asked for $asked echoes and got $answered"
	[ "$answered" -ge "$3" ] && [ $((asked - answered)) -le 1 ]
}
# The client asks for an echo every 5 s, the LNS when it heard nothing for 2 s, and every 3 s by HELLO.
case_idle() {
	cluster && dialled "$await_go" ECHO_INTERVAL=5 || return 1
	kill_master
	new_master || return 1
	sleep 20
	hello_answered || { echo "no HELLO was answered"; cat "$W/$case/wire"; tell; return 1; }
	[ "$(count '.* l2tp (4|14)')$(count '.* ppp 5')" = 00 ] ||
		{ echo "somebody gave up"; cat "$W/$case/wire"; tell; return 1; }
	[ "$(count 'lns l2tp 6')" -ge 5 ] || { echo "too few HELLOs"; cat "$W/$case/wire"; return 1; }
	echoes client lns 3 && echoes lns client 3 || { tell; return 1; }
	go
	client_done
}

case_log() { ! grep -H ' bug: ' "$W"/lab?/node?/log "$W"/*/lab/node?/log 2>/dev/null; }
case_referee() {
	mergecap -a -w "$W/all.pcapng" "$W"/*/vec0.pcap && "$here/referee.sh" "$W/all.pcapng"
}

parallel="idle pings-on second-session handover dies-at-icrq hang-up dies-at-iccn dies-at-lcp dies-at-response
	dies-at-success success-is-lost dies-at-ipcp cut-off-at-lcp"
alone="log referee"
[ $# = 0 ] || parallel= alone=$*

[ -z "$parallel" ] || both_slots $parallel
for c in $alone; do judge "$c" "${SLOT:-1}"; done
! grep -q ^FAIL "$W/results"
