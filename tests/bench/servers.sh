# servers.sh -- the two servers under test, each started in the lab's namespace lns; sourced, not run.
#
# Both get the same addresses and pool.  SERVER_PID is the daemon.

SERVER_PID= RADIUS_PID=

# Our daemon answers on its socket, theirs has elected itself master (its tun device has addresses).
server_ready() {
	case $1 in
	ours) "$B/nsctl" -s "$2/control" show session ;;
	theirs) ip -n "$LAB-lns" route show dev bench0 | grep -q "${LAB_POOL%%.*}" ;;
	esac
}

# set NAME VALUE lines for ours.
ours_configure() {	# DIR SESSIONS WORKERS
	mkdir -p "$1"
	cat >"$1/startup-config" <<-END
		set bind_address $LAB_SERVER
		set tundevicename bench0
		set peer_address 10.103.255.254
		set control_socket $1/control
		set workers $3
		set max_sessions $2
		set debug 0
		set log_file $1/log
		${OURS_SET:-}
	END
	echo '* secret' >"$1/subscribers"
	echo $LAB_POOL >"$1/ip_pool"
	: >"$1/users"
}

# It keeps at most 131,072 pool addresses and 60,000 sessions; duplicate names allowed spares it a walk.
theirs_configure() {	# DIR
	mkdir -p "$1"
	cat >"$1/startup-config" <<-END
		set debug 0
		set log_file "$1/log"
		set pid_file "$1/pid"
		set bind_address $LAB_SERVER
		set tundevicename "bench0"
		set peer_address 10.103.255.254
		set primary_radius 127.0.0.1
		set primary_radius_port 1812
		set radius_accounting no
		set radius_secret "bench"
		set radius_authtypes "chap"
		set allow_duplicate_users yes
		set cli_bind_address 127.0.0.1
		set send_garp no
		set cluster_address 239.192.13.77
		set cluster_interface lo
		set cluster_hb_interval 1
		set cluster_hb_timeout 5
		${THEIRS_SET:-}
	END
	echo "${LAB_POOL%/*}/16" >"$1/ip_pool"
	: >"$1/users"
}

server_start() {	# ours|theirs DIR SESSIONS [WORKERS]
	case $1 in
	ours)
		ours_configure "$2" "$3" "${4:-1}"
		ip netns exec "$LAB-lns" "$B/l2tpns" -c "$2/startup-config" >"$2/out" 2>&1 &
		SERVER_PID=$!
		;;
	theirs)
		theirs_configure "$2"
		ip netns exec "$LAB-lns" "$B/bench/radius" bench >"$2/radius.out" 2>&1 &
		RADIUS_PID=$!
		# A session of its own: at its end it kills its whole process group.  Its ip_pool has a fixed
		# path: it gets a private /etc/l2tpns.
		setsid ip netns exec "$LAB-lns" unshare -m sh -c \
			"mount --bind $2 /etc/l2tpns && exec /usr/sbin/l2tpns -c /etc/l2tpns/startup-config" \
			>"$2/out" 2>&1 &
		SERVER_PID=$!
		;;
	esac
	lab_until 20 server_ready "$1" "$2" || {
		echo "bench: $1 did not come up; its log:" >&2
		tail -n 20 "$2/out" "$2/log" >&2
		return 1
	}
}

server_stop() {
	local p
	for p in $SERVER_PID $RADIUS_PID; do
		kill "$p" 2>/dev/null
	done
	for p in $SERVER_PID $RADIUS_PID; do
		lab_until 5 eval "! kill -0 $p" || kill -KILL "$p" 2>/dev/null
		wait "$p" 2>/dev/null
	done
	SERVER_PID= RADIUS_PID=
}
