#!/bin/bash
# cluster_io.sh -- two cluster threads over real sockets: IPv4, IPv6, and over two links of which one goes away.
set -u
build=${1:-build}
A=cio-a$$ B=cio-b$$

clean() {
	trap '' INT TERM
	ip netns del "$A" 2>/dev/null
	ip netns del "$B" 2>/dev/null
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
namespaces() {
	clean
	ip netns add "$A" && ip netns add "$B" || { echo "SKIP namespaces cannot be made"; exit 0; }
	local n
	ip netns exec "$B" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/keep_addr_on_down'
	for n in 0 1; do
		ip -n "$A" link add cl$n type veth peer name cl$n netns "$B" || exit 1
		ip -n "$A" addr add 10.99.$n.1/24 dev cl$n && ip -n "$B" addr add 10.99.$n.2/24 dev cl$n
		ip -n "$A" addr add 2001:db8:$n::1/64 dev cl$n nodad && ip -n "$B" addr add 2001:db8:$n::2/64 dev cl$n nodad
		ip -n "$A" link set cl$n up && ip -n "$B" link set cl$n up
	done
	trap 'exit 130' INT
	trap 'exit 143' TERM
}
pair() {	# NAME ARGUMENT...
	local name=$1
	shift
	timeout 60 "$build/io_pair" "$A" "$B" "$@" | sed "s/^ok /ok $name./; s/^FAIL /FAIL $name./"
	[ "${PIPESTATUS[0]}" = 0 ]
}
code=0
namespaces
pair ipv4 239.192.13.13 || code=1
namespaces
pair ipv6 ff05::13 || code=1
namespaces
pair two_links 239.192.13.13 cl1 || code=1
exit $code
