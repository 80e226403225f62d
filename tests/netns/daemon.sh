#!/bin/bash
# daemon.sh -- how the daemon starts, reads its files, answers signals and gives up privileges.
. "$(dirname "$0")/lib.sh"

refused() {	# PATTERN: it does not start, code 1, and says so
	timeout 5 ip netns exec "$NS" "$build/l2tpns" -c "$D/startup-config" >"$D/out" 2>&1
	local code=$?
	[ $code = 1 ] || { echo "exit code $code, wanted 1"; cat "$D/out"; return 1; }
	says "$1" "$D/out"
}
case_unknown_option_names_line_and_neighbour() {
	echo 'set primary_dsn 10.0.0.1' >>"$D/startup-config"
	refused 'startup-config:10: .*primary_dsn.*primary_dns'
}
case_bad_value_is_refused() {
	echo 'set l2tp_mtu 99999' >>"$D/startup-config"
	refused 'startup-config:10: .*l2tp_mtu'
}
case_missing_file_is_refused() {
	rm "$D/startup-config"
	refused 'startup-config.*No such file'
}
case_bad_pool_is_refused() {
	echo '10.97.0.128/25' >>"$D/ip_pool"
	refused 'ip_pool'
}
case_option_of_later_work_is_warned_about() {
	echo 'set radius_accounting yes' >>"$D/startup-config"
	start && says 'radius_accounting' "$D/log" && stop TERM 2
}
case_bad_subscriber_is_named_and_skipped() {
	printf 'carl\nann again\ndora pw bogus=1\n' >>"$D/subscribers"
	start && says 'subscribers:3' "$D/log" && says 'subscribers:4' "$D/log" && says 'subscribers:5' "$D/log" &&
		! grep -q 'secret1' "$D/log" && stop TERM 2
}
case_socket_mode() {
	start && [ "$(stat -c %a "$D/control.sock")" = 660 ] && stop TERM 2 && [ ! -e "$D/control.sock" ]
}
case_second_daemon_is_refused() {
	start || return 1
	sed "s/tunt/tunu/; s/2323/2324/; s/127.0.0.1/127.0.0.2/; s#$D/log#$D/log2#" "$D/startup-config" >"$D/second"
	timeout 5 ip netns exec "$NS" "$build/l2tpns" -c "$D/second" >"$D/out2" 2>&1
	[ $? = 1 ] && says 'control.sock' "$D/out2" && answers && stop TERM 2
}
case_privileges_are_given_up() {
	start || return 1
	local task name eff bound
	for task in /proc/$pid/task/*; do
		name=$(cat "$task/comm"); eff=$(awk '/CapEff/ {print $2}' "$task/status")
		case $task in
		*/$pid) [ "$eff" = 0000000000001000 ] || { echo "main thread has $eff"; return 1; } ;;
		*) [ "$eff" = 0000000000000000 ] || { echo "thread $name has $eff"; return 1; } ;;
		esac
	done
	bound=$(awk '/CapBnd/ {print $2}' "/proc/$pid/status")
	[ "$bound" = 0000000000001000 ] || { echo "bounding set $bound"; return 1; }
	[ "$(awk '/NoNewPrivs/ {print $2}' "/proc/$pid/status")" = 1 ] && stop TERM 2
}
case_term_leaves_at_once() {
	start && stop TERM 1 && ! ip -n "$NS" link show tunt >/dev/null 2>&1
}
case_quit_leaves_cleanly() {
	start && stop QUIT 2 && says 'leaving: closing' "$D/log"
}
case_pool_route_is_there() {
	start && ip -n "$NS" route show | grep -q '10.97.0.0/24 dev tunt proto 170' && stop TERM 2
}
case_reload_applies_what_can_be() {
	start || return 1
	sed -i 's/set debug 4/set debug 2/' "$D/startup-config"
	echo 'set primary_dns 10.1.1.1' >>"$D/startup-config"
	echo '10.95.0.0/24' >>"$D/ip_pool"
	kill -HUP "$pid"
	soon 3 eval 'nsctl show running-config | grep -q "primary_dns 10.1.1.1"' &&
		soon 3 eval 'ip -n "$NS" route show | grep -q "10.95.0.0/24 dev tunt"' && stop TERM 2
}
case_bad_reload_changes_nothing() {
	start || return 1
	echo 'set primary_dns 10.1.1.1' >>"$D/startup-config"
	echo 'set nonsense 1' >>"$D/startup-config"
	nsctl reload >"$D/reload" 2>&1
	[ $? = 1 ] || { echo "reload did not fail"; return 1; }
	says 'startup-config:11' "$D/log" && ! nsctl show running-config | grep -q 10.1.1.1 && stop TERM 2
}
case_log_is_reopened() {
	start || return 1
	mv "$D/log" "$D/log.1"
	kill -HUP "$pid"
	soon 3 test -s "$D/log" && stop TERM 2
}
case_service_manager_is_told() {
	cat >"$D/notify.py" <<-'X'
	import os, socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); s.settimeout(8)
	try:
	    while True:
	        print(s.recv(4096).decode().replace("\n", " "), flush=True)
	except socket.timeout:
	    pass
	X
	python3 "$D/notify.py" "$D/notify.sock" >"$D/notified" 2>&1 &
	local listener=$!
	soon 3 test -S "$D/notify.sock" || return 1
	NOTIFY_SOCKET=$D/notify.sock WATCHDOG_USEC=400000 start || return 1
	soon 3 grep -q READY=1 "$D/notified" && soon 3 grep -q WATCHDOG=1 "$D/notified" || { cat "$D/notified"; return 1; }
	kill -HUP "$pid"
	soon 3 grep -q RELOADING=1 "$D/notified" || { cat "$D/notified"; return 1; }
	stop QUIT 3 && soon 3 grep -q STOPPING=1 "$D/notified"
	local code=$?
	kill $listener
	return $code
}
case_nsctl_exit_codes() {
	start || return 1
	nsctl show version >/dev/null || { echo "show version: $?"; return 1; }
	nsctl drop session 77 2>/dev/null; [ $? = 1 ] || { echo "no such session"; return 1; }
	nsctl --nonsense 2>/dev/null; [ $? = 2 ] || { echo "usage"; return 1; }
	"$build/nsctl" -s "$D/nowhere.sock" show version 2>/dev/null; [ $? = 3 ] || { echo "unreachable"; return 1; }
	nsctl --json show counters | jq -e . >/dev/null && nsctl --json show session | jq -e . >/dev/null && stop TERM 2
}
case_write_memory_round_trips() {
	start || return 1
	nsctl set primary_dns 10.2.2.2 >/dev/null && nsctl write memory >/dev/null && stop TERM 2 || return 1
	says 'primary_dns 10.2.2.2' "$D/startup-config" && says 'sesame-tunnel' "$D/startup-config" &&
		[ "$(stat -c %a "$D/startup-config")" != 666 ] && start && stop TERM 2
}
case_detached_start_writes_its_pid() {
	echo "set pid_file \"$D/pid\"" >>"$D/startup-config"
	ip netns exec "$NS" "$build/l2tpns" -d -c "$D/startup-config" >"$D/out" 2>&1 || return 1
	soon 5 answers && soon 2 test -s "$D/pid" || { cat "$D/out" "$D/log"; return 1; }
	local other
	other=$(cat "$D/pid")
	kill -TERM "$other" && soon 3 eval '! kill -0 '"$other"
}

judge unknown_option_names_line_and_neighbour bad_value_is_refused missing_file_is_refused bad_pool_is_refused \
	option_of_later_work_is_warned_about bad_subscriber_is_named_and_skipped socket_mode \
	second_daemon_is_refused privileges_are_given_up term_leaves_at_once quit_leaves_cleanly pool_route_is_there \
	reload_applies_what_can_be bad_reload_changes_nothing log_is_reopened service_manager_is_told \
	nsctl_exit_codes write_memory_round_trips detached_start_writes_its_pid
