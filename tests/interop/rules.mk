# Real clients in user-mode Linux dial in to the daemon.

# Preloaded into the guest's kernel, without which it does not boot on some processors.
$(B)/uml-xstate.so: tests/interop/xstate.c $(B)/flags
	$(call say,LINK,$@)
	$(Q)$(CC) $(CSTD) -O2 $(WARNINGS) -D_GNU_SOURCE -shared -fPIC -o $@ $<
TEST_BUILD += $(B)/uml-xstate.so

ROOT_TESTS += 'interop: tests/interop/run.sh $(B)'

# The same clients on a cluster of three nodes, whose master dies at every step of theirs.
ROOT_TESTS += 'interop-cluster: tests/interop/cluster.sh $(B)'
