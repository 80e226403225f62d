#!/usr/bin/gawk -f
# size.awk -- functions over 70 lines, files over 600, lines over 120 columns, tabs counted as 8.
#
# A function is what stands between a `{` and a `}` in the first column.  Files that are
# tables may be as long as what they tabulate.
BEGIN {
	function_max = 70
	file_max = 600
	column_max = 120
	split("l2tpns/config/option_rows.c l2tpns/cli/command_rows.c", t, " ")
	for (i in t) table[t[i]]
}

function columns(line,    i, c, n) {
	if (index(line, "\t") == 0)
		return length(line)
	n = split(line, c, "")
	width = 0
	for (i = 1; i <= n; i++)
		width = c[i] == "\t" ? width - width % 8 + 8 : width + 1
	return width
}

BEGINFILE {
	open = 0
	before = ""
}
columns($0) > column_max {
	print FILENAME ":" FNR " is " columns($0) " columns wide -- break it at " column_max
}
/^\{/ {
	open = FNR
	head = before
}
/^\}/ {
	if (open && FNR - open - 1 > function_max)
		print FILENAME ":" open " " head " is " FNR - open - 1 " lines long -- split it, at most " function_max
	open = 0
}
!/^[[:space:]]*$/ {
	before = substr($0, 1, 60)
}
ENDFILE {
	if (FNR > file_max && !(FILENAME in table))
		print FILENAME " has " FNR " lines -- a room with two purposes: split it, at most " file_max
}
