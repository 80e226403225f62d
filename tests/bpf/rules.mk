# The packet path in the kernel beside the same in userspace, the plane's own bench, and what its unit tests link.

PLANE_USER_SRC := $(wildcard l2tpns/plane/user*.c) l2tpns/io/tun.c
OBJS_test_plane_user := $(call objs,$(PLANE_USER_SRC))
LIBS_test_plane_user := -lurcu-qsbr -lpthread

BPF_INCLUDE := $(wildcard /usr/include/$(shell uname -m)-linux-gnu)
BPF_FLAGS := -std=gnu11 -O2 -g -target bpf -Wall -Wextra -Werror -I. $(addprefix -I,$(BPF_INCLUDE))
PLANE_BPF := $(foreach isa,v1 v3,$(B)/tests/bpf/plane_test.$(isa).bpf.o)

$(B)/tests/bpf/plane_test.%.bpf.o: tests/bpf/plane_test.bpf.c $(B)/flags
	$(call say,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -mcpu=$* -MMD -MP -MT $@ -c -o $@ $<

$(B)/tests/bpf/plane_test: $(B)/obj/tests/bpf/plane_test.o $(B)/obj/tests/unit/assert_fail.o $(B)/libpure.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lbpf $(PURE_LIBS)

# Instruction sets old and new: what an old kernel's verifier is shown, and what a new one's is.
BPF_TESTS := $(foreach o,$(PLANE_BPF),'$(notdir $(basename $(basename $(o)))): $(B)/tests/bpf/plane_test $(o)')
BPF_TESTS += 'plane_test.uml: tests/bpf/uml.sh $(B)'
ROOT_TESTS += $(BPF_TESTS)
TEST_BUILD += $(B)/tests/bpf/plane_test $(PLANE_BPF)

.PHONY: bpf-test
bpf-test:					## the packet path in kernel and userspace, compared (root)
	@+$(SUBMAKE) $(B)/tests/bpf/plane_test $(PLANE_BPF)
	@tests/run -o $(B)/results $(BPF_TESTS)

$(B)/tests/bench/plane_bench: $(B)/obj/tests/bench/plane_bench.o $(B)/obj/tests/unit/assert_fail.o \
		$(call objs,$(PLANE_USER_SRC)) $(B)/libpure.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lurcu-qsbr -lpthread $(PURE_LIBS)
TEST_BUILD += $(B)/tests/bench/plane_bench
