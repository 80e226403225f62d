# lib.sh -- one daemon in a namespace of its own, a directory for its files, and judging a case.
#
#	namespace $NS
#	  lac0 10.98.0.2 -- lns0 10.98.0.1   l2tpns, tun device, control socket in $D
#
# (both ends of the veth pair are in one namespace only when a test joins them; most need lo.)
set -u
build=${1:-build}
NS=daemon$$
D=$(mktemp -d -t daemon.XXXXXX) || exit 2
pid=

in_ns() { ip netns exec "$NS" "$@"; }
nsctl() { in_ns "$build/nsctl" -s "$D/control.sock" "$@"; }
clean() {
	trap '' INT TERM
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	wait 2>/dev/null
	ip netns del "$NS" 2>/dev/null
	rm -rf "$D"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
ip netns add "$NS" && ip -n "$NS" link set lo up || { echo "SKIP namespace cannot be made: $NS"; exit 0; }

base_config() {
	cat <<-X
	set debug 4
	set log_file "$D/log"
	set bind_address 127.0.0.1
	set peer_address 10.97.0.1
	set tundevicename tunt
	set control_socket "$D/control.sock"
	set cli_port 2323
	set workers 1
	set l2tp_secret "sesame-tunnel"
	X
}
files() {	# fresh ones
	base_config >"$D/startup-config"
	echo 10.97.0.0/24 >"$D/ip_pool"
	printf 'ann secret1\nbob secret2 address=10.96.0.9\n' >"$D/subscribers"
	printf 'oper:telnet-pw\nenable:enable-pw\n' >"$D/users"
	rm -f "$D/log"
}
soon() {	# SECONDS COMMAND...: does it succeed within that time?
	local end=$(($(date +%s%N) / 1000000 + $1 * 1000))
	shift
	until "$@" 2>/dev/null; do
		[ $(($(date +%s%N) / 1000000)) -lt $end ] || return 1
		sleep 0.03
	done
}
answers() { nsctl show version >/dev/null 2>&1; }
start() {	# extra arguments
	ip netns exec "$NS" "$build/l2tpns" -c "$D/startup-config" "$@" >"$D/out" 2>&1 &
	pid=$!
	soon 5 answers || { echo "did not come up:"; cat "$D/out" "$D/log" 2>/dev/null; return 1; }
}
stop() {	# SIGNAL SECONDS: it must end by itself, with code 0
	local end
	kill "-$1" "$pid" || return 1
	end=$(($(date +%s%N) / 1000000 + $2 * 1000))
	while kill -0 "$pid" 2>/dev/null; do
		[ $(($(date +%s%N) / 1000000)) -lt $end ] || { echo "still there $2 s after SIG$1"; return 1; }
		sleep 0.02
	done
	wait "$pid"
	local code=$?
	pid=
	[ $code = 0 ] || { echo "exit code $code"; return 1; }
}
says() {	# PATTERN FILE: it does, or will within moments
	soon 2 grep -qE "$1" "$2" || { echo "no \"$1\" in:"; cat "$2"; return 1; }
}
judge() {	# CASE...: each in a shell of its own, with fresh files
	local case code=0
	for case; do
		files
		if (trap - EXIT; "case_$case"; code=$?; [ -z "$pid" ] || { kill -KILL "$pid"; wait "$pid"; } 2>/dev/null; exit $code) \
			>"$D/case" 2>&1; then
			echo "ok $case"
		else
			echo "FAIL $case"
			sed 's/^/    | /' "$D/case" | tail -n 40
			code=1
		fi
	done
	return $code
}
