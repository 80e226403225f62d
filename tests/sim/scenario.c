/* scenario.c -- the list of scenarios. */
#include "tests/sim/scenario.h"

const struct scenario scenarios[] = {
#define SCENARIO(id, text)	{ #id, scenario_##id, text },
#include "tests/sim/scenarios.def"
#undef SCENARIO
};
const unsigned scenario_count = ARRAY_LEN(scenarios);
