#!/bin/bash
# run.sh -- real clients dial in: xl2tpd and pppd on a Linux kernel of their own.
#
#	tests/interop/run.sh [BUILD [CASE...]]
#
# LNS=ours (default) or reference says who answers; KEEP=1 leaves logs and captures.
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "${1:-build}" && pwd) || exit 2
shift
export UML_PRELOAD=$build/uml-xstate.so
[ "$(id -u)" = 0 ] || { echo "SKIP interop needs root"; exit 0; }
[ -c /dev/net/tun ] || { echo "SKIP interop needs /dev/net/tun"; exit 0; }
[ -x /usr/bin/linux.uml ] || { echo "SKIP interop needs the package user-mode-linux"; exit 0; }
. "$here/lib.sh"
. "$here/lns-${LNS:-ours}.sh"

ping="ping -q -c 3 -i 0.2 -w 3 $inet"
down_at_once='i=0; while [ -n "$(pidof pppd)" ]; do i=$((i + 1)); [ $i -lt 100 ] || exit 9; sleep 0.1; done
	grep "closed to" /run/out/xl2tpd.log'
control_only='udp port 1701 and udp[8] & 0x80 != 0'

case_pap() { dial "$ping" AUTH=pap; }
case_chap_md5() { dial "$ping" AUTH=chap; }
case_mschapv2() { dial "$ping" AUTH=mschapv2; }
case_any() { dial "$ping" AUTH=any; }
case_pap_wrong() { dial -w 121 -p wrong true AUTH=pap; }
case_chap_md5_wrong() { dial -w 121 -p wrong true AUTH=chap; }
case_mschapv2_wrong() { dial -w 121 -p wrong true AUTH=mschapv2; }
case_unknown_user() { dial -w 121 -u nobody true AUTH=chap; }
case_fixed_address() {
	lns_can fixed || { skip "this LNS has no fixed addresses"; return; }
	dial -u alice -p wonderland "[ \$LOCAL = 10.10.20.1 ] && $ping"
}
case_pool_address() { dial -u bob -p builder "case \$LOCAL in 10.10.10.*) $ping ;; *) exit 9 ;; esac"; }
case_dns() { dial '[ "$DNS1" = 10.77.0.53 ]'; }
case_peer_address() { dial '[ -n "$REMOTE" ] && [ "$REMOTE" != 10.99.0.1 ]'; }
case_user_data_path() { dial "$ping" DATA=user; }

case_secret() { dial -l 2 "$ping" SECRET=$secret; }
case_secret_wrong() { dial -l 2 -w 122 true SECRET=wrong; }
case_secret_missing() { dial -l 2 -w 122 true; }
case_hidden() { dial -l 2 "$ping" SECRET=$secret HIDDEN=1; }

case_mtu_1300() { dial "ping -q -c 2 -i 0.2 -w 3 -M do -s 1272 $inet" MTU=1300 MRU=1300; }
case_mtu_full() { dial "ping -q -c 2 -i 0.2 -w 3 -M do -s 1432 $inet"; }
iperf() {	# one test at a time: the server serves one
	local code
	exec 8>"$W/iperf.lock"
	flock 8
	dial -f "$control_only" "iperf3 -c $inet -t 2 ${1:-}" 8>&-
	code=$?
	exec 8>&-
	return $code
}
case_iperf_up() { iperf; }
case_iperf_down() { iperf -R; }

case_hang_up() {
	dial true || return 1
	grep -q 'rcvd \[LCP TermAck' "$W/$case/pppd.log" || { echo "no Terminate-Ack for the client"; return 1; }
}
case_hang_up_l2tp() { dial true HANGUP=l2tp; }
case_vanish() {
	lns_can users || { skip "this LNS has no session table to ask"; return; }
	dial -k true HANGUP=none || return 1
	lns_users 1 | grep -q "^caller$slot\$" || { echo "the session went before the client could be missed"; return 1; }
	gone 1 "caller$slot" 15 || { echo "the LNS did not miss the client within 15 s"; return 1; }
}
case_sessions_4() { dial -u many%d -p pw "$ping" SESSIONS=4 UP_SECONDS=20; }
case_sessions_20() { dial -m 256 -u many%d -p pw "$ping" SESSIONS=20 UP_SECONDS=40; }

# From ICCN to the first echo reply through the tunnel, as the wire tells it: the LNS's own
# address on the link pings from before the call, and the client's kernel answers as soon as it
# has its address.  Until then there is no route for the requests.
case_link_up_time() {
	lns_can fixed || { skip "this LNS has no fixed addresses"; return; }
	local pinger code times
	ip netns exec "$P-lns1" ping -q -i 0.02 -I 100.64.0.1 10.10.20.1 >/dev/null 2>&1 &
	pinger=$!
	dial -u alice -p wonderland '[ $REMOTE = 100.64.0.1 ] && sleep 0.3' LIVES=6
	code=$?
	kill $pinger
	[ $code = 0 ] || return 1
	times=$(tshark -n -r "$W/$case/vec0.pcap" -Y 'l2tp.avp.message_type == 12 || (l2tp && icmp.type == 0)' \
		-T fields -e frame.time_relative -e l2tp.avp.message_type 2>/dev/null |
		awk -F '\t' '$2 ~ /12/ { began = $1; next } began != "" { printf "%d\n", ($1 - began) * 1000; began = "" }' | sort -n)
	echo "ms:" $times
	awk '{ t[NR] = $1 } END {
		printf "median %d ms from ICCN to the first echo reply, worst %d, of %d\n", t[int((NR + 1) / 2)], t[NR], NR
		exit !(NR == 7 && t[4] < 500) }' <<<"$times"
}

# An operator disconnects the user: the client is told so, and its line goes down at once.
case_drop() {
	lns_can drop || { skip "this LNS has no such command"; return; }
	local client
	dial "$down_at_once" ECHO_INTERVAL=30 &
	client=$!
	soon 15 dialled_in || { wait $client; return 1; }
	lns_drop 1 "caller$slot" || return 1
	wait $client || return 1
	grep -q 'rcvd \[LCP TermReq' "$W/$case/pppd.log" || { echo "no Terminate-Request for the client"; return 1; }
}
dialled_in() { grep -q 'up after' "$W/$case/console" 2>/dev/null; }

# Whoever was there has gone, and nothing of them is left.
case_empty() {
	lns_can users || { skip "this LNS has no session table to ask"; return; }
	local n users
	for n in 1 2; do
		users=$(lns_users $n) && [ -z "$users" ] || { echo "LNS $n still has:" $users; return 1; }
	done
}

# The LNS leaves in good order: the client is told by StopCCN, which clears its session with it
# (RFC 2661 section 5.7), and its line goes down at once, long before it would miss an echo.
case_quit() {
	lns_can quit || { skip "this LNS has no such command"; return; }
	local client begin
	dial -k "$down_at_once" ECHO_INTERVAL=30 &
	client=$!
	soon 15 dialled_in || { wait $client; return 1; }
	begin=$SECONDS
	lns_stop 1 || { echo "the LNS left with exit code $?"; return 1; }
	[ $((SECONDS - begin)) -le 3 ] || { echo "the LNS took $((SECONDS - begin)) s to leave"; return 1; }
	wait $client || return 1
	tshark -n -r "$W/$case/vec0.pcap" -Y 'ip.src == 10.99.0.1 && l2tp.avp.message_type == 4' 2>/dev/null | grep -q . ||
		{ echo "no StopCCN on the wire"; return 1; }
}

# Nothing in the logs is the LNS's own fault.
case_log() {
	lns_can log || { skip "this LNS keeps no log of ours"; return; }
	! grep -H ' bug: ' "$W"/lns?/log
}

# The referee objects to an AVP that is longer than its message, and to nothing in this run.
case_referee() {
	local bad
	printf '0000 c8 02 00 18 00 00 00 00 00 00 00 00 80 08 00 00 00 00 00 01 80 ff 00 00 00 02\n' |
		text2pcap -q -u 1701,1701 - "$W/bad.pcap" 2>/dev/null
	bad=$("$here/referee.sh" "$W/bad.pcap") && { echo "tshark found no fault with a faulty packet"; return 1; }
	mergecap -a -w "$W/all.pcapng" "$W"/*/vec0.pcap || return 1
	"$here/referee.sh" "$W/all.pcapng"
}

parallel="pap chap-md5 sessions-20 mschapv2 any pap-wrong chap-md5-wrong mschapv2-wrong unknown-user fixed-address
	pool-address dns peer-address user-data-path secret secret-wrong secret-missing hidden mtu-1300 mtu-full
	vanish hang-up hang-up-l2tp drop sessions-4 iperf-up iperf-down"
alone="link-up-time empty quit log referee"
[ $# = 0 ] || parallel= alone=$*

topology_up && lns_start 1 && lns_start 2 || { echo "FAIL interop could not begin"; exit 1; }
both_slots $parallel
for c in $alone; do judge "$c" 1; done
! grep -q ^FAIL "$W/results"
