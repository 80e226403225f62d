#!/bin/bash
# tally.sh -- tests/run counts what it is told, misses no bad end, and says so by its exit code.
. "$(dirname "$0")/lib.sh"

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
counts() {	# WANTED-LINE WANTED-CODE WHAT COMMAND...
	local said code line=$1 want=$2 what=$3
	shift 3
	said=$(tests/run -j 2 -t 2 -o "$scratch" "$@" 2>&1)
	code=$?
	[ "$(tail -n 1 <<<"$said")" = "$line" ] && [ $code = "$want" ] ||
		fail "$what: wanted \"$line\" and code $want, got code $code and: $said"
}
cmocka='printf "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  FAILED  ] b\n[ RUN      ] c\n[  SKIPPED ] c\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] b\n"; exit 1'
counts "3 passed, 0 failed, 1 skipped" 0 "lines" 'printf "ok a\nok   b 12 ms\nSKIP c no such thing\nokay\n"' true
counts "1 passed, 1 failed, 0 skipped" 1 "a failure" 'printf "ok a\nFAIL b why\n"; exit 1'
counts "1 passed, 1 failed, 0 skipped" 1 "a failure without an exit code" 'printf "ok a\nFAIL b why\n"'
counts "1 passed, 1 failed, 1 skipped" 1 "cmocka" "$cmocka"
counts "1 passed, 1 failed, 0 skipped" 1 "death within a cmocka case" 'printf "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n"; kill -ABRT $$'
counts "1 passed, 1 failed, 0 skipped" 1 "a bad end after good cases" 'echo ok a; exit 3'
counts "0 passed, 1 failed, 0 skipped" 1 "silence and a bad end" 'exit 3'
counts "1 passed, 0 failed, 1 skipped" 0 "silence, by exit code" 'exit 77' 'x: exit 0'
counts "0 passed, 1 failed, 0 skipped" 1 "one that never ends" 'sleep 30'
counts "2 passed, 1 failed, 0 skipped" 1 "one by one" 'echo ok a' -- 'echo ok b' 'echo FAIL c'
verdict
