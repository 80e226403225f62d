# steps.sh -- LACs in a cluster's lab, told step by step, and what each of them found; sourced, not run.
#
# Needs cluster_lab.sh's names, and fail().  A step's JSON is in SAID[NAME], its end, ok or failed, in DONE[NAME].

declare -A LAC_IN=() LAC_OUT=() SAID=() DONE=()

ms_now() { local t=$EPOCHREALTIME; echo $((${t/[.,]/} / 1000)); }
lac_open() {	# NAME OPTION...
	local fd lac=$1
	shift
	mkfifo "$CLAB_DIR/$lac.in" "$CLAB_DIR/$lac.out" || return 1
	ip netns exec "$CLAB-lac" "$B/lac" --server=$CLAB_SERVICE --local=$CLAB_LAC --auth=chap --restart=300 --quiet \
		"$@" - <"$CLAB_DIR/$lac.in" >"$CLAB_DIR/$lac.out" 2>"$CLAB_DIR/$lac.err" &
	disown $!
	exec {fd}>"$CLAB_DIR/$lac.in"
	LAC_IN[$lac]=$fd
	exec {fd}<"$CLAB_DIR/$lac.out"
	LAC_OUT[$lac]=$fd
}
lac_close() { eval "exec ${LAC_IN[$1]}>&- ${LAC_OUT[$1]}<&-"; }		# NAME: it leaves without a word to the server
lac_asks() { SAID[$1]= DONE[$1]= && echo "${*:2}" >&"${LAC_IN[$1]}"; }	# NAME STEP...; it goes on by itself
# 0 when the step is over, 2 when it is not yet.  Not `read -t SECONDS`: its alarm outlives a trap that exits.
lac_heard() {	# NAME MILLISECONDS
	local line end=$(($(ms_now) + $2))
	while :; do
		if read -r -t 0 <&"${LAC_OUT[$1]}"; then
			read -r line <&"${LAC_OUT[$1]}" || fail "the LAC has gone: $(tail -n 2 "$CLAB_DIR/$1.err")"
			case $line in
			ok | failed) DONE[$1]=$line; return 0 ;;
			\{*) SAID[$1]=$line ;;
			esac
		else
			[ "$(ms_now)" -lt $end ] || return 2
			sleep 0.02
		fi
	done
}
lac_done() { lac_heard "$1" 300000 && [ "${DONE[$1]}" = ok ]; }	# NAME
lac() { lac_asks "$@" && lac_done "$1"; }			# NAME STEP...
said() { jq -r "$2" <<<"${SAID[$1]}"; }				# NAME JQ
internet() {	# the peer whom subscribers talk to: lac_open's --peer="$CLAB_DIR/peer"
	clab_in inet "$B/lac" --is-peer --peer="$CLAB_DIR/peer" --peer-address="$CLAB_PEER" --device=inet0 \
		2>"$CLAB_DIR/peer.err" &
	disown $!
	clab_soon 10 test -S "$CLAB_DIR/peer" || fail "no peer in the Internet: $(tail -n 1 "$CLAB_DIR/peer.err")"
}
