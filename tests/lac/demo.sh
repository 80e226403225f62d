#!/bin/bash
# demo.sh -- 1,000 subscribers dial in, use the Internet, and leave; about half a minute.
#
#	tests/lac/demo.sh BUILD-DIR		(as root; `make demo` does this)
#
# Everything happens in three network namespaces made for the purpose; nothing outside them
# is touched, and they are removed however this script ends.
set -u
B=$(realpath "${1:-build}")
HERE=$(dirname "$(realpath "$0")")
. "$HERE/lab.sh"

[ "$(id -u)" = 0 ] || { echo "demo: please run it as root: it makes network namespaces" >&2; exit 1; }
for p in l2tpns nsctl lac; do
	[ -x "$B/$p" ] || { echo "demo: $B/$p is missing; run make first" >&2; exit 1; }
done

N=1000
DIR=$(mktemp -d) DAEMON= LAC_IN= LAC_OUT=
bold=$(tput bold 2>/dev/null) plain=$(tput sgr0 2>/dev/null)
exec {SAY}>&1
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
fail() { echo "demo: $*" >&2; [ ! -s "$DIR/log" ] || tail -n 5 "$DIR/log" >&2; exit 1; }

finish() {
	trap '' INT TERM HUP
	[ -z "$LAC_IN" ] || eval "exec $LAC_IN>&-"
	[ -z "$DAEMON" ] || kill -TERM "$DAEMON" 2>/dev/null
	lab_down
	rm -rf "$DIR"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# One step of the LAC; what it says to people appears as it happens.
lac() {
	local line
	echo "$*" >&"$LAC_IN"
	while read -r line <&"$LAC_OUT"; do
		case $line in
		ok) return 0 ;;
		failed) return 1 ;;
		esac
	done
	fail "the LAC has gone"
}
ctl() { "$B/nsctl" -s "$DIR/control" "$@"; }

echo "l2tpns is an L2TP network server: subscribers' lines reach it through an access provider's"
echo "concentrator (a LAC), and it connects them to the Internet.  Here are all three:"
cat <<'END'

    1,000 subscribers                                       the Internet
      behind a LAC   ===== L2TP tunnels =====   l2tpns   ------ 198.18.0.2
      10.90.0.2                                10.90.0.1
END

title "Starting l2tpns"
lab_up "demo$$" && lab_offload on || fail "cannot make network namespaces"
cat >"$DIR/startup-config" <<END
set bind_address $LAB_SERVER
set tundevicename demo0
set peer_address 10.103.255.254
set control_socket $DIR/control
set log_file $DIR/log
END
echo '* secret' >"$DIR/subscribers"		# whoever knows the password
echo "$LAB_POOL" >"$DIR/ip_pool"
: >"$DIR/users"
sed 's/^/    /' "$DIR/startup-config"
ip netns exec "$LAB-lns" "$B/l2tpns" -c "$DIR/startup-config" >"$DIR/out" 2>&1 &
DAEMON=$!
lab_until 5 ctl show session || { cat "$DIR/out" >&2; fail "l2tpns did not come up"; }
ip netns exec "$LAB-inet" "$B/lac" --is-peer --peer="$DIR/peer" --device=up1 &
lab_until 3 test -S "$DIR/peer" || fail "no peer in the Internet"
coproc LAC { exec ip netns exec "$LAB-lac" "$B/lac" --server=$LAB_SERVER --local=$LAB_LAC --tunnels=10 \
	--sessions=$N --auth=chap --peer="$DIR/peer" --server-pid=$DAEMON --progress - 2>&"$SAY"; }
LAC_IN=${LAC[1]} LAC_OUT=${LAC[0]}

title "$N subscribers dial in: an L2TP call, LCP, a password checked by CHAP, an address by IPCP"
lac up rate=500 || fail "not everybody came up"

title "They use it: 20,000 packets a second each way, every packet counted at the other end"
lac traffic direction=both size=512 rate=20000 time=3 || fail "no traffic"
title "Three times as much"
lac traffic direction=both size=512 rate=60000 time=3 || fail "no traffic"

title "What the operator sees: nsctl show session"
ctl show session | head -n 10
echo "      ... and so on"
title "nsctl show counters"
ctl show counters | sed '/^$/,$d; s/^/    /'
echo "    ... then refusals by reason, pools, and what each worker did"

title "The operator drops one of them: nsctl drop user user7"
ctl show session | grep -w user7
ctl drop user user7 || fail "drop failed"
lac wait time=0.5
if ctl show session | grep -qw user7; then
	fail "user7 is still there"
fi
echo "    user7 is gone, the other $(ctl show session | grep -cw 'user[0-9]*') are not."

title "Everybody leaves, and the tunnels are closed"
lac end || fail "the server did not acknowledge"
kill -QUIT "$DAEMON" && lab_until 5 eval "! kill -0 $DAEMON" && DAEMON=
title "Done.  The namespaces and files of this demonstration are being removed."
