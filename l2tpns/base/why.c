/* why.c -- names and texts of the reasons in why.def. */
#include "l2tpns/base/why.h"

static const struct { const char *name, *text; } rows[WHYS] = {
#define WHY(id, words) [WHY_##id] = { #id, words },
#include "l2tpns/base/why.def"
#undef WHY
};

const char *why_name(enum why why)
{
	ASSERT(why < WHYS);
	return rows[why].name;
}

const char *why_text(enum why why)
{
	ASSERT(why < WHYS);
	return rows[why].text;
}
