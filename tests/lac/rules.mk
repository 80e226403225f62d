# rules.mk -- the LAC that tests, bench and demo dial in with.

LAC_SRC	 := $(wildcard tests/lac/*.c)
TEST_BUILD += $(B)/lac

# It must be far cheaper than the server it measures.
$(B)/obj/tests/lac/%.o: private OPT := -O2

$(B)/lac: $(call objs,$(LAC_SRC)) $(PURE_A)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PURE_LIBS) -lpthread

# What it counts is tested without a network.
OBJS_test_lac_count := $(call objs,$(addprefix tests/lac/,hist.c stream.c packet.c options.c))
