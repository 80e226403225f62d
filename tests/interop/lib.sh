# lib.sh -- the topology, an LNS on each of two addresses, dialling in, and judging a case.
#
#                       namespace $P-lns1
#   guest 1   tap -+    lns0 10.99.0.1   up0 198.18.0.11   (pool 10.10.10.0/24)    namespace $P-net
#                  |    /                              \
#                 br0 -                                 br1 ------------------- net0 198.18.0.2, iperf3
#                  |    \                              /
#   guest 2   tap -+    lns0 10.99.0.2   up0 198.18.0.12   (pool 10.10.30.0/24)
#                       namespace $P-lns2
#
# Both bridges are in namespace $P-sw.  $P is this run's own, so that runs do not meet.  The
# second LNS has the tunnel secret.  Which LNS it is, a file says: lns-$LNS.sh with
#	lns_start N		bring it up in $P-lns<N>, ready to be dialled
#	lns_stop N		take it down in good order; its exit code
#	lns_users N		the user names of its sessions, one a line
#	lns_drop N USER		disconnect that user
#	lns_can WHAT		has it `users`, `fixed` addresses, `drop`, `quit`, a `log`?
set -u
here=$(cd "$(dirname "$0")" && pwd)
P=interop$$
W=$(mktemp -d -t interop.XXXXXX) || exit 2
secret=tunnel-secret
inet=198.18.0.2
# Where a guest is plugged in, and what is where from there; a lab of another kind says it anew.
client_wire() { echo "$P-sw"; }
server_of() { echo "10.99.0.$1"; }	# LNS
client_at() { echo "10.99.0.1$1/24"; }	# SLOT
client_route=198.18.0.0/24

on() { local ns=$1; shift; ip netns exec "$P-$ns" "$@"; }
join() {	# NAMESPACE INTERFACE BRIDGE ADDRESS
	ip -n "$P-sw" link add "$1-$2" type veth peer name "$2" netns "$P-$1" &&
		ip -n "$P-sw" link set "$1-$2" master "$3" up &&
		ip -n "$P-$1" addr add "$4" dev "$2" && ip -n "$P-$1" link set "$2" up
}
topology_up() {
	local ns
	for ns in sw net lns1 lns2; do
		ip netns add "$P-$ns" && ip -n "$P-$ns" link set lo up || return 1
		on $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	done
	ip -n "$P-sw" link add br0 type bridge && ip -n "$P-sw" link set br0 up &&
		ip -n "$P-sw" link add br1 type bridge && ip -n "$P-sw" link set br1 up || return 1
	join net net0 br1 $inet/24 || return 1
	ip -n "$P-net" route add 10.10.0.0/19 via 198.18.0.11	# 10.10.10.0/24 and 10.10.20.0/24
	ip -n "$P-net" route add 10.10.30.0/24 via 198.18.0.12
	ip netns exec "$P-net" iperf3 -s >"$W/iperf3.log" 2>&1 &
	keep $!
}
kept=()
keep() { kept+=("$1"); }
topology_down() {
	trap '' INT TERM
	local p
	[ ${#kept[@]} = 0 ] || kill "${kept[@]}" 2>/dev/null
	for p in "${kept[@]}"; do wait "$p" 2>/dev/null; done
	for ns in sw net lns1 lns2; do ip netns del "$P-$ns" 2>/dev/null; done
	[ -n "${KEEP:-}" ] && echo "kept: $W" || rm -rf "$W"
}
trap topology_down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

soon() {	# SECONDS COMMAND...: does it succeed within that time?
	local end=$(($(date +%s%N) / 1000000 + $1 * 1000))
	shift
	until "$@"; do
		[ $(($(date +%s%N) / 1000000)) -lt $end ] || return 1
		sleep 0.05
	done
}

# Dial in and run a command in the guest; fail unless the exit code is the one wanted, and
# unless the LNS has no session of that user left soon after.
#
#	dial [-l LNS] [-u USER] [-p PASSWORD] [-k] [-m MB] [-f FILTER] [-w CODE] COMMAND [VAR=VALUE...]
#
# -k leaves the last check out.  By default a slot's caller dials LNS 1 for code 0.
dial() {
	local lns=1 user=caller$slot password=secret$slot want=0 megabytes=160 filter= keep= code o OPTIND=1
	while getopts l:u:p:km:f:w: o; do case $o in
		l) lns=$OPTARG ;;
		u) user=$OPTARG ;;
		p) password=$OPTARG ;;
		k) keep=1 ;;
		m) megabytes=$OPTARG ;;
		f) filter=$OPTARG ;;
		w) want=$OPTARG ;;
		*) return 1 ;;
	esac; done
	shift $((OPTIND - 1))
	local command=$1
	shift
	local guest
	"$here/uml.sh" -t 60 -m "$megabytes" -k "l2tp_ppp ppp_async" -f "$filter" \
		-n "$(client_wire)" -b br0 -o "$W/$case" client \
		"SERVER=$(server_of "$lns")" "IP0=$(client_at "$slot")" "USER_NAME=$user" "PASSWORD=$password" \
		"ROUTE=$client_route" "COMMAND=$command" "$@" &
	guest=$!
	trap 'kill $guest; wait $guest; exit 143' TERM	# waited for, not run, so that it can be told to end
	wait $guest
	code=$?
	[ $code = "$want" ] || { echo "exit code $code, wanted $want; the guest's console:"; cat "$W/$case/console"; return 1; }
	[ -n "$keep" ] || gone "$lns" "$user" 3 || { echo "the LNS still has a session of $user"; return 1; }
}
gone() {	# LNS USER SECONDS
	lns_can users || return 0
	soon "$3" no_session "$1" "$2"
}
no_session() {	# LNS USER: %d in it stands for any number
	local users
	users=$(lns_users "$1") && ! grep -qE "^${2//%d/[0-9]+}\$" <<<"$users"
}

case_over() { :; }	# CODE: what a case may have left is put away
# Run case_$1 in slot $2; one line says how it went.
judge() {
	local case=$1 slot=$2 begin=$EPOCHREALTIME end code
	mkdir -p "$W/$case"
	"case_${case//-/_}" >"$W/$case.log" 2>&1
	code=$?
	case_over $code
	end=$EPOCHREALTIME
	{
		case $code in 0) echo -n "ok " ;; 77) echo -n "SKIP " ;; *) echo -n "FAIL " ;; esac
		printf '%-22s %5d ms ' "$case" $(((${end/./} - ${begin/./}) / 1000))
		if [ $code = 77 ]; then tail -n 1 "$W/$case.log"
		else grep -hoE '^silent .*|up after [0-9]+ ms|median .*' "$W/$case.log" "$W/$case/console" 2>/dev/null | head -n 1 | grep . || echo
		fi
		[ $code = 0 ] || [ $code = 77 ] || sed 's/^/    | /' "$W/$case.log"
	} | tee -a "$W/results"
}
skip() { echo "$*"; return 77; }

# Cases are taken from a list by two at a time (SLOTS): a guest is at work for half of its life only.
pending=
next() { local c; { flock 9; c=$(head -n 1 "$pending"); sed -i 1d "$pending"; } 9>"$W/lock"; echo "$c"; }
both_slots() {	# CASE...
	local s c pids=()
	pending=$W/pending
	printf '%s\n' "$@" >"$pending"
	for ((s = 1; s <= ${SLOTS:-2}; s++)); do
		(
			trap - EXIT INT TERM
			while c=$(next) && [ -n "$c" ]; do judge "$c" $s; done
		) &
		pids+=($!)
		keep $!
	done
	wait "${pids[@]}"
}
