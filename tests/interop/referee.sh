#!/bin/bash
# referee.sh -- tshark over captures: says and fails on whatever is malformed or has an expert warning.
#
# Left out is what is no fault of the packet's form: TCP's own analysis, a ping that was sent
# before the other end could answer, an address used by one guest after the other.
set -u
innocent='tcp.analysis.flags || tcp.connection.rst || icmp.resp_not_found || arp.duplicate-address-detected'
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
code=0
for capture; do
	found=$(tshark -n -r "$capture" -Y "(_ws.malformed || _ws.expert.severity >= 0x600000) && !($innocent)" \
		-T fields -e frame.number -e _ws.col.Protocol -e _ws.col.Info -e _ws.expert.message 2>"$log") ||
		{ cat "$log"; code=2; }
	[ -z "$found" ] || { echo "$capture:"; head -n 20 <<<"$found"; code=1; }
done
exit $code
