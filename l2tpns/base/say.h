/*
 * say.h -- log messages as rows: pure code emits a number and its arguments, the words live in say.def.
 *
 * A message starts with who it is about.  Formats know %u (next number), %a
 * (IPv4 address in a number), %w (reason, an enum why in a number) and %s (the
 * text, shown with control characters escaped).  Never pass a secret.
 */
#ifndef BASE_SAY_H
#define BASE_SAY_H

#include "l2tpns/base/fx.h"
#include "l2tpns/base/ids.h"
#include "l2tpns/base/why.h"

enum say_class {		/* whose fault or whose business; also the `debug` levels */
	SAY_BUG,		/* ours */
	SAY_LOCAL,		/* the world's: kernel, files, limits */
	SAY_PEER,		/* the peer's */
	SAY_STATE,		/* what an operator wants to see happen */
	SAY_CALLS,		/* each step of each call */
	SAY_DATA,		/* each packet */
	SAY_CLASSES
};

enum say {
#define SAY(id, class, format) SAY_##id,
#include "l2tpns/base/say.def"
#undef SAY
	SAYS
};

#define SAY_ARGS	4
#define SAY_TEXT_MAX	255

struct fx_log {
	struct tid	tunnel;
	struct row	session;
	uint32_t	arg[SAY_ARGS];
	uint16_t	text_len;	/* octets that follow the struct */
};

struct say_row {
	const char	*name;
	enum say_class	 class;
	const char	*format;
};

const struct say_row *say_row(enum say what);

/* Append FX_LOG; text longer than SAY_TEXT_MAX is cut. */
void say(struct fx_list *out, enum say what, struct tid tunnel, struct row session,
	 const uint32_t args[SAY_ARGS], struct bytes text);

#define SAY_ARG(...)	((const uint32_t[SAY_ARGS]){ __VA_ARGS__ })
#define SAY_NONE	((struct bytes){ 0 })

#endif
