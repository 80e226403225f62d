/*
 * mutants.h -- guards that the simulator can switch off one at a time, to see that a test misses each of them.
 *
 * In the daemon both macros are the condition and nothing else.
 */
#ifndef CLUSTER_MUTANTS_H
#define CLUSTER_MUTANTS_H

#ifdef CL_MUTANTS

enum cl_mutant {
	CL_MUTANT_NONE,
#define MUTANT(id, text) CL_MUTANT_##id,
#include "cluster/mutants.def"
#undef MUTANT
	CL_MUTANT_COUNT
};

extern int cl_mutant;		/* the simulator's: which guard is off */

/* True where the guard holds something back: false when it is off. */
#define CL_GUARD(id, condition)		(cl_mutant != CL_MUTANT_##id && (condition))
/* True where the guard lets something through: true when it is off. */
#define CL_GUARD_PASS(id, condition)	(cl_mutant == CL_MUTANT_##id || (condition))

#else

#define CL_GUARD(id, condition)		(condition)
#define CL_GUARD_PASS(id, condition)	(condition)

#endif

#endif
