/*
 * service.h -- what a service manager wants to know: ready, reloading, stopping, alive.
 *
 * Does nothing when not started by one.
 */
#ifndef IO_SERVICE_H
#define IO_SERVICE_H

#include "l2tpns/base/mono.h"

void service_ready(void);
void service_reloading(struct mono now);
void service_stopping(const char *status);
void service_status(const char *status);
void service_alive(void);

/* How often service_alive() must be called; 0 = no watchdog. */
struct dur service_watchdog(void);

#endif
