#!/bin/bash
# pure.sh -- the pure rooms call nothing but memory, text and hash functions, and keep no state.
#
# Asked of the very objects that go into the daemon: everything in BUILD/libpure.a.  What
# is not pure is named in the Makefile (IMPURE) and is not in that archive.
. "$(dirname "$0")/lib.sh"

# What a pure object may leave undefined, besides other pure objects' symbols.
allowed='memcpy memmove memset memcmp memchr memrchr memmem mempcpy
	strlen strnlen strcmp strncmp strcasecmp strncasecmp strchr strrchr strchrnul strstr
	strspn strcspn strpbrk strcpy strtol strtoul strtoll strtoull
	snprintf vsnprintf bsearch qsort
	explicit_bzero assert_fail __stack_chk_fail _GLOBAL_OFFSET_TABLE_'

[ -f "$build/libpure.a" ] || { fail "no $build/libpure.a -- run make first"; verdict; }
fail_each < <(objdump -t "$build/libpure.a" | awk -F '\t' -v allowed="$allowed" '
	BEGIN { n = split(allowed, a, /[[:space:]]+/); for (i = 1; i <= n; i++) if (a[i] != "") may[a[i]] }
	/: +file format / {
		object = $0
		sub(/: +file format.*/, "", object)
		sub(/^.*\/obj\//, "", object)
		sub(/\.o$/, ".c", object)
		next
	}
	NF == 2 {
		n = split($1, left, / +/)
		section = left[n]
		split($2, right, / +/)
		symbol = right[length(right)]
		if (section == "*UND*")
			wanted[symbol] = wanted[symbol] " " object
		else if (section ~ /^\.(data|bss|tdata|tbss)/ && section !~ /^\.data\.rel\.ro/ && right[1] !~ /^0+$/)
			print object " keeps `" symbol "` in writable " section \
				" -- make it const, or put it in a struct the caller owns"
		else if (section == "*COM*")
			print object " has the common symbol `" symbol "` -- put it in a struct the caller owns"
		if (section != "*UND*")
			defined[symbol]
	}
	END {
		for (symbol in wanted) {
			base = symbol
			sub(/^__isoc[0-9]+_/, "", base)		# newer names of strtol and its kin
			if (base ~ /^__.*_chk$/) { sub(/^__/, "", base); sub(/_chk$/, "", base) }
			if (!(symbol in defined) && !(base in may) && base !~ /^nettle_/)
				print "`" symbol "` is called from" wanted[symbol] \
					" -- return an effect and let io/ or shell do it"
		}
	}')
verdict
