# rules.mk -- the cluster's simulator: build/sim.

# Its copy of the cluster's machine has switches that turn guards off, to test the tests.
SIM_SRC	 := $(wildcard tests/sim/*.c)
SIM_ROOM := $(filter-out cluster/io%.c,$(wildcard cluster/*.c))
SIM_OBJ	 := $(patsubst %.c,$(B)/sim-obj/%.o,$(SIM_ROOM) $(SIM_SRC))
SEEDS	 := 2000

CHECK_BUILD += $(B)/sim
CHECKS	 += 'sim: $(B)/sim -q -n 100'
ROOT_TESTS += 'sim-storms: $(B)/sim -q -s 1000 -n 500' 'sim-scenarios: $(B)/sim -n 1 all'

.PHONY: sim
sim:						## SEEDS=2000: so many storms, scenarios and mutants
	@+$(SUBMAKE) $(B)/sim
	@$(RUN) -t 0 'sim: $(B)/sim -q -n $(SEEDS)' 'sim-open: $(B)/sim -o -n $(SEEDS)' \
		'sim-lns: $(B)/sim -w -q -n $(SEEDS)' 'sim-scenarios: $(B)/sim -n 10 all' 'sim-mutants: $(B)/sim -m all'

$(B)/sim-obj/%.o: %.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -DCL_MUTANTS $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/sim: $(SIM_OBJ) $(PURE_A)
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(PURE_LIBS) -lm
