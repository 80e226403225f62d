/*
 * classes.h -- the words for classes of log messages, as `debug` takes them.
 *
 * Pure.  The house's words, and those of l2tpns 2.x: critical, error, warning, info, all.
 */
#ifndef CLI_CLASSES_H
#define CLI_CLASSES_H

#include "l2tpns/base/say.h"

#define CLASSES_ALL	((1u << SAY_CLASSES) - 1)

const char *class_name(enum say_class class);

/* "error,calls" -> bits, 1 << enum say_class; words may be shortened.  0: one of them is unknown. */
unsigned classes_parse(const char *words);

/* "bug, local, ...", for messages. */
extern const char classes_help[];

#endif
