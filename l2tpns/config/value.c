/* value.c -- one pair of functions for each type of option. */
#include <stdio.h>
#include <strings.h>

#include "l2tpns/base/words.h"
#include "l2tpns/config/value.h"

#define FIELD_MAX	1024	/* the longest value as text */
#define LIST_MAX	(CONFIG_LINE_MAX - 64)	/* of a list that must fit on a line with its name */

static bool refuse(char why[VALUE_WHY_MAX], const char *text)
{
	snprintf(why, VALUE_WHY_MAX, "%s", text);
	return false;
}

/* Numbers and truth. */

static bool take_hex(struct bytes word, uint32_t *out)
{
	uint32_t n = 0;

	if (word.len < 3 || word.len > 10 || word.p[0] != '0' || (word.p[1] | 0x20) != 'x')
		return false;
	for (uint32_t i = 2; i < word.len; i++) {
		static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
		const char *digit = word.p[i] ? strchr(digits, word.p[i]) : NULL;

		if (!digit)
			return false;
		n = n << 4 | (uint32_t)(digit - digits) / 2;
	}
	*out = n;
	return true;
}

static bool int_parse(const struct option_row *row, struct bytes word, void *field, char why[VALUE_WHY_MAX])
{
	uint32_t n;

	if ((word_u32(word, &n) || take_hex(word, &n)) && n >= row->min && n <= row->max) {
		memcpy(field, &n, sizeof(n));
		return true;
	}
	snprintf(why, VALUE_WHY_MAX, "must be a number from %u to %u%s%s", row->min, row->max,
		 row->unit ? " " : "", row->unit ? row->unit : "");
	return false;
}

static void int_text(const struct option_row *row, const void *field, struct wr *out)
{
	char text[16];
	uint32_t n;

	(void)row;
	memcpy(&n, field, sizeof(n));
	snprintf(text, sizeof(text), "%u", n);
	text_put(out, text);
}

static bool bool_parse(const struct option_row *row, struct bytes word, void *field, char why[VALUE_WHY_MAX])
{
	static const char *const names[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };
	char text[8];

	(void)row;
	for (unsigned i = 0; word_copy(word, text, sizeof(text)) && i < ARRAY_LEN(names); i++) {
		if (strcasecmp(text, names[i]) == 0) {
			*(bool *)field = i & 1;
			return true;
		}
	}
	return refuse(why, "must be yes or no");
}

static void bool_text(const struct option_row *row, const void *field, struct wr *out)
{
	(void)row;
	text_put(out, *(const bool *)field ? "yes" : "no");
}

/* Addresses. */

static bool ip4_value_parse(const struct option_row *row, struct bytes word, void *field,
			    char why[VALUE_WHY_MAX])
{
	char text[IP_TEXT_MAX];
	struct ip4 address;

	(void)row;
	if (!word_copy(word, text, sizeof(text)) || !ip4_parse(text, &address))
		return refuse(why, "must be an IPv4 address");
	memcpy(field, &address, sizeof(address));
	return true;
}

static void ip4_value_text(const struct option_row *row, const void *field, struct wr *out)
{
	char text[IP_TEXT_MAX];
	struct ip4 address;

	(void)row;
	memcpy(&address, field, sizeof(address));
	text_put(out, ip4_text(address, text));
}

/* One group of up to four hexadecimal digits. */
static bool take_group(const char **at, uint16_t *group)
{
	unsigned n = 0, digits = 0;

	for (; digits < 5; digits++) {
		char c = *at[0];

		if (c >= '0' && c <= '9')
			n = n << 4 | (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			n = n << 4 | (unsigned)((c | 0x20) - 'a' + 10);
		else
			break;
		++*at;
	}
	*group = (uint16_t)n;
	return digits > 0 && digits < 5;
}

/* RFC 4291 section 2.2: groups, at most one "::", perhaps a dotted quad at the end. */
static bool ip6_take(const char *text, struct ip *out)
{
	uint16_t group[8] = { 0 };
	int n = 0, gap = -1;

	if (text[0] == ':' && text[1] == ':') {
		gap = 0;
		text += 2;
	}
	while (*text && n < 8) {
		struct ip4 quad;

		if (n <= 6 && ip4_parse(text, &quad)) {
			group[n++] = (uint16_t)(quad.n >> 16);
			group[n++] = (uint16_t)quad.n;
			text += strlen(text);
			break;
		}
		if (!take_group(&text, &group[n++]))
			return false;
		if (*text == 0)
			break;
		if (*text++ != ':' || (*text == 0))
			return false;
		if (*text == ':') {
			if (gap >= 0)
				return false;
			gap = n;
			text++;
		}
	}
	if (*text || (gap < 0 ? n != 8 : n > 7))
		return false;
	*out = (struct ip){ { 0 } };
	for (int i = 0; i < n; i++) {
		int at = gap >= 0 && i >= gap ? 8 - n + i : i;

		out->b[2 * at] = (uint8_t)(group[i] >> 8);
		out->b[2 * at + 1] = (uint8_t)group[i];
	}
	return true;
}

static bool ip6_parse(const struct option_row *row, struct bytes word, void *field, char why[VALUE_WHY_MAX])
{
	char text[IP_TEXT_MAX];
	struct ip address;

	(void)row;
	if (!word_copy(word, text, sizeof(text)) || !ip6_take(text, &address) || ip_is4(address))
		return refuse(why, "must be an IPv6 address");
	memcpy(field, &address, sizeof(address));
	return true;
}

static bool take_ip(struct bytes word, struct ip *out)
{
	char text[IP_TEXT_MAX];
	struct ip4 four;

	if (!word_copy(word, text, sizeof(text)))
		return false;
	if (ip4_parse(text, &four))
		*out = ip_from4(four);
	else if (!ip6_take(text, out))
		return false;
	return true;
}

static bool ip_parse(const struct option_row *row, struct bytes word, void *field, char why[VALUE_WHY_MAX])
{
	struct ip address;

	(void)row;
	if (!take_ip(word, &address))
		return refuse(why, "must be an IPv4 or IPv6 address");
	memcpy(field, &address, sizeof(address));
	return true;
}

static void ip6_text(const struct option_row *row, const void *field, struct wr *out)
{
	char text[IP_TEXT_MAX];
	struct ip address;

	(void)row;
	memcpy(&address, field, sizeof(address));
	text_put(out, ip_text(address, text));
}

/* Words. */

static bool str_parse(const struct option_row *row, struct bytes word, void *field, char why[VALUE_WHY_MAX])
{
	if (word_quote(word) < 0)
		return refuse(why, "must hold no control characters and not both kinds of quotes");
	if (row->secret && word_is(word, VALUE_SECRET))
		return refuse(why, "is the mark of a secret that was not shown, not the secret");
	if (word.len >= row->size) {
		snprintf(why, VALUE_WHY_MAX, "must be at most %u octets long", row->size - 1);
		return false;
	}
	memset(field, 0, row->size);
	return word_copy(word, field, row->size);
}

static void str_text(const struct option_row *row, const void *field, struct wr *out)
{
	(void)row;
	text_put(out, field);
}

/* "a, b or c" */
static void words_list(const char *const *words, const char *last, char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	for (unsigned i = 0; words[i]; i++) {
		const char *between = used == 0 ? "" : words[i + 1] ? ", " : last;

		if (words[i][0] && used < size)
			used += (size_t)snprintf(out + used, size - used, "%s%s", between, words[i]);
	}
}

static int word_number(const struct option_row *row, struct bytes word)
{
	for (int i = 0; word.len && row->words[i]; i++)
		if (word_is(word, row->words[i]))
			return i;
	return -1;
}

static bool enum_parse(const struct option_row *row, struct bytes word, void *field, char why[VALUE_WHY_MAX])
{
	int n = word_number(row, word);
	char list[80];

	if (n < 0) {
		words_list(row->words, " or ", list, sizeof(list));
		snprintf(why, VALUE_WHY_MAX, "must be %s", list);
		return false;
	}
	*(uint8_t *)field = (uint8_t)n;
	return true;
}

static void enum_text(const struct option_row *row, const void *field, struct wr *out)
{
	text_put(out, row->words[*(const uint8_t *)field]);
}

/* Lists: items with commas or blanks between them. */

static bool item_next(struct bytes *list, struct bytes *item)
{
	uint32_t n = 0;

	while (list->len && strchr(", \t", list->p[0] ? list->p[0] : 'x')) {
		list->p++;
		list->len--;
	}
	while (n < list->len && (!list->p[n] || !strchr(", \t", list->p[n])))
		n++;
	*item = bytes_of(list->p, n);
	list->p += n;
	list->len -= n;
	return n > 0;
}

static bool order_parse(const struct option_row *row, struct bytes word, void *field, char why[VALUE_WHY_MAX])
{
	struct config_order order = { 0 };
	struct bytes item;
	unsigned seen = 0;
	char list[80];

	words_list(row->words, " and ", list, sizeof(list));
	while (item_next(&word, &item)) {
		int n = word_number(row, item);

		if (n < 0 || seen & 1u << n) {
			snprintf(why, VALUE_WHY_MAX, "must be some of %s, each once", list);
			return false;
		}
		seen |= 1u << n;
		order.item[order.n++] = (uint8_t)n;
	}
	if (order.n == 0) {
		snprintf(why, VALUE_WHY_MAX, "must name at least one of %s", list);
		return false;
	}
	memcpy(field, &order, sizeof(order));
	return true;
}

static void order_text(const struct option_row *row, const void *field, struct wr *out)
{
	const struct config_order *order = field;

	for (unsigned i = 0; i < order->n; i++) {
		text_put(out, i ? "," : "");
		text_put(out, row->words[order->item[i]]);
	}
}

static bool prefixes_parse(const struct option_row *row, struct bytes word, void *field,
			   char why[VALUE_WHY_MAX])
{
	struct config_prefixes prefixes;
	struct bytes item;
	char text[IP_TEXT_MAX];

	(void)row;
	memset(&prefixes, 0, sizeof(prefixes));
	while (item_next(&word, &item)) {
		if (prefixes.n == CONFIG_PREFIXES_MAX) {
			snprintf(why, VALUE_WHY_MAX, "holds at most %d prefixes", CONFIG_PREFIXES_MAX);
			return false;
		}
		if (!word_copy(item, text, sizeof(text)) ||
		    !ip4_prefix_parse(text, &prefixes.prefix[prefixes.n++]))
			return refuse(why, "must be IPv4 prefixes without host bits, commas between");
	}
	memcpy(field, &prefixes, sizeof(prefixes));
	return true;
}

static void prefixes_text(const struct option_row *row, const void *field, struct wr *out)
{
	const struct config_prefixes *prefixes = field;
	char text[IP_TEXT_MAX];

	(void)row;
	for (unsigned i = 0; i < prefixes->n; i++) {
		text_put(out, i ? "," : "");
		text_put(out, ip4_text(prefixes->prefix[i].net, text));
		if (prefixes->prefix[i].len < 32) {
			snprintf(text, sizeof(text), "/%u", prefixes->prefix[i].len);
			text_put(out, text);
		}
	}
}

static bool names_parse(const struct option_row *row, struct bytes word, void *field, char why[VALUE_WHY_MAX])
{
	struct config_names names = { 0 };
	struct bytes item;

	(void)row;
	if (word_quote(word) < 0)
		return refuse(why, "must hold no control characters and not both kinds of quotes");
	while (item_next(&word, &item)) {
		if (names.n < CONFIG_NAMES_MAX &&
		    word_copy(item, names.name[names.n++], sizeof(names.name[0])))
			continue;
		snprintf(why, VALUE_WHY_MAX, "must be at most %d names of at most %d octets, commas between",
			 CONFIG_NAMES_MAX, CONFIG_NAME_MAX);
		return false;
	}
	memcpy(field, &names, sizeof(names));
	return true;
}

static void names_text(const struct option_row *row, const void *field, struct wr *out)
{
	const struct config_names *names = field;

	(void)row;
	for (unsigned i = 0; i < names->n; i++) {
		text_put(out, i ? "," : "");
		text_put(out, names->name[i]);
	}
}

static void addresses_text(const struct option_row *row, const void *field, struct wr *out)
{
	const struct config_addresses *addresses = field;
	char text[IP_TEXT_MAX];

	(void)row;
	for (unsigned i = 0; i < addresses->n; i++) {
		text_put(out, i ? "," : "");
		text_put(out, ip_text(addresses->ip[i], text));
	}
}

static bool addresses_parse(const struct option_row *row, struct bytes word, void *field, char why[VALUE_WHY_MAX])
{
	struct config_addresses addresses = { 0 };
	struct bytes item;
	char text[LIST_MAX];
	struct wr line = wr_of(text, sizeof(text));

	while (item_next(&word, &item)) {
		struct ip address;

		if (addresses.n == CONFIG_ADDRESSES_MAX) {
			snprintf(why, VALUE_WHY_MAX, "holds at most %d addresses", CONFIG_ADDRESSES_MAX);
			return false;
		}
		if (!take_ip(item, &address))
			return refuse(why, "must be IPv4 or IPv6 addresses, commas between");
		for (unsigned i = 0; i < addresses.n; i++)
			if (ip_eq(addresses.ip[i], address))
				return refuse(why, "must name each address once");
		addresses.ip[addresses.n++] = address;
	}
	addresses_text(row, &addresses, &line);
	if (!wr_ok(&line)) {
		snprintf(why, VALUE_WHY_MAX, "must fit on a line of %d octets", LIST_MAX);
		return false;
	}
	memcpy(field, &addresses, sizeof(addresses));
	return true;
}

static const struct {
	bool (*parse)(const struct option_row *row, struct bytes word, void *field, char why[VALUE_WHY_MAX]);
	void (*text)(const struct option_row *row, const void *field, struct wr *out);
} types[OPTION_TYPES] = {
	[OPTION_INT]	  = { int_parse,	int_text },
	[OPTION_BOOL]	  = { bool_parse,	bool_text },
	[OPTION_IP4]	  = { ip4_value_parse,	ip4_value_text },
	[OPTION_IP6]	  = { ip6_parse,	ip6_text },
	[OPTION_IP]	  = { ip_parse,		ip6_text },
	[OPTION_STR]	  = { str_parse,	str_text },
	[OPTION_ENUM]	  = { enum_parse,	enum_text },
	[OPTION_ORDER]	  = { order_parse,	order_text },
	[OPTION_PREFIXES] = { prefixes_parse,	prefixes_text },
	[OPTION_NAMES]	  = { names_parse,	names_text },
	[OPTION_ADDRESSES] = { addresses_parse,	addresses_text },
};

bool value_parse(const struct option_row *row, struct bytes word, struct config *config,
		 char why[VALUE_WHY_MAX])
{
	return types[row->type].parse(row, word, (uint8_t *)config + row->at, why);
}

void value_text(const struct option_row *row, const struct config *config, struct wr *out)
{
	types[row->type].text(row, option_value(row, config), out);
}

void value_default(const struct option_row *row, struct config *config)
{
	char why[VALUE_WHY_MAX];
	bool good = value_parse(row, bytes_str(row->def), config, why);

	ASSERT(good);
}

bool value_same(const struct option_row *row, const struct config *a, const struct config *b)
{
	char text[2][FIELD_MAX];
	struct wr of_a = wr_of(text[0], FIELD_MAX), of_b = wr_of(text[1], FIELD_MAX);

	value_text(row, a, &of_a);
	value_text(row, b, &of_b);
	ASSERT(wr_ok(&of_a) && wr_ok(&of_b));
	return bytes_eq(wr_bytes_of(&of_a), wr_bytes_of(&of_b));
}
