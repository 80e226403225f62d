# table.sh -- medians and ratios out of the cells measured; sourced by run.sh and cluster.sh.

# What every group of cells is about: the number shown, its unit, and whether more is better.
BENCH_JQ='
def median: sort | if length == 0 then null elif length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def numbers_of($name): map(.[$name] | select(. != null)) | median;
def rounded: if . == null then null elif . >= 100 then round elif . >= 10 then (. * 10 | round) / 10
	else (. * 100 | round) / 100 end;
# [{group, cell, ours: {...}, theirs: {...}}], in the order they were measured.
def cells: reduce .[] as $row ({order: [], of: {}};
		($row.group + "|" + $row.cell) as $key
		| (if .of[$key] then . else .order += [$key] end)
		| .of[$key][$row.server] += [$row])
	| .of as $of | .order | map({group: split("|")[0], cell: (split("|")[1]), rows: $of[.]});
def side($name): .rows[$name] // [] | {
	packets_per_cpu_s: numbers_of("packets_per_cpu_s"), pps: (map((.up_pps // 0) + (.down_pps // 0)) | median),
	offered_pps: (map((.up_offered_pps // 0) + (.down_offered_pps // 0)) | median),
	cpu_us_per_session: numbers_of("server_cpu_us_per_session"), sessions_per_s: numbers_of("sessions_per_s"),
	p50_us: numbers_of("round_trip_p50_us"), p99_us: numbers_of("round_trip_p99_us"),
	rss_octets: numbers_of("server_rss_octets"), rss_kib: numbers_of("rss_kib"),
	up: numbers_of("up"), cpu_percent: numbers_of("server_cpu_percent"), echoes: numbers_of("echoes_here"),
	seconds: numbers_of("seconds"), runs: length };
def medians: cells | map({group, cell, ours: side("ours"), theirs: side("theirs")});
def ratio($a; $b): if $a == null or $b == null or $b == 0 then "" else ($a / $b * 100 | round) / 100 | tostring end;
def shown: if . == null then "" else rounded | tostring end;
def kilo: if . == null then "" else . / 1000 | rounded | tostring end;
def line: "| " + join(" | ") + " |";
'

# What was measured run by run of one cluster: [{cell, unit, median, p99, worst, runs, theirs}], of 2.4.1 the median.
BENCH_CLUSTER_JQ='
def runs_of($rows): $rows | map(.value | select(. != null)) | sort;
def at_percent($p): if length == 0 then null else .[(length * $p / 100 | ceil) - 1] end;
def cluster: map(select(.group == "cluster")) | reduce .[] as $row ({order: [], of: {}};
		(if .of[$row.cell] then . else .order += [$row.cell] end) | .of[$row.cell] += [$row])
	| .of as $of | .order | map($of[.] as $rows | runs_of($rows | map(select(.server == "ours"))) as $v | {
		group: "cluster", cell: ., unit: $rows[0].unit, median: ($v | median), p99: ($v | at_percent(99)), worst: $v[-1],
		runs: ($v | length), theirs: (runs_of($rows | map(select(.server == "theirs"))) | median) });
'

bench_json() { jq -s "$BENCH_JQ $BENCH_CLUSTER_JQ (map(select(.group != \"cluster\")) | medians) + cluster" "$1"; }

# One section: title, heading, jq filter from a cell to the fields of its line.
bench_section() {	# RAW GROUP TITLE HEADING FILTER
	local rows
	rows=$(jq -rs "$BENCH_JQ medians | map(select(.group == \"$2\")) | .[] | [$5] | line" "$1")
	[ -n "$rows" ] || return 0
	printf '\n**%s**\n\n| %s |\n|%s\n%s\n' "$3" "$4" \
		"$(sed 's/[^|]*|/---|/g; s/[^|]*$/---|/' <<<"$4")" "$rows"
}

bench_cluster() {	# RAW
	local rows
	rows=$(jq -rs "$BENCH_JQ $BENCH_CLUSTER_JQ"' cluster | .[]
		| [(.cell + if .unit == "" then "" else ", " + .unit end), (.median | shown)]
			+ (if .runs > 1 then [(.p99 | shown), (.worst | shown)] else ["", ""] end)
			+ [.runs, (.theirs | shown)] | map(tostring) | line' "$1")
	[ -n "$rows" ] || return 0
	printf '\n**%s**\n\n| %s |\n|---|---|---|---|---|---|\n%s\n' \
		"A cluster of three on this machine: heartbeats each 100 ms, dead after 500 ms; 2.4.1 with its own timers" \
		"what | median | p99 | worst | runs | 2.4.1" "$rows"
}

bench_machine() {
	printf 'Measured on %s, %s cores, Linux %s; medians of %s runs.\n' \
		"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname -r)" "$RUNS"
	[ -z "${HALF:-}" ] || echo "Half load is $((HALF / 1000)) kpps for both, half of what l2tpns 2.4.1 can do here."
}

bench_table() {	# RAW
	local heading='cell | l2tpns | 2.4.1 | ratio | l2tpns kpps | 2.4.1 kpps' filter='.cell,
		(.ours.packets_per_cpu_s | kilo), (.theirs.packets_per_cpu_s | kilo),
		ratio(.ours.packets_per_cpu_s; .theirs.packets_per_cpu_s), (.ours.pps | kilo), (.theirs.pps | kilo)'
	bench_machine
	bench_section "$1" traffic "Thousand packets forwarded per CPU-second of the daemon" "$heading" "$filter"
	bench_section "$1" nogro "The same without GRO and segmentation offload" "$heading" "$filter"
	bench_section "$1" latency "Round trip through the server, microseconds" \
		'cell | l2tpns p50 | p99 | 2.4.1 p50 | p99' \
		'.cell, (.ours.p50_us | shown), (.ours.p99_us | shown), (.theirs.p50_us | shown), (.theirs.p99_us | shown)'
	bench_section "$1" setup "Set-up: CPU of the daemon per session, microseconds (call, LCP, CHAP, IPCP)" \
		'cell | l2tpns | 2.4.1 | ratio | l2tpns sessions/s | 2.4.1 sessions/s' \
		'.cell, (.ours.cpu_us_per_session | shown), (.theirs.cpu_us_per_session | shown),
		ratio(.theirs.cpu_us_per_session; .ours.cpu_us_per_session), (.ours.sessions_per_s | shown),
		(.theirs.sessions_per_s | shown)'
	bench_section "$1" workers "Workers: throughput at overload, 8 LAC addresses (generator and sink on the same cores)" \
		'cell | kpps | thousand packets per CPU-second' \
		'.cell, (.ours.pps | kilo), (.ours.packets_per_cpu_s | kilo)'
	bench_section "$1" scale "Large: l2tpns alone" \
		'cell | CPU us per session | sessions/s | resident MB | CPU when quiet, % of a core | CPU us per echo' \
		'.cell, (.ours.cpu_us_per_session | shown), (.ours.sessions_per_s | shown),
		((.ours.rss_octets // (.ours.rss_kib | if . then . * 1024 else null end)) | if . then . / 1048576 else null end | shown),
		(.ours.cpu_percent | shown), (if (.ours.echoes // 0) == 0 then "" else .ours.cpu_percent * .ours.seconds * 10000 / .ours.echoes | shown end)'
	bench_cluster "$1"
	jq -rs "$BENCH_JQ medians | map(select(.group == \"scale\")) |
		(map(select(.cell == \"idle daemon\"))[0].ours.rss_kib) as \$idle |
		(map(select(.ours.up != null)) | last) as \$full | select(\$idle and \$full) |
		\"\nMemory: \((\$full.ours.rss_octets - \$idle * 1024) / \$full.ours.up | round) octets per session at \(\$full.ours.up) sessions.\"" "$1"
}
