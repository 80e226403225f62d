# cluster_lab.sh -- the network that a cluster's demo, stories and bench run in; sourced, not run.
#
#	          N-lan: one switch                 N-wire: the cluster's own
#	 lac0 .2 ---+--- lan0 .11  node 1  cl0 .1 ---+
#	            +--- lan0 .12  node 2  cl0 .2 ---+
#	inet0 .3 ---+--- lan0 .13  node 3  cl0 .3 ---+
#
# 10.90.0.0/16 is the LAN, 10.89.0.0/24 the cluster's wire; with CLAB_WIRES=2 there is wire2 as well,
# 10.87.0.0/24, on cl1.  The service address 10.90.0.1 belongs to the master (how=owned), or to every
# node (how=spread): the LAC's packets are spread over them, and so are the Internet's, by a router
# that has .3 then, with the Internet's host behind it.  The subscribers' pool, 10.100.0.0/14, is reached
# through it.  CLAB_DIR/nodeN has each node's files.  Everything is in namespaces CLAB-*, which clab_down
# removes.

CLAB_SERVICE=10.90.0.1 CLAB_LAC=10.90.0.2 CLAB_PEER=10.90.0.3 CLAB_POOL=10.100.0.0/14

clab_in() {	# nNUMBER | lac | inet | router | wire | lan: COMMAND...
	local ns=$CLAB-$1
	shift
	ip netns exec "$ns" "$@"
}
clab_port() {	# SWITCH NAMESPACE DEVICE ADDRESS
	ip -n "$CLAB-$1" link add "$2" type veth peer name "$3" netns "$CLAB-$2" &&
		ip -n "$CLAB-$1" link set "$2" master br0 up &&
		ip -n "$CLAB-$2" addr add "$4" dev "$3" && ip -n "$CLAB-$2" link set "$3" up
}
clab_spaces() { echo lac inet ${CLAB_INNER:-} $(seq -f n%g "${CLAB_NODES:-0}") lan wire ${CLAB_SECOND:-}; }
clab_router() {	# NODE...: where the router sends the LAC's and the Internet's packets from now on
	local n hops=
	for n; do hops="$hops nexthop via 10.90.0.$((10 + n))"; done
	ip -n "$CLAB-lac" route replace $CLAB_SERVICE/32 $hops && ip -n "$CLAB-router" route replace $CLAB_POOL $hops
}
clab_inet() {	# a host of the Internet, on the LAN or behind a router
	[ -n "$CLAB_INNER" ] || { clab_port lan inet inet0 $CLAB_PEER/16; return; }
	clab_port lan router r0 10.90.0.3/16 &&
		ip -n "$CLAB-router" link add in0 type veth peer name inet0 netns "$CLAB-inet" &&
		ip -n "$CLAB-router" addr add 10.91.0.1/24 dev in0 && ip -n "$CLAB-router" link set in0 up &&
		ip -n "$CLAB-inet" addr add $CLAB_PEER/24 dev inet0 && ip -n "$CLAB-inet" link set inet0 up &&
		ip -n "$CLAB-inet" route add default via 10.91.0.1
}
clab_up() {	# NAME NODES owned|spread
	local n ns
	CLAB=$1 CLAB_NODES=$2 CLAB_HOW=$3 CLAB_SECOND= CLAB_INNER= CLAB_PEER=10.90.0.3
	[ "$CLAB_HOW" = owned ] || CLAB_INNER=router CLAB_PEER=10.91.0.2
	[ "${CLAB_WIRES:-1}" = 1 ] || CLAB_SECOND=wire2
	for ns in $(clab_spaces); do
		ip netns add "$CLAB-$ns" && ip -n "$CLAB-$ns" link set lo up || return 1
		clab_in "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 \
			net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
			net.ipv4.conf.all.arp_notify=0 net.ipv4.conf.default.arp_accept=1
	done
	for ns in lan wire $CLAB_SECOND; do
		ip -n "$CLAB-$ns" link add br0 type bridge mcast_snooping 0 && ip -n "$CLAB-$ns" link set br0 up || return 1
	done
	clab_port lan lac lac0 $CLAB_LAC/16 && clab_inet || return 1
	for ((n = 1; n <= CLAB_NODES; n++)); do
		clab_port lan n$n lan0 10.90.0.$((10 + n))/16 && clab_port wire n$n cl0 10.89.0.$n/24 || return 1
		[ -z "$CLAB_INNER" ] || ip -n "$CLAB-n$n" route add $CLAB_PEER via 10.90.0.3 || return 1
		[ -z "$CLAB_SECOND" ] || clab_port wire2 n$n cl1 10.87.0.$n/24 || return 1
		[ "$CLAB_HOW" = owned ] || ip -n "$CLAB-n$n" addr add $CLAB_SERVICE/32 dev lo
	done
	if [ "$CLAB_HOW" = owned ]; then
		ip -n "$CLAB-inet" route add $CLAB_POOL via $CLAB_SERVICE
	else	# what a router with equal-cost routes does, by ports, so that each tunnel has its node
		for ns in lac router; do clab_in $ns sysctl -qw net.ipv4.fib_multipath_hash_policy=1 || return 1; done
		clab_router $(seq "$CLAB_NODES")
	fi
}
clab_config() {	# NODE: its startup-config; what CLAB_MORE says is added
	local n=$1 nodes
	nodes=$(seq -f 10.89.0.%g -s, "$CLAB_NODES")
	cat <<-X
	set debug 3
	set log_file "$CLAB_DIR/node$n/log"
	set bind_address $CLAB_SERVICE
	set peer_address 10.88.0.1
	set tundevicename tun0
	set control_socket "$CLAB_DIR/node$n/control"
	set workers 1
	set max_sessions ${CLAB_SESSIONS:-20000}
	set cluster_interface "cl0"
	set cluster_nodes "$nodes"
	set cluster_key "$CLAB_DIR/cluster.key"
	X
	[ -z "${CLAB_MEMORY:-}" ] || echo "set cluster_memory \"$CLAB_MEMORY.$n\""
	[ "$CLAB_HOW" != owned ] || echo 'set service_interface "lan0"'
	[ -z "$CLAB_SECOND" ] || echo 'set cluster_interface2 "cl1"'
	printf '%s\n' "${CLAB_MORE:-}"
}
clab_files() {	# the same on every node, but for names of files
	local n
	[ -s "$CLAB_DIR/cluster.key" ] ||
		(umask 077 && printf '1 %s\n' "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$CLAB_DIR/cluster.key")
	for ((n = 1; n <= CLAB_NODES; n++)); do
		mkdir -p "$CLAB_DIR/node$n" && clab_config "$n" >"$CLAB_DIR/node$n/startup-config" &&
			echo "$CLAB_POOL" >"$CLAB_DIR/node$n/ip_pool" && printf '%s\n' "${CLAB_USERS:-* secret}" >"$CLAB_DIR/node$n/subscribers" &&
			: >"$CLAB_DIR/node$n/users" || return 1
	done
}
clab_ctl() { local n=$1; shift; "$B/nsctl" -s "$CLAB_DIR/node$n/control" "$@"; }
declare -A CLAB_PID
clab_start() {	# NODE [COMMAND...]: which runs it
	ip netns exec "$CLAB-n$1" "${@:2}" "$B/l2tpns" -c "$CLAB_DIR/node$1/startup-config" >>"$CLAB_DIR/node$1/out" 2>&1 &
	CLAB_PID[$1]=$!
	disown $!	# the shell has no word to say when it is killed
}
clab_signal() { kill "-$2" "${CLAB_PID[$1]}"; }	# NODE SIGNAL
clab_gone() {	# NODE: wait for its end, after a signal
	while kill -0 "${CLAB_PID[$1]}" 2>/dev/null; do sleep 0.01; done
	unset "CLAB_PID[$1]"
}
clab_soon() {	# SECONDS COMMAND...
	local end=$(($(date +%s%N) / 1000000 + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $(($(date +%s%N) / 1000000)) -lt $end ] || return 1
		sleep 0.03
	done
}
clab_show() { clab_ctl "$1" show cluster --json | jq -r "$2"; }	# NODE JQ
clab_master() {	# the number of the node that is master and not frozen; none: nothing
	local n
	for n in "${!CLAB_PID[@]}"; do
		[ "$(clab_show "$n" 'select(.role == "master" and (.frozen | not)) | "yes"' 2>/dev/null)" = yes ] && echo "$n"
	done
}
clab_one_master() { [ "$(clab_master | wc -w)" = 1 ]; }
clab_in_sync() {	# every running node up to date
	local n
	for n in "${!CLAB_PID[@]}"; do [ "$(clab_show "$n" .up_to_date)" = true ] || return 1; done
}
clab_link() { ip -n "$CLAB-$1" link set "$2" "$3"; }	# SWITCH NAMESPACE up|down: a cable
# A filter that no kernel lacks: a shaper whose bucket is smaller than any frame.
clab_shut() { tc -n "$1" qdisc replace dev "$2" root tbf rate 1mbit burst 20 limit 20; }
clab_open() { tc -n "$1" qdisc del dev "$2" root 2>/dev/null; }
clab_deaf() { clab_shut "$CLAB-wire" "n$1"; }	# NODE: nothing of the wire reaches it any more
clab_mute() { clab_shut "$CLAB-n$1" cl0; }	# NODE: nothing of it reaches the wire
clab_cut() { clab_deaf "$1" && clab_mute "$1"; }	# NODE: both, and no interface knows
clab_mend() { clab_open "$CLAB-wire" "n$1"; clab_open "$CLAB-n$1" cl0; return 0; }
clab_remove() {	# NAMESPACE, and whatever runs in it
	local pids
	pids=$(ip netns pids "$1" 2>/dev/null)
	[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
	ip netns del "$1" 2>/dev/null
}
clab_down() {
	local ns n
	[ -n "${CLAB:-}" ] || return 0
	for n in "${!CLAB_PID[@]}"; do kill -CONT "${CLAB_PID[$n]}"; kill -KILL "${CLAB_PID[$n]}"; done 2>/dev/null
	for ns in $(clab_spaces); do clab_remove "$CLAB-$ns"; done
	wait 2>/dev/null
	return 0
}
