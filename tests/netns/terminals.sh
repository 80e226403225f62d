#!/bin/bash
# terminals.sh -- the telnet CLI: logins, enable, abbreviations, secrets, a terminal that does not read.
. "$(dirname "$0")/lib.sh"

telnet() {	# SECONDS LINE...
	in_ns python3 "$(dirname "$0")/telnet.py" 127.0.0.1 2323 "$@" >"$D/seen" 2>&1
}
remote() {	# the same from an address that is not loopback's
	in_ns python3 "$(dirname "$0")/telnet.py" 10.94.0.1 2323 "$@" >"$D/seen" 2>&1
}
case_loopback_needs_no_login() {
	start && telnet 5 'show version' quit && says 'l2tpns' "$D/seen" && stop TERM 2
}
case_abbreviations_and_neighbours() {
	start && telnet 6 'sh ver' 'sh conuters' quit && says 'l2tpns' "$D/seen" && says 'counters' "$D/seen" && stop TERM 2
}
case_enable_is_needed_to_act() {
	start && telnet 6 'drop session 1' quit && ! grep -qi 'no session' "$D/seen" &&
		telnet 8 enable wrong-pw 'drop session 1' quit && ! grep -qi 'no session 1' "$D/seen" &&
		telnet 8 enable enable-pw 'drop session 1' quit && says '[Nn]o session' "$D/seen" && stop TERM 2
}
case_secrets_only_after_enable() {
	start && telnet 6 'write terminal' 'show running-config' quit && ! grep -q sesame-tunnel "$D/seen" &&
		telnet 8 enable enable-pw 'show running-config' quit && says sesame-tunnel "$D/seen" &&
		! grep -q sesame-tunnel "$D/log" && stop TERM 2
}
case_remote_logins() {
	sed -i '/cli_port/a set cli_bind_address 0.0.0.0' "$D/startup-config"
	ip -n "$NS" addr add 10.94.0.1/32 dev lo 2>/dev/null
	start && remote 6 oper telnet-pw 'show version' quit && says 'program: +l2tpns' "$D/seen" || return 1
	remote 6 oper nonsense 'show version' quit
	! grep -q 'program:' "$D/seen" && stop TERM 2
}
case_set_applies_live() {
	start && telnet 10 enable enable-pw 'configure terminal' 'set primary_dns 10.3.3.3' exit \
		'show running-config' quit && says 'primary_dns 10.3.3.3' "$D/seen" && stop TERM 2
}
case_pipes() {
	start && telnet 6 'show counters | include AVP_LEN' quit && says AVP_LEN "$D/seen" &&
		! grep -q NS_OLD "$D/seen" && stop TERM 2
}
case_debug_shows_the_log() {
	start || return 1
	in_ns python3 "$(dirname "$0")/telnet.py" 127.0.0.1 2323 6 enable enable-pw 'debug all' @read >"$D/seen" 2>&1 &
	local terminal=$!
	sleep 1.5
	kill -HUP "$pid"
	wait $terminal
	says 'reload|read again|configuration' "$D/seen" && stop TERM 2
}
case_stalled_terminal_holds_nobody_up() {
	start || return 1
	local i terminals=()
	for i in 1 2 3; do
		in_ns python3 "$(dirname "$0")/telnet.py" 127.0.0.1 2323 6 'show running-config all' '@stall' >/dev/null 2>&1 &
		terminals+=($!)
	done
	sleep 0.5
	local begin=$(($(date +%s%N) / 1000000))
	for i in 1 2 3 4 5; do nsctl show counters >/dev/null || return 1; done
	[ $(($(date +%s%N) / 1000000 - begin)) -lt 1500 ] || { echo "nsctl was held up"; return 1; }
	stop TERM 2
	local code=$?
	kill "${terminals[@]}" 2>/dev/null
	wait "${terminals[@]}" 2>/dev/null
	return $code
}
let_in() {
	telnet 5 'show version' quit && grep -q 'program:' "$D/seen"
}
case_too_many_terminals() {
	start || return 1
	local i terminals=()
	for i in $(seq 20); do
		in_ns python3 "$(dirname "$0")/telnet.py" 127.0.0.1 2323 4 '@stall' >/dev/null 2>&1 &
		terminals+=($!)
	done
	sleep 1
	nsctl show version >/dev/null
	local code=$?
	kill "${terminals[@]}" 2>/dev/null
	wait "${terminals[@]}" 2>/dev/null
	[ $code = 0 ] && soon 5 let_in && stop TERM 2
}

judge loopback_needs_no_login abbreviations_and_neighbours enable_is_needed_to_act secrets_only_after_enable \
	remote_logins set_applies_live pipes debug_shows_the_log stalled_terminal_holds_nobody_up too_many_terminals
