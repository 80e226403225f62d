#!/bin/bash
# internals.sh -- the tree in INTERNALS names every file, with the purpose its first line gives.
#
#	tests/tidy/internals.sh --print		the tree as it should stand, to paste
#
# The tree is the blocks that begin with a folder in the first column (`l2tpns/`) and go on
# with indented lines.  A line that ends its name with `/` is a folder; its words are the
# author's own.  `x.[ch]` stands for x.c and x.h, and has the purpose of x.h.
print=
[ "${1:-}" != --print ] || { print=1; shift; }
. "$(dirname "$0")/lib.sh"

purpose() {	# FILE: what its first lines say after `--`
	awk 'NR > 3 { exit } match($0, / -- /) {
		p = substr($0, RSTART + 4); sub(/[[:space:]]*\*\/.*/, "", p); sub(/\.?[[:space:]]*$/, "", p)
		print p; exit }' "$1"
}

tree() {	# the tree as it should be, folders without their words
	local f base dir stem said
	files '*.c' '*.h' '*.def' | existing | grep -E '^(l2tpns|cluster|nsctl|plugins)/' | LC_ALL=C sort |
	while IFS= read -r f; do
		dir=${f%/*} base=${f##*/} stem=${f%.*}
		case $f in
		*.h) [ -f "$stem.c" ] && base="${base%.h}.[ch]" ;;
		*.c) [ -f "$stem.h" ] && continue ;;
		esac
		said=$(purpose "$f")
		[ -n "$said" ] || said="(no purpose in its first line)"
		echo "$dir/	$base	$said"
	done | LC_ALL=C sort | awk -F '\t' '
	{
		n = split($1, part, "/")
		path = ""
		for (i = 1; i < n; i++) {
			path = path part[i] "/"
			if (!(path in shown)) { shown[path]; printf "%*s%s/\n", 2 * (i - 1), "", part[i] }
		}
		printf "%-28s %s\n", sprintf("%*s%s", 2 * (n - 1), "", $2), $3
	}'
}

written() {	# the tree as INTERNALS has it
	awk '/^[^ ]/ { inside = /^(l2tpns|cluster|nsctl|plugins)\/([[:space:]]|$)/ } /^$/ { inside = 0 } inside' INTERNALS
}

if [ -n "$print" ]; then	# folders keep the words INTERNALS gave them
	{ [ ! -f INTERNALS ] || written; echo =====; tree; } | awk '
		/^=====$/ { second = 1; next }
		{ depth = match($0, /[^ ]/) - 1; word = $1 }
		word ~ /\/$/ { at[depth] = word; path = ""; for (d = 0; d <= depth; d += 2) path = path at[d] }
		!second { if (word ~ /\/$/) words[path] = $0; next }
		word ~ /\/$/ && (path in words) { print words[path]; next }
		{ print }'
	exit
fi
[ -f INTERNALS ] || { fail "no INTERNALS -- begin it with the tree: tests/tidy/internals.sh --print"; verdict; }
# As paths, so that neither order nor columns matter.
paths() {
	awk '{
		depth = match($0, /[^ ]/) - 1
		word = $1
		rest = $0
		sub(/^[[:space:]]*[^[:space:]]+[[:space:]]*/, "", rest)
		sub(/\.?[[:space:]]*$/, "", rest)
		if (word ~ /\/$/) { at[depth] = word; next }
		path = ""
		for (d = 0; d < depth; d += 2) path = path at[d]
		print path word "\t" rest
	}' | LC_ALL=C sort
}
fail_each < <(diff <(tree | paths) <(written | paths) | awk -F '\t' '
	/^</ { print substr($1, 3) ": INTERNALS lacks this file or says otherwise than its first line: \"" $2 "\" -- tests/tidy/internals.sh --print" }
	/^>/ { print "INTERNALS: " substr($1, 3) " \"" $2 "\" is not what the tree has -- tests/tidy/internals.sh --print" }')
fail_each < <(tree | grep -F '(no purpose in its first line)' | sed 's/$/ -- open it with: name.c -- one line of purpose./')
verdict
