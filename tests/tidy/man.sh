#!/bin/bash
# man.sh -- the manual pages are well formed, with the tables the build fills in.
. "$(dirname "$0")/lib.sh"
for page in "$build"/man/*.[0-9]; do
	[ -e "$page" ] || { fail "no manual pages in $build/man -- run make first"; break; }
	if command -v mandoc >/dev/null; then
		fail_each < <(mandoc -T lint -W warning "$page" 2>&1 | sed 's/$/ -- see mdoc(7)/')
	else
		fail_each < <(groff -K utf8 -mandoc -ww -Tutf8 -z "$page" 2>&1 | sed 's/$/ -- see groff_mdoc(7)/')
	fi
done
verdict
