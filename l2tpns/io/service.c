/* service.c -- sd_notify(3). */
#include <inttypes.h>
#include <systemd/sd-daemon.h>

#include "l2tpns/io/service.h"

void service_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void service_reloading(struct mono now)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now.us);
}

void service_stopping(const char *status)
{
	(void)sd_notifyf(0, "STOPPING=1\nSTATUS=%s", status);
}

void service_status(const char *status)
{
	(void)sd_notifyf(0, "STATUS=%s", status);
}

void service_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

struct dur service_watchdog(void)
{
	uint64_t us = 0;

	/* Half the time, so that one late beat is forgiven. */
	return sd_watchdog_enabled(0, &us) > 0 ? DUR_US(us / 2) : DUR_US(0);
}
