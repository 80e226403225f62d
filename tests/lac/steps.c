/* steps.c -- the steps and their arguments as rows. */
#include <stdio.h>

#include "tests/lac/options.h"
#include "tests/lac/steps.h"

static const char *const how_words[] = { "stopccn", "cdn", "terminate", "vanish", NULL };
static const char *const direction_words[] = { "up", "down", "both", NULL };

#define ARG(name, kind, field, preset, help) \
	{ name, OPTION_##kind, offsetof(struct step_args, field), preset, NULL, help }
#define CHOICE(name, field, words, preset, help) \
	{ name, OPTION_CHOICE, offsetof(struct step_args, field), preset, words, help }

static const struct option_row up_rows[] = {
	ARG("sessions", NUMBER, sessions, "0", "so many more subscribers, 0: all"),
	ARG("rate", NUMBER, rate, "0", "calls started per second, 0: as --rate"),
	ARG("in-flight", NUMBER, in_flight, "0", "calls under way at once, 0: as --in-flight"),
	ARG("time", REAL, time, "0", "seconds until it gives up, 0: as --up-timeout"),
};
static const struct option_row traffic_rows[] = {
	CHOICE("direction", direction, direction_words, "both", "from subscribers, to them"),
	ARG("size", NUMBER, size, "512", "octets of the inner IP packet"),
	ARG("rate", NUMBER, rate, "0", "packets per second each way, 0: overload"),
	ARG("time", REAL, time, "5", "seconds"),
	ARG("sessions", NUMBER, sessions, "0", "subscribers that take part in turn, 0: all"),
	ARG("drain", REAL, drain, "0.3", "seconds to wait for what is still under way"),
	ARG("probe", NUMBER, interval_us, "0", "microseconds between round-trip probes meanwhile, 0: none"),
};
static const struct option_row probe_rows[] = {
	ARG("count", NUMBER, count, "1000", "round trips to measure, one subscriber after another"),
	ARG("interval", NUMBER, interval_us, "1000", "microseconds between two"),
	ARG("size", NUMBER, size, "64", "octets of the inner IP packet"),
	ARG("sessions", NUMBER, sessions, "0", "subscribers that take part, 0: all"),
};
static const struct option_row hold_rows[] = {
	ARG("time", REAL, time, "10", "seconds"),
	ARG("interval", NUMBER, interval_ms, "1000", "milliseconds between two probes of one subscriber"),
	ARG("size", NUMBER, size, "64", "octets of the inner IP packet"),
	ARG("sessions", NUMBER, sessions, "0", "subscribers that take part, 0: all"),
};
static const struct option_row wait_rows[] = {
	ARG("time", REAL, time, "1", "seconds"),
};
static const struct option_row flood_rows[] = {
	ARG("rate", NUMBER, rate, "10000", "SCCRQs per second from forged addresses and ports"),
	ARG("time", REAL, time, "1", "seconds"),
};
static const struct option_row end_rows[] = {
	CHOICE("how", how, how_words, "stopccn", "what the server is told"),
	ARG("first", NUMBER, first, "0", "number of the first subscriber to end"),
	ARG("sessions", NUMBER, sessions, "0", "so many of them and no tunnel, 0: everything"),
	ARG("time", REAL, time, "0", "seconds to wait for acknowledgement, 0: 30"),
};

#define STEP(name, help) { #name, name##_rows, ARRAY_LEN(name##_rows), step_##name, help }

static const struct step_row {
	const char			*name;
	const struct option_row		*row;
	size_t				 rows;
	bool				(*act)(struct lac *lac, const struct step_args *args);
	const char			*help;
} step_row[] = {
	STEP(up, "open the tunnels, bring subscribers up"),
	STEP(traffic, "numbered packets, counted exactly at the other end"),
	STEP(probe, "round-trip times through the server and the peer"),
	STEP(hold, "probe every subscriber, report each one's outages; fails when there is one"),
	STEP(wait, "only answer what the server asks; fails when a subscriber is lost"),
	STEP(flood, "SCCRQs from forged sources (needs root)"),
	STEP(end, "end calls and tunnels"),
};

bool steps_do(struct lac *lac, char *words)
{
	struct step_args args = { 0 };
	char *rest = words, *name = strsep(&rest, " \t");

	for (unsigned i = 0; i < ARRAY_LEN(step_row); i++) {
		const struct step_row *step = &step_row[i];

		if (strcmp(step->name, name) != 0)
			continue;
		options_preset(step->row, step->rows, &args);
		if (rest && !options_words(step->row, step->rows, &args, rest))
			return false;
		return step->act(lac, &args);
	}
	fprintf(stderr, "lac: no such step: %s (see --help)\n", name);
	return false;
}

void steps_help(void)
{
	for (unsigned i = 0; i < ARRAY_LEN(step_row); i++) {
		printf("%s -- %s\n", step_row[i].name, step_row[i].help);
		options_help(step_row[i].row, step_row[i].rows, "");
	}
}
