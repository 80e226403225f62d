# rules.mk -- what `make bench` needs besides the daemon and the LAC.

TEST_BUILD += $(B)/bench/radius

$(B)/bench/radius: $(call objs,tests/bench/radius.c)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PURE_LIBS)
