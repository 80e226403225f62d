/* out_text.c -- facts for people: tables in columns, and "key: value" for one object. */
#include <stdio.h>

#include "l2tpns/base/clean.h"
#include "l2tpns/cli/out.h"

#define CELL_MAX	(OUT_TEXT_MAX * 4 + 1)	/* every octet escaped */
#define KEY_WIDTH	24u

/* 1234567 -> "1.23M"; below 10000 as it is. */
static int scaled(char *text, size_t room, uint64_t n)
{
	static const char units[] = "kMGTPE";
	unsigned unit = 0;
	uint64_t whole = n;
	unsigned milli = 0;

	if (n < 10000)
		return snprintf(text, room, "%u", (unsigned)n);
	for (; whole >= 1000; unit++) {
		milli = (unsigned)(whole % 1000);
		whole /= 1000;
	}
	if (whole < 10)
		return snprintf(text, room, "%u.%02u%c", (unsigned)whole, milli / 10, units[unit - 1]);
	if (whole < 100)
		return snprintf(text, room, "%u.%u%c", (unsigned)whole, milli / 100, units[unit - 1]);
	return snprintf(text, room, "%u%c", (unsigned)whole, units[unit - 1]);
}

/* The two largest units in a table, everything in a detail. */
static int span(char *text, size_t room, uint64_t seconds, bool whole)
{
	unsigned s = (unsigned)(seconds % 60), m = (unsigned)(seconds / 60 % 60), h = (unsigned)(seconds / 3600 % 24);
	unsigned long long d = seconds / 86400;

	if (d && whole)
		return snprintf(text, room, "%llud %02u:%02u:%02u", d, h, m, s);
	if (d)
		return snprintf(text, room, "%llud%02uh", d, h);
	if (h && whole)
		return snprintf(text, room, "%u:%02u:%02u", h, m, s);
	if (h)
		return snprintf(text, room, "%uh%02um", h, m);
	if (m)
		return snprintf(text, room, "%um%02us", m, s);
	return snprintf(text, room, "%us", s);
}

/* Days since 1970 to a date of the proleptic Gregorian calendar; eras of 400 years begin on 1 March. */
static int date(char *text, size_t room, uint64_t unix_seconds)
{
	uint64_t days = unix_seconds / 86400 + 719468;
	unsigned of_era = (unsigned)(days % 146097);
	unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month = (5 * of_year + 2) / 153;	/* from March */
	unsigned day = of_year - (153 * month + 2) / 5 + 1;
	unsigned long long year = days / 146097 * 400 + year_of_era + (month >= 10);
	unsigned s = (unsigned)(unix_seconds % 86400);

	month = month < 10 ? month + 3 : month - 9;
	return snprintf(text, room, "%04llu-%02u-%02u %02u:%02u:%02u UTC", year, month, day, s / 3600, s / 60 % 60,
			s % 60);
}

static int decimal(char *text, uint64_t n)
{
	char digit[20];
	unsigned at = sizeof(digit);

	do {
		digit[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	memcpy(text, digit + at, sizeof(digit) - at);
	return (int)(sizeof(digit) - at);
}

/* The value for people; returns its octets, *columns its width. */
static unsigned value_text(char text[CELL_MAX], const struct out_value *v, bool detail, unsigned *columns)
{
	int len = 0;

	switch (v->type) {
	case OUT_IS_NONE:
		len = snprintf(text, CELL_MAX, "-");
		break;
	case OUT_IS_COUNT: case OUT_IS_ID:
		len = decimal(text, v->number);
		break;
	case OUT_IS_OCTETS:
		len = scaled(text, CELL_MAX, v->number);
		if (detail && v->number >= 10000)
			len = snprintf(text + len, CELL_MAX - (size_t)len, "B (%llu octets)",
				       (unsigned long long)v->number) + len;
		break;
	case OUT_IS_BPS:
		len = scaled(text, CELL_MAX, v->number);
		if (detail)
			len = snprintf(text + len, CELL_MAX - (size_t)len, "bit/s") + len;
		break;
	case OUT_IS_SECONDS:
		len = span(text, CELL_MAX, v->number, detail);
		break;
	case OUT_IS_WHEN:
		len = date(text, CELL_MAX, v->number);
		break;
	case OUT_IS_HUNDREDTHS:
		len = snprintf(text, CELL_MAX, "%llu.%02u", (unsigned long long)(v->number / 100),
			       (unsigned)(v->number % 100));
		break;
	case OUT_IS_BOOL:
		len = snprintf(text, CELL_MAX, "%s", v->number ? "yes" : "no");
		break;
	case OUT_IS_TEXT:
		return (unsigned)clean_text(text, CELL_MAX, v->text, columns);
	case OUT_IS_IP:
		len = (int)strlen(ip_text(v->ip, text));
		break;
	}
	*columns = (unsigned)len;
	return (unsigned)len;
}

/* A cell: at least one blank before it, its column's place when what stands before leaves it free. */
static void cell_put(struct out *out, const char *text, size_t len, unsigned columns)
{
	const struct out_column *column = &out->columns[out->column];
	unsigned width = column->width, at = out->line_used;	/* columns used on this line so far */
	unsigned want = out->line_next + (column->right && columns < width ? width - columns : 0);
	unsigned pad = want > at ? want - at : 0;

	if (at && !pad)
		pad = 1;
	out_pad(out, pad);
	out_put(out, text, len);
	out->line_used = at + pad + columns;
	out->line_next += width + 1;
}

static void line_begin(struct out *out)
{
	out->line_used = 0;
	out->line_next = 0;
	out->column = 0;
}

/* "idle_s" -> "idle": the unit is part of the value in text. */
static void title_put(struct out *out, const char *name, unsigned indent)
{
	static const char *const units[] = { "_s", "_octets", "_bps", "_pps" };
	size_t len = strlen(name);
	unsigned at = out->len;

	for (unsigned i = 0; i < ARRAY_LEN(units); i++) {
		size_t unit = strlen(units[i]);

		if (len > unit && strcmp(name + len - unit, units[i]) == 0) {
			len -= i < 3 ? unit : 0;	/* a number of packets says so in its name */
			break;
		}
	}
	out_pad(out, indent);
	for (size_t i = 0; i < len; i++)
		out_putc(out, name[i] == '_' ? ' ' : name[i]);
	out_putc(out, ':');
	if (out->len - at < KEY_WIDTH)
		out_pad(out, KEY_WIDTH - (out->len - at));
	else
		out_putc(out, ' ');
}

/* What has a title of its own stands below it, a little to the right. */
static unsigned indent_of(const struct out *out)
{
	unsigned indent = 0;

	for (unsigned i = 1; i <= out->depth; i++)
		indent += out->level[i].named && !out->level[i].is_list ? 2 : 0;
	return indent;
}

static void text_nothing(struct out *out)
{
	(void)out;
}

static void text_list(struct out *out, const char *name)
{
	(void)name;
	if (!out->columns || !out->columns[0].title[0])
		return;
	if (out->level[out->depth].some)
		out_putc(out, '\n');
	line_begin(out);
	for (; out->column < out->columns_n; out->column++) {
		const char *title = out->columns[out->column].title;

		cell_put(out, title, strlen(title), (unsigned)strlen(title));
	}
	out_putc(out, '\n');
}

static void text_object(struct out *out, const char *name)
{
	if (out->columns) {
		line_begin(out);
		return;
	}
	if (out->level[out->depth].some && (!name || out->depth == 0))
		out_putc(out, '\n');
	if (name) {
		unsigned indent = indent_of(out);

		out_pad(out, indent);
		for (const char *c = name; *c; c++)
			out_putc(out, *c == '_' ? ' ' : *c);
		out_puts(out, ":\n");
	}
}

static void text_end(struct out *out)
{
	if (out->columns && !out->level[out->depth].is_list)
		out_putc(out, '\n');
}

static void text_value(struct out *out, const char *name, const struct out_value *v)
{
	char text[CELL_MAX];
	unsigned columns, len = value_text(text, v, !out->columns, &columns);

	if (out->columns) {
		cell_put(out, text, len, columns);
		return;
	}
	title_put(out, name, indent_of(out));
	out_put(out, text, len);
	out_putc(out, '\n');
}

static void text_message(struct out *out, const char *text)
{
	out_puts(out, text);
	out_putc(out, '\n');
}

static void text_family(struct out *out, const struct out_family *family)
{
	if (!family->label)
		return;
	if (out->level[out->depth].some)
		out_putc(out, '\n');
	out_puts(out, family->help);
	out_puts(out, ":\n");
	out->line_used = 0;		/* here: lines shown of this family */
}

/* Of a labelled family what is zero is left out: most reasons never happen, and the others should be seen. */
static void text_sample(struct out *out, const struct out_family *family, const char *label, const char *help,
			uint64_t n)
{
	char number[24];
	unsigned len = (unsigned)decimal(number, n), at = out->len;

	if (label && n == 0)
		return;
	out->line_used++;
	if (label)
		out_pad(out, 2);
	out_puts(out, label ? label : family->name);
	if (out->len - at < 24)
		out_pad(out, 24 - (out->len - at));
	out_pad(out, len < 20 ? 20 - len : 1);
	out_put(out, number, len);
	if (help || !label) {
		out_pad(out, 2);
		out_puts(out, help ? help : family->help);
	}
	out_putc(out, '\n');
}

static void text_family_end(struct out *out, const struct out_family *family)
{
	if (family->label && !out->line_used)
		out_puts(out, "  none\n");
}

const struct out_ops out_text_ops = {
	.begin = text_nothing, .finish = text_nothing, .list = text_list, .object = text_object, .end = text_end,
	.value = text_value, .message = text_message, .family = text_family, .sample = text_sample,
	.family_end = text_family_end,
};
