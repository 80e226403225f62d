/* show.c -- lines are made one at a time, so that a slow terminal can take them one at a time. */
#include <stdio.h>

#include "l2tpns/base/words.h"
#include "l2tpns/config/parse.h"
#include "l2tpns/config/show.h"
#include "l2tpns/config/value.h"

static void put_word(struct wr *out, struct bytes word)
{
	int quote = word_quote(word);

	ASSERT(quote >= 0);
	if (quote)
		wr_u8(out, (uint8_t)quote);
	wr_bytes(out, word);
	if (quote)
		wr_u8(out, (uint8_t)quote);
}

static bool is_default(const struct option_row *row, const struct config *config)
{
	char text[CONFIG_LINE_MAX];
	struct wr value = wr_of(text, sizeof(text));

	value_text(row, config, &value);
	return bytes_eq(wr_bytes_of(&value), bytes_str(row->def));
}

static void put_option(struct wr *out, const struct option_row *row, const struct config *config,
		       unsigned how)
{
	char text[CONFIG_LINE_MAX];
	struct wr value = wr_of(text, sizeof(text));

	text_put(out, "set ");
	text_put(out, row->name);
	text_put(out, " ");
	value_text(row, config, &value);
	if (row->secret && !(how & CONFIG_SECRETS) && wr_len(&value) > 0)
		text_put(out, VALUE_SECRET);
	else
		put_word(out, wr_bytes_of(&value));
}

static void put_lac(struct wr *out, const struct config_lac *lac, unsigned how)
{
	char text[IP_TEXT_MAX];

	text_put(out, "lac ");
	if (lac->rule.name[0]) {
		put_word(out, bytes_str(lac->rule.name));
	} else {
		text_put(out, ip4_text(lac->rule.prefix.net, text));
		if (lac->rule.prefix.len < 32) {
			snprintf(text, sizeof(text), "/%u", lac->rule.prefix.len);
			text_put(out, text);
		}
	}
	if (lac->rule.secret[0]) {
		text_put(out, " secret ");
		if (how & CONFIG_SECRETS)
			put_word(out, bytes_str(lac->rule.secret));
		else
			text_put(out, VALUE_SECRET);
	}
	text_put(out, lac->rule.allow ? " allow" : " deny");
	if (lac->hidden != HIDDEN_UNSAID)
		text_put(out, lac->hidden == HIDDEN_YES ? " hidden yes" : " hidden no");
}

/* A kept line as it stands; the last word of setforward is the remote LNS's secret. */
static void put_kept(struct wr *out, struct bytes line, unsigned how)
{
	struct words words = words_of(line, "#!");
	struct bytes first, word;

	if (how & CONFIG_SECRETS || !words_next(&words, &first) || !word_is(first, "setforward")) {
		wr_bytes(out, line);
		return;
	}
	text_put(out, "setforward");
	for (unsigned i = 0; i < 3 && words_value(&words, &word); i++) {
		text_put(out, " ");
		put_word(out, word);
	}
	text_put(out, " " VALUE_SECRET);
}

static bool row_line(const struct config *config, unsigned how, struct config_cursor *at, struct wr *out)
{
	while (at->row < option_rows_count()) {
		const struct option_row *row = option_row(at->row);

		if (!(how & CONFIG_ALL) && is_default(row, config)) {
			at->row++;
			continue;
		}
		if (!(how & CONFIG_PLAIN) && at->group != row->group) {
			at->group = row->group;
			text_put(out, "# ");
			text_put(out, row->group);
			return true;
		}
		at->row++;
		put_option(out, row, config, how);
		return true;
	}
	return false;
}

static bool lac_line(const struct config *config, unsigned how, struct config_cursor *at, struct wr *out)
{
	if (at->lac >= config->lacs)
		return false;
	if (!at->lac_heading && !(how & CONFIG_PLAIN)) {
		at->lac_heading = true;
		text_put(out, "# LACs");
		return true;
	}
	put_lac(out, &config->lac[at->lac++], how);
	return true;
}

/* By number, not by offset: after a reload an offset might lie in the middle of a line, behind the word that
 * says its end is a secret. */
static bool kept_line(const struct config *config, unsigned how, struct config_cursor *at, struct wr *out)
{
	struct lines lines = lines_of(bytes_of(config->kept, config->kept_len));
	struct bytes line;

	while (lines_next(&lines, &line)) {
		if (lines.number <= at->kept)
			continue;
		at->kept = lines.number;
		put_kept(out, line, how);
		return true;
	}
	return false;
}

bool config_show_line(const struct config *config, unsigned how, struct config_cursor *at,
		      char line[CONFIG_LINE_MAX])
{
	struct wr out = wr_of(line, CONFIG_LINE_MAX - 1);

	if (!row_line(config, how, at, &out) && !lac_line(config, how, at, &out) &&
	    !kept_line(config, how, at, &out))
		return false;
	ASSERT(wr_ok(&out));
	line[wr_len(&out)] = 0;
	return true;
}

void config_show(const struct config *config, unsigned how, struct wr *out)
{
	struct config_cursor at = { 0 };
	char line[CONFIG_LINE_MAX];

	while (config_show_line(config, how, &at, line)) {
		text_put(out, line);
		wr_u8(out, '\n');
	}
}

/* The manual page. */

/* mdoc takes a backslash for an escape, and a dot or quote at the start of a line for a request. */
static void put_roff(struct wr *out, const char *text)
{
	for (const char *at = text; *at; at++) {
		if (*at == '\\')
			text_put(out, "\\e");
		else
			wr_u8(out, (uint8_t)*at);
		/* A sentence ends its line, as mdoc(7) asks for. */
		if (at[0] == '.' && at[1] == ' ' && at[2] != ' ') {
			wr_u8(out, '\n');
			at++;
		}
	}
	wr_u8(out, '\n');
}

static void put_kind(struct wr *out, const struct option_row *row)
{
	static const char *const kinds[OPTION_TYPES] = {
		[OPTION_INT] = "number", [OPTION_BOOL] = "yes|no", [OPTION_IP4] = "address",
		[OPTION_IP6] = "IPv6-address", [OPTION_IP] = "address", [OPTION_STR] = "text", [OPTION_ENUM] = "word",
		[OPTION_ORDER] = "word,...", [OPTION_PREFIXES] = "prefix,...", [OPTION_NAMES] = "name,...",
		[OPTION_ADDRESSES] = "address,..."
	};

	text_put(out, kinds[row->type]);
}

static void put_limits(struct wr *out, const struct option_row *row)
{
	char text[96];

	text_put(out, "(");
	if (row->type == OPTION_INT) {
		snprintf(text, sizeof(text), "%u to %u%s%s", row->min, row->max, row->unit ? " " : "",
			 row->unit ? row->unit : "");
		text_put(out, text);
		text_put(out, "; ");
	}
	for (unsigned i = 0; row->words && row->words[i]; i++) {
		if (!row->words[i][0])
			continue;
		text_put(out, row->words[i]);
		text_put(out, row->words[i + 1] ? ", " : "; ");
	}
	text_put(out, "default ");
	text_put(out, row->def[0] ? row->def : "empty");
	text_put(out, row->acted ? row->live ? "; applies at once" : "; applies after a restart"
		      : "; not acted on by this version");
	text_put(out, ")\n");
}

void config_manual(struct wr *out)
{
	const char *group = NULL;

	for (unsigned i = 0; i < option_rows_count(); i++) {
		const struct option_row *row = option_row(i);

		if (group != row->group) {
			text_put(out, group ? ".El\n" : "");
			text_put(out, ".Ss ");
			text_put(out, row->group);
			text_put(out, "\n.Bl -tag -width Ds\n");
			group = row->group;
		}
		text_put(out, ".It Cm ");
		text_put(out, row->name);
		text_put(out, " Ar ");
		put_kind(out, row);
		text_put(out, "\n");
		put_roff(out, row->help);
		put_limits(out, row);
		if (row->alias) {
			text_put(out, "Also spelt ");
			text_put(out, row->alias);
			text_put(out, ".\n");
		}
	}
	text_put(out, ".El\n");
}
