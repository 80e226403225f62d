#!/bin/bash
# selftest.sh -- every tidy check can fail: a small tree is sound, then harmed in each way.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
bad=0

sound() {	# a tree every check is content with
	rm -rf "$tree"/* && mkdir -p "$tree"/{l2tpns/{base,wire,core,io,cli,plane,config},nsctl,build/man} && cd "$tree" || exit 2
	printf '/*\n * rd.h -- a reader.\n */\nint rd_len(const char *s);\n' >l2tpns/base/rd.h
	printf '/* rd.c -- a reader. */\n#include "l2tpns/base/rd.h"\n#include <string.h>\nint rd_len(const char *s)\n{\n\treturn (int)strlen(s);\n}\n' >l2tpns/base/rd.c
	printf '/* lns.c -- the core. */\n#include "l2tpns/base/rd.h"\nint lns(void)\n{\n\treturn rd_len("x");\n}\n' >l2tpns/core/lns.c
	printf '/* udp.c -- a socket. */\n#include "l2tpns/base/rd.h"\n' >l2tpns/io/udp.c
	printf 'l2tpns/   the daemon\n  base/     words\n    rd.[ch]  a reader\n  core/\n    lns.c  the core\n  io/\n    udp.c    a socket\n\nnsctl/\n' >INTERNALS
	printf '.Dd January 1, 2026\n.Dt X 8\n.Os\n.Sh NAME\n.Nm x\n.Nd a thing\n.Sh DESCRIPTION\nWords.\n' >build/man/x.8
}
compile() {
	local f
	rm -f build/libpure.a
	for f in l2tpns/base/rd l2tpns/core/lns; do
		mkdir -p "build/obj/${f%/*}" && ${CC:-cc} -I. -O1 -c -o "build/obj/$f.o" "$f.c" || exit 2
	done
	ar rcsDT build/libpure.a build/obj/l2tpns/base/rd.o build/obj/l2tpns/core/lns.o
}
expect() {	# ok|FAIL CHECK WHAT [PATTERN]
	local said
	[ "$2" != pure ] || compile
	said=$(V=1 ROOT=$tree "$here/$2.sh" "$tree/build" 2>&1)
	if [ "${said%% *}" = "$1" ] && grep -q -e "${4:-}" <<<"$said"; then
		echo "ok tidy-selftest $2: $3"
	else
		echo "FAIL tidy-selftest $2: $3: wanted $1 ${4:-}, got: ${said:-nothing}"
		bad=1
	fi
}

sound
for check in layers pure size internals words man; do expect ok $check "a sound tree"; done

echo '#include "l2tpns/io/udp.h"' >>l2tpns/core/lns.c
expect FAIL layers "core includes io" "l2tpns/core/lns.c:7.*against the arrow"
sound; echo '#include "l2tpns/core/lns.h"' >>l2tpns/base/rd.h
expect FAIL layers "base includes core" "l2tpns/base/rd.h:5"
sound; printf '/* show.c -- x. */\n#include "l2tpns/plane/plane.h"\n' >l2tpns/cli/show.c
expect ok layers "the CLI reads plane.h"
echo '#include "l2tpns/plane/user.h"' >>l2tpns/cli/show.c
expect FAIL layers "the CLI reads another header of plane" "cli/show.c:3"
sound; echo '#include "udp.h"' >>l2tpns/io/udp.c
expect FAIL layers "an include not from the root" "from the root"
sound; mkdir l2tpns/attic && echo '#include "l2tpns/base/rd.h"' >l2tpns/attic/x.c
expect FAIL layers "an unknown room" "no known room"

sound; printf '#include <time.h>\nlong now(void);\nlong now(void) { return time(0); }\n' >>l2tpns/core/lns.c
expect FAIL pure "a clock is read" '`time` is called from l2tpns/core/lns.c'
sound; printf 'int *count(void);\nint *count(void) { static int n; n++; return &n; }\n' >>l2tpns/base/rd.c
expect FAIL pure "a static variable" 'rd.c keeps `n'
sound; printf 'int level = 3;\n' >>l2tpns/base/rd.c
expect FAIL pure "a global variable" 'rd.c keeps `level'
sound; printf 'char *twice(const char *s);\nchar *twice(const char *s) { return strdup(s); }\n' >>l2tpns/base/rd.c
expect FAIL pure "an allocation" '`strdup`'
sound; printf 'extern const char *const names[];\nconst char *const names[] = { "a", "b" };\n' >>l2tpns/base/rd.c
expect ok pure "a constant table of pointers"

sound; { echo 'void f(void)'; echo '{'; yes '	x();' | head -71; echo '}'; } >>l2tpns/base/rd.c
expect FAIL size "a function of 71 lines" "void f(void) is 71 lines"
sound; yes '/* x */' | head -600 >>l2tpns/base/rd.c
expect FAIL size "a file over 600 lines" "has 607 lines"
sound; printf '\t%0113d\n' 0 >>l2tpns/base/rd.c
expect FAIL size "121 columns, a tab among them" "is 121 columns"

sound; printf '/* new.c -- fresh. */\n' >l2tpns/base/new.c
expect FAIL internals "a file INTERNALS lacks" "l2tpns/base/new.c: INTERNALS lacks"
sound; rm l2tpns/io/udp.c
expect FAIL internals "a file that is gone" "udp.c.*is not what the tree has"
sound; sed -i 's/a reader/a better reader/' l2tpns/base/rd.h
expect FAIL internals "another purpose" "a better reader"
sound; printf 'int x;\n' >l2tpns/io/udp.c
expect FAIL internals "no purpose" "no purpose"
sound; rm INTERNALS
expect FAIL internals "no INTERNALS" "no INTERNALS"

sound; printf '/* %s: later */\n' TODO >>l2tpns/base/rd.c
expect FAIL words "unfinished work" "rd.c:8"
sound; printf 'see %s/x\n' /work >README
expect FAIL words "somebody's folder" "README:1"

sound; printf '.Xx nonsense\n.El\n' >>build/man/x.8
expect FAIL man "a macro that does not exist" "x.8"
exit $bad
