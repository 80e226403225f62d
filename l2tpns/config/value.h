/*
 * value.h -- an option's value as text, in both directions.
 *
 * What value_text() writes, value_parse() reads back to the same value.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "l2tpns/base/wr.h"
#include "l2tpns/config/option_rows.h"

#define VALUE_WHY_MAX	128

/* What stands in place of a secret; as a value it is refused, so that it is not taken for one. */
#define VALUE_SECRET	"(secret)"

/* Set the row's field; false: `why` says what the value must be (it never repeats the value) and the
 * field is as it was. */
MUST_USE bool value_parse(const struct option_row *row, struct bytes word, struct config *config,
			  char why[VALUE_WHY_MAX]);

void value_text(const struct option_row *row, const struct config *config, struct wr *out);

void value_default(const struct option_row *row, struct config *config);
bool value_same(const struct option_row *row, const struct config *a, const struct config *b);

static inline void text_put(struct wr *out, const char *text)
{
	wr_put(out, text, strlen(text));
}

#endif
