# rules.mk -- the scenario runner and its plays.

REPLAY_SRC := $(wildcard tests/replay/*.c)
PLAYS	 := $(filter-out tests/replay/common.play,$(wildcard tests/replay/*.play))
CHECK_BUILD += $(B)/replay
CHECKS	 += $(foreach p,$(PLAYS),'replay-$(basename $(notdir $(p))): $(B)/replay $(p)')

.PHONY: replay
replay:						## the scenarios of tests/replay
	@+$(SUBMAKE) $(B)/replay
	@$(RUN) $(foreach p,$(PLAYS),'replay-$(basename $(notdir $(p))): $(B)/replay $(p)')

$(B)/replay: $(call objs,$(REPLAY_SRC)) $(PURE_A)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PURE_LIBS)
