# The daemon itself in network namespaces: files, signals, sockets, terminals.
ROOT_TESTS += 'daemon: tests/netns/daemon.sh $(B)' 'terminals: tests/netns/terminals.sh $(B)' \
	'storms: tests/netns/storms.sh $(B)'
