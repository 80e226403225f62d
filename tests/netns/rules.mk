# The daemon itself in network namespaces: files, signals, sockets, terminals.
ROOT_TESTS += 'daemon: tests/netns/daemon.sh $(B)' 'terminals: tests/netns/terminals.sh $(B)' \
	'storms: tests/netns/storms.sh $(B)'

# A cluster of daemons: nodes that die, wires that fail, traffic meanwhile, and bad input.
ROOT_TESTS += 'cluster: tests/netns/cluster.sh $(B)' 'cluster_cuts: tests/netns/cluster_cuts.sh $(B)' \
	'cluster_load: tests/netns/cluster_load.sh $(B)' 'cluster_bad: tests/netns/cluster_bad.sh $(B)'
TEST_BUILD += $(B)/cluster_flood

$(B)/cluster_flood: $(B)/obj/tests/netns/cluster_flood.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

# Single parts of the daemon with a real kernel: the cluster's thread, the owner of the service address.
ROOT_TESTS += 'cluster_io: tests/netns/cluster_io.sh $(B)' 'address: tests/netns/address.sh $(B)'
TEST_BUILD += $(B)/io_pair $(B)/address_own

$(B)/io_pair $(B)/address_own: $(B)/%: $(B)/obj/tests/netns/%.o $(IO_A) $(PURE_A)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) $(PURE_LIBS)
