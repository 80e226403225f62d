/* parse.c -- each kind of line is a row: its first words, where it may stand, what reads the rest. */
#include <stdio.h>

#include "l2tpns/base/words.h"
#include "l2tpns/config/parse.h"
#include "l2tpns/config/value.h"

#define WORDS_MAX	16
#define OPTIONS_MAX	192	/* rows a file may set; more than there are */

enum place {			/* what the line before has opened */
	PLACE_TOP = 1 << 0, PLACE_ROUTER = 1 << 1, PLACE_ACL = 1 << 2,
	PLACE_ANY = PLACE_TOP | PLACE_ROUTER | PLACE_ACL
};

struct reader {
	struct config		*config;
	struct config_faults	*faults;
	const char		*file;
	unsigned		 line;
	enum place		 place;
	unsigned		 set_on[OPTIONS_MAX];	/* the line that set each option; 0 = none yet */
};

#define ERROR(reader, ...)	fault_error((reader)->faults, (reader)->file, (reader)->line, __VA_ARGS__)
#define WARNING(reader, ...)	fault_warning((reader)->faults, (reader)->file, (reader)->line, __VA_ARGS__)

void config_init(struct config *config)
{
	memset(config, 0, sizeof(*config));
	for (unsigned i = 0; i < option_rows_count(); i++)
		value_default(option_row(i), config);
}

/* A word for a fault's text, cut when it is long; what is not for the eye becomes a question mark. */
static const char *shown(struct bytes word, char out[40])
{
	uint32_t n = min_u32(word.len, 36);

	for (uint32_t i = 0; i < n; i++)
		out[i] = word.p[i] < 0x20 || word.p[i] == 0x7f ? '?' : (char)word.p[i];
	memcpy(out + n, word.len > n ? "..." : "", word.len > n ? 4 : 1);
	return out;
}

/* set NAME VALUE */

static void option_unknown(struct reader *reader, struct bytes name)
{
	char text[64], shorter[40];
	const char *nearest = word_copy(name, text, sizeof(text)) ? config_nearest(text) : NULL;

	if (nearest)
		ERROR(reader, "unknown option \"%s\": did you mean \"%s\"?", shown(name, shorter), nearest);
	else
		ERROR(reader, "unknown option \"%s\"", shown(name, shorter));
}

static void option_set(struct reader *reader, const struct option_row *row, struct bytes value)
{
	char why[VALUE_WHY_MAX];

	if (!value_parse(row, value, reader->config, why)) {
		ERROR(reader, "option \"%s\" %s", row->name, why);
		return;
	}
	if (!row->acted)
		WARNING(reader, "option \"%s\" is not acted on by this version", row->name);
}

static void read_set(struct reader *reader, struct words *words)
{
	struct bytes name, value, more;
	const struct option_row *row;

	if (!words_next(words, &name)) {
		ERROR(reader, "%s", words->fault ? words->fault : "an option's name must follow set");
		return;
	}
	row = option_find(name);
	if (!row) {
		option_unknown(reader, name);
		return;
	}
	if (!words_value(words, &value)) {
		ERROR(reader, "option \"%s\": %s", row->name, words->fault ? words->fault : "no value");
		return;
	}
	if (words_next(words, &more) || words->fault) {
		ERROR(reader, "option \"%s\": %s", row->name, words->fault ? words->fault
			: "more than one value: put quotes around it when it holds blanks");
		return;
	}
	unsigned *set_on = &reader->set_on[row - option_row(0)];

	if (*set_on)
		WARNING(reader, "option \"%s\" was set on line %u already; this line counts", row->name,
			*set_on);
	*set_on = reader->line;
	option_set(reader, row, value);
}

/* lac WHO ... */

static bool lac_who(struct bytes word, struct lac_rule *rule, const char **why)
{
	char text[IP_TEXT_MAX];
	bool numeric = word.len > 0;

	for (uint32_t i = 0; i < word.len; i++)
		numeric &= (word.p[i] >= '0' && word.p[i] <= '9') || word.p[i] == '.' || word.p[i] == '/';
	*why = "lac: address or prefix not understood, or with host bits";
	if (numeric)
		return word_copy(word, text, sizeof(text)) && ip4_prefix_parse(text, &rule->prefix);
	*why = "lac: the name must have 1 to 63 octets";
	return word.len > 0 && word_copy(word, rule->name, sizeof(rule->name));
}

static bool lac_same(const struct lac_rule *a, const struct lac_rule *b)
{
	if (a->name[0] || b->name[0])
		return strcmp(a->name, b->name) == 0;
	return a->prefix.len == b->prefix.len && a->prefix.net.n == b->prefix.net.n;
}

static struct config_lac *lac_find(struct config *config, const struct lac_rule *rule)
{
	for (uint32_t i = 0; i < config->lacs; i++)
		if (lac_same(&config->lac[i].rule, rule))
			return &config->lac[i];
	return NULL;
}

static const char *lac_secret(struct config_lac *lac, struct bytes value)
{
	if (word_is(value, VALUE_SECRET))
		return "lac: \"(secret)\" is the mark of a secret that was not shown, not the secret";
	if (value.len == 0 || !word_copy(value, lac->rule.secret, sizeof(lac->rule.secret)))
		return "lac: a secret must have 1 to 63 octets";
	return NULL;
}

static const char *lac_hidden(struct config_lac *lac, struct bytes value)
{
	if (!word_is(value, "yes") && !word_is(value, "no"))
		return "lac: yes or no must follow hidden";
	lac->hidden = word_is(value, "yes") ? HIDDEN_YES : HIDDEN_NO;
	return NULL;
}

/* What follows WHO; no text repeats a word, as it may be a secret in the wrong place. */
static const char *lac_words(struct words *words, struct config_lac *lac)
{
	struct bytes word, value;

	while (words_next(words, &word)) {
		const char *why = NULL;

		if (word_is(word, "allow"))
			lac->rule.allow = true;
		else if (word_is(word, "deny"))
			lac->rule.allow = false;
		else if (!word_is(word, "secret") && !word_is(word, "hidden"))
			return "lac: secret WORD, allow, deny or hidden yes|no may follow";
		else if (!words_value(words, &value))
			return words->fault ? words->fault : "lac: a word is missing at the end";
		else
			why = word_is(word, "secret") ? lac_secret(lac, value) : lac_hidden(lac, value);
		if (why)
			return why;
	}
	return words->fault;
}

static void read_lac(struct reader *reader, struct words *words)
{
	struct config_lac lac = { .rule = { .allow = true } }, *before;
	struct bytes who;
	const char *why = NULL;

	if (!words_next(words, &who))
		why = words->fault ? words->fault : "lac: an address, a prefix or a name must follow";
	else if (lac_who(who, &lac.rule, &why))
		why = lac_words(words, &lac);
	if (why) {
		ERROR(reader, "%s", why);
		return;
	}
	before = lac_find(reader->config, &lac.rule);
	if (before && reader->line)
		WARNING(reader, "lac: there is a line for it already; this line counts");
	if (!before && reader->config->lacs == CONFIG_LACS_MAX) {
		ERROR(reader, "lac: more than %d lines", CONFIG_LACS_MAX);
		return;
	}
	if (lac.hidden == HIDDEN_YES)
		WARNING(reader, "lac: hidden is not acted on by this version");
	*(before ? before : &reader->config->lac[reader->config->lacs++]) = lac;
}

static void read_no_lac(struct reader *reader, struct words *words)
{
	struct config *config = reader->config;
	struct lac_rule rule = { .allow = true };
	struct config_lac *lac;
	struct bytes who, more;
	const char *why = "no lac: one address, prefix or name must follow";

	if (!words_next(words, &who) || !lac_who(who, &rule, &why) || words_next(words, &more) ||
	    words->fault) {
		ERROR(reader, "%s", words->fault ? words->fault : why);
		return;
	}
	lac = lac_find(config, &rule);
	if (!lac) {
		ERROR(reader, "no lac: there is no line for it");
		return;
	}
	uint32_t after = config->lacs - (uint32_t)(lac - config->lac) - 1;

	memmove(lac, lac + 1, after * sizeof(*lac));
	memset(&config->lac[--config->lacs], 0, sizeof(*lac));
}

/* Lines that are kept. */

static bool keep(struct reader *reader, struct bytes line, uint32_t indent)
{
	struct config *config = reader->config;

	if (line.len + indent >= CONFIG_LINE_MAX - 64) {
		ERROR(reader, "line too long");
		return false;
	}
	if (config->kept_len + line.len + indent + 2 > sizeof(config->kept)) {
		ERROR(reader, "too many lines that this version can only keep");
		return false;
	}
	memset(config->kept + config->kept_len, ' ', indent);
	memcpy(config->kept + config->kept_len + indent, line.p, line.len);
	config->kept_len += indent + line.len;
	config->kept[config->kept_len++] = '\n';
	return true;
}

/* Kinds of lines. */

struct kind {
	const char	*first, *second;	/* the words it begins with; second may be NULL */
	unsigned	 places;		/* where it may stand */
	enum place	 opens;			/* what it makes of the lines after it */
	bool		 by_hand;		/* only typed, never in a file */
	void (*read)(struct reader *reader, struct words *words);	/* NULL: the line is kept */
	unsigned	 min, max;		/* words that follow, when kept */
	const char	*usage;
	const char	*warning;
};

#define READ(first_, second_, read_) \
	{ .first = first_, .second = second_, .places = PLACE_ANY, .opens = PLACE_TOP, .read = read_ }
#define KEEP(first_, second_, min_, max_, usage_, warning_) \
	{ .first = first_, .second = second_, .places = PLACE_ANY, .opens = PLACE_TOP, \
	  .min = min_, .max = max_, .usage = usage_, .warning = warning_ }
#define OPEN(first_, second_, opens_, words_, usage_, warning_) \
	{ .first = first_, .second = second_, .places = PLACE_ANY, .opens = opens_, \
	  .min = words_, .max = words_, .usage = usage_, .warning = warning_ }
#define BELOW(place_, first_, min_, usage_) \
	{ .first = first_, .places = place_, .opens = place_, .min = min_, .max = WORDS_MAX, .usage = usage_ }

static const struct kind kinds[] = {
	READ("set", NULL, read_set),
	READ("lac", NULL, read_lac),
	{ .first = "no", .second = "lac", .places = PLACE_ANY, .opens = PLACE_TOP, .by_hand = true,
	  .read = read_no_lac },
	KEEP("load", "plugin", 1, 1, "load plugin NAME", "plugins are not loaded by this version"),
	KEEP("setforward", NULL, 4, 4, "setforward MASK IP PORT SECRET",
	     "setforward is not acted on by this version"),
	KEEP("load", "ip-pool", 1, 1, "load ip-pool NUMBER",
	     "load ip-pool is not acted on by this version: each file ip_pool-NAME is a pool"),
	KEEP("add", "ip-pool", 1, 2, "add ip-pool RANGE POOL",
	     "add ip-pool is not acted on by this version: each file ip_pool-NAME is a pool"),
	OPEN("router", "bgp", PLACE_ROUTER, 1, "router bgp AS", "BGP is not spoken by this version"),
	BELOW(PLACE_ROUTER, "neighbour", 2, "neighbour WHO remote-as|timers|update-source ..."),
	BELOW(PLACE_ROUTER, "neighbor", 2, "neighbour WHO remote-as|timers|update-source ..."),
	OPEN("ip", "access-list", PLACE_ACL, 2, "ip access-list standard|extended NAME",
	     "access lists are not acted on by this version"),
	BELOW(PLACE_ACL, "permit", 1, "permit WHAT ..."),
	BELOW(PLACE_ACL, "deny", 1, "deny WHAT ..."),
};

static void read_kept(struct reader *reader, const struct kind *kind, struct words *words, struct bytes line)
{
	struct bytes word;
	unsigned n = 0;

	reader->place = kind->opens;
	while (n < kind->max && words_value(words, &word))
		n++;
	if (!words->fault && words_next(words, &word))
		n++;
	if (words->fault) {
		ERROR(reader, "%s", words->fault);
		return;
	}
	if (n < kind->min || n > kind->max) {
		ERROR(reader, "the line must read: %s", kind->usage);
		return;
	}
	if (keep(reader, line, kind->places == PLACE_ANY ? 0 : 2) && kind->warning)
		WARNING(reader, "%s", kind->warning);
}

/* Only the first word may be repeated: what follows may hold a secret. */
static void line_unknown(struct reader *reader, struct bytes first)
{
	unsigned least = 3;
	const char *nearest = NULL;
	char text[40];

	shown(first, text);
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		unsigned distance = words_distance(text, kinds[i].first);

		if (distance < least && 2 * distance <= strlen(kinds[i].first) && !kinds[i].by_hand) {
			least = distance;
			nearest = kinds[i].first;
		}
	}
	if (nearest && least > 0)
		ERROR(reader, "unknown line \"%s ...\": did you mean \"%s\"?", text, nearest);
	else if (option_find(first))
		ERROR(reader, "unknown line \"%s ...\": did you mean \"set %s\"?", text, text);
	else
		ERROR(reader, "unknown line \"%s ...\"", text);
}

static bool kind_begins(const struct kind *kind, struct bytes first, const struct words *words,
			struct words *after)
{
	struct bytes second;

	*after = *words;
	if (!word_is(first, kind->first))
		return false;
	return !kind->second || (words_next(after, &second) && word_is(second, kind->second));
}

static struct bytes trimmed(struct bytes line)
{
	while (line.len > 0 && (line.p[line.len - 1] == ' ' || line.p[line.len - 1] == '\t'))
		line.len--;
	while (line.len > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = bytes_of(line.p + 1, line.len - 1);
	return line;
}

static void read_line(struct reader *reader, struct bytes line)
{
	struct words words, after;
	struct bytes first;

	line = trimmed(line);
	words = words_of(line, "#!");
	if (!words_next(&words, &first)) {
		if (words.fault)
			ERROR(reader, "%s", words.fault);
		return;
	}
	if (reader->place != PLACE_TOP && (word_is(first, "exit") || word_is(first, "end"))) {
		reader->place = PLACE_TOP;
		return;
	}
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct kind *kind = &kinds[i];

		if (!kind_begins(kind, first, &words, &after) || (kind->by_hand && reader->line))
			continue;
		if (!(kind->places & reader->place)) {
			ERROR(reader, "\"%s\" belongs below a line \"%s\"", kind->first,
			      kind->places == PLACE_ROUTER ? "router bgp" : "ip access-list");
		} else if (kind->read) {
			reader->place = kind->opens;
			kind->read(reader, &after);
		} else {
			read_kept(reader, kind, &after, line);
		}
		return;
	}
	line_unknown(reader, first);
}

bool config_parse(struct bytes text, const char *file, struct config *out, struct config_faults *faults)
{
	struct reader reader = { .config = out, .faults = faults, .file = file, .place = PLACE_TOP };
	struct lines lines = lines_of(text);
	unsigned errors = faults->errors;
	struct bytes line;

	ASSERT(option_rows_count() <= OPTIONS_MAX);
	config_init(out);
	while (lines_next(&lines, &line)) {
		reader.line = lines.number;
		read_line(&reader, line);
	}
	return faults->errors == errors;
}

bool config_set(struct config *config, const char *name, const char *value, struct config_faults *faults)
{
	struct reader reader = { .config = config, .faults = faults, .file = "" };
	const struct option_row *row = option_find(bytes_str(name));
	unsigned errors = faults->errors;

	if (row)
		option_set(&reader, row, bytes_str(value));
	else
		option_unknown(&reader, bytes_str(name));
	return faults->errors == errors;
}

bool config_line(struct config *config, const char *line, struct config_faults *faults)
{
	struct reader reader = { .config = config, .faults = faults, .file = "", .place = PLACE_TOP };
	unsigned errors = faults->errors;

	read_line(&reader, bytes_str(line));
	return faults->errors == errors;
}
