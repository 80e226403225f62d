#!/usr/bin/gawk -f
# cover.awk -- gcov's summaries -> one line a file of the tree, least covered first, and the sum.
/^File '/ { file = substr($0, 7, length($0) - 7) }
/^Lines executed:/ && file ~ /^l2tpns\// {
	split($0, f, /[:% ]+/)
	lines = f[length(f)]
	if (!(file in total) || total[file] < lines) total[file] = lines
	if (f[3] * lines / 100 > hit[file]) hit[file] = f[3] * lines / 100
	file = ""
}
END {
	for (f in total) { share[f] = 100 * hit[f] / total[f]; all += total[f]; got += hit[f] }
	n = asorti(share, order, "@val_num_asc")
	for (i = 1; i <= n; i++) printf "%6.1f %% of %5d  %s\n", share[order[i]], total[order[i]], order[i]
	if (all) printf "%6.1f %% of %5d  all\n", 100 * got / all, all
}
