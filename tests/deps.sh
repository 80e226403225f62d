#!/bin/sh
# deps.sh -- are these Debian packages here?  --check says what is missing, --install mends it.
#
#	tests/deps.sh --check|--install PACKAGE...
#
# One dpkg-query answers.  As root --install fetches what is missing; otherwise the exact
# apt-get line is printed and the caller stops.  No daemon that comes along may start, now
# (policy-rc.d forbids it for the length of the installation) or at the next boot, and no
# file in /etc is touched that is there already.  Where there is no dpkg the packages have
# other names, and nothing is asked.
set -u
how=$1
shift
command -v dpkg-query >/dev/null || exit 0
missing=$({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null; printf 'want %s\n' "$@"; } |
	awk '$1 == "installed" { here[$2] } $1 == "want" && !($2 in here) { printf "%s ", $2 }')
[ -n "$missing" ] || exit 0
if [ "$how" != --install ] || [ "$(id -u)" != 0 ]; then
	echo "missing packages; as root: apt-get install -y --no-install-recommends $missing" >&2
	[ "$how" = --install ] || echo "(or: make deps)" >&2
	exit 1
fi

policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d}
log=$(mktemp) || exit 1
trap 'rm -f "$log"; exit 1' INT TERM
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" || exit 1
fi
export DEBIAN_FRONTEND=noninteractive
fetch() {
	apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold $missing </dev/null >"$log" 2>&1
}
echo "installing: $missing" >&2
if ! fetch; then
	apt-get update >/dev/null 2>&1
	fetch || { tail -n 20 "$log" >&2; echo "apt-get failed; its log: $log" >&2; exit 1; }
fi
rm -f "$log"
command -v systemctl >/dev/null || exit 0
for package in $missing; do
	dpkg -L "$package" 2>/dev/null | grep '/lib/systemd/system/[^/@]*\.service$' | while read -r unit; do
		unit=${unit##*/}
		[ -e "/etc/systemd/system/$unit" ] || systemctl --quiet disable "$unit" 2>/dev/null
	done
done
exit 0
