/* scenario.h -- directed scenarios, by the requirement each is for. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "tests/sim/sim.h"

#define SCENARIO(id, text)	void scenario_##id(struct sim *sim);
#include "tests/sim/scenarios.def"
#undef SCENARIO

#endif
