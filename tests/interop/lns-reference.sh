# lns-reference.sh -- xl2tpd and pppd in a guest as the LNS: what fails here too is not the LNS's fault.
#
# It has no session table to ask, and gives addresses by order, not by name.

declare -A lns_pid
lns_can() { false; }
lns_start() {	# N
	local n=$1 args=()
	[ "$n" = 1 ] || args=("SECRET=$secret")
	"$here/uml.sh" -t 600 -k "l2tp_ppp" -f "$control_only" -n "$P-sw" -b br0 -b br1 -o "$W/lns$n" lns \
		"IP0=10.99.0.$n/24" "IP1=198.18.0.1$n/24" "POOL=$([ "$n" = 1 ] && echo 10.10.10 || echo 10.10.30)" \
		"USERS=$(printf '%s\n' 'alice wonderland' 'bob builder' 'caller1 secret1' 'caller2 secret2'
			for i in $(seq 0 19); do echo "many$i pw"; done)" "${args[@]}" >"$W/lns$n.out" 2>&1 &
	lns_pid[$n]=$!
	keep $!
	soon 20 test -e "$W/lns$n/ready" || { cat "$W/lns$n/console"; return 1; }
}
lns_stop() { : >"$W/lns$1/stop"; wait "${lns_pid[$1]}"; }
lns_users() { false; }
