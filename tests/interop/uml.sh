#!/bin/bash
# uml.sh -- boot a throw-away user-mode Linux on bridges of a namespace, run one script in it.
#
#	uml.sh [-t SECONDS] [-m MB] [-k MODULES] [-f FILTER] -n NETNS -b BRIDGE... -o OUT SCRIPT [VAR=VALUE...]
#
# A real Linux kernel with its own L2TP and PPP, without kernel modules, /dev/ppp or KVM on
# the host.  The guest sees the host's files read-only; OUT is its /run/out: console, logs,
# captures, results.  The n-th -b is its vec<n>; what passes there (or FILTER of it) is
# captured in OUT/vec<n>.pcap.
#
# UML_PRELOAD is loaded into the guest's kernel (xstate.c says why).
#
# Exit code: the script's, below 120 or as it documents; 123 could not begin; 124 took more
# than SECONDS; 125 the guest died.  Nothing stays behind: the guest is a pid namespace that
# ends with this script.
set -u
here=$(cd "$(dirname "$0")" && pwd)
kernel=/usr/bin/linux.uml
seconds=60 megabytes=160 modules= filter= netns= bridges=() out=
while getopts t:m:k:f:n:b:o: o; do case $o in
	t) seconds=$OPTARG ;;
	m) megabytes=$OPTARG ;;
	k) modules=$OPTARG ;;
	f) filter=$OPTARG ;;
	n) netns=$OPTARG ;;
	b) bridges+=("$OPTARG") ;;
	o) out=$OPTARG ;;
	*) exit 123 ;;
esac; done
shift $((OPTIND - 1))
die() { echo "uml.sh: $*" >&2; exit 123; }
[ -x $kernel ] || die "no $kernel"
mkdir -p "$out" && out=$(cd "$out" && pwd) || die "no folder $out"
case $out in *[\ ,]*) die "OUT must be a path without spaces and commas" ;; esac

scratch=$(mktemp -d) || die "no scratch folder"
taps=() dumps=() guest=
guest_end() {
	[ -n "$guest" ] || return 0
	local first
	for first in $(cat "/proc/$guest/task/$guest/children" 2>/dev/null); do kill -KILL "$first" 2>/dev/null; done
	for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$guest" 2>/dev/null || break; sleep 0.05; done
	kill -KILL "$guest" 2>/dev/null
	wait "$guest" 2>/dev/null
	guest=
}
cleanup() {
	trap '' INT TERM HUP
	guest_end
	[ ${#dumps[@]} = 0 ] || { kill "${dumps[@]}"; wait "${dumps[@]}"; } 2>/dev/null
	for tap in "${taps[@]}"; do ip -n "$netns" link del "$tap" 2>/dev/null; done
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

cp "$here/guest/init" "$here/guest/common" "$out/" && cp "$here/guest/$1" "$out/script" || die "no guest script $1"
shift
{
	printf 'export MODULES=%q\n' "$modules"
	for v; do printf 'export %s=%q\n' "${v%%=*}" "${v#*=}"; done
} >"$out/env"

devices=() n=0
for bridge in "${bridges[@]}"; do
	tap=g${$}v$n		# unique while this script lives
	tap=${tap:0:15}
	ip -n "$netns" tuntap add dev "$tap" mode tap && taps+=("$tap") &&
		ip -n "$netns" link set "$tap" master "$bridge" || die "no tap on $bridge"
	ip netns exec "$netns" sysctl -qw "net.ipv6.conf.$tap.disable_ipv6=1"
	ip -n "$netns" link set "$tap" up
	ip netns exec "$netns" tcpdump --immediate-mode -Z root -Uni "$tap" -s0 -w "$out/vec$n.pcap" $filter >/dev/null 2>&1 &
	dumps+=($!)
	mac=$(printf '52:54:%02x:%02x:%02x:%02x' $((($$ >> 16) & 255)) $((($$ >> 8) & 255)) $(($$ & 255)) $n)
	devices+=("vec$n:transport=tap,ifname=$tap,mac=$mac,depth=128,gro=1,headroom=64")
	n=$((n + 1))
done
for ((i = 0; i < n; i++)); do
	for _ in $(seq 100); do [ ! -s "$out/vec$i.pcap" ] || break; sleep 0.02; done
done

# The guest's memory is a file that must be mappable as executable; in containers /dev/shm is not.
memory=/dev/shm
[ -w /dev/shm ] && ! grep -qE '^[^ ]+ /dev/shm [^ ]+ [^ ]*noexec' /proc/mounts || memory=$scratch
# Two self-tests of the guest's kernel would cost a second of every boot.
TMPDIR=$memory HOME=$scratch ip netns exec "$netns" setpriv --pdeathsig KILL \
	unshare --mount --pid --fork --kill-child=KILL --mount-proc \
	env ${UML_PRELOAD:+LD_PRELOAD="$UML_PRELOAD"} \
	"$kernel" mem="${megabytes}M" uml_dir="$scratch/" umid=guest root=/dev/root rootfstype=hostfs rootflags=/ ro \
	init="$out/init" OUT="$out" panic=-1 quiet loglevel=3 initcall_blacklist=raid6_select_algo,calibrate_xor_blocks \
	con=null con0=null,fd:1 ssl=null "${devices[@]}" </dev/null >"$out/console" 2>&1 &
guest=$!
SECONDS=0 code=
while kill -0 "$guest" 2>/dev/null; do
	[ ! -s "$out/exit" ] || break
	sleep 0.05
	[ $SECONDS -lt "$seconds" ] || { code=124; echo "uml.sh: more than $seconds s" >&2; break; }
done
[ -n "$code" ] || code=$(cat "$out/exit" 2>/dev/null) || { code=125; echo "uml.sh: the guest died" >&2; }
[ "$code" = 124 ] || for _ in $(seq 25); do kill -0 "$guest" 2>/dev/null || break; sleep 0.02; done
exit "$code"
