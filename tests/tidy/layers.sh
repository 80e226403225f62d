#!/bin/bash
# layers.sh -- an include may only run with the arrow.
. "$(dirname "$0")/lib.sh"

# room: what it may include, as rooms or single headers.  This table is the arrow
#	base <- wire <- core <- (plane, config, cli) <- io <- shell <- main
#	base <- cluster <- shell
# and its doors: the CLI reads the plane's, the configuration's and the cluster's facts.
arrow='
base:	base
wire:	base wire
core:	base wire core
plane:	base wire core plane
config:	base wire core config
cli:	base wire core cli plane/plane.h config/config.h cluster/cluster.h
io:	base wire core plane config cli io
cluster: base cluster
shell:	base wire core plane config cli io cluster shell
main:	base wire core plane config cli io cluster shell main
nsctl:	base wire nsctl
plugins: plugins
'

fail_each < <(files '*.c' '*.h' | existing | grep -E '^(l2tpns|cluster|nsctl|plugins)/' |
	xargs -r grep -Hn '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' |
	awk -F: -v arrow="$arrow" '
	function room(path) {	# of a file named from the root
		if (path ~ /^l2tpns\/shell[^\/]*$/) return "shell"
		if (path ~ /^l2tpns\/main[^\/]*$/) return "main"
		sub(/^l2tpns\//, "", path)
		return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : "?"
	}
	BEGIN {
		n = split(arrow, row, "\n")
		for (i = 1; i <= n; i++) {
			m = split(row[i], may, /[:[:space:]]+/)
			for (j = 2; j <= m; j++) if (may[j] != "") { allowed[may[1], may[j]]; known[may[1]] }
		}
	}
	{
		split($3, quoted, "\"")
		header = quoted[2]
		from = room($1)
		to = room(header)
		short = header
		sub(/^l2tpns\//, "", short)
		if (!(from in known))
			print $1 ":" $2 " is in no known room -- add the room to the arrow in tests/tidy/layers.sh"
		else if (header !~ /^(l2tpns|cluster|nsctl|plugins)\//)
			print $1 ":" $2 " includes \"" header "\" -- write includes from the root: \"l2tpns/room/file.h\""
		else if (!((from, to) in allowed) && !((from, short) in allowed))
			print $1 ":" $2 " (" from ") includes " header " (" to "), against the arrow" \
				" -- move what is needed down to a room both may see, or pass it in"
	}')
verdict
