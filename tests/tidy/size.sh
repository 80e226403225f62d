#!/bin/bash
# size.sh -- size.awk over every C file of the tree.
. "$(dirname "$0")/lib.sh"
awk_file=${BASH_SOURCE[0]%.sh}.awk
case $awk_file in /*) ;; *) awk_file=$OLDPWD/$awk_file ;; esac
fail_each < <(files '*.c' '*.h' | existing | xargs -r gawk -f "$awk_file")
verdict
