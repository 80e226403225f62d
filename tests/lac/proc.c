/* proc.c -- the CPU clock of a process counts nanoseconds; /proc/PID/stat only ticks of 10 ms. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tests/lac/proc.h"

struct proc_usage proc_usage(uint32_t pid)
{
	struct proc_usage usage = { 0 };
	struct timespec spent;
	clockid_t clock;
	char path[64];
	unsigned long long size, resident;

	if (pid == 0)
		return usage;
	if (clock_getcpuclockid((pid_t)pid, &clock) == 0 && clock_gettime(clock, &spent) == 0)
		usage.cpu_s = (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
	snprintf(path, sizeof(path), "/proc/%u/statm", pid);
	FILE *file = fopen(path, "r");

	if (!file)
		return usage;
	if (fscanf(file, "%llu %llu", &size, &resident) == 2)
		usage.rss_octets = resident * (unsigned long long)sysconf(_SC_PAGESIZE);
	fclose(file);
	return usage;
}

struct device_usage device_usage(const char *name)
{
	struct device_usage usage = { 0 };
	char line[512];
	size_t len = strlen(name);
	FILE *file = len ? fopen("/proc/net/dev", "r") : NULL;

	while (file && fgets(line, sizeof(line), file)) {
		const char *at = line + strspn(line, " ");
		unsigned long long octets, packets;

		if (strncmp(at, name, len) == 0 && at[len] == ':' &&
		    sscanf(at + len + 1, "%llu %llu", &octets, &packets) == 2)
			usage = (struct device_usage){ .packets = packets, .octets = octets };
	}
	if (file)
		fclose(file);
	return usage;
}
