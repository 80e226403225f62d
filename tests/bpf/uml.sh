#!/bin/bash
# uml.sh -- the differential test on another kernel: Debian's user-mode Linux, whose verifier is 6.1's.
#
#	tests/bpf/uml.sh BUILD-DIR		(needs no root)
set -u
B=$(realpath "$1")
UML=$(command -v linux.uml) || { echo "SKIP bpf-uml linux.uml is not installed"; exit 77; }
D=$(mktemp -d)
trap 'rm -rf "$D"' EXIT

cat >"$D/init" <<END
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
{
	echo "kernel \$(uname -r)"
	for program in $B/tests/bpf/plane_test.*.bpf.o; do
		$B/tests/bpf/plane_test \$program
	done
} >$D/out 2>&1
halt -f
END
chmod +x "$D/init"
TMPDIR=$D LD_PRELOAD=$B/uml-xstate.so timeout -k 5 100 "$UML" root=/dev/root rootfstype=hostfs rootflags=/ rw mem=256M quiet con=null \
	con0=fd:0,fd:1 init="$D/init" </dev/null >"$D/console" 2>&1
grep -q '^kernel' "$D/out" 2>/dev/null || { echo "SKIP bpf-uml user-mode Linux does not boot here"; cat "$D/console"; exit 77; }
sed "s/^ok bpf/ok bpf on $(sed -n 's/^kernel //p' "$D/out")/" "$D/out"
[ "$(grep -c '^ok' "$D/out")" = $((2 * $(ls "$B"/tests/bpf/plane_test.*.bpf.o | wc -l))) ]
