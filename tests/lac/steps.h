/*
 * steps.h -- what a LAC can be told to do, one row each; read by the parser and by --help.
 */
#ifndef LAC_STEPS_H
#define LAC_STEPS_H

#include "tests/lac/lac.h"

struct step_args {		/* every step's arguments; a step uses those its row names */
	uint64_t	sessions, rate, in_flight, size, interval_us, interval_ms, count, how, direction;
	uint64_t	first;
	double		time, drain;
	bool		background;
};

enum end_how { END_STOPCCN, END_CDN, END_TERMINATE, END_VANISH };
enum direction { DIRECTION_UP, DIRECTION_DOWN, DIRECTION_BOTH };

/* Each reports what it did; false when what was asked for was not reached. */
bool step_up(struct lac *lac, const struct step_args *args);
bool step_end(struct lac *lac, const struct step_args *args);
bool step_wait(struct lac *lac, const struct step_args *args);
bool step_traffic(struct lac *lac, const struct step_args *args);
bool step_probe(struct lac *lac, const struct step_args *args);
bool step_hold(struct lac *lac, const struct step_args *args);
bool step_flood(struct lac *lac, const struct step_args *args);

/* "traffic direction=up size=64": taken apart in place. */
MUST_USE bool steps_do(struct lac *lac, char *words);
void steps_help(void);

#endif
