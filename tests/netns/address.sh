#!/bin/bash
# address.sh -- the service address in a real kernel: put, announced, repaired, taken.
set -u
build=${1:-build}
NS=address$$
D=$(mktemp -d -t address.XXXXXX) || exit 2
owner= dump=

clean() {
	trap '' INT TERM
	[ -z "$owner" ] || kill "$owner" 2>/dev/null
	[ -z "$dump" ] || kill "$dump" 2>/dev/null
	wait 2>/dev/null
	ip netns del "$NS" 2>/dev/null
	rm -rf "$D"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
ip netns add "$NS" || { echo "SKIP namespace cannot be made: $NS"; exit 0; }
ip -n "$NS" link add sv0 type veth peer name sv1 && ip -n "$NS" link set sv0 up && ip -n "$NS" link set sv1 up || exit 1
mkfifo "$D/in" "$D/out"

here() { ip -n "$NS" addr show dev sv0 | grep -qw "$address"; }
tell() {	# LINE ANSWER
	local answer
	echo "$1" >&3
	read -r -t 5 answer <&4
	[ "$answer" = "$2" ] || { echo "$1: $answer, wanted $2"; return 1; }
}
begin() {
	ip netns exec "$NS" "$build/address_own" sv0 "${address%/*}" <"$D/in" >"$D/out" 2>"$D/err" &
	owner=$!
	exec 3>"$D/in" 4<"$D/out"
}
end() {
	echo quit >&3
	exec 3>&- 4<&-
	wait "$owner"
	owner=
}
case_put_and_taken() {
	tell state absent && tell want here && here && tell drop absent && ! here
}
case_announced() {
	ip netns exec "$NS" tcpdump --immediate-mode -U -n -i sv1 -w "$D/pcap" "$announcement" 2>"$D/dump" &
	dump=$!
	for _ in $(seq 100); do grep -q listening "$D/dump" && break; sleep 0.05; done
	tell want here && sleep 1.2 && tell state here
	kill "$dump" && wait "$dump"
	dump=
	local n
	n=$(tcpdump -n -r "$D/pcap" 2>/dev/null | grep -c "${address%/*}")
	[ "$n" = "$announcements" ] || { tcpdump -n -r "$D/pcap"; return 1; }
}
case_repaired() {
	ip -n "$NS" addr del "$address" dev sv0 && sleep 0.3 && tell state here && here
}
case_repairs_become_rare() {
	local n=0 repairs=0 end=$((SECONDS + 4))
	while [ $SECONDS -lt $end ]; do
		if here; then
			ip -n "$NS" addr del "$address" dev sv0 2>/dev/null
			repairs=$((repairs + 1))
		fi
		n=$((n + 1))
	done
	[ $repairs -ge 3 ] && [ $repairs -le 7 ] || { echo "$repairs repairs in $n looks"; return 1; }
}
case_taken_at_the_end() {
	ip -n "$NS" addr add "$address" dev sv0 2>/dev/null
	tell state here; end
	! here
}
case_goes_with_its_owner() {
	local code=0
	tell want here || return 1
	sleep 5			# longer than its life: it is renewed
	here || { echo "not renewed"; code=1; }
	kill -KILL "$owner"; wait "$owner"; owner=
	exec 3>&- 4<&-
	for _ in $(seq 70); do here || break; sleep 0.1; done
	! here || { echo "still there"; code=1; }
	begin
	tell want here || code=1
	return $code
}
case_left_behind_is_taken() {
	ip -n "$NS" addr add "$address" dev sv0 && begin && tell state absent && ! here; local code=$?; end; return $code
}
case_of_another_interface_is_left_alone() {
	ip -n "$NS" addr add "$address" dev sv1 && begin && tell state absent && tell drop absent
	local code=$?
	end
	ip -n "$NS" addr del "$address" dev sv1 || code=1
	return $code
}
code=0
all() {	# PREFIX
	local case
	begin
	for case in put_and_taken announced goes_with_its_owner repaired repairs_become_rare taken_at_the_end left_behind_is_taken \
		of_another_interface_is_left_alone; do
		if "case_$case" >"$D/case" 2>&1; then
			echo "ok $1.$case"
		else
			echo "FAIL $1.$case"
			sed 's/^/    | /' "$D/case" "$D/err"
			code=1
		fi
	done
}
address=10.96.3.4/32 announcement=arp announcements=10
all ipv4
address=2001:db8::34/128 announcement='icmp6 and ip6[40] = 136' announcements=5
all ipv6
exit $code
