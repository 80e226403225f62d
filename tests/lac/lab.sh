# lab.sh -- the network that demo and bench run in; sourced, not run.
#
#    NAME-lac            NAME-lns                    NAME-inet
#   +---------+         +---------------------+      +--------------+
#   |    lac0 |---------| lns0           up0  |------| up1          |
#   | .0.2 .. | 10.90/16| .0.1      198.18.0.1|      | 198.18.0.2   |
#   +---------+         |         tun         |      +--------------+
#    subscribers        +---------------------+       source, sink
#
# The subscribers' pool is 10.100.0.0/14; 10.91.0.0/16 is where forged packets claim to come from.

LAB_SERVER=10.90.0.1 LAB_LAC=10.90.0.2 LAB_PEER=198.18.0.2 LAB_POOL=10.100.0.0/14

lab_in() {	# lac|lns|inet COMMAND...
	local ns=$LAB-$1
	shift
	ip netns exec "$ns" "$@"
}

# One veth pair, both ends up.
lab_veth() {	# NS1 IF1 NS2 IF2
	ip -n "$LAB-$1" link add "$2" type veth peer name "$4" netns "$LAB-$3" &&
		ip -n "$LAB-$1" link set "$2" up && ip -n "$LAB-$3" link set "$4" up
}

lab_up() {	# NAME [LAC ADDRESSES]
	local n more=${2:-1}
	LAB=$1
	for n in lac lns inet; do
		ip netns add "$LAB-$n" && ip -n "$LAB-$n" link set lo up || return 1
		lab_in $n sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	done
	lab_veth lac lac0 lns lns0 && lab_veth lns up0 inet up1 || return 1
	for ((n = 0; n < more; n++)); do
		ip -n "$LAB-lac" addr add 10.90.0.$((2 + n))/16 dev lac0 || return 1
	done
	ip -n "$LAB-lns" addr add $LAB_SERVER/16 dev lns0 &&
		ip -n "$LAB-lns" addr add 198.18.0.1/24 dev up0 &&
		ip -n "$LAB-inet" addr add $LAB_PEER/24 dev up1 &&
		ip -n "$LAB-inet" route add default via 198.18.0.1 &&
		ip -n "$LAB-lns" route add 10.91.0.0/16 via $LAB_LAC &&
		ip -n "$LAB-lns" route add 239.0.0.0/8 dev lo &&
		lab_in lns sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.default.rp_filter=0
}

# As on real cards: packets come one by one from the wire, the server's side may join them on arrival
# (GRO; a veth pair does so only when its sending end has no TSO) and have runs of segments cut by
# the device.  off: neither.
lab_offload() {	# on|off
	lab_in lac ethtool -K lac0 tso off tx-udp-segmentation off &&
		lab_in inet ethtool -K up1 tso off tx-udp-segmentation off &&
		lab_in lns ethtool -K lns0 gro "$1" tx-udp-segmentation "$1" &&
		lab_in lns ethtool -K up0 gro "$1" tx-udp-segmentation "$1"
}

# Whoever receives what the server forwards.  on: the real one.  off: nobody; the next host throws the
# packets away as not its own, its device counts them, and its work is not on the server's account.
lab_sink() {	# up|down on|off
	local dev=up0 to=$LAB_PEER n
	[ "$1" = up ] || dev=lns0 to=$(ip -n "$LAB-lac" -4 -o addr show dev lac0 | sed 's/.*inet //; s,/.*,,')
	for n in $to; do
		if [ "$2" = off ]; then
			ip -n "$LAB-lns" neigh replace "$n" lladdr 02:00:00:00:00:99 dev $dev nud permanent
		else
			ip -n "$LAB-lns" neigh del "$n" dev $dev
		fi || return 1
	done
}

# The whole lab, with whatever still runs in it.
lab_down() {
	local n pids
	for n in lac lns inet; do
		pids=$(ip netns pids "$LAB-$n" 2>/dev/null) && [ -n "$pids" ] && kill $pids 2>/dev/null
	done
	for n in 1 2 3 4 5 6 7 8 9 10; do
		pids=$(for n in lac lns inet; do ip netns pids "$LAB-$n" 2>/dev/null; done)
		[ -n "$pids" ] || break
		sleep 0.1
	done
	for n in lac lns inet; do
		pids=$(ip netns pids "$LAB-$n" 2>/dev/null) && [ -n "$pids" ] && kill -KILL $pids 2>/dev/null
		ip netns del "$LAB-$n" 2>/dev/null
	done
	return 0
}

# The processors are divided, so that a server is not charged with softirq work that others raised: the
# last N are the server's, everybody else in the lab has the rest.  N = 0 or all: no division.
lab_divide() {	# N SERVER-PID
	local cpus=$(nproc) all pid
	all=0-$((cpus - 1))
	for pid in $(ip netns pids "$LAB-lac") $(ip netns pids "$LAB-inet") $(ip netns pids "$LAB-lns"); do
		if [ "$1" = 0 ] || [ "$1" -ge "$cpus" ]; then
			taskset -acp "$all" "$pid"
		elif [ "$pid" = "$2" ]; then
			taskset -acp "$((cpus - $1))-$((cpus - 1))" "$pid"
		else
			taskset -acp "0-$((cpus - $1 - 1))" "$pid"
		fi
	done >/dev/null 2>&1
}

# Wait until COMMAND succeeds, SECONDS at most.
lab_until() {	# SECONDS COMMAND...
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}
