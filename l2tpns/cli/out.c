/* out.c -- what the three renderers share: the buffer, the levels, and typed values. */
#include <stdarg.h>
#include <stdio.h>

#include "l2tpns/cli/out.h"

void out_init(struct out *out, enum out_form form, char *text, uint32_t room)
{
	static const struct out_ops *const ops[OUT_FORMS] = {
		[OUT_TEXT] = &out_text_ops, [OUT_JSON] = &out_json_ops, [OUT_METRICS] = &out_metrics_ops,
	};

	ASSERT(form < OUT_FORMS && room >= OUT_OBJECT_MAX);
	*out = (struct out){ .ops = ops[form], .text = text, .room = room };
}

void out_put(struct out *out, const char *text, size_t len)
{
	size_t left = out->room - out->len;

	if (len > left) {
		out->cut = true;
		len = left;
	}
	if (len)
		memcpy(out->text + out->len, text, len);
	out->len += (uint32_t)len;
}

void out_puts(struct out *out, const char *text)
{
	out_put(out, text, strlen(text));
}

void out_putc(struct out *out, char c)
{
	out_put(out, &c, 1);
}

void out_put_u64(struct out *out, uint64_t n)
{
	char digit[20];
	unsigned at = sizeof(digit);

	do {
		digit[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	out_put(out, digit + at, sizeof(digit) - at);
}

void out_pad(struct out *out, uint32_t n)
{
	static const char blanks[] = "                                ";
	const uint32_t most = sizeof(blanks) - 1;

	for (; n > most; n -= most)
		out_put(out, blanks, most);
	out_put(out, blanks, n);
}

void out_begin(struct out *out)
{
	out->ops->begin(out);
}

void out_finish(struct out *out)
{
	ASSERT(out->depth == 0);
	out->ops->finish(out);
}

static void level_enter(struct out *out, bool is_list, bool named)
{
	ASSERT(out->depth + 1 < OUT_DEPTH_MAX);
	out->level[out->depth].some = true;
	out->depth++;
	out->level[out->depth] = (struct out_level){ .is_list = is_list, .named = named };
}

void out_list(struct out *out, const char *name, const struct out_column *columns, unsigned n)
{
	ASSERT(!out->columns && !out->level[out->depth].is_list && n <= UINT8_MAX);
	out->columns = columns;
	out->columns_n = (uint8_t)n;
	out->ops->list(out, name);
	level_enter(out, true, name);
}

void out_object(struct out *out, const char *name)
{
	ASSERT(out->level[out->depth].is_list == !name);	/* what stands in a list has no name */
	out->column = 0;
	out->ops->object(out, name);
	level_enter(out, false, name);
}

void out_end(struct out *out)
{
	ASSERT(out->depth > 0);
	out->ops->end(out);
	if (out->level[out->depth].is_list)
		out->columns = NULL;
	out->depth--;
}

static void value(struct out *out, const char *name, const struct out_value *v)
{
	ASSERT(!out->level[out->depth].is_list);
	if (out->columns)
		ASSERT(out->column < out->columns_n && strcmp(out->columns[out->column].name, name) == 0);
	out->ops->value(out, name, v);
	out->level[out->depth].some = true;
	out->column++;
}

static void number(struct out *out, const char *name, enum out_type type, uint64_t n)
{
	value(out, name, &(struct out_value){ .type = type, .number = n });
}

void out_count(struct out *out, const char *name, uint64_t count)
{
	number(out, name, OUT_IS_COUNT, count);
}

void out_id(struct out *out, const char *name, uint32_t id)
{
	number(out, name, OUT_IS_ID, id);
}

void out_octets(struct out *out, const char *name, uint64_t octets)
{
	number(out, name, OUT_IS_OCTETS, octets);
}

void out_bps(struct out *out, const char *name, uint64_t bits_per_second)
{
	number(out, name, OUT_IS_BPS, bits_per_second);
}

void out_seconds(struct out *out, const char *name, uint64_t seconds)
{
	number(out, name, OUT_IS_SECONDS, seconds);
}

void out_when(struct out *out, const char *name, uint64_t unix_seconds)
{
	number(out, name, OUT_IS_WHEN, unix_seconds);
}

void out_hundredths(struct out *out, const char *name, uint64_t hundredths)
{
	number(out, name, OUT_IS_HUNDREDTHS, hundredths);
}

void out_bool(struct out *out, const char *name, bool yes)
{
	number(out, name, OUT_IS_BOOL, yes);
}

void out_none(struct out *out, const char *name)
{
	number(out, name, OUT_IS_NONE, 0);
}

void out_bytes(struct out *out, const char *name, struct bytes text)
{
	if (text.len > OUT_TEXT_MAX)
		text.len = OUT_TEXT_MAX;
	value(out, name, &(struct out_value){ .type = text.len ? OUT_IS_TEXT : OUT_IS_NONE, .text = text });
}

void out_word(struct out *out, const char *name, const char *text)
{
	out_bytes(out, name, bytes_str(text));
}

void out_ip(struct out *out, const char *name, struct ip ip)
{
	value(out, name, &(struct out_value){ .type = ip_is_none(ip) ? OUT_IS_NONE : OUT_IS_IP, .ip = ip });
}

void out_ip4(struct out *out, const char *name, struct ip4 ip)
{
	out_ip(out, name, ip.n ? ip_from4(ip) : (struct ip){ { 0 } });
}

void out_addr(struct out *out, const char *name, struct addr addr)
{
	char text[ADDR_TEXT_MAX];

	out_word(out, name, addr_text(addr, text));
}

void out_message(struct out *out, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ASSERT(out->depth == 0);
	out->ops->message(out, text);
	out->level[0].some = true;
	if (out->messages < UINT8_MAX)
		out->messages++;
}

void out_family(struct out *out, const struct out_family *family)
{
	ASSERT(!out->family && !out->columns);
	out->family = family;
	out->ops->family(out, family);
	if (family->label)
		level_enter(out, false, true);
}

void out_sample(struct out *out, const char *label, const char *help, uint64_t n)
{
	ASSERT(out->family && !label == !out->family->label);
	out->ops->sample(out, out->family, label, help, n);
	out->level[out->depth].some = true;
}

void out_family_end(struct out *out)
{
	ASSERT(out->family);
	out->ops->family_end(out, out->family);
	if (out->family->label)
		out->depth--;
	out->family = NULL;
}

void out_single(struct out *out, const char *name, const char *help, enum out_metric metric, uint64_t value)
{
	struct out_family family = { .name = name, .help = help, .metric = metric };

	out_family(out, &family);
	out_sample(out, NULL, NULL, value);
	out_family_end(out);
}
