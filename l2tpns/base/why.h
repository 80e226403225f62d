/*
 * why.h -- every reason to refuse a packet or a request: one list, one counter each.
 *
 * A decoder or machine returns `enum why`; WHY_OK is the only success.  The rows
 * live in why.def; text and counter name come from there.
 */
#ifndef BASE_WHY_H
#define BASE_WHY_H

#include "l2tpns/base/base.h"

enum why {
#define WHY(id, text) WHY_##id,
#include "l2tpns/base/why.def"
#undef WHY
	WHYS
};

const char *why_name(enum why why);	/* "AVP_LEN" */
const char *why_text(enum why why);	/* "AVP length outside the message" */

#endif
