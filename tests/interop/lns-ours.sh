# lns-ours.sh -- this tree's l2tpns as the LNS, configured as its users would.

declare -A lns_pid
lns_can() { return 0; }
lns_start() {	# N
	local n=$1 d=$W/lns$1
	mkdir -p "$d"
	join "lns$n" lns0 br0 10.99.0.$n/24 && join "lns$n" up0 br1 198.18.0.1$n/24 || return 1
	on "lns$n" sysctl -qw net.ipv4.ip_forward=1
	{
		echo "set debug 3"
		echo "set log_file \"$d/log\""
		echo "set bind_address 10.99.0.$n"
		echo "set primary_dns 10.77.0.53"
		echo "set control_socket \"$d/control.sock\""
		echo "set echo_timeout 2"
		echo "set idle_echo_timeout 6"
		echo "set hello_interval 5"
		[ "$n" = 1 ] || echo "set l2tp_secret \"$secret\""
	} >"$d/startup-config"
	[ "$n" = 1 ] && echo 10.10.10.0/24 >"$d/ip_pool" || echo 10.10.30.0/24 >"$d/ip_pool"
	: >"$d/users"
	local i
	{
		echo "alice wonderland address=10.10.20.1"
		echo "bob builder"
		echo "caller1 secret1"
		echo "caller2 secret2"
		for i in $(seq 0 19); do echo "many$i pw"; done
	} >"$d/subscribers"
	ip netns exec "$P-lns$n" "$build/l2tpns" -c "$d/startup-config" >"$d/out" 2>&1 &
	lns_pid[$n]=$!
	keep $!
	soon 5 lns_users "$n" >/dev/null 2>"$d/err" || { tail -n 1 "$d/err"; cat "$d/out" "$d/log" 2>/dev/null; return 1; }
}
lns_stop() {	# N
	kill -QUIT "${lns_pid[$1]}" && wait "${lns_pid[$1]}"
}
lns_users() {	# N
	local facts
	facts=$("$build/nsctl" -s "$W/lns$1/control.sock" show session --json) && jq -r '.. | .user? // empty' <<<"$facts"
}
lns_drop() {	# N USER
	"$build/nsctl" -s "$W/lns$1/control.sock" drop user "$2"
}
