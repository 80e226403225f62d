#!/bin/bash
# run.sh -- one fuzz target: over what is kept (regress), or looking for more (fuzz, $T seconds).
#
#	tests/fuzz/run.sh regress|fuzz BUILD fuzz_NAME
#
# Seeds are in corpus/NAME, what once failed in regress/NAME; fuzzing writes new seeds below
# BUILD and new failures to regress/NAME, where the next `make check` finds them.
set -u
how=$1 build=$2 target=$3
here=$(dirname "$0") name=${target#fuzz_} program=$build/fuzz/$target
inputs=()
for d in "$here/corpus/$name" "$here/regress/$name"; do [ ! -d "$d" ] || inputs+=("$d"); done
case $how in
regress)
	mkdir -p "$build/fuzz/found"
	if [ ${#inputs[@]} = 0 ]; then runs=1; else runs=0; fi
	"$program" -runs=$runs -artifact_prefix="$build/fuzz/found/" "${inputs[@]}" && echo "ok $target" || { echo "FAIL $target"; exit 1; } ;;
fuzz)
	found=$build/fuzz/found/$name
	mkdir -p "$found" "$here/regress/$name"
	dict=()
	[ ! -e "$here/$name.dict" ] || dict=(-dict="$here/$name.dict")
	"$program" -max_total_time="${T:-60}" -print_final_stats=1 "${dict[@]}" \
		-artifact_prefix="$here/regress/$name/" "$found" "${inputs[@]}"
	code=$?
	rmdir "$here/regress/$name" 2>/dev/null
	[ $code = 0 ] && echo "ok $target" || { echo "FAIL $target: the input is in $here/regress/$name"; exit 1; } ;;
*)	exit 2 ;;
esac
