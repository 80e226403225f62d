# cluster_lib.sh -- what the cluster's stories share: a cluster, subscribers, what the nodes said, and judging; sourced.
#
# Each case has a lab and a folder of its own, so as many run at once as there are processors.
set -u
B=$(realpath "${1:-build}")
[ $# = 0 ] || shift
HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
. "$HERE/../lac/cluster_lab.sh"
[ "$(id -u)" = 0 ] || { echo "SKIP ${0##*/} needs root"; exit 0; }

ALL_DIR=$(mktemp -d -t cluster.XXXXXX) || exit 2
LAC_IN= LAC_OUT= STEP=
sweep() {	# PREFIX of namespaces
	local ns
	for ns in $(ip netns list | sed -n "s/^\($1[^ ]*\).*/\1/p"); do clab_remove "$ns"; done
}
clean() {	# whatever a case was doing, what it made is in its namespaces and its folder
	trap '' INT TERM HUP
	local pid
	for pid in $(jobs -p); do kill -KILL "$pid"; done 2>/dev/null
	sweep "cl$$\\."
	wait 2>/dev/null
	rm -rf "$ALL_DIR"
}
trap clean EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- the cluster ----
lab() { clab_up "$LAB" "$1" "$2" && clab_files || { echo "no lab"; return 1; }; }	# NODES owned|spread
cluster() {	# NODES owned|spread: up, one master, everybody in sync
	local n
	lab "$1" "$2" || return 1
	for ((n = 1; n <= $1; n++)); do clab_start $n; done
	together || return 1
}
together() {
	clab_soon 5 clab_one_master || { echo "no master within 5 s"; tell; return 1; }
	clab_soon 5 clab_in_sync || { echo "not in sync"; tell; return 1; }
}
tell() {	# what the nodes said
	local n
	for n in $(seq "$CLAB_NODES"); do
		echo "--- node $n"
		cat "$CLAB_DIR/node$n/log" "$CLAB_DIR/node$n/out" 2>/dev/null | grep -v ' state: tunnel=' | tail -n 12
		clab_ctl "$n" show cluster 2>&1 | head -n 18
	done
}
failed() { echo "$*"; tell; return 1; }
sessions() { clab_ctl "$1" show session --json | jq '[.sessions[] | select(.state == "up")] | length'; }
everywhere() {	# NUMBER of sessions on every running node
	local n
	for n in "${!CLAB_PID[@]}"; do [ "$(sessions "$n")" = "$1" ] || return 1; done
}
others() { local n; for n in "${!CLAB_PID[@]}"; do [ "$n" = "$1" ] || echo "$n"; done; }
kill_node() { clab_signal "$1" KILL; clab_gone "$1"; }
frozen() { [ "$(clab_show "$1" .frozen)" = true ]; }
master_is() { [ "$(clab_master)" = "$1" ]; }
another_master() { local now; now=$(clab_master); [[ $now =~ ^[0-9]+$ ]] && [ "$now" != "$1" ]; }	# one, and not NODE
one_digest() { [ "$(for n in "${!CLAB_PID[@]}"; do clab_show "$n" .digest; done | sort -u | wc -l)" = 1 ]; }
says() { clab_soon "${3:-2}" grep -qE "$2" "$CLAB_DIR/node$1/log" || failed "node $1 does not say: $2"; }	# NODE PATTERN
metric() { clab_ctl "$1" show metrics | awk -v name="l2tpns_$2" '$1 == name { print $2 }'; }	# NODE NAME

# ---- stability ----
roles() { cat "$CLAB_DIR"/node*/log | grep -c "cluster role"; }		# how often one changed, on all nodes
one_master_a_term() {	# of all that were ever written down
	local twice
	twice=$(grep -H "cluster role.*now master," "$CLAB_DIR"/node*/log | sed 's/.*\(node[0-9]*\)\/log:.* term=\([0-9]*\).*/\2 \1/' |
		sort -u | cut -d ' ' -f 1 | uniq -d)
	[ -z "$twice" ] || failed "two masters in term $twice"
}
mark_roles() { ROLES=$(roles); }
same_roles() { [ "$(roles)" = "$ROLES" ] || failed "roles changed $(($(roles) - ROLES)) times: $*"; }

# ---- subscribers ----
lac() { lac_later "$@" && lac_done; }	# one step; its JSON line in $STEP
lac_later() { STEP=; echo "$*" >&"$LAC_IN"; }	# it goes on while we act; lac_done waits for it
lac_done() {
	local line
	STEP=
	while read -r -t 90 line <&"$LAC_OUT"; do
		case $line in
		ok) return 0 ;;
		failed) return 1 ;;
		\{*) STEP=$line ;;
		esac
	done
	echo "the LAC has gone"
	return 1
}
subscribers() {	# NUMBER [MORE OPTIONS]: a LAC for so many
	clab_in inet "$B/lac" --is-peer --peer="$CLAB_DIR/peer" --peer-address=$CLAB_PEER --device=inet0 2>"$CLAB_DIR/peer.err" &
	clab_soon 3 test -S "$CLAB_DIR/peer" || { cat "$CLAB_DIR/peer.err"; return 1; }
	coproc LAC { exec ip netns exec "$CLAB-lac" "$B/lac" --server=$CLAB_SERVICE --local=$CLAB_LAC --ports=20 \
		--tunnels=20 --sessions="$1" --auth=chap --restart=300 --peer="$CLAB_DIR/peer" --peer-address=$CLAB_PEER \
		--quiet "${@:2}" - 2>"$CLAB_DIR/lac"; }
	LAC_IN=${LAC[1]} LAC_OUT=${LAC[0]}
	disown "$LAC_PID"
}
told() { jq -r "$1" <<<"$STEP"; }	# JQ
all_up() { lac up "$@" || failed "not everybody came up: $STEP"; }
nobody_lost() {	# NUMBER: every subscriber still answers through the cluster, and every node knows all
	lac "hold time=1.5 interval=500" || [ "$(told .up)" = "$1" ] || failed "lost: $STEP" || return 1
	[ "$(told .up)" = "$1" ] && [ "$(told .sessions_silent)" = 0 ] || failed "held: $STEP" || return 1
	clab_soon 5 everywhere "$1" && return 0
	for n in "${!CLAB_PID[@]}"; do echo "node $n: $(sessions "$n")"; done
	failed "not the same sessions everywhere"
}

# ---- judging ----
one_case() {	# CASE NUMBER
	local began=$EPOCHREALTIME now code
	LAB=cl$$.$2 CLAB_DIR=$ALL_DIR/$1
	trap clab_down EXIT
	trap 'exit 143' TERM INT HUP
	mkdir "$CLAB_DIR"
	"case_$1" >"$CLAB_DIR.said" 2>&1 </dev/null
	code=$?
	now=$EPOCHREALTIME
	[ $code != 0 ] || echo "ok $1 $(((${now/./} - ${began/./}) / 1000)) ms"
	[ $code = 0 ] || printf '%s\n' "FAIL $1" "$(sed 's/^/    | /' "$CLAB_DIR.said" | head -n 120)"
	[ -z "${KEEP:-}" ] || cp -r "$CLAB_DIR" "$CLAB_DIR.said" "$KEEP"
	rm -rf "$CLAB_DIR"
	return $code
}
judge() {	# [CASE...]: all, or these; JOBS at once; KEEP is a folder for what they leave
	local case ns code=0 number=0 running=0 list
	list=$(declare -F | sed -n 's/^declare -f case_//p')
	[ $# = 0 ] || list=$*
	for ns in $(ip netns list | sed -n 's/^cl\([0-9]*\)\..*/\1/p' | sort -u); do	# of a run that was killed
		[ -d "/proc/$ns" ] || sweep "cl$ns\\."
	done
	for case in $list; do
		if [ $running -ge "${JOBS:-$(nproc)}" ]; then
			wait -n || code=1
			running=$((running - 1))
		fi
		number=$((number + 1))
		one_case "$case" $number &
		running=$((running + 1))
	done
	for ((; running > 0; running--)); do wait -n || code=1; done
	return $code
}
