#!/bin/bash
# demo.sh -- 1,000 subscribers on a cluster of three: its master is killed, cut off, replaced; about a minute.
#
#	tests/lac/demo.sh BUILD-DIR		(as root; `make demo` does this)
#
# Everything happens in network namespaces made for the purpose; nothing outside them is
# touched, and they are removed however this script ends.
set -u
B=$(realpath "${1:-build}")
HERE=$(dirname "$(realpath "$0")")
. "$HERE/cluster_lab.sh"
. "$HERE/steps.sh"

[ "$(id -u)" = 0 ] || { echo "demo: please run it as root: it makes network namespaces" >&2; exit 1; }
for p in l2tpns nsctl lac; do
	[ -x "$B/$p" ] || { echo "demo: $B/$p is missing; run make first" >&2; exit 1; }
done

N=1000			# subscribers that stay
RATE=40 NEW=200		# others: so many dial in a second, while something happens; so many at most
PROBE=100		# milliseconds between two packets of one subscriber
CLAB_DIR=$(mktemp -d -t demo.XXXXXX) || exit 1
declare -A WAS=()
ROWS=() LOST=0 BEGAN=0
bold= plain=
[ ! -t 1 ] || { bold=$(tput bold 2>/dev/null) plain=$(tput sgr0 2>/dev/null); }

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
tell() { printf '%s\n' "$@" | sed 's/^/  /'; }
fail() {
	local n
	echo "demo: $*" >&2
	for n in 1 2 3; do
		tail -n 5 "$CLAB_DIR/node$n/out" "$CLAB_DIR/node$n/log" >&2
	done 2>/dev/null
	exit 1
}
finish() {
	trap '' INT TERM HUP
	clab_down
	rm -rf "$CLAB_DIR"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

seconds() { printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100)); }
show() {	# NODE: what matters here of what it says
	clab_ctl "$1" show cluster |
		sed -E '/^(role|frozen|reason|up to date|votes|quorum|records):|^ +(NODE|[0-9]+) /!d; s/^/    /'
}
dialled_in() { clab_ctl "$1" show session | grep -cw up; }
others() { local n; for n in 1 2 3; do [ "$n" = "$1" ] || echo "$n"; done; }

# ---- what the nodes say of themselves, told when it changes ----

state() {	# NODE: one word
	[ -n "${CLAB_PID[$1]:-}" ] || { echo down; return; }
	clab_ctl "$1" show cluster 2>/dev/null | awk '
		/^role:/ { role = $2 } /^frozen:/ { frozen = $2 } /^up to date:/ { current = $4 }
		role == "slave" && current == "no" { role = "behind" }
		END { print role == "" ? "starting" : frozen == "yes" ? "frozen" : role }'
}
at() { printf '  %5s s  %s\n' "$(seconds $(($(ms_now) - BEGAN)))" "$*"; }
watch() {	# a line for each node whose state is another
	local n now
	for n in 1 2 3; do
		now=$(state "$n")
		[ "$now" != "${WAS[$n]:-}" ] || continue
		case ${WAS[$n]:-}/$now in
		*/master) at "node $n is the master" ;;
		master/slave | frozen/slave) at "node $n follows the new master, and is up to date" ;;
		*/slave) at "node $n is up to date with $(clab_show "$n" .records) records" ;;
		master/frozen) at "node $n has no majority any more: frozen, it changes nothing" ;;
		esac
		WAS[$n]=$now
	done
}

# ---- an event: everybody is probed and others dial in, while it happens ----

event() {	# SECONDS COMMAND...: sets PAUSE, OUTAGE, GONE
	local acting late=0
	lac_asks stay "hold time=$1 interval=$PROBE"
	lac_asks new "up sessions=$(($1 * RATE < NEW ? $1 * RATE : NEW)) rate=$RATE time=60"
	BEGAN=$(ms_now)
	sleep 0.8
	"${@:2}"
	until lac_heard stay 50; do
		watch
		late=$((late + 1))
		[ $late -lt 1200 ] || fail "no end of it: ${SAID[stay]}"
	done
	lac_heard new 90000 || fail "nobody can dial in any more"
	[ -n "${SAID[stay]}" ] && [ -n "${SAID[new]}" ] || fail "the LAC said nothing"
	PAUSE=$(said new "([.longest_gap_us / 1000 - 1000 / $RATE, 0] | max) | round")
	OUTAGE=$(said stay "([.longest_gap_max_us / 1000 - $PROBE, 0] | max) | round")
	GONE=$(($(said stay "$N - .up + .sessions_silent") + $(said new '.wanted - .brought_up')))
	clab_soon 20 clab_one_master && clab_soon 20 clab_in_sync || fail "the cluster does not come together again"
	watch
	tell "Probed $(said stay .probes) times, $(said new .wanted) calls meanwhile: set-up paused $PAUSE ms," \
		"the longest silence of one of the $N $OUTAGE ms, lost $GONE."
	lac new end sessions=$NEW how=cdn
}
row() { ROWS+=("$(printf '%-44s %10s %12s %8s' "$1" "$PAUSE ms" "$OUTAGE ms" "$GONE")") LOST=$((LOST + GONE)); }
start() {	# NODE: until it is up to date
	local began=$(ms_now) ready
	clab_start "$1"
	clab_soon 20 clab_ctl "$1" show version || fail "node $1 does not start"
	ready=$(ms_now)
	clab_soon 20 eval '[ "$(state '"$1"')" = slave ]' || fail "node $1 is not up to date"
	WAS[$1]=slave
	ready="it answers after $((ready - began)) ms and is up to date $(($(ms_now) - ready)) ms later"
	at "node $1 is started again: $ready, with $(clab_show "$1" .records) records"
}
kill_master() {
	at "node $master, the master: kill -KILL"
	clab_signal "$master" KILL; clab_gone "$master"
	WAS[$master]=down
}
watch_until() { while [ $(($(ms_now) - BEGAN)) -lt "$1" ]; do watch; sleep 0.05; done; }	# MILLISECONDS
cut_master() {
	at "node $master, the master: its cable to the other two is pulled"
	clab_link wire "n$master" down
	watch_until 2000
	tell "        nsctl show cluster on node $master:"
	show "$master" | sed -E '/role|frozen|reason/!d; s/^/        /'
	watch_until 2800
	at "the cable is back"
	clab_link wire "n$master" up
}
handover() {
	at "nsctl cluster handover"
	clab_ctl "$master" cluster handover >/dev/null || fail "no handover"
}
restart() {	# NODE
	at "node $1: nsctl cluster stop --wait"
	clab_ctl "$1" cluster stop --wait >/dev/null || clab_signal "$1" QUIT
	clab_soon 20 eval "! kill -0 ${CLAB_PID[$1]}" || fail "node $1 does not end"
	clab_gone "$1"
	WAS[$1]=down
	watch
	start "$1"
}

echo "l2tpns is an L2TP network server: subscribers' lines reach it through an access provider's"
echo "concentrator (a LAC), and it connects them to the Internet.  Here it is three times, as one"
echo "cluster behind one address: a master that answers, and two that know all it knows."
cat <<'END'

                                          node 1 ---.
    1,000 subscribers     L2TP tunnels    node 2 ---+ the cluster's own wire
      behind a LAC   ==== to 10.90.0.1    node 3 ---'
      10.90.0.2           |                  |
                          '------ LAN -------+------ the Internet, 10.90.0.3
END

title "Three nodes start"
clab_up "demo$$" 3 owned && clab_files && ip -n "$CLAB-inet" route add default via $CLAB_SERVICE ||
	fail "cannot make network namespaces"
tell "Each node's configuration is the same, but for names of files:"
sed "s#$CLAB_DIR/#/#; s/^/    /; /^ *\$/d" "$CLAB_DIR/node1/startup-config"
BEGAN=$(ms_now)
for n in 1 2 3; do clab_start $n; done
clab_soon 20 clab_one_master && clab_soon 20 clab_in_sync || fail "no cluster"
watch

title "$N subscribers dial in: an L2TP call, LCP, a password checked by CHAP, an address by IPCP"
internet
# Two LACs: `stay` has those that are watched, `new` those that come meanwhile.
lac_open stay --tunnels=20 --ports=20 --sessions=$N --peer="$CLAB_DIR/peer" --peer-address=$CLAB_PEER --device=lac0
lac_open new --tunnels=$NEW --port=2001 --ports=20 --sessions=$NEW --user=new%
lac stay up rate=500
[ "$(said stay .up)" = $N ] || fail "not everybody came up: ${SAID[stay]}"
took=$(said stay '"\(.seconds * 10 | round / 10) s, half of them within \(.setup_p50_us / 100 | round / 10) ms"')
tell "$N of $N in $took."
tell "Each step was told to the subscriber when a second node had it as well."
lac stay traffic direction=both size=512 rate=5000 time=3
pps() { said stay ".$1_pps / 100 | round * 100"; }
tell "They use it: $(pps up) packets a second to the Internet, $(pps down) back."
# Every tunnel of those who come later is open before anything happens.
lac new up sessions=$NEW && lac new end sessions=$NEW how=cdn

title "What the operator sees on the master: nsctl show cluster"
master=$(clab_master)
show "$master"
slave=$(others "$master" | head -n 1)
title "... and on node $slave, which never spoke to any of them: nsctl show session"
clab_ctl "$slave" show session | head -n 5
tell "    ... $(dialled_in "$slave") sessions"

title "1. The master is killed"
tell "Every subscriber sends a packet each $PROBE ms, and $RATE others dial in a second."
event 5 kill_master
row "the master is killed with SIGKILL"
BEGAN=$(ms_now)
start "$master"

title "2. The master is cut off from the others, and comes back"
master=$(clab_master)
event 6 cut_master
row "the master is cut off for 2 s and comes back"

title "3. The operator hands over"
master=$(clab_master)
event 4 handover
row "planned handover"

title "4. A rolling restart: all three nodes, the master last"
master=$(clab_master) worst=(0 0 0)
for n in $(others "$master") "$master"; do
	event 4 restart "$n"
	worst=($((PAUSE > worst[0] ? PAUSE : worst[0])) $((OUTAGE > worst[1] ? OUTAGE : worst[1])) $((worst[2] + GONE)))
done
PAUSE=${worst[0]} OUTAGE=${worst[1]} GONE=${worst[2]}
row "rolling restart of all three nodes"

title "What it cost"
printf '  %-44s %10s %12s %8s\n' '' 'set-up' 'longest' 'subscri-' event paused silence 'bers lost'
printf '  %s\n' "${ROWS[@]}"
echo
tell "set-up paused: nobody who dialled in came up for so long" \
	"longest silence: no packet of that subscriber came back from the Internet; $PROBE ms are one packet"

title "Everybody is still there"
lac stay "hold time=2 interval=$PROBE"
LOST=$((LOST + $(said stay "$N - .up + .sessions_silent")))
for n in 1 2 3; do
	clab_soon 10 eval "[ \$(dialled_in $n) = $N ]" || LOST=$((LOST + 1))
	tell "node $n, $(state $n): $(dialled_in $n) sessions"
done
tell "${bold}sessions lost: $LOST$plain"
lac stay end && tell "They leave; the server acknowledges: $(said stay .acknowledged)."
title "Done.  The namespaces and files of this demonstration are being removed."
[ "$LOST" = 0 ]
