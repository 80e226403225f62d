# lib.sh -- what the tidy checks share: the tree they look at and how they speak.
#
# A check is called `check.sh BUILD`, looks at the tree it stands in or at $ROOT, and says
# `ok check`, or `FAIL check: N findings` and each (the first 20 of them; all with V=1) as
# FILE:LINE what is wrong -- how to mend it.
set -u
build=${1:-build}
name=tidy-$(basename "$0" .sh)
case $build in /*) ;; *) build=$PWD/$build ;; esac
cd "${ROOT:-$(dirname "$0")/../..}" || exit 2
found=()

fail() { found+=("$*"); }

# Findings on standard input, one a line.
fail_each() {
	local line
	while IFS= read -r line; do [ -z "$line" ] || fail "$line"; done
}
verdict() {
	local n=${#found[@]} shown=20
	[ $n != 0 ] || { echo "ok $name"; exit 0; }
	[ -z "${V:-}" ] || shown=$n
	echo "FAIL $name: $n findings"
	printf '  %s\n' "${found[@]:0:$shown}"
	[ $n -le $shown ] || echo "  ... and $((n - shown)) more"
	exit 1
}

# Every file of ours, committed or about to be; a tree without git is taken as it lies.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" 2>/dev/null ||
		find . -type f -not -path './build/*' -not -path './.git/*' | sed 's,^\./,,' | {
			local p pattern=
			for p; do pattern=$pattern${pattern:+|}$(echo "$p" | sed 's/\./\\./g; s/\*/.*/g'); done
			grep -E "^(${pattern:-.*})\$"
		}
}
existing() { while IFS= read -r f; do [ ! -f "$f" ] || echo "$f"; done; }
