/* say.c -- the rows of say.def, and packing one message into the effect list. */
#include "l2tpns/base/say.h"

static const struct say_row rows[SAYS] = {
#define SAY(id, class, format) [SAY_##id] = { #id, SAY_##class, format },
#include "l2tpns/base/say.def"
#undef SAY
};

const struct say_row *say_row(enum say what)
{
	ASSERT(what < SAYS);
	return &rows[what];
}

void say(struct fx_list *out, enum say what, struct tid tunnel, struct row session,
	 const uint32_t args[SAY_ARGS], struct bytes text)
{
	uint16_t len = (uint16_t)min_u32(text.len, SAY_TEXT_MAX);
	struct fx_log *log = fx_add(out, FX_LOG, what, sizeof(*log) + len);

	*log = (struct fx_log){ .tunnel = tunnel, .session = session, .text_len = len };
	memcpy(log->arg, args, sizeof(log->arg));
	if (len)
		memcpy(log + 1, text.p, len);
}
