# lib.sh -- what the tidy checks share: the tree they look at and how they speak.
#
# A check is called `check.sh BUILD`, looks at the tree it stands in or at $ROOT, says
# `FAIL check: FILE:LINE what is wrong -- how to mend it` for each finding, and `ok check`
# when there is none.
set -u
build=${1:-build}
name=tidy-$(basename "$0" .sh)
case $build in /*) ;; *) build=$PWD/$build ;; esac
cd "${ROOT:-$(dirname "$0")/../..}" || exit 2
found=0

fail() { echo "FAIL $name: $*"; found=$((found + 1)); }

# Findings on standard input, one a line; then the verdict.
fail_each() {
	local line
	while IFS= read -r line; do [ -z "$line" ] || fail "$line"; done
}
verdict() { [ $found = 0 ] && echo "ok $name" || exit 1; }

# Every file of ours, committed or about to be; a tree without git is taken as it lies.
files() {
	git ls-files --cached --others --exclude-standard -- "$@" 2>/dev/null ||
		find . -type f -not -path './build/*' | sed 's,^\./,,' | {
			local p pattern=
			for p; do pattern=$pattern${pattern:+|}$(echo "$p" | sed 's/\./\\./g; s/\*/.*/g'); done
			grep -E "^(${pattern:-.*})\$"
		}
}
existing() { while IFS= read -r f; do [ ! -f "$f" ] || echo "$f"; done; }
