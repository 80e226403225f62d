#!/usr/bin/gawk -f
# cover.awk -- gcov's summaries -> one line a file of the tree, least covered first, and the sum.
/^File '/ {
	file = substr($0, 7, length($0) - 7)
}
/^Lines executed:/ && file ~ /^l2tpns\// {
	split($0, part, /[:% ]+/)	# "Lines executed", percent, "of", lines
	lines[file] = part[5]
	hits = part[3] * part[5] / 100
	if (hits > hit[file])	# a header is told of once for each file that includes it
		hit[file] = hits
	file = ""
}
END {
	for (name in lines) {
		share[name] = 100 * hit[name] / lines[name]
		all += lines[name]
		covered += hit[name]
	}
	n = asorti(share, order, "@val_num_asc")
	for (i = 1; i <= n; i++)
		printf "%6.1f %% of %5d  %s\n", share[order[i]], lines[order[i]], order[i]
	if (all)
		printf "%6.1f %% of %5d  all\n", 100 * covered / all, all
}
