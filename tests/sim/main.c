/* main.c -- runs seeds, scenarios and mutants; of what fails it says how to repeat it. */
#include <time.h>
#include <unistd.h>

#include "tests/sim/sim.h"
#include "tests/sim/trace.h"

struct wishes wishes = { .seed = 1, .seeds = 100, .members = -1 };
int cl_mutant;

static struct sim *running;

/* A broken assertion is the run's failure (I17). */
void assert_fail(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	if (running && running->performing)
		sim_fail(running, "I17: %s:%d: assertion failed: %s", file, line, expr);
	abort();
}

static void say_failed(const struct sim *sim, const char *name, uint64_t seed)
{
	printf("FAIL %s seed %llu: %s\n", name, (unsigned long long)seed, sim->error);
	printf("\tto repeat: build/sim -s %llu -n 1%s", (unsigned long long)seed, wishes.whole_product ? " -w" : "");
	if (wishes.nodes)
		printf(" -N %u", wishes.nodes);
	if (wishes.seconds)
		printf(" -t %u", wishes.seconds);
	if (wishes.members >= 0)
		printf(" %s", wishes.members ? "-q" : "-o");
	printf(" -v%s%s\n", sim->scenario ? " " : "", sim->scenario ? sim->scenario : "");
}

static bool run_seeds(struct sim *sim, const char *name)
{
	uint64_t events = 0, released = 0, changes = 0, faults = 0, first_hash = 0;
	struct timespec begin, end;
	unsigned failures = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned i = 0; i < wishes.seeds; i++) {
		if (!sim_perform(sim, wishes.seed + i, play_storm)) {
			say_failed(sim, name, wishes.seed + i);
			if (++failures == 10)
				break;
		}
		if (i == 0)
			first_hash = sim->hash;
		events += sim->events;
		released += sim->released;
		changes += sim->role_changes;
		faults += sim->faults_injected;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	double took = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;

	printf("%s %s %u seeds, %.2f M events, %.0f k outputs, %llu faults, %llu changes of role, %.1f s, %.0f k/s\n",
		failures ? "FAIL" : "ok", name, wishes.seeds, (double)events / 1e6, (double)released / 1e3,
		(unsigned long long)faults, (unsigned long long)changes, took, (double)events / took / 1e3);
	if (failures)
		return false;
	bool verbose = sim->verbose;

	sim->verbose = false;
	bool same = sim_perform(sim, wishes.seed, play_storm) && sim->hash == first_hash;

	sim->verbose = verbose;
	printf("%s %s-repeats I18: seed %llu twice is the same run\n", same ? "ok" : "FAIL", name,
		(unsigned long long)wishes.seed);
	return same;
}

static bool run_scenario(struct sim *sim, const char *name)
{
	bool found = false, ok = true;

	for (unsigned i = 0; i < scenario_count; i++) {
		const struct scenario *scenario = &scenarios[i];
		unsigned seeds = wishes.seeds ? wishes.seeds : 3, s;

		if (strcmp(name, "all") != 0 && strcmp(name, scenario->name) != 0)
			continue;
		found = true;
		sim->scenario = scenario->name;
		for (s = 0; s < seeds && sim_perform(sim, wishes.seed + s, scenario->play); s++)
			;
		if (s < seeds)
			say_failed(sim, scenario->name, wishes.seed + s);
		else
			printf("ok %s %s\n", scenario->name, scenario->text);
		ok &= s == seeds;
	}
	sim->scenario = NULL;
	if (!found)
		fprintf(stderr, "no scenario %s\n", name);
	return found && ok;
}

static int usage(void)
{
	fprintf(stderr, "usage: sim [-s FIRST_SEED] [-n SEEDS] [-t SECONDS] [-N NODES] [-q | -o] [-w] [-v]\n"
		"           [-m MUTANT | -m all] [SCENARIO... | all]\n"
		"       sim --trace FILE\n"
		"  -q  a quorum of configured nodes   -o  open   -w  the whole product, with LACs\n");
	for (unsigned i = 0; i < scenario_count; i++)
		fprintf(stderr, "    %-22s %s\n", scenarios[i].name, scenarios[i].text);
	return 2;
}

int main(int argc, char **argv)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	bool ok = true;
	int option;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ASSERT(sim);
	wishes.seeds = 0;
	if (argc == 3 && strcmp(argv[1], "--trace") == 0)
		return trace_main(argv[2]);
	while ((option = getopt(argc, argv, "s:n:t:N:m:qowv")) != -1)
		switch (option) {
		case 's': wishes.seed = strtoull(optarg, NULL, 0); break;
		case 'n': wishes.seeds = (unsigned)atoi(optarg); break;
		case 't': wishes.seconds = (unsigned)atoi(optarg); break;
		case 'N': wishes.nodes = (unsigned)atoi(optarg); break;
		case 'm': wishes.mutant = optarg; break;
		case 'q': wishes.members = 1; break;
		case 'o': wishes.members = 0; break;
		case 'w': wishes.whole_product = true; break;
		case 'v': sim->verbose = true; break;
		default: return usage();
		}
	if (wishes.nodes > SIM_NODES || wishes.nodes == 1)
		return usage();
	sim->out = calloc(1, sizeof(*sim->out));
	sim->forward = calloc(SIM_FORWARDS, sizeof(*sim->forward));
	ASSERT(sim->out && sim->forward);
	running = sim;
	if (wishes.mutant) {
		ok = mutants_run(sim, wishes.mutant, wishes.seed, wishes.seeds);
	} else if (optind < argc) {
		for (int i = optind; i < argc; i++)
			ok &= run_scenario(sim, argv[i]);
	} else {
		wishes.seeds = wishes.seeds ? wishes.seeds : 100;
		ok = run_seeds(sim, wishes.whole_product ? "sim-lns" : wishes.members == 0 ? "sim-open" : "sim");
	}
	free(sim->out);
	free(sim->forward);
	free(sim);
	return ok ? 0 : 1;
}
